package pool_test

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Every refusal of every command: what is changed in an allowed situation, and
// the answer. Signatures and counts of approvers are judged by package party.

type opening struct {
	C       pool.OpenPool
	Account *tape.Account
	Known   *pool.Pool
	Ctx     tape.Context
}

func TestOpenPool(t *testing.T) {
	ruletest.Refusals(t, func() opening {
		return opening{pool.OpenPool{Account: fund, ID: "open-1", Terms: terms()}, &tape.Account{V: 1, ID: fund, Currency: "CNY", Organisation: "county", Subject: "pool"}, nil, by("county", "officer", "head")}
	}, func(s opening) error { _, _, _, err := s.C.Apply(s.Account, s.Known, s.Ctx); return err }, []row[opening]{
		{func(s *opening) { known := county(); s.Known = &known }, "exists: field account: is a pool already, by entry county/open-1"},
		{func(s *opening) { s.Account = nil }, "not-found: field account: there is no account pool:county:risk"},
		{func(s *opening) { s.Account.ID = till }, "not-found: field account: there is no account"},
		{func(s *opening) { s.Account.Organisation = "bank" }, "forbidden: field account: county (role gateway) keeps no account pool:county:risk that only the rules of pools spend"},
		{func(s *opening) { s.Account.Subject = "" }, "forbidden: field account: county (role gateway) keeps no account"},
		{func(s *opening) { s.Ctx.Role = "admin" }, "forbidden: field account: county (role admin) keeps no account"},
		{func(s *opening) { s.Ctx.Approvals = nil }, "forbidden: one of the staff of county must sign"},
		{func(s *opening) { s.C.Terms.Nature = "guarantee" }, "invalid: field terms.nature: is not compensation: a pool compensates by contract; a state organ may not be a guarantor (Civil Code art. 683)"},
		{func(s *opening) { s.C.Terms.Agreement = merkle.Hash{} }, "invalid: field terms.agreement: is empty"},
		{func(s *opening) { s.C.Terms.AnnualPartsPerMillion = 0 }, "invalid: field terms.annualPartsPerMillion: 0 is not 1 to 1000000"},
		{func(s *opening) { s.C.Terms.ClassMin = "bad" }, "invalid: field terms.classMin: is not one of standard, special-mention, substandard, doubtful, loss"},
		{func(s *opening) { s.C.Terms.DaysMin = -1 }, "invalid: field terms.daysMin: -1 is not 0 to 3650"},
		{func(s *opening) { s.C.Terms.InterestDays = 3651 }, "invalid: field terms.interestDays: 3651 is not 0 to 3650"},
		{func(s *opening) { s.C.Terms.LoanMax = money.New(1, "USD") }, "invalid: field terms.loanMax: 0.01 USD is not in CNY"},
		{func(s *opening) { s.C.Terms.ResumeBasisPoints = 10_001 }, "invalid: field terms.resumeBasisPoints: 10001 is not 0 to 10000"},
		{func(s *opening) { s.C.Terms.ResumeQuarters = 0 }, "invalid: field terms.resumeQuarters: 0 is not 1 to 40"},
		{func(s *opening) { s.C.Terms.Tiers = nil }, "invalid: field terms.tiers: there are 0; 1 to 16"},
		{func(s *opening) { s.C.Terms.Tiers[0].ToBasisPoints = -1 }, "invalid: field terms.tiers[0].toBasisPoints: -1 is not 0 to 10000"},
		{func(s *opening) { s.C.Terms.Tiers[1].ToBasisPoints = 200 }, "invalid: field terms.tiers[1].toBasisPoints: is 200; tiers ascend"},
		{func(s *opening) { s.C.Terms.Tiers[0].RatioPartsPerMillion = 1_000_001 }, "invalid: field terms.tiers[0].ratioPartsPerMillion: 1000001 is not 0 to 1000000"},
		{func(s *opening) { s.C.Terms.Tiers[2].RatioPartsPerMillion = 700_001 }, "invalid: field terms.tiers[2].ratioPartsPerMillion: is 700001; a worse book gets no more"},
	})
}

type amending struct {
	Pool pool.Pool
	C    pool.AmendPool
	Ctx  tape.Context
}

func TestAmendPool(t *testing.T) {
	ruletest.Refusals(t, func() amending {
		return amending{county(), pool.AmendPool{Account: fund, ID: "amend-1", Terms: terms()}, by("county", "officer", "head")}
	}, func(s amending) error { _, _, _, err := s.Pool.Amend(s.C, s.Ctx); return err }, []row[amending]{
		{func(s *amending) { s.C.Account = till }, "not-found: field account: there is no pool lender:bank:loans"},
		{func(s *amending) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not keep pool:county:risk; county does"},
		{func(s *amending) { s.Ctx.Role = "auditor" }, "forbidden: county (role auditor) does not keep"},
		{func(s *amending) { s.Ctx.Approvals = nil }, "forbidden: one of the staff of county must sign"},
		{func(s *amending) { s.Ctx.At-- }, "conflict: the transaction is of 2026-09-01T03:59:59.999Z, before the last change"},
		{func(s *amending) { s.C.Terms.Nature = "" }, "invalid: field terms.nature: is not compensation"},
	})
}

type accepting struct {
	Pool  pool.Pool
	C     pool.AcceptTerms
	Known *pool.Lender
	Ctx   tape.Context
}

func TestAcceptTerms(t *testing.T) {
	ruletest.Refusals(t, func() accepting {
		p := county()
		p.Version = 2
		return accepting{p, pool.AcceptTerms{Account: fund, ID: "accept-2", Version: 2}, lender(), by("bank", "maker", "checker")}
	}, func(s accepting) error { _, _, err := s.Pool.Accept(s.C, s.Known, s.Ctx); return err }, []row[accepting]{
		{func(s *accepting) { s.C.Account = till }, "not-found: field account: there is no pool"},
		{func(s *accepting) { s.Ctx.Powers = nil }, "forbidden: bank (role gateway) holds no power of a lender"},
		{func(s *accepting) { s.Ctx.Role = "admin" }, "forbidden: bank (role admin) holds no power of a lender"},
		{func(s *accepting) { s.Pool.Keeper = "bank" }, "forbidden: bank keeps the pool and does not compensate itself"},
		{func(s *accepting) { s.Ctx.Approvals = nil }, "forbidden: one of the staff of bank must sign"},
		{func(s *accepting) { s.C.Version = 1 }, "conflict: field version: is 1; the pool offers version 2"},
		{func(s *accepting) { s.Pool.Version, s.C.Version = 1, 1 }, "wrong-state: field version: 1 is accepted, by entry bank/accept-1"},
		{func(s *accepting) { s.Ctx.At-- }, "conflict: the transaction is of"},
	})
}

type freezing struct {
	C      pool.Freeze
	Lender *pool.Lender
	Terms  pool.TermsRecord
	Found  pool.Figures
	Known  *pool.Snapshot
	Ctx    tape.Context
}

func TestFreeze(t *testing.T) {
	figures := pool.Figures{Gross: 1000, NonPerforming: 20, WrittenOff: 5}
	ruletest.Refusals(t, func() freezing {
		return freezing{pool.Freeze{Account: fund, Figures: figures, ID: "freeze-1", Lender: "bank", Quarter: "2026-06-30"}, lender(), record(1), figures, nil, by("county", "officer", "maker@bank")}
	}, func(s freezing) error {
		_, _, _, err := county().Freeze(s.C, s.Lender, s.Terms, s.Found, s.Known, s.Ctx)
		return err
	}, []row[freezing]{
		{func(s *freezing) { s.C.Account = till }, "not-found: field account: there is no pool"},
		{func(s *freezing) { s.Lender = nil }, "not-found: field lender: bank has no contract with pool:county:risk"},
		{func(s *freezing) { s.C.Lender = "Nobody" }, "invalid: field lender: is not a name"},
		{func(s *freezing) { s.C.Lender = "coop" }, "not-found: field lender: coop has no contract"},
		{func(s *freezing) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) freezes no figures of bank; bank and county do"},
		{func(s *freezing) { s.Ctx.Approvals = s.Ctx.Approvals[:1] }, "forbidden: one of the staff of bank must sign"},
		{func(s *freezing) { s.Ctx.Approvals = s.Ctx.Approvals[1:] }, "forbidden: one of the staff of county must sign"},
		{func(s *freezing) { s.C.Quarter = "2026-06-31" }, "invalid: field quarter: is not a date"},
		{func(s *freezing) { s.Known = snapshot("2026-06-30", 1) }, "exists: field quarter: 2026-06-30 is frozen, by entry county/freeze-2026-06-30"},
		{func(s *freezing) { s.C.Quarter = "2026-06-29" }, "invalid: field quarter: 2026-06-29 is not the last day of a quarter"},
		{func(s *freezing) { s.C.Quarter = "2026-05-31" }, "invalid: field quarter: 2026-05-31 is not the last day of a quarter"},
		{func(s *freezing) { s.Ctx.Date = "2026-06-30" }, "early: field quarter: 2026-06-30 has not ended"},
		{func(s *freezing) { s.Lender.Quarter = "2025-12-31" }, "conflict: field quarter: is 2026-06-30; that of 2026-03-31 comes next"},
		{func(s *freezing) { s.C.Quarter = "2025-12-31" }, "conflict: field quarter: is 2025-12-31; that of 2026-06-30 comes next"},
		{func(s *freezing) { s.C.Figures.Gross = -1 }, "invalid: field figures.gross: -1 is not 0 to 9007199254740991"},
		{func(s *freezing) { s.C.Figures.WrittenOff = 1 << 53 }, "invalid: field figures.writtenOff: 9007199254740992 is not"},
		{func(s *freezing) { s.C.Figures.Gross, s.C.Figures.WrittenOff = money.Max, 1 }, "invalid: field figures: the total is larger than"},
		{func(s *freezing) { s.C.Figures.NonPerforming = 1001 }, "invalid: field figures.nonPerforming: 1001 is more than 1000, all loans"},
		{func(s *freezing) { s.C.Figures.NonPerforming = 19 }, "conflict: field figures: the ledger has 20 of 1000 non-performing and 5 written off"},
		{func(s *freezing) { s.C.Figures.WrittenOff = 0 }, "conflict: field figures: the ledger has"},
		{func(s *freezing) { s.Terms.N = 2 }, "conflict: the lender accepted version 1 of the terms last, not 2"},
		{func(s *freezing) { s.Ctx.At-- }, "conflict: the transaction is of"},
	})
}

type admitting struct {
	C      pool.AdmitLoan
	Lender *pool.Lender
	Known  *pool.Consent
	Ctx    tape.Context
}

func TestAdmitLoan(t *testing.T) {
	ruletest.Refusals(t, func() admitting {
		return admitting{pool.AdmitLoan{Account: fund, ID: "admit-1", Lender: "bank", Loan: "loan-2", Scheme: scheme}, lender(), nil, by("county", "officer", "head")}
	}, func(s admitting) error { _, _, err := county().Admit(s.C, s.Lender, s.Known, s.Ctx); return err }, []row[admitting]{
		{func(s *admitting) { s.C.Account = till }, "not-found: field account: there is no pool"},
		{func(s *admitting) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not keep pool:county:risk"},
		{func(s *admitting) { s.Lender = nil }, "not-found: field lender: bank has no contract"},
		{func(s *admitting) { s.Ctx.Approvals = nil }, "forbidden: one of the staff of county must sign"},
		{func(s *admitting) { s.C.Loan = "" }, "invalid: field loan: is not an id"},
		{func(s *admitting) { s.C.Scheme = "coop" }, "invalid: field scheme: is not an account"},
		{func(s *admitting) { s.Lender.Suspended = true }, "wrong-state: field lender: bank is suspended; its new loans are not admitted"},
		{func(s *admitting) { s.Known = &pool.Consent{V: 1, Lender: "bank", Entry: "county/admit-0"} }, "exists: field loan: loan-2 was admitted by entry county/admit-0"},
	})
}

type submitting struct {
	C     pool.SubmitClaim
	State pool.SubmitState
	Ctx   tape.Context
}

func TestSubmitClaim(t *testing.T) {
	known := claim(t, pool.Submitted)
	ruletest.Refusals(t, func() submitting {
		return submitting{submit(), pool.SubmitState{Ground: ground()}, by("bank", "maker", "checker")}
	}, func(s submitting) error { _, _, _, err := county().Submit(s.C, s.State, s.Ctx); return err }, []row[submitting]{
		{func(s *submitting) { s.C.Account = till }, "not-found: field account: there is no pool"},
		{func(s *submitting) { s.C.Claim = "" }, "invalid: field claim: is not an id"},
		{func(s *submitting) { s.C.Loan = "a b" }, "invalid: field loan: is not an id"},
		{func(s *submitting) { s.C.Scheme = "" }, "invalid: field scheme: is not an account"},
		{func(s *submitting) { s.C.Evidence = nil }, "invalid: field evidence: holds 0 documents; 1 to 8 show what was done to recover"},
		{func(s *submitting) { s.C.Evidence = make([]pool.Citation, 9) }, "invalid: field evidence: holds 9 documents; 1 to 8"},
		{func(s *submitting) { s.C.Evidence[0].Kind = "letter" }, "invalid: field evidence[0].kind: is not one of demand, visit,"},
		{func(s *submitting) { s.C.Evidence[0].Hash = merkle.Hash{} }, "invalid: field evidence[0].hash: is empty or stands twice"},
		{func(s *submitting) { s.C.Evidence = append(s.C.Evidence, s.C.Evidence[0]) }, "invalid: field evidence[1].hash: is empty or stands twice"},
		{func(s *submitting) { s.C.Loan = "loan-2" }, "not-found: field loan: there is no loan loan-2 of coop:coop:coffee"},
		{func(s *submitting) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not claim for loan loan-1; its lender bank does"},
		{func(s *submitting) { s.Ctx.Approvals = nil }, "forbidden: one of the staff of bank must sign"},
		{func(s *submitting) { s.State.Lender = nil }, "not-found: field lender: bank has no contract"},
		{func(s *submitting) { s.State.Lender.Accepted[0].From = "2025-05-03" }, "forbidden: field loan: loan-1 was contracted on 2025-05-02, before bank had a contract with pool:county:risk"},
		{func(s *submitting) { s.State.Terms.N = 2 }, "conflict: loan loan-1 is under version 1 of the terms, not 2"},
		{func(s *submitting) { s.State.Known = &known }, "exists: field claim: claim-1 is submitted"},
		{func(s *submitting) {
			other := known
			other.Lender, other.State = "fund", pool.Returned
			s.State.Known = &other
		}, "exists: field claim: claim-1 is returned"},
		{func(s *submitting) {
			other := known
			other.Loan = "loan-2"
			other.State = pool.Returned
			s.State.Known = &other
		}, "exists: field claim: claim-1 is returned"},
		{func(s *submitting) { other := known; other.ID = "claim-0"; s.State.Last = &other }, "wrong-state: field loan: claim claim-0 of pool:county:risk for loan loan-1 is submitted"},
		{func(s *submitting) { other := known; other.Account = "pool:province:risk"; s.State.Last = &other }, "wrong-state: field loan: claim claim-1 of pool:province:risk for loan loan-1 is submitted"},
		{func(s *submitting) { other := known; other.State = pool.Returned; other.At++; s.State.Known = &other }, "conflict: the transaction is of"},
		{func(s *submitting) { s.State.Loan.Currency = "USD" }, "conflict: loan loan-1 is of USD, the pool of CNY"},
		{func(s *submitting) { s.State.Loan.Defaulted = "" }, `wrong-state: loan loan-1 was contracted on "2025-05-02" and in default on ""`},
		{func(s *submitting) { s.State.Loan.Guaranteed = -1 }, "conflict: a figure of loan loan-1 is -1 minor units"},
		{func(s *submitting) { s.State.Loan.Owed = 1_012_344 }, "conflict: of loan loan-1 1012344 were owed; principal and interest were 1012345, and 100000 were paid"},
		{func(s *submitting) { s.State.Loan.Recovered = 920_001 }, "conflict: of loan loan-1 1020000 were owed; principal and interest were 1012345, and 1020001 were paid"},
		{func(s *submitting) { s.State.Loan.Principal, s.State.Loan.Interest = money.Max, money.Max }, "invalid: the total is larger than"},
		{func(s *submitting) { s.State.Loan.Class = "special-mention" }, "early: loan loan-1 is special-mention; the pool compensates from substandard on"},
		{func(s *submitting) { s.State.Loan.Class = "" }, "early: loan loan-1 is ; the pool compensates"},
		{func(s *submitting) { s.State.Loan.DaysPastDue = 90 }, "early: loan loan-1 is 90 days past due; the pool compensates after more than 90"},
		{func(s *submitting) { s.State.Loan.Called = "" }, "wrong-state: the guarantors of loan loan-1 were not called"},
		{func(s *submitting) { s.State.Loan.CuredUntil = today }, "early: the guarantors of loan loan-1 have until 2026-09-01 to pay"},
		{func(s *submitting) { s.State.Loan.Recovered = 912_345 }, "wrong-state: the lender has lost nothing on loan loan-1"},
		{func(s *submitting) { s.State.AtContract = nil }, "not-found: the quarter that ended on 2025-03-31 is not frozen, and it counts"},
		{func(s *submitting) { s.State.AtContract = snapshot("2024-12-31", 1) }, "not-found: the quarter that ended on 2025-03-31 is not frozen"},
		{func(s *submitting) { s.State.AtContract.Suspended = true }, "forbidden: the lender was suspended by its quarter of 2025-03-31; the pool covers no loan made then"},
		{func(s *submitting) { s.State.AtContract.BasisPoints = 801 }, "forbidden: the lender was suspended by its quarter of 2025-03-31"},
		{func(s *submitting) { s.State.AtContract.BasisPoints = 501 }, "forbidden: with 501 basis points in the quarter of 2025-03-31 new loans needed the pool's consent, and this has none"},
		{func(s *submitting) {
			s.State.AtContract.BasisPoints, s.State.Consent = 501, &pool.Consent{Lender: "other"}
		}, "forbidden: with 501 basis points"},
		{func(s *submitting) { s.State.AtDefault = nil }, "not-found: the quarter that ended on 2026-03-31 is not frozen, and it counts"},
		{func(s *submitting) { s.State.AtDefault = snapshot("2026-06-30", 1) }, "not-found: the quarter that ended on 2026-03-31 is not frozen"},
		{func(s *submitting) { s.State.AtDefault.BasisPoints = 801 }, "forbidden: by 801 basis points in the quarter of 2026-03-31 the pool pays nothing"},
		{func(s *submitting) { s.State.AtDefault.Suspended = true }, "forbidden: by 250 basis points in the quarter of 2026-03-31 the pool pays nothing"},
	})
}

type moving struct {
	C       pool.Step
	Claim   pool.Claim
	Ground  pool.Ground
	Balance money.Amount
	Ctx     tape.Context
}

func TestVerifyClaim(t *testing.T) {
	ruletest.Refusals(t, func() moving {
		return moving{claimStep("verify-1"), claim(t, pool.Submitted), ground(), money.Amount{}, by("coop", "clerk")}
	}, func(s moving) error { _, _, err := s.Claim.Verify(s.C, s.Ground, s.Ctx); return err }, []row[moving]{
		{func(s *moving) { s.C.Claim = "claim-2" }, "not-found: field claim: there is no claim claim-2 of pool:county:risk"},
		{func(s *moving) { s.C.Account = till }, "not-found: field claim: there is no claim claim-1 of lender:bank:loans"},
		{func(s *moving) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not decide this; coop does"},
		{func(s *moving) { s.Claim = claim(t, pool.Verified) }, "wrong-state: field claim: claim-1 is verified"},
		{func(s *moving) { s.Ctx.Approvals = nil }, "forbidden: one of the staff of coop must sign"},
		{func(s *moving) { s.Ctx.At-- }, "conflict: the transaction is of"},
		{func(s *moving) { s.Ground.Loan.Guaranteed++ }, "conflict: claim claim-1 is for a loss of 912345, the books now say 912344; return it, so that it is submitted anew"},
		{func(s *moving) { s.Ground.Loan.Loan = "loan-2" }, "conflict: claim claim-1 is for a loss of"},
	})
}

func TestReviewClaim(t *testing.T) {
	ruletest.Refusals(t, func() moving {
		return moving{claimStep("review-1"), claim(t, pool.Verified), pool.Ground{}, money.Amount{}, by("county", "officer")}
	}, func(s moving) error { _, _, err := county().TakeUp(s.C, s.Claim, s.Ctx); return err }, []row[moving]{
		{func(s *moving) { s.C.Claim = "claim-2" }, "not-found: field claim: there is no claim"},
		{func(s *moving) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not keep pool:county:risk"},
		{func(s *moving) { s.Claim = claim(t, pool.Submitted) }, "wrong-state: field claim: claim-1 is submitted"},
		{func(s *moving) { s.Ctx = by("county", "officer", "head") }, "forbidden: one of the staff of county takes up a claim; 2 persons signed"},
		{func(s *moving) { s.Ctx.Approvals[0].Organisation = "bank" }, "forbidden: one of the staff of county takes up a claim; officer is staff of bank"},
		{func(s *moving) { s.Ctx.At-- }, "conflict: the transaction is of"},
	})
}

func TestApproveClaim(t *testing.T) {
	ruletest.Refusals(t, func() moving {
		return moving{claimStep("approve-1"), claim(t, pool.Review), ground(), cny(50_000_000), by("county", "officer", "head")}
	}, func(s moving) error {
		_, _, _, err := county().Approve(s.C, s.Claim, s.Ground, s.Balance, s.Ctx)
		return err
	}, []row[moving]{
		{func(s *moving) { s.C.Claim = "claim-2" }, "not-found: field claim: there is no claim"},
		{func(s *moving) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not keep pool:county:risk"},
		{func(s *moving) { s.Claim = claim(t, pool.Verified) }, "wrong-state: field claim: claim-1 is verified"},
		{func(s *moving) { s.Ctx.Approvals = s.Ctx.Approvals[:1] }, "forbidden: one of the staff of county who did not take up claim claim-1 must sign"},
		{func(s *moving) { s.Ctx.Approvals[1].Organisation = "bank" }, "forbidden: one of the staff of county who did not take up claim"},
		{func(s *moving) { s.Ctx.Approvals[1].Duty = "agent" }, "forbidden: one of the staff of county who did not take up claim"},
		{func(s *moving) { s.Ctx.At-- }, "conflict: the transaction is of"},
		{func(s *moving) { s.Ground.Lender = nil }, "not-found: field lender: bank has no contract"},
		{func(s *moving) { s.Ground.Lender.At++ }, "conflict: the transaction is of"},
		{func(s *moving) { s.Ground.Loan.Recovered = 1 }, "conflict: claim claim-1 is for a loss of 912345, the books now say 912344"},
		{func(s *moving) { s.Ground.Loan.Class = "standard" }, "early: loan loan-1 is standard"},
		{func(s *moving) { s.Ground.Terms.N = 2 }, "conflict: claim claim-1 is under version 1 of the terms and the quarter of 2026-03-31"},
		{func(s *moving) { s.Ground.AtDefault = nil }, "conflict: claim claim-1 is under version 1"},
		{func(s *moving) { s.Balance = cny(0) }, "insufficient: the pool has 0.00 CNY, of which bank may get 0.00 CNY this year"},
		{func(s *moving) { s.Balance = money.New(50_000_000, "USD") }, "insufficient: the pool has 500000.00 USD"},
		{func(s *moving) {
			s.Ground.Lender.Year, s.Ground.Lender.Base, s.Ground.Lender.Used = "2026", 50_000_000, 5_000_000
		}, "insufficient: the pool has 500000.00 CNY, of which bank may get 0.00 CNY this year"},
		{func(s *moving) {
			s.Ground.Lender.Year, s.Ground.Lender.Base, s.Ground.Lender.Used = "2026", 50_000_000, 6_000_000
		}, "insufficient: the pool has 500000.00 CNY, of which bank may get 0.00 CNY this year"},
	})
}

type declining struct {
	C      pool.Decline
	Claim  pool.Claim
	Lender *pool.Lender
	Ctx    tape.Context
}

func TestReturnClaim(t *testing.T) {
	ruletest.Refusals(t, func() declining {
		return declining{decline(), claim(t, pool.Approved), lender(), by("county", "officer")}
	}, func(s declining) error { _, _, _, err := county().Return(s.C, s.Claim, s.Lender, s.Ctx); return err }, []row[declining]{
		{func(s *declining) { s.C.Claim = "claim-2" }, "not-found: field claim: there is no claim"},
		{func(s *declining) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not decide this; county does"},
		{func(s *declining) { s.Claim = claim(t, pool.Submitted) }, "forbidden: county (role gateway) does not decide this; coop does"},
		{func(s *declining) { s.Claim = claim(t, pool.Paid) }, "wrong-state: field claim: claim-1 is paid"},
		{func(s *declining) { s.C.Reason = "because" }, "invalid: field reason: is not one of documents, figures,"},
		{func(s *declining) { s.Ctx.Approvals = nil }, "forbidden: one of the staff of county must sign"},
		{func(s *declining) { s.Ctx.At-- }, "conflict: the transaction is of"},
		{func(s *declining) { s.Lender = nil }, "not-found: bank has no contract with pool:county:risk"},
		{func(s *declining) { s.Lender.Lender = "other" }, "not-found: bank has no contract"},
	})
}

func TestRejectClaim(t *testing.T) {
	ruletest.Refusals(t, func() declining {
		return declining{decline(), claim(t, pool.Review), nil, by("county", "officer", "head")}
	}, func(s declining) error { _, _, _, err := county().Reject(s.C, s.Claim, s.Ctx); return err }, []row[declining]{
		{func(s *declining) { s.C.Account = till }, "not-found: field claim: there is no claim"},
		{func(s *declining) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) does not keep"},
		{func(s *declining) { s.Claim = claim(t, pool.Approved) }, "wrong-state: field claim: claim-1 is approved"},
		{func(s *declining) { s.C.Reason = "" }, "invalid: field reason: is not one of"},
		{func(s *declining) { s.Ctx.Approvals = s.Ctx.Approvals[:1] }, "forbidden: one of the staff of county who did not take up claim claim-1 must sign"},
		{func(s *declining) { s.Ctx.At-- }, "conflict: the transaction is of"},
	})
}

type settling struct {
	C     pool.Step
	Claim pool.Claim
	Loan  pool.Loan
	Ctx   tape.Context
}

func TestPayClaim(t *testing.T) {
	ruletest.Refusals(t, func() settling {
		return settling{claimStep("pay-1"), claim(t, pool.Approved), loan(), by("county")}
	}, func(s settling) error {
		c, payment, _, err := county().Pay(s.C, s.Claim, s.Loan, s.Ctx)
		if err == nil && (payment.To != till || payment.Amount != cny(638_641) || c.Before != 100_000) {
			t.Errorf("the payment is %+v, the claim %+v", payment, c)
		}
		return err
	}, []row[settling]{
		{func(s *settling) { s.C.Claim = "claim-2" }, "not-found: field claim: there is no claim"},
		{func(s *settling) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not keep pool:county:risk"},
		{func(s *settling) { s.Claim = claim(t, pool.Review) }, "wrong-state: field claim: claim-1 is review"},
		{func(s *settling) { s.Ctx.At-- }, "conflict: the transaction is of"},
		{func(s *settling) { s.Loan.Currency = "USD" }, "conflict: loan loan-1 is of USD"},
		{func(s *settling) { s.Loan.Guaranteed++ }, "conflict: claim claim-1 is for a loss of 912345, the books now say 912344; return it"},
	})
}

// TestPromised: what approved claims wait for is nobody else's, until they are paid or given back.
func TestPromised(t *testing.T) {
	review, approved, paid := claim(t, pool.Review), claim(t, pool.Approved), claim(t, pool.Paid)
	returned, _, _, err := county().Return(decline(), approved, lender(), by("county", "officer"))
	if err != nil {
		t.Fatal(err)
	}
	var none *pool.Promised
	one := none.After(review, approved)
	two := one.After(review, approved)
	for _, c := range []struct {
		promised pool.Promised
		want     int64
	}{{one, 638_641}, {two, 2 * 638_641}, {two.After(approved, paid), 638_641}, {two.After(approved, returned), 638_641}, {one.After(approved, approved), 638_641}, {none.After(paid, claim(t, pool.Sharing)), 0}} {
		if c.promised.Units != c.want || c.promised.Left(cny(1_000_000)) != cny(max(0, 1_000_000-c.want)) {
			t.Errorf("%+v are promised, want %d", c.promised, c.want)
		}
	}
	if none.Left(cny(5)) != cny(5) {
		t.Error("nothing was promised, and something is missing")
	}
}

type sharing struct {
	C       pool.Recover
	Claim   pool.Claim
	Loan    pool.Loan
	Payment pool.Payment
	Ctx     tape.Context
}

func TestRecover(t *testing.T) {
	ruletest.Refusals(t, func() sharing {
		command, payment := recoverClaim(921_000, 1_000)
		return sharing{command, claim(t, pool.Paid), came(920_000), payment, by("bank", "maker", "head@county")}
	}, func(s sharing) error {
		_, _, _, _, err := county().Recover(s.C, s.Claim, s.Loan, s.Payment, s.Ctx)
		return err
	}, []row[sharing]{
		{func(s *sharing) { s.C.Claim = "claim-2" }, "not-found: field claim: there is no claim"},
		{func(s *sharing) { s.Ctx.Organisation = "coop" }, "forbidden: coop (role gateway) shares no recovery of claim claim-1; bank and county do"},
		{func(s *sharing) { s.Claim = claim(t, pool.Approved) }, "wrong-state: field claim: claim-1 is approved"},
		{func(s *sharing) { s.Claim = claim(t, pool.Closed) }, "wrong-state: field claim: claim-1 is closed"},
		{func(s *sharing) { s.Ctx.At-- }, "conflict: the transaction is of"},
		{func(s *sharing) { s.Loan.Owed = 1 }, "conflict: of loan loan-1 1 were owed"},
		{func(s *sharing) { s.C.Payment = "" }, "invalid: field payment: is not a posting"},
		{func(s *sharing) { s.Payment.Counted = &pool.Counted{Claim: "claim-1", Entry: "bank/recover-0"} }, "exists: field payment: was counted for claim claim-1"},
		{func(s *sharing) { s.C.Amount = cny(0) }, "invalid: field amount: 0.00 CNY is not more than zero"},
		{func(s *sharing) { s.C.Amount = cny(921_001) }, "conflict: field amount: is 9210.01 CNY; the payment was of 9210.00 CNY"},
		{func(s *sharing) { s.C.Cost = cny(-1) }, "invalid: field cost: -0.01 CNY is not 0 to 9200.00 CNY"},
		{func(s *sharing) { s.C.Cost = cny(920_001) }, "invalid: field cost: 9200.01 CNY is not 0 to 9200.00 CNY"},
		{func(s *sharing) { s.C.Cost = money.New(0, "USD") }, "invalid: field cost: 0.00 USD is not 0 to"},
		{func(s *sharing) { s.Ctx.Approvals = s.Ctx.Approvals[:1] }, "forbidden: field cost: one of the staff of county must sign"},
		{func(s *sharing) { s.Ctx.Approvals = s.Ctx.Approvals[1:] }, "forbidden: field cost: one of the staff of bank must sign"},
		{func(s *sharing) { s.Ctx.Approvals[1].Custody = "agent-held" }, "forbidden: field cost: one of the staff of county must sign"},
		{func(s *sharing) { s.Payment.Source = "" }, "not-found: field payment: no such payment came on the loan"},
		{func(s *sharing) { s.Payment.At-- }, "wrong-state: field payment: came before claim claim-1 was paid"},
		{func(s *sharing) { s.Claim.Net, s.Claim.Cost = 900_000, 20_000 }, "insufficient: field amount: 9200.00 CNY came on the loan since claim claim-1 was paid, and 9200.00 CNY of it is shared"},
		{func(s *sharing) { s.Loan.Recovered, s.Loan.Guaranteed = 0, 0 }, "insufficient: field amount: 0.00 CNY came on the loan"},
	})
}

type ending struct {
	C     pool.CloseClaim
	Claim pool.Claim
	Ctx   tape.Context
}

func TestCloseClaim(t *testing.T) {
	ruletest.Refusals(t, func() ending {
		return ending{closeClaim(), claim(t, pool.Sharing), by("bank", "maker", "head@county")}
	}, func(s ending) error { _, _, err := county().Close(s.C, s.Claim, s.Ctx); return err }, []row[ending]{
		{func(s *ending) { s.C.Claim = "claim-2" }, "not-found: field claim: there is no claim"},
		{func(s *ending) { s.Ctx.Role = "admin" }, "forbidden: bank (role admin) shares no recovery"},
		{func(s *ending) { s.Claim = claim(t, pool.Closed) }, "wrong-state: field claim: claim-1 is closed"},
		{func(s *ending) { s.C.Reason = "tired" }, "invalid: field reason: is not one of enforcement-ended, settled, time-barred"},
		{func(s *ending) { s.Ctx.Approvals = s.Ctx.Approvals[:1] }, "forbidden: one of the staff of county must sign"},
		{func(s *ending) { s.Ctx.Approvals = s.Ctx.Approvals[1:] }, "forbidden: one of the staff of bank must sign"},
		{func(s *ending) { s.Ctx.At-- }, "conflict: the transaction is of"},
	})
}
