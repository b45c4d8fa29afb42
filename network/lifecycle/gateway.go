package lifecycle

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/lianbao/lianbao/network/identity"
	"github.com/lianbao/lianbao/network/process"
	"github.com/lianbao/lianbao/network/topology"
)

// GatewaySettings is the one file that a gateway reads.
type GatewaySettings struct {
	Organisation string `json:"organisation"`
	MSPID        string `json:"mspId"`
	Channel      string `json:"channel"`
	Chaincode    string `json:"chaincode"`
	// Listen is the address of its pages and its API.
	Listen string `json:"listen"`
	// Data is the folder that the gateway owns.
	Data string       `json:"data"`
	Peer PeerEndpoint `json:"peer"`
	// Identity carries commands, Auditor reads.
	Identity identity.Files `json:"identity"`
	Auditor  identity.Files `json:"auditor"`
	// Token is the file of the bearer token that lets programs in.
	Token string `json:"token"`
	// Others are the gateways of the other organisations.
	Others []Neighbour `json:"others"`
	// Login says who may log in to the pages, Demonstration offers the invented
	// staff for choosing: a network on one machine has no other people.
	Login         *Login         `json:"login,omitempty"`
	Demonstration *Demonstration `json:"demonstration,omitempty"`
	// Collections are the private data collections that the organisation is a member of, with their members.
	Collections map[string][]string `json:"collections,omitempty"`
	// Importing is where lianbao import keeps this organisation's plans: a file
	// that was brought by the one way is known by the other.
	Importing string `json:"importing"`
}

// PeerEndpoint says how a client reaches a peer.
type PeerEndpoint struct {
	Address string `json:"address"`
	// TLSRootCert is the file of the certificate that vouches for the peer.
	TLSRootCert string `json:"tlsRootCert"`
	// HostOverride is the name in the peer's certificate.
	HostOverride string `json:"hostOverride"`
}

// Neighbour is another organisation's gateway.
type Neighbour struct {
	Organisation string `json:"organisation"`
	MSPID        string `json:"mspId"`
	URL          string `json:"url"`
}

// PeerEndpoint says how clients of an organisation reach its peer.
func (s Site) PeerEndpoint(o topology.Organisation) (PeerEndpoint, error) {
	n, runs := o.Node(topology.Peer)
	if !runs {
		return PeerEndpoint{}, fmt.Errorf("%s runs no peer", o.Name)
	}
	return PeerEndpoint{
		Address:      n.Address(),
		TLSRootCert:  s.Identity(o.Name).TLSRoot(),
		HostOverride: string(topology.Peer) + "." + o.Domain,
	}, nil
}

// GatewayURL is where an organisation's gateway answers; empty without one.
func (s Site) GatewayURL(o topology.Organisation) string {
	n, runs := o.Node(topology.Gateway)
	if !runs {
		return ""
	}
	return "http://" + n.Address()
}

// TokenPath is the file of an organisation's bearer token.
func (s Site) TokenPath(organisation string) string {
	return filepath.Join(s.Organisation(organisation), "token")
}

// ImportingPath is the folder of an organisation's secrets and plans of imports.
func (s Site) ImportingPath(organisation string) string {
	return filepath.Join(s.Organisation(organisation), "importing")
}

func (s Site) gatewayCommand(o topology.Organisation, n topology.Node) (process.Command, error) {
	settings, err := s.gatewaySettings(o, n)
	if err != nil {
		return process.Command{}, err
	}
	if err := os.MkdirAll(settings.Data, 0o700); err != nil {
		return process.Command{}, err
	}
	if err := createToken(settings.Token); err != nil {
		return process.Command{}, err
	}
	data, err := json.MarshalIndent(settings, "", "  ")
	if err != nil {
		return process.Command{}, err
	}
	path := filepath.Join(s.Organisation(o.Name), "gateway.json")
	if err := writeWhole(path, append(data, '\n')); err != nil {
		return process.Command{}, err
	}
	return process.Command{
		Name: n.Name, Path: s.Programs.Gateway, Args: []string{"--config", path},
		Folder: settings.Data, Environment: []string{"GOGC=" + gatewayCollectsAt},
	}, nil
}

func (s Site) gatewaySettings(o topology.Organisation, n topology.Node) (GatewaySettings, error) {
	peer, err := s.PeerEndpoint(o)
	if err != nil {
		return GatewaySettings{}, err
	}
	id := s.Identity(o.Name)
	settings := GatewaySettings{
		Organisation: o.Name, MSPID: o.MSPID,
		Channel: s.Topology.Channel, Chaincode: s.Topology.Chaincode.Name,
		Listen: n.Address(), Data: s.node(n), Peer: peer,
		Identity: id.Speaker(identity.Gateway), Auditor: id.Speaker(identity.Auditor),
		Token: s.TokenPath(o.Name), Importing: s.ImportingPath(o.Name),
	}
	settings.Login, settings.Demonstration = s.staff(o)
	for _, other := range s.Topology.Organisations {
		if url := s.GatewayURL(other); other.Name != o.Name && url != "" {
			settings.Others = append(settings.Others, Neighbour{Organisation: other.Name, MSPID: other.MSPID, URL: url})
		}
	}
	for _, c := range s.Topology.Collections {
		if slices.Contains(c.Members, o.Name) {
			if settings.Collections == nil {
				settings.Collections = map[string][]string{}
			}
			settings.Collections[c.Name] = c.Members
		}
	}
	return settings, nil
}

// createToken makes a bearer token of 256 random bits, once.
func createToken(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		return err
	}
	return writeWhole(path, []byte(base64.RawURLEncoding.EncodeToString(random)+"\n"))
}
