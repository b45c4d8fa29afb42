package audit

import (
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer/lifecycle"
	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/chaincode/replay"
)

// encodedPolicy is the endorsement policy of an organisation's own collection.
func encodedPolicy(mspID string) []byte {
	policy, err := proto.Marshal(replay.OutOf(1, mspID))
	if err != nil {
		return nil // an MSP id that is not UTF-8; nobody has one
	}
	return policy
}

// collectionsOf reads the collections as a chaincode definition stores them.
func collectionsOf(stored []byte) ([]replay.CollectionRule, error) {
	data, all := &lifecycle.StateData{}, &peer.CollectionConfigPackage{}
	if err := proto.Unmarshal(stored, data); err != nil {
		return nil, err
	}
	if err := proto.Unmarshal(data.GetBytes(), all); err != nil {
		return nil, err
	}
	var rules []replay.CollectionRule
	for _, one := range all.Config {
		c := one.GetStaticCollectionConfig()
		rule := replay.CollectionRule{Name: c.GetName(), Members: membersOf(c.GetMemberOrgsPolicy().GetSignaturePolicy()),
			MemberOnlyRead: c.GetMemberOnlyRead(), MemberOnlyWrite: c.GetMemberOnlyWrite()}
		if own := c.GetEndorsementPolicy(); own != nil {
			if own.GetSignaturePolicy() == nil {
				return nil, fmt.Errorf("collection %s: %w", rule.Name, &unsupported{"it is endorsed by a policy of the channel"})
			}
			policy, err := proto.Marshal(own.GetSignaturePolicy())
			if err != nil {
				return nil, err
			}
			rule.Policy = policy
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// membersOf are the organisations that a collection's member policy names.
func membersOf(policy *common.SignaturePolicyEnvelope) []string {
	var members []string
	for _, principal := range policy.GetIdentities() {
		role := &msp.MSPRole{}
		if proto.Unmarshal(principal.GetPrincipal(), role) == nil {
			members = append(members, role.GetMspIdentifier())
		}
	}
	return members
}
