package peertest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/lianbao/lianbao/chaincode/replay"
)

// Identity is somebody with a certificate: a client of one organisation in one role.
type Identity struct {
	MSP         string
	Role        string
	Certificate *x509.Certificate
	// Serialized is how the identity stands in a proposal.
	Serialized []byte
}

// attributes is where Fabric CA puts the attributes of a certificate.
var attributes = asn1.ObjectIdentifier{1, 2, 3, 4, 5, 6, 7, 8, 1}

// authority is the CA of one organisation.
type authority struct {
	msp         string
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

// Certificates are valid for the whole time a test may set its clock to.
var (
	validFrom  = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	validUntil = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

func newAuthority(msp string) (*authority, error) {
	key, err := keyOf(msp, "ca")
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca." + msp, Organization: []string{msp}},
		NotBefore: validFrom, NotAfter: validUntil, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	data, err := x509.CreateCertificate(nil, template, template, key.Public(), repeatable{key})
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(data)
	return &authority{msp: msp, key: key, certificate: certificate}, err
}

// issue makes a certificate. The unit tells node roles apart (NodeOU), the role
// is the attribute that contracts ask for; an empty role leaves it out.
func (a *authority) issue(name, unit, role string) (Identity, error) {
	key, err := keyOf(a.msp, name)
	if err != nil {
		return Identity{}, err
	}
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(seedOf(a.msp, name)[:8]),
		Subject:      pkix.Name{CommonName: name, Organization: []string{a.msp}, OrganizationalUnit: []string{unit}},
		NotBefore:    validFrom, NotAfter: validUntil, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if role != "" {
		value, err := json.Marshal(map[string]map[string]string{"attrs": {"role": role}})
		if err != nil {
			return Identity{}, err
		}
		template.ExtraExtensions = []pkix.Extension{{Id: attributes, Value: value}}
	}
	data, err := x509.CreateCertificate(nil, template, a.certificate, key.Public(), repeatable{a.key})
	if err != nil {
		return Identity{}, err
	}
	certificate, err := x509.ParseCertificate(data)
	if err != nil {
		return Identity{}, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: data})
	return Identity{MSP: a.msp, Role: role, Certificate: certificate, Serialized: replay.Serialize(a.msp, text)}, nil
}

// keyOf derives a key from its owner's name, so that a test with a seed gets the
// same identities, and with them the same transaction ids, in every run.
func keyOf(msp, name string) (*ecdsa.PrivateKey, error) {
	seed := seedOf(msp, name)
	seed[0] = 0 // keeps the number below the order of the curve
	return ecdsa.ParseRawPrivateKey(elliptic.P256(), seed)
}

func seedOf(msp, name string) []byte {
	digest := sha256.Sum256([]byte(fmt.Sprintf("a key for tests only, of %q in %q", name, msp)))
	return digest[:]
}

// repeatable signs without randomness (RFC 6979), for the same reason.
type repeatable struct{ key *ecdsa.PrivateKey }

func (r repeatable) Public() crypto.PublicKey { return r.key.Public() }

func (r repeatable) Sign(_ io.Reader, digest []byte, options crypto.SignerOpts) ([]byte, error) {
	return r.key.Sign(nil, digest, options)
}
