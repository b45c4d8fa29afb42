package contract_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const day = 24 * 3600e9

// makeCall asks households 2 to 4 for 1,500.00 of two instalments of household 1.
func makeCall(id tape.ID) recourse.MakeCall {
	return recourse.MakeCall{Account: orchard, Amount: cny(1_500_00), Guarantors: []tape.AccountID{house(orchard, 2), house(orchard, 3), house(orchard, 4)}, ID: id, Instalments: []int32{1, 2}, Loan: "l1"}
}

func (w *world) calls(c recourse.MakeCall) string {
	return w.signed("make-call", orchard, c.Amount, c, bankStaff...)
}

// notified gives the notices of the first instalment of household 1.
func (w *world) notified() {
	w.Helper()
	for _, days := range []int32{1, 15} {
		notice := loan.GiveNotice{Account: orchard, Days: days, ID: tape.ID(fmt.Sprint("notice-", days)), Instalment: 1, Loan: "l1"}
		w.must("coop", "Loan:GiveNotice", w.agreed("give-notice", orchard, notice, "coop-maker"))
	}
}

// overdue is a loan of which two instalments are unpaid on 2026-03-15, and money that has come to its lender.
func overdue(t *testing.T, payments ...int64) *world {
	w := newWorld(t)
	w.groups()
	w.lends()
	w.borrows()
	if len(payments) > 0 {
		w.come(payments)
	}
	w.Advance(73 * day)
	return w
}

// come brings payments to the lender's account.
func (w *world) come(payments []int64) {
	w.Helper()
	gifts, lines := paymentsOf(payments)
	w.must("bank", "Tape:Receive", page(lending, "payments-1", gifts...))
	w.fileOf(lendingBank, "b3", "b2", 88_000_00, side{tape.CreditSide, lines})
	w.must("bank", "Tape:Settle", tape.Settle{Account: lending, ID: "settle-payments", Items: []tape.SettleItem{{Source: "payments-1", Lines: &tape.LinesRef{Statement: "b3"}}}})
}

func paymentsOf(units []int64) ([]tape.Gift, []tape.Line) {
	gifts, lines := make([]tape.Gift, len(units)), make([]tape.Line, len(units))
	for i, n := range units {
		gifts[i], lines[i] = gift(11+i, n), line(11+i, n)
	}
	return gifts, lines
}

// repays is a repayment by one of the payments that have come, of household n; 0 for the borrower.
func (w *world) repays(payments []int64, i, n int) loan.Repay {
	w.Helper()
	gifts, _ := paymentsOf(payments)
	c := loan.Repay{Account: orchard, Gift: giftProof(w, "payments-1", i, gifts...), ID: tape.ID(fmt.Sprint("repay-", i)), Loan: "l1"}
	if n > 0 {
		c.By = house(orchard, n)
	}
	return c
}

// callIs reads a call and what is asked of households 2 to 4.
func (w *world) callIs(id tape.ID, state recourse.State, asked ...int64) recourse.Call {
	w.Helper()
	call := record[recourse.Call](w, recourse.CallKey(orchard, "l1", id))
	if call.State != state {
		w.Errorf("the call is %s, want %s", call.State, state)
	}
	for i, want := range asked {
		if got, _ := call.Owes(house(orchard, i+2)); got != want {
			w.Errorf("household %d is asked for %d, want %d", i+2, got, want)
		}
	}
	return call
}

func unableOf(n int, id tape.ID) recourse.DeclareUnable {
	return recourse.DeclareUnable{Account: orchard, Call: "call-1", Evidence: []recourse.Citation{{Hash: merkle.Hash{1}, Kind: "enforcement-ended"}}, Guarantor: house(orchard, n), ID: id, Loan: "l1"}
}

// TestGuarantorsAreCalled: from the default to what guarantors settle among
// themselves. All are called; one pays, one cannot, one is late and released, and
// the debtor repays later.
func TestGuarantorsAreCalled(t *testing.T) {
	payments := []int64{600_00, 500_00, 100_00, 150_00, 4_000_00}
	w := overdue(t, payments...)
	w.notified()
	w.must("bank", "Loan:DefaultLoan", w.agreed("default-loan", orchard, loan.Default{Account: orchard, ID: "default-1", Loan: "l1"}, bankStaff...))
	w.must("bank", "Recourse:MakeCall", w.calls(makeCall("call-1")))
	w.callIs("call-1", recourse.Open, 500_00, 500_00, 500_00)
	w.refused("wrong-state: field loan: call call-1 of loan l1 is open", "bank", "Recourse:MakeCall", w.calls(makeCall("call-2")))
	if own, other := w.debtsOf(1), w.debtsOf(3); len(own.Calls) != 1 || own.Calls[0].Household != house(orchard, 1) || len(other.Calls) != 1 || other.Calls[0].Call != "call/coop:coop:coffee/l1/call-1" {
		t.Errorf("debts: %+v %+v", own, other)
	}
	w.refused(string(house(orchard, 3))+" is called as a guarantor, by call/coop:coop:coffee/l1/call-1", "insurer", "Group:Exit",
		w.agreed("exit", orchard, group.Exit{Account: orchard, Group: "g1", Household: house(orchard, 3), ID: "exit-3"}, seat(3)))

	// Household 2 pays what it is asked, and no more, and is not released from what it has paid.
	w.refused("insufficient: field gift.amount: is 600.00 CNY; 500.00 CNY is asked of "+string(house(orchard, 2)), "bank", "Loan:RepayLoan", w.repays(payments, 0, 2))
	w.must("bank", "Loan:RepayLoan", w.repays(payments, 1, 2))
	w.callIs("call-1", recourse.Open, 0, 500_00, 500_00)
	release := func(n int, id tape.ID) string {
		return w.agreed("release-guarantor", orchard, recourse.Release{Account: orchard, Call: "call-1", Guarantor: house(orchard, n), ID: id, Loan: "l1"}, bankStaff...)
	}
	w.refused("wrong-state: field guarantor: "+string(house(orchard, 2))+" has paid its share", "bank", "Recourse:ReleaseGuarantor", release(2, "release-2"))
	if payment := w.loanIs(loan.Running).Book.Payments[0]; payment.Amount != cny(500_00) || payment.By != string(house(orchard, 2)) {
		t.Errorf("the loan's payment: %+v", payment)
	}

	// Household 3 cannot pay; of household 4, who is late, household 2 is asked, until 4 is released from its part.
	w.must("coop", "Recourse:DeclareUnable", w.agreed("declare-unable", orchard, unableOf(3, "unable-3"), "coop-maker", "bank-maker"))
	w.callIs("call-1", recourse.Open, 250_00, 0, 750_00)
	respread := func(id tape.ID) string {
		return w.agreed("respread-call", orchard, recourse.Respread{Account: orchard, Call: "call-1", Guarantor: house(orchard, 4), ID: id, Loan: "l1"}, "bank-maker")
	}
	w.refused("early: field guarantor: "+string(house(orchard, 4))+" has until 2026-04-14 to pay", "bank", "Recourse:RespreadCall", respread("respread-4"))
	w.Advance(31 * day)
	w.must("bank", "Recourse:RespreadCall", respread("respread-4"))
	w.callIs("call-1", recourse.Open, 1_000_00, 0, 750_00)
	w.must("bank", "Recourse:ReleaseGuarantor", release(4, "release-4"))
	w.callIs("call-1", recourse.Open, 250_00, 0, 0)

	// What the debtor pays lowers the call, and what household 2 pays then meets it.
	w.must("bank", "Loan:RepayLoan", w.repays(payments, 2, 0))
	if call := w.callIs("call-1", recourse.Open, 150_00); call.Lowered != 100_00 {
		t.Errorf("lowered by %d", call.Lowered)
	}
	w.must("bank", "Loan:RepayLoan", w.repays(payments, 3, 2))
	w.callIs("call-1", recourse.Met, 0, 0, 0)
	w.repaysLater(payments)
}

// repaysLater: the debtor pays what is due, and then what household 2 is without; what it cannot, household 3 shares.
func (w *world) repaysLater(payments []int64) {
	w.Helper()
	w.settled()
	spend := tape.Spend{Account: books, ID: "spend-1", Payments: []tape.Payment{{Amount: cny(100_00), Line: "a", OnBehalfOf: house(orchard, 1), To: orchard}, {Amount: cny(50_00), Line: "b", OnBehalfOf: house(orchard, 1), To: lending}}}
	w.must("charity", "Tape:Spend", w.signed("spend", books, cny(150_00), spend, "charity-maker", "charity-checker"))
	reimburse := recourse.Reimburse{Account: orchard, Amount: cny(100_00), Call: "call-1", ID: "back-1", Loan: "l1", Parts: []recourse.Handed{{Amount: cny(100_00), Payment: "charity/spend-1/0", To: house(orchard, 2)}}}
	back := func(c recourse.Reimburse, persons ...tape.ID) string {
		return w.signed("reimburse-call", orchard, c.Amount, c, persons...)
	}
	w.refused("wrong-state: the debtor owes the lender ", "coop", "Recourse:ReimburseCall", back(reimburse))
	w.must("bank", "Loan:RepayLoan", w.repays(payments, 4, 0))
	// What came to the cooperative has not reached household 2, what came to the lender repays the loan.
	w.refused("conflict: field parts[0].to: the payment did not go to "+string(house(orchard, 2)), "coop", "Recourse:ReimburseCall", back(reimburse))
	for _, source := range []string{"charity/spend-1/1", "charity/spend-1/2"} {
		reimburse.Parts[0].Payment = source
		w.refused("not-found: field parts[0].payment: the tape shows no such payment", "coop", "Recourse:ReimburseCall", back(reimburse))
	}
	reimburse.Parts[0].Payment = ""
	for _, person := range []tape.ID{seat(1), seat(3), "coop-maker"} {
		w.refused("forbidden: field parts[0]: the receiver of cash signs for it, and nobody else", "coop", "Recourse:ReimburseCall", back(reimburse, person))
	}
	w.refused("forbidden: ", "coop", "Recourse:ReimburseCall", back(reimburse))
	w.must("coop", "Recourse:ReimburseCall", back(reimburse, seat(2)))
	if call := w.callIs("call-1", recourse.Met); call.Borne() != 550_00 {
		w.Errorf("the guarantors are without %d", call.Borne())
	}

	lift := unableOf(3, "able-3")
	lift.Evidence, lift.Lift = nil, true
	w.must("bank", "Recourse:DeclareUnable", w.agreed("declare-unable", orchard, lift, "coop-maker", "bank-maker"))
	call := w.callIs("call-1", recourse.Met)
	if _, owed := call.Owes(house(orchard, 3)); fmt.Sprint(owed) != fmt.Sprint([]recourse.Part{{Household: house(orchard, 2), Units: 275_00}}) { // a half of 650.00 less 100.00
		w.Errorf("household 3 owes %v", owed)
	}
	w.refused(string(house(orchard, 3))+" owes a guarantor who paid for it, by call/coop:coop:coffee/l1/call-1", "insurer", "Group:Exit",
		w.agreed("exit", orchard, group.Exit{Account: orchard, Group: "g1", Household: house(orchard, 3), ID: "exit-3"}, seat(3)))
	cash := recourse.Contribute{Account: orchard, Amount: cny(275_00), Call: "call-1", From: house(orchard, 3), ID: "cash-1", Loan: "l1", To: house(orchard, 2)}
	signed := func(person tape.ID) string { return w.signed("contribute-call", orchard, cash.Amount, cash, person) }
	w.refused("forbidden: the receiver of cash signs for it, and nobody else", "coop", "Recourse:ContributeCall", signed(seat(3)))
	shown := cash
	shown.Amount, shown.Payment = cny(100_00), "charity/spend-1/0"
	w.refused("conflict: field from: the payment is not the money of "+string(house(orchard, 3)), "coop", "Recourse:ContributeCall", w.signedBare(shown))
	w.must("coop", "Recourse:ContributeCall", signed(seat(2)))
	if _, owed := w.callIs("call-1", recourse.Met).Owes(house(orchard, 3)); owed != nil {
		w.Errorf("household 3 owes %v still", owed)
	}
	w.windsDown("wrong-state: 1 loans, 0 calls and 1 recourses of group g1 are open")
}

// windsDown: a group whose households want it to end is not closed while something of it is open.
func (w *world) windsDown(open string) {
	w.Helper()
	w.must("insurer", "Group:WindDown", w.agreed("wind-down", orchard, group.WindDown{Account: orchard, Group: "g1", ID: "wind-1", Reason: group.Vote}, seat(1), seat(2), seat(3), seat(4)))
	w.refused(open, "insurer", "Group:CloseGroup", group.CloseGroup{Account: orchard, Group: "g1", ID: "close-1"})
}

// TestCallsAreRefused: what the contract itself reads, and what a call changes for others.
func TestCallsAreRefused(t *testing.T) {
	payments := []int64{13_000_00}
	w := overdue(t, payments...)
	w.refused("wrong-state: "+string(house(orchard, 1))+" had no notice of day 1", "bank", "Recourse:MakeCall", w.calls(makeCall("call-1")))
	w.notified()
	one := makeCall("call-1")
	one.Guarantors = one.Guarantors[:2]
	w.refused("conflict: field guarantors: leaves out "+string(house(orchard, 4)), "bank", "Recourse:MakeCall", w.calls(one))
	one = makeCall("call-1")
	one.Loan = "l9"
	w.refused("not-found: loan l9 does not exist", "bank", "Recourse:MakeCall", w.calls(one))
	one = makeCall("call-1")
	one.Amount.Currency = "USD"
	w.refused("invalid: field amount: 1500.00 USD is not in CNY", "bank", "Recourse:MakeCall", w.calls(one))
	for i, stay := range []loan.DeclareStay{{From: "2026-03-15", To: "2026-03-20"}, {From: "2026-05-01", To: "2026-06-01"}} { // the later one does not end the first
		stay.Account, stay.ID, stay.Kind = orchard, tape.ID(fmt.Sprint("stay-", i)), "frost"
		w.must("regulator", "Loan:DeclareStay", w.agreed("declare-stay", orchard, stay, "regulator-maker"))
	}
	w.refused("early: no guarantor is called until 2026-03-20", "bank", "Recourse:MakeCall", w.calls(makeCall("call-1")))
	w.Advance(6 * day)
	w.must("bank", "Recourse:MakeCall", w.calls(makeCall("call-1")))
	withdraw := recourse.WithdrawCall{Account: orchard, Call: "call-9", ID: "withdraw-1", Loan: "l1"}
	w.refused("not-found: call call-9 does not exist", "bank", "Recourse:WithdrawCall", w.agreed("withdraw-call", orchard, withdraw, bankStaff...))
	changed := loan.Restructure{Account: orchard, ID: "change-1", Loan: "l1", TermEnd: "2028-06-30", Terms: seasonal()}
	w.refused("wrong-state: call call-1 of the guarantors of loan l1 is open; its terms are changed when that is withdrawn", "bank", "Loan:RestructureLoan",
		w.signed("restructure-loan", orchard, cny(12_000_00), changed, "bank-maker", "bank-checker", seat(1), seat(2), seat(3), seat(4)))

	// The borrower pays everything: loan and call end in one entry, and nobody is asked for anything.
	w.must("bank", "Loan:RepayLoan", w.repays(payments, 0, 0))
	w.callIs("call-1", recourse.Closed, 0, 0, 0)
	if own, other := w.debtsOf(1), w.debtsOf(3); len(own.Calls) != 0 || len(other.Calls) != 0 || len(own.Loans) != 0 || len(other.Guarantees) != 0 {
		t.Errorf("debts: %+v %+v", own, other)
	}
}

// TestWhatIsLeftToGuarantee: what guarantors bear by one call they have less to
// guarantee in the next (Civil Code art. 690).
func TestWhatIsLeftToGuarantee(t *testing.T) {
	w, payments := newWorld(t), []int64{100_00, 100_00, 100_00}
	w.schemeOf(orchard, 5)
	c := formGroup(orchard, "g1", 1, 2, 3, 4)
	c.Agreement.MemberMax = cny(12_000_00)
	w.formed(c, 1, 2, 3, 4)
	w.must("bank", "Group:ApproveGroup", w.granted(orchard, "g1", "approve-g1"))
	w.lends()
	w.borrows()
	w.come(payments)
	w.Advance(73 * day)
	w.notified()
	first := makeCall("call-1")
	first.Amount = cny(300_00)
	w.must("bank", "Recourse:MakeCall", w.calls(first))
	for i := range payments {
		w.must("bank", "Loan:RepayLoan", w.repays(payments, i, i+2))
	}
	if call := w.callIs("call-1", recourse.Met, 0, 0, 0); call.Guarantors[0].Max != 300_00 || call.Guarantors[0].Paid != 100_00 {
		t.Errorf("the first call: %+v", call.Guarantors[0])
	}
	w.Advance(300 * day) // 2027-01-09: all twelve instalments are overdue
	all := makeCall("call-2")
	all.Amount, all.Instalments = cny(12_300_00), []int32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	w.must("bank", "Recourse:MakeCall", w.calls(all))
	for _, g := range w.callIs("call-2", recourse.Open, 4_100_00, 4_100_00, 4_100_00).Guarantors {
		if g.Max != 11_900_00 {
			t.Errorf("%s guarantees %d by the second call, want 11,900.00", g.Household, g.Max)
		}
	}
	if own := w.debtsOf(2); len(own.Calls) != 2 {
		t.Errorf("debts: %+v", own)
	}
}

// TestTooLateToCall: nothing keeps a guarantor bound whose period has lapsed.
func TestTooLateToCall(t *testing.T) {
	w := overdue(t)
	w.notified()
	w.Advance(700 * day) // 2028-02-13
	w.refused("expired: field guarantors: "+string(house(orchard, 2))+" guaranteed instalment 1 until 2028-02-01", "bank", "Recourse:MakeCall", w.calls(makeCall("call-1")))
	late := makeCall("call-1")
	late.Instalments, late.Amount = []int32{2}, cny(900_00)
	w.must("bank", "Recourse:MakeCall", w.calls(late))
}

// shares lets the buyer of sale-1 pay, and shares the money out.
func (w *world) shares() {
	w.Helper()
	for _, chunk := range w.sharing() {
		w.must("coop", "Settlement:SettleHouseholds", chunk)
	}
}

// sharing opens the settlement of sale-1, whose money has come, and gives its chunks.
func (w *world) sharing() []settlement.SettleHouseholds {
	w.Helper()
	sale, all := record[harvest.Sale](w, harvest.SaleKey(orchard, "sale-1")), record[harvest.Page](w, harvest.ShareKey(orchard, "sale-1", 0)).Shares
	opens, chunks, err := settlement.NewSettlement(sale, all, "pay-1", tape.Instant(w.Clock().UnixMilli())+30*tape.Day)
	if err != nil {
		w.Fatal(err)
	}
	w.must("coop", "Tape:Receive", page(orchard, "proceeds-1", gift(5, 9_000_00)))
	w.fileOf(coffeeBank, "c1", "", 0, side{tape.CreditSide, []tape.Line{line(5, 9_000_00)}})
	w.must("coop", "Tape:Settle", tape.Settle{Account: orchard, ID: "settle-proceeds", Items: []tape.SettleItem{{Source: "proceeds-1", Lines: &tape.LinesRef{Statement: "c1"}}}})
	w.must("coop", "Settlement:OpenSettlement", w.signed("open-settlement", orchard, cny(9_000_00), opens, coopStaff...))
	return chunks
}

// TestASalePaysWhatIsCalled: a sale's payment of a loan lowers the call, and what it
// leaves goes to the guarantor who has paid of it, by the same entry.
func TestASalePaysWhatIsCalled(t *testing.T) {
	payments := []int64{300_00}
	w := newWorld(t)
	w.groups()
	w.lends()
	w.borrows()
	w.come(payments)
	w.sells()
	w.Advance(68 * day)
	w.notified()
	w.must("bank", "Recourse:MakeCall", w.calls(makeCall("call-1")))
	chunks := w.sharing()
	w.must("coop", "Settlement:SettleHouseholds", chunks[0])
	// The guarantor pays at the same moment: the page that did not know it is worked out anew.
	codes := w.together(sent{"bank", "Loan:RepayLoan", w.repays(payments, 0, 2)}, sent{"coop", "Settlement:SettleHouseholds", chunks[1]})
	if codes[0] != peer.TxValidationCode_VALID || codes[1] != peer.TxValidationCode_MVCC_READ_CONFLICT {
		t.Errorf("both at once: %v", codes)
	}
	w.must("coop", "Settlement:SettleHouseholds", chunks[1])
	w.must("coop", "Settlement:SettleHouseholds", chunks[1]) // answered again
	call := w.callIs("call-1", recourse.Met, 0, 0, 0)
	if call.Lowered != 1_200_00 || call.Entry != "coop/pay-1-1" {
		t.Errorf("lowered by %d, by entry %s", call.Lowered, call.Entry)
	}
	var back tape.Hold
	for i := range 3 {
		if hold := record[tape.Hold](w, tape.HoldKey(orchard, tape.ChunkHold("pay-1", 1, i))); hold.OnBehalfOf != "" {
			back = hold
			break
		}
	}
	paid := call.Guarantors[slices.IndexFunc(call.Guarantors, func(g recourse.Guarantor) bool { return g.Household == house(orchard, 2) })]
	if back.To != cashOf(2) || back.OnBehalfOf != house(orchard, 1) || back.Amount != cny(161_34) || paid.Returned != 161_34 || call.Borne() != 138_66 {
		t.Errorf("%+v is paid back of %+v", back, paid)
	}
}

// whoCarriesCalls: every command by everybody who may not, and then by who may.
func whoCarriesCalls(t *testing.T) {
	w := overdue(t)
	w.notified()
	w.onlyFor(carrying{"Recourse:MakeCall", "make-call", cny(1_500_00), makeCall("call-1"), "bank", nil})
	w.windsDown("wrong-state: 1 loans, 1 calls and 0 recourses of group g1 are open")
	unable := unableOf(3, "unable-3")
	w.everybody("Recourse:DeclareUnable", []string{"bank", "coop"}, func(string) any { return w.agreed("declare-unable", orchard, unable, "coop-maker", "bank-maker") })
	for _, alone := range []tape.ID{"coop-maker", "bank-maker"} {
		w.refused("forbidden: one of the staff of ", "coop", "Recourse:DeclareUnable", w.agreed("declare-unable", orchard, unable, alone))
	}
	w.must("coop", "Recourse:DeclareUnable", w.agreed("declare-unable", orchard, unable, "coop-maker", "bank-maker"))
	w.everybody("Recourse:ReimburseCall", []string{"bank", "coop"}, func(string) any {
		return w.signedBare(recourse.Reimburse{Account: orchard, Amount: cny(1), Call: "call-1", ID: "back-1", Loan: "l1", Parts: []recourse.Handed{{Amount: cny(1), Payment: "bank/x/0", To: house(orchard, 2)}}})
	})
	w.everybody("Recourse:ContributeCall", []string{"bank", "coop"}, func(string) any {
		return w.signed("contribute-call", orchard, cny(1), recourse.Contribute{Account: orchard, Amount: cny(1), Call: "call-1", From: house(orchard, 3), ID: "cash-1", Loan: "l1", To: house(orchard, 2)}, seat(2))
	})
	w.Advance(31 * day)
	w.onlyFor(carrying{"Recourse:RespreadCall", "respread-call", noAmount, recourse.Respread{Account: orchard, Call: "call-1", Guarantor: house(orchard, 4), ID: "respread-4", Loan: "l1"}, "bank", []tape.ID{"bank-maker"}})
	w.onlyFor(carrying{"Recourse:ReleaseGuarantor", "release-guarantor", noAmount, recourse.Release{Account: orchard, Call: "call-1", Guarantor: house(orchard, 4), ID: "release-4", Loan: "l1"}, "bank", nil})
	w.onlyFor(carrying{"Recourse:WithdrawCall", "withdraw-call", noAmount, recourse.WithdrawCall{Account: orchard, Call: "call-1", ID: "withdraw-1", Loan: "l1"}, "bank", nil})
	w.callIs("call-1", recourse.Closed, 0, 0, 0)
}

// TestTakenOver: a loan that ran before the ledger stood is taken over with its
// history by all who know it; its guarantors can be called at once, its pool is asked for nothing.
func TestTakenOver(t *testing.T) {
	w := newWorld(t)
	w.groups()
	w.lends()
	w.Advance(31 * day) // then whoever registered a key may carry what it signs
	all := []tape.ID{seat(1), seat(2), seat(3), seat(4)}
	w.must("insurer", "Loan:ApplyForLoan", w.signed("apply-for-loan", orchard, cny(12_000_00), applyFor("l1", 1, 12_000_00), all...))
	w.must("bank", "Loan:DecideLoan", w.signed("decide-loan", orchard, cny(12_000_00), loan.Decide{Account: orchard, Amount: cny(12_000_00), ID: "decide-1", Loan: "l1", Reason: "history"}, bankStaff...))
	take := loan.TakeOver{Account: orchard, Advances: []terms.Advance{{Amount: cny(12_000_00), Date: "2025-09-20"}}, Evidence: sha256.Sum256([]byte("lines of the bank")), ID: "take-1", Loan: "l1",
		Payments: []terms.Payment{{Amount: cny(1_032_66), Date: "2025-10-20"}}, Terms: seasonal()}
	knowing := append([]tape.ID{"bank-maker", "bank-checker", "coop-maker"}, all...)
	w.refused("forbidden: one of the staff of coop must sign", "bank", "Loan:TakeOverLoan", w.signed("take-over-loan", orchard, cny(12_000_00), take, append(slices.Clone(bankStaff), all...)...))
	w.onlyFor(carrying{"Loan:TakeOverLoan", "take-over-loan", cny(12_000_00), take, "bank", knowing})
	if owed, err := w.loanIs(loan.Running).Owed("2026-02-01"); err != nil || owed.DaysPastDue != 73 || owed.Oldest != 2 {
		t.Errorf("owed: %+v, %v", owed, err)
	}
	if own, other := w.debtsOf(1), w.debtsOf(3); len(own.Loans) != 1 || len(other.Guarantees) != 1 {
		t.Errorf("debts: %+v %+v", own, other)
	}
	w.must("charity", "Group:Freeze", group.Freeze{Account: orchard, Group: "g1", ID: "freeze-1"})
	for _, days := range []int32{1, 15} {
		notice := loan.GiveNotice{Account: orchard, Days: days, ID: tape.ID(fmt.Sprint("notice-", days)), Instalment: 2, Loan: "l1"}
		w.must("coop", "Loan:GiveNotice", w.agreed("give-notice", orchard, notice, "coop-maker"))
	}
	w.must("bank", "Loan:DefaultLoan", w.agreed("default-loan", orchard, loan.Default{Account: orchard, ID: "default-1", Loan: "l1"}, bankStaff...))
	call := makeCall("call-1")
	call.Instalments = []int32{2, 3}
	w.must("bank", "Recourse:MakeCall", w.calls(call))
	w.callIs("call-1", recourse.Open, 500_00, 500_00, 500_00)
}
