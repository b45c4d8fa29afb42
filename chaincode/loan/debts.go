package loan

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Begin is what the debts of borrower or guarantor become when a loan is contracted.
func (d *Debts) Begin(l Loan, borrower bool, entry tape.Entry) Debts {
	next := Debts{V: 1}
	if d != nil {
		next = *d
	}
	next.Entry = entry.Reference()
	if borrower {
		next.Loans = append(slices.Clone(next.Loans), l.Reference())
	} else {
		next.Guarantees = append(slices.Clone(next.Guarantees), l.Reference())
	}
	return next
}

// End is what they become when it is over. A loan that was never disbursed is no cycle.
func (d *Debts) End(l Loan, borrower bool, entry tape.Entry) Debts {
	next := *d // a contract wrote it
	next.Entry = entry.Reference()
	if !borrower {
		next.Guarantees = without(next.Guarantees, l.Reference())
		return next
	}
	next.Loans, next.LastOverdue = without(next.Loans, l.Reference()), max(next.LastOverdue, l.LastOverdue)
	if l.State == Closed {
		next.Cycles, next.Past = counted(next.Cycles, l), kept(next.Past, l, entry.BusinessDate)
	}
	return next
}

func without(list []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(reference string) bool { return reference == one })
}

// under is a household's cycle under a loan's group, among all.
func under(cycles []Cycle, l Loan) ([]Cycle, *Cycle) {
	cycles = slices.Clone(cycles)
	i := slices.IndexFunc(cycles, func(c Cycle) bool { return c.Scheme == l.Scheme && c.Group == l.Group })
	if i < 0 {
		i, cycles = len(cycles), append(cycles, Cycle{Scheme: l.Scheme, Group: l.Group})
	}
	return cycles, &cycles[i]
}

// counted adds a closed loan to its group's cycles.
func counted(cycles []Cycle, l Loan) []Cycle {
	cycles, cycle := under(cycles, l)
	cycle.Loans++
	if l.LastOverdue == "" {
		cycle.OnTime++
	}
	return cycles
}

// Concerned is what the debts of one whom a guarantor call of a loan concerns
// become by it: a call stands there until it is closed. Household is its name in the call.
func (d *Debts) Concerned(l Loan, call recourse.Call, household tape.AccountID, entry tape.Entry) Debts {
	next, key := *d, recourse.CallKey(call.Scheme, call.Loan, call.ID) // a contract wrote it when the loan was contracted
	next.Entry = entry.Reference()
	next.Calls = slices.DeleteFunc(slices.Clone(next.Calls), func(one Called) bool { return one.Call == key })
	if call.State != recourse.Closed {
		next.Calls = append(next.Calls, Called{Call: key, Household: household})
	}
	var cycle *Cycle
	next.Cycles, cycle = under(next.Cycles, l)
	cycle.LastCall = max(cycle.LastCall, call.Date)
	return next
}

// HasPaid is what the debts of a guarantor become once it has paid its part of a
// call in time: that is known of it as long as what it repaid itself.
func (d *Debts) HasPaid(call recourse.Call, entry tape.Entry) Debts {
	next, made := *d, call.Lender+"/"+string(call.ID)
	next.Entry = entry.Reference()
	next.PaidCalls = slices.DeleteFunc(slices.Clone(next.PaidCalls), func(p PaidCall) bool { return p.Made == made || p.Date.AddDays(pastDays) < entry.BusinessDate })
	next.PaidCalls = append(next.PaidCalls, PaidCall{Made: made, Date: entry.BusinessDate})
	next.PaidCalls = next.PaidCalls[max(0, len(next.PaidCalls)-pastMax):]
	return next
}

// LastCall is the day of the last guarantor call under a group that concerned a household, none for none.
func (d *Debts) LastCall(scheme tape.AccountID, of tape.ID) tape.Date {
	if d != nil {
		for _, cycle := range d.Cycles {
			if cycle.Scheme == scheme && cycle.Group == of {
				return cycle.LastCall
			}
		}
	}
	return ""
}

// Paid are the calls that a household has paid in time.
func (d *Debts) Paid() []PaidCall {
	if d == nil {
		return nil
	}
	return d.PaidCalls
}

// Facts turns what open loans and calls say of a household on a day into what the
// rules of groups ask; calls are those of Calls, in their order.
func (d *Debts) Facts(household tape.AccountID, own []Loan, calls []recourse.Call, day tape.Date) (group.Debts, error) {
	facts := group.Debts{Household: household}
	if d == nil {
		return facts, nil
	}
	for i, call := range calls {
		asked, owed := call.Owes(d.Calls[i].Household)
		if facts.OpenCall == "" && asked > 0 {
			facts.OpenCall = d.Calls[i].Call
		}
		if facts.OpenRecourse == "" && len(owed) > 0 {
			facts.OpenRecourse = d.Calls[i].Call
		}
	}
	facts.LastOverdue, facts.OpenLoans, facts.GroupLoans = d.LastOverdue, int32(len(d.Loans)), int32(len(d.Guarantees))
	for _, l := range own {
		owed, err := l.Owed(day)
		if err != nil {
			return facts, err
		}
		facts.LastOverdue = max(facts.LastOverdue, l.LastOverdue)
		if owed.DaysPastDue > 0 {
			facts.LastOverdue = day
			if facts.OverdueLoan == "" {
				facts.OverdueLoan = l.Reference()
			}
		}
	}
	return facts, nil
}

// Borrowed is what a household has borrowed under a group: an instalment is on
// time of a loan that never was overdue and of which one has fallen due. What is
// contracted and not disbursed yet is open as well: the lender is bound to it.
func (d *Debts) Borrowed(g group.Group, household tape.AccountID, own []Loan, day tape.Date) (group.Borrowed, error) {
	facts := group.Borrowed{Household: household, Open: money.New(0, g.Agreement.GroupMax.Currency)}
	if d == nil {
		return facts, nil
	}
	for _, c := range d.Cycles {
		if c.Scheme == g.Scheme && c.Group == g.ID {
			facts.Loans, facts.OnTime = c.Loans, c.OnTime
		}
	}
	for _, l := range own {
		if l.Scheme != g.Scheme || l.Group != g.ID {
			continue
		}
		owed, err := l.Owed(day)
		if err != nil {
			return facts, err
		}
		open, err := money.Sum(facts.Open.Units, owed.Principal, l.undrawn(owed))
		if err != nil {
			return facts, rule.Field("amount", err)
		}
		facts.Open.Units = open
		if l.State != Running {
			continue
		}
		facts.Loans++
		if l.begun(day) && l.LastOverdue == "" && owed.Due() == 0 {
			facts.OnTime++
		}
	}
	return facts, nil
}

// begun reports whether an instalment has fallen due since the first advance.
func (l Loan) begun(day tape.Date) bool {
	first := l.Book.Advances[0].Date
	return slices.ContainsFunc(l.Book.Schedule, func(row terms.Instalment) bool { return row.Due > first && row.Due <= day })
}

// undrawn is what the lender is bound to and has not disbursed: under changed terms, or
// once it was written off, nothing; of a line what is not drawn of its limit, as long as it can be.
func (l Loan) undrawn(owed Owed) int64 {
	switch {
	case l.Revolves(owed.Date):
		return max(0, l.Principal.Units-owed.Principal)
	case l.Terms.Revolving:
		return l.lapsed().ordered() - l.advancedUnits()
	}
	if len(l.Restructured) > 0 || l.WrittenOff != nil {
		return 0
	}
	return l.Principal.Units - l.advancedUnits()
}
