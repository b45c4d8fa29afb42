package importing

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/statement"
)

// secrets turn a line into what may stand on the ledger. They are drawn once
// and kept; the same line gives the same text, so that an import can be run
// again and an edited line is found.
type secrets struct {
	// reference is the bank account's: it hides what the bank wrote from
	// everyone who does not hold it, and links a gift to its line.
	reference hash.Hash
	// donor is the charity's, for this statement: from it comes the salt of each
	// gift. Whoever destroys it erases every donor of the statement.
	donor hash.Hash
}

const secretBytes = 32

// openSecrets reads the two secrets, or draws them.
func openSecrets(bankFolder, charityFolder string, account tape.AccountID, statement tape.ID) (secrets, error) {
	name := strings.ReplaceAll(string(account), ":", "_")
	reference, err := keepSecret(filepath.Join(bankFolder, "reference-"+name+".key"))
	if err != nil {
		return secrets{}, err
	}
	donor, err := keepSecret(filepath.Join(charityFolder, "donors-"+string(statement)+".key"))
	if err != nil {
		return secrets{}, err
	}
	return secrets{reference: hmac.New(sha256.New, reference), donor: hmac.New(sha256.New, donor)}, nil
}

func keepSecret(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		drawn := make([]byte, secretBytes)
		if _, err := rand.Read(drawn); err != nil {
			return nil, err
		}
		// Who draws one at the same moment finds the first one's: a secret never takes another's place.
		if err := place(path, []byte(hex.EncodeToString(drawn)+"\n"), os.Link); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, err
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, err
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(secret) != secretBytes {
		return nil, fmt.Errorf("%s is not a secret of %d bytes in hexadecimal; it was damaged", path, secretBytes)
	}
	return secret, nil
}

// writeWhole leaves, whenever it is interrupted, the old file or the new one.
func writeWhole(path string, data []byte) error { return place(path, data, os.Rename) }

// place writes a file whole and puts it where it belongs: by os.Rename in the
// place of another, by os.Link only where there is none.
func place(path string, data []byte, put func(from, to string) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	draft, err := os.CreateTemp(filepath.Dir(path), ".new-") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name())
	_, err = draft.Write(data)
	if err := errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	return put(draft.Name(), path)
}

// The unit separator stands in no cell of a statement, so two different lines
// never have one spelling.
const between = 0x1f

// spell writes what the ledger's evidence answers for: any change of it is
// another line. Balance and description are left out: the one follows from the
// lines, the other is for people and never leaves the file.
func spell(text []byte, l statement.Line) []byte {
	text = append(strconv.AppendInt(text, int64(l.Number), 10), between)
	for _, word := range [...]string{l.Date, l.Time, l.Reference, string(l.Currency), l.Payer} {
		text = append(append(text, word...), between)
	}
	text = append(strconv.AppendInt(text, l.Debit, 10), between)
	return append(strconv.AppendInt(text, l.Credit, 10), between)
}

// referenceOf is the first 128 bits of the keyed hash over the whole line.
func (s secrets) referenceOf(l statement.Line) string {
	var room [256]byte
	s.reference.Reset()
	s.reference.Write([]byte("lianbao line 1\n"))
	s.reference.Write(spell(room[:0], l))
	return base64.RawURLEncoding.EncodeToString(s.reference.Sum(nil)[:16])
}

// donorOf commits to who gave, with a salt of 128 bits that only the charity
// can make again; empty where the bank names nobody.
func (s secrets) donorOf(gift tape.ID, payer string) string {
	if payer == "" {
		return ""
	}
	s.donor.Reset()
	s.donor.Write([]byte("lianbao donor salt 1\n" + string(gift)))
	salt := s.donor.Sum(nil)[:16]
	commitment := sha256.Sum256([]byte("lianbao donor 1\n" + hex.EncodeToString(salt) + "\n" + payer))
	return base64.RawURLEncoding.EncodeToString(commitment[:])
}
