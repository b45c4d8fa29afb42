package contract_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// payouts orders so many payouts of 10.00 CNY, payout-0 and on.
func (w *world) payouts(count int) {
	w.Helper()
	w.settled()
	order := tape.OrderHolds{Account: books, ID: "order-1", Expires: tape.Instant(w.Clock().UnixMilli()) + 10*tape.Day}
	for i := range count {
		order.Holds = append(order.Holds, tape.HoldOrder{Amount: cny(1000), Hold: tape.ID(fmt.Sprint("payout-", i)), To: "outside:bank:payee"})
	}
	w.must("charity", "Tape:Hold", w.signed("hold", books, cny(1000*int64(count)), order, "charity-maker", "charity-checker"))
}

// execution pays payouts by the lines of their numbers on page 0 of statement s2.
func (w *world) execution(id tape.ID, lines []tape.Line, numbers ...int) tape.Execute {
	w.Helper()
	var paid []tape.ExecutedLine
	for _, n := range numbers {
		paid = append(paid, tape.ExecutedLine{Index: n, Holds: []tape.ID{tape.ID(fmt.Sprint("payout-", n))}})
	}
	c, err := tape.NewExecute(books, id, "s2", 0, lines, paid)
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// TestExecuteInBatches: batches of one page go into one block, each payout and
// each line once, again is answered as before, and one bad item stops its batch.
func TestExecuteInBatches(t *testing.T) {
	w := newWorld(t)
	w.payouts(8)
	var debits []tape.Line
	for i := range 8 {
		debits = append(debits, line(i+1, 1000))
	}
	head, bodies := statement(w, "s2", "s1", 17500, side{tape.DebitSide, debits})
	w.must("bank", "Tape:FileStatement", head)
	first := w.execution("execute-1", debits, 0, 1, 2)
	w.refused("not-found: page 0 of statement s2 of outside:bank:sunrise is not filed", "bank", "Tape:Execute", first)
	w.must("bank", "Tape:FileLines", bodies[0])
	w.refused("forbidden: charity (role gateway) does not keep the bank account", "charity", "Tape:Execute", first)

	var block []*peertest.Endorsed
	for _, c := range []tape.Execute{first, w.execution("execute-2", debits, 3, 4)} {
		transaction, err := w.Endorse(w.identity("bank"), "Tape:Execute", encode(w, c))
		if err != nil {
			t.Fatal(err)
		}
		block = append(block, transaction)
	}
	results, err := w.Commit(block...)
	if err != nil {
		t.Fatal(err)
	}
	for i, result := range results {
		if result.Code != peer.TxValidationCode_VALID {
			t.Errorf("batch %d of one block: %s", i+1, result.Code)
		}
	}
	again := w.must("bank", "Tape:Execute", first)
	if len(again.Postings) != 3 || again.Postings[2].Line != "payout-2" || again.Evidence[2].Line != 3 {
		t.Errorf("the batch is answered again with %+v", again)
	}
	w.refused("wrong-state: field items[0]: line 5 of statement s2 has been used already", "bank", "Tape:Execute", w.execution("execute-3", debits, 4, 5))
	bad := w.execution("execute-3", debits, 5, 6)
	bad.Items[1].Holds[0] = "payout-9"
	w.refused("not-found: hold payout-9 does not exist", "bank", "Tape:Execute", bad)
	bad = w.execution("execute-3", debits, 5, 6)
	bad.Items[1].Holds[0] = "payout-1"
	w.refused("wrong-state: field items[1]: hold payout-1 is captured", "bank", "Tape:Execute", bad)

	// What expired while the bank had paid it is paid; what the head took back is not.
	w.Advance(11 * 24 * 3600 * 1e9)
	for _, hold := range []tape.ID{"payout-5", "payout-6", "payout-7"} {
		w.must("insurer", "Tape:Expire", tape.Release{Account: books, Hold: hold, ID: "expire-" + hold})
	}
	w.must("charity", "Tape:Reclaim", tape.Reclaim{Account: books, Holds: []tape.ID{"payout-7"}, ID: "reclaim-1"})
	w.must("bank", "Tape:Execute", w.execution("execute-4", debits, 5, 6))
	w.refused("wrong-state: field items[0]: hold payout-7 is reclaimed", "bank", "Tape:Execute", w.execution("execute-5", debits, 7))
	if hold := record[tape.Hold](w, tape.HoldKey(books, "payout-6")); hold.State != tape.HoldCaptured || hold.Released == "" {
		t.Errorf("what expired and was paid: %+v", hold)
	}
	if _, marked := w.State().Get(tape.DebitKey(bankAccount, "s2", 0, 7)); marked {
		t.Error("a line that paid nothing is marked as used")
	}
}

// TestTheLargestExecution fits, with its keys and its arguments.
func TestTheLargestExecution(t *testing.T) {
	w := newWorld(t)
	w.settled()
	var debits []tape.Line
	var paid []tape.ExecutedLine
	expires := tape.Instant(w.Clock().UnixMilli()) + tape.Day
	for n := range 2 {
		order := tape.OrderHolds{Account: books, ID: tape.ID(fmt.Sprint("order-", n)), Expires: expires}
		for i := range tape.ExecuteMax / 2 {
			number := n*tape.ExecuteMax/2 + i
			hold := tape.ID(fmt.Sprint("payout-", number))
			order.Holds = append(order.Holds, tape.HoldOrder{Amount: cny(1), Hold: hold, To: "outside:bank:payee"})
			debits, paid = append(debits, line(number+1, 1)), append(paid, tape.ExecutedLine{Index: number, Holds: []tape.ID{hold}})
		}
		w.must("charity", "Tape:Hold", w.signed("hold", books, cny(tape.ExecuteMax/2), order, "charity-maker", "charity-checker"))
	}
	w.file("s2", "s1", 17500, side{tape.DebitSide, debits})
	c, err := tape.NewExecute(books, "execute-1", "s2", 0, debits, paid)
	if err != nil {
		t.Fatal(err)
	}
	if entry := w.must("bank", "Tape:Execute", c); len(entry.Postings) != tape.ExecuteMax || !strings.HasPrefix(string(entry.Evidence[0].Reference), "lines/outside:bank:sunrise/s2/0") {
		t.Errorf("the largest batch made %d postings", len(entry.Postings))
	}
}
