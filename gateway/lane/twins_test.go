package lane

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/outbox"
)

// TestTwinSchedules runs two gateways of one organisation, each with its own
// outbox, on one ledger with all its faults. Both are given the same commands
// at once, and each of them dies where its seed says. What anybody was told is
// done stands on the ledger once.
func TestTwinSchedules(t *testing.T) {
	count := *schedules
	if count == 0 {
		count = 150
		if testing.Short() {
			count = 25
		}
	}
	const shards = 4
	for shard := range shards {
		t.Run(fmt.Sprint(shard), func(t *testing.T) {
			t.Parallel()
			for seed := *firstSeed + uint64(shard); seed < *firstSeed+uint64(count) && !t.Failed(); seed += shards {
				folder, err := os.MkdirTemp(t.TempDir(), "")
				if err != nil {
					t.Fatal(err)
				}
				synctest.Test(t, func(t *testing.T) { newTwins(t, seed, folder).run() })
				if t.Failed() {
					t.Errorf("it failed with -seed %d -schedules 1", seed)
				}
				_ = os.RemoveAll(folder)
			}
		})
	}
}

// twins are two gateways on one ledger.
type twins [2]*schedule

func newTwins(t *testing.T, seed uint64, folder string) twins {
	var both twins
	for i := range both {
		own := filepath.Join(folder, fmt.Sprint(i))
		if err := os.Mkdir(own, 0o700); err != nil {
			t.Fatal(err)
		}
		// Far from the seeds that kill at one certain write, so that the two die at different ones.
		both[i] = newSchedule(t, 1000+2*seed+uint64(i), own)
	}
	both[1].ledger = both[0].ledger
	return both
}

func (w twins) run() {
	stop := make(chan struct{})
	var supervisors, senders sync.WaitGroup
	for _, s := range w {
		s.boot()
		supervisors.Go(func() {
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
	}
	w.send(&senders)
	senders.Wait()
	close(stop)
	supervisors.Wait()
	time.Sleep(time.Minute) // what was ordered late comes in
	for _, s := range w {
		s.lanes.Stop()
		if err := s.box.Close(); err != nil {
			s.Error(err)
		}
	}
	w.audit()
}

const twinPages, twinSpends = 4, 3

func (w twins) send(senders *sync.WaitGroup) {
	for i := range twinPages {
		w.both(senders, func(s *schedule, tell func(Status)) { tell(s.page(tape.ID(fmt.Sprintf("page-%d", i)))) }, w.allDone(fmt.Sprintf("page-%d", i)))
		w[0].pause()
	}
	for i := range twinSpends {
		argument := fmt.Appendf(nil, `{"command":{"account":%q,"id":"spend-%d"},"intents":[]}`, charity, i)
		w.both(senders, func(s *schedule, tell func(Status)) {
			tell(s.sender(func(l *Lanes) (Status, error) { return l.Submit(s.Context(), "Tape:Spend", argument) }, ""))
		}, w.allDone(fmt.Sprintf("spend-%d", i)))
	}
	// A source can be settled by one of them only; the other hears that it is.
	for i := range twinPages {
		source := fmt.Sprintf("page-%d", i)
		w.both(senders, func(s *schedule, tell func(Status)) {
			// Each has its own page first: a settlement waits for its page within one gateway.
			if s.page(tape.ID(source)).State == outbox.Done {
				tell(s.settle(source))
			}
		}, func(all []Status) {
			done := 0
			for _, status := range all {
				switch {
				case status.State == outbox.Done:
					done++
				case !rule.Is(status.Refusal, rule.WrongState):
					w[0].Errorf("settling %s: %+v", source, status)
				}
			}
			if done == 0 {
				w[0].Errorf("nobody was told that %s is settled: %+v", source, all)
			}
		})
	}
}

// both lets the two gateways do the same at once and looks at what each said.
func (w twins) both(senders *sync.WaitGroup, do func(s *schedule, tell func(Status)), judge func([]Status)) {
	senders.Go(func() {
		var mutex sync.Mutex
		var all []Status
		var pair sync.WaitGroup
		for _, s := range w {
			pair.Go(func() {
				do(s, func(status Status) {
					mutex.Lock()
					defer mutex.Unlock()
					all = append(all, status)
				})
			})
		}
		pair.Wait()
		judge(all)
	})
}

func (w twins) allDone(id string) func([]Status) {
	return func(all []Status) {
		for _, status := range all {
			if len(all) != len(w) || status.State != outbox.Done || string(status.Entry) != "entry "+id {
				w[0].Errorf("%s: %+v, want both done", id, all)
				return
			}
		}
	}
}

// page sends a page of one gift.
func (s *schedule) page(id tape.ID) Status {
	receive := tape.Receive{Account: charity, ID: id, Count: 1, Total: money.New(700, "CNY"), Gifts: []tape.Gift{{ID: "g-" + id, Amount: money.New(700, "CNY")}}}
	argument, err := receive.Encode()
	if err != nil {
		s.Error(err)
		return Status{}
	}
	return s.sender(func(l *Lanes) (Status, error) { return l.Submit(s.Context(), "Tape:Receive", argument) }, "")
}

func (w twins) audit() {
	f := w[0].ledger
	var fault error
	for what, times := range map[string]map[string]int{"received": f.gifts, "settled": f.settled} {
		if len(times) != twinPages {
			fault = errors.Join(fault, fmt.Errorf("%d were %s, want %d", len(times), what, twinPages))
		}
		for name, count := range times {
			if count != 1 {
				fault = errors.Join(fault, fmt.Errorf("%s was %s %d times", name, what, count))
			}
		}
	}
	for i := range twinSpends {
		if _, stands := f.entries[fmt.Sprintf("spend-%d", i)]; !stands {
			fault = errors.Join(fault, fmt.Errorf("spend-%d is not on the ledger", i))
		}
	}
	if fault != nil {
		w[0].Error(fault)
	}
}

// TestOlderComesLate lets a command into the queue while one that was accepted
// after it is under way: two requests may get there the other way round. It
// must not be taken for the one that ends.
func TestOlderComesLate(t *testing.T) {
	calm(t, Settings{}, func(t *testing.T, lanes *Lanes, _ *scripted) {
		var accepted []outbox.Command
		for _, id := range []string{"older", "newer"} {
			c, fresh, err := lanes.outbox.Accept(t.Context(), outbox.Command{ID: id, Function: "Tape:Spend", Account: charity,
				Argument: fmt.Appendf(nil, `{"command":{"account":%q,"id":%q},"intents":[]}`, charity, id)})
			if err != nil || !fresh {
				t.Fatal(fresh, err)
			}
			accepted = append(accepted, c)
		}
		enter := func(c outbox.Command) {
			lanes.mutex.Lock()
			defer lanes.mutex.Unlock()
			lanes.enqueue(c)
			lanes.of(charity).advance()
		}
		enter(accepted[1])
		time.Sleep(blockTime / 2) // it is with the orderers now
		enter(accepted[0])
		time.Sleep(time.Minute)
		for _, c := range accepted {
			if status, _, err := lanes.Command(t.Context(), c.ID); err != nil || status.State != outbox.Done {
				t.Errorf("%s is %s: %v", c.ID, status.State, err)
			}
		}
	})
}
