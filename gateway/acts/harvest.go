package acts

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

func harvestActs() []Act { return slices.Concat(storeActs(), saleActs(), correctionActs()) }

// storeActs go from what is agreed to bags that lie in a store.
func storeActs() []Act {
	under := func(f Field, path string) Field { return f.at("agreement." + path) }
	lots := kind("lots", Names).need()
	return []Act{
		plain("agree", "Harvest:Agree", "", []Field{under(line("commodity"), "commodity").need(), under(rows("forms", line("form"), kind("grades", Names)), "forms").need(),
			under(rows("stores", line("store"), kind("keeper", Name).at("organisation")), "stores").need(), under(kind("deductions", Names), "deductions"), under(kind("costs", Names), "costs"),
			under(rows("processes", line("process"), line("from-form").at("from"), line("to-form").at("to"), kind("yield-min", Share).at("yieldMinPartsPerMillion"), kind("yield-max", Share).at("yieldMaxPartsPerMillion")), "processes")},
			func(g *ground, _ harvest.Agree) []Signer { return append(g.staff(money.Amount{}), g.others(1)...) }),
		about("deliver", "Harvest:Deliver", "", []Field{kind("household", Account).need(), line("form").need(), line("grade").need(), kind("gross", Number).at("grossGrams").need(), kind("tare", Number).at("tareGrams"),
			rows("deducted", line("deduction").at("kind"), kind("grams", Number)).at("deductions"), kind("moisture", Share).at("moisturePartsPerMillion"), line("store").need(), kind("harvested", Day).need(), kind("agent", Name)},
			steps[harvest.Deliver]{finish: func(f *form, c *harvest.Deliver) {
				c.NetGrams = c.GrossGrams - c.TareGrams
				for _, d := range c.Deductions {
					c.NetGrams -= d.Grams
				}
				f.ground.agent = f.name("agent")
			}}, func(g *ground, c harvest.Deliver) []Signer { return append(g.own(1), g.delivers(c.Household)...) }).to(servers).on(SchemePage, HouseholdPage),
		plain("merge", "Harvest:Merge", "", []Field{lots}, oneOfStaff[harvest.Merge]).to(deciders),
		about("process", "Harvest:Process", "", []Field{line("process").need(), lots, rows("outputs", kind("lot", Name), line("grade"), kind("grams", Number)).need(), kind("loss", Number).at("lossGrams"), kind("second", Name)},
			steps[harvest.Run]{finish: func(f *form, _ *harvest.Run) { f.ground.second = f.text("second") }}, func(g *ground, _ harvest.Run) []Signer {
				if g.second != "" { // outside the agreed yield
					return append(g.own(1), Signer{Organisation: g.second})
				}
				return g.own(1)
			}).to(deciders),
		plain("bag", "Harvest:Bag", "lot", []Field{rows("bags", line("sscc"), kind("grams", Number)).at("units").need()}, oneOfStaff[harvest.Bag]).to(deciders),
		about("ship", "Harvest:Ship", "", []Field{lots, line("store").need(), kind("keeper", Name)}, steps[harvest.Ship]{finish: func(f *form, _ *harvest.Ship) { f.ground.second = f.text("keeper") }}, keeperSigns[harvest.Ship]).to(deciders),
		about("arrive", "Harvest:Arrive", "", []Field{lots, kind("keeper", Name)}, steps[harvest.Arrive]{finish: func(f *form, _ *harvest.Arrive) { f.ground.second = f.text("keeper") }}, keeperSigns[harvest.Arrive]).to(deciders),
	}
}

// keeperSigns: one of the staff of who keeps the store, the cooperative's where no other is named.
func keeperSigns[C any](g *ground, _ C) []Signer {
	if g.second != "" {
		return []Signer{{Organisation: g.second}}
	}
	return g.own(1)
}

// delivers is who brings a household's lot: its person, or the agent who carries it.
func (g *ground) delivers(household tape.AccountID) []Signer {
	if g.agent != "" {
		return []Signer{{Person: g.agent}}
	}
	return g.personOf(household)
}

func (g *ground) lot(id tape.ID) *harvest.Lot {
	if id.Check() != nil {
		return nil
	}
	return record[harvest.Lot](g, harvest.LotKey(g.subject, id))
}

func (g *ground) sale(id tape.ID) *harvest.Sale {
	if id.Check() != nil {
		return nil
	}
	return record[harvest.Sale](g, harvest.SaleKey(g.subject, id))
}

// saleActs sell lots, and let lenders hold them for a loan.
func saleActs() []Act {
	return []Act{
		plain("sell", "Harvest:Sell", "", []Field{kind("lots", Names).need(), kind("buyer", Account).need(), kind("price-per-tonne", Amount).at("pricePerTonne").need(), kind("proceeds", Amount).need(),
			rows("sale-costs", line("cost").at("kind"), kind("payee", Account), kind("amount", Amount)).at("costs"), kind("invoice-document", Document).at("invoice").need()},
			func(g *ground, c harvest.Sell) []Signer { return g.staff(c.Proceeds) }),
		plain("pledge", "Harvest:Pledge", "lot", []Field{kind("lender", Name).need(), kind("loan", Name).need(), kind("value-per-tonne", Amount).at("valuePerTonne"), kind("cover", Share).at("coverPartsPerMillion")}, (*ground).pledges),
		plain("release-pledge", "Harvest:ReleasePledge", "lot", []Field{kind("grams", Number).need(), kind("free", Name), kind("rest", Name)}, oneOfStaff[harvest.ReleasePledge]).of(Lender, Cooperative).to(deciders),
	}
}

// pledges: maker and checker, the lender, who keeps the store, and of a lot of one
// household its own person.
func (g *ground) pledges(c harvest.Pledge) []Signer {
	signers := append(g.staff(money.Amount{}), Signer{Organisation: c.Lender})
	lot, terms := g.lot(c.Lot), record[harvest.Terms](g, harvest.TermsKey(g.subject))
	if lot == nil || terms == nil {
		return signers
	}
	for _, store := range terms.Agreement.Stores {
		if store.Store == lot.Store && store.Organisation != g.Organisation && store.Organisation != c.Lender {
			signers = append(signers, Signer{Organisation: store.Organisation})
		}
	}
	return append(signers, g.personOf(lot.Household)...)
}

// correctionActs undo what was written wrongly.
func correctionActs() []Act {
	reason := choice("reason", "correct-reason.", harvest.Reasons()...).need()
	return []Act{
		about("correct-delivery", "Harvest:CorrectDelivery", "lot", []Field{reason, kind("agent", Name)}, steps[harvest.CorrectDelivery]{finish: func(f *form, _ *harvest.CorrectDelivery) { f.ground.agent = f.name("agent") }}, func(g *ground, c harvest.CorrectDelivery) []Signer {
			lot := g.lot(c.Lot)
			if lot == nil {
				return g.own(1)
			}
			return append(g.own(1), g.delivers(lot.Household)...)
		}).to(deciders),
		plain("correct-step", "Harvest:CorrectStep", "step", []Field{reason}, makerAndChecker[harvest.CorrectStep]),
		plain("correct-sale", "Harvest:CorrectSale", "sale", []Field{reason}, func(g *ground, c harvest.CorrectSale) []Signer {
			return g.staff(g.proceeds(c.Sale))
		}),
	}
}
