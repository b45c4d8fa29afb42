package outbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/rule"
)

func open(t *testing.T, path string, settings Settings) *Outbox {
	t.Helper()
	o, err := Open(t.Context(), path, settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Close() })
	return o
}

func command(id, argument string) Command {
	return Command{ID: id, Function: "Tape:Spend", Account: "charity:a:b", Argument: []byte(argument)}
}

// TestAccept is a table: what stands, what comes, and what is said.
func TestAccept(t *testing.T) {
	refuse := func(o *Outbox) error { return o.End(t.Context(), "x", Refused, "insufficient: too much") }
	fail := func(o *Outbox) error { return o.End(t.Context(), "x", Failed, "unavailable: given up") }
	finish := func(o *Outbox) error {
		return o.Finish(t.Context(), "x", Receipt{Entry: []byte("entry"), TransactionID: "tx", Block: 7})
	}
	sent := func(o *Outbox) error { return o.Sent(t.Context(), "x", "tx") }
	for _, test := range []struct {
		name     string
		before   func(*Outbox) error
		argument string
		want     string
	}{
		{"the same while it waits", nil, "1", "waiting, not fresh"},
		{"another while it waits", nil, "2", "exists"},
		{"the same while it is sent", sent, "1", "submitted, not fresh"},
		{"the same when done", finish, "1", "done, not fresh"},
		{"another when done", finish, "2", "exists"},
		{"the same when refused", refuse, "1", "waiting, fresh"},
		{"another when refused", refuse, "2", "waiting, fresh"},
		{"the same when given up", fail, "1", "waiting, fresh"},
	} {
		path := filepath.Join(t.TempDir(), "outbox.db")
		o := open(t, path, Settings{})
		if _, fresh, err := o.Accept(t.Context(), command("x", "1")); err != nil || !fresh {
			t.Fatal(fresh, err)
		}
		if test.before != nil {
			if err := test.before(o); err != nil {
				t.Fatal(err)
			}
		}
		if err := o.Close(); err != nil { // what was promised must survive
			t.Fatal(err)
		}
		o = open(t, path, Settings{})
		c, fresh, err := o.Accept(t.Context(), command("x", test.argument))
		got := map[bool]string{true: string(c.State) + ", fresh", false: string(c.State) + ", not fresh"}[fresh]
		if rule.Is(err, rule.Exists) {
			got = "exists"
		} else if err != nil {
			t.Error(err)
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// TestEndsOnce refuses a second ending: two lanes would be carrying one command.
func TestEndsOnce(t *testing.T) {
	o := open(t, filepath.Join(t.TempDir(), "outbox.db"), Settings{})
	if _, _, err := o.Accept(t.Context(), command("x", "1")); err != nil {
		t.Fatal(err)
	}
	if err := o.Finish(t.Context(), "x", Receipt{Entry: []byte("entry")}); err != nil {
		t.Fatal(err)
	}
	if o.Finish(t.Context(), "x", Receipt{}) == nil || o.End(t.Context(), "x", Refused, "") == nil || o.Sent(t.Context(), "x", "tx") == nil {
		t.Error("a command ended twice")
	}
	c, found, err := o.Command(t.Context(), "x")
	if err != nil || !found || string(c.Entry) != "entry" || c.Argument != nil {
		t.Errorf("%+v %v %v", c, found, err)
	}
}

// TestMembers walks a batch through being refused, taken apart and done.
func TestMembers(t *testing.T) {
	o := open(t, filepath.Join(t.TempDir(), "outbox.db"), Settings{})
	member := func(id, content string) Member { return Member{Account: "a", Kind: Gift, ID: id, Content: content} }
	all, fresh, err := o.Add(t.Context(), []Member{member("1", "one"), member("2", "two"), member("3", "three")})
	if err != nil || fresh != 3 || len(all) != 3 {
		t.Fatal(all, fresh, err)
	}
	if _, _, err := o.Add(t.Context(), []Member{member("4", "four"), member("2", "other")}); !rule.Is(err, rule.Exists) {
		t.Errorf("other content: %v", err)
	}
	if _, found, _ := o.Member(t.Context(), "a", Gift, "4"); found {
		t.Error("half of a refused list was kept")
	}
	bundle := func(id string) []Member {
		waiting, err := o.Unbundled(t.Context(), "a", Gift, 10)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Bundle(t.Context(), Command{ID: id, Function: "Tape:Receive", Account: "a", Gathered: Gift}, waiting); err != nil {
			t.Fatal(err)
		}
		return waiting
	}
	waiting := bundle("page-1")
	if err := o.Drop(t.Context(), "page-1", &waiting[1], "invalid: unlucky"); err != nil {
		t.Fatal(err)
	}
	if rest := bundle("page-2"); len(rest) != 2 || rest[0].ID != "1" || rest[1].ID != "3" {
		t.Errorf("the rest is %+v", rest)
	}
	if err := o.Finish(t.Context(), "page-2", Receipt{Entry: []byte("entry"), Block: 5}); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]State{"1": Done, "2": Refused, "3": Done} {
		if m, found, err := o.Member(t.Context(), "a", Gift, id); err != nil || !found || m.State() != want {
			t.Errorf("%s is %s, want %s (%v)", id, m.State(), want, err)
		}
	}
	if standing, fresh, err := o.Add(t.Context(), []Member{member("1", "one"), member("2", "mended")}); err != nil || fresh != 1 || standing[0].State() != Done || standing[1].State() != Waiting {
		t.Errorf("sent again: %+v %d %v", standing, fresh, err)
	}
}

// TestCrash dies at every write, before and after the commit: what was answered
// stands, what was not answered stands whole or not at all.
func TestCrash(t *testing.T) {
	died := errors.New("died")
	for at := range 8 {
		for _, moment := range []Moment{BeforeCommit, AfterCommit} {
			path := filepath.Join(t.TempDir(), "outbox.db")
			writes := 0
			o := open(t, path, Settings{Crash: func(m Moment) error {
				if m == BeforeCommit {
					writes++
				}
				if writes == at+1 && m == moment {
					return died
				}
				return nil
			}})
			answered := 0
			for i := range 8 {
				_, _, err := o.Accept(t.Context(), command(fmt.Sprint("c", i), "1"))
				if err == nil {
					answered++
				} else if !errors.Is(err, ErrClosed) {
					t.Fatal(err)
				}
			}
			_ = o.Close()
			o = open(t, path, Settings{})
			standing := 0
			if err := o.Open(t.Context(), func(Command) { standing++ }); err != nil {
				t.Fatal(err)
			}
			want := at
			if moment == AfterCommit {
				want++
			}
			if answered != at || standing != want {
				t.Errorf("death at write %d %s: %d answered, %d stand, want %d and %d", at, moment, answered, standing, at, want)
			}
			_ = o.Close()
		}
	}
}

// TestGroups lets many write at once: one that is refused takes no neighbour with it.
func TestGroups(t *testing.T) {
	o := open(t, filepath.Join(t.TempDir(), "outbox.db"), Settings{})
	var writers sync.WaitGroup
	for i := range 200 {
		writers.Go(func() {
			_, _, err := o.Accept(t.Context(), command(fmt.Sprint("c", i%100), fmt.Sprint(i%100+i/150)))
			if err != nil && !rule.Is(err, rule.Exists) {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	count := 0
	if err := o.Open(t.Context(), func(Command) { count++ }); err != nil || count != 100 {
		t.Errorf("%d commands stand, want 100 (%v)", count, err)
	}
}

// TestOneHolder keeps a second gateway from the same outbox.
func TestOneHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	o := open(t, path, Settings{})
	if second, err := Open(t.Context(), path, Settings{}); err == nil {
		_ = second.Close()
		t.Error("two gateways hold one outbox")
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path, Settings{})
}

// TestNewer refuses the file of a newer gateway.
func TestNewer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	o := open(t, path, Settings{})
	if _, err := o.writer.exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if newer, err := Open(t.Context(), path, Settings{}); err == nil {
		_ = newer.Close()
		t.Error("the file of a newer gateway was opened")
	}
}

// TestAnswers keeps the first answer to a key and no second.
func TestAnswers(t *testing.T) {
	o := open(t, filepath.Join(t.TempDir(), "outbox.db"), Settings{})
	first := Answer{Digest: []byte{1}, Status: 201, Header: []string{"A: b", "C: d"}, Body: []byte("body")}
	for _, a := range []Answer{first, {Digest: []byte{2}, Status: 500, Body: []byte("other")}} {
		if err := o.Answer(t.Context(), "key", a); err != nil {
			t.Fatal(err)
		}
	}
	got, found, err := o.Answered(t.Context(), "key")
	if err != nil || !found || got.Status != 201 || !bytes.Equal(got.Body, first.Body) || fmt.Sprint(got.Header) != fmt.Sprint(first.Header) {
		t.Errorf("%+v %v %v", got, found, err)
	}
	if _, found, err := o.Answered(t.Context(), "none"); found || err != nil {
		t.Error(found, err)
	}
}

// TestCursor keeps where somebody stands.
// TestErrands: noted, found in order, changed, done.
func TestErrands(t *testing.T) {
	now := time.UnixMilli(1_000)
	path := filepath.Join(t.TempDir(), "outbox.db")
	o := open(t, path, Settings{Clock: func() time.Time { now = now.Add(time.Second); return now }})
	for _, e := range []Errand{{Kind: "a", Name: "y", Text: "1"}, {Kind: "a", Name: "x", Text: "2"}, {Kind: "b", Name: "y", Text: "3"}, {Kind: "a", Name: "y", Text: "4"}} {
		if err := o.SetErrand(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(o.EndErrand(t.Context(), "a", "nothing"), o.Close()); err != nil {
		t.Fatal(err)
	}
	o = open(t, path, Settings{})
	list, err := o.Errands(t.Context(), "a")
	if got := fmt.Sprint(list); err != nil || got != "[{a y 4 2000} {a x 2 3000}]" {
		t.Errorf("%s, %v", got, err)
	}
	if err := o.EndErrand(t.Context(), "a", "y"); err != nil {
		t.Fatal(err)
	}
	if list, err = o.Errands(t.Context(), "a"); err != nil || len(list) != 1 || list[0].Name != "x" {
		t.Errorf("%v, %v", list, err)
	}
}

func TestCursor(t *testing.T) {
	o := open(t, filepath.Join(t.TempDir(), "outbox.db"), Settings{})
	for _, value := range []string{"", "1", "2"} {
		if value != "" {
			if err := o.SetCursor(t.Context(), "import", value); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := o.Cursor(t.Context(), "import"); err != nil || got != value {
			t.Errorf("%q %v, want %q", got, err, value)
		}
	}
}

// TestPrune forgets what the ledger knows, and never a gift.
func TestPrune(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	o := open(t, filepath.Join(t.TempDir(), "outbox.db"), Settings{Clock: func() time.Time { return now }})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range []string{Gift, Settlement} {
		_, _, err := o.Add(t.Context(), []Member{{Account: "a", Kind: kind, ID: "m", Content: "c"}})
		must(err)
		members, err := o.Unbundled(t.Context(), "a", kind, 1)
		must(err)
		_, err = o.Bundle(t.Context(), Command{ID: "batch-" + kind, Function: "f", Account: "a", Gathered: kind}, members)
		must(err)
		must(o.Finish(t.Context(), "batch-"+kind, Receipt{Entry: []byte("entry")}))
	}
	for _, id := range []string{"old", "open"} {
		_, _, err := o.Accept(t.Context(), command(id, "1"))
		must(err)
	}
	must(o.Finish(t.Context(), "old", Receipt{}))
	must(o.Answer(t.Context(), "key", Answer{Digest: []byte{1}, Body: []byte{}}))
	must(o.Prune(t.Context(), now)) // nothing is older than now
	if _, found, err := o.Command(t.Context(), "old"); !found || err != nil {
		t.Error("what is not old was forgotten", err)
	}
	must(o.Prune(t.Context(), now.Add(time.Millisecond)))
	for id, want := range map[string]bool{"old": false, "open": true, "batch-" + Gift: true, "batch-" + Settlement: false} {
		if _, found, err := o.Command(t.Context(), id); found != want || err != nil {
			t.Errorf("command %s: %v, want %v (%v)", id, found, want, err)
		}
	}
	for kind, want := range map[string]bool{Gift: true, Settlement: false} {
		m, found, err := o.Member(t.Context(), "a", kind, "m")
		if found != want || err != nil || (want && m.State() != Done) {
			t.Errorf("member of kind %s: %v %s, want %v (%v)", kind, found, m.State(), want, err)
		}
	}
	if _, found, _ := o.Answered(t.Context(), "key"); found {
		t.Error("an old answer is kept")
	}
}

// TestClosed answers everyone, also those who were in the queue.
func TestClosed(t *testing.T) {
	o := open(t, filepath.Join(t.TempDir(), "outbox.db"), Settings{})
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if err := o.SetCursor(context.Background(), "a", "b"); !errors.Is(err, ErrClosed) {
		t.Errorf("writing says %v", err)
	}
	if _, err := o.Cursor(context.Background(), "a"); !errors.Is(err, ErrClosed) {
		t.Errorf("reading says %v", err)
	}
	if err := o.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}
