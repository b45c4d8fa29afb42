package waterfall_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
)

// TestRanks: what becomes of shares that reach ever deeper, computed by hand.
func TestRanks(t *testing.T) {
	for _, c := range []struct {
		share int64
		want  string
	}{
		{0, "rest 0"},
		{1, "overdue a bank 1; rest 0"},
		{30_000, "overdue a bank 30000; rest 0"},
		{30_001, "overdue a bank 30000; window a bank 1; rest 0"},
		{50_000, "overdue a bank 30000; window a bank 20000; rest 0"},
		// 1 among 100.00 and 50.00: two thirds of a unit and one third; the larger remainder gets it.
		{50_001, "overdue a bank 30000; window a bank 20000; recourse g1 h2 1; rest 0"},
		// 100: 66 2/3 and 33 1/3.
		{50_100, "overdue a bank 30000; window a bank 20000; recourse g1 h2 67; recourse g2 h3 33; rest 0"},
		{65_000, "overdue a bank 30000; window a bank 20000; recourse g1 h2 10000; recourse g2 h3 5000; rest 0"},
		{72_999, "overdue a bank 30000; window a bank 20000; recourse g1 h2 10000; recourse g2 h3 5000; pool c1 pool 7999; rest 0"},
		{80_000, "overdue a bank 30000; window a bank 20000; recourse g1 h2 10000; recourse g2 h3 5000; pool c1 pool 8000; prepayment a bank 7000; rest 0"},
		{113_000, "overdue a bank 30000; window a bank 20000; recourse g1 h2 10000; recourse g2 h3 5000; pool c1 pool 8000; prepayment a bank 40000; rest 0"},
		{200_000, "overdue a bank 30000; window a bank 20000; recourse g1 h2 10000; recourse g2 h3 5000; pool c1 pool 8000; prepayment a bank 40000; rest 87000"},
	} {
		outcome, err := terms().Apply(position(c.share))
		if err != nil || told(outcome) != c.want {
			t.Errorf("%d:\n got %s, %v\nwant %s", c.share, told(outcome), err, c.want)
		}
	}
}

// TestOrder: within a rank bank debt is paid the oldest first, then by name; the
// order in which dues, debts and creditors are written changes nothing.
func TestOrder(t *testing.T) {
	p := waterfall.Position{Household: house(1), Share: cny(1_000),
		Debts: []waterfall.Debt{debt(loanB, 5_000, bank), debt(loanA, 5_000, fund)},
		Dues: []waterfall.Due{
			due(waterfall.Overdue, loanB, "2026-03-01", 400),
			due(waterfall.Overdue, loanA, "2026-03-01", 400),
			due(waterfall.Overdue, loanB, "2026-02-01", 300),
		}}
	want := "overdue b bank 300; overdue a fund 400; overdue b bank 300; rest 0"
	for range 2 {
		if outcome, err := terms().Apply(p); err != nil || told(outcome) != want {
			t.Errorf("got %s, %v", told(outcome), err)
		}
		slices.Reverse(p.Dues)
		slices.Reverse(p.Debts)
	}
}

// TestLendersShareEachPayment: a debt of several lenders, and each payment on it by their weights.
func TestLendersShareEachPayment(t *testing.T) {
	for _, c := range []struct {
		share, fund, bank int64 // the weights of two lenders
		want              string
	}{
		{150, 3, 7, "overdue a fund 30; overdue a bank 70; window a fund 15; window a bank 35; rest 0"},
		// 0.3 and 0.7 of a unit: the larger gets it, and who gets nothing has no line.
		{101, 3, 7, "overdue a fund 30; overdue a bank 70; window a bank 1; rest 0"},
		{101, 1, 1, "overdue a fund 50; overdue a bank 50; window a fund 1; rest 0"},
		{160, 300_000, 700_000, "overdue a fund 30; overdue a bank 70; window a fund 15; window a bank 35; rest 10"},
	} {
		p := waterfall.Position{Household: house(1), Share: cny(c.share),
			Debts: []waterfall.Debt{{Creditors: []waterfall.Creditor{{bank, c.bank}, {fund, c.fund}}, Owed: cny(150), Reference: loanA}},
			Dues:  []waterfall.Due{due(waterfall.Overdue, loanA, "2026-09-15", 100), due(waterfall.Window, loanA, "2026-12-15", 50)}}
		if outcome, err := terms().Apply(p); err != nil || told(outcome) != c.want {
			t.Errorf("%d, %d:%d:\n got %s, %v\nwant %s", c.share, c.fund, c.bank, told(outcome), err, c.want)
		}
	}
}

// TestFloor: the larger of both floors stays with the household, prepayments or not.
func TestFloor(t *testing.T) {
	for _, c := range []struct {
		share, amount int64
		part          int32
		floor, rest   int64
	}{
		{200_000, 0, 0, 0, 87_000},
		{200_000, 90_000, 0, 90_000, 90_000},
		{200_000, 80_000, 0, 80_000, 87_000},
		{200_000, 80_000, 450_000, 90_000, 90_000},
		{100, 0, 1, 1, 1}, // 100 parts of a million of a unit: rounded up, for the household
		{0, 0, 1_000_000, 0, 0},
		{50_000, 60_000, 0, 50_000, 50_000}, // a floor above the share is the share
		{50_000, 10_000, 1_000_000, 50_000, 50_000},
		{money.Max, 0, 999_999, 9_007_190_247_541_737, 9_007_190_247_541_737 + 9_007_199_254 - 113_000},
	} {
		agreed := terms()
		agreed.LivingFloor, agreed.LivingFloorPartsPerMillion = cny(c.amount), c.part
		outcome, err := agreed.Apply(position(c.share))
		if err != nil || outcome.Floor != cny(c.floor) || outcome.Rest != cny(c.rest) {
			t.Errorf("%+v: floor %s, rest %s, %v", c, outcome.Floor, outcome.Rest, err)
		}
	}
}

func TestBank(t *testing.T) {
	for _, c := range []struct {
		due    tape.Date
		window int32
		want   waterfall.Rank
	}{
		{"2026-11-29", 30, waterfall.Overdue},
		{"2026-11-30", 0, waterfall.Window},
		{"2026-12-01", 0, waterfall.Prepayment},
		{"2026-12-30", 30, waterfall.Window},
		{"2026-12-31", 30, waterfall.Prepayment},
		{"2027-11-30", 365, waterfall.Window},
	} {
		agreed := terms()
		agreed.WindowDays = c.window
		if got := agreed.Bank(c.due); got != c.want {
			t.Errorf("%s with a window of %d days is %s, want %s", c.due, c.window, got, c.want)
		}
	}
}

type asked struct {
	T waterfall.Terms
	P waterfall.Position
}

func TestPositionRefusals(t *testing.T) {
	ruletest.Refusals(t, func() asked { return asked{terms(), position(200_000)} },
		func(s asked) error { _, err := s.T.Apply(s.P); return err },
		[]row[asked]{
			{func(s *asked) { s.T.Day = "30.11.2026" }, "invalid: field terms.day: is not a date"},
			{func(s *asked) { s.T.LivingFloor = money.Amount{} }, "invalid: field terms.livingFloor: is not a currency"},
			{func(s *asked) { s.T.LivingFloor = cny(-1) }, "invalid: field terms.livingFloor: -0.01 CNY is not more than zero"},
			{func(s *asked) { s.T.LivingFloorPartsPerMillion = 1_000_001 }, "invalid: field terms.livingFloorPartsPerMillion: is 1000001; 0 to 1000000 is possible"},
			{func(s *asked) { s.T.LivingFloorPartsPerMillion = -1 }, "invalid: field terms.livingFloorPartsPerMillion: is -1"},
			{func(s *asked) { s.T.WindowDays = -1 }, "invalid: field terms.windowDays: is -1; 0 to 366 is possible"},
			{func(s *asked) { s.T.WindowDays = 367 }, "invalid: field terms.windowDays: is 367"},
			{func(s *asked) { s.P.Household = "household:zhang-san:coffee" }, "invalid: field household: is not a household's account"},
			{func(s *asked) { s.P.Household = "outside:coop:cash" }, "invalid: field household: outside:coop:cash is outside the ledger"},
			{func(s *asked) { s.P.Share = money.New(1, "VND") }, "invalid: field share: 1 VND is not in CNY"},
			{func(s *asked) { s.P.Share = cny(-1) }, "invalid: field share: -0.01 CNY is not more than zero"},
			{func(s *asked) { s.P.Share = cny(money.Max + 1) }, "invalid: field share: the amount is larger than"},
			{func(s *asked) { s.P.Debts = make([]waterfall.Debt, waterfall.DebtsMax+1) }, "invalid: field debts: names 65 debts; 64 at most"},
			{func(s *asked) { s.P.Debts[1].Reference = "Zhang San's loan" }, "invalid: field debts[1].reference: is not a debt"},
			{func(s *asked) { s.P.Debts[1].Reference = "loan" }, "invalid: field debts[1].reference: is not a debt"},
			{func(s *asked) { s.P.Debts[1].Reference = "loan/a/b/c/d/e" }, "invalid: field debts[1].reference: is not a debt"},
			{func(s *asked) { s.P.Debts[1].Reference = "loan//b" }, "invalid: field debts[1].reference: is not a debt"},
			{func(s *asked) { s.P.Debts[1].Reference = loanA }, "invalid: field debts[1].reference: loan/coop:coop:coffee/a stands twice"},
			{func(s *asked) { s.P.Debts[1].Owed = cny(0) }, "invalid: field debts[1].owed: 0.00 CNY is not more than zero"},
			{func(s *asked) { s.P.Debts[1].Owed = money.New(10_000, "USD") }, "invalid: field debts[1].owed: 100.00 USD is not in CNY"},
			{func(s *asked) { s.P.Debts[1].Creditors = nil }, "invalid: field debts[1].creditors: names 0; a debt has 1 to 16 creditors"},
			{func(s *asked) { s.P.Debts[1].Creditors = make([]waterfall.Creditor, 17) }, "invalid: field debts[1].creditors: names 17"},
			{func(s *asked) { s.P.Debts[1].Creditors[0].Account = "bank" }, "invalid: field debts[1].creditors[0].account: is not an account"},
			{func(s *asked) { s.P.Debts[1].Creditors[0].Account = house(1) }, "invalid: field debts[1].creditors[0].account: " + string(house(1)) + " owes nothing to itself"},
			{func(s *asked) {
				s.P.Debts[1].Creditors = append(s.P.Debts[1].Creditors, s.P.Debts[1].Creditors[0])
			}, "invalid: field debts[1].creditors[1].account: " + string(house(2)) + " stands twice"},
			{func(s *asked) { s.P.Debts[1].Creditors[0].Weight = 0 }, "invalid: field debts[1].creditors[0].weight: is 0; 1 to "},
			{func(s *asked) { s.P.Debts[1].Creditors[0].Weight = money.Max }, "invalid: field debts[1].creditors[0].weight: is 9007199254740991"},
			{func(s *asked) { s.P.Dues = make([]waterfall.Due, waterfall.DuesMax+1) }, "invalid: field dues: names 257 dues; 256 at most"},
			{func(s *asked) { s.P.Dues[0].Rank = "first" }, "invalid: field dues[0].rank: is none of [overdue window recourse pool prepayment]"},
			{func(s *asked) { s.P.Dues[0].Date = "2026-02-30" }, "invalid: field dues[0].date: is not a date"},
			{func(s *asked) { s.P.Dues[0].Amount = cny(0) }, "invalid: field dues[0].amount: 0.00 CNY is not more than zero"},
			{func(s *asked) { s.P.Dues[0].Amount = cny(-5) }, "invalid: field dues[0].amount: -0.05 CNY is not more than zero"},
			{func(s *asked) { s.P.Dues[0].Amount = money.New(5, "USD") }, "invalid: field dues[0].amount: 0.05 USD is not in CNY"},
			{func(s *asked) { s.P.Dues[0].Debt = loanB }, "not-found: field dues[0].debt: loan/coop:coop:coffee/b is none of the debts"},
			{func(s *asked) { s.P.Dues[0].Debt = "a person's name" }, "not-found: field dues[0].debt: (no debt) is none of the debts"},
			{func(s *asked) { s.P.Dues[5] = s.P.Dues[4] }, "invalid: field dues[5].debt: loan/coop:coop:coffee/a is due as window of 2026-12-15 twice"},
			{func(s *asked) { s.P.Dues[2].Debt = pooled }, "conflict: field dues[2].rank: is recourse, but claim/pool:bank:county/c1 is due as pool as well"},
			// Nobody is paid before his turn.
			{func(s *asked) { s.P.Dues[4].Rank = waterfall.Overdue }, "conflict: field dues[4].rank: is overdue; what falls due on 2026-12-15 is window on 2026-11-30 with a window of 30 days"},
			{func(s *asked) { s.P.Dues[5].Rank = waterfall.Prepayment }, "conflict: field dues[5].rank: is prepayment; what falls due on 2026-09-15 is overdue"},
			{func(s *asked) { s.P.Dues[0].Rank = waterfall.Window }, "conflict: field dues[0].rank: is window; what falls due on 2027-03-01 is prepayment"},
			{func(s *asked) { s.P.Dues[1].Date = "2026-12-01" }, "conflict: field dues[1].date: is 2026-12-01, after 2026-11-30, the day of settlement"},
			{func(s *asked) { s.P.Debts[0].Owed = cny(89_999) }, "conflict: field debts[0].owed: is 899.99 CNY, but more than that is due on loan/coop:coop:coffee/a"},
		})
}

// TestWholeDebtCanBeDue: dues may be all that is owed, not a unit more.
func TestWholeDebtCanBeDue(t *testing.T) {
	p := position(200_000)
	p.Debts[0].Owed = cny(90_000)
	if _, err := terms().Apply(p); err != nil {
		t.Error(err)
	}
}

func ExampleTerms_Apply() {
	terms := waterfall.Terms{Day: "2026-11-30", LivingFloor: money.New(20_000, "CNY"), WindowDays: 30}
	outcome, err := terms.Apply(waterfall.Position{
		Household: house(1), Share: money.New(100_000, "CNY"),
		Debts: []waterfall.Debt{{Reference: loanA, Owed: money.New(500_000, "CNY"), Creditors: []waterfall.Creditor{{Account: bank, Weight: 7}, {Account: fund, Weight: 3}}}},
		Dues:  []waterfall.Due{{Debt: loanA, Rank: waterfall.Window, Date: "2026-12-15", Amount: money.New(90_000, "CNY")}},
	})
	if err != nil {
		fmt.Println(err)
	}
	for _, line := range outcome.Lines {
		fmt.Println(line.Rank, line.Creditor, line.Amount)
	}
	fmt.Println("rest", outcome.Rest)
	// Output:
	// window coop:coop:own-fund 240.00 CNY
	// window lender:bank:loans 560.00 CNY
	// rest 200.00 CNY
}
