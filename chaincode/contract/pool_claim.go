package contract

import (
	"strings"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// poolGround is what a claim of a lender for a loan is judged by; since is the
// day of the default that a paid claim is for, none for the loan's last.
func (t *transaction) poolGround(p pool.Pool, lender string, scheme tape.AccountID, id tape.ID, since tape.Date) (pool.Ground, loan.Loan, error) {
	schemeKey, loanKey, last, consent := group.SchemeKey(scheme), loan.Key(scheme, id), recourse.LastCallKey(scheme, id), pool.ConsentKey(p.Account, lender, scheme, id)
	var g pool.Ground
	if err := t.load(schemeKey, loanKey, last, consent, pool.LenderKey(p.Account, lender)); err != nil {
		return g, loan.Loan{}, err
	}
	of, err := need[group.Scheme](t, schemeKey, "scheme "+scheme.String())
	if err != nil {
		return g, loan.Loan{}, err
	}
	l, err := need[loan.Loan](t, loanKey, "loan "+id.String())
	if err != nil {
		return g, l, err
	}
	if since != "" {
		l.Defaulted = since
	}
	g.Lender, g.Consent = read[pool.Lender](t, pool.LenderKey(p.Account, lender)), read[pool.Consent](t, consent)
	if l.Contract != nil && g.Lender != nil {
		n, _ := g.Lender.TermsOn(l.Contract.Date)
		if g.Terms, err = t.poolTerms(p.Account, n); err != nil {
			return g, l, err
		}
	}
	call, err := t.lastCall(l)
	if err != nil {
		return g, l, err
	}
	if g.Loan, err = l.Lost(lender, of, g.Terms.Terms.InterestDays, call, t.context.Date); err != nil {
		return g, l, err
	}
	if g.AtContract, err = t.snapshot(p, g.Loan, g.Loan.Contracted); err != nil {
		return g, l, err
	}
	g.AtDefault, err = t.snapshot(p, g.Loan, g.Loan.Defaulted)
	return g, l, err
}

// snapshot is a lender's book of the quarter before a day, nil where it is not frozen.
func (t *transaction) snapshot(p pool.Pool, l pool.Loan, day tape.Date) (*pool.Snapshot, error) {
	key := pool.SnapshotKey(p.Account, l.Lender, pool.QuarterBefore(day))
	if err := t.load(key); err != nil {
		return nil, err
	}
	return read[pool.Snapshot](t, key), nil
}

// SubmitPoolClaim asks a pool for compensation.
func (*Pool) SubmitPoolClaim(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c pool.SubmitClaim, intents []intent) (tape.Entry, error) {
		key := pool.ClaimKey(c.Account, c.Claim)
		p, err := t.pool(c.ID, c.Account, key)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.organised("submit-pool-claim", t.context.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		if err := c.Check(); err != nil {
			return tape.Entry{}, err
		}
		state := pool.SubmitState{Known: read[pool.Claim](t, key)}
		if state.Ground, _, err = t.poolGround(p, t.context.Organisation, c.Scheme, c.Loan, ""); err != nil {
			return tape.Entry{}, err
		}
		claimedKey := pool.ClaimedKey(c.Scheme, c.Loan, t.context.Organisation)
		if state.Last, err = t.lastClaim(claimedKey); err != nil {
			return tape.Entry{}, err
		}
		claim, claimed, entry, err := p.Submit(c, state, t.context)
		t.save(key, claim)
		t.save(claimedKey, claimed)
		return entry, err
	})
}

// lastClaim is a lender's last claim for a loan, in whichever pool.
func (t *transaction) lastClaim(key string) (*pool.Claim, error) {
	if err := t.load(key); err != nil {
		return nil, err
	}
	claimed := read[pool.Claimed](t, key)
	if claimed == nil {
		return nil, nil
	}
	of := pool.ClaimKey(claimed.Account, claimed.Claim)
	if err := t.load(of); err != nil {
		return nil, err
	}
	return read[pool.Claim](t, of), nil
}

// lastClaims are the last claims of a loan's lenders, in whichever pools.
func (t *transaction) lastClaims(l loan.Loan) ([]pool.Claim, error) {
	var claims []pool.Claim
	for _, lender := range l.Lenders {
		claim, err := t.lastClaim(pool.ClaimedKey(l.Scheme, l.ID, lender.Organisation))
		if err != nil {
			return nil, err
		}
		if claim != nil {
			claims = append(claims, *claim)
		}
	}
	return claims, nil
}

// claim loads the ground, a pool, one of its claims, and whatever else the rule reads.
func (t *transaction) claim(id tape.ID, account tape.AccountID, claim tape.ID, keys ...string) (pool.Pool, pool.Claim, error) {
	key := pool.ClaimKey(account, claim)
	p, err := t.pool(id, account, append(keys, key)...)
	if err != nil {
		return p, pool.Claim{}, err
	}
	found, err := need[pool.Claim](t, key, "claim "+claim.String())
	return p, found, err
}

// VerifyPoolClaim is the cooperative's word.
func (*Pool) VerifyPoolClaim(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c pool.Step, intents []intent) (tape.Entry, error) {
		p, claim, err := t.claim(c.ID, c.Account, c.Claim)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.said("verify-pool-claim", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		ground, _, err := t.poolGround(p, claim.Lender, claim.Scheme, claim.Loan, "")
		if err != nil {
			return tape.Entry{}, err
		}
		after, entry, err := claim.Verify(c, ground, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		return entry, t.saveClaim(claim, after)
	})
}

// ReviewPoolClaim is the beginning of the pool's review.
func (*Pool) ReviewPoolClaim(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c pool.Step, intents []intent) (tape.Entry, error) {
		p, claim, err := t.claim(c.ID, c.Account, c.Claim)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.said("review-pool-claim", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		after, entry, err := p.TakeUp(c, claim, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		return entry, t.saveClaim(claim, after)
	})
}

// ApprovePoolClaim promises a lender its compensation.
func (*Pool) ApprovePoolClaim(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c pool.Step, intents []intent) (tape.Entry, error) {
		p, claim, err := t.claim(c.ID, c.Account, c.Claim, tape.HeadKey(c.Account), pool.PromisedKey(c.Account))
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.poolStaff("approve-pool-claim", p.Keeper, p, claim, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		ground, _, err := t.poolGround(p, claim.Lender, claim.Scheme, claim.Loan, "")
		if err != nil {
			return tape.Entry{}, err
		}
		head, err := need[tape.Head](t, tape.HeadKey(c.Account), "the head of "+c.Account.String())
		if err != nil {
			return tape.Entry{}, err
		}
		left := read[pool.Promised](t, pool.PromisedKey(c.Account)).Left(money.New(head.Free().Total(), p.Currency))
		after, lender, entry, err := p.Approve(c, claim, ground, left, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.save(pool.LenderKey(c.Account, lender.Lender), lender)
		return entry, t.saveClaim(claim, after)
	})
}

// ReturnPoolClaim gives a claim back.
func (*Pool) ReturnPoolClaim(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c pool.Decline, intents []intent) (tape.Entry, error) {
		p, claim, err := t.claim(c.ID, c.Account, c.Claim)
		if err != nil {
			return tape.Entry{}, err
		}
		lender, err := t.poolLender(c.Account, claim.Lender)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.said("return-pool-claim", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		after, next, entry, err := p.Return(c, claim, lender, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		if next != nil {
			t.save(pool.LenderKey(c.Account, next.Lender), *next)
		}
		return entry, t.saveClaim(claim, after)
	})
}

// RejectPoolClaim ends a claim for good.
func (*Pool) RejectPoolClaim(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c pool.Decline, intents []intent) (tape.Entry, error) {
		p, claim, err := t.claim(c.ID, c.Account, c.Claim)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.poolStaff("reject-pool-claim", p.Keeper, p, claim, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		after, _, entry, err := p.Reject(c, claim, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		return entry, t.saveClaim(claim, after)
	})
}

// PayPoolClaim pays the compensation to the lender's account.
func (*Pool) PayPoolClaim(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[pool.Step], func(t *transaction, c pool.Step) (tape.Entry, error) {
		p, claim, err := t.claim(c.ID, c.Account, c.Claim)
		if err != nil {
			return tape.Entry{}, err
		}
		ground, _, err := t.poolGround(p, claim.Lender, claim.Scheme, claim.Loan, "")
		if err != nil {
			return tape.Entry{}, err
		}
		after, payment, entry, err := p.Pay(c, claim, ground.Loan, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.saveClaim(claim, after); err != nil {
			return tape.Entry{}, err
		}
		return t.poolSpends(c.Account, pool.Subject, payment, entry)
	})
}

// ShareRecovery gives the pool its part of what came on a loan that it compensated.
func (*Pool) ShareRecovery(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c pool.Recover, intents []intent) (tape.Entry, error) {
		p, claim, err := t.claim(c.ID, c.Account, c.Claim)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.signs("share-recovery", c.Account, c.Cost, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		ground, l, err := t.poolGround(p, claim.Lender, claim.Scheme, claim.Loan, claim.Defaulted)
		if err != nil {
			return tape.Entry{}, err
		}
		came, err := t.came(l, claim.Lender, c)
		if err != nil {
			return tape.Entry{}, err
		}
		after, shares, counted, entry, err := p.Recover(c, claim, ground.Loan, came, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		t.save(pool.CountedKey(c.Account, claim.Lender, c.Payment), counted)
		if err := t.saveClaim(claim, after); err != nil {
			return tape.Entry{}, err
		}
		if shares.ToPool == 0 {
			return entry, nil
		}
		payment := tape.Payment{Amount: money.New(shares.ToPool, p.Currency), Line: "recovery", To: c.Account}
		return t.poolSpends(ground.Loan.Account, loan.Subject, payment, entry)
	})
}

// came is what a lender got of a payment on a loan; nothing where none is named so.
func (t *transaction) came(l loan.Loan, lender string, c pool.Recover) (pool.Payment, error) {
	came, err := l.Came(lender, c.Payment)
	if err != nil || came.Source == "" {
		return came, err
	}
	parts := strings.Split(c.Payment, "/")
	entryKey, countedKey := tape.EntryKey(parts[0], tape.ID(parts[1])), pool.CountedKey(c.Account, lender, c.Payment)
	if err := t.load(entryKey, countedKey); err != nil {
		return came, err
	}
	entry, err := need[tape.Entry](t, entryKey, "entry "+parts[1])
	came.At, came.Counted = entry.At, read[pool.Counted](t, countedKey)
	return came, err
}

// ClosePoolClaim ends the sharing of a claim.
func (*Pool) ClosePoolClaim(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c pool.CloseClaim, intents []intent) (tape.Entry, error) {
		p, claim, err := t.claim(c.ID, c.Account, c.Claim)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.said("close-pool-claim", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		after, entry, err := p.Close(c, claim, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		return entry, t.saveClaim(claim, after)
	})
}
