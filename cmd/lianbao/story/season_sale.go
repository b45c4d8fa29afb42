package story

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"net/url"
	"slices"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/founding"
	"github.com/lianbao/lianbao/cmd/lianbao/speak"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// The harvest: what every household brings, what milling leaves of it, and what a buyer pays.
const (
	tareGrams     = 2_000
	damagedGrams  = 3_000
	pricePerTonne = 48_000
	transport     = 2_000
	coffeeSale    = tape.ID("season-sale")
)

// grossGrams is what the household's cherries weigh.
func (f farm) grossGrams() int64 { return int64(300+10*f.n) * 1_000 }

// netGrams is what counts of them.
func (f farm) netGrams() int64 { return f.grossGrams() - tareGrams - damagedGrams }

// cherries is all that was brought; parchment a fifth of it, green beans four fifths of that.
func (s *season) cherries() int64 {
	grams := int64(0)
	for _, f := range s.farms {
		grams += f.netGrams()
	}
	return grams
}

// proceeds are price times weight; the season's weights come to whole fen.
func (s *season) proceeds() int64 { return pricePerTonne * 100 * (s.cherries() * 4 / 25) / 1_000_000 }

// harvesting: every household's lot is weighed, all are merged, milled and hulled, and a buyer pays.
func (s *season) harvesting(ctx context.Context, c *course) error {
	s.say("coffee season: %d households bring their cherries, which are merged, milled and sold", len(s.farms))
	agreement := harvest.Agreement{Commodity: "coffee", Costs: []string{"transport"}, Deductions: []string{"damaged"},
		Forms: []harvest.Form{{Form: "cherry", Grades: []string{"ripe"}}, {Form: "parchment", Grades: []string{"washed"}}, {Form: "green", Grades: []string{"first"}}},
		Processes: []harvest.Process{{From: "parchment", Process: "hulling", To: "green", YieldMaxPartsPerMillion: 840_000, YieldMinPartsPerMillion: 780_000},
			{From: "cherry", Process: "washing", To: "parchment", YieldMaxPartsPerMillion: 240_000, YieldMinPartsPerMillion: 180_000}},
		Stores: []harvest.Store{{Organisation: coop, Store: "mill"}}}
	officers := s.officers[coop]
	if err := c.signs(ctx, coop, "Harvest:Agree", "agree", nothing, harvest.Agree{Account: coffee, Agreement: agreement, ID: "season.agree"}, officers[0], officers[1], s.officers[bank][0]); err != nil {
		return err
	}
	var lots []tape.ID
	for _, f := range s.farms {
		lots = append(lots, f.lot())
	}
	if err := c.beside(ctx, len(s.farms), func(ctx context.Context, c *course, i int) error { return s.weighs(ctx, c, s.farms[i]) }); err != nil {
		return err
	}
	if err := c.signs(ctx, coop, "Harvest:Merge", "merge", nothing, harvest.Merge{Account: coffee, ID: "season-cherries", Lots: lots}, officers[0]); err != nil {
		return err
	}
	in := s.cherries()
	for _, step := range []struct {
		process, grade string
		from, to       tape.ID
		out            int64
	}{{"washing", "washed", "season-cherries", "season-parchment", in / 5}, {"hulling", "first", "season-parchment", "season-green", in * 4 / 25}} {
		run := harvest.Run{Account: coffee, ID: step.to + ".made", LossGrams: in - step.out, Lots: []tape.ID{step.from}, Outputs: []harvest.Output{{Grade: step.grade, Grams: step.out, Lot: step.to}}, Process: step.process}
		if err := c.signs(ctx, coop, "Harvest:Process", "process", nothing, run, officers[0]); err != nil {
			return err
		}
		in = step.out
	}
	sell := harvest.Sell{Account: coffee, Buyer: "outside:buyer:invented-roaster", Costs: []harvest.Cost{{Amount: yuan(transport), Kind: "transport", Payee: "outside:supplier:invented-lorry"}}, ID: coffeeSale,
		Invoice: sha256.Sum256([]byte("an invented invoice")), Lots: []tape.ID{"season-green"}, PricePerTonne: yuan(pricePerTonne), Proceeds: fen(s.proceeds())}
	return c.signs(ctx, coop, "Harvest:Sell", "sell", sell.Proceeds, sell, officers...)
}

func (f farm) lot() tape.ID { return tape.ID(fmt.Sprintf("season-lot-%02d", f.n)) }

// weighs notes what one household brought: it signs, or the agent who serves it.
func (s *season) weighs(ctx context.Context, c *course, f farm) error {
	brings := f.person
	if f.served {
		brings = s.agent
	}
	deliver := harvest.Deliver{Account: coffee, Deductions: []harvest.Deduction{{Grams: damagedGrams, Kind: "damaged"}}, Form: "cherry", Grade: "ripe", GrossGrams: f.grossGrams(), Harvested: s.today,
		Household: f.household, ID: f.lot(), NetGrams: f.netGrams(), Store: "mill", TareGrams: tareGrams}
	return c.signs(ctx, coop, "Harvest:Deliver", "deliver", nothing, deliver, []founding.Signer{s.officers[coop][0], brings}...)
}

// settling: the buyer's money comes, dues are repaid first, and the bank pays the rest out.
func (s *season) settling(ctx context.Context, c *course) error {
	s.say("coffee season: the sale repays what is due first, the rest is paid out")
	came := sheet{bank: coffeeBank, id: "season.proceeds", in: []movement{{fen(s.proceeds()), "proceeds"}}}
	if err := c.files(ctx, came); err != nil {
		return err
	}
	if err := c.arrives(ctx, coop, coffee, came); err != nil {
		return err
	}
	if err := c.sees(ctx, coop, c.last); err != nil {
		return err
	}
	sale, err := speak.Record[harvest.Sale](ctx, c.Gateways[coop], harvest.SaleKey(coffee, coffeeSale))
	if err != nil {
		return err
	}
	page, err := speak.Record[harvest.Page](ctx, c.Gateways[coop], harvest.ShareKey(coffee, coffeeSale, 0))
	if err != nil {
		return err
	}
	open, chunks, err := settlement.NewSettlement(sale, page.Shares, "season-pay", s.begun+30*day)
	if err != nil {
		return err
	}
	if err := c.signs(ctx, coop, "Settlement:OpenSettlement", "open-settlement", sale.Proceeds, open, s.officers[coop]...); err != nil {
		return err
	}
	if err := c.beside(ctx, len(chunks), func(ctx context.Context, c *course, i int) error {
		return c.records(ctx, coop, "Settlement:SettleHouseholds", chunks[i])
	}); err != nil {
		return err
	}
	if err := c.records(ctx, coop, "Settlement:CloseSettlement", settlement.CloseSettlement{Account: coffee, ID: "season.closed", Sale: coffeeSale}); err != nil {
		return err
	}
	return s.paysOut(ctx, c)
}

// paysOut: the bank's lines show that every household got its rest.
func (s *season) paysOut(ctx context.Context, c *course) error {
	var payouts readmodel.List[readmodel.Payout]
	if err := c.Gateways[coop].Get(ctx, "/payouts", url.Values{"account": {string(coffee)}, "limit": {"1000"}}, c.last, &payouts); err != nil {
		return err
	}
	slices.SortFunc(payouts.Items, func(a, b readmodel.Payout) int { return cmp.Compare(a.ID, b.ID) })
	paid := sheet{bank: coffeeBank, id: "season.payouts", previous: "season.proceeds", opening: s.proceeds()}
	var holds []tape.ID
	for _, payout := range payouts.Items {
		paid.out, holds = append(paid.out, movement{payout.Amount, string(payout.ID)}), append(holds, payout.ID)
	}
	s.told.Payouts = len(holds)
	if err := c.files(ctx, paid); err != nil {
		return err
	}
	return c.executes(ctx, coffee, paid, holds)
}
