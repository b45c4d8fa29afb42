package personal

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/contract"
	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/dossier/seal"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/peertest"
	network "github.com/lianbao/lianbao/chaincode/replay"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/gateway/document"
	"github.com/lianbao/lianbao/gateway/document/documenttest"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/outbox"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

const shared = dossier.Collection("charity-bank")

// world is the real contracts on a network in memory, with the real stores of
// one member's gateway.
type world struct {
	*testing.T
	network      *peertest.Network
	organisation string
	mutex        sync.Mutex
	box          *outbox.Outbox
	model        *readmodel.Model
	archive      *document.Archive
	read         uint64
	previous     []byte
	// step is called before and after each step that a desk takes.
	step func()
	now  time.Time
}

func newWorld(t *testing.T) *world {
	build := func() shim.Chaincode {
		chaincode, err := contract.New()
		if err != nil {
			t.Fatal(err)
		}
		return chaincode
	}
	members := []string{"charity", "bank", "coop"}
	w := &world{T: t, network: peertest.New(t, build, members...), organisation: "charity", archive: documenttest.Archive(t), step: func() {}, now: time.Now()}
	charter := party.Charter{Ledger: party.LedgerID{7}, Quorum: 2, Rules: 1, Zone: "+08:00", Policy: party.DefaultPolicy()}
	for _, name := range members {
		charter.Organisations = append(charter.Organisations, party.Member{MSP: name, Name: name})
	}
	charter.Powers = []party.Grant{{Organisation: "bank", Power: party.Custodian}, {Organisation: "charity", Power: party.Charity}}
	hash, err := charter.Hash()
	w.must(err)
	w.invoke("bank", "Party:Found", party.FoundCommand{Charter: charter, ID: "found"})
	for _, name := range members {
		w.invoke(name, "Party:Join", party.JoinCommand{Charter: hash, ID: "join"})
	}
	policy, err := proto.Marshal(network.OutOf(2, "charity", "bank"))
	w.must(err)
	w.network.Collection(network.CollectionRule{Name: string(shared), Members: []string{"charity", "bank"}, MemberOnlyRead: true, MemberOnlyWrite: true, Policy: policy})
	w.box, err = outbox.Open(t.Context(), filepath.Join(t.TempDir(), "outbox.db"), outbox.Settings{Volatile: true})
	w.must(err)
	w.model, err = readmodel.Open(t.Context(), filepath.Join(t.TempDir(), "readmodel.db"))
	w.must(err)
	t.Cleanup(func() { w.must(errors.Join(w.box.Close(), w.model.Close())) })
	w.follow()
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) invoke(organisation, function string, command any) {
	w.Helper()
	argument, err := canonical.Encode(command)
	w.must(err)
	_, err = w.network.Invoke(w.network.Identity(organisation, "admin"), function, string(argument))
	w.must(err)
}

// desk is a new one on the stores that stand, as after a start of the gateway.
func (w *world) desk() *Desk {
	return &Desk{Ledger: w, Notes: w.model, Errands: errands{w}, Documents: w.archive, Organisation: w.organisation, Own: string(dossier.OwnCollection(w.organisation)),
		Collections: map[string][]string{string(shared): {"charity", "bank"}}, Now: func() time.Time { return w.now }}
}

// follow brings the read model up to the ledger.
func (w *world) follow() {
	for ; w.read < w.network.Height(); w.read++ {
		block, err := fabric.ReadBlock(w.network.Block(w.read), peertest.Chaincode, nil)
		w.must(err)
		block.PreviousHash, w.previous = w.previous, block.Hash
		w.must(w.model.Apply(context.Background(), block))
	}
}

// errands are the outbox's, with a step before and after each write.
type errands struct{ *world }

func (e errands) SetErrand(ctx context.Context, errand outbox.Errand) error {
	e.step()
	err := e.box.SetErrand(ctx, errand)
	e.step()
	return err
}

func (e errands) EndErrand(ctx context.Context, kind, name string) error {
	e.step()
	err := e.box.EndErrand(ctx, kind, name)
	e.step()
	return err
}

func (e errands) Errands(ctx context.Context, kind string) ([]outbox.Errand, error) {
	return e.box.Errands(ctx, kind)
}

// SubmitPrivate implements Ledger.
func (w *world) SubmitPrivate(_ context.Context, function string, argument []byte, p fabric.Private, _ func(string) error) (fabric.Receipt, error) {
	return w.submit(function, argument, peertest.Transient(p.Transient), peertest.From(p.Members...))
}

// Submit implements Ledger.
func (w *world) Submit(_ context.Context, function string, argument []byte, _ func(string) error) (fabric.Receipt, error) {
	return w.submit(function, argument)
}

func (w *world) submit(function string, argument []byte, options ...peertest.Option) (fabric.Receipt, error) {
	w.step()
	w.mutex.Lock()
	endorsed, err := w.network.Endorse(w.network.Identity(w.organisation, "gateway"), function, string(argument), options...)
	var receipt fabric.Receipt
	if err == nil {
		results, failed := w.network.Commit(endorsed)
		err = failed
		if err == nil {
			receipt.Block = results[0].Block
			if results[0].Code != peer.TxValidationCode_VALID {
				err = errors.New(results[0].Code.String())
			}
			w.follow()
		}
	}
	w.mutex.Unlock()
	w.step()
	return receipt, bare(err)
}

// bare is the refusal alone, as fabric.Ledger returns it.
func bare(err error) error {
	var refusal *rule.Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	return err
}

// Show implements Ledger.
func (w *world) Show(_ context.Context, query dossier.ShowQuery) ([]byte, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	argument, err := canonical.Encode(query)
	if err != nil {
		return nil, err
	}
	key := bytes.Repeat([]byte{7}, seal.KeyBytes)
	body, err := w.network.Evaluate(w.network.Identity(w.organisation, "gateway"), "Dossier:Show", string(argument),
		peertest.Transient(map[string][]byte{"key": key}), peertest.From(w.organisation))
	if err != nil {
		return nil, bare(err)
	}
	var answer seal.Answer
	if err := canonical.Decode(body, &answer); err != nil {
		return nil, err
	}
	return answer.Open(key, query)
}
