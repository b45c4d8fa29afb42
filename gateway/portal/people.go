package portal

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/fingerprint"
	"github.com/lianbao/lianbao/gateway/giving"
	"github.com/lianbao/lianbao/gateway/importing"
	"github.com/lianbao/lianbao/gateway/keyring"
	"github.com/lianbao/lianbao/gateway/lane"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/message"
	"github.com/lianbao/lianbao/gateway/outbox"
	"github.com/lianbao/lianbao/gateway/personal"
	"github.com/lianbao/lianbao/gateway/persons"
	"github.com/lianbao/lianbao/gateway/portal/pages"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/portal/words"
	"github.com/lianbao/lianbao/gateway/signing"
	"github.com/lianbao/lianbao/gateway/wallet"
)

// People are the parts by which those who are logged in act.
type People struct {
	Desk   *login.Desk
	Drafts *signing.Drafts
	// Lanes carry what needs no signature, and tell how something stands.
	Lanes Lanes
	// Persons are the persons of the ledger.
	Persons Persons
	// Keys draws keys that the gateway holds; nil where it holds none.
	Keys signing.Drawer
	// Shelf keeps the documents that are published here.
	Shelf Shelf
	// Proposals keeps the payments of proposals until their lists are on the ledger.
	Proposals Proposals
	// Archive keeps evidence that is brought with a form; nil where none is kept.
	Archive Archive
	// Fingerprints are the keys under which payees are compared.
	Fingerprints fingerprint.Keys
	// Personal is what this organisation knows about people; nil where it keeps nothing.
	Personal *personal.Desk
	// Receipts writes those of givers who had announced nothing; nil where the
	// organisation gives none.
	Receipts *giving.Desk
	// Processors takes payment processors' files; nil where none are imported here.
	Processors *importing.Desk
	// Journal is what the gateway signed; nil where it holds no keys.
	Journal Journal
	// Demonstration says that anybody can log in as one of the staff.
	Demonstration bool
}

// Lanes carry commands, as lane.Lanes do.
type Lanes interface {
	Submit(ctx context.Context, function string, argument []byte) (lane.Status, error)
	Command(ctx context.Context, id string) (lane.Status, bool, error)
	Await(ctx context.Context, s lane.Status, kind string, ask func(context.Context) (lane.Status, bool, error)) (lane.Status, error)
}

// Persons look persons up, as persons.Register does.
type Persons interface {
	Person(ctx context.Context, id tape.ID) (party.Person, error)
	Ledger(ctx context.Context) (party.LedgerID, error)
}

// Journal tells who is logged in what was signed for them, as keyring.Keyring does.
type Journal interface {
	Signings(session login.Session, most int) []keyring.Signing
}

// Shelf keeps documents, as disclosure.Shelf does.
type Shelf interface {
	Put(text []byte) (merkle.Hash, error)
}

// Renderer shows what logging in and signing have to say.
type Renderer interface {
	login.Renderer
	signing.Renderer
}

// NewStaffed builds a portal where people log in and act. make gets the
// renderer that the desk needs, and returns the parts.
func NewStaffed(parts Parts, make func(Renderer) (*People, error)) (http.Handler, error) {
	p := open(parts)
	people, err := make(voice{p})
	if err != nil {
		return nil, err
	}
	p.people = people
	p.signed = signing.Pages{Desk: people.Desk, Drafts: people.Drafts, Renderer: voice{p}, Log: p.Log}.Handler()
	p.peopleRoutes()
	return p, nil
}

// PeoplePatterns are what a server hands to a portal where people log in,
// beside Patterns.
func PeoplePatterns() []string { return append(login.Patterns(), signing.PagesPatterns()...) }

// people's addresses have no language of their own: they come from the desk,
// from a person's device and from an issuer.
func unspoken(first string) bool { return first == "login" || first == "logout" || first == "drafts" }

// Waits of people for the ledger.
const (
	carriedWait = 15 * time.Second
	formBytes   = 64 << 10
)

func (p *portal) peopleRoutes() {
	for _, pattern := range []string{"/login", "/login/key", "/login/issuer/{name}"} {
		p.routes.HandleFunc(pattern, p.desk)
	}
	for _, pattern := range []string{"/drafts", "/drafts/{id}", "/drafts/{id}/file", "/drafts/{id}/wallet"} {
		p.routes.HandleFunc(pattern, p.draftPages)
	}
	for _, pattern := range []string{"/drafts", "/drafts/{id}/sign", "/drafts/{id}/intent", "/drafts/{id}/signature", "/drafts/{id}/send", "/drafts/{id}/drop"} {
		p.form(pattern, p.draftPages)
	}
	p.form("/login/key", p.desk)
	p.form("/logout", p.desk)
	p.routes.HandleFunc("/work", func(w http.ResponseWriter, r *http.Request) { p.answer(w, r, p.work) })
	p.routes.HandleFunc("/me", func(w http.ResponseWriter, r *http.Request) { p.answer(w, r, p.me) })
	p.routes.HandleFunc("/campaigns/{account}/propose", func(w http.ResponseWriter, r *http.Request) { p.answer(w, r, p.proposing) })
	p.personRoutes()
	p.form("/campaigns/{account}/propose", p.act(proposalBytesMax, p.propose))
	p.form("/campaigns/{account}/publish", p.act(formBytes, p.publish))
	p.form("/disbursements/{account}/{id}/{act}", p.act(formBytes, p.decide))
	p.form("/payouts/{account}/{hold}/word", p.act(formBytes, p.say))
	p.form("/cooperatives/{account}/settlements/{sale}/run", p.act(formBytes, p.runSettlement))
	p.actRoutes()
	p.receiptRoutes()
	p.documentRoutes()
	p.personalRoutes()
	p.processorRoutes()
}

// session is whose request this is; nobody's where nobody logs in here.
func (p *portal) session(r *http.Request) login.Session {
	if p.people == nil {
		return login.Session{}
	}
	return p.people.Desk.Session(r)
}

// bare answers an address without a language: issuers and devices lead there.
// Pages are shown in the language of where the reader goes next, or prefers.
func (p *portal) bare(w http.ResponseWriter, r *http.Request) {
	r = r.WithContext(context.WithValue(r.Context(), inLanguage{}, tongue(r)))
	if r.Method == http.MethodGet && !strings.HasPrefix(r.URL.Path, "/login/issuer/") {
		p.redirect(w, r, "/"+languageOf(r)+r.URL.RequestURI())
		return
	}
	if r.Method == http.MethodPost && !strings.HasPrefix(r.URL.Path, "/login") && r.URL.Path != "/logout" {
		p.draftPages(w, r)
		return
	}
	p.desk(w, r)
}

// tongue is the language of the page to which a login leads, or the preferred one.
func tongue(r *http.Request) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Query().Get("return"), "/"), "/")
	if slices.Contains(words.Tags, first) {
		return first
	}
	return words.Prefer(r.Header.Get("Accept-Language"))
}

// desk hands a request to the desk, and keeps its language on the way back.
func (p *portal) desk(w http.ResponseWriter, r *http.Request) {
	p.people.Desk.ServeHTTP(&inTongue{ResponseWriter: w, language: languageOf(r)}, r)
}

// draftPages hands a request to the pages of drafts, for those who are logged in.
func (p *portal) draftPages(w http.ResponseWriter, r *http.Request) {
	if !p.session(r).LoggedIn() {
		p.toLogin(w, r, r.URL.Path)
		return
	}
	spoken := &inTongue{ResponseWriter: w, language: languageOf(r)}
	p.signed.ServeHTTP(spoken, r)
	p.afterSigning(r)
}

// toLogin leads to the login, and from there back.
func (p *portal) toLogin(w http.ResponseWriter, r *http.Request, back string) {
	p.redirect(w, r, "/"+languageOf(r)+loginTo(r, back))
}

// loginTo is where to log in, and to come back from to a page; its path is part
// of an address, so whatever somebody typed there is escaped.
func loginTo(r *http.Request, back string) string {
	return "/login?" + url.Values{"return": {"/" + languageOf(r) + back}}.Encode()
}

// inTongue puts the language before redirects that have none.
type inTongue struct {
	http.ResponseWriter
	language string
}

// WriteHeader implements http.ResponseWriter.
func (w *inTongue) WriteHeader(status int) {
	to := w.Header().Get("Location")
	first, _, _ := strings.Cut(strings.TrimPrefix(strings.SplitN(to, "?", 2)[0], "/"), "/")
	if strings.HasPrefix(to, "/") && unspoken(first) && !strings.HasPrefix(to, "/login/issuer/") {
		w.Header().Set("Location", "/"+w.language+to)
	}
	w.ResponseWriter.WriteHeader(status)
}

// voice shows on the portal's pages what desk and drafts have to say.
type voice struct{ p *portal }

// spoken gives a request a language that came without one.
func spoken(r *http.Request) *http.Request {
	if _, has := r.Context().Value(inLanguage{}).(string); has {
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), inLanguage{}, tongue(r)))
}

// Login implements login.Renderer.
func (v voice) Login(w http.ResponseWriter, r *http.Request, status int, page login.Page) {
	pages.Guard(w.Header())
	shown := views.Login{Message: page.Message, Return: page.Return, Token: page.Token, Broken: status >= http.StatusBadRequest,
		Demonstration: v.p.people != nil && v.p.people.Demonstration}
	for _, way := range page.Issuers {
		shown.Ways = append(shown.Ways, views.Way{Title: way.Title, Address: way.Address})
	}
	if asked := page.Challenge; asked != nil {
		shown.Challenge = &views.Challenge{Address: asked.Address, Nonce: asked.Nonce.String(), Person: asked.Person, Deadline: asked.Deadline}
		if typed, err := wallet.Login(asked.Challenge).File(); err == nil { // strings are always written
			shown.Challenge.Typed = string(typed)
		}
	}
	v.p.show(w, spoken(r), status, shown)
}

// Drafts implements signing.Renderer.
func (v voice) Drafts(w http.ResponseWriter, r *http.Request, status int, page signing.Page) {
	pages.Guard(w.Header())
	r = spoken(r)
	shown := views.Drafts{Message: page.Message, Refusal: refusalOf(page.Refusal), Token: page.Token}
	for _, draft := range page.List {
		shown.List = append(shown.List, v.p.draft(r, draft))
	}
	if page.Draft != nil {
		one := v.p.draft(r, *page.Draft)
		v.p.explain(r, *page.Draft, &one)
		shown.Draft = &one
	}
	v.p.show(w, r, status, shown)
}

func refusalOf(refusal *rule.Refusal) *views.Refusal {
	if refusal == nil {
		return nil
	}
	return &views.Refusal{Code: string(refusal.Code), Text: refusal.Text}
}

// draft is a draft as the page shows it, with what has become of it meanwhile.
func (p *portal) draft(r *http.Request, d signing.Pending) views.Draft {
	shown := views.Draft{ID: d.ID, Function: d.Function, Sentence: d.Act.Message, By: d.By, Signed: d.Signed, Persons: d.Persons, Expires: d.Expires,
		Mine: d.Mine, Here: d.Here, Person: p.session(r).Person(), Back: p.backOf(r, d)}
	for _, line := range d.Lines {
		shown.Lines = append(shown.Lines, views.DraftLine{Field: line.Field, Value: line.Value})
	}
	for _, signer := range d.Missing {
		shown.Missing = append(shown.Missing, views.Missing(signer))
	}
	if d.Here && d.Function == "Fund:Confirm" && strings.HasSuffix(d.Act.Message.Key, ".arrived") {
		// The ledger takes it from the receiver's own hands only.
		shown.Here, shown.OwnHand = false, true
	}
	if d.Status == nil {
		return shown
	}
	status := p.stands(r.Context(), *d.Status)
	shown.State, shown.Refusal, shown.Trouble = string(status.State), refusalOf(status.Refusal), status.Trouble
	return shown
}

// explain says in plain words what a household signs by a draft. A key that the
// gateway holds signs no guarantee and no loan.
func (p *portal) explain(r *http.Request, d signing.Pending, shown *views.Draft) {
	draft, err := p.people.Drafts.File(p.session(r), d.ID)
	if err == nil {
		shown.Promise, err = p.promiseOf(r.Context(), d.Function, draft.Command)
	}
	if err != nil || shown.Promise == nil {
		return // the draft's own sentence stands
	}
	if shown.Here && shown.Promise.Own && slices.Contains(d.Missing, signing.Signer{Person: shown.Person}) {
		shown.Here, shown.Promise.Held = false, true
	}
}

// stands asks how something that was handed over stands now.
func (p *portal) stands(ctx context.Context, status lane.Status) lane.Status {
	now, found, err := p.people.Lanes.Command(ctx, status.ID)
	if err != nil || !found {
		return status
	}
	return now
}

// field is one of the lines of a draft's command.
func field(d signing.Pending, name string) string {
	for _, line := range d.Lines {
		if line.Field == name {
			return line.Value
		}
	}
	return ""
}

// backOf is the page that a draft is about.
func (p *portal) backOf(_ *http.Request, d signing.Pending) string {
	account := field(d, "account")
	switch d.Function {
	case "Fund:Propose":
		return pathTo("disbursements", account, field(d, "id"))
	case "Fund:Approve", "Fund:Reject":
		return pathTo("disbursements", account, field(d, "disbursement"))
	case "Fund:SetFlag", "Fund:CallBackPayee":
		return pathTo("payees", account, field(d, "payee"))
	case "Fund:Confirm":
		return pathTo("payouts", account, field(d, "hold"))
	case "Party:Consent", "Party:WithdrawConsent":
		return "/me"
	}
	contract, _, _ := strings.Cut(d.Function, ":")
	switch contract {
	case "Fund":
		return pathTo("campaigns", account)
	case "Group", "Loan", "Harvest", "Settlement", "Recourse", "Credit":
		return backToScheme(d, account)
	}
	return "/work"
}

// backToScheme is the page of a scheme that a draft is about; what it brings about
// has one only behind it.
func backToScheme(d signing.Pending, account string) string {
	done := d.Status != nil && d.Status.State == outbox.Done
	switch d.Function {
	case "Group:OpenScheme", "Loan:OpenLending":
		return "/cooperatives"
	case "Group:Admit", "Group:FormGroup", "Loan:ApplyForLoan", "Settlement:OpenSettlement":
		if !done {
			return pathTo("cooperatives", account)
		}
		if d.Function == "Loan:ApplyForLoan" {
			return pathTo("cooperatives", account, "loans", field(d, "id"))
		}
	}
	return schemePath(account, func(name string) string { return field(d, name) })
}

// act answers a form of somebody who is logged in: do returns where to go on,
// or why nothing was done.
func (p *portal) act(bytesMax int64, do func(*http.Request, login.Session) (string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		session := p.session(r)
		if !session.LoggedIn() {
			p.toLogin(w, r, "/work")
			return
		}
		err := session.CheckForm(w, r, bytesMax)
		to := ""
		if err == nil {
			_, err = p.standing(r.Context(), session)
		}
		if err == nil {
			to, err = do(r, session)
		}
		if err != nil {
			p.refused(w, r, err)
			return
		}
		p.redirect(w, r, "/"+languageOf(r)+to)
	}
}

// refused says why something was not done, with the code and what to do.
func (p *portal) refused(w http.ResponseWriter, r *http.Request, err error) {
	page := views.Refused{Back: "/work"}
	var said *message.Refusal
	var refusal *rule.Refusal
	var busy *lane.Busy
	status := http.StatusConflict
	switch {
	case errors.As(err, &said):
		page.Message, page.Refusal.Code = &said.Message, string(said.Code)
	case errors.As(err, &refusal):
		page.Refusal = *refusalOf(refusal)
	case errors.As(err, &busy):
		status, page.Refusal.Code = http.StatusServiceUnavailable, "busy"
	default:
		p.Log.Error("a form could not be answered", "path", r.URL.Path, "error", err)
		status, page.Refusal.Code = http.StatusInternalServerError, "failed"
	}
	p.show(w, r, status, page)
}

// standing is the key in force of who is logged in. A session lasts longer than
// a revocation may take: what needs no signature asks the ledger each time.
func (p *portal) standing(ctx context.Context, session login.Session) (party.Key, error) {
	person, err := p.people.Persons.Person(ctx, session.Person())
	if err != nil {
		return party.Key{}, err
	}
	return persons.InForce(person, tape.Instant(p.Now().UnixMilli()))
}

// staff refuses who is not staff on the ledger, whatever role the gateway's file gives.
func (p *portal) staff(ctx context.Context, session login.Session) error {
	key, err := p.standing(ctx, session)
	if err == nil && key.Duty != party.DutyStaff {
		err = rule.Refuse(rule.Forbidden, "person %s is %s on the ledger; staff do this", session.Person(), key.Duty)
	}
	return err
}

// roles refuses who has none of the roles.
func roles(session login.Session, wanted ...login.Role) error {
	if session.Has(wanted...) {
		return nil
	}
	names := make([]string, len(wanted))
	for i, role := range wanted {
		names[i] = string(role)
	}
	return message.Refuse(rule.Forbidden, "login.role", "Roles", strings.Join(names, ", "))
}

// prepare makes a draft, or finds the one that was made of the same form
// before, and leads to it.
func (p *portal) prepare(r *http.Request, session login.Session, request signing.Request) (string, error) {
	before, err := p.people.Drafts.List(session)
	if err != nil {
		return "", err
	}
	draft, err := p.people.Drafts.Prepare(r.Context(), session, request)
	if err != nil {
		return "", err
	}
	for _, old := range before {
		if old.By == session.Person() && old.Function == draft.Function && old.Act.Amount == draft.Act.Amount && slices.Equal(old.Lines, draft.Lines) &&
			(old.Status == nil || p.stands(r.Context(), *old.Status).Refusal == nil) {
			return "/drafts/" + old.ID, p.people.Drafts.Drop(session, draft.ID)
		}
	}
	return "/drafts/" + draft.ID, nil
}

// carry hands commands over that no person signs, waits until the ledger has
// answered all of them, and until this gateway has read the answers.
func (p *portal) carry(ctx context.Context, commands ...carried) error {
	ctx, cancel := context.WithTimeout(ctx, carriedWait)
	defer cancel()
	var sent []lane.Status
	for _, command := range commands {
		status, err := p.people.Lanes.Submit(ctx, command.function, command.argument)
		if err != nil {
			return err
		}
		sent = append(sent, status)
	}
	for _, status := range sent {
		if _, err := p.await(ctx, status); err != nil {
			return err
		}
	}
	return nil
}

type carried struct {
	function string
	argument []byte
}

// await waits for one command, and returns the ledger's no as an error.
func (p *portal) await(ctx context.Context, status lane.Status) (lane.Status, error) {
	status, err := p.people.Lanes.Await(ctx, status, "", func(ctx context.Context) (lane.Status, bool, error) {
		return p.people.Lanes.Command(ctx, status.ID)
	})
	switch {
	case err != nil:
		return status, err
	case status.Refusal != nil:
		return status, status.Refusal
	case !status.State.Ended():
		return status, nil // it is on its way, and the page says so
	}
	// A page that is read right after this shall know of it; if the reader is slow, it comes a moment later.
	if err := p.Model.WaitFor(ctx, status.Block); err != nil && ctx.Err() == nil {
		return status, err
	}
	return status, nil
}
