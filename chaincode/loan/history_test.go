package loan_test

import (
	"fmt"
	"testing"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestHistory: how a household repays is kept five years, and told of open loans once they were late.
func TestHistory(t *testing.T) {
	late, _ := pay(t, running(t), 103_346, "2026-02-11", "2026-02-11", loan.UntilDue)
	defaulted := running(t)
	defaulted.Defaulted = "2026-03-04"
	for _, c := range []struct {
		name string
		open loan.Loan
		day  tape.Date
		want string
	}{
		{"nothing is due yet", running(t), "2026-01-31", "[]"},
		{"paid late", late, "2026-02-11", "[{coop/l1 bank  10 }]"},
		{"later still", late, "2026-03-20", "[{coop/l1 bank  19 }]"},
		{"overdue", running(t), "2026-02-03", "[{coop/l1 bank  2 }]"},
		{"in default", defaulted, "2026-02-01", "[{coop/l1 bank  0 2026-03-04}]"},
	} {
		var first *loan.Debts
		debts := first.Begin(c.open, true, by("coop").Entry("e1", "contract-loan", string(coffee)))
		history, err := debts.History([]loan.Loan{c.open}, c.day)
		if err != nil || fmt.Sprint(history) != c.want {
			t.Errorf("%s: %v, %v, want %s", c.name, history, err, c.want)
		}
	}
	var none *loan.Debts
	if history, err := none.History(nil, today); history != nil || err != nil {
		t.Errorf("of one who never borrowed: %v, %v", history, err)
	}

	closed := late
	closed.State, closed.Defaulted = loan.Closed, "2026-01-20"
	debts := none.Begin(closed, true, by("coop").Entry("e1", "contract-loan", string(coffee)))
	debts = debts.End(closed, true, on("2026-03-01", "bank").Entry("e2", "repay-loan", string(coffee)))
	if got := fmt.Sprint(debts.Past); got != "[{coop/l1 bank 2026-03-01 10 2026-01-20}]" {
		t.Errorf("a loan that was repaid: %s", got)
	}
	for day, want := range map[tape.Date]int{"2031-03-01": 2, "2031-03-02": 1} {
		if after := debts.End(closed, true, on(day, "bank").Entry("e3", "repay-loan", string(coffee))); len(after.Past) != want || len(debts.Past) != 1 {
			t.Errorf("on %s: %v, want %d", day, after.Past, want)
		}
	}
	for range 70 {
		debts = debts.End(closed, true, on("2026-03-02", "bank").Entry("e4", "repay-loan", string(coffee)))
	}
	if len(debts.Past) != 64 || debts.Past[0].Closed != "2026-03-02" {
		t.Errorf("the last loans: %d from %s", len(debts.Past), debts.Past[0].Closed)
	}
}

// TestExposure: what is owed and what a lender is bound to, in one currency.
func TestExposure(t *testing.T) {
	partly, other := running(t), running(t)
	partly.Principal = cny(1_500_000)
	other.Principal.Currency = "USD"
	for _, c := range []struct {
		name string
		own  []loan.Loan
		want string
	}{
		{"none", nil, "0.00 CNY false"},
		{"contracted", []loan.Loan{contracted(t)}, "12000.00 CNY false"},
		{"running", []loan.Loan{running(t)}, "12000.00 CNY false"},
		{"partly disbursed, and another", []loan.Loan{partly, contracted(t)}, "27000.00 CNY false"},
		{"in another currency", []loan.Loan{other, contracted(t)}, "12000.00 CNY true"},
	} {
		sum, others, err := loan.Exposure(c.own, "CNY", "2026-01-15")
		if got := fmt.Sprint(sum, " ", others); err != nil || got != c.want {
			t.Errorf("%s: %s, %v, want %s", c.name, got, err, c.want)
		}
	}
}
