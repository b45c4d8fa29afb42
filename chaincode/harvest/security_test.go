package harvest_test

import (
	"fmt"
	"testing"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
)

// owing is a loan of the bank that owes so much.
func owing(units int64, lots ...harvest.Securing) *harvest.Debt {
	d := &harvest.Debt{Owed: cny(units), Lenders: []string{"bank", "union"}}
	if len(lots) > 0 {
		d.Security = &harvest.Security{V: 1, Scheme: scheme, Loan: "l1", Lender: "bank", CoverPartsPerMillion: 1_500_000, Lots: lots}
	}
	return d
}

// TestPledgeForALoan: 100 kg at 30,000.00 a tonne are worth 3,000.00.
func TestPledgeForALoan(t *testing.T) {
	first := harvest.Securing{Grams: 5_000, Lot: "l0", ValuePerTonne: cny(30_000_00)}
	ruletest.Refusals(t, func() pledging {
		c := harvest.Pledge{CoverPartsPerMillion: 1_500_000, ID: "pl1", Lender: "bank", Loan: "l1", Lot: "l1", Account: scheme, ValuePerTonne: cny(30_000_00)}
		return pledging{c, &stock(t, "l1", "green", "a", "warehouse", share("h1", 100_000)).Lot, household("h1"), true, owing(2_000_00, first), by("coop", "maker", "checker", "lender@bank", "+h1")}
	}, func(s pledging) error {
		lot, security, _, err := terms().Pledge(s.C, s.Lot, s.Household, s.Lends, s.Debt, s.Ctx)
		if err == nil && (lot.Pledged.ValuePerTonne != cny(30_000_00) || len(security.Lots) != 2 || security.Lots[1].Grams != 100_000 || len(s.Debt.Security.Lots) != 1) {
			return fmt.Errorf("%+v %+v", lot, security)
		}
		return err
	}, []row[pledging]{
		{func(s *pledging) { s.C.ValuePerTonne = money.Amount{} }, "invalid: field valuePerTonne: "},
		{func(s *pledging) { s.C.ValuePerTonne = money.New(1, "USD") }, "invalid: field valuePerTonne: 0.01 USD is not in CNY"},
		{func(s *pledging) { s.C.CoverPartsPerMillion = 0 }, "invalid: field coverPartsPerMillion: is 0; 1 to 10000000 is possible"},
		{func(s *pledging) { s.C.CoverPartsPerMillion = 10_000_001 }, "invalid: field coverPartsPerMillion: is 10000001"},
		{func(s *pledging) { s.C.CoverPartsPerMillion = 1_400_000 }, "conflict: field coverPartsPerMillion: or the lender is another than that of what secures loan l1 already: 1500000 parts per million for bank"},
		{func(s *pledging) { s.Debt.Security.Lender = "union" }, "conflict: field coverPartsPerMillion: or the lender is another"},
		{func(s *pledging) { s.Debt.Lenders = []string{"union"} }, "forbidden: field lender: bank lends nothing of loan l1"},
		{func(s *pledging) { s.Debt.Owed = cny(0) }, "wrong-state: field loan: nothing is owed of loan l1"},
		{func(s *pledging) {
			s.Debt.Security.Lots = make([]harvest.Securing, harvest.LotsMax)
		}, "insufficient: field loan: 200 lots secure loan l1"},
	})
}

// TestReleaseAsRepaid: of two lots worth 3,000.00 and 150.00 one and a half times what is
// owed stays, and the rest is free without the lender's word.
func TestReleaseAsRepaid(t *testing.T) {
	lots := []harvest.Securing{{Grams: 100_000, Lot: "l1", ValuePerTonne: cny(30_000_00)}, {Grams: 5_000, Lot: "l0", ValuePerTonne: cny(30_000_00)}}
	for _, c := range []struct {
		name  string
		owed  int64
		grams int64
		by    string
		want  string
	}{
		{"nothing while all is needed", 2_100_00, 1, "coop keeper", "insufficient: field grams: 1 is more than 0, what is not needed of lot l1 to cover 2100.00 CNY of loan l1; more is free by the word of bank"},
		{"a third is repaid", 1_400_00, 35_000, "coop keeper", ""},
		{"a gram more", 1_400_00, 35_001, "coop keeper", "insufficient: field grams: 35001 is more than 35000"},
		{"a unit more is owed", 1_400_01, 35_000, "coop keeper", "insufficient: field grams: 35000 is more than 34999"},
		{"the other lot covers what is left", 100_00, 100_000, "coop keeper", ""},
		{"by nobody's word", 100_00, 100_000, "coop", "forbidden: one of the staff of bank must sign"},
		{"by another's word", 100_00, 100_000, "coop +h1", "forbidden: one of the staff of bank must sign"},
		{"by another's gateway", 100_00, 100_000, "insurer keeper@coop", "forbidden: insurer (role gateway) does not release lot l1"},
		{"more by the lender's word", 2_100_00, 100_000, "bank lender", ""},
		{"all, when nothing is owed, by anybody", 0, 100_000, "insurer", ""},
		{"a part of it only by who sees to it", 0, 99_999, "insurer", "forbidden: insurer (role gateway) does not release lot l1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			release, pledged := harvest.ReleasePledge{Grams: c.grams, ID: "r1", Lot: "l1", Account: scheme}, stock(t, "l1", "green", "a", "warehouse", share("h1", 60_000), share("h2", 40_000))
			if c.grams < 100_000 {
				release.Free, release.Rest = "l2", "l3"
			}
			pledged.Lot.Pledged = &harvest.Pledged{Lender: "bank", Loan: "l1", ValuePerTonne: cny(30_000_00), Entry: "coop/p1"}
			change, security, _, err := terms().ReleasePledge(release, pledged, owing(c.owed, lots...), told(c.by))
			if got := fmt.Sprint(err); err != nil {
				if c.want == "" || len(got) < len(c.want) || got[:len(c.want)] != c.want {
					t.Fatalf("got %s, want %s", got, c.want)
				}
				return
			}
			if c.want != "" {
				t.Fatalf("it is released; want %s", c.want)
			}
			left := int64(0)
			for _, one := range security.Lots {
				left += one.Grams
			}
			if left != 105_000-c.grams || lots[0].Grams != 100_000 || c.grams < 100_000 && (security.Lots[0].Lot != "l3" || change.New[1].Lot.Pledged.ValuePerTonne != cny(30_000_00)) {
				t.Errorf("%+v %+v", security, change)
			}
		})
	}
}
