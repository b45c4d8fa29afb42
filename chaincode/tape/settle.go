package tape

import (
	"math/bits"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// SettleMax is the most pages and inflows one command settles.
const SettleMax = 50

// Settle gives pages and inflows their spans at the end of an account's tape,
// in the order of the items.
type Settle struct {
	Account AccountID    `json:"account"`
	ID      ID           `json:"id"`
	Items   []SettleItem `json:"items"`
}

// SettleItem names one source and the evidence it rests on: for a page of
// gifts exactly one of Lines, Processor and SelfDeclared, or none where a
// match has already used the bank lines; for an inflow none. A page for which a
// processor's file was filed rests on that file: its bank line is used. Where
// other rules than the tape's govern the account, SelfDeclared is theirs to give.
type SettleItem struct {
	Lines        *LinesRef `json:"lines,omitempty"`
	Processor    ID        `json:"processor,omitempty"`
	SelfDeclared bool      `json:"selfDeclared,omitempty"`
	// Source is a page's id, or an inflow's organisation/entry/index.
	Source string `json:"source"`
}

// LinesRef names a page of statement lines.
type LinesRef struct {
	N         int32 `json:"n"`
	Statement ID    `json:"statement"`
}

// name is the source in a sentence, which repeats nothing that cannot be one.
func (i SettleItem) name() string {
	for part := range strings.SplitSeq(i.Source, "/") {
		if err := ID(part).Check(); err != nil {
			return ID(part).String()
		}
	}
	return i.Source
}

// Source is what an item names, as far as it is on the ledger.
type Source struct {
	Page      *Page
	Inflow    *Inflow
	From      *Account // the one that Inflow comes from, nil where it is outside
	Lines     *Lines
	Used      Used
	Processor *Processor
	// Settled is set when the source was settled or split before.
	Settled *Settled
}

// Settlements is what a settle comes to: records to write, beside the head.
type Settlements struct {
	Settlements []Settlement
	// Used are the new notes of used lines, by their index in the items; nil where an item uses none.
	Used []*Used
}

// Check refuses a malformed command.
func (c Settle) Check() error {
	if err := c.ID.Check(); err != nil {
		return rule.Field("id", err)
	}
	if len(c.Items) == 0 || len(c.Items) > SettleMax {
		return rule.Field("items", rule.Refuse(rule.Invalid, "holds %d; 1 to %d are possible", len(c.Items), SettleMax))
	}
	seen := map[string]bool{}
	for i, item := range c.Items {
		if seen[item.Source] {
			return rule.Item("items", i, rule.Refuse(rule.Invalid, "%s stands twice", item.Source))
		}
		seen[item.Source] = true
		if item.Lines != nil {
			key := LinesKey("", item.Lines.Statement, item.Lines.N)
			if seen[key] {
				return rule.Item("items", i, rule.Refuse(rule.WrongState, "page %d of statement %s settles another item already", item.Lines.N, item.Lines.Statement))
			}
			seen[key] = true
		}
	}
	return nil
}

// Settle judges the command; sources stand in the order of its items.
func (h Head) Settle(account Account, c Settle, sources []Source, ctx Context) (Head, Settlements, Entry, error) {
	refuse := func(err error) (Head, Settlements, Entry, error) { return h, Settlements{}, Entry{}, err }
	if err := account.sponsor(ctx); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "settle", string(account.ID))
	result := Settlements{Used: make([]*Used, len(c.Items))}
	for i, item := range c.Items {
		var settlement Settlement
		var err error
		if h, settlement, result.Used[i], entry, err = h.settleSource(account, item, sources[i], ctx, entry); err != nil {
			return refuse(rule.Item("items", i, err))
		}
		result.Settlements = append(result.Settlements, settlement)
	}
	if err := h.Check(); err != nil {
		return refuse(err)
	}
	return h, result, entry, nil
}

// settleSource settles one source, and notes the bank lines that it uses up.
// Where an account has rules of its own, its sponsor's word alone is no evidence.
func (h Head) settleSource(account Account, item SettleItem, source Source, ctx Context, entry Entry) (Head, Settlement, *Used, Entry, error) {
	refuse := func(err error) (Head, Settlement, *Used, Entry, error) { return h, Settlement{}, nil, entry, err }
	if item.SelfDeclared && account.Subject != ctx.Subject {
		return refuse(rule.Refuse(rule.Forbidden, "%s is spent by the commands of %s; what no line of the bank shows settles there by Declare, which a maker and a checker sign", account.ID, subjectName(account.Subject)))
	}
	evidence, used, err := source.evidence(account, item)
	if err != nil {
		return refuse(err)
	}
	h, settlement, err := h.settle(source.amount().Units, source.fee(), item.Source, evidence, entry)
	if err != nil {
		return refuse(err)
	}
	if evidence.Kind == SelfDeclared || source.onWord(account) {
		h.Declared += settlement.Span.Length()
	}
	entry.Evidence = append(entry.Evidence, evidence)
	if source.Page != nil {
		entry.Postings = append(entry.Postings, Posting{From: account.Custodian, To: account.ID,
			Amount: source.Page.Total, Laid: Spans{settlement.Span}, Line: ID(item.Source)})
	}
	h, entry, err = h.payFee(account, settlement, source.Processor, entry)
	return h, settlement, used, entry, err
}

// onWord reports whether nobody but its receiver ever showed an inflow: the gift
// that it brings was only declared, or it brings none and comes from an account
// that the same sponsor settles by its word and spends from. Money of other rules
// (Subject) is counted by these.
func (s Source) onWord(account Account) bool {
	if s.Inflow == nil || s.Inflow.Gift != nil {
		return s.Inflow != nil && s.Inflow.Declared
	}
	return s.From != nil && s.From.Organisation == account.Organisation && s.From.Subject == ""
}

// Declare settles one page by its receiver's word alone, as a command of the
// rules that govern the account: who has to sign it is theirs to say.
func (h Head) Declare(account Account, id, page ID, source Source, ctx Context) (Head, Settlement, Entry, error) {
	refuse := func(err error) (Head, Settlement, Entry, error) { return h, Settlement{}, Entry{}, err }
	if err := account.sponsor(ctx); err != nil {
		return refuse(err)
	}
	h, settlement, _, entry, err := h.settleSource(account, SettleItem{Source: string(page), SelfDeclared: true}, source, ctx, ctx.Entry(id, "declare", string(account.ID)))
	if err != nil {
		return refuse(rule.Field("page", err))
	}
	if err := h.Check(); err != nil {
		return refuse(err)
	}
	return h, settlement, entry, nil
}

// payFee spends what a processor kept, out of the page's own units: the bank
// never saw that money, and no other giver's pays for it.
func (h Head) payFee(account Account, settlement Settlement, processor *Processor, entry Entry) (Head, Entry, error) {
	if settlement.Fee == 0 {
		return h, entry, nil
	}
	kept := Span{settlement.Span.End - settlement.Fee, settlement.Span.End}
	h, err := h.takeSpan(kept)
	if err != nil {
		return h, entry, err
	}
	h = h.withdraw(processor.Fee.Units, "processor")
	entry.Postings = append(entry.Postings, Posting{From: account.ID, To: processor.FeeTo, Amount: *processor.Fee, Taken: Spans{kept}, Line: processor.Page})
	return h, entry, nil
}

// fee is what a processor kept of the source, in minor units.
func (s Source) fee() int64 {
	if s.Processor == nil || s.Processor.Fee == nil {
		return 0
	}
	return s.Processor.Fee.Units
}

// Own are the units of a gift that begins at an offset of its page: those that
// arrived, and those that a processor kept of it; either may be empty.
//
// A fee is shared by amount: of the first n units of a page the processor kept
// the whole part of n × fee / total. So each gift bears its share to the unit,
// the shares come to the fee exactly, and a gift's share is known without the
// other gifts. What arrived lies in the order of the page, the fee behind it.
func (s Settlement) Own(offset, amount int64) (arrived, kept Span) {
	before, after := s.feeOf(offset), s.feeOf(offset+amount)
	behind := s.Span.End - s.Fee
	return Span{s.Span.Start + offset - before, s.Span.Start + offset + amount - after}, Span{behind + before, behind + after}
}

// feeOf is what a processor kept of the first units of a page. The product of
// two amounts needs 128 bits.
func (s Settlement) feeOf(units int64) int64 {
	if s.Fee == 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(units), uint64(s.Fee))
	share, _ := bits.Div64(high, low, uint64(s.Span.Length())) // units and fee are at most the page's total
	return int64(share)
}

func (s Source) amount() money.Amount {
	if s.Inflow != nil {
		return s.Inflow.Amount
	}
	return s.Page.Total
}

// evidence judges what an item rests on and notes the bank lines it uses up.
func (s Source) evidence(account Account, item SettleItem) (Evidence, *Used, error) {
	if s.Page == nil && s.Inflow == nil {
		return Evidence{}, nil, rule.Refuse(rule.NotFound, "%s has no page or inflow %s", account.ID, item.name())
	}
	if err := s.Settled.used(item.Source); err != nil {
		return Evidence{}, nil, err
	}
	if s.Inflow != nil || s.Page.Evidence != nil {
		return s.own(item)
	}
	if p := s.Processor; p != nil && item.Processor != p.ID {
		return Evidence{}, nil, p.settles()
	}
	if item.given() != 1 {
		return Evidence{}, nil, rule.Refuse(rule.Invalid, "%s needs exactly one of lines, processor and selfDeclared", item.Source)
	}
	switch {
	case item.Lines != nil:
		return s.byLines(account, *item.Lines)
	case item.Processor != "":
		return s.byProcessor(item.Processor)
	}
	return Evidence{Kind: SelfDeclared}, nil, nil
}

// used refuses a source that was settled, split or withdrawn.
func (s *Settled) used(source string) error {
	switch {
	case s == nil:
		return nil
	case s.Withdrawn != "":
		return rule.Refuse(rule.WrongState, "page %s was withdrawn by %s (%s)", source, s.Entry, s.Withdrawn)
	case s.N == 0:
		return rule.Refuse(rule.WrongState, "page %s was split into %s.m and %s.u; settle those", source, source, source)
	}
	return rule.Refuse(rule.WrongState, "%s is settled already, by settlement %d", source, s.N)
}

// settles refuses whatever else would settle the page of a processor's file:
// the bank line of the file would be lost.
func (p Processor) settles() error {
	return rule.Refuse(rule.WrongState, "page %s has the processor's file %s, which uses line %d of %s; settle the page by it", p.Page, p.ID, p.Line.Line, p.Line.Reference)
}

// SelfDeclared is the evidence of gifts that only their receiver says it got.
const SelfDeclared = "self-declared"

// own is the evidence that an inflow or a matched page carries itself.
func (s Source) own(item SettleItem) (Evidence, *Used, error) {
	if item.given() > 0 {
		return Evidence{}, nil, rule.Refuse(rule.Invalid, "%s carries its own evidence; name no other", item.Source)
	}
	if s.Inflow != nil {
		return Evidence{Kind: "entry", Reference: s.Inflow.Source}, nil, nil
	}
	return *s.Page.Evidence, nil, nil
}

// given counts the kinds of evidence that an item names.
func (i SettleItem) given() int {
	given := 0
	for _, is := range []bool{i.Lines != nil, i.Processor != "", i.SelfDeclared} {
		if is {
			given++
		}
	}
	return given
}

func (s Source) byLines(account Account, ref LinesRef) (Evidence, *Used, error) {
	lines, page := s.Lines, s.Page
	if lines == nil {
		return Evidence{}, nil, rule.Refuse(rule.NotFound, "page %d of statement %s of %s is not filed", ref.N, ref.Statement, account.Custodian)
	}
	if lines.Side != CreditSide {
		return Evidence{}, nil, rule.Refuse(rule.Conflict, "page %d of statement %s holds debit lines", ref.N, ref.Statement)
	}
	if lines.Count != page.Count || lines.Total != page.Total {
		return Evidence{}, nil, rule.Refuse(rule.Conflict, "page %s holds %d gifts of %s, page %d of statement %s %d lines of %s; match them instead",
			page.ID, page.Count, page.Total, ref.N, ref.Statement, lines.Count, lines.Total)
	}
	if lines.Matches != page.Matches {
		return Evidence{}, nil, rule.Refuse(rule.Conflict, "page %s and page %d of statement %s differ in amounts or references; match them instead", page.ID, ref.N, ref.Statement)
	}
	used, err := s.Used.use(*lines, Span{0, int64(lines.Count)})
	if err != nil {
		return Evidence{}, nil, err
	}
	return Evidence{Kind: "statement", Reference: LinesKey(lines.Account, lines.Statement, lines.N)}, &used, nil
}

func (s Source) byProcessor(id ID) (Evidence, *Used, error) {
	p := s.Processor
	if p == nil {
		return Evidence{}, nil, rule.Refuse(rule.NotFound, "processor's file %s is not filed", id)
	}
	if p.Page != s.Page.ID || p.Count != s.Page.Count || p.Total != s.Page.Total || p.Matches != s.Page.Matches {
		return Evidence{}, nil, rule.Refuse(rule.Conflict, "processor's file %s holds %d gifts of %s for page %s, page %s holds %d of %s or other gifts",
			id, p.Count, p.Total, p.Page, s.Page.ID, s.Page.Count, s.Page.Total)
	}
	return Evidence{Kind: "processor", Reference: ProcessorKey(p.Account, p.Page)}, nil, nil
}

// FileProcessor files a payment processor's file for one page: the gifts it
// lists, the one bank line that carries them, and what the processor kept.
type FileProcessor struct {
	Account AccountID     `json:"account"`
	Count   int32         `json:"count"`
	Fee     *money.Amount `json:"fee,omitempty"`
	FeeTo   AccountID     `json:"feeTo,omitempty"`
	ID      ID            `json:"id"`
	Line    LineProof     `json:"line"`
	Matches merkle.Hash   `json:"matches"`
	Page    ID            `json:"page"`
	Total   money.Amount  `json:"total"`
}

// FileProcessor judges the command; page is the one it lists, nil when there is none, settled whether
// that is used up already, known its earlier file, lines and used are those of the bank line.
func (a Account) FileProcessor(c FileProcessor, page *Page, settled *Settled, known *Processor, lines Lines, used Used, ctx Context) (Processor, Used, Entry, error) {
	refuse := func(err error) (Processor, Used, Entry, error) { return Processor{}, used, Entry{}, err }
	if err := c.check(a.Currency); err != nil {
		return refuse(err)
	}
	if err := a.sponsor(ctx); err != nil {
		return refuse(err)
	}
	// Asked before the line is used up: a line spent on a page that cannot settle by it is lost as evidence.
	if err := c.lists(page, settled); err != nil {
		return refuse(rule.Field("page", err))
	}
	if known != nil {
		return refuse(rule.Field("page", rule.Refuse(rule.Exists, "%s has the processor's file %s already, by %s", c.Page, known.ID, known.Entry)))
	}
	if lines.Account != a.Custodian {
		return refuse(rule.Field("line", rule.Refuse(rule.Conflict, "is of %s, the account's money is at %s", lines.Account, a.Custodian)))
	}
	line, err := c.Line.check(lines, CreditSide)
	if err != nil {
		return refuse(rule.Field("line", err))
	}
	arrived := c.Total.Units
	if c.Fee != nil {
		arrived -= c.Fee.Units
	}
	if line.Amount != money.New(arrived, a.Currency) {
		return refuse(rule.Field("line", rule.Refuse(rule.Conflict, "carries %s, total less fee is %s", line.Amount, money.New(arrived, a.Currency))))
	}
	if used, err = used.use(lines, Span{int64(c.Line.Index), int64(c.Line.Index) + 1}); err != nil {
		return refuse(rule.Field("line", err))
	}
	entry := ctx.Entry(c.ID, "file-processor", string(a.ID))
	entry.Evidence = []Evidence{c.Line.evidence(lines, line)}
	return Processor{V: 1, Account: a.ID, ID: c.ID, Page: c.Page, Matches: c.Matches, Count: c.Count, Total: c.Total,
		Fee: c.Fee, FeeTo: c.FeeTo, Line: entry.Evidence[0], Entry: entry.Reference()}, used, entry, nil
}

// lists refuses a page that is settled, or holds other gifts than the file.
func (c FileProcessor) lists(page *Page, settled *Settled) error {
	if page == nil {
		return rule.Refuse(rule.NotFound, "%s does not exist", c.Page)
	}
	if err := page.open(settled); err != nil {
		return err
	}
	if c.Count != page.Count || c.Total != page.Total || c.Matches != page.Matches {
		return rule.Refuse(rule.Conflict, "%s holds %d gifts of %s, the file %d of %s or other gifts", page.ID, page.Count, page.Total, c.Count, c.Total)
	}
	return nil
}

// open refuses a page whose money has come, or never will.
func (p Page) open(settled *Settled) error {
	if err := settled.used(string(p.ID)); err != nil {
		return err
	}
	if p.Evidence != nil {
		return rule.Refuse(rule.WrongState, "page %s rests on %s already; settle it", p.ID, p.Evidence.Reference)
	}
	return nil
}

// waits refuses a page that is not open, or that a processor's file settles.
func (p Page) waits(settled *Settled, processor *Processor) error {
	if err := p.open(settled); err != nil {
		return err
	}
	if processor != nil {
		return processor.settles()
	}
	return nil
}

func (c FileProcessor) check(currency money.Currency) error {
	if err := c.ID.Check(); err != nil {
		return rule.Field("id", err)
	}
	if err := c.Page.Check(); err != nil {
		return rule.Field("page", err)
	}
	if c.Count < 1 || c.Count > PageGiftsMax {
		return rule.Field("count", rule.Refuse(rule.Invalid, "is %d; 1 to %d are possible", c.Count, PageGiftsMax))
	}
	if err := c.Total.Positive(currency); err != nil {
		return rule.Field("total", err)
	}
	return c.checkFee(currency)
}

func (c FileProcessor) checkFee(currency money.Currency) error {
	if (c.Fee == nil) != (c.FeeTo == "") {
		return rule.Field("feeTo", rule.Refuse(rule.Invalid, "goes with fee: give both or neither"))
	}
	if c.Fee == nil {
		return nil
	}
	if err := c.Fee.Positive(currency); err != nil {
		return rule.Field("fee", err)
	}
	if err := c.FeeTo.Check(); err != nil || !c.FeeTo.Outside() {
		return rule.Field("feeTo", rule.Refuse(rule.Invalid, "is not outside the ledger"))
	}
	if c.Fee.Units >= c.Total.Units {
		return rule.Field("fee", rule.Refuse(rule.Invalid, "%s is not less than the total %s", c.Fee, c.Total))
	}
	return nil
}

// Match compares a page of gifts that matches no page of lines as a whole with
// lines of the bank, gift by gift, and splits it: what was found can be
// settled, what was not stays pending, with its reasons.
type Match struct {
	Account AccountID    `json:"account"`
	Gifts   []row        `json:"gifts"`
	ID      ID           `json:"id"`
	Lines   []MatchLines `json:"lines"`
	Page    ID           `json:"page"`
}

// MatchLines is the body of one page of lines.
type MatchLines struct {
	Lines     []row `json:"lines"`
	N         int32 `json:"n"`
	Statement ID    `json:"statement"`
}

// NewMatch makes the command from what a gateway holds.
func NewMatch(account AccountID, id, page ID, gifts []Gift, statement ID, n int32, lines []Line) Match {
	c := Match{Account: account, ID: id, Page: page, Lines: []MatchLines{{N: n, Statement: statement}}}
	for _, gift := range gifts {
		r, _, _ := readRow(gift.Row())
		c.Gifts = append(c.Gifts, r)
	}
	for _, line := range lines {
		r, _, _ := readRow(line.Row())
		c.Lines[0].Lines = append(c.Lines[0].Lines, r)
	}
	return c
}

// Split is what a match comes to: the gifts that found a line in the order of
// the evidence, and those that did not in their own order.
type Split struct {
	Matched, Unmatched []Gift
	// Used are the indexes of used lines.
	Used    Spans
	Reasons []Unmatched
}

// Split matches by reference and amount, first come first served on both sides.
func (c Match) Split() (Split, error) {
	gifts, lines, err := c.bodies()
	if err != nil {
		return Split{}, err
	}
	return split(gifts, lines, Used{}), nil
}

func (c Match) bodies() ([]Gift, []Line, error) {
	if len(c.Lines) != 1 {
		return nil, nil, rule.Field("lines", rule.Refuse(rule.Invalid, "holds %d pages; one is matched at a time", len(c.Lines)))
	}
	if len(c.Gifts) > PageGiftsMax || len(c.Lines[0].Lines) > LinesMax {
		return nil, nil, rule.Field("gifts", rule.Refuse(rule.Invalid, "a page holds %d at most", PageGiftsMax))
	}
	gifts := make([]Gift, len(c.Gifts))
	for i, r := range c.Gifts {
		var err error
		if gifts[i], err = giftOf(r); err != nil {
			return nil, nil, rule.Item("gifts", i, err)
		}
	}
	lines := make([]Line, len(c.Lines[0].Lines))
	for i, r := range c.Lines[0].Lines {
		var err error
		if lines[i], err = lineOf(r); err != nil {
			return nil, nil, rule.Item("lines", i, err)
		}
	}
	return gifts, lines, nil
}

// split finds for each line, in the order of the evidence, the first gift with
// its reference and amount.
func split(gifts []Gift, lines []Line, used Used) Split {
	waiting := map[string][]int{}
	referenced := map[string]bool{}
	for i, gift := range gifts {
		key := gift.Amount.String() + " " + gift.Reference
		waiting[key] = append(waiting[key], i)
	}
	found := make([]bool, len(gifts))
	var s Split
	for i, line := range lines {
		if len(used.Lines.Within(Span{int64(i), int64(i) + 1})) > 0 {
			continue
		}
		referenced[line.Reference] = true
		key := line.Amount.String() + " " + line.Reference
		if line.Reference == "" || len(waiting[key]) == 0 {
			continue
		}
		index := waiting[key][0]
		waiting[key] = waiting[key][1:]
		found[index] = true
		s.Matched = append(s.Matched, gifts[index])
		s.Used = append(s.Used, Span{int64(i), int64(i) + 1})
	}
	noLine, differs := int32(0), int32(0)
	for i, gift := range gifts {
		if found[i] {
			continue
		}
		s.Unmatched = append(s.Unmatched, gift)
		if gift.Reference != "" && referenced[gift.Reference] {
			differs++
		} else {
			noLine++
		}
	}
	if differs > 0 {
		s.Reasons = append(s.Reasons, Unmatched{Reason: "amount-differs", Count: differs})
	}
	if noLine > 0 {
		s.Reasons = append(s.Reasons, Unmatched{Reason: "no-line", Count: noLine})
	}
	return s
}

// Match judges the command. It returns the new pages (the second is nil when
// every gift found its line) and the note of used lines.
func (a Account) Match(c Match, page Page, settled *Settled, processor *Processor, lines Lines, used Used, ctx Context) (matched, rest *Page, after Used, entry Entry, err error) {
	refuse := func(err error) (*Page, *Page, Used, Entry, error) { return nil, nil, used, Entry{}, err }
	if err := c.ID.Check(); err != nil {
		return refuse(rule.Field("id", err))
	}
	if err := a.sponsor(ctx); err != nil {
		return refuse(err)
	}
	if err := page.waits(settled, processor); err != nil {
		return refuse(rule.Field("page", err))
	}
	gifts, body, err := c.bodies()
	if err != nil {
		return refuse(err)
	}
	if err := a.sameBodies(page, gifts, lines, body); err != nil {
		return refuse(err)
	}
	s := split(gifts, body, used)
	if len(s.Matched) == 0 {
		return refuse(rule.Refuse(rule.Conflict, "no gift of page %s has its line on page %d of statement %s", page.ID, lines.N, lines.Statement))
	}
	if used, err = used.use(lines, s.Used...); err != nil {
		return refuse(err)
	}
	entry = ctx.Entry(c.ID, "match", string(a.ID))
	entry.Evidence = []Evidence{{Kind: "statement", Reference: LinesKey(lines.Account, lines.Statement, lines.N)}}
	first, err := pageOf(a.ID, page.ID+MatchedSuffix, s.Matched, a.Currency, ctx)
	if err != nil {
		return refuse(err)
	}
	first.Parent, first.Evidence = page.ID, &entry.Evidence[0]
	if len(s.Unmatched) == 0 {
		return &first, nil, used, entry, nil
	}
	second, err := pageOf(a.ID, page.ID+UnmatchedSuffix, s.Unmatched, a.Currency, ctx)
	second.Parent, second.Unmatched = page.ID, s.Reasons
	return &first, &second, used, entry, err
}

// The pages that a match makes are named after their parent.
const (
	MatchedSuffix   = ".m"
	UnmatchedSuffix = ".u"
)

// sameBodies refuses bodies that are not the ones on the ledger.
func (a Account) sameBodies(page Page, gifts []Gift, lines Lines, body []Line) error {
	root, _, _, err := GiftsBody(gifts)
	if err != nil {
		return err
	}
	if len(gifts) == 0 || root != page.Root {
		return rule.Field("gifts", rule.Refuse(rule.Conflict, "are not those of page %s", page.ID))
	}
	if len(page.ID)+len(MatchedSuffix) > IDMax {
		return rule.Field("page", rule.Refuse(rule.Invalid, "its id is too long to be split"))
	}
	return a.sameLines(lines, body)
}

// sameLines refuses a body of credit lines that is not the one filed for this account's bank account.
func (a Account) sameLines(lines Lines, body []Line) error {
	got, _, err := LinesBody(lines.Side, body)
	if err != nil {
		return err
	}
	if got != lines.LinesPage || lines.Account != a.Custodian || lines.Side != CreditSide {
		return rule.Field("lines", rule.Refuse(rule.Conflict, "are not the credit lines of page %d of statement %s of %s", lines.N, lines.Statement, a.Custodian))
	}
	return nil
}

// ReceiveUnidentified puts the bank lines that no gift has claimed on a page
// of the account that holds unidentified money.
type ReceiveUnidentified struct {
	Account   AccountID `json:"account"`
	ID        ID        `json:"id"`
	Lines     []row     `json:"lines"`
	N         int32     `json:"n"`
	Statement ID        `json:"statement"`
}

// NewReceiveUnidentified makes the command from what a gateway holds.
func NewReceiveUnidentified(account AccountID, id, statement ID, n int32, lines []Line) ReceiveUnidentified {
	c := ReceiveUnidentified{Account: account, ID: id, N: n, Statement: statement}
	for _, line := range lines {
		r, _, _ := readRow(line.Row())
		c.Lines = append(c.Lines, r)
	}
	return c
}

// Gifts are the lines that used leaves over, as gifts named after their lines.
func (c ReceiveUnidentified) Gifts(used Used) ([]Gift, []Line, Used, error) {
	var gifts []Gift
	lines := make([]Line, len(c.Lines))
	if len(c.Lines) > LinesMax {
		return nil, nil, used, rule.Field("lines", rule.Refuse(rule.Invalid, "holds more than %d", LinesMax))
	}
	var left Spans
	for i, r := range c.Lines {
		var err error
		if lines[i], err = lineOf(r); err != nil {
			return nil, nil, used, rule.Item("lines", i, err)
		}
		index := Span{int64(i), int64(i) + 1}
		if len(used.Lines.Within(index)) > 0 {
			continue
		}
		gifts = append(gifts, Gift{ID: ID("line-" + strconv.Itoa(int(lines[i].Number))), Amount: lines[i].Amount, Reference: lines[i].Reference})
		left = append(left, index)
	}
	all, err := used.Lines.Add(left...)
	return gifts, lines, Used{V: 1, Lines: all}, err
}

// ReceiveUnidentified judges the command.
func (a Account) ReceiveUnidentified(c ReceiveUnidentified, lines Lines, used Used, ctx Context) (Page, Used, Entry, error) {
	refuse := func(err error) (Page, Used, Entry, error) { return Page{}, used, Entry{}, err }
	if err := c.ID.Check(); err != nil {
		return refuse(rule.Field("id", err))
	}
	// Not the custodian: it could take lines away from pages that are still to be settled.
	if err := a.sponsor(ctx); err != nil {
		return refuse(err)
	}
	if a.Unidentified == "" {
		return refuse(rule.Field("account", rule.Refuse(rule.WrongState, "%s does not hold unidentified money", a.ID)))
	}
	gifts, body, after, err := c.Gifts(used)
	if err != nil {
		return refuse(err)
	}
	if err := a.sameLines(lines, body); err != nil {
		return refuse(err)
	}
	if len(gifts) == 0 {
		return refuse(rule.Field("lines", rule.Refuse(rule.WrongState, "are all settled already")))
	}
	page, err := pageOf(a.ID, c.ID, gifts, a.Currency, ctx)
	if err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "receive-unidentified", string(a.ID))
	entry.Evidence = []Evidence{{Kind: "statement", Reference: LinesKey(lines.Account, lines.Statement, lines.N)}}
	page.Evidence = &entry.Evidence[0]
	return page, after, entry, nil
}

// Inflow reports whether the item names an inflow, not a page.
func (i SettleItem) Inflow() bool { return strings.Contains(i.Source, "/") }

// Keys are what the items name on the account itself.
func (c Settle) Keys() []string {
	var keys []string
	for _, item := range c.Items {
		if item.Inflow() {
			keys = append(keys, InflowKey(c.Account, item.Source))
		} else {
			keys = append(keys, PageKey(c.Account, ID(item.Source)))
		}
		keys = append(keys, SettledKey(c.Account, item.Source))
		if !item.Inflow() {
			keys = append(keys, ProcessorKey(c.Account, ID(item.Source)))
		}
	}
	return keys
}

// Check refuses a malformed command.
func (c Match) Check() error {
	_, _, err := c.bodies()
	return err
}
