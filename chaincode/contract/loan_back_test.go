package contract_test

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestWhatTheBankUndoes: a payout that comes back after it was booked, and a
// repayment that the bank takes back after it had ended the loan.
func TestWhatTheBankUndoes(t *testing.T) {
	w := newWorld(t)
	w.groups()
	w.lends()
	w.borrows()

	// The payout comes back: the money is the bank's again, and is paid once more.
	book := loan.BookTranche{Account: orchard, ID: "book-2", Loan: "l1", Tranche: 1}
	w.refused("not-found: field tranche: 1 of loan l1 is not on its way", "coop", "Loan:BookTranche", book)
	credit := []tape.Line{line(2, 12_000_00)}
	w.fileOf(lendingBank, "b3", "b2", 88_000_00, side{tape.CreditSide, credit})
	w.must("bank", "Tape:Return", tape.Return{Account: lending, Amount: cny(12_000_00), Hold: "out-1", ID: "return-1", Line: lineProof(t, "b3", 0, credit, 0)})
	w.must("coop", "Loan:BookTranche", book)
	if l := w.loanIs(loan.Contracted); len(l.Book.Advances) != 0 || !l.Tranches[0].Cancelled {
		t.Errorf("what came back: %+v", l)
	}
	if free := record[tape.Head](w, tape.HeadKey(lending)).Free().Total(); free != 100_000_00 {
		t.Errorf("the bank has %s to lend", cny(free))
	}
	w.must("bank", "Loan:DisburseLoan", w.signed("disburse-loan", orchard, cny(12_000_00), loan.Disburse{Account: orchard, Amount: cny(12_000_00), Expires: tape.Instant(w.Clock().UnixMilli()) + 20*tape.Day,
		ID: "out-2", Loan: "l1", To: cashOf(1), Tranche: 2}, bankStaff...))
	debit := []tape.Line{line(3, 12_000_00)}
	w.fileOf(lendingBank, "b4", "b3", 100_000_00, side{tape.DebitSide, debit})
	execute, err := tape.NewExecute(lending, "execute-2", "b4", 0, debit, []tape.ExecutedLine{{Index: 0, Holds: []tape.ID{"out-2"}}})
	if err != nil {
		t.Fatal(err)
	}
	w.must("bank", "Tape:Execute", execute)
	w.must("coop", "Loan:BookTranche", loan.BookTranche{Account: orchard, ID: "book-3", Loan: "l1", Tranche: 2})

	// A transfer ends the loan, and the bank takes it back: the loan is open again, and overdue by its day.
	owed, err := w.loanIs(loan.Running).Owed("2026-01-01")
	if err != nil {
		t.Fatal(err)
	}
	paid := gift(7, owed.Payoff())
	w.must("bank", "Tape:Receive", page(lending, "repayment-1", paid))
	came := []tape.Line{{Number: 4, Date: "2026-01-01", Amount: paid.Amount, Reference: paid.Reference}}
	w.fileOf(lendingBank, "b5", "b4", 88_000_00, side{tape.CreditSide, came})
	w.must("bank", "Tape:Settle", tape.Settle{Account: lending, ID: "settle-repayment", Items: []tape.SettleItem{{Source: "repayment-1", Lines: &tape.LinesRef{Statement: "b5"}}}})
	proof := giftProof(t, "repayment-1", 0, paid)
	w.must("bank", "Loan:RepayLoan", loan.Repay{Account: orchard, Gift: proof, ID: "repay-1", Loan: "l1"})
	w.loanIs(loan.Closed)
	back := loan.TakeBack{Account: orchard, Gift: proof, ID: "undo-1", Loan: "l1"}
	w.refused("wrong-state: field gift: is with the lender; its bank files what it takes back (ChargeBack)", "coop", "Loan:TakeBackRepayment", back)
	debits := []tape.Line{line(8, paid.Amount.Units)}
	w.fileOf(lendingBank, "b6", "b5", 100_000_00, side{tape.DebitSide, debits})
	w.must("bank", "Tape:ChargeBack", tape.ChargeBack{Account: lending, Gift: proof, ID: "back-1", Line: lineProof(t, "b6", 0, debits, 0)})
	w.bareOnlyFor("Loan:TakeBackRepayment", back, "")
	again := back
	again.ID = "undo-2"
	w.refused("wrong-state: field gift: came off loan l1 already, by entry charity/undo-1", "coop", "Loan:TakeBackRepayment", again)
	w.loanIs(loan.Running)
	if own, other := w.debtsOf(1), w.debtsOf(3); len(own.Loans) != 1 || own.Cycles[0].Loans != 0 || len(own.Past) != 0 || len(other.Guarantees) != 1 {
		t.Errorf("debts once it is open again: %+v %+v", own, other)
	}
	if stage, err := w.loanIs(loan.Running).Stage("2026-02-02"); stage != "overdue" {
		t.Errorf("on the day after the first is due it is %s %v", stage, err)
	}
	w.overpays()
	part := loan.ReturnPart{Account: orchard, ID: "part-1", Loan: "l1"}
	w.refused("forbidden: coop lends nothing of l1", "coop", "Loan:ReturnPart", w.signed("return-part", orchard, cny(0), part, coopStaff...))
	w.everybody("Loan:ReturnPart", []string{"bank"}, w.byStaff("return-part", orchard, cny(0), part))
	w.refused("forbidden: ", "bank", "Loan:ReturnPart", w.signedBare(part))
	w.refused("wrong-state: bank has nothing of loan l1 that the bank took back", "bank", "Loan:ReturnPart", w.signed("return-part", orchard, cny(0), part, bankStaff...))
}

// refunds lets the nursery be paid, and pay a part back: it comes off principal.
func (w *world) refunds() {
	w.Helper()
	debit := []tape.Line{line(1, 5_000_00)}
	w.fileOf(lendingBank, "b2", "b1", 100_000_00, side{tape.DebitSide, debit})
	execute, err := tape.NewExecute(lending, "execute-1", "b2", 0, debit, []tape.ExecutedLine{{Index: 0, Holds: []tape.ID{"out-1"}}})
	if err != nil {
		w.Fatal(err)
	}
	w.must("bank", "Tape:Execute", execute)
	w.must("coop", "Loan:BookTranche", loan.BookTranche{Account: orchard, ID: "book-1", Loan: "l1", Tranche: 1})
	back := gift(9, 1_250_00)
	w.must("bank", "Tape:Receive", page(lending, "refund-1", back))
	w.fileOf(lendingBank, "b3", "b2", 95_000_00, side{tape.CreditSide, []tape.Line{line(9, 1_250_00)}})
	w.must("bank", "Tape:Settle", tape.Settle{Account: lending, ID: "settle-refund", Items: []tape.SettleItem{{Source: "refund-1", Lines: &tape.LinesRef{Statement: "b3"}}}})
	repay := loan.Repay{Account: orchard, By: "outside:supplier:nursery", Gift: giftProof(w, "refund-1", 0, back), ID: "repay-1", Loan: "l1"}
	w.refused("invalid: field order: is missing: outside:supplier:nursery was paid by loan l1", "bank", "Loan:RepayLoan", repay)
	repay.Order = "order-2"
	w.refused("not-found: field order: there is no order order-2 of loan l1", "bank", "Loan:RepayLoan", repay)
	repay.Order = "order-1"
	w.must("bank", "Loan:RepayLoan", repay)
	l := w.loanIs(loan.Running)
	if owed, err := l.Owed("2026-02-01"); err != nil || owed.Principal != 3_750_00 || !l.Book.Payments[0].Principal {
		w.Errorf("after a refund %+v is owed (%v)", owed, err)
	}
	if order := record[loan.Order](w, loan.OrderKey(orchard, "order-1")); order.Refunded != 1_250_00 {
		w.Errorf("the order: %+v", order)
	}
}

// overpays lets a transfer end the loan with 10.00 CNY too much, which the household wants back.
func (w *world) overpays() {
	w.Helper()
	paid := gift(10, 12_010_00)
	w.must("bank", "Tape:Receive", page(lending, "repayment-2", paid))
	w.fileOf(lendingBank, "b7", "b6", 88_000_00, side{tape.CreditSide, []tape.Line{line(10, 12_010_00)}})
	w.must("bank", "Tape:Settle", tape.Settle{Account: lending, ID: "settle-repayment-2", Items: []tape.SettleItem{{Source: "repayment-2", Lines: &tape.LinesRef{Statement: "b7"}}}})
	w.must("bank", "Loan:RepayLoan", loan.Repay{Account: orchard, Gift: giftProof(w, "repayment-2", 0, paid), ID: "repay-2", Loan: "l1"})
	w.loanIs(loan.Closed)
	choice := loan.ChooseOverpayment{Account: orchard, For: "l2", ID: "choice-1", Loan: "l1"}
	w.refused("not-found: field for: is no other loan of "+string(house(orchard, 1)), "insurer", "Loan:ChooseOverpayment", w.signed("choose-overpayment", orchard, cny(12_000_00), choice, seat(1)))
	choice.For = ""
	w.refused("forbidden: farmer-1 chooses and has not signed", "insurer", "Loan:ChooseOverpayment", w.signed("choose-overpayment", orchard, cny(12_000_00), choice, coopStaff...))
	w.everybody("Loan:ChooseOverpayment", nil, always(w.signed("choose-overpayment", orchard, cny(12_000_00), choice, seat(1))))
	w.must("insurer", "Loan:ChooseOverpayment", w.signed("choose-overpayment", orchard, cny(12_000_00), choice, seat(1)))
	choice.ID = "choice-2"
	w.refused("wrong-state: nothing is over of loan l1", "insurer", "Loan:ChooseOverpayment", w.signed("choose-overpayment", orchard, cny(12_000_00), choice, seat(1)))
	pays := loan.PayOverpayment{Account: orchard, Expires: tape.Instant(w.Clock().UnixMilli()) + 20*tape.Day, ID: "over-1", Loan: "l1", N: 1}
	w.everybody("Loan:PayOverpayment", []string{"bank"}, func(organisation string) any {
		part := cny(map[string]int64{"bank": 10_00}[organisation]) // who lends nothing has no part
		return w.byStaff("pay-overpayment", orchard, part, pays)(organisation)
	})
	w.refused("forbidden: ", "bank", "Loan:PayOverpayment", w.signedBare(pays))
	w.must("bank", "Loan:PayOverpayment", w.signed("pay-overpayment", orchard, cny(10_00), pays, bankStaff...))
	pays.ID = "over-2"
	w.refused("wrong-state: field n: is 1; bank has ordered its part, payout over-1", "bank", "Loan:PayOverpayment", w.signed("pay-overpayment", orchard, cny(10_00), pays, bankStaff...))
	if hold := record[tape.Hold](w, tape.HoldKey(lending, "over-1")); hold.To != cashOf(1) || hold.Amount != cny(10_00) || hold.State != tape.HoldOpen {
		w.Errorf("what goes back: %+v", hold)
	}
}
