package loan

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// DrawsMax is how often a line is drawn at most: somewhat less than the advances that package terms follows.
const DrawsMax = 96

// DrawLoan draws on a line, or takes a draw back that no lender has ordered yet.
type DrawLoan struct {
	Account tape.AccountID `json:"account"`
	Amount  money.Amount   `json:"amount"`
	Cancel  bool           `json:"cancel,omitempty"`
	ID      tape.ID        `json:"id"`
	Loan    tape.ID        `json:"loan"`
	// Order is the confirmed delivery that the draw pays for; none where the household is paid.
	Order tape.ID `json:"order,omitempty"`
	// Tranche is the number that the draw has or gets, from 1.
	Tranche int32 `json:"tranche"`
}

// Draw judges the command, which the borrower signs. What is drawn waits as a tranche
// for the lenders, each of which orders its share by Disburse.
func (l Loan) Draw(c DrawLoan, d Disbursing, ctx tape.Context) (Loan, tape.Entry, error) {
	refuse := func(err error) (Loan, tape.Entry, error) { return l, tape.Entry{}, err }
	if err := rule.First(carried(ctx), l.changed(ctx), l.must("draws are made under a contract", Contracted, Running)); err != nil {
		return refuse(err)
	}
	if !l.Terms.Revolving {
		return refuse(rule.Field("loan", rule.Refuse(rule.WrongState, "%s is no line of credit; its lenders disburse it", l.ID)))
	}
	if err := signedByOwn(ctx, l.Person, "draws"); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "draw-loan", string(l.Scheme))
	var after Loan
	var err error
	if c.Cancel {
		after, err = l.undraws(c, ctx.Date)
	} else {
		after, err = l.draws(c, d, entry)
	}
	if err != nil {
		return refuse(err)
	}
	return after.touched(entry), entry, nil
}

// draws is the line with one more tranche that waits.
func (l Loan) draws(c DrawLoan, d Disbursing, entry tape.Entry) (Loan, error) {
	if err := rule.First(rule.Field("amount", c.Amount.Positive(l.Principal.Currency)), l.open(entry.BusinessDate), d.regular(l)); err != nil {
		return l, err
	}
	if int(c.Tranche) != len(l.Tranches)+1 || l.live() >= l.TranchesMax || len(l.Tranches) >= l.tranchesEver() {
		return l, rule.Field("tranche", rule.Refuse(rule.Conflict, "is %d; the next draw is number %d, and %d are possible", c.Tranche, len(l.Tranches)+1, l.TranchesMax))
	}
	if err := l.drawsFrom(entry.BusinessDate); err != nil {
		return l, err
	}
	left, err := l.available(entry.BusinessDate)
	if err != nil {
		return l, err
	}
	if c.Amount.Units > left {
		return l, rule.Field("amount", rule.Refuse(rule.Insufficient, "%s is more than %s, what can be drawn of loan %s", c.Amount, money.New(max(0, left), c.Amount.Currency), l.ID))
	}
	tranche := Tranche{Amount: c.Amount, To: outside(l.Household), Order: c.Order, Holds: make([]tape.ID, len(l.Lenders)), Drawn: entry.BusinessDate, Entry: entry.Reference()}
	if d.Supplies != nil {
		tranche.To = d.Supplies.Supplier
	}
	if err := l.payee(Disburse{Amount: tranche.Amount, Order: tranche.Order, To: tranche.To, Tranche: c.Tranche}, d); err != nil {
		return l, err
	}
	if _, err := l.share(c.Amount.Units, 0); err != nil {
		return l, rule.Field("amount", err)
	}
	l.Tranches = append(slices.Clone(l.Tranches), tranche)
	return l, nil
}

// undraws is the line without a draw that no lender has ordered.
func (l Loan) undraws(c DrawLoan, day tape.Date) (Loan, error) {
	if c.Tranche < 1 || int(c.Tranche) > len(l.Tranches) || !l.Tranches[c.Tranche-1].Waits() {
		return l, rule.Field("tranche", rule.Refuse(rule.WrongState, "%d is no draw of loan %s that waits for its lenders", c.Tranche, l.ID))
	}
	if drawn := l.Tranches[c.Tranche-1]; drawn.Amount != c.Amount || drawn.Order != c.Order {
		return l, rule.Field("amount", rule.Refuse(rule.Conflict, "or the order is not that of draw %d of loan %s, which is of %s", c.Tranche, l.ID, drawn.Amount))
	}
	l.Tranches = slices.Clone(l.Tranches)
	l.Tranches[c.Tranche-1].Cancelled = true
	l, _, err := l.closed(day)
	return l, err
}

// Waits reports whether the tranche was drawn and no lender has ordered anything of it.
func (t Tranche) Waits() bool {
	return t.Drawn != "" && t.Paid == "" && !t.Cancelled && !slices.ContainsFunc(t.Holds, func(id tape.ID) bool { return id != "" })
}

// Revolves reports whether the loan is a line that can be drawn on a day: until the day
// before its last due, unless it was in default once, its terms were changed, or it was written off.
func (l Loan) Revolves(day tape.Date) bool {
	return l.Terms.Revolving && slices.Contains([]State{Contracted, Running}, l.State) && l.Defaulted == "" && l.WrittenOff == nil && len(l.Restructured) == 0 && day < l.Terms.LastDue("")
}

// open refuses a draw on a line that is drawn no more.
func (l Loan) open(day tape.Date) error {
	switch {
	case l.Revolves(day):
		return nil
	case l.Defaulted != "" || l.WrittenOff != nil || len(l.Restructured) > 0:
		return rule.Field("loan", rule.Refuse(rule.WrongState, "%s was in default, written off, or its terms were changed; nothing more is drawn of it", l.ID))
	}
	return rule.Field("loan", rule.Refuse(rule.Expired, "%s could be drawn until the day before %s", l.ID, l.Terms.LastDue("")))
}

// available is what can be drawn on a day: the limit less the principal that is owed and
// what is on its way. It is below nothing where the bank took back what had been repaid and is out again.
func (l Loan) available(day tape.Date) (int64, error) {
	owed, err := l.Owed(l.known(day))
	return l.Principal.Units - owed.Principal - (l.ordered() - l.advancedUnits()), err
}

// Available is what can be drawn of a line on a day, nothing of what is no line or is drawn no more.
func (l Loan) Available(day tape.Date) (money.Amount, error) {
	none := money.New(0, l.Principal.Currency)
	if !l.Revolves(day) {
		return none, nil
	}
	units, err := l.available(day)
	return money.New(max(0, units), l.Principal.Currency), err
}

// Bound is what a loan would take to end on a day, with what its lenders are bound to and
// have not paid out: what is to be secured. Of what is asked for it is all that was asked.
func (l Loan) Bound(day tape.Date) (money.Amount, error) {
	switch l.State {
	case Refused, Withdrawn, Closed:
		return money.New(0, l.Principal.Currency), nil
	case Applied, Referred, Approved:
		return l.Principal, nil
	}
	owed, err := l.Owed(l.known(day))
	if err != nil {
		return money.Amount{}, err
	}
	units, err := money.Sum(owed.Payoff(), l.undrawn(owed))
	return money.New(units, l.Principal.Currency), err
}

// left is what of a loan can still be ordered on a day.
func (l Loan) left(day tape.Date) (money.Amount, error) {
	if l.Terms.Revolving {
		return l.Available(day)
	}
	return money.New(l.Principal.Units-l.ordered(), l.Principal.Currency), nil
}

// drawsFrom refuses a draw while something that was paid too much waits for its
// household's choice, and on the day of that choice: a payment of one day counts behind
// the day's draws, and would repay this one with what was disposed of.
func (l Loan) drawsFrom(day tape.Date) error {
	owed, err := l.Owed(day)
	if err != nil {
		return err
	}
	if owed.Over > 0 || slices.ContainsFunc(l.Book.Given, func(g Given) bool { return g.Date >= day }) {
		return rule.Refuse(rule.WrongState, "%s of loan %s are its household's, or it chose today what becomes of them; it draws on the day after its choice", money.New(owed.Over, owed.Currency), l.ID)
	}
	return nil
}

// lapsed is a line that is drawn no more: what was drawn and no lender has ordered is not paid out.
func (l Loan) lapsed() Loan {
	if !slices.ContainsFunc(l.Tranches, Tranche.Waits) {
		return l
	}
	l.Tranches = slices.Clone(l.Tranches)
	for i, t := range l.Tranches {
		l.Tranches[i].Cancelled = t.Cancelled || t.Waits()
	}
	return l
}

// ended is a line of which nothing is owed, and nothing is drawn any more.
func (l Loan) ended(day tape.Date) (Loan, error) {
	after, owed, err := l.lapsed().ends(day)
	if err == nil && after.State != Closed {
		err = rule.Refuse(rule.WrongState, "%s of loan %s are owed, or a tranche of it is on its way; a line ends when nothing is", money.New(owed.Payoff(), owed.Currency), l.ID)
	}
	return after, err
}
