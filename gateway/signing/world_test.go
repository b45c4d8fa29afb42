package signing

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"

	"github.com/lianbao/lianbao/chaincode/contract"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/lane"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/login/logintest"
	"github.com/lianbao/lianbao/gateway/message"
	"github.com/lianbao/lianbao/gateway/outbox"
	"github.com/lianbao/lianbao/gateway/readmodel"

	"github.com/lianbao/lianbao/gateway/persons"
)

var organisations = []string{"charity", "bank", "coop"}

// world is a network in memory with the real contracts, and a desk whose
// persons are those of its ledger.
type world struct {
	*logintest.Town
	network  *peertest.Network
	register persons.Register
	members  []login.Member
	carried  []string
	busy     bool
}

func newWorld(t *testing.T, members ...login.Member) *world {
	build := func() shim.Chaincode {
		chaincode, err := contract.New()
		if err != nil {
			t.Fatal(err)
		}
		return chaincode
	}
	w := &world{Town: logintest.New(t, members...), network: peertest.New(t, build, organisations...), members: members}
	w.register = persons.Register{Records: w}
	w.Now = w.network.Clock()
	charter := party.Charter{Ledger: w.ID, Quorum: 2, Rules: 1, Zone: "+08:00", Policy: party.DefaultPolicy(party.Threshold{Amount: money.New(100_000_00, "CNY"), Organisations: 2})}
	charter.Policy.Persons.KeyWaitingHours = 0
	for _, name := range organisations {
		charter.Organisations = append(charter.Organisations, party.Member{MSP: name, Name: name})
	}
	charter.Powers = []party.Grant{{Organisation: "bank", Power: party.Custodian}, {Organisation: "charity", Power: party.Charity}}
	hash, err := charter.Hash()
	if err != nil {
		t.Fatal(err)
	}
	w.must("bank", "admin", "Party:Found", encoded(t, party.FoundCommand{Charter: charter, ID: "found"}))
	for _, name := range organisations {
		w.must(name, "admin", "Party:Join", encoded(t, party.JoinCommand{Charter: hash, ID: "join"}))
	}
	return w
}

// must invokes a command.
func (w *world) must(organisation, role, function string, argument []byte) {
	w.Helper()
	if _, err := w.network.Invoke(w.network.Identity(organisation, role), function, string(argument)); err != nil {
		w.Fatalf("%s by %s: %v", function, organisation, err)
	}
}

// bring registers a person of the charity by the bank, on the ledger and so at the desk.
func (w *world) bring(id tape.ID, custody party.Custody) {
	w.Helper()
	key, duty := logintest.Key(id), party.DutyMember
	if slices.ContainsFunc(w.members, func(m login.Member) bool { return m.Person == id }) {
		duty = party.DutyStaff
	}
	proof, err := sign.Possession(key, w.ID, party.Possession{Person: id, Custody: custody, Duty: duty, Organisation: "charity", Registrar: "bank"})
	if err != nil {
		w.Fatal(err)
	}
	w.must("bank", "gateway", "Party:Register", encoded(w, party.RegisterCommand{Address: sign.Address(key), Custody: custody, Duty: duty, ID: "register-" + id, Organisation: "charity", Person: id, Proof: proof}))
	w.must("charity", "gateway", "Party:Witness", encoded(w, party.WitnessCommand{Address: sign.Address(key), Duty: duty, ID: "witness-" + id, Person: id}))
	w.People[id] = w.person(id)
}

// Record reads the ledger's state, as the read model does.
func (w *world) Record(_ context.Context, key string) (readmodel.Record, error) {
	value, found := w.network.State().Get(key)
	if !found {
		return readmodel.Record{}, rule.Refuse(rule.NotFound, "there is no record %s", key)
	}
	return readmodel.Record{Key: key, Value: value.Data}, nil
}

func (w *world) person(id tape.ID) party.Person {
	w.Helper()
	person, err := w.register.Person(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	return person
}

// Submit implements Lanes on the network, at once.
func (w *world) Submit(_ context.Context, function string, argument []byte) (lane.Status, error) {
	if w.busy {
		return lane.Status{}, &lane.Busy{Waiting: 1}
	}
	w.carried = append(w.carried, function)
	status := lane.Status{Function: function, State: outbox.Done}
	_, err := w.network.Invoke(w.network.Identity("charity", "gateway"), function, string(argument))
	if err != nil {
		status.State = outbox.Refused
		if !errors.As(err, &status.Refusal) {
			return status, err
		}
	}
	return status, nil
}

func (w *world) drafts(hand Hand) *Drafts {
	return NewDrafts(Parts{Organisation: "charity", Ledger: w.register, Policy: w.register, Lanes: w, Hand: hand, Clock: w.network.Clock})
}

// intent signs a draft as lianbao person sign does.
func (w *world) intent(d Draft, signer tape.ID) party.Intent {
	w.Helper()
	statement, err := d.Statement()
	if err != nil {
		w.Fatal(err)
	}
	intent, err := sign.Intent(logintest.Key(signer), d.Ledger, d.Person, statement)
	if err != nil {
		w.Fatal(err)
	}
	return intent
}

// says reports whether an error is a refusal with this message or text.
func says(err error, want string) bool {
	var said *message.Refusal
	if errors.As(err, &said) && said.Key == want {
		return true
	}
	return err != nil && strings.Contains(err.Error(), want)
}

// ServeHTTP is the gateway's API as the door sees it.
func (w *world) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+strings.Repeat("t", 32) {
		http.Error(out, "no token", http.StatusUnauthorized)
		return
	}
	argument, err := io.ReadAll(r.Body)
	if err != nil {
		w.Error(err)
	}
	function := strings.Replace(strings.TrimPrefix(r.URL.Path, "/api/v1/commands/"), "/", ":", 1)
	status, err := w.Submit(r.Context(), function, argument)
	if err != nil {
		w.Error(err)
	}
	answer := map[string]string{"state": string(status.State), "key": r.Header.Get("Idempotency-Key"), "prefer": r.Header.Get("Prefer")}
	if status.Refusal != nil {
		answer["refusal"] = status.Refusal.Error()
	}
	_ = json.NewEncoder(out).Encode(answer)
}

func (w *world) door() *Door {
	return NewDoor(Door{Organisation: "charity", Ledger: w.register, API: w, Token: strings.Repeat("t", 32), Clock: w.network.Clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
}

// knock sends a body to the door and returns status and answer.
func knock(d *Door, body string, header ...string) (int, string) {
	r := httptest.NewRequest(http.MethodPost, "/people/commands", strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}
