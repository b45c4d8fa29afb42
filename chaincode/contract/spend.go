package contract

import (
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

type intent = party.Intent

// approve judges the intents of a command that moves an account's money, and
// refuses it unless enough persons of enough organisations have signed.
func (t *transaction) approve(action string, account tape.Account, amount money.Amount, entry tape.ID, intents []intent) error {
	if err := t.load(party.PolicyKey()); err != nil {
		return err
	}
	act := party.Act{Action: action, Subject: string(account.ID), Amount: amount.String(), Entry: entry}
	if err := t.judgeIntents(act, intents); err != nil {
		return err
	}
	policy, err := need[party.PolicyRecord](t, party.PolicyKey(), "the policy")
	if err != nil {
		return err
	}
	return policy.Policy.Approval.Approve(amount, t.context.Approvals, account.Organisation)
}

// Spend pays other accounts of the ledger.
func (*Tape) Spend(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c tape.Spend, intents []intent) (tape.Entry, error) {
		payees := payeesOf(c.Payments)
		account, head, err := t.withHead(c.ID, c.Account, accountKeys(payees)...)
		if err != nil {
			return tape.Entry{}, err
		}
		total, err := c.Total(account.Currency)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.approve("spend", account, total, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		after, inflows, entry, err := head.Spend(account, c, t.payees(payees), t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.changeHead(head, after)
		t.saveInflows(inflows)
		return entry, nil
	})
}

// Hold orders payouts.
func (*Tape) Hold(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c tape.OrderHolds, intents []intent) (tape.Entry, error) {
		payees := make([]tape.AccountID, len(c.Holds))
		keys := make([]string, len(c.Holds))
		for i, order := range c.Holds {
			payees[i], keys[i] = order.To, tape.HoldKey(c.Account, order.Hold)
		}
		account, head, err := t.withHead(c.ID, c.Account, append(accountKeys(payees), keys...)...)
		if err != nil {
			return tape.Entry{}, err
		}
		total, err := c.Total(account.Currency)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.approve("hold", account, total, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		after, holds, entry, err := head.Hold(account, c, t.payees(payees), t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.changeHead(head, after)
		return entry, t.openHolds(account.Organisation, holds)
	})
}

// OpenJob moves the money of one large act off the head.
func (*Tape) OpenJob(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c tape.OpenJob, intents []intent) (tape.Entry, error) {
		key := tape.JobKey(c.Account, c.ID)
		account, head, err := t.withHead(c.ID, c.Account, key)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := c.Check(account.Currency); err != nil {
			return tape.Entry{}, err
		}
		if err := t.absent(key, "job "+c.ID.String()); err != nil {
			return tape.Entry{}, err
		}
		if err := t.approve("open-job", account, c.Amount, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		after, job, entry, err := head.OpenJob(account, c, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.changeHead(head, after)
		t.change(key, nil, job)
		t.protect(key, account.Organisation)
		return entry, nil
	})
}

// Release gives up what is left of a hold.
func (*Tape) Release(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c tape.Release, intents []intent) (tape.Entry, error) {
		account, hold, err := t.hold(c.ID, c.Account, c.Hold)
		if err != nil {
			return tape.Entry{}, err
		}
		left := money.New(hold.Spans.Total(), account.Currency)
		if err := t.approve("release", account, left, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		after, entry, err := hold.Release(account, c, t.context)
		t.change(tape.HoldKey(c.Account, c.Hold), hold, after)
		return entry, err
	})
}

// hold loads the ground, an account and one of its holds.
func (t *transaction) hold(id tape.ID, account tape.AccountID, hold tape.ID, keys ...string) (tape.Account, tape.Hold, error) {
	key := tape.HoldKey(account, hold)
	found, err := t.account(id, account, append(keys, key)...)
	if err != nil {
		return found, tape.Hold{}, err
	}
	record, err := need[tape.Hold](t, key, "hold "+hold.String())
	return found, record, err
}

// Expire releases a hold whose time has passed, for anyone.
func (*Tape) Expire(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[tape.Release], func(t *transaction, c tape.Release) (tape.Entry, error) {
		_, hold, err := t.hold(c.ID, c.Account, c.Hold)
		if err != nil {
			return tape.Entry{}, err
		}
		after, entry, err := hold.Expire(c, t.context)
		t.change(tape.HoldKey(c.Account, c.Hold), hold, after)
		return entry, err
	})
}

// debitLine loads the page of a debit line, and whether the line was used.
func (t *transaction) debitLine(account tape.Account, p tape.LineProof) (*tape.Lines, bool, string, error) {
	lines, used := tape.LinesKey(account.Custodian, p.Statement, p.N), tape.DebitKey(account.Custodian, p.Statement, p.N, p.Index)
	if err := t.load(lines, used); err != nil {
		return nil, false, "", err
	}
	return read[tape.Lines](t, lines), t.state[used] != nil, used, nil
}

// Capture pays out of a hold.
func (*Tape) Capture(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[tape.Capture], func(t *transaction, c tape.Capture) (tape.Entry, error) {
		account, hold, err := t.hold(c.ID, c.Account, c.Hold)
		if err != nil {
			return tape.Entry{}, err
		}
		var lines *tape.Lines
		used, debit := false, ""
		if c.Line != nil {
			if lines, used, debit, err = t.debitLine(account, *c.Line); err != nil {
				return tape.Entry{}, err
			}
		}
		result, entry, err := hold.Capture(account, c, lines, used, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.change(tape.HoldKey(c.Account, c.Hold), hold, result.Hold)
		if result.Inflow != nil {
			t.saveInflows([]tape.Inflow{*result.Inflow})
		}
		if debit != "" {
			t.save(debit, party.Mark{V: 1, Entry: entry.Reference()})
		}
		return entry, nil
	})
}

// Execute pays out of many holds by the lines of one page of a statement.
func (*Tape) Execute(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[tape.Execute], func(t *transaction, c tape.Execute) (tape.Entry, error) {
		if err := c.Check(); err != nil {
			return tape.Entry{}, err
		}
		ids := c.Holds()
		keys := make([]string, len(ids))
		for i, id := range ids {
			keys[i] = tape.HoldKey(c.Account, id)
		}
		account, err := t.account(c.ID, c.Account, keys...)
		if err != nil {
			return tape.Entry{}, err
		}
		holds := make([]tape.Hold, len(keys))
		for i, key := range keys {
			if holds[i], err = need[tape.Hold](t, key, "hold "+ids[i].String()); err != nil {
				return tape.Entry{}, err
			}
		}
		lines, debits, used, err := t.debitLines(account, c)
		if err != nil {
			return tape.Entry{}, err
		}
		after, entry, err := account.Execute(c, holds, lines, used, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		for i, hold := range after {
			t.change(keys[i], holds[i], hold)
		}
		for _, debit := range debits {
			t.save(debit, party.Mark{V: 1, Entry: entry.Reference()})
		}
		return entry, nil
	})
}

// debitLines loads a page of debit lines, and which of the items' lines were used.
func (t *transaction) debitLines(account tape.Account, c tape.Execute) (*tape.Lines, []string, []bool, error) {
	key := tape.LinesKey(account.Custodian, c.Statement, c.N)
	debits, used := make([]string, len(c.Items)), make([]bool, len(c.Items))
	for i, item := range c.Items {
		debits[i] = tape.DebitKey(account.Custodian, c.Statement, c.N, item.Index)
	}
	if err := t.load(append([]string{key}, debits...)...); err != nil {
		return nil, nil, nil, err
	}
	for i, debit := range debits {
		used[i] = t.state[debit] != nil
	}
	return read[tape.Lines](t, key), debits, used, nil
}

// Reclaim takes the money of released holds back into the head.
func (*Tape) Reclaim(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[tape.Reclaim], func(t *transaction, c tape.Reclaim) (tape.Entry, error) {
		if err := c.Check(); err != nil {
			return tape.Entry{}, err
		}
		keys := make([]string, len(c.Holds))
		for i, id := range c.Holds {
			keys[i] = tape.HoldKey(c.Account, id)
		}
		account, head, err := t.withHead(c.ID, c.Account, keys...)
		if err != nil {
			return tape.Entry{}, err
		}
		holds := make([]tape.Hold, len(keys))
		for i, key := range keys {
			if holds[i], err = need[tape.Hold](t, key, "hold "+c.Holds[i].String()); err != nil {
				return tape.Entry{}, err
			}
		}
		after, reclaimed, entry, err := head.Reclaim(account, c, holds, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.changeHead(head, after)
		for i, hold := range reclaimed {
			t.change(keys[i], holds[i], hold)
		}
		return entry, t.waits(account, holds, reclaimed, entry)
	})
}

// Return takes back a payout that did not reach its payee.
func (*Tape) Return(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[tape.Return], func(t *transaction, c tape.Return) (tape.Entry, error) {
		account, hold, err := t.hold(c.ID, c.Account, c.Hold, tape.HeadKey(c.Account))
		if err != nil {
			return tape.Entry{}, err
		}
		head, err := need[tape.Head](t, tape.HeadKey(c.Account), "the head of "+c.Account.String())
		if err != nil {
			return tape.Entry{}, err
		}
		lines, used, err := t.lines(account, c.Line.Statement, c.Line.N)
		if err != nil {
			return tape.Entry{}, err
		}
		result, entry, err := hold.Return(account, head, c, &lines, used, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.change(tape.HoldKey(c.Account, c.Hold), hold, result.Hold)
		t.save(tape.UsedKey(lines.Account, lines.Statement, lines.N), result.Used)
		if result.Head != nil {
			t.changeHead(head, *result.Head)
		}
		if result.Inflow != nil {
			t.saveInflows([]tape.Inflow{*result.Inflow})
		}
		return entry, t.waits(account, []tape.Hold{hold}, []tape.Hold{result.Hold}, entry)
	})
}
