package replay_test

import (
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/replay"
)

// seed is a block with everything in it that can be in one.
func seed(f *testing.F) *common.Block {
	f.Helper()
	reads := []replay.Read{{Key: "a"}, {Key: "b", Version: &replay.Version{Block: 1, Transaction: 2}}}
	set := replay.Set{
		Namespace: "lianbao", Reads: reads,
		Writes:   []replay.Write{{Key: "a", Value: []byte("x")}, {Key: "b", Delete: true}},
		Metadata: []replay.Metadata{{Key: "a", Entries: []replay.Entry{{Name: "VALIDATION_PARAMETER", Value: []byte("p")}}}},
		Ranges: []replay.Range{{Start: "a", End: "b", Exhausted: true, Reads: reads},
			{Start: "c", Summary: &replay.Summary{MaxDegree: 50, MaxLevel: 1, Hashes: [][]byte{{1}}}}},
		Collections: []replay.Collection{{Name: "open", PrivateHash: []byte{2},
			Reads:  []replay.HashedRead{{KeyHash: []byte{3}}},
			Writes: []replay.HashedWrite{{KeyHash: []byte{3}, ValueHash: []byte{4}, Purge: true}}}},
	}
	creator, nonce := replay.Serialize("bank", []byte("c")), []byte("n")
	envelope, err := peertest.EnvelopeOf(&peertest.Endorsed{
		Proposal: replay.Proposal{
			Channel: "lianbao", Creator: creator, Nonce: nonce, TransactionID: replay.TransactionID(nonce, creator),
			Arguments: [][]byte{[]byte("f"), []byte("{}")},
		},
		Outcome: replay.Outcome{
			Response: replay.Response{Status: 200}, Event: &replay.Event{Name: "e", Payload: []byte("p")}, Results: replay.Results{set},
		},
		Endorsers: [][]byte{creator},
	})
	if err != nil {
		f.Fatal(err)
	}
	return &common.Block{
		Header: &common.BlockHeader{Number: 3}, Data: &common.BlockData{Data: [][]byte{envelope}},
		Metadata: &common.BlockMetadata{Metadata: [][]byte{nil, nil, {0}}},
	}
}

// FuzzTransactionsOf: whatever a block holds, reading it ends in transactions or
// an error, and what was read can be checked against a state without a crash.
func FuzzTransactionsOf(f *testing.F) {
	block := seed(f)
	data, err := proto.Marshal(block)
	if err != nil {
		f.Fatal(err)
	}
	if read, err := replay.TransactionsOf(block); err != nil || len(read) != 1 || read[0].Event == nil {
		f.Fatalf("the seed cannot be read: %+v %v", read, err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		block := &common.Block{}
		if proto.Unmarshal(data, block) != nil {
			return
		}
		transactions, err := replay.TransactionsOf(block)
		if err != nil {
			return
		}
		state := replay.NewState("lianbao")
		batch := state.Begin(block.Header.Number)
		for _, transaction := range transactions {
			set := transaction.Results.In("lianbao")
			batch.Check(set)
			check := replay.Endorsement{State: state, Chaincode: replay.OutOf(1, "bank")}
			_, _ = check.Check(set, transaction.Endorsers)
			_ = batch.Apply(transaction.Index, set)
		}
		state.Digest()
	})
}

// FuzzWriteSetOf: what can be read can be written, and is then the same.
func FuzzWriteSetOf(f *testing.F) {
	read, err := replay.TransactionsOf(seed(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(read[0].RawResults)
	f.Fuzz(func(t *testing.T, data []byte) {
		results, err := replay.WriteSetOf(data)
		if err != nil {
			return
		}
		written, err := results.Marshal()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := replay.WriteSetOf(written)
		if err != nil {
			t.Fatal(err)
		}
		if difference := replay.Difference(results, again); difference != "" {
			t.Fatal(difference)
		}
	})
}

// FuzzPolicy: a key's policy comes from a transaction, so it may be anything.
func FuzzPolicy(f *testing.F) {
	data, err := proto.Marshal(replay.OutOf(2, "bank", "coop"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data, []byte("identity"))
	f.Fuzz(func(t *testing.T, data, identity []byte) {
		policy := &common.SignaturePolicyEnvelope{}
		if proto.Unmarshal(data, policy) == nil {
			replay.Satisfied(policy, [][]byte{identity, identity})
		}
	})
}
