package readmodel

import (
	"context"
	"encoding/json"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Person is somebody who signs, and where on the ledger it was last changed.
type Person struct {
	party.Person
	Block uint64 `json:"block"`
}

// PersonFilter chooses persons; empty fields choose all.
type PersonFilter struct {
	Organisation string
	// Witness is an organisation: those whose key waits for a second
	// organisation, which it can be.
	Witness string
	// Guardian may speak for them, or is to be confirmed as who may.
	Guardian tape.ID
	// Brought is an organisation: those whose key it brought and that waits for another.
	Brought string
}

// Persons lists persons by their id.
func (m *Model) Persons(ctx context.Context, filter PersonFilter, window Window) (List[Person], error) {
	q := query{list: "persons", key: "id", named: true, columns: "ordinal, body", from: "persons"}
	q.where("organisation = ?", filter.Organisation)
	q.where("waits = ?", filter.Brought)
	q.where("guardian = ?", string(filter.Guardian))
	if filter.Witness != "" {
		// Registrar and witness are two, and one of them is the person's own organisation.
		q.where("waits <> '' AND waits <> ?", filter.Witness)
		q.where("(waits = organisation OR organisation = ?)", filter.Witness)
	}
	return read(ctx, m, window, q, func(scan func(...any) error, key any) (Person, error) {
		var p Person
		var at ordinal
		var body []byte
		if err := scan(key, &at, &body); err != nil {
			return p, err
		}
		p.Block = at.block()
		return p, json.Unmarshal(body, &p.Person)
	})
}

// person keeps a person for its lists, and as a record like any other.
func (w *writer) person(_ int, rest string, value []byte) error {
	var p party.Person
	if err := json.Unmarshal(value, &p); err != nil {
		return err
	}
	waits := ""
	switch {
	case p.Revoked != 0:
	case p.Key.Witness == "":
		waits = p.Key.Registrar
	case p.Next != nil && p.Next.Witness == "":
		waits = p.Next.Registrar
	}
	if err := w.exec("INSERT OR REPLACE INTO persons VALUES (?, ?, ?, ?, ?, ?)", rest, int64(w.base), p.Organisation, waits, string(guardianOf(p)), filled(value)); err != nil {
		return err
	}
	return w.other(Write{Key: PersonPrefix + rest, Value: value})
}

func guardianOf(p party.Person) tape.ID {
	if p.Guardian == nil {
		return ""
	}
	return p.Guardian.Person
}
