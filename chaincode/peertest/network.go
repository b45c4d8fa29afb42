// Package peertest is a Fabric network in memory, for tests of contracts.
//
// It runs the real contracts on two replicas and compares every byte that comes
// out, orders transactions into blocks, and validates them as Fabric 3.1.1
// does: endorsement policies of chaincode, collections and keys, duplicate ids,
// read versions, phantoms in ranges. A stub that returns what a test scripted
// can prove none of this.
package peertest

import (
	"slices"
	"testing"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"

	"github.com/lianbao/lianbao/chaincode/replay"
)

// Names that a network uses unless a test says otherwise.
const (
	Channel   = "lianbao"
	Chaincode = "lianbao"
)

// Network is a channel with one chaincode, one peer an organisation. It is not
// safe for use by several goroutines at once.
type Network struct {
	t             testing.TB
	organisations []string
	authorities   map[string]*authority
	identities    map[string]Identity
	peers         map[string]*node
	// replicas are two instances of the chaincode, built separately: what one
	// keeps in memory the other does not know.
	replicas    [2]shim.Chaincode
	policy      *common.SignaturePolicyEnvelope
	collections []replay.CollectionRule
	state       *replay.State
	blocks      [][]committed
	seen        map[string]bool // transaction ids
	clock       time.Time
	proposals   uint64
}

// node is the peer of one organisation.
type node struct {
	identity Identity
	// behind is the state at which a paused peer stopped; nil while it keeps up.
	behind *replay.State
}

// New starts a network. The names of the organisations are their MSP ids; the
// chaincode's policy is a majority of them until Policy changes it. The clock
// starts at noon on 1 January 2026 UTC.
func New(t testing.TB, chaincode func() shim.Chaincode, organisations ...string) *Network {
	t.Helper()
	n := &Network{
		t: t, organisations: organisations,
		authorities: map[string]*authority{}, identities: map[string]Identity{}, peers: map[string]*node{},
		replicas: [2]shim.Chaincode{chaincode(), chaincode()},
		state:    replay.NewState(Chaincode), seen: map[string]bool{},
		clock: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC),
	}
	for _, organisation := range organisations {
		ca, err := newAuthority(organisation)
		if err != nil {
			t.Fatalf("the CA of %s: %v", organisation, err)
		}
		n.authorities[organisation] = ca
		n.peers[organisation] = &node{identity: n.issue(organisation, "peer0", "peer", "")}
	}
	n.Policy(len(organisations)/2 + 1)
	// Block 0 is the genesis block; it holds nothing of the chaincode.
	n.blocks = append(n.blocks, nil)
	return n
}

// Policy makes "peers of count organisations" the chaincode's endorsement policy.
func (n *Network) Policy(count int) { n.policy = replay.OutOf(count, n.organisations...) }

// Collection defines a private data collection.
func (n *Network) Collection(rule replay.CollectionRule) { n.collections = append(n.collections, rule) }

// Identity returns a client of an organisation in a role: `gateway`, `auditor`,
// `admin`, or "" for a certificate without the attribute.
func (n *Network) Identity(organisation, role string) Identity {
	n.t.Helper()
	return n.issue(organisation, "client-"+role, "client", role)
}

// Stranger returns a client whose organisation is not in the network.
func (n *Network) Stranger(organisation, role string) Identity {
	n.t.Helper()
	if n.authorities[organisation] == nil {
		ca, err := newAuthority(organisation)
		if err != nil {
			n.t.Fatalf("the CA of %s: %v", organisation, err)
		}
		n.authorities[organisation] = ca
	}
	return n.Identity(organisation, role)
}

// issue keeps what it made: one name is one identity.
func (n *Network) issue(organisation, name, unit, role string) Identity {
	n.t.Helper()
	if identity, found := n.identities[organisation+"/"+name]; found {
		return identity
	}
	ca := n.authorities[organisation]
	if ca == nil {
		n.t.Fatalf("%s is not an organisation of this network", organisation)
	}
	identity, err := ca.issue(name, unit, role)
	if err != nil {
		n.t.Fatalf("a certificate for %s of %s: %v", name, organisation, err)
	}
	n.identities[organisation+"/"+name] = identity
	return identity
}

// Clock is the time that the next proposal gets.
func (n *Network) Clock() time.Time { return n.clock }

// SetClock sets the time that proposals get. It may go back: clients' clocks do.
func (n *Network) SetClock(at time.Time) { n.clock = at }

// Advance moves the clock.
func (n *Network) Advance(by time.Duration) { n.clock = n.clock.Add(by) }

// Pause keeps an organisation's peer at the present block, as a slow peer is.
// It goes on endorsing with what it knows.
func (n *Network) Pause(organisation string) {
	n.t.Helper()
	n.peer(organisation).behind = n.state.Clone()
}

// Resume lets a paused peer catch up.
func (n *Network) Resume(organisation string) {
	n.t.Helper()
	n.peer(organisation).behind = nil
}

func (n *Network) peer(organisation string) *node {
	n.t.Helper()
	peer := n.peers[organisation]
	if peer == nil {
		n.t.Fatalf("%s has no peer in this network", organisation)
	}
	return peer
}

// State is the world state after the last block. Tests look at it and do not
// change it.
func (n *Network) State() *replay.State { return n.state }

// Height is the number of blocks, the genesis block included.
func (n *Network) Height() uint64 { return uint64(len(n.blocks)) }

// view is what the peer of an organisation sees.
func (n *Network) view(organisation string) replay.View {
	return replay.View{MSP: organisation, Collections: n.collections}
}

// site is a state as some peers see it: those of one site cannot differ.
type site struct {
	organisation string
	state        *replay.State
	holds        string
}

// sites groups endorsers, because running the contracts five times on one state
// would show no more than running them once on each replica.
func (n *Network) sites(organisations []string) []site {
	n.t.Helper()
	var sites []site
	for _, organisation := range organisations {
		one := site{organisation: organisation, state: n.state}
		if behind := n.peer(organisation).behind; behind != nil {
			one.state = behind
		}
		for _, collection := range n.collections {
			if collection.Has(organisation) {
				one.holds += collection.Name + "\x00"
			}
		}
		same := func(other site) bool { return other.state == one.state && other.holds == one.holds }
		if !slices.ContainsFunc(sites, same) {
			sites = append(sites, one)
		}
	}
	return sites
}
