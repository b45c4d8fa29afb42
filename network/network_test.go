package network

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/hash"
	gatewayidentity "github.com/hyperledger/fabric-gateway/pkg/identity"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/lianbao/lianbao/network/identity"
	"github.com/lianbao/lianbao/network/lifecycle"
	"github.com/lianbao/lianbao/network/process"
	"github.com/lianbao/lianbao/network/program"
	"github.com/lianbao/lianbao/network/topology"
)

// The test program plays the gateways and the chaincodes: networks are tested
// here without knowing what either does.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "--config":
		panic(playGateway(os.Args[2]))
	case len(os.Args) == 11 && os.Args[1] == "--address":
		panic(playChaincode(os.Args))
	}
	os.Exit(m.Run())
}

// note is a chaincode that writes a key.
type note struct{}

func (note) Init(shim.ChaincodeStubInterface) *peer.Response { return shim.Success(nil) }

func (note) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	if err := stub.PutState(stub.GetTxID(), []byte("noted")); err != nil {
		return shim.Error(err.Error())
	}
	return shim.Success(nil)
}

func playChaincode(args []string) error {
	var files [3][]byte
	for i, at := range []int{6, 8, 10} {
		data, err := os.ReadFile(args[at])
		if err != nil {
			return err
		}
		files[i] = data
	}
	server := shim.ChaincodeServer{Address: args[2], CCID: args[4], CC: note{},
		TLSProps: shim.TLSProperties{Cert: files[0], Key: files[1], ClientCACerts: files[2]}}
	return server.Start()
}

func playGateway(config string) error {
	data, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	var settings lifecycle.GatewaySettings
	if err := json.Unmarshal(data, &settings); err != nil {
		return err
	}
	http.HandleFunc("/readyz", func(http.ResponseWriter, *http.Request) {})
	return http.ListenAndServe(settings.Listen, nil)
}

// create makes a network that is gone when the test ends, and no process of it
// is left.
func create(t *testing.T, described topology.Topology) *Network {
	t.Helper()
	n, err := Create(filepath.Join(t.TempDir(), "network"), described)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			for _, node := range n.Topology().Nodes() {
				t.Logf("%s:\n%s", node.Name, n.table.Tail(node.Name, 15))
			}
		}
		pids := running(n)
		if err := n.Down(context.Background()); err != nil {
			t.Error(err)
		}
		for name, pid := range pids {
			if process.IsRunning(pid) {
				t.Errorf("%s goes on as process %d", name, pid)
			}
		}
		if _, err := os.Stat(n.Folder()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the folder is still there: %v", err)
		}
	})
	return n
}

// running is the process ids of the nodes that run.
func running(n *Network) map[string]int {
	pids := map[string]int{}
	for _, node := range n.Topology().Nodes() {
		if r, runs := n.table.Find(node.Name); runs {
			pids[node.Name] = r.PID
		}
	}
	return pids
}

func options() Options {
	return Options{Programs: program.Request{Gateway: os.Args[0], Chaincode: os.Args[0]}, Committed: committed}
}

func up(t *testing.T, n *Network) {
	t.Helper()
	begun := time.Now()
	if err := n.Up(t.Context(), options(), func(s Step) {
		if s.Done {
			t.Logf("%-11s %s  %.1f s", s.Name, s.Detail, s.Elapsed.Seconds())
		}
	}); err != nil {
		t.Fatal(err)
	}
	t.Logf("up in %.1f s", time.Since(begun).Seconds())
}

// committed has every organisation commit a transaction.
func committed(ctx context.Context, all []Connection) error {
	errs := make([]error, len(all))
	var wait sync.WaitGroup
	for i, c := range all {
		wait.Go(func() { errs[i] = submitted(ctx, c) })
	}
	wait.Wait()
	return errors.Join(errs...)
}

// committing is how long it is tried, attempting how long at a time: orderers
// that were killed first choose a leader.
const (
	committing = 30 * time.Second
	attempting = 5 * time.Second
)

func submitted(ctx context.Context, c Connection) error {
	for begun := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		// An envelope that was taken by a leader which is gone may be lost: waiting
		// for its commit would never end.
		attempt, done := context.WithTimeout(ctx, attempting)
		err := submit(attempt, c)
		done()
		if err == nil || ctx.Err() != nil || time.Since(begun) > committing {
			return err
		}
	}
}

func submit(ctx context.Context, c Connection) error {
	pair, err := c.Gateway.Read()
	if err != nil {
		return err
	}
	certificate, err := identity.Parse(pair.Certificate)
	if err != nil {
		return err
	}
	key, err := gatewayidentity.PrivateKeyFromPEM(pair.Key)
	if err != nil {
		return err
	}
	sign, err := gatewayidentity.NewPrivateKeySign(key)
	if err != nil {
		return err
	}
	id, err := gatewayidentity.NewX509Identity(c.MSPID, certificate)
	if err != nil {
		return err
	}
	connection, err := lifecycle.Dial(c.Peer)
	if err != nil {
		return err
	}
	defer connection.Close()
	gateway, err := client.Connect(id, client.WithSign(sign), client.WithHash(hash.SHA256), client.WithClientConnection(connection))
	if err != nil {
		return err
	}
	defer gateway.Close()
	contract := gateway.GetNetwork(c.Channel).GetContract(c.Chaincode)
	_, err = contract.SubmitWithContext(ctx, "note")
	if err != nil {
		return fmt.Errorf("%s: %w", c.Organisation, err)
	}
	return nil
}

// heights waits until all nodes with blocks have the same number, at least
// some, and says how many.
func heights(t *testing.T, n *Network, some uint64) uint64 {
	t.Helper()
	var last string
	// An orderer that is one block behind looks for it after ten ticks of a second, and
	// once more where the first it asks does not answer; see docs/decisions/0005.
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		common, same := commonHeight(n.Status(t.Context()), &last)
		if same && common >= some {
			return common
		}
	}
	t.Fatalf("the nodes do not come to the same %d blocks: %s", some, last)
	return 0
}

func commonHeight(states []NodeStatus, said *string) (common uint64, same bool) {
	same = true
	*said = ""
	for _, s := range states {
		if s.Role != topology.Peer && s.Role != topology.Orderer {
			continue
		}
		if s.Height == nil {
			*said += fmt.Sprintf("%s %s; ", s.Node, s.Fault)
			same = false
			continue
		}
		*said += fmt.Sprintf("%s %d; ", s.Node, *s.Height)
		if common != 0 && common != *s.Height {
			same = false
		}
		common = *s.Height
	}
	return common, same
}

func needsNetwork(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it starts real peers and orderers")
	}
	if _, err := program.FindSource(); err != nil {
		t.Skip(err)
	}
}

// The default network, and beside it a second one in another folder.
func TestDefaultBesideSmall(t *testing.T) {
	needsNetwork(t)
	n := create(t, topology.Default())
	up(t, n)
	heights(t, n, 3)
	everythingRuns(t, n)
	memory(t, n)

	second := create(t, topology.Small())
	ports := map[int]string{}
	for _, node := range append(n.Topology().Nodes(), second.Topology().Nodes()...) {
		for _, port := range node.Ports.List() {
			if ports[port] != "" {
				t.Errorf("%d is given to %s and %s", port, ports[port], node.Name)
			}
			ports[port] = node.Name
		}
	}
	up(t, second)
	heights(t, second, 3)
}

func everythingRuns(t *testing.T, n *Network) {
	t.Helper()
	for _, s := range n.Status(t.Context()) {
		if !s.Running || s.PID == 0 || s.Fault != "" || s.Expires == nil || time.Until(*s.Expires) < 365*24*time.Hour {
			t.Errorf("the state is %+v", s)
		}
	}
}

// memoryMax is what the whole idle network may take, in MB.
const memoryMax = 900

func memory(t *testing.T, n *Network) {
	t.Helper()
	total := 0
	for _, pid := range running(n) {
		file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			t.Log("this system does not tell the memory of a process")
			return
		}
		for lines := bufio.NewScanner(file); lines.Scan(); {
			if value, found := strings.CutPrefix(lines.Text(), "VmRSS:"); found {
				kilobytes, err := strconv.Atoi(strings.Fields(value)[0])
				if err != nil {
					t.Fatal(err)
				}
				total += kilobytes
			}
		}
		_ = file.Close()
	}
	t.Logf("%d processes take %d MB", len(running(n)), total/1024)
	if total/1024 > memoryMax {
		t.Errorf("more than %d MB", memoryMax)
	}
}

func raft() topology.Topology {
	described := topology.Default()
	described.Consensus = topology.Raft
	return described
}

// What is killed is started again by the next up, and no block is lost; what
// is stopped keeps its data.
func TestResume(t *testing.T) {
	needsNetwork(t)
	for _, c := range []struct {
		name string
		t    topology.Topology
	}{{"bft", topology.Default()}, {"raft", raft()}} {
		t.Run(c.name, func(t *testing.T) {
			n := create(t, c.t)
			up(t, n)
			before := heights(t, n, 3)
			for _, name := range []string{"peer.coop", "orderer.charity", "chaincode.bank"} {
				killed := running(n)[name]
				if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
				waitGone(t, killed)
			}
			up(t, n)
			everythingRuns(t, n)
			resumed := heights(t, n, before+1)

			pids := running(n)
			if err := n.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			for name, pid := range pids {
				if process.IsRunning(pid) {
					t.Errorf("%s goes on after stop", name)
				}
			}
			reopened, err := Open(n.Folder())
			if err != nil {
				t.Fatal(err)
			}
			up(t, reopened)
			heights(t, reopened, resumed+1)
		})
	}
}

func waitGone(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); process.IsRunning(pid); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d does not end", pid)
		}
	}
}

// A kill -9 of everything at different moments of the way up, and then up again.
func TestCrashOnTheWayUp(t *testing.T) {
	needsNetwork(t)
	n := create(t, topology.Small())
	for _, after := range []string{"identities", "network", "chaincode", "gateways"} {
		o := options()
		o.Committed = nil
		err := n.Up(t.Context(), o, func(s Step) {
			if s.Done && s.Name == after {
				for _, pid := range running(n) {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		})
		t.Logf("killed after %s: %v", after, firstLine(err))
	}
	up(t, n)
	heights(t, n, 3)
	everythingRuns(t, n)
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(fmt.Sprint(err), "\n")
	return line
}

// A node that ends is started again, and a stop from elsewhere is respected.
func TestSuperviseAndReset(t *testing.T) {
	needsNetwork(t)
	n := create(t, topology.Small())
	up(t, n)
	ended := make(chan error, 1)
	again := make(chan string, 10)
	go func() {
		ended <- n.Supervise(t.Context(), false, func(node string, _ error) { again <- node })
	}()
	killed := running(n)["peer.bank"]
	if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if node := <-again; node != "peer.bank" {
		t.Errorf("%s is started again", node)
	}
	heights(t, n, 3)
	elsewhere, err := Open(n.Folder())
	if err != nil {
		t.Fatal(err)
	}
	if err := elsewhere.Supervise(t.Context(), false, func(string, error) {}); !errors.Is(err, ErrBusy) {
		t.Errorf("a second supervisor says %v", err)
	}
	if err := elsewhere.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, process.ErrStopped) {
		t.Errorf("it ends with %v", err)
	}
	reset(t, n)
}

// reset begins an empty ledger with the same ports.
func reset(t *testing.T, n *Network) {
	t.Helper()
	if err := n.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	reopened, err := Open(n.Folder())
	if err != nil || !n.Topology().Fits(reopened.Topology()) {
		t.Fatalf("the topology changed (%v)", err)
	}
	for _, s := range reopened.Status(t.Context()) {
		if s.Running || s.Expires != nil {
			t.Errorf("after a reset: %+v", s)
		}
	}
}

func TestCreateAndOpen(t *testing.T) {
	n := create(t, topology.Small())
	again, err := Create(n.Folder(), topology.Small())
	if err != nil || !n.Topology().Fits(again.Topology()) {
		t.Errorf("the same topology again: %v", err)
	}
	if _, err := Create(n.Folder(), topology.Default()); !errors.Is(err, ErrOtherTopology) {
		t.Errorf("another topology: %v", err)
	}
	if _, err := Open(t.TempDir()); !errors.Is(err, ErrNoNetwork) {
		t.Errorf("an empty folder: %v", err)
	}
	for _, s := range n.Status(t.Context()) {
		if s.Running || s.Fault != "it has no certificates yet" {
			t.Errorf("before the first up: %+v", s)
		}
	}
}

func TestConnect(t *testing.T) {
	n := create(t, topology.Small())
	c, err := n.Connect("bank")
	if err != nil {
		t.Fatal(err)
	}
	if c.MSPID != "BankMSP" || c.Channel != "lianbao" || c.Chaincode != "lianbao" || c.Peer.HostOverride != "peer.bank.lianbao.example" || c.URL == "" || c.Token == "" {
		t.Errorf("the connection is %+v", c)
	}
	if _, err := n.Connect("bnak"); err == nil || err.Error() != `there is no organisation "bnak"; choose one of charity, coop, bank, insurer, regulator` {
		t.Errorf("it says %v", err)
	}
	if _, err := n.LogPath("peer.bnak"); err == nil || !strings.HasPrefix(err.Error(), `there is no node "peer.bnak"; choose one of peer.charity, chaincode.charity`) {
		t.Errorf("it says %v", err)
	}
}

// A port of the network that another program has taken meanwhile is named.
func TestPortTaken(t *testing.T) {
	n := create(t, topology.Small())
	o, _ := n.Topology().Organisation("bank")
	node, _ := o.Node(topology.Peer)
	listener, err := net.Listen("tcp", node.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	b := &boot{Network: n}
	want := fmt.Sprintf("port %d of peer.bank is used by another program", node.Port)
	if err := b.freePorts(topology.Peer); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("it says %v", err)
	}
	for _, f := range Doctor(t.Context(), n.Folder()) {
		if f.Name == "ports" && (f.Sound || !strings.Contains(f.Detail, "(peer.bank)")) {
			t.Errorf("the doctor says %+v", f)
		}
	}
	named := topology.Small()
	named.Organisations[0].Nodes[0].Port = node.Port
	if _, err := Create(filepath.Join(t.TempDir(), "other"), named); err == nil || !strings.Contains(err.Error(), "ports that the topology names are used") {
		t.Errorf("a named port that is taken: %v", err)
	}
}

// Two networks of one user never get the same ports, even while both are stopped.
func TestStoppedNetworksKeepTheirPorts(t *testing.T) {
	first, second := create(t, topology.Small()), create(t, topology.Small())
	taken := map[int]bool{}
	for _, n := range []*Network{first, second} {
		for _, node := range n.Topology().Nodes() {
			for _, port := range node.Ports.List() {
				if taken[port] {
					t.Errorf("%d is given twice", port)
				}
				taken[port] = true
			}
		}
	}
}

func TestDoctorHasMendsForWhatIsIll(t *testing.T) {
	for _, f := range Doctor(t.Context(), filepath.Join(t.TempDir(), "not", "there", "yet")) {
		if f.Name == "" || f.Detail == "" || f.Sound == (f.Mend != "") {
			t.Errorf("a finding is %+v", f)
		}
	}
}
