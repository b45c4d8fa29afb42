package loan

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Lost is what a claim on a compensation pool is judged by: one lender's part of
// the loan on a day, as money.Split gives it in the lenders' order, and what that
// lender has got of each payment, to the unit. Interest counts until a number of days past
// due; call is the loan's last guarantor call, nil for none.
func (l Loan) Lost(lender string, scheme group.Scheme, interestDays int32, call *recourse.Call, day tape.Date) (pool.Loan, error) {
	at := slices.IndexFunc(l.Lenders, func(one Lender) bool { return one.Organisation == lender })
	if at < 0 {
		return pool.Loan{}, rule.Field("loan", rule.Refuse(rule.Forbidden, "%s does not lend %s", lender, l.ID))
	}
	if err := rule.First(l.owedHere(), rule.Field("loan", l.claimable(day))); err != nil {
		return pool.Loan{}, err
	}
	now, err := l.Owed(day)
	if err != nil {
		return pool.Loan{}, err
	}
	then, err := l.Owed(l.Defaulted)
	if err != nil {
		return pool.Loan{}, err
	}
	interest, err := l.interestUntil(then, min(day, l.Defaulted.AddDays(int(interestDays-then.DaysPastDue))))
	if err != nil {
		return pool.Loan{}, err
	}
	classes, err := ClassesOn(day)
	if err != nil {
		return pool.Loan{}, err
	}
	lost, err := l.lostBy(at, then, now, interest)
	if err != nil {
		return pool.Loan{}, err
	}
	lost.Lender, lost.Cooperative, lost.Class, lost.DaysPastDue = lender, scheme.Organisation, classes.Class(now.DaysPastDue, l.observed(day)), now.DaysPastDue
	if call != nil {
		lost.Called, lost.CuredUntil = recourse.CallKey(call.Scheme, call.Loan, call.ID), curedUntil(*call)
	}
	return lost, nil
}

// claimable refuses a loan that is in no default yet, or whose book begins behind it.
func (l Loan) claimable(day tape.Date) error {
	if !l.defaulted(day) {
		return rule.Refuse(rule.Early, "%s is not in default", l.ID)
	}
	if from := l.Book.Advances[0].Date; l.Defaulted < from {
		return rule.Refuse(rule.WrongState, "%s has had other terms since %s, after its default; what stood before is not in its book", l.ID, from)
	}
	return nil
}

// defaulted reports whether the loan was called in default by a day; one of which all came back is in none.
func (l Loan) defaulted(day tape.Date) bool {
	return len(l.Book.Advances) > 0 && l.Defaulted != "" && l.Defaulted <= day
}

// curedUntil is the last day that a guarantor has to pay what it is asked.
func curedUntil(call recourse.Call) tape.Date {
	last := call.Date
	for _, g := range call.Guarantors {
		last = max(last, g.Until, g.SpreadUntil)
	}
	return last
}

// lostBy are the figures of one lender's part: what was owed at the default and now, interest as far as it counts.
func (l Loan) lostBy(lender int, then, now Owed, interest int64) (pool.Loan, error) {
	part, err := l.parts(lender, then.Principal, interest, now.Over, now.Payoff())
	if err != nil {
		return pool.Loan{}, err
	}
	guaranteed, since, err := l.gotSince(lender, then.Date, now.Date)
	since = max(0, since-part[2])
	guaranteed = min(guaranteed, since) // a guarantor can have paid too much
	return pool.Loan{Scheme: l.Scheme, Loan: l.ID, Account: l.Lenders[lender].Account, Currency: l.Principal.Currency, Contracted: l.Contract.Date, Defaulted: l.Defaulted,
		Principal: part[0], Interest: part[1], Guaranteed: guaranteed, Recovered: since - guaranteed, Owed: max(part[0]+part[1], since+part[3])}, err
}

// parts are one lender's of some amounts.
func (l Loan) parts(lender int, amounts ...int64) ([]int64, error) {
	for i, units := range amounts {
		split, err := money.Split(units, l.weights())
		if err != nil {
			return nil, err
		}
		amounts[i] = split[lender]
	}
	return amounts, nil
}

// gotSince is what a lender got after a default and up to a day: of guarantors, and in all.
func (l Loan) gotSince(lender int, defaulted, day tape.Date) (guaranteed, all int64, err error) {
	for _, p := range l.Book.Payments {
		if p.Date <= defaulted || p.Date > day {
			continue
		}
		part, err := l.parts(lender, p.Amount.Units)
		if err != nil {
			return 0, 0, err
		}
		all += part[0]
		if slices.ContainsFunc(l.Guarantors, func(g Guarantor) bool { return string(g.Household) == p.By }) {
			guaranteed += part[0]
		}
	}
	return guaranteed, all, nil
}

// interestUntil is what was due of interest on the day of default and has grown
// until a day: what is open of it then, and what payments have paid of it meanwhile.
func (l Loan) interestUntil(then Owed, until tape.Date) (int64, error) {
	open, err := l.Owed(until)
	if err != nil || until <= then.Date {
		return min(interestOf(open), interestOf(then)), err
	}
	interest, one := interestOf(open), l
	for i, p := range l.Book.Payments {
		if p.Date <= then.Date || p.Date > until {
			continue
		}
		one.Book.Payments = l.Book.Payments[:i]
		before, err := one.Owed(p.Date)
		if err != nil {
			return 0, err
		}
		one.Book.Payments = l.Book.Payments[:i+1]
		after, err := one.Owed(p.Date)
		if err != nil {
			return 0, err
		}
		interest += interestOf(before) - interestOf(after)
	}
	return interest, nil
}

// interestOf is all interest that stands, due or not.
func interestOf(o Owed) int64 {
	units := o.Accrued
	for _, due := range o.Dues {
		units += due.Interest
	}
	return units
}
