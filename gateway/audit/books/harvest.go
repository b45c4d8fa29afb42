package books

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// crop is the harvest of one scheme a second time: heaps of grams, each with a
// list of whose they are.
type crop struct {
	scheme       tape.AccountID
	organisation string
	terms        harvest.Terms
	heaps        map[tape.ID]*heap
	steps        map[tape.ID]*harvest.Step
	sales        map[tape.ID]*harvest.Sale
	// securities are what secures loans of the scheme, by loan.
	securities map[tape.ID]harvest.Security
}

// heap is a lot as it should stand on the ledger, and whose its grams are.
type heap struct {
	lot harvest.Lot
	of  onLines // by household, in the order of names
}

// harvestKind is one command about a harvest.
type harvestKind struct {
	kind string
	book func(*Books, *crop) error
}

var harvestKinds map[string]harvestKind

func init() {
	harvestKinds = map[string]harvestKind{
		"Harvest:Agree": {"agree", (*Books).agree}, "Harvest:Deliver": {"deliver", (*Books).deliver}, "Harvest:Merge": {"merge", (*Books).mergeLots},
		"Harvest:Process": {"process", (*Books).processLots}, "Harvest:Bag": {"bag", (*Books).bag}, "Harvest:Ship": {"ship", (*Books).ship}, "Harvest:Arrive": {"arrive", (*Books).arrive},
		"Harvest:Sell": {"sell", (*Books).sell}, "Harvest:Pledge": {"pledge", (*Books).pledgeLot}, "Harvest:ReleasePledge": {"release-pledge", (*Books).releasePledge},
		"Harvest:CorrectDelivery": {"correct-delivery", (*Books).correctDelivery}, "Harvest:CorrectStep": {"correct-step", (*Books).correctStep}, "Harvest:CorrectSale": {"correct-sale", (*Books).correctSale},
	}
}

// harvested finds how a command about a harvest is booked.
func (b *Books) harvested() (func(*Books) error, bool) {
	one, known := harvestKinds[b.transaction.Function]
	return func(b *Books) error {
		key := tape.EntryKey(b.entry.Organisation, b.entry.ID)
		b.differs(key, "the kind of the entry", one.kind, b.entry.Kind)
		b.signers()
		about, err := command[struct{ Account tape.AccountID }](b)
		if err != nil {
			return err
		}
		b.differs(key, "the scheme that the entry names", string(about.Account), b.entry.Subject)
		account, err := b.account(about.Account)
		if err != nil {
			return err
		}
		c := b.trail.crops[about.Account]
		if c == nil {
			c = &crop{scheme: about.Account, organisation: account.organisation, heaps: map[tape.ID]*heap{}, steps: map[tape.ID]*harvest.Step{}, sales: map[tape.ID]*harvest.Sale{}, securities: map[tape.ID]harvest.Security{}}
			b.trail.crops[about.Account] = c
		}
		if one.kind != "release-pledge" {
			b.differs(key, "who carries a command about the harvest of "+string(c.scheme), c.organisation, b.entry.Organisation)
		}
		return one.book(b, c)
	}, known
}

// same compares a record with what it should be.
func same[R any](b *Books, key, what string, want R) {
	noted(b, key, what, spelled(want), func(r R) string { return spelled(r) })
}

func (b *Books) agree(c *crop) error {
	command, err := command[harvest.Agree](b)
	if err != nil {
		return err
	}
	key := harvest.TermsKey(c.scheme)
	if !b.decided(key, b.entry.Intents, c.organisation)[c.organisation] || !b.second(c) {
		b.problem(key, "a second organisation signs what is agreed", "another than "+c.organisation, people(b.entry.Intents))
	}
	c.terms = harvest.Terms{V: 1, Scheme: c.scheme, Organisation: c.organisation, Version: c.terms.Version + 1, Agreement: command.Agreement, Entry: b.entry.Reference()}
	same(b, key, "what is agreed about the harvest", c.terms)
	return nil
}

// second reports whether staff of another organisation than the cooperative signed.
func (b *Books) second(c *crop) bool {
	return slices.ContainsFunc(b.entry.Intents, func(a tape.Approval) bool { return ofStaff(a) && a.Organisation != c.organisation })
}

// keeper is who keeps a store.
func (c *crop) keeper(store string) string {
	for _, s := range c.terms.Agreement.Stores {
		if s.Store == store {
			return s.Organisation
		}
	}
	return c.organisation
}

func (b *Books) deliver(c *crop) error {
	d, err := command[harvest.Deliver](b)
	if err != nil {
		return err
	}
	key, net := harvest.LotKey(c.scheme, d.ID), d.GrossGrams-d.TareGrams
	for _, deduction := range d.Deductions {
		net -= deduction.Grams
	}
	b.differs(key, "what a delivery weighs net", fmt.Sprint(net), fmt.Sprint(d.NetGrams))
	if net < 1 || net > harvest.GramsMax {
		return fmt.Errorf("it weighs %d g", net)
	}
	stored, err := record[harvest.Lot](b, key)
	if err != nil || stored.Delivery == nil {
		return fmt.Errorf("it delivers no lot: %v", err)
	}
	by, weigher := stored.Delivery.By, stored.Delivery.Weigher
	if !b.delivers(c, d.Household, by) {
		b.problem(key, "who delivers is the household or an agent", string(d.Household), people([]tape.Approval{by}))
	}
	if !slices.Contains(b.entry.Intents, weigher) || !ofStaff(weigher) || weigher.Person == by.Person || weigher.Organisation != c.organisation && weigher.Organisation != c.keeper(d.Store) {
		b.problem(key, "who weighs is of the store's keeper or the cooperative, and does not deliver", c.organisation, people([]tape.Approval{weigher}))
	}
	h := b.heaped(c, d.ID, onLines{{tape.ID(d.Household), net}}, harvest.Lot{Form: d.Form, Grade: d.Grade, Store: d.Store, Delivery: &harvest.Delivery{GrossGrams: d.GrossGrams, TareGrams: d.TareGrams,
		Deductions: d.Deductions, MoisturePartsPerMillion: d.MoisturePartsPerMillion, Harvested: d.Harvested, Weigher: weigher, By: by, At: b.entry.At, Entry: b.entry.Reference()}})
	b.noteHeap(c, h)
	return nil
}

// delivers reports whether somebody who signed speaks for a household at the scale.
func (b *Books) delivers(c *crop, household tape.AccountID, by tape.Approval) bool {
	member := b.trail.members[group.MemberKey(c.scheme, household)]
	own := member.PersonOn(b.entry.At) != "" && by.Person == member.PersonOn(b.entry.At)
	agent := by.Duty == "agent" && (by.Person == member.Agent || member.Agent == "" && by.Organisation == c.organisation)
	return slices.Contains(b.entry.Intents, by) && (own || agent)
}

// heaped is a new heap as its lot should stand on the ledger.
func (b *Books) heaped(c *crop, id tape.ID, of onLines, lot harvest.Lot) *heap {
	b.once("lot", harvest.LotKey(c.scheme, id))
	lot.V, lot.Scheme, lot.ID, lot.Grams, lot.State, lot.At, lot.Entry = 1, c.scheme, id, of.total(), harvest.Stored, b.entry.At, b.entry.Reference()
	if len(of) == 1 {
		lot.Household = tape.AccountID(of[0].line)
	}
	var err error
	if lot.Composition, err = sharesOf(of).Composition(); err != nil {
		b.problem(harvest.LotKey(c.scheme, id), "whose the lot is: "+err.Error(), "", "")
	}
	c.heaps[id] = &heap{lot, of}
	return c.heaps[id]
}

func sharesOf(of onLines) harvest.Shares {
	var shares harvest.Shares
	for _, one := range of {
		shares = append(shares, harvest.Share{Household: tape.AccountID(one.line), Grams: one.units})
	}
	return shares
}

// noteHeap compares a lot with its record, and a new one's pages.
func (b *Books) noteHeap(c *crop, h *heap) {
	same(b, harvest.LotKey(c.scheme, h.lot.ID), "the lot", h.lot)
	if _, written := b.transaction.Writes[harvest.CompositionKey(c.scheme, h.lot.ID, 0)]; written || h.lot.Made == b.entry.ID && len(h.of) > 1 {
		b.notePages(h.of, func(n int32) string { return harvest.CompositionKey(c.scheme, h.lot.ID, n) })
	}
}

func (b *Books) notePages(of onLines, key func(n int32) string) {
	for n, page := range sharesOf(of).Pages() {
		same(b, key(int32(n)), "whose the grams are", page)
	}
}

// free finds lots that a command uses up, and reports those that it may not use.
func (b *Books) free(c *crop, ids []tape.ID) ([]*heap, error) {
	var found []*heap
	left := int64(harvest.GramsMax)
	for _, id := range ids {
		h := c.heaps[id]
		if h == nil {
			return nil, fmt.Errorf("lot %s was never made", id)
		}
		if left -= h.of.total(); left < 0 {
			return nil, fmt.Errorf("its lots weigh more than %d g", int64(harvest.GramsMax))
		}
		if h.lot.State != harvest.Stored || h.lot.Pledged != nil {
			b.problem(harvest.LotKey(c.scheme, id), "a lot is used that is not free", "stored", string(h.lot.State)+" since "+h.lot.Entry)
		}
		if one := found; len(one) > 0 && (h.lot.Form != one[0].lot.Form || h.lot.Grade != one[0].lot.Grade || h.lot.Store != one[0].lot.Store) {
			b.problem(harvest.LotKey(c.scheme, id), "lots that are used up together are alike", strings.Join([]string{one[0].lot.Form, one[0].lot.Grade, one[0].lot.Store}, " "),
				strings.Join([]string{h.lot.Form, h.lot.Grade, h.lot.Store}, " "))
		}
		found = append(found, h)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("it names no lot")
	}
	return found, nil
}

// allOf puts heaps together, by household.
func allOf(heaps []*heap) onLines {
	sums := map[tape.ID]int64{}
	for _, h := range heaps {
		for _, one := range h.of {
			sums[one.line] += one.units
		}
	}
	var all onLines
	for _, household := range slices.Sorted(maps.Keys(sums)) {
		all = append(all, onLine{household, sums[household]})
	}
	return all
}

// less takes one list off another; a household with nothing is in neither.
func less(all, part onLines) (taken, left onLines) {
	for i, one := range all {
		if part[i].units > 0 {
			taken = append(taken, part[i])
		}
		if rest := one.units - part[i].units; rest > 0 {
			left = append(left, onLine{one.line, rest})
		}
	}
	return taken, left
}

// step uses heaps up and makes others.
func (b *Books) step(c *crop, step harvest.Step, heaps []*heap, form string, outputs []harvest.Output) ([]*heap, error) {
	key, left := harvest.StepKey(c.scheme, b.entry.ID), allOf(heaps)
	b.once("step", key)
	step.V, step.Scheme, step.ID, step.Terms, step.At, step.Entry, step.LossGrams = 1, c.scheme, b.entry.ID, c.terms.Version, b.entry.At, b.entry.Reference(), left.total()
	var made []*heap
	for _, output := range outputs {
		if output.Grams < 1 || output.Grams > left.total() {
			return nil, fmt.Errorf("lot %s of %d g comes out of %d g", output.Lot, output.Grams, left.total())
		}
		taken, rest := less(left, shared(output.Grams, left))
		h := b.heaped(c, output.Lot, taken, harvest.Lot{Form: form, Grade: output.Grade, Store: heaps[0].lot.Store, Made: b.entry.ID})
		left, step.LossGrams, made = rest, step.LossGrams-output.Grams, append(made, h)
		step.Outputs = append(step.Outputs, harvest.Weighed{Lot: output.Lot, Grams: output.Grams})
	}
	for _, h := range heaps {
		step.Inputs = append(step.Inputs, harvest.Weighed{Lot: h.lot.ID, Grams: h.lot.Grams})
		h.lot.Consumed = b.entry.ID
		b.turn(h, harvest.Consumed)
	}
	c.steps[b.entry.ID] = &step
	same(b, key, "the step", step)
	return made, nil
}

// turn gives a lot another state.
func (b *Books) turn(h *heap, state harvest.State) {
	h.lot.State, h.lot.At, h.lot.Entry = state, b.entry.At, b.entry.Reference()
}

func (b *Books) noteHeaps(c *crop, heaps ...*heap) {
	for _, h := range heaps {
		b.noteHeap(c, h)
	}
}

func (b *Books) mergeLots(c *crop) error {
	m, err := command[harvest.Merge](b)
	if err != nil {
		return err
	}
	heaps, err := b.free(c, m.Lots)
	if err != nil {
		return err
	}
	b.signedBy(harvest.StepKey(c.scheme, m.ID), c.organisation)
	made, err := b.step(c, harvest.Step{Kind: harvest.Merged}, heaps, heaps[0].lot.Form, []harvest.Output{{Grade: heaps[0].lot.Grade, Grams: allOf(heaps).total(), Lot: m.ID}})
	b.noteHeaps(c, append(heaps, made...)...)
	return err
}

func (b *Books) processLots(c *crop) error {
	r, err := command[harvest.Run](b)
	if err != nil {
		return err
	}
	heaps, err := b.free(c, r.Lots)
	if err != nil {
		return err
	}
	key := harvest.StepKey(c.scheme, r.ID)
	at := slices.IndexFunc(c.terms.Agreement.Processes, func(p harvest.Process) bool { return p.Process == r.Process })
	if at < 0 {
		return fmt.Errorf("no process %s is agreed", r.Process)
	}
	process, in := c.terms.Agreement.Processes[at], allOf(heaps).total()
	b.differs(key, "what a process begins with", process.From, heaps[0].lot.Form)
	out := int64(0)
	for _, output := range r.Outputs {
		out += output.Grams
	}
	b.differs(key, "what is lost", fmt.Sprint(in-out), fmt.Sprint(r.LossGrams))
	yield := new(big.Rat).SetFrac64(out, max(1, in))
	exception := yield.Cmp(big.NewRat(int64(process.YieldMinPartsPerMillion), 1_000_000)) < 0 || yield.Cmp(big.NewRat(int64(process.YieldMaxPartsPerMillion), 1_000_000)) > 0
	b.signedBy(key, c.organisation)
	if exception && !b.second(c) {
		b.problem(key, "a second organisation signs a yield outside the agreed range", "another than "+c.organisation, people(b.entry.Intents))
	}
	made, err := b.step(c, harvest.Step{Kind: harvest.Processed, Process: r.Process, Exception: exception}, heaps, process.To, r.Outputs)
	b.noteHeaps(c, append(heaps, made...)...)
	return err
}

func (b *Books) bag(c *crop) error {
	command, err := command[harvest.Bag](b)
	if err != nil {
		return err
	}
	h := c.heaps[command.Lot]
	if h == nil || h.lot.State != harvest.Stored || h.lot.Bags > 0 {
		return fmt.Errorf("lot %s cannot be bagged", command.Lot)
	}
	key, total := harvest.BagsKey(c.scheme, command.Lot), int64(0)
	for _, unit := range command.Units {
		total += unit.Grams
		b.once("number", harvest.UnitKey(c.scheme, unit.SSCC))
		b.marked(harvest.UnitKey(c.scheme, unit.SSCC))
	}
	b.differs(key, "what the bags weigh", fmt.Sprint(h.lot.Grams), fmt.Sprint(total))
	b.signedBy(key, c.organisation)
	same(b, key, "the bags", harvest.Bags{V: 1, Lot: command.Lot, Units: command.Units, At: b.entry.At, Entry: b.entry.Reference()})
	h.lot.Bags = int32(len(command.Units))
	b.turn(h, harvest.Stored)
	b.noteHeap(c, h)
	return nil
}

func (b *Books) ship(c *crop) error {
	command, err := command[harvest.Ship](b)
	if err != nil {
		return err
	}
	var heaps []*heap
	for _, id := range command.Lots {
		one, err := b.free(c, []tape.ID{id}) // by itself: those that are shipped together need not be alike
		if err != nil {
			return err
		}
		b.signedBy(harvest.LotKey(c.scheme, id), c.keeper(one[0].lot.Store))
		heaps = append(heaps, one[0])
	}
	b.move(c, heaps, harvest.Shipped, command.Store)
	return nil
}

func (b *Books) arrive(c *crop) error {
	command, err := command[harvest.Arrive](b)
	if err != nil {
		return err
	}
	var heaps []*heap
	for _, id := range command.Lots {
		h := c.heaps[id]
		if h == nil || h.lot.State != harvest.Shipped {
			return fmt.Errorf("lot %s is not on its way", id)
		}
		b.signedBy(harvest.LotKey(c.scheme, id), c.keeper(h.lot.Store))
		heaps = append(heaps, h)
	}
	if len(heaps) == 0 {
		return fmt.Errorf("nothing arrives")
	}
	b.move(c, heaps, harvest.Stored, heaps[0].lot.Store)
	return nil
}

// move takes lots to another store.
func (b *Books) move(c *crop, heaps []*heap, state harvest.State, store string) {
	move := harvest.Move{V: 1, ID: b.entry.ID, Kind: b.entry.Kind, To: store, At: b.entry.At, Entry: b.entry.Reference()}
	for _, h := range heaps {
		move.Lots = append(move.Lots, harvest.Weighed{Lot: h.lot.ID, Grams: h.lot.Grams})
		if state == harvest.Shipped {
			move.From = append(move.From, h.lot.Store)
		}
		h.lot.Store = store
		b.turn(h, state)
	}
	same(b, harvest.MoveKey(c.scheme, b.entry.ID), "what was moved", move)
	b.noteHeaps(c, heaps...)
}

func (b *Books) sell(c *crop) error {
	s, err := command[harvest.Sell](b)
	if err != nil {
		return err
	}
	heaps, err := b.free(c, s.Lots)
	if err != nil {
		return err
	}
	key, all := harvest.SaleKey(c.scheme, s.ID), allOf(heaps)
	b.once("sale", key)
	b.agreed(key, s.Proceeds, b.entry.Intents, c.organisation)
	twice := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(s.PricePerTonne.Units), big.NewInt(2*all.total())), big.NewInt(1_000_000))
	rounded := new(big.Rat).Add(twice, big.NewRat(1, 1)) // half up: the whole part of the half of this
	units := new(big.Int).Quo(rounded.Num(), new(big.Int).Mul(rounded.Denom(), big.NewInt(2)))
	b.differs(key, "price times weight", units.String(), strconv.FormatInt(s.Proceeds.Units, 10))
	sale := harvest.Sale{V: 1, Scheme: c.scheme, ID: s.ID, Buyer: s.Buyer, Invoice: s.Invoice, Form: heaps[0].lot.Form, Grade: heaps[0].lot.Grade, Grams: all.total(), PricePerTonne: s.PricePerTonne,
		Proceeds: s.Proceeds, Costs: s.Costs, Net: s.Proceeds, State: harvest.SaleOpen, At: b.entry.At, Entry: b.entry.Reference()}
	for _, cost := range s.Costs {
		sale.Net.Units -= cost.Amount.Units
	}
	if sale.Composition, err = sharesOf(all).Composition(); err != nil {
		return err
	}
	for _, h := range heaps {
		sale.Lots = append(sale.Lots, harvest.Weighed{Lot: h.lot.ID, Grams: h.lot.Grams})
		h.lot.Sale = s.ID
		b.turn(h, harvest.Sold)
	}
	c.sales[s.ID] = &sale
	same(b, key, "the sale", sale)
	b.notePages(all, func(n int32) string { return harvest.ShareKey(c.scheme, s.ID, n) })
	b.noteHeaps(c, heaps...)
	return nil
}
