package portal

import (
	"context"
	"net/http"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/export/books"
	"github.com/lianbao/lianbao/gateway/portal/views"
)

// Exports compares bank, ledger, pages and exports of an account, as books.Books does.
type Exports interface {
	Reconcile(ctx context.Context, account tape.AccountID, cut books.Cut) (books.Reconciliation, error)
}

// books shows whether the books of a campaign agree, and hands them out.
func (p *portal) books(r *http.Request) (views.Page, string, error) {
	account, err := accountIn(r)
	if err != nil {
		return nil, "", err
	}
	if p.Exports == nil {
		return nil, "", rule.Refuse(rule.NotFound, "this portal hands out no exports")
	}
	figures, err := p.Exports.Reconcile(r.Context(), account, books.Cut{Generated: tape.Instant(p.Now().UnixMilli())})
	if err != nil {
		return nil, "", err
	}
	page := views.Books{Account: account, Through: figures.Through, Block: figures.Block, Agrees: figures.Agrees(), Standards: books.Standards(), Tables: books.Tables()}
	for _, e := range figures.Equalities {
		page.Equalities = append(page.Equalities, views.Equality{Key: e.Key, Left: e.Left, Right: e.Right})
	}
	page.Title, err = p.title(r.Context(), account)
	return page, "", err
}
