package signing

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/login/logintest"
)

// personal makes the body of a knock, signed by signer for person.
func (w *world) personal(function string, command any, amount string, person, signer tape.ID) string {
	w.Helper()
	d := Draft{V: 1, ID: NewDraftID(), Ledger: w.ID, Person: person, Function: function, Amount: amount, Command: encoded(w, command), Expires: tape.Instant(w.network.Clock().Add(time.Hour).Unix() * 1000)}
	argument, err := Envelope(d.Command, w.intent(d, signer))
	if err != nil {
		w.Fatal(err)
	}
	return string(encoded(w, Knock{Argument: argument, Function: function}))
}

// newKey is a rotation of a person to another key, registered by the charity.
func (w *world) newKey(person, to tape.ID) party.RotateCommand {
	w.Helper()
	proof, err := sign.Possession(logintest.Key(to), w.ID, party.Possession{Person: person, Custody: party.Own, Duty: party.DutyMember, Organisation: "charity", Registrar: "charity"})
	if err != nil {
		w.Fatal(err)
	}
	return party.RotateCommand{Address: sign.Address(logintest.Key(to)), Custody: party.Own, Duty: party.DutyMember, ID: "rotate-" + tape.ID(hex.EncodeToString([]byte(to + "00000000"))[:16]), Person: person, Proof: proof}
}

// TestDoor: a person changes its key, objects to it, and ends its own part,
// without any token, on the real contracts.
func TestDoor(t *testing.T) {
	w := newWorld(t)
	w.bring("household", party.Own)
	d := w.door()
	status, body := knock(d, w.personal("Party:Rotate", w.newKey("household", "new"), "", "household", "household"), "Idempotency-Key", "k", "Prefer", "wait=5")
	if status != http.StatusOK || !strings.Contains(body, `"state":"done"`) || !strings.Contains(body, `"key":"people/k"`) || !strings.Contains(body, `"prefer":"wait=5"`) {
		t.Fatalf("rotate: %d %s", status, body)
	}
	next := w.person("household").Next
	if next == nil || next.Address != sign.Address(logintest.Key("new")) || next.Registrar != "charity" {
		t.Fatalf("the next key: %+v", next)
	}
	status, body = knock(d, w.personal("Party:Suspend", party.SuspendCommand{Address: next.Address, ID: "suspend-0123456789abcdef", Person: "household"}, "", "household", "household"))
	if status != http.StatusOK || w.person("household").Next != nil {
		t.Errorf("suspend: %d %s", status, body)
	}
	status, body = knock(d, w.personal("Party:Revoke", party.RevokeCommand{ID: "revoke-0123456789abcdef", Person: "household"}, "", "household", "household"))
	if status != http.StatusOK || w.person("household").Revoked == 0 {
		t.Errorf("revoke: %d %s", status, body)
	}
	// What the ledger refuses comes back as the API says it.
	w.bring("second", party.Own)
	confirm := fund.Confirm{Account: campaign, Amount: cny(100), Hold: "d1.0.0", ID: "confirm-0123456789abcdef", Outcome: fund.Arrived}
	if status, body = knock(d, w.personal("Fund:Confirm", confirm, "1.00 CNY", "second", "second")); status != http.StatusOK || !strings.Contains(body, "payout d1.0.0 does not exist") {
		t.Errorf("confirm: %d %s", status, body)
	}
}

// TestDoorRefusals: what does not come in, and never reaches the ledger.
func TestDoorRefusals(t *testing.T) {
	w := newWorld(t)
	w.bring("household", party.Own)
	w.bring("other", party.Own)
	now := tape.Instant(w.network.Clock().UnixMilli())
	revoke := party.RevokeCommand{ID: "revoke-0123456789abcdef", Person: "household"}
	bare := func(function string, command any, intents ...party.Intent) string {
		if intents == nil {
			intents = []party.Intent{}
		}
		return string(encoded(t, Knock{Argument: encoded(t, envelope{encoded(t, command), intents}), Function: function}))
	}
	promoted := w.newKey("household", "staff")
	promoted.Duty = party.DutyStaff
	good := w.personal("Party:Revoke", revoke, "", "household", "household")
	for what, c := range map[string]struct {
		body   string
		status int
		want   string
	}{
		"nothing":                    {"", 422, "invalid"},
		"no JSON":                    {"x", 422, "invalid"},
		"another function":           {bare("Tape:Spend", revoke), 403, "does not come in here"},
		"no function":                {bare("", revoke), 403, "does not come in here"},
		"an id that staff may need":  {w.personal("Party:Revoke", party.RevokeCommand{ID: "d-0123456789abcdef.order", Person: "household"}, "", "household", "household"), 403, "hexadecimal digits drawn at random"},
		"an id that is too short":    {w.personal("Party:Revoke", party.RevokeCommand{ID: "revoke-0123456789abcde", Person: "household"}, "", "household", "household"), 403, "hexadecimal digits drawn at random"},
		"another duty":               {w.personal("Party:Rotate", promoted, "", "household", "household"), 403, "household is member; another duty is its organisation's to bring"},
		"no signature":               {bare("Party:Revoke", revoke), 403, "there are 0"},
		"a rotation without one":     {bare("Party:Rotate", w.newKey("household", "evil")), 403, "there are 0"},
		"a bare rotation":            {string(encoded(t, Knock{Argument: encoded(t, w.newKey("household", "evil")), Function: "Party:Rotate"})), 422, "invalid"},
		"two signatures":             {bare("Party:Revoke", revoke, party.Intent{Person: "household"}, party.Intent{Person: "other"}), 403, "there are 2"},
		"signed by another's key":    {w.personal("Party:Rotate", w.newKey("household", "evil"), "", "household", "other"), 403, "is not that of person household"},
		"of another, about this":     {bare("Party:Revoke", revoke, party.Intent{Person: "other", Deadline: now/1000*1000 + tape.Hour}), 403, "person other cannot sign for person household"},
		"of nobody":                  {bare("Fund:Confirm", fund.Confirm{Account: campaign, Amount: cny(1), Hold: "h", ID: "confirm-0123456789abcdef", Outcome: fund.Arrived}, party.Intent{Person: "nobody"}), 404, "nobody called nobody"},
		"a command that was changed": {strings.Replace(good, `"id":"revoke-0`, `"id":"revoke-1`, 1), 403, "is not that of person household"},
		"a second spelling":          {strings.Replace(good, `{"argument"`, `{ "argument"`, 1), 422, "canonical"},
		"an unknown field":           {strings.Replace(good, `{"argument"`, `{"a":1,"argument"`, 1), 422, "unknown field"},
		"text behind it":             {good + "{}", 422, "invalid"},
		"too long":                   {strings.Repeat(" ", knockBytesMax+1), 413, "too-large"},
		"an empty signature":         {bare("Party:Revoke", revoke, party.Intent{Person: "household", Deadline: 1000}), 422, "v 0"},
	} {
		status, body := knock(w.door(), c.body)
		var problem struct{ Detail, Code, Type string }
		if err := json.Unmarshal([]byte(body), &problem); err != nil {
			t.Errorf("%s: %s", what, body)
		}
		if status != c.status || !strings.Contains(problem.Code+" "+problem.Detail, c.want) || !strings.HasSuffix(problem.Type, "/"+problem.Code) {
			t.Errorf("%s: %d %s, want %d %s", what, status, body, c.status, c.want)
		}
	}
	if len(w.carried) != 0 {
		t.Errorf("carried: %v", w.carried)
	}
}

// TestDoorPace: who knocks often waits; another person, or another address, does not.
func TestDoorPace(t *testing.T) {
	w := newWorld(t)
	w.bring("household", party.Own)
	w.bring("other", party.Own)
	d := w.door()
	from := ""
	d.Address = func(*http.Request) string { return from }
	last := 0
	for range addressAtOnce + 1 {
		last, _ = knock(d, "x")
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("after %d knocks: %d", addressAtOnce, last)
	}
	confirm := fund.Confirm{Account: campaign, Amount: cny(1), Hold: "h", ID: "confirm-0123456789abcdef", Outcome: fund.Arrived}
	by := func(person tape.ID) int {
		from += "x"
		status, _ := knock(d, w.personal("Fund:Confirm", confirm, "0.01 CNY", person, person))
		return status
	}
	for range personAtOnce {
		if got := by("household"); got != http.StatusOK {
			t.Fatalf("%d", got)
		}
	}
	if by("household") != http.StatusTooManyRequests || by("other") != http.StatusOK {
		t.Error("the pace of a person is not its own")
	}
}
