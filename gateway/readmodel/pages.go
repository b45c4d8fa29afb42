package readmodel

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// rowItems is how many gifts or lines one row holds. 128 of about 115 bytes
// fill one 16 KiB page of SQLite, so that finding a gift reads one page, and
// writing 2,000 gifts writes 16 rows.
const rowItems = 128

// text is a value as JSON, for a column.
func text(value any) (string, error) {
	encoded, err := json.Marshal(value)
	return string(encoded), err
}

// bodyRow is one row of a body.
type bodyRow struct {
	start int64
	body  string
}

// bodyRows arranges spelled items in rows, each with what stands before it.
func bodyRows(items []string, units []int64) []bodyRow {
	rows := make([]bodyRow, 0, (len(items)+rowItems-1)/rowItems)
	start := int64(0)
	for first := 0; first < len(items); first += rowItems {
		last := min(first+rowItems, len(items))
		rows = append(rows, bodyRow{start, strings.Join(items[first:last], "\n")})
		for _, u := range units[first:last] {
			start += u
		}
	}
	return rows
}

func (w *writer) body(table string, page ordinal, rows []bodyRow) error {
	for i, row := range rows {
		if err := w.exec("INSERT INTO "+table+" VALUES (?, ?, ?)", int64(page)+1+int64(i), row.start, row.body); err != nil {
			return err
		}
	}
	return nil
}

// giftsOf is one page's gifts, as the argument of a transaction gives them.
type giftsOf struct {
	page  tape.ID
	gifts []tape.Gift
	// lines are the indexes of the bank lines that the gifts rest on, gift by
	// gift; none where the page does not rest on lines of its own choice.
	lines []int32
}

// pagesOf computes the gifts of the pages that a function wrote. The page
// records hold their roots only: the bodies travel in the argument.
func (w *writer) pagesOf(function string, argument []byte) ([]giftsOf, error) {
	switch function {
	case "Tape:Receive":
		c, err := tape.DecodeReceive(argument)
		return []giftsOf{{page: c.ID, gifts: c.Gifts}}, err
	case "Tape:Match":
		return w.matched(argument)
	case "Tape:ReceiveUnidentified":
		return w.unidentified(argument)
	}
	return nil, rule.Refuse(rule.Unsupported, "%q wrote a page of gifts, and this program does not know where it has its gifts", function)
}

// matched repeats the match with the lines that were unused before it.
func (w *writer) matched(argument []byte) ([]giftsOf, error) {
	var c tape.Match
	if err := canonical.Decode(argument, &c); err != nil {
		return nil, err
	}
	if len(c.Lines) != 1 {
		return nil, rule.Refuse(rule.Unsupported, "a match with %d pages of lines", len(c.Lines))
	}
	used, err := w.usedBefore(c.Account, c.Lines[0].Statement, c.Lines[0].N)
	if err != nil {
		return nil, err
	}
	// Used lines are left out of the command, which then splits as it did on
	// the ledger; unused says which line each of those that stay was.
	var unused []int32
	kept := c.Lines[0].Lines[:0]
	for i, line := range c.Lines[0].Lines {
		if len(used.Lines.Within(tape.Span{Start: int64(i), End: int64(i) + 1})) == 0 {
			kept, unused = append(kept, line), append(unused, int32(i))
		}
	}
	c.Lines[0].Lines = kept
	split, err := c.Split()
	if err != nil {
		return nil, err
	}
	var lines []int32
	for _, span := range split.Used {
		lines = append(lines, unused[span.Start:span.End]...)
	}
	return []giftsOf{{page: c.Page + tape.MatchedSuffix, gifts: split.Matched, lines: lines},
		{page: c.Page + tape.UnmatchedSuffix, gifts: split.Unmatched}}, nil
}

// usedBefore are the used lines of a page of lines of the account's bank. It is
// asked before the transaction's own note of used lines is read.
func (w *writer) usedBefore(account tape.AccountID, statement tape.ID, n int32) (tape.Used, error) {
	var body []byte
	if found, err := w.get("SELECT body FROM accounts WHERE id = ?", []any{string(account)}, &body); err != nil || !found {
		return tape.Used{}, orMissing(err, "account %s", account)
	}
	var holder tape.Account
	if err := json.Unmarshal(body, &holder); err != nil {
		return tape.Used{}, err
	}
	var spans string
	found, err := w.get("SELECT used FROM lines_pages WHERE account = ? AND statement = ? AND n = ?", []any{string(holder.Custodian), string(statement), n}, &spans)
	if err != nil || !found {
		return tape.Used{}, orMissing(err, "page %d of statement %s", n, statement)
	}
	used := tape.Used{V: 1}
	return used, json.Unmarshal([]byte(spans), &used.Lines)
}

// orMissing is err, or else the refusal that something is not there.
func orMissing(err error, format string, arguments ...any) error {
	if err != nil {
		return err
	}
	return rule.Refuse(rule.NotFound, format+" does not exist", arguments...)
}

func (w *writer) unidentified(argument []byte) ([]giftsOf, error) {
	var c tape.ReceiveUnidentified
	if err := canonical.Decode(argument, &c); err != nil {
		return nil, err
	}
	used, err := w.usedBefore(c.Account, c.Statement, c.N)
	if err != nil {
		return nil, err
	}
	gifts, _, _, err := c.Gifts(used)
	if err != nil {
		return nil, err
	}
	var lines []int32
	for i := range c.Lines {
		if len(used.Lines.Within(tape.Span{Start: int64(i), End: int64(i) + 1})) == 0 {
			lines = append(lines, int32(i))
		}
	}
	return []giftsOf{{page: c.ID, gifts: gifts, lines: lines}}, nil
}

func (w *writer) giftPage(n int, rest string, value []byte) error {
	account, id, err := cut(rest)
	if err != nil {
		return err
	}
	var page tape.Page
	if err := json.Unmarshal(value, &page); err != nil {
		return err
	}
	if string(page.Account) != account || string(page.ID) != id {
		return rule.Refuse(rule.Conflict, "the page calls itself %s of %s", page.ID, page.Account)
	}
	at, err := w.page(n)
	if err != nil {
		return err
	}
	if w.pages == nil {
		if w.pages, err = w.pagesOf(w.function, w.argument); err != nil {
			return err
		}
	}
	gifts, err := find(w.pages, page)
	if err != nil {
		return err
	}
	if err := errors.Join(w.insertPage(at, page, gifts.lines, value),
		w.change("UPDATE accounts SET pending = pending + ? WHERE id = ?", page.Total.Units, account)); err != nil {
		return err
	}
	whole := page.Parent == "" // the halves of a page that was split were counted with it
	if whole {
		w.flow(page.Account, FlowRaised, "", page.Total.Units, int(page.Count))
	}
	return w.gifts(at, gifts.gifts, whole)
}

func (w *writer) insertPage(at ordinal, page tape.Page, indexes []int32, value []byte) error {
	var rests, lines string
	var err error
	if page.Evidence != nil {
		if rests, err = text(page.Evidence); err != nil {
			return err
		}
	}
	if indexes != nil {
		if lines, err = text(indexes); err != nil {
			return err
		}
	}
	return w.exec("INSERT INTO pages VALUES (?, ?, ?, ?, ?, ?, 0, -1, 0, '', ?, ?, ?)", int64(at), string(page.Account), string(page.ID), string(PagePending),
		page.Count, page.Total.Units, rests, lines, filled(value))
}

// find returns the gifts of a page and refuses those that are not what the record says.
func find(pages []giftsOf, page tape.Page) (giftsOf, error) {
	for _, candidate := range pages {
		if candidate.page != page.ID {
			continue
		}
		total := int64(0)
		for _, gift := range candidate.gifts {
			if gift.Amount.Currency != page.Total.Currency || gift.Amount.Units > money.Max-total {
				return giftsOf{}, rule.Refuse(rule.Conflict, "gift %s of %s does not belong on a page of %s", gift.ID, gift.Amount, page.Total)
			}
			total += gift.Amount.Units
		}
		if len(candidate.gifts) != int(page.Count) || total != page.Total.Units {
			return giftsOf{}, rule.Refuse(rule.Conflict, "the argument has %d gifts of %d units, the page %d of %d", len(candidate.gifts), total, page.Count, page.Total.Units)
		}
		return candidate, nil
	}
	return giftsOf{}, rule.Refuse(rule.Conflict, "the argument has no gifts for page %s", page.ID)
}

// gifts writes the gifts of a page. The gifts of a split page are found under
// the page on which they were received, so only those are indexed.
func (w *writer) gifts(page ordinal, gifts []tape.Gift, indexed bool) error {
	items, units := make([]string, len(gifts)), make([]int64, len(gifts))
	for i, gift := range gifts {
		items[i], units[i] = gift.Row(), gift.Amount.Units
	}
	if err := w.body("gifts", page, bodyRows(items, units)); err != nil || !indexed {
		return err
	}
	return w.index(page, gifts)
}

func (w *writer) linesPage(n int, rest string, value []byte) error {
	account, statement, number, err := cutNumber(rest)
	if err != nil {
		return err
	}
	var page tape.Lines
	if err := json.Unmarshal(value, &page); err != nil {
		return err
	}
	if w.function != "Tape:FileLines" {
		return rule.Refuse(rule.Unsupported, "%q wrote a page of lines, and this program does not know where it has its lines", w.function)
	}
	c, err := tape.DecodeFileLines(w.argument)
	if err != nil {
		return err
	}
	if len(c.Lines) != int(page.Count) {
		return rule.Refuse(rule.Conflict, "the argument has %d lines, the page %d", len(c.Lines), page.Count)
	}
	at, err := w.page(n)
	if err != nil {
		return err
	}
	items, units := make([]string, len(c.Lines)), make([]int64, len(c.Lines))
	for i, line := range c.Lines {
		items[i], units[i] = line.Row(), line.Amount.Units
	}
	if err := w.exec("INSERT INTO lines_pages VALUES (?, ?, ?, ?, '[]', ?)", account, statement, number, int64(at), filled(value)); err != nil {
		return err
	}
	if err := w.change("UPDATE statements SET filed = filed + 1 WHERE account = ? AND id = ?", account, statement); err != nil {
		return err
	}
	return w.body("lines", at, bodyRows(items, units))
}
