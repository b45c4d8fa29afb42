package loan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
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

// lent is a running loan of 12,000.00 on other terms, paid out today.
func lent(t *testing.T, with terms.Terms) loan.Loan {
	t.Helper()
	f, c := frame(), apply()
	f.Product.Conditions.Terms, c.Terms = with, with
	l, _, err := c.Apply(f, by("coop", "h1", "h2", "h3", "h4"))
	quote := must2(must2(must(t, l, err).Quote(plan()))(t).Hash())(t)
	l, _, err = l.ContractLoan(loan.ContractLoan{Account: coffee, Advances: plan(), ID: "contract-1", Loan: "l1", Quote: quote}, 30, f, by("coop", "h1"))
	l, _, _, err2 := must(t, l, err).Disburse(disburse(1_200_000), disbursing(), by("bank", "maker", "checker"))
	l, _, err = must(t, l, err2).BookTranche(loan.BookTranche{Tranche: 1}, []*tape.Hold{paid("out-1", 1_200_000, today)}, by("coop"))
	return must(t, l, err)
}

// TestClaimKinds: claims whose amounts are reckoned by hand, at 6 % by ACT/365F.
func TestClaimKinds(t *testing.T) {
	base := terms.Terms{RatePartsPerMillion: 60_000, DayCount: terms.Act365, Rounding: terms.HalfEven, Every: terms.Interval{Months: 1}}
	with := func(change func(*terms.Terms)) loan.Loan {
		one := base
		change(&one)
		return lent(t, one)
	}
	ahead, _ := pay(t, running(t), 1_150_000, "2026-02-09", "2026-01-10", loan.UntilPayoff)
	for _, c := range []struct {
		name   string
		loan   loan.Loan
		day    tape.Date
		window int32
		want   string
	}{
		// The second is reckoned as though the first were paid on its day: 1,100,000 × 6 % × 28 / 365 = 5,063.
		{"two fall due in the window", with(func(t *terms.Terms) { t.Method, t.Instalments = terms.EqualPrincipal, 12 }), "2026-01-20", 40,
			"[window 2026-02-01 106115 on 2026-02-01 window 2026-03-01 105063 on 2026-03-01]"},
		// 12,000.00 and 19 days' interest of 37.48 end the loan.
		{"the window reaches to the end", with(func(t *terms.Terms) { t.Method, t.Instalments = terms.Bullet, 2 }), "2026-01-20", 40, "[window 2026-02-01 1203748 on 2026-01-20]"},
		// One unit is left behind the first instalment; with its interest that would be more than ends the loan today.
		{"the window has more than ends the loan", with(func(t *terms.Terms) {
			t.Method, t.Instalments, t.CropPrincipalPartsPerMillion = terms.Crop, 2, []int32{999_999, 1}
		}), "2026-01-20", 15, "[window 2026-02-01 1203748 on 2026-01-20]"},
		{"a loan that is due after a sale", with(func(t *terms.Terms) {
			t.Method, t.Instalments, t.Every, t.SaleDays = terms.AfterSale, 1, terms.Interval{Months: 10}, 15
		}), "2026-01-20", 15, "[window 2026-02-04 1203748 on 2026-01-20]"},
		{"a sale whose window is shorter than its days", with(func(t *terms.Terms) {
			t.Method, t.Instalments, t.Every, t.SaleDays = terms.AfterSale, 1, terms.Interval{Months: 10}, 15
		}), "2026-01-20", 14, "[]"},
		// 1,032.66 and 16 of late charge are due; 12,000.00, 61.15 and 2 days' 3.95 end the loan, and 11,500.00 are on their way.
		{"more is due than ends the loan", ahead, "2026-02-03", 5, "[overdue 2026-02-01 56526 on 2026-02-03]"},
	} {
		claim := must2(c.loan.Claim(waterfall.Terms{Day: c.day, LivingFloor: cny(0), WindowDays: c.window}, 0))(t)
		var lines []string
		for i, due := range claim.Dues {
			lines = append(lines, fmt.Sprintf("%s %s %d on %s", due.Rank, due.Date, due.Amount.Units, claim.PayOn[i]))
		}
		if got := fmt.Sprint(lines); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}
