package contract_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/hyperledger/fabric-chaincode-go/v2/shim"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/contract"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

var ledgerID = party.LedgerID{1, 2, 3}

// world is the default network in memory, founded and joined, with a maker and
// a checker in each organisation.
type world struct {
	testing.TB
	*peertest.Network
	keys    map[tape.ID]*ecdsa.PrivateKey
	intents uint32
	last    signature
	// forged is how many transactions on the ledger no contract wrote.
	forged int
	// unreal says that there are transactions with ids that no peer accepts.
	unreal bool
}

var organisations = []string{"charity", "coop", "bank", "insurer", "regulator"}

func newWorld(t testing.TB) *world {
	build := func() shim.Chaincode {
		chaincode, err := contract.New()
		if err != nil {
			t.Fatal(err)
		}
		return chaincode
	}
	w := &world{TB: t, Network: peertest.New(t, build, organisations...), keys: map[tape.ID]*ecdsa.PrivateKey{}}
	if test, is := t.(*testing.T); is {
		t.Cleanup(func() { w.isRead(test) })
	}
	charter := party.Charter{Ledger: ledgerID, Quorum: 3, Rules: 1, Zone: "+08:00", Policy: party.DefaultPolicy(
		party.Threshold{Amount: money.New(100_000_00, "CNY"), Organisations: 2}, party.Threshold{Amount: money.New(1e12, "VND"), Organisations: 2})}
	charter.Policy.Persons.KeyWaitingHours = 0
	for _, name := range organisations {
		charter.Organisations = append(charter.Organisations, party.Member{MSP: name, Name: name})
	}
	charter.Powers = []party.Grant{{Organisation: "bank", Power: party.Custodian}, {Organisation: "bank", Power: party.Lender}, {Organisation: "charity", Power: party.Charity},
		{Organisation: "coop", Power: party.Cooperative}, {Organisation: "insurer", Power: party.Insurer}, {Organisation: "regulator", Power: party.Regulator}}
	hash, err := charter.Hash()
	if err != nil {
		t.Fatal(err)
	}
	w.must("regulator:admin", "Party:Found", party.FoundCommand{Charter: charter, ID: "found"})
	for _, name := range organisations {
		w.must(name+":admin", "Party:Join", party.JoinCommand{Charter: hash, ID: "join"})
	}
	for i, name := range organisations {
		other := organisations[(i+1)%len(organisations)]
		w.register(tape.ID(name+"-maker"), name, other)
		w.register(tape.ID(name+"-checker"), name, other)
	}
	return w
}

// isRead: what the contracts wrote in a test, a gateway's read model reads, and
// no unit is lost in it.
func (w *world) isRead(t *testing.T) {
	if t.Failed() || w.unreal {
		return
	}
	model, err := readmodel.Open(context.Background(), filepath.Join(t.TempDir(), "readmodel.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	var blocks []readmodel.Block
	var previous []byte
	for number := range w.Height() {
		block, err := fabric.ReadBlock(w.Block(number), peertest.Chaincode, nil)
		if err != nil {
			t.Fatal(err)
		}
		block.PreviousHash, previous = previous, block.Hash
		blocks = append(blocks, block)
	}
	if err := model.Apply(context.Background(), blocks...); err != nil {
		t.Fatalf("the read model stops: %v", err)
	}
	conserved, err := model.Conservation(context.Background())
	if err != nil || len(conserved.Faults) != w.forged {
		t.Errorf("money is not conserved in the read model: %v, %v", conserved.Faults, err)
	}
}

// register brings one of the staff of one organisation by the gateway of another.
func (w *world) register(person tape.ID, organisation, registrar string) {
	w.enlist(person, party.DutyStaff, organisation, registrar)
}

// enlist brings a person with a duty.
func (w *world) enlist(person tape.ID, duty party.Duty, organisation, registrar string) {
	key := w.key(person)
	proof, err := sign.Possession(key, ledgerID, party.Possession{Person: person, Custody: party.Own, Duty: duty, Organisation: organisation, Registrar: registrar})
	if err != nil {
		w.Fatal(err)
	}
	w.must(registrar, "Party:Register", party.RegisterCommand{Address: sign.Address(key), Custody: party.Own, Duty: duty, ID: "register-" + person,
		Organisation: organisation, Person: person, Proof: proof})
	w.must(organisation, "Party:Witness", party.WitnessCommand{Address: sign.Address(key), Duty: duty, ID: "witness-" + person, Person: person})
}

// key makes a person's key.
func (w *world) key(person tape.ID) *ecdsa.PrivateKey {
	seed := sha256.Sum256([]byte(person))
	key, err := crypto.ToECDSA(seed[:])
	if err != nil {
		w.Fatal(err)
	}
	w.keys[person] = key
	return key
}

// identity reads "organisation" (its gateway) or "organisation:role".
func (w *world) identity(as string) peertest.Identity {
	organisation, role, found := strings.Cut(as, ":")
	if !found {
		role = "gateway"
	}
	return w.Identity(organisation, role)
}

func encode(t testing.TB, command any) string {
	if text, isText := command.(string); isText {
		return text
	}
	if own, can := command.(interface{ Encode() ([]byte, error) }); can {
		argument, err := own.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return string(argument)
	}
	argument, err := canonical.Encode(command)
	if err != nil {
		t.Fatal(err)
	}
	return string(argument)
}

// do invokes and returns the entry, or the refusal.
func (w *world) do(as, function string, command any) (tape.Entry, error) {
	w.Helper()
	craft.try(w, as, function, encode(w, command))
	result, err := w.Invoke(w.identity(as), function, encode(w, command))
	if err != nil {
		return tape.Entry{}, err
	}
	var entry tape.Entry
	if err := json.Unmarshal(result.Response.Payload, &entry); err != nil {
		w.Fatalf("%s replied %q", function, result.Response.Payload)
	}
	return entry, nil
}

func (w *world) must(as, function string, command any) tape.Entry {
	w.Helper()
	entry, err := w.do(as, function, command)
	if err != nil {
		w.Fatalf("%s by %s: %v", function, as, err)
	}
	judged.note(function, as)
	return entry
}

// refused expects a refusal that contains a text, and nothing written.
func (w *world) refused(want, as, function string, command any) {
	w.Helper()
	before := w.State().Digest()
	_, err := w.do(as, function, command)
	var refusal *rule.Refusal
	if !errors.As(err, &refusal) || !strings.Contains(refusal.Error(), want) {
		w.Errorf("%s by %s:\n got %v\nwant %s", function, as, err, want)
	}
	if refusal != nil && refusal.Code == rule.Forbidden {
		judged.note(function, as)
	}
	if w.State().Digest() != before {
		w.Errorf("%s by %s was refused and wrote", function, as)
	}
}

// signed wraps a command in the intents of persons.
func (w *world) signed(action string, subject tape.AccountID, amount money.Amount, command any, persons ...tape.ID) string {
	body := encode(w, command)
	w.last = signature{action, subject, amount, persons}
	envelope := struct {
		Command json.RawMessage `json:"command"`
		Intents []party.Intent  `json:"intents"`
	}{json.RawMessage(body), []party.Intent{}}
	sum := ""
	if amount.Currency != "" { // what an organisation says of itself has no amount
		sum = amount.String()
	}
	for _, person := range persons {
		w.intents++
		statement := party.Statement{Action: action, Subject: string(subject), Amount: sum, Command: sha256.Sum256([]byte(body)),
			Intent: party.IntentID(binary.BigEndian.AppendUint32(make([]byte, 12), w.intents)), Deadline: tape.Instant(w.Clock().UnixMilli()/1000*1000) + tape.Hour}
		intent, err := sign.Intent(w.keys[person], ledgerID, person, statement)
		if err != nil {
			w.Fatal(err)
		}
		envelope.Intents = append(envelope.Intents, intent)
	}
	return encode(w, envelope)
}

// record reads one record of the state.
func record[R any](w *world, key string) R {
	w.Helper()
	value, found := w.State().Get(key)
	if !found {
		w.Fatalf("there is no record %s", key)
	}
	var into R
	if err := json.Unmarshal(value.Data, &into); err != nil {
		w.Fatal(err)
	}
	if l, is := any(&into).(*loan.Loan); is {
		if _, paid := w.State().Get(loan.ProgressKey(key)); paid {
			progress := record[loan.Progress](w, loan.ProgressKey(key))
			*l = l.With(&progress)
		}
	}
	return into
}

// Made-up gifts and the bank lines that belong to them.

func reference(i int) string {
	digest := sha256.Sum256([]byte(fmt.Sprint("reference", i)))
	return base64.RawURLEncoding.EncodeToString(digest[:16])
}

func donor(i int) string {
	digest := sha256.Sum256([]byte(fmt.Sprint("donor", i)))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}

func gift(i int, units int64) tape.Gift {
	return tape.Gift{ID: tape.ID(fmt.Sprint("gift-", i)), Amount: money.New(units, "CNY"), Donor: donor(i), Reference: reference(i)}
}

func line(i int, units int64) tape.Line {
	return tape.Line{Number: int32(i), Date: "2026-01-01", Amount: money.New(units, "CNY"), Reference: reference(i)}
}

func page(account tape.AccountID, id tape.ID, gifts ...tape.Gift) tape.Receive {
	c := tape.Receive{Account: account, ID: id, Count: int32(len(gifts)), Total: money.New(0, "CNY"), Gifts: gifts}
	for _, gift := range gifts {
		c.Total.Units += gift.Amount.Units
	}
	return c
}

const bankAccount = tape.AccountID("outside:bank:sunrise")

// side is one page of a statement in a test.
type side struct {
	side  tape.Side
	lines []tape.Line
}

// statement makes a statement that follows on an earlier one.
func statement(t testing.TB, id, previous tape.ID, opening int64, pages ...side) (tape.FileStatement, []tape.FileLines) {
	return statementOf(t, bankAccount, id, previous, opening, pages...)
}

// statementOf makes one of any bank account.
func statementOf(t testing.TB, account tape.AccountID, id, previous tape.ID, opening int64, pages ...side) (tape.FileStatement, []tape.FileLines) {
	c := tape.FileStatement{Account: account, ID: id, Previous: previous, From: "2026-01-01", To: "2026-01-01", Opening: money.New(opening, "CNY")}
	balance := opening
	var bodies []tape.FileLines
	for n, p := range pages {
		head, _, err := tape.LinesBody(p.side, p.lines)
		if err != nil {
			t.Fatal(err)
		}
		if balance += head.Total.Units; p.side == tape.DebitSide {
			balance -= 2 * head.Total.Units
		}
		c.Count += head.Count
		c.Pages = append(c.Pages, head)
		bodies = append(bodies, tape.FileLines{Account: account, ID: tape.ID(fmt.Sprintf("%s-%d", id, n)), Lines: p.lines, N: int32(n), Statement: id})
	}
	c.Closing = money.New(balance, "CNY")
	return c, bodies
}

// file files a statement with all its pages.
func (w *world) file(id, previous tape.ID, opening int64, pages ...side) tape.FileStatement {
	w.Helper()
	return w.fileOf(bankAccount, id, previous, opening, pages...)
}

// fileOf files one of any bank account.
func (w *world) fileOf(account tape.AccountID, id, previous tape.ID, opening int64, pages ...side) tape.FileStatement {
	w.Helper()
	head, bodies := statementOf(w, account, id, previous, opening, pages...)
	w.must("bank", "Tape:FileStatement", head)
	for _, body := range bodies {
		w.must("bank", "Tape:FileLines", body)
	}
	return head
}

func open(account tape.AccountID) tape.Open {
	return tape.Open{Account: account, Attribution: tape.FIFO, Currency: "CNY", Custodian: bankAccount, ID: tape.ID("open-" + strings.ReplaceAll(string(account), ":", "-"))}
}

func decodeJSON[R any](t testing.TB, data []byte) R {
	t.Helper()
	var into R
	if err := json.Unmarshal(data, &into); err != nil {
		t.Fatal(err)
	}
	return into
}
