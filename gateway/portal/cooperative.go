package portal

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
	"github.com/lianbao/lianbao/gateway/acts"
	"github.com/lianbao/lianbao/gateway/cooperative"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// The pages of a cooperative's loans. The public sees sums and classes; a single
// household is shown to itself, to who guarantees with it, and to the staff of
// its cooperative, its lenders and the regulators.

// cooperativeRoutes are those that everybody may ask for; who may not see what they show is refused.
func (p *portal) cooperativeRoutes() {
	for pattern, load := range map[string]load{
		"/cooperatives": p.schemes,
		"/cooperatives/{account}/settlements/{sale}":     p.settlement,
		"/cooperatives/{account}/households/{household}": p.household,
		"/cooperatives/{account}/groups/{group}":         p.group,
		"/cooperatives/{account}/loans/{loan}":           p.loan,
		"/cooperatives/{account}/arrears":                p.arrears,
		"/cooperatives/{account}/agents":                 p.agents,
		"/cooperatives/{account}/agents/{person}":        p.agent,
		"/lenders/{organisation}":                        p.lender,
		"/pools/{account}":                               p.pool,
	} {
		p.routes.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { p.answer(w, r, load) })
	}
	p.routes.HandleFunc("/cooperatives/{account}", func(w http.ResponseWriter, r *http.Request) { p.everybodys(w, r, p.cooperative) })
}

// Days and rows of these pages.
const (
	duesDays    = 90
	salesShown  = 10
	lastSaleMax = 1000 // households of a sale whose sums are shown on the cooperative's page
)

// admitted reports whether who reads is staff of an organisation that may read it;
// may is the answer of gateway/cooperative, which alone knows who reads what.
func (p *portal) admitted(r *http.Request, may error) (bool, error) {
	if rule.Is(may, rule.Forbidden) {
		return false, nil
	}
	return may == nil && p.session(r).Has(readers...), may
}

// inScheme is the scheme that an address names, and what the reader may see of it.
func (p *portal) inScheme(r *http.Request) (views.Scheme, error) {
	account, err := accountIn(r)
	if err != nil {
		return views.Scheme{}, err
	}
	s, err := readmodel.RecordOf[group.Scheme](r.Context(), p.Model, group.SchemeKey(account))
	if err != nil {
		return views.Scheme{}, err
	}
	return p.frameOf(r, s)
}

func (p *portal) frameOf(r *http.Request, s group.Scheme) (views.Scheme, error) {
	staff, err := p.admitted(r, cooperative.MayRead(r.Context(), p.Model, p.Organisation, s.Account))
	return views.Scheme{Account: s.Account, Organisation: s.Organisation, Lenders: s.Lenders, Day: p.Today(), Staff: staff}, err
}

// forStaff is inScheme of a page that only staff see; a stranger is asked to log in.
func (p *portal) forStaff(r *http.Request) (scheme views.Scheme, redirect string, err error) {
	if p.people != nil && !p.session(r).LoggedIn() {
		return scheme, loginTo(r, r.URL.Path), nil
	}
	if scheme, err = p.inScheme(r); err == nil && !scheme.Staff {
		err = rule.Refuse(rule.Forbidden, "this page is shown to the staff of the cooperative, its lenders and the regulator")
	}
	return scheme, "", err
}

func (p *portal) schemes(r *http.Request) (views.Page, string, error) {
	ctx := r.Context()
	all, err := cooperative.Schemes(ctx, p.Model, "")
	if err != nil {
		return nil, "", err
	}
	page := views.Schemes{}
	for _, s := range all {
		frame, err := p.frameOf(r, s.Scheme)
		if err != nil {
			return nil, "", err
		}
		portfolio, err := p.portfolioOf(ctx, cooperative.Asked{Scheme: s.Account, Day: frame.Day}, s.Currency, "")
		if err != nil {
			return nil, "", err
		}
		page.Rows = append(page.Rows, views.SchemeRow{Scheme: frame, Outstanding: portfolio.Outstanding, Loans: portfolio.Loans})
	}
	pools, err := cooperative.Pools(ctx, p.Model)
	if err != nil {
		return nil, "", err
	}
	for _, pool := range pools {
		page.Pools = append(page.Pools, pool.Account)
	}
	if page.Quarters, err = p.admitted(r, cooperative.MaySupervise(ctx, p.Model, p.Organisation)); err == nil {
		err = p.openings(r, &page)
	}
	return page, "", err
}

// openings are the acts by which something of a cooperative's lending begins.
func (p *portal) openings(r *http.Request, page *views.Schemes) error {
	if p.people == nil {
		return nil
	}
	for _, subject := range []acts.Subject{acts.Scheme, acts.Pool} {
		a, err := p.actor(r, subject, "")
		if err != nil || a.session.Person() == "" {
			return err
		}
		for _, act := range acts.Of(subject) {
			if act.Apart && a.may(act) {
				page.Add(act.Family(), views.Ask{Act: act.Name, Path: formPath(act, "", nil)})
			}
		}
	}
	return nil
}

// portfolioOf is a portfolio's sums in one currency; rows is where its loans are listed.
func (p *portal) portfolioOf(ctx context.Context, asked cooperative.Asked, currency money.Currency, rows string) (views.Portfolio, error) {
	found, err := cooperative.PortfolioOf(ctx, p.Model, asked)
	if err != nil {
		return views.Portfolio{}, err
	}
	return portfolioIn(found, currency, rows), nil
}

func portfolioIn(found cooperative.Portfolio, currency money.Currency, rows string) views.Portfolio {
	for _, sums := range found.Currencies {
		if sums.Currency == currency {
			return portfolio(sums, rows)
		}
	}
	zero := money.New(0, currency)
	return views.Portfolio{Outstanding: zero, Overdue: zero, Figures: []views.Sum{{Key: "outstanding", Amount: zero, BasisPoints: -1}}}
}

func portfolio(s cooperative.Sums, rows string) views.Portfolio {
	of := func(key string, amount money.Amount, basisPoints int) views.Sum {
		return views.Sum{Key: key, Amount: amount, BasisPoints: basisPoints, Rows: rows}
	}
	share := func(amount money.Amount) int { return basisPointsOf(amount, s.Gross) }
	page := views.Portfolio{Loans: s.Loans, Households: s.Households, Outstanding: s.Gross, Overdue: s.Overdue}
	page.Figures = []views.Sum{of("outstanding", s.Gross, -1), of("overdue", s.Overdue, -1)}
	for _, risk := range s.AtRisk {
		sum := of("par"+strconv.Itoa(int(risk.Days)), risk.Amount, int(risk.PartsPerMillion/partsPerBasisPoint))
		page.Figures = append(page.Figures, sum)
		switch sum.Key {
		case "par30":
			page.AtRisk30 = sum
		case "par90":
			page.AtRisk90 = sum
		}
	}
	page.Figures = append(page.Figures, of("nonperforming", s.NonPerforming, share(s.NonPerforming)))
	if s.WrittenOff.Units > 0 {
		page.Figures = append(page.Figures, of("written-off", s.WrittenOff, -1))
	}
	tones := map[string]string{"standard": "done", "special-mention": "waits"}
	for _, class := range s.ByClass {
		page.Classes = append(page.Classes, views.ClassRow{Class: class.Class, Loans: int(class.Loans), Amount: class.Amount, BasisPoints: share(class.Amount)})
		page.Bars = append(page.Bars, views.Bar{Key: class.Class, Amount: class.Amount, Tone: cmp.Or(tones[class.Class], "failed"), Rows: rows})
	}
	return page
}

// basisPointsOf is a share, rounded down; 0 of nothing.
func basisPointsOf(part, whole money.Amount) int {
	if whole.Units == 0 {
		return 0
	}
	units, _ := money.Portion(10_000, part.Units, whole.Units)
	return int(units)
}

func (p *portal) cooperative(r *http.Request) (views.Page, string, error) {
	ctx := r.Context()
	frame, err := p.inScheme(r)
	if err != nil {
		return nil, "", err
	}
	s, err := cooperative.SchemeOf(ctx, p.Model, frame.Account)
	if err != nil {
		return nil, "", err
	}
	page := views.Cooperative{Scheme: frame, States: statesOf(s)}
	rows := ""
	if frame.Staff {
		rows = pathTo("cooperatives", string(frame.Account), "arrears")
	}
	found, err := cooperative.PortfolioOf(ctx, p.Model, cooperative.Asked{Scheme: frame.Account, Day: frame.Day, NextDays: duesDays})
	if err != nil {
		return nil, "", err
	}
	page.Portfolio, page.Dues = portfolioIn(found, s.Currency, rows), duesOf(found.Next)
	if page.Portfolio.Figures[0].Proof, err = p.proofOf(ctx, frame.Account, asked{kinds: lentKinds}); err != nil {
		return nil, "", err
	}
	if frame.Staff {
		if page.Groups, page.Next, err = p.groupRows(ctx, frame, window(r, listRows, false)); err != nil {
			return nil, "", err
		}
	}
	if page.Sales, page.Last, err = p.sales(ctx, frame); err != nil {
		return nil, "", err
	}
	return page, "", p.offersOfScheme(r, &page.Scheme)
}

// offersOfScheme are what can be begun in a scheme, and about its sales that are not settled.
func (p *portal) offersOfScheme(r *http.Request, frame *views.Scheme) error {
	places := []place{{page: acts.SchemePage}}
	if frame.Staff {
		unsettled, err := p.unsettled(r.Context(), frame.Account)
		if err != nil {
			return err
		}
		places = append(places, unsettled...)
	}
	return p.offers(r, frame, places...)
}

// statesOf are how many groups of a scheme are in which state.
func statesOf(s cooperative.Scheme) []views.StateCount {
	var states []views.StateCount
	for _, counted := range s.Groups {
		states = append(states, views.StateCount{State: counted.Of, Groups: counted.Count})
	}
	return states
}

// lentKinds are the entries that make what is lent, lentLess what lowers it.
var lentKinds = []string{"book-tranche", "repay-loan", "settle-households"}

// duesOf are what falls due, day by day.
func duesOf(coming []cooperative.Coming) []views.DueDay {
	var days []views.DueDay
	for _, due := range coming {
		last := len(days) - 1
		if last < 0 || days[last].Date != due.Date || days[last].Amount.Currency != due.Amount.Currency {
			days, last = append(days, views.DueDay{Date: due.Date, Amount: money.New(0, due.Amount.Currency)}), last+1
		}
		days[last].Count++
		days[last].Amount.Units += due.Amount.Units
	}
	return days
}

func (p *portal) groupRows(ctx context.Context, frame views.Scheme, part readmodel.Window) ([]views.GroupRow, string, error) {
	found, err := cooperative.Groups(ctx, p.Model, frame.Account, frame.Day, part)
	var rows []views.GroupRow
	for _, g := range found.Items {
		rows = append(rows, groupRow(g))
	}
	return rows, found.Next, err
}

func groupRow(g cooperative.Group) views.GroupRow {
	row := views.GroupRow{ID: g.ID, State: string(g.State), Owed: g.Exposure, DaysPastDue: int(g.DaysPastDue), Until: g.Agreement.Expiry, Loans: len(g.Loans)}
	for _, member := range g.Members {
		if member.Gone == "" {
			row.Households++
		}
	}
	return row
}

// sales are the settlements of a scheme, the last first, and what became of the last one.
func (p *portal) sales(ctx context.Context, frame views.Scheme) (rows []views.SaleRow, last []views.Bar, err error) {
	all, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[settlement.Settlement], error) {
		return cooperative.Settlements(ctx, p.Model, frame.Account, w)
	})
	slices.SortStableFunc(all, func(a, b settlement.Settlement) int { return cmp.Compare(b.At, a.At) })
	for _, s := range all[:min(len(all), salesShown)] {
		rows = append(rows, views.SaleRow{Sale: s.Sale, State: string(s.State), Date: s.Terms.Day, Proceeds: s.Distribution.Proceeds, Net: s.Distribution.Net, Grams: s.Distribution.Weight})
	}
	if err != nil || len(all) == 0 {
		return rows, nil, err
	}
	one, err := p.soldUpTo(ctx, frame.Account, all[0].Sale)
	if err != nil || one == nil {
		return rows, nil, err
	}
	return rows, saleBars(*one, pathTo("cooperatives", string(frame.Account), "settlements", string(one.Sale.ID))), nil
}

// soldUpTo is a settlement with its sums, nil for one of so many households that reading them takes its time.
func (p *portal) soldUpTo(ctx context.Context, scheme tape.AccountID, sale tape.ID) (*cooperative.Settlement, error) {
	sold, err := p.saleOf(ctx, scheme, sale)
	if err != nil || sold.Composition.Households > lastSaleMax {
		return nil, err
	}
	one, err := cooperative.SettlementOf(ctx, p.Model, scheme, sale)
	return &one, err
}

// tones of what a settlement pays.
var saleTones = map[string]string{string(waterfall.Overdue): "failed", cooperative.Rest: "done", cooperative.Waiting: ""}

// saleBars are the steps from what a sale brought to what was paid out.
func saleBars(s cooperative.Settlement, rows string) []views.Bar {
	bars := []views.Bar{{Key: "proceeds", Amount: s.Sale.Proceeds}}
	before := int64(0)
	for _, sum := range s.Sums {
		tone, known := saleTones[sum.Kind]
		if !known {
			tone = "waits"
		}
		bars = append(bars, views.Bar{Key: sum.Kind, Amount: sum.Amount, From: before, Tone: tone, Rows: rows})
		before += sum.Amount.Units
	}
	return bars
}
