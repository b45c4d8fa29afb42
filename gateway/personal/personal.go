// Package personal keeps, shows and purges what an organisation knows about
// people. The values go to the members of a private data collection and are in
// no block; the ledger notes their salted hashes. Nothing of a value is logged
// here, and errors name fields, never what they hold.
package personal

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/fabric"
)

// Ledger is the own peer as far as private values need it.
type Ledger interface {
	Submit(ctx context.Context, function string, argument []byte, sent func(string) error) (fabric.Receipt, error)
	SubmitPrivate(ctx context.Context, function string, argument []byte, p fabric.Private, sent func(string) error) (fabric.Receipt, error)
	Show(ctx context.Context, query dossier.ShowQuery) ([]byte, error)
}

// Desk is where one organisation's personal data is handled.
type Desk struct {
	Ledger       Ledger
	Organisation string
	// Collections are the members of each; the organisation's own one is added.
	Collections map[string][]string
	// Own is the organisation's own collection.
	Own string
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
	// Block holds the note.
	Block uint64 `json:"block"`
}

// members are the organisations that endorse and hold a collection.
func (d Desk) members(collection dossier.Collection) ([]string, error) {
	if string(collection) == d.Own {
		return []string{d.Organisation}, nil
	}
	members := d.Collections[string(collection)]
	if !slices.Contains(members, d.Organisation) {
		return nil, rule.Field("collection", rule.Refuse(rule.NotFound, "%s is a member of no such collection", d.Organisation))
	}
	return members, nil
}

// Keep keeps a value at the members of a collection, and notes it on the ledger.
// Where it breaks off between the two, the caller asks again with the record it
// was given: a value that is kept already is not kept twice.
func (d Desk) Keep(ctx context.Context, e Entry) (Kept, error) {
	if e.Collection == "" {
		e.Collection = dossier.Collection(d.Own)
	}
	kept := Kept{Collection: e.Collection, Class: e.Class, KeepUntil: e.KeepUntil}
	members, err := d.members(e.Collection)
	if err != nil {
		return kept, err
	}
	value, err := seal(e)
	if err != nil {
		return kept, err
	}
	kept.Hash, kept.Record = dossier.HashOf(value), e.Record
	if kept.Record == "" {
		if kept.Record, err = draw(); err != nil {
			return kept, err
		}
	}
	id, err := draw()
	if err != nil {
		return kept, err
	}
	command := dossier.KeepCommand{Collection: e.Collection, Hash: kept.Hash, ID: id, Record: kept.Record, Replaces: e.Replaces}
	if err := d.private(ctx, dossier.KeepFunction, command, fabric.Private{Members: members, Transient: map[string][]byte{"value": value}}); err != nil {
		return kept, err
	}
	note := dossier.CiteCommand{Class: e.Class, Collection: e.Collection, Hash: kept.Hash, KeepUntil: e.KeepUntil, Record: kept.Record}
	if note.ID, err = draw(); err != nil {
		return kept, err
	}
	if kept.Block, err = d.public(ctx, "Dossier:Cite", note); err != nil {
		return kept, errors.Join(err, d.takeBack(ctx, err, kept, members))
	}
	return kept, nil
}

// takeBack purges a value whose note was refused: what the ledger does not know of must not be kept.
func (d Desk) takeBack(ctx context.Context, why error, kept Kept, members []string) error {
	var refusal *rule.Refusal
	if !errors.As(why, &refusal) {
		return nil // the note may still come; the caller asks again
	}
	id, err := draw()
	if err != nil {
		return err
	}
	command := dossier.PurgeCommand{Collection: kept.Collection, Hash: kept.Hash, ID: id, Reason: dossier.Mistaken, Record: kept.Record}
	return d.private(ctx, dossier.PurgeFunction, command, fabric.Private{Members: members})
}

// seal gives a value its salt.
func seal(e Entry) ([]byte, error) {
	value := dossier.Value{V: 1, Class: e.Class, Fields: e.Fields}
	if _, err := rand.Read(value.Salt[:]); err != nil {
		return nil, err
	}
	if err := value.Check(); err != nil {
		return nil, err
	}
	return value.Encode()
}

func draw() (dossier.Pseudonym, error) {
	var random [16]byte
	_, err := rand.Read(random[:])
	return dossier.PseudonymOf(random), err
}

// Show reads a value at the own peer.
func (d Desk) Show(ctx context.Context, collection dossier.Collection, record dossier.Pseudonym) (dossier.Value, error) {
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

// Purge removes a value at all members, with its history, and notes why.
func (d Desk) Purge(ctx context.Context, collection dossier.Collection, record dossier.Pseudonym, reason dossier.Reason) (uint64, error) {
	if err := reason.Check(); err != nil {
		return 0, rule.Field("reason", err)
	}
	members, err := d.members(collection)
	if err != nil {
		return 0, err
	}
	value, err := d.Show(ctx, collection, record)
	if err != nil {
		return 0, err
	}
	data, err := value.Encode()
	if err != nil {
		return 0, err
	}
	command := dossier.PurgeCommand{Collection: collection, Hash: dossier.HashOf(data), Reason: reason, Record: record}
	if command.ID, err = draw(); err != nil {
		return 0, err
	}
	if err := d.private(ctx, dossier.PurgeFunction, command, fabric.Private{Members: members}); err != nil {
		return 0, err
	}
	strike := dossier.StrikeCommand{Class: value.Class, Collection: collection, Hash: command.Hash, Reason: reason, Record: record}
	if strike.ID, err = draw(); err != nil {
		return 0, err
	}
	return d.public(ctx, "Dossier:Strike", strike)
}

// A command is sent again while the trouble may pass: its id makes it the same.
const (
	patience   = 20 * time.Second
	retryPause = 200 * time.Millisecond
)

func (d Desk) private(ctx context.Context, function string, command any, p fabric.Private) error {
	argument, err := canonical.Encode(command)
	if err != nil {
		return err
	}
	return pursue(ctx, func() error {
		_, err := d.Ledger.SubmitPrivate(ctx, function, argument, p, func(string) error { return nil })
		return err
	})
}

// public sends the note. Other members' peers may not have the block of the
// private command yet, and then do not find the hash that is compared.
func (d Desk) public(ctx context.Context, function string, command any) (block uint64, err error) {
	argument, err := canonical.Encode(command)
	if err != nil {
		return 0, err
	}
	err = pursue(ctx, func() error {
		receipt, err := d.Ledger.Submit(ctx, function, argument, func(string) error { return nil })
		block = receipt.Block
		return err
	})
	return block, err
}

func pursue(ctx context.Context, send func() error) error {
	begun := time.Now()
	for {
		err := send()
		var refusal *rule.Refusal
		if err == nil || errors.As(err, &refusal) || time.Since(begun) > patience {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(retryPause):
		}
	}
}
