package personal

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/outbox"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// place is where a value is kept.
type place struct {
	collection dossier.Collection
	record     dossier.Pseudonym
}

// about is whom the value of a hash is about; nobody for one without a payee.
type about struct {
	hash  dossier.Hash
	payee tape.AccountID
}

// Holding is a value about a payee.
type Holding struct {
	Kept
	// Keeper is the organisation that keeps it, and alone can purge it.
	Keeper string
	Fields dossier.Fields
}

// Of finds what is kept about payees, as far as this organisation is a member.
// What links a payee to its values stands in the values alone: so the desk
// reads each value once at the own peer, and remembers of it only whom it is about.
func (d *Desk) Of(ctx context.Context, payees ...tape.AccountID) (map[tape.AccountID][]Holding, error) {
	notes, err := d.learn(ctx)
	if err != nil {
		return nil, err
	}
	found := map[tape.AccountID][]Holding{}
	for _, note := range notes {
		d.mutex.Lock()
		payee := d.payees[place{note.Collection, note.Record}].payee
		d.mutex.Unlock()
		if payee == "" || !slices.Contains(payees, payee) {
			continue
		}
		value, err := d.Show(ctx, note.Collection, note.Record)
		if rule.Is(err, rule.NotFound) {
			continue // purged since the note was read
		}
		if err != nil {
			return nil, err
		}
		found[payee] = append(found[payee], Holding{Keeper: note.Organisation, Fields: value.Fields,
			Kept: Kept{Collection: note.Collection, Record: note.Record, Hash: note.Hash, Class: value.Class, KeepUntil: note.KeepUntil}})
	}
	return found, nil
}

const (
	notesAtOnce = 1000
	readAtOnce  = 16
)

// learn reads the values that are new since it was last asked, and returns the
// notes of all that are kept.
func (d *Desk) learn(ctx context.Context) ([]dossier.Note, error) {
	var kept []dossier.Note
	for _, collection := range d.Places() {
		notes, err := d.notes(ctx, dossier.Collection(collection))
		if err != nil {
			return nil, err
		}
		kept = append(kept, notes...)
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	known := make(map[place]about, len(kept))
	var writing sync.Mutex
	work, working := errgroup.WithContext(ctx)
	work.SetLimit(readAtOnce)
	for _, note := range kept {
		at := place{note.Collection, note.Record}
		if before, read := d.payees[at]; read && before.hash == note.Hash {
			writing.Lock()
			known[at] = before
			writing.Unlock()
			continue
		}
		work.Go(func() error {
			value, err := d.Show(working, note.Collection, note.Record)
			if rule.Is(err, rule.NotFound) {
				return nil
			}
			writing.Lock()
			defer writing.Unlock()
			known[at] = about{note.Hash, value.Fields.Payee}
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	d.payees = known
	return kept, nil
}

// Places are the collections in which this organisation can keep something:
// those that it shares, and its own last.
func (d *Desk) Places() []string {
	var places []string
	for _, collection := range slices.Sorted(maps.Keys(d.Collections)) {
		if _, err := d.members(dossier.Collection(collection)); err == nil {
			places = append(places, collection)
		}
	}
	return append(places, d.Own)
}

// notes are those of a collection's values that are kept.
func (d *Desk) notes(ctx context.Context, collection dossier.Collection) ([]dossier.Note, error) {
	var kept []dossier.Note
	for after := ""; ; {
		list, err := d.Notes.Records(ctx, dossier.NoteKey(collection, ""), readmodel.Window{After: after, Limit: notesAtOnce})
		if err != nil {
			return nil, err
		}
		for _, record := range list.Items {
			var note dossier.Note
			if err := json.Unmarshal(record.Value, &note); err != nil {
				return nil, err
			}
			if note.State == dossier.Kept {
				kept = append(kept, note)
			}
		}
		if after = list.Next; after == "" {
			return kept, nil
		}
	}
}

// noteOf is what the ledger says about a record, nil for nothing.
func (d *Desk) noteOf(ctx context.Context, collection dossier.Collection, record dossier.Pseudonym) (*dossier.Note, error) {
	found, err := d.Notes.Record(ctx, dossier.NoteKey(collection, record))
	if rule.Is(err, rule.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	note := new(dossier.Note)
	return note, json.Unmarshal(found.Value, note)
}

// erasureKind is how requests to erase are known among the gateway's errands.
const erasureKind = "erasure"

// Erasure is a payee's request that what is known about it be erased.
type Erasure struct {
	Account tape.AccountID
	Payee   tape.AccountID
	Asked   tape.Instant
}

// Bound is the first day on which everything that is kept about a payee may be
// purged; empty when it may be today.
func Bound(holdings []Holding, today tape.Date) tape.Date {
	last := tape.Date("")
	for _, h := range holdings {
		if h.KeepUntil > today {
			last = max(last, h.KeepUntil)
		}
	}
	return last
}

// AskErasure takes a payee's request. It is refused while law or contract
// demand that a value is kept, and says until when.
func (d *Desk) AskErasure(ctx context.Context, account, payee tape.AccountID, today tape.Date) error {
	found, err := d.Of(ctx, payee)
	if err != nil {
		return err
	}
	papers, err := d.Papers(ctx, payee)
	if err != nil {
		return err
	}
	own := slices.DeleteFunc(found[payee], func(h Holding) bool { return h.Keeper != d.Organisation })
	if len(own) == 0 && !slices.ContainsFunc(papers, func(p Paper) bool { return p.May(today) }) {
		return rule.Refuse(rule.NotFound, "%s keeps nothing about you that could be erased", d.Organisation)
	}
	if until := Bound(own, today); until != "" {
		return rule.Refuse(rule.WrongState, "what is kept about you must be kept until %s; ask again on that day", until)
	}
	return d.Errands.SetErrand(ctx, outbox.Errand{Kind: erasureKind, Name: string(payee), Text: string(account)})
}

// Erasures are the requests that are open, the oldest first.
func (d *Desk) Erasures(ctx context.Context) ([]Erasure, error) {
	list, err := d.Errands.Errands(ctx, erasureKind)
	var open []Erasure
	for _, e := range list {
		open = append(open, Erasure{Account: tape.AccountID(e.Text), Payee: tape.AccountID(e.Name), Asked: tape.Instant(e.At)})
	}
	slices.SortStableFunc(open, func(a, b Erasure) int { return cmp.Compare(a.Asked, b.Asked) })
	return open, err
}

// Erase purges one value about a payee, and ends the payee's request when
// nothing is left.
func (d *Desk) Erase(ctx context.Context, payee tape.AccountID, collection dossier.Collection, record dossier.Pseudonym, reason dossier.Reason, today tape.Date) (uint64, error) {
	found, err := d.Of(ctx, payee)
	if err != nil {
		return 0, err
	}
	others := slices.DeleteFunc(found[payee], func(h Holding) bool { return h.Collection == collection && h.Record == record })
	if len(others) == len(found[payee]) {
		return 0, rule.Field("record", rule.Refuse(rule.NotFound, "is not about %s, or was purged", payee))
	}
	block, err := d.Purge(ctx, collection, record, reason)
	if err != nil {
		return block, err
	}
	return block, d.erased(ctx, payee, others, today)
}

// erased ends a payee's request when nothing is left that could go.
func (d *Desk) erased(ctx context.Context, payee tape.AccountID, left []Holding, today tape.Date) error {
	papers, err := d.Papers(ctx, payee)
	if err != nil || slices.ContainsFunc(left, func(h Holding) bool { return h.Keeper == d.Organisation }) ||
		slices.ContainsFunc(papers, func(p Paper) bool { return p.May(today) }) {
		return err
	}
	return d.Errands.EndErrand(ctx, erasureKind, string(payee))
}
