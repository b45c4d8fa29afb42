package cooperative_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/cooperative"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// TestPortfolioAtRisk: the outstanding principal of loans with anything more than
// n days overdue, and of observed ones, over the gross portfolio; no overdue
// amounts, no counts of loans; what was written off stands beside it. Twelve
// instalments of 100.00 without interest: what stands is told by head.
func TestPortfolioAtRisk(t *testing.T) {
	const day = tape.Date("2026-01-01")
	lend := func(n int, from tape.Date, change ...func(*loan.Loan)) loan.Loan {
		return lent(tape.ID(fmt.Sprint("l", n)), household(n), 120_000, from, flat(12), change...)
	}
	restructured := func(observed tape.Date) func(*loan.Loan) {
		return func(l *loan.Loan) {
			l.Restructured = []loan.Restructured{{Date: l.Book.Advances[0].Date, DaysPastDue: 40, Observed: observed, Entry: "bank/change"}}
		}
	}
	writtenOff := func(l *loan.Loan) {
		l.WrittenOff = &loan.WrittenOff{Amount: cny(120_000), Date: "2025-12-01", Entry: "bank/off"}
	}
	halves := func(l *loan.Loan) {
		l.Lenders = []loan.Lender{{Account: lending, Organisation: "bank", PartsPerMillion: 300_000}, {Account: "lender:union:coffee", Organisation: "union", PartsPerMillion: 700_000}}
	}
	for _, c := range []struct {
		what, lender string
		loans        []loan.Loan
		// gross, PAR30 and PAR90 with their parts per million, non-performing, restructured, written off, overdue
		want string
	}{
		{"nothing lent", "bank", nil, ""},
		{"nothing due yet", "bank", []loan.Loan{lend(1, "2025-12-15")}, "1200.00; 0.00 0; 0.00 0; 0.00; 0.00; 0.00; 0.00"},
		{"30 days past due are not more than 30", "bank", []loan.Loan{lend(1, "2025-11-02")}, "1200.00; 0.00 0; 0.00 0; 0.00; 0.00; 0.00; 100.00"},
		{"31 days: all its principal, not the 100.00 that are overdue", "bank", []loan.Loan{lend(1, "2025-11-01")}, "1200.00; 1200.00 1000000; 0.00 0; 0.00; 0.00; 0.00; 100.00"},
		{"one of three by principal, not by count", "bank", []loan.Loan{lend(1, "2025-11-01", paid(100, "2025-12-02", "bank/a")), lend(2, "2025-12-15"), lend(3, "2025-12-15")},
			"3599.00; 1199.00 333148; 0.00 0; 0.00; 0.00; 0.00; 99.00"},
		{"91 days are more than 90 and substandard", "bank", []loan.Loan{lend(1, "2025-09-02")}, "1200.00; 1200.00 1000000; 1200.00 1000000; 1200.00; 0.00; 0.00; 300.00"},
		{"what was paid in time is not at risk", "bank", []loan.Loan{lend(1, "2025-11-01", paid(10_000, "2025-12-01", "bank/a"))}, "1100.00; 0.00 0; 0.00 0; 0.00; 0.00; 0.00; 0.00"},
		{"a loan with new terms is at risk while it is observed", "bank", []loan.Loan{lend(1, "2025-12-15", restructured("2026-12-15")), lend(2, "2025-12-15")},
			"2400.00; 1200.00 500000; 1200.00 500000; 0.00; 1200.00; 0.00; 0.00"},
		{"and no longer", "bank", []loan.Loan{lend(1, "2025-12-15", restructured("2025-12-31"))}, "1200.00; 0.00 0; 0.00 0; 0.00; 0.00; 0.00; 0.00"},
		{"what was written off is in no ratio, and named", "bank", []loan.Loan{lend(1, "2025-06-01", writtenOff), lend(2, "2025-12-15")}, "1200.00; 0.00 0; 0.00 0; 0.00; 0.00; 1200.00; 600.00"},
		{"a co-lender's part", "bank", []loan.Loan{lend(1, "2025-11-01", halves)}, "360.00; 360.00 1000000; 0.00 0; 0.00; 0.00; 0.00; 100.00"},
		{"of the cooperative's households it is whole", "", []loan.Loan{lend(1, "2025-11-01", halves)}, "1200.00; 1200.00 1000000; 0.00 0; 0.00; 0.00; 0.00; 100.00"},
		{"of others it is nothing", "county", []loan.Loan{lend(1, "2025-11-01")}, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			b := newBooks(t)
			for _, l := range c.loans {
				b.put(l.Reference(), l)
			}
			b.block()
			p, err := cooperative.PortfolioOf(t.Context(), b.model, cooperative.Asked{Lender: c.lender, Day: day, NextDays: 30})
			if err != nil {
				t.Fatal(err)
			}
			if got := told(p); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// told spells a portfolio's sums.
func told(p cooperative.Portfolio) string {
	var lines []string
	for _, s := range p.Currencies {
		of := func(text string) string { return strings.TrimSuffix(text, " CNY") }
		lines = append(lines, fmt.Sprintf("%s; %s %d; %s %d; %s; %s; %s; %s", of(s.Gross.String()), of(s.AtRisk[0].Amount.String()), s.AtRisk[0].PartsPerMillion,
			of(s.AtRisk[1].Amount.String()), s.AtRisk[1].PartsPerMillion, of(s.NonPerforming.String()), of(s.Restructured.String()), of(s.WrittenOff.String()), of(s.Overdue.String())))
	}
	return strings.Join(lines, " | ")
}

// TestNext: what falls due within the days asked, the earliest first; what was paid ahead is not asked for.
func TestNext(t *testing.T) {
	b := newBooks(t)
	for _, l := range []loan.Loan{
		lent("l1", household(1), 120_000, "2025-12-20", flat(12)),
		lent("l2", household(2), 120_000, "2025-12-10", flat(12)),
		lent("l3", household(3), 120_000, "2025-12-12", flat(12), paid(10_000, "2026-01-12", "coop/sale")),
		lent("l4", household(4), 120_000, "2025-12-25", flat(12)),
	} {
		b.put(l.Reference(), l)
	}
	b.block()
	p, err := cooperative.PortfolioOf(t.Context(), b.model, cooperative.Asked{Lender: "bank", Day: today, NextDays: 19})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(p.Next); got != fmt.Sprint([]cooperative.Coming{
		{Due: cooperative.Due{N: 1, Date: "2026-01-10", Amount: cny(10_000)}, Scheme: coffee, Loan: "l2", Household: household(2)},
		{Due: cooperative.Due{N: 1, Date: "2026-01-20", Amount: cny(10_000)}, Scheme: coffee, Loan: "l1", Household: household(1)}}) {
		t.Error(got)
	}
}

// TestArrears: what is past due for longest stands first.
func TestArrears(t *testing.T) {
	b := newBooks(t)
	for _, l := range []loan.Loan{
		lent("l1", household(1), 120_000, "2025-11-20", flat(12)),
		lent("l2", household(2), 120_000, "2025-09-10", flat(12)),
		lent("l3", household(3), 120_000, "2025-12-12", flat(12)),
		lent("l4", household(4), 240_000, "2025-11-20", flat(12)),
	} {
		b.put(l.Reference(), l)
	}
	b.block()
	lines, err := cooperative.Arrears(t.Context(), b.model, readmodel.LoanFilter{Scheme: coffee}, today)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range lines {
		got = append(got, fmt.Sprintf("%s %d %s %s %s %s", l.Loan, l.DaysPastDue, l.OldestDue, l.Due, l.Stage, l.Class))
	}
	const want = "l2 83 2025-10-10 300.00 CNY overdue special-mention; l4 12 2025-12-20 200.00 CNY overdue special-mention; l1 12 2025-12-20 100.00 CNY overdue special-mention"
	if text := strings.Join(got, "; "); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}
