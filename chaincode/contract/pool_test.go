package contract_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/replay"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	county     = tape.AccountID("pool:insurer:county")
	countyBank = tape.AccountID("outside:bank:county")
)

var poolStaff = []tape.ID{"insurer-maker", "insurer-checker"}

func countyTerms() pool.Terms {
	return pool.Terms{Agreement: merkle.Hash{1}, AnnualPartsPerMillion: 500_000, ClassMin: "substandard", DaysMin: 90, InterestDays: 90, LoanMax: cny(50_000_00), Nature: pool.Compensation, ResumeBasisPoints: 500, ResumeQuarters: 2,
		Tiers: []pool.Tier{{RatioPartsPerMillion: 800_000, ToBasisPoints: 200}, {Consent: true, RatioPartsPerMillion: 300_000, ToBasisPoints: 800}}}
}

func openCounty() tape.Open {
	c := open(county)
	c.Custodian = countyBank
	return c
}

// funded brings 50,000.00 CNY to the pool.
func (w *world) funded() {
	w.Helper()
	w.must("insurer", "Tape:Receive", page(county, "budget-1", gift(31, 50_000_00)))
	w.fileOf(countyBank, "p1", "", 0, side{tape.CreditSide, []tape.Line{line(31, 50_000_00)}})
	w.must("insurer", "Tape:Settle", tape.Settle{Account: county, ID: "settle-budget", Items: []tape.SettleItem{{Source: "budget-1", Lines: &tape.LinesRef{Statement: "p1"}}}})
}

func freezeQuarter(id tape.ID, quarter tape.Date, figures pool.Figures) pool.Freeze {
	return pool.Freeze{Account: county, Figures: figures, ID: id, Lender: "bank", Quarter: quarter}
}

// covered is a pool of the insurer with a contract of the bank, whose last quarter is frozen.
func (w *world) covered() {
	w.Helper()
	w.must("insurer", "Pool:OpenPoolAccount", w.agreed("open-pool-account", county, openCounty(), poolStaff...))
	w.funded()
	w.must("insurer", "Pool:OpenPool", w.agreed("open-pool", county, pool.OpenPool{Account: county, ID: "pool-1", Terms: countyTerms()}, poolStaff...))
	w.must("bank", "Pool:AcceptPool", w.agreed("accept-pool", county, pool.AcceptTerms{Account: county, ID: "accept-pool-1", Version: 1}, bankStaff...))
	w.must("bank", "Pool:FreezeQuarter", w.agreed("freeze-quarter", county, freezeQuarter("freeze-1", "2025-12-31", pool.Figures{}), "bank-maker", "insurer-maker"))
}

// defaults lets nobody pay the loan until it is in default and its guarantors were called.
// There is no contract of calls here, so the call is written as its rules would write it.
func (w *world) defaults() {
	w.Helper()
	w.Advance(63 * 24 * 3600e9)
	w.declares(1)
	w.writes(recourse.CallKey(orchard, "l1", "call-1"), recourse.Call{V: 1, Scheme: orchard, Loan: "l1", ID: "call-1", Lender: "bank", Cooperative: "coop", Debtor: house(orchard, 1), Amount: cny(1_000_00), Instalments: []int32{1},
		Date: "2026-03-06", CureDays: 30, Guarantors: []recourse.Guarantor{{Household: house(orchard, 2), Until: "2026-05-20"}}, State: recourse.Open, Entry: "bank/call-1"})
	w.writes(recourse.LastCallKey(orchard, "l1"), recourse.LastCall{V: 1, Call: "call-1", Entry: "bank/call-1"})
}

// declares gives the notices about an instalment, and files the default.
func (w *world) declares(instalment int32) {
	w.Helper()
	for _, days := range []int32{1, 15} {
		w.must("bank", "Loan:GiveNotice", w.agreed("give-notice", orchard, loan.GiveNotice{Account: orchard, Days: days, ID: tape.ID(fmt.Sprintf("notice-%d-%d", instalment, days)), Instalment: instalment, Loan: "l1"}, "bank-maker"))
	}
	w.must("bank", "Loan:DefaultLoan", w.agreed("default-loan", orchard, loan.Default{Account: orchard, ID: tape.ID(fmt.Sprint("default-", instalment)), Loan: "l1"}, bankStaff...))
}

// writes puts a record on the ledger that no contract wrote.
func (w *world) writes(key string, value any) {
	w.Helper()
	data, err := canonical.Encode(value)
	if err != nil {
		w.Fatal(err)
	}
	forged := w.Forge(w.identity("bank"), func(set *replay.Set) { set.Writes = append(set.Writes, replay.Write{Key: key, Value: data}) }, "bank", "coop", "insurer")
	if results, err := w.Commit(forged); err != nil || !results[0].Valid() {
		w.Fatalf("%s is not on the ledger: %v", key, err)
	}
}

func submitClaim(id tape.ID) pool.SubmitClaim {
	return pool.SubmitClaim{Account: county, Claim: "claim-1", Evidence: []pool.Citation{{Hash: merkle.Hash{2}, Kind: "demand"}}, ID: id, Loan: "l1", Scheme: orchard}
}

func claimStep(id tape.ID) pool.Step { return pool.Step{Account: county, Claim: "claim-1", ID: id} }

func (w *world) claimIs(state pool.State) pool.Claim {
	w.Helper()
	c := record[pool.Claim](w, pool.ClaimKey(county, "claim-1"))
	if c.State != state {
		w.Errorf("the claim is %s, want %s", c.State, state)
	}
	return c
}

// promised is what approved claims wait for.
func (w *world) promised() int64 {
	w.Helper()
	return record[pool.Promised](w, pool.PromisedKey(county)).Units
}

func (w *world) free(account tape.AccountID) int64 {
	w.Helper()
	return record[tape.Head](w, tape.HeadKey(account)).Free().Total()
}

// claims takes the claim from its submission to the keeper's yes.
func (w *world) claims(suffix tape.ID) pool.Claim {
	w.Helper()
	w.must("bank", "Pool:SubmitPoolClaim", w.agreed("submit-pool-claim", county, submitClaim("submit-"+suffix), bankStaff...))
	w.must("coop", "Pool:VerifyPoolClaim", w.agreed("verify-pool-claim", county, claimStep("verify-"+suffix), "coop-maker"))
	w.must("insurer", "Pool:ReviewPoolClaim", w.agreed("review-pool-claim", county, claimStep("review-"+suffix), "insurer-maker"))
	eligible := cny(w.claimIs(pool.Review).Eligible)
	w.must("insurer", "Pool:ApprovePoolClaim", w.signed("approve-pool-claim", county, eligible, claimStep("approve-"+suffix), poolStaff...))
	return w.claimIs(pool.Approved)
}

// repays brings money of the household to the loan.
func (w *world) recovers(id tape.ID, n int, statement, previous tape.ID, opening, units int64) {
	w.Helper()
	paid := gift(n, units)
	w.must("bank", "Tape:Receive", page(lending, "page-"+id, paid))
	w.fileOf(lendingBank, statement, previous, opening, side{tape.CreditSide, []tape.Line{line(n, units)}})
	w.must("bank", "Tape:Settle", tape.Settle{Account: lending, ID: "settle-" + id, Items: []tape.SettleItem{{Source: string("page-" + id), Lines: &tape.LinesRef{Statement: statement}}}})
	proof, err := tape.NewGiftProof("page-"+id, []tape.Gift{paid}, 0)
	if err != nil {
		w.Fatal(err)
	}
	w.must("bank", "Loan:RepayLoan", loan.Repay{Account: orchard, Gift: proof, ID: id, Loan: "l1"})
}

// TestCompensation takes a lost loan from the pool's contract to the sharing of what the debtor still repays.
func TestCompensation(t *testing.T) {
	w := newWorld(t)
	w.groups()
	w.lends()
	w.covered()
	spend := tape.Spend{Account: county, ID: "spend-1", Payments: []tape.Payment{{Amount: cny(1), Line: "a", To: lending}}}
	w.refused("forbidden: pool:insurer:county is spent by the commands of pool, not by those of tape", "insurer", "Tape:Spend", w.signed("spend", county, cny(1), spend, poolStaff...))
	l := w.borrows()
	if list := record[loan.Lent](w, l.LentKeys()[0]); !slices.Equal(list.Loans, []string{l.Reference()}) {
		t.Errorf("what the bank has lent: %+v", list)
	}
	w.defaults()

	submit := func() string { return w.agreed("submit-pool-claim", county, submitClaim("submit-0"), bankStaff...) }
	w.refused("early: loan l1 is special-mention; the pool compensates from substandard on", "bank", "Pool:SubmitPoolClaim", submit())
	w.Advance(70 * 24 * 3600e9) // to May 14
	w.refused("early: the guarantors of loan l1 have until 2026-05-20 to pay", "bank", "Pool:SubmitPoolClaim", submit())
	w.Advance(8 * 24 * 3600e9)
	quarter := func(figures pool.Figures) string {
		return w.agreed("freeze-quarter", county, freezeQuarter("freeze-2", "2026-03-31", figures), "bank-maker", "insurer-maker")
	}
	w.refused("conflict: field figures: the ledger has 0 of 1200000 non-performing and 0 written off", "insurer", "Pool:FreezeQuarter", quarter(pool.Figures{}))
	w.must("insurer", "Pool:FreezeQuarter", quarter(pool.Figures{Gross: 12_000_00}))
	w.refused("exists: field quarter: 2026-03-31 is frozen", "insurer", "Pool:FreezeQuarter", w.agreed("freeze-quarter", county, freezeQuarter("freeze-3", "2026-03-31", pool.Figures{Gross: 12_000_00}), "bank-maker", "insurer-maker"))

	// Principal of 12,000.00 and 238.68 of interest until day 90: 80 % of it.
	c := w.claims("a")
	if c.Eligible != 12_238_68 || c.Compensation != 9_790_94 || w.promised() != 9_790_94 || w.free(county) != 50_000_00 {
		t.Errorf("the approved claim: %+v, %d promised", c, w.promised())
	}
	// The household pays before the pool does: what the claim is for is no more the loss.
	w.recovers("repay-1", 41, "b3", "b2", 88_000_00, 1_000_00)
	w.refused("conflict: claim claim-1 is for a loss of 1223868, the books now say 1123868; return it", "insurer", "Pool:PayPoolClaim", claimStep("pay-0"))
	back := pool.Decline{Account: county, Claim: "claim-1", ID: "return-1", Reason: "figures"}
	w.must("insurer", "Pool:ReturnPoolClaim", w.agreed("return-pool-claim", county, back, "insurer-maker"))
	if w.claimIs(pool.Returned); w.promised() != 0 || record[pool.Lender](w, pool.LenderKey(county, "bank")).Used != 0 {
		t.Errorf("%d are promised on a returned claim", w.promised())
	}
	c = w.claims("b")
	before := w.free(lending)
	w.Advance(1e9)
	w.must("insurer", "Pool:PayPoolClaim", claimStep("pay-1"))
	w.must("insurer", "Pool:PayPoolClaim", claimStep("pay-1")) // answered again
	inflow := record[tape.Inflow](w, tape.InflowKey(lending, "insurer/pay-1/0"))
	if c.Compensation != 8_990_94 || w.free(county) != 50_000_00-8_990_94 || w.promised() != 0 || w.free(lending) != before || inflow.Account != lending {
		t.Errorf("paid %d, the pool has %d, promised %d", c.Compensation, w.free(county), w.promised())
	}
	owed, err := w.loanIs(loan.Running).Owed("2026-05-22")
	if err != nil || owed.Payoff() < 11_238_68 {
		t.Errorf("the debtor owes all of it as before, not %d (%v)", owed.Payoff(), err)
	}
	w.refused("wrong-state: field claim: claim-1 is paid", "insurer", "Pool:PayPoolClaim", claimStep("pay-2"))
	w.refused("wrong-state: field loan: claim claim-1 of pool:insurer:county for loan l1 is paid", "bank", "Pool:SubmitPoolClaim", func() string {
		again := submitClaim("submit-9")
		again.Claim = "claim-2"
		return w.agreed("submit-pool-claim", county, again, bankStaff...)
	}())

	changed := loan.Restructure{Account: orchard, ID: "change-1", Loan: "l1", TermEnd: "2028-06-30", Terms: seasonal()}
	w.refused("wrong-state: claim claim-1 of bank on pool:insurer:county for loan l1 is paid; its terms are changed when the pool has returned it, or once it is paid when both have closed it", "bank", "Loan:RestructureLoan",
		w.signed("restructure-loan", orchard, l.Principal, changed, "bank-maker", "bank-checker", seat(1), seat(2), seat(3), seat(4)))

	// 1,300.00 come from the debtor: 50.00 of it were the bank's cost, 80 % of the rest are the pool's.
	share := pool.Recover{Account: county, Amount: cny(1_000_00), Claim: "claim-1", Cost: cny(50_00), ID: "share-1", Payment: "bank/repay-1/0"}
	shared := func(persons ...tape.ID) string {
		return w.signed("share-recovery", county, share.Cost, share, persons...)
	}
	w.refused("wrong-state: field payment: came before claim claim-1 was paid", "bank", "Pool:ShareRecovery", shared("bank-maker", "insurer-maker"))
	share.Payment, share.Amount = "bank/repay-2/0", cny(1_300_00)
	w.refused("not-found: field payment: no such payment came on the loan", "bank", "Pool:ShareRecovery", shared("bank-maker", "insurer-maker"))
	w.recovers("repay-2", 42, "b4", "b3", 89_000_00, 1_300_00)
	// Two instalments are paid by it, and the loan is in default with the third: what is shared is what came since the first default.
	w.Advance(15 * 24 * 3600e9)
	w.declares(3)
	w.refused("forbidden: insurer (role gateway) does not sponsor lender:bank:coffee; bank does", "insurer", "Pool:ShareRecovery", shared("bank-maker", "insurer-maker"))
	w.refused("forbidden: field cost: one of the staff of insurer must sign", "bank", "Pool:ShareRecovery", shared(bankStaff...))
	w.refused("forbidden: field cost: one of the staff of bank must sign", "bank", "Pool:ShareRecovery", w.signedBare(share))
	w.must("bank", "Pool:ShareRecovery", shared("bank-maker", "insurer-maker"))
	if c := w.claimIs(pool.Sharing); c.Net != 1_250_00 || c.ToPool != 1_000_00 {
		t.Errorf("shared: %+v", c)
	}
	if entry := record[tape.Entry](w, tape.EntryKey("bank", "share-1")); len(entry.Postings) != 1 || entry.Postings[0].To != county || entry.Postings[0].From != lending || entry.Postings[0].Amount.Units != w.claimIs(pool.Sharing).ToPool {
		t.Errorf("what goes to the pool: %+v", entry.Postings)
	}
	share.ID, share.Cost = "share-2", cny(0)
	w.refused("exists: field payment: was counted for claim claim-1 by entry bank/share-1", "bank", "Pool:ShareRecovery", w.signedBare(share))
	end := pool.CloseClaim{Account: county, Claim: "claim-1", ID: "end-1", Reason: "settled"}
	w.must("bank", "Pool:ClosePoolClaim", w.agreed("close-pool-claim", county, end, "bank-maker", "insurer-maker"))
	w.claimIs(pool.Closed)
	w.suspends()
}

// suspends lets the bank write its only loan off: that does not better its book, and the pool admits no loan of it any more.
func (w *world) suspends() {
	w.Helper()
	w.Advance(29 * 24 * 3600e9) // to July 5
	l := w.loanIs(loan.Running)
	w.must("bank", "Loan:WriteOffLoan", w.signed("write-off-loan", orchard, l.Principal, loan.WriteOff{Account: orchard, ID: "off-1", Loan: "l1"}, bankStaff...))
	off := w.loanIs(loan.Running).WrittenOff.Amount.Units
	l.ID, l.State, l.Book = "l9", loan.Withdrawn, loan.Book{} // a loan of before, which the list is rid of
	w.writes(l.Reference(), l)
	old := l.LentKeys()[0]
	w.writes(old, loan.Lent{V: 1, Loans: []string{l.Reference()}, Entry: l.Entry})
	w.must("bank", "Pool:FreezeQuarter", w.agreed("freeze-quarter", county, freezeQuarter("freeze-4", "2026-06-30", pool.Figures{Gross: off}), "bank-maker", "insurer-maker"))
	w.Advance(90 * 24 * 3600e9) // to October 3
	admit := w.agreed("admit-pool-loan", county, pool.AdmitLoan{Account: county, ID: "admit-1", Lender: "bank", Loan: "l2", Scheme: orchard}, poolStaff...)
	w.must("bank", "Pool:FreezeQuarter", w.agreed("freeze-quarter", county, freezeQuarter("freeze-5", "2026-09-30", pool.Figures{WrittenOff: off}), "bank-maker", "insurer-maker"))
	snapshot := record[pool.Snapshot](w, pool.SnapshotKey(county, "bank", "2026-09-30"))
	if off < 9_000_00 || snapshot.BasisPoints != 10_000 || !snapshot.Suspended {
		w.Errorf("the quarter with %d written off: %+v", off, snapshot)
	}
	if list := record[loan.Lent](w, old); len(list.Loans) != 0 || list.Entry != "bank/freeze-4" {
		w.Errorf("what was lent before: %+v", list)
	}
	w.refused("wrong-state: field lender: bank is suspended; its new loans are not admitted", "insurer", "Pool:AdmitPoolLoan", admit)
}

// whoCarriesPools: every command about a pool by every role of every organisation
// with its own staff's signatures, past the gateway; then by who may.
func whoCarriesPools(t *testing.T) {
	w := newWorld(t)
	w.groups()
	w.lends()
	about := func(function, action string, amount money.Amount, command any, may string, persons ...tape.ID) {
		t.Helper()
		w.onlyForAbout(county, carrying{"Pool:" + function, action, amount, command, may, persons})
	}
	opens := func(c tape.Open, organisation string) string {
		return w.agreed("open-pool-account", c.Account, c, tape.ID(organisation+"-maker"), tape.ID(organisation+"-checker"))
	}
	for _, as := range []string{"charity", "coop", "regulator"} { // a bank and an insurer may keep pools
		w.refused("forbidden: "+as+" (role gateway) may not open accounts of the kind pool", as, "Pool:OpenPoolAccount", opens(openCounty(), as))
	}
	w.everybody("Pool:OpenPoolAccount", []string{"bank", "insurer"}, func(organisation string) any { return opens(openCounty(), organisation) })
	w.refused("forbidden: ", "insurer", "Pool:OpenPoolAccount", w.signedBare(openCounty()))
	elsewhere := openCounty()
	elsewhere.Account = "insurer:insurer:county"
	w.refused("invalid: field account: insurer:insurer:county is not of the kind pool", "insurer", "Pool:OpenPoolAccount", opens(elsewhere, "insurer"))
	w.must("insurer", "Pool:OpenPoolAccount", opens(openCounty(), "insurer"))
	w.funded()
	about("OpenPool", "open-pool", noAmount, pool.OpenPool{Account: county, ID: "pool-1", Terms: countyTerms()}, "insurer")
	other := countyTerms()
	other.DaysMin = 91
	about("AmendPool", "amend-pool", noAmount, pool.AmendPool{Account: county, ID: "amend-1", Terms: other}, "insurer")
	about("AcceptPool", "accept-pool", noAmount, pool.AcceptTerms{Account: county, ID: "accept-pool-1", Version: 2}, "bank")
	w.both("FreezeQuarter", "freeze-quarter", freezeQuarter("freeze-1", "2025-12-31", pool.Figures{}))
	about("AdmitPoolLoan", "admit-pool-loan", noAmount, pool.AdmitLoan{Account: county, ID: "admit-1", Lender: "bank", Loan: "l1", Scheme: orchard}, "insurer")
	w.borrows()
	w.defaults()
	w.Advance(80 * 24 * 3600e9)
	about("SubmitPoolClaim", "submit-pool-claim", noAmount, submitClaim("submit-1"), "bank")
	about("VerifyPoolClaim", "verify-pool-claim", noAmount, claimStep("verify-1"), "coop")
	about("ReviewPoolClaim", "review-pool-claim", noAmount, claimStep("review-1"), "insurer", "insurer-maker")
	eligible := cny(w.claimIs(pool.Review).Eligible)
	about("RejectPoolClaim", "reject-pool-claim", eligible, pool.Decline{Account: county, Claim: "claim-1", ID: "reject-1", Reason: "documents"}, "insurer")
	second := submitClaim("submit-2")
	second.Claim = "claim-2"
	w.must("bank", "Pool:SubmitPoolClaim", w.agreed("submit-pool-claim", county, second, bankStaff...))
	about("ReturnPoolClaim", "return-pool-claim", noAmount, pool.Decline{Account: county, Claim: "claim-2", ID: "return-1", Reason: "documents"}, "coop")
	second.ID = "submit-3"
	w.must("bank", "Pool:SubmitPoolClaim", w.agreed("submit-pool-claim", county, second, bankStaff...))
	step := func(id tape.ID) pool.Step { return pool.Step{Account: county, Claim: "claim-2", ID: id} }
	w.must("coop", "Pool:VerifyPoolClaim", w.agreed("verify-pool-claim", county, step("verify-2"), "coop-maker"))
	w.must("insurer", "Pool:ReviewPoolClaim", w.agreed("review-pool-claim", county, step("review-2"), "insurer-maker"))
	w.refused("forbidden: ", "insurer", "Pool:ApprovePoolClaim", w.signed("approve-pool-claim", county, eligible, step("approve-2"), "insurer-maker"))
	w.refused("field intents[0].signature", "insurer", "Pool:ApprovePoolClaim", w.signed("approve-pool-claim", county, cny(1), step("approve-2"), poolStaff...))
	about("ApprovePoolClaim", "approve-pool-claim", eligible, step("approve-2"), "insurer")
	w.bareOnlyFor("Pool:PayPoolClaim", step("pay-2"), "insurer")
	w.recovers("repay-2", 42, "b3", "b2", 88_000_00, 1_000_00)
	share := pool.Recover{Account: county, Amount: cny(1_000_00), Claim: "claim-2", Cost: cny(0), ID: "share-1", Payment: "bank/repay-2/0"}
	w.everybody("Pool:ShareRecovery", []string{"bank"}, always(w.signedBare(share)))
	w.must("bank", "Pool:ShareRecovery", w.signedBare(share))
	w.both("ClosePoolClaim", "close-pool-claim", pool.CloseClaim{Account: county, Claim: "claim-2", ID: "end-1", Reason: "settled"})
}

// both tries what pool and lender sign together by everybody else, and with one of them alone.
func (w *world) both(function, action string, command any) {
	w.Helper()
	function = "Pool:" + function
	w.everybody(function, []string{"bank", "insurer"}, always(w.agreed(action, county, command, "bank-maker", "insurer-maker")))
	w.refused("forbidden: one of the staff of insurer must sign", "bank", function, w.agreed(action, county, command, bankStaff...))
	w.refused("forbidden: one of the staff of bank must sign", "insurer", function, w.agreed(action, county, command, poolStaff...))
	w.refused("forbidden: ", "bank", function, w.signedBare(command))
	w.must("bank", function, w.agreed(action, county, command, "bank-maker", "insurer-maker"))
}
