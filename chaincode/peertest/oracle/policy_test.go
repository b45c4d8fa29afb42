package oracle

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	mspwire "github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/hyperledger/fabric/common/cauthdsl"
	"github.com/hyperledger/fabric/core/common/validation/statebased"
	state "github.com/hyperledger/fabric/core/handlers/validation/api/state"
	"github.com/hyperledger/fabric/msp"
	"github.com/hyperledger/fabric/protoutil"
	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/replay"
)

// member stands for an endorser whose signature is good.
type member struct {
	msp.Identity
	serialized []byte
}

func (m member) GetIdentifier() *msp.IdentityIdentifier {
	return &msp.IdentityIdentifier{Mspid: replay.MSPOf(m.serialized), Id: string(m.serialized)}
}
func (member) Verify(_, _ []byte) error { return nil }

func (m member) SatisfiesPrincipal(principal *mspwire.MSPPrincipal) error {
	role := &mspwire.MSPRole{}
	if err := proto.Unmarshal(principal.Principal, role); err != nil {
		return err
	}
	if role.MspIdentifier != replay.MSPOf(m.serialized) {
		return errors.New("another organisation")
	}
	return nil
}

// judge is what Fabric's key-level validation needs around it. It asks the
// state of replay for policies and leaves every decision to Fabric.
type judge struct {
	state      *replay.State
	collection []byte // policy of the collection "claims"
	members    map[string][]byte
}

func (judge) DeserializeIdentity(data []byte) (msp.Identity, error) {
	return member{serialized: data}, nil
}
func (judge) IsWellFormed(*mspwire.SerializedIdentity) error { return nil }

func (j judge) Evaluate(policy []byte, signatures []*protoutil.SignedData) error {
	application := &peer.ApplicationPolicy{}
	if err := proto.Unmarshal(policy, application); err != nil {
		return err
	}
	compiled, err := (&cauthdsl.EnvelopeBasedPolicyProvider{Deserializer: j}).NewPolicy(application.GetSignaturePolicy())
	if err != nil {
		return err
	}
	return compiled.EvaluateSignedData(signatures)
}

func (j judge) CollectionValidationInfo(_, collection string, _ state.State) ([]byte, error, error) {
	if collection != "claims" {
		return nil, nil, nil
	}
	return j.collection, nil, nil
}

func (judge) Translate(policy []byte) ([]byte, error) {
	if len(policy) == 0 {
		return policy, nil
	}
	envelope := &common.SignaturePolicyEnvelope{}
	if err := proto.Unmarshal(policy, envelope); err != nil {
		return nil, err
	}
	return applicationPolicy(envelope), nil
}

func applicationPolicy(envelope *common.SignaturePolicyEnvelope) []byte {
	return protoutil.MarshalOrPanic(&peer.ApplicationPolicy{
		Type: &peer.ApplicationPolicy_SignaturePolicy{SignaturePolicy: envelope},
	})
}

func (j judge) FetchState() (state.State, error) { return policyState{judge: j}, nil }

type policyState struct {
	state.State
	judge
}

func (policyState) Done() {}

func (p policyState) GetStateMetadata(_, key string) (map[string][]byte, error) {
	value, _ := p.state().Get(key)
	return map[string][]byte{peer.MetaDataKeys_VALIDATION_PARAMETER.String(): value.Policy()}, nil
}

func (p policyState) state() *replay.State { return p.judge.state }

func (p policyState) GetPrivateDataMetadataByHash(_, collection string, hash []byte) (map[string][]byte, error) {
	value, _ := p.state().GetPrivateHash(collection, string(p.members[string(hash)]))
	return map[string][]byte{peer.MetaDataKeys_VALIDATION_PARAMETER.String(): value.Policy()}, nil
}

var organisations = []string{"bank", "charity", "coop", "insurer", "regulator"}

// randomPolicy nests rules, repeats principals, and asks for impossible numbers.
func randomPolicy(d *rand.Rand) *common.SignaturePolicyEnvelope {
	policy := &common.SignaturePolicyEnvelope{}
	for _, organisation := range organisations {
		role := protoutil.MarshalOrPanic(&mspwire.MSPRole{MspIdentifier: organisation, Role: mspwire.MSPRole_MEMBER})
		policy.Identities = append(policy.Identities, &mspwire.MSPPrincipal{Principal: role})
	}
	policy.Rule = randomRule(d, 3)
	return policy
}

func randomRule(d *rand.Rand, depth int) *common.SignaturePolicy {
	if depth == 0 || d.IntN(3) == 0 {
		return &common.SignaturePolicy{Type: &common.SignaturePolicy_SignedBy{SignedBy: int32(d.IntN(len(organisations)))}}
	}
	many := &common.SignaturePolicy_NOutOf{N: int32(d.IntN(4))}
	for range 1 + d.IntN(4) {
		many.Rules = append(many.Rules, randomRule(d, depth-1))
	}
	return &common.SignaturePolicy{Type: &common.SignaturePolicy_NOutOf_{NOutOf: many}}
}

func randomEndorsers(d *rand.Rand) [][]byte {
	var endorsers [][]byte
	for range d.IntN(7) {
		name := fmt.Sprint("peer", d.IntN(2)) // some organisations sign with two peers, or twice with one
		endorsers = append(endorsers, replay.Serialize(organisations[d.IntN(len(organisations))], []byte(name)))
	}
	return endorsers
}

// randomSet writes some of a few keys, public and private, values and policies.
func randomSet(d *rand.Rand, hashes [][]byte) replay.Set {
	set := replay.Set{Namespace: peertest.Chaincode}
	policy := func() []replay.Entry {
		data := protoutil.MarshalOrPanic(randomPolicy(d))
		return []replay.Entry{{Name: peer.MetaDataKeys_VALIDATION_PARAMETER.String(), Value: data}}
	}
	for i, hash := range hashes {
		key := fmt.Sprint("k", i)
		if d.IntN(3) == 0 {
			set.Writes = append(set.Writes, replay.Write{Key: key, Value: []byte("v")})
		}
		if d.IntN(8) == 0 {
			set.Metadata = append(set.Metadata, replay.Metadata{Key: key, Entries: policy()})
		}
		if d.IntN(6) > 0 {
			continue
		}
		name := []string{"claims", "names"}[d.IntN(2)]
		collection := replay.Collection{Name: name, Writes: []replay.HashedWrite{{KeyHash: hash, ValueHash: hash}}}
		if d.IntN(3) == 0 {
			collection.Metadata = []replay.HashedMetadata{{KeyHash: hash, Entries: policy()}}
		}
		set.Collections = append(set.Collections, collection)
	}
	return set
}

// TestPolicies decides about random blocks with Fabric's key-level validation
// and with ours.
func TestPolicies(t *testing.T) {
	tally := map[bool]int{}
	for seed := range uint64(300) {
		d := rand.New(rand.NewPCG(seed, 1))
		if err := judgeBlocks(d, tally, false); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	t.Logf("allowed %d, refused %d", tally[true], tally[false])
	if tally[true] < 500 || tally[false] < 500 {
		t.Error("the sequences prove too little")
	}
}

// TestPolicyComparisonCanFail: ours forgets something, and that must be noticed.
func TestPolicyComparisonCanFail(t *testing.T) {
	for seed := range uint64(300) {
		if judgeBlocks(rand.New(rand.NewPCG(seed, 1)), map[bool]int{}, true) != nil {
			return
		}
	}
	t.Fatal("nobody noticed")
}

// judgeBlocks can be told to forget, between two transactions of a block, which
// policies the first one set.
func judgeBlocks(d *rand.Rand, tally map[bool]int, forgetful bool) error {
	world := replay.NewState(peertest.Chaincode)
	general, collection := randomPolicy(d), randomPolicy(d)
	j := judge{state: world, collection: applicationPolicy(collection), members: map[string][]byte{}}
	hashes := keyHashes(j.members)
	manager := &statebased.KeyLevelValidationParameterManagerImpl{StateFetcher: j, PolicyTranslator: j}
	theirs := statebased.NewKeyLevelValidator(statebased.NewV20Evaluator(manager, j, j, j), manager)
	view := replay.View{Collections: []replay.CollectionRule{
		{Name: "claims", Policy: protoutil.MarshalOrPanic(collection)}, {Name: "names"},
	}}
	for number := uint64(1); number < 6; number++ {
		ours := &replay.Endorsement{State: world, Chaincode: general, View: view}
		var sets []replay.Set
		var block [][]byte
		for range 4 {
			set := randomSet(d, hashes)
			envelope, err := peertest.EnvelopeOf(&peertest.Endorsed{Outcome: replay.Outcome{Results: replay.Results{set}}})
			if err != nil {
				return err
			}
			sets, block = append(sets, set), append(block, envelope)
		}
		for i, set := range sets {
			endorsers := randomEndorsers(d)
			if forgetful {
				ours = &replay.Endorsement{State: world, Chaincode: general, View: view}
			}
			code, err := ours.Check(set, endorsers)
			if err != nil {
				return err
			}
			verdict := fabricVerdict(theirs, blockOf(number, nil, block), uint64(i), set, applicationPolicy(general), endorsers)
			allowed := code == peer.TxValidationCode_VALID
			if allowed != (verdict == nil) {
				return fmt.Errorf("block %d, transaction %d: %s here, and there: %v", number, i, code, verdict)
			}
			tally[allowed]++
		}
		for i, set := range sets {
			if err := world.Apply(set, replay.Version{Block: number, Transaction: uint64(i)}); err != nil {
				return err
			}
		}
	}
	return nil
}

func fabricVerdict(theirs *statebased.KeyLevelValidator, block *common.Block, index uint64, set replay.Set, general []byte, endorsers [][]byte) error {
	results, err := replay.Results{set}.Marshal()
	if err != nil {
		return err
	}
	var endorsements []*peer.Endorsement
	for _, endorser := range endorsers {
		endorsements = append(endorsements, &peer.Endorsement{Endorser: endorser})
	}
	theirs.PreValidate(index, block)
	var verdict error
	if found := theirs.Validate(peertest.Chaincode, block.Header.Number, index, results, nil, general, endorsements); found != nil {
		verdict = found
	}
	theirs.PostValidate(peertest.Chaincode, block.Header.Number, index, verdict)
	return verdict
}

// keyHashes makes a few private keys and notes which key a hash belongs to.
func keyHashes(names map[string][]byte) [][]byte {
	var hashes [][]byte
	for i := range 5 {
		key := fmt.Appendf(nil, "k%d", i)
		hash := sha256.Sum256(key)
		names[string(hash[:])] = key
		hashes = append(hashes, hash[:])
	}
	return hashes
}
