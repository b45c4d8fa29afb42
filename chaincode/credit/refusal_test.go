package credit_test

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/credit"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
)

func TestRequestRefusals(t *testing.T) {
	m := model(t, "coffee")
	ruletest.Refusals(t, func() credit.Request { return grower(t) }, func(r credit.Request) error { _, err := m.Score(r); return err }, []row[credit.Request]{
		{func(r *credit.Request) { r.Household = "household:zhang-san:coffee" }, "invalid: field household: is not a household's account"},
		{func(r *credit.Request) { r.Person = "a person" }, "invalid: field person: is not an id"},
		{func(r *credit.Request) { r.Organisation = "Bank" }, "invalid: field organisation: is not a name"},
		{func(r *credit.Request) { r.Day = "30.11.2026" }, "invalid: field day: is not a date"},
		{func(r *credit.Request) { r.Day = "2025-12-31" }, "unsupported: field day: is 2025-12-31; coffee-2026-01-01 is in force from 2026-01-01"},
		{func(r *credit.Request) { r.Consents = make([]credit.Consent, 65) }, "invalid: field consents: are 65; 64 at most"},
		{func(r *credit.Request) { r.Consents[1].Reference = "" }, "invalid: field consents[1].reference: is not an entry"},
		{func(r *credit.Request) { r.Consents[1].Reference = "what she said" }, "invalid: field consents[1].reference: is not an entry"},
		{func(r *credit.Request) { r.Consents[1].Reference = r.Consents[0].Reference }, "invalid: field consents[1].reference: coop/consent-participation stands twice"},
		{func(r *credit.Request) { r.Consents[1].Person = "" }, "invalid: field consents[1].person: is not an id"},
		{func(r *credit.Request) { r.Consents[1].Organisation = "" }, "invalid: field consents[1].organisation: is not a name"},
		{func(r *credit.Request) { r.Consents[1].Purpose = "" }, "invalid: field consents[1].purpose: is not a name"},
		{func(r *credit.Request) { r.Consents[1].About = "" }, "invalid: field consents[1].about: is not a name"},
		{func(r *credit.Request) { r.Consents[1].From = "" }, "invalid: field consents[1].from: is not a date"},
		{func(r *credit.Request) { r.Consents[1].Until = "2027" }, "invalid: field consents[1].until: is not a date"},
		{func(r *credit.Request) { r.Consents[1].Withdrawn = "soon" }, "invalid: field consents[1].withdrawn: is not a date"},
		{func(r *credit.Request) { r.Inputs = make([]credit.Input, 513) }, "invalid: field inputs: are 513; 512 at most"},
		{func(r *credit.Request) { r.Inputs[2].Indicator = "shoe-size" }, "not-found: field inputs[2].indicator: is none of the indicators of coffee-2026-01-01"},
		{func(r *credit.Request) { r.Inputs[2].Source = "coop/agreement-breaches-1" }, "invalid: field inputs[2].source: does not prove agreement-breaches; write entry, then /organisation/id"},
		{func(r *credit.Request) { r.Inputs[2].Source = "attestation/county/a1" }, "invalid: field inputs[2].source: does not prove agreement-breaches; write entry, then"},
		{func(r *credit.Request) { r.Inputs[7].Source = "entry/coop/a1" }, "invalid: field inputs[7].source: does not prove canopy-index; write attestation, then"},
		{func(r *credit.Request) { r.Inputs[0].Source = "entry/" }, "invalid: field inputs[0].source: does not prove meetings-attended; write entry or attestation, then"},
		{func(r *credit.Request) { r.Inputs[0].Source = "entry/coop/a b" }, "invalid: field inputs[0].source: does not prove meetings-attended"},
		{func(r *credit.Request) { r.Inputs[5] = r.Inputs[4] }, "invalid: field inputs[5].source: entry/coop/delivery-kept-1 is given for delivery-kept twice"},
		{func(r *credit.Request) { r.Inputs[0].Value = -1 }, "invalid: field inputs[0].value: is -1; 0 to 1000000 is possible"},
		{func(r *credit.Request) { r.Inputs[0].Value = 1_000_001 }, "invalid: field inputs[0].value: is 1000001; 0 to 1000000 is possible"},
		{func(r *credit.Request) { r.Inputs[0].Day = "2026-06-31" }, "invalid: field inputs[0].day: is not a date"},
		{func(r *credit.Request) { r.Inputs[0].Day = "2026-12-01" }, "invalid: field inputs[0].day: is 2026-12-01, after 2026-11-30, when the score is computed"},
		// Nothing is used without a consent that covers who, for what, about what and when.
		{func(r *credit.Request) { r.Inputs[0].Consent = "" }, "forbidden: field inputs[0].consent: meetings-attended is used without a consent"},
		{func(r *credit.Request) { r.Inputs[0].Consent = "coop/consent-other" }, "forbidden: field inputs[0].consent: meetings-attended is used without a consent"},
		{func(r *credit.Request) { r.Consents[0].Person = "person-2" }, "forbidden: field inputs[0].consent: coop/consent-participation is that of person-2 to bank; meetings-attended is of person-1, and bank would use it"},
		{func(r *credit.Request) { r.Consents[0].Organisation = "insurer" }, "forbidden: field inputs[0].consent: coop/consent-participation is that of person-1 to insurer"},
		{func(r *credit.Request) { r.Consents[0].Purpose = "research" }, "forbidden: field inputs[0].consent: coop/consent-participation is for research and about participation; meetings-attended needs one for credit and about participation"},
		{func(r *credit.Request) { r.Inputs[0].Consent = "coop/consent-trade" }, "forbidden: field inputs[0].consent: coop/consent-trade is for credit and about trade; meetings-attended needs one for credit and about participation"},
		{func(r *credit.Request) { r.Consents[0].From = "2026-12-01" }, "early: field inputs[0].consent: coop/consent-participation stands from 2026-12-01 on, and meetings-attended is used on 2026-11-30"},
		{func(r *credit.Request) { r.Consents[0].Until = "2026-11-29" }, "expired: field inputs[0].consent: coop/consent-participation stood until 2026-11-29, and meetings-attended would be used on 2026-11-30"},
		{func(r *credit.Request) { r.Consents[0].Withdrawn = "2026-11-30" }, "forbidden: field inputs[0].consent: coop/consent-participation was withdrawn on 2026-11-30"},
	})
}

// TestConsentStands: on its first day, on its last, and until the day before it is withdrawn.
func TestConsentStands(t *testing.T) {
	m := model(t, "coffee")
	for _, change := range []func(*credit.Consent){
		func(c *credit.Consent) { c.From = day },
		func(c *credit.Consent) { c.Until = day },
		func(c *credit.Consent) { c.Withdrawn = day.AddDays(1) },
	} {
		r := grower(t)
		change(&r.Consents[0])
		if _, err := m.Score(r); err != nil {
			t.Error(err)
		}
	}
}
