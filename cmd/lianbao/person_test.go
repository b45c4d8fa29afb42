package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/keyfile"
	"github.com/lianbao/lianbao/gateway/client"
	"github.com/lianbao/lianbao/gateway/login/challenge"
	"github.com/lianbao/lianbao/gateway/readmodel"
	drafting "github.com/lianbao/lianbao/gateway/signing"
)

func init() { workFactor = 10 } // in this process and in the program that scripts run

const secretWords = "four words nobody guesses"

var aLedger = party.LedgerID{7}

// TestPersonScripts types what a person types, without any network.
func TestPersonScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/person",
		Setup: func(env *testscript.Env) error {
			env.Setenv("TERM", "dumb")
			env.Setenv("LANG", "C")
			env.Setenv("LIANBAO_KEY", filepath.Join(env.WorkDir, "key.json"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "draft": writeDraft, "challenge": writeChallenge, "checks": checkAnswer},
	})
}

// writeDraft writes a draft: draft FILE PERSON KIND, good for an hour.
func writeDraft(ts *testscript.TestScript, _ bool, arguments []string) {
	d := drafting.Draft{V: 1, ID: strings.Repeat("ab", 16), Ledger: aLedger, Person: tape.ID(arguments[1]), Function: "Fund:Confirm", Amount: "60.00 CNY",
		Expires: tape.Instant(time.Now().Add(time.Hour).Unix() * 1000)}
	var command any = fund.Confirm{Account: "charity:sunrise:speech", Amount: money.New(6000, "CNY"), Hold: "d1.0.0", ID: "ok-1", Outcome: fund.Arrived}
	switch arguments[2] {
	case "confirm":
	case "expired":
		d.Expires = 1000
	case "far":
		d.Expires += 31 * tape.Day
	case "elsewhere":
		d.Ledger = party.LedgerID{8}
	case "other-amount":
		d.Amount = "600.00 CNY"
	case "crafted":
		d.Function, d.Amount = "Fund:ReceiveGoods", "0.00 CNY"
		command = fund.ReceiveGoods{Account: "charity:sunrise:speech", ID: "x", Item: "rice\x1b[2K\u202eeert", Quantity: 1, Unit: "kg"}
	case "other-key":
		d.Function, d.Amount, command = "Party:Revoke", "", party.RevokeCommand{ID: "r", Person: "somebody"}
	default:
		ts.Fatalf("no draft of kind %s", arguments[2])
	}
	var err error
	d.Command, err = canonical.Encode(command)
	ts.Check(err)
	text, err := d.File()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(arguments[0]), text, 0o600))
}

// writeChallenge puts the address of a challenge into a variable: challenge NAME [expired].
func writeChallenge(ts *testscript.TestScript, _ bool, arguments []string) {
	c := challenge.Challenge{Ledger: aLedger, Origin: "https://ledger.example", Nonce: challenge.Nonce{1}, Deadline: tape.Instant(time.Now().Add(time.Hour).Unix() * 1000)}
	if len(arguments) > 1 {
		c.Deadline = 1000
	}
	ts.Setenv(arguments[0], c.Address())
}

// checkAnswer judges what was printed against the key's file: checks draft FILE, checks login ADDRESS.
func checkAnswer(ts *testscript.TestScript, _ bool, arguments []string) {
	file, err := keyfile.Read(ts.Getenv("LIANBAO_KEY"))
	ts.Check(err)
	printed := strings.TrimSpace(ts.ReadFile("stdout"))
	var digest [32]byte
	var signature party.Signature
	if arguments[0] == "login" {
		c, err := challenge.Parse(arguments[1])
		ts.Check(err)
		digest = c.Digest()
		ts.Check(signature.UnmarshalText([]byte(printed)))
	} else {
		d, err := drafting.ParseDraft([]byte(ts.ReadFile(arguments[1])))
		ts.Check(err)
		intent, err := drafting.ParseIntent([]byte(printed))
		ts.Check(err)
		statement, err := d.Statement()
		ts.Check(err)
		if intent.Person != d.Person || intent.Deadline != d.Expires {
			ts.Fatalf("the intent is %+v", intent)
		}
		statement.Intent = intent.Intent
		digest, signature = statement.Digest(d.Ledger), intent.Signature
	}
	if signer, err := signature.Recover(digest); err != nil || signer != file.Address {
		ts.Fatalf("signed by %s: %v", signer, err)
	}
}

// office is a gateway as a person sees it: the real door, and reads that are canned.
type office struct {
	*testing.T
	url     string
	person  party.Person
	hold    tape.Hold
	carried []drafting.Knock
	refuse  string
}

// Person and Ledger implement drafting.Ledger.
func (o *office) Person(_ context.Context, id tape.ID) (party.Person, error) {
	if id != o.person.ID {
		return party.Person{}, rule.Refuse(rule.NotFound, "there is no person %s", id)
	}
	return o.person, nil
}

func (o *office) Ledger(context.Context) (party.LedgerID, error) { return aLedger, nil }

func newOffice(t *testing.T, address party.Address) *office {
	o := &office{T: t, person: party.Person{V: 1, ID: "household", Organisation: "charity", Key: party.Key{Address: address, Custody: party.Own, Duty: party.DutyMember, Registrar: "bank", Witness: "charity", From: 1}},
		hold: tape.Hold{V: 1, Account: "charity:sunrise:speech", ID: "d1.0.0", To: "outside:household:ddbbcoobeooegjmdolfcpojadccomibn", Amount: money.New(6000, "CNY"), Captured: tape.Spans{{Start: 0, End: 6000}}, State: tape.HoldCaptured}}
	mux := http.NewServeMux()
	door := drafting.NewDoor(drafting.Door{Organisation: "coop", Ledger: o, API: http.HandlerFunc(o.carry), Token: "t", Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	mux.Handle(drafting.DoorPattern, door)
	mux.HandleFunc("GET /api/v1/gateway", func(w http.ResponseWriter, _ *http.Request) { o.json(w, map[string]string{"organisation": "coop"}) })
	mux.HandleFunc("GET /api/v1/records", func(w http.ResponseWriter, r *http.Request) {
		var list readmodel.List[readmodel.Record]
		for key, value := range map[string]any{"ledger": party.Ledger{V: 1, ID: aLedger, Zone: "+08:00"}, "person/household": o.person} {
			if strings.HasPrefix(key, r.URL.Query().Get("prefix")) {
				list.Items = append(list.Items, readmodel.Record{Key: key, Value: o.encode(value)})
			}
		}
		o.json(w, list)
	})
	mux.HandleFunc("GET /api/v1/accounts/{account}/holds", func(w http.ResponseWriter, r *http.Request) {
		list := readmodel.List[readmodel.Hold]{Next: "more"}
		if r.URL.Query().Get("after") == "more" { // the second part has it
			list = readmodel.List[readmodel.Hold]{Items: []readmodel.Hold{{Hold: o.hold}}}
		}
		o.json(w, list)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	o.url = server.URL
	return o
}

func (o *office) encode(value any) []byte {
	text, err := canonical.Encode(value)
	if err != nil {
		o.Error(err)
	}
	return text
}

func (o *office) json(w http.ResponseWriter, value any) {
	if err := json.NewEncoder(w).Encode(value); err != nil {
		o.Error(err)
	}
}

// carry is the API behind the door.
func (o *office) carry(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		o.Error(err)
	}
	function := strings.Replace(strings.TrimPrefix(r.URL.Path, "/api/v1/commands/"), "/", ":", 1)
	o.carried = append(o.carried, drafting.Knock{Function: function, Argument: body})
	if o.refuse != "" {
		w.WriteHeader(http.StatusConflict)
		o.json(w, client.Problem{Code: o.refuse, Detail: "a reason", Status: http.StatusConflict})
		return
	}
	o.json(w, client.Acceptance{ID: "entry-1", State: "done", Position: "12", Transaction: "tx"})
}

// typed runs a command line and returns exit code and outputs.
func typed(arguments ...string) (int, string, string) {
	var out, errs bytes.Buffer
	code := run(append([]string{"lianbao"}, arguments...), &out, &errs)
	return code, out.String(), errs.String()
}

func newKey(t *testing.T, name string, more ...string) (string, keyfile.File) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if code, out, errs := typed(append([]string{"person", "new", "--key", path}, more...)...); code != 0 {
		t.Fatalf("%d %s %s", code, out, errs)
	}
	file, err := keyfile.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, file
}

// TestPersonSends: what a person sends is its own signed word, and the door takes it.
func TestPersonSends(t *testing.T) {
	t.Setenv(passphraseVariable, secretWords)
	t.Setenv(newPassphraseVariable, secretWords)
	path, file := newKey(t, "key.json", "--person", "household", "--ledger", aLedger.String())
	o := newOffice(t, file.Address)
	base := []string{"--key", path, "--gateway", o.url, "--yes"}
	do := func(what string, want int, arguments ...string) (string, string) {
		t.Helper()
		code, out, errs := typed(append(append([]string{"person"}, arguments...), base...)...)
		if code != want {
			t.Fatalf("%s: exit %d, want %d\n%s%s", what, code, want, out, errs)
		}
		return out, errs
	}
	out, errs := do("confirm", 0, "confirm", "charity:sunrise:speech", "d1.0.0", "--language", "zh-CN")
	if !strings.Contains(errs, "共 60.00 CNY 已到我手中") || !strings.Contains(out, "✓ on the ledger as entry-1, block 12") {
		t.Errorf("%s%s", errs, out)
	}
	var confirmed struct {
		Command fund.Confirm   `json:"command"`
		Intents []party.Intent `json:"intents"`
	}
	if err := canonical.Decode(o.carried[0].Argument, &confirmed); err != nil || confirmed.Command.Outcome != fund.Arrived || confirmed.Command.Amount.String() != "60.00 CNY" || confirmed.Intents[0].Person != "household" {
		t.Errorf("%s: %v", o.carried[0].Argument, err)
	}
	if out, _ = do("dispute", 0, "dispute", "charity:sunrise:speech", "d1.0.0", "--reason", "late", "--json"); !strings.Contains(out, `"function":"Fund:Confirm"`) || !strings.Contains(out, `"block":"12"`) {
		t.Errorf("dispute prints %s", out)
	}
	next, nextFile := newKey(t, "new.json", "--person", "household")
	if _, errs = do("rotate", 0, "rotate", "--new", next); !strings.Contains(errs, "Change the key of person household to "+nextFile.Address.String()) {
		t.Error(errs)
	}
	rotation := o.carried[len(o.carried)-1]
	var command party.RotateCommand
	if err := canonical.Decode(rotation.Argument, &command); err != nil || rotation.Function != "Party:Rotate" {
		t.Fatalf("%s %s: %v", rotation.Function, rotation.Argument, err)
	}
	possession := party.Possession{Person: "household", Key: nextFile.Address, Custody: party.Own, Duty: party.DutyMember, Organisation: "charity", Registrar: "coop"}
	if signer, err := command.Proof.Recover(possession.Digest(aLedger)); err != nil || signer != nextFile.Address {
		t.Errorf("the new key's proof is of %s: %v", signer, err)
	}
	do("suspend", 0, "suspend")
	do("suspend the new one", 0, "suspend", nextFile.Address.String())
	if n := len(o.carried); n != 5 || !strings.Contains(string(o.carried[3].Argument), file.Address.String()) || !strings.Contains(string(o.carried[4].Argument), nextFile.Address.String()) {
		t.Errorf("%d commands were carried: %s", n, o.carried)
	}
	do("another payout", 3, "confirm", "charity:sunrise:speech", "d9.0.0")
	do("no payout", 2, "confirm", "charity", "d1.0.0")
	do("another person", 3, "suspend", "--person", "maker")
	o.hold.Captured = nil
	if _, errs = do("not paid", 3, "confirm", "charity:sunrise:speech", "d1.0.0"); !strings.Contains(errs, "is not paid") {
		t.Error(errs)
	}
	o.refuse = "early"
	if _, errs = do("early", 3, "suspend"); !strings.Contains(errs, "another organisation's gateway") {
		t.Error(errs)
	}
	o.person.Revoked = 1
	if _, errs = do("revoked", 3, "suspend"); !strings.Contains(errs, "was revoked") {
		t.Error(errs)
	}
	do("a gateway without https", 2, "suspend", "--send", "http://ledger.example")
}

// TestPersonKeyFiles: what is changed in a key's file is found before anything is signed.
func TestPersonKeyFiles(t *testing.T) {
	t.Setenv(passphraseVariable, secretWords)
	path, file := newKey(t, "key.json", "--person", "household")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	key, err := file.Open(secretWords)
	if err != nil || sign.Address(key) != file.Address {
		t.Fatalf("opened: %v", err)
	}
	if _, err := file.Open(secretWords + "x"); err == nil || !strings.Contains(err.Error(), "passphrase does not open") {
		t.Errorf("a wrong passphrase: %v", err)
	}
	for what, change := range map[string]func(*keyfile.File){
		"another person": func(f *keyfile.File) { f.Person = "maker" }, "another address": func(f *keyfile.File) { f.Address[0]++ },
		"a ledger": func(f *keyfile.File) { f.Ledger = &party.LedgerID{9} }, "no base64": func(f *keyfile.File) { f.Sealed = "!" },
	} {
		changed := file
		change(&changed)
		if _, err := changed.Open(secretWords); err == nil || !strings.Contains(err.Error(), "was changed") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// FuzzParseKeyFile: what is read is written the same.
func FuzzParseKeyFile(f *testing.F) {
	f.Add([]byte(`{"address":"0x0100000000000000000000000000000000000000","person":"household","sealed":"AA==","v":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := keyfile.Parse(text)
		if err != nil {
			return
		}
		if again, err := canonical.Encode(file); err != nil || string(again) != strings.TrimRight(string(text), "\r\n") {
			t.Errorf("%q is written %q: %v", text, again, err)
		}
	})
}
