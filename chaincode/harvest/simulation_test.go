package harvest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// The simulation gives random commands to the rules and keeps far simpler books
// beside them: of each lot where it is, of each household what it delivered. It
// foresees what is refused. After each step every invariant is checked.
// LIANBAO_SEED repeats a run; LIANBAO_STEPS makes it longer.

const (
	stepsInAll  = 20_000
	stepsAWorld = 100
)

func TestSimulation(t *testing.T) {
	steps, seed := ruletest.Setting(t, "LIANBAO_STEPS", stepsInAll), ruletest.Setting(t, "LIANBAO_SEED", uint64(time.Now().UnixNano()))
	t.Logf("LIANBAO_SEED=%d", seed)
	done, refused := map[string]int{}, map[string]int{}
	for n := uint64(0); n*stepsAWorld < steps; n++ {
		w := newSimulated(seed + n)
		for i := range stepsAWorld {
			action := actions[w.random.IntN(len(actions))]
			foreseen, err := action.try(w)
			if (err == nil) != foreseen {
				t.Fatalf("LIANBAO_SEED=%d LIANBAO_STEPS=%d: step %d, %s: foreseen %v: %v", seed+n, stepsAWorld, i, action.name, foreseen, err)
			}
			if err == nil {
				done[action.name]++
			} else {
				refused[action.name]++
			}
			for _, invariant := range invariants {
				if err := invariant.holds(w); err != nil {
					t.Fatalf("LIANBAO_SEED=%d LIANBAO_STEPS=%d: step %d, %s: %s: %v", seed+n, stepsAWorld, i, action.name, invariant.name, err)
				}
			}
			w.touched = nil
		}
	}
	for _, action := range actions {
		if steps >= stepsInAll && (done[action.name] == 0 || refused[action.name] == 0 && action.name != "deliver") {
			t.Errorf("%s was accepted %d times and refused %d times in %d steps", action.name, done[action.name], refused[action.name], steps)
		}
	}
	t.Logf("%d steps; accepted %v; refused %v", steps, done, refused)
}

// simulated is a scheme: the records as the rules left them, and simple books.
type simulated struct {
	random *rand.Rand
	lots   []*harvest.Stock
	steps  []*harvest.Step
	sales  []*sold
	n      int
	// delivered is what each household brought and did not take back; inside is what of all the scale took in.
	delivered map[tape.AccountID]int64
	corrected int64
	scale     int64
	// place is where each lot is, in the words of the simple books.
	place   map[tape.ID]string
	touched []*harvest.Stock
	// security is what the pledged lots secure.
	security *harvest.Security
}

type sold struct {
	sale   harvest.Sale
	shares harvest.Shares
}

func newSimulated(seed uint64) *simulated {
	return &simulated{random: rand.New(rand.NewPCG(seed, 1)), delivered: map[tape.AccountID]int64{}, place: map[tape.ID]string{}}
}

var households = []string{"h1", "h2", "h3", "h4", "h5", "h6"}

func (w *simulated) id(kind string) tape.ID {
	w.n++
	return tape.ID(fmt.Sprint(kind, "-", w.n))
}

// some picks lots: mostly those that can be used together, sometimes any.
func (w *simulated) some(least, most int) []*harvest.Stock {
	if len(w.lots) == 0 {
		return nil
	}
	wanted, like := least+w.random.IntN(most-least+1), w.lots[w.random.IntN(len(w.lots))]
	careless := w.random.IntN(8) == 0
	if !careless && w.place[like.Lot.ID] != "free" {
		for _, candidate := range w.lots {
			if w.place[candidate.Lot.ID] == "free" && w.random.IntN(3) == 0 {
				like = candidate
			}
		}
	}
	picked := []*harvest.Stock{like}
	for _, i := range w.random.Perm(len(w.lots)) {
		candidate := w.lots[i]
		if len(picked) < wanted && candidate != like && (careless || w.place[candidate.Lot.ID] == "free" && sameKind(candidate.Lot, like.Lot)) {
			picked = append(picked, candidate)
		}
	}
	if len(picked) < least {
		return nil
	}
	return picked
}

func sameKind(a, b harvest.Lot) bool {
	return a.Form == b.Form && a.Grade == b.Grade && a.Store == b.Store
}

// free foresees whether lots can be used up together.
func (w *simulated) free(picked []*harvest.Stock) bool {
	return !slices.ContainsFunc(picked, func(s *harvest.Stock) bool {
		return w.place[s.Lot.ID] != "free" || !sameKind(s.Lot, picked[0].Lot)
	})
}

func ids(picked []*harvest.Stock) []tape.ID {
	list := make([]tape.ID, len(picked))
	for i, stock := range picked {
		list[i] = stock.Lot.ID
	}
	return list
}

func lotsOf(picked []*harvest.Stock) []*harvest.Lot {
	list := make([]*harvest.Lot, len(picked))
	for i, stock := range picked {
		list[i] = &stock.Lot
	}
	return list
}

// keep takes over what a rule said becomes of lots.
func (w *simulated) keep(lots []harvest.Lot, place string) {
	for _, lot := range lots {
		kept := w.lot(lot.ID)
		kept.Lot = lot
		w.place[lot.ID] = place
		w.touched = append(w.touched, kept)
	}
}

func (w *simulated) lot(id tape.ID) *harvest.Stock {
	return w.lots[slices.IndexFunc(w.lots, func(s *harvest.Stock) bool { return s.Lot.ID == id })]
}

func (w *simulated) add(stock harvest.Stock, place string) {
	again := harvest.StockOf(stock.Lot, stock.Pages()) // as it comes back from the ledger
	w.lots = append(w.lots, &again)
	w.place[stock.Lot.ID] = place
	w.touched = append(w.touched, &again)
}

func (w *simulated) change(change harvest.Change, places ...string) {
	w.keep(change.Lots, "gone")
	for i, made := range change.New {
		w.add(made, places[min(i, len(places)-1)])
	}
	w.steps = append(w.steps, &change.Step)
}

// actions are tried at random; each foresees whether it is refused.
var actions = []struct {
	name string
	try  func(*simulated) (foreseen bool, err error)
}{
	{"deliver", (*simulated).deliver}, {"deliver", (*simulated).deliver}, {"deliver", (*simulated).deliver}, {"merge", (*simulated).merge}, {"process", (*simulated).process}, {"process", (*simulated).process},
	{"bag", (*simulated).bag}, {"ship", (*simulated).ship}, {"arrive", (*simulated).arrive}, {"sell", (*simulated).sell}, {"pledge", (*simulated).pledge}, {"release", (*simulated).release},
	{"correct-delivery", (*simulated).correctDelivery}, {"correct-step", (*simulated).correctStep}, {"correct-sale", (*simulated).correctSale},
}

func (w *simulated) deliver() (bool, error) {
	of := households[w.random.IntN(len(households))]
	c := deliver(w.id("lot"), of, 1+w.random.Int64N(60_000))
	c.Grade = []string{"ripe", "mixed"}[w.random.IntN(2)]
	made, _, err := terms().Deliver(c, household(of), by("coop", "weigher", "+"+of))
	if err == nil {
		w.add(made, "free")
		w.delivered[c.Household] += c.NetGrams
		w.scale += c.NetGrams
	}
	return true, err
}

func (w *simulated) merge() (bool, error) {
	picked := w.some(2, 5)
	foreseen := len(picked) > 0 && w.free(picked)
	change, _, err := terms().Merge(harvest.Merge{ID: w.id("merged"), Lots: ids(picked), Account: scheme}, picked, by("coop", "maker"))
	if err == nil {
		w.change(change, "free")
	}
	return foreseen, err
}

// process mills, hulls or sorts with a yield around the agreed range, into one to three lots.
func (w *simulated) process() (bool, error) {
	picked := w.some(1, 4)
	if len(picked) == 0 {
		_, _, err := terms().Process(harvest.Run{Process: "sorting"}, nil, by("coop", "maker"))
		return false, err
	}
	process := agreement().Processes[slices.Index([]string{"cherry", "parchment", "green"}, picked[0].Lot.Form)]
	in := int64(0)
	for _, stock := range picked {
		in += stock.Lot.Grams
	}
	low, high := int64(process.YieldMinPartsPerMillion), int64(process.YieldMaxPartsPerMillion)
	out := min(in, in*(low-5_000+w.random.Int64N(high-low+10_000))/1_000_000)
	c := harvest.Run{ID: w.id("step"), LossGrams: in - out, Lots: ids(picked), Process: process.Process, Account: scheme}
	parts, left := 1+w.random.Int64N(3), out
	for i := range parts {
		grams := left
		if i < parts-1 {
			grams = left / (parts - i)
		}
		left -= grams
		if grams > 0 {
			c.Outputs = append(c.Outputs, harvest.Output{Grade: []string{"a", "b"}[w.random.IntN(2)], Grams: grams, Lot: w.id("lot")})
		}
	}
	signers := []string{"maker"}
	if w.random.IntN(2) == 0 {
		signers = append(signers, "lender@bank")
	}
	exception := out*1_000_000 < in*low || out*1_000_000 > in*high
	foreseen := w.free(picked) && out > 0 && (!exception || len(signers) == 2)
	change, _, err := terms().Process(c, picked, by("coop", signers...))
	if err == nil {
		w.change(change, "free")
	}
	return foreseen, err
}

func (w *simulated) bag() (bool, error) {
	picked := w.some(1, 1)
	if len(picked) == 0 {
		_, _, _, err := terms().Bag(harvest.Bag{}, nil, nil, by("coop", "maker"))
		return false, err
	}
	lot := picked[0].Lot
	c := harvest.Bag{ID: w.id("bag"), Lot: lot.ID, Account: scheme, Units: []harvest.Unit{{Grams: lot.Grams, SSCC: "106141411234567897"}}}
	foreseen := (w.place[lot.ID] == "free" || w.place[lot.ID] == "pledged") && lot.Bags == 0
	after, _, _, err := terms().Bag(c, &lot, []bool{false}, by("coop", "maker"))
	if err == nil {
		w.keep([]harvest.Lot{after}, w.place[lot.ID])
	}
	return foreseen, err
}

func other(store string) string {
	if store == "mill" {
		return "warehouse"
	}
	return "mill"
}

func (w *simulated) ship() (bool, error) {
	picked, to := w.some(1, 3), "mill"
	if len(picked) > 0 {
		to = other(picked[0].Lot.Store)
	}
	free := len(picked) > 0 && !slices.ContainsFunc(picked, func(s *harvest.Stock) bool { return w.place[s.Lot.ID] != "free" || s.Lot.Store == to })
	lots, _, _, err := terms().Ship(harvest.Ship{ID: w.id("ship"), Lots: ids(picked), Account: scheme, Store: to}, lotsOf(picked), by("coop", "maker", "keeper@bank"))
	if err == nil {
		w.keep(lots, "shipped")
	}
	return free, err
}

func (w *simulated) arrive() (bool, error) {
	var picked []*harvest.Stock
	for _, stock := range w.lots {
		if w.place[stock.Lot.ID] == "shipped" && (len(picked) == 0 || stock.Lot.Store == picked[0].Lot.Store) || w.random.IntN(200) == 0 {
			picked = append(picked, stock)
		}
	}
	foreseen := len(picked) > 0 && !slices.ContainsFunc(picked, func(s *harvest.Stock) bool {
		return w.place[s.Lot.ID] != "shipped" || s.Lot.Store != picked[0].Lot.Store
	})
	lots, _, _, err := terms().Arrive(harvest.Arrive{ID: w.id("arrive"), Lots: ids(picked), Account: scheme}, lotsOf(picked), by("coop", "maker", "keeper@bank"))
	if err == nil {
		w.keep(lots, "free")
	}
	return foreseen, err
}

func (w *simulated) sell() (bool, error) {
	picked := w.some(1, 3)
	grams := int64(0)
	for _, stock := range picked {
		grams += stock.Lot.Grams
	}
	price := 1_000_000 + w.random.Int64N(9_000_000)
	c := harvest.Sell{Buyer: "outside:buyer:roaster", ID: w.id("sale"), Lots: ids(picked), PricePerTonne: cny(price), Proceeds: cny((2*price*grams + 1_000_000) / 2_000_000), Account: scheme}
	foreseen := len(picked) > 0 && w.free(picked) && c.Proceeds.Units > 0
	sale, shares, lots, _, err := terms().Sell(c, picked, "CNY", by("coop", "maker", "checker"))
	if err == nil {
		w.keep(lots, "sold")
		w.sales = append(w.sales, &sold{sale, shares})
	}
	return foreseen, err
}

func (w *simulated) pledge() (bool, error) {
	picked := w.some(1, 1)
	var lot *harvest.Lot
	var owner *harvest.Household
	signers := []string{"maker", "lender@bank"}
	if len(picked) > 0 {
		lot = &picked[0].Lot
		if lot.Household != "" {
			owner = &harvest.Household{Household: lot.Household, Person: "owner"}
			signers = append(signers, "+owner")
		}
	}
	c := harvest.Pledge{CoverPartsPerMillion: 1_200_000, ID: w.id("pledge"), Lender: "bank", Loan: "loan-1", Account: scheme, ValuePerTonne: cny(1 + w.random.Int64N(9_000_000))}
	if lot != nil {
		c.Lot = lot.ID
	}
	debt := w.debt()
	after, security, _, err := terms().Pledge(c, lot, owner, true, debt, by("coop", signers...))
	foreseen := lot != nil && w.place[lot.ID] == "free" && debt.Owed.Units > 0
	if err == nil {
		w.security = security
		w.keep([]harvest.Lot{after}, "pledged")
	}
	return foreseen, err
}

// debt owes another amount each day, and sometimes nothing.
func (w *simulated) debt() *harvest.Debt {
	return &harvest.Debt{Owed: cny(max(0, w.random.Int64N(200_000)-50_000)), Lenders: []string{"bank"}, Security: w.security}
}

// worth is what all pledged lots are worth, in millionths of a minor unit.
func (w *simulated) worth() int64 {
	worth := int64(0)
	for _, stock := range w.lots {
		if w.place[stock.Lot.ID] == "pledged" {
			worth += stock.Lot.Grams * stock.Lot.Pledged.ValuePerTonne.Units
		}
	}
	return worth
}

func (w *simulated) everySecurity() error {
	grams, lots := int64(0), 0
	if w.security != nil {
		lots = len(w.security.Lots)
		for _, one := range w.security.Lots {
			lot := w.lot(one.Lot).Lot
			if grams += one.Grams; one.Grams != lot.Grams || lot.Pledged == nil || lot.Pledged.ValuePerTonne != one.ValuePerTonne {
				return fmt.Errorf("%+v, and the lot is %+v", one, lot)
			}
		}
	}
	for _, stock := range w.lots {
		if w.place[stock.Lot.ID] == "pledged" {
			grams, lots = grams-stock.Lot.Grams, lots-1
		}
	}
	if grams != 0 || lots != 0 {
		return fmt.Errorf("%d g in %d lots secure the loan and are not pledged: %+v", grams, lots, w.security)
	}
	return nil
}

func (w *simulated) release() (bool, error) {
	var picked *harvest.Stock
	for _, stock := range w.lots {
		if w.place[stock.Lot.ID] == "pledged" || picked == nil {
			picked = stock
		}
	}
	c := harvest.ReleasePledge{ID: w.id("release"), Account: scheme}
	if picked != nil {
		c.Lot, c.Grams = picked.Lot.ID, 1+w.random.Int64N(picked.Lot.Grams)
		if c.Grams < picked.Lot.Grams {
			c.Free, c.Rest = w.id("lot"), w.id("lot")
		}
	}
	foreseen, debt, ctx := picked != nil && w.place[picked.Lot.ID] == "pledged", w.debt(), by("bank", "lender")
	if w.random.IntN(2) == 0 && foreseen { // by the word of the cooperative, as far as what is owed is covered by the rest
		ctx = by("coop", "keeper")
		foreseen = w.worth()-c.Grams*picked.Lot.Pledged.ValuePerTonne.Units >= debt.Owed.Units*1_200_000 || debt.Owed.Units == 0
	}
	change, security, _, err := terms().ReleasePledge(c, picked, debt, ctx)
	if err == nil {
		w.security = security
	}
	if err == nil && len(change.New) > 0 {
		w.change(change, "free", "pledged")
	} else if err == nil {
		w.keep(change.Lots, "free")
	}
	return foreseen, err
}

func (w *simulated) correctDelivery() (bool, error) {
	c := harvest.CorrectDelivery{ID: w.id("correct"), Reason: "incorrect_data", Account: scheme}
	var lot *harvest.Lot
	var owner *harvest.Household
	if len(w.lots) > 0 {
		lot = &w.lots[w.random.IntN(len(w.lots))].Lot
		c.Lot, owner = lot.ID, &harvest.Household{Household: lot.Household, Person: "owner"}
	}
	foreseen := lot != nil && lot.Delivery != nil && w.place[lot.ID] == "free"
	after, _, err := terms().CorrectDelivery(c, lot, owner, by("coop", "weigher", "+owner"))
	if err == nil {
		w.keep([]harvest.Lot{after}, "corrected")
		w.delivered[after.Household] -= after.Grams
		w.corrected += after.Grams
	}
	return foreseen, err
}

func (w *simulated) correctStep() (bool, error) {
	c := harvest.CorrectStep{ID: w.id("correct"), Reason: "did_not_occur", Account: scheme}
	if len(w.steps) == 0 {
		_, _, _, err := terms().CorrectStep(c, nil, nil, nil, by("coop", "maker", "checker"))
		return false, err
	}
	step := w.steps[w.random.IntN(len(w.steps))]
	var inputs, outputs []harvest.Lot
	for _, input := range step.Inputs {
		inputs = append(inputs, w.lot(input.Lot).Lot)
	}
	foreseen := step.Corrected == nil && step.Kind != harvest.Divided
	for _, output := range step.Outputs {
		lot := w.lot(output.Lot).Lot
		outputs = append(outputs, lot)
		foreseen = foreseen && w.place[lot.ID] == "free" && lot.Bags == 0
	}
	c.Step = step.ID
	after, lots, _, err := terms().CorrectStep(c, step, inputs, outputs, by("coop", "maker", "checker"))
	if err == nil {
		*step = after
		w.keep(lots[:len(inputs)], "free")
		w.keep(lots[len(inputs):], "corrected")
	}
	return foreseen, err
}

func (w *simulated) correctSale() (bool, error) {
	c := harvest.CorrectSale{ID: w.id("correct"), Reason: "incorrect_data", Account: scheme}
	if len(w.sales) == 0 {
		_, _, _, err := terms().CorrectSale(c, harvest.Sale{}, nil, by("coop", "maker", "checker"))
		return false, err
	}
	of := w.sales[w.random.IntN(len(w.sales))]
	var lots []harvest.Lot
	for _, lot := range of.sale.Lots {
		lots = append(lots, w.lot(lot.Lot).Lot)
	}
	foreseen := of.sale.State == harvest.SaleOpen
	after, back, _, err := terms().CorrectSale(c, of.sale, lots, by("coop", "maker", "checker"))
	if err == nil {
		of.sale = after
		w.keep(back, "free")
	}
	return foreseen, err
}

// invariants hold after every step, whatever was asked.
var invariants = []struct {
	name  string
	holds func(*simulated) error
}{
	{"every gram from the scale has one place", (*simulated).everyGram},
	{"every household's grams are its own", (*simulated).everyHousehold},
	{"a lot is what its households have of it", (*simulated).everyLot},
	{"lots are where the simple books have them", (*simulated).everyPlace},
	{"what secures the loan is what is pledged, to the gram", (*simulated).everySecurity},
	{"a lot comes from one step and goes into one", (*simulated).everyStep},
	{"a sale is what its lots were", (*simulated).everySale},
}

func lies(lot harvest.Lot) bool { return lot.State == harvest.Stored || lot.State == harvest.Shipped }

func (w *simulated) everyGram() error {
	lying, sold, lost := int64(0), int64(0), int64(0)
	for _, stock := range w.lots {
		if lies(stock.Lot) {
			lying += stock.Lot.Grams
		}
	}
	for _, of := range w.sales {
		if of.sale.State != harvest.SaleCorrected {
			sold += of.sale.Grams
		}
	}
	for _, step := range w.steps {
		if step.Corrected == nil {
			lost += step.LossGrams
		}
	}
	if lying+sold+lost+w.corrected != w.scale {
		return fmt.Errorf("delivered %d g: %d lie, %d are sold, %d lost, %d corrected", w.scale, lying, sold, lost, w.corrected)
	}
	return nil
}

func (w *simulated) everyHousehold() error {
	has := map[tape.AccountID]int64{}
	add := func(shares harvest.Shares, sign int64) {
		for _, share := range shares {
			has[share.Household] += sign * share.Grams
		}
	}
	for _, stock := range w.lots {
		if lies(stock.Lot) {
			add(stock.Shares, 1)
		}
	}
	for _, of := range w.sales {
		if of.sale.State != harvest.SaleCorrected {
			add(of.shares, 1)
		}
	}
	for _, step := range w.steps {
		if step.Corrected != nil {
			continue
		}
		for _, input := range step.Inputs {
			add(w.lot(input.Lot).Shares, 1)
		}
		for _, output := range step.Outputs {
			add(w.lot(output.Lot).Shares, -1)
		}
	}
	for household, grams := range w.delivered {
		if has[household] != grams {
			return fmt.Errorf("%s delivered %d g and has %d g", household, grams, has[household])
		}
		delete(has, household)
	}
	if len(has) > 0 {
		return fmt.Errorf("%v delivered nothing", has)
	}
	return nil
}

func (w *simulated) everyLot() error {
	for _, stock := range w.touched {
		composition, err := stock.Shares.Composition()
		if err != nil || composition != stock.Lot.Composition || stock.Shares.Grams() != stock.Lot.Grams || stock.Lot.Grams < 1 {
			return fmt.Errorf("lot %s of %d g, %d households: %v", stock.Lot.ID, stock.Lot.Grams, stock.Lot.Composition.Households, err)
		}
		if !slices.IsSortedFunc(stock.Shares, func(a, b harvest.Share) int {
			if a.Household < b.Household {
				return -1
			}
			return 1
		}) || slices.ContainsFunc(stock.Shares, func(s harvest.Share) bool { return s.Grams < 1 }) || (stock.Lot.Household != "") != (len(stock.Shares) == 1) {
			return fmt.Errorf("lot %s: %v", stock.Lot.ID, stock.Shares)
		}
	}
	return nil
}

func (w *simulated) everyPlace() error {
	states := map[string]harvest.State{"free": harvest.Stored, "pledged": harvest.Stored, "shipped": harvest.Shipped, "gone": harvest.Consumed, "sold": harvest.Sold, "corrected": harvest.Corrected}
	for _, stock := range w.lots {
		lot, place := stock.Lot, w.place[stock.Lot.ID]
		if lot.State != states[place] || (lot.Pledged != nil) != (place == "pledged") || (lot.Sale != "") != (place == "sold") || (lot.Consumed != "") != (place == "gone") {
			return fmt.Errorf("lot %s is %s: %+v", lot.ID, place, lot)
		}
	}
	return nil
}

func (w *simulated) everyStep() error {
	made, consumed := map[tape.ID]tape.ID{}, map[tape.ID]tape.ID{}
	for _, step := range w.steps {
		in, out := int64(0), int64(0)
		for _, input := range step.Inputs {
			in += w.lot(input.Lot).Lot.Grams
			if step.Corrected == nil && consumed[input.Lot] != "" {
				return fmt.Errorf("lot %s is consumed by %s and %s", input.Lot, consumed[input.Lot], step.ID)
			} else if step.Corrected == nil {
				consumed[input.Lot] = step.ID
			}
		}
		for _, output := range step.Outputs {
			out += w.lot(output.Lot).Lot.Grams
			made[output.Lot] = step.ID
		}
		if in-out != step.LossGrams || step.LossGrams < 0 {
			return fmt.Errorf("step %s: %d g in, %d g out, %d g lost", step.ID, in, out, step.LossGrams)
		}
	}
	for _, stock := range w.lots {
		if lot := stock.Lot; lot.Made != made[lot.ID] || lot.Consumed != consumed[lot.ID] || (lot.Delivery == nil) == (lot.Made == "") {
			return fmt.Errorf("lot %+v is made by %s and consumed by %s", lot, made[lot.ID], consumed[lot.ID])
		}
	}
	return nil
}

func (w *simulated) everySale() error {
	for _, of := range w.sales {
		grams := int64(0)
		for _, weighed := range of.sale.Lots {
			lot := w.lot(weighed.Lot).Lot
			if grams += lot.Grams; of.sale.State != harvest.SaleCorrected && lot.Sale != of.sale.ID {
				return fmt.Errorf("lot %s of sale %s is sold by %s", lot.ID, of.sale.ID, lot.Sale)
			}
		}
		if grams != of.sale.Grams || of.shares.Grams() != grams {
			return fmt.Errorf("sale %s of %d g has lots of %d g and households with %d g", of.sale.ID, of.sale.Grams, grams, of.shares.Grams())
		}
	}
	return nil
}
