package fund_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	speech   = tape.AccountID("charity:sunrise:speech")
	children = tape.AccountID("charity:sunrise:children")
	school   = tape.AccountID("partner:school:speech")
	family   = tape.AccountID("outside:household:ddbbcoobeooegjmdolfcpojadccomibn")
	shop     = tape.AccountID("outside:supplier:s1")
	clerk    = tape.AccountID("outside:staff:c1")
	custody  = tape.AccountID("outside:bank:sunrise")
	zone     = tape.Zone("+08:00")
	noon     = tape.Instant(1_767_240_000_000) // 2026-01-01 12:00 in the zone
)

func cny(units int64) money.Amount { return money.New(units, "CNY") }

func text(en string) fund.Text { return fund.Text{En: en} }

// plan is that of a campaign of 1,000.00 CNY.
func plan() fund.Plan {
	return fund.Plan{Area: "CN-53", Beneficiaries: text("30 children"), From: "2025-12-01", To: "2026-12-31", Goal: cny(100_000), Leftover: children,
		ManagementPartsPerMillion: 100_000, Purpose: text("Speech training"), Regulator: "regulator", Sector: "12220", Title: text("Speech training for 30 children"),
		Lines: []fund.BudgetLine{{Amount: cny(70_000), ID: "training", Kind: fund.Programme, Title: text("Training")},
			{Amount: cny(10_000), ID: "travel", Kind: fund.Programme, Title: text("Travel")}, {Amount: cny(20_000), ID: "office", Kind: fund.Management, Title: text("Office")}}}
}

// campaign is one that is filed and accepted.
func campaign() fund.Campaign {
	return fund.Campaign{V: 1, Account: speech, Organisation: "charity", Basis: fund.Filing, State: fund.Active, Version: 1, Plan: plan(),
		Filing: &fund.Filed{Number: "1", Date: "2025-11-01", Entry: "regulator/file-1"}, Submitted: "2025-10-01", At: noon, Entry: "charity/open-1"}
}

func budget(units ...int64) fund.Budget {
	b := fund.Budget{V: 1, Account: speech, Lines: []fund.Ordered{{Line: "training"}, {Line: "travel"}, {Line: "office"}}}
	for i, n := range units {
		b.Lines[i].Units = n
	}
	return b
}

// by is a command of an organisation's gateway that persons signed:
// "maker" is of the caller's organisation, "maker@coop" of another.
func by(organisation string, persons ...string) tape.Context {
	ctx := tape.Context{Organisation: organisation, Role: "gateway", At: noon, Date: "2026-01-01", Rules: 1, Command: "c", Subject: fund.Subject}
	switch organisation {
	case "charity":
		ctx.Powers = []string{party.Charity}
	case "regulator":
		ctx.Powers = []string{party.Regulator}
	}
	for _, person := range persons {
		name, of, found := strings.Cut(person, "@")
		if !found {
			of = organisation
		}
		ctx.Approvals = append(ctx.Approvals, tape.Approval{Person: tape.ID(name), Organisation: of, Custody: "own", Duty: "staff"})
	}
	return ctx
}

// as gives those who signed another duty.
func as(duty string, ctx tape.Context) tape.Context {
	for i := range ctx.Approvals {
		ctx.Approvals[i].Duty = duty
	}
	return ctx
}

// spelled writes a situation; one whose amounts have no currency, which JSON
// refuses, is written plainly.
func spelled(t *testing.T, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprintf("%+v", value)
	}
	return string(data)
}

// chunk is one chunk of payments and the disbursement whose only one it is.
func chunk(id tape.ID, line tape.ID, payments ...tape.Payment) (fund.Disbursement, []merkle.Node) {
	job, runs, err := tape.NewJob(speech, id, noon+tape.Day, [][]tape.Payment{payments})
	if err != nil {
		panic(err)
	}
	return fund.Disbursement{V: 1, Account: speech, ID: id, Line: line, Amount: job.Amount, Count: int32(len(payments)), Chunks: 1, Root: job.Root, Expires: job.Expires,
		Plan: 1, Maker: tape.Approval{Person: "maker", Organisation: "charity", Custody: "own", Duty: "staff"}, At: noon, Entry: "charity/" + string(id)}, runs[0].Path
}

func pay(line tape.ID, units int64, to tape.AccountID) tape.Payment {
	return tape.Payment{Amount: cny(units), Line: line, To: to}
}

// row is a situation in which a command is refused, for ruletest.Refusals.
type row[S any] struct {
	Change func(*S)
	Want   string
}
