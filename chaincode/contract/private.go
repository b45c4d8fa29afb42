package contract

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Dossier is the contract of what is known about people. Keep and Purge touch
// one collection, are endorsed by its members, write no public key and send no
// event; Cite and Strike are public, take no transient data and compare hashes.
type Dossier struct{ contractapi.Contract }

// What travels beside the arguments, and never reaches a block.
const (
	transientValue = "value"
	transientKey   = "key"
)

// secretive are the functions that take transient data, with the one field each takes.
var secretive = map[string]string{dossier.KeepFunction: transientValue, "Dossier:Show": transientKey}

// checkTransient refuses transient data that a function does not take, or takes otherwise.
func checkTransient(stub shim.ChaincodeStubInterface, function string) error {
	transient, err := stub.GetTransient()
	field, takes := secretive[function]
	switch {
	case err != nil:
		return rule.Refuse(rule.Invalid, "the transient data of %s cannot be read", function)
	case !takes && len(transient) > 0:
		return rule.Refuse(rule.Invalid, "%s takes no transient data", function)
	case takes && (len(transient) != 1 || len(transient[field]) == 0):
		return rule.Refuse(rule.Invalid, "%s takes one field of transient data, %s", function, field)
	}
	return nil
}

// secret is the one field of transient data, which Invoke has checked.
func (t *transaction) secret() ([]byte, error) {
	transient, err := t.stub.GetTransient()
	return transient[secretive[t.function]], err
}

// Keep keeps a private value, or replaces one.
func (*Dossier) Keep(ctx Context, argument string) (string, error) {
	return runPrivate(ctx, argument, dossier.KeepNames(), func(t *transaction, c dossier.KeepCommand) (place, dossier.PrivateOutcome, error) {
		at := place{c.Collection, c.Record, c.ID}
		value, err := t.secret()
		if err != nil {
			return at, dossier.PrivateOutcome{}, err
		}
		state, err := t.privateState(at)
		if err != nil {
			return at, dossier.PrivateOutcome{}, err
		}
		outcome, err := dossier.Keep(state, c, value, t.context)
		return at, outcome, err
	})
}

// Purge removes a private value and its history from every peer.
func (*Dossier) Purge(ctx Context, argument string) (string, error) {
	return runPrivate(ctx, argument, dossier.PurgeNames(), func(t *transaction, c dossier.PurgeCommand) (place, dossier.PrivateOutcome, error) {
		at := place{c.Collection, c.Record, c.ID}
		state, err := t.privateState(at)
		if err != nil {
			return at, dossier.PrivateOutcome{}, err
		}
		outcome, err := dossier.Purge(state, c, t.context)
		return at, outcome, err
	})
}

// checked is a command that knows how it must be spelled.
type checked interface{ Check() error }

// runPrivate decodes a private command, judges it, and writes what becomes in
// its one collection. No public key is written: the members of the collection
// alone endorse it.
func runPrivate[C checked](ctx Context, argument string, names []string, judge func(*transaction, C) (place, dossier.PrivateOutcome, error)) (string, error) {
	command, err := spelled[C](names)([]byte(argument))
	if err != nil {
		return "", err
	}
	t, err := begin(ctx, sha256.Sum256([]byte(argument)))
	if err != nil {
		return "", err
	}
	at, outcome, err := judge(t, command)
	if err != nil {
		return "", err
	}
	if err := t.writePrivate(at, outcome); err != nil {
		return "", err
	}
	answer, err := canonical.Encode(outcome.Answer)
	return string(answer), err
}

// spelled decodes a command without repeating anything of it in a refusal, and
// checks its names, because keys are made of them.
func spelled[C checked](names []string) func([]byte) (C, error) {
	return func(argument []byte) (C, error) {
		var command C
		if err := dossier.Decode(argument, &command, names...); err != nil {
			return command, err
		}
		return command, command.Check()
	}
}

// place is a record of a collection, and the id of the command about it.
type place struct {
	collection dossier.Collection
	record, id dossier.Pseudonym
}

// privateState reads what a private command needs.
func (t *transaction) privateState(at place) (dossier.PrivateState, error) {
	state := dossier.PrivateState{MSP: t.msp}
	note := dossier.NoteKey(at.collection, at.record)
	if err := t.ground(at.id.ID(), note); err != nil {
		return state, err
	}
	if err := at.collection.Open(t.msp); err != nil {
		return state, err
	}
	state.Note = read[dossier.Note](t, note)
	act, err := t.private(at.collection, dossier.ActKey(t.context.Organisation, at.id))
	if err != nil {
		return state, err
	}
	mark, err := t.private(at.collection, dossier.MarkKey(at.record))
	if err != nil {
		return state, err
	}
	if state.Act, err = stored[dossier.Act](act); err != nil {
		return state, err
	}
	state.Mark, err = stored[dossier.Mark](mark)
	return state, err
}

// stored reads a private record of ours. What stands there may be a value that
// was put in the wrong place, so an error does not repeat it.
func stored[R any](data []byte) (*R, error) {
	if len(data) == 0 {
		return nil, nil
	}
	record := new(R)
	if json.Unmarshal(data, record) != nil {
		return nil, rule.Refuse(rule.Conflict, "a private record is not in the form in which it was written")
	}
	return record, nil
}

// private reads a private key, nil when it is absent.
func (t *transaction) private(collection dossier.Collection, key string) ([]byte, error) {
	value, err := t.stub.GetPrivateData(string(collection), key)
	return value, refusedByPeer(err)
}

// refusedByPeer turns the peer's words about a collection into refusals.
func refusedByPeer(err error) error {
	if err == nil {
		return nil
	}
	for _, known := range []struct {
		words   string
		refusal *rule.Refusal
	}{
		{"does not have read access permission", rule.Refuse(rule.Forbidden, "is for its members; the caller's organisation is none")},
		{"does not have write access permission", rule.Refuse(rule.Forbidden, "is for its members; the caller's organisation is none")},
		{"could not be found", rule.Refuse(rule.NotFound, "is not in the chaincode's definition")},
		{"not defined in the collection config", rule.Refuse(rule.NotFound, "is not in the chaincode's definition")},
		{"private data matching public hash version is not available", rule.Refuse(rule.WrongState, "has a value that this peer has not received; ask a member's peer, or wait")},
	} {
		if strings.Contains(err.Error(), known.words) {
			return rule.Field("collection", known.refusal)
		}
	}
	return fmt.Errorf("private data: %w", err)
}

func (t *transaction) writePrivate(at place, outcome dossier.PrivateOutcome) error {
	if err := t.putPrivate(at.collection, dossier.ActKey(t.context.Organisation, at.id), outcome.Act); err != nil {
		return err
	}
	if outcome.Mark != nil {
		if err := t.putPrivate(at.collection, dossier.MarkKey(at.record), outcome.Mark); err != nil {
			return err
		}
	}
	collection, key := string(at.collection), dossier.ValueKey(at.record)
	switch {
	case outcome.Purge:
		// A delete would leave the value in the history that each peer keeps.
		return refusedByPeer(t.stub.PurgePrivateData(collection, key))
	case outcome.Value != nil:
		return refusedByPeer(t.stub.PutPrivateData(collection, key, outcome.Value))
	}
	return nil
}

func (t *transaction) putPrivate(collection dossier.Collection, key string, record any) error {
	value, err := canonical.Encode(record)
	if err != nil {
		return err
	}
	return refusedByPeer(t.stub.PutPrivateData(string(collection), key, value))
}

// Cite notes for all that a private value is kept, and for how long it must be.
func (*Dossier) Cite(ctx Context, argument string) (string, error) {
	return run(ctx, argument, spelled[dossier.CiteCommand](dossier.CiteNames()), func(t *transaction, c dossier.CiteCommand) (tape.Entry, error) {
		state, err := t.publicState(place{c.Collection, c.Record, c.ID})
		if err != nil {
			return tape.Entry{}, err
		}
		note, entry, err := dossier.Cite(state, c, t.context)
		t.save(dossier.NoteKey(c.Collection, c.Record), note)
		return entry, err
	})
}

// Strike notes for all that a private value was purged.
func (*Dossier) Strike(ctx Context, argument string) (string, error) {
	return run(ctx, argument, spelled[dossier.StrikeCommand](dossier.StrikeNames()), func(t *transaction, c dossier.StrikeCommand) (tape.Entry, error) {
		state, err := t.publicState(place{c.Collection, c.Record, c.ID})
		if err != nil {
			return tape.Entry{}, err
		}
		note, entry, err := dossier.Strike(state, c, t.context)
		t.save(dossier.NoteKey(c.Collection, c.Record), note)
		return entry, err
	})
}

// publicState reads what every peer knows: the note and two hashes.
func (t *transaction) publicState(at place) (dossier.PublicState, error) {
	state := dossier.PublicState{MSP: t.msp}
	note := dossier.NoteKey(at.collection, at.record)
	if err := t.ground(at.id.ID(), note); err != nil {
		return state, err
	}
	state.Note = read[dossier.Note](t, note)
	var err error
	if state.Value, err = t.hash(at.collection, dossier.ValueKey(at.record)); err != nil {
		return state, err
	}
	state.Mark, err = t.hash(at.collection, dossier.MarkKey(at.record))
	return state, err
}

func (t *transaction) hash(collection dossier.Collection, key string) (*dossier.Hash, error) {
	found, err := t.stub.GetPrivateDataHash(string(collection), key)
	if err != nil || len(found) != sha256.Size {
		return nil, refusedByPeer(err)
	}
	hash := dossier.Hash(found)
	return &hash, nil
}
