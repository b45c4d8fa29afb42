package document

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// Hash is a commitment to a document, spelt as 64 digits of lower-case hexadecimal.
type Hash [sha256.Size]byte

// Salt is 128 random bits. Without it a commitment cannot be tried against
// guessed documents, which matters for a form with few possible contents.
type Salt [16]byte

// NewSalt draws a salt.
func NewSalt() Salt {
	var s Salt
	rand.Read(s[:]) // never fails: crypto/rand ends the process where the system gives no random bits
	return s
}

func (h Hash) String() string { return hex.EncodeToString(h[:]) }
func (s Salt) String() string { return hex.EncodeToString(s[:]) }

// MarshalText and UnmarshalText carry the one spelling through JSON.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads the one spelling.
func (h *Hash) UnmarshalText(text []byte) error { return unspell("hash", h[:], text) }

// MarshalText and UnmarshalText carry the one spelling through JSON.
func (s Salt) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the one spelling.
func (s *Salt) UnmarshalText(text []byte) error { return unspell("salt", s[:], text) }

func unspell(what string, into, text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) != len(into) || hex.EncodeToString(raw) != string(text) {
		return rule.Refuse(rule.Invalid, "%.80q is not a %s, which is %d digits of lower-case hexadecimal", text, what, 2*len(into))
	}
	copy(into, raw)
	return nil
}

// commitment computes SHA-256(salt ‖ n ‖ media type ‖ bytes): the salt has 16
// bytes, n is one byte that counts the media type, which is lower-case ASCII
// without parameters. The lengths are fixed before the bytes begin, so two
// different documents never have one input.
func commitment(salt Salt, mediaType string) hash.Hash {
	h := sha256.New()
	h.Write(salt[:])
	h.Write([]byte{byte(len(mediaType))})
	io.WriteString(h, mediaType)
	return h
}

// Commit computes the commitment to a document.
func Commit(salt Salt, mediaType string, r io.Reader) (Hash, int64, error) {
	if _, known := media[mediaType]; !known {
		return Hash{}, 0, unknownMedia(mediaType)
	}
	h := commitment(salt, mediaType)
	size, err := io.Copy(h, r)
	return Hash(h.Sum(nil)), size, err
}

// Verify reports whether the bytes are those that the citation names. Anyone
// who was given the document and its salt can run it; nil means that they are.
func Verify(c Citation, salt Salt, r io.Reader) error {
	got, size, err := Commit(salt, c.MediaType, io.LimitReader(r, c.Size+1))
	switch {
	case err != nil:
		return err
	case size > c.Size:
		return fmt.Errorf("%w: the citation says %d bytes; there are more", ErrDamaged, c.Size)
	case size < c.Size:
		return fmt.Errorf("%w: the citation says %d bytes; there are %d", ErrDamaged, c.Size, size)
	case got != c.Hash:
		return fmt.Errorf("%w: with this salt the bytes give %s; the citation says %s", ErrDamaged, got, c.Hash)
	}
	return nil
}
