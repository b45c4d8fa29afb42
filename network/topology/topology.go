// Package topology describes a network as a typed value: who takes part, which
// nodes each organisation runs, who orders, and who must endorse. One file
// describes one network; everything else about it follows from that file.
package topology

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
)

// Topology is one network. The zero value is not valid; read one with Parse or
// Load, or take Default or Small.
type Topology struct {
	Channel       string         `yaml:"channel"`
	Consensus     Consensus      `yaml:"consensus"`
	Blocks        Blocks         `yaml:"blocks"`
	Chaincode     Chaincode      `yaml:"chaincode"`
	Organisations []Organisation `yaml:"organisations"`
	Collections   []Collection   `yaml:"collections,omitempty"`
}

// Consensus says how the orderers agree.
type Consensus string

const (
	// BFT bears orderers that lie; it needs at least four.
	BFT Consensus = "bft"
	// Raft bears orderers that stop, and trusts what they say.
	Raft Consensus = "raft"
)

// Blocks bounds what one block holds.
type Blocks struct {
	// Interval is the longest a transaction waits for its block, 10 ms to 10 s.
	Interval time.Duration `yaml:"interval"`
	// BytesMax bounds a block and therefore one transaction.
	BytesMax int `yaml:"bytesMax"`
	// TransactionsMax bounds the transactions of one block.
	TransactionsMax int `yaml:"transactionsMax"`
}

// Chaincode is the one chaincode of the network, as a service.
type Chaincode struct {
	Name     string `yaml:"name"`
	Version  string `yaml:"version"`
	Sequence int64  `yaml:"sequence"`
	Policy   Policy `yaml:"policy"`
}

// Policy says whose peers must endorse a transaction.
type Policy struct {
	// AtLeast is how many of the organisations must endorse. Zero means a
	// strict majority.
	AtLeast int `yaml:"atLeast,omitempty"`
	// Of names the organisations; empty means every one that runs a peer and a
	// chaincode.
	Of []string `yaml:"of,omitempty,flow"`
}

// Organisation is a member of the network.
type Organisation struct {
	Name   string `yaml:"name"`
	MSPID  string `yaml:"mspId"`
	Domain string `yaml:"domain"`
	Nodes  []Node `yaml:"nodes"`
}

// Role is what a node does.
type Role string

// The roles a node can have. An organisation runs at most one peer, one
// chaincode and one gateway, and any number of orderers.
const (
	Peer            Role = "peer"
	Orderer         Role = "orderer"
	ChaincodeServer Role = "chaincode"
	Gateway         Role = "gateway"
)

// Ports are the loopback ports of a node; zero means that one is chosen.
type Ports struct {
	// Port is where the node does its work.
	Port int `yaml:"port,omitempty"`
	// OperationsPort serves health and metrics; peers and orderers have one.
	OperationsPort int `yaml:"operationsPort,omitempty"`
	// AdminPort serves the channel participation API; orderers have one.
	AdminPort int `yaml:"adminPort,omitempty"`
}

// Node is one process of an organisation.
type Node struct {
	Role  Role `yaml:"role"`
	Ports `yaml:",inline"`

	// Name is unique in the network: role.organisation, and for a second
	// orderer orderer2.organisation. It follows from the place in the file.
	Name string `yaml:"-"`
	// Organisation is the name of the organisation that runs the node.
	Organisation string `yaml:"-"`
}

// Address is where the node does its work.
func (n Node) Address() string { return fmt.Sprintf("127.0.0.1:%d", n.Port) }

// OperationsAddress is where the node serves health and metrics.
func (n Node) OperationsAddress() string { return fmt.Sprintf("127.0.0.1:%d", n.OperationsPort) }

// AdminAddress is where an orderer serves the channel participation API.
func (n Node) AdminAddress() string { return fmt.Sprintf("127.0.0.1:%d", n.AdminPort) }

//go:embed default.yaml
var defaultFile []byte

//go:embed small.yaml
var smallFile []byte

// Default is five organisations with a peer, a chaincode and a gateway each,
// and four BFT orderers run by four of them.
func Default() Topology { return builtin(defaultFile) }

// Small is Default with one Raft orderer, for laptops.
func Small() Topology { return builtin(smallFile) }

// builtin reads a file that was checked when the program was tested.
func builtin(file []byte) Topology {
	t, err := Parse(file)
	if err != nil {
		panic(fmt.Sprintf("a topology that is built in does not read: %v", err))
	}
	return t
}

// Load reads a topology by name: "default", "small", or the path of a file.
func Load(name string) (Topology, error) {
	switch name {
	case "", "default":
		return Default(), nil
	case "small":
		return Small(), nil
	}
	file, err := os.ReadFile(name)
	if err != nil {
		return Topology{}, fmt.Errorf("the topology is neither default nor small nor a file that can be read: %w", err)
	}
	t, err := Parse(file)
	if err != nil {
		return Topology{}, fmt.Errorf("%s:\n%w", name, err)
	}
	return t, nil
}

// Parse reads a topology file strictly. The error is a Problems when the file
// can be read but must be mended; it then lists everything, not the first.
func Parse(file []byte) (Topology, error) {
	var t Topology
	decoder := yaml.NewDecoder(bytes.NewReader(file))
	decoder.KnownFields(true)
	if err := decoder.Decode(&t); err != nil {
		return Topology{}, unreadable(err)
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return Topology{}, Problems{{Text: "the file holds more than one document; keep the first"}}
	}
	t.nameNodes()
	problems := t.Validate()
	if len(problems) > 0 {
		return Topology{}, problems.locate(file)
	}
	return t, nil
}

// File writes the topology so that Parse reads it back.
func (t Topology) File() ([]byte, error) {
	var file bytes.Buffer
	encoder := yaml.NewEncoder(&file)
	encoder.SetIndent(2)
	if err := encoder.Encode(t); err != nil {
		return nil, err
	}
	return file.Bytes(), encoder.Close()
}

// nameNodes gives each node its name and its organisation.
func (t *Topology) nameNodes() {
	for i := range t.Organisations {
		o := &t.Organisations[i]
		seen := map[Role]int{}
		for j := range o.Nodes {
			n := &o.Nodes[j]
			seen[n.Role]++
			n.Organisation = o.Name
			n.Name = fmt.Sprintf("%s.%s", n.Role, o.Name)
			if seen[n.Role] > 1 {
				n.Name = fmt.Sprintf("%s%d.%s", n.Role, seen[n.Role], o.Name)
			}
		}
	}
}

// Nodes lists the nodes of a role in the order of the file; without a role,
// all of them.
func (t Topology) Nodes(roles ...Role) []Node {
	var found []Node
	for _, o := range t.Organisations {
		found = append(found, o.NodesOf(roles...)...)
	}
	return found
}

// NodesOf lists an organisation's nodes of the given roles, or all.
func (o Organisation) NodesOf(roles ...Role) []Node {
	var found []Node
	for _, n := range o.Nodes {
		if len(roles) == 0 || slices.Contains(roles, n.Role) {
			found = append(found, n)
		}
	}
	return found
}

// Node is the organisation's node of a role of which there is at most one.
func (o Organisation) Node(role Role) (Node, bool) {
	nodes := o.NodesOf(role)
	if len(nodes) == 0 {
		return Node{}, false
	}
	return nodes[0], true
}

// Runs says whether the organisation has a node of the role.
func (o Organisation) Runs(role Role) bool {
	_, runs := o.Node(role)
	return runs
}

// Organisation finds an organisation by its name.
func (t Topology) Organisation(name string) (Organisation, bool) {
	for _, o := range t.Organisations {
		if o.Name == name {
			return o, true
		}
	}
	return Organisation{}, false
}

// Members are the organisations with a peer: those who keep the ledger.
func (t Topology) Members() []Organisation {
	var members []Organisation
	for _, o := range t.Organisations {
		if o.Runs(Peer) {
			members = append(members, o)
		}
	}
	return members
}

// Endorsers are the organisations that the chaincode policy counts.
func (t Topology) Endorsers() []Organisation {
	var endorsers []Organisation
	for _, o := range t.Organisations {
		named := len(t.Chaincode.Policy.Of) == 0 && o.Runs(Peer) && o.Runs(ChaincodeServer)
		if named || slices.Contains(t.Chaincode.Policy.Of, o.Name) {
			endorsers = append(endorsers, o)
		}
	}
	return endorsers
}

// EndorsementsMin is how many endorsing organisations a transaction needs.
func (t Topology) EndorsementsMin() int {
	if t.Chaincode.Policy.AtLeast > 0 {
		return t.Chaincode.Policy.AtLeast
	}
	return majority(len(t.Endorsers()))
}

// majority is the least number that two disjoint groups cannot both reach.
func majority(of int) int { return of/2 + 1 }
