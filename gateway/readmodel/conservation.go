package readmodel

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Conservation says what was set aside and adds everything else up: per currency, outside and tapes and what
// waits between two accounts come to zero; each tape is tiled by its
// settlements, and what its head calls free is what no posting, hold or job has taken.
func (m *Model) Conservation(ctx context.Context) (Conservation, error) {
	result := Conservation{Currencies: []CurrencyBalance{}, Faults: []string{}}
	err := m.view(ctx, func(s *session) (err error) {
		aside, err := s.aside(ctx)
		if err != nil {
			return err
		}
		for _, a := range aside {
			result.Faults = append(result.Faults, a.String())
		}
		if result.Currencies, err = s.currencies(ctx); err != nil {
			return err
		}
		accounts, err := s.tapes(ctx)
		if err != nil {
			return err
		}
		result.Accounts = len(accounts)
		for _, account := range accounts {
			faults, err := s.tiling(ctx, account)
			if err != nil {
				return err
			}
			if len(faults) == 0 {
				result.Tiled++
			}
			result.Faults = append(result.Faults, faults...)
		}
		return nil
	})
	for _, balance := range result.Currencies {
		if balance.Difference != 0 || balance.Memos != 0 {
			result.Faults = append(result.Faults, fmt.Sprintf("%s: outside %d, tapes %d and waiting %d come to %d minor units, accruals to %d; both must be 0",
				balance.Currency, balance.Outside, balance.Tapes, balance.Waiting, balance.Difference, balance.Memos))
		}
	}
	return result, err
}

func (s *session) currencies(ctx context.Context) ([]CurrencyBalance, error) {
	const query = `SELECT currency, sum(outside), sum(tapes), sum(waiting), sum(memos) FROM (
		SELECT currency, iif(memo = 0, units, 0) outside, 0 tapes, 0 waiting, iif(memo = 1, units, 0) memos FROM sums
		UNION ALL SELECT currency, 0, free + held, 0, 0 FROM accounts
		UNION ALL SELECT currency, 0, 0, units, 0 FROM inflows JOIN accounts ON accounts.id = inflows.account WHERE settlement = 0
	) GROUP BY currency ORDER BY currency`
	balances := []CurrencyBalance{}
	err := s.each(ctx, query, nil, func(scan func(...any) error) error {
		var b CurrencyBalance
		if err := scan(&b.Currency, &b.Outside, &b.Tapes, &b.Waiting, &b.Memos); err != nil {
			return err
		}
		b.Difference = b.Outside + b.Tapes + b.Waiting
		balances = append(balances, b)
		return nil
	})
	return balances, err
}

// tapeRow is an account as the tables have it.
type tapeRow struct {
	id            tape.AccountID
	currency      money.Currency
	head          tape.Head
	held, pending int64
}

func (s *session) tapes(ctx context.Context) ([]tapeRow, error) {
	var accounts []tapeRow
	err := s.each(ctx, "SELECT id, currency, head, held, pending FROM accounts ORDER BY id", nil, func(scan func(...any) error) error {
		var a tapeRow
		var head []byte
		if err := scan(&a.id, &a.currency, &head, &a.held, &a.pending); err != nil {
			return err
		}
		if len(head) > 0 {
			if err := json.Unmarshal(head, &a.head); err != nil {
				return err
			}
		}
		accounts = append(accounts, a)
		return nil
	})
	return accounts, err
}

// tiling says what does not agree on one tape.
func (s *session) tiling(ctx context.Context, a tapeRow) ([]string, error) {
	var faults []string
	fault := func(format string, arguments ...any) {
		faults = append(faults, string(a.id)+": "+fmt.Sprintf(format, arguments...))
	}
	if err := a.head.Check(); err != nil {
		fault("%s", err)
	}
	laid, number, err := s.laid(ctx, a.id)
	if err != nil {
		return nil, err
	}
	if laid != a.head.Received || number != int64(a.head.Settlements) {
		fault("%d settlements lay %d minor units without a gap; the head says %d and %d", number, laid, a.head.Settlements, a.head.Received)
	}
	free, kept, err := s.gaps(ctx, a)
	if err != nil {
		return nil, err
	}
	claimed := a.head.Free()
	slices.SortFunc(claimed, func(x, y tape.Span) int { return int(min(1, max(-1, x.Start-y.Start))) })
	if claimed, err = (tape.Spans{}).Add(claimed...); err != nil || !slices.Equal(free, claimed) {
		fault("the head calls other units free than those that nothing has taken")
	}
	if kept != a.held {
		fault("holds and jobs keep %d minor units, the account says %d", kept, a.held)
	}
	var pending int64
	const waiting = `SELECT (SELECT coalesce(sum(units), 0) FROM pages WHERE account = ?1 AND state = 'pending')
		+ (SELECT coalesce(sum(units), 0) FROM inflows WHERE account = ?1 AND settlement = 0)`
	if _, err := s.get(ctx, waiting, []any{string(a.id)}, &pending); err != nil {
		return nil, err
	}
	if pending != a.pending {
		fault("pages and inflows of %d minor units wait, the account says %d", pending, a.pending)
	}
	return faults, nil
}

// laid is how far an account's settlements, from the first, tile its tape without gap or overlap.
func (s *session) laid(ctx context.Context, account tape.AccountID) (end, number int64, err error) {
	err = s.each(ctx, "SELECT n, start, units FROM settlements WHERE account = ? ORDER BY n", []any{string(account)}, func(scan func(...any) error) error {
		var n, start, units int64
		if err := scan(&n, &start, &units); err != nil {
			return err
		}
		if n == number+1 && start == end {
			end, number = end+units, n
		}
		return nil
	})
	return end, number, err
}

// gaps is what nothing has taken, and how much holds and jobs keep.
func (s *session) gaps(ctx context.Context, a tapeRow) (free tape.Spans, kept int64, err error) {
	at := int64(0)
	err = s.each(ctx, "SELECT start, stop, posting FROM taken WHERE account = ? ORDER BY start", []any{string(a.id)}, func(scan func(...any) error) error {
		var start, stop, posting int64
		if err := scan(&start, &stop, &posting); err != nil {
			return err
		}
		if at < start {
			free = append(free, tape.Span{Start: at, End: start})
		}
		if posting == 0 {
			kept += stop - start
		}
		at = stop
		return nil
	})
	if at < a.head.Received {
		free = append(free, tape.Span{Start: at, End: a.head.Received})
	}
	return free, kept, err
}
