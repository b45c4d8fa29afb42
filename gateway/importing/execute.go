package importing

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/statement"
)

// note keeps a line whose memo names payouts, as it stands on its page.
func (j *job) note(p *page, l statement.Line) {
	names := payoutsIn(l)
	if len(names) == 0 {
		return
	}
	index := len(p.lines) - 1
	line := p.lines[index]
	j.movements = append(j.movements, movement{number: l.Number, page: p.n, index: index, side: p.side(), date: line.Date, amount: line.Amount, names: names})
}

// execute pays and takes back what the memos of the statement's lines name.
// What is left to do follows from the ledger, not from what an earlier run has
// noted: so a run that was killed, or comes late, does the rest and nothing twice.
func (j *job) execute(ctx context.Context) (sorted, error) {
	if len(j.movements) == 0 {
		return sorted{}, nil
	}
	j.progress.stage(Executing)
	slices.SortFunc(j.movements, func(a, b movement) int { return a.number - b.number })
	for begun := time.Now(); ; {
		found, err := j.know(ctx, j.Bank)
		if err != nil {
			return sorted{}, err
		}
		s := found.sort(j.movements)
		if len(s.execute)+len(s.back) == 0 {
			return s, j.restore(ctx, found, s.done)
		}
		j.moved = true
		err = j.pay(ctx, s)
		// Somebody else was quicker, or this gateway's peer is behind: look again.
		var refusal *rule.Refusal
		again := errors.As(err, &refusal) && (refusal.Code == rule.WrongState || refusal.Code == rule.NotFound || refusal.Code == rule.Insufficient)
		if err != nil && (!again || time.Since(begun) > settlePatience) {
			return sorted{}, err
		}
		if err == nil {
			continue
		}
		select {
		case <-time.After(settlePause):
		case <-ctx.Done():
			return sorted{}, ctx.Err()
		}
	}
}

// know asks a gateway what stands on the ledger, as of what this import has written.
func (j *job) know(ctx context.Context, side Side) (known, error) {
	k := known{payouts: map[donation.PayoutReference][]readmodel.Payout{}, here: map[tape.AccountID]bool{}, used: map[int32]map[int]bool{}}
	var names []donation.PayoutReference
	pages := map[int32]bool{}
	seen := map[donation.PayoutReference]bool{}
	for _, m := range j.movements {
		pages[m.page] = true
		if name := m.names[0]; !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	var mutex sync.Mutex
	work, working := errgroup.WithContext(ctx)
	work.SetLimit(j.PagesInFlight)
	for part := range slices.Chunk(names, readmodel.ReferencesMost) {
		work.Go(func() error {
			found, err := side.Gateway.Payouts(working, part, j.position)
			mutex.Lock()
			defer mutex.Unlock()
			for _, r := range found {
				k.payouts[r.Reference] = r.Payouts
			}
			return err
		})
	}
	for n := range pages {
		work.Go(func() error {
			used, err := side.Gateway.UsedLines(working, j.plan.BankAccount, j.plan.Statement, n, j.position)
			mutex.Lock()
			defer mutex.Unlock()
			k.used[n] = used
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return k, err
	}
	return k, j.placed(ctx, side, k)
}

// placed finds the accounts whose money is at the statement's bank account.
func (j *job) placed(ctx context.Context, side Side, k known) error {
	for _, payouts := range k.payouts {
		for _, p := range payouts {
			if _, asked := k.here[p.Account]; asked {
				continue
			}
			account, err := side.Gateway.Account(ctx, p.Account)
			if err != nil {
				return err
			}
			k.here[p.Account] = account.Custodian == j.plan.BankAccount
		}
	}
	return nil
}

// pay sends what is to be done, batches side by side; what comes back goes one
// by one, because it is laid on the head of its account.
func (j *job) pay(ctx context.Context, s sorted) error {
	bodies := map[int32][]tape.Line{}
	for _, d := range append(slices.Clone(s.execute), s.back...) {
		if bodies[d.page] != nil {
			continue
		}
		lines, err := j.Bank.Gateway.Lines(ctx, j.plan.BankAccount, j.plan.Statement, d.page)
		if err != nil {
			return err
		}
		bodies[d.page] = lines
	}
	work, working := errgroup.WithContext(ctx)
	work.SetLimit(j.PagesInFlight)
	for _, b := range batches(s.execute) {
		work.Go(func() error {
			id := j.id("pay-%d-%s", b.page, digestOf(b))
			command, err := tape.NewExecute(b.account, id, j.plan.Statement, b.page, bodies[b.page], b.lines)
			if err == nil {
				err = j.sendRecord(working, j.Bank, "Tape:Execute", command)
			}
			if err == nil {
				j.progress.set(func(p *Progress) { p.Executed += b.payouts })
			}
			return err
		})
	}
	work.Go(func() error {
		for _, d := range s.back {
			proof, err := tape.NewLineProof(j.plan.Statement, d.page, bodies[d.page], d.index)
			if err != nil {
				return err
			}
			command := tape.Return{Account: d.account, Amount: d.amount, Hold: d.payouts[0].ID, ID: j.id("return-%d-%d", d.page, d.index), Line: proof}
			if err := j.sendRecord(working, j.Bank, "Tape:Return", command); err != nil {
				return err
			}
		}
		return nil
	})
	return work.Wait()
}

// digestOf names a batch after all that it holds: another run that has the same
// to do sends the same command, and one that has less sends another.
func digestOf(b batch) string {
	digest := sha256.Sum256([]byte(fmt.Sprint(b.account, b.page, b.lines)))
	return alphabet.EncodeToString(digest[:])[:16]
}

// restore gives what came back to the budget lines that it had been ordered on.
func (j *job) restore(ctx context.Context, found known, done []movement) error {
	for _, m := range done {
		if m.side != tape.CreditSide || len(found.payouts[m.names[0]]) != 1 {
			continue
		}
		p := found.payouts[m.names[0]][0]
		n, index, is := p.Place()
		if !is || p.Line == "" { // no disbursement of a campaign ordered it
			continue
		}
		if _, err := j.Charity.Gateway.Payouts(ctx, m.names[:1], j.position); err != nil { // its peer has seen the return
			return err
		}
		err := j.sendRecord(ctx, j.Charity, "Fund:Restore", fund.Restore{Account: p.Account, Disbursement: p.Job, Hold: p.ID, ID: j.id("restore-%d-%d", m.page, m.index), Index: index, N: n})
		if err != nil && !rule.Is(err, rule.WrongState) { // somebody has restored it
			return err
		}
	}
	return nil
}

// tell adds to the result what the ledger shows of the payouts.
func (r *Result) tell(s sorted, sum func(int64) Sum) {
	r.Executed, r.Returned = sum(0), sum(0)
	for _, m := range s.done {
		what := &r.Executed
		if m.side == tape.CreditSide {
			what = &r.Returned
		}
		what.Count++
		what.Total.Units += m.amount.Units
	}
	r.Payouts = append([]PayoutRemark{}, s.remarks...)
}
