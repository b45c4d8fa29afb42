package contract

import (
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Propose fixes what would be paid and to whom.
func (*Fund) Propose(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c fund.Propose, intents []intent) (tape.Entry, error) {
		key := fund.DisbursementKey(c.Account, c.ID)
		campaign, err := t.campaign(c.ID, c.Account, key, fund.BudgetKey(c.Account))
		if err != nil {
			return tape.Entry{}, err
		}
		budget, err := t.budget(c.Account)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.absent(key, "disbursement "+c.ID.String()); err != nil {
			return tape.Entry{}, err
		}
		if err := t.judge("propose", campaign, c.Amount, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		disbursement, entry, err := campaign.Propose(c, budget, t.context)
		t.save(key, disbursement)
		return entry, err
	})
}

// disbursement is one that was proposed; its key was loaded.
func (t *transaction) disbursement(account tape.AccountID, id tape.ID) (fund.Disbursement, error) {
	return need[fund.Disbursement](t, fund.DisbursementKey(account, id), "disbursement "+id.String())
}

// lineKeys are what the ledger knows of the payees of a chunk.
func lineKeys(campaign tape.AccountID, payments []tape.Payment) []string {
	var keys []string
	for _, p := range payments {
		if p.To.Outside() {
			keys = append(keys, fund.PayeeKey(campaign, p.To), fund.FlagKey(campaign, p.To))
		} else {
			keys = append(keys, fund.InvitationKey(campaign, p.To), fund.CampaignKey(p.To))
		}
	}
	return keys
}

// payeeLines are the payments of a chunk with their payees; lineKeys were loaded.
func (t *transaction) payeeLines(campaign tape.AccountID, payments []tape.Payment) []fund.Line {
	lines := make([]fund.Line, len(payments))
	for i, p := range payments {
		lines[i].Payment = p
		if p.To.Outside() {
			lines[i].Payee, lines[i].Flag = read[fund.Payee](t, fund.PayeeKey(campaign, p.To)), read[fund.Flag](t, fund.FlagKey(campaign, p.To))
		} else {
			lines[i].Invitation, lines[i].Campaign = read[fund.Invitation](t, fund.InvitationKey(campaign, p.To)), read[fund.Campaign](t, fund.CampaignKey(p.To))
		}
	}
	return lines
}

// List lays open one chunk of a proposal.
func (*Fund) List(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[fund.List], func(t *transaction, c fund.List) (tape.Entry, error) {
		key := fund.ListedKey(c.Account, c.Disbursement, c.N)
		campaign, err := t.campaign(c.ID, c.Account, append(lineKeys(c.Account, c.Lines), key, fund.DisbursementKey(c.Account, c.Disbursement))...)
		if err != nil {
			return tape.Entry{}, err
		}
		disbursement, err := t.disbursement(c.Account, c.Disbursement)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.absent(key, "this list of disbursement "+c.Disbursement.String()); err != nil {
			return tape.Entry{}, err
		}
		listed, entry, err := campaign.List(c, disbursement, t.payeeLines(c.Account, c.Lines), t.context)
		t.save(key, listed)
		return entry, err
	})
}

// Approve is one checker's approval.
func (*Fund) Approve(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c fund.Approve, intents []intent) (tape.Entry, error) {
		rejectedKey := fund.RejectedKey(c.Account, c.Disbursement)
		keys := []string{rejectedKey, fund.DisbursementKey(c.Account, c.Disbursement)}
		person := tape.ID("")
		if len(intents) > 0 {
			person = intents[0].Person
		}
		key := fund.ApprovedKey(c.Account, c.Disbursement, person)
		campaign, err := t.campaign(c.ID, c.Account, append(keys, key)...)
		if err != nil {
			return tape.Entry{}, err
		}
		disbursement, err := t.disbursement(c.Account, c.Disbursement)
		if err != nil {
			return tape.Entry{}, err
		}
		listedKeys := make([]string, disbursement.Chunks)
		for n := range listedKeys {
			listedKeys[n] = fund.ListedKey(c.Account, c.Disbursement, int32(n))
		}
		if err := t.load(listedKeys...); err != nil {
			return tape.Entry{}, err
		}
		listed := make([]*fund.Listed, len(listedKeys))
		for n, listedKey := range listedKeys {
			listed[n] = read[fund.Listed](t, listedKey)
		}
		if err := t.judge("approve", campaign, disbursement.Amount, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		approved, entry, err := campaign.Approve(c, disbursement, listed, read[fund.Rejected](t, rejectedKey), read[fund.Approved](t, key), t.context)
		t.save(key, approved)
		return entry, err
	})
}

// Reject ends a proposal.
func (*Fund) Reject(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c fund.Reject, intents []intent) (tape.Entry, error) {
		key, ordered := fund.RejectedKey(c.Account, c.Disbursement), fund.OrderedKey(c.Account, c.Disbursement)
		campaign, err := t.campaign(c.ID, c.Account, key, ordered, fund.DisbursementKey(c.Account, c.Disbursement))
		if err != nil {
			return tape.Entry{}, err
		}
		disbursement, err := t.disbursement(c.Account, c.Disbursement)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.judge("reject", campaign, disbursement.Amount, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		rejected, entry, err := campaign.Reject(c, disbursement, read[fund.Rejected](t, key), read[fund.Mark](t, ordered), t.context)
		t.save(key, rejected)
		return entry, err
	})
}

// Order sets the money of an approved disbursement apart.
func (*Fund) Order(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[fund.Order], func(t *transaction, c fund.Order) (tape.Entry, error) {
		if err := c.Check(); err != nil {
			return tape.Entry{}, err
		}
		keys := []string{tape.AccountKey(c.Account), tape.HeadKey(c.Account), tape.JobKey(c.Account, c.Disbursement), fund.BudgetKey(c.Account), party.PolicyKey(),
			fund.DisbursementKey(c.Account, c.Disbursement), fund.RejectedKey(c.Account, c.Disbursement), fund.OrderedKey(c.Account, c.Disbursement)}
		for _, person := range c.Approvers {
			keys = append(keys, fund.ApprovedKey(c.Account, c.Disbursement, person))
		}
		campaign, err := t.campaign(c.ID, c.Account, keys...)
		if err != nil {
			return tape.Entry{}, err
		}
		state, err := t.orderState(c)
		if err != nil {
			return tape.Entry{}, err
		}
		account, head, err := t.accountAndHead(c.Account)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.absent(tape.JobKey(c.Account, c.Disbursement), "job "+c.Disbursement.String()); err != nil && state.Ordered == nil {
			return tape.Entry{}, err
		}
		ordering, entry, err := campaign.Order(c, state, account, head, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		jobKey := tape.JobKey(c.Account, c.Disbursement)
		t.changeHead(head, ordering.Head)
		t.change(jobKey, nil, ordering.Job)
		t.protect(jobKey, account.Organisation)
		t.save(fund.BudgetKey(c.Account), ordering.Budget)
		t.save(fund.OrderedKey(c.Account, c.Disbursement), ordering.Mark)
		return entry, nil
	})
}

// orderState is what an order rests on; its keys were loaded.
func (t *transaction) orderState(c fund.Order) (fund.OrderState, error) {
	state := fund.OrderState{Rejected: read[fund.Rejected](t, fund.RejectedKey(c.Account, c.Disbursement)), Ordered: read[fund.Mark](t, fund.OrderedKey(c.Account, c.Disbursement))}
	var err error
	if state.Disbursement, err = t.disbursement(c.Account, c.Disbursement); err != nil {
		return state, err
	}
	if state.Budget, err = t.budget(c.Account); err != nil {
		return state, err
	}
	policy, err := need[party.PolicyRecord](t, party.PolicyKey(), "the policy")
	if err != nil {
		return state, err
	}
	state.Policy = policy.Policy.Approval
	persons := append([]tape.ID{state.Disbursement.Maker.Person}, c.Approvers...)
	keys := make([]string, len(persons))
	for i, person := range persons {
		keys[i] = party.PersonKey(person)
	}
	if err := t.load(keys...); err != nil {
		return state, err
	}
	for i, person := range persons {
		state.Persons = append(state.Persons, read[party.Person](t, keys[i]))
		if i > 0 {
			state.Approved = append(state.Approved, read[fund.Approved](t, fund.ApprovedKey(c.Account, c.Disbursement, person)))
		}
	}
	return state, nil
}

// Pay runs one chunk of an ordered disbursement.
func (*Fund) Pay(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[fund.Pay], func(t *transaction, c fund.Pay) (tape.Entry, error) {
		chunk, partners := c.Chunk(), c.Campaigns()
		keys := append(append(chunkKeys(chunk), lineKeys(c.Account, c.Lines)...), tape.AccountKey(c.Account), fund.DisbursementKey(c.Account, c.Disbursement))
		for _, partner := range partners {
			keys = append(keys, fund.GrantedKey(c.Account, partner))
		}
		campaign, err := t.campaign(c.ID, c.Account, keys...)
		if err != nil {
			return tape.Entry{}, err
		}
		disbursement, err := t.disbursement(c.Account, c.Disbursement)
		if err != nil {
			return tape.Entry{}, err
		}
		account, err := need[tape.Account](t, tape.AccountKey(c.Account), "account "+c.Account.String())
		if err != nil {
			return tape.Entry{}, err
		}
		if err := campaign.Pay(disbursement, t.payeeLines(c.Account, c.Lines), t.context); err != nil {
			return tape.Entry{}, err
		}
		entry, err := t.runChunk(account, chunk)
		entry.Kind = "pay"
		for _, partner := range partners {
			key := fund.GrantedKey(c.Account, partner)
			t.save(key, disbursement.Grant(partner, c.Lines, read[fund.Granted](t, key)))
		}
		return entry, err
	})
}

// CloseDisbursement ends a disbursement.
func (*Fund) CloseDisbursement(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[fund.CloseDisbursement], func(t *transaction, c fund.CloseDisbursement) (tape.Entry, error) {
		job := c.Job()
		budgetKey := "" // a job that has run changes no budget
		if c.Abandon {
			budgetKey = fund.BudgetKey(c.Account)
		}
		keys := append(closeKeys(job), tape.AccountKey(c.Account), budgetKey, fund.DisbursementKey(c.Account, c.Disbursement))
		if _, err := t.campaign(c.ID, c.Account, keys...); err != nil {
			return tape.Entry{}, err
		}
		disbursement, err := t.disbursement(c.Account, c.Disbursement)
		if err != nil {
			return tape.Entry{}, err
		}
		account, err := need[tape.Account](t, tape.AccountKey(c.Account), "account "+c.Account.String())
		if err != nil {
			return tape.Entry{}, err
		}
		closed, entry, err := t.closeJob(account, job)
		if err != nil {
			return tape.Entry{}, err
		}
		entry.Kind = "close-disbursement"
		if !c.Abandon {
			return entry, nil
		}
		budget, err := t.budget(c.Account)
		t.save(budgetKey, disbursement.GiveBack(budget, closed))
		return entry, err
	})
}

// Restore gives back to its budget line what a payout did not pay.
func (*Fund) Restore(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[fund.Restore], func(t *transaction, c fund.Restore) (tape.Entry, error) {
		holdKey, key, chunk := tape.HoldKey(c.Account, c.Hold), fund.RestoredKey(c.Account, c.Hold), tape.ChunkKey(c.Account, c.Disbursement, c.N)
		campaign, err := t.campaign(c.ID, c.Account, holdKey, key, chunk, fund.BudgetKey(c.Account), fund.DisbursementKey(c.Account, c.Disbursement))
		if err != nil {
			return tape.Entry{}, err
		}
		disbursement, err := t.disbursement(c.Account, c.Disbursement)
		if err != nil {
			return tape.Entry{}, err
		}
		hold, err := need[tape.Hold](t, holdKey, "payout "+c.Hold.String())
		if err != nil {
			return tape.Entry{}, err
		}
		budget, err := t.budget(c.Account)
		if err != nil {
			return tape.Entry{}, err
		}
		budget, restored, entry, err := campaign.Restore(c, disbursement, hold, read[tape.Chunk](t, chunk), read[fund.Restored](t, key), budget, t.context)
		t.save(fund.BudgetKey(c.Account), budget)
		t.save(key, restored)
		return entry, err
	})
}
