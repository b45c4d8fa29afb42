package books

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// page is gifts that have no place on a tape yet.
type page struct {
	body
	// evidenced says that the bank's lines of the page have been used when it was made.
	evidenced bool
	// withdrawn says that its money never came.
	withdrawn bool
	// declared says that it was settled on its receiver's word.
	declared bool
}

// lines is one page of a filed statement; used marks its lines by index.
type lines struct {
	body
	side tape.Side
	used []bool
	// rows are those of debit lines, which payouts rest on one by one.
	rows []row
}

// processor is a payment processor's file.
type processor struct {
	id    tape.ID
	total money.Amount
	fee   *money.Amount
}

// inflow waits to be laid on its account's tape.
type inflow struct {
	amount  money.Amount
	settled bool
	from    tape.AccountID
	// gift is whose money it is, whole; nil for any other. span is where it was laid.
	gift *tape.GiftName
	span tape.Span
	// home is what of it a partner gives back to budget lines of the campaign that had paid it.
	home onLines
}

// addPage books a new page and compares it with the record that was written.
func (b *Books) addPage(account tape.AccountID, id tape.ID, p page) {
	key := tape.PageKey(account, id)
	b.once("page", key)
	b.pages[key] = &p
	stored, err := record[tape.Page](b, key)
	if err != nil {
		b.problem(key, "the page cannot be read: "+err.Error(), "", "")
		return
	}
	found := body{stored.Count, stored.Total, stored.Root, stored.Matches}
	b.differs(key, "the page's body comes to something else than its record", p.String(), found.String())
	if found.matches != p.matches {
		b.problem(key, "amounts and references of the page", p.matches.String(), found.matches.String())
	}
}

func (b *Books) receive() error {
	c, err := command[struct {
		Account tape.AccountID `json:"account"`
		ID      tape.ID        `json:"id"`
		Gifts   []row          `json:"gifts"`
	}](b)
	if err != nil {
		return err
	}
	sums, err := bodyOf(c.Gifts, ofGift)
	b.addPage(c.Account, c.ID, page{body: sums})
	b.moves(c.Account, raised, "", sums.total.Units)
	return err
}

func (b *Books) fileStatement() error {
	c, err := command[tape.FileStatement](b)
	if err != nil {
		return err
	}
	last, filed := b.closings[c.Account]
	if filed {
		b.differs(tape.StatementKey(c.Account, c.ID), "the opening balance is the closing one of "+string(last.ID), last.Closing.String(), c.Opening.String())
	}
	b.differs(tape.StatementKey(c.Account, c.ID), "the statement before", string(last.ID), string(c.Previous))
	b.once("statement", tape.StatementKey(c.Account, c.ID))
	balance := c.Opening.Units
	for _, p := range c.Pages {
		if p.Side == tape.CreditSide {
			balance += p.Total.Units
		} else {
			balance -= p.Total.Units
		}
	}
	b.differs(tape.StatementKey(c.Account, c.ID), "opening and lines come to", money.New(balance, c.Opening.Currency).String(), c.Closing.String())
	b.closings[c.Account] = c
	b.statements[tape.StatementKey(c.Account, c.ID)] = c.Pages
	return nil
}

func (b *Books) fileLines() error {
	c, err := command[struct {
		Account   tape.AccountID `json:"account"`
		Statement tape.ID        `json:"statement"`
		N         int32          `json:"n"`
		Lines     []row          `json:"lines"`
	}](b)
	if err != nil {
		return err
	}
	key := tape.LinesKey(c.Account, c.Statement, c.N)
	b.once("page of lines", key)
	heads := b.statements[tape.StatementKey(c.Account, c.Statement)]
	if int(c.N) >= len(heads) || c.N < 0 {
		return fmt.Errorf("the statement has no page %d", c.N)
	}
	sums, err := bodyOf(c.Lines, ofLine)
	if err != nil {
		return err
	}
	head := heads[c.N]
	b.lines[key] = &lines{body: sums, side: head.Side, used: make([]bool, sums.count)}
	if head.Side == tape.DebitSide {
		b.lines[key].rows = c.Lines
	}
	fixed := body{head.Count, head.Total, head.Root, head.Matches}
	b.differs(key, "the lines are those that the statement fixed", fixed.String(), sums.String())
	stored, err := record[tape.Lines](b, key)
	if err != nil {
		return err
	}
	b.differs(key, "the lines come to something else than their record", sums.String(), body{stored.Count, stored.Total, stored.Root, stored.Matches}.String())
	return nil
}

// useLine marks one line of a statement; each counts once.
func (b *Books) useLine(key string, index int, side tape.Side) error {
	l, filed := b.lines[key]
	if !filed {
		return fmt.Errorf("%s was not filed", key)
	}
	if index < 0 || index >= len(l.used) || l.side != side {
		return fmt.Errorf("%s has no %s line at index %d", key, side, index)
	}
	if l.used[index] {
		b.problem(key, fmt.Sprintf("the line at index %d is used twice", index), "once", "again by "+b.entry.Reference())
	}
	l.used[index] = true
	if side == tape.DebitSide { // credit lines of a page are marked together
		mark := fmt.Sprintf("debit/%s/%d", strings.TrimPrefix(key, "lines/"), index)
		stored, err := record[party.Mark](b, mark)
		if err != nil {
			return err
		}
		b.differs(mark, "the entry that has used the line", b.entry.Reference(), stored.Entry)
	}
	return nil
}

// useRow marks a debit line and reports one that was filed otherwise.
func (b *Books) useRow(key string, index int, shown row) error {
	if err := b.useLine(key, index, tape.DebitSide); err != nil {
		return err
	}
	b.differs(key, "a payout rests on a line as it was filed", b.lines[key].rows[index].text(), shown.text())
	return nil
}

func (b *Books) fileProcessor() error {
	c, err := command[tape.FileProcessor](b)
	if err != nil {
		return err
	}
	a, err := b.account(c.Account)
	if err != nil {
		return err
	}
	b.once("processor's file of a page", tape.ProcessorKey(c.Account, c.Page))
	b.processors[tape.ProcessorKey(c.Account, c.Page)] = &processor{id: c.ID, total: c.Total, fee: c.Fee}
	return b.useLine(tape.LinesKey(a.custodian, c.Line.Statement, c.Line.N), int(c.Line.Index), tape.CreditSide)
}

// unfiled reports a page that a processor's file lists: its bank line would be lost.
func (b *Books) unfiled(account tape.AccountID, page tape.ID) {
	if file := b.processors[tape.ProcessorKey(account, page)]; file != nil {
		b.problem(tape.PageKey(account, page), "the page settles by its processor's file", string(file.id), "")
	}
}

// withdraw books that the money of a page never came.
func (b *Books) withdraw() error {
	c, err := command[tape.Withdraw](b)
	if err != nil {
		return err
	}
	key := tape.PageKey(c.Account, c.Page)
	p := b.pages[key]
	if p == nil {
		return fmt.Errorf("page %s is not there", c.Page)
	}
	if p.evidenced {
		b.problem(key, "a page is withdrawn whose lines the bank has shown", "", b.entry.Reference())
	}
	b.unfiled(c.Account, c.Page)
	b.once("settlement of", tape.SettledKey(c.Account, string(c.Page)))
	p.withdrawn = true
	b.moves(c.Account, raised, "", -p.total.Units)
	b.differs(key, "a page that is withdrawn moves no money", "0", fmt.Sprint(len(b.entry.Postings)))
	return nil
}

// match splits a page by the bank's lines: for each line in order the first
// gift with its reference and amount.
func (b *Books) match() error {
	c, err := command[struct {
		Account tape.AccountID `json:"account"`
		Page    tape.ID        `json:"page"`
		Gifts   []row          `json:"gifts"`
		Lines   []struct {
			Lines     []row   `json:"lines"`
			N         int32   `json:"n"`
			Statement tape.ID `json:"statement"`
		} `json:"lines"`
	}](b)
	if err != nil {
		return err
	}
	a, err := b.account(c.Account)
	if err != nil || len(c.Lines) != 1 {
		return fmt.Errorf("a match needs one page of lines and an account: %w", err)
	}
	key := tape.LinesKey(a.custodian, c.Lines[0].Statement, c.Lines[0].N)
	if err := b.sameRows(tape.PageKey(c.Account, c.Page), c.Gifts, key, c.Lines[0].Lines); err != nil {
		return err
	}
	b.once("settlement of", tape.SettledKey(c.Account, string(c.Page)))
	b.unfiled(c.Account, c.Page)
	matched, rest, err := b.pair(c.Gifts, key, c.Lines[0].Lines)
	if err != nil {
		return err
	}
	sums, err := bodyOf(matched, ofGift)
	b.addPage(c.Account, c.Page+".m", page{body: sums, evidenced: true})
	if err != nil || len(rest) == 0 {
		return err
	}
	sums, err = bodyOf(rest, ofGift)
	b.addPage(c.Account, c.Page+".u", page{body: sums})
	return err
}

// sameRows reports bodies that are not those on the ledger.
func (b *Books) sameRows(pageKey string, gifts []row, linesKey string, statement []row) error {
	p, l := b.pages[pageKey], b.lines[linesKey]
	if p == nil || l == nil {
		return fmt.Errorf("%s or %s is not there", pageKey, linesKey)
	}
	got, err := bodyOf(gifts, ofGift)
	if err != nil {
		return err
	}
	b.differs(pageKey, "the gifts of a match are those of the page", p.String(), got.String())
	if got, err = bodyOf(statement, ofLine); err != nil {
		return err
	}
	b.differs(linesKey, "the lines of a match are those that were filed", l.String(), got.String())
	return nil
}

func (b *Books) pair(gifts []row, key string, statement []row) (matched, rest []row, err error) {
	found := make([]bool, len(gifts))
	waiting := map[[2]string][]int{}
	for i, gift := range gifts {
		name := [2]string{gift[ofGift], gift[3]}
		waiting[name] = append(waiting[name], i)
	}
	for i, line := range statement {
		name := [2]string{line[ofLine], line[3]}
		if line[3] == "" || len(waiting[name]) == 0 || b.lines[key].used[min(i, len(b.lines[key].used)-1)] {
			continue
		}
		gift := waiting[name][0]
		waiting[name], found[gift] = waiting[name][1:], true
		matched = append(matched, gifts[gift])
		if err := b.useLine(key, i, tape.CreditSide); err != nil {
			return nil, nil, err
		}
	}
	for i, gift := range gifts {
		if !found[i] {
			rest = append(rest, gift)
		}
	}
	return matched, rest, nil
}

// receiveUnidentified makes gifts of the lines that nothing has used.
func (b *Books) receiveUnidentified() error {
	c, err := command[struct {
		Account   tape.AccountID `json:"account"`
		ID        tape.ID        `json:"id"`
		Lines     []row          `json:"lines"`
		N         int32          `json:"n"`
		Statement tape.ID        `json:"statement"`
	}](b)
	if err != nil {
		return err
	}
	a, err := b.account(c.Account)
	if err != nil {
		return err
	}
	key := tape.LinesKey(a.custodian, c.Statement, c.N)
	l := b.lines[key]
	if l == nil || len(l.used) != len(c.Lines) {
		return fmt.Errorf("%s is not there, or has another number of lines", key)
	}
	used := slices.Clone(l.used)
	var gifts []row
	for i, line := range c.Lines {
		if used[i] {
			continue
		}
		gifts = append(gifts, row{"line-" + line[0], line[ofLine], "", line[3]})
		if err := b.useLine(key, i, tape.CreditSide); err != nil {
			return err
		}
	}
	sums, err := bodyOf(gifts, ofGift)
	b.addPage(c.Account, c.ID, page{body: sums, evidenced: true})
	return err
}
