package lane

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/outbox"
)

var (
	schedules = flag.Int("schedules", 0, "how many seeded schedules to run; 0 means 2000, or 120 with -short")
	firstSeed = flag.Uint64("seed", 1, "the first seed")
)

var errKilled = errors.New("killed")

// TestSchedules runs the lanes against a ledger that conflicts, lags, loses
// answers and commits late, kills the gateway at writes chosen by the seed, and
// compares the books: everything that was accepted is there exactly once, and
// every sender was told the truth. In the first schedules the kill comes at the
// first, second, third... write, before or after it reached the disk.
func TestSchedules(t *testing.T) {
	count := *schedules
	if count == 0 {
		count = 2000
		if testing.Short() {
			count = 120
		}
	}
	const shards = 4 // the work is one schedule's goroutines taking turns; several fill the cores
	for shard := range shards {
		t.Run(fmt.Sprint(shard), func(t *testing.T) {
			t.Parallel()
			for seed := *firstSeed + uint64(shard); seed < *firstSeed+uint64(count) && !t.Failed(); seed += shards {
				folder, err := os.MkdirTemp(t.TempDir(), "")
				if err != nil {
					t.Fatal(err)
				}
				synctest.Test(t, func(t *testing.T) { newSchedule(t, seed, folder).run() })
				if t.Failed() {
					t.Errorf("it failed with -seed %d -schedules 1", seed)
				}
				_ = os.RemoveAll(folder)
			}
		})
	}
}

// schedule is one life of a gateway, with its deaths.
type schedule struct {
	*testing.T
	ledger *fakeLedger
	path   string
	random *rand.Rand
	// kills are the numbers of the writes at which the process dies, and whether after the commit.
	kills  map[int64]outbox.Moment
	writes atomic.Int64

	mutex  sync.Mutex
	lanes  *Lanes
	box    *outbox.Outbox
	killed chan struct{}
}

func newSchedule(t *testing.T, seed uint64, folder string) *schedule {
	s := &schedule{T: t, ledger: newFakeLedger(seed), path: filepath.Join(folder, "outbox.db"), random: rand.New(rand.NewPCG(seed, 2)), kills: map[int64]outbox.Moment{}}
	moments := []outbox.Moment{outbox.BeforeCommit, outbox.AfterCommit}
	if systematic := int64(seed); systematic <= 120 {
		s.kills[systematic/2+1] = moments[systematic%2]
		return s
	}
	for range s.random.IntN(6) {
		s.kills[1+s.random.Int64N(80)] = moments[s.random.IntN(2)]
	}
	return s
}

func (s *schedule) crash(at outbox.Moment) error {
	number := s.writes.Load()
	if at == outbox.BeforeCommit {
		number = s.writes.Add(1)
	}
	if s.kills[number] != at {
		return nil
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	close(s.killed)
	return errKilled
}

// boot starts the gateway, and starts it again whenever it was killed.
func (s *schedule) boot() {
	s.mutex.Lock()
	s.killed = make(chan struct{})
	s.mutex.Unlock()
	box, err := outbox.Open(s.Context(), s.path, outbox.Settings{Crash: s.crash, Volatile: true})
	if err != nil {
		s.Fatal(err)
	}
	lanes, err := Start(s.Context(), s.ledger, box, Settings{PageGifts: 5, SettleItems: 3, PagesInFlight: 4, CommandsInFlight: 8,
		Patience: time.Hour, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		s.Fatal(err)
	}
	s.mutex.Lock()
	s.lanes, s.box = lanes, box
	s.mutex.Unlock()
}

func (s *schedule) reboot() {
	s.lanes.Stop()
	if err := s.box.Close(); err != nil {
		s.Error(err)
	}
	s.ledger.mutex.Lock()
	clear(s.ledger.inFlight)
	s.ledger.mutex.Unlock()
	s.boot()
}

func (s *schedule) now() (*Lanes, <-chan struct{}) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.lanes, s.killed
}

// sender sends something until it is accepted and waits until it has ended,
// however often the gateway dies meanwhile.
func (s *schedule) sender(send func(*Lanes) (Status, error), kind string) Status {
	for {
		lanes, killed := s.now()
		status, err := send(lanes)
		if err == nil {
			status, err = lanes.Await(s.Context(), status, kind, func(ctx context.Context) (Status, bool, error) { return ask(ctx, lanes, status, kind) })
		}
		var refusal *rule.Refusal
		switch {
		case errors.As(err, &refusal):
			return Status{State: outbox.Refused, Refusal: refusal}
		case err == nil && status.State.Ended():
			return status
		}
		select {
		case <-killed:
		default:
			if err != nil && !errors.Is(err, outbox.ErrClosed) {
				s.Errorf("a sender met %v", err)
				return status
			}
		}
		time.Sleep(time.Second)
	}
}

func ask(ctx context.Context, lanes *Lanes, s Status, kind string) (Status, bool, error) {
	switch kind {
	case outbox.Gift:
		return lanes.Gift(ctx, s.Account, s.ID)
	case outbox.Settlement:
		return lanes.Settlement(ctx, s.Account, s.ID)
	}
	return lanes.Command(ctx, s.ID)
}

const charity = "charity:sunrise:books"

func (s *schedule) run() {
	s.boot()
	stop := make(chan struct{})
	var supervisor, senders sync.WaitGroup
	supervisor.Go(func() {
		for {
			_, killed := s.now()
			select {
			case <-killed:
				s.reboot()
			case <-stop:
				return
			}
		}
	})
	s.send(&senders)
	senders.Wait()
	close(stop)
	supervisor.Wait()
	time.Sleep(time.Minute) // what was ordered late comes in
	s.lanes.Stop()
	if err := s.box.Close(); err != nil {
		s.Error(err)
	}
	s.audit()
}

// send lets gifts, pages, settlements and payments arrive in an order of the seed's choice.
func (s *schedule) send(senders *sync.WaitGroup) {
	for i := range 12 + s.random.IntN(12) {
		units := int64(100 + i)
		if s.random.IntN(8) == 0 {
			units = 13
		}
		gift := tape.Gift{ID: tape.ID(fmt.Sprintf("gift-%d", i)), Amount: money.New(units, "CNY")}
		for range 1 + s.random.IntN(2) { // some send twice at once
			senders.Go(func() { s.checkGift(gift) })
		}
		s.pause()
	}
	for i := range 4 {
		senders.Go(func() { s.checkPage(tape.ID(fmt.Sprintf("page-%d", i))) })
		s.pause()
	}
	for i := range 2 {
		senders.Go(func() { s.checkSpend(fmt.Sprintf("spend-%d", i)) })
		senders.Go(func() { s.checkStray(fmt.Sprintf("nothing-%d", i)) })
		s.pause()
	}
}

func (s *schedule) pause() { time.Sleep(time.Duration(s.random.IntN(300)) * time.Millisecond) }

func (s *schedule) checkGift(gift tape.Gift) {
	status := s.sender(func(l *Lanes) (Status, error) {
		all, err := l.Gifts(s.Context(), charity, []tape.Gift{gift})
		if err != nil {
			return Status{}, err
		}
		return all[0], nil
	}, outbox.Gift)
	switch {
	case gift.Amount.Units == 13 && (status.State != outbox.Refused || status.Refusal.Error() != "invalid: field amount: is unlucky"):
		s.Errorf("gift %s: %+v, want refused with its own field", gift.ID, status)
	case gift.Amount.Units != 13 && (status.State != outbox.Done || string(status.Entry) != "entry "+status.Command):
		s.Errorf("gift %s: %+v, want done", gift.ID, status)
	}
}

// checkPage sends a page and at once its settlement, which has to wait for it.
func (s *schedule) checkPage(id tape.ID) {
	receive := tape.Receive{Account: charity, ID: id, Count: 1, Total: money.New(700, "CNY"), Gifts: []tape.Gift{{ID: "g-" + id, Amount: money.New(700, "CNY")}}}
	argument, err := receive.Encode()
	if err != nil {
		s.Error(err)
		return
	}
	var accepted sync.Once
	settles := make(chan struct{})
	page := make(chan Status, 1)
	go func() {
		page <- s.sender(func(l *Lanes) (Status, error) {
			status, err := l.Submit(s.Context(), "Tape:Receive", argument)
			if err == nil {
				accepted.Do(func() { close(settles) })
			}
			return status, err
		}, "")
	}()
	<-settles
	status := s.settle(string(id))
	if status.State != outbox.Done {
		s.Errorf("settling %s: %+v, want done", id, status)
	}
	if status := <-page; status.State != outbox.Done {
		s.Errorf("page %s: %+v, want done", id, status)
	}
}

func (s *schedule) settle(source string) Status {
	return s.sender(func(l *Lanes) (Status, error) {
		all, err := l.Settle(s.Context(), charity, []tape.SettleItem{{Source: source, SelfDeclared: true}})
		if err != nil {
			return Status{}, err
		}
		return all[0], nil
	}, outbox.Settlement)
}

func (s *schedule) checkSpend(id string) {
	argument := fmt.Appendf(nil, `{"command":{"account":%q,"id":%q},"intents":[]}`, charity, id)
	status := s.sender(func(l *Lanes) (Status, error) { return l.Submit(s.Context(), "Tape:Spend", argument) }, "")
	if status.State != outbox.Done {
		s.Errorf("spend %s: %+v, want done", id, status)
	}
}

// checkStray settles a page that does not exist: its neighbours in the batch must not suffer.
func (s *schedule) checkStray(source string) {
	status := s.settle(source)
	if status.State != outbox.Refused || !rule.Is(status.Refusal, rule.NotFound) {
		s.Errorf("settling %s: %+v, want not-found", source, status)
	}
}

// audit compares the books with what was sent.
func (s *schedule) audit() {
	f := s.ledger
	for gift, times := range f.gifts {
		if times != 1 {
			s.Errorf("%s was received %d times", gift, times)
		}
	}
	for source, times := range f.settled {
		if times != 1 {
			s.Errorf("%s was settled %d times", source, times)
		}
	}
	if len(f.settled) != 4 {
		s.Errorf("%d pages were settled, want 4", len(f.settled))
	}
	if f.crowded {
		s.Error("two commands that write one head were in flight")
	}
}
