package tape_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// The simulation gives random commands to the rules and keeps far simpler
// books beside them: an array with one element for every single unit of money,
// that says where the unit is and whose gift it was. After each step both must
// agree. LIANBAO_SEED repeats a run; LIANBAO_STEPS makes it longer.

const (
	stepsInAll   = 100_000
	stepsShort   = 20_000
	stepsAWorld  = 500
	bank         = tape.AccountID("outside:bank:main")
	payeeOutside = tape.AccountID("outside:bank:payee")
	lost         = tape.AccountID("charity:lost:a") // holds what nobody has claimed
)

func TestSimulation(t *testing.T) {
	steps := ruletest.Setting(t, "LIANBAO_STEPS", stepsInAll)
	if testing.Short() {
		steps = min(steps, stepsShort)
	}
	seed := ruletest.Setting(t, "LIANBAO_SEED", uint64(time.Now().UnixNano()))
	t.Logf("LIANBAO_SEED=%d", seed)
	done, refused := map[string]int{}, map[string]int{}
	for n := uint64(0); n*stepsAWorld < steps; n++ {
		w := newSimulated(t, seed+n)
		for i := 0; i < stepsAWorld; i++ {
			name, err := w.step()
			if err != nil {
				refused[name]++
			} else {
				done[name]++
			}
			if t.Failed() {
				t.Fatalf("LIANBAO_SEED=%d LIANBAO_STEPS=%d: step %d, %s: %v", seed+n, stepsAWorld, i, name, err)
			}
		}
		w.all()
	}
	for name := range commands {
		if done[name] == 0 {
			t.Errorf("%s was never accepted in %d steps", name, steps)
		}
	}
	t.Logf("%d steps; accepted %v; refused %v", steps, done, refused)
}

// place is where one unit is.
type place byte

const (
	free place = iota
	held
	gone
)

// unit is one minor unit on a tape.
type unit struct {
	at   place
	gift int
}

// waiting is a page or an inflow that can be settled: the colours of its units.
type waiting struct {
	account   tape.AccountID
	source    string
	page      *tape.Page
	inflow    *tape.Inflow
	processor *tape.Processor
	gifts     []tape.Gift
	colours   []int
	// only is the one gift of the page whose money the inflow is, home the page's
	// account; whole are the colours of the page.
	only  int
	home  tape.AccountID
	whole []int
}

// standing is a settled page.
type standing struct {
	waiting
	settlement tape.Settlement
	reversals  map[int]tape.Reversal
}

type runningJob struct {
	job    tape.Job
	runs   []tape.RunChunk
	chunks []tape.Chunk
}

type simulated struct {
	*testing.T
	random   *rand.Rand
	now      tape.Instant
	serial   int
	accounts []tape.Account
	heads    map[tape.AccountID]tape.Head
	pending  []waiting
	settled  []standing
	holds    []tape.Hold
	jobs     []runningJob
	last     tape.Statements
	lines    int

	tapes   map[tape.AccountID][]unit
	outside []int // gifts of the units that have left, in no order
	given   int   // gifts so far
	units   int64 // units that ever came in
}

func newSimulated(t *testing.T, seed uint64) *simulated {
	w := &simulated{T: t, random: rand.New(rand.NewPCG(seed, 1)), now: 1_767_225_600_000,
		heads: map[tape.AccountID]tape.Head{}, tapes: map[tape.AccountID][]unit{}}
	for i, id := range []tape.AccountID{"charity:own:a", "charity:one:a", "charity:two:a", "charity:pool:a", lost} {
		c := tape.Open{Account: id, Attribution: tape.FIFO, Currency: "CNY", Custodian: bank, ID: w.id("open")}
		if i == 1 {
			c.OwnFunds = "charity:own:a"
		}
		if i == 3 {
			c.Attribution = tape.Pooled
		}
		var own, main *tape.Account
		if c.OwnFunds != "" {
			own = &w.accounts[0]
		}
		if id == lost {
			c.Unidentified, main = "charity:one:a", &w.accounts[1]
		}
		account, head, _, err := c.Apply(main, own, w.charity())
		if err != nil {
			t.Fatal(err)
		}
		w.accounts, w.heads[id] = append(w.accounts, account), head
	}
	return w
}

func (w *simulated) id(kind string) tape.ID {
	w.serial++
	return tape.ID(fmt.Sprintf("%s-%d", kind, w.serial))
}

func (w *simulated) charity() tape.Context {
	return tape.Context{Organisation: "charity", Role: "gateway", Powers: []string{"charity"}, At: w.now, Date: "2026-01-01", Rules: 1, Command: "c"}
}

func (w *simulated) custodian() tape.Context {
	ctx := w.charity()
	ctx.Organisation, ctx.Powers = "bank", []string{"custodian"}
	return ctx
}

func (w *simulated) account() tape.Account { return w.accounts[w.random.IntN(len(w.accounts))] }

// amount is small, and now and then more than there is.
func (w *simulated) amount(limit int64) money.Amount {
	return money.New(1+w.random.Int64N(max(limit, 1)+1), "CNY")
}

func (w *simulated) free(id tape.AccountID) int64 { return w.heads[id].Free().Total() }

// commands are what the simulation can do, each with how often.
var commands = map[string]struct {
	weight int
	do     func(*simulated) error
}{
	"receive": {20, (*simulated).receive}, "settle": {25, (*simulated).settle}, "spend": {20, (*simulated).spend},
	"hold": {8, (*simulated).hold}, "capture": {8, (*simulated).capture}, "execute": {8, (*simulated).execute}, "release": {3, (*simulated).release},
	"expire": {2, (*simulated).expire}, "reclaim": {4, (*simulated).reclaim}, "refund": {5, (*simulated).refund},
	"return": {5, (*simulated).giveBack}, "charge-back": {3, (*simulated).chargeBack}, "open-job": {3, (*simulated).openJob},
	"run-chunk": {8, (*simulated).runChunk}, "close-job": {3, (*simulated).closeJob}, "match": {3, (*simulated).match},
	"file-processor": {4, (*simulated).fileProcessor}, "receive-unidentified": {4, (*simulated).receiveUnidentified},
	"identify": {5, (*simulated).identify}, "memo": {1, (*simulated).memo}, "correct": {5, (*simulated).correct},
	"withdraw": {2, (*simulated).withdraw}, "identify-return": {5, (*simulated).identifyReturn},
}

var order = []string{"receive", "settle", "spend", "hold", "capture", "execute", "release", "expire", "reclaim", "refund", "return", "charge-back", "open-job", "run-chunk", "close-job", "match",
	"file-processor", "receive-unidentified", "identify", "memo", "correct", "withdraw", "identify-return"}

func (w *simulated) step() (string, error) {
	w.now += tape.Instant(w.random.Int64N(int64(tape.Hour)))
	total := 0
	for _, name := range order {
		total += commands[name].weight
	}
	pick := w.random.IntN(total)
	for _, name := range order {
		if pick -= commands[name].weight; pick < 0 {
			return name, commands[name].do(w)
		}
	}
	panic("unreachable")
}

// passed checks what every accepted command must satisfy.
func (w *simulated) passed(before, after []tape.Keeper, settlements []tape.Settlement, entry tape.Entry) {
	w.Helper()
	if err := entry.Check(); err != nil {
		w.Errorf("%s: %v", entry.Kind, err)
	}
	if err := tape.Conserved(before, after, settlements, entry); err != nil {
		w.Errorf("%s: %v", entry.Kind, err)
	}
	for _, record := range after {
		if head, is := record.(tape.Head); is {
			w.compare(head)
		}
	}
}

// compare holds a head against the units.
func (w *simulated) compare(head tape.Head) {
	w.Helper()
	if err := head.Check(); err != nil {
		w.Error(err)
	}
	units := w.tapes[head.Account]
	if int64(len(units)) != head.Received {
		w.Errorf("%s received %d, the units are %d", head.Account, head.Received, len(units))
		return
	}
	at := int64(0)
	claimed := make([]bool, len(units))
	for _, span := range head.Free() {
		for i := span.Start; i < span.End; i++ {
			claimed[i] = true
		}
	}
	for ; at < int64(len(units)); at++ {
		if claimed[at] != (units[at].at == free) {
			w.Errorf("unit %d of %s: the head says free=%t, the books say %d", at, head.Account, claimed[at], units[at].at)
			return
		}
	}
}

// all counts every unit of every gift: each is in exactly one place.
func (w *simulated) all() {
	w.Helper()
	places := len(w.outside)
	for _, account := range w.accounts {
		w.compare(w.heads[account.ID])
		for _, u := range w.tapes[account.ID] {
			if u.at != gone {
				places++
			}
		}
	}
	for _, p := range w.pending {
		if p.inflow != nil {
			places += len(p.colours)
		}
	}
	if int64(places) != w.units {
		w.Errorf("%d units came in, %d are somewhere", w.units, places)
	}
}

// move changes the place of units and returns whose they are.
func (w *simulated) move(account tape.AccountID, spans tape.Spans, from, to place) []int {
	w.Helper()
	var colours []int
	for _, span := range spans {
		for i := span.Start; i < span.End; i++ {
			u := &w.tapes[account][i]
			if u.at != from {
				w.Errorf("unit %d of %s is %d, not %d", i, account, u.at, from)
				return colours
			}
			u.at = to
			colours = append(colours, u.gift)
		}
	}
	return colours
}

// post follows the postings of an entry whose money was in a place before.
func (w *simulated) post(entry tape.Entry, from place) {
	w.Helper()
	for _, p := range entry.Postings {
		if p.Memo || p.From.Outside() {
			continue
		}
		colours := w.move(p.From, p.Taken, from, gone)
		if p.Inflow == "" {
			w.outside = append(w.outside, colours...)
			continue
		}
		inflow := &tape.Inflow{V: 1, Account: p.To, Source: p.Inflow, From: p.From, Amount: p.Amount, Taken: p.Taken}
		w.pending = append(w.pending, waiting{account: p.To, source: p.Inflow, inflow: inflow, colours: colours})
	}
}

func (w *simulated) receive() error {
	account := w.account()
	c := tape.Receive{Account: account.ID, ID: w.id("page"), Total: money.New(0, "CNY")}
	for range 1 + w.random.IntN(5) {
		gift := tape.Gift{ID: w.id("gift"), Amount: w.amount(30)}
		gift.Reference = fmt.Sprintf("%021dA", w.serial)
		c.Gifts = append(c.Gifts, gift)
		c.Total.Units += gift.Amount.Units
	}
	c.Count = int32(len(c.Gifts))
	encoded, err := c.Encode()
	if err != nil {
		return err
	}
	if c, err = tape.DecodeReceive(encoded); err != nil {
		w.Error(err)
		return err
	}
	page, entry, err := account.Receive(c, w.charity())
	if err != nil {
		w.Error(err)
		return err
	}
	w.passed(nil, nil, nil, entry)
	p := waiting{account: account.ID, source: string(c.ID), page: &page, gifts: c.Gifts}
	p.colours = w.colour(c.Gifts)
	w.pending = append(w.pending, p)
	return nil
}

// statement files one page of lines and returns it.
func (w *simulated) statement(side tape.Side, lines []tape.Line) tape.Lines {
	w.Helper()
	head, _, err := tape.LinesBody(side, lines)
	if err != nil {
		w.Fatal(err)
	}
	if w.last.Last == "" {
		w.last.Closing = money.New(1_000_000_000, "CNY")
	}
	closing := w.last.Closing
	closing.Units += head.Total.Units
	if side == tape.DebitSide {
		closing.Units -= 2 * head.Total.Units
	}
	c := tape.FileStatement{Account: bank, ID: w.id("statement"), Previous: w.last.Last, From: "2026-01-01", To: "2026-01-01",
		Opening: w.last.Closing, Closing: closing, Count: head.Count, Pages: []tape.LinesPage{head}}
	last, statement, _, err := w.last.File(c, w.custodian())
	if err != nil {
		w.Fatal(err)
	}
	w.last = last
	filed, _, err := statement.FileLines(tape.FileLines{Account: bank, ID: w.id("lines"), Lines: lines, Statement: c.ID}, w.custodian())
	if err != nil {
		w.Fatal(err)
	}
	return filed
}

func (w *simulated) line(amount money.Amount, reference string) tape.Line {
	w.lines++
	return tape.Line{Number: int32(w.lines), Date: "2026-01-01", Amount: amount, Reference: reference}
}

func (w *simulated) settle() error {
	if len(w.pending) == 0 {
		return rule.Refuse(rule.NotFound, "nothing is pending")
	}
	first := w.pending[w.random.IntN(len(w.pending))]
	var account tape.Account
	for _, a := range w.accounts {
		if a.ID == first.account {
			account = a
		}
	}
	c := tape.Settle{Account: account.ID, ID: w.id("settle")}
	var chosen, rest []waiting
	var sources []tape.Source
	for _, p := range w.pending {
		if p.account != account.ID || len(chosen) == 3 {
			rest = append(rest, p)
			continue
		}
		item, source := w.item(p)
		c.Items, sources, chosen = append(c.Items, item), append(sources, source), append(chosen, p)
	}
	before := w.heads[account.ID]
	after, result, entry, err := before.Settle(account, c, sources, w.charity())
	if err != nil {
		w.Error(err)
		return err
	}
	w.pending = rest
	for i, p := range chosen {
		settlement := result.Settlements[i]
		if got := int64(len(w.tapes[account.ID])); got != settlement.Span.Start {
			w.Errorf("settlement %d begins at %s, the tape is %d long", settlement.N, settlement.Span, got)
		}
		for _, colour := range laidOut(p) {
			w.tapes[account.ID] = append(w.tapes[account.ID], unit{free, colour})
		}
		if p.page != nil && p.inflow == nil {
			w.units += int64(len(p.colours))
		}
		if p.page != nil {
			w.settled = append(w.settled, standing{waiting: p, settlement: settlement, reversals: map[int]tape.Reversal{}})
		}
	}
	w.post(entry, free) // the fees of processors
	w.heads[account.ID] = after
	w.passed([]tape.Keeper{before}, []tape.Keeper{after}, result.Settlements, entry)
	return nil
}

// laidOut is the order of a page's units on the tape: unit by unit, a processor
// keeps as many as its share of those so far, and what it keeps lies behind.
func laidOut(p waiting) []int {
	if p.processor == nil || p.processor.Fee == nil {
		return p.colours
	}
	total, fee := len(p.colours), int(p.processor.Fee.Units)
	var arrived, kept []int
	for i, colour := range p.colours {
		if (i+1)*fee/total > i*fee/total {
			kept = append(kept, colour)
		} else {
			arrived = append(arrived, colour)
		}
	}
	return append(arrived, kept...)
}

// colour gives each unit of gifts that arrive its colour.
func (w *simulated) colour(gifts []tape.Gift) []int {
	var colours []int
	for _, gift := range gifts {
		w.given++
		for range gift.Amount.Units {
			colours = append(colours, w.given)
		}
	}
	return colours
}

func (w *simulated) named(id tape.AccountID) tape.Account {
	for _, account := range w.accounts {
		if account.ID == id {
			return account
		}
	}
	panic("no account " + id)
}

func (w *simulated) fileProcessor() error {
	for i := range w.pending {
		p := &w.pending[i]
		if p.inflow != nil || p.page.Evidence != nil || p.processor != nil {
			continue
		}
		c := tape.FileProcessor{Account: p.account, Count: p.page.Count, ID: w.id("file"), Matches: p.page.Matches, Page: p.page.ID, Total: p.page.Total}
		arrived := p.page.Total
		if w.random.IntN(2) == 0 && arrived.Units > 2 {
			fee := money.New(1+w.random.Int64N(arrived.Units-1), "CNY")
			c.Fee, c.FeeTo = &fee, "outside:processor"
			arrived.Units -= fee.Units
		}
		filed, proof := w.debit(tape.CreditSide, arrived)
		c.Line = proof
		processor, _, entry, err := w.named(p.account).FileProcessor(c, p.page, nil, nil, filed, tape.Used{}, w.charity())
		if err != nil {
			w.Error(err)
			return err
		}
		if _, _, _, err := w.named(p.account).FileProcessor(c, p.page, nil, &processor, filed, tape.Used{}, w.charity()); err == nil {
			w.Error("a second processor's file for one page was taken")
		}
		w.passed(nil, nil, nil, entry)
		p.processor = &processor
		return nil
	}
	return errNone
}

func (w *simulated) receiveUnidentified() error {
	var lines []tape.Line
	for range 2 + w.random.IntN(3) {
		lines = append(lines, w.line(w.amount(20), ""))
	}
	filed := w.statement(tape.CreditSide, lines)
	used := tape.Used{V: 1, Lines: tape.Spans{{Start: 0, End: 1}}} // a gift has claimed the first
	c := tape.NewReceiveUnidentified(lost, w.id("lost"), filed.Statement, 0, lines)
	gifts, _, _, err := c.Gifts(used)
	if err != nil || len(gifts) != len(lines)-1 {
		w.Errorf("%d of %d lines are left: %v", len(gifts), len(lines), err)
		return err
	}
	page, after, entry, err := w.named(lost).ReceiveUnidentified(c, filed, used, w.charity())
	if err != nil || after.Lines.Total() != int64(len(lines)) {
		w.Errorf("used %v of %d lines: %v", after.Lines, len(lines), err)
		return err
	}
	w.passed(nil, nil, nil, entry)
	w.pending = append(w.pending, waiting{account: lost, source: string(page.ID), page: &page, gifts: gifts, colours: w.colour(gifts)})
	return nil
}

func (w *simulated) identify() error {
	if len(w.settled) == 0 {
		return errNone
	}
	s, index, proof, place, account := w.gift()
	to := w.accounts[w.random.IntN(2)]
	before := w.heads[account.ID]
	result, entry, err := before.Identify(account, tape.Identify{Account: account.ID, Gift: proof, ID: w.id("identify"), To: to.ID}, place, &to, nil, w.charity())
	if account.ID != lost && err == nil {
		w.Errorf("money of %s was given away as unidentified", account.ID)
	}
	if err != nil {
		return err
	}
	w.rebooked(s, index, result.Inflow, result.Reversal, entry, before, result.Head)
	return nil
}

// rebooked follows one gift's units to another account.
func (w *simulated) rebooked(s *standing, index int, inflow *tape.Inflow, reversal tape.Reversal, entry tape.Entry, before, after tape.Head) {
	w.Helper()
	w.ofGift(s, index, before.Account, reversal.Span)
	w.heads[before.Account], s.reversals[index] = after, reversal
	moved := waiting{page: s.page, gifts: s.gifts, only: index, home: s.account, whole: s.colours}
	if s.inflow != nil {
		moved.home, moved.whole = s.home, s.whole
	}
	w.post(entry, free)
	last := &w.pending[len(w.pending)-1]
	last.inflow, last.page, last.gifts, last.only, last.home, last.whole = inflow, moved.page, moved.gifts, moved.only, moved.home, moved.whole
	w.passed([]tape.Keeper{before}, []tape.Keeper{after}, nil, entry)
}

// ofGift checks that all units of a span are one gift's.
func (w *simulated) ofGift(s *standing, index int, account tape.AccountID, span tape.Span) {
	w.Helper()
	whole := s.colours
	if s.inflow != nil {
		whole = s.whole
	}
	for _, u := range w.tapes[account][span.Start:span.End] {
		if want := whole[w.offset(s, index)]; u.gift != want {
			w.Errorf("a unit of gift %d was taken for gift %d", u.gift, want)
		}
	}
}

func (w *simulated) correct() error {
	if len(w.settled) == 0 {
		return errNone
	}
	s, index, proof, place, account := w.gift()
	to := w.account()
	c := tape.Correct{Account: account.ID, Gift: proof, ID: w.id("correct"), Reason: "wrong-reference", To: to.ID}
	if to.ID == lost {
		c.Reason = "wrongly-identified"
	}
	before := w.heads[account.ID]
	result, entry, err := before.Correct(account, c, place, &to, w.charity())
	if err != nil {
		return err
	}
	if account.ID == lost || to.ID == lost && s.home != lost || to.ID == account.ID {
		w.Errorf("a gift of %s was moved to %s", account.ID, to.ID)
	}
	w.rebooked(s, index, &result.Inflow, result.Reversal, entry, before, result.Head)
	return nil
}

func (w *simulated) withdraw() error {
	for i, p := range w.pending {
		if p.inflow != nil {
			continue
		}
		settled, entry, err := w.named(p.account).Withdraw(tape.Withdraw{Account: p.account, ID: w.id("withdraw"), Page: p.page.ID, Reason: "not-paid"}, *p.page, nil, p.processor, w.charity())
		if (err == nil) != (p.page.Evidence == nil && p.processor == nil) {
			w.Errorf("page %s was withdrawn: %v", p.source, err)
		}
		if err != nil {
			continue
		}
		w.passed(nil, nil, nil, entry)
		head := w.heads[p.account]
		if _, _, _, err := head.Settle(w.named(p.account), tape.Settle{Account: p.account, ID: w.id("settle"), Items: []tape.SettleItem{{Source: p.source, SelfDeclared: true}}},
			[]tape.Source{{Page: p.page, Settled: &settled}}, w.charity()); err == nil {
			w.Errorf("page %s settled after it was withdrawn", p.source)
		}
		w.pending = append(w.pending[:i:i], w.pending[i+1:]...)
		return nil
	}
	return errNone
}

// identifyReturn takes a line that nobody claimed for a payout that came back.
func (w *simulated) identifyReturn() error {
	for i := range w.settled {
		s := &w.settled[i]
		if s.account != lost || s.inflow != nil {
			continue
		}
		for index, gift := range s.gifts {
			hold, account := w.pick(func(h tape.Hold) bool {
				return h.To.Outside() && h.Account != lost && h.Captured.Total()-h.Returned.Total() >= gift.Amount.Units && w.named(h.Account).Attribution == tape.FIFO
			})
			if hold == nil {
				continue
			}
			proof, err := tape.NewGiftProof(s.page.ID, s.gifts, index)
			if err != nil {
				return err
			}
			place := tape.SettledGift{Page: *s.page, Settlement: &s.settlement}
			if reversal, taken := s.reversals[index]; taken {
				place.Reversal = &reversal
			}
			before, head, was := w.heads[lost], w.heads[account.ID], *hold
			result, entry, err := before.Identify(w.named(lost), tape.Identify{Account: lost, Gift: proof, Hold: hold.ID, ID: w.id("identify"), To: account.ID},
				place, &account, &tape.Payout{Hold: was, Head: head}, w.charity())
			if err != nil {
				continue
			}
			w.ofGift(s, index, lost, result.Reversal.Span)
			arrived := w.move(lost, entry.Postings[0].Taken, free, gone)
			w.comeBack(w.move(account.ID, entry.Postings[0].Laid, gone, free))
			w.outside = append(w.outside, arrived...) // the bank's money: what had left has come, under other names
			*hold, w.heads[lost], w.heads[account.ID], s.reversals[index] = *result.Hold, result.Head, *result.To, result.Reversal
			w.passed([]tape.Keeper{before, head, was}, []tape.Keeper{result.Head, *result.To, *result.Hold}, nil, entry)
			return nil
		}
	}
	return errNone
}

func (w *simulated) memo() error {
	account := w.account()
	entry, err := account.Memo(tape.Memo{Account: account.ID, ID: w.id("memo"), Postings: []tape.MemoPosting{
		{Amount: w.amount(50), From: tape.ReceivableOf(account.ID), To: tape.AccountID("accrual:" + string(account.ID))}}}, []*tape.Account{nil, nil, &account, nil}, w.charity())
	if err != nil {
		return err
	}
	w.passed(nil, nil, nil, entry)
	return nil
}

// item settles a page by lines of the bank, or as declared.
func (w *simulated) item(p waiting) (tape.SettleItem, tape.Source) {
	item, source := tape.SettleItem{Source: p.source}, tape.Source{Page: p.page, Inflow: p.inflow}
	if p.inflow != nil {
		source.Page = nil
		return item, source
	}
	if p.page.Evidence != nil {
		return item, source
	}
	if p.processor != nil {
		item.Processor, source.Processor = p.processor.ID, p.processor
		return item, source
	}
	if w.random.IntN(2) == 0 {
		item.SelfDeclared = true
		return item, source
	}
	var lines []tape.Line
	for _, gift := range p.gifts {
		lines = append(lines, w.line(gift.Amount, gift.Reference))
	}
	filed := w.statement(tape.CreditSide, lines)
	item.Lines, source.Lines = &tape.LinesRef{Statement: filed.Statement}, &filed
	return item, source
}

func (w *simulated) match() error {
	for i, p := range w.pending {
		if p.inflow != nil || p.page.Evidence != nil || p.processor != nil || len(p.gifts) < 2 || len(p.source) > 50 {
			continue
		}
		var lines []tape.Line
		for _, gift := range p.gifts[1:] {
			lines = append(lines, w.line(gift.Amount, gift.Reference))
		}
		filed := w.statement(tape.CreditSide, lines)
		c := tape.NewMatch(p.account, w.id("match"), p.page.ID, p.gifts, filed.Statement, 0, lines)
		account := w.accounts[0]
		for _, a := range w.accounts {
			if a.ID == p.account {
				account = a
			}
		}
		matched, rest, _, entry, err := account.Match(c, *p.page, nil, nil, filed, tape.Used{}, w.charity())
		if err != nil || rest == nil {
			w.Errorf("match: %v", err)
			return err
		}
		w.passed(nil, nil, nil, entry)
		first := p.gifts[0].Amount.Units
		w.pending = append(w.pending[:i:i], w.pending[i+1:]...)
		w.pending = append(w.pending,
			waiting{account: p.account, source: string(matched.ID), page: matched, gifts: p.gifts[1:], colours: p.colours[first:]},
			waiting{account: p.account, source: string(rest.ID), page: rest, gifts: p.gifts[:1], colours: p.colours[:first]})
		return nil
	}
	return rule.Refuse(rule.NotFound, "no page can be split")
}

func (w *simulated) spend() error {
	account := w.account()
	limit := w.free(account.ID)
	c := tape.Spend{Account: account.ID, ID: w.id("spend")}
	var payees []*tape.Account
	total := int64(0)
	for range 1 + w.random.IntN(3) {
		payee := w.account()
		if payee.ID == account.ID {
			continue
		}
		amount := w.amount(min(limit, 60))
		total += amount.Units
		c.Payments, payees = append(c.Payments, tape.Payment{Amount: amount, Line: w.id("line"), To: payee.ID}), append(payees, &payee)
	}
	before := w.heads[account.ID]
	after, _, entry, err := before.Spend(account, c, payees, w.charity())
	if (err == nil) != (len(c.Payments) > 0 && total <= limit && account.Unidentified == "") {
		w.Errorf("%s can spend %d, %d was asked: %v", account.ID, limit, total, err)
	}
	if err != nil {
		return err
	}
	w.heads[account.ID] = after
	w.post(entry, free)
	w.passed([]tape.Keeper{before}, []tape.Keeper{after}, nil, entry)
	return nil
}

func (w *simulated) hold() error {
	account := w.account()
	payee, to := w.account(), payeeOutside
	if w.random.IntN(3) == 0 && payee.ID != account.ID {
		to = payee.ID
	}
	c := tape.OrderHolds{Account: account.ID, ID: w.id("order"), Expires: w.now + tape.Day,
		Holds: []tape.HoldOrder{{Amount: w.amount(min(w.free(account.ID), 40)), Hold: w.id("hold"), To: to}}}
	before := w.heads[account.ID]
	after, holds, entry, err := before.Hold(account, c, []*tape.Account{&payee}, w.charity())
	if err != nil {
		return err
	}
	w.heads[account.ID], w.holds = after, append(w.holds, holds...)
	w.move(account.ID, holds[0].Spans, free, held)
	w.passed([]tape.Keeper{before}, []tape.Keeper{after, holds[0]}, nil, entry)
	return nil
}

// pick returns a random hold that a condition likes, and its account.
func (w *simulated) pick(likes func(tape.Hold) bool) (*tape.Hold, tape.Account) {
	if len(w.holds) == 0 {
		return nil, tape.Account{}
	}
	start := w.random.IntN(len(w.holds))
	for i := range w.holds {
		hold := &w.holds[(start+i)%len(w.holds)]
		for _, account := range w.accounts {
			if account.ID == hold.Account && likes(*hold) {
				return hold, account
			}
		}
	}
	return nil, tape.Account{}
}

var errNone = rule.Refuse(rule.NotFound, "there is none")

// debit makes a filed debit line and its proof.
func (w *simulated) debit(side tape.Side, amount money.Amount) (tape.Lines, tape.LineProof) {
	lines := []tape.Line{w.line(amount, "")}
	filed := w.statement(side, lines)
	proof, err := tape.NewLineProof(filed.Statement, 0, lines, 0)
	if err != nil {
		w.Fatal(err)
	}
	return filed, proof
}

func (w *simulated) capture() error {
	hold, account := w.pick(func(h tape.Hold) bool { return h.State == tape.HoldOpen })
	if hold == nil {
		return errNone
	}
	c := tape.Capture{Account: account.ID, Amount: w.amount(hold.Spans.Total()), Hold: hold.ID, ID: w.id("capture")}
	ctx := w.charity()
	var lines *tape.Lines
	if hold.To.Outside() {
		filed, proof := w.debit(tape.DebitSide, c.Amount)
		lines, c.Line, ctx = &filed, &proof, w.custodian()
	}
	before := *hold
	result, entry, err := hold.Capture(account, c, lines, false, ctx)
	if (err == nil) != (c.Amount.Units <= before.Spans.Total()) {
		w.Errorf("capture of %s out of %d: %v", c.Amount, before.Spans.Total(), err)
	}
	if err != nil {
		return err
	}
	*hold = result.Hold
	w.post(entry, held)
	w.passed([]tape.Keeper{before}, []tape.Keeper{*hold}, nil, entry)
	return nil
}

// execute pays out of up to five holds of one account, one or two by each line,
// among other lines of the page. Released ones are paid as open ones are: every
// day of the simulation is the same.
func (w *simulated) execute() error {
	payable := func(h tape.Hold) bool {
		return h.To.Outside() && (h.State == tape.HoldOpen || h.State == tape.HoldReleased)
	}
	first, account := w.pick(payable)
	if first == nil {
		return errNone
	}
	var chosen []*tape.Hold
	for i := range w.holds {
		if hold := &w.holds[i]; payable(*hold) && hold.Account == account.ID && len(chosen) < 5 {
			chosen = append(chosen, hold)
		}
	}
	var lines []tape.Line
	var executed []tape.ExecutedLine
	var before []tape.Hold
	var keepers, after []tape.Keeper
	for rest := chosen; len(rest) > 0; {
		if w.random.IntN(2) == 0 {
			lines = append(lines, w.line(w.amount(5), ""))
		}
		e, units := tape.ExecutedLine{Index: len(lines)}, int64(0)
		for _, hold := range rest[:min(len(rest), 1+w.random.IntN(2))] {
			e.Holds, units = append(e.Holds, hold.ID), units+hold.Spans.Total()
			before, keepers = append(before, *hold), append(keepers, *hold)
		}
		rest = rest[len(e.Holds):]
		lines, executed = append(lines, w.line(money.New(units, "CNY"), "")), append(executed, e)
	}
	filed := w.statement(tape.DebitSide, lines)
	c, err := tape.NewExecute(account.ID, w.id("execute"), filed.Statement, 0, lines, executed)
	if err != nil {
		w.Fatal(err)
	}
	paid, entry, err := account.Execute(c, before, &filed, make([]bool, len(executed)), w.custodian())
	if err != nil {
		w.Error(err)
		return err
	}
	for i, hold := range paid {
		*chosen[i], after = hold, append(after, hold)
	}
	w.post(entry, held)
	w.passed(keepers, after, nil, entry)
	return nil
}

func (w *simulated) release() error {
	hold, account := w.pick(func(h tape.Hold) bool { return h.State == tape.HoldOpen })
	if hold == nil {
		return errNone
	}
	after, entry, err := hold.Release(account, tape.Release{Account: account.ID, Hold: hold.ID, ID: w.id("release")}, w.charity())
	if err != nil {
		w.Error(err)
		return err
	}
	w.passed([]tape.Keeper{*hold}, []tape.Keeper{after}, nil, entry)
	*hold = after
	return nil
}

func (w *simulated) expire() error {
	hold, _ := w.pick(func(h tape.Hold) bool { return h.State == tape.HoldOpen })
	if hold == nil {
		return errNone
	}
	after, entry, err := hold.Expire(tape.Release{Account: hold.Account, Hold: hold.ID, ID: w.id("expire")}, w.custodian())
	if (err == nil) != (w.now >= hold.Expires) {
		w.Errorf("expiry at %s of a hold until %s: %v", w.now, hold.Expires, err)
	}
	if err != nil {
		return err
	}
	w.passed([]tape.Keeper{*hold}, []tape.Keeper{after}, nil, entry)
	*hold = after
	return nil
}

func (w *simulated) reclaim() error {
	hold, account := w.pick(func(h tape.Hold) bool { return h.State == tape.HoldReleased })
	if hold == nil {
		return errNone
	}
	before := w.heads[account.ID]
	after, holds, entry, err := before.Reclaim(account, tape.Reclaim{Account: account.ID, Holds: []tape.ID{hold.ID}, ID: w.id("reclaim")}, []tape.Hold{*hold}, w.charity())
	if err != nil {
		w.Error(err)
		return err
	}
	w.move(account.ID, hold.Spans, held, free)
	w.heads[account.ID] = after
	w.passed([]tape.Keeper{before, *hold}, []tape.Keeper{after, holds[0]}, nil, entry)
	*hold = holds[0]
	return nil
}

// gift picks a settled gift and what the ledger holds on it.
func (w *simulated) gift() (*standing, int, tape.GiftProof, tape.SettledGift, tape.Account) {
	s := &w.settled[w.random.IntN(len(w.settled))]
	index := w.random.IntN(len(s.gifts))
	if s.inflow != nil {
		index = s.only
	}
	proof, err := tape.NewGiftProof(s.page.ID, s.gifts, index)
	if err != nil {
		w.Fatal(err)
	}
	place := tape.SettledGift{Page: *s.page, Settlement: &s.settlement, Inflow: s.inflow}
	if s.inflow != nil {
		proof.Moved = &tape.Moved{Account: s.home, Inflow: s.source}
	}
	if reversal, taken := s.reversals[index]; taken {
		place.Reversal = &reversal
		for _, hold := range w.holds {
			if reversal.Hold == hold.ID && hold.Account == s.account {
				place.Hold = &hold
			}
		}
	}
	for _, account := range w.accounts {
		if account.ID == s.account {
			return s, index, proof, place, account
		}
	}
	panic("unreachable")
}

func (w *simulated) refund() error {
	if len(w.settled) == 0 {
		return errNone
	}
	s, index, proof, place, account := w.gift()
	before := w.heads[account.ID]
	c := tape.Refund{Account: account.ID, Expires: w.now + tape.Day, Gift: proof, ID: w.id("refund"), To: "outside:bank:donor"}
	after, hold, reversal, entry, err := before.Refund(account, c, place, w.charity())
	if err != nil {
		return err
	}
	w.ofGift(s, index, account.ID, reversal.Span)
	w.heads[account.ID], w.holds = after, append(w.holds, hold)
	s.reversals[index] = reversal
	w.move(account.ID, hold.Spans, free, held)
	w.passed([]tape.Keeper{before}, []tape.Keeper{after, hold}, nil, entry)
	return nil
}

// offset is how much stands before a gift on its page.
func (w *simulated) offset(s *standing, index int) int64 {
	offset := int64(0)
	for _, gift := range s.gifts[:index] {
		offset += gift.Amount.Units
	}
	return offset
}

func (w *simulated) giveBack() error {
	hold, account := w.pick(func(h tape.Hold) bool { return h.To.Outside() && h.Captured.Total() > h.Returned.Total() })
	if hold == nil {
		return errNone
	}
	c := tape.Return{Account: account.ID, Amount: w.amount(hold.Captured.Total() - hold.Returned.Total()), Hold: hold.ID, ID: w.id("return")}
	filed, proof := w.debit(tape.CreditSide, c.Amount)
	c.Line = proof
	before, head := *hold, w.heads[account.ID]
	result, entry, err := hold.Return(account, head, c, &filed, tape.Used{}, w.custodian())
	if err != nil {
		return err
	}
	*hold = result.Hold
	keepersBefore, keepersAfter := []tape.Keeper{before}, []tape.Keeper{*hold}
	if result.Head != nil {
		colours := w.move(account.ID, entry.Postings[0].Laid, gone, free)
		w.comeBack(colours)
		w.heads[account.ID] = *result.Head
		keepersBefore, keepersAfter = append(keepersBefore, head), append(keepersAfter, *result.Head)
	} else {
		var colours []int
		for _, span := range hold.Returned[len(before.Returned):] {
			for i := span.Start; i < span.End; i++ {
				colours = append(colours, w.tapes[account.ID][i].gift)
			}
		}
		w.comeBack(colours)
		w.pending = append(w.pending, waiting{account: account.ID, source: result.Inflow.Source, inflow: result.Inflow, colours: colours})
	}
	w.passed(keepersBefore, keepersAfter, nil, entry)
	return nil
}

// comeBack takes units out of what has left the ledger.
func (w *simulated) comeBack(colours []int) {
	for _, colour := range colours {
		found := false
		for i, out := range w.outside {
			if out == colour {
				w.outside = append(w.outside[:i], w.outside[i+1:]...)
				found = true
				break
			}
		}
		if !found {
			w.Errorf("a unit of gift %d came back that had not left", colour)
			return
		}
	}
}

func (w *simulated) chargeBack() error {
	if len(w.settled) == 0 {
		return errNone
	}
	s, index, proof, place, account := w.gift()
	filed, line := w.debit(tape.DebitSide, s.gifts[index].Amount)
	var own *tape.Head
	if account.OwnFunds != "" {
		head := w.heads[account.OwnFunds]
		own = &head
	}
	before := w.heads[account.ID]
	result, entry, err := before.ChargeBack(account, own, tape.ChargeBack{Account: account.ID, Gift: proof, ID: w.id("back"), Line: line}, place, &filed, false, w.custodian())
	if err != nil {
		return err
	}
	s.reversals[index] = result.Reversal
	w.heads[account.ID] = result.Head
	keepersBefore, keepersAfter := []tape.Keeper{before}, []tape.Keeper{result.Head}
	if result.OwnFunds != nil {
		keepersBefore, keepersAfter = append(keepersBefore, *own), append(keepersAfter, *result.OwnFunds)
		w.heads[account.OwnFunds] = *result.OwnFunds
	}
	w.post(entry, free)
	w.passed(keepersBefore, keepersAfter, nil, entry)
	return nil
}

func (w *simulated) openJob() error {
	account := w.account()
	var chunks [][]tape.Payment
	for range 1 + w.random.IntN(4) {
		var lines []tape.Payment
		for range 1 + w.random.IntN(3) {
			to := payeeOutside
			if payee := w.account(); payee.ID != account.ID {
				to = payee.ID
			}
			lines = append(lines, tape.Payment{Amount: w.amount(8), Line: w.id("line"), To: to})
		}
		chunks = append(chunks, lines)
	}
	c, runs, err := tape.NewJob(account.ID, w.id("job"), w.now+tape.Day, chunks)
	if err != nil {
		w.Fatal(err)
	}
	before := w.heads[account.ID]
	after, job, entry, err := before.OpenJob(account, c, w.charity())
	if err != nil {
		return err
	}
	w.heads[account.ID], w.jobs = after, append(w.jobs, runningJob{job: job, runs: runs})
	w.move(account.ID, job.Spans, free, held)
	w.passed([]tape.Keeper{before}, []tape.Keeper{after, job}, nil, entry)
	return nil
}

func (w *simulated) runChunk() error {
	if len(w.jobs) == 0 {
		return errNone
	}
	j := &w.jobs[w.random.IntN(len(w.jobs))]
	c := j.runs[w.random.IntN(len(j.runs))]
	var ran *tape.Chunk
	for _, chunk := range j.chunks {
		if chunk.N == c.N {
			ran = &chunk
		}
	}
	var account tape.Account
	payees := make([]*tape.Account, len(c.Lines))
	for _, a := range w.accounts {
		if a.ID == c.Account {
			account = a
		}
		for i, line := range c.Lines {
			if line.To == a.ID {
				payees[i] = &a
			}
		}
	}
	result, entry, err := j.job.Run(account, c, ran, payees, w.charity())
	late := false
	for _, line := range c.Lines {
		late = late || line.To.Outside() && w.now >= j.job.Expires
	}
	if (err == nil) != (ran == nil && j.job.State == tape.JobOpen && !late) {
		w.Errorf("chunk %d of a job that is %s, run before %t: %v", c.N, j.job.State, ran != nil, err)
	}
	if err != nil {
		return err
	}
	j.chunks, w.holds = append(j.chunks, result.Chunk), append(w.holds, result.Holds...)
	after := []tape.Keeper{result.Chunk}
	for _, hold := range result.Holds {
		after = append(after, hold)
	}
	w.post(entry, held)
	w.passed(nil, after, nil, entry)
	return nil
}

func (w *simulated) closeJob() error {
	if len(w.jobs) == 0 {
		return errNone
	}
	j := &w.jobs[w.random.IntN(len(w.jobs))]
	var account tape.Account
	for _, a := range w.accounts {
		if a.ID == j.job.Account {
			account = a
		}
	}
	c := tape.CloseJob{Abandon: w.random.IntN(3) == 0, Account: account.ID, ID: w.id("close"), Job: j.job.ID}
	head, before := w.heads[account.ID], j.job
	after, headAfter, entry, err := j.job.Close(account, head, c, j.chunks, w.charity())
	if (err == nil) != (before.State == tape.JobOpen && (c.Abandon || len(j.chunks) == len(j.runs))) {
		w.Errorf("close of a job that is %s with %d of %d chunks: %v", before.State, len(j.chunks), len(j.runs), err)
	}
	if err != nil {
		return err
	}
	w.move(account.ID, after.Left, held, free)
	j.job, w.heads[account.ID] = after, headAfter
	w.passed([]tape.Keeper{before, head}, []tape.Keeper{after, headAfter}, nil, entry)
	return nil
}
