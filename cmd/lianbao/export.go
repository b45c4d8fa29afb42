package main

import (
	"bufio"
	"errors"
	"io"
	"net/url"
	"os"
	"strconv"

	"github.com/lianbao/lianbao/gateway/export/books"
)

type exportCommand struct {
	File       string   `arg:"" help:"iati.xml, 360giving.json, a table such as gifts.csv, reconciliation, or of a harvest epcis.jsonld."`
	Campaign   string   `arg:"" help:"Campaign, such as charity:charity:invented-speech; of a harvest the scheme's account."`
	Out        string   `help:"File to write; the screen when left out." short:"o" placeholder:"FILE" type:"path"`
	Through    string   `help:"Last day of money; today in UTC when left out." placeholder:"DATE"`
	Base       string   `help:"Of a harvest: the address under which its lots are named." placeholder:"https://coop.example/trace/"`
	GTIN       []string `name:"gtin" help:"Of a harvest: the trade item number of a form and grade; may be repeated." placeholder:"FORM/GRADE=NUMBER" sep:"none"`
	Households bool     `help:"Of a harvest: name households by their pseudonyms."`
	At         string   `help:"Organisation whose gateway is asked; ${default} when left out." default:"charity" placeholder:"ORG"`
}

// harvest is the file of a scheme, not of a campaign.
const harvest = "epcis.jsonld"

func (c *exportCommand) Run(app *application) error {
	gateway, err := app.speaker(c.At)
	if err != nil {
		return err
	}
	query := url.Values{}
	if c.Through != "" {
		query.Set("through", c.Through)
	}
	campaign := "/campaigns/" + url.PathEscape(c.Campaign)
	if c.File == "reconciliation" {
		var figures books.Reconciliation
		if err := gateway.Get(app.context, campaign+"/reconciliation", query, 0, &figures); err != nil {
			return err
		}
		app.console.result(figures)
		return app.tellReconciliation(figures)
	}
	path := campaign + "/exports/" + url.PathEscape(c.File)
	if c.File == harvest {
		path = "/schemes/" + url.PathEscape(c.Campaign) + "/exports/" + harvest
		query = url.Values{"base": {c.Base}, "gtin": c.GTIN, "households": {strconv.FormatBool(c.Households)}}
	}
	body, err := gateway.Download(app.context, path, query)
	if err != nil {
		return err
	}
	defer body.Close()
	return app.deliver(body, c.Out)
}

// deliver prints what a gateway hands out, or writes it into a file and says so.
func (a *application) deliver(body io.Reader, path string) error {
	if path == "" {
		_, err := io.Copy(a.console.out, body)
		return err
	}
	if err := writeFile(path, body); err != nil {
		return err
	}
	a.console.result(struct {
		File string `json:"file"`
	}{path})
	a.console.say("  written    %s", path)
	return nil
}

// writeFile writes a whole file, or none.
func writeFile(path string, body io.Reader) error {
	file, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	out := bufio.NewWriter(file)
	_, err = io.Copy(out, body)
	if err = errors.Join(err, out.Flush(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(path+".new"))
	}
	return os.Rename(path+".new", path)
}

func (a *application) tellReconciliation(r books.Reconciliation) error {
	a.console.say("  %s through %s, block %d", r.Account, r.Through, r.Block)
	rows := [][]string{{"  ONE SIDE", "OTHER SIDE", "", "WHAT MUST BE EQUAL"}}
	for _, e := range r.Equalities {
		verdict := "equal"
		if e.Difference.Units != 0 {
			verdict = "DIFFERS"
		}
		rows = append(rows, []string{"  " + groupedAmount(e.Left), groupedAmount(e.Right), verdict, e.Name})
	}
	a.console.table(rows)
	if !r.Agrees() {
		return &failure{exitDiffers, "bank, chain and export do not agree", a.again("audit") + " looks for the cause"}
	}
	return nil
}
