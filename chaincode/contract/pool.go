package contract

import (
	"slices"
	"strings"

	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Pool is the contract of compensation pools.
type Pool struct{ contractapi.Contract }

// OpenPoolAccount opens an account for a pool: only the rules of pools spend it.
func (*Pool) OpenPoolAccount(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c tape.Open, intents []intent) (tape.Entry, error) {
		if err := t.ground(c.ID, openKeys(c)...); err != nil {
			return tape.Entry{}, err
		}
		if !strings.HasPrefix(string(c.Account), pool.Subject+":") {
			return tape.Entry{}, rule.Field("account", rule.Refuse(rule.Invalid, "%s is not of the kind %s", c.Account, pool.Subject))
		}
		if err := t.organised("open-pool-account", t.context.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		entry, err := t.open(c)
		entry.Kind = "open-pool-account"
		return entry, err
	})
}

// OpenPool makes a pool of an account.
func (*Pool) OpenPool(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c pool.OpenPool, intents []intent) (tape.Entry, error) {
		account, key := tape.AccountKey(c.Account), pool.PoolKey(c.Account)
		if err := t.ground(c.ID, account, key); err != nil {
			return tape.Entry{}, err
		}
		if err := t.organised("open-pool", t.context.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		p, terms, entry, err := c.Apply(read[tape.Account](t, account), read[pool.Pool](t, key), t.context)
		t.save(key, p)
		t.save(pool.TermsKey(c.Account, terms.N), terms)
		return entry, err
	})
}

// pool loads the ground, a pool, and whatever else the rule reads.
func (t *transaction) pool(id tape.ID, account tape.AccountID, keys ...string) (pool.Pool, error) {
	if err := t.ground(id, append(keys, pool.PoolKey(account))...); err != nil {
		return pool.Pool{}, err
	}
	return need[pool.Pool](t, pool.PoolKey(account), "pool "+account.String())
}

// AmendPool offers other terms.
func (*Pool) AmendPool(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c pool.AmendPool, intents []intent) (tape.Entry, error) {
		p, err := t.pool(c.ID, c.Account)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.organised("amend-pool", p.Keeper, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		p, terms, entry, err := p.Amend(c, t.context)
		t.save(pool.PoolKey(c.Account), p)
		t.save(pool.TermsKey(c.Account, terms.N), terms)
		return entry, err
	})
}

// AcceptPool is a lender's yes to a pool's terms.
func (*Pool) AcceptPool(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c pool.AcceptTerms, intents []intent) (tape.Entry, error) {
		p, err := t.pool(c.ID, c.Account)
		if err != nil {
			return tape.Entry{}, err
		}
		known, err := t.poolLender(c.Account, t.context.Organisation)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.organised("accept-pool", t.context.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		lender, entry, err := p.Accept(c, known, t.context)
		t.save(pool.LenderKey(c.Account, lender.Lender), lender)
		return entry, err
	})
}

// poolLender is a lender's contract with a pool, nil for none.
func (t *transaction) poolLender(account tape.AccountID, name string) (*pool.Lender, error) {
	key := pool.LenderKey(account, name)
	if err := t.load(key); err != nil {
		return nil, err
	}
	return read[pool.Lender](t, key), nil
}

// poolTerms are a version of a pool's terms, none where a lender is bound by none.
func (t *transaction) poolTerms(account tape.AccountID, n int32) (pool.TermsRecord, error) {
	key := pool.TermsKey(account, n)
	if err := t.load(key); err != nil {
		return pool.TermsRecord{}, err
	}
	if found := read[pool.TermsRecord](t, key); found != nil {
		return *found, nil
	}
	return pool.TermsRecord{}, nil
}

// FreezeQuarter fixes a lender's book at a quarter's end.
func (*Pool) FreezeQuarter(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c pool.Freeze, intents []intent) (tape.Entry, error) {
		snapshotKey := pool.SnapshotKey(c.Account, c.Lender, c.Quarter)
		p, err := t.pool(c.ID, c.Account, snapshotKey, pool.LenderKey(c.Account, c.Lender))
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.said("freeze-quarter", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		lender := read[pool.Lender](t, pool.LenderKey(c.Account, c.Lender))
		var terms pool.TermsRecord
		if lender != nil {
			if terms, err = t.poolTerms(c.Account, lender.Accepted[len(lender.Accepted)-1].N); err != nil {
				return tape.Entry{}, err
			}
		}
		loans, found, err := t.lent(p, c, lender)
		if err != nil {
			return tape.Entry{}, err
		}
		snapshot, next, entry, err := p.Freeze(c, lender, terms, found, read[pool.Snapshot](t, snapshotKey), t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.save(snapshotKey, snapshot)
		t.save(pool.LenderKey(c.Account, c.Lender), next)
		for _, key := range loan.LentKeys(c.Lender) {
			if list := read[loan.Lent](t, key); list != nil {
				if less, changed := list.Less(loans, c.Quarter, entry); changed {
					t.save(key, less)
				}
			}
		}
		return entry, nil
	})
}

// lent are all loans of a lender that a pool covers, and what they come to at a
// quarter's end; nothing is read for a command that the rule refuses anyway.
func (t *transaction) lent(p pool.Pool, c pool.Freeze, lender *pool.Lender) (map[string]loan.Loan, pool.Figures, error) {
	if err := rule.Field("quarter", c.Quarter.Check()); err != nil {
		return nil, pool.Figures{}, err
	}
	if lender == nil || c.Quarter >= t.context.Date {
		return nil, pool.Figures{}, nil
	}
	lists := loan.LentKeys(c.Lender)
	if err := t.load(lists...); err != nil {
		return nil, pool.Figures{}, err
	}
	var keys []string
	for _, key := range lists {
		if list := read[loan.Lent](t, key); list != nil {
			keys = append(keys, list.Loans...)
		}
	}
	for part := range slices.Chunk(keys, keysMax) {
		if err := t.load(part...); err != nil {
			return nil, pool.Figures{}, err
		}
	}
	loans, byKey := make([]loan.Loan, len(keys)), map[string]loan.Loan{}
	for i, key := range keys {
		one, err := need[loan.Loan](t, key, key)
		if err != nil {
			return nil, pool.Figures{}, err
		}
		loans[i], byKey[key] = one, one
	}
	found, err := loan.Figures(c.Lender, p.Currency, loans, c.Quarter)
	return byKey, found, err
}

// AdmitPoolLoan is a pool's consent to one new loan.
func (*Pool) AdmitPoolLoan(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c pool.AdmitLoan, intents []intent) (tape.Entry, error) {
		key, lender := pool.ConsentKey(c.Account, c.Lender, c.Scheme, c.Loan), pool.LenderKey(c.Account, c.Lender)
		p, err := t.pool(c.ID, c.Account, key, lender)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.organised("admit-pool-loan", p.Keeper, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		consent, entry, err := p.Admit(c, read[pool.Lender](t, lender), read[pool.Consent](t, key), t.context)
		t.save(key, consent)
		return entry, err
	})
}

// poolStaff judges the intents of what a maker and a checker decide about a
// claim: the amount that they sign is the loss that it is for.
func (t *transaction) poolStaff(action, owner string, p pool.Pool, c pool.Claim, entry tape.ID, intents []intent) error {
	return t.approve(action, tape.Account{ID: p.Account, Organisation: owner}, money.New(c.Eligible, p.Currency), entry, intents)
}

// saveClaim saves a claim, and what the pool has promised where that changes.
func (t *transaction) saveClaim(before, after pool.Claim) error {
	t.save(pool.ClaimKey(after.Account, after.ID), after)
	key := pool.PromisedKey(after.Account)
	if err := t.load(key); err != nil {
		return err
	}
	known := read[pool.Promised](t, key)
	if next := known.After(before, after); known == nil && next.Units != 0 || known != nil && known.Units != next.Units {
		t.save(key, next)
	}
	return nil
}

// poolSpends pays out of an account by the rules that govern it.
func (t *transaction) poolSpends(account tape.AccountID, subject string, payment tape.Payment, entry tape.Entry) (tape.Entry, error) {
	if err := t.load(tape.AccountKey(account)); err != nil {
		return entry, err
	}
	t.context.Subject = subject
	return t.handOn(account, []tape.Payment{payment}, entry)
}
