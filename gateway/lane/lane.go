// Package lane carries accepted commands to the ledger.
//
// The commands on one account go through one lane. It gathers single gifts
// into pages and settlements into batches, keeps one write of the account's
// head in flight, lets everything that touches no head go side by side, and
// tries again what may be tried again. Whatever it carries stands in the outbox
// first, with the bytes it will have on every attempt: the ledger knows an
// entry by its id, so no retry can count twice.
package lane

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/outbox"
)

// Ledger is what a lane needs of the ledger.
type Ledger interface {
	// Submit carries a command and waits until it is committed; see fabric.Ledger.
	Submit(ctx context.Context, function string, argument []byte, sent func(transactionID string) error) (fabric.Receipt, error)
	// Status asks what became of a transaction, until ctx ends.
	Status(ctx context.Context, transactionID string) (fabric.Receipt, error)
	// Evaluate asks the contract without writing.
	Evaluate(ctx context.Context, function string, argument []byte) ([]byte, error)
}

// Settings of the lanes; zero values mean the defaults given.
type Settings struct {
	// PageGifts is the most gifts of a gathered page: tape.PageGiftsMax.
	PageGifts int
	// SettleItems is the most items of a gathered batch: tape.SettleMax.
	SettleItems int
	// PagesInFlight is how many pages go side by side: 10. More only waits in the orderers.
	PagesInFlight int
	// CommandsInFlight is how many other commands go side by side: 64.
	CommandsInFlight int
	// BacklogCommands and BacklogMembers are how much may wait before more is turned away: 4,000 and 400,000.
	BacklogCommands, BacklogMembers int
	// RetryMin and RetryMax bound the pause between attempts: 50 ms and 2 s.
	RetryMin, RetryMax time.Duration
	// Patience is how long endorsers may disagree or lag before a command is given up: one minute.
	Patience time.Duration
	// StatusWait is how long the fate of a transaction is asked for: 10 s.
	StatusWait time.Duration
	// Clock gives the time; time.Now when nil.
	Clock func() time.Time
	// Log takes what people should know of; slog.Default() when nil.
	Log *slog.Logger
	// Metrics counts; nil counts nothing that anybody sees.
	Metrics *Metrics
}

func orElse[T comparable](value *T, standard T) {
	var zero T
	if *value == zero {
		*value = standard
	}
}

func (s *Settings) complete() {
	orElse(&s.PageGifts, tape.PageGiftsMax)
	orElse(&s.SettleItems, tape.SettleMax)
	orElse(&s.PagesInFlight, 10)
	orElse(&s.CommandsInFlight, 64)
	orElse(&s.BacklogCommands, 4000)
	orElse(&s.BacklogMembers, 400_000)
	orElse(&s.RetryMin, 50*time.Millisecond)
	orElse(&s.RetryMax, 2*time.Second)
	orElse(&s.Patience, time.Minute)
	orElse(&s.StatusWait, 10*time.Second)
	if s.Clock == nil {
		s.Clock = time.Now
	}
	orElse(&s.Log, slog.Default())
	if s.Metrics == nil {
		s.Metrics = NewMetrics(nil)
	}
}

// Lanes are the lanes of one organisation.
type Lanes struct {
	ledger   Ledger
	outbox   *outbox.Outbox
	settings Settings

	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	// pages and commands bound what is in flight over all lanes.
	pages, commands chan struct{}

	mutex    sync.Mutex
	stopped  bool
	lanes    map[string]*lane
	open     map[string]class // every command that has not ended, by id
	members  int              // that wait to be gathered
	troubles map[string]string
	waits    map[string]chan struct{}
}

// Start takes up what the outbox holds, and from then on carries what is accepted.
func Start(ctx context.Context, ledger Ledger, box *outbox.Outbox, settings Settings) (*Lanes, error) {
	settings.complete()
	l := &Lanes{ledger: ledger, outbox: box, settings: settings,
		pages: make(chan struct{}, settings.PagesInFlight), commands: make(chan struct{}, settings.CommandsInFlight),
		lanes: map[string]*lane{}, open: map[string]class{}, troubles: map[string]string{}, waits: map[string]chan struct{}{}}
	// Not the caller's: carrying ends with Stop, after the last answer has been written down.
	l.ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	backlogs, err := box.Backlogs(ctx)
	if err != nil {
		return nil, err
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if err := box.Open(ctx, l.enqueue); err != nil {
		return nil, err
	}
	for _, backlog := range backlogs {
		l.of(backlog.Account).gather(backlog.Kind, backlog.Count)
	}
	for _, lane := range l.lanes {
		lane.advance()
	}
	return l, nil
}

// Stop ends carrying. What is under way stays in the outbox and is taken up by
// the next Start.
func (l *Lanes) Stop() {
	l.mutex.Lock()
	l.stopped = true
	l.mutex.Unlock()
	l.cancel()
	l.work.Wait()
}

// of returns the lane of an account. The caller holds the mutex.
func (l *Lanes) of(account string) *lane {
	found := l.lanes[account]
	if found == nil {
		found = &lane{lanes: l, account: account, beside: map[int64]bool{}}
		l.lanes[account] = found
	}
	return found
}

// enqueue puts a command that stands in the outbox into its lane. The caller holds the mutex.
func (l *Lanes) enqueue(c outbox.Command) {
	kind := classOf(c.Function)
	l.open[c.ID] = kind
	lane := l.of(c.Account)
	r := ref{c.Sequence, c.ID}
	switch kind {
	case page:
		lane.pages = append(lane.pages, r)
	case beside:
		lane.waiting = insert(lane.waiting, r, ref.place)
		lane.beside[r.sequence] = true
	case settlement:
		lane.settling = append(lane.settling, r)
	default:
		lane.heads = insert(lane.heads, head{r, kind}, head.place)
	}
}

// start runs work that Stop waits for. The caller holds the mutex.
func (l *Lanes) start(work func()) bool {
	if l.stopped {
		return false
	}
	l.work.Go(work)
	return true
}

func (l *Lanes) count() {
	l.settings.Metrics.open.Set(float64(len(l.open)))
	l.settings.Metrics.waiting.Set(float64(l.members))
}
