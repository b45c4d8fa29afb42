package fund

import (
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Corrects judges a correction of gifts by the plans on both sides: from and to
// are the campaigns, nil where an account is none, budget that of from, and head
// the one of from's account after the gift has left it. That the gift is whole
// and unspent, and who may sign, is judged by tape.
func Corrects(from, to *Campaign, budget *Budget, head tape.Head) error {
	if to != nil {
		if err := to.takes(from); err != nil {
			return rule.Field("to", err)
		}
	}
	if from == nil || budget == nil {
		return nil
	}
	// Otherwise one gift would let two campaigns spend on management in turn.
	managed, limit := budget.managed(from.Plan), from.Plan.ManagementCap(budget.Given(head))
	if managed > limit.Units {
		return rule.Refuse(rule.Insufficient, "%s has ordered %s for management; without the gift its cap is %s", from.Account, money.New(managed, limit.Currency), limit)
	}
	return nil
}

// takes refuses a campaign that may not get a gift which stands on another: it
// must collect itself, and what the public gave stays under a filed plan.
func (c Campaign) takes(from *Campaign) error {
	if err := c.open(); err != nil {
		return err
	}
	if c.Parent != "" {
		return rule.Refuse(rule.Forbidden, "%s is a campaign by %s and gets its money from %s; gifts are not moved to it", c.Account, c.Basis, c.Parent)
	}
	if from != nil && c.Basis != Filing && c.Basis != from.Basis {
		return rule.Refuse(rule.Forbidden, "%s is a campaign by %s; a gift to one by %s stays with one that is filed", c.Account, c.Basis, from.Basis)
	}
	return nil
}
