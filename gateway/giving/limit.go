package giving

import (
	"sync"
	"time"
)

// Limit bounds how often one address, as package pace names it, may do something,
// and all together. It is
// kept in memory: a start of the gateway forgets it.
type Limit struct {
	// Each is how often one address may within Window, All how often all may.
	Each, All int
	Window    time.Duration
	Clock     func() time.Time

	mutex sync.Mutex
	ends  time.Time
	all   int
	seen  map[string]int
}

// What the gateway allows where nothing else is set. A village may stand behind
// one address; codes have 128 bits, so a few guesses are as good as none.
const (
	announcementsEach = 60
	announcementsAll  = 6000
	wrongCodesEach    = 20
	wrongCodesAll     = 2000
	limitWindow       = 10 * time.Minute
)

// NewLimits are the limits of announcements and of wrong codes.
func NewLimits(clock func() time.Time) (announcements, wrongCodes *Limit) {
	return &Limit{Each: announcementsEach, All: announcementsAll, Window: limitWindow, Clock: clock},
		&Limit{Each: wrongCodesEach, All: wrongCodesAll, Window: limitWindow, Clock: clock}
}

// Reached reports whether an address has no more tries, without counting one.
func (l *Limit) Reached(address string) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.turn()
	return l.all >= l.All || l.seen[address] >= l.Each
}

// Count notes one.
func (l *Limit) Count(address string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.turn()
	l.all++
	l.seen[address]++
}

// turn begins a new window. What one holds is bounded by All.
func (l *Limit) turn() {
	if now := l.Clock(); l.seen == nil || !now.Before(l.ends) {
		l.ends, l.all, l.seen = now.Add(l.Window), 0, map[string]int{}
	}
}
