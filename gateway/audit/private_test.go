package audit_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/dossier/seal"
	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/replay"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/audit"
)

// people is a village with private data about three people who do not exist:
// one is kept, one was replaced and cited, one was purged and struck.
type people struct {
	*village
	values map[string][]byte
}

func sharedCollection() replay.CollectionRule {
	policy, err := proto.Marshal(replay.OutOf(2, "charity", "bank"))
	if err != nil {
		panic(err)
	}
	return replay.CollectionRule{Name: "charity-bank", Members: []string{"charity", "bank"}, MemberOnlyRead: true, MemberOnlyWrite: true, Policy: policy}
}

func pseudonym(seed string) dossier.Pseudonym {
	digest := sha256.Sum256([]byte(seed))
	return tape.PseudonymOf([16]byte(digest[:16]))
}

func newPeople(t *testing.T) *people {
	p := &people{newVillage(t), map[string][]byte{}}
	p.Collection(sharedCollection())
	for _, name := range []string{"kept", "changed", "purged"} {
		p.keep(name, name, nil)
	}
	old := dossier.HashOf(p.values["changed"])
	p.keep("changed", "changed since", &old)
	p.keep("changed", "changed since", &old) // a retry
	p.by("charity", "Dossier:Cite", dossier.CiteCommand{Class: dossier.Donor, Collection: "charity-bank", Hash: dossier.HashOf(p.values["changed since"]),
		ID: pseudonym("cite"), KeepUntil: "2027-01-01", Record: pseudonym("changed")})
	gone := dossier.HashOf(p.values["purged"])
	p.privately("Dossier:Purge", dossier.PurgeCommand{Collection: "charity-bank", Hash: gone, ID: pseudonym("purge"), Reason: dossier.Requested, Record: pseudonym("purged")}, nil)
	p.by("charity", "Dossier:Strike", dossier.StrikeCommand{Class: dossier.Donor, Collection: "charity-bank", Hash: gone, ID: pseudonym("strike"), Reason: dossier.Requested, Record: pseudonym("purged")})
	return p
}

func (p *people) keep(record, name string, replaces *dossier.Hash) {
	p.t.Helper()
	salt := sha256.Sum256([]byte("salt " + name))
	v := dossier.Value{V: 1, Class: dossier.Donor, Fields: dossier.Fields{Name: "Nobody " + name}, Salt: dossier.Salt(salt[:16])}
	value, err := v.Encode()
	p.values[name] = must(p.t, value, err)
	p.privately("Dossier:Keep", dossier.KeepCommand{Collection: "charity-bank", Hash: dossier.HashOf(value), ID: pseudonym("keep " + name), Record: pseudonym(record), Replaces: replaces},
		map[string][]byte{"value": value})
}

func (p *people) privately(function string, command any, transient map[string][]byte) {
	p.t.Helper()
	p.Advance(time.Second)
	_, err := p.Invoke(p.Identity("charity", "gateway"), function, p.encode(command), peertest.Transient(transient), peertest.From("charity", "bank"))
	if err != nil {
		p.t.Fatalf("%s: %v", function, err)
	}
}

// viewer is an organisation's peer as it is.
type viewer struct {
	*people
	organisation string
	change       func([]byte) []byte
}

func (v viewer) Height(context.Context) (uint64, error) { return v.village.Height(), nil }

func (v viewer) Show(_ context.Context, query dossier.ShowQuery) ([]byte, error) {
	key := bytes.Repeat([]byte("k"), seal.KeyBytes)
	body, err := v.village.Evaluate(v.Identity(v.organisation, "auditor"), "Dossier:Show", v.encode(query), peertest.Transient(map[string][]byte{"key": key}))
	if err != nil {
		return nil, err
	}
	var answer seal.Answer
	if err := dossier.Decode(body, &answer); err != nil {
		return nil, err
	}
	value, err := answer.Open(key, query)
	if v.change != nil {
		value = v.change(value)
	}
	return value, err
}

// audited replays blocks, asks the peers that are named, and returns the report.
func (p *people) audited(t *testing.T, blocks []*common.Block, viewers ...viewer) audit.Report {
	t.Helper()
	a := audit.New(audit.Options{Contracts: newContracts(), Chaincode: peertest.Chaincode, Policy: replay.OutOf(3, five...),
		Collections: []replay.CollectionRule{sharedCollection()}, Pause: time.Millisecond})
	for _, block := range blocks {
		if err := a.Block(proto.Clone(block).(*common.Block)); err != nil {
			return a.Close()
		}
	}
	for _, v := range viewers {
		a.ComparePrivate(context.Background(), v.organisation, v, func(_ context.Context, height uint64) error {
			for number := a.Height(); number < height; number++ {
				if err := a.Block(p.chain()[number]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return a.Close()
}

func TestPrivateValuesAreAudited(t *testing.T) {
	p := newPeople(t)
	for _, c := range []struct {
		viewers []string
		answer  audit.PrivateState
	}{
		{nil, audit.PrivateState{Kept: 2, NotVisible: 2, Purged: 1}},
		{[]string{"coop", "regulator"}, audit.PrivateState{Kept: 2, NotVisible: 2, Purged: 1}},
		{[]string{"coop", "bank", "charity"}, audit.PrivateState{Kept: 2, Verified: 2, Purged: 1}},
	} {
		var viewers []viewer
		for _, organisation := range c.viewers {
			viewers = append(viewers, viewer{p, organisation, nil})
		}
		report := p.audited(t, p.chain(), viewers...)
		if report.Private != c.answer || report.Differences != 0 {
			t.Errorf("%v: %+v\n%s", c.viewers, report.Private, report.Text())
		}
	}
	report := p.audited(t, p.chain(), viewer{p, "bank", nil})
	if !strings.Contains(report.Text(), "private values: 2 verified, 0 not visible, 1 purged") {
		t.Errorf("it prints\n%s", report.Text())
	}
	for _, want := range []string{"Nobody"} {
		if strings.Contains(report.Text()+fmt.Sprint(report), want) {
			t.Errorf("the report holds %q", want)
		}
	}
}

// TestPrivateValuesThatDiffer: the audit tells that a peer shows something else, and not what.
func TestPrivateValuesThatDiffer(t *testing.T) {
	p := newPeople(t)
	lied := viewer{p, "bank", func(value []byte) []byte { return bytes.Replace(value, []byte("Nobody"), []byte("Nobodi"), 1) }}
	report := p.audited(t, p.chain(), lied)
	if text := report.Text(); report.Differences != 2 || !strings.Contains(text, "the private value is not the one of that hash") || strings.Contains(text, "Nobod") {
		t.Errorf("it prints\n%s", text)
	}
	report = p.audited(t, p.chain(), viewer{p, "bank", func([]byte) []byte { return nil }})
	if report.Differences != 2 {
		t.Errorf("nothing was shown:\n%s", report.Text())
	}
}

// TestAValueThatIsPurgedWhileItIsAudited is no difference.
func TestAValueThatIsPurgedWhileItIsAudited(t *testing.T) {
	p := newPeople(t)
	blocks := p.chain()
	p.privately("Dossier:Purge", dossier.PurgeCommand{Collection: "charity-bank", Hash: dossier.HashOf(p.values["kept"]), ID: pseudonym("late"), Reason: dossier.Requested, Record: pseudonym("kept")}, nil)
	report := p.audited(t, blocks, viewer{p, "bank", nil})
	if want := (audit.PrivateState{Kept: 1, Verified: 1, Purged: 2}); report.Private != want || report.Differences != 0 {
		t.Errorf("%+v\n%s", report.Private, report.Text())
	}
}

// TestTamperingWithPrivateCommands changes one thing on an honest chain.
func TestTamperingWithPrivateCommands(t *testing.T) {
	p := newPeople(t)
	at := func(name string) string { return string(pseudonym(name)) }
	for _, c := range []struct {
		name         string
		function, id string
		change       func(*parts)
		prints       string
	}{
		{"another value than the argument says", "Dossier:Keep", "keep kept", func(p *parts) {
			writes := p.results[0].Collections[0].Writes
			for i := range writes {
				writes[i].ValueHash = append([]byte{1}, writes[i].ValueHash[1:]...)
			}
		}, "the hashes are not those of the command's value, mark and act"},
		{"one write less", "Dossier:Keep", "keep kept", func(p *parts) {
			p.results[0].Collections[0].Writes = p.results[0].Collections[0].Writes[1:]
		}, "the hashes are not those of the command's value, mark and act"},
		{"a public key", "Dossier:Keep", "keep kept", func(p *parts) {
			p.results[0].Writes = []replay.Write{{Key: "name", Value: []byte("x")}}
		}, "a private command touches its one collection, no public key, and sends no event"},
		{"an event", "Dossier:Keep", "keep kept", func(p *parts) { p.event.EventName = "told" }, "a private command touches its one collection"},
		{"another collection", "Dossier:Keep", "keep kept", func(p *parts) { p.results[0].Collections[0].Name = "charity-coop" }, "a private command touches its one collection"},
		{"an answer that tells more", "Dossier:Keep", "keep kept", func(p *parts) { p.response.Payload = append(p.response.Payload, '!') }, "the answer differs"},
		{"an argument that the contract refuses", "Dossier:Keep", "keep kept", func(p *parts) {
			p.arguments[1] = replaced(p.arguments[1], `"record"`, `"name"`)
		}, "the contracts refuse what was committed"},
		{"a deletion that is no purge", "Dossier:Purge", "purge", func(p *parts) {
			writes := p.results[0].Collections[0].Writes
			for i := range writes {
				writes[i].Purge = false
			}
		}, "the hashes are not those of the command's value, mark and act"},
		{"a replacement that writes less", "Dossier:Keep", "keep changed since", func(p *parts) {
			p.results[0].Collections[0].Writes = p.results[0].Collections[0].Writes[:2]
		}, "the hashes are not those of the command's value, mark and act"},
		{"a first value that did not count, as if it had lost a race", "Dossier:Keep", "keep changed", func(p *parts) { p.code = peer.TxValidationCode_MVCC_READ_CONFLICT },
			"there was no value"},
	} {
		blocks := p.chain()
		rewrite(find(blocks, c.function, at(c.id)), 0, c.change)
		report := p.audited(t, linked(blocks))
		if text := report.Text(); !strings.Contains(text, c.prints) {
			t.Errorf("%s: it prints\n%s", c.name, text)
		}
	}
}

// TestARetryThatWritesMore: what was done before may not bring a value back.
func TestARetryThatWritesMore(t *testing.T) {
	p := newPeople(t)
	blocks := p.chain()
	first, retry := find(blocks, "Dossier:Keep", string(pseudonym("keep changed since"))), 0
	for i, block := range blocks {
		if block.Header.Number == first.Header.Number+1 {
			retry = i
		}
	}
	whole, err := replay.TransactionsOf(first)
	if err != nil {
		t.Fatal(err)
	}
	rewrite(blocks[retry], 0, func(p *parts) {
		if len(p.results[0].Collections[0].Writes) != 1 {
			t.Fatal("this is not the retry")
		}
		p.results[0].Collections[0].Writes = whole[0].Results.In(peertest.Chaincode).Collections[0].Writes
	})
	report := p.audited(t, linked(blocks))
	if text := report.Text(); !strings.Contains(text, "a command that was done before writes what it is known by, and nothing else") {
		t.Errorf("it prints\n%s", text)
	}
}

// TestAPurgeBeforeItsDay: members who collude purge what a note promises to keep.
func TestAPurgeBeforeItsDay(t *testing.T) {
	p := newPeople(t)
	hash, record := dossier.HashOf(p.values["changed since"]), pseudonym("changed")
	command := dossier.PurgeCommand{Collection: "charity-bank", Hash: hash, ID: pseudonym("early"), Reason: dossier.Requested, Record: record}
	later := peertest.At(time.Date(2027, 1, 2, 0, 0, 0, 0, time.UTC))
	endorsed, err := p.Endorse(p.Identity("charity", "gateway"), "Dossier:Purge", p.encode(command), peertest.From("charity", "bank"), later)
	if err != nil {
		t.Fatal(err)
	}
	endorsed.Proposal.Timestamp = p.Clock() // the honest answer of another day
	results, err := p.Commit(endorsed)
	if err != nil || !results[0].Valid() {
		t.Fatal(errors.Join(err, fmt.Errorf("%v", results)))
	}
	report := p.audited(t, p.chain())
	if text := report.Text(); !strings.Contains(text, "the value had to be kept; expected until 2027-01-01, found on 2026-01-0") {
		t.Errorf("it prints\n%s", text)
	}
}
