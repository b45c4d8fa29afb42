package main

import (
	"net/url"
	"strconv"

	"github.com/lianbao/lianbao/gateway/cooperative"
)

// coopMonths lists the months of an organisation's books.
type coopMonths struct {
	Organisation string `help:"Whose books; those of the gateway's organisation without it." placeholder:"ORG"`
}

func (s coopMonths) Run(app *application, c *coopCommand) error {
	months, err := coopRead[[]cooperative.MonthLine](app, c, "months", url.Values{"organisation": {s.Organisation}})
	if err != nil {
		return err
	}
	app.console.result(months)
	rows := [][]string{{"  MONTH", "STATE", "ENTRIES", "ENTRY", "TRIAL BALANCE"}}
	for _, m := range months {
		row := []string{"  " + string(m.Month), m.State, "", "", ""}
		if m.Close != nil {
			row = []string{row[0], m.State, strconv.FormatInt(m.Close.Entries, 10), m.Close.Entry, m.Close.Sheet.String()[:16]}
		}
		rows = append(rows, row)
	}
	app.console.table(rows)
	return nil
}

// coopMonth shows one of them.
type coopMonth struct {
	Month        string `arg:"" help:"Month, such as 2026-03."`
	Organisation string `help:"Whose books; those of the gateway's organisation without it." placeholder:"ORG"`
}

func (s coopMonth) Run(app *application, c *coopCommand) error {
	month, err := coopRead[cooperative.Month](app, c, "months/"+url.PathEscape(s.Month), url.Values{"organisation": {s.Organisation}})
	if err != nil {
		return err
	}
	app.console.result(month)
	app.console.say("  %s of %s: %s, %d entries, %d of them of a day before, read until %s", month.Month, month.Organisation, month.State, month.Entries, month.Late, month.Through.Entry)
	if err := app.tellBalance(month.Balance); err != nil {
		return err
	}
	for _, a := range month.Adjustments {
		app.console.say("  %s (%s) is booked on %s and counts as of %s", a.Entry, a.Kind, a.Booked, a.As)
	}
	switch {
	case month.Close == nil:
		app.console.say("  SHA-256 of this trial balance: %s", month.Sheet)
		return nil
	case month.Agrees:
		app.console.say("  agrees with what was closed by %s", month.Close.Entry)
		return nil
	}
	for _, d := range month.Differences {
		app.console.say("  %s: closed %s, found %s", d.What, d.Closed, d.Found)
	}
	return &failure{exitDiffers, "the books are not what was closed by " + month.Close.Entry, "lianbao audit says where"}
}
