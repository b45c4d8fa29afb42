// Package logintest gives tests of other packages people who have really
// logged in: sessions come from a desk, by a signed challenge, and from nowhere else.
package logintest

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/login/challenge"
	"github.com/lianbao/lianbao/gateway/message"
)

// Origin is where the town's pages are.
const Origin = "http://127.0.0.1:8101"

// Town is a ledger's persons and a desk where they log in. Its clock stands
// until it is moved.
type Town struct {
	testing.TB
	Desk   *login.Desk
	Now    time.Time
	ID     party.LedgerID
	People map[tape.ID]party.Person
	shown  login.Page
}

// New founds a town; members have roles when they log in by their keys.
func New(t testing.TB, members ...login.Member) *Town {
	t.Helper()
	town := &Town{TB: t, Now: time.Unix(1_800_000_000, 0), ID: party.LedgerID{7}, People: map[tape.ID]party.Person{}}
	var err error
	town.Desk, err = login.New(login.Parts{Config: login.Config{Origin: Origin, Keys: members}, Persons: town, Renderer: town,
		Clock: town.Clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return town
}

// Clock is the town's.
func (town *Town) Clock() time.Time { return town.Now }

// Person implements what looks persons up.
func (town *Town) Person(_ context.Context, id tape.ID) (party.Person, error) {
	person, known := town.People[id]
	if !known {
		return person, message.Refuse(rule.NotFound, "person.unknown", "Person", string(id))
	}
	return person, nil
}

// Ledger implements it too.
func (town *Town) Ledger(context.Context) (party.LedgerID, error) { return town.ID, nil }

// Login implements login.Renderer.
func (town *Town) Login(w http.ResponseWriter, _ *http.Request, status int, page login.Page) {
	w.WriteHeader(status)
	town.shown = page
}

// Key is the key of a person, drawn from its id.
func Key(id tape.ID) *ecdsa.PrivateKey {
	seed := sha256.Sum256([]byte(id))
	key, err := crypto.ToECDSA(seed[:])
	if err != nil {
		panic(err) // no hash of a short text is no key
	}
	return key
}

// Enrol brings a person of the charity whose key is in force since yesterday.
func (town *Town) Enrol(id tape.ID, custody party.Custody) {
	town.People[id] = party.Person{V: 1, ID: id, Organisation: "charity", Key: party.Key{Address: sign.Address(Key(id)), Custody: custody,
		Registrar: "bank", Witness: "charity", From: tape.Instant(town.Now.UnixMilli()) - tape.Day}}
}

// Cookie logs a person in and returns the cookie of its session.
func (town *Town) Cookie(id tape.ID) *http.Cookie {
	town.Helper()
	first := httptest.NewRecorder()
	town.Desk.ServeHTTP(first, httptest.NewRequest(http.MethodGet, Origin+"/login", nil))
	if town.shown.Challenge == nil {
		town.Fatalf("there is no challenge: %+v", town.shown)
	}
	signature, err := town.shown.Challenge.Sign(Key(id))
	if err != nil {
		town.Fatal(err)
	}
	form := url.Values{"person": {string(id)}, "nonce": {town.shown.Challenge.Nonce.String()}, "signature": {signature.String()}, login.FormToken: {town.shown.Token}}
	post := httptest.NewRequest(http.MethodPost, Origin+challenge.Path, strings.NewReader(form.Encode()))
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	post.AddCookie(first.Result().Cookies()[0])
	second := httptest.NewRecorder()
	town.Desk.ServeHTTP(second, post)
	if second.Code != http.StatusSeeOther {
		town.Fatalf("%s is not let in: %d %+v", id, second.Code, town.shown.Message)
	}
	town.Now = town.Now.Add(time.Minute) // the desk slows down who logs in often
	return second.Result().Cookies()[0]
}

// Session logs a person in.
func (town *Town) Session(id tape.ID) login.Session {
	town.Helper()
	r := httptest.NewRequest(http.MethodGet, Origin, nil)
	r.AddCookie(town.Cookie(id))
	return town.Desk.Session(r)
}
