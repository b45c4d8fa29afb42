package assessment_test

import (
	"fmt"
	"testing"

	"github.com/lianbao/lianbao/chaincode/assessment"
	"github.com/lianbao/lianbao/chaincode/credit"
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Every refusal of every command: what is changed in an allowed situation, and
// the answer. That maker and checker are enough is judged by package party.

type attesting struct {
	C     assessment.Attest
	State assessment.AttestState
	Ctx   tape.Context
}

// full are as many inputs as stand at most.
func full() *assessment.Inputs {
	inputs := assessment.Inputs{V: 1}
	for i := range assessment.InputsMax {
		inputs.Inputs = append(inputs.Inputs, assessment.Input{Day: today, Indicator: "shared-work", Organisation: "coop", Source: fmt.Sprint("attestation/coop/s", i)})
	}
	return &inputs
}

func TestAttest(t *testing.T) {
	type s = attesting
	entry := tape.Entry{Organisation: "coop", ID: "d1", Subject: string(coffee)}
	ruletest.Refusals(t, func() attesting {
		return attesting{attest("meetings-attended", 950_000), assessment.AttestState{Scheme: scheme(), Industry: "coffee", Member: member(), Consent: allowed("participation")}, by("coop", "maker")}
	}, func(s attesting) error { _, _, err := s.C.Apply(s.State, s.Ctx); return err }, []row[s]{
		{func(s *s) { s.C.ID = "" }, "invalid: field id: "},
		{func(s *s) { s.C.Household = "House" }, "invalid: field household: "},
		{func(s *s) { s.C.Lender = "The Bank" }, "invalid: field lender: is not a name"},
		{func(s *s) { s.C.Day = "2026-13-01" }, "invalid: field day: "},
		{func(s *s) { s.C.Attestation = nil }, "invalid: field evidence: is an entry or the hash of an attestation, one of the two"},
		{func(s *s) { s.C.Evidence = "coop/d1" }, "invalid: field evidence: is an entry or the hash of an attestation, one of the two"},
		{func(s *s) { s.C.Attestation, s.C.Evidence = nil, "coop" }, "invalid: field evidence: "},
		{func(s *s) { s.State.Industry = "" }, "unsupported: the terms of the scheme name no industry"},
		{func(s *s) { s.State.Industry = "tea" }, "unsupported: no version of a credit model for this industry"},
		{func(s *s) { s.C.Indicator = "beauty" }, "not-found: field indicator: is none of the indicators of coffee-2026-01-01"},
		{func(s *s) { s.C.Indicator = "own-defaults" }, "forbidden: field indicator: own-defaults is what the ledger knows by itself"},
		{func(s *s) { s.Ctx = by("bank", "maker") }, "forbidden: bank (role gateway) does not attest meetings-attended in coop:coop:coffee; [cooperative] does"},
		{func(s *s) { s.Ctx = by("moon", "maker") }, "forbidden: moon (role gateway) does not attest"},
		{func(s *s) { s.Ctx.Role = "auditor" }, "forbidden: coop (role auditor) does not attest"},
		{func(s *s) { s.Ctx.Approvals = nil }, "forbidden: one of the staff of coop must sign"},
		{func(s *s) { s.C.Lender = "union" }, "not-found: field lender: union is no lender of coop:coop:coffee"},
		{func(s *s) { s.State.Member = nil }, "not-found: field household: "},
		{func(s *s) { s.State.Member.State = group.Left }, "not-found: field household: "},
		{func(s *s) { s.State.Known = &assessment.Inputs{V: 1, At: noon + 1} }, "conflict: the inputs were changed at"},
		{func(s *s) { s.C.Value = -1 }, "invalid: field value: is -1"},
		{func(s *s) { s.C.Value = 1_000_001 }, "invalid: field value: is 1000001"},
		{func(s *s) { s.C.Day = "2026-01-02" }, "invalid: field day: 2026-01-02 is not within the 400 days up to 2026-01-01"},
		{func(s *s) { s.C.Day = "2024-11-26" }, "invalid: field day: 2024-11-26 is not within the 400 days"},
		{func(s *s) { s.C.Indicator = "delivery-kept" }, "invalid: field evidence: an attestation does not prove delivery-kept"},
		{func(s *s) { s.C.Attestation, s.C.Evidence = nil, "coop/d1" }, "not-found: field evidence: coop/d1 is no entry about coop:coop:coffee"},
		{func(s *s) {
			other := entry
			other.Subject = "coop:moon:tea"
			s.C.Attestation, s.C.Evidence, s.State.Evidence = nil, "coop/d1", &other
		}, "not-found: field evidence: coop/d1 is no entry about coop:coop:coffee"},
		{func(s *s) { s.State.Consent = nil }, "forbidden: field lender: the person of " + string(house) + " has not consented"},
		{func(s *s) { s.State.Consent.Withdrawn = noon }, "forbidden: field lender: the person of " + string(house) + " has not consented, or no longer"},
		{func(s *s) { s.State.Consent.Until = "2025-12-31" }, "forbidden: field lender: the person of " + string(house) + " has not consented, or no longer"},
		{func(s *s) {
			s.State.Known = &assessment.Inputs{V: 1, Inputs: []assessment.Input{{Day: today, Indicator: "meetings-attended", Source: "attestation/coop/a1"}}}
		}, "exists: field evidence: was given for meetings-attended already"},
		{func(s *s) {
			s.State.Known = &assessment.Inputs{V: 1, Inputs: []assessment.Input{{Attestation: &party.Hash{1}, Day: today, Indicator: "meetings-attended", Source: "attestation/coop/a0"}}}
		}, "exists: field evidence: was given for meetings-attended already"},
		{func(s *s) { s.State.Known = full() }, "invalid: 128 inputs about " + string(house) + " stand already"},
	})
}

// TestWhoAttests: who may attest an indicator is data of the model.
func TestWhoAttests(t *testing.T) {
	for _, c := range []struct{ indicator, about, organisation, want string }{
		{"canopy-index", "production", "sky", "<nil>"},
		{"canopy-index", "production", "coop", "forbidden: coop (role gateway) does not attest canopy-index in coop:coop:coffee; [oracle] does"},
		{"sales-trend", "trade", "bank", "<nil>"},
		{"sales-trend", "trade", "union", "forbidden: union (role gateway) does not attest sales-trend in coop:coop:coffee; [cooperative lender] does"},
		{"training-completed", "participation", "county", "<nil>"},
		{"training-completed", "participation", "coop", "<nil>"},
		{"training-completed", "participation", "sky", "forbidden: sky (role gateway) does not attest training-completed in coop:coop:coffee; [cooperative regulator] does"},
	} {
		state := assessment.AttestState{Scheme: scheme(), Industry: "coffee", Member: member(), Consent: allowed(c.about)}
		if _, _, err := attest(c.indicator, 1).Apply(state, by(c.organisation, "maker")); fmt.Sprint(err) != c.want {
			t.Errorf("%s by %s: %v, want %s", c.indicator, c.organisation, err, c.want)
		}
	}
	ids, err := credit.Models()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		model, err := credit.ModelOf(id)
		if err != nil {
			t.Fatal(err)
		}
		for _, factor := range model.Factors {
			for _, indicator := range factor.Indicators {
				for _, power := range indicator.Attesters {
					if !contains(party.AllPowers(), power) {
						t.Errorf("%s lets %s attest %s, which is no power", id, power, indicator.Indicator)
					}
				}
			}
		}
		for _, about := range assessment.Classes(model) {
			if !contains(party.Abouts(), about) || !contains(party.Purposes(), model.Purpose) {
				t.Errorf("nobody can consent to what %s asks about %s for %s", id, about, model.Purpose)
			}
		}
	}
}

func contains(list []string, word string) bool {
	for _, one := range list {
		if one == word {
			return true
		}
	}
	return false
}

// TestOldInputsLeave: what counts no longer makes room.
func TestOldInputsLeave(t *testing.T) {
	state := assessment.AttestState{Scheme: scheme(), Industry: "coffee", Member: member(), Consent: allowed("participation"), Known: full()}
	inputs, _, err := attest("meetings-attended", 1).Apply(state, on("2027-02-05", "coop", "maker"))
	if err == nil || len(state.Known.Inputs) != assessment.InputsMax {
		t.Errorf("on the last day they stand: %v", err)
	}
	c := attest("meetings-attended", 1)
	c.Day = "2027-02-06"
	if inputs, _, err = c.Apply(state, on("2027-02-06", "coop", "maker")); err != nil || len(inputs.Inputs) != 1 {
		t.Errorf("a day later: %d inputs, %v", len(inputs.Inputs), err)
	}
}

type retracting struct {
	C     assessment.Retract
	Known *assessment.Inputs
	Ctx   tape.Context
}

func TestRetract(t *testing.T) {
	type s = retracting
	ruletest.Refusals(t, func() retracting {
		return retracting{assessment.Retract{Account: coffee, Household: house, ID: "r1", Indicator: "meetings-attended", Lender: "bank", Source: "attestation/coop/a1"}, assessing().Inputs, by("coop", "maker")}
	}, func(s retracting) error { _, _, err := s.Known.Retract(s.C, s.Ctx); return err }, []row[s]{
		{func(s *s) { s.Ctx.Role = "admin" }, "forbidden: coop (role admin) is no gateway"},
		{func(s *s) { s.Ctx.Approvals = nil }, "forbidden: one of the staff of coop must sign"},
		{func(s *s) { s.Known.At = noon + 1 }, "conflict: the inputs were changed at"},
		{func(s *s) { s.Known = nil }, "not-found: field source: "},
		{func(s *s) { s.C.Source = "attestation/coop/a2" }, "not-found: field source: is none of the attested sources of that indicator"},
		{func(s *s) { s.Ctx = by("county", "maker") }, "forbidden: field source: was attested by coop, who alone takes it back"},
	})
}

type scoring struct {
	C     assessment.Assess
	State assessment.AssessState
	Ctx   tape.Context
}

func TestAssess(t *testing.T) {
	type s = scoring
	ruletest.Refusals(t, func() scoring { return scoring{assess(), assessing(), by("bank", "maker", "checker")} },
		func(s scoring) error { _, _, err := s.C.Apply(s.State, s.Ctx); return err }, []row[s]{
			{func(s *s) { s.Ctx.Role = "auditor" }, "forbidden: bank (role auditor) is no lender of coop:coop:coffee"},
			{func(s *s) { s.Ctx.Powers = nil }, "forbidden: bank (role gateway) is no lender of coop:coop:coffee"},
			{func(s *s) { s.Ctx = by("union", "maker") }, "forbidden: union (role gateway) is no lender of coop:coop:coffee"},
			{func(s *s) { s.C.ID = "" }, "invalid: field id: "},
			{func(s *s) { s.C.Household = "House" }, "invalid: field household: "},
			{func(s *s) { s.State.Member = nil }, "not-found: field household: "},
			{func(s *s) { s.C.IncomeMax = cny(0) }, "invalid: field incomeMax: 0.00 CNY is not more than zero"},
			{func(s *s) { s.C.IncomeMax.Currency = "USD" }, "invalid: field incomeMax: "},
			{func(s *s) { s.State.Known = &assessment.Standing{At: noon + 1} }, "conflict: the score was computed or contested at"},
			{func(s *s) { s.State.Group = nil }, "wrong-state: field household: " + string(house) + " is in no group of coop:coop:coffee"},
			{func(s *s) { s.State.Terms.Industry = "" }, "unsupported: the terms of the scheme name no industry"},
			{func(s *s) {
				s.State.Scheme.Currency, s.C.IncomeMax.Currency, s.State.Group.Agreement.GroupMax.Currency = "VND", "VND", "VND"
			}, "invalid: field limit: "},
		})
}

type disputing struct {
	S      assessment.Standing
	C      assessment.DisputeInput
	Member *group.Member
	Ctx    tape.Context
}

func TestDisputeInput(t *testing.T) {
	type s = disputing
	ruletest.Refusals(t, func() disputing {
		return disputing{scored(t), assessment.DisputeInput{Account: coffee, Household: house, ID: "d1", Indicator: "sales-trend", Lender: "bank", Source: "attestation/coop/a3"}, member(), by("moon", "h1")}
	}, func(s disputing) error { _, _, err := s.S.Dispute(s.C, s.Member, s.Ctx); return err }, []row[s]{
		{func(s *s) { s.Ctx.Role = "admin" }, "forbidden: moon (role admin) is no gateway"},
		{func(s *s) { s.Member = nil }, "not-found: field household: "},
		{func(s *s) { s.S.At = noon + 1 }, "conflict: the score was computed or contested at"},
		{func(s *s) { s.Ctx.Approvals = nil }, "forbidden: h1, who signs for " + string(house) + ", contests alone"},
		{func(s *s) { s.Ctx.Approvals = append(s.Ctx.Approvals, s.Ctx.Approvals[0]) }, "forbidden: h1, who signs for"},
		{func(s *s) { s.Ctx.Approvals[0].Person = "h2" }, "forbidden: h1, who signs for"},
		{func(s *s) { s.C.Source = "attestation/coop/a1" }, "not-found: field source: is none of the sources of that indicator in the score of 2026-01-01"},
		{func(s *s) {
			s.S.Contested = []assessment.Contested{{Indicator: "sales-trend", Source: "attestation/coop/a3", Entry: "moon/d0"}}
		}, "exists: field source: is contested already, by entry moon/d0"},
		{func(s *s) { s.S.Score.Model = "coffee-1999-01-01" }, "unsupported: field model: "},
	})
}
