// Package dossier keeps what is known about people: names, numbers, accounts.
//
// A value lives in a private data collection of those who need it, with a
// random salt, until it is purged. The channel sees a pseudonym, a salted hash
// and a note of how long the value must be kept. A rule here is a function of
// records, a command and a context; README.md lists keys, commands, refusals.
//
// No refusal of this package repeats what it was given: a client that puts a
// name in the wrong place must not find it in every log on the way.
package dossier

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Pseudonym names a record or a command.
type Pseudonym = tape.Pseudonym

// differentMin is how many different bytes a random salt has at least.
const differentMin = 8

// Hash is the SHA-256 of a value, in 64 hexadecimal digits.
type Hash [sha256.Size]byte

// HashOf hashes a value as Fabric does when it writes the hash into a block.
func HashOf(value []byte) Hash { return sha256.Sum256(value) }

// String prints the one spelling.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes the one spelling.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads the one spelling. What it refuses may be a value in the
// wrong place, so it does not repeat it.
func (h *Hash) UnmarshalText(text []byte) error {
	decoded, err := hex.DecodeString(string(text))
	if err != nil || len(decoded) != len(h) || hex.EncodeToString(decoded) != string(text) {
		return rule.Refuse(rule.Invalid, "is not a SHA-256: 64 digits 0-9 and a-f")
	}
	copy(h[:], decoded)
	return nil
}

// Salt keeps a value from being guessed by its hash: 128 random bits, 22
// characters of base64url.
type Salt [16]byte

// String prints the one spelling.
func (s Salt) String() string { return base64.RawURLEncoding.EncodeToString(s[:]) }

// MarshalText writes the one spelling.
func (s Salt) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the one spelling.
func (s *Salt) UnmarshalText(text []byte) error {
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(string(text))
	if err != nil || len(decoded) != len(s) {
		return rule.Refuse(rule.Invalid, "is not a salt: 128 random bits in 22 characters of base64url")
	}
	copy(s[:], decoded)
	return nil
}

func (s Salt) check() error {
	sorted := s
	slices.Sort(sorted[:])
	if different := len(slices.Compact(sorted[:])); different < differentMin {
		return rule.Refuse(rule.Invalid, "is not drawn at random: it has %d different bytes", different)
	}
	return nil
}

// Collection names a private data collection: one of the topology's, or the
// own one that Fabric gives each organisation.
type Collection string

// ownPrefix and the MSP's id are how Fabric calls an organisation's own collection.
const ownPrefix = "_implicit_org_"

// OwnCollection is what one organisation keeps for itself.
func OwnCollection(msp string) Collection { return Collection(ownPrefix + msp) }

// Check refuses every other spelling.
func (c Collection) Check() error {
	msp, own := c.owner()
	if !own {
		if tape.CheckSegment(string(c)) != nil {
			return rule.Refuse(rule.Invalid, "is not a collection: 1 to 32 of a-z, 0-9 and -, or %s and an MSP id", ownPrefix)
		}
		return nil
	}
	for _, r := range msp {
		if !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-", r) {
			return rule.Refuse(rule.Invalid, "is not a collection: an MSP id has letters, digits, . and -")
		}
	}
	if msp == "" || len(msp) > 64 {
		return rule.Refuse(rule.Invalid, "is not a collection: an MSP id has 1 to 64 characters")
	}
	return nil
}

func (c Collection) owner() (msp string, own bool) { return strings.CutPrefix(string(c), ownPrefix) }

// Open refuses a caller from outside an organisation's own collection. Fabric
// refuses non-members of the topology's collections by itself; of an own
// collection it guards only the writing, by the endorsement of its peer, and
// not whose client asks that peer.
func (c Collection) Open(msp string) error {
	if owner, own := c.owner(); own && owner != msp {
		return rule.Field("collection", rule.Refuse(rule.Forbidden, "belongs to another organisation"))
	}
	return nil
}

// Reason says why a value is purged: a closed list, because a text would be
// visible to the channel for ever.
type Reason string

// The reasons, after Article 47 of the Personal Information Protection Law.
const (
	Achieved  Reason = "purpose-achieved"
	Ended     Reason = "retention-ended"
	Withdrawn Reason = "consent-withdrawn"
	Requested Reason = "requested"
	Unlawful  Reason = "unlawful"
	Mistaken  Reason = "mistake"
)

// Reasons lists every reason, in a fixed order.
func Reasons() []Reason { return []Reason{Achieved, Ended, Withdrawn, Requested, Unlawful, Mistaken} }

// Check refuses every other word.
func (r Reason) Check() error {
	if !slices.Contains(Reasons(), r) {
		return rule.Refuse(rule.Invalid, "is none of %v", Reasons())
	}
	return nil
}

// Decode reads a command strictly, like canonical.Decode, and says where it is
// wrong without repeating what stood there.
func Decode(data []byte, into any, names ...string) error {
	err := canonical.Decode(data, into)
	if err == nil {
		return nil
	}
	var refusal *rule.Refusal
	if errors.As(err, &refusal) {
		path, _ := refusal.Pointer()
		if slices.Contains(names, path) {
			return rule.Field(path, rule.Refuse(rule.Invalid, "is missing, doubled, or not spelled as it must be"))
		}
	}
	return rule.Refuse(rule.Invalid, "is not the canonical JSON that is asked for: an unknown or missing field, or another spelling")
}
