package audit_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lianbao/lianbao/chaincode/replay"
)

// speaker has a key and an identity of an organisation.
type speaker struct {
	key      *ecdsa.PrivateKey
	identity []byte
}

func (s speaker) sign(t *testing.T, message ...[]byte) []byte {
	digest := sha256.New()
	for _, part := range message {
		digest.Write(part)
	}
	signature, err := ecdsa.SignASN1(rand.Reader, s.key, digest.Sum(nil))
	return must(t, signature, err)
}

// organisation makes an authority of an MSP and one identity of it.
func organisation(t *testing.T, mspID string) (root []byte, one speaker) {
	t.Helper()
	issue := func(number int64, parent *x509.Certificate, by *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(t, key, err)
		template := &x509.Certificate{SerialNumber: big.NewInt(number), Subject: pkix.Name{CommonName: mspID}, NotBefore: time.Unix(0, 0),
			NotAfter: time.Now().Add(time.Hour), IsCA: parent == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
		if parent == nil {
			parent, by = template, key
		}
		data, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
		must(t, data, err)
		certificate, err := x509.ParseCertificate(data)
		return must(t, certificate, err), key
	}
	spelled := func(c *x509.Certificate) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	ca, caKey := issue(1, nil, nil)
	leaf, key := issue(2, ca, caKey)
	return spelled(ca), speaker{key, replay.Serialize(mspID, spelled(leaf))}
}

// genesis is a block that names one member.
func genesis(mspID string, root []byte) *common.Block {
	group := &common.ConfigGroup{Values: map[string]*common.ConfigValue{"MSP": {Value: encoded(&msp.MSPConfig{
		Config: encoded(&msp.FabricMSPConfig{Name: mspID, RootCerts: [][]byte{root}})})}}}
	config := &common.ConfigEnvelope{Config: &common.Config{ChannelGroup: &common.ConfigGroup{Groups: map[string]*common.ConfigGroup{
		"Application": {Groups: map[string]*common.ConfigGroup{"one": group}}}}}}
	return blockOf(0, encoded(&common.Envelope{Payload: encoded(&common.Payload{Header: &common.Header{
		ChannelHeader: encoded(&common.ChannelHeader{Type: int32(common.HeaderType_CONFIG)})}, Data: encoded(config)})}))
}

func blockOf(number uint64, transaction []byte) *common.Block {
	block := &common.Block{Header: &common.BlockHeader{Number: number}, Data: &common.BlockData{Data: [][]byte{transaction}},
		Metadata: &common.BlockMetadata{Metadata: [][]byte{nil, nil, {0}, nil}}}
	rehash(block)
	return block
}

// TestSignatures makes a transaction of another chaincode, about which only its
// signatures can be said. The last column is what the audit prints.
func TestSignatures(t *testing.T) {
	root, honest := organisation(t, "one")
	_, stranger := organisation(t, "two")
	_, impostor := organisation(t, "one")
	same := func(data []byte) []byte { return data }
	for _, test := range []struct {
		name              string
		carrier, endorser speaker
		change            func(payload []byte) []byte
		hash              func(hash []byte) []byte
		prints            string
	}{
		{"as it should be", honest, honest, same, same, ""},
		{"a carrier of another channel", stranger, honest, same, same, `signatures: block 1, transaction #, who carried it: "two" is no member of the channel`},
		{"an endorser whom no authority knows", honest, impostor, same, same, "signatures: block 1, transaction #, endorser 1 of 1: an identity of one: x509: certificate signed by unknown authority"},
		{"an endorsement of something else", honest, honest, func(p []byte) []byte { return append(p, 0x10, 0) }, same,
			"signatures: block 1, transaction #, endorser 1 of 1: the signature is not one of one over this"},
		{"an answer to another proposal", honest, honest, same, func([]byte) []byte { return []byte("another") }, "signatures: block 1, transaction #, the endorsers answered another proposal"},
	} {
		t.Run(test.name, func(t *testing.T) {
			nonce := []byte("nonce")
			header := &common.Header{SignatureHeader: encoded(&common.SignatureHeader{Creator: test.carrier.identity, Nonce: nonce}),
				ChannelHeader: encoded(&common.ChannelHeader{Type: int32(common.HeaderType_ENDORSER_TRANSACTION), Timestamp: timestamppb.Now(),
					TxId: replay.TransactionID(nonce, test.carrier.identity)})}
			proposal := encoded(&peer.ChaincodeProposalPayload{Input: encoded(&peer.ChaincodeInvocationSpec{})})
			asked := sha256.New()
			asked.Write(header.ChannelHeader)
			asked.Write(header.SignatureHeader)
			asked.Write(proposal)
			answer := encoded(&peer.ProposalResponsePayload{ProposalHash: test.hash(asked.Sum(nil)), Extension: encoded(&peer.ChaincodeAction{
				ChaincodeId: &peer.ChaincodeID{Name: "another"}, Results: encoded(&rwset.TxReadWriteSet{})})})
			action := encoded(&peer.ChaincodeActionPayload{ChaincodeProposalPayload: proposal, Action: &peer.ChaincodeEndorsedAction{
				ProposalResponsePayload: answer, Endorsements: []*peer.Endorsement{{Endorser: test.endorser.identity,
					Signature: test.endorser.sign(t, test.change(append([]byte{}, answer...)), test.endorser.identity)}}}})
			payload := encoded(&common.Payload{Header: header, Data: encoded(&peer.Transaction{Actions: []*peer.TransactionAction{{Payload: action}}})})
			blocks := linked([]*common.Block{genesis("one", root), blockOf(1, encoded(&common.Envelope{Payload: payload, Signature: test.carrier.sign(t, payload)}))})
			a := newAuditor()
			for _, block := range blocks {
				must(t, 0, a.Block(block))
			}
			report := a.Close()
			if test.prints != "" {
				finds(t, report, test.prints)
			} else if report.Differences != 0 || report.Signatures != 2 {
				t.Errorf("%d signatures, %v", report.Signatures, report.Findings)
			}
		})
	}
}
