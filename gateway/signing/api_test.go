package signing

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/gateway/api"
	"github.com/lianbao/lianbao/gateway/client"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/lane"
	"github.com/lianbao/lianbao/gateway/outbox"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// carrier is the network in memory as real lanes see it.
type carrier struct {
	*world
	mutex sync.Mutex
}

// Submit implements lane.Ledger.
func (c *carrier) Submit(_ context.Context, function string, argument []byte, sent func(string) error) (fabric.Receipt, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	endorsed, err := c.network.Endorse(c.network.Identity("charity", "gateway"), function, string(argument))
	var refusal *rule.Refusal
	if errors.As(err, &refusal) {
		return fabric.Receipt{}, refusal
	}
	if err != nil {
		return fabric.Receipt{}, err
	}
	if err := sent(endorsed.Proposal.TransactionID); err != nil {
		return fabric.Receipt{}, err
	}
	results, err := c.network.Commit(endorsed)
	if err != nil {
		return fabric.Receipt{}, err
	}
	if results[0].Code != peer.TxValidationCode_VALID {
		return fabric.Receipt{}, errors.New(results[0].Code.String())
	}
	return fabric.Receipt{Entry: endorsed.Outcome.Response.Payload, TransactionID: results[0].TransactionID, Block: results[0].Block}, nil
}

// Status implements lane.Ledger; nothing is ever unknown here.
func (c *carrier) Status(context.Context, string) (fabric.Receipt, error) {
	return fabric.Receipt{}, errors.New("no transaction is under way")
}

// Evaluate implements lane.Ledger.
func (c *carrier) Evaluate(context.Context, string, []byte) ([]byte, error) {
	return nil, errors.New("nothing is evaluated")
}

// Height implements api.Chain.
func (c *carrier) Height(context.Context) (uint64, error) { return c.network.Height(), nil }

// TestDoorOfAPI: the door before the real API, real lanes and the real
// contracts, spoken to by the client that programs use.
func TestDoorOfAPI(t *testing.T) {
	w := newWorld(t)
	w.bring("household", party.Own)
	box, err := outbox.Open(t.Context(), filepath.Join(t.TempDir(), "outbox.db"), outbox.Settings{Volatile: true})
	if err != nil {
		t.Fatal(err)
	}
	model, err := readmodel.Open(t.Context(), filepath.Join(t.TempDir(), "readmodel.db"))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	ledger := &carrier{world: w}
	lanes, err := lane.Start(t.Context(), ledger, box, lane.Settings{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	token := strings.Repeat("t", 40)
	server := api.New(api.Parts{Organisation: "charity", Lanes: lanes, Outbox: box, Model: model, Chain: ledger, Token: token, Log: log})
	server.Handle(DoorPattern, NewDoor(Door{Organisation: "charity", Ledger: w.register, API: server, Token: token, Clock: w.network.Clock, Log: log}))
	listener := httptest.NewServer(server)
	t.Cleanup(func() {
		listener.Close()
		lanes.Stop()
		if err := errors.Join(box.Close(), model.Close()); err != nil {
			t.Error(err)
		}
	})
	c := &client.Client{URL: listener.URL}
	send := func(body string) (client.Acceptance, error) {
		var a client.Acceptance
		if err := c.Post(t.Context(), "/people/commands", json.RawMessage(body), &a); err != nil {
			return a, err
		}
		return c.Wait(t.Context(), a)
	}
	revoke := w.personal("Party:Revoke", party.RevokeCommand{ID: "revoke-0123456789abcdef", Person: "household"}, "", "household", "household")
	address := w.person("household").Key.Address
	suspend := w.personal("Party:Suspend", party.SuspendCommand{Address: address, ID: "suspend-0123456789abcdef", Person: "household"}, "", "household", "household")
	a, err := send(suspend)
	if err != nil || !a.Done() || a.ID != "suspend-0123456789abcdef" || a.Transaction == "" {
		t.Fatalf("%+v: %v", a, err)
	}
	if w.person("household").Key.Suspended == 0 {
		t.Error("the key is not suspended")
	}
	if _, err := send(revoke); !client.Is(err, string(rule.WrongState)) {
		t.Errorf("with a suspended key: %v", err)
	}
	// The API behind it still asks for the token.
	if _, err := c.Submit(t.Context(), "Party:Revoke", []byte(`{}`)); !client.Is(err, "unauthorized") {
		t.Errorf("without the token: %v", err)
	}
	got, err := http.Get(listener.URL + "/people/commands")
	if err != nil {
		t.Fatal(err)
	}
	if _ = got.Body.Close(); got.StatusCode != http.StatusNotFound && got.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", got.StatusCode)
	}
}
