package lifecycle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lianbao/lianbao/network/topology"
)

// settings are a sample file of Fabric's with some values set.
type settings map[string]any

func readSettings(path string) (settings, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var s map[string]any
	return s, yaml.Unmarshal(data, &s)
}

// set changes a value. The group in which it stands must be in the sample, so
// that a name that Fabric does not know is noticed.
func (s settings) set(path string, value any) error {
	names := strings.Split(path, ".")
	group := map[string]any(s)
	for _, name := range names[:len(names)-1] {
		inner, found := group[name].(map[string]any)
		if !found {
			return fmt.Errorf("the sample settings have no %s of %s", name, path)
		}
		group = inner
	}
	group[names[len(names)-1]] = value
	return nil
}

func (s settings) setAll(values map[string]any) error {
	for path, value := range values {
		if err := s.set(path, value); err != nil {
			return err
		}
	}
	return nil
}

// write replaces the file at once, because a running node may read it.
func (s settings) write(path string) error {
	data, err := yaml.Marshal(map[string]any(s))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return writeWhole(path, data)
}

// writeWhole leaves the old content or the new one, whatever happens.
func writeWhole(path string, data []byte) error {
	draft := path + ".new"
	if err := os.WriteFile(draft, data, 0o600); err != nil {
		return err
	}
	return os.Rename(draft, path)
}

// pingMin is how often a client may ping. The gateway inside a peer pings the
// other peers and the orderers every ten seconds; by their own setting of sixty
// they would answer "too many pings" and close the connection, under whatever
// is on its way, about every half minute.
const pingMin = "5s"

// censorshipTime is how long a peer bears an orderer that has fewer blocks than
// the others show headers of, before it takes its blocks from another. A BFT
// orderer that missed a block while it was starting notices only after ten
// seconds, and until then its peers would miss it too.
const censorshipTime = "2s"

func (s Site) writePeerSettings(o topology.Organisation, n topology.Node, folder string) error {
	core, err := readSettings(filepath.Join(s.Programs.SampleConfig, "core.yaml"))
	if err != nil {
		return err
	}
	id := s.Identity(o.Name)
	tls := id.NodeTLS(n.Name)
	data := filepath.Join(folder, "data")
	err = core.setAll(map[string]any{
		"peer.id":                                       n.Name,
		"peer.networkId":                                s.Topology.Channel,
		"peer.listenAddress":                            n.Address(),
		"peer.address":                                  n.Address(),
		"peer.chaincodeListenAddress":                   "127.0.0.1:0", // unused: the chaincode is a service
		"peer.localMspId":                               o.MSPID,
		"peer.mspConfigPath":                            id.NodeMSP(n.Name),
		"peer.fileSystemPath":                           data,
		"peer.tls.enabled":                              true,
		"peer.tls.cert.file":                            tls.Certificate,
		"peer.tls.key.file":                             tls.Key,
		"peer.tls.rootcert.file":                        id.TLSRoot(),
		"peer.keepalive.minInterval":                    pingMin,
		"peer.deliveryclient.blockCensorshipTimeoutKey": censorshipTime,
		"peer.limits.concurrency.gatewayService":        2500,
		"operations.listenAddress":                      n.OperationsAddress(),
		"metrics.provider":                              "prometheus",
		"ledger.snapshots.rootDir":                      filepath.Join(data, "snapshots"),
		// Nothing asks for the history of a key: blocks hold it.
		"ledger.history.enableHistoryDatabase": false,
		// An empty endpoint keeps the peer from looking for Docker.
		"vm.endpoint":                "",
		"chaincode.externalBuilders": []map[string]any{{"name": "lianbao-ccaas", "path": s.Programs.Builder}},
	})
	if err != nil {
		return err
	}
	if err := errors.Join(setGossip(core, n), setPrivateData(core)); err != nil {
		return err
	}
	return core.write(filepath.Join(folder, "core.yaml"))
}

// setGossip shortens the intervals at which peers learn of one another, or
// the first seconds of a network would refuse what needs several of them. Each
// peer takes its blocks from the orderers itself. What is asked for again and
// again although nothing changes goes slowly: docs/decisions/0005.
func setGossip(core settings, n topology.Node) error {
	return core.setAll(map[string]any{
		"peer.gossip.bootstrap":                  n.Address(),
		"peer.gossip.endpoint":                   n.Address(),
		"peer.gossip.externalEndpoint":           n.Address(),
		"peer.gossip.orgLeader":                  true,
		"peer.gossip.useLeaderElection":          false,
		"peer.gossip.state.enabled":              false,
		"peer.gossip.reconnectInterval":          "250ms",
		"peer.gossip.aliveTimeInterval":          "1s",
		"peer.gossip.requestStateInfoInterval":   "4s",
		"peer.gossip.publishStateInfoInterval":   "500ms",
		"peer.gossip.membershipTrackerInterval":  "1s",
		"peer.gossip.dialTimeout":                "500ms",
		"peer.gossip.maxPropagationBurstLatency": "100ms",
	})
}

// setPrivateData says how long a peer waits for a value, and how soon it lets
// one go. docs/decisions/0008 has the reasons and what the samples would do.
func setPrivateData(core settings) error {
	return core.setAll(map[string]any{
		// A block whose value is missing waits this long, and all after it. Each
		// member has endorsed what it holds, so a value is missing only where a
		// peer lost it, and is fetched later.
		"peer.gossip.pvtData.pullRetryThreshold":     "5s",
		"peer.gossip.pvtData.reconcileSleepInterval": "10s",
		// What was endorsed and never ordered is forgotten after this many blocks,
		// of which there are five a second at the most.
		"peer.gossip.pvtData.transientstoreMaxBlockRetention": 1000,
		// An organisation has one peer: there is no other to send its own values to.
		"peer.gossip.pvtData.implicitCollectionDisseminationPolicy.maxPeerCount": 0,
		// What was purged leaves the store with the next block, not with the next
		// hundredth: on a quiet ledger that would be a week.
		"ledger.pvtdataStore.purgeInterval": 1,
	})
}

func (s Site) writeOrdererSettings(o topology.Organisation, n topology.Node, folder string) error {
	file, err := readSettings(filepath.Join(s.Programs.SampleConfig, "orderer.yaml"))
	if err != nil {
		return err
	}
	id := s.Identity(o.Name)
	tls := id.NodeTLS(n.Name)
	data := filepath.Join(folder, "data")
	err = file.setAll(map[string]any{
		"General.ListenAddress":               "127.0.0.1",
		"General.ListenPort":                  n.Port,
		"General.LocalMSPDir":                 id.NodeMSP(n.Name),
		"General.LocalMSPID":                  o.MSPID,
		"General.Keepalive.ServerMinInterval": pingMin,
		"General.TLS.Enabled":                 true,
		"General.TLS.Certificate":             tls.Certificate,
		"General.TLS.PrivateKey":              tls.Key,
		"General.TLS.RootCAs":                 []string{id.TLSRoot()},
		"General.Cluster.ClientCertificate":   tls.Certificate,
		"General.Cluster.ClientPrivateKey":    tls.Key,
		"FileLedger.Location":                 data,
		"Operations.ListenAddress":            n.OperationsAddress(),
		"Metrics.Provider":                    "prometheus",
		"Admin.ListenAddress":                 n.AdminAddress(),
		"Admin.TLS.Enabled":                   true,
		"Admin.TLS.Certificate":               tls.Certificate,
		"Admin.TLS.PrivateKey":                tls.Key,
		"Admin.TLS.ClientAuthRequired":        true,
		"Admin.TLS.ClientRootCAs":             []string{id.TLSRoot()},
		"Consensus.WALDir":                    filepath.Join(data, "consensus", "wal"),
		"Consensus.SnapDir":                   filepath.Join(data, "consensus", "snapshots"),
	})
	if err != nil {
		return err
	}
	return file.write(filepath.Join(folder, "orderer.yaml"))
}
