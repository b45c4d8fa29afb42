package credit

import (
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// check refuses a request that is malformed, and data that is used without consent.
func (r Request) check(m Model) error {
	if err := rule.First(rule.Field("household", r.Household.Check()), rule.Field("person", r.Person.Check()),
		rule.Field("organisation", tape.CheckSegment(r.Organisation)), rule.Field("day", r.Day.Check())); err != nil {
		return err
	}
	if r.Day < m.InForce {
		return rule.Field("day", rule.Refuse(rule.Unsupported, "is %s; %s is in force from %s", r.Day, m.ID, m.InForce))
	}
	if len(r.Consents) > ConsentsMax {
		return rule.Field("consents", rule.Refuse(rule.Invalid, "are %d; %d at most", len(r.Consents), ConsentsMax))
	}
	for i, consent := range r.Consents {
		if err := consent.check(r.Consents[:i]); err != nil {
			return rule.Item("consents", i, err)
		}
	}
	if len(r.Inputs) > InputsMax {
		return rule.Field("inputs", rule.Refuse(rule.Invalid, "are %d; %d at most", len(r.Inputs), InputsMax))
	}
	for i, input := range r.Inputs {
		if err := r.checkInput(m, i, input); err != nil {
			return rule.Item("inputs", i, err)
		}
	}
	return nil
}

func (c Consent) check(before []Consent) error {
	if err := rule.First(rule.Field("reference", checkEntry(c.Reference)), rule.Field("person", c.Person.Check()),
		rule.Field("organisation", tape.CheckSegment(c.Organisation)), rule.Field("purpose", tape.CheckSegment(c.Purpose)),
		rule.Field("about", tape.CheckSegment(c.About)), rule.Field("from", c.From.Check()), rule.Field("until", c.Until.Check())); err != nil {
		return err
	}
	if c.Withdrawn != "" {
		if err := c.Withdrawn.Check(); err != nil {
			return rule.Field("withdrawn", err)
		}
	}
	if slices.ContainsFunc(before, func(b Consent) bool { return b.Reference == c.Reference }) {
		return rule.Field("reference", rule.Refuse(rule.Invalid, "%s stands twice", c.Reference))
	}
	return nil
}

// checkEntry refuses what does not name an entry.
func checkEntry(reference string) error {
	if reference == "" {
		return rule.Refuse(rule.Invalid, "is not an entry; write organisation/id")
	}
	return tape.CheckReference(reference)
}

// checkInput refuses an input that its indicator does not take, and one without a consent that covers it.
func (r Request) checkInput(m Model, i int, input Input) error {
	indicator, known := m.Indicator(input.Indicator)
	if !known {
		return rule.Field("indicator", rule.Refuse(rule.NotFound, "is none of the indicators of %s", m.ID))
	}
	kind, reference, _ := strings.Cut(input.Source, "/")
	if !slices.Contains(indicator.Evidence, kind) || checkEntry(reference) != nil {
		return rule.Field("source", rule.Refuse(rule.Invalid, "does not prove %s; write %s, then /organisation/id", indicator.Indicator, strings.Join(indicator.Evidence, " or ")))
	}
	if slices.ContainsFunc(r.Inputs[:i], func(b Input) bool { return byName(b, input) == 0 }) {
		return rule.Field("source", rule.Refuse(rule.Invalid, "%s is given for %s twice", input.Source, indicator.Indicator))
	}
	if err := rule.First(rule.Field("value", rule.Within(int64(input.Value), 0, int64(indicator.ValueMax))), rule.Field("day", input.Day.Check())); err != nil {
		return err
	}
	if input.Day > r.Day {
		return rule.Field("day", rule.Refuse(rule.Invalid, "is %s, after %s, when the score is computed", input.Day, r.Day))
	}
	return rule.Field("consent", r.consented(m, indicator, input))
}

// Indicator is one that the model asks for.
func (m Model) Indicator(name string) (Indicator, bool) {
	for _, factor := range m.Factors {
		for _, indicator := range factor.Indicators {
			if indicator.Indicator == name {
				return indicator, true
			}
		}
	}
	return Indicator{}, false
}

// consented refuses data that the household's person did not allow this
// organisation to use, for this purpose and of this class, on the day of the score.
func (r Request) consented(m Model, indicator Indicator, input Input) error {
	at := slices.IndexFunc(r.Consents, func(c Consent) bool { return c.Reference == input.Consent })
	if at < 0 {
		return rule.Refuse(rule.Forbidden, "%s is used without a consent", indicator.Indicator)
	}
	c := r.Consents[at]
	if c.Person != r.Person || c.Organisation != r.Organisation {
		return rule.Refuse(rule.Forbidden, "%s is that of %s to %s; %s is of %s, and %s would use it", c.Reference, c.Person, c.Organisation, indicator.Indicator, r.Person, r.Organisation)
	}
	if c.Purpose != m.Purpose || c.About != indicator.About {
		return rule.Refuse(rule.Forbidden, "%s is for %s and about %s; %s needs one for %s and about %s", c.Reference, c.Purpose, c.About, indicator.Indicator, m.Purpose, indicator.About)
	}
	if r.Day < c.From {
		return rule.Refuse(rule.Early, "%s stands from %s on, and %s is used on %s", c.Reference, c.From, indicator.Indicator, r.Day)
	}
	if c.Withdrawn != "" && c.Withdrawn <= r.Day {
		return rule.Refuse(rule.Forbidden, "%s was withdrawn on %s, and %s would be used on %s", c.Reference, c.Withdrawn, indicator.Indicator, r.Day)
	}
	if r.Day > c.Until {
		return rule.Refuse(rule.Expired, "%s stood until %s, and %s would be used on %s", c.Reference, c.Until, indicator.Indicator, r.Day)
	}
	return nil
}
