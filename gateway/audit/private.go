package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/replay"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// PrivateState counts the private values that the blocks tell of.
type PrivateState struct {
	// Kept ones are Verified where a peer showed the value of that hash, and
	// NotVisible where no peer that was asked may show it.
	Kept       int `json:"kept"`
	Verified   int `json:"verified"`
	NotVisible int `json:"notVisible"`
	Purged     int `json:"purged"`
}

// keptValue is a private value as the blocks tell of it.
type keptValue struct {
	query    dossier.ShowQuery
	mark     dossier.Mark
	verified bool
}

// privateCommand is what Keep and Purge have in common.
type privateCommand struct {
	collection dossier.Collection
	id, record dossier.Pseudonym
	hash       dossier.Hash
	replaces   *dossier.Hash
	state      dossier.State
	mark       func(dossier.Class, string) dossier.Mark
}

// readPrivate reads the argument of a private command; found is false for any
// other function.
func readPrivate(t replay.Transaction) (c privateCommand, found bool, err error) {
	if len(t.Arguments) != 2 {
		return c, false, nil
	}
	switch string(t.Arguments[0]) {
	case dossier.KeepFunction:
		var keep dossier.KeepCommand
		err := dossier.Decode(t.Arguments[1], &keep, dossier.KeepNames()...)
		return privateCommand{keep.Collection, keep.ID, keep.Record, keep.Hash, keep.Replaces, dossier.Kept, keep.Mark}, true, errors.Join(err, keep.Check())
	case dossier.PurgeFunction:
		var purge dossier.PurgeCommand
		err := dossier.Decode(t.Arguments[1], &purge, dossier.PurgeNames()...)
		return privateCommand{purge.Collection, purge.ID, purge.Record, purge.Hash, nil, dossier.Purged, purge.Mark}, true, errors.Join(err, purge.Check())
	}
	return c, false, nil
}

// private judges a private command without the value. It cannot be run again,
// because what was transient is in no block; but the contracts derive every
// other byte from the argument, so all of it is computed here and compared with
// the hashes that the block shows.
func (a *Auditor) private(t replay.Transaction, c privateCommand) {
	differs := func(what, expected, found string) {
		a.addAt(t, Finding{Check: CheckReplay, Key: dossier.NoteKey(c.collection, c.record), What: what, Expected: expected, Found: found})
	}
	organisation := a.organisationOf(t)
	set := t.Results.In(a.options.Chaincode)
	if len(set.Writes)+len(set.Metadata) > 0 || t.Event != nil || len(set.Collections) != 1 || set.Collections[0].Name != string(c.collection) {
		differs("a private command touches its one collection, no public key, and sends no event", "", "")
		return
	}
	answer, err := canonical.Encode(dossier.Answer{V: 1, Collection: c.collection, Hash: c.hash, ID: c.id, Organisation: organisation, Record: c.record, State: c.state})
	if err != nil || !bytes.Equal(answer, t.Response.Payload) {
		differs("the answer differs", string(answer), string(t.Response.Payload))
	}
	act := a.act(t, c, organisation)
	found := set.Collections[0].Writes
	if _, done := a.state.GetPrivateHash(string(c.collection), dossier.ActKey(organisation, c.id)); done {
		if !sameWrites(found, act) {
			differs("a command that was done before writes what it is known by, and nothing else", "", "")
		}
		return
	}
	for _, class := range dossier.Classes() {
		mark := c.mark(class, organisation)
		if sameWrites(found, act, markOf(mark), c.value()) {
			a.settle(t, c, mark, differs)
			return
		}
	}
	differs("the hashes are not those of the command's value, mark and act", "", "")
}

// organisationOf is who carried a transaction, by the ledger's own record.
func (a *Auditor) organisationOf(t replay.Transaction) string {
	value, _ := a.state.Get(party.MSPKey(replay.MSPOf(t.Creator)))
	var msp party.MSP
	_ = json.Unmarshal(value.Data, &msp) // none has no organisation
	return msp.Organisation
}

func digest(data []byte) []byte {
	sum := sha256.Sum256(data)
	return sum[:]
}

// hashed is the hash of a private write as a block shows it.
func hashed(key string, record any) replay.HashedWrite {
	value, err := canonical.Encode(record)
	if err != nil {
		return replay.HashedWrite{} // matches no write
	}
	return replay.HashedWrite{KeyHash: digest([]byte(key)), ValueHash: digest(value)}
}

func (a *Auditor) act(t replay.Transaction, c privateCommand, organisation string) replay.HashedWrite {
	return hashed(dossier.ActKey(organisation, c.id), dossier.Act{V: 1, Command: hex.EncodeToString(digest(t.Arguments[1])), Function: string(t.Arguments[0])})
}

func markOf(mark dossier.Mark) replay.HashedWrite { return hashed(dossier.MarkKey(mark.Record), mark) }

func (c privateCommand) value() replay.HashedWrite {
	write := replay.HashedWrite{KeyHash: digest([]byte(dossier.ValueKey(c.record)))}
	if c.state == dossier.Purged {
		write.Delete, write.Purge = true, true
		return write
	}
	write.ValueHash = c.hash[:]
	return write
}

// sameWrites compares writes, which a block holds in the order of their keys.
func sameWrites(found []replay.HashedWrite, expected ...replay.HashedWrite) bool {
	if len(found) != len(expected) {
		return false
	}
	for _, want := range expected {
		if !slices.ContainsFunc(found, func(have replay.HashedWrite) bool {
			return bytes.Equal(want.KeyHash, have.KeyHash) && bytes.Equal(want.ValueHash, have.ValueHash) && want.Delete == have.Delete && want.Purge == have.Purge
		}) {
			return false
		}
	}
	return true
}

// settle enters a value that was kept or purged, if what went before allows it.
func (a *Auditor) settle(t replay.Transaction, c privateCommand, mark dossier.Mark, differs func(what, expected, found string)) {
	name := dossier.NoteKey(c.collection, c.record)
	before := a.kept[name]
	a.kept[name] = &keptValue{query: dossier.ShowQuery{Collection: c.collection, Record: c.record}, mark: mark}
	switch {
	case before == nil && (c.replaces != nil || c.state == dossier.Purged):
		differs("there was no value", "", mark.Hash.String())
	case before == nil:
		return
	case before.mark.State == dossier.Purged:
		differs("the value was purged before", "", mark.Hash.String())
	case before.mark.Organisation != mark.Organisation || before.mark.Class != mark.Class:
		differs("the value is another organisation's, or of another class", before.mark.Organisation, mark.Organisation)
	case c.state == dossier.Purged && before.mark.Hash != c.hash, c.state == dossier.Kept && (c.replaces == nil || *c.replaces != before.mark.Hash):
		differs("another value was kept", before.mark.Hash.String(), mark.Hash.String())
	}
	a.retained(t, name, differs)
}

// retained reports a value that was touched before the day that a note names.
func (a *Auditor) retained(t replay.Transaction, name string, differs func(what, expected, found string)) {
	noted, _ := a.state.Get(name)
	general, _ := a.state.Get(party.LedgerKey())
	var note dossier.Note
	var ledger party.Ledger
	if json.Unmarshal(noted.Data, &note) != nil || json.Unmarshal(general.Data, &ledger) != nil {
		return // it was never cited
	}
	today, err := ledger.Zone.Date(tape.Instant(t.Timestamp.UnixMilli()))
	if err == nil && note.KeepUntil > today {
		differs("the value had to be kept", "until "+string(note.KeepUntil), "on "+string(today))
	}
}

// Viewer is a peer that may show private values.
type Viewer interface {
	Height(ctx context.Context) (uint64, error)
	Show(ctx context.Context, query dossier.ShowQuery) ([]byte, error)
}

// ComparePrivate asks an organisation's peer for the values that are kept and
// have not been seen yet. What it may not show is not visible; what it shows
// must be the value of that hash, and one that the rules accept.
func (a *Auditor) ComparePrivate(ctx context.Context, organisation string, v Viewer, advance Advance) {
	for _, name := range slices.Sorted(maps.Keys(a.kept)) {
		one := a.kept[name]
		if one.verified || one.mark.State != dossier.Kept {
			continue
		}
		what, found := one.ask(ctx, v)
		if what == "" {
			continue
		}
		// The value may have been replaced or purged since the blocks were read.
		height, err := v.Height(ctx)
		if err == nil && height > a.Height() {
			err = advance(ctx, height)
		}
		if err != nil {
			a.report.Incomplete = true
			a.add(Finding{Check: CheckState, Organisation: organisation, What: "its private values could not be compared: " + err.Error()})
			return
		}
		if a.kept[name] == one {
			a.add(Finding{Check: CheckState, Organisation: organisation, Key: name, What: what, Expected: one.mark.Hash.String(), Found: found})
		}
	}
}

// ask says what is wrong with what a peer shows, and the hash of it.
func (k *keptValue) ask(ctx context.Context, v Viewer) (what, found string) {
	value, err := v.Show(ctx, k.query)
	switch {
	case rule.Is(err, rule.Forbidden), rule.Is(err, rule.WrongState):
		return "", ""
	case err != nil:
		return "the private value is not shown: " + err.Error(), ""
	}
	what = k.wrong(value)
	k.verified = what == ""
	return what, dossier.HashOf(value).String()
}

// wrong says what is wrong with a value, without showing anything of it.
func (k *keptValue) wrong(value []byte) string {
	if dossier.HashOf(value) != k.mark.Hash {
		return "the private value is not the one of that hash"
	}
	read, err := dossier.ReadValue(value)
	switch {
	case err != nil:
		return "the private value is none that the rules accept: " + err.Error()
	case read.Class != k.mark.Class:
		return fmt.Sprintf("the private value is of the class %s, its mark says %s", read.Class, k.mark.Class)
	}
	return ""
}

func (a *Auditor) privateState() PrivateState {
	var state PrivateState
	for _, one := range a.kept {
		switch {
		case one.mark.State == dossier.Purged:
			state.Purged++
			continue
		case one.verified:
			state.Verified++
		default:
			state.NotVisible++
		}
		state.Kept++
	}
	return state
}

// collectionView is what Cite and Strike need to be run again: which
// collections there are. Each organisation has one of its own by Fabric's making.
func (a *Auditor) collectionView() replay.View {
	all := slices.Clone(a.options.Collections)
	for _, mspID := range slices.Sorted(maps.Keys(a.members.authorities)) {
		if policy := encodedPolicy(mspID); policy != nil {
			all = append(all, replay.CollectionRule{Name: string(dossier.OwnCollection(mspID)), Members: []string{mspID}, Policy: policy})
		}
	}
	return replay.View{Collections: all}
}
