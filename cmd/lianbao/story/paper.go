package story

import (
	"context"
	"net/url"
	"strings"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/document"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// isTold reports whether an entry of the charity is on the ledger: papers are
// made anew each time, and would not be the same.
func (t *teller) isTold(ctx context.Context, id tape.ID) (bool, error) {
	var entry readmodel.Entry
	err := t.Gateways[charity].Get(ctx, "/entries/"+charity+"/"+url.PathEscape(string(id)), nil, t.last.Load(), &entry)
	if rule.Is(err, rule.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// cites keeps an invented invoice and cites it for an entry.
func (t *teller) cites(ctx context.Context, account tape.AccountID, id tape.ID, zero money.Amount, text, about string) error {
	if told, err := t.isTold(ctx, id); err != nil || told {
		return err
	}
	var citation document.Citation
	if err := t.Gateways[charity].Upload(ctx, "/documents?kind=invoice", "text/plain", strings.NewReader(text), &citation); err != nil {
		return err
	}
	_, err := t.signed(ctx, charity, "Fund:Cite", "cite", account, zero, fund.Cite{Account: account, For: about, ID: id,
		Evidence: []fund.Citation{{Hash: merkle.Hash(citation.Hash), Kind: "invoice"}}}, t.maker)
	return err
}

// publishes freezes what a campaign has come to.
func (t *teller) publishes(ctx context.Context, account tape.AccountID, zero money.Amount) error {
	var before []fund.Publication
	campaign := "/campaigns/" + url.PathEscape(string(account))
	if err := t.Gateways[charity].Get(ctx, campaign+"/publications", nil, t.last.Load(), &before); err != nil || len(before) > 0 {
		return err
	}
	var draft struct {
		Command fund.Publish `json:"command"`
	}
	if err := t.Gateways[charity].Post(ctx, campaign+"/publications", struct{}{}, &draft); err != nil {
		return err
	}
	_, err := t.signed(ctx, charity, "Fund:Publish", "publish", account, zero, draft.Command, t.maker)
	return err
}
