package loan_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestFigures: a lender's book of three loans of 12,000.00, of which the first is
// what each row says. All fall due from February 1 on and nobody pays.
func TestFigures(t *testing.T) {
	off := func(day tape.Date) func(*loan.Loan) {
		return func(l *loan.Loan) { l.WrittenOff = &loan.WrittenOff{Amount: cny(1_200_000), Date: day} }
	}
	changed := func(days int32) func(*loan.Loan) {
		return func(l *loan.Loan) {
			l.Book.Advances[0].Date, l.Terms.FirstDue = "2026-08-01", "2026-09-01"
			schedule, err := l.Terms.Schedule(l.Book.Advances)
			if err != nil {
				t.Fatal(err)
			}
			l.Book.Schedule = schedule.Instalments
			l.Restructured = []loan.Restructured{{Date: "2026-08-01", DaysPastDue: days, Observed: "2027-08-01"}}
		}
	}
	for _, c := range []struct {
		name   string
		day    tape.Date
		change func(*loan.Loan)
		want   string
	}{
		{"before anything is due", "2026-01-31", nil, "3600000 0 0"},
		{"59 days past due", "2026-04-01", nil, "3600000 0 0"},
		{"149 days past due", "2026-06-30", nil, "3600000 3600000 0"},
		{"one is repaid", "2026-06-30", func(l *loan.Loan) {
			l.Book.Payments = []loan.Payment{{Amount: cny(1_300_000), Date: "2026-06-30"}}
		}, "2400000 2400000 0"},
		{"one is repaid a day later", "2026-06-30", func(l *loan.Loan) {
			l.Book.Payments = []loan.Payment{{Amount: cny(1_300_000), Date: "2026-07-01"}}
		}, "3600000 3600000 0"},
		{"one is written off", "2026-06-30", off("2026-06-30"), "2400000 2400000 1200000"},
		{"one is written off a day later", "2026-06-30", off("2026-07-01"), "3600000 3600000 0"},
		{"one was written off a year before", "2026-06-30", off("2025-06-30"), "2400000 2400000 0"},
		{"and a day less", "2026-06-30", off("2025-07-01"), "2400000 2400000 1200000"},
		{"a third is another's", "2026-06-30", func(l *loan.Loan) {
			l.Lenders = []loan.Lender{{Account: unions, Organisation: "union", PartsPerMillion: 333_333}, {Account: lending, Organisation: "bank", PartsPerMillion: 666_667}}
		}, "3200000 3200000 0"},
		{"one is another's", "2026-06-30", func(l *loan.Loan) { l.Lenders[0].Organisation = "union" }, "2400000 2400000 0"},
		{"nothing is paid out", "2026-06-30", func(l *loan.Loan) { l.Book = loan.Book{} }, "2400000 2400000 0"},
		{"terms were changed since, when it was 100 days past due", "2026-06-30", changed(100), "3600000 3600000 0"},
		{"and when it was 60", "2026-06-30", changed(60), "3600000 2400000 0"},
	} {
		loans := []loan.Loan{running(t), running(t), running(t)}
		loans[0].Lenders, loans[0].Book.Advances = slices.Clone(loans[0].Lenders), slices.Clone(loans[0].Book.Advances)
		if c.change != nil {
			c.change(&loans[0])
		}
		found, err := loan.Figures("bank", "CNY", loans, c.day)
		if got := fmt.Sprint(found.Gross, found.NonPerforming, found.WrittenOff); err != nil || got != c.want {
			t.Errorf("%s: %s, not %s (%v)", c.name, got, c.want, err)
		}
	}
	if found, err := loan.Figures("bank", "VND", []loan.Loan{running(t)}, "2026-06-30"); err != nil || found != (pool.Figures{}) {
		t.Errorf("another currency: %+v %v", found, err)
	}
	if _, err := loan.Figures("bank", "CNY", nil, "1990-03-31"); err == nil {
		t.Error("figures by no classification")
	}
}

// TestLent: a loan is listed once for each lender, and is taken out when it counts in no quarter any more.
func TestLent(t *testing.T) {
	l := running(t)
	l.Lenders = []loan.Lender{{Organisation: "bank"}, {Organisation: "union"}}
	keys := l.LentKeys()
	if len(keys) != 2 || !slices.Contains(loan.LentKeys("bank"), keys[0]) || !slices.Contains(loan.LentKeys("union"), keys[1]) {
		t.Errorf("the loan is listed in %v", keys)
	}
	shards := map[string]bool{}
	for i := range 2000 {
		one := l
		one.ID = tape.ID(fmt.Sprint("l", i))
		shards[one.LentKeys()[0]] = true
	}
	if len(shards) < 250 || len(slices.Collect(maps.Keys(shards))) > loan.LentShards {
		t.Errorf("2000 loans stand in %d records", len(shards))
	}
	var none *loan.Lent
	entry := tape.Entry{Organisation: "bank", ID: "e1"}
	list := none.Begin(l, entry)
	for _, c := range []struct {
		name   string
		change func(*loan.Loan)
		want   int
	}{
		{"it runs", func(l *loan.Loan) {}, 1},
		{"it was taken back", func(l *loan.Loan) { l.State = loan.Withdrawn }, 0},
		{"it ended a year before", func(l *loan.Loan) { l.State = loan.Closed; l.Book.Payments[0].Date = "2026-06-30" }, 0},
		{"and a day less", func(l *loan.Loan) { l.State = loan.Closed; l.Book.Payments[0].Date = "2026-07-01" }, 1},
		{"it was written off two years before", func(l *loan.Loan) {
			l.State, l.WrittenOff = loan.Closed, &loan.WrittenOff{Date: "2025-06-30"}
		}, 0},
		{"and a day less", func(l *loan.Loan) {
			l.State, l.WrittenOff = loan.Closed, &loan.WrittenOff{Date: "2025-07-01"}
		}, 1},
	} {
		one := l
		one.Book.Payments = []loan.Payment{{Amount: cny(1), Date: "2026-03-01"}}
		c.change(&one)
		less, changed := list.Less(map[string]loan.Loan{l.Reference(): one}, "2027-06-30", entry)
		if len(less.Loans) != c.want || changed != (c.want == 0) || len(list.Loans) != 1 {
			t.Errorf("%s: %+v %v", c.name, less, changed)
		}
	}
}

// TestCame: a payment is named by its entry and its place among those of that entry.
func TestCame(t *testing.T) {
	l := running(t)
	l.Lenders = []loan.Lender{{Organisation: "bank", PartsPerMillion: 700_000}, {Organisation: "union", PartsPerMillion: 300_000}}
	l.Book.Payments = []loan.Payment{{Amount: cny(100), Entry: "bank/r1"}, {Amount: cny(200), Entry: "bank/r2"}, {Amount: cny(301), Entry: "bank/r1"}}
	for _, c := range []struct {
		lender, payment string
		want            int64
	}{{"bank", "bank/r1/0", 70}, {"union", "bank/r1/0", 30}, {"bank", "bank/r2/0", 140}, {"bank", "bank/r1/1", 211}, {"union", "bank/r1/1", 90},
		{"bank", "bank/r1/2", 0}, {"bank", "bank/r1/00", 0}, {"bank", "bank/r1", 0}, {"bank", "r1", 0}, {"coop", "bank/r1/0", 0}} {
		came, err := l.Came(c.lender, c.payment)
		if err != nil || came.Amount.Units != c.want || c.want > 0 && came.Source != c.payment || c.want == 0 && came != (pool.Payment{}) {
			t.Errorf("%s of %s: %+v %v", c.payment, c.lender, came, err)
		}
	}
}
