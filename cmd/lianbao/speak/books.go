package speak

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/lianbao/lianbao/chaincode/bookkeeping"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/cooperative"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Books are what a gateway's API shows of the ledger, as acts read it.
type Books struct{ *Gateway }

// Account implements acts.Ledger.
func (b Books) Account(ctx context.Context, id tape.AccountID) (readmodel.Account, error) {
	var account readmodel.Account
	return account, b.Get(ctx, "/accounts/"+escape(id), nil, 0, &account)
}

// Campaign implements acts.Ledger.
func (b Books) Campaign(ctx context.Context, id tape.AccountID) (readmodel.Campaign, error) {
	var sheet struct {
		Campaign readmodel.Campaign `json:"campaign"`
	}
	err := b.Get(ctx, "/campaigns/"+escape(id), nil, 0, &sheet)
	return sheet.Campaign, err
}

// Disbursement implements acts.Ledger.
func (b Books) Disbursement(ctx context.Context, campaign tape.AccountID, id tape.ID) (readmodel.Disbursement, error) {
	return first[readmodel.Disbursement](ctx, b.Gateway, "/disbursements", url.Values{"account": {string(campaign)}, "id": {string(id)}}, "disbursement", string(id))
}

// Page implements acts.Ledger.
func (b Books) Page(ctx context.Context, account tape.AccountID, page tape.ID) (readmodel.GiftPage, error) {
	found := readmodel.GiftPage{}
	err := every(ctx, b.Gateway, "/accounts/"+escape(account)+"/pages", url.Values{}, 0, func(p readmodel.GiftPage) {
		if p.ID == page {
			found = p
		}
	})
	if err == nil && found.ID == "" {
		err = rule.Refuse(rule.NotFound, "there is no page %s of %s", page, account)
	}
	return found, err
}

// TraceGift implements acts.Ledger.
func (b Books) TraceGift(ctx context.Context, at readmodel.GiftAt) (readmodel.Trace, error) {
	var trace readmodel.Trace
	gifts, err := b.GiftsOf(ctx, at.Account, at.Page)
	if err != nil {
		return trace, err
	}
	if at.Index < 0 || at.Index >= len(gifts) {
		return trace, rule.Refuse(rule.NotFound, "page %s has no gift %d", at.Page, at.Index)
	}
	query := url.Values{"account": {string(at.Account)}, "page": {string(at.Page)}}
	return trace, b.Get(ctx, "/gifts/"+escape(gifts[at.Index].ID)+"/trace", query, 0, &trace)
}

// Entry implements acts.Ledger.
func (b Books) Entry(ctx context.Context, organisation string, id tape.ID) (readmodel.Entry, error) {
	var entry readmodel.Entry
	return entry, b.Get(ctx, "/entries/"+url.PathEscape(organisation)+"/"+url.PathEscape(string(id)), nil, 0, &entry)
}

// Hold implements acts.Ledger.
func (b Books) Hold(ctx context.Context, account tape.AccountID, id tape.ID) (readmodel.Hold, error) {
	payout, err := first[readmodel.Payout](ctx, b.Gateway, "/payouts", url.Values{"account": {string(account)}, "id": {string(id)}}, "payout", string(id))
	return payout.Hold, err
}

// Payee implements acts.Ledger.
func (b Books) Payee(ctx context.Context, campaign, payee tape.AccountID) (readmodel.Payee, error) {
	return first[readmodel.Payee](ctx, b.Gateway, "/campaigns/"+escape(campaign)+"/payees", url.Values{"payee": {string(payee)}}, "payee", string(payee))
}

// first is the one item of a list that was asked for by its name.
func first[T any](ctx context.Context, g *Gateway, path string, query url.Values, what, name string) (T, error) {
	var list readmodel.List[T]
	if err := g.Get(ctx, path, query, 0, &list); err != nil || len(list.Items) > 0 {
		return append(list.Items, *new(T))[0], err
	}
	return *new(T), rule.Refuse(rule.NotFound, "there is no %s %.140s", what, name)
}

// FindLine implements acts.Ledger.
func (b Books) FindLine(ctx context.Context, bank tape.AccountID, statement tape.ID, number int32) (readmodel.Line, error) {
	var line readmodel.Line
	err := b.Get(ctx, "/statements/"+escape(bank)+"/"+escape(statement)+"/lines/"+strconv.Itoa(int(number)), nil, 0, &line)
	return line, err
}

// PageOfLines implements acts.Ledger.
func (b Books) PageOfLines(ctx context.Context, bank tape.AccountID, statement tape.ID, n int32) ([]tape.Line, error) {
	return b.Lines(ctx, bank, statement, n)
}

// Month implements acts.Ledger.
func (b Books) Month(ctx context.Context, organisation string, month bookkeeping.Month) (cooperative.Month, error) {
	var found cooperative.Month
	return found, b.Own(ctx, http.MethodGet, "/cooperative/months/"+escape(month)+"?organisation="+url.QueryEscape(organisation), nil, &found)
}

// Record implements acts.Ledger.
func (b Books) Record(ctx context.Context, key string) (readmodel.Record, error) {
	found := readmodel.Record{}
	err := every(ctx, b.Gateway, "/records", url.Values{"prefix": {key}}, 0, func(r readmodel.Record) {
		if r.Key == key {
			found = r
		}
	})
	if err == nil && found.Key == "" {
		err = rule.Refuse(rule.NotFound, "there is no record %s", key)
	}
	return found, err
}

// Record reads a record of the ledger.
func Record[R any](ctx context.Context, g *Gateway, key string) (R, error) {
	var value R
	found, err := Books{g}.Record(ctx, key)
	if err != nil {
		return value, err
	}
	return value, json.Unmarshal(found.Value, &value)
}
