package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/client"
	"github.com/lianbao/lianbao/gateway/login/challenge"
	"github.com/lianbao/lianbao/gateway/readmodel"
	drafting "github.com/lianbao/lianbao/gateway/signing"
)

// gateways are where a person reads, and where it sends: any organisation's
// gateway carries what it has signed.
type gateways struct {
	Gateway string `help:"Gateway to read from, such as http://127.0.0.1:8101." env:"LIANBAO_GATEWAY" required:"" placeholder:"URL"`
	Send    string `help:"Gateway to send to; any organisation's. The one to read from without it." placeholder:"URL"`
	Person  string `help:"Your id on the ledger; that of the key's file without it." placeholder:"ID"`
}

// patience is how long a person waits for a gateway that does not answer.
const patience = 15 * time.Second

func (g gateways) reads() (*client.Client, error) { return clientOf(g.Gateway) }

func (g gateways) sends() (*client.Client, error) {
	if g.Send != "" {
		return clientOf(g.Send)
	}
	return clientOf(g.Gateway)
}

func clientOf(address string) (*client.Client, error) {
	if err := challenge.CheckOrigin(address); err != nil {
		return nil, &failure{exitUsage, err.Error(), ""}
	}
	return &client.Client{URL: address, Patience: patience}, nil
}

// translate turns what a gateway said into what this program says.
func translate(c *client.Client, err error) error {
	var p *client.Problem
	var lost *url.Error
	switch {
	case errors.As(err, &p):
		if p.Code == string(rule.Early) {
			return &failure{exitRefused, p.Error(), "another organisation's gateway may carry it: --send URL"}
		}
		if p.Retryable {
			return &failure{exitUnavailable, p.Error(), "try again later; nothing is done twice"}
		}
		return &failure{exitRefused, p.Error(), ""}
	case errors.As(err, &lost):
		return &failure{exitUnavailable, "the gateway " + c.URL + " does not answer", "look at the address, or name another by --gateway and --send"}
	}
	return err
}

// record reads one record of the ledger.
func record(ctx context.Context, c *client.Client, key string, into any) error {
	var list readmodel.List[readmodel.Record]
	if err := c.Get(ctx, "/api/v1/records?"+url.Values{"prefix": {key}}.Encode(), "", &list); err != nil {
		return translate(c, err)
	}
	for _, found := range list.Items {
		if found.Key == key {
			return json.Unmarshal(found.Value, into)
		}
	}
	return rule.Refuse(rule.NotFound, "the gateway knows no %s", key)
}

// me is who signs, on which ledger.
func (g gateways) me(ctx context.Context, c *client.Client, file keyFile) (tape.ID, party.LedgerID, error) {
	var ledger party.Ledger
	if err := record(ctx, c, party.LedgerKey(), &ledger); err != nil {
		return "", ledger.ID, err
	}
	return file.named(g.Person, ledger.ID.String())
}

// carry signs a command and sends it to the people's door of a gateway.
func (a *application) carry(g gateways, file keyFile, draft drafting.Draft, s spoken) error {
	to, err := g.sends()
	if err != nil {
		return err
	}
	intent, err := a.sign(file, draft, s)
	if err != nil {
		return err
	}
	argument, err := drafting.Envelope(draft.Command, intent)
	if err != nil {
		return err
	}
	body, err := canonical.Encode(drafting.Knock{Argument: argument, Function: draft.Function})
	if err != nil {
		return err
	}
	var accepted client.Acceptance
	if err := to.Post(a.context, "/people/commands", json.RawMessage(body), &accepted); err != nil {
		return translate(to, err)
	}
	if accepted, err = to.Wait(a.context, accepted); err != nil {
		return translate(to, err)
	}
	a.console.result(struct {
		Function    string `json:"function"`
		ID          string `json:"id"`
		Transaction string `json:"transaction"`
		Block       string `json:"block"`
		Gateway     string `json:"gateway"`
	}{draft.Function, accepted.ID, accepted.Transaction, accepted.Position, to.URL})
	a.console.say("  ✓ on the ledger as %s, block %s, carried by %s", accepted.ID, accepted.Position, to.URL)
	return nil
}

// payout names one payout and how it is answered.
type payout struct {
	keyFlag
	spoken
	gateways
	Account string `arg:"" help:"The campaign's account."`
	Hold    string `arg:"" help:"The payout's id."`
}

type personConfirmCommand struct{ payout }

func (c *personConfirmCommand) Run(app *application) error {
	return c.answer(app, func(hold tape.Hold) fund.Confirm {
		return fund.Confirm{Amount: money.New(hold.Captured.Total()-hold.Returned.Total(), hold.Amount.Currency), ID: drafting.OwnID("confirm"), Outcome: fund.Arrived}
	})
}

type personDisputeCommand struct {
	payout
	Reason string `help:"not-arrived, less-arrived, late, not-asked-for or taken-from-me." enum:"not-arrived,less-arrived,late,not-asked-for,taken-from-me" required:"" placeholder:"REASON"`
}

func (c *personDisputeCommand) Run(app *application) error {
	return c.answer(app, func(hold tape.Hold) fund.Confirm {
		return fund.Confirm{Amount: hold.Amount, ID: drafting.OwnID("dispute"), Outcome: fund.Disputed, Reason: c.Reason}
	})
}

// answer looks the payout up, and sends the receiver's word on it.
func (p payout) answer(app *application, say func(tape.Hold) fund.Confirm) error {
	file, err := p.read()
	if err != nil {
		return err
	}
	from, err := p.reads()
	if err != nil {
		return err
	}
	person, ledger, err := p.me(app.context, from, file)
	if err != nil {
		return err
	}
	hold, err := p.find(app.context, from)
	if err != nil {
		return err
	}
	command := say(hold)
	command.Account, command.Hold = hold.Account, hold.ID
	if command.Outcome == fund.Arrived && command.Amount.Units == 0 {
		return &failure{exitRefused, fmt.Sprintf("payout %s is not paid: no line of the bank shows it", hold.ID), "wait until it says paid, or say what is wrong: lianbao person dispute"}
	}
	draft, err := drafted(ledger, person, "Fund:Confirm", command.Amount.String(), command)
	if err != nil {
		return err
	}
	return app.carry(p.gateways, file, draft, p.spoken)
}

// holdsAtOnce is the most payouts that a gateway lists at once.
const holdsAtOnce = "1000"

func (p payout) find(ctx context.Context, c *client.Client) (tape.Hold, error) {
	account, hold := tape.AccountID(p.Account), tape.ID(p.Hold)
	if err := errors.Join(account.Check(), hold.Check()); err != nil {
		return tape.Hold{}, &failure{exitUsage, err.Error(), "account and payout stand on the page of the payout"}
	}
	query := url.Values{"limit": {holdsAtOnce}}
	for {
		var list readmodel.List[readmodel.Hold]
		if err := c.Get(ctx, "/api/v1/accounts/"+url.PathEscape(p.Account)+"/holds?"+query.Encode(), "", &list); err != nil {
			return tape.Hold{}, translate(c, err)
		}
		for _, found := range list.Items {
			if found.Account == account && found.ID == hold {
				return found.Hold, nil
			}
		}
		if list.Next == "" {
			break
		}
		query.Set("after", list.Next)
	}
	return tape.Hold{}, &failure{exitRefused, fmt.Sprintf("not-found: there is no payout %s of %s", p.Hold, p.Account), "account and payout stand on the page of the payout"}
}

type personRotateCommand struct {
	keyFlag
	spoken
	gateways
	New     string `help:"File of the new key; lianbao person new --key FILE draws it." required:"" placeholder:"FILE" type:"path"`
	Custody string `help:"Who holds the new key: own or card." enum:"own,card" default:"own"`
}

func (c *personRotateCommand) Run(app *application) error {
	file, err := c.read()
	if err != nil {
		return err
	}
	next, err := readKeyFile(c.New)
	if err != nil {
		return err
	}
	to, err := c.sends()
	if err != nil {
		return err
	}
	person, ledger, err := c.me(app.context, to, file)
	if err != nil {
		return err
	}
	if _, _, err := next.named(string(person), ledger.String()); err != nil {
		return err
	}
	proof, duty, err := c.prove(app, to, next, person, ledger)
	if err != nil {
		return err
	}
	command := party.RotateCommand{Address: next.Address, Custody: party.Custody(c.Custody), Duty: duty, ID: drafting.OwnID("rotate"), Person: person, Proof: proof}
	draft, err := drafted(ledger, person, "Party:Rotate", "", command)
	if err != nil {
		return err
	}
	if err := app.carry(c.gateways, file, draft, c.spoken); err != nil {
		return err
	}
	app.console.say("  A second organisation must witness the new key; until it is in force the old one signs. Keep both.")
	return nil
}

// prove signs by the new key that it is held, for the organisation whose
// gateway brings it. The duty stays: another one is its organisation's to bring.
func (c *personRotateCommand) prove(app *application, to *client.Client, next keyFile, person tape.ID, ledger party.LedgerID) (party.Signature, party.Duty, error) {
	var known party.Person
	if err := record(app.context, to, party.PersonKey(person), &known); err != nil {
		return party.Signature{}, "", err
	}
	var about struct {
		Organisation string `json:"organisation"`
	}
	if err := to.Get(app.context, "/api/v1/gateway", "", &about); err != nil {
		return party.Signature{}, "", translate(to, err)
	}
	passphrase, err := app.passphrase(newPassphraseVariable, "Passphrase of the new key: ")
	if err != nil {
		return party.Signature{}, "", err
	}
	key, err := next.open(passphrase)
	if err != nil {
		return party.Signature{}, "", err
	}
	duty := known.DutyOn(tape.Instant(time.Now().UnixMilli()))
	proof, err := sign.Possession(key, ledger, party.Possession{Person: person, Custody: party.Custody(c.Custody), Duty: duty, Organisation: known.Organisation, Registrar: about.Organisation})
	return proof, duty, err
}

type personSuspendCommand struct {
	keyFlag
	spoken
	gateways
	Address string `arg:"" optional:"" help:"Address of the key to stop; your own without it. To object to a change of your key, name the new one."`
}

func (c *personSuspendCommand) Run(app *application) error {
	file, err := c.read()
	if err != nil {
		return err
	}
	from, err := c.reads()
	if err != nil {
		return err
	}
	person, ledger, err := c.me(app.context, from, file)
	if err != nil {
		return err
	}
	address := file.Address
	if c.Address != "" {
		if err := address.UnmarshalText([]byte(c.Address)); err != nil {
			return &failure{exitUsage, err.Error(), ""}
		}
	}
	draft, err := drafted(ledger, person, "Party:Suspend", "", party.SuspendCommand{Address: address, ID: drafting.OwnID("suspend"), Person: person})
	if err != nil {
		return err
	}
	return app.carry(c.gateways, file, draft, c.spoken)
}
