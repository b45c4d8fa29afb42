package loan

import (
	"cmp"
	"slices"

	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// PaymentsMax is how many payments one loan has at most: every week of three years, twice.
const PaymentsMax = 320

// Book is what was advanced and paid under the terms in force. What is owed on a
// day follows from it (terms.Standing): a payment that becomes known late, by a
// line of the bank of an earlier day, is put in its place, and nothing is left of
// what would have been reckoned without it.
type Book struct {
	// Advances were paid out; after a change of terms, the principal that was left that day.
	Advances []terms.Advance `json:"advances,omitempty"`
	Payments []Payment       `json:"payments,omitempty"`
	// Schedule is what the terms in force make of all advances; it follows from
	// them, and stands here because reckoning an annuity anew for each payment is dear.
	Schedule []terms.Instalment `json:"schedule,omitempty"`
	// Charges are what was owed besides principal when the terms were changed, and
	// what enforcing the debt has cost since, by their days: payments from then on pay them first.
	Charges []Charge `json:"charges,omitempty"`
	// Before counts the instalments of schedules that were in force before: numbers
	// go on behind them, so that no two instalments of a loan have the same.
	Before int32 `json:"before,omitempty"`
	// Given is what of overpayments was disposed of, in the order of their days.
	Given []Given `json:"given,omitempty"`
}

// Payment is money that a lender got for the loan.
type Payment struct {
	Amount money.Amount `json:"amount"`
	// Date is the day of the bank's line, or of the entry that moved the money on the ledger.
	Date tape.Date `json:"date"`
	// By is who paid, when it was not the household: a guarantor, the pool, a supplier's refund; empty for the household.
	By    string `json:"by,omitempty"`
	Entry string `json:"entry"`
	// Principal: it pays principal before anything else.
	Principal bool `json:"principal,omitempty"`
	// Planned is the day that it was dated to when the loan ended before that day; empty for its own.
	Planned tape.Date `json:"planned,omitempty"`
}

// Charge are amounts in minor units that no schedule has.
type Charge struct {
	Date     tape.Date `json:"date"`
	Costs    int64     `json:"costs,omitempty,string"`
	Interest int64     `json:"interest,omitempty,string"`
	Late     int64     `json:"late,omitempty,string"`
	Entry    string    `json:"entry"`
}

func (c Charge) total() int64 { return c.Costs + c.Interest + c.Late }

// pay takes what a charge asks off some units, and notes what they paid.
func (c *Charge) pay(units *int64, paid *Paid) {
	for _, part := range []struct{ owed, paid *int64 }{{&c.Costs, &paid.Costs}, {&c.Late, &paid.Late}, {&c.Interest, &paid.Interest}} {
		pay := min(*units, *part.owed)
		*part.owed, *part.paid, *units = *part.owed-pay, *part.paid+pay, *units-pay
	}
}

// Paid says what a payment paid of each part, in minor units; together the
// payment. One that becomes known late can pay what later ones had paid: of that
// part it pays more than itself, and of the part that they pay then, less than nothing.
type Paid struct {
	Costs     int64
	Late      int64
	Interest  int64
	Principal int64
	// Over is beyond everything owed: the lender owes it to the household.
	Over int64
}

// less is what was paid between two moments.
func (p Paid) less(before Paid) Paid {
	return Paid{Costs: p.Costs - before.Costs, Late: p.Late - before.Late, Interest: p.Interest - before.Interest, Principal: p.Principal - before.Principal, Over: p.Over - before.Over}
}

// Owed is what stands on a day.
type Owed struct {
	Currency money.Currency
	Date     tape.Date
	// DaysPastDue counts from the oldest instalment of which more than the tolerance is missing.
	DaysPastDue int32
	// Oldest is that instalment's number, 0 for none.
	Oldest int32
	// Dues are what is due by that day, the oldest first; charges stand before them with number 0.
	Dues []terms.Due
	// Principal is all that is owed of it, Accrued interest to the day that is not due yet.
	Principal, Accrued int64
	// Ahead is what was paid for instalments that fall due later: it is theirs, and the loan's pay-off less.
	Ahead int64
	// Over is what was paid beyond everything owed: the lender owes it to the household.
	Over int64
	// Paid is what all payments by that day paid under the terms in force.
	Paid Paid
}

// Due is all that is due by that day.
func (o Owed) Due() int64 {
	var units int64
	for _, due := range o.Dues {
		units += due.Total()
	}
	return units
}

// Payoff is what ends the loan that day: interest for the days that the money was used (Civil Code art. 677).
func (o Owed) Payoff() int64 {
	units := o.Principal + o.Accrued - o.Ahead
	for _, due := range o.Dues {
		units += due.Costs + due.Late + due.Interest
	}
	return max(0, units)
}

// charged is what payments up to a day have left of the charges up to then, what
// they paid of them, and what of the payments was left for the schedule. What was
// paid before anything was advanced waited for the first advance.
func (b Book) charged(day tape.Date) (left []Charge, paid Paid, rest []terms.Payment) {
	for _, charge := range b.Charges {
		if charge.Date <= day {
			left = append(left, charge)
		}
	}
	for _, p := range b.Payments {
		if p.Date > day {
			continue
		}
		units := p.Amount.Units
		for i := range left {
			if left[i].Date > p.Date || p.Principal {
				break
			}
			left[i].pay(&units, &paid)
		}
		if units > 0 {
			rest = append(rest, terms.Payment{Amount: money.New(units, p.Amount.Currency), Date: max(p.Date, b.Advances[0].Date), Principal: p.Principal})
		}
	}
	return left, paid, rest
}

// owed is what stands on a day, by terms and tolerance.
func (b Book) owed(t terms.Terms, toleranceUnits int64, day tape.Date) (Owed, error) {
	charges, paid, payments := b.charged(day)
	_, ahead := b.came(day)
	stands, err := b.standing(t, payments, day)
	if err != nil {
		return Owed{}, err
	}
	stands = b.matured(stands)
	for i := range charges { // what a refund left when it had paid all principal
		charges[i].pay(&stands.Over, &paid)
	}
	owed := Owed{Currency: stands.Currency, Date: day, Principal: stands.Principal, Accrued: stands.Accrued, Ahead: ahead, Over: stands.Over}
	owed.Paid = Paid{Costs: paid.Costs + stands.Paid.Costs, Late: paid.Late + stands.Paid.Late, Interest: paid.Interest + stands.Paid.Interest, Principal: stands.Paid.Principal, Over: stands.Over}
	if i := slices.IndexFunc(stands.Dues, func(d terms.Due) bool { return d.Due < day && d.Total() > toleranceUnits }); i >= 0 {
		owed.DaysPastDue, owed.Oldest = int32(stands.Dues[i].Due.DaysUntil(day)), b.Before+stands.Dues[i].N
	}
	for _, charge := range charges {
		if charge.total() > 0 {
			owed.Dues = append(owed.Dues, terms.Due{Costs: charge.Costs, Due: charge.Date, Interest: charge.Interest, Late: charge.Late})
		}
	}
	owed = b.given(owed, day)
	for _, due := range stands.Dues {
		due.N += b.Before
		owed.Dues = append(owed.Dues, due)
	}
	return owed, nil
}

// matured adds interest that runs behind the last instalment to it: nothing else
// will ever make it due.
func (b Book) matured(s terms.Standing) terms.Standing {
	principal := int64(0)
	for _, due := range s.Dues {
		principal += due.Principal
	}
	if s.Accrued == 0 || principal != s.Principal {
		return s
	}
	if n := len(s.Dues); n > 0 {
		s.Dues[n-1].Interest += s.Accrued
	} else {
		last := b.Schedule[len(b.Schedule)-1]
		s.Dues = []terms.Due{{N: last.N, Due: min(last.Due, s.Date), Interest: s.Accrued}}
	}
	s.Accrued = 0
	return s
}

// standing is what the schedule and payments come to on a day.
func (b Book) standing(t terms.Terms, payments []terms.Payment, day tape.Date) (terms.Standing, error) {
	advances := b.advancedBy(day)
	if len(advances) < len(b.Advances) { // before a later tranche another schedule held
		return t.Standing(advances, payments, day)
	}
	return t.StandingOn(b.Schedule, advances, payments, day)
}

// advancedBy are the advances up to a day; the first stands whatever the day.
func (b Book) advancedBy(day tape.Date) []terms.Advance {
	n := 1
	for n < len(b.Advances) && b.Advances[n].Date <= day {
		n++
	}
	return b.Advances[:n]
}

// advanced is the book with one more advance, which must leave a schedule that ends in time.
func (b Book) advanced(a terms.Advance, t terms.Terms, end tape.Date) (Book, error) {
	b.Advances = append(slices.Clone(b.Advances), a)
	slices.SortStableFunc(b.Advances, func(x, y terms.Advance) int { return cmp.Compare(x.Date, y.Date) })
	schedule, err := t.Schedule(b.Advances)
	if err != nil {
		return b, err
	}
	if last := schedule.Instalments[len(schedule.Instalments)-1].Due; last > end {
		return b, rule.Refuse(rule.Invalid, "the last instalment would fall due on %s, behind %s", last, end)
	}
	b.Schedule = schedule.Instalments
	return b, nil
}

// without is the book without one of its advances, as though it had never been. It
// reports whether what is left has a schedule: the days that were signed may all lie
// before the advances that stay.
func (b Book) without(a terms.Advance, t terms.Terms) (Book, bool) {
	i := slices.Index(b.Advances, a)
	if i < 0 {
		return b, false
	}
	b.Advances, b.Schedule = slices.Delete(slices.Clone(b.Advances), i, i+1), nil
	if len(b.Advances) == 0 {
		b.Advances = nil
		return b, true
	}
	schedule, err := t.Schedule(b.Advances)
	b.Schedule = schedule.Instalments
	return b, err == nil
}

// dated is the book with everything that was paid ahead dated to a day.
func (b Book) dated(day tape.Date) Book {
	b.Payments = slices.Clone(b.Payments)
	for i, p := range b.Payments {
		if p.Date > day {
			b.Payments[i].Date, b.Payments[i].Planned = day, p.Date
		}
	}
	return b
}

// undated is the book of a loan that is open again: what was paid ahead pays on its own day.
func (b Book) undated() Book {
	b.Payments = slices.Clone(b.Payments)
	for i, p := range b.Payments {
		if p.Planned != "" {
			b.Payments[i].Date, b.Payments[i].Planned = p.Planned, ""
		}
	}
	b.sort()
	return b
}

// came is what was paid by a day, and what was paid for instalments that fall due after it, in minor units.
func (b Book) came(day tape.Date) (by, ahead int64) {
	for _, p := range b.Payments {
		if p.Date <= day {
			by += p.Amount.Units
		} else {
			ahead += p.Amount.Units
		}
	}
	return by, ahead
}

// paid is the book with one more payment, in the order of their days.
func (b Book) paid(p Payment) (Book, error) {
	if len(b.Payments) >= PaymentsMax {
		return b, rule.Refuse(rule.Invalid, "the loan has %d payments already, and no more than that", PaymentsMax)
	}
	return b.with(p), nil
}

// with is the same, whatever there is already; a payment of nothing is none.
func (b Book) with(p Payment) Book {
	if p.Amount.Units == 0 {
		return b
	}
	b.Payments = append(slices.Clone(b.Payments), p)
	b.sort()
	return b
}

func (b Book) sort() {
	slices.SortStableFunc(b.Payments, func(x, y Payment) int { return cmp.Compare(x.Date, y.Date) })
}
