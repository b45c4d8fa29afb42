package founding

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/identity"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	gatewaypb "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/network"
	"github.com/lianbao/lianbao/network/topology"
)

// TestOwnerMustEndorseOnARealNetwork writes the head of an account behind the
// back of the contracts: a transaction made by hand, with nothing in it but
// that one write, endorsed with the very keys of some organisations' peers. It
// must be valid exactly where the head's own policy says so.
func TestOwnerMustEndorseOnARealNetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a network")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	folder := t.TempDir()
	n, err := network.Create(folder, topology.Default())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Down(context.Background()) })
	var all []network.Connection
	options := network.Options{Deployed: func(ctx context.Context, c []network.Connection) (err error) {
		all = c
		_, err = Found(ctx, folder, n.Topology(), c)
		return err
	}, Committed: Joined}
	if err := n.Up(ctx, options, func(network.Step) {}); err != nil {
		t.Fatal(err)
	}
	charity, err := speak(all[0], all[0].Gateway, all)
	if err != nil {
		t.Fatal(err)
	}
	defer charity.close()
	const account = tape.AccountID("charity:sunrise:books")
	open := tape.Open{Account: account, Attribution: tape.FIFO, Currency: "CNY", Custodian: "outside:bank:sunrise", ID: "open"}
	if err := charity.do(ctx, "Tape:Open", open); err != nil {
		t.Fatal(err)
	}
	f := forger{t: t, folder: folder, as: all[0], key: tape.HeadKey(account)}
	for _, c := range []struct {
		endorsers []string
		want      peer.TxValidationCode
	}{
		{[]string{"charity"}, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE},
		{[]string{"charity", "coop"}, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE},
		{[]string{"coop", "bank", "insurer"}, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE},
		{[]string{"charity", "coop", "bank"}, peer.TxValidationCode_VALID},
		{[]string{"coop", "bank", "insurer", "regulator"}, peer.TxValidationCode_VALID},
	} {
		if got := f.write(ctx, []byte(`{"forged":true}`), c.endorsers...); got != c.want {
			t.Errorf("endorsed by %v: %s, want %s", c.endorsers, got, c.want)
		}
	}
}

// forger makes transactions by hand.
type forger struct {
	t      *testing.T
	folder string
	as     network.Connection
	key    string
}

func (f forger) bytes(message proto.Message) []byte {
	f.t.Helper()
	data, err := proto.Marshal(message)
	if err != nil {
		f.t.Fatal(err)
	}
	return data
}

func (f forger) read(path string) []byte {
	f.t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		f.t.Fatal(err)
	}
	return data
}

// signer is an identity that signs as Fabric does.
func (f forger) signer(mspID string, certificate, key []byte) ([]byte, func([]byte) []byte) {
	f.t.Helper()
	private, err := identity.PrivateKeyFromPEM(key)
	if err != nil {
		f.t.Fatal(err)
	}
	sign, err := identity.NewPrivateKeySign(private)
	if err != nil {
		f.t.Fatal(err)
	}
	serialized := f.bytes(&msp.SerializedIdentity{Mspid: mspID, IdBytes: certificate})
	return serialized, func(message []byte) []byte {
		digest := sha256.Sum256(message)
		signature, err := sign(digest[:])
		if err != nil {
			f.t.Fatal(err)
		}
		return signature
	}
}

// peer is the signer of an organisation's own peer.
func (f forger) peer(organisation string) ([]byte, func([]byte) []byte) {
	f.t.Helper()
	at := filepath.Join(f.folder, "organisations", organisation, "identity", "nodes", "peer."+organisation, "msp")
	certificates, _ := filepath.Glob(filepath.Join(at, "signcerts", "*"))
	keys, _ := filepath.Glob(filepath.Join(at, "keystore", "*"))
	if len(certificates) != 1 || len(keys) != 1 {
		f.t.Fatalf("%s holds %v and %v", at, certificates, keys)
	}
	mspIDs := map[string]string{"charity": "CharityMSP", "coop": "CoopMSP", "bank": "BankMSP", "insurer": "InsurerMSP", "regulator": "RegulatorMSP"}
	return f.signer(mspIDs[organisation], f.read(certificates[0]), f.read(keys[0]))
}

// write submits a transaction whose only write is the key, and returns what
// the peers say of it.
func (f forger) write(ctx context.Context, value []byte, endorsers ...string) peer.TxValidationCode {
	f.t.Helper()
	creator, sign := f.signer(f.as.MSPID, f.read(f.as.Gateway.Certificate), f.read(f.as.Gateway.Key))
	nonce := make([]byte, 24)
	if _, err := rand.Read(nonce); err != nil {
		f.t.Fatal(err)
	}
	digest := sha256.Sum256(append(append([]byte(nil), nonce...), creator...))
	transaction := hex.EncodeToString(digest[:])
	chaincode := &peer.ChaincodeID{Name: f.as.Chaincode, Version: "1"}
	channelHeader := f.bytes(&common.ChannelHeader{Type: int32(common.HeaderType_ENDORSER_TRANSACTION), TxId: transaction, ChannelId: f.as.Channel,
		Timestamp: timestamppb.Now(), Extension: f.bytes(&peer.ChaincodeHeaderExtension{ChaincodeId: &peer.ChaincodeID{Name: f.as.Chaincode}})})
	signatureHeader := f.bytes(&common.SignatureHeader{Creator: creator, Nonce: nonce})
	input := f.bytes(&peer.ChaincodeInvocationSpec{ChaincodeSpec: &peer.ChaincodeSpec{ChaincodeId: &peer.ChaincodeID{Name: f.as.Chaincode},
		Input: &peer.ChaincodeInput{Args: [][]byte{[]byte("Tape:Reclaim"), []byte("{}")}}}})
	proposal := f.bytes(&peer.ChaincodeProposalPayload{Input: input})
	writes := f.bytes(&kvrwset.KVRWSet{Writes: []*kvrwset.KVWrite{{Key: f.key, Value: value}}})
	results := f.bytes(&rwset.TxReadWriteSet{DataModel: rwset.TxReadWriteSet_KV, NsRwset: []*rwset.NsReadWriteSet{{Namespace: f.as.Chaincode, Rwset: writes}}})
	proposalHash := sha256.Sum256(append(append(append([]byte(nil), channelHeader...), signatureHeader...), proposal...))
	response := f.bytes(&peer.ProposalResponsePayload{ProposalHash: proposalHash[:], Extension: f.bytes(&peer.ChaincodeAction{
		Results: results, Response: &peer.Response{Status: 200}, ChaincodeId: chaincode})})
	action := &peer.ChaincodeEndorsedAction{ProposalResponsePayload: response}
	for _, organisation := range endorsers {
		endorser, endorse := f.peer(organisation)
		action.Endorsements = append(action.Endorsements, &peer.Endorsement{Endorser: endorser, Signature: endorse(append(append([]byte(nil), response...), endorser...))})
	}
	payload := f.bytes(&common.Payload{Header: &common.Header{ChannelHeader: channelHeader, SignatureHeader: signatureHeader},
		Data: f.bytes(&peer.Transaction{Actions: []*peer.TransactionAction{{Header: signatureHeader,
			Payload: f.bytes(&peer.ChaincodeActionPayload{ChaincodeProposalPayload: proposal, Action: action})}}})})
	return f.submit(ctx, transaction, creator, sign, &common.Envelope{Payload: payload, Signature: sign(payload)})
}

// submit hands an envelope to the orderers through a peer and waits for the block.
func (f forger) submit(ctx context.Context, transaction string, creator []byte, sign func([]byte) []byte, envelope *common.Envelope) peer.TxValidationCode {
	f.t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(f.read(f.as.Peer.TLSRootCert))
	wire, err := grpc.NewClient(f.as.Peer.Address, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: roots, ServerName: f.as.Peer.HostOverride})))
	if err != nil {
		f.t.Fatal(err)
	}
	defer wire.Close()
	gateway := gatewaypb.NewGatewayClient(wire)
	if _, err := gateway.Submit(ctx, &gatewaypb.SubmitRequest{TransactionId: transaction, ChannelId: f.as.Channel, PreparedTransaction: envelope}); err != nil {
		f.t.Fatal(err)
	}
	request := f.bytes(&gatewaypb.CommitStatusRequest{TransactionId: transaction, ChannelId: f.as.Channel, Identity: creator})
	status, err := gateway.CommitStatus(ctx, &gatewaypb.SignedCommitStatusRequest{Request: request, Signature: sign(request)})
	if err != nil {
		f.t.Fatal(err)
	}
	return status.Result
}
