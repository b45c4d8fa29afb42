package readmodel

import (
	"cmp"
	"context"
	"slices"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// OpenLineFilter chooses lines of the bank that have done nothing yet. Empty
// fields choose all; Amount is one where it is not nil.
type OpenLineFilter struct {
	// Account is the bank account.
	Account tape.AccountID
	Side    tape.Side
	Amount  *money.Amount
}

// OpenLines lists the lines of a bank's statements that nothing rests on: no
// gift, no payout, no processor's file. They stand in the order in which they were filed.
func (m *Model) OpenLines(ctx context.Context, filter OpenLineFilter, window Window) (List[Line], error) {
	list := List[Line]{Items: []Line{}}
	limit, err := window.limit()
	if err != nil {
		return list, err
	}
	c, _, err := parseCursor(window.After, "open-lines", false)
	if err != nil {
		return list, err
	}
	err = m.view(ctx, func(s *session) error {
		for {
			p, found, err := s.openPage(ctx, filter, c.Number)
			if err != nil || !found {
				return err
			}
			lines, err := s.openOf(ctx, p, filter, int(c.At))
			if err != nil {
				return err
			}
			for _, line := range lines {
				if len(list.Items) == limit {
					c.Number, c.At = int64(p.at), int64(line.Index)
					list.Next = c.String()
					return nil
				}
				list.Items = append(list.Items, line)
			}
			c.Number, c.At = int64(p.at)+1, 0
		}
	})
	return list, err
}

// openPage is the first page of lines from an ordinal on that has lines left.
func (s *session) openPage(ctx context.Context, filter OpenLineFilter, from int64) (linesPage, bool, error) {
	condition, arguments := "ordinal >= ?", []any{from}
	if filter.Account != "" {
		condition, arguments = condition+" AND account = ?", append(arguments, string(filter.Account))
	}
	var found []linesPage
	err := s.each(ctx, "SELECT n, "+linesColumns+" FROM lines_pages WHERE "+condition+" ORDER BY ordinal", arguments, func(scan func(...any) error) error {
		var n int64
		p, err := linesPageOf(scan, &n)
		if err != nil || filter.Side != "" && p.view.Side != filter.Side || p.view.Used.Total() == int64(p.view.Count) {
			return err
		}
		found = append(found, p)
		return errEnough
	})
	if err != nil || len(found) == 0 {
		return linesPage{}, false, err
	}
	p := found[0]
	if p.view.Side == tape.DebitSide {
		p.debits, err = s.debits(ctx, tape.DebitKey(p.view.Account, p.view.Statement, p.view.N, 0))
	}
	return p, true, err
}

// openOf are the open lines of a page from an index on.
func (s *session) openOf(ctx context.Context, p linesPage, filter OpenLineFilter, first int) ([]Line, error) {
	lines, err := s.lines(ctx, p, first, int(p.view.Count)-first)
	var open []Line
	for _, line := range lines {
		if !line.Used && (filter.Amount == nil || line.Amount == *filter.Amount) {
			open = append(open, line)
		}
	}
	return open, err
}

// Numbered is the line of a statement that has a number.
func (m *Model) Numbered(ctx context.Context, account tape.AccountID, statement tape.ID, number int32) (Line, error) {
	var list List[Line]
	err := m.view(ctx, func(s *session) error {
		for from := int64(0); len(list.Items) == 0; {
			p, found, err := s.nextLines(ctx, LineFilter{Account: account, Statement: statement}, cursor{Number: from})
			if err != nil || !found {
				return err
			}
			lines, err := s.lines(ctx, p, 0, int(p.view.Count))
			if err != nil {
				return err
			}
			// Lines rise by their numbers on each page.
			at, is := slices.BinarySearchFunc(lines, number, func(l Line, n int32) int { return cmp.Compare(l.Number, n) })
			if is {
				list.Items = lines[at : at+1]
			}
			from = int64(p.view.N) + 1
		}
		return nil
	})
	return one(list, err, "line %d of statement %s", number, statement)
}
