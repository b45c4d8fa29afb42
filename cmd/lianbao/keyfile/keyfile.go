// Package keyfile keeps a person's key in a file, sealed under a passphrase: on
// the person's own device, or in the folder of an agent who keeps keys for
// people without a device.
package keyfile

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"

	"filippo.io/age"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// File is a key and whose it is. What it says in the clear stands in the
// sealed part too, and must be the same there.
type File struct {
	Address party.Address `json:"address"`
	// Custody is own or agent-held. It is fixed when the key is drawn: who keeps
	// a key for somebody cannot later call it that person's own.
	Custody party.Custody `json:"custody"`
	// Ledger is the one that the key signs for; any where there is none.
	Ledger *party.LedgerID `json:"ledger,omitempty"`
	Person tape.ID         `json:"person,omitempty"`
	// Sealed is base64 of an age file under the passphrase: any age program opens it.
	Sealed string `json:"sealed,omitempty"`
	V      int32  `json:"v"`
}

// inside is what is sealed.
type inside struct {
	File File   `json:"file"`
	Key  string `json:"key"`
}

// Fault is why a key's file cannot be used: what is wrong, and what to do about
// it. Usage says that something else must be typed, Refused that this must not
// be signed; else the file or the passphrase is wrong.
type Fault struct {
	Usage, Refused bool
	Text, Todo     string
}

// Error says what is wrong.
func (f *Fault) Error() string { return f.Text }

// Costs of a guess at the passphrase: scrypt with 2^17 takes half a second and
// 128 MiB. A file that asks for more than eight times that is refused.
const (
	WorkFactor    = 17
	workFactorMax = 20
	bytesMax      = 16 << 10
)

// New is a file whose key is yet to be drawn. Without a ledger it signs for any.
func New(person, ledger string, custody party.Custody) (File, error) {
	file := File{V: 1, Person: tape.ID(person), Custody: custody}
	if err := file.check(); err != nil {
		return file, &Fault{Usage: true, Text: err.Error()}
	}
	if custody == party.AgentHeld && person == "" {
		return file, &Fault{Usage: true, Text: "a key that is kept for somebody names whose it is", Todo: "add --person ID"}
	}
	if ledger != "" {
		file.Ledger = new(party.LedgerID)
		if err := file.Ledger.UnmarshalText([]byte(ledger)); err != nil {
			return file, &Fault{Usage: true, Text: err.Error(), Todo: "lianbao person new without --ledger makes a key for any"}
		}
	}
	return file, nil
}

// check refuses a person or a custody that a file cannot have.
func (f File) check() error {
	if f.Person != "" {
		if err := f.Person.Check(); err != nil {
			return err
		}
	}
	return Held(f.Custody)
}

// Held refuses a custody that a key in a file does not have.
func Held(custody party.Custody) error {
	if custody != party.Own && custody != party.AgentHeld {
		return rule.Field("custody", rule.Refuse(rule.Invalid, "a key that lies in a file is own or agent-held, not %.40q: a card keeps its key and signs by itself, a gateway draws its own", string(custody)))
	}
	return nil
}

// Draw draws the key and seals it. A guess at the passphrase costs 2^workFactor.
func (f *File) Draw(passphrase string, workFactor int) error {
	key, err := crypto.GenerateKey()
	if err != nil {
		return err
	}
	f.Address = sign.Address(key)
	plain, err := canonical.Encode(inside{File: *f, Key: hex.EncodeToString(crypto.FromECDSA(key))})
	if err != nil {
		return err
	}
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return err
	}
	recipient.SetWorkFactor(workFactor)
	var sealed bytes.Buffer
	writer, err := age.Encrypt(&sealed, recipient)
	if err != nil {
		return err
	}
	if _, err := writer.Write(plain); err != nil {
		return err
	}
	if err := writer.Close(); err != nil {
		return err
	}
	f.Sealed = base64.StdEncoding.EncodeToString(sealed.Bytes())
	return nil
}

// Save writes the file whole, readable to its owner alone, and never over another.
func (f File) Save(path string) error {
	text, err := canonical.Encode(f)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".key-*") // 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }() // only the link stays
	_, err = file.Write(append(text, '\n'))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Link(file.Name(), path)
}

// Read reads a key's file; the key in it stays sealed.
func Read(path string) (File, error) {
	opened, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return File{}, &Fault{Usage: true, Text: "there is no key in " + path, Todo: "lianbao person new draws one; --key FILE names another file"}
	}
	if err != nil {
		return File{}, err
	}
	defer func() { _ = opened.Close() }() // it is only read
	text, err := io.ReadAll(io.LimitReader(opened, bytesMax))
	if err != nil {
		return File{}, err
	}
	file, err := Parse(text)
	if err != nil {
		return file, &Fault{Text: path + " is no key of this program, or was changed: " + err.Error(), Todo: "bring it back from your copy"}
	}
	return file, nil
}

// Parse reads the one spelling of a file; a line end behind it may come from an editor.
func Parse(text []byte) (File, error) {
	var f File
	if err := canonical.Decode(bytes.TrimRight(text, "\r\n"), &f); err != nil {
		return f, err
	}
	if f.V != 1 || f.Sealed == "" {
		return f, errors.New("it has another version, or holds no key")
	}
	return f, f.check()
}

// Open unseals the key.
func (f File) Open(passphrase string) (*ecdsa.PrivateKey, error) {
	damaged := &Fault{Text: "the key's file was changed", Todo: "bring it back from your copy"}
	sealed, err := base64.StdEncoding.DecodeString(f.Sealed)
	if err != nil {
		return nil, damaged
	}
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, err
	}
	identity.SetMaxWorkFactor(workFactorMax)
	reader, err := age.Decrypt(bytes.NewReader(sealed), identity)
	if err != nil {
		return nil, &Fault{Text: "the passphrase does not open this key", Todo: "type it again; nobody can replace it"}
	}
	plain, err := io.ReadAll(io.LimitReader(reader, bytesMax))
	if err != nil {
		return nil, damaged
	}
	return f.unpack(plain, damaged)
}

// unpack compares what the file says in the clear with what is sealed.
func (f File) unpack(plain []byte, damaged error) (*ecdsa.PrivateKey, error) {
	var in inside
	if err := canonical.Decode(plain, &in); err != nil {
		return nil, damaged
	}
	key, err := crypto.HexToECDSA(in.Key)
	if err != nil {
		return nil, damaged
	}
	outside := f
	outside.Sealed = ""
	said, err := canonical.Encode(outside)
	if err != nil {
		return nil, err
	}
	meant, err := canonical.Encode(in.File)
	if err != nil || !bytes.Equal(said, meant) || sign.Address(key) != f.Address {
		return nil, damaged
	}
	return key, nil
}

// Named returns person and ledger as they are asked for, or as the file has
// them; where both say one they must agree.
func (f File) Named(person, ledger string) (tape.ID, party.LedgerID, error) {
	var id party.LedgerID
	if person == "" {
		person = string(f.Person)
	}
	if person == "" {
		return "", id, &Fault{Usage: true, Text: "whose key this is stands neither in its file nor here", Todo: "add --person ID"}
	}
	if err := tape.ID(person).Check(); err != nil {
		return "", id, &Fault{Usage: true, Text: err.Error()}
	}
	if f.Person != "" && string(f.Person) != person {
		return "", id, &Fault{Refused: true, Text: "this is for person " + person + "; the key is that of " + string(f.Person), Todo: "use the key of " + person + ": --key FILE"}
	}
	switch {
	case ledger != "":
		if err := id.UnmarshalText([]byte(ledger)); err != nil {
			return "", id, &Fault{Usage: true, Text: err.Error()}
		}
	case f.Ledger != nil:
		id = *f.Ledger
	default:
		return "", id, &Fault{Usage: true, Text: "the ledger's id stands neither in the key's file nor here", Todo: "add --ledger HEX"}
	}
	return tape.ID(person), id, f.Serves(id)
}

// Serves refuses another ledger than the key was drawn for.
func (f File) Serves(ledger party.LedgerID) error {
	if f.Ledger != nil && *f.Ledger != ledger {
		return &Fault{Refused: true, Text: "this is for ledger " + ledger.String() + "; the key signs for " + f.Ledger.String() + " only", Todo: "do not sign what comes from elsewhere"}
	}
	return nil
}
