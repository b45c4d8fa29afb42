package topology

import (
	"fmt"
	"regexp"
	"strings"
)

// Collection is private data that several organisations share. Its members
// alone hold and read the values, and all of them endorse what is written:
// a value that one member could write alone, the others would have to believe.
type Collection struct {
	Name    string   `yaml:"name"`
	Members []string `yaml:"members,flow"`
}

// A collection's name is part of keys on the ledger, which has one spelling for
// names. Fabric's own collections begin with an underscore.
var collectionName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// membersMin: what one organisation keeps for itself stands in the collection
// that Fabric gives it.
const membersMin = 2

func (t Topology) validateCollections(p *Problems) {
	names, sets := firstUse{}, firstUse{}
	for i, c := range t.Collections {
		at := fmt.Sprintf("collections[%d]", i)
		if !collectionName.MatchString(c.Name) {
			p.add(at+".name", "%q is not a name of a collection; use a-z, 0-9 and dashes, 32 at most", c.Name)
		}
		names.check(p, at+".name", c.Name)
		if len(c.Members) < membersMin {
			p.add(at+".members", "%d is too few; a collection has at least two members, because each organisation has one of its own anyway", len(c.Members))
		}
		t.validateMembers(p, at+".members", c)
		set := t.memberSet(c)
		if first, used := sets[set]; used && set != "" {
			p.add(at+".members", "%s has the same members; one collection for them is enough", first)
			continue
		}
		sets[set] = at
	}
}

func (t Topology) validateMembers(p *Problems, at string, c Collection) {
	named := firstUse{}
	for i, name := range c.Members {
		field := fmt.Sprintf("%s[%d]", at, i)
		named.check(p, field, name)
		o, known := t.Organisation(name)
		switch {
		case !known:
			p.add(field, "there is no organisation %q; name one of those below", name)
		case !o.Runs(Peer):
			p.add(field, "%s is to hold private data and runs no peer; add {role: peer} to it or take it out of the collection", name)
		case !o.Runs(ChaincodeServer):
			p.add(field, "%s must endorse and runs no chaincode; add {role: chaincode} to it or take it out of the collection", name)
		}
	}
}

// memberSet spells the members in the order of the organisations.
func (t Topology) memberSet(c Collection) string {
	var names []string
	for _, o := range t.MembersOf(c) {
		names = append(names, o.Name)
	}
	return strings.Join(names, " ")
}

// MembersOf are the organisations that hold a collection, in the order of the file.
func (t Topology) MembersOf(c Collection) []Organisation {
	var members []Organisation
	for _, o := range t.Organisations {
		for _, name := range c.Members {
			if o.Name == name {
				members = append(members, o)
				break
			}
		}
	}
	return members
}

// Collection finds a collection by its name.
func (t Topology) Collection(name string) (Collection, bool) {
	for _, c := range t.Collections {
		if c.Name == name {
			return c, true
		}
	}
	return Collection{}, false
}
