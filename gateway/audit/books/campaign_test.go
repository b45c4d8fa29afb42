package books

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestChangesUse: the last column says whether the donors must be asked.
func TestChangesUse(t *testing.T) {
	line := func(id tape.ID, kind string, units int64) fund.BudgetLine {
		return fund.BudgetLine{Amount: money.New(units, "CNY"), ID: id, Kind: kind, Title: fund.Text{En: string(id)}}
	}
	plan := func(lines ...fund.BudgetLine) fund.Plan {
		return fund.Plan{Purpose: fund.Text{En: "Speech training"}, Title: fund.Text{En: "Speech"}, From: "2026-01-01", To: "2026-06-30", Lines: lines}
	}
	before := plan(line("training", fund.Programme, 800), line("office", fund.Management, 200))
	other := func(change func(*fund.Plan)) fund.Plan {
		after := plan(before.Lines[0], before.Lines[1])
		change(&after)
		return after
	}
	for _, test := range []struct {
		name    string
		after   fund.Plan
		changes bool
	}{
		{"the same", other(func(*fund.Plan) {}), false},
		{"later", other(func(p *fund.Plan) { p.To = "2026-12-31" }), true},
		{"begun later", other(func(p *fund.Plan) { p.From = "2026-02-01" }), true},
		{"an emergency", other(func(p *fund.Plan) { p.Emergency = true }), true},
		{"another title", other(func(p *fund.Plan) { p.Title.En = "Voices" }), false},
		{"another purpose", other(func(p *fund.Plan) { p.Purpose.En = "Hearing aids" }), true},
		{"another area", other(func(p *fund.Plan) { p.Area = "CN-53" }), true},
		{"another heir", other(func(p *fund.Plan) { p.Leftover = "a:b:c" }), true},
		{"more for management by share", other(func(p *fund.Plan) { p.ManagementPartsPerMillion = 1 }), true},
		{"another donor", other(func(p *fund.Plan) { p.Donors = []tape.ID{"h1"} }), true},
		{"more for the programme", plan(line("training", fund.Programme, 801), line("office", fund.Management, 200)), false},
		{"less for the programme", plan(line("training", fund.Programme, 799), line("office", fund.Management, 200)), true},
		{"more for the office", plan(line("training", fund.Programme, 800), line("office", fund.Management, 201)), true},
		{"less for the office", plan(line("training", fund.Programme, 800), line("office", fund.Management, 199)), false},
		{"no office", plan(line("training", fund.Programme, 800)), false},
		{"no training", plan(line("office", fund.Management, 200)), true},
		{"a new line", plan(before.Lines[0], before.Lines[1], line("travel", fund.Programme, 1)), true},
		{"another kind", plan(line("training", fund.Fundraising, 800), before.Lines[1]), true},
	} {
		if got := changesUse(before, test.after); got != test.changes {
			t.Errorf("%s: %t", test.name, got)
		}
	}
}
