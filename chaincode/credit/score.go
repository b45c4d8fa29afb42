package credit

import (
	"bytes"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Limits of one request.
const (
	InputsMax   = 512
	ConsentsMax = 64
)

// Input is one recorded fact about a household.
type Input struct {
	// Consent is the reference of the consent under which it is used.
	Consent string `json:"consent"`
	// Day is the civil day to which the value belongs: when it was measured, or when what it tells of ended.
	Day       tape.Date `json:"day"`
	Indicator string    `json:"indicator"`
	// Source is where it stands: entry/<organisation>/<id> or attestation/<organisation>/<id>.
	Source string `json:"source"`
	// Value is in the indicator's unit.
	Value int32 `json:"value"`
}

// Consent is what the household's person allowed, as it stood on the day of the score.
type Consent struct {
	About string `json:"about"`
	// From is the first day on which it stands, Until the last.
	From         tape.Date `json:"from"`
	Organisation string    `json:"organisation"`
	Person       tape.ID   `json:"person"`
	Purpose      string    `json:"purpose"`
	// Reference is the entry that gave it.
	Reference string    `json:"reference"`
	Until     tape.Date `json:"until"`
	// Withdrawn is the day from which it no longer stands; none while it does.
	Withdrawn tape.Date `json:"withdrawn,omitempty"`
}

// Request is all that a score is computed from.
type Request struct {
	Consents  []Consent      `json:"consents"`
	Day       tape.Date      `json:"day"`
	Household tape.AccountID `json:"household"`
	Inputs    []Input        `json:"inputs"`
	// Organisation uses the data.
	Organisation string `json:"organisation"`
	// Person signs for the household, and gave the consents.
	Person tape.ID `json:"person"`
}

// Score is the record of a score: what it was computed from, and every step of the sum.
type Score struct {
	V          int32              `json:"v"`
	Model      string             `json:"model"`
	Request    Request            `json:"request"`
	Factors    []FactorPoints     `json:"factors"`
	Indicators []IndicatorOutcome `json:"indicators"`
	// Points are 0 to 100, rounded once, half a point up.
	Points int32 `json:"points"`
}

// FactorPoints is one factor's part: Weight times Points and Bonus, together no more than Of, over Of.
type FactorPoints struct {
	Bonus  int32  `json:"bonus"`
	Factor string `json:"factor"`
	// Of is the sum of the maxima of the indicators that count.
	Of     int32 `json:"of"`
	Points int32 `json:"points"`
	Weight int32 `json:"weight"`
}

// The codes by which an indicator says why it has its points.
const (
	Full    = "full"    // all points
	Part    = "part"    // some
	Nothing = "nothing" // none, because of its value
	Missing = "missing" // nothing is known; left out where Of is 0, else no points
	Expired = "expired" // the same, because what was known is too old
	Bonus   = "bonus"   // points that fill gaps
)

// Codes lists them.
func Codes() []string { return []string{Full, Part, Nothing, Missing, Expired, Bonus} }

// IndicatorOutcome is one line of the sum.
type IndicatorOutcome struct {
	Code string `json:"code"`
	// Expired are sources that are too old to count.
	Expired   []string `json:"expired"`
	Factor    string   `json:"factor"`
	Indicator string   `json:"indicator"`
	// Of is the most points, 0 where it is left out and of a bonus.
	Of     int32 `json:"of"`
	Points int32 `json:"points"`
	// Sources are those that count.
	Sources []string `json:"sources"`
	// Value is what they make together; 0 where there are none.
	Value int64 `json:"value,string"`
}

// Score computes a score. The same request gives the same bytes, in whatever order its inputs come.
func (m Model) Score(r Request) (Score, error) {
	if err := r.check(m); err != nil {
		return Score{}, err
	}
	r.Inputs, r.Consents = slices.Clone(r.Inputs), slices.Clone(r.Consents)
	slices.SortFunc(r.Inputs, byName)
	slices.SortFunc(r.Consents, func(a, b Consent) int { return strings.Compare(a.Reference, b.Reference) })
	score := Score{V: 1, Model: m.ID, Request: r}
	for _, factor := range m.Factors {
		points := FactorPoints{Factor: factor.Factor, Weight: factor.Weight}
		for _, indicator := range factor.Indicators {
			outcome := indicator.judge(r)
			outcome.Factor = factor.Factor
			score.Indicators = append(score.Indicators, outcome)
			if indicator.Bonus {
				points.Bonus += outcome.Points
			} else {
				points.Points, points.Of = points.Points+outcome.Points, points.Of+outcome.Of
			}
		}
		score.Factors = append(score.Factors, points)
	}
	score.Points = rounded(score.Factors)
	return score, nil
}

// byName sorts inputs by indicator and source, of which there is one each.
func byName(a, b Input) int {
	if a.Indicator != b.Indicator {
		return strings.Compare(a.Indicator, b.Indicator)
	}
	return strings.Compare(a.Source, b.Source)
}

// rounded sums weight*points/of over the factors and rounds the sum, once, half
// up (lending rules 4.8). No factor is of nothing, and each is of 100 at most, so that 64 bits are plenty.
func rounded(factors []FactorPoints) int32 {
	numerator, denominator := int64(0), int64(1)
	for _, f := range factors {
		reached := min(f.Points+f.Bonus, f.Of)
		numerator = numerator*int64(f.Of) + int64(f.Weight)*int64(reached)*denominator
		denominator *= int64(f.Of)
	}
	return int32((2*numerator + denominator) / (2 * denominator))
}

// judge says what an indicator is worth.
func (i Indicator) judge(r Request) IndicatorOutcome {
	outcome := IndicatorOutcome{Code: Missing, Indicator: i.Indicator, Sources: []string{}, Expired: []string{}}
	var fresh []Input
	for _, input := range r.Inputs {
		switch {
		case input.Indicator != i.Indicator:
		case input.Day.AddDays(int(i.ExpiryDays)) < r.Day:
			outcome.Expired = append(outcome.Expired, input.Source)
		default:
			fresh = append(fresh, input)
			outcome.Sources = append(outcome.Sources, input.Source)
		}
	}
	if !i.Bonus && (len(fresh) > 0 || i.Missing == "zero") {
		outcome.Of = i.Maximum
	}
	if len(fresh) == 0 {
		if len(outcome.Expired) > 0 {
			outcome.Code = Expired
		}
		return outcome
	}
	outcome.Value = i.combine(fresh)
	outcome.Points = i.worth(outcome.Value)
	switch {
	case i.Bonus:
		outcome.Code = Bonus
	case outcome.Points == i.Maximum:
		outcome.Code = Full
	case outcome.Points > 0:
		outcome.Code = Part
	default:
		outcome.Code = Nothing
	}
	return outcome
}

// combine makes one value of several inputs. Of the latest day's the one counts
// that is worth most; a mean is rounded down.
func (i Indicator) combine(inputs []Input) int64 {
	value, sum, latest := int64(inputs[0].Value), int64(0), inputs[0]
	for _, input := range inputs {
		sum += int64(input.Value)
		if input.Day > latest.Day || input.Day == latest.Day && i.worth(int64(input.Value)) > i.worth(int64(latest.Value)) {
			latest = input
		}
		switch i.Combine {
		case "most":
			value = max(value, int64(input.Value))
		case "least":
			value = min(value, int64(input.Value))
		}
	}
	switch i.Combine {
	case "sum":
		return sum
	case "mean":
		return sum / int64(len(inputs))
	case "latest":
		return int64(latest.Value)
	}
	return value
}

// Verify computes a recorded score again, and refuses one that comes out otherwise.
func (s Score) Verify() error {
	if s.V != 1 {
		return rule.Field("v", rule.Refuse(rule.Unsupported, "is not 1"))
	}
	model, err := ModelOf(s.Model)
	if err != nil {
		return err
	}
	again, err := model.Score(s.Request)
	if err != nil {
		return rule.Field("request", err)
	}
	recorded, err := canonical.Encode(s)
	if err != nil {
		return err
	}
	computed, err := canonical.Encode(again)
	if err != nil {
		return err
	}
	if !bytes.Equal(recorded, computed) {
		return rule.Refuse(rule.Conflict, "the score is recorded as %d points, and computed again from what it names it is %d, or its lines are others", s.Points, again.Points)
	}
	return nil
}

// Dispute is a score with an input that the household contests, and without it.
type Dispute struct {
	Input   Input `json:"input"`
	With    Score `json:"with"`
	Without Score `json:"without"`
}

// Dispute computes what one input does to a score.
func (m Model) Dispute(r Request, indicator, source string) (Dispute, error) {
	with, err := m.Score(r)
	if err != nil {
		return Dispute{}, err
	}
	at := slices.IndexFunc(r.Inputs, func(i Input) bool { return i.Indicator == indicator && i.Source == source })
	if at < 0 {
		return Dispute{}, rule.Field("source", rule.Refuse(rule.NotFound, "is none of the sources of that indicator"))
	}
	input := r.Inputs[at]
	r.Inputs = slices.Delete(slices.Clone(r.Inputs), at, at+1)
	without, err := m.Score(r)
	if err != nil {
		return Dispute{}, err
	}
	return Dispute{Input: input, With: with, Without: without}, nil
}
