package loan

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// What the bank undoes: a payout that it returns after it was booked, and a payment
// that it takes back. Both come off the book as of their days, as though they had
// never been; a loan that had ended is open again.

// reopened is a loan of which something is undone, whatever its state was.
func (l Loan) reopened() Loan {
	if l.State == Closed {
		l.State, l.Book = Running, l.Book.undated()
	}
	return l
}

// off takes a tranche that was booked off the loan again. Where the book has a
// schedule without it, it was never advanced; where it has none, because terms were
// changed since or all days that were signed have passed, it is principal that was
// paid back on the day on which it came.
func (l Loan) off(tranche Tranche, entry tape.Entry) Loan {
	l = l.reopened()
	if book, planned := l.Book.without(terms.Advance{Amount: tranche.Amount, Date: tranche.Paid}, l.Terms); planned {
		l.Book = book
		return l
	}
	l.Book = l.Book.with(Payment{Amount: tranche.Amount, Date: max(tranche.Paid, l.Book.Advances[0].Date), By: string(l.Lenders[0].Account), Entry: entry.Reference(), Principal: true})
	return l
}

// TakeBack takes a payment off a loan that the bank has taken back from the lender's account.
type TakeBack struct {
	Account tape.AccountID `json:"account"`
	// Gift is the one that repaid the loan.
	Gift tape.GiftProof `json:"gift"`
	ID   tape.ID        `json:"id"`
	Loan tape.ID        `json:"loan"`
}

// TakingBack is what stands of the payment.
type TakingBack struct {
	// Repaid is what the gift had repaid, nil for nothing.
	Repaid *Repayment
	// Reversal is how it was taken back, nil while it is there.
	Reversal *tape.Reversal
	// Call is the last call of the loan's guarantors, nil for none.
	Call *recourse.Call
	// Supplies is the order of which the payment was a refund, nil for none.
	Supplies *Order
}

// TakenBack is what becomes when a payment is taken off a loan.
type TakenBack struct {
	Loan   Loan
	Repaid Repayment
	// Call is set where the payment had counted for the last one, Order where it was a supplier's refund.
	Call  *recourse.Call
	Order *Order
}

// TakeBack judges the command, which anybody files: the bank's line is on the tape.
// Each other lender owes the originator its part, which it returns by Return.
func (l Loan) TakeBack(c TakeBack, f TakingBack, ctx tape.Context) (TakenBack, tape.Entry, error) {
	refuse := func(err error) (TakenBack, tape.Entry, error) { return TakenBack{Loan: l}, tape.Entry{}, err }
	if err := rule.First(carried(ctx), l.changed(ctx), f.undoes(l)); err != nil {
		return refuse(err)
	}
	parts, err := money.Split(f.Repaid.Amount.Units, l.weights())
	if err != nil {
		return refuse(err)
	}
	call, err := f.recalled(ctx.Date)
	if err != nil {
		return refuse(rule.Field("gift", err))
	}
	entry := ctx.Entry(c.ID, "take-back-repayment", string(l.Scheme))
	next := l.reopened()
	next.Book = next.Book.lacking(*f.Repaid, entry)
	next.Lacking = slices.Clone(l.Lacking)
	for i, lender := range l.Lenders[1:] {
		if parts[i+1] > 0 {
			next.Lacking = append(next.Lacking, Lacking{Lender: lender.Organisation, Units: parts[i+1], Entry: entry.Reference()})
		}
	}
	if next, _, err = next.closed(ctx.Date); err != nil { // it may have been more than was owed
		return refuse(err)
	}
	result := TakenBack{Loan: next.touched(entry), Repaid: *f.Repaid, Call: call}
	result.Repaid.Back = entry.Reference()
	if f.Supplies != nil {
		order := f.Supplies.refunded(-f.Repaid.Amount.Units, entry)
		result.Order = &order
	}
	return result, entry, nil
}

// undoes refuses what the gift did not repay, what the bank has not taken back, and what was undone.
func (f TakingBack) undoes(l Loan) error {
	switch {
	case f.Repaid == nil || f.Repaid.Loan != l.Reference():
		return rule.Field("gift", rule.Refuse(rule.NotFound, "has not repaid loan %s", l.ID))
	case f.Repaid.Back != "":
		return rule.Field("gift", rule.Refuse(rule.WrongState, "came off loan %s already, by entry %s", l.ID, f.Repaid.Back))
	case f.Reversal == nil || f.Reversal.Kind != "chargeback":
		return rule.Field("gift", rule.Refuse(rule.WrongState, "is with the lender; its bank files what it takes back (ChargeBack)"))
	}
	return nil
}

// recalled is the last call of the guarantors as though the payment had not counted
// for it, nil where it had not. A later call asks for what is owed by its own day.
func (f TakingBack) recalled(day tape.Date) (*recourse.Call, error) {
	if f.Call == nil || f.Repaid.Call == "" || f.Call.ID != f.Repaid.Call {
		return nil, nil
	}
	call, err := f.Call.Untake(f.Repaid.Guarantor, f.Repaid.Took, f.Repaid.Lowered, day)
	return &call, err
}

// lacking is the book without a payment. One of before the terms were changed is
// owed beside the new schedule from that change on: it bears nothing and is paid first.
func (b Book) lacking(p Repayment, entry tape.Entry) Book {
	if i := slices.IndexFunc(b.Payments, func(one Payment) bool { return one.Entry == p.Entry }); i >= 0 {
		b.Payments = slices.Delete(slices.Clone(b.Payments), i, i+1)
		return b
	}
	charge := Charge{Date: b.Advances[0].Date, Costs: p.Amount.Units, Entry: entry.Reference()}
	i := 0
	for i < len(b.Charges) && b.Charges[i].Date <= charge.Date {
		i++
	}
	b.Charges = slices.Insert(slices.Clone(b.Charges), i, charge)
	return b
}

// Counted is the mark of a payment that changed a loan, with what it did to an open
// call of its guarantors; both are nil where there was none.
func (c Repay) Counted(l Loan, arrived Arrived, before, after *recourse.Call, entry tape.Entry) Repayment {
	mark := Repayment{V: 1, Loan: l.Reference(), Amount: arrived.Amount, Date: arrived.Date, Order: c.Order, Entry: entry.Reference()}
	if before == nil || after == nil {
		return mark
	}
	mark.Call, mark.Lowered = before.ID, after.Lowered-before.Lowered
	for i, g := range after.Guarantors {
		if took := g.Paid - before.Guarantors[i].Paid; took > 0 {
			mark.Guarantor, mark.Took = g.Household, took
		}
	}
	return mark
}

// ReturnPart returns a lender's part of payments that the bank took back to the originator.
type ReturnPart struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Loan    tape.ID        `json:"loan"`
}

// Lacks is what a lender has to return, in minor units.
func (l Loan) Lacks(lender string) int64 {
	var units int64
	for _, one := range l.Lacking {
		if one.Lender == lender {
			units += one.Units
		}
	}
	return units
}

// Return judges the command of a lender that is not the originator, and returns what
// its account pays. That maker and checker signed is judged by the caller against the policy.
func (l Loan) Return(c ReturnPart, ctx tape.Context) (Loan, tape.Payment, tape.Entry, error) {
	refuse := func(err error) (Loan, tape.Payment, tape.Entry, error) { return l, tape.Payment{}, tape.Entry{}, err }
	lender, err := l.lender(ctx)
	if err := rule.First(err, l.changed(ctx)); err != nil {
		return refuse(err)
	}
	units := l.Lacks(ctx.Organisation)
	if lender == 0 || units == 0 {
		return refuse(rule.Refuse(rule.WrongState, "%s has nothing of loan %s that the bank took back", ctx.Organisation, l.ID))
	}
	entry := ctx.Entry(c.ID, "return-part", string(l.Scheme))
	l.Lacking = slices.DeleteFunc(slices.Clone(l.Lacking), func(one Lacking) bool { return one.Lender == ctx.Organisation })
	return l.touched(entry), tape.Payment{Amount: money.New(units, l.Principal.Currency), Line: "part", OnBehalfOf: l.Household, To: l.Lenders[0].Account}, entry, nil
}

// Reopen is what the debts of borrower or guarantor become when a loan that had
// ended is open again: it is no cycle any more, and no history.
func (d *Debts) Reopen(l Loan, borrower bool, entry tape.Entry) Debts {
	next := d.Begin(l, borrower, entry)
	if !borrower {
		return next
	}
	next.Past = slices.DeleteFunc(slices.Clone(next.Past), func(p Past) bool { return p.Application == l.applied() })
	next.Cycles = slices.Clone(next.Cycles)
	for i, c := range next.Cycles {
		if c.Scheme == l.Scheme && c.Group == l.Group {
			next.Cycles[i].Loans--
			if l.LastOverdue == "" {
				next.Cycles[i].OnTime--
			}
		}
	}
	return next
}
