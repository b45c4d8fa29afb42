package portal

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/personal"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Who sees personal data, and who keeps and purges it.
var (
	readers = []login.Role{login.Maker, login.Checker, login.Auditor}
	keepers = []login.Role{login.Maker, login.Checker}
)

// erasureDays is how soon a request to erase is answered (GB/T 35273-2020, 8.7).
const erasureDays = 30

func (p *portal) personalRoutes() {
	if p.people.Personal == nil {
		return
	}
	p.routes.HandleFunc("/payees/{account}/{payee}/personal", func(w http.ResponseWriter, r *http.Request) { p.answer(w, r, p.personal) })
	p.form("/payees/{account}/{payee}/personal/keep", p.act(formBytes, p.keepPersonal))
	p.form("/payees/{account}/{payee}/personal/purge", p.act(formBytes, p.purgePersonal))
	p.form("/payees/{account}/{payee}/personal/document", p.act(actBytesMax, p.keepPaper))
	p.form("/payees/{account}/{payee}/personal/shred", p.act(formBytes, p.shredPaper))
	p.form("/me/erasure", p.act(formBytes, p.askErasure))
}

// mayRead reports whether who is logged in may read what this organisation is a member of.
func (p *portal) mayRead(r *http.Request) bool {
	return p.people != nil && p.people.Personal != nil && p.session(r).LoggedIn() && p.session(r).Has(readers...)
}

// enrolled finds a payee of a campaign by its address.
func (p *portal) enrolled(r *http.Request) (readmodel.Payee, error) {
	account, err := accountIn(r)
	if err != nil {
		return readmodel.Payee{}, err
	}
	payee := tape.AccountID(r.PathValue("payee"))
	if err := payee.Check(); err != nil {
		return readmodel.Payee{}, rule.Field("payee", err)
	}
	found, err := p.Model.Payees(r.Context(), readmodel.PayeeFilter{Account: account, Payee: payee}, readmodel.Window{Limit: 1})
	if err == nil && len(found.Items) == 0 {
		err = rule.Field("payee", rule.Refuse(rule.NotFound, "%s is not a payee of %s", payee, account))
	}
	if err != nil {
		return readmodel.Payee{}, err
	}
	return found.Items[0], nil
}

// personal is what is kept about one payee, for those who may read it.
func (p *portal) personal(r *http.Request) (views.Page, string, error) {
	ctx, session := r.Context(), p.session(r)
	known, err := p.enrolled(r)
	if err != nil {
		return nil, "", err
	}
	if !session.LoggedIn() {
		return nil, loginTo(r, r.URL.Path), nil
	}
	if !p.mayRead(r) {
		return nil, "", rule.Refuse(rule.Forbidden, "personal data is for makers, checkers and auditors of its members")
	}
	page := views.PersonalData{Account: known.Account, Payee: known.Payee.Payee, Organisation: p.Organisation, Reasons: reasons()}
	if page.Title, err = p.title(ctx, known.Account); err != nil {
		return nil, "", err
	}
	if page.Values, err = p.valuesOf(ctx, page.Payee); err != nil {
		return nil, "", err
	}
	if page.Papers, err = p.papersOf(ctx, page.Payee); err != nil {
		return nil, "", err
	}
	if page.Asked, err = p.erasureOf(ctx, page.Payee); err != nil {
		return nil, "", err
	}
	if session.Has(keepers...) {
		page.Acting = &views.Acting{Person: session.Person(), Token: session.Token(), May: map[string]bool{"keep": true}}
		page.Collections = p.people.Personal.Places()
		if p.people.Archive != nil {
			page.Kinds, page.ID = fund.CitationKinds(), newID()
		}
	}
	return page, "", nil
}

func reasons() []string {
	var words []string
	for _, reason := range dossier.Reasons() {
		words = append(words, string(reason))
	}
	return words
}

// erasureOf is when a payee asked that what is known about it be erased.
func (p *portal) erasureOf(ctx context.Context, payee tape.AccountID) (*tape.Instant, error) {
	open, err := p.people.Personal.Erasures(ctx)
	for _, erasure := range open {
		if erasure.Payee == payee {
			return &erasure.Asked, nil
		}
	}
	return nil, err
}

// valuesOf are the values about a payee, as a page shows them.
func (p *portal) valuesOf(ctx context.Context, payee tape.AccountID) ([]views.PersonalValue, error) {
	found, err := p.people.Personal.Of(ctx, payee)
	var values []views.PersonalValue
	for _, h := range found[payee] {
		value := views.PersonalValue{Class: string(h.Class), Collection: string(h.Collection), Record: string(h.Record), Keeper: h.Keeper, KeepUntil: h.KeepUntil,
			Purge: h.Keeper == p.Organisation && h.KeepUntil <= p.today()}
		fields := reflect.ValueOf(h.Fields)
		for i := range fields.NumField() {
			name, _, _ := strings.Cut(fields.Type().Field(i).Tag.Get("json"), ",")
			if text := fields.Field(i).String(); text != "" && name != "payee" {
				value.Lines = append(value.Lines, views.PersonalLine{Field: name, Text: text})
			}
		}
		values = append(values, value)
	}
	return values, err
}

// papersOf are the documents about a payee, as a page shows them.
func (p *portal) papersOf(ctx context.Context, payee tape.AccountID) ([]views.PersonalPaper, error) {
	found, err := p.people.Personal.Papers(ctx, payee)
	var papers []views.PersonalPaper
	for _, paper := range found {
		papers = append(papers, views.PersonalPaper{ID: paper.ID, Kind: paper.Kind, MediaType: paper.MediaType, Size: int(paper.Size), At: tape.Instant(paper.At.UnixMilli()),
			Cited: paper.Cited, Until: paper.Until, Shred: paper.May(p.today())})
	}
	return papers, err
}

// payTo says on a payout's page whom the money goes to, for those who may read
// it. A giver who gets a gift back is on no list, and nothing is kept about it here.
func (p *portal) payTo(r *http.Request, page views.Origin, payee tape.AccountID) (views.Origin, error) {
	if !p.mayRead(r) || !payee.Outside() {
		return page, nil
	}
	listed, err := p.Model.Payees(r.Context(), readmodel.PayeeFilter{Account: page.Account, Payee: payee}, readmodel.Window{Limit: 1})
	if err != nil || len(listed.Items) == 0 {
		return page, err
	}
	page.PayTo, err = p.valuesOf(r.Context(), payee)
	page.Personal = pathTo("payees", string(page.Account), string(payee), "personal")
	return page, err
}

// keepPersonal keeps what the form says about a payee.
func (p *portal) keepPersonal(r *http.Request, session login.Session) (string, error) {
	if err := roles(session, keepers...); err != nil {
		return "", err
	}
	known, err := p.enrolled(r)
	if err != nil {
		return "", err
	}
	typed := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	entry := personal.Entry{Class: dossier.Class(typed("class")), Collection: dossier.Collection(typed("collection")), KeepUntil: tape.Date(typed("keepUntil")),
		Record: dossier.Pseudonym(typed("record")),
		Fields: dossier.Fields{Account: typed("account"), Address: typed("address"), Bank: typed("bank"), BirthDate: typed("birthDate"), Branch: typed("branch"),
			IDNumber: typed("idNumber"), Name: typed("name"), Payee: known.Payee.Payee, Phone: typed("phone"), Village: typed("village")}}
	kept, err := p.people.Personal.Keep(r.Context(), entry)
	return p.seen(r, known, kept.Block, err)
}

// purgePersonal purges one value about a payee.
func (p *portal) purgePersonal(r *http.Request, session login.Session) (string, error) {
	if err := roles(session, keepers...); err != nil {
		return "", err
	}
	known, err := p.enrolled(r)
	if err != nil {
		return "", err
	}
	block, err := p.people.Personal.Erase(r.Context(), known.Payee.Payee, dossier.Collection(r.PostForm.Get("collection")),
		dossier.Pseudonym(r.PostForm.Get("record")), dossier.Reason(r.PostForm.Get("reason")), p.today())
	return p.seen(r, known, block, err)
}

// keepPaper keeps a document about a payee, which nothing on the ledger cites yet.
func (p *portal) keepPaper(r *http.Request, session login.Session) (string, error) {
	if err := roles(session, keepers...); err != nil {
		return "", err
	}
	known, err := p.enrolled(r)
	if err != nil {
		return "", err
	}
	kind := r.PostForm.Get("kind")
	if !slices.Contains(fund.CitationKinds(), kind) {
		return "", rule.Field("kind", rule.Refuse(rule.Invalid, "is not one of %v", fund.CitationKinds()))
	}
	hash, err := p.documentIn(r, "document", kind, string(known.Payee.Payee))
	if err == nil && hash == "" {
		err = rule.Field("document", rule.Refuse(rule.Invalid, "is missing; choose a file"))
	}
	return p.seen(r, known, 0, err)
}

// shredPaper destroys a document about a payee.
func (p *portal) shredPaper(r *http.Request, session login.Session) (string, error) {
	if err := roles(session, keepers...); err != nil {
		return "", err
	}
	known, err := p.enrolled(r)
	if err != nil {
		return "", err
	}
	err = p.people.Personal.Shred(r.Context(), known.Payee.Payee, r.PostForm.Get("document"), p.today())
	return p.seen(r, known, 0, err)
}

// seen leads back to the values once this gateway has read what was noted.
func (p *portal) seen(r *http.Request, known readmodel.Payee, block uint64, err error) (string, error) {
	if err == nil && block > 0 {
		waiting, cancel := context.WithTimeout(r.Context(), carriedWait)
		defer cancel()
		_ = p.Model.WaitFor(waiting, block) // if the reader is slow, it comes a moment later
	}
	return pathTo("payees", string(known.Account), string(known.Payee.Payee), "personal"), err
}

// askErasure takes the request of a payee who is logged in.
func (p *portal) askErasure(r *http.Request, session login.Session) (string, error) {
	mine, err := p.Model.Payees(r.Context(), readmodel.PayeeFilter{Person: session.Person(), At: tape.Instant(p.Now().UnixMilli()), Account: tape.AccountID(r.PostForm.Get("account"))}, readmodel.Window{Limit: listRows})
	if err != nil {
		return "", err
	}
	for _, payee := range mine.Items {
		if session.Person() != "" && string(payee.Payee.Payee) == r.PostForm.Get("payee") {
			return "/me", p.people.Personal.AskErasure(r.Context(), payee.Account, payee.Payee.Payee, p.today())
		}
	}
	return "", rule.Field("payee", rule.Refuse(rule.Forbidden, "is not you; who is on a list asks for itself"))
}

// myData is what this organisation keeps about who is logged in, without the values.
func (p *portal) myData(ctx context.Context, payees []readmodel.Payee) ([]views.MyData, error) {
	if p.people.Personal == nil {
		return nil, nil
	}
	var mine []views.MyData
	for _, payee := range payees {
		found, err := p.people.Personal.Of(ctx, payee.Payee.Payee)
		if err != nil {
			return nil, err
		}
		own := slices.DeleteFunc(found[payee.Payee.Payee], func(h personal.Holding) bool { return h.Keeper != p.Organisation })
		papers, err := p.people.Personal.Papers(ctx, payee.Payee.Payee)
		if err != nil {
			return nil, err
		}
		if len(own) == 0 && len(papers) == 0 {
			continue
		}
		data := views.MyData{Account: payee.Account, Payee: payee.Payee.Payee, Until: personal.Bound(own, p.today()), Papers: len(papers)}
		for _, h := range own {
			data.Classes = append(data.Classes, string(h.Class))
		}
		if data.Title, err = p.title(ctx, payee.Account); err != nil {
			return nil, err
		}
		if data.Asked, err = p.erasureOf(ctx, payee.Payee.Payee); err != nil {
			return nil, err
		}
		mine = append(mine, data)
	}
	return mine, nil
}

// erasures are the requests to erase as things to do.
func (p *portal) erasures(ctx context.Context, titles map[tape.AccountID]*views.Text) ([]views.WorkItem, error) {
	if p.people.Personal == nil {
		return nil, nil
	}
	open, err := p.people.Personal.Erasures(ctx)
	var rows []views.WorkItem
	for _, e := range open {
		due := tape.Date(time.UnixMilli(int64(e.Asked)).UTC().AddDate(0, 0, erasureDays).Format(time.DateOnly))
		row := views.WorkItem{Kind: "erase", Account: e.Account, ID: string(e.Payee), Due: due, Days: p.today().DaysUntil(due), Title: titles[e.Account],
			Path: pathTo("payees", string(e.Account), string(e.Payee), "personal")}
		if row.Title == nil {
			if row.Title, err = p.title(ctx, e.Account); err != nil {
				return nil, err
			}
		}
		rows = append(rows, row)
	}
	return rows, err
}

// sharing counts with how many others of its campaign a payee shares a bank
// account or a device.
func (p *portal) sharing(ctx context.Context, payee readmodel.Payee) ([]views.Sharing, error) {
	var shared []views.Sharing
	for _, c := range []struct {
		kind, value string
		filter      readmodel.PayeeFilter
	}{{"payee-account", payee.BankAccount, readmodel.PayeeFilter{Account: payee.Account, BankAccount: payee.BankAccount}},
		{"device", payee.Device, readmodel.PayeeFilter{Account: payee.Account, Device: payee.Device}}} {
		if c.value == "" {
			continue
		}
		others, err := p.Model.Payees(ctx, c.filter, readmodel.Window{Limit: listRows})
		if err != nil {
			return nil, err
		}
		shared = append(shared, views.Sharing{Kind: c.kind, Others: len(others.Items) - 1})
	}
	return shared, nil
}
