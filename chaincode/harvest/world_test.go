package harvest_test

import (
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	scheme = tape.AccountID("coop:coop:coffee")
	noon   = tape.Instant(1_767_240_000_000) // 2026-01-01 12:00 in the zone
	today  = tape.Date("2026-01-01")
)

func cny(units int64) money.Amount { return money.New(units, "CNY") }

// family is the account of an invented household.
func family(name string) tape.AccountID {
	return tape.AccountID("household:" + string(tape.PseudonymFrom(name)) + ":coffee")
}

// agreement is that of an invented coffee cooperative.
func agreement() harvest.Agreement {
	return harvest.Agreement{Commodity: "coffee", Costs: []string{"transport", "processing"}, Deductions: []string{"moisture", "damaged", "foreign"},
		Forms: []harvest.Form{{Form: "cherry", Grades: []string{"ripe", "mixed"}}, {Form: "parchment", Grades: []string{"a", "b"}}, {Form: "green", Grades: []string{"a", "b"}}},
		Processes: []harvest.Process{
			{From: "cherry", Process: "wet-milling", To: "parchment", YieldMaxPartsPerMillion: 250_000, YieldMinPartsPerMillion: 180_000},
			{From: "parchment", Process: "hulling", To: "green", YieldMaxPartsPerMillion: 850_000, YieldMinPartsPerMillion: 750_000},
			{From: "green", Process: "sorting", To: "green", YieldMaxPartsPerMillion: 1_000_000, YieldMinPartsPerMillion: 990_000}},
		Stores: []harvest.Store{{Organisation: "coop", Store: "mill"}, {Organisation: "bank", Store: "warehouse"}}}
}

func terms() harvest.Terms {
	return harvest.Terms{V: 1, Scheme: scheme, Organisation: "coop", Version: 1, Agreement: agreement(), Entry: "coop/agree-1"}
}

// by is a command of an organisation's gateway that persons signed: "weigher" is
// staff of the caller's organisation, "keeper@bank" of another, "+h" a member, "*a" an agent.
func by(organisation string, persons ...string) tape.Context {
	ctx := tape.Context{Organisation: organisation, Role: "gateway", At: noon, Date: today, Rules: 1, Command: "c"}
	if organisation == "coop" {
		ctx.Powers = []string{party.Cooperative}
	}
	for _, person := range persons {
		name, of, found := strings.Cut(person, "@")
		if !found {
			of = organisation
		}
		duty := "staff"
		if strings.HasPrefix(name, "+") {
			name, duty = name[1:], "member"
		} else if strings.HasPrefix(name, "*") {
			name, duty = name[1:], "agent"
		}
		ctx.Approvals = append(ctx.Approvals, tape.Approval{Person: tape.ID(name), Organisation: of, Custody: "own", Duty: duty})
	}
	return ctx
}

// told is by for an organisation and persons in one text.
func told(text string) tape.Context {
	words := strings.Fields(text)
	return by(words[0], words[1:]...)
}

// held gives all who signed another custody.
func held(custody string, ctx tape.Context) tape.Context {
	for i := range ctx.Approvals {
		ctx.Approvals[i].Custody = custody
	}
	return ctx
}

func deliver(id tape.ID, of string, net int64) harvest.Deliver {
	return harvest.Deliver{Deductions: []harvest.Deduction{{Grams: 300, Kind: "damaged"}, {Grams: 50, Kind: "foreign"}}, Form: "cherry", Grade: "ripe", GrossGrams: net + 1350,
		Harvested: "2025-12-31", Household: family(of), ID: id, MoisturePartsPerMillion: 610_000, NetGrams: net, Account: scheme, Store: "mill", TareGrams: 1000}
}

func household(of string) *harvest.Household {
	return &harvest.Household{Household: family(of), Person: tape.ID(of), Admitted: true}
}

// stock is a stored lot of some form and grade whose households have delivered so much.
func stock(t testing.TB, id tape.ID, form, grade, store string, shares ...harvest.Share) *harvest.Stock {
	t.Helper()
	all := harvest.Together(shares)
	composition, err := all.Composition()
	if err != nil {
		t.Fatal(err)
	}
	lot := harvest.Lot{V: 1, Scheme: scheme, ID: id, Form: form, Grade: grade, Grams: all.Grams(), Composition: composition, State: harvest.Stored, Store: store, Entry: "coop/" + string(id)}
	if len(all) == 1 {
		lot.Household = all[0].Household
	}
	return &harvest.Stock{Lot: lot, Shares: all}
}

func share(of string, grams int64) harvest.Share {
	return harvest.Share{Household: family(of), Grams: grams}
}

// row is a situation in which a command is refused, for ruletest.Refusals.
type row[S any] struct {
	Change func(*S)
	Want   string
}
