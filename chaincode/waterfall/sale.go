package waterfall

import (
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Limits of one sale.
const (
	CostsMax      = 64
	HouseholdsMax = 100_000
)

// Sale is what a buyer paid, what selling cost by agreement, and who delivered how much of what was sold.
type Sale struct {
	Costs      []Cost       `json:"costs"`
	Deliveries []Delivery   `json:"deliveries"`
	Proceeds   money.Amount `json:"proceeds"`
}

// Cost is one agreed cost: transport, milling, the cooperative's fee.
type Cost struct {
	Amount money.Amount   `json:"amount"`
	Name   tape.ID        `json:"name"`
	Payee  tape.AccountID `json:"payee"`
}

// Delivery is how much of what was sold is one household's: qualified grams, or
// any other weight that was agreed for all. Zero is possible, and has no share.
type Delivery struct {
	Household tape.AccountID `json:"household"`
	Weight    int64          `json:"weight,string"`
}

// Share is one household's part of a sale.
type Share struct {
	Amount    money.Amount   `json:"amount"`
	Household tape.AccountID `json:"household"`
	Weight    int64          `json:"weight,string"`
}

// Distribution is a sale in few words: enough to compute any household's share
// without the others, and so to check a part of ten thousand.
type Distribution struct {
	Costs    money.Amount `json:"costs"`
	Cut      Cut          `json:"cut"`
	Net      money.Amount `json:"net"`
	Proceeds money.Amount `json:"proceeds"`
	// Weight is the sum of all.
	Weight int64 `json:"weight,string"`
}

// Cut says how far the units go that are left when each share is rounded down:
// to those with the larger remainder, of equal ones to the first by name, and
// Household with Remainder is the last. No household where nothing is left.
type Cut struct {
	Household tape.AccountID `json:"household,omitempty"`
	Remainder int64          `json:"remainder,string"`
}

// Check refuses what is malformed, and costs that are more than the proceeds.
func (s Sale) Check() error {
	if err := positive(s.Proceeds); err != nil {
		return rule.Field("proceeds", err)
	}
	if len(s.Costs) > CostsMax {
		return rule.Field("costs", rule.Refuse(rule.Invalid, "names %d costs; %d at most", len(s.Costs), CostsMax))
	}
	left := s.Proceeds.Units
	for i, cost := range s.Costs {
		if err := s.checkCost(i, cost); err != nil {
			return rule.Item("costs", i, err)
		}
		if left -= cost.Amount.Units; left < 0 {
			return rule.Field("costs", rule.Refuse(rule.Insufficient, "are more than %s, the proceeds", s.Proceeds))
		}
	}
	return s.checkDeliveries()
}

func (s Sale) checkCost(i int, cost Cost) error {
	if err := cost.Name.Check(); err != nil {
		return rule.Field("name", err)
	}
	if slices.ContainsFunc(s.Costs[:i], func(c Cost) bool { return c.Name == cost.Name }) {
		return rule.Field("name", rule.Refuse(rule.Invalid, "%s stands twice", cost.Name))
	}
	return rule.First(rule.Field("payee", cost.Payee.Check()), rule.Field("amount", cost.Amount.Positive(s.Proceeds.Currency)))
}

func (s Sale) checkDeliveries() error {
	if len(s.Deliveries) == 0 || len(s.Deliveries) > HouseholdsMax {
		return rule.Field("deliveries", rule.Refuse(rule.Invalid, "names %d households; 1 to %d is possible", len(s.Deliveries), HouseholdsMax))
	}
	total, seen := int64(0), make(map[tape.AccountID]bool, len(s.Deliveries))
	for i, delivery := range s.Deliveries {
		if err := delivery.check(); err != nil {
			return rule.Item("deliveries", i, err)
		}
		if seen[delivery.Household] {
			return rule.Item("deliveries", i, rule.Field("household", rule.Refuse(rule.Invalid, "%s stands twice", delivery.Household)))
		}
		seen[delivery.Household] = true
		if total += delivery.Weight; total > money.Max {
			return rule.Field("deliveries", rule.Refuse(rule.Invalid, "weigh more than %d together", int64(money.Max)))
		}
	}
	if total == 0 {
		return rule.Field("deliveries", rule.Refuse(rule.Invalid, "weigh nothing"))
	}
	return nil
}

func (d Delivery) check() error {
	return rule.First(rule.Field("household", checkHousehold(d.Household)), rule.Field("weight", rule.Within(d.Weight, 0, money.Max)))
}

// Distribute takes the costs off the proceeds and shares out the rest by weight,
// to the unit, in the order of the households' names.
func (s Sale) Distribute() (Distribution, []Share, error) {
	if err := s.Check(); err != nil {
		return Distribution{}, nil, err
	}
	currency, costs := s.Proceeds.Currency, int64(0)
	for _, cost := range s.Costs {
		costs += cost.Amount.Units
	}
	deliveries := slices.Clone(s.Deliveries)
	slices.SortFunc(deliveries, func(a, b Delivery) int { return strings.Compare(string(a.Household), string(b.Household)) })
	d := Distribution{Costs: money.New(costs, currency), Net: money.New(s.Proceeds.Units-costs, currency), Proceeds: s.Proceeds}
	weights := make([]int64, len(deliveries))
	for i, delivery := range deliveries {
		weights[i] = delivery.Weight
		d.Weight += delivery.Weight
	}
	units, err := money.Split(d.Net.Units, weights)
	if err != nil {
		return Distribution{}, nil, err
	}
	shares := make([]Share, len(deliveries))
	for i, delivery := range deliveries {
		shares[i] = Share{Amount: money.New(units[i], currency), Household: delivery.Household, Weight: delivery.Weight}
		d.Cut = d.Cut.reach(d, shares[i])
	}
	return d, shares, nil
}

// reach moves the cut to a share that got one of the units that were left, if it is the last so far.
func (c Cut) reach(d Distribution, share Share) Cut {
	floor, remainder := money.Portion(d.Net.Units, share.Weight, d.Weight)
	if share.Amount.Units > floor && (c.Household == "" || remainder <= c.Remainder) { // shares come by name: of equal ones this is the later
		return Cut{Household: share.Household, Remainder: remainder}
	}
	return c
}

// Share computes one household's share without the others. Together with the sum
// of all shares, which Close compares with Net, this is as strict as to share out everything again:
// one unit more or less within the cut, and the sum is another.
func (d Distribution) Share(delivery Delivery) (Share, error) {
	if err := rule.First(d.Check(), delivery.check()); err != nil {
		return Share{}, err
	}
	if delivery.Weight > d.Weight {
		return Share{}, rule.Field("weight", rule.Refuse(rule.Conflict, "is %d, more than %d, the weight of all", delivery.Weight, d.Weight))
	}
	units, remainder := money.Portion(d.Net.Units, delivery.Weight, d.Weight)
	if d.Cut.Household != "" && (remainder > d.Cut.Remainder || remainder == d.Cut.Remainder && delivery.Household <= d.Cut.Household) {
		units++
	}
	return Share{Amount: money.New(units, d.Net.Currency), Household: delivery.Household, Weight: delivery.Weight}, nil
}

// Check refuses what no sale can have become.
func (d Distribution) Check() error {
	currency := d.Proceeds.Currency
	if err := rule.First(rule.Field("proceeds", positive(d.Proceeds)), rule.Field("costs", notNegative(d.Costs, currency)), rule.Field("net", notNegative(d.Net, currency))); err != nil {
		return err
	}
	if d.Net.Units != d.Proceeds.Units-d.Costs.Units {
		return rule.Field("net", rule.Refuse(rule.Conflict, "is %s, not %s less %s", d.Net, d.Proceeds, d.Costs))
	}
	return rule.First(rule.Field("weight", rule.Within(d.Weight, 1, money.Max)), rule.Field("cut", d.Cut.check(d.Weight)))
}

func (c Cut) check(weight int64) error {
	if c.Household == "" && c.Remainder == 0 {
		return nil
	}
	// Who has no remainder gets no further unit.
	return rule.First(rule.Field("household", checkHousehold(c.Household)), rule.Field("remainder", rule.Within(c.Remainder, 1, weight-1)))
}
