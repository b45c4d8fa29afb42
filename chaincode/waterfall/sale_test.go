package waterfall_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
)

// sale brings 1,000.00, costs 100.00, and is of 3 households in no order.
func sale() waterfall.Sale {
	return waterfall.Sale{Proceeds: cny(100_000),
		Costs:      []waterfall.Cost{{cny(7_000), "milling", miller}, {cny(3_000), "transport", "outside:coop:carrier"}},
		Deliveries: []waterfall.Delivery{{house(3), 1_000}, {house(1), 1_000}, {house(2), 1_000}}}
}

// TestDistribute: sales by hand. The cut is the last household that got a unit
// which was left over, and its remainder.
func TestDistribute(t *testing.T) {
	for _, c := range []struct {
		proceeds, cost int64
		weights        []int64
		want           string // net; the share of each; the cut
	}{
		{100, 0, []int64{1, 1, 1}, "100: 34 33 33; cut h1 1"},
		{101, 0, []int64{1, 1, 1}, "101: 34 34 33; cut h2 2"},
		{102, 0, []int64{1, 1, 1}, "102: 34 34 34; cut - 0"},
		{10_000, 1, []int64{5_000, 3_000, 2_000}, "9999: 4999 3000 2000; cut h2 7000"}, // 4999.5, 2999.7 and 1999.8
		{10, 0, []int64{0, 7, 0}, "10: 0 10 0; cut - 0"},
		{1, 0, []int64{0, 1, 2}, "1: 0 0 1; cut h3 2"},
		{500, 500, []int64{1, 2, 3}, "0: 0 0 0; cut - 0"},
		{money.Max, 0, []int64{money.Max - 2, 1, 1}, "9007199254740991: 9007199254740989 1 1; cut - 0"},
	} {
		s := waterfall.Sale{Proceeds: cny(c.proceeds)}
		if c.cost > 0 {
			s.Costs = []waterfall.Cost{{cny(c.cost), "milling", miller}}
		}
		for i, weight := range c.weights {
			s.Deliveries = append(s.Deliveries, waterfall.Delivery{Household: house(i + 1), Weight: weight})
		}
		d, shares, err := s.Distribute()
		got := fmt.Sprintf("%d:", d.Net.Units)
		for _, share := range shares {
			got += fmt.Sprint(" ", share.Amount.Units)
		}
		cut := "-"
		if at := slices.Index(houses, d.Cut.Household); at >= 0 {
			cut = fmt.Sprint("h", at+1)
		}
		if got += fmt.Sprintf("; cut %s %d", cut, d.Cut.Remainder); got != c.want || err != nil {
			t.Errorf("%d less %d by %v:\n got %s, %v\nwant %s", c.proceeds, c.cost, c.weights, got, err, c.want)
		}
	}
}

// TestSharesAreThoseOfSplit: shares are money.Split of the net by weight, every
// one can be computed without the others, and the order of deliveries changes no byte.
func TestSharesAreThoseOfSplit(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		weights := rapid.SliceOfN(rapid.Int64Range(0, 1<<rapid.IntRange(1, 40).Draw(r, "bits")), 1, 40).Draw(r, "weights")
		weights = append(weights, rapid.Int64Range(1, 9).Draw(r, "last"))
		s := waterfall.Sale{Proceeds: cny(rapid.Int64Range(1, money.Max).Draw(r, "proceeds"))}
		for i, weight := range weights {
			s.Deliveries = append(s.Deliveries, waterfall.Delivery{Household: tape.AccountID(fmt.Sprintf("household:%s:coffee", tape.PseudonymFrom(fmt.Sprint(i)))), Weight: weight})
		}
		slices.SortFunc(s.Deliveries, func(a, b waterfall.Delivery) int { return strings.Compare(string(a.Household), string(b.Household)) })
		for i := range weights {
			weights[i] = s.Deliveries[i].Weight
		}
		want, err := money.Split(s.Proceeds.Units, weights)
		if err != nil {
			r.Fatal(err)
		}
		shuffled := s
		shuffled.Deliveries = rapid.Permutation(s.Deliveries).Draw(r, "order")
		d, shares, err := shuffled.Distribute()
		if err != nil {
			r.Fatal(err)
		}
		for i, share := range shares {
			if alone, err := d.Share(s.Deliveries[i]); err != nil || alone != share || share.Amount.Units != want[i] || share.Household != s.Deliveries[i].Household {
				r.Fatalf("%d: %+v, alone %+v, by Split %d, %v", i, share, alone, want[i], err)
			}
		}
	})
}

// TestCutCannotBeMoved: with another cut the shares are no longer the net, so
// that whoever adds them up needs no list of all.
func TestCutCannotBeMoved(t *testing.T) {
	seed := ruletest.Setting(t, "LIANBAO_SEED", uint64(time.Now().UnixNano()))
	random := rand.New(rand.NewPCG(seed, 5))
	for range 300 {
		s := waterfall.Sale{Proceeds: cny(1 + random.Int64N(1_000_000))}
		for i := range 2 + random.IntN(8) {
			s.Deliveries = append(s.Deliveries, waterfall.Delivery{Household: house(i + 1), Weight: 1 + random.Int64N(50)})
		}
		d, shares, err := s.Distribute()
		if err != nil {
			t.Fatal(err)
		}
		cuts := []waterfall.Cut{{}}
		for _, share := range shares {
			if remainder := new(big.Int).Mod(new(big.Int).Mul(big.NewInt(d.Net.Units), big.NewInt(share.Weight)), big.NewInt(d.Weight)); remainder.Sign() > 0 {
				cuts = append(cuts, waterfall.Cut{Household: share.Household, Remainder: remainder.Int64()})
			}
		}
		for _, cut := range cuts {
			moved, total := d, int64(0)
			moved.Cut = cut
			for _, delivery := range s.Deliveries {
				share, err := moved.Share(delivery)
				if err != nil {
					t.Fatal(err)
				}
				total += share.Amount.Units
			}
			if (total == d.Net.Units) != (cut == d.Cut) {
				t.Fatalf("LIANBAO_SEED=%d: by the cut %+v in the place of %+v the shares are %d of %s", seed, cut, d.Cut, total, d.Net)
			}
		}
	}
}

func TestSaleRefusals(t *testing.T) {
	ruletest.Refusals(t, sale, func(s waterfall.Sale) error { _, _, err := s.Distribute(); return err }, []row[waterfall.Sale]{
		{func(s *waterfall.Sale) { s.Proceeds = money.Amount{} }, "invalid: field proceeds: is not a currency"},
		{func(s *waterfall.Sale) { s.Proceeds = cny(0) }, "invalid: field proceeds: 0.00 CNY is not more than zero"},
		{func(s *waterfall.Sale) { s.Proceeds = cny(-1) }, "invalid: field proceeds: -0.01 CNY is not more than zero"},
		{func(s *waterfall.Sale) { s.Proceeds = cny(9_999) }, "insufficient: field costs: are more than 99.99 CNY, the proceeds"},
		{func(s *waterfall.Sale) { s.Costs = make([]waterfall.Cost, 65) }, "invalid: field costs: names 65 costs; 64 at most"},
		{func(s *waterfall.Sale) { s.Costs[1].Name = "what it cost" }, "invalid: field costs[1].name: is not an id"},
		{func(s *waterfall.Sale) { s.Costs[1].Name = "milling" }, "invalid: field costs[1].name: milling stands twice"},
		{func(s *waterfall.Sale) { s.Costs[1].Payee = "" }, "invalid: field costs[1].payee: is not an account"},
		{func(s *waterfall.Sale) { s.Costs[1].Amount = money.New(1, "USD") }, "invalid: field costs[1].amount: 0.01 USD is not in CNY"},
		{func(s *waterfall.Sale) { s.Costs[1].Amount = cny(-3_000) }, "invalid: field costs[1].amount: -30.00 CNY is not more than zero"},
		{func(s *waterfall.Sale) { s.Deliveries = nil }, "invalid: field deliveries: names 0 households; 1 to 100000 is possible"},
		{func(s *waterfall.Sale) { s.Deliveries = make([]waterfall.Delivery, 100_001) }, "invalid: field deliveries: names 100001 households"},
		{func(s *waterfall.Sale) { s.Deliveries[2].Household = "household:wang-xugou:coffee" }, "invalid: field deliveries[2].household: is not a household's account"},
		{func(s *waterfall.Sale) { s.Deliveries[2].Household = house(1) }, "invalid: field deliveries[2].household: " + string(house(1)) + " stands twice"},
		{func(s *waterfall.Sale) { s.Deliveries[2].Weight = -1 }, "invalid: field deliveries[2].weight: is -1; 0 to "},
		{func(s *waterfall.Sale) { s.Deliveries[2].Weight = money.Max }, "invalid: field deliveries: weigh more than 9007199254740991 together"},
		{func(s *waterfall.Sale) {
			s.Deliveries[0].Weight, s.Deliveries[1].Weight, s.Deliveries[2].Weight = 0, 0, 0
		}, "invalid: field deliveries: weigh nothing"},
	})
}

type alone struct {
	D        waterfall.Distribution
	Delivery waterfall.Delivery
}

func TestDistributionRefusals(t *testing.T) {
	ruletest.Refusals(t, func() alone {
		s := sale()
		s.Costs[0].Amount = cny(7_001)
		d, _, err := s.Distribute()
		if err != nil {
			t.Fatal(err)
		}
		return alone{d, s.Deliveries[0]}
	}, func(s alone) error { _, err := s.D.Share(s.Delivery); return err }, []row[alone]{
		{func(s *alone) { s.D.Proceeds = money.Amount{} }, "invalid: field proceeds: is not a currency"},
		{func(s *alone) { s.D.Costs = money.New(1, "USD") }, "invalid: field costs: 0.01 USD is not in CNY"},
		{func(s *alone) { s.D.Costs = cny(100_001) }, "conflict: field net: is 899.99 CNY, not 1000.00 CNY less 1000.01 CNY"},
		{func(s *alone) { s.D.Net = cny(90_001) }, "conflict: field net: is 900.01 CNY, not 1000.00 CNY less 100.01 CNY"},
		{func(s *alone) { s.D.Net = cny(-1) }, "invalid: field net: -0.01 CNY is not more than zero"},
		{func(s *alone) { s.D.Weight = 0 }, "invalid: field weight: is 0; 1 to "},
		{func(s *alone) { s.D.Weight = 999 }, "invalid: field cut.remainder: is 2000; 1 to 998 is possible"},
		{func(s *alone) { s.D.Cut.Household = "" }, "invalid: field cut.household: is not an account"},
		{func(s *alone) { s.D.Cut.Remainder = 0 }, "invalid: field cut.remainder: is 0; 1 to 2999 is possible"},
		{func(s *alone) { s.D.Cut.Remainder = 3_000 }, "invalid: field cut.remainder: is 3000"},
		{func(s *alone) { s.Delivery.Household = "outside:coop:x" }, "invalid: field household: outside:coop:x is outside the ledger"},
		{func(s *alone) { s.Delivery.Weight = -1 }, "invalid: field weight: is -1"},
		{func(s *alone) { s.Delivery.Weight = 3_001 }, "conflict: field weight: is 3001, more than 3000, the weight of all"},
	})
}
