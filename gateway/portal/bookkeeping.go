package portal

import (
	"net/http"

	"github.com/lianbao/lianbao/chaincode/bookkeeping"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/cooperative"
	"github.com/lianbao/lianbao/gateway/portal/views"
)

// The bookkeeper's pages: months, notices to print, statements; and a regulator's quarter.

func (p *portal) bookkeepingRoutes() {
	for pattern, load := range map[string]load{
		"/organisations/{organisation}/months":                            p.months,
		"/organisations/{organisation}/months/{month}":                    p.month,
		"/organisations/{organisation}/months/{month}/accounts/{account}": p.monthAccount,
		"/cooperatives/{account}/letters":                                 p.letters,
		"/cooperatives/{account}/flags":                                   p.flags,
		"/cooperatives/{account}/households/{household}/statement":        p.householdStatement,
		"/quarters":           p.quarter,
		"/quarters/{quarter}": p.quarter,
	} {
		p.routes.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { p.answer(w, r, load) })
	}
}

// Days, quarters and rows of these pages.
const (
	letterDays    = 7
	flagDays      = 90
	quartersShown = 8
	postingsMost  = 1000
)

// booksOf is whose books an address names; a stranger is asked to log in.
func (p *portal) booksOf(r *http.Request) (organisation, redirect string, err error) {
	if p.people != nil && !p.session(r).LoggedIn() {
		return "", loginTo(r, r.URL.Path), nil
	}
	organisation = r.PathValue("organisation")
	if err := rule.Field("organisation", tape.CheckSegment(organisation)); err != nil {
		return "", "", err
	}
	staff, err := p.admitted(r, cooperative.MayReadBooks(r.Context(), p.Model, p.Organisation, organisation))
	if err == nil && !staff {
		err = rule.Refuse(rule.Forbidden, "an organisation's books are shown to its own staff and to the regulator")
	}
	return organisation, "", err
}

// closes reports whether who reads may prepare the close of these books.
func (p *portal) closes(r *http.Request, organisation string) bool {
	return p.people != nil && organisation == p.Organisation && p.session(r).Has(keepers[0])
}

func (p *portal) months(r *http.Request) (views.Page, string, error) {
	organisation, redirect, err := p.booksOf(r)
	if err != nil || redirect != "" {
		return nil, redirect, err
	}
	page := views.Months{Organisation: organisation, Act: p.closes(r, organisation)}
	if page.Rows, err = cooperative.Months(r.Context(), p.Model, organisation, p.Today()); err != nil {
		return nil, "", err
	}
	for _, row := range page.Rows {
		if row.Next && row.State == cooperative.MonthOpen {
			page.Next = string(row.Month)
		}
	}
	page.Quarters, err = p.admitted(r, cooperative.MaySupervise(r.Context(), p.Model, p.Organisation))
	return page, "", err
}

func (p *portal) month(r *http.Request) (views.Page, string, error) {
	organisation, redirect, err := p.booksOf(r)
	if err != nil || redirect != "" {
		return nil, redirect, err
	}
	shown, err := cooperative.MonthOf(r.Context(), p.Model, organisation, bookkeeping.Month(r.PathValue("month")), p.Today())
	return views.BookMonth{Shown: shown, Act: shown.Next && shown.State == cooperative.MonthOpen && p.closes(r, organisation)}, "", err
}

func (p *portal) monthAccount(r *http.Request) (views.Page, string, error) {
	organisation, redirect, err := p.booksOf(r)
	if err != nil || redirect != "" {
		return nil, redirect, err
	}
	page := views.MonthAccount{Row: r.PathValue("account")}
	page.Shown, page.Lines, page.More, err = cooperative.AccountOf(r.Context(), p.Model, organisation, bookkeeping.Month(r.PathValue("month")), page.Row, p.Today(), postingsMost)
	return page, "", err
}

// daysIn are the first and the last day that a form asks for, and those otherwise.
func daysIn(r *http.Request, from, to tape.Date) (tape.Date, tape.Date, error) {
	if typed := r.FormValue("from"); typed != "" {
		from = tape.Date(typed)
	}
	if typed := r.FormValue("to"); typed != "" {
		to = tape.Date(typed)
	}
	return from, to, rule.First(rule.Field("from", from.Check()), rule.Field("to", to.Check()))
}

// letters are the notices given in a scheme, each on a sheet of its own.
func (p *portal) letters(r *http.Request) (views.Page, string, error) {
	frame, redirect, err := p.forStaff(r)
	if err != nil || redirect != "" {
		return nil, redirect, err
	}
	ctx, page := r.Context(), views.Letters{Scheme: frame}
	if page.Since, _, err = daysIn(r, frame.Day.AddDays(-letterDays), frame.Day); err != nil {
		return nil, "", err
	}
	page.Rows, err = cooperative.LettersSince(ctx, p.Model, frame.Account, page.Since, languageOf(r), func(id tape.ID) (bool, error) {
		return p.admitted(r, cooperative.MayReadLoan(ctx, p.Model, p.Organisation, frame.Account, id))
	})
	return page, "", err
}

func (p *portal) flags(r *http.Request) (views.Page, string, error) {
	frame, redirect, err := p.forStaff(r)
	if err != nil || redirect != "" {
		return nil, redirect, err
	}
	since, _, err := daysIn(r, frame.Day.AddDays(-flagDays), frame.Day)
	if err != nil {
		return nil, "", err
	}
	page := views.Flags{Scheme: frame}
	page.Shown, err = cooperative.FlagsOf(r.Context(), p.Model, frame.Account, since)
	return page, "", err
}

// householdStatement is a household's, before itself and staff.
func (p *portal) householdStatement(r *http.Request) (views.Page, string, error) {
	frame, household, own, redirect, err := p.forHousehold(r)
	if err != nil || redirect != "" {
		return nil, redirect, err
	}
	from, to, err := daysIn(r, bookkeeping.MonthOf(frame.Day.AddMonths(-2)).First(), frame.Day)
	if err != nil {
		return nil, "", err
	}
	page := views.HouseholdStatement{Scheme: frame, Household: household, Own: own}
	page.Shown, err = cooperative.StatementOf(r.Context(), p.Model, frame.Account, household, from, to)
	return page, "", err
}

// quarter is a regulator's; without one the last that has ended.
func (p *portal) quarter(r *http.Request) (views.Page, string, error) {
	if p.people != nil && !p.session(r).LoggedIn() {
		return nil, loginTo(r, r.URL.Path), nil
	}
	ctx := r.Context()
	staff, err := p.admitted(r, cooperative.MaySupervise(ctx, p.Model, p.Organisation))
	if err == nil && !staff {
		err = rule.Refuse(rule.Forbidden, "the figures of all lenders are shown to the staff of a regulator")
	}
	if err != nil {
		return nil, "", err
	}
	page, last := views.Quarter{}, pool.QuarterBefore(p.Today())
	for at := last; len(page.Others) < quartersShown; at = pool.QuarterBefore(at) {
		page.Others = append(page.Others, at)
	}
	asked := tape.Date(r.PathValue("quarter"))
	if asked == "" {
		asked = last
	}
	page.Shown, err = cooperative.QuarterOf(ctx, p.Model, asked)
	return page, "", err
}
