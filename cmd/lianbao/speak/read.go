package speak

import (
	"context"
	"net/url"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/importing"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// partMost is the most items a gateway gives at once.
const partMost = "1000"

// every reads a list to its end, until each returns false.
func every[T any](ctx context.Context, g *Gateway, path string, query url.Values, block uint64, each func(T) bool) error {
	query.Set("limit", partMost)
	for {
		var part readmodel.List[T]
		if err := g.Get(ctx, path, query, block, &part); err != nil {
			return err
		}
		for _, item := range part.Items {
			if !each(item) {
				return nil
			}
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
func (g *Gateway) Statements(ctx context.Context, account tape.AccountID) ([]importing.Filed, error) {
	var all []importing.Filed
	query := url.Values{"account": {string(account)}, "newest": {"true"}}
	err := every(ctx, g, "/statements", query, 0, func(s readmodel.Statement) bool {
		all = append(all, importing.Filed{ID: s.ID, Closing: s.Closing, Pages: int(s.Pages), Filed: int(s.Filed)})
		return true
	})
	return all, err
}

// EachLine calls each with the filed lines of a statement until it returns false.
func (g *Gateway) EachLine(ctx context.Context, account tape.AccountID, statement tape.ID, each func(int32, tape.Line) bool) error {
	return every(ctx, g, "/statements/"+escape(account)+"/"+escape(statement)+"/lines", url.Values{}, 0, func(l readmodel.Line) bool {
		return each(l.N, tape.Line{Number: l.Number, Date: l.Date, Amount: l.Amount, Reference: l.Reference})
	})
}

// Pages returns the pages of gifts of an account; none where it is not open yet.
func (g *Gateway) Pages(ctx context.Context, account tape.AccountID, block uint64) ([]importing.Page, error) {
	var all []importing.Page
	err := every(ctx, g, "/accounts/"+escape(account)+"/pages", url.Values{}, block, func(p readmodel.GiftPage) bool {
		all = append(all, importing.Page{Page: p.Page, Settled: p.State == readmodel.PageSettled})
		return true
	})
	if rule.Is(err, rule.NotFound) {
		return nil, nil
	}
	return all, err
}
