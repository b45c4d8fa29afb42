package books

import (
	"fmt"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// figure is one of the sums that are published.
type figure int

const (
	raised figure = iota
	settled
	setApart
	paidOut
	confirmed
)

// movement is one addition to a figure of a campaign.
type movement struct {
	block  uint64
	day    tape.Date
	figure figure
	// line is the budget line, empty where none is concerned.
	line  tape.ID
	units int64
}

// planned is a plan and the block from which it was the campaign's.
type planned struct {
	block uint64
	plan  fund.Plan
}

// moves notes what the entry at hand adds to a figure of the campaign whose
// account it is; other accounts publish nothing.
func (b *Books) moves(account tape.AccountID, f figure, line tape.ID, units int64) {
	if c := b.trail.campaigns[account]; c != nil && units != 0 {
		c.movements = append(c.movements, movement{b.transaction.Block, b.entry.BusinessDate, f, line, units})
	}
}

// leaves takes a gift off the figures of an account that was not to have it.
func (b *Books) leaves(account tape.AccountID, units int64) {
	b.moves(account, raised, "", -units)
	b.moves(account, settled, "", -units)
}

// takesHome counts money that came home as neither ordered nor paid.
func (b *Books) takesHome(account tape.AccountID, home onLines) {
	for _, one := range home {
		b.moves(account, setApart, one.line, -one.units)
		b.moves(account, paidOut, one.line, -one.units)
	}
}

// plans notes the plan that the campaign has from this block on.
func (b *Books) plans(c *campaign) {
	c.plans = append(c.plans, planned{b.transaction.Block, c.plan})
}

// planAt is the plan after a block.
func (c *campaign) planAt(block uint64) fund.Plan {
	var plan fund.Plan
	for _, p := range c.plans {
		if p.block <= block {
			plan = p.plan
		}
	}
	return plan
}

// figuresAt are a campaign's figures of the blocks up to one and the days up to one.
func (c *campaign) figuresAt(block uint64, day tape.Date) fund.Figures {
	plan, sums, management := c.planAt(block), map[figure]int64{}, int64(0)
	for _, m := range c.movements {
		if m.block > block || m.day > day {
			continue
		}
		sums[m.figure] += m.units
		if m.figure == setApart && lineOf(plan, m.line).Kind == fund.Management {
			management += m.units
		}
	}
	amount := func(units int64) money.Amount { return money.New(units, c.account.currency) }
	return fund.Figures{Raised: amount(sums[raised]), Settled: amount(sums[settled]), Ordered: amount(sums[setApart]), Paid: amount(sums[paidOut]),
		Confirmed: amount(sums[confirmed]), Management: amount(management)}
}

// counted checks that a publication counts what the ledger held: the blocks
// that it names came before it, do not go back, and come to its figures.
func (b *Books) counted(key string, c *campaign, p fund.Publish) {
	if p.Block < c.block || uint64(max(p.Block, 0)) >= b.transaction.Block {
		b.problem(key, "the last block that a publication counts", fmt.Sprintf("%d to %d", c.block, int64(b.transaction.Block)-1), fmt.Sprint(p.Block))
	}
	c.block = p.Block
	b.differs(key, fmt.Sprintf("its figures of the blocks to %d and the days to %s", p.Block, p.To), spelled(c.figuresAt(uint64(max(p.Block, 0)), p.To)), spelled(p.Figures))
}

// line is the budget line of the disbursement that ordered the payout.
func (b *Books) lineOf(account tape.AccountID, p *payout) tape.ID {
	if d := b.trail.campaigns[account].disbursements[p.disbursement]; d != nil {
		return d.proposed.Line
	}
	return ""
}

// saidOf counts what of a payout its receiver has confirmed by now: no more than is still paid.
func (b *Books) saidOf(account tape.AccountID, p *payout, h *hold) {
	units := int64(0)
	if p.outcome == fund.Arrived {
		units = min(p.said.Units, h.paid.Total()-h.returned)
	}
	b.moves(account, confirmed, b.lineOf(account, p), units-p.confirmed)
	p.confirmed = units
}

// payoutOf is the payout that a hold is, nil where it is none.
func (b *Books) payoutOf(account tape.AccountID, hold tape.ID) *payout {
	if b.trail.campaigns[account] == nil {
		return nil
	}
	return b.trail.payouts[tape.HoldKey(account, hold)]
}
