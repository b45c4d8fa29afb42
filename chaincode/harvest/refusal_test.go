package harvest_test

import (
	"fmt"
	"testing"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Every refusal of every command: what is changed in an allowed situation, and
// the answer. Signatures and counts of approvers are judged by package party.

type agreeing struct {
	C            harvest.Agree
	Organisation string
	Known        *harvest.Terms
	Ctx          tape.Context
}

func TestAgree(t *testing.T) {
	ruletest.Refusals(t, func() agreeing {
		known := terms()
		return agreeing{harvest.Agree{Agreement: agreement(), ID: "agree-2", Account: scheme}, "coop", &known, by("coop", "maker", "checker", "lender@bank")}
	}, func(s agreeing) error {
		after, entry, err := s.C.Apply(s.Organisation, s.Known, s.Ctx)
		if err == nil && (after.Version != 2 || after.Entry != "coop/agree-2" || entry.Subject != string(scheme) || entry.Kind != "agree") {
			return fmt.Errorf("%+v %+v", after, entry)
		}
		return err
	}, []row[agreeing]{
		{func(s *agreeing) { s.Organisation = "coop2" }, "forbidden: coop (role gateway) does not carry commands about the harvest of coop:coop:coffee; the gateway of coop2 does"},
		{func(s *agreeing) { s.Ctx.Role = "admin" }, "forbidden: coop (role admin) does not carry commands"},
		{func(s *agreeing) { s.Ctx.Powers = nil }, "forbidden: field account: coop:coop:coffee is not the account of a cooperative"},
		{func(s *agreeing) { s.C.Account = "lender:coop:fund" }, "forbidden: field account: lender:coop:fund is not the account of a cooperative"},
		{func(s *agreeing) { s.Ctx = by("coop", "maker", "checker") }, "forbidden: one of the staff of another organisation than coop must sign what is agreed too"},
		{func(s *agreeing) { s.Ctx = by("coop", "maker", "checker", "+h@bank") }, "forbidden: one of the staff of another organisation than coop must sign what is agreed too"},
		{func(s *agreeing) { s.C.Agreement.Commodity = "Café" }, "invalid: field agreement.commodity: is not a name"},
		{func(s *agreeing) { s.C.Agreement.Costs = []string{""} }, "invalid: field agreement.costs[0]: is not a name"},
		{func(s *agreeing) { s.C.Agreement.Deductions = []string{"a", "a"} }, "invalid: field agreement.deductions[1]: a stands twice"},
		{func(s *agreeing) { s.C.Agreement.Forms = nil }, "invalid: field agreement.forms: holds 0; 1 to 64 are possible"},
		{func(s *agreeing) { s.C.Agreement.Forms[1].Form = "cherry" }, "invalid: field agreement.forms[1]: cherry stands twice"},
		{func(s *agreeing) { s.C.Agreement.Forms[1].Grades = nil }, "invalid: field agreement.forms[1].grades: holds 0"},
		{func(s *agreeing) { s.C.Agreement.Stores = nil }, "invalid: field agreement.stores: holds 0"},
		{func(s *agreeing) { s.C.Agreement.Stores[0].Organisation = "A" }, "invalid: field agreement.stores[0].organisation: is not a name"},
		{func(s *agreeing) { s.C.Agreement.Processes[0].From = "bean" }, "not-found: field agreement.processes[0].from: the agreement has no form"},
		{func(s *agreeing) { s.C.Agreement.Processes[0].To = "bean" }, "not-found: field agreement.processes[0].to: the agreement has no form"},
		{func(s *agreeing) { s.C.Agreement.Processes[1].Process = "wet-milling" }, "invalid: field agreement.processes[1]: wet-milling stands twice"},
		{func(s *agreeing) { s.C.Agreement.Processes[1].YieldMinPartsPerMillion = 0 }, "invalid: field agreement.processes[1].yieldMinPartsPerMillion: 0 to 850000 is no range"},
		{func(s *agreeing) { s.C.Agreement.Processes[1].YieldMinPartsPerMillion = 850_001 }, "invalid: field agreement.processes[1].yieldMinPartsPerMillion: 850001 to 850000"},
		{func(s *agreeing) { s.C.Agreement.Processes[1].YieldMaxPartsPerMillion = 1_000_001 }, "invalid: field agreement.processes[1].yieldMinPartsPerMillion: 750000 to 1000001"},
	})
}

type delivering struct {
	C         harvest.Deliver
	Household *harvest.Household
	Ctx       tape.Context
}

func TestDeliver(t *testing.T) {
	judge := func(s delivering) error {
		made, _, err := terms().Deliver(s.C, s.Household, s.Ctx)
		if err == nil && (made.Lot.Grams != 20_000 || made.Lot.Household != s.C.Household || made.Lot.State != harvest.Stored || made.Pages() != nil) {
			return fmt.Errorf("%+v", made)
		}
		return err
	}
	ruletest.Refusals(t, func() delivering {
		return delivering{deliver("l1", "h1", 20_000), household("h1"), by("coop", "weigher", "+h1")}
	}, judge, []row[delivering]{
		{func(s *delivering) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not carry commands"},
		{func(s *delivering) { s.C.Store = "shed" }, "not-found: field store: is not one of mill, warehouse"},
		{func(s *delivering) { s.C.Form = "bean" }, "not-found: field form: is not one of cherry, parchment, green"},
		{func(s *delivering) { s.C.Grade = "best" }, "not-found: field grade: is not one of ripe, mixed"},
		{func(s *delivering) { s.C.GrossGrams = 0 }, "invalid: field grossGrams: 0 is not 1 to 1000000000000"},
		{func(s *delivering) { s.C.GrossGrams = harvest.GramsMax + 1 }, "invalid: field grossGrams: 1000000000001 is not"},
		{func(s *delivering) { s.C.TareGrams = -1 }, "invalid: field tareGrams: -1 is not 0 to 21350"},
		{func(s *delivering) { s.C.TareGrams = 21_351 }, "invalid: field tareGrams: 21351 is not 0 to 21350"},
		{func(s *delivering) { s.C.MoisturePartsPerMillion = 1_000_001 }, "invalid: field moisturePartsPerMillion: 1000001 is not"},
		{func(s *delivering) { s.C.Deductions[1].Kind = "friendship" }, "not-found: field deductions[1].kind: is not agreed"},
		{func(s *delivering) { s.C.Deductions[1].Kind = "damaged" }, "invalid: field deductions[1].kind: damaged stands twice"},
		{func(s *delivering) { s.C.Deductions[1].Grams = 0 }, "invalid: field deductions[1].grams: 0 is not 1 to 20050, what is left"},
		{func(s *delivering) { s.C.Deductions[1].Grams = 20_051 }, "invalid: field deductions[1].grams: 20051 is not 1 to 20050"},
		{func(s *delivering) { s.C.Deductions[1].Grams, s.C.NetGrams = 20_050, 0 }, "conflict: field netGrams: is 0; gross less tare and deductions is 0"},
		{func(s *delivering) { s.C.NetGrams++ }, "conflict: field netGrams: is 20001; gross less tare and deductions is 20000"},
		{func(s *delivering) { s.C.NetGrams-- }, "conflict: field netGrams: is 19999; gross less tare and deductions is 20000"},
		{func(s *delivering) { s.C.Harvested = "31.12.2025" }, "invalid: field harvested: is not a date"},
		{func(s *delivering) { s.C.Harvested = "2026-01-02" }, "invalid: field harvested: is 2026-01-02, not within the 366 days before 2026-01-01"},
		{func(s *delivering) { s.C.Harvested = "2024-12-30" }, "invalid: field harvested: is 2024-12-30, not within"},
		{func(s *delivering) { s.Household = nil }, "not-found: field household: household:"},
		{func(s *delivering) { s.Household.Admitted = false }, "wrong-state: field household: household:"},
		{func(s *delivering) { s.Ctx = by("coop", "weigher") }, "forbidden: the person of household:"},
		{func(s *delivering) { s.Ctx = by("coop", "weigher", "+h2") }, "forbidden: the person of household:"},
		{func(s *delivering) { s.Household.Person = "" }, "forbidden: the person of household:"},
		{func(s *delivering) { s.Ctx = by("coop", "weigher", "*a1@bank") }, "forbidden: the person of household:"},
		{func(s *delivering) { s.Household.Agent, s.Ctx = "a2", by("coop", "weigher", "*a1") }, "forbidden: the person of household:"},
		{func(s *delivering) { s.Ctx = by("coop", "+h1") }, "forbidden: who weighed must sign: one of the staff of coop or coop, who does not deliver"},
		{func(s *delivering) { s.Ctx = by("coop", "h1") }, "forbidden: who weighed must sign"},
		{func(s *delivering) { s.Ctx = by("coop", "weigher@insurer", "+h1") }, "forbidden: who weighed must sign"},
		{func(s *delivering) { s.Ctx = held("agent-held", by("coop", "weigher", "+h1")) }, "forbidden: who weighed must sign"},
	})
	for name, s := range map[string]delivering{
		"an agent of the cooperative": {deliver("l1", "h1", 20_000), household("h1"), by("coop", "weigher", "*a1")},
		"the agent who serves it":     {deliver("l1", "h1", 20_000), &harvest.Household{Household: family("h1"), Agent: "a1", Admitted: true}, by("coop", "weigher", "*a1@regulator")},
	} {
		made, _, err := terms().Deliver(s.C, s.Household, s.Ctx)
		if err != nil || made.Lot.Delivery.By.Duty != "agent" || made.Lot.Delivery.By.Person != "a1" || made.Lot.Delivery.Weigher.Person != "weigher" {
			t.Errorf("%s: %v %+v", name, err, made.Lot.Delivery)
		}
	}
	at := deliver("l1", "h1", 20_000)
	at.Store = "warehouse"
	if _, _, err := terms().Deliver(at, household("h1"), by("coop", "keeper@bank", "+h1")); err != nil {
		t.Errorf("at the warehouse its keeper weighs: %v", err)
	}
}

type merging struct {
	C      harvest.Merge
	Inputs []*harvest.Stock
	Ctx    tape.Context
}

func TestMerge(t *testing.T) {
	many := make([]tape.ID, harvest.LotsMax+1)
	ruletest.Refusals(t, func() merging {
		return merging{harvest.Merge{ID: "m1", Lots: []tape.ID{"l1", "l2"}, Account: scheme},
			[]*harvest.Stock{stock(t, "l1", "cherry", "ripe", "mill", share("h1", 100)), stock(t, "l2", "cherry", "ripe", "mill", share("h2", 50))}, by("coop", "maker")}
	}, func(s merging) error {
		change, _, err := terms().Merge(s.C, s.Inputs, s.Ctx)
		if err == nil && (change.New[0].Lot.Grams != 150 || change.Step.LossGrams != 0 || change.Lots[0].State != harvest.Consumed || change.New[0].Lot.Composition.Households != 2) {
			return fmt.Errorf("%+v", change)
		}
		return err
	}, []row[merging]{
		{func(s *merging) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not carry"},
		{func(s *merging) { s.C.Lots = s.C.Lots[:1] }, "invalid: field lots: holds 1; 2 to 200 are possible"},
		{func(s *merging) { s.C.Lots = many }, "invalid: field lots: holds 201; 2 to 200 are possible"},
		{func(s *merging) { s.C.Lots[1] = "l1" }, "invalid: field lots[1]: l1 stands twice"},
		{func(s *merging) { s.Inputs[1] = nil }, "not-found: field lots[1]: there is no lot l2"},
		{func(s *merging) { s.Inputs[1].Lot.State = harvest.Sold }, "wrong-state: field lots[1]: lot l2 is sold, by entry coop/l2"},
		{func(s *merging) { s.Inputs[1].Lot.State = harvest.Shipped }, "wrong-state: field lots[1]: lot l2 is shipped"},
		{func(s *merging) { s.Inputs[1].Lot.Pledged = &harvest.Pledged{Lender: "bank", Entry: "coop/p1"} }, "wrong-state: field lots[1]: lot l2 is pledged to bank, by entry coop/p1"},
		{func(s *merging) { s.Inputs[1].Lot.Grams = harvest.GramsMax }, "invalid: field lots: weigh more than 1000000000000 g"},
		{func(s *merging) { s.Inputs[1].Lot.Grade = "mixed" }, "conflict: field lots[1]: lot l2 is cherry mixed in mill, lot l1 cherry ripe in mill"},
		{func(s *merging) { s.Inputs[1].Lot.Form = "green" }, "conflict: field lots[1]: lot l2 is green ripe"},
		{func(s *merging) { s.Inputs[1].Lot.Store = "warehouse" }, "conflict: field lots[1]: lot l2 is cherry ripe in warehouse"},
		{func(s *merging) { s.Ctx = by("coop", "lender@bank") }, "forbidden: one of the staff of coop must sign"},
	})
}

type processing struct {
	C      harvest.Run
	Inputs []*harvest.Stock
	Ctx    tape.Context
}

func TestProcess(t *testing.T) {
	ruletest.Refusals(t, func() processing {
		return processing{harvest.Run{ID: "p1", LossGrams: 8_000, Lots: []tape.ID{"l1"}, Outputs: []harvest.Output{{Grade: "a", Grams: 1_500, Lot: "o1"}, {Grade: "b", Grams: 500, Lot: "o2"}},
			Process: "wet-milling", Account: scheme}, []*harvest.Stock{stock(t, "l1", "cherry", "ripe", "mill", share("h1", 7_000), share("h2", 3_000))}, by("coop", "maker")}
	}, func(s processing) error {
		change, _, err := terms().Process(s.C, s.Inputs, s.Ctx)
		if err == nil && (change.Step.LossGrams != s.C.LossGrams || change.Step.Terms != 1 || change.New[0].Lot.Form != "parchment" || change.New[1].Lot.Grade != "b" || change.New[0].Lot.Made != "p1") {
			return fmt.Errorf("%+v", change)
		}
		return err
	}, []row[processing]{
		{func(s *processing) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not carry"},
		{func(s *processing) { s.C.Process = "roasting" }, "not-found: field process: is not one of wet-milling, hulling, sorting"},
		{func(s *processing) { s.C.Lots, s.Inputs = nil, nil }, "invalid: field lots: holds 0; 1 to 200"},
		{func(s *processing) { s.Inputs[0].Lot.Pledged = &harvest.Pledged{Lender: "bank"} }, "wrong-state: field lots[0]: lot l1 is pledged to bank"},
		{func(s *processing) { s.C.Process = "hulling" }, "conflict: field lots: are cherry; hulling begins with parchment"},
		{func(s *processing) { s.C.Outputs = nil }, "invalid: field outputs: holds 0; 1 to 200"},
		{func(s *processing) { s.C.Outputs[1].Lot = "" }, "invalid: field outputs[1].lot: is not an id"},
		{func(s *processing) { s.C.Outputs[1].Lot = "o1" }, "invalid: field outputs[1].lot: o1 stands twice"},
		{func(s *processing) { s.C.Outputs[1].Grade = "ripe" }, "not-found: field outputs[1].grade: is not one of a, b"},
		{func(s *processing) { s.C.Outputs[1].Grams = 0 }, "invalid: field outputs[1].grams: 0 is not"},
		{func(s *processing) { s.C.Outputs[1].Grams = harvest.GramsMax }, "invalid: field outputs[1].grams: 1000000000000 is not 1 to 999999998500"},
		{func(s *processing) { s.C.LossGrams++ }, "conflict: field lossGrams: is 8001; 10000 g went in and 2000 g came out"},
		{func(s *processing) { s.C.Outputs[1].Grams, s.C.LossGrams = 9_000, -500 }, "conflict: field lossGrams: is -500; 10000 g went in and 10500 g came out"},
		{func(s *processing) { s.C.Outputs[1].Grams, s.C.LossGrams = 1_001, 7_499 }, "forbidden: field outputs: one of the staff of another organisation than coop must sign a yield outside"},
		{func(s *processing) { s.C.Outputs[1].Grams, s.C.LossGrams = 299, 8_201 }, "forbidden: field outputs: one of the staff of another organisation than coop must sign a yield outside"},
		{func(s *processing) { s.Ctx = by("coop", "lender@bank") }, "forbidden: one of the staff of coop must sign"},
	})
	for grams, exception := range map[int64]bool{300: false, 1_000: false, 1_001: true, 299: true} {
		c := harvest.Run{ID: "p1", LossGrams: 8_500 - grams, Lots: []tape.ID{"l1"}, Outputs: []harvest.Output{{Grade: "a", Grams: 1_500, Lot: "o1"}, {Grade: "b", Grams: grams, Lot: "o2"}}, Process: "wet-milling", Account: scheme}
		change, _, err := terms().Process(c, []*harvest.Stock{stock(t, "l1", "cherry", "ripe", "mill", share("h1", 10_000))}, by("coop", "maker", "lender@bank"))
		if err != nil || change.Step.Exception != exception {
			t.Errorf("%d g of 10,000: exception %v, %v", 1_500+grams, change.Step.Exception, err)
		}
	}
}

type bagging struct {
	C     harvest.Bag
	Lot   *harvest.Lot
	Borne []bool
	Ctx   tape.Context
}

func TestBag(t *testing.T) {
	many := make([]harvest.Unit, harvest.BagsMax+1)
	ruletest.Refusals(t, func() bagging {
		return bagging{harvest.Bag{ID: "b1", Lot: "l1", Account: scheme, Units: []harvest.Unit{{Grams: 60_000, SSCC: "106141411234567897"}, {Grams: 40_000, SSCC: "106141411234567903"}}},
			&stock(t, "l1", "green", "a", "mill", share("h1", 100_000)).Lot, []bool{false, false}, by("coop", "maker")}
	}, func(s bagging) error {
		lot, bags, _, err := terms().Bag(s.C, s.Lot, s.Borne, s.Ctx)
		if err == nil && (lot.Bags != 2 || len(bags.Units) != 2) {
			return fmt.Errorf("%+v %+v", lot, bags)
		}
		return err
	}, []row[bagging]{
		{func(s *bagging) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not carry"},
		{func(s *bagging) { s.C.Units = nil }, "invalid: field units: holds 0; 1 to 400"},
		{func(s *bagging) { s.C.Units = many }, "invalid: field units: holds 401; 1 to 400"},
		{func(s *bagging) { s.C.Units[1].SSCC = "106141411234567904" }, "invalid: field units[1].sscc: has a wrong check digit"},
		{func(s *bagging) { s.C.Units[1].SSCC = "016141411234567904" }, "invalid: field units[1].sscc: has a wrong check digit"},
		{func(s *bagging) { s.C.Units[1].SSCC = "10614141123456790x" }, "invalid: field units[1].sscc: is not 18 digits"},
		{func(s *bagging) { s.C.Units[1].SSCC = "0" }, "invalid: field units[1].sscc: is not 18 digits"},
		{func(s *bagging) { s.C.Units[1].SSCC = s.C.Units[0].SSCC }, "invalid: field units[1].sscc: 106141411234567897 stands twice"},
		{func(s *bagging) { s.C.Units[1].Grams = 0 }, "invalid: field units[1].grams: 0 is not"},
		{func(s *bagging) { s.Lot = nil }, "not-found: field lot: there is no lot l1"},
		{func(s *bagging) { s.Lot.State = harvest.Sold }, "wrong-state: field lot: lot l1 is sold"},
		{func(s *bagging) { s.Lot.Bags = 3 }, "wrong-state: field lot: lot l1 is in 3 bags already"},
		{func(s *bagging) { s.Borne[1] = true }, "exists: field units[1].sscc: a bag has borne 106141411234567903 before"},
		{func(s *bagging) { s.C.Units[1].Grams++ }, "conflict: field units: weigh 100001 g; lot l1 weighs 100000 g"},
		{func(s *bagging) { s.Ctx = by("coop", "keeper@bank") }, "forbidden: one of the staff of coop must sign"},
	})
}

type shipping struct {
	C    harvest.Ship
	Lots []*harvest.Lot
	Ctx  tape.Context
}

func TestShip(t *testing.T) {
	ruletest.Refusals(t, func() shipping {
		return shipping{harvest.Ship{ID: "s1", Lots: []tape.ID{"l1"}, Account: scheme, Store: "warehouse"}, []*harvest.Lot{&stock(t, "l1", "green", "a", "mill", share("h1", 100)).Lot}, by("coop", "maker")}
	}, func(s shipping) error {
		lots, move, _, err := terms().Ship(s.C, s.Lots, s.Ctx)
		if err == nil && (lots[0].State != harvest.Shipped || lots[0].Store != s.C.Store || move.From[0] != "mill" || move.To != "warehouse" || move.Lots[0].Grams != 100) {
			return fmt.Errorf("%+v", lots)
		}
		return err
	}, []row[shipping]{
		{func(s *shipping) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not carry"},
		{func(s *shipping) { s.C.Store = "shed" }, "not-found: field store: is not one of"},
		{func(s *shipping) { s.C.Lots = nil }, "invalid: field lots: holds 0"},
		{func(s *shipping) { s.Lots[0].Pledged = &harvest.Pledged{Lender: "bank"} }, "wrong-state: field lots[0]: lot l1 is pledged to bank"},
		{func(s *shipping) { s.Lots[0].State = harvest.Shipped }, "wrong-state: field lots[0]: lot l1 is shipped"},
		{func(s *shipping) { s.C.Store = "mill" }, "wrong-state: field lots[0]: lot l1 is in mill already"},
		{func(s *shipping) { s.Ctx = by("coop", "keeper@bank") }, "forbidden: field lots[0]: one of the staff of coop must sign"},
		{func(s *shipping) { s.C.Store, s.Lots[0].Store = "mill", "warehouse" }, "forbidden: field lots[0]: one of the staff of bank must sign"},
		{func(s *shipping) { s.Lots[0].Store, s.Ctx = "closed", by("coop", "keeper@bank") }, "forbidden: field lots[0]: one of the staff of coop must sign"},
	})
}

type arriving struct {
	C    harvest.Arrive
	Lots []*harvest.Lot
	Ctx  tape.Context
}

func TestArrive(t *testing.T) {
	ruletest.Refusals(t, func() arriving {
		s := arriving{harvest.Arrive{ID: "a1", Lots: []tape.ID{"l1"}, Account: scheme}, []*harvest.Lot{&stock(t, "l1", "green", "a", "warehouse", share("h1", 100)).Lot}, by("coop", "keeper@bank")}
		s.Lots[0].State = harvest.Shipped
		return s
	}, func(s arriving) error {
		lots, move, _, err := terms().Arrive(s.C, s.Lots, s.Ctx)
		if err == nil && (lots[0].State != harvest.Stored || lots[0].Store != "warehouse" || move.From != nil || move.To != "warehouse") {
			return fmt.Errorf("%+v", lots)
		}
		return err
	}, []row[arriving]{
		{func(s *arriving) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not carry"},
		{func(s *arriving) { s.C.Lots = nil }, "invalid: field lots: holds 0"},
		{func(s *arriving) { s.Lots[0] = nil }, "not-found: field lots[0]: there is no lot l1"},
		{func(s *arriving) { s.Lots[0].State = harvest.Stored }, "wrong-state: field lots[0]: lot l1 is stored, not on its way"},
		{func(s *arriving) { s.Ctx = by("coop", "maker") }, "forbidden: one of the staff of bank must sign"},
		{func(s *arriving) {
			s.C.Lots = append(s.C.Lots, "l2")
			s.Lots = append(s.Lots, &harvest.Lot{ID: "l2", State: harvest.Shipped, Store: "mill"})
		}, "conflict: field lots[1]: lot l2 goes to mill, lot l1 to warehouse"},
	})
}

type selling struct {
	C    harvest.Sell
	Lots []*harvest.Stock
	Ctx  tape.Context
}

func TestSell(t *testing.T) {
	ruletest.Refusals(t, func() selling {
		return selling{harvest.Sell{Buyer: "outside:buyer:roaster", Costs: []harvest.Cost{{Amount: cny(500), Kind: "transport", Payee: "outside:supplier:lorry"}}, ID: "sale-1", Lots: []tape.ID{"l1", "l2"},
			PricePerTonne: cny(30_000_00), Proceeds: cny(45_00), Account: scheme},
			[]*harvest.Stock{stock(t, "l1", "green", "a", "mill", share("h1", 900)), stock(t, "l2", "green", "a", "mill", share("h1", 100), share("h2", 500))}, by("coop", "maker", "checker")}
	}, func(s selling) error {
		sale, shares, lots, _, err := terms().Sell(s.C, s.Lots, "CNY", s.Ctx)
		if err == nil && (sale.Net != cny(40_00) || sale.Grams != 1500 || len(shares) != 2 || lots[1].State != harvest.Sold || lots[1].Sale != "sale-1" || sale.Composition.Households != 2) {
			return fmt.Errorf("%+v %+v", sale, shares)
		}
		return err
	}, []row[selling]{
		{func(s *selling) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not carry"},
		{func(s *selling) { s.C.Lots = nil }, "invalid: field lots: holds 0"},
		{func(s *selling) { s.Lots[1].Lot.Pledged = &harvest.Pledged{Lender: "bank"} }, "wrong-state: field lots[1]: lot l2 is pledged to bank"},
		{func(s *selling) { s.Lots[1].Lot.State = harvest.Sold }, "wrong-state: field lots[1]: lot l2 is sold"},
		{func(s *selling) { s.Lots[1].Lot.Grade = "b" }, "conflict: field lots[1]: lot l2 is green b"},
		{func(s *selling) { s.C.Buyer = "roaster" }, "invalid: field buyer: is not an account"},
		{func(s *selling) { s.C.Buyer = scheme }, "invalid: field buyer: coop:coop:coffee does not buy from itself"},
		{func(s *selling) { s.C.PricePerTonne = cny(0) }, "invalid: field pricePerTonne: 0.00 CNY is not more than zero"},
		{func(s *selling) { s.C.Proceeds.Currency = "USD" }, "invalid: field proceeds: 45.00 USD is not in CNY"},
		{func(s *selling) { s.C.Proceeds.Units++ }, "conflict: field proceeds: is 45.01 CNY; 1500 g at 30000.00 CNY a tonne are 4500 minor units"},
		{func(s *selling) { s.C.Proceeds.Units-- }, "conflict: field proceeds: is 44.99 CNY"},
		{func(s *selling) { s.C.Costs[0].Kind = "bribe" }, "not-found: field costs[0].kind: is not agreed"},
		{func(s *selling) { s.C.Costs[0].Payee = "x" }, "invalid: field costs[0].payee: is not an account"},
		{func(s *selling) { s.C.Costs[0].Amount = cny(-1) }, "invalid: field costs[0].amount: -0.01 CNY is not more than zero"},
		{func(s *selling) { s.C.Costs[0].Amount = cny(45_00) }, "insufficient: field costs[0].amount: is 45.00 CNY; of the proceeds 45.00 CNY are left"},
		{func(s *selling) { s.C.Costs = make([]harvest.Cost, harvest.ListMax+1) }, "invalid: field costs: holds 65; 64 at most"},
	})
	rounded := harvest.Sell{Buyer: "outside:buyer:roaster", ID: "sale-1", Lots: []tape.ID{"l1"}, PricePerTonne: cny(1_000), Account: scheme}
	for grams, units := range map[int64]int64{1_500: 2, 1_499: 1, 500: 1, 2_500_001: 2_500} {
		rounded.Proceeds = cny(units)
		if _, _, _, _, err := terms().Sell(rounded, []*harvest.Stock{stock(t, "l1", "green", "a", "mill", share("h1", grams))}, "CNY", by("coop", "maker", "checker")); err != nil {
			t.Errorf("%d g at 10.00 CNY a tonne: %v", grams, err)
		}
	}
}

func TestSettle(t *testing.T) {
	entry := by("coop").Entry("settle-1", "settle", string(scheme))
	settled, err := harvest.Sale{ID: "sale-1", State: harvest.SaleOpen}.Settle(entry)
	if err != nil || settled.State != harvest.SaleSettled || settled.Settled != "coop/settle-1" {
		t.Errorf("%v %+v", err, settled)
	}
	if _, err := settled.Settle(entry); fmt.Sprint(err) != "wrong-state: sale sale-1 is settled" {
		t.Error(err)
	}
}

type pledging struct {
	C         harvest.Pledge
	Lot       *harvest.Lot
	Household *harvest.Household
	Lends     bool
	Debt      *harvest.Debt
	Ctx       tape.Context
}

func TestPledge(t *testing.T) {
	ruletest.Refusals(t, func() pledging {
		return pledging{harvest.Pledge{ID: "pl1", Lender: "bank", Loan: "loan-1", Lot: "l1", Account: scheme}, &stock(t, "l1", "green", "a", "warehouse", share("h1", 100)).Lot,
			household("h1"), true, nil, by("coop", "maker", "checker", "lender@bank", "+h1")}
	}, func(s pledging) error {
		lot, security, _, err := terms().Pledge(s.C, s.Lot, s.Household, s.Lends, s.Debt, s.Ctx)
		if err == nil && (security != nil || lot.Pledged.Lender != "bank" || lot.Pledged.Loan != "loan-1" || lot.Pledged.Entry != "coop/pl1") {
			return fmt.Errorf("%+v", lot)
		}
		return err
	}, []row[pledging]{
		{func(s *pledging) { s.Ctx.Organisation = "insurer" }, "forbidden: insurer (role gateway) does not carry"},
		{func(s *pledging) { s.C.Loan = "" }, "invalid: field loan: is not an id"},
		{func(s *pledging) { s.Lends = false }, "forbidden: field lender: bank is not another organisation that holds the power of a lender"},
		{func(s *pledging) { s.C.Lender = "coop" }, "forbidden: field lender: coop is not another organisation"},
		{func(s *pledging) { s.C.Lender, s.Lends = "Zhang San", false }, "forbidden: field lender: (no organisation) is not another organisation"},
		{func(s *pledging) { s.Lot = nil }, "not-found: field lot: there is no lot l1"},
		{func(s *pledging) { s.Lot.Pledged = &harvest.Pledged{Lender: "bank", Entry: "coop/p0"} }, "wrong-state: field lot: lot l1 is pledged to bank, by entry coop/p0"},
		{func(s *pledging) { s.Lot.State = harvest.Shipped }, "wrong-state: field lot: lot l1 is shipped"},
		{func(s *pledging) { s.Ctx = by("coop", "maker", "checker", "+h1") }, "forbidden: one of the staff of bank must sign"},
		{func(s *pledging) { s.Lot.Store, s.Ctx = "mill", by("coop", "lender@bank", "+h1") }, "forbidden: one of the staff of coop must sign"},
		{func(s *pledging) { s.Ctx = by("coop", "maker", "checker", "lender@bank") }, "forbidden: lot l1 is that of household:"},
		{func(s *pledging) { s.Ctx.Approvals[3].Custody = "gateway-held" }, "forbidden: lot l1 is that of household:"},
		{func(s *pledging) { s.Household = nil }, "forbidden: lot l1 is that of household:"},
		{func(s *pledging) { s.C.CoverPartsPerMillion = 1 }, "not-found: field loan: there is no loan loan-1 in coop:coop:coffee; a pledge for another debt is released by the lender's word"},
		{func(s *pledging) { s.C.ValuePerTonne = cny(1) }, "not-found: field loan: there is no loan loan-1 in coop:coop:coffee"},
	})
	merged := stock(t, "l1", "green", "a", "warehouse", share("h1", 100), share("h2", 1)).Lot
	if _, _, _, err := terms().Pledge(harvest.Pledge{ID: "pl1", Lender: "bank", Loan: "loan-1", Lot: "l1", Account: scheme}, &merged, nil, true, nil, by("coop", "maker", "checker", "lender@bank")); err != nil {
		t.Errorf("what several delivered the cooperative pledges: %v", err)
	}
}

type releasing struct {
	C     harvest.ReleasePledge
	Stock *harvest.Stock
	Ctx   tape.Context
}

func TestReleasePledge(t *testing.T) {
	ruletest.Refusals(t, func() releasing {
		s := releasing{harvest.ReleasePledge{Free: "l2", Grams: 30, ID: "r1", Lot: "l1", Rest: "l3", Account: scheme}, stock(t, "l1", "green", "a", "warehouse", share("h1", 60), share("h2", 40)), by("bank", "lender")}
		s.Stock.Lot.Pledged = &harvest.Pledged{Lender: "bank", Loan: "loan-1", Entry: "coop/p1"}
		return s
	}, func(s releasing) error {
		change, _, _, err := terms().ReleasePledge(s.C, s.Stock, nil, s.Ctx)
		if err == nil && (change.New[0].Lot.Pledged != nil || change.New[1].Lot.Pledged.Loan != "loan-1" || change.New[0].Lot.Grams != 30 || change.New[1].Shares[0].Grams+change.New[1].Shares[1].Grams != 70 ||
			change.Lots[0].State != harvest.Consumed || change.Lots[0].Pledged != nil || change.Step.LossGrams != 0) {
			return fmt.Errorf("%+v", change)
		}
		return err
	}, []row[releasing]{
		{func(s *releasing) { s.Stock = nil }, "not-found: field lot: there is no lot l1"},
		{func(s *releasing) { s.Stock.Lot.Pledged = nil }, "wrong-state: field lot: lot l1 is not pledged"},
		{func(s *releasing) { s.Ctx = by("insurer", "lender@bank") }, "forbidden: insurer (role gateway) does not release lot l1; the gateway of bank or coop does"},
		{func(s *releasing) { s.Ctx.Role = "auditor" }, "forbidden: bank (role auditor) does not release lot l1"},
		{func(s *releasing) { s.C.Grams = 0 }, "invalid: field grams: 0 is not 1 to 100, the weight of lot l1"},
		{func(s *releasing) { s.C.Grams = 101 }, "invalid: field grams: 101 is not 1 to 100"},
		{func(s *releasing) { s.C.Grams = 100 }, "invalid: field free: the whole of lot l1 is released; it keeps its name"},
		{func(s *releasing) { s.C.Rest = "l2" }, "invalid: field rest: the free lot and the one that stays pledged need two names"},
		{func(s *releasing) { s.C.Free = "" }, "invalid: field free: is not an id"},
		{func(s *releasing) { s.C.Rest = "" }, "invalid: field rest: is not an id"},
		{func(s *releasing) { s.Ctx = by("coop", "maker", "checker") }, "forbidden: one of the staff of bank must sign"},
	})
	whole := stock(t, "l1", "green", "a", "warehouse", share("h1", 60))
	whole.Lot.Pledged = &harvest.Pledged{Lender: "bank"}
	change, _, _, err := terms().ReleasePledge(harvest.ReleasePledge{Grams: 60, ID: "r1", Lot: "l1", Account: scheme}, whole, nil, by("coop", "lender@bank"))
	if err != nil || len(change.New) != 0 || change.Lots[0].Pledged != nil || change.Lots[0].State != harvest.Stored {
		t.Errorf("the whole: %v %+v", err, change)
	}
}

type correctingDelivery struct {
	C         harvest.CorrectDelivery
	Lot       *harvest.Lot
	Household *harvest.Household
	Ctx       tape.Context
}

func TestCorrectDelivery(t *testing.T) {
	ruletest.Refusals(t, func() correctingDelivery {
		lot := stock(t, "l1", "cherry", "ripe", "mill", share("h1", 100)).Lot
		lot.Delivery = &harvest.Delivery{}
		return correctingDelivery{harvest.CorrectDelivery{ID: "c1", Lot: "l1", Reason: "incorrect_data", Account: scheme}, &lot, household("h1"), by("coop", "weigher", "+h1")}
	}, func(s correctingDelivery) error {
		lot, _, err := terms().CorrectDelivery(s.C, s.Lot, s.Household, s.Ctx)
		if err == nil && (lot.State != harvest.Corrected || lot.Entry != "coop/c1" || lot.Delivery.Corrected.Reason != "incorrect_data") {
			return fmt.Errorf("%+v", lot)
		}
		return err
	}, []row[correctingDelivery]{
		{func(s *correctingDelivery) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not carry"},
		{func(s *correctingDelivery) { s.C.Reason = "because" }, "invalid: field reason: is not one of did_not_occur, incorrect_data"},
		{func(s *correctingDelivery) { s.Lot = nil }, "not-found: field lot: there is no delivery l1"},
		{func(s *correctingDelivery) { s.Lot.Delivery = nil }, "not-found: field lot: there is no delivery l1"},
		{func(s *correctingDelivery) { s.Lot.State = harvest.Consumed }, "wrong-state: field lot: lot l1 is consumed"},
		{func(s *correctingDelivery) { s.Lot.Pledged = &harvest.Pledged{Lender: "bank"} }, "wrong-state: field lot: lot l1 is pledged"},
		{func(s *correctingDelivery) { s.Household = nil }, "not-found: field lot: household:"},
		{func(s *correctingDelivery) { s.Ctx = by("coop", "weigher", "checker") }, "forbidden: the person of household:"},
		{func(s *correctingDelivery) { s.Ctx = by("coop", "+h1") }, "forbidden: who weighed must sign"},
	})
}

type correctingStep struct {
	C               harvest.CorrectStep
	Step            *harvest.Step
	Inputs, Outputs []harvest.Lot
	Ctx             tape.Context
}

func TestCorrectStep(t *testing.T) {
	ruletest.Refusals(t, func() correctingStep {
		input := stock(t, "l1", "cherry", "ripe", "mill", share("h1", 10_000))
		change, _, err := terms().Process(harvest.Run{ID: "p1", LossGrams: 8_000, Lots: []tape.ID{"l1"}, Outputs: []harvest.Output{{Grade: "a", Grams: 2_000, Lot: "o1"}}, Process: "wet-milling", Account: scheme},
			[]*harvest.Stock{input}, by("coop", "maker"))
		if err != nil {
			t.Fatal(err)
		}
		return correctingStep{harvest.CorrectStep{ID: "c1", Reason: "did_not_occur", Account: scheme, Step: "p1"}, &change.Step, change.Lots, []harvest.Lot{change.New[0].Lot}, by("coop", "maker", "checker")}
	}, func(s correctingStep) error {
		step, lots, _, err := terms().CorrectStep(s.C, s.Step, s.Inputs, s.Outputs, s.Ctx)
		if err == nil && (step.Corrected.Entry != "coop/c1" || lots[0].State != harvest.Stored || lots[0].Consumed != "" || lots[1].State != harvest.Corrected) {
			return fmt.Errorf("%+v %+v", step, lots)
		}
		return err
	}, []row[correctingStep]{
		{func(s *correctingStep) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not carry"},
		{func(s *correctingStep) { s.C.Reason = "" }, "invalid: field reason: is not one of"},
		{func(s *correctingStep) { s.Step = nil }, "not-found: field step: there is no step p1"},
		{func(s *correctingStep) { s.Step.Corrected = &harvest.Correction{Entry: "coop/c0"} }, "wrong-state: field step: step p1 was undone by entry coop/c0"},
		{func(s *correctingStep) { s.Step.Kind = harvest.Divided }, "wrong-state: field step: step p1 divided a pledged lot and stands"},
		{func(s *correctingStep) { s.Outputs[0].State = harvest.Consumed }, "wrong-state: field step: lot o1 is consumed"},
		{func(s *correctingStep) { s.Outputs[0].Pledged = &harvest.Pledged{Lender: "bank"} }, "wrong-state: field step: lot o1 is pledged to bank"},
		{func(s *correctingStep) { s.Outputs[0].Bags = 2 }, "wrong-state: field step: lot o1 is in 2 bags"},
	})
}

type correctingSale struct {
	C    harvest.CorrectSale
	Sale harvest.Sale
	Lots []harvest.Lot
	Ctx  tape.Context
}

func TestCorrectSale(t *testing.T) {
	ruletest.Refusals(t, func() correctingSale {
		lot := stock(t, "l1", "green", "a", "mill", share("h1", 100)).Lot
		lot.State, lot.Sale = harvest.Sold, "sale-1"
		return correctingSale{harvest.CorrectSale{ID: "c1", Reason: "incorrect_data", Sale: "sale-1", Account: scheme}, harvest.Sale{ID: "sale-1", State: harvest.SaleOpen, Proceeds: cny(1), Net: cny(1), PricePerTonne: cny(1)},
			[]harvest.Lot{lot}, by("coop", "maker", "checker")}
	}, func(s correctingSale) error {
		sale, lots, _, err := terms().CorrectSale(s.C, s.Sale, s.Lots, s.Ctx)
		if err == nil && (sale.State != harvest.SaleCorrected || sale.Corrected.Entry != "coop/c1" || lots[0].State != harvest.Stored || lots[0].Sale != "") {
			return fmt.Errorf("%+v %+v", sale, lots)
		}
		return err
	}, []row[correctingSale]{
		{func(s *correctingSale) { s.Ctx.Organisation = "bank" }, "forbidden: bank (role gateway) does not carry"},
		{func(s *correctingSale) { s.C.Reason = "" }, "invalid: field reason: is not one of"},
		{func(s *correctingSale) { s.Sale.State = harvest.SaleSettled }, "wrong-state: field sale: sale sale-1 is settled"},
	})
}
