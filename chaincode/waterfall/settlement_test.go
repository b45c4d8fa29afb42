package waterfall_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
)

// two are the households of a settlement of 1,500.00: one that owes, and one that owes nothing.
func two() []waterfall.Position {
	first := position(100_000)
	first.Dues[0].Amount = cny(7_000) // so that 800.00 are due, and 200.00 are left
	return []waterfall.Position{{Household: house(4), Share: cny(50_000)}, first}
}

type settled struct {
	Net       money.Amount
	Positions []waterfall.Position
}

func TestSettleRefusals(t *testing.T) {
	ruletest.Refusals(t, func() settled { return settled{cny(150_000), two()} },
		func(s settled) error { _, _, err := terms().Settle(s.Net, s.Positions); return err },
		[]row[settled]{
			{func(s *settled) { s.Positions = nil }, "invalid: field positions: names 0 households; 1 to 100000 is possible"},
			{func(s *settled) { s.Positions[0].Share = cny(-1) }, "invalid: field positions[0].share: -0.01 CNY is not more than zero"},
			{func(s *settled) { s.Positions[0].Household = house(1) }, "invalid: field outcomes[1].household: " + string(house(1)) + " does not come behind " + string(house(1))},
			{func(s *settled) { s.Positions[0].Debts = []waterfall.Debt{debt(loanA, 100_000, bank)} }, "conflict: field positions[1].debts: loan/coop:coop:coffee/a is a debt of " + string(house(4)) + " in the same settlement"},
			{func(s *settled) { s.Net = cny(149_999) }, "insufficient: field tallies: share out 1500.00 CNY or more; the sale's net is 1499.99 CNY"},
			{func(s *settled) { s.Net = cny(150_001) }, "conflict: field tallies: share out 1500.00 CNY; the sale's net is 1500.01 CNY"},
			{func(s *settled) { s.Net = money.New(150_000, "USD") }, "invalid: field tallies[0].deducted: 800.00 CNY is not in USD"},
			{func(s *settled) { s.Net = cny(-1) }, "invalid: field net: -0.01 CNY is not more than zero"},
			{func(s *settled) { s.Net = money.Amount{} }, "invalid: field net: is not a currency"},
		})
}

// TestSettlementOfNothing: a sale whose costs ate all of it is settled, and pays nobody.
func TestSettlementOfNothing(t *testing.T) {
	p := position(0)
	outcomes, tally, err := terms().Settle(cny(0), []waterfall.Position{p})
	if err != nil || len(outcomes) != 1 || len(outcomes[0].Lines) != 0 || tally.Shares != cny(0) {
		t.Errorf("%+v, %+v, %v", outcomes, tally, err)
	}
}

func TestCountRefusals(t *testing.T) {
	ruletest.Refusals(t, func() []waterfall.Outcome {
		outcomes, _, err := terms().Chunk(two())
		if err != nil {
			t.Fatal(err)
		}
		outcomes[0].Floor = cny(20_000)
		return outcomes
	}, func(s []waterfall.Outcome) error { _, err := waterfall.Count(s); return err }, []row[[]waterfall.Outcome]{
		{func(s *[]waterfall.Outcome) { *s = nil }, "invalid: field outcomes: are of 0 households; 1 to 100000 is possible"},
		{func(s *[]waterfall.Outcome) { (*s)[0].Household = "a" }, "invalid: field outcomes[0].household: is not an account"},
		{func(s *[]waterfall.Outcome) { (*s)[1].Share = money.New(1, "USD") }, "invalid: field outcomes[1].share: 0.01 USD is not in CNY"},
		{func(s *[]waterfall.Outcome) { (*s)[0].Floor = cny(-1) }, "invalid: field outcomes[0].floor: -0.01 CNY is not more than zero"},
		{func(s *[]waterfall.Outcome) { (*s)[0].Floor = cny(20_001) }, "insufficient: field outcomes[0].lines: leave less than 200.01 CNY, the floor, of 1000.00 CNY"},
		{func(s *[]waterfall.Outcome) { (*s)[0].Lines[0].Amount = cny(0) }, "invalid: field outcomes[0].lines[0].amount: 0.00 CNY is not more than zero"},
		{func(s *[]waterfall.Outcome) { (*s)[0].Lines[0].Amount = cny(30_001) }, "insufficient: field outcomes[0].lines: leave less than 200.00 CNY"},
		{func(s *[]waterfall.Outcome) { (*s)[0].Lines[0].Amount = cny(29_999) }, "conflict: field outcomes[0].rest: is 200.00 CNY; of 1000.00 CNY the lines leave 200.01 CNY"},
		{func(s *[]waterfall.Outcome) { (*s)[1].Rest = cny(50_001) }, "conflict: field outcomes[1].rest: is 500.01 CNY; of 500.00 CNY the lines leave 500.00 CNY"},
		{func(s *[]waterfall.Outcome) { slices.Reverse(*s) }, "invalid: field outcomes[1].household: " + string(house(1)) + " does not come behind " + string(house(4))},
		{func(s *[]waterfall.Outcome) {
			(*s)[1].Share, (*s)[1].Rest = cny(money.Max), cny(money.Max)
		}, "invalid: field outcomes: share out more than 9007199254740991 minor units"},
	})
}

func TestCloseRefusals(t *testing.T) {
	ruletest.Refusals(t, func() []waterfall.Tally {
		var tallies []waterfall.Tally
		for _, p := range two() {
			_, tally, err := terms().Chunk([]waterfall.Position{p})
			if err != nil {
				t.Fatal(err)
			}
			tallies = append([]waterfall.Tally{tally}, tallies...)
		}
		return tallies
	}, func(s []waterfall.Tally) error { return waterfall.Close(cny(150_000), s) }, []row[[]waterfall.Tally]{
		{func(s *[]waterfall.Tally) { *s = nil }, "invalid: field tallies: are none"},
		{func(s *[]waterfall.Tally) { *s = (*s)[:1] }, "conflict: field tallies: share out 1000.00 CNY; the sale's net is 1500.00 CNY"},
		{func(s *[]waterfall.Tally) { *s = append(*s, (*s)[1]) }, "invalid: field tallies[2].first: " + string(house(4)) + " does not come behind " + string(house(4))},
		{func(s *[]waterfall.Tally) { slices.Reverse(*s) }, "invalid: field tallies[1].first: " + string(house(1)) + " does not come behind " + string(house(4))},
		{func(s *[]waterfall.Tally) { (*s)[0].Rest = cny(20_001) }, "conflict: field tallies[0].shares: is 1000.00 CNY, not 800.00 CNY and 200.01 CNY"},
		{func(s *[]waterfall.Tally) { (*s)[0].Deducted = cny(-1) }, "invalid: field tallies[0].deducted: -0.01 CNY is not more than zero"},
		{func(s *[]waterfall.Tally) { (*s)[0].Shares = money.New(1, "USD") }, "invalid: field tallies[0].shares: 0.01 USD is not in CNY"},
		{func(s *[]waterfall.Tally) { (*s)[0].Households = 0 }, "invalid: field tallies[0].households: is 0"},
		{func(s *[]waterfall.Tally) { (*s)[1].Last = house(3) }, "invalid: field tallies[1].households: is 1, from " + string(house(4)) + " to " + string(house(3))},
		{func(s *[]waterfall.Tally) {
			(*s)[1].Rest, (*s)[1].Shares = cny(50_001), cny(50_001)
		}, "insufficient: field tallies: share out 1500.01 CNY or more; the sale's net is 1500.00 CNY"},
	})
}

// TestTenThousandHouseholds: one sale for ten thousand, in chunks of two hundred
// that are computed one by one and in any order, is byte for byte the same as
// computed in one go; each share comes from the distribution alone.
func TestTenThousandHouseholds(t *testing.T) {
	const households, chunk = 10_000, 200
	random := rand.New(rand.NewPCG(10_000, 1))
	s := waterfall.Sale{Proceeds: cny(8_888_888_888), Costs: []waterfall.Cost{{cny(123_456_789), "milling", miller}}}
	for i := range households {
		s.Deliveries = append(s.Deliveries, waterfall.Delivery{Household: tape.AccountID(fmt.Sprintf("household:%s:coffee", tape.PseudonymFrom(fmt.Sprint("of ten thousand ", i)))), Weight: 1 + random.Int64N(5_000_000)})
	}
	d, shares, err := s.Distribute()
	if err != nil {
		t.Fatal(err)
	}
	agreed := terms()
	agreed.LivingFloorPartsPerMillion = 100_000
	positions, shareOf := make([]waterfall.Position, households), map[tape.AccountID]waterfall.Share{}
	for i, share := range shares {
		shareOf[share.Household] = share
		loan := waterfall.Reference(fmt.Sprintf("loan/coop:coop:coffee/%d", i))
		positions[i] = waterfall.Position{Household: share.Household, Share: share.Amount,
			Debts: []waterfall.Debt{{Creditors: []waterfall.Creditor{{bank, 7}, {fund, 3}}, Owed: cny(2_000_000), Reference: loan}},
			Dues:  []waterfall.Due{due(waterfall.Window, loan, "2026-12-15", 1+random.Int64N(1_500_000))}}
	}
	whole, tally, err := agreed.Settle(d.Net, positions)
	if err != nil {
		t.Fatal(err)
	}
	parts, tallies := make([]waterfall.Outcome, households), make([]waterfall.Tally, households/chunk)
	for _, n := range random.Perm(households / chunk) {
		some := slices.Clone(positions[n*chunk : (n+1)*chunk])
		random.Shuffle(chunk, func(i, j int) { some[i], some[j] = some[j], some[i] })
		for i := range some {
			share := shareOf[some[i].Household]
			alone, err := d.Share(waterfall.Delivery{Household: share.Household, Weight: share.Weight})
			if err != nil || alone != share {
				t.Fatalf("%+v, %+v, %v", alone, share, err)
			}
			some[i].Share = alone.Amount
		}
		outcomes, part, err := agreed.Chunk(some)
		if err != nil {
			t.Fatal(err)
		}
		copy(parts[n*chunk:], outcomes)
		tallies[n] = part
	}
	if err := waterfall.Close(d.Net, tallies); err != nil {
		t.Error(err)
	}
	if digest(t, parts) != digest(t, whole) {
		t.Error("the chunks are not what was computed in one go")
	}
	if again, err := waterfall.Count(parts); err != nil || again != tally || tally.Households != households || tally.Shares != d.Net {
		t.Errorf("%+v, %+v, %v", again, tally, err)
	}
}
