package pool_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	fund   = tape.AccountID("pool:county:risk")
	till   = tape.AccountID("lender:bank:loans")
	scheme = tape.AccountID("coop:coop:coffee")
	noon   = tape.Instant(1_788_235_200_000) // 2026-09-01 12:00 in the zone
	today  = tape.Date("2026-09-01")
)

func cny(units int64) money.Amount { return money.New(units, "CNY") }

func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// terms are the proposed table: 80 % to 2 %, 70 % to 3 %, 50 % to 5 %, 30 % to
// 8 % with consent, above that nothing until two quarters at 5 %.
func terms() pool.Terms {
	return pool.Terms{Agreement: merkle.Hash{1}, AnnualPartsPerMillion: 100_000, ClassMin: "substandard", DaysMin: 90, InterestDays: 90, LoanMax: cny(10_000_000), Nature: pool.Compensation,
		ResumeBasisPoints: 500, ResumeQuarters: 2, Tiers: []pool.Tier{{RatioPartsPerMillion: 800_000, ToBasisPoints: 200}, {RatioPartsPerMillion: 700_000, ToBasisPoints: 300},
			{RatioPartsPerMillion: 500_000, ToBasisPoints: 500}, {Consent: true, RatioPartsPerMillion: 300_000, ToBasisPoints: 800}}}
}

func record(n int32) pool.TermsRecord {
	return pool.TermsRecord{V: 1, N: n, Terms: terms(), Entry: "county/open-1"}
}

func county() pool.Pool {
	return pool.Pool{V: 1, Account: fund, Keeper: "county", Currency: "CNY", Version: 1, At: noon, Entry: "county/open-1"}
}

func lender() *pool.Lender {
	return &pool.Lender{V: 1, Account: fund, Lender: "bank", Accepted: []pool.Accepted{{N: 1, From: "2025-01-10", Entry: "bank/accept-1"}}, Quarter: "2026-03-31", At: noon, Entry: "bank/accept-1"}
}

func snapshot(quarter tape.Date, points int32) *pool.Snapshot {
	return &pool.Snapshot{V: 1, Account: fund, Lender: "bank", Quarter: quarter, BasisPoints: points, Entry: "county/freeze-" + string(quarter)}
}

// loan is one of 10,000.00 CNY with 123.45 of interest, of which guarantors have paid 1,000.00.
func loan() pool.Loan {
	return pool.Loan{Scheme: scheme, Loan: "loan-1", Lender: "bank", Account: till, Cooperative: "coop", Currency: "CNY", Contracted: "2025-05-02", Defaulted: "2026-05-31", Class: "substandard", DaysPastDue: 123,
		Principal: 1_000_000, Interest: 12_345, Guaranteed: 100_000, Owed: 1_020_000, Called: "call-1", CuredUntil: "2026-07-31"}
}

func ground() pool.Ground {
	return pool.Ground{Loan: loan(), Lender: lender(), Terms: record(1), AtContract: snapshot("2025-03-31", 100), AtDefault: snapshot("2026-03-31", 250)}
}

func submit() pool.SubmitClaim {
	return pool.SubmitClaim{Account: fund, Claim: "claim-1", Evidence: []pool.Citation{{Hash: merkle.Hash{2}, Kind: "lawsuit"}}, ID: "submit-1", Loan: "loan-1", Scheme: scheme}
}

func claimStep(id tape.ID) pool.Step { return pool.Step{Account: fund, Claim: "claim-1", ID: id} }

// claim is one that has come so far.
func claim(t *testing.T, state pool.State) pool.Claim {
	t.Helper()
	p := county()
	c, _, _, err := p.Submit(submit(), pool.SubmitState{Ground: ground()}, by("bank", "maker", "checker"))
	steps := []struct {
		to   pool.State
		step func() error
	}{
		{pool.Submitted, func() error { return nil }},
		{pool.Verified, func() (err error) {
			c, _, err = c.Verify(claimStep("verify-1"), ground(), by("coop", "clerk"))
			return err
		}},
		{pool.Review, func() (err error) {
			c, _, err = p.TakeUp(claimStep("review-1"), c, by("county", "officer"))
			return err
		}},
		{pool.Approved, func() (err error) {
			c, _, _, err = p.Approve(claimStep("approve-1"), c, ground(), cny(50_000_000), by("county", "officer", "head"))
			return err
		}},
		{pool.Paid, func() (err error) {
			c, _, _, err = p.Pay(claimStep("pay-1"), c, loan(), by("county"))
			return err
		}},
		{pool.Sharing, func() (err error) {
			command, payment := recoverClaim(10_000, 1_000)
			c, _, _, _, err = p.Recover(command, c, came(10_000), payment, by("bank", "maker", "head@county"))
			return err
		}},
		{pool.Closed, func() (err error) {
			c, _, err = p.Close(closeClaim(), c, by("county", "head", "maker@bank"))
			return err
		}},
	}
	for _, s := range steps {
		if err == nil {
			err = s.step()
		}
		if err != nil {
			t.Fatal(err)
		}
		if s.to == state {
			return c
		}
	}
	t.Fatalf("no claim is %s", state)
	return c
}

func recoverClaim(units, cost int64) (pool.Recover, pool.Payment) {
	return pool.Recover{Account: fund, Amount: cny(units), Claim: "claim-1", Cost: cny(cost), ID: "recover-1", Payment: "bank/repay-9/0"},
		pool.Payment{Source: "bank/repay-9/0", Amount: cny(units), At: noon}
}

// came is the loan when so much came in since the claim was paid.
func came(units int64) pool.Loan {
	l := loan()
	l.Recovered = units
	return l
}

func closeClaim() pool.CloseClaim {
	return pool.CloseClaim{Account: fund, Claim: "claim-1", ID: "close-1", Reason: "enforcement-ended"}
}

func decline() pool.Decline {
	return pool.Decline{Account: fund, Claim: "claim-1", ID: "decline-1", Reason: "documents"}
}

// by is a command of an organisation's gateway that persons signed:
// "maker" is of the caller's organisation, "maker@coop" of another.
func by(organisation string, persons ...string) tape.Context {
	ctx := tape.Context{Organisation: organisation, Role: "gateway", At: noon, Date: today, Rules: 1, Command: "c", Subject: pool.Subject}
	if organisation == "bank" {
		ctx.Powers = []string{party.Lender}
	}
	for _, person := range persons {
		name, of, found := strings.Cut(person, "@")
		if !found {
			of = organisation
		}
		ctx.Approvals = append(ctx.Approvals, tape.Approval{Person: tape.ID(name), Organisation: of, Custody: "own", Duty: "staff"})
	}
	return ctx
}

// errNothing says that a random step found nothing to do.
var errNothing = errors.New("nothing to do")

// row is a situation in which a command is refused, for ruletest.Refusals.
type row[S any] struct {
	Change func(*S)
	Want   string
}
