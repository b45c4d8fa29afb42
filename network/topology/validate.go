package topology

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// orderersMinBFT is 3f+1 for one faulty orderer.
const orderersMinBFT = 4

var (
	// Organisation names become segments of account ids and of file names.
	organisationName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	mspName          = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9.-]{0,63}$`)
	domainName       = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$`)
	// The channel and chaincode grammars are Fabric's own.
	channelName      = regexp.MustCompile(`^[a-z][a-z0-9.-]{0,248}$`)
	chaincodeName    = regexp.MustCompile(`^[A-Za-z0-9]+([-_][A-Za-z0-9]+)*$`)
	chaincodeVersion = regexp.MustCompile(`^[A-Za-z0-9_.+-]+$`)
)

// Validate finds everything that must be mended. It returns an empty list for
// a topology that can be started.
func (t Topology) Validate() Problems {
	var p Problems
	t.validateChannel(&p)
	t.validateBlocks(&p)
	t.validateChaincode(&p)
	t.validateOrganisations(&p)
	t.validateOrdering(&p)
	t.validatePolicy(&p)
	t.validateCollections(&p)
	t.validatePorts(&p)
	return p
}

func (t Topology) validateChannel(p *Problems) {
	if !channelName.MatchString(t.Channel) {
		p.add("channel", "%q is not a channel name; begin with a letter, then a-z, 0-9, dots and dashes", t.Channel)
	}
}

func (t Topology) validateBlocks(p *Problems) {
	b := t.Blocks
	if b.Interval < 10*time.Millisecond || b.Interval > 10*time.Second {
		p.add("blocks.interval", "%v is outside 10ms to 10s; 200ms serves well", b.Interval)
	}
	// The upper bound leaves room below the 100 MiB that a message may have.
	if b.BytesMax < 64<<10 || b.BytesMax > 64<<20 {
		p.add("blocks.bytesMax", "%d is outside 65536 to 67108864; 2097152 serves well", b.BytesMax)
	}
	if b.TransactionsMax < 1 || b.TransactionsMax > 100_000 {
		p.add("blocks.transactionsMax", "%d is outside 1 to 100000; 500 serves well", b.TransactionsMax)
	}
}

func (t Topology) validateChaincode(p *Problems) {
	c := t.Chaincode
	if !chaincodeName.MatchString(c.Name) {
		p.add("chaincode.name", "%q is not a chaincode name; use letters and digits, joined by single dashes", c.Name)
	}
	if !chaincodeVersion.MatchString(c.Version) {
		p.add("chaincode.version", "%q is not a version; use letters, digits and dots", c.Version)
	}
	if c.Sequence < 1 {
		p.add("chaincode.sequence", "%d is not a sequence; the first is 1", c.Sequence)
	}
}

func (t Topology) validateOrganisations(p *Problems) {
	if len(t.Organisations) == 0 {
		p.add("organisations", "there is none; a network needs at least one with a peer")
	}
	names, msps, domains := firstUse{}, firstUse{}, firstUse{}
	for i, o := range t.Organisations {
		at := fmt.Sprintf("organisations[%d]", i)
		if !organisationName.MatchString(o.Name) {
			p.add(at+".name", "%q is not a name; begin with a letter, then a-z, 0-9 and dashes, 32 at most", o.Name)
		}
		if !mspName.MatchString(o.MSPID) {
			p.add(at+".mspId", "%q is not an MSP id; begin with a letter, then letters and digits", o.MSPID)
		}
		if !domainName.MatchString(o.Domain) {
			p.add(at+".domain", "%q is not a domain; write it like %s.lianbao.example", o.Domain, o.Name)
		}
		names.check(p, at+".name", o.Name)
		msps.check(p, at+".mspId", o.MSPID)
		domains.check(p, at+".domain", o.Domain)
		o.validateNodes(p, at)
	}
}

// firstUse remembers where a value was used first.
type firstUse map[string]string

func (f firstUse) check(p *Problems, field, value string) {
	if first, used := f[value]; used && value != "" {
		p.add(field, "%s is already used by %s; choose another", value, first)
		return
	}
	f[value] = field
}

func (o Organisation) validateNodes(p *Problems, at string) {
	if len(o.Nodes) == 0 {
		p.add(at+".nodes", "%s runs no node; give it one or take it out", o.Name)
	}
	seen := map[Role]bool{}
	for i, n := range o.Nodes {
		field := fmt.Sprintf("%s.nodes[%d]", at, i)
		if !slices.Contains([]Role{Peer, Orderer, ChaincodeServer, Gateway}, n.Role) {
			p.add(field+".role", "%q is not a role; choose peer, orderer, chaincode or gateway", n.Role)
			continue
		}
		if seen[n.Role] && n.Role != Orderer {
			p.add(field+".role", "%s has a second %s; an organisation runs one", o.Name, n.Role)
		}
		seen[n.Role] = true
	}
	for _, role := range []Role{ChaincodeServer, Gateway} {
		if seen[role] && !seen[Peer] {
			p.add(at+".nodes", "%s runs a %s without a peer; add {role: peer}", o.Name, role)
		}
	}
}

func (t Topology) validateOrdering(p *Problems) {
	orderers := len(t.Nodes(Orderer))
	switch t.Consensus {
	case BFT:
		if orderers < orderersMinBFT {
			p.add("consensus", "BFT needs at least four orderers, and there are %d; add {role: orderer} to more organisations or write consensus: raft", orderers)
		}
	case Raft:
		if orderers < 1 {
			p.add("consensus", "nobody runs an orderer; add {role: orderer} to an organisation")
		}
	default:
		p.add("consensus", "%q is not known; choose bft or raft", t.Consensus)
	}
	if len(t.Organisations) > 0 && len(t.Members()) == 0 {
		p.add("organisations", "nobody runs a peer; add {role: peer} to an organisation")
	}
}

func (t Topology) validatePolicy(p *Problems) {
	named := firstUse{}
	for i, name := range t.Chaincode.Policy.Of {
		field := fmt.Sprintf("chaincode.policy.of[%d]", i)
		named.check(p, field, name)
		o, known := t.Organisation(name)
		switch {
		case !known:
			p.add(field, "there is no organisation %q; name one of those below", name)
		case !o.Runs(Peer):
			p.add(field, "%s must endorse and runs no peer; add {role: peer} to it or take it out of the policy", name)
		case !o.Runs(ChaincodeServer):
			p.add(field, "%s must endorse and runs no chaincode; add {role: chaincode} to it or take it out of the policy", name)
		}
	}
	atLeast, of := t.Chaincode.Policy.AtLeast, len(t.Endorsers())
	switch {
	case of == 0:
		p.add("chaincode.policy.of", "nobody can endorse; an organisation needs a peer and a chaincode to do so")
	case atLeast == 0: // a strict majority
	case atLeast > of:
		p.add("chaincode.policy.atLeast", "%d of %d cannot be reached; write %d to %d", atLeast, of, majority(of), of)
	case atLeast < majority(of):
		p.add("chaincode.policy.atLeast", "with %d of %d, two separate groups could each write the books; write %d or more", atLeast, of, majority(of))
	}
}

// validatePorts checks the ports that the file names; the others are chosen
// so that they fit.
func (t Topology) validatePorts(p *Problems) {
	used := map[int]string{}
	for i, o := range t.Organisations {
		for j, n := range o.Nodes {
			at := fmt.Sprintf("organisations[%d].nodes[%d]", i, j)
			checkPort(p, used, at+".port", n.Port, true, n)
			checkPort(p, used, at+".operationsPort", n.OperationsPort, n.Role == Peer || n.Role == Orderer, n)
			checkPort(p, used, at+".adminPort", n.AdminPort, n.Role == Orderer, n)
		}
	}
}

func checkPort(p *Problems, used map[int]string, field string, port int, has bool, n Node) {
	switch {
	case port == 0:
	case !has:
		p.add(field, "a %s has no such port; take it out", n.Role)
	case port < 1024 || port > 65535:
		p.add(field, "%d is outside 1024 to 65535; leave it out to have one chosen", port)
	case used[port] != "":
		p.add(field, "%d is already the port of %s; choose another or leave it out", port, used[port])
	default:
		used[port] = n.Name
	}
}
