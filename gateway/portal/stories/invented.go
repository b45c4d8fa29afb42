package stories

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// The invented accounts.
const (
	training = tape.AccountID("charity:sunrise:training")
	bank     = tape.AccountID("outside:bank:sunrise-1")
	partner  = tape.AccountID("charity:river:travel")
	long     = tape.AccountID("charity:the-society-for-very-long-names1:and-a-purpose-of-thirty-two-char:4f7a19c2e8b3")
	flood    = tape.AccountID("charity:relief:flood")
)

func yuan(text string) money.Amount { return parsed(text + " CNY") }

func dong(text string) money.Amount { return parsed(text + " VND") }

// parsed reads an amount of a story; a misspelt one is a fault of the story.
func parsed(text string) money.Amount {
	amount, err := money.Parse(text)
	if err != nil {
		panic(err)
	}
	return amount
}

func at(text string) tape.Instant {
	moment, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return tape.Instant(moment.UnixMilli())
}

func hash(seed string) string { return strings.Repeat(fmt.Sprintf("%x", seed+"lianbao"), 9)[:64] }

func text(english, chinese string) views.Text { return views.Text{English: english, Chinese: chinese} }

var approvals = []tape.Approval{
	{Person: "p-7c1f", Organisation: "charity", Custody: "card", Duty: "staff", Intent: hash("intent 1")[:32]},
	{Person: "p-92ab", Organisation: "charity", Custody: "own", Duty: "staff", Intent: hash("intent 2")[:32]},
}

func step(kind, entry, when string, block uint64, evidence ...tape.Evidence) views.ProofStep {
	s := views.ProofStep{Entry: entry, Kind: kind, At: at(when), Organisation: strings.Split(entry, "/")[0], Role: "gateway", Block: block,
		Transaction: hash(entry), Endorsers: []string{"bank", "charity", "coop"}, Evidence: evidence}
	if kind == "hold" || kind == "spend" || kind == "declare" {
		s.Approvals = approvals
	}
	return s
}

var bankLine = tape.Evidence{Kind: "statement", Reference: "lines/" + string(bank) + "/2026-03/0", Line: 17}

func proof(command string, steps ...views.ProofStep) *views.Proof {
	return &views.Proof{Steps: steps, Command: command}
}

func entryRows() []views.EntryRow {
	amount, paid := yuan("412300.00"), yuan("62.00")
	return []views.EntryRow{
		{Entry: "bank/capture-311", Kind: "capture", Subject: string(training), Date: "2026-03-03", At: at("2026-03-03 09:57"), Block: 212, Amount: &paid},
		{Entry: "charity/settle-88", Kind: "settle", Subject: string(training), Date: "2026-03-02", At: at("2026-03-02 16:20"), Block: 209, Amount: &amount},
		{Entry: "bank/statement-2026-03", Kind: "file-statement", Subject: string(bank), Date: "2026-03-02", At: at("2026-03-02 16:01"), Block: 207},
		{Entry: "charity/later-kind", Kind: "something-newer", Subject: string(training), Date: "2026-03-01", At: at("2026-03-01 08:00"), Block: 203},
	}
}

func facts() *views.CampaignFacts {
	goal := yuan("600000.00")
	return &views.CampaignFacts{
		Title:   text("Speech training for 30 children", "三十名儿童言语康复训练"),
		Purpose: text("Two years of speech training, and the way there, for children of invented families in three invented villages.", "为三个虚构村庄的虚构家庭儿童提供两年言语康复训练及交通费用。"),
		Area:    text("Three villages of Qinghe county (invented)", "清河县三个村（虚构）"),
		From:    "2025-12-01", To: "2026-11-30", Filing: "53330000MJ8800001XA26001", Goal: &goal,
		Beneficiaries: text("30 children of invented families", "三十名虚构家庭的儿童"), State: "active", Basis: "filing", Regulator: "regulator", Leftover: "charity:sunrise:care", Cap: 1000, Pending: true,
		Budget: []views.Budget{
			{ID: "training", Kind: "programme", Title: text("Training", "康复训练"), Planned: yuan("450000.00"), Ordered: yuan("30000.00"), Paid: yuan("240000.00"), Confirmed: yuan("230400.00"), CameBack: yuan("1900.00"), Recovered: yuan("1200.00"), Left: yuan("180000.00"), Payees: 24},
			{ID: "travel", Kind: "programme", Title: text("Travel", "交通补助"), Planned: yuan("90000.00"), Ordered: yuan("4120.00"), Paid: yuan("48780.00"), Confirmed: yuan("48000.00"), CameBack: yuan("300.00"), Left: yuan("37100.00"), Payees: 24},
			{ID: "management", Kind: "management", Title: text("Management", "管理费用"), Planned: yuan("60000.00"), Ordered: yuan("0.00"), Paid: yuan("12220.00"), Confirmed: yuan("10000.00"), CameBack: yuan("0.00"), Left: yuan("47780.00"), Payees: 1},
		},
		Clock: []views.Duty{
			{Key: "first-report", Due: "2026-03-01", Days: -9, Done: true, Entry: "charity/publish-1", Source: "Charity Law art. 79"},
			{Key: "three-monthly", Due: "2026-03-22", Days: 12, Source: "Charity Law art. 79"},
			{Key: "annual-report", Due: "2026-03-09", Days: -1, Source: "Charity Law art. 13, 78; Order 81"},
			{Key: "filing", Due: "2025-11-21", Days: -109, Done: true, Late: true, Source: "Charity Law art. 24; Measures on public fundraising, Order 74, art. 11"},
			{Key: "final-report", Due: "2027-02-28", Days: 355, Source: "Charity Law art. 79"},
		},
		Ratios: []views.Ratio{
			{Key: "management", Share: 406, Limit: 1000, Part: yuan("12220.00"), Whole: yuan("301000.00"), Source: "Charity Law art. 61"},
			{Key: "spending", Share: 6500, Limit: 7000, Least: true, Part: yuan("268000.00"), Whole: yuan("412300.00"), Source: "Charity Law art. 61"},
		},
		Publications: []views.Publication{{N: 1, Duty: "three-monthly", From: "2025-12-01", To: "2026-02-27", Date: "2026-02-27", Entry: "charity/publish-1", Hash: hash("report")}},
		Late:         []views.Late{{Page: "page-9", Total: yuan("14180.00"), Count: 41, Since: "2026-02-20", Days: 18}}, LateDays: 7,
		Confirmed: yuan("288400.00"), Disputed: yuan("300.00"),
	}
}

func flow() *views.Flow {
	f := facts()
	node := func(id string, column int, key string, amount money.Amount, tone string) views.FlowNode {
		return views.FlowNode{ID: id, Column: column, Key: key, Amount: amount, Rows: "/campaigns/" + string(training) + "/payouts", Tone: tone}
	}
	nodes := []views.FlowNode{
		node("gifts", 0, "gifts", yuan("348120.00"), ""),
		{ID: "county", Column: 0, Account: "county:qinghe:welfare", Amount: yuan("50000.00"), Rows: "/accounts/" + string(training) + "/inflows"},
		{ID: "campaign", Column: 1, Title: &f.Title, Amount: yuan("398120.00"), Rows: "/accounts/" + string(training) + "/settlements"},
		{ID: "training", Column: 2, Title: &f.Budget[0].Title, Amount: yuan("270000.00"), Rows: "/campaigns/" + string(training) + "/payouts"},
		{ID: "travel", Column: 2, Title: &f.Budget[1].Title, Amount: yuan("52900.00"), Rows: "/campaigns/" + string(training) + "/payouts"},
		{ID: "management", Column: 2, Title: &f.Budget[2].Title, Amount: yuan("12220.00"), Rows: "/campaigns/" + string(training) + "/payouts"},
		node("free", 2, "free", yuan("62900.00"), "waits"), node("given-back", 2, "given-back", yuan("100.00"), "failed"),
		node("h1", 3, "households", yuan("240000.00"), "done"), node("h2", 3, "households", yuan("48780.00"), "done"), node("h3", 3, "paid", yuan("12220.00"), "done"),
		node("ordered", 3, "ordered", yuan("34120.00"), "waits"),
	}
	nodes[8].Count, nodes[9].Count = 24, 1
	link := func(from, to, amount string) views.FlowLink {
		return views.FlowLink{From: from, To: to, Amount: yuan(amount)}
	}
	return &views.Flow{Nodes: nodes, Links: []views.FlowLink{link("gifts", "campaign", "348120.00"), link("county", "campaign", "50000.00"),
		link("campaign", "training", "270000.00"), link("campaign", "travel", "52900.00"), link("campaign", "management", "12220.00"),
		link("campaign", "free", "62900.00"), link("campaign", "given-back", "100.00"), link("training", "h1", "240000.00"), link("travel", "h2", "48780.00"),
		link("management", "h3", "12220.00"), link("training", "ordered", "30000.00"), link("travel", "ordered", "4120.00")}}
}

func giftRows(n int) []views.GiftRow {
	states := []readmodel.GiftState{readmodel.GiftSettled, readmodel.GiftPending, readmodel.GiftUnmatched}
	var rows []views.GiftRow
	for i := range n {
		rows = append(rows, views.GiftRow{ID: tape.ID(fmt.Sprintf("GIFT-7Q2F-%d", 31+i)), Account: training, Page: "page-12", Amount: yuan(fmt.Sprintf("%d.00", 100*(i+1))),
			State: states[i%len(states)], At: at("2026-02-14 03:20")})
	}
	return rows
}

func payoutRows() []views.PayoutRow {
	row := func(id, amount, paid, back string, state views.PayoutState, confirmation *views.Confirmation) views.PayoutRow {
		return views.PayoutRow{Account: training, Hold: tape.ID(id), To: "outside:payee:h-" + tape.AccountID(id[len(id)-3:]), Amount: yuan(amount), Paid: yuan(paid), Returned: yuan(back),
			State: state, Expires: at("2026-04-30 00:00"), Entry: "charity/order-17", Confirmation: confirmation, Reference: donation.ReferenceOfPayout(training, tape.ID(id)).Grouped()}
	}
	return []views.PayoutRow{
		row("pay-101", "1000.00", "1000.00", "0.00", views.PayoutPaid, &views.Confirmation{State: "confirmed", Date: "2026-03-04", Custody: "own", Entry: "charity/confirm-1"}),
		row("pay-102", "1000.00", "1000.00", "0.00", views.PayoutPaid, &views.Confirmation{State: "disputed", Date: "2026-03-04", Custody: "card", Guardian: true, Entry: "charity/dispute-1"}),
		row("pay-103", "1000.00", "0.00", "0.00", views.PayoutOrdered, nil), row("pay-104", "1000.00", "400.00", "0.00", views.PayoutPartPaid, nil),
		row("pay-105", "1000.00", "0.00", "1000.00", views.PayoutReturned, nil), row("pay-106", "1000.00", "0.00", "0.00", views.PayoutReleased, nil),
		row("pay-107", "1000.00", "0.00", "0.00", views.PayoutTaken, nil),
	}
}

func invented(kind string) readmodel.Entry {
	e := readmodel.Entry{Entry: tape.Entry{V: 1, ID: "order-17", Organisation: "charity", Role: "gateway", Kind: kind, Subject: string(training), At: at("2026-03-01 09:00"),
		BusinessDate: "2026-03-01", Rules: 1, Command: hash("command"), Intents: approvals}, Block: 205, Transaction: hash("charity/order-17")}
	e.Verbatim, _ = json.Marshal(e.Entry) // an entry always can be written
	return e
}
