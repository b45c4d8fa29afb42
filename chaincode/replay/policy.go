package replay

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"
)

// Satisfied evaluates an endorsement policy as Fabric does: rules from left to
// right, each endorser counted for one of them, nothing tried a second time.
// Signatures are not part of it; whoever asks has checked them.
func Satisfied(policy *common.SignaturePolicyEnvelope, endorsers [][]byte) bool {
	different := distinct(endorsers)
	return satisfied(policy.GetRule(), policy.GetIdentities(), different, make([]bool, len(different)))
}

// satisfied marks in used which endorsers it needed. Fabric refuses to compile
// a policy with a rule that it does not know or a principal that is not there;
// nobody can satisfy it either way.
func satisfied(rule *common.SignaturePolicy, principals []*msp.MSPPrincipal, endorsers [][]byte, used []bool) bool {
	switch kind := rule.GetType().(type) {
	case *common.SignaturePolicy_SignedBy:
		if kind.SignedBy < 0 || int(kind.SignedBy) >= len(principals) {
			return false
		}
		return signedBy(principals[kind.SignedBy], endorsers, used)
	case *common.SignaturePolicy_NOutOf_:
		count := int32(0)
		for _, inner := range kind.NOutOf.GetRules() {
			tried := slices.Clone(used)
			if satisfied(inner, principals, endorsers, tried) {
				count++
				copy(used, tried)
			}
		}
		return count >= kind.NOutOf.GetN()
	}
	return false
}

func signedBy(principal *msp.MSPPrincipal, endorsers [][]byte, used []bool) bool {
	for i, endorser := range endorsers {
		if !used[i] && is(principal, endorser) {
			used[i] = true
			return true
		}
	}
	return false
}

func is(principal *msp.MSPPrincipal, identity []byte) bool {
	if principal.GetPrincipalClassification() != msp.MSPPrincipal_ROLE {
		return false // Lianbao's policies name roles only
	}
	role := &msp.MSPRole{}
	if err := proto.Unmarshal(principal.Principal, role); err != nil || role.MspIdentifier != MSPOf(identity) {
		return false
	}
	if role.Role == msp.MSPRole_MEMBER {
		return true
	}
	unit, known := units[role.Role]
	return known && slices.Contains(unitsOf(identity), unit)
}

// units are the organisational units by which NodeOUs tell roles apart.
var units = map[msp.MSPRole_MSPRoleType]string{
	msp.MSPRole_PEER: "peer", msp.MSPRole_CLIENT: "client", msp.MSPRole_ADMIN: "admin", msp.MSPRole_ORDERER: "orderer",
}

func unitsOf(identity []byte) []string {
	message := &msp.SerializedIdentity{}
	if err := proto.Unmarshal(identity, message); err != nil {
		return nil
	}
	block, _ := pem.Decode(message.IdBytes)
	if block == nil {
		return nil
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	return certificate.Subject.OrganizationalUnit
}

func distinct(identities [][]byte) [][]byte {
	var different [][]byte
	for _, identity := range identities {
		if !slices.ContainsFunc(different, func(other []byte) bool { return string(other) == string(identity) }) {
			different = append(different, identity)
		}
	}
	return different
}

// OutOf is the policy "peers of n of these organisations".
func OutOf(n int, mspIDs ...string) *common.SignaturePolicyEnvelope {
	policy := &common.SignaturePolicyEnvelope{}
	rules := &common.SignaturePolicy_NOutOf{N: int32(n)}
	for i, mspID := range mspIDs {
		role, _ := marshal(&msp.MSPRole{MspIdentifier: mspID, Role: msp.MSPRole_PEER})
		policy.Identities = append(policy.Identities,
			&msp.MSPPrincipal{PrincipalClassification: msp.MSPPrincipal_ROLE, Principal: role})
		rules.Rules = append(rules.Rules, &common.SignaturePolicy{Type: &common.SignaturePolicy_SignedBy{SignedBy: int32(i)}})
	}
	policy.Rule = &common.SignaturePolicy{Type: &common.SignaturePolicy_NOutOf_{NOutOf: rules}}
	return policy
}

// Endorsement checks, for one block, whether the right peers endorsed what its
// transactions write.
type Endorsement struct {
	State     *State
	Chaincode *common.SignaturePolicyEnvelope
	View      View
	// changed are the keys whose policy an accepted transaction of this block
	// sets. What follows in the same block cannot rely on either policy.
	changed map[string]bool
}

// Check decides by the state before the block. The error wraps ErrHalts when a
// key carries a policy that no peer can read.
func (e *Endorsement) Check(set Set, endorsers [][]byte) (peer.TxValidationCode, error) {
	check := &endorsementCheck{Endorsement: e, endorsers: endorsers, passed: map[string]bool{}}
	for _, step := range stepsOf(set) {
		allowed, err := check.step(step)
		if err != nil {
			return peer.TxValidationCode_INVALID_OTHER_REASON, err
		}
		if !allowed {
			return peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE, nil
		}
	}
	// Something must have been checked, also for a transaction that writes nothing.
	if !check.any && !Satisfied(e.Chaincode, endorsers) {
		return peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE, nil
	}
	e.remember(set)
	return peer.TxValidationCode_VALID, nil
}

// remember runs for transactions that pass here even if they fail on a read
// conflict later: Fabric decides this before it looks at versions.
func (e *Endorsement) remember(set Set) {
	if e.changed == nil {
		e.changed = map[string]bool{}
	}
	for _, metadata := range set.Metadata {
		e.changed[place("", metadata.Key)] = true
	}
	for _, collection := range set.Collections {
		for _, metadata := range collection.Metadata {
			e.changed[place(collection.Name, string(metadata.KeyHash))] = true
		}
	}
}

// step is one key that is written.
type step struct{ collection, key string }

func stepsOf(set Set) []step {
	var steps []step
	for _, write := range set.Writes {
		steps = append(steps, step{key: write.Key})
	}
	for _, metadata := range set.Metadata {
		steps = append(steps, step{key: metadata.Key})
	}
	for _, collection := range set.Collections {
		for _, write := range collection.Writes {
			steps = append(steps, step{collection.Name, string(write.KeyHash)})
		}
		for _, metadata := range collection.Metadata {
			steps = append(steps, step{collection.Name, string(metadata.KeyHash)})
		}
	}
	return steps
}

type endorsementCheck struct {
	*Endorsement
	endorsers [][]byte
	any       bool
	passed    map[string]bool // the policies of chaincode ("") and collections that hold
}

func (c *endorsementCheck) step(one step) (bool, error) {
	if c.changed[place(one.collection, one.key)] {
		return false, nil
	}
	own := c.policyOf(one)
	if len(own) == 0 {
		return c.general(one.collection)
	}
	policy := &common.SignaturePolicyEnvelope{}
	if err := proto.Unmarshal(own, policy); err != nil {
		return false, fmt.Errorf("the policy of key %q cannot be read: %w", one.key, ErrHalts)
	}
	if !Satisfied(policy, c.endorsers) {
		return false, nil
	}
	c.any = true
	return true, nil
}

func (c *endorsementCheck) policyOf(one step) []byte {
	keys := c.State.public
	if one.collection != "" {
		keys = in(c.State.hashes, one.collection)
	}
	value, _ := keys.get(one.key)
	return value.Policy()
}

// general is the policy of a collection, or the chaincode's where it has none.
func (c *endorsementCheck) general(collection string) (bool, error) {
	rule, _ := c.View.collection(collection)
	policy := c.Chaincode
	name := ""
	if len(rule.Policy) > 0 {
		name, policy = collection, &common.SignaturePolicyEnvelope{}
		if err := proto.Unmarshal(rule.Policy, policy); err != nil {
			return false, fmt.Errorf("the policy of collection %q cannot be read: %w", collection, err)
		}
	}
	if !c.passed[name] && !Satisfied(policy, c.endorsers) {
		return false, nil
	}
	c.passed[name], c.any = true, true
	return true, nil
}
