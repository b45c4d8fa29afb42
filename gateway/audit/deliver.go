package audit

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/orderer"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lianbao/lianbao/chaincode/replay"
	"github.com/lianbao/lianbao/gateway/fabric"
)

// Blocks hands whole blocks of a peer, from a number up to and without another
// one, to each. It asks the peer's own service and takes no way that a gateway takes.
func Blocks(ctx context.Context, c fabric.Connection, from, to uint64, each func(*common.Block) error) error {
	if from >= to {
		return nil
	}
	wire, err := dialPeer(c)
	if err != nil {
		return err
	}
	defer wire.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := peer.NewDeliverClient(wire).Deliver(ctx)
	if err != nil {
		return err
	}
	request, err := seek(c, from, to-1)
	if err != nil {
		return err
	}
	if err := stream.Send(request); err != nil {
		return err
	}
	for next := from; next < to; next++ {
		response, err := stream.Recv()
		if err != nil {
			return fmt.Errorf("block %d of peer %s: %w", next, c.Address, err)
		}
		block := response.GetBlock()
		if block == nil {
			return fmt.Errorf("block %d of peer %s: it answers %s", next, c.Address, response.GetStatus())
		}
		if err := each(block); err != nil {
			return err
		}
	}
	return nil
}

func dialPeer(c fabric.Connection) (*grpc.ClientConn, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(c.RootCertificate) {
		return nil, errors.New("the peer's TLS root certificate is not a certificate in PEM")
	}
	wire, err := grpc.NewClient(c.Address, grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(roots, c.HostOverride)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(100<<20)))
	if err != nil {
		return nil, fmt.Errorf("peer %s: %w", c.Address, err)
	}
	return wire, nil
}

// seek is the signed request for blocks from first to last.
func seek(c fabric.Connection, first, last uint64) (*common.Envelope, error) {
	at := func(number uint64) *orderer.SeekPosition {
		return &orderer.SeekPosition{Type: &orderer.SeekPosition_Specified{Specified: &orderer.SeekSpecified{Number: number}}}
	}
	nonce := make([]byte, 24)
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	creator := replay.Serialize(c.MSP, c.Certificate)
	channel := &common.ChannelHeader{Type: int32(common.HeaderType_DELIVER_SEEK_INFO), ChannelId: c.Channel,
		Timestamp: timestamppb.Now(), TxId: replay.TransactionID(nonce, creator)}
	var failure error
	bytes := func(message proto.Message) []byte {
		data, err := proto.Marshal(message)
		failure = errors.Join(failure, err)
		return data
	}
	payload := bytes(&common.Payload{
		Header: &common.Header{ChannelHeader: bytes(channel), SignatureHeader: bytes(&common.SignatureHeader{Creator: creator, Nonce: nonce})},
		Data:   bytes(&orderer.SeekInfo{Start: at(first), Stop: at(last), Behavior: orderer.SeekInfo_BLOCK_UNTIL_READY}),
	})
	signature, err := sign(c.Key, payload)
	return &common.Envelope{Payload: payload, Signature: signature}, errors.Join(failure, err)
}

// sign makes an ECDSA signature with the smaller s, the only one that Fabric takes.
func sign(keyPEM, message []byte) ([]byte, error) {
	block, _ := pem.Decode(keyPEM)
	if block == nil {
		return nil, errors.New("identity key: not in PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("identity key: %w", err)
	}
	key, is := parsed.(*ecdsa.PrivateKey)
	if !is || key.Curve != elliptic.P256() {
		return nil, errors.New("identity key: not one of ECDSA P-256")
	}
	digest := sha256.Sum256(message)
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		return nil, err
	}
	if order := key.Params().N; s.Cmp(new(big.Int).Rsh(order, 1)) > 0 {
		s.Sub(order, s)
	}
	return asn1.Marshal(struct{ R, S *big.Int }{r, s})
}
