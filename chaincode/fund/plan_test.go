package fund_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

func TestPlanCheck(t *testing.T) {
	long := strings.Repeat("字", 1001)
	for i, c := range []struct {
		change func(*fund.Plan)
		want   string
	}{
		{func(*fund.Plan) {}, "<nil>"},
		{func(p *fund.Plan) { p.Title = fund.Text{Zh: strings.Repeat("字", 120)} }, "<nil>"},
		{func(p *fund.Plan) { p.Title = fund.Text{} }, "invalid: field title: is empty in both languages"},
		{func(p *fund.Plan) { p.Title = fund.Text{Zh: long[:363]} }, "invalid: field title.zh: has 121 characters; 120 at most"},
		{func(p *fund.Plan) { p.Title.En = "a\nb" }, "invalid: field title.en: holds the character U+000A, which cannot be shown"},
		{func(p *fund.Plan) { p.Title.En = "a\u2066b" }, "invalid: field title.en: holds the character U+2066"},
		{func(p *fund.Plan) { p.Title.En = "a " }, "invalid: field title.en: begins or ends with a space"},
		{func(p *fund.Plan) { p.Title.En = "\xff" }, "invalid: field title.en: is not UTF-8"},
		{func(p *fund.Plan) { p.Purpose.Zh = long }, "invalid: field purpose.zh: has 1001 characters; 1000 at most"},
		{func(p *fund.Plan) { p.Beneficiaries = text(long) }, "invalid: field beneficiaries.en: has 1001 characters"},
		{func(p *fund.Plan) { p.Area = "C" }, `invalid: field area: is not an ISO 3166 code`},
		{func(p *fund.Plan) { p.Area = "CN-" }, `invalid: field area: is not`},
		{func(p *fund.Plan) { p.Area = "CN-5301" }, `invalid: field area: is not`},
		{func(p *fund.Plan) { p.Area = "CN-5:" }, `invalid: field area: is not`},
		{func(p *fund.Plan) { p.Area = "CN-5/" }, `invalid: field area: is not`},
		{func(p *fund.Plan) { p.Area = "CN-5a" }, `invalid: field area: is not`},
		{func(p *fund.Plan) { p.Area = "CN-YN9" }, "<nil>"},
		{func(p *fund.Plan) { p.Area = "cn" }, `invalid: field area: is not`},
		{func(p *fund.Plan) { p.Sector = "1222x" }, `invalid: field sector: is not`},
		{func(p *fund.Plan) { p.From = "2025-02-29" }, `invalid: field from: is not a date`},
		{func(p *fund.Plan) { p.To = "2026" }, `invalid: field to: is not a date`},
		{func(p *fund.Plan) { p.To = "2025-11-30" }, "invalid: field to: 2025-11-30 is not within 10 years after 2025-12-01"},
		{func(p *fund.Plan) { p.To = "2035-12-01" }, "<nil>"},
		{func(p *fund.Plan) { p.To = "2035-12-02" }, "invalid: field to: 2035-12-02 is not within 10 years"},
		{func(p *fund.Plan) { p.Goal = cny(0) }, "invalid: field goal"},
		{func(p *fund.Plan) { p.Goal.Currency = "USD" }, "invalid: field lines[0].amount"},
		{func(p *fund.Plan) { p.Regulator = "The County" }, `invalid: field regulator: is not a name`},
		{func(p *fund.Plan) { p.Leftover = "x" }, `invalid: field leftover: is not an account`},
		{func(p *fund.Plan) { p.Leftover = speech }, "invalid: field leftover: names charity:sunrise:speech; what is left over goes to another"},
		{func(p *fund.Plan) { p.Leftover = family }, "invalid: field leftover: names outside:household:ddbbcoobeooegjmdolfcpojadccomibn"},
		{func(p *fund.Plan) { p.ManagementPartsPerMillion = -1 }, "invalid: field managementPartsPerMillion: -1 is not 0 to 1000000"},
		{func(p *fund.Plan) { p.ManagementPartsPerMillion = 1_000_001 }, "invalid: field managementPartsPerMillion: 1000001 is not"},
		{func(p *fund.Plan) { p.Donors = []tape.ID{"giver"} }, "invalid: field donors: names 1; an agreement names 1 to 16"},
		{func(p *fund.Plan) { p.Lines = nil }, "invalid: field lines: holds 0; 1 to 40 are possible"},
		{func(p *fund.Plan) { p.Lines = make([]fund.BudgetLine, 41) }, "invalid: field lines: holds 41; 1 to 40 are possible"},
		{func(p *fund.Plan) { p.Lines[1].ID = "a b" }, `invalid: field lines[1].id: is not an id`},
		{func(p *fund.Plan) { p.Lines[1].ID = "training" }, "invalid: field lines[1].id: training stands twice"},
		{func(p *fund.Plan) { p.Lines[1].Title = fund.Text{} }, "invalid: field lines[1].title: is empty in both languages"},
		{func(p *fund.Plan) { p.Lines[1].Kind = "fun" }, `invalid: field lines[1].kind: is not one of programme, management, fundraising`},
		{func(p *fund.Plan) { p.Lines[1].Amount = cny(-1) }, "invalid: field lines[1].amount"},
		{func(p *fund.Plan) { p.Lines[1].Amount = money.New(money.Max, "CNY") }, "invalid: field lines[1]"},
		{func(p *fund.Plan) { p.Lines[1].Amount = cny(10_001) }, "conflict: field lines: come to 1000.01 CNY, the goal is 1000.00 CNY"},
	} {
		p := plan()
		c.change(&p)
		if got := fmt.Sprint(p.Check(speech, fund.Filing)); !strings.HasPrefix(got, c.want) {
			t.Errorf("row %d:\n got %s\nwant %s", i, got, c.want)
		}
	}
	for i, c := range []struct {
		donors []tape.ID
		want   string
	}{
		{[]tape.ID{"a", "b"}, "<nil>"}, {nil, "invalid: field donors: names 0"}, {make([]tape.ID, 17), "invalid: field donors: names 17"},
		{[]tape.ID{"a", "a/b"}, `invalid: field donors[1]: is not an id`}, {[]tape.ID{"a", "a"}, "invalid: field donors[1]: a stands twice"},
	} {
		p := plan()
		p.Donors = c.donors
		if got := fmt.Sprint(p.Check(speech, fund.Agreement)); !strings.HasPrefix(got, c.want) {
			t.Errorf("agreement %d:\n got %s\nwant %s", i, got, c.want)
		}
	}
}

// FuzzPlan: whatever plan is read is refused, or is one that can be kept: its
// lines come to its goal, none is empty, and it is its own equal.
func FuzzPlan(f *testing.F) {
	seed, err := json.Marshal(plan())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed, "filing")
	f.Add([]byte(`{"lines":[{"amount":"0.01 CNY","id":"a","kind":"programme","title":{"zh":"一"}}],"goal":"0.01 CNY"}`), "agreement")
	f.Fuzz(func(t *testing.T, data []byte, basis string) {
		var p fund.Plan
		if json.Unmarshal(data, &p) != nil || p.Check(speech, fund.Basis(basis)) != nil {
			return
		}
		total := int64(0)
		for _, line := range p.Lines {
			total += line.Amount.Units
			if found, known := p.Line(line.ID); !known || found != line || line.Amount.Units < 1 || line.Amount.Currency != p.Goal.Currency {
				t.Errorf("line %+v", line)
			}
		}
		if total != p.Goal.Units || p.To < p.From || p.Leftover == speech || p.ChangesUse(p) {
			t.Errorf("the plan %+v", p)
		}
	})
}
