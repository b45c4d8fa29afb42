package lane

import (
	"context"
	"slices"

	"github.com/lianbao/lianbao/gateway/outbox"
)

// enter takes a place among those in flight; false when the lanes are stopped.
func (l *Lanes) enter(places chan struct{}) bool {
	select {
	case places <- struct{}{}:
		return true
	case <-l.ctx.Done():
		return false
	}
}

func leave(places chan struct{}) { <-places }

// carry takes one command to its end and reports what it came to.
func (l *Lanes) carry(places chan struct{}, id string) {
	if !l.enter(places) {
		return
	}
	defer leave(places)
	c, found, err := l.outbox.Command(l.ctx, id)
	if err != nil || !found || c.State.Ended() {
		l.settings.Log.Error("a command that was to be carried cannot be read", "id", id, "found", found, "error", err)
		return
	}
	if err := l.conclude(c, l.pursue(c)); err != nil && l.ctx.Err() == nil {
		l.settings.Log.Error("the answer of the ledger could not be kept", "id", id, "error", err)
	}
}

// sendPage carries a page that the outbox holds.
func (l *lane) sendPage(id string) {
	l.lanes.carry(l.lanes.pages, id)
	l.lanes.mutex.Lock()
	defer l.lanes.mutex.Unlock()
	l.pagesInFlight--
	l.advance()
}

// gatherPage makes a page of the gifts that wait and carries it.
func (l *lane) gatherPage() {
	id, count := l.bundle(outbox.Gift, l.lanes.settings.PageGifts, nil)
	l.lanes.mutex.Lock()
	l.gathering = false
	if id == "" {
		l.lanes.mutex.Unlock()
		return
	}
	l.gifts -= count
	l.pagesInFlight++
	l.advance()
	l.lanes.mutex.Unlock()
	l.sendPage(id)
}

// sendBeside carries a command that touches no head.
func (l *lane) sendBeside(r ref) {
	l.lanes.carry(l.lanes.commands, r.id)
	l.lanes.mutex.Lock()
	defer l.lanes.mutex.Unlock()
	delete(l.beside, r.sequence)
	l.advance()
}

// takeTurns writes the head, one command after the other, until nothing is left
// that could go.
func (l *lane) takeTurns() {
	for l.lanes.ctx.Err() == nil {
		l.lanes.mutex.Lock()
		l.stirred = false
		l.lanes.mutex.Unlock()
		if id, done := l.nextTurn(); id != "" {
			l.lanes.carry(l.lanes.commands, id)
			l.lanes.mutex.Lock()
			done()
			l.advance()
			l.lanes.mutex.Unlock()
			continue
		}
		l.lanes.mutex.Lock()
		if !l.stirred {
			l.headBusy = false
			l.lanes.mutex.Unlock()
			return
		}
		l.lanes.mutex.Unlock()
	}
}

// nextTurn decides who writes the head next: batches that were under way
// before a restart, then items and head commands in the order of acceptance.
// done, called with the mutex held, takes the command out of its queue.
func (l *lane) nextTurn() (id string, done func()) {
	l.lanes.mutex.Lock()
	horizon, items, opens := l.horizon(), l.items, l.closed()
	if len(l.settling) > 0 {
		defer l.lanes.mutex.Unlock()
		return l.settling[0].id, func() { l.settling = l.settling[1:] }
	}
	l.lanes.mutex.Unlock()
	if items > 0 && !opens {
		id, waits := l.bundleItems(horizon)
		if id != "" {
			return id, func() {}
		}
		if waits {
			return "", nil // the items before the next head command wait for a page under way
		}
	}
	l.lanes.mutex.Lock()
	defer l.lanes.mutex.Unlock()
	if !l.headReady() {
		return "", nil
	}
	turn := l.heads[0]
	// It may not be the first any more: one that was accepted before it can
	// come into the queue while it is under way, and must not be taken for it.
	return turn.id, func() {
		l.heads = slices.DeleteFunc(l.heads, func(h head) bool { return h.sequence == turn.sequence })
	}
}

// bundleItems makes a batch of the items that come before the horizon, leaving
// out those whose page is still on its way. waits reports that there are only such.
func (l *lane) bundleItems(horizon int64) (id string, waits bool) {
	id, count := l.bundle(outbox.Settlement, 4*l.lanes.settings.SettleItems, func(members []outbox.Member) []outbox.Member {
		due := slices.DeleteFunc(members, func(m outbox.Member) bool { return m.After >= horizon })
		waits = len(due) > 0
		l.lanes.mutex.Lock()
		defer l.lanes.mutex.Unlock()
		return slices.DeleteFunc(due, func(m outbox.Member) bool { return l.lanes.open[m.ID] == page })
	})
	l.lanes.mutex.Lock()
	defer l.lanes.mutex.Unlock()
	l.items -= count
	return id, waits
}

// bundle makes one command of members that wait and returns its id, "" when
// there are none. Only one bundling of an account and kind goes on at a time.
func (l *lane) bundle(kind string, limit int, choose func([]outbox.Member) []outbox.Member) (id string, count int) {
	members, err := l.lanes.outbox.Unbundled(l.lanes.ctx, l.account, kind, limit)
	if choose != nil && err == nil {
		members = choose(members)
	}
	if err == nil && len(members) > 0 {
		id, count, err = l.makeBatch(kind, members)
	}
	if err != nil && l.lanes.ctx.Err() == nil {
		l.lanes.settings.Log.Error("what waits could not be gathered", "account", l.account, "kind", kind, "error", err)
	}
	return id, count
}

func (l *lane) makeBatch(kind string, members []outbox.Member) (id string, count int, err error) {
	c, used, err := compose(l.account, kind, together(members), l.lanes.settings)
	if err != nil {
		return "", 0, err
	}
	// Once begun, the write is waited for even when the lanes stop: the count must be right.
	c, err = l.lanes.outbox.Bundle(context.WithoutCancel(l.lanes.ctx), c, used)
	if err != nil {
		return "", 0, err
	}
	l.lanes.settings.Metrics.fill.WithLabelValues(kind).Observe(float64(len(used)))
	l.lanes.mutex.Lock()
	defer l.lanes.mutex.Unlock()
	l.lanes.members -= len(used)
	l.lanes.open[c.ID] = classOf(c.Function)
	return c.ID, len(used), nil
}

// together keeps a member that is to go alone apart from the others.
func together(members []outbox.Member) []outbox.Member {
	if members[0].Alone {
		return members[:1]
	}
	if at := slices.IndexFunc(members, func(m outbox.Member) bool { return m.Alone }); at > 0 {
		return members[:at]
	}
	return members
}
