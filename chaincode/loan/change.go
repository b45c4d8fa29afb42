package loan

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Restructure changes the terms of a running loan because its debtor cannot keep
// them. The principal that is left gets a new schedule; interest, late charges
// and costs that were due are carried, bear nothing, and are paid first.
type Restructure struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Loan    tape.ID        `json:"loan"`
	// TermEnd is the last day on which an instalment may fall due.
	TermEnd tape.Date   `json:"termEnd"`
	Terms   terms.Terms `json:"terms"`
}

// Restructure judges the command. Maker and checker of the originator sign, which
// the caller judges against the policy; the borrower signs, and every guarantor:
// who did not consent in writing does not answer for more, or for longer (Civil Code art. 695).
// Called is the last call of its guarantors, nil for none: an open one asks for
// instalments that would be no more. Claims are the last of its lenders on compensation
// pools: what a pool compensates is the loss under the terms of the default, and what comes in later is shared by them.
func (l Loan) Restructure(c Restructure, expiry tape.Date, called *recourse.Call, claims []pool.Claim, ctx tape.Context) (Loan, tape.Entry, error) {
	refuse := func(err error) (Loan, tape.Entry, error) { return l, tape.Entry{}, err }
	if err := rule.First(l.originator(ctx), l.changed(ctx), l.must("only a running loan has terms to change", Running), rule.Field("terms", c.Terms.Check()), rule.Field("termEnd", c.TermEnd.Check()), l.settled(called, claims, ctx.Date)); err != nil {
		return refuse(err)
	}
	if err := rule.First(rule.Field("terms", withoutDeduction(c.Terms)), rule.Field("terms", drawnOnce(c.Terms)), l.signedByAll(ctx)); err != nil {
		return refuse(err)
	}
	if c.TermEnd > expiry {
		return refuse(rule.Field("termEnd", rule.Refuse(rule.Invalid, "is %s; the agreement of group %s ends on %s, and no loan outlasts it", c.TermEnd, l.Group, expiry)))
	}
	owed, err := l.Owed(ctx.Date)
	if err != nil {
		return refuse(err)
	}
	if owed.Over > 0 {
		return refuse(rule.Refuse(rule.WrongState, "the lenders of loan %s owe %s to its household; that is settled first", l.ID, money.New(owed.Over, owed.Currency)))
	}
	classes, err := ClassesOn(ctx.Date)
	if err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "restructure-loan", string(l.Scheme))
	if l.Book, err = l.restarted(owed, c.Terms, c.TermEnd, entry); err != nil {
		return refuse(rule.Field("terms", err))
	}
	l.Terms, l.TermEnd = c.Terms, c.TermEnd
	l.Restructured = append(slices.Clone(l.Restructured), Restructured{Date: ctx.Date, DaysPastDue: owed.DaysPastDue, Observed: ctx.Date.AddDays(int(classes.ObservationDays)), Entry: entry.Reference()})
	return l.touched(entry), entry, nil
}

// settled refuses to change terms while something is on its way that the old ones say what becomes of.
func (l Loan) settled(called *recourse.Call, claims []pool.Claim, day tape.Date) error {
	if l.ordered() != l.advancedUnits() {
		return rule.Refuse(rule.WrongState, "a tranche of loan %s is on its way; its terms are changed when it has arrived", l.ID)
	}
	if _, ahead := l.Book.came(day); ahead > 0 {
		return rule.Refuse(rule.WrongState, "an instalment of loan %s is paid ahead of its day; its terms are changed after that day", l.ID)
	}
	if called != nil && called.State == recourse.Open {
		return rule.Refuse(rule.WrongState, "call %s of the guarantors of loan %s is open; its terms are changed when that is withdrawn", called.ID, l.ID)
	}
	for _, claim := range claims {
		if slices.Contains([]pool.State{pool.Approved, pool.Paid, pool.Sharing}, claim.State) {
			return rule.Refuse(rule.WrongState, "claim %s of %s on %s for loan %s is %s; its terms are changed when the pool has returned it, or once it is paid when both have closed it", claim.ID, claim.Lender, claim.Account, l.ID, claim.State)
		}
	}
	return nil
}

// drawnOnce refuses a line as what comes of changed terms: nothing more is lent under them.
func drawnOnce(t terms.Terms) error {
	if !t.Revolving {
		return nil
	}
	return rule.Field("revolving", rule.Refuse(rule.Invalid, "is for new loans; nothing more is disbursed once terms are changed"))
}

// signedByAll refuses a change that borrower or a guarantor has not signed by a key in its own hands.
func (l Loan) signedByAll(ctx tape.Context) error {
	if err := signedByOwn(ctx, l.Person, "borrows"); err != nil {
		return err
	}
	for _, g := range l.Guarantors {
		if err := signedByOwn(ctx, g.Person, "guarantees"); err != nil {
			return err
		}
	}
	return nil
}

// restarted is the book that begins anew with the principal that is left.
func (l Loan) restarted(owed Owed, t terms.Terms, end tape.Date, entry tape.Entry) (Book, error) {
	carried := Charge{Date: owed.Date, Interest: owed.Accrued, Entry: entry.Reference()}
	for _, due := range owed.Dues {
		carried.Costs, carried.Late, carried.Interest = carried.Costs+due.Costs, carried.Late+due.Late, carried.Interest+due.Interest
	}
	next := Book{Before: l.Book.Before + int32(len(l.Book.Schedule))}
	if carried.total() > 0 {
		next.Charges = []Charge{carried}
	}
	return next.advanced(terms.Advance{Amount: money.New(owed.Principal, owed.Currency), Date: owed.Date}, t, end)
}

// WriteOff takes a loan out of its lender's books. Nobody is freed by it: the
// debt, its guarantors and every recourse stand as they stood.
type WriteOff struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Loan    tape.ID        `json:"loan"`
}

// WriteOff judges the command. That maker and checker signed is judged by the caller against the policy.
func (l Loan) WriteOff(c WriteOff, ctx tape.Context) (Loan, tape.Entry, error) {
	refuse := func(err error) (Loan, tape.Entry, error) { return l, tape.Entry{}, err }
	if err := rule.First(l.originator(ctx), l.changed(ctx), l.must("only a running loan is written off", Running)); err != nil {
		return refuse(err)
	}
	if l.WrittenOff != nil {
		return refuse(rule.Refuse(rule.WrongState, "loan %s was written off on %s", l.ID, l.WrittenOff.Date))
	}
	owed, err := l.Owed(ctx.Date)
	if err != nil {
		return refuse(err)
	}
	classes, err := ClassesOn(ctx.Date)
	if err != nil {
		return refuse(err)
	}
	if class := classes.Class(owed.DaysPastDue, l.observed(ctx.Date)); classes.Performs(class) || !l.inDefault(owed) {
		return refuse(rule.Refuse(rule.Early, "loan %s is %s, %d days past due; only a non-performing loan in default is written off", l.ID, class, owed.DaysPastDue))
	}
	entry := ctx.Entry(c.ID, "write-off-loan", string(l.Scheme))
	l.WrittenOff = &WrittenOff{Amount: money.New(owed.Principal, owed.Currency), Date: ctx.Date, Entry: entry.Reference()}
	return l.touched(entry), entry, nil
}

// ChargesMax is how many charges one loan bears.
const ChargesMax = 24

// AddCosts notes what enforcing the debt has cost the lender (Civil Code art. 561, 691).
type AddCosts struct {
	Account tape.AccountID `json:"account"`
	Amount  money.Amount   `json:"amount"`
	// Evidence is the salted hash of the bill.
	Evidence party.Hash `json:"evidence"`
	ID       tape.ID    `json:"id"`
	Loan     tape.ID    `json:"loan"`
}

// AddCosts judges the command. That maker and checker signed is judged by the caller against the policy.
func (l Loan) AddCosts(c AddCosts, ctx tape.Context) (Loan, tape.Entry, error) {
	refuse := func(err error) (Loan, tape.Entry, error) { return l, tape.Entry{}, err }
	if err := rule.First(l.originator(ctx), l.changed(ctx), l.must("only a running loan is enforced", Running), rule.Field("amount", c.Amount.Positive(l.Principal.Currency))); err != nil {
		return refuse(err)
	}
	if l.Defaulted == "" {
		return refuse(rule.Refuse(rule.WrongState, "loan %s is not in default; nothing of it is enforced", l.ID))
	}
	if c.Evidence == (party.Hash{}) {
		return refuse(rule.Field("evidence", rule.Refuse(rule.Invalid, "is empty; it is the salted hash of the bill")))
	}
	if len(l.Book.Charges) >= ChargesMax || c.Amount.Units > l.Principal.Units {
		return refuse(rule.Field("amount", rule.Refuse(rule.Invalid, "%s is more than was lent, or loan %s bears %d charges already", c.Amount, l.ID, ChargesMax)))
	}
	entry := ctx.Entry(c.ID, "add-costs", string(l.Scheme))
	l.Book.Charges = append(slices.Clone(l.Book.Charges), Charge{Date: ctx.Date, Costs: c.Amount.Units, Entry: entry.Reference()})
	return l.touched(entry), entry, nil
}
