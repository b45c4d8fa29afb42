package cooperative

import (
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Line is one loan in a list, as it stands on a day.
type Line struct {
	Scheme    tape.AccountID `json:"scheme"`
	Loan      tape.ID        `json:"loan"`
	Household tape.AccountID `json:"household"`
	Group     tape.ID        `json:"group"`
	// Organisation is the originator.
	Organisation string  `json:"organisation"`
	Product      tape.ID `json:"product"`
	Purpose      string  `json:"purpose"`
	// Stage is the state, or what the day makes of it: overdue, defaulted, written-off.
	Stage string `json:"stage"`
	// Principal was agreed, Outstanding is owed of it, due or not.
	Principal   money.Amount `json:"principal"`
	Outstanding money.Amount `json:"outstanding"`
	// Due is all that is due by the day, Payoff what would end the loan that day.
	Due    money.Amount `json:"due"`
	Payoff money.Amount `json:"payoff"`
	// DaysPastDue count from the oldest instalment, OldestDue is that one's day; none where nothing is overdue.
	DaysPastDue int32     `json:"daysPastDue"`
	OldestDue   tape.Date `json:"oldestDue,omitempty"`
	// Class is that of the classification in force on the day; none of a loan that does not run.
	Class string `json:"class,omitempty"`
	// Observed: its terms were changed for the debtor's need, and it counts as at risk for now.
	Observed   bool `json:"observed,omitempty"`
	WrittenOff bool `json:"writtenOff,omitempty"`
	// Next is the next instalment behind the day of which something is to be paid.
	Next *Due `json:"next,omitempty"`
}

// Due is an instalment with what is to be paid of it.
type Due struct {
	N      int32        `json:"n"`
	Date   tape.Date    `json:"date"`
	Amount money.Amount `json:"amount"`
}

// lineOf is a loan as it stands on a day.
func lineOf(l loan.Loan, classes loan.Classes, day tape.Date) (Line, error) {
	currency := l.Principal.Currency
	zero := amount(0, currency)
	line := Line{Scheme: l.Scheme, Loan: l.ID, Household: l.Household, Group: l.Group, Organisation: l.Organisation, Product: l.Product, Purpose: l.Purpose, Stage: string(l.State),
		Principal: l.Principal, Outstanding: zero, Due: zero, Payoff: zero}
	if l.State != loan.Running {
		return line, nil
	}
	position, err := l.Held("", day)
	if err != nil {
		return line, err
	}
	line.Outstanding, line.DaysPastDue, line.Observed = amount(position.Principal, currency), position.DaysPastDue, position.Observed
	line.WrittenOff, line.Class = position.WrittenOff > 0, classes.Class(position.DaysPastDue, position.Observed)
	if before(l, day) { // of days before a change of terms the book knows no more than the position
		return line, nil
	}
	if line.Stage, err = l.Stage(day); err != nil {
		return line, err
	}
	owed, err := l.Owed(day)
	if err != nil {
		return line, err
	}
	line.Due, line.Payoff = amount(owed.Due(), currency), amount(owed.Payoff(), currency)
	if owed.DaysPastDue > 0 {
		line.OldestDue = day.AddDays(-int(owed.DaysPastDue))
	}
	line.Next, err = next(l, day)
	return line, err
}

// before reports whether a day lies before the book of a loan whose terms were changed.
func before(l loan.Loan, day tape.Date) bool {
	return len(l.Book.Advances) > 0 && day < l.Book.Advances[0].Date && len(l.Restructured) > 0
}

// next is the first instalment behind a day of which something is to be paid.
func next(l loan.Loan, day tape.Date) (*Due, error) {
	for _, instalment := range l.Book.Schedule {
		if instalment.Due <= day {
			continue
		}
		due, err := dueOn(l, instalment)
		if err != nil || due.Amount.Units > 0 {
			return due, err
		}
	}
	return nil, nil
}

// dueOn is what will have to be paid of an instalment on its day, if nothing is paid before.
func dueOn(l loan.Loan, instalment terms.Instalment) (*Due, error) {
	n := l.Book.Before + instalment.N
	due := &Due{N: n, Date: instalment.Due, Amount: amount(0, l.Principal.Currency)}
	owed, err := l.Owed(instalment.Due)
	for _, one := range owed.Dues {
		if one.N == n {
			due.Amount.Units += one.Total()
		}
	}
	return due, err
}
