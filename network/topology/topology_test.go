package topology

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// change is an edit of the default file: what stands before the arrow is
// replaced by what stands behind it.
func change(t *testing.T, edit string) []byte {
	t.Helper()
	file := string(defaultFile)
	for _, one := range strings.Split(edit, " && ") {
		before, after, found := strings.Cut(one, " => ")
		if !found {
			t.Fatalf("%q has no arrow", one)
		}
		if !strings.Contains(file, before) {
			t.Fatalf("the default file does not hold %q", before)
		}
		file = strings.Replace(file, before, after, 1)
	}
	return []byte(file)
}

func TestParseSaysWhatToMend(t *testing.T) {
	const coop = "mspId: CoopMSP\n    domain: coop.lianbao.example\n    nodes: [{role: peer}, {role: orderer}, {role: chaincode}, {role: gateway}]"
	for _, c := range []struct{ edit, answer string }{
		{"interval: 200ms => interval: 200ms", "valid"},
		{"consensus: bft => consensus: raft", "valid"},
		{"consensus: bft => consensus: solo", `line 7, consensus: "solo" is not known; choose bft or raft`},
		{"channel: lianbao => channel: Lianbao", `line 6, channel: "Lianbao" is not a channel name; begin with a letter, then a-z, 0-9, dots and dashes`},
		{"channel: lianbao => chanel: lianbao", "line 6, chanel: there is no such field; take it out or mend its spelling"},
		{"channel: lianbao => channel: lianbao\nchannel: other", "line 7, channel: is given twice, first in line 6; keep one"},
		{"interval: 200ms => interval: 200", "line 9: \"200\" cannot be read as a duration, such as 200ms"},
		{"interval: 200ms => interval: 1ms", "line 9, blocks.interval: 1ms is outside 10ms to 10s; 200ms serves well"},
		{"interval: 200ms => interval: often", `line 9: "often" cannot be read as a duration, such as 200ms`},
		{"bytesMax: 2097152 => bytesMax: 100", "line 10, blocks.bytesMax: 100 is outside 65536 to 67108864; 2097152 serves well"},
		{"transactionsMax: 500 => transactionsMax: 0", "line 11, blocks.transactionsMax: 0 is outside 1 to 100000; 500 serves well"},
		{"transactionsMax: 500 => transactionsMax: many", `line 11: "many" cannot be read as a whole number`},
		{`version: "1" => version: "a b"`, `line 14, chaincode.version: "a b" is not a version; use letters, digits and dots`},
		{"sequence: 1 => sequence: 0", "line 15, chaincode.sequence: 0 is not a sequence; the first is 1"},
		{"name: lianbao => name: -lianbao", `line 13, chaincode.name: "-lianbao" is not a chaincode name; use letters and digits, joined by single dashes`},
		{"atLeast: 3 => atLeast: 2", "line 17, chaincode.policy.atLeast: with 2 of 5, two separate groups could each write the books; write 3 or more"},
		{"atLeast: 3 => atLeast: 6", "line 17, chaincode.policy.atLeast: 6 of 5 cannot be reached; write 3 to 5"},
		{"atLeast: 3 => atLeast: 5", "valid"},
		{"of: [charity, coop, => of: [charity, chairty,", `line 18, chaincode.policy.of[1]: there is no organisation "chairty"; name one of those below`},
		{"of: [charity, coop, => of: [charity, charity,", "line 18, chaincode.policy.of[1]: charity is already used by chaincode.policy.of[0]; choose another"},
		{"name: coop => name: Coop", `line 18, chaincode.policy.of[1]: there is no organisation "coop"; name one of those below
line 24, organisations[1].name: "Coop" is not a name; begin with a letter, then a-z, 0-9 and dashes, 32 at most`},
		{"mspId: CoopMSP => mspId: CharityMSP", "line 25, organisations[1].mspId: CharityMSP is already used by organisations[0].mspId; choose another"},
		{"mspId: CoopMSP => mspId: \"\"", `line 25, organisations[1].mspId: "" is not an MSP id; begin with a letter, then letters and digits`},
		{"domain: coop.lianbao.example => domain: charity.lianbao.example", "line 26, organisations[1].domain: charity.lianbao.example is already used by organisations[0].domain; choose another"},
		{"domain: coop.lianbao.example => domain: coop", `line 26, organisations[1].domain: "coop" is not a domain; write it like coop.lianbao.example`},
		{coop + " => " + strings.Replace(coop, "{role: orderer}, ", "", 1), "line 7, consensus: BFT needs at least four orderers, and there are 3; add {role: orderer} to more organisations or write consensus: raft"},
		{coop + " => " + strings.Replace(coop, "{role: peer}, ", "", 1), `line 18, chaincode.policy.of[1]: coop must endorse and runs no peer; add {role: peer} to it or take it out of the policy
line 27, organisations[1].nodes: coop runs a chaincode without a peer; add {role: peer}
line 27, organisations[1].nodes: coop runs a gateway without a peer; add {role: peer}`},
		{coop + " => " + strings.Replace(coop, "{role: chaincode}, ", "", 1), "line 18, chaincode.policy.of[1]: coop must endorse and runs no chaincode; add {role: chaincode} to it or take it out of the policy"},
		{coop + " => " + strings.Replace(coop, "{role: gateway}", "{role: gatway}", 1), `line 27, organisations[1].nodes[3].role: "gatway" is not a role; choose peer, orderer, chaincode or gateway`},
		{coop + " => " + strings.Replace(coop, "{role: gateway}", "{role: peer}", 1), "line 27, organisations[1].nodes[3].role: coop has a second peer; an organisation runs one"},
		{coop + " => " + strings.Replace(coop, "{role: gateway}", "{role: orderer}", 1), "valid"},
		{coop + " => " + strings.Replace(coop, "[{role: peer}, {role: orderer}, {role: chaincode}, {role: gateway}]", "[]", 1), `line 7, consensus: BFT needs at least four orderers, and there are 3; add {role: orderer} to more organisations or write consensus: raft
line 18, chaincode.policy.of[1]: coop must endorse and runs no peer; add {role: peer} to it or take it out of the policy
line 27, organisations[1].nodes: coop runs no node; give it one or take it out`},
		{coop + " => " + strings.Replace(coop, "{role: gateway}", "{role: gateway, port: 80}", 1), "line 27, organisations[1].nodes[3].port: 80 is outside 1024 to 65535; leave it out to have one chosen"},
		{coop + " => " + strings.Replace(coop, "{role: gateway}", "{role: gateway, adminPort: 8080}", 1), "line 27, organisations[1].nodes[3].adminPort: a gateway has no such port; take it out"},
		{coop + " => " + strings.Replace(strings.Replace(coop, "{role: peer}", "{role: peer, port: 7051}", 1), "{role: gateway}", "{role: gateway, port: 7051}", 1), "line 27, organisations[1].nodes[3].port: 7051 is already the port of peer.coop; choose another or leave it out"},
		{"members: [charity, bank] => members: [charity, coop, bank]", "valid"},
		{"members: [charity, bank] => members: [charity]", "line 45, collections[0].members: 1 is too few; a collection has at least two members, because each organisation has one of its own anyway"},
		{"    members: [charity, bank] => ", "line 44, collections[0].members: 0 is too few; a collection has at least two members, because each organisation has one of its own anyway"},
		{"members: [charity, bank] => members: [charity, bnak]", `line 45, collections[0].members[1]: there is no organisation "bnak"; name one of those below`},
		{"members: [charity, bank] => members: [bank, bank]", "line 45, collections[0].members[1]: bank is already used by collections[0].members[0]; choose another"},
		{"members: [charity, bank] => members: [charity, bank]\n    blockToLive: 5", "line 46, blockToLive: there is no such field; take it out or mend its spelling"},
		{"members: [charity, bank] => members: [charity, bank]\n  - {name: more, members: [bank, charity]}", "line 46, collections[1].members: collections[0] has the same members; one collection for them is enough"},
		{"members: [charity, bank] => members: [charity, bank]\n  - {name: charity-bank, members: [bank, coop]}", "line 46, collections[1].name: charity-bank is already used by collections[0].name; choose another"},
		{"name: charity-bank => name: _implicit_org_BankMSP", `line 44, collections[0].name: "_implicit_org_BankMSP" is not a name of a collection; use a-z, 0-9 and dashes, 32 at most`},
		{"members: [charity, bank] => members: [charity, coop] && of: [charity, coop, => of: [charity, && " + coop + " => " + strings.Replace(coop, "{role: peer}, {role: orderer}, {role: chaincode}, {role: gateway}", "{role: orderer}", 1),
			"line 45, collections[0].members[1]: coop is to hold private data and runs no peer; add {role: peer} to it or take it out of the collection"},
		{"members: [charity, bank] => members: [charity, coop] && of: [charity, coop, => of: [charity, && " + coop + " => " + strings.Replace(coop, ", {role: chaincode}, {role: gateway}", "", 1),
			"line 45, collections[0].members[1]: coop must endorse and runs no chaincode; add {role: chaincode} to it or take it out of the collection"},
		{"consensus: bft => consensus: solo && sequence: 1 => sequence: -1", `line 7, consensus: "solo" is not known; choose bft or raft
line 15, chaincode.sequence: -1 is not a sequence; the first is 1`},
	} {
		t.Run(c.edit, func(t *testing.T) {
			_, err := Parse(change(t, c.edit))
			if got := fmt.Sprint(err); !(err == nil && c.answer == "valid") && got != c.answer {
				t.Errorf("it says\n%s\nnot\n%s", got, c.answer)
			}
		})
	}
}

func TestParseRefusesOddFiles(t *testing.T) {
	for _, c := range []struct{ file, answer string }{
		{"", "the file is empty; begin with the default topology"},
		{"- a list", "line 1: \"\" cannot be read as a group of fields"},
		{string(smallFile) + "---\nchannel: other\n", "the file holds more than one document; keep the first"},
		{"channel: [", "line 1: did not find expected node content"},
		{"channel: lianbao", `line 1, blocks.interval: 0s is outside 10ms to 10s; 200ms serves well
line 1, blocks.bytesMax: 0 is outside 65536 to 67108864; 2097152 serves well
line 1, blocks.transactionsMax: 0 is outside 1 to 100000; 500 serves well
line 1, chaincode.name: "" is not a chaincode name; use letters and digits, joined by single dashes
line 1, chaincode.version: "" is not a version; use letters, digits and dots
line 1, chaincode.sequence: 0 is not a sequence; the first is 1
line 1, organisations: there is none; a network needs at least one with a peer
line 1, consensus: "" is not known; choose bft or raft
line 1, chaincode.policy.of: nobody can endorse; an organisation needs a peer and a chaincode to do so`},
	} {
		t.Run(c.file, func(t *testing.T) {
			_, err := Parse([]byte(c.file))
			if fmt.Sprint(err) != c.answer {
				t.Errorf("it says\n%v\nnot\n%s", err, c.answer)
			}
		})
	}
}

func TestBuiltIn(t *testing.T) {
	for _, c := range []struct {
		t      Topology
		answer string
	}{
		{Default(), "bft: 5 peers, 4 orderers, 5 chaincodes, 5 gateways, 3 of 5"},
		{Small(), "raft: 5 peers, 1 orderers, 5 chaincodes, 5 gateways, 3 of 5"},
	} {
		got := fmt.Sprintf("%s: %d peers, %d orderers, %d chaincodes, %d gateways, %d of %d", c.t.Consensus,
			len(c.t.Nodes(Peer)), len(c.t.Nodes(Orderer)), len(c.t.Nodes(ChaincodeServer)), len(c.t.Nodes(Gateway)),
			c.t.EndorsementsMin(), len(c.t.Endorsers()))
		if got != c.answer {
			t.Errorf("%s, not %s", got, c.answer)
		}
	}
}

// A policy that names nobody counts everyone who can endorse, and asks for a
// strict majority of them.
func TestPolicyByItself(t *testing.T) {
	all := Default()
	all.Chaincode.Policy = Policy{}
	for _, c := range []struct{ organisations, answer int }{{5, 3}, {4, 3}, {3, 2}, {2, 2}, {1, 1}} {
		some := all
		some.Organisations = all.Organisations[:c.organisations]
		if got := some.EndorsementsMin(); got != c.answer {
			t.Errorf("%d organisations: %d endorsements, not %d", c.organisations, got, c.answer)
		}
	}
}

func TestAssignGivesEveryNodeItsOwnPorts(t *testing.T) {
	file := change(t, "nodes: [{role: peer}, => nodes: [{role: peer, port: 21001},")
	given, err := Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	assigned, err := given.Assign(21000, PagesPort)
	if err != nil {
		t.Fatal(err)
	}
	owner := map[int]string{}
	for _, n := range assigned.Nodes() {
		want := map[Role]int{Peer: 2, Orderer: 3, ChaincodeServer: 1, Gateway: 1}[n.Role]
		if len(n.Ports.List()) != want {
			t.Errorf("%s has the ports %v, not %d", n.Name, n.Ports.List(), want)
		}
		for _, port := range n.Ports.List() {
			if owner[port] != "" {
				t.Errorf("%d belongs to %s and %s", port, owner[port], n.Name)
			}
			owner[port] = n.Name
		}
	}
	if owner[21001] != "peer.charity" || owner[8101] != "gateway.charity" || owner[8105] != "gateway.regulator" {
		t.Errorf("21001 is %s, 8101 %s, 8105 %s", owner[21001], owner[8101], owner[8105])
	}
	if problems := assigned.Validate(); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestFits(t *testing.T) {
	assigned, err := Default().Assign(21000, PagesPort)
	if err != nil {
		t.Fatal(err)
	}
	raft, named, collected := Default(), Default(), Default()
	collected.Collections = nil
	raft.Consensus = Raft
	named.Organisations[0].Nodes[0].Port = 7051
	for _, c := range []struct {
		name   string
		t      Topology
		answer bool
	}{
		{"the one it came from", Default(), true},
		{"itself", assigned, true},
		{"another consensus", raft, false},
		{"another port", named, false},
		{"fewer nodes", Small(), false},
		{"other collections", collected, false},
	} {
		if got := c.t.Fits(assigned); got != c.answer {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// What File writes, Parse reads back to the same.
func TestFileReadsBack(t *testing.T) {
	assigned, err := Default().Assign(21000, PagesPort)
	if err != nil {
		t.Fatal(err)
	}
	first, err := assigned.File()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(first)
	if err != nil {
		t.Fatalf("%v\n%s", err, first)
	}
	second, err := again.File()
	if err != nil || string(first) != string(second) {
		t.Errorf("%v\n%s\nbecame\n%s", err, first, second)
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(path, change(t, "consensus: bft => consensus: raft"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, answer string }{
		{"", "bft"}, {"default", "bft"}, {"small", "raft"}, {path, "raft"}, {path + ".missing", ""},
	} {
		got, err := Load(c.name)
		if string(got.Consensus) != c.answer || (err != nil) != (c.answer == "") {
			t.Errorf("%q: %q, %v", c.name, got.Consensus, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(defaultFile)
	f.Add(smallFile)
	f.Add([]byte("channel: lianbao"))
	f.Fuzz(func(t *testing.T, file []byte) {
		read, err := Parse(file)
		if err != nil {
			return
		}
		written, err := read.File()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Parse(written); err != nil || !again.Fits(read) {
			t.Fatalf("what was written does not read back: %v\n%s", err, written)
		}
	})
}
