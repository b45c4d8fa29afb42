package settlement_test

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// called is a call of 900.00 CNY of instalment 1 of a loan of household 0, whom 1 and 2 guarantee.
func called(state recourse.State, paidBy1, paidBy2, lowered int64) recourse.Call {
	return recourse.Call{V: 1, Scheme: coffee, Loan: "l0", ID: "call-1", Lender: "bank", Cooperative: "coop", Debtor: household(0), Amount: cny(90_000), Instalments: []int32{1}, Date: today, CureDays: 30,
		Guarantors: []recourse.Guarantor{{Household: first(1, 2), Max: 900_000, Paid: by1(paidBy1, paidBy2)}, {Household: last(1, 2), Max: 900_000, Paid: by1(paidBy2, paidBy1)}}, Lowered: lowered, State: state}
}

// first and last order two households by their names, as calls do.
func first(a, b int) tape.AccountID { return min(household(a), household(b)) }
func last(a, b int) tape.AccountID  { return max(household(a), household(b)) }

func by1(units, other int64) int64 {
	if first(1, 2) == household(1) {
		return units
	}
	return other
}

// TestRecourse: behind what is due to lenders a sale pays those who paid for the
// household, each by what it is owed. Household 1 brings 4,500.00 CNY, household 2 1,500.00; of
// the loan two instalments are overdue and one falls due in the window: 3 times
// 1,032.66 and 5.75 of interest on what was late.
func TestRecourse(t *testing.T) {
	for _, c := range []struct {
		name  string
		call  recourse.Call
		owe   bool
		grams int64 // of the debtor
		want  string
		// returned and got of households 1 and 2.
		returned, got [2]int64
		state         recourse.State
	}{
		{"the debtor repays both", called(recourse.Met, 60_000, 30_000, 0), false, 100_000,
			"outside:household:0 210000, outside:household:1 450000, outside:household:1 60000, outside:household:2 150000, outside:household:2 30000", [2]int64{60_000, 30_000}, [2]int64{}, recourse.Closed},
		{"the share does not reach", called(recourse.Met, 60_000, 30_000, 0), false, 500,
			"outside:household:1 1000, outside:household:1 450000, outside:household:2 150000, outside:household:2 500", [2]int64{1_000, 500}, [2]int64{}, recourse.Met},
		{"the lender comes first, and still asks", called(recourse.Open, 0, 0, 0), true, 500,
			"lender:bank:coffee 1500, outside:household:1 450000, outside:household:2 150000", [2]int64{}, [2]int64{}, recourse.Open},
		{"who makes the lender whole repays the guarantors from what is left", called(recourse.Open, 30_000, 30_000, 0), true, 140_000,
			"lender:bank:coffee 310373, outside:household:0 49627, outside:household:1 30000, outside:household:1 450000, outside:household:2 150000, outside:household:2 30000", [2]int64{30_000, 30_000}, [2]int64{}, recourse.Closed},
	} {
		t.Run(c.name, func(t *testing.T) {
			sale, all := sold(nil, c.grams, 150_000, 50_000)
			w := opened(t, "2026-03-05", sale, all)
			w.calls, w.owes = settlement.Calls{c.call}, []string{recourse.CallKey(coffee, "l0", "call-1")}
			if c.owe {
				w.loans[household(0)] = []loan.Loan{borrowed("l0", household(0), today)}
			}
			settled, _, err := w.run("2026-03-05", 0)
			if got := spelled(settled.Part.Lines); err != nil || got != c.want {
				t.Errorf("\n got %s, %v\nwant %s", got, err, c.want)
			}
			after := c.call
			if len(settled.Calls) > 0 {
				after = settled.Calls[0]
			}
			if after.State != c.state {
				t.Errorf("the call is %s", after.State)
			}
			for _, g := range after.Guarantors {
				n := 0
				if g.Household == household(2) {
					n = 1
				}
				if g.Returned != c.returned[n] || g.Got != c.got[n] || g.Borne() < 0 {
					t.Errorf("%+v", g)
				}
			}
		})
	}
}

// TestCompensated: half of what is overdue is a pool's, which comes behind guarantors,
// though their call stays open by its part; what it does not get it waits for. Overdue
// are 2,069.79 (two instalments and 4.47 of interest), and 1,033.94 fall into the window.
func TestCompensated(t *testing.T) {
	call := called(recourse.Open, 30_000, 30_000, 0)
	call.Amount, call.Instalments = cny(200_000), []int32{1, 2}
	for _, c := range []struct {
		name  string
		grams int64 // of the debtor
		calls settlement.Calls
		want  string
		state recourse.State
		waits int64
	}{
		{"the lender's own part comes first", 30_000, settlement.Calls{call}, "lender:bank:coffee 90000, outside:household:1 450000, outside:household:2 150000", recourse.Open, 45_000},
		{"then guarantors, though the pool has nothing", 80_000, settlement.Calls{call}, "lender:bank:coffee 206883, outside:household:1 16558, outside:household:1 450000, outside:household:2 150000, outside:household:2 16559", recourse.Open, 51_745},
		{"then the pool", 100_000, settlement.Calls{call}, "lender:bank:coffee 206883, outside:household:1 30000, outside:household:1 450000, outside:household:2 150000, outside:household:2 30000, pool:insurer:county 33117", recourse.Open, 35_186},
		{"then the household", 140_000, settlement.Calls{call}, "lender:bank:coffee 206883, outside:household:0 49627, outside:household:1 30000, outside:household:1 450000, outside:household:2 150000, outside:household:2 30000, pool:insurer:county 103490", recourse.Closed, 0},
		{"without a call", 100_000, nil, "lender:bank:coffee 206883, outside:household:1 450000, outside:household:2 150000, pool:insurer:county 93117", "", 5_186},
	} {
		t.Run(c.name, func(t *testing.T) {
			sale, all := sold(nil, c.grams, 150_000, 50_000)
			w := opened(t, "2026-03-05", sale, all)
			w.calls = c.calls
			if c.calls != nil {
				w.owes = []string{recourse.CallKey(coffee, "l0", "call-1")}
			}
			l := borrowed("l0", household(0), today)
			l.Contract, l.Defaulted = &loan.Contract{Date: today}, "2026-02-15"
			w.loans[household(0)] = []loan.Loan{l}
			w.compensated = []settlement.Compensated{{InterestDays: 90, Claim: pool.Claim{V: 1, Account: "pool:insurer:county", ID: "claim-1", Lender: "bank", Cooperative: "coop", Scheme: coffee, Loan: "l0", State: pool.Paid,
				Defaulted: "2026-02-15", Eligible: 1_200_000, Compensation: 600_000}}}
			settled, _, err := w.run("2026-03-05", 0)
			if got := spelled(settled.Part.Lines); err != nil || got != c.want {
				t.Errorf("\n got %s, %v\nwant %s", got, err, c.want)
			}
			if len(settled.Claims) != 1 || settled.Claims[0].Claim.Waits != c.waits || len(settled.Claims[0].Sources) == 0 {
				t.Errorf("the claim: %+v", settled.Claims)
			}
			if c.calls != nil && (len(settled.Calls) != 1 || settled.Calls[0].State != c.state) {
				t.Errorf("the call: %+v", settled.Calls)
			}
		})
	}
}

// TestRecourseBetweenGuarantors: who paid another's part has it from that one's
// share, and nobody recovers more than was paid, whoever of them is settled first.
func TestRecourseBetweenGuarantors(t *testing.T) {
	sale, all := sold(nil, 100_000, 150_000, 50_000)
	w := opened(t, "2026-03-05", sale, all)
	call := called(recourse.Met, 90_000, 0, 0)
	w.calls, w.owes = settlement.Calls{call}, []string{recourse.CallKey(coffee, "l0", "call-1")}
	settled, _, err := w.run("2026-03-05", 0)
	if err != nil || len(settled.Calls) != 1 || settled.Calls[0].State != recourse.Closed {
		t.Fatalf("%+v %v", settled.Calls, err)
	}
	got := int64(0)
	for _, line := range settled.Part.Lines {
		if line.OnBehalfOf != "" && line.To == settlement.Outside(household(1)) {
			got += line.Amount.Units
		}
	}
	if back := settled.Calls[0].Borne(); back != 0 || got < 90_000 || got > 90_000+45_000 {
		t.Errorf("household 1 got %d back, and all are without %d", got, back)
	}
	for _, invariant := range recourse.Invariants() {
		if err := invariant.Broken(settled.Calls[0]); err != nil {
			t.Errorf("%s: %v", invariant.Name, err)
		}
	}
}
