package signing

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/gateway/lane"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/message"
	"github.com/lianbao/lianbao/gateway/wallet"
)

// Renderer shows drafts.
type Renderer interface {
	Drafts(w http.ResponseWriter, r *http.Request, status int, page Page)
}

// Page is what there is to show: one draft, a list of them, or why not.
type Page struct {
	// Message says what happened; none on a page that was merely opened.
	Message *message.Message
	// Refusal is the rules' no in their own words, beside Message.
	Refusal *rule.Refusal
	Draft   *Pending
	List    []Pending
	// Token goes into forms as the field login.FormToken.
	Token string
}

// Pages are where people read, sign, download and upload drafts:
//
//	GET  /drafts                 the list
//	POST /drafts                 take a file up again: field file or draft, persons
//	GET  /drafts/{id}            one draft
//	GET  /drafts/{id}/file       its file for lianbao person sign
//	GET  /drafts/{id}/wallet     its typed data for a wallet or card
//	POST /drafts/{id}/sign       sign by the key that the gateway holds
//	POST /drafts/{id}/intent     bring a signature: field intent or file
//	POST /drafts/{id}/signature  bring what a wallet or card returned: field signature
//	POST /drafts/{id}/send       hand over again what could not be taken
//	POST /drafts/{id}/drop       take it back
//
// Each form carries login.FormToken.
type Pages struct {
	Desk     *login.Desk
	Drafts   *Drafts
	Renderer Renderer
	Log      *slog.Logger
}

// PagesPatterns are what a server hands to Handler.
func PagesPatterns() []string { return []string{"/drafts", "/drafts/"} }

// Handler serves the pages to who is logged in.
func (p Pages) Handler() http.Handler {
	if p.Log == nil {
		p.Log = slog.Default()
	}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /drafts", p.list)
	routes.HandleFunc("GET /drafts/{id}", p.one)
	routes.HandleFunc("GET /drafts/{id}/file", p.file("lianbao-draft-", Draft.File))
	routes.HandleFunc("GET /drafts/{id}/wallet", p.file("lianbao-wallet-", func(d Draft) ([]byte, error) {
		typed, err := d.Typed()
		if err != nil {
			return nil, err
		}
		return typed.File()
	}))
	routes.HandleFunc("POST /drafts", p.post(p.adopt))
	routes.HandleFunc("POST /drafts/{id}/sign", p.post(func(r *http.Request, s login.Session) (Pending, error) {
		return p.Drafts.SignHere(r.Context(), s, r.PathValue("id"))
	}))
	routes.HandleFunc("POST /drafts/{id}/intent", p.post(p.offer))
	routes.HandleFunc("POST /drafts/{id}/signature", p.post(p.offerWallet))
	routes.HandleFunc("POST /drafts/{id}/send", p.post(func(r *http.Request, s login.Session) (Pending, error) {
		return p.Drafts.Send(r.Context(), s, r.PathValue("id"))
	}))
	routes.HandleFunc("POST /drafts/{id}/drop", p.post(func(r *http.Request, s login.Session) (Pending, error) {
		return Pending{}, p.Drafts.Drop(s, r.PathValue("id"))
	}))
	return p.Desk.Require(routes)
}

func (p Pages) list(w http.ResponseWriter, r *http.Request) {
	session := p.Desk.Session(r)
	list, err := p.Drafts.List(session)
	if err != nil {
		p.refuse(w, r, session, err)
		return
	}
	p.Renderer.Drafts(w, r, http.StatusOK, Page{List: list, Token: session.Token()})
}

func (p Pages) one(w http.ResponseWriter, r *http.Request) {
	session := p.Desk.Session(r)
	draft, err := p.Drafts.Get(session, r.PathValue("id"))
	if err != nil {
		p.refuse(w, r, session, err)
		return
	}
	p.Renderer.Drafts(w, r, http.StatusOK, Page{Draft: &draft, Token: session.Token()})
}

// file sends the draft as a download, in one of its forms.
func (p Pages) file(name string, form func(Draft) ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		session := p.Desk.Session(r)
		draft, err := p.Drafts.File(session, r.PathValue("id"))
		var text []byte
		if err == nil {
			text, err = form(draft)
		}
		if err != nil {
			p.refuse(w, r, session, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Content-Disposition", `attachment; filename="`+name+draft.ID+`.json"`) // hexadecimal digits
		_, _ = w.Write(text)                                                                   // whoever left does not read it
	}
}

// post answers a form, and then shows the draft by its own address, so that
// reloading the page sends nothing again.
func (p Pages) post(act func(*http.Request, login.Session) (Pending, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		session := p.Desk.Session(r)
		bytesMax, err := p.Drafts.mayPost(session)
		if err == nil {
			err = session.CheckForm(w, r, bytesMax)
		}
		if err == nil {
			var draft Pending
			if draft, err = act(r, session); err == nil {
				http.Redirect(w, r, strings.TrimSuffix("/drafts/"+draft.ID, "/"), http.StatusSeeOther)
				return
			}
		}
		p.refuse(w, r, session, err)
	}
}

func (p Pages) adopt(r *http.Request, session login.Session) (Pending, error) {
	file, err := sent(r, "draft")
	if err != nil {
		return Pending{}, err
	}
	persons := 0
	if text := r.PostForm.Get("persons"); text != "" {
		if persons, err = strconv.Atoi(text); err != nil || persons < 0 {
			return Pending{}, rule.Field("persons", rule.Refuse(rule.Invalid, "is not a number of persons"))
		}
	}
	return p.Drafts.Adopt(r.Context(), session, file, persons)
}

func (p Pages) offer(r *http.Request, session login.Session) (Pending, error) {
	text, err := sent(r, "intent")
	if err != nil {
		return Pending{}, err
	}
	intent, err := ParseIntent(text)
	if err != nil {
		return Pending{}, err
	}
	return p.Drafts.Offer(r.Context(), session, r.PathValue("id"), intent)
}

// offerWallet makes the intent out of a wallet's signature. The file is asked
// for again: it names who is logged in, as the one that the wallet was given did.
func (p Pages) offerWallet(r *http.Request, session login.Session) (Pending, error) {
	text, err := sent(r, "signature")
	if err != nil {
		return Pending{}, err
	}
	signature, err := wallet.ParseSignature(string(text))
	if err != nil {
		return Pending{}, rule.Field("signature", err)
	}
	draft, err := p.Drafts.File(session, r.PathValue("id"))
	if err != nil {
		return Pending{}, err
	}
	intent, _, err := draft.Signed(signature)
	if err != nil {
		return Pending{}, err
	}
	return p.Drafts.Offer(r.Context(), session, draft.ID, intent)
}

// sent is what a form brings in a field, or as the file beside it.
func sent(r *http.Request, field string) ([]byte, error) {
	if text := strings.TrimSpace(r.PostForm.Get(field)); text != "" {
		return []byte(text), nil
	}
	file, _, err := r.FormFile("file")
	if err != nil {
		return nil, message.Refuse(rule.Invalid, "form.empty")
	}
	defer func() { _ = file.Close() }() // it was read, nothing can be lost
	return io.ReadAll(file)
}

// refuse shows why something was not done, beside the draft where there is one.
func (p Pages) refuse(w http.ResponseWriter, r *http.Request, session login.Session, err error) {
	page, status := Page{Token: session.Token()}, http.StatusInternalServerError
	what := message.New("draft.failed")
	var said *message.Refusal
	var refusal *rule.Refusal
	var busy *lane.Busy
	switch {
	case errors.As(err, &said):
		what, status = said.Message, statuses[said.Code]
	case errors.As(err, &busy), errors.Is(err, context.DeadlineExceeded):
		what, status = message.New("draft.busy"), http.StatusServiceUnavailable
	case errors.As(err, &refusal):
		what, status, page.Refusal = message.New("draft.refused"), statuses[refusal.Code], refusal
	default:
		p.Log.Error("a draft could not be answered", "error", err)
	}
	page.Message = &what
	if draft, err := p.Drafts.Get(session, r.PathValue("id")); err == nil {
		page.Draft = &draft
	}
	p.Renderer.Drafts(w, r, status, page)
}

// CustodyKey names the message that says who holds a key.
func CustodyKey(custody party.Custody) string { return "custody." + string(custody) }
