package loan

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/pool"
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
// falls due in the window, and, where the household chose to, what it pays early;
// together never more than ends the loan. Where the window has all that is left,
// or as much, the loan is paid off, with interest to the day.
func (l Loan) Claim(t waterfall.Terms, prepayment int64) (Claim, error) {
	if l.State != Running {
		return Claim{}, nil
	}
	l, err := l.sold(t.Day)
	if err != nil {
		return Claim{}, err
	}
	owed, err := l.Owed(t.Day)
	if err != nil {
		return Claim{}, err
	}
	left := owed.Payoff()
	claim := Claim{Debt: waterfall.Debt{Creditors: l.creditors(), Owed: money.New(left, owed.Currency), Reference: waterfall.Reference(l.Reference())}}
	for _, due := range owed.Dues {
		left -= claim.add(t.Bank(due.Due), due.Due, t.Day, min(left, due.Total()))
	}
	upcoming, ends, err := l.upcoming(t, owed, left)
	if err != nil {
		return Claim{}, err
	}
	for _, due := range upcoming {
		if ends {
			left -= claim.add(waterfall.Window, due.Date, t.Day, left)
			break
		}
		left -= claim.add(waterfall.Window, due.Date, due.Date, due.Amount.Units)
	}
	claim.add(waterfall.Prepayment, l.lastDue(t), t.Day, min(prepayment, left))
	return claim, nil
}

// sold makes a loan that is due after a sale due by the sale of a day, and never
// before it was all advanced.
func (l Loan) sold(day tape.Date) (Loan, error) {
	if l.Terms.Method != terms.AfterSale {
		return l, nil
	}
	after, err := l.Terms.Sold(l.Book.Advances[0].Date, day)
	if err != nil || after.DueDates[0] <= l.Book.Advances[len(l.Book.Advances)-1].Date {
		return l, err
	}
	schedule, err := after.Schedule(l.Book.Advances)
	l.Terms, l.Book.Schedule = after, schedule.Instalments
	return l, err
}

// Overdue is what is due of it already, in minor units.
func (c Claim) Overdue() int64 {
	units := int64(0)
	for _, due := range c.Dues {
		if due.Rank == waterfall.Overdue {
			units += due.Amount.Units
		}
	}
	return units
}

// Behind parts what is overdue of a loan that a pool has compensated into the
// lender's and the pool's: that is a debt of its own, which ranks behind guarantors
// (lending rules 4.4), and is the last of what is overdue.
func (l Loan) Behind(c Claim, of pool.Claim, interestDays int32, day tape.Date) (lender, behind Claim, err error) {
	figures, err := l.figures(of, interestDays, day)
	if err != nil {
		return c, Claim{}, err
	}
	units := of.Due(c.Overdue(), figures)
	if units == 0 {
		return c, Claim{}, nil
	}
	owed := money.New(units, c.Debt.Owed.Currency)
	behind.Debt = waterfall.Debt{Creditors: []waterfall.Creditor{{Account: of.Account, Weight: 1}}, Owed: owed, Reference: waterfall.Reference(pool.ClaimKey(of.Account, of.ID))}
	lender = Claim{Debt: c.Debt, Dues: slices.Clone(c.Dues), PayOn: slices.Clone(c.PayOn)}
	first := day
	for i := len(lender.Dues) - 1; i >= 0 && units > 0; i-- {
		due := &lender.Dues[i]
		if due.Rank != waterfall.Overdue {
			continue
		}
		part := min(units, due.Amount.Units)
		due.Amount.Units, units, first = due.Amount.Units-part, units-part, due.Date
		if due.Amount.Units == 0 {
			lender.Dues, lender.PayOn = slices.Delete(lender.Dues, i, i+1), slices.Delete(lender.PayOn, i, i+1)
		}
	}
	behind.Dues, behind.PayOn = []waterfall.Due{{Amount: owed, Date: first, Debt: behind.Debt.Reference, Rank: waterfall.Pool}}, []tape.Date{day}
	return lender, behind, nil
}

// figures are those of a claim that a pool has paid for the loan's only lender.
func (l Loan) figures(of pool.Claim, interestDays int32, day tape.Date) (pool.Loan, error) {
	l.Defaulted = of.Defaulted
	return l.Lost(of.Lender, group.Scheme{Organisation: of.Cooperative}, interestDays, nil, day)
}

// Recovered is the claim that a pool has paid, once a sale's entry has paid on the
// loan what stands in its book, and toPool of that to the pool itself. What is booked
// on later days, for instalments of the window, is shared when it counts.
func (l Loan) Recovered(of pool.Claim, interestDays int32, toPool int64, day tape.Date, entry tape.Entry) (pool.Sold, error) {
	figures, err := l.figures(of, interestDays, day)
	if err != nil {
		return pool.Sold{}, err
	}
	units, n := int64(0), int32(0)
	var sources []string
	for _, p := range l.Book.Payments {
		if p.Entry != entry.Reference() {
			continue
		}
		if p.Date <= day && p.Planned == "" {
			units, sources = units+p.Amount.Units, append(sources, p.Entry+"/"+decimal(n))
		}
		n++
	}
	return of.Sold(units, toPool, sources, figures, entry)
}

// add puts a due in its place and returns it; two of one day are one to the waterfall.
func (c *Claim) add(rank waterfall.Rank, due, on tape.Date, units int64) int64 {
	if units <= 0 {
		return 0
	}
	if i := slices.IndexFunc(c.Dues, func(d waterfall.Due) bool { return d.Rank == rank && d.Date == due }); i >= 0 {
		c.Dues[i].Amount.Units += units
		return units
	}
	c.Dues = append(c.Dues, waterfall.Due{Amount: money.New(units, c.Debt.Owed.Currency), Date: due, Debt: c.Debt.Reference, Rank: rank})
	c.PayOn = append(c.PayOn, on)
	return units
}

// upcoming is what falls due behind the day and within the window once everything
// before it is paid on its day, and whether that is all that is left, or as much.
func (l Loan) upcoming(t waterfall.Terms, owed Owed, left int64) (upcoming []terms.Payment, ends bool, err error) {
	end := t.Day.AddDays(int(t.WindowDays))
	l.Book = l.Book.with(Payment{Amount: money.New(owed.Due(), owed.Currency), Date: t.Day})
	then, err := l.Owed(end)
	for _, due := range then.Dues {
		if due.Due <= t.Day {
			continue
		}
		on, err := l.Owed(due.Due)
		if err != nil {
			return nil, false, err
		}
		if units := on.Due(); units > 0 {
			payment := Payment{Amount: money.New(units, owed.Currency), Date: due.Due}
			l.Book, left = l.Book.with(payment), left-units
			upcoming = append(upcoming, terms.Payment{Amount: payment.Amount, Date: payment.Date})
		}
	}
	if err == nil {
		then, err = l.Owed(end)
	}
	return upcoming, then.Principal == 0 || left <= 0, err
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
