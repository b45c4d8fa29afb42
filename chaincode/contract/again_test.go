package contract_test

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestAnotherFunctionIsNoReplay: two functions take the same bytes. Whoever
// sends them to the second one must not be told that it was done.
func TestAnotherFunctionIsNoReplay(t *testing.T) {
	w := newWorld(t)
	w.settled()
	key := w.keys["charity-maker"]
	w.refused("exists: entry witness-charity-maker exists with other content", "charity", "Party:Suspend",
		w.signedBare(party.SuspendCommand{Address: sign.Address(key), ID: "witness-charity-maker", Person: "charity-maker"}))

	expires := tape.Instant(w.Clock().UnixMilli()) + tape.Day
	order := tape.OrderHolds{Account: books, ID: "order-1", Expires: expires, Holds: []tape.HoldOrder{{Amount: cny(3000), Hold: "payout-1", To: "outside:bank:payee"}}}
	w.must("charity", "Tape:Hold", w.signed("hold", books, cny(3000), order, "charity-maker", "charity-checker"))
	release := tape.Release{Account: books, Hold: "payout-1", ID: "release-1"}
	w.must("charity", "Tape:Release", w.signed("release", books, cny(3000), release, "charity-maker", "charity-checker"))
	w.refused("exists: entry release-1 exists with other content", "charity", "Tape:Expire", release)
}

// signedBare wraps a command in no intents.
func (w *world) signedBare(command any) string {
	return `{"command":` + encode(w, command) + `,"intents":[]}`
}

// TestARefundThatCameBack: a refund whose payout the bank returned can be
// ordered once more; one that reached the giver cannot.
func TestARefundThatCameBack(t *testing.T) {
	w := newWorld(t)
	w.settled()
	gifts := []tape.Gift{gift(1, 10000), gift(2, 5000), gift(3, 2500)}
	proof, err := tape.NewGiftProof("page-1", gifts, 2)
	if err != nil {
		t.Fatal(err)
	}
	refund := tape.Refund{Account: books, Expires: tape.Instant(w.Clock().UnixMilli()) + tape.Day, Gift: proof, ID: "refund-1", To: "outside:bank:donor"}
	w.must("charity", "Tape:Refund", w.signed("refund", books, cny(2500), refund, "charity-maker", "charity-checker"))
	debits, credits := []tape.Line{line(1, 2500)}, []tape.Line{line(2, 1000), line(3, 1500)}
	w.file("s2", "s1", 17500, side{tape.DebitSide, debits}, side{tape.CreditSide, credits})
	paid, err := tape.NewLineProof("s2", 0, debits, 0)
	if err != nil {
		t.Fatal(err)
	}
	w.must("bank", "Tape:Capture", tape.Capture{Account: books, Amount: cny(2500), Hold: "refund-1", ID: "capture-1", Line: &paid})
	refund.ID = "refund-2"
	again := func() string {
		return w.signed("refund", books, cny(2500), refund, "charity-maker", "charity-checker")
	}
	w.refused("wrong-state: field gift: gift 2 of page page-1 was taken back by charity/refund-1 (refund)", "charity", "Tape:Refund", again())
	for i, units := range []int64{1000, 1500} {
		back, err := tape.NewLineProof("s2", 1, credits, i)
		if err != nil {
			t.Fatal(err)
		}
		w.must("bank", "Tape:Return", tape.Return{Account: books, Amount: cny(units), Hold: "refund-1", ID: tape.ID("return-" + string(rune('1'+i))), Line: back})
		if i == 0 {
			w.refused("wrong-state: field gift: gift 2 of page page-1 was taken back by charity/refund-1 (refund)", "charity", "Tape:Refund", again())
		}
	}
	w.must("charity", "Tape:Refund", again())
}
