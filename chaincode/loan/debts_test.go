package loan_test

import (
	"fmt"
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestDebts: what a household owes and guarantees, from the contract to the end.
func TestDebts(t *testing.T) {
	entry := by("coop").Entry("e1", "contract-loan", string(coffee))
	l := running(t)
	other := l
	other.ID = "l2"
	var none *loan.Debts
	first := none.Begin(l, true, entry)
	both := first.Begin(other, true, entry)
	guarantor := none.Begin(l, false, entry)
	if fmt.Sprint(both.Loans, both.Guarantees) != "[loan/coop:coop:coffee/l1 loan/coop:coop:coffee/l2] []" || fmt.Sprint(guarantor.Loans, guarantor.Guarantees) != "[] [loan/coop:coop:coffee/l1]" || len(first.Loans) != 1 {
		t.Errorf("begun: %+v, %+v, %+v", first, both, guarantor)
	}
	l.State, l.LastOverdue = loan.Closed, "2026-03-05"
	over := both.End(l, true, entry)
	other.State = loan.Closed
	again := over.End(other, true, entry)
	if fmt.Sprintf("%v %v %v", over.Loans, over.LastOverdue, over.Cycles) != "[loan/coop:coop:coffee/l2] 2026-03-05 [{coop:coop:coffee g1 1 0 }]" || fmt.Sprintf("%v %v %v", again.Loans, again.LastOverdue, again.Cycles) != "[] 2026-03-05 [{coop:coop:coffee g1 2 1 }]" {
		t.Errorf("ended: %+v, then %+v", over, again)
	}
	if ended := guarantor.End(l, false, entry); len(ended.Guarantees) != 0 || ended.LastOverdue != "" || len(ended.Cycles) != 0 || len(guarantor.Guarantees) != 1 {
		t.Errorf("a guarantor's: %+v", ended)
	}
	other.State = loan.Withdrawn
	if ended := both.End(other, true, entry); len(ended.Cycles) != 0 || len(ended.Loans) != 1 {
		t.Errorf("what was never disbursed: %+v", ended)
	}
}

// TestFacts: what the rules of groups ask of a household's debts on a day.
func TestFacts(t *testing.T) {
	onTime, _ := pay(t, running(t), 103_266, "2026-02-01", "2026-02-01", loan.UntilDue)
	early, _ := pay(t, running(t), 1, "2026-01-02", "2026-01-02", loan.UntilPayoff)
	late, _ := pay(t, running(t), 103_346, "2026-02-11", "2026-02-11", loan.UntilDue)
	partly := running(t)
	partly.Principal = cny(1_500_000)
	changed := partly
	changed.Restructured = []loan.Restructured{{Date: today}}
	elsewhere := running(t)
	elsewhere.Group = "g2"
	debts := loan.Debts{V: 1, Loans: []string{"loan/coop:coop:coffee/l1"}, Guarantees: []string{"loan/x/y", "loan/x/z"}, LastOverdue: "2025-06-01", Cycles: []loan.Cycle{{Scheme: coffee, Group: "g1", Loans: 2, OnTime: 1}, {Scheme: coffee, Group: "g2", Loans: 9}}}
	for _, c := range []struct {
		name     string
		loan     loan.Loan
		day      tape.Date
		facts    string
		borrowed string
	}{
		{"contracted: open, and no loan yet", contracted(t), "2026-01-15", " 2025-06-01 1 2", "2 1 12000.00 CNY"},
		{"nothing has fallen due", running(t), "2026-01-31", " 2025-06-01 1 2", "3 1 12000.00 CNY"},
		{"a payment before anything fell due is no instalment on time", early, "2026-01-31", " 2025-06-01 1 2", "3 1 12000.00 CNY"},
		{"paid on its day", onTime, "2026-02-01", " 2025-06-01 1 2", "3 2 11028.49 CNY"},
		{"due today is not overdue, and not paid", running(t), "2026-02-01", " 2025-06-01 1 2", "3 1 12000.00 CNY"},
		{"overdue", running(t), "2026-02-02", "loan/coop:coop:coffee/l1 2026-02-02 1 2", "3 1 12000.00 CNY"},
		{"paid late", late, "2026-02-20", " 2026-02-11 1 2", "3 1 11028.49 CNY"},
		{"a part is still to be disbursed", partly, "2026-01-15", " 2025-06-01 1 2", "3 1 15000.00 CNY"},
		{"under changed terms it never will be", changed, "2026-01-15", " 2025-06-01 1 2", "3 1 12000.00 CNY"},
		{"under another group", elsewhere, "2026-01-15", " 2025-06-01 1 2", "2 1 0.00 CNY"},
	} {
		facts := must2(debts.Facts(household(1), []loan.Loan{c.loan}, nil, c.day))(t)
		if got := fmt.Sprint(facts.OverdueLoan, " ", facts.LastOverdue, " ", facts.OpenLoans, " ", facts.GroupLoans); got != c.facts || facts.Household != household(1) {
			t.Errorf("%s: facts %s, want %s", c.name, got, c.facts)
		}
		borrowed := must2(debts.Borrowed(*formed(group.Active), household(1), []loan.Loan{c.loan}, c.day))(t)
		if got := fmt.Sprint(borrowed.Loans, " ", borrowed.OnTime, " ", borrowed.Open); got != c.borrowed {
			t.Errorf("%s: borrowed %s, want %s", c.name, got, c.borrowed)
		}
	}
	var none *loan.Debts
	facts, borrowed := must2(none.Facts(household(1), nil, nil, today))(t), must2(none.Borrowed(*formed(group.Active), household(1), nil, today))(t)
	if facts != (group.Debts{Household: household(1)}) || borrowed != (group.Borrowed{Household: household(1), Open: cny(0)}) {
		t.Errorf("of nobody: %+v, %+v", facts, borrowed)
	}
}
