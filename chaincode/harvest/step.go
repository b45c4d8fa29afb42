package harvest

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// LotsMax is the most lots that one command takes or makes.
const LotsMax = 200

// The kinds of steps.
const (
	Merged    = "merge"
	Processed = "process"
	Divided   = "divide"
)

// Merge makes one lot out of lots of one form and grade in one store.
type Merge struct {
	Account tape.AccountID `json:"account"`
	// ID is the entry's, the step's and the new lot's.
	ID   tape.ID   `json:"id"`
	Lots []tape.ID `json:"lots"`
}

// Output is a lot that a step makes.
type Output struct {
	Grade string  `json:"grade"`
	Grams int64   `json:"grams,string"`
	Lot   tape.ID `json:"lot"`
}

// Run uses lots up and makes others out of them by an agreed process.
type Run struct {
	Account tape.AccountID `json:"account"`
	// ID is the entry's and the step's.
	ID tape.ID `json:"id"`
	// LossGrams is what is gone: inputs less outputs, which who signs reads.
	LossGrams int64     `json:"lossGrams,string"`
	Lots      []tape.ID `json:"lots"`
	Outputs   []Output  `json:"outputs"`
	Process   string    `json:"process"`
}

// Change is what becomes of lots: those that were there, and those that are new.
type Change struct {
	Lots []Lot
	New  []Stock
	Step Step
}

// Merge judges the command; inputs stand in the order of its lots, nil where there is none.
func (t Terms) Merge(c Merge, inputs []*Stock, ctx tape.Context) (Change, tape.Entry, error) {
	refuse := func(err error) (Change, tape.Entry, error) { return Change{}, tape.Entry{}, err }
	if err := rule.First(t.governs(ctx), usable(c.Lots, 2, inputs), party.SignedBy(ctx, t.Organisation)); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "merge", string(c.Account))
	all := together(inputs)
	return t.step(Step{ID: c.ID, Kind: Merged}, inputs, inputs[0].Lot.Form, []Output{{Grade: inputs[0].Lot.Grade, Grams: all.Grams(), Lot: c.ID}}, entry)
}

// Process judges the command; inputs stand in the order of its lots, nil where there is none.
func (t Terms) Process(c Run, inputs []*Stock, ctx tape.Context) (Change, tape.Entry, error) {
	refuse := func(err error) (Change, tape.Entry, error) { return Change{}, tape.Entry{}, err }
	process, err := t.Agreement.process(c.Process)
	if err := rule.First(t.governs(ctx), err, usable(c.Lots, 1, inputs)); err != nil {
		return refuse(err)
	}
	if form := inputs[0].Lot.Form; form != process.From {
		return refuse(rule.Field("lots", rule.Refuse(rule.Conflict, "are %s; %s begins with %s", form, process.Process, process.From)))
	}
	out, err := c.outputs(t.Agreement, process)
	if err != nil {
		return refuse(err)
	}
	in := together(inputs).Grams()
	if in-out != c.LossGrams || c.LossGrams < 0 {
		return refuse(rule.Field("lossGrams", rule.Refuse(rule.Conflict, "is %d; %d g went in and %d g came out", c.LossGrams, in, out)))
	}
	step := Step{ID: c.ID, Kind: Processed, Process: process.Process, Exception: !process.yields(in, out)}
	if err := party.SignedBy(ctx, t.Organisation); err != nil {
		return refuse(err)
	}
	if step.Exception {
		if err := t.second(ctx, "a yield outside the agreed range"); err != nil {
			return refuse(rule.Field("outputs", err))
		}
	}
	return t.step(step, inputs, process.To, c.Outputs, ctx.Entry(c.ID, "process", string(c.Account)))
}

// outputs judges what comes out, and adds it up.
func (c Run) outputs(agreement Agreement, process Process) (int64, error) {
	if len(c.Outputs) == 0 || len(c.Outputs) > LotsMax {
		return 0, rule.Field("outputs", rule.Refuse(rule.Invalid, "holds %d; 1 to %d are possible", len(c.Outputs), LotsMax))
	}
	total := int64(0)
	for i, output := range c.Outputs {
		if err := rule.First(rule.Field("lot", output.Lot.Check()), agreement.graded(process.To, output.Grade)); err != nil {
			return 0, rule.Item("outputs", i, err)
		}
		if slices.ContainsFunc(c.Outputs[:i], func(o Output) bool { return o.Lot == output.Lot }) {
			return 0, rule.Item("outputs", i, rule.Field("lot", rule.Refuse(rule.Invalid, "%s stands twice", output.Lot)))
		}
		if output.Grams < 1 || output.Grams > GramsMax-total {
			return 0, rule.Item("outputs", i, rule.Field("grams", rule.Refuse(rule.Invalid, "%d is not 1 to %d", output.Grams, GramsMax-total)))
		}
		total += output.Grams
	}
	return total, nil
}

// yields reports whether so much out of so much is in the agreed range, without a division.
func (p Process) yields(in, out int64) bool {
	return out*partsPerOne >= in*int64(p.YieldMinPartsPerMillion) && out*partsPerOne <= in*int64(p.YieldMaxPartsPerMillion)
}

// step uses the inputs up and gives each output its part of everybody's grams, in
// the order of the outputs; what is left then is everybody's part of the loss.
func (t Terms) step(step Step, inputs []*Stock, form string, outputs []Output, entry tape.Entry) (Change, tape.Entry, error) {
	step.V, step.Scheme, step.Terms, step.At, step.Entry = 1, t.Scheme, t.Version, entry.At, entry.Reference()
	left, change := together(inputs), Change{}
	step.LossGrams = left.Grams()
	for _, output := range outputs {
		taken, rest, err := left.Take(output.Grams)
		if err != nil {
			return Change{}, tape.Entry{}, err
		}
		stock, err := stocked(Lot{Scheme: t.Scheme, ID: output.Lot, Form: form, Grade: output.Grade, Store: inputs[0].Lot.Store, Made: step.ID, At: entry.At, Entry: step.Entry}, taken)
		if err != nil {
			return Change{}, tape.Entry{}, err
		}
		left, step.LossGrams = rest, step.LossGrams-output.Grams
		step.Outputs = append(step.Outputs, Weighed{Grams: output.Grams, Lot: output.Lot})
		change.New = append(change.New, stock)
	}
	for _, input := range inputs {
		lot := input.Lot
		lot.State, lot.Consumed, lot.At, lot.Entry = Consumed, step.ID, entry.At, step.Entry
		step.Inputs = append(step.Inputs, Weighed{Grams: lot.Grams, Lot: lot.ID})
		change.Lots = append(change.Lots, lot)
	}
	change.Step = step
	return change, entry, nil
}

func together(stocks []*Stock) Shares {
	parts := make([]Shares, len(stocks))
	for i, stock := range stocks {
		parts[i] = stock.Shares
	}
	return Together(parts...)
}

// taken refuses lots that are not there, doubled, too many or too heavy, and
// those of which may is an error.
func taken(ids []tape.ID, least int, lots []*Lot, may func(Lot) error) error {
	if len(ids) < least || len(ids) > LotsMax {
		return rule.Field("lots", rule.Refuse(rule.Invalid, "holds %d; %d to %d are possible", len(ids), least, LotsMax))
	}
	total := int64(0)
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			return rule.Item("lots", i, rule.Refuse(rule.Invalid, "%s stands twice", id))
		}
		if lots[i] == nil {
			return rule.Item("lots", i, rule.Refuse(rule.NotFound, "there is no lot %s", id))
		}
		if err := may(*lots[i]); err != nil {
			return rule.Item("lots", i, err)
		}
		if total += lots[i].Grams; total > GramsMax {
			return rule.Field("lots", rule.Refuse(rule.Invalid, "weigh more than %d g; take them in several steps", int64(GramsMax)))
		}
	}
	return nil
}

// stored refuses a lot that does not lie in a store.
func stored(lot Lot) error {
	if lot.State != Stored {
		return rule.Refuse(rule.WrongState, "lot %s is %s, by entry %s", lot.ID, lot.State, lot.Entry)
	}
	return nil
}

// loose refuses a lot that is not stored, or on which a lender has a right.
func loose(lot Lot) error {
	if err := stored(lot); err != nil {
		return err
	}
	if lot.Pledged != nil {
		return rule.Refuse(rule.WrongState, "lot %s is pledged to %s, by entry %s", lot.ID, lot.Pledged.Lender, lot.Pledged.Entry)
	}
	return nil
}

// usable refuses lots that cannot be used up together: they are free, and of one
// form, grade and store. What is sold for one price is of one worth a gram.
func usable(ids []tape.ID, least int, stocks []*Stock) error {
	lots := make([]*Lot, len(stocks))
	for i, stock := range stocks {
		if stock != nil {
			lots[i] = &stock.Lot
		}
	}
	if err := taken(ids, least, lots, loose); err != nil {
		return err
	}
	one := stocks[0].Lot
	for i, stock := range stocks {
		if lot := stock.Lot; lot.Form != one.Form || lot.Grade != one.Grade || lot.Store != one.Store {
			return rule.Item("lots", i, rule.Refuse(rule.Conflict, "lot %s is %s %s in %s, lot %s %s %s in %s", lot.ID, lot.Form, lot.Grade, lot.Store, one.ID, one.Form, one.Grade, one.Store))
		}
	}
	return nil
}
