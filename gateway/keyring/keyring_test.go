package keyring_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/keyring"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/login/logintest"
)

type world struct {
	*logintest.Town
	folder, master string
	ring           *keyring.Keyring
}

func newWorld(t *testing.T) *world {
	w := &world{Town: logintest.New(t, login.Member{Person: "auditor", Roles: []login.Role{login.Auditor}}), folder: filepath.Join(t.TempDir(), "keys"), master: filepath.Join(t.TempDir(), "master.key")}
	if err := keyring.CreateMaster(w.master); err != nil {
		t.Fatal(err)
	}
	w.open()
	for _, id := range []tape.ID{"maker", "checker"} {
		w.Enrol(id, party.GatewayHeld)
		if err := w.ring.Keep(id, logintest.Key(id)); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *world) open() {
	w.Helper()
	var err error
	if w.ring, err = keyring.Open(w.folder, w.master, w, w.Clock); err != nil {
		w.Fatal(err)
	}
	ring := w.ring
	w.Cleanup(func() { _ = ring.Close() })
}

func (w *world) statement(n byte) party.Statement {
	return party.Statement{Action: "propose", Subject: "charity:sunrise:books", Amount: "10.00 CNY", Command: party.Hash{n}, Intent: party.IntentID{n}, Deadline: tape.Instant(w.Now.UnixMilli()) + tape.Hour}
}

// TestSign: the signature is that of who is logged in, and stands in the log.
func TestSign(t *testing.T) {
	w := newWorld(t)
	session := w.Session("maker")
	intent, err := w.ring.Sign(t.Context(), session, w.statement(1))
	if err != nil {
		t.Fatal(err)
	}
	signer, err := intent.Signature.Recover(w.statement(1).Digest(w.ID))
	if err != nil || signer != sign.Address(logintest.Key("maker")) || intent.Person != "maker" {
		t.Errorf("%s signs for %s: %v", signer, intent.Person, err)
	}
	if _, err := w.ring.Sign(t.Context(), w.Session("checker"), w.statement(2)); err != nil {
		t.Fatal(err)
	}
	log := w.ring.Signings(session, 10)
	if len(log) != 1 || log[0].Person != "maker" || log[0].By != "key" || log[0].Action != "propose" || log[0].Amount != "10.00 CNY" || log[0].Intent != (party.IntentID{1}) {
		t.Errorf("the maker's log is %+v", log)
	}
	if w.ring.All(session, 10) != nil {
		t.Error("the maker sees others' signatures")
	}
	w.Enrol("auditor", party.Own)
	if all := w.ring.All(w.Session("auditor"), 10); len(all) != 2 || all[0].Person != "checker" {
		t.Errorf("the auditor sees %+v", all)
	}
	w.open()
	if log := w.ring.Signings(session, 10); len(log) != 1 || log[0].Person != "maker" {
		t.Errorf("after a new start the log is %+v", log)
	}
}

// TestRefusals: for whom the gateway does not sign.
func TestRefusals(t *testing.T) {
	w := newWorld(t)
	signs := func(what, want string, session login.Session) {
		t.Helper()
		_, err := w.ring.Sign(t.Context(), session, w.statement(9))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", what, err, want)
		}
	}
	signs("nobody", "Log in first", login.Session{})
	w.Enrol("household", party.Own)
	signs("a key that is not here", "holds no key of household", w.Session("household"))
	session := w.Session("maker")
	w.Enrol("maker", party.Own)
	signs("a key that the ledger shows as the person's own", "is not the one that this gateway holds", session)
	w.Enrol("maker", party.GatewayHeld)
	person := w.People["maker"]
	person.Key.Address = sign.Address(logintest.Key("other"))
	w.People["maker"] = person
	signs("a key that is in force no more", "is not the one that this gateway holds", session)
	w.Enrol("maker", party.GatewayHeld)
	person = w.People["maker"]
	person.Key.Suspended = tape.Instant(w.Now.UnixMilli())
	w.People["maker"] = person
	signs("suspended", "was suspended", session)
	w.Enrol("maker", party.GatewayHeld)
	w.Desk.End("maker")
	signs("logged out", "Log in first", session)
	if log := w.ring.Signings(w.Session("maker"), 10); len(log) != 0 {
		t.Errorf("what was refused stands in the log: %+v", log)
	}
}

// TestSealed: no key lies in the clear, and a file is good under its own name only.
func TestSealed(t *testing.T) {
	w := newWorld(t)
	plain := crypto.FromECDSA(logintest.Key("maker"))
	err := filepath.WalkDir(w.folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.Contains(text, plain) || bytes.Contains(text, []byte(hex.EncodeToString(plain))) {
			t.Errorf("%s holds the key in the clear", path)
		}
		if info, err := entry.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", path, info.Mode(), err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	maker, checker := filepath.Join(w.folder, "maker.json"), filepath.Join(w.folder, "checker.json")
	good, err := os.ReadFile(maker)
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(checker)
	if err != nil {
		t.Fatal(err)
	}
	session := w.Session("maker")
	for what, text := range map[string][]byte{
		"another's file": other, "another's under this name": bytes.Replace(other, []byte("checker"), []byte("maker"), 1),
		"a changed file": bytes.Replace(good, []byte(`"v":1`), []byte(`"v": 1`), 1), "an empty file": nil, "half a file": good[:len(good)/2],
	} {
		if err := os.WriteFile(maker, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := w.ring.Sign(t.Context(), session, w.statement(1)); !rule.Is(err, rule.Conflict) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := os.WriteFile(maker, good, 0o600); err != nil {
		t.Fatal(err)
	}
	second := filepath.Join(t.TempDir(), "other.key")
	if err := keyring.CreateMaster(second); err != nil {
		t.Fatal(err)
	}
	w.master = second
	w.open()
	if _, err := w.ring.Sign(t.Context(), session, w.statement(1)); !rule.Is(err, rule.Conflict) {
		t.Errorf("another master key: %v", err)
	}
}

func TestKeep(t *testing.T) {
	w := newWorld(t)
	if err := w.ring.Keep("maker", logintest.Key("maker")); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if err := w.ring.Keep("maker", logintest.Key("other")); !rule.Is(err, rule.Exists) {
		t.Errorf("another key: %v", err)
	}
	if err := w.ring.Keep("../maker", logintest.Key("maker")); !rule.Is(err, rule.Invalid) {
		t.Errorf("a path as a person: %v", err)
	}
	if !w.ring.Holds("maker") || w.ring.Holds("nobody") || w.ring.Holds("../master") {
		t.Error("what is held is told wrongly")
	}
	possession, proof, err := w.ring.Draw(t.Context(), party.Possession{Person: "household", Custody: party.Own, Organisation: "charity", Registrar: "bank"})
	if err != nil || possession.Custody != party.GatewayHeld || !w.ring.Holds("household") {
		t.Fatalf("%+v: %v", possession, err)
	}
	if signer, err := proof.Recover(possession.Digest(w.ID)); err != nil || signer != possession.Key {
		t.Errorf("the proof is signed by %s: %v", signer, err)
	}
	again, _, err := w.ring.Draw(t.Context(), party.Possession{Person: "household", Organisation: "charity", Registrar: "coop"})
	if err != nil || again.Key != possession.Key {
		t.Errorf("the key that is not on the ledger yet is drawn anew: %+v: %v", again, err)
	}
	w.People["household"] = party.Person{V: 1, ID: "household", Key: party.Key{Address: possession.Key}}
	if _, _, err := w.ring.Draw(t.Context(), party.Possession{Person: "household"}); !rule.Is(err, rule.Exists) {
		t.Errorf("a second key: %v", err)
	}
}

func TestMaster(t *testing.T) {
	w := newWorld(t)
	if err := keyring.CreateMaster(w.master); err == nil {
		t.Error("a master key was written over")
	}
	if err := os.Chmod(w.master, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Open(w.folder, w.master, w, nil); !rule.Is(err, rule.Forbidden) {
		t.Errorf("a master key that others may read: %v", err)
	}
	short := filepath.Join(t.TempDir(), "short.key")
	if err := os.WriteFile(short, []byte("abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Open(w.folder, short, w, nil); !rule.Is(err, rule.Invalid) {
		t.Errorf("a short master key: %v", err)
	}
	if _, err := keyring.Open(w.folder, short+"x", w, nil); err == nil {
		t.Error("no master key")
	}
}

// TestLog: half a line at the end is what a crash leaves; everything else that
// is changed is found.
func TestLog(t *testing.T) {
	w := newWorld(t)
	session := w.Session("maker")
	for n := range byte(3) {
		if _, err := w.ring.Sign(t.Context(), session, w.statement(n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.ring.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(w.folder, "signings.log")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lines := bytes.SplitAfter(good, []byte("\n"))
	for what, text := range map[string][]byte{
		"a changed line": bytes.Replace(good, []byte("10.00 CNY"), []byte("90.00 CNY"), 1), "a missing line": bytes.Join([][]byte{lines[0], lines[2]}, nil),
		"another order": bytes.Join([][]byte{lines[1], lines[0], lines[2]}, nil), "no JSON": append(bytes.Clone(good), "x\n"...),
	} {
		write(text)
		if _, err := keyring.Open(w.folder, w.master, w, w.Clock); !rule.Is(err, rule.Conflict) {
			t.Errorf("%s: %v", what, err)
		}
	}
	write(good[:len(good)-5])
	w.open()
	if log := w.ring.Signings(session, 10); len(log) != 2 {
		t.Errorf("%d lines after a crash", len(log))
	}
	if _, err := w.ring.Sign(t.Context(), session, w.statement(7)); err != nil {
		t.Fatal(err)
	}
	w.open()
	if log := w.ring.Signings(session, 10); len(log) != 3 || log[0].Intent != (party.IntentID{7}) {
		t.Errorf("after the crash the log is %+v", log)
	}
}
