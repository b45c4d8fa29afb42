package books

import (
	"fmt"
	"slices"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Pledges of lots, and corrections of what was written about them.

func (b *Books) pledgeLot(c *crop) error {
	p, err := command[harvest.Pledge](b)
	if err != nil {
		return err
	}
	heaps, err := b.free(c, []tape.ID{p.Lot})
	if err != nil {
		return err
	}
	h, key := heaps[0], harvest.LotKey(c.scheme, p.Lot)
	b.decided(key, b.entry.Intents, c.organisation)
	b.signedBy(key, p.Lender)
	b.signedBy(key, c.keeper(h.lot.Store))
	if of := h.lot.Household; of != "" {
		person := b.trail.members[group.MemberKey(c.scheme, of)].PersonOn(b.entry.At)
		if person == "" || !slices.ContainsFunc(b.entry.Intents, func(a tape.Approval) bool { return a.Person == person && (a.Custody == "own" || a.Custody == "card") }) {
			b.problem(key, "whose lot is pledged signs by a key in its own hands", string(of), people(b.entry.Intents))
		}
	}
	b.turn(h, harvest.Stored)
	h.lot.Pledged = &harvest.Pledged{Lender: p.Lender, Loan: p.Loan, ValuePerTonne: p.ValuePerTonne, Entry: b.entry.Reference()}
	b.noteHeap(c, h)
	if p.ValuePerTonne.Units != 0 {
		b.secures(c, p.Loan, harvest.Security{V: 1, Scheme: c.scheme, Loan: p.Loan, Lender: p.Lender, CoverPartsPerMillion: p.CoverPartsPerMillion,
			Lots: append(slices.Clone(c.securities[p.Loan].Lots), harvest.Securing{Grams: h.lot.Grams, Lot: h.lot.ID, ValuePerTonne: p.ValuePerTonne})})
	}
	return nil
}

// secures notes what secures a loan from now on.
func (b *Books) secures(c *crop, loan tape.ID, s harvest.Security) {
	s.Entry = b.entry.Reference()
	c.securities[loan] = s
	same(b, harvest.SecurityKey(c.scheme, loan), "what secures the loan", s)
}

// mayRelease asks for the lender's word. A lot that secures a loan of the scheme the
// cooperative's staff may release too, and anybody as a whole: how much was free by what
// was owed, and that nothing was, these books do not reckon.
func (b *Books) mayRelease(c *crop, key string, h *heap, grams int64) {
	lender, secures := h.lot.Pledged.Lender, h.lot.Pledged.ValuePerTonne.Units != 0
	if secures && grams == h.lot.Grams {
		return
	}
	if b.entry.Organisation != c.organisation {
		b.differs(key, "who carries a release", lender, b.entry.Organisation)
	}
	if secures && slices.ContainsFunc(b.entry.Intents, func(a tape.Approval) bool { return ofStaff(a) && a.Organisation == c.organisation }) {
		return
	}
	b.signedBy(key, lender)
}

// lessens takes grams of a lot off what secures a loan.
func (b *Books) lessens(c *crop, pledged *harvest.Pledged, r harvest.ReleasePledge) {
	if pledged.ValuePerTonne.Units == 0 {
		return
	}
	s := c.securities[pledged.Loan]
	var left []harvest.Securing
	for _, one := range s.Lots {
		if one.Lot == r.Lot {
			one.Grams, one.Lot = one.Grams-r.Grams, r.Rest
		}
		if one.Grams > 0 {
			left = append(left, one)
		}
	}
	s.Lots = left
	b.secures(c, pledged.Loan, s)
}

func (b *Books) releasePledge(c *crop) error {
	r, err := command[harvest.ReleasePledge](b)
	if err != nil {
		return err
	}
	h, key := c.heaps[r.Lot], harvest.LotKey(c.scheme, r.Lot)
	if h == nil || h.lot.Pledged == nil {
		return fmt.Errorf("lot %s is not pledged", r.Lot)
	}
	pledged := h.lot.Pledged
	b.mayRelease(c, key, h, r.Grams)
	b.lessens(c, pledged, r)
	h.lot.Pledged = nil
	if r.Grams == h.lot.Grams {
		b.turn(h, harvest.Stored)
		b.noteHeap(c, h)
		return nil
	}
	made, err := b.step(c, harvest.Step{Kind: harvest.Divided}, []*heap{h}, h.lot.Form,
		[]harvest.Output{{Grade: h.lot.Grade, Grams: r.Grams, Lot: r.Free}, {Grade: h.lot.Grade, Grams: h.lot.Grams - r.Grams, Lot: r.Rest}})
	if err != nil {
		return err
	}
	made[1].lot.Pledged = pledged
	b.noteHeaps(c, append(made, h)...)
	return nil
}

func (b *Books) correctDelivery(c *crop) error {
	command, err := command[harvest.CorrectDelivery](b)
	if err != nil {
		return err
	}
	heaps, err := b.free(c, []tape.ID{command.Lot})
	if err != nil {
		return err
	}
	h, key := heaps[0], harvest.LotKey(c.scheme, command.Lot)
	b.signedBy(key, c.organisation)
	if !slices.ContainsFunc(b.entry.Intents, func(a tape.Approval) bool { return b.delivers(c, h.lot.Household, a) }) {
		b.problem(key, "who delivers is the household or an agent", string(h.lot.Household), people(b.entry.Intents))
	}
	if h.lot.Delivery == nil {
		b.problem(key, "a delivery is corrected that was none", "", "made by "+string(h.lot.Made))
	}
	if delivery := h.lot.Delivery; delivery != nil {
		corrected := *delivery
		corrected.Corrected = b.correction(command.Reason)
		h.lot.Delivery = &corrected
	}
	b.turn(h, harvest.Corrected)
	b.noteHeap(c, h)
	return nil
}

func (b *Books) correction(reason string) *harvest.Correction {
	return &harvest.Correction{At: b.entry.At, Entry: b.entry.Reference(), Reason: reason}
}

func (b *Books) correctStep(c *crop) error {
	command, err := command[harvest.CorrectStep](b)
	if err != nil {
		return err
	}
	step, key := c.steps[command.Step], harvest.StepKey(c.scheme, command.Step)
	if step == nil || step.Corrected != nil || step.Kind == harvest.Divided {
		return fmt.Errorf("step %s cannot be undone", command.Step)
	}
	b.decided(key, b.entry.Intents, c.organisation)
	for _, output := range step.Outputs {
		heaps, err := b.free(c, []tape.ID{output.Lot})
		if err != nil {
			return err
		}
		b.turn(heaps[0], harvest.Corrected)
		b.noteHeap(c, heaps[0])
	}
	for _, input := range step.Inputs {
		h := c.heaps[input.Lot]
		h.lot.Consumed = ""
		b.turn(h, harvest.Stored)
		b.noteHeap(c, h)
	}
	step.Corrected = b.correction(command.Reason)
	same(b, key, "the step", *step)
	return nil
}

func (b *Books) correctSale(c *crop) error {
	command, err := command[harvest.CorrectSale](b)
	if err != nil {
		return err
	}
	sale, key := c.sales[command.Sale], harvest.SaleKey(c.scheme, command.Sale)
	if sale == nil || sale.State != harvest.SaleOpen {
		return fmt.Errorf("sale %s cannot be undone", command.Sale)
	}
	b.agreed(key, sale.Proceeds, b.entry.Intents, c.organisation)
	for _, lot := range sale.Lots {
		h := c.heaps[lot.Lot]
		h.lot.Sale = ""
		b.turn(h, harvest.Stored)
		b.noteHeap(c, h)
	}
	sale.State, sale.Corrected = harvest.SaleCorrected, b.correction(command.Reason)
	same(b, key, "the sale", *sale)
	return nil
}
