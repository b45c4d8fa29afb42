// Package personal keeps, shows and purges what an organisation knows about
// people. The values go to the members of a private data collection and are in
// no block; the ledger notes their salted hashes. Nothing of a value is logged
// here, and errors name fields, never what they hold.
package personal

import (
	"context"
	"crypto/rand"
	"slices"
	"sync"
	"time"

	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/document"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/outbox"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Ledger is the own peer as far as private values need it.
type Ledger interface {
	Submit(ctx context.Context, function string, argument []byte, sent func(string) error) (fabric.Receipt, error)
	SubmitPrivate(ctx context.Context, function string, argument []byte, p fabric.Private, sent func(string) error) (fabric.Receipt, error)
	Show(ctx context.Context, query dossier.ShowQuery) ([]byte, error)
}

// Notes are what the ledger says about values, as readmodel.Model keeps it.
type Notes interface {
	Record(ctx context.Context, key string) (readmodel.Record, error)
	Records(ctx context.Context, prefix string, window readmodel.Window) (readmodel.List[readmodel.Record], error)
	Citing(ctx context.Context, document merkle.Hash) (*readmodel.Entry, error)
}

// Documents are the organisation's own, as document.Archive keeps them.
type Documents interface {
	About(payee string) ([]document.Meta, error)
	ShredFor(ctx context.Context, id, reason string) error
}

// Errands keep what has been begun over a restart, as outbox.Outbox does.
type Errands interface {
	SetErrand(ctx context.Context, e outbox.Errand) error
	EndErrand(ctx context.Context, kind, name string) error
	Errands(ctx context.Context, kind string) ([]outbox.Errand, error)
}

// Desk is where one organisation's personal data is handled.
type Desk struct {
	Ledger       Ledger
	Notes        Notes
	Errands      Errands
	Documents    Documents
	Organisation string
	// Collections are the members of each; the organisation's own one is added.
	Collections map[string][]string
	// Own is the organisation's own collection.
	Own string
	// Now is the clock.
	Now func() time.Time

	mutex sync.Mutex
	// payees are whom the values are about, by their places; no value is held here.
	payees map[place]about
}

// Entry is what is to be kept about somebody.
type Entry struct {
	Class      dossier.Class      `json:"class"`
	Collection dossier.Collection `json:"collection,omitempty"`
	Fields     dossier.Fields     `json:"fields"`
	// KeepUntil is the first day on which it may be purged; none for any day.
	KeepUntil tape.Date `json:"keepUntil,omitempty"`
	// Record to repeat or to replace; empty to draw a new one.
	Record dossier.Pseudonym `json:"record,omitempty"`
	// Replaces is the hash of the value that this one takes the place of.
	Replaces *dossier.Hash `json:"replaces,omitempty"`
}

// Kept says under which name a value is kept. It can be given to the ledger's
// other commands; it says nothing about whom it is.
type Kept struct {
	Collection dossier.Collection `json:"collection"`
	Record     dossier.Pseudonym  `json:"record"`
	Hash       dossier.Hash       `json:"hash"`
	Class      dossier.Class      `json:"class"`
	KeepUntil  tape.Date          `json:"keepUntil,omitempty"`
	// Block holds the note; 0 where the value was noted before.
	Block uint64 `json:"block"`
}

// Unfinished says that something was begun and not seen to its end. The desk
// goes on with it by itself; asked again with the record, it answers for it.
type Unfinished struct {
	Collection dossier.Collection
	Record     dossier.Pseudonym
	Cause      error
}

// Error implements error.
func (u *Unfinished) Error() string {
	return "record " + string(u.Record) + " in " + string(u.Collection) + " was begun and is not finished: " + u.Cause.Error()
}

// Unwrap is why.
func (u *Unfinished) Unwrap() error { return u.Cause }

// members are the organisations that endorse and hold a collection.
func (d *Desk) members(collection dossier.Collection) ([]string, error) {
	if string(collection) == d.Own {
		return []string{d.Organisation}, nil
	}
	members := d.Collections[string(collection)]
	if !slices.Contains(members, d.Organisation) {
		return nil, rule.Field("collection", rule.Refuse(rule.NotFound, "%s is a member of no such collection", d.Organisation))
	}
	return members, nil
}

// salted gives a value its salt.
func salted(e Entry) ([]byte, error) {
	value := dossier.Value{V: 1, Class: e.Class, Fields: e.Fields}
	if _, err := rand.Read(value.Salt[:]); err != nil {
		return nil, err
	}
	if err := value.Check(); err != nil {
		return nil, err
	}
	return value.Encode()
}

func draw() dossier.Pseudonym {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the program first
	return tape.PseudonymOf(random)
}

// Show reads a value at the own peer.
func (d *Desk) Show(ctx context.Context, collection dossier.Collection, record dossier.Pseudonym) (dossier.Value, error) {
	query := dossier.ShowQuery{Collection: collection, Record: record}
	if err := query.Check(); err != nil {
		return dossier.Value{}, err
	}
	data, err := d.Ledger.Show(ctx, query)
	if err != nil {
		return dossier.Value{}, err
	}
	return dossier.ReadValue(data)
}

// Keep keeps a value at the members of a collection, and notes it on the
// ledger. What it begins it ends, whether or not its caller waits for that.
func (d *Desk) Keep(ctx context.Context, e Entry) (Kept, error) {
	if e.Collection == "" {
		e.Collection = dossier.Collection(d.Own)
	}
	if _, err := d.members(e.Collection); err != nil {
		return Kept{}, err
	}
	value, err := salted(e)
	if err != nil {
		return Kept{}, err
	}
	if e.Record == "" {
		e.Record = draw()
	} else if err := e.Record.Check(); err != nil {
		return Kept{}, rule.Field("record", err)
	} else if kept, found, err := d.keptBefore(ctx, e); found || err != nil {
		return kept, err
	}
	p := plan{V: 1, Do: keep, Collection: e.Collection, Record: e.Record, Class: e.Class, Hash: dossier.HashOf(value), KeepUntil: e.KeepUntil,
		Replaces: e.Replaces, Private: draw(), Public: draw()}
	err = d.begin(ctx, &p, value) // which learns the block of the note
	return p.kept(), err
}

// keptBefore answers who asks again for what is kept already, first ending
// what was begun about the record.
func (d *Desk) keptBefore(ctx context.Context, e Entry) (Kept, bool, error) {
	p, _, err := d.pending(ctx, e.Record)
	if err == nil && p != nil && p.Do == keep {
		if block, err := d.public(ctx, *p); err == nil {
			p.Block = block
			err = d.Errands.EndErrand(ctx, errandKind, string(p.Record))
			return p.kept(), true, err
		}
	}
	if err != nil || e.Replaces != nil {
		return Kept{}, false, err
	}
	note, err := d.noteOf(ctx, e.Collection, e.Record)
	if err != nil || note == nil || note.State != dossier.Kept {
		return Kept{}, false, err
	}
	value, err := d.Show(ctx, e.Collection, e.Record)
	same := err == nil && value.Class == e.Class && value.Fields == e.Fields && note.KeepUntil == e.KeepUntil
	return Kept{Collection: note.Collection, Record: note.Record, Hash: note.Hash, Class: note.Class, KeepUntil: note.KeepUntil}, same, nil
}

// Purge removes a value at all members, with its history, and notes why. Where
// the value is gone and the note was not written, it writes the note.
func (d *Desk) Purge(ctx context.Context, collection dossier.Collection, record dossier.Pseudonym, reason dossier.Reason) (uint64, error) {
	query := dossier.ShowQuery{Collection: collection, Record: record}
	if err := first(rule.Field("reason", reason.Check()), query.Check()); err != nil {
		return 0, err
	}
	if _, err := d.members(collection); err != nil {
		return 0, err
	}
	p, _, err := d.pending(ctx, record)
	if err != nil {
		return 0, err
	}
	if p == nil || p.Do == keep {
		p = &plan{V: 1, Do: purge, Collection: collection, Record: record, Reason: reason, Private: draw(), Public: draw()}
		if err := d.aim(ctx, p); err != nil {
			return 0, err
		}
	}
	if err := d.begin(ctx, p, nil); err != nil {
		return 0, err
	}
	return p.Block, nil
}

// aim finds out which value a purge is of.
func (d *Desk) aim(ctx context.Context, p *plan) error {
	value, err := d.Show(ctx, p.Collection, p.Record)
	if err == nil {
		data, err := value.Encode()
		p.Class, p.Hash = value.Class, dossier.HashOf(data)
		return err
	}
	if !rule.Is(err, rule.NotFound) {
		return err
	}
	note, told := d.noteOf(ctx, p.Collection, p.Record)
	if told != nil {
		return told
	}
	if note == nil || note.State != dossier.Kept || note.Organisation != d.Organisation {
		return err // the value's absence is all that is known
	}
	p.Do, p.Class, p.Hash = strike, note.Class, note.Hash
	return nil
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
