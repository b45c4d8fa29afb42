package lifecycle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"
	"go.yaml.in/yaml/v3"

	"github.com/lianbao/lianbao/network/program"
	"github.com/lianbao/lianbao/network/topology"
)

// site is a network with certificates that does not run.
func site(t *testing.T, described topology.Topology) Site {
	t.Helper()
	assigned, err := described.Assign(21000, topology.PagesPort)
	if err != nil {
		t.Fatal(err)
	}
	s := Site{Folder: t.TempDir(), Topology: assigned}
	if err := s.CreateIdentities(); err != nil {
		t.Fatal(err)
	}
	return s
}

// The id follows from the package's bytes, so they must not depend on the clock.
func TestPackIsAlwaysTheSame(t *testing.T) {
	s := site(t, topology.Small())
	ids := map[string]string{}
	for _, o := range s.Topology.Members() {
		first, err := s.pack(o)
		if err != nil {
			t.Fatal(err)
		}
		second, err := s.pack(o)
		if err != nil || first.id != second.id || !bytes.Equal(first.bytes, second.bytes) {
			t.Errorf("%s: %s, then %s (%v)", o.Name, first.id, second.id, err)
		}
		if other := ids[first.id]; other != "" {
			t.Errorf("%s and %s have the same package", other, o.Name)
		}
		ids[first.id] = o.Name
	}
}

func TestPackSaysHowToCallTheChaincode(t *testing.T) {
	s := site(t, topology.Small())
	o, _ := s.Topology.Organisation("bank")
	p, err := s.pack(o)
	if err != nil {
		t.Fatal(err)
	}
	outer := unpack(t, p.bytes)
	if got := string(outer["metadata.json"]); got != `{"label":"lianbao_1","type":"ccaas"}` {
		t.Errorf("the metadata are %s", got)
	}
	var c connection
	if err := json.Unmarshal(unpack(t, outer["code.tar.gz"])["connection.json"], &c); err != nil {
		t.Fatal(err)
	}
	n, _ := o.Node(topology.ChaincodeServer)
	if c.Address != n.Address() || !c.TLSRequired || !c.ClientAuthRequired || c.Domain != host ||
		!strings.Contains(c.ClientKey, "PRIVATE KEY") || !strings.Contains(c.RootCertificate, "CERTIFICATE") {
		t.Errorf("the connection is %+v", c)
	}
}

func unpack(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for tape := tar.NewReader(zip); ; {
		header, err := tape.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[header.Name], err = io.ReadAll(tape); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEndorsementRule(t *testing.T) {
	everyone := topology.Default()
	everyone.Chaincode.Policy = topology.Policy{}
	three := topology.Default()
	three.Chaincode.Policy = topology.Policy{AtLeast: 2, Of: []string{"charity", "bank", "regulator"}}
	const all = "'CharityMSP.peer', 'CoopMSP.peer', 'BankMSP.peer', 'InsurerMSP.peer', 'RegulatorMSP.peer')"
	for _, c := range []struct {
		t      topology.Topology
		answer string
	}{
		{topology.Default(), "OutOf(3, " + all},
		{everyone, "OutOf(3, " + all},
		{three, "OutOf(2, 'CharityMSP.peer', 'BankMSP.peer', 'RegulatorMSP.peer')"},
	} {
		if got := (Site{Topology: c.t}).EndorsementRule(); got != c.answer {
			t.Errorf("%s, not %s", got, c.answer)
		}
	}
}

func TestCollections(t *testing.T) {
	none, three := topology.Default(), topology.Default()
	none.Collections = nil
	three.Collections = append(three.Collections, topology.Collection{Name: "relief", Members: []string{"insurer", "charity", "coop"}})
	if all, err := (Site{Topology: none}).collections(); all != nil || err != nil {
		t.Errorf("without collections: %v, %v", all, err)
	}
	all, err := (Site{Topology: three}).collections()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, one := range all.Config {
		c := one.GetStaticCollectionConfig()
		held, err := chaincode.SignaturePolicyEnvelopeToString(c.MemberOrgsPolicy.GetSignaturePolicy())
		if err != nil {
			t.Fatal(err)
		}
		endorsed, err := chaincode.SignaturePolicyEnvelopeToString(c.EndorsementPolicy.GetSignaturePolicy())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s: %s; %s; sent to %d to %d; for %d blocks; only members read %t, write %t",
			c.Name, held, endorsed, c.RequiredPeerCount, c.MaximumPeerCount, c.BlockToLive, c.MemberOnlyRead, c.MemberOnlyWrite))
	}
	for i, want := range []string{
		"charity-bank: OR('CharityMSP.member','BankMSP.member'); AND('CharityMSP.peer','BankMSP.peer'); sent to 0 to 1; for 0 blocks; only members read true, write true",
		"relief: OR('CharityMSP.member','CoopMSP.member','InsurerMSP.member'); AND('CharityMSP.peer','CoopMSP.peer','InsurerMSP.peer'); sent to 0 to 2; for 0 blocks; only members read true, write true",
	} {
		if len(got) != 2 || got[i] != want {
			t.Errorf("%v\nnot %s", got, want)
		}
	}
}

// TestPrivateDataSettings: the sample knows each of them under that name.
func TestPrivateDataSettings(t *testing.T) {
	core := settings{"peer": map[string]any{"gossip": map[string]any{"pvtData": map[string]any{"implicitCollectionDisseminationPolicy": map[string]any{}}}},
		"ledger": map[string]any{"pvtdataStore": map[string]any{}}}
	if err := setPrivateData(core); err != nil {
		t.Fatal(err)
	}
	if got := at(t, core, "ledger.pvtdataStore.purgeInterval"); got != 1 {
		t.Errorf("purged values stay for %v blocks", got)
	}
	delete(core, "ledger")
	if setPrivateData(core) == nil {
		t.Error("a group that the sample has not was set")
	}
}

// profileOf reads the profile as configtxgen does, through YAML.
func profileOf(t *testing.T, described topology.Topology) map[string]any {
	t.Helper()
	file, err := yaml.Marshal(site(t, described).channelProfile())
	if err != nil {
		t.Fatal(err)
	}
	var profile map[string]any
	if err := yaml.Unmarshal(file, &profile); err != nil {
		t.Fatal(err)
	}
	return profile
}

func at(t *testing.T, group map[string]any, path string) any {
	t.Helper()
	var value any = group
	for _, name := range strings.Split(path, ".") {
		inner, isGroup := value.(map[string]any)
		if !isGroup {
			t.Fatalf("there is no %s of %s", name, path)
		}
		value = inner[name]
	}
	return value
}

func TestChannelProfile(t *testing.T) {
	bft, raft := profileOf(t, topology.Default()), profileOf(t, topology.Small())
	for _, c := range []struct {
		profile map[string]any
		path    string
		answer  any
	}{
		{bft, "Orderer.OrdererType", "BFT"},
		{bft, "Orderer.SmartBFT.RequestBatchMaxInterval", "200ms"},
		{bft, "Orderer.SmartBFT.LeaderHeartbeatTimeout", "2s"},
		{bft, "Orderer.BatchSize.AbsoluteMaxBytes", 2 << 20},
		{bft, "Orderer.BatchSize.MaxMessageCount", 500},
		{bft, "Orderer.EtcdRaft", nil},
		{bft, "Capabilities.V3_0", true},
		{bft, "Application.Policies.LifecycleEndorsement.Rule", "MAJORITY Endorsement"},
		{raft, "Orderer.OrdererType", "etcdraft"},
		{raft, "Orderer.BatchTimeout", "200ms"},
		{raft, "Orderer.EtcdRaft.Options.TickInterval", "100ms"},
		{raft, "Orderer.SmartBFT", nil},
	} {
		if got := at(t, c.profile, c.path); got != c.answer {
			t.Errorf("%s is %v, not %v", c.path, got, c.answer)
		}
	}
	for _, c := range []struct {
		profile map[string]any
		path    string
		answer  int
	}{
		{bft, "Orderer.ConsenterMapping", 4}, {bft, "Orderer.Organizations", 4}, {bft, "Application.Organizations", 5},
		{raft, "Orderer.EtcdRaft.Consenters", 1}, {raft, "Orderer.Organizations", 1}, {raft, "Application.Organizations", 5},
	} {
		if list, isList := at(t, c.profile, c.path).([]any); !isList || len(list) != c.answer {
			t.Errorf("%s has %d entries, not %d", c.path, len(list), c.answer)
		}
	}
}

func TestSettingsThatTheSampleDoesNotKnow(t *testing.T) {
	s := settings{"peer": map[string]any{"id": "x"}}
	for _, c := range []struct{ path, answer string }{
		{"peer.id", ""},
		{"peer.new", ""},
		{"per.id", "the sample settings have no per of per.id"},
		{"peer.id.deeper", "the sample settings have no id of peer.id.deeper"},
	} {
		got := ""
		if err := s.set(c.path, "y"); err != nil {
			got = err.Error()
		}
		if got != c.answer {
			t.Errorf("%s: %q", c.path, got)
		}
	}
}

func TestGatewaySettings(t *testing.T) {
	s := site(t, topology.Small())
	s.Programs = program.Set{Gateway: "/bin/gateway"}
	commands, err := s.Commands(topology.Gateway)
	if err != nil {
		t.Fatal(err)
	}
	if len(commands) != 5 {
		t.Fatalf("there are %d gateways", len(commands))
	}
	data, err := os.ReadFile(commands[0].Args[1])
	if err != nil {
		t.Fatal(err)
	}
	var g GatewaySettings
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if g.Organisation != "charity" || g.MSPID != "CharityMSP" || g.Listen != "127.0.0.1:8101" || len(g.Others) != 4 || g.Others[0].URL != "http://127.0.0.1:8102" {
		t.Errorf("the settings are %+v", g)
	}
	if g.Importing != filepath.Join(s.Folder, "organisations", "charity", "importing") {
		t.Errorf("its imports are planned in %s", g.Importing)
	}
	// A gateway holds no other organisation's key.
	for _, path := range []string{g.Identity.Key, g.Auditor.Key, g.Token, g.Peer.TLSRootCert, g.Data} {
		if !strings.HasPrefix(path, filepath.Join(s.Folder, "organisations", "charity")) {
			t.Errorf("%s is not the charity's", path)
		}
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	before, _ := os.ReadFile(g.Token)
	if _, err := s.Commands(topology.Gateway); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.ReadFile(g.Token); len(after) < 40 || !bytes.Equal(before, after) {
		t.Errorf("the token changed from %q to %q", before, after)
	}
}
