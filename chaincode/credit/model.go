// Package credit says how far a household can be trusted with a loan, and why: a
// score of whole points from recorded inputs, a limit that grows by rule, and a
// decision with its reasons. It is arithmetic that a bank officer can check on
// paper, and knows nothing of loans and groups. Whoever has the record of a score can compute it again.
package credit

import (
	"embed"
	"encoding/json"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// What is asked, and what each answer is worth, is data: a file for each
// industry and version. A new version is a new file; scores name theirs.
//
//go:embed models/*.json
var modelFiles embed.FS

// Model is one version of how households of one industry are scored.
type Model struct {
	Decisions DecisionTable `json:"decisions"`
	// Factors are community, stability and reputation, in this order.
	Factors []Factor `json:"factors"`
	// ID is industry-inForce, and the name of the file.
	ID       string    `json:"id"`
	Industry string    `json:"industry"`
	InForce  tape.Date `json:"inForce"`
	Limits   LimitRule `json:"limits"`
	// Purpose is what a consent must be for.
	Purpose string   `json:"purpose"`
	Sources []string `json:"sources"`
}

// Factor is one of the three sides of a household; its weight is the most that it gives.
type Factor struct {
	Factor     string      `json:"factor"`
	Indicators []Indicator `json:"indicators"`
	// Weight is the sum of the maxima of its indicators, bonuses apart; the weights sum to 100.
	Weight int32 `json:"weight"`
}

// Indicator is one question with a table of what each answer is worth.
type Indicator struct {
	// About is the class of data that a consent must name.
	About string `json:"about"`
	// Attesters are the powers of an organisation of which one lets it say the value; none where
	// the ledger knows it by itself, and nobody is asked.
	Attesters []string `json:"attesters,omitempty"`
	// Bonus marks what only adds: its points fill gaps of the factor, and who has none loses nothing.
	Bonus bool `json:"bonus,omitempty"`
	// Combine says what several inputs make: latest, sum, most, least or mean.
	Combine string `json:"combine"`
	// Evidence is what can prove it: entry, attestation, or both.
	Evidence []string `json:"evidence"`
	// ExpiryDays is how long an input counts after its day.
	ExpiryDays int32  `json:"expiryDays"`
	Indicator  string `json:"indicator"`
	// Maximum is the most points.
	Maximum int32 `json:"maximum"`
	// Missing says what it means when nothing is known: zero points, or neutral, which leaves the question out. Empty for a bonus.
	Missing string `json:"missing,omitempty"`
	// Points is the table, from 0 upwards; a value has the points of the last row that it reaches.
	Points []Step `json:"points"`
	Unit   string `json:"unit"`
	// ValueMax is the largest value that one input can have.
	ValueMax int32 `json:"valueMax"`
}

// Step is one row of an indicator's table.
type Step struct {
	From   int32 `json:"from"`
	Points int32 `json:"points"`
}

// CallPaid is the indicator of a guarantor call that the household paid. Every
// model has it as a bonus: nobody loses by having paid for a neighbour.
const CallPaid = "call-paid"

// The closed lists of a model.
func factors() []string  { return []string{"community", "stability", "reputation"} }
func combines() []string { return []string{"latest", "sum", "most", "least", "mean"} }
func units() []string    { return []string{"count", "days", "months", "seasons", "parts-per-million"} }
func missings() []string { return []string{"zero", "neutral"} }

// Evidences are the kinds of sources: an entry of the ledger, or a signed
// statement about something off it, such as a county's record or a satellite's reading.
func Evidences() []string { return []string{"entry", "attestation"} }

const (
	whole         = 100
	indicatorsMax = 32 // of a factor
	stepsMax      = 32
	// expiryMax is how long what is bad about somebody may be kept: five years
	// (Regulation on the Credit Reporting Industry, State Council Order 631, art. 16). What is good is kept no longer.
	expiryMax = 1826
)

// Models lists the ids of the versions known, by industry, the oldest first.
func Models() ([]string, error) {
	files, err := modelFiles.ReadDir("models")
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, file := range files {
		ids = append(ids, strings.TrimSuffix(file.Name(), ".json"))
	}
	slices.Sort(ids)
	return ids, nil
}

// ModelOf returns the version that a score names. The files that are built in
// were read strictly by a test; each transaction that asks for one need not do so again.
func ModelOf(id string) (Model, error) {
	data, err := modelFiles.ReadFile("models/" + id + ".json")
	if err != nil {
		return Model{}, rule.Field("model", rule.Refuse(rule.Unsupported, "is none of the credit models that are known here"))
	}
	var model Model
	if err := json.Unmarshal(data, &model); err != nil {
		return Model{}, rule.Refuse(rule.Invalid, "%s cannot be read: %s", id, err)
	}
	return model, nil
}

// ModelOn returns an industry's version in force on a day.
func ModelOn(industry string, day tape.Date) (Model, error) {
	ids, err := Models()
	if err != nil {
		return Model{}, err
	}
	id := inForce(ids, industry, day)
	if id == "" {
		return Model{}, rule.Refuse(rule.Unsupported, "no version of a credit model for this industry is known for %s", day)
	}
	return ModelOf(id)
}

// inForce picks the last version that begins on the day or before it, "" for none.
func inForce(ids []string, industry string, day tape.Date) string {
	for _, id := range slices.Backward(ids) {
		if from, is := strings.CutPrefix(id, industry+"-"); is && tape.Date(from).Check() == nil && tape.Date(from) <= day {
			return id
		}
	}
	return ""
}

// Read reads a model's file, and refuses what it does not know and what is no fair table.
func Read(data []byte) (Model, error) {
	var model Model
	if err := canonical.Read(data, &model); err != nil {
		return Model{}, err
	}
	if err := model.Check(); err != nil {
		return Model{}, err
	}
	return model, nil
}

// Check refuses a model by which no fair score could be computed.
func (m Model) Check() error {
	if err := rule.First(rule.Field("industry", tape.CheckSegment(m.Industry)), rule.Field("inForce", m.InForce.Check()),
		rule.Field("purpose", tape.CheckSegment(m.Purpose)), rule.Field("limits", m.Limits.check()), rule.Field("decisions", m.Decisions.check())); err != nil {
		return err
	}
	if m.ID != m.Industry+"-"+string(m.InForce) {
		return rule.Field("id", rule.Refuse(rule.Invalid, "is not %s-%s", m.Industry, m.InForce))
	}
	if len(m.Sources) == 0 {
		return rule.Field("sources", rule.Refuse(rule.Invalid, "are none; say where the figures come from"))
	}
	if len(m.Factors) != len(factors()) {
		return rule.Field("factors", rule.Refuse(rule.Invalid, "are %d; a model has %s", len(m.Factors), strings.Join(factors(), ", ")))
	}
	seen, weights := map[string]bool{}, int32(0)
	for i, factor := range m.Factors {
		if err := factor.check(factors()[i], seen); err != nil {
			return rule.Item("factors", i, err)
		}
		weights += factor.Weight
	}
	if weights != whole {
		return rule.Field("factors", rule.Refuse(rule.Invalid, "weigh %d together, not %d", weights, whole))
	}
	if !seen[CallPaid] {
		return rule.Field("factors", rule.Refuse(rule.Invalid, "do not ask for %s, by which who paid for a neighbour gains", CallPaid))
	}
	return nil
}

func (f Factor) check(name string, seen map[string]bool) error {
	if f.Factor != name {
		return rule.Field("factor", rule.Refuse(rule.Invalid, "is not %s, which stands here", name))
	}
	if len(f.Indicators) > indicatorsMax {
		return rule.Field("indicators", rule.Refuse(rule.Invalid, "are %d; %d at most", len(f.Indicators), indicatorsMax))
	}
	sum, always := int32(0), false
	for i, indicator := range f.Indicators {
		if err := indicator.check(); err != nil {
			return rule.Item("indicators", i, err)
		}
		if seen[indicator.Indicator] {
			return rule.Item("indicators", i, rule.Field("indicator", rule.Refuse(rule.Invalid, "%s stands twice", indicator.Indicator)))
		}
		seen[indicator.Indicator] = true
		if !indicator.Bonus {
			sum += indicator.Maximum
			always = always || indicator.Missing == "zero"
		}
	}
	if sum != f.Weight {
		return rule.Field("weight", rule.Refuse(rule.Invalid, "is %d; the maxima of its indicators sum to %d", f.Weight, sum))
	}
	if !always { // else a household of whom nothing is known would have a factor of nothing
		return rule.Field("indicators", rule.Refuse(rule.Invalid, "have none whose missing counts as zero"))
	}
	return nil
}

func (i Indicator) check() error {
	if err := rule.First(rule.Field("indicator", tape.CheckSegment(i.Indicator)), rule.Field("about", tape.CheckSegment(i.About)),
		rule.Field("combine", rule.OneOf(i.Combine, combines()...)), rule.Field("unit", rule.OneOf(i.Unit, units()...)), i.checkEvidence(),
		rule.Field("expiryDays", rule.Within(int64(i.ExpiryDays), 1, expiryMax)), rule.Field("maximum", rule.Within(int64(i.Maximum), 1, whole)),
		rule.Field("valueMax", rule.Within(int64(i.ValueMax), 1, 1<<31-1))); err != nil {
		return err
	}
	for n, power := range i.Attesters {
		if err := tape.CheckSegment(power); err != nil {
			return rule.Item("attesters", n, err)
		}
	}
	if i.Indicator == CallPaid && !i.Bonus {
		return rule.Field("bonus", rule.Refuse(rule.Invalid, "is missing; %s only adds", CallPaid))
	}
	if i.Bonus && i.Missing != "" {
		return rule.Field("missing", rule.Refuse(rule.Invalid, "is said of a bonus; who has none loses nothing"))
	}
	if !i.Bonus {
		if err := rule.Field("missing", rule.OneOf(i.Missing, missings()...)); err != nil {
			return err
		}
	}
	return i.checkPoints()
}

func (i Indicator) checkEvidence() error {
	if len(i.Evidence) == 0 {
		return rule.Field("evidence", rule.Refuse(rule.Invalid, "is none"))
	}
	for n, evidence := range i.Evidence {
		if err := rule.OneOf(evidence, Evidences()...); err != nil {
			return rule.Item("evidence", n, err)
		}
		if slices.Contains(i.Evidence[:n], evidence) {
			return rule.Item("evidence", n, rule.Refuse(rule.Invalid, "stands twice"))
		}
	}
	return nil
}

// checkPoints refuses a table that begins above 0 or never reaches the maximum,
// and a bonus that another input could make smaller.
func (i Indicator) checkPoints() error {
	if len(i.Points) == 0 || len(i.Points) > stepsMax || i.Points[0].From != 0 {
		return rule.Field("points", rule.Refuse(rule.Invalid, "have %d rows; 1 to %d are possible, the first from 0", len(i.Points), stepsMax))
	}
	if i.Bonus && i.Combine != "sum" && i.Combine != "most" {
		return rule.Field("combine", rule.Refuse(rule.Invalid, "is %s; another input must not make a bonus smaller", i.Combine))
	}
	reached := int32(0)
	for n, step := range i.Points {
		if n > 0 && step.From <= i.Points[n-1].From {
			return rule.Item("points", n, rule.Field("from", rule.Refuse(rule.Invalid, "is %d, not more than the row before", step.From)))
		}
		if err := rule.Within(int64(step.Points), 0, int64(i.Maximum)); err != nil {
			return rule.Item("points", n, rule.Field("points", err))
		}
		if i.Bonus && step.Points < reached {
			return rule.Item("points", n, rule.Field("points", rule.Refuse(rule.Invalid, "is %d; the table of a bonus never falls", step.Points)))
		}
		reached = max(reached, step.Points)
	}
	if reached != i.Maximum {
		return rule.Field("maximum", rule.Refuse(rule.Invalid, "is %d; the table gives %d at most", i.Maximum, reached))
	}
	return nil
}

// worth is the points of a value: those of the last row that it reaches.
func (i Indicator) worth(value int64) int32 {
	points := int32(0)
	for _, step := range i.Points {
		if value >= int64(step.From) {
			points = step.Points
		}
	}
	return points
}

// amountOf refuses what is no amount of zero or more in a currency.
func amountOf(a money.Amount, currency money.Currency) error {
	if _, err := currency.Exponent(); err != nil {
		return err
	}
	if a.Units == 0 && a.Currency == currency {
		return nil
	}
	return a.Positive(currency)
}
