package books

import (
	"errors"
	"fmt"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// hold is money kept for one payee: left in order, and paid in order.
type hold struct {
	account    *account
	fate       fate
	payee      tape.AccountID
	left, paid tape.Spans
	returned   int64
	released   bool
	releasedOn tape.Date
	reclaimed  bool
	// refund marks a hold that gives a gift back, declared one that nobody but its receiver showed.
	refund, declared bool
	// back is what of it came back, again what of that was ordered again.
	back, again int64
	// behalf is for whom it pays another what that one is owed.
	behalf tape.AccountID
}

// takeFirst books a posting that spends the first free money of an account.
func (b *Books) takeFirst(a *account, p tape.Posting, amount money.Amount) error {
	taken, err := a.take(amount.Units, spent)
	if err != nil {
		return err
	}
	b.differs(string(a.id), "the account that pays", string(a.id), string(p.From))
	b.differs(string(a.id), "the amount that is paid", amount.String(), p.Amount.String())
	b.differs(string(a.id), "the first free money is spent first", spell(whole(taken)), spell(whole(p.Taken)))
	return nil
}

func (b *Books) spend() error {
	c, err := command[tape.Spend](b)
	if err != nil {
		return err
	}
	a, err := b.account(c.Account)
	if err != nil {
		return err
	}
	if len(c.Payments) != len(b.entry.Postings) {
		return fmt.Errorf("%d payments have %d postings", len(c.Payments), len(b.entry.Postings))
	}
	for i, p := range b.entry.Postings {
		b.differs(string(a.id), "the payee of line "+string(p.Line), string(c.Payments[i].To), string(p.To))
		if err := b.takeFirst(a, p, c.Payments[i].Amount); err != nil {
			return err
		}
	}
	return nil
}

// identify gives exactly the units of one gift to another account.
func (b *Books) identify() error {
	c, err := command[tape.Identify](b)
	if err != nil {
		return err
	}
	if len(b.entry.Postings) != 1 {
		return fmt.Errorf("it has %d postings", len(b.entry.Postings))
	}
	if c.Hold == "" {
		return b.rebook(c.Account, c.Gift, c.To)
	}
	h, err := b.held(c.To, c.Hold)
	if err != nil {
		return err
	}
	p := b.entry.Postings[0]
	back, err := h.paid.Slice(h.returned, h.returned+p.Amount.Units)
	if err != nil {
		return err
	}
	h.returned += p.Amount.Units
	h.comesBack(p.Amount.Units)
	b.leaves(c.Account, p.Amount.Units)
	if paid := b.payoutOf(c.To, c.Hold); paid != nil {
		b.moves(c.To, setApart, b.lineOf(c.To, paid), -p.Amount.Units)
		b.moves(c.To, paidOut, b.lineOf(c.To, paid), -p.Amount.Units)
		b.saidOf(c.To, paid, h)
	}
	b.differs(string(h.fate), "what came back lies where it had been", spell(whole(back)), spell(whole(p.Laid)))
	return errors.Join(h.account.change(back, spent, free), b.takeGift(c.Account, c.Gift, p.Taken, ""))
}

// correct moves one gift from the wrong account to the right one.
func (b *Books) correct() error {
	c, err := command[tape.Correct](b)
	if err != nil {
		return err
	}
	if len(b.entry.Postings) != 1 {
		return fmt.Errorf("it has %d postings", len(b.entry.Postings))
	}
	return b.rebook(c.Account, c.Gift, c.To)
}

// rebook takes a whole gift to another account that the same bank account
// stands behind. The inflow names the gift, and so do later commands about it.
func (b *Books) rebook(id tape.AccountID, proof tape.GiftProof, to tape.AccountID) error {
	from, err := b.account(id)
	if err != nil {
		return err
	}
	payee, err := b.account(to)
	if err != nil {
		return err
	}
	p := b.entry.Postings[0]
	b.differs(string(to), "the payee of a gift", string(to), string(p.To))
	b.differs(string(to), "a gift is booked elsewhere where the same bank account keeps it", string(from.custodian), string(payee.custodian))
	key := tape.InflowKey(to, p.Inflow)
	stored, err := record[tape.Inflow](b, key)
	if err != nil {
		return err
	}
	name := proof.Name(id)
	if stored.Gift == nil || *stored.Gift != name {
		b.problem(key, "the gift that an inflow brings", fmt.Sprint(name), fmt.Sprint(stored.Gift))
	}
	b.brings = &name
	b.leaves(id, p.Amount.Units)
	from.withdraw(p.Amount.Units, b.declared(name))
	return b.takeGift(id, proof, p.Taken, "")
}

// takeGift takes the units of one gift, each gift once: by, the hold of a
// refund, says whether it was given up, and then it may be tried again.
func (b *Books) takeGift(id tape.AccountID, proof tape.GiftProof, spans tape.Spans, by string) error {
	a, err := b.account(id)
	if err != nil {
		return err
	}
	key := proof.ReversalKey(id)
	if before, twice := b.reversals[key]; twice && !b.givenUp(before) {
		b.problem(key, "a gift is taken back twice", "once", "again by "+b.entry.Reference())
	}
	b.reversals[key] = by
	reversal, err := record[tape.Reversal](b, key)
	if err != nil {
		return err
	}
	if moved := proof.Moved; moved != nil {
		came := b.inflows[tape.InflowKey(id, moved.Inflow)]
		if came == nil || came.gift == nil || *came.gift != proof.Name(id) {
			return fmt.Errorf("inflow %s did not bring the gift", moved.Inflow)
		}
		b.differs(key, "the units of a gift that was moved are those of its inflow", came.span.String(), reversal.Span.String())
	}
	for _, span := range spans {
		if span.Start < reversal.Span.Start || span.End > reversal.Span.End {
			b.problem(key, "the units taken are those of the gift", reversal.Span.String(), span.String())
		}
	}
	if by != "" {
		return a.change(spans, free, ordered)
	}
	return a.change(spans, free, spent)
}

// givenUp says whether a hold keeps nothing and has ended: its rest was taken
// back, or the bank has returned what was paid.
func (b *Books) givenUp(key string) bool {
	h, known := b.holds[key]
	return known && len(h.left) == 0 && (h.released || h.paid.Total() == h.returned)
}

// keep books a new hold over spans that were free or in a job.
func (b *Books) keep(a *account, id tape.ID, spans tape.Spans, from fate, payee tape.AccountID) error {
	key := tape.HoldKey(a.id, id)
	b.once("hold", key)
	h := &hold{account: a, fate: fate(key), left: spans, payee: payee}
	b.holds[key] = h
	stored, err := record[tape.Hold](b, key)
	if err != nil {
		return err
	}
	b.differs(key, "the spans that the hold keeps", spell(whole(spans)), spell(whole(stored.Spans)))
	b.differs(key, "whom the hold pays", string(payee), string(stored.To))
	h.behalf = stored.OnBehalfOf
	return a.change(spans, from, h.fate)
}

func (b *Books) hold() error {
	c, err := command[tape.OrderHolds](b)
	if err != nil {
		return err
	}
	a, err := b.account(c.Account)
	if err != nil {
		return err
	}
	for _, order := range c.Holds {
		spans, err := a.take(order.Amount.Units, ordered)
		if err != nil {
			return err
		}
		if err := b.keep(a, order.Hold, spans, ordered, order.To); err != nil {
			return err
		}
	}
	return nil
}

func (b *Books) refund() error {
	c, err := command[tape.Refund](b)
	if err != nil {
		return err
	}
	a, err := b.account(c.Account)
	if err != nil {
		return err
	}
	stored, err := record[tape.Hold](b, tape.HoldKey(a.id, c.ID))
	if err != nil {
		return err
	}
	if err := b.takeGift(a.id, c.Gift, stored.Spans, tape.HoldKey(a.id, c.ID)); err != nil {
		return err
	}
	if err := b.keep(a, c.ID, stored.Spans, ordered, c.To); err != nil {
		return err
	}
	h := b.holds[tape.HoldKey(a.id, c.ID)]
	h.refund, h.declared = true, b.declared(c.Gift.Name(a.id))
	a.withdraw(stored.Spans.Total(), h.declared)
	return nil
}

func (b *Books) held(account tape.AccountID, id tape.ID) (*hold, error) {
	h, known := b.holds[tape.HoldKey(account, id)]
	if !known {
		return nil, fmt.Errorf("hold %s of %s is not there", id, account)
	}
	return h, nil
}

func (b *Books) capture() error {
	c, err := command[tape.Capture](b)
	if err != nil {
		return err
	}
	h, err := b.held(c.Account, c.Hold)
	if err != nil || len(b.entry.Postings) != 1 {
		return fmt.Errorf("a capture has one posting and a hold: %w", err)
	}
	if c.Line != nil {
		b.inTime(h, tape.Date(c.Line.Line[1]))
		if err := b.useLine(tape.LinesKey(h.account.custodian, c.Line.Statement, c.Line.N), int(c.Line.Index), tape.DebitSide); err != nil {
			return err
		}
	} else if h.payee.Outside() {
		b.problem(string(h.fate), "money left the ledger without a line of the bank", "", "")
	}
	return b.payOut(c.Account, c.Hold, c.Amount.Units, b.entry.Postings[0])
}

// payOut takes the first units that a hold keeps.
func (b *Books) payOut(account tape.AccountID, id tape.ID, units int64, p tape.Posting) error {
	h, err := b.held(account, id)
	if err != nil {
		return err
	}
	taken, rest, err := h.left.Cut(units)
	if err != nil {
		return err
	}
	b.differs(string(h.fate), "what is paid out of the hold", spell(whole(taken)), spell(whole(p.Taken)))
	b.differs(string(h.fate), "the amount of a payout", money.New(units, h.account.currency).String(), p.Amount.String())
	b.differs(string(h.fate), "who is paid, and out of which account", string(h.payee)+" out of "+string(account), string(p.To)+" out of "+string(p.From))
	h.left, h.paid = rest, append(h.paid, taken...)
	stored, err := record[tape.Hold](b, tape.HoldKey(account, id))
	if err != nil {
		return err
	}
	b.differs(string(h.fate), "what the hold has paid", spell(whole(h.paid)), spell(whole(stored.Captured)))
	if payout := b.payoutOf(account, id); payout != nil {
		line := b.lineOf(account, payout)
		b.moves(account, paidOut, line, units)
		if h.released { // it was set apart all the while
			b.moves(account, setApart, line, units)
		}
	}
	return h.account.change(taken, h.fate, spent)
}

// inTime reports a line that paid what had been given up before its day.
func (b *Books) inTime(h *hold, day tape.Date) {
	if h.released && day > h.releasedOn {
		b.problem(string(h.fate), "what was given up is paid by a later line", string(h.releasedOn), string(day))
	}
}

// execute books many payouts by lines of one page: each line used once, and
// carrying all that its holds keep.
func (b *Books) execute() error {
	c, err := command[struct {
		Account tape.AccountID `json:"account"`
		Items   []struct {
			Holds []tape.ID `json:"holds"`
			Index int       `json:"index"`
			Line  row       `json:"line"`
		} `json:"items"`
		N         int32   `json:"n"`
		Statement tape.ID `json:"statement"`
	}](b)
	if err != nil {
		return err
	}
	a, err := b.account(c.Account)
	if err != nil {
		return err
	}
	key, postings := tape.LinesKey(a.custodian, c.Statement, c.N), b.entry.Postings
	for _, item := range c.Items {
		if len(item.Holds) > len(postings) {
			return fmt.Errorf("it has %d postings", len(b.entry.Postings))
		}
		if err := b.useRow(key, item.Index, item.Line); err != nil {
			return err
		}
		if err := b.payAll(c.Account, item.Holds, item.Line, postings); err != nil {
			return err
		}
		postings = postings[len(item.Holds):]
	}
	if len(postings) > 0 {
		return fmt.Errorf("%d of its postings pay nothing that it names", len(postings))
	}
	return nil
}

// payAll pays all that some holds keep by one line.
func (b *Books) payAll(account tape.AccountID, holds []tape.ID, line row, postings []tape.Posting) error {
	var units int64
	for i, id := range holds {
		h, err := b.held(account, id)
		if err != nil {
			return err
		}
		if !h.payee.Outside() {
			b.problem(string(h.fate), "a line of the bank pays an account of the ledger", "", line.text())
		}
		b.inTime(h, tape.Date(line[1]))
		left := h.left.Total()
		units += left
		if err := b.payOut(account, id, left, postings[i]); err != nil {
			return err
		}
	}
	carried, err := money.Parse(line[ofLine])
	if err != nil {
		return err
	}
	b.differs(string(account), "what the line carries is what its payouts come to", carried.String(), money.New(units, carried.Currency).String())
	return nil
}

// release books a hold that was given up, by its owner or by time.
func (b *Books) release() error {
	c, err := command[tape.Release](b)
	if err != nil {
		return err
	}
	h, err := b.held(c.Account, c.Hold)
	if err != nil {
		return err
	}
	if h.released || len(h.left) == 0 {
		b.problem(string(h.fate), "the hold had nothing left to release", "", "")
	}
	h.released, h.releasedOn = true, b.entry.BusinessDate
	if p := b.payoutOf(c.Account, c.Hold); p != nil {
		b.moves(c.Account, setApart, b.lineOf(c.Account, p), -h.left.Total())
	}
	return nil
}

func (b *Books) reclaim() error {
	c, err := command[tape.Reclaim](b)
	if err != nil {
		return err
	}
	for _, id := range c.Holds {
		h, err := b.held(c.Account, id)
		if err != nil {
			return err
		}
		if !h.released {
			b.problem(string(h.fate), "the hold was reclaimed before it was released", "", "")
		}
		if err := h.account.change(h.left, h.fate, free); err != nil {
			return err
		}
		h.comesBack(h.left.Total())
		h.left, h.reclaimed = nil, true
	}
	return nil
}

// comesBack counts what came back, and again what a refund did not give back in the end.
func (h *hold) comesBack(units int64) {
	h.back += units
	if h.refund {
		h.account.withdraw(-units, h.declared)
	}
}

// takeBack books a payout that came back.
func (b *Books) takeBack() error {
	c, err := command[tape.Return](b)
	if err != nil {
		return err
	}
	h, err := b.held(c.Account, c.Hold)
	if err != nil || len(b.entry.Postings) != 1 {
		return fmt.Errorf("a return has one posting and a hold: %w", err)
	}
	if err := b.useLine(tape.LinesKey(h.account.custodian, c.Line.Statement, c.Line.N), int(c.Line.Index), tape.CreditSide); err != nil {
		return err
	}
	back, err := h.paid.Slice(h.returned, h.returned+c.Amount.Units)
	if err != nil {
		return err
	}
	h.returned += c.Amount.Units
	if p := b.payoutOf(c.Account, c.Hold); p != nil {
		b.moves(c.Account, setApart, b.lineOf(c.Account, p), -c.Amount.Units)
		b.moves(c.Account, paidOut, b.lineOf(c.Account, p), -c.Amount.Units)
		b.saidOf(c.Account, p, h)
	}
	p := b.entry.Postings[0]
	b.differs(string(h.fate), "what came back", c.Amount.String(), p.Amount.String())
	if p.Inflow != "" { // a pooled account lays it anew
		h.back += c.Amount.Units
		return nil
	}
	h.comesBack(c.Amount.Units)
	b.differs(string(h.fate), "what came back lies where it had been", spell(whole(back)), spell(whole(p.Laid)))
	return h.account.change(back, spent, free)
}

// chargeBack takes what is left of a gift; what was spent is another account's loss.
func (b *Books) chargeBack() error {
	c, err := command[tape.ChargeBack](b)
	if err != nil {
		return err
	}
	a, err := b.account(c.Account)
	if err != nil {
		return err
	}
	if err := b.useLine(tape.LinesKey(a.custodian, c.Line.Statement, c.Line.N), int(c.Line.Index), tape.DebitSide); err != nil {
		return err
	}
	var own tape.Spans
	for _, p := range b.entry.Postings {
		switch {
		case p.Memo:
		case p.From == a.id:
			own = p.Taken
		default:
			payer, err := b.account(p.From)
			if err != nil {
				return err
			}
			if err := b.takeFirst(payer, p, p.Amount); err != nil {
				return err
			}
		}
	}
	if reversal, err := record[tape.Reversal](b, c.Gift.ReversalKey(a.id)); err == nil {
		a.withdraw(reversal.Span.Length(), b.declared(c.Gift.Name(a.id)))
	}
	return b.takeGift(a.id, c.Gift, own, "")
}
