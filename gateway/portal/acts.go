package portal

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/acts"
	"github.com/lianbao/lianbao/gateway/document"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/message"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/signing"
)

// Archive keeps evidence, as document.Archive does.
type Archive interface {
	PutOnce(ctx context.Context, sending, kind, mediaType string, r io.Reader, about ...string) (document.Citation, error)
	HandOut(ctx context.Context, w http.ResponseWriter, id string, log *slog.Logger) error
	ByHash(hash document.Hash) (document.Meta, error)
}

// Limits of the forms of acts.
const (
	actBytesMax = document.BytesMax + acts.RowsBytesMax + formBytes
	rowsShown   = 5
	idBytesMax  = 64
)

func (p *portal) actRoutes() {
	for _, pattern := range []string{"/acts/{act}", "/campaigns/{account}/acts/{act}", "/cooperatives/{account}/acts/{act}"} {
		p.routes.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { p.answer(w, r, p.acting) })
		p.form(pattern, p.acted)
	}
}

// actIn finds the act of an address, for somebody who may do it.
func (p *portal) actIn(r *http.Request, session login.Session) (acts.Act, tape.AccountID, error) {
	act, err := acts.Find(r.PathValue("act"))
	if err != nil {
		return act, "", err
	}
	account := tape.AccountID(r.PathValue("account"))
	if act.Apart != (account == "") || account != "" && !strings.HasPrefix(r.URL.Path, "/"+subjectPages[act.Subject]+"/") {
		return act, "", rule.Refuse(rule.NotFound, "there is no such form")
	}
	a, err := p.actor(r, act.Subject, account)
	if err != nil || a.alone(act) {
		return act, account, err
	}
	if err := roles(session, act.Roles...); err != nil {
		return act, "", err
	}
	if len(a.sides) == 0 && account != "" {
		if _, err := p.Model.Account(r.Context(), account); err != nil {
			return act, "", err
		}
	}
	if !a.may(act) {
		return act, "", rule.Refuse(rule.Forbidden, "%s does not do this for %s", p.Organisation, account)
	}
	return act, account, nil
}

// actsOn are what who is logged in may do about a campaign.
func (p *portal) actsOn(r *http.Request, page views.Campaign) []string {
	session := p.session(r)
	if !session.LoggedIn() {
		return nil
	}
	side := acts.SideOf(fund.Campaign{Organisation: page.Organisation, Plan: fund.Plan{Regulator: page.Facts.Regulator}}, page.Custodian, p.Organisation)
	var names []string
	for _, act := range acts.Of(acts.Campaign) {
		if !act.Apart && act.May([]acts.Side{side}, session.Has) {
			names = append(names, act.Name)
		}
	}
	return names
}

func (p *portal) asker(session login.Session) acts.Asker {
	return acts.Asker{Organisation: p.Organisation, Person: session.Person(), At: tape.Instant(p.Now().UnixMilli()), Ledger: acts.Books{Model: p.Model, Now: p.Now}, Fingerprint: p.people.Fingerprints.Fingerprint}
}

// acting shows the form of an act, with what its address says filled in.
func (p *portal) acting(r *http.Request) (views.Page, string, error) {
	session := p.session(r)
	if !session.LoggedIn() {
		return nil, loginTo(r, r.URL.Path), nil
	}
	act, account, err := p.actIn(r, session)
	if err != nil {
		return nil, "", err
	}
	answers, err := act.Begin(r.Context(), p.asker(session), account)
	if err != nil {
		return nil, "", err
	}
	for name, values := range r.URL.Query() {
		answers.Texts[name] = values[0]
	}
	answers.Texts["id"] = newActID(act)
	page, err := p.actPage(r, session, act, account, answers)
	return page, "", err
}

func (p *portal) actPage(r *http.Request, session login.Session, act acts.Act, account tape.AccountID, answers acts.Answers) (views.Act, error) {
	page := views.Act{Act: act.Name, Account: account, Subject: string(act.Subject), ID: tape.ID(answers.Texts["id"]), Person: session.Person(), Token: session.Token(),
		Back: "/work", Path: "/acts/" + act.Name}
	if account != "" {
		page.Back, page.Path = actPath(act, account, answers.Texts), pathTo(subjectPages[act.Subject], string(account))+page.Path
	}
	for _, field := range act.Fields {
		page.Fields = append(page.Fields, fieldOf(field, answers))
	}
	var err error
	switch {
	case act.Name == "accept-filing":
		campaign, err := p.Model.Campaign(r.Context(), account)
		if err != nil {
			return page, err
		}
		page.Compare = waits(campaign.Campaign)
	case act.Subject != acts.Campaign:
		return page, p.actOfScheme(r, act, &page, answers)
	}
	page.Title, err = p.title(r.Context(), account)
	return page, err
}

// actOfScheme adds to a form what its address says, what can be chosen, and what a
// household would promise by it.
func (p *portal) actOfScheme(r *http.Request, act acts.Act, page *views.Act, answers acts.Answers) error {
	query := r.URL.Query()
	if len(query) > 0 {
		page.Path += "?" + query.Encode()
	}
	if page.Account == "" {
		page.Back = "/cooperatives"
		return nil
	}
	a, err := p.actor(r, act.Subject, page.Account)
	if err != nil {
		return err
	}
	concerned, err := p.concerned(r.Context(), a, act, answers.Texts)
	if err != nil {
		return err
	}
	for i := range page.Fields {
		field := &page.Fields[i]
		if field.Fixed = query.Get(field.Name) != "" && field.Value != "" && field.Kind != string(acts.Given); field.Fixed || !concerned {
			continue
		}
		if field.Options, err = p.options(r.Context(), page.Account, act, field.Name, answers.Texts); err != nil {
			return err
		}
	}
	if concerned {
		page.Promise, err = p.promiseIn(r.Context(), act, page.Account, answers)
	}
	return err
}

// concerned reports whether an actor may read what a group or loan promises: staff
// who fill in the form, and the households of that group or loan.
func (p *portal) concerned(ctx context.Context, a actor, act acts.Act, k known) (bool, error) {
	if !a.alone(act) {
		return true, nil
	}
	households := []string{k["household"]}
	var err error
	if id := tape.ID(k["group"]); id != "" && act.Of == "group" {
		households, err = p.membersOf(ctx, a.account, id)
	}
	if id := tape.ID(k["loan"]); id != "" && act.Of == "loan" {
		l, err := p.loanOf(ctx, a.account, id)
		if err != nil {
			return false, err
		}
		households = []string{string(l.Household)}
		for _, guarantor := range l.Guarantors {
			households = append(households, string(guarantor.Household))
		}
	}
	return slices.ContainsFunc(a.own, func(own tape.AccountID) bool { return slices.Contains(households, string(own)) }), err
}

// actPath is where the outcome of an act stands.
func actPath(act acts.Act, account tape.AccountID, answers map[string]string) string {
	switch {
	case act.Subject != acts.Campaign && account == "":
		return "/cooperatives"
	case act.Subject == acts.Scheme && act.Stands(acts.SchemePage):
		return pathTo("cooperatives", string(account))
	case act.Subject == acts.Scheme:
		return schemePath(string(account), func(name string) string { return answers[name] })
	case act.Bank:
		return pathTo("campaigns", string(account), "bank")
	}
	return pathTo(subjectPages[act.Subject], string(account))
}

// fieldOf is a field as the page shows it, with some rows to fill in.
func fieldOf(field acts.Field, answers acts.Answers) views.ActField {
	shown := views.ActField{ActColumn: columnOf(field), Required: field.Required, Header: field.Header(), Rows: slices.Clone(answers.Rows[field.Name]),
		Value: answers.Texts[field.Name], English: answers.Texts[field.Name+"-en"], Chinese: answers.Texts[field.Name+"-zh"]}
	for _, column := range field.Columns {
		shown.Columns = append(shown.Columns, columnOf(column))
	}
	for least := max(rowsShown, len(shown.Rows)+1); field.Kind == acts.Rows && len(shown.Rows) < least; {
		shown.Rows = append(shown.Rows, make([]string, len(field.Columns)))
	}
	for i, row := range shown.Rows { // a file may bring rows that are too short
		shown.Rows[i] = append(slices.Clone(row), make([]string, max(0, len(field.Columns)-len(row)))...)
	}
	return shown
}

func columnOf(field acts.Field) views.ActColumn {
	return views.ActColumn{Name: field.Name, Kind: string(field.Kind), Choices: field.Choices, Family: field.Family}
}

// acted takes the form of an act: it makes a draft, or does what needs no
// signature; what is to be mended is shown beside what was typed.
func (p *portal) acted(w http.ResponseWriter, r *http.Request) {
	session := p.session(r)
	if !session.LoggedIn() {
		p.toLogin(w, r, "/work")
		return
	}
	if err := session.CheckForm(w, r, actBytesMax); err != nil {
		p.refused(w, r, err)
		return
	}
	act, account, err := p.actIn(r, session)
	if err != nil {
		p.refused(w, r, err)
		return
	}
	answers, faults := p.answersIn(r, act)
	to := ""
	if err = faults; len(faults) == 0 {
		to, err = p.doAct(r, session, act, account, answers)
	}
	if err == nil {
		p.redirect(w, r, "/"+languageOf(r)+to)
		return
	}
	page, fault := p.actPage(r, session, act, account, answers)
	if fault == nil {
		page.Refusal, page.Faulty = blame(page.Fields, err)
	}
	if !page.Faulty {
		p.refused(w, r, errors.Join(err, fault))
		return
	}
	p.show(w, r, http.StatusUnprocessableEntity, page)
}

// doAct prepares an act and returns where to go on.
func (p *portal) doAct(r *http.Request, session login.Session, act acts.Act, account tape.AccountID, answers acts.Answers) (string, error) {
	prepared, err := act.Prepare(r.Context(), p.asker(session), account, answers)
	if err != nil {
		return "", err
	}
	if prepared.Persons == 0 {
		return actPath(act, account, answers.Texts), act.Place(p.carryOne(r.Context(), prepared.Function, prepared.Command))
	}
	if !session.Has(act.Roles...) && slices.ContainsFunc(prepared.Signers, func(s acts.Signer) bool { return s.Person != session.Person() }) {
		return "", rule.Refuse(rule.Forbidden, "a household's own person asks for its signature, and nobody else without a role here")
	}
	request := signing.Request{Function: prepared.Function, Command: prepared.Command, Amount: prepared.Amount, Persons: prepared.Persons}
	for _, signer := range prepared.Signers {
		if signer.Organisation != "" { // any of its staff who may
			signer.Person = ""
		}
		request.Signers = append(request.Signers, signing.Signer(signer))
	}
	return p.prepare(r, session, request)
}

// answersIn are what a form brings. A document is kept at once: what is wrong
// with another field does not ask for it again.
func (p *portal) answersIn(r *http.Request, act acts.Act) (acts.Answers, acts.Faults) {
	answers := acts.Answers{Texts: map[string]string{"id": r.PostForm.Get("id")}, Rows: map[string][][]string{}}
	var faults acts.Faults
	for _, field := range act.Fields {
		var err error
		switch field.Kind {
		case acts.Texts:
			for _, language := range []string{"-en", "-zh"} {
				answers.Texts[field.Name+language] = r.PostForm.Get(field.Name + language)
			}
		case acts.Rows:
			answers.Rows[field.Name], err = rowsIn(r, field)
		case acts.Document:
			answers.Texts[field.Name], err = p.documentIn(r, field.Name, documentKind(r, act, field.Name), p.paidBy(r)...)
		default:
			answers.Texts[field.Name] = r.PostForm.Get(field.Name)
		}
		var refusal *rule.Refusal
		if errors.As(err, &refusal) {
			faults = append(faults, acts.Fault{Field: field.Name, Refusal: *refusal})
		} else if err != nil {
			p.Log.Error("a file cannot be taken", "field", field.Name, "error", err)
			faults = append(faults, acts.Fault{Field: field.Name, Refusal: *rule.Refuse(rule.WrongState, "the file cannot be kept just now; try again")})
		}
	}
	return answers, faults
}

// documentKind is what a document is kept as: what the form says, or what its field asks for.
func documentKind(r *http.Request, act acts.Act, field string) string {
	if act.Subject == acts.Campaign {
		return r.PostForm.Get("kind")
	}
	return cmp.Or(map[string]string{"text-en": "agreement", "text-zh": "agreement", "invoice-document": "invoice"}[field], "other")
}

// rowsIn are the rows of a table: those of a file, or those that were typed.
func rowsIn(r *http.Request, field acts.Field) ([][]string, error) {
	var rows [][]string
	for i := range r.PostForm[field.Name+"."+field.Columns[0].Name] {
		row, filled := make([]string, len(field.Columns)), false
		for j, column := range field.Columns {
			if cells := r.PostForm[field.Name+"."+column.Name]; i < len(cells) {
				row[j] = cells[i]
				// A choice always says something: alone it fills no row.
				filled = filled || cells[i] != "" && column.Kind != acts.Choice
			}
		}
		if filled {
			rows = append(rows, row)
		}
	}
	text, _, err := fileIn(r, field.Name+"-file")
	if err != nil || text == nil {
		return rows, err
	}
	read, err := field.ReadRows(text)
	return append(rows, read...), err
}

// fileIn is a file of a form, nil where none was chosen.
func fileIn(r *http.Request, name string) (text []byte, kind string, err error) {
	file, header, err := r.FormFile(name)
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", rule.Refuse(rule.Invalid, "could not be read")
	}
	defer func() { _ = file.Close() }() // it was read, nothing can be lost
	if text, err = io.ReadAll(file); err != nil || len(text) == 0 {
		return nil, "", err
	}
	kind, _, _ = mime.ParseMediaType(header.Header.Get("Content-Type"))
	if kind == "" || kind == "application/octet-stream" {
		kind, _, _ = mime.ParseMediaType(mime.TypeByExtension(filepath.Ext(header.Filename)))
	}
	return text, kind, nil
}

// paidBy is who gets the payout that a form's document is for: a photo of its
// arrival is erased with what else is known about the payee.
func (p *portal) paidBy(r *http.Request) []string {
	account, err := accountIn(r)
	if err != nil {
		return nil
	}
	hold, err := p.Model.Hold(r.Context(), account, tape.ID(r.PostForm.Get("for")))
	if err != nil || !hold.To.Outside() {
		return nil
	}
	return []string{string(hold.To)}
}

// documentIn keeps the document of a form, about whom it is, and returns the hash by which it is
// cited: that of a new file, or of the one that was kept when the form came before,
// be it with the file again.
func (p *portal) documentIn(r *http.Request, name, kind string, about ...string) (string, error) {
	text, mediaType, err := fileIn(r, name+"-file")
	if err != nil || text == nil {
		return r.PostForm.Get(name), err
	}
	if p.people.Archive == nil {
		return "", rule.Refuse(rule.Unsupported, "this gateway keeps no documents")
	}
	id := r.PostForm.Get("id")
	if id == "" || len(id) > idBytesMax {
		return "", rule.Field("id", rule.Refuse(rule.Invalid, "names no form; open the form anew"))
	}
	citation, err := p.people.Archive.PutOnce(r.Context(), "form "+id+" "+name, kind, mediaType, bytes.NewReader(text), about...)
	return citation.Hash.String(), err
}

// blame puts what is to be mended beside its field, and returns what is about
// none; false where it is nothing that somebody who fills in the form can mend.
func blame(fields []views.ActField, err error) (rest *views.Refusal, mendable bool) {
	var faults acts.Faults
	var said *message.Refusal
	var refusal *rule.Refusal
	switch {
	case errors.As(err, &faults):
	case errors.As(err, &said) || !errors.As(err, &refusal):
		return nil, false
	default:
		faults = acts.Faults{{Refusal: *refusal}}
	}
	for _, fault := range faults {
		i := slices.IndexFunc(fields, func(f views.ActField) bool { return f.Name == fault.Field })
		if i < 0 {
			rest = refusalOf(&fault.Refusal)
			continue
		}
		fields[i].Faults = append(fields[i].Faults, views.ActFault{Row: fault.Row, Column: fault.Column, Refusal: *refusalOf(&fault.Refusal)})
	}
	return rest, true
}
