// Package keyring holds the keys of persons whose custody is gateway-held: the
// invented staff and households of a demonstration. It signs for whoever is
// logged in, and for nobody else: there is no argument by which another person
// could be named. Every signature stands in a log before anybody gets it.
package keyring

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/message"
	"github.com/lianbao/lianbao/gateway/persons"
)

// Persons are the persons of the ledger, as persons.Register reads them.
type Persons interface {
	Person(ctx context.Context, id tape.ID) (party.Person, error)
	Ledger(ctx context.Context) (party.LedgerID, error)
}

// Keyring is a folder of sealed keys, held by one process.
type Keyring struct {
	folder  string
	sealing cipher.AEAD
	persons Persons
	clock   func() time.Time

	mutex sync.Mutex
	log   *journal
}

// sealed is the file of one key.
type sealed struct {
	Address party.Address `json:"address"`
	Person  tape.ID       `json:"person"`
	// Sealed is a nonce and the key, sealed with person and address bound to it:
	// a file under another's name does not open.
	Sealed string `json:"sealed"`
	V      int32  `json:"v"`
}

// masterDigits is the length of a master key's file without its line end.
const masterDigits = 64

// CreateMaster writes a new master key file, which must not be there yet. Who
// has it and the folder can sign for everybody in it; who loses it, for nobody.
func CreateMaster(path string) error {
	var key [masterDigits / 2]byte
	_, _ = rand.Read(key[:]) // it never fails: the program ends before
	return writeNew(path, []byte(hex.EncodeToString(key[:])+"\n"))
}

// Open opens a folder, or makes it.
func Open(folder, masterPath string, persons Persons, clock func() time.Time) (*Keyring, error) {
	sealing, err := readMaster(masterPath)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	if clock == nil {
		clock = time.Now
	}
	log, err := openJournal(filepath.Join(folder, "signings.log"))
	if err != nil {
		return nil, err
	}
	return &Keyring{folder: folder, sealing: sealing, persons: persons, clock: clock, log: log}, nil
}

// Close ends the log.
func (k *Keyring) Close() error { return k.log.close() }

func readMaster(path string) (cipher.AEAD, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, rule.Refuse(rule.Forbidden, "others than its owner may read the master key %s; run chmod 600 on it", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	master, err := hex.DecodeString(strings.TrimSuffix(string(text), "\n"))
	if err != nil || len(master) != masterDigits/2 {
		return nil, rule.Refuse(rule.Invalid, "%s is no master key: 64 digits 0-9 and a-f", path)
	}
	key, err := hkdf.Key(sha256.New, master, nil, "lianbao keyring v1", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (k *Keyring) path(person tape.ID) string { return filepath.Join(k.folder, string(person)+".json") }

func (s sealed) bound() []byte {
	return []byte("lianbao person key v1\x00" + string(s.Person) + "\x00" + s.Address.String())
}

// Keep takes a key over for a person that has none here yet.
func (k *Keyring) Keep(person tape.ID, key *ecdsa.PrivateKey) error {
	if err := person.Check(); err != nil {
		return err
	}
	s := sealed{V: 1, Person: person, Address: sign.Address(key)}
	s.Sealed = hex.EncodeToString(k.sealing.Seal(nil, nil, crypto.FromECDSA(key), s.bound()))
	text, err := canonical.Encode(s)
	if err != nil {
		return err
	}
	k.mutex.Lock()
	defer k.mutex.Unlock()
	err = writeNew(k.path(person), append(text, '\n'))
	if errors.Is(err, fs.ErrExist) {
		known, openErr := k.open(person)
		if openErr == nil && known.Equal(key) {
			return nil // the same again
		}
		return rule.Refuse(rule.Exists, "the gateway holds another key of %s already", person)
	}
	return err
}

// Draw draws a key for a person and returns its proof for the registration.
// What is registered says gateway-held, whatever the caller filled in. A key
// that was drawn before and never came to the ledger is proved again, so that
// an interrupted registration goes on; one that did stays the only one here.
func (k *Keyring) Draw(ctx context.Context, possession party.Possession) (party.Possession, party.Signature, error) {
	ledger, err := k.persons.Ledger(ctx)
	if err != nil {
		return possession, party.Signature{}, err
	}
	key, err := k.unused(ctx, possession.Person)
	if err != nil {
		return possession, party.Signature{}, err
	}
	possession.Key, possession.Custody = sign.Address(key), party.GatewayHeld
	proof, err := sign.Possession(key, ledger, possession)
	return possession, proof, err
}

// unused is a key of a person that is not on the ledger yet.
func (k *Keyring) unused(ctx context.Context, id tape.ID) (*ecdsa.PrivateKey, error) {
	if !k.Holds(id) {
		key, err := crypto.GenerateKey()
		if err != nil {
			return nil, err
		}
		return key, k.Keep(id, key)
	}
	key, err := k.open(id)
	if err != nil {
		return nil, err
	}
	person, err := k.persons.Person(ctx, id)
	if rule.Is(err, rule.NotFound) {
		return key, nil
	}
	if err != nil {
		return nil, err
	}
	if address := sign.Address(key); person.Key.Address == address || person.Next != nil && person.Next.Address == address {
		return nil, rule.Refuse(rule.Exists, "the gateway holds a key of %s already, and it stands on the ledger", id)
	}
	return key, nil
}

// Holds reports whether the gateway holds a key of a person.
func (k *Keyring) Holds(person tape.ID) bool {
	if person.Check() != nil {
		return false
	}
	_, err := os.Stat(k.path(person))
	return err == nil
}

// open reads a person's key.
func (k *Keyring) open(person tape.ID) (*ecdsa.PrivateKey, error) {
	text, err := os.ReadFile(k.path(person))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, message.Refuse(rule.NotFound, "keyring.none", "Person", string(person))
	}
	if err != nil {
		return nil, err
	}
	var s sealed
	if err := canonical.Decode([]byte(strings.TrimSuffix(string(text), "\n")), &s); err != nil || s.Person != person || s.V != 1 {
		return nil, rule.Refuse(rule.Conflict, "the key file of %s was changed; bring it back from the backup", person)
	}
	body, err := hex.DecodeString(s.Sealed)
	if err != nil {
		return nil, rule.Refuse(rule.Conflict, "the key file of %s was changed; bring it back from the backup", person)
	}
	plain, err := k.sealing.Open(nil, nil, body, s.bound())
	if err != nil {
		return nil, rule.Refuse(rule.Conflict, "the key file of %s was sealed by another master key, or changed", person)
	}
	key, err := crypto.ToECDSA(plain)
	if err != nil || sign.Address(key) != s.Address {
		return nil, rule.Refuse(rule.Conflict, "the key file of %s holds another key than it says", person)
	}
	return key, nil
}

// Sign signs a statement for the person who is logged in, if the key that the
// ledger has in force for it is the one that this gateway holds and shows as
// gateway-held. The log has it before the caller does.
func (k *Keyring) Sign(ctx context.Context, session login.Session, statement party.Statement) (party.Intent, error) {
	person := session.Person()
	if !session.LoggedIn() || person == "" {
		return party.Intent{}, message.Refuse(rule.Forbidden, "login.needed")
	}
	at := tape.Instant(k.clock().UnixMilli())
	ledger, err := k.persons.Ledger(ctx)
	if err != nil {
		return party.Intent{}, err
	}
	key, err := k.inForce(ctx, person, at)
	if err != nil {
		return party.Intent{}, err
	}
	intent, err := sign.Intent(key, ledger, person, statement)
	if err != nil {
		return party.Intent{}, err
	}
	signing := Signing{V: 1, At: at, Person: person, By: session.By(), Action: statement.Action, Subject: statement.Subject, Amount: statement.Amount,
		Command: statement.Command, Intent: statement.Intent, Deadline: statement.Deadline}
	k.mutex.Lock()
	defer k.mutex.Unlock()
	// Between the first look and this one somebody may have logged out.
	if !session.LoggedIn() {
		return party.Intent{}, message.Refuse(rule.Forbidden, "login.needed")
	}
	if err := k.log.add(signing); err != nil {
		return party.Intent{}, err
	}
	return intent, nil
}

// inForce opens the key that signs for a person now.
func (k *Keyring) inForce(ctx context.Context, id tape.ID, at tape.Instant) (*ecdsa.PrivateKey, error) {
	key, err := k.open(id)
	if err != nil {
		return nil, err
	}
	person, err := k.persons.Person(ctx, id)
	if err != nil {
		return nil, err
	}
	known, err := persons.InForce(person, at)
	if err != nil {
		return nil, err
	}
	if known.Custody != party.GatewayHeld || known.Address != sign.Address(key) {
		return nil, message.Refuse(rule.Forbidden, "keyring.other", "Person", string(id), "Address", known.Address.String())
	}
	return key, nil
}

// Signings are what the gateway signed for the person who is logged in, the
// last first, most at most.
func (k *Keyring) Signings(session login.Session, most int) []Signing {
	person := session.Person()
	if person == "" {
		return nil
	}
	return k.list(most, func(s Signing) bool { return s.Person == person })
}

// All are what the gateway signed for anybody: for auditors of the organisation.
func (k *Keyring) All(session login.Session, most int) []Signing {
	if !session.Has(login.Auditor, login.Admin) {
		return nil
	}
	return k.list(most, func(Signing) bool { return true })
}

func (k *Keyring) list(most int, wanted func(Signing) bool) []Signing {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	var found []Signing
	for i := len(k.log.all) - 1; i >= 0 && len(found) < most; i-- {
		if wanted(k.log.all[i]) {
			found = append(found, k.log.all[i])
		}
	}
	return found
}
