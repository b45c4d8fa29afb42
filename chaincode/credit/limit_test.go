package credit_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/credit"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

func cny(units int64) money.Amount { return money.New(units, "CNY") }

// facts are those of a clean cycle: a limit of 20,000.00 that may grow by 15 %.
func facts() credit.LimitFacts {
	return credit.LimitFacts{Day: day, Limit: cny(2_000_000), ProductCap: cny(10_000_000), GroupShareCap: cny(8_000_000), IncomeCap: cny(6_000_000),
		LastClosed: "2026-11-01", DaysPastDueMax: 7, LastStep: "2026-02-03", MembersRegular: true}
}

// TestLimit: what is changed in a clean cycle, and what becomes of the limit.
func TestLimit(t *testing.T) {
	m := model(t, "coffee")
	for _, c := range []struct {
		name   string
		change func(*credit.LimitFacts)
		want   string
	}{
		{"a clean cycle", func(f *credit.LimitFacts) {}, "23000.00 CNY grown"},
		{"the first", func(f *credit.LimitFacts) {
			f.Limit, f.LastClosed, f.LastStep, f.DaysPastDueMax = cny(0), "", "", 0
		}, "20000.00 CNY first"},
		{"the first, capped", func(f *credit.LimitFacts) {
			f.Limit, f.LastClosed, f.LastStep, f.IncomeCap = cny(0), "", "", cny(100_000)
		}, "1000.00 CNY first capped-by-income"},
		{"rounded down", func(f *credit.LimitFacts) { f.Limit = cny(2_000_003) }, "23000.03 CNY grown"}, // 23,000.0345
		{"eight days late", func(f *credit.LimitFacts) { f.DaysPastDueMax = 8 }, "20000.00 CNY kept past-due"},
		{"no loan paid off", func(f *credit.LimitFacts) { f.LastClosed = "" }, "20000.00 CNY kept no-cycle"},
		{"none since the last step", func(f *credit.LimitFacts) { f.LastClosed = "2026-02-03" }, "20000.00 CNY kept no-cycle"},
		{"one since", func(f *credit.LimitFacts) { f.LastClosed = "2026-02-04" }, "23000.00 CNY grown"},
		{"a season is 300 days", func(f *credit.LimitFacts) { f.LastStep = "2026-02-04" }, "20000.00 CNY kept season"},
		{"a call a year ago to the day", func(f *credit.LimitFacts) { f.LastCall = "2025-11-30" }, "23000.00 CNY grown"},
		{"a call a day less ago", func(f *credit.LimitFacts) { f.LastCall = "2025-12-01" }, "20000.00 CNY kept call-in-group"},
		{"another member is overdue", func(f *credit.LimitFacts) { f.MembersRegular = false }, "20000.00 CNY kept members-irregular"},
		{"all of it", func(f *credit.LimitFacts) {
			f.DaysPastDueMax, f.LastCall, f.MembersRegular, f.LastStep, f.LastClosed = 40, day, false, day, "2026-11-29"
		}, "20000.00 CNY kept no-cycle past-due call-in-group members-irregular season"},
		{"the product's cap", func(f *credit.LimitFacts) { f.ProductCap = cny(2_299_999) }, "22999.99 CNY grown capped-by-product"},
		{"every cap", func(f *credit.LimitFacts) { f.ProductCap, f.GroupShareCap, f.IncomeCap = cny(3), cny(2), cny(1) }, "0.01 CNY grown capped-by-product capped-by-group capped-by-income"},
		{"a cap below what it has", func(f *credit.LimitFacts) { f.GroupShareCap, f.LastClosed = cny(1_000_000), "" }, "10000.00 CNY kept no-cycle capped-by-group"},
		{"an own default", func(f *credit.LimitFacts) { f.LastDefault = "2026-10-01" }, "10000.00 CNY cut own-default"},
		{"an own default, rounded down", func(f *credit.LimitFacts) { f.LastDefault, f.Limit = "2026-10-01", cny(2_000_001) }, "10000.00 CNY cut own-default"},
		{"one that was counted", func(f *credit.LimitFacts) { f.LastDefault, f.LastCut = "2026-10-01", "2026-10-01" }, "20000.00 CNY kept season"},
		{"one since", func(f *credit.LimitFacts) { f.LastDefault, f.LastCut = "2026-10-02", "2026-10-01" }, "10000.00 CNY cut own-default"},
		{"cut to nothing, no new beginning", func(f *credit.LimitFacts) {
			f.Limit, f.LastStep, f.LastCut, f.LastDefault = cny(0), "", "2024-10-01", "2024-10-01"
		}, "0.00 CNY grown"},
	} {
		f := facts()
		c.change(&f)
		limit, err := m.Limit(f)
		got := strings.Join(append([]string{limit.Amount.String(), limit.Change}, limit.Reasons...), " ")
		if err != nil || got != c.want {
			t.Errorf("%s:\n got %s, %v\nwant %s", c.name, got, err, c.want)
		}
	}
}

func TestLimitRefusals(t *testing.T) {
	m := model(t, "coffee")
	ruletest.Refusals(t, facts, func(f credit.LimitFacts) error { _, err := m.Limit(f); return err }, []row[credit.LimitFacts]{
		{func(f *credit.LimitFacts) { f.Day = "" }, "invalid: field day: is not a date"},
		{func(f *credit.LimitFacts) { f.Limit = cny(-1) }, "invalid: field limit: -0.01 CNY is not more than zero"},
		{func(f *credit.LimitFacts) { f.Limit = money.New(1, "USD") }, "invalid: field limit: 0.01 USD is not in CNY"},
		{func(f *credit.LimitFacts) { f.ProductCap = money.Amount{} }, "invalid: field productCap: 0"},
		{func(f *credit.LimitFacts) { f.GroupShareCap = cny(-1) }, "invalid: field groupShareCap: -0.01 CNY is not more than zero"},
		{func(f *credit.LimitFacts) { f.IncomeCap = money.New(1, "VND") }, "invalid: field incomeCap: 1 VND is not in CNY"},
		{func(f *credit.LimitFacts) { f.DaysPastDueMax = -1 }, "invalid: field daysPastDueMax: is -1"},
		{func(f *credit.LimitFacts) { f.LastCall = "2026-13-01" }, "invalid: field lastCall: is not a date"},
		{func(f *credit.LimitFacts) { f.LastClosed = "2026-12-01" }, "invalid: field lastClosed: is 2026-12-01, after 2026-11-30, when the limit is judged"},
		{func(f *credit.LimitFacts) { f.LastCut = "2027-01-01" }, "invalid: field lastCut: is 2027-01-01"},
		{func(f *credit.LimitFacts) { f.LastDefault = "2027-01-01" }, "invalid: field lastDefault: is 2027-01-01"},
		{func(f *credit.LimitFacts) { f.LastStep = "2027-01-01" }, "invalid: field lastStep: is 2027-01-01"},
	})
}

// TestLimitsHold: through random seasons no limit is above a cap, grows by more
// than a fifth, or twice in a season; and after an own default it only falls.
func TestLimitsHold(t *testing.T) {
	changes := map[string]int{}
	everyModel(t, func(source *rand.Rand, m credit.Model) error {
		f, grown := facts(), tape.Date("")
		f.Limit, f.LastStep, f.LastClosed = cny(0), "", ""
		for range 30 {
			f.Day = f.Day.AddDays(1 + source.IntN(200))
			if source.IntN(2) == 0 {
				f.LastClosed, f.DaysPastDueMax = f.Day, source.Int32N(15)
			}
			f.MembersRegular = source.IntN(4) > 0
			if source.IntN(8) == 0 {
				f.LastDefault = f.Day
			}
			if source.IntN(8) == 0 {
				f.LastCall = f.Day
			}
			f.ProductCap, f.GroupShareCap, f.IncomeCap = cny(source.Int64N(20_000_000)), cny(source.Int64N(20_000_000)), cny(source.Int64N(20_000_000))
			limit, err := m.Limit(f)
			if err != nil {
				return err
			}
			changes[limit.Change]++
			units := limit.Amount.Units
			switch {
			case units > min(f.ProductCap.Units, f.GroupShareCap.Units, f.IncomeCap.Units):
				return fmt.Errorf("%s is above a cap: %+v", limit.Amount, f)
			case limit.Change != credit.LimitFirst && units > f.Limit.Units && limit.Change != credit.LimitGrown:
				return fmt.Errorf("%s is %s: %+v", limit.Amount, limit.Change, f)
			case limit.Change == credit.LimitGrown && units*5 > f.Limit.Units*6:
				return fmt.Errorf("%s became %s", f.Limit, limit.Amount)
			case limit.Change == credit.LimitGrown && grown != "" && grown.DaysUntil(f.Day) < int(m.Limits.SeasonDays):
				return fmt.Errorf("it grew on %s and on %s", grown, f.Day)
			case f.LastDefault == f.Day && (limit.Change != credit.LimitCut || units*2 > f.Limit.Units):
				return fmt.Errorf("after a default %s became %s", f.Limit, limit.Amount)
			}
			f.Limit = limit.Amount
			switch limit.Change {
			case credit.LimitGrown, credit.LimitFirst:
				f.LastStep, grown = f.Day, f.Day
			case credit.LimitCut:
				f.LastCut = f.Day
			}
		}
		return nil
	})
	for _, change := range []string{credit.LimitFirst, credit.LimitGrown, credit.LimitKept, credit.LimitCut} {
		if changes[change] == 0 {
			t.Errorf("no limit was ever %s", change)
		}
	}
}

// TestDecide: verdicts by the coffee table, approve from 70 points and 6 known indicators, refer from 50 and 3.
func TestDecide(t *testing.T) {
	m := model(t, "coffee")
	for _, c := range []struct {
		name   string
		drop   int // inputs of the household in world_test.go that are left out, from the end
		points int32
		asked  credit.Application
		want   string
	}{
		{"all is reached", 0, 70, credit.Application{Amount: cny(1_000_000), Exposure: cny(1_000_000), Limit: cny(2_000_000)}, "approve"},
		{"a unit above the limit", 0, 73, credit.Application{Amount: cny(1_000_001), Exposure: cny(1_000_000), Limit: cny(2_000_000)}, "refer over-limit 2000001/2000000"},
		{"half as much again", 0, 73, credit.Application{Amount: cny(2_000_000), Exposure: cny(1_000_000), Limit: cny(2_000_000)}, "refer over-limit 3000000/2000000"},
		{"a unit above that", 0, 73, credit.Application{Amount: cny(2_000_001), Exposure: cny(1_000_000), Limit: cny(2_000_000)}, "refuse over-limit 3000001/3000000"},
		{"no limit", 0, 100, credit.Application{Amount: cny(1), Exposure: cny(0), Limit: cny(0)}, "refuse over-limit 1/0"},
		{"a point short", 0, 69, credit.Application{Amount: cny(1), Exposure: cny(0), Limit: cny(1)}, "refer score-low 69/70"},
		{"the least to refer", 0, 50, credit.Application{Amount: cny(1), Exposure: cny(0), Limit: cny(1)}, "refer score-low 50/70"},
		{"a point less", 0, 49, credit.Application{Amount: cny(1), Exposure: cny(0), Limit: cny(1)}, "refuse score-low 49/50"},
		{"little is known", 5, 70, credit.Application{Amount: cny(1), Exposure: cny(0), Limit: cny(1)}, "refer thin-file 5/6"},
		{"too little is known", 9, 70, credit.Application{Amount: cny(1), Exposure: cny(0), Limit: cny(1)}, "refuse thin-file 2/3"},
		{"everything is short", 11, 10, credit.Application{Amount: cny(3), Exposure: cny(0), Limit: cny(1)}, "refuse score-low 10/50 over-limit 3/1 thin-file 0/3"},
	} {
		r := grower(t)
		r.Inputs = append(r.Inputs[:len(r.Inputs)-c.drop], input(t, m, credit.CallPaid, 1, day, 1)) // a bonus is nothing known
		score, err := m.Score(r)
		if err != nil {
			t.Fatal(err)
		}
		score.Points = c.points
		decision, err := m.Decide(score, c.asked)
		got := string(decision.Verdict)
		for _, reason := range decision.Reasons {
			got += fmt.Sprintf(" %s %d/%d", reason.Code, reason.Is, reason.Needed)
		}
		if err != nil || got != c.want || decision.Model != m.ID {
			t.Errorf("%s:\n got %s, %v\nwant %s", c.name, got, err, c.want)
		}
	}
}

type applied struct {
	S credit.Score
	A credit.Application
}

func TestDecideRefusals(t *testing.T) {
	m := model(t, "coffee")
	ruletest.Refusals(t, func() applied {
		score, err := m.Score(grower(t))
		if err != nil {
			t.Fatal(err)
		}
		return applied{score, credit.Application{Amount: cny(1), Exposure: cny(0), Limit: cny(2)}}
	}, func(s applied) error { _, err := m.Decide(s.S, s.A); return err }, []row[applied]{
		{func(s *applied) { s.S.Model = "livestock-2026-01-01" }, "conflict: field model: is not coffee-2026-01-01, by which the score was computed"},
		{func(s *applied) { s.A.Amount = cny(0) }, "invalid: field amount: 0.00 CNY is not more than zero"},
		{func(s *applied) { s.A.Amount = money.New(1, "USD") }, "invalid: field amount: 0.01 USD is not in CNY"},
		{func(s *applied) { s.A.Exposure = cny(-1) }, "invalid: field exposure: -0.01 CNY is not more than zero"},
		{func(s *applied) { s.A.Limit = money.New(1, "USD") }, "invalid: field limit: 0.01 USD is not in CNY"},
	})
}
