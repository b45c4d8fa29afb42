package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"time"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/keyfile"
	"github.com/lianbao/lianbao/gateway/client"
	"github.com/lianbao/lianbao/gateway/login/challenge"
	"github.com/lianbao/lianbao/gateway/persons"
	"github.com/lianbao/lianbao/gateway/readmodel"
	drafting "github.com/lianbao/lianbao/gateway/signing"
	"github.com/lianbao/lianbao/gateway/wallet"
)

// gateways are where a person reads, and where it sends: any organisation's
// gateway carries what it has signed.
type gateways struct {
	Gateway string `help:"Gateway to read from, such as http://127.0.0.1:8101." env:"LIANBAO_GATEWAY" required:"" placeholder:"URL"`
	Send    string `help:"Gateway to send to; any organisation's. The one to read from without it." placeholder:"URL"`
	// Draft lets a card sign: the draft is written, and nothing signed here.
	Draft string `help:"Write the draft to this file instead of signing it; for a card, whose person --person names." placeholder:"FILE" type:"path"`
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
	if address == "" {
		return nil, &failure{exitUsage, "a gateway is needed", "add --gateway URL"}
	}
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

// signer is who signs: by the key of a file, or by a card that is not here.
type signer struct {
	keyFlag
	spoken
	gateways
}

// open reads the key's file; for a card there is none.
func (s signer) open() (keyfile.File, error) {
	if s.Draft != "" {
		return keyfile.File{Person: tape.ID(s.Person)}, nil
	}
	return s.read()
}

// me is who signs, on which ledger.
func (s signer) me(ctx context.Context, c *client.Client, file keyfile.File) (tape.ID, party.LedgerID, error) {
	ledger, err := ledgerOf(ctx, c)
	if err != nil {
		return "", ledger, err
	}
	return file.Named(s.Person, ledger.String())
}

// ledgerOf asks a gateway for the ledger's id, the salt of every signature.
func ledgerOf(ctx context.Context, c *client.Client) (party.LedgerID, error) {
	var ledger party.Ledger
	err := record(ctx, c, party.LedgerKey(), &ledger)
	return ledger.ID, err
}

// carry signs a command and sends it to the people's door of a gateway. What a
// card is to sign is written to a file instead.
func (a *application) carry(s signer, file keyfile.File, draft drafting.Draft) error {
	if s.Draft != "" {
		return a.writeDraft(s, draft)
	}
	to, err := s.sends()
	if err != nil {
		return err
	}
	intent, err := a.sign(file, draft, s.spoken)
	if err != nil {
		return err
	}
	return a.knock(to, draft, intent)
}

// writeDraft writes a draft for a card, never over another file.
func (a *application) writeDraft(s signer, draft drafting.Draft) error {
	text, err := draft.File()
	if err != nil {
		return err
	}
	file, err := os.OpenFile(s.Draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return &failure{exitUsage, s.Draft + " is there already; nothing is written over", "name another file"}
	}
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	a.console.result(draft)
	a.console.say("  Draft    %s, good until %s", s.Draft, draft.Expires)
	a.console.say("  Next     %s person export %s", a.invoked, s.Draft)
	a.console.say("           %s person accept %s SIGNATURE --send %s", a.invoked, s.Draft, s.Gateway)
	return nil
}

// payout names one payout and how it is answered.
type payout struct {
	signer
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
	file, err := p.open()
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
	return app.carry(p.signer, file, draft)
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
	signer
	New   string `help:"File of the new key; lianbao person new --key FILE draws it." placeholder:"FILE" type:"path" xor:"new" required:""`
	Proof string `help:"File of the new key's proof, such as a card's; lianbao person possession prints it for the organisation that is sent to." placeholder:"FILE" type:"path" xor:"new" required:""`
}

func (c *personRotateCommand) Run(app *application) error {
	file, err := c.open()
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
	proof, err := c.prove(app, to, person, ledger)
	if err != nil {
		return err
	}
	command := proof.Replace()
	command.ID = drafting.OwnID("rotate")
	draft, err := drafted(ledger, person, "Party:Rotate", "", command)
	if err != nil {
		return err
	}
	if err := app.carry(c.signer, file, draft); err != nil {
		return err
	}
	app.console.say("  A second organisation must witness the new key; until it is in force the old one signs. Keep both.")
	return nil
}

// prove reads the new key's proof, or makes it for the organisation whose
// gateway brings it.
func (c *personRotateCommand) prove(app *application, to *client.Client, person tape.ID, ledger party.LedgerID) (persons.Proof, error) {
	about, err := organisationOf(app.context, to)
	if err != nil {
		return persons.Proof{}, err
	}
	if c.Proof != "" {
		proof, err := readProof(c.Proof)
		if err != nil {
			return proof, err
		}
		if proof.Person != person {
			return proof, &failure{exitRefused, "the proof is of person " + string(proof.Person) + "; the key is that of " + string(person), "use the proof of " + string(person)}
		}
		return proof, proof.Check(ledger, about)
	}
	next, err := keyfile.Read(c.New)
	if err != nil {
		return persons.Proof{}, err
	}
	if _, _, err := next.Named(string(person), ledger.String()); err != nil {
		return persons.Proof{}, err
	}
	var known party.Person
	if err := record(app.context, to, party.PersonKey(person), &known); err != nil {
		return persons.Proof{}, err
	}
	passphrase, err := app.passphrase(newPassphraseVariable, "Passphrase of the new key: ")
	if err != nil {
		return persons.Proof{}, err
	}
	key, err := next.Open(passphrase)
	if err != nil {
		return persons.Proof{}, err
	}
	possession := party.Possession{Person: person, Key: next.Address, Custody: next.Custody, Duty: known.DutyOn(tape.Instant(time.Now().UnixMilli())), Organisation: known.Organisation, Registrar: about}
	signature, err := sign.Possession(key, ledger, possession)
	return persons.Of(possession, signature), err
}

// organisationOf asks whose gateway answers.
func organisationOf(ctx context.Context, c *client.Client) (string, error) {
	var about struct {
		Organisation string `json:"organisation"`
	}
	err := c.Get(ctx, "/api/v1/gateway", "", &about)
	return about.Organisation, translate(c, err)
}

type personSuspendCommand struct {
	keyFlag
	spoken
	operator
	Send    string `help:"Gateway to send to; any organisation's. The one to read from without it." placeholder:"URL"`
	Draft   string `help:"Write the draft to this file instead of signing it; for a card, whose person --person names." placeholder:"FILE" type:"path"`
	Address string `arg:"" optional:"" help:"Address of the key to stop; your own without it. To object to a change of your key, name the new one."`
}

func (c *personSuspendCommand) Run(app *application) error {
	if c.opens() {
		return c.byOffice(app)
	}
	s := signer{c.keyFlag, c.spoken, gateways{c.Gateway, c.Send, c.Draft}}
	file, err := s.open()
	if err != nil {
		return err
	}
	from, err := s.reads()
	if err != nil {
		return err
	}
	person, ledger, err := s.me(app.context, from, file)
	if err != nil {
		return err
	}
	address, err := c.address(app, from, person, file)
	if err != nil {
		return err
	}
	draft, err := drafted(ledger, person, "Party:Suspend", "", party.SuspendCommand{Address: address, ID: drafting.OwnID("suspend"), Person: person})
	if err != nil {
		return err
	}
	return app.carry(s, file, draft)
}

// address is the one that was named, or that of the person's own key.
func (c *personSuspendCommand) address(app *application, from *client.Client, person tape.ID, file keyfile.File) (party.Address, error) {
	if c.Address != "" {
		return addressOf(c.Address)
	}
	if file.Sealed != "" {
		return file.Address, nil
	}
	var known party.Person
	err := record(app.context, from, party.PersonKey(person), &known)
	return known.Key.Address, err
}

func addressOf(typed string) (party.Address, error) {
	address, err := wallet.ParseAddress(typed)
	if err != nil {
		return address, &failure{exitUsage, err.Error(), "copy it from where the person shows it: lianbao person show"}
	}
	return address, nil
}

// byOffice stops a person's lost key for the organisation that stands for it.
func (c *personSuspendCommand) byOffice(app *application) error {
	to, _, err := c.enter(app)
	if err != nil {
		return err
	}
	if c.Person == "" || c.Address == "" {
		return &failure{exitUsage, "whose key, and which?", "add --person ID and the key's address"}
	}
	address, err := addressOf(c.Address)
	if err != nil {
		return err
	}
	return app.submit(to, "Party:Suspend", persons.Suspend(tape.ID(c.Person), address), true)
}
