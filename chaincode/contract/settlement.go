package contract

import (
	"slices"

	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Settlement is the contract of sales that repay loans first.
type Settlement struct{ contractapi.Contract }

// OpenSettlement moves a sale's proceeds off the scheme's account.
func (*Settlement) OpenSettlement(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c settlement.OpenSettlement, intents []intent) (tape.Entry, error) {
		key, saleKey, jobKey := settlement.Key(c.Account, c.Sale), harvest.SaleKey(c.Account, c.Sale), tape.JobKey(c.Account, c.ID)
		scheme, err := t.scheme(c.ID, c.Account, key, saleKey, jobKey, settlement.WaitingKey(c.Account), tape.AccountKey(c.Account), tape.HeadKey(c.Account))
		if err != nil {
			return tape.Entry{}, err
		}
		account, head, err := t.accountAndHead(c.Account)
		if err != nil {
			return tape.Entry{}, err
		}
		reads, err := t.opening(scheme, c.Sale, money.New(head.Free().Total(), account.Currency))
		if err != nil {
			return tape.Entry{}, err
		}
		opened, entry, err := c.Open(reads, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.approve("open-settlement", account, opened.Job.Amount, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		if err := rule.First(opened.Job.Check(account.Currency), t.absent(jobKey, "job "+c.ID.String())); err != nil {
			return tape.Entry{}, err
		}
		moved, job, _, err := head.OpenJob(account, opened.Job, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.changeHead(head, moved)
		t.change(jobKey, nil, job)
		t.protect(jobKey, account.Organisation)
		t.saveSettlement(opened.Settlement, opened.Sale, opened.Waiting)
		return entry, nil
	})
}

// opening reads what a settlement is opened with: the sale and all its pages.
func (t *transaction) opening(scheme group.Scheme, id tape.ID, free money.Amount) (settlement.Opening, error) {
	o := settlement.Opening{Scheme: scheme, Known: read[settlement.Settlement](t, settlement.Key(scheme.Account, id)), Free: free,
		Waiting: read[settlement.Waiting](t, settlement.WaitingKey(scheme.Account))}
	var err error
	if o.Sale, err = need[harvest.Sale](t, harvest.SaleKey(scheme.Account, id), "sale "+id.String()); err != nil {
		return o, err
	}
	pages := make([]string, o.Sale.Composition.Pages)
	for n := range pages {
		pages[n] = harvest.ShareKey(scheme.Account, id, int32(n))
	}
	if err := t.load(pages...); err != nil {
		return o, err
	}
	for _, key := range pages {
		page, err := need[harvest.Page](t, key, key)
		if err != nil {
			return o, err
		}
		o.Shares = append(o.Shares, page.Shares...)
	}
	o.Version, err = t.version(scheme.Account, scheme.Version)
	return o, err
}

// saveSettlement saves a settlement that begins or ends, with its sale and what
// waits, nil where that does not change.
func (t *transaction) saveSettlement(s settlement.Settlement, sale harvest.Sale, waiting *settlement.Waiting) {
	t.save(settlement.Key(s.Scheme, s.Sale), s)
	t.save(harvest.SaleKey(s.Scheme, s.Sale), sale)
	if waiting != nil {
		t.save(settlement.WaitingKey(s.Scheme), *waiting)
	}
}

// SettleHouseholds settles one chunk of a sale.
func (*Settlement) SettleHouseholds(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[settlement.SettleHouseholds], func(t *transaction, c settlement.SettleHouseholds) (tape.Entry, error) {
		_, account, s, err := t.settlement(c.ID, c.Account, c.Sale)
		if err != nil {
			return tape.Entry{}, err
		}
		entry := t.context.Entry(c.ID, "settle-households", string(c.Account))
		settled, err := t.settled(s, c, entry)
		if err != nil {
			return tape.Entry{}, err
		}
		ran, err := t.runPart(account, s.Job, settled.Part)
		if err != nil {
			return tape.Entry{}, err
		}
		ran.Kind = entry.Kind
		return ran, t.repaid(settled, entry)
	})
}

// settled works a chunk out, with the households of its page.
func (t *transaction) settled(s settlement.Settlement, c settlement.SettleHouseholds, entry tape.Entry) (settlement.Settled, error) {
	page := s.Page(c.N)
	if page < 0 {
		return s.PayCosts(c)
	}
	pageKey := harvest.ShareKey(c.Account, c.Sale, page)
	if err := t.load(pageKey); err != nil {
		return settlement.Settled{}, err
	}
	shares := read[harvest.Page](t, pageKey)
	if shares == nil {
		shares = &harvest.Page{} // a number that is no chunk's is refused by the rule
	}
	known, calls, err := t.known(c.Account, s.Of(c.N, *shares))
	if err != nil {
		return settlement.Settled{}, err
	}
	return s.Settle(c, *shares, known, calls, entry)
}

// known is what the ledger knows of some households, in their order, and the calls by which they owe.
func (t *transaction) known(scheme tape.AccountID, of harvest.Shares) ([]settlement.Known, settlement.Calls, error) {
	known := make([]settlement.Known, len(of))
	fingerprints, err := t.memberOf(scheme, of, known)
	if err != nil {
		return nil, nil, err
	}
	for i, fingerprint := range fingerprints {
		if fingerprint == "" {
			continue
		}
		loans, err := t.ownLoans(fingerprint)
		if err != nil {
			return nil, nil, err
		}
		known[i].Loans = slices.DeleteFunc(loans, func(l loan.Loan) bool {
			return l.Scheme != scheme || l.State != loan.Running || l.Household != of[i].Household
		})
	}
	if err := t.compensated(known); err != nil {
		return nil, nil, err
	}
	calls, err := t.calls(scheme, of, fingerprints, known)
	return known, calls, err
}

// memberOf loads what is known of households of a scheme, in few round trips, and
// returns their fingerprints; none for who is no member. What they chose stands in known then.
func (t *transaction) memberOf(scheme tape.AccountID, of harvest.Shares, known []settlement.Known) ([]string, error) {
	var keys []string
	for _, share := range of {
		keys = append(keys, group.MemberKey(scheme, share.Household), settlement.PrepaymentKey(scheme, share.Household))
	}
	if err := t.load(keys...); err != nil {
		return nil, err
	}
	fingerprints, debts := make([]string, len(of)), []string{}
	for i := range of {
		known[i].Prepayment = read[settlement.Prepayment](t, keys[2*i+1])
		if member := read[group.Member](t, keys[2*i]); member != nil {
			fingerprints[i] = member.Fingerprint
			debts = append(debts, loan.DebtsKey(member.Fingerprint))
		}
	}
	if err := t.load(debts...); err != nil {
		return nil, err
	}
	return fingerprints, t.load(t.loanKeys(fingerprints)...)
}

// calls are those of a scheme by which households owe, each once; whose debts were loaded.
func (t *transaction) calls(scheme tape.AccountID, of harvest.Shares, fingerprints []string, known []settlement.Known) (settlement.Calls, error) {
	var keys []string
	for i, fingerprint := range fingerprints {
		known[i].Calls = t.calledBy(fingerprint, of[i].Household)
		keys = append(keys, known[i].Calls...)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	if err := t.load(keys...); err != nil {
		return nil, err
	}
	var calls settlement.Calls
	for _, key := range keys {
		call, err := need[recourse.Call](t, key, key)
		if err != nil {
			return nil, err
		}
		if call.Scheme == scheme {
			calls = append(calls, call)
		}
	}
	return calls, nil
}

// calledBy are the keys of the calls that are not closed and name a household, whose debts were loaded.
func (t *transaction) calledBy(fingerprint string, household tape.AccountID) []string {
	if fingerprint == "" {
		return nil
	}
	debts := read[loan.Debts](t, loan.DebtsKey(fingerprint))
	if debts == nil {
		return nil
	}
	var keys []string
	for _, called := range debts.Calls {
		if called.Household == household {
			keys = append(keys, called.Call)
		}
	}
	return keys
}

// compensated adds the claims of lenders for loans of households that pools have paid
// and share in. Where several lend together each shares what it got by a command of its own.
func (t *transaction) compensated(known []settlement.Known) error {
	var keys []string
	for _, one := range known {
		for _, l := range one.Loans {
			if key := claimedKey(l); key != "" {
				keys = append(keys, key)
			}
		}
	}
	if err := t.load(keys...); err != nil {
		return err
	}
	for i, one := range known {
		for _, l := range one.Loans {
			paid, err := t.compensation(l)
			if err != nil {
				return err
			}
			known[i].Compensated = append(known[i].Compensated, paid...)
		}
	}
	return nil
}

// compensation is the claim for a loan that a pool has paid and shares in; none where it does not.
func (t *transaction) compensation(l loan.Loan) ([]settlement.Compensated, error) {
	key := claimedKey(l)
	if key == "" {
		return nil, nil
	}
	claim, err := t.lastClaim(key)
	if err != nil || claim == nil || claim.State != pool.Paid && claim.State != pool.Sharing {
		return nil, err
	}
	terms, err := t.poolTerms(claim.Account, claim.Terms)
	return []settlement.Compensated{{Claim: *claim, InterestDays: terms.Terms.InterestDays}}, err
}

// claimedKey is where the last claim for a loan of one lender stands; empty for one
// that was never overdue when something was paid of it, and is in no default.
func claimedKey(l loan.Loan) string {
	if len(l.Lenders) != 1 || l.Defaulted == "" && l.LastOverdue == "" {
		return ""
	}
	return pool.ClaimedKey(l.Scheme, l.ID, l.Lenders[0].Organisation)
}

// loanKeys are the open loans of households; their debts were loaded.
func (t *transaction) loanKeys(fingerprints []string) []string {
	var keys []string
	for _, fingerprint := range fingerprints {
		if fingerprint == "" {
			continue
		}
		if debts := read[loan.Debts](t, loan.DebtsKey(fingerprint)); debts != nil {
			keys = append(keys, debts.Loans...)
		}
	}
	return keys
}

// runPart lets the job pay a chunk whose lines were worked out.
func (t *transaction) runPart(account tape.Account, jobID tape.ID, part tape.Part) (tape.Entry, error) {
	jobKey := tape.JobKey(account.ID, jobID)
	if err := t.load(jobKey, tape.ChunkKey(account.ID, jobID, part.N)); err != nil {
		return tape.Entry{}, err
	}
	job, err := need[tape.Job](t, jobKey, "job "+jobID.String())
	if err != nil {
		return tape.Entry{}, err
	}
	_, entry, err := t.payPart(account, job, part)
	return entry, err
}

// payPart lets a job pay one of its chunks, which was loaded.
func (t *transaction) payPart(account tape.Account, job tape.Job, part tape.Part) (tape.Ran, tape.Entry, error) {
	chunkKey, payees := tape.ChunkKey(account.ID, job.ID, part.N), payeesOf(part.Lines)
	if err := t.load(onLedger(payees)...); err != nil {
		return tape.Ran{}, tape.Entry{}, err
	}
	accounts := make([]*tape.Account, len(payees))
	for i, payee := range payees {
		if !payee.Outside() {
			accounts[i] = read[tape.Account](t, tape.AccountKey(payee))
		}
	}
	ran, entry, err := job.RunPart(account, part, read[tape.Chunk](t, chunkKey), accounts, t.context)
	if err != nil {
		return ran, tape.Entry{}, err
	}
	t.change(chunkKey, nil, ran.Chunk)
	t.saveInflows(ran.Inflows)
	t.saveHolds(account.Organisation, ran.Holds)
	return ran, entry, nil
}

// onLedger are the keys of the accounts among payees, each once.
func onLedger(payees []tape.AccountID) []string {
	var keys []string
	for _, payee := range payees {
		if key := tape.AccountKey(payee); !payee.Outside() && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// repaid saves the loans that a chunk has paid and the calls that it has changed,
// and takes what is over off everybody's debts.
func (t *transaction) repaid(settled settlement.Settled, entry tape.Entry) error {
	if err := t.load(repaidKeys(settled)...); err != nil {
		return err
	}
	for _, l := range settled.Loans {
		t.saveLoan(l)
		if l.State != loan.Closed {
			continue
		}
		if err := t.end(l, entry); err != nil {
			return err
		}
	}
	for _, sold := range settled.Claims {
		if err := t.shares(sold); err != nil {
			return err
		}
	}
	for _, call := range settled.Calls {
		l, err := need[loan.Loan](t, loan.Key(call.Scheme, call.Loan), "loan "+call.Loan.String())
		if err != nil {
			return err
		}
		if err := t.saveCall(l, call, entry); err != nil {
			return err
		}
	}
	return nil
}

// shares saves what a sale has paid to a pool, and notes the payments that are counted for its claim.
func (t *transaction) shares(sold pool.Sold) error {
	key := pool.ClaimKey(sold.Claim.Account, sold.Claim.ID)
	before, err := need[pool.Claim](t, key, key)
	if err != nil {
		return err
	}
	for _, source := range sold.Sources {
		t.save(pool.CountedKey(sold.Claim.Account, sold.Claim.Lender, source), sold.Counted)
	}
	return t.saveClaim(before, sold.Claim)
}

// repaidKeys are what a chunk reads of what it has paid, in one round trip.
func repaidKeys(settled settlement.Settled) []string {
	var keys []string
	for _, call := range settled.Calls {
		keys = append(keys, loan.Key(call.Scheme, call.Loan))
	}
	for _, l := range settled.Loans {
		if l.State != loan.Closed {
			continue
		}
		keys = append(keys, loan.DebtsKey(l.Fingerprint))
		for _, g := range l.Guarantors {
			keys = append(keys, loan.DebtsKey(g.Fingerprint))
		}
	}
	return keys
}

// CloseSettlement ends a settlement whose chunks have all run.
func (*Settlement) CloseSettlement(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[settlement.CloseSettlement], func(t *transaction, c settlement.CloseSettlement) (tape.Entry, error) {
		_, account, s, err := t.settlement(c.ID, c.Account, c.Sale)
		if err != nil {
			return tape.Entry{}, err
		}
		job := tape.CloseJob{Account: c.Account, ID: c.ID, Job: s.Job}
		if err := t.load(closeKeys(job)...); err != nil {
			return tape.Entry{}, err
		}
		_, entry, err := t.closeJob(account, job)
		if err != nil {
			return tape.Entry{}, err
		}
		entry.Kind = "close-settlement"
		t.save(settlement.Key(c.Account, c.Sale), s.Close(entry))
		return entry, nil
	})
}

// settlement loads the ground, a scheme with its account, a sale's settlement, and whatever else the rule reads.
func (t *transaction) settlement(id tape.ID, account tape.AccountID, sale tape.ID, keys ...string) (group.Scheme, tape.Account, settlement.Settlement, error) {
	key := settlement.Key(account, sale)
	scheme, err := t.scheme(id, account, append(keys, key, tape.AccountKey(account))...)
	if err != nil {
		return scheme, tape.Account{}, settlement.Settlement{}, err
	}
	s, err := need[settlement.Settlement](t, key, "the settlement of "+sale.String())
	if err != nil {
		return scheme, tape.Account{}, s, err
	}
	own, err := need[tape.Account](t, tape.AccountKey(account), "account "+account.String())
	return scheme, own, s, err
}

// AbandonSettlement gives back what no chunk has settled.
func (*Settlement) AbandonSettlement(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c settlement.AbandonSettlement, intents []intent) (tape.Entry, error) {
		saleKey, waitingKey := harvest.SaleKey(c.Account, c.Sale), settlement.WaitingKey(c.Account)
		scheme, account, s, err := t.settlement(c.ID, c.Account, c.Sale, saleKey, waitingKey)
		if err != nil {
			return tape.Entry{}, err
		}
		sale, err := need[harvest.Sale](t, saleKey, "sale "+c.Sale.String())
		if err != nil {
			return tape.Entry{}, err
		}
		give := c.Job(s)
		if err := t.load(closeKeys(give)...); err != nil {
			return tape.Entry{}, err
		}
		job, _, err := t.closeJob(account, give)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.approve("abandon-settlement", account, job.Amount, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		ran, err := t.chunks(job)
		if err != nil {
			return tape.Entry{}, err
		}
		after, sale, waiting, entry, err := s.Abandon(c, scheme, sale, job, ran, read[settlement.Waiting](t, waitingKey), t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.saveSettlement(after, sale, waiting)
		return entry, nil
	})
}

// PayAgain orders a payout again that came back.
func (*Settlement) PayAgain(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c settlement.PayAgain, intents []intent) (tape.Entry, error) {
		againKey, jobKey, chunkKey := settlement.AgainKey(c.Account, c.Hold), tape.JobKey(c.Account, c.ID), tape.ChunkKey(c.Account, c.ID, 0)
		scheme, account, s, err := t.settlement(c.ID, c.Account, c.Sale, againKey, jobKey, chunkKey, tape.HeadKey(c.Account))
		if err != nil {
			return tape.Entry{}, err
		}
		came, err := t.cameBack(c)
		if err != nil {
			return tape.Entry{}, err
		}
		entry := t.context.Entry(c.ID, "pay-again", string(c.Account))
		again, err := s.Again(c, scheme, came, entry, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.approve("pay-again", account, again.Job.Amount, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		holds, paid, err := t.payAtOnce(account, again.Job, again.Settled.Part)
		if err != nil {
			return tape.Entry{}, err
		}
		t.save(againKey, again.Before)
		for _, hold := range holds {
			t.save(settlement.AgainKey(c.Account, hold.ID), again.After)
		}
		t.save(settlement.WaitingKey(c.Account), again.Waiting)
		paid.Kind = entry.Kind
		return paid, t.repaid(again.Settled, entry)
	})
}

// cameBack is a payout that came back, and the household that it was for.
func (t *transaction) cameBack(c settlement.PayAgain) (settlement.CameBack, error) {
	var came settlement.CameBack
	holdKey, pageKey, waitingKey := tape.HoldKey(c.Account, c.Hold), harvest.ShareKey(c.Account, c.Sale, c.Page), settlement.WaitingKey(c.Account)
	if err := t.load(holdKey, pageKey, waitingKey); err != nil {
		return came, err
	}
	came.Of, came.Waiting = read[settlement.Again](t, settlement.AgainKey(c.Account, c.Hold)), read[settlement.Waiting](t, waitingKey)
	var err error
	if came.Hold, err = need[tape.Hold](t, holdKey, "payout "+c.Hold.String()); err != nil {
		return came, err
	}
	if !came.Own() {
		return came, nil
	}
	if came.Page, err = need[harvest.Page](t, pageKey, "a page of sale "+c.Sale.String()+" of that number"); err != nil {
		return came, err
	}
	share, err := came.Whose()
	if err != nil {
		return came, err
	}
	known, calls, err := t.known(c.Account, harvest.Shares{share})
	if err != nil {
		return came, err
	}
	came.Known, came.Calls = known[0], calls
	return came, nil
}

// waits notes that something of payouts of a sale has come back to a scheme's account.
func (t *transaction) waits(account tape.Account, before, after []tape.Hold, entry tape.Entry) error {
	if account.Subject != group.Subject {
		return nil
	}
	key := settlement.WaitingKey(account.ID)
	if err := t.load(key); err != nil {
		return err
	}
	if next := read[settlement.Waiting](t, key).Comes(before, after, entry); next != nil {
		t.save(key, *next)
	}
	return nil
}

// payAtOnce opens a job of one chunk, runs it and closes it: its records and the
// head were loaded.
func (t *transaction) payAtOnce(account tape.Account, open tape.OpenJob, part tape.Part) ([]tape.Hold, tape.Entry, error) {
	refuse := func(err error) ([]tape.Hold, tape.Entry, error) { return nil, tape.Entry{}, err }
	jobKey := tape.JobKey(open.Account, open.ID)
	head, err := need[tape.Head](t, tape.HeadKey(open.Account), "the head of "+open.Account.String())
	if err != nil {
		return refuse(err)
	}
	if err := rule.First(open.Check(account.Currency), t.absent(jobKey, "job "+open.ID.String())); err != nil {
		return refuse(err)
	}
	moved, job, _, err := head.OpenJob(account, open, t.context)
	if err != nil {
		return refuse(err)
	}
	ran, entry, err := t.payPart(account, job, part)
	if err != nil {
		return refuse(err)
	}
	closed, _, _, err := job.Close(account, head, tape.CloseJob{Account: open.Account, ID: open.ID, Job: open.ID}, []tape.Chunk{ran.Chunk}, t.context)
	if err != nil {
		return refuse(err)
	}
	t.changeHead(head, moved)
	t.change(jobKey, nil, closed)
	t.protect(jobKey, account.Organisation)
	return ran.Holds, entry, nil
}

// ChoosePrepayment is a household's word on what sales pay of its loan early.
func (*Settlement) ChoosePrepayment(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c settlement.ChoosePrepayment, intents []intent) (tape.Entry, error) {
		member := group.MemberKey(c.Account, c.Household)
		_, l, err := t.loan(c.ID, c.Account, c.Loan, member)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.signs("choose-prepayment", c.Account, c.Amount, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		choice, entry, err := c.Choose(read[group.Member](t, member), l, t.context)
		t.save(settlement.PrepaymentKey(c.Account, c.Household), choice)
		return entry, err
	})
}
