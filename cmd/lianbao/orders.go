package main

import (
	"net/url"
)

type ordersCommand struct {
	Campaign     string `arg:"" help:"Campaign, such as charity:charity:invented-speech."`
	Disbursement string `help:"Only those of one disbursement." placeholder:"ID"`
	Out          string `help:"File to write; the screen when left out." short:"o" placeholder:"FILE" type:"path"`
	At           string `help:"Organisation whose gateway is asked; ${default} when left out." default:"bank" placeholder:"ORG"`
}

func (c *ordersCommand) Run(app *application) error {
	gateway, err := app.speaker(c.At)
	if err != nil {
		return err
	}
	query := url.Values{}
	if c.Disbursement != "" {
		query.Set("disbursement", c.Disbursement)
	}
	body, err := gateway.Download(app.context, "/campaigns/"+url.PathEscape(c.Campaign)+"/orders.csv", query)
	if err != nil {
		return err
	}
	defer body.Close()
	return app.deliver(body, c.Out)
}
