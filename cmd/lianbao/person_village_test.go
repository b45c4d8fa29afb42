package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"
	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/contract"
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/api"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/keyring"
	"github.com/lianbao/lianbao/gateway/lane"
	"github.com/lianbao/lianbao/gateway/outbox"
	"github.com/lianbao/lianbao/gateway/persons"
	"github.com/lianbao/lianbao/gateway/readmodel"
	drafting "github.com/lianbao/lianbao/gateway/signing"
)

// village is the real contracts on a network in memory, and for each of three
// organisations the real API, people's door and keyring, over HTTP.
type village struct {
	*testing.T
	mutex     sync.Mutex
	network   *peertest.Network
	arrived   chan struct{}
	urls      map[string]string
	registers map[string]persons.Register
	token     string
	keys      map[tape.ID]*ecdsa.PrivateKey
}

const speechCampaign = tape.AccountID("charity:sunrise:speech")

var villagers = []string{"charity", "bank", "coop"}

func newVillage(t *testing.T) *village {
	t.Setenv(passphraseVariable, secretWords)
	t.Setenv(newPassphraseVariable, secretWords)
	build := func() shim.Chaincode {
		chaincode, err := contract.New()
		if err != nil {
			t.Fatal(err)
		}
		return chaincode
	}
	v := &village{T: t, network: peertest.New(t, build, villagers...), arrived: make(chan struct{}), urls: map[string]string{}, registers: map[string]persons.Register{},
		token: filepath.Join(t.TempDir(), "token"), keys: map[tape.ID]*ecdsa.PrivateKey{}}
	v.network.SetClock(time.Now().Add(-time.Minute))
	v.check(os.WriteFile(v.token, []byte(strings.Repeat("t", 40)+"\n"), 0o600))
	charter := party.Charter{Ledger: aLedger, Quorum: 2, Rules: 1, Zone: "+08:00", Policy: party.DefaultPolicy(party.Threshold{Amount: money.New(100_000_00, "CNY"), Organisations: 2}),
		Powers: []party.Grant{{Organisation: "bank", Power: party.Custodian}, {Organisation: "charity", Power: party.Charity}, {Organisation: "coop", Power: party.Regulator}}}
	charter.Policy.Persons.KeyWaitingHours = 0
	for _, name := range villagers {
		charter.Organisations = append(charter.Organisations, party.Member{MSP: name, Name: name})
	}
	hash, err := charter.Hash()
	v.check(err)
	v.as("bank", "admin", "Party:Found", v.encoded(party.FoundCommand{Charter: charter, ID: "found"}))
	for _, name := range villagers {
		v.as(name, "admin", "Party:Join", v.encoded(party.JoinCommand{Charter: hash, ID: "join"}))
	}
	for _, name := range villagers {
		v.serve(name)
	}
	return v
}

func (v *village) check(err error) {
	v.Helper()
	if err != nil {
		v.Fatal(err)
	}
}

func (v *village) encoded(command any) []byte {
	v.Helper()
	if own, can := command.(interface{ Encode() ([]byte, error) }); can {
		text, err := own.Encode()
		v.check(err)
		return text
	}
	text, err := canonical.Encode(command)
	v.check(err)
	return text
}

func (v *village) as(organisation, role, function string, argument []byte) {
	v.Helper()
	v.mutex.Lock()
	defer v.mutex.Unlock()
	v.network.SetClock(time.Now())
	_, err := v.network.Invoke(v.network.Identity(organisation, role), function, string(argument))
	if err != nil {
		v.Fatalf("%s by %s: %v", function, organisation, err)
	}
	close(v.arrived)
	v.arrived = make(chan struct{})
}

// peered is the village as one organisation's lanes see it.
type peered struct {
	*village
	organisation string
}

// Submit implements lane.Ledger.
func (p peered) Submit(_ context.Context, function string, argument []byte, sent func(string) error) (fabric.Receipt, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.network.SetClock(time.Now())
	endorsed, err := p.network.Endorse(p.network.Identity(p.organisation, "gateway"), function, string(argument))
	var refusal *rule.Refusal
	if errors.As(err, &refusal) {
		return fabric.Receipt{}, refusal
	}
	if err != nil {
		return fabric.Receipt{}, err
	}
	if err := sent(endorsed.Proposal.TransactionID); err != nil {
		return fabric.Receipt{}, err
	}
	results, err := p.network.Commit(endorsed)
	if err != nil {
		return fabric.Receipt{}, err
	}
	close(p.arrived)
	p.arrived = make(chan struct{})
	if results[0].Code != peer.TxValidationCode_VALID {
		return fabric.Receipt{}, errors.New(results[0].Code.String())
	}
	return fabric.Receipt{Entry: endorsed.Outcome.Response.Payload, TransactionID: results[0].TransactionID, Block: results[0].Block}, nil
}

// Status implements lane.Ledger; nothing is ever unknown here.
func (p peered) Status(context.Context, string) (fabric.Receipt, error) {
	return fabric.Receipt{}, errors.New("no transaction is under way")
}

// Evaluate implements lane.Ledger.
func (p peered) Evaluate(context.Context, string, []byte) ([]byte, error) {
	return nil, errors.New("nothing is evaluated")
}

// Height implements api.Chain.
func (p peered) Height(context.Context) (uint64, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.network.Height(), nil
}

func (p peered) await(ctx context.Context, number uint64) (readmodel.Block, error) {
	for {
		p.mutex.Lock()
		height, arrived := p.network.Height(), p.arrived
		if number < height {
			defer p.mutex.Unlock()
			return fabric.ReadBlock(p.network.Block(number), peertest.Chaincode, nil)
		}
		p.mutex.Unlock()
		select {
		case <-arrived:
		case <-ctx.Done():
			return readmodel.Block{}, ctx.Err()
		}
	}
}

func (v *village) serve(organisation string) {
	p := peered{v, organisation}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	box, err := outbox.Open(v.Context(), filepath.Join(v.TempDir(), "outbox.db"), outbox.Settings{Volatile: true})
	v.check(err)
	model, err := readmodel.Open(v.Context(), filepath.Join(v.TempDir(), "readmodel.db"))
	v.check(err)
	lanes, err := lane.Start(v.Context(), p, box, lane.Settings{Log: log})
	v.check(err)
	register := persons.Register{Records: model}
	master := filepath.Join(v.TempDir(), "master.key")
	v.check(keyring.CreateMaster(master))
	ring, err := keyring.Open(filepath.Join(v.TempDir(), "keys"), master, register, nil)
	v.check(err)
	token := strings.Repeat("t", 40)
	server := api.New(api.Parts{Organisation: organisation, Lanes: lanes, Outbox: box, Model: model, Chain: p, Token: token, Log: log})
	server.Handle(drafting.DoorPattern, drafting.NewDoor(drafting.Door{Organisation: organisation, Ledger: register, API: server, Token: token, Log: log}))
	server.Handle(drafting.DrawPattern, drafting.Draws{Organisation: organisation, Keys: ring, Token: token, Log: log})
	listener := httptest.NewServer(server)
	v.urls[organisation], v.registers[organisation] = listener.URL, register
	ctx, cancel := context.WithCancel(context.Background())
	var following sync.WaitGroup
	following.Go(func() {
		var previous []byte
		for next := uint64(0); ctx.Err() == nil; next++ {
			block, err := p.await(ctx, next)
			if err != nil {
				return
			}
			block.PreviousHash, previous = previous, block.Hash // the network in memory does not chain its blocks
			if err := model.Apply(ctx, block); err != nil && ctx.Err() == nil {
				v.Errorf("block %d: %v", next, err)
			}
		}
	})
	v.Cleanup(func() {
		listener.CloseClientConnections()
		listener.Close()
		cancel()
		following.Wait()
		lanes.Stop()
		if err := errors.Join(box.Close(), model.Close(), ring.Close()); err != nil {
			v.Error(err)
		}
	})
}

// types runs lianbao person and demands an exit code; it returns both outputs.
func (v *village) types(want int, arguments ...string) (string, string) {
	v.Helper()
	code, out, errs := typed(append([]string{"person"}, arguments...)...)
	if code != want {
		v.Fatalf("person %s: exit %d, want %d\n%s%s", strings.Join(arguments, " "), code, want, out, errs)
	}
	return out, errs
}

// operates adds an organisation's gateway and token.
func (v *village) operates(want int, organisation string, arguments ...string) (string, string) {
	v.Helper()
	return v.types(want, append(arguments, "--gateway", v.urls[organisation], "--token", v.token)...)
}

// person waits until every gateway has read somebody as the ledger has it.
func (v *village) person(id tape.ID) party.Person {
	v.Helper()
	var found party.Person
	for _, organisation := range villagers {
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
			v.mutex.Lock()
			value, exists := v.network.State().Get(party.PersonKey(id))
			v.mutex.Unlock()
			var stands party.Person
			if exists {
				v.check(json.Unmarshal(value.Data, &stands))
			}
			read, err := v.registers[organisation].Person(v.Context(), id)
			if err == nil && read.Entry == stands.Entry {
				found = read
				break
			}
			if time.Now().After(deadline) {
				v.Fatalf("%s has not read %s: %v", organisation, id, err)
			}
		}
	}
	return found
}

// proof prints the possession of a key into a file.
func (v *village) proof(name, registrar string, arguments ...string) string {
	v.Helper()
	out, _ := v.types(0, append([]string{"possession", "--organisation", "charity", "--registrar", registrar, "--ledger", aLedger.String()}, arguments...)...)
	path := filepath.Join(v.TempDir(), name)
	v.check(os.WriteFile(path, []byte(out), 0o600))
	return path
}

// TestPersonRegistration takes persons from a key on a device to the ledger,
// all by what is typed: registered, witnessed, lost, replaced, revoked.
func TestPersonRegistration(t *testing.T) {
	v := newVillage(t)
	path, file := newKey(t, "own.json", "--person", "household", "--ledger", aLedger.String())
	proof := v.proof("proof.json", "bank", "--key", path)
	_, errs := v.operates(3, "coop", "register", proof)
	if !strings.Contains(errs, `forbidden: the proof is for "bank" to bring; this is coop (field registrar)`) && !strings.Contains(errs, `the proof is for "bank" to bring; this is coop`) {
		t.Error(errs)
	}
	v.types(2, "register", proof, "--gateway", v.urls["bank"]) // no token
	forged := filepath.Join(t.TempDir(), "forged.json")
	text, err := os.ReadFile(proof)
	v.check(err)
	v.check(os.WriteFile(forged, []byte(strings.Replace(string(text), `"own"`, `"card"`, 1)), 0o600))
	if _, errs = v.operates(3, "bank", "register", forged); !strings.Contains(errs, "is not signed by "+file.Address.String()) {
		t.Error(errs)
	}
	out, _ := v.operates(0, "bank", "register", proof)
	if !strings.Contains(out, "person witness household "+file.Address.String()) {
		t.Error(out)
	}
	v.operates(0, "bank", "register", proof) // the same again is answered as before
	v.person("household")
	if out, _ = v.operates(0, "charity", "waiting"); !strings.Contains(out, "household") || !strings.Contains(out, "brought by bank") {
		t.Error(out)
	}
	if out, _ = v.operates(0, "bank", "waiting"); !strings.Contains(out, "Nobody waits") {
		t.Error(out)
	}
	v.operates(3, "bank", "witness", "household", file.Address.String(), "--yes")
	v.operates(3, "charity", "witness", "household", "0x0100000000000000000000000000000000000000", "--yes")
	if out, _ = v.operates(0, "charity", "witness", "household", file.Address.String(), "--yes"); !strings.Contains(out, "own, member, brought by bank") || !strings.Contains(out, "after 0 hours") {
		t.Error(out)
	}
	if key, err := v.person("household").InForce(tape.Instant(time.Now().UnixMilli())); err != nil || key.Witness != "charity" || key.Custody != party.Own {
		t.Errorf("%+v %v", key, err)
	}
	// The key is lost, and another one comes through the organisation.
	v.operates(2, "charity", "suspend", "--person", "household")
	v.operates(0, "charity", "suspend", file.Address.String(), "--person", "household")
	v.person("household")
	next, nextFile := newKey(t, "next.json", "--person", "household", "--ledger", aLedger.String())
	v.operates(0, "charity", "replace", v.proof("next-proof.json", "charity", "--key", next))
	v.person("household")
	v.operates(0, "coop", "witness", "household", nextFile.Address.String(), "--yes")
	if key, err := v.person("household").InForce(tape.Instant(time.Now().UnixMilli())); err != nil || key.Address != nextFile.Address {
		t.Errorf("%+v %v", key, err)
	}
	v.operates(3, "bank", "revoke", "household", "--yes")
	v.operates(0, "charity", "revoke", "household", "--yes")
	if v.person("household").Revoked == 0 {
		t.Error("not revoked")
	}
}

// TestAgentHeldKeys: an agent keeps keys for people without a phone, in a
// folder under its own passphrase. The ledger shows it, no arrival is confirmed
// by them, a dispute is; and none of them calls itself its person's own.
func TestAgentHeldKeys(t *testing.T) {
	v := newVillage(t)
	folder := t.TempDir()
	kept := func(command string, more ...string) []string {
		return append(append(strings.Fields(command), "--keys", folder), more...)
	}
	v.types(2, kept("new", "--custody", "agent-held", "--ledger", aLedger.String())...) // whose?
	v.types(2, kept("new", "--custody", "agent-held", "--person", "../maker")...)
	if _, errs := v.types(2, kept("new", "--custody", "card", "--person", "h1")...); !strings.Contains(errs, "a key that lies in a file is own or agent-held") {
		t.Error(errs)
	}
	for _, person := range []string{"h1", "h2"} {
		v.types(0, kept("new", "--custody", "agent-held", "--person", person, "--ledger", aLedger.String())...)
		proof := v.proof(person+".json", "bank", "--keys", folder, "--person", person)
		v.operates(0, "bank", "register", proof)
		v.person(tape.ID(person))
		file, err := persons.ParseProof([]byte(must(os.ReadFile(proof))))
		v.check(err)
		v.operates(0, "charity", "witness", person, file.Address.String(), "--yes")
	}
	if key := v.person("h1").Key; key.Custody != party.AgentHeld {
		t.Errorf("the ledger shows %s", key.Custody)
	}
	if _, errs := v.types(3, kept("possession", "--person", "h1", "--custody", "own", "--organisation", "charity", "--registrar", "bank")...); !strings.Contains(errs, "was drawn as agent-held and cannot call itself own") {
		t.Error(errs)
	}
	if _, errs := v.types(3, kept("possession", "--person", "h1", "--custody", "card", "--organisation", "charity", "--registrar", "bank")...); !strings.Contains(errs, "a card keeps its key and signs by itself") {
		t.Error(errs)
	}
	v.payout("h1")
	at := []string{"--gateway", v.urls["charity"], "--send", v.urls["coop"], "--yes", "--person", "h1"}
	if _, errs := v.types(3, kept("confirm "+string(speechCampaign)+" d1.0.0", at...)...); !strings.Contains(errs, "the key of h1 is agent-held; only a key in the receiver's own hands confirms that money arrived") {
		t.Error(errs)
	}
	v.types(0, kept("dispute "+string(speechCampaign)+" d1.0.0 --reason late", at...)...)
	said := v.confirmation()
	if said.Outcome != fund.Disputed || said.By.Custody != string(party.AgentHeld) || said.By.Person != "h1" {
		t.Errorf("%+v", said)
	}
	// To its person's own hands a key comes by a new address, and by two organisations.
	own, ownFile := newKey(t, "own.json", "--person", "h1", "--ledger", aLedger.String())
	if _, errs := v.types(3, kept("rotate --new "+own, at...)...); !strings.Contains(errs, "the key of h1 is agent-held and cannot bring one that is own") {
		t.Error(errs)
	}
	proof := v.proof("own-proof.json", "bank", "--key", own)
	v.operates(0, "bank", "replace", proof)
	v.person("h1")
	v.operates(3, "bank", "witness", "h1", ownFile.Address.String(), "--yes")
	v.operates(0, "charity", "witness", "h1", ownFile.Address.String(), "--yes")
	v.person("h1")
	v.types(0, append([]string{"confirm", string(speechCampaign), "d1.0.0", "--key", own}, at...)...)
	if said = v.confirmation(); said.Outcome != fund.Arrived || said.By.Custody != string(party.Own) {
		t.Errorf("%+v", said)
	}
}

// TestGuardiansAndConsents: two organisations let a mother speak for a child
// whose key an agent keeps; she confirms, consents and withdraws by her own
// key, and the ledger shows that she did.
func TestGuardiansAndConsents(t *testing.T) {
	v := newVillage(t)
	folder := t.TempDir()
	registered := func(person, custody string) {
		path := filepath.Join(folder, person+".json")
		v.types(0, "new", "--key", path, "--custody", custody, "--person", person, "--ledger", aLedger.String())
		file := v.proof(person+".proof", "bank", "--key", path)
		v.operates(0, "bank", "register", file)
		v.person(tape.ID(person))
		proof, err := persons.ParseProof([]byte(must(os.ReadFile(file))))
		v.check(err)
		v.operates(0, "charity", "witness", person, proof.Address.String(), "--yes")
		v.person(tape.ID(person))
	}
	registered("child", "agent-held")
	registered("mother", "own")
	v.payout("child")
	mother := []string{"--keys", folder, "--person", "mother", "--gateway", v.urls["charity"], "--send", v.urls["coop"], "--yes"}
	v.types(3, append([]string{"confirm", string(speechCampaign), "d1.0.0"}, mother...)...)
	v.operates(3, "bank", "guard", "child", "nobody", "--yes")
	v.operates(0, "bank", "guard", "child", "mother", "--yes")
	v.person("child")
	v.types(3, append([]string{"confirm", string(speechCampaign), "d1.0.0"}, mother...)...)
	v.operates(3, "bank", "guard", "child", "mother", "--yes")
	v.operates(0, "charity", "guard", "child", "mother", "--yes")
	v.person("child")
	v.types(0, append([]string{"confirm", string(speechCampaign), "d1.0.0"}, mother...)...)
	if said := v.confirmation(); said.Outcome != fund.Arrived || said.By.Person != "mother" || said.By.Custody != string(party.Own) || said.For != "child" {
		t.Errorf("%+v", said)
	}
	until := tape.Date(time.Now().UTC().Format(time.DateOnly)).AddDays(30)
	child := []string{"--keys", folder, "--person", "child", "--gateway", v.urls["coop"], "--yes"}
	if _, errs := v.types(3, append([]string{"consent", "charity", "publication", "image", "--until", string(until)}, child...)...); !strings.Contains(errs, "consent is given by a key in the signer's own hands") {
		t.Error(errs)
	}
	v.types(3, append([]string{"consent", "charity", "publication", "diary", "--for", "child", "--until", string(until)}, mother...)...)
	_, errs := v.types(0, append([]string{"consent", "charity", "publication", "image", "--for", "child", "--until", string(until)}, mother...)...)
	if !strings.Contains(errs, "Let charity use data about person child (image) for publication, until "+string(until)) {
		t.Error(errs)
	}
	v.types(0, append([]string{"withdraw", "charity", "publication", "image"}, child...)...) // anybody's key says no
	var consent party.Consent
	v.mutex.Lock()
	value, _ := v.network.State().Get(party.ConsentKey("child", "charity", "publication", "image"))
	v.mutex.Unlock()
	v.check(json.Unmarshal(value.Data, &consent))
	if consent.By.Person != "mother" || consent.Withdrawn == 0 || !strings.HasPrefix(consent.Withdrawal, "coop/") {
		t.Errorf("%+v", consent)
	}
	v.operates(0, "charity", "guard", "child", "mother", "--end", "--yes")
	v.person("child")
	v.operates(0, "bank", "guard", "child", "mother", "--end", "--yes")
	if p := v.person("child"); p.Guardian != nil {
		t.Errorf("%+v", p.Guardian)
	}
	v.types(3, append([]string{"dispute", string(speechCampaign), "d1.0.0", "--reason", "late"}, mother...)...)
}

func must(text []byte, err error) string {
	if err != nil {
		panic(err)
	}
	return string(text)
}

// card signs typed data as a hardware wallet does: with go-ethereum's own
// implementation of EIP-712, knowing the file alone.
func (v *village) card(key *ecdsa.PrivateKey, file string) string {
	v.Helper()
	var typed apitypes.TypedData
	v.check(json.Unmarshal([]byte(file), &typed))
	digest, _, err := apitypes.TypedDataAndHash(typed)
	v.check(err)
	signature, err := crypto.Sign(digest, key)
	v.check(err)
	return party.Signature(signature).String()
}

// TestCards: a key that never lies in a file proves itself, is registered as a
// card's, and signs what is exported.
func TestCards(t *testing.T) {
	v := newVillage(t)
	key, err := crypto.GenerateKey()
	v.check(err)
	address := crypto.PubkeyToAddress(key.PublicKey).Hex() // with the checksum, as wallets show it
	about := []string{"possession", "--person", "h1", "--ledger", aLedger.String(), "--organisation", "charity", "--registrar", "bank", "--address", address}
	v.types(2, append(about, "--custody", "own")...)
	asked, _ := v.types(0, about...)
	other, err := crypto.GenerateKey()
	v.check(err)
	v.types(3, append(about, "--signature", v.card(other, asked))...)
	out, _ := v.types(0, append(about, "--signature", v.card(key, asked))...)
	proof := filepath.Join(t.TempDir(), "proof.json")
	v.check(os.WriteFile(proof, []byte(out), 0o600))
	v.operates(0, "bank", "register", proof)
	v.person("h1")
	v.operates(0, "charity", "witness", "h1", address, "--yes")
	v.person("h1")
	v.payout("h1")
	draft := filepath.Join(t.TempDir(), "draft.json")
	confirm := []string{"confirm", string(speechCampaign), "d1.0.0", "--person", "h1", "--gateway", v.urls["coop"], "--draft", draft}
	v.types(0, confirm...)
	v.types(2, confirm...) // nothing is written over
	typedData, _ := v.types(0, "export", draft)
	if !strings.Contains(typedData, `"primaryType": "Intent"`) || !strings.Contains(typedData, `"amount": "60.00 CNY"`) {
		t.Error(typedData)
	}
	v.types(3, "accept", draft, v.card(other, typedData), "--address", address)
	v.types(3, "accept", draft, v.card(other, typedData), "--send", v.urls["coop"]) // the door knows whose key it is
	v.types(3, "accept", draft, "0x12")
	v.types(0, "accept", draft, v.card(key, typedData), "--address", address, "--send", v.urls["coop"])
	if said := v.confirmation(); said.Outcome != fund.Arrived || said.By.Custody != string(party.Card) {
		t.Errorf("%+v", said)
	}
}

// TestGatewayHeldKeys: an organisation's gateway draws a key for a person, by
// its token alone; another organisation brings it, or its own with a witness.
func TestGatewayHeldKeys(t *testing.T) {
	v := newVillage(t)
	v.types(3, "draw", "h1", "--gateway", v.urls["charity"], "--token", put(t, "wrong-token-of-forty-characters-and-more-"))
	out, _ := v.operates(0, "charity", "draw", "h1", "--registrar", "bank")
	proof, err := persons.ParseProof([]byte(out))
	if err != nil || proof.Custody != party.GatewayHeld || proof.Registrar != "bank" || proof.Organisation != "charity" {
		t.Fatalf("%s: %v", out, err)
	}
	v.operates(0, "bank", "register", put(t, out))
	v.person("h1")
	v.operates(0, "charity", "witness", "h1", proof.Address.String(), "--yes")
	if key := v.person("h1").Key; key.Custody != party.GatewayHeld || key.Witness != "charity" {
		t.Errorf("%+v", key)
	}
	if _, errs := v.operates(3, "charity", "draw", "h1"); !strings.Contains(errs, "stands on the ledger") {
		t.Error(errs)
	}
	if out, _ = v.operates(0, "charity", "draw", "h2"); !strings.Contains(out, "on the ledger as register.") {
		t.Error(out)
	}
	if key := v.person("h2").Key; key.Registrar != "charity" || key.Witness != "" {
		t.Errorf("%+v", key)
	}
}

func put(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// confirmation is the receiver's last word on the payout.
func (v *village) confirmation() fund.Confirmation {
	v.Helper()
	v.mutex.Lock()
	defer v.mutex.Unlock()
	value, found := v.network.State().Get(fund.ConfirmationKey(speechCampaign, "d1.0.0"))
	if !found {
		v.Fatal("there is no confirmation")
	}
	var said fund.Confirmation
	v.check(json.Unmarshal(value.Data, &said))
	return said
}

// decided brings invented staff of the charity, where they are not there yet, and lets them sign a command.
func (v *village) decided(organisation, function, action string, units int64, command any, who ...tape.ID) {
	v.Helper()
	plain := v.encoded(command)
	var intents []party.Intent
	for _, person := range who {
		key := v.keys[person]
		if key == nil {
			var err error
			key, err = crypto.GenerateKey()
			v.check(err)
			v.keys[person] = key
			possession := party.Possession{Person: person, Key: sign.Address(key), Custody: party.Own, Duty: party.DutyStaff, Organisation: "charity", Registrar: "bank"}
			signature, err := sign.Possession(key, aLedger, possession)
			v.check(err)
			proof := persons.Of(possession, signature)
			v.as("bank", "gateway", "Party:Register", v.encoded(proof.Register()))
			v.as("charity", "gateway", "Party:Witness", v.encoded(persons.Witness(person, party.Key{Address: proof.Address, Duty: party.DutyStaff})))
		}
		statement := party.Statement{Action: action, Subject: string(speechCampaign), Amount: money.New(units, "CNY").String(), Command: sha256.Sum256(plain), Deadline: tape.Instant(time.Now().Add(time.Hour).Unix() * 1000)}
		copy(statement.Intent[:], crypto.Keccak256(plain, []byte(person)))
		intent, err := sign.Intent(key, aLedger, person, statement)
		v.check(err)
		intents = append(intents, intent)
	}
	argument, err := drafting.Envelope(plain, intents...)
	v.check(err)
	v.as(organisation, "gateway", function, argument)
}

// payout takes a campaign to a payout of 60.00 CNY to a household that the bank has executed.
func (v *village) payout(person tape.ID) {
	v.Helper()
	cny := func(units int64) money.Amount { return money.New(units, "CNY") }
	const custodian, family = tape.AccountID("outside:bank:sunrise-1"), tape.AccountID("outside:household:ddbbcoobeooegjmdolfcpojadccomibn")
	today := tape.Date(time.Now().UTC().Add(8 * time.Hour).Format(time.DateOnly))
	plan := fund.Plan{Area: "CN-53", Beneficiaries: fund.Text{En: "30 children"}, From: today.AddDays(-30), To: today.AddDays(300), Goal: cny(100_000), Leftover: "charity:sunrise:relief", Donors: []tape.ID{person},
		ManagementPartsPerMillion: 100_000, Purpose: fund.Text{En: "Speech training"}, Regulator: "coop", Sector: "12220", Title: fund.Text{En: "Speech training"},
		Lines: []fund.BudgetLine{{Amount: cny(100_000), ID: "training", Kind: fund.Programme, Title: fund.Text{En: "Training"}}}}
	v.decided("charity", "Fund:OpenCampaign", "open-campaign", 0, fund.OpenCampaign{Account: speechCampaign, Basis: fund.Agreement, Custodian: custodian, ID: "open", Plan: plan}, "maker", "checker")
	debits := []tape.Line{{Number: 1, Date: today, Amount: cny(6000), Reference: strings.Repeat("A", 22)}}
	page, _, err := tape.LinesBody(tape.DebitSide, debits)
	v.check(err)
	v.as("bank", "gateway", "Tape:FileStatement", v.encoded(tape.FileStatement{Account: custodian, ID: "january", From: today, To: today, Opening: cny(10_000), Closing: cny(4_000), Count: 1, Pages: []tape.LinesPage{page}}))
	v.as("bank", "gateway", "Tape:FileLines", v.encoded(tape.FileLines{Account: custodian, ID: "lines-0", Lines: debits, N: 0, Statement: "january"}))
	v.as("charity", "gateway", "Tape:Receive", v.encoded(tape.Receive{Account: speechCampaign, ID: "page", Count: 1, Total: cny(10_000), Gifts: []tape.Gift{{ID: "g", Amount: cny(10_000)}}}))
	v.decided("charity", "Fund:Declare", "declare", 10_000, fund.Declare{Account: speechCampaign, ID: "declare", Page: "page"}, "maker", "checker")
	v.decided("charity", "Fund:Enrol", "enrol", 0, fund.Enrol{Account: speechCampaign, ID: "enrol", Payees: []fund.NewPayee{{Kind: fund.Household, Payee: family, Person: person}}}, "maker")
	payments := []tape.Payment{{Amount: cny(6000), Line: "a", To: family}}
	job, chunks, err := tape.NewJob(speechCampaign, "d1", tape.Instant(time.Now().UnixMilli())+10*tape.Day, [][]tape.Payment{payments})
	v.check(err)
	v.decided("charity", "Fund:Propose", "propose", 6000, fund.Propose{Account: speechCampaign, Amount: job.Amount, Chunks: 1, Count: 1, Expires: job.Expires, ID: "d1", Line: "training", Root: job.Root}, "maker")
	v.as("charity", "gateway", "Fund:List", v.encoded(fund.List{Account: speechCampaign, Disbursement: "d1", ID: "d1-list", Lines: payments, Path: chunks[0].Path}))
	v.decided("charity", "Fund:Approve", "approve", 6000, fund.Approve{Account: speechCampaign, Disbursement: "d1", ID: "d1-ok"}, "checker")
	v.as("charity", "gateway", "Fund:Order", v.encoded(fund.Order{Account: speechCampaign, Approvers: []tape.ID{"checker"}, Disbursement: "d1", ID: "d1-order"}))
	v.as("charity", "gateway", "Fund:Pay", v.encoded(fund.Pay{Account: speechCampaign, Disbursement: "d1", ID: "d1-pay", Lines: payments, Path: chunks[0].Path}))
	line, err := tape.NewLineProof("january", 0, debits, 0)
	v.check(err)
	v.as("bank", "gateway", "Tape:Capture", v.encoded(tape.Capture{Account: speechCampaign, Amount: cny(6000), Hold: "d1.0.0", ID: "paid", Line: &line}))
	v.person("checker") // every gateway has read so far
	v.caughtUp()
}

// caughtUp waits until every gateway has read the payout.
func (v *village) caughtUp() {
	v.Helper()
	for _, organisation := range villagers {
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
			_, errs, err := v.find(organisation)
			if err == nil {
				break
			}
			if time.Now().After(deadline) {
				v.Fatalf("%s has not read the payout: %s", organisation, errs)
			}
		}
	}
}

func (v *village) find(organisation string) (tape.Hold, string, error) {
	c, err := clientOf(v.urls[organisation])
	v.check(err)
	hold, err := payout{Account: string(speechCampaign), Hold: "d1.0.0"}.find(v.Context(), c)
	if err == nil && hold.Captured.Total() == 0 {
		err = errors.New("it is not paid yet")
	}
	if err != nil {
		return hold, err.Error(), err
	}
	return hold, "", nil
}
