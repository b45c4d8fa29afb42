package portal

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/acts"
	"github.com/lianbao/lianbao/gateway/cooperative"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/signing"
)

// known is what a page knows of the fields of the acts that stand on it.
type known map[string]string

func (k known) with(name, value string) known {
	more := maps.Clone(k)
	if more == nil {
		more = known{}
	}
	more[name] = value
	return more
}

// actor is who is logged in, as acts about an account see it.
type actor struct {
	session login.Session
	asker   acts.Asker
	account tape.AccountID
	sides   []acts.Side
	// own are the households of the account for which it signs.
	own []tape.AccountID
}

func (p *portal) actor(r *http.Request, subject acts.Subject, account tape.AccountID) (actor, error) {
	session := p.session(r)
	a := actor{session: session, account: account}
	if session.Person() == "" {
		return a, nil
	}
	a.asker = p.asker(session)
	var err error
	if a.sides, err = acts.SidesOf(r.Context(), subject, a.asker, account); err == nil && subject == acts.Scheme && account != "" {
		a.own, err = p.mineIn(r, account)
	}
	return a, err
}

// may reports whether an act is the actor's to begin: by its role at this
// organisation, or for its own household.
func (a actor) may(act acts.Act) bool {
	return act.May(a.sides, a.session.Has) || a.alone(act)
}

// alone reports whether an actor without a role can sign an act by itself.
func (a actor) alone(act acts.Act) bool {
	return len(a.own) > 0 && slices.Contains(act.Sides, acts.Household) && slices.Contains(signing.Alone(), act.Function) && !a.session.Has(login.Maker, login.Checker, login.Agent)
}

// newActID names what a form will bring about. What households sign has ids that
// nobody who prepares something else for the staff can need.
func newActID(act acts.Act) string {
	if word, own := signing.OwnWord(act.Function); own {
		return string(signing.OwnID(word))
	}
	return string(acts.NewID(act.Name))
}

// awaited are the acts by which a household answers somebody else.
var awaited = []string{"sign-group", "guarantee-loan", "contract-loan", "confirm-delivery"}

// place is a page of a scheme with what is known there; orders are those of its loan.
type place struct {
	page   acts.Place
	known  known
	orders []loan.Order
}

// offers fills what who is logged in can begin on a page, or on several that have
// no page of their own yet.
func (p *portal) offers(r *http.Request, frame *views.Scheme, places ...place) error {
	if p.people == nil {
		return nil
	}
	a, err := p.actor(r, acts.Scheme, frame.Account)
	if err != nil || a.session.Person() == "" || len(a.sides) == 0 {
		return err
	}
	for _, at := range places {
		for _, act := range acts.Of(acts.Scheme) {
			if act.Apart || !act.Stands(at.page) || !a.may(act) {
				continue
			}
			asks, err := p.asksFor(r.Context(), a, act, at)
			if err != nil {
				return err
			}
			for _, ask := range asks {
				frame.Add(act.Family(), ask, a.alone(act), slices.Contains(awaited, act.Name))
			}
		}
	}
	return nil
}

// asksFor leads to the form of an act where the contract would let it be begun:
// once for most, once for each order or household of the reader's where it is about those.
func (p *portal) asksFor(ctx context.Context, a actor, act acts.Act, at place) ([]views.Ask, error) {
	k := at.known
	variants, about := []known{k}, ""
	switch {
	case act.Of == "order":
		variants, about = nil, "order"
		for _, order := range at.orders {
			variants = append(variants, k.with("order", string(order.ID)))
		}
	case act.Of == "sale":
		about = "sale"
	}
	if a.alone(act) && has(act, "household") && k["household"] == "" {
		variants = nil
		for _, own := range a.own {
			variants = append(variants, k.with("household", string(own)))
		}
	}
	var asks []views.Ask
	for _, variant := range variants {
		offered, err := p.offered(ctx, a, act, variant)
		if err != nil {
			return nil, err
		}
		if offered {
			asks = append(asks, views.Ask{Act: act.Name, Path: formPath(act, a.account, variant), About: variant[about]})
		}
	}
	return asks, nil
}

func has(act acts.Act, field string) bool {
	return slices.ContainsFunc(act.Fields, func(f acts.Field) bool { return f.Name == field })
}

// offered asks the contract about an act, for each of those whom it could be about.
func (p *portal) offered(ctx context.Context, a actor, act acts.Act, k known) (bool, error) {
	samples, each, err := p.samples(ctx, a.account, act, k)
	if err != nil {
		return false, err
	}
	for _, one := range each {
		if offered, err := act.Offered(ctx, a.asker, a.account, one, samples); err != nil || offered {
			return offered, err
		}
	}
	return false, nil
}

// samples are things of a scheme that could stand in an act's fields, empty where
// it has none. Where an act is about one of few households, each is tried.
func (p *portal) samples(ctx context.Context, account tape.AccountID, act acts.Act, k known) (samples known, each []known, err error) {
	samples, each = known{}, []known{k}
	for _, field := range act.Fields {
		if k[field.Name] != "" {
			continue
		}
		options, err := p.options(ctx, account, act, field.Name, k)
		if err != nil {
			return nil, nil, err
		}
		if options == nil {
			continue
		}
		samples[field.Name] = strings.Join(options[:min(1, len(options))], "")
		if field.Name == "household" || field.Name == "guarantor" {
			each = nil
			for _, option := range options {
				each = append(each, k.with(field.Name, option))
			}
		}
	}
	return samples, each, p.fromStore(ctx, account, act, k, samples)
}

// newcomers are acts about a household, a product or a lot that does not stand yet.
var newcomers = map[string]string{"admit": "household", "offer-product": "product", "process": "lot"}

// fromStore adds samples of what a scheme has many of.
func (p *portal) fromStore(ctx context.Context, account tape.AccountID, act acts.Act, k, samples known) error {
	for _, one := range []struct{ field, key string }{{"household", "member"}, {"lot", "lot"}, {"lots", "lot"}, {"step", "step"}} {
		if _, given := samples[one.field]; given || k[one.field] != "" || !has(act, one.field) && !hasColumn(act, one.field) || newcomers[act.Name] == one.field {
			continue
		}
		prefix := one.key + "/" + string(account) + "/"
		found, err := p.Model.Records(ctx, prefix, readmodel.Window{Limit: 1})
		if err != nil {
			return err
		}
		samples[one.field] = ""
		for _, record := range found.Items {
			samples[one.field] = strings.TrimPrefix(record.Key, prefix)
		}
	}
	return nil
}

func hasColumn(act acts.Act, column string) bool {
	return slices.ContainsFunc(act.Fields, func(f acts.Field) bool {
		return slices.ContainsFunc(f.Columns, func(c acts.Field) bool { return c.Name == column })
	})
}

// options are what can be chosen for a field, empty where there is nothing, nil
// where that is not known.
func (p *portal) options(ctx context.Context, account tape.AccountID, act acts.Act, field string, k known) ([]string, error) {
	var found []string
	var err error
	switch {
	case field == "household" && k["group"] != "" && act.Name != "refill": // who is taken in is not in it
		found, err = p.membersOf(ctx, account, tape.ID(k["group"]))
	case field == "product" && newcomers[act.Name] != "product":
		found, err = p.namesUnder(ctx, loan.OfferKey(account, ""))
	case field == "supplier" && act.Name != "name-supplier":
		found, err = p.namesUnder(ctx, group.SupplierKey(account, ""))
	case field == "loan" && k["household"] != "":
		found, err = p.loansOf(ctx, account, tape.AccountID(k["household"]))
	case field == "group" && k["household"] != "":
		found, err = p.groupOfHousehold(ctx, account, tape.AccountID(k["household"]))
	case k["loan"] != "":
		return p.optionsOfLoan(ctx, account, act, field, tape.ID(k["loan"]))
	default:
		return nil, nil
	}
	return append([]string{}, found...), err
}

// loanOptions are what can be chosen about a loan, by the fields of acts.
var loanOptions = map[string]func(acts.Act, cooperative.Loan) []string{
	"household": guarantorsIn, "guarantor": guarantorsIn, "payer": guarantorsIn, "by": guarantorsIn,
	"receiver": func(act acts.Act, shown cooperative.Loan) []string {
		if act.Name != "repay-loan" {
			return guarantorsIn(act, shown)
		}
		return lendersIn(shown)
	},
	"category": func(_ acts.Act, shown cooperative.Loan) []string { return shown.Record.Supplies },
	"tranche":  func(_ acts.Act, shown cooperative.Loan) []string { return unpaidIn(shown) },
	"instalment": func(_ acts.Act, shown cooperative.Loan) []string {
		var late []string
		for _, instalment := range shown.Schedule {
			if instalment.State == "overdue" {
				late = append(late, strconv.Itoa(int(instalment.N)))
			}
		}
		return late
	},
	"payee": func(_ acts.Act, shown cooperative.Loan) []string { return payeesIn(shown) },
}

func guarantorsIn(_ acts.Act, shown cooperative.Loan) []string {
	var households []string
	for _, guarantor := range shown.Record.Guarantors {
		households = append(households, string(guarantor.Household))
	}
	return households
}

// lendersIn are the accounts to which a loan is repaid, of which something is owed.
func lendersIn(shown cooperative.Loan) []string {
	var accounts []string
	for i := 0; shown.Owed != nil && i < len(shown.Record.Lenders); i++ {
		accounts = append(accounts, string(shown.Record.Lenders[i].Account))
	}
	return accounts
}

// unpaidIn are the tranches that no line of the bank has shown.
func unpaidIn(shown cooperative.Loan) []string {
	var tranches []string
	for i, tranche := range shown.Record.Tranches {
		if tranche.Paid == "" && !tranche.Cancelled {
			tranches = append(tranches, strconv.Itoa(i+1))
		}
	}
	return tranches
}

// payeesIn are whom a loan is paid to: its household, or those from whom it ordered.
func payeesIn(shown cooperative.Loan) []string {
	if len(shown.Record.Supplies) == 0 {
		return []string{string(settlement.Outside(shown.Record.Household))}
	}
	var suppliers []string
	for _, order := range shown.Orders {
		suppliers = append(suppliers, string(order.Supplier))
	}
	slices.Sort(suppliers)
	return slices.Compact(suppliers)
}

func (p *portal) optionsOfLoan(ctx context.Context, account tape.AccountID, act acts.Act, field string, id tape.ID) ([]string, error) {
	of := loanOptions[field]
	if of == nil && field != "days" || field == "tranche" && act.Name != "book-tranche" {
		return nil, nil
	}
	shown, err := cooperative.LoanOf(ctx, p.Model, account, id, p.Today())
	if err != nil {
		return absent(nil, err)
	}
	if field == "days" {
		return p.noticeDays(ctx, account, shown.Record.SchemeVersion)
	}
	return append([]string{}, of(act, shown)...), nil
}

// noticeDays are the days past due on which a scheme tells who is late.
func (p *portal) noticeDays(ctx context.Context, account tape.AccountID, version int32) ([]string, error) {
	now, err := readmodel.RecordOf[group.Terms](ctx, p.Model, group.TermsKey(account, version))
	var days []string
	for _, n := range now.Terms.NoticeDays {
		days = append(days, strconv.Itoa(int(n)))
	}
	return absent(days, err)
}

// namesUnder are the last parts of the keys of records, the first of them.
func (p *portal) namesUnder(ctx context.Context, prefix string) ([]string, error) {
	found, err := p.Model.Records(ctx, prefix, readmodel.Window{Limit: listRows})
	var names []string
	for _, record := range found.Items {
		names = append(names, strings.TrimPrefix(record.Key, prefix))
	}
	return names, err
}

// absent is nothing where something does not exist, and what else went wrong.
func absent(options []string, err error) ([]string, error) {
	if rule.Is(err, rule.NotFound) {
		return nil, nil
	}
	return options, err
}

func (p *portal) membersOf(ctx context.Context, account tape.AccountID, id tape.ID) ([]string, error) {
	g, err := readmodel.RecordOf[group.Group](ctx, p.Model, group.GroupKey(account, id))
	var households []string
	for _, member := range g.Members {
		if member.Gone == "" {
			households = append(households, string(member.Household))
		}
	}
	if g.Joining != nil {
		households = append(households, string(g.Joining.Household))
	}
	return absent(households, err)
}

// loansOf are those loans of a household that are not over.
func (p *portal) loansOf(ctx context.Context, account, household tape.AccountID) ([]string, error) {
	if household == "" {
		return nil, nil
	}
	found, err := p.Model.Loans(ctx, readmodel.LoanFilter{Scheme: account, Household: household, Outstanding: true}, readmodel.Window{Limit: listRows})
	var loans []string
	for _, l := range found.Items {
		loans = append(loans, string(l.ID))
	}
	return loans, err
}

func (p *portal) groupOfHousehold(ctx context.Context, account, household tape.AccountID) ([]string, error) {
	if household == "" {
		return nil, nil
	}
	member, err := readmodel.RecordOf[group.Member](ctx, p.Model, group.MemberKey(account, household))
	if err != nil {
		return absent(nil, err)
	}
	standing, err := readmodel.RecordOf[group.Standing](ctx, p.Model, group.StandingKey(member.Fingerprint))
	if err != nil || standing.Group == nil || standing.Group.Scheme != account {
		return absent(nil, err)
	}
	return []string{string(standing.Group.Group)}, nil
}

// awaits are the places where somebody waits for a household's word: groups that
// are to be signed, loans that it guarantees or borrows and that are not running.
func (p *portal) awaits(ctx context.Context, account, household tape.AccountID) ([]place, error) {
	var places []place
	groups, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[group.Group], error) {
		return readmodel.RecordsOf[group.Group](ctx, p.Model, "group/"+string(account)+"/", w)
	})
	for _, g := range groups {
		signs := g.State == group.Draft || g.State == group.Signing || g.Joining != nil
		in := slices.ContainsFunc(g.Members, func(m group.GroupMember) bool { return m.Household == household && m.Gone == "" }) || g.Joining != nil && g.Joining.Household == household
		if signs && in {
			places = append(places, place{page: acts.GroupPage, known: known{"group": string(g.ID)}})
		}
	}
	if err != nil {
		return nil, err
	}
	for _, filter := range []readmodel.LoanFilter{{Scheme: account, Guarantor: household, State: loan.Applied}, {Scheme: account, Household: household, State: loan.Approved}} {
		found, err := p.Model.Loans(ctx, filter, readmodel.Window{Limit: listRows})
		if err != nil {
			return nil, err
		}
		for _, l := range found.Items {
			places = append(places, place{page: acts.LoanPage, known: known{"loan": string(l.ID)}})
		}
	}
	return places, nil
}

// unsettled are the sales of a scheme that have no page of their own yet.
func (p *portal) unsettled(ctx context.Context, account tape.AccountID) ([]place, error) {
	sales, err := kept[harvest.Sale](ctx, p.Model, "sale/"+string(account)+"/")
	var places []place
	for _, sale := range sales {
		if sale.State == harvest.SaleOpen {
			places = append(places, place{page: acts.SalePage, known: known{"sale": string(sale.ID)}})
		}
	}
	return places, err
}

// formPath is the address of an act's form, with what is known of its fields.
func formPath(act acts.Act, account tape.AccountID, k known) string {
	query := url.Values{}
	for name, value := range k {
		if has(act, name) {
			query.Set(name, value)
		}
	}
	path := "/acts/" + act.Name
	if account != "" {
		path = pathTo(subjectPages[act.Subject], string(account)) + path
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path
}

// subjectPages are where the pages of accounts begin.
var subjectPages = map[acts.Subject]string{acts.Campaign: "campaigns", acts.Scheme: "cooperatives", acts.Pool: "pools"}

// schemePath is the page of a scheme on which the outcome of an act stands.
func schemePath(account string, field func(string) string) string {
	for _, one := range []struct{ name, page string }{{"loan", "loans"}, {"group", "groups"}, {"sale", "settlements"}, {"household", "households"}} {
		if value := field(one.name); value != "" {
			return pathTo("cooperatives", account, one.page, value)
		}
	}
	return pathTo("cooperatives", account)
}
