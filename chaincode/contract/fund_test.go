package contract_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	speech  = tape.AccountID("charity:sunrise:speech")
	similar = tape.AccountID("charity:sunrise:children")
	school  = tape.AccountID("partner:school:speech")
	family  = tape.AccountID("outside:household:ddbbcoobeooegjmdolfcpojadccomibn")
	shop    = tape.AccountID("outside:supplier:s1")
	clerk   = tape.AccountID("outside:staff:c1")
)

// plan is that of a campaign of 1,000.00 CNY.
func plan(leftover tape.AccountID) fund.Plan {
	return fund.Plan{Area: "CN-53", Beneficiaries: fund.Text{En: "30 children"}, From: "2025-12-01", To: "2026-12-31", Goal: cny(100000),
		Leftover: leftover, ManagementPartsPerMillion: 100_000, Purpose: fund.Text{Zh: "言语训练", En: "Speech training"}, Regulator: "regulator", Sector: "12220",
		Title: fund.Text{En: "Speech training for 30 children"}, Lines: []fund.BudgetLine{
			{Amount: cny(80000), ID: "training", Kind: fund.Programme, Title: fund.Text{En: "Training"}},
			{Amount: cny(20000), ID: "office", Kind: fund.Management, Title: fund.Text{En: "Office"}}}}
}

func openCampaign(account tape.AccountID, basis fund.Basis, p fund.Plan) fund.OpenCampaign {
	return fund.OpenCampaign{Account: account, Basis: basis, Custodian: bankAccount, ID: openID(account), Plan: p}
}

func openID(account tape.AccountID) tape.ID { return open(account).ID }

// decided signs a command of the fund that moves no money.
func (w *world) decided(action string, account tape.AccountID, command any, persons ...tape.ID) string {
	return w.signed(action, account, cny(0), command, persons...)
}

var staff = []tape.ID{"charity-maker", "charity-checker"}

// campaign opens a filed campaign with 175.00 CNY settled.
func (w *world) campaign() {
	w.Helper()
	w.must("charity", "Fund:OpenCampaign", w.decided("open-campaign", speech, openCampaign(speech, fund.Filing, plan(similar)), staff...))
	w.must("charity", "Tape:Receive", page(speech, "page-1", gift(1, 10000), gift(2, 5000), gift(3, 2500)))
	w.file("s1", "", 0, side{tape.CreditSide, []tape.Line{line(1, 10000), line(2, 5000), line(3, 2500)}})
	w.must("charity", "Tape:Settle", tape.Settle{Account: speech, ID: "settle-1", Items: []tape.SettleItem{{Source: "page-1", Lines: &tape.LinesRef{Statement: "s1"}}}})
	w.must("regulator", "Fund:AcceptFiling", w.decided("accept-filing", speech,
		fund.AcceptFiling{Account: speech, ID: "file-1", Number: "53000020261", Plan: "charity/" + string(openID(speech))}, "regulator-maker"))
}

// enrolled puts a household with its own key, a supplier and a clerk on the list.
func (w *world) enrolled() {
	w.Helper()
	w.enlist("h1", party.DutyMember, "charity", "coop")
	w.must("charity", "Fund:Enrol", w.decided("enrol", speech, fund.Enrol{Account: speech, ID: "enrol-1", Payees: []fund.NewPayee{
		{Kind: fund.Household, Payee: family, Person: "h1", BankAccount: reference(77)}, {Kind: fund.Supplier, Payee: shop}, {Kind: fund.Staff, Payee: clerk}}}, "charity-maker"))
}

// proposal is a disbursement of one chunk.
type proposal struct {
	propose fund.Propose
	list    fund.List
	pay     fund.Pay
}

func (w *world) proposal(id, line tape.ID, payments ...tape.Payment) proposal {
	w.Helper()
	return w.proposalOf(speech, id, line, payments...)
}

func (w *world) proposalOf(account tape.AccountID, id, line tape.ID, payments ...tape.Payment) proposal {
	w.Helper()
	job, chunks, err := tape.NewJob(account, id, tape.Instant(w.Clock().UnixMilli())+10*tape.Day, [][]tape.Payment{payments})
	if err != nil {
		w.Fatal(err)
	}
	return proposal{
		fund.Propose{Account: account, Amount: job.Amount, Chunks: 1, Count: int32(len(payments)), Expires: job.Expires, ID: id, Line: line, Root: job.Root},
		fund.List{Account: account, Disbursement: id, ID: id + "-list", Lines: payments, Path: chunks[0].Path},
		fund.Pay{Account: account, Disbursement: id, ID: id + "-pay", Lines: payments, Path: chunks[0].Path}}
}

func (w *world) proposed(id, line tape.ID, payments ...tape.Payment) proposal {
	w.Helper()
	return w.laidOpen(w.proposal(id, line, payments...))
}

// laidOpen is a proposal that its maker has signed and listed.
func (w *world) laidOpen(p proposal) proposal {
	w.Helper()
	w.must("charity", "Fund:Propose", w.signed("propose", p.propose.Account, p.propose.Amount, p.propose, "charity-maker"))
	w.must("charity", "Fund:List", p.list)
	return p
}

func (w *world) approval(p proposal, person tape.ID) string {
	return w.signed("approve", p.propose.Account, p.propose.Amount, fund.Approve{Account: p.propose.Account, Disbursement: p.propose.ID, ID: p.propose.ID + "-ok-" + person}, person)
}

func order(p proposal, persons ...tape.ID) fund.Order {
	return fund.Order{Account: p.propose.Account, Approvers: persons, Disbursement: p.propose.ID, ID: p.propose.ID + "-order"}
}

// ordered takes a proposal through to its payouts.
func (w *world) ordered(id, line tape.ID, payments ...tape.Payment) proposal {
	w.Helper()
	return w.paidOut(w.proposed(id, line, payments...))
}

func (w *world) paidOut(p proposal) proposal {
	w.Helper()
	w.must("charity", "Fund:Approve", w.approval(p, "charity-checker"))
	w.must("charity", "Fund:Order", order(p, "charity-checker"))
	w.must("charity", "Fund:Pay", p.pay)
	return p
}

func payment(line tape.ID, units int64, to tape.AccountID) tape.Payment {
	return tape.Payment{Amount: cny(units), Line: line, To: to}
}

// TestFundTrail takes one campaign from its filing to a household's signature.
func TestFundTrail(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.enrolled()
	w.ordered("d1", "training", payment("a", 6000, family), payment("b", 2000, shop))
	if head := record[tape.Head](w, tape.HeadKey(speech)); head.Spent != 8000 {
		t.Errorf("the head has spent %d", head.Spent)
	}
	if budget := record[fund.Budget](w, fund.BudgetKey(speech)); budget.Lines[0].Units != 8000 || budget.Lines[1].Units != 0 {
		t.Errorf("the budget: %+v", budget)
	}
	hold := record[tape.Hold](w, tape.HoldKey(speech, "d1.0.0"))
	if hold.To != family || hold.Spans[0].String() != "0..6000" {
		t.Errorf("the payout: %+v", hold)
	}
	arrived := fund.Confirm{Account: speech, Amount: cny(6000), Hold: "d1.0.0", ID: "arrived-1", Outcome: fund.Arrived}
	w.refused("wrong-state: field hold: d1.0.0 is not paid: no line of the bank shows it", "insurer", "Fund:Confirm", w.signed("confirm", speech, cny(6000), arrived, "h1"))
	dispute := fund.Confirm{Account: speech, Amount: cny(6000), Hold: "d1.0.0", ID: "dispute-1", Outcome: fund.Disputed, Reason: "not-arrived"}
	w.must("insurer", "Fund:Confirm", w.signed("confirm", speech, cny(6000), dispute, "h1"))
	w.paid("s2", "s1", 17500, "d1.0.0", 6000)
	w.must("bank", "Fund:Confirm", w.signed("confirm", speech, cny(6000), arrived, "h1"))
	if c := record[fund.Confirmation](w, fund.ConfirmationKey(speech, "d1.0.0")); c.Outcome != fund.Arrived || c.By.Custody != "own" || c.Payee != family {
		t.Errorf("the confirmation: %+v", c)
	}
	arrived.ID = "arrived-2"
	w.refused("wrong-state: the receiver confirmed 60.00 CNY", "bank", "Fund:Confirm", w.signed("confirm", speech, cny(6000), arrived, "h1"))
	w.must("charity", "Fund:CloseDisbursement", fund.CloseDisbursement{Account: speech, Disbursement: "d1", ID: "close-d1"})
}

// paid shows a debit line for a hold and captures it.
func (w *world) paid(statement, previous tape.ID, opening int64, hold tape.ID, units int64) {
	w.Helper()
	debits := []tape.Line{line(1, units)}
	w.file(statement, previous, opening, side{tape.DebitSide, debits})
	proof, err := tape.NewLineProof(statement, 0, debits, 0)
	if err != nil {
		w.Fatal(err)
	}
	w.must("bank", "Tape:Capture", tape.Capture{Account: speech, Amount: cny(units), Hold: hold, ID: "capture-" + hold, Line: &proof})
}

// TestFundRefusals: each line is something that nobody may do.
func TestFundRefusals(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.enrolled()
	p := w.proposed("d1", "training", payment("a", 6000, family))
	spend := tape.Spend{Account: speech, ID: "spend-1", Payments: []tape.Payment{payment("a", 1, school)}}
	w.refused("forbidden: charity:sunrise:speech is spent by the commands of fund", "charity", "Tape:OpenJob", w.signed("open-job", speech, cny(6000),
		tape.OpenJob{Account: speech, Amount: cny(6000), Chunks: 1, Expires: p.propose.Expires, ID: "job-1", Root: p.propose.Root}, staff...))
	w.refused("forbidden: charity:sunrise:speech is spent by the commands of fund", "charity", "Tape:Spend", w.signed("spend", speech, cny(1), spend, staff...))
	w.refused("forbidden: charity-maker proposed disbursement d1; another person must approve it", "charity", "Fund:Approve", w.approval(p, "charity-maker"))
	w.refused("not-found: field approvers[0]: charity-checker has not approved", "charity", "Fund:Order", order(p, "charity-checker"))
	w.refused("not-found: field approvers[0]: charity-maker has not approved disbursement d1", "charity", "Fund:Order", fund.Order{Account: speech, Approvers: []tape.ID{"charity-maker"}, Disbursement: "d1", ID: "order-x"})
	for _, c := range []struct {
		want, line string
		payment    tape.Payment
	}{
		{"not-found: field line: the plan of charity:sunrise:speech has no budget line books", "books", payment("a", 100, family)},
		{"insufficient: field amount: line office has 200.00 CNY left", "office", payment("a", 20001, clerk)},
	} {
		bad := w.proposal("bad", tape.ID(c.line), c.payment)
		w.refused(c.want, "charity", "Fund:Propose", w.signed("propose", speech, bad.propose.Amount, bad.propose, "charity-maker"))
	}
	for i, c := range []struct {
		want    string
		line    tape.ID
		payment tape.Payment
	}{
		{"not-found: field lines[0].to: outside:household:kecaghbkndkcembeocccnojpdmjnkknd is not enrolled", "training", payment("a", 100, "outside:household:kecaghbkndkcembeocccnojpdmjnkknd")},
		{"forbidden: field lines[0].to: outside:staff:c1 is staff; line training is for the programme", "training", payment("a", 100, clerk)},
		{"forbidden: field lines[0].to: outside:household:ddbbcoobeooegjmdolfcpojadccomibn is a household; line office is for management", "office", payment("a", 100, family)},
		{"forbidden: field lines[0].to: partner:school:speech is no campaign", "training", payment("a", 100, school)},
	} {
		bad := w.proposal(tape.ID(fmt.Sprint("bad-", i)), c.line, c.payment)
		w.must("charity", "Fund:Propose", w.signed("propose", speech, bad.propose.Amount, bad.propose, "charity-maker"))
		w.refused(c.want, "charity", "Fund:List", bad.list)
		w.refused("wrong-state: chunk 0 of disbursement "+string(bad.propose.ID)+" is not listed yet", "charity", "Fund:Approve", w.approval(bad, "charity-checker"))
	}
	w.managementCap()
	w.flagged(p)
}

// managementCap: 10 % of 175.00 CNY received are 17.50.
func (w *world) managementCap() {
	w.Helper()
	p := w.proposed("cap", "office", payment("a", 1751, clerk))
	w.must("charity", "Fund:Approve", w.approval(p, "charity-checker"))
	w.refused("insufficient: management costs would come to 17.51 CNY; the cap is 17.50 CNY", "charity", "Fund:Order", order(p, "charity-checker"))
	w.must("charity", "Fund:Reject", w.signed("reject", speech, cny(1751), fund.Reject{Account: speech, Disbursement: "cap", ID: "no-cap", Reason: "budget"}, "charity-checker"))
	w.refused("wrong-state: disbursement cap was rejected (budget)", "charity", "Fund:Order", order(p, "charity-checker"))
	w.ordered("cap-2", "office", payment("a", 1750, clerk))
}

// flagged: a payee is flagged between approval and payout.
func (w *world) flagged(p proposal) {
	w.Helper()
	w.must("charity", "Fund:Approve", w.approval(p, "charity-checker"))
	w.must("charity", "Fund:Order", order(p, "charity-checker"))
	raise := fund.SetFlag{Account: speech, ID: "flag-1", Payee: family, Raise: true, Reason: "complaint"}
	w.must("regulator", "Fund:SetFlag", w.decided("set-flag", speech, raise, "regulator-checker"))
	w.refused("forbidden: field lines[0].to: payouts to outside:household:ddbbcoobeooegjmdolfcpojadccomibn are stopped by a flag (complaint), by entry regulator/flag-1", "charity", "Fund:Pay", p.pay)
	lower := fund.SetFlag{Account: speech, ID: "flag-2", Payee: family, Reason: "cleared"}
	w.refused("forbidden: the flag on outside:household:ddbbcoobeooegjmdolfcpojadccomibn is that of regulator, by entry regulator/flag-1; regulator lifts it", "charity", "Fund:SetFlag", w.decided("set-flag", speech, lower, staff...))
	denied := fund.CallBackPayee{Account: speech, ID: "call-1", Outcome: "denied", Payee: family}
	w.refused("forbidden: charity-maker enrolled outside:household:ddbbcoobeooegjmdolfcpojadccomibn and cannot call it back", "charity", "Fund:CallBackPayee", w.decided("call-back-payee", speech, denied, "charity-maker"))
	w.must("charity", "Fund:CallBackPayee", w.decided("call-back-payee", speech, denied, "charity-checker"))
	w.must("charity", "Fund:SetFlag", w.decided("set-flag", speech, lower, staff...))
	w.refused("forbidden: field lines[0].to: payouts to outside:household:ddbbcoobeooegjmdolfcpojadccomibn are stopped by a flag (complaint), by entry regulator/flag-1", "charity", "Fund:Pay", p.pay)
	w.must("regulator", "Fund:SetFlag", w.decided("set-flag", speech, lower, "regulator-maker"))
	lower.Raise, lower.Reason, lower.ID = true, "device", "flag-3"
	w.must("charity", "Fund:SetFlag", w.decided("set-flag", speech, lower, "charity-maker"))
	lower.Raise, lower.Reason, lower.ID = false, "cleared", "flag-4"
	w.refused("forbidden: 2 different persons of the staff must sign", "charity", "Fund:SetFlag", w.decided("set-flag", speech, lower, "charity-maker"))
	w.must("charity", "Fund:SetFlag", w.decided("set-flag", speech, lower, staff...))
	w.must("charity", "Fund:Pay", p.pay)
}

// TestPartnerAndEarmark: money goes on under a plan of its own.
func TestPartnerAndEarmark(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	grant := plan(speech)
	grant.Goal, grant.Lines = cny(5000), []fund.BudgetLine{{Amount: cny(5000), ID: "lessons", Kind: fund.Programme, Title: fund.Text{En: "Lessons"}}}
	opening := openCampaign(school, fund.Grant, grant)
	opening.Parent = speech
	w.refused("forbidden: partner:school:speech is not invited to charity:sunrise:speech", "charity", "Fund:OpenCampaign", w.decided("open-campaign", school, opening, staff...))
	w.must("charity", "Fund:Invite", w.decided("invite", speech, fund.Invite{Account: speech, ID: "invite-1", Partner: school}, staff...))
	w.must("charity", "Fund:OpenCampaign", w.decided("open-campaign", school, opening, staff...))
	entry := w.must("charity", "Fund:Pay", w.approved("d1", payment("a", 5000, school)))
	if len(entry.Postings) != 1 || entry.Postings[0].To != school || entry.Kind != "pay" {
		t.Errorf("the partner's money: %+v", entry)
	}
	w.must("charity", "Tape:Settle", tape.Settle{Account: school, ID: "settle-2", Items: []tape.SettleItem{{Source: entry.Postings[0].Inflow}}})
	w.must("charity", "Fund:Invite", w.decided("invite", speech, fund.Invite{Account: speech, ID: "invite-2", Partner: school, Withdraw: true}, staff...))
	late := w.proposal("d2", "training", payment("a", 100, school))
	w.must("charity", "Fund:Propose", w.signed("propose", speech, late.propose.Amount, late.propose, "charity-maker"))
	w.refused("forbidden: field lines[0].to: partner:school:speech is not invited", "charity", "Fund:List", late.list)
	travel := speech + "-travel"
	marked := plan(speech)
	marked.Goal, marked.Lines = cny(1000), []fund.BudgetLine{{Amount: cny(1000), ID: "office", Kind: fund.Programme, Title: fund.Text{En: "Travel"}}}
	earmark := openCampaign(travel, fund.Earmark, marked)
	earmark.Parent = speech
	w.refused("not-found: field plan.lines[0]: charity:sunrise:speech has no programme line office", "charity", "Fund:OpenCampaign", w.decided("open-campaign", travel, earmark, staff...))
	earmark.Plan.Lines[0].ID = "training"
	w.must("charity", "Fund:OpenCampaign", w.decided("open-campaign", travel, earmark, staff...))
}

// approved is a paid chunk of a disbursement on the training line.
func (w *world) approved(id tape.ID, payments ...tape.Payment) fund.Pay {
	w.Helper()
	p := w.proposed(id, "training", payments...)
	w.must("charity", "Fund:Approve", w.approval(p, "charity-checker"))
	w.must("charity", "Fund:Order", order(p, "charity-checker"))
	return p.pay
}

// TestPlanChanges: a new use of the money needs the regulator, or the donors.
func TestPlanChanges(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	amended := plan(similar)
	amended.Purpose = fund.Text{En: "Hearing aids"}
	amended.Lines[0].ID = "aids"
	w.must("charity", "Fund:AmendCampaign", w.decided("amend-campaign", speech, fund.AmendCampaign{Account: speech, ID: "amend-1", Plan: amended}, staff...))
	if c := record[fund.Campaign](w, fund.CampaignKey(speech)); c.Plan.Purpose.En != "Speech training" || c.Pending == nil {
		t.Errorf("an amended plan took force before its filing: %+v", c)
	}
	filing := fund.AcceptFiling{Account: speech, ID: "file-2", Number: "53000020262", Plan: "charity/other"}
	w.refused("conflict: field plan: is another; the plan that waits came by entry charity/amend-1", "regulator", "Fund:AcceptFiling", w.decided("accept-filing", speech, filing, "regulator-maker"))
	filing.Plan = "charity/amend-1"
	w.refused("forbidden: charity (role gateway) does not accept filings", "charity", "Fund:AcceptFiling", w.decided("accept-filing", speech, filing, "charity-maker"))
	w.must("regulator", "Fund:AcceptFiling", w.decided("accept-filing", speech, filing, "regulator-maker"))
	if c := record[fund.Campaign](w, fund.CampaignKey(speech)); c.Plan.Purpose.En != "Hearing aids" || c.Version != 2 || c.Filing.Number != "53000020262" {
		t.Errorf("the amended plan: %+v", c)
	}
	bound := plan(similar)
	bound.Donors = []tape.ID{"coop-maker"}
	w.must("charity", "Fund:OpenCampaign", w.decided("open-campaign", similar, func() fund.OpenCampaign {
		c := openCampaign(similar, fund.Agreement, bound)
		c.Plan.Leftover = speech
		return c
	}(), staff...))
	other := bound
	other.Leftover, other.Purpose = speech, fund.Text{En: "Books"}
	change := fund.AmendCampaign{Account: similar, ID: "amend-2", Plan: other}
	w.refused("forbidden: field plan: changes the use of the money; donor coop-maker must sign it too", "charity", "Fund:AmendCampaign", w.decided("amend-campaign", similar, change, staff...))
	w.must("charity", "Fund:AmendCampaign", w.decided("amend-campaign", similar, change, append(staff, "coop-maker")...))
}

// TestCloseAndCarry: what is left goes to the campaign that the plan names.
func TestCloseAndCarry(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.must("charity", "Fund:OpenCampaign", w.decided("open-campaign", similar, openCampaign(similar, fund.Filing, plan(speech)), staff...))
	carry := fund.Carry{Account: speech, Amount: cny(17500), ID: "carry-1"}
	w.refused("wrong-state: charity:sunrise:speech is active; close it before", "charity", "Fund:Carry", w.signed("carry", speech, cny(17500), carry, staff...))
	w.must("charity", "Fund:CloseCampaign", w.decided("close-campaign", speech, fund.CloseCampaign{Account: speech, ID: "close-1"}, staff...))
	short := carry
	short.Amount = cny(1)
	w.refused("conflict: field amount: is 0.01 CNY; what is left is 175.00 CNY", "charity", "Fund:Carry", w.signed("carry", speech, cny(1), short, staff...))
	w.must("charity", "Fund:Carry", w.signed("carry", speech, cny(17500), carry, staff...))
	w.must("charity", "Tape:Settle", tape.Settle{Account: similar, ID: "settle-2", Items: []tape.SettleItem{{Source: "charity/carry-1/0"}}})
	late := w.proposal("d1", "training", payment("a", 100, family))
	w.refused("wrong-state: charity:sunrise:speech was closed on", "charity", "Fund:Propose", w.signed("propose", speech, late.propose.Amount, late.propose, "charity-maker"))
}

// TestGrantComesHome: a campaign hands all that it has to a partner, out of two
// lines; what the partner does not need comes home to these lines, in
// proportion, and is spent there again.
func TestGrantComesHome(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.enrolled()
	w.replanned(10000, 5000, 2500)
	w.granting(15000)
	w.ordered("d1", "training", payment("a", 4000, school), payment("b", 6000, school))
	w.ordered("d2", "travel", payment("a", 5000, school))
	w.onLines("training 10000, travel 5000, office 0", "training 10000, travel 5000")
	again := w.proposal("d3", "training", payment("a", 1, family))
	w.refused("insufficient: field amount: line training has 0.00 CNY left of 100.00 CNY; 0.01 CNY was asked", "charity", "Fund:Propose", w.signed("propose", speech, cny(1), again.propose, "charity-maker"))
	w.must("charity", "Tape:Settle", tape.Settle{Account: school, ID: "settle-2", Items: []tape.SettleItem{{Source: "charity/d1-pay/0"}, {Source: "charity/d1-pay/1"}, {Source: "charity/d2-pay/0"}}})
	w.must("charity", "Fund:Enrol", w.decided("enrol", school, fund.Enrol{Account: school, ID: "enrol-2", Payees: []fund.NewPayee{{Kind: fund.Household, Payee: family}}}, "charity-maker"))
	w.paidOut(w.laidOpen(w.proposalOf(school, "e1", "training", payment("a", 5999, family))))
	w.must("charity", "Fund:CloseCampaign", w.decided("close-campaign", school, fund.CloseCampaign{Account: school, ID: "close-1"}, staff...))
	w.must("charity", "Fund:Carry", w.signed("carry", school, cny(9001), fund.Carry{Account: school, Amount: cny(9001), ID: "carry-1"}, staff...))
	// 9,001 of 15,000: 6,000⅔ of 10,000 and 3,000⅓ of 5,000.
	w.onLines("training 3999, travel 2000, office 0", "training 3999, travel 2000")
	again = w.proposed("d4", "training", payment("a", 6001, family))
	w.must("charity", "Fund:Approve", w.approval(again, "charity-checker"))
	w.refused("insufficient: charity:sunrise:speech can spend 25.00 CNY; 60.01 CNY was asked", "charity", "Fund:Order", order(again, "charity-checker"))
	w.must("charity", "Tape:Settle", tape.Settle{Account: speech, ID: "settle-3", Items: []tape.SettleItem{{Source: "charity/carry-1/0"}}})
	w.must("charity", "Fund:Order", order(again, "charity-checker"))
	w.must("charity", "Fund:Pay", again.pay)
	w.onLines("training 10000, travel 2000, office 0", "training 3999, travel 2000")
	// What came home is no gift: management costs are capped as before.
	again = w.proposed("d5", "office", payment("a", 1751, shop))
	w.must("charity", "Fund:Approve", w.approval(again, "charity-checker"))
	w.refused("insufficient: management costs would come to 17.51 CNY; the cap is 17.50 CNY, 100000 parts per million of 175.00 CNY received", "charity", "Fund:Order", order(again, "charity-checker"))
}

// granting invites a partner and opens its grant.
func (w *world) granting(units int64) {
	w.Helper()
	w.must("charity", "Fund:Invite", w.decided("invite", speech, fund.Invite{Account: speech, ID: "invite-1", Partner: school}, staff...))
	opening := openCampaign(school, fund.Grant, plan(speech))
	opening.Parent, opening.Plan.Goal, opening.Plan.Lines = speech, cny(units), opening.Plan.Lines[:1]
	opening.Plan.Lines[0].Amount = cny(units)
	w.must("charity", "Fund:OpenCampaign", w.decided("open-campaign", school, opening, staff...))
}

// replanned gives the campaign three lines of its own.
func (w *world) replanned(training, travel, office int64) {
	w.Helper()
	p := plan(similar)
	p.Goal, p.Lines[0].Amount, p.Lines[1].Amount = cny(training+travel+office), cny(training), cny(office)
	p.Lines = slices.Insert(p.Lines, 1, fund.BudgetLine{Amount: cny(travel), ID: "travel", Kind: fund.Programme, Title: fund.Text{En: "Travel"}})
	w.must("charity", "Fund:AmendCampaign", w.decided("amend-campaign", speech, fund.AmendCampaign{Account: speech, ID: "amend-lines", Plan: p}, staff...))
	w.must("regulator", "Fund:AcceptFiling", w.decided("accept-filing", speech, fund.AcceptFiling{Account: speech, ID: "file-lines", Number: "3", Plan: "charity/amend-lines"}, "regulator-maker"))
}

// onLines compares what the ledger says is ordered on each line, and what of it
// a partner was paid and has not given back.
func (w *world) onLines(ordered, granted string) {
	w.Helper()
	spell := func(lines []fund.Ordered) string {
		var all []string
		for _, line := range lines {
			all = append(all, fmt.Sprintf("%s %d", line.Line, line.Units))
		}
		return strings.Join(all, ", ")
	}
	if got := spell(record[fund.Budget](w, fund.BudgetKey(speech)).Lines); got != ordered {
		w.Errorf("ordered: %s; want %s", got, ordered)
	}
	if got := spell(record[fund.Granted](w, fund.GrantedKey(speech, school)).Lines); got != granted {
		w.Errorf("granted: %s; want %s", got, granted)
	}
}

// TestCustodyOfAConfirmation: a key that somebody else holds confirms nothing.
func TestCustodyOfAConfirmation(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.enlist("h1", party.DutyMember, "charity", "coop")
	for _, custody := range []party.Custody{party.GatewayHeld, party.AgentHeld} {
		w.held(tape.ID("h-"+custody), custody)
	}
	w.must("charity", "Fund:Enrol", w.decided("enrol", speech, fund.Enrol{Account: speech, ID: "enrol-1", Payees: []fund.NewPayee{
		{Kind: fund.Household, Payee: family, Person: "h-gateway-held"}, {Kind: fund.Household, Payee: "outside:household:pjjipoagkpkamplohdoaeejnmclbgjid", Person: "h-agent-held"}, {Kind: fund.Household, Payee: "outside:household:jhplfpifdilijpgmbkmmpnbjidglgfkh"}}}, "charity-maker"))
	w.ordered("d1", "training", payment("a", 100, family), payment("b", 100, "outside:household:pjjipoagkpkamplohdoaeejnmclbgjid"), payment("c", 100, "outside:household:jhplfpifdilijpgmbkmmpnbjidglgfkh"))
	w.paid("s2", "s1", 17500, "d1.0.0", 100)
	confirm := func(hold, person tape.ID) string {
		return w.signed("confirm", speech, cny(100), fund.Confirm{Account: speech, Amount: cny(100), Hold: hold, ID: "ok-" + hold, Outcome: fund.Arrived}, person)
	}
	w.refused("forbidden: the key of h-gateway-held is gateway-held; only a key in the receiver's own hands", "bank", "Fund:Confirm", confirm("d1.0.0", "h-gateway-held"))
	w.refused("forbidden: the key of h-agent-held is agent-held", "bank", "Fund:Confirm", confirm("d1.0.1", "h-agent-held"))
	w.refused("wrong-state: outside:household:jhplfpifdilijpgmbkmmpnbjidglgfkh has no key yet", "bank", "Fund:Confirm", confirm("d1.0.2", "h1"))
	w.refused("forbidden: only the receiver confirms: person h-gateway-held signs", "bank", "Fund:Confirm", confirm("d1.0.0", "h1"))
}

// TestOnlyStaffDecide: whoever belongs to the charity without being its staff,
// such as a household or an agent, neither proposes nor approves nor flags, and
// a key that an agent holds decides nothing.
func TestOnlyStaffDecide(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.enlist("giver", party.DutyMember, "charity", "coop")
	w.enlist("agent-1", party.DutyAgent, "charity", "coop")
	w.enrolled()
	p := w.proposal("d1", "training", payment("training", 100, family))
	w.refused("forbidden: one of the staff of charity proposes, the maker; giver is member of charity, its key own", "charity", "Fund:Propose", w.signed("propose", speech, p.propose.Amount, p.propose, "giver"))
	p = w.proposed("d1", "training", payment("training", 100, family))
	w.refused("forbidden: staff approve; giver is member of charity, its key own", "charity", "Fund:Approve", w.approval(p, "giver"))
	w.refused("forbidden: staff approve; agent-1 is agent of charity, its key own", "charity", "Fund:Approve", w.approval(p, "agent-1"))
	w.refused("forbidden: one of the staff of charity rejects; giver is member of charity, its key own", "charity", "Fund:Reject",
		w.signed("reject", speech, p.propose.Amount, fund.Reject{Account: speech, Disbursement: "d1", ID: "no", Reason: "budget"}, "giver"))
	flag := fund.SetFlag{Account: speech, ID: "flag", Payee: family, Raise: true, Reason: "complaint"}
	w.refused("forbidden: one of the staff of charity must sign", "charity", "Fund:SetFlag", w.decided("set-flag", speech, flag, "giver"))
	w.refused("forbidden: 2 different persons of the staff must sign, maker and checker; 1 did", "charity", "Fund:AppointAgent",
		w.decided("appoint-agent", speech, fund.AppointAgent{Account: speech, ID: "appoint", PayeesMax: 1, Person: "agent-1"}, "charity-maker", "giver"))
	w.must("charity", "Fund:Approve", w.approval(p, "charity-checker"))
}

// held registers a person whose key somebody else keeps.
func (w *world) held(person tape.ID, custody party.Custody) {
	w.Helper()
	key := w.key(person)
	proof, err := sign.Possession(key, ledgerID, party.Possession{Person: person, Custody: custody, Duty: party.DutyMember, Organisation: "charity", Registrar: "coop"})
	if err != nil {
		w.Fatal(err)
	}
	w.must("coop", "Party:Register", party.RegisterCommand{Address: sign.Address(key), Custody: custody, Duty: party.DutyMember, ID: "register-" + person, Organisation: "charity", Person: person, Proof: proof})
	w.must("charity", "Party:Witness", party.WitnessCommand{Address: sign.Address(key), Duty: party.DutyMember, ID: "witness-" + person, Person: person})
}

// TestAgentsAndCallBacks: an agent serves no more than its limit, and is not the one who asks.
func TestAgentsAndCallBacks(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.enlist("agent-1", party.DutyAgent, "charity", "coop")
	list := fund.Enrol{Account: speech, Agent: "agent-1", ID: "enrol-1", Payees: []fund.NewPayee{{Kind: fund.Household, Payee: family}}}
	w.refused("not-found: field agent: agent-1 is not an agent", "charity", "Fund:Enrol", w.decided("enrol", speech, list, "agent-1"))
	w.must("charity", "Fund:AppointAgent", w.decided("appoint-agent", speech, fund.AppointAgent{Account: speech, ID: "agent", PayeesMax: 1, Person: "agent-1"}, staff...))
	w.refused("forbidden: field agent: agent agent-1 must sign its list", "charity", "Fund:Enrol", w.decided("enrol", speech, list, "charity-maker"))
	w.must("charity", "Fund:Enrol", w.decided("enrol", speech, list, "agent-1"))
	list.ID, list.Payees[0].Payee = "enrol-2", "outside:household:pjjipoagkpkamplohdoaeejnmclbgjid"
	w.refused("insufficient: field payees: agent agent-1 would serve 2 payees; its limit is 1", "charity", "Fund:Enrol", w.decided("enrol", speech, list, "agent-1"))
	call := fund.CallBackPayee{Account: speech, ID: "call-1", Outcome: "denied", Payee: family}
	w.refused("forbidden: one of the staff of charity signs a call-back; agent-1 is agent of charity, its key own", "charity", "Fund:CallBackPayee", w.decided("call-back-payee", speech, call, "agent-1"))
	w.must("charity", "Fund:CallBackPayee", w.decided("call-back-payee", speech, call, "charity-checker"))
	if flag := record[fund.Flag](w, fund.FlagKey(speech, family)); len(flag.Raised) != 1 || flag.Raised[0].Reason != "call-back" {
		t.Errorf("who denies is not flagged: %+v", flag)
	}
}

// TestPublicationsAndGoods: numbered publications, documents, pledges, gifts in kind.
func TestPublicationsAndGoods(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.enrolled()
	hash := merkle.Hash{7}
	publish := fund.Publish{Account: speech, Block: 20, Document: hash, Duty: "progress", From: "2025-12-01", ID: "pub-1", N: 1, To: "2026-01-01",
		Figures: fund.Figures{Raised: cny(17500), Settled: cny(17500), Ordered: cny(0), Paid: cny(0), Confirmed: cny(0), Management: cny(0)}}
	wrong := publish
	wrong.N, wrong.ID = 2, "pub-x"
	w.refused("conflict: field n: is 2; the next publication of charity:sunrise:speech is number 1", "charity", "Fund:Publish", w.decided("publish", speech, wrong, "charity-maker"))
	wrong = publish
	wrong.Figures.Raised, wrong.Figures.Settled = cny(17501), cny(17501)
	w.refused("conflict: field figures.settled: is 175.01 CNY; the account has received 175.00 CNY", "charity", "Fund:Publish", w.decided("publish", speech, wrong, "charity-maker"))
	w.must("charity", "Fund:Publish", w.decided("publish", speech, publish, "charity-maker"))
	publish.ID, publish.N, publish.Document = "pub-2", 2, merkle.Hash{8}
	w.must("charity", "Fund:Publish", w.decided("publish", speech, publish, "charity-maker"))
	if p := record[fund.Publication](w, fund.PublicationKey(speech, 2)); p.Previous != hash.String() {
		t.Errorf("publication 2 follows %s", p.Previous)
	}
	cite := fund.Cite{Account: speech, Evidence: []fund.Citation{{Hash: merkle.Hash{9}, Kind: "photo"}}, For: "charity/pub-1", ID: "cite-1"}
	w.must("charity", "Fund:Cite", w.decided("cite", speech, cite, "charity-maker"))
	cite.ID = "cite-2"
	w.refused("exists: field evidence[0]: document 09", "charity", "Fund:Cite", w.decided("cite", speech, cite, "charity-maker"))
	w.must("charity", "Fund:RecordPledge", fund.RecordPledge{Account: speech, Amount: cny(5000), Donor: donor(9), Due: "2026-03-01", ID: "pledge-1"})
	proof, err := tape.NewGiftProof("page-1", []tape.Gift{gift(1, 10000), gift(2, 5000), gift(3, 2500)}, 0)
	if err != nil {
		t.Fatal(err)
	}
	w.refused("conflict: field gift: gift gift-1 is of 100.00 CNY, the pledge of 50.00 CNY", "charity", "Fund:SettlePledge", fund.SettlePledge{Account: speech, Gift: &proof, ID: "kept-1", Pledge: "pledge-1"})
	if proof, err = tape.NewGiftProof("page-1", []tape.Gift{gift(1, 10000), gift(2, 5000), gift(3, 2500)}, 1); err != nil {
		t.Fatal(err)
	}
	w.must("charity", "Fund:SettlePledge", fund.SettlePledge{Account: speech, Gift: &proof, ID: "kept-1", Pledge: "pledge-1"})
	w.must("charity", "Fund:ReceiveGoods", w.decided("receive-goods", speech, fund.ReceiveGoods{Account: speech, ID: "rice", Item: "rice", Quantity: 500, Unit: "kg"}, "charity-maker"))
	give := fund.GiveGoods{Account: speech, Goods: "rice", ID: "give-1", Quantity: 501, To: family}
	w.refused("insufficient: field quantity: 500 kg of rice are left; 501 were asked", "charity", "Fund:GiveGoods", w.decided("give-goods", speech, give, staff...))
	give.Quantity = 500
	w.must("charity", "Fund:GiveGoods", w.decided("give-goods", speech, give, staff...))
}

// TestReturnedPayoutFreesItsBudget: what came back can be ordered again.
func TestReturnedPayoutFreesItsBudget(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.enrolled()
	w.ordered("d1", "training", payment("a", 6000, family))
	restore := fund.Restore{Account: speech, Disbursement: "d1", Hold: "d1.0.0", ID: "restore-1"}
	w.refused("wrong-state: field hold: d1.0.0 is open and nothing of it came back", "charity", "Fund:Restore", restore)
	w.must("charity", "Tape:Release", w.signed("release", speech, cny(6000), tape.Release{Account: speech, Hold: "d1.0.0", ID: "release-1"}, staff...))
	w.refused("wrong-state: field hold: d1.0.0 is released and nothing of it came back", "charity", "Fund:Restore", restore)
	w.must("charity", "Tape:Reclaim", tape.Reclaim{Account: speech, Holds: []tape.ID{"d1.0.0"}, ID: "reclaim-1"})
	w.must("charity", "Fund:Restore", restore)
	restore.ID = "restore-2"
	w.refused("wrong-state: field hold: d1.0.0 was restored, by entry charity/restore-1", "charity", "Fund:Restore", restore)
	if budget := record[fund.Budget](w, fund.BudgetKey(speech)); budget.Lines[0].Units != 0 {
		t.Errorf("the budget: %+v", budget)
	}
	p := w.proposed("d2", "training", payment("a", 6000, family))
	w.must("charity", "Fund:Approve", w.approval(p, "charity-checker"))
	w.must("charity", "Fund:Order", order(p, "charity-checker"))
	w.must("charity", "Fund:CloseDisbursement", fund.CloseDisbursement{Abandon: true, Account: speech, Disbursement: "d2", ID: "close-d2"})
	if budget := record[fund.Budget](w, fund.BudgetKey(speech)); budget.Lines[0].Units != 0 {
		t.Errorf("the budget after giving up: %+v", budget)
	}
}

// TestReplacedPerson: maker and checker name another person for a payee, who has
// the word after the waiting days, and the person before until then.
func TestReplacedPerson(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	list := fund.Enrol{Account: speech, ID: "enrol-0", Payees: []fund.NewPayee{{Kind: fund.Household, Payee: family, Person: "h1"}}}
	w.refused("not-found: field payees[0].person: there is no person h1; it is registered first", "charity", "Fund:Enrol", w.decided("enrol", speech, list, "charity-maker"))
	w.enrolled()
	w.ordered("d1", "training", payment("a", 6000, family))
	replace := fund.ReplacePerson{Account: speech, ID: "replace-1", Payee: family, Person: "h2", Reason: "lost-key"}
	w.refused("not-found: field person: there is no person h2; it is registered first", "charity", "Fund:ReplacePerson", w.decided("replace-person", speech, replace, staff...))
	w.enlist("h2", party.DutyMember, "charity", "coop")
	w.refused("forbidden: 2 different persons of the staff must sign, maker and checker; 1 did", "charity", "Fund:ReplacePerson", w.decided("replace-person", speech, replace, "charity-maker"))
	w.refused("forbidden: bank (role gateway) does not run", "bank", "Fund:ReplacePerson", w.decided("replace-person", speech, replace, staff...))
	if record[fund.Payee](w, fund.PayeeKey(speech, family)).Next != nil {
		t.Error("what was refused was written")
	}
	w.must("charity", "Fund:ReplacePerson", w.decided("replace-person", speech, replace, staff...))
	dispute := fund.Confirm{Account: speech, Amount: cny(6000), Hold: "d1.0.0", ID: "dispute-1", Outcome: fund.Disputed, Reason: "not-arrived"}
	w.refused("forbidden: only the receiver confirms: person h1 signs", "insurer", "Fund:Confirm", w.signed("confirm", speech, cny(6000), dispute, "h2"))
	w.must("insurer", "Fund:Confirm", w.signed("confirm", speech, cny(6000), dispute, "h1"))
	w.paid("s2", "s1", 17500, "d1.0.0", 6000)
	w.Advance(7 * 24 * time.Hour)
	arrived := fund.Confirm{Account: speech, Amount: cny(6000), Hold: "d1.0.0", ID: "arrived-1", Outcome: fund.Arrived}
	w.refused("forbidden: only the receiver confirms: person h2 signs", "bank", "Fund:Confirm", w.signed("confirm", speech, cny(6000), arrived, "h1"))
	w.refused("wrong-state: h1, who was the person of "+string(family)+", disputes it since", "bank", "Fund:Confirm", w.signed("confirm", speech, cny(6000), arrived, "h2"))
	dispute.ID, dispute.Reason = "dispute-2", "late"
	w.must("bank", "Fund:Confirm", w.signed("confirm", speech, cny(6000), dispute, "h2"))
}
