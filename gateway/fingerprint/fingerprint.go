// Package fingerprint computes what shows that two payees share a bank account
// or a device, and nothing else: keyed hashes, under a key for each campaign.
// Who has the key can test a number against the ledger; so the charity keeps
// it, and hands its file to those alone who have to look for the same numbers.
package fingerprint

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Key is one campaign's. Two campaigns have different ones, so that nobody can
// follow an account from one to the other.
type Key [32]byte

// Kind is what a fingerprint is of.
type Kind string

// The kinds. A number that is an account here and a device there has two fingerprints.
const (
	BankAccount Kind = "bank-account"
	Device      Kind = "device"
	// Invoice and Place are of what a loan's supplies were delivered with and where:
	// loans of one scheme that meet at one of them show it.
	Invoice Kind = "invoice"
	Place   Kind = "place"
)

// kinds are those that there are.
var kinds = []Kind{BankAccount, Device, Invoice, Place}

// Bounds of a number, in signs without blanks and dashes. Fewer are a slip:
// they would make strangers share what nobody has.
const (
	signsMin = 4
	signsMax = 64
	nameMin  = 2
)

// Of is the fingerprint of a bank account's number, a device's, an invoice's or of
// a place's name, empty for an empty one. Blanks, dashes, case and full-width digits do not matter. What it
// refuses it does not repeat.
func Of(key Key, kind Kind, number string) (string, error) {
	if !slices.Contains(kinds, kind) {
		return "", rule.Refuse(rule.Invalid, "is a fingerprint of none of bank account, device, invoice and place")
	}
	if number == "" {
		return "", nil
	}
	plain, err := folded(number, kind == Place)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte("lianbao fingerprint 1\n" + string(kind) + "\n" + plain))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16]), nil
}

// folded is the one spelling of a number; a name is of letters of any script, and
// may be short.
func folded(number string, name bool) (string, error) {
	wrong, fewest := rule.Refuse(rule.Invalid, "is no number of an account or a device: %d to %d letters and digits, with blanks, dashes or colons between them", signsMin, signsMax), signsMin
	if name {
		wrong, fewest = rule.Refuse(rule.Invalid, "is no name of a place: %d to %d letters and digits", nameMin, signsMax), nameMin
	}
	signs := 0
	var plain strings.Builder
	for _, r := range norm.NFKC.String(number) {
		switch {
		case (name || r < unicode.MaxASCII) && (unicode.IsDigit(r) || unicode.IsLetter(r)):
			plain.WriteRune(unicode.ToUpper(r))
			signs++
		case unicode.IsSpace(r), unicode.In(r, unicode.Pd, unicode.Cf), strings.ContainsRune(".:/_*#", r):
		default:
			return "", wrong
		}
	}
	if signs < fewest || signs > signsMax {
		return "", wrong
	}
	return plain.String(), nil
}

// Keys are the campaigns' keys: a folder that only its owner reads, one file each.
type Keys struct{ Folder string }

// path is the file of a campaign's key.
func (k Keys) path(campaign tape.AccountID) string {
	return filepath.Join(k.Folder, strings.ReplaceAll(string(campaign), ":", "_")+".key")
}

// Of reads a campaign's key, and draws it the first time. Of two programs that
// draw at once, one wins and both get its key. Where the file was lost, the new
// key matches nothing that stands on the ledger: so the folder is backed up like
// the gateway's other keys.
func (k Keys) Of(campaign tape.AccountID) (Key, error) {
	if err := campaign.Check(); err != nil {
		return Key{}, err
	}
	path := k.path(campaign)
	key, err := read(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := draw(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return Key{}, err
	}
	return read(path)
}

// Fingerprint is Of under a campaign's key.
func (k Keys) Fingerprint(_ context.Context, campaign tape.AccountID, kind Kind, number string) (string, error) {
	if number == "" {
		return "", nil
	}
	key, err := k.Of(campaign)
	if err != nil {
		return "", err
	}
	return Of(key, kind, number)
}

func read(path string) (Key, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Key{}, err
	}
	raw, err := hex.DecodeString(strings.TrimSuffix(string(text), "\n"))
	if err != nil || len(raw) != len(Key{}) {
		return Key{}, fmt.Errorf("%s is not a fingerprint key of %d bytes in hexadecimal; it was damaged, take it from the backup", path, len(Key{}))
	}
	return Key(raw), nil
}

// draw puts a new key in place whole, and only where none is.
func draw(path string) error {
	var key Key
	if _, err := rand.Read(key[:]); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	draft, err := os.CreateTemp(filepath.Dir(path), ".new-") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(draft.Name()) }()
	_, err = draft.WriteString(hex.EncodeToString(key[:]) + "\n")
	if err := errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	return os.Link(draft.Name(), path)
}
