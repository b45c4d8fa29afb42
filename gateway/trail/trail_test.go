package trail

import (
	"fmt"
	"testing"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/gateway/disclosure"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

func yuan(units int64) money.Amount { return money.New(units, "CNY") }

func TestText(t *testing.T) {
	for _, test := range []struct {
		text fund.Text
		want views.Text
	}{
		{fund.Text{Zh: "训练", En: "Training"}, views.Text{Chinese: "训练", English: "Training"}},
		{fund.Text{Zh: "训练"}, views.Text{Chinese: "训练", English: "训练"}},
		{fund.Text{En: "Training"}, views.Text{Chinese: "Training", English: "Training"}},
		{fund.Text{}, views.Text{}},
	} {
		if got := Text(test.text); got != test.want {
			t.Errorf("%+v reads %+v, not %+v", test.text, got, test.want)
		}
	}
}

// TestIndividual: what exports say of people is what the plan says of all of them.
func TestIndividual(t *testing.T) {
	for _, test := range []struct {
		sector    string
		emergency bool
		want      string
	}{
		{"12220", false, "{ [GTIP120]}"}, {"11220", false, "{ [GTIP130]}"}, {"16030", false, "{ [GTIP060]}"},
		{"72010", true, "{GTIR100 [GTIP170]}"}, {"72040", true, "{GTIR100 [GTIP070]}"}, {"15160", false, "{ []}"}, {"31120", true, "{GTIR100 []}"},
	} {
		if got := fmt.Sprint(individual(fund.Plan{Sector: test.sector, Emergency: test.emergency})); got != test.want {
			t.Errorf("sector %s, emergency %t: %s, want %s", test.sector, test.emergency, got, test.want)
		}
	}
}

// TestDuty: every duty that can be published has a word on the pages; a later one keeps its own.
func TestDuty(t *testing.T) {
	for _, duty := range fund.Duties() {
		if _, known := duties[duty]; !known {
			t.Errorf("the pages have no word for %s", duty)
		}
	}
	if got := Duty("some-later-duty"); got != "some-later-duty" {
		t.Errorf("a later duty is called %s", got)
	}
}

// TestBudget: what waits for the bank is ordered, and is neither paid nor passed on.
func TestBudget(t *testing.T) {
	for _, test := range []struct {
		name                        string
		ordered, paid, passed       int64
		returned, recovered         int64
		wantOrdered, wantPaid, bank int64
	}{
		{"nothing yet", 0, 0, 0, 0, 0, 0, 0, 0},
		{"ordered", 900, 0, 0, 0, 0, 900, 0, 0},
		{"paid in part", 900, 400, 0, 0, 0, 500, 400, 400},
		{"paid, and granted on", 900, 400, 500, 0, 0, 0, 900, 400},
		{"some of it came back", 700, 300, 400, 100, 100, 0, 700, 300},
	} {
		line := disclosure.Line{BudgetLine: fund.BudgetLine{ID: "training", Amount: yuan(1_000)}}
		line.Sums.Ordered, line.Sums.Paid, line.Sums.Passed, line.Sums.Payouts = yuan(test.ordered), yuan(test.paid), yuan(test.passed), 3
		line.Sums.Returned, line.Sums.Recovered = yuan(test.returned), yuan(test.recovered)
		got := budget(line, yuan(77))
		if got.Recovered != yuan(test.recovered) || got.CameBack != yuan(test.returned+test.recovered) || got.Left != yuan(77) {
			t.Errorf("%s: %+v", test.name, got)
		}
		if got.Ordered != yuan(test.wantOrdered) || got.Paid != yuan(test.wantPaid) || got.Paid.Units-got.Passed.Units != test.bank || got.Payees != 3 || got.Planned != yuan(1_000) {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
}

// TestRatios: management is a share of what the contract's cap is a share of,
// not of all that was ever settled: 100.00 were refunded.
func TestRatios(t *testing.T) {
	plan := fund.Plan{ManagementPartsPerMillion: 100_000, Goal: yuan(100_000)}
	sheet := disclosure.Sheet{Campaign: readmodel.Campaign{Campaign: fund.Campaign{Plan: plan}}, Lines: []disclosure.Line{{}}, Law: "some-law",
		Management: yuan(1_500), Given: yuan(20_000), Cap: plan.ManagementCap(20_000)}
	sheet.Sums.Settled = yuan(30_000)
	got := ratios(sheet)
	if len(got) != 1 || got[0].Share != 750 || got[0].Limit != 1000 || got[0].Whole != yuan(20_000) || got[0].Part != yuan(1_500) || !got[0].Kept() {
		t.Errorf("%+v", got)
	}
	sheet.Management = yuan(2_001)
	if got := ratios(sheet); got[0].Kept() != (sheet.Management.Units <= sheet.Cap.Units) {
		t.Errorf("the page says kept %v of %+v, the cap is %s", got[0].Kept(), got[0], sheet.Cap)
	}
	if got := ratios(disclosure.Sheet{}); got != nil {
		t.Errorf("a campaign without a budget has the ratios %+v", got)
	}
}
