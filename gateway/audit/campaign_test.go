package audit_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// The accounts and payees of the fund trail.
const (
	speech    tape.AccountID = "charity:sunrise:speech"
	similar   tape.AccountID = "charity:sunrise:similar"
	circle    tape.AccountID = "charity:sunrise:circle"
	school    tape.AccountID = "partner:school:speech"
	vault     tape.AccountID = "outside:bank:speech"
	family    tape.AccountID = "outside:household:ddbbcoobeooegjmdolfcpojadccomibn"
	neighbour tape.AccountID = "outside:household:pjjipoagkpkamplohdoaeejnmclbgjid"
	supplier  tape.AccountID = "outside:supplier:s1"
	clerk     tape.AccountID = "outside:staff:c1"
)

// person registers somebody of one organisation at the gateway of another.
func (v *village) person(person tape.ID, organisation, registrar string, custody party.Custody, duty party.Duty) {
	v.t.Helper()
	key := v.key(person)
	proof, err := sign.Possession(key, v.ledger, party.Possession{Person: person, Custody: custody, Duty: duty, Organisation: organisation, Registrar: registrar})
	must(v.t, proof, err)
	v.by(registrar, "Party:Register", party.RegisterCommand{Address: sign.Address(key), Custody: custody, Duty: duty, ID: "register-" + person,
		Organisation: organisation, Person: person, Proof: proof})
	v.by(organisation, "Party:Witness", party.WitnessCommand{Address: sign.Address(key), Duty: duty, ID: "witness-" + person, Person: person})
}

// noAmount is that of a command that no money is about.
const noAmount = -1

// envelope is a command with the intents of persons.
type envelope struct {
	Command json.RawMessage `json:"command"`
	Intents []party.Intent  `json:"intents"`
}

func (v *village) signedBy(action string, account tape.AccountID, amount int64, command any, persons ...tape.ID) envelope {
	v.t.Helper()
	plain := v.encode(command)
	sealed := envelope{Command: json.RawMessage(plain)}
	sum := cny(amount).String()
	if _, own := command.(fund.NamePublisher); own || amount == noAmount { // what an organisation says of itself has no amount
		sum = ""
	}
	for _, person := range persons {
		v.signed++
		statement := party.Statement{Action: action, Subject: string(account), Amount: sum, Command: sha256.Sum256([]byte(plain)),
			Intent: party.IntentID{byte(v.signed), byte(v.signed >> 8), 1}, Deadline: tape.Instant(v.Clock().Add(time.Hour).Truncate(time.Second).UnixMilli())}
		intent, err := sign.Intent(v.key(person), v.ledger, person, statement)
		sealed.Intents = append(sealed.Intents, must(v.t, intent, err))
	}
	return sealed
}

// both is what maker and checker decide about a campaign without moving money.
func (v *village) both(action, function string, account tape.AccountID, command any) {
	v.t.Helper()
	v.by("charity", function, v.signedBy(action, account, 0, command, "maker", "checker"))
}

func planOf(leftover tape.AccountID, lines ...fund.BudgetLine) fund.Plan {
	p := fund.Plan{Area: "CN-53", Beneficiaries: fund.Text{En: "30 children"}, From: "2025-12-01", To: "2026-12-31", Goal: cny(0), Leftover: leftover,
		ManagementPartsPerMillion: 100_000, Purpose: fund.Text{En: "Speech training"}, Regulator: "regulator", Sector: "12220", Title: fund.Text{En: "Speech training"}, Lines: lines}
	for _, line := range lines {
		p.Goal.Units += line.Amount.Units
	}
	return p
}

func budgetLine(id tape.ID, kind string, units int64) fund.BudgetLine {
	return fund.BudgetLine{Amount: cny(units), ID: id, Kind: kind, Title: fund.Text{En: string(id)}}
}

func (v *village) openCampaign(account tape.AccountID, basis fund.Basis, parent tape.AccountID, plan fund.Plan) {
	v.t.Helper()
	v.both("open-campaign", "Fund:OpenCampaign", account, fund.OpenCampaign{Account: account, Basis: basis, Custodian: vault, ID: openIDOf(account), Parent: parent, Plan: plan})
}

func openIDOf(account tape.AccountID) tape.ID {
	return "open-" + tape.ID(merkle.Hash(sha256.Sum256([]byte(account))).String()[:16])
}

// withDonor is the plan of an agreement: h1 gave the money.
func withDonor(plan fund.Plan) fund.Plan {
	plan.Donors = []tape.ID{"h1"}
	return plan
}

// campaign gives nearly every command of the fund once.
func (v *village) campaign() {
	v.t.Helper()
	for _, one := range []struct {
		person       tape.ID
		organisation string
		custody      party.Custody
		duty         party.Duty
	}{{"inspector", "regulator", party.Own, party.DutyStaff}, {"h1", "charity", party.Card, party.DutyMember}, {"h2", "charity", party.AgentHeld, party.DutyMember},
		{"agent", "charity", party.Own, party.DutyAgent}, {"trader", "charity", party.GatewayHeld, party.DutyMember}} {
		v.person(one.person, one.organisation, "coop", one.custody, one.duty)
	}
	v.openCampaign(speech, fund.Filing, "", planOf(similar, budgetLine("training", fund.Programme, 80_000), budgetLine("office", fund.Management, 20_000)))
	v.openCampaign(circle, fund.Agreement, "", withDonor(planOf(similar, budgetLine("training", fund.Programme, 10_000))))
	v.receive(circle, "cash", giftsOf("cash", 700))
	v.by("charity", "Fund:Declare", v.signedBy("declare", circle, 700, fund.Declare{Account: circle, ID: "declare-cash", Page: "cash"}, "maker", "checker"))
	v.openCampaign(similar, fund.Filing, "", planOf(speech, budgetLine("training", fund.Programme, 80_000)))
	v.receive(speech, "s", giftsOf("s", 10_000, 5_000, 2_500))
	v.speechStatement("in", "", 0, tape.CreditSide, linesOf("s", 1, 10_000, 5_000, 2_500))
	v.by("charity", "Tape:Settle", tape.Settle{Account: speech, ID: "settle-s", Items: []tape.SettleItem{{Source: "s", Lines: &tape.LinesRef{Statement: "in"}}}})
	v.by("regulator", "Fund:AcceptFiling", v.signedBy("accept-filing", speech, 0, fund.AcceptFiling{Account: speech, ID: "file-1", Number: "53000020261",
		Plan: "charity/" + string(openIDOf(speech))}, "inspector"))
	v.both("invite", "Fund:Invite", speech, fund.Invite{Account: speech, ID: "invite-school", Partner: school})
	v.openCampaign(school, fund.Grant, speech, planOf(speech, budgetLine("lessons", fund.Programme, 5_000)))
	v.enrolled()
	v.trained()
	v.givenBack()
	v.published()
	v.ended()
}

// speechStatement files a statement of one page for the campaign's bank account.
func (v *village) speechStatement(id, previous tape.ID, opening int64, side tape.Side, lines []tape.Line) {
	v.t.Helper()
	page, _, err := tape.LinesBody(side, lines)
	must(v.t, page, err)
	closing := opening + page.Total.Units
	if side == tape.DebitSide {
		closing = opening - page.Total.Units
	}
	v.by("bank", "Tape:FileStatement", tape.FileStatement{Account: vault, ID: id, Previous: previous, From: "2026-01-01", To: "2026-01-01", Count: int32(len(lines)),
		Opening: cny(opening), Closing: cny(closing), Pages: []tape.LinesPage{page}})
	v.by("bank", "Tape:FileLines", tape.FileLines{Account: vault, ID: "speech-" + id, Lines: lines, Statement: id})
}

func (v *village) enrolled() {
	v.t.Helper()
	v.both("appoint-agent", "Fund:AppointAgent", speech, fund.AppointAgent{Account: speech, ID: "appoint", PayeesMax: 2, Person: "agent"})
	v.by("charity", "Fund:Enrol", v.signedBy("enrol", speech, 0, fund.Enrol{Account: speech, Agent: "agent", ID: "enrol-agent", Payees: []fund.NewPayee{
		{Kind: fund.Household, Payee: family, Person: "h1"}, {Kind: fund.Household, Payee: neighbour, Person: "h2"}}}, "agent"))
	v.by("charity", "Fund:Enrol", v.signedBy("enrol", speech, 0, fund.Enrol{Account: speech, ID: "enrol-own", Payees: []fund.NewPayee{
		{Kind: fund.Supplier, Payee: supplier}, {Kind: fund.Staff, Payee: clerk}}}, "maker"))
	v.by("regulator", "Fund:SetFlag", v.signedBy("set-flag", speech, 0, fund.SetFlag{Account: speech, ID: "flag-up", Payee: family, Raise: true, Reason: "complaint"}, "inspector"))
	v.by("regulator", "Fund:SetFlag", v.signedBy("set-flag", speech, 0, fund.SetFlag{Account: speech, ID: "flag-down", Payee: family, Reason: "cleared"}, "inspector"))
	v.by("charity", "Fund:SetFlag", v.signedBy("set-flag", speech, 0, fund.SetFlag{Account: speech, ID: "own-up", Payee: neighbour, Raise: true, Reason: "device"}, "maker"))
	v.both("set-flag", "Fund:SetFlag", speech, fund.SetFlag{Account: speech, ID: "own-down", Payee: neighbour, Reason: "cleared"})
	v.by("charity", "Fund:Enrol", v.signedBy("enrol", speech, 0, fund.Enrol{Account: speech, ID: "enrol-key", Payees: []fund.NewPayee{
		{Kind: fund.Supplier, Payee: supplier, Person: "trader"}}}, "maker"))
	v.by("charity", "Fund:CallBackPayee", v.signedBy("call-back-payee", speech, 0, fund.CallBackPayee{Account: speech, ID: "call-1", Outcome: "confirmed", Payee: family}, "maker"))
}

// plannedPayout is a disbursement on its way: its commands, in their order.
type plannedPayout struct {
	propose fund.Propose
	lists   []fund.List
	pays    []fund.Pay
}

func (v *village) planned(id, line tape.ID, chunks ...[]tape.Payment) plannedPayout {
	v.t.Helper()
	job, runs, err := tape.NewJob(speech, id, tape.Instant(v.Clock().UnixMilli())+10*tape.Day, chunks)
	must(v.t, job, err)
	p := plannedPayout{propose: fund.Propose{Account: speech, Amount: job.Amount, Chunks: job.Chunks, Expires: job.Expires, ID: id, Line: line, Root: job.Root}}
	for n, run := range runs {
		p.propose.Count += int32(len(chunks[n]))
		name := id + "-" + tape.ID([]string{"first", "second"}[n])
		p.lists = append(p.lists, fund.List{Account: speech, Disbursement: id, ID: name + "-list", Lines: run.Lines, N: run.N, Path: run.Path})
		p.pays = append(p.pays, fund.Pay{Account: speech, Disbursement: id, ID: name + "-pay", Lines: run.Lines, N: run.N, Path: run.Path})
	}
	return p
}

// approved proposes, lists and approves.
func (v *village) approved(id, line tape.ID, chunks ...[]tape.Payment) plannedPayout {
	v.t.Helper()
	p := v.planned(id, line, chunks...)
	v.by("charity", "Fund:Propose", v.signedBy("propose", speech, p.propose.Amount.Units, p.propose, "maker"))
	for _, list := range p.lists {
		v.by("charity", "Fund:List", list)
	}
	v.by("charity", "Fund:Approve", v.signedBy("approve", speech, p.propose.Amount.Units, fund.Approve{Account: speech, Disbursement: id, ID: id + "-yes"}, "checker"))
	return p
}

func orderOf(p plannedPayout) fund.Order {
	return fund.Order{Account: speech, Approvers: []tape.ID{"checker"}, Disbursement: p.propose.ID, ID: p.propose.ID + "-order"}
}

func payTo(line tape.ID, units int64, to tape.AccountID) tape.Payment {
	return tape.Payment{Amount: cny(units), Line: line, To: to}
}

// trained pays two chunks: two families and a supplier, and a partner's grant.
func (v *village) trained() {
	v.t.Helper()
	p := v.approved("d1", "training", []tape.Payment{payTo("a", 6_000, family), payTo("b", 1_500, neighbour), payTo("c", 500, supplier)}, []tape.Payment{payTo("d", 1_000, school)})
	v.by("charity", "Fund:Order", orderOf(p))
	for _, pay := range p.pays {
		v.by("charity", "Fund:Pay", pay)
	}
	v.by("charity", "Tape:Settle", tape.Settle{Account: school, ID: "settle-school", Items: []tape.SettleItem{{Source: "charity/d1-second-pay/0"}}})
	confirm := fund.Confirm{Account: speech, Amount: cny(6_000), Hold: "d1.0.0", ID: "dispute-1", Outcome: fund.Disputed, Reason: "late"}
	v.by("insurer", "Fund:Confirm", v.signedBy("confirm", speech, 6_000, confirm, "h1"))
	dispute := fund.Confirm{Account: speech, Amount: cny(500), Hold: "d1.0.2", ID: "dispute-2", Outcome: fund.Disputed, Reason: "not-arrived"}
	v.by("insurer", "Fund:Confirm", v.signedBy("confirm", speech, 500, dispute, "trader"))
	debits := linesOf("out", 1, 6_000, 1_500)
	v.speechStatement("out", "in", 17_500, tape.DebitSide, debits)
	for n, hold := range []tape.ID{"d1.0.0", "d1.0.1"} {
		proof, err := tape.NewLineProof("out", 0, debits, n)
		must(v.t, proof, err)
		v.by("bank", "Tape:Capture", tape.Capture{Account: speech, Amount: debits[n].Amount, Hold: hold, ID: "capture-" + hold, Line: &proof})
	}
	confirm.ID, confirm.Outcome, confirm.Reason = "arrived-1", fund.Arrived, ""
	v.by("bank", "Fund:Confirm", v.signedBy("confirm", speech, 6_000, confirm, "h1"))
	v.by("charity", "Fund:CloseDisbursement", fund.CloseDisbursement{Account: speech, Disbursement: "d1", ID: "close-d1"})
}

// givenBack orders three that come to nothing: one is released, one abandoned, one rejected.
func (v *village) givenBack() {
	v.t.Helper()
	p := v.approved("d2", "office", []tape.Payment{payTo("a", 1_750, clerk)})
	v.by("charity", "Fund:Order", orderOf(p))
	v.by("charity", "Fund:Pay", p.pays[0])
	v.by("charity", "Tape:Release", v.signedBy("release", speech, 1_750, tape.Release{Account: speech, Hold: "d2.0.0", ID: "release-d2"}, "maker", "checker"))
	v.by("charity", "Tape:Reclaim", tape.Reclaim{Account: speech, Holds: []tape.ID{"d2.0.0"}, ID: "reclaim-d2"})
	v.by("charity", "Fund:Restore", fund.Restore{Account: speech, Disbursement: "d2", Hold: "d2.0.0", ID: "restore-d2"})
	v.by("charity", "Fund:Order", orderOf(v.approved("d3", "training", []tape.Payment{payTo("a", 300, supplier)})))
	v.by("charity", "Fund:CloseDisbursement", fund.CloseDisbursement{Abandon: true, Account: speech, Disbursement: "d3", ID: "close-d3"})
	v.approved("d4", "training", []tape.Payment{payTo("a", 300, supplier)})
	v.by("charity", "Fund:Reject", v.signedBy("reject", speech, 300, fund.Reject{Account: speech, Disbursement: "d4", ID: "no-d4", Reason: "budget"}, "checker"))
}

// theater is a second partner.
const theater tape.AccountID = "partner:theater:speech"

// wentHome pays a second partner out of two lines, who uses none of it and brings
// it home in two parts.
func (v *village) wentHome() {
	v.t.Helper()
	amended := planOf(similar, budgetLine("training", fund.Programme, 80_000), budgetLine("office", fund.Management, 15_000), budgetLine("travel", fund.Programme, 300))
	v.both("amend-campaign", "Fund:AmendCampaign", speech, fund.AmendCampaign{Account: speech, ID: "amend-2", Plan: amended})
	v.by("regulator", "Fund:AcceptFiling", v.signedBy("accept-filing", speech, 0, fund.AcceptFiling{Account: speech, ID: "file-3", Number: "53000020263", Plan: "charity/amend-2"}, "inspector"))
	v.both("invite", "Fund:Invite", speech, fund.Invite{Account: speech, ID: "invite-theater", Partner: theater})
	v.openCampaign(theater, fund.Grant, speech, planOf(speech, budgetLine("plays", fund.Programme, 5_000)))
	var sources []tape.SettleItem
	for _, one := range []struct {
		id, line tape.ID
		units    []int64
	}{{"t1", "training", []int64{400, 200}}, {"t2", "travel", []int64{300}}, {"t3", "training", []int64{100}}} {
		var payments []tape.Payment
		for i, units := range one.units {
			payments = append(payments, payTo(tape.ID(fmt.Sprint("p", i)), units, theater))
			if one.id != "t3" { // the last comes too late
				sources = append(sources, tape.SettleItem{Source: fmt.Sprintf("charity/%s-first-pay/%d", one.id, i)})
			}
		}
		p := v.approved(one.id, one.line, payments)
		v.by("charity", "Fund:Order", orderOf(p))
		v.by("charity", "Fund:Pay", p.pays[0])
	}
	v.by("charity", "Tape:Settle", tape.Settle{Account: theater, ID: "settle-theater", Items: sources})
	v.both("close-campaign", "Fund:CloseCampaign", theater, fund.CloseCampaign{Account: theater, ID: "close-theater"})
	v.carriedHome("carry-theater", 900)
	v.by("charity", "Tape:Settle", tape.Settle{Account: theater, ID: "settle-late", Items: []tape.SettleItem{{Source: "charity/t3-first-pay/0"}}})
	v.carriedHome("carry-late", 100)
}

func (v *village) carriedHome(id tape.ID, units int64) {
	v.t.Helper()
	v.by("charity", "Fund:Carry", v.signedBy("carry", theater, units, fund.Carry{Account: theater, Amount: cny(units), ID: id}, "maker", "checker"))
	v.by("charity", "Tape:Settle", tape.Settle{Account: speech, ID: "settle-" + id, Items: []tape.SettleItem{{Source: "charity/" + string(id) + "/0"}}})
}

// last is the number of the last block, today the ledger's day.
func (v *village) last() int32 { return int32(len(v.chain())) - 1 }

func (v *village) today() tape.Date {
	return tape.Date(v.Clock().UTC().Add(8 * time.Hour).Format(time.DateOnly))
}

func (v *village) published() {
	v.t.Helper()
	publish := fund.Publish{Account: speech, Block: v.last(), Document: merkle.Hash{7}, Duty: "progress", From: "2025-12-01", ID: "pub-1", N: 1, To: v.today(),
		Figures: fund.Figures{Raised: cny(17_500), Settled: cny(17_500), Ordered: cny(9_000), Paid: cny(8_500), Confirmed: cny(6_000), Management: cny(0)}}
	v.by("charity", "Fund:Publish", v.signedBy("publish", speech, 0, publish, "maker"))
	publish.ID, publish.N, publish.Document = "pub-2", 2, merkle.Hash{8}
	v.by("charity", "Fund:Publish", v.signedBy("publish", speech, 0, publish, "maker"))
	v.by("charity", "Fund:Cite", v.signedBy("cite", speech, 0, fund.Cite{Account: speech, Evidence: []fund.Citation{{Hash: merkle.Hash{9}, Kind: "photo"}}, For: "charity/pub-1", ID: "cite-1"}, "maker"))
	v.by("charity", "Fund:RecordPledge", fund.RecordPledge{Account: speech, Amount: cny(5_000), Due: "2026-03-01", ID: "pledge-1"})
	gift, err := tape.NewGiftProof("s", giftsOf("s", 10_000, 5_000, 2_500), 1)
	must(v.t, gift, err)
	v.by("charity", "Fund:SettlePledge", fund.SettlePledge{Account: speech, Gift: &gift, ID: "kept-1", Pledge: "pledge-1"})
	v.by("charity", "Fund:ReceiveGoods", v.signedBy("receive-goods", speech, 0, fund.ReceiveGoods{Account: speech, ID: "rice", Item: "rice", Quantity: 500, Unit: "kg"}, "maker"))
	v.both("give-goods", "Fund:GiveGoods", speech, fund.GiveGoods{Account: speech, Goods: "rice", ID: "give-1", Quantity: 200, To: family})
}

// ended amends a plan, flags somebody by a call-back, and carries a grant's remainder back.
func (v *village) ended() {
	v.t.Helper()
	amended := planOf(similar, budgetLine("training", fund.Programme, 85_000), budgetLine("office", fund.Management, 15_000))
	v.both("amend-campaign", "Fund:AmendCampaign", speech, fund.AmendCampaign{Account: speech, ID: "amend-1", Plan: amended})
	v.by("regulator", "Fund:AcceptFiling", v.signedBy("accept-filing", speech, 0, fund.AcceptFiling{Account: speech, ID: "file-2", Number: "53000020262", Plan: "charity/amend-1"}, "inspector"))
	v.by("charity", "Fund:CallBackPayee", v.signedBy("call-back-payee", speech, 0, fund.CallBackPayee{Account: speech, ID: "call-2", Outcome: "denied", Payee: neighbour}, "maker"))
	other := withDonor(planOf(similar, budgetLine("training", fund.Programme, 10_000)))
	other.Purpose.En = "Hearing aids"
	v.by("charity", "Fund:AmendCampaign", v.signedBy("amend-campaign", circle, 0, fund.AmendCampaign{Account: circle, ID: "amend-circle", Plan: other}, "maker", "checker", "h1"))
	v.both("replace-person", "Fund:ReplacePerson", speech, fund.ReplacePerson{Account: speech, ID: "replace-1", Payee: supplier, Person: "h2", Reason: "mistake"})
	v.both("close-campaign", "Fund:CloseCampaign", school, fund.CloseCampaign{Account: school, ID: "close-school"})
	v.by("charity", "Fund:Carry", v.signedBy("carry", school, 1_000, fund.Carry{Account: school, Amount: cny(1_000), ID: "carry-school"}, "maker", "checker"))
	v.by("charity", "Tape:Settle", tape.Settle{Account: speech, ID: "settle-rest", Items: []tape.SettleItem{{Source: "charity/carry-school/0"}}})
	v.both("invite", "Fund:Invite", speech, fund.Invite{Account: speech, ID: "uninvite-school", Partner: school, Withdraw: true})
	imprint := fund.Imprint{Identifier: "XE-EXAMPLE-sunrise", Kind: "public-foundation", Language: "en", Name: fund.Text{En: "Sunrise (invented)"}, Prefix: "360G-example", Type: "22"}
	v.both("name-publisher", "Fund:NamePublisher", "charity", fund.NamePublisher{ID: "name-1", Imprint: imprint, Organisation: "charity"})
	imprint.Identifier = "XE-EXAMPLE-dawn"
	v.both("name-publisher", "Fund:NamePublisher", "charity", fund.NamePublisher{ID: "name-2", Imprint: imprint, Organisation: "charity"})
}
