package loan

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Given is what of an overpayment its household disposed of: it is over no more.
type Given struct {
	Amount money.Amount `json:"amount"`
	Date   tape.Date    `json:"date"`
	// For is the loan that it was kept for, by its key; none where it is paid back.
	For string `json:"for,omitempty"`
	// Holds are the payouts to the household in the order of the lenders, empty where
	// one is still to be ordered; none where it was kept.
	Holds []tape.ID `json:"holds,omitempty"`
	Entry string    `json:"entry"`
}

// given takes what its household disposed of off what is over on a day. Where less is
// over by now, because the bank took a payment back since, the household owes the rest.
func (b Book) given(owed Owed, day tape.Date) Owed {
	left := owed.Over
	var last tape.Date
	for _, one := range b.Given {
		if one.Date <= day {
			left, last = left-one.Amount.Units, one.Date
		}
	}
	if owed.Over = max(0, left); left < 0 {
		owed.Dues = append(owed.Dues, terms.Due{Costs: -left, Due: last})
	}
	return owed
}

// ChooseOverpayment says what becomes of what is over of a loan: it is paid back, or
// kept for the next due of another loan of the same lenders.
type ChooseOverpayment struct {
	Account tape.AccountID `json:"account"`
	// For is the loan that it is kept for; none where it is paid back.
	For  tape.ID `json:"for,omitempty"`
	ID   tape.ID `json:"id"`
	Loan tape.ID `json:"loan"`
}

// ChooseOverpayment judges the command, which the borrower signs: it is its money. Other is the loan
// that it names, nil where it names none; it is returned as it becomes.
func (l Loan) ChooseOverpayment(c ChooseOverpayment, other *Loan, ctx tape.Context) (Loan, *Loan, tape.Entry, error) {
	refuse := func(err error) (Loan, *Loan, tape.Entry, error) { return l, nil, tape.Entry{}, err }
	if err := rule.First(carried(ctx), l.changed(ctx), l.must("nothing was paid on it", Contracted, Running, Closed), signedByOwn(ctx, l.Person, "chooses")); err != nil {
		return refuse(err)
	}
	over, err := l.over(ctx.Date)
	if err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "choose-overpayment", string(l.Scheme))
	given := Given{Amount: money.New(over, l.Principal.Currency), Date: ctx.Date, Entry: entry.Reference()}
	if c.For == "" {
		given.Holds = make([]tape.ID, len(l.Lenders))
	} else {
		if other, given.Amount, err = l.keptFor(other, given.Amount, ctx, entry); err != nil {
			return refuse(rule.Field("for", err))
		}
		given.For = other.Reference()
	}
	l.Book.Given = append(slices.Clone(l.Book.Given), given)
	return l.touched(entry), other, entry, nil
}

// over is what of a loan is its household's, which must owe nothing on it.
func (l Loan) over(day tape.Date) (int64, error) {
	if n := len(l.Book.Payments); n > 0 { // one of a loan that ended may be dated ahead
		day = max(day, l.Book.Payments[n-1].Date)
	}
	owed, err := l.Owed(day)
	switch {
	case err != nil:
		return 0, err
	case owed.Payoff() > 0 || l.ordered() != l.advancedUnits():
		return 0, rule.Refuse(rule.WrongState, "loan %s is owed, or a tranche of it is on its way; what is over is settled when it is not", l.ID)
	case owed.Over == 0:
		return 0, rule.Refuse(rule.WrongState, "nothing is over of loan %s", l.ID)
	case len(l.Book.Given) >= givenMax:
		return 0, rule.Refuse(rule.Invalid, "an overpayment of loan %s was settled %d times, and no more than that", l.ID, givenMax)
	}
	return owed.Over, nil
}

const givenMax = 16

// unsettled refuses to end a loan of which nothing is disbursed while something of what was paid on it is owed either way.
func (l Loan) unsettled(day tape.Date) error {
	owed, err := l.Owed(day)
	if err != nil || owed.Over+owed.Ahead+owed.Due() == 0 {
		return err
	}
	return rule.Refuse(rule.WrongState, "%s of loan %s are its household's, and %s are owed by it; that is settled first", money.New(owed.Over+owed.Ahead, owed.Currency), l.ID, money.New(owed.Due(), owed.Currency))
}

// keptFor pays what is over to another running loan of the household, on the day of
// its next due: lenders and shares must be the same, since no money moves.
func (l Loan) keptFor(other *Loan, over money.Amount, ctx tape.Context, entry tape.Entry) (*Loan, money.Amount, error) {
	if other == nil || other.ID == l.ID || other.Household != l.Household {
		return nil, over, rule.Refuse(rule.NotFound, "is no other loan of %s", l.Household)
	}
	if !slices.Equal(other.Lenders, l.Lenders) || other.Principal.Currency != l.Principal.Currency {
		return nil, over, rule.Refuse(rule.Conflict, "%s is not lent by the same lenders in the same shares; have the overpayment of %s paid back", other.ID, l.ID)
	}
	if err := other.must("only a running loan has a next due", Running); err != nil {
		return nil, over, err
	}
	owed, err := other.Owed(ctx.Date)
	if err != nil {
		return nil, over, err
	}
	day := ctx.Date
	if i := slices.IndexFunc(other.Book.Schedule, func(row terms.Instalment) bool { return row.Due > day }); i >= 0 && owed.Due() == 0 {
		day = other.Book.Schedule[i].Due
	}
	over.Units = min(over.Units, owed.Payoff())
	next, _, err := other.Pay(Pays{Amount: over, Date: day, AheadDays: int32(ctx.Date.DaysUntil(day)), Mostly: UntilPayoff}, entry)
	return &next, over, err
}

// PayOverpayment orders a lender's part of an overpayment to the household.
type PayOverpayment struct {
	Account tape.AccountID `json:"account"`
	Expires tape.Instant   `json:"expires"`
	// ID is the entry's and the payout's.
	ID   tape.ID `json:"id"`
	Loan tape.ID `json:"loan"`
	// N counts the household's choices from 1.
	N int32 `json:"n"`
}

// OverpaymentPart is a lender's part of a choice, and its payout of before; zero and none for what is not there.
func (l Loan) OverpaymentPart(n int32, lender string) (money.Amount, tape.ID) {
	part := money.New(0, l.Principal.Currency)
	at := slices.IndexFunc(l.Lenders, func(one Lender) bool { return one.Organisation == lender })
	if at < 0 || n < 1 || int(n) > len(l.Book.Given) || len(l.Book.Given[n-1].Holds) == 0 {
		return part, ""
	}
	parts, err := money.Split(l.Book.Given[n-1].Amount.Units, l.weights())
	if err != nil {
		return part, ""
	}
	part.Units = parts[at]
	return part, l.Book.Given[n-1].Holds[at]
}

// PayOverpayment judges the command of a lender; before is its payout of before, nil for
// none: one that came back is ordered once more. That maker and checker signed is judged by the caller against the policy.
func (l Loan) PayOverpayment(c PayOverpayment, before *tape.Hold, ctx tape.Context) (Loan, tape.Payment, tape.Entry, error) {
	refuse := func(err error) (Loan, tape.Payment, tape.Entry, error) { return l, tape.Payment{}, tape.Entry{}, err }
	lender, err := l.lender(ctx)
	if err := rule.First(err, l.changed(ctx)); err != nil {
		return refuse(err)
	}
	part, known := l.OverpaymentPart(c.N, ctx.Organisation)
	if part.Units == 0 {
		return refuse(rule.Field("n", rule.Refuse(rule.NotFound, "is %d; the household of loan %s has chosen nothing that %s pays by it", c.N, l.ID, ctx.Organisation)))
	}
	if known != "" && (before == nil || !before.CameBack()) {
		return refuse(rule.Field("n", rule.Refuse(rule.WrongState, "is %d; %s has ordered its part, payout %s", c.N, ctx.Organisation, known)))
	}
	entry := ctx.Entry(c.ID, "pay-overpayment", string(l.Scheme))
	l.Book.Given = slices.Clone(l.Book.Given)
	given := &l.Book.Given[c.N-1]
	given.Holds = slices.Clone(given.Holds)
	given.Holds[lender] = c.ID
	return l.touched(entry), tape.Payment{Amount: part, Line: c.ID, To: outside(l.Household), OnBehalfOf: l.Household}, entry, nil
}
