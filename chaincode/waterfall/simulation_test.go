package waterfall_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
)

// The simulation settles random sales: households with random debts in every
// rank, several lenders, floors, scarce and ample shares. Each settlement is judged by the
// invariants below, which know nothing of how it was computed.
// LIANBAO_SEED repeats a run; LIANBAO_STEPS makes it longer.

const (
	settlementsInAll = 1_000
	settlementsShort = 300
)

// settlement is one random sale with all that came of it.
type settlement struct {
	terms        waterfall.Terms
	sale         waterfall.Sale
	distribution waterfall.Distribution
	positions    []waterfall.Position
	outcomes     []waterfall.Outcome
	tally        waterfall.Tally
}

// invariants hold after every settlement.
var invariants = []struct {
	name  string
	holds func(*testing.T, settlement) error
}{
	{"costs, lines and rests are the proceeds, to the unit", func(_ *testing.T, s settlement) error {
		total := int64(0)
		for _, cost := range s.sale.Costs {
			total += cost.Amount.Units
		}
		for _, o := range s.outcomes {
			for _, line := range o.Lines {
				total += line.Amount.Units
			}
			total += o.Rest.Units
		}
		if total != s.sale.Proceeds.Units {
			return fmt.Errorf("%d of %s", total, s.sale.Proceeds)
		}
		return nil
	}},
	{"a share is within a unit of its exact value", func(_ *testing.T, s settlement) error {
		for _, d := range s.sale.Deliveries {
			if err := within(s.of(d.Household).Share.Units, s.distribution.Net.Units, d.Weight, s.distribution.Weight); err != nil {
				return err
			}
		}
		return nil
	}},
	{"no debt gets more than is due on it, nor more than it owes", each(func(s settlement, p waterfall.Position, o waterfall.Outcome) error {
		for _, debt := range p.Debts {
			if got := paid(o, func(l waterfall.Line) bool { return l.Debt == debt.Reference }); got > debt.Owed.Units {
				return fmt.Errorf("%s gets %d of %s", debt.Reference, got, debt.Owed)
			}
		}
		for _, due := range p.Dues {
			if got := onDue(o, due); got > due.Amount.Units {
				return fmt.Errorf("%s gets %d of %s", due.Debt, got, due.Amount)
			}
		}
		return nil
	})},
	{"nobody is paid while a due before him is open", each(func(s settlement, p waterfall.Position, o waterfall.Outcome) error {
		for _, before := range p.Dues {
			for _, after := range p.Dues {
				if precedes(before, after) && onDue(o, before) < before.Amount.Units && onDue(o, after) > 0 {
					return fmt.Errorf("%+v is open, %+v is paid", before, after)
				}
			}
		}
		return nil
	})},
	{"of equal rank each gets its part, within a unit", each(func(s settlement, p waterfall.Position, o waterfall.Outcome) error {
		for _, rank := range []waterfall.Rank{waterfall.Recourse, waterfall.Pool} {
			owed := int64(0)
			for _, due := range p.Dues {
				if due.Rank == rank {
					owed += due.Amount.Units
				}
			}
			got := paid(o, func(l waterfall.Line) bool { return l.Rank == rank })
			for _, due := range p.Dues {
				if due.Rank != rank {
					continue
				}
				if err := within(onDue(o, due), got, due.Amount.Units, owed); err != nil {
					return err
				}
			}
		}
		return nil
	})},
	{"several lenders share each payment by their weights, within a unit", each(func(s settlement, p waterfall.Position, o waterfall.Outcome) error {
		for _, due := range p.Dues {
			creditors := p.Debts[slices.IndexFunc(p.Debts, func(d waterfall.Debt) bool { return d.Reference == due.Debt })].Creditors
			weights := int64(0)
			for _, c := range creditors {
				weights += c.Weight
			}
			for _, c := range creditors {
				got := paid(o, func(l waterfall.Line) bool { return same(l, due) && l.Creditor == c.Account })
				if err := within(got, onDue(o, due), c.Weight, weights); err != nil {
					return err
				}
			}
		}
		return nil
	})},
	{"the floor stays, and beyond it nothing while a due is open", each(func(s settlement, p waterfall.Position, o waterfall.Outcome) error {
		part := new(big.Int).Mul(big.NewInt(p.Share.Units), big.NewInt(int64(s.terms.LivingFloorPartsPerMillion)))
		part.Add(part, big.NewInt(waterfall.Million-1)).Div(part, big.NewInt(waterfall.Million))
		floor := min(p.Share.Units, max(s.terms.LivingFloor.Units, part.Int64()))
		open := int64(0)
		for _, due := range p.Dues {
			open += due.Amount.Units - onDue(o, due)
		}
		if o.Rest.Units < floor || open > 0 && o.Rest.Units > floor {
			return fmt.Errorf("floor %d, open %d, rest %s", floor, open, o.Rest)
		}
		return nil
	})},
	{"every line is of a due of its household and of one of its creditors", each(func(s settlement, p waterfall.Position, o waterfall.Outcome) error {
		for _, line := range o.Lines {
			at := slices.IndexFunc(p.Dues, func(d waterfall.Due) bool { return same(line, d) })
			if at < 0 || line.Amount.Units < 1 {
				return fmt.Errorf("%+v", line)
			}
		}
		return nil
	})},
	{"neither order nor chunks change a byte", func(t *testing.T, s settlement) error {
		positions, parts := slices.Clone(s.positions), []waterfall.Outcome(nil)
		var tallies []waterfall.Tally
		slices.SortFunc(positions, func(a, b waterfall.Position) int { return strings.Compare(string(a.Household), string(b.Household)) })
		for chunk := range slices.Chunk(positions, 3) {
			slices.Reverse(chunk)
			for i := range chunk {
				chunk[i].Dues, chunk[i].Debts = slices.Clone(chunk[i].Dues), slices.Clone(chunk[i].Debts)
				slices.Reverse(chunk[i].Dues)
				slices.Reverse(chunk[i].Debts)
			}
			outcomes, tally, err := s.terms.Chunk(chunk)
			if err != nil {
				return err
			}
			parts, tallies = append(parts, outcomes...), append(tallies, tally)
		}
		if digest(t, parts) != digest(t, s.outcomes) {
			return fmt.Errorf("%+v\n%+v", parts, s.outcomes)
		}
		return waterfall.Close(s.distribution.Net, tallies)
	}},
	{"a unit more or less than the sale is refused", func(_ *testing.T, s settlement) error {
		for _, units := range []int64{-1, 1} {
			positions := slices.Clone(s.positions)
			if positions[0].Share.Units+units < 0 {
				continue
			}
			positions[0].Share.Units += units
			if _, _, err := s.terms.Settle(s.distribution.Net, positions); err == nil {
				return fmt.Errorf("%d units more than %s", units, s.distribution.Net)
			}
		}
		return nil
	}},
}

// each looks at every household of a settlement.
func each(holds func(settlement, waterfall.Position, waterfall.Outcome) error) func(*testing.T, settlement) error {
	return func(_ *testing.T, s settlement) error {
		for _, p := range s.positions {
			if err := holds(s, p, s.of(p.Household)); err != nil {
				return fmt.Errorf("%s: %w", p.Household, err)
			}
		}
		return nil
	}
}

func (s settlement) of(household tape.AccountID) waterfall.Outcome {
	at := slices.IndexFunc(s.outcomes, func(o waterfall.Outcome) bool { return o.Household == household })
	return s.outcomes[at]
}

func paid(o waterfall.Outcome, of func(waterfall.Line) bool) (units int64) {
	for _, line := range o.Lines {
		if of(line) {
			units += line.Amount.Units
		}
	}
	return units
}

func same(l waterfall.Line, d waterfall.Due) bool {
	return l.Debt == d.Debt && l.Date == d.Date && l.Rank == d.Rank
}

func onDue(o waterfall.Outcome, due waterfall.Due) int64 {
	return paid(o, func(l waterfall.Line) bool { return same(l, due) })
}

// precedes says which of two dues must be paid in full before the other gets anything.
func precedes(a, b waterfall.Due) bool {
	order := "overdue window recourse pool prepayment"
	first, second := strings.Index(order, string(a.Rank)), strings.Index(order, string(b.Rank))
	if first != second {
		return first < second
	}
	if a.Rank == waterfall.Recourse || a.Rank == waterfall.Pool {
		return false
	}
	return a.Date < b.Date || a.Date == b.Date && a.Debt < b.Debt
}

// within refuses what is a whole unit or more away from total*weight/sum.
func within(got, total, weight, sum int64) error {
	exact := new(big.Rat).Mul(big.NewRat(total, 1), big.NewRat(weight, sum))
	if difference := exact.Sub(exact, big.NewRat(got, 1)); difference.Abs(difference).Cmp(big.NewRat(1, 1)) >= 0 {
		return fmt.Errorf("%d is not %d*%d/%d", got, total, weight, sum)
	}
	return nil
}

func TestSimulation(t *testing.T) {
	steps := ruletest.Setting(t, "LIANBAO_STEPS", settlementsInAll)
	if testing.Short() {
		steps = min(steps, settlementsShort)
	}
	seed := ruletest.Setting(t, "LIANBAO_SEED", uint64(time.Now().UnixNano()))
	t.Logf("LIANBAO_SEED=%d", seed)
	met := map[string]int{}
	for n := range steps {
		s := settle(t, rand.New(rand.NewPCG(seed+n, 7)))
		for _, invariant := range invariants {
			if err := invariant.holds(t, s); err != nil {
				t.Fatalf("LIANBAO_SEED=%d LIANBAO_STEPS=1: %s: %v", seed+n, invariant.name, err)
			}
		}
		for _, o := range s.outcomes {
			met["floor"] += btoi(o.Floor.Units > 0 && o.Rest == o.Floor)
			met["nothing"] += btoi(o.Share.Units == 0)
			for _, line := range o.Lines {
				met[string(line.Rank)]++
			}
		}
	}
	for _, what := range []string{"floor", "nothing", "overdue", "window", "recourse", "pool", "prepayment"} {
		if met[what] == 0 && steps >= settlementsShort {
			t.Errorf("%s was never met in %d settlements", what, steps)
		}
	}
	t.Logf("%d settlements; lines %v", steps, met)
}

func btoi(is bool) int {
	if is {
		return 1
	}
	return 0
}

// settle makes a random settlement.
func settle(t *testing.T, random *rand.Rand) settlement {
	s := settlement{terms: waterfall.Terms{Day: day, LivingFloor: cny(0), WindowDays: random.Int32N(60)}}
	if random.IntN(3) == 0 {
		s.terms.LivingFloor = cny(random.Int64N(3_000))
	}
	if random.IntN(3) == 0 {
		s.terms.LivingFloorPartsPerMillion = random.Int32N(waterfall.Million + 1)
	}
	s.sale.Proceeds = cny(1 + random.Int64N(1<<(4+random.IntN(20))))
	if random.IntN(2) == 0 {
		s.sale.Costs = []waterfall.Cost{{cny(1 + random.Int64N(s.sale.Proceeds.Units)), "milling", miller}}
	}
	for i := range 1 + random.IntN(len(houses)) {
		s.sale.Deliveries = append(s.sale.Deliveries, waterfall.Delivery{Household: house(i + 1), Weight: random.Int64N(5_000)})
	}
	s.sale.Deliveries[0].Weight++
	var shares []waterfall.Share
	var err error
	if s.distribution, shares, err = s.sale.Distribute(); err != nil {
		t.Fatal(err)
	}
	for i, share := range shares {
		s.positions = append(s.positions, owing(random, s.terms, i, share))
	}
	random.Shuffle(len(s.positions), func(i, j int) { s.positions[i], s.positions[j] = s.positions[j], s.positions[i] })
	if s.outcomes, s.tally, err = s.terms.Settle(s.distribution.Net, s.positions); err != nil {
		t.Fatal(err)
	}
	return s
}

// owing draws what a household owes: loans of one or several lenders, recourse
// to some of the others, parts that passed to the pool.
func owing(random *rand.Rand, terms waterfall.Terms, n int, share waterfall.Share) waterfall.Position {
	p := waterfall.Position{Household: share.Household, Share: share.Amount}
	most := max(1, share.Amount.Units)
	for i := range random.IntN(7) {
		kind := []waterfall.Rank{waterfall.Overdue, waterfall.Overdue, waterfall.Recourse, waterfall.Pool}[random.IntN(4)]
		debt := debt(waterfall.Reference(fmt.Sprintf("%s/coop:coop:coffee/%d.%d", kind, n, i)), 0, bank)
		if random.IntN(2) == 0 && kind == waterfall.Overdue {
			debt.Creditors = append(debt.Creditors, waterfall.Creditor{Account: fund, Weight: 1 + random.Int64N(9)})
		}
		for j := range random.IntN(4) {
			date, rank := terms.Day.AddDays(-random.IntN(300)-1), kind
			if kind == waterfall.Overdue {
				date = terms.Day.AddDays(random.IntN(200) - 100)
				rank = terms.Bank(date)
			}
			d := due(rank, debt.Reference, date, 1+random.Int64N(most))
			if slices.ContainsFunc(p.Dues, func(o waterfall.Due) bool { return o.Debt == d.Debt && o.Date == d.Date }) {
				continue
			}
			p.Dues, debt.Owed.Units = append(p.Dues, d), debt.Owed.Units+d.Amount.Units+int64(j%2)
		}
		if debt.Owed.Units == 0 {
			debt.Owed = money.New(1, "CNY")
		}
		p.Debts = append(p.Debts, debt)
	}
	return p
}
