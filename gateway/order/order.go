// Package order writes what a bank is to pay: every open payout of a campaign,
// with the reference by which the line of the bank's statement finds it again.
package order

import (
	"context"
	"io"
	"iter"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/export/table"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Columns are those of the file. What is on the ledger of a payee is its name
// there; whose name and account that is, only the charity and its bank know.
var Columns = []table.Column{{Name: "reference"}, {Name: "amount", Money: true}, {Name: "payee"}, {Name: "payout"}, {Name: "disbursement"},
	{Name: "file"}, {Name: "from"}, {Name: "expires"}, {Name: "flagged"}, {Name: "flaggedSince"}}

// Write writes the open payouts of an account that a bank executes, those of
// one disbursement where one is named, in the order in which they were ordered,
// and returns what they come to. An account without a campaign has them as well.
func Write(ctx context.Context, w io.Writer, m *readmodel.Model, account tape.AccountID, disbursement tape.ID) (money.Amount, error) {
	paying, err := m.Account(ctx, account)
	if err != nil {
		return money.Amount{}, err
	}
	if disbursement != "" {
		if _, err := m.Disbursement(ctx, paying.ID, disbursement); err != nil {
			return money.Amount{}, err
		}
	}
	totals, err := table.Write(w, table.Table{Columns: Columns, Rows: rows(ctx, m, paying, disbursement)}, table.Options{ByteOrderMark: true})
	if err != nil {
		return money.Amount{}, err
	}
	return totals.Of("amount", paying.Currency), nil
}

// part is how many payouts are read at once.
const part = 1000

func rows(ctx context.Context, m *readmodel.Model, paying readmodel.Account, disbursement tape.ID) iter.Seq2[[]table.Cell, error] {
	return func(yield func([]table.Cell, error) bool) {
		window := readmodel.Window{Limit: part}
		for {
			list, err := m.Payouts(ctx, readmodel.PayoutFilter{Account: paying.ID, State: tape.HoldOpen, Disbursement: disbursement}, window)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, p := range list.Items {
				if p.To.Outside() && !yield(row(paying, p)) {
					return
				}
			}
			if window.After = list.Next; list.Next == "" {
				return
			}
		}
	}
}

func row(paying readmodel.Account, p readmodel.Payout) ([]table.Cell, error) {
	file := donation.PayoutReference("")
	if chunk, _, is := p.Place(); is {
		file = donation.ReferenceOfFile(p.Account, p.Job, chunk)
	}
	left := money.New(p.Spans.Total(), p.Amount.Currency)
	if err := left.Positive(paying.Currency); err != nil {
		return nil, rule.Field(string(p.ID), err)
	}
	since := ""
	if p.Flagged != "" { // what was ordered before the flag is not stopped by it, and the bank asks the charity
		since = p.FlaggedSince.String()
	}
	return []table.Cell{table.Text(p.Reference), table.Money(left), table.Text(p.To), table.Text(p.ID), table.Text(p.Job),
		table.Text(file), table.Text(paying.Custodian), table.Text(p.Expires.String()), table.Text(p.Flagged), table.Text(since)}, nil
}
