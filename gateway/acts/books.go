package acts

import (
	"context"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Books is the gateway's own read model as acts read it.
type Books struct{ *readmodel.Model }

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

// giftsAtOnce are read of a page at a time.
const giftsAtOnce = 1000

// GiftsOf implements Ledger.
func (b Books) GiftsOf(ctx context.Context, account tape.AccountID, page tape.ID) ([]tape.Gift, error) {
	var all []tape.Gift
	window := readmodel.Window{Limit: giftsAtOnce}
	for {
		list, err := b.Gifts(ctx, readmodel.GiftFilter{Account: account, Page: page}, window)
		if err != nil {
			return nil, err
		}
		for _, gift := range list.Items {
			all = append(all, tape.Gift{ID: gift.ID, Amount: gift.Amount, Donor: gift.Donor, Reference: gift.Reference})
		}
		if window.After = list.Next; list.Next == "" {
			return all, nil
		}
	}
}

// FindLine implements Ledger.
func (b Books) FindLine(ctx context.Context, bank tape.AccountID, statement tape.ID, number int32) (readmodel.Line, error) {
	return b.Numbered(ctx, bank, statement, number)
}

// PageOfLines implements Ledger.
func (b Books) PageOfLines(ctx context.Context, bank tape.AccountID, statement tape.ID, n int32) ([]tape.Line, error) {
	var all []tape.Line
	window := readmodel.Window{Limit: giftsAtOnce}
	for {
		list, err := b.Lines(ctx, readmodel.LineFilter{Account: bank, Statement: statement, N: &n}, window)
		if err != nil {
			return nil, err
		}
		for _, line := range list.Items {
			all = append(all, tape.Line{Number: line.Number, Date: line.Date, Amount: line.Amount, Reference: line.Reference})
		}
		if window.After = list.Next; list.Next == "" {
			return all, nil
		}
	}
}
