package identity

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lianbao/lianbao/network/topology"
)

// Folder is where the certificates of one organisation lie:
//
//	ca/ tlsca/           the two authorities
//	msp/                 what the channel knows of the organisation
//	nodes/<node>/msp     a peer or an orderer, as Fabric reads it
//	nodes/<node>/tls     its TLS pair; chaincodes have only this
//	admin/ gateway/ auditor/    those who speak for the organisation
//	dialer/              the TLS pair by which its nodes are administered and its chaincode is called
type Folder string

// Speakers are the identities of an organisation that sign transactions.
const (
	// Admin may join channels and approve chaincode.
	Admin = "admin"
	// Gateway carries commands; its certificate has the role gateway.
	Gateway = "gateway"
	// Auditor reads; its certificate has the role auditor.
	Auditor = "auditor"
)

// Create makes all certificates of an organisation at once: either the whole
// folder exists afterwards or, after an error or a crash, nothing of it. A
// folder that is there already is left as it is.
func Create(path string, o topology.Organisation) (Folder, error) {
	if _, err := os.Stat(path); err == nil {
		return Folder(path), nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	draft, err := os.MkdirTemp(filepath.Dir(path), ".identity-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(draft)
	if err := fill(Folder(draft), o); err != nil {
		return "", fmt.Errorf("certificates of %s: %w", o.Name, err)
	}
	return Folder(path), os.Rename(draft, path)
}

func fill(f Folder, o topology.Organisation) error {
	ca, err := newAuthority("ca."+o.Domain, o.Name)
	if err != nil {
		return err
	}
	tlsca, err := newAuthority("tlsca."+o.Domain, o.Name)
	if err != nil {
		return err
	}
	steps := []func() error{
		func() error { return f.writePair("ca", ca.Pair) },
		func() error { return f.writePair("tlsca", tlsca.Pair) },
		func() error { return f.writeMSP("msp", ca, tlsca) },
		func() error { return f.issueSpeakers(o, ca, tlsca) },
	}
	for _, n := range o.NodesOf(topology.Peer, topology.Orderer, topology.ChaincodeServer) {
		steps = append(steps, func() error { return f.issueNode(o, n, ca, tlsca) })
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (f Folder) issueSpeakers(o topology.Organisation, ca, tlsca *Authority) error {
	speakers := []struct {
		name string
		from *Authority
		Request
	}{
		{Admin, ca, Request{Unit: "admin", Role: "admin"}},
		{Gateway, ca, Request{Unit: "client", Role: "gateway"}},
		{Auditor, ca, Request{Unit: "client", Role: "auditor"}},
		{"dialer", tlsca, Request{Hosts: []string{"dialer." + o.Domain}}},
	}
	for _, s := range speakers {
		s.CommonName = s.name + "." + o.Domain
		pair, err := s.from.issue(s.Request)
		if err != nil {
			return err
		}
		if err := f.writePair(s.name, pair); err != nil {
			return err
		}
	}
	return nil
}

func (f Folder) issueNode(o topology.Organisation, n topology.Node, ca, tlsca *Authority) error {
	host := strings.TrimSuffix(n.Name, "."+o.Name) + "." + o.Domain
	pair, err := tlsca.issue(Request{CommonName: host, Hosts: []string{host, "localhost", "127.0.0.1", "::1"}})
	if err != nil {
		return err
	}
	at := filepath.Join("nodes", n.Name)
	if err := f.writePair(filepath.Join(at, "tls"), pair); err != nil {
		return err
	}
	if n.Role == topology.ChaincodeServer {
		return nil
	}
	pair, err = ca.issue(Request{CommonName: host, Unit: string(n.Role)})
	if err != nil {
		return err
	}
	msp := filepath.Join(at, "msp")
	if err := f.writeMSP(msp, ca, tlsca); err != nil {
		return err
	}
	if err := f.write(filepath.Join(msp, "signcerts", "cert.pem"), pair.Certificate); err != nil {
		return err
	}
	return f.write(filepath.Join(msp, "keystore", "key.pem"), pair.Key)
}

// unitsFile tells Fabric to classify identities by their organisational unit.
const unitsFile = `NodeOUs:
  Enable: true
  ClientOUIdentifier: {Certificate: cacerts/ca.pem, OrganizationalUnitIdentifier: client}
  PeerOUIdentifier: {Certificate: cacerts/ca.pem, OrganizationalUnitIdentifier: peer}
  AdminOUIdentifier: {Certificate: cacerts/ca.pem, OrganizationalUnitIdentifier: admin}
  OrdererOUIdentifier: {Certificate: cacerts/ca.pem, OrganizationalUnitIdentifier: orderer}
`

func (f Folder) writeMSP(at string, ca, tlsca *Authority) error {
	files := []struct {
		name string
		data []byte
	}{
		{filepath.Join("cacerts", "ca.pem"), ca.Certificate},
		{filepath.Join("tlscacerts", "tlsca.pem"), tlsca.Certificate},
		{"config.yaml", []byte(unitsFile)},
	}
	for _, file := range files {
		if err := f.write(filepath.Join(at, file.name), file.data); err != nil {
			return err
		}
	}
	return nil
}

func (f Folder) writePair(at string, pair Pair) error {
	if err := f.write(filepath.Join(at, "cert.pem"), pair.Certificate); err != nil {
		return err
	}
	return f.write(filepath.Join(at, "key.pem"), pair.Key)
}

func (f Folder) write(name string, data []byte) error {
	path := filepath.Join(string(f), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}

// MSP is the folder of what the channel knows of the organisation.
func (f Folder) MSP() string { return filepath.Join(string(f), "msp") }

// NodeMSP is the folder from which a peer or an orderer reads who it is.
func (f Folder) NodeMSP(node string) string {
	return filepath.Join(string(f), "nodes", node, "msp")
}

// NodeCertificate is the file of the certificate by which a node signs.
func (f Folder) NodeCertificate(node string) string {
	return filepath.Join(f.NodeMSP(node), "signcerts", "cert.pem")
}

// NodeTLS is where the TLS pair of a node lies.
func (f Folder) NodeTLS(node string) Files {
	return f.files(filepath.Join("nodes", node, "tls"))
}

// Speaker is where the pair of Admin, Gateway or Auditor lies.
func (f Folder) Speaker(name string) Files { return f.files(name) }

// Dialer is where the TLS pair lies by which nodes are administered and the
// chaincode is called.
func (f Folder) Dialer() Files { return f.files("dialer") }

// TLSRoot is the file of the certificate of the TLS authority.
func (f Folder) TLSRoot() string { return filepath.Join(string(f), "tlsca", "cert.pem") }

func (f Folder) files(at string) Files {
	return Files{
		Certificate: filepath.Join(string(f), at, "cert.pem"),
		Key:         filepath.Join(string(f), at, "key.pem"),
	}
}

// Files names where a pair lies.
type Files struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

// Read reads the pair.
func (f Files) Read() (Pair, error) {
	certificate, err := os.ReadFile(f.Certificate)
	if err != nil {
		return Pair{}, err
	}
	key, err := os.ReadFile(f.Key)
	return Pair{Certificate: certificate, Key: key}, err
}

// TLS reads the pair for one end of a TLS connection.
func (f Files) TLS() (tls.Certificate, error) {
	return tls.LoadX509KeyPair(f.Certificate, f.Key)
}

// ExpiryOf is when a certificate file ends.
func ExpiryOf(file string) (time.Time, error) {
	certificate, err := readCertificate(file)
	if err != nil {
		return time.Time{}, err
	}
	return certificate.NotAfter, nil
}

// Expiry is when the first certificate of a node ends.
func (f Folder) Expiry(n topology.Node) (time.Time, error) {
	files := []string{f.NodeTLS(n.Name).Certificate}
	switch n.Role {
	case topology.Gateway:
		files = []string{f.Speaker(Gateway).Certificate, f.Speaker(Auditor).Certificate}
	case topology.Peer, topology.Orderer:
		files = append(files, f.NodeCertificate(n.Name))
	}
	var first time.Time
	for _, file := range files {
		end, err := ExpiryOf(file)
		if err != nil {
			return time.Time{}, err
		}
		if first.IsZero() || end.Before(first) {
			first = end
		}
	}
	return first, nil
}

// RootPool is a pool that trusts the organisation's TLS authority alone.
func (f Folder) RootPool() (*x509.CertPool, error) {
	root, err := readCertificate(f.TLSRoot())
	if err != nil {
		return nil, err
	}
	return Pool(root), nil
}

// Pool trusts the given certificates alone.
func Pool(roots ...*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, root := range roots {
		pool.AddCert(root)
	}
	return pool
}

func readCertificate(file string) (*x509.Certificate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	certificate, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return certificate, nil
}
