package portal

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// paying is a town where the bank has a teller, and three payouts wait for the bank.
func paying(t *testing.T) *town {
	w := newTown(t)
	proof, err := sign.Possession(w.key("teller"), party.LedgerID{9}, party.Possession{Person: "teller", Custody: party.Own, Duty: party.DutyStaff, Organisation: "bank", Registrar: "coop"})
	made(w.ledger, proof, err)
	w.as("coop", "gateway", "Party:Register", party.RegisterCommand{Address: sign.Address(w.key("teller")), Custody: party.Own, Duty: party.DutyStaff, ID: "register-teller", Organisation: "bank", Person: "teller", Proof: proof})
	w.bank("Party:Witness", party.WitnessCommand{Address: sign.Address(w.key("teller")), Duty: party.DutyStaff, ID: "witness-teller", Person: "teller"})
	payments := []tape.Payment{{Amount: yuan(2_600), Line: "a", To: family}, {Amount: yuan(2_000), Line: "b", To: shop}, {Amount: yuan(1_100), Line: "c", To: shop}}
	job, chunks, err := tape.NewJob(speech, "d1", tape.Instant(w.network.Clock().UnixMilli())+10*tape.Day, [][]tape.Payment{payments})
	made(w.ledger, job, err)
	w.charity("Fund:Propose", w.by("maker", "propose", 5_700, fund.Propose{Account: speech, Amount: job.Amount, Chunks: 1, Count: 3, Expires: job.Expires, ID: "d1", Line: "training", Root: job.Root}))
	w.charity("Fund:List", fund.List{Account: speech, Disbursement: "d1", ID: "list-1", Lines: payments, Path: chunks[0].Path})
	w.charity("Fund:Approve", w.by("checker", "approve", 5_700, fund.Approve{Account: speech, Disbursement: "d1", ID: "ok"}))
	w.charity("Fund:Order", fund.Order{Account: speech, Approvers: []tape.ID{"checker"}, Disbursement: "d1", ID: "order"})
	w.charity("Fund:Pay", fund.Pay{Account: speech, Disbursement: "d1", ID: "pay", Lines: payments, N: 0, Path: chunks[0].Path})
	w.follow()
	return w
}

// sits opens the portal of another organisation.
func (w *town) sits(organisation string, person tape.ID) *visitor {
	w.Helper()
	w.organisation = organisation
	w.open()
	return w.logsIn(person)
}

const bankPage = "/en/campaigns/" + string(speech) + "/bank"

// TestBankStaff: what no import has matched, the bank's teller and the charity's
// staff bring to an end by hand, to the unit.
func TestBankStaff(t *testing.T) {
	w := paying(t)
	public := &visitor{town: w}
	public.request(http.MethodGet, bankPage, nil)
	public.reads("What has the bank shown", "3 · 57.00 CNY", "Which money out belongs to no payout?", "26.00 CNY", "line 4 of january", "Payout that was ordered and is not paid", "d1.0.0",
		"nothing of this amount waits", "Which money in does nobody claim?", "line 8 of january")
	if strings.Contains(public.body, "/acts/") {
		t.Error("a stranger is offered acts")
	}
	teller := w.sits("bank", "teller")
	teller.request(http.MethodGet, "/en/work", nil)
	teller.reads("Payouts wait for this bank", "Lines out belong to no payout", "57.00 CNY", "/en/campaigns/"+string(speech)+"/bank")
	teller.request(http.MethodGet, bankPage, nil)
	teller.reads("/acts/execute-payouts?bank-line=january%3A4&payouts=d1.0.0", "/acts/charge-back?bank-line=january%3A6")
	for _, c := range []struct{ act, line, field, of, want string }{
		{"execute-payouts", "x", "payouts", "d1.0.0", `names no line of a statement`},
		{"execute-payouts", "january:99", "payouts", "d1.0.0", "line 99 of statement january"},
		{"execute-payouts", "january:5", "payouts", "d1.0.0", "line 5 carries 20.00 CNY, 26.00 CNY is to be paid to d1.0.0"},
		{"execute-payouts", "january:8", "payouts", "d1.0.1", "holds credit lines, debit lines are needed"},
		{"execute-payouts", "january:4", "payouts", "", "is empty"},
		{"execute-payouts", "january:4", "payouts", "d1.0.7", "d1.0.7"},
		{"return-payout", "january:8", "hold", "d1.0.1", "0.00 CNY of hold d1.0.1 has been paid out"},
		{"expire-payout", "", "hold", "d1.0.2", "expires at"},
	} {
		teller.asks(c.act, "bank-line", c.line, c.field, c.of)
		if teller.reads(c.want); teller.code != http.StatusUnprocessableEntity {
			t.Errorf("%s by %s: %d", c.act, c.line, teller.code)
		}
	}
	teller.asks("execute-payouts", "bank-line", "january:4", "payouts", "d1.0.0")
	if teller.reads("2 · 31.00 CNY"); teller.place != bankPage {
		t.Errorf("it leads to %s", teller.place)
	}
	teller.asks("execute-payouts", "bank-line", "january:5", "payouts", "d1.0.1")
	teller.reads("/acts/return-payout?bank-line=january%3A8&hold=d1.0.1", "Paid payout that may have come back")
	teller.asks("return-payout", "bank-line", "january:8", "hold", "d1.0.1")
	teller.asks("charge-back", "bank-line", "january:6", "page", "page-1", "gift", "GIFT-3")
	teller.reads("Charged back by the giver's bank", "50.00 CNY")
	teller.request(http.MethodGet, "/en/campaigns/"+string(speech)+"/acts/reclaim-payouts", nil)
	if teller.code != http.StatusBadRequest {
		t.Errorf("the teller is shown the charity's form: %d", teller.code)
	}
	w.charitysHalf(t)
}

// charitysHalf puts back what returned, what expired, and settles by hand.
func (w *town) charitysHalf(t *testing.T) {
	gifts, _ := giftsOf(70, 700)
	w.charity("Tape:Receive", tape.Receive{Account: speech, ID: "late", Count: 1, Total: yuan(700), Gifts: gifts})
	w.network.Advance(11 * 24 * time.Hour)
	w.follow()
	maker := w.sits("charity", "maker")
	maker.request(http.MethodGet, "/en/work", nil)
	maker.reads("Give what came back to its budget line", "/acts/restore-payout?hold=d1.0.1", "/acts/expire-payout?hold=d1.0.2")
	maker.asks("restore-payout", "hold", "d1.0.1")
	maker.asks("restore-payout", "hold", "d1.0.1")
	maker.reads("was restored, by entry")
	maker.asks("expire-payout", "hold", "d1.0.2")
	maker.request(http.MethodGet, "/en/work", nil)
	maker.reads("Take back what was ordered and never paid", "/acts/reclaim-payouts?payouts=d1.0.2")
	maker.asks("reclaim-payouts", "payouts", "d1.0.2")
	maker.asks("restore-payout", "hold", "d1.0.2")
	maker.asks("settle-page", "page", "late")
	maker.reads("rests on nothing yet")
	maker.asks("match-page", "page", "late", "bank-line", "january:1")
	maker.reads("no gift of page late has its line on page 0 of statement january")
	maker.asks("declare-page", "page", "late")
	maker.reads("Declare that page late of " + string(speech) + ", 7.00 CNY, came, although no line of the bank shows it")
	w.done(maker)
	maker.request(http.MethodGet, "/en/campaigns/"+string(speech), nil)
	maker.reads("Settled on the charity's word alone", "Gifts declared, not shown by the bank", "only the charity's own word")
	maker.asks("receive-unclaimed", "unclaimed", string(speech), "bank-line", "january:8")
	maker.reads("does not hold unidentified money")
	account, err := w.model.Account(t.Context(), speech)
	made(w.ledger, account, err)
	// 350.00 were given, 50.00 charged back, 26.00 stay paid, 7.00 came late.
	if account.Free != yuan(35_000-5_000-2_600+700) || account.Held.Units != 0 {
		t.Errorf("%s is free, %s held", account.Free, account.Held)
	}
	budget, err := recordOf[fund.Budget](t.Context(), w.model, fund.BudgetKey(speech))
	made(w.ledger, budget, err)
	for _, line := range budget.Lines {
		if line.Line == "training" && line.Units != 2_600 {
			t.Errorf("%d are ordered on the budget line", line.Units)
		}
	}
	maker.request(http.MethodGet, "/en/work", nil)
	for _, gone := range []string{"restore-payout", "reclaim-payouts", "expire-payout"} {
		if strings.Contains(maker.body, gone) {
			t.Errorf("%s is on the list still", gone)
		}
	}
}

// TestProcessorOnPage: a payment processor's file stands with its sums, its fee and its line.
func TestProcessorOnPage(t *testing.T) {
	w := newTown(t)
	gifts, _ := giftsOf(80, 1_500, 600)
	w.charity("Tape:Receive", tape.Receive{Account: speech, ID: "payments", Count: 2, Total: yuan(2_100), Gifts: gifts})
	w.follow()
	maker := w.logsIn("maker")
	maker.request(http.MethodGet, bankPage, nil)
	maker.reads("No payment processor has collected", "payments", "21.00 CNY", "line 8 of january")
	_, matches, _, err := tape.GiftsBody(gifts)
	made(w.ledger, matches, err)
	fee := yuan(100)
	w.charity("Tape:FileProcessor", tape.FileProcessor{Account: speech, Count: 2, Fee: &fee, FeeTo: "outside:processor:examplepay", ID: "file-1", Line: *w.line(2, returns, 0), Matches: matches, Page: "payments", Total: yuan(2_100)})
	w.follow()
	maker.request(http.MethodGet, bankPage, nil)
	maker.reads("outside:processor:examplepay", "waits to be settled", "Every line in has its gifts, its file or its payout.")
	maker.asks("settle-page", "page", "payments")
	maker.reads("1.00 CNY", "20.00 CNY", "21.00 CNY", "No gifts wait for the bank.")
	if strings.Contains(maker.body, "waits to be settled") {
		t.Error("the file waits still")
	}
}
