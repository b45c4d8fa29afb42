package pool_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestRatio: write-offs of the last twelve months are added to both sides.
func TestRatio(t *testing.T) {
	for _, c := range []struct {
		gross, nonPerforming, writtenOff int64
		want                             int32
	}{
		{0, 0, 0, 0},
		{1_000_000, 0, 0, 0},
		{1_000_000, 20_000, 0, 200},
		{1_000_000, 20_099, 0, 200},
		{1_000_000, 20_100, 0, 201},
		{1_000_000, 10_000, 10_204, 199}, // 20,204 of 1,010,204 are 199.99…
		{1_000_000, 0, 50_000, 476},      // 50,000 of 1,050,000
		{0, 0, 1, 10_000},
		{money.Max, money.Max, money.Max, 10_000},
		{money.Max, money.Max / 2, 0, 4_999},
		{1, 1, money.Max, 10_000},
	} {
		if got := (pool.Figures{Gross: c.gross, NonPerforming: c.nonPerforming, WrittenOff: c.writtenOff}).Ratio(); got != c.want {
			t.Errorf("%d of %d and %d written off: %d, not %d", c.nonPerforming, c.gross, c.writtenOff, got, c.want)
		}
	}
}

// TestTiers: boundaries are inclusive at the top.
func TestTiers(t *testing.T) {
	for _, c := range []struct {
		points, ratio   int32
		consent, within bool
	}{
		{0, 800_000, false, true}, {200, 800_000, false, true}, {201, 700_000, false, true}, {300, 700_000, false, true}, {301, 500_000, false, true}, {500, 500_000, false, true},
		{501, 300_000, true, true}, {800, 300_000, true, true}, {801, 0, false, false}, {10_000, 0, false, false},
	} {
		tier, within := terms().Tier(c.points)
		if tier.RatioPartsPerMillion != c.ratio || tier.Consent != c.consent || within != c.within {
			t.Errorf("%d: %+v, %t", c.points, tier, within)
		}
	}
}

func TestQuarters(t *testing.T) {
	for _, c := range []struct{ day, before, after tape.Date }{
		{"2026-01-01", "2025-12-31", "2026-03-31"}, {"2026-03-31", "2025-12-31", "2026-03-31"}, {"2026-04-01", "2026-03-31", "2026-06-30"}, {"2026-06-30", "2026-03-31", "2026-06-30"},
		{"2026-07-01", "2026-06-30", "2026-09-30"}, {"2026-10-01", "2026-09-30", "2026-12-31"}, {"2026-12-31", "2026-09-30", "2026-12-31"}, {"2024-02-29", "2023-12-31", "2024-03-31"}, {"", "", ""}, {"2026", "", ""},
	} {
		if before := pool.QuarterBefore(c.day); before != c.before || pool.QuarterAfter(before) != c.after {
			t.Errorf("%s: after %s, then %s", c.day, before, pool.QuarterAfter(before))
		}
	}
}

// TestSuspension: quarters of a lender in basis points, and whether it is suspended after each.
func TestSuspension(t *testing.T) {
	for _, c := range []struct {
		points []int64
		want   string
	}{
		{[]int64{800, 801}, "[false true]"},
		{[]int64{801, 500, 500, 100}, "[true true false false]"},
		{[]int64{900, 500, 501, 500, 500}, "[true true true true false]"},
		{[]int64{900, 500, 900, 400, 300, 801}, "[true true true true false true]"},
		{[]int64{900, 700, 600}, "[true true true]"},
	} {
		l, quarter := lender(), tape.Date("2024-03-31")
		l.Quarter = ""
		var suspended []bool
		for i, points := range c.points {
			figures := pool.Figures{Gross: 10_000, NonPerforming: points}
			s, next, entry, err := county().Freeze(pool.Freeze{Account: fund, Figures: figures, ID: tape.ID(fmt.Sprint("freeze-", i)), Lender: "bank", Quarter: quarter}, l, record(1), figures, nil, by("bank", "maker", "head@county"))
			if err != nil || int64(s.BasisPoints) != points || s.Suspended != next.Suspended || entry.Kind != "freeze-quarter" || next.Quarter != quarter {
				t.Fatalf("%+v %v", s, err)
			}
			suspended, l, quarter = append(suspended, s.Suspended), &next, pool.QuarterAfter(quarter)
		}
		if got := fmt.Sprint(suspended); got != c.want {
			t.Errorf("%v: %s, not %s", c.points, got, c.want)
		}
	}
}

// TestTermsOn: terms are for loans contracted since they were accepted.
func TestTermsOn(t *testing.T) {
	p, ctx := county(), by("bank", "maker", "checker")
	first, _, err := p.Accept(pool.AcceptTerms{Account: fund, ID: "accept-1", Version: 1}, nil, ctx)
	if err != nil {
		t.Fatal(err)
	}
	p, second, entry, err := p.Amend(pool.AmendPool{Account: fund, ID: "amend-1", Terms: terms()}, by("county", "officer", "head"))
	if err != nil || p.Version != 2 || second.N != 2 || entry.Kind != "amend-pool" {
		t.Fatalf("%+v %v", p, err)
	}
	ctx.Date = "2026-10-01"
	both, _, err := p.Accept(pool.AcceptTerms{Account: fund, ID: "accept-2", Version: 2}, &first, ctx)
	if err != nil || len(first.Accepted) != 1 {
		t.Fatal(err)
	}
	for _, c := range []struct {
		day   tape.Date
		n     int32
		bound bool
	}{{"2026-08-31", 0, false}, {"2026-09-01", 1, true}, {"2026-09-30", 1, true}, {"2026-10-01", 2, true}, {"2027-01-01", 2, true}} {
		if n, bound := both.TermsOn(c.day); n != c.n || bound != c.bound {
			t.Errorf("%s: version %d, %t", c.day, n, bound)
		}
	}
}

// TestCompensation: what of a loss is paid, by ratio, loan, year and balance.
func TestCompensation(t *testing.T) {
	for _, c := range []struct {
		points                          int32
		guaranteed, loanMax, used, free int64
		want                            string
	}{
		{200, 0, 10_000_000, 0, 50_000_000, "809876"}, // 80 % of 10,123.45 is 8,098.76
		{250, 100_000, 10_000_000, 0, 50_000_000, "638641"},
		{500, 100_000, 10_000_000, 0, 50_000_000, "456172"},
		{800, 100_000, 10_000_000, 0, 50_000_000, "273703"},
		{250, 100_000, 500_000, 0, 50_000_000, "500000"},
		{250, 100_000, 10_000_000, 0, 5_000_000, "500000"},                // 10 % of what the pool has at the year's first claim
		{250, 100_000, 10_000_000, 4_800_000, 1_000_000, "200000"},        // of 50,000,000 at the first, 4,800,000 of it used
		{250, 100_000, 10_000_000, 4_000_000, 123, "123"},                 // no more than there is
		{250, 1_012_344, 10_000_000, 0, 50_000_000, "insufficient"},       // 70 % of one unit is none
		{250, 100_000, 10_000_000, 5_000_000, 50_000_000, "insufficient"}, // the year's is used up
	} {
		g, step := ground(), claimStep("approve-1")
		g.AtDefault.BasisPoints, g.Loan.Guaranteed, g.Terms.Terms.LoanMax = c.points, c.guaranteed, cny(c.loanMax)
		if c.used > 0 {
			g.Lender.Year, g.Lender.Base, g.Lender.Used = "2026", 50_000_000, c.used
		}
		p := county()
		one, claimed, entry, err := p.Submit(submit(), pool.SubmitState{Ground: g}, by("bank", "maker", "checker"))
		if err != nil || claimed.Claim != "claim-1" || entry.Kind != "submit-pool-claim" || one.Defaulted != "2026-05-31" || one.Quarter != "2026-03-31" {
			t.Fatal(err)
		}
		one.State, one.Reviewer = pool.Review, "officer"
		one, after, _, err := p.Approve(step, one, g, cny(c.free), by("county", "officer", "head"))
		got := fmt.Sprint(one.Compensation)
		if err != nil {
			got = err.Error()[:len("insufficient")]
		} else if after.Used != c.used+one.Compensation || after.Year != "2026" || one.State != pool.Approved {
			t.Errorf("%+v %+v", one, after)
		}
		if got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// TestRecoveries: cost first, then 638,641 to 273,704, in small parts as in one;
// what is beyond the 920,000 that are owed is the lender's to give back.
func TestRecoveries(t *testing.T) {
	for _, c := range []struct {
		script [][2]int64 // amount and cost
		want   string
	}{
		{[][2]int64{{10_000, 1_000}}, "[{1000 6300 2700 0}] sharing"},
		{[][2]int64{{1, 0}, {1, 0}, {1, 0}, {1, 1}}, "[{0 1 0 0} {0 0 1 0} {0 1 0 0} {1 0 0 0}] sharing"},
		{[][2]int64{{912_345, 0}}, "[{0 638641 273704 0}] sharing"},
		{[][2]int64{{912_344, 0}, {1, 0}}, "[{0 638640 273704 0} {0 1 0 0}] sharing"},
		{[][2]int64{{920_000, 0}}, "[{0 638641 281359 0}] closed"}, // what was added after day 90 is the lender's
		{[][2]int64{{912_345, 0}, {7_655, 0}}, "[{0 638641 273704 0} {0 0 7655 0}] closed"},
		{[][2]int64{{5_000, 5_000}}, "[{5000 0 0 0}] sharing"},
		{[][2]int64{{920_000, 20_000}}, "[{20000 630000 270000 0}] closed"}, // nothing more will come, though costs were taken of it
		{[][2]int64{{920_001, 0}}, "[{0 638641 281359 1}] closed"},
		{[][2]int64{{919_999, 0}, {1_000_000, 0}}, "[{0 638641 281358 0} {0 0 1 999999}] closed"},
		{[][2]int64{{1_000_000, 920_000}}, "[{920000 0 0 80000}] closed"},
	} {
		one := claim(t, pool.Paid)
		var all []pool.Shares
		gross := int64(0)
		for i, step := range c.script {
			command, payment := recoverClaim(step[0], step[1])
			command.ID, gross = tape.ID(fmt.Sprint("recover-", i)), min(920_000, gross+step[0])
			next, shares, counted, entry, err := county().Recover(command, one, came(gross), payment, by("county", "head", "maker@bank"))
			if err != nil || counted.Claim != "claim-1" || !slices.Equal(entry.Evidence, []tape.Evidence{{Kind: "entry", Reference: "bank/repay-9/0"}}) {
				t.Fatal(err)
			}
			if shares.Cost+shares.ToPool+shares.ToLender+shares.Over != step[0] {
				t.Errorf("%v: %+v is not the payment", step, shares)
			}
			all, one = append(all, shares), next
			for _, invariant := range pool.Invariants() {
				if err := invariant.Broken(one, loan()); err != nil {
					t.Errorf("%s: %v", invariant.Name, err)
				}
			}
		}
		if got := fmt.Sprint(all, " ", one.State); got != c.want {
			t.Errorf("%v: %s, not %s", c.script, got, c.want)
		}
	}
}

// TestReturned: a claim that is given back is the cap's again, and can be submitted anew.
func TestReturned(t *testing.T) {
	p, one, l := county(), claim(t, pool.Approved), lender()
	l.Year, l.Base, l.Used = "2026", 50_000_000, 700_000
	one, changed, entry, err := p.Return(decline(), one, l, by("county", "officer"))
	if err != nil || changed.Used != 61_359 || l.Used != 700_000 || one.State != pool.Returned || one.Compensation != 0 || one.Reviewer != "" || entry.Kind != "return-pool-claim" {
		t.Fatalf("%+v %+v %v", one, changed, err)
	}
	g := ground()
	g.Loan.Guaranteed = 200_000
	again, _, _, err := p.Submit(submit(), pool.SubmitState{Ground: g, Known: &one, Last: &one}, by("bank", "maker", "checker"))
	if err != nil || again.Eligible != 812_345 || again.State != pool.Submitted || again.Reason != "" {
		t.Errorf("%+v %v", again, err)
	}
	rejected, _, _, err := p.Reject(decline(), claim(t, pool.Review), by("county", "officer", "head"))
	if err != nil || rejected.State != pool.Rejected || rejected.Reason != "documents" {
		t.Fatalf("%+v %v", rejected, err)
	}
	second := submit()
	if _, _, _, err := p.Submit(second, pool.SubmitState{Ground: ground(), Known: &rejected, Last: &rejected}, by("bank", "maker")); err == nil {
		t.Error("a rejected claim was submitted again")
	}
	second.Claim, second.Evidence = "claim-2", nil
	for i := range pool.EvidenceMax {
		second.Evidence = append(second.Evidence, pool.Citation{Hash: merkle.Hash{byte(i + 1)}, Kind: "visit"})
	}
	if _, _, _, err := p.Submit(second, pool.SubmitState{Ground: ground(), Last: &rejected}, by("bank", "maker")); err != nil {
		t.Error(err)
	}
	// An approval of last year leaves this year's cap alone.
	late := by("county", "officer")
	late.Date = "2027-01-02"
	l.Year = "2027"
	if _, changed, _, err := p.Return(decline(), claim(t, pool.Approved), l, late); err != nil || changed.Used != 700_000 {
		t.Errorf("%+v %v", changed, err)
	}
	// What is not approved yet changes no cap.
	if _, changed, _, err := p.Return(decline(), claim(t, pool.Submitted), nil, by("coop", "clerk")); err != nil || changed != nil {
		t.Errorf("%+v %v", changed, err)
	}
}
