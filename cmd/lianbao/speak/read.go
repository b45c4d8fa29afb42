package speak

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/importing"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// partMost is the most items a gateway gives at once.
const partMost = "1000"

// every calls take with each item of a list.
func every[T any](ctx context.Context, g *Gateway, path string, query url.Values, block uint64, take func(T)) error {
	query.Set("limit", partMost)
	for {
		var part readmodel.List[T]
		if err := g.Get(ctx, path, query, block, &part); err != nil {
			return err
		}
		for _, item := range part.Items {
			take(item)
		}
		if part.Next == "" {
			return nil
		}
		query.Set("after", part.Next)
	}
}

func escape[T ~string](name T) string { return url.PathEscape(string(name)) }

// Account returns an account.
func (g *Gateway) Account(ctx context.Context, id tape.AccountID) (tape.Account, error) {
	var account readmodel.Account
	err := g.Get(ctx, "/accounts/"+escape(id), nil, 0, &account)
	return account.Account, err
}

// Statements returns the statements of a bank account, the last one first.
func (g *Gateway) Statements(ctx context.Context, account tape.AccountID, block uint64) ([]importing.Filed, error) {
	var all []importing.Filed
	query := url.Values{"account": {string(account)}, "newest": {"true"}}
	err := every(ctx, g, "/statements", query, block, func(s readmodel.Statement) {
		all = append(all, importing.Filed{ID: s.ID, Closing: s.Closing, Pages: int(s.Pages), Filed: int(s.Filed)})
	})
	return all, err
}

// Lines returns the lines of page n of a statement; none while they are not filed.
func (g *Gateway) Lines(ctx context.Context, account tape.AccountID, statement tape.ID, n int32) ([]tape.Line, error) {
	var all []tape.Line
	query := url.Values{"n": {strconv.Itoa(int(n))}}
	err := every(ctx, g, "/statements/"+escape(account)+"/"+escape(statement)+"/lines", query, 0, func(l readmodel.Line) {
		all = append(all, tape.Line{Number: l.Number, Date: l.Date, Amount: l.Amount, Reference: l.Reference})
	})
	return all, err
}

// UsedLines returns the indexes of the used lines of page n of a statement.
func (g *Gateway) UsedLines(ctx context.Context, account tape.AccountID, statement tape.ID, n int32, block uint64) (map[int]bool, error) {
	used := map[int]bool{}
	query := url.Values{"n": {strconv.Itoa(int(n))}}
	err := every(ctx, g, "/statements/"+escape(account)+"/"+escape(statement)+"/lines", query, block, func(l readmodel.Line) {
		if l.Used {
			used[l.Index] = true
		}
	})
	return used, err
}

// Processor reports whether the processor's file of a page is on the ledger.
func (g *Gateway) Processor(ctx context.Context, account tape.AccountID, page tape.ID, block uint64) (bool, error) {
	err := g.Get(ctx, "/accounts/"+escape(account)+"/pages/"+escape(page)+"/processor", nil, block, &tape.Processor{})
	if rule.Is(err, rule.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// OpenLines returns the credit lines of an amount that nothing rests on.
func (g *Gateway) OpenLines(ctx context.Context, account tape.AccountID, amount money.Amount, block uint64) ([]readmodel.Line, error) {
	var all []readmodel.Line
	query := url.Values{"account": {string(account)}, "side": {string(tape.CreditSide)}, "amount": {amount.String()}}
	err := every(ctx, g, "/open-lines", query, block, func(l readmodel.Line) { all = append(all, l) })
	return all, err
}

// Payouts looks up what references in memos name.
func (g *Gateway) Payouts(ctx context.Context, references []donation.PayoutReference, block uint64) ([]readmodel.Referenced, error) {
	texts := make([]string, len(references))
	for i, reference := range references {
		texts[i] = string(reference)
	}
	var found []readmodel.Referenced
	err := g.Get(ctx, "/payouts/references", url.Values{"reference": {strings.Join(texts, ",")}}, block, &found)
	return found, err
}

// Pages returns the pages of gifts of an account; none where it is not open yet.
func (g *Gateway) Pages(ctx context.Context, account tape.AccountID, block uint64) ([]importing.Page, error) {
	var all []importing.Page
	err := every(ctx, g, "/accounts/"+escape(account)+"/pages", url.Values{}, block, func(p readmodel.GiftPage) {
		all = append(all, importing.Page{Page: p.Page, Settled: p.State == readmodel.PageSettled, Withdrawn: p.State == readmodel.PageWithdrawn})
	})
	if rule.Is(err, rule.NotFound) {
		return nil, nil
	}
	return all, err
}

// GiftsOf returns all gifts of a page, as they stand on it.
func (g *Gateway) GiftsOf(ctx context.Context, account tape.AccountID, page tape.ID) ([]tape.Gift, error) {
	var all []tape.Gift
	err := every(ctx, g, "/accounts/"+escape(account)+"/gifts", url.Values{"page": {string(page)}}, 0, func(gift readmodel.Gift) {
		all = append(all, tape.Gift{ID: gift.ID, Amount: gift.Amount, Donor: gift.Donor, Reference: gift.Reference})
	})
	return all, err
}
