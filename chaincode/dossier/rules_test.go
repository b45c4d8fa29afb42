package dossier_test

import (
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/tape"
)

func encoded(t *testing.T, v dossier.Value) []byte {
	t.Helper()
	data, err := v.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestKeep(t *testing.T) {
	data := encoded(t, valid(dossier.Donor))
	hash, older := dossier.HashOf(data), dossier.HashOf([]byte("older"))
	good := dossier.KeepCommand{Collection: "charity-bank", Hash: hash, ID: pseudonym("id"), Record: pseudonym("r")}
	replacing := good
	replacing.Replaces = &older
	mark := func(change func(*dossier.Mark)) *dossier.Mark {
		m := dossier.Mark{V: 1, Class: dossier.Donor, Hash: older, Organisation: "charity", Record: good.Record, State: dossier.Kept}
		change(&m)
		return &m
	}
	same := func(*dossier.Mark) {}
	act := func(command, function string) *dossier.Act {
		return &dossier.Act{V: 1, Command: command, Function: function}
	}
	until := func(day tape.Date) *dossier.Note {
		return &dossier.Note{KeepUntil: day, Entry: "charity/e", State: dossier.Kept}
	}
	for _, c := range []struct {
		name   string
		state  dossier.PrivateState
		c      dossier.KeepCommand
		role   string
		answer string
	}{
		{"new", dossier.PrivateState{}, good, "gateway", ""},
		{"as auditor", dossier.PrivateState{}, good, "auditor", "forbidden: this needs the role gateway"},
		{"a name as record", dossier.PrivateState{}, with(good, func(c *dossier.KeepCommand) { c.Record = "zhangsan" }), "gateway", "invalid: field record: is not a pseudonym"},
		{"a name as id", dossier.PrivateState{}, with(good, func(c *dossier.KeepCommand) { c.ID = "zhangsan" }), "gateway", "invalid: field id: is not a pseudonym"},
		{"another hash", dossier.PrivateState{}, with(good, func(c *dossier.KeepCommand) { c.Hash = older }), "gateway", "conflict: field hash: is not the SHA-256 of the transient value"},
		{"the own collection of another", dossier.PrivateState{MSP: "CharityMSP"}, with(good, func(c *dossier.KeepCommand) { c.Collection = "_implicit_org_BankMSP" }), "gateway", "forbidden: field collection: belongs to another organisation"},
		{"the own collection", dossier.PrivateState{MSP: "CharityMSP"}, with(good, func(c *dossier.KeepCommand) { c.Collection = "_implicit_org_CharityMSP" }), "gateway", ""},
		{"done before", dossier.PrivateState{Act: act("c", dossier.KeepFunction), Mark: mark(same)}, good, "gateway", "again"},
		{"done before and purged since", dossier.PrivateState{Act: act("c", dossier.KeepFunction), Mark: mark(func(m *dossier.Mark) { m.State = dossier.Purged })}, good, "gateway", "again"},
		{"the id of another command", dossier.PrivateState{Act: act("d", dossier.KeepFunction)}, good, "gateway", "exists: field id: is taken by another command"},
		{"the id of another function", dossier.PrivateState{Act: act("c", dossier.PurgeFunction)}, good, "gateway", "exists: field id: is taken by another command"},
		{"taken", dossier.PrivateState{Mark: mark(same)}, good, "gateway", "exists: field record: holds a value already"},
		{"taken by another", dossier.PrivateState{Mark: mark(func(m *dossier.Mark) { m.Organisation = "bank" })}, replacing, "gateway", "forbidden: field record: is kept by bank"},
		{"purged", dossier.PrivateState{Mark: mark(func(m *dossier.Mark) { m.State = dossier.Purged })}, replacing, "gateway", "wrong-state: field record: was purged"},
		{"purged, by the note", dossier.PrivateState{Note: &dossier.Note{State: dossier.Purged}}, good, "gateway", "wrong-state: field record: was purged"},
		{"nothing to replace", dossier.PrivateState{}, replacing, "gateway", "not-found: field replaces: there is no value to replace"},
		{"replaces", dossier.PrivateState{Mark: mark(same)}, replacing, "gateway", ""},
		{"replaces another", dossier.PrivateState{Mark: mark(func(m *dossier.Mark) { m.Hash = dossier.HashOf([]byte("x")) })}, replacing, "gateway", "conflict: field replaces: is not the hash of the value that is kept"},
		{"replaces by itself", dossier.PrivateState{Mark: mark(func(m *dossier.Mark) { m.Hash = hash })}, with(good, func(c *dossier.KeepCommand) { c.Replaces = &hash }), "gateway", "conflict: field hash: is that of the value that is kept"},
		{"another class", dossier.PrivateState{Mark: mark(func(m *dossier.Mark) { m.Class = dossier.Contact })}, replacing, "gateway", "conflict: field value.class: is another than the kept value's"},
		{"must be kept", dossier.PrivateState{Mark: mark(same), Note: until("2026-01-02")}, replacing, "gateway", "wrong-state: field record: must be kept until 2026-01-02, by entry charity/e"},
		{"need not be kept from today", dossier.PrivateState{Mark: mark(same), Note: until(today)}, replacing, "gateway", ""},
	} {
		ctx := context("c")
		ctx.Role = c.role
		outcome, err := dossier.Keep(c.state, c.c, data, ctx)
		if c.answer != "again" {
			says(t, c.name, err, c.answer)
		}
		wrote := outcome.Mark != nil && outcome.Value != nil && err == nil
		if wrote != (c.answer == "") || outcome.Purge || c.answer == "again" && (err != nil || outcome.Act.Command != "c" || outcome.Answer.State != dossier.Kept) {
			t.Errorf("%s: %+v, %v", c.name, outcome, err)
		}
	}
	_, err := dossier.Keep(dossier.PrivateState{}, with(good, func(c *dossier.KeepCommand) { c.Hash = older }), []byte("older"), context("c"))
	says(t, "no JSON", err, "invalid: field value: is not the canonical JSON")
}

func with[C any](c C, change func(*C)) C {
	change(&c)
	return c
}

func TestPurge(t *testing.T) {
	hash := dossier.HashOf([]byte("value"))
	good := dossier.PurgeCommand{Collection: "charity-bank", Hash: hash, ID: pseudonym("id"), Reason: dossier.Requested, Record: pseudonym("r")}
	kept := dossier.Mark{V: 1, Class: dossier.Donor, Hash: hash, Organisation: "charity", Record: good.Record, State: dossier.Kept}
	of := func(change func(*dossier.Mark)) dossier.PrivateState {
		m := with(kept, change)
		return dossier.PrivateState{Mark: &m}
	}
	same := func(*dossier.Mark) {}
	noted := func(day tape.Date) dossier.PrivateState {
		return dossier.PrivateState{Mark: &kept, Note: &dossier.Note{KeepUntil: day, Entry: "charity/e"}}
	}
	for _, c := range []struct {
		name   string
		state  dossier.PrivateState
		c      dossier.PurgeCommand
		answer string
	}{
		{"kept", of(same), good, ""},
		{"nothing", dossier.PrivateState{}, good, "not-found: field record: holds no value"},
		{"of another", of(func(m *dossier.Mark) { m.Organisation = "bank" }), good, "forbidden: field record: is kept by bank"},
		{"twice", of(func(m *dossier.Mark) { m.State = dossier.Purged }), good, "wrong-state: field record: is purged already"},
		{"another value", of(func(m *dossier.Mark) { m.Hash[0]++ }), good, "conflict: field hash: is not the hash of the value that is kept"},
		{"no reason", of(same), with(good, func(c *dossier.PurgeCommand) { c.Reason = "he is dead" }), "invalid: field reason: is none of [purpose-achieved retention-ended consent-withdrawn requested unlawful mistake]"},
		{"must be kept", noted("2026-01-02"), good, "wrong-state: field record: must be kept until 2026-01-02, by entry charity/e"},
		{"need not be kept from today", noted(today), good, ""},
		{"done before", dossier.PrivateState{Act: &dossier.Act{V: 1, Command: "c", Function: dossier.PurgeFunction}}, good, "again"},
		{"the id of a keep", dossier.PrivateState{Act: &dossier.Act{V: 1, Command: "c", Function: dossier.KeepFunction}}, good, "exists: field id"},
	} {
		outcome, err := dossier.Purge(c.state, c.c, context("c"))
		if c.answer == "again" {
			if err != nil || outcome.Purge || outcome.Mark != nil || outcome.Answer.State != dossier.Purged {
				t.Errorf("%s: %+v, %v", c.name, outcome, err)
			}
			continue
		}
		says(t, c.name, err, c.answer)
		if outcome.Purge != (c.answer == "") {
			t.Errorf("%s: %+v", c.name, outcome)
		}
	}
}

func hashOf(t *testing.T, mark dossier.Mark) *dossier.Hash {
	t.Helper()
	data, err := canonical.Encode(mark)
	if err != nil {
		t.Fatal(err)
	}
	h := dossier.HashOf(data)
	return &h
}

func TestCite(t *testing.T) {
	hash, other := dossier.HashOf([]byte("value")), dossier.HashOf([]byte("other"))
	good := dossier.CiteCommand{Class: dossier.Donor, Collection: "charity-bank", Hash: hash, ID: pseudonym("id"), Record: pseudonym("r")}
	mark := dossier.Mark{V: 1, Class: dossier.Donor, Hash: hash, Organisation: "charity", Record: good.Record, State: dossier.Kept}
	shown := dossier.PublicState{Value: &hash, Mark: hashOf(t, mark)}
	marked := func(change func(*dossier.Mark)) dossier.PublicState {
		return dossier.PublicState{Value: &hash, Mark: hashOf(t, with(mark, change))}
	}
	noted := func(note dossier.Note) dossier.PublicState {
		note.Entry = "charity/e"
		return dossier.PublicState{Value: &hash, Mark: shown.Mark, Note: &note}
	}
	until := func(day tape.Date) dossier.CiteCommand {
		return with(good, func(c *dossier.CiteCommand) { c.KeepUntil = day })
	}
	for _, c := range []struct {
		name   string
		state  dossier.PublicState
		c      dossier.CiteCommand
		answer string
	}{
		{"kept", shown, good, ""},
		{"nothing there", dossier.PublicState{Mark: shown.Mark}, good, "not-found: field record: holds no value in that collection"},
		{"another value there", dossier.PublicState{Value: &other, Mark: shown.Mark}, good, "conflict: field hash: is not that of the value that is kept"},
		{"no mark", dossier.PublicState{Value: &hash}, good, "not-found: field record: is not known in that collection"},
		{"kept by another", marked(func(m *dossier.Mark) { m.Organisation = "bank" }), good, "conflict: field record: was kept by another organisation"},
		{"another class", marked(func(m *dossier.Mark) { m.Class = dossier.Contact }), good, "conflict: field record: was kept by another organisation, or with another class"},
		{"purged", marked(func(m *dossier.Mark) { m.State = dossier.Purged }), good, "conflict: field record"},
		{"a class that is none", shown, with(good, func(c *dossier.CiteCommand) { c.Class = "friend" }), "invalid: field class: is none of"},
		{"until tomorrow", shown, until("2026-01-02"), ""},
		{"until today", shown, until(today), "invalid: field keepUntil: must lie after 2026-01-01 and not after 2056-01-01"},
		{"for thirty years", shown, until("2056-01-01"), ""},
		{"for longer", shown, until("2056-01-02"), "invalid: field keepUntil: must lie after"},
		{"no day", shown, until("2026-02-30"), "invalid: field keepUntil: is not a date"},
		{"no day at all", shown, until("zhangsan"), "invalid: field keepUntil: is not a date"},
		{"longer than promised", noted(dossier.Note{Hash: hash, KeepUntil: "2027-01-01"}), until("2028-01-01"), ""},
		{"shorter than promised", noted(dossier.Note{Hash: hash, KeepUntil: "2028-01-01"}), until("2027-01-01"), "conflict: field keepUntil: is before 2028-01-01, which entry charity/e promises"},
		{"no longer promised", noted(dossier.Note{Hash: hash, KeepUntil: "2028-01-01"}), good, "conflict: field keepUntil"},
		{"a value that took its place", noted(dossier.Note{Hash: other, KeepUntil: "2025-01-01"}), good, ""},
		{"marked as purged", noted(dossier.Note{Hash: hash, State: dossier.Purged}), good, "wrong-state: field record: was purged, by entry charity/e"},
	} {
		note, entry, err := dossier.Cite(c.state, c.c, context("c"))
		says(t, c.name, err, c.answer)
		if err == nil && (note.State != dossier.Kept || note.Hash != hash || note.KeepUntil != c.c.KeepUntil || note.Entry != entry.Reference() || entry.Kind != "cite" || entry.Subject != string(good.Record)) {
			t.Errorf("%s: %+v, %+v", c.name, note, entry)
		}
	}
}

func TestStrike(t *testing.T) {
	hash := dossier.HashOf([]byte("value"))
	good := dossier.StrikeCommand{Class: dossier.Donor, Collection: "charity-bank", Hash: hash, ID: pseudonym("id"), Reason: dossier.Ended, Record: pseudonym("r")}
	mark := dossier.Mark{V: 1, Class: dossier.Donor, Hash: hash, Organisation: "charity", Reason: dossier.Ended, Record: good.Record, State: dossier.Purged}
	shown := dossier.PublicState{Mark: hashOf(t, mark)}
	marked := func(change func(*dossier.Mark)) dossier.PublicState {
		return dossier.PublicState{Mark: hashOf(t, with(mark, change))}
	}
	for _, c := range []struct {
		name   string
		state  dossier.PublicState
		c      dossier.StrikeCommand
		answer string
	}{
		{"purged", shown, good, ""},
		{"purged and cited before", dossier.PublicState{Mark: shown.Mark, Note: &dossier.Note{KeepUntil: "2025-01-01", State: dossier.Kept}}, good, ""},
		{"still kept", dossier.PublicState{Mark: shown.Mark, Value: &hash}, good, "wrong-state: field record: still holds a value; purge it first"},
		{"never kept", dossier.PublicState{}, good, "not-found: field record: is not known in that collection"},
		{"another reason", marked(func(m *dossier.Mark) { m.Reason = dossier.Mistaken }), good, "conflict: field record: was purged by another organisation, or with another class, hash or reason"},
		{"purged by another", marked(func(m *dossier.Mark) { m.Organisation = "bank" }), good, "conflict: field record: was purged by another organisation"},
		{"deleted, not purged", marked(func(m *dossier.Mark) { m.State, m.Reason = dossier.Kept, "" }), good, "conflict: field record"},
		{"struck before", dossier.PublicState{Mark: shown.Mark, Note: &dossier.Note{State: dossier.Purged, Entry: "charity/e"}}, good, "wrong-state: field record: is marked as purged already, by entry charity/e"},
		{"no reason", shown, with(good, func(c *dossier.StrikeCommand) { c.Reason = "" }), "invalid: field reason"},
	} {
		note, entry, err := dossier.Strike(c.state, c.c, context("c"))
		says(t, c.name, err, c.answer)
		if err == nil && (note.State != dossier.Purged || note.Reason != dossier.Ended || entry.Kind != "strike" || c.state.Note != nil && note.KeepUntil != "2025-01-01") {
			t.Errorf("%s: %+v, %+v", c.name, note, entry)
		}
	}
}

// TestDecodeRepeatsNothing: what a client puts in the wrong place stays with it.
func TestDecodeRepeatsNothing(t *testing.T) {
	for _, c := range []struct{ argument, answer string }{
		{`{"欧阳秘密":1}`, "invalid: is not the canonical JSON"},
		{`{"hash":"欧阳秘密"}`, "invalid: field hash: is missing, doubled, or not spelled as it must be"},
		{`{"欧阳秘密`, "invalid: is not the canonical JSON"},
		{`{"collection":"a","hash":"` + strings.Repeat("0", 64) + `","id":"a","reason":"requested","record":"a","record":"欧阳秘密"}`, "invalid: field record: is missing, doubled"},
		{`["欧阳秘密"]`, "invalid: is not the canonical JSON"},
		{`"欧阳秘密"`, "invalid: is not the canonical JSON"},
	} {
		var command dossier.PurgeCommand
		err := dossier.Decode([]byte(c.argument), &command, dossier.PurgeNames()...)
		says(t, c.argument, err, c.answer)
		if err == nil || strings.Contains(err.Error(), "秘密") {
			t.Errorf("%s: %v", c.argument, err)
		}
	}
}
