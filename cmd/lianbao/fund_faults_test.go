package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/founding"
	"github.com/lianbao/lianbao/cmd/lianbao/speak"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/export/books"
	"github.com/lianbao/lianbao/gateway/importing"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/statement"
	"github.com/lianbao/lianbao/network"
)

// TestFundTrailFaults lets gateways and the bank fail in the middle of
// campaigns on a real network. After each fault everything must stand to the
// unit: each acknowledged command once, bank and chain and export agreeing, no
// unit missing, and an audit that finds nothing.
func TestFundTrailFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a network")
	}
	r := newRelief(t)
	for _, fault := range []struct {
		name string
		ends func(relief) tape.AccountID
	}{
		{"two gateways at once", relief.twoGateways},
		{"the statement late, twice, in pieces, out of order", relief.oddStatements},
		{"a gateway killed while it pays", relief.killedPaying},
		{"a gateway away while bank and cooperative go on", relief.away},
	} {
		if !t.Run(fault.name, func(t *testing.T) {
			inner := r
			inner.T = t
			inner.agrees(fault.ends(inner))
		}) {
			return // what follows would meet the same fault
		}
	}
}

// relief is a charity with campaigns on a network of its own.
type relief struct {
	*testing.T
	site
	network                    *network.Network
	charter                    party.Charter
	maker, checker, supervisor founding.Signer
	charity, bank, coop, regul *speak.Gateway
	// last is the last block that the bank was told of: its read model may be a moment behind it.
	last *atomic.Uint64
}

func newRelief(t *testing.T) relief {
	t.Helper()
	r := relief{T: t, site: startSite(t), last: new(atomic.Uint64)}
	var err error
	if r.network, err = network.Open(r.site.folder); err != nil {
		t.Fatal(err)
	}
	if r.charter, err = founding.Charter(r.site.folder); err != nil {
		t.Fatal(err)
	}
	if r.maker, r.checker, err = founding.Staff(r.site.folder, "charity"); err != nil {
		t.Fatal(err)
	}
	if r.supervisor, _, err = founding.Staff(r.site.folder, "regulator"); err != nil {
		t.Fatal(err)
	}
	for name, gateway := range map[string]**speak.Gateway{"charity": &r.charity, "bank": &r.bank, "coop": &r.coop, "regulator": &r.regul} {
		if *gateway, err = speaker(r.network, name); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func (r relief) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// voice carries commands: a gateway, or several at once.
type voice interface {
	Send(ctx context.Context, function string, argument []byte) (uint64, error)
}

// record sends a command that nobody signs, and returns its block.
func (r relief) record(through voice, function string, command any) (uint64, error) {
	argument, err := canonical.Encode(command)
	if err != nil {
		return 0, err
	}
	return through.Send(r.Context(), function, argument)
}

func (r relief) signed(through voice, function, action string, account tape.AccountID, amount money.Amount, command any, signers ...founding.Signer) (uint64, error) {
	argument, err := founding.Envelope(r.charter.Ledger, command, founding.Decision{Action: action, Subject: string(account), Amount: amount.String(),
		Deadline: tape.Instant(time.Now().Add(time.Hour).Truncate(time.Second).UnixMilli())}, signers...)
	if err != nil {
		return 0, err
	}
	return through.Send(r.Context(), function, argument)
}

// sees waits until a gateway has read a block.
func (r relief) sees(gateway *speak.Gateway, block uint64) {
	r.Helper()
	var page readmodel.List[readmodel.BlockSummary]
	r.must(gateway.Get(r.Context(), "/blocks", url.Values{"limit": {"1"}}, block, &page))
}

const aid = tape.ID("aid")

// opens opens a campaign with its own bank account.
func (r relief) opens(through voice, name string) tape.AccountID {
	r.Helper()
	account := tape.AccountID("charity:charity:" + name)
	today := tape.Date(time.Now().UTC().Format(time.DateOnly))
	text := fund.Text{En: "Under test (invented)", Zh: "测试（虚构）"}
	plan := fund.Plan{Area: "VN", From: today.AddMonths(-4), To: today.AddMonths(6), Goal: dong(2_000_000_000), Leftover: "charity:charity:other", Regulator: "regulator",
		Sector: "72010", Title: text, Purpose: text, Beneficiaries: text, Lines: []fund.BudgetLine{{Amount: dong(2_000_000_000), ID: aid, Kind: fund.Programme, Title: text}}}
	open := fund.OpenCampaign{Account: account, Basis: fund.Filing, Custodian: tape.AccountID("outside:bank:" + name), ID: tape.ID("open-" + name), Plan: plan}
	block, err := r.signed(through, "Fund:OpenCampaign", "open-campaign", account, dong(0), open, r.maker, r.checker)
	r.must(err)
	r.sees(r.regul, block)
	block, err = r.signed(r.regul, "Fund:AcceptFiling", "accept-filing", account, dong(0),
		fund.AcceptFiling{Account: account, ID: "filing-" + tape.ID(name), Number: "invented-" + name, Plan: "charity/" + string(open.ID)}, r.supervisor)
	r.must(err)
	r.sees(r.charity, block)
	return account
}

func dong(units int64) money.Amount { return money.New(units, "VND") }

// statementFile writes credits and debits of a day in the standard headers.
func (r relief) statementFile(name, day string, credits, debits []int64) string {
	r.Helper()
	var text strings.Builder
	text.WriteString("line,booking_date,booking_time,bank_reference,debit,credit,currency,payer_pseudonym\n")
	number := 0
	row := func(debit, credit int64) {
		number++
		fmt.Fprintf(&text, "%d,%s,,Rfake-%s-%d,%d,%d,VND,fake%012x\n", number, day, name, number, debit, credit, number)
	}
	for _, units := range credits {
		row(0, units)
	}
	for _, units := range debits {
		row(units, 0)
	}
	path := filepath.Join(r.TempDir(), name+".csv")
	r.must(os.WriteFile(path, []byte(text.String()), 0o600))
	return path
}

// gifts are sums that differ, so that one in the place of another is seen.
func gifts(count int) (units []int64, total int64) {
	for i := range count {
		units = append(units, int64(100_000+i*7))
		total += units[i]
	}
	return units, total
}

// take imports a statement file; carriers stand for the two gateways.
func (r relief) take(account tape.AccountID, file string, balances statement.Balances, charity, bank importing.Gateway) (importing.Result, error) {
	side := func(name string, gateway importing.Gateway) importing.Side {
		return importing.Side{Organisation: name, Gateway: gateway, Folder: filepath.Join(r.site.folder, "organisations", name, "importing")}
	}
	return importing.Import(r.Context(), importing.Order{File: file, Account: account, Mapping: statement.Mapping{V: 1, Balances: balances},
		Charity: side("charity", charity), Bank: side("bank", bank)})
}

// disbursement is one that waits for its order.
type disbursement struct {
	account tape.AccountID
	id      tape.ID
	amount  money.Amount
	chunks  []tape.RunChunk
}

// enrols puts households on the list of a campaign.
func (r relief) enrols(through voice, account tape.AccountID, first, count int, person func(i int) tape.ID) {
	r.Helper()
	command := fund.Enrol{Account: account, ID: tape.ID(fmt.Sprintf("enrol-%s-%d", nameOf(account), first))}
	for i := first; i < first+count; i++ {
		p := fund.NewPayee{Kind: fund.Household, Payee: householdOf(account, i)}
		if person != nil {
			p.Person = person(i)
		}
		command.Payees = append(command.Payees, p)
	}
	_, err := r.signed(through, "Fund:Enrol", "enrol", account, dong(0), command, r.maker)
	r.must(err)
}

func nameOf(account tape.AccountID) string {
	return string(account[strings.LastIndexByte(string(account), ':')+1:])
}

func householdOf(account tape.AccountID, i int) tape.AccountID {
	return tape.AccountID("outside:household:" + tape.PseudonymFrom(fmt.Sprintf("fake-%s-%03d", nameOf(account), i)))
}

// proposes brings a disbursement up to its approval.
func (r relief) proposes(through voice, account tape.AccountID, id tape.ID, first, chunks, size int, each int64) disbursement {
	r.Helper()
	payments := make([][]tape.Payment, chunks)
	for i := range chunks * size {
		payments[i/size] = append(payments[i/size], tape.Payment{Amount: dong(each), Line: tape.ID(fmt.Sprintf("h-%d", i)), To: householdOf(account, first+i)})
	}
	expires := tape.Instant(time.Now().Add(20 * 24 * time.Hour).Truncate(time.Second).UnixMilli())
	job, runs, err := tape.NewJob(account, id, expires, payments)
	r.must(err)
	d := disbursement{account, id, job.Amount, runs}
	_, err = r.signed(through, "Fund:Propose", "propose", account, job.Amount, fund.Propose{Account: account, Amount: job.Amount, Chunks: int32(chunks),
		Count: int32(chunks * size), Expires: expires, ID: id, Line: aid, Root: job.Root}, r.maker)
	r.must(err)
	for _, run := range runs {
		_, err = r.record(through, "Fund:List", fund.List{Account: account, Disbursement: id, ID: tape.ID(fmt.Sprintf("%s-list-%d", id, run.N)), Lines: run.Lines, N: run.N, Path: run.Path})
		r.must(err)
	}
	_, err = r.signed(through, "Fund:Approve", "approve", account, job.Amount, fund.Approve{Account: account, Disbursement: id, ID: id + "-approve"}, r.checker)
	r.must(err)
	return d
}

// orders sets the money apart; suffix tells one attempt from another.
func (r relief) orders(through voice, d disbursement, suffix tape.ID) error {
	_, err := r.record(through, "Fund:Order", fund.Order{Account: d.account, Approvers: []tape.ID{r.checker.Person}, Disbursement: d.id, ID: d.id + "-order" + suffix})
	return err
}

// paysChunk pays one chunk.
func (r relief) paysChunk(through voice, d disbursement, n int) error {
	run := d.chunks[n]
	_, err := r.record(through, "Fund:Pay", fund.Pay{Account: d.account, Disbursement: d.id, ID: tape.ID(fmt.Sprintf("%s-pay-%d", d.id, n)), Lines: run.Lines, N: run.N, Path: run.Path})
	return err
}

// pays pays every chunk side by side, and closes.
func (r relief) pays(through voice, d disbursement) error {
	work, _ := errgroup.WithContext(r.Context())
	for n := range d.chunks {
		work.Go(func() error { return r.paysChunk(through, d, n) })
	}
	if err := work.Wait(); err != nil {
		return err
	}
	_, err := r.record(through, "Fund:CloseDisbursement", fund.CloseDisbursement{Account: d.account, Disbursement: d.id, ID: d.id + "-close"})
	return err
}

// bankFile is a statement whose lines pay payouts of a disbursement: those from
// one on, before another, each named in its memo.
func (r relief) bankFile(name, day string, d disbursement, from, to int) string {
	r.Helper()
	var text strings.Builder
	text.WriteString("line,booking_date,booking_time,bank_reference,debit,credit,currency,payer_pseudonym,description\n")
	at, number := 0, 0
	for _, run := range d.chunks {
		for i, line := range run.Lines {
			if at >= from && at < to {
				number++
				fmt.Fprintf(&text, "%d,%s,,Rfake-%s-%d,%d,0,VND,,Payout %s\n", number, day, name, number, line.Amount.Units, donation.ReferenceOfPayout(d.account, tape.ChunkHold(d.id, run.N, i)).Grouped())
			}
			at++
		}
	}
	path := filepath.Join(r.TempDir(), name+".csv")
	r.must(os.WriteFile(path, []byte(text.String()), 0o600))
	return path
}

// executes imports the statement that pays all of a disbursement, and expects
// that its lines have executed every payout.
func (r relief) executes(d disbursement, day string, charity, bank importing.Gateway) {
	r.Helper()
	count := 0
	for _, run := range d.chunks {
		count += len(run.Lines)
	}
	r.paid(r.bankFile(string(d.id), day, d, 0, count), d.account, "", count, charity, bank)
}

// paid imports a statement and expects that it has executed so many payouts, in this run or before.
func (r relief) paid(file string, account tape.AccountID, opening string, count int, charity, bank importing.Gateway) importing.Result {
	r.Helper()
	result, err := r.take(account, file, statement.Balances{Opening: opening}, charity, bank)
	if err != nil || result.Executed.Count != count || len(result.Payouts) != 0 {
		r.Fatalf("%s: %d payouts executed, want %d; %v %+v", filepath.Base(file), result.Executed.Count, count, err, result.Payouts)
	}
	r.told(result.Position)
	return result
}

// told notes a block of which the bank was told.
func (r relief) told(block uint64) {
	for last := r.last.Load(); block > last && !r.last.CompareAndSwap(last, block); last = r.last.Load() {
	}
}

// paysAlone is the bank while no gateway of the charity answers: it files its
// lines and executes each payout by itself, a block at a time.
func (r relief) paysAlone(d disbursement, day string) {
	r.Helper()
	var debits []int64
	for _, run := range d.chunks {
		for _, line := range run.Lines {
			debits = append(debits, line.Amount.Units)
		}
	}
	id, lines := r.debits(tape.AccountID("outside:bank:"+nameOf(d.account)), string(d.id), day, debits)
	at := 0
	for _, run := range d.chunks {
		for i := range run.Lines {
			hold := tape.ChunkHold(d.id, run.N, i)
			command, err := tape.NewExecute(d.account, hold+".paid", id, 0, lines, []tape.ExecutedLine{{Index: at, Holds: []tape.ID{hold}}})
			r.must(err)
			block, err := r.record(r.bank, "Tape:Execute", command)
			r.must(err)
			r.told(block)
			at++
		}
	}
}

// debits files a statement of debits by the bank alone; no gateway of the charity is asked.
func (r relief) debits(custodian tape.AccountID, name, day string, units []int64) (tape.ID, []tape.Line) {
	r.Helper()
	filed, err := r.bank.Statements(r.Context(), custodian, 0)
	r.must(err)
	if len(filed) == 0 {
		r.Fatalf("%s has no statement to go on from", custodian)
	}
	id := tape.ID("bank-" + name)
	file := tape.FileStatement{Account: custodian, ID: id, Previous: filed[0].ID, From: tape.Date(day), To: tape.Date(day), Opening: filed[0].Closing, Count: int32(len(units))}
	var lines []tape.Line
	total := int64(0)
	for i, amount := range units {
		lines = append(lines, tape.Line{Number: int32(i + 1), Date: tape.Date(day), Amount: dong(amount)})
		total += amount
	}
	page, _, err := tape.LinesBody(tape.DebitSide, lines)
	r.must(err)
	file.Pages, file.Closing = []tape.LinesPage{page}, dong(filed[0].Closing.Units-total)
	_, err = r.record(r.bank, "Tape:FileStatement", file)
	r.must(err)
	command := tape.FileLines{Account: custodian, ID: id + "-lines", Lines: lines, Statement: id}
	argument, err := command.Encode()
	r.must(err)
	_, err = r.bank.Send(r.Context(), "Tape:FileLines", argument)
	r.must(err)
	return id, lines
}

// agrees compares bank, chain and export, counts every unit, and audits the whole.
func (r relief) agrees(account tape.AccountID) {
	r.Helper()
	last := r.height(r.bank)
	for _, gateway := range []*speak.Gateway{r.charity, r.bank, r.coop} {
		var found books.Reconciliation
		r.must(gateway.Get(r.Context(), "/campaigns/"+url.PathEscape(string(account))+"/reconciliation", nil, last, &found))
		if !found.Agrees() || len(found.Equalities) == 0 {
			r.Errorf("the gateway of %s finds that bank, chain and export of %s differ: %+v", gateway.Organisation, account, found.Equalities)
		}
		var conservation readmodel.Conservation
		r.must(gateway.Get(r.Context(), "/conservation", nil, last, &conservation))
		balanced := len(conservation.Faults) == 0 && conservation.Tiled == conservation.Accounts && len(conservation.Currencies) > 0
		for _, c := range conservation.Currencies {
			balanced = balanced && c.Difference == 0 && c.Outside+c.Tapes+c.Waiting == 0
		}
		if !balanced {
			r.Errorf("the gateway of %s misses units: %+v", gateway.Organisation, conservation)
		}
	}
	r.waitUntilWhole(r.T)
	if output, err := r.run("audit"); err != nil {
		r.Errorf("the audit found something: %v\n%s", err, output)
	}
}

// stands is what an account comes to, with all that the bank's gateway has read.
func (r relief) stands(account tape.AccountID) (stands readmodel.Account) {
	r.Helper()
	r.must(r.charity.Get(r.Context(), "/accounts/"+url.PathEscape(string(account)), nil, r.position(), &stands))
	return stands
}

// counts the entries of a kind about an account.
func (r relief) counts(account tape.AccountID, kind string) int {
	r.Helper()
	var list readmodel.List[readmodel.Entry]
	r.must(r.charity.Get(r.Context(), "/entries", url.Values{"subject": {string(account)}, "kind": {kind}, "limit": {"1000"}}, r.position(), &list))
	return len(list.Items)
}

// second starts another gateway of the charity with a folder of its own.
func (r relief) second() *speak.Gateway {
	r.Helper()
	data, err := os.ReadFile(filepath.Join(r.site.folder, "organisations", "charity", "gateway.json"))
	r.must(err)
	var settings map[string]any
	r.must(json.Unmarshal(data, &settings))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	r.must(err)
	address := listener.Addr().String()
	r.must(listener.Close())
	folder := r.TempDir()
	settings["listen"], settings["data"] = address, filepath.Join(folder, "data")
	data, err = json.Marshal(settings)
	r.must(err)
	path := filepath.Join(folder, "gateway.json")
	r.must(os.WriteFile(path, data, 0o600))
	program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", r.process(r.T, "gateway.charity")))
	if err != nil {
		r.Skipf("the program of the gateway is found by /proc: %v", err)
	}
	command := exec.Command(program, "--config", path)
	log, err := os.Create(filepath.Join(folder, "log"))
	r.must(err)
	command.Stdout, command.Stderr = log, log
	r.must(command.Start())
	r.Cleanup(func() {
		r.must(command.Process.Signal(syscall.SIGTERM))
		if err := command.Wait(); err != nil {
			said, _ := os.ReadFile(log.Name())
			r.Errorf("the second gateway ended with %v\n%s", err, said)
		}
		_ = log.Close()
	})
	connection, err := r.network.Connect("charity")
	r.must(err)
	connection.URL = "http://" + address
	gateway, err := speak.To(connection)
	r.must(err)
	return gateway
}

// twins sends every command through two gateways of one organisation at the
// same moment. Both must say the same.
type twins struct {
	*speak.Gateway
	other *speak.Gateway
	mutex *sync.Mutex
	said  map[string]int
}

func (t twins) Send(ctx context.Context, function string, argument []byte) (uint64, error) {
	var one, two uint64
	var first, second error
	var both sync.WaitGroup
	both.Go(func() { one, first = t.Gateway.Send(ctx, function, argument) })
	both.Go(func() { two, second = t.other.Send(ctx, function, argument) })
	both.Wait()
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.said[function]++
	if first == nil && second == nil {
		return max(one, two), nil
	}
	if (first == nil) != (second == nil) {
		return 0, fmt.Errorf("%s: one gateway says %v, the other %v", function, first, second)
	}
	return 0, first
}

// twoGateways lets two processes of one charity carry the same commands at
// once, and different ones that write the same head.
func (r relief) twoGateways() tape.AccountID {
	both := twins{r.charity, r.second(), new(sync.Mutex), map[string]int{}}
	account := r.opens(both, "twins")
	units, total := gifts(4500) // three pages
	if _, err := r.take(account, r.statementFile("twins", "2024-09-01", units, nil), statement.Balances{}, both, r.bank); err != nil {
		r.Fatal(err)
	}
	r.enrols(both, account, 0, 120, nil)
	const disbursements, chunks, size, each = 4, 3, 10, 200_000
	var all []disbursement
	for i := range disbursements {
		all = append(all, r.proposes(both, account, tape.ID(fmt.Sprintf("twins-%d", i)), i*chunks*size, chunks, size, each))
	}
	// Each orders two at once: all four write one head.
	work, _ := errgroup.WithContext(r.Context())
	for i, d := range all {
		through := []*speak.Gateway{both.Gateway, both.other}[i%2]
		work.Go(func() error { return r.orders(through, d, "") })
	}
	r.must(work.Wait())
	for _, d := range all {
		r.must(r.pays(both, d))
	}
	r.executes(all[0], "2024-09-02", both, r.bank)
	const spent = disbursements * chunks * size * each
	a := r.stands(account)
	if a.Received.Units != total || a.Held.Units != spent-chunks*size*each || a.Spent.Units != chunks*size*each || a.Pending.Units != 0 {
		r.Errorf("of %d units %d are held and %d paid, the account says %+v", total, spent-chunks*size*each, chunks*size*each, a)
	}
	for kind, want := range map[string]int{"open-campaign": 1, "enrol": 1, "propose": disbursements, "list": disbursements * chunks, "approve": disbursements,
		"order": disbursements, "pay": disbursements * chunks, "close-disbursement": disbursements, "receive": 3, "settle": 1} {
		if got := r.counts(account, kind); got != want {
			r.Errorf("%d entries %s, want %d", got, kind, want)
		}
	}
	r.Logf("sent through both at once: %v", both.said)
	return account
}

// late is a bank whose lines do not come: it gives up once the gifts are there without them.
type late struct {
	*speak.Gateway
	received func() bool
}

var errAway = errors.New("the bank's lines are late")

func (l late) Send(ctx context.Context, function string, argument []byte) (uint64, error) {
	if function != "Tape:FileLines" {
		return l.Gateway.Send(ctx, function, argument)
	}
	for !l.received() {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return 0, errAway
}

// oddStatements files the bank's statements late, twice, in pieces and in the wrong order.
func (r relief) oddStatements() tape.AccountID {
	account := r.opens(r.charity, "odd")
	r.enrols(r.charity, account, 0, 5, nil)
	units, first := gifts(3000)
	file := r.statementFile("odd-1", "2024-09-01", units, nil)
	bank := late{r.bank, func() bool { return r.stands(account).Pending.Units == first }}
	if _, err := r.take(account, file, statement.Balances{Opening: "0 VND"}, r.charity, bank); !errors.Is(err, errAway) {
		r.Fatalf("without the bank's lines: %v", err)
	}
	d := r.proposes(r.charity, account, "odd-pay", 0, 1, 5, 1_000_000)
	if err := r.orders(r.charity, d, ""); !rule.Is(err, rule.Insufficient) {
		r.Errorf("an order before the bank's lines: %v, want insufficient", err)
	}
	if a := r.stands(account); a.Received.Units != 0 || a.Pending.Units != first {
		r.Errorf("before the bank's lines the account has %s and waits for %s", a.Received, a.Pending)
	}
	height := uint64(0)
	for _, repeated := range []bool{false, true} {
		result, err := r.take(account, file, statement.Balances{Opening: "0 VND"}, r.charity, r.bank)
		if err != nil || result.Settled != 3000 || result.Repeated != repeated {
			r.Fatalf("the statement, repeated %t: %+v, %v", repeated, result, err)
		}
		if now := r.height(r.bank); repeated && now != height {
			r.Errorf("the repetition wrote %d blocks", now-height)
		} else {
			height = now
		}
	}
	units, _ = gifts(20)
	second := dong(first).String()
	third := dong(first + sum(units))
	// The third statement before the second is refused, and goes in when its turn has come.
	file2, file3 := r.statementFile("odd-2", "2024-09-02", units, nil), r.statementFile("odd-3", "2024-09-03", units[:7], nil)
	before := r.stands(account)
	if _, err := r.take(account, file3, statement.Balances{Opening: third.String()}, r.charity, r.bank); !rule.Is(err, rule.Conflict) || !strings.Contains(err.Error(), "opening") {
		r.Errorf("the third statement before the second: %v", err)
	}
	if after := r.stands(account); after.Received != before.Received || after.Pending != before.Pending {
		r.Errorf("what was refused changed %+v to %+v", before, after)
	}
	for _, piece := range []struct{ file, opening string }{{file2, second}, {file3, third.String()}} {
		if _, err := r.take(account, piece.file, statement.Balances{Opening: piece.opening}, r.charity, r.bank); err != nil {
			r.Fatalf("%s in its turn: %v", piece.file, err)
		}
	}
	// The refused order was answered for good; another one stands by itself.
	r.must(r.orders(r.charity, d, "-again"))
	r.must(r.pays(r.charity, d))
	want := first + sum(units) + sum(units[:7])
	if a := r.stands(account); a.Received.Units != want || a.Pending.Units != 0 || a.Held.Units != d.amount.Units {
		r.Errorf("the account is %+v, want %d received and %s held", a, want, d.amount)
	}
	r.oddPayments(d, want)
	return account
}

// oddPayments lets the bank pay five payouts by two statements: the second
// comes first, the first late, and each twice.
func (r relief) oddPayments(d disbursement, closing int64) {
	r.Helper()
	one, two := r.bankFile("odd-4", "2024-09-04", d, 0, 3), r.bankFile("odd-5", "2024-09-05", d, 3, 5)
	each := d.amount.Units / 5
	first, second := dong(closing).String(), dong(closing-3*each).String()
	if _, err := r.take(d.account, two, statement.Balances{Opening: second}, r.charity, r.bank); !rule.Is(err, rule.Conflict) {
		r.Errorf("the second statement of payouts before the first: %v", err)
	}
	if _, err := r.take(d.account, one, statement.Balances{Opening: first}, r.charity, late{r.bank, func() bool { return true }}); !errors.Is(err, errAway) {
		r.Errorf("without the bank's lines: %v", err)
	}
	if a := r.stands(d.account); a.Held.Units != d.amount.Units || a.Spent.Units != 0 {
		r.Errorf("before the bank's lines %s is paid and %s held", a.Spent, a.Held)
	}
	for _, piece := range []struct {
		file, opening string
		count         int
	}{{one, first, 3}, {two, second, 2}} {
		r.paid(piece.file, d.account, piece.opening, piece.count, r.charity, r.bank)
		height := r.height(r.bank)
		if again := r.paid(piece.file, d.account, piece.opening, piece.count, r.charity, r.bank); !again.Repeated || r.height(r.bank) != height {
			r.Errorf("the repetition of %s wrote %d blocks", filepath.Base(piece.file), r.height(r.bank)-height)
		}
	}
	if a := r.stands(d.account); a.Held.Units != 0 || a.Spent != d.amount {
		r.Errorf("%s is paid and %s held, want %s paid", a.Spent, a.Held, d.amount)
	}
}

func sum(units []int64) (total int64) {
	for _, u := range units {
		total += u
	}
	return total
}

// felled is a bank whose gateway dies with the first payouts that it is to
// execute; whoever imports the statement dies then, too.
type felled struct {
	*speak.Gateway
	kill func()
}

var errFelled = errors.New("killed while it pays")

func (f felled) Send(ctx context.Context, function string, argument []byte) (uint64, error) {
	if function != "Tape:Execute" {
		return f.Gateway.Send(ctx, function, argument)
	}
	var both sync.WaitGroup
	both.Go(func() { _, _ = f.Gateway.Send(ctx, function, argument) }) // nobody hears the answer
	both.Go(f.kill)
	both.Wait()
	return 0, errFelled
}

// killedPaying kills the charity's gateway while the chunks of a disbursement are under way.
func (r relief) killedPaying() tape.AccountID {
	account := r.opens(r.charity, "killed")
	units, total := gifts(2500)
	if _, err := r.take(account, r.statementFile("killed", "2024-09-01", units, nil), statement.Balances{}, r.charity, r.bank); err != nil {
		r.Fatal(err)
	}
	const chunks, size, each = 16, 10, 500_000
	r.enrols(r.charity, account, 0, chunks*size, nil)
	d := r.proposes(r.charity, account, "killed-pay", 0, chunks, size, each)
	r.must(r.orders(r.charity, d, ""))
	var once sync.Once
	work, _ := errgroup.WithContext(r.Context())
	work.SetLimit(4) // so that most chunks are still to come when it dies
	for n := range d.chunks {
		work.Go(func() error {
			err := r.paysChunk(r.charity, d, n)
			once.Do(func() { r.kill(r.T, "gateway.charity", 0) })
			return err
		})
	}
	r.must(work.Wait())
	// The same again: all of it is answered as before.
	r.must(r.pays(r.charity, d))
	if got := r.counts(account, "pay"); got != chunks {
		r.Errorf("%d chunks were paid, want %d", got, chunks)
	}
	// The import of the bank's statement dies while it pays, and the bank's gateway with it.
	file := r.bankFile("killed-pay", "2024-09-02", d, 0, chunks*size)
	if _, err := r.take(account, file, statement.Balances{}, r.charity, felled{r.bank, func() { r.kill(r.T, "gateway.bank", 0) }}); !errors.Is(err, errFelled) {
		r.Fatalf("the import was to die: %v", err)
	}
	r.paid(file, account, "", chunks*size, r.charity, r.bank)
	if a := r.stands(account); a.Received.Units != total || a.Spent.Units != chunks*size*each || a.Held.Units != 0 {
		r.Errorf("%d units were given, %d paid: %+v", total, chunks*size*each, a)
	}
	return account
}

// away freezes the charity's gateway while the bank pays and households
// confirm through the cooperative, over many blocks in place of an hour, and then starts it anew.
func (r relief) away() tape.AccountID {
	account := r.opens(r.charity, "away")
	units, total := gifts(100)
	if _, err := r.take(account, r.statementFile("away", "2024-09-01", units, nil), statement.Balances{}, r.charity, r.bank); err != nil {
		r.Fatal(err)
	}
	const size, keys, each = 50, 6, 100_000
	var persons []founding.Signer
	for i := range keys {
		persons = append(persons, r.person(fmt.Sprintf("invented-away-%d", i)))
	}
	r.enrols(r.charity, account, 0, size, func(i int) tape.ID {
		if i < keys {
			return persons[i].Person
		}
		return ""
	})
	d := r.proposes(r.charity, account, "away-pay", 0, 1, size, each)
	r.must(r.orders(r.charity, d, ""))
	r.must(r.pays(r.charity, d))
	gone := r.process(r.T, "gateway.charity")
	// Stopped it neither reads nor writes nor answers, and nobody starts another in its place.
	r.must(syscall.Kill(gone, syscall.SIGSTOP))
	begun := r.height(r.bank)
	r.paysAlone(d, "2024-09-02")
	last := uint64(0)
	for i, person := range persons {
		hold := tape.ChunkHold(d.id, 0, i)
		block, err := r.signed(r.coop, "Fund:Confirm", "confirm", account, dong(each), fund.Confirm{Account: account, Amount: dong(each), Hold: hold, ID: hold + ".arrived", Outcome: fund.Arrived}, person)
		r.must(err)
		last = max(last, block)
	}
	missed := r.height(r.coop) - begun
	if missed < size {
		r.Errorf("only %d blocks passed meanwhile", missed)
	}
	r.must(syscall.Kill(gone, syscall.SIGKILL))
	r.sees(r.charity, last)
	r.Logf("%d blocks passed while the gateway was away", missed)
	var list readmodel.List[readmodel.Payout]
	r.must(r.charity.Get(r.Context(), "/payouts", url.Values{"account": {string(account)}, "state": {"captured"}, "limit": {"1000"}}, last, &list))
	confirmed := 0
	for _, payout := range list.Items {
		if payout.Confirmation != nil && payout.Confirmation.Outcome == fund.Arrived {
			confirmed++
		}
	}
	if a := r.stands(account); len(list.Items) != size || confirmed != keys || a.Received.Units != total || a.Spent.Units != size*each {
		r.Errorf("%d payouts, %d confirmed, %+v; want %d, %d", len(list.Items), confirmed, a, size, keys)
	}
	return account
}

// position is a block by which all that the bank was told of has happened.
func (r relief) position() uint64 { return max(r.height(r.bank), r.last.Load()) }

func (r relief) height(gateway *speak.Gateway) uint64 {
	r.Helper()
	var page readmodel.List[readmodel.BlockSummary]
	r.must(gateway.Get(r.Context(), "/blocks", url.Values{"limit": {"1"}, "newest": {"true"}}, 0, &page))
	return page.Items[0].Number
}

// person has a key of its own, brought by the regulator and witnessed by the charity.
func (r relief) person(id string) founding.Signer {
	r.Helper()
	signer, err := founding.Device(r.site.folder, "charity", tape.ID(id), r.charter.Ledger)
	r.must(err)
	proof, err := sign.Possession(signer.Key, r.charter.Ledger, party.Possession{Person: signer.Person, Custody: party.Own, Duty: party.DutyStaff, Organisation: "charity", Registrar: "regulator"})
	r.must(err)
	address := sign.Address(signer.Key)
	block, err := r.record(r.regul, "Party:Register", party.RegisterCommand{Address: address, Custody: party.Own, Duty: party.DutyStaff, ID: "register-" + signer.Person, Organisation: "charity", Person: signer.Person, Proof: proof})
	r.must(err)
	r.sees(r.charity, block)
	_, err = r.record(r.charity, "Party:Witness", party.WitnessCommand{Address: address, Duty: party.DutyStaff, ID: "witness-" + signer.Person, Person: signer.Person})
	r.must(err)
	return signer
}
