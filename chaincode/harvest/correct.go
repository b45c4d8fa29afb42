package harvest

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Reasons say why something is corrected; they are those of the Core Business Vocabulary 2.0, 7.4.
func Reasons() []string { return []string{"did_not_occur", "incorrect_data"} }

// CorrectDelivery takes a delivery back that was none, or was weighed wrongly. A
// new delivery, if there is one, comes by itself.
type CorrectDelivery struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Lot     tape.ID        `json:"lot"`
	Reason  string         `json:"reason"`
}

// CorrectDelivery judges the command; stock is the lot that it names and household
// whose it is, nil where there is none. Those who sign a delivery sign that it was
// wrong: a cooperative could else make a household's weight vanish.
func (t Terms) CorrectDelivery(c CorrectDelivery, lot *Lot, household *Household, ctx tape.Context) (Lot, tape.Entry, error) {
	refuse := func(err error) (Lot, tape.Entry, error) { return Lot{}, tape.Entry{}, err }
	if err := rule.First(t.governs(ctx), reason(c.Reason)); err != nil {
		return refuse(err)
	}
	if lot == nil || lot.Delivery == nil {
		return refuse(rule.Field("lot", rule.Refuse(rule.NotFound, "there is no delivery %s", c.Lot)))
	}
	if err := rule.Field("lot", loose(*lot)); err != nil {
		return refuse(err)
	}
	if household == nil {
		return refuse(rule.Field("lot", rule.Refuse(rule.NotFound, "%s is no household of %s", lot.Household, c.Account)))
	}
	by, err := household.delivers(t.Organisation, ctx)
	if err != nil {
		return refuse(err)
	}
	if _, err := weigher(ctx, by.Person, t.Organisation, t.Organisation); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "correct-delivery", string(c.Account))
	after, delivery := *lot, *lot.Delivery
	delivery.Corrected = correction(c.Reason, entry)
	after.State, after.Delivery, after.At, after.Entry = Corrected, &delivery, ctx.At, entry.Reference()
	return after, entry, nil
}

// CorrectStep undoes a step: its inputs are there again, its outputs never were.
type CorrectStep struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Reason  string         `json:"reason"`
	Step    tape.ID        `json:"step"`
}

// CorrectStep judges the command; step is the one that it names, nil where there is
// none, inputs and outputs are its lots. What came out must all still lie there as
// it came out; a division by a release stands. Maker and checker of the cooperative
// are checked against the policy by the caller, and who signed an exception signs
// this too.
func (t Terms) CorrectStep(c CorrectStep, step *Step, inputs, outputs []Lot, ctx tape.Context) (Step, []Lot, tape.Entry, error) {
	refuse := func(err error) (Step, []Lot, tape.Entry, error) { return Step{}, nil, tape.Entry{}, err }
	if err := rule.First(t.governs(ctx), reason(c.Reason)); err != nil {
		return refuse(err)
	}
	if step == nil {
		return refuse(rule.Field("step", rule.Refuse(rule.NotFound, "there is no step %s", c.Step)))
	}
	if err := rule.Field("step", step.undone()); err != nil {
		return refuse(err)
	}
	for _, output := range outputs {
		if err := rule.First(loose(output), bagged(output)); err != nil {
			return refuse(rule.Field("step", err))
		}
	}
	entry := ctx.Entry(c.ID, "correct-step", string(c.Account))
	var lots []Lot
	for _, lot := range slices.Concat(inputs, outputs) {
		if lot.Made == step.ID {
			lot.State = Corrected
		} else {
			lot.State, lot.Consumed = Stored, ""
		}
		lot.At, lot.Entry = ctx.At, entry.Reference()
		lots = append(lots, lot)
	}
	after := *step
	after.Corrected = correction(c.Reason, entry)
	return after, lots, entry, nil
}

// undone refuses a step that was undone, or by which a lender's right moved.
func (s Step) undone() error {
	if s.Corrected != nil {
		return rule.Refuse(rule.WrongState, "step %s was undone by entry %s", s.ID, s.Corrected.Entry)
	}
	if s.Kind == Divided {
		return rule.Refuse(rule.WrongState, "step %s divided a pledged lot and stands", s.ID)
	}
	return nil
}

// correction notes why an entry corrects something.
func correction(reason string, entry tape.Entry) *Correction {
	return &Correction{At: entry.At, Entry: entry.Reference(), Reason: reason}
}

// bagged refuses a lot that is in bags: their numbers are on their way.
func bagged(lot Lot) error {
	if lot.Bags > 0 {
		return rule.Refuse(rule.WrongState, "lot %s is in %d bags", lot.ID, lot.Bags)
	}
	return nil
}

// CorrectSale undoes a sale that was none, as long as its settlement has not begun.
type CorrectSale struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Reason  string         `json:"reason"`
	Sale    tape.ID        `json:"sale"`
}

// CorrectSale judges the command; lots are those of the sale. Maker and checker of
// the cooperative sign over its proceeds, which is checked against the policy by the caller.
func (t Terms) CorrectSale(c CorrectSale, sale Sale, lots []Lot, ctx tape.Context) (Sale, []Lot, tape.Entry, error) {
	refuse := func(err error) (Sale, []Lot, tape.Entry, error) { return Sale{}, nil, tape.Entry{}, err }
	if err := rule.First(t.governs(ctx), reason(c.Reason)); err != nil {
		return refuse(err)
	}
	if sale.State != SaleOpen {
		return refuse(rule.Field("sale", rule.Refuse(rule.WrongState, "sale %s is %s", sale.ID, sale.State)))
	}
	entry := ctx.Entry(c.ID, "correct-sale", string(c.Account))
	sale.State, sale.Corrected = SaleCorrected, correction(c.Reason, entry)
	back := make([]Lot, len(lots))
	for i, lot := range lots {
		lot.State, lot.Sale, lot.At, lot.Entry = Stored, "", ctx.At, entry.Reference()
		back[i] = lot
	}
	return sale, back, entry, nil
}

func reason(given string) error {
	return rule.Field("reason", rule.OneOf(given, Reasons()...))
}
