package login

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/login/challenge"
	"github.com/lianbao/lianbao/gateway/message"
	"github.com/lianbao/lianbao/gateway/pace"
)

// Persons are the persons of the ledger, as persons.Register reads them.
type Persons interface {
	Person(ctx context.Context, id tape.ID) (party.Person, error)
	Ledger(ctx context.Context) (party.LedgerID, error)
}

// Renderer shows what Desk has to say. It sends the status, and content
// policies of its own; a page that asks for a challenge must not be cached.
type Renderer interface {
	Login(w http.ResponseWriter, r *http.Request, status int, page Page)
}

// Page is what Desk shows.
type Page struct {
	// Message is what to say first: a greeting, or why a login was refused.
	Message message.Message
	// Issuers are the ways for staff, Challenge the one for persons; none after a logout.
	Issuers   []Way
	Challenge *Question
	// Return is where to go after the login; a path here.
	Return string
	// Token goes into the form as the field FormToken.
	Token string
}

// Way is a link that begins a login.
type Way struct{ Title, Address string }

// Question is a challenge as a page asks it: a form to Path with the fields
// person, nonce, signature, return and FormToken. Address is what to copy into
// lianbao person login.
type Question struct {
	challenge.Challenge
	Address string
	Path    string
	Person  string // as it was typed before
}

// Parts are what a desk is made of.
type Parts struct {
	Config
	Persons  Persons
	Renderer Renderer
	// Secrets are the issuers' client secrets, by the issuer's name.
	Secrets map[string]string
	// Address names where a request comes from; nil takes pace.Address.
	Address func(*http.Request) string
	// Client speaks to issuers; nil takes one that waits 10 s.
	Client *http.Client
	Clock  func() time.Time
	Log    *slog.Logger
}

// Desk is where people log in and out. It answers Patterns.
type Desk struct {
	Parts
	sessions *sessions
	issuers  map[string]*provider
	routes   *http.ServeMux
	// Attempts by where they come from and by whom they are for.
	visits, fromAddress, forPerson *pace.Pace
}

// Patterns are what a server hands to Desk.
func Patterns() []string { return []string{"/login", "/login/", "/logout"} }

// Limits of one form, and of attempts: so many at once, then one more in each time.
const (
	formBytesMax    = 16 << 10
	challengeLife   = 5 * time.Minute
	visitsAtOnce    = 60
	visitsEvery     = 2 * time.Second
	attemptsAtOnce  = 10
	attemptsEvery   = 10 * time.Second
	forPersonAtOnce = 10
	forPersonEvery  = 30 * time.Second
	issuerWait      = 10 * time.Second
)

// New builds a desk; it speaks to no issuer before somebody logs in.
func New(parts Parts) (*Desk, error) {
	if err := parts.Check(); err != nil {
		return nil, err
	}
	if parts.Clock == nil {
		parts.Clock = time.Now
	}
	if parts.Log == nil {
		parts.Log = slog.Default()
	}
	if parts.Address == nil {
		parts.Address = pace.Address
	}
	if parts.Client == nil {
		parts.Client = &http.Client{Timeout: issuerWait}
	}
	d := &Desk{Parts: parts, issuers: map[string]*provider{}, routes: http.NewServeMux(),
		sessions:    &sessions{idle: parts.idle(), absolute: parts.absolute(), clock: parts.Clock, all: map[[32]byte]*record{}},
		visits:      pace.New(visitsAtOnce, visitsEvery, parts.Clock),
		fromAddress: pace.New(attemptsAtOnce, attemptsEvery, parts.Clock),
		forPerson:   pace.New(forPersonAtOnce, forPersonEvery, parts.Clock)}
	for _, issuer := range parts.Issuers {
		d.issuers[issuer.Name] = &provider{Issuer: issuer, desk: d, secret: parts.Secrets[issuer.Name]}
	}
	d.routes.HandleFunc("GET /login", d.ways)
	d.routes.HandleFunc("GET /login/issuer/{name}", d.begin)
	d.routes.HandleFunc("GET /login/issuer/{name}/callback", d.callback)
	d.routes.HandleFunc("GET "+challenge.Path, d.ways)
	d.routes.HandleFunc("POST "+challenge.Path, d.proveKey)
	d.routes.HandleFunc("POST /logout", d.logout)
	d.routes.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		d.refuse(w, r, message.Refuse(rule.NotFound, "login.nothing"))
	})
	return d, nil
}

// ServeHTTP implements http.Handler.
func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer") // addresses hold states and nonces
	w.Header().Set("X-Frame-Options", "DENY")
	if wait := d.visits.Take(d.Address(r)); wait > 0 {
		d.refuse(w, r, slow(wait))
		return
	}
	d.routes.ServeHTTP(w, r)
}

// Session returns whose request this is; a stranger's or nobody's is never LoggedIn.
func (d *Desk) Session(r *http.Request) Session {
	cookie, err := r.Cookie(d.cookieName())
	if err != nil {
		return Session{}
	}
	session, _ := d.sessions.find(cookie.Value)
	return session
}

// Require lets a handler be reached by those who are logged in and have one of
// the roles; with no roles named, by everybody who is logged in.
func (d *Desk) Require(next http.Handler, roles ...Role) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session := d.Session(r)
		switch {
		case !session.LoggedIn() && (r.Method == http.MethodGet || r.Method == http.MethodHead):
			http.Redirect(w, r, "/login?"+url.Values{"return": {r.URL.RequestURI()}}.Encode(), http.StatusSeeOther)
		case !session.LoggedIn():
			d.refuse(w, r, message.Refuse(rule.Forbidden, "login.needed"))
		case len(roles) > 0 && !session.Has(roles...):
			d.refuse(w, r, message.Refuse(rule.Forbidden, "login.role", "Roles", list(roles)))
		default:
			w.Header().Set("Cache-Control", "no-store")
			next.ServeHTTP(w, r)
		}
	})
}

// End ends every session of a person.
func (d *Desk) End(person tape.ID) { d.sessions.closeAll(person) }

func list(roles []Role) string {
	var names []string
	for _, role := range roles {
		names = append(names, string(role))
	}
	return strings.Join(names, ", ")
}

// cookieName of a session. The prefix makes browsers refuse a cookie that a
// neighbouring host or an unencrypted answer wants to plant.
func (d *Desk) cookieName() string {
	if d.secure() {
		return "__Host-lianbao-session"
	}
	// Browsers share cookies between the ports of a host: five gateways on one
	// machine would otherwise end each other's sessions.
	_, port, _ := strings.Cut(strings.TrimPrefix(d.Origin, "http://"), ":")
	return strings.TrimSuffix("lianbao-session-"+port, "-")
}

// secure is false on plain http, which Config.Check allows on this machine only.
func (d *Desk) secure() bool { return strings.HasPrefix(d.Origin, "https://") }

func (d *Desk) cookie(value string) *http.Cookie {
	return &http.Cookie{Name: d.cookieName(), Value: value, Path: "/", HttpOnly: true, Secure: d.secure(), SameSite: http.SameSiteLaxMode}
}

// here returns the session of a request, and makes a stranger's where there is none.
func (d *Desk) here(w http.ResponseWriter, r *http.Request) (Session, error) {
	if session := d.Session(r); session.record != nil {
		return session, nil
	}
	session, id, err := d.sessions.begin(func(*record) {})
	if err == nil {
		http.SetCookie(w, d.cookie(id))
	}
	return session, err
}

// admit logs somebody in. The session and its cookie are new ones, so that an
// id that was planted or seen before the login is worth nothing after it.
func (d *Desk) admit(w http.ResponseWriter, r *http.Request, member Member, by, back string) {
	session, id, err := d.sessions.begin(func(n *record) {
		n.loggedIn, n.person, n.roles, n.by = true, member.Person, member.Roles, by
	})
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	d.sessions.close(d.Session(r))
	http.SetCookie(w, d.cookie(id))
	d.Log.Info("logged in", "person", session.Person(), "by", by)
	http.Redirect(w, r, back, http.StatusSeeOther)
}

func (d *Desk) logout(w http.ResponseWriter, r *http.Request) {
	session := d.Session(r)
	if err := session.CheckForm(w, r, formBytesMax); err != nil {
		d.refuse(w, r, err)
		return
	}
	d.sessions.close(session)
	gone := d.cookie("")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	d.Renderer.Login(w, r, http.StatusOK, Page{Message: message.New("logout.done"), Return: "/"})
}

// ways shows how one can log in, with a fresh challenge.
func (d *Desk) ways(w http.ResponseWriter, r *http.Request) {
	back, err := localPath(r.URL.Query().Get("return"))
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	d.page(w, r, http.StatusOK, message.New("login.choose"), back)
}

// page shows the login page with a message. A ledger that is not founded, or a
// read model that does not answer, leaves staff their way in.
func (d *Desk) page(w http.ResponseWriter, r *http.Request, status int, what message.Message, back string) {
	session, err := d.here(w, r)
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	page := Page{Message: what, Return: back, Token: session.Token()}
	for _, issuer := range d.Issuers {
		page.Issuers = append(page.Issuers, Way{issuer.Title, "/login/issuer/" + issuer.Name + "?" + url.Values{"return": {back}}.Encode()})
	}
	ledger, err := d.Persons.Ledger(r.Context())
	if err == nil {
		var asked challenge.Challenge
		if asked, err = session.ask(ledger, d.Origin, d.Clock().Add(challengeLife)); err == nil {
			page.Challenge = &Question{Challenge: asked, Address: asked.Address(), Path: challenge.Path, Person: limited(r.PostFormValue("person"))}
		}
	}
	if err != nil {
		d.Log.Warn("no challenge could be made", "error", err)
	}
	d.Renderer.Login(w, r, status, page)
}

// statuses are those of the codes that logging in refuses with.
var statuses = map[rule.Code]int{
	rule.Invalid: http.StatusBadRequest, rule.Forbidden: http.StatusForbidden, rule.NotFound: http.StatusNotFound,
	rule.WrongState: http.StatusServiceUnavailable, rule.Expired: http.StatusGone, rule.Early: http.StatusTooManyRequests,
}

// refuse says no on a page of its own.
func (d *Desk) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var refusal *message.Refusal
	if !errors.As(err, &refusal) {
		d.Log.Error("a login failed", "error", err)
		refusal = message.Refuse(rule.WrongState, "login.failed")
	}
	d.Renderer.Login(w, r, statuses[refusal.Code], Page{Message: refusal.Message, Return: "/"})
}

// again says no on the login page, where one can try again.
func (d *Desk) again(w http.ResponseWriter, r *http.Request, status int, err error, back string) {
	var refusal *message.Refusal
	if !errors.As(err, &refusal) {
		d.refuse(w, r, err)
		return
	}
	d.page(w, r, status, refusal.Message, back)
}

func slow(wait time.Duration) error {
	seconds := (wait + time.Second - 1) / time.Second
	return message.Refuse(rule.Early, "login.slow", "Seconds", decimal(int64(seconds)))
}

// localPath is a path on this gateway, by which an address that somebody made
// cannot send people elsewhere after their login. Browsers read "//host" and
// "/\host" as another host.
func localPath(path string) (string, error) {
	if path == "" {
		return "/", nil
	}
	refused := message.Refuse(rule.Invalid, "login.return")
	if len(path) > returnBytesMax || path[0] != '/' || strings.HasPrefix(path, "//") || strings.ContainsRune(path, '\\') {
		return "", refused
	}
	for _, r := range path {
		if r <= ' ' || r == 0x7f {
			return "", refused
		}
	}
	parsed, err := url.Parse(path)
	if err != nil || parsed.Host != "" || parsed.Scheme != "" || parsed.User != nil || strings.HasPrefix(parsed.Path, "//") || strings.ContainsRune(parsed.Path, '\\') {
		return "", refused
	}
	return path, nil
}

const returnBytesMax = 2000
