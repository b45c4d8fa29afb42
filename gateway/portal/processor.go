package portal

import (
	"bytes"
	"errors"
	"net/http"
	"strings"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/importing"
	"github.com/lianbao/lianbao/gateway/lane"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/statement"
)

// processorBytesMax is the longest form with a processor's file: the gifts of a
// page have a few hundred bytes each.
const processorBytesMax = 4 << 20

func (p *portal) processorRoutes() {
	if p.people.Processors == nil {
		return
	}
	const form, file = "/campaigns/{account}/processor", "/campaigns/{account}/processor/{id}"
	p.routes.HandleFunc(form, func(w http.ResponseWriter, r *http.Request) { p.answer(w, r, p.uploading) })
	p.form(form, p.uploaded)
	p.routes.HandleFunc(file, p.processorFile)
	p.form(file, p.act(formBytes, p.goOn))
}

// mayBring refuses who does not bring processors' files for a campaign: makers
// of its own charity do.
func (p *portal) mayBring(r *http.Request, session login.Session) (tape.AccountID, error) {
	account, err := accountIn(r)
	if err != nil {
		return "", err
	}
	if err := roles(session, login.Maker); err != nil {
		return "", err
	}
	campaign, err := p.Model.Campaign(r.Context(), account)
	if err != nil {
		return "", err
	}
	if campaign.Organisation != p.Organisation {
		return "", rule.Refuse(rule.Forbidden, "a maker of %s brings the processors' files of %s", campaign.Organisation, account)
	}
	return account, p.staff(r.Context(), session)
}

// uploading is the form that takes a processor's file.
func (p *portal) uploading(r *http.Request) (views.Page, string, error) {
	session := p.session(r)
	if !session.LoggedIn() {
		return nil, loginTo(r, r.URL.Path), nil
	}
	account, err := p.mayBring(r, session)
	if err != nil {
		return nil, "", err
	}
	page, err := p.uploadPage(r, session, account)
	return page, "", err
}

func (p *portal) uploadPage(r *http.Request, session login.Session, account tape.AccountID) (page views.ProcessorBring, err error) {
	page = views.ProcessorBring{Account: account, Processor: "outside:processor:", Acting: views.Acting{Person: session.Person(), Token: session.Token()}}
	if page.Title, err = p.title(r.Context(), account); err != nil {
		return page, err
	}
	waiting, err := p.people.Processors.Waiting(r.Context(), account)
	for _, file := range waiting {
		page.Waiting = append(page.Waiting, views.ProcessorImport{Account: account, Standing: file})
	}
	return page, err
}

// uploaded takes a processor's file: what is wrong with it is said above the
// form, and nothing has happened; else it is carried, and its page says how far it is.
func (p *portal) uploaded(w http.ResponseWriter, r *http.Request) {
	session := p.session(r)
	if !session.LoggedIn() {
		p.toLogin(w, r, r.URL.Path)
		return
	}
	if err := session.CheckForm(w, r, processorBytesMax); err != nil {
		p.refused(w, r, err)
		return
	}
	account, err := p.mayBring(r, session)
	if err != nil {
		p.refused(w, r, err)
		return
	}
	to, err := p.upload(r, account)
	if err == nil {
		p.redirect(w, r, "/"+languageOf(r)+to)
		return
	}
	page, fault := p.uploadPage(r, session, account)
	var refusal *rule.Refusal
	if fault != nil || !errors.As(err, &refusal) {
		p.refused(w, r, errors.Join(err, fault))
		return
	}
	page.Processor, page.Reference, page.Refusal = r.PostForm.Get("processor"), r.PostForm.Get("reference"), refusalOf(refusal)
	p.show(w, r, http.StatusUnprocessableEntity, page)
}

func (p *portal) upload(r *http.Request, account tape.AccountID) (string, error) {
	text, _, err := fileIn(r, "file")
	if err == nil && text == nil {
		err = rule.Refuse(rule.Invalid, "is missing; choose a file")
	}
	if err != nil {
		return "", rule.Field("file", err)
	}
	reference, err := textIn(r, "reference")
	if err != nil {
		return "", err
	}
	order := importing.ProcessorOrder{File: r.MultipartForm.File["file"][0].Filename, Account: account,
		Processor: tape.AccountID(strings.TrimSpace(r.PostForm.Get("processor"))), Reference: strings.TrimSpace(reference)}
	mapping, _, err := fileIn(r, "mapping")
	if err == nil && mapping != nil {
		order.Mapping, err = statement.ParseSettlementMapping(mapping)
	}
	if err != nil {
		return "", rule.Field("mapping", err)
	}
	id, again, err := p.people.Processors.Bring(r.Context(), order, bytes.NewReader(text))
	if err != nil {
		return "", err
	}
	to := pathTo("campaigns", string(account), "processor", string(id))
	if again {
		to += "?again=yes"
	}
	return to, nil
}

// goOn carries a file that waits for a line, or broke off.
func (p *portal) goOn(r *http.Request, session login.Session) (string, error) {
	account, err := p.mayBring(r, session)
	if err != nil {
		return "", err
	}
	id, err := idIn(r, "id")
	if err == nil {
		err = p.people.Processors.GoOn(account, id, r.PostForm.Get("line"))
	}
	return pathTo("campaigns", string(account), "processor", string(id)), err
}

// processorFile shows how far a processor's file is; 202 while it is carried.
func (p *portal) processorFile(w http.ResponseWriter, r *http.Request) {
	session := p.session(r)
	if !session.LoggedIn() {
		p.toLogin(w, r, r.URL.Path)
		return
	}
	page, err := p.processorStands(r, session)
	switch {
	case err != nil:
		p.refuse(w, r, err)
	case page.Running:
		p.show(w, r, http.StatusAccepted, page)
	default:
		p.show(w, r, http.StatusOK, page)
	}
}

func (p *portal) processorStands(r *http.Request, session login.Session) (page views.ProcessorImport, err error) {
	page = views.ProcessorImport{Acting: views.Acting{Person: session.Person(), Token: session.Token()}, Again: r.FormValue("again") != ""}
	if page.Account, err = p.mayBring(r, session); err != nil {
		return page, err
	}
	id, err := idIn(r, "id")
	if err != nil {
		return page, err
	}
	if page.Title, err = p.title(r.Context(), page.Account); err != nil {
		return page, err
	}
	page.Standing, err = p.people.Processors.Stands(r.Context(), page.Account, id)
	page.Refusal = troubleOf(page.Trouble)
	return page, err
}

// troubleOf is why a run ended early, as people are told: the log has what is no refusal.
func troubleOf(err error) *views.Refusal {
	var refusal *rule.Refusal
	var busy *lane.Busy
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refusal):
		return refusalOf(refusal)
	case errors.As(err, &busy):
		return &views.Refusal{Code: "busy"}
	}
	return &views.Refusal{Code: "failed"}
}
