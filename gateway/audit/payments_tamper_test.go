package audit_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/replay"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	wrong = tape.AccountID("charity:sunrise:wrong")
	right = tape.AccountID("charity:sunrise:right")
)

// corrections: two payouts of one batch, a gift that is moved to the account it
// was meant for, and a page whose money never came.
func (v *village) corrections() {
	v.t.Helper()
	for _, account := range []tape.AccountID{wrong, right} {
		v.by("charity", "Tape:Open", tape.Open{Account: account, Attribution: tape.FIFO, Currency: "CNY", Custodian: vault, ID: openIDOf(account)})
	}
	gifts := giftsOf("g", 2_500, 1_700)
	v.receive(wrong, "g", gifts)
	v.receive(wrong, "never", giftsOf("n", 900))
	v.speechStatement("in", "", 0, tape.CreditSide, linesOf("g", 1, 2_500, 1_700))
	v.by("charity", "Tape:Settle", tape.Settle{Account: wrong, ID: "settle-g", Items: []tape.SettleItem{{Source: "g", Lines: &tape.LinesRef{Statement: "in"}}}})
	expires := tape.Instant(v.Clock().Add(48 * time.Hour).UnixMilli())
	v.by("charity", "Tape:Hold", v.signedBy("hold", wrong, 1_600, tape.OrderHolds{Account: wrong, Expires: expires, ID: "hold-1", Holds: []tape.HoldOrder{
		{Amount: cny(1_000), Hold: "p0", To: shop}, {Amount: cny(600), Hold: "p1", To: shop}}}, "maker", "checker"))
	debits := linesOf("out", 1, 1_000, 600)
	v.speechStatement("out", "in", 4_200, tape.DebitSide, debits)
	execute, err := tape.NewExecute(wrong, "pay-1", "out", 0, debits, []tape.ExecutedLine{{Index: 0, Holds: []tape.ID{"p0"}}, {Index: 1, Holds: []tape.ID{"p1"}}})
	v.by("bank", "Tape:Execute", must(v.t, execute, err))
	gift, err := tape.NewGiftProof("g", gifts, 1)
	must(v.t, gift, err)
	v.by("charity", "Tape:Correct", v.signedBy("correct", wrong, 1_700, tape.Correct{Account: wrong, Gift: gift, ID: "correct-1", Reason: "wrong-reference", To: right}, "maker", "checker"))
	v.by("charity", "Tape:Withdraw", v.signedBy("withdraw", wrong, 900, tape.Withdraw{Account: wrong, ID: "withdraw-1", Page: "never", Reason: "not-paid"}, "maker", "checker"))
}

// postings changes those of the entry, where it is sent and where it is kept,
// and their evidence with them.
func postings(change func(e *tape.Entry)) func(*parts) {
	return func(p *parts) {
		var entry tape.Entry
		if err := json.Unmarshal(p.event.Payload, &entry); err != nil {
			panic(err)
		}
		change(&entry)
		changed, err := json.Marshal(entry)
		if err != nil {
			panic(err)
		}
		p.event.Payload, p.write("entry/").Value = changed, changed
	}
}

// TestTamperedCorrections changes one thing of a batch of payouts, of a gift
// that was moved, or of a page that was withdrawn. The last column is what the
// books say about it by themselves.
func TestTamperedCorrections(t *testing.T) {
	v := newVillage(t)
	v.corrections()
	for _, f := range run(t, v, v.chain(), v.honest).Findings {
		t.Error(f)
	}
	executing, correcting, withdrawing := place{"Tape:Execute", "pay-1"}, place{"Tape:Correct", "correct-1"}, place{"Tape:Withdraw", "withdraw-1"}
	for _, test := range []struct {
		name   string
		where  place
		change func(*parts)
		prints string
	}{
		{"a payout of another amount", executing, inEntry(`"10.00 CNY"`, `"9.00 CNY"`), "hold/charity:sunrise:wrong/p0, the amount of a payout; expected 10.00 CNY, found 9.00 CNY"},
		{"a payout is left out", executing, postings(func(e *tape.Entry) { e.Postings, e.Evidence = e.Postings[:1], e.Evidence[:1] }), "entry/bank/pay-1, it cannot be booked: it has 1 postings"},
		{"a payout stands twice", executing, postings(func(e *tape.Entry) {
			e.Postings, e.Evidence = append(e.Postings, e.Postings[0]), append(e.Evidence, e.Evidence[0])
		}), "entry/bank/pay-1, it cannot be booked: 1 of its postings pay nothing that it names"},
		{"one payout in the place of another", executing, postings(func(e *tape.Entry) { e.Postings[1] = e.Postings[0] }), "hold/charity:sunrise:wrong/p1, what is paid out of the hold; expected 1000..1600, found 0..1000"},
		{"two payouts change places", executing, postings(func(e *tape.Entry) { slices.Reverse(e.Postings) }), "hold/charity:sunrise:wrong/p0, what is paid out of the hold; expected 0..1000, found 1000..1600"},
		{"a payout to somebody else", executing, inEntry(`"to":"`+string(shop)+`"`, `"to":"outside:bank:thief"`), "hold/charity:sunrise:wrong/p0, who is paid, and out of which account; expected outside:shop-1 out of charity:sunrise:wrong, found outside:bank:thief out of charity:sunrise:wrong"},
		{"a payout of other units", executing, inEntry(`"taken":["0..1000"]`, `"taken":["1..1001"]`), "hold/charity:sunrise:wrong/p0, what is paid out of the hold; expected 0..1000, found 1..1001"},
		{"a payout whose record keeps what was paid", executing, inRecord("hold/charity:sunrise:wrong/p0", `"captured":["0..1000"]`, `"captured":["0..999"]`), "hold/charity:sunrise:wrong/p0, what the hold has paid; expected 0..1000, found 0..999"},
		{"a payout by another line of the page", executing, everywhere(`"index":1`, `"index":0`), "lines/outside:bank:speech/out/0, the line at index 0 is used twice; expected once, found again by bank/pay-1"},
		{"a line that carries less", executing, everywhere(`"10.00 CNY"`, `"9.00 CNY"`), "lines/outside:bank:speech/out/0, a payout rests on a line as it was filed; expected "},
		{"a line's mark is not made", executing, func(p *parts) {
			p.results[0].Writes = slices.DeleteFunc(p.results[0].Writes, func(w replay.Write) bool { return w.Key == tape.DebitKey(vault, "out", 0, 1) })
		}, "entry/bank/pay-1, it cannot be booked: debit/outside:bank:speech/out/0/1 was not written"},
		{"a correction of another amount", correcting, inEntry(`"17.00 CNY"`, `"16.00 CNY"`), "inflow/charity:sunrise:right/charity/correct-1/0, the inflow of a posting; expected 16.00 CNY, found 17.00 CNY"},
		{"a correction of other units", correcting, inEntry(`"2500..4200"`, `"1600..3300"`), "reversal/charity:sunrise:wrong/g/1, the units taken are those of the gift; expected 2500..4200, found 1600..3300"},
		{"a correction to another account", correcting, inEntry(`"to":"`+string(right)+`"`, `"to":"`+string(wrong)+`"`), "charity:sunrise:right, the payee of a gift; expected charity:sunrise:right, found charity:sunrise:wrong"},
		{"a moved gift arrives as another one", correcting, inRecord("inflow/", `"gift":{`, `"was":{`), "inflow/charity:sunrise:right/charity/correct-1/0, the gift that an inflow brings; expected {charity:sunrise:wrong 1 g}, found <nil>"},
		{"a moved gift is not noted as taken", correcting, inRecord("reversal/", `"2500..4200"`, `"2500..4100"`), "reversal/charity:sunrise:wrong/g/1, the units taken are those of the gift; expected 2500..4100, found 2500..4200"},
		{"a page is withdrawn that was settled", withdrawing, everywhere(`never`, `g`), "settled/charity:sunrise:wrong/g, settlement of is used twice; expected once, by charity/settle-g, found again by charity/withdraw-1"},
		{"a page is withdrawn that is not there", withdrawing, everywhere(`"page":"never"`, `"page":"ever"`), "entry/charity/withdraw-1, it cannot be booked: page ever is not there"},
		{"a withdrawal moves money", withdrawing, postings(func(e *tape.Entry) {
			e.Postings = []tape.Posting{{From: vault, To: wrong, Amount: cny(900)}}
		}), "page/charity:sunrise:wrong/never, a page that is withdrawn moves no money; expected 0, found 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			blocks := v.chain()
			rewrite(blocks[test.where.in(blocks)], 0, test.change)
			finds(t, booked(t, blocks), "\nbooks: "+test.prints)
		})
	}
	for _, test := range []struct {
		what   place
		prints string
	}{
		{executing, "lines/outside:bank:speech/out/0, the line at index 0 is used twice; expected once, found again by bank/again"},
		{correcting, "reversal/charity:sunrise:wrong/g/1, a gift is taken back twice; expected once, found again by charity/again"},
		{withdrawing, "settled/charity:sunrise:wrong/never, settlement of is used twice; expected once, by charity/withdraw-1, found again by charity/again"},
	} {
		t.Run(test.what.function+" twice", func(t *testing.T) {
			t.Parallel()
			blocks := repeated(v.chain(), test.what)
			finds(t, booked(t, blocks), "\nbooks: "+test.prints)
		})
	}
}
