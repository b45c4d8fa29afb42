package credit_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/credit"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestScoreByHand: the household of world_test.go and what changes it, computed on paper.
//
//	community  7+3+8    of 10+6+8        18/24 of 30 = 22.5
//	stability  8+8+4+3  of 10+12+6+6     23/34 of 40 = 27.06
//	reputation 12+5     of 14+8          17/22 of 30 = 23.18    together 72.74
func TestScoreByHand(t *testing.T) {
	m := model(t, "coffee")
	for _, c := range []struct {
		name   string
		change func(*credit.Request)
		want   string
	}{
		{"as it is", func(r *credit.Request) {}, "community 18/24, stability 23/34, reputation 17/22, 73"},
		{"nothing is known", func(r *credit.Request) { r.Inputs = nil }, "community 0/16, stability 0/22, reputation 0/8, 0"},
		{"a neutral indicator that is bad", func(r *credit.Request) {
			r.Inputs = append(r.Inputs, input(t, m, "own-defaults", 1, "2026-04-01", 1))
		}, "community 18/24, stability 23/34, reputation 17/30, 67"}, // 22.5 + 27.06 + 17
		{"the latest counts", func(r *credit.Request) {
			r.Inputs = append(r.Inputs, input(t, m, "meetings-attended", 2, "2026-07-01", 100_000))
		}, "community 11/24, stability 23/34, reputation 17/22, 64"}, // 13.75 + 27.06 + 23.18
		{"an older one does not", func(r *credit.Request) {
			r.Inputs = append(r.Inputs, input(t, m, "meetings-attended", 2, "2026-06-29", 100_000))
		}, "community 18/24, stability 23/34, reputation 17/22, 73"},
		{"of one day the better one", func(r *credit.Request) {
			r.Inputs = append(r.Inputs, input(t, m, "meetings-attended", 2, "2026-06-30", 100_000))
		}, "community 18/24, stability 23/34, reputation 17/22, 73"},
		{"the worst delay counts", func(r *credit.Request) {
			r.Inputs = append(r.Inputs, input(t, m, "days-past-due", 2, "2024-04-01", 95))
		}, "community 18/24, stability 23/34, reputation 5/22, 56"}, // 22.5 + 27.06 + 6.82
		{"a call paid fills the gap", func(r *credit.Request) {
			r.Inputs = append(r.Inputs, input(t, m, credit.CallPaid, 1, "2026-05-01", 1))
		}, "community 18/24, stability 23/34, reputation 17/22+6, 80"}, // 22.5 + 27.06 + 30
		{"a mean is rounded down", func(r *credit.Request) {
			r.Inputs = slices.DeleteFunc(r.Inputs, func(i credit.Input) bool { return i.Indicator == "delivery-kept" })
			r.Inputs = append(r.Inputs, input(t, m, "delivery-kept", 1, "2026-02-01", 950_000), input(t, m, "delivery-kept", 2, "2026-02-02", 949_999))
		}, "community 18/24, stability 23/34, reputation 17/22, 73"}, // 949,999.5 is no 950,000
		{"half a point up", func(r *credit.Request) {
			r.Inputs = r.Inputs[:3]
		}, "community 18/24, stability 0/22, reputation 0/8, 23"}, // 22.5
	} {
		r := grower(t)
		c.change(&r)
		score, err := m.Score(r)
		if err != nil || told(score) != c.want {
			t.Errorf("%s:\n got %s, %v\nwant %s", c.name, told(score), err, c.want)
		}
	}
}

// TestRoundedOnce: parts that were rounded one by one would be off.
func TestRoundedOnce(t *testing.T) {
	part := func(weight, points, of int32) credit.FactorPoints {
		return credit.FactorPoints{Weight: weight, Points: points, Of: of}
	}
	for _, c := range []struct {
		factors []credit.FactorPoints
		want    int32
	}{
		{[]credit.FactorPoints{part(30, 1, 20), part(40, 1, 80), part(30, 0, 1)}, 2},       // 1.5 + 0.5: two halves are one, not two
		{[]credit.FactorPoints{part(30, 1, 24), part(40, 1, 32), part(30, 1, 24)}, 4},      // three times 1.25 is 3.75
		{[]credit.FactorPoints{part(30, 1, 90), part(40, 1, 120), part(30, 1, 90)}, 1},     // three thirds
		{[]credit.FactorPoints{part(30, 29, 30), part(40, 40, 40), part(30, 45, 90)}, 84},  // 29 + 40 + 15
		{[]credit.FactorPoints{part(30, 30, 30), part(40, 40, 40), part(30, 30, 30)}, 100}, // all
		{[]credit.FactorPoints{{Weight: 30, Points: 20, Bonus: 10, Of: 25}, part(40, 0, 40), part(30, 0, 30)}, 30},
		{[]credit.FactorPoints{part(30, 49, 100), part(40, 0, 100), part(30, 0, 100)}, 15}, // 14.7
		{[]credit.FactorPoints{part(30, 1, 61), part(40, 0, 1), part(30, 0, 1)}, 0},        // 0.4918
	} {
		if got := credit.Rounded(c.factors); got != c.want {
			t.Errorf("%+v = %d, want %d", c.factors, got, c.want)
		}
	}
}

// TestReasons: each line says why it has its points, and what it rests on.
func TestReasons(t *testing.T) {
	m, r := model(t, "coffee"), grower(t)
	r.Inputs = append(r.Inputs,
		input(t, m, "shared-work", 1, "2025-10-26", 5), // 400 days ago: one too many
		input(t, m, "own-defaults", 1, "2026-04-01", 1),
		input(t, m, credit.CallPaid, 1, "2026-05-01", 1))
	r.Inputs = slices.DeleteFunc(r.Inputs, func(i credit.Input) bool { return i.Indicator == "seasons-delivered" })
	r.Day = "2026-12-01"
	score, err := m.Score(r)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"meetings-attended part 7/10 800000 entry/coop/meetings-attended-1",
		"training-completed part 3/6 1 entry/coop/training-completed-1",
		"shared-work expired 0/0 0 too old: entry/coop/shared-work-1",
		"agreement-breaches full 8/8 0 entry/coop/agreement-breaches-1",
		"seasons-delivered missing 0/10 0",
		"delivery-kept part 8/12 850000 entry/coop/delivery-kept-1 entry/coop/delivery-kept-2",
		"first-grade missing 0/0 0",
		"sales-trend part 4/6 950000 entry/coop/sales-trend-1",
		"canopy-index part 3/6 900000 attestation/coop/canopy-index-1",
		"days-past-due part 12/14 3 entry/coop/days-past-due-1",
		"loans-repaid part 5/8 2 entry/coop/loans-repaid-1 entry/coop/loans-repaid-2",
		"own-defaults nothing 0/8 1 entry/coop/own-defaults-1",
		"call-paid bonus 6/0 1 entry/coop/call-paid-1",
	}
	var got []string
	for _, o := range score.Indicators {
		line := fmt.Sprintf("%s %s %d/%d %d", o.Indicator, o.Code, o.Points, o.Of, o.Value)
		for _, source := range o.Sources {
			line += " " + source
		}
		for _, source := range o.Expired {
			line += " too old: " + source
		}
		got = append(got, line)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestExpiry: an input counts up to the last of its days, and no longer.
func TestExpiry(t *testing.T) {
	m := model(t, "coffee")
	for _, c := range []struct {
		days int
		code string
	}{{0, credit.Full}, {200, credit.Full}, {201, credit.Expired}} {
		r := asking(m)
		r.Inputs = []credit.Input{input(t, m, "canopy-index", 1, day.AddDays(-c.days), 1_000_000)}
		score, err := m.Score(r)
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(score.Indicators, func(o credit.IndicatorOutcome) bool { return o.Indicator == "canopy-index" })
		if got := score.Indicators[at].Code; got != c.code {
			t.Errorf("after %d days it is %s, want %s", c.days, got, c.code)
		}
	}
}

// TestCombine: what several inputs make, of one kind each.
func TestCombine(t *testing.T) {
	for _, c := range []struct {
		combine string
		values  []int32 // of three days that follow one another
		want    int64
	}{
		{"sum", []int32{3, 1, 2}, 6}, {"most", []int32{1, 3, 2}, 3}, {"least", []int32{2, 1, 3}, 1},
		{"mean", []int32{1, 3, 4}, 2}, {"latest", []int32{3, 1, 2}, 2}, {"sum", []int32{1<<31 - 1, 1<<31 - 1, 1}, 1<<32 - 1},
	} {
		m := model(t, "coffee")
		m.Factors[0].Indicators[0].Combine, m.Factors[0].Indicators[0].ValueMax = c.combine, 1<<31-1
		r := asking(m)
		for i, value := range c.values {
			r.Inputs = append(r.Inputs, input(t, m, "meetings-attended", i, tape.Date("2026-06-01").AddDays(i), value))
		}
		score, err := m.Score(r)
		if err != nil || score.Indicators[0].Value != c.want {
			t.Errorf("%s of %v = %d, %v, want %d", c.combine, c.values, score.Indicators[0].Value, err, c.want)
		}
	}
}

// TestVerify: a recorded score is computed again from itself, and no part of it can be changed.
func TestVerify(t *testing.T) {
	m := model(t, "coffee")
	allowed := func() credit.Score {
		score, err := m.Score(grower(t))
		if err != nil {
			t.Fatal(err)
		}
		var read credit.Score
		if err := canonical.Decode([]byte(spelled(t, score)), &read); err != nil {
			t.Fatal(err)
		}
		return read
	}
	ruletest.Refusals(t, allowed, credit.Score.Verify, []row[credit.Score]{
		{func(s *credit.Score) { s.V = 2 }, "unsupported: field v: is not 1"},
		{func(s *credit.Score) { s.Model = "coffee-1999-01-01" }, "unsupported: field model: is none of the credit models"},
		{func(s *credit.Score) { s.Model = "livestock-2026-01-01" }, "not-found: field request.inputs["},
		{func(s *credit.Score) { s.Points = 99 }, "conflict: the score is recorded as 99 points, and computed again from what it names it is 73"},
		{func(s *credit.Score) { s.Factors[1].Points++ }, "conflict: the score is recorded as 73 points"},
		{func(s *credit.Score) { s.Indicators[0].Code = credit.Full }, "conflict: the score is recorded as 73 points"},
		{func(s *credit.Score) { s.Request.Inputs[0].Value++ }, "conflict: the score is recorded as 73 points"},
		{func(s *credit.Score) { slices.Reverse(s.Request.Inputs) }, "conflict: the score is recorded as 73 points"},
		{func(s *credit.Score) { s.Request.Consents[0].Withdrawn = day }, "forbidden: field request.inputs["},
	})
}

// TestDispute: what one input does, and that nothing else is touched.
func TestDispute(t *testing.T) {
	m := model(t, "coffee")
	for _, c := range []struct {
		indicator     string
		n             int
		with, without int32
	}{
		{"days-past-due", 1, 73, 68},     // without it reputation is 5/8 of 30 = 18.75: who contests a good input loses by it
		{"meetings-attended", 1, 73, 64}, // missing counts as zero
		{"delivery-kept", 2, 73, 73},     // 900,000 alone has the same points as the mean
		{"canopy-index", 1, 73, 74},      // neutral: 20/28 of 40
	} {
		r := grower(t)
		source := fmt.Sprintf("%s/coop/%s-%d", indicatorOf(t, m, c.indicator).Evidence[0], c.indicator, c.n)
		d, err := m.Dispute(r, c.indicator, source)
		if err != nil || d.With.Points != c.with || d.Without.Points != c.without || d.Input.Source != source {
			t.Errorf("%s: %d, %d, %v, want %d, %d", c.indicator, d.With.Points, d.Without.Points, err, c.with, c.without)
		}
		if len(d.With.Request.Inputs) != len(d.Without.Request.Inputs)+1 || len(r.Inputs) != len(grower(t).Inputs) {
			t.Errorf("%s: the dispute is about more than one input", c.indicator)
		}
		if err := d.Without.Verify(); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct{ indicator, source, want string }{
		{"days-past-due", "entry/coop/other", "not-found: field source: is none of the sources of that indicator"},
		{"sales-trend", "entry/coop/days-past-due-1", "not-found: field source"},
	} {
		if _, err := m.Dispute(grower(t), c.indicator, c.source); !strings.HasPrefix(fmt.Sprint(err), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	r := grower(t)
	r.Person = "another"
	if _, err := m.Dispute(r, "days-past-due", "entry/coop/days-past-due-1"); !strings.HasPrefix(fmt.Sprint(err), "forbidden: field inputs[0].consent") {
		t.Errorf("a dispute used data without consent: %v", err)
	}
}

// random draws inputs of a model, some too old, some doubled, in no order.
func random(t testing.TB, source *rand.Rand, m credit.Model) credit.Request {
	r := asking(m)
	for _, factor := range m.Factors {
		for _, indicator := range factor.Indicators {
			for n := range source.IntN(4) {
				steps := indicator.Points
				value := min(indicator.ValueMax, steps[source.IntN(len(steps))].From+source.Int32N(3))
				r.Inputs = append(r.Inputs, input(t, m, indicator.Indicator, n, day.AddDays(-source.IntN(int(indicator.ExpiryDays)*5/4)), value))
			}
		}
	}
	source.Shuffle(len(r.Inputs), func(i, j int) { r.Inputs[i], r.Inputs[j] = r.Inputs[j], r.Inputs[i] })
	return r
}

// TestScoresHold: over all models and random households the score is what its
// lines say, between 0 and 100, the same in every order, and computable again.
func TestScoresHold(t *testing.T) {
	everyModel(t, func(source *rand.Rand, m credit.Model) error {
		r := random(t, source, m)
		score, err := m.Score(r)
		if err != nil {
			return err
		}
		exact := new(big.Rat)
		for _, factor := range score.Factors {
			points, of, bonus := int64(0), int64(0), int64(0)
			for _, o := range score.Indicators {
				switch {
				case o.Factor != factor.Factor:
				case o.Code == credit.Bonus:
					bonus += int64(o.Points)
				default:
					points, of = points+int64(o.Points), of+int64(o.Of)
				}
			}
			exact.Add(exact, big.NewRat(int64(factor.Weight)*min(points+bonus, of), of))
		}
		// Rounded half up: points <= exact + 1/2 < points + 1.
		exact.Add(exact, big.NewRat(1, 2))
		if points := big.NewRat(int64(score.Points), 1); points.Cmp(exact) > 0 || exact.Cmp(new(big.Rat).Add(points, big.NewRat(1, 1))) >= 0 || score.Points < 0 || score.Points > 100 {
			return fmt.Errorf("%d is not %s rounded", score.Points, exact)
		}
		source.Shuffle(len(r.Inputs), func(i, j int) { r.Inputs[i], r.Inputs[j] = r.Inputs[j], r.Inputs[i] })
		slices.Reverse(r.Consents)
		again, err := m.Score(r)
		if err != nil || spelled(t, again) != spelled(t, score) {
			return fmt.Errorf("in another order it is another record: %v", err)
		}
		return score.Verify()
	})
}

// TestPayingACallNeverLowersAScore: whatever else is known, one more call that
// was paid leaves the score as it is or lifts it; and it takes no better value's place.
func TestPayingACallNeverLowersAScore(t *testing.T) {
	lifted := 0
	everyModel(t, func(source *rand.Rand, m credit.Model) error {
		r := random(t, source, m)
		before, err := m.Score(r)
		if err != nil {
			return err
		}
		paid := input(t, m, credit.CallPaid, 100, day.AddDays(-source.IntN(2_000)), source.Int32N(3))
		r.Inputs = append(r.Inputs, paid)
		after, err := m.Score(r)
		if err != nil {
			return err
		}
		if after.Points < before.Points {
			return fmt.Errorf("%d became %d by %+v", before.Points, after.Points, paid)
		}
		for i, o := range after.Indicators {
			if o.Points < before.Indicators[i].Points || o.Indicator != credit.CallPaid && fmt.Sprint(o) != fmt.Sprint(before.Indicators[i]) {
				return fmt.Errorf("%+v became %+v by %+v", before.Indicators[i], o, paid)
			}
		}
		if after.Points > before.Points {
			lifted++
		}
		return nil
	})
	if lifted == 0 {
		t.Error("no call that was paid lifted any score")
	}
}

// everyModel tries a property on random households of each model.
func everyModel(t *testing.T, holds func(*rand.Rand, credit.Model) error) {
	t.Helper()
	steps := ruletest.Setting(t, "LIANBAO_STEPS", 200)
	seed := ruletest.Setting(t, "LIANBAO_SEED", uint64(time.Now().UnixNano()))
	for _, m := range models(t) {
		for n := range steps {
			if err := holds(rand.New(rand.NewPCG(seed+n, 11)), m); err != nil {
				t.Fatalf("LIANBAO_SEED=%d LIANBAO_STEPS=1: %s: %v", seed+n, m.ID, err)
			}
		}
	}
}

func ExampleModel_Score() {
	m, err := credit.ModelOn("coffee", "2026-11-30")
	if err != nil {
		fmt.Println(err)
		return
	}
	score, err := m.Score(credit.Request{Day: "2026-11-30", Household: household, Person: "person-1", Organisation: "bank",
		Consents: []credit.Consent{{Reference: "coop/consent-1", Person: "person-1", Organisation: "bank", Purpose: "credit", About: "trade", From: "2026-01-15", Until: "2027-01-14"}},
		Inputs:   []credit.Input{{Indicator: "seasons-delivered", Value: 5, Day: "2026-02-01", Source: "entry/coop/season-2026", Consent: "coop/consent-1"}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, factor := range score.Factors {
		fmt.Printf("%s: %d of %d, weight %d\n", factor.Factor, factor.Points, factor.Of, factor.Weight)
	}
	fmt.Println(score.Points, "points")
	// Output:
	// community: 0 of 16, weight 30
	// stability: 10 of 22, weight 40
	// reputation: 0 of 8, weight 30
	// 18 points
}
