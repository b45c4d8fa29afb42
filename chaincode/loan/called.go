package loan

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
)

// Calling is what a call of a loan's guarantors reads beside the loan.
type Calling struct {
	Scheme  group.Scheme
	Version group.SchemeTerms // of the loan's SchemeVersion
	Group   group.Group
	Notices []*Notice // NoticeKeys, in their order; nil for what was not given
	Stay    *Stay     // the one in force that ends last; nil for none
	// Bears are what the guarantors bear and are asked for by earlier calls under
	// the agreement, in their order and in minor units.
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

// Bears is what a household bears and is asked for by a call, in minor units.
func Bears(call recourse.Call, household tape.AccountID) int64 {
	for _, stand := range call.Stands() {
		if stand.Household == household {
			return stand.Share
		}
	}
	return 0
}

// unpaid is what is owed on a day of the instalments with these numbers.
func (l Loan) unpaid(numbers []int32, day tape.Date) (int64, error) {
	owed, err := l.Owed(day)
	units := int64(0)
	for _, due := range owed.Dues {
		if slices.Contains(numbers, due.N) {
			units += due.Total()
		}
	}
	return units, err
}

// Count is an open call of the loan's guarantors once a payment has made the loan
// what it is after. A guarantor's pays what is asked of it. Anybody else's lowers
// the call by what it paid of the instalments called: no guarantor owes more than
// the debtor (Interpretation art. 3).
func (l Loan) Count(after Loan, call recourse.Call, by tape.AccountID, amount money.Amount, day tape.Date) (recourse.Call, error) {
	before, err := l.unpaid(call.Instalments, day)
	if err != nil {
		return call, err
	}
	left, err := after.unpaid(call.Instalments, day)
	if err != nil {
		return call, err
	}
	lower := before - left
	if guarantor := call.Guarantor(by); guarantor != "" {
		if call, err = call.Take(guarantor, amount.Units); err != nil {
			return call, err
		}
		lower = 0
	}
	// A payment of an earlier day leaves less of interest and late charges as well.
	if lower = min(call.Open(), max(lower, call.Open()-left)); lower == 0 {
		return call, nil
	}
	return call.Lower(lower)
}

// Backed is what a household owes by a call of the loan's guarantors to those who
// paid: the borrower to each of them, a guarantor to who paid its part. A sale
// pays it behind what is due to lenders (rank recourse): the borrower's once the
// lender is whole (Civil Code art. 700).
func Backed(call recourse.Call, household tape.AccountID, whole bool) Claim {
	_, owed := call.Owes(household)
	if len(owed) == 0 || !whole && household == call.Debtor {
		return Claim{}
	}
	claim := Claim{Debt: waterfall.Debt{Owed: money.New(0, call.Amount.Currency), Reference: waterfall.Reference(recourse.CallKey(call.Scheme, call.Loan, call.ID))}}
	for _, part := range owed {
		claim.Debt.Creditors = append(claim.Debt.Creditors, waterfall.Creditor{Account: part.Household, Weight: part.Units})
		claim.Debt.Owed.Units += part.Units
	}
	claim.Dues = []waterfall.Due{{Amount: claim.Debt.Owed, Date: call.Date, Debt: claim.Debt.Reference, Rank: waterfall.Recourse}}
	return claim
}

// Repaid is the call once a sale has paid lines of such a claim for a household.
func Repaid(call recourse.Call, household tape.AccountID, lines []waterfall.Line) (recourse.Call, error) {
	var parts []recourse.Part
	units := int64(0)
	for _, line := range lines {
		parts = append(parts, recourse.Part{Household: line.Creditor, Units: line.Amount.Units})
		units += line.Amount.Units
	}
	if household != call.Debtor {
		return call.Give(household, parts...)
	}
	next, returned, err := call.Return(units)
	if err != nil {
		return call, err
	}
	if !slices.Equal(returned, parts) {
		return call, rule.Refuse(rule.Conflict, "the sale pays %v for call %s; its guarantors get %v", parts, call.ID, returned)
	}
	return next, nil
}
