package cooperative

import (
	"context"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Group is a guarantee group as it stands on a day.
type Group struct {
	group.Group
	// Members are those who live in it and those who are gone, with what each owes under it.
	Households []Exposure `json:"households"`
	// Exposure is what all have on loan under it: principal that is owed, and what
	// a lender is bound to and has not paid out. GroupMax is the most that was agreed.
	Exposure money.Amount `json:"exposure"`
	GroupMax money.Amount `json:"groupMax"`
	// DaysPastDue is the most of any of its loans; from the first day on nothing is lent to it, filed or not.
	DaysPastDue int32 `json:"daysPastDue"`
	// Loans are all that were contracted under it and are not over.
	Loans []Line `json:"loans"`
	// Calls are those of its members' guarantors that are not closed.
	Calls []Call `json:"calls"`
}

// Exposure is what one household owes under a group, and guarantees for the others.
type Exposure struct {
	Household tape.AccountID `json:"household"`
	// Gone says how it left; empty while it lives in the group.
	Gone string `json:"gone,omitempty"`
	// Own is what it has on loan, Guaranteed what the others have whose loans it guarantees.
	Own         money.Amount `json:"own"`
	Guaranteed  money.Amount `json:"guaranteed"`
	DaysPastDue int32        `json:"daysPastDue"`
}

// Groups lists the groups of a scheme by their ids.
func Groups(ctx context.Context, m *readmodel.Model, scheme tape.AccountID, day tape.Date, window readmodel.Window) (readmodel.List[Group], error) {
	list := readmodel.List[Group]{Items: []Group{}}
	found, err := readmodel.RecordsOf[group.Group](ctx, m, "group/"+string(scheme)+"/", window)
	if err != nil {
		return list, err
	}
	for _, g := range found.Items {
		one, err := groupOn(ctx, m, g, day)
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, one)
	}
	list.Next = found.Next
	return list, nil
}

// GroupOf is one group as it stands on a day.
func GroupOf(ctx context.Context, m *readmodel.Model, scheme tape.AccountID, id tape.ID, day tape.Date) (Group, error) {
	g, err := readmodel.RecordOf[group.Group](ctx, m, group.GroupKey(scheme, id))
	if err != nil {
		return Group{}, err
	}
	return groupOn(ctx, m, g, day)
}

func groupOn(ctx context.Context, m *readmodel.Model, g group.Group, day tape.Date) (Group, error) {
	currency := g.Agreement.GroupMax.Currency
	s := Group{Group: g, Households: []Exposure{}, Exposure: amount(0, currency), GroupMax: g.Agreement.GroupMax, Loans: []Line{}, Calls: []Call{}}
	classes, err := loan.ClassesOn(day)
	if err != nil {
		return s, err
	}
	loans, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[readmodel.Loan], error) {
		return m.Loans(ctx, readmodel.LoanFilter{Scheme: g.Scheme, Group: g.ID, Outstanding: true}, w)
	})
	if err != nil {
		return s, err
	}
	for _, member := range g.Members {
		s.Households = append(s.Households, Exposure{Household: member.Household, Gone: member.Gone, Own: s.Exposure, Guaranteed: s.Exposure})
	}
	for _, l := range loans {
		line, err := lineOf(l.Loan, classes, day)
		if err != nil {
			return s, err
		}
		s.Loans = append(s.Loans, line)
		if err := s.count(l.Loan, line, day); err != nil {
			return s, err
		}
		calls, err := callsOf(ctx, m, l.Scheme, l.ID, day)
		if err != nil {
			return s, err
		}
		for _, call := range calls {
			if call.State != recourse.Closed {
				s.Calls = append(s.Calls, call)
			}
		}
	}
	return s, nil
}

// count adds a loan to what its household and its guarantors stand for.
func (s *Group) count(l loan.Loan, line Line, day tape.Date) error {
	open, _, err := loan.Exposure([]loan.Loan{l}, s.Exposure.Currency, day)
	if err != nil {
		return err
	}
	s.Exposure.Units += open.Units
	s.DaysPastDue = max(s.DaysPastDue, line.DaysPastDue)
	for i := range s.Households {
		one := &s.Households[i]
		if one.Household == l.Household {
			one.Own.Units += open.Units
			one.DaysPastDue = max(one.DaysPastDue, line.DaysPastDue)
		}
		for _, guarantor := range l.Guarantors {
			if guarantor.Household == one.Household {
				one.Guaranteed.Units += open.Units
			}
		}
	}
	return nil
}
