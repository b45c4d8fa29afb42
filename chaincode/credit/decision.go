package credit

import (
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// Million is the whole of a limit in parts per million.
const Million = 1_000_000

// DecisionTable says what is approved at once and what people look at; everything else is refused.
type DecisionTable struct {
	Approve Threshold `json:"approve"`
	Refer   Threshold `json:"refer"`
	// ScoreDays is how long a score decides at once; an older one is referred to people.
	ScoreDays int32 `json:"scoreDays"`
}

// Threshold is what an application must reach.
type Threshold struct {
	// KnownMin is of how many indicators something must be known, bonuses apart.
	KnownMin int32 `json:"knownMin"`
	// LimitPartsPerMillion is how much of the limit the new loan and what is owed
	// already may be together; people may look at more than the whole.
	LimitPartsPerMillion int32 `json:"limitPartsPerMillion"`
	ScoreMin             int32 `json:"scoreMin"`
}

func (t Threshold) check() error {
	return rule.First(rule.Field("knownMin", rule.Within(int64(t.KnownMin), 0, 3*indicatorsMax)),
		rule.Field("limitPartsPerMillion", rule.Within(int64(t.LimitPartsPerMillion), 0, 2*Million)), rule.Field("scoreMin", rule.Within(int64(t.ScoreMin), 0, whole)))
}

func (d DecisionTable) check() error {
	if err := rule.First(rule.Field("approve", d.Approve.check()), rule.Field("refer", d.Refer.check()), rule.Field("scoreDays", rule.Within(int64(d.ScoreDays), 1, 366))); err != nil {
		return err
	}
	if d.Approve.LimitPartsPerMillion > Million {
		return rule.Field("approve", rule.Field("limitPartsPerMillion", rule.Refuse(rule.Invalid, "is %d; nothing above the limit is approved without people", d.Approve.LimitPartsPerMillion)))
	}
	if d.Refer.KnownMin > d.Approve.KnownMin || d.Refer.LimitPartsPerMillion < d.Approve.LimitPartsPerMillion || d.Refer.ScoreMin > d.Approve.ScoreMin {
		return rule.Field("refer", rule.Refuse(rule.Invalid, "asks for more than approve"))
	}
	return nil
}

// Verdict is what becomes of an application at once.
type Verdict string

// The three verdicts.
const (
	Approve Verdict = "approve"
	Refer   Verdict = "refer"
	Refuse  Verdict = "refuse"
)

// The codes by which a decision says what was not reached.
const (
	ScoreLow  = "score-low"
	OverLimit = "over-limit"
	ThinFile  = "thin-file"
)

// DecisionCodes lists them.
func DecisionCodes() []string { return []string{ScoreLow, OverLimit, ThinFile} }

// Application is what is asked.
type Application struct {
	Amount money.Amount `json:"amount"`
	// Exposure is what the household owes already, by whatever loan.
	Exposure money.Amount `json:"exposure"`
	Limit    money.Amount `json:"limit"`
}

// Decision is a verdict with its reasons: what keeps it from the better one.
type Decision struct {
	Model   string   `json:"model"`
	Reasons []Reason `json:"reasons"`
	Verdict Verdict  `json:"verdict"`
}

// Reason is a threshold that was not reached: what is, and what had to be.
type Reason struct {
	Code string `json:"code"`
	// Is and Needed are points, or indicators, or minor units.
	Is     int64 `json:"is,string"`
	Needed int64 `json:"needed,string"`
}

// Decide judges an application by the model's table: approved where all is
// reached that approve asks for, referred to people where all is that refer does, else refused.
func (m Model) Decide(s Score, a Application) (Decision, error) {
	if s.Model != m.ID {
		return Decision{}, rule.Field("model", rule.Refuse(rule.Conflict, "is not %s, by which the score was computed", m.ID))
	}
	currency := m.Limits.First.Currency
	if err := rule.First(rule.Field("amount", a.Amount.Positive(currency)), rule.Field("exposure", amountOf(a.Exposure, currency)), rule.Field("limit", amountOf(a.Limit, currency))); err != nil {
		return Decision{}, err
	}
	decision := Decision{Model: m.ID, Reasons: []Reason{}, Verdict: Approve}
	if lacks := m.Decisions.Approve.lacks(s, a); len(lacks) > 0 {
		decision.Verdict, decision.Reasons = Refer, lacks
	}
	if lacks := m.Decisions.Refer.lacks(s, a); len(lacks) > 0 {
		decision.Verdict, decision.Reasons = Refuse, lacks
	}
	return decision, nil
}

// lacks lists what an application does not reach.
func (t Threshold) lacks(s Score, a Application) []Reason {
	var lacks []Reason
	if s.Points < t.ScoreMin {
		lacks = append(lacks, Reason{ScoreLow, int64(s.Points), int64(t.ScoreMin)})
	}
	parts := int64(t.LimitPartsPerMillion)
	upTo, _ := money.Portion(a.Limit.Units, parts%Million, Million)
	upTo += a.Limit.Units * (parts / Million) // twice at most
	if together := a.Amount.Units + a.Exposure.Units; together > upTo {
		lacks = append(lacks, Reason{OverLimit, together, upTo})
	}
	if known := s.known(); known < t.KnownMin {
		lacks = append(lacks, Reason{ThinFile, int64(known), int64(t.KnownMin)})
	}
	return lacks
}

// known counts the indicators of which something is known.
func (s Score) known() (count int32) {
	for _, outcome := range s.Indicators {
		if len(outcome.Sources) > 0 && outcome.Code != Bonus {
			count++
		}
	}
	return count
}
