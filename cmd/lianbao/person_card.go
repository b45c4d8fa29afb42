package main

import (
	"encoding/json"
	"strings"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/gateway/client"
	"github.com/lianbao/lianbao/gateway/login/challenge"
	drafting "github.com/lianbao/lianbao/gateway/signing"
	"github.com/lianbao/lianbao/gateway/wallet"
)

// personExportCommand writes what a card or hardware wallet is given.
type personExportCommand struct {
	What string `arg:"" help:"File of a draft, - for the standard input, or the address of a login's challenge."`
}

func (c *personExportCommand) Run(app *application) error {
	if strings.Contains(c.What, "://") {
		asked, err := challenge.Parse(strings.TrimSpace(c.What))
		if err != nil {
			return err
		}
		return app.printFile(wallet.Login(asked).File())
	}
	draft, err := readDraftOf(c.What)
	if err != nil {
		return err
	}
	typed, err := draft.Typed()
	if err != nil {
		return err
	}
	return app.printFile(typed.File())
}

func readDraftOf(name string) (drafting.Draft, error) {
	text, err := readDraft(name)
	if err != nil {
		return drafting.Draft{}, err
	}
	return drafting.ParseDraft(text)
}

// personAcceptCommand makes of a draft and a card's signature the intent that
// the ledger takes, and sends it where a gateway is named.
type personAcceptCommand struct {
	Draft     string `arg:"" help:"File of the draft that was exported."`
	Signature string `arg:"" help:"What the card or wallet returned."`
	Address   string `help:"Address of the card's key; another's signature is refused." placeholder:"0x…"`
	Send      string `help:"Gateway to send it to; any organisation's. Without it the signature is printed, to be pasted." placeholder:"URL"`
}

func (c *personAcceptCommand) Run(app *application) error {
	draft, err := readDraftOf(c.Draft)
	if err != nil {
		return err
	}
	signature, err := wallet.ParseSignature(c.Signature)
	if err != nil {
		return err
	}
	intent, signer, err := draft.Signed(signature)
	if err != nil {
		return err
	}
	if c.Address != "" {
		expected, err := addressOf(c.Address)
		if err != nil {
			return err
		}
		if signer != expected {
			return &failure{exitRefused, "this is not the signature of " + expected.String() + " over this draft", "sign what lianbao person export prints for exactly this draft"}
		}
	}
	if c.Send == "" {
		return app.print(intent)
	}
	to, err := clientOf(c.Send)
	if err != nil {
		return err
	}
	return app.knock(to, draft, intent)
}

// knock sends a person's signed command to the people's door of a gateway.
func (a *application) knock(to *client.Client, draft drafting.Draft, intent party.Intent) error {
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
	return a.accepted(to, draft.Function, accepted)
}

// accepted waits until the ledger holds what was sent, and says where.
func (a *application) accepted(to *client.Client, function string, accepted client.Acceptance) error {
	accepted, err := to.Wait(a.context, accepted)
	if err != nil {
		return translate(to, err)
	}
	a.console.result(struct {
		Function    string `json:"function"`
		ID          string `json:"id"`
		Transaction string `json:"transaction"`
		Block       string `json:"block"`
		Gateway     string `json:"gateway"`
	}{function, accepted.ID, accepted.Transaction, accepted.Position, to.URL})
	a.console.say("  ✓ on the ledger as %s, block %s, carried by %s", accepted.ID, accepted.Position, to.URL)
	return nil
}
