package replay_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/lianbao/lianbao/chaincode/replay"
)

// contract runs one function with the stub.
type contract func(stub shim.ChaincodeStubInterface) error

func (contract) Init(shim.ChaincodeStubInterface) *peer.Response { return shim.Success(nil) }

func (c contract) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	if err := c(stub); err != nil {
		return shim.Error(err.Error())
	}
	return shim.Success(nil)
}

func run(t *testing.T, state *replay.State, act contract) replay.Outcome {
	t.Helper()
	outcome, err := replay.Run(act, state, view, proposal)
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

var (
	proposal = replay.Proposal{
		Channel: "lianbao", TransactionID: "tx", Creator: replay.Serialize("bank", []byte("c")), Timestamp: time.Unix(1, 0),
	}
	view = replay.View{MSP: "bank", Collections: []replay.CollectionRule{
		{Name: "open", Members: []string{"bank"}},
		{Name: "closed", Members: []string{"charity"}, MemberOnlyRead: true, MemberOnlyWrite: true},
	}}
)

// TestRefusalsOfThePeer: in the words of the real stub and peer. What the oracle
// module does not reach is here.
func TestRefusalsOfThePeer(t *testing.T) {
	for _, test := range []struct {
		name string
		act  contract
		want string
	}{
		{"an empty key", func(s shim.ChaincodeStubInterface) error { return s.PutState("", []byte("x")) },
			"key must not be an empty string"},
		{"an empty private key", func(s shim.ChaincodeStubInterface) error { return s.PutPrivateData("open", "", []byte("x")) },
			"key must not be an empty string"},
		{"no collection", func(s shim.ChaincodeStubInterface) error { return s.PurgePrivateData("", "a") },
			"collection must not be an empty string"},
		{"a range from a composite key", func(s shim.ChaincodeStubInterface) error { _, err := s.GetStateByRange("\x00a", ""); return err },
			"first character of the key [\x00a] contains a null character which is not allowed"},
		{"an event without a name", func(s shim.ChaincodeStubInterface) error { return s.SetEvent("", nil) },
			"event name can not be empty string"},
		{"a client who may not read", func(s shim.ChaincodeStubInterface) error { _, err := s.GetPrivateData("closed", "a"); return err },
			"GET_STATE failed: transaction ID: tx: tx creator does not have read access permission on privatedata in chaincodeName:lianbao collectionName: closed"},
		{"a client who may not write", func(s shim.ChaincodeStubInterface) error { return s.DelPrivateData("closed", "a") },
			"DEL_STATE failed: transaction ID: tx: tx creator does not have write access permission on privatedata in chaincodeName:lianbao collectionName: closed"},
		{"a rich query", func(s shim.ChaincodeStubInterface) error { _, err := s.GetQueryResult("{}"); return err },
			"GET_QUERY_RESULT failed: transaction ID: tx: ExecuteQuery not supported for leveldb"},
		{"history", func(s shim.ChaincodeStubInterface) error { _, err := s.GetHistoryForKey("a"); return err },
			"GET_HISTORY_FOR_KEY failed: transaction ID: tx: history database is not enabled"},
		{"a write after a page", func(s shim.ChaincodeStubInterface) error {
			if _, _, err := s.GetStateByRangeWithPagination("", "", 1, ""); err != nil {
				return err
			}
			return s.PutState("a", []byte("x"))
		}, "PUT_STATE failed: transaction ID: tx: txid [tx]: unsuppored transaction. Transaction has already performed a paginated query. Writes are not allowed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			outcome := run(t, replay.NewState("lianbao"), test.act)
			if outcome.Response.Message != test.want || outcome.Response.Status != 500 {
				t.Fatalf("got  %d %q\nwant %q", outcome.Response.Status, outcome.Response.Message, test.want)
			}
		})
	}
}

func TestCrashes(t *testing.T) {
	for name, act := range map[string]contract{
		"a panic":                         func(shim.ChaincodeStubInterface) error { panic("no") },
		"a key that is not text":          func(s shim.ChaincodeStubInterface) error { return s.PutState("\xff", []byte("x")) },
		"in a batch":                      func(s shim.ChaincodeStubInterface) error { s.StartWriteBatch(); return s.DelState("\xff") },
		"a split of what is not composed": func(s shim.ChaincodeStubInterface) error { _, _, err := s.SplitCompositeKey("plain"); return err },
	} {
		if _, err := replay.Run(act, replay.NewState("lianbao"), view, proposal); !errors.Is(err, replay.ErrCrashed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestStateAgainstPlainMap compares the ordered state with a map that is sorted
// anew for every question.
func TestStateAgainstPlainMap(t *testing.T) {
	for seed := range uint64(50) {
		d := rand.New(rand.NewPCG(seed, 0))
		state, plain := replay.NewState("lianbao"), map[string]string{}
		for step := range uint64(400) {
			key := fmt.Sprintf("k%02d", d.IntN(60))
			write := replay.Write{Key: key, Value: []byte{byte(d.IntN(256))}, Delete: d.IntN(3) == 0}
			if plain[key] = string(write.Value); write.Delete {
				delete(plain, key)
			}
			set := replay.Set{Namespace: "lianbao", Writes: []replay.Write{write}}
			if err := state.Apply(set, replay.Version{Block: step}); err != nil {
				t.Fatal(err)
			}
			if d.IntN(5) == 0 {
				from, to := fmt.Sprintf("k%02d", d.IntN(60)), fmt.Sprintf("k%02d", d.IntN(60))
				compareRange(t, seed, state, plain, from, to)
			}
		}
		compareRange(t, seed, state, plain, "", "")
		if state.Len() != len(plain) {
			t.Fatalf("seed %d: %d keys in place of %d", seed, state.Len(), len(plain))
		}
	}
}

func compareRange(t *testing.T, seed uint64, state *replay.State, plain map[string]string, from, to string) {
	t.Helper()
	var got, want []string
	for key, value := range state.Between(from, to) {
		got = append(got, key+string(value.Data))
	}
	for key, value := range plain {
		if key >= from && (to == "" || key < to) {
			want = append(want, key+value)
		}
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("seed %d: from %q to %q: %q, want %q", seed, from, to, got, want)
	}
}

// TestDigest: whatever peers could disagree on changes it, and nothing else does.
func TestDigest(t *testing.T) {
	build := func(sets ...replay.Set) *replay.State {
		state := replay.NewState("lianbao")
		for i, set := range sets {
			set.Namespace = "lianbao"
			if err := state.Apply(set, replay.Version{Block: 1, Transaction: uint64(i)}); err != nil {
				t.Fatal(err)
			}
		}
		return state
	}
	write := func(key, value string) replay.Set {
		return replay.Set{Writes: []replay.Write{{Key: key, Value: []byte(value)}}}
	}
	base := build(write("a", "1"), write("b", "2"))
	if base.Digest() != base.Clone().Digest() {
		t.Error("a clone has another digest")
	}
	remove := replay.Set{Writes: []replay.Write{{Key: "c", Delete: true}}}
	if base.Digest() != build(write("a", "1"), write("b", "2"), write("c", "3"), remove).Digest() {
		t.Error("a key that is gone is in the digest")
	}
	guard := replay.Set{Metadata: []replay.Metadata{{Key: "b", Entries: []replay.Entry{{Name: "VALIDATION_PARAMETER"}}}}}
	secret := replay.Set{Collections: []replay.Collection{{Name: "open", Writes: []replay.HashedWrite{{KeyHash: []byte("k"), ValueHash: []byte("v")}}}}}
	for name, other := range map[string]*replay.State{
		"a value":        build(write("a", "1"), write("b", "3")),
		"a version":      build(write("b", "2"), write("a", "1")),
		"a boundary":     build(write("a", "1"), write("b2", "")),
		"a missing key":  build(write("a", "1")),
		"a policy":       build(write("a", "1"), write("b", "2"), guard),
		"a private hash": build(write("a", "1"), write("b", "2"), secret),
	} {
		if base.Digest() == other.Digest() {
			t.Errorf("%s does not show in the digest", name)
		}
	}
}

func TestDifferenceNamesTheKey(t *testing.T) {
	a := replay.Results{{Namespace: "lianbao", Writes: []replay.Write{{Key: "head", Value: []byte("1")}}}}
	b := replay.Results{{Namespace: "lianbao", Writes: []replay.Write{{Key: "head", Value: []byte("2")}}}}
	if got := replay.Difference(a, b); !strings.Contains(got, `only the first writes "head": "1"`) {
		t.Fatal(got)
	}
	if got := replay.Difference(a, a); got != "" {
		t.Fatal(got)
	}
}

func TestPrivateSetMustMatchTheBlock(t *testing.T) {
	state := replay.NewState("lianbao")
	outcome := run(t, state, func(s shim.ChaincodeStubInterface) error { return s.PutPrivateData("open", "a", []byte("1")) })
	set, private := outcome.Results[0], outcome.Private[0]
	if err := state.Apply(set, replay.Version{Block: 1}); err != nil {
		t.Fatal(err)
	}
	forged := private
	forged.Writes = []replay.Write{{Key: "a", Value: []byte("2")}}
	if state.ApplyPrivate(set, forged, replay.Version{Block: 1}) == nil {
		t.Fatal("a forged private set was accepted")
	}
	if err := state.ApplyPrivate(set, private, replay.Version{Block: 1}); err != nil {
		t.Fatal(err)
	}
}

func TestBlocksThatCannotBeRead(t *testing.T) {
	filter := func(codes ...byte) *common.BlockMetadata {
		return &common.BlockMetadata{Metadata: [][]byte{nil, nil, codes}}
	}
	header, rubbish := &common.BlockHeader{Number: 7}, &common.BlockData{Data: [][]byte{{0xff}}}
	for _, test := range []struct {
		name  string
		block *common.Block
		want  string
	}{
		{"nothing", nil, "the block has no header or no data"},
		{"no data", &common.Block{Header: header}, "the block has no header or no data"},
		{"straight from an orderer", &common.Block{Header: header, Data: rubbish}, "block 7: no peer has validated it"},
		{"a code too few", &common.Block{Header: header, Data: rubbish, Metadata: filter()}, "block 7: 1 transactions have 0 validation codes"},
		{"valid rubbish", &common.Block{Header: header, Data: rubbish, Metadata: filter(0)}, "block 7, transaction 0 is valid but cannot be read"},
	} {
		_, err := replay.TransactionsOf(test.block)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	invalid := &common.Block{Header: header, Data: rubbish, Metadata: filter(byte(peer.TxValidationCode_BAD_PAYLOAD))}
	read, err := replay.TransactionsOf(invalid)
	if err != nil || len(read) != 1 || read[0].Malformed == nil || read[0].Valid() {
		t.Errorf("rubbish that the peer refused: %v %v", read, err)
	}
}
