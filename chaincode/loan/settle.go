package loan

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
)

// Claim is what a sale's settlement pays of the loan: the debt as the waterfall
// knows it, and its dues.
type Claim struct {
	Debt waterfall.Debt
	Dues []waterfall.Due
	// PayOn are the days on which payments of the dues are booked: that of the
	// settlement, or the day of an instalment in its window.
	PayOn []tape.Date
}

// Claim reckons what the loan asks of its household's share: what is due, what
// falls due in the window, and, where the household chose to, what it pays early.
// A window that reaches to the end pays the loan off, with interest to the day.
func (l Loan) Claim(t waterfall.Terms, prepayment int64) (Claim, error) {
	if l.State != Running {
		return Claim{}, nil
	}
	owed, err := l.Owed(t.Day)
	if err != nil {
		return Claim{}, err
	}
	claim := Claim{Debt: waterfall.Debt{Creditors: l.creditors(), Reference: waterfall.Reference(l.Reference())}}
	for _, due := range owed.Dues {
		claim.add(t.Bank(due.Due), due.Due, t.Day, due.Total(), owed.Currency)
	}
	payoff := owed.Payoff() - owed.Due()
	upcoming, ends, err := l.upcoming(t, owed)
	if err != nil {
		return Claim{}, err
	}
	total := owed.Due()
	for _, due := range upcoming {
		units, on := due.Interest+due.Principal+due.Costs, due.Due
		if ends {
			units, on = payoff, t.Day
		}
		claim.add(waterfall.Window, due.Due, on, units, owed.Currency)
		total += units
		if ends {
			break
		}
	}
	if left := min(prepayment, owed.Payoff()-total); left > 0 && !ends {
		claim.add(waterfall.Prepayment, l.lastDue(t), t.Day, left, owed.Currency)
		total += left
	}
	claim.Debt.Owed = money.New(max(total, owed.Payoff()), owed.Currency)
	return claim, nil
}

// add puts a due in its place; two of one day are one to the waterfall.
func (c *Claim) add(rank waterfall.Rank, due, on tape.Date, units int64, currency money.Currency) {
	if units == 0 {
		return
	}
	if i := slices.IndexFunc(c.Dues, func(d waterfall.Due) bool { return d.Rank == rank && d.Date == due }); i >= 0 {
		c.Dues[i].Amount.Units += units
		return
	}
	c.Dues = append(c.Dues, waterfall.Due{Amount: money.New(units, currency), Date: due, Debt: c.Debt.Reference, Rank: rank})
	c.PayOn = append(c.PayOn, on)
}

// upcoming is what falls due behind the day and within the window once everything
// due is paid, and whether that is all that is left.
func (l Loan) upcoming(t waterfall.Terms, owed Owed) ([]terms.Due, bool, error) {
	end := t.Day.AddDays(int(t.WindowDays))
	if due := owed.Due(); due > 0 {
		var err error
		if l.Book, err = l.Book.paid(Payment{Amount: money.New(due, owed.Currency), Date: t.Day}); err != nil {
			return nil, false, err
		}
	}
	then, err := l.Owed(end)
	if err != nil {
		return nil, false, err
	}
	upcoming := slices.DeleteFunc(then.Dues, func(due terms.Due) bool { return due.Due <= t.Day })
	var principal int64
	for _, due := range upcoming {
		principal += due.Principal
	}
	return upcoming, len(upcoming) > 0 && principal == then.Principal && then.Ahead == 0, nil
}

// lastDue is the day on which a prepayment's money would at latest be due: behind the window.
func (l Loan) lastDue(t waterfall.Terms) tape.Date {
	return max(l.TermEnd, t.Day.AddDays(int(t.WindowDays)+1))
}

// creditors are the lenders by their shares.
func (l Loan) creditors() []waterfall.Creditor {
	creditors := make([]waterfall.Creditor, len(l.Lenders))
	for i, lender := range l.Lenders {
		creditors[i] = waterfall.Creditor{Account: lender.Account, Weight: int64(lender.PartsPerMillion)}
	}
	return creditors
}
