package api

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/contract"
	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/dossier/seal"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/peertest"
	network "github.com/lianbao/lianbao/chaincode/replay"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/client"
	"github.com/lianbao/lianbao/gateway/disclosure"
	"github.com/lianbao/lianbao/gateway/document/documenttest"
	"github.com/lianbao/lianbao/gateway/export/books"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/fingerprint"
	"github.com/lianbao/lianbao/gateway/lane"
	"github.com/lianbao/lianbao/gateway/outbox"
	"github.com/lianbao/lianbao/gateway/personal"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/trail"
)

var (
	organisations = []string{"charity", "bank", "coop"}
	ledgerID      = party.LedgerID{7}
)

const (
	secret  = "a-token-of-at-least-thirty-two-characters"
	account = "charity:sunrise:books"
	custody = "outside:bank:sunrise-1"
)

// world is a network in memory that runs the real contracts, with a gateway for
// each organisation: real outbox, real read model, real HTTP.
type world struct {
	*testing.T
	mutex    sync.Mutex
	network  *peertest.Network
	arrived  chan struct{}
	down     bool
	keys     map[tape.ID]*ecdsa.PrivateKey
	intents  byte
	gateways map[string]*gateway
}

type gateway struct {
	*world
	organisation string
	url          string
	model        *readmodel.Model
	box          *outbox.Outbox
	lanes        *lane.Lanes
	server       *Server
	client       *client.Client
}

func newWorld(t *testing.T) *world {
	build := func() shim.Chaincode {
		chaincode, err := contract.New()
		if err != nil {
			t.Fatal(err)
		}
		return chaincode
	}
	w := &world{T: t, network: peertest.New(t, build, organisations...), arrived: make(chan struct{}), keys: map[tape.ID]*ecdsa.PrivateKey{}, gateways: map[string]*gateway{}}
	w.found()
	w.collection("charity-bank", true, "charity", "bank")
	for _, organisation := range organisations {
		w.collection(string(dossier.OwnCollection(organisation)), false, organisation)
		w.gateways[organisation] = w.serve(organisation)
	}
	return w
}

// collection defines a private data collection as the default network does.
func (w *world) collection(name string, guarded bool, members ...string) {
	policy, err := proto.Marshal(network.OutOf(len(members), members...))
	if err != nil {
		w.Fatal(err)
	}
	w.network.Collection(network.CollectionRule{Name: name, Members: members, MemberOnlyRead: guarded, MemberOnlyWrite: guarded, Policy: policy})
}

func (w *world) found() {
	charter := party.Charter{Ledger: ledgerID, Quorum: 2, Rules: 1, Zone: "+08:00", Policy: party.DefaultPolicy(
		party.Threshold{Amount: money.New(100_000_00, "CNY"), Organisations: 2}, party.Threshold{Amount: money.New(1e12, "VND"), Organisations: 2})}
	charter.Policy.Persons.KeyWaitingHours = 0
	for _, name := range organisations {
		charter.Organisations = append(charter.Organisations, party.Member{MSP: name, Name: name})
	}
	charter.Powers = []party.Grant{{Organisation: "bank", Power: party.Custodian}, {Organisation: "charity", Power: party.Charity}, {Organisation: "coop", Power: party.Cooperative}, {Organisation: "bank", Power: party.Regulator}}
	hash, err := charter.Hash()
	if err != nil {
		w.Fatal(err)
	}
	w.must("bank", "admin", "Party:Found", party.FoundCommand{Charter: charter, ID: "found"})
	for _, name := range organisations {
		w.must(name, "admin", "Party:Join", party.JoinCommand{Charter: hash, ID: "join"})
	}
	for _, person := range []tape.ID{"maker", "checker"} {
		w.register(person, party.DutyStaff)
	}
	w.register("giver", party.DutyMember)
}

// register brings a person of the charity by the bank's gateway.
func (w *world) register(person tape.ID, duty party.Duty) { w.enlist(person, "charity", duty) }

// enlist brings a person of an organisation by the bank's gateway.
func (w *world) enlist(person tape.ID, organisation string, duty party.Duty) {
	seed := sha256.Sum256([]byte(person))
	key, err := crypto.ToECDSA(seed[:])
	if err != nil {
		w.Fatal(err)
	}
	w.keys[person] = key
	proof, err := sign.Possession(key, ledgerID, party.Possession{Person: person, Custody: party.Own, Duty: duty, Organisation: organisation, Registrar: "bank"})
	if err != nil {
		w.Fatal(err)
	}
	w.must("bank", "gateway", "Party:Register", party.RegisterCommand{Address: sign.Address(key), Custody: party.Own, Duty: duty, ID: "register-" + person,
		Organisation: organisation, Person: person, Proof: proof})
	w.must(organisation, "gateway", "Party:Witness", party.WitnessCommand{Address: sign.Address(key), Duty: duty, ID: "witness-" + person, Person: person})
}

// must gives a command past the gateways, which follow what it writes.
func (w *world) must(organisation, role, function string, command any) {
	w.Helper()
	w.mutex.Lock()
	defer w.mutex.Unlock()
	defer w.arrives()
	if _, err := w.network.Invoke(w.network.Identity(organisation, role), function, string(encoded(w.T, command))); err != nil {
		w.Fatalf("%s by %s: %v", function, organisation, err)
	}
}

// arrives wakes who waits for a block. Its caller holds the mutex.
func (w *world) arrives() {
	close(w.arrived)
	w.arrived = make(chan struct{})
}

func encoded(t *testing.T, command any) []byte {
	t.Helper()
	if own, can := command.(interface{ Encode() ([]byte, error) }); can {
		argument, err := own.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return argument
	}
	argument, err := canonical.Encode(command)
	if err != nil {
		t.Fatal(err)
	}
	return argument
}

func (w *world) serve(organisation string) *gateway {
	g := &gateway{world: w, organisation: organisation}
	var err error
	if g.model, err = readmodel.Open(w.Context(), filepath.Join(w.TempDir(), "readmodel.db")); err != nil {
		w.Fatal(err)
	}
	if g.box, err = outbox.Open(w.Context(), filepath.Join(w.TempDir(), "outbox.db"), outbox.Settings{Volatile: true}); err != nil {
		w.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	registry := prometheus.NewRegistry()
	if g.lanes, err = lane.Start(w.Context(), g, g.box, lane.Settings{Log: log, Metrics: lane.NewMetrics(registry)}); err != nil {
		w.Fatal(err)
	}
	g.server = New(Parts{Organisation: organisation, Lanes: g.lanes, Outbox: g.box, Model: g.model, Chain: g, Token: secret, Registry: registry, Log: log,
		Personal:     &personal.Desk{Ledger: g, Notes: g.model, Errands: g.box, Now: time.Now, Organisation: organisation, Own: string(dossier.OwnCollection(organisation)), Collections: map[string][]string{"charity-bank": {"charity", "bank"}}},
		Fingerprints: fingerprint.Keys{Folder: filepath.Join(w.TempDir(), "fingerprint-keys")},
		Documents:    documenttest.Archive(w), Shelf: disclosure.Shelf{Folder: w.TempDir()}, Exports: &books.Books{Model: g.model, Facts: trail.Facts{Model: g.model}}})
	listener := httptest.NewServer(g.server)
	g.url = listener.URL
	g.client = &client.Client{URL: listener.URL, Token: secret}
	inflows := &lane.Inflows{Lanes: g.lanes, Arrivals: g.model, Organisation: organisation, Height: g.Height}
	ctx, cancel := context.WithCancel(context.Background())
	var following sync.WaitGroup
	following.Go(func() { g.follow(ctx, inflows) })
	w.Cleanup(func() {
		listener.CloseClientConnections()
		listener.Close()
		cancel()
		following.Wait()
		g.lanes.Stop()
		if err := errors.Join(g.box.Close(), g.model.Close()); err != nil {
			w.Error(err)
		}
	})
	return g
}

// follow reads blocks into the read model, as the gateway's process does.
func (g *gateway) follow(ctx context.Context, inflows *lane.Inflows) {
	var previous []byte
	for next := uint64(0); ctx.Err() == nil; next++ {
		block, err := g.await(ctx, next)
		if err != nil {
			return
		}
		// The network in memory does not chain its blocks.
		block.PreviousHash, previous = previous, block.Hash
		if err := g.model.Apply(ctx, block); err != nil && ctx.Err() == nil {
			g.Errorf("block %d at %s: %v", next, g.organisation, err)
		}
		var transient *fabric.Transient
		if err := inflows.Read(ctx, &block); err != nil && ctx.Err() == nil && !errors.As(err, &transient) {
			g.Errorf("inflows of block %d at %s: %v", next, g.organisation, err)
		}
	}
}

func (g *gateway) await(ctx context.Context, number uint64) (readmodel.Block, error) {
	for {
		g.mutex.Lock()
		height, arrived := g.network.Height(), g.arrived
		if number < height {
			defer g.mutex.Unlock()
			return fabric.ReadBlock(g.network.Block(number), peertest.Chaincode, nil)
		}
		g.mutex.Unlock()
		select {
		case <-arrived:
		case <-ctx.Done():
			return readmodel.Block{}, ctx.Err()
		}
	}
}

// Height implements Chain.
func (g *gateway) Height(context.Context) (uint64, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.down {
		return 0, &fabric.Transient{Cause: fabric.Unreachable, Text: "the peer does not answer"}
	}
	return g.network.Height(), nil
}

// SubmitPrivate implements personal.Ledger on the network in memory.
func (g *gateway) SubmitPrivate(_ context.Context, function string, argument []byte, p fabric.Private, sent func(string) error) (fabric.Receipt, error) {
	return g.submit(function, argument, sent, peertest.Transient(p.Transient), peertest.From(p.Members...))
}

// Show implements personal.Ledger.
func (g *gateway) Show(_ context.Context, query dossier.ShowQuery) ([]byte, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	key := bytes.Repeat([]byte{7}, seal.KeyBytes)
	body, err := g.network.Evaluate(g.network.Identity(g.organisation, "gateway"), "Dossier:Show", string(encoded(g.T, query)), peertest.Transient(map[string][]byte{"key": key}), peertest.From(g.organisation))
	if err != nil {
		return nil, translated(err)
	}
	var answer seal.Answer
	if err := canonical.Decode(body, &answer); err != nil {
		return nil, err
	}
	return answer.Open(key, query)
}

// Submit implements lane.Ledger on the network in memory.
func (g *gateway) Submit(_ context.Context, function string, argument []byte, sent func(string) error) (fabric.Receipt, error) {
	return g.submit(function, argument, sent)
}

func (g *gateway) submit(function string, argument []byte, sent func(string) error, options ...peertest.Option) (fabric.Receipt, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.down {
		return fabric.Receipt{}, &fabric.Transient{Cause: fabric.Unreachable, Text: "the coop's peer does not answer; the others are too few to endorse without it"}
	}
	endorsed, err := g.network.Endorse(g.network.Identity(g.organisation, "gateway"), function, string(argument), options...)
	if err != nil {
		return fabric.Receipt{}, translated(err)
	}
	if err := sent(endorsed.Proposal.TransactionID); err != nil {
		return fabric.Receipt{}, err
	}
	results, err := g.network.Commit(endorsed)
	if err != nil {
		return fabric.Receipt{}, err
	}
	g.arrives()
	receipt := fabric.Receipt{Entry: endorsed.Outcome.Response.Payload, TransactionID: results[0].TransactionID, Block: results[0].Block}
	if results[0].Code != peer.TxValidationCode_VALID {
		return receipt, &fabric.CommitFailure{TransactionID: receipt.TransactionID, Block: receipt.Block, Code: results[0].Code.String()}
	}
	return receipt, nil
}

func translated(err error) error {
	var refusal *rule.Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	return err
}

// Status implements lane.Ledger; nothing is ever unknown here.
func (g *gateway) Status(context.Context, string) (fabric.Receipt, error) {
	return fabric.Receipt{}, errors.New("no transaction is under way")
}

// Evaluate implements lane.Ledger.
func (g *gateway) Evaluate(_ context.Context, function string, argument []byte) ([]byte, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	answer, err := g.network.Evaluate(g.network.Identity(g.organisation, "gateway"), function, string(argument))
	return answer, translated(err)
}

// signed wraps a spend with the intents of maker and checker.
func (w *world) signed(command tape.Spend, total string) []byte {
	w.Helper()
	return w.signedAs("spend", command.Account, total, command, "maker", "checker")
}

func (w *world) signedAs(action string, subject tape.AccountID, total string, command any, persons ...tape.ID) []byte {
	w.Helper()
	body := encoded(w.T, command)
	envelope := struct {
		Command json.RawMessage `json:"command"`
		Intents []party.Intent  `json:"intents"`
	}{Command: body}
	for _, person := range persons {
		w.intents++
		statement := party.Statement{Action: action, Subject: string(subject), Amount: total, Command: sha256.Sum256(body),
			Intent: party.IntentID{15: w.intents}, Deadline: tape.Instant(w.network.Clock().UnixMilli()/1000*1000) + tape.Hour}
		intent, err := sign.Intent(w.keys[person], ledgerID, person, statement)
		if err != nil {
			w.Fatal(err)
		}
		envelope.Intents = append(envelope.Intents, intent)
	}
	return encoded(w.T, envelope)
}

// open opens an account through a gateway.
func (g *gateway) open(name string) {
	g.Helper()
	bankAccount := tape.AccountID(custody)
	if g.organisation != "charity" {
		bankAccount = tape.AccountID("outside:bank:" + g.organisation)
	}
	a, err := g.client.Submit(g.Context(), "Tape:Open", encoded(g.T, tape.Open{Account: tape.AccountID(name), Attribution: tape.FIFO, Currency: "CNY", Custodian: bankAccount, ID: tape.ID("open-" + fmt.Sprint(len(name)))}))
	if err != nil || !a.Done() {
		g.Fatalf("opening %s: %+v, %v", name, a, err)
	}
	if err := g.client.Get(g.Context(), "/api/v1/accounts/"+name, a.Position, new(readmodel.Account)); err != nil {
		g.Fatal(err)
	}
}

// request sends anything and returns status, header and body.
func (g *gateway) request(method, path, body string, header map[string]string) (int, http.Header, string) {
	g.Helper()
	message, err := http.NewRequestWithContext(g.Context(), method, g.url+path, strings.NewReader(body))
	if err != nil {
		g.Fatal(err)
	}
	if method == http.MethodPost {
		message.Header.Set("Content-Type", "application/json")
		message.Header.Set("Authorization", "Bearer "+secret)
	}
	for name, value := range header {
		message.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(message)
	if err != nil {
		g.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		g.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(data)
}
