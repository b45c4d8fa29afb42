package persons

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/message"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// records are a read model's, by key.
type records map[string]any

func (r records) Record(_ context.Context, key string) (readmodel.Record, error) {
	value, known := r[key]
	if !known {
		return readmodel.Record{}, rule.Refuse(rule.NotFound, "there is no record %s", key)
	}
	text, err := json.Marshal(value)
	return readmodel.Record{Key: key, Value: text}, err
}

func keyOf(err error) string {
	var said *message.Refusal
	if errors.As(err, &said) {
		return said.Key
	}
	return ""
}

func TestRegister(t *testing.T) {
	r := Register{records{"ledger": party.Ledger{V: 1, ID: party.LedgerID{7}}, "person/maker": party.Person{V: 1, ID: "maker"}, "person/broken": 5}}
	if id, err := r.Ledger(t.Context()); err != nil || id != (party.LedgerID{7}) {
		t.Errorf("%s: %v", id, err)
	}
	if p, err := r.Person(t.Context(), "maker"); err != nil || p.ID != "maker" {
		t.Errorf("%+v: %v", p, err)
	}
	for id, want := range map[tape.ID]string{"nobody": "person.unknown", "a/b": "person.spelling", "": "person.spelling"} {
		if _, err := r.Person(t.Context(), id); keyOf(err) != want {
			t.Errorf("%q: %v", id, err)
		}
	}
	if _, err := r.Person(t.Context(), "broken"); err == nil || keyOf(err) != "" {
		t.Errorf("a broken record: %v", err)
	}
	if _, err := (Register{records{}}).Ledger(t.Context()); keyOf(err) != "ledger.unfounded" {
		t.Errorf("no ledger: %v", err)
	}
}

// TestInForce: the message is about what the rules refuse.
func TestInForce(t *testing.T) {
	const now = 100 * tape.Day
	good := party.Key{Address: party.Address{1}, Witness: "bank", From: now - tape.Day}
	with := func(change func(*party.Person)) party.Person {
		p := party.Person{V: 1, ID: "me", Key: good}
		change(&p)
		return p
	}
	rotated := func(from tape.Instant, suspended tape.Instant) party.Person {
		return with(func(p *party.Person) {
			p.Key.Suspended = suspended
			p.Next = &party.Key{Address: party.Address{2}, Witness: "coop", From: from}
		})
	}
	for what, c := range map[string]struct {
		person party.Person
		key    string
		code   rule.Code
		when   tape.Instant
	}{
		"in force":             {with(func(*party.Person) {}), "", "", 0},
		"revoked":              {with(func(p *party.Person) { p.Revoked = now }), "person.revoked", rule.WrongState, now},
		"suspended":            {with(func(p *party.Person) { p.Key.Suspended = now }), "person.suspended", rule.WrongState, now},
		"without a witness":    {with(func(p *party.Person) { p.Key.Witness, p.Key.From = "", 0 }), "person.unwitnessed", rule.WrongState, 0},
		"in its waiting":       {with(func(p *party.Person) { p.Key.From = now + 1 }), "person.waiting", rule.Early, now + 1},
		"lost, the next waits": {rotated(now+1, now), "person.suspended", rule.WrongState, now},
		"lost, the next is in": {rotated(now, now-1), "", "", 0},
	} {
		_, err := InForce(c.person, now)
		if c.key == "" {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
			continue
		}
		var said *message.Refusal
		if !errors.As(err, &said) || said.Key != c.key || !rule.Is(err, c.code) || c.when != 0 && said.Figures["When"] != c.when.String() || said.Figures["Person"] != "me" {
			t.Errorf("%s: %v", what, err)
		}
	}
	if key, err := InForce(rotated(now, 0), now); err != nil || key.Address != (party.Address{2}) {
		t.Errorf("after the rotation %s: %v", key.Address, err)
	}
}

// TestStopped: whose sessions a block ends.
func TestStopped(t *testing.T) {
	write := func(p party.Person) readmodel.Write {
		value, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		return readmodel.Write{Key: party.PersonKey(p.ID), Value: value}
	}
	suspended, revoked := party.Person{ID: "suspended", Key: party.Key{Suspended: 5}}, party.Person{ID: "revoked", Revoked: 5}
	block := readmodel.Block{Transactions: []readmodel.Transaction{
		{Valid: true, Writes: []readmodel.Write{{Key: "campaign/x", Value: []byte(`{"revoked":"x"}`)}, write(suspended), write(party.Person{ID: "fine"})}},
		{Valid: true, Writes: []readmodel.Write{write(revoked)}},
		{Writes: []readmodel.Write{write(party.Person{ID: "never", Revoked: 5})}}}}
	if got := Stopped(block); !slices.Equal(got, []tape.ID{"suspended", "revoked"}) {
		t.Errorf("%v", got)
	}
}
