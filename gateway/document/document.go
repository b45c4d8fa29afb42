// Package document keeps evidence: an invoice, a photo, a delivery note.
//
// The ledger cites a document by a salted hash; the document itself lies
// encrypted in a folder or an S3 bucket, each under a key of its own. The keys
// lie elsewhere, one file a document, sealed by the organisation's master key.
// A document exists exactly when its key record exists: the record is written
// last and removed first, so a crash leaves all of a document or nothing of it,
// and whoever removes the record has shredded the document in every copy of
// the store. docs/documents.md gives the formats.
package document

import (
	"encoding/hex"
	"errors"
	"regexp"
	"slices"
	"time"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// BytesMax is the largest document that is taken, unless Config says less.
const BytesMax = 25 << 20

// Citation is what the ledger may carry of a document. It holds no salt, so it
// says nothing about what the document is.
type Citation struct {
	// ID is 128 random bits in lower-case hexadecimal.
	ID string `json:"id"`
	// Hash is the commitment; see Commit.
	Hash Hash `json:"hash"`
	// MediaType and Size are of the bytes that are kept, after removals.
	MediaType string `json:"mediaType"`
	Size      int64  `json:"size"`
	// Removed names what was taken out of a picture before it was hashed and
	// kept, such as "exif"; empty when the bytes are exactly those that came.
	Removed []string `json:"removed,omitempty"`
}

// Meta is what the keeper of a document knows about it.
type Meta struct {
	Citation
	// Kind is the organisation's word for it: invoice, photo, delivery-note.
	Kind string `json:"kind"`
	// At is when it was put, UTC, to the second.
	At time.Time `json:"at"`
	// About are the payees whom it says something about, by their random names
	// on the ledger, in order: what is erased for a person finds it by them.
	About []string `json:"about,omitempty"`
	// Sent is the hash of the sending that brought it; empty where it had none.
	Sent string `json:"sent,omitempty"`
	// Salt is what someone needs beside the bytes to check the citation. It is
	// sealed with the key and is gone when the document is shredded.
	Salt Salt `json:"-"`
	// Shredded is when the key was destroyed; zero while the document can be read.
	Shredded time.Time `json:"-"`
}

// ErrDamaged is wrapped by every error that says that what is kept is not what
// was put: a changed byte, a cut or exchanged blob, a changed key record.
var ErrDamaged = errors.New("the stored document is damaged")

var kindPattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

func checkKind(kind string) error {
	if !kindPattern.MatchString(kind) {
		return rule.Field("kind", rule.Refuse(rule.Invalid, "is not a kind of document; write it as delivery-note"))
	}
	return nil
}

// AboutMax is how many payees a document can be about; a list about more is
// kept as values, a person each.
const AboutMax = 16

var aboutPattern = regexp.MustCompile(`^outside:[a-z]+:[a-z0-9-]{1,64}$`)

// inOrder is about whom a document is, each once.
func inOrder(about []string) ([]string, error) {
	about = slices.Compact(slices.Sorted(slices.Values(about)))
	if len(about) > AboutMax {
		return nil, rule.Field("about", rule.Refuse(rule.Invalid, "names %d payees; %d at most", len(about), AboutMax))
	}
	for _, payee := range about {
		if !aboutPattern.MatchString(payee) {
			return nil, rule.Field("about", rule.Refuse(rule.Invalid, "names somebody otherwise than by the ledger's name of a payee, such as outside:household:…"))
		}
	}
	return about, nil
}

// checkID also keeps an id from naming a path.
func checkID(id string) error {
	raw, err := hex.DecodeString(id)
	if err != nil || len(raw) != 16 || hex.EncodeToString(raw) != id {
		return rule.Field("id", rule.Refuse(rule.Invalid, "%.40q is not the id of a document, which is 32 digits of lower-case hexadecimal", id))
	}
	return nil
}

func unknown(id string) error {
	return rule.Refuse(rule.NotFound, "there is no document %s", id)
}
