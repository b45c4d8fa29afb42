// Package network is a Lianbao network on this machine: created from a
// topology, started, looked at, stopped and removed.
package network

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/lianbao/lianbao/network/identity"
	"github.com/lianbao/lianbao/network/lifecycle"
	"github.com/lianbao/lianbao/network/process"
	"github.com/lianbao/lianbao/network/topology"
)

// Network is a network in a folder. It may be running or not.
type Network struct {
	site  lifecycle.Site
	table *process.Table
}

var (
	// ErrNoNetwork says that a folder holds no network.
	ErrNoNetwork = errors.New("there is no network in this folder; lianbao up makes one")
	// ErrOtherTopology says that a folder holds a network of another topology.
	ErrOtherTopology = errors.New("this folder holds a network of another topology; choose another folder with --dir, or end it with lianbao down")
)

const topologyFile = "topology.yaml"

// Create makes a network of the topology in a folder and chooses its ports.
// Where the folder holds a network of that topology already, it is opened.
func Create(folder string, t topology.Topology) (*Network, error) {
	n, err := Open(folder)
	if err == nil {
		if !t.Fits(n.site.Topology) {
			return nil, fmt.Errorf("%s: %w", folder, ErrOtherTopology)
		}
		return n, nil
	}
	if !errors.Is(err, ErrNoNetwork) {
		return nil, err
	}
	folder, err = filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	assigned, err := choosePorts(folder, t)
	if err != nil {
		return nil, err
	}
	file, err := assigned.File()
	if err != nil {
		return nil, err
	}
	draft := filepath.Join(folder, topologyFile+".new")
	if err := os.WriteFile(draft, file, 0o600); err != nil {
		return nil, err
	}
	if err := os.Rename(draft, filepath.Join(folder, topologyFile)); err != nil {
		return nil, err
	}
	return Open(folder)
}

// Open opens the network of a folder.
func Open(folder string) (*Network, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(folder, topologyFile)
	file, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", folder, ErrNoNetwork)
	}
	if err != nil {
		return nil, err
	}
	t, err := topology.Parse(file)
	if err != nil {
		return nil, fmt.Errorf("%s:\n%w", path, err)
	}
	table, err := process.Open(folder)
	if err != nil {
		return nil, err
	}
	return &Network{site: lifecycle.Site{Folder: folder, Topology: t}, table: table}, nil
}

// Folder holds everything that belongs to the network.
func (n *Network) Folder() string { return n.site.Folder }

// Topology is what the network consists of, with every port.
func (n *Network) Topology() topology.Topology { return n.site.Topology }

// Connection is what a program needs to speak to the network for one
// organisation. Certificates, keys and the token are named by their files.
type Connection struct {
	Organisation string                 `json:"organisation"`
	MSPID        string                 `json:"mspId"`
	Channel      string                 `json:"channel"`
	Chaincode    string                 `json:"chaincode"`
	Peer         lifecycle.PeerEndpoint `json:"peer"`
	// Gateway carries commands, Auditor reads, Admin changes the network.
	Gateway identity.Files `json:"gateway"`
	Auditor identity.Files `json:"auditor"`
	Admin   identity.Files `json:"admin"`
	// URL of the organisation's gateway; empty where it runs none.
	URL string `json:"url,omitempty"`
	// Token is the file of the bearer token for that gateway.
	Token string `json:"token,omitempty"`
}

// Connect says how to speak to the network for an organisation.
func (n *Network) Connect(organisation string) (Connection, error) {
	o, known := n.site.Topology.Organisation(organisation)
	if !known {
		var names []string
		for _, o := range n.site.Topology.Members() {
			names = append(names, o.Name)
		}
		return Connection{}, fmt.Errorf("there is no organisation %q; choose one of %s", organisation, strings.Join(names, ", "))
	}
	peer, err := n.site.PeerEndpoint(o)
	if err != nil {
		return Connection{}, err
	}
	id := n.site.Identity(o.Name)
	c := Connection{
		Organisation: o.Name, MSPID: o.MSPID,
		Channel: n.site.Topology.Channel, Chaincode: n.site.Topology.Chaincode.Name,
		Peer:    peer,
		Gateway: id.Speaker(identity.Gateway), Auditor: id.Speaker(identity.Auditor), Admin: id.Speaker(identity.Admin),
		URL: n.site.GatewayURL(o),
	}
	if c.URL != "" {
		c.Token = n.site.TokenPath(o.Name)
	}
	return c, nil
}

// Connections are those of every organisation that keeps the ledger, in the
// order of the topology.
func (n *Network) Connections() ([]Connection, error) {
	var connections []Connection
	for _, o := range n.site.Topology.Members() {
		c, err := n.Connect(o.Name)
		if err != nil {
			return nil, err
		}
		connections = append(connections, c)
	}
	return connections, nil
}

// LogPath is the file that holds what a node prints.
func (n *Network) LogPath(node string) (string, error) {
	var names []string
	for _, have := range n.site.Topology.Nodes() {
		if have.Name == node {
			return n.table.LogPath(node), nil
		}
		names = append(names, have.Name)
	}
	return "", fmt.Errorf("there is no node %q; choose one of %s", node, strings.Join(names, ", "))
}

// Log is the last lines that a node printed.
func (n *Network) Log(node string, lines int) (string, error) {
	if _, err := n.LogPath(node); err != nil {
		return "", err
	}
	return n.table.Tail(node, lines), nil
}

// stopOrder lets what depends on others end before them.
var stopOrder = []topology.Role{topology.Gateway, topology.Peer, topology.ChaincodeServer, topology.Orderer}

// Stop ends every process of the network and keeps its data. Whoever
// supervises the network, here or in another program, is told.
func (n *Network) Stop(ctx context.Context) error {
	if err := n.table.MarkStopped(); err != nil {
		return err
	}
	return n.end(ctx)
}

func (n *Network) end(ctx context.Context) error {
	var errs []error
	for _, role := range stopOrder {
		var names []string
		for _, node := range n.site.Topology.Nodes(role) {
			names = append(names, node.Name)
		}
		errs = append(errs, n.table.Stop(ctx, names...))
	}
	// A node that an older topology of this folder had.
	errs = append(errs, n.table.Stop(ctx, n.table.Recorded()...))
	return errors.Join(errs...)
}

// ours is what a network puts into its folder, beside the topology.
var ours = []string{"organisations", "channel", "logs", "run", "lock", programsFile}

// Reset stops the network and removes its ledger, certificates and logs. The
// topology and the ports stay, and the next Up begins an empty ledger.
func (n *Network) Reset(ctx context.Context) error {
	if err := n.Stop(ctx); err != nil {
		return err
	}
	for _, name := range ours {
		if err := os.RemoveAll(filepath.Join(n.site.Folder, name)); err != nil {
			return err
		}
	}
	return nil
}

// Down stops the network and removes everything that belongs to it. What else
// lies in the folder stays.
func (n *Network) Down(ctx context.Context) error {
	if err := n.Reset(ctx); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(n.site.Folder, topologyFile)); err != nil {
		return err
	}
	releasePorts(n.site.Folder)
	// The folder goes too when nothing of anybody else's is in it.
	_ = os.Remove(n.site.Folder)
	return nil
}
