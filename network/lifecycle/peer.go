package lifecycle

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"
	"github.com/hyperledger/fabric-admin-sdk/pkg/channel"
	adminidentity "github.com/hyperledger/fabric-admin-sdk/pkg/identity"
	gatewayidentity "github.com/hyperledger/fabric-gateway/pkg/identity"
	cb "github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"

	"github.com/lianbao/lianbao/network/identity"
	"github.com/lianbao/lianbao/network/topology"
)

// member is an organisation's administrator at its peer.
type member struct {
	site         Site
	organisation topology.Organisation
	node         topology.Node
	connection   *grpc.ClientConn
	signer       adminidentity.SigningIdentity
}

func (s Site) member(o topology.Organisation) (*member, error) {
	endpoint, err := s.PeerEndpoint(o)
	if err != nil {
		return nil, err
	}
	node, _ := o.Node(topology.Peer)
	signer, err := newSigner(o.MSPID, s.Identity(o.Name).Speaker(identity.Admin))
	if err != nil {
		return nil, err
	}
	connection, err := Dial(endpoint)
	if err != nil {
		return nil, err
	}
	return &member{site: s, organisation: o, node: node, connection: connection, signer: signer}, nil
}

func (m *member) close() { _ = m.connection.Close() }

// Dial opens a connection to a peer that tries again soon while the peer starts.
func Dial(endpoint PeerEndpoint) (*grpc.ClientConn, error) {
	root, err := os.ReadFile(endpoint.TLSRootCert)
	if err != nil {
		return nil, err
	}
	certificate, err := identity.Parse(root)
	if err != nil {
		return nil, err
	}
	transport := credentials.NewClientTLSFromCert(identity.Pool(certificate), endpoint.HostOverride)
	soon := backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.5, MaxDelay: time.Second}
	return grpc.NewClient("passthrough:///"+endpoint.Address,
		grpc.WithTransportCredentials(transport),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: soon, MinConnectTimeout: 5 * time.Second}))
}

func newSigner(mspID string, files identity.Files) (adminidentity.SigningIdentity, error) {
	pair, err := files.Read()
	if err != nil {
		return nil, err
	}
	certificate, err := identity.Parse(pair.Certificate)
	if err != nil {
		return nil, err
	}
	key, err := gatewayidentity.PrivateKeyFromPEM(pair.Key)
	if err != nil {
		return nil, err
	}
	return adminidentity.NewPrivateKeySigningIdentity(mspID, certificate, key)
}

// joinChannel joins the peer; it is content when the peer did so before.
func (m *member) joinChannel(ctx context.Context, genesis *cb.Block) error {
	joined, err := channel.ListChannelOnPeer(ctx, m.connection, m.signer)
	if err != nil {
		return err
	}
	for _, c := range joined {
		if c.GetChannelId() == m.site.Topology.Channel {
			return nil
		}
	}
	return channel.JoinChannel(ctx, m.connection, m.signer, genesis)
}

// install gives the peer its organisation's package.
func (m *member) install(ctx context.Context, p pack) error {
	peer := chaincode.NewPeer(m.connection, m.signer)
	installed, err := peer.QueryInstalled(ctx)
	if err != nil {
		return err
	}
	for _, c := range installed.GetInstalledChaincodes() {
		if c.GetPackageId() == p.id {
			return nil
		}
	}
	_, err = peer.Install(ctx, bytes.NewReader(p.bytes))
	if err != nil && strings.Contains(err.Error(), "already successfully installed") {
		return nil
	}
	return err
}

// height is how many blocks the peer has committed.
func (m *member) height(ctx context.Context) (uint64, error) {
	info, err := channel.GetBlockChainInfo(ctx, m.connection, m.signer, m.site.Topology.Channel)
	return info.GetHeight(), err
}

// PeerHeight is how many blocks an organisation's peer has committed.
func (s Site) PeerHeight(ctx context.Context, o topology.Organisation) (uint64, error) {
	m, err := s.member(o)
	if err != nil {
		return 0, err
	}
	defer m.close()
	height, err := m.height(ctx)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", m.node.Name, err)
	}
	return height, nil
}
