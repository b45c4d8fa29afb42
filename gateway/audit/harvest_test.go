package audit_test

import (
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/replay"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const coffee tape.AccountID = "coop:coop:coffee"

// farm is the account of an invented household.
func farm(name string) tape.AccountID {
	return tape.AccountID("household:" + string(tape.PseudonymFrom(name)) + ":coffee")
}

// grows gives one command about the harvest, signed.
func (v *village) grows(action, function string, command any, persons ...tape.ID) {
	v.t.Helper()
	v.by("coop", "Harvest:"+function, v.signedBy(action, coffee, noAmount, command, persons...))
}

func (v *village) brings(id tape.ID, of string, net int64, persons ...tape.ID) {
	v.t.Helper()
	v.grows("deliver", "Deliver", harvest.Deliver{Account: coffee, Deductions: []harvest.Deduction{{Grams: 500, Kind: "damaged"}}, Form: "cherry", Grade: "ripe", GrossGrams: net + 1_500,
		Harvested: v.today(), Household: farm(of), ID: id, NetGrams: net, Store: "mill", TareGrams: 1_000}, persons...)
}

// harvested gives every command about a harvest once.
func (v *village) harvested() {
	v.t.Helper()
	for _, one := range []struct {
		person, organisation, registrar string
		duty                            party.Duty
	}{{"coop-maker", "coop", "regulator", party.DutyStaff}, {"coop-checker", "coop", "regulator", party.DutyStaff}, {"keeper", "bank", "regulator", party.DutyStaff},
		{"h1", "coop", "regulator", party.DutyMember}, {"h2", "coop", "regulator", party.DutyMember}, {"a1", "coop", "regulator", party.DutyAgent}} {
		v.person(tape.ID(one.person), one.organisation, one.registrar, party.Own, one.duty)
	}
	staff := []tape.ID{"coop-maker", "coop-checker"}
	v.agree("coop", "open-scheme", group.OpenScheme{Account: coffee, Custodian: "outside:bank:moon", ID: "open-coffee", Lenders: []string{"bank"}, Terms: schemeTerms()}, staff...)
	v.agree("coop", "admit", group.Admit{Account: coffee, Adult: true, Capacity: true, Fingerprint: fingerprintOf(1), Household: farm("h1"), ID: "admit-h1", Person: "h1"}, staff...)
	v.agree("coop", "admit", group.Admit{Account: coffee, Adult: true, Agent: "a1", Capacity: true, Fingerprint: fingerprintOf(2), Household: farm("h2"), ID: "admit-h2", Person: "h2"}, append(staff, "a1")...)
	v.grows("agree", "Agree", harvest.Agree{Account: coffee, ID: "agree-1", Agreement: harvest.Agreement{Commodity: "coffee", Costs: []string{"transport"}, Deductions: []string{"damaged"},
		Forms:     []harvest.Form{{Form: "cherry", Grades: []string{"ripe"}}, {Form: "green", Grades: []string{"a", "b"}}},
		Processes: []harvest.Process{{From: "cherry", Process: "milling", To: "green", YieldMaxPartsPerMillion: 200_000, YieldMinPartsPerMillion: 150_000}},
		Stores:    []harvest.Store{{Organisation: "coop", Store: "mill"}, {Organisation: "bank", Store: "warehouse"}}}}, "coop-maker", "coop-checker", "keeper")
	v.brings("l1", "h1", 60_000, "coop-maker", "h1")
	v.brings("l2", "h2", 40_001, "coop-maker", "a1")
	v.brings("l3", "h2", 5_000, "coop-maker", "a1")
	v.grows("correct-delivery", "CorrectDelivery", harvest.CorrectDelivery{Account: coffee, ID: "c1", Lot: "l3", Reason: "did_not_occur"}, "coop-maker", "a1")
	v.brings("l4", "h1", 7_000, "coop-maker", "h1")
	v.grows("pledge", "Pledge", harvest.Pledge{Account: coffee, ID: "pl1", Lender: "bank", Loan: "loan-1", Lot: "l4"}, "coop-maker", "coop-checker", "keeper", "h1")
	v.by("bank", "Harvest:ReleasePledge", v.signedBy("release-pledge", coffee, noAmount, harvest.ReleasePledge{Account: coffee, Free: "l5", Grams: 3_000, ID: "r1", Lot: "l4", Rest: "l6"}, "keeper"))
	v.grows("merge", "Merge", harvest.Merge{Account: coffee, ID: "m0", Lots: []tape.ID{"l1", "l5"}}, "coop-maker")
	v.grows("correct-step", "CorrectStep", harvest.CorrectStep{Account: coffee, ID: "c2", Reason: "incorrect_data", Step: "m0"}, staff...)
	v.grows("merge", "Merge", harvest.Merge{Account: coffee, ID: "m1", Lots: []tape.ID{"l1", "l2"}}, "coop-maker")
	v.grows("process", "Process", harvest.Run{Account: coffee, ID: "p1", LossGrams: 83_001, Lots: []tape.ID{"m1"}, Process: "milling",
		Outputs: []harvest.Output{{Grade: "a", Grams: 12_000, Lot: "g1"}, {Grade: "b", Grams: 5_000, Lot: "g2"}}}, "coop-maker")
	v.grows("process", "Process", harvest.Run{Account: coffee, ID: "p2", LossGrams: 2_000, Lots: []tape.ID{"l5"}, Process: "milling", Outputs: []harvest.Output{{Grade: "a", Grams: 1_000, Lot: "g3"}}}, "coop-maker", "keeper")
	v.grows("bag", "Bag", harvest.Bag{Account: coffee, ID: "b1", Lot: "g1", Units: []harvest.Unit{{Grams: 7_000, SSCC: "106141411234567897"}, {Grams: 5_000, SSCC: "106141411234567903"}}}, "coop-maker")
	v.grows("ship", "Ship", harvest.Ship{Account: coffee, ID: "s1", Lots: []tape.ID{"g1", "g2"}, Store: "warehouse"}, "coop-maker")
	v.grows("arrive", "Arrive", harvest.Arrive{Account: coffee, ID: "a1", Lots: []tape.ID{"g1", "g2"}}, "keeper")
	sell := harvest.Sell{Account: coffee, Buyer: "outside:buyer:roaster", Costs: []harvest.Cost{{Amount: cny(1_000), Kind: "transport", Payee: "outside:supplier:lorry"}}, ID: "sale-1", Lots: []tape.ID{"g1"},
		PricePerTonne: cny(3_000_000), Proceeds: cny(36_000)}
	v.by("coop", "Harvest:Sell", v.signedBy("sell", coffee, 36_000, sell, staff...))
	v.by("coop", "Harvest:CorrectSale", v.signedBy("correct-sale", coffee, 36_000, harvest.CorrectSale{Account: coffee, ID: "c3", Reason: "did_not_occur", Sale: "sale-1"}, staff...))
	sell.ID = "sale-2"
	v.by("coop", "Harvest:Sell", v.signedBy("sell", coffee, 36_000, sell, staff...))
}

// TestHarvestTampering changes one thing of an honest harvest. The last column is
// what the books say about it first, by themselves.
func TestHarvestTampering(t *testing.T) {
	v := newVillage(t)
	v.harvested()
	if report := booked(t, v.chain()); len(report.Findings) > 0 {
		t.Fatalf("an honest harvest: %v", report.Findings)
	}
	deliver, mill, sell := place{"Harvest:Deliver", "l1"}, place{"Harvest:Process", "p1"}, place{"Harvest:Sell", "sale-2"}
	for _, test := range []struct {
		name   string
		where  place
		change func(*parts)
		prints string
	}{
		{"a delivery weighs more than it did", deliver, everywhere(`"netGrams":"60000"`, `"netGrams":"60001"`), "lot/coop:coop:coffee/l1, what a delivery weighs net; expected 60000, found 60001"},
		{"a record keeps less than was delivered", deliver, inRecord("lot/", `"grams":"60000"`, `"grams":"50000"`), "lot/coop:coop:coffee/l1, the lot; expected {"},
		{"a delivery is another's", deliver, inRecord("lot/", string(farm("h1")), string(farm("h2"))), "lot/coop:coop:coffee/l1, the lot; expected {"},
		{"nobody delivers", deliver, everywhere(`"person":"h1"`, `"person":"a9"`), "person/a9, whose person signed"},
		{"who delivers weighs", deliver, everywhere(`"person":"coop-maker"`, `"person":"h1"`), "lot/coop:coop:coffee/l1, who weighs is of the store's keeper or the cooperative, and does not deliver; expected coop"},
		{"another organisation carries", deliver, inEntry(`"kind":"deliver","organisation":"coop"`, `"kind":"deliver","organisation":"bank"`), "entry/bank/l1, who carries a command about the harvest of coop:coop:coffee; expected coop, found bank"},
		{"an entry about another scheme", deliver, inEntry(`"subject":"coop:coop:coffee"`, `"subject":"coop:coop:tea"`), "entry/coop/l1, the scheme that the entry names; expected coop:coop:coffee, found coop:coop:tea"},
		{"a yield is widened alone", place{"Harvest:Agree", "agree-1"}, everywhere(`"organisation":"bank","person":"keeper"`, `"organisation":"coop","person":"keeper"`), "harvest/coop:coop:coffee, a second organisation signs what is agreed"},
		{"a household loses a gram", mill, inRecord("composition/", `"grams":"72`, `"grams":"71`), "composition/coop:coop:coffee/g1/0, whose the grams are; expected {"},
		{"less is lost than was", mill, everywhere(`"lossGrams":"83001"`, `"lossGrams":"83000"`), "step/coop:coop:coffee/p1, what is lost; expected 83001, found 83000"},
		{"a lot comes out heavier", mill, inRecord("lot/coop:coop:coffee/g1", `"grams":"12000"`, `"grams":"13000"`), "lot/coop:coop:coffee/g1, the lot; expected {"},
		{"a yield that nobody else signed", place{"Harvest:Process", "p2"}, inEntry(`"organisation":"bank","person":"keeper"`, `"organisation":"coop","person":"keeper"`), "step/coop:coop:coffee/p2, a second organisation signs a yield outside the agreed range"},
		{"bags that weigh more", place{"Harvest:Bag", "b1"}, everywhere(`"grams":"7000"`, `"grams":"7001"`), "bags/coop:coop:coffee/g1, what the bags weigh; expected 12000, found 12001"},
		{"a shipment goes elsewhere", place{"Harvest:Ship", "s1"}, inRecord("move/", `"to":"warehouse"`, `"to":"mill"`), "move/coop:coop:coffee/s1, what was moved; expected {"},
		{"what arrived nobody received", place{"Harvest:Arrive", "a1"}, inEntry(`"organisation":"bank","person":"keeper"`, `"organisation":"coop","person":"keeper"`), "lot/coop:coop:coffee/g1, one of the staff of the organisation signs; expected bank"},
		{"a sale below its price", sell, everywhere(`"proceeds":"360.00 CNY"`, `"proceeds":"350.00 CNY"`), "sale/coop:coop:coffee/sale-2, price times weight; expected 36000, found 35000"},
		{"more is left than the costs leave", sell, inRecord("sale/", `"net":"350.00 CNY"`, `"net":"360.00 CNY"`), "sale/coop:coop:coffee/sale-2, the sale; expected {"},
		{"a household's share of a sale", sell, inRecord("share/", `"grams":"72`, `"grams":"62`), "share/coop:coop:coffee/sale-2/0, whose the grams are; expected {"},
		{"one person sells", sell, inEntry(`"person":"coop-checker"`, `"person":"coop-maker"`), "sale/coop:coop:coffee/sale-2, how many different persons of the staff decided; expected 2 or more, found 1"},
		{"a pledge that the household did not sign", place{"Harvest:Pledge", "pl1"}, inEntry(`"person":"h1"`, `"person":"a1"`), "lot/coop:coop:coffee/l4, whose lot is pledged signs by a key in its own hands"},
		{"a pledge that the lender did not sign", place{"Harvest:Pledge", "pl1"}, inEntry(`"organisation":"bank","person":"keeper"`, `"organisation":"coop","person":"keeper"`), "lot/coop:coop:coffee/l4, one of the staff of the organisation signs; expected bank"},
		{"more is released than was", place{"Harvest:ReleasePledge", "r1"}, inRecord("lot/coop:coop:coffee/l5", `"grams":"3000"`, `"grams":"7000"`), "lot/coop:coop:coffee/l5, the lot; expected {"},
		{"the rest of a pledge is free", place{"Harvest:ReleasePledge", "r1"}, inRecord("lot/coop:coop:coffee/l6", `"pledged":`, `"unpledged":`), "lot/coop:coop:coffee/l6, the lot; expected {"},
		{"a delivery vanishes without its household", place{"Harvest:CorrectDelivery", "c1"}, inEntry(`"person":"a1"`, `"person":"coop-checker"`), "lot/coop:coop:coffee/l3, who delivers is the household or an agent"},
		{"a step is undone for another reason", place{"Harvest:CorrectStep", "c2"}, inRecord("step/", `"reason":"incorrect_data"`, `"reason":"did_not_occur"`), "step/coop:coop:coffee/m0, the step; expected {"},
		{"one person undoes a sale", place{"Harvest:CorrectSale", "c3"}, inEntry(`"person":"coop-checker"`, `"person":"coop-maker"`), "sale/coop:coop:coffee/sale-1, how many different persons of the staff decided; expected 2 or more, found 1"},
		{"a record too many", mill, func(p *parts) {
			p.results[0].Writes = append(p.results[0].Writes, replay.Write{Key: harvest.LotKey(coffee, "gift"), Value: []byte(`{"v":1}`)})
		}, "lot/coop:coop:coffee/gift, the command does not write this record; expected nothing, found {"},
		{"a lot that is used twice", place{"Harvest:Merge", "m1"}, everywhere(`"l1"`, `"l3"`), "lot/coop:coop:coffee/l3, a lot is used that is not free; expected stored, found corrected since coop/c1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			blocks := v.chain()
			rewrite(blocks[test.where.in(blocks)], 0, test.change)
			report := booked(t, blocks)
			var all []string
			for _, f := range report.Findings {
				f.Transaction = ""
				all = append(all, f.String())
			}
			if !strings.Contains(strings.Join(all, "\n"), test.prints) {
				t.Errorf("prints\n%.1500s\nand not\n%s", strings.Join(all[:min(len(all), 6)], "\n"), test.prints)
			}
		})
	}
}
