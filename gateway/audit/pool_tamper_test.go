package audit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	county     tape.AccountID = "pool:insurer:county"
	countyBank tape.AccountID = "outside:bank:county"
)

// compensated is a loan that nobody repays: its guarantors are called, the pool
// pays a part of the loss, and gets its part of what the debtor pays later.
func (v *village) compensated() {
	v.t.Helper()
	v.grouped()
	v.person("keeper", "bank", "regulator", "own", "staff")
	keepers := []tape.ID{"pool-maker", "pool-checker"}
	for _, name := range keepers {
		v.person(name, "insurer", "regulator", "own", "staff")
	}
	both := []tape.ID{"bank-maker", "pool-maker"}
	pooled := func(as, function, action string, units int64, command any, persons ...tape.ID) {
		v.t.Helper()
		v.by(as, "Pool:"+function, v.signedBy(action, county, units, command, persons...))
	}
	pooled("insurer", "OpenPoolAccount", "open-pool-account", noAmount, tape.Open{Account: county, Attribution: tape.FIFO, Currency: "CNY", Custodian: countyBank, ID: "open-county"}, keepers...)
	v.comes("insurer", county, countyBank, "budget", "", 0, 50_000_00)
	pooled("insurer", "OpenPool", "open-pool", noAmount, pool.OpenPool{Account: county, ID: "pool", Terms: pool.Terms{Agreement: merkle.Hash{1}, AnnualPartsPerMillion: 500_000, ClassMin: "substandard", DaysMin: 90, InterestDays: 90,
		LoanMax: cny(50_000_00), Nature: pool.Compensation, ResumeBasisPoints: 500, ResumeQuarters: 2, Tiers: []pool.Tier{{RatioPartsPerMillion: 800_000, ToBasisPoints: 200}}}}, keepers...)
	pooled("bank", "AcceptPool", "accept-pool", noAmount, pool.AcceptTerms{Account: county, ID: "accept-pool", Version: 1}, bankStaff...)
	quarter := func(id tape.ID, at tape.Date, gross int64) {
		v.t.Helper()
		pooled("insurer", "FreezeQuarter", "freeze-quarter", noAmount, pool.Freeze{Account: county, Figures: pool.Figures{Gross: gross}, ID: id, Lender: "bank", Quarter: at}, both...)
	}
	contracted := v.today()
	quarter("freeze-1", pool.QuarterBefore(contracted), 0)
	v.lending()
	v.Advance(75 * 24 * time.Hour)
	for _, days := range []int32{1, 15} {
		v.lends("bank", "GiveNotice", "give-notice", noAmount, loan.GiveNotice{Account: coffee, Days: days, ID: tape.ID(fmt.Sprint("notice-", days)), Instalment: 1, Loan: "l1"}, "bank-maker")
	}
	v.lends("bank", "DefaultLoan", "default-loan", noAmount, loan.Default{Account: coffee, ID: "default", Loan: "l1"}, bankStaff...)
	defaulted := v.today()
	call := recourse.MakeCall{Account: coffee, Amount: cny(1_500_00), ID: "call", Instalments: []int32{1, 2}, Loan: "l1"}
	for n := 2; n <= 4; n++ {
		call.Guarantors = append(call.Guarantors, houseOf(n))
	}
	v.by("bank", "Recourse:MakeCall", v.signedBy("make-call", coffee, call.Amount.Units, call, bankStaff...))
	v.Advance(60 * 24 * time.Hour)
	if at := pool.QuarterBefore(defaulted); at != pool.QuarterBefore(contracted) {
		quarter("freeze-2", at, 12_000_00)
	}
	pooled("bank", "SubmitPoolClaim", "submit-pool-claim", noAmount, pool.SubmitClaim{Account: county, Claim: "claim", Evidence: []pool.Citation{{Hash: merkle.Hash{2}, Kind: "demand"}}, ID: "submit", Loan: "l1", Scheme: coffee}, bankStaff...)
	step := func(id tape.ID) pool.Step { return pool.Step{Account: county, Claim: "claim", ID: id} }
	pooled("coop", "VerifyPoolClaim", "verify-pool-claim", noAmount, step("verify"), "coop-maker")
	pooled("insurer", "ReviewPoolClaim", "review-pool-claim", noAmount, step("review"), "pool-maker")
	pooled("insurer", "ApprovePoolClaim", "approve-pool-claim", 12_238_68, step("approve"), keepers...)
	v.by("insurer", "Pool:PayPoolClaim", step("pay-claim"))
	gift, _ := v.comes("bank", lending, lendingBank, "back", "paid", 88_000_00, 1_300_00)
	proof, err := tape.NewGiftProof("back-page", []tape.Gift{gift}, 0)
	must(v.t, proof, err)
	v.by("bank", "Loan:RepayLoan", loan.Repay{Account: coffee, Gift: proof, ID: "repay", Loan: "l1"})
	pooled("bank", "ShareRecovery", "share-recovery", 50_00, pool.Recover{Account: county, Amount: cny(1_300_00), Claim: "claim", Cost: cny(50_00), ID: "share-claim", Payment: "bank/repay/0"}, both...)
}

// soldBehind lets household 2 pay what it is asked for, and a sale pay lender, guarantor and pool.
func (v *village) soldBehind(previous tape.ID, opening int64) {
	v.t.Helper()
	gift, _ := v.comes("bank", lending, lendingBank, "help", previous, opening, 66_66)
	proof, err := tape.NewGiftProof("help-page", []tape.Gift{gift}, 0)
	must(v.t, proof, err)
	v.by("bank", "Loan:RepayLoan", loan.Repay{Account: coffee, By: houseOf(2), Gift: proof, ID: "helps", Loan: "l1"})
	v.sold()
}

// TestPoolTampering changes one thing of an honest claim. The last column is what
// the books say about it first, without the contracts.
func TestPoolTampering(t *testing.T) {
	v := newVillage(t)
	v.compensated()
	v.months(t)
	v.soldBehind("late", 89_307_00)
	if report := booked(t, v.chain()); len(report.Findings) > 0 {
		t.Fatalf("an honest chain: %v", report.Findings)
	}
	if report := run(t, v, v.chain(), v.honest); len(report.Findings) > 0 {
		t.Fatalf("an honest chain, replayed: %v", report.Findings)
	}
	pay, share, february := place{"Pool:PayPoolClaim", "pay-claim"}, place{"Pool:ShareRecovery", "share-claim"}, place{"Books:CloseMonth", "close-2026-02"}
	sale := place{"Settlement:SettleHouseholds", "share-1"}
	const claim = "poolclaim/pool:insurer:county/claim, "
	for _, test := range []struct {
		name   string
		where  place
		change func(*parts)
		prints string
	}{
		{"more than the ratio", pay, inRecords(`"compensation":"979094"`, `"compensation":"979095"`), claim + "the compensation is no more than its ratio of the loss; expected 979094, found 979095"},
		{"less is paid than was approved", pay, inEntry("9790.94 CNY", "9790.93 CNY"), claim + "what the pool pays is the compensation; expected 979094, found 979093"},
		{"the compensation goes elsewhere", pay, inEntry(string(lending), "lender:bank:tea"), "inflow/lender:bank:tea/insurer/pay-claim/0, the inflow of a posting; expected 9790.94 CNY, found 0"},
		{"the pool gets a unit less", share, inRecords(`"toPool":"100000"`, `"toPool":"99999"`), claim + "the pool's part of all that was shared; expected 100000, found 99999"},
		{"and less is posted", share, inEntry("1000.00 CNY", "999.99 CNY"), claim + "what the lender pays is the pool's part; expected 100000, found 99999"},
		{"more is shared than came", share, inRecords(`"net":"125000"`, `"net":"125001"`), claim + "what is shared is no more than the payment without its cost; expected 125000, found 125001"},
		{"another trial balance", february, everywhere(v.sheet("2026-02"), strings.Repeat("ab", 32)), "month/bank/2026-02, the month that was closed; expected {"},
		{"an entry less", february, everywhere(`"entries":"1"`, `"entries":"0"`), "month/bank/2026-02, the month that was closed; expected {"},
		{"the late entry is hidden", february, everywhere(`"late":"1"`, `"late":"0"`), "month/bank/2026-02, the month that was closed; expected {"},
		{"a month is closed a unit too high", february, everywhere(`"debit":"700"`, `"debit":"701"`), "month/bank/2026-02, the month that was closed; expected {"},
		{"the month before is exchanged", february, inRecords(`"previous":"`, `"previous":"ab`), "month/bank/2026-02, the month that was closed"},
		{"the books had read less", february, everywhere(`"entry":"bank/late-settled"`, `"entry":"bank/nowhere"`), "month/bank/2026-02, until where the books had read; expected an entry before this one, found bank/nowhere"},
		{"in another block", february, everywhere(`"through":{"block":`, `"through":{"block":1`), "month/bank/2026-02, the block until which the books had read; expected "},
		{"one person closes a month", february, inEntry(`"person":"bank-checker"`, `"person":"bank-maker"`), "month/bank/2026-02, how many different persons of the staff decided; expected 2 or more, found 1"},
		{"a month is passed over", february, everywhere("2026-02", "2026-03"), "month/bank/2026-03, months close in order; expected 2026-02, found 2026-03"},
		{"a recovery of another kind", share, inEntry(`"kind":"share-recovery"`, `"kind":"refund"`), "entry/bank/share-claim, the kind of the entry; expected share-recovery, found refund"},
		{"the pool waits for a unit less of a sale", sale, inRecord("poolclaim/", `"waits":"18748"`, `"waits":"18747"`), claim + "what the pool has, and what it waits for, is its part; expected 248437, found 248436"},
		{"what the pool got of a sale is a unit less", sale, both(inRecord("poolclaim/", `"waits":"18748"`, `"waits":"18749"`), inRecord("poolclaim/", `"toPool":"229689"`, `"toPool":"229688"`)),
			"dividend/coop:coop:coffee/sale, what a sale pays for " + nameOf(1) + " to lender:bank:coffee is what loans, calls and claims were paid; expected 160313, found 160312"},
		{"a sale recovers more than it pays", sale, inRecord("poolclaim/", `"net":"310547"`, `"net":"510547"`), claim + "what a sale recovers is no more than it pays on the loan; expected 290001, found 385547"},
		{"a guarantor has less back than it got", sale, inRecord("call/", `"returned":"6666"`, `"returned":"6665"`), "dividend/coop:coop:coffee/sale, what a sale pays for guarantors to " + nameOf(2) + " is what loans, calls and claims were paid; expected 6665, found 6666"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			blocks := v.chain()
			rewrite(blocks[test.where.in(blocks)], 0, test.change)
			finds(t, booked(t, blocks), "\n"+test.prints)
		})
	}
	if !strings.HasPrefix(claim, pool.ClaimKey(county, "claim")) {
		t.Error("the claim stands elsewhere")
	}
}
