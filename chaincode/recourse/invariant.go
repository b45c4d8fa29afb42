package recourse

import (
	"github.com/lianbao/lianbao/chaincode/rule"
)

// Invariant is what holds of every call after every command.
type Invariant struct {
	Name string
	// Broken says how it does not hold, nil when it does.
	Broken func(Call) error
}

// Invariants are all of them; an auditor runs them over what a ledger holds.
func Invariants() []Invariant {
	return []Invariant{
		{"what was paid and what is open make what was called, less what was released, withdrawn and paid by the debtor", brokenSum},
		{"what is asked is what is open, unless nobody left can bear it", brokenAsked},
		{"claims between guarantors net to zero against their shares", brokenNet},
		{"nobody recovers more than it paid", brokenRecovery},
		{"nobody bears or owes more than it guaranteed", brokenMost},
		{"the state says whether anything is asked or borne", brokenState},
	}
}

func broken(c Call, format string, arguments ...any) error {
	return rule.Refuse(rule.Conflict, "call "+string(c.ID)+": "+format, arguments...)
}

func brokenSum(c Call) error {
	less := c.Lowered + c.Withdrawn
	for _, g := range c.Guarantors {
		less += g.Paid + g.released()
	}
	if c.Open() < 0 || less+c.Open() != c.Amount.Units {
		return broken(c, "%d called, %d met or dropped, %d open", c.Amount.Units, less, c.Open())
	}
	return nil
}

func brokenAsked(c Call) error {
	asked, instead, room := int64(0), int64(0), int64(0)
	for i, of := range c.positions() {
		asked += of.asked
		if g := c.Guarantors[i]; g.Late == "" {
			instead += of.asked + of.spread
		}
		if m := c.Guarantors[i].member(); !m.ends {
			room += max(0, m.most-m.borne)
		}
	}
	if asked > c.Open() || instead > c.Open() || asked < min(c.Open(), room) {
		return broken(c, "%d open, %d asked, %d of those in time; they can bear %d", c.Open(), asked, instead, room)
	}
	return nil
}

// brokenNet compares what each has borne and its share with what it is owed and owes.
func brokenNet(c Call) error {
	positions, net := c.positions(), int64(0)
	for i, of := range positions {
		owed, owes := sum(of.owed), int64(0)
		for _, other := range positions {
			owes += other.owed[i]
		}
		net += owed - owes
		over := c.Guarantors[i].Borne() - of.share
		if of.owed[i] != 0 || owed > max(0, over) || owes+of.asked != max(0, -over) {
			return broken(c, "%s bears %d too much, is owed %d, owes %d and is asked %d", c.Guarantors[i].Household, over, owed, owes, of.asked)
		}
	}
	if net != 0 {
		return broken(c, "claims net to %d", net)
	}
	return nil
}

func brokenRecovery(c Call) error {
	given, got := int64(0), int64(0)
	for _, g := range c.Guarantors {
		given, got = given+g.Given, got+g.Got
		if g.Borne() < 0 || g.Paid < 0 || g.Given < 0 || g.Got < 0 || g.Returned < 0 {
			return broken(c, "%s paid %d and recovered %d", g.Household, g.Paid+g.Given, g.Got+g.Returned)
		}
	}
	if given != got {
		return broken(c, "co-guarantors gave %d and got %d", given, got)
	}
	return nil
}

func brokenMost(c Call) error {
	positions := c.positions()
	for i, of := range positions {
		g, owes := c.Guarantors[i], of.asked+of.spread
		for _, other := range positions {
			owes += other.owed[i]
		}
		if g.Borne()+owes > g.Max || owes > c.Amount.Units {
			return broken(c, "%s bears %d and owes %d of the %d that it guaranteed", g.Household, g.Borne(), owes, g.Max)
		}
	}
	return nil
}

func brokenState(c Call) error {
	if c.stated().State != c.State {
		return broken(c, "is %s with %d open and %d borne", c.State, c.Open(), c.Borne())
	}
	return nil
}
