package contract_test

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// revolving is a line for four months, on which interest is due every month.
func revolving() terms.Terms {
	return terms.Terms{Method: terms.Bullet, Revolving: true, RatePartsPerMillion: 73_000, DayCount: terms.Act365, Rounding: terms.HalfEven, Instalments: 4, Every: terms.Interval{Months: 1}}
}

// TestALine: a household draws on its limit, repays before anything is due, and draws
// again what it has repaid, each time by its own key; the bank pays what was drawn.
func TestALine(t *testing.T) {
	w := newWorld(t)
	w.groups()
	w.lends()
	offer := offerProduct()
	offer.ID, offer.Product, offer.Conditions.Terms, offer.Conditions.TranchesMax = "offer-2", "line", revolving(), 10
	w.must("bank", "Loan:OfferProduct", w.agreed("offer-product", orchard, offer, bankStaff...))
	apply := applyFor("l1", 1, 12_000_00)
	apply.Product, apply.Terms = "line", revolving()
	w.must("insurer", "Loan:ApplyForLoan", w.signed("apply-for-loan", orchard, apply.Amount, apply, seat(1), seat(2), seat(3), seat(4)))
	w.must("bank", "Loan:DecideLoan", w.signed("decide-loan", orchard, apply.Amount, loan.Decide{Account: orchard, Amount: apply.Amount, ID: "decide-1", Loan: "l1", Reason: "meets-conditions"}, bankStaff...))
	w.contracts()

	draw := loan.DrawLoan{Account: orchard, Amount: cny(7_000_00), ID: "draw-1", Loan: "l1", Tranche: 1}
	drawn := func(c loan.DrawLoan, n int) string { return w.signed("draw-loan", orchard, c.Amount, c, seat(n)) }
	out := loan.Disburse{Account: orchard, Amount: draw.Amount, Expires: tape.Instant(w.Clock().UnixMilli()) + 30*tape.Day, ID: "out-1", Loan: "l1", To: cashOf(1), Tranche: 1}
	orders := func() string { return w.signed("disburse-loan", orchard, out.Amount, out, bankStaff...) }
	w.refused("forbidden: field tranche: is 1; loan l1 is a line, and its household draws what its lenders pay", "bank", "Loan:DisburseLoan", orders())
	w.everybody("Loan:DrawLoan", nil, always(drawn(draw, 1)))
	w.refused("forbidden: farmer-1 draws and has not signed", "insurer", "Loan:DrawLoan", drawn(draw, 2))
	w.must("insurer", "Loan:DrawLoan", drawn(draw, 1))
	more := draw
	more.ID, more.Tranche, more.Amount = "draw-2", 2, cny(5_000_01)
	w.refused("insufficient: field amount: 5000.01 CNY is more than 5000.00 CNY, what can be drawn of loan l1", "insurer", "Loan:DrawLoan", drawn(more, 1))
	w.must("bank", "Loan:DisburseLoan", orders())
	paid := line(1, 7_000_00)
	w.fileOf(lendingBank, "b2", "b1", 100_000_00, side{tape.DebitSide, []tape.Line{paid}})
	execute, err := tape.NewExecute(lending, "execute-1", "b2", 0, []tape.Line{paid}, []tape.ExecutedLine{{Index: 0, Holds: []tape.ID{"out-1"}}})
	if err != nil {
		t.Fatal(err)
	}
	w.must("bank", "Tape:Execute", execute)
	w.must("coop", "Loan:BookTranche", loan.BookTranche{Account: orchard, ID: "book-1", Loan: "l1", Tranche: 1})

	// Ten days later all of it comes back, with the interest of ten days: 14.00. It can be drawn again.
	w.Advance(10 * 24 * 3600e9)
	back := gift(7, 7_014_00)
	w.must("bank", "Tape:Receive", page(lending, "repayment-1", back))
	w.fileOf(lendingBank, "b3", "b2", 93_000_00, side{tape.CreditSide, []tape.Line{line(7, 7_014_00)}})
	w.must("bank", "Tape:Settle", tape.Settle{Account: lending, ID: "settle-repayment", Items: []tape.SettleItem{{Source: "repayment-1", Lines: &tape.LinesRef{Statement: "b3"}}}})
	proof, err := tape.NewGiftProof("repayment-1", []tape.Gift{back}, 0)
	if err != nil {
		t.Fatal(err)
	}
	w.must("bank", "Loan:RepayLoan", loan.Repay{Account: orchard, Gift: proof, ID: "repay-1", Loan: "l1"})
	l := w.loanIs(loan.Running)
	if owed, err := l.Owed("2026-01-11"); err != nil || owed.Payoff() != 0 || owed.Over != 0 {
		t.Errorf("repaid it owes %+v; %v", owed, err)
	}
	if own := w.debtsOf(1); len(own.Loans) != 1 {
		t.Errorf("repaid it is a debt no more, though it can be drawn: %+v", own)
	}
	more.Amount = cny(12_000_00)
	w.must("coop", "Loan:DrawLoan", drawn(more, 1))
	taken := more
	taken.ID, taken.Cancel = "undraw-2", true
	w.must("coop", "Loan:DrawLoan", drawn(taken, 1))
	more.ID, more.Tranche, more.Amount = "draw-3", 3, cny(2_000_00)
	w.must("coop", "Loan:DrawLoan", drawn(more, 1))

	// The household ends the line: what it drew and nobody has paid lapses.
	end := loan.WithdrawLoan{Account: orchard, ID: "end-1", Loan: "l1"}
	w.refused("forbidden: farmer-1, who asked for loan l1, signs alone", "charity", "Loan:WithdrawLoan", w.signedBare(end))
	w.must("insurer", "Loan:WithdrawLoan", w.signed("withdraw-loan", orchard, cny(12_000_00), end, seat(1)))
	if l := w.loanIs(loan.Closed); !l.Tranches[2].Cancelled {
		t.Errorf("the draw that nobody paid: %+v", l.Tranches[2])
	}
	if own, other := w.debtsOf(1), w.debtsOf(3); len(own.Loans) != 0 || own.Cycles[0].OnTime != 1 || len(other.Guarantees) != 0 {
		t.Errorf("debts when it is over: %+v %+v", own, other)
	}
}
