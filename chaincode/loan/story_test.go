package loan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
)

// told writes what stands of a loan on a day.
func told(t *testing.T, l loan.Loan, day tape.Date) string {
	t.Helper()
	owed := must2(l.Owed(day))(t)
	stage := must2(l.Stage(day))(t)
	return fmt.Sprintf("%s: due %d, principal %d, accrued %d, ahead %d, over %d, %d days, pay-off %d", stage, owed.Due(), owed.Principal, owed.Accrued, owed.Ahead, owed.Over, owed.DaysPastDue, owed.Payoff())
}

func pay(t *testing.T, l loan.Loan, units int64, date, booked tape.Date, most loan.Mostly) (loan.Loan, loan.Paid) {
	t.Helper()
	entry := on(booked, "bank").Entry(tape.ID(fmt.Sprint("repay-", len(l.Book.Payments))), "repay", string(coffee))
	after, paid, err := l.Pay(loan.Pays{Amount: cny(units), Date: date, Mostly: most, AheadDays: 30}, entry)
	return must(t, after, err), paid
}

// TestOneLoan follows a loan of 12,000.00 at 6 % in twelve instalments by hand:
// an instalment is 1,032.66 (ACT/365F), January's interest 12,000.00 × 6 % × 31 / 365 = 61.15.
func TestOneLoan(t *testing.T) {
	l := running(t)
	for _, c := range []struct {
		day  tape.Date
		want string
	}{
		{"2025-12-31", "running: due 0, principal 0, accrued 0, ahead 0, over 0, 0 days, pay-off 0"},
		{"2026-01-16", "running: due 0, principal 1200000, accrued 2959, ahead 0, over 0, 0 days, pay-off 1202959"},
		{"2026-02-01", "running: due 103266, principal 1200000, accrued 0, ahead 0, over 0, 0 days, pay-off 1206115"},
		{"2026-02-02", "overdue: due 103274, principal 1200000, accrued 197, ahead 0, over 0, 1 days, pay-off 1206320"},
	} {
		if got := told(t, l, c.day); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.day, got, c.want)
		}
	}
	// The instalment is paid on its day; the line of the bank comes to light later.
	late, _ := pay(t, l, 103266, "2026-02-01", "2026-02-20", loan.UntilPayoff)
	if got := told(t, late, "2026-02-20"); !strings.HasPrefix(got, "running: due 0, principal 1102849") {
		t.Errorf("paid on its day, booked later: %s", got)
	}
	// Early and whole: interest for the days that the money was used.
	closed, paid := pay(t, l, 1202959, "2026-01-16", "2026-01-16", loan.UntilPayoff)
	if closed.State != loan.Closed || paid != (loan.Paid{Interest: 2959, Principal: 1200000}) {
		t.Errorf("paid off: %s %+v", closed.State, paid)
	}
	over, paid := pay(t, l, 1203000, "2026-01-16", "2026-01-16", loan.Anything)
	if over.State != loan.Closed || paid.Over != 41 {
		t.Errorf("what is over is owed to the household: %s %+v", over.State, paid)
	}
}

// TestClaim: what a sale pays of a loan, by rank, and that paying it ends exactly there.
func TestClaim(t *testing.T) {
	window := func(day tape.Date, days int32) waterfall.Terms {
		return waterfall.Terms{Day: day, LivingFloor: cny(0), WindowDays: days}
	}
	for _, c := range []struct {
		name       string
		terms      waterfall.Terms
		prepayment int64
		want       string
		after      string
	}{
		{"nothing is due yet", window("2026-01-10", 5), 0, "[]", "running: due 0, principal 1200000, accrued 1775, ahead 0, over 0, 0 days, pay-off 1201775"},
		{"the first falls due in the window", window("2026-01-10", 30), 0, "[window 2026-02-01 103266 on 2026-02-01]", "running: due 0, principal 1200000, accrued 1775, ahead 103266, over 0, 0 days, pay-off 1098509"},
		{"one is overdue, one falls due", window("2026-02-11", 30), 0, "[overdue 2026-02-01 103346 on 2026-02-11 window 2026-03-01 103426 on 2026-03-01]",
			"running: due 0, principal 1102849, accrued 1973, ahead 103426, over 0, 0 days, pay-off 1001396"},
		{"the household pays more", window("2026-01-10", 5), 500_000, "[prepayment 2027-02-05 500000 on 2026-01-10]", "running: due 0, principal 701775, accrued 0, ahead 0, over 0, 0 days, pay-off 701775"},
		{"no more than the loan", window("2026-01-10", 5), 9_000_000, "[prepayment 2027-02-05 1201775 on 2026-01-10]", "closed"},
		{"all of it is overdue or falls due", window("2027-01-05", 30), 0, "closed", "closed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := running(t)
			claim := must2(l.Claim(c.terms, c.prepayment))(t)
			var lines []string
			for i, due := range claim.Dues {
				lines = append(lines, fmt.Sprintf("%s %s %d on %s", due.Rank, due.Date, due.Amount.Units, claim.PayOn[i]))
			}
			if got := fmt.Sprint(lines); c.want != "closed" && got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
			// The waterfall takes it as it stands, with more than enough money.
			position := waterfall.Position{Household: household(1), Share: cny(5_000_000)}
			if len(claim.Dues) > 0 {
				position.Debts, position.Dues = []waterfall.Debt{claim.Debt}, claim.Dues
			}
			outcome := must2(c.terms.Apply(position))(t)
			for _, line := range outcome.Lines {
				i := 0
				for claim.Dues[i].Rank != line.Rank || claim.Dues[i].Date != line.Date {
					i++
				}
				l, _ = pay(t, l, line.Amount.Units, claim.PayOn[i], c.terms.Day, loan.UntilPayoff)
			}
			if c.after == "closed" {
				if l.State != loan.Closed {
					t.Errorf("after it: %s", told(t, l, c.terms.Day))
				}
				return
			}
			if got := told(t, l, c.terms.Day); got != c.after {
				t.Errorf("after it\n got %s\nwant %s", got, c.after)
			}
			if again := must2(l.Claim(c.terms, 0))(t); len(again.Dues) > 0 {
				t.Errorf("a second settlement of the day would pay %+v", again.Dues)
			}
		})
	}
}
