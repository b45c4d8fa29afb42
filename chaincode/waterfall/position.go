package waterfall

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Check refuses a position that is malformed, and one by which somebody would be
// paid before his turn or more than he is owed.
func (p Position) Check(t Terms) error {
	if err := rule.First(rule.Field("terms", t.Check()), rule.Field("household", checkHousehold(p.Household)),
		rule.Field("share", notNegative(p.Share, t.LivingFloor.Currency))); err != nil {
		return err
	}
	if len(p.Debts) > DebtsMax {
		return rule.Field("debts", rule.Refuse(rule.Invalid, "names %d debts; %d at most", len(p.Debts), DebtsMax))
	}
	for i, debt := range p.Debts {
		if err := p.checkDebt(i, debt); err != nil {
			return rule.Item("debts", i, err)
		}
	}
	if len(p.Dues) > DuesMax {
		return rule.Field("dues", rule.Refuse(rule.Invalid, "names %d dues; %d at most", len(p.Dues), DuesMax))
	}
	for i, due := range p.Dues {
		if err := p.checkDue(t, i, due); err != nil {
			return rule.Item("dues", i, err)
		}
	}
	return p.checkOwed()
}

// checkHousehold refuses what is no account on the ledger.
func checkHousehold(account tape.AccountID) error {
	if err := account.Check(); err != nil {
		return err
	}
	if account.Outside() {
		return rule.Refuse(rule.Invalid, "%s is outside the ledger; a share belongs to an account on it", account)
	}
	return nil
}

// notNegative refuses what is no amount of zero or more in the currency.
func notNegative(a money.Amount, currency money.Currency) error {
	if _, err := currency.Exponent(); err != nil {
		return err
	}
	if a.Units == 0 && a.Currency == currency {
		return nil
	}
	return a.Positive(currency)
}

// positive is the same of an amount that begins a reckoning, and so says its currency.
func positive(a money.Amount) error {
	return rule.First(notNegative(a, a.Currency), a.Positive(a.Currency))
}

func (p Position) checkDebt(i int, debt Debt) error {
	if err := debt.Reference.Check(); err != nil {
		return rule.Field("reference", err)
	}
	if slices.ContainsFunc(p.Debts[:i], func(d Debt) bool { return d.Reference == debt.Reference }) {
		return rule.Field("reference", rule.Refuse(rule.Invalid, "%s stands twice", debt.Reference))
	}
	if err := debt.Owed.Positive(p.Share.Currency); err != nil {
		return rule.Field("owed", err)
	}
	if len(debt.Creditors) == 0 || len(debt.Creditors) > CreditorsMax {
		return rule.Field("creditors", rule.Refuse(rule.Invalid, "names %d; a debt has 1 to %d creditors", len(debt.Creditors), CreditorsMax))
	}
	for i, creditor := range debt.Creditors {
		if err := p.checkCreditor(debt.Creditors[:i], creditor); err != nil {
			return rule.Item("creditors", i, err)
		}
	}
	return nil
}

func (p Position) checkCreditor(before []Creditor, c Creditor) error {
	if err := c.Account.Check(); err != nil {
		return rule.Field("account", err)
	}
	if c.Account == p.Household {
		return rule.Field("account", rule.Refuse(rule.Invalid, "%s owes nothing to itself", p.Household))
	}
	if slices.ContainsFunc(before, func(b Creditor) bool { return b.Account == c.Account }) {
		return rule.Field("account", rule.Refuse(rule.Invalid, "%s stands twice", c.Account))
	}
	return rule.Field("weight", rule.Within(c.Weight, 1, money.Max/CreditorsMax))
}

func (p Position) checkDue(t Terms, i int, due Due) error {
	if !slices.Contains(Ranks(), due.Rank) {
		return rule.Field("rank", rule.Refuse(rule.Invalid, "is none of %v", Ranks()))
	}
	if err := rule.First(rule.Field("date", due.Date.Check()), rule.Field("amount", due.Amount.Positive(p.Share.Currency))); err != nil {
		return err
	}
	if !slices.ContainsFunc(p.Debts, func(d Debt) bool { return d.Reference == due.Debt }) {
		return rule.Field("debt", rule.Refuse(rule.NotFound, "%s is none of the debts", due.Debt))
	}
	for _, before := range p.Dues[:i] {
		if before.Debt == due.Debt && before.Rank.family() != due.Rank.family() {
			return rule.Field("rank", rule.Refuse(rule.Conflict, "is %s, but %s is due as %s as well; a debt is one of both", due.Rank, due.Debt, before.Rank))
		}
		if inOrder(before, due) == 0 {
			return rule.Field("debt", rule.Refuse(rule.Invalid, "%s is due as %s of %s twice", due.Debt, due.Rank, due.Date))
		}
	}
	return due.inTurn(t)
}

// inTurn refuses a due whose day belies its rank.
func (d Due) inTurn(t Terms) error {
	if d.Rank.family() != Overdue {
		if d.Date > t.Day {
			return rule.Field("date", rule.Refuse(rule.Conflict, "is %s, after %s, the day of settlement; nothing is owed as %s yet", d.Date, t.Day, d.Rank))
		}
		return nil
	}
	if right := t.Bank(d.Date); right != d.Rank {
		return rule.Field("rank", rule.Refuse(rule.Conflict, "is %s; what falls due on %s is %s on %s with a window of %d days", d.Rank, d.Date, right, t.Day, t.WindowDays))
	}
	return nil
}

// checkOwed refuses dues that are together more than their debt.
func (p Position) checkOwed() error {
	for i, debt := range p.Debts {
		due := int64(0)
		for _, d := range p.Dues {
			if d.Debt != debt.Reference {
				continue
			}
			if due += d.Amount.Units; due > debt.Owed.Units { // neither is more than 2^53, so that this cannot overflow
				return rule.Item("debts", i, rule.Field("owed", rule.Refuse(rule.Conflict, "is %s, but more than that is due on %s", debt.Owed, debt.Reference)))
			}
		}
	}
	return nil
}
