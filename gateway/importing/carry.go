package importing

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// send hands a command over and remembers how far the ledger is.
func (j *job) send(ctx context.Context, side Side, function string, argument []byte) error {
	block, err := side.Gateway.Send(ctx, function, argument)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", function, side.Organisation, err)
	}
	j.progress.mutex.Lock()
	defer j.progress.mutex.Unlock()
	j.position = max(j.position, block)
	return nil
}

func (j *job) sendRecord(ctx context.Context, side Side, function string, command any) error {
	argument, err := canonical.Encode(command)
	if err != nil {
		return err
	}
	return j.send(ctx, side, function, argument)
}

// id names a command of this import. It follows from the statement alone.
func (j *job) id(format string, arguments ...any) tape.ID {
	return tape.ID(fmt.Sprintf("%s."+format, append([]any{j.plan.Statement}, arguments...)...))
}

// file opens the account where the plan says so and files the statement's head.
func (j *job) file(ctx context.Context) error {
	j.progress.stage(Filing)
	work, working := errgroup.WithContext(ctx)
	if j.plan.Opens {
		work.Go(func() error {
			return j.sendRecord(working, j.Charity, "Tape:Open", tape.Open{Account: j.plan.Account, Attribution: tape.FIFO,
				Currency: j.survey.Currency, Custodian: j.plan.BankAccount, ID: j.id("open")})
		})
	}
	work.Go(func() error {
		err := j.fileStatement(working)
		if !rule.Is(err, rule.Conflict) {
			return err
		}
		// Another statement was filed since the plan was made: it comes after that one.
		if mine, found := j.filed(working, 0); found != nil || mine != nil {
			return errors.Join(err, found)
		}
		if err := j.begin(working); err != nil {
			return err
		}
		return errors.Join(j.keep(), j.fileStatement(working))
	})
	return work.Wait()
}

func (j *job) fileStatement(ctx context.Context) error {
	count := int32(0)
	for _, head := range j.plan.Shape.Pages {
		count += head.Count
	}
	return j.sendRecord(ctx, j.Bank, "Tape:FileStatement", tape.FileStatement{Account: j.plan.BankAccount, ID: j.plan.Statement,
		Previous: j.plan.Previous, From: tape.Date(j.survey.FirstDate), To: tape.Date(j.survey.LastDate),
		Opening: j.plan.Opening, Closing: j.closing(), Count: count, Pages: j.plan.Shape.Pages})
}

// carry sends every page on both sides, several at once, and settles them in
// their order as they arrive.
func (j *job) carry(ctx context.Context) error {
	j.progress.stage(Carrying)
	work, working := errgroup.WithContext(ctx)
	queue := make(chan page)
	arrived := newArrivals(len(j.plan.Shape.Pages))
	work.Go(func() error {
		defer close(queue)
		return j.turn(working, j.fill, func(p page) error {
			select {
			case queue <- p:
				return nil
			case <-working.Done():
				return working.Err()
			}
		})
	})
	for range j.PagesInFlight {
		work.Go(func() error {
			for p := range queue {
				if err := j.carryPage(working, p); err != nil {
					return err
				}
				arrived.add(int(p.n))
			}
			return nil
		})
	}
	for g := range j.groups() {
		if account, settles := j.settled(g); settles {
			settling := arrived.watch()
			work.Go(func() error { return j.settle(working, g, account, settling) })
		}
	}
	return work.Wait()
}

// carryPage sends one page on both sides at once. What nobody claims is made
// out of the filed lines, and so comes after them.
func (j *job) carryPage(ctx context.Context, p page) error {
	if p.group == unclaimed {
		if err := j.carryLines(ctx, p); err != nil {
			return err
		}
		return j.carryUnclaimed(ctx, p)
	}
	work, working := errgroup.WithContext(ctx)
	work.Go(func() error { return j.carryLines(working, p) })
	if account, settles := j.settled(p.group); settles {
		work.Go(func() error { return j.carryGifts(working, p, account) })
	}
	return work.Wait()
}

func (j *job) carryLines(ctx context.Context, p page) error {
	command := tape.FileLines{Account: j.plan.BankAccount, ID: j.id("lines-%d", p.n), Lines: p.lines, N: p.n, Statement: j.plan.Statement}
	argument, err := command.Encode()
	if err == nil {
		err = j.send(ctx, j.Bank, "Tape:FileLines", argument)
	}
	if _, settles := j.settled(p.group); settles && err == nil {
		j.progress.set(func(now *Progress) { now.Filed += len(p.lines) })
	}
	return err
}

func (j *job) carryGifts(ctx context.Context, p page, account tape.AccountID) error {
	command := tape.Receive{Account: account, ID: j.pageID(p.n), Count: int32(len(p.gifts)), Total: j.plan.Shape.Pages[p.n].Total, Gifts: p.gifts}
	argument, err := command.Encode()
	if err == nil {
		err = j.send(ctx, j.Charity, "Tape:Receive", argument)
	}
	if err == nil {
		j.progress.set(func(now *Progress) { now.Received += len(p.gifts) })
	}
	return err
}

func (j *job) carryUnclaimed(ctx context.Context, p page) error {
	command := tape.NewReceiveUnidentified(j.plan.Unclaimed, j.pageID(p.n), j.plan.Statement, p.n, p.lines)
	err := j.patiently(ctx, "Tape:ReceiveUnidentified", command)
	if err == nil {
		j.progress.set(func(now *Progress) { now.Received += len(p.lines) })
	}
	return err
}

func (j *job) pageID(n int32) tape.ID { return j.id("page-%d", n) }

// arrivals notes which pages both sides have filed.
type arrivals struct {
	mutex    sync.Mutex
	done     []bool
	watchers []chan struct{}
}

func newArrivals(pages int) *arrivals { return &arrivals{done: make([]bool, pages)} }

func (a *arrivals) add(n int) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.done[n] = true
	for _, stir := range a.watchers {
		select {
		case stir <- struct{}{}:
		default:
		}
	}
}

// watch returns what waits for pages; each waits by itself.
func (a *arrivals) watch() watcher {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	stir := make(chan struct{}, 1)
	a.watchers = append(a.watchers, stir)
	return watcher{a, stir}
}

type watcher struct {
	*arrivals
	stir chan struct{}
}

// wait returns when the pages [from, to) are all there.
func (w watcher) wait(ctx context.Context, from, to int) error {
	for {
		w.mutex.Lock()
		for from < to && w.done[from] {
			from++
		}
		w.mutex.Unlock()
		if from == to {
			return nil
		}
		select {
		case <-w.stir:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
