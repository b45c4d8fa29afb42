package assessment_test

import (
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/assessment"
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	coffee = tape.AccountID("coop:coop:coffee")
	noon   = tape.Instant(1_767_240_000_000) // 2026-01-01 12:00 in the zone +08:00
	today  = tape.Date("2026-01-01")
)

func cny(units int64) money.Amount { return money.New(units, "CNY") }

// house is an invented household.
var house = tape.AccountID("household:" + string(tape.PseudonymFrom("invented household 1")) + ":coffee")

func scheme() group.Scheme {
	return group.Scheme{V: 1, Account: coffee, Organisation: "coop", Currency: "CNY", Version: 1, Lenders: []string{"bank"}, At: noon, Entry: "bank/accept-1"}
}

func member() *group.Member {
	return &group.Member{V: 1, Household: house, Person: "h1", Fingerprint: "invented-household-01A", State: group.Admitted}
}

// allowed is a consent of the household's person to the bank.
func allowed(about string) *party.Consent {
	return &party.Consent{V: 1, Person: "h1", Organisation: "bank", Purpose: "credit", About: about, Until: "2027-12-31", Entry: "insurer/allow-" + about}
}

// by is a command of an organisation's gateway; "h1" is the member, everybody else staff of the caller.
func by(organisation string, persons ...string) tape.Context {
	return on(today, organisation, persons...)
}

func on(day tape.Date, organisation string, persons ...string) tape.Context {
	ctx := tape.Context{Organisation: organisation, Role: "gateway", At: noon + tape.Instant(today.DaysUntil(day))*tape.Day, Date: day, Rules: 1, Command: "c"}
	ctx.Powers = map[string][]string{"coop": {party.Cooperative}, "moon": {party.Cooperative}, "bank": {party.Lender}, "union": {party.Lender}, "sky": {party.Oracle}, "county": {party.Regulator}}[organisation]
	for _, name := range persons {
		a := tape.Approval{Person: tape.ID(name), Organisation: organisation, Custody: "own", Duty: "staff"}
		if strings.HasPrefix(name, "h") {
			a.Organisation, a.Duty, a.Custody = "coop", "member", "agent-held"
		}
		ctx.Approvals = append(ctx.Approvals, a)
	}
	return ctx
}

func attest(indicator string, value int32) assessment.Attest {
	return assessment.Attest{Account: coffee, Attestation: &party.Hash{1}, Day: today, Household: house, ID: "a1", Indicator: indicator, Lender: "bank", Value: value}
}

func terms() group.SchemeTerms {
	return group.SchemeTerms{Industry: "coffee", MemberSharePartsPerMillion: 400_000}
}

// all are the consents to the bank.
func all() (consents []assessment.Consent) {
	for _, about := range []string{"participation", "trade", "production", "repayment"} {
		consents = append(consents, assessment.Consent{Consent: *allowed(about), From: today})
	}
	return consents
}

func assessing() assessment.AssessState {
	return assessment.AssessState{Scheme: scheme(), Terms: terms(), Member: member(), Consents: all(), Debts: []group.Debts{{Household: house}},
		Group: &group.Group{V: 1, Scheme: coffee, ID: "g1", State: group.Active, Agreement: group.Agreement{GroupMax: cny(10_000_000)}},
		Inputs: &assessment.Inputs{V: 1, Inputs: []assessment.Input{
			{Day: today, Indicator: "meetings-attended", Organisation: "coop", Source: "attestation/coop/a1", Value: 950_000},
			{Day: today, Indicator: "training-completed", Organisation: "coop", Source: "attestation/coop/a2", Value: 2},
			{Day: today, Indicator: "seasons-delivered", Organisation: "coop", Source: "entry/coop/s1", Value: 5},
			{Day: today, Indicator: "delivery-kept", Organisation: "coop", Source: "entry/coop/s1", Value: 980_000},
			{Day: today, Indicator: "first-grade", Organisation: "coop", Source: "entry/coop/s1", Value: 800_000},
			{Day: today, Indicator: "sales-trend", Organisation: "coop", Source: "attestation/coop/a3", Value: 1_100_000},
		}, At: noon}}
}

func assess() assessment.Assess {
	return assessment.Assess{Account: coffee, Household: house, ID: "assess-1", IncomeMax: cny(6_000_000)}
}

// scored is what the bank makes of it: 70 points, a limit of 20,000.00 CNY.
func scored(t *testing.T) assessment.Standing {
	t.Helper()
	s, _, err := assess().Apply(assessing(), by("bank", "maker", "checker"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// row is a situation in which a command is refused, for ruletest.Refusals.
type row[S any] struct {
	Change func(*S)
	Want   string
}
