package assessment_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lianbao/lianbao/chaincode/assessment"
	"github.com/lianbao/lianbao/chaincode/credit"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// simulated is one household that is attested about, scored and contests, while it consents or not and repays or not.
type simulated struct {
	random  *rand.Rand
	day     tape.Date
	serial  int
	state   assessment.AssessState
	known   *assessment.Standing
	bearing int64
}

// invariants hold after every step.
var invariants = []struct {
	name  string
	holds func(s *simulated) error
}{
	{"a score is computed again from what it names", func(s *simulated) error {
		if s.known == nil {
			return nil
		}
		if s.known.Without != nil {
			if err := s.known.Without.Verify(); err != nil {
				return err
			}
		}
		return s.known.Score.Verify()
	}},
	{"every input has a consent, and a source of its own", func(s *simulated) error {
		if s.known == nil {
			return nil
		}
		for _, i := range s.known.Score.Request.Inputs {
			if !slices.ContainsFunc(s.known.Score.Request.Consents, func(c credit.Consent) bool { return c.Reference == i.Consent && c.Until >= s.known.Date }) {
				return fmt.Errorf("%s rests on no consent", i.Source)
			}
		}
		return nil
	}},
	{"what is contested is an input, and not in the score beside it", func(s *simulated) error {
		if s.known == nil || s.known.Without == nil {
			return nil
		}
		for _, c := range s.known.Contested {
			same := func(i credit.Input) bool { return i.Indicator == c.Indicator && i.Source == c.Source }
			if !slices.ContainsFunc(s.known.Score.Request.Inputs, same) || slices.ContainsFunc(s.known.Without.Request.Inputs, same) {
				return fmt.Errorf("%s of %s", c.Source, c.Indicator)
			}
		}
		return nil
	}},
	{"contested inputs and the score without them stand together", func(s *simulated) error {
		if s.known != nil && (s.known.Without == nil) != (len(s.known.Contested) == 0) {
			return fmt.Errorf("%d contested", len(s.known.Contested))
		}
		return nil
	}},
	{"no limit is above what group and income bear", func(s *simulated) error {
		if s.known != nil && s.known.Limit.Amount.Units > min(s.bearing, 4_000_000) {
			return fmt.Errorf("%s", s.known.Limit.Amount)
		}
		return nil
	}},
	{"no more inputs stand than may", func(s *simulated) error {
		if n := len(s.state.Inputs.Inputs); n > assessment.InputsMax {
			return fmt.Errorf("%d", n)
		}
		return nil
	}},
}

// attest says something that the cooperative may say.
func (s *simulated) attest() error {
	c := attest([]string{"meetings-attended", "training-completed", "shared-work", "sales-trend"}[s.random.IntN(4)], int32(s.random.IntN(100)))
	s.serial++
	c.ID, c.Day, c.Attestation[0], c.Attestation[1] = tape.ID(fmt.Sprint("a", s.serial)), s.day.AddDays(-s.random.IntN(500)), byte(s.serial), byte(s.serial>>8)
	consent := s.state.Consents[0]
	if c.Indicator == "sales-trend" {
		consent = s.state.Consents[1]
	}
	inputs, _, err := c.Apply(assessment.AttestState{Scheme: scheme(), Industry: "coffee", Member: member(), Consent: &consent.Consent, Known: s.state.Inputs}, on(s.day, "coop", "maker"))
	if err == nil {
		s.state.Inputs = &inputs
	}
	return err
}

// consent turns one consent on or off.
func (s *simulated) consent() error {
	c := &s.state.Consents[s.random.IntN(4)]
	if c.Withdrawn == 0 {
		c.Withdrawn = on(s.day, "bank").At
	} else {
		c.Withdrawn, c.From = 0, s.day
	}
	return nil
}

// repay ends a loan, late or in default now and then.
func (s *simulated) repay() error {
	s.serial++
	past := loan.Past{Application: fmt.Sprint("insurer/l", s.serial), Organisation: []string{"bank", "union"}[s.random.IntN(2)], Closed: s.day, DaysPastDueMax: int32(max(0, s.random.IntN(60)-30))}
	if s.random.IntN(8) == 0 {
		past.Defaulted = s.day.AddDays(-5)
	}
	s.state.History = append(s.state.History, past)
	return nil
}

func (s *simulated) assess() error {
	c := assess()
	c.IncomeMax = cny(int64(1 + s.random.IntN(6_000_000)))
	s.state.Known = s.known
	next, _, err := c.Apply(s.state, on(s.day, "bank", "maker", "checker"))
	if err == nil {
		s.known, s.bearing = &next, c.IncomeMax.Units
	}
	return err
}

// one is an input of the score, chosen at random.
func (s *simulated) one() credit.Input {
	if s.known == nil || len(s.known.Score.Request.Inputs) == 0 {
		return credit.Input{}
	}
	return s.known.Score.Request.Inputs[s.random.IntN(len(s.known.Score.Request.Inputs))]
}

func (s *simulated) contest() error {
	if s.known == nil {
		return nil
	}
	i := s.one()
	next, _, err := s.known.Dispute(assessment.DisputeInput{Account: coffee, Household: house, ID: "d", Indicator: i.Indicator, Lender: "bank", Source: i.Source}, member(), on(s.day, "moon", "h1"))
	if err == nil {
		s.known = &next
	}
	return err
}

func (s *simulated) retract() error {
	i := s.one()
	inputs, _, err := s.state.Inputs.Retract(assessment.Retract{Account: coffee, Household: house, ID: "r", Indicator: i.Indicator, Lender: "bank", Source: i.Source}, on(s.day, "coop", "maker"))
	if err == nil {
		s.state.Inputs = &inputs
	}
	return err
}

// TestSimulation takes random steps and asks all invariants after each.
func TestSimulation(t *testing.T) {
	seed, steps := ruletest.Setting(t, "LIANBAO_SEED", 1), ruletest.Setting(t, "LIANBAO_STEPS", 400)
	s := &simulated{random: rand.New(rand.NewPCG(seed, 5)), day: today, state: assessing()}
	for i := range s.state.Consents {
		s.state.Consents[i].Until = "2100-12-31"
	}
	kinds := []string{"attest", "consent", "repay", "assess", "contest", "retract"}
	moves := []func() error{s.attest, s.consent, s.repay, s.assess, s.contest, s.retract}
	done := map[string]int{}
	for step := range steps {
		s.day = s.day.AddDays(s.random.IntN(4))
		at := s.random.IntN(len(moves))
		if moves[at]() == nil {
			done[kinds[at]]++
		}
		if len(s.state.History) > 60 {
			s.state.History = s.state.History[1:]
		}
		for _, invariant := range invariants {
			if err := invariant.holds(s); err != nil {
				t.Fatalf("seed %d, step %d, %s: %s: %v", seed, step, kinds[at], invariant.name, err)
			}
		}
	}
	for _, kind := range kinds {
		if done[kind] == 0 {
			t.Errorf("seed %d: nothing was done by %s", seed, kind)
		}
	}
	t.Logf("seed %d, %d steps: %v", seed, steps, done)
}
