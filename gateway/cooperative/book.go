package cooperative

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// TrialBalance is what moved on every account in a period, with accruals: each
// posting leaves one account and reaches another, so all sums are zero.
type TrialBalance struct {
	// Organisation's accounts stand one by one, all others together; without one, all stand by themselves.
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

// Together are the rows under which accounts stand that are not told one by one.
const (
	OutsideHouseholds = "outside:household"
	OthersAccounts    = "others"
)

// TrialBalanceOf sums what moved from one civil day to another, both counted in.
func TrialBalanceOf(ctx context.Context, m *readmodel.Model, organisation string, from, to tape.Date) (TrialBalance, error) {
	t := TrialBalance{Organisation: organisation, From: from, To: to, Rows: []BalanceRow{}, Totals: []BalanceTotal{}, Balanced: true}
	if err := checkPeriod(from, to); err != nil {
		return t, err
	}
	moved, err := m.Turnovers(ctx, from, to)
	if err != nil {
		return t, err
	}
	own, err := accountsOf(ctx, m, organisation)
	if err != nil {
		return t, err
	}
	for _, one := range moved {
		t.add(rowName(one.Account, organisation, own), one)
	}
	slices.SortStableFunc(t.Rows, func(a, b BalanceRow) int {
		return cmp.Or(cmp.Compare(a.Opening.Currency, b.Opening.Currency), memoLast(a.Memo)-memoLast(b.Memo), cmp.Compare(a.Account, b.Account))
	})
	for _, total := range t.Totals {
		t.Balanced = t.Balanced && total.Opening.Units == 0 && total.Closing.Units == 0 && total.Debit == total.Credit
	}
	return t, nil
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

// accountsOf are the accounts of an organisation; nil where none is asked for.
func accountsOf(ctx context.Context, m *readmodel.Model, organisation string) (map[tape.AccountID]bool, error) {
	if organisation == "" {
		return nil, nil
	}
	accounts, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[readmodel.Account], error) {
		return m.Accounts(ctx, readmodel.AccountFilter{Organisation: organisation}, w)
	})
	own := map[tape.AccountID]bool{}
	for _, account := range accounts {
		own[account.ID] = true
	}
	return own, err
}

// rowName is the row under which an account stands. Households are told together: a trial balance names no one.
func rowName(account tape.AccountID, organisation string, own map[tape.AccountID]bool) string {
	switch {
	case organisation != "" && !own[account] && !account.Outside():
		return OthersAccounts
	case strings.HasPrefix(string(account), OutsideHouseholds+":"):
		return OutsideHouseholds
	}
	return string(account)
}

// add counts what moved on one account.
func (t *TrialBalance) add(name string, one readmodel.Turnover) {
	of := func(units int64) money.Amount { return amount(units, one.Currency) }
	i := slices.IndexFunc(t.Rows, func(r BalanceRow) bool {
		return r.Account == name && r.Memo == one.Memo && r.Opening.Currency == one.Currency
	})
	if i < 0 {
		i, t.Rows = len(t.Rows), append(t.Rows, BalanceRow{Account: name, Memo: one.Memo, Opening: of(0), Debit: of(0), Credit: of(0), Closing: of(0)})
	}
	row := &t.Rows[i]
	row.Accounts++
	j := slices.IndexFunc(t.Totals, func(s BalanceTotal) bool { return s.Currency == one.Currency && s.Memo == one.Memo })
	if j < 0 {
		j, t.Totals = len(t.Totals), append(t.Totals, BalanceTotal{Currency: one.Currency, Memo: one.Memo, Opening: of(0), Debit: of(0), Credit: of(0), Closing: of(0)})
	}
	total := &t.Totals[j]
	for _, sum := range []struct {
		into  *money.Amount
		units int64
	}{{&row.Opening, one.Opening}, {&row.Debit, one.Reached}, {&row.Credit, one.Left}, {&row.Closing, one.Closing},
		{&total.Opening, one.Opening}, {&total.Debit, one.Reached}, {&total.Credit, one.Left}, {&total.Closing, one.Closing}} {
		sum.into.Units += sum.units
	}
}
