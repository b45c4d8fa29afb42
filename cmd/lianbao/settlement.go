package main

import (
	"fmt"
	"net/url"
	"time"

	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/speak"
	"github.com/lianbao/lianbao/gateway/acts"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// settlementCommand is what is done about sales that repay first: all of a
// settlement as one act, or its opening alone.
type settlementCommand struct {
	actsCommand
	Settle settleCommand `cmd:"" help:"Settle a sale: open the settlement, run all of it and close it. Type it again after an interruption: it goes on where it was."`
}

// settleCommand settles a sale as one act.
type settleCommand struct {
	Scheme  string `arg:"" help:"The scheme, such as coop:coop:season."`
	Sale    string `arg:"" help:"The sale."`
	Expires string `help:"Last day for the bank to pay out what is left for the households; sixty days from now without it." placeholder:"DAY"`
	// Households is a text as every answer is: the act reads it.
	Households string `help:"Most households of one entry: fewer where they pay many lenders." placeholder:"NUMBER"`
}

// settled is the result of a settlement.
type settled struct {
	Sale   string `json:"sale"`
	Chunks int    `json:"chunks"`
	// Ran are the chunks that this call has run: the others had run before.
	Ran   int    `json:"ran"`
	Block uint64 `json:"block"`
}

// Run opens what is not open, runs what has not run, and closes.
func (c *settleCommand) Run(app *application, family *settlementCommand) error {
	at, err := family.sit(app, usually(acts.Cooperative))
	if err != nil {
		return err
	}
	left, err := c.left(app, at)
	if err == nil && left.Open != "" {
		if err = c.open(app, at, &family.actsCommand, left.Open); err == nil {
			left, err = c.left(app, at)
		}
	}
	if err != nil {
		return err
	}
	ended := settled{Sale: c.Sale, Chunks: left.Of}
	for _, chunk := range left.Chunks {
		if ended.Block, err = send(app, at, chunk, nil); err != nil {
			return err
		}
		ended.Ran++
		app.console.passing(fmt.Sprintf("  settled   %d of %d", left.Of-len(left.Chunks)+ended.Ran, left.Of))
	}
	if left.Close != nil {
		if ended.Block, err = send(app, at, *left.Close, nil); err != nil {
			return err
		}
	}
	app.console.result(ended)
	app.console.say("  ✓ closed   every household has its share of %s", c.Sale)
	return nil
}

func (c *settleCommand) left(app *application, at seat) (acts.Settling, error) {
	return acts.Settle(app.context, c.asker(at), tape.AccountID(c.Scheme), tape.ID(c.Sale))
}

func (c *settleCommand) asker(at seat) acts.Asker {
	return acts.Asker{Organisation: at.organisation, At: tape.Instant(time.Now().UnixMilli()), Ledger: speak.Books{Gateway: at.gateway}, Fingerprint: at.gateway.Fingerprint}
}

// open has the opening signed, and waits until this gateway shows it.
func (c *settleCommand) open(app *application, at seat, family *actsCommand, id tape.ID) error {
	act, err := acts.Find("open-settlement")
	if err != nil {
		return err
	}
	asker := c.asker(at)
	if asker.Person, err = family.first(at); err != nil {
		return err
	}
	answers := acts.Answers{Texts: map[string]string{"sale": c.Sale, "id": string(id)}}
	if c.Expires != "" {
		answers.Texts["expires"] = c.Expires
	}
	if c.Households != "" {
		answers.Texts["households"] = c.Households
	}
	prepared, err := act.Prepare(app.context, asker, tape.AccountID(c.Scheme), answers)
	if err != nil {
		return err
	}
	block, err := family.sign(app, at, prepared)
	if err != nil {
		return err
	}
	app.console.say("  ✓ opened   signed by %d, block %d", prepared.Persons, block)
	var account readmodel.Account
	return at.gateway.Get(app.context, "/accounts/"+url.PathEscape(c.Scheme), nil, block, &account)
}
