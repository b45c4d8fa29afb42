package readmodel

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sort"
	"strconv"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// world is a ledger of single units: each is a coloured token in a slice, and
// where it lies is one map. It knows no spans but those it writes into records,
// so the read model's arithmetic is compared with counting.
type world struct {
	random   *rand.Rand
	accounts []*purse
	where    map[token]spot
	// back counts how often a token was paid out and came back.
	back    map[token]int
	gifts   []*worldGift
	pages   []*worldPage
	inflows []*worldInflow
	holds   []*worldHold
	jobs    []*worldJob

	// statements are the ids of all that were filed.
	statements []tape.ID

	blocks  []Block
	pending []Transaction
	entries int
	at      tape.Instant
	current *Transaction
	entry   *tape.Entry
}

// token is one minor unit of one gift. Units of a pool are all alike.
type token struct {
	gift string
	unit int
}

// spot is where a token is: on the tape of an account at a place, or elsewhere.
type spot struct {
	state   State
	account tape.AccountID
	unit    int
}

type purse struct {
	record      tape.Account
	units       []token
	free        []bool
	settlements int32
}

type worldGift struct {
	at     GiftAt
	id     tape.ID
	amount int
	// line is the index of the bank line expected, -1 for none.
	line int
	// start is the gift's place on the tape, -1 while it has none; kept is how many
	// of its units, the last, a processor kept.
	start, kept int
	reversed    bool
}

type worldPage struct {
	record  tape.Page
	account *purse
	gifts   []*worldGift
	split   bool
	settled bool
}

type worldInflow struct {
	record  tape.Inflow
	account *purse
	tokens  []token
	settled bool
}

type worldHold struct {
	record  tape.Hold
	account *purse
	refund  bool
	// left and captured are indexes of units on the account's tape, in order.
	left, captured, returned []int
}

type worldJob struct {
	record  tape.Job
	account *purse
	units   []int
	chunks  [][]int
	ran     int
}

const (
	bank   tape.AccountID = "outside:bank:main"
	keeper tape.AccountID = "outside:processor:main"
)

func newWorld(seed uint64) *world {
	w := &world{random: rand.New(rand.NewPCG(seed, 1)), where: map[token]spot{}, back: map[token]int{}, at: 1_700_000_000_000}
	for i, attribution := range []tape.Attribution{tape.FIFO, tape.FIFO, tape.FIFO, tape.FIFO, tape.Pooled} {
		w.open(tape.AccountID(fmt.Sprintf("charity:sunrise:purse-%d", i)), attribution)
	}
	return w
}

// --- transactions and records ---

func (w *world) begin(function, kind string, subject tape.AccountID) *tape.Entry {
	w.entries++
	w.at += 1000
	w.current = &Transaction{ID: fmt.Sprintf("%064x", w.entries), Valid: true, Code: "VALID", Function: "Tape:" + function, Argument: []byte("{}"),
		Endorsers: []string{"bank", "charity"}, Creator: "charity", At: w.at}
	w.entry = &tape.Entry{V: 1, ID: tape.ID(w.entryName(w.entries)), Organisation: "charity", Role: "gateway", Kind: kind, Subject: string(subject),
		At: w.at, BusinessDate: "2024-09-01", Rules: 1, Command: "00"}
	return w.entry
}

func (w *world) entryName(n int) string { return "e" + strconv.Itoa(n) }

func encode(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return data
}

func (w *world) write(key string, value any) {
	w.current.Writes = append(w.current.Writes, Write{Key: key, Value: encode(value)})
}

// commit closes the transaction, now and then with an invalid twin, and now and then a block.
func (w *world) commit() {
	w.write(tape.EntryKey(w.entry.Organisation, w.entry.ID), w.entry)
	sort.Slice(w.current.Writes, func(a, b int) bool { return w.current.Writes[a].Key < w.current.Writes[b].Key })
	if w.random.IntN(10) == 0 {
		twin := *w.current
		twin.ID, twin.Valid, twin.Code = twin.ID+"x", false, "MVCC_READ_CONFLICT"
		w.pending = append(w.pending, twin)
	}
	w.pending = append(w.pending, *w.current)
	w.current, w.entry = nil, nil
	if w.random.IntN(3) == 0 {
		w.block()
	}
}

func (w *world) block() {
	number := uint64(len(w.blocks))
	for i := range w.pending {
		w.pending[i].Index = i
	}
	b := Block{Number: number, Transactions: w.pending}
	if number > 0 {
		b.PreviousHash = w.blocks[number-1].Hash
	}
	digest := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, number), b.PreviousHash...))
	b.Hash = digest[:]
	w.blocks, w.pending = append(w.blocks, b), nil
}

func vnd(units int) money.Amount { return money.New(int64(units), "VND") }

// spansOf groups places that follow one another, in their order.
func spansOf(places []int) tape.Spans {
	var spans tape.Spans
	for _, p := range places {
		if n := len(spans); n > 0 && spans[n-1].End == int64(p) {
			spans[n-1].End++
			continue
		}
		spans = append(spans, tape.Span{Start: int64(p), End: int64(p) + 1})
	}
	return spans
}

func (w *world) head(p *purse) {
	head := tape.Head{V: 1, Account: p.record.ID, Received: int64(len(p.units)), Spent: int64(len(p.units)), Settlements: p.settlements}
	var holes []int
	for i := range p.units {
		switch {
		case p.free[i]:
			head.Spent = min(head.Spent, int64(i))
		case int64(i) > head.Spent:
			holes = append(holes, i)
		}
	}
	head.Holes = spansOf(holes)
	w.write(tape.HeadKey(p.record.ID), head)
}

// --- acts; each returns false when it is not possible now ---

func (w *world) open(id tape.AccountID, attribution tape.Attribution) {
	p := &purse{record: tape.Account{V: 1, ID: id, Currency: "VND", Organisation: "charity", Custodian: bank, Attribution: attribution, Opened: w.at}}
	w.accounts = append(w.accounts, p)
	w.begin("Open", "open", id)
	w.write(tape.AccountKey(id), p.record)
	w.head(p)
	w.commit()
}

func (w *world) any() *purse { return w.accounts[w.random.IntN(len(w.accounts))] }

func reference(n int) string { return fmt.Sprintf("%021dA", n) }

func (w *world) receive() bool {
	p := w.any()
	entry := w.begin("Receive", "receive", p.record.ID)
	c := tape.Receive{Account: p.record.ID, ID: entry.ID, Total: vnd(0)}
	page := &worldPage{account: p}
	for i := range 1 + w.random.IntN(5) {
		amount := 1 + w.random.IntN(7)
		g := tape.Gift{ID: tape.ID(fmt.Sprintf("G-%d-%d", w.entries, i)), Amount: vnd(amount), Reference: reference(len(w.gifts))}
		c.Gifts, c.Total.Units = append(c.Gifts, g), c.Total.Units+int64(amount)
		gift := &worldGift{at: GiftAt{p.record.ID, entry.ID, i}, id: g.ID, amount: amount, line: -1, start: -1}
		w.gifts, page.gifts = append(w.gifts, gift), append(page.gifts, gift)
		w.mark(gift, Pending)
	}
	c.Count = int32(len(c.Gifts))
	argument, err := c.Encode()
	if err != nil {
		panic(err)
	}
	w.current.Argument = argument
	page.record = tape.Page{V: 1, Account: p.record.ID, ID: entry.ID, Organisation: "charity", Count: c.Count, Total: c.Total, At: w.at}
	w.write(tape.PageKey(p.record.ID, entry.ID), page.record)
	w.pages = append(w.pages, page)
	w.commit()
	return true
}

func (w *world) mark(g *worldGift, state State) {
	for u := range g.amount {
		w.where[token{string(g.id), u}] = spot{state, g.at.Account, -1}
	}
}

// unsettled chooses a page that can be settled.
func (w *world) unsettled() *worldPage {
	if len(w.pages) == 0 {
		return nil
	}
	page := w.pages[w.random.IntN(len(w.pages))]
	if page.settled || page.split {
		return nil
	}
	return page
}

// lay puts tokens at the end of a tape. In a pool they lose their colour.
func (w *world) lay(p *purse, tokens []token) (start int) {
	start = len(p.units)
	for _, t := range tokens {
		place := len(p.units)
		if p.record.Attribution == tape.Pooled {
			w.move(t, spot{Shared, p.record.ID, place})
			t = token{"pool " + string(p.record.ID), place}
		} else {
			w.move(t, spot{Free, p.record.ID, place})
		}
		p.units, p.free = append(p.units, t), append(p.free, true)
	}
	return start
}

// move notes where a token of a gift is. Those of pools and of money from outside are not followed.
func (w *world) move(t token, to spot) {
	if _, gift := w.where[t]; gift {
		w.where[t] = to
	}
}

// file files a bank statement of one page of lines and returns its key.
func (w *world) file(lines []tape.Line, side tape.Side) string {
	entry := w.begin("FileStatement", "file-statement", bank)
	head, _, err := tape.LinesBody(side, lines)
	if err != nil {
		panic(err)
	}
	statement := tape.Statement{V: 1, Account: bank, ID: entry.ID, From: "2024-09-01", To: "2024-09-30", Opening: vnd(0), Closing: head.Total,
		Count: head.Count, Pages: []tape.LinesPage{head}, Entry: entry.Reference()}
	w.statements = append(w.statements, statement.ID)
	w.write(tape.StatementKey(bank, statement.ID), statement)
	w.write(tape.StatementsKey(bank), tape.Statements{V: 1, Last: statement.ID, Closing: head.Total, To: "2024-09-30"})
	w.commit()
	entry = w.begin("FileLines", "file-lines", bank)
	argument, err := tape.FileLines{Account: bank, ID: entry.ID, Lines: lines, N: 0, Statement: statement.ID}.Encode()
	if err != nil {
		panic(err)
	}
	w.current.Argument = argument
	key := tape.LinesKey(bank, statement.ID, 0)
	w.write(key, tape.Lines{V: 1, Account: bank, Statement: statement.ID, N: 0, LinesPage: head, Entry: entry.Reference()})
	w.commit()
	return key
}

func (w *world) linesOf(gifts []*worldGift) []tape.Line {
	var lines []tape.Line
	for i, g := range gifts {
		n := sort.Search(len(w.gifts), func(n int) bool { return w.gifts[n] == g || giftNumber(w.gifts[n]) >= giftNumber(g) })
		lines = append(lines, tape.Line{Number: int32(i + 1), Date: "2024-09-02", Amount: vnd(g.amount), Reference: reference(n)})
	}
	return lines
}

func giftNumber(g *worldGift) int {
	var page, index int
	_, _ = fmt.Sscanf(string(g.id), "G-%d-%d", &page, &index)
	return page*1000 + index
}

func (w *world) settlePage() bool {
	page := w.unsettled()
	if page == nil {
		return false
	}
	evidence := tape.Evidence{Kind: "self-declared"}
	switch {
	case page.record.Evidence != nil:
		evidence = *page.record.Evidence
	case w.random.IntN(2) == 0:
		evidence = tape.Evidence{Kind: "statement", Reference: w.file(w.linesOf(page.gifts), tape.CreditSide)}
		for i, g := range page.gifts {
			g.line = i
		}
	}
	fee := 0
	if evidence.Kind == "self-declared" && page.account.record.Attribution == tape.FIFO && w.random.IntN(2) == 0 {
		fee = 1 + w.random.IntN(int(page.record.Total.Units))
		evidence = tape.Evidence{Kind: "processor", Reference: "processor/" + string(page.record.ID)}
	}
	tokens := w.arrived(page, fee)
	page.settled = true
	entry := w.begin("Settle", "settle", page.account.record.ID)
	start := w.lay(page.account, tokens)
	span := w.settleAt(page.account, string(page.record.ID), start, evidence, fee)
	entry.Postings = append(entry.Postings, tape.Posting{From: bank, To: page.account.record.ID, Amount: page.record.Total, Laid: tape.Spans{span}, Line: page.record.ID})
	if fee > 0 {
		w.keep(page, len(page.account.units)-fee)
	}
	w.head(page.account)
	w.commit()
	return true
}

// arrived are the tokens of a page in the order of the tape: of the first n
// units a processor has kept the whole part of n × fee / total, and all that it
// kept stands behind what arrived.
func (w *world) arrived(page *worldPage, fee int) []token {
	var came, kept []token
	before := 0
	for _, g := range page.gifts {
		share := func(n int) int { return n * fee / int(page.record.Total.Units) }
		g.start, g.kept = len(page.account.units)+len(came), share(before+g.amount)-share(before)
		for u := range g.amount {
			if u < g.amount-g.kept {
				came = append(came, token{string(g.id), u})
			} else {
				kept = append(kept, token{string(g.id), u})
			}
		}
		before += g.amount
	}
	return append(came, kept...)
}

// keep spends what a processor kept, from one place of the tape to its end.
func (w *world) keep(page *worldPage, from int) {
	p := page.account
	var places []int
	for i := from; i < len(p.units); i++ {
		p.free[i] = false
		places = append(places, i)
		w.move2(p, i, spot{Paid, keeper, -1})
	}
	w.entry.Postings = append(w.entry.Postings, tape.Posting{From: p.record.ID, To: keeper, Amount: vnd(len(places)), Taken: spansOf(places), Line: page.record.ID})
}

func (w *world) settle(p *purse, source string, tokens []token, evidence tape.Evidence) {
	w.settleAt(p, source, w.lay(p, tokens), evidence, 0)
	w.head(p)
}

// settleAt settles what was laid last, from one place of the tape to its end.
func (w *world) settleAt(p *purse, source string, start int, evidence tape.Evidence, fee int) tape.Span {
	p.settlements++
	span := tape.Span{Start: int64(start), End: int64(len(p.units))}
	w.write(tape.SettlementKey(p.record.ID, p.settlements), tape.Settlement{V: 1, Account: p.record.ID, N: p.settlements, Source: source, Span: span, Evidence: evidence, Fee: int64(fee), Entry: w.entry.Reference()})
	w.write(tape.SettledKey(p.record.ID, source), tape.Settled{V: 1, N: p.settlements})
	return span
}

// match splits a page: every second gift has its line, in reverse order.
func (w *world) match() bool {
	page := w.unsettled()
	if page == nil || page.record.Evidence != nil || len(page.gifts) < 2 || page.record.Unmatched != nil {
		return false
	}
	var listed []*worldGift
	for i := len(page.gifts) - 1; i >= 0; i -= 2 {
		listed = append(listed, page.gifts[i])
	}
	lines := w.linesOf(listed)
	key := w.file(lines, tape.CreditSide)
	statement := tape.ID(key[len("lines/")+len(bank)+1 : len(key)-2])
	var gifts []tape.Gift
	for _, g := range page.gifts {
		gifts = append(gifts, tape.Gift{ID: g.id, Amount: vnd(g.amount), Reference: w.linesOf([]*worldGift{g})[0].Reference})
	}
	entry := w.begin("Match", "match", page.account.record.ID)
	c := tape.NewMatch(page.account.record.ID, entry.ID, page.record.ID, gifts, statement, 0, lines)
	argument, err := canonical.Encode(c)
	if err != nil {
		panic(err)
	}
	w.current.Argument = argument
	entry.Evidence = []tape.Evidence{{Kind: "statement", Reference: key}}
	matched := &worldPage{account: page.account, gifts: listed}
	rest := &worldPage{account: page.account}
	for i, g := range listed {
		g.line = i
	}
	for _, g := range page.gifts {
		if g.line < 0 {
			rest.gifts = append(rest.gifts, g)
			w.mark(g, Unmatched)
		}
	}
	w.half(page, matched, tape.MatchedSuffix)
	w.half(page, rest, tape.UnmatchedSuffix)
	w.write(tape.UsedKey(bank, statement, 0), tape.Used{V: 1, Lines: tape.Spans{{Start: 0, End: int64(len(lines))}}})
	w.write(tape.SettledKey(page.account.record.ID, string(page.record.ID)), tape.Settled{V: 1})
	page.split = true
	w.commit()
	return true
}

func (w *world) half(whole, half *worldPage, suffix tape.ID) {
	if len(half.gifts) == 0 {
		return
	}
	half.record = tape.Page{V: 1, Account: whole.record.Account, ID: whole.record.ID + suffix, Organisation: "charity", Total: vnd(0), Parent: whole.record.ID, At: w.at}
	for i, g := range half.gifts {
		g.at.Page, g.at.Index = half.record.ID, i
		half.record.Count++
		half.record.Total.Units += int64(g.amount)
	}
	if suffix == tape.MatchedSuffix {
		half.record.Evidence = &w.entry.Evidence[0]
	} else {
		half.record.Unmatched = []tape.Unmatched{{Reason: "no-line", Count: half.record.Count}}
	}
	w.write(tape.PageKey(half.record.Account, half.record.ID), half.record)
	w.pages = append(w.pages, half)
}

// take chooses the first free units.
func (w *world) take(p *purse, n int) []int {
	var places []int
	for i := range p.units {
		if p.free[i] && len(places) < n {
			places = append(places, i)
		}
	}
	if n == 0 || len(places) < n {
		return nil
	}
	for _, i := range places {
		p.free[i] = false
	}
	return places
}

// pay posts units of an account to another of the ledger.
func (w *world) pay(p, to *purse, places []int, line tape.ID) {
	source := w.entry.Reference() + "/" + strconv.Itoa(len(w.entry.Postings))
	inflow := &worldInflow{account: to, record: tape.Inflow{V: 1, Account: to.record.ID, Source: source, From: p.record.ID, Amount: vnd(len(places)), Taken: spansOf(places), At: w.at}}
	for _, i := range places {
		inflow.tokens = append(inflow.tokens, p.units[i])
		w.move(p.units[i], spot{Waiting, to.record.ID, -1})
	}
	w.inflows = append(w.inflows, inflow)
	w.write(tape.InflowKey(to.record.ID, source), inflow.record)
	w.entry.Postings = append(w.entry.Postings, tape.Posting{From: p.record.ID, To: to.record.ID, Amount: inflow.record.Amount, Taken: inflow.record.Taken, Inflow: source, Line: line})
}

func (w *world) other(p *purse) *purse {
	for {
		if to := w.any(); to != p {
			return to
		}
	}
}

func (w *world) spend() bool {
	p := w.any()
	first := w.take(p, 1+w.random.IntN(6))
	if first == nil {
		return false
	}
	w.begin("Spend", "spend", p.record.ID)
	w.pay(p, w.other(p), first, "a")
	if second := w.take(p, 1+w.random.IntN(6)); second != nil {
		w.pay(p, w.other(p), second, "b")
	}
	w.head(p)
	w.commit()
	return true
}

func (w *world) settleInflow() bool {
	if len(w.inflows) == 0 {
		return false
	}
	f := w.inflows[w.random.IntN(len(w.inflows))]
	if f.settled {
		return false
	}
	f.settled = true
	w.begin("Settle", "settle", f.account.record.ID)
	w.settle(f.account, f.record.Source, f.tokens, tape.Evidence{Kind: "entry", Reference: f.record.Source})
	w.commit()
	return true
}

func (w *world) newHold(p *purse, id tape.ID, places []int, to tape.AccountID, refund bool) {
	h := &worldHold{account: p, left: places, refund: refund, record: tape.Hold{V: 1, Account: p.record.ID, ID: id, To: to, Amount: vnd(len(places)),
		Spans: spansOf(places), Expires: w.at + tape.Day, State: tape.HoldOpen, Entry: w.entry.Reference()}}
	for _, i := range places {
		w.move2(p, i, spot{Ordered, p.record.ID, i})
	}
	w.holds = append(w.holds, h)
	w.write(tape.HoldKey(p.record.ID, id), h.record)
}

// move2 notes where the unit at a place of a tape is, unless the tape is a pool's.
func (w *world) move2(p *purse, place int, to spot) { w.move(p.units[place], to) }

func (w *world) order() bool {
	p := w.any()
	places := w.take(p, 1+w.random.IntN(8))
	if places == nil {
		return false
	}
	entry := w.begin("Hold", "hold", p.record.ID)
	to := tape.AccountID("outside:household:ddbbcoobeooegjmdolfcpojadccomibn")
	if w.random.IntN(3) == 0 {
		to = w.other(p).record.ID
	}
	cut := w.random.IntN(len(places))
	if cut > 0 {
		w.newHold(p, entry.ID+"-1", places[:cut], to, false)
	}
	w.newHold(p, entry.ID+"-2", places[cut:], to, false)
	w.head(p)
	w.commit()
	return true
}

func (w *world) someHold(states ...tape.HoldState) *worldHold {
	if len(w.holds) == 0 {
		return nil
	}
	h := w.holds[w.random.IntN(len(w.holds))]
	for _, s := range states {
		if h.record.State == s {
			return h
		}
	}
	return nil
}

func (w *world) saveHold(h *worldHold) {
	h.record.Spans, h.record.Captured, h.record.Returned = spansOf(h.left), spansOf(h.captured), spansOf(h.returned)
	w.write(tape.HoldKey(h.account.record.ID, h.record.ID), h.record)
}

func (w *world) capture() bool {
	h := w.someHold(tape.HoldOpen)
	if h == nil {
		return false
	}
	n := 1 + w.random.IntN(len(h.left))
	places := h.left[:n]
	entry := w.begin("Capture", "capture", h.account.record.ID)
	if h.record.To.Outside() {
		state := Paid
		if h.refund {
			state = Refunded
		}
		for _, i := range places {
			w.move2(h.account, i, spot{state, h.record.To, -1})
		}
		entry.Evidence = []tape.Evidence{{Kind: "statement", Reference: "lines/" + string(bank) + "/x/0", Line: 7}}
		entry.Postings = append(entry.Postings, tape.Posting{From: h.account.record.ID, To: h.record.To, Amount: vnd(n), Taken: spansOf(places), Line: h.record.ID})
	} else {
		for _, to := range w.accounts {
			if to.record.ID == h.record.To {
				w.pay(h.account, to, places, h.record.ID)
			}
		}
	}
	h.captured, h.left = append(h.captured, places...), h.left[n:]
	if len(h.left) == 0 {
		h.record.State = tape.HoldCaptured
	}
	w.saveHold(h)
	w.commit()
	return true
}

func (w *world) release() bool {
	h := w.someHold(tape.HoldOpen)
	if h == nil {
		return false
	}
	w.begin("Release", "release", h.account.record.ID)
	h.record.State = tape.HoldReleased
	for _, i := range h.left {
		w.move2(h.account, i, spot{Released, h.account.record.ID, i})
	}
	w.saveHold(h)
	w.commit()
	return true
}

func (w *world) freeAgain(p *purse, places []int) {
	for _, i := range places {
		p.free[i] = true
		w.move2(p, i, spot{Free, p.record.ID, i})
	}
}

func (w *world) reclaim() bool {
	h := w.someHold(tape.HoldReleased)
	if h == nil {
		return false
	}
	w.begin("Reclaim", "reclaim", h.account.record.ID)
	w.freeAgain(h.account, h.left)
	h.left, h.record.State = nil, tape.HoldReclaimed
	w.saveHold(h)
	w.head(h.account)
	w.commit()
	return true
}

// giveBack returns a part of what a hold paid out.
func (w *world) giveBack() bool {
	h := w.someHold(tape.HoldOpen, tape.HoldCaptured, tape.HoldReclaimed)
	if h == nil || !h.record.To.Outside() || len(h.captured) == len(h.returned) {
		return false
	}
	back := h.captured[len(h.returned):]
	back = back[:1+w.random.IntN(len(back))]
	h.returned = append(h.returned, back...)
	p := h.account
	entry := w.begin("Return", "return", p.record.ID)
	entry.Evidence = []tape.Evidence{{Kind: "statement", Reference: "lines/" + string(bank) + "/x/1", Line: 3}}
	posting := tape.Posting{From: h.record.To, To: p.record.ID, Amount: vnd(len(back)), Line: h.record.ID, Origin: h.record.Entry}
	if p.record.Attribution == tape.Pooled {
		posting.Inflow = entry.Reference() + "/0"
		f := &worldInflow{account: p, record: tape.Inflow{V: 1, Account: p.record.ID, Source: posting.Inflow, From: h.record.To, Amount: posting.Amount, Origin: h.record.Entry, At: w.at}}
		f.tokens = make([]token, len(back))
		w.inflows = append(w.inflows, f)
		w.write(tape.InflowKey(p.record.ID, posting.Inflow), f.record)
	} else {
		posting.Laid = spansOf(back)
		for _, i := range back {
			w.back[p.units[i]]++
		}
		w.freeAgain(p, back)
		w.head(p)
	}
	entry.Postings = append(entry.Postings, posting)
	w.saveHold(h)
	w.commit()
	return true
}

func (w *world) openJob() bool {
	p := w.any()
	places := w.take(p, 4+w.random.IntN(12))
	if places == nil {
		return false
	}
	entry := w.begin("OpenJob", "open-job", p.record.ID)
	j := &worldJob{account: p, units: places, record: tape.Job{V: 1, Account: p.record.ID, ID: entry.ID, Amount: vnd(len(places)), Spans: spansOf(places), State: tape.JobOpen, Entry: entry.Reference()}}
	for left := places; len(left) > 0; {
		n := 1 + w.random.IntN(len(left))
		j.chunks, left = append(j.chunks, left[:n]), left[n:]
	}
	j.record.Chunks = int32(len(j.chunks))
	for _, i := range places {
		w.move2(p, i, spot{InJob, p.record.ID, i})
	}
	w.jobs = append(w.jobs, j)
	w.write(tape.JobKey(p.record.ID, j.record.ID), j.record)
	w.head(p)
	w.commit()
	return true
}

func (w *world) runChunk() bool {
	if len(w.jobs) == 0 {
		return false
	}
	j := w.jobs[w.random.IntN(len(w.jobs))]
	if j.record.State != tape.JobOpen || j.ran == len(j.chunks) {
		return false
	}
	places, offset := j.chunks[j.ran], 0
	for _, before := range j.chunks[:j.ran] {
		offset += len(before)
	}
	entry := w.begin("RunChunk", "run-chunk", j.account.record.ID)
	cut := w.random.IntN(len(places) + 1)
	if cut > 0 {
		w.pay(j.account, w.other(j.account), places[:cut], "l0")
	}
	if cut < len(places) {
		w.newHold(j.account, tape.ChunkHold(j.record.ID, int32(j.ran), 1), places[cut:], "outside:household:pjjipoagkpkamplohdoaeejnmclbgjid", false)
	}
	w.write(tape.ChunkKey(j.account.record.ID, j.record.ID, int32(j.ran)), tape.Chunk{V: 1, Account: j.account.record.ID, Job: j.record.ID, N: int32(j.ran),
		Part: tape.Span{Start: int64(offset), End: int64(offset + len(places))}, Entry: entry.Reference()})
	j.ran++
	w.commit()
	return true
}

func (w *world) closeJob() bool {
	if len(w.jobs) == 0 {
		return false
	}
	j := w.jobs[w.random.IntN(len(w.jobs))]
	if j.record.State != tape.JobOpen {
		return false
	}
	w.begin("CloseJob", "close-job", j.account.record.ID)
	j.record.State = tape.JobClosed
	if j.ran < len(j.chunks) {
		var left []int
		for _, chunk := range j.chunks[j.ran:] {
			left = append(left, chunk...)
		}
		j.record.State, j.record.Left = tape.JobAbandoned, spansOf(left)
		w.freeAgain(j.account, left)
		w.head(j.account)
	}
	w.write(tape.JobKey(j.account.record.ID, j.record.ID), j.record)
	w.commit()
	return true
}

// reverse refunds a gift that is wholly free, or charges back what of it is free.
func (w *world) reverse() bool {
	if len(w.gifts) == 0 {
		return false
	}
	g := w.gifts[w.random.IntN(len(w.gifts))]
	var p *purse
	for _, a := range w.accounts {
		if a.record.ID == g.at.Account {
			p = a
		}
	}
	if g.start < 0 || g.kept > 0 || g.reversed || p.record.Attribution == tape.Pooled {
		return false
	}
	var places []int
	for i := g.start; i < g.start+g.amount; i++ {
		if p.free[i] {
			places = append(places, i)
		}
	}
	if len(places) == 0 {
		return false
	}
	g.reversed = true
	for _, i := range places {
		p.free[i] = false
	}
	reversal := tape.Reversal{V: 1, Kind: "refund", Span: tape.Span{Start: int64(g.start), End: int64(g.start + g.amount)}}
	if len(places) == g.amount {
		entry := w.begin("Refund", "refund", p.record.ID)
		w.newHold(p, entry.ID, places, "outside:giver:g", true)
		reversal.Hold, reversal.Entry = entry.ID, entry.Reference()
	} else {
		entry := w.begin("ChargeBack", "charge-back", p.record.ID)
		reversal.Kind, reversal.Entry = "chargeback", entry.Reference()
		entry.Postings = []tape.Posting{
			{From: p.record.ID, To: bank, Amount: vnd(len(places)), Taken: spansOf(places), Line: g.id},
			{From: tape.ReceivableOf(p.record.ID), To: bank, Amount: vnd(g.amount - len(places)), Memo: true, Line: g.id},
		}
		for _, i := range places {
			w.move2(p, i, spot{ChargedBack, bank, -1})
		}
	}
	w.write(tape.ReversalKey(p.record.ID, string(g.at.Page), int32(g.at.Index)), reversal)
	w.head(p)
	w.commit()
	return true
}

// run does n random acts and closes the last block.
func (w *world) run(n int) {
	acts := []func() bool{w.receive, w.receive, w.settlePage, w.settlePage, w.settlePage, w.match, w.spend, w.spend, w.settleInflow, w.settleInflow, w.settleInflow,
		w.order, w.capture, w.capture, w.release, w.reclaim, w.giveBack, w.openJob, w.runChunk, w.runChunk, w.closeJob, w.reverse}
	for done := 0; done < n; {
		if acts[w.random.IntN(len(acts))]() {
			done++
		}
	}
	w.block()
}
