package audit

import (
	"strings"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer/lifecycle"
	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/chaincode/replay"
)

// endorsements is the first half of validation, which sees only the state
// before the block: ids that were used, and who endorsed.
func (a *Auditor) endorsements(transactions []replay.Transaction) []peer.TxValidationCode {
	check := &replay.Endorsement{State: a.state, Chaincode: a.policy, View: a.view}
	inBlock := map[string]bool{}
	codes := make([]peer.TxValidationCode, len(transactions))
	for i, t := range transactions {
		codes[i] = t.Code
		switch {
		case t.Malformed != nil || t.Type != common.HeaderType_ENDORSER_TRANSACTION:
			continue
		case a.seen[t.ID]:
			codes[i] = peer.TxValidationCode_DUPLICATE_TXID
			continue
		case t.Chaincode == a.options.Chaincode && a.policy != nil && explained(t.Code):
			code, err := check.Check(t.Results.In(a.options.Chaincode), t.Endorsers)
			if err != nil {
				a.addAt(t, Finding{Check: CheckFlags, What: err.Error()})
			}
			codes[i] = code
		}
		if codes[i] == peer.TxValidationCode_VALID && inBlock[t.ID] {
			codes[i] = peer.TxValidationCode_DUPLICATE_TXID
		}
		inBlock[t.ID] = inBlock[t.ID] || codes[i] == peer.TxValidationCode_VALID
	}
	return codes
}

// explained says whether a code is one that can be derived here. The others
// are for what is no transaction at all, such as a wrong signature of its
// creator: they change nothing, and the report counts them.
func explained(code peer.TxValidationCode) bool {
	switch code {
	case peer.TxValidationCode_VALID, peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE, peer.TxValidationCode_DUPLICATE_TXID,
		peer.TxValidationCode_MVCC_READ_CONFLICT, peer.TxValidationCode_PHANTOM_READ_CONFLICT:
		return true
	}
	return false
}

// flag compares the peers' verdict on a transaction with the auditor's.
func (a *Auditor) flag(block *replay.Block, t replay.Transaction, expected peer.TxValidationCode) {
	if !explained(t.Code) {
		return
	}
	if expected == peer.TxValidationCode_VALID {
		expected = block.Check(t.Results.In(a.options.Chaincode))
	}
	if expected != t.Code {
		a.addAt(t, Finding{Check: CheckFlags, What: "the transaction's verdict", Expected: expected.String(), Found: t.Code.String()})
	}
}

// definition learns the endorsement policy and the collections when a
// definition of the chaincode is committed. It holds from the next block on.
func (a *Auditor) definition(t replay.Transaction) {
	for _, write := range t.Results.In("_lifecycle").Writes {
		field, found := strings.CutPrefix(write.Key, "namespaces/fields/"+a.options.Chaincode+"/")
		if !found {
			continue
		}
		var err error
		switch field {
		case "ValidationInfo":
			var policy *common.SignaturePolicyEnvelope
			if policy, err = policyOf(write.Value); err == nil {
				a.policy = policy
			}
		case "Collections":
			a.options.Collections, err = collectionsOf(write.Value)
		}
		if err != nil {
			a.addAt(t, Finding{Check: CheckFlags, Key: write.Key, What: "the chaincode's definition cannot be read: " + err.Error()})
		}
	}
}

// policyOf reads the policy as a chaincode definition stores it.
func policyOf(stored []byte) (*common.SignaturePolicyEnvelope, error) {
	data, info, policy := &lifecycle.StateData{}, &lifecycle.ChaincodeValidationInfo{}, &peer.ApplicationPolicy{}
	if err := proto.Unmarshal(stored, data); err != nil {
		return nil, err
	}
	if err := proto.Unmarshal(data.GetBytes(), info); err != nil {
		return nil, err
	}
	if err := proto.Unmarshal(info.ValidationParameter, policy); err != nil {
		return nil, err
	}
	if reference := policy.GetChannelConfigPolicyReference(); reference != "" {
		return nil, &unsupported{"it is the channel's policy " + strings.TrimSpace(reference)}
	}
	return policy.GetSignaturePolicy(), nil
}

type unsupported struct{ text string }

func (u *unsupported) Error() string { return u.text }
