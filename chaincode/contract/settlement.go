package contract

import (
	"slices"

	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
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
		scheme, err := t.scheme(c.ID, c.Account, key, saleKey, jobKey, tape.AccountKey(c.Account), tape.HeadKey(c.Account))
		if err != nil {
			return tape.Entry{}, err
		}
		sale, err := need[harvest.Sale](t, saleKey, "sale "+c.Sale.String())
		if err != nil {
			return tape.Entry{}, err
		}
		version, err := t.version(c.Account, scheme.Version)
		if err != nil {
			return tape.Entry{}, err
		}
		account, head, err := t.accountAndHead(c.Account)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.approve("open-settlement", account, sale.Proceeds, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		s, after, open, entry, err := c.Open(scheme, version, sale, read[settlement.Settlement](t, key), t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := rule.First(open.Check(account.Currency), t.absent(jobKey, "job "+c.ID.String())); err != nil {
			return tape.Entry{}, err
		}
		moved, job, _, err := head.OpenJob(account, open, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.changeHead(head, moved)
		t.change(jobKey, nil, job)
		t.protect(jobKey, account.Organisation)
		t.save(key, s)
		t.save(saleKey, after)
		return entry, nil
	})
}

// SettleHouseholds settles one chunk of a sale.
func (*Settlement) SettleHouseholds(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[settlement.SettleHouseholds], func(t *transaction, c settlement.SettleHouseholds) (tape.Entry, error) {
		key := settlement.Key(c.Account, c.Sale)
		if _, err := t.scheme(c.ID, c.Account, key, tape.AccountKey(c.Account)); err != nil {
			return tape.Entry{}, err
		}
		s, err := need[settlement.Settlement](t, key, "the settlement of "+c.Sale.String())
		if err != nil {
			return tape.Entry{}, err
		}
		account, err := need[tape.Account](t, tape.AccountKey(c.Account), "account "+c.Account.String())
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
	known, err := t.known(c.Account, *shares)
	if err != nil {
		return settlement.Settled{}, err
	}
	return s.Settle(c, *shares, known, entry)
}

// known is what the ledger knows of the households of a page, in their order.
func (t *transaction) known(scheme tape.AccountID, page harvest.Page) ([]settlement.Known, error) {
	var keys []string
	for _, share := range page.Shares {
		keys = append(keys, group.MemberKey(scheme, share.Household), settlement.PrepaymentKey(scheme, share.Household))
	}
	if err := t.load(keys...); err != nil {
		return nil, err
	}
	fingerprints, debts := make([]string, len(page.Shares)), []string{}
	known := make([]settlement.Known, len(page.Shares))
	for i := range page.Shares {
		known[i].Prepayment = read[settlement.Prepayment](t, keys[2*i+1])
		if member := read[group.Member](t, keys[2*i]); member != nil {
			fingerprints[i] = member.Fingerprint
			debts = append(debts, loan.DebtsKey(member.Fingerprint))
		}
	}
	if err := t.load(debts...); err != nil {
		return nil, err
	}
	if err := t.load(t.loanKeys(fingerprints)...); err != nil {
		return nil, err
	}
	for i, fingerprint := range fingerprints {
		if fingerprint == "" {
			continue
		}
		loans, err := t.ownLoans(fingerprint)
		if err != nil {
			return nil, err
		}
		known[i].Loans = slices.DeleteFunc(loans, func(l loan.Loan) bool {
			return l.Scheme != scheme || l.State != loan.Running || l.Household != page.Shares[i].Household
		})
	}
	return known, nil
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
	jobKey, chunkKey := tape.JobKey(account.ID, jobID), tape.ChunkKey(account.ID, jobID, part.N)
	payees := payeesOf(part.Lines)
	if err := t.load(append(onLedger(payees), jobKey, chunkKey)...); err != nil {
		return tape.Entry{}, err
	}
	job, err := need[tape.Job](t, jobKey, "job "+jobID.String())
	if err != nil {
		return tape.Entry{}, err
	}
	accounts := make([]*tape.Account, len(payees))
	for i, payee := range payees {
		if !payee.Outside() {
			accounts[i] = read[tape.Account](t, tape.AccountKey(payee))
		}
	}
	ran, entry, err := job.RunPart(account, part, read[tape.Chunk](t, chunkKey), accounts, t.context)
	if err != nil {
		return tape.Entry{}, err
	}
	t.change(chunkKey, nil, ran.Chunk)
	t.saveInflows(ran.Inflows)
	t.saveHolds(account.Organisation, ran.Holds)
	return entry, nil
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

// repaid saves the loans that a chunk has paid, lets that count for calls of their
// guarantors, and takes loans that are over off everybody's debts.
func (t *transaction) repaid(settled settlement.Settled, entry tape.Entry) error {
	if err := t.load(repaidKeys(settled.Loans)...); err != nil {
		return err
	}
	for _, l := range settled.Loans {
		before, err := need[loan.Loan](t, l.Reference(), l.Reference())
		if err != nil {
			return err
		}
		t.saveLoan(l)
		if err := t.counts(before, l, loan.Pays{}, entry); err != nil {
			return err
		}
		if l.State != loan.Closed {
			continue
		}
		if err := t.end(l, entry); err != nil {
			return err
		}
	}
	return nil
}

// repaidKeys are what a chunk reads of loans that it has paid, in one round trip.
func repaidKeys(loans []loan.Loan) []string {
	var keys []string
	for _, l := range loans {
		keys = append(keys, recourse.LastCallKey(l.Scheme, l.ID))
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
		key := settlement.Key(c.Account, c.Sale)
		if _, err := t.scheme(c.ID, c.Account, key, tape.AccountKey(c.Account)); err != nil {
			return tape.Entry{}, err
		}
		s, err := need[settlement.Settlement](t, key, "the settlement of "+c.Sale.String())
		if err != nil {
			return tape.Entry{}, err
		}
		account, err := need[tape.Account](t, tape.AccountKey(c.Account), "account "+c.Account.String())
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
		t.save(key, s.Close(entry))
		return entry, nil
	})
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
