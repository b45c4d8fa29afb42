// Package portal is the people's pages of a gateway: it reads the read model,
// fills views, and answers HTTP. It holds no rule and writes nothing.
package portal

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/portal/pages"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/portal/words"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Campaigns is what is known of campaigns beside their money. A portal without
// it shows the accounts' figures and leaves those sections out.
type Campaigns interface {
	// Campaign is what was filed about the campaign of an account, nil where there is none.
	Campaign(ctx context.Context, account tape.AccountID) (*views.CampaignFacts, error)
	// Title is the name of the campaign of an account, nil where there is none.
	Title(ctx context.Context, account tape.AccountID) (*views.Text, error)
	// List names the accounts that are campaigns, a part at a time; next is empty on the last.
	List(ctx context.Context, after string, limit int) (accounts []tape.AccountID, next string, err error)
	// Confirmation is the receiver's word on a payout, nil where there is none.
	Confirmation(ctx context.Context, account tape.AccountID, hold tape.ID) (*views.Confirmation, error)
}

// Parts are what a portal is made of.
type Parts struct {
	Organisation string
	Model        *readmodel.Model
	// Height is the number of blocks that the own peer holds.
	Height func(ctx context.Context) (uint64, error)
	// Neighbours are the other organisations' gateways.
	Neighbours []views.Neighbour
	// Campaigns may be nil.
	Campaigns Campaigns
	// Address is where the public finds this portal, such as https://ledger.example;
	// where it is empty, the QR codes carry the address of the request.
	Address string
	// Today is the civil day by which days are counted; nil takes the clock's, in UTC+8.
	Today func() tape.Date
	// Now is the clock of what is added up up to today; nil takes time.Now.
	Now func() time.Time
	// Block reads a block again from the own peer, such as for the payments that a
	// list laid open; nil where there is no peer to ask.
	Block func(ctx context.Context, number uint64) (readmodel.Block, error)
	// Exports may be nil: the pages then lead to no exports.
	Exports Exports
	// Gives says that the pages of givers stand beside these: own campaigns lead there.
	Gives bool
	// Documents keeps what this organisation published; nil where nothing is kept here.
	Documents Documents
	Log       *slog.Logger
}

// Documents are publications by their hash, as disclosure.Shelf keeps them.
type Documents interface {
	Get(hash merkle.Hash) ([]byte, error)
}

// Patterns are what a server hands to the portal.
func Patterns() []string { return []string{"/{$}", "/en/", "/zh-CN/", "/assets/"} }

// Limits of requests.
const (
	addressBytesMax = 2000
	searchRunesMax  = 200
	heightWait      = 2 * time.Second
)

// portal answers for one organisation.
type portal struct {
	Parts
	set    *pages.Set
	routes *http.ServeMux
	// forms are the addresses that a form may be sent to; all others are only read.
	forms *http.ServeMux
	// people is nil where nobody logs in; signed are the pages of drafts.
	people *People
	signed http.Handler

	adding singleflight.Group
	mutex  sync.Mutex
	// flows are the sums of accounts, by account; see flows.go.
	flows map[tape.AccountID]*flows

	// pressed are pages as everybody sees them; see cache.go.
	pressed pressed

	// conserving is held while everything is added up, and guards the last answer.
	conserving  sync.Mutex
	conserved   readmodel.Conservation
	conservedAt readmodel.Position
}

// New builds the portal. What it embeds is checked by tests, so a fault there
// is one of the program and not of its user.
func New(parts Parts) http.Handler { return open(parts) }

func open(parts Parts) *portal {
	set, err := pages.New()
	if err != nil {
		panic("portal: " + err.Error())
	}
	if parts.Log == nil {
		parts.Log = slog.Default()
	}
	if parts.Today == nil {
		parts.Today = func() tape.Date { return tape.Date(time.Now().UTC().Add(8 * time.Hour).Format(time.DateOnly)) }
	}
	if parts.Now == nil {
		parts.Now = time.Now
	}
	p := &portal{Parts: parts, set: set, routes: http.NewServeMux(), forms: http.NewServeMux(), flows: map[tape.AccountID]*flows{}, pressed: pressed{pages: map[view]rendered{}, asked: map[view]time.Time{}}}
	p.route()
	return p
}

// load fills the view of a page; a nil page with a path is a redirect within the language.
type load func(r *http.Request) (page views.Page, redirect string, err error)

func (p *portal) route() {
	for pattern, load := range map[string]load{
		"/{$}":                              p.home,
		"/search":                           p.search,
		"/campaigns/{account}/gifts":        p.gifts,
		"/campaigns/{account}/payouts":      p.payouts,
		"/campaigns/{account}/books":        p.books,
		"/campaigns/{account}/bank":         p.bank,
		"/gifts/{gift}":                     p.gift,
		"/payouts/{account}/{hold}":         p.payout,
		"/origin/{account}":                 p.origin,
		"/trail/{account}":                  p.trail,
		"/entries":                          p.entries,
		"/entries/{organisation}/{id}":      p.entry,
		"/blocks":                           p.blocks,
		"/blocks/{number}":                  p.block,
		"/transactions":                     p.transactions,
		"/transactions/{id}":                p.transaction,
		"/accounts":                         p.accounts,
		"/accounts/{account}":               p.account,
		"/accounts/{account}/settlements":   p.settlements,
		"/accounts/{account}/inflows":       p.inflows,
		"/statements":                       p.statements,
		"/statements/{account}/{statement}": p.statement,
		"/status":                           p.status,

		"/publications/{account}/{n}":        p.publication,
		"/organisations/{organisation}":      p.organisation,
		"/campaigns/{account}/disbursements": p.disbursements,
		"/disbursements/{account}/{id}":      p.disbursement,
		"/payees/{account}/{payee}":          p.payee,
	} {
		p.routes.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { p.answer(w, r, load) })
	}
	p.cooperativeRoutes()
	p.bookkeepingRoutes()
	p.routes.HandleFunc("/campaigns/{account}", func(w http.ResponseWriter, r *http.Request) { p.everybodys(w, r, p.campaign) })
	p.routes.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		p.answer(w, r, func(*http.Request) (views.Page, string, error) {
			return nil, "", rule.Refuse(rule.NotFound, "there is no such page")
		})
	})
}

// inLanguage carries the language of a request to its page.
type inLanguage struct{}

// ServeHTTP implements http.Handler.
func (p *portal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	pages.Guard(w.Header())
	first, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	known := slices.Contains(words.Tags, first)
	ctx := context.WithValue(r.Context(), inLanguage{}, words.Prefer(r.Header.Get("Accept-Language")))
	if known {
		ctx = context.WithValue(ctx, inLanguage{}, first)
	}
	inner := r.WithContext(ctx)
	switch {
	case p.people != nil && unspoken(first):
		p.bare(w, inner)
	case r.Method == http.MethodPost && known && p.takesForms(inner, rest):
		p.send(w, inner, rest)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		p.problem(w, inner, http.StatusMethodNotAllowed, "method", nil)
	case len(r.URL.RequestURI()) > addressBytesMax:
		p.problem(w, inner, http.StatusBadRequest, "invalid", rule.Refuse(rule.Invalid, "the address is longer than %d bytes", addressBytesMax))
	case first == "assets":
		if !p.set.ServeAsset(w, r) {
			p.problem(w, inner, http.StatusNotFound, "not-found", nil)
		}
	case r.URL.Path == "/":
		w.Header().Set("Vary", "Accept-Language")
		p.redirect(w, r, "/"+words.Prefer(r.Header.Get("Accept-Language"))+"/")
	case !known || path.Clean("/"+rest) != strings.TrimSuffix("/"+rest, "/") && rest != "":
		p.problem(w, inner, http.StatusNotFound, "not-found", nil)
	default:
		p.inside(w, inner, rest)
	}
}

// form lets an address take what people send; its handler checks who sends it.
func (p *portal) form(pattern string, handler http.HandlerFunc) {
	p.forms.HandleFunc("POST "+pattern, handler)
}

// takesForms reports whether a form may be sent to an address behind its language.
func (p *portal) takesForms(r *http.Request, rest string) bool {
	_, pattern := p.forms.Handler(under(r, rest))
	return pattern != ""
}

// send hands a form to its handler.
func (p *portal) send(w http.ResponseWriter, r *http.Request, rest string) {
	w.Header().Set("Cache-Control", "no-store")
	p.forms.ServeHTTP(w, under(r, rest))
}

// under is the request with its address behind the language.
func under(r *http.Request, rest string) *http.Request {
	inner := *r
	address := *r.URL
	address.Path, address.RawPath = "/"+strings.TrimSuffix(rest, "/"), ""
	inner.URL = &address
	return &inner
}

// inside hands the rest of the address, behind the language, to the routes.
func (p *portal) inside(w http.ResponseWriter, r *http.Request, rest string) {
	p.routes.ServeHTTP(w, under(r, rest))
}

func (p *portal) redirect(w http.ResponseWriter, r *http.Request, to string) {
	w.Header().Set("Cache-Control", "no-cache")
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func languageOf(r *http.Request) string { return r.Context().Value(inLanguage{}).(string) }

// answer loads a page and shows it, or says why not.
func (p *portal) answer(w http.ResponseWriter, r *http.Request, load load) {
	page, to, err := load(r)
	switch {
	case err != nil:
		p.refuse(w, r, err)
	case page == nil:
		p.redirect(w, r, "/"+languageOf(r)+to)
	default:
		p.show(w, r, http.StatusOK, page)
	}
}

// refuse turns an error into a page in the reader's language.
func (p *portal) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var refusal *rule.Refusal
	switch {
	case !errors.As(err, &refusal):
		if r.Context().Err() == nil {
			p.Log.Error("a page cannot be shown", "path", r.URL.Path, "error", err)
		}
		p.problem(w, r, http.StatusServiceUnavailable, "unavailable", nil)
	case refusal.Code == rule.NotFound:
		p.problem(w, r, http.StatusNotFound, "not-found", refusal)
	default:
		p.problem(w, r, http.StatusBadRequest, "invalid", refusal)
	}
}

func (p *portal) problem(w http.ResponseWriter, r *http.Request, status int, key string, refusal *rule.Refusal) {
	problem := views.Problem{Status: status, Key: key}
	if refusal != nil {
		problem.Detail = refusal.Text
	}
	p.show(w, r, status, problem)
}

func (p *portal) show(w http.ResponseWriter, r *http.Request, status int, page views.Page) {
	frame := p.frame(r, page)
	if frame.Person != "" {
		w.Header().Set("Cache-Control", "no-store") // what is shown to one person is not kept
	}
	body, err := p.set.Render(frame, page)
	if err != nil {
		p.Log.Error("a page cannot be written", "path", r.URL.Path, "error", err)
		http.Error(w, "This page cannot be shown just now. 暂时无法显示页面。", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", frame.Language)
	// What is shown changes with every block: it may be kept, and must be asked
	// for anew. What is shown to one person only is not kept.
	if w.Header().Get("Cache-Control") != "no-store" {
		w.Header().Set("Cache-Control", "no-cache")
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // whoever left does not read it
	}
}

// frame is what stands around a page.
func (p *portal) frame(r *http.Request, page views.Page) pages.Frame {
	frame := pages.Frame{Language: languageOf(r), Path: r.URL.Path, Organisation: p.Organisation, Staffed: p.people != nil}
	if session := p.session(r); session.LoggedIn() {
		frame.Person, frame.Token = cmp.Or(string(session.Person()), session.By()), session.Token()
	}
	if _, broken := page.(views.Problem); broken {
		// A page that does not exist is not offered in the other language either.
		frame.Path = "/"
	} else if r.URL.RawQuery != "" {
		frame.Query = "?" + r.URL.Query().Encode()
	}
	switch shown := page.(type) {
	case views.Refused:
		frame.Path, frame.Query = shown.Back, "" // the address took a form, and cannot be read
	case views.Drafts:
		frame.Path = "/drafts"
		if shown.Draft != nil {
			frame.Path += "/" + shown.Draft.ID
		}
	case views.Login:
		if r.URL.Path != "/login" {
			frame.Path, frame.Query = "/login", "" // where a form was sent, or an issuer led back
		}
	case views.Home, views.Campaign, views.Gift, views.Entries, views.Account:
		frame.Events = "/api/v1/events"
	}
	return frame
}

var hostNames = regexp.MustCompile(`^[A-Za-z0-9.\-\[\]:]{1,255}$`)

// addressOf is the address of the page that is shown, for people to keep.
func (p *portal) addressOf(r *http.Request) string {
	place := pages.Frame{Path: r.URL.Path, Query: ""}.In(languageOf(r))
	if query := r.URL.Query(); len(query) > 0 {
		place += "?" + url.Values(query).Encode()
	}
	if p.Address != "" {
		return strings.TrimSuffix(p.Address, "/") + place
	}
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	if !hostNames.MatchString(r.Host) {
		return place
	}
	return scheme + "://" + r.Host + place
}
