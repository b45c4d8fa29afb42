package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/network/lock"
	"github.com/lianbao/lianbao/network/program"
	"github.com/lianbao/lianbao/network/topology"
)

// Options say how a network is started.
type Options struct {
	// Detach lets the processes go on when this program ends. Otherwise they
	// end with it.
	Detach bool
	// Programs says where programs come from; the zero value finds or builds them.
	Programs program.Request
	// Deployed is called when the chaincode can be used and before the gateways
	// start; may be nil. It must be repeatable.
	Deployed func(context.Context, []Connection) error
	// Committed is called at the end and returns when every organisation has
	// committed a transaction; may be nil. It must be repeatable.
	Committed func(context.Context, []Connection) error
}

// Step is one line of the way up. Steps that are not done yet are reported
// again as they go on.
type Step struct {
	Name    string        `json:"name"`
	Detail  string        `json:"detail"`
	Done    bool          `json:"done"`
	Elapsed time.Duration `json:"elapsed"`
}

// bootTime bounds everything after the programs are there.
const bootTime = 3 * time.Minute

// ErrBusy says that another program is at work on the same network.
var ErrBusy = errors.New("another lianbao is starting or looking after this network; see lianbao status")

// Up starts what does not run and does what was not done, and returns when the
// network is of use. It can be repeated after a crash at any point. When it
// fails, it ends the processes that it started.
func (n *Network) Up(ctx context.Context, o Options, report func(Step)) error {
	held, free, err := lock.Try(filepath.Join(n.site.Folder, "lock"))
	if err != nil {
		return err
	}
	if !free {
		return ErrBusy
	}
	defer held.Release()
	if err := n.table.Prepare(); err != nil {
		return err
	}
	b := &boot{Network: n, options: o, report: report}
	if err := b.run(ctx); err != nil {
		return errors.Join(err, n.table.Stop(context.WithoutCancel(ctx), b.started...))
	}
	return nil
}

// boot is one run of Up.
type boot struct {
	*Network
	options Options
	report  func(Step)

	mu sync.Mutex
	// watched are the nodes that must run from now on, started those of them
	// that this run has started.
	watched, started []string
}

func (b *boot) run(ctx context.Context) error {
	if err := b.step("tools", func(tell func(string)) (string, error) { return b.tools(ctx, tell) }); err != nil {
		return err
	}
	if err := b.step("identities", func(func(string)) (string, error) { return b.identities() }); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, bootTime)
	defer cancel()
	guarded, end := context.WithCancelCause(ctx)
	defer end(nil)
	go b.guard(guarded, end)
	err := b.boot(guarded)
	// What ended a node says more than the canceled call that noticed it.
	if cause := context.Cause(guarded); err != nil && cause != nil && !errors.Is(cause, context.Canceled) {
		return errors.Join(cause, err)
	}
	return err
}

func (b *boot) boot(ctx context.Context) error {
	if err := b.table.MarkStarted(); err != nil {
		return err
	}
	steps := []struct {
		name string
		do   func(context.Context) (string, error)
	}{
		{"network", b.network},
		{"chaincode", b.chaincode},
		{"", b.deployed},
		{"gateways", b.gateways},
		{"committed", b.committed},
	}
	for _, s := range steps {
		if err := b.step(s.name, func(func(string)) (string, error) { return s.do(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

// step reports the beginning, the progress and the end of some work. Work
// without a detail is not worth a line.
func (b *boot) step(name string, do func(tell func(string)) (string, error)) error {
	begun := time.Now()
	tell := func(detail string) {
		b.report(Step{Name: name, Detail: detail, Elapsed: time.Since(begun)})
	}
	detail, err := do(tell)
	if err != nil {
		if name == "" {
			return err
		}
		return fmt.Errorf("%s: %w", name, err)
	}
	if detail != "" {
		b.report(Step{Name: name, Detail: detail, Done: true, Elapsed: time.Since(begun)})
	}
	return nil
}

func (b *boot) tools(ctx context.Context, tell func(string)) (string, error) {
	request := b.options.Programs
	built := false
	request.Report = func(detail string) { built = true; tell(detail) }
	if len(b.site.Topology.Nodes(topology.Gateway)) == 0 {
		request.WithoutGateway = true
	}
	set, err := b.programs(ctx, request)
	if err != nil {
		return "", err
	}
	b.site.Programs = set
	how := "cached"
	if built {
		how = "built"
	}
	return fmt.Sprintf("peer, orderer %s (%s)", program.FabricRelease, how), nil
}

func (b *boot) identities() (string, error) {
	if err := b.site.CreateIdentities(); err != nil {
		return "", err
	}
	t := b.site.Topology
	return fmt.Sprintf("%d organisations, %d nodes", len(t.Organisations), len(t.Nodes(topology.Peer, topology.Orderer))), nil
}

// network starts peers, orderers and chaincodes at once and joins them to the
// channel.
func (b *boot) network(ctx context.Context) (string, error) {
	genesis, err := b.site.Genesis(ctx)
	if err != nil {
		return "", err
	}
	if err := b.start(ctx, topology.Orderer, topology.Peer, topology.ChaincodeServer); err != nil {
		return "", err
	}
	t := b.site.Topology
	orderers, ordering := errgroup.WithContext(ctx)
	peers, joining := errgroup.WithContext(ctx)
	for _, o := range t.Organisations {
		for _, node := range o.NodesOf(topology.Orderer) {
			orderers.Go(func() error { return b.joinOrderer(ordering, o, node, genesis) })
		}
		if peer, runs := o.Node(topology.Peer); runs {
			peers.Go(func() error {
				if err := listening(joining, peer.Address()); err != nil {
					return fmt.Errorf("%s does not answer: %w", peer.Name, err)
				}
				return b.site.JoinPeer(joining, o, genesis)
			})
		}
	}
	if err := errors.Join(orderers.Wait(), peers.Wait()); err != nil {
		return "", err
	}
	word := map[topology.Consensus]string{topology.BFT: "BFT", topology.Raft: "Raft"}[t.Consensus]
	return fmt.Sprintf("%s, %s", count(len(t.Nodes(topology.Orderer)), word+" orderer"), count(len(t.Nodes(topology.Peer)), "peer")), nil
}

func (b *boot) joinOrderer(ctx context.Context, o topology.Organisation, node topology.Node, genesis *cb.Block) error {
	if err := listening(ctx, node.AdminAddress()); err != nil {
		return fmt.Errorf("%s does not answer: %w", node.Name, err)
	}
	return b.site.JoinOrderer(ctx, o, node, genesis)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func (b *boot) chaincode(ctx context.Context) (string, error) {
	if err := b.site.Deploy(ctx); err != nil {
		return "", err
	}
	t := b.site.Topology
	return fmt.Sprintf("%s %s, approved by %d, policy %d of %d", t.Chaincode.Name, t.Chaincode.Version,
		len(t.Members()), t.EndorsementsMin(), len(t.Endorsers())), nil
}

func (b *boot) deployed(ctx context.Context) (string, error) {
	if b.options.Deployed == nil {
		return "", nil
	}
	connections, err := b.Connections()
	if err != nil {
		return "", err
	}
	return "", b.options.Deployed(ctx, connections)
}

func (b *boot) gateways(ctx context.Context) (string, error) {
	if err := b.start(ctx, topology.Gateway); err != nil {
		return "", err
	}
	ready, waiting := errgroup.WithContext(ctx)
	detail := ""
	for _, o := range b.site.Topology.Organisations {
		node, runs := o.Node(topology.Gateway)
		if !runs {
			continue
		}
		detail += fmt.Sprintf("  %s :%d", o.Name, node.Port)
		ready.Go(func() error {
			if err := answering(waiting, b.site.GatewayURL(o)+"/readyz"); err != nil {
				return fmt.Errorf("%s is not ready: %w", node.Name, err)
			}
			return nil
		})
	}
	if detail == "" {
		return "", nil
	}
	return detail[2:], ready.Wait()
}

func (b *boot) committed(ctx context.Context) (string, error) {
	if b.options.Committed == nil {
		return "", nil
	}
	connections, err := b.Connections()
	if err != nil {
		return "", err
	}
	return "by every organisation", b.options.Committed(ctx, connections)
}

// start runs the nodes of the roles that do not run, all at once.
func (b *boot) start(ctx context.Context, roles ...topology.Role) error {
	commands, err := b.site.Commands(roles...)
	if err != nil {
		return err
	}
	if err := b.freePorts(roles...); err != nil {
		return err
	}
	starts, starting := errgroup.WithContext(ctx)
	for _, c := range commands {
		before, _ := b.table.Find(c.Name)
		starts.Go(func() error {
			now, err := b.table.Ensure(starting, c, !b.options.Detach)
			b.mu.Lock()
			defer b.mu.Unlock()
			b.watched = append(b.watched, c.Name)
			if now.PID != before.PID {
				b.started = append(b.started, c.Name)
			}
			return err
		})
	}
	return starts.Wait()
}

// freePorts finds out before a node starts that another program sits on its port.
func (b *boot) freePorts(roles ...topology.Role) error {
	var errs []error
	for _, node := range b.site.Topology.Nodes(roles...) {
		if b.table.Runs(node.Name) {
			continue
		}
		for _, port := range node.Ports.List() {
			if !isFree(port) {
				errs = append(errs, fmt.Errorf("port %d of %s is used by another program; end that program, or take other ports with lianbao down and up", port, node.Name))
			}
		}
	}
	return errors.Join(errs...)
}

const pollOnBoot = 15 * time.Millisecond

// guard ends the boot when a node that must run has ended.
func (b *boot) guard(ctx context.Context, end context.CancelCauseFunc) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(10 * pollOnBoot):
		}
		b.mu.Lock()
		watched := append([]string(nil), b.watched...)
		b.mu.Unlock()
		for _, name := range watched {
			if err := b.table.Fault(name); err != nil && ctx.Err() == nil {
				end(err)
				return
			}
		}
	}
}

// listening waits until something listens on an address.
func listening(ctx context.Context, address string) error {
	var dialer net.Dialer
	return poll(ctx, func() error {
		connection, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return connection.Close()
	})
}

// answering waits until a page answers 200.
func answering(ctx context.Context, url string) error {
	client := http.Client{Timeout: 2 * time.Second}
	defer client.CloseIdleConnections()
	return poll(ctx, func() error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s", url, response.Status)
		}
		return nil
	})
}

func poll(ctx context.Context, attempt func() error) error {
	for {
		err := attempt()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(pollOnBoot):
		}
	}
}

// Supervise looks after a network that Up has started: a node that ends is
// started again. It ends when the context does, or with process.ErrStopped
// when somebody else stops the network; either way the nodes are left as they
// are, so that the caller decides with Stop.
func (n *Network) Supervise(ctx context.Context, detached bool, report func(node string, fault error)) error {
	held, free, err := lock.Try(filepath.Join(n.site.Folder, "run", "supervisor"))
	if err != nil {
		return err
	}
	if !free {
		return ErrBusy
	}
	defer held.Release()
	roles := []topology.Role{topology.Orderer, topology.Peer, topology.ChaincodeServer, topology.Gateway}
	commands, err := n.site.Commands(roles...)
	if err != nil {
		return err
	}
	return n.table.Supervise(ctx, commands, !detached, report)
}
