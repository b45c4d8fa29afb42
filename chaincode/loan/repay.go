package loan

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Owed is what the household owes on a day under the loan. Of a loan of which
// nothing was disbursed it is nothing, and what was paid on money that came back is
// owed to the household. The book begins anew when terms are changed: of days before
// that it knows nothing, and says so.
func (l Loan) Owed(day tape.Date) (Owed, error) {
	if len(l.Book.Advances) == 0 || day < l.Book.Advances[0].Date {
		if n := len(l.Restructured); n > 0 {
			return Owed{}, rule.Field("date", rule.Refuse(rule.WrongState, "%s lies before the terms of loan %s were changed, on %s", day, l.ID, l.Restructured[n-1].Date))
		}
		over, ahead := l.Book.came(day)
		return l.Book.given(Owed{Currency: l.Principal.Currency, Date: day, Ahead: ahead, Over: over, Paid: Paid{Over: over}}, day), nil
	}
	return l.Book.owed(l.Terms, l.ToleranceUnits, day)
}

// Pays is one payment on a loan: money that its lenders have got, or get in the same entry.
type Pays struct {
	Amount money.Amount
	Date   tape.Date
	// By is empty for the household, else who paid for it.
	By string
	// Principal pays principal before anything else.
	Principal bool
	// Mostly is the most that may be paid: what is due, or all that is owed.
	Mostly Mostly
	// AheadDays is how many days after the entry's the payment may be dated: a sale
	// pays instalments of its window, and they are booked on their days.
	AheadDays int32
}

// Mostly bounds a payment.
type Mostly string

// Until says how much of a debt a payment may pay.
const (
	// UntilDue leaves what is not due yet alone.
	UntilDue Mostly = "due"
	// UntilPayoff ends with the loan.
	UntilPayoff Mostly = "payoff"
	// Anything is what a bank's line brings: what is over is owed to the household.
	Anything Mostly = "anything"
)

// Pay puts a payment into the book and says what it paid. It is how every payment
// comes to a loan: a household's own, a sale's, a guarantor's, the pool's. What
// comes to light later than a change of terms counts from that change on, since
// all have signed what was owed then.
func (l Loan) Pay(p Pays, entry tape.Entry) (Loan, Paid, error) {
	refuse := func(err error) (Loan, Paid, error) { return l, Paid{}, err }
	if err := l.payable(p, entry.BusinessDate); err != nil {
		return refuse(err)
	}
	p.Date = max(p.Date, l.Book.Advances[0].Date)
	owed, err := l.Owed(max(p.Date, entry.BusinessDate))
	if err != nil {
		return refuse(err)
	}
	if most := owed.most(p.Mostly); p.Amount.Units > most {
		return refuse(rule.Field("amount", rule.Refuse(rule.Insufficient, "%s is more than %s, what loan %s owes", p.Amount, money.New(most, l.Principal.Currency), l.ID)))
	}
	before, err := l.paid(owed)
	if err != nil {
		return refuse(err)
	}
	next, err := l.overdueOn(min(p.Date, entry.BusinessDate), owed)
	if err != nil {
		return refuse(err)
	}
	if next.Book, err = l.Book.paid(Payment{Amount: p.Amount, Date: p.Date, By: p.By, Entry: entry.Reference(), Principal: p.Principal}); err != nil {
		return refuse(err)
	}
	next, owed, err = next.closed(entry.BusinessDate)
	if err != nil {
		return refuse(err)
	}
	after, err := next.paid(owed)
	if err != nil {
		return refuse(err)
	}
	return next.touched(entry), after.less(before), nil
}

// paid is what all payments have paid, those that are dated ahead on their days;
// known is what is owed on a day.
func (l Loan) paid(known Owed) (Paid, error) {
	if known.Ahead == 0 {
		return known.Paid, nil
	}
	last, err := l.Owed(l.Book.Payments[len(l.Book.Payments)-1].Date)
	return last.Paid, err
}

// overdueOn notes that the loan was overdue on the day of a payment. What was paid
// in time was not overdue, whenever the bank's line came to light.
func (l Loan) overdueOn(day tape.Date, known Owed) (Loan, error) {
	if day != known.Date {
		var err error
		if known, err = l.Owed(day); err != nil {
			return l, err
		}
	}
	if known.DaysPastDue > 0 {
		l.LastOverdue, l.DaysPastDueMax = max(l.LastOverdue, day), max(l.DaysPastDueMax, known.DaysPastDue)
	}
	return l, nil
}

// closed ends a loan of which nothing is owed and nothing is on its way, or says that
// nothing of it is disbursed any more, and what stands. What was paid ahead pays that day, then.
func (l Loan) closed(day tape.Date) (Loan, Owed, error) {
	if l.State == Running && len(l.Book.Advances) == 0 { // all of it came back
		l.State = Contracted
	}
	if l.Revolves(day) { // where nothing is owed it can be drawn still
		owed, err := l.Owed(l.known(day))
		return l, owed, err
	}
	return l.lapsed().ends(day)
}

// known is a day by which all that was advanced counts: the bank's line may be dated ahead.
func (l Loan) known(day tape.Date) tape.Date {
	if n := len(l.Book.Advances); n > 0 {
		return max(day, l.Book.Advances[n-1].Date)
	}
	return day
}

// ends is closed for what is drawn no more.
func (l Loan) ends(day tape.Date) (Loan, Owed, error) {
	day = l.known(day)
	owed, err := l.Owed(day)
	if err != nil || owed.Payoff() > 0 || l.State != Running || l.ordered() != l.advancedUnits() {
		return l, owed, err
	}
	l.State, l.Book = Closed, l.Book.dated(day)
	if owed.Ahead > 0 {
		owed, err = l.Owed(day)
	}
	return l, owed, err
}

// payable refuses a payment on a loan that owes nothing, and a day that cannot be its own.
func (l Loan) payable(p Pays, day tape.Date) error {
	if err := rule.First(l.must("only a loan that was disbursed is repaid", Running), rule.Field("amount", p.Amount.Positive(l.Principal.Currency)), rule.Field("date", p.Date.Check())); err != nil {
		return err
	}
	first, last := l.Book.Advances[0].Date, day.AddDays(int(p.AheadDays))
	if p.Date > last || p.Date < first && len(l.Restructured) == 0 {
		return rule.Field("date", rule.Refuse(rule.Invalid, "%s is not %s to %s", p.Date, first, last))
	}
	return nil
}

// most is the most that a payment may pay.
func (o Owed) most(m Mostly) int64 {
	switch m {
	case Anything:
		return money.Max
	case UntilPayoff:
		return o.Payoff()
	}
	return min(o.Due(), o.Payoff())
}

// advancedUnits is what was disbursed in all.
func (l Loan) advancedUnits() int64 {
	var units int64
	for _, t := range l.Tranches {
		if t.Paid != "" {
			units += t.Amount.Units
		}
	}
	return units
}

// Repay puts money that has come to a lender's account to a loan: a settled gift
// of its page, as a bank's line showed it. The originator's account gets it and
// hands each other lender its share in the same entry.
type Repay struct {
	Account tape.AccountID `json:"account"`
	// By is who paid where it was not the household: guarantor or supplier.
	By   tape.AccountID `json:"by,omitempty"`
	Gift tape.GiftProof `json:"gift"`
	ID   tape.ID        `json:"id"`
	// Line is the bank's line that the gift came by; without it the payment is of the entry's day.
	Line *tape.LineProof `json:"line,omitempty"`
	Loan tape.ID         `json:"loan"`
	// Order is what a supplier pays back of: its refund pays principal before anything else.
	Order tape.ID `json:"order,omitempty"`
}

// Repaid is the key by which the gift repays one loan only.
func (c Repay) Repaid(account tape.AccountID) string {
	name := c.Gift.Name(account)
	return RepaidKey(name.Account, name.Page, name.Index)
}

// Arrived is the money that a Repay names.
type Arrived struct {
	Amount money.Amount
	// Date is that of the bank's line, or the entry's where none is shown.
	Date tape.Date
	// Used is what the gift has repaid before, nil for nothing.
	Used *Repayment
	// Supplies is the order that the command names, nil where there is none.
	Supplies *Order
}

// Repay judges the command of the originator and returns what goes on to the
// other lenders.
func (l Loan) Repay(c Repay, arrived Arrived, ctx tape.Context) (Loan, []tape.Payment, tape.Entry, error) {
	refuse := func(err error) (Loan, []tape.Payment, tape.Entry, error) { return l, nil, tape.Entry{}, err }
	if err := rule.First(l.originator(ctx), l.changed(ctx)); err != nil {
		return refuse(err)
	}
	if arrived.Used != nil {
		return refuse(rule.Field("gift", rule.Refuse(rule.WrongState, "has repaid a loan already, by entry %s", arrived.Used.Entry)))
	}
	if c.By != "" {
		if err := c.By.Check(); err != nil {
			return refuse(rule.Field("by", err))
		}
	}
	if err := l.refund(c, arrived); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "repay-loan", string(l.Scheme))
	after, _, err := l.Pay(Pays{Amount: arrived.Amount, Date: arrived.Date, By: string(c.By), Principal: c.Order != "", Mostly: Anything}, entry)
	if err != nil {
		return refuse(rule.Field("gift", err))
	}
	shares, err := money.Split(arrived.Amount.Units, l.weights())
	if err != nil {
		return refuse(err)
	}
	var onward []tape.Payment
	for i, lender := range l.Lenders[1:] {
		if shares[i+1] > 0 {
			onward = append(onward, tape.Payment{Amount: money.New(shares[i+1], arrived.Amount.Currency), Line: tape.ID("lender-" + decimal(int32(i+2))), OnBehalfOf: l.Household, To: lender.Account})
		}
	}
	return after, onward, entry, nil
}

// refund refuses a supplier's money that names no order, another's, or more than was
// paid for it: what goods cost comes back to the principal that bought them, never in cash.
func (l Loan) refund(c Repay, arrived Arrived) error {
	if c.Order == "" {
		if slices.ContainsFunc(l.Tranches, func(t Tranche) bool { return t.Order != "" && t.To == c.By }) {
			return rule.Field("order", rule.Refuse(rule.Invalid, "is missing: %s was paid by loan %s, and says of which order it pays back", c.By, l.ID))
		}
		return nil
	}
	if arrived.Supplies == nil || arrived.Supplies.Loan != l.ID {
		return rule.Field("order", rule.Refuse(rule.NotFound, "there is no order %s of loan %s", c.Order, l.ID))
	}
	if c.By != arrived.Supplies.Supplier {
		return rule.Field("by", rule.Refuse(rule.Conflict, "is not %s, the supplier of order %s", arrived.Supplies.Supplier, c.Order))
	}
	if !slices.ContainsFunc(l.Tranches, func(t Tranche) bool { return t.Order == c.Order && t.Paid != "" }) {
		return rule.Field("order", rule.Refuse(rule.WrongState, "%s is not paid; nothing of it comes back", c.Order))
	}
	if left := arrived.Supplies.Amount.Units - arrived.Supplies.Refunded; arrived.Amount.Units > left {
		return rule.Field("gift", rule.Refuse(rule.Insufficient, "brings %s; of order %s %s can come back", arrived.Amount, c.Order, money.New(left, l.Principal.Currency)))
	}
	return nil
}

// refunded is an order of which more, or less, has come back.
func (o Order) refunded(units int64, entry tape.Entry) Order {
	o.Refunded, o.Entry = o.Refunded+units, entry.Reference()
	return o
}

// Refunded is the order that a repayment pays back, nil for none.
func (c Repay) Refunded(arrived Arrived, entry tape.Entry) *Order {
	if c.Order == "" {
		return nil
	}
	order := arrived.Supplies.refunded(arrived.Amount.Units, entry)
	return &order
}
