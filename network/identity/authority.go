// Package identity makes the certificates of an organisation and lays them out
// in the folders that Fabric reads: a certificate authority and a TLS
// authority of its own, its nodes, and the people and programs that speak for it.
package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

const (
	authorityYears = 10
	leafYears      = 5
	// clockSkew lets a node whose clock is behind accept a new certificate.
	clockSkew = 10 * time.Minute
)

// attributesOID is where Fabric CA writes attributes and where chaincode reads
// them: https://hyperledger-fabric-ca.readthedocs.io, "Attribute-based access control".
var attributesOID = asn1.ObjectIdentifier{1, 2, 3, 4, 5, 6, 7, 8, 1}

// Pair is a certificate and its private key, both in PEM, the key in PKCS 8.
type Pair struct {
	Certificate []byte
	Key         []byte
}

// Authority signs certificates of one organisation.
type Authority struct {
	Pair
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// Request is what an authority is asked to certify.
type Request struct {
	CommonName string
	// Unit is the organisational unit by which Fabric tells the kinds of
	// identities apart: peer, orderer, admin or client. TLS has none.
	Unit string
	// Role is the value of the attribute "role"; empty for none.
	Role string
	// Hosts are names and addresses of a TLS server; TLS certificates serve
	// both sides of a connection.
	Hosts []string
}

// newAuthority makes a self-signed authority.
func newAuthority(commonName, organisation string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template, err := newTemplate(commonName, organisation, authorityYears)
	if err != nil {
		return nil, err
	}
	template.IsCA = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature
	template.SubjectKeyId = keyID(&key.PublicKey)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	pair, err := encode(der, key)
	return &Authority{Pair: pair, certificate: certificate, key: key}, err
}

// issue certifies a new key.
func (a *Authority) issue(r Request) (Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, err
	}
	template, err := newTemplate(r.CommonName, a.certificate.Subject.Organization[0], leafYears)
	if err != nil {
		return Pair{}, err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.SubjectKeyId = keyID(&key.PublicKey)
	template.AuthorityKeyId = a.certificate.SubjectKeyId
	if r.Unit != "" {
		template.Subject.OrganizationalUnit = []string{r.Unit}
	}
	if len(r.Hosts) > 0 {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
		addHosts(template, r.Hosts)
	}
	if err := addRole(template, r.Role); err != nil {
		return Pair{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		return Pair{}, err
	}
	return encode(der, key)
}

func newTemplate(commonName, organisation string, years int) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	return &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: commonName, Organization: []string{organisation}},
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.AddDate(years, 0, 0),
		BasicConstraintsValid: true,
	}, nil
}

func addHosts(template *x509.Certificate, hosts []string) {
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
			continue
		}
		template.DNSNames = append(template.DNSNames, host)
	}
}

func addRole(template *x509.Certificate, role string) error {
	if role == "" {
		return nil
	}
	value, err := json.Marshal(map[string]map[string]string{"attrs": {"role": role}})
	if err != nil {
		return err
	}
	template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: attributesOID, Value: value})
	return nil
}

// keyID is the hash that Fabric's own tools put into the subject key id.
func keyID(public *ecdsa.PublicKey) []byte {
	point, err := public.Bytes()
	if err != nil {
		return nil // only for curves that are not ours
	}
	id := sha256.Sum256(point)
	return id[:]
}

func encode(der []byte, key *ecdsa.PrivateKey) (Pair, error) {
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Pair{}, err
	}
	return Pair{
		Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		Key:         pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
	}, nil
}

// Parse reads a certificate in PEM.
func Parse(certificate []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(certificate)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("there is no certificate in PEM")
	}
	return x509.ParseCertificate(block.Bytes)
}

// Role is the value of the attribute "role" of a certificate; empty for none.
func Role(certificate *x509.Certificate) string {
	for _, extension := range certificate.Extensions {
		var value struct {
			Attributes map[string]string `json:"attrs"`
		}
		if extension.Id.Equal(attributesOID) && json.Unmarshal(extension.Value, &value) == nil {
			return value.Attributes["role"]
		}
	}
	return ""
}
