package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"
	"github.com/hyperledger/fabric-admin-sdk/pkg/discovery"
	gatewayclient "github.com/hyperledger/fabric-gateway/pkg/client"
	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/status"

	"github.com/lianbao/lianbao/network/topology"
)

const (
	// attemptTime bounds one attempt, so that one that hangs is repeated.
	attemptTime = 8 * time.Second
	pauseFirst  = 50 * time.Millisecond
	pauseMost   = 500 * time.Millisecond
)

// retry repeats a step until it succeeds or the context ends. Orderers answer
// before they have a leader, and peers before they know of one another.
func retry(ctx context.Context, step func(context.Context) error) error {
	pause := pauseFirst
	for {
		attempt, cancel := context.WithTimeout(ctx, attemptTime)
		err := step(attempt)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(explain(err), ctx.Err())
		case <-time.After(pause):
		}
		pause = min(2*pause, pauseMost)
	}
}

// explain adds what the peers said, which gRPC keeps apart from its message.
func explain(err error) error {
	var said []string
	for _, detail := range status.Convert(rootOf(err)).Details() {
		if d, ok := detail.(*gateway.ErrorDetail); ok {
			said = append(said, fmt.Sprintf("%s (%s): %s", d.GetMspId(), d.GetAddress(), d.GetMessage()))
		}
	}
	if len(said) == 0 {
		return err
	}
	return fmt.Errorf("%w\n  %s", err, strings.Join(said, "\n  "))
}

// rootOf is the error of the gateway inside the wrappings.
func rootOf(err error) error {
	var endorse *gatewayclient.EndorseError
	if errors.As(err, &endorse) {
		return endorse
	}
	var submit *gatewayclient.SubmitError
	if errors.As(err, &submit) {
		return submit
	}
	return err
}

// JoinPeer joins an organisation's peer to the channel and gives it the
// chaincode package.
func (s Site) JoinPeer(ctx context.Context, o topology.Organisation, genesis *cb.Block) error {
	m, err := s.member(o)
	if err != nil {
		return err
	}
	defer m.close()
	if err := retry(ctx, func(ctx context.Context) error { return m.joinChannel(ctx, genesis) }); err != nil {
		return fmt.Errorf("%s joins %s: %w", m.node.Name, s.Topology.Channel, err)
	}
	if !o.Runs(topology.ChaincodeServer) {
		return nil
	}
	p, err := s.pack(o)
	if err != nil {
		return err
	}
	if err := retry(ctx, func(ctx context.Context) error { return m.install(ctx, p) }); err != nil {
		return fmt.Errorf("%s installs the chaincode: %w", m.node.Name, err)
	}
	return nil
}

// Deploy has every member approve the chaincode definition, commits it, and
// returns when every peer knows that it is committed and who can endorse.
func (s Site) Deploy(ctx context.Context) error {
	members, err := s.members()
	if err != nil {
		return err
	}
	defer func() {
		for _, m := range members {
			m.close()
		}
	}()
	approvals, approving := errgroup.WithContext(ctx)
	for _, m := range members {
		approvals.Go(func() error { return retry(approving, m.approve) })
	}
	if err := approvals.Wait(); err != nil {
		return fmt.Errorf("the chaincode is not approved: %w", err)
	}
	if err := retry(ctx, members[0].commit); err != nil {
		return fmt.Errorf("the chaincode is not committed: %w", err)
	}
	seen, seeing := errgroup.WithContext(ctx)
	for _, m := range members {
		seen.Go(func() error {
			if err := retry(seeing, m.seesCommitted); err != nil {
				return err
			}
			return retry(seeing, m.seesEndorsers)
		})
	}
	return seen.Wait()
}

func (s Site) members() ([]*member, error) {
	var members []*member
	for _, o := range s.Topology.Members() {
		m, err := s.member(o)
		if err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	return members, nil
}

// definition is what the members agree on: name, version, policy and collections. The
// package is each one's own.
func (m *member) definition() (*chaincode.Definition, error) {
	c := m.site.Topology.Chaincode
	policy, err := chaincode.NewApplicationPolicy(m.site.EndorsementRule(), "")
	if err != nil {
		return nil, err
	}
	collections, err := m.site.collections()
	if err != nil {
		return nil, err
	}
	d := &chaincode.Definition{
		ChannelName: m.site.Topology.Channel, Name: c.Name, Version: c.Version, Sequence: c.Sequence,
		ApplicationPolicy: policy, Collections: collections,
	}
	if m.organisation.Runs(topology.ChaincodeServer) {
		p, err := m.site.pack(m.organisation)
		if err != nil {
			return nil, err
		}
		d.PackageID = p.id
	}
	return d, nil
}

// EndorsementRule is the chaincode policy in Fabric's notation.
func (s Site) EndorsementRule() string {
	return rule(s.Topology.EndorsementsMin(), "peer", s.Topology.Endorsers())
}

// approve approves the definition unless the organisation did so with the same package.
func (m *member) approve(ctx context.Context) error {
	d, err := m.definition()
	if err != nil {
		return err
	}
	client := chaincode.NewGateway(m.connection, m.signer)
	approved, err := client.QueryApproved(ctx, d.ChannelName, d.Name, d.Sequence)
	if err == nil && approved.GetSource().GetLocalPackage().GetPackageId() == d.PackageID {
		return nil
	}
	err = client.Approve(ctx, d)
	if err != nil && strings.Contains(explain(err).Error(), "with unchanged content") {
		return nil // an earlier attempt came through though its answer did not
	}
	return err
}

// commit commits the definition unless that was done.
func (m *member) commit(ctx context.Context) error {
	if m.seesCommitted(ctx) == nil {
		return nil
	}
	d, err := m.definition()
	if err != nil {
		return err
	}
	return chaincode.NewGateway(m.connection, m.signer).Commit(ctx, d)
}

// errNotCommitted says that a peer does not know the definition yet.
var errNotCommitted = errors.New("the chaincode definition is not committed")

func (m *member) seesCommitted(ctx context.Context) error {
	c := m.site.Topology.Chaincode
	committed, err := chaincode.NewGateway(m.connection, m.signer).QueryCommittedWithName(ctx, m.site.Topology.Channel, c.Name)
	if err != nil {
		return fmt.Errorf("%s: %w", m.node.Name, err)
	}
	if committed.GetSequence() < c.Sequence {
		return fmt.Errorf("%s: %w", m.node.Name, errNotCommitted)
	}
	return nil
}

// seesEndorsers says whether the peer has learnt of enough endorsing peers that
// have the chaincode. Until then it would refuse transactions. It does not wait
// for all of them: two peers whose first greeting was lost while one of them
// was starting greet again only after five seconds.
func (m *member) seesEndorsers(ctx context.Context) error {
	t := m.site.Topology
	query := &peer.ChaincodeInterest{Chaincodes: []*peer.ChaincodeCall{{Name: t.Chaincode.Name}}}
	found, err := discovery.NewPeer(m.connection, m.signer).PeerMembershipQuery(ctx, t.Channel, query)
	if err != nil {
		return fmt.Errorf("%s: %w", m.node.Name, err)
	}
	seen := 0
	for _, o := range t.Endorsers() {
		if len(found.GetPeersByOrg()[o.MSPID].GetPeers()) > 0 {
			seen++
		}
	}
	if seen < t.EndorsementsMin() {
		return fmt.Errorf("%s sees %d endorsing peers; it needs %d", m.node.Name, seen, t.EndorsementsMin())
	}
	return nil
}
