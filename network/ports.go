package network

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/network/program"
	"github.com/lianbao/lianbao/network/topology"
)

const (
	// The blocks of ports lie below those that systems give to outgoing
	// connections, which would take them now and then.
	firstBlock = 21_000
	lastBlock  = 31_900
)

// choosePorts gives a new network ports that are free now and that no other
// network of this user keeps, running or not.
func choosePorts(folder string, t topology.Topology) (topology.Topology, error) {
	if busy := busyPorts(t); len(busy) > 0 {
		return topology.Topology{}, fmt.Errorf("ports that the topology names are used by other programs: %s", strings.Join(busy, ", "))
	}
	cache, err := program.Cache()
	if err != nil {
		return topology.Topology{}, err
	}
	c := claims{folder: filepath.Join(cache, "ports"), owner: folder}
	pages, err := c.pages(t)
	if err != nil {
		return topology.Topology{}, err
	}
	for base := firstBlock; base <= lastBlock; base += topology.Block {
		taken, err := c.take(base)
		if err != nil {
			return topology.Topology{}, err
		}
		if !taken {
			continue
		}
		from := pages
		if from == 0 {
			from = base
		}
		assigned, err := t.Assign(base, from)
		if err != nil || len(busyPorts(assigned)) == 0 {
			return assigned, err
		}
		c.release(base)
	}
	return topology.Topology{}, errors.New("no block of free ports was found; name ports in the topology")
}

// claims are files that say which network keeps which block of ports. A
// network that is stopped listens nowhere, and would lose its ports to the next.
type claims struct {
	folder, owner string
}

func (c claims) path(base int) string { return filepath.Join(c.folder, strconv.Itoa(base)) }

// take claims a block, unless a network that still exists has it.
func (c claims) take(base int) (bool, error) {
	if err := os.MkdirAll(c.folder, 0o700); err != nil {
		return false, err
	}
	for range 2 {
		file, err := os.OpenFile(c.path(base), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = file.WriteString(c.owner)
			return true, errors.Join(err, file.Close())
		}
		if !errors.Is(err, os.ErrExist) {
			return false, err
		}
		owner, err := os.ReadFile(c.path(base))
		if err != nil || string(owner) == c.owner {
			return err == nil, err
		}
		if len(owner) == 0 || keeps(string(owner)) {
			return false, nil // an empty claim is being written just now
		}
		c.release(base)
	}
	return false, nil
}

// keeps says whether a folder still holds a network, or is about to.
func keeps(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, topologyFile))
	return err == nil
}

func (c claims) release(base int) { _ = os.Remove(c.path(base)) }

// pages is the first port of the gateways where the ports that people know
// are free, else zero.
func (c claims) pages(t topology.Topology) (int, error) {
	taken, err := c.take(topology.PagesPort)
	if err != nil || !taken {
		return 0, err
	}
	assigned, err := t.Assign(firstBlock, topology.PagesPort)
	if err != nil {
		return 0, err
	}
	for _, n := range assigned.Nodes(topology.Gateway) {
		if !isFree(n.Port) {
			c.release(topology.PagesPort)
			return 0, nil
		}
	}
	return topology.PagesPort, nil
}

// releasePorts gives back what a network has claimed.
func releasePorts(folder string) {
	cache, err := program.Cache()
	if err != nil {
		return
	}
	c := claims{folder: filepath.Join(cache, "ports"), owner: folder}
	entries, err := os.ReadDir(c.folder)
	if err != nil {
		return
	}
	for _, entry := range entries {
		base, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if owner, err := os.ReadFile(c.path(base)); err == nil && string(owner) == folder {
			c.release(base)
		}
	}
}

// busyPorts says which ports of a topology are in use, and for which node.
func busyPorts(t topology.Topology) []string {
	var busy []string
	for _, n := range t.Nodes() {
		for _, port := range n.Ports.List() {
			if !isFree(port) {
				busy = append(busy, fmt.Sprintf("%d (%s)", port, n.Name))
			}
		}
	}
	return busy
}

func isFree(port int) bool {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	return listener.Close() == nil
}
