package loan

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
)

// settleQuestion asks what becomes of a sale.
type settleQuestion struct {
	// Owing are the households that owe something; who is left out owes nothing.
	Owing []owing         `json:"owing,omitempty"`
	Sale  waterfall.Sale  `json:"sale"`
	Terms waterfall.Terms `json:"terms"`
}

type owing struct {
	Debts     []waterfall.Debt `json:"debts"`
	Dues      []waterfall.Due  `json:"dues"`
	Household tape.AccountID   `json:"household"`
}

// Settlement is the answer.
type Settlement struct {
	Distribution waterfall.Distribution `json:"distribution"`
	Outcomes     []waterfall.Outcome    `json:"outcomes"`
	Tally        waterfall.Tally        `json:"tally"`
}

func (q settleQuestion) answer() (any, error) {
	if err := q.Terms.Check(); err != nil {
		return nil, rule.Field("terms", err)
	}
	distribution, shares, err := q.Sale.Distribute()
	if err != nil {
		return nil, rule.Field("sale", err)
	}
	positions := make([]waterfall.Position, len(shares))
	for i, share := range shares {
		positions[i] = waterfall.Position{Household: share.Household, Share: share.Amount}
	}
	for i, o := range q.Owing {
		at := slices.IndexFunc(positions, func(p waterfall.Position) bool { return p.Household == o.Household })
		if at < 0 {
			return nil, rule.Item("owing", i, rule.Field("household", rule.Refuse(rule.NotFound, "%s has delivered nothing of the sale", o.Household)))
		}
		if len(positions[at].Debts)+len(positions[at].Dues) > 0 {
			return nil, rule.Item("owing", i, rule.Field("household", rule.Refuse(rule.Invalid, "%s stands twice", o.Household)))
		}
		positions[at].Debts, positions[at].Dues = o.Debts, o.Dues
		if err := positions[at].Check(q.Terms); err != nil {
			return nil, rule.Item("owing", i, err)
		}
	}
	outcomes, tally, err := q.Terms.Settle(distribution.Net, positions)
	if err != nil {
		return nil, err
	}
	return Settlement{distribution, outcomes, tally}, nil
}

// surplusQuestion asks what of a year's surplus goes to whom.
type surplusQuestion struct {
	// Day says by which version of the law.
	Day     tape.Date         `json:"day"`
	Surplus waterfall.Surplus `json:"surplus"`
}

// Dividends is the answer.
type Dividends struct {
	Law       string               `json:"law"`
	Dividends []waterfall.Dividend `json:"dividends"`
}

func (q surplusQuestion) answer() (any, error) {
	if err := q.Day.Check(); err != nil {
		return nil, rule.Field("day", err)
	}
	law, err := waterfall.LawOn(q.Day)
	if err != nil {
		return nil, rule.Field("day", err)
	}
	dividends, err := q.Surplus.Distribute(law)
	if err != nil {
		return nil, rule.Field("surplus", err)
	}
	return Dividends{law.ID, dividends}, nil
}
