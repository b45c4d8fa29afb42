package main

import (
	"net/url"
	"strconv"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/speak"
	"github.com/lianbao/lianbao/gateway/disclosure"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

type campaignCommand struct {
	Campaign string `arg:"" optional:"" help:"Campaign, such as charity:charity:invented-speech; all of them when left out."`
	At       string `help:"Organisation whose gateway is asked; ${default} when left out." default:"charity" placeholder:"ORG"`
}

func (c *campaignCommand) Run(app *application) error {
	gateway, err := app.speaker(c.At)
	if err != nil {
		return err
	}
	if c.Campaign == "" {
		return app.listCampaigns(gateway)
	}
	sheet, err := sheetOf(app, gateway, tape.AccountID(c.Campaign))
	if err != nil {
		return err
	}
	app.console.result(sheet)
	app.tellSheet(sheet)
	return nil
}

func sheetOf(app *application, g *speak.Gateway, account tape.AccountID) (disclosure.Sheet, error) {
	var sheet disclosure.Sheet
	return sheet, g.Get(app.context, "/campaigns/"+url.PathEscape(string(account)), nil, 0, &sheet)
}

// listCampaigns shows each campaign with what is due of it next.
func (a *application) listCampaigns(g *speak.Gateway) error {
	sheets := []disclosure.Sheet{}
	query := url.Values{}
	for {
		var list readmodel.List[readmodel.Campaign]
		if err := g.Get(a.context, "/campaigns", query, 0, &list); err != nil {
			return err
		}
		for _, campaign := range list.Items {
			sheet, err := sheetOf(a, g, campaign.Account)
			if err != nil {
				return err
			}
			sheets = append(sheets, sheet)
		}
		if list.Next == "" {
			break
		}
		query.Set("after", list.Next)
	}
	a.console.result(sheets)
	rows := [][]string{{"  CAMPAIGN", "STATE", "RAISED", "PAID", "CONFIRMED", "NEXT DUE"}}
	for _, s := range sheets {
		rows = append(rows, []string{"  " + string(s.Campaign.Account), string(s.Campaign.State), groupedAmount(s.Sums.Raised), groupedAmount(s.Sums.Paid), groupedAmount(s.Sums.Confirmed), nextDue(s.Clock)})
	}
	a.console.table(rows)
	if len(sheets) == 0 {
		a.console.say("  There is no campaign yet; docs/charity.md says how one begins.")
	}
	return nil
}

// nextDue is the first duty that has not been met; the clock is in the order of days.
func nextDue(clock []fund.Due) string {
	for _, due := range clock {
		if due.State == fund.Running || due.State == fund.Overdue {
			return dutyOf(due)
		}
	}
	return "nothing"
}

func dutyOf(due fund.Due) string {
	switch {
	case due.State == fund.Met:
		return due.Duty + " met"
	case due.State == fund.Late:
		return due.Duty + " met late"
	case due.Days < 0:
		return due.Duty + " overdue by " + days(-due.Days)
	case due.Days == 0:
		return due.Duty + " due today"
	}
	return due.Duty + " in " + days(due.Days)
}

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return strconv.Itoa(n) + " days"
}

func (a *application) tellSheet(s disclosure.Sheet) {
	a.console.say("  %s   %s, %s   %s to %s", s.Campaign.Account, s.Campaign.Basis, s.Campaign.State, s.Campaign.Plan.From, s.Campaign.Plan.To)
	if filing := s.Campaign.Filing; filing != nil {
		a.console.say("  filing number %s of %s", filing.Number, filing.Date)
	}
	a.console.say("")
	rows := [][]string{{"  raised", groupedAmount(s.Sums.Raised)}, {"  settled", groupedAmount(s.Sums.Settled)}, {"  ordered", groupedAmount(s.Sums.Ordered)},
		{"  paid by the bank", groupedAmount(s.Sums.Paid)}, {"  passed on", groupedAmount(s.Sums.Passed)}, {"  confirmed", groupedAmount(s.Sums.Confirmed)},
		{"  disputed", groupedAmount(s.Sums.Disputed)}, {"  can be spent", groupedAmount(s.Free)}, {"  waits to be settled", groupedAmount(s.Waiting)}}
	a.console.table(rows)
	a.console.say("")
	rows = [][]string{{"  BUDGET LINE", "KIND", "PLANNED", "ORDERED", "PAID", "CONFIRMED", "LEFT"}}
	for i, l := range s.Lines {
		rows = append(rows, []string{"  " + string(l.ID), string(l.Kind), groupedAmount(l.Amount), groupedAmount(l.Sums.Ordered), groupedAmount(l.Sums.Paid), groupedAmount(l.Sums.Confirmed), groupedAmount(s.Left[i])})
	}
	a.console.table(rows)
	a.console.say("  management %s of at most %s", groupedAmount(s.Management), groupedAmount(s.Cap))
	a.console.say("")
	rows = [][]string{{"  DUTY", "BY", "LAW"}}
	for _, due := range s.Clock {
		rows = append(rows, []string{"  " + dutyOf(due), string(due.Date), due.Article})
	}
	a.console.table(rows)
	for _, late := range s.Late {
		a.console.say("  not settled for %s: page %s, %d gifts, %s", days(late.Days), late.Page, late.Count, groupedAmount(late.Total))
	}
}

type yearsCommand struct {
	Organisation string `arg:"" help:"Organisation, such as charity."`
	At           string `help:"Organisation whose gateway is asked; ${default} when left out." default:"charity" placeholder:"ORG"`
}

func (c *yearsCommand) Run(app *application) error {
	gateway, err := app.speaker(c.At)
	if err != nil {
		return err
	}
	years := []disclosure.Annual{}
	if err := gateway.Get(app.context, "/organisations/"+url.PathEscape(c.Organisation)+"/years", nil, 0, &years); err != nil {
		return err
	}
	app.console.result(years)
	if len(years) == 0 {
		app.console.say("  %s has no campaign that money has come to", c.Organisation)
		return nil
	}
	rows := [][]string{{"  YEAR", "INCOME", "PROGRAMME", "MANAGEMENT", "RATIO", "SHARE", "LIMIT", ""}}
	for _, y := range years {
		rows = append(rows, yearRows(y)...)
	}
	app.console.table(rows)
	return nil
}

func yearRows(y disclosure.Annual) [][]string {
	year := y.Year.Year
	if y.Running {
		year += " (running)"
	}
	in := func(units int64) string { return groupedAmount(money.New(units, y.Year.Currency)) }
	rows := [][]string{{"  " + year, in(y.Year.Income), in(y.Year.Programme), in(y.Year.Management), "", "", "", ""}}
	for i, r := range y.Ratios {
		if i > 0 {
			rows = append(rows, []string{"", "", "", "", "", "", "", ""})
		}
		row := rows[len(rows)-1]
		limit, verdict := "at least "+percent(r.LeastPartsPerMillion), "kept"
		if r.MostPartsPerMillion > 0 {
			limit = "at most " + percent(r.MostPartsPerMillion)
		}
		if !r.Kept {
			verdict = "NOT KEPT"
		}
		if r.Mean {
			verdict += ", of three years' mean"
		}
		share := percent(r.PartsPerMillion)
		if r.Whole.Units <= 0 {
			share, verdict = "-", "nothing yet to take a share of"
		}
		row[4], row[5], row[6], row[7] = r.Ratio, share, limit, verdict
	}
	return rows
}

// percent writes parts per million with two decimals, cut and not rounded up:
// 69.999 % is not 70.
func percent(partsPerMillion int64) string {
	return strconv.FormatInt(partsPerMillion/10_000, 10) + "." + strconv.FormatInt(partsPerMillion/1000%10, 10) + strconv.FormatInt(partsPerMillion/100%10, 10) + " %"
}
