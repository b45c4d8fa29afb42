package document

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"filippo.io/age"
)

// key is what one document is encrypted under, and its salt.
type key struct {
	data [32]byte
	salt Salt
}

func newKey() key {
	k := key{salt: NewSalt()}
	rand.Read(k.data[:])
	return k
}

// stanzaType names, in the header of an age file, how its file key is wrapped.
const stanzaType = "lianbao-document-v1"

// lock is a key together with the document it is for, as age's recipient and
// identity. It is symmetric on purpose: a blob that outlives its shredded key
// is safe even from who can one day break elliptic curves.
type lock struct {
	id  string
	key [32]byte
}

// Wrap seals the file key that age drew.
func (l lock) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	return []*age.Stanza{{Type: stanzaType, Body: seal(l.key, fileKey, l.bound())}}, nil
}

// Unwrap opens it again.
func (l lock) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	if len(stanzas) != 1 || stanzas[0].Type != stanzaType || len(stanzas[0].Args) != 0 {
		return nil, errors.New("the header is not that of a document")
	}
	fileKey, err := unseal(l.key, stanzas[0].Body, l.bound())
	if err != nil {
		return nil, errors.New("these are the bytes of another document, or they were changed")
	}
	return fileKey, nil
}

func (l lock) bound() []byte { return []byte(stanzaType + "\x00" + l.id) }

// recordVersion is the form of key records.
const recordVersion = 1

// record is the file of one document in the key folder.
type record struct {
	V int `json:"v"`
	Meta
	// Master names the master key; Sealed is the data key and the salt, 48
	// bytes, sealed by it with the rest of the record bound. Both are gone when
	// the document is shredded.
	Master string `json:"master,omitempty"`
	Sealed []byte `json:"sealed,omitempty"`
	// ShreddedAt is set in their place.
	ShreddedAt *time.Time `json:"shreddedAt,omitempty"`
	// ShreddedFor is why, where it went before its time.
	ShreddedFor string `json:"shreddedFor,omitempty"`
}

// bound is what a record says in clear; its sealed part opens only beside it.
func (m Meta) bound() []byte {
	text, err := json.Marshal(m)
	if err != nil {
		panic(err) // a Meta holds nothing that JSON cannot carry
	}
	return append([]byte("lianbao document key v1\x00"), text...)
}

func sealRecord(m Meta, k key, with master) record {
	secret := append(k.data[:], k.salt[:]...)
	return record{V: recordVersion, Meta: m, Master: with.name, Sealed: seal(with.key, secret, m.bound())}
}

// unsealRecord opens a record and fills in the salt.
func unsealRecord(r record, all masters) (Meta, key, error) {
	with, known := all.named(r.Master)
	if !known {
		return Meta{}, key{}, fmt.Errorf("document %s: its key is sealed by master key %s, which is not in the master key file", r.ID, r.Master)
	}
	secret, err := unseal(with.key, r.Sealed, r.Meta.bound())
	if err != nil || len(secret) != 48 {
		return Meta{}, key{}, fmt.Errorf("%w: the key record of %s was changed", ErrDamaged, r.ID)
	}
	k := key{data: [32]byte(secret[:32]), salt: Salt(secret[32:])}
	m := r.Meta
	m.Salt = k.salt
	return m, k, nil
}

// parseRecord reads a record in its one spelling.
func parseRecord(id string, text []byte) (record, error) {
	var r record
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		return record{}, fmt.Errorf("%w: the key record of %s cannot be read", ErrDamaged, id)
	}
	if r.V != recordVersion {
		return record{}, fmt.Errorf("the key record of %s has version %d; this program reads version %d", id, r.V, recordVersion)
	}
	if again, err := r.text(); err != nil || !bytes.Equal(again, text) {
		return record{}, fmt.Errorf("%w: the key record of %s was changed", ErrDamaged, id)
	}
	if r.ID != id || (r.ShreddedAt == nil) == (len(r.Sealed) == 0) {
		return record{}, fmt.Errorf("%w: the key record of %s is another's, or half of it is missing", ErrDamaged, id)
	}
	if r.ShreddedAt != nil {
		r.Shredded = *r.ShreddedAt
	}
	return r, nil
}

// text is the one spelling of a record.
func (r record) text() ([]byte, error) {
	text, err := json.Marshal(r)
	return append(text, '\n'), err
}
