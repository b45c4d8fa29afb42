package party_test

import (
	"bytes"
	"encoding"
	"fmt"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
)

// spelled is what every number of this package can do.
type spelled interface {
	encoding.TextMarshaler
	encoding.TextUnmarshaler
	fmt.Stringer
}

func numbers() []spelled {
	return []spelled{new(party.LedgerID), new(party.Hash), new(party.IntentID), new(party.Address), new(party.Signature)}
}

func TestSpellings(t *testing.T) {
	ab := func(n int) string { return strings.Repeat("ab", n) }
	for _, c := range []struct {
		text string
		into spelled
		want string
	}{
		{ab(32), new(party.LedgerID), ""},
		{ab(32), new(party.Hash), ""},
		{ab(16), new(party.IntentID), ""},
		{"0x" + ab(20), new(party.Address), ""},
		{"0x" + ab(65), new(party.Signature), ""},
		{"0x" + ab(32), new(party.LedgerID), `invalid: is not a ledger's id: 64 digits 0-9 and a-f`},
		{ab(31), new(party.LedgerID), `invalid: is not a ledger's id: 64 digits 0-9 and a-f`},
		{ab(31) + "aB", new(party.Hash), `invalid: is not a SHA-256: 64 digits 0-9 and a-f`},
		{ab(15) + "ag", new(party.IntentID), `invalid: is not an intent's id: 32 digits 0-9 and a-f`},
		{ab(16) + " ", new(party.IntentID), `invalid: is not an intent's id: 32 digits 0-9 and a-f`},
		{"", new(party.Address), `invalid: is not an address: 0x and 40 digits 0-9 and a-f`},
		{ab(20), new(party.Address), `invalid: is not an address: 0x and 40 digits 0-9 and a-f`},
		{"0X" + ab(20), new(party.Address), `invalid: is not an address: 0x and 40 digits 0-9 and a-f`},
		{"0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266", new(party.Address), `invalid: is not an address: 0x and 40 digits 0-9 and a-f`},
		{"0x" + ab(64), new(party.Signature), `invalid: is not a signature: 0x and 130 digits 0-9 and a-f`},
	} {
		got := ""
		if err := c.into.UnmarshalText([]byte(c.text)); err != nil {
			got = err.Error()
		}
		if got != c.want || (c.want == "" && c.into.String() != c.text) {
			t.Errorf("%q: got %s, %s\nwant %s", c.text, got, c.into, c.want)
		}
	}
}

func TestIntentSpelling(t *testing.T) {
	id, signature := strings.Repeat("0f", 16), "0x"+strings.Repeat("1b", 65)
	good := `{"deadline":"2026-11-22T10:00:00.000Z","intent":"` + id + `","person":"zhang","signature":"` + signature + `"}`
	for _, c := range []struct{ old, new, want string }{
		{"", "", ""},
		{`2026-11-22T10:00:00.000Z`, `2026-11-22T10:00:00Z`, `invalid: field deadline: is not an instant; write it as 2026-11-22T09:57:00.123Z`},
		{id, id + "0f", `invalid: field intent: is not an intent's id: 32 digits 0-9 and a-f`},
		{signature, strings.ToUpper(signature), `invalid: field signature: is not a signature: 0x and 130 digits 0-9 and a-f`},
		{`"person":"zhang",`, "", "invalid: field person: is missing"},
		{`"person"`, `"Person"`, `invalid: field "Person" must be written "person"`},
		{`"person":"zhang"`, `"person":"zhang","person":"li"`, "invalid: field person: stands twice"},
		{`"zhang"`, `null`, "invalid: field person: is null; give a value or leave it out"},
		{`{"deadline"`, `{"amount":"1","deadline"`, `invalid: unknown field "amount"`},
	} {
		var intent party.Intent
		got := ""
		if err := canonical.Decode([]byte(strings.Replace(good, c.old, c.new, 1)), &intent); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s for %s: got %s\nwant %s", c.new, c.old, got, c.want)
		}
	}
}

func FuzzNumber(f *testing.F) {
	f.Add([]byte("0x" + strings.Repeat("ab", 20)))
	f.Add([]byte("0x" + strings.Repeat("1b", 65)))
	f.Add([]byte(strings.Repeat("0f", 32)))
	f.Add([]byte(strings.Repeat("0f", 16)))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, number := range numbers() {
			if number.UnmarshalText(text) != nil {
				continue
			}
			if again, err := number.MarshalText(); err != nil || !bytes.Equal(again, text) {
				t.Errorf("%q prints back as %q, %v", text, again, err)
			}
		}
	})
}

// FuzzRecover: whatever is recovered is so from one signature only.
func FuzzRecover(f *testing.F) {
	s := party.Statement{Action: "spend", Deadline: start}
	intent, err := sign.Intent(key("k1"), party.LedgerID{1}, "zhang", s)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(intent.Signature[:])
	f.Add(make([]byte, 65))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) != 65 {
			return
		}
		signature := party.Signature(data)
		if _, err := signature.Recover(s.Digest(party.LedgerID{1})); err != nil {
			return
		}
		if _, err := malleate(signature).Recover(s.Digest(party.LedgerID{1})); err == nil {
			t.Errorf("%s was accepted, and malleated too", signature)
		}
	})
}

func FuzzIntent(f *testing.F) {
	f.Add([]byte(`{"deadline":"2026-11-22T10:00:00.000Z","intent":"` + strings.Repeat("0f", 16) + `","person":"zhang","signature":"0x` + strings.Repeat("1b", 65) + `"}`))
	f.Add([]byte(`{"deadline":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var intent party.Intent
		if canonical.Decode(data, &intent) != nil {
			return
		}
		if again, err := canonical.Encode(intent); err != nil || !bytes.Equal(again, data) {
			t.Errorf("%q prints back as %q, %v", data, again, err)
		}
	})
}
