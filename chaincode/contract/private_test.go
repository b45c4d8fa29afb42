package contract_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/dossier/seal"
	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/replay"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const payouts = dossier.Collection("charity-bank")

// newPrivateWorld has the collections of the default network.
func newPrivateWorld(t testing.TB) *world {
	w := newWorld(t)
	define := func(name string, guarded bool, members ...string) {
		policy, err := proto.Marshal(replay.OutOf(len(members), members...))
		if err != nil {
			t.Fatal(err)
		}
		w.Collection(replay.CollectionRule{Name: name, Members: members, MemberOnlyRead: guarded, MemberOnlyWrite: guarded, Policy: policy})
	}
	define(string(payouts), true, "charity", "bank")
	for _, name := range organisations {
		// Fabric does not ask whose client uses an organisation's own collection.
		define(string(dossier.OwnCollection(name)), false, name)
	}
	return w
}

func pseudonym(seed string) dossier.Pseudonym {
	digest := sha256.Sum256([]byte("pseudonym " + seed))
	return tape.PseudonymOf([16]byte(digest[:16]))
}

// person is a value about somebody who does not exist.
func person(name string) dossier.Value {
	digest := sha256.Sum256([]byte("salt " + name))
	return dossier.Value{V: 1, Class: dossier.Household, Fields: dossier.Fields{Name: name, Phone: "000 0000"}, Salt: dossier.Salt(digest[:16])}
}

// kept is a private value on its way.
type kept struct {
	command dossier.KeepCommand
	value   []byte
}

func keep(t testing.TB, collection dossier.Collection, id string, v dossier.Value) kept {
	t.Helper()
	data, err := v.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return kept{dossier.KeepCommand{Collection: collection, Hash: dossier.HashOf(data), ID: pseudonym("keep " + id), Record: pseudonym("record " + id)}, data}
}

func (k kept) purge(id string) dossier.PurgeCommand {
	return dossier.PurgeCommand{Collection: k.command.Collection, Hash: k.command.Hash, ID: pseudonym("purge " + id), Reason: dossier.Requested, Record: k.command.Record}
}

func (k kept) cite(id string, until tape.Date) dossier.CiteCommand {
	return dossier.CiteCommand{Class: dossier.Household, Collection: k.command.Collection, Hash: k.command.Hash, ID: pseudonym("cite " + id), KeepUntil: until, Record: k.command.Record}
}

func (k kept) strike(id string) dossier.StrikeCommand {
	return dossier.StrikeCommand{Class: dossier.Household, Collection: k.command.Collection, Hash: k.command.Hash, ID: pseudonym("strike " + id), Reason: dossier.Requested, Record: k.command.Record}
}

// secretly sends a private command to the members of its collection.
func (w *world) secretly(as, function string, command any, transient map[string][]byte, members ...string) (peertest.Result, error) {
	w.Helper()
	return w.Invoke(w.identity(as), function, encode(w, command), peertest.Transient(transient), peertest.From(members...))
}

func (w *world) keep(as string, k kept, members ...string) (peertest.Result, error) {
	w.Helper()
	return w.secretly(as, "Dossier:Keep", k.command, map[string][]byte{"value": k.value}, members...)
}

// refusedSecretly wants a refusal that holds a text, and nothing written.
func (w *world) refusedSecretly(want string, err error) {
	w.Helper()
	var refusal *rule.Refusal
	if !errors.As(err, &refusal) || !strings.Contains(refusal.Error(), want) {
		w.Errorf("\n got %v\nwant %s", err, want)
	}
}

var oneTimeKey = []byte("0123456789abcdef0123456789abcdef")

// show evaluates at a peer of the caller's own organisation unless another is named.
func (w *world) show(as string, k kept, at ...peertest.Option) ([]byte, error) {
	w.Helper()
	query := dossier.ShowQuery{Collection: k.command.Collection, Record: k.command.Record}
	body, err := w.Evaluate(w.identity(as), "Dossier:Show", encode(w, query), append([]peertest.Option{peertest.Transient(map[string][]byte{"key": oneTimeKey})}, at...)...)
	if err != nil {
		return nil, err
	}
	if bytes.Contains(body, k.value) {
		w.Error("the answer is not sealed")
	}
	return decodeJSON[seal.Answer](w, body).Open(oneTimeKey, query)
}

func TestAPrivateValueFromKeepToStrike(t *testing.T) {
	w := newPrivateWorld(t)
	k := keep(t, payouts, "1", person("虚构 Invented"))
	result, err := w.keep("charity", k, "charity", "bank")
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Set.Writes) != 0 || result.Event != nil || len(result.Set.Collections) != 1 {
		t.Errorf("a private command wrote %+v and sent %v", result.Set, result.Event)
	}
	want := fmt.Sprintf(`{"collection":"charity-bank","hash":"%s","id":"%s","organisation":"charity","record":"%s","state":"kept","v":1}`, k.command.Hash, k.command.ID, k.command.Record)
	if got := string(result.Response.Payload); got != want {
		t.Errorf("the answer is %s", got)
	}
	for _, as := range []string{"charity", "bank", "bank:auditor"} {
		if value, err := w.show(as, k); err != nil || !bytes.Equal(value, k.value) {
			t.Errorf("%s is shown %s, %v", as, value, err)
		}
	}
	entry := w.must("charity", "Dossier:Cite", k.cite("1", "2026-03-01"))
	if entry.Kind != "cite" || entry.Subject != string(k.command.Record) {
		t.Errorf("the entry is %+v", entry)
	}
	note := record[dossier.Note](w, dossier.NoteKey(payouts, k.command.Record))
	if note.State != dossier.Kept || note.Hash != k.command.Hash || note.KeepUntil != "2026-03-01" || note.Organisation != "charity" {
		t.Errorf("the note is %+v", note)
	}
	_, err = w.secretly("charity", "Dossier:Purge", k.purge("1"), nil, "charity", "bank")
	w.refusedSecretly("wrong-state: field record: must be kept until 2026-03-01", err)
	w.refused("wrong-state: field record: still holds a value", "charity", "Dossier:Strike", k.strike("1"))

	w.Advance(59 * 24 * 3600 * 1e9)
	result, err = w.secretly("charity", "Dossier:Purge", k.purge("1"), nil, "charity", "bank")
	if err != nil {
		t.Fatal(err)
	}
	if purged := result.Set.Collections[0].Writes; len(result.Set.Writes) != 0 || len(purged) != 3 || !purgesOne(purged) {
		t.Errorf("the purge wrote %+v", result.Set)
	}
	if _, known := w.State().GetPrivate(string(payouts), dossier.ValueKey(k.command.Record)); known {
		t.Error("a purged value is still there")
	}
	if _, known := w.State().GetPrivateHash(string(payouts), dossier.ValueKey(k.command.Record)); known {
		t.Error("the hash of a purged value is still there")
	}
	_, err = w.show("charity", k)
	w.refusedSecretly("not-found: field record: holds no value", err)
	w.must("charity", "Dossier:Strike", k.strike("1"))
	if note = record[dossier.Note](w, dossier.NoteKey(payouts, k.command.Record)); note.State != dossier.Purged || note.Reason != dossier.Requested {
		t.Errorf("the note is %+v", note)
	}
	w.refused("wrong-state: field record: is marked as purged already", "charity", "Dossier:Strike", with(k.strike("1"), func(c *dossier.StrikeCommand) { c.ID = pseudonym("other") }))
}

func with[C any](c C, change func(*C)) C {
	change(&c)
	return c
}

func purgesOne(writes []replay.HashedWrite) bool {
	purges := 0
	for _, write := range writes {
		if write.Purge {
			purges++
		}
	}
	return purges == 1
}

// TestTheSameAgain: a retry is answered as before, also after what it did was undone.
func TestPrivateCommandsAgain(t *testing.T) {
	w := newPrivateWorld(t)
	k := keep(t, payouts, "1", person("虚构"))
	first, err := w.keep("charity", k, "charity", "bank")
	if err != nil {
		t.Fatal(err)
	}
	again := func(what string) {
		t.Helper()
		second, err := w.keep("charity", k, "charity", "bank")
		if err != nil || !bytes.Equal(first.Response.Payload, second.Response.Payload) || len(second.Set.Collections[0].Writes) != 1 {
			t.Errorf("%s: %s, %v, %+v", what, second.Response.Payload, err, second.Set)
		}
	}
	again("at once")
	other := keep(t, payouts, "1", person("另一个"))
	_, err = w.keep("charity", other, "charity", "bank")
	w.refusedSecretly("exists: field id: is taken by another command", err)
	other.command.ID = pseudonym("a new id")
	_, err = w.keep("charity", other, "charity", "bank")
	w.refusedSecretly("exists: field record: holds a value already", err)
	other.command.Replaces = &k.command.Hash
	if _, err = w.keep("charity", other, "charity", "bank"); err != nil {
		t.Fatal(err)
	}
	again("after another took its place")
	if value, err := w.show("bank", other); err != nil || !bytes.Equal(value, other.value) {
		t.Errorf("shown %s, %v", value, err)
	}
	purge := other.purge("1")
	for range 2 {
		result, err := w.secretly("charity", "Dossier:Purge", purge, nil, "charity", "bank")
		if err != nil || !strings.Contains(string(result.Response.Payload), `"state":"purged"`) {
			t.Fatalf("%s, %v", result.Response.Payload, err)
		}
	}
	again("after it was purged")
	if _, known := w.State().GetPrivate(string(payouts), dossier.ValueKey(k.command.Record)); known {
		t.Error("a late retry brought a purged value back")
	}
	back := with(k, func(k *kept) { k.command.ID = pseudonym("back") })
	_, err = w.keep("charity", back, "charity", "bank")
	w.refusedSecretly("wrong-state: field record: was purged", err)
	cite := other.cite("1", "")
	w.refused("not-found: field record: holds no value", "charity", "Dossier:Cite", cite)
	strike := other.strike("1")
	one, two := w.must("charity", "Dossier:Strike", strike), w.must("charity", "Dossier:Strike", strike)
	if one.Reference() != two.Reference() {
		t.Error("a strike was not answered again")
	}
	w.refused("exists: entry "+string(strike.ID)+" exists with other content", "charity", "Dossier:Cite", with(cite, func(c *dossier.CiteCommand) { c.ID = strike.ID }))
	_, err = w.keep("charity", with(keep(t, payouts, "2", person("第三")), func(k *kept) { k.command.ID = strike.ID }), "charity", "bank")
	w.refusedSecretly("exists: entry "+string(strike.ID)+" exists with other content", err)
}

func TestOnlyMembers(t *testing.T) {
	w := newPrivateWorld(t)
	own := dossier.OwnCollection("charity")
	k, mine := keep(t, payouts, "1", person("虚构")), keep(t, own, "2", person("自有"))
	for as, want := range map[string]string{"coop": "forbidden: field collection: is for its members", "charity:auditor": "forbidden: this needs the role gateway", "charity:": "forbidden: this needs the role gateway"} {
		_, err := w.keep(as, k, "charity", "bank")
		w.refusedSecretly(want, err)
	}
	_, err := w.keep("coop", mine, "charity")
	w.refusedSecretly("forbidden: field collection: belongs to another organisation", err)
	_, err = w.keep("charity", with(k, func(k *kept) { k.command.Collection = "charity-coop" }), "charity", "bank")
	w.refusedSecretly("not-found: field collection: is not in the chaincode's definition", err)

	if _, err := w.keep("charity", k, "charity", "bank"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.keep("charity", mine, "charity"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		as, at, want string
		k            kept
	}{
		{"coop", "coop", "forbidden: field collection: is for its members", k},
		{"coop", "bank", "forbidden: field collection: is for its members", k},
		{"charity", "coop", "wrong-state: field collection: has a value that this peer has not received", k},
		{"coop", "charity", "forbidden: field collection: belongs to another organisation", mine},
		{"bank", "charity", "forbidden: field collection: belongs to another organisation", mine},
		{"charity", "charity", "", mine},
		{"charity:", "charity", "forbidden: this needs the role gateway or auditor", mine},
		{"charity:admin", "charity", "forbidden: this needs the role gateway or auditor", k},
	} {
		value, err := w.show(c.as, c.k, peertest.From(c.at))
		if c.want == "" {
			if err != nil || !bytes.Equal(value, c.k.value) {
				t.Errorf("%s at %s: %s, %v", c.as, c.at, value, err)
			}
			continue
		}
		w.refusedSecretly(c.want, err)
	}
	for as, want := range map[string]string{"bank": "forbidden: field record: is kept by charity", "coop": "forbidden: field collection: is for its members"} {
		_, err = w.secretly(as, "Dossier:Purge", k.purge("1"), nil, "charity", "bank")
		w.refusedSecretly(want, err)
		w.refused("conflict: field record: was kept by another organisation", as, "Dossier:Cite", k.cite("1", ""))
	}
	w.refused("forbidden: field collection: belongs to another organisation", "bank", "Dossier:Cite", mine.cite("2", ""))
	w.must("charity", "Dossier:Cite", mine.cite("2", ""))
}

// TestMembersEndorse: neither member writes alone, and no other organisations in their place.
func TestMembersEndorse(t *testing.T) {
	w := newPrivateWorld(t)
	k := keep(t, payouts, "1", person("虚构"))
	endorsed, err := w.Endorse(w.identity("charity"), "Dossier:Keep", encode(t, k.command),
		peertest.Transient(map[string][]byte{"value": k.value}), peertest.From("charity", "bank"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ endorsers, want string }{
		{"charity", "ENDORSEMENT_POLICY_FAILURE"}, {"bank", "ENDORSEMENT_POLICY_FAILURE"},
		{"coop insurer regulator", "ENDORSEMENT_POLICY_FAILURE"}, {"charity coop insurer regulator", "ENDORSEMENT_POLICY_FAILURE"},
		{"charity bank", "VALID"},
	} {
		// A transaction counts once, so each attempt has to be another one.
		w.unreal = true
		attempt := w.By(endorsed, strings.Fields(c.endorsers)...)
		attempt.Proposal.TransactionID += c.endorsers
		results, err := w.Commit(attempt)
		if err != nil || results[0].Code.String() != c.want {
			t.Errorf("endorsed by %s: %v, %v", c.endorsers, results, err)
		}
	}
}

// TestPurgeAndCiteAtOnce: what both find right cannot both become true.
func TestPurgeAndCiteAtOnce(t *testing.T) {
	for _, first := range []string{"cite", "purge"} {
		w := newPrivateWorld(t)
		k := keep(t, payouts, "1", person("虚构"))
		if _, err := w.keep("charity", k, "charity", "bank"); err != nil {
			t.Fatal(err)
		}
		cite, err := w.Endorse(w.identity("charity"), "Dossier:Cite", encode(t, k.cite("1", "2030-01-01")))
		if err != nil {
			t.Fatal(err)
		}
		purge, err := w.Endorse(w.identity("charity"), "Dossier:Purge", encode(t, k.purge("1")), peertest.From("charity", "bank"))
		if err != nil {
			t.Fatal(err)
		}
		batch := []*peertest.Endorsed{cite, purge}
		if first == "purge" {
			batch = []*peertest.Endorsed{purge, cite}
		}
		results, err := w.Commit(batch...)
		if err != nil || !results[0].Valid() || results[1].Code != peer.TxValidationCode_MVCC_READ_CONFLICT {
			t.Errorf("%s first: %s, %s, %v", first, results[0].Code, results[1].Code, err)
		}
	}
}

func TestTransientData(t *testing.T) {
	w := newPrivateWorld(t)
	k := keep(t, payouts, "1", person("虚构"))
	for _, c := range []struct {
		function  string
		command   any
		transient map[string][]byte
		want      string
	}{
		{"Dossier:Keep", k.command, nil, "invalid: Dossier:Keep takes one field of transient data, value"},
		{"Dossier:Keep", k.command, map[string][]byte{"Value": k.value}, "invalid: Dossier:Keep takes one field of transient data, value"},
		{"Dossier:Keep", k.command, map[string][]byte{"value": {}}, "invalid: Dossier:Keep takes one field of transient data, value"},
		{"Dossier:Keep", k.command, map[string][]byte{"value": k.value, "more": k.value}, "invalid: Dossier:Keep takes one field of transient data, value"},
		{"Dossier:Keep", k.command, map[string][]byte{"value": k.value[1:]}, "conflict: field hash: is not the SHA-256 of the transient value"},
		{"Dossier:Keep", with(k, func(k *kept) { k.command.Hash = dossier.HashOf([]byte("{虚构")) }).command, map[string][]byte{"value": []byte("{虚构")}, "invalid: field value: is not the canonical JSON"},
		{"Dossier:Purge", k.purge("1"), map[string][]byte{"value": k.value}, "invalid: Dossier:Purge takes no transient data"},
		{"Dossier:Cite", k.cite("1", ""), map[string][]byte{"value": k.value}, "invalid: Dossier:Cite takes no transient data"},
		{"Dossier:Strike", k.strike("1"), map[string][]byte{"value": k.value}, "invalid: Dossier:Strike takes no transient data"},
		{"Dossier:Show", dossier.ShowQuery{Collection: payouts, Record: k.command.Record}, nil, "invalid: Dossier:Show takes one field of transient data, key"},
		{"Tape:Open", open(books), map[string][]byte{"value": k.value}, "invalid: Tape:Open takes no transient data"},
		{"Audit:Read", `{"key":"ledger"}`, map[string][]byte{"value": k.value}, "invalid: Audit:Read takes no transient data"},
	} {
		before := w.State().Digest()
		_, err := w.secretly("charity", c.function, c.command, c.transient, "charity", "bank")
		w.refusedSecretly(c.want, err)
		if w.State().Digest() != before || err != nil && strings.Contains(err.Error(), "虚构") {
			t.Errorf("%s wrote or told: %v", c.function, err)
		}
	}
	if _, err := w.keep("charity", k, "charity", "bank"); err != nil {
		t.Fatal(err)
	}
	_, err := w.secretly("charity", "Dossier:Show", dossier.ShowQuery{Collection: payouts, Record: k.command.Record}, map[string][]byte{"key": []byte("short")}, "charity", "bank")
	w.refusedSecretly("invalid: the key is 5 bytes long, not 32", err)
}

// TestAShowThatIsSubmitted: by mistake it reaches a block, and tells nothing there.
func TestAShowThatIsSubmitted(t *testing.T) {
	w := newPrivateWorld(t)
	k := keep(t, payouts, "1", person("虚构 Invented Name"))
	if _, err := w.keep("charity", k, "charity", "bank"); err != nil {
		t.Fatal(err)
	}
	endorsed, err := w.Endorse(w.identity("charity"), "Dossier:Show", encode(t, dossier.ShowQuery{Collection: payouts, Record: k.command.Record}),
		peertest.Transient(map[string][]byte{"key": oneTimeKey}), peertest.From("charity", "bank"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := peertest.EnvelopeOf(endorsed)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte("Invented Name")) || bytes.Contains(data, oneTimeKey) {
		t.Error("a submitted Show is legible in the block")
	}
}

// TestCraftedPrivateCommands: every command that differs from a good one in one
// value is judged, by a refusal that repeats nothing.
func TestCraftedPrivateCommands(t *testing.T) {
	w := newPrivateWorld(t)
	k := keep(t, payouts, "1", person("虚构"))
	if _, err := w.keep("charity", k, "charity", "bank"); err != nil {
		t.Fatal(err)
	}
	const secret = "欧阳秘密"
	for function, command := range map[string]any{"Dossier:Keep": k.command, "Dossier:Purge": k.purge("1"), "Dossier:Cite": k.cite("1", "2030-01-01"),
		"Dossier:Strike": k.strike("1"), "Dossier:Show": dossier.ShowQuery{Collection: payouts, Record: k.command.Record}} {
		transient := map[string]map[string][]byte{"Dossier:Keep": {"value": k.value}, "Dossier:Show": {"key": oneTimeKey}}[function]
		var document any
		if err := json.Unmarshal([]byte(encode(t, command)), &document); err != nil {
			t.Fatal(err)
		}
		send := func() {
			body, err := json.Marshal(document)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.Endorse(w.identity("charity"), function, string(body), peertest.Transient(transient), peertest.From("charity", "bank"))
			var refusal *rule.Refusal
			if err != nil && !errors.As(err, &refusal) || err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("%s %.200s: %v", function, body, err)
			}
		}
		vary(document, func(other any) { document = other }, send)
		fields := document.(map[string]any)
		for name, old := range fields {
			fields[name] = secret
			send()
			fields[name] = old
		}
		fields[secret] = secret
		send()
		delete(fields, secret)
	}
}

// TestAThousandPeople keeps, cites, shows, purges and strikes a thousand
// invented people, and then looks for them in everything that all can see.
func TestAThousandPeople(t *testing.T) {
	w := newPrivateWorld(t)
	people := 1000
	if testing.Short() {
		people = 50
	}
	var secrets []string
	var seen bytes.Buffer
	look := func(err error) {
		if err != nil {
			seen.WriteString(err.Error())
		}
	}
	for i := range people {
		v := invented(i)
		secrets = append(secrets, v.Fields.Name, v.Fields.Phone, v.Fields.IDNumber, v.Salt.String())
		collection, members := payouts, []string{"charity", "bank"}
		if i%2 == 1 {
			collection, members = dossier.OwnCollection("charity"), []string{"charity"}
		}
		k := keep(t, collection, fmt.Sprint(i), v)
		if _, err := w.keep("charity", k, members...); err != nil {
			t.Fatal(err)
		}
		_, err := w.keep("charity", with(k, func(k *kept) { k.command.ID = pseudonym(fmt.Sprint("again", i)) }), members...)
		look(err)
		_, err = w.keep("coop", k, members...)
		look(err)
		w.must("charity", "Dossier:Cite", k.cite(fmt.Sprint(i), ""))
		if i%3 > 0 {
			if _, err := w.secretly("charity", "Dossier:Purge", k.purge(fmt.Sprint(i)), nil, members...); err != nil {
				t.Fatal(err)
			}
			w.must("charity", "Dossier:Strike", k.strike(fmt.Sprint(i)))
		}
		_, err = w.show("insurer", k)
		look(err)
		bad := v
		bad.Class = dossier.Contact
		_, err = w.keep("charity", keep(t, collection, fmt.Sprint("bad", i), bad), members...)
		look(err)
	}
	for n := range w.Height() {
		data, err := proto.Marshal(w.Block(n))
		if err != nil {
			t.Fatal(err)
		}
		seen.Write(data)
	}
	for key, value := range w.State().All() {
		seen.WriteString(key)
		seen.Write(value.Data)
	}
	for _, form := range legible(t, seen.Bytes(), secrets) {
		t.Errorf("%q is found", form)
	}
	if found := legible(t, seen.Bytes(), []string{string(pseudonym("record 7"))}); len(found) == 0 {
		t.Error("the search finds nothing, not even a record that is there")
	}
}

// invented makes somebody up, in Chinese or in English. No office gives out such numbers.
func invented(i int) dossier.Value {
	surnames, given := []string{"欧阳", "虚", "示", "构", "Examplewright", "Inventson"}, []string{"例文", "造人", "假名", "Nobody", "Fictitia", "Madeup"}
	v := person(fmt.Sprintf("%s%s%04d", surnames[i%len(surnames)], given[i/len(surnames)%len(given)], i))
	v.Fields.Phone = fmt.Sprintf("+00 0%010d", i*7919+1)
	v.Fields.IDNumber = fmt.Sprintf("000000%012d", i*104729+13)
	return v
}

// legible finds texts, their plain hashes and their codes.
func legible(t *testing.T, seen []byte, secrets []string) (found []string) {
	t.Helper()
	// One pass over what is seen: forms are found by their first bytes.
	forms, count := map[[6]byte][]string{}, 0
	add := func(form string) {
		if len(form) >= 6 {
			start := [6]byte([]byte(form))
			forms[start] = append(forms[start], form)
			count++
		}
	}
	for _, secret := range secrets {
		digest := sha256.Sum256([]byte(secret))
		add(secret)
		add(string(digest[:]))
		add(hex.EncodeToString(digest[:]))
		add(hex.EncodeToString([]byte(secret)))
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			add(encoding.EncodeToString(digest[:])[:40])
			// Within a longer text the code of a secret begins at one of three places.
			for shift := range min(3, len(secret)-6) {
				add(encoding.EncodeToString([]byte(secret[shift : shift+(len(secret)-shift)/3*3])))
			}
		}
	}
	for at := range max(0, len(seen)-5) {
		for _, form := range forms[[6]byte(seen[at:at+6])] {
			if bytes.HasPrefix(seen[at:], []byte(form)) {
				found = append(found, form)
			}
		}
	}
	t.Logf("%d forms of %d secrets looked for in %d bytes", count, len(secrets), len(seen))
	return found
}
