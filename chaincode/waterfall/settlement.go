package waterfall

import (
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Tally is a part of a settlement in few words: consecutive households in the
// order of their names. The tallies of all parts show whether the settlement is the sale's net.
type Tally struct {
	// Deducted is the sum of all lines, Rest what the households got: together Shares.
	Deducted   money.Amount   `json:"deducted"`
	First      tape.AccountID `json:"first"`
	Households int32          `json:"households"`
	Last       tape.AccountID `json:"last"`
	Rest       money.Amount   `json:"rest"`
	Shares     money.Amount   `json:"shares"`
}

// Settle applies the waterfall to every household of a sale. The shares must be
// the sale's net, to the unit.
func (t Terms) Settle(net money.Amount, positions []Position) ([]Outcome, Tally, error) {
	outcomes, tally, err := t.Chunk(positions)
	if err == nil {
		err = Close(net, []Tally{tally})
	}
	if err != nil {
		return nil, Tally{}, err
	}
	return outcomes, tally, nil
}

// Chunk applies it to some of the households. What comes out depends on no other
// household, and not on the order in which they come.
func (t Terms) Chunk(positions []Position) ([]Outcome, Tally, error) {
	refuse := func(err error) ([]Outcome, Tally, error) { return nil, Tally{}, err }
	if len(positions) == 0 || len(positions) > HouseholdsMax {
		return refuse(rule.Field("positions", rule.Refuse(rule.Invalid, "names %d households; 1 to %d is possible", len(positions), HouseholdsMax)))
	}
	named := map[Reference]tape.AccountID{}
	outcomes := make([]Outcome, len(positions))
	for i, position := range positions {
		outcome, err := t.Apply(position)
		if err != nil {
			return refuse(rule.Item("positions", i, err))
		}
		for _, debt := range position.Debts {
			if other, twice := named[debt.Reference]; twice {
				return refuse(rule.Item("positions", i, rule.Field("debts", rule.Refuse(rule.Conflict, "%s is a debt of %s in the same settlement", debt.Reference, other))))
			}
			named[debt.Reference] = position.Household
		}
		outcomes[i] = outcome
	}
	slices.SortStableFunc(outcomes, func(a, b Outcome) int { return strings.Compare(string(a.Household), string(b.Household)) })
	tally, err := Count(outcomes)
	if err != nil {
		return refuse(err)
	}
	return outcomes, tally, nil
}

// Count adds up outcomes, and refuses those of which one is not what its household's share was.
func Count(outcomes []Outcome) (Tally, error) {
	if len(outcomes) == 0 || len(outcomes) > HouseholdsMax {
		return Tally{}, rule.Field("outcomes", rule.Refuse(rule.Invalid, "are of %d households; 1 to %d is possible", len(outcomes), HouseholdsMax))
	}
	currency := outcomes[0].Share.Currency
	var deducted, rest, shares int64
	for i, outcome := range outcomes {
		paid, err := outcome.check(currency)
		if err != nil {
			return Tally{}, rule.Item("outcomes", i, err)
		}
		if i > 0 && outcome.Household <= outcomes[i-1].Household {
			return Tally{}, rule.Item("outcomes", i, rule.Field("household", rule.Refuse(rule.Invalid, "%s does not come behind %s; each household stands once, by name", outcome.Household, outcomes[i-1].Household)))
		}
		deducted, rest, shares = deducted+paid, rest+outcome.Rest.Units, shares+outcome.Share.Units
		if shares > money.Max {
			return Tally{}, rule.Field("outcomes", rule.Refuse(rule.Invalid, "share out more than %d minor units", int64(money.Max)))
		}
	}
	return Tally{Deducted: money.New(deducted, currency), First: outcomes[0].Household, Households: int32(len(outcomes)), Last: outcomes[len(outcomes)-1].Household,
		Rest: money.New(rest, currency), Shares: money.New(shares, currency)}, nil
}

// check returns what the lines deduct. Lines and rest are the share, and the rest is no less than the floor.
func (o Outcome) check(currency money.Currency) (int64, error) {
	if err := rule.First(rule.Field("household", checkHousehold(o.Household)), rule.Field("share", notNegative(o.Share, currency)), rule.Field("floor", notNegative(o.Floor, currency))); err != nil {
		return 0, err
	}
	left := o.Share.Units
	for i, line := range o.Lines {
		if err := line.Amount.Positive(currency); err != nil {
			return 0, rule.Item("lines", i, rule.Field("amount", err))
		}
		left -= line.Amount.Units
		if left < o.Floor.Units {
			return 0, rule.Field("lines", rule.Refuse(rule.Insufficient, "leave less than %s, the floor, of %s", o.Floor, o.Share))
		}
	}
	if o.Rest != money.New(left, currency) {
		return 0, rule.Field("rest", rule.Refuse(rule.Conflict, "is %s; of %s the lines leave %s", o.Rest, o.Share, money.New(left, currency)))
	}
	return o.Share.Units - left, nil
}

// Close refuses parts that are not together the sale's net: by a unit more or
// less, or with a household in two of them. Chunks may come in any order of their computing; here they stand in that of their households.
func Close(net money.Amount, tallies []Tally) error {
	if err := notNegative(net, net.Currency); err != nil {
		return rule.Field("net", err)
	}
	if len(tallies) == 0 {
		return rule.Field("tallies", rule.Refuse(rule.Invalid, "are none"))
	}
	total := int64(0)
	for i, tally := range tallies {
		if err := tally.check(net.Currency); err != nil {
			return rule.Item("tallies", i, err)
		}
		if i > 0 && tally.First <= tallies[i-1].Last {
			return rule.Item("tallies", i, rule.Field("first", rule.Refuse(rule.Invalid, "%s does not come behind %s, the last of the chunk before", tally.First, tallies[i-1].Last)))
		}
		total += tally.Shares.Units
		if total > net.Units {
			return rule.Field("tallies", rule.Refuse(rule.Insufficient, "share out %s or more; the sale's net is %s", money.New(total, net.Currency), net))
		}
	}
	if total < net.Units {
		return rule.Field("tallies", rule.Refuse(rule.Conflict, "share out %s; the sale's net is %s", money.New(total, net.Currency), net))
	}
	return nil
}

func (t Tally) check(currency money.Currency) error {
	if err := rule.First(rule.Field("deducted", notNegative(t.Deducted, currency)), rule.Field("rest", notNegative(t.Rest, currency)), rule.Field("shares", notNegative(t.Shares, currency))); err != nil {
		return err
	}
	if t.Deducted.Units+t.Rest.Units != t.Shares.Units {
		return rule.Field("shares", rule.Refuse(rule.Conflict, "is %s, not %s and %s", t.Shares, t.Deducted, t.Rest))
	}
	if t.Households < 1 || t.Last < t.First {
		return rule.Field("households", rule.Refuse(rule.Invalid, "is %d, from %s to %s", t.Households, t.First, t.Last))
	}
	return nil
}
