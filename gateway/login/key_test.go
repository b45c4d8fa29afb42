package login

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/tape"
)

func TestKeyLogin(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.get("/login")
	before := b.session()
	if got := b.prove("household", keyOf("household")); got.status != http.StatusSeeOther || got.location != "/work" {
		t.Fatalf("%d %s %s", got.status, got.location, got.body)
	}
	if b.session() == before {
		t.Error("the session is the one before the login")
	}
	if got := b.get("/work").body; got != `{"By":"key","Person":"household","Roles":null}`+"\n" {
		t.Errorf("logged in as %s", got)
	}
	household := b.session()
	if got := b.prove("maker", keyOf("maker")); got.status != http.StatusSeeOther || b.session() == household {
		t.Errorf("a second login in one browser: %d", got.status)
	}
	if got := w.browser().get("/work", "Cookie", w.desk.cookieName()+"="+household); got.status != http.StatusSeeOther {
		t.Errorf("the session of the first login gets %d %s", got.status, got.body)
	}
	c := w.browser()
	c.prove("checker", keyOf("checker"))
	if got := c.get("/check").status; got != http.StatusNotFound { // the handler's own answer
		t.Errorf("the checker gets %d", got)
	}
	w.desk.End("checker")
	if got := c.get("/check").status; got != http.StatusSeeOther {
		t.Errorf("an ended session gets %d", got)
	}
}

// TestKeyRefusals: who is not let in by a key, and what it is told.
func TestKeyRefusals(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		what   string
		person tape.ID
		signer tape.ID
		status int
		key    string
	}{
		{"another's key", "household", "maker", http.StatusForbidden, "login.signature"},
		{"nobody", "nobody", "nobody", http.StatusForbidden, "person.unknown"},
		{"revoked", "revoked", "revoked", http.StatusForbidden, "person.revoked"},
		{"suspended", "suspended", "suspended", http.StatusForbidden, "person.suspended"},
		{"unwitnessed", "unwitnessed", "unwitnessed", http.StatusForbidden, "person.unwitnessed"},
		{"early", "early", "early", http.StatusForbidden, "person.waiting"},
	} {
		b := w.browser()
		got := b.prove(c.person, keyOf(c.signer))
		got.expect(t, c.what, c.status, c.key)
		if got.page.Challenge == nil || b.get("/work").status != http.StatusSeeOther {
			t.Errorf("%s: no new challenge, or let in", c.what)
		}
		w.wait(time.Minute)
	}
	for what, c := range map[string]struct {
		change func(url.Values)
		status int
		key    string
	}{
		"an unsigned form":    {func(f url.Values) { f.Set("signature", "") }, http.StatusForbidden, "login.signature-spelling"},
		"a short signature":   {func(f url.Values) { f.Set("signature", f.Get("signature")[:100]) }, http.StatusForbidden, "login.signature-spelling"},
		"a forged token":      {func(f url.Values) { f.Set(FormToken, strings.Repeat("A", 43)) }, http.StatusForbidden, "form.foreign"},
		"no token":            {func(f url.Values) { f.Del(FormToken) }, http.StatusForbidden, "form.foreign"},
		"a made-up challenge": {func(f url.Values) { f.Set("nonce", strings.Repeat("0", 64)) }, http.StatusForbidden, "login.challenge"},
		"no challenge":        {func(f url.Values) { f.Set("nonce", "x") }, http.StatusForbidden, "login.challenge"},
		"spaces around":       {func(f url.Values) { f.Set("signature", " "+f.Get("signature")+"\r\n") }, http.StatusSeeOther, ""},
	} {
		w.browser().prove("household", keyOf("household"), c.change).expect(t, what, c.status, c.key)
		w.wait(time.Minute)
	}
}

// TestChallenges: a challenge is answered once, in time, in its own session.
func TestChallenges(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	var first url.Values
	b.prove("household", keyOf("maker"), func(form url.Values) { first = form }).expect(t, "a wrong signature", http.StatusForbidden, "login.signature")
	b.do(http.MethodPost, "/login/key", first).expect(t, "the same challenge again", http.StatusForbidden, "login.challenge")
	// Another browser's challenge, with its own token.
	var stolen url.Values
	w.browser().prove("nobody", keyOf("household"), func(form url.Values) {
		stolen = url.Values{"nonce": form["nonce"], "signature": form["signature"]}
		form.Set("nonce", "x")
	})
	b.prove("household", keyOf("household"), func(form url.Values) {
		form["nonce"], form["signature"] = stolen["nonce"], stolen["signature"]
	}).expect(t, "another browser's challenge", http.StatusForbidden, "login.challenge")
	b.prove("household", keyOf("household"), func(url.Values) { w.wait(challengeLife + time.Second) }).expect(t, "too late", http.StatusForbidden, "login.late")
	b.do(http.MethodPost, "/login/key", first, "Sec-Fetch-Site", "cross-site").expect(t, "another site", http.StatusForbidden, "form.foreign")
	w.browser().do(http.MethodPost, "/login/key", first).expect(t, "no session", http.StatusGone, "login.expired")
	// A rotation that has taken place: the old key is no key any more.
	person := w.people["household"]
	person.Next = &party.Key{Address: sign.Address(keyOf("new")), Custody: party.Own, Witness: "bank", From: w.instant()}
	w.people["household"] = person
	w.wait(time.Minute)
	b.prove("household", keyOf("household")).expect(t, "the old key", http.StatusForbidden, "login.signature")
	if got := b.prove("household", keyOf("new")); got.status != http.StatusSeeOther {
		t.Errorf("the new key: %d %s", got.status, got.body)
	}
}

// TestAttempts: who tries too often waits, by person and by address.
func TestAttempts(t *testing.T) {
	w := newWorld(t)
	try := func(person tape.ID) string {
		return w.browser().prove(person, keyOf("nobody")).page.Message.Key
	}
	for range attemptsAtOnce {
		if got := try("household"); got != "login.signature" {
			t.Fatalf("refused by %s", got)
		}
	}
	if got := try("household"); got != "login.slow" {
		t.Errorf("the next from the same address: %s", got)
	}
	// From elsewhere: each time another address, one person.
	n := 0
	w.desk.Address = func(*http.Request) string { n++; return string(rune('a' + n)) }
	if got := try("household"); got != "login.slow" {
		t.Errorf("the next from elsewhere: %s", got)
	}
	if got := try("maker"); got != "login.signature" {
		t.Errorf("another person: %s", got)
	}
	w.wait(forPersonEvery)
	if got := try("household"); got != "login.signature" {
		t.Errorf("after a while: %s", got)
	}
	w.desk.Address = func(*http.Request) string { return "flood" }
	b := w.browser()
	last := 0
	for range visitsAtOnce + 1 {
		last = b.get("/login").status
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("a flood of visits gets %d", last)
	}
}

// TestExpiry: sessions end when nobody uses them, and after a day's work at last.
func TestExpiry(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.IdleMinutes, c.Hours = 10, 1 })
	b := w.browser()
	enter := func() {
		if got := b.prove("household", keyOf("household")); got.status != http.StatusSeeOther {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	enter()
	w.wait(9 * time.Minute)
	for range 5 {
		if got := b.get("/work").status; got != http.StatusOK {
			t.Fatalf("a session in use gets %d", got)
		}
		w.wait(9 * time.Minute)
	}
	w.wait(6 * time.Minute)
	if got := b.get("/work").status; got != http.StatusSeeOther {
		t.Errorf("after an hour: %d", got)
	}
	enter()
	w.wait(10 * time.Minute)
	if got := b.get("/work").status; got != http.StatusSeeOther {
		t.Errorf("after ten idle minutes: %d", got)
	}
	w.wait(time.Hour)
	b.get("/login")
	w.desk.sessions.mutex.Lock()
	defer w.desk.sessions.mutex.Unlock()
	if len(w.desk.sessions.all) != 1 || w.desk.sessions.strangers != 1 {
		t.Errorf("%d sessions are kept, %d of strangers", len(w.desk.sessions.all), w.desk.sessions.strangers)
	}
}

// TestNobody: a session that was not made by the desk is nobody's.
func TestNobody(t *testing.T) {
	var s Session
	if s.LoggedIn() || s.Person() != "" || s.Has(Maker, Admin) || s.Token() != "" || s.By() != "" {
		t.Error("the zero session is somebody")
	}
}

func TestSecureCookie(t *testing.T) {
	w := newWorld(t)
	w.desk.Origin = "https://ledger.example"
	cookie := w.desk.cookie("x").String()
	if !strings.HasPrefix(cookie, "__Host-lianbao-session=x; Path=/; HttpOnly; Secure; SameSite=Lax") {
		t.Error(cookie)
	}
}

func TestConfig(t *testing.T) {
	good := func() Config {
		return Config{Origin: "https://ledger.example", Issuers: []Issuer{{Name: "own", Title: "Own", Issuer: "https://id.example/realm", ClientID: "c", Members: []Member{{Subject: "1", Person: "maker", Roles: []Role{Maker}}, {Email: "a@b.example", Roles: []Role{Auditor}}}}}}
	}
	if err := good().Check(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Config){
		"origin":                         func(c *Config) { c.Origin = "http://ledger.example" },
		"idleMinutes":                    func(c *Config) { c.Hours = 25 },
		"no longer than hours":           func(c *Config) { c.IdleMinutes, c.Hours = 61, 1 },
		"own stands twice":               func(c *Config) { c.Issuers = append(c.Issuers, c.Issuers[0]) },
		"lower-case":                     func(c *Config) { c.Issuers[0].Name = "a/b" },
		"title or clientId":              func(c *Config) { c.Issuers[0].ClientID = "" },
		"address of an issuer":           func(c *Config) { c.Issuers[0].Issuer = "http://id.example" },
		"skewSeconds":                    func(c *Config) { c.Issuers[0].SkewSeconds = 301 },
		"either a subject or an email":   func(c *Config) { c.Issuers[0].Members[0].Email = "a@c.example" },
		"email a@b.example stands twice": func(c *Config) { c.Issuers[0].Members[0] = Member{Email: "A@B.example", Roles: []Role{Admin}} },
		"roles is empty":                 func(c *Config) { c.Issuers[0].Members[0].Roles = nil },
		"is not maker":                   func(c *Config) { c.Issuers[0].Members[0].Roles = []Role{"root"} },
		"role maker stands twice":        func(c *Config) { c.Issuers[0].Members[0].Roles = []Role{Maker, Maker} },
		"name its person":                func(c *Config) { c.Issuers[0].Members[0].Person = "" },
		"is not an id":                   func(c *Config) { c.Issuers[0].Members[0].Person = "a/b" },
		"each member is a person":        func(c *Config) { c.Keys = []Member{{Subject: "x", Person: "maker", Roles: []Role{Maker}}} },
		"each member is a person, once, w": func(c *Config) {
			c.Keys = []Member{{Person: "m", Roles: []Role{Maker}}, {Person: "m", Roles: []Role{Admin}}}
		},
	} {
		c := good()
		change(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestSecrets: a client's secret that others may read is no secret.
func TestSecrets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	c := Config{Issuers: []Issuer{{Name: "own", Secret: path}, {Name: "public"}}}
	for _, step := range []struct {
		text string
		mode os.FileMode
		want string
	}{{"hidden\n", 0o600, ""}, {"hidden\n", 0o644, "chmod 600"}, {" \n", 0o600, "is empty"}} {
		if err := errors.Join(os.WriteFile(path, []byte(step.text), step.mode), os.Chmod(path, step.mode)); err != nil {
			t.Fatal(err)
		}
		got, err := c.Secrets()
		if step.want == "" && (err != nil || len(got) != 1 || got["own"] != "hidden") || step.want != "" && (err == nil || !strings.Contains(err.Error(), step.want)) {
			t.Errorf("%q %o: %v %v", step.text, step.mode, got, err)
		}
	}
	c.Issuers[0].Secret += "x"
	if _, err := c.Secrets(); err == nil {
		t.Error("no file")
	}
}

// TestExample: the settings in the documentation are good.
func TestExample(t *testing.T) {
	text, err := os.ReadFile("../../docs/people.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	for _, block := range strings.Split(string(text), "```json\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		if !strings.Contains(block, `"issuers"`) {
			continue
		}
		var c Config
		decoder := json.NewDecoder(strings.NewReader(block))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&c); err != nil {
			t.Errorf("%s: %v", block, err)
		}
		if err := c.Check(); err != nil {
			t.Errorf("%s: %v", block, err)
		}
		examples++
	}
	if examples != 2 {
		t.Errorf("the documentation has %d examples", examples)
	}
}

// FuzzLocalPath: whatever is local stays on this host, as browsers read it.
func FuzzLocalPath(f *testing.F) {
	for _, seed := range []string{"/", "/en/work?a=b#c", "//evil", "/\\evil", "/%2f/x", "/.//evil"} {
		f.Add(seed)
	}
	base, err := url.Parse("https://ledger.example/login")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path string) {
		local, err := localPath(path)
		if err != nil || path == "" {
			return
		}
		// Browsers drop tabs and line ends, and read a backslash as a slash.
		read := strings.NewReplacer("\t", "", "\n", "", "\r", "", "\\", "/").Replace(local)
		to, err := base.Parse(read)
		if err != nil || to.Host != base.Host || to.Scheme != base.Scheme || strings.HasPrefix(read, "//") {
			t.Errorf("%q leads to %v: %v", path, to, err)
		}
	})
}
