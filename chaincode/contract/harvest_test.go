package contract_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/replay"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	coffee  = tape.AccountID("coop:coop:coffee")
	roaster = tape.AccountID("outside:buyer:roaster")
)

// farm is the name of an invented household.
func farm(name string) tape.AccountID {
	return tape.AccountID("household:" + string(tape.PseudonymFrom(name)) + ":coffee")
}

var noAmount money.Amount

func coffeeAgreement() harvest.Agreement {
	return harvest.Agreement{Commodity: "coffee", Costs: []string{"transport"}, Deductions: []string{"damaged"},
		Forms:     []harvest.Form{{Form: "cherry", Grades: []string{"ripe"}}, {Form: "green", Grades: []string{"a", "b"}}},
		Processes: []harvest.Process{{From: "cherry", Process: "milling", To: "green", YieldMaxPartsPerMillion: 200_000, YieldMinPartsPerMillion: 150_000}},
		Stores:    []harvest.Store{{Organisation: "coop", Store: "mill"}, {Organisation: "bank", Store: "warehouse"}}}
}

var coopStaff = []tape.ID{"coop-maker", "coop-checker"}

// harvest opens a scheme with an agreement and households; h3 has an agent, h4 has left.
func (w *world) harvest() {
	w.Helper()
	w.enlist("a1", party.DutyAgent, "coop", "bank")
	open := openScheme(coffee)
	open.Custodian = "outside:bank:moon"
	w.must("coop", "Group:OpenScheme", w.harvested("open-scheme", open, coopStaff...))
	for i, name := range []tape.ID{"h1", "h2", "h3", "h4"} {
		w.enlist(name, party.DutyMember, "coop", "bank")
		w.joins(string(name), name, i, map[tape.ID]tape.ID{"h3": "a1"}[name])
	}
	w.must("coop", "Group:Leave", w.harvested("leave", group.Leave{Account: coffee, Household: farm("h4"), ID: "leave-h4"}, "h4"))
	agree := harvest.Agree{Account: coffee, Agreement: coffeeAgreement(), ID: "agree-1"}
	w.must("coop", "Harvest:Agree", w.signed("agree", coffee, noAmount, agree, append(coopStaff, "bank-maker")...))
}

// joins admits a household for which a person signs, and which an agent may serve.
func (w *world) joins(name string, person tape.ID, n int, agent tape.ID) {
	w.Helper()
	admit := group.Admit{Account: coffee, Adult: true, Agent: agent, Capacity: true, Fingerprint: reference(1000 + n), Household: farm(name), ID: tape.ID("admit-" + strings.ReplaceAll(name, " ", "-")), Person: person}
	signers := coopStaff
	if agent != "" {
		signers = append(slices.Clone(coopStaff), agent)
	}
	w.must("coop", "Group:Admit", w.harvested("admit", admit, signers...))
}

func (w *world) delivery(id tape.ID, of string, net int64) harvest.Deliver {
	today := tape.Date(w.Clock().Format("2006-01-02"))
	return harvest.Deliver{Account: coffee, Deductions: []harvest.Deduction{{Grams: 500, Kind: "damaged"}}, Form: "cherry", Grade: "ripe", GrossGrams: net + 1500, Harvested: today.AddDays(-1),
		Household: farm(of), ID: id, NetGrams: net, Store: "mill", TareGrams: 1000}
}

// delivers brings a household's lot by its own key.
func (w *world) delivers(id tape.ID, of string, net int64) {
	w.Helper()
	w.must("coop", "Harvest:Deliver", w.signed("deliver", coffee, noAmount, w.delivery(id, of, net), "coop-maker", tape.ID(of)))
}

func (w *world) harvested(action string, command any, persons ...tape.ID) string {
	return w.signed(action, coffee, noAmount, command, persons...)
}

// milled merges 60 kg of h1 and 40 kg of h2 and makes 17 kg of green coffee of grade a.
func (w *world) milled() {
	w.Helper()
	w.delivers("l1", "h1", 60_000)
	w.delivers("l2", "h2", 40_000)
	w.must("coop", "Harvest:Merge", w.harvested("merge", harvest.Merge{Account: coffee, ID: "m1", Lots: []tape.ID{"l1", "l2"}}, "coop-maker"))
	w.must("coop", "Harvest:Process", w.harvested("process", milling("p1", "m1", "g1", 100_000, 17_000), "coop-maker"))
}

func milling(id, lot, out tape.ID, in, green int64) harvest.Run {
	return harvest.Run{Account: coffee, ID: id, LossGrams: in - green, Lots: []tape.ID{lot}, Outputs: []harvest.Output{{Grade: "a", Grams: green, Lot: out}}, Process: "milling"}
}

func sale(id tape.ID, units int64, lots ...tape.ID) harvest.Sell {
	return harvest.Sell{Account: coffee, Buyer: roaster, Costs: []harvest.Cost{{Amount: cny(10_00), Kind: "transport", Payee: "outside:supplier:lorry"}}, ID: id, Invoice: merkle.Hash{1},
		Lots: lots, PricePerTonne: cny(30_000_00), Proceeds: cny(units)}
}

// TestHarvest takes a harvest from two scales to a sale: every household's grams are exact.
func TestHarvest(t *testing.T) {
	w := newWorld(t)
	w.harvest()
	w.milled()
	bag := harvest.Bag{Account: coffee, ID: "b1", Lot: "g1", Units: []harvest.Unit{{Grams: 10_000, SSCC: "106141411234567897"}, {Grams: 7_000, SSCC: "106141411234567903"}}}
	w.must("coop", "Harvest:Bag", w.harvested("bag", bag, "coop-maker"))
	ship := harvest.Ship{Account: coffee, ID: "s1", Lots: []tape.ID{"g1"}, Store: "warehouse"}
	w.must("coop", "Harvest:Ship", w.harvested("ship", ship, "coop-maker"))
	w.must("coop", "Harvest:Arrive", w.harvested("arrive", harvest.Arrive{Account: coffee, ID: "a1", Lots: []tape.ID{"g1"}}, "bank-maker"))
	w.must("coop", "Harvest:Pledge", w.harvested("pledge", harvest.Pledge{Account: coffee, ID: "pl1", Lender: "bank", Loan: "loan-1", Lot: "g1"}, "coop-maker", "coop-checker", "bank-maker"))
	w.refused("wrong-state: field lots[0]: lot g1 is pledged to bank, by entry coop/pl1", "coop", "Harvest:Sell", w.signed("sell", coffee, cny(510_00), sale("sale-1", 510_00, "g1"), coopStaff...))
	release := harvest.ReleasePledge{Account: coffee, Free: "g2", Grams: 7_000, ID: "r1", Lot: "g1", Rest: "g3"}
	w.must("bank", "Harvest:ReleasePledge", w.harvested("release-pledge", release, "bank-maker"))
	w.refused("wrong-state: field lots[0]: lot g3 is pledged to bank", "coop", "Harvest:Sell", w.signed("sell", coffee, cny(300_00), sale("sale-1", 300_00, "g3"), coopStaff...))
	w.must("coop", "Harvest:Sell", w.signed("sell", coffee, cny(210_00), sale("sale-1", 210_00, "g2"), coopStaff...))
	sold := record[harvest.Sale](w, harvest.SaleKey(coffee, "sale-1"))
	page := record[harvest.Page](w, harvest.ShareKey(coffee, "sale-1", 0))
	want := harvest.Together(harvest.Shares{{Grams: 4_200, Household: farm("h1")}, {Grams: 2_800, Household: farm("h2")}})
	if sold.Net != cny(200_00) || sold.Grams != 7_000 || !slices.Equal(page.Shares, want) || sold.Composition.Verify(0, page, 7_000, nil) != nil {
		t.Errorf("the sale: %+v %+v", sold, page)
	}
	if rest := record[harvest.Lot](w, harvest.LotKey(coffee, "g3")); rest.Grams != 10_000 || rest.Pledged.Loan != "loan-1" || rest.Store != "warehouse" || rest.Grade != "a" {
		t.Errorf("the rest: %+v", rest)
	}
	if step := record[harvest.Step](w, harvest.StepKey(coffee, "p1")); step.LossGrams != 83_000 || step.Process != "milling" || step.Terms != 1 {
		t.Errorf("the step: %+v", step)
	}
	w.must("coop", "Harvest:ReleasePledge", w.harvested("release-pledge", harvest.ReleasePledge{Account: coffee, Grams: 10_000, ID: "r2", Lot: "g3"}, "bank-checker"))
	w.must("coop", "Harvest:CorrectSale", w.signed("correct-sale", coffee, cny(210_00), harvest.CorrectSale{Account: coffee, ID: "c1", Reason: "did_not_occur", Sale: "sale-1"}, coopStaff...))
	w.must("coop", "Harvest:Sell", w.signed("sell", coffee, cny(510_00), sale("sale-2", 510_00, "g2", "g3"), coopStaff...))
}

// TestHarvestCorrections: what was written wrongly is undone from its end, and every lot is where it was.
func TestHarvestCorrections(t *testing.T) {
	w := newWorld(t)
	w.harvest()
	w.milled()
	correct := harvest.CorrectDelivery{Account: coffee, ID: "c1", Lot: "l1", Reason: "incorrect_data"}
	w.refused("wrong-state: field lot: lot l1 is consumed, by entry coop/m1", "coop", "Harvest:CorrectDelivery", w.harvested("correct-delivery", correct, "coop-maker", "h1"))
	undo := func(id, step tape.ID) harvest.CorrectStep {
		return harvest.CorrectStep{Account: coffee, ID: id, Reason: "incorrect_data", Step: step}
	}
	w.refused("wrong-state: field step: lot m1 is consumed, by entry coop/p1", "coop", "Harvest:CorrectStep", w.harvested("correct-step", undo("c2", "m1"), coopStaff...))
	w.must("coop", "Harvest:CorrectStep", w.harvested("correct-step", undo("c3", "p1"), coopStaff...))
	w.must("coop", "Harvest:CorrectStep", w.harvested("correct-step", undo("c4", "m1"), coopStaff...))
	w.refused("wrong-state: field step: step m1 was undone by entry coop/c4", "coop", "Harvest:CorrectStep", w.harvested("correct-step", undo("c5", "m1"), coopStaff...))
	w.must("coop", "Harvest:CorrectDelivery", w.harvested("correct-delivery", correct, "coop-maker", "h1"))
	w.delivers("l3", "h1", 59_000)
	w.must("coop", "Harvest:Merge", w.harvested("merge", harvest.Merge{Account: coffee, ID: "m2", Lots: []tape.ID{"l3", "l2"}}, "coop-maker"))
	if merged := record[harvest.Lot](w, harvest.LotKey(coffee, "m2")); merged.Grams != 99_000 || merged.Composition.Households != 2 || merged.Household != "" {
		t.Errorf("what was merged again: %+v", merged)
	}
	for lot, state := range map[tape.ID]harvest.State{"l1": harvest.Corrected, "l2": harvest.Consumed, "l3": harvest.Consumed, "m1": harvest.Corrected, "g1": harvest.Corrected} {
		if found := record[harvest.Lot](w, harvest.LotKey(coffee, lot)); found.State != state {
			t.Errorf("lot %s is %s, not %s", lot, found.State, state)
		}
	}
}

// TestHarvestRefusals: what the contract itself reads and refuses.
func TestHarvestRefusals(t *testing.T) {
	w := newWorld(t)
	w.harvest()
	w.milled()
	deliver := func(c harvest.Deliver, persons ...tape.ID) string {
		return w.harvested("deliver", c, persons...)
	}
	w.refused("exists: entry l1 exists with other content", "coop", "Harvest:Deliver", deliver(w.delivery("l1", "h1", 1), "coop-maker", "h1"))
	w.refused("exists: lot g1 exists already; choose another id", "coop", "Harvest:Deliver", deliver(w.delivery("g1", "h1", 1), "coop-maker", "h1"))
	w.refused("not-found: field household: household:", "coop", "Harvest:Deliver", deliver(w.delivery("l4", "nobody", 1), "coop-maker", "h1"))
	w.refused("wrong-state: field household: household:", "coop", "Harvest:Deliver", deliver(w.delivery("l4", "h4", 1), "coop-maker", "h1"))
	w.refused("forbidden: the person of household:", "coop", "Harvest:Deliver", deliver(w.delivery("l4", "h1", 1), "coop-maker", "h2"))
	w.refused("forbidden: the person of household:", "coop", "Harvest:Deliver", deliver(w.delivery("l4", "h1", 1), "coop-maker", "insurer-maker"))
	w.must("coop", "Harvest:Deliver", deliver(w.delivery("l4", "h3", 1_000), "coop-maker", "a1"))
	if lot := record[harvest.Lot](w, harvest.LotKey(coffee, "l4")); lot.Delivery.By.Duty != "agent" || lot.Delivery.By.Person != "a1" {
		t.Errorf("who delivered: %+v", lot.Delivery)
	}
	other := w.delivery("l5", "h1", 1)
	other.Account = "coop:coop:tea"
	w.refused("not-found: an agreement about the harvest of coop:coop:tea does not exist", "coop", "Harvest:Deliver", w.signed("deliver", other.Account, noAmount, other, "coop-maker", "h1"))
	w.refused("not-found: account coop:coop:tea does not exist", "coop", "Harvest:Agree", w.signed("agree", other.Account, noAmount, harvest.Agree{Account: other.Account, Agreement: coffeeAgreement(), ID: "agree-2"}, append(coopStaff, "bank-maker")...))
	w.refused("exists: lot l4 exists already", "coop", "Harvest:Process", w.harvested("process", milling("p2", "l4", "l4", 1_000, 170), "coop-maker"))
	w.refused("exists: lot g1 exists already", "coop", "Harvest:Process", w.harvested("process", milling("p2", "l4", "g1", 1_000, 170), "coop-maker"))
	w.refused("forbidden: field outputs: one of the staff of another organisation than coop must sign a yield", "coop", "Harvest:Process", w.harvested("process", milling("p2", "l4", "g4", 1_000, 201), "coop-maker"))
	w.must("coop", "Harvest:Process", w.harvested("process", milling("p2", "l4", "g4", 1_000, 201), "coop-maker", "bank-maker"))
	many := record[harvest.Lot](w, harvest.LotKey(coffee, "g4")) // of more households than one command reads
	many.ID, many.Household, many.Composition.Pages = "many", "", harvest.PagesReadMax+1
	value, err := canonical.Encode(many)
	if err != nil {
		t.Fatal(err)
	}
	forged := w.Forge(w.identity("bank"), func(set *replay.Set) {
		set.Writes = append(set.Writes, replay.Write{Key: harvest.LotKey(coffee, "many"), Value: value})
	}, "bank", "coop", "insurer")
	if results, err := w.Commit(forged); err != nil || !results[0].Valid() {
		t.Fatalf("the lot is not on the ledger: %v", err)
	}
	w.refused("insufficient: field lots: have 301 pages of households; one command reads 300 at most", "coop", "Harvest:Merge",
		w.harvested("merge", harvest.Merge{Account: coffee, ID: "m9", Lots: []tape.ID{"g4", "many"}}, "coop-maker"))
	w.refused("not-found: field sale: sale sale-9 does not exist", "coop", "Harvest:CorrectSale", w.signed("correct-sale", coffee, cny(510_00), harvest.CorrectSale{Account: coffee, ID: "c1", Reason: "did_not_occur", Sale: "sale-9"}, coopStaff...))
}

// whoCarriesHarvest: every command, by every organisation and role, past
// the gateway. Whoever is not the scheme's cooperative, or its lender for a
// release, is refused whoever signed; so is the cooperative without its signers.
func whoCarriesHarvest(t *testing.T) {
	w := newWorld(t)
	w.harvest()
	w.Advance(31 * 24 * time.Hour) // registrars may carry by then what they brought the keys of
	w.milled()
	w.delivers("l3", "h1", 10_000)
	w.delivers("l5", "h1", 10_000)
	w.must("coop", "Harvest:Pledge", w.harvested("pledge", harvest.Pledge{Account: coffee, ID: "pl1", Lender: "bank", Loan: "loan-1", Lot: "l5"}, "coop-maker", "coop-checker", "bank-maker", "h1"))
	commands := []struct {
		function, action string
		amount           money.Amount
		command          any
		signers          []tape.ID
	}{
		{"Agree", "agree", noAmount, harvest.Agree{Account: coffee, Agreement: coffeeAgreement(), ID: "x1"}, append(coopStaff, "bank-maker")},
		{"Deliver", "deliver", noAmount, w.delivery("x2", "h1", 5), []tape.ID{"coop-maker", "h1"}},
		{"Merge", "merge", noAmount, harvest.Merge{Account: coffee, ID: "x3", Lots: []tape.ID{"l3", "l6"}}, []tape.ID{"coop-maker"}},
		{"Process", "process", noAmount, milling("x4", "l3", "o1", 10_000, 1_700), []tape.ID{"coop-maker"}},
		{"Bag", "bag", noAmount, harvest.Bag{Account: coffee, ID: "x5", Lot: "g1", Units: []harvest.Unit{{Grams: 17_000, SSCC: "106141411234567897"}}}, []tape.ID{"coop-maker"}},
		{"Ship", "ship", noAmount, harvest.Ship{Account: coffee, ID: "x6", Lots: []tape.ID{"g1"}, Store: "warehouse"}, []tape.ID{"coop-maker"}},
		{"Arrive", "arrive", noAmount, harvest.Arrive{Account: coffee, ID: "x7", Lots: []tape.ID{"g1"}}, []tape.ID{"bank-maker"}},
		{"Sell", "sell", cny(510_00), sale("x8", 510_00, "g1"), coopStaff},
		{"Pledge", "pledge", noAmount, harvest.Pledge{Account: coffee, ID: "x9", Lender: "bank", Loan: "loan-2", Lot: "g1"}, append(coopStaff, "bank-maker")},
		{"ReleasePledge", "release-pledge", noAmount, harvest.ReleasePledge{Account: coffee, Grams: 10_000, ID: "x10", Lot: "l5"}, []tape.ID{"bank-maker"}},
		{"CorrectDelivery", "correct-delivery", noAmount, harvest.CorrectDelivery{Account: coffee, ID: "x11", Lot: "l3", Reason: "incorrect_data"}, []tape.ID{"coop-maker", "h1"}},
		{"CorrectStep", "correct-step", noAmount, harvest.CorrectStep{Account: coffee, ID: "x12", Reason: "incorrect_data", Step: "p1"}, coopStaff},
	}
	for _, c := range commands {
		for _, organisation := range organisations {
			for _, role := range []string{"gateway", "auditor", "admin"} {
				if role == "gateway" && (organisation == "coop" || organisation == "bank" && c.function == "ReleasePledge") {
					w.probes(organisation, "Harvest:"+c.function, w.signed(c.action, coffee, c.amount, c.command, c.signers...))
					continue
				}
				// What is not there yet (l6, an arrival) is refused as well, but for another reason first.
				w.refused("forbidden: "+organisation+" (role "+role+") does not", organisation+":"+role, "Harvest:"+c.function, w.signed(c.action, coffee, c.amount, c.command, c.signers...))
			}
		}
		for _, signers := range [][]tape.ID{nil, {"charity-maker", "charity-checker"}, {"h2"}, {"a1", "charity-maker"}} {
			_, err := w.do("coop", "Harvest:"+c.function, w.signed(c.action, coffee, c.amount, c.command, signers...))
			if err == nil {
				t.Errorf("%s signed by %v was done", c.function, signers)
			}
		}
		forged := w.signed(c.action, coffee, c.amount, c.command, c.signers...)
		if at := strings.LastIndex(forged, `"signature":"0x`); at < 0 {
			t.Errorf("%s has no signature: %s", c.function, forged)
		} else {
			flipped := []byte(forged)
			flipped[at+40] ^= 1
			w.refused("", "coop", "Harvest:"+c.function, string(flipped))
		}
	}
}

// TestHarvestOfManyHouseholds: a lot of more than 200 households has pages, which come back whole.
func TestHarvestOfManyHouseholds(t *testing.T) {
	w := newWorld(t)
	w.harvest()
	var lots []tape.ID
	for i := range 205 {
		name, person := fmt.Sprint("many ", i), tape.ID(fmt.Sprint("farmer-", i))
		w.enlist(person, party.DutyMember, "coop", "bank")
		w.joins(name, person, 10+i, "a1")
		id := tape.ID(fmt.Sprint("many-", i))
		lots = append(lots, id)
		w.must("coop", "Harvest:Deliver", w.harvested("deliver", w.delivery(id, fmt.Sprint("many ", i), int64(1_000+i)), "coop-maker", "a1"))
	}
	w.must("coop", "Harvest:Merge", w.harvested("merge", harvest.Merge{Account: coffee, ID: "first", Lots: lots[:200]}, "coop-maker"))
	w.must("coop", "Harvest:Merge", w.harvested("merge", harvest.Merge{Account: coffee, ID: "all", Lots: append([]tape.ID{"first"}, lots[200:]...)}, "coop-maker"))
	all := record[harvest.Lot](w, harvest.LotKey(coffee, "all"))
	if all.Composition.Households != 205 || all.Composition.Pages != 2 {
		t.Fatalf("the lot of all: %+v", all)
	}
	w.must("coop", "Harvest:Process", w.harvested("process", milling("p1", "all", "green", all.Grams, all.Grams/6), "coop-maker"))
	green := record[harvest.Lot](w, harvest.LotKey(coffee, "green"))
	var shares harvest.Shares
	for n := range harvest.PagesOf(green) {
		shares = append(shares, record[harvest.Page](w, harvest.CompositionKey(coffee, "green", n)).Shares...)
	}
	if again, err := shares.Composition(); err != nil || again != green.Composition || shares.Grams() != green.Grams || len(shares) != 205 {
		t.Errorf("%d g of %d households: %v %+v", shares.Grams(), len(shares), err, green)
	}
}
