package topology

import "fmt"

// Block is how many ports a network takes at most, beside its gateways' pages.
const Block = 100

// PagesPort is the port of the first gateway where it and its neighbours are free.
const PagesPort = 8101

// Assign fills the ports that the file leaves open: gateways from pages
// upward, everything else from base upward, past the ports that the file names.
func (t Topology) Assign(base, pages int) (Topology, error) {
	next := allocator{named: t.named(), next: base, end: base + Block}
	gateway := allocator{named: t.named(), next: pages, end: pages + Block}
	assigned := t
	assigned.Organisations = make([]Organisation, len(t.Organisations))
	for i, o := range t.Organisations {
		o.Nodes = append([]Node(nil), o.Nodes...)
		for j := range o.Nodes {
			n := &o.Nodes[j]
			work := &next
			if n.Role == Gateway && pages != base {
				work = &gateway
			}
			work.fill(&n.Port)
			if n.Role == Peer || n.Role == Orderer {
				next.fill(&n.OperationsPort)
			}
			if n.Role == Orderer {
				next.fill(&n.AdminPort)
			}
		}
		assigned.Organisations[i] = o
	}
	if next.next > next.end || gateway.next > gateway.end {
		return Topology{}, fmt.Errorf("the network needs more than %d ports; name some of them in the topology", Block)
	}
	return assigned, nil
}

// named are the ports that the file gives.
func (t Topology) named() map[int]bool {
	named := map[int]bool{}
	for _, n := range t.Nodes() {
		for _, port := range n.List() {
			named[port] = true
		}
	}
	return named
}

// List is the ports of a node that are set.
func (p Ports) List() []int {
	var ports []int
	for _, port := range []int{p.Port, p.OperationsPort, p.AdminPort} {
		if port != 0 {
			ports = append(ports, port)
		}
	}
	return ports
}

type allocator struct {
	named     map[int]bool
	next, end int
}

func (a *allocator) fill(port *int) {
	if *port != 0 {
		return
	}
	for a.named[a.next] {
		a.next++
	}
	*port = a.next
	a.next++
}

// Fits says whether a network that was started with the assigned topology is
// the one that t describes: equal but for the ports that t leaves open.
func (t Topology) Fits(assigned Topology) bool {
	if len(t.Organisations) != len(assigned.Organisations) {
		return false
	}
	open := t
	open.Organisations = append([]Organisation(nil), t.Organisations...)
	for i, o := range open.Organisations {
		other := assigned.Organisations[i]
		if len(o.Nodes) != len(other.Nodes) {
			return false
		}
		o.Nodes = append([]Node(nil), o.Nodes...)
		for j := range o.Nodes {
			o.Nodes[j].takeOpen(other.Nodes[j].Ports)
		}
		open.Organisations[i] = o
	}
	mine, errMine := open.File()
	theirs, errTheirs := assigned.File()
	return errMine == nil && errTheirs == nil && string(mine) == string(theirs)
}

func (p *Ports) takeOpen(from Ports) {
	if p.Port == 0 {
		p.Port = from.Port
	}
	if p.OperationsPort == 0 {
		p.OperationsPort = from.OperationsPort
	}
	if p.AdminPort == 0 {
		p.AdminPort = from.AdminPort
	}
}
