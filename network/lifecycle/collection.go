package lifecycle

import (
	"fmt"
	"strings"

	"github.com/hyperledger/fabric-admin-sdk/pkg/chaincode"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/lianbao/lianbao/network/topology"
)

// collections are the private data collections as the chaincode's definition
// holds them.
func (s Site) collections() (*peer.CollectionConfigPackage, error) {
	if len(s.Topology.Collections) == 0 {
		return nil, nil
	}
	all := &peer.CollectionConfigPackage{}
	for _, c := range s.Topology.Collections {
		one, err := s.collection(c)
		if err != nil {
			return nil, fmt.Errorf("collection %s: %w", c.Name, err)
		}
		all.Config = append(all.Config, &peer.CollectionConfig{Payload: &peer.CollectionConfig_StaticCollectionConfig{StaticCollectionConfig: one}})
	}
	return all, nil
}

// collection has its values endorsed by all members, so that each of their
// peers holds a value before it is ordered. No peer needs to have been sent one
// by another (RequiredPeerCount); that they are sent all the same, to all the
// other members, only helps one that endorsed and lost it.
func (s Site) collection(c topology.Collection) (*peer.StaticCollectionConfig, error) {
	of := s.Topology.MembersOf(c)
	members, err := chaincode.NewApplicationPolicy(rule(1, "member", of), "")
	if err != nil {
		return nil, err
	}
	endorsement, err := chaincode.NewApplicationPolicy(rule(len(of), "peer", of), "")
	if err != nil {
		return nil, err
	}
	return &peer.StaticCollectionConfig{
		Name:              c.Name,
		MemberOrgsPolicy:  &peer.CollectionPolicyConfig{Payload: &peer.CollectionPolicyConfig_SignaturePolicy{SignaturePolicy: members.GetSignaturePolicy()}},
		RequiredPeerCount: 0,
		MaximumPeerCount:  int32(len(of) - 1),
		// A value goes when it is purged, not after some number of blocks.
		BlockToLive:       0,
		MemberOnlyRead:    true,
		MemberOnlyWrite:   true,
		EndorsementPolicy: endorsement,
	}, nil
}

// rule is "this many of these organisations" in Fabric's notation.
func rule(atLeast int, role string, of []topology.Organisation) string {
	principals := make([]string, len(of))
	for i, o := range of {
		principals[i] = fmt.Sprintf("'%s.%s'", o.MSPID, role)
	}
	return fmt.Sprintf("OutOf(%d, %s)", atLeast, strings.Join(principals, ", "))
}
