package contract_test

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	books     = tape.AccountID("charity:sunrise:books")
	partner   = tape.AccountID("partner:school:books")
	household = tape.AccountID("household:ddbbcoobeooegjmdolfcpojadccomibn:books")
)

// settled opens the accounts and settles one page of three gifts: 100, 50 and 25 CNY.
func (w *world) settled() {
	w.Helper()
	for _, account := range []tape.AccountID{books, partner, household} {
		w.must("charity", "Tape:Open", open(account))
	}
	w.must("charity", "Tape:Receive", page(books, "page-1", gift(1, 10000), gift(2, 5000), gift(3, 2500)))
	w.file("s1", "", 0, side{tape.CreditSide, []tape.Line{line(1, 10000), line(2, 5000), line(3, 2500)}})
	w.must("charity", "Tape:Settle", tape.Settle{Account: books, ID: "settle-1", Items: []tape.SettleItem{
		{Source: "page-1", Lines: &tape.LinesRef{Statement: "s1"}}}})
}

func cny(units int64) money.Amount { return money.New(units, "CNY") }

// TestTwoHops follows gifts over two hops to a household.
func TestTwoHops(t *testing.T) {
	w := newWorld(t)
	w.settled()
	if head := record[tape.Head](w, tape.HeadKey(books)); head.Received != 17500 || head.Spent != 0 || head.Settlements != 1 {
		t.Errorf("head after settling: %+v", head)
	}
	spend := tape.Spend{Account: books, ID: "spend-1", Payments: []tape.Payment{{Amount: cny(12000), Line: "l1", To: partner}}}
	entry := w.must("charity", "Tape:Spend", w.signed("spend", books, cny(12000), spend, "charity-maker", "charity-checker"))
	if got := entry.Postings[0].Taken[0].String(); got != "0..12000" {
		t.Errorf("the spend took %s", got)
	}
	if len(entry.Intents) != 2 || entry.Intents[0].Person != "charity-maker" {
		t.Errorf("the entry does not say who decided: %+v", entry.Intents)
	}
	w.must("charity", "Tape:Settle", tape.Settle{Account: partner, ID: "settle-2", Items: []tape.SettleItem{{Source: "charity/spend-1/0"}}})
	second := tape.Spend{Account: partner, ID: "spend-2", Payments: []tape.Payment{{Amount: cny(11000), Line: "l1", To: household}}}
	w.must("charity", "Tape:Spend", w.signed("spend", partner, cny(11000), second, "charity-checker", "charity-maker"))
	w.must("charity", "Tape:Settle", tape.Settle{Account: household, ID: "settle-3", Items: []tape.SettleItem{{Source: "charity/spend-2/0"}}})
	if head := record[tape.Head](w, tape.HeadKey(household)); head.Received != 11000 {
		t.Errorf("the household's head: %+v", head)
	}
	w.refused("insufficient: "+string(books)+" can spend 55.00 CNY; 55.01 CNY was asked", "charity", "Tape:Spend",
		w.signed("spend", books, cny(5501), tape.Spend{Account: books, ID: "spend-3", Payments: []tape.Payment{{Amount: cny(5501), Line: "l1", To: partner}}}, "charity-maker", "charity-checker"))
}

// TestPayoutLeavesAndComesBack orders a payout, executes it by a bank line and takes it back.
func TestPayoutLeavesAndComesBack(t *testing.T) {
	w := newWorld(t)
	w.settled()
	expires := tape.Instant(w.Clock().UnixMilli()) + 10*tape.Day
	order := tape.OrderHolds{Account: books, ID: "order-1", Expires: expires, Holds: []tape.HoldOrder{
		{Amount: cny(3000), Hold: "payout-1", To: "outside:bank:payee-1"}, {Amount: cny(2000), Hold: "payout-2", To: "outside:bank:payee-2"}}}
	w.must("charity", "Tape:Hold", w.signed("hold", books, cny(5000), order, "charity-maker", "charity-checker"))
	debits := []tape.Line{line(1, 3000)}
	credits := []tape.Line{line(2, 3000)}
	w.file("s2", "s1", 17500, side{tape.DebitSide, debits}, side{tape.CreditSide, credits})
	proof, err := tape.NewLineProof("s2", 0, debits, 0)
	if err != nil {
		t.Fatal(err)
	}
	capture := tape.Capture{Account: books, Amount: cny(3000), Hold: "payout-1", ID: "capture-1", Line: &proof}
	w.refused("forbidden: charity (role gateway) does not keep the bank account", "charity", "Tape:Capture", capture)
	w.must("bank", "Tape:Capture", capture)
	second := capture
	second.ID, second.Hold, second.Amount = "capture-2", "payout-2", cny(2000)
	w.refused("wrong-state: field line: line 1 of statement s2 has been used already", "bank", "Tape:Capture", second)

	back, err := tape.NewLineProof("s2", 1, credits, 0)
	if err != nil {
		t.Fatal(err)
	}
	entry := w.must("bank", "Tape:Return", tape.Return{Account: books, Amount: cny(3000), Hold: "payout-1", ID: "return-1", Line: back})
	if got := entry.Postings[0].Laid[0].String(); got != "0..3000" {
		t.Errorf("the returned payout was laid at %s", got)
	}
	w.refused("insufficient: field amount: 0.00 CNY of hold payout-1 has been paid out; 30.00 CNY was asked", "bank", "Tape:Return",
		tape.Return{Account: books, Amount: cny(3000), Hold: "payout-1", ID: "return-2", Line: back})

	w.refused("early: hold payout-2 expires at", "insurer", "Tape:Expire", tape.Release{Account: books, Hold: "payout-2", ID: "expire-1"})
	w.Advance(11 * 24 * 3600 * 1e9)
	w.must("insurer", "Tape:Expire", tape.Release{Account: books, Hold: "payout-2", ID: "expire-1"})
	w.must("charity", "Tape:Reclaim", tape.Reclaim{Account: books, Holds: []tape.ID{"payout-2"}, ID: "reclaim-1"})
	if free := record[tape.Head](w, tape.HeadKey(books)).Free(); free.Total() != 17500 {
		t.Errorf("free after everything came back: %v", free)
	}
}

// TestMatchSplitsAPage matches a page gift by gift, and finds the owner of a line that nobody claimed.
func TestMatchSplitsAPage(t *testing.T) {
	w := newWorld(t)
	lost := books + "-lost"
	w.must("charity", "Tape:Open", open(books))
	c := open(lost)
	c.Unidentified = books
	w.must("charity", "Tape:Open", c)
	gifts := []tape.Gift{gift(1, 10000), gift(2, 5000), gift(3, 2500), gift(4, 700)}
	w.must("charity", "Tape:Receive", page(books, "page-1", gifts...))
	lines := []tape.Line{line(3, 2500), {Number: 4, Date: "2026-01-01", Amount: cny(5001), Reference: reference(2)}, {Number: 5, Date: "2026-01-01", Amount: cny(10000), Reference: reference(1)}}
	w.file("s1", "", 0, side{tape.CreditSide, lines})
	w.refused("conflict: field items[0]: page page-1 holds 4 gifts of 182.00 CNY, page 0 of statement s1 3 lines of 175.01 CNY; match them instead", "charity", "Tape:Settle",
		tape.Settle{Account: books, ID: "settle-0", Items: []tape.SettleItem{{Source: "page-1", Lines: &tape.LinesRef{Statement: "s1"}}}})

	w.must("charity", "Tape:Match", tape.NewMatch(books, "match-1", "page-1", gifts, "s1", 0, lines))
	matched, rest := record[tape.Page](w, tape.PageKey(books, "page-1.m")), record[tape.Page](w, tape.PageKey(books, "page-1.u"))
	if matched.Count != 2 || matched.Total != cny(12500) || rest.Count != 2 || rest.Total != cny(5700) {
		t.Errorf("split into %d of %s and %d of %s", matched.Count, matched.Total, rest.Count, rest.Total)
	}
	if len(rest.Unmatched) != 2 || rest.Unmatched[0] != (tape.Unmatched{Reason: "amount-differs", Count: 1}) || rest.Unmatched[1] != (tape.Unmatched{Reason: "no-line", Count: 1}) {
		t.Errorf("reasons: %+v", rest.Unmatched)
	}
	w.refused("wrong-state: field items[0]: page page-1 was split", "charity", "Tape:Settle",
		tape.Settle{Account: books, ID: "settle-1", Items: []tape.SettleItem{{Source: "page-1", SelfDeclared: true}}})
	w.must("charity", "Tape:Settle", tape.Settle{Account: books, ID: "settle-1", Items: []tape.SettleItem{{Source: "page-1.m"}}})

	w.refused("forbidden: bank (role gateway) does not sponsor", "bank", "Tape:ReceiveUnidentified", tape.NewReceiveUnidentified(lost, "lost-1", "s1", 0, lines))
	w.must("charity", "Tape:ReceiveUnidentified", tape.NewReceiveUnidentified(lost, "lost-1", "s1", 0, lines))
	w.refused("wrong-state: field lines: are all settled already", "charity", "Tape:ReceiveUnidentified", tape.NewReceiveUnidentified(lost, "lost-2", "s1", 0, lines))
	w.must("charity", "Tape:Settle", tape.Settle{Account: lost, ID: "settle-2", Items: []tape.SettleItem{{Source: "lost-1"}}})
	found := []tape.Gift{{ID: "line-4", Amount: cny(5001), Reference: reference(2)}}
	proof, err := tape.NewGiftProof("lost-1", found, 0)
	if err != nil {
		t.Fatal(err)
	}
	identify := tape.Identify{Account: lost, Gift: proof, ID: "identify-1", To: books}
	w.must("charity", "Tape:Identify", w.signed("identify", lost, cny(5001), identify, "charity-maker", "charity-checker"))
	identify.ID = "identify-2"
	w.refused("wrong-state: field gift: gift 0 of page lost-1 was taken back by charity/identify-1 (identified)", "charity", "Tape:Identify",
		w.signed("identify", lost, cny(5001), identify, "charity-maker", "charity-checker"))
	w.must("charity", "Tape:Settle", tape.Settle{Account: books, ID: "settle-3", Items: []tape.SettleItem{{Source: "charity/identify-1/0"}}})
	if head := record[tape.Head](w, tape.HeadKey(books)); head.Received != 17501 || head.Settlements != 2 {
		t.Errorf("head: %+v", head)
	}
}

// TestProcessor settles a page on a processor's file: n gifts, one bank line, a fee.
func TestProcessor(t *testing.T) {
	w := newWorld(t)
	w.must("charity", "Tape:Open", open(books))
	gifts := []tape.Gift{gift(1, 10000), gift(2, 5000)}
	w.must("charity", "Tape:Receive", page(books, "page-1", gifts...))
	lines := []tape.Line{line(9, 14900)}
	w.file("s1", "", 0, side{tape.CreditSide, lines})
	proof, err := tape.NewLineProof("s1", 0, lines, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, matches, _, err := tape.GiftsBody(gifts)
	if err != nil {
		t.Fatal(err)
	}
	fee := cny(101)
	file := tape.FileProcessor{Account: books, Count: 2, Fee: &fee, FeeTo: "outside:processor", ID: "file-1", Line: proof, Matches: matches, Page: "page-1", Total: cny(15000)}
	w.refused("conflict: field line: carries 149.00 CNY, total less fee is 148.99 CNY", "charity", "Tape:FileProcessor", file)
	*file.Fee = cny(100)
	file.Count = 1
	w.refused("conflict: field page: page-1 holds 2 gifts of 150.00 CNY, the file 1 of 150.00 CNY or other gifts", "charity", "Tape:FileProcessor", file)
	file.Count = 2
	w.must("charity", "Tape:FileProcessor", file)
	w.must("charity", "Tape:Settle", tape.Settle{Account: books, ID: "settle-1", Items: []tape.SettleItem{{Source: "page-1", Processor: "file-1"}}})
	if head := record[tape.Head](w, tape.HeadKey(books)); head.Received != 15000 || head.Free().Total() != 14900 {
		t.Errorf("head: %+v", head)
	}
	w.refused("wrong-state: field items[0]: page-1 is settled already, by settlement 1", "charity", "Tape:Settle",
		tape.Settle{Account: books, ID: "settle-2", Items: []tape.SettleItem{{Source: "page-1", SelfDeclared: true}}})
	file.ID = "file-2"
	w.refused("wrong-state: field page: page-1 is settled already, by settlement 1", "charity", "Tape:FileProcessor", file)
}

// TestRefundAndChargeBack takes gifts back out of their own units, and charges
// what was spent to the sponsor's own funds, or shows it as a receivable.
func TestRefundAndChargeBack(t *testing.T) {
	w := newWorld(t)
	own := tape.AccountID("charity:sunrise:own")
	w.must("charity", "Tape:Open", open(own))
	w.must("charity", "Tape:Open", open(partner))
	c := open(books)
	c.OwnFunds = own
	w.must("charity", "Tape:Open", c)
	gifts := []tape.Gift{gift(1, 10000), gift(2, 5000), gift(3, 2500), gift(4, 900)}
	w.must("charity", "Tape:Receive", page(books, "page-1", gifts...))
	w.must("charity", "Tape:Receive", page(own, "own-1", gift(9, 4000)))
	w.must("charity", "Tape:Settle", tape.Settle{Account: books, ID: "settle-1", Items: []tape.SettleItem{{Source: "page-1", SelfDeclared: true}}})
	w.must("charity", "Tape:Settle", tape.Settle{Account: own, ID: "settle-2", Items: []tape.SettleItem{{Source: "own-1", SelfDeclared: true}}})

	expires := tape.Instant(w.Clock().UnixMilli()) + 10*tape.Day
	proofs := make([]tape.GiftProof, len(gifts))
	for i := range gifts {
		var err error
		if proofs[i], err = tape.NewGiftProof("page-1", gifts, i); err != nil {
			t.Fatal(err)
		}
	}
	refund := tape.Refund{Account: books, Expires: expires, Gift: proofs[2], ID: "refund-1", To: "outside:bank:donor"}
	w.must("charity", "Tape:Refund", w.signed("refund", books, cny(2500), refund, "charity-maker", "charity-checker"))
	if head := record[tape.Head](w, tape.HeadKey(books)); len(head.Holes) != 1 || head.Holes[0].String() != "15000..17500" {
		t.Errorf("the refund's hole: %+v", head)
	}
	refund.ID = "refund-2"
	w.refused("wrong-state: field gift: gift 2 of page page-1 was taken back by charity/refund-1 (refund)", "charity", "Tape:Refund",
		w.signed("refund", books, cny(2500), refund, "charity-maker", "charity-checker"))

	spend := tape.Spend{Account: books, ID: "spend-1", Payments: []tape.Payment{{Amount: cny(12000), Line: "l1", To: partner}}}
	w.must("charity", "Tape:Spend", w.signed("spend", books, cny(12000), spend, "charity-maker", "charity-checker"))
	refund.Gift = proofs[1]
	w.refused("insufficient: field gift: 20.00 CNY of the gift's 50.00 CNY is not free any more", "charity", "Tape:Refund",
		w.signed("refund", books, cny(5000), refund, "charity-maker", "charity-checker"))

	debits := []tape.Line{line(11, 5000), line(12, 10000)}
	w.file("s1", "", 30000, side{tape.DebitSide, debits})
	back := func(id tape.ID, gift, debit int) tape.ChargeBack {
		proof, err := tape.NewLineProof("s1", 0, debits, debit)
		if err != nil {
			t.Fatal(err)
		}
		return tape.ChargeBack{Account: books, Gift: proofs[gift], ID: id, Line: proof}
	}
	w.refused("forbidden: charity (role gateway) does not keep the bank account", "charity", "Tape:ChargeBack", back("back-1", 1, 0))
	w.refused("conflict: field line: line 12 of statement s1 carries 100.00 CNY, 50.00 CNY was asked", "bank", "Tape:ChargeBack", back("back-1", 1, 1))
	entry := w.must("bank", "Tape:ChargeBack", back("back-1", 1, 0))
	if len(entry.Postings) != 2 || entry.Postings[0].Amount != cny(3000) || entry.Postings[1].From != own || entry.Postings[1].Amount != cny(2000) {
		t.Errorf("30.00 were free and 20.00 are own funds' to bear: %+v", entry.Postings)
	}
	entry = w.must("bank", "Tape:ChargeBack", back("back-2", 0, 1))
	if len(entry.Postings) != 1 || !entry.Postings[0].Memo || entry.Postings[0].From != tape.ReceivableOf(books) {
		t.Errorf("own funds do not suffice, so all is a receivable: %+v", entry.Postings)
	}
}

// TestJob runs a large act in chunks, in any order, and abandons another.
func TestJob(t *testing.T) {
	w := newWorld(t)
	w.settled()
	chunks := [][]tape.Payment{
		{{Amount: cny(100), Line: "a", To: household}, {Amount: cny(200), Line: "b", To: "outside:bank:payee-2"}},
		{{Amount: cny(300), Line: "a", To: household, OnBehalfOf: partner}},
		{{Amount: cny(400), Line: "a", To: partner}},
	}
	expires := tape.Instant(w.Clock().UnixMilli()) + 10*tape.Day
	open, runs := job(t, books, "job-1", expires, chunks)
	w.must("charity", "Tape:OpenJob", w.signed("open-job", books, open.Amount, open, "charity-maker", "charity-checker"))
	w.must("charity", "Tape:RunChunk", runs[2])
	again := runs[2]
	again.ID = "again"
	w.refused("wrong-state: field n: chunk 2 of job job-1 has run, in entry charity/job-1-2", "charity", "Tape:RunChunk", again)
	forged := runs[0]
	forged.Lines = []tape.Payment{{Amount: cny(300), Line: "a", To: household}}
	w.refused("conflict: field path: chunk 0 is not under the root of job job-1", "charity", "Tape:RunChunk", forged)
	entry := w.must("charity", "Tape:RunChunk", runs[1])
	if got := entry.Postings[0]; got.Taken[0].String() != "300..600" || got.OnBehalfOf != partner {
		t.Errorf("chunk 1: %+v", got)
	}
	w.refused("wrong-state: field job: 2 of 3 chunks have run, 3.00 CNY is left", "charity", "Tape:CloseJob", tape.CloseJob{Account: books, ID: "close-1", Job: "job-1"})
	w.must("charity", "Tape:RunChunk", runs[0])
	if hold := record[tape.Hold](w, tape.HoldKey(books, "job-1.0.1")); hold.Amount != cny(200) || hold.State != tape.HoldOpen {
		t.Errorf("the payee outside the ledger: %+v", hold)
	}
	w.must("charity", "Tape:CloseJob", tape.CloseJob{Account: books, ID: "close-1", Job: "job-1"})
	w.refused("wrong-state: field job: job job-1 is closed", "charity", "Tape:CloseJob", tape.CloseJob{Account: books, ID: "close-2", Job: "job-1"})

	open, runs = job(t, books, "job-2", expires, chunks)
	w.must("charity", "Tape:OpenJob", w.signed("open-job", books, open.Amount, open, "charity-maker", "charity-checker"))
	w.must("charity", "Tape:RunChunk", runs[1])
	w.must("charity", "Tape:CloseJob", tape.CloseJob{Abandon: true, Account: books, ID: "close-2", Job: "job-2"})
	if head := record[tape.Head](w, tape.HeadKey(books)); head.Free().Total() != 17500-1000-300 {
		t.Errorf("free after abandoning: %v", head.Free())
	}
	w.refused("wrong-state: field job: job job-2 is abandoned", "charity", "Tape:RunChunk", runs[0])
	open, runs = job(t, books, "job-3", expires, chunks)
	w.must("charity", "Tape:OpenJob", w.signed("open-job", books, open.Amount, open, "charity-maker", "charity-checker"))
	w.Advance(11 * 24 * 3600 * 1e9)
	w.refused("expired: field lines[1]: payouts of job job-3 could be ordered until", "charity", "Tape:RunChunk", runs[0])
	w.must("charity", "Tape:RunChunk", runs[2])
}

// job makes the commands of a job.
func job(t testing.TB, account tape.AccountID, id tape.ID, expires tape.Instant, chunks [][]tape.Payment) (tape.OpenJob, []tape.RunChunk) {
	t.Helper()
	open, runs, err := tape.NewJob(account, id, expires, chunks)
	if err != nil {
		t.Fatal(err)
	}
	return open, runs
}

// TestPooledReturn: what comes back to a pooled account is a new inflow that names its origin.
func TestPooledReturn(t *testing.T) {
	w := newWorld(t)
	c := open(books)
	c.Attribution = tape.Pooled
	w.must("charity", "Tape:Open", c)
	w.must("charity", "Tape:Receive", page(books, "page-1", gift(1, 10000)))
	w.must("charity", "Tape:Settle", tape.Settle{Account: books, ID: "settle-1", Items: []tape.SettleItem{{Source: "page-1", SelfDeclared: true}}})
	order := tape.OrderHolds{Account: books, ID: "order-1", Expires: tape.Instant(w.Clock().UnixMilli()) + tape.Day, Holds: []tape.HoldOrder{{Amount: cny(3000), Hold: "payout-1", To: "outside:bank:payee"}}}
	w.must("charity", "Tape:Hold", w.signed("hold", books, cny(3000), order, "charity-maker", "charity-checker"))
	debits, credits := []tape.Line{line(1, 3000)}, []tape.Line{line(2, 3000)}
	w.file("s1", "", 10000, side{tape.DebitSide, debits}, side{tape.CreditSide, credits})
	debit, err := tape.NewLineProof("s1", 0, debits, 0)
	if err != nil {
		t.Fatal(err)
	}
	credit, err := tape.NewLineProof("s1", 1, credits, 0)
	if err != nil {
		t.Fatal(err)
	}
	w.must("bank", "Tape:Capture", tape.Capture{Account: books, Amount: cny(3000), Hold: "payout-1", ID: "capture-1", Line: &debit})
	entry := w.must("charity", "Tape:Return", tape.Return{Account: books, Amount: cny(3000), Hold: "payout-1", ID: "return-1", Line: credit})
	if p := entry.Postings[0]; p.Inflow != "charity/return-1/0" || p.Origin != "charity/order-1" {
		t.Errorf("the return: %+v", p)
	}
	w.must("charity", "Tape:Settle", tape.Settle{Account: books, ID: "settle-2", Items: []tape.SettleItem{{Source: "charity/return-1/0"}}})
	if head := record[tape.Head](w, tape.HeadKey(books)); head.Received != 13000 || head.Free().Total() != 10000 {
		t.Errorf("head: %+v", head)
	}
}
