package portal

import (
	"context"
	"net/http"
	"strconv"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/document"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/signing"
)

func (p *portal) documentRoutes() {
	if p.people.Archive == nil {
		return
	}
	p.routes.HandleFunc("/documents/{hash}", func(w http.ResponseWriter, r *http.Request) { p.answer(w, r, p.document) })
	p.routes.HandleFunc("/documents/{hash}/file", p.documentFile)
}

// documentsShown reports whether who is logged in may read what this organisation keeps.
func (p *portal) documentsShown(r *http.Request) bool {
	return p.people != nil && p.people.Archive != nil && p.session(r).LoggedIn() && p.session(r).Has(readers...)
}

// evidence is what was cited, for those who may read it with the way to the document.
func (p *portal) evidence(r *http.Request, cited []fund.Cited, err error) ([]views.Evidence, error) {
	shown := p.documentsShown(r)
	var all []views.Evidence
	for _, one := range cited {
		evidence := views.Evidence{Cited: one}
		if shown {
			evidence.Path = pathTo("documents", one.Hash.String())
		}
		all = append(all, evidence)
	}
	return all, err
}

// restsOn are the documents on which a disbursement rests, and those that were
// cited for it since.
func (p *portal) restsOn(ctx context.Context, account tape.AccountID, id tape.ID, proposal string, evidence []fund.Citation) ([]fund.Cited, error) {
	var all []fund.Cited
	for _, citation := range evidence {
		all = append(all, fund.Cited{Citation: citation, For: string(id), Entry: proposal})
	}
	since, err := p.citedFor(ctx, account, string(id))
	return append(all, since...), err
}

// archived finds a document by the hash by which it is cited, for whoever may read it.
func (p *portal) archived(r *http.Request, session login.Session) (document.Meta, error) {
	if err := roles(session, readers...); err != nil {
		return document.Meta{}, err
	}
	if err := p.staff(r.Context(), session); err != nil {
		return document.Meta{}, err
	}
	var hash merkle.Hash
	if err := hash.UnmarshalText([]byte(r.PathValue("hash"))); err != nil {
		return document.Meta{}, rule.Field("hash", rule.Refuse(rule.Invalid, "is not the hash of a document"))
	}
	meta, err := p.people.Archive.ByHash(document.Hash(hash))
	if rule.Is(err, rule.NotFound) {
		err = rule.Refuse(rule.NotFound, "%s keeps no document with this hash; ask the organisation that cited it", p.Organisation)
	}
	return meta, err
}

// document shows staff what is known of a document that is kept here.
func (p *portal) document(r *http.Request) (views.Page, string, error) {
	session := p.session(r)
	if !session.LoggedIn() {
		return nil, loginTo(r, r.URL.Path), nil
	}
	meta, err := p.archived(r, session)
	if err != nil {
		return nil, "", err
	}
	return views.Document{Hash: meta.Hash.String(), Kind: meta.Kind, MediaType: meta.MediaType, Bytes: meta.Size, Removed: meta.Removed, At: tape.Instant(meta.At.UnixMilli()),
		Salt: meta.Salt.String(), Shredded: !meta.Shredded.IsZero(), Person: session.Person()}, "", nil
}

// documentFile hands the document out, and logs to whom.
func (p *portal) documentFile(w http.ResponseWriter, r *http.Request) {
	session := p.session(r)
	if !session.LoggedIn() {
		p.toLogin(w, r, r.URL.Path)
		return
	}
	meta, err := p.archived(r, session)
	if err == nil {
		err = p.people.Archive.HandOut(r.Context(), w, meta.ID, p.Log.With("person", session.Person()))
	}
	if err != nil {
		p.refused(w, r, err)
	}
}

// documentRows are how many documents one form of a proposal takes.
const documentRows = 3

// citationsIn keeps the documents of a form, about whom they are, and returns how
// they are cited.
func (p *portal) citationsIn(r *http.Request, about []string) ([]fund.Citation, error) {
	var all []fund.Citation
	for i := range documentRows {
		n := strconv.Itoa(i + 1)
		name, kind := "document-"+n, r.PostForm.Get("document-kind-"+n)
		text, err := p.documentIn(r, name, kind, about...)
		if err != nil {
			return nil, rule.Field(name, err)
		}
		if text == "" {
			continue
		}
		citation := fund.Citation{Kind: kind}
		if err := citation.Hash.UnmarshalText([]byte(text)); err != nil {
			return nil, rule.Field(name, err)
		}
		all = append(all, citation)
	}
	return all, nil
}

// proposed prepares a proposal with the documents on which it rests.
func (p *portal) proposed(r *http.Request, session login.Session, payments []tape.Payment, command fund.Propose) (string, error) {
	var about []string
	for _, payment := range payments {
		if payment.To.Outside() {
			about = append(about, string(payment.To))
		}
	}
	if len(about) > document.AboutMax {
		about = nil // a list about so many is kept as a whole
	}
	var err error
	if command.Evidence, err = p.citationsIn(r, about); err != nil {
		return "", err
	}
	return p.prepare(r, session, signing.Request{Function: "Fund:Propose", Amount: command.Amount.String(), Command: command})
}
