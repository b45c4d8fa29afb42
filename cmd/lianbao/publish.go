package main

import (
	"net/url"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/cmd/lianbao/founding"
	"github.com/lianbao/lianbao/cmd/lianbao/speak"
)

type publishCommand struct {
	Campaign string `arg:"" help:"Campaign, such as charity:charity:invented-speech."`
	Duty     string `help:"Duty that it meets: emergency, progress, final, remainder, evaluation, annual or other; the next one on the clock when left out." enum:",emergency,progress,final,remainder,evaluation,annual,other" default:"" placeholder:"DUTY"`
	From     string `help:"First day; that of the period that meets the duty when left out." placeholder:"DATE"`
	To       string `help:"Last day; that of the period that meets the duty when left out." placeholder:"DATE"`
	At       string `help:"Organisation that publishes; ${default} when left out." default:"charity" placeholder:"ORG"`
}

// published is the result of a publication.
type published struct {
	fund.Publish
	// Block holds the entry; Page shows it.
	Block uint64 `json:"block"`
	Page  string `json:"page"`
}

func (c *publishCommand) Run(app *application) error {
	at, err := app.seat(c.At)
	if err != nil {
		return err
	}
	makers, err := at.staff(string(founding.Maker))
	if err != nil {
		return err
	}
	command, err := c.draft(app, at.gateway)
	if err != nil {
		return err
	}
	decision := founding.Decision{Action: "publish", Subject: c.Campaign, Amount: money.New(0, command.Figures.Settled.Currency).String()}
	done := published{Publish: command, Page: at.gateway.Address() + "/en/campaigns/" + url.PathEscape(c.Campaign)}
	if done.Block, err = at.decide(app.context, "Fund:Publish", command, decision, makers...); err != nil {
		return err
	}
	app.console.result(done)
	app.tellPublished(done)
	return nil
}

// draft lets the gateway make the document and keep it.
func (c *publishCommand) draft(app *application, g *speak.Gateway) (fund.Publish, error) {
	var answer struct {
		Command fund.Publish `json:"command"`
	}
	ask := struct {
		Duty string `json:"duty,omitempty"`
		From string `json:"from,omitempty"`
		To   string `json:"to,omitempty"`
	}{c.Duty, c.From, c.To}
	err := g.Post(app.context, "/campaigns/"+url.PathEscape(c.Campaign)+"/publications", ask, &answer)
	return answer.Command, err
}

func (a *application) tellPublished(p published) {
	a.console.say("  Publication %d of %s   %s   %s to %s", p.N, p.Account, p.Duty, p.From, p.To)
	f := p.Figures
	figures := [][]string{{"  raised", groupedAmount(f.Raised)}, {"  settled", groupedAmount(f.Settled)}, {"  ordered", groupedAmount(f.Ordered)},
		{"  paid", groupedAmount(f.Paid)}, {"  confirmed", groupedAmount(f.Confirmed)}, {"  management", groupedAmount(f.Management)}}
	a.console.table(figures)
	a.console.say("")
	a.console.say("  document   sha256 %s", p.Document)
	a.console.say("  page       %s", p.Page)
}
