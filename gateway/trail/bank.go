package trail

import (
	"context"
	"encoding/json"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// What waits between a campaign and its bank, one row a campaign.
const (
	WorkOrders     WorkKind = "orders"     // the bank's: payouts that it has not executed
	WorkDebits     WorkKind = "debits"     // lines out that belong to no payout
	WorkCredits    WorkKind = "credits"    // lines in that nobody claims
	WorkReclaim    WorkKind = "reclaim"    // orders that were given up, whose money is not taken back
	WorkRestore    WorkKind = "restore"    // money that came back and is not on its budget line
	WorkReceivable WorkKind = "receivable" // owed for gifts that were charged back
)

// lineDays are how long a line of the bank may rest on nothing.
const lineDays = 5

// banked gathers what waits between a campaign and its bank, for either side.
func (w *workOf) banked(ctx context.Context, c readmodel.Campaign) error {
	account, err := w.Model.Account(ctx, c.Account)
	if err != nil {
		return err
	}
	bank := tape.CustodianOf(account.Custodian) == w.organisation
	if bank {
		if err := w.unpaid(ctx, c, account); err != nil {
			return err
		}
	}
	if c.Organisation == w.organisation {
		for _, gather := range []func(context.Context, readmodel.Campaign, readmodel.Account) error{w.released, w.cameBack, w.owed} {
			if err := gather(ctx, c, account); err != nil {
				return err
			}
		}
	}
	if !bank && c.Organisation != w.organisation || w.banks[account.Custodian] {
		return nil
	}
	w.banks[account.Custodian] = true // the lines of one bank account stand once, whosever money it keeps
	if err := w.lines(ctx, WorkDebits, tape.DebitSide, account); err != nil {
		return err
	}
	return w.lines(ctx, WorkCredits, tape.CreditSide, account)
}

// unpaid are the payouts that wait for this organisation as the bank.
func (w *workOf) unpaid(ctx context.Context, c readmodel.Campaign, account readmodel.Account) error {
	sum, first := money.New(0, account.Currency), tape.Instant(0)
	count, window := 0, readmodel.Window{Limit: workRows}
	for {
		list, err := w.Model.Holds(ctx, readmodel.HoldFilter{Account: c.Account, State: tape.HoldOpen}, window)
		if err != nil {
			return err
		}
		for _, hold := range list.Items {
			if !hold.To.Outside() {
				continue
			}
			if sum.Units += hold.Spans.Total(); count == 0 || hold.Expires < first {
				first = hold.Expires
			}
			count++
		}
		if window.After = list.Next; list.Next == "" {
			break
		}
	}
	if count == 0 {
		return nil
	}
	due, err := w.zone.Date(first)
	w.add(Work{Kind: WorkOrders, Account: c.Account, ID: string(account.Custodian), Amount: &sum, Count: count, Due: due})
	return err
}

// lines are those of a bank account that nothing rests on, as far as a list reads.
func (w *workOf) lines(ctx context.Context, kind WorkKind, side tape.Side, account readmodel.Account) error {
	list, err := w.Model.OpenLines(ctx, readmodel.OpenLineFilter{Account: account.Custodian, Side: side}, readmodel.Window{Limit: workRows})
	if err != nil || len(list.Items) == 0 {
		return err
	}
	sum, since := money.New(0, account.Currency), list.Items[0].Date
	for _, line := range list.Items {
		sum.Units += line.Amount.Units
		since = min(since, line.Date)
	}
	w.add(Work{Kind: kind, Account: account.ID, ID: string(account.Custodian), Amount: &sum, Count: len(list.Items), Since: since, Due: since.AddDays(lineDays)})
	return nil
}

// released are orders that were given up or have expired, and whose money is not taken back.
func (w *workOf) released(ctx context.Context, c readmodel.Campaign, account readmodel.Account) error {
	list, err := w.Model.Holds(ctx, readmodel.HoldFilter{Account: c.Account, State: tape.HoldReleased}, readmodel.Window{Limit: workRows})
	if err != nil || len(list.Items) == 0 {
		return err
	}
	sum, since := money.New(0, account.Currency), list.Items[0].Released
	for _, hold := range list.Items {
		sum.Units += hold.Spans.Total()
		since = min(since, hold.Released)
	}
	w.add(Work{Kind: WorkReclaim, Account: c.Account, ID: string(list.Items[0].ID), Amount: &sum, Count: len(list.Items), Since: since, Due: since.AddDays(lineDays)})
	return nil
}

// cameBack are payouts of which something came back that is not on its budget line again.
func (w *workOf) cameBack(ctx context.Context, c readmodel.Campaign, account readmodel.Account) error {
	returned, err := w.Model.Entries(ctx, readmodel.EntryFilter{Subject: string(c.Account), Kind: "return"}, readmodel.Window{Newest: true, Limit: workRows})
	if err != nil {
		return err
	}
	reclaimed, err := w.Model.Holds(ctx, readmodel.HoldFilter{Account: c.Account, State: tape.HoldReclaimed}, readmodel.Window{Newest: true, Limit: workRows})
	if err != nil {
		return err
	}
	holds, seen := reclaimed.Items, map[tape.ID]bool{}
	for _, entry := range returned.Items {
		for _, posting := range entry.Postings {
			hold, err := w.Model.Hold(ctx, c.Account, posting.Line)
			if err != nil {
				return err
			}
			holds = append(holds, hold)
		}
	}
	for _, hold := range holds {
		if seen[hold.ID] || hold.Job == "" { // no disbursement ordered it: it has no budget line
			continue
		}
		seen[hold.ID] = true
		missing, err := w.unrestored(ctx, hold)
		if err != nil {
			return err
		}
		if missing > 0 {
			amount := money.New(missing, account.Currency)
			w.add(Work{Kind: WorkRestore, Account: c.Account, ID: string(hold.ID), Amount: &amount, Due: w.today})
		}
	}
	return nil
}

// unrestored is what came back of a payout and is not on its budget line again, in minor units.
func (w *workOf) unrestored(ctx context.Context, hold readmodel.Hold) (int64, error) {
	back := hold.Returned.Total()
	if hold.State == tape.HoldReclaimed {
		back += hold.Amount.Units - hold.Captured.Total()
	}
	record, err := w.Model.Record(ctx, fund.RestoredKey(hold.Account, hold.ID))
	if rule.Is(err, rule.NotFound) {
		return back, nil
	}
	if err != nil {
		return 0, err
	}
	var restored fund.Restored
	err = json.Unmarshal(record.Value, &restored)
	return back - restored.Units, err
}

// owed is what nobody bore of gifts that were charged back.
func (w *workOf) owed(ctx context.Context, c readmodel.Campaign, account readmodel.Account) error {
	owed, err := Receivable(ctx, w.Model, account.Account)
	if err == nil && owed.Units > 0 {
		w.add(Work{Kind: WorkReceivable, Account: c.Account, ID: string(tape.ReceivableOf(c.Account)), Amount: &owed, Due: w.today})
	}
	return err
}

// Receivable is what an account is owed for gifts that were charged back after they were spent.
func Receivable(ctx context.Context, model *readmodel.Model, account tape.Account) (money.Amount, error) {
	of, owed, window := tape.ReceivableOf(account.ID), money.New(0, account.Currency), readmodel.Window{Limit: workRows}
	for {
		list, err := model.Postings(ctx, of, window)
		if err != nil {
			return owed, err
		}
		for _, posting := range list.Items {
			if posting.From == of {
				owed.Units += posting.Amount.Units
			} else {
				owed.Units -= posting.Amount.Units
			}
		}
		if window.After = list.Next; list.Next == "" {
			return owed, nil
		}
	}
}
