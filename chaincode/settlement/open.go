package settlement

import (
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
)

// HouseholdsMax is the most households of one chunk: those of one page.
const HouseholdsMax = harvest.PageHouseholdsMax

// HouseholdsFor is how many households fit one chunk where each is paid its rest
// and none pays more creditors than so many.
func HouseholdsFor(creditors int) int32 {
	return int32(max(1, min(HouseholdsMax, linesMax/(1+creditors))))
}

// OpenSettlement moves a sale's proceeds off the scheme's account and fixes every
// share; of a settlement that was abandoned, what is left to share out. Shares and
// root are worked out from the sale's pages, so that nobody can state them wrongly.
type OpenSettlement struct {
	Account tape.AccountID `json:"account"`
	Expires tape.Instant   `json:"expires"`
	// Households is the most of one chunk (HouseholdsFor): fewer where households pay many creditors.
	Households int32 `json:"households"`
	// ID is the entry's and the job's.
	ID   tape.ID `json:"id"`
	Sale tape.ID `json:"sale"`
}

// Opening is what an OpenSettlement reads.
type Opening struct {
	Scheme  group.Scheme
	Version group.SchemeTerms
	Sale    harvest.Sale
	// Shares are those of all pages of the sale.
	Shares harvest.Shares
	// Known is the sale's settlement, nil for none.
	Known *Settlement
	// Free is what the account can spend; Waiting is nil where nothing waits.
	Free    money.Amount
	Waiting *Waiting
}

// Opened is what it comes to; Waiting is nil where it does not change.
type Opened struct {
	Settlement Settlement
	Sale       harvest.Sale
	Job        tape.OpenJob
	Waiting    *Waiting
}

// Open judges the command. That maker and checker signed over the amount is judged
// by the caller against the policy.
func (c OpenSettlement) Open(o Opening, ctx tape.Context) (Opened, tape.Entry, error) {
	refuse := func(err error) (Opened, tape.Entry, error) { return Opened{}, tape.Entry{}, err }
	if err := governs(o.Scheme, ctx); err != nil {
		return refuse(err)
	}
	if o.Known != nil && o.Known.State != Abandoned {
		return refuse(rule.Field("sale", rule.Refuse(rule.WrongState, "%s is settled already, by entry %s", c.Sale, o.Known.Entry)))
	}
	entry := ctx.Entry(c.ID, "open-settlement", string(c.Account))
	result := Opened{Sale: o.Sale}
	var err error
	if !o.Known.begun() {
		if result.Sale, err = o.Sale.Settle(entry); err != nil {
			return refuse(rule.Field("sale", err))
		}
	}
	s, leaves, err := c.plan(o, ctx.Date)
	if err != nil {
		return refuse(err)
	}
	root, total := merkle.Root(leaves)
	s.At, s.Entry = ctx.At, entry.Reference()
	result.Settlement = s
	result.Job = tape.OpenJob{Account: c.Account, Amount: money.New(total, o.Scheme.Currency), Chunks: s.Chunks, Expires: c.Expires, ID: c.ID, Root: root}
	if result.Waiting, err = o.waits(total, entry); err != nil {
		return refuse(err)
	}
	return result, entry, nil
}

// begun reports whether a settlement has paid something and was abandoned then.
func (s *Settlement) begun() bool { return s != nil && s.Paid }

// waits takes what an abandoned settlement was to pay off what waits, and refuses
// another one the money of those that do.
func (o Opening) waits(total int64, entry tape.Entry) (*Waiting, error) {
	if o.Known.begun() {
		next := o.Waiting.add(-total, entry)
		return &next, nil
	}
	if o.Waiting != nil && o.Free.Units >= total && o.Free.Units-o.Waiting.Units < total {
		return nil, rule.Refuse(rule.Insufficient, "%s can spend %s, of which %s waits for payees of other sales; %s was asked",
			o.Scheme.Account, o.Free, money.New(o.Waiting.Units, o.Free.Currency), money.New(total, o.Free.Currency))
	}
	return nil, nil
}

// add is what waits once so much more does.
func (w *Waiting) add(units int64, entry tape.Entry) Waiting {
	next := Waiting{V: 1, Units: units, Entry: entry.Reference()}
	if w != nil {
		next.Units += w.Units
	}
	return next
}

// plan fixes who is settled by which chunk, and the leaves of all chunks. Of a
// settlement that has begun, shares and terms stay what they were for the others.
func (c OpenSettlement) plan(o Opening, day tape.Date) (Settlement, []merkle.Leaf, error) {
	refuse := func(err error) (Settlement, []merkle.Leaf, error) { return Settlement{}, nil, err }
	if err := rule.Field("households", rule.Within(int64(c.Households), 1, HouseholdsMax)); err != nil {
		return refuse(err)
	}
	s := Settlement{V: 1, Scheme: c.Account, Sale: c.Sale, Left: tape.Spans{{Start: 0, End: int64(len(o.Shares))}}, Costs: o.Sale.Costs,
		Terms: waterfall.Terms{Day: day, LivingFloor: o.Version.LivingFloor, LivingFloorPartsPerMillion: o.Version.LivingFloorPartsPerMillion, WindowDays: o.Version.WindowDays}}
	var err error
	if o.Known.begun() {
		s = *o.Known
	} else if s.Distribution, err = distribution(o.Sale, o.Shares); err != nil {
		return refuse(err)
	}
	if o.Known != nil {
		s.Earlier = o.Known.Earlier
	}
	if err := rule.First(s.Distribution.Check(), s.Terms.Check()); err != nil {
		return refuse(err)
	}
	s.Job, s.State, s.Households = c.ID, Running, c.Households
	if s.Chunks = int32(len(s.parts())) + s.first(); s.Chunks > tape.ChunksMax {
		return refuse(rule.Field("households", rule.Refuse(rule.Invalid, "makes %d chunks; a settlement has %d at most, take more households in each", s.Chunks, tape.ChunksMax)))
	}
	leaves, err := s.leaves(o.Shares)
	return s, leaves, err
}

// distribution fixes the shares of a sale.
func distribution(sale harvest.Sale, all harvest.Shares) (waterfall.Distribution, error) {
	outset := waterfall.Sale{Proceeds: sale.Proceeds}
	for i, cost := range sale.Costs {
		outset.Costs = append(outset.Costs, waterfall.Cost{Amount: cost.Amount, Name: tape.ID("cost-" + decimal(i)), Payee: cost.Payee})
	}
	for _, one := range all {
		outset.Deliveries = append(outset.Deliveries, waterfall.Delivery{Household: one.Household, Weight: one.Grams})
	}
	found, _, err := outset.Distribute()
	return found, err
}

// first is the number of the first chunk that is of households.
func (s Settlement) first() int32 {
	if len(s.Costs) > 0 {
		return 1
	}
	return 0
}

// parts are the places of the households of each chunk: side by side, on one page.
func (s Settlement) parts() []tape.Span {
	var parts []tape.Span
	for _, left := range s.Left {
		for at := left.Start; at < left.End; {
			page := at - at%harvest.PageHouseholdsMax
			end := min(left.End, at+int64(s.Households), page+harvest.PageHouseholdsMax)
			parts = append(parts, tape.Span{Start: at, End: end})
			at = end
		}
	}
	return parts
}

// part is whom chunk n settles; nobody where it is of the costs, or none.
func (s Settlement) part(n int32) tape.Span {
	parts, i := s.parts(), n-s.first()
	if i < 0 || int(i) >= len(parts) {
		return tape.Span{}
	}
	return parts[i]
}

// Page is on which page of the sale the households of chunk n stand, -1 for the costs.
func (s Settlement) Page(n int32) int32 {
	if n < s.first() {
		return -1
	}
	return int32(s.part(n).Start / harvest.PageHouseholdsMax)
}

// Of are the households of a page that chunk n settles.
func (s Settlement) Of(n int32, page harvest.Page) harvest.Shares {
	part := s.part(n)
	from, to := part.Start%harvest.PageHouseholdsMax, part.Start%harvest.PageHouseholdsMax+part.Length()
	if to > int64(len(page.Shares)) {
		return nil
	}
	return page.Shares[from:to]
}

// leaves are those of all chunks.
func (s Settlement) leaves(all harvest.Shares) ([]merkle.Leaf, error) {
	var leaves []merkle.Leaf
	if len(s.Costs) > 0 {
		leaf, err := costLeaf(s.Costs)
		if err != nil {
			return nil, err
		}
		leaves = append(leaves, leaf)
	}
	for _, part := range s.parts() {
		shares, err := s.shares(all[part.Start:part.End])
		if err != nil {
			return nil, err
		}
		leaf, err := shareLeaf(int32(len(leaves)), shares)
		if err != nil {
			return nil, err
		}
		leaves = append(leaves, leaf)
	}
	return leaves, nil
}

// Held is what its job holds or, once it is abandoned, what is left to share out;
// all are the shares of all pages of the sale.
func (s Settlement) Held(all harvest.Shares) (money.Amount, error) {
	leaves, err := s.leaves(all)
	if err != nil {
		return money.Amount{}, err
	}
	_, total := merkle.Root(leaves)
	return money.New(total, s.Distribution.Net.Currency), nil
}

// shares are the shares of some households, to the unit.
func (s Settlement) shares(of harvest.Shares) ([]waterfall.Share, error) {
	shares := make([]waterfall.Share, len(of))
	for i, one := range of {
		var err error
		if shares[i], err = s.Distribution.Share(waterfall.Delivery{Household: one.Household, Weight: one.Grams}); err != nil {
			return nil, rule.Item("page", i, err)
		}
	}
	return shares, nil
}

// NewSettlement makes the commands of a settlement out of its sale: one to open
// it, one for each chunk.
func NewSettlement(sale harvest.Sale, all harvest.Shares, id tape.ID, expires tape.Instant) (OpenSettlement, []SettleHouseholds, error) {
	open := OpenSettlement{Account: sale.Scheme, Expires: expires, Households: HouseholdsMax, ID: id, Sale: sale.ID}
	chunks, err := open.Commands(sale, all, nil)
	return open, chunks, err
}

// Commands are those of the chunks of a settlement that c opens; known is the
// sale's settlement where one was abandoned.
func (c OpenSettlement) Commands(sale harvest.Sale, all harvest.Shares, known *Settlement) ([]SettleHouseholds, error) {
	zero, today := money.New(0, sale.Proceeds.Currency), tape.Date("2000-01-01") // neither changes who gets what share
	o := Opening{Sale: sale, Shares: all, Known: known, Version: group.SchemeTerms{LivingFloor: zero}}
	_, leaves, err := c.plan(o, today)
	if err != nil {
		return nil, err
	}
	chunks := make([]SettleHouseholds, len(leaves))
	for n := range leaves {
		path, err := merkle.Prove(leaves, n)
		if err != nil {
			return nil, err
		}
		chunks[n] = SettleHouseholds{Account: c.Account, ID: c.ID + tape.ID("-"+decimal(n)), N: int32(n), Path: append([]merkle.Node{}, path...), Sale: c.Sale}
	}
	return chunks, nil
}
