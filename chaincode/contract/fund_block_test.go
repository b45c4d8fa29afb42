package contract_test

import (
	"fmt"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// endowed opens a filed campaign to which one gift was given.
func (w *world) endowed(units int64) {
	w.Helper()
	large := plan(similar)
	large.Goal, large.Lines[0].Amount = cny(2*units+20000), cny(2*units)
	w.must("charity", "Fund:OpenCampaign", w.decided("open-campaign", speech, openCampaign(speech, fund.Filing, large), staff...))
	w.must("charity", "Tape:Receive", page(speech, "page-1", gift(1, units)))
	w.file("s1", "", 0, side{tape.CreditSide, []tape.Line{line(1, units)}})
	w.must("charity", "Tape:Settle", tape.Settle{Account: speech, ID: "settle-1", Items: []tape.SettleItem{{Source: "page-1", Lines: &tape.LinesRef{Statement: "s1"}}}})
	w.must("regulator", "Fund:AcceptFiling", w.decided("accept-filing", speech,
		fund.AcceptFiling{Account: speech, ID: "file-1", Number: "53000020261", Plan: "charity/" + string(openID(speech))}, "regulator-maker"))
	w.enrolled()
}

// TestAboveTheThreshold: above 100,000.00 CNY another organisation approves too,
// by a gateway of its own.
func TestAboveTheThreshold(t *testing.T) {
	w := newWorld(t)
	w.endowed(30_000_000)
	w.ordered("d1", "training", payment("a", 10_000_000, family))
	p := w.proposed("d2", "training", payment("a", 10_000_001, family))
	w.must("charity", "Fund:Approve", w.approval(p, "charity-checker"))
	w.refused("forbidden: 100000.01 CNY is above 100000.00 CNY: staff of 2 different organisations must sign; those of 1 did", "charity", "Fund:Order", order(p, "charity-checker"))
	w.must("insurer", "Fund:Approve", w.approval(p, "insurer-checker"))
	entry := w.must("charity", "Fund:Order", order(p, "insurer-checker"))
	if len(entry.Intents) != 2 || entry.Intents[0].Person != "charity-maker" || entry.Intents[1].Organisation != "insurer" {
		t.Errorf("the order does not say who decided: %+v", entry.Intents)
	}
}

// TestTenThousandPayees: the largest disbursement, 50 chunks of 200, every one
// listed, approved at once, and paid.
func TestTenThousandPayees(t *testing.T) {
	if testing.Short() {
		t.Skip("10,000 payouts take a while")
	}
	w := newWorld(t)
	w.endowed(1_000_000)
	chunks := make([][]tape.Payment, fund.ChunksMax)
	for n := range chunks {
		enrol := fund.Enrol{Account: speech, ID: tape.ID(fmt.Sprint("batch-", n))}
		for i := range tape.ChunkLinesMax {
			to := tape.AccountID("outside:household:" + tape.PseudonymFrom(fmt.Sprintf("x%d-%d", n, i)))
			enrol.Payees = append(enrol.Payees, fund.NewPayee{Kind: fund.Household, Payee: to})
			chunks[n] = append(chunks[n], payment(tape.ID(fmt.Sprint("l", i)), 100, to))
		}
		w.must("charity", "Fund:Enrol", w.decided("enrol", speech, enrol, "charity-maker"))
	}
	job, runs, err := tape.NewJob(speech, "d1", tape.Instant(w.Clock().UnixMilli())+10*tape.Day, chunks)
	if err != nil {
		t.Fatal(err)
	}
	propose := fund.Propose{Account: speech, Amount: job.Amount, Chunks: job.Chunks, Count: 10_000, Expires: job.Expires, ID: "d1", Line: "training", Root: job.Root}
	w.must("charity", "Fund:Propose", w.signed("propose", speech, propose.Amount, propose, "charity-maker"))
	p := proposal{propose: propose}
	for n, run := range runs {
		if n == len(runs)-1 {
			w.refused("wrong-state: chunk 49 of disbursement d1 is not listed yet", "charity", "Fund:Approve", w.approval(p, "charity-checker"))
		}
		w.must("charity", "Fund:List", fund.List{Account: speech, Disbursement: "d1", ID: tape.ID(fmt.Sprint("list-", n)), Lines: run.Lines, N: run.N, Path: run.Path})
	}
	w.must("charity", "Fund:Approve", w.approval(p, "charity-checker"))
	w.must("charity", "Fund:Order", order(p, "charity-checker"))
	for n, run := range runs {
		w.must("charity", "Fund:Pay", fund.Pay{Account: speech, Disbursement: "d1", ID: tape.ID(fmt.Sprint("pay-", n)), Lines: run.Lines, N: run.N, Path: run.Path})
	}
	w.must("charity", "Fund:CloseDisbursement", fund.CloseDisbursement{Account: speech, Disbursement: "d1", ID: "close-d1"})
	if hold := record[tape.Hold](w, tape.HoldKey(speech, "d1.49.199")); hold.Spans[0].String() != "999900..1000000" {
		t.Errorf("the last payout: %+v", hold)
	}
}

// TestFundReplays: the same command is answered again, another under its id is not.
func TestFundReplays(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.enrolled()
	p := w.proposal("d1", "training", payment("a", 6000, family))
	replay := func(as, function string, again func() any) {
		t.Helper()
		first := w.must(as, function, again())
		before := w.State().Digest()
		if second := w.must(as, function, again()); second.Command != first.Command || second.At != first.At || second.Kind != first.Kind {
			t.Errorf("%s answers %+v again, not %+v", function, second, first)
		}
		if w.State().Digest() != before {
			t.Errorf("%s wrote again", function)
		}
	}
	replay("charity", "Fund:Propose", func() any { return w.signed("propose", speech, p.propose.Amount, p.propose, "charity-maker") })
	other := p.propose
	other.Line = "office"
	w.refused("exists: entry d1 exists with other content", "charity", "Fund:Propose", w.signed("propose", speech, other.Amount, other, "charity-maker"))
	replay("charity", "Fund:List", func() any { return p.list })
	replay("charity", "Fund:Approve", func() any { return w.approval(p, "charity-checker") })
	replay("charity", "Fund:Order", func() any { return order(p, "charity-checker") })
	changed := order(p, "charity-checker", "insurer-checker")
	w.refused("exists: entry d1-order exists with other content", "charity", "Fund:Order", changed)
	changed = order(p, "charity-checker")
	changed.ID = "d1-again"
	w.refused("wrong-state: disbursement d1 was ordered, by entry charity/d1-order", "charity", "Fund:Order", changed)
	replay("charity", "Fund:Pay", func() any { return p.pay })
	pay := p.pay
	pay.ID = "pay-again"
	w.refused("wrong-state: field n: chunk 0 of job d1 has run, in entry charity/d1-pay", "charity", "Fund:Pay", pay)
	list := p.list
	list.ID = "list-again"
	w.refused("exists: this list of disbursement d1 exists already", "charity", "Fund:List", list)
	w.paid("s2", "s1", 17500, "d1.0.0", 6000)
	arrived := fund.Confirm{Account: speech, Amount: cny(6000), Hold: "d1.0.0", ID: "arrived-1", Outcome: fund.Arrived}
	replay("insurer", "Fund:Confirm", func() any { return w.signed("confirm", speech, cny(6000), arrived, "h1") })
	replay("charity", "Fund:CloseDisbursement", func() any { return fund.CloseDisbursement{Account: speech, Disbursement: "d1", ID: "close-d1"} })
}

// TestFundInOneBlock: approvers, and chunks of one disbursement, do not wait for
// each other; of two orders in one block the second is sent again.
func TestFundInOneBlock(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.enrolled()
	one := w.proposed("d1", "training", payment("a", 6000, family))
	two, lists, pays := w.inChunks("d2", payment("a", 100, family), payment("a", 200, shop), payment("a", 300, family))
	block, endorse := w.block, w.endorsed
	block([]peer.TxValidationCode{valid, valid, valid}, endorse("charity", "Fund:List", lists[0]), endorse("charity", "Fund:List", lists[1]), endorse("charity", "Fund:List", lists[2]))
	block([]peer.TxValidationCode{valid, valid, valid, valid}, endorse("charity", "Fund:Approve", w.approval(one, "charity-checker")), endorse("insurer", "Fund:Approve", w.approval(one, "insurer-checker")),
		endorse("charity", "Fund:Approve", w.approval(two, "charity-checker")), endorse("insurer", "Fund:Approve", w.approval(two, "insurer-checker")))
	block([]peer.TxValidationCode{valid, stale}, endorse("charity", "Fund:Order", order(one, "charity-checker")), endorse("charity", "Fund:Order", order(two, "insurer-checker")))
	// An order and a rejection of one disbursement: whichever comes first stands.
	no := w.signed("reject", speech, two.propose.Amount, fund.Reject{Account: speech, Disbursement: "d2", ID: "no-d2", Reason: "budget"}, "charity-checker")
	block([]peer.TxValidationCode{valid, stale}, endorse("charity", "Fund:Order", order(two, "insurer-checker")), endorse("charity", "Fund:Reject", no))
	block([]peer.TxValidationCode{valid, valid, valid, valid}, endorse("charity", "Fund:Pay", pays[0]), endorse("charity", "Fund:Pay", pays[1]), endorse("charity", "Fund:Pay", pays[2]),
		endorse("charity", "Fund:Pay", one.pay))
}

// TestGrantsInOneBlock: chunks that pay one partner wait for each other, those
// that pay households for nobody.
func TestGrantsInOneBlock(t *testing.T) {
	w := newWorld(t)
	w.campaign()
	w.enrolled()
	w.granting(5000)
	d, lists, pays := w.inChunks("d1", payment("a", 100, school), payment("a", 200, family), payment("a", 300, school))
	for _, list := range lists {
		w.must("charity", "Fund:List", list)
	}
	w.must("charity", "Fund:Approve", w.approval(d, "charity-checker"))
	w.must("charity", "Fund:Order", order(d, "charity-checker"))
	w.block([]peer.TxValidationCode{valid, valid, stale}, w.endorsed("charity", "Fund:Pay", pays[0]), w.endorsed("charity", "Fund:Pay", pays[1]), w.endorsed("charity", "Fund:Pay", pays[2]))
	w.onLines("training 600, office 0", "training 100")
	w.must("charity", "Fund:Pay", pays[2])
	w.onLines("training 600, office 0", "training 400")
}

const valid, stale = peer.TxValidationCode_VALID, peer.TxValidationCode_MVCC_READ_CONFLICT

// inChunks proposes a disbursement of one payment a chunk.
func (w *world) inChunks(id tape.ID, payments ...tape.Payment) (d proposal, lists []fund.List, pays []fund.Pay) {
	w.Helper()
	chunks := make([][]tape.Payment, len(payments))
	for n, payment := range payments {
		chunks[n] = []tape.Payment{payment}
	}
	job, runs, err := tape.NewJob(speech, id, tape.Instant(w.Clock().UnixMilli())+10*tape.Day, chunks)
	if err != nil {
		w.Fatal(err)
	}
	d.propose = fund.Propose{Account: speech, Amount: job.Amount, Chunks: job.Chunks, Count: job.Chunks, Expires: job.Expires, ID: id, Line: "training", Root: job.Root}
	w.must("charity", "Fund:Propose", w.signed("propose", speech, d.propose.Amount, d.propose, "charity-maker"))
	for n, run := range runs {
		lists = append(lists, fund.List{Account: speech, Disbursement: id, ID: tape.ID(fmt.Sprint("list-", n)), Lines: run.Lines, N: run.N, Path: run.Path})
		pays = append(pays, fund.Pay{Account: speech, Disbursement: id, ID: tape.ID(fmt.Sprint("pay-", n)), Lines: run.Lines, N: run.N, Path: run.Path})
	}
	return d, lists, pays
}

// endorsed is a command that peers have judged, and that no block holds yet.
func (w *world) endorsed(as, function string, command any) *peertest.Endorsed {
	w.Helper()
	endorsed, err := w.Endorse(w.identity(as), function, encode(w, command))
	if err != nil {
		w.Fatalf("%s: %v", function, err)
	}
	return endorsed
}

// block commits endorsed commands together.
func (w *world) block(want []peer.TxValidationCode, endorsed ...*peertest.Endorsed) {
	w.Helper()
	results, err := w.Commit(endorsed...)
	if err != nil {
		w.Fatal(err)
	}
	for i, code := range want {
		if results[i].Code != code {
			w.Errorf("transaction %d: %s, want %s", i, results[i].Code, code)
		}
	}
}
