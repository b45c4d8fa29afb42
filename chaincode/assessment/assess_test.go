package assessment_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/lianbao/lianbao/chaincode/assessment"
	"github.com/lianbao/lianbao/chaincode/credit"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestConsents: what the household does not allow is not known, and nothing is used without a consent.
func TestConsents(t *testing.T) {
	past := []loan.Past{{Application: "insurer/l1", Organisation: "union", Closed: "2025-12-01", DaysPastDueMax: 3}}
	for _, c := range []struct {
		name   string
		change func(*assessment.AssessState)
		want   string // points, inputs, consents
	}{
		{"all", func(*assessment.AssessState) {}, "93 9 4"},
		{"none", func(s *assessment.AssessState) { s.Consents = nil }, "0 0 0"},
		{"nothing of repayment", func(s *assessment.AssessState) { s.Consents = s.Consents[:3] }, "70 6 3"},
		{"trade withdrawn", func(s *assessment.AssessState) { s.Consents[1].Withdrawn = noon }, "53 5 3"},
		{"trade ended yesterday", func(s *assessment.AssessState) { s.Consents[1].Until = "2025-12-31" }, "53 5 3"},
		{"trade until today", func(s *assessment.AssessState) { s.Consents[1].Until = today }, "93 9 4"},
		{"what no model asks for", func(s *assessment.AssessState) {
			s.Inputs.Inputs = append(s.Inputs.Inputs, assessment.Input{Day: today, Indicator: "beauty", Source: "attestation/coop/a9"})
		}, "93 9 4"},
	} {
		state := assessing()
		state.History = past
		c.change(&state)
		s, _, err := assess().Apply(state, by("bank"))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := fmt.Sprint(s.Score.Points, len(s.Score.Request.Inputs), len(s.Score.Request.Consents)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if err := s.Score.Verify(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestLimit: what the limit is judged from, and the days that it remembers.
func TestLimit(t *testing.T) {
	before := func() *assessment.Standing {
		return &assessment.Standing{V: 1, Limit: credit.Limit{Amount: cny(2_000_000)}, LastStep: "2025-01-01"}
	}
	clean := []loan.Past{{Application: "insurer/l1", Organisation: "union", Closed: "2025-12-01", DaysPastDueMax: 7}}
	late := []loan.Past{clean[0], {Application: "insurer/l2", Organisation: "union", Closed: "2025-12-01", DaysPastDueMax: 8}}
	bad := append(clean, loan.Past{Application: "insurer/l3", Organisation: "union", DaysPastDueMax: 40, Defaulted: "2025-12-20"})
	for _, c := range []struct {
		name   string
		change func(*assessment.AssessState)
		want   string // amount, change, reasons, last step, last cut
	}{
		{"the first", func(s *assessment.AssessState) { s.Known = nil }, "20000.00 CNY first [] 2026-01-01 "},
		{"nothing was repaid", func(*assessment.AssessState) {}, "20000.00 CNY kept [no-cycle] 2025-01-01 "},
		{"a clean cycle", func(s *assessment.AssessState) { s.History = clean }, "23000.00 CNY grown [] 2026-01-01 "},
		{"within a season", func(s *assessment.AssessState) { s.History, s.Known.LastStep = clean, "2025-03-08" }, "20000.00 CNY kept [season] 2025-03-08 "},
		{"the last loan was late", func(s *assessment.AssessState) { s.History = late }, "20000.00 CNY kept [past-due] 2025-01-01 "},
		{"a neighbour is overdue", func(s *assessment.AssessState) { s.History, s.Debts[0].OverdueLoan = clean, "loan/x/y" }, "20000.00 CNY kept [members-irregular] 2025-01-01 "},
		{"a neighbour is called", func(s *assessment.AssessState) { s.History, s.Debts[0].OpenCall = clean, "call/x/y" }, "20000.00 CNY kept [members-irregular] 2025-01-01 "},
		{"a neighbour owes a guarantor", func(s *assessment.AssessState) { s.History, s.Debts[0].OpenRecourse = clean, "call/x/y" }, "20000.00 CNY kept [members-irregular] 2025-01-01 "},
		{"a call in the group a year ago to the day", func(s *assessment.AssessState) { s.History, s.LastCall = clean, "2025-01-01" }, "23000.00 CNY grown [] 2026-01-01 "},
		{"a call in the group a day less ago, that it has paid", func(s *assessment.AssessState) {
			s.History, s.LastCall, s.PaidCalls = clean, "2025-01-02", []loan.PaidCall{{Made: "bank/call-1", Date: "2025-01-20"}}
		}, "20000.00 CNY kept [call-in-group] 2025-01-01 "},
		{"a default", func(s *assessment.AssessState) { s.History = bad }, "10000.00 CNY cut [own-default] 2025-01-01 2026-01-01"},
		{"a default that was cut before", func(s *assessment.AssessState) { s.History, s.Known.LastCut = bad, "2025-12-21" }, "20000.00 CNY kept [no-cycle season] 2025-01-01 2025-12-21"},
		{"a default with another that nobody may know", func(s *assessment.AssessState) { s.History, s.Consents = bad, nil }, "20000.00 CNY kept [no-cycle] 2025-01-01 "},
		{"a default with itself", func(s *assessment.AssessState) {
			s.History, s.Consents = []loan.Past{{Application: "insurer/l3", Organisation: "bank", Defaulted: "2025-12-20"}}, nil
		}, "10000.00 CNY cut [own-default] 2025-01-01 2026-01-01"},
		{"what a group can bear", func(s *assessment.AssessState) { s.Group.Agreement.GroupMax = cny(4_000_001) }, "16000.00 CNY kept [no-cycle capped-by-group] 2025-01-01 "},
	} {
		state := assessing()
		state.Known = before()
		c.change(&state)
		s, _, err := assess().Apply(state, by("bank"))
		if got := fmt.Sprintf("%s %s %v %s %s", s.Limit.Amount, s.Limit.Change, s.Limit.Reasons, s.LastStep, s.LastCut); err != nil || got != c.want {
			t.Errorf("%s: %v\n got %s\nwant %s", c.name, err, got, c.want)
		}
	}
}

// TestKnown: what the ledger says of loans, by the entry that asked for each.
func TestKnown(t *testing.T) {
	state := assessing()
	state.Inputs = nil
	state.History = []loan.Past{{Application: "insurer/l1", Closed: "2025-12-01", DaysPastDueMax: 9}, {Application: "coop/l2", Closed: "2025-12-05", DaysPastDueMax: 31, Defaulted: "2025-11-01"}, {Application: "coop/l3", DaysPastDueMax: 2_000_000}}
	state.PaidCalls = []loan.PaidCall{{Made: "bank/call-1", Date: "2025-12-31"}}
	s, _, err := assess().Apply(state, by("bank"))
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, i := range s.Score.Request.Inputs {
		got += fmt.Sprintf("%s %s %d %s %s\n", i.Indicator, i.Source, i.Value, i.Day, i.Consent)
	}
	want := `call-paid entry/bank/call-1 1 2025-12-31 insurer/allow-repayment
days-past-due entry/coop/l2 31 2025-12-05 insurer/allow-repayment
days-past-due entry/coop/l3 36500 2026-01-01 insurer/allow-repayment
days-past-due entry/insurer/l1 9 2025-12-01 insurer/allow-repayment
loans-repaid entry/coop/l2 1 2025-12-05 insurer/allow-repayment
loans-repaid entry/insurer/l1 1 2025-12-01 insurer/allow-repayment
own-defaults entry/coop/l2 1 2025-12-05 insurer/allow-repayment
own-defaults entry/coop/l3 0 2026-01-01 insurer/allow-repayment
own-defaults entry/insurer/l1 0 2025-12-01 insurer/allow-repayment
`
	if got != want {
		t.Errorf("the inputs:\n%s", got)
	}
}

// TestJudge: what a score means for an application.
func TestJudge(t *testing.T) {
	standing := []*party.Consent{allowed("participation"), allowed("production"), allowed("repayment"), allowed("trade")}
	withdrawn := append([]*party.Consent{{Withdrawn: noon}}, standing[1:]...)
	plain := scored(t)
	contested := func(indicator, source string) *assessment.Standing {
		s, _, err := plain.Dispute(assessment.DisputeInput{Account: coffee, Household: house, ID: "d1", Indicator: indicator, Lender: "bank", Source: source}, member(), by("moon", "h1"))
		if err != nil {
			t.Fatal(err)
		}
		return &s
	}
	asked := func(units int64) assessment.Asked {
		return assessment.Asked{Amount: cny(units), Exposure: cny(0), Consents: standing}
	}
	low := plain
	low.Score.Points = 49
	for _, c := range []struct {
		name  string
		s     *assessment.Standing
		asked assessment.Asked
		day   tape.Date
		want  string
	}{
		{"no score", nil, asked(1_200_000), today, "refer [no-score] 0 0.00 CNY none"},
		{"enough", &plain, asked(2_000_000), today, "approve [] 70 20000.00 CNY coffee-2026-01-01"},
		{"a unit above the limit", &plain, asked(2_000_001), today, "refer [over-limit] 70 20000.00 CNY coffee-2026-01-01"},
		{"with what is owed", &plain, assessment.Asked{Amount: cny(1_000_000), Exposure: cny(1_000_001), Consents: standing}, today, "refer [over-limit] 70 20000.00 CNY coffee-2026-01-01"},
		{"far above", &plain, asked(3_000_001), today, "refuse [over-limit] 70 20000.00 CNY coffee-2026-01-01"},
		{"too low", &low, asked(1), today, "refuse [score-low] 49 20000.00 CNY coffee-2026-01-01"},
		{"its last day", &plain, asked(1), "2026-01-31", "approve [] 70 20000.00 CNY coffee-2026-01-01"},
		{"too old", &plain, asked(1), "2026-02-01", "refer [score-old] 70 20000.00 CNY coffee-2026-01-01"},
		{"a consent withdrawn", &plain, assessment.Asked{Amount: cny(1), Exposure: cny(0), Consents: withdrawn}, today, "refer [consent-withdrawn] 70 20000.00 CNY coffee-2026-01-01"},
		{"a consent that ended", &plain, asked(1), "2028-01-01", "refer [consent-withdrawn] 70 20000.00 CNY coffee-2026-01-01"},
		{"another currency", &plain, assessment.Asked{Amount: cny(1), Exposure: cny(0), Consents: standing, OtherCurrency: true}, today, "refer [other-currency] 70 20000.00 CNY coffee-2026-01-01"},
		{"without it, less", contested("sales-trend", "attestation/coop/a3"), asked(1), today, "refer [input-contested] 70 20000.00 CNY coffee-2026-01-01"},
		{"and the same above the limit", contested("sales-trend", "attestation/coop/a3"), asked(2_000_001), today, "refer [over-limit] 70 20000.00 CNY coffee-2026-01-01"},
	} {
		a, err := c.s.Judge(c.asked, c.day)
		if got := fmt.Sprintf("%s %v %d %s %s", a.Outcome, a.Reasons, a.Score, a.Limit, a.Model); err != nil || got != c.want {
			t.Errorf("%s: %v\n got %s\nwant %s", c.name, err, got, c.want)
		}
	}
	if _, err := plain.Judge(assessment.Asked{Amount: cny(0), Exposure: cny(0), Consents: standing}, today); err == nil {
		t.Error("an application for nothing was judged")
	}
	if keys := plain.ConsentKeys(); len(keys) != 4 || keys[0] != party.ConsentKey("h1", "bank", "credit", "participation") {
		t.Errorf("the keys of the consents: %v", keys)
	}
}

// TestContestedStays: what is contested stands until it is no longer an input.
func TestContestedStays(t *testing.T) {
	s, entry, err := scored(t).Dispute(assessment.DisputeInput{Account: coffee, Household: house, ID: "d1", Indicator: "meetings-attended", Lender: "bank", Source: "attestation/coop/a1"}, member(), by("moon", "h1"))
	if err != nil || entry.Kind != "dispute-input" || s.Score.Points != 70 || s.Without.Points >= 70 || s.Without.Verify() != nil {
		t.Fatalf("contested: %+v, %v", s, err)
	}
	state := assessing()
	state.Known = &s
	again, _, err := assess().Apply(state, on("2026-01-02", "bank"))
	if err != nil || len(again.Contested) != 1 || again.Without == nil {
		t.Errorf("computed again: %+v, %v", again.Contested, err)
	}
	inputs, _, err := state.Inputs.Retract(assessment.Retract{Account: coffee, Household: house, ID: "r1", Indicator: "meetings-attended", Lender: "bank", Source: "attestation/coop/a1"}, by("coop", "maker"))
	if err != nil {
		t.Fatal(err)
	}
	state.Inputs = &inputs
	if again, _, err = assess().Apply(state, on("2026-01-02", "bank")); err != nil || len(again.Contested) != 0 || again.Without != nil {
		t.Errorf("once it is taken back: %+v, %v", again.Contested, err)
	}
}

// TestPayingNeverLowers: whatever else is known of a household, a guarantor call
// that it has paid in time lowers neither its score nor its limit, and decides
// nothing for the worse; without its consent it is not known.
func TestPayingNeverLowers(t *testing.T) {
	lifted := 0
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 7))
		state := assessing()
		state.Inputs.Inputs = slices.DeleteFunc(state.Inputs.Inputs, func(assessment.Input) bool { return random.IntN(3) == 0 })
		state.Consents = slices.DeleteFunc(state.Consents, func(assessment.Consent) bool { return random.IntN(6) == 0 })
		for i := range random.IntN(4) {
			past := loan.Past{Application: fmt.Sprint("insurer/l", i), Organisation: "bank", Closed: today.AddDays(-random.IntN(900)), DaysPastDueMax: int32(max(0, random.IntN(120)-60))}
			if random.IntN(5) == 0 {
				past.Defaulted = past.Closed.AddDays(-1)
			}
			state.History = append(state.History, past)
		}
		if random.IntN(2) == 0 {
			state.Known = &assessment.Standing{V: 1, Limit: credit.Limit{Amount: cny(1 + random.Int64N(3_000_000))}, LastStep: today.AddDays(-random.IntN(600))}
		}
		if random.IntN(2) == 0 {
			state.LastCall = today.AddDays(-random.IntN(600)) // it is the group's, whoever pays
		}
		for i := range random.IntN(3) {
			state.PaidCalls = append(state.PaidCalls, loan.PaidCall{Made: fmt.Sprint("bank/call-", i), Date: today.AddDays(-random.IntN(2_500))})
		}
		before, _, err := assess().Apply(state, by("bank"))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		state.PaidCalls = append(state.PaidCalls, loan.PaidCall{Made: "bank/call-9", Date: today.AddDays(-random.IntN(2_500))})
		after, _, err := assess().Apply(state, by("bank"))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if after.Score.Points < before.Score.Points || !reflect.DeepEqual(after.Limit, before.Limit) {
			t.Errorf("seed %d: %d points became %d, and %+v became %+v", seed, before.Score.Points, after.Score.Points, before.Limit, after.Limit)
		}
		consented := slices.ContainsFunc(state.Consents, func(one assessment.Consent) bool { return one.About == "repayment" })
		if !consented && after.Score.Points != before.Score.Points {
			t.Errorf("seed %d: it is known without a consent", seed)
		}
		if after.Score.Points > before.Score.Points {
			lifted++
		}
	}
	if lifted < 50 {
		t.Errorf("a paid call lifted %d scores of 400", lifted)
	}
}
