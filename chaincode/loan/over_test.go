package loan_test

import (
	"fmt"
	"testing"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

type choosing struct {
	L     loan.Loan
	C     loan.ChooseOverpayment
	Other *loan.Loan
	Ctx   tape.Context
}

// overpaid is a loan of bank and union that ended on 2026-01-16 with 10.01 too much, and another one of the household.
func overpaid(t *testing.T) choosing {
	t.Helper()
	l := running(t)
	l.Lenders = shared().Lenders
	other := l
	other.ID = "l2"
	l, _ = pay(t, l, 1_203_960, "2026-01-16", "2026-01-16", loan.Anything)
	return choosing{l, loan.ChooseOverpayment{Account: coffee, ID: "choice-1", Loan: "l1"}, &other, on("2026-01-20", "coop", "h1")}
}

func (s choosing) choose() (loan.Loan, *loan.Loan, error) {
	l, other, _, err := s.L.ChooseOverpayment(s.C, s.Other, s.Ctx)
	return l, other, err
}

func TestChooseOverpayment(t *testing.T) {
	ruletest.Refusals(t, func() choosing {
		s := overpaid(t)
		s.Other = nil
		return s
	}, func(s choosing) error {
		l, _, err := s.choose()
		if err == nil && (told(t, l, "2026-01-20") != "closed: due 0, principal 0, accrued 0, ahead 0, over 0, 0 days, pay-off 0" || l.Book.Given[0].Amount != cny(1_001) || len(l.Book.Given[0].Holds) != 2) {
			t.Errorf("paid back: %s %+v", told(t, l, "2026-01-20"), l.Book.Given)
		}
		return err
	}, []row[choosing]{
		{func(s *choosing) { s.Ctx.Role = "auditor" }, "forbidden: coop (role auditor) is no gateway"},
		{func(s *choosing) { s.L.At = s.Ctx.At + 1 }, "conflict: loan l1 was changed at "},
		{func(s *choosing) { s.L.State = loan.Approved }, "wrong-state: loan l1 is approved; nothing was paid on it"},
		{func(s *choosing) { s.Ctx = on("2026-01-20", "coop", "h2") }, "forbidden: h1 chooses and has not signed"},
		{func(s *choosing) { s.Ctx = on("2026-01-20", "coop", "h1!agent-held") }, "forbidden: h1 chooses by a key that is agent-held"},
		{func(s *choosing) { s.L.Book.Payments[0].Amount = cny(1_202_959) }, "wrong-state: nothing is over of loan l1"},
		{func(s *choosing) { s.L.Book.Payments[0].Amount = cny(1_202_958) }, "wrong-state: loan l1 is owed, or a tranche of it is on its way"},
		{func(s *choosing) { s.L.Tranches = append(s.L.Tranches[:1:1], loan.Tranche{Amount: cny(1)}) }, "wrong-state: loan l1 is owed, or a tranche of it is on its way"},
		{func(s *choosing) { s.L.Book.Given = make([]loan.Given, 16) }, "invalid: an overpayment of loan l1 was settled 16 times, and no more than that"},
	})
	// Kept: it is booked on the day of the next due, 2026-02-01, which it pays then.
	ruletest.Refusals(t, func() choosing {
		s := overpaid(t)
		s.C.For = "l2"
		return s
	}, func(s choosing) error {
		l, other, err := s.choose()
		if err != nil {
			return err
		}
		if got, want := told(t, *other, "2026-01-20"), "running: due 0, principal 1200000, accrued 3748, ahead 1001, over 0, 0 days, pay-off 1202747"; got != want || l.Book.Given[0].For != other.Reference() || l.Book.Given[0].Holds != nil {
			t.Errorf("kept:\n got %s\nwant %s\n%+v", got, want, l.Book.Given)
		}
		if due := must2(other.Owed("2026-02-01"))(t).Due(); due != 103_266-1_001 {
			t.Errorf("%d falls due then", due)
		}
		return nil
	}, []row[choosing]{
		{func(s *choosing) { s.Other = nil }, "not-found: field for: is no other loan of " + string(household(1))},
		{func(s *choosing) { s.Other.ID = "l1" }, "not-found: field for: is no other loan of " + string(household(1))},
		{func(s *choosing) { s.Other.Household = household(2) }, "not-found: field for: is no other loan of " + string(household(1))},
		{func(s *choosing) { s.Other.Lenders = shared().Lenders[:1] }, "conflict: field for: l2 is not lent by the same lenders in the same shares"},
		{func(s *choosing) { s.Other.State = loan.Contracted }, "wrong-state: field for: loan l2 is contracted; only a running loan has a next due"},
	})
	// No more than ends the other loan; the rest is over as before. And what is due already is paid today.
	s := overpaid(t)
	s.C.For = "l2"
	*s.Other, _ = pay(t, *s.Other, 1_202_500, "2026-01-16", "2026-01-16", loan.UntilPayoff)
	l, other, err := s.choose()
	if got := must2(must(t, l, err).Owed("2026-02-20"))(t).Over; other.State != loan.Closed || got != 1_001-459 {
		t.Errorf("the other is %s, %d stay over", other.State, got)
	}
	// The bank takes the payment back after it was given back: the household owes the loan, and what it got.
	s = overpaid(t)
	l, _, err = s.choose()
	mark := loan.Repayment{V: 1, Loan: s.L.Reference(), Amount: cny(1_203_960), Date: "2026-01-16", Entry: s.L.Entry}
	taken, _, err2 := must(t, l, err).TakeBack(loan.TakeBack{ID: "back-1"}, loan.TakingBack{Repaid: &mark, Reversal: &tape.Reversal{Kind: "chargeback"}}, on("2026-01-20", "coop"))
	if got, want := told(t, must(t, taken.Loan, err2), "2026-01-20"), "running: due 1001, principal 1200000, accrued 3748, ahead 0, over 0, 0 days, pay-off 1204749"; got != want {
		t.Errorf("taken back:\n got %s\nwant %s", got, want)
	}
}

type payingBack struct {
	L      loan.Loan
	C      loan.PayOverpayment
	Before *tape.Hold
	Ctx    tape.Context
}

func TestPayOverpayment(t *testing.T) {
	ruletest.Refusals(t, func() payingBack {
		l, _, err := overpaid(t).choose()
		return payingBack{must(t, l, err), loan.PayOverpayment{Account: coffee, ID: "over-1", Loan: "l1", N: 1}, nil, on("2026-01-21", "bank", "maker", "checker")}
	}, func(s payingBack) error {
		l, payment, _, err := s.L.PayOverpayment(s.C, s.Before, s.Ctx)
		if err == nil && (payment.Amount != cny(300) || payment.To != cash(1) || fmt.Sprint(l.Book.Given[0].Holds) != "[over-1 ]") {
			t.Errorf("%+v, %v", payment, l.Book.Given)
		}
		return err
	}, []row[payingBack]{
		{func(s *payingBack) { s.Ctx.Role = "auditor" }, "forbidden: bank (role auditor) is no gateway"},
		{func(s *payingBack) { s.Ctx = on("2026-01-21", "coop") }, "forbidden: coop lends nothing of l1"},
		{func(s *payingBack) { s.L.At = s.Ctx.At + 1 }, "conflict: loan l1 was changed at "},
		{func(s *payingBack) { s.C.N = 0 }, "not-found: field n: is 0; the household of loan l1 has chosen nothing that bank pays by it"},
		{func(s *payingBack) { s.C.N = 2 }, "not-found: field n: is 2; the household of loan l1 has chosen nothing that bank pays by it"},
		{func(s *payingBack) { s.L.Book.Given[0].Holds = nil }, "not-found: field n: is 1; the household of loan l1 has chosen nothing that bank pays by it"},
		{func(s *payingBack) { s.L.Book.Given[0].Holds = []tape.ID{"over-0", ""} }, "wrong-state: field n: is 1; bank has ordered its part, payout over-0"},
		{func(s *payingBack) {
			s.L.Book.Given[0].Holds, s.Before = []tape.ID{"over-0", ""}, returned("over-0", 300, 299)
		}, "wrong-state: field n: is 1; bank has ordered its part, payout over-0"},
	})
	// What came back is ordered once more; the union pays the rest to the unit.
	l, _, err := overpaid(t).choose()
	l = must(t, l, err)
	l.Book.Given[0].Holds = []tape.ID{"over-0", ""}
	l, payment, _, err := l.PayOverpayment(loan.PayOverpayment{ID: "over-1", N: 1}, returned("over-0", 300, 300), on("2026-01-21", "bank"))
	if must(t, l, err); payment.Amount != cny(300) {
		t.Errorf("once more %+v", payment)
	}
	if part, _ := l.OverpaymentPart(1, "union"); part != cny(701) {
		t.Errorf("the union pays %s", part)
	}
}
