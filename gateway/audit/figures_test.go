package audit_test

import (
	"encoding/json"
	"html"
	"io"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/disclosure"
	"github.com/lianbao/lianbao/gateway/export/books"
	"github.com/lianbao/lianbao/gateway/portal"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/trail"
)

// says gives the receiver's word on a payout.
func (v *village) says(id, outcome, reason string, units int64) {
	v.t.Helper()
	command := fund.Confirm{Account: speech, Amount: cny(units), Hold: "d6.0.0", ID: tape.ID(id), Outcome: outcome, Reason: reason}
	v.by("insurer", "Fund:Confirm", v.signedBy("confirm", speech, units, command, "h1"))
}

// changedMinds is one payout whose receiver says everything that can be said
// about it, while the bank pays it in two parts and takes it back in two.
func (v *village) changedMinds() {
	v.t.Helper()
	p := v.approved("d6", "training", []tape.Payment{payTo("a", 2_000, family)})
	v.by("charity", "Fund:Order", orderOf(p))
	v.by("charity", "Fund:Pay", p.pays[0])
	debits := linesOf("out2", 1, 1_500, 500, 2_500)
	v.speechStatement("out2", "out", 10_000, tape.DebitSide, debits)
	credits := linesOf("in2", 1, 500, 1_500)
	v.speechStatement("in2", "out2", 5_500, tape.CreditSide, credits)
	proof := func(statement tape.ID, lines []tape.Line, n int) tape.LineProof {
		found, err := tape.NewLineProof(statement, 0, lines, n)
		return must(v.t, found, err)
	}
	capture := func(n int) {
		line := proof("out2", debits, n)
		v.by("bank", "Tape:Capture", tape.Capture{Account: speech, Amount: debits[n].Amount, Hold: "d6.0.0", ID: tape.ID("capture-" + string(reference("d6", n)[:4])), Line: &line})
	}
	back := func(n int) {
		v.by("bank", "Tape:Return", tape.Return{Account: speech, Amount: credits[n].Amount, Hold: "d6.0.0", ID: tape.ID("back-" + string(reference("d6", n)[:4])), Line: proof("in2", credits, n)})
	}
	v.says("w1", fund.Disputed, "not-arrived", 2_000) // nothing is paid yet
	capture(0)
	v.says("w2", fund.Arrived, "", 1_500)
	capture(1)
	v.says("w3", fund.Arrived, "", 2_000)
	v.says("w4", fund.Disputed, "late", 2_000)
	v.says("w5", fund.Disputed, "taken-from-me", 2_000)
	v.says("w6", fund.Arrived, "", 2_000)
	back(0)
	v.says("w7", fund.Disputed, "less-arrived", 2_000)
	back(1)
	v.by("charity", "Fund:Restore", fund.Restore{Account: speech, Disbursement: "d6", Hold: "d6.0.0", ID: "restore-d6"})
	gifts := giftsOf("s", 10_000, 5_000, 2_500)
	gift, err := tape.NewGiftProof("s", gifts, 2)
	must(v.t, gift, err)
	expires := tape.Instant(v.Clock().Add(time.Hour).UnixMilli())
	v.decided("refund", "Tape:Refund", speech, 2_500, tape.Refund{Account: speech, Expires: expires, Gift: gift, ID: "refund-s", To: gifts[2].Giver()})
	line := proof("out2", debits, 2)
	v.by("bank", "Tape:Capture", tape.Capture{Account: speech, Amount: cny(2_500), Hold: "refund-s", ID: "capture-refund-s", Line: &line})
}

// movedUnits are those of the gift that is moved.
const movedUnits = 4_000

// movedMinds adds two gifts to what the campaign has: one is charged back, one
// was meant for another campaign. A page that never came is withdrawn.
func (v *village) movedMinds() {
	v.t.Helper()
	gifts := giftsOf("k", 3_000, movedUnits)
	v.receive(speech, "k", gifts)
	v.receive(speech, "never", giftsOf("n", 900))
	v.speechStatement("in3", "in2", 7_500, tape.CreditSide, linesOf("k", 1, 3_000, movedUnits))
	v.by("charity", "Tape:Settle", tape.Settle{Account: speech, ID: "settle-k", Items: []tape.SettleItem{{Source: "k", Lines: &tape.LinesRef{Statement: "in3"}}}})
	debits := linesOf("out3", 1, 3_000)
	v.speechStatement("out3", "in3", 14_500, tape.DebitSide, debits)
	proofs := make([]tape.GiftProof, len(gifts))
	for i := range gifts {
		proof, err := tape.NewGiftProof("k", gifts, i)
		proofs[i] = must(v.t, proof, err)
	}
	line, err := tape.NewLineProof("out3", 0, debits, 0)
	v.by("bank", "Tape:ChargeBack", tape.ChargeBack{Account: speech, Gift: proofs[0], ID: "back-k", Line: must(v.t, line, err)})
	v.decided("correct", "Tape:Correct", speech, movedUnits, tape.Correct{Account: speech, Gift: proofs[1], ID: "correct-k", Reason: "wrong-reference", To: similar})
	v.by("charity", "Tape:Settle", tape.Settle{Account: similar, ID: "settle-moved", Items: []tape.SettleItem{{Source: "charity/correct-k/0"}}})
	v.decided("withdraw", "Tape:Withdraw", speech, 900, tape.Withdraw{Account: speech, ID: "withdraw-n", Page: "never", Reason: "not-paid"})
}

// sheetHolds compares a sheet with what the payouts themselves say, and its
// figures with one another.
func sheetHolds(t *testing.T, v *village, model *readmodel.Model, account tape.AccountID) disclosure.Sheet {
	t.Helper()
	sheet, err := disclosure.Of(t.Context(), model, account, v.Clock())
	must(t, sheet, err)
	payouts, err := model.Payouts(t.Context(), readmodel.PayoutFilter{Account: account}, readmodel.Window{Limit: 1000})
	must(t, payouts, err)
	var paid, confirmed, disputed, number int64
	for _, p := range payouts.Items {
		if p.Job == "" {
			continue // a refund
		}
		units := p.Captured.Total() - p.Returned.Total()
		if paid += units; units > 0 {
			number++
		}
		if p.Confirmation != nil {
			confirmed += p.Confirmation.Confirmed(p.Hold.Hold).Units
			disputed += p.Confirmation.Contested(p.Hold.Hold).Units
		}
	}
	s := sheet.Sums
	for _, one := range []struct {
		name       string
		sheet, own int64
	}{{"paid", s.Paid.Units, paid}, {"confirmed", s.Confirmed.Units, confirmed}, {"disputed", s.Disputed.Units, disputed}, {"payouts", s.Payouts, number}} {
		if one.sheet != one.own {
			t.Errorf("%s: %s is %d on the sheet and %d by the payouts", account, one.name, one.sheet, one.own)
		}
	}
	gone := s.Paid.Units + s.Passed.Units
	for _, one := range []struct {
		name        string
		part, whole int64
	}{{"confirmed of paid", s.Confirmed.Units, s.Paid.Units}, {"disputed of paid", s.Disputed.Units, s.Paid.Units}, {"paid of ordered", gone, s.Ordered.Units},
		{"ordered of settled", s.Ordered.Units, s.Settled.Units}, {"settled of raised", s.Settled.Units, s.Raised.Units}, {"declared of settled", s.Declared.Units, s.Settled.Units}} {
		if one.part < 0 || one.part > one.whole {
			t.Errorf("%s: %s: %d of %d", account, one.name, one.part, one.whole)
		}
	}
	return sheet
}

// TestFigures reads the chain block by block: after each the sheets hold. At
// the end page, sheet, export and chain say the same of a campaign with a grant
// that came home, disputes, payouts in parts that came back, and a refund.
func TestFigures(t *testing.T) {
	v := newVillage(t)
	v.campaign()
	v.changedMinds()
	v.movedMinds()
	blocks := newShelf(t, v.chain())
	for next := range v.Height() {
		must(t, 0, blocks.Advance(t.Context(), next+1))
		for _, account := range []tape.AccountID{speech, similar, circle, school} {
			if _, err := blocks.Campaign(t.Context(), account); err == nil {
				sheetHolds(t, v, blocks.Model, account)
			}
		}
		if t.Failed() {
			t.Fatalf("after block %d", next)
		}
	}
	sheet := sheetHolds(t, v, blocks.Model, speech)
	s := sheet.Sums
	for _, one := range []struct {
		name        string
		found, want money.Amount
	}{{"raised", s.Raised, cny(20_500)}, {"settled", s.Settled, cny(20_500)}, {"shown", s.Shown(), cny(20_500)}, {"charged back", s.Reversed, cny(3_000)}, {"given", sheet.Given, cny(15_000)}, {"recovered", s.Recovered, cny(1_000)}, {"passed", s.Passed, cny(0)},
		{"paid", s.Paid, cny(7_500)}, {"refunded", s.Refunded, cny(2_500)}, {"returned", s.Returned, cny(2_000)}, {"confirmed", s.Confirmed, cny(6_000)}, {"disputed", s.Disputed, cny(0)}} {
		if one.found != one.want {
			t.Errorf("%s is %s, not %s", one.name, one.found, one.want)
		}
	}
	if grant := sheetHolds(t, v, blocks.Model, school).Sums; grant.Raised != cny(0) || grant.Granted != cny(0) || grant.Remitted != cny(1_000) || grant.Passed != cny(0) {
		t.Errorf("what the partner gave home: %+v", grant)
	}
	if moved := sheetHolds(t, v, blocks.Model, similar).Sums; moved.Raised != cny(movedUnits) || moved.Settled != cny(movedUnits) || moved.Gifts != 1 {
		t.Errorf("the campaign that the moved gift was meant for: %+v", moved)
	}
	chainSays(t, v, blocks.Model, sheet)
	exportSays(t, v, blocks.Model, sheet)
	pageSays(t, v, blocks.Model, sheet)
	// The audit counts what was published again, and comes to the same.
	for _, found := range booked(t, v.chain()).Findings {
		t.Errorf("%s: %s: expected %s, found %s", found.Key, found.What, found.Expected, found.Found)
	}
}

// TestComesHome: what a partner brings home stands on the lines that paid it,
// on the chain as on the sheet, and the audit divides it alike.
func TestComesHome(t *testing.T) {
	v := newVillage(t)
	v.campaign()
	before := v.Height()
	v.wentHome()
	blocks := newShelf(t, v.chain())
	for next := range v.Height() {
		must(t, 0, blocks.Advance(t.Context(), next+1))
		if next >= before {
			sheetHolds(t, v, blocks.Model, speech)
		}
	}
	sheet := sheetHolds(t, v, blocks.Model, speech)
	for i, want := range []struct {
		line                     tape.ID
		ordered, recovered, left int64
	}{{"training", 8_000, 1_700, 72_000}, {"office", 0, 0, 15_000}, {"travel", 0, 300, 300}} {
		line := sheet.Lines[i]
		if line.ID != want.line || line.Sums.Ordered != cny(want.ordered) || line.Sums.Recovered != cny(want.recovered) || line.Sums.Passed != cny(0) || sheet.Left[i] != cny(want.left) {
			t.Errorf("%s: %+v, left %s; want %+v", line.ID, line.Sums, sheet.Left[i], want)
		}
	}
	value, _ := v.State().Get(fund.GrantedKey(speech, theater))
	if got := string(value.Data); got != `{"lines":[{"line":"training","units":"0"},{"line":"travel","units":"0"}],"v":1}` {
		t.Errorf("what the partner still has: %s", got)
	}
	for _, found := range booked(t, v.chain()).Findings {
		t.Errorf("%s: %s: expected %s, found %s", found.Key, found.What, found.Expected, found.Found)
	}
	// 900 of 700 on training and 300 on travel are 630 and 270.
	chain := v.chain()
	rewrite(chain[place{"Fund:Carry", "carry-theater"}.in(chain)], 0, inRecord("granted/", `"units":"70"`, `"units":"71"`))
	finds(t, booked(t, chain), "\ngranted/charity:sunrise:speech/partner:theater:speech, what it was paid on each budget line and has not given back; expected training 70, travel 30, found training 71, travel 30")
	chain = v.chain()
	rewrite(chain[place{"Fund:Pay", "t2-first-pay"}.in(chain)], 0, inRecord("granted/", `"units":"300"`, `"units":"30"`))
	finds(t, booked(t, chain), "\ngranted/charity:sunrise:speech/partner:theater:speech, what it was paid on each budget line and has not given back; expected training 600, travel 300, found training 600, travel 30")
	chain = v.chain()
	rewrite(chain[place{"Fund:Carry", "carry-late"}.in(chain)], 0, inRecord("budget/", `"line":"travel","units":"0"`, `"line":"travel","units":"30"`))
	finds(t, booked(t, chain), "\nbudget/charity:sunrise:speech, what is ordered on each budget line; expected training 8000, 2000 carried over, found training 8000, travel 30, 2000 carried over")
}

// chainSays: budget and head are the sheet's, and the contract takes its figures for a publication.
func chainSays(t *testing.T, v *village, model *readmodel.Model, sheet disclosure.Sheet) {
	t.Helper()
	value, found := v.State().Get(fund.BudgetKey(speech))
	var budget fund.Budget
	if must(t, 0, json.Unmarshal(value.Data, &budget)); !found || len(budget.Lines) != len(sheet.Lines) {
		t.Fatalf("the budget is %+v", budget)
	}
	for i, line := range budget.Lines {
		if line.Line != sheet.Lines[i].ID || line.Units != sheet.Lines[i].Sums.Ordered.Units {
			t.Errorf("on line %s the chain has %d ordered, the sheet %s", line.Line, line.Units, sheet.Lines[i].Sums.Ordered)
		}
	}
	head, err := model.Head(t.Context(), speech)
	// The tape has had the gift that was moved, too.
	if must(t, head, err); head.Received != sheet.Sums.Settled.Units+sheet.Sums.Recovered.Units+movedUnits || budget.Given(head) != sheet.Given.Units || sheet.Cap != sheet.Campaign.Plan.ManagementCap(budget.Given(head)) {
		t.Errorf("the tape has received %d; the sheet says %+v, given %s, at most %s for management", head.Received, sheet.Sums, sheet.Given, sheet.Cap)
	}
	position, err := model.Position(t.Context())
	must(t, position, err)
	publish := fund.Publish{Account: speech, Block: int32(position.Next) - 1, Document: merkle.Hash{9}, Duty: "progress", From: "2025-12-01", ID: "pub-3", N: 3, To: "2026-01-01", Figures: sheet.Figures()}
	v.by("charity", "Fund:Publish", v.signedBy("publish", speech, 0, publish, "maker"))
}

func exportSays(t *testing.T, v *village, model *readmodel.Model, sheet disclosure.Sheet) {
	t.Helper()
	exported := books.Books{Model: model, Facts: trail.Facts{Model: model}}
	cut := books.Cut{Generated: tape.Instant(v.Clock().UnixMilli())}
	of, err := exported.Reconcile(t.Context(), speech, cut)
	must(t, of, err)
	s := sheet.Sums
	if incoming := s.Settled.Units - s.Refunded.Units - s.Reversed.Units; !of.Agrees() || of.Export.Incoming.Units+of.Export.LaterIn.Units != incoming ||
		of.Export.Disbursed.Units+of.Export.Spent.Units+of.Export.LaterOut.Units != s.Paid.Units+s.Passed.Units+s.Fee.Units {
		t.Errorf("the sheet says %+v, the export %+v", s, of)
	}
	moved, err := exported.Reconcile(t.Context(), similar, cut)
	if must(t, moved, err); !moved.Agrees() || moved.Chain.Rebooked != cny(movedUnits) || moved.Export.Incoming.Units+moved.Export.LaterIn.Units != movedUnits || of.Chain.Rebooked != cny(-movedUnits) {
		t.Errorf("the moved gift is %+v in the export of its campaign, %s in the other's", moved, of.Chain.Rebooked)
	}
	grant, err := exported.Reconcile(t.Context(), school, cut)
	if must(t, grant, err); !grant.Agrees() || grant.Export.Incoming.Units+grant.Export.LaterIn.Units != 0 || grant.Export.Disbursed.Units+grant.Export.LaterOut.Units != 0 {
		t.Errorf("what the partner gave home is %+v in its export", grant)
	}
}

var tags = regexp.MustCompile(`<[^>]*>|\s+`)

func pageSays(t *testing.T, v *village, model *readmodel.Model, sheet disclosure.Sheet) {
	t.Helper()
	handler := portal.New(portal.Parts{Organisation: "charity", Model: model, Campaigns: trail.Trail{Model: model, Now: v.Clock},
		Today: func() tape.Date { return sheet.Today }, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest("GET", "/en/campaigns/"+string(speech), nil))
	text := tags.ReplaceAllString(html.UnescapeString(answer.Body.String()), " ")
	text = regexp.MustCompile(" +").ReplaceAllString(text, " ")
	s := sheet.Sums
	for label, amount := range map[string]money.Amount{"Raised": s.Raised, "Settled against the bank": s.Shown(), "Paid by the bank": s.Paid, "Confirmed by the receivers": s.Confirmed,
		"Given back by partners": s.Recovered, "Given back to givers": cny(s.Refunded.Units + s.Reversed.Units), "Came back from payouts": s.Returned} {
		shown := strings.TrimSuffix(amount.String(), " CNY")
		_, behind, found := strings.Cut(text, label+" ")
		if window := strings.ReplaceAll(behind[:min(len(behind), 40)], ",", ""); !found || !strings.Contains(window, shown) {
			t.Errorf("%d: the page does not say %s %s, but %q", answer.Code, label, shown, behind[:min(len(behind), 60)])
		}
	}
}
