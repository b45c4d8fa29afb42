package founding

import (
	"crypto/sha256"
	"encoding/json"
	"os"
	"testing"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/network/topology"
)

func TestDraw(t *testing.T) {
	strangers := topology.Default()
	for i := range strangers.Organisations {
		strangers.Organisations[i].Name = string(rune('a' + i))
	}
	for _, test := range []struct {
		name           string
		topology       topology.Topology
		powers, quorum int
	}{
		{"default", topology.Default(), 9, 3},
		{"small", topology.Small(), 9, 3},
		{"other organisations begin with no power", strangers, 0, 3},
	} {
		c := Draw(test.topology, party.LedgerID{1})
		if err := c.Check(1); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if len(c.Powers) != test.powers || int(c.Quorum) != test.quorum {
			t.Errorf("%s: %d powers, quorum %d; want %d and %d", test.name, len(c.Powers), c.Quorum, test.powers, test.quorum)
		}
	}
}

// TestKept: what was drawn once is found again, and nobody else can read it.
func TestKept(t *testing.T) {
	folder := t.TempDir()
	first, err := keepCharter(folder, topology.Default())
	if err != nil {
		t.Fatal(err)
	}
	second, err := keepCharter(folder, topology.Small())
	if err != nil || second.Ledger != first.Ledger || first.Ledger == (party.LedgerID{}) {
		t.Errorf("the second charter is %s, %v; the first %s", second.Ledger, err, first.Ledger)
	}
	if _, _, err := Staff(folder, "bank"); err == nil {
		t.Error("there are keys before anybody made them")
	}
	one, err := keepSigner(folder, "bank", Maker)
	if err != nil {
		t.Fatal(err)
	}
	again, err := keepSigner(folder, "bank", Maker)
	if err != nil || !one.Key.Equal(again.Key) {
		t.Errorf("the key was drawn twice: %v", err)
	}
	info, err := os.Stat(keyPath(folder, "bank", Maker))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info, err)
	}
}

func TestRegistrar(t *testing.T) {
	five := Draw(topology.Default(), party.LedgerID{1})
	two := party.Charter{Organisations: []party.Member{{Name: "one"}, {Name: "two"}}}
	for _, test := range []struct {
		charter      party.Charter
		organisation string
		want         string
	}{
		{five, "charity", "regulator"}, {five, "bank", "regulator"}, {five, "regulator", "bank"}, {two, "one", "two"}, {two, "two", "one"},
	} {
		if got := registrarOf(test.organisation, test.charter); got != test.want {
			t.Errorf("%s is registered by %s, want %s", test.organisation, got, test.want)
		}
	}
}

// TestEnvelope: the same decision has the same bytes, and each signature is
// that of the person who is named.
func TestEnvelope(t *testing.T) {
	folder, ledger := t.TempDir(), party.LedgerID{9}
	var signers []Signer
	for _, duty := range []Duty{Maker, Checker} {
		s, err := keepSigner(folder, "charity", duty)
		if err != nil {
			t.Fatal(err)
		}
		signers = append(signers, s)
	}
	command := party.RevokeCommand{ID: "1", Person: "nobody"}
	decision := Decision{Action: "revoke", Subject: "nobody", Deadline: 1_800_000_000_000}
	envelope, err := Envelope(ledger, command, decision, signers...)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Envelope(ledger, command, decision, signers...)
	if err != nil || string(again) != string(envelope) {
		t.Errorf("the second envelope differs: %v", err)
	}
	var read struct {
		Command json.RawMessage `json:"command"`
		Intents []party.Intent  `json:"intents"`
	}
	if err := canonical.Decode(envelope, &read); err != nil {
		t.Fatal(err)
	}
	if len(read.Intents) != 2 || read.Intents[0].Intent == read.Intents[1].Intent {
		t.Fatalf("intents %+v", read.Intents)
	}
	for i, s := range signers {
		approve(t, ledger, decision, s, read.Intents[i], read.Command)
	}
}

func approve(t *testing.T, ledger party.LedgerID, d Decision, s Signer, intent party.Intent, command []byte) {
	t.Helper()
	act := party.Act{Action: d.Action, Subject: d.Subject, Amount: d.Amount, Command: sha256.Sum256(command), Entry: "1"}
	person := party.Person{V: 1, ID: s.Person, Organisation: s.Organisation,
		Key: party.Key{Address: sign.Address(s.Key), Custody: party.GatewayHeld, Registrar: "regulator", Witness: "charity"}}
	context := tape.Context{Organisation: "charity", Role: party.RoleGateway, At: d.Deadline - tape.Day}
	if _, _, err := party.Judge(ledger, act, []party.Presented{{Intent: intent, Person: &person}}, context); err != nil {
		t.Errorf("%s: %v", s.Person, err)
	}
}
