package story

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// sheet is an invented statement of one of the season's bank accounts: a page
// of credits, and one of debits.
type sheet struct {
	bank         tape.AccountID
	id, previous tape.ID
	opening      int64
	// days ago it was drawn up, and all its lines are of that day.
	days    int
	in, out []movement
}

// movement is one line of a bank.
type movement struct {
	amount money.Amount
	// memo tells lines apart: the line's reference is made of it.
	memo string
}

// reference is what the bank's line shows, and nothing can be read from.
func (m movement) reference() string {
	digest := sha256.Sum256([]byte("invented movement\n" + m.memo))
	return base64.RawURLEncoding.EncodeToString(digest[:16])
}

// lines are those of a page; numbers go on over the pages of a statement.
func (s sheet) lines(today tape.Date, side tape.Side) []tape.Line {
	moves, before := s.in, 0
	if side == tape.DebitSide {
		moves, before = s.out, len(s.in)
	}
	lines := make([]tape.Line, len(moves))
	for i, m := range moves {
		lines[i] = tape.Line{Number: int32(before + i + 1), Date: today.AddDays(-s.days), Amount: m.amount, Reference: m.reference()}
	}
	return lines
}

// closing is what the statement ends with.
func (s sheet) closing() int64 {
	units := s.opening
	for _, m := range s.in {
		units += m.amount.Units
	}
	for _, m := range s.out {
		units -= m.amount.Units
	}
	return units
}

// files files the statement with its pages.
func (c *course) files(ctx context.Context, s sheet) error {
	file := tape.FileStatement{Account: s.bank, Closing: money.New(s.closing(), "CNY"), Count: int32(len(s.in) + len(s.out)), From: c.today.AddDays(-s.days), ID: s.id, Opening: money.New(s.opening, "CNY"), Previous: s.previous, To: c.today.AddDays(-s.days)}
	var bodies [][]byte
	for _, side := range []tape.Side{tape.CreditSide, tape.DebitSide} {
		lines := s.lines(c.today, side)
		if len(lines) == 0 {
			continue
		}
		page, _, err := tape.LinesBody(side, lines)
		if err != nil {
			return err
		}
		n := int32(len(file.Pages))
		body, err := tape.FileLines{Account: s.bank, ID: tape.ID(fmt.Sprintf("%s-%d", s.id, n)), Lines: lines, N: n, Statement: s.id}.Encode()
		if err != nil {
			return err
		}
		file.Pages, bodies = append(file.Pages, page), append(bodies, body)
	}
	if err := c.records(ctx, bank, "Tape:FileStatement", file); err != nil {
		return err
	}
	for _, body := range bodies {
		if err := c.sends(ctx, bank, "Tape:FileLines", body); err != nil {
			return err
		}
	}
	return nil
}

// arrives lets what a statement has of credits come to an account, as one page.
func (c *course) arrives(ctx context.Context, organisation string, account tape.AccountID, s sheet) error {
	gifts, total := s.gifts()
	page := s.id + ".page"
	received, err := tape.Receive{Account: account, Count: int32(len(gifts)), Gifts: gifts, ID: page, Total: total}.Encode()
	if err != nil {
		return err
	}
	if err := c.sends(ctx, organisation, "Tape:Receive", received); err != nil {
		return err
	}
	return c.records(ctx, organisation, "Tape:Settle", tape.Settle{Account: account, ID: s.id + ".settled", Items: []tape.SettleItem{{Source: string(page), Lines: &tape.LinesRef{Statement: s.id}}}})
}

// gifts are the credits as the account receives them.
func (s sheet) gifts() ([]tape.Gift, money.Amount) {
	gifts, total := make([]tape.Gift, len(s.in)), money.New(0, "CNY")
	for i, m := range s.in {
		gifts[i] = tape.Gift{ID: tape.ID(fmt.Sprintf("%s.%d", s.id, i+1)), Amount: m.amount, Reference: m.reference()}
		total.Units += m.amount.Units
	}
	return gifts, total
}

// executes shows that the bank has paid the payouts that stand behind the
// statement's debits, one for each.
func (c *course) executes(ctx context.Context, account tape.AccountID, s sheet, holds []tape.ID) error {
	executed := make([]tape.ExecutedLine, len(holds))
	for i, hold := range holds {
		executed[i] = tape.ExecutedLine{Index: i, Holds: []tape.ID{hold}}
	}
	n := int32(min(1, len(s.in)))
	execute, err := tape.NewExecute(account, s.id+".executed", s.id, n, s.lines(c.today, tape.DebitSide), executed)
	if err != nil {
		return err
	}
	return c.records(ctx, bank, "Tape:Execute", execute)
}
