package lane

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/fabric"
)

// fakeLedger is a ledger with the few rules that lanes depend on, and with
// every way in which a real one has been seen to fail. It is told apart from a
// stub by its books: what it committed is counted, whatever it answered.
type fakeLedger struct {
	mutex  sync.Mutex
	random *rand.Rand
	calm   bool // no faults, for tests about order and speed
	block  uint64

	transactions map[string]*fakeTransaction
	entries      map[string]string // id to the digest of its command
	pages        map[string]int    // account and page to the gifts on it
	gifts        map[string]int    // account and gift to how often it was received
	settled      map[string]int    // account and source to how often it was settled
	heads        map[string]int    // account to the version of its head
	inFlight     map[string]int    // account to head commands being submitted
	conflicts    int
	crowded      bool // two head commands of one account were in flight
}

type fakeTransaction struct {
	id     string
	done   chan struct{}
	code   string
	block  uint64
	commit func() string
}

func newFakeLedger(seed uint64) *fakeLedger {
	return &fakeLedger{random: rand.New(rand.NewPCG(seed, 1)), transactions: map[string]*fakeTransaction{}, entries: map[string]string{},
		pages: map[string]int{}, gifts: map[string]int{}, settled: map[string]int{}, heads: map[string]int{}, inFlight: map[string]int{}}
}

const blockTime = 200 * time.Millisecond

func (f *fakeLedger) chance(percent int) bool { return !f.calm && f.random.IntN(100) < percent }

// plan is what an endorsement found: what to write, and under which condition it still holds.
type plan struct {
	entry  string
	holds  func() bool
	commit func()
}

func (f *fakeLedger) endorse(function string, argument []byte) (plan, error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	switch {
	case f.chance(4):
		return plan{}, &fabric.Transient{Cause: fabric.Mismatch, Text: "mismatch"}
	case f.chance(3):
		return plan{}, &fabric.Transient{Cause: fabric.Lagging, Text: "lagging", Refusal: rule.Refuse(rule.NotFound, "no page")}
	case f.chance(3):
		return plan{}, &fabric.Transient{Cause: fabric.Unreachable, Text: "the bank's peer does not answer"}
	}
	switch function {
	case "Tape:Receive":
		return f.receive(argument)
	case "Tape:Settle":
		return f.settle(argument)
	}
	return f.other(function, argument)
}

// known answers a command whose entry stands already.
func (f *fakeLedger) known(id string, argument []byte) (plan, bool, error) {
	content, stands := f.entries[id]
	if !stands {
		return plan{}, false, nil
	}
	if content != string(argument) {
		return plan{}, true, rule.Refuse(rule.Exists, "entry %s exists with other content", id)
	}
	return plan{entry: "entry " + id, holds: func() bool { return true }, commit: func() {}}, true, nil
}

func (f *fakeLedger) receive(argument []byte) (plan, error) {
	c, err := tape.DecodeReceive(argument)
	if err != nil {
		return plan{}, err
	}
	if p, known, err := f.known(string(c.ID), argument); known {
		return p, err
	}
	for i, gift := range c.Gifts {
		if gift.Amount.Units == 13 {
			return plan{}, rule.Field("gifts", rule.Field(fmt.Sprintf("[%d]", i), rule.Field("amount", rule.Refuse(rule.Invalid, "is unlucky"))))
		}
	}
	id := string(c.ID)
	return plan{entry: "entry " + id,
		holds: func() bool { _, stands := f.entries[id]; return !stands },
		commit: func() {
			f.entries[id] = string(argument)
			f.pages[string(c.Account)+" "+id] = len(c.Gifts)
			for _, gift := range c.Gifts {
				f.gifts[string(c.Account)+" "+string(gift.ID)]++
			}
		}}, nil
}

func (f *fakeLedger) settle(argument []byte) (plan, error) {
	var c tape.Settle
	if err := canonical.Decode(argument, &c); err != nil {
		return plan{}, err
	}
	if p, known, err := f.known(string(c.ID), argument); known {
		return p, err
	}
	account, id := string(c.Account), string(c.ID)
	for i, item := range c.Items {
		at := fmt.Sprintf("[%d]", i)
		if _, stands := f.pages[account+" "+item.Source]; !stands {
			return plan{}, rule.Field("items", rule.Field(at, rule.Refuse(rule.NotFound, "no page %s", item.Source)))
		}
		if f.settled[account+" "+item.Source] > 0 {
			return plan{}, rule.Field("items", rule.Field(at, rule.Refuse(rule.WrongState, "%s is settled already", item.Source)))
		}
	}
	version := f.heads[account]
	return plan{entry: "entry " + id,
		holds: func() bool { _, stands := f.entries[id]; return !stands && f.heads[account] == version },
		commit: func() {
			f.entries[id] = string(argument)
			f.heads[account]++
			for _, item := range c.Items {
				f.settled[account+" "+item.Source]++
			}
		}}, nil
}

func (f *fakeLedger) other(function string, argument []byte) (plan, error) {
	id, account, err := envelope(function, argument)
	if err != nil {
		return plan{}, err
	}
	if p, known, err := f.known(id, argument); known {
		return p, err
	}
	version := f.heads[account]
	writesHead := classOf(function) == headClass
	return plan{entry: "entry " + id,
		holds: func() bool {
			_, stands := f.entries[id]
			return !stands && (!writesHead || f.heads[account] == version)
		},
		commit: func() {
			f.entries[id] = string(argument)
			if writesHead {
				f.heads[account]++
			}
		}}, nil
}

// Submit endorses now, orders, and commits at the end of the block.
func (f *fakeLedger) Submit(ctx context.Context, function string, argument []byte, sent func(string) error) (fabric.Receipt, error) {
	defer f.enter(function, argument)()
	p, err := f.endorse(function, argument)
	if err != nil {
		return fabric.Receipt{}, err
	}
	t := f.propose(p)
	receipt := fabric.Receipt{Entry: []byte(p.entry), TransactionID: t.id}
	if err := sent(t.id); err != nil {
		return fabric.Receipt{}, err
	}
	f.mutex.Lock()
	lost, late, deaf := f.chance(3), f.chance(4), f.chance(5)
	f.mutex.Unlock()
	if lost { // the orderers never saw it
		return receipt, &fabric.Unknown{TransactionID: t.id}
	}
	delay := blockTime
	if late { // beyond every deadline of the lane
		delay = 40 * time.Second
	}
	time.AfterFunc(delay, func() { f.commit(t) })
	if deaf {
		return receipt, &fabric.Unknown{TransactionID: t.id}
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	status, err := f.Status(ctx, t.id)
	status.Entry = receipt.Entry
	return status, err
}

// enter counts head commands in flight.
func (f *fakeLedger) enter(function string, argument []byte) (leave func()) {
	kind := classOf(function)
	if kind != headClass && kind != settlement {
		return func() {}
	}
	_, account, err := envelope(function, argument)
	if err != nil {
		return func() {}
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.inFlight[account]++
	f.crowded = f.crowded || f.inFlight[account] > 1
	return func() {
		f.mutex.Lock()
		defer f.mutex.Unlock()
		f.inFlight[account]--
	}
}

func (f *fakeLedger) propose(p plan) *fakeTransaction {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	t := &fakeTransaction{id: fmt.Sprintf("tx%d", len(f.transactions)+1), done: make(chan struct{})}
	t.commit = func() string {
		if !p.holds() || f.chance(4) {
			f.conflicts++
			return "MVCC_READ_CONFLICT"
		}
		p.commit()
		return "VALID"
	}
	f.transactions[t.id] = t
	return t
}

func (f *fakeLedger) commit(t *fakeTransaction) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.block++
	t.block, t.code = f.block, t.commit()
	close(t.done)
}

func (f *fakeLedger) Status(ctx context.Context, id string) (fabric.Receipt, error) {
	f.mutex.Lock()
	t := f.transactions[id]
	f.mutex.Unlock()
	select {
	case <-t.done:
	case <-ctx.Done():
		return fabric.Receipt{}, &fabric.Unknown{TransactionID: id}
	}
	receipt := fabric.Receipt{TransactionID: id, Block: t.block}
	if t.code != "VALID" {
		return receipt, &fabric.CommitFailure{TransactionID: id, Block: t.block, Code: t.code}
	}
	return receipt, nil
}

func (f *fakeLedger) Evaluate(_ context.Context, function string, argument []byte) ([]byte, error) {
	p, err := f.endorse(function, argument)
	return []byte(p.entry), err
}
