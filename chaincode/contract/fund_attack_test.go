package contract_test

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// What a charity with its own gateway and two staff keys could try.

// TestMoneyStaysUnderPlans: no account without a plan gets a campaign's money.
func TestMoneyStaysUnderPlans(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	own := open(books)
	w.must("charity", "Tape:Open", own)
	bank := openCampaign(similar, fund.Filing, plan(speech))
	bank.Custodian = "outside:insurer:sunrise"
	w.refused("forbidden: field custodian: outside:insurer:sunrise is not kept by another organisation", "charity", "Fund:OpenCampaign", w.decided("open-campaign", similar, bank, staff...))
	funded := openCampaign(similar, fund.Filing, plan(speech))
	funded.OwnFunds = speech
	w.refused("forbidden: field ownFunds: charity:sunrise:speech holds money given for a purpose of its own", "charity", "Fund:OpenCampaign", w.decided("open-campaign", similar, funded, staff...))
	funded.OwnFunds = books
	funded.Plan.Leftover = books
	w.must("charity", "Fund:OpenCampaign", w.decided("open-campaign", similar, funded, staff...))

	w.must("charity", "Fund:CloseCampaign", w.decided("close-campaign", speech, fund.CloseCampaign{Account: speech, ID: "close-1"}, staff...))
	amended := plan(books)
	amend := fund.AmendCampaign{Account: speech, ID: "amend-1", Plan: amended}
	amend.Plan.Title.En = "Something else"
	w.refused("wrong-state: charity:sunrise:speech was closed on", "charity", "Fund:AmendCampaign", w.decided("amend-campaign", speech, amend, staff...))
	amend.Plan = amended
	w.must("charity", "Fund:AmendCampaign", w.decided("amend-campaign", speech, amend, staff...))
	w.must("regulator", "Fund:AcceptFiling", w.decided("accept-filing", speech, fund.AcceptFiling{Account: speech, ID: "file-2", Number: "2", Plan: "charity/amend-1"}, "regulator-maker"))
	if c := record[fund.Campaign](w, fund.CampaignKey(speech)); c.State != fund.Closed || c.Plan.Leftover != books {
		t.Errorf("a closed campaign: %+v", c)
	}
	carry := fund.Carry{Account: speech, Amount: cny(17500), ID: "carry-1"}
	w.refused("not-found: charity:sunrise:books, which gets what is left, is no campaign; amend the plan", "charity", "Fund:Carry", w.signed("carry", speech, cny(17500), carry, staff...))
}

// TestDraftsAreRefunded: what was given before any plan was accepted goes nowhere else.
func TestDraftsAreRefunded(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.must("charity", "Fund:OpenCampaign", w.decided("open-campaign", similar, openCampaign(similar, fund.Filing, plan(speech)), staff...))
	w.must("charity", "Tape:Receive", page(similar, "page-2", gift(4, 100)))
	w.must("charity", "Fund:Declare", w.signed("declare", similar, cny(100), fund.Declare{Account: similar, ID: "declare-2", Page: "page-2"}, staff...))
	w.must("charity", "Fund:CloseCampaign", w.decided("close-campaign", similar, fund.CloseCampaign{Account: similar, ID: "close-1"}, staff...))
	carry := fund.Carry{Account: similar, Amount: cny(100), ID: "carry-1"}
	w.refused("wrong-state: no plan of charity:sunrise:children was ever accepted; refund", "charity", "Fund:Carry", w.signed("carry", similar, cny(100), carry, staff...))
	w.must("regulator", "Fund:AcceptFiling", w.decided("accept-filing", similar, fund.AcceptFiling{Account: similar, ID: "file-2", Number: "2", Plan: "charity/" + string(openID(similar))}, "regulator-maker"))
	w.must("charity", "Fund:Carry", w.signed("carry", similar, cny(100), carry, staff...))
	if b := record[fund.Budget](w, fund.BudgetKey(speech)); b.Carried != 100 {
		t.Errorf("what was handed over: %+v", b)
	}
}

// TestRefundIsNoPayout: a refund cannot bear the name of a payout, and frees no budget.
func TestRefundIsNoPayout(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.enrolled()
	w.proposed("d1", "office", payment("a", 1750, clerk))
	proof, err := tape.NewGiftProof("page-1", []tape.Gift{gift(1, 10000), gift(2, 5000), gift(3, 2500)}, 2)
	if err != nil {
		t.Fatal(err)
	}
	refund := tape.Refund{Account: speech, Expires: tape.Instant(w.Clock().UnixMilli()) + tape.Day, Gift: proof, ID: "d1.0.0", To: "outside:bank:donor"}
	w.refused("invalid: field id: ends like the name of a job's payout, .number.number; choose another id", "charity", "Tape:Refund", w.signed("refund", speech, cny(2500), refund, staff...))
	refund.ID = "refund-1"
	w.refused("forbidden: field to: names outside:bank:donor; money given for a purpose goes back to its giver only", "charity", "Tape:Refund", w.signed("refund", speech, cny(2500), refund, staff...))
	refund.To = gift(3, 2500).Giver()
	w.must("charity", "Tape:Refund", w.signed("refund", speech, cny(2500), refund, staff...))
	w.must("charity", "Tape:Release", w.signed("release", speech, cny(2500), tape.Release{Account: speech, Hold: "refund-1", ID: "release-1"}, staff...))
	w.refused("conflict: field hold: refund-1 is not payment 0 of chunk 0 of disbursement d1", "charity", "Fund:Restore", fund.Restore{Account: speech, Disbursement: "d1", Hold: "refund-1", ID: "restore-1"})
}

// TestCapCountsWhatWasKept: refunded money pays no management. Of 175.00 the
// largest gift goes back: 10 % of 75.00 are 7.50.
func TestCapCountsWhatWasKept(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.enrolled()
	proof, err := tape.NewGiftProof("page-1", []tape.Gift{gift(1, 10000), gift(2, 5000), gift(3, 2500)}, 0)
	if err != nil {
		t.Fatal(err)
	}
	refund := tape.Refund{Account: speech, Expires: tape.Instant(w.Clock().UnixMilli()) + tape.Day, Gift: proof, ID: "refund-1", To: gift(1, 10000).Giver()}
	w.must("charity", "Tape:Refund", w.signed("refund", speech, cny(10000), refund, staff...))
	p := w.proposed("cap", "office", payment("a", 751, clerk))
	w.must("charity", "Fund:Approve", w.approval(p, "charity-checker"))
	w.refused("insufficient: management costs would come to 7.51 CNY; the cap is 7.50 CNY", "charity", "Fund:Order", order(p, "charity-checker"))
	w.ordered("cap-2", "office", payment("a", 750, clerk))
}

// TestApprovalsOfAnotherDay: an approval is for one plan, of a person who still has the key.
func TestApprovalsOfAnotherDay(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.enrolled()
	p := w.proposed("d1", "training", payment("a", 6000, family))
	w.must("charity", "Fund:Approve", w.approval(p, "charity-checker"))
	suspend := party.SuspendCommand{Address: sign.Address(w.keys["charity-checker"]), ID: "suspend-1", Person: "charity-checker"}
	w.must("charity", "Party:Suspend", w.signedBare(suspend))
	w.refused("wrong-state: the key of person charity-checker is suspended", "charity", "Fund:Order", order(p, "charity-checker"))
	w.must("insurer", "Fund:Approve", w.approval(p, "insurer-checker"))
	amended := plan(similar)
	amended.Purpose.En = "Hearing aids"
	w.must("charity", "Fund:AmendCampaign", w.decided("amend-campaign", speech, fund.AmendCampaign{Account: speech, ID: "amend-1", Plan: amended}, "charity-maker", "insurer-maker"))
	w.must("regulator", "Fund:AcceptFiling", w.decided("accept-filing", speech, fund.AcceptFiling{Account: speech, ID: "file-2", Number: "2", Plan: "charity/amend-1"}, "regulator-maker"))
	w.refused("wrong-state: disbursement d1 was proposed under plan 1 of charity:sunrise:speech, which is at plan 2", "charity", "Fund:Order", order(p, "insurer-checker"))
}

// TestAPlanAcceptedTooLate: what was ordered while it waited must fit it too.
func TestAPlanAcceptedTooLate(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.enrolled()
	smaller := plan(similar)
	smaller.Goal, smaller.Lines = cny(25000), []fund.BudgetLine{smaller.Lines[0], smaller.Lines[1]}
	smaller.Lines[0].Amount = cny(5000)
	w.must("charity", "Fund:AmendCampaign", w.decided("amend-campaign", speech, fund.AmendCampaign{Account: speech, ID: "amend-1", Plan: smaller}, staff...))
	w.ordered("d1", "training", payment("a", 6000, family))
	w.refused("conflict: field plan.lines: line training has paid orders of 60.00 CNY; it cannot be less", "regulator", "Fund:AcceptFiling",
		w.decided("accept-filing", speech, fund.AcceptFiling{Account: speech, ID: "file-2", Number: "2", Plan: "charity/amend-1"}, "regulator-maker"))
}

// TestSelfDealing: who is paid, or serves who is, neither enrols, proposes nor approves it.
func TestSelfDealing(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	list := fund.Enrol{Account: speech, ID: "enrol-1", Payees: []fund.NewPayee{{Kind: fund.Supplier, Payee: shop, Person: "charity-checker"}}}
	w.refused("forbidden: field payees[0].person: charity-checker cannot enrol itself", "charity", "Fund:Enrol", w.decided("enrol", speech, list, "charity-checker"))
	w.must("charity", "Fund:Enrol", w.decided("enrol", speech, list, "charity-maker"))
	p := w.proposed("d1", "training", payment("a", 6000, shop))
	w.refused("forbidden: charity-checker is paid by chunk 0 of disbursement d1 or serves who is", "charity", "Fund:Approve", w.approval(p, "charity-checker"))
	mine := w.proposal("d2", "training", payment("a", 6000, shop))
	w.must("charity", "Fund:Propose", w.signed("propose", speech, mine.propose.Amount, mine.propose, "charity-checker"))
	w.refused("forbidden: field lines[0]: charity-checker proposed disbursement d2, and is paid by it", "charity", "Fund:List", mine.list)
}

// TestAReceiverIsHeard: a key that comes later, a dispute by any key, a word taken back.
func TestAReceiverIsHeard(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	list := fund.Enrol{Account: speech, ID: "enrol-1", Payees: []fund.NewPayee{{Kind: fund.Household, Payee: family, BankAccount: reference(7)}}}
	w.must("charity", "Fund:Enrol", w.decided("enrol", speech, list, "charity-maker"))
	w.ordered("d1", "training", payment("a", 6000, family))
	w.held("h1", party.AgentHeld)
	list.ID, list.Payees[0].Person, list.Payees[0].BankAccount = "enrol-2", "h1", reference(8)
	w.refused("exists: field payees[0]: outside:household:ddbbcoobeooegjmdolfcpojadccomibn is enrolled already", "charity", "Fund:Enrol", w.decided("enrol", speech, list, "charity-maker"))
	list.Payees[0].BankAccount = reference(7)
	w.must("charity", "Fund:Enrol", w.decided("enrol", speech, list, "charity-maker"))
	say := fund.Confirm{Account: speech, Amount: cny(6000), Hold: "d1.0.0", ID: "say-1", Outcome: fund.Disputed, Reason: "not-arrived"}
	w.must("regulator", "Fund:Confirm", w.signed("confirm", speech, cny(6000), say, "h1"))
	w.paid("s2", "s1", 17500, "d1.0.0", 6000)
	say.ID, say.Outcome, say.Reason = "say-2", fund.Arrived, ""
	w.refused("forbidden: the key of h1 is agent-held", "regulator", "Fund:Confirm", w.signed("confirm", speech, cny(6000), say, "h1"))
	say.ID, say.Outcome, say.Reason = "say-3", fund.Disputed, "taken-from-me"
	w.must("regulator", "Fund:Confirm", w.signed("confirm", speech, cny(6000), say, "h1"))
	if c := record[fund.Confirmation](w, fund.ConfirmationKey(speech, "d1.0.0")); c.Reason != "taken-from-me" || c.Disputed != "regulator/say-1" {
		t.Errorf("the second dispute: %+v", c)
	}
}

// TestAnEmergency spends before its filing number, on its programme, for ten days.
func TestAnEmergency(t *testing.T) {
	w := newWorld(t)
	urgent := plan(similar)
	urgent.Emergency, urgent.From = true, "2026-01-01"
	w.must("charity", "Fund:OpenCampaign", w.decided("open-campaign", speech, openCampaign(speech, fund.Filing, urgent), staff...))
	w.must("charity", "Tape:Receive", page(speech, "page-1", gift(1, 10000)))
	w.file("s1", "", 0, side{tape.CreditSide, []tape.Line{line(1, 10000)}})
	w.must("charity", "Tape:Settle", tape.Settle{Account: speech, ID: "settle-1", Items: []tape.SettleItem{{Source: "page-1", Lines: &tape.LinesRef{Statement: "s1"}}}})
	w.enrolled()
	office := w.proposal("d0", "office", payment("a", 100, clerk))
	w.refused("wrong-state: field line: office is for management; before its filing number charity:sunrise:speech spends on its programme alone", "charity", "Fund:Propose",
		w.signed("propose", speech, office.propose.Amount, office.propose, "charity-maker"))
	w.ordered("d1", "training", payment("a", 6000, family))
	w.Advance(11 * 24 * 3600e9)
	late := w.proposal("d2", "training", payment("a", 100, family))
	w.refused("wrong-state: charity:sunrise:speech could spend without a filing number until 2026-01-11", "charity", "Fund:Propose", w.signed("propose", speech, late.propose.Amount, late.propose, "charity-maker"))
	w.must("regulator", "Fund:AcceptFiling", w.decided("accept-filing", speech, fund.AcceptFiling{Account: speech, ID: "file-1", Number: "1", Plan: "charity/" + string(openID(speech))}, "regulator-maker"))
	w.ordered("d3", "training", payment("a", 100, family))
}

// TestOthersRunNothing: another organisation's gateway, with its own persons.
func TestOthersRunNothing(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.enrolled()
	p := w.proposed("d1", "training", payment("a", 6000, family))
	w.must("charity", "Fund:Approve", w.approval(p, "charity-checker"))
	w.refused("forbidden: coop (role gateway) does not run charity:sunrise:speech", "coop", "Fund:Order", order(p, "charity-checker"))
	w.refused("forbidden: charity (role auditor) does not run charity:sunrise:speech", "charity:auditor", "Fund:Order", order(p, "charity-checker"))
	w.must("charity", "Fund:Order", order(p, "charity-checker"))
	w.refused("forbidden: coop (role gateway) does not run charity:sunrise:speech", "coop", "Fund:Pay", p.pay)
	w.refused("forbidden: coop (role gateway) does not sponsor charity:sunrise:speech", "coop", "Fund:CloseDisbursement", fund.CloseDisbursement{Abandon: true, Account: speech, Disbursement: "d1", ID: "close-d1"})
	w.refused("forbidden: charity:sunrise:speech is spent by the commands of fund", "charity", "Tape:CloseJob", tape.CloseJob{Abandon: true, Account: speech, ID: "close-d1", Job: "d1"})
	w.refused("forbidden: charity:sunrise:speech is spent by the commands of fund", "charity", "Tape:RunChunk", p.pay.Chunk())
	// A partner's name is for the partner to open.
	invite := fund.Invite{Account: speech, ID: "invite-1", Organisation: "coop", Partner: school}
	w.must("charity", "Fund:Invite", w.decided("invite", speech, invite, staff...))
	grant := plan(speech)
	grant.Goal, grant.Lines = cny(80000), grant.Lines[:1]
	c := openCampaign(school, fund.Grant, grant)
	c.Parent = speech
	w.refused("forbidden: partner:school:speech is invited to charity:sunrise:speech as an account of coop", "charity", "Fund:OpenCampaign", w.decided("open-campaign", school, c, staff...))
	// Nor does the partner approve what it gets.
	c.Custodian = "outside:bank:coop"
	w.must("coop", "Fund:OpenCampaign", w.decided("open-campaign", school, c, "coop-maker", "coop-checker"))
	granted := w.proposed("d2", "training", payment("a", 100, school))
	w.refused("forbidden: chunk 0 of disbursement d2 pays an account of coop; staff of another organisation must approve it", "coop", "Fund:Approve", w.approval(granted, "coop-checker"))
	w.must("charity", "Fund:Approve", w.approval(granted, "charity-checker"))
}

// TestALineStaysALine: money of one line is spent on no other by way of an earmark.
func TestALineStaysALine(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	wide := plan(similar)
	wide.Goal = cny(110000)
	wide.Lines = append(wide.Lines, fund.BudgetLine{Amount: cny(10000), ID: "travel", Kind: fund.Programme, Title: fund.Text{En: "Travel"}})
	w.must("charity", "Fund:AmendCampaign", w.decided("amend-campaign", speech, fund.AmendCampaign{Account: speech, ID: "amend-1", Plan: wide}, staff...))
	w.must("regulator", "Fund:AcceptFiling", w.decided("accept-filing", speech, fund.AcceptFiling{Account: speech, ID: "file-2", Number: "2", Plan: "charity/amend-1"}, "regulator-maker"))
	marked := plan(speech)
	marked.Lines[1].Kind = fund.Programme
	c := openCampaign(speech+"-b", fund.Earmark, marked)
	c.Parent, c.Plan.Lines = speech, []fund.BudgetLine{wide.Lines[0], wide.Lines[1]}
	w.refused("forbidden: field plan.lines[1].kind: is management; earmarks are for the programme", "charity", "Fund:OpenCampaign", w.decided("open-campaign", c.Account, c, staff...))
	c.Plan.Lines = []fund.BudgetLine{wide.Lines[0], wide.Lines[2]}
	c.Plan.Goal = cny(90000)
	w.must("charity", "Fund:OpenCampaign", w.decided("open-campaign", c.Account, c, staff...))
	p := w.proposal("d1", "training", payment("a", 100, c.Account))
	w.must("charity", "Fund:Propose", w.signed("propose", speech, p.propose.Amount, p.propose, "charity-maker"))
	w.refused("forbidden: field lines[0].to: charity:sunrise:speech-b also spends on line travel", "charity", "Fund:List", p.list)
}
