package replay

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"google.golang.org/protobuf/proto"
)

// Proposal is what a client asks of the contracts.
type Proposal struct {
	Channel       string
	TransactionID string
	// Creator is the client's serialized identity, a msp.SerializedIdentity.
	Creator   []byte
	Nonce     []byte
	Timestamp time.Time
	// Arguments begin with the name of the function.
	Arguments [][]byte
	// Transient never reaches a block, so an audit has none.
	Transient map[string][]byte
}

// TransactionID is the only id that a peer accepts for a creator and a nonce.
func TransactionID(nonce, creator []byte) string {
	digest := sha256.New()
	digest.Write(nonce)
	digest.Write(creator)
	return hex.EncodeToString(digest.Sum(nil))
}

// Serialize writes an identity, its MSP and its certificate in PEM, as it
// stands in headers and endorsements.
func Serialize(mspID string, certificate []byte) []byte {
	data, err := marshal(&msp.SerializedIdentity{Mspid: mspID, IdBytes: certificate})
	if err != nil {
		return nil // an MSP id that is not UTF-8; nobody can have such an identity
	}
	return data
}

// MSPOf returns the MSP of a serialized identity; empty when it is none.
func MSPOf(identity []byte) string {
	message := &msp.SerializedIdentity{}
	if err := proto.Unmarshal(identity, message); err != nil {
		return ""
	}
	return message.Mspid
}

// View is what one peer may see and which collections exist there. The zero
// View knows no collection.
type View struct {
	// MSP is the organisation of the peer; empty sees every collection's values
	// that the state holds.
	MSP         string
	Collections []CollectionRule
}

// CollectionRule is the part of a collection's definition that decides about a
// transaction.
type CollectionRule struct {
	Name    string
	Members []string // MSP ids
	// MemberOnlyRead and MemberOnlyWrite refuse clients of other organisations.
	MemberOnlyRead  bool
	MemberOnlyWrite bool
	// Policy is the collection's own endorsement policy, a marshalled
	// SignaturePolicyEnvelope; empty when the chaincode's policy governs it.
	Policy []byte
}

// Has says whether an organisation is a member of the collection.
func (c CollectionRule) Has(mspID string) bool {
	for _, member := range c.Members {
		if member == mspID {
			return true
		}
	}
	return false
}

func (v View) collection(name string) (CollectionRule, bool) {
	for _, collection := range v.Collections {
		if collection.Name == name {
			return collection, true
		}
	}
	return CollectionRule{}, false
}
