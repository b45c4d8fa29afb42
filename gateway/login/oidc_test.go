package login

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/gateway/login/issuer"
)

// TestStaffLogin goes the whole way over HTTP: page, issuer, back, work, logout.
func TestStaffLogin(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	if sent := b.get("/work"); sent.status != http.StatusSeeOther || sent.location != "/login?return=%2Fwork" {
		t.Fatalf("a stranger gets %d %s", sent.status, sent.location)
	}
	page := b.get("/login?return=/work%3Fa=b").page
	if len(page.Issuers) != 1 || page.Issuers[0].Address != "/login/issuer/demo?return=%2Fwork%3Fa%3Db" {
		t.Errorf("the ways are %+v", page.Issuers)
	}
	before := b.session()
	done := b.get(b.choose("invented-maker", "/work?a=b"))
	if done.status != http.StatusSeeOther || done.location != "/work?a=b" {
		t.Fatalf("after the login: %d %s %s", done.status, done.location, done.body)
	}
	cookie := done.header.Get("Set-Cookie")
	if !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") || !strings.Contains(cookie, "Path=/") || b.session() == before || len(b.session()) != 43 {
		t.Errorf("the cookie %s is not rotated or not guarded", cookie)
	}
	if got := b.get("/work").body; got != `{"By":"issuer demo","Person":"maker","Roles":["maker","agent"]}`+"\n" {
		t.Errorf("logged in as %s", got)
	}
	b.get("/check").expect(t, "another's role", http.StatusForbidden, "login.role")
	// The session before the login is nobody's.
	old := w.browser()
	if got := old.get("/work", "Cookie", w.desk.cookieName()+"="+before); got.status != http.StatusSeeOther {
		t.Errorf("the session before the login gets %d", got.status)
	}
	stolen := b.session()
	b.do(http.MethodPost, "/logout", url.Values{FormToken: {"x"}}).expect(t, "logout by another site", http.StatusForbidden, "form.foreign")
	b.do(http.MethodPost, "/logout", url.Values{FormToken: {b.get("/login").page.Token}}).expect(t, "logout", http.StatusOK, "logout.done")
	for _, name := range []string{stolen, ""} {
		if got := old.get("/work", "Cookie", w.desk.cookieName()+"="+name); got.status != http.StatusSeeOther {
			t.Errorf("after the logout the session %q gets %d", name, got.status)
		}
	}
}

// TestMembers: who is let in, and what the others are told to mend.
func TestMembers(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		subject string
		status  int
		key     string
	}{
		{"invented-auditor", http.StatusSeeOther, ""},
		{"invented-other", http.StatusForbidden, "issuer.stranger"},
		{"invented-unverified", http.StatusForbidden, "issuer.email"},
		{"invented-revoked", http.StatusForbidden, "person.revoked"},
		{"invented-missing", http.StatusForbidden, "person.unknown"},
	} {
		got := w.browser()
		answered := got.get(got.choose(c.subject, "/work"))
		answered.expect(t, c.subject, c.status, c.key)
		if c.key == "issuer.stranger" && (answered.page.Message.Figures["Subject"] != "invented-other" || answered.page.Message.Figures["Name"] != "demo") {
			t.Errorf("the stranger is told %+v", answered.page.Message)
		}
		if c.status != http.StatusSeeOther && got.get("/work").status != http.StatusSeeOther {
			t.Errorf("%s is logged in all the same", c.subject)
		}
		w.wait(time.Minute)
	}
}

// TestStates: a state is good once, here, for this issuer, for a while.
func TestStates(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	back := b.choose("invented-maker", "/")
	other := w.browser()
	other.get("/login")
	other.get(back).expect(t, "another browser", http.StatusGone, "issuer.state")
	w.browser().get(back).expect(t, "a browser without a session", http.StatusGone, "issuer.state")
	if got := b.get(back); got.status != http.StatusSeeOther {
		t.Fatalf("the right browser: %d %s", got.status, got.body)
	}
	b.get(back).expect(t, "the same again", http.StatusGone, "issuer.state")
	late := b.choose("invented-maker", "/")
	w.wait(flowLife)
	b.get(late).expect(t, "too late", http.StatusGone, "issuer.state")
	b.get("/login/issuer/demo/callback?code=x&state=").expect(t, "no state", http.StatusGone, "issuer.state")
	b.get("/login/issuer/none").expect(t, "an unknown issuer", http.StatusNotFound, "issuer.unknown")
	denied, _, _ := strings.Cut(b.choose("invented-maker", "/"), "code=")
	begun := b.get("/login/issuer/demo")
	asked, err := url.Parse(begun.location)
	if err != nil {
		t.Fatal(err)
	}
	denied += url.Values{"error": {"access_denied"}, "state": {asked.Query().Get("state")}}.Encode()
	b.get(denied).expect(t, "declined", http.StatusForbidden, "issuer.declined")
	b.get(denied).expect(t, "declined again", http.StatusGone, "issuer.state")
	mixed := strings.Replace(b.choose("invented-maker", "/"), "iss=http", "iss=https", 1)
	b.get(mixed).expect(t, "another issuer's answer", http.StatusForbidden, "issuer.refused")
}

// TestReturns: nobody is sent elsewhere after a login.
func TestReturns(t *testing.T) {
	w := newWorld(t)
	for i, bad := range []string{"https://evil.example", "//evil.example", "/\\evil.example", "\\/evil.example", "evil", "/a\nb", "/a b", "javascript:1", "/%2f%2fevil.example/..", "http:/evil", "/%5cevil.example", "/\t/evil.example", "/" + strings.Repeat("a", 2001)} {
		for _, path := range []string{"/login", "/login/issuer/demo"} {
			got := w.browser().get(path + "?" + url.Values{"return": {bad}}.Encode())
			if got.status != http.StatusBadRequest || got.page.Message.Key != "login.return" {
				t.Errorf("%d: %q at %s gets %d %s %s", i, bad, path, got.status, got.location, got.page.Message.Key)
			}
		}
		w.wait(time.Minute)
	}
	if got := w.browser().prove("household", keyOf("household"), func(form url.Values) { form.Set("return", "//evil.example") }); got.status != http.StatusBadRequest {
		t.Errorf("a key's login goes to %d %s", got.status, got.location)
	}
}

// token answers the token endpoint with claims of the test.
func (w *world) token(change func(claims map[string]any), signed func(string) string) {
	w.meddle = func(out http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/token") {
			return false
		}
		claims := map[string]any{"iss": w.origin + "/demo-issuer", "sub": "invented-maker", "aud": client, "iat": w.clock().Unix(), "exp": w.clock().Add(time.Minute).Unix(), "nonce": w.nonce()}
		change(claims)
		text, err := w.issuer.Sign(claims)
		if err != nil {
			w.Error(err)
		}
		out.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(out).Encode(map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": signed(text)})
		return true
	}
}

// nonce is that of the one login under way.
func (w *world) nonce() string {
	w.desk.sessions.mutex.Lock()
	defer w.desk.sessions.mutex.Unlock()
	return w.asked
}

// TestTokens: each lie that a token can tell is refused; only the first is true.
func TestTokens(t *testing.T) {
	same := func(text string) string { return text }
	hour := func(w *world, n int) int64 { return w.clock().Add(time.Duration(n) * time.Hour).Unix() }
	for name, c := range map[string]struct {
		change func(*world, map[string]any)
		signed func(string) string
		good   bool
	}{
		"the truth":                 {func(*world, map[string]any) {}, same, true},
		"a clock within the skew":   {func(w *world, c map[string]any) { c["iat"], c["exp"] = w.clock().Unix()+50, w.clock().Unix()+100 }, same, true},
		"a clock that is behind":    {func(w *world, c map[string]any) { c["exp"] = w.clock().Unix() - 50 }, same, true},
		"expired beyond the skew":   {func(w *world, c map[string]any) { c["exp"] = w.clock().Unix() - 61 }, same, false},
		"made in the future":        {func(w *world, c map[string]any) { c["iat"] = w.clock().Unix() + 61 }, same, false},
		"made long ago":             {func(w *world, c map[string]any) { c["iat"], c["exp"] = hour(w, -1), hour(w, 1) }, same, false},
		"not yet good":              {func(w *world, c map[string]any) { c["nbf"] = hour(w, 1) }, same, false},
		"another nonce":             {func(_ *world, c map[string]any) { c["nonce"] = "x" }, same, false},
		"no nonce":                  {func(_ *world, c map[string]any) { delete(c, "nonce") }, same, false},
		"another audience":          {func(_ *world, c map[string]any) { c["aud"] = "other" }, same, false},
		"two audiences":             {func(_ *world, c map[string]any) { c["aud"] = []string{client, "other"} }, same, false},
		"made for another":          {func(_ *world, c map[string]any) { c["azp"] = "other" }, same, false},
		"two audiences, ours":       {func(_ *world, c map[string]any) { c["aud"], c["azp"] = []string{client, "other"}, client }, same, true},
		"another issuer":            {func(_ *world, c map[string]any) { c["iss"] = "https://evil.example" }, same, false},
		"no subject":                {func(_ *world, c map[string]any) { delete(c, "sub") }, same, false},
		"another access token":      {func(_ *world, c map[string]any) { c["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA" }, same, false},
		"changed after the signing": {func(*world, map[string]any) {}, func(text string) string { return text[:len(text)-8] + "AAAAAAAA" }, false},
		"no signature":              {func(*world, map[string]any) {}, func(text string) string { return text[:strings.LastIndexByte(text, '.')+1] }, false},
		"signed by nobody": {func(*world, map[string]any) {}, func(text string) string {
			parts := strings.Split(text, ".")
			return "eyJhbGciOiJub25lIn0." + parts[1] + "."
		}, false},
		"no token": {func(*world, map[string]any) {}, func(string) string { return "" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.token(func(claims map[string]any) { c.change(w, claims) }, c.signed)
			b := w.browser()
			back := b.choose("invented-maker", "/")
			w.remember()
			got := b.get(back)
			if c.good && got.status != http.StatusSeeOther {
				t.Errorf("refused: %d %s", got.status, got.page.Message.Key)
			}
			if !c.good && (got.page.Message.Key != "issuer.refused" || b.get("/work").status != http.StatusSeeOther) {
				t.Errorf("taken: %d %s", got.status, got.page.Message.Key)
			}
		})
	}
}

// remember notes the nonce of the one login under way.
func (w *world) remember() {
	w.desk.sessions.mutex.Lock()
	defer w.desk.sessions.mutex.Unlock()
	for _, r := range w.desk.sessions.all {
		for _, f := range r.flows {
			w.asked = f.nonce
		}
	}
}

// TestRotation: the issuer changes its key between two logins, and withdraws one.
func TestRotation(t *testing.T) {
	w := newWorld(t)
	// The library hands keys to who waits for them a moment before it puts the
	// fetch away: what is asked within that moment, right after a change of keys,
	// is answered by the keys of before. Who is refused then comes once more.
	soon := func(what string, try func() error) {
		t.Helper()
		for until := time.Now().Add(10 * time.Second); ; {
			err := try()
			if err == nil {
				return
			}
			if time.Now().After(until) {
				t.Fatalf("%s: %v", what, err)
			}
			time.Sleep(5 * time.Millisecond)
			w.wait(time.Minute)
		}
	}
	for range 3 {
		soon("the login", func() error {
			b := w.browser()
			if got := b.get(b.choose("invented-maker", "/")).status; got != http.StatusSeeOther {
				return fmt.Errorf("it ends with %d", got)
			}
			return nil
		})
		if err := w.issuer.Rotate(); err != nil {
			t.Fatal(err)
		}
		w.wait(time.Minute)
	}
	// A key that was withdrawn an hour ago is believed no more.
	claims := func() map[string]any {
		return map[string]any{"iss": w.origin + "/demo-issuer", "sub": "invented-maker", "aud": client, "iat": w.clock().Unix(), "exp": w.clock().Add(3 * time.Hour).Unix(), "nonce": "n"}
	}
	p := w.desk.issuers["demo"]
	_, verifier, err := p.discover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	old, err := w.issuer.Sign(claims())
	if err != nil {
		t.Fatal(err)
	}
	soon("a token of the newest key", func() error {
		_, err := verifier.Verify(t.Context(), old)
		return err
	})
	for range 2 {
		if err := w.issuer.Rotate(); err != nil {
			t.Fatal(err)
		}
	}
	w.wait(discoverEvery)
	if _, verifier, err = p.discover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := verifier.Verify(t.Context(), old); err == nil {
		t.Error("a token of a withdrawn key is believed")
	}
}

// TestIssuerAway: nobody is logged in, and it works again when the issuer does.
func TestIssuerAway(t *testing.T) {
	w := newWorld(t)
	w.meddle = func(out http.ResponseWriter, _ *http.Request) bool {
		http.Error(out, "away", http.StatusBadGateway)
		return true
	}
	b := w.browser()
	b.get("/login/issuer/demo").expect(t, "away", http.StatusServiceUnavailable, "issuer.away")
	w.meddle = nil
	if got := b.get(b.choose("invented-maker", "/")); got.status != http.StatusSeeOther {
		t.Errorf("back again: %d %s", got.status, got.body)
	}
}

// TestIssuerItself: the demonstration's issuer keeps its own rules.
func TestIssuerItself(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	begun := b.get("/login/issuer/demo")
	asked, err := url.Parse(begun.location)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(url.Values){
		"another redirect": func(v url.Values) { v.Set("redirect_uri", "https://evil.example") }, "another client": func(v url.Values) { v.Set("client_id", "x") },
		"no proof key": func(v url.Values) { v.Del("code_challenge") }, "a plain proof key": func(v url.Values) { v.Set("code_challenge_method", "plain") },
		"no scope": func(v url.Values) { v.Del("scope") }, "a token at once": func(v url.Values) { v.Set("response_type", "id_token") },
	} {
		values := asked.Query()
		change(values)
		if got := b.get("/demo-issuer/authorize?" + values.Encode()); got.status != http.StatusBadRequest {
			t.Errorf("%s: shown %d", name, got.status)
		}
		values.Set("subject", "invented-maker")
		if got := b.do(http.MethodPost, "/demo-issuer/authorize", values); got.status != http.StatusBadRequest {
			t.Errorf("%s: chosen %d", name, got.status)
		}
	}
	values := asked.Query()
	values.Set("subject", "real-person")
	if got := b.do(http.MethodPost, "/demo-issuer/authorize", values); got.status != http.StatusBadRequest {
		t.Errorf("somebody else: %d", got.status)
	}
	values.Set("subject", "invented-maker")
	if got := b.do(http.MethodPost, "/demo-issuer/authorize", values, "Sec-Fetch-Site", "cross-site"); got.status != http.StatusForbidden {
		t.Errorf("chosen by another site: %d", got.status)
	}
	back, err := url.Parse(b.do(http.MethodPost, "/demo-issuer/authorize", values).location)
	if err != nil {
		t.Fatal(err)
	}
	redeem := url.Values{"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}, "redirect_uri": {asked.Query().Get("redirect_uri")}, "client_id": {client}, "code_verifier": {"not the one"}}
	for range 2 {
		if got := b.do(http.MethodPost, "/demo-issuer/token", redeem); got.status != http.StatusBadRequest || !strings.Contains(got.body, "invalid_grant") {
			t.Errorf("a stolen code: %d %s", got.status, got.body)
		}
	}
	b.get(back.String()).expect(t, "a code that somebody tried", http.StatusForbidden, "issuer.refused")
	for _, bad := range []issuer.Settings{
		{Issuer: "http://127.0.0.1/x", ClientID: "c", Redirects: []string{"r"}, People: []issuer.Person{{Subject: "li-ming", Name: "Real"}}},
		{Issuer: "http://ledger.example/x", ClientID: "c", Redirects: []string{"r"}, People: []issuer.Person{{Subject: "invented-x", Name: "X"}}},
		{Issuer: "http://127.0.0.1/x", ClientID: "c", People: []issuer.Person{{Subject: "invented-x", Name: "X"}}},
		{Issuer: "http://127.0.0.1/x", ClientID: "c", Redirects: []string{"r"}, People: []issuer.Person{{Subject: "invented-x", Name: "X"}}, Algorithm: "none"},
	} {
		if _, err := issuer.New(bad, nil); err == nil {
			t.Errorf("%+v was opened", bad)
		}
	}
}

// TestRS256: the other algorithm, and one that is not that of the key.
func TestRS256(t *testing.T) {
	w := newWorld(t)
	settings := w.issuer.Settings
	settings.Algorithm = issuer.RS256
	var err error
	if w.issuer, err = issuer.New(settings, w.clock); err != nil {
		t.Fatal(err)
	}
	b := w.browser()
	if got := b.get(b.choose("invented-maker", "/")); got.status != http.StatusSeeOther {
		t.Errorf("%d %s", got.status, got.body)
	}
}
