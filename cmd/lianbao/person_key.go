package main

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
	"github.com/lianbao/lianbao/chaincode/tape"
)

// keyFile is a key on a person's device. What it says in the clear stands in
// the sealed part too, and must be the same there.
type keyFile struct {
	Address party.Address `json:"address"`
	// Ledger is the one that the key signs for; any where there is none.
	Ledger *party.LedgerID `json:"ledger,omitempty"`
	Person tape.ID         `json:"person,omitempty"`
	// Sealed is base64 of an age file under the passphrase: any age program opens it.
	Sealed string `json:"sealed,omitempty"`
	V      int32  `json:"v"`
	key    *ecdsa.PrivateKey
}

// inside is what is sealed.
type inside struct {
	File keyFile `json:"file"`
	Key  string  `json:"key"`
}

// Costs of a guess at the passphrase: scrypt with 2^17 takes half a second and
// 128 MiB. A file that asks for more than eight times that is refused.
const (
	workFactorMax = 20
	keyFileMax    = 16 << 10
)

// workFactor is a variable for tests, which would only warm the machine.
var workFactor = 17

func newKeyFile(person, ledger string) (keyFile, error) {
	file := keyFile{V: 1, Person: tape.ID(person)}
	if person != "" {
		if err := file.Person.Check(); err != nil {
			return file, &failure{exitUsage, err.Error(), ""}
		}
	}
	if ledger != "" {
		file.Ledger = new(party.LedgerID)
		if err := file.Ledger.UnmarshalText([]byte(ledger)); err != nil {
			return file, &failure{exitUsage, err.Error(), "lianbao person new without --ledger makes a key for any"}
		}
	}
	return file, nil
}

// draw draws the key and seals it.
func (f *keyFile) draw(passphrase string) error {
	key, err := crypto.GenerateKey()
	if err != nil {
		return err
	}
	f.Address, f.key = sign.Address(key), key
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

// save writes the file whole, readable to its owner alone, and never over another.
func (f keyFile) save(path string) error {
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

func readKeyFile(path string) (keyFile, error) {
	opened, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return keyFile{}, &failure{exitUsage, "there is no key in " + path, "lianbao person new draws one; --key FILE names another file"}
	}
	if err != nil {
		return keyFile{}, err
	}
	defer func() { _ = opened.Close() }() // it is only read
	text, err := io.ReadAll(io.LimitReader(opened, keyFileMax))
	if err != nil {
		return keyFile{}, err
	}
	file, err := parseKeyFile(text)
	if err != nil {
		return file, &failure{exitFailed, path + " is no key of this program, or was changed: " + err.Error(), "bring it back from your copy"}
	}
	return file, nil
}

func parseKeyFile(text []byte) (keyFile, error) {
	var f keyFile
	if err := canonical.Decode(bytes.TrimRight(text, "\r\n"), &f); err != nil {
		return f, err
	}
	if f.V != 1 || f.Sealed == "" {
		return f, errors.New("it has another version, or holds no key")
	}
	if f.Person != "" {
		return f, f.Person.Check()
	}
	return f, nil
}

// open unseals the key.
func (f keyFile) open(passphrase string) (*ecdsa.PrivateKey, error) {
	damaged := &failure{exitFailed, "the key's file was changed", "bring it back from your copy"}
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
		return nil, &failure{exitFailed, "the passphrase does not open this key", "type it again; nobody can replace it"}
	}
	plain, err := io.ReadAll(io.LimitReader(reader, keyFileMax))
	if err != nil {
		return nil, damaged
	}
	return f.unpack(plain, damaged)
}

// unpack compares what the file says in the clear with what is sealed.
func (f keyFile) unpack(plain []byte, damaged error) (*ecdsa.PrivateKey, error) {
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

// shown is the file without its key.
func (f keyFile) shown(path string) any {
	return struct {
		Address party.Address   `json:"address"`
		Ledger  *party.LedgerID `json:"ledger,omitempty"`
		Person  tape.ID         `json:"person,omitempty"`
		File    string          `json:"file"`
	}{f.Address, f.Ledger, f.Person, path}
}

// named returns person and ledger as they are asked for, or as the file has
// them; where both say one they must agree.
func (f keyFile) named(person, ledger string) (tape.ID, party.LedgerID, error) {
	var id party.LedgerID
	if person == "" {
		person = string(f.Person)
	}
	if person == "" {
		return "", id, &failure{exitUsage, "whose key this is stands neither in its file nor here", "add --person ID"}
	}
	if err := tape.ID(person).Check(); err != nil {
		return "", id, &failure{exitUsage, err.Error(), ""}
	}
	if f.Person != "" && string(f.Person) != person {
		return "", id, &failure{exitRefused, "this is for person " + person + "; the key is that of " + string(f.Person), "use the key of " + person + ": --key FILE"}
	}
	switch {
	case ledger != "":
		if err := id.UnmarshalText([]byte(ledger)); err != nil {
			return "", id, &failure{exitUsage, err.Error(), ""}
		}
	case f.Ledger != nil:
		id = *f.Ledger
	default:
		return "", id, &failure{exitUsage, "the ledger's id stands neither in the key's file nor here", "add --ledger HEX"}
	}
	return tape.ID(person), id, f.serves(id)
}

// serves refuses another ledger than the key was drawn for.
func (f keyFile) serves(ledger party.LedgerID) error {
	if f.Ledger != nil && *f.Ledger != ledger {
		return &failure{exitRefused, "this is for ledger " + ledger.String() + "; the key signs for " + f.Ledger.String() + " only", "do not sign what comes from elsewhere"}
	}
	return nil
}
