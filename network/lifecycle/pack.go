package lifecycle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"

	"github.com/lianbao/lianbao/network/topology"
)

// pack is the chaincode package of one organisation. It holds no code, only
// where that organisation's chaincode listens and how to call it, so that it
// differs from organisation to organisation, and stays on its peer.
type pack struct {
	id    string
	bytes []byte
}

// connection is what the peer reads from a package of the type ccaas.
type connection struct {
	Address            string `json:"address"`
	DialTimeout        string `json:"dial_timeout"`
	TLSRequired        bool   `json:"tls_required"`
	ClientAuthRequired bool   `json:"client_auth_required"`
	// Domain is the name in the chaincode's certificate.
	Domain            string `json:"domain"`
	RootCertificate   string `json:"root_cert"`
	ClientCertificate string `json:"client_cert"`
	ClientKey         string `json:"client_key"`
}

// dialTimeout is how long a peer waits for a chaincode that does not answer.
const dialTimeout = "3s"

// pack makes the package. The same files give the same bytes and so the same
// id, which is why the chaincode can start before its package is installed.
func (s Site) pack(o topology.Organisation) (pack, error) {
	n, runs := o.Node(topology.ChaincodeServer)
	if !runs {
		return pack{}, fmt.Errorf("%s runs no chaincode", o.Name)
	}
	id := s.Identity(o.Name)
	root, err := os.ReadFile(id.TLSRoot())
	if err != nil {
		return pack{}, err
	}
	dialer, err := id.Dialer().Read()
	if err != nil {
		return pack{}, err
	}
	code, err := json.Marshal(connection{
		Address: n.Address(), DialTimeout: dialTimeout, TLSRequired: true, ClientAuthRequired: true,
		Domain: host, RootCertificate: string(root),
		ClientCertificate: string(dialer.Certificate), ClientKey: string(dialer.Key),
	})
	if err != nil {
		return pack{}, err
	}
	label := s.Topology.Chaincode.Name + "_" + s.Topology.Chaincode.Version
	metadata, err := json.Marshal(map[string]string{"type": "ccaas", "label": label})
	if err != nil {
		return pack{}, err
	}
	inner, err := archive(file{"connection.json", code})
	if err != nil {
		return pack{}, err
	}
	outer, err := archive(file{"metadata.json", metadata}, file{"code.tar.gz", inner})
	return pack{id: chaincode.GetPackageID(label, outer), bytes: outer}, err
}

type file struct {
	name string
	data []byte
}

// archive is a tar.gz without times or owners, so that its bytes follow from
// the files alone.
func archive(files ...file) ([]byte, error) {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	tape := tar.NewWriter(zip)
	for _, f := range files {
		header := &tar.Header{Name: f.name, Mode: 0o600, Size: int64(len(f.data)), Typeflag: tar.TypeReg}
		if err := tape.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := tape.Write(f.data); err != nil {
			return nil, err
		}
	}
	if err := tape.Close(); err != nil {
		return nil, err
	}
	err := zip.Close()
	return out.Bytes(), err
}
