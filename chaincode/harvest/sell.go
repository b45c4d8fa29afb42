package harvest

import (
	"math/big"
	"slices"

	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// gramsPerTonne is what a price is for.
const gramsPerTonne = 1_000_000

// Cost is what a sale bears before anything is shared.
type Cost struct {
	Amount money.Amount   `json:"amount"`
	Kind   string         `json:"kind"`
	Payee  tape.AccountID `json:"payee"`
}

// Sell sells lots to a buyer.
type Sell struct {
	Account tape.AccountID `json:"account"`
	Buyer   tape.AccountID `json:"buyer"`
	Costs   []Cost         `json:"costs,omitempty"`
	// ID is the entry's and the sale's.
	ID tape.ID `json:"id"`
	// Invoice is the salted hash of the buyer's document.
	Invoice       merkle.Hash  `json:"invoice"`
	Lots          []tape.ID    `json:"lots"`
	PricePerTonne money.Amount `json:"pricePerTonne"`
	// Proceeds are price times weight, rounded half up once.
	Proceeds money.Amount `json:"proceeds"`
}

// Sell judges the command; lots stand in the order of its lots, nil where there is
// none, currency is the scheme's. That maker and checker of the cooperative signed
// over the proceeds is checked against the policy by the caller.
func (t Terms) Sell(c Sell, lots []*Stock, currency money.Currency, ctx tape.Context) (Sale, Shares, []Lot, tape.Entry, error) {
	refuse := func(err error) (Sale, Shares, []Lot, tape.Entry, error) { return Sale{}, nil, nil, tape.Entry{}, err }
	if err := rule.First(t.governs(ctx), usable(c.Lots, 1, lots), rule.Field("buyer", c.Buyer.Check()), rule.Field("pricePerTonne", c.PricePerTonne.Positive(currency)),
		rule.Field("proceeds", c.Proceeds.Positive(currency))); err != nil {
		return refuse(err)
	}
	if c.Buyer == c.Account {
		return refuse(rule.Field("buyer", rule.Refuse(rule.Invalid, "%s does not buy from itself", c.Buyer)))
	}
	shares := together(lots)
	if brought := brought(c.PricePerTonne.Units, shares.Grams()); brought.Cmp(big.NewInt(c.Proceeds.Units)) != 0 {
		return refuse(rule.Field("proceeds", rule.Refuse(rule.Conflict, "is %s; %d g at %s a tonne are %s minor units", c.Proceeds, shares.Grams(), c.PricePerTonne, brought)))
	}
	net, err := c.net(t.Agreement.Costs, currency)
	if err != nil {
		return refuse(err)
	}
	composition, err := shares.Composition()
	if err != nil {
		return refuse(rule.Field("lots", err))
	}
	entry := ctx.Entry(c.ID, "sell", string(c.Account))
	sale := Sale{V: 1, Scheme: c.Account, ID: c.ID, Buyer: c.Buyer, Invoice: c.Invoice, Form: lots[0].Lot.Form, Grade: lots[0].Lot.Grade, Grams: shares.Grams(),
		PricePerTonne: c.PricePerTonne, Proceeds: c.Proceeds, Costs: c.Costs, Net: net, Composition: composition, State: SaleOpen, At: ctx.At, Entry: entry.Reference()}
	sold := make([]Lot, len(lots))
	for i, stock := range lots {
		lot := stock.Lot
		lot.State, lot.Sale, lot.At, lot.Entry = Sold, c.ID, ctx.At, entry.Reference()
		sold[i], sale.Lots = lot, append(sale.Lots, Weighed{Grams: lot.Grams, Lot: lot.ID})
	}
	return sale, shares, sold, entry, nil
}

// brought is price times weight in minor units, rounded half up once.
func brought(pricePerTonne, grams int64) *big.Int {
	twice := new(big.Int).Mul(big.NewInt(2*pricePerTonne), big.NewInt(grams))
	return twice.Add(twice, big.NewInt(gramsPerTonne)).Div(twice, big.NewInt(2*gramsPerTonne))
}

// net is what is left of the proceeds after the agreed costs.
func (c Sell) net(kinds []string, currency money.Currency) (money.Amount, error) {
	if len(c.Costs) > ListMax {
		return money.Amount{}, rule.Field("costs", rule.Refuse(rule.Invalid, "holds %d; %d at most", len(c.Costs), ListMax))
	}
	net := c.Proceeds
	for i, cost := range c.Costs {
		if !slices.Contains(kinds, cost.Kind) {
			return net, rule.Item("costs", i, rule.Field("kind", rule.Refuse(rule.NotFound, "is not agreed")))
		}
		if err := rule.First(rule.Field("payee", cost.Payee.Check()), rule.Field("amount", cost.Amount.Positive(currency))); err != nil {
			return net, rule.Item("costs", i, err)
		}
		if cost.Amount.Units >= net.Units {
			return net, rule.Item("costs", i, rule.Field("amount", rule.Refuse(rule.Insufficient, "is %s; of the proceeds %s are left, and something must be", cost.Amount, net)))
		}
		net.Units -= cost.Amount.Units
	}
	return net, nil
}

// Settle marks a sale whose settlement begins, in the entry of that: from then on
// it is not corrected.
func (s Sale) Settle(entry tape.Entry) (Sale, error) {
	if s.State != SaleOpen {
		return s, rule.Refuse(rule.WrongState, "sale %s is %s", s.ID, s.State)
	}
	s.State, s.Settled = SaleSettled, entry.Reference()
	return s, nil
}

// Reopen is the sale whose settlement was abandoned before it had paid anything.
func (s Sale) Reopen() Sale {
	s.State, s.Settled = SaleOpen, ""
	return s
}
