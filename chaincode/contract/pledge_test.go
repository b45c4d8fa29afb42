package contract_test

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
)

// TestReleasedAsRepaid: a lot that secures a loan is free as far as the rest of it covers
// what is owed, and wholly once that is nothing, whatever the lender says.
func TestReleasedAsRepaid(t *testing.T) {
	w := newWorld(t)
	w.groups()
	w.lends()
	l := w.borrows()
	agreement := harvest.Agreement{Commodity: "coffee", Forms: []harvest.Form{{Form: "cherry", Grades: []string{"ripe"}}}, Stores: []harvest.Store{{Organisation: "coop", Store: "mill"}}}
	w.must("coop", "Harvest:Agree", w.agreed("agree", orchard, harvest.Agree{Account: orchard, Agreement: agreement, ID: "agree-1"}, append(coopStaff, "bank-maker")...))
	deliver := harvest.Deliver{Account: orchard, Form: "cherry", Grade: "ripe", GrossGrams: 900_000, Harvested: "2026-01-01", Household: house(orchard, 1), ID: "lot-1", NetGrams: 900_000, Store: "mill"}
	w.must("coop", "Harvest:Deliver", w.agreed("deliver", orchard, deliver, "coop-maker", seat(1)))

	// 900 kg are taken to be worth 27,000.00; one and a half times 12,000.00 are 18,000.00.
	pledge := harvest.Pledge{Account: orchard, ID: "pledge-1", Lender: "bank", Loan: "l1", Lot: "lot-1"}
	signed := func() string {
		return w.agreed("pledge", orchard, pledge, append(coopStaff, "bank-maker", seat(1))...)
	}
	w.refused("invalid: field valuePerTonne: ", "coop", "Harvest:Pledge", signed())
	pledge.ValuePerTonne, pledge.CoverPartsPerMillion = cny(30_000_00), 1_500_000
	w.must("coop", "Harvest:Pledge", signed())
	release := harvest.ReleasePledge{Account: orchard, Free: "lot-2", Grams: 300_001, ID: "release-1", Lot: "lot-1", Rest: "lot-3"}
	by := func(persons ...string) string {
		if len(persons) == 0 {
			return w.signedBare(release)
		}
		return w.agreed("release-pledge", orchard, release, "coop-maker")
	}
	w.refused("insufficient: field grams: 300001 is more than 300000, what is not needed of lot lot-1 to cover 12000.00 CNY of loan l1", "coop", "Harvest:ReleasePledge", by("staff"))
	release.Grams = 300_000
	w.refused("forbidden: one of the staff of bank must sign", "coop", "Harvest:ReleasePledge", by())
	w.must("coop", "Harvest:ReleasePledge", by("staff"))
	release = harvest.ReleasePledge{Account: orchard, Grams: 600_000, ID: "release-2", Lot: "lot-3"}
	w.refused("forbidden: charity (role gateway) does not release lot lot-3", "charity", "Harvest:ReleasePledge", by())

	w.Advance(19 * 24 * 3600e9)
	w.paysOff(l, "2026-01-20")
	w.loanIs(loan.Closed)
	w.must("charity", "Harvest:ReleasePledge", by())
	if lot := record[harvest.Lot](w, harvest.LotKey(orchard, "lot-3")); lot.Pledged != nil || lot.State != harvest.Stored || lot.Grams != 600_000 {
		t.Errorf("when the loan is repaid: %+v", lot)
	}
	if left := record[harvest.Security](w, harvest.SecurityKey(orchard, "l1")); len(left.Lots) != 0 {
		t.Errorf("what secures it still: %+v", left)
	}
	pledge.ID, pledge.Lot = "pledge-2", "lot-3"
	w.refused("wrong-state: field loan: nothing is owed of loan l1", "coop", "Harvest:Pledge", signed())
}
