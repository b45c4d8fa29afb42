package tape

import (
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// LinesMax is the most lines one page of a statement holds, StatementPagesMax
// the most pages one statement holds.
const (
	LinesMax          = 2000
	StatementPagesMax = 2000
)

// FileStatement files the head of a bank statement: the balances, and each
// page of lines by its root. The pages' bodies follow, one FileLines each.
type FileStatement struct {
	Account  AccountID    `json:"account"`
	Closing  money.Amount `json:"closing"`
	Count    int32        `json:"count"`
	From     Date         `json:"from"`
	ID       ID           `json:"id"`
	Opening  money.Amount `json:"opening"`
	Pages    []LinesPage  `json:"pages"`
	Previous ID           `json:"previous,omitempty"`
	To       Date         `json:"to"`
}

// File judges the command against the last statement of the bank account; the
// zero Statements stands before the first.
func (s Statements) File(c FileStatement, ctx Context) (Statements, Statement, Entry, error) {
	refuse := func(err error) (Statements, Statement, Entry, error) { return s, Statement{}, Entry{}, err }
	if err := c.check(); err != nil {
		return refuse(err)
	}
	if err := keeper(c.Account, ctx); err != nil {
		return refuse(err)
	}
	if c.Previous != s.Last {
		return refuse(rule.Field("previous", rule.Refuse(rule.Conflict, "is another; the last statement filed for %s is %q", c.Account, s.Last)))
	}
	if s.Last != "" && c.Opening != s.Closing {
		return refuse(rule.Field("opening", rule.Refuse(rule.Conflict, "is %s, statement %s closed with %s", c.Opening, s.Last, s.Closing)))
	}
	if s.Last != "" && c.From < s.To {
		return refuse(rule.Field("from", rule.Refuse(rule.Conflict, "is %s, statement %s ran to %s", c.From, s.Last, s.To)))
	}
	entry := ctx.Entry(c.ID, "file-statement", string(c.Account))
	statement := Statement{V: 1, Account: c.Account, ID: c.ID, Previous: c.Previous, From: c.From, To: c.To,
		Opening: c.Opening, Closing: c.Closing, Count: c.Count, Pages: c.Pages, Entry: entry.Reference()}
	return Statements{V: 1, Last: c.ID, Closing: c.Closing, To: c.To}, statement, entry, nil
}

func (c FileStatement) check() error {
	if err := c.ID.Check(); err != nil {
		return rule.Field("id", err)
	}
	if err := c.Account.Check(); err != nil || CustodianOf(c.Account) == "" {
		return rule.Field("account", rule.Refuse(rule.Invalid, "is not a bank account; write outside:<custodian>:<name>"))
	}
	if err := c.From.Check(); err != nil {
		return rule.Field("from", err)
	}
	if err := c.To.Check(); err != nil {
		return rule.Field("to", err)
	}
	if c.To < c.From {
		return rule.Field("to", rule.Refuse(rule.Invalid, "%s is before %s", c.To, c.From))
	}
	if len(c.Pages) == 0 || len(c.Pages) > StatementPagesMax {
		return rule.Field("pages", rule.Refuse(rule.Invalid, "holds %d pages; 1 to %d are possible", len(c.Pages), StatementPagesMax))
	}
	if err := c.doubled(); err != nil {
		return err
	}
	return c.balance()
}

// doubled refuses a statement that lists one page twice. The root binds the
// lines' numbers, so equal roots are the same lines: their money would count
// once for each time they stand here.
func (c FileStatement) doubled() error {
	seen := make(map[merkle.Hash]int, len(c.Pages))
	for i, page := range c.Pages {
		if earlier, known := seen[page.Root]; known {
			return rule.Item("pages", i, rule.Refuse(rule.Conflict, "holds the same lines as page %d", earlier))
		}
		seen[page.Root] = i
	}
	return nil
}

// balance refuses a statement that does not add up: opening and credits less debits is closing.
func (c FileStatement) balance() error {
	currency := c.Opening.Currency
	if c.Closing.Currency != currency {
		return rule.Field("closing", rule.Refuse(rule.Invalid, "%s is not in %s", c.Closing, currency))
	}
	balance, count := c.Opening.Units, int64(0)
	for i, page := range c.Pages {
		if page.Side != CreditSide && page.Side != DebitSide {
			return rule.Item("pages", i, rule.Field("side", rule.Refuse(rule.Invalid, "is neither credit nor debit")))
		}
		if page.Count < 1 || page.Count > LinesMax {
			return rule.Item("pages", i, rule.Field("count", rule.Refuse(rule.Invalid, "is %d; 1 to %d are possible", page.Count, LinesMax)))
		}
		if err := page.Total.Positive(currency); err != nil {
			return rule.Item("pages", i, rule.Field("total", err))
		}
		change := page.Total.Units
		if page.Side == DebitSide {
			change = -change
		}
		var err error
		if balance, err = money.Sum(balance, change); err != nil {
			return rule.Item("pages", i, rule.Field("total", err))
		}
		count += int64(page.Count)
	}
	if count != int64(c.Count) {
		return rule.Field("count", rule.Refuse(rule.Conflict, "says %d, the pages hold %d lines", c.Count, count))
	}
	if balance != c.Closing.Units {
		return rule.Field("closing", rule.Refuse(rule.Conflict, "says %s, opening and lines come to %s", c.Closing, money.New(balance, currency)))
	}
	return nil
}

// FileLines files the body of page N of a statement, counted from 0.
type FileLines struct {
	Account   AccountID
	ID        ID
	Lines     []Line
	N         int32
	Statement ID
}

type fileLinesHeader struct {
	Account   AccountID  `json:"account"`
	ID        ID         `json:"id"`
	Lines     []struct{} `json:"lines"`
	N         int32      `json:"n"`
	Statement ID         `json:"statement"`
}

// DecodeFileLines reads the canonical argument.
func DecodeFileLines(argument []byte) (FileLines, error) {
	var header fileLinesHeader
	lines := make([]Line, 0, LinesMax)
	err := readBody(argument, "lines", LinesMax, &header, func(_ int, r row) error {
		line, err := lineOf(r)
		lines = append(lines, line)
		return err
	})
	return FileLines{header.Account, header.ID, lines, header.N, header.Statement}, err
}

// Encode writes the canonical argument.
func (c FileLines) Encode() ([]byte, error) {
	rows := make([]string, len(c.Lines))
	for i, line := range c.Lines {
		rows[i] = line.Row()
	}
	return writeBody(fileLinesHeader{c.Account, c.ID, []struct{}{}, c.N, c.Statement}, "lines", rows)
}

// FileLines judges the command: the body must be what the statement's head fixed.
func (s Statement) FileLines(c FileLines, ctx Context) (Lines, Entry, error) {
	if err := c.ID.Check(); err != nil {
		return Lines{}, Entry{}, rule.Field("id", err)
	}
	if err := keeper(s.Account, ctx); err != nil {
		return Lines{}, Entry{}, err
	}
	if c.N < 0 || int(c.N) >= len(s.Pages) {
		return Lines{}, Entry{}, rule.Field("n", rule.Refuse(rule.NotFound, "statement %s has pages 0 to %d, not %d", s.ID, len(s.Pages)-1, c.N))
	}
	want := s.Pages[c.N]
	got, _, err := LinesBody(want.Side, c.Lines)
	if err != nil {
		return Lines{}, Entry{}, err
	}
	for i, line := range c.Lines {
		if line.Date < s.From || line.Date > s.To {
			return Lines{}, Entry{}, rule.Item("lines", i, rule.Refuse(rule.Conflict, "line %d of %s is not between %s and %s", line.Number, line.Date, s.From, s.To))
		}
	}
	if err := s.fixed(c.N, want, got); err != nil {
		return Lines{}, Entry{}, rule.Field("lines", err)
	}
	entry := ctx.Entry(c.ID, "file-lines", string(s.Account))
	return Lines{V: 1, Account: s.Account, Statement: s.ID, N: c.N, LinesPage: got, Entry: entry.Reference()}, entry, nil
}

// fixed refuses a body that is not the one whose head the statement holds.
func (s Statement) fixed(n int32, want, got LinesPage) error {
	switch {
	case got.Count != want.Count:
		return rule.Refuse(rule.Conflict, "page %d of statement %s has %d lines, %d were sent", n, s.ID, want.Count, got.Count)
	case got.Total != want.Total:
		return rule.Refuse(rule.Conflict, "page %d of statement %s sums to %s, the lines sent to %s", n, s.ID, want.Total, got.Total)
	case got != want:
		return rule.Refuse(rule.Conflict, "page %d of statement %s holds other lines than those sent", n, s.ID)
	}
	return nil
}

// LineProof shows one line of a filed statement.
type LineProof struct {
	// Index counts the lines of the page from 0.
	Index     int32         `json:"index"`
	Line      row           `json:"line"`
	N         int32         `json:"n"`
	Path      []merkle.Node `json:"path"`
	Statement ID            `json:"statement"`
}

// NewLineProof proves line index of a page of lines.
func NewLineProof(statement ID, n int32, lines []Line, index int) (LineProof, error) {
	_, leaves, err := LinesBody(CreditSide, lines)
	if err != nil {
		return LineProof{}, err
	}
	path, err := merkle.Prove(leaves, index)
	if err != nil {
		return LineProof{}, err
	}
	r, _, _ := readRow(lines[index].Row())
	return LineProof{Index: int32(index), Line: r, N: n, Path: append([]merkle.Node{}, path...), Statement: statement}, nil
}

// check returns the line that the proof shows to be on the page, on this side.
func (p LineProof) check(page Lines, side Side) (Line, error) {
	line, err := lineOf(p.Line)
	if err != nil {
		return Line{}, rule.Field("line", err)
	}
	if page.Side != side {
		return Line{}, rule.Refuse(rule.Conflict, "page %d of statement %s holds %s lines, a %s line is needed", p.N, p.Statement, page.Side, side)
	}
	leaf := merkle.Leaf{Data: []byte(p.Line.String()), Amount: line.Amount.Units}
	_, err = merkle.Verify(page.Root, page.Total.Units, int(page.Count), int(p.Index), leaf, p.Path)
	return line, err
}

// evidence names the line.
func (p LineProof) evidence(page Lines, line Line) Evidence {
	return Evidence{Kind: "statement", Reference: LinesKey(page.Account, page.Statement, page.N), Line: line.Number}
}

// ShownBy is the day of the credit line that brought the gift: of its amount, and
// with its reference.
func (g Gift) ShownBy(p LineProof, page *Lines) (Date, error) {
	if page == nil {
		return "", rule.Field("line", rule.Refuse(rule.NotFound, "page %d of statement %s is not filed", p.N, p.Statement))
	}
	line, err := p.check(*page, CreditSide)
	if err != nil {
		return "", rule.Field("line", err)
	}
	if line.Amount != g.Amount || line.Reference != g.Reference || g.Reference == "" {
		return "", rule.Field("line", rule.Refuse(rule.Conflict, "%d is of %s, or has another reference than the gift of %s", line.Number, line.Amount, g.Amount))
	}
	return line.Date, nil
}

// use notes lines of a credit page as settled; one that was used before is refused.
func (u Used) use(page Lines, lines ...Span) (Used, error) {
	used, err := u.Lines.Add(lines...)
	if err != nil {
		return u, rule.Refuse(rule.WrongState, "lines of page %d of statement %s are already settled; each line settles once", page.N, page.Statement)
	}
	return Used{V: 1, Lines: used}, nil
}

// GiftProof shows one gift of a page, and where its money is when it was
// identified or moved since.
type GiftProof struct {
	Gift  row   `json:"gift"`
	Index int32 `json:"index"`
	// Moved is set where the money is not on the page's own account any more.
	Moved *Moved        `json:"moved,omitempty"`
	Page  ID            `json:"page"`
	Path  []merkle.Node `json:"path"`
}

// Moved says how a gift came to the account that a command is about.
type Moved struct {
	// Account is that of the gift's page.
	Account AccountID `json:"account"`
	// Inflow brought the gift, organisation/entry/index.
	Inflow string `json:"inflow"`
}

// NewGiftProof proves gift index of a page.
func NewGiftProof(page ID, gifts []Gift, index int) (GiftProof, error) {
	_, _, leaves, err := GiftsBody(gifts)
	if err != nil {
		return GiftProof{}, err
	}
	path, err := merkle.Prove(leaves, index)
	if err != nil {
		return GiftProof{}, err
	}
	r, _, _ := readRow(gifts[index].Row())
	return GiftProof{Gift: r, Index: int32(index), Page: page, Path: append([]merkle.Node{}, path...)}, nil
}

// home is the account of the gift's page, seen from the account of a command.
func (p GiftProof) home(account AccountID) AccountID {
	if p.Moved != nil {
		return p.Moved.Account
	}
	return account
}

// Name names the gift, seen from the account of a command.
func (p GiftProof) Name(account AccountID) GiftName {
	return GiftName{Account: p.home(account), Index: p.Index, Page: p.Page}
}

// Source is what was settled with the gift on a command's account: its page, or
// the inflow that brought it.
func (p GiftProof) Source() string {
	if p.Moved != nil {
		return p.Moved.Inflow
	}
	return string(p.Page)
}

// ReversalKey is where the gift's reversal at an account stands.
func (p GiftProof) ReversalKey(account AccountID) string {
	if p.Moved != nil {
		return ReversalKey(account, p.Moved.Inflow, 0)
	}
	return ReversalKey(account, string(p.Page), p.Index)
}

// shown returns the gift and its offset on its page.
func (p GiftProof) shown(page Page) (Gift, int64, error) {
	gift, err := giftOf(p.Gift)
	if err != nil {
		return Gift{}, 0, rule.Field("gift", err)
	}
	leaf := merkle.Leaf{Data: []byte(p.Gift.String()), Amount: gift.Amount.Units}
	offset, err := merkle.Verify(page.Root, page.Total.Units, int(page.Count), int(p.Index), leaf, p.Path)
	return gift, offset, rule.Field("path", err)
}
