package harvest

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// BagsMax is the most bags of one lot: a container holds 320 of 60 kg.
const BagsMax = 400

// Unit is one bag, by its serial shipping container code.
type Unit struct {
	Grams int64 `json:"grams,string"`
	// SSCC is 18 digits, the last of which checks the others (GS1 General Specifications, 7.9.1).
	SSCC string `json:"sscc"`
}

// Bag puts all of a lot into bags that bear numbers.
type Bag struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Lot     tape.ID        `json:"lot"`
	Units   []Unit         `json:"units"`
}

// Check refuses a malformed command.
func (c Bag) Check() error {
	if len(c.Units) == 0 || len(c.Units) > BagsMax {
		return rule.Field("units", rule.Refuse(rule.Invalid, "holds %d; 1 to %d are possible", len(c.Units), BagsMax))
	}
	for i, unit := range c.Units {
		if err := rule.Field("sscc", CheckSSCC(unit.SSCC)); err != nil {
			return rule.Item("units", i, err)
		}
		if slices.ContainsFunc(c.Units[:i], func(u Unit) bool { return u.SSCC == unit.SSCC }) {
			return rule.Item("units", i, rule.Field("sscc", rule.Refuse(rule.Invalid, "%s stands twice", unit.SSCC)))
		}
		if unit.Grams < 1 || unit.Grams > GramsMax {
			return rule.Item("units", i, rule.Field("grams", rule.Refuse(rule.Invalid, "%d is not 1 to %d", unit.Grams, int64(GramsMax))))
		}
	}
	return nil
}

// CheckSSCC refuses what is no serial shipping container code: its last digit
// brings the sum of all, every other one times three, to a multiple of ten.
func CheckSSCC(code string) error {
	sum := 0
	for i, c := range []byte(code) {
		if c < '0' || c > '9' {
			return rule.Refuse(rule.Invalid, "is not 18 digits")
		}
		sum += int(c-'0') * (3 - 2*(i%2))
	}
	if len(code) != 18 {
		return rule.Refuse(rule.Invalid, "is not 18 digits")
	}
	if sum%10 != 0 {
		return rule.Refuse(rule.Invalid, "has a wrong check digit")
	}
	return nil
}

// Bag judges the command; lot is the one that it names, nil where there is none,
// borne reports for each number whether a bag has borne it before.
func (t Terms) Bag(c Bag, lot *Lot, borne []bool, ctx tape.Context) (Lot, Bags, tape.Entry, error) {
	refuse := func(err error) (Lot, Bags, tape.Entry, error) { return Lot{}, Bags{}, tape.Entry{}, err }
	if err := rule.First(t.governs(ctx), c.Check()); err != nil {
		return refuse(err)
	}
	if lot == nil {
		return refuse(rule.Field("lot", rule.Refuse(rule.NotFound, "there is no lot %s", c.Lot)))
	}
	if err := rule.Field("lot", stored(*lot)); err != nil {
		return refuse(err)
	}
	if lot.Bags > 0 {
		return refuse(rule.Field("lot", rule.Refuse(rule.WrongState, "lot %s is in %d bags already", lot.ID, lot.Bags)))
	}
	total := int64(0)
	for i, unit := range c.Units {
		if borne[i] {
			return refuse(rule.Item("units", i, rule.Field("sscc", rule.Refuse(rule.Exists, "a bag has borne %s before", unit.SSCC))))
		}
		total += unit.Grams
	}
	if total != lot.Grams {
		return refuse(rule.Field("units", rule.Refuse(rule.Conflict, "weigh %d g; lot %s weighs %d g", total, lot.ID, lot.Grams)))
	}
	if err := party.SignedBy(ctx, t.Organisation); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "bag", string(c.Account))
	after := *lot
	after.Bags, after.At, after.Entry = int32(len(c.Units)), ctx.At, entry.Reference()
	return after, Bags{V: 1, Lot: lot.ID, Units: c.Units, At: ctx.At, Entry: entry.Reference()}, entry, nil
}

// Ship sends lots to another store.
type Ship struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Lots    []tape.ID      `json:"lots"`
	Store   string         `json:"store"`
}

// Ship judges the command; lots stand in the order of its lots, nil where there
// is none. Staff of whoever keeps the store that they leave sign; a lot with a
// lender's right on it stays where it is.
func (t Terms) Ship(c Ship, lots []*Lot, ctx tape.Context) ([]Lot, Move, tape.Entry, error) {
	refuse := func(err error) ([]Lot, Move, tape.Entry, error) { return nil, Move{}, tape.Entry{}, err }
	_, err := t.Agreement.keeper(c.Store)
	if err := rule.First(t.governs(ctx), err, taken(c.Lots, 1, lots, loose)); err != nil {
		return refuse(err)
	}
	for i, lot := range lots {
		if lot.Store == c.Store {
			return refuse(rule.Item("lots", i, rule.Refuse(rule.WrongState, "lot %s is in %s already", lot.ID, c.Store)))
		}
		if err := t.kept(lot.Store, ctx); err != nil {
			return refuse(rule.Item("lots", i, err))
		}
	}
	entry := ctx.Entry(c.ID, "ship", string(c.Account))
	after, move := moved(lots, Shipped, c.Store, entry)
	return after, move, entry, nil
}

// Arrive takes lots that were shipped into their store.
type Arrive struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Lots    []tape.ID      `json:"lots"`
}

// Arrive judges the command; lots stand in the order of its lots, nil where there
// is none. Staff of the store's keeper sign that all of it came. What weighs less
// there is weighed again by a process of the agreement, which shows the loss.
func (t Terms) Arrive(c Arrive, lots []*Lot, ctx tape.Context) ([]Lot, Move, tape.Entry, error) {
	refuse := func(err error) ([]Lot, Move, tape.Entry, error) { return nil, Move{}, tape.Entry{}, err }
	if err := rule.First(t.governs(ctx), taken(c.Lots, 1, lots, shipped)); err != nil {
		return refuse(err)
	}
	store := lots[0].Store
	for i, lot := range lots {
		if lot.Store != store {
			return refuse(rule.Item("lots", i, rule.Refuse(rule.Conflict, "lot %s goes to %s, lot %s to %s", lot.ID, lot.Store, lots[0].ID, store)))
		}
	}
	if err := t.kept(store, ctx); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "arrive", string(c.Account))
	after, move := moved(lots, Stored, store, entry)
	return after, move, entry, nil
}

// shipped refuses a lot that is not on its way.
func shipped(lot Lot) error {
	if lot.State != Shipped {
		return rule.Refuse(rule.WrongState, "lot %s is %s, not on its way", lot.ID, lot.State)
	}
	return nil
}

// kept asks for the signature of a store's keeper. A store that is not agreed on
// any more is the cooperative's to empty.
func (t Terms) kept(store string, ctx tape.Context) error {
	keeper, err := t.Agreement.keeper(store)
	if err != nil {
		keeper = t.Organisation
	}
	return party.SignedBy(ctx, keeper)
}

// moved are lots in another state and store, and the move.
func moved(lots []*Lot, state State, store string, entry tape.Entry) ([]Lot, Move) {
	after, move := make([]Lot, len(lots)), Move{V: 1, ID: entry.ID, Kind: entry.Kind, To: store, At: entry.At, Entry: entry.Reference()}
	for i, lot := range lots {
		after[i] = *lot
		after[i].State, after[i].Store, after[i].At, after[i].Entry = state, store, entry.At, entry.Reference()
		move.Lots = append(move.Lots, Weighed{Grams: lot.Grams, Lot: lot.ID})
		if state == Shipped {
			move.From = append(move.From, lot.Store)
		}
	}
	return after, move
}
