package contract_test

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const unclaimed = speech + "-lost"

func giftProof(t testing.TB, page tape.ID, index int, gifts ...tape.Gift) tape.GiftProof {
	t.Helper()
	proof, err := tape.NewGiftProof(page, gifts, index)
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

func lineProof(t testing.TB, statement tape.ID, n int32, lines []tape.Line, index int) tape.LineProof {
	t.Helper()
	proof, err := tape.NewLineProof(statement, n, lines, index)
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

// lineGift is how the ledger names a bank line that nobody has claimed.
func lineGift(l tape.Line) tape.Gift {
	return tape.Gift{ID: "line-" + tape.ID(rune('0'+l.Number)), Amount: l.Amount, Reference: l.Reference}
}

// unclaimedLines puts four lines of the bank on the account of unidentified money.
func (w *world) unclaimedLines() []tape.Gift {
	w.Helper()
	c := open(unclaimed)
	c.Unidentified = speech
	w.must("charity", "Tape:Open", c)
	lines := []tape.Line{line(4, 6000), line(5, 700), line(6, 800), line(7, 900)}
	w.file("s2", "s1", 17500, side{tape.CreditSide, lines})
	w.must("charity", "Tape:ReceiveUnidentified", tape.NewReceiveUnidentified(unclaimed, "lost", "s2", 0, lines))
	w.must("charity", "Tape:Settle", tape.Settle{Account: unclaimed, ID: "settle-lost", Items: []tape.SettleItem{{Source: "lost"}}})
	gifts := make([]tape.Gift, len(lines))
	for i, l := range lines {
		gifts[i] = lineGift(l)
	}
	return gifts
}

// identified takes one of them to an account, and returns its proof there.
func (w *world) identified(gifts []tape.Gift, index int, to tape.AccountID) tape.GiftProof {
	w.Helper()
	proof := giftProof(w, "lost", index, gifts...)
	id := tape.ID("identify-" + string(gifts[index].ID))
	w.must("charity", "Tape:Identify", w.signed("identify", unclaimed, gifts[index].Amount, tape.Identify{Account: unclaimed, Gift: proof, ID: id, To: to}, staff...))
	return w.arrivedBy(proof, unclaimed, to, id)
}

// arrivedBy settles what an entry moved, and returns the gift's proof there.
func (w *world) arrivedBy(proof tape.GiftProof, home, to tape.AccountID, entry tape.ID) tape.GiftProof {
	w.Helper()
	source := "charity/" + string(entry) + "/0"
	w.must("charity", "Tape:Settle", tape.Settle{Account: to, ID: "settle-" + entry, Items: []tape.SettleItem{{Source: source}}})
	proof.Moved = &tape.Moved{Account: home, Inflow: source}
	return proof
}

// TestIdentifiedGift: money that was identified can be refunded, charged back
// and keep a pledge, where it is; each once.
func TestIdentifiedGift(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	gifts := w.unclaimedLines()
	refunded, charged, kept := w.identified(gifts, 1, speech), w.identified(gifts, 2, speech), w.identified(gifts, 3, speech)
	expires := tape.Instant(w.Clock().UnixMilli()) + 10*tape.Day

	refund := tape.Refund{Account: speech, Expires: expires, Gift: refunded, ID: "refund-1", To: gifts[1].Giver()}
	other := refund
	other.Gift.Moved = charged.Moved
	w.refused("conflict: field gift.moved: inflow charity/identify-line-6/0 did not bring gift 1 of page lost to "+string(speech), "charity", "Tape:Refund", w.signed("refund", speech, cny(700), other, staff...))
	other.Gift.Moved = &tape.Moved{Account: charged.Moved.Account, Inflow: "Nobodyname"}
	w.refused("invalid: field gift.moved.inflow: is not a posting; write it as organisation/entry/index", "charity", "Tape:Refund", w.signed("refund", speech, cny(700), other, staff...))
	other = refund
	other.Gift.Moved = nil
	w.refused("not-found: page lost does not exist", "charity", "Tape:Refund", w.signed("refund", speech, cny(700), other, staff...))
	w.must("charity", "Tape:Refund", w.signed("refund", speech, cny(700), refund, staff...))
	if hold := record[tape.Hold](w, tape.HoldKey(speech, "refund-1")); hold.Spans[0].String() != "17500..18200" {
		t.Errorf("the refund takes %v", hold.Spans)
	}
	refund.ID = "refund-2"
	w.refused("wrong-state: field gift: gift 1 of page lost was taken back by charity/refund-1 (refund)", "charity", "Tape:Refund", w.signed("refund", speech, cny(700), refund, staff...))

	debits := []tape.Line{line(8, 800)}
	w.file("s3", "s2", 25900, side{tape.DebitSide, debits})
	entry := w.must("bank", "Tape:ChargeBack", tape.ChargeBack{Account: speech, Gift: charged, ID: "back-1", Line: lineProof(t, "s3", 0, debits, 0)})
	if len(entry.Postings) != 1 || entry.Postings[0].Taken[0].String() != "18200..19000" {
		t.Errorf("the chargeback: %+v", entry.Postings)
	}
	w.must("charity", "Fund:RecordPledge", fund.RecordPledge{Account: speech, Amount: cny(900), Due: "2026-03-01", ID: "pledge-1"})
	w.must("charity", "Fund:SettlePledge", fund.SettlePledge{Account: speech, Gift: &kept, ID: "kept-1", Pledge: "pledge-1"})
	if pledge := record[fund.Pledge](w, fund.PledgeKey(speech, "pledge-1")); pledge.State != "kept" || pledge.Gift != "lost/line-7" {
		t.Errorf("the pledge: %+v", pledge)
	}
}

// TestReturnedLineIsNotLost: a payout's return that was booked as unclaimed is
// a return after all, and frees its units and its budget.
func TestReturnedLineIsNotLost(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.enrolled()
	w.ordered("d1", "training", payment("a", 6000, family))
	gifts := w.unclaimedLines()
	proof := giftProof(t, "lost", 0, gifts...)
	identify := tape.Identify{Account: unclaimed, Gift: proof, Hold: "d1.0.0", ID: "identify-back", To: speech}
	signed := func() string { return w.signed("identify", unclaimed, cny(6000), identify, staff...) }
	w.refused("insufficient: field hold.amount: 0.00 CNY of hold d1.0.0 has been paid out; 60.00 CNY was asked", "charity", "Tape:Identify", signed())
	w.paid("s3", "s2", 25900, "d1.0.0", 6000)
	identify.Hold = "d1.0.9"
	w.refused("not-found: field hold: "+string(speech)+" has no payout d1.0.9", "charity", "Tape:Identify", signed())
	identify.Hold = "d1.0.0"
	entry := w.must("charity", "Tape:Identify", signed())
	if p := entry.Postings[0]; p.Laid[0].String() != "0..6000" || p.Taken[0].String() != "0..6000" || p.Inflow != "" {
		t.Errorf("the return: %+v", p)
	}
	if head := record[tape.Head](w, tape.HeadKey(speech)); head.Free().Total() != 17500 {
		t.Errorf("free: %v", head.Free())
	}
	w.must("charity", "Fund:Restore", fund.Restore{Account: speech, Disbursement: "d1", Hold: "d1.0.0", ID: "restore-1"})
	if budget := record[fund.Budget](w, fund.BudgetKey(speech)); budget.Lines[0].Units != 0 {
		t.Errorf("the budget: %+v", budget)
	}
	identify.ID = "identify-again"
	w.refused("taken back by charity/identify-back (returned)", "charity", "Tape:Identify", signed())
}

// TestCorrect moves a gift to the campaign that was meant, and an identification back.
func TestCorrect(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	gifts := w.unclaimedLines()
	w.must("charity", "Fund:OpenCampaign", w.decided("open-campaign", similar, openCampaign(similar, fund.Filing, plan(speech)), staff...))
	far := openCampaign("charity:sunrise:far", fund.Filing, plan(speech))
	far.Custodian = "outside:bank:other"
	w.must("charity", "Fund:OpenCampaign", w.decided("open-campaign", far.Account, far, staff...))
	w.must("charity", "Tape:Open", open(books))
	closed := openCampaign("charity:sunrise:closed", fund.Filing, plan(speech))
	w.must("charity", "Fund:OpenCampaign", w.decided("open-campaign", closed.Account, closed, staff...))
	w.must("charity", "Fund:CloseCampaign", w.decided("close-campaign", closed.Account, fund.CloseCampaign{Account: closed.Account, ID: "close-1"}, staff...))
	agreed := plan(speech)
	agreed.Donors = []tape.ID{"coop-maker"}
	w.must("charity", "Fund:OpenCampaign", w.decided("open-campaign", "charity:sunrise:agreed", openCampaign("charity:sunrise:agreed", fund.Agreement, agreed), staff...))

	given := []tape.Gift{gift(1, 10000), gift(2, 5000), gift(3, 2500)}
	proof := giftProof(t, "page-1", 1, given...)
	correct := tape.Correct{Account: speech, Gift: proof, ID: "correct-1", Reason: "wrong-reference", To: similar}
	try := func(as string, amount int64, c tape.Correct, persons ...tape.ID) (string, string, string) {
		return as, "Tape:Correct", w.signed("correct", c.Account, cny(amount), c, persons...)
	}
	for _, c := range []struct {
		want string
		edit func(*tape.Correct)
	}{
		{"invalid: field reason: is not one of wrong-reference, booked-wrongly, wrongly-identified", func(c *tape.Correct) { c.Reason = "because" }},
		{"invalid: field to: " + string(speech) + " would pay itself", func(c *tape.Correct) { c.To = speech }},
		{"not-found: field to: account charity:sunrise:none is not open", func(c *tape.Correct) { c.To = "charity:sunrise:none" }},
		{"conflict: field to: the money is at outside:bank:sunrise, that of charity:sunrise:far at outside:bank:other", func(c *tape.Correct) { c.To = far.Account }},
		{"forbidden: field to: " + string(speech) + " is spent by the commands of fund, " + string(books) + " is not", func(c *tape.Correct) { c.To = books }},
		{"forbidden: field to: " + string(unclaimed) + " holds money that nobody has claimed", func(c *tape.Correct) { c.To, c.Reason = unclaimed, "wrongly-identified" }},
		{"wrong-state: field to: charity:sunrise:closed was closed", func(c *tape.Correct) { c.To = closed.Account }},
		{"forbidden: field to: charity:sunrise:agreed is a campaign by agreement", func(c *tape.Correct) { c.To = "charity:sunrise:agreed" }},
	} {
		wrong := correct
		c.edit(&wrong)
		as, function, command := try("charity", 5000, wrong, staff...)
		w.refused(c.want, as, function, command)
	}
	as, function, command := try("charity", 5000, correct, staff[0])
	w.refused("forbidden", as, function, command)
	as, function, command = try("insurer", 5000, correct, staff...)
	w.refused("forbidden: insurer (role gateway) does not sponsor", as, function, command)
	as, function, command = try("charity", 5000, correct, staff...)
	entry := w.must(as, function, command)
	if p := entry.Postings[0]; entry.Kind != "correct" || p.Taken[0].String() != "10000..15000" || p.To != similar {
		t.Errorf("the correction: %+v", entry)
	}
	again := correct
	again.ID = "correct-2"
	as, function, command = try("charity", 5000, again, staff...)
	w.refused("wrong-state: field gift: gift 1 of page page-1 was taken back by charity/correct-1 (corrected)", as, function, command)
	// It can be moved back, and on again: the proof names the page where it came in.
	there := w.arrivedBy(proof, speech, similar, "correct-1")
	back := tape.Correct{Account: similar, Gift: there, ID: "correct-3", Reason: "booked-wrongly", To: speech}
	as, function, command = try("charity", 5000, back, staff...)
	w.must(as, function, command)
	home := w.arrivedBy(proof, speech, speech, "correct-3")
	refund := tape.Refund{Account: speech, Expires: tape.Instant(w.Clock().UnixMilli()) + tape.Day, Gift: home, ID: "refund-1", To: given[1].Giver()}
	w.must("charity", "Tape:Refund", w.signed("refund", speech, cny(5000), refund, staff...))

	// A wrong identification goes back whence it came, and can be identified anew.
	wrongly := w.identified(gifts, 1, speech)
	undo := tape.Correct{Account: speech, Gift: wrongly, ID: "undo-1", Reason: "wrongly-identified", To: unclaimed}
	as, function, command = try("charity", 700, undo, staff...)
	w.must(as, function, command)
	again2 := w.arrivedBy(wrongly, unclaimed, unclaimed, "undo-1")
	w.must("charity", "Tape:Identify", w.signed("identify", unclaimed, cny(700), tape.Identify{Account: unclaimed, Gift: again2, ID: "identify-anew", To: similar}, staff...))
	stays := tape.Correct{Account: unclaimed, Gift: giftProof(t, "lost", 0, gifts...), ID: "undo-2", Reason: "wrongly-identified", To: speech}
	as, function, command = try("charity", 6000, stays, staff...)
	w.refused("wrong-state: "+string(unclaimed)+" holds money that nobody has claimed; identify or refund it", as, function, command)
}

// TestCorrectKeepsTheCap: a gift on which management was ordered does not move away under it.
func TestCorrectKeepsTheCap(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.enrolled()
	w.must("charity", "Fund:OpenCampaign", w.decided("open-campaign", similar, openCampaign(similar, fund.Filing, plan(speech)), staff...))
	w.ordered("d1", "office", payment("a", 1500, clerk)) // of 175.00 at most 17.50
	given := []tape.Gift{gift(1, 10000), gift(2, 5000), gift(3, 2500)}
	move := tape.Correct{Account: speech, Gift: giftProof(t, "page-1", 1, given...), ID: "correct-1", Reason: "wrong-reference", To: similar}
	w.refused("insufficient: "+string(speech)+" has ordered 15.00 CNY for management; without the gift its cap is 12.50 CNY", "charity", "Tape:Correct", w.signed("correct", speech, cny(5000), move, staff...))
	move.Gift = giftProof(t, "page-1", 2, given...)
	w.must("charity", "Tape:Correct", w.signed("correct", speech, cny(2500), move, staff...))
}

// TestWithdraw ends a page that never came; one whose money has come stays.
func TestWithdraw(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.must("charity", "Tape:Receive", page(speech, "late", gift(4, 4000)))
	withdraw := tape.Withdraw{Account: speech, ID: "withdraw-1", Page: "late", Reason: "not-paid"}
	wrong := withdraw
	wrong.Reason = "gone"
	w.refused("invalid: field reason: is not one of not-paid, entered-twice, entered-wrongly", "charity", "Tape:Withdraw", w.signed("withdraw", speech, cny(4000), wrong, staff...))
	w.refused("forbidden", "charity", "Tape:Withdraw", w.signed("withdraw", speech, cny(4000), withdraw, staff[0]))
	wrong = withdraw
	wrong.Page = "page-1"
	w.refused("wrong-state: field page: page-1 is settled already, by settlement 1", "charity", "Tape:Withdraw", w.signed("withdraw", speech, cny(17500), wrong, staff...))
	w.must("charity", "Tape:Withdraw", w.signed("withdraw", speech, cny(4000), withdraw, staff...))

	w.refused("wrong-state: field page: page late was withdrawn by charity/withdraw-1 (not-paid)", "charity", "Fund:Declare",
		w.signed("declare", speech, cny(4000), fund.Declare{Account: speech, ID: "declare-late", Page: "late"}, staff...))
	withdraw.ID = "withdraw-2"
	w.refused("wrong-state: field page: page late was withdrawn by charity/withdraw-1 (not-paid)", "charity", "Tape:Withdraw", w.signed("withdraw", speech, cny(4000), withdraw, staff...))
}

// TestDeclare: what no line of the bank shows is settled on a campaign by two
// persons, never by one, and says so ever after.
func TestDeclare(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.enrolled()
	w.must("charity", "Tape:Receive", page(speech, "cash", gift(4, 4000), gift(5, 1000)))
	declare := fund.Declare{Account: speech, ID: "declare-1", Page: "cash"}
	signed := func(units int64, c fund.Declare, persons ...tape.ID) string {
		return w.signed("declare", speech, cny(units), c, persons...)
	}
	elsewhere := declare
	elsewhere.Account, elsewhere.Page = speech+"-none", "cash"
	another := declare
	another.Page = "nothing"
	settled := declare
	settled.Page = "page-1"
	for _, c := range []struct {
		want, as, function string
		command            any
	}{
		{"forbidden: field items[0]: charity:sunrise:speech is spent by the commands of fund; what no line of the bank shows settles there by Declare, which a maker and a checker sign", "charity", "Tape:Settle",
			tape.Settle{Account: speech, ID: "settle-cash", Items: []tape.SettleItem{{Source: "cash", SelfDeclared: true}}}},
		{"forbidden: 2 different persons of the staff must sign, maker and checker; 0 did", "charity", "Fund:Declare", signed(5000, declare)},
		{"forbidden: 2 different persons of the staff must sign, maker and checker; 1 did", "charity", "Fund:Declare", signed(5000, declare, "charity-maker")},
		{"invalid: field intents[1].person: person charity-maker signs twice", "charity", "Fund:Declare", signed(5000, declare, "charity-maker", "charity-maker")},
		{"forbidden: 2 different persons of the staff must sign, maker and checker; 1 did", "charity", "Fund:Declare", signed(5000, declare, "charity-maker", "h1")},
		{"forbidden: one of the staff of charity must sign: it is theirs to decide", "charity", "Fund:Declare", signed(5000, declare, "bank-maker", "bank-checker")},
		{"forbidden: bank (role gateway) does not run charity:sunrise:speech; charity does", "bank", "Fund:Declare", signed(5000, declare, staff...)},
		{"forbidden: field intents[0]", "charity", "Fund:Declare", signed(4999, declare, staff...)}, // they sign what the page comes to
		{"not-found: campaign charity:sunrise:speech-none does not exist", "charity", "Fund:Declare", signed(5000, elsewhere, staff...)},
		{"not-found: field page: page nothing does not exist", "charity", "Fund:Declare", signed(5000, another, staff...)},
		{"wrong-state: field page: page-1 is settled already, by settlement 1", "charity", "Fund:Declare", signed(17500, settled, staff...)},
	} {
		w.refused(c.want, c.as, c.function, c.command)
	}
	entry := w.must("charity", "Fund:Declare", signed(5000, declare, staff...))
	if entry.Kind != "declare" || len(entry.Intents) != 2 || entry.Intents[0].Person == entry.Intents[1].Person || entry.Evidence[0] != (tape.Evidence{Kind: tape.SelfDeclared}) ||
		len(entry.Postings) != 1 || entry.Postings[0].Laid[0].String() != "17500..22500" || entry.Postings[0].Line != "cash" {
		t.Errorf("the entry: %+v", entry)
	}
	if head := record[tape.Head](w, tape.HeadKey(speech)); head.Declared != 5000 || head.Given() != 17500 || head.Settlements != 2 {
		t.Errorf("the head: %+v", head)
	}
	declare.ID = "declare-2"
	w.refused("wrong-state: field page: cash is settled already, by settlement 2", "charity", "Fund:Declare", signed(5000, declare, staff...))
	// What was declared is refunded, and spent, as any other gift.
	refund := tape.Refund{Account: speech, Expires: tape.Instant(w.Clock().UnixMilli()) + tape.Day, Gift: giftProof(t, "cash", 1, gift(4, 4000), gift(5, 1000)), ID: "refund-1", To: gift(5, 1000).Giver()}
	w.must("charity", "Tape:Refund", w.signed("refund", speech, cny(1000), refund, staff...))
	w.ordered("d1", "training", payment("a", 21500, family))
}

// TestOwnMoneyRaisesNoCap: what the charity passes on from an account that it
// settles by its own word is spent by the plan and pays no management; another
// organisation's money does. 10 % of 175.00 + 30.00 are 20.50.
func TestOwnMoneyRaisesNoCap(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.enrolled()
	moon := open("coop:moon:books")
	moon.Custodian = "outside:bank:moon"
	for _, from := range []struct {
		sponsor string
		open    tape.Open
		units   int64
		given   int64
	}{{"charity", open(books), 5000, 17500}, {"coop", moon, 3000, 20500}} {
		account := from.open.Account
		w.must(from.sponsor, "Tape:Open", from.open)
		w.must(from.sponsor, "Tape:Receive", page(account, "cash", gift(4, from.units)))
		w.must(from.sponsor, "Tape:Settle", tape.Settle{Account: account, ID: "settle-cash", Items: []tape.SettleItem{{Source: "cash", SelfDeclared: true}}})
		spend := tape.Spend{Account: account, ID: "spend-1", Payments: []tape.Payment{payment("a", from.units, speech)}}
		w.must(from.sponsor, "Tape:Spend", w.signed("spend", account, cny(from.units), spend, tape.ID(from.sponsor+"-maker"), tape.ID(from.sponsor+"-checker")))
		w.must("charity", "Tape:Settle", tape.Settle{Account: speech, ID: tape.ID("settle-" + from.sponsor), Items: []tape.SettleItem{{Source: from.sponsor + "/spend-1/0"}}})
		if head := record[tape.Head](w, tape.HeadKey(speech)); head.Declared != 5000 || head.Given() != from.given {
			t.Errorf("after the money of %s: %+v", from.sponsor, head)
		}
	}
	p := w.proposed("cap", "office", payment("a", 2051, clerk))
	w.must("charity", "Fund:Approve", w.approval(p, "charity-checker"))
	w.refused("insufficient: management costs would come to 20.51 CNY; the cap is 20.50 CNY", "charity", "Fund:Order", order(p, "charity-checker"))
	w.ordered("cap-2", "office", payment("a", 2050, clerk))
	w.ordered("rest", "training", payment("a", 23450, family))
}

// TestProcessorOfAPage: one page has one file, which uses one line that nothing
// else can lose; its fee is the page's own, and every other gift stays whole.
func TestProcessorOfAPage(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	gifts := []tape.Gift{gift(4, 10000), gift(5, 5000)}
	w.must("charity", "Tape:Receive", page(speech, "page-2", gifts...))
	lines := []tape.Line{line(9, 14900), line(10, 14900)}
	w.file("s2", "s1", 17500, side{tape.CreditSide, lines})
	_, matches, _, err := tape.GiftsBody(gifts)
	if err != nil {
		t.Fatal(err)
	}
	fee := cny(100)
	file := tape.FileProcessor{Account: speech, Count: 2, Fee: &fee, FeeTo: "outside:processor", ID: "file-1", Line: lineProof(t, "s2", 0, lines, 0), Matches: matches, Page: "page-2", Total: cny(15000)}
	w.must("charity", "Tape:FileProcessor", file)
	file.ID, file.Line = "file-2", lineProof(t, "s2", 0, lines, 1)
	w.refused("exists: field page: page-2 has the processor's file file-1 already, by charity/file-1", "charity", "Tape:FileProcessor", file)
	uses := "page page-2 has the processor's file file-1, which uses line 9 of lines/outside:bank:sunrise/s2/0; settle the page by it"
	w.refused("wrong-state: field page: "+uses, "charity", "Fund:Declare", w.signed("declare", speech, cny(15000), fund.Declare{Account: speech, ID: "declare-2", Page: "page-2"}, staff...))
	settle := tape.Settle{Account: speech, ID: "settle-2", Items: []tape.SettleItem{{Source: "page-2", Processor: "file-2"}}}
	w.refused("wrong-state: field items[0]: "+uses, "charity", "Tape:Settle", settle)
	w.refused("wrong-state: field page: "+uses, "charity", "Tape:Match", tape.NewMatch(speech, "match-1", "page-2", gifts, "s2", 0, lines))
	w.refused("wrong-state: field page: "+uses, "charity", "Tape:Withdraw", w.signed("withdraw", speech, cny(15000), tape.Withdraw{Account: speech, ID: "withdraw-1", Page: "page-2", Reason: "not-paid"}, staff...))
	settle.Items[0].Processor = "file-1"
	entry := w.must("charity", "Tape:Settle", settle)
	if p := entry.Postings[1]; p.Taken[0].String() != "32400..32500" || p.Amount != fee {
		t.Errorf("the fee: %+v", p)
	}
	// The first giver's 100.00 are whole; of the processor's 100.00 there are 99.34.
	expires := tape.Instant(w.Clock().UnixMilli()) + tape.Day
	plain := tape.Refund{Account: speech, Expires: expires, Gift: giftProof(t, "page-1", 0, gift(1, 10000), gift(2, 5000), gift(3, 2500)), ID: "refund-1", To: gift(1, 10000).Giver()}
	w.must("charity", "Tape:Refund", w.signed("refund", speech, cny(10000), plain, staff...))
	less := tape.Refund{Account: speech, Expires: expires, Gift: giftProof(t, "page-2", 0, gifts...), ID: "refund-2", To: gifts[0].Giver()}
	w.refused("forbidden", "charity", "Tape:Refund", w.signed("refund", speech, cny(10000), less, staff...))
	w.must("charity", "Tape:Refund", w.signed("refund", speech, cny(9934), less, staff...))
	if hold := record[tape.Hold](w, tape.HoldKey(speech, "refund-2")); hold.Amount != cny(9934) || hold.Spans[0].String() != "17500..27434" {
		t.Errorf("the refund: %+v", hold)
	}
}
