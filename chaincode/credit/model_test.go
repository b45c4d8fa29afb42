package credit_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/credit"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestModelFiles: each file that is built in can be read strictly, and is the one that its name says.
func TestModelFiles(t *testing.T) {
	ids, err := credit.Models()
	files, _ := filepath.Glob("models/*.json")
	if err != nil || len(files) != len(ids) || len(ids) < 2 {
		t.Fatalf("%d files, %d models, %v", len(files), len(ids), err)
	}
	industries := map[string]bool{}
	for _, id := range ids {
		data, err := os.ReadFile("models/" + id + ".json")
		if err != nil {
			t.Fatal(err)
		}
		strict, err := credit.Read(data)
		if err != nil || strict.ID != id {
			t.Errorf("%s is %q: %v", id, strict.ID, err)
		}
		if m, err := credit.ModelOf(id); err != nil || spelled(t, m) != spelled(t, strict) {
			t.Errorf("%s: %v", id, err)
		}
		industries[strict.Industry] = true
	}
	if !industries["coffee"] || !industries["livestock"] {
		t.Errorf("the industries are %v", industries)
	}
	for _, id := range []string{"", "coffee", "../models/coffee-2026-01-01", "coffee-2026-01-01.json", "a name\x00"} {
		if _, err := credit.ModelOf(id); !strings.HasPrefix(fmt.Sprint(err), "unsupported: field model: is none of the credit models") {
			t.Errorf("%q: %v", id, err)
		}
	}
}

// TestModelOn: the version in force on a day, of the industry asked for.
func TestModelOn(t *testing.T) {
	ids := []string{"coffee-2026-01-01", "coffee-2027-01-01", "coffee-robusta-2025-01-01", "livestock-2026-06-01"}
	for _, c := range []struct {
		industry string
		day      tape.Date
		want     string
	}{
		{"coffee", "2025-12-31", ""},
		{"coffee", "2026-01-01", "coffee-2026-01-01"},
		{"coffee", "2026-12-31", "coffee-2026-01-01"},
		{"coffee", "2027-01-01", "coffee-2027-01-01"},
		{"coffee-robusta", "2027-01-01", "coffee-robusta-2025-01-01"},
		{"livestock", "2030-01-01", "livestock-2026-06-01"},
		{"livestock", "2026-05-31", ""},
		{"tea", "2026-06-01", ""},
	} {
		if got := credit.InForce(ids, c.industry, c.day); got != c.want {
			t.Errorf("%s on %s: %q, want %q", c.industry, c.day, got, c.want)
		}
	}
	if _, err := credit.ModelOn("coffee", "2025-12-31"); !strings.HasPrefix(fmt.Sprint(err), "unsupported: no version of a credit model for this industry is known for 2025-12-31") {
		t.Error(err)
	}
}

// source is the file of the coffee model.
func source(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile("models/coffee-2026-01-01.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestModelsAreReadStrictly(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{`"purpose"`, `"Purpose"`, "invalid: "},
		{`"purpose": "credit",`, ``, "invalid: "},
		{`"purpose": "credit",`, `"purpose": "credit", "note": "x",`, `invalid: unknown field "note"`},
		{`"purpose": "credit",`, `"purpose": "credit", "purpose": "research",`, "invalid: field purpose: stands twice"},
		{`"expiryDays": 400`, `"expiryDays": "400"`, "invalid: field factors[0].indicators[0].expiryDays: a JSON string does not belong here"},
		{`"expiryDays": 400`, `"expiryDays": 400.5`, "invalid: field factors[0].indicators[0].expiryDays: a JSON number 400.5 does not belong here"},
		{`"20000.00 CNY"`, `"20000 CNY"`, "invalid: field limits.first: is not an amount of CNY"},
	} {
		before := source(t)
		after := strings.Replace(before, c.from, c.to, 1)
		if _, err := credit.Read([]byte(after)); before == after || !strings.HasPrefix(fmt.Sprint(err), c.want) {
			t.Errorf("%s:\n got %v\nwant %s", c.to, err, c.want)
		}
	}
}

func TestModelRefusals(t *testing.T) {
	first := func(m *credit.Model) *credit.Indicator { return &m.Factors[0].Indicators[0] }
	call := func(m *credit.Model) *credit.Indicator { return &m.Factors[2].Indicators[3] }
	ruletest.Refusals(t, func() credit.Model {
		m, err := credit.Read([]byte(source(t)))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}, credit.Model.Check, []row[credit.Model]{
		{func(m *credit.Model) { m.Industry = "Coffee" }, "invalid: field industry: is not a name"},
		{func(m *credit.Model) { m.InForce = "2026" }, "invalid: field inForce: is not a date"},
		{func(m *credit.Model) { m.Purpose = "" }, "invalid: field purpose: is not a name"},
		{func(m *credit.Model) { m.ID = "coffee" }, "invalid: field id: is not coffee-2026-01-01"},
		{func(m *credit.Model) { m.Sources = nil }, "invalid: field sources: are none"},
		{func(m *credit.Model) { m.Limits.GrowthBasisPoints = 2_001 }, "invalid: field limits.growthBasisPoints: is 2001; 0 to 2000 is possible"},
		{func(m *credit.Model) { m.Limits.CutBasisPoints = 10_001 }, "invalid: field limits.cutBasisPoints: is 10001"},
		{func(m *credit.Model) { m.Limits.DaysPastDueMax = 31 }, "invalid: field limits.daysPastDueMax: is 31"},
		{func(m *credit.Model) { m.Limits.CallMonths = -1 }, "invalid: field limits.callMonths: is -1"},
		{func(m *credit.Model) { m.Limits.SeasonDays = 0 }, "invalid: field limits.seasonDays: is 0; 1 to 1096 is possible"},
		{func(m *credit.Model) { m.Limits.First = money.Amount{} }, "invalid: field limits.first: is not a currency"},
		{func(m *credit.Model) { m.Limits.First.Units = -1 }, "invalid: field limits.first: -0.01 CNY is not more than zero"},
		{func(m *credit.Model) { m.Decisions.Approve.ScoreMin = 101 }, "invalid: field decisions.approve.scoreMin: is 101; 0 to 100 is possible"},
		{func(m *credit.Model) { m.Decisions.Approve.LimitPartsPerMillion = 1_000_001 }, "invalid: field decisions.approve.limitPartsPerMillion: is 1000001"},
		{func(m *credit.Model) { m.Decisions.Refer.KnownMin = -1 }, "invalid: field decisions.refer.knownMin: is -1"},
		{func(m *credit.Model) { m.Decisions.Refer.ScoreMin = 71 }, "invalid: field decisions.refer: asks for more than approve"},
		{func(m *credit.Model) { m.Decisions.Refer.KnownMin = 7 }, "invalid: field decisions.refer: asks for more than approve"},
		{func(m *credit.Model) { m.Decisions.Refer.LimitPartsPerMillion = 999_999 }, "invalid: field decisions.refer: asks for more than approve"},
		{func(m *credit.Model) { m.Factors = m.Factors[:2] }, "invalid: field factors: are 2; a model has community, stability, reputation"},
		{func(m *credit.Model) { slices.Reverse(m.Factors) }, "invalid: field factors[0].factor: is not community, which stands here"},
		{func(m *credit.Model) { m.Factors[0].Weight = 31 }, "invalid: field factors[0].weight: is 31; the maxima of its indicators sum to 30"},
		{func(m *credit.Model) {
			m.Factors[0].Weight, first(m).Maximum, first(m).Points[3].Points = 31, 11, 11
		}, "invalid: field factors: weigh 101 together, not 100"},
		{func(m *credit.Model) { m.Factors[0].Indicators = make([]credit.Indicator, 33) }, "invalid: field factors[0].indicators: are 33; 32 at most"},
		{func(m *credit.Model) { m.Factors[0].Indicators[1].Indicator = "meetings-attended" }, "invalid: field factors[0].indicators[1].indicator: meetings-attended stands twice"},
		{func(m *credit.Model) { m.Factors[2].Indicators[1].Missing = "neutral" }, "invalid: field factors[2].indicators: have none whose missing counts as zero"},
		{func(m *credit.Model) { m.Factors[2].Indicators = m.Factors[2].Indicators[:3] }, "invalid: field factors: do not ask for call-paid"},
		{func(m *credit.Model) { first(m).Indicator = "" }, "invalid: field factors[0].indicators[0].indicator: is not a name"},
		{func(m *credit.Model) { first(m).About = "" }, "invalid: field factors[0].indicators[0].about: is not a name"},
		{func(m *credit.Model) { first(m).Combine = "best" }, "invalid: field factors[0].indicators[0].combine: is not one of latest, sum, most, least, mean"},
		{func(m *credit.Model) { first(m).Unit = "yuan" }, "invalid: field factors[0].indicators[0].unit: is not one of count, days, months, seasons, parts-per-million"},
		{func(m *credit.Model) { m.Decisions.Refer.LimitPartsPerMillion = 2_000_001 }, "invalid: field decisions.refer.limitPartsPerMillion: is 2000001"},
		{func(m *credit.Model) { m.Decisions.ScoreDays = 0 }, "invalid: field decisions.scoreDays: is 0"},
		{func(m *credit.Model) { first(m).Attesters[0] = "The Cooperative" }, "invalid: field factors[0].indicators[0].attesters[0]: is not a name"},
		{func(m *credit.Model) { first(m).Evidence = nil }, "invalid: field factors[0].indicators[0].evidence: is none"},
		{func(m *credit.Model) { first(m).Evidence[1] = "hearsay" }, "invalid: field factors[0].indicators[0].evidence[1]: is not one of entry, attestation"},
		{func(m *credit.Model) { first(m).Evidence[1] = "entry" }, "invalid: field factors[0].indicators[0].evidence[1]: stands twice"},
		{func(m *credit.Model) { first(m).ExpiryDays = 0 }, "invalid: field factors[0].indicators[0].expiryDays: is 0; 1 to 1826 is possible"},
		{func(m *credit.Model) { first(m).ExpiryDays = 1827 }, "invalid: field factors[0].indicators[0].expiryDays: is 1827"},
		{func(m *credit.Model) { first(m).Maximum = 0 }, "invalid: field factors[0].indicators[0].maximum: is 0; 1 to 100 is possible"},
		{func(m *credit.Model) { first(m).Maximum = 11 }, "invalid: field factors[0].indicators[0].maximum: is 11; the table gives 10 at most"},
		{func(m *credit.Model) { first(m).ValueMax = 0 }, "invalid: field factors[0].indicators[0].valueMax: is 0"},
		{func(m *credit.Model) { first(m).Missing = "bad" }, "invalid: field factors[0].indicators[0].missing: is not one of zero, neutral"},
		{func(m *credit.Model) { first(m).Missing = "" }, "invalid: field factors[0].indicators[0].missing: is not one of zero, neutral"},
		{func(m *credit.Model) { first(m).Points = nil }, "invalid: field factors[0].indicators[0].points: have 0 rows; 1 to 32 are possible, the first from 0"},
		{func(m *credit.Model) { first(m).Points = make([]credit.Step, 33) }, "invalid: field factors[0].indicators[0].points: have 33 rows"},
		{func(m *credit.Model) { first(m).Points[0].From = 1 }, "invalid: field factors[0].indicators[0].points: have 4 rows; 1 to 32 are possible, the first from 0"},
		{func(m *credit.Model) { first(m).Points[2].From = 500_000 }, "invalid: field factors[0].indicators[0].points[2].from: is 500000, not more than the row before"},
		{func(m *credit.Model) { first(m).Points[2].Points = -1 }, "invalid: field factors[0].indicators[0].points[2].points: is -1; 0 to 10 is possible"},
		{func(m *credit.Model) { first(m).Points[2].Points = 11 }, "invalid: field factors[0].indicators[0].points[2].points: is 11"},
		// Nobody loses by having paid for a neighbour.
		{func(m *credit.Model) { call(m).Bonus, call(m).Missing = false, "neutral" }, "invalid: field factors[2].indicators[3].bonus: is missing; call-paid only adds"},
		{func(m *credit.Model) { call(m).Missing = "zero" }, "invalid: field factors[2].indicators[3].missing: is said of a bonus"},
		{func(m *credit.Model) { call(m).Combine = "latest" }, "invalid: field factors[2].indicators[3].combine: is latest; another input must not make a bonus smaller"},
		{func(m *credit.Model) { call(m).Combine = "mean" }, "invalid: field factors[2].indicators[3].combine: is mean"},
		{func(m *credit.Model) { call(m).Points[1].Points, call(m).Points[2].Points = 10, 6 }, "invalid: field factors[2].indicators[3].points[2].points: is 6; the table of a bonus never falls"},
	})
}

// TestWorth: a value has the points of the last row that it reaches.
func TestWorth(t *testing.T) {
	for _, c := range []struct {
		indicator string
		value     int64
		want      int32
	}{
		{"meetings-attended", 0, 0}, {"meetings-attended", 499_999, 0}, {"meetings-attended", 500_000, 4}, {"meetings-attended", 899_999, 7}, {"meetings-attended", 900_000, 10},
		{"days-past-due", 0, 14}, {"days-past-due", 7, 12}, {"days-past-due", 8, 8}, {"days-past-due", 30, 8}, {"days-past-due", 31, 3}, {"days-past-due", 91, 0}, {"days-past-due", 1 << 40, 0},
	} {
		if got := indicatorOf(t, model(t, "coffee"), c.indicator).Worth(c.value); got != c.want {
			t.Errorf("%s of %d is worth %d, want %d", c.indicator, c.value, got, c.want)
		}
	}
}

// TestConsentsCanBeGiven: what models ask consents for and about, people can consent to.
func TestConsentsCanBeGiven(t *testing.T) {
	for _, m := range models(t) {
		if !slices.Contains(party.Purposes(), m.Purpose) {
			t.Errorf("%s: nobody can consent to the purpose %s", m.ID, m.Purpose)
		}
		for _, c := range asking(m).Consents {
			if !slices.Contains(party.Abouts(), c.About) {
				t.Errorf("%s: nobody can consent to the use of data about %s", m.ID, c.About)
			}
		}
	}
}

// FuzzRead: whatever is read as a model can be scored by, from nothing to everything.
func FuzzRead(f *testing.F) {
	small := model(f, "coffee") // the files themselves are read by TestModelFiles, and are long
	for i, names := range [][]string{{"meetings-attended"}, {"delivery-kept"}, {"loans-repaid", credit.CallPaid}} {
		factor := &small.Factors[i]
		factor.Indicators = slices.DeleteFunc(factor.Indicators, func(i credit.Indicator) bool { return !slices.Contains(names, i.Indicator) })
		factor.Indicators[0].Maximum, factor.Indicators[0].Points = factor.Weight, []credit.Step{{From: 0, Points: 0}, {From: 1, Points: factor.Weight}}
	}
	if err := small.Check(); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(spelled(f, small)))
	f.Add([]byte(`{"factors":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := credit.Read(data)
		if err != nil {
			return
		}
		r := asking(m)
		if r.Day = m.InForce; len(r.Consents) > credit.ConsentsMax {
			return
		}
		for i := range r.Consents {
			r.Consents[i].From, r.Consents[i].Until, r.Consents[i].Purpose = r.Day, r.Day, m.Purpose
			r.Consents[i].Reference = fmt.Sprintf("coop/%d", i)
		}
		for _, everything := range []bool{false, true} {
			for _, factor := range m.Factors {
				for _, indicator := range factor.Indicators {
					if everything {
						at := slices.IndexFunc(r.Consents, func(c credit.Consent) bool { return c.About == indicator.About })
						r.Inputs = append(r.Inputs, credit.Input{Consent: r.Consents[at].Reference, Day: r.Day, Indicator: indicator.Indicator, Source: indicator.Evidence[0] + "/coop/1", Value: indicator.ValueMax})
					}
				}
			}
			if score, err := m.Score(r); err != nil || score.Points < 0 || score.Points > 100 {
				t.Errorf("%d points, %v", score.Points, err)
			}
		}
	})
}
