// Package lifecycle brings a network to life: it writes the settings of every
// node and the first block, joins orderers and peers to the channel, and
// installs, approves and commits the chaincode. Each step looks first whether
// it was done, so that all of them can be repeated after a crash at any point.
package lifecycle

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/lianbao/lianbao/network/identity"
	"github.com/lianbao/lianbao/network/process"
	"github.com/lianbao/lianbao/network/program"
	"github.com/lianbao/lianbao/network/topology"
)

// Site is a network on this machine.
type Site struct {
	// Folder holds everything that belongs to the network; absolute.
	Folder string
	// Topology has all its ports.
	Topology topology.Topology
	Programs program.Set
}

// Organisation is the folder of one organisation.
func (s Site) Organisation(name string) string {
	return filepath.Join(s.Folder, "organisations", name)
}

// Identity is the folder of an organisation's certificates.
func (s Site) Identity(organisation string) identity.Folder {
	return identity.Folder(filepath.Join(s.Organisation(organisation), "identity"))
}

// node is the folder of a node's settings and data.
func (s Site) node(n topology.Node) string {
	return filepath.Join(s.Organisation(n.Organisation), strings.TrimSuffix(n.Name, "."+n.Organisation))
}

func (s Site) channelFolder() string { return filepath.Join(s.Folder, "channel") }

// CreateIdentities makes the certificates that are missing.
func (s Site) CreateIdentities() error {
	for _, o := range s.Topology.Organisations {
		if _, err := identity.Create(string(s.Identity(o.Name)), o); err != nil {
			return err
		}
	}
	return nil
}

// Commands are the processes of the nodes of the given roles. It writes the
// settings that they read.
func (s Site) Commands(roles ...topology.Role) ([]process.Command, error) {
	command := map[topology.Role]func(topology.Organisation, topology.Node) (process.Command, error){
		topology.Orderer:         s.ordererCommand,
		topology.Peer:            s.peerCommand,
		topology.ChaincodeServer: s.chaincodeCommand,
		topology.Gateway:         s.gatewayCommand,
	}
	var commands []process.Command
	for _, role := range roles {
		for _, o := range s.Topology.Organisations {
			for _, n := range o.NodesOf(role) {
				c, err := command[role](o, n)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", n.Name, err)
				}
				commands = append(commands, c)
			}
		}
	}
	return commands, nil
}

// fabricEnvironment is that of Fabric's programs. The log format has no colours,
// because it goes to a file.
func fabricEnvironment(settings, logging string) []string {
	return []string{
		"FABRIC_CFG_PATH=" + settings,
		"FABRIC_LOGGING_SPEC=" + logging,
		"FABRIC_LOGGING_FORMAT=%{time:2006-01-02T15:04:05.000Z07:00} %{level:.4s} [%{module}] %{message}",
		"GOGC=" + nodeCollectsAt,
	}
}

// What nodes write down. An orderer would warn of each client that hangs up
// after its transaction is taken, and gRPC of each attempt to reach a node that
// is still starting.
const (
	ordererLogging = "warn:orderer.common.broadcast=error:grpc=error"
	peerLogging    = "warn:grpc=error"
)

// How far a heap may grow before garbage is collected, in percent of what is in
// use. Pages of 300 KB make garbage fast, and memory at rest is far below what
// a laptop has: docs/decisions/0005.
const (
	nodeCollectsAt      = "200"
	chaincodeCollectsAt = "400"
	gatewayCollectsAt   = "200"
)

func (s Site) ordererCommand(o topology.Organisation, n topology.Node) (process.Command, error) {
	folder := s.node(n)
	if err := s.writeOrdererSettings(o, n, folder); err != nil {
		return process.Command{}, err
	}
	return process.Command{
		Name: n.Name, Path: s.Programs.Orderer, Folder: folder,
		Environment: fabricEnvironment(folder, ordererLogging),
	}, nil
}

func (s Site) peerCommand(o topology.Organisation, n topology.Node) (process.Command, error) {
	folder := s.node(n)
	if err := s.writePeerSettings(o, n, folder); err != nil {
		return process.Command{}, err
	}
	return process.Command{
		Name: n.Name, Path: s.Programs.Peer, Args: []string{"node", "start"}, Folder: folder,
		Environment: fabricEnvironment(folder, peerLogging),
	}, nil
}

func (s Site) chaincodeCommand(o topology.Organisation, n topology.Node) (process.Command, error) {
	pack, err := s.pack(o)
	if err != nil {
		return process.Command{}, err
	}
	folder := s.node(n)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return process.Command{}, err
	}
	tls := s.Identity(o.Name).NodeTLS(n.Name)
	return process.Command{
		Name: n.Name, Path: s.Programs.Chaincode, Folder: folder,
		Args: []string{
			"--address", n.Address(), "--package-id", pack.id,
			"--tls-certificate", tls.Certificate, "--tls-key", tls.Key,
			"--tls-callers", s.Identity(o.Name).TLSRoot(),
		},
		Environment: []string{"GOGC=" + chaincodeCollectsAt},
	}, nil
}
