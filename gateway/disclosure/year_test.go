package disclosure

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

func flow(day tape.Date, kind readmodel.FlowKind, line tape.ID, units int64) readmodel.Flow {
	return readmodel.Flow{Day: day, Kind: kind, Line: line, Amount: money.New(10*units, "CNY"), Count: 1}
}

// own is money between two campaigns of the organisation.
func own(f readmodel.Flow) readmodel.Flow {
	f.Own = true
	return f
}

// TestUntil: a campaign has money while any is left, also what only the charity
// declares and what came home; a partner who gave everything home has none.
func TestUntil(t *testing.T) {
	const today tape.Date = "2026-06-30"
	for _, c := range []struct {
		name  string
		flows []readmodel.Flow
		want  tape.Date
	}{
		{"nothing ever came", nil, ""},
		{"some is left", []readmodel.Flow{flow("2026-01-01", readmodel.FlowSettled, "", 10), flow("2026-02-01", readmodel.FlowPaid, "p", 9)}, today},
		{"all was paid", []readmodel.Flow{flow("2026-01-01", readmodel.FlowSettled, "", 10), flow("2026-02-01", readmodel.FlowPaid, "p", 10)}, "2026-02-01"},
		{"some was declared", []readmodel.Flow{flow("2026-01-01", readmodel.FlowSettled, "", 10), flow("2026-01-02", readmodel.FlowDeclared, "", 1), flow("2026-02-01", readmodel.FlowPaid, "p", 10)}, today},
		{"a grant is out", []readmodel.Flow{flow("2026-01-01", readmodel.FlowSettled, "", 10), flow("2026-02-01", readmodel.FlowPassed, "p", 10)}, "2026-02-01"},
		{"a grant came home", []readmodel.Flow{flow("2026-01-01", readmodel.FlowSettled, "", 10), flow("2026-02-01", readmodel.FlowPassed, "p", 10), flow("2026-03-01", readmodel.FlowRecovered, "p", 4)}, today},
		{"a partner gave it home", []readmodel.Flow{flow("2026-02-01", readmodel.FlowGranted, "", 10), flow("2026-02-02", readmodel.FlowPaid, "p", 6), flow("2026-03-01", readmodel.FlowRemitted, "", 4)}, "2026-03-01"},
	} {
		if got := until(c.flows, today); got != c.want {
			t.Errorf("%s: money until %q, want %q", c.name, got, c.want)
		}
	}
}

// TestYears adds a campaign, its own earmark and the campaign that it is carried
// to up by hand: 10,000,000.00 came in 2024, of it 100,000.00 by the charity's
// word; in 2025 6,900,000.00 were paid for the programme, of it 2,000,000.00 by
// the earmark and 500,000.00 by a partner who gave 100,000.00 back, and 800,000.00
// for management. The earmark was laid in the year after it was ordered.
func TestYears(t *testing.T) {
	plan := fund.Plan{Lines: []fund.BudgetLine{{ID: "p", Kind: fund.Programme}, {ID: "m", Kind: fund.Management}}}
	book := yearBook{}
	book.add(plan, []readmodel.Flow{
		flow("2024-12-31", readmodel.FlowSettled, "", 99_100_000), flow("2024-12-31", readmodel.FlowDeclared, "", 1_000_000), flow("2024-12-31", readmodel.FlowRefunded, "", 100_000),
		flow("2025-01-01", readmodel.FlowPaid, "p", 45_000_000), flow("2025-02-01", readmodel.FlowReturned, "p", 1_000_000),
		own(flow("2024-12-31", readmodel.FlowPassed, "p", 30_000_000)), flow("2025-03-01", readmodel.FlowPassed, "p", 6_000_000),
		flow("2025-05-01", readmodel.FlowRecovered, "p", 1_000_000), flow("2025-03-01", readmodel.FlowPaid, "m", 8_000_000), own(flow("2025-06-01", readmodel.FlowRecovered, "", 5_000_000))})
	book.add(plan, []readmodel.Flow{own(flow("2025-01-02", readmodel.FlowGranted, "", 30_000_000)), flow("2025-04-01", readmodel.FlowPaid, "p", 20_000_000),
		own(flow("2025-06-01", readmodel.FlowRemitted, "", 5_000_000)), own(flow("2025-06-01", readmodel.FlowPassed, "", 5_000_000))})
	book.add(plan, []readmodel.Flow{own(flow("2025-06-02", readmodel.FlowGranted, "", 5_000_000))})
	annuals, err := book.judge(Annual{Organisation: "charity", Kind: "public-foundation"}, "2026-06-30")
	if err != nil || len(annuals) != 2 {
		t.Fatalf("%+v, %v", annuals, err)
	}
	year := annuals[1]
	if year.Year.Programme != 690_000_000 || year.Year.Management != 80_000_000 || year.Before.Income != 1_000_000_000 || year.Running {
		t.Errorf("the year: %+v after %+v", year.Year, year.Before)
	}
	if len(year.Ratios) != 2 || year.Ratios[0].PartsPerMillion != 690_000 || year.Ratios[0].Kept || year.Ratios[1].Kept {
		t.Errorf("69 %% of last year's income and 10.38 %% of spending: %+v", year.Ratios)
	}
	book.add(plan, []readmodel.Flow{flow("2025-12-31", readmodel.FlowPaid, "p", 3_000_000)})
	if annuals, err = book.judge(Annual{Organisation: "charity", Kind: "public-foundation"}, "2025-12-31"); err != nil || !annuals[1].Running || !annuals[1].Ratios[0].Kept || !annuals[1].Ratios[1].Kept {
		t.Errorf("72 %% and 10.0 %%: %+v, %v", annuals, err)
	}
}
