// Package persons looks persons and their keys up in the read model, as far as
// logging in and signing need it.
package persons

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/message"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Records are the records of the ledger by their keys.
type Records interface {
	Record(ctx context.Context, key string) (readmodel.Record, error)
}

// Register reads persons out of the read model. It is as far behind the ledger
// as the read model is: the contract has the last word on every signature.
type Register struct{ Records Records }

// Person returns a person; one that is not there is refused as not-found.
func (r Register) Person(ctx context.Context, id tape.ID) (party.Person, error) {
	if err := id.Check(); err != nil {
		return party.Person{}, message.Refuse(rule.Invalid, "person.spelling")
	}
	var person party.Person
	err := r.read(ctx, party.PersonKey(id), &person)
	if rule.Is(err, rule.NotFound) {
		return party.Person{}, message.Refuse(rule.NotFound, "person.unknown", "Person", string(id))
	}
	return person, err
}

// Ledger returns the ledger's id, the salt of all signatures.
func (r Register) Ledger(ctx context.Context) (party.LedgerID, error) {
	var ledger party.Ledger
	err := r.read(ctx, party.LedgerKey(), &ledger)
	if rule.Is(err, rule.NotFound) {
		return party.LedgerID{}, message.Refuse(rule.WrongState, "ledger.unfounded")
	}
	return ledger.ID, err
}

// Approval is what the organisations voted about who signs.
func (r Register) Approval(ctx context.Context) (party.ApprovalPolicy, error) {
	var record party.PolicyRecord
	err := r.read(ctx, party.PolicyKey(), &record)
	if rule.Is(err, rule.NotFound) {
		return party.ApprovalPolicy{}, message.Refuse(rule.WrongState, "ledger.unfounded")
	}
	return record.Policy.Approval, err
}

func (r Register) read(ctx context.Context, key string, into any) error {
	record, err := r.Records.Record(ctx, key)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(record.Value, into); err != nil {
		return fmt.Errorf("record %s: %w", key, err)
	}
	return nil
}

// Stopped are the persons whom a block leaves revoked, or whose key in turn it
// leaves suspended.
func Stopped(block readmodel.Block) []tape.ID {
	var stopped []tape.ID
	for _, t := range block.Transactions {
		for _, w := range t.Writes {
			var person party.Person
			if !t.Valid || !strings.HasPrefix(w.Key, party.PersonKey("")) || json.Unmarshal(w.Value, &person) != nil {
				continue
			}
			if person.Revoked != 0 || person.Key.Suspended != 0 {
				stopped = append(stopped, person.ID)
			}
		}
	}
	return stopped
}

// InForce returns the key with which a person signs at a moment, and says in
// people's words why there is none.
func InForce(person party.Person, at tape.Instant) (party.Key, error) {
	key, err := person.InForce(at)
	if err == nil {
		return key, nil
	}
	return key, message.Refuse(codeOf(err), state(person, at), "Person", string(person.ID), "When", moment(person, at))
}

func codeOf(err error) rule.Code {
	if rule.Is(err, rule.Early) {
		return rule.Early
	}
	return rule.WrongState
}

// state is the message about a person who cannot sign; party.InForce refuses in the same order.
func state(person party.Person, at tape.Instant) string {
	current := due(person, at)
	switch {
	case person.Revoked != 0:
		return "person.revoked"
	case current.Suspended != 0:
		return "person.suspended"
	case current.Witness == "":
		return "person.unwitnessed"
	}
	return "person.waiting"
}

// due is the key that is or will be in force: a rotation that is due has taken place.
func due(person party.Person, at tape.Instant) party.Key {
	if next := person.Next; next != nil && next.Witness != "" && at >= next.From {
		return *next
	}
	return person.Key
}

func moment(person party.Person, at tape.Instant) string {
	current := due(person, at)
	for _, when := range []tape.Instant{person.Revoked, current.Suspended, current.From} {
		if when != 0 {
			return when.String()
		}
	}
	return ""
}
