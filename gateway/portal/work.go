package portal

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/acts"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/portal/words"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/trail"
)

// staff are the roles that see a work list.
var staff = []login.Role{login.Maker, login.Checker, login.Agent, login.Auditor, login.Admin}

// work is what the organisation's staff have to do, what is due first standing first.
func (p *portal) work(r *http.Request) (views.Page, string, error) {
	page := views.Work{Organisation: p.Organisation, Login: true, Demonstration: p.people.Demonstration}
	session := p.session(r)
	if !session.LoggedIn() {
		return page, "", nil
	}
	page.Person, page.Roles, page.Staff, page.Token = session.Person(), roleNames(session), session.Has(staff...), session.Token()
	if !page.Staff {
		return page, "", nil
	}
	for _, act := range acts.Of(acts.Campaign) {
		if act.Apart && act.May(nil, session.Has) {
			page.Apart = append(page.Apart, act.Name)
		}
	}
	items, err := trail.Trail{Model: p.Model, Now: p.Now}.Work(r.Context(), p.Organisation)
	if err != nil {
		return nil, "", err
	}
	titles := map[tape.AccountID]*views.Text{}
	for _, item := range items {
		row, err := p.workItem(r.Context(), session, item, titles)
		if err != nil {
			return nil, "", err
		}
		page.Rows = append(page.Rows, row)
	}
	asked, err := p.erasures(r.Context(), titles)
	page.Rows = append(page.Rows, asked...)
	slices.SortStableFunc(page.Rows, func(a, b views.WorkItem) int { return cmp.Compare(a.Due, b.Due) })
	return page, "", err
}

func roleNames(session login.Session) []string {
	var names []string
	for _, role := range session.Roles() {
		names = append(names, string(role))
	}
	return names
}

func (p *portal) workItem(ctx context.Context, session login.Session, item trail.Work, titles map[tape.AccountID]*views.Text) (views.WorkItem, error) {
	row := views.WorkItem{Kind: string(item.Kind), Account: item.Account, ID: item.ID, Amount: item.Amount, Count: item.Count, Due: item.Due,
		Maker: item.Maker, Reason: item.Reason, Path: workPath(item)}
	title, known := titles[item.Account]
	if !known && item.Account != "" {
		var err error
		if title, err = p.title(ctx, item.Account); err != nil {
			return row, err
		}
		titles[item.Account] = title
	}
	row.Title = title
	row.Days = p.today().DaysUntil(item.Due)
	row.Form = p.workForm(session, item)
	return row, p.offer(ctx, session, item, &row)
}

// offerPay names the payees whom a flag stops, and offers a maker to give up
// what cannot be paid.
func (p *portal) offerPay(ctx context.Context, session login.Session, item trail.Work, row *views.WorkItem) error {
	d, err := p.Model.Disbursement(ctx, item.Account, tape.ID(item.ID))
	if err != nil {
		return err
	}
	stopped, err := p.stopped(ctx, d)
	for _, one := range stopped {
		row.Payees = append(row.Payees, one.Payee)
	}
	if len(stopped) > 0 && session.Has(login.Maker) {
		row.Form = &views.GiftAct{Act: "abandon-disbursement", Path: pathTo("campaigns", string(item.Account)) + "/acts/abandon-disbursement?disbursement=" + url.QueryEscape(item.ID)}
	}
	return err
}

// offer leads from a row to what who is logged in can do about it.
func (p *portal) offer(ctx context.Context, session login.Session, item trail.Work, row *views.WorkItem) error {
	switch item.Kind {
	case trail.WorkFile:
		// Who waits looks at the campaign; the regulator reads the plan and answers it.
		if campaign, err := p.Model.Campaign(ctx, item.Account); err == nil && campaign.Plan.Regulator == p.Organisation {
			row.Path = pathTo("campaigns", string(item.Account), "acts", "accept-filing")
		}
	case trail.WorkApprove:
		row.Kind = "decide"
		if item.Maker == session.Person() {
			row.Kind = "wait" // another person's turn
		}
	case trail.WorkPay:
		return p.offerPay(ctx, session, item, row)
	case trail.WorkPublish:
		row.Reason = trail.Duty(item.Reason)
		if item.Reason != "filing" && session.Has(login.Maker, login.Checker) {
			row.Acting = &views.Acting{Person: session.Person(), Token: session.Token(), May: map[string]bool{"publish": true}}
		}
	}
	return nil
}

// workForms are the acts to whose forms rows lead, and the field that names what a row is about.
var workForms = map[trail.WorkKind]struct{ act, field string }{
	trail.WorkSettle:  {"withdraw-page", "page"}, // what never came is withdrawn
	trail.WorkBank:    {"expire-payout", "hold"}, // once its day has passed
	trail.WorkReclaim: {"reclaim-payouts", "payouts"},
	trail.WorkRestore: {"restore-payout", "hold"},
}

// workForm leads to the form of an act about a row; nil for who may not do it.
func (p *portal) workForm(session login.Session, item trail.Work) *views.GiftAct {
	form, is := workForms[item.Kind]
	act, err := acts.Find(form.act)
	if !is || err != nil || !session.Has(act.Roles...) || item.Kind == trail.WorkBank && item.Due >= p.today() {
		return nil
	}
	return &views.GiftAct{Act: form.act, Path: pathTo("campaigns", string(item.Account), "acts", form.act) + "?" + url.Values{form.field: {item.ID}}.Encode()}
}

// today is the day by which days are counted.
func (p *portal) today() tape.Date { return p.Today() }

// workPath is where a thing is done.
func workPath(item trail.Work) string {
	account := string(item.Account)
	switch item.Kind {
	case trail.WorkApprove, trail.WorkOther, trail.WorkList, trail.WorkOrder, trail.WorkPay:
		return pathTo("disbursements", account, item.ID)
	case trail.WorkBank, trail.WorkDispute, trail.WorkRestore:
		return pathTo("payouts", account, item.ID)
	case trail.WorkFlag:
		return pathTo("payees", account, item.ID)
	case trail.WorkSettle:
		return pathTo("campaigns", account, "gifts") + "?page=" + item.ID
	case trail.WorkWitness:
		return "/persons/" + item.ID
	case trail.WorkUnclaimed:
		return pathTo("accounts", account)
	case trail.WorkOrders, trail.WorkDebits, trail.WorkCredits, trail.WorkReclaim, trail.WorkReceivable:
		return pathTo("campaigns", account, "bank")
	}
	return pathTo("campaigns", account)
}

// mayDecide says what who is logged in may do about a disbursement. The ledger
// has the last word on each.
func (p *portal) mayDecide(r *http.Request, page views.Disbursement) *views.Acting {
	session := p.session(r)
	if !session.LoggedIn() || !session.Has(login.Maker, login.Checker) {
		return nil
	}
	me, own := session.Person(), page.Organisation == p.Organisation
	made := me == page.Maker.Person
	mine := slices.ContainsFunc(page.Approvals, func(a tape.Approval) bool { return a.Person == me })
	may := map[string]bool{}
	switch page.State {
	case readmodel.Proposed:
		may["approve"] = !made && !mine && page.Listed == page.Chunks && session.Has(login.Checker)
		may["reject"] = own && !made
		may["withdraw"] = own && made
		may["list"] = own && page.Listed < page.Chunks && p.people.Proposals.Has(page.Account, page.ID)
		may["order"] = own && len(page.Approvals) > 0
	case readmodel.InPayment:
		may["pay"] = own && page.Ran < page.Chunks
		may["close"] = own && page.Ran == page.Chunks
		may["abandon"] = own && len(page.Stopped) > 0 && session.Has(login.Maker)
	}
	return &views.Acting{Person: me, Token: session.Token(), May: may}
}

// payeeActs lead to what who is logged in may do about a payee.
func (p *portal) payeeActs(r *http.Request, campaign readmodel.Campaign, page views.Payee) []views.GiftAct {
	session := p.session(r)
	if !session.LoggedIn() {
		return nil
	}
	names := []string{"raise-flag", "call-back"}
	if page.Keyed {
		names = append(names, "replace-person")
	}
	if page.Flag != nil && slices.ContainsFunc(page.Flag.Raised, func(f fund.RaisedFlag) bool { return f.Organisation == p.Organisation }) {
		names[0] = "lift-flag"
	}
	var forms []views.GiftAct
	for _, name := range names {
		if act, err := acts.Find(name); err == nil && act.May([]acts.Side{acts.SideOf(campaign.Campaign, "", p.Organisation)}, session.Has) {
			forms = append(forms, views.GiftAct{Act: name, Path: pathTo("campaigns", string(campaign.Account)) + "/acts/" + name + "?payee=" + url.QueryEscape(string(page.Payee))})
		}
	}
	return forms
}

// me is the page of who is logged in: its payouts, and its word on each.
func (p *portal) me(r *http.Request) (views.Page, string, error) {
	ctx, session := r.Context(), p.session(r)
	if !session.LoggedIn() {
		return nil, loginTo(r, "/me"), nil
	}
	page := views.Me{Person: session.Person(), Roles: roleNames(session), Token: session.Token(), Reasons: disputeReasons}
	if page.Person == "" {
		return page, "", nil
	}
	person, err := p.people.Persons.Person(ctx, page.Person)
	if err != nil {
		return nil, "", err
	}
	if key, err := person.InForce(tape.Instant(p.Now().UnixMilli())); err == nil {
		page.Custody, page.Confirms = string(key.Custody), key.Custody.Confirms()
	}
	page.Signings = p.signings(session)
	if page.Households, err = p.myHouseholds(r); err != nil {
		return nil, "", err
	}
	err = p.mine(ctx, &page)
	return page, "", err
}

// mine adds the payouts of a person and of those for whom it may speak, and
// what it and they have consented to.
func (p *portal) mine(ctx context.Context, page *views.Me) error {
	wards, err := p.Model.Persons(ctx, readmodel.PersonFilter{Guardian: page.Person}, readmodel.Window{Limit: listRows})
	if err != nil {
		return err
	}
	everyone := []tape.ID{page.Person}
	for _, ward := range wards.Items {
		if ward.GuardianOn(tape.Instant(p.Now().UnixMilli())) == page.Person {
			page.Wards = append(page.Wards, ward.ID)
		}
	}
	for _, person := range append(everyone, page.Wards...) {
		if err := p.ofPerson(ctx, page, person); err != nil {
			return err
		}
	}
	page.Purposes, page.Abouts, page.Today = party.Purposes(), party.Abouts(), p.today()
	page.Organisations, err = p.members(ctx)
	return err
}

// ofPerson adds what concerns one person.
func (p *portal) ofPerson(ctx context.Context, page *views.Me, person tape.ID) error {
	list, err := p.Model.Payees(ctx, readmodel.PayeeFilter{Person: person, At: tape.Instant(p.Now().UnixMilli())}, readmodel.Window{Limit: listRows})
	if err != nil {
		return err
	}
	page.Enrolled += len(list.Items)
	for _, payee := range list.Items {
		mine, err := p.myPayouts(ctx, payee, page.Confirms)
		if err != nil {
			return err
		}
		for i := range mine {
			if person != page.Person {
				mine[i].For = person
			}
		}
		page.Payouts = append(page.Payouts, mine...)
	}
	data, err := p.myData(ctx, list.Items)
	if err != nil {
		return err
	}
	page.Data = append(page.Data, data...)
	consents, err := p.Model.Records(ctx, "consent/"+string(person)+"/", readmodel.Window{Limit: listRows})
	if err != nil {
		return err
	}
	for _, record := range consents.Items {
		var consent party.Consent
		if err := json.Unmarshal(record.Value, &consent); err != nil {
			return err
		}
		page.Consents = append(page.Consents, consent)
	}
	return nil
}

// members are the organisations of the ledger.
func (p *portal) members(ctx context.Context) ([]string, error) {
	organisations, err := recordOf[party.Organisations](ctx, p.Model, party.OrganisationsKey())
	if err != nil || organisations == nil {
		return nil, err
	}
	return organisations.Names, nil
}

// signings are the last ones that the gateway made for who is logged in.
func (p *portal) signings(session login.Session) []views.Signing {
	if p.people.Journal == nil {
		return nil
	}
	var rows []views.Signing
	for _, s := range p.people.Journal.Signings(session, listRows) {
		row := views.Signing{At: s.At, Action: s.Action, Subject: s.Subject, Amount: s.Amount, By: s.By, Deadline: s.Deadline}
		if slices.Contains(words.Keys["kind."], s.Action) {
			row.Kind = s.Action
		}
		rows = append(rows, row)
	}
	return rows
}

// disputeReasons are what a receiver can say against a payout.
var disputeReasons = []string{"not-arrived", "less-arrived", "late", "not-asked-for", "taken-from-me"}

func (p *portal) myPayouts(ctx context.Context, payee readmodel.Payee, confirms bool) ([]views.MyPayout, error) {
	list, err := p.Model.Payouts(ctx, readmodel.PayoutFilter{Account: payee.Account, Payee: payee.Payee.Payee}, readmodel.Window{Limit: listRows, Newest: true})
	if err != nil {
		return nil, err
	}
	rows, err := p.payoutRows(ctx, holdsOf(list.Items))
	if err != nil {
		return nil, err
	}
	title, err := p.title(ctx, payee.Account)
	var mine []views.MyPayout
	for i, row := range rows {
		said := list.Items[i].Confirmation
		arrived := said != nil && said.Outcome == fund.Arrived && said.Amount == row.Paid
		mine = append(mine, views.MyPayout{PayoutRow: row, Title: title, MayConfirm: row.Paid.Units > 0 && !arrived && confirms,
			MayDispute: said == nil || said.Outcome != fund.Disputed})
	}
	return mine, err
}

// proposing shows the form of a proposal.
func (p *portal) proposing(r *http.Request) (views.Page, string, error) {
	ctx, session := r.Context(), p.session(r)
	account, err := accountIn(r)
	if err != nil {
		return nil, "", err
	}
	if !session.LoggedIn() {
		return nil, loginTo(r, r.URL.Path), nil
	}
	campaign, err := p.Model.Campaign(ctx, account)
	if err != nil {
		return nil, "", err
	}
	if campaign.Organisation != p.Organisation || !session.Has(login.Maker) {
		return nil, "", rule.Refuse(rule.Forbidden, "a maker of %s proposes disbursements of %s", campaign.Organisation, account)
	}
	stands, err := p.Model.Account(ctx, account)
	if err != nil {
		return nil, "", err
	}
	page := views.Propose{Account: account, Free: stands.Free, ID: newID(), Acting: &views.Acting{Person: session.Person(), Token: session.Token()}}
	if page.Title, err = p.title(ctx, account); err != nil {
		return nil, "", err
	}
	if page.Lines, err = p.choices(ctx, campaign); err != nil {
		return nil, "", err
	}
	page.Rows = upTo(formRows)
	if p.people.Archive != nil {
		page.Documents = upTo(documentRows)
	}
	payees, err := p.Model.Payees(ctx, readmodel.PayeeFilter{Account: account}, readmodel.Window{Limit: payeesOffered})
	for _, payee := range payees.Items {
		page.Payees = append(page.Payees, payee.Payee.Payee)
	}
	return page, "", err
}

// upTo counts from 1.
func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i + 1
	}
	return all
}

// choices are the budget lines with what is left on each.
func (p *portal) choices(ctx context.Context, campaign readmodel.Campaign) ([]views.BudgetChoice, error) {
	budget, err := recordOf[fund.Budget](ctx, p.Model, fund.BudgetKey(campaign.Account))
	if err != nil {
		return nil, err
	}
	if budget == nil {
		budget = &fund.Budget{}
	}
	var choices []views.BudgetChoice
	for _, line := range campaign.Plan.Lines {
		choices = append(choices, views.BudgetChoice{ID: line.ID, Title: trail.Text(line.Title), Left: budget.Left(line)})
	}
	return choices, nil
}

// What the form of a proposal offers, and how long its orders are good.
const (
	formRows      = 20
	payeesOffered = 500
	orderDays     = 60
)

// expiry of a proposal is the end of a day, so that one form says the same all day.
func (p *portal) expiry() tape.Instant {
	return tape.Instant(p.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, orderDays).UnixMilli())
}
