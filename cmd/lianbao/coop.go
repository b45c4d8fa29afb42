package main

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/speak"
	"github.com/lianbao/lianbao/gateway/cooperative"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// coopCommand shows what a cooperative, its lenders and their regulator read.
// What stands of it is put together by the gateway that is asked.
type coopCommand struct {
	At      string `help:"Organisation whose gateway is asked; ${default} when left out." default:"coop" placeholder:"ORG"`
	Gateway string `help:"Gateway elsewhere to ask." placeholder:"URL"`
	Token   string `help:"File of that gateway's token." type:"existingfile" placeholder:"FILE"`

	Schemes      coopSchemes      `cmd:"" help:"Schemes: cooperative, lenders, groups by state."`
	Portfolio    coopPortfolio    `cmd:"" help:"What a lender or a scheme has on loan: classes, portfolio at risk, write-offs, what falls due."`
	Groups       coopGroups       `cmd:"" help:"Groups of a scheme: state, exposure, days past due."`
	Loan         coopLoan         `cmd:"" help:"One loan: schedule with what is paid, what is owed, guarantors, calls."`
	Household    coopHousehold    `cmd:"" help:"One household: loans, guarantees, calls, shares of sales, scores."`
	Statement    coopStatement    `cmd:"" help:"A household's statement for a period."`
	Settlement   coopSettlement   `cmd:"" help:"The settlement of a sale: what went where, to the unit."`
	Calls        coopCalls        `cmd:"" help:"Calls of guarantors, each with its clock."`
	Pool         coopPool         `cmd:"" help:"A compensation pool: balance, quarters, claims."`
	Arrears      coopArrears      `cmd:"" help:"Loans of which something is overdue, the longest first."`
	Letters      coopLetters      `cmd:"" help:"The notices about a loan, to print: for borrower, guarantors and cooperative."`
	Flags        coopFlags        `cmd:"" help:"Where loans of several households meet: one payee, one invoice, one place."`
	Agents       coopAgents       `cmd:"" help:"What village agents did, by service station."`
	TrialBalance coopTrialBalance `cmd:"" help:"What moved on every account in a period; all sums are zero."`
	Months       coopMonths       `cmd:"" help:"The months of an organisation's books: which are closed, and by whom."`
	Month        coopMonth        `cmd:"" help:"One month of the books, reckoned now; of a closed one whether it is what was closed."`
	Quarter      coopQuarter      `cmd:"" help:"A regulator's figures at a quarter's end."`
}

// coopRead asks a gateway, with its organisation's token.
func coopRead[T any](app *application, c *coopCommand, path string, query url.Values) (T, error) {
	var found T
	gateway, err := c.gateway(app)
	if err != nil {
		return found, err
	}
	for name := range query {
		if query.Get(name) == "" {
			query.Del(name)
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return found, gateway.Own(app.context, http.MethodGet, "/cooperative/"+path, nil, &found)
}

func (c *coopCommand) gateway(app *application) (*speak.Gateway, error) {
	if c.Gateway == "" {
		return app.speaker(c.At)
	}
	gateway, err := speak.At(c.Gateway, c.Token)
	if err != nil {
		return nil, &failure{exitUsage, err.Error(), ""}
	}
	return gateway, nil
}

// coopEvery reads all parts of a list.
func coopEvery[T any](app *application, c *coopCommand, path string, query url.Values) ([]T, error) {
	return readmodel.Every(func(w readmodel.Window) (readmodel.List[T], error) {
		query.Set("after", w.After)
		query.Set("limit", strconv.Itoa(w.Limit))
		return coopRead[readmodel.List[T]](app, c, path, query)
	})
}

func schemePath(scheme string, rest ...string) string {
	path := "schemes/" + url.PathEscape(scheme)
	for _, part := range rest {
		path += "/" + url.PathEscape(part)
	}
	return path
}

// ratio writes parts per million as percent with two decimals.
func ratio(partsPerMillion int32) string { return percent(int64(partsPerMillion)) }

type coopSchemes struct{}

func (coopSchemes) Run(app *application, c *coopCommand) error {
	schemes, err := coopRead[[]cooperative.Scheme](app, c, "schemes", nil)
	if err != nil {
		return err
	}
	app.console.result(schemes)
	rows := [][]string{{"  SCHEME", "COOPERATIVE", "LENDERS", "TERMS", "GROUPS"}}
	for _, s := range schemes {
		rows = append(rows, []string{"  " + string(s.Account), s.Organisation, strings.Join(s.Lenders, ", "), strconv.Itoa(int(s.Version)), countedText(s.Groups)})
	}
	app.console.table(rows)
	if len(schemes) == 0 {
		app.console.say("  There is no scheme yet; docs/cooperative.md says how one begins.")
	}
	return nil
}

func countedText(all []cooperative.Counted) string {
	var parts []string
	for _, one := range all {
		parts = append(parts, strconv.Itoa(one.Count)+" "+one.Of)
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

type coopPortfolio struct {
	Lender string `help:"Whose parts of loans; without it whole loans of a scheme." placeholder:"ORG"`
	Scheme string `help:"Only loans of this scheme." placeholder:"SCHEME"`
	Day    string `help:"Civil day; today when left out." placeholder:"DATE"`
	Next   int    `help:"For how many days ahead dues are listed; ${default} when left out." default:"30" placeholder:"DAYS"`
}

func (p coopPortfolio) Run(app *application, c *coopCommand) error {
	portfolio, err := coopRead[cooperative.Portfolio](app, c, "portfolio", url.Values{"lender": {p.Lender}, "scheme": {p.Scheme}, "day": {p.Day}, "next": {strconv.Itoa(p.Next)}})
	if err != nil {
		return err
	}
	app.console.result(portfolio)
	app.console.say("  Portfolio on %s, classes %s", portfolio.Day, portfolio.Classes)
	for _, s := range portfolio.Currencies {
		app.tellSums(s)
	}
	if len(portfolio.Currencies) == 0 {
		app.console.say("  Nothing has been lent.")
	}
	rows := [][]string{{"  DUE", "LOAN", "HOUSEHOLD", "AMOUNT"}}
	for _, due := range portfolio.Next {
		rows = append(rows, []string{"  " + string(due.Date), string(due.Loan), string(due.Household), groupedAmount(due.Amount)})
	}
	if len(portfolio.Next) > 0 {
		app.console.say("")
		app.console.table(rows)
	}
	return nil
}

func (a *application) tellSums(s cooperative.Sums) {
	a.console.say("")
	rows := [][]string{{"  " + string(s.Currency), "AMOUNT", "OF GROSS", "LOANS"}, {"  gross portfolio", groupedAmount(s.Gross), "", strconv.Itoa(s.Loans)}}
	for _, class := range s.ByClass {
		rows = append(rows, []string{"  " + class.Class, groupedAmount(class.Amount), share(class.Amount, s.Gross), strconv.Itoa(int(class.Loans))})
	}
	for _, risk := range s.AtRisk {
		rows = append(rows, []string{"  PAR" + strconv.Itoa(int(risk.Days)), groupedAmount(risk.Amount), ratio(risk.PartsPerMillion), ""})
	}
	rows = append(rows, []string{"  of it with new terms", groupedAmount(s.Restructured), "", strconv.Itoa(s.RestructuredLoans)},
		[]string{"  non-performing", groupedAmount(s.NonPerforming), share(s.NonPerforming, s.Gross), ""}, []string{"  overdue, all parts", groupedAmount(s.Overdue), "", ""},
		[]string{"  written off, still owed", groupedAmount(s.WrittenOff), "", strconv.Itoa(s.WrittenOffLoans)})
	a.console.table(rows)
}

// share is a part of a whole in percent, cut and not rounded up; nothing of nothing.
func share(part, whole money.Amount) string {
	parts, _ := money.Portion(1_000_000, part.Units, max(whole.Units, 1))
	return percent(parts)
}

type coopGroups struct {
	Scheme string `arg:"" help:"Scheme, such as coop:coop:coffee."`
	Day    string `help:"Civil day; today when left out." placeholder:"DATE"`
}

func (g coopGroups) Run(app *application, c *coopCommand) error {
	groups, err := coopEvery[cooperative.Group](app, c, schemePath(g.Scheme, "groups"), url.Values{"day": {g.Day}})
	if err != nil {
		return err
	}
	app.console.result(append([]cooperative.Group{}, groups...))
	rows := [][]string{{"  GROUP", "STATE", "HOUSEHOLDS", "EXPOSURE", "AT MOST", "PAST DUE", "WHY", "UNTIL"}}
	for _, one := range groups {
		why := ""
		if one.Cause != nil {
			why = one.Cause.Reason
		}
		living := 0
		for _, member := range one.Members {
			if member.Gone == "" {
				living++
			}
		}
		rows = append(rows, []string{"  " + string(one.ID), string(one.State), strconv.Itoa(living), groupedAmount(one.Exposure), groupedAmount(one.GroupMax), days(int(one.DaysPastDue)), why, string(one.Agreement.Expiry)})
	}
	app.console.table(rows)
	return nil
}

type coopLoan struct {
	Scheme string `arg:"" help:"Scheme, such as coop:coop:coffee."`
	Loan   string `arg:"" help:"Loan."`
	Day    string `help:"Civil day; today when left out." placeholder:"DATE"`
}

func (l coopLoan) Run(app *application, c *coopCommand) error {
	one, err := coopRead[cooperative.Loan](app, c, schemePath(l.Scheme, "loans", l.Loan), url.Values{"day": {l.Day}})
	if err != nil {
		return err
	}
	app.console.result(one)
	app.tellLoan(one)
	return nil
}

func (a *application) tellLoan(one cooperative.Loan) {
	a.console.say("  %s of %s   %s   %s of %s", one.Line.Loan, one.Household, one.Stage, groupedAmount(one.Outstanding), groupedAmount(one.Principal))
	if one.Class != "" {
		a.console.say("  %s, %s past due, ends today with %s", one.Class, days(int(one.DaysPastDue)), groupedAmount(one.Payoff))
	}
	a.console.say("")
	rows := [][]string{{"  N", "DUE", "PRINCIPAL", "INTEREST", "LEFT", "STATE"}}
	for _, row := range one.Schedule {
		rows = append(rows, []string{"  " + strconv.Itoa(int(row.N)), string(row.Due), groupedAmount(row.Principal), groupedAmount(row.Interest), groupedAmount(row.Left), row.State})
	}
	a.console.table(rows)
	for _, g := range one.Record.Guarantors {
		a.console.say("  guaranteed by %s", g.Household)
	}
	for _, order := range one.Orders {
		a.console.say("  ordered %s of %s, %s, %s", groupedAmount(order.Amount), order.Category, order.Supplier, order.State)
	}
	a.tellCalls(one.Calls)
}

func (a *application) tellCalls(calls []cooperative.Call) {
	for _, call := range calls {
		a.console.say("")
		a.console.say("  Call %s of loan %s, %s, %s called on %s, %s still asked", call.ID, call.Loan, call.State, groupedAmount(call.Amount), call.Date, groupedAmount(call.OpenAmount))
		rows := [][]string{{"  GUARANTOR", "BEARS", "PAID", "ASKED", "UNTIL", "PERIOD ENDS"}}
		for _, clock := range call.Clocks {
			asked, until := clock.Asked, string(clock.Until)
			asked.Units += clock.Spread.Units
			if clock.Left == nil {
				until = ""
			}
			rows = append(rows, []string{"  " + string(clock.Household), groupedAmount(clock.Share), groupedAmount(clock.Borne), groupedAmount(asked), until, string(clock.PeriodEnd)})
		}
		a.console.table(rows)
	}
}

type coopCalls struct {
	Scheme string `arg:"" help:"Scheme, such as coop:coop:coffee."`
	Loan   string `help:"Only those of one loan." placeholder:"LOAN"`
}

func (s coopCalls) Run(app *application, c *coopCommand) error {
	calls, err := coopEvery[cooperative.Call](app, c, schemePath(s.Scheme, "calls"), url.Values{"loan": {s.Loan}})
	if err != nil {
		return err
	}
	app.console.result(append([]cooperative.Call{}, calls...))
	app.tellCalls(calls)
	if len(calls) == 0 {
		app.console.say("  No guarantor was called.")
	}
	return nil
}

type coopArrears struct {
	Scheme string `arg:"" help:"Scheme, such as coop:coop:coffee."`
	Lender string `help:"Only loans of this lender." placeholder:"ORG"`
	Day    string `help:"Civil day; today when left out." placeholder:"DATE"`
}

func (s coopArrears) Run(app *application, c *coopCommand) error {
	lines, err := coopRead[[]cooperative.Line](app, c, schemePath(s.Scheme, "arrears"), url.Values{"lender": {s.Lender}, "day": {s.Day}})
	if err != nil {
		return err
	}
	app.console.result(lines)
	rows := [][]string{{"  LOAN", "HOUSEHOLD", "GROUP", "PAST DUE", "SINCE", "DUE", "OUTSTANDING", "CLASS"}}
	for _, l := range lines {
		rows = append(rows, []string{"  " + string(l.Loan), string(l.Household), string(l.Group), days(int(l.DaysPastDue)), string(l.OldestDue), groupedAmount(l.Due), groupedAmount(l.Outstanding), l.Class})
	}
	if len(lines) == 0 {
		app.console.say("  Nothing is overdue.")
		return nil
	}
	app.console.table(rows)
	return nil
}

type coopLetters struct {
	Scheme   string `arg:"" help:"Scheme, such as coop:coop:coffee."`
	Loan     string `arg:"" help:"Loan."`
	Language string `help:"zh-CN or en; ${default} when left out." enum:"zh-CN,en" default:"zh-CN"`
}

func (s coopLetters) Run(app *application, c *coopCommand) error {
	letters, err := coopRead[[]cooperative.Letter](app, c, schemePath(s.Scheme, "loans", s.Loan, "letters"), url.Values{"language": {s.Language}})
	if err != nil {
		return err
	}
	app.console.result(letters)
	for i, letter := range letters {
		if i > 0 {
			app.console.say("\f") // a printer begins a new page
		}
		app.console.say("%s", strings.TrimRight(letter.Text, "\n"))
	}
	if len(letters) == 0 {
		app.console.say("  No notice was given about loan %s.", s.Loan)
	}
	return nil
}

type coopFlags struct {
	Scheme string `arg:"" help:"Scheme, such as coop:coop:coffee."`
	Since  string `help:"From this day on; the last 90 days when left out." placeholder:"DATE"`
}

func (s coopFlags) Run(app *application, c *coopCommand) error {
	found, err := coopRead[cooperative.Flags](app, c, schemePath(s.Scheme, "flags"), url.Values{"since": {s.Since}})
	if err != nil {
		return err
	}
	app.console.result(found)
	rows := [][]string{{"  MEET AT", "", "HOUSEHOLDS", "LOANS", "AMOUNT", "FROM", "TO"}}
	for _, flag := range found.Flags {
		rows = append(rows, []string{"  " + flag.Kind, flag.At, strconv.Itoa(len(flag.Households)), ids(flag.Loans), groupedAmount(flag.Amount), string(flag.From), string(flag.To)})
	}
	if len(found.Flags) == 0 {
		app.console.say("  Since %s no loans of several households met within %s.", found.Since, days(int(found.Days)))
		return nil
	}
	app.console.table(rows)
	return nil
}

func ids(all []tape.ID) string {
	var names []string
	for _, id := range all {
		names = append(names, string(id))
	}
	return strings.Join(names, ", ")
}

type coopQuarter struct {
	Quarter string `arg:"" help:"The quarter's last day, such as 2026-03-31."`
	CSV     bool   `name:"csv" help:"A table for spreadsheets."`
}

func (q coopQuarter) Run(app *application, c *coopCommand) error {
	figures, err := coopRead[cooperative.QuarterFigures](app, c, "quarters/"+url.PathEscape(q.Quarter), nil)
	if err != nil {
		return err
	}
	if q.CSV && !app.console.json {
		return figures.Write(app.console.out)
	}
	app.console.result(figures)
	for _, l := range figures.Lenders {
		app.console.say("")
		app.console.say("  %s on %s: non-performing %s, %d basis points with what was written off in twelve months, %s", l.Lender, figures.Quarter, groupedAmount(l.NonPerforming), l.NonPerformingBasisPoints, groupedAmount(l.WrittenOffYear))
		app.tellSums(l.Sums)
		if l.Later.Count > 0 || l.Restated > 0 {
			app.console.say("  %d payments of %s in it came to light after the quarter; %d loans got other terms since", l.Later.Count, groupedAmount(l.Later.Amount), l.Restated)
		}
		for _, frozen := range l.Frozen {
			app.console.say("  frozen for %s by %s: %d basis points", frozen.Account, frozen.Entry, frozen.BasisPoints)
		}
	}
	app.console.say("")
	app.console.say("  groups: %s", countedText(figures.Groups))
	for _, call := range figures.Calls {
		app.console.say("  calls %s: %d, %s called, %s still asked", call.State, call.Count, groupedAmount(call.Called), groupedAmount(call.Open))
	}
	for _, pool := range figures.Pools {
		app.console.say("  %s paid %d claims, %s", pool.Pool, pool.Count, groupedAmount(pool.Paid))
	}
	return nil
}
