package personal

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	family    = tape.AccountID("outside:household:aponmlkjihgfedcbaponmlkjihgfedcb")
	neighbour = tape.AccountID("outside:household:bponmlkjihgfedcbaponmlkjihgfedca")
	later     = tape.Date("2050-01-01")
)

func household(payee tape.AccountID) Entry {
	return Entry{Class: dossier.Household, Collection: shared, Fields: dossier.Fields{Name: "王虚构 Nobody Invented", Payee: payee}}
}

// stands is what the ledger and the member's peer say about a record.
func (w *world) stands(record dossier.Pseudonym) string {
	w.Helper()
	value, err := w.desk().Show(w.Context(), shared, record)
	shown := "value " + value.Fields.Name
	if err != nil {
		shown = "no value"
	}
	note, err := w.desk().noteOf(w.Context(), shared, record)
	w.must(err)
	if note == nil {
		return shown + ", no note"
	}
	noted := strings.TrimSpace(fmt.Sprintf("%s, %s %s", shown, note.State, note.Reason))
	if data, err := value.Encode(); note.State == dossier.Kept && (err != nil || dossier.HashOf(data) != note.Hash) {
		noted += " of another"
	}
	return noted
}

// killed runs what a desk does and ends it at the n-th step, as the death of
// the process would; it reports whether it came to that.
func (w *world) killed(n int, do func()) bool {
	steps, dead := 0, make(chan bool)
	w.step = func() {
		if steps++; steps == n {
			runtime.Goexit()
		}
	}
	go func() {
		defer func() { dead <- steps == n }()
		do()
	}()
	was := <-dead
	w.step = func() {}
	return was
}

// TestDeath kills the process between each two steps: after the next start
// either nothing was done or all of it, and who asks again is answered.
func TestDeath(t *testing.T) {
	const kept, purged, nothing = "value 王虚构 Nobody Invented, kept", "no value, purged requested", "no value, no note"
	record := pseudonymOf("record")
	for _, c := range []struct {
		name   string
		before func(*Desk) error
		do     func(*Desk) error
		// after is what stands after a death at a step and the next start.
		after []string
		again string
	}{
		{"keep", nil, func(d *Desk) error {
			e := household(family)
			e.Record = record
			_, err := d.Keep(t.Context(), e)
			return err
		}, []string{nothing, nothing, nothing, kept, kept, kept, kept, kept}, kept},
		{"purge", func(d *Desk) error {
			e := household(family)
			e.Record = record
			_, err := d.Keep(t.Context(), e)
			return err
		}, func(d *Desk) error {
			_, err := d.Purge(t.Context(), shared, record, dossier.Requested)
			return err
		}, []string{kept, purged, purged, purged, purged, purged, purged, purged}, purged},
	} {
		for n, want := range c.after {
			w := newWorld(t)
			if c.before != nil {
				w.must(c.before(w.desk()))
			}
			if !w.killed(n+1, func() { _ = c.do(w.desk()) }) {
				t.Fatalf("%s has no step %d", c.name, n+1)
			}
			w.now = w.now.Add(time.Hour) // what has not come by now never will
			if left, err := w.desk().Resume(t.Context()); left != 0 || err != nil {
				t.Errorf("%s, killed at %d: %d left, %v", c.name, n+1, left, err)
			}
			if got := w.stands(record); got != want {
				t.Errorf("%s, killed at %d: %s; want %s", c.name, n+1, got, want)
			}
			if err := c.do(w.desk()); err != nil && !(c.name == "purge" && rule.Is(err, rule.NotFound)) {
				t.Errorf("%s, killed at %d, asked again: %v", c.name, n+1, err)
			}
			if got := w.stands(record); got != c.again {
				t.Errorf("%s, killed at %d, asked again: %s; want %s", c.name, n+1, got, c.again)
			}
		}
		if w := newWorld(t); c.before == nil && w.killed(len(c.after)+1, func() { _ = c.do(w.desk()) }) {
			t.Errorf("%s has more than %d steps", c.name, len(c.after))
		}
	}
}

func pseudonymOf(seed string) dossier.Pseudonym {
	var random [16]byte
	copy(random[:], "0f1e2d3c4b5a6978"+seed)
	for i := range random {
		random[i] ^= byte(i*37) ^ byte(len(seed)*11)
	}
	return tape.PseudonymOf(random)
}

// TestAWrongDayDestroysNothing: neither a new value nor the one that is there
// is touched when the day until which to keep it is wrong.
func TestAWrongDayDestroysNothing(t *testing.T) {
	w := newWorld(t)
	kept, err := w.desk().Keep(t.Context(), household(family))
	w.must(err)
	for _, c := range []struct{ day, answer string }{
		{"2020-01-01", "invalid: field keepUntil: must lie after"},
		{"2999-01-01", "invalid: field keepUntil: must lie after"},
		{"soon", "invalid: field keepUntil: is not a date"},
	} {
		e := household(family)
		e.Fields.Name, e.KeepUntil, e.Record, e.Replaces = "另一个 Another", tape.Date(c.day), kept.Record, &kept.Hash
		if _, err := w.desk().Keep(t.Context(), e); err == nil || !strings.Contains(err.Error(), c.answer) {
			t.Errorf("%s: %v", c.day, err)
		}
		if got := w.stands(kept.Record); got != "value 王虚构 Nobody Invented, kept" {
			t.Errorf("%s: %s", c.day, got)
		}
		height := w.network.Height()
		e.Record, e.Replaces = "", nil
		if _, err := w.desk().Keep(t.Context(), e); err == nil || w.network.Height() != height {
			t.Errorf("%s: %v, and %d blocks", c.day, err, w.network.Height()-height)
		}
	}
	if left, err := w.box.Errands(t.Context(), errandKind); len(left) > 0 || err != nil {
		t.Errorf("left to do: %v, %v", left, err)
	}
	// The right day replaces it.
	e := household(family)
	e.Fields.Name, e.KeepUntil, e.Record, e.Replaces = "另一个 Another", later, kept.Record, &kept.Hash
	_, err = w.desk().Keep(t.Context(), e)
	w.must(err)
	if got := w.stands(kept.Record); got != "value 另一个 Another, kept" {
		t.Errorf("replaced: %s", got)
	}
}

// TestAskedAgain: the same about the same record is the same; anything else is refused.
func TestAskedAgain(t *testing.T) {
	w := newWorld(t)
	kept, err := w.desk().Keep(t.Context(), household(family))
	w.must(err)
	e := household(family)
	e.Record = kept.Record
	if again, err := w.desk().Keep(t.Context(), e); err != nil || again.Hash != kept.Hash || again.Record != kept.Record {
		t.Errorf("again: %+v, %v", again, err)
	}
	e.Fields.Village = "虚构村"
	if _, err := w.desk().Keep(t.Context(), e); !rule.Is(err, rule.Exists) {
		t.Errorf("another about the same record: %v", err)
	}
	e.Record = "wang-xiaoming"
	if _, err := w.desk().Keep(t.Context(), e); !rule.Is(err, rule.Invalid) || strings.Contains(err.Error(), "xiaoming") {
		t.Errorf("a record that is a name: %v", err)
	}
	if _, err := w.desk().Purge(t.Context(), shared, pseudonymOf("nobody"), dossier.Requested); !rule.Is(err, rule.NotFound) {
		t.Errorf("a purge of nothing: %v", err)
	}
}

// TestStrikeOfWhatIsGone: a value that another program purged is noted as purged.
func TestStrikeOfWhatIsGone(t *testing.T) {
	w := newWorld(t)
	kept, err := w.desk().Keep(t.Context(), household(family))
	w.must(err)
	w.must(w.desk().private(t.Context(), plan{Do: purge, Collection: shared, Record: kept.Record, Hash: kept.Hash, Reason: dossier.Ended, Private: draw()}, nil))
	if got := w.stands(kept.Record); got != "no value, kept of another" {
		t.Fatal(got)
	}
	if _, err := w.desk().Purge(t.Context(), shared, kept.Record, dossier.Ended); err != nil {
		t.Error(err)
	}
	if got := w.stands(kept.Record); got != "no value, purged retention-ended" {
		t.Error(got)
	}
}

// TestOfAPayee: members find what is kept about a payee; erasure waits for the
// law, and for the documents that nothing rests on.
func TestOfAPayee(t *testing.T) {
	w := newWorld(t)
	d := w.desk()
	account := Entry{Class: dossier.PayeeBankAccount, Collection: shared, KeepUntil: later,
		Fields: dossier.Fields{Account: "0000 0000 0000 0001", Bank: "Invented Bank", Name: "王虚构", Payee: family}}
	for _, e := range []Entry{household(family), account, household(neighbour)} {
		_, err := d.Keep(t.Context(), e)
		w.must(err)
	}
	for member, want := range map[string]int{"charity": 2, "bank": 2, "coop": 0} {
		w.organisation = member
		found, err := w.desk().Of(t.Context(), family, neighbour)
		if err != nil || len(found[family]) != want || len(found[neighbour]) != want/2 {
			t.Errorf("%s finds %v, %v", member, found, err)
		}
	}
	w.organisation = "charity"
	today := tape.Date("2026-01-01")
	if err := d.AskErasure(t.Context(), "charity:charity:relief", family, today); !rule.Is(err, rule.WrongState) || !strings.Contains(err.Error(), string(later)) {
		t.Errorf("what must be kept: %v", err)
	}
	if err := d.AskErasure(t.Context(), "charity:charity:relief", "outside:household:cponmlkjihgfedcbaponmlkjihgfedba", today); !rule.Is(err, rule.NotFound) {
		t.Errorf("nobody: %v", err)
	}
	w.must(d.AskErasure(t.Context(), "charity:charity:relief", neighbour, today))
	open, err := d.Erasures(t.Context())
	if err != nil || len(open) != 1 || open[0].Payee != neighbour || open[0].Account != "charity:charity:relief" {
		t.Errorf("asked: %v, %v", open, err)
	}
	found, err := d.Of(t.Context(), neighbour)
	w.must(err)
	record := found[neighbour][0].Record
	if _, err := d.Erase(t.Context(), family, shared, record, dossier.Requested, today); !rule.Is(err, rule.NotFound) {
		t.Errorf("another's: %v", err)
	}
	photo, err := w.archive.Put(t.Context(), "photo", "text/plain", strings.NewReader("a face"), string(neighbour))
	w.must(err)
	if _, err := d.Erase(t.Context(), neighbour, shared, record, dossier.Requested, today); err != nil {
		t.Error(err)
	}
	if open, err = d.Erasures(t.Context()); err != nil || len(open) != 1 {
		t.Errorf("a photo is left: %v, %v", open, err)
	}
	if err := d.Shred(t.Context(), family, photo.ID, today); !rule.Is(err, rule.NotFound) {
		t.Errorf("another's photo: %v", err)
	}
	w.must(d.Shred(t.Context(), neighbour, photo.ID, today))
	open, err = d.Erasures(t.Context())
	if found, _ := d.Of(t.Context(), neighbour); err != nil || len(open) != 0 || len(found) != 0 {
		t.Errorf("erased: %v, %v, %v", open, found, err)
	}
}

// TestUnfinished: the caller learns the record, and why.
func TestUnfinished(t *testing.T) {
	err := error(&Unfinished{shared, pseudonymOf("a"), rule.Refuse(rule.Expired, "too late")})
	var u *Unfinished
	if !errors.As(err, &u) || !strings.Contains(err.Error(), string(u.Record)) || !rule.Is(err, rule.Expired) {
		t.Error(err)
	}
}
