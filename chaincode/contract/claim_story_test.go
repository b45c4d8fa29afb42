package contract_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/assessment"
	"github.com/lianbao/lianbao/chaincode/credit"
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestAClaimBehindACall goes the whole way of a loan that nobody repays: notices,
// default, a call of which guarantors pay a part, the pool's compensation for the
// rest, recoveries that the two share until all is paid, and at last what the
// borrower pays back to its guarantors. Every signature is real, and no record is forged.
func TestAClaimBehindACall(t *testing.T) {
	payments := []int64{500_00, 300_00, 200_00, 1_000_00, 15_000_00}
	w := newWorld(t)
	w.groups()
	w.lends()
	w.covered()
	w.borrows()
	w.come(payments)
	w.Advance(73 * day) // 2026-03-15: two instalments are overdue
	w.notified()
	w.must("bank", "Loan:DefaultLoan", w.agreed("default-loan", orchard, loan.Default{Account: orchard, ID: "default-1", Loan: "l1"}, bankStaff...))
	submit := func(id tape.ID) string { return w.agreed("submit-pool-claim", county, submitClaim(id), bankStaff...) }
	w.Advance(day)
	w.must("bank", "Recourse:MakeCall", w.calls(makeCall("call-1")))
	w.must("bank", "Loan:RepayLoan", w.repays(payments, 0, 2)) // all that household 2 is asked, in time
	w.must("bank", "Loan:RepayLoan", w.repays(payments, 1, 3)) // a part
	w.callIs("call-1", recourse.Open, 0, 200_00, 500_00)
	w.refused("early: loan l1 is special-mention; the pool compensates from substandard on", "bank", "Pool:SubmitPoolClaim", submit("submit-0"))

	w.Advance(60 * day) // 2026-05-15: substandard, and nobody has time left
	figures, err := loan.Figures("bank", "CNY", []loan.Loan{w.loanIs(loan.Running)}, "2026-03-31")
	if err != nil || figures.NonPerforming != 0 {
		t.Fatalf("%+v %v", figures, err)
	}
	w.must("insurer", "Pool:FreezeQuarter", w.agreed("freeze-quarter", county, freezeQuarter("freeze-2", "2026-03-31", figures), "bank-maker", "insurer-maker"))
	c := w.claims("a")
	lost, err := w.loanIs(loan.Running).Lost("bank", record[group.Scheme](w, group.SchemeKey(orchard)), 90, nil, "2026-05-15")
	if err != nil || lost.Principal != 12_000_00 || lost.Guaranteed != 800_00 || lost.Recovered != 0 || c.Eligible != lost.Principal+lost.Interest-800_00 || c.Compensation != c.Eligible*8/10 {
		t.Errorf("a loss of %+v is claimed as %+v: %v", lost, c, err)
	}
	w.Advance(1e9)
	w.must("insurer", "Pool:PayPoolClaim", claimStep("pay-1"))

	// A guarantor pays late, then the debtor all that is left and more.
	share := func(i int, taken int64, state pool.State) {
		t.Helper()
		before, pooled := w.claimIs(c.State), w.free(county)
		c := pool.Recover{Account: county, Amount: cny(payments[i]), Claim: "claim-1", Cost: cny(0), ID: tape.ID(fmt.Sprint("share-", i)), Payment: fmt.Sprintf("bank/repay-%d/0", i)}
		w.must("bank", "Pool:ShareRecovery", w.signedBare(c))
		after := w.claimIs(state)
		if after.Net-before.Net != taken {
			t.Errorf("of %s were shared %d, want %d", c.Amount, after.Net-before.Net, taken)
		}
		settled := record[tape.Entry](w, tape.EntryKey("bank", c.ID)).Postings
		if len(settled) != 1 || settled[0].From != lending || settled[0].To != county || settled[0].Amount.Units != after.ToPool-before.ToPool || w.free(county) != pooled {
			t.Errorf("what goes to the pool: %+v", settled)
		}
	}
	w.must("bank", "Loan:RepayLoan", w.repays(payments, 2, 4))
	c.State = pool.Paid
	share(2, 200_00, pool.Sharing)
	c.State = pool.Sharing
	w.must("bank", "Loan:RepayLoan", w.repays(payments, 3, 0))
	share(3, 1_000_00, pool.Sharing)
	owed, err := w.loanIs(loan.Running).Owed("2026-05-15")
	if err != nil {
		t.Fatal(err)
	}
	w.must("bank", "Loan:RepayLoan", w.repays(payments, 4, 0))
	w.loanIs(loan.Closed)
	share(4, owed.Payoff(), pool.Closed)
	if end := w.claimIs(pool.Closed); end.Reason != "recovered" || end.ToPool != end.Compensation || end.Net != 1_200_00+owed.Payoff() {
		t.Errorf("the pool has back what it paid, and the claim is over: %+v", end)
	}
	w.repaidAll()
	w.scoredFor(2, 6)
	w.scoredFor(3, 0)
}

// TestASaleBehindAClaim: of what a household owes on a loan that a pool has compensated,
// a sale pays the lender's own part first, then what falls due, then those who paid for
// the household, then the pool (lending rules 4.4). What the pool does not get of its
// part then it gets of what comes later, and the claim is not over before.
func TestASaleBehindAClaim(t *testing.T) {
	payments := []int64{500_00, 300_00, 200_00, 9_288_40}
	w := newWorld(t)
	w.groups()
	w.lends()
	w.covered()
	w.borrows()
	w.sells()
	w.come(payments)
	w.Advance(74 * day) // 2026-03-16
	w.notified()
	w.must("bank", "Loan:DefaultLoan", w.agreed("default-loan", orchard, loan.Default{Account: orchard, ID: "default-1", Loan: "l1"}, bankStaff...))
	w.must("bank", "Recourse:MakeCall", w.calls(makeCall("call-1")))
	for i := range 3 {
		w.must("bank", "Loan:RepayLoan", w.repays(payments, i, i+2))
	}
	w.Advance(60 * day) // 2026-05-15
	w.must("insurer", "Pool:FreezeQuarter", w.agreed("freeze-quarter", county, freezeQuarter("freeze-2", "2026-03-31", pool.Figures{Gross: 11_061_15}), "bank-maker", "insurer-maker"))
	w.claims("a")
	w.Advance(1e9)
	w.must("insurer", "Pool:PayPoolClaim", claimStep("pay-0"))
	before := w.claimIs(pool.Paid)
	owed, err := w.loanIs(loan.Running).Owed("2026-05-15")
	if err != nil {
		t.Fatal(err)
	}

	w.shares()
	after := w.claimIs(pool.Sharing)
	due := owed.Due()
	toPool := due * before.Compensation / before.Eligible // no unit is left over
	paid := map[tape.AccountID]int64{}
	for _, posting := range record[tape.Entry](w, tape.EntryKey("coop", "pay-1-1")).Postings {
		paid[posting.To] += posting.Amount.Units
	}
	sale, own, window, called := int64(2_966_67), due-toPool, int64(1_039_53), int64(1_000_00)
	if paid[lending] != own+window || paid[county] != sale-own-window-called || paid[county] < 1_00 {
		t.Errorf("of %d the lender has %d, the pool %d; %d were due, %d of it the pool's", sale, paid[lending], paid[county], due, toPool)
	}
	if call := w.callIs("call-1", recourse.Closed); call.Borne() != 0 {
		t.Errorf("the guarantors are without %d still", call.Borne())
	}
	if after.Net != own+paid[county] || after.ToPool != paid[county] || after.Waits != after.Net*before.Compensation/before.Eligible-after.ToPool || after.Waits <= 0 {
		t.Errorf("the claim: %+v", after)
	}
	counted := pool.Recover{Account: county, Amount: cny(own), Claim: "claim-1", Cost: cny(0), ID: "share-0", Payment: "coop/pay-1-1/0"}
	w.refused("exists: field payment: was counted for claim claim-1 by entry coop/pay-1-1", "bank", "Pool:ShareRecovery", w.signedBare(counted))

	// The household pays all that is left: the pool has what it waited for, and with its part of the instalment that the sale paid ahead the claim is over.
	owed, err = w.loanIs(loan.Running).Owed("2026-05-15")
	if err != nil {
		t.Fatal(err)
	}
	w.must("bank", "Loan:RepayLoan", w.repays(payments, 3, 0))
	w.loanIs(loan.Closed)
	w.must("bank", "Pool:ShareRecovery", w.signedBare(pool.Recover{Account: county, Amount: cny(payments[3]), Claim: "claim-1", Cost: cny(0), ID: "share-1", Payment: "bank/repay-3/0"}))
	if rest := w.claimIs(pool.Sharing); rest.Net != after.Net+payments[3] || owed.Payoff() != payments[3] || rest.Waits != 0 {
		t.Errorf("the pool waits still: %+v", rest)
	}
	n := 0
	for _, p := range w.loanIs(loan.Closed).Book.Payments {
		if p.Entry == "coop/pay-1-1" {
			n++
		}
	}
	w.must("bank", "Pool:ShareRecovery", w.signedBare(pool.Recover{Account: county, Amount: cny(window), Claim: "claim-1", Cost: cny(0), ID: "share-2", Payment: fmt.Sprintf("coop/pay-1-1/%d", n-1)}))
	if end := w.claimIs(pool.Closed); end.Reason != "recovered" || end.ToPool != end.Compensation {
		t.Errorf("the claim is over: %+v", end)
	}
}

// repaidAll: the borrower pays the guarantors back in cash, by 5 : 3 : 2 and to the unit.
func (w *world) repaidAll() {
	w.Helper()
	back := func(id tape.ID, units ...int64) string {
		c := recourse.Reimburse{Account: orchard, Amount: cny(units[0] + units[1] + units[2]), Call: "call-1", ID: id, Loan: "l1"}
		for i, n := range units {
			c.Parts = append(c.Parts, recourse.Handed{Amount: cny(n), To: house(orchard, i+2)})
		}
		slices.SortFunc(c.Parts, func(a, b recourse.Handed) int { return strings.Compare(string(a.To), string(b.To)) }) // as the call has them
		return w.signed("reimburse-call", orchard, c.Amount, c, seat(2), seat(3), seat(4))
	}
	w.callIs("call-1", recourse.Met)
	w.refused("conflict: field parts: of 100.01 CNY go 20.00 CNY to "+string(house(orchard, 4))+", 50.01 CNY to "+string(house(orchard, 2)), "coop", "Recourse:ReimburseCall", back("back-1", 50_00, 30_00, 20_01))
	w.must("coop", "Recourse:ReimburseCall", back("back-1", 50_01, 30_00, 20_00))
	w.refused("insufficient: field amount: is 900.00 CNY; the guarantors are without 899.99 CNY", "coop", "Recourse:ReimburseCall", back("back-2", 450_00, 270_00, 180_00))
	w.must("coop", "Recourse:ReimburseCall", back("back-2", 449_99, 270_00, 180_00))
	if call := w.callIs("call-1", recourse.Closed); call.Borne() != 0 {
		w.Errorf("the guarantors are without %d", call.Borne())
	}
	for n := 1; n <= 4; n++ {
		if debts := w.debtsOf(n); len(debts.Calls) != 0 {
			w.Errorf("household %d is concerned by %v", n, debts.Calls)
		}
	}
}

// scoredFor assesses household n with the bank: what it gets for a call that it has paid in time.
func (w *world) scoredFor(n int, points int32) {
	w.Helper()
	w.allows(n, "repayment")
	c := assessment.Assess{Account: orchard, Household: house(orchard, n), ID: tape.ID(fmt.Sprint("assess-", n)), IncomeMax: cny(60_000_00)}
	w.must("bank", "Credit:Assess", w.agreed("assess", orchard, c, bankStaff...))
	standing := record[assessment.Standing](w, assessment.Key(orchard, c.Household, "bank"))
	for _, outcome := range standing.Score.Indicators {
		if outcome.Indicator == credit.CallPaid && (outcome.Points != points || points > 0 && outcome.Sources[0] != "entry/bank/call-1") {
			w.Errorf("household %d: %+v, want %d points", n, outcome, points)
		}
	}
}
