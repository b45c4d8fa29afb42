package contract_test

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	lending     = tape.AccountID("lender:bank:coffee")
	lendingBank = tape.AccountID("outside:bank:lending")
	coffeeBank  = tape.AccountID("outside:bank:coop")
	buyer       = tape.AccountID("outside:buyer:roaster")
)

func cashOf(n int) tape.AccountID {
	name := string(tape.PseudonymFrom(fmt.Sprint("invented ", "coffee", n)))
	return tape.AccountID("outside:household:" + name)
}

func seasonal() terms.Terms {
	return terms.Terms{Method: terms.Annuity, RatePartsPerMillion: 60_000, DayCount: terms.Act365, Rounding: terms.HalfEven, Instalments: 12, Every: terms.Interval{Months: 1}}
}

func offerProduct() loan.OfferProduct {
	return loan.OfferProduct{Account: orchard, ID: "offer-1", Product: "season", Version: 1, Conditions: loan.Conditions{
		Lenders: []loan.Lender{{Account: lending, Organisation: "bank", PartsPerMillion: 1_000_000}}, OfferDays: 30, PrincipalMin: cny(1_000_00), PrincipalMax: cny(20_000_00),
		Purposes: []string{"inputs"}, TermDaysMax: 400, Terms: seasonal(), ToleranceUnits: 10, TranchesMax: 2}}
}

// lends opens the bank's account for loans with 100,000.00 CNY and offers a product.
func (w *world) lends() {
	w.Helper()
	c := open(lending)
	c.Custodian = lendingBank
	w.must("bank", "Loan:OpenLending", w.agreed("open-lending", lending, c, bankStaff...))
	w.must("bank", "Tape:Receive", page(lending, "capital-1", gift(1, 100_000_00)))
	w.fileOf(lendingBank, "b1", "", 0, side{tape.CreditSide, []tape.Line{line(1, 100_000_00)}})
	w.must("bank", "Tape:Settle", tape.Settle{Account: lending, ID: "settle-capital", Items: []tape.SettleItem{{Source: "capital-1", Lines: &tape.LinesRef{Statement: "b1"}}}})
	w.must("bank", "Loan:OfferProduct", w.agreed("offer-product", orchard, offerProduct(), bankStaff...))
}

// groups is a scheme with an active group of households 1 to 4, and household 5 beside it.
func (w *world) groups() {
	w.Helper()
	w.schemeOf(orchard, 5)
	w.reviewed(orchard, "g1", 1, 2, 3, 4)
	w.must("bank", "Group:ApproveGroup", w.granted(orchard, "g1", "approve-g1"))
}

func applyFor(id tape.ID, n int, units int64) loan.Apply {
	return loan.Apply{Account: orchard, Amount: cny(units), Group: "g1", Household: house(orchard, n), ID: id, Product: "season", ProductVersion: 1, Purpose: "inputs", Terms: seasonal()}
}

// borrows takes a loan of household 1 of 12,000.00 CNY to the household's bank account.
func (w *world) borrows() loan.Loan {
	w.Helper()
	w.must("insurer", "Loan:ApplyForLoan", w.signed("apply-for-loan", orchard, cny(12_000_00), applyFor("l1", 1, 12_000_00), seat(1), seat(2)))
	guarantee := loan.Guarantee{Account: orchard, Application: "insurer/l1", ID: "guarantee-1", Loan: "l1"}
	w.must("insurer", "Loan:GuaranteeLoan", w.signed("guarantee-loan", orchard, cny(12_000_00), guarantee, seat(3), seat(4)))
	if l := w.loanIs(loan.Referred); l.Decision.Outcome != loan.Refer || l.Decision.Reasons[0] != "no-score" {
		w.Errorf("the decision: %+v", l.Decision)
	}
	w.must("bank", "Loan:DecideLoan", w.signed("decide-loan", orchard, cny(12_000_00), loan.Decide{Account: orchard, Amount: cny(12_000_00), ID: "decide-1", Loan: "l1", Reason: "meets-conditions"}, bankStaff...))
	w.contracts()
	w.must("bank", "Loan:DisburseLoan", w.signed("disburse-loan", orchard, cny(12_000_00), loan.Disburse{Account: orchard, Amount: cny(12_000_00), Expires: tape.Instant(w.Clock().UnixMilli()) + 30*tape.Day,
		ID: "out-1", Loan: "l1", To: cashOf(1), Tranche: 1}, bankStaff...))
	w.pays()
	return w.loanIs(loan.Running)
}

// contracts signs the quote of a loan whose money comes at once.
func (w *world) contracts() {
	w.Helper()
	l := w.loanIs(loan.Approved)
	advances := []terms.Advance{{Amount: cny(12_000_00), Date: "2026-01-01"}}
	quote, err := l.Quote(advances)
	if err != nil {
		w.Fatal(err)
	}
	hash, err := quote.Hash()
	if err != nil {
		w.Fatal(err)
	}
	w.must("insurer", "Loan:ContractLoan", w.signed("contract-loan", orchard, cny(12_000_00), loan.ContractLoan{Account: orchard, Advances: advances, ID: "contract-1", Loan: "l1", Quote: hash}, seat(1)))
}

// pays shows that the bank has paid the loan out.
func (w *world) pays() {
	w.Helper()
	paid := line(1, 12_000_00)
	w.fileOf(lendingBank, "b2", "b1", 100_000_00, side{tape.DebitSide, []tape.Line{paid}})
	execute, err := tape.NewExecute(lending, "execute-1", "b2", 0, []tape.Line{paid}, []tape.ExecutedLine{{Index: 0, Holds: []tape.ID{"out-1"}}})
	if err != nil {
		w.Fatal(err)
	}
	w.must("bank", "Tape:Execute", execute)
	w.must("coop", "Loan:BookTranche", loan.BookTranche{Account: orchard, ID: "book-1", Loan: "l1", Tranche: 1})
}

func (w *world) loanIs(state loan.State) loan.Loan {
	w.Helper()
	l := record[loan.Loan](w, loan.Key(orchard, "l1"))
	if l.State != state {
		w.Errorf("the loan is %s, want %s", l.State, state)
	}
	return l
}

// debtsOf are the open loans of household n, and those that it guarantees.
func (w *world) debtsOf(n int) loan.Debts {
	w.Helper()
	return record[loan.Debts](w, loan.DebtsKey(reference(100+n)))
}

// TestASeason takes a loan from the application to its last payment: a sale pays
// what falls due, and the household's own bank line the rest.
func TestASeason(t *testing.T) {
	w := newWorld(t)
	w.groups()
	w.lends()
	l := w.borrows()
	if l.Contract.AnnualPercent == "" || len(l.Book.Schedule) != 12 || l.Book.Advances[0].Date != "2026-01-01" {
		t.Errorf("the running loan: %+v", l)
	}
	if own, other := w.debtsOf(1), w.debtsOf(3); len(own.Loans) != 1 || len(other.Guarantees) != 1 || len(other.Loans) != 0 {
		t.Errorf("debts: %+v %+v", own, other)
	}
	w.sells()
	w.settles(l)

	// The household pays the loan off by a transfer of its own.
	l = w.loanIs(loan.Running)
	w.Advance(46 * 24 * 3600e9)
	paid, repay := w.paysOff(l, "2026-02-20")
	w.loanIs(loan.Closed)
	if own, other := w.debtsOf(1), w.debtsOf(3); len(own.Loans) != 0 || own.Cycles[0].OnTime != 1 || len(other.Guarantees) != 0 {
		t.Errorf("debts when it is over: %+v %+v", own, other)
	}
	refund := tape.Refund{Account: lending, Expires: tape.Instant(w.Clock().UnixMilli()) + tape.Day, Gift: repay.Gift, ID: "refund-1", To: "outside:giver:g7"}
	w.refused("wrong-state: field gift: has repaid a loan, by entry bank/repay-1; it stays with the lender", "bank", "Tape:Refund", w.signed("refund", lending, paid.Amount, refund, bankStaff...))
	repay.ID = "repay-2"
	w.refused("wrong-state: field gift: has repaid a loan already, by entry bank/repay-1", "bank", "Loan:RepayLoan", repay)
}

// paysOff pays a loan off by a line of the bank of a day, which is noted a day later.
func (w *world) paysOff(l loan.Loan, day tape.Date) (tape.Gift, loan.Repay) {
	w.Helper()
	owed, err := l.Owed(day)
	if err != nil {
		w.Fatal(err)
	}
	paid := gift(7, owed.Payoff())
	w.must("bank", "Tape:Receive", page(lending, "repayment-1", paid))
	credit := tape.Line{Number: 1, Date: day, Amount: paid.Amount, Reference: paid.Reference}
	head, bodies := statementOf(w, lendingBank, "b3", "b2", 88_000_00, side{tape.CreditSide, []tape.Line{credit}})
	head.From, head.To = day, day
	w.must("bank", "Tape:FileStatement", head)
	w.must("bank", "Tape:FileLines", bodies[0])
	w.must("bank", "Tape:Settle", tape.Settle{Account: lending, ID: "settle-repayment", Items: []tape.SettleItem{{Source: "repayment-1", Lines: &tape.LinesRef{Statement: "b3"}}}})
	w.Advance(24 * 3600e9)
	proof, err := tape.NewGiftProof("repayment-1", []tape.Gift{paid}, 0)
	if err != nil {
		w.Fatal(err)
	}
	shown, err := tape.NewLineProof("b3", 0, []tape.Line{credit}, 0)
	if err != nil {
		w.Fatal(err)
	}
	repay := loan.Repay{Account: orchard, Gift: proof, ID: "repay-1", Line: &shown, Loan: "l1"}
	w.everybody("Loan:RepayLoan", []string{"bank"}, always(repay))
	w.must("bank", "Loan:RepayLoan", repay)
	return paid, repay
}

// sells brings 100 kg of household 1 and 200 kg of household 5 to a buyer, who pays 9,000.00 CNY.
func (w *world) sells() {
	w.Helper()
	agreement := harvest.Agreement{Commodity: "coffee", Costs: []string{"transport"}, Deductions: []string{"damaged"},
		Forms: []harvest.Form{{Form: "cherry", Grades: []string{"ripe"}}}, Stores: []harvest.Store{{Organisation: "coop", Store: "mill"}}}
	w.must("coop", "Harvest:Agree", w.agreed("agree", orchard, harvest.Agree{Account: orchard, Agreement: agreement, ID: "agree-1"}, append(coopStaff, "bank-maker")...))
	for n, grams := range map[int]int64{1: 100_000, 5: 200_000} {
		deliver := harvest.Deliver{Account: orchard, Form: "cherry", Grade: "ripe", GrossGrams: grams, Harvested: "2026-01-01", Household: house(orchard, n), ID: tape.ID(fmt.Sprint("lot-", n)), NetGrams: grams, Store: "mill"}
		w.must("coop", "Harvest:Deliver", w.agreed("deliver", orchard, deliver, "coop-maker", seat(n)))
	}
	sell := harvest.Sell{Account: orchard, Buyer: buyer, Costs: []harvest.Cost{{Amount: cny(100_00), Kind: "transport", Payee: "outside:supplier:lorry"}}, ID: "sale-1", Invoice: merkle.Hash{1},
		Lots: []tape.ID{"lot-1", "lot-5"}, PricePerTonne: cny(30_000_00), Proceeds: cny(9_000_00)}
	w.must("coop", "Harvest:Sell", w.signed("sell", orchard, cny(9_000_00), sell, coopStaff...))
}

// settles lets the buyer's money come and shares it out.
func (w *world) settles(l loan.Loan) {
	w.Helper()
	w.Advance(5 * 24 * 3600e9)
	sale := record[harvest.Sale](w, harvest.SaleKey(orchard, "sale-1"))
	shares := record[harvest.Page](w, harvest.ShareKey(orchard, "sale-1", 0)).Shares
	openIt, chunks, err := settlement.NewSettlement(sale, shares, "pay-1", tape.Instant(w.Clock().UnixMilli())+30*tape.Day)
	if err != nil {
		w.Fatal(err)
	}
	signed := func() string {
		return w.signed("open-settlement", orchard, cny(9_000_00), openIt, coopStaff...)
	}
	w.refused("insufficient: coop:coop:coffee can spend 0.00 CNY", "coop", "Settlement:OpenSettlement", signed())
	w.must("coop", "Tape:Receive", page(orchard, "proceeds-1", gift(5, 9_000_00)))
	w.fileOf(coffeeBank, "c1", "", 0, side{tape.CreditSide, []tape.Line{line(5, 9_000_00)}})
	w.must("coop", "Tape:Settle", tape.Settle{Account: orchard, ID: "settle-proceeds", Items: []tape.SettleItem{{Source: "proceeds-1", Lines: &tape.LinesRef{Statement: "c1"}}}})
	w.must("coop", "Settlement:OpenSettlement", signed())
	openIt.ID = "pay-2"
	w.refused("wrong-state: field sale: sale-1 is settled already, by entry coop/pay-1", "coop", "Settlement:OpenSettlement", signed())
	w.refused("wrong-state: field sale: sale sale-1 is settled", "coop", "Harvest:CorrectSale", w.signed("correct-sale", orchard, cny(9_000_00), harvest.CorrectSale{Account: orchard, ID: "c1", Reason: "did_not_occur", Sale: "sale-1"}, coopStaff...))
	w.everybody("Harvest:CorrectSale", []string{"coop"}, w.byStaff("correct-sale", orchard, cny(9_000_00), harvest.CorrectSale{Account: orchard, ID: "undo-1", Reason: "did_not_occur", Sale: "sale-1"}))
	w.everybody("Settlement:SettleHouseholds", []string{"coop"}, always(chunks[0]))
	w.everybody("Settlement:CloseSettlement", []string{"coop"}, always(settlement.CloseSettlement{Account: orchard, ID: "done-1", Sale: "sale-1"}))
	w.refused("wrong-state: field job: 0 of 2 chunks have run", "coop", "Settlement:CloseSettlement", settlement.CloseSettlement{Account: orchard, ID: "done-1", Sale: "sale-1"})
	w.refused("forbidden: coop:coop:coffee is spent by the commands of settlement", "coop", "Tape:RunChunk", tape.RunChunk{Account: orchard, ID: "x", Job: "pay-1", Lines: []tape.Payment{{Amount: cny(1), Line: "a", To: cashOf(5)}}, N: 1, Path: chunks[1].Path})
	for _, chunk := range chunks {
		w.must("coop", "Settlement:SettleHouseholds", chunk)
		w.must("coop", "Settlement:SettleHouseholds", chunk) // answered again
	}
	again := chunks[1]
	again.ID = "again"
	w.refused("wrong-state: field n: chunk 1 of job pay-1 has run, in entry coop/pay-1-1", "coop", "Settlement:SettleHouseholds", again)
	w.must("coop", "Settlement:CloseSettlement", settlement.CloseSettlement{Account: orchard, ID: "done-1", Sale: "sale-1"})

	// Household 1 has 1/3 of 8,900.00: it pays the instalment of February, the rest is on its way to it.
	entry := record[tape.Entry](w, tape.EntryKey("coop", "pay-1-1"))
	if len(entry.Postings) != 1 || entry.Postings[0].Amount != cny(1_032_66) || entry.Postings[0].To != lending || entry.Postings[0].OnBehalfOf != house(orchard, 1) {
		w.Errorf("what the sale paid: %+v", entry.Postings)
	}
	rest := map[tape.AccountID]int64{}
	for i := range 2 {
		hold := record[tape.Hold](w, tape.HoldKey(orchard, tape.ChunkHold("pay-1", 1, i)))
		rest[hold.To] = hold.Amount.Units
	}
	if rest[cashOf(1)] != 2_966_67-1_032_66 || rest[cashOf(5)] != 5_933_33 {
		w.Errorf("the rests: %v", rest)
	}
	if paid := w.loanIs(loan.Running).Book.Payments; len(paid) != 1 || paid[0].Date != "2026-02-01" || paid[0].Amount != cny(1_032_66) {
		w.Errorf("the loan's payments: %+v", paid)
	}
}

// TestLoansAreRefused: what the contract itself reads and refuses.
func TestLoansAreRefused(t *testing.T) {
	w := newWorld(t)
	w.groups()
	w.lends()
	apply := applyFor("l1", 1, 12_000_00)
	signed := func(c loan.Apply, persons ...tape.ID) string {
		return w.signed("apply-for-loan", orchard, c.Amount, c, persons...)
	}
	w.refused("forbidden: farmer-1 borrows and has not signed", "insurer", "Loan:ApplyForLoan", signed(apply, seat(2)))
	w.refused("forbidden: farmer-5 is neither borrower nor guarantor", "insurer", "Loan:ApplyForLoan", signed(apply, seat(1), seat(5)))
	w.refused("early: field intents[0].person: bank registered the key of person farmer-1", "bank", "Loan:ApplyForLoan", signed(apply, seat(1)))
	other := apply
	other.Terms.RatePartsPerMillion++
	w.refused("conflict: field terms: are not those of version 1 of season", "insurer", "Loan:ApplyForLoan", signed(other, seat(1)))
	other = apply
	other.ProductVersion = 2
	w.refused("not-found: field product: there is no version 2 of a product season", "insurer", "Loan:ApplyForLoan", signed(other, seat(1)))
	other = apply
	other.Group = "g9"
	w.refused("not-found: field group: there is no group g9", "insurer", "Loan:ApplyForLoan", signed(other, seat(1)))
	spend := tape.Spend{Account: lending, ID: "spend-1", Payments: []tape.Payment{{Amount: cny(1), Line: "a", To: "coop:coop:books"}}}
	w.refused("forbidden: lender:bank:coffee is spent by the commands of loan", "bank", "Tape:Spend", w.signed("spend", lending, cny(1), spend, bankStaff...))

	w.borrows()
	second := applyFor("l2", 2, 20_000_00)
	w.must("insurer", "Loan:ApplyForLoan", signed(second, seat(2), seat(1), seat(3), seat(4)))

	// A freeze that nobody has filed holds all the same: the day decides.
	w.Advance(33 * 24 * 3600e9)
	w.refused("wrong-state: field group: "+string(house(orchard, 1))+" is overdue with loan/coop:coop:coffee/l1", "insurer", "Loan:ApplyForLoan", signed(applyFor("l4", 1, 1_000_00), seat(1)))
	w.refused("wrong-state: field group: "+string(house(orchard, 1))+" is overdue", "bank", "Loan:DecideLoan",
		w.signed("decide-loan", orchard, cny(20_000_00), loan.Decide{Account: orchard, Amount: cny(20_000_00), ID: "decide-2", Loan: "l2", Reason: "meets-conditions"}, bankStaff...))
	w.must("regulator", "Group:Freeze", group.Freeze{Account: orchard, Group: "g1", ID: "freeze-1"})
	w.groupIs(group.Frozen, orchard, "g1")
	notice := loan.GiveNotice{Account: orchard, Days: 1, ID: "notice-1", Instalment: 1, Loan: "l1"}
	w.must("coop", "Loan:GiveNotice", w.agreed("give-notice", orchard, notice, "coop-maker"))
	w.refused("early: loan l1 is 2 days past due; it is in default after 30", "bank", "Loan:DefaultLoan", w.agreed("default-loan", orchard, loan.Default{Account: orchard, ID: "default-1", Loan: "l1"}, bankStaff...))
	w.Advance(40 * 24 * 3600e9)
	w.refused("wrong-state: the notice after 15 days about instalment 1 of loan l1 was not given", "bank", "Loan:DefaultLoan", w.agreed("default-loan", orchard, loan.Default{Account: orchard, ID: "default-1", Loan: "l1"}, bankStaff...))
	notice.ID, notice.Days = "notice-15", 15
	w.must("bank", "Loan:GiveNotice", w.agreed("give-notice", orchard, notice, "bank-maker"))
	w.must("bank", "Loan:DefaultLoan", w.agreed("default-loan", orchard, loan.Default{Account: orchard, ID: "default-1", Loan: "l1"}, bankStaff...))
	costs := loan.AddCosts{Account: orchard, Amount: cny(200_00), Evidence: sha256.Sum256([]byte("a bill")), ID: "costs-1", Loan: "l1"}
	w.must("bank", "Loan:AddCosts", w.signed("add-costs", orchard, cny(200_00), costs, bankStaff...))
	changed := seasonal()
	changed.Instalments = 24
	restructure := loan.Restructure{Account: orchard, ID: "change-1", Loan: "l1", TermEnd: "2028-06-30", Terms: changed}
	w.refused("forbidden: farmer-1 borrows and has not signed", "bank", "Loan:RestructureLoan", w.signed("restructure-loan", orchard, cny(12_000_00), restructure, "bank-maker", "bank-checker", "coop-maker"))
	stay := loan.DeclareStay{Account: orchard, From: "2026-03-01", ID: "stay-1", Kind: "frost", To: "2026-05-01"}
	w.refused("forbidden: coop (role gateway) holds no power of a regulator", "coop", "Loan:DeclareStay", w.agreed("declare-stay", orchard, stay, "coop-maker"))
	w.must("regulator", "Loan:DeclareStay", w.agreed("declare-stay", orchard, stay, "regulator-maker"))
	off := loan.WriteOff{Account: orchard, ID: "off-1", Loan: "l1"}
	w.refused("early: loan l1 is special-mention", "bank", "Loan:WriteOffLoan", w.signed("write-off-loan", orchard, cny(12_000_00), off, bankStaff...))
	w.Advance(60 * 24 * 3600e9)
	w.must("bank", "Loan:WriteOffLoan", w.signed("write-off-loan", orchard, cny(12_000_00), off, bankStaff...))
	if own := w.debtsOf(1); len(own.Loans) != 1 {
		t.Errorf("what was written off is owed all the same: %+v", own)
	}
	w.must("bank", "Loan:WithdrawProduct", w.agreed("withdraw-product", orchard, loan.WithdrawProduct{Account: orchard, ID: "withdraw-1", Product: "season"}, bankStaff...))
	w.must("insurer", "Loan:WithdrawLoan", w.signed("withdraw-loan", orchard, cny(20_000_00), loan.WithdrawLoan{Account: orchard, ID: "withdraw-2", Loan: "l2"}, seat(2)))
}

// TestPurposeLocked: a loan for seedlings pays a listed supplier for what came, and nothing in cash.
func TestPurposeLocked(t *testing.T) {
	w := newWorld(t)
	w.groups()
	w.lends()
	locked := offerProduct()
	locked.ID, locked.Product, locked.Conditions.Supplies = "offer-2", "seedling", []string{"seedling"}
	w.must("bank", "Loan:OfferProduct", w.agreed("offer-product", orchard, locked, bankStaff...))
	apply := applyFor("l1", 1, 12_000_00)
	apply.Product = "seedling"
	w.must("insurer", "Loan:ApplyForLoan", w.signed("apply-for-loan", orchard, apply.Amount, apply, seat(1), seat(2), seat(3), seat(4)))
	w.must("bank", "Loan:DecideLoan", w.signed("decide-loan", orchard, apply.Amount, loan.Decide{Account: orchard, Amount: apply.Amount, ID: "decide-1", Loan: "l1", Reason: "purpose"}, bankStaff...))
	w.contracts()
	disburse := loan.Disburse{Account: orchard, Amount: cny(5_000_00), Expires: tape.Instant(w.Clock().UnixMilli()) + 30*tape.Day, ID: "out-1", Loan: "l1", To: cashOf(1), Tranche: 1}
	out := func() string {
		return w.signed("disburse-loan", orchard, disburse.Amount, disburse, bankStaff...)
	}
	w.refused("not-found: field order: is not named; the money of loan l1 goes to suppliers", "bank", "Loan:DisburseLoan", out())
	order := loan.OrderSupplies{Account: orchard, Amount: cny(5_000_00), Category: "seedling", ID: "order-1", Loan: "l1", Supplier: "outside:supplier:nursery"}
	w.refused("forbidden: field supplier: outside:supplier:nursery is no listed supplier of seedling", "insurer", "Loan:OrderSupplies", w.signed("order-supplies", orchard, order.Amount, order, seat(1)))
	w.must("coop", "Group:NameSupplier", w.agreed("name-supplier", orchard, group.NameSupplier{Account: orchard, Categories: []string{"seedling"}, Controllers: []string{reference(105)}, ID: "name-1", Supplier: order.Supplier}, coopStaff...))
	w.everybody("Loan:OrderSupplies", nil, always(w.signed("order-supplies", orchard, order.Amount, order, seat(1))))
	w.must("insurer", "Loan:OrderSupplies", w.signed("order-supplies", orchard, order.Amount, order, seat(1)))
	disburse.Order, disburse.To = "order-1", order.Supplier
	w.refused("wrong-state: field order: order-1 is ordered; a supplier is paid for what household and cooperative have confirmed", "bank", "Loan:DisburseLoan", out())
	confirm := loan.ConfirmDelivery{Account: orchard, ID: "confirm-1", Invoice: reference(50), Order: "order-1", Place: reference(51)}
	w.refused("forbidden: one of the staff of coop must sign", "insurer", "Loan:ConfirmDelivery", w.signed("confirm-delivery", orchard, order.Amount, confirm, seat(1)))
	w.everybody("Loan:ConfirmDelivery", nil, always(w.signed("confirm-delivery", orchard, order.Amount, confirm, seat(1), "coop-maker")))
	w.must("insurer", "Loan:ConfirmDelivery", w.signed("confirm-delivery", orchard, order.Amount, confirm, seat(1), "coop-maker"))
	disburse.To = cashOf(1)
	w.refused("conflict: field to: order order-1 is of 5000.00 CNY from outside:supplier:nursery", "bank", "Loan:DisburseLoan", out())
	disburse.To = order.Supplier
	w.must("bank", "Loan:DisburseLoan", out())
	if l := w.loanIs(loan.Contracted); l.Tranches[0].Order != "order-1" || l.Tranches[0].To != order.Supplier {
		t.Errorf("the tranche: %+v", l.Tranches)
	}
	choice := settlement.ChoosePrepayment{Account: orchard, Amount: cny(500_00), Household: house(orchard, 1), ID: "choice-1", Loan: "l1"}
	w.refused("forbidden: farmer-1, who signs for", "insurer", "Settlement:ChoosePrepayment", w.signed("choose-prepayment", orchard, choice.Amount, choice, seat(2)))
	w.must("insurer", "Settlement:ChoosePrepayment", w.signed("choose-prepayment", orchard, choice.Amount, choice, seat(1)))
	w.Advance(31 * 24 * 3600e9) // then the bank, which registered their keys, may carry what households sign
	changed := seasonal()
	changed.Instalments = 24
	w.refused("wrong-state: loan l1 is contracted", "bank", "Loan:RestructureLoan", w.signed("restructure-loan", orchard, cny(12_000_00), loan.Restructure{Account: orchard, ID: "change-1", Loan: "l1", TermEnd: "2028-06-30", Terms: changed}, "bank-maker", "bank-checker", seat(1), seat(2), seat(3), seat(4)))
	w.refunds()
}

// carrying is a command about a loan or a sale that somebody may carry.
type carrying struct {
	function, action string
	amount           money.Amount
	command          any
	// may is the organisation whose gateway may carry it, "" for every gateway.
	may string
	// persons sign where it is not maker and checker of who carries it.
	persons []tape.ID
}

// whoCarriesLoans: every command by every role of every organisation, with its
// own staff's signatures or the households', past the gateway; then by who may.
func whoCarriesLoans(t *testing.T) {
	w := newWorld(t)
	w.groups()
	w.Advance(31 * 24 * 3600e9) // then whoever registered a key may carry what it signs
	opens := open(lending)
	opens.Custodian = lendingBank
	all := []tape.ID{seat(1), seat(2), seat(3), seat(4)}
	w.onlyFor(carrying{"Loan:OpenLending", "open-lending", noAmount, opens, "bank", nil})
	w.must("bank", "Tape:Receive", page(lending, "capital-1", gift(1, 100_000_00)))
	w.fileOf(lendingBank, "b1", "", 0, side{tape.CreditSide, []tape.Line{line(1, 100_000_00)}})
	w.must("bank", "Tape:Settle", tape.Settle{Account: lending, ID: "settle-capital", Items: []tape.SettleItem{{Source: "capital-1", Lines: &tape.LinesRef{Statement: "b1"}}}})
	w.onlyFor(carrying{"Loan:OfferProduct", "offer-product", noAmount, offerProduct(), "bank", nil})
	apply := applyFor("l1", 1, 12_000_00)
	w.onlyFor(carrying{"Loan:ApplyForLoan", "apply-for-loan", apply.Amount, apply, "", []tape.ID{seat(1)}})
	application := record[loan.Loan](w, loan.Key(orchard, "l1")).Entry
	w.onlyFor(carrying{"Loan:GuaranteeLoan", "guarantee-loan", apply.Amount, loan.Guarantee{Account: orchard, Application: application, ID: "guarantee-1", Loan: "l1"}, "", all[1:]})
	w.onlyFor(carrying{"Loan:DecideLoan", "decide-loan", apply.Amount, loan.Decide{Account: orchard, Amount: apply.Amount, ID: "decide-1", Loan: "l1", Reason: "meets-conditions"}, "bank", nil})
	advances := []terms.Advance{{Amount: cny(12_000_00), Date: "2026-02-01"}}
	quote, err := w.loanIs(loan.Approved).Quote(advances)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := quote.Hash()
	if err != nil {
		t.Fatal(err)
	}
	w.everybody("Loan:WithdrawLoan", nil, always(w.signed("withdraw-loan", orchard, apply.Amount, loan.WithdrawLoan{Account: orchard, ID: "withdraw-l1", Loan: "l1"}, seat(1))))
	w.onlyFor(carrying{"Loan:ContractLoan", "contract-loan", apply.Amount, loan.ContractLoan{Account: orchard, Advances: advances, ID: "contract-1", Loan: "l1", Quote: hash}, "", all[:1]})
	disburse := loan.Disburse{Account: orchard, Amount: cny(12_000_00), Expires: tape.Instant(w.Clock().UnixMilli()) + 20*tape.Day, ID: "out-1", Loan: "l1", To: cashOf(1), Tranche: 1}
	w.onlyFor(carrying{"Loan:DisburseLoan", "disburse-loan", disburse.Amount, disburse, "bank", nil})
	paid := tape.Line{Number: 1, Date: "2026-02-01", Amount: cny(12_000_00), Reference: reference(1)}
	head, bodies := statementOf(t, lendingBank, "b2", "b1", 100_000_00, side{tape.DebitSide, []tape.Line{paid}})
	head.From, head.To = "2026-02-01", "2026-02-01"
	w.must("bank", "Tape:FileStatement", head)
	w.must("bank", "Tape:FileLines", bodies[0])
	execute, err := tape.NewExecute(lending, "execute-1", "b2", 0, []tape.Line{paid}, []tape.ExecutedLine{{Index: 0, Holds: []tape.ID{"out-1"}}})
	if err != nil {
		t.Fatal(err)
	}
	w.must("bank", "Tape:Execute", execute)
	w.bareOnlyFor("Loan:BookTranche", loan.BookTranche{Account: orchard, ID: "book-1", Loan: "l1", Tranche: 1}, "")
	w.onlyFor(carrying{"Settlement:ChoosePrepayment", "choose-prepayment", cny(5), settlement.ChoosePrepayment{Account: orchard, Amount: cny(5), Household: house(orchard, 1), ID: "choice-1", Loan: "l1"}, "", all[:1]})
	w.Advance(60 * 24 * 3600e9)
	for i, days := range []int32{1, 15} {
		w.everybody("Loan:GiveNotice", []string{"bank", "coop"}, w.byStaff("give-notice", orchard, noAmount, loan.GiveNotice{Account: orchard, Days: days, ID: "strange", Instalment: 1, Loan: "l1"}))
		w.must([]string{"bank", "coop"}[i], "Loan:GiveNotice", w.agreed("give-notice", orchard, loan.GiveNotice{Account: orchard, Days: days, ID: "notice", Instalment: 1, Loan: "l1"}, []tape.ID{"bank-maker", "coop-maker"}[i]))
	}
	w.onlyFor(carrying{"Loan:DeclareStay", "declare-stay", noAmount, loan.DeclareStay{Account: orchard, From: "2026-04-01", ID: "stay-1", Kind: "frost", To: "2026-06-01"}, "regulator", nil})
	w.onlyFor(carrying{"Loan:DefaultLoan", "default-loan", noAmount, loan.Default{Account: orchard, ID: "default-1", Loan: "l1"}, "bank", nil})
	w.everybody("Loan:WriteOffLoan", []string{"bank"}, w.byStaff("write-off-loan", orchard, apply.Amount, loan.WriteOff{Account: orchard, ID: "off-1", Loan: "l1"}))
	w.onlyFor(carrying{"Loan:AddCosts", "add-costs", cny(200_00), loan.AddCosts{Account: orchard, Amount: cny(200_00), Evidence: sha256.Sum256([]byte("a bill")), ID: "costs-1", Loan: "l1"}, "bank", nil})
	changed := seasonal()
	changed.Instalments = 24
	w.onlyFor(carrying{"Loan:RestructureLoan", "restructure-loan", apply.Amount, loan.Restructure{Account: orchard, ID: "change-1", Loan: "l1", TermEnd: "2028-06-30", Terms: changed}, "bank", append([]tape.ID{"bank-maker", "bank-checker"}, all...)})
	w.onlyFor(carrying{"Loan:WithdrawProduct", "withdraw-product", noAmount, loan.WithdrawProduct{Account: orchard, ID: "withdraw-1", Product: "season"}, "bank", nil})
}

// onlyFor tries a command by everybody who may not carry it, without signatures
// and with another's, and then by who may.
func (w *world) onlyFor(c carrying) {
	w.Helper()
	subject := orchard
	if opens, is := c.command.(tape.Open); is {
		subject = opens.Account
	}
	w.onlyForAbout(subject, c)
}

// onlyForAbout does so for what is signed about a subject.
func (w *world) onlyForAbout(subject tape.AccountID, c carrying) {
	w.Helper()
	signed := func(organisation string) string {
		persons := c.persons
		if persons == nil {
			persons = []tape.ID{tape.ID(organisation + "-maker"), tape.ID(organisation + "-checker")}
		}
		return w.signed(c.action, subject, c.amount, c.command, persons...)
	}
	may := c.may
	for _, organisation := range organisations {
		for _, role := range []string{"gateway", "auditor", "admin"} {
			if role == "gateway" && (c.may == organisation || c.may == "") {
				if judged != nil {
					w.probes(organisation, c.function, signed(organisation))
				}
				may = organisation
				continue
			}
			w.refused("forbidden: ", organisation+":"+role, c.function, signed(organisation))
		}
	}
	w.refused("forbidden: ", may, c.function, w.signedBare(c.command))
	w.refused("forbidden: ", may, c.function, w.signed(c.action, subject, c.amount, c.command, "charity-maker", "charity-checker"))
	w.must(may, c.function, signed(may))
}

// bareOnlyFor does the same for a command that nobody signs.
func (w *world) bareOnlyFor(function string, command any, may string) {
	w.Helper()
	carry := []string{may}
	if may == "" {
		carry, may = nil, "charity"
	}
	w.everybody(function, carry, always(command))
	w.must(may, function, command)
}
