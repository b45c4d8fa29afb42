package portal

import (
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
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/hyperledger/fabric-chaincode-go/v2/shim"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/contract"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// The accounts of the test's ledger.
const (
	training tape.AccountID = "charity:sunrise:training"
	travel   tape.AccountID = "charity:river:travel"
	shared   tape.AccountID = "charity:sunrise:shared"
	bank     tape.AccountID = "outside:bank:sunrise"
	child    tape.AccountID = "outside:payee:child-1"
)

// ledger is the real contracts in memory, and a read model that has read them.
type ledger struct {
	*testing.T
	network *peertest.Network
	model   *readmodel.Model
	intents byte
	read    uint64
	last    []byte
	down    bool
}

func newLedger(t *testing.T) *ledger {
	t.Helper()
	build := func() shim.Chaincode {
		chaincode, err := contract.New()
		if err != nil {
			t.Fatal(err)
		}
		return chaincode
	}
	model, err := readmodel.Open(t.Context(), filepath.Join(t.TempDir(), "readmodel.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := model.Close(); err != nil {
			t.Error(err)
		}
	})
	return &ledger{T: t, network: peertest.New(t, build, "charity", "bank", "coop"), model: model}
}

// follow reads the blocks that have come.
func (l *ledger) follow() {
	l.Helper()
	for ; l.read < l.network.Height(); l.read++ {
		block, err := fabric.ReadBlock(l.network.Block(l.read), peertest.Chaincode, nil)
		if err != nil {
			l.Fatal(err)
		}
		block.PreviousHash, l.last = l.last, block.Hash // the network in memory does not chain its blocks
		if err := l.model.Apply(l.Context(), block); err != nil {
			l.Fatal(err)
		}
	}
}

func (l *ledger) encode(command any) []byte {
	l.Helper()
	if own, can := command.(interface{ Encode() ([]byte, error) }); can {
		encoded, err := own.Encode()
		return made(l, encoded, err)
	}
	encoded, err := canonical.Encode(command)
	return made(l, encoded, err)
}

func made[T any](l *ledger, value T, err error) T {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
	return value
}

func (l *ledger) as(organisation, role, function string, command any) {
	l.Helper()
	l.network.Advance(time.Second)
	if _, err := l.network.Invoke(l.network.Identity(organisation, role), function, string(l.encode(command))); err != nil {
		l.Fatalf("%s: %v", function, err)
	}
}

func (l *ledger) charity(function string, command any) {
	l.Helper()
	l.as("charity", "gateway", function, command)
}

func (l *ledger) bank(function string, command any) {
	l.Helper()
	l.as("bank", "gateway", function, command)
}

func (l *ledger) key(person tape.ID) *ecdsa.PrivateKey {
	seed := sha256.Sum256([]byte(person))
	key, err := crypto.ToECDSA(seed[:])
	return made(l, key, err)
}

func (l *ledger) found() {
	l.Helper()
	charter := party.Charter{Ledger: party.LedgerID{9}, Quorum: 2, Rules: 1, Zone: "+08:00", Policy: party.DefaultPolicy(party.Threshold{Amount: yuan(100_000_000), Organisations: 2}),
		Powers: []party.Grant{{Organisation: "bank", Power: party.Custodian}, {Organisation: "charity", Power: party.Charity}, {Organisation: "coop", Power: party.Regulator},
			{Organisation: "coop", Power: party.Cooperative}, {Organisation: "bank", Power: party.Lender}}}
	charter.Policy.Persons.KeyWaitingHours = 0
	for _, name := range []string{"charity", "bank", "coop"} {
		charter.Organisations = append(charter.Organisations, party.Member{MSP: name, Name: name})
	}
	l.as("bank", "admin", "Party:Found", party.FoundCommand{Charter: charter, ID: "found"})
	hash, err := charter.Hash()
	made(l, hash, err)
	for _, name := range []string{"charity", "bank", "coop"} {
		l.as(name, "admin", "Party:Join", party.JoinCommand{Charter: hash, ID: "join"})
	}
	l.registers("maker", party.Own, party.DutyStaff)
	l.registers("checker", party.GatewayHeld, party.DutyStaff)
	l.registers("giver", party.Own, party.DutyMember)
}

// registers brings a person of the charity.
func (l *ledger) registers(person tape.ID, custody party.Custody, duty party.Duty) {
	l.Helper()
	l.registersAt("charity", "bank", person, custody, duty)
}

func (l *ledger) registersAt(organisation, registrar string, person tape.ID, custody party.Custody, duty party.Duty) {
	l.Helper()
	proof, err := sign.Possession(l.key(person), party.LedgerID{9}, party.Possession{Person: person, Custody: custody, Duty: duty, Organisation: organisation, Registrar: registrar})
	made(l, proof, err)
	l.as(registrar, "gateway", "Party:Register", party.RegisterCommand{Address: sign.Address(l.key(person)), Custody: custody, Duty: duty, ID: "register-" + person, Organisation: organisation, Person: person, Proof: proof})
	l.as(organisation, "gateway", "Party:Witness", party.WitnessCommand{Address: sign.Address(l.key(person)), Duty: duty, ID: "witness-" + person, Person: person})
}

// decided gives a command that maker and checker have signed.
func (l *ledger) decided(action, function string, account tape.AccountID, units int64, command any) {
	l.Helper()
	plain := l.encode(command)
	envelope := struct {
		Command json.RawMessage `json:"command"`
		Intents []party.Intent  `json:"intents"`
	}{Command: plain}
	for _, person := range []tape.ID{"maker", "checker"} {
		l.intents++
		statement := party.Statement{Action: action, Subject: string(account), Amount: yuan(units).String(), Command: sha256.Sum256(plain),
			Intent: party.IntentID{15: l.intents}, Deadline: tape.Instant(l.network.Clock().Add(time.Hour).Truncate(time.Second).UnixMilli())}
		intent, err := sign.Intent(l.key(person), party.LedgerID{9}, person, statement)
		envelope.Intents = append(envelope.Intents, made(l, intent, err))
	}
	l.charity(function, envelope)
}

func yuan(units int64) money.Amount { return money.New(units, "CNY") }

func reference(i int) string { return fmt.Sprintf("%021dA", i) }

// gifts and lines share references, so that the one is evidence for the other.
func giftsOf(first int, units ...int64) (gifts []tape.Gift, lines []tape.Line) {
	for i, u := range units {
		gifts = append(gifts, tape.Gift{ID: tape.ID(fmt.Sprintf("GIFT-%d", first+i)), Amount: yuan(u), Reference: reference(first + i)})
		lines = append(lines, tape.Line{Number: int32(first + i), Date: "2026-01-02", Amount: yuan(u), Reference: reference(first + i)})
	}
	return gifts, lines
}

// What the bank has shown: three gifts, four debits, one return.
var (
	given, credits = giftsOf(1, 10_000, 20_000, 5_000)
	_, debits      = giftsOf(4, 2_600, 2_000, 5_000, 6_200)
	_, returns     = giftsOf(8, 2_000)
)

func (l *ledger) evidence() {
	l.Helper()
	file := tape.FileStatement{Account: bank, ID: "january", From: "2026-01-01", To: "2026-01-31", Opening: yuan(0), Closing: yuan(35_000 - 15_800 + 2_000)}
	pages := [][]tape.Line{credits, debits, returns}
	for i, lines := range pages {
		side := tape.CreditSide
		if i == 1 {
			side = tape.DebitSide
		}
		page, _, err := tape.LinesBody(side, lines)
		file.Pages = append(file.Pages, made(l, page, err))
		file.Count += page.Count
	}
	l.bank("Tape:FileStatement", file)
	for n, lines := range pages {
		l.bank("Tape:FileLines", tape.FileLines{Account: bank, ID: tape.ID(fmt.Sprintf("lines-%d", n)), Lines: lines, N: int32(n), Statement: "january"})
	}
}

func (l *ledger) line(n int32, lines []tape.Line, index int) *tape.LineProof {
	proof, err := tape.NewLineProof("january", n, lines, index)
	made(l, proof, err)
	return &proof
}

// live brings the ledger to where one gift is in four places, one was given
// back, one waits, and one payout came back.
func (l *ledger) live() {
	l.Helper()
	l.found()
	for account, attribution := range map[tape.AccountID]tape.Attribution{training: tape.FIFO, travel: tape.FIFO, shared: tape.Pooled} {
		name := sha256.Sum256([]byte(account))
		l.charity("Tape:Open", tape.Open{Account: account, Attribution: attribution, Currency: "CNY", Custodian: bank, ID: tape.ID(fmt.Sprintf("open-%x", name[:4]))})
	}
	l.evidence()
	l.charity("Tape:Receive", tape.Receive{Account: training, ID: "page-1", Count: 3, Total: yuan(35_000), Gifts: given})
	late, _ := giftsOf(50, 700)
	l.charity("Tape:Receive", tape.Receive{Account: training, ID: "page-2", Count: 1, Total: yuan(700), Gifts: late})
	l.charity("Tape:Settle", tape.Settle{Account: training, ID: "settle-1", Items: []tape.SettleItem{{Source: "page-1", Lines: &tape.LinesRef{N: 0, Statement: "january"}}}})
	l.decided("spend", "Tape:Spend", training, 7_200, tape.Spend{Account: training, ID: "spend-1", Payments: []tape.Payment{
		{Amount: yuan(6_200), Line: "l1", To: travel}, {Amount: yuan(1_000), Line: "l2", To: shared}}})
	l.charity("Tape:Settle", tape.Settle{Account: travel, ID: "settle-2", Items: []tape.SettleItem{{Source: "charity/spend-1/0"}}})
	l.charity("Tape:Settle", tape.Settle{Account: shared, ID: "settle-3", Items: []tape.SettleItem{{Source: "charity/spend-1/1"}}})
	expires := tape.Instant(l.network.Clock().Add(48 * time.Hour).UnixMilli())
	l.decided("hold", "Tape:Hold", training, 5_800, tape.OrderHolds{Account: training, Expires: expires, ID: "order-1", Holds: []tape.HoldOrder{
		{Amount: yuan(1_200), Hold: "pay-1", To: child}, {Amount: yuan(2_600), Hold: "pay-2", To: child}, {Amount: yuan(2_000), Hold: "pay-3", To: "outside:payee:child-2"}}})
	l.decided("hold", "Tape:Hold", travel, 6_200, tape.OrderHolds{Account: travel, Expires: expires, ID: "order-2", Holds: []tape.HoldOrder{{Amount: yuan(6_200), Hold: "pay-4", To: child}}})
	proof, err := tape.NewGiftProof("page-1", given, 2)
	l.decided("refund", "Tape:Refund", training, 5_000, tape.Refund{Account: training, Expires: expires, Gift: made(l, proof, err), ID: "refund-1", To: "outside:giver-3"})
	for i, c := range []tape.Capture{{Account: training, Amount: yuan(2_600), Hold: "pay-2"}, {Account: training, Amount: yuan(2_000), Hold: "pay-3"},
		{Account: training, Amount: yuan(5_000), Hold: "refund-1"}, {Account: travel, Amount: yuan(6_200), Hold: "pay-4"}} {
		c.ID, c.Line = "capture-"+c.Hold, l.line(1, debits, i)
		l.bank("Tape:Capture", c)
	}
	l.bank("Tape:Return", tape.Return{Account: training, Amount: yuan(2_000), Hold: "pay-3", ID: "return-1", Line: *l.line(2, returns, 0)})
	l.clash()
	l.follow()
}

// clash brings two settlements of one account into one block: the second does not count.
func (l *ledger) clash() {
	l.Helper()
	var batch []*peertest.Endorsed
	for i, page := range []tape.ID{"page-3", "page-4"} {
		gifts, _ := giftsOf(60+i, 100)
		l.charity("Tape:Receive", tape.Receive{Account: travel, ID: page, Count: 1, Total: yuan(100), Gifts: gifts})
	}
	for _, page := range []string{"page-3", "page-4"} {
		l.network.Advance(time.Second)
		settle := tape.Settle{Account: travel, ID: tape.ID("settle-" + page), Items: []tape.SettleItem{{Source: page, SelfDeclared: true}}}
		endorsed, err := l.network.Endorse(l.network.Identity("charity", "gateway"), "Tape:Settle", string(l.encode(settle)))
		batch = append(batch, made(l, endorsed, err))
	}
	results, err := l.network.Commit(batch...)
	if made(l, results, err); results[1].Valid() {
		l.Fatal("both settlements of one head count")
	}
}

// height is that of the peer in memory.
func (l *ledger) height(context.Context) (uint64, error) {
	if l.down {
		return 0, errors.New("the peer does not answer")
	}
	return l.network.Height(), nil
}

// open opens a portal on the ledger.
func (l *ledger) open(campaigns Campaigns) http.Handler {
	return New(Parts{Organisation: "charity", Model: l.model, Height: l.height, Campaigns: campaigns, Neighbours: []views.Neighbour{{Organisation: "bank", URL: "http://bank.example"}},
		Today: func() tape.Date { return "2026-03-10" }, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
}

func get(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	answer := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodGet, "http://ledger.example/", nil)
	parsed, err := request.URL.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	request.URL, request.RequestURI = parsed, path
	h.ServeHTTP(answer, request)
	return answer
}
