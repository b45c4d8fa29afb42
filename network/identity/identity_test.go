package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/network/topology"
)

func create(t *testing.T, organisation string) (Folder, topology.Organisation) {
	t.Helper()
	o, known := topology.Default().Organisation(organisation)
	if !known {
		t.Fatalf("there is no %s", organisation)
	}
	folder, err := Create(filepath.Join(t.TempDir(), "identity"), o)
	if err != nil {
		t.Fatal(err)
	}
	return folder, o
}

func TestCertificates(t *testing.T) {
	f, _ := create(t, "charity")
	signing, err := readCertificate(filepath.Join(string(f), "ca", "cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	tlsRoots, err := f.RootPool()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file                     string
		roots                    *x509.CertPool
		host, unit, role, answer string
	}{
		{f.NodeCertificate("peer.charity"), Pool(signing), "", "peer", "", "verified"},
		{f.NodeCertificate("orderer.charity"), Pool(signing), "", "orderer", "", "verified"},
		{f.Speaker(Admin).Certificate, Pool(signing), "", "admin", "admin", "verified"},
		{f.Speaker(Gateway).Certificate, Pool(signing), "", "client", "gateway", "verified"},
		{f.Speaker(Auditor).Certificate, Pool(signing), "", "client", "auditor", "verified"},
		{f.NodeTLS("peer.charity").Certificate, tlsRoots, "peer.charity.lianbao.example", "", "", "verified"},
		{f.NodeTLS("orderer.charity").Certificate, tlsRoots, "127.0.0.1", "", "", "verified"},
		{f.NodeTLS("chaincode.charity").Certificate, tlsRoots, "127.0.0.1", "", "", "verified"},
		{f.Dialer().Certificate, tlsRoots, "dialer.charity.lianbao.example", "", "", "verified"},
		// The authorities vouch for their own alone.
		{f.NodeCertificate("peer.charity"), tlsRoots, "", "peer", "", "signed by unknown authority"},
		{f.NodeTLS("peer.charity").Certificate, Pool(signing), "127.0.0.1", "", "", "signed by unknown authority"},
		{f.NodeTLS("peer.charity").Certificate, tlsRoots, "peer.bank.lianbao.example", "", "", "not peer.bank.lianbao.example"},
	} {
		name, _ := filepath.Rel(string(f), c.file)
		t.Run(name+" "+c.answer, func(t *testing.T) {
			certificate, err := readCertificate(c.file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = certificate.Verify(x509.VerifyOptions{Roots: c.roots, DNSName: c.host, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
			if got := answer(err); !strings.Contains(got, c.answer) {
				t.Errorf("it is %s", got)
			}
			if unit := strings.Join(certificate.Subject.OrganizationalUnit, ","); unit != c.unit {
				t.Errorf("its unit is %q, not %q", unit, c.unit)
			}
			if role := Role(certificate); role != c.role {
				t.Errorf("its role is %q, not %q", role, c.role)
			}
			key, isECDSA := certificate.PublicKey.(*ecdsa.PublicKey)
			if !isECDSA || key.Curve != elliptic.P256() {
				t.Errorf("its key is %T, not ECDSA on P-256", certificate.PublicKey)
			}
		})
	}
}

func answer(err error) string {
	if err != nil {
		return err.Error()
	}
	return "verified"
}

func TestKeysAreTheirOwnersOnly(t *testing.T) {
	f, _ := create(t, "bank")
	keys := 0
	err := filepath.WalkDir(string(f), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v", path, info.Mode())
		}
		if entry.Name() != "key.pem" {
			return nil
		}
		keys++
		data, err := os.ReadFile(path)
		if !strings.HasPrefix(string(data), "-----BEGIN PRIVATE KEY-----") {
			t.Errorf("%s is not PKCS 8", path)
		}
		return err
	})
	// Two authorities, three speakers and the dialer, a peer and an orderer
	// with two pairs each, a chaincode.
	if err != nil || keys != 11 {
		t.Errorf("%d keys, %v", keys, err)
	}
}

func TestExpiry(t *testing.T) {
	f, o := create(t, "charity")
	for _, n := range o.Nodes {
		end, err := f.Expiry(n)
		if err != nil {
			t.Fatalf("%s: %v", n.Name, err)
		}
		if years := time.Until(end).Hours() / 24 / 365; years < leafYears-0.1 || years > leafYears+0.1 {
			t.Errorf("%s ends at %v", n.Name, end)
		}
	}
}

// A second Create changes nothing; a folder that was never finished is not
// there at all.
func TestCreateIsAllOrNothing(t *testing.T) {
	f, o := create(t, "charity")
	before, err := f.Dialer().Read()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Create(string(f), o); err != nil {
		t.Fatal(err)
	}
	after, err := f.Dialer().Read()
	if err != nil || string(before.Key) != string(after.Key) {
		t.Errorf("the second Create made new keys (%v)", err)
	}
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(filepath.Join(blocked, "identity"), o); err == nil {
		t.Error("certificates were made below a file")
	}
	beside, err := os.ReadDir(filepath.Dir(string(f)))
	if err != nil || len(beside) != 1 {
		t.Errorf("beside the folder lie %v (%v)", beside, err)
	}
}

func TestParseRefusesWhatIsNoCertificate(t *testing.T) {
	f, _ := create(t, "charity")
	pair, err := f.Dialer().Read()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"nothing": nil, "text": []byte("hello"), "a key": pair.Key} {
		if _, err := Parse(data); err == nil {
			t.Errorf("%s was read as a certificate", name)
		}
	}
}
