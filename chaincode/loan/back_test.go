package loan_test

import (
	"fmt"
	"testing"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// disbursed is a loan of bank and union that was paid out today in parts of 7,000.00 and 5,000.00.
func disbursed(t *testing.T) loan.Loan {
	t.Helper()
	l := together(t)
	for i, units := range []int64{700_000, 500_000} {
		for j, lender := range []string{"bank", "union"} {
			c := disburse(units)
			c.ID, c.Tranche = tape.ID(fmt.Sprint("out-", i+1, j+1)), int32(i+1)
			after, _, _, err := l.Disburse(c, disbursing(), by(lender, "maker", "checker"))
			l = must(t, after, err)
		}
		after, _, err := l.BookTranche(loan.BookTranche{Tranche: int32(i + 1)}, []*tape.Hold{paid("out", 1, today), paid("out", 1, today)}, by("coop"))
		l = must(t, after, err)
	}
	return l
}

// comes is what becomes of a loan when payouts of a tranche that was booked come back.
func comes(t *testing.T, l loan.Loan, tranche int32, day tape.Date, holds ...*tape.Hold) loan.Loan {
	t.Helper()
	after, _, err := l.BookTranche(loan.BookTranche{Tranche: tranche}, holds, on(day, "coop"))
	return must(t, after, err)
}

// TestComesBack: a tranche that the bank returns after it was booked comes off as of its day.
func TestComesBack(t *testing.T) {
	kept, back := paid("out", 1, today), returned("out", 1, 1)
	repaid, _ := pay(t, disbursed(t), 100_000, "2026-01-11", "2026-01-11", loan.Anything)
	closed, _ := pay(t, disbursed(t), 1_201_973, "2026-01-11", "2026-01-11", loan.UntilPayoff)
	for _, c := range []struct {
		name    string
		loan    loan.Loan
		tranche int32
		holds   []*tape.Hold
		day     tape.Date
		want    string
	}{
		// 7,000.00 × 6 % × 10 / 365 = 11.51 have run on what stayed.
		{"all of the second", disbursed(t), 2, []*tape.Hold{back, back}, "2026-01-11", "running: due 0, principal 700000, accrued 1151, ahead 0, over 0, 0 days, pay-off 701151"},
		{"one lender's part of it", disbursed(t), 2, []*tape.Hold{kept, back}, "2026-01-11", "running: due 0, principal 700000, accrued 1151, ahead 0, over 0, 0 days, pay-off 701151"},
		// 1,000.00 paid interest of 11.51 then, in place of 19.73.
		{"after a payment", repaid, 2, []*tape.Hold{back, back}, "2026-01-11", "running: due 0, principal 601151, accrued 0, ahead 0, over 0, 0 days, pay-off 601151"},
		{"after the loan was paid off", closed, 2, []*tape.Hold{back, back}, "2026-01-11", "closed: due 0, principal 0, accrued 0, ahead 0, over 500822, 0 days, pay-off 0"},
		{"one lender's part after that", closed, 2, []*tape.Hold{back, kept}, "2026-01-11", "running: due 0, principal 0, accrued 0, ahead 0, over 500822, 0 days, pay-off 0"},
		{"both, one after the other", comes(t, closed, 1, "2026-01-11", back, back), 2, []*tape.Hold{back, back}, "2026-01-11", "contracted: due 0, principal 0, accrued 0, ahead 0, over 1201973, 0 days, pay-off 0"},
	} {
		l := comes(t, c.loan, c.tranche, c.day, c.holds...)
		if got := told(t, l, c.day); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
	// What came back can be paid once more, whole or by the lender whose payout it was, although two tranches are the most.
	whole := comes(t, disbursed(t), 2, today, back, back)
	third := disburse(500_000)
	third.Tranche = 3
	if _, _, _, err := whole.Disburse(third, disbursing(), by("bank", "maker", "checker")); err != nil {
		t.Errorf("in another tranche: %v", err)
	}
	part := comes(t, disbursed(t), 2, today, kept, back)
	again := disburse(500_000)
	again.Tranche, again.ID = 2, "out-3"
	part, payment, _, err := part.Disburse(again, disbursing(), by("union", "maker", "checker"))
	if must(t, part, err); payment.Amount != cny(350_000) {
		t.Errorf("the union pays %s once more", payment.Amount)
	}
	part = comes(t, part, 2, "2026-01-05", kept, paid("out-3", 1, "2026-01-05"))
	if got, want := told(t, part, "2026-01-05"), "running: due 0, principal 1200000, accrued 460, ahead 0, over 0, 0 days, pay-off 1200460"; got != want {
		t.Errorf("paid once more:\n got %s\nwant %s", got, want)
	}
	// Under other terms it is principal that came back when these began.
	changed := disbursed(t)
	changed.Restructured, changed.Book.Advances[0].Date, changed.Book.Advances[1].Date = []loan.Restructured{{Date: today}}, "2026-01-05", "2026-01-05"
	changed = comes(t, changed, 2, "2026-01-15", back, back)
	if got, want := told(t, changed, "2026-01-15"), "running: due 0, principal 700000, accrued 1151, ahead 0, over 0, 0 days, pay-off 701151"; got != want {
		t.Errorf("under other terms:\n got %s\nwant %s", got, want)
	}
}

type takingBack struct {
	L   loan.Loan
	C   loan.TakeBack
	F   loan.TakingBack
	Ctx tape.Context
}

// paidBack is a loan of which an instalment was paid that the bank has taken back.
func paidBack(t *testing.T, units int64) takingBack {
	t.Helper()
	l := running(t)
	l.Lenders = shared().Lenders
	l, _ = pay(t, l, units, "2026-02-01", "2026-02-01", loan.Anything)
	return takingBack{l, loan.TakeBack{Account: coffee, ID: "back-1", Loan: "l1"}, loan.TakingBack{
		Repaid: &loan.Repayment{V: 1, Loan: l.Reference(), Amount: cny(units), Date: "2026-02-01", Entry: l.Entry}, Reversal: &tape.Reversal{V: 1, Kind: "chargeback"}}, on("2026-02-11", "insurer")}
}

func TestTakeBack(t *testing.T) {
	ruletest.Refusals(t, func() takingBack { return paidBack(t, 103_266) }, func(s takingBack) error {
		taken, _, err := s.L.TakeBack(s.C, s.F, s.Ctx)
		l, mark, call := taken.Loan, taken.Repaid, taken.Call
		if err == nil && (len(l.Book.Payments) != 0 || mark.Back != "insurer/back-1" || call != nil || len(l.Lacking) != 1 || l.Lacks("union") != 72_286 || l.Lacks("bank") != 0) {
			t.Errorf("%+v %+v %+v", l.Book.Payments, mark, l.Lacking)
		}
		return err
	}, []row[takingBack]{
		{func(s *takingBack) { s.Ctx.Role = "auditor" }, "forbidden: insurer (role auditor) is no gateway"},
		{func(s *takingBack) { s.L.At = s.Ctx.At + 1 }, "conflict: loan l1 was changed at "},
		{func(s *takingBack) { s.F.Repaid = nil }, "not-found: field gift: has not repaid loan l1"},
		{func(s *takingBack) { s.F.Repaid.Loan = "loan/x/y" }, "not-found: field gift: has not repaid loan l1"},
		{func(s *takingBack) { s.F.Repaid.Back = "insurer/back-0" }, "wrong-state: field gift: came off loan l1 already, by entry insurer/back-0"},
		{func(s *takingBack) { s.F.Reversal = nil }, "wrong-state: field gift: is with the lender; its bank files what it takes back"},
		{func(s *takingBack) { s.F.Reversal.Kind = "refund" }, "wrong-state: field gift: is with the lender; its bank files what it takes back"},
	})
	// The loan owes as if it had not come: overdue from the instalment's day, with its late charge of 10 days (971.51 × 3 % × 10 / 365 = 0.80).
	for _, c := range []struct {
		name  string
		units int64
		want  string
	}{
		{"an instalment", 103_266, "overdue: due 103346, principal 1200000, accrued 1973, ahead 0, over 0, 10 days, pay-off 1208168"},
		{"what had ended it", 1_206_115, "overdue: due 103346, principal 1200000, accrued 1973, ahead 0, over 0, 10 days, pay-off 1208168"},
		{"too much", 1_300_000, "overdue: due 103346, principal 1200000, accrued 1973, ahead 0, over 0, 10 days, pay-off 1208168"},
	} {
		s := paidBack(t, c.units)
		taken, _, err := s.L.TakeBack(s.C, s.F, s.Ctx)
		if got := told(t, must(t, taken.Loan, err), "2026-02-11"); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
	// One that was dated ahead, and again when the loan ended, pays on its own day once it is open again.
	l, _ := pay(t, running(t), 103_266, "2026-02-01", "2026-01-16", loan.UntilPayoff)
	s := paidBack(t, 1)
	l, _ = pay(t, l, 1_099_693, "2026-01-16", "2026-01-16", loan.UntilPayoff)
	if l.State != loan.Closed || l.Book.Payments[0].Planned+l.Book.Payments[1].Planned != "2026-02-01" {
		t.Fatalf("paid off: %s %+v", l.State, l.Book.Payments)
	}
	s.F.Repaid = &loan.Repayment{V: 1, Loan: l.Reference(), Amount: cny(1_099_693), Date: "2026-01-16", Entry: l.Entry}
	taken, _, err := l.TakeBack(s.C, s.F, on("2026-01-20", "bank"))
	if got, want := told(t, must(t, taken.Loan, err), "2026-01-20"), "running: due 0, principal 1200000, accrued 3748, ahead 103266, over 0, 0 days, pay-off 1100482"; got != want {
		t.Errorf("open again:\n got %s\nwant %s", got, want)
	}
	// What was paid before the terms were changed is owed beside the new schedule.
	s = paidBack(t, 103_266)
	s.L.Book.Payments, s.L.Restructured = nil, []loan.Restructured{{Date: today}}
	taken, _, err = s.L.TakeBack(s.C, s.F, s.Ctx)
	if got, want := fmt.Sprint(must(t, taken.Loan, err).Book.Charges), "[{2026-01-01 103266 0 0 insurer/back-1}]"; got != want {
		t.Errorf("beside the schedule: %s, want %s", got, want)
	}
}

// TestTakenBackFromACall: a call that had counted a payment asks for it again.
func TestTakenBackFromACall(t *testing.T) {
	called := func(change func(*recourse.Call)) *recourse.Call {
		c := recourse.Call{V: 1, Scheme: coffee, Loan: "l1", ID: "call-1", Amount: cny(90_000), CureDays: 30, Instalments: []int32{1}, Date: "2026-03-10"}
		for n := 2; n <= 4; n++ {
			c.Guarantors = append(c.Guarantors, recourse.Guarantor{Household: household(n), Share: 1, Max: 6_000_000, Last: "2028-02-01", Until: "2026-04-09"})
		}
		change(&c)
		return &c
	}
	for _, c := range []struct {
		name string
		call *recourse.Call
		mark loan.Repayment
		want string // open, paid by the first, state, until when the first pays
	}{
		{"the borrower's", called(func(c *recourse.Call) { c.Lowered = 90_000 }), loan.Repayment{Call: "call-1", Lowered: 60_000}, "60000 0 open 2026-05-20"},
		{"a guarantor's", called(func(c *recourse.Call) { c.Guarantors[0].Paid = 30_000 }), loan.Repayment{Call: "call-1", Guarantor: household(2), Took: 30_000}, "90000 0 open 2026-05-20"},
		{"a guarantor's that was made good", called(func(c *recourse.Call) {
			c.Guarantors[0].Paid, c.Guarantors[0].Returned, c.Lowered = 30_000, 20_000, 60_000
		}),
			loan.Repayment{Call: "call-1", Guarantor: household(2), Took: 30_000}, "10000 20000 open 2026-05-20"},
		{"of a call that was withdrawn", called(func(c *recourse.Call) { c.Lowered, c.Withdrawn = 60_000, 30_000 }), loan.Repayment{Call: "call-1", Lowered: 60_000}, "0 0 closed 2026-04-09"},
		{"of an earlier call", called(func(c *recourse.Call) {}), loan.Repayment{Call: "call-0", Lowered: 60_000}, "none"},
		{"of none", called(func(c *recourse.Call) {}), loan.Repayment{}, "none"},
	} {
		s := paidBack(t, 103_266)
		mark := *s.F.Repaid
		mark.Call, mark.Guarantor, mark.Took, mark.Lowered = c.mark.Call, c.mark.Guarantor, c.mark.Took, c.mark.Lowered
		s.F.Repaid, s.F.Call = &mark, c.call
		taken, _, err := s.L.TakeBack(s.C, s.F, on("2026-04-20", "bank"))
		call := taken.Call
		got := "none"
		if call != nil {
			got = fmt.Sprintf("%d %d %s %s", call.Open(), call.Guarantors[0].Paid, call.State, call.Guarantors[0].Until)
			for _, invariant := range recourse.Invariants() {
				if broken := invariant.Broken(*call); broken != nil {
					t.Errorf("%s: %v", c.name, broken)
				}
			}
		}
		if err != nil || got != c.want {
			t.Errorf("%s: %s %v, want %s", c.name, got, err, c.want)
		}
	}
	s := paidBack(t, 103_266)
	s.F.Repaid.Call, s.F.Repaid.Lowered, s.F.Call = "call-1", 5, called(func(*recourse.Call) {})
	if _, _, err := s.L.TakeBack(s.C, s.F, s.Ctx); fmt.Sprint(err) != "conflict: field gift: call call-1 fell by 0.00 CNY, and not by 0.05 CNY" {
		t.Errorf("a mark that is not the call's: %v", err)
	}
}

type returning struct {
	L   loan.Loan
	Ctx tape.Context
}

func TestReturnPart(t *testing.T) {
	ruletest.Refusals(t, func() returning {
		s := paidBack(t, 103_266)
		taken, _, err := s.L.TakeBack(s.C, s.F, s.Ctx)
		return returning{must(t, taken.Loan, err), on("2026-02-12", "union", "maker", "checker")}
	}, func(s returning) error {
		l, payment, _, err := s.L.Return(loan.ReturnPart{Account: coffee, ID: "part-1", Loan: "l1"}, s.Ctx)
		if err == nil && (payment.Amount != cny(72_286) || payment.To != lending || len(l.Lacking) != 0) {
			t.Errorf("%+v; %+v", payment, l.Lacking)
		}
		return err
	}, []row[returning]{
		{func(s *returning) { s.Ctx.Role = "auditor" }, "forbidden: union (role auditor) is no gateway"},
		{func(s *returning) { s.Ctx = on("2026-02-12", "coop") }, "forbidden: coop lends nothing of l1"},
		{func(s *returning) { s.L.At = s.Ctx.At + 1 }, "conflict: loan l1 was changed at "},
		{func(s *returning) { s.Ctx = on("2026-02-12", "bank") }, "wrong-state: bank has nothing of loan l1 that the bank took back"},
		{func(s *returning) { s.L.Lacking = nil }, "wrong-state: union has nothing of loan l1 that the bank took back"},
	})
}

// TestReopen: the debts of all are as though the loan had never ended.
func TestReopen(t *testing.T) {
	l := paidBack(t, 1_206_115).L
	entry := on("2026-02-11", "bank").Entry("back-1", "take-back-repayment", string(coffee))
	open := &loan.Debts{V: 1, Loans: []string{l.Reference()}, Guarantees: []string{l.Reference()}, Cycles: []loan.Cycle{{Scheme: coffee, Group: "g1", Loans: 2, OnTime: 1}}, Entry: "bank/back-1"}
	for _, borrower := range []bool{true, false} {
		ended := open.End(l, borrower, entry)
		again := ended.Reopen(l, borrower, entry)
		if spelled(again) != spelled(*open) {
			t.Errorf("borrower %t: %s, then %s", borrower, spelled(ended), spelled(again))
		}
	}
}
