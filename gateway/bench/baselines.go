package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/lianbao/lianbao/network/lifecycle"
	"github.com/lianbao/lianbao/network/program"
	"github.com/lianbao/lianbao/network/topology"
)

// baselineName is the chaincode's name on the channel.
const baselineName = "baseline"

func (l *lab) baselines(ctx context.Context) error {
	if l.options.Baseline == 0 && l.options.Shared == 0 {
		return nil
	}
	l.report("baseline chaincode, built and deployed")
	stop, err := l.deploy(ctx)
	defer stop()
	if err != nil {
		return err
	}
	ledger, err := l.dial(baselineName)
	if err != nil {
		return err
	}
	defer ledger.Close()
	if l.options.Baseline > 0 {
		l.report("CreateAsset, %d in flight, %s", l.options.InFlight, l.options.Baseline)
		rate := l.load(ctx, l.options.InFlight, l.options.Baseline, func(ctx context.Context, n int) error {
			return l.submit(ctx, ledger, "CreateAsset",
				fmt.Appendf(nil, `{"AppraisedValue":1300,"Color":"blue","ID":"%s-%d","Owner":"Tomoko","Size":5}`, l.run, n))
		})
		l.result.CreateAsset = &rate
	}
	if l.options.Shared > 0 {
		l.report("a shared total, 16 in flight, %s", l.options.Shared)
		rate := l.load(ctx, 16, l.options.Shared, func(ctx context.Context, _ int) error {
			return l.submit(ctx, ledger, "AddToTotal", []byte("100"))
		})
		l.result.SharedTotal = &rate
	}
	return ctx.Err()
}

// deploy builds the baseline, starts it for every organisation and has it
// approved like the contracts, under their policy. stop ends its processes.
func (l *lab) deploy(ctx context.Context) (stop func(), err error) {
	var processes []*exec.Cmd
	folder, err := os.MkdirTemp("", "lianbao-bench-")
	stop = func() {
		l.baselinePIDs = nil
		for _, p := range processes {
			_ = p.Process.Kill() // it keeps nothing
			_ = p.Wait()
		}
		_ = os.RemoveAll(folder)
	}
	if err != nil {
		return stop, err
	}
	site, err := l.baselineSite(ctx, folder)
	if err != nil {
		return stop, err
	}
	commands, err := site.Commands(topology.ChaincodeServer)
	if err != nil {
		return stop, err
	}
	for _, c := range commands {
		p := exec.Command(c.Path, c.Args...)
		p.Dir, p.Env = folder, append(os.Environ(), c.Environment...)
		p.Stderr = os.Stderr
		if err := p.Start(); err != nil {
			return stop, err
		}
		processes = append(processes, p)
		l.baselinePIDs = append(l.baselinePIDs, p.Process.Pid)
	}
	deploying, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for _, o := range site.Topology.Members() {
		if err := site.JoinPeer(deploying, o, nil); err != nil { // joined it is; this installs the package
			return stop, err
		}
	}
	return stop, site.Deploy(deploying)
}

// baselineSite is the network with the baseline in place of the contracts: the
// same nodes and certificates, other ports for the chaincode.
func (l *lab) baselineSite(ctx context.Context, folder string) (lifecycle.Site, error) {
	source, err := program.FindSource()
	if err != nil {
		return lifecycle.Site{}, fmt.Errorf("the baselines are built from the sources: %w", err)
	}
	path := filepath.Join(folder, "baseline")
	build := exec.CommandContext(ctx, "go", "build", "-o", path, "./gateway/bench/baseline")
	build.Dir = source
	if out, err := build.CombinedOutput(); err != nil {
		return lifecycle.Site{}, fmt.Errorf("building the baseline: %w\n%s", err, out)
	}
	site := siteOf(l.network)
	site.Programs.Chaincode = path
	t := site.Topology
	t.Chaincode.Name, t.Chaincode.Version, t.Chaincode.Sequence = baselineName, "1", 1
	t.Organisations = append([]topology.Organisation(nil), t.Organisations...)
	var failure error
	for i, o := range t.Organisations {
		o.Nodes = append([]topology.Node(nil), o.Nodes...)
		for j := range o.Nodes {
			if o.Nodes[j].Role == topology.ChaincodeServer {
				port, err := freePort()
				failure = errors.Join(failure, err)
				o.Nodes[j].Port = port
			}
		}
		t.Organisations[i] = o
	}
	site.Topology = t
	return site, failure
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
