package terms

import (
	"math/big"
	"slices"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Payment is what the borrower pays on a day.
type Payment struct {
	Amount money.Amount `json:"amount"`
	Date   tape.Date    `json:"date"`
	// Principal pays principal before anything else, what is due of it first: money that never was the borrower's to keep.
	Principal bool `json:"-"`
}

// PaymentsMax is how many payments of one loan are followed.
const PaymentsMax = 10_000

// Standing is what is owed on a day, in minor units.
type Standing struct {
	Currency money.Currency
	Date     tape.Date
	// DaysPastDue counts from the oldest due that is not paid; 0 where all is paid.
	DaysPastDue int32
	// Dues are what is due by that day and not paid, the oldest first, with late charges.
	Dues []Due
	// Principal is all that is owed of it, due or not.
	Principal int64
	// Accrued is interest to the day that is not due yet.
	Accrued int64
	// Over is what was paid beyond everything owed.
	Over int64
	// Paid is what all payments have paid of each part; it is of no one instalment.
	Paid Paid
}

// Payoff is what ends the loan that day: interest is paid for the days that the
// money was used and no longer (Civil Code, article 677).
func (s Standing) Payoff() int64 {
	total := s.Principal + s.Accrued
	for _, due := range s.Dues {
		total += due.Costs + due.Late + due.Interest
	}
	return total
}

// Interest is what the pay-off has of interest, due or not, without late charges.
func (s Standing) Interest() int64 {
	total := s.Accrued
	for _, due := range s.Dues {
		total += due.Interest
	}
	return total
}

// account follows a loan from its first advance to a day.
type account struct {
	*plan
	Standing
	// next is the instalment that falls due next; from is the day up to which interest is accrued.
	next int
	from tape.Date
	// beyond is how many whole intervals behind the last due interest has run.
	beyond int
	// strayed says that in this period another principal was owed than the schedule has.
	strayed bool
	// accruedFlat is what of this period's flat interest was accrued, paid or not.
	accruedFlat int64
	// deferred waits for the first instalment behind the grace.
	deferred int64
	// late are the late charges that run within the days of grace, by due; lateFrom the days up to which they ran.
	late     []int64
	lateFrom []tape.Date
}

// Standing follows a loan to a day: what falls due, what each payment pays of
// it by the terms' order, and what is owed then. A payment beyond what is due
// pays interest to the day, then principal that is not due yet, which lowers
// the next instalments. Interest runs on the principal that is really owed.
func (t Terms) Standing(advances []Advance, payments []Payment, date tape.Date) (Standing, error) {
	p, err := t.scheduled(advances)
	if err != nil {
		return Standing{}, err
	}
	return p.standing(payments, date)
}

// StandingOn is Standing for a schedule that was reckoned before: rows are those
// that Schedule gave for the same advances. An annuity's are the dear part of it.
func (t Terms) StandingOn(rows []Instalment, advances []Advance, payments []Payment, date tape.Date) (Standing, error) {
	p, err := t.advanced(advances)
	if err != nil {
		return Standing{}, err
	}
	if n := len(rows); n == 0 || n > t.dueCount() || rows[n-1].Due != t.due(advances[0].Date, n-1) {
		return Standing{}, rule.Field("rows", rule.Refuse(rule.Conflict, "are not the schedule of these advances"))
	}
	p.rows, p.dues = rows, make([]tape.Date, len(rows))
	for i, row := range rows {
		p.dues[i] = row.Due
	}
	if err := p.checkAdvances(); err != nil {
		return Standing{}, err
	}
	return p.standing(payments, date)
}

func (p *plan) standing(payments []Payment, date tape.Date) (Standing, error) {
	advances := p.advances
	if err := checkPayments(advances, payments, date); err != nil {
		return Standing{}, err
	}
	a := &account{plan: p, Standing: Standing{Currency: advances[0].Amount.Currency, Date: date}, from: advances[0].Date}
	drawn := 0
	for _, payment := range slices.Concat(payments, []Payment{{Date: date}}) {
		// On one day, first what falls due, then advances, then payments.
		for ; drawn < len(advances) && advances[drawn].Date <= payment.Date; drawn++ {
			if err := a.reach(advances[drawn].Date); err != nil {
				return Standing{}, err
			}
			a.Principal += advances[drawn].Amount.Units
		}
		if err := a.reach(payment.Date); err != nil {
			return Standing{}, err
		}
		if err := a.pay(payment); err != nil {
			return Standing{}, err
		}
	}
	return a.stand(), nil
}

func checkPayments(advances []Advance, payments []Payment, date tape.Date) error {
	if err := checkDay(date); err != nil {
		return rule.Field("date", err)
	}
	if date < advances[0].Date {
		return rule.Field("date", rule.Refuse(rule.Invalid, "lies before the first advance"))
	}
	if days := advances[0].Date.DaysUntil(date); days > 2*daysMax {
		return rule.Field("date", rule.Refuse(rule.Invalid, "lies %d days behind the first advance, %d at most", days, 2*daysMax))
	}
	if len(payments) > PaymentsMax {
		return rule.Field("payments", rule.Refuse(rule.Invalid, "are %d, %d at most", len(payments), PaymentsMax))
	}
	before, total := advances[0].Date, int64(0)
	for i, payment := range payments {
		if err := (Advance{Amount: payment.Amount, Date: payment.Date}).check(advances[0].Amount.Currency); err != nil {
			return rule.Item("payments", i, err)
		}
		if payment.Date < before || payment.Date > date {
			return rule.Item("payments", i, rule.Field("date", rule.Refuse(rule.Invalid, "lies before the one before it, or behind %s", date)))
		}
		var err error
		if total, err = money.Sum(total, payment.Amount.Units); err != nil {
			return rule.Item("payments", i, err)
		}
		before = payment.Date
	}
	return nil
}

// stand keeps the dues that are not paid.
func (a *account) stand() Standing {
	unpaid := a.Dues[:0]
	for _, due := range a.Dues {
		if due.Total() > 0 {
			unpaid = append(unpaid, due)
		}
	}
	if a.Dues = unpaid; len(unpaid) > 0 {
		a.DaysPastDue = int32(unpaid[0].Due.DaysUntil(a.Date))
	}
	a.Accrued += a.deferred
	return a.Standing
}

// reach lets interest run and instalments fall due up to a day, that day included.
func (a *account) reach(day tape.Date) error {
	for a.next < len(a.dues) && a.dues[a.next] <= day {
		if err := a.accrue(a.dues[a.next]); err != nil {
			return err
		}
		a.fallDue()
	}
	if err := a.accrue(day); err != nil {
		return err
	}
	for i := range a.Dues {
		if err := a.charge(i, day); err != nil {
			return err
		}
	}
	return nil
}

// fallDue makes the next instalment due: interest that ran, and as much
// principal as the schedule wants to be back by now.
func (a *account) fallDue() {
	row := a.rows[a.next]
	interest, deferred := a.graced(a.next, a.Accrued, a.deferred)
	if a.difference() == First && a.Method == Annuity && !a.strayed && a.next >= int(a.GraceInterestInstalments) {
		interest = row.Interest // it was not reckoned anew when the first instalment took the difference
	}
	principal := a.Principal - row.Balance
	for _, due := range a.Dues {
		principal -= due.Principal
	}
	a.Dues = append(a.Dues, Due{N: row.N, Due: row.Due, Costs: row.Fee, Interest: interest, Principal: max(0, principal)})
	a.late, a.lateFrom = append(a.late, 0), append(a.lateFrom, row.Due)
	a.Accrued, a.accruedFlat, a.deferred = 0, 0, deferred
	a.strayed = false
	a.next++
}

// astray says whether another principal is owed than the schedule has.
func (a *account) astray() bool {
	scheduled := int64(0)
	if a.next > 0 {
		scheduled = a.rows[a.next-1].Balance
	}
	for _, advance := range a.advances {
		if advance.Date >= a.start(a.next) && advance.Date <= a.from {
			scheduled += advance.Amount.Units
		}
	}
	return a.Principal != scheduled
}

// accrue lets interest run from the day that it has reached.
func (a *account) accrue(to tape.Date) error {
	if to <= a.from {
		return nil
	}
	if a.flat() {
		return a.accrueFlat(to)
	}
	a.strayed = a.strayed || a.next < len(a.dues) && a.astray()
	for a.from < to {
		part, until, err := a.running(to)
		if err != nil {
			return err
		}
		units, err := cost(a.Principal, a.RatePartsPerMillion, part, a.Rounding, a.interestMultiple())
		if err != nil {
			return err
		}
		if a.Accrued, err = money.Sum(a.Accrued, units); err != nil {
			return err
		}
		a.from = until
	}
	a.waive()
	return nil
}

// waive forgets interest of instalments that pay none.
func (a *account) waive() {
	if a.next < int(a.GraceInterestInstalments) && a.GraceInterest == Waived {
		a.Accrued = 0
	}
}

// running is the part of a year from where interest stands to a day, or to the
// end of an interval, where PERIODS count on behind the last due.
func (a *account) running(to tape.Date) (fraction, tape.Date, error) {
	if a.next < len(a.dues) || a.DayCount != Periods {
		part, err := a.part(min(a.next, len(a.dues)-1), a.from, to)
		return part, to, err
	}
	last := a.dues[len(a.dues)-1]
	for a.Every.after(last, a.beyond+1) <= a.from {
		a.beyond++
	}
	begin, end := a.Every.after(last, a.beyond), a.Every.after(last, a.beyond+1)
	until := min(to, end)
	part := within(begin, end, a.from, until)
	if a.RatePer != PerInterval {
		year := a.Every.year()
		part = fraction{part.numerator * year.numerator, part.denominator * year.denominator}
	}
	return part, until, nil
}

// accrueFlat spreads the interest of an instalment evenly over the days of its
// period. Behind the last due none runs.
func (a *account) accrueFlat(to tape.Date) error {
	a.from = to
	if a.next == len(a.dues) || a.Principal == 0 {
		return nil
	}
	start, due := a.start(a.next), a.dues[a.next]
	numerator := new(big.Int).Mul(big.NewInt(a.rows[a.next].Interest), big.NewInt(int64(start.DaysUntil(to))))
	ran, err := divide(numerator, big.NewInt(int64(start.DaysUntil(due))), a.Rounding, 1)
	if err != nil {
		return err
	}
	ran = min(ran, a.rows[a.next].Interest)
	a.Accrued += ran - a.accruedFlat
	a.accruedFlat = ran
	return nil
}

// charge lets the late charge of one due run to a day.
func (a *account) charge(i int, day tape.Date) error {
	if a.LateRatePartsPerMillion == 0 || day <= a.lateFrom[i] {
		return nil
	}
	due := &a.Dues[i]
	base := due.Principal
	if a.LateOn == LateOnInstalment {
		base += due.Interest
	}
	count := a.DayCount
	if count == Periods {
		count = Act365
	}
	numerator, denominator, err := count.Year(a.lateFrom[i], day, a.dues[len(a.dues)-1])
	if err != nil {
		return err
	}
	units, err := cost(base, a.LateRatePartsPerMillion, fraction{numerator, denominator}, a.Rounding, 1)
	if err != nil {
		return err
	}
	a.lateFrom[i] = day
	if a.late[i] += units; due.Due.DaysUntil(day) > int(a.LateGraceDays) {
		due.Late += a.late[i]
		a.late[i] = 0
	}
	return nil
}

// pay gives a payment to what is due, then to interest to the day and to principal.
func (a *account) pay(payment Payment) error {
	units := payment.Amount.Units
	if units == 0 {
		return nil // the day on which it is asked
	}
	if payment.Principal {
		units = a.payPrincipal(units)
	}
	paid, rest, err := Allocate(a.Allocation, a.Dues, units)
	if err != nil {
		return err
	}
	for i, p := range paid {
		due := &a.Dues[i]
		due.Costs, due.Late, due.Interest, due.Principal = due.Costs-p.Costs, due.Late-p.Late, due.Interest-p.Interest, due.Principal-p.Principal
		a.Principal -= p.Principal
		a.Paid.Costs, a.Paid.Late, a.Paid.Interest, a.Paid.Principal = a.Paid.Costs+p.Costs, a.Paid.Late+p.Late, a.Paid.Interest+p.Interest, a.Paid.Principal+p.Principal
	}
	for _, part := range []struct{ owed, paid *int64 }{{&a.deferred, &a.Paid.Interest}, {&a.Accrued, &a.Paid.Interest}, {&a.Principal, &a.Paid.Principal}} {
		pay := min(rest, *part.owed)
		*part.owed, *part.paid = *part.owed-pay, *part.paid+pay
		rest -= pay
	}
	a.Over += rest
	return nil
}

// payPrincipal pays principal that is due, the oldest first, then what is not due, and returns what is left over.
func (a *account) payPrincipal(units int64) int64 {
	for i := range a.Dues {
		pay := min(units, a.Dues[i].Principal)
		a.Dues[i].Principal, a.Principal, a.Paid.Principal = a.Dues[i].Principal-pay, a.Principal-pay, a.Paid.Principal+pay
		units -= pay
	}
	pay := min(units, a.Principal) // what is left now finds none that is due
	a.Principal, a.Paid.Principal = a.Principal-pay, a.Paid.Principal+pay
	return units - pay
}

// Payoff is what ends the loan on a day.
func (t Terms) Payoff(advances []Advance, payments []Payment, date tape.Date) (money.Amount, error) {
	s, err := t.Standing(advances, payments, date)
	return money.New(s.Payoff(), s.Currency), err
}
