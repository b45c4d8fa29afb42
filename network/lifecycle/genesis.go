package lifecycle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/network/topology"
)

const profile = "Lianbao"

// Genesis is the first block of the channel. It is made once by configtxgen,
// which alone knows how BFT is written down, and then kept: a second one
// would be another ledger.
func (s Site) Genesis(ctx context.Context) (*cb.Block, error) {
	path := filepath.Join(s.channelFolder(), "genesis.block")
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		if err := s.writeGenesis(ctx, path); err != nil {
			return nil, fmt.Errorf("first block of the channel: %w", err)
		}
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, err
	}
	block := &cb.Block{}
	return block, proto.Unmarshal(data, block)
}

func (s Site) writeGenesis(ctx context.Context, path string) error {
	file, err := yaml.Marshal(map[string]any{"Profiles": map[string]any{profile: s.channelProfile()}})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.channelFolder(), 0o700); err != nil {
		return err
	}
	if err := writeWhole(filepath.Join(s.channelFolder(), "configtx.yaml"), file); err != nil {
		return err
	}
	draft := path + ".new"
	cmd := exec.CommandContext(ctx, s.Programs.Configtxgen,
		"-profile", profile, "-channelID", s.Topology.Channel, "-configPath", s.channelFolder(), "-outputBlock", draft)
	var printed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &printed
	cmd.Env = []string{"FABRIC_LOGGING_SPEC=warn"}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("configtxgen: %w\n%s", err, printed.String())
	}
	return os.Rename(draft, path)
}

// group is a part of configtx.yaml.
type group = map[string]any

func implicit(rule string) group { return group{"Type": "ImplicitMeta", "Rule": rule} }

func signature(rule string, args ...any) group {
	return group{"Type": "Signature", "Rule": fmt.Sprintf(rule, args...)}
}

// channelPolicies ask any member to read and write, and most of them to change
// the channel.
func channelPolicies() group {
	return group{
		"Readers": implicit("ANY Readers"),
		"Writers": implicit("ANY Writers"),
		"Admins":  implicit("MAJORITY Admins"),
	}
}

func (s Site) channelProfile() group {
	return group{
		"Policies":     channelPolicies(),
		"Capabilities": group{"V3_0": true},
		"Orderer":      s.ordererGroup(),
		"Application":  s.applicationGroup(),
	}
}

func (s Site) applicationGroup() group {
	policies := channelPolicies()
	policies["LifecycleEndorsement"] = implicit("MAJORITY Endorsement")
	policies["Endorsement"] = implicit("MAJORITY Endorsement")
	return group{
		"Organizations": s.organisationGroups(topology.Peer),
		"Policies":      policies,
		"Capabilities":  group{"V2_5": true},
	}
}

// organisationGroups are the organisations that run a role.
func (s Site) organisationGroups(role topology.Role) []group {
	var groups []group
	for _, o := range s.Topology.Organisations {
		if o.Runs(role) {
			groups = append(groups, s.organisationGroup(o))
		}
	}
	return groups
}

func (s Site) organisationGroup(o topology.Organisation) group {
	// The folder may be moved while the first block is not made yet, so paths are relative.
	msp, err := filepath.Rel(s.channelFolder(), s.Identity(o.Name).MSP())
	if err != nil {
		msp = s.Identity(o.Name).MSP()
	}
	g := group{
		"Name": o.MSPID, "ID": o.MSPID, "MSPDir": msp,
		"Policies": group{
			"Readers":     signature("OR('%s.member')", o.MSPID),
			"Writers":     signature("OR('%[1]s.admin', '%[1]s.client', '%[1]s.orderer')", o.MSPID),
			"Admins":      signature("OR('%s.admin')", o.MSPID),
			"Endorsement": signature("OR('%s.peer')", o.MSPID),
		},
	}
	var endpoints []string
	for _, n := range o.NodesOf(topology.Orderer) {
		endpoints = append(endpoints, n.Address())
	}
	if len(endpoints) > 0 {
		g["OrdererEndpoints"] = endpoints
	}
	if peer, runs := o.Node(topology.Peer); runs {
		g["AnchorPeers"] = []group{{"Host": host, "Port": peer.Port}}
	}
	return g
}

// host is where all nodes of a network on one machine listen.
const host = "127.0.0.1"

func (s Site) ordererGroup() group {
	b := s.Topology.Blocks
	policies := channelPolicies()
	// BFT puts a policy of its own, by consenters, in place of this one.
	policies["BlockValidation"] = implicit("ANY Writers")
	g := group{
		"Organizations": s.organisationGroups(topology.Orderer),
		"Policies":      policies,
		"Capabilities":  group{"V2_0": true},
		"BatchTimeout":  b.Interval.String(),
		"BatchSize": group{
			"MaxMessageCount":   b.TransactionsMax,
			"AbsoluteMaxBytes":  b.BytesMax,
			"PreferredMaxBytes": b.BytesMax,
		},
	}
	if s.Topology.Consensus == topology.BFT {
		g["OrdererType"] = "BFT"
		g["ConsenterMapping"] = s.consenters()
		g["SmartBFT"] = smartBFT(b)
		return g
	}
	g["OrdererType"] = "etcdraft"
	g["EtcdRaft"] = group{"Consenters": s.consenters(), "Options": raft}
	return g
}

// consenters are the orderers as the others know them. Raft takes fewer of the
// fields, and its reader refuses the rest.
func (s Site) consenters() []group {
	var consenters []group
	for _, o := range s.Topology.Organisations {
		id := s.Identity(o.Name)
		for _, n := range o.NodesOf(topology.Orderer) {
			tls := id.NodeTLS(n.Name).Certificate
			c := group{"Host": host, "Port": n.Port, "ClientTLSCert": tls, "ServerTLSCert": tls}
			if s.Topology.Consensus == topology.BFT {
				c["ID"] = len(consenters) + 1
				c["MSPID"] = o.MSPID
				c["Identity"] = id.NodeCertificate(n.Name)
			}
			consenters = append(consenters, c)
		}
	}
	return consenters
}

// raft elects a leader within one to two seconds.
var raft = group{
	"TickInterval":         "100ms",
	"ElectionTick":         10,
	"HeartbeatTick":        1,
	"MaxInflightBlocks":    5,
	"SnapshotIntervalSize": "16 MB",
}

// smartBFT sets the pace of the BFT orderers. BatchTimeout and
// PreferredMaxBytes mean nothing to them: the interval stands here.
func smartBFT(b topology.Blocks) group {
	return group{
		"RequestBatchMaxInterval": b.Interval.String(),
		// Two seconds without the leader's heartbeat and it is replaced. The
		// clock ticks once a second, so that less would replace sound leaders.
		"LeaderHeartbeatTimeout": "2s",
		"LeaderHeartbeatCount":   10,
		// These two catch a leader that leaves transactions out. Shorter ones
		// replace leaders that are only busy.
		"RequestForwardTimeout":     "2s",
		"RequestComplainTimeout":    "20s",
		"RequestAutoRemoveTimeout":  "3m",
		"ViewChangeResendInterval":  "1s",
		"ViewChangeTimeout":         "10s",
		"CollectTimeout":            "500ms",
		"IncomingMessageBufferSize": 200,
		"RequestPoolSize":           100_000,
	}
}
