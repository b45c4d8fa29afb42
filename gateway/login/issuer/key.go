package issuer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// The algorithms of RFC 7518 that the demonstration signs with.
const (
	RS256 = "RS256"
	ES256 = "ES256"
)

const rsaBits = 2048

// signer is a key and its name.
type signer struct {
	id        string
	algorithm string
	rsa       *rsa.PrivateKey
	ecdsa     *ecdsa.PrivateKey
}

func newSigner(algorithm string) (signer, error) {
	s := signer{algorithm: algorithm}
	var name [8]byte
	_, _ = rand.Read(name[:]) // it never fails: the program ends before
	s.id = hex.EncodeToString(name[:])
	var err error
	switch algorithm {
	case RS256:
		s.rsa, err = rsa.GenerateKey(rand.Reader, rsaBits)
	case ES256:
		s.ecdsa, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		err = rule.Refuse(rule.Invalid, "the algorithm %.20q is not RS256 or ES256", algorithm)
	}
	return s, err
}

// public is the key as RFC 7517 writes it.
func (s signer) public() map[string]string {
	key := map[string]string{"kid": s.id, "use": "sig", "alg": s.algorithm}
	if s.rsa != nil {
		key["kty"], key["n"], key["e"] = "RSA", text(s.rsa.N.Bytes()), text(big.NewInt(int64(s.rsa.E)).Bytes())
		return key
	}
	point, err := s.ecdsa.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return key
	}
	key["kty"], key["crv"], key["x"], key["y"] = "EC", "P-256", text(point[1:33]), text(point[33:])
	return key
}

// token signs claims as RFC 7515 writes them.
func (s signer) token(claims map[string]any) (string, error) {
	header, err := json.Marshal(map[string]string{"alg": s.algorithm, "kid": s.id, "typ": "JWT"})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	plain := text(header) + "." + text(body)
	digest := sha256.Sum256([]byte(plain))
	var signature []byte
	if s.rsa != nil {
		signature, err = rsa.SignPKCS1v15(nil, s.rsa, crypto.SHA256, digest[:])
	} else {
		signature, err = s.signPoint(digest)
	}
	return plain + "." + text(signature), err
}

// signPoint writes r and s in 32 bytes each.
func (s signer) signPoint(digest [32]byte) ([]byte, error) {
	r, v, err := ecdsa.Sign(rand.Reader, s.ecdsa, digest[:])
	if err != nil {
		return nil, err
	}
	return append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...), nil
}

func text(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
