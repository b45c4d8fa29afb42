package importing

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/contract"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/giving"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/statement"
)

// world is a ledger in memory that runs the real contracts, and a gateway of
// the charity and of the bank that can fail at every command.
type world struct {
	testing.TB
	mutex   sync.Mutex
	network *peertest.Network
	folder  string
	// bodies are the lines that were filed; state holds only their roots.
	bodies map[string][]tape.Line
	// sent counts commands over all runs; fault decides what happens to one.
	sent  int
	fault func(sent int) fault
	dead  bool
	log   []string
	// giving is the charity's store of announcements, asked counts the questions to it.
	giving *giving.Store
	asked  int
}

// fault is what goes wrong with one command.
type fault int

const (
	none fault = iota
	// killedBefore: the import dies before the command leaves; killedAfter: when
	// the ledger holds it and nobody has heard so.
	killedBefore
	killedAfter
	// doubled: the gateway sends it twice.
	doubled
)

var errKilled = errors.New("killed")

func newWorld(t testing.TB) *world {
	build := func() shim.Chaincode {
		chaincode, err := contract.New()
		if err != nil {
			t.Fatal(err)
		}
		return chaincode
	}
	names := []string{"charity", "bank", "regulator"}
	w := &world{TB: t, network: peertest.New(t, build, names...), folder: t.TempDir(), bodies: map[string][]tape.Line{}}
	charter := party.Charter{Ledger: party.LedgerID{7}, Quorum: 2, Rules: 1, Zone: "+08:00", Policy: party.DefaultPolicy(party.Threshold{Amount: money.New(1e12, "VND"), Organisations: 2}),
		Powers: []party.Grant{{Organisation: "charity", Power: party.Charity}, {Organisation: "bank", Power: party.Custodian}}}
	for _, name := range names {
		charter.Organisations = append(charter.Organisations, party.Member{MSP: name, Name: name})
	}
	w.must("charity", "admin", "Party:Found", party.FoundCommand{Charter: charter, ID: "found"})
	var err error
	if w.giving, err = giving.Open(giving.Settings{Folder: filepath.Join(w.folder, "giving"), Key: filepath.Join(w.folder, "giving.key")}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.giving.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) must(organisation, role, function string, command any) {
	w.Helper()
	argument, err := canonical.Encode(command)
	if err != nil {
		w.Fatal(err)
	}
	if _, err := w.network.Invoke(w.network.Identity(organisation, role), function, string(argument)); err != nil {
		w.Fatal(err)
	}
}

func (w *world) side(organisation string) Side {
	return Side{Organisation: organisation, Gateway: &gateway{w, organisation}, Folder: filepath.Join(w.folder, organisation)}
}

// order is an import in small pages, so that a few lines make several.
func (w *world) order(file string) Order {
	return Order{File: file, Charity: w.side("charity"), Bank: w.side("bank"), PagesInFlight: 3, pageLines: 10, settlePages: 2}
}

func (w *world) run(o Order) (Result, error) {
	w.dead = false
	return Import(context.Background(), o)
}

// file writes a statement.
func (w *world) file(name, text string) string {
	path := filepath.Join(w.folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
	return path
}

// sample is an invented statement; edit may change its text.
func (w *world) sample(name string, lines int, edit func(string) string) string {
	var text bytes.Buffer
	if err := statement.Sample(&text, lines, 3); err != nil {
		w.Fatal(err)
	}
	if edit == nil {
		return w.file(name, text.String())
	}
	return w.file(name, edit(text.String()))
}

// read returns a record of the ledger; false when it is not there.
func (w *world) read(key string, into any) bool {
	value, found := w.network.State().Get(key)
	if !found {
		return false
	}
	if err := json.Unmarshal(value.Data, into); err != nil {
		w.Fatal(err)
	}
	return true
}

// gateway is the double of one organisation's gateway.
type gateway struct {
	*world
	organisation string
}

func (g *gateway) Send(_ context.Context, function string, argument []byte) (uint64, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.dead {
		return 0, errKilled
	}
	g.sent++
	what := none
	if g.fault != nil {
		what = g.fault(g.sent)
	}
	if what == killedBefore {
		g.dead = true
		return 0, errKilled
	}
	g.log = append(g.log, function)
	block, err := g.invoke(function, argument)
	if what == doubled && err == nil {
		block, err = g.invoke(function, argument)
	}
	if what == killedAfter {
		g.dead = true
		return 0, errKilled
	}
	return block, err
}

func (g *gateway) invoke(function string, argument []byte) (uint64, error) {
	result, err := g.network.Invoke(g.network.Identity(g.organisation, "gateway"), function, string(argument))
	if err != nil {
		var refusal *rule.Refusal
		if errors.As(err, &refusal) {
			return 0, refusal
		}
		return 0, err
	}
	if function == "Tape:FileLines" {
		c, err := tape.DecodeFileLines(argument)
		if err != nil {
			g.Fatal(err)
		}
		g.bodies[tape.LinesKey(c.Account, c.Statement, c.N)] = c.Lines
	}
	return result.Block, nil
}

func (g *gateway) Account(_ context.Context, id tape.AccountID) (tape.Account, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	var account tape.Account
	if !g.read(tape.AccountKey(id), &account) {
		return account, rule.Refuse(rule.NotFound, "account %s does not exist", id)
	}
	return account, nil
}

func (g *gateway) Statements(_ context.Context, account tape.AccountID, _ uint64) ([]Filed, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	var last tape.Statements
	var all []Filed
	if !g.read(tape.StatementsKey(account), &last) {
		return nil, nil
	}
	for id := last.Last; id != ""; {
		var s tape.Statement
		if !g.read(tape.StatementKey(account, id), &s) {
			g.Fatalf("statement %s is missing", id)
		}
		filed := Filed{ID: s.ID, Closing: s.Closing, Pages: len(s.Pages)}
		for n := range s.Pages {
			if g.bodies[tape.LinesKey(account, id, int32(n))] != nil {
				filed.Filed++
			}
		}
		all, id = append(all, filed), s.Previous
	}
	return all, nil
}

func (g *gateway) Lines(_ context.Context, account tape.AccountID, id tape.ID, n int32) ([]tape.Line, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.bodies[tape.LinesKey(account, id, n)], nil
}

func (g *gateway) Pages(_ context.Context, account tape.AccountID, _ uint64) ([]Page, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	var all []Page
	prefix := tape.PageKey(account, "")
	for key, value := range g.network.State().Between(prefix, prefix+"~") {
		var p Page
		if err := json.Unmarshal(value.Data, &p.Page); err != nil {
			g.Fatal(err)
		}
		var settled tape.Settled
		p.Settled = g.read(tape.SettledKey(account, strings.TrimPrefix(key, prefix)), &settled)
		if p.Withdrawn = settled.Withdrawn != ""; p.Withdrawn {
			p.Settled = false
		}
		all = append(all, p)
	}
	return all, nil
}

// Payouts looks references up as the read model does.
func (g *gateway) Payouts(_ context.Context, references []donation.PayoutReference, _ uint64) ([]readmodel.Referenced, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.dead {
		return nil, errKilled
	}
	named := map[donation.PayoutReference][]readmodel.Payout{}
	for _, value := range g.network.State().Between("hold/", "hold/~") {
		var p readmodel.Payout
		if err := json.Unmarshal(value.Data, &p.Hold.Hold); err != nil {
			g.Fatal(err)
		}
		p.Reference = donation.ReferenceOfPayout(p.Account, p.ID)
		named[p.Reference] = append(named[p.Reference], p)
		if parts := strings.Split(string(p.ID), "."); len(parts) == 3 {
			n, _ := strconv.Atoi(parts[1])
			p.Job = tape.ID(parts[0])
			file := donation.ReferenceOfFile(p.Account, p.Job, int32(n))
			named[file] = append(named[file], p)
		}
	}
	found := make([]readmodel.Referenced, len(references))
	for i, reference := range references {
		found[i] = readmodel.Referenced{Reference: reference, Payouts: named[reference]}
	}
	return found, nil
}

// UsedLines reads which lines of a page were used.
func (g *gateway) UsedLines(_ context.Context, account tape.AccountID, statement tape.ID, n int32, _ uint64) (map[int]bool, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	used := map[int]bool{}
	var credits tape.Used
	g.read(tape.UsedKey(account, statement, n), &credits)
	for index := range g.bodies[tape.LinesKey(account, statement, n)] {
		_, debit := g.network.State().Get(tape.DebitKey(account, statement, n, int32(index)))
		if debit || len(credits.Lines.Within(tape.Span{Start: int64(index), End: int64(index) + 1})) > 0 {
			used[index] = true
		}
	}
	return used, nil
}

// received is what stands on an account's tape.
func (w *world) received(account tape.AccountID) money.Amount {
	var a tape.Account
	var h tape.Head
	if !w.read(tape.AccountKey(account), &a) || !w.read(tape.HeadKey(account), &h) {
		w.Fatalf("account %s is not there", account)
	}
	return money.New(h.Received, a.Currency)
}

// Claims asks the store; it can fail as a command can.
func (g *gateway) Claims(_ context.Context, memos []giving.Memo) (claims []giving.Claim, err error) {
	err = g.desk(func() (failed error) {
		g.asked++
		claims, failed = g.giving.Claims(memos)
		return failed
	})
	return claims, err
}

// Take tells the store.
func (g *gateway) Take(_ context.Context, takings []giving.Taking) error {
	return g.desk(func() error { return g.giving.Take(takings) })
}

func (g *gateway) desk(do func() error) error {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.organisation != "charity" {
		g.Errorf("%s was asked who gave", g.organisation)
	}
	if g.dead {
		return errKilled
	}
	g.sent++
	what := none
	if g.fault != nil {
		what = g.fault(g.sent)
	}
	if g.dead = what == killedBefore; g.dead {
		return errKilled
	}
	err := do()
	if what == doubled && err == nil {
		err = do()
	}
	if g.dead = what == killedAfter; g.dead {
		return errKilled
	}
	return err
}

// Processor reports whether a page has its file on the ledger.
func (g *gateway) Processor(_ context.Context, account tape.AccountID, page tape.ID, _ uint64) (bool, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	_, filed := g.network.State().Get(tape.ProcessorKey(account, page))
	return filed, nil
}

// OpenLines looks through the filed credit lines, as the read model does.
func (g *gateway) OpenLines(_ context.Context, account tape.AccountID, amount money.Amount, _ uint64) ([]readmodel.Line, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	var open []readmodel.Line
	prefix := "lines/" + string(account) + "/"
	for key, value := range g.network.State().Between(prefix, prefix+"~") {
		var page tape.Lines
		if err := json.Unmarshal(value.Data, &page); err != nil {
			g.Fatal(err)
		}
		var used tape.Used
		g.read(tape.UsedKey(account, page.Statement, page.N), &used)
		for i, line := range g.bodies[key] {
			if page.Side == tape.CreditSide && line.Amount == amount && len(used.Lines.Within(tape.Span{Start: int64(i), End: int64(i) + 1})) == 0 {
				open = append(open, readmodel.Line{Account: account, Statement: page.Statement, N: page.N, Index: i, Number: line.Number, Date: line.Date, Amount: line.Amount})
			}
		}
	}
	return open, nil
}
