// Package fabric carries commands to the ledger and blocks back. It is the only
// package that knows the Fabric client; everything that Fabric says is
// translated here into a receipt, a refusal of the rules, or one of three
// troubles: nothing happened, it was ordered and counted for nothing, or nobody
// knows yet.
package fabric

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/hash"
	"github.com/hyperledger/fabric-gateway/pkg/identity"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

// Connection says which peer, as whom, and which ledger.
type Connection struct {
	// Organisation is the name on the ledger, MSP its id in Fabric.
	Organisation, MSP  string
	Channel, Chaincode string
	// Address of the organisation's own peer, host:port.
	Address string
	// HostOverride is the name in the peer's certificate where Address has another.
	HostOverride string
	// RootCertificate is the PEM of the authority of the peer's TLS certificate.
	RootCertificate []byte
	// Certificate and Key are the PEM of the identity that signs.
	Certificate, Key []byte
	// Names gives the organisation of each MSP, to name who does not answer.
	Names map[string]string
}

// ArgumentBytesMax is the longest argument of a command. Beyond about 2 MiB of
// envelope the orderers answer as if they were down, and never take it.
const ArgumentBytesMax = 2_000_000

// Deadlines of the steps of a submission. A crashed leader of the orderers
// pauses the chain for about four seconds, a submission can hang for seven.
const (
	endorseTimeout = 15 * time.Second
	submitTimeout  = 15 * time.Second
	commitTimeout  = 20 * time.Second
	queryTimeout   = 10 * time.Second
)

// Ledger is the channel as one organisation sees it, through its own peer.
type Ledger struct {
	connection Connection
	wire       *grpc.ClientConn
	gateway    *client.Gateway
	network    *client.Network
	contract   *client.Contract
}

// Dial prepares the connection. It does not wait for the peer: whoever submits
// while the peer is away is told so, and the connection is made again by itself.
func Dial(c Connection) (*Ledger, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(c.RootCertificate) {
		return nil, errors.New("the peer's TLS root certificate is not a certificate in PEM")
	}
	id, sign, err := c.signer()
	if err != nil {
		return nil, err
	}
	wire, err := grpc.NewClient(c.Address,
		grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(roots, c.HostOverride)),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
			MinConnectTimeout: 2 * time.Second,
		}),
		// Without keepalive a peer whose host vanished would be waited for until the timeout of TCP.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: time.Minute, Timeout: 10 * time.Second}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20), grpc.MaxCallSendMsgSize(16<<20)))
	if err != nil {
		return nil, fmt.Errorf("peer %s: %w", c.Address, err)
	}
	gateway, err := client.Connect(id, client.WithSign(sign), client.WithHash(hash.SHA256), client.WithClientConnection(wire))
	if err != nil {
		return nil, errors.Join(err, wire.Close())
	}
	network := gateway.GetNetwork(c.Channel)
	return &Ledger{connection: c, wire: wire, gateway: gateway, network: network, contract: network.GetContract(c.Chaincode)}, nil
}

// signer reads the identity and refuses a key that is not the certificate's: the
// peer would only say "access denied".
func (c Connection) signer() (*identity.X509Identity, identity.Sign, error) {
	certificate, err := identity.CertificateFromPEM(c.Certificate)
	if err != nil {
		return nil, nil, fmt.Errorf("identity certificate: %w", err)
	}
	block, _ := pem.Decode(c.Key)
	if block == nil {
		return nil, nil, errors.New("identity key: not in PEM")
	}
	key, err := identity.PrivateKeyFromPEM(c.Key)
	if err != nil {
		return nil, nil, fmt.Errorf("identity key: %w", err)
	}
	if mine, ok := key.(*ecdsa.PrivateKey); !ok || !mine.PublicKey.Equal(certificate.PublicKey) {
		return nil, nil, errors.New("identity key: does not belong to the identity's certificate")
	}
	id, err := identity.NewX509Identity(c.MSP, certificate)
	if err != nil {
		return nil, nil, err
	}
	sign, err := identity.NewPrivateKeySign(key)
	return id, sign, err
}

// Close ends the connection.
func (l *Ledger) Close() error { return errors.Join(l.gateway.Close(), l.wire.Close()) }

// deadline bounds one step without lengthening what the caller allows.
func deadline(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, limit)
}
