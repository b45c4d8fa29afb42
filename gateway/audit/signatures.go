package audit

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/chaincode/replay"
)

// members are the authorities of the organisations, by MSP, as the channel's
// configuration in the blocks names them.
type members struct {
	authorities map[string]authority
	// keys are identities that were found to be a member's: the same few sign everything.
	keys map[string]*ecdsa.PublicKey
}

type authority struct{ roots, intermediates *x509.CertPool }

// signatures checks who carried and who endorsed the valid transactions of a
// block. A peer that shows a transaction nobody signed is found here.
func (a *Auditor) signatures(block *common.Block, transactions []replay.Transaction) {
	for i, t := range transactions {
		if !t.Valid() {
			continue
		}
		var err error
		switch t.Type {
		case common.HeaderType_CONFIG:
			err = a.members.configure(block.Data.Data[i])
		case common.HeaderType_ENDORSER_TRANSACTION:
			if len(a.members.authorities) == 0 {
				continue // blocks without a configuration name nobody who could have signed
			}
			var checked int
			checked, err = a.members.check(block.Data.Data[i], t.Timestamp)
			a.report.Signatures += checked
		}
		if err != nil {
			a.addAt(t, Finding{Check: CheckSignatures, What: err.Error()})
		}
	}
}

// configure reads the authorities out of a configuration.
func (m *members) configure(data []byte) error {
	envelope, payload, config := &common.Envelope{}, &common.Payload{}, &common.ConfigEnvelope{}
	if err := errors.Join(proto.Unmarshal(data, envelope), proto.Unmarshal(envelope.GetPayload(), payload)); err != nil {
		return err
	}
	if err := proto.Unmarshal(payload.GetData(), config); err != nil {
		return err
	}
	found := map[string]authority{}
	for name, organisation := range config.GetConfig().GetChannelGroup().GetGroups()["Application"].GetGroups() {
		general, own := &msp.MSPConfig{}, &msp.FabricMSPConfig{}
		if err := proto.Unmarshal(organisation.GetValues()["MSP"].GetValue(), general); err != nil {
			return fmt.Errorf("the MSP of %s: %w", name, err)
		}
		if err := proto.Unmarshal(general.GetConfig(), own); err != nil {
			return fmt.Errorf("the MSP of %s: %w", name, err)
		}
		one := authority{x509.NewCertPool(), x509.NewCertPool()}
		for _, root := range own.GetRootCerts() {
			one.roots.AppendCertsFromPEM(root)
		}
		for _, intermediate := range own.GetIntermediateCerts() {
			one.intermediates.AppendCertsFromPEM(intermediate)
		}
		found[own.GetName()] = one
	}
	m.authorities, m.keys = found, map[string]*ecdsa.PublicKey{}
	return nil
}

// key is the key of an identity, if a member's authority vouches for it.
func (m *members) key(identity []byte, at time.Time) (*ecdsa.PublicKey, error) {
	if key, known := m.keys[string(identity)]; known {
		return key, nil
	}
	message := &msp.SerializedIdentity{}
	if err := proto.Unmarshal(identity, message); err != nil {
		return nil, err
	}
	one, known := m.authorities[message.GetMspid()]
	if !known {
		return nil, fmt.Errorf("%q is no member of the channel", message.GetMspid())
	}
	block, _ := pem.Decode(message.GetIdBytes())
	if block == nil {
		return nil, fmt.Errorf("an identity of %s is no certificate", message.GetMspid())
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	if _, err := certificate.Verify(x509.VerifyOptions{Roots: one.roots, Intermediates: one.intermediates, CurrentTime: at,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		return nil, fmt.Errorf("an identity of %s: %w", message.GetMspid(), err)
	}
	key, is := certificate.PublicKey.(*ecdsa.PublicKey)
	if !is {
		return nil, fmt.Errorf("an identity of %s has no key of ECDSA", message.GetMspid())
	}
	m.keys[string(identity)] = key
	return key, nil
}

func (m *members) signed(who string, identity, signature []byte, at time.Time, message ...[]byte) error {
	key, err := m.key(identity, at)
	if err != nil {
		return fmt.Errorf("%s: %w", who, err)
	}
	digest := sha256.New()
	for _, part := range message {
		digest.Write(part)
	}
	if !ecdsa.VerifyASN1(key, digest.Sum(nil), signature) {
		return fmt.Errorf("%s: the signature is not one of %s over this", who, replay.MSPOf(identity))
	}
	return nil
}

// check verifies the carrier's and every endorser's signature, and that the
// endorsers answered exactly this proposal.
func (m *members) check(data []byte, at time.Time) (int, error) {
	envelope, payload, transaction := &common.Envelope{}, &common.Payload{}, &peer.Transaction{}
	signature, action, answer := &common.SignatureHeader{}, &peer.ChaincodeActionPayload{}, &peer.ProposalResponsePayload{}
	// Each was read before, so that none of these can fail.
	_ = proto.Unmarshal(data, envelope)
	_ = proto.Unmarshal(envelope.GetPayload(), payload)
	_ = proto.Unmarshal(payload.GetHeader().GetSignatureHeader(), signature)
	_ = proto.Unmarshal(payload.GetData(), transaction)
	_ = proto.Unmarshal(transaction.GetActions()[0].GetPayload(), action)
	_ = proto.Unmarshal(action.GetAction().GetProposalResponsePayload(), answer)
	if err := m.signed("who carried it", signature.GetCreator(), envelope.GetSignature(), at, envelope.GetPayload()); err != nil {
		return 0, err
	}
	asked := sha256.New()
	asked.Write(payload.GetHeader().GetChannelHeader())
	asked.Write(payload.GetHeader().GetSignatureHeader())
	asked.Write(action.GetChaincodeProposalPayload())
	if string(asked.Sum(nil)) != string(answer.GetProposalHash()) {
		return 1, errors.New("the endorsers answered another proposal")
	}
	endorsements := action.GetAction().GetEndorsements()
	for i, e := range endorsements {
		who := fmt.Sprintf("endorser %d of %d", i+1, len(endorsements))
		if err := m.signed(who, e.GetEndorser(), e.GetSignature(), at, action.GetAction().GetProposalResponsePayload(), e.GetEndorser()); err != nil {
			return i + 1, err
		}
	}
	return 1 + len(endorsements), nil
}
