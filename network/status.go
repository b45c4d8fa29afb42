package network

import (
	"context"
	"sync"
	"time"

	"github.com/lianbao/lianbao/network/topology"
)

// NodeStatus is one line of the state of a network.
type NodeStatus struct {
	Node         string        `json:"node"`
	Role         topology.Role `json:"role"`
	Organisation string        `json:"organisation"`
	Address      string        `json:"address"`
	Running      bool          `json:"running"`
	// PID and Started are set while the node runs.
	PID     int        `json:"pid,omitempty"`
	Started *time.Time `json:"started,omitempty"`
	// Height is how many blocks a peer or an orderer has; absent where the
	// node has none or does not answer.
	Height *uint64 `json:"height,omitempty"`
	// Expires is when the first of the node's certificates ends.
	Expires *time.Time `json:"expires,omitempty"`
	// Fault says why something could not be learnt.
	Fault string `json:"fault,omitempty"`
}

// statusTime bounds how long a node that hangs is asked.
const statusTime = 3 * time.Second

// Status asks every node at once, in the order of the topology.
func (n *Network) Status(ctx context.Context) []NodeStatus {
	ctx, cancel := context.WithTimeout(ctx, statusTime)
	defer cancel()
	nodes := n.site.Topology.Nodes()
	states := make([]NodeStatus, len(nodes))
	var wait sync.WaitGroup
	for i, node := range nodes {
		wait.Go(func() { states[i] = n.status(ctx, node) })
	}
	wait.Wait()
	return states
}

func (n *Network) status(ctx context.Context, node topology.Node) NodeStatus {
	s := NodeStatus{Node: node.Name, Role: node.Role, Organisation: node.Organisation, Address: node.Address()}
	if expires, err := n.site.Identity(node.Organisation).Expiry(node); err == nil {
		s.Expires = &expires
	} else {
		s.Fault = "it has no certificates yet"
	}
	record, running := n.table.Find(node.Name)
	if !running {
		return s
	}
	s.Running, s.PID, s.Started = true, record.PID, &record.Started
	height, has, err := n.height(ctx, node)
	switch {
	case err != nil:
		s.Fault = err.Error()
	case has:
		s.Height = &height
	}
	return s
}

// height asks a peer or an orderer; has is false for nodes without blocks.
func (n *Network) height(ctx context.Context, node topology.Node) (height uint64, has bool, err error) {
	o, _ := n.site.Topology.Organisation(node.Organisation)
	switch node.Role {
	case topology.Peer:
		height, err = n.site.PeerHeight(ctx, o)
	case topology.Orderer:
		height, err = n.site.OrdererHeight(ctx, o, node)
	default:
		return 0, false, nil
	}
	return height, err == nil, err
}
