// Package seal closes a private value for the one who asked for it.
//
// The answer to an evaluated function goes to its caller alone, but the answer
// to a submitted one stands in a block for ever, and a peer cannot tell which
// of the two it is asked for. So an answer that holds personal data is sealed
// under a key that the caller drew for this one question.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"

	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// KeyBytes is the length of the caller's key: random, for one question.
const KeyBytes = 32

// Answer is a sealed value and the hash that the channel knows it by.
type Answer struct {
	Hash dossier.Hash `json:"hash"`
	// Sealed is the value under AES-256-GCM, in base64url.
	Sealed string `json:"sealed"`
}

// Close seals a value. All peers give the same bytes, so the nonce is fixed and
// the key of each value its own: a caller who used one key twice would still
// seal two values under two keys.
func Close(key []byte, query dossier.ShowQuery, value []byte) (Answer, error) {
	answer := Answer{Hash: dossier.HashOf(value)}
	box, bound, err := box(key, query, answer.Hash)
	if err != nil {
		return Answer{}, err
	}
	sealed := box.Seal(nil, make([]byte, box.NonceSize()), value, bound)
	answer.Sealed = base64.RawURLEncoding.EncodeToString(sealed)
	return answer, nil
}

// Open reads what Close sealed, and checks that it is the value of that hash.
func (a Answer) Open(key []byte, query dossier.ShowQuery) ([]byte, error) {
	box, bound, err := box(key, query, a.Hash)
	if err != nil {
		return nil, err
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(a.Sealed)
	if err != nil {
		return nil, rule.Refuse(rule.Invalid, "the sealed answer is not base64url")
	}
	value, err := box.Open(nil, make([]byte, box.NonceSize()), sealed, bound)
	if err != nil || dossier.HashOf(value) != a.Hash {
		return nil, rule.Refuse(rule.Conflict, "the answer was sealed for another question, or changed on its way")
	}
	return value, nil
}

// box is the cipher of one value, and what it is bound to.
func box(key []byte, query dossier.ShowQuery, hash dossier.Hash) (cipher.AEAD, []byte, error) {
	if len(key) != KeyBytes {
		return nil, nil, rule.Refuse(rule.Invalid, "the key is %d bytes long, not %d", len(key), KeyBytes)
	}
	bound := []byte("lianbao show\x00" + string(query.Collection) + "\x00" + string(query.Record) + "\x00" + hash.String())
	derived := hmac.New(sha256.New, key)
	derived.Write(bound)
	block, err := aes.NewCipher(derived.Sum(nil))
	if err != nil {
		return nil, nil, err
	}
	box, err := cipher.NewGCM(block)
	return box, bound, err
}
