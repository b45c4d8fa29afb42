package document

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// masterMark begins each line of a master key file.
const masterMark = "lianbao-master-key-v1"

// master is one key of the organisation, which seals the keys of documents.
type master struct {
	name string
	key  [32]byte
}

// masters are the lines of a master key file: the first seals, all of them
// open. There is more than one only while a rotation is under way.
type masters []master

func newMaster() master {
	var m master
	rand.Read(m.key[:])
	m.name = m.fingerprint()
	return m
}

// fingerprint names a key without telling anything about it.
func (m master) fingerprint() string {
	sum := sha256.Sum256(append([]byte(masterMark+"\x00"), m.key[:]...))
	return hex.EncodeToString(sum[:8])
}

// CreateMaster writes a new master key file, which must not be there yet. Who
// has this file and the key folder reads every document; who loses it reads none.
func CreateMaster(path string) error {
	err := writeDurably(path, masters{newMaster()}.text(), os.Link)
	if errors.Is(err, fs.ErrExist) {
		return rule.Refuse(rule.Exists, "there is a master key file already; a new one would make every document unreadable")
	}
	return err
}

func (all masters) text() []byte {
	var text strings.Builder
	for _, m := range all {
		fmt.Fprintf(&text, "%s %s %s\n", masterMark, m.name, base64.RawURLEncoding.EncodeToString(m.key[:]))
	}
	return []byte(text.String())
}

func readMasters(path string) (masters, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, rule.Field("master", rule.Refuse(rule.Forbidden, "others than its owner may read the master key file; run chmod 600 on it"))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all masters
	for line := range strings.Lines(string(text)) {
		m, ok := parseMaster(strings.TrimSuffix(line, "\n"))
		if !ok {
			return nil, rule.Field("master", rule.Refuse(rule.Invalid, "line %d of the master key file is not a key", len(all)+1))
		}
		all = append(all, m)
	}
	if len(all) == 0 {
		return nil, rule.Field("master", rule.Refuse(rule.Invalid, "the master key file is empty"))
	}
	return all, nil
}

func parseMaster(line string) (master, bool) {
	fields := strings.Split(line, " ")
	if len(fields) != 3 || fields[0] != masterMark {
		return master{}, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(fields[2])
	if err != nil || len(raw) != 32 {
		return master{}, false
	}
	m := master{name: fields[1], key: [32]byte(raw)}
	return m, m.name == m.fingerprint()
}

func (all masters) named(name string) (master, bool) {
	for _, m := range all {
		if m.name == name {
			return m, true
		}
	}
	return master{}, false
}

// seal is AES-256-GCM with a random nonce of 96 bits before the ciphertext
// (NIST SP 800-38D, 8.2.2: at most 2^32 under one key). What is bound goes
// along in clear and cannot be changed.
func seal(key [32]byte, secret, bound []byte) []byte {
	return gcm(key).Seal(nil, nil, secret, bound)
}

func unseal(key [32]byte, sealed, bound []byte) ([]byte, error) {
	return gcm(key).Open(nil, nil, sealed, bound)
}

func gcm(key [32]byte) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the length of the key is fixed by its type
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES has the block length that GCM needs
	}
	return aead
}

// writeDurably puts a file in place whole or not at all: written beside it,
// brought to the disk, then renamed, or linked where it must be new.
func writeDurably(path string, content []byte, place func(from, to string) error) (err error) {
	folder := filepath.Dir(path)
	file, err := os.CreateTemp(folder, ".writing-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }()
	if _, err = file.Write(content); err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = place(file.Name(), path)
	}
	if err == nil {
		err = syncFile(folder)
	}
	return err
}
