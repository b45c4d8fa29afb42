package giving

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
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
	"strings"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// sealing is what follows from the key file: one key that seals the records,
// and one from which gift codes are made.
type sealing struct {
	aead  cipher.AEAD
	codes []byte
}

const keyBytes = 32

// openSealing reads the key file. It draws one only for a store that holds
// nothing: a new key beside old records would make all of them unreadable.
func openSealing(path, folder string) (sealing, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if records, _ := filepath.Glob(filepath.Join(folder, segmentPattern)); len(records) > 0 {
			return sealing{}, rule.Field("key", rule.Refuse(rule.NotFound, "%s is missing, and the announcements in %s cannot be read without it; bring it back from where it is kept", path, folder))
		}
		var key [keyBytes]byte
		if _, err := rand.Read(key[:]); err != nil {
			return sealing{}, err
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return sealing{}, err
		}
		if err := writeDurably(path, []byte(hex.EncodeToString(key[:])+"\n")); err != nil {
			return sealing{}, err
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return sealing{}, err
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		return sealing{}, errors.Join(err, rule.Field("key", rule.Refuse(rule.Forbidden, "others than its owner may read %s; run chmod 600 on it", path)))
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != keyBytes {
		return sealing{}, rule.Field("key", rule.Refuse(rule.Invalid, "%s is not a key of %d bytes in hexadecimal; it was damaged", path, keyBytes))
	}
	return derive(key)
}

func derive(key []byte) (sealing, error) {
	records, err := hkdf.Key(sha256.New, key, nil, "lianbao giving records 1", keyBytes)
	if err != nil {
		return sealing{}, err
	}
	codes, err := hkdf.Key(sha256.New, key, nil, "lianbao giving codes 1", keyBytes)
	if err != nil {
		return sealing{}, err
	}
	block, err := aes.NewCipher(records)
	if err != nil {
		return sealing{}, err
	}
	// A random nonce of 96 bits a record: 2^32 of them under one key (SP 800-38D, 8.2.2).
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return sealing{aead: aead, codes: codes}, err
}

// seal makes a line of a record. Its place is bound to it: a line put
// elsewhere opens nothing.
func (s sealing) seal(record []byte, at place) string {
	return base64.RawStdEncoding.EncodeToString(s.aead.Seal(nil, nil, record, at.bound()))
}

func (s sealing) unseal(line string, at place) ([]byte, error) {
	sealed, err := base64.RawStdEncoding.DecodeString(line)
	if err != nil {
		return nil, fmt.Errorf("line %d of %s is damaged", at.line+1, at.segmentName())
	}
	record, err := s.aead.Open(nil, nil, sealed, at.bound())
	if err != nil {
		return nil, fmt.Errorf("line %d of %s does not open: it was changed, moved, or sealed under another key", at.line+1, at.segmentName())
	}
	return record, nil
}

// codeOf makes the code of an attempt, so that a form sent twice gets one code,
// although the code itself is not kept.
func (s sealing) codeOf(attempt string) Code {
	mac := hmac.New(sha256.New, s.codes)
	mac.Write([]byte(attempt))
	return Code(mac.Sum(nil)[:codeBytes])
}

// writeDurably leaves, whenever it is interrupted, the old file or the new one.
func writeDurably(path string, data []byte) (err error) {
	draft, err := os.CreateTemp(filepath.Dir(path), draftPattern) // 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(draft.Name()) }() // it is gone once it was renamed
	_, err = draft.Write(data)
	if err := errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	if err := os.Rename(draft.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
