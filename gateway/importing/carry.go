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
	arrived := newArrivals(j.pagesOf(gifts))
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
				if p.group == gifts {
					arrived.add(int(p.n))
				}
			}
			return nil
		})
	}
	work.Go(func() error { return j.settle(working, arrived) })
	return work.Wait()
}

// carryPage sends one page on both sides at once.
func (j *job) carryPage(ctx context.Context, p page) error {
	work, working := errgroup.WithContext(ctx)
	work.Go(func() error {
		command := tape.FileLines{Account: j.plan.BankAccount, ID: j.id("lines-%d", p.n), Lines: p.lines, N: p.n, Statement: j.plan.Statement}
		argument, err := command.Encode()
		if err == nil {
			err = j.send(working, j.Bank, "Tape:FileLines", argument)
		}
		if err == nil && p.group == gifts {
			j.progress.set(func(now *Progress) { now.Filed += len(p.lines) })
		}
		return err
	})
	if p.group == gifts {
		work.Go(func() error {
			command := tape.Receive{Account: j.plan.Account, ID: j.pageID(p.n), Count: int32(len(p.gifts)), Total: j.plan.Shape.Pages[p.n].Total, Gifts: p.gifts}
			argument, err := command.Encode()
			if err == nil {
				err = j.send(working, j.Charity, "Tape:Receive", argument)
			}
			if err == nil {
				j.progress.set(func(now *Progress) { now.Received += len(p.gifts) })
			}
			return err
		})
	}
	return work.Wait()
}

func (j *job) pageID(n int32) tape.ID { return j.id("page-%d", n) }

// arrivals notes which pages both sides have filed.
type arrivals struct {
	mutex sync.Mutex
	done  []bool
	stir  chan struct{}
}

func newArrivals(pages int) *arrivals {
	return &arrivals{done: make([]bool, pages), stir: make(chan struct{}, 1)}
}

func (a *arrivals) add(n int) {
	a.mutex.Lock()
	a.done[n] = true
	a.mutex.Unlock()
	select {
	case a.stir <- struct{}{}:
	default:
	}
}

// wait returns when the pages [from, to) are all there.
func (a *arrivals) wait(ctx context.Context, from, to int) error {
	for {
		a.mutex.Lock()
		for from < to && a.done[from] {
			from++
		}
		a.mutex.Unlock()
		if from == to {
			return nil
		}
		select {
		case <-a.stir:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
