package cooperative

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/bookkeeping"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// TrialBalance is what moved in a period on the accounts of an organisation's
// books, or of the whole ledger, with accruals: each posting leaves one account and
// reaches another, so all sums are zero.
type TrialBalance struct {
	// Organisation's books: its accounts stand one by one, those of others together; without one, all stand by themselves.
	Organisation string         `json:"organisation,omitempty"`
	From         tape.Date      `json:"from"`
	To           tape.Date      `json:"to"`
	Rows         []BalanceRow   `json:"rows"`
	Totals       []BalanceTotal `json:"totals"`
	// Balanced says that every sum is zero, in every currency, of money and of accruals.
	Balanced bool `json:"balanced"`
}

// BalanceRow is one account. What reached it is its debit, what left it its
// credit; a balance above zero is a debit balance.
type BalanceRow struct {
	Account string `json:"account"`
	// Accounts counts those that stand together: households outside the ledger, accounts of others.
	Accounts int          `json:"accounts"`
	Memo     bool         `json:"memo,omitempty"`
	Opening  money.Amount `json:"opening"`
	Debit    money.Amount `json:"debit"`
	Credit   money.Amount `json:"credit"`
	Closing  money.Amount `json:"closing"`
}

// BalanceTotal sums the rows of one currency, of money or of accruals.
type BalanceTotal struct {
	Currency money.Currency `json:"currency"`
	Memo     bool           `json:"memo,omitempty"`
	Opening  money.Amount   `json:"opening"`
	Debit    money.Amount   `json:"debit"`
	Credit   money.Amount   `json:"credit"`
	Closing  money.Amount   `json:"closing"`
}

// TrialBalanceOf sums what moved from one civil day to another, both counted in:
// of an organisation what its books have, with the months that it closed as they
// were closed; without one of the whole ledger.
func TrialBalanceOf(ctx context.Context, m *readmodel.Model, organisation string, from, to tape.Date) (TrialBalance, error) {
	t := TrialBalance{From: from, To: to, Rows: []BalanceRow{}, Totals: []BalanceTotal{}}
	if err := checkPeriod(from, to); err != nil {
		return t, err
	}
	if organisation != "" {
		return ownBalance(ctx, m, organisation, from, to)
	}
	moved, err := m.Turnovers(ctx, from, to)
	if err != nil {
		return t, err
	}
	for _, one := range moved {
		t.add(bookkeeping.Row{Account: ledgerRow(one.Account), Currency: one.Currency, Memo: one.Memo, Opening: one.Opening, Debit: one.Reached, Credit: one.Left, Closing: one.Closing, Accounts: 1})
	}
	slices.SortStableFunc(t.Rows, func(a, b BalanceRow) int {
		return cmp.Or(cmp.Compare(a.Opening.Currency, b.Opening.Currency), memoLast(a.Memo)-memoLast(b.Memo), cmp.Compare(a.Account, b.Account))
	})
	t.balance()
	return t, nil
}

// ownBalance is that of an organisation's books.
func ownBalance(ctx context.Context, m *readmodel.Model, organisation string, from, to tape.Date) (TrialBalance, error) {
	if err := rule.Field("organisation", tape.CheckSegment(organisation)); err != nil {
		return TrialBalance{}, err
	}
	c, err := calendarOf(ctx, m, organisation)
	if err != nil {
		return TrialBalance{}, err
	}
	until := c.cut(to)
	own, err := m.AccountsBy(ctx, organisation, until.Place)
	if err != nil {
		return TrialBalance{}, err
	}
	reckoning := bookkeeping.Reckon(organisation, own, from, c.cut(from.AddDays(-1)), until)
	err = m.Posted(ctx, organisation, to, func(p readmodel.Posted) error {
		reckoning.Add(p.Day, p.Place, p.Postings)
		return nil
	})
	return balanceOf(reckoning.Sheet()), err
}

// balanceOf is a sheet with its sums.
func balanceOf(s bookkeeping.Sheet) TrialBalance {
	t := TrialBalance{Organisation: s.Organisation, From: s.From, To: s.To, Rows: []BalanceRow{}, Totals: []BalanceTotal{}}
	for _, row := range s.Rows {
		t.add(row)
	}
	t.balance()
	return t
}

// balance says whether every sum is zero.
func (t *TrialBalance) balance() {
	t.Balanced = true
	for _, total := range t.Totals {
		t.Balanced = t.Balanced && total.Opening.Units == 0 && total.Closing.Units == 0 && total.Debit == total.Credit
	}
}

func memoLast(memo bool) int {
	if memo {
		return 1
	}
	return 0
}

func checkPeriod(from, to tape.Date) error {
	if err := rule.First(rule.Field("from", from.Check()), rule.Field("to", to.Check())); err != nil {
		return err
	}
	if to < from {
		return rule.Field("to", rule.Refuse(rule.Invalid, "lies before the first day"))
	}
	return nil
}

// ledgerRow is the row of an account where the whole ledger is summed. Families
// stand together: a trial balance names no one.
func ledgerRow(account tape.AccountID) string {
	if strings.HasPrefix(string(account), bookkeeping.OutsideHouseholds+":") {
		return bookkeeping.OutsideHouseholds
	}
	return string(account)
}

// add counts one account.
func (t *TrialBalance) add(one bookkeeping.Row) {
	of := func(units int64) money.Amount { return amount(units, one.Currency) }
	i := slices.IndexFunc(t.Rows, func(r BalanceRow) bool {
		return r.Account == one.Account && r.Memo == one.Memo && r.Opening.Currency == one.Currency
	})
	if i < 0 {
		i, t.Rows = len(t.Rows), append(t.Rows, BalanceRow{Account: one.Account, Memo: one.Memo, Opening: of(0), Debit: of(0), Credit: of(0), Closing: of(0)})
	}
	row := &t.Rows[i]
	row.Accounts += int(one.Accounts)
	j := slices.IndexFunc(t.Totals, func(s BalanceTotal) bool { return s.Currency == one.Currency && s.Memo == one.Memo })
	if j < 0 {
		j, t.Totals = len(t.Totals), append(t.Totals, BalanceTotal{Currency: one.Currency, Memo: one.Memo, Opening: of(0), Debit: of(0), Credit: of(0), Closing: of(0)})
	}
	total := &t.Totals[j]
	for _, sum := range []struct {
		into  *money.Amount
		units int64
	}{{&row.Opening, one.Opening}, {&row.Debit, one.Debit}, {&row.Credit, one.Credit}, {&row.Closing, one.Closing},
		{&total.Opening, one.Opening}, {&total.Debit, one.Debit}, {&total.Credit, one.Credit}, {&total.Closing, one.Closing}} {
		sum.into.Units += sum.units
	}
}
