package readmodel

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// page is a row of "pages".
type page struct {
	at      ordinal
	account tape.AccountID
	id      tape.ID
	state   PageState
	count   int
	units   int64
	number  int32
	start   int64
	fee     int64
	// withdrawn is set once its money is known never to come.
	withdrawn *tape.Settled
	rests     *tape.Evidence
	lines     []int32
	entry     string
	record    tape.Page
	// received is the entry that received the page, or the page that it was split from, and when.
	received   string
	receivedAt tape.Instant
}

const pageColumns = "account, id, state, count, units, settlement, start, fee, withdrawn, rests, lines, body, " +
	"coalesce((SELECT organisation || '/' || entries.id FROM entries WHERE entries.ordinal = pages.ordinal & ~65535), '')"

func pageOf(scan func(...any) error, key any) (page, error) {
	var p page
	var withdrawn, rests, lines, body []byte
	if err := scan(key, &p.account, &p.id, &p.state, &p.count, &p.units, &p.number, &p.start, &p.fee, &withdrawn, &rests, &lines, &body, &p.entry); err != nil {
		return p, err
	}
	p.at = ordinal(*key.(*int64))
	if len(withdrawn) > 0 {
		if err := json.Unmarshal(withdrawn, &p.withdrawn); err != nil {
			return p, err
		}
	}
	if len(rests) > 0 {
		if err := json.Unmarshal(rests, &p.rests); err != nil {
			return p, err
		}
	}
	if len(lines) > 0 {
		if err := json.Unmarshal(lines, &p.lines); err != nil {
			return p, err
		}
	}
	err := json.Unmarshal(body, &p.record)
	p.received, p.receivedAt = p.entry, p.record.At
	return p, err
}

// page reads one page, and for a half of a split page what the whole was.
func (s *session) page(ctx context.Context, condition string, arguments ...any) (page, bool, error) {
	p, found, err := s.pageRow(ctx, condition, arguments...)
	for parent := p.record.Parent; err == nil && found && parent != ""; {
		var whole page
		if whole, found, err = s.pageRow(ctx, "account = ? AND id = ?", string(p.account), string(parent)); err == nil && !found {
			return p, false, rule.Refuse(rule.Conflict, "page %s was split from page %s, which is missing", p.id, parent)
		}
		p.received, p.receivedAt, parent = whole.entry, whole.record.At, whole.record.Parent
	}
	return p, found, err
}

func (s *session) pageRow(ctx context.Context, condition string, arguments ...any) (page, bool, error) {
	var p page
	found := false
	err := s.each(ctx, "SELECT ordinal, "+pageColumns+" FROM pages WHERE "+condition, arguments, func(scan func(...any) error) (err error) {
		var key int64
		p, err = pageOf(scan, &key)
		found = true
		return err
	})
	return p, found, err
}

func (p page) view() GiftPage {
	view := GiftPage{Page: p.record, State: p.state, Settlement: p.number, Span: spanFrom(p.start, p.units), Rests: p.rests,
		Withdrawn: p.withdrawn, Entry: p.entry, Block: p.at.block()}
	if p.fee > 0 {
		view.Fee = &money.Amount{Units: p.fee, Currency: p.record.Total.Currency}
	}
	return view
}

// PageFilter chooses pages; empty fields choose all.
type PageFilter struct {
	Account tape.AccountID
	State   PageState
	ID      tape.ID
}

// Pages lists pages of gifts in ledger order.
func (m *Model) Pages(ctx context.Context, filter PageFilter, window Window) (List[GiftPage], error) {
	q := query{list: "pages", key: "ordinal", columns: pageColumns, from: "pages"}
	q.where("account = ?", string(filter.Account))
	q.where("state = ?", string(filter.State))
	q.where("id = ?", string(filter.ID))
	return read(ctx, m, window, q, func(scan func(...any) error, key any) (GiftPage, error) {
		p, err := pageOf(scan, key)
		return p.view(), err
	})
}

// Page returns one page of gifts.
func (m *Model) Page(ctx context.Context, account tape.AccountID, id tape.ID) (GiftPage, error) {
	list, err := m.Pages(ctx, PageFilter{Account: account, ID: id}, Window{})
	return one(list, err, "page %s of %s", id, account)
}

// parseRow reads four texts as the ledger spells them: ["a","b","c","d"].
func parseRow(row string) (fields [4]string, err error) {
	inner, found := strings.CutPrefix(row, `["`)
	inner, closed := strings.CutSuffix(inner, `"]`)
	parts := strings.Split(inner, `","`)
	if !found || !closed || len(parts) != len(fields) {
		return fields, rule.Refuse(rule.Conflict, "%.100q is not a row of four texts", row)
	}
	return [4]string(parts), nil
}

// unitsOf reads only the amount of a gift's row: what stands before a gift is
// the sum over the gifts before it in its row.
func unitsOf(row string) (int64, error) {
	_, tail, _ := strings.Cut(row, `","`)
	amount, _, _ := strings.Cut(tail, `"`)
	parsed, err := money.Parse(amount)
	return parsed.Units, err
}

// gifts reads gifts of a page from an index on.
func (s *session) gifts(ctx context.Context, p page, first, limit int) ([]Gift, error) {
	var found []Gift
	row := first / rowItems
	err := s.each(ctx, "SELECT ordinal, start, body FROM gifts WHERE ordinal > ? AND ordinal <= ? ORDER BY ordinal",
		[]any{int64(p.at) + int64(row), lastRow(p.at, first, limit)}, func(scan func(...any) error) error {
			var at, start int64
			var body string
			if err := scan(&at, &start, &body); err != nil {
				return err
			}
			index := int(at-int64(p.at)-1) * rowItems
			for item := range strings.SplitSeq(body, "\n") {
				if index == first+limit {
					return errEnough
				}
				units, err := unitsOf(item)
				if err != nil {
					return err
				}
				if index >= first {
					gift, err := p.gift(item, index, start)
					if err != nil {
						return err
					}
					found = append(found, gift)
				}
				index, start = index+1, start+units
			}
			return nil
		})
	return found, err
}

// lastRow is the ordinal of the row of a body that holds the last of limit items from first on.
func lastRow(page ordinal, first, limit int) int64 {
	return int64(page) + 1 + int64(min((first+limit-1)/rowItems, pageStep-2))
}

// gift is one gift of the page as it stands now.
func (p page) gift(item string, index int, offset int64) (Gift, error) {
	fields, err := parseRow(item)
	if err != nil {
		return Gift{}, err
	}
	amount, err := money.Parse(fields[1])
	if err != nil {
		return Gift{}, err
	}
	g := Gift{Account: p.account, Page: p.id, Index: index, ID: tape.ID(fields[0]), Amount: amount, Donor: fields[2], Reference: fields[3],
		Offset: offset, State: GiftPending, Evidence: p.rests, Line: p.line(index), Entry: p.received, At: p.receivedAt}
	switch {
	case p.start >= 0:
		g.State = GiftSettled
		p.lay(&g)
	case p.withdrawn != nil:
		g.State = GiftWithdrawn
	case len(p.record.Unmatched) > 0:
		g.State = GiftUnmatched
	}
	return g, nil
}

// lay gives a gift its units: those that arrived, and those that a processor kept.
func (p page) lay(g *Gift) {
	settlement := tape.Settlement{Span: tape.Span{Start: p.start, End: p.start + int64(p.units)}, Fee: p.fee}
	arrived, kept := settlement.Own(g.Offset, g.Amount.Units)
	if arrived.Length() > 0 {
		g.Span = &arrived
	}
	if kept.Length() > 0 {
		g.Fee, g.Kept = &money.Amount{Units: kept.Length(), Currency: g.Amount.Currency}, &kept
	}
}

// line is the bank line that gift index rests on, -1 where it is not one line:
// a page settled against a page of lines has the same money in the same order.
func (p page) line(index int) int {
	switch {
	case p.lines != nil && index < len(p.lines):
		return int(p.lines[index])
	case p.lines == nil && p.rests != nil && p.rests.Kind == "statement" && p.rests.Line == 0:
		return index
	}
	return -1
}

// GiftAt names a gift by its place. A place on a page that was split is still
// good: the gift is found on the page where it stands now.
type GiftAt struct {
	Account tape.AccountID
	Page    tape.ID
	Index   int
}

// Gift returns one gift.
func (m *Model) Gift(ctx context.Context, at GiftAt) (Gift, error) {
	var gift Gift
	err := m.view(ctx, func(s *session) (err error) {
		gift, err = s.giftAt(ctx, at)
		return err
	})
	return gift, err
}

func (s *session) giftAt(ctx context.Context, at GiftAt) (Gift, error) {
	p, found, err := s.page(ctx, "account = ? AND id = ?", string(at.Account), string(at.Page))
	if err != nil || !found {
		return Gift{}, orMissing(err, "page %s of %s", at.Page, at.Account)
	}
	gifts, err := s.gifts(ctx, p, max(at.Index, 0), 1)
	if err != nil || len(gifts) == 0 || at.Index < 0 {
		return Gift{}, orMissing(err, "gift %d of page %s of %s", at.Index, at.Page, at.Account)
	}
	return s.standing(ctx, p, gifts[0])
}

// standing follows a gift through the splits of its page.
func (s *session) standing(ctx context.Context, p page, gift Gift) (Gift, error) {
	for p.state == PageSplit {
		next, found, err := s.inHalf(ctx, p, gift.ID)
		if err != nil || !found.ok {
			return gift, orMissing(err, "gift %s on the halves of page %s", gift.ID, p.id)
		}
		p, gift = found.page, next
	}
	return gift, nil
}

// half is one of the two pages of a split.
type half struct {
	page page
	ok   bool
}

// inHalf finds a gift on the matched or the unmatched half of a page. Ids are unique on a page.
func (s *session) inHalf(ctx context.Context, p page, id tape.ID) (Gift, half, error) {
	for _, suffix := range []tape.ID{tape.MatchedSuffix, tape.UnmatchedSuffix} {
		child, found, err := s.page(ctx, "account = ? AND id = ?", string(p.account), string(p.id+suffix))
		if err != nil {
			return Gift{}, half{}, err
		}
		if !found {
			continue
		}
		gifts, err := s.gifts(ctx, child, 0, child.count)
		if err != nil {
			return Gift{}, half{}, err
		}
		for _, gift := range gifts {
			if gift.ID == id {
				return gift, half{child, true}, nil
			}
		}
	}
	return Gift{}, half{}, nil
}

// On reports whether a gift stands on a page, or stood there before a match
// split it: a name that was kept from before still leads to the gift.
func (g Gift) On(page tape.ID) bool {
	for on := g.Page; ; on = on[:len(on)-len(tape.MatchedSuffix)] {
		if on == page {
			return true
		}
		if !strings.HasSuffix(string(on), string(tape.MatchedSuffix)) && !strings.HasSuffix(string(on), string(tape.UnmatchedSuffix)) {
			return false
		}
	}
}

// FindGifts finds every gift with an id, in ledger order. Ids are unique on a
// page only, so there may be several; none is a refusal.
func (m *Model) FindGifts(ctx context.Context, id tape.ID) ([]Gift, error) {
	var gifts []Gift
	err := m.view(ctx, func(s *session) (err error) {
		gifts, err = s.findGifts(ctx, id)
		return err
	})
	return gifts, err
}

func (s *session) findGifts(ctx context.Context, id tape.ID) ([]Gift, error) {
	candidates, err := s.candidates(ctx, id)
	if err != nil {
		return nil, err
	}
	var found []Gift
	for _, c := range candidates[:min(len(candidates), limitMax)] {
		p, exists, err := s.page(ctx, "ordinal = ?", int64(c.page))
		if err != nil || !exists {
			return nil, orMissing(err, "the page of gift %s", id)
		}
		gifts, err := s.gifts(ctx, p, c.index, 1)
		if err != nil {
			return nil, err
		}
		if len(gifts) == 0 || gifts[0].ID != id {
			continue // another id with the same hash
		}
		gift, err := s.standing(ctx, p, gifts[0])
		if err != nil {
			return nil, err
		}
		found = append(found, gift)
	}
	if len(found) == 0 {
		return nil, rule.Refuse(rule.NotFound, "gift %s does not exist", id)
	}
	return found, nil
}

// GiftFilter chooses gifts: those of one page, of one account, or all.
type GiftFilter struct {
	Account tape.AccountID
	Page    tape.ID
}

// Gifts lists gifts in ledger order of their pages, each gift once: of a page
// that was split, the halves are listed. A page that is named is listed even so.
func (m *Model) Gifts(ctx context.Context, filter GiftFilter, window Window) (List[Gift], error) {
	list := List[Gift]{Items: []Gift{}}
	limit, err := window.limit()
	if err != nil {
		return list, err
	}
	c, _, err := parseCursor(window.After, "gifts", false)
	if err != nil {
		return list, err
	}
	err = m.view(ctx, func(s *session) error {
		for len(list.Items) < limit {
			p, found, err := s.nextPage(ctx, filter, c)
			if err != nil || !found {
				list.Next = ""
				return err
			}
			gifts, err := s.gifts(ctx, p, int(c.At), limit-len(list.Items))
			if err != nil {
				return err
			}
			list.Items = append(list.Items, gifts...)
			if c.Number, c.At = int64(p.at), c.At+int64(len(gifts)); int(c.At) >= p.count || len(gifts) == 0 {
				c.Number, c.At = int64(p.at)+1, 0
			}
			list.Next = c.String()
		}
		_, more, err := s.nextPage(ctx, filter, c)
		if !more {
			list.Next = ""
		}
		return err
	})
	return list, err
}

// nextPage finds the page at or behind a cursor.
func (s *session) nextPage(ctx context.Context, filter GiftFilter, c cursor) (page, bool, error) {
	condition, arguments := "ordinal >= ?", []any{c.Number}
	if filter.Account != "" {
		condition, arguments = condition+" AND account = ?", append(arguments, string(filter.Account))
	}
	if filter.Page != "" {
		condition, arguments = condition+" AND id = ?", append(arguments, string(filter.Page))
	} else {
		condition += " AND state <> 'split'"
	}
	return s.page(ctx, condition+" ORDER BY ordinal LIMIT 1", arguments...)
}

// LineFilter chooses the lines of a statement: those of one page, when N is not nil.
type LineFilter struct {
	Account   tape.AccountID
	Statement tape.ID
	N         *int32
}

const linesColumns = "account, statement, ordinal, used, body"

// linesPage is a row of "lines_pages".
type linesPage struct {
	at   ordinal
	view LinesPage
	// debits are the entries that used debit lines, by the lines' indexes.
	debits map[int]string
}

func linesPageOf(scan func(...any) error, key any) (linesPage, error) {
	var p linesPage
	var account, statement string
	var used, body []byte
	if err := scan(key, &account, &statement, &p.at, &used, &body); err != nil {
		return p, err
	}
	p.view.Block = p.at.block()
	if err := json.Unmarshal(used, &p.view.Used); err != nil {
		return p, err
	}
	return p, json.Unmarshal(body, &p.view.Lines)
}

// LinesPages lists the filed pages of a statement by number.
func (m *Model) LinesPages(ctx context.Context, account tape.AccountID, statement tape.ID, window Window) (List[LinesPage], error) {
	q := query{list: "lines-pages", key: "n", columns: linesColumns, from: "lines_pages",
		conditions: []string{"account = ?", "statement = ?"}, arguments: []any{string(account), string(statement)}}
	return read(ctx, m, window, q, func(scan func(...any) error, key any) (LinesPage, error) {
		p, err := linesPageOf(scan, key)
		return p.view, err
	})
}

// PageOfLines are the lines of one page of a statement, as the bank filed them.
func (m *Model) PageOfLines(ctx context.Context, account tape.AccountID, statement tape.ID, n int32) ([]tape.Line, error) {
	lines, err := Every(func(w Window) (List[Line], error) {
		return m.Lines(ctx, LineFilter{Account: account, Statement: statement, N: &n}, w)
	})
	all := make([]tape.Line, len(lines))
	for i, line := range lines {
		all[i] = tape.Line{Number: line.Number, Date: line.Date, Amount: line.Amount, Reference: line.Reference}
	}
	return all, err
}

// Lines lists the filed lines of a statement, page by page.
func (m *Model) Lines(ctx context.Context, filter LineFilter, window Window) (List[Line], error) {
	list := List[Line]{Items: []Line{}}
	limit, err := window.limit()
	if err != nil {
		return list, err
	}
	c, _, err := parseCursor(window.After, "lines", false)
	if err != nil {
		return list, err
	}
	err = m.view(ctx, func(s *session) error {
		for len(list.Items) < limit {
			p, found, err := s.nextLines(ctx, filter, c)
			if err != nil || !found {
				list.Next = ""
				return err
			}
			lines, err := s.lines(ctx, p, int(c.At), limit-len(list.Items))
			if err != nil {
				return err
			}
			list.Items = append(list.Items, lines...)
			if c.Number, c.At = int64(p.view.N), c.At+int64(len(lines)); c.At >= int64(p.view.Count) || len(lines) == 0 {
				c.Number, c.At = int64(p.view.N)+1, 0
			}
			list.Next = c.String()
		}
		_, more, err := s.nextLines(ctx, filter, c)
		if !more {
			list.Next = ""
		}
		return err
	})
	return list, err
}

func (s *session) nextLines(ctx context.Context, filter LineFilter, c cursor) (linesPage, bool, error) {
	condition, arguments := "account = ? AND statement = ? AND n >= ?", []any{string(filter.Account), string(filter.Statement), c.Number}
	if filter.N != nil {
		condition, arguments = condition+" AND n = ?", append(arguments, *filter.N)
	}
	var p linesPage
	found := false
	err := s.each(ctx, "SELECT n, "+linesColumns+" FROM lines_pages WHERE "+condition+" ORDER BY n LIMIT 1", arguments, func(scan func(...any) error) (err error) {
		var n int64
		p, err = linesPageOf(scan, &n)
		found = true
		return err
	})
	if err == nil && p.view.Side == tape.DebitSide {
		p.debits, err = s.debits(ctx, tape.DebitKey(p.view.Account, p.view.Statement, p.view.N, 0))
	}
	return p, found, err
}

// debits reads which debit lines of a page were used, and by which entry: each
// has a record of its own, so that batches of payouts go side by side.
func (s *session) debits(ctx context.Context, first string) (map[int]string, error) {
	prefix := strings.TrimSuffix(first, "0")
	debits := map[int]string{}
	err := s.each(ctx, "SELECT key, value FROM records WHERE key >= ? AND key < ?", []any{prefix, prefix + "~"}, func(scan func(...any) error) error {
		var key string
		var value []byte
		var mark struct {
			Entry string `json:"entry"`
		}
		if err := scan(&key, &value); err != nil {
			return err
		}
		index, err := number(strings.TrimPrefix(key, prefix))
		if err != nil {
			return err
		}
		err = json.Unmarshal(value, &mark)
		debits[int(index)] = mark.Entry
		return err
	})
	return debits, err
}

// Line returns line index of page n of a statement.
func (m *Model) Line(ctx context.Context, account tape.AccountID, statement tape.ID, n int32, index int) (Line, error) {
	var list List[Line]
	err := m.view(ctx, func(s *session) error {
		p, found, err := s.nextLines(ctx, LineFilter{Account: account, Statement: statement, N: &n}, cursor{})
		if err != nil || !found || index < 0 {
			return err
		}
		list.Items, err = s.lines(ctx, p, index, 1)
		return err
	})
	return one(list, err, "line %d of page %d of statement %s", index, n, statement)
}

func (s *session) lines(ctx context.Context, p linesPage, first, limit int) ([]Line, error) {
	var found []Line
	row := first / rowItems
	err := s.each(ctx, "SELECT ordinal, body FROM lines WHERE ordinal > ? AND ordinal <= ? ORDER BY ordinal",
		[]any{int64(p.at) + int64(row), lastRow(p.at, first, limit)}, func(scan func(...any) error) error {
			var at int64
			var body string
			if err := scan(&at, &body); err != nil {
				return err
			}
			index := int(at-int64(p.at)-1) * rowItems
			for item := range strings.SplitSeq(body, "\n") {
				if index >= first && index < first+limit {
					line, err := p.line(item, index)
					if err != nil {
						return err
					}
					found = append(found, line)
				}
				index++
			}
			return nil
		})
	return found, err
}

func (p linesPage) line(item string, index int) (Line, error) {
	fields, err := parseRow(item)
	if err != nil {
		return Line{}, err
	}
	amount, err := money.Parse(fields[2])
	if err != nil {
		return Line{}, err
	}
	number, err := strconv.ParseInt(fields[0], 10, 32)
	return Line{Account: p.view.Account, Statement: p.view.Statement, N: p.view.N, Index: index, Side: p.view.Side, Number: int32(number),
		Date: tape.Date(fields[1]), Amount: amount, Reference: fields[3],
		Used: p.debits[index] != "" || len(p.view.Used.Within(tape.Span{Start: int64(index), End: int64(index) + 1})) > 0, Entry: p.debits[index]}, err
}
