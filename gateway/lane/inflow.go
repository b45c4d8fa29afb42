package lane

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/outbox"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Arrivals is what settling inflows by themselves needs of the read model.
type Arrivals interface {
	Position(context.Context) (readmodel.Position, error)
	Account(context.Context, tape.AccountID) (readmodel.Account, error)
	Inflows(context.Context, readmodel.InflowFilter, readmodel.Window) (readmodel.List[readmodel.Inflow], error)
}

// Inflows settles money that comes from other accounts of the ledger, for the
// accounts that an organisation sponsors. It needs no memory of its own: once
// the read model has caught up, what waits there is what has to be settled, and
// what was asked for before stands in the outbox.
type Inflows struct {
	Lanes        *Lanes
	Arrivals     Arrivals
	Organisation string
	// Height is the number of blocks of the own peer.
	Height func(context.Context) (uint64, error)

	mutex  sync.Mutex
	height uint64
	live   bool
}

// Begin tries until settling has begun: on a quiet ledger no block would remind it.
func (i *Inflows) Begin(ctx context.Context, every time.Duration) {
	for {
		err := i.Read(ctx, nil)
		i.mutex.Lock()
		live := i.live
		i.mutex.Unlock()
		if live {
			return
		}
		if err != nil && ctx.Err() == nil {
			i.Lanes.settings.Log.Debug("settling of inflows has not begun", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
	}
}

// Read is called with each block that has been read. Settling begins when the
// last block of the peer has been read: while old blocks are read, most that
// seems to wait was settled long ago.
func (i *Inflows) Read(ctx context.Context, block *readmodel.Block) error {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if i.live && block != nil {
		return i.settle(ctx, inflowsIn(*block))
	}
	position, err := i.Arrivals.Position(ctx)
	if err != nil {
		return err
	}
	if i.height == 0 || position.Next >= i.height {
		if i.height, err = i.Height(ctx); err != nil || position.Next < i.height {
			return err
		}
		return i.begin(ctx)
	}
	return nil
}

// begin takes up everything that waits now.
func (i *Inflows) begin(ctx context.Context) error {
	window := readmodel.Window{Limit: 1000}
	for {
		list, err := i.Arrivals.Inflows(ctx, readmodel.InflowFilter{Waiting: true}, window)
		if err != nil {
			return err
		}
		var waiting []inflow
		for _, item := range list.Items {
			waiting = append(waiting, inflow{item.Account, item.Source})
		}
		if err := i.settle(ctx, waiting); err != nil {
			return err
		}
		if window.After = list.Next; window.After == "" {
			i.live = true
			return nil
		}
	}
}

// inflow names money that waits to be laid on a tape.
type inflow struct {
	account tape.AccountID
	source  string
}

// inflowsIn finds the inflows that a block made.
func inflowsIn(block readmodel.Block) []inflow {
	var found []inflow
	for _, transaction := range block.Transactions {
		if !transaction.Valid {
			continue
		}
		for _, write := range transaction.Writes {
			rest, is := strings.CutPrefix(write.Key, "inflow/")
			if account, source, named := strings.Cut(rest, "/"); is && named && !write.Delete {
				found = append(found, inflow{tape.AccountID(account), source})
			}
		}
	}
	return found
}

// settle asks for what is ours.
func (i *Inflows) settle(ctx context.Context, inflows []inflow) error {
	ours := map[tape.AccountID]bool{}
	members := map[string][]outbox.Member{}
	for _, in := range inflows {
		mine, known := ours[in.account]
		if !known {
			account, err := i.Arrivals.Account(ctx, in.account)
			if err != nil && !rule.Is(err, rule.NotFound) {
				return err
			}
			mine = err == nil && account.Organisation == i.Organisation
			ours[in.account] = mine
		}
		if !mine {
			continue
		}
		made, err := settlements(string(in.account), []tape.SettleItem{{Source: in.source}})
		if err != nil {
			return err
		}
		members[string(in.account)] = append(members[string(in.account)], made...)
	}
	var all []error
	for account, waiting := range members {
		all = append(all, i.Lanes.settleMissing(ctx, account, waiting))
	}
	return errors.Join(all...)
}

func (l *Lanes) settleMissing(ctx context.Context, account string, members []outbox.Member) error {
	fresh, err := l.outbox.AddMissing(ctx, members)
	if err != nil || fresh == 0 {
		return err
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.of(account).gather(outbox.Settlement, fresh)
	l.of(account).advance()
	return nil
}
