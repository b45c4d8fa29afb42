package contract_test

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	secondLending = tape.AccountID("lender:insurer:coffee")
	secondBank    = tape.AccountID("outside:bank:insurer")
)

// lenders is a scheme of two lenders, with an active group of households 1 to 4 and a
// product of which the bank lends 40 %, and the insurer 60 %.
func (w *world) lenders() {
	w.Helper()
	w.writes(party.PowersKey("insurer"), party.Powers{V: 1, Powers: []string{party.Insurer, party.Lender}})
	w.schemeOf(orchard, 4)
	amend := group.AmendScheme{Account: orchard, ID: "amend-1", Lenders: []string{"bank", "insurer"}, Terms: coffeeTerms()}
	w.must("coop", "Group:AmendScheme", w.agreed("amend-scheme", orchard, amend, coopStaff...))
	form := formGroup(orchard, "g1", 1, 2, 3, 4)
	form.Agreement.Lenders, form.Agreement.Terms = amend.Lenders, 2
	staff := map[string][]tape.ID{"bank": bankStaff, "insurer": {"insurer-maker", "insurer-checker"}}
	for _, lender := range amend.Lenders {
		w.must(lender, "Group:AcceptScheme", w.agreed("accept-scheme", orchard, group.AcceptScheme{Account: orchard, ID: tape.ID("accept-" + lender), Proposal: "coop/amend-1"}, staff[lender]...))
	}
	w.formed(form, 1, 2, 3, 4)
	for _, lender := range amend.Lenders {
		w.must(lender, "Group:ApproveGroup", w.agreed("approve-group", orchard, group.ApproveGroup{Account: orchard, Group: "g1", ID: tape.ID("approve-" + lender)}, staff[lender]...))
	}
	w.lends()
	opens := open(secondLending)
	opens.Custodian = secondBank
	w.must("insurer", "Loan:OpenLending", w.agreed("open-lending", secondLending, opens, staff["insurer"]...))
	w.must("insurer", "Tape:Receive", page(secondLending, "capital-2", gift(2, 50_000_00)))
	w.fileOf(secondBank, "i1", "", 0, side{tape.CreditSide, []tape.Line{line(2, 50_000_00)}})
	w.must("insurer", "Tape:Settle", tape.Settle{Account: secondLending, ID: "settle-capital", Items: []tape.SettleItem{{Source: "capital-2", Lines: &tape.LinesRef{Statement: "i1"}}}})
	shared := offerProduct()
	shared.ID, shared.Product = "offer-2", "shared"
	shared.Conditions.Lenders = []loan.Lender{{Account: lending, Organisation: "bank", PartsPerMillion: 400_000}, {Account: secondLending, Organisation: "insurer", PartsPerMillion: 600_000}}
	w.refused("forbidden: one of the staff of insurer must sign", "bank", "Loan:OfferProduct", w.agreed("offer-product", orchard, shared, bankStaff...))
	w.must("bank", "Loan:OfferProduct", w.agreed("offer-product", orchard, shared, append(bankStaff, "insurer-maker")...))
}

// paysPart orders a lender's share of the loan's tranche and shows the line of its bank.
func (w *world) paysPart(lender string, account, bank tape.AccountID, hold, statement, previous tape.ID, opening, units int64) {
	w.Helper()
	out := loan.Disburse{Account: orchard, Amount: cny(12_000_00), Expires: tape.Instant(w.Clock().UnixMilli()) + 20*tape.Day, ID: hold, Loan: "l1", To: cashOf(1), Tranche: 1}
	w.must(lender, "Loan:DisburseLoan", w.signed("disburse-loan", orchard, out.Amount, out, tape.ID(lender+"-maker"), tape.ID(lender+"-checker")))
	if held := record[tape.Hold](w, tape.HoldKey(account, hold)); held.Amount != cny(units) {
		w.Errorf("%s pays %s", lender, held.Amount)
	}
	paid := []tape.Line{line(1, units)}
	w.fileOf(bank, statement, previous, opening, side{tape.DebitSide, paid})
	execute, err := tape.NewExecute(account, "execute-"+hold, statement, 0, paid, []tape.ExecutedLine{{Index: 0, Holds: []tape.ID{hold}}})
	if err != nil {
		w.Fatal(err)
	}
	w.must("bank", "Tape:Execute", execute)
}

// transfers brings a transfer of the household to the originator, and to the loan.
func (w *world) transfers(id, statement, previous tape.ID, n int, opening, units int64) tape.GiftProof {
	w.Helper()
	paid := gift(n, units)
	w.must("bank", "Tape:Receive", page(lending, id, paid))
	w.fileOf(lendingBank, statement, previous, opening, side{tape.CreditSide, []tape.Line{line(n, units)}})
	w.must("bank", "Tape:Settle", tape.Settle{Account: lending, ID: "settle-" + id, Items: []tape.SettleItem{{Source: string(id), Lines: &tape.LinesRef{Statement: statement}}}})
	proof := giftProof(w, id, 0, paid)
	w.must("bank", "Loan:RepayLoan", loan.Repay{Account: orchard, Gift: proof, ID: "repay-" + id, Loan: "l1"})
	return proof
}

// TestLentTogether: two lenders pay a loan out by their shares, get every payment by them,
// and return their parts of one that the bank takes back.
func TestLentTogether(t *testing.T) {
	w := newWorld(t)
	w.lenders()
	apply := applyFor("l1", 1, 12_000_00)
	apply.Product = "shared"
	w.must("coop", "Loan:ApplyForLoan", w.signed("apply-for-loan", orchard, apply.Amount, apply, seat(1), seat(2), seat(3), seat(4)))
	decide := loan.Decide{Account: orchard, Amount: apply.Amount, ID: "decide-1", Loan: "l1", Reason: "meets-conditions"}
	w.refused("forbidden: ", "insurer", "Loan:DecideLoan", w.signed("decide-loan", orchard, apply.Amount, decide, "insurer-maker", "insurer-checker"))
	w.must("bank", "Loan:DecideLoan", w.signed("decide-loan", orchard, apply.Amount, decide, bankStaff...))
	w.contracts()
	w.paysPart("bank", lending, lendingBank, "out-1", "b2", "b1", 100_000_00, 4_800_00)
	book := loan.BookTranche{Account: orchard, ID: "book-1", Loan: "l1", Tranche: 1}
	w.refused("wrong-state: field tranche: insurer has not ordered its share yet", "coop", "Loan:BookTranche", book)
	w.paysPart("insurer", secondLending, secondBank, "out-2", "i2", "i1", 50_000_00, 7_200_00)
	w.must("coop", "Loan:BookTranche", book)

	// A part is repaid: three fifths of it go on to the insurer in the same entry.
	proof := w.transfers("part-1", "b3", "b2", 7, 95_200_00, 3_000_01)
	onward := record[tape.Entry](w, tape.EntryKey("bank", "repay-part-1")).Postings
	if len(onward) != 1 || onward[0].Amount != cny(1_800_01) || onward[0].To != secondLending || onward[0].OnBehalfOf != house(orchard, 1) {
		t.Errorf("what goes on: %+v", onward)
	}

	// The bank takes it back: it is owed again, and the insurer returns its part, once.
	back := []tape.Line{line(8, 3_000_01)}
	w.fileOf(lendingBank, "b4", "b3", 98_200_01, side{tape.DebitSide, back})
	w.must("bank", "Tape:ChargeBack", tape.ChargeBack{Account: lending, Gift: proof, ID: "back-1", Line: lineProof(t, "b4", 0, back, 0)})
	w.must("coop", "Loan:TakeBackRepayment", loan.TakeBack{Account: orchard, Gift: proof, ID: "undo-1", Loan: "l1"})
	if l := w.loanIs(loan.Running); l.Lacks("insurer") != 1_800_01 || l.Lacks("bank") != 0 || len(l.Book.Payments) != 0 {
		t.Errorf("what is lacking: %+v", l.Lacking)
	}
	part := loan.ReturnPart{Account: orchard, ID: "return-1", Loan: "l1"}
	w.refused("wrong-state: bank has nothing of loan l1 that the bank took back", "bank", "Loan:ReturnPart", w.signed("return-part", orchard, cny(0), part, bankStaff...))
	returns := func(id tape.ID, units int64) string {
		part.ID = id
		return w.signed("return-part", orchard, cny(units), part, "insurer-maker", "insurer-checker")
	}
	w.must("insurer", "Loan:ReturnPart", returns("return-1", 1_800_01))
	w.refused("wrong-state: insurer has nothing of loan l1 that the bank took back", "insurer", "Loan:ReturnPart", returns("return-2", 0))
	if came := record[tape.Entry](w, tape.EntryKey("insurer", "return-1")).Postings; len(came) != 1 || came[0].Amount != cny(1_800_01) || came[0].To != lending {
		t.Errorf("what comes back: %+v", came)
	}

	// Paid off, both have got their shares of all that was ever paid, to the unit.
	owed, err := w.loanIs(loan.Running).Owed("2026-01-01")
	if err != nil {
		t.Fatal(err)
	}
	w.transfers("rest", "b5", "b4", 9, 95_200_00, owed.Payoff())
	w.loanIs(loan.Closed)
	if last := record[tape.Entry](w, tape.EntryKey("bank", "repay-rest")).Postings; owed.Payoff() != 12_000_00 || len(last) != 1 || last[0].Amount != cny(7_200_00) {
		t.Errorf("of %d the insurer gets %+v", owed.Payoff(), last)
	}
}
