package party

import (
	"encoding/hex"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// LedgerID is the random number that the founders drew for this ledger. It is
// the salt of every signature, so a signature made for one ledger is worth
// nothing on another.
type LedgerID [32]byte

// Hash is a SHA-256.
type Hash [32]byte

// IntentID is the 128-bit number that a person's device drew for one intent.
type IntentID [16]byte

// Address is a secp256k1 public key in Ethereum's short form: the last 20 bytes
// of its Keccak-256. It is written in lower case only; the checksum of EIP-55
// would be a second spelling.
type Address [20]byte

// Signature is r, s and v (27 or 28), as wallets and cards write it.
type Signature [65]byte

// String prints 64 hexadecimal digits.
func (l LedgerID) String() string { return hex.EncodeToString(l[:]) }

// MarshalText writes the one spelling.
func (l LedgerID) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads the one spelling.
func (l *LedgerID) UnmarshalText(text []byte) error {
	return parse(l[:], text, "", "a ledger's id: 64 digits 0-9 and a-f")
}

// String prints 64 hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes the one spelling.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads the one spelling.
func (h *Hash) UnmarshalText(text []byte) error {
	return parse(h[:], text, "", "a SHA-256: 64 digits 0-9 and a-f")
}

// String prints 32 hexadecimal digits.
func (i IntentID) String() string { return hex.EncodeToString(i[:]) }

// MarshalText writes the one spelling.
func (i IntentID) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText reads the one spelling.
func (i *IntentID) UnmarshalText(text []byte) error {
	return parse(i[:], text, "", "an intent's id: 32 digits 0-9 and a-f")
}

// String prints 0x and 40 hexadecimal digits.
func (a Address) String() string { return "0x" + hex.EncodeToString(a[:]) }

// MarshalText writes the one spelling.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads the one spelling.
func (a *Address) UnmarshalText(text []byte) error {
	return parse(a[:], text, "0x", "an address: 0x and 40 digits 0-9 and a-f")
}

// String prints 0x and 130 hexadecimal digits.
func (s Signature) String() string { return "0x" + hex.EncodeToString(s[:]) }

// MarshalText writes the one spelling.
func (s Signature) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the one spelling. Whether the numbers can be a signature
// at all is for Recover to say.
func (s *Signature) UnmarshalText(text []byte) error {
	return parse(s[:], text, "0x", "a signature: 0x and 130 digits 0-9 and a-f")
}

// parse reads lower-case hexadecimal digits that fill into exactly.
func parse(into, text []byte, prefix, form string) error {
	digits, found := text, len(text) >= len(prefix) && string(text[:len(prefix)]) == prefix
	if found {
		digits = text[len(prefix):]
	}
	if !found || len(digits) != 2*len(into) {
		return rule.Refuse(rule.Invalid, "is not %s", form)
	}
	for i, digit := range digits {
		value, ok := nibble(digit)
		if !ok {
			return rule.Refuse(rule.Invalid, "is not %s", form)
		}
		if i%2 == 0 {
			into[i/2] = value << 4
		} else {
			into[i/2] |= value
		}
	}
	return nil
}

func nibble(digit byte) (byte, bool) {
	switch {
	case digit >= '0' && digit <= '9':
		return digit - '0', true
	case digit >= 'a' && digit <= 'f':
		return digit - 'a' + 10, true
	}
	return 0, false
}
