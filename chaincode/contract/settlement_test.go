package contract_test

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// opens prepares the commands of a settlement of sale-1 with one household a chunk.
func (w *world) opens(id tape.ID) (settlement.OpenSettlement, []settlement.SettleHouseholds) {
	w.Helper()
	sale := record[harvest.Sale](w, harvest.SaleKey(orchard, "sale-1"))
	shares := record[harvest.Page](w, harvest.ShareKey(orchard, "sale-1", 0)).Shares
	open := settlement.OpenSettlement{Account: orchard, Expires: tape.Instant(w.Clock().UnixMilli()) + 30*tape.Day, Households: 1, ID: id, Sale: "sale-1"}
	var known *settlement.Settlement
	if _, found := w.State().Get(settlement.Key(orchard, "sale-1")); found {
		s := record[settlement.Settlement](w, settlement.Key(orchard, "sale-1"))
		known = &s
	}
	chunks, err := open.Commands(sale, shares, known)
	if err != nil {
		w.Fatal(err)
	}
	return open, chunks
}

// TestASettlementIsAbandoned: a sale is opened and given up before anything is
// paid, opened again and given up half-way, and settled for the one household that
// remains; a payout that the bank returns is ordered again.
func TestASettlementIsAbandoned(t *testing.T) {
	w := newWorld(t)
	w.groups()
	w.sells()
	w.Advance(31 * 24 * 3600e9) // then whoever registered a key may carry what it signs
	w.must("coop", "Tape:Receive", page(orchard, "proceeds-1", gift(5, 9_000_00)))
	w.fileOf(coffeeBank, "c1", "", 0, side{tape.CreditSide, []tape.Line{line(5, 9_000_00)}})
	w.must("coop", "Tape:Settle", tape.Settle{Account: orchard, ID: "settle-proceeds", Items: []tape.SettleItem{{Source: "proceeds-1", Lines: &tape.LinesRef{Statement: "c1"}}}})
	open, _ := w.opens("pay-1")
	w.onlyFor(carrying{"Settlement:OpenSettlement", "open-settlement", cny(9_000_00), open, "coop", nil})
	give := settlement.AbandonSettlement{Account: orchard, ID: "give-1", Sale: "sale-1"}
	w.onlyFor(carrying{"Settlement:AbandonSettlement", "abandon-settlement", cny(9_000_00), give, "coop", nil})
	if sale := record[harvest.Sale](w, harvest.SaleKey(orchard, "sale-1")); sale.State != harvest.SaleOpen || sale.Settled != "" {
		t.Errorf("a sale of which nothing was paid is %s", sale.State)
	}

	open, chunks := w.opens("pay-2")
	w.must("coop", "Settlement:OpenSettlement", w.signed("open-settlement", orchard, cny(9_000_00), open, coopStaff...))
	w.must("coop", "Settlement:SettleHouseholds", chunks[0])
	w.must("coop", "Settlement:SettleHouseholds", chunks[2])
	give.ID = "give-2"
	w.must("coop", "Settlement:AbandonSettlement", w.signed("abandon-settlement", orchard, cny(9_000_00), give, coopStaff...))
	w.refused("wrong-state: field sale: the settlement of sale-1 is abandoned, by entry coop/give-2", "coop", "Settlement:SettleHouseholds", chunks[1])
	w.refused("wrong-state: field sale: sale sale-1 is settled", "coop", "Harvest:CorrectSale", w.signed("correct-sale", orchard, cny(9_000_00), harvest.CorrectSale{Account: orchard, ID: "c2", Reason: "did_not_occur", Sale: "sale-1"}, coopStaff...))
	first := record[harvest.Page](w, harvest.ShareKey(orchard, "sale-1", 0)).Shares[0]
	left := cny(map[int64]int64{100_000: 2_966_67, 200_000: 5_933_33}[first.Grams])
	if waits := record[settlement.Waiting](w, settlement.WaitingKey(orchard)); waits.Units != left.Units {
		t.Errorf("%d wait, not %s", waits.Units, left)
	}

	open, chunks = w.opens("pay-3")
	w.must("coop", "Settlement:OpenSettlement", w.signed("open-settlement", orchard, left, open, coopStaff...))
	if len(chunks) != 1 {
		t.Fatalf("%d chunks for one household", len(chunks))
	}
	w.must("coop", "Settlement:SettleHouseholds", chunks[0])
	w.must("coop", "Settlement:CloseSettlement", settlement.CloseSettlement{Account: orchard, ID: "done-1", Sale: "sale-1"})
	w.comesBack("pay-3.0.0", left)
	again := settlement.PayAgain{Account: orchard, Expires: tape.Instant(w.Clock().UnixMilli()) + 30*tape.Day, Hold: "pay-3.0.0", ID: "again-1", Sale: "sale-1"}
	w.onlyFor(carrying{"Settlement:PayAgain", "pay-again", left, again, "coop", nil})
	if hold := record[tape.Hold](w, tape.HoldKey(orchard, "again-1.0.0")); hold.Amount != left || hold.State != tape.HoldOpen || record[settlement.Waiting](w, settlement.WaitingKey(orchard)).Units != 0 {
		t.Errorf("the payout that was ordered again: %+v", hold)
	}
	again.ID = "again-2"
	w.refused("wrong-state: field hold: pay-3.0.0 is captured and nothing of it came back that was not ordered again", "coop", "Settlement:PayAgain", w.signed("pay-again", orchard, left, again, coopStaff...))
}

// comesBack pays a payout by a line of the bank, which returns it.
func (w *world) comesBack(hold tape.ID, amount money.Amount) {
	w.Helper()
	debits, credits := []tape.Line{line(6, amount.Units)}, []tape.Line{line(7, amount.Units)}
	w.fileOf(coffeeBank, "c2", "c1", 9_000_00, side{tape.DebitSide, debits}, side{tape.CreditSide, credits})
	execute, err := tape.NewExecute(orchard, "execute-rest", "c2", 0, debits, []tape.ExecutedLine{{Index: 0, Holds: []tape.ID{hold}}})
	if err != nil {
		w.Fatal(err)
	}
	w.must("bank", "Tape:Execute", execute)
	back, err := tape.NewLineProof("c2", 1, credits, 0)
	if err != nil {
		w.Fatal(err)
	}
	w.must("bank", "Tape:Return", tape.Return{Account: orchard, Amount: amount, Hold: hold, ID: "return-rest", Line: back})
}
