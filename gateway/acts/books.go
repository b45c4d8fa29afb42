package acts

import (
	"context"
	"time"

	"github.com/lianbao/lianbao/chaincode/bookkeeping"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/cooperative"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Books is the gateway's own read model as acts read it.
type Books struct {
	*readmodel.Model
	Now func() time.Time
}

// Payee implements Ledger.
func (b Books) Payee(ctx context.Context, campaign, payee tape.AccountID) (readmodel.Payee, error) {
	list, err := b.Payees(ctx, readmodel.PayeeFilter{Account: campaign, Payee: payee}, readmodel.Window{Limit: 1})
	if err != nil {
		return readmodel.Payee{}, err
	}
	if len(list.Items) == 0 {
		return readmodel.Payee{}, rule.Refuse(rule.NotFound, "%s is not enrolled in %s", payee, campaign)
	}
	return list.Items[0], nil
}

// GiftsOf implements Ledger.
func (b Books) GiftsOf(ctx context.Context, account tape.AccountID, page tape.ID) ([]tape.Gift, error) {
	gifts, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[readmodel.Gift], error) {
		return b.Gifts(ctx, readmodel.GiftFilter{Account: account, Page: page}, w)
	})
	all := make([]tape.Gift, len(gifts))
	for i, gift := range gifts {
		all[i] = tape.Gift{ID: gift.ID, Amount: gift.Amount, Donor: gift.Donor, Reference: gift.Reference}
	}
	return all, err
}

// FindLine implements Ledger.
func (b Books) FindLine(ctx context.Context, bank tape.AccountID, statement tape.ID, number int32) (readmodel.Line, error) {
	return b.Numbered(ctx, bank, statement, number)
}

// Month implements Ledger.
func (b Books) Month(ctx context.Context, organisation string, month bookkeeping.Month) (cooperative.Month, error) {
	today, err := cooperative.Today(ctx, b.Model, b.Now())
	if err != nil {
		return cooperative.Month{}, err
	}
	return cooperative.MonthOf(ctx, b.Model, organisation, month, today)
}
