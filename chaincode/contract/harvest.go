package contract

import (
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Harvest is the contract of lots, from the scale to the sale.
type Harvest struct{ contractapi.Contract }

// terms loads the ground, what is agreed about the harvest of a scheme, and
// whatever else the rule reads.
func (t *transaction) terms(id tape.ID, scheme tape.AccountID, keys ...string) (harvest.Terms, error) {
	if err := scheme.Check(); err != nil {
		return harvest.Terms{}, rule.Field("account", err)
	}
	if err := t.ground(id, append(keys, harvest.TermsKey(scheme))...); err != nil {
		return harvest.Terms{}, err
	}
	return need[harvest.Terms](t, harvest.TermsKey(scheme), "an agreement about the harvest of "+scheme.String())
}

// lotKeys are the keys of lots; what is too many for a command is not read, and refused by its rule.
func lotKeys(scheme tape.AccountID, lots []tape.ID) []string {
	if len(lots) > harvest.LotsMax {
		return nil
	}
	keys := make([]string, len(lots))
	for i, lot := range lots {
		keys[i] = harvest.LotKey(scheme, lot)
	}
	return keys
}

// stocks are lots with whose they are, nil where there is none. The lots were
// loaded; their pages are read in one more round trip.
func (t *transaction) stocks(scheme tape.AccountID, keys []string) ([]*harvest.Stock, error) {
	lots, pages := make([]*harvest.Lot, len(keys)), []string{}
	for i, key := range keys {
		if lots[i] = read[harvest.Lot](t, key); lots[i] != nil {
			pages = append(pages, pageKeys(scheme, *lots[i])...)
		}
	}
	if len(pages) > harvest.PagesReadMax {
		return nil, rule.Field("lots", rule.Refuse(rule.Insufficient, "have %d pages of households; one command reads %d at most, take them in several steps", len(pages), harvest.PagesReadMax))
	}
	if err := t.load(pages...); err != nil {
		return nil, err
	}
	stocks := make([]*harvest.Stock, len(keys))
	for i, lot := range lots {
		if lot == nil {
			continue
		}
		var composition []harvest.Page
		for _, key := range pageKeys(scheme, *lot) {
			page, err := need[harvest.Page](t, key, "a page of lot "+lot.ID.String())
			if err != nil {
				return nil, err
			}
			composition = append(composition, page)
		}
		stock := harvest.StockOf(*lot, composition)
		stocks[i] = &stock
	}
	return stocks, nil
}

func pageKeys(scheme tape.AccountID, lot harvest.Lot) []string {
	keys := make([]string, harvest.PagesOf(lot))
	for n := range keys {
		keys[n] = harvest.CompositionKey(scheme, lot.ID, int32(n))
	}
	return keys
}

func (t *transaction) saveLots(lots []harvest.Lot) {
	for _, lot := range lots {
		t.save(harvest.LotKey(lot.Scheme, lot.ID), lot)
	}
}

// saveStock writes a new lot and its pages; its key was loaded.
func (t *transaction) saveStock(stock harvest.Stock) error {
	key := harvest.LotKey(stock.Lot.Scheme, stock.Lot.ID)
	if err := t.absent(key, "lot "+stock.Lot.ID.String()); err != nil {
		return err
	}
	t.save(key, stock.Lot)
	for n, page := range stock.Pages() {
		t.save(harvest.CompositionKey(stock.Lot.Scheme, stock.Lot.ID, int32(n)), page)
	}
	return nil
}

// saveChange writes what a step made; the keys of what is new were loaded.
func (t *transaction) saveChange(change harvest.Change) error {
	t.saveLots(change.Lots)
	if len(change.New) == 0 {
		return nil
	}
	key := harvest.StepKey(change.Step.Scheme, change.Step.ID)
	if err := t.absent(key, "step "+change.Step.ID.String()); err != nil {
		return err
	}
	t.save(key, change.Step)
	for _, stock := range change.New {
		if err := t.saveStock(stock); err != nil {
			return err
		}
	}
	return nil
}

// Agree lays down what is agreed about the harvest of a scheme.
func (*Harvest) Agree(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c harvest.Agree, intents []intent) (tape.Entry, error) {
		if err := c.Account.Check(); err != nil {
			return tape.Entry{}, rule.Field("account", err)
		}
		key, accountKey := harvest.TermsKey(c.Account), tape.AccountKey(c.Account)
		if err := t.ground(c.ID, key, accountKey); err != nil {
			return tape.Entry{}, err
		}
		account, err := need[tape.Account](t, accountKey, "account "+c.Account.String())
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.organised("agree", account.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		terms, entry, err := c.Apply(account.Organisation, read[harvest.Terms](t, key), t.context)
		t.save(key, terms)
		return entry, err
	})
}

// Deliver brings a household's lot over the scale.
func (*Harvest) Deliver(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c harvest.Deliver, intents []intent) (tape.Entry, error) {
		terms, err := t.terms(c.ID, c.Account, harvest.LotKey(c.Account, c.ID))
		if err != nil {
			return tape.Entry{}, err
		}
		household, err := t.household(c.Account, c.Household)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.said("deliver", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		stock, entry, err := terms.Deliver(c, household, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		return entry, t.saveStock(stock)
	})
}

// Merge makes one lot out of several.
func (*Harvest) Merge(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c harvest.Merge, intents []intent) (tape.Entry, error) {
		keys := lotKeys(c.Account, c.Lots)
		terms, err := t.terms(c.ID, c.Account, append(keys, harvest.LotKey(c.Account, c.ID), harvest.StepKey(c.Account, c.ID))...)
		if err != nil {
			return tape.Entry{}, err
		}
		inputs, err := t.stocks(c.Account, keys)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.said("merge", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		change, entry, err := terms.Merge(c, inputs, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		return entry, t.saveChange(change)
	})
}

// Process uses lots up and makes others out of them.
func (*Harvest) Process(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c harvest.Run, intents []intent) (tape.Entry, error) {
		keys, outputs := lotKeys(c.Account, c.Lots), []string{harvest.StepKey(c.Account, c.ID)}
		for i := 0; i < min(len(c.Outputs), harvest.LotsMax); i++ {
			outputs = append(outputs, harvest.LotKey(c.Account, c.Outputs[i].Lot))
		}
		terms, err := t.terms(c.ID, c.Account, append(outputs, keys...)...)
		if err != nil {
			return tape.Entry{}, err
		}
		inputs, err := t.stocks(c.Account, keys)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.said("process", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		change, entry, err := terms.Process(c, inputs, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		return entry, t.saveChange(change)
	})
}

// Bag puts a lot into bags that bear numbers.
func (*Harvest) Bag(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c harvest.Bag, intents []intent) (tape.Entry, error) {
		if err := c.Check(); err != nil {
			return tape.Entry{}, err
		}
		lotKey, units := harvest.LotKey(c.Account, c.Lot), make([]string, len(c.Units))
		for i, unit := range c.Units {
			units[i] = harvest.UnitKey(c.Account, unit.SSCC)
		}
		terms, err := t.terms(c.ID, c.Account, append(units, lotKey)...)
		if err != nil {
			return tape.Entry{}, err
		}
		borne := make([]bool, len(units))
		for i, key := range units {
			borne[i] = t.state[key] != nil
		}
		if err := t.said("bag", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		lot, bags, entry, err := terms.Bag(c, read[harvest.Lot](t, lotKey), borne, t.context)
		t.save(lotKey, lot)
		t.save(harvest.BagsKey(c.Account, c.Lot), bags)
		for _, key := range units {
			t.save(key, harvest.Mark{V: 1, Entry: entry.Reference()})
		}
		return entry, err
	})
}

// Ship sends lots to another store.
func (*Harvest) Ship(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c harvest.Ship, intents []intent) (tape.Entry, error) {
		terms, lots, err := t.lots("ship", c.ID, c.Account, c.Lots, intents)
		if err != nil {
			return tape.Entry{}, err
		}
		after, move, entry, err := terms.Ship(c, lots, t.context)
		t.saveLots(after)
		t.save(harvest.MoveKey(c.Account, c.ID), move)
		return entry, err
	})
}

// Arrive takes lots that were shipped into their store.
func (*Harvest) Arrive(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c harvest.Arrive, intents []intent) (tape.Entry, error) {
		terms, lots, err := t.lots("arrive", c.ID, c.Account, c.Lots, intents)
		if err != nil {
			return tape.Entry{}, err
		}
		after, move, entry, err := terms.Arrive(c, lots, t.context)
		t.saveLots(after)
		t.save(harvest.MoveKey(c.Account, c.ID), move)
		return entry, err
	})
}

// lots loads lots without whose they are, and judges who signed.
func (t *transaction) lots(action string, id tape.ID, scheme tape.AccountID, ids []tape.ID, intents []intent) (harvest.Terms, []*harvest.Lot, error) {
	keys := lotKeys(scheme, ids)
	terms, err := t.terms(id, scheme, keys...)
	if err != nil {
		return terms, nil, err
	}
	lots := make([]*harvest.Lot, len(keys))
	for i, key := range keys {
		lots[i] = read[harvest.Lot](t, key)
	}
	return terms, lots, t.said(action, scheme, id, intents)
}

// Sell sells lots to a buyer.
func (*Harvest) Sell(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c harvest.Sell, intents []intent) (tape.Entry, error) {
		keys, accountKey := lotKeys(c.Account, c.Lots), tape.AccountKey(c.Account)
		terms, err := t.terms(c.ID, c.Account, append(keys, accountKey)...)
		if err != nil {
			return tape.Entry{}, err
		}
		account, err := need[tape.Account](t, accountKey, "account "+c.Account.String())
		if err != nil {
			return tape.Entry{}, err
		}
		stocks, err := t.stocks(c.Account, keys)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.approve("sell", account, c.Proceeds, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		sale, shares, lots, entry, err := terms.Sell(c, stocks, account.Currency, t.context)
		t.save(harvest.SaleKey(c.Account, c.ID), sale) // named after its entry, which one organisation makes once
		t.saveLots(lots)
		for n, page := range shares.Pages() {
			t.save(harvest.ShareKey(c.Account, c.ID, int32(n)), page)
		}
		return entry, err
	})
}

// Pledge gives a lender a right over a lot.
func (*Harvest) Pledge(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c harvest.Pledge, intents []intent) (tape.Entry, error) {
		key, powers := harvest.LotKey(c.Account, c.Lot), party.PowersKey(c.Lender)
		terms, err := t.terms(c.ID, c.Account, key, powers)
		if err != nil {
			return tape.Entry{}, err
		}
		lot := read[harvest.Lot](t, key)
		household, err := t.householdOf(lot)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.organised("pledge", terms.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		debt, err := t.securedBy(c.Account, c.Loan)
		if err != nil {
			return tape.Entry{}, err
		}
		after, security, entry, err := terms.Pledge(c, lot, household, t.holds(c.Lender, party.Lender), debt, t.context)
		t.save(key, after)
		t.saveSecurity(security)
		return entry, err
	})
}

// securedBy is what is known of a loan that a lot secures, nil where the scheme has none of that name.
func (t *transaction) securedBy(scheme tape.AccountID, id tape.ID) (*harvest.Debt, error) {
	key, securityKey := loan.Key(scheme, id), harvest.SecurityKey(scheme, id)
	if err := t.load(key, securityKey); err != nil {
		return nil, err
	}
	l := read[loan.Loan](t, key)
	if l == nil {
		return nil, nil
	}
	debt := &harvest.Debt{Security: read[harvest.Security](t, securityKey)}
	for _, lender := range l.Lenders {
		debt.Lenders = append(debt.Lenders, lender.Organisation)
	}
	var err error
	debt.Owed, err = l.Bound(t.context.Date)
	return debt, err
}

func (t *transaction) saveSecurity(s *harvest.Security) {
	if s != nil {
		t.save(harvest.SecurityKey(s.Scheme, s.Loan), *s)
	}
}

// ReleasePledge gives a lot free again, or a part of it.
func (*Harvest) ReleasePledge(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c harvest.ReleasePledge, intents []intent) (tape.Entry, error) {
		keys := []string{harvest.LotKey(c.Account, c.Lot)}
		terms, err := t.terms(c.ID, c.Account, append(keys, harvest.LotKey(c.Account, c.Free), harvest.LotKey(c.Account, c.Rest), harvest.StepKey(c.Account, c.ID))...)
		if err != nil {
			return tape.Entry{}, err
		}
		stocks, err := t.stocks(c.Account, keys)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.said("release-pledge", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		var debt *harvest.Debt
		if stocks[0] != nil && stocks[0].Lot.Pledged != nil {
			if debt, err = t.securedBy(c.Account, stocks[0].Lot.Pledged.Loan); err != nil {
				return tape.Entry{}, err
			}
		}
		change, security, entry, err := terms.ReleasePledge(c, stocks[0], debt, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.saveSecurity(security)
		return entry, t.saveChange(change)
	})
}

// CorrectDelivery takes a delivery back.
func (*Harvest) CorrectDelivery(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c harvest.CorrectDelivery, intents []intent) (tape.Entry, error) {
		key := harvest.LotKey(c.Account, c.Lot)
		terms, err := t.terms(c.ID, c.Account, key)
		if err != nil {
			return tape.Entry{}, err
		}
		lot := read[harvest.Lot](t, key)
		household, err := t.householdOf(lot)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.said("correct-delivery", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		after, entry, err := terms.CorrectDelivery(c, lot, household, t.context)
		t.save(key, after)
		return entry, err
	})
}

// CorrectStep undoes a step.
func (*Harvest) CorrectStep(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c harvest.CorrectStep, intents []intent) (tape.Entry, error) {
		key := harvest.StepKey(c.Account, c.Step)
		terms, err := t.terms(c.ID, c.Account, key)
		if err != nil {
			return tape.Entry{}, err
		}
		step, inputs, outputs := read[harvest.Step](t, key), []harvest.Lot{}, []harvest.Lot{}
		if step != nil {
			if inputs, err = t.weighed(c.Account, step.Inputs); err != nil {
				return tape.Entry{}, err
			}
			if outputs, err = t.weighed(c.Account, step.Outputs); err != nil {
				return tape.Entry{}, err
			}
		}
		if err := t.organised("correct-step", terms.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		after, lots, entry, err := terms.CorrectStep(c, step, inputs, outputs, t.context)
		t.save(key, after)
		t.saveLots(lots)
		return entry, err
	})
}

// CorrectSale undoes a sale.
func (*Harvest) CorrectSale(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c harvest.CorrectSale, intents []intent) (tape.Entry, error) {
		key := harvest.SaleKey(c.Account, c.Sale)
		terms, err := t.terms(c.ID, c.Account, key)
		if err != nil {
			return tape.Entry{}, err
		}
		sale, err := need[harvest.Sale](t, key, "sale "+c.Sale.String())
		if err != nil {
			return tape.Entry{}, rule.Field("sale", err)
		}
		lots, err := t.weighed(c.Account, sale.Lots)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.approve("correct-sale", tape.Account{ID: c.Account, Organisation: terms.Organisation}, sale.Proceeds, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		after, back, entry, err := terms.CorrectSale(c, sale, lots, t.context)
		t.save(key, after)
		t.saveLots(back)
		return entry, err
	})
}

// household is one of a scheme as the rules of its groups know it, nil where there is none.
func (t *transaction) household(scheme, household tape.AccountID) (*harvest.Household, error) {
	key := group.MemberKey(scheme, household)
	if err := t.load(key); err != nil {
		return nil, err
	}
	member := read[group.Member](t, key)
	if member == nil {
		return nil, nil
	}
	return &harvest.Household{Household: household, Person: member.PersonOn(t.at), Agent: member.Agent, Admitted: member.State == group.Admitted}, nil
}

// householdOf is whose alone a lot is, nil where there is no lot or it is several households'.
func (t *transaction) householdOf(lot *harvest.Lot) (*harvest.Household, error) {
	if lot == nil || lot.Household == "" {
		return nil, nil
	}
	return t.household(lot.Scheme, lot.Household)
}

// weighed loads the lots of a step or a sale.
func (t *transaction) weighed(scheme tape.AccountID, list []harvest.Weighed) ([]harvest.Lot, error) {
	keys := make([]string, len(list))
	for i, weighed := range list {
		keys[i] = harvest.LotKey(scheme, weighed.Lot)
	}
	if err := t.load(keys...); err != nil {
		return nil, err
	}
	lots := make([]harvest.Lot, len(list))
	for i, key := range keys {
		var err error
		if lots[i], err = need[harvest.Lot](t, key, "lot "+list[i].Lot.String()); err != nil {
			return nil, err
		}
	}
	return lots, nil
}
