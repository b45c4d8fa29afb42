package loan

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// What is known of a debtor is kept five years from its end (Regulation on the
// Credit Reporting Industry, State Council Order 631, art. 16), and of the last loans only.
const (
	pastDays = 1826
	pastMax  = 64
)

// kept adds a closed loan to those that a household repaid, and drops what is too old.
func kept(past []Past, l Loan, day tape.Date) []Past {
	past = slices.DeleteFunc(slices.Clone(past), func(p Past) bool { return p.Closed.AddDays(pastDays) < day })
	past = append(past, Past{Application: l.applied(), Organisation: l.Organisation, Closed: day, DaysPastDueMax: l.DaysPastDueMax, Defaulted: l.Defaulted})
	return past[max(0, len(past)-pastMax):]
}

// History is how a household repays: its closed loans, then those of the open
// ones that are past due on a day or were. Of one that has always been paid in time nothing is known yet.
func (d *Debts) History(own []Loan, day tape.Date) ([]Past, error) {
	if d == nil {
		return nil, nil
	}
	history := slices.Clone(d.Past)
	for _, l := range own {
		owed, err := l.Owed(day)
		if err != nil {
			return nil, err
		}
		if late := max(l.DaysPastDueMax, owed.DaysPastDue); late > 0 || l.Defaulted != "" {
			history = append(history, Past{Application: l.applied(), Organisation: l.Organisation, DaysPastDueMax: late, Defaulted: l.Defaulted})
		}
	}
	return history, nil
}

// Exposure is all that open loans come to on a day: principal that is owed, and
// what a lender is bound to. Loans in another currency are not counted; whether there are any is returned.
func Exposure(own []Loan, currency money.Currency, day tape.Date) (sum money.Amount, others bool, err error) {
	sum = money.New(0, currency)
	for _, l := range own {
		owed, err := l.Owed(day)
		if err != nil {
			return sum, others, err
		}
		if l.Principal.Currency != currency {
			others = true
			continue
		}
		if sum.Units, err = money.Sum(sum.Units, owed.Principal, l.undrawn(owed)); err != nil {
			return sum, others, rule.Field("amount", err)
		}
	}
	return sum, others, nil
}
