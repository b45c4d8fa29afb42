package login

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/login/issuer"
	"github.com/lianbao/lianbao/gateway/message"
)

// world is a gateway's desk and a demonstration's issuer behind real HTTP, with
// a clock that stands until it is moved.
type world struct {
	*testing.T
	origin string
	desk   *Desk
	issuer *issuer.Issuer
	people map[tape.ID]party.Person

	mutex sync.Mutex
	now   time.Time
	// meddle may answer in the issuer's place.
	meddle func(w http.ResponseWriter, r *http.Request) bool
	asked  string // the nonce of the login under way
}

const client = "gateway"

func (w *world) clock() time.Time {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.now
}

func (w *world) wait(d time.Duration) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) instant() tape.Instant { return tape.Instant(w.clock().UnixMilli()) }

// Person and Ledger implement Persons.
func (w *world) Person(_ context.Context, id tape.ID) (party.Person, error) {
	person, known := w.people[id]
	if !known {
		return person, message.Refuse(rule.NotFound, "person.unknown", "Person", string(id))
	}
	return person, nil
}

func (w *world) Ledger(context.Context) (party.LedgerID, error) { return party.LedgerID{7}, nil }

// Login shows a page as JSON.
func (w *world) Login(out http.ResponseWriter, _ *http.Request, status int, page Page) {
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(status)
	if err := json.NewEncoder(out).Encode(page); err != nil {
		w.Error(err)
	}
}

func newWorld(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	w := &world{T: t, now: time.Unix(1_800_000_000, 0), people: map[tape.ID]party.Person{}}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	w.origin = server.URL
	address := w.origin + "/demo-issuer"
	var err error
	w.issuer, err = issuer.New(issuer.Settings{Issuer: address, ClientID: client, Redirects: []string{w.origin + "/login/issuer/demo/callback"}, People: []issuer.Person{
		{Subject: "invented-maker", Name: "Maker"}, {Subject: "invented-auditor", Name: "Auditor", Email: "Auditor@sunrise.example"},
		{Subject: "invented-other", Name: "Other", Email: "nobody@sunrise.example"}, {Subject: "invented-unverified", Name: "U", Email: "auditor@sunrise.example", Unverified: true},
		{Subject: "invented-revoked", Name: "Revoked"}, {Subject: "invented-missing", Name: "Missing"}}}, w.clock)
	if err != nil {
		t.Fatal(err)
	}
	config := Config{Origin: w.origin, Issuers: []Issuer{{Name: "demo", Title: "Demo", Issuer: address, ClientID: client, Members: []Member{
		{Subject: "invented-maker", Person: "maker", Roles: []Role{Maker, Agent}}, {Email: "auditor@sunrise.example", Roles: []Role{Auditor}},
		{Subject: "invented-revoked", Person: "revoked", Roles: []Role{Maker}}, {Subject: "invented-missing", Person: "missing", Roles: []Role{Maker}}}}},
		Keys: []Member{{Person: "checker", Roles: []Role{Checker}}}}
	for _, c := range change {
		c(&config)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	if w.desk, err = New(Parts{Config: config, Persons: w, Renderer: w, Clock: w.clock, Log: log, Client: server.Client()}); err != nil {
		t.Fatal(err)
	}
	for _, pattern := range Patterns() {
		mux.Handle(pattern, w.desk)
	}
	mux.HandleFunc(w.issuer.Pattern(), func(out http.ResponseWriter, r *http.Request) {
		if w.meddle == nil || !w.meddle(out, r) {
			w.issuer.ServeHTTP(out, r)
		}
	})
	mux.Handle("/work", w.desk.Require(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		session := w.desk.Session(r)
		_ = json.NewEncoder(out).Encode(map[string]any{"Person": session.Person(), "Roles": session.Roles(), "By": session.By()})
	})))
	mux.Handle("/check", w.desk.Require(http.NotFoundHandler(), Checker))
	for _, id := range []tape.ID{"maker", "checker", "revoked", "suspended", "unwitnessed", "early", "household"} {
		w.enrol(id)
	}
	return w
}

func keyOf(id tape.ID) *ecdsa.PrivateKey {
	seed := sha256.Sum256([]byte(id))
	key, err := crypto.ToECDSA(seed[:])
	if err != nil {
		panic(err)
	}
	return key
}

// enrol makes a person as the ledger would hold it; some have what their name says.
func (w *world) enrol(id tape.ID) {
	p := party.Person{V: 1, ID: id, Organisation: "charity", Key: party.Key{Address: sign.Address(keyOf(id)), Custody: party.Own, Registrar: "bank", Witness: "charity", From: w.instant() - tape.Day}}
	switch id {
	case "revoked":
		p.Revoked = w.instant() - tape.Hour
	case "suspended":
		p.Key.Suspended = w.instant() - tape.Hour
	case "unwitnessed":
		p.Key.Witness, p.Key.From = "", 0
	case "early":
		p.Key.From = w.instant() + tape.Hour
	}
	w.people[id] = p
}

// browser keeps cookies and follows no redirect by itself.
type browser struct {
	*world
	http *http.Client
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.Fatal(err)
	}
	return &browser{w, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// answer is what a browser got.
type answer struct {
	status   int
	location string
	body     string
	header   http.Header
	page     Page
}

func (b *browser) do(method, address string, form url.Values, header ...string) answer {
	b.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.origin + address
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(b.Context(), method, address, body)
	if err != nil {
		b.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	got, err := b.http.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		b.Fatal(err)
	}
	a := answer{status: got.StatusCode, location: got.Header.Get("Location"), body: string(text), header: got.Header}
	if got.Header.Get("Content-Type") == "application/json" {
		_ = json.Unmarshal(text, &a.page) // another JSON leaves it empty
	}
	return a
}

func (b *browser) get(address string, header ...string) answer {
	b.Helper()
	return b.do(http.MethodGet, address, nil, header...)
}

func (b *browser) session() string {
	address, err := url.Parse(b.origin)
	if err != nil {
		b.Fatal(err)
	}
	for _, cookie := range b.http.Jar.Cookies(address) {
		if cookie.Name == "lianbao-session-"+address.Port() {
			return cookie.Value
		}
	}
	return ""
}

// expect compares what a page says.
func (a answer) expect(t *testing.T, what string, status int, key string) {
	t.Helper()
	if a.status != status || a.page.Message.Key != key {
		t.Errorf("%s: %d %s, want %d %s\n%s", what, a.status, a.page.Message.Key, status, key, a.body)
	}
}

// choose goes to the issuer and chooses a person there; what is returned is
// the address to which the issuer sends the browser back.
func (b *browser) choose(subject, back string) string {
	b.Helper()
	begun := b.get("/login/issuer/demo?" + url.Values{"return": {back}}.Encode())
	if begun.status != http.StatusSeeOther {
		b.Fatalf("the login does not begin: %d %s", begun.status, begun.body)
	}
	shown := b.get(begun.location)
	if shown.status != http.StatusOK || !strings.Contains(shown.body, "DEMONSTRATION") || !strings.Contains(shown.body, "演示") {
		b.Fatalf("the issuer shows %d %s", shown.status, shown.body)
	}
	asked, err := url.Parse(begun.location)
	if err != nil {
		b.Fatal(err)
	}
	form := asked.Query()
	form.Set("subject", subject)
	chosen := b.do(http.MethodPost, b.origin+"/demo-issuer/authorize", form)
	if chosen.status != http.StatusSeeOther {
		b.Fatalf("the issuer answers %d %s", chosen.status, chosen.body)
	}
	return chosen.location
}

// prove logs in by a key.
func (b *browser) prove(person tape.ID, key *ecdsa.PrivateKey, change ...func(form url.Values)) answer {
	b.Helper()
	page := b.get("/login?return=/work").page
	if page.Challenge == nil {
		b.Fatalf("there is no challenge: %+v", page)
	}
	signature, err := page.Challenge.Sign(key)
	if err != nil {
		b.Fatal(err)
	}
	form := url.Values{"person": {string(person)}, "nonce": {page.Challenge.Nonce.String()}, "signature": {signature.String()}, "return": {page.Return}, FormToken: {page.Token}}
	for _, c := range change {
		c(form)
	}
	return b.do(http.MethodPost, page.Challenge.Path, form)
}
