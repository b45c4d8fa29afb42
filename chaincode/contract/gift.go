package contract

import (
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// settledGift loads what the ledger holds on one gift that stands on an account.
func (t *transaction) settledGift(account tape.AccountID, p tape.GiftProof) (tape.SettledGift, error) {
	page, settled, reversal := tape.PageKey(p.Name(account).Account, p.Page), tape.SettledKey(account, p.Source()), p.ReversalKey(account)
	inflow := ""
	if p.Moved != nil {
		inflow = tape.InflowKey(account, p.Moved.Inflow)
	}
	var found tape.SettledGift
	if err := t.load(page, settled, reversal, inflow); err != nil {
		return found, err
	}
	var err error
	if found.Page, err = need[tape.Page](t, page, "page "+p.Page.String()); err != nil {
		return found, err
	}
	if inflow != "" {
		found.Inflow = read[tape.Inflow](t, inflow)
	}
	if mark := read[tape.Settled](t, settled); mark != nil && mark.N > 0 {
		key := tape.SettlementKey(account, mark.N)
		if err := t.load(key); err != nil {
			return found, err
		}
		found.Settlement = read[tape.Settlement](t, key)
	}
	if found.Reversal = read[tape.Reversal](t, reversal); found.Reversal != nil && found.Reversal.Hold != "" {
		key := tape.HoldKey(account, found.Reversal.Hold)
		if err := t.load(key); err != nil {
			return found, err
		}
		found.Hold = read[tape.Hold](t, key)
	}
	return found, nil
}

// approveGift judges the intents of a command about one gift: they sign what of
// it is on the account, which is less than was given where a processor kept a fee.
func (t *transaction) approveGift(action string, account tape.Account, p tape.GiftProof, entry tape.ID, intents []intent) (tape.SettledGift, error) {
	gift, err := t.settledGift(account.ID, p)
	if err != nil {
		return gift, err
	}
	if err := t.repaysNothing(account, p); err != nil {
		return gift, err
	}
	_, span, err := gift.Place(account.ID, p)
	if err != nil {
		return gift, err
	}
	return gift, t.approve(action, account, money.New(span.Length(), account.Currency), entry, intents)
}

// repaysNothing refuses to take money back that has repaid a loan: the debt would
// be paid by money that is gone.
func (t *transaction) repaysNothing(account tape.Account, p tape.GiftProof) error {
	if account.Subject != loan.Subject {
		return nil
	}
	key := loan.Repay{Gift: p}.Repaid(account.ID)
	if err := t.load(key); err != nil {
		return err
	}
	if used := read[loan.Repayment](t, key); used != nil {
		return rule.Field("gift", rule.Refuse(rule.WrongState, "has repaid a loan, by entry %s; it stays with the lender", used.Entry))
	}
	return nil
}

// Identify gives unclaimed money to the account it was meant for.
func (*Tape) Identify(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c tape.Identify, intents []intent) (tape.Entry, error) {
		account, head, err := t.withHead(c.ID, c.Account, tape.AccountKey(c.To))
		if err != nil {
			return tape.Entry{}, err
		}
		gift, err := t.approveGift("identify", account, c.Gift, c.ID, intents)
		if err != nil {
			return tape.Entry{}, err
		}
		back, err := t.payout(c)
		if err != nil {
			return tape.Entry{}, err
		}
		result, entry, err := head.Identify(account, c, gift, read[tape.Account](t, tape.AccountKey(c.To)), back, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.changeHead(head, result.Head)
		if result.Inflow != nil {
			t.saveInflows([]tape.Inflow{*result.Inflow})
		}
		if result.Hold != nil {
			t.change(tape.HoldKey(c.To, c.Hold), back.Hold, *result.Hold)
			t.changeHead(back.Head, *result.To)
			if err := t.waits(*read[tape.Account](t, tape.AccountKey(c.To)), []tape.Hold{back.Hold}, []tape.Hold{*result.Hold}, entry); err != nil {
				return tape.Entry{}, err
			}
		}
		t.save(c.Gift.ReversalKey(c.Account), result.Reversal)
		return entry, nil
	})
}

// payout is the payout that an identification names, nil for none.
func (t *transaction) payout(c tape.Identify) (*tape.Payout, error) {
	if c.Hold == "" {
		return nil, nil
	}
	hold, head := tape.HoldKey(c.To, c.Hold), tape.HeadKey(c.To)
	if err := t.load(hold, head); err != nil {
		return nil, err
	}
	found, standing := read[tape.Hold](t, hold), read[tape.Head](t, head)
	if found == nil || standing == nil {
		return nil, nil
	}
	return &tape.Payout{Hold: *found, Head: *standing}, nil
}

// Refund orders a gift to be paid back.
func (*Tape) Refund(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c tape.Refund, intents []intent) (tape.Entry, error) {
		account, head, err := t.withHead(c.ID, c.Account, tape.HoldKey(c.Account, c.ID))
		if err != nil {
			return tape.Entry{}, err
		}
		gift, err := t.approveGift("refund", account, c.Gift, c.ID, intents)
		if err != nil {
			return tape.Entry{}, err
		}
		after, hold, reversal, entry, err := head.Refund(account, c, gift, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.changeHead(head, after)
		t.save(c.Gift.ReversalKey(c.Account), reversal)
		return entry, t.openHolds(account.Organisation, []tape.Hold{hold})
	})
}

// Correct moves a gift that stands on the wrong account to the right one.
func (*Tape) Correct(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c tape.Correct, intents []intent) (tape.Entry, error) {
		from, to, budget := fund.CampaignKey(c.Account), fund.CampaignKey(c.To), fund.BudgetKey(c.Account)
		account, head, err := t.withHead(c.ID, c.Account, tape.AccountKey(c.To), from, to, budget)
		if err != nil {
			return tape.Entry{}, err
		}
		gift, err := t.approveGift("correct", account, c.Gift, c.ID, intents)
		if err != nil {
			return tape.Entry{}, err
		}
		result, entry, err := head.Correct(account, c, gift, read[tape.Account](t, tape.AccountKey(c.To)), t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := fund.Corrects(read[fund.Campaign](t, from), read[fund.Campaign](t, to), read[fund.Budget](t, budget), result.Head); err != nil {
			return tape.Entry{}, err
		}
		t.changeHead(head, result.Head)
		t.saveInflows([]tape.Inflow{result.Inflow})
		t.save(c.Gift.ReversalKey(c.Account), result.Reversal)
		return entry, nil
	})
}

// ChargeBack takes a gift back that the payer's bank reversed.
func (*Tape) ChargeBack(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[tape.ChargeBack], func(t *transaction, c tape.ChargeBack) (tape.Entry, error) {
		account, head, err := t.withHead(c.ID, c.Account)
		if err != nil {
			return tape.Entry{}, err
		}
		var ownFunds *tape.Head
		if account.OwnFunds != "" {
			if err := t.load(tape.HeadKey(account.OwnFunds)); err != nil {
				return tape.Entry{}, err
			}
			ownFunds = read[tape.Head](t, tape.HeadKey(account.OwnFunds))
		}
		gift, err := t.settledGift(c.Account, c.Gift)
		if err != nil {
			return tape.Entry{}, err
		}
		lines, used, debit, err := t.debitLine(account, c.Line)
		if err != nil {
			return tape.Entry{}, err
		}
		result, entry, err := head.ChargeBack(account, ownFunds, c, gift, lines, used, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.changeHead(head, result.Head)
		if result.OwnFunds != nil {
			t.changeHead(*ownFunds, *result.OwnFunds)
		}
		t.save(c.Gift.ReversalKey(c.Account), result.Reversal)
		t.save(debit, party.Mark{V: 1, Entry: entry.Reference()})
		return entry, nil
	})
}

// Declare settles a page of a campaign's gifts that no line of the bank shows.
func (*Fund) Declare(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c fund.Declare, intents []intent) (tape.Entry, error) {
		if err := c.Check(); err != nil {
			return tape.Entry{}, err
		}
		page := tape.PageKey(c.Account, c.Page)
		processor, settled := tape.ProcessorKey(c.Account, c.Page), tape.SettledKey(c.Account, string(c.Page))
		campaign, err := t.campaign(c.ID, c.Account, tape.AccountKey(c.Account), tape.HeadKey(c.Account), page, processor, settled)
		if err != nil {
			return tape.Entry{}, err
		}
		account, head, err := t.accountAndHead(c.Account)
		if err != nil {
			return tape.Entry{}, err
		}
		received, err := need[tape.Page](t, page, "page "+c.Page.String())
		if err != nil {
			return tape.Entry{}, rule.Field("page", err)
		}
		if err := t.approve("declare", account, received.Total, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		source := tape.Source{Page: &received, Processor: read[tape.Processor](t, processor), Settled: read[tape.Settled](t, settled)}
		after, settlement, entry, err := campaign.Declare(c, account, head, source, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.changeHead(head, after)
		t.saveSettlements(settlement)
		return entry, nil
	})
}
