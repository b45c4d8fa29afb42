package oracle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-lib-go/common/flogging"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/replay"
)

func TestMain(m *testing.M) {
	flogging.ActivateSpec("fatal") // conflicts are what we came for; the peer warns of each
	os.Exit(m.Run())
}

// pair is the same chaincode on a real peer and in memory.
type pair struct {
	real    *fabric
	state   *replay.State
	view    replay.View
	creator []byte
	count   uint64
	// wrong breaks our side on purpose, to see that the comparison would notice.
	wrong func(set *replay.Set)
}

// endorsed is a transaction that both sides endorsed alike.
type endorsed struct {
	envelope []byte
	set      replay.Set
	empty    bool
	private  []replay.PrivateWrites
	wire     *rwset.TxPvtReadWriteSet
}

var collections = []string{"claims", "names"}

func newPair(t *testing.T) *pair {
	t.Helper()
	peer, err := newFabric(t.TempDir(), script{}, collections)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(peer.close)
	p := &pair{real: peer, state: replay.NewState(peertest.Chaincode), creator: replay.Serialize("bank", []byte("a certificate"))}
	for _, name := range collections {
		p.view.Collections = append(p.view.Collections, replay.CollectionRule{Name: name})
	}
	return p
}

// errUnendorsed says that both sides failed alike.
var errUnendorsed = errors.New("nobody endorses this")

// endorse runs calls on both sides and compares all that comes out.
func (p *pair) endorse(calls []call) (endorsed, error) {
	argument, err := json.Marshal(calls)
	if err != nil {
		return endorsed{}, err
	}
	p.count++
	nonce := fmt.Appendf(nil, "nonce %d", p.count)
	proposal := replay.Proposal{
		Channel: peertest.Channel, TransactionID: replay.TransactionID(nonce, p.creator), Creator: p.creator, Nonce: nonce,
		Timestamp: time.Unix(1_800_000_000+int64(p.count), 5).UTC(), Arguments: [][]byte{[]byte("run"), argument},
	}
	theirs, failure := p.real.endorse(proposal)
	ours, err := replay.Run(script{}, p.state, p.view, proposal)
	if fmt.Sprint(err) != fmt.Sprint(failure) {
		return endorsed{}, fmt.Errorf("the run fails with\n%v\nhere and\n%v\nthere", err, failure)
	}
	if err != nil {
		return endorsed{}, errUnendorsed
	}
	set := ours.Results.In(peertest.Chaincode)
	if p.wrong != nil && len(ours.Results) > 0 {
		p.wrong(&set)
		ours.Results = replay.Results{set}
	}
	if err := compareOutcomes(ours, theirs); err != nil {
		return endorsed{}, err
	}
	envelope, err := peertest.EnvelopeOf(&peertest.Endorsed{Proposal: proposal, Outcome: ours})
	return endorsed{envelope, set, len(ours.Results) == 0, ours.Private, theirs.private}, err
}

func compareOutcomes(ours replay.Outcome, theirs outcome) error {
	if !bytes.Equal(ours.Response.Payload, theirs.response) {
		return fmt.Errorf("the contract saw\n%s\nhere and\n%s\nthere", ours.Response.Payload, theirs.response)
	}
	event := ""
	if ours.Event != nil {
		event = ours.Event.Name + " " + string(ours.Event.Payload)
	}
	if event != theirs.event {
		return fmt.Errorf("the event is %q here and %q there", event, theirs.event)
	}
	public, err := ours.Results.Marshal()
	if err != nil {
		return err
	}
	if !bytes.Equal(public, theirs.public) {
		parsed, err := replay.WriteSetOf(theirs.public)
		return fmt.Errorf("results differ (%v): %s", err, replay.Difference(ours.Results, parsed))
	}
	parsed, err := replay.WriteSetOf(theirs.public)
	if difference := replay.Difference(ours.Results, parsed); err != nil || difference != "" {
		return fmt.Errorf("results do not survive being read: %v %s", err, difference)
	}
	return comparePrivate(ours.Private, theirs.private)
}

func comparePrivate(ours []replay.PrivateWrites, theirs *rwset.TxPvtReadWriteSet) error {
	expected := &rwset.TxPvtReadWriteSet{}
	for _, one := range ours {
		data, err := one.Marshal()
		if err != nil {
			return err
		}
		if len(expected.NsPvtRwset) == 0 {
			expected.NsPvtRwset = []*rwset.NsPvtReadWriteSet{{Namespace: peertest.Chaincode}}
		}
		expected.NsPvtRwset[0].CollectionPvtRwset = append(expected.NsPvtRwset[0].CollectionPvtRwset,
			&rwset.CollectionPvtReadWriteSet{CollectionName: one.Collection, Rwset: data})
	}
	if theirs == nil {
		theirs = &rwset.TxPvtReadWriteSet{}
	}
	if !proto.Equal(expected, theirs) {
		return fmt.Errorf("private sets are %v here and %v there", expected, theirs)
	}
	return nil
}

// commit puts transactions into a block on both sides and compares the codes.
// Private data of the transactions in lost never arrives.
func (p *pair) commit(batch []endorsed, lost map[int]bool) ([]peer.TxValidationCode, error) {
	block := p.state.Begin(p.real.number + 1)
	var codes []peer.TxValidationCode
	var envelopes [][]byte
	private := make([]*rwset.TxPvtReadWriteSet, len(batch))
	for i, one := range batch {
		if !lost[i] {
			private[i] = one.wire
		}
		envelopes = append(envelopes, one.envelope)
		code := block.Check(one.set)
		codes = append(codes, code)
		if code != peer.TxValidationCode_VALID || one.empty {
			continue
		}
		if err := p.apply(block, uint64(i), one, lost[i]); err != nil {
			return nil, err
		}
	}
	theirs, err := p.real.commit(envelopes, private)
	if err != nil {
		return nil, fmt.Errorf("fabric: %w", err)
	}
	for i, code := range codes {
		if byte(code) != theirs[i] {
			return nil, fmt.Errorf("transaction %d is %s here and %s there", i, code, peer.TxValidationCode(theirs[i]))
		}
	}
	return codes, nil
}

func (p *pair) apply(block *replay.Block, index uint64, one endorsed, lost bool) error {
	if err := block.Apply(index, one.set); err != nil || lost {
		return err
	}
	for _, secret := range one.private {
		if err := p.state.ApplyPrivate(one.set, secret, replay.Version{Block: block.Number, Transaction: index}); err != nil {
			return err
		}
	}
	return nil
}

// same compares the whole states, by reading them with one transaction that
// both sides then agree or disagree on.
func (p *pair) same(keys []string) error {
	calls := []call{{"range", "", "", "100000"}, {"composites"}}
	for _, key := range keys {
		calls = append(calls, call{"policy", key})
		for _, collection := range collections {
			calls = append(calls, call{"hash", collection, key}, call{"policyPrivate", collection, key}, call{"getPrivate", collection, key})
		}
	}
	_, err := p.endorse(calls)
	return err
}

// dice makes random transactions.
type dice struct {
	*rand.Rand
	keys []string
}

func newDice(seed uint64, keys int) *dice {
	d := &dice{Rand: rand.New(rand.NewPCG(seed, 0))}
	for i := range keys {
		d.keys = append(d.keys, fmt.Sprintf("k%03d", i))
	}
	return d
}

func (d *dice) key() string        { return d.keys[d.IntN(len(d.keys))] }
func (d *dice) collection() string { return collections[d.IntN(len(collections))] }

func (d *dice) value() string {
	return []string{"", "a", "b", fmt.Sprint(d.IntN(1000)), strings.Repeat("long", 50)}[d.IntN(5)]
}

// calls makes one transaction. Few of them read ranges, or nothing would ever be valid.
func (d *dice) calls() []call {
	var calls []call
	for range 1 + d.IntN(6) {
		calls = append(calls, d.one())
	}
	if d.IntN(6) == 0 {
		calls = append([]call{{"start"}}, calls...)
		if d.IntN(2) == 0 {
			calls = append(calls, call{"finish"}, d.one())
		}
	}
	return calls
}

func (d *dice) one() call {
	switch d.IntN(24) {
	case 0, 1, 2, 3:
		return call{"get", d.key()}
	case 4, 5, 6, 7, 8:
		return call{"put", d.key(), d.value()}
	case 9, 10:
		return call{"delete", d.key()}
	case 11, 12:
		return call{"guard", d.key(), d.value()}
	case 13:
		return call{"policy", d.key()}
	case 14:
		return call{"many", d.key(), d.key(), d.key()}
	case 15:
		return d.query()
	default:
		return d.private()
	}
}

func (d *dice) query() call {
	switch d.IntN(8) {
	case 0:
		return call{"page", d.key(), d.key(), fmt.Sprint(d.IntN(5)), ""}
	case 1:
		return call{"page", "", "", fmt.Sprint(1 + d.IntN(200)), d.key()}
	case 2:
		return call{"putComposite", "kind", d.key(), d.key()}
	case 3:
		return call{"composite", "kind", d.key()}
	case 4:
		return call{"rangePrivate", d.collection(), "", d.key()}
	case 5:
		return []call{{"about"}, {"rich", "{}"}, {"event", d.value(), "payload"}, {"get", ""}, {"put", "", "x"}, {"range", "\x00", "", "1"}}[d.IntN(6)]
	default:
		return call{"range", d.key(), d.key(), fmt.Sprint(d.IntN(300))}
	}
}

func (d *dice) private() call {
	switch d.IntN(9) {
	case 0, 1:
		return call{"putPrivate", d.collection(), d.key(), d.value()}
	case 2:
		return call{"deletePrivate", d.collection(), d.key()}
	case 3:
		return call{"purge", d.collection(), d.key()}
	case 4:
		return call{"guardPrivate", d.collection(), d.key(), d.value()}
	case 5:
		return call{"hash", d.collection(), d.key()}
	case 6:
		return call{"policyPrivate", d.collection(), d.key()}
	case 7:
		return call{"manyPrivate", d.collection(), d.key(), d.key()}
	default:
		return call{"getPrivate", d.collection(), d.key()}
	}
}

// TestRandomBlocks: endorsements of the same state, some of them kept back for
// later blocks, so that all kinds of conflicts come up.
func TestRandomBlocks(t *testing.T) {
	seeds := []uint64{1, 2, 3, 4, 5, 6, 7, 8}
	if testing.Short() {
		seeds = seeds[:2]
	}
	tally := map[peer.TxValidationCode]int{}
	for _, seed := range seeds {
		keys := []int{6, 20, 250, 700}[seed%4]
		if err := simulate(newPair(t), newDice(seed, keys), 60, tally); err != nil {
			t.Fatalf("seed %d, %d keys: %v", seed, keys, err)
		}
	}
	t.Logf("validation codes: %v", tally)
	for _, code := range []peer.TxValidationCode{
		peer.TxValidationCode_VALID, peer.TxValidationCode_MVCC_READ_CONFLICT, peer.TxValidationCode_PHANTOM_READ_CONFLICT,
	} {
		if tally[code] < 5*len(seeds) {
			t.Errorf("only %d transactions are %s: the sequences prove too little", tally[code], code)
		}
	}
}

func simulate(p *pair, d *dice, blocks int, tally map[peer.TxValidationCode]int) error {
	if err := fill(p, d); err != nil {
		return err
	}
	var kept []endorsed
	for number := range blocks {
		var batch []endorsed
		for range 1 + d.IntN(10) {
			one, err := p.endorse(d.calls())
			if errors.Is(err, errUnendorsed) {
				continue
			}
			if err != nil {
				return fmt.Errorf("block %d: %w", number, err)
			}
			batch = append(batch, one)
		}
		batch = append(kept, batch...)
		if len(batch) == 0 {
			continue
		}
		at := d.IntN(len(batch)) + 1
		batch, kept = batch[:at], batch[at:]
		batch = withoutHalting(p, batch)
		lost := map[int]bool{}
		if d.IntN(5) == 0 {
			lost[d.IntN(len(batch)+1)] = true
		}
		codes, err := p.commit(batch, lost)
		if err != nil {
			return fmt.Errorf("block %d: %w", number, err)
		}
		for _, code := range codes {
			tally[code]++
		}
	}
	return p.same(d.keys)
}

// fill writes most keys, so that ranges find more than a batch of 100 and more
// than fits into one level of a hash tree.
func fill(p *pair, d *dice) error {
	var calls []call
	for _, key := range d.keys {
		if d.IntN(5) > 0 {
			calls = append(calls, call{"put", key, "first"})
		}
	}
	one, err := p.endorse(calls)
	if err != nil {
		return err
	}
	_, err = p.commit([]endorsed{one}, nil)
	return err
}

// withoutHalting leaves out what would stop the real peer; TestWhatHalts shows
// that it does.
func withoutHalting(p *pair, batch []endorsed) []endorsed {
	trial := p.state.Clone().Begin(p.real.number + 1)
	var safe []endorsed
	for _, one := range batch {
		if trial.Check(one.set) == peer.TxValidationCode_VALID && !one.empty && trial.Apply(uint64(len(safe)), one.set) != nil {
			continue
		}
		safe = append(safe, one)
	}
	return safe
}

// TestLargeRanges goes where the hash tree over a range gets a second and a
// third level: 50 times 51 keys and beyond.
func TestLargeRanges(t *testing.T) {
	if testing.Short() {
		t.Skip("writes some thousand keys")
	}
	p := newPair(t)
	d := newDice(9, 1000)
	for from := range 4 {
		var calls []call
		for i := range 1000 {
			calls = append(calls, call{"put", fmt.Sprintf("r%d-%03d", from, i), "x"})
		}
		one, err := p.endorse(append([]call{{"start"}}, calls...))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.commit([]endorsed{one}, nil); err != nil {
			t.Fatal(err)
		}
	}
	var batch []endorsed
	for _, most := range []int{0, 1, 49, 50, 51, 99, 100, 101, 102, 199, 200, 201, 2499, 2550, 2551, 2601, 2602, 4000} {
		one, err := p.endorse([]call{{"range", "r", "s", fmt.Sprint(most)}, {"put", d.key(), fmt.Sprint(most)}})
		if err != nil {
			t.Fatalf("a range left after %d: %v", most, err)
		}
		batch = append(batch, one)
	}
	change, err := p.endorse([]call{{"put", "r2-500", "changed"}, {"put", "r3-999", "changed"}})
	if err != nil {
		t.Fatal(err)
	}
	codes, err := p.commit(append(append(batch[:9:9], change), batch...), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(codes)
}

// TestWhatHalts: metadata alone for a key that was deleted in the same block
// makes the real peer panic, and is ErrHalts here.
func TestWhatHalts(t *testing.T) {
	p := newPair(t)
	var batch []endorsed
	for i, calls := range [][]call{{{"put", "a", "1"}}, {{"delete", "a"}}, {{"guard", "a", "x"}}} {
		one, err := p.endorse(calls)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if _, err := p.commit([]endorsed{one}, nil); err != nil {
				t.Fatal(err)
			}
			continue
		}
		batch = append(batch, one)
	}
	block := p.state.Clone().Begin(2)
	if err := block.Apply(0, batch[0].set); err != nil {
		t.Fatal(err)
	}
	if err := block.Apply(1, batch[1].set); err == nil {
		t.Error("here it does not halt")
	}
	_, err := p.real.commit([][]byte{batch[0].envelope, batch[1].envelope}, make([]*rwset.TxPvtReadWriteSet, 2))
	if err == nil || !strings.Contains(err.Error(), "Nil value not allowed") {
		t.Errorf("the real peer goes on: %v", err)
	}
}

// TestComparisonCanFail breaks our side in the ways such code is broken in, and
// wants each of them noticed.
func TestComparisonCanFail(t *testing.T) {
	for name, wrong := range map[string]func(p *pair){
		"a read is not noted":  func(p *pair) { p.wrong = func(s *replay.Set) { s.Reads = nil } },
		"a range is not noted": func(p *pair) { p.wrong = func(s *replay.Set) { s.Ranges = nil } },
		"metadata is lost":     func(p *pair) { p.wrong = func(s *replay.Set) { s.Metadata = nil } },
		"a collection has no hash": func(p *pair) {
			p.wrong = func(s *replay.Set) {
				for i := range s.Collections {
					s.Collections[i].PrivateHash = nil
				}
			}
		},
		"a collection is not known": func(p *pair) { p.view.Collections = p.view.Collections[:1] },
		"another identity":          func(p *pair) { p.view.Collections[0].MemberOnlyRead = true },
		"state that was never there": func(p *pair) {
			p.state.Apply(replay.Set{Namespace: peertest.Chaincode, Writes: []replay.Write{{Key: "k999", Value: []byte("ghost")}}}, replay.Version{Block: 9})
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			wrong(p)
			if err := simulate(p, newDice(1, 20), 60, map[peer.TxValidationCode]int{}); err == nil {
				t.Fatal("nobody noticed")
			}
		})
	}
	t.Run("conflicts are not checked", func(t *testing.T) {
		p := newPair(t)
		var batch []endorsed
		for range 2 {
			one, err := p.endorse([]call{{"get", "a"}, {"put", "a", "1"}})
			if err != nil {
				t.Fatal(err)
			}
			one.set.Reads = nil // ours forgets them between endorsement and commit
			batch = append(batch, one)
		}
		if _, err := p.commit(batch, nil); err == nil {
			t.Fatal("nobody noticed")
		}
	})
}
