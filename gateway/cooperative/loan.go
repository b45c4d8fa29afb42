package cooperative

import (
	"context"
	"slices"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Loan is everything about one loan as it stands on a day.
type Loan struct {
	Line
	// Record is the loan as the ledger holds it: terms, lenders, consents, decisions, payments.
	Record loan.Loan `json:"record"`
	Block  uint64    `json:"block"`
	// Schedule is each instalment under the terms in force, and what is paid of it.
	Schedule []Instalment `json:"schedule"`
	// Owed is what stands on the day, part by part; none while nothing was disbursed.
	Owed *Parts `json:"owed,omitempty"`
	// Available is what can be drawn of a line on the day; none of what is no line, or can be drawn no more.
	Available *money.Amount `json:"available,omitempty"`
	// Payments are those that are in the book, in the order of their days.
	Payments []Payment `json:"payments"`
	// Security are the lots in the store that secure it; none where nothing does.
	Security *harvest.Security `json:"security,omitempty"`
	// Orders are what a purpose-locked loan bought.
	Orders  []loan.Order  `json:"orders"`
	Notices []loan.Notice `json:"notices"`
	Calls   []Call        `json:"calls"`
}

// Instalment is one row of the schedule.
type Instalment struct {
	N   int32     `json:"n"`
	Due tape.Date `json:"due"`
	// Principal and Interest are what was agreed, of a line what falls due by its draws; Amount is their sum, with fees.
	Principal money.Amount `json:"principal"`
	Interest  money.Amount `json:"interest"`
	Amount    money.Amount `json:"amount"`
	// Left is what is still to be paid of it: of one that is past, with its late
	// charges to the day; of one that comes, what will be due on its day if nothing is paid before.
	Left money.Amount `json:"left"`
	// State is paid, overdue, due (on this day), or coming.
	State string `json:"state"`
}

// The states of an instalment.
const (
	Paid    = "paid"
	Overdue = "overdue"
	DueNow  = "due"
	Ahead   = "coming"
)

// Parts are what is owed on a day.
type Parts struct {
	Costs    money.Amount `json:"costs"`
	Late     money.Amount `json:"late"`
	Interest money.Amount `json:"interest"`
	// DuePrincipal has fallen due, Principal is all that is owed.
	DuePrincipal money.Amount `json:"duePrincipal"`
	Principal    money.Amount `json:"principal"`
	// Accrued is interest to the day that is not due yet, Ahead what was paid for later instalments.
	Accrued money.Amount `json:"accrued"`
	Ahead   money.Amount `json:"ahead"`
	// Over is what was paid beyond everything owed: the lender owes it to the household.
	Over money.Amount `json:"over"`
	// Payoff ends the loan that day.
	Payoff money.Amount `json:"payoff"`
}

// Payment is money that a lender got.
type Payment struct {
	loan.Payment
	// Kind says who paid: household, guarantor, or other (a pool, a supplier's refund).
	Kind string `json:"kind"`
}

// LoanOf is one loan as it stands on a day.
func LoanOf(ctx context.Context, m *readmodel.Model, scheme tape.AccountID, id tape.ID, day tape.Date) (Loan, error) {
	record, err := m.Record(ctx, loan.Key(scheme, id))
	if err != nil {
		return Loan{}, err
	}
	l, err := readmodel.RecordOf[loan.Loan](ctx, m, loan.Key(scheme, id))
	if err != nil {
		return Loan{}, err
	}
	classes, err := loan.ClassesOn(day)
	if err != nil {
		return Loan{}, err
	}
	line, err := lineOf(l, classes, day)
	if err != nil {
		return Loan{}, err
	}
	s := Loan{Line: line, Record: l, Block: record.Block, Schedule: []Instalment{}, Payments: payments(l), Orders: []loan.Order{}, Notices: []loan.Notice{}}
	if err := s.reckon(day); err != nil {
		return s, err
	}
	orders, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[loan.Order], error) {
		return m.Orders(ctx, readmodel.OrderFilter{Scheme: scheme, Loan: id}, w)
	})
	if err != nil {
		return s, err
	}
	s.Orders = append(s.Orders, orders...)
	if s.Security, err = optional[harvest.Security](ctx, m, harvest.SecurityKey(scheme, id)); err != nil {
		return s, err
	}
	notices, err := every[loan.Notice](ctx, m, "notice/"+string(scheme)+"/"+string(id)+"/")
	if err != nil {
		return s, err
	}
	s.Notices = append(s.Notices, notices...)
	s.Calls, err = callsOf(ctx, m, scheme, id, day)
	return s, err
}

// reckon fills in the schedule and what is owed.
func (s *Loan) reckon(day tape.Date) error {
	l := s.Record
	if l.Revolves(day) && !before(l, day) {
		left, err := l.Available(day)
		if err != nil {
			return err
		}
		s.Available = &left
	}
	if len(l.Book.Advances) == 0 || before(l, day) {
		return nil
	}
	owed, err := l.Owed(day)
	if err != nil {
		return err
	}
	s.Owed = partsOf(owed)
	for _, row := range l.Book.Schedule {
		one, err := instalmentOn(l, row, owed, day)
		if err != nil {
			return err
		}
		s.Schedule = append(s.Schedule, one)
	}
	return nil
}

func partsOf(o loan.Owed) *Parts {
	of := func(units int64) money.Amount { return amount(units, o.Currency) }
	parts := Parts{Costs: of(0), Late: of(0), Interest: of(0), DuePrincipal: of(0), Principal: of(o.Principal), Accrued: of(o.Accrued), Ahead: of(o.Ahead), Over: of(o.Over), Payoff: of(o.Payoff())}
	for _, due := range o.Dues {
		parts.Costs.Units += due.Costs
		parts.Late.Units += due.Late
		parts.Interest.Units += due.Interest
		parts.DuePrincipal.Units += due.Principal
	}
	return &parts
}

// instalmentOn is a row of the schedule with what is paid of it.
func instalmentOn(l loan.Loan, row terms.Instalment, owed loan.Owed, day tape.Date) (Instalment, error) {
	of := func(units int64) money.Amount { return amount(units, l.Principal.Currency) }
	one := Instalment{N: l.Book.Before + row.N, Due: row.Due, Principal: of(row.Principal), Interest: of(row.Interest), Amount: of(row.Total()), Left: of(0), State: Ahead}
	if l.Terms.Revolving {
		principal, interest, err := drawnDue(l, row)
		if err != nil {
			return one, err
		}
		one.Principal, one.Interest, one.Amount = of(principal), of(interest), of(principal+interest)
	}
	if row.Due > day {
		due, err := dueOn(l, row)
		if one.Left = due.Amount; due.Amount.Units == 0 {
			one.State = Paid
		}
		return one, err
	}
	for _, due := range owed.Dues {
		if due.N == one.N {
			one.Left.Units += due.Total()
		}
	}
	switch {
	case one.Left.Units == 0:
		one.State = Paid
	case row.Due < day:
		one.State = Overdue
	default:
		one.State = DueNow
	}
	return one, nil
}

// drawnDue is what falls due of a line on an instalment's day: a schedule knows what was
// drawn, and nothing of what was repaid before that day.
func drawnDue(l loan.Loan, row terms.Instalment) (principal, interest int64, err error) {
	if row.Due < l.Book.Advances[0].Date { // nothing was drawn by then
		return 0, 0, nil
	}
	l.Book.Payments = slices.DeleteFunc(slices.Clone(l.Book.Payments), func(p loan.Payment) bool { return p.Date >= row.Due })
	owed, err := l.Owed(row.Due)
	for _, due := range owed.Dues {
		if due.N == l.Book.Before+row.N {
			principal, interest = principal+due.Principal, interest+due.Interest
		}
	}
	return principal, interest, err
}

func payments(l loan.Loan) []Payment {
	paid := []Payment{}
	for _, p := range l.Book.Payments {
		kind := "household"
		if p.By != "" {
			kind = "other"
		}
		for _, guarantor := range l.Guarantors {
			if p.By == string(guarantor.Household) {
				kind = "guarantor"
			}
		}
		paid = append(paid, Payment{p, kind})
	}
	return paid
}
