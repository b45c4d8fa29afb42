package loan

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Calling is what a call of a loan's guarantors reads beside the loan.
type Calling struct {
	Scheme  group.Scheme
	Version group.SchemeTerms // of the loan's SchemeVersion
	Group   group.Group
	Notices []*Notice // NoticeKeys, in their order; nil for what was not given
	Stay    *Stay     // the one that ends last of those declared for the scheme; nil for none
	// Bears are what the guarantors bear and are asked for by calls of other loans
	// under the agreement, in their order and in minor units.
	Bears []int64
}

// Debt is what the rules of guarantor calls ask of the loan on a day, and the terms
// of its scheme. Guarantors have signed every change of terms, so the due dates
// are those that they guarantee (Civil Code art. 695).
func (l Loan) Debt(f Calling, day tape.Date) (recourse.Debt, recourse.Terms, error) {
	refuse := func(err error) (recourse.Debt, recourse.Terms, error) {
		return recourse.Debt{}, recourse.Terms{}, err
	}
	owed, err := l.Owed(day)
	if err != nil {
		return refuse(err)
	}
	if f.Group.ID != l.Group || len(f.Bears) != len(l.Guarantors) || len(f.Notices) != len(f.Version.NoticeDays) {
		return refuse(rule.Refuse(rule.Conflict, "loan %s is of group %s with %d guarantors and %d notices", l.ID, l.Group, len(l.Guarantors), len(f.Version.NoticeDays)))
	}
	debt := recourse.Debt{Scheme: l.Scheme, Loan: l.ID, Lender: l.Organisation, Cooperative: f.Scheme.Organisation, Debtor: l.Household, Currency: l.Principal.Currency,
		DaysPastDue: owed.DaysPastDue, Overdue: overdue(owed), WrittenOff: l.WrittenOff != nil}
	for _, lender := range l.Lenders {
		if lender.Organisation != l.Organisation {
			debt.CoLenders = append(debt.CoLenders, lender.Organisation)
		}
	}
	agreement := f.Group.Agreement
	for i, g := range l.Guarantors {
		left := money.New(max(0, agreement.MemberMax.Units-f.Bears[i]), agreement.MemberMax.Currency)
		debt.Guarantors = append(debt.Guarantors, recourse.Bound{Household: g.Household, Share: g.PartsPerMillion, Left: left, Months: agreement.GuaranteeMonths})
	}
	for i, notice := range f.Notices {
		if notice != nil {
			for _, household := range notice.Told {
				debt.Notices = append(debt.Notices, recourse.Notice{Household: household, Day: f.Version.NoticeDays[i]})
			}
		}
	}
	if f.Stay != nil && f.Stay.From <= day && day <= f.Stay.To {
		debt.StayedUntil = f.Stay.To
	}
	return debt, recourse.Terms{DefaultDays: f.Version.DefaultDays, CureDays: f.Version.CureDays, NoticeDays: f.Version.NoticeDays}, nil
}

// overdue are the instalments of which something was due before a day. Charges
// that belong to none stand together as number 0, due since the oldest of them.
func overdue(owed Owed) []recourse.Instalment {
	var instalments []recourse.Instalment
	for _, due := range owed.Dues {
		if due.Due >= owed.Date || due.Total() == 0 {
			continue
		}
		i := slices.IndexFunc(instalments, func(other recourse.Instalment) bool { return other.N == due.N })
		if i < 0 {
			i, instalments = len(instalments), append(instalments, recourse.Instalment{N: due.N, Due: due.Due})
		}
		instalments[i].Due = min(instalments[i].Due, due.Due)
		instalments[i].Unpaid += due.Total()
	}
	return instalments
}
