package contract_test

import (
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// What must be refused by name, and nothing written, stands in several tests. A
// sixth member, a kin pair and a signature that is missing or forged:
// TestWhoMayNotGuarantee. A member of two groups: TestAHouseholdIsInOneGroup. Cash
// from a locked loan: TestPurposeLocked. A doubled settlement: TestASeason. A call
// that leaves a guarantor out: TestCallsAreRefused. A late call: TestTooLateToCall.
// A release after payment: TestGuarantorsAreCalled. The others stand here.

// signing signs one command by the persons named.
type signing struct {
	function, as string
	argument     func(w *world) string
	want         string
}

func (w *world) allRefused(rows map[string]signing) {
	w.Helper()
	for name, row := range rows {
		before := w.Failed()
		w.refused(row.want, row.as, row.function, row.argument(w))
		if w.Failed() && !before {
			w.Errorf("that was: %s", name)
		}
	}
}

// TestBadLoans: rates and dates out of range, a loan longer than its group, and a
// signature that is forged.
func TestBadLoans(t *testing.T) {
	w := newWorld(t)
	w.groups()
	w.lends()
	offer := func(change func(*loan.OfferProduct)) func(*world) string {
		return func(w *world) string {
			c := offerProduct()
			c.ID, c.Product = "offer-bad", "bad"
			change(&c)
			return w.agreed("offer-product", orchard, c, bankStaff...)
		}
	}
	apply := func(change func(*loan.Apply)) func(*world) string {
		return func(w *world) string {
			c := applyFor("l1", 1, 12_000_00)
			change(&c)
			return w.signed("apply-for-loan", orchard, c.Amount, c, seat(1), seat(2), seat(3), seat(4))
		}
	}
	stay := func(from, to tape.Date) func(*world) string {
		return func(w *world) string {
			return w.agreed("declare-stay", orchard, loan.DeclareStay{Account: orchard, From: from, ID: "stay-bad", Kind: "frost", To: to}, "regulator-maker")
		}
	}
	deliver := func(on tape.Date) func(*world) string {
		return func(w *world) string {
			c := harvest.Deliver{Account: orchard, Form: "cherry", Grade: "ripe", GrossGrams: 1_000, Harvested: on, Household: house(orchard, 1), ID: "lot-bad", NetGrams: 1_000, Store: "mill"}
			return w.agreed("deliver", orchard, c, "coop-maker", seat(1))
		}
	}
	w.must("coop", "Harvest:Agree", w.agreed("agree", orchard, harvest.Agree{Account: orchard, Agreement: coffeeAgreement(), ID: "agree-1"}, append(coopStaff, "bank-maker")...))
	w.allRefused(map[string]signing{
		"a rate of less than nothing": {"Loan:OfferProduct", "bank", offer(func(c *loan.OfferProduct) { c.Conditions.Terms.RatePartsPerMillion = -1 }), "invalid: field conditions.terms.ratePartsPerMillion: is -1, not 0 to"},
		"a rate beyond all":           {"Loan:OfferProduct", "bank", offer(func(c *loan.OfferProduct) { c.Conditions.Terms.RatePartsPerMillion = terms.RateMax + 1 }), "invalid: field conditions.terms.ratePartsPerMillion: is"},
		"a late rate beyond all":      {"Loan:OfferProduct", "bank", offer(func(c *loan.OfferProduct) { c.Conditions.Terms.LateRatePartsPerMillion = terms.RateMax + 1 }), "invalid: field conditions.terms.lateRatePartsPerMillion: is"},
		"a term beyond all":           {"Loan:OfferProduct", "bank", offer(func(c *loan.OfferProduct) { c.Conditions.TermDaysMax = loan.TermDaysMax + 1 }), "invalid: field conditions.termDaysMax: is 1099; 1 to 1098"},
		"a day that does not exist":   {"Loan:DeclareStay", "regulator", stay("2026-02-30", "2026-03-30"), "invalid: field from: is not a date; write it as 2026-11-22"},
		"an end before its beginning": {"Loan:DeclareStay", "regulator", stay("2026-03-30", "2026-03-29"), "invalid: field to"},
		"a crop of tomorrow":          {"Harvest:Deliver", "coop", deliver("2026-01-02"), "invalid: field harvested: is 2026-01-02, not within the 366 days before 2026-01-01"},
		"nothing borrowed":            {"Loan:ApplyForLoan", "insurer", apply(func(c *loan.Apply) { c.Amount.Units = 0 }), "invalid: field amount"},
		"more than the product lends": {"Loan:ApplyForLoan", "insurer", apply(func(c *loan.Apply) { c.Amount.Units = 20_000_01 }), "invalid: field amount"},
		"a forged signature": {"Loan:ApplyForLoan", "insurer", func(w *world) string {
			own := apply(func(*loan.Apply) {})(w)
			return strings.Replace(own, `"person":"farmer-2"`, `"person":"farmer-5"`, 1)
		}, "forbidden: field intents[1].signature: is not that of person farmer-5"},
	})
	w.Advance(740 * day) // 2028-01-11: of twelve months the last lies behind the agreement's end
	w.allRefused(map[string]signing{"a loan longer than its group": {"Loan:ApplyForLoan", "insurer", apply(func(*loan.Apply) {}), "invalid: field terms: end on 2029-01-11; season lends for 400 days, and the agreement of group g1 ends on 2028-12-31"}})
}

// TestFrozenPaysNothingOut: what was contracted before a member is overdue is not
// disbursed while it is, whether anybody has filed the freeze or not.
func TestFrozenPaysNothingOut(t *testing.T) {
	w := newWorld(t)
	w.groups()
	w.lends()
	w.borrows()
	second := applyFor("l2", 2, 2_000_00)
	w.must("insurer", "Loan:ApplyForLoan", w.signed("apply-for-loan", orchard, second.Amount, second, seat(2), seat(1), seat(3), seat(4)))
	w.must("bank", "Loan:DecideLoan", w.signed("decide-loan", orchard, second.Amount, loan.Decide{Account: orchard, Amount: second.Amount, ID: "decide-2", Loan: "l2", Reason: "meets-conditions"}, bankStaff...))
	w.Advance(20 * day)
	advances := []terms.Advance{{Amount: second.Amount, Date: "2026-01-21"}}
	quote, err := record[loan.Loan](w, loan.Key(orchard, "l2")).Quote(advances)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := quote.Hash()
	if err != nil {
		t.Fatal(err)
	}
	w.must("insurer", "Loan:ContractLoan", w.signed("contract-loan", orchard, second.Amount, loan.ContractLoan{Account: orchard, Advances: advances, ID: "contract-2", Loan: "l2", Quote: hash}, seat(2)))
	w.Advance(13 * day) // 2026-02-03: household 1 is two days late
	out := func() string {
		return w.signed("disburse-loan", orchard, second.Amount, loan.Disburse{Account: orchard, Amount: second.Amount, Expires: tape.Instant(w.Clock().UnixMilli()) + 5*tape.Day, ID: "out-2", Loan: "l2", To: cashOf(2), Tranche: 1}, bankStaff...)
	}
	w.refused("wrong-state: field group: "+string(house(orchard, 1))+" is overdue", "bank", "Loan:DisburseLoan", out())
	w.must("regulator", "Group:Freeze", group.Freeze{Account: orchard, Group: "g1", ID: "freeze-1"})
	w.refused("wrong-state: ", "bank", "Loan:DisburseLoan", out())
}

// TestASettlementOfOneUnitMore: a settlement moves what the sale brought. A unit
// more is refused when it is signed over; shares are the ledger's own, and no argument says them.
func TestASettlementOfOneUnitMore(t *testing.T) {
	w := newWorld(t)
	w.groups()
	w.lends()
	w.sells()
	w.must("coop", "Tape:Receive", page(orchard, "proceeds-1", gift(5, 9_000_01)))
	w.fileOf(coffeeBank, "c1", "", 0, side{tape.CreditSide, []tape.Line{line(5, 9_000_01)}})
	w.must("coop", "Tape:Settle", tape.Settle{Account: orchard, ID: "settle-proceeds", Items: []tape.SettleItem{{Source: "proceeds-1", Lines: &tape.LinesRef{Statement: "c1"}}}})
	sale, shares := record[harvest.Sale](w, harvest.SaleKey(orchard, "sale-1")), record[harvest.Page](w, harvest.ShareKey(orchard, "sale-1", 0)).Shares
	sale.Proceeds.Units, sale.Net.Units = sale.Proceeds.Units+1, sale.Net.Units+1
	opens, _, err := settlement.NewSettlement(sale, shares, "pay-1", tape.Instant(w.Clock().UnixMilli())+30*tape.Day)
	if err != nil {
		t.Fatal(err)
	}
	w.refused("forbidden: field intents[0].signature: is not that of person coop-maker", "coop", "Settlement:OpenSettlement", w.signed("open-settlement", orchard, cny(9_000_01), opens, coopStaff...))
}
