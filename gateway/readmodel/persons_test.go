package readmodel

import (
	"slices"
	"testing"
)

// TestPersons: whose key waits for whom, and for whom somebody may speak.
func TestPersons(t *testing.T) {
	m, w := open(t), newWorld(1)
	w.block()
	if err := m.Apply(t.Context(), w.blocks...); err != nil {
		t.Fatal(err)
	}
	const address = `"address":"0x0100000000000000000000000000000000000000"`
	last := w.blocks[len(w.blocks)-1]
	var writes []Write
	for id, rest := range map[string]string{
		"brought":  `"organisation":"charity","key":{` + address + `,"registrar":"bank"}`,
		"own":      `"organisation":"charity","key":{` + address + `,"registrar":"charity"}`,
		"strange":  `"organisation":"coop","key":{` + address + `,"registrar":"bank"}`,
		"changing": `"organisation":"charity","key":{` + address + `,"registrar":"bank","witness":"charity"},"next":{` + address + `,"registrar":"bank"}`,
		"settled":  `"organisation":"charity","key":{` + address + `,"registrar":"bank","witness":"charity"},"guardian":{"person":"mother","registrar":"bank"}`,
		"revoked":  `"organisation":"charity","revoked":"2026-01-01T00:00:00.000Z","key":{` + address + `,"registrar":"bank"}`,
	} {
		writes = append(writes, Write{Key: "person/" + id, Value: []byte(`{"v":1,"id":"` + id + `",` + rest + `}`)})
	}
	block := Block{Number: last.Number + 1, Hash: []byte{9}, PreviousHash: last.Hash, Transactions: []Transaction{{ID: "persons", Valid: true, Function: "Party:Register", Writes: writes}}}
	if err := m.Apply(t.Context(), block); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		filter PersonFilter
		want   []string
	}{
		"the person's own organisation":       {PersonFilter{Witness: "charity"}, []string{"brought", "changing"}},
		"another, where the own one brought":  {PersonFilter{Witness: "coop"}, []string{"own", "strange"}},
		"who brought it":                      {PersonFilter{Witness: "bank"}, []string{"own"}},
		"what the bank brought":               {PersonFilter{Brought: "bank"}, []string{"brought", "changing", "strange"}},
		"an organisation's":                   {PersonFilter{Organisation: "coop"}, []string{"strange"}},
		"those for whom somebody may speak":   {PersonFilter{Guardian: "mother"}, []string{"settled"}},
		"those for whom somebody may not yet": {PersonFilter{Guardian: "father"}, nil},
	} {
		list, err := m.Persons(t.Context(), c.filter, Window{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range list.Items {
			got = append(got, string(p.ID))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", what, got, c.want)
		}
	}
	if record, err := m.Record(t.Context(), "person/own"); err != nil || len(record.Value) == 0 {
		t.Errorf("the record: %s, %v", record.Value, err)
	}
}
