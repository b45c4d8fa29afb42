package lane

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/lianbao/lianbao/gateway/outbox"
)

// ref is a command in the outbox.
type ref struct {
	sequence int64
	id       string
}

func (r ref) place() int64 { return r.sequence }

// head is a command that waits for the account's head.
type head struct {
	ref
	class class
}

// lane is what waits and what is under way on one account. Everything in it is
// guarded by the mutex of Lanes.
type lane struct {
	lanes   *Lanes
	account string

	// pages wait to be sent; gifts wait to be gathered into more of them.
	pages         []ref
	gifts         int
	pagesInFlight int
	gathering     bool

	// heads are in the order of acceptance; the first may be under way.
	heads []head
	// settling are gathered batches found in the outbox at the start; items wait to be gathered.
	settling []ref
	items    int
	headBusy bool
	// stirred is set when something changed while a turn at the head was being decided.
	stirred bool
	// committed is when the ledger last took a command of this lane.
	committed time.Time

	// waiting are commands beside the head; beside are those and the ones under way, by sequence.
	waiting []ref
	beside  map[int64]bool
}

// gather notes members that wait.
func (l *lane) gather(kind string, count int) {
	l.lanes.members += count
	switch kind {
	case outbox.Gift:
		l.gifts += count
	case outbox.Settlement:
		l.items += count
	}
}

// advance starts whatever may start now.
func (l *lane) advance() {
	l.lanes.count()
	if l.closed() {
		l.advanceHead() // only the opening itself
		return
	}
	l.advancePages()
	l.advanceBeside()
	l.advanceHead()
}

// closed reports whether the account is still to be opened by a command that waits.
func (l *lane) closed() bool {
	return slices.ContainsFunc(l.heads, func(h head) bool { return h.class == opening })
}

// advancePages sends pages side by side. Gifts go at once when nothing is under
// way, and gather while something is, until they fill a page.
func (l *lane) advancePages() {
	most := l.lanes.settings.PagesInFlight
	for len(l.pages) > 0 && l.pagesInFlight < most {
		next := l.pages[0]
		if !l.lanes.start(func() { l.sendPage(next.id) }) {
			return
		}
		l.pages, l.pagesInFlight = l.pages[1:], l.pagesInFlight+1
	}
	full := l.gifts >= l.lanes.settings.PageGifts && l.pagesInFlight < most
	if l.gathering || l.gifts == 0 || (l.pagesInFlight > 0 && !full) {
		return
	}
	l.gathering = l.lanes.start(l.gatherPage)
}

// advanceBeside starts commands beside the head, but none that was accepted
// after a head command that is not done: it may need what that one makes.
func (l *lane) advanceBeside() {
	for len(l.waiting) > 0 {
		next := l.waiting[0]
		if len(l.heads) > 0 && l.heads[0].sequence < next.sequence {
			return
		}
		if !l.lanes.start(func() { l.sendBeside(next) }) {
			return
		}
		l.waiting = l.waiting[1:]
	}
}

// advanceHead lets one goroutine at a time write the head.
func (l *lane) advanceHead() {
	l.stirred = true
	if l.headBusy || (len(l.heads) == 0 && len(l.settling) == 0 && l.items == 0) {
		return
	}
	l.headBusy = l.lanes.start(l.takeTurns)
}

// headReady reports whether the first head command may go: all commands beside
// the head that were accepted before it are done.
func (l *lane) headReady() bool {
	if len(l.heads) == 0 {
		return false
	}
	for sequence := range l.beside {
		if sequence < l.heads[0].sequence {
			return false
		}
	}
	return true
}

// horizon is the place in the order of acceptance up to which items may settle
// before the next head command has its turn.
func (l *lane) horizon() int64 {
	if len(l.heads) == 0 {
		return math.MaxInt64
	}
	return l.heads[0].sequence
}

// insert adds to a list at its place in the order of acceptance: two requests
// that were accepted one after the other may come here the other way round.
func insert[T any](list []T, item T, sequence func(T) int64) []T {
	at, _ := slices.BinarySearchFunc(list, sequence(item), func(other T, wanted int64) int { return cmp.Compare(sequence(other), wanted) })
	return slices.Insert(list, at, item)
}
