package peertest_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/replay"
	"github.com/lianbao/lianbao/chaincode/rule"
)

var five = []string{"charity", "coop", "bank", "insurer", "regulator"}

func newNetwork(t *testing.T) (*peertest.Network, peertest.Identity) {
	n := peertest.New(t, newLedger, five...)
	return n, n.Identity("charity", "gateway")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func endorse(t *testing.T, n *peertest.Network, as peertest.Identity, function, argument string, options ...peertest.Option) *peertest.Endorsed {
	t.Helper()
	endorsed, err := n.Endorse(as, function, argument, options...)
	must(t, err)
	return endorsed
}

func commit(t *testing.T, n *peertest.Network, batch ...*peertest.Endorsed) string {
	t.Helper()
	results, err := n.Commit(batch...)
	must(t, err)
	var codes []string
	for _, result := range results {
		codes = append(codes, result.Code.String())
	}
	return strings.Join(codes, " ")
}

func equal(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
}

// TestBlocks sends several transactions, endorsed on one state, in one block.
func TestBlocks(t *testing.T) {
	for _, test := range []struct {
		name  string
		first string // committed before anything is endorsed; "-" for nothing
		batch string // calls separated by ";"
		want  string
	}{
		{"two read-modify-writes of one key", "put a 1", "add a 1;add a 1", "VALID MVCC_READ_CONFLICT"},
		{"of a key that does not exist", "-", "add a 1;add a 1", "VALID MVCC_READ_CONFLICT"},
		{"of different keys", "-", "add a 1;add b 1", "VALID VALID"},
		{"two blind writes", "-", "put a 1;put a 2", "VALID VALID"},
		{"a read beside a write", "put a 1", "put a 2;get a", "VALID MVCC_READ_CONFLICT"},
		{"a read before a write", "put a 1", "get a;put a 2", "VALID VALID"},
		{"a delete of nothing is a change", "-", "delete a;add a 1", "VALID MVCC_READ_CONFLICT"},
		{"created and deleted again", "-", "put a 1;delete a;add a 1", "VALID VALID MVCC_READ_CONFLICT"},
		{"a phantom", "put b 1", "put c 1;count a z", "VALID PHANTOM_READ_CONFLICT"},
		{"a vanished key", "put b 1", "delete b;count a z", "VALID PHANTOM_READ_CONFLICT"},
		{"a changed value in a range", "put b 1", "put b 2;count a z", "VALID PHANTOM_READ_CONFLICT"},
		{"a key outside the range", "put b 1", "put zz 1;count a z", "VALID VALID"},
		{"the policy of a key changes in the same block", "put a 1", "guard a bank;put a 2", "VALID ENDORSEMENT_POLICY_FAILURE"},
	} {
		t.Run(test.name, func(t *testing.T) {
			n, client := newNetwork(t)
			if test.first != "-" {
				function, argument, _ := strings.Cut(test.first, " ")
				_, err := n.Invoke(client, function, argument)
				must(t, err)
			}
			var batch []*peertest.Endorsed
			for _, call := range strings.Split(test.batch, ";") {
				function, argument, _ := strings.Cut(call, " ")
				batch = append(batch, endorse(t, n, client, function, argument))
			}
			equal(t, commit(t, n, batch...), test.want)
		})
	}
}

func TestStaleReadAcrossBlocks(t *testing.T) {
	n, client := newNetwork(t)
	late := endorse(t, n, client, "add", "a 1")
	_, err := n.Invoke(client, "add", "a 5")
	must(t, err)
	equal(t, commit(t, n, late), "MVCC_READ_CONFLICT")
	value, _ := n.State().Get("a")
	equal(t, string(value.Data), "5")
}

func TestInvalidTransactionChangesNothing(t *testing.T) {
	n, client := newNetwork(t)
	_, err := n.Invoke(client, "put", "a 1", peertest.From("charity", "bank"))
	var invalidated *peertest.InvalidatedError
	if !errors.As(err, &invalidated) || invalidated.Code != peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE {
		t.Fatalf("two of five endorsed, and the answer is %v", err)
	}
	if n.State().Len() != 0 {
		t.Fatal("an invalid transaction wrote")
	}
}

func TestDuplicateTransaction(t *testing.T) {
	n, client := newNetwork(t)
	once := endorse(t, n, client, "put", "a 1", peertest.Nonce([]byte("n")))
	equal(t, commit(t, n, once, once), "VALID DUPLICATE_TXID")
	equal(t, commit(t, n, once), "DUPLICATE_TXID")
	if _, err := n.Endorse(client, "put", "a 1", peertest.Nonce([]byte("n"))); err == nil {
		t.Fatal("a peer endorsed a transaction that is in a block")
	}
}

func TestOwnWritesAreNotRead(t *testing.T) {
	n, client := newNetwork(t)
	result, err := n.Invoke(client, "twice", "a")
	must(t, err)
	equal(t, string(result.Response.Payload), "")
	result, err = n.Invoke(client, "batch", "a b")
	must(t, err)
	value, _ := n.State().Get("a")
	equal(t, string(value.Data), "newx")
	if len(result.Set.Reads) != 2 || len(result.Set.Writes) != 2 {
		t.Fatalf("the batch read and wrote %+v", result.Set)
	}
}

func TestReplicasThatDiffer(t *testing.T) {
	t.Run("order of a map", func(t *testing.T) {
		n, client := newNetwork(t)
		mismatch(t, n, client, "maps")
	})
	t.Run("memory of an instance", func(t *testing.T) {
		instances := 0
		n := peertest.New(t, func() shim.Chaincode { instances++; return &ledger{calls: instances} }, five...)
		mismatch(t, n, n.Identity("bank", "gateway"), "memory")
	})
}

func mismatch(t *testing.T, n *peertest.Network, as peertest.Identity, function string) {
	t.Helper()
	_, err := n.Invoke(as, function, "")
	var found *peertest.MismatchError
	if !errors.As(err, &found) || found.Difference == "" {
		t.Fatalf("two replicas wrote different bytes, and the answer is %v", err)
	}
}

func TestRefusalAndCrash(t *testing.T) {
	n, client := newNetwork(t)
	_, err := n.Invoke(client, "refuse", "")
	equal(t, err.Error(), "chaincode response 500, insufficient: there is nothing")
	if !rule.Is(err, rule.Insufficient) {
		t.Fatal("the refusal cannot be found behind the error")
	}
	if _, err = n.Invoke(client, "crash", ""); !errors.Is(err, replay.ErrCrashed) {
		t.Fatalf("a panic came out as %v", err)
	}
	if n.Height() != 1 {
		t.Fatal("a refusal made a block")
	}
}

func TestIdentitiesAndClock(t *testing.T) {
	n, client := newNetwork(t)
	for _, test := range []struct {
		as   peertest.Identity
		want string
	}{
		{client, "charity gateway true"},
		{n.Identity("bank", "auditor"), "bank auditor true"},
		{n.Identity("bank", ""), "bank  false"},
	} {
		answer, err := n.Evaluate(test.as, "who", "")
		must(t, err)
		equal(t, string(answer), test.want)
	}
	n.Advance(36 * time.Hour)
	answer, err := n.Evaluate(client, "when", "")
	must(t, err)
	equal(t, string(answer), "2026-01-03T00:00:00Z")
	if _, err := n.Evaluate(n.Stranger("thief", "gateway"), "when", ""); err == nil {
		t.Fatal("a stranger was answered")
	}
}

// TestKeyPolicies follows DESIGN section 3: the key's policy replaces the
// chaincode's, and a key that does not exist has none.
func TestKeyPolicies(t *testing.T) {
	n, client := newNetwork(t)
	_, err := n.Invoke(client, "guard", "head charity bank")
	must(t, err)
	for _, test := range []struct {
		key       string
		endorsers string
		want      string
	}{
		{"head", "charity bank", "VALID"},
		{"head", "charity", "ENDORSEMENT_POLICY_FAILURE"},
		{"head", "charity charity", "ENDORSEMENT_POLICY_FAILURE"},
		{"head", "coop insurer regulator bank", "ENDORSEMENT_POLICY_FAILURE"},
		{"new", "charity bank", "ENDORSEMENT_POLICY_FAILURE"},
		{"new", "coop insurer regulator", "VALID"},
	} {
		endorsed := n.By(endorse(t, n, client, "put", test.key+" 1"), strings.Fields(test.endorsers)...)
		if got := commit(t, n, endorsed); got != test.want {
			t.Errorf("%s endorsed by %s: %s, want %s", test.key, test.endorsers, got, test.want)
		}
	}
	value, _ := n.State().Get("head")
	if len(value.Policy()) == 0 {
		t.Fatal("a write of the value dropped the policy")
	}
}

func TestWhatStopsRealPeers(t *testing.T) {
	t.Run("a policy that cannot be read", func(t *testing.T) {
		n, client := newNetwork(t)
		_, err := n.Invoke(client, "put", "a 1")
		must(t, err)
		_, err = n.Invoke(client, "unguard", "a rubbish")
		must(t, err)
		if _, err = n.Commit(endorse(t, n, client, "put", "a 2")); !errors.Is(err, replay.ErrHalts) {
			t.Fatalf("the answer is %v", err)
		}
	})
	t.Run("the policy of a key deleted in the same block", func(t *testing.T) {
		n, client := newNetwork(t)
		_, err := n.Invoke(client, "put", "a 1")
		must(t, err)
		gone, ruled := endorse(t, n, client, "delete", "a"), endorse(t, n, client, "unguard", "a x")
		if _, err := n.Commit(gone, ruled); !errors.Is(err, replay.ErrHalts) {
			t.Fatalf("the answer is %v", err)
		}
	})
}

func TestPeerThatLagsBehind(t *testing.T) {
	n, client := newNetwork(t)
	n.Pause("bank")
	_, err := n.Invoke(client, "put", "page 1", peertest.From("charity", "coop", "insurer"))
	must(t, err)
	_, err = n.Endorse(client, "add", "page 1")
	var found *peertest.MismatchError
	if !errors.As(err, &found) {
		t.Fatalf("a peer that lags behind agreed: %v", err)
	}
	n.Resume("bank")
	_, err = n.Invoke(client, "add", "page 1")
	must(t, err)
}

func TestCollusionIsPossibleWhereFabricAllowsIt(t *testing.T) {
	n, client := newNetwork(t)
	write := func(set *replay.Set) { set.Writes = []replay.Write{{Key: "hold/x", Value: []byte("1")}} }
	equal(t, commit(t, n, n.Forge(client, write, "coop", "insurer")), "ENDORSEMENT_POLICY_FAILURE")
	equal(t, commit(t, n, n.Forge(client, write, "coop", "insurer", "bank")), "VALID")
}

func TestPrivateData(t *testing.T) {
	n, client := newNetwork(t)
	policy, err := proto.Marshal(replay.OutOf(1, "charity", "insurer"))
	must(t, err)
	n.Collection(replay.CollectionRule{
		Name: "claims", Members: []string{"charity", "insurer"}, MemberOnlyRead: true, MemberOnlyWrite: true, Policy: policy,
	})
	value := peertest.Transient(map[string][]byte{"value": []byte("salted")})
	_, err = n.Invoke(client, "secret", "claims row", value, peertest.From("charity"))
	must(t, err)

	answer, err := n.Evaluate(n.Identity("insurer", "gateway"), "reveal", "claims row")
	must(t, err)
	equal(t, string(answer), "salted")
	hash, err := n.Evaluate(n.Identity("bank", "gateway"), "compare", "claims row")
	must(t, err)
	equal(t, string(hash), "fff8183339f0018181a3bf8eee82afddfe501781c1d76b02f4ea9b75f1701097") // SHA-256 of the value
	for name, attempt := range map[string]func() error{
		"a client who is no member": func() error {
			_, err := n.Evaluate(n.Identity("bank", "gateway"), "reveal", "claims row")
			return err
		},
		"a peer that is no member": func() error {
			_, err := n.Endorse(client, "reveal", "claims row", peertest.From("bank"))
			return err
		},
		"a collection that does not exist": func() error {
			_, err := n.Endorse(client, "reveal", "nothing row")
			return err
		},
	} {
		if err := attempt(); err == nil {
			t.Errorf("%s read private data", name)
		}
	}
	_, err = n.Invoke(client, "purge", "claims row", peertest.From("charity"))
	must(t, err)
	if _, known := n.State().GetPrivate("claims", "row"); known {
		t.Fatal("a purged value is still there")
	}
}

// TestBlocksReplay audits what the network committed, from the bytes of its
// blocks alone.
func TestBlocksReplay(t *testing.T) {
	n, client := newNetwork(t)
	for _, call := range []string{"put a 1", "add a 2", "batch a b c", "guard g bank coop", "count a z", "tell gift x", "delete b"} {
		function, argument, _ := strings.Cut(call, " ")
		_, err := n.Invoke(client, function, argument)
		must(t, err)
	}
	commit(t, n, endorse(t, n, client, "add", "a 1"), endorse(t, n, client, "add", "a 1"))

	state, events := replay.NewState(peertest.Chaincode), 0
	for _, transaction := range n.Transactions() {
		if !transaction.Valid() {
			continue
		}
		if transaction.Event != nil {
			events++
		}
		outcome, err := replay.Run(newLedger(), state, replay.View{}, transaction.Proposal())
		must(t, err)
		if difference := replay.Difference(outcome.Results, transaction.Results); difference != "" {
			t.Fatalf("transaction %s: %s", transaction.ID, difference)
		}
		if len(outcome.Results) > 0 {
			must(t, state.Apply(outcome.Results[0], transaction.At()))
		}
	}
	if state.Digest() != n.State().Digest() || events != 1 {
		t.Fatal("the replayed state is another one")
	}
}

// TestRepeatable: a seed must give the same run, so ids must not be random.
func TestRepeatable(t *testing.T) {
	var ids []string
	for range 2 {
		n, client := newNetwork(t)
		result, err := n.Invoke(client, "put", "a 1")
		must(t, err)
		ids = append(ids, result.TransactionID)
	}
	equal(t, ids[0], ids[1])
}
