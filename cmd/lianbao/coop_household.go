package main

import (
	"net/url"
	"strconv"

	"github.com/lianbao/lianbao/gateway/cooperative"
)

type coopHousehold struct {
	Scheme    string `arg:"" help:"Scheme, such as coop:coop:coffee."`
	Household string `arg:"" help:"Household, such as household:<pseudonym>:coffee."`
	Day       string `help:"Civil day; today when left out." placeholder:"DATE"`
}

func (h coopHousehold) Run(app *application, c *coopCommand) error {
	one, err := coopRead[cooperative.Household](app, c, schemePath(h.Scheme, "households", h.Household), url.Values{"day": {h.Day}})
	if err != nil {
		return err
	}
	app.console.result(one)
	app.tellHousehold(one)
	return nil
}

func (a *application) tellHousehold(one cooperative.Household) {
	a.console.say("  %s   %s", one.Member.Household, one.Member.State)
	rows := [][]string{{"  LOAN", "STAGE", "OUTSTANDING", "DUE", "PAST DUE", "NEXT"}}
	for _, l := range one.Loans {
		next := ""
		if l.Next != nil {
			next = string(l.Next.Date) + " " + groupedAmount(l.Next.Amount)
		}
		rows = append(rows, []string{"  " + string(l.Loan), l.Stage, groupedAmount(l.Outstanding), groupedAmount(l.Due), days(int(l.DaysPastDue)), next})
	}
	for _, g := range one.Guarantees {
		rows = append(rows, []string{"  guarantees " + string(g.Loan), g.Stage, groupedAmount(g.Outstanding), groupedAmount(g.Due), days(int(g.DaysPastDue)), ""})
	}
	a.console.table(rows)
	for _, concern := range one.Calls {
		a.console.say("  call %s: %s, owes %s", concern.Call.ID, concern.Role, groupedAmount(concern.Owes))
		for _, owed := range concern.OwesOthers {
			a.console.say("    owes %s %s", owed.Household, groupedAmount(owed.Amount))
		}
		for _, owed := range concern.Claims {
			a.console.say("    is owed %s by %s", groupedAmount(owed.Amount), owed.Household)
		}
	}
	a.tellShares(one.Shares)
	for _, s := range one.Scores {
		a.console.say("  %s: %d points of 100 on %s by %s, limit %s (%s)", s.Lender, s.Standing.Score.Points, s.Date, s.Standing.Score.Model, groupedAmount(s.Limit.Amount), s.Limit.Change)
	}
}

func (a *application) tellShares(shares []cooperative.Share) {
	if len(shares) == 0 {
		return
	}
	a.console.say("")
	rows := [][]string{{"  SALE", "DAY", "SHARE", "PAID", "FOR", "OUT"}}
	for _, s := range shares {
		rows = append(rows, []string{"  " + string(s.Sale), string(s.Day), groupedAmount(s.Amount), "", "", groupedAmount(s.Rest)})
		for _, line := range s.Lines {
			rows = append(rows, []string{"", "", "", groupedAmount(line.Amount), line.Kind + " " + string(line.Loan), ""})
		}
	}
	a.console.table(rows)
}

type coopStatement struct {
	Scheme    string `arg:"" help:"Scheme, such as coop:coop:coffee."`
	Household string `arg:"" help:"Household, such as household:<pseudonym>:coffee."`
	From      string `required:"" help:"First day." placeholder:"DATE"`
	To        string `required:"" help:"Last day." placeholder:"DATE"`
}

func (s coopStatement) Run(app *application, c *coopCommand) error {
	one, err := coopRead[cooperative.Statement](app, c, schemePath(s.Scheme, "households", s.Household, "statement"), url.Values{"from": {s.From}, "to": {s.To}})
	if err != nil {
		return err
	}
	app.console.result(one)
	app.console.say("  %s   %s to %s", one.Household, one.From, one.To)
	for _, l := range one.Loans {
		app.console.say("")
		rows := [][]string{{"  LOAN " + string(l.Loan), "", "AMOUNT"}, {"  " + string(l.Since), "owed before", groupedAmount(l.Opening)}}
		for _, line := range l.Lines {
			rows = append(rows, []string{"  " + string(line.Date), line.Kind, groupedAmount(line.Amount)})
		}
		app.console.table(append(rows, []string{"  " + string(one.To), "owed then", groupedAmount(l.Closing)}))
	}
	if len(one.Deliveries) > 0 {
		app.console.say("")
	}
	for _, lot := range one.Deliveries {
		app.console.say("  delivered lot %s, %s %s, %s g", lot.ID, lot.Form, lot.Grade, grouped(int(lot.Grams)))
	}
	app.tellShares(one.Shares)
	return nil
}

type coopSettlement struct {
	Scheme string `arg:"" help:"Scheme, such as coop:coop:coffee."`
	Sale   string `arg:"" help:"Sale."`
	Rows   bool   `help:"Also what became of each household's share."`
}

// settledRows is a settlement with its rows, where they were asked for.
type settledRows struct {
	cooperative.Settlement
	Shares []cooperative.Share `json:"shares,omitempty"`
}

func (s coopSettlement) Run(app *application, c *coopCommand) error {
	found, err := coopRead[cooperative.Settlement](app, c, schemePath(s.Scheme, "settlements", s.Sale), nil)
	if err != nil {
		return err
	}
	all := settledRows{Settlement: found}
	for _, chunk := range found.Chunks {
		if !s.Rows || chunk.Households == 0 {
			continue
		}
		shares, err := coopRead[[]cooperative.Share](app, c, schemePath(s.Scheme, "settlements", s.Sale, "chunks", strconv.Itoa(int(chunk.N))), nil)
		if err != nil {
			return err
		}
		all.Shares = append(all.Shares, shares...)
	}
	app.console.result(all)
	app.console.say("  Sale %s, %s, %d households, settled on %s", found.Sale.ID, groupedAmount(found.Sale.Proceeds), found.Households, found.Day)
	rows := [][]string{{"  WENT TO", "AMOUNT"}}
	for _, sum := range found.Sums {
		rows = append(rows, []string{"  " + sum.Kind, groupedAmount(sum.Amount)})
	}
	app.console.table(append(rows, []string{"  together", groupedAmount(found.Total)}))
	verdict := "sums to the sale exactly"
	if !found.Exact {
		verdict = "DOES NOT SUM TO THE SALE"
	}
	app.console.say("  %d of %d households settled, %s", found.Settled, found.Households, verdict)
	app.tellShares(all.Shares)
	return nil
}

type coopPool struct {
	Pool string `arg:"" optional:"" help:"The pool's account; all of them when left out."`
}

func (p coopPool) Run(app *application, c *coopCommand) error {
	if p.Pool == "" {
		return app.listPools(c)
	}
	one, err := coopRead[cooperative.Pool](app, c, "pools/"+url.PathEscape(p.Pool), nil)
	if err != nil {
		return err
	}
	app.console.result(one)
	app.console.say("  %s, kept by %s, terms %d", one.Account, one.Keeper, one.Version)
	app.console.table([][]string{{"  balance", groupedAmount(one.Balance)}, {"  promised", groupedAmount(one.Promised)}, {"  free", groupedAmount(one.Free)}, {"  paid", groupedAmount(one.Paid)}, {"  recovered", groupedAmount(one.Recovered)}})
	rows := [][]string{{"  LENDER", "QUARTER", "RATIO, BP", "PAYS", ""}}
	for _, lender := range one.Lenders {
		for _, q := range lender.Quarters {
			state := ""
			if q.Suspended {
				state = "suspended"
			}
			rows = append(rows, []string{"  " + lender.Lender.Lender, string(q.Quarter), strconv.Itoa(int(q.BasisPoints)), ratio(q.RatioPartsPerMillion), state})
		}
	}
	app.console.say("")
	app.console.table(rows)
	for _, state := range one.States {
		app.console.say("  claims %s: %d, %s lost, %s approved", state.State, state.Count, groupedAmount(state.Eligible), groupedAmount(state.Compensation))
	}
	return nil
}

type coopAgents struct{}

func (coopAgents) Run(app *application, c *coopCommand) error {
	agents, err := coopRead[[]cooperative.Agent](app, c, "agents", nil)
	if err != nil {
		return err
	}
	app.console.result(agents)
	rows := [][]string{{"  AGENT", "OF", "SERVES", "DID", "TIMES", "STATION"}}
	for _, agent := range agents {
		for i, kind := range agent.Kinds {
			row := []string{"", "", "", kind.Kind, strconv.Itoa(kind.Count), kind.Station}
			if i == 0 {
				row[0], row[1], row[2] = "  "+string(agent.Person), agent.Organisation, strconv.Itoa(len(agent.Serves))
			}
			rows = append(rows, row)
		}
	}
	app.console.table(rows)
	if len(agents) == 0 {
		app.console.say("  No agent has done anything yet.")
	}
	return nil
}

type coopTrialBalance struct {
	From         string `required:"" help:"First day." placeholder:"DATE"`
	To           string `required:"" help:"Last day." placeholder:"DATE"`
	Organisation string `help:"Whose accounts stand one by one." placeholder:"ORG"`
}

func (t coopTrialBalance) Run(app *application, c *coopCommand) error {
	balance, err := coopRead[cooperative.TrialBalance](app, c, "trial-balance", url.Values{"from": {t.From}, "to": {t.To}, "organisation": {t.Organisation}})
	if err != nil {
		return err
	}
	app.console.result(balance)
	return app.tellBalance(balance)
}

// tellBalance prints a trial balance, and fails where it does not balance.
func (a *application) tellBalance(balance cooperative.TrialBalance) error {
	rows := [][]string{{"  ACCOUNT", "OPENING", "DEBIT", "CREDIT", "CLOSING"}}
	named := func(name string, memo bool) string {
		if memo {
			return "  " + name + " (accrual)"
		}
		return "  " + name
	}
	for _, r := range balance.Rows {
		rows = append(rows, []string{named(r.Account, r.Memo), groupedAmount(r.Opening), groupedAmount(r.Debit), groupedAmount(r.Credit), groupedAmount(r.Closing)})
	}
	for _, r := range balance.Totals {
		rows = append(rows, []string{named("all "+string(r.Currency), r.Memo), groupedAmount(r.Opening), groupedAmount(r.Debit), groupedAmount(r.Credit), groupedAmount(r.Closing)})
	}
	a.console.table(rows)
	if balance.Balanced {
		a.console.say("  balanced: every sum is zero")
		return nil
	}
	return &failure{exitDiffers, "the books do not balance", "lianbao audit says where"}
}

// listPools shows all pools.
func (a *application) listPools(c *coopCommand) error {
	pools, err := coopRead[[]struct {
		Account string `json:"account"`
		Keeper  string `json:"keeper"`
	}](a, c, "pools", nil)
	if err != nil {
		return err
	}
	a.console.result(pools)
	rows := [][]string{{"  POOL", "KEPT BY"}}
	for _, pool := range pools {
		rows = append(rows, []string{"  " + pool.Account, pool.Keeper})
	}
	a.console.table(rows)
	return nil
}
