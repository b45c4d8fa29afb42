package pool

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// Invariant is what holds of every claim after every command, with the figures of its loan.
type Invariant struct {
	Name string
	// Broken says how it does not hold, nil when it does.
	Broken func(Claim, Loan) error
}

// Invariants are all of them; an auditor runs them over what a ledger holds.
func Invariants() []Invariant {
	return []Invariant{
		{"compensation, recoveries and what guarantors paid are no more than the debt", brokenDebt},
		{"the pool gets back no more than it paid, and what it has and waits for is in proportion to its loss", brokenShare},
		{"nothing is paid that was not approved, and no more than the ratio gives", brokenPaid},
	}
}

func brokenDebt(c Claim, loan Loan) error {
	if c.Received() > loan.Owed || c.Before+c.shared() > loan.Owed {
		return rule.Refuse(rule.Conflict, "claim %s: of %d owed the lender has %d, %d came in", c.ID, loan.Owed, c.Received(), c.Before+c.shared())
	}
	return nil
}

func brokenShare(c Claim, _ Loan) error {
	if c.ToPool < 0 || c.ToPool > c.Compensation || c.ToPool > c.Net || c.Waits < 0 || c.ToPool+c.Waits != c.poolShare(c.Net) {
		return rule.Refuse(rule.Conflict, "claim %s: the pool paid %d, got %d of %d and waits for %d", c.ID, c.Compensation, c.ToPool, c.Net, c.Waits)
	}
	return nil
}

func brokenPaid(c Claim, _ Loan) error {
	approved := slices.Contains([]State{Approved, Paid, Sharing, Closed}, c.State)
	if approved != (c.Compensation > 0) || c.Compensation > share(c.Eligible, c.RatioPartsPerMillion) || !approved && c.shared()+c.Before != 0 {
		return rule.Refuse(rule.Conflict, "claim %s is %s with %d of %d", c.ID, c.State, c.Compensation, c.Eligible)
	}
	return nil
}
