package lane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/outbox"
)

// scripted answers submissions as a test says, and notes them.
type scripted struct {
	*fakeLedger
	submit func(function string, argument []byte) (handled bool, err error)
	mutex  sync.Mutex
	sent   []string
	// together are the functions sent, those apart that began when nothing was under way.
	together [][]string
	now      int
	most     int
}

func (s *scripted) Submit(ctx context.Context, function string, argument []byte, sent func(string) error) (fabric.Receipt, error) {
	s.mutex.Lock()
	s.sent = append(s.sent, function)
	if s.now == 0 {
		s.together = append(s.together, nil)
	}
	last := len(s.together) - 1
	s.together[last] = append(s.together[last], strings.TrimPrefix(function, "Tape:"))
	s.now++
	s.most = max(s.most, s.now)
	s.mutex.Unlock()
	defer func() {
		s.mutex.Lock()
		s.now--
		s.mutex.Unlock()
	}()
	if s.submit != nil {
		if handled, err := s.submit(function, argument); handled {
			return fabric.Receipt{}, err
		}
	}
	return s.fakeLedger.Submit(ctx, function, argument, sent)
}

// calm runs a test in a bubble of time, with lanes over a ledger without faults.
func calm(t *testing.T, settings Settings, run func(t *testing.T, lanes *Lanes, ledger *scripted)) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	synctest.Test(t, func(t *testing.T) {
		ledger := &scripted{fakeLedger: newFakeLedger(1)}
		ledger.calm = true
		lanes, stop := start(t, path, ledger, settings)
		defer stop()
		run(t, lanes, ledger)
	})
}

func start(t *testing.T, path string, ledger Ledger, settings Settings) (*Lanes, func()) {
	t.Helper()
	box, err := outbox.Open(t.Context(), path, outbox.Settings{Volatile: true})
	if err != nil {
		t.Fatal(err)
	}
	settings.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	lanes, err := Start(t.Context(), ledger, box, settings)
	if err != nil {
		t.Fatal(err)
	}
	return lanes, func() {
		lanes.Stop()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	}
}

func gifts(from, count int) []tape.Gift {
	var all []tape.Gift
	for i := range count {
		all = append(all, tape.Gift{ID: tape.ID(fmt.Sprintf("g%d", from+i)), Amount: money.New(100, "CNY")})
	}
	return all
}

func give(t *testing.T, lanes *Lanes, from, count int) []Status {
	t.Helper()
	all, err := lanes.Gifts(t.Context(), charity, gifts(from, count))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func await(t *testing.T, lanes *Lanes, s Status, kind string) Status {
	t.Helper()
	s, err := lanes.Await(t.Context(), s, kind, func(ctx context.Context) (Status, bool, error) { return ask(ctx, lanes, s, kind) })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestGather sends a gift at rest at once, lets others gather meanwhile, and
// sends a full page without waiting for the first.
func TestGather(t *testing.T) {
	calm(t, Settings{PageGifts: 5}, func(t *testing.T, lanes *Lanes, ledger *scripted) {
		begun := time.Now()
		first := give(t, lanes, 0, 1)
		synctest.Wait()
		rest := give(t, lanes, 1, 7)
		if s := await(t, lanes, first[0], outbox.Gift); s.State != outbox.Done || time.Since(begun) != blockTime {
			t.Errorf("the gift at rest is %s after %s, want done after one block", s.State, time.Since(begun))
		}
		await(t, lanes, rest[6], outbox.Gift)
		var sizes []int
		for _, size := range ledger.pages {
			sizes = append(sizes, size)
		}
		slices.Sort(sizes)
		if fmt.Sprint(sizes) != "[1 2 5]" || ledger.most != 2 {
			t.Errorf("pages of %v, %d at once; want [1 2 5], 2 at once", sizes, ledger.most)
		}
	})
}

// TestPagesInFlight fills what may be in flight and no more.
func TestPagesInFlight(t *testing.T) {
	calm(t, Settings{PageGifts: 5, PagesInFlight: 3}, func(t *testing.T, lanes *Lanes, ledger *scripted) {
		all := give(t, lanes, 0, 50)
		await(t, lanes, all[49], outbox.Gift)
		if ledger.most != 3 || len(ledger.pages) != 10 {
			t.Errorf("%d pages, %d at once; want 10, 3 at once", len(ledger.pages), ledger.most)
		}
	})
}

// TestOrder is a table: what is sent to one account, and what is under way with
// what. Pages go by themselves; what writes the head goes alone, in order; what
// an earlier head command makes waits for it.
func TestOrder(t *testing.T) {
	for _, test := range []struct{ sent, want string }{
		{"Spend Spend Hold", "Spend|Spend|Hold"},
		{"Hold Capture Capture Capture", "Hold|Capture+Capture+Capture"},
		{"Capture Capture Spend Capture", "Capture+Capture|Spend|Capture"},
		{"Open Memo Spend", "Open|Memo|Spend"},
		{"OpenJob RunChunk RunChunk CloseJob", "OpenJob|RunChunk+RunChunk|CloseJob"},
		{"FileStatement FileLines", "FileStatement|FileLines"},
	} {
		calm(t, Settings{}, func(t *testing.T, lanes *Lanes, ledger *scripted) {
			ledger.submit = func(function string, argument []byte) (bool, error) {
				time.Sleep(blockTime)
				return function == "Tape:FileLines", nil
			}
			var last Status
			for i, name := range strings.Fields(test.sent) {
				argument := fmt.Appendf(nil, `{"account":%q,"id":"c%d"}`, charity, i)
				if name == "FileLines" {
					var err error
					lines := tape.FileLines{Account: charity, ID: tape.ID(fmt.Sprintf("c%d", i)), Statement: "s", Lines: []tape.Line{{Number: 1, Date: "2026-01-01", Amount: money.New(1, "CNY")}}}
					if argument, err = lines.Encode(); err != nil {
						t.Fatal(err)
					}
				}
				status, err := lanes.Submit(t.Context(), "Tape:"+name, argument)
				if err != nil {
					t.Fatal(err)
				}
				last = status
			}
			await(t, lanes, last, "")
			synctest.Wait()
			var blocks []string
			for _, together := range ledger.together {
				blocks = append(blocks, strings.Join(together, "+"))
			}
			if got := strings.Join(blocks, "|"); got != test.want {
				t.Errorf("%s goes as %s, want %s", test.sent, got, test.want)
			}
		})
	}
}

// TestGivingUp is a table: what the ledger answers for ever, and how a command ends.
func TestGivingUp(t *testing.T) {
	for _, test := range []struct {
		answer error
		state  outbox.State
		reason string
		after  time.Duration
	}{
		{&fabric.Transient{Cause: fabric.Mismatch, Text: "they disagree"}, outbox.Failed, "unavailable: they disagree", time.Minute},
		{&fabric.Transient{Cause: fabric.Lagging, Refusal: rule.Refuse(rule.NotFound, "no page"), Text: "late"}, outbox.Refused, "not-found: no page", time.Minute},
		{&fabric.CommitFailure{TransactionID: "tx", Code: "ENDORSEMENT_POLICY_FAILURE"}, outbox.Failed, "unavailable: transaction tx was ordered and did not count (ENDORSEMENT_POLICY_FAILURE)", 0},
		{rule.Refuse(rule.Insufficient, "too much"), outbox.Refused, "insufficient: too much", 0},
		{rule.Refuse(rule.NotFound, "no account"), outbox.Refused, "not-found: no account", 0},
		{&fabric.Transient{Cause: fabric.Unreachable, Text: "the bank's peer does not answer"}, outbox.Waiting, "the bank's peer does not answer", time.Hour},
		{errors.New("odd"), outbox.Waiting, "odd", time.Hour},
	} {
		calm(t, Settings{}, func(t *testing.T, lanes *Lanes, ledger *scripted) {
			ledger.submit = func(string, []byte) (bool, error) { return true, test.answer }
			status, err := lanes.Submit(t.Context(), "Tape:Spend", fmt.Appendf(nil, `{"account":%q,"id":"x"}`, charity))
			if err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			status, err = lanes.Await(ctx, status, "", func(ctx context.Context) (Status, bool, error) { return lanes.Command(ctx, "x") })
			reason := status.Trouble
			if status.Refusal != nil {
				reason = status.Refusal.Error()
			}
			if err != nil || status.State != test.state || !strings.HasSuffix(reason, test.reason) || time.Since(begun) < test.after {
				t.Errorf("%v: %s, %q after %s (%v), want %s, %q after %s", test.answer, status.State, reason, time.Since(begun), err, test.state, test.reason, test.after)
			}
		})
	}
}

// TestStatusFirst asks what became of the transaction that was under way when
// the gateway died, and sends nothing when it committed.
func TestStatusFirst(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	synctest.Test(t, func(t *testing.T) {
		ledger := &scripted{fakeLedger: newFakeLedger(1)}
		ledger.calm = true
		lanes, stop := start(t, path, ledger, Settings{})
		status, err := lanes.Submit(t.Context(), "Tape:Spend", fmt.Appendf(nil, `{"account":%q,"id":"x"}`, charity))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(blockTime / 2) // ordered, not committed
		stop()
		lanes, stop = start(t, path, ledger, Settings{})
		defer stop()
		if status = await(t, lanes, status, ""); status.State != outbox.Done || string(status.Entry) != "entry x" || len(ledger.sent) != 1 {
			t.Errorf("%+v after %d submissions, want done after one", status, len(ledger.sent))
		}
	})
}

// TestUnnamedFault finds the bad item of a batch that was refused without naming it.
func TestUnnamedFault(t *testing.T) {
	calm(t, Settings{}, func(t *testing.T, lanes *Lanes, ledger *scripted) {
		for _, page := range []string{"p1", "p2", "p3"} {
			ledger.pages[charity+" "+page] = 1
		}
		ledger.submit = func(function string, argument []byte) (bool, error) {
			bad := strings.Contains(string(argument), `"p2"`)
			return bad, rule.Refuse(rule.Conflict, "something does not agree")
		}
		all, err := lanes.Settle(t.Context(), charity, []tape.SettleItem{{Source: "p1", SelfDeclared: true}, {Source: "p2", SelfDeclared: true}, {Source: "p3", SelfDeclared: true}})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []outbox.State{outbox.Done, outbox.Refused, outbox.Done} {
			if s := await(t, lanes, all[i], outbox.Settlement); s.State != want {
				t.Errorf("%s is %s, want %s", s.ID, s.State, want)
			}
		}
	})
}

// TestBusy turns more away than may wait, and keeps nothing of it.
func TestBusy(t *testing.T) {
	calm(t, Settings{BacklogMembers: 10, BacklogCommands: 1}, func(t *testing.T, lanes *Lanes, ledger *scripted) {
		var busy *Busy
		if _, err := lanes.Gifts(t.Context(), charity, gifts(0, 11)); !errors.As(err, &busy) {
			t.Errorf("11 gifts: %v", err)
		}
		if _, found, _ := lanes.Gift(t.Context(), charity, "g0"); found {
			t.Error("a gift that was turned away is kept")
		}
		all := give(t, lanes, 0, 10)
		await(t, lanes, all[9], outbox.Gift)
	})
}

// TestEnvelope is a table: function and argument, and their id, lane or refusal.
func TestEnvelope(t *testing.T) {
	for _, test := range []struct{ function, argument, want string }{
		{"Tape:Spend", `{"account":"charity:a:b","id":"x"}`, "x charity:a:b"},
		{"Tape:Spend", `{"command":{"account":"charity:a:b","id":"x"},"intents":[]}`, "x charity:a:b"},
		{"Party:Join", `{"charter":"00","id":"x"}`, "x Party"},
		{"Tape:Spend", `{"account":"charity:a:b"}`, "invalid"},
		{"Tape:Spend", `{"account":"charity:a:b","id":"a/b"}`, "invalid"},
		{"Tape:Spend", `[]`, "invalid"},
		{"Tape:Spend", `nothing`, "invalid"},
		{"Tape:Receive", `{"account":"charity:a:b","id":"x"}`, "invalid"},
		{"Tape:spend", `{"account":"charity:a:b","id":"x"}`, "invalid"},
		{"Spend", `{"account":"charity:a:b","id":"x"}`, "invalid"},
		{"Tape:Spend", `{"id":"` + strings.Repeat("x", fabric.ArgumentBytesMax) + `"}`, "invalid"},
	} {
		id, account, err := envelope(test.function, []byte(test.argument))
		got := id + " " + account
		if rule.Is(err, rule.Invalid) {
			got = "invalid"
		}
		if got != test.want {
			t.Errorf("%s %.80s: %s (%v), want %s", test.function, test.argument, got, err, test.want)
		}
	}
}

// TestBlame is a table: a refusal of a batch, the member at fault and what its sender reads.
func TestBlame(t *testing.T) {
	for _, test := range []struct{ kind, text, want string }{
		{outbox.Gift, "field gifts[2].amount: is zero", "2 invalid: field amount: is zero"},
		{outbox.Gift, "field gifts[2]: gift x stands twice", "2 invalid: gift x stands twice"},
		{outbox.Settlement, "field items[0]: is settled already", "0 invalid: is settled already"},
		{outbox.Settlement, "field items[3]: is settled already", "-1 invalid: field items[3]: is settled already"},
		{outbox.Settlement, "field gifts[0]: odd", "-1 invalid: field gifts[0]: odd"},
		{outbox.Settlement, "no such account", "-1 invalid: no such account"},
	} {
		at, own := blame(test.kind, 3, &rule.Refusal{Code: rule.Invalid, Text: test.text})
		if got := fmt.Sprintf("%d %s", at, own); got != test.want {
			t.Errorf("%s %s: %s, want %s", test.kind, test.text, got, test.want)
		}
	}
}

// TestSettleInTurn settles in the order of acceptance: what was asked for before
// a payment is settled before it, what was asked for after it comes after.
func TestSettleInTurn(t *testing.T) {
	calm(t, Settings{}, func(t *testing.T, lanes *Lanes, ledger *scripted) {
		var order []string
		ledger.submit = func(function string, argument []byte) (bool, error) {
			ledger.mutex.Lock()
			order = append(order, string(argument))
			ledger.mutex.Unlock()
			return false, nil
		}
		for _, page := range []string{"p1", "p2", "p3"} {
			ledger.pages[charity+" "+page] = 1
		}
		spend := func(id string) Status {
			status, err := lanes.Submit(t.Context(), "Tape:Spend", fmt.Appendf(nil, `{"account":%q,"id":%q}`, charity, id))
			if err != nil {
				t.Fatal(err)
			}
			return status
		}
		settle := func(source string) Status {
			all, err := lanes.Settle(t.Context(), charity, []tape.SettleItem{{Source: source, SelfDeclared: true}})
			if err != nil {
				t.Fatal(err)
			}
			return all[0]
		}
		spend("s0")
		synctest.Wait()
		settle("p1")
		settle("p2")
		spend("s1")
		await(t, lanes, settle("p3"), outbox.Settlement)
		want := []string{`"s0"`, `"p1"`, `"s1"`, `"p3"`}
		for i, part := range want {
			if i >= len(order) || !strings.Contains(order[i], part) {
				t.Fatalf("the order is %q, want one with each of %v", order, want)
			}
		}
		if len(order) != len(want) {
			t.Errorf("%d submissions, want %d: p1 and p2 go together", len(order), len(want))
		}
	})
}
