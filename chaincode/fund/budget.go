package fund

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

func newBudget(account tape.AccountID, plan Plan) Budget {
	return Budget{V: 1, Account: account}.of(plan)
}

// of lists the lines of a plan with what was ordered on them. A line that the
// plan no longer has is kept while something is ordered on it.
func (b Budget) of(plan Plan) Budget {
	lines := make([]Ordered, 0, len(plan.Lines))
	for _, line := range plan.Lines {
		lines = append(lines, Ordered{Line: line.ID, Units: b.ordered(line.ID)})
	}
	for _, ordered := range b.Lines {
		if _, known := plan.Line(ordered.Line); !known && ordered.Units != 0 {
			lines = append(lines, ordered)
		}
	}
	b.Lines = lines
	return b
}

// Carry counts what another campaign hands over. As far as this one has paid it
// on its budget lines and not got back (granted, nil for nothing), it is given
// back to these lines, in proportion to what each has paid: it can be ordered
// there again. What is more than that stays on no line. Without anything given
// back there is no record to write.
func (b Budget) Carry(amount money.Amount, granted *Granted) (Budget, *Granted, error) {
	b.Carried += amount.Units
	if granted.total() == 0 {
		return b, nil, nil
	}
	weights := make([]int64, len(granted.Lines))
	for i, paid := range granted.Lines {
		weights[i] = paid.Units
	}
	shares, err := money.Split(min(amount.Units, granted.total()), weights)
	if err != nil {
		return b, nil, err
	}
	left := *granted
	for i, paid := range granted.Lines { // no share is above its weight, because their sum is not
		b.Lines = add(b.Lines, paid.Line, -shares[i])
		left.Lines = add(left.Lines, paid.Line, -shares[i])
	}
	return b, &left, nil
}

// total is what is still to come back, of whatever line.
func (g *Granted) total() int64 {
	if g == nil {
		return 0
	}
	total := int64(0)
	for _, paid := range g.Lines {
		total += paid.Units
	}
	return total
}

// Grant counts what a chunk of a disbursement pays another campaign; granted is
// what that was paid before, nil for nothing.
func (d Disbursement) Grant(to tape.AccountID, payments []tape.Payment, granted *Granted) Granted {
	after := Granted{V: 1}
	if granted != nil {
		after = *granted
	}
	for _, payment := range payments {
		if payment.To == to {
			after.Lines = add(after.Lines, d.Line, payment.Amount.Units)
		}
	}
	return after
}

// Given is what givers gave by evidence and did not take back, on which a share
// for management is computed. Money that was refunded, charged back, kept by a
// processor or only declared counts for nothing, nor what another campaign
// handed over: there it was counted.
func (b Budget) Given(head tape.Head) int64 { return max(0, head.Given()-b.Carried) }

// Left is what may still be ordered on a line of the plan.
func (b Budget) Left(line BudgetLine) money.Amount {
	return money.New(line.Amount.Units-b.ordered(line.ID), line.Amount.Currency)
}

func (b Budget) ordered(line tape.ID) int64 {
	for _, ordered := range b.Lines {
		if ordered.Line == line {
			return ordered.Units
		}
	}
	return 0
}

// add changes what stands on a line, and leaves what it was given as it was. A
// line that is not there yet comes behind the others.
func add(lines []Ordered, line tape.ID, units int64) []Ordered {
	lines = slices.Clone(lines)
	for i := range lines {
		if lines[i].Line == line {
			lines[i].Units += units
			return lines
		}
	}
	return append(lines, Ordered{Line: line, Units: units})
}

// spend changes what is ordered on a line.
func (b Budget) spend(line tape.ID, units int64) Budget {
	b.Lines = add(b.Lines, line, units)
	return b
}

// order takes an amount out of a line: no more than the plan gives it, and for
// management no more than the plan's share of what was given.
func (b Budget) order(plan Plan, line BudgetLine, amount money.Amount, head tape.Head) (Budget, error) {
	if left := b.Left(line); amount.Units > left.Units {
		return b, rule.Refuse(rule.Insufficient, "line %s has %s left of %s; %s was asked", line.ID, left, line.Amount, amount)
	}
	after := b.spend(line.ID, amount.Units)
	if line.Kind != Management {
		return after, nil
	}
	spent, received := after.managed(plan), b.Given(head)
	if limit := plan.ManagementCap(received); spent > limit.Units {
		return b, rule.Refuse(rule.Insufficient, "management costs would come to %s; the cap is %s, %d parts per million of %s received",
			money.New(spent, amount.Currency), limit, plan.ManagementPartsPerMillion, money.New(received, amount.Currency))
	}
	return after, nil
}

// managed is what is ordered for management.
func (b Budget) managed(plan Plan) int64 {
	spent := int64(0)
	for _, line := range plan.Lines {
		if line.Kind == Management {
			spent += b.ordered(line.ID)
		}
	}
	return spent
}

// share is the whole part of units × parts / 1,000,000. Units are below 2^53
// and parts at most a million, so it is computed in two steps that fit 64 bits.
func share(units int64, parts int32) int64 {
	return units/partsPerOne*int64(parts) + units%partsPerOne*int64(parts)/partsPerOne
}

// ManagementCap is the most that management may cost while so much has been given.
func (p Plan) ManagementCap(given int64) money.Amount {
	return money.New(share(given, p.ManagementPartsPerMillion), p.Goal.Currency)
}
