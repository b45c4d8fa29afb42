// Package issuer is a provider of OpenID Connect for demonstrations: anybody
// may choose to be any of its people. It exists so that a demo logs in by the
// same way as a real organisation; it says loudly what it is, lists invented
// people only, and stands nowhere unless somebody configures it.
package issuer

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/gateway/login/challenge"
)

// Settings say whom a demonstration has.
type Settings struct {
	// Issuer is the address under which it is mounted, such as
	// http://127.0.0.1:8101/demo-issuer, without a slash at its end.
	Issuer string `json:"issuer"`
	// ClientID and Redirects are those of the one client, the gateway.
	ClientID  string   `json:"clientId"`
	Redirects []string `json:"redirects"`
	People    []Person `json:"people"`
	// Algorithm is RS256 or ES256; empty means ES256.
	Algorithm string `json:"algorithm,omitempty"`
}

// Person is an invented one.
type Person struct {
	// Subject begins with "invented-", as the ids of invented persons do.
	Subject string `json:"subject"`
	Name    string `json:"name"`
	Email   string `json:"email,omitempty"`
	// Unverified says that nobody has checked the email.
	Unverified bool `json:"unverified,omitempty"`
}

const inventedPrefix = "invented-"

// Times of what it gives out, and how much it keeps.
const (
	codeLife  = time.Minute
	tokenLife = 5 * time.Minute
	codesMax  = 1000
	keysMax   = 2 // the one that signs, and the one before it
)

// Issuer answers under its own address.
type Issuer struct {
	Settings
	prefix string
	clock  func() time.Time
	routes *http.ServeMux

	mutex sync.Mutex
	keys  []signer
	codes map[string]code
}

// code is what a person chose, until the client redeems it.
type code struct {
	person                             Person
	client, redirect, nonce, challenge string
	until                              time.Time
}

// New builds a demonstration's issuer, and refuses people who could be real.
func New(settings Settings, clock func() time.Time) (*Issuer, error) {
	parsed, err := url.Parse(settings.Issuer)
	if err != nil || challenge.CheckOrigin(parsed.Scheme+"://"+parsed.Host) != nil || strings.HasSuffix(settings.Issuer, "/") || parsed.RawQuery != "" {
		return nil, rule.Refuse(rule.Invalid, "%.80q is not the address of an issuer", settings.Issuer)
	}
	if settings.ClientID == "" || len(settings.Redirects) == 0 || len(settings.People) == 0 {
		return nil, rule.Refuse(rule.Invalid, "the demonstration's issuer needs clientId, redirects and people")
	}
	for _, person := range settings.People {
		if !strings.HasPrefix(person.Subject, inventedPrefix) || person.Name == "" {
			return nil, rule.Refuse(rule.Forbidden, "%.60q does not begin with %s: anybody can log in as the people of a demonstration, so none may be real", person.Subject, inventedPrefix)
		}
	}
	if settings.Algorithm == "" {
		settings.Algorithm = ES256
	}
	if clock == nil {
		clock = time.Now
	}
	i := &Issuer{Settings: settings, prefix: parsed.Path, clock: clock, codes: map[string]code{}, routes: http.NewServeMux()}
	i.routes.HandleFunc("GET "+i.prefix+"/.well-known/openid-configuration", i.discovery)
	i.routes.HandleFunc("GET "+i.prefix+"/keys", i.publicKeys)
	i.routes.HandleFunc("GET "+i.prefix+"/authorize", i.choose)
	i.routes.HandleFunc("POST "+i.prefix+"/authorize", i.chosen)
	i.routes.HandleFunc("POST "+i.prefix+"/token", i.token)
	return i, i.Rotate()
}

// Pattern is what a server hands to the issuer.
func (i *Issuer) Pattern() string { return i.prefix + "/" }

// ServeHTTP implements http.Handler.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Referrer-Policy", "no-referrer")
	i.routes.ServeHTTP(w, r)
}

// Rotate draws a new key to sign with. The one before is published for a while
// yet, so that tokens on their way stay good.
func (i *Issuer) Rotate() error {
	key, err := newSigner(i.Algorithm)
	if err != nil {
		return err
	}
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.keys = append([]signer{key}, i.keys...)
	i.keys = i.keys[:min(len(i.keys), keysMax)]
	return nil
}

func (i *Issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"issuer": i.Issuer, "authorization_endpoint": i.Issuer + "/authorize", "token_endpoint": i.Issuer + "/token", "jwks_uri": i.Issuer + "/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "grant_types_supported": []string{"authorization_code"},
		"id_token_signing_alg_values_supported": []string{i.Algorithm}, "code_challenge_methods_supported": []string{"S256"},
		"scopes_supported": []string{"openid", "email"}, "token_endpoint_auth_methods_supported": []string{"none"},
		"claims_supported": []string{"sub", "email", "email_verified", "name"}, "authorization_response_iss_parameter_supported": true,
	})
}

func (i *Issuer) publicKeys(w http.ResponseWriter, _ *http.Request) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	keys := []map[string]string{}
	for _, key := range i.keys {
		keys = append(keys, key.public())
	}
	answer(w, http.StatusOK, map[string]any{"keys": keys})
}

// asked is what a client asks of the authorization endpoint.
type asked struct{ client, redirect, state, nonce, challenge string }

// read refuses, on a page of its own, what no client of this issuer would ask:
// an answer goes only to an address that was registered.
func (i *Issuer) read(values url.Values) (asked, bool) {
	a := asked{values.Get("client_id"), values.Get("redirect_uri"), values.Get("state"), values.Get("nonce"), values.Get("code_challenge")}
	good := a.client == i.ClientID && slices.Contains(i.Redirects, a.redirect) && values.Get("response_type") == "code" &&
		slices.Contains(strings.Fields(values.Get("scope")), "openid") && values.Get("code_challenge_method") == "S256" && len(a.challenge) == 43 && a.state != ""
	return a, good
}

// chosen sends the browser back with a code for the person that was chosen.
func (i *Issuer) chosen(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, formBytesMax)
	if http.NewCrossOriginProtection().Check(r) != nil || r.ParseForm() != nil {
		http.Error(w, "the form did not come from this page", http.StatusForbidden)
		return
	}
	a, good := i.read(r.PostForm)
	index := slices.IndexFunc(i.People, func(p Person) bool { return p.Subject == r.PostForm.Get("subject") })
	if !good || index < 0 {
		http.Error(w, "this is not a request of this issuer's client", http.StatusBadRequest)
		return
	}
	given := url.Values{"code": {i.give(a, i.People[index])}, "state": {a.state}, "iss": {i.Issuer}}
	http.Redirect(w, r, a.redirect+"?"+given.Encode(), http.StatusSeeOther)
}

const formBytesMax = 16 << 10

func (i *Issuer) give(a asked, person Person) string {
	var bits [32]byte
	_, _ = rand.Read(bits[:]) // it never fails: the program ends before
	name := base64.RawURLEncoding.EncodeToString(bits[:])
	i.mutex.Lock()
	defer i.mutex.Unlock()
	now := i.clock()
	for old, c := range i.codes {
		if now.After(c.until) || len(i.codes) >= codesMax {
			delete(i.codes, old)
		}
	}
	i.codes[name] = code{person: person, client: a.client, redirect: a.redirect, nonce: a.nonce, challenge: a.challenge, until: now.Add(codeLife)}
	return name
}

// token gives an id token for a code, once, to whoever began the login.
func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, formBytesMax)
	if r.ParseForm() != nil || r.PostForm.Get("grant_type") != "authorization_code" {
		answer(w, http.StatusBadRequest, map[string]string{"error": "unsupported_grant_type"})
		return
	}
	c, good := i.redeem(r)
	if !good {
		answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	now := i.clock()
	claims := map[string]any{"iss": i.Issuer, "sub": c.person.Subject, "aud": c.client, "iat": now.Unix(), "exp": now.Add(tokenLife).Unix(), "nonce": c.nonce, "name": c.person.Name}
	if c.person.Email != "" {
		claims["email"], claims["email_verified"] = c.person.Email, !c.person.Unverified
	}
	signed, err := i.Sign(claims)
	if err != nil {
		answer(w, http.StatusInternalServerError, map[string]string{"error": "server_error"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"access_token": "nothing-to-read-here", "token_type": "Bearer", "expires_in": int(tokenLife / time.Second), "id_token": signed})
}

// redeem takes a code away and checks who brings it (RFC 7636). The library
// sends the client's id in the form or, trying first, as a user's name.
func (i *Issuer) redeem(r *http.Request) (code, bool) {
	client := r.PostForm.Get("client_id")
	if user, _, basic := r.BasicAuth(); basic {
		client = user
	}
	i.mutex.Lock()
	defer i.mutex.Unlock()
	c, known := i.codes[r.PostForm.Get("code")]
	delete(i.codes, r.PostForm.Get("code"))
	digest := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	proof := base64.RawURLEncoding.EncodeToString(digest[:])
	return c, known && client == c.client && r.PostForm.Get("redirect_uri") == c.redirect && !i.clock().After(c.until) &&
		subtle.ConstantTimeCompare([]byte(proof), []byte(c.challenge)) == 1
}

// Sign makes an id token of claims. It is exported for tests that tell lies.
func (i *Issuer) Sign(claims map[string]any) (string, error) {
	i.mutex.Lock()
	key := i.keys[0]
	i.mutex.Unlock()
	return key.token(claims)
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // whoever left does not read it
}
