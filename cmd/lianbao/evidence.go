package main

import (
	"errors"
	"fmt"
	"mime"
	"net/url"
	"os"
	"path/filepath"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/founding"
	"github.com/lianbao/lianbao/cmd/lianbao/speak"
	"github.com/lianbao/lianbao/gateway/document"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// evidenceCommand is what is done with documents.
type evidenceCommand struct {
	Cite   citeCommand   `cmd:"" help:"Keep a document under a key of its own, and cite it on the ledger by its salted hash."`
	Verify verifyCommand `cmd:"" help:"Check that a file is the document that the ledger cites; needs no network."`
}

type citeCommand struct {
	File     string   `arg:"" help:"Picture, PDF, text or CSV, up to 25 MiB." type:"existingfile"`
	Campaign string   `help:"Campaign that it belongs to." required:"" placeholder:"ACCOUNT"`
	For      string   `help:"Payout (its id) or entry (organisation/id) that it is evidence for." required:"" placeholder:"ID"`
	Kind     string   `help:"What it is: ${enum}." enum:"invoice,photo,delivery-note,agreement,list,publication,other" default:"other"`
	About    []string `help:"Payee whom it says something about; erased with what else is kept about it." placeholder:"ACCOUNT"`
	At       string   `help:"Organisation whose document it is." default:"charity" placeholder:"ORG"`
}

// cited is the result of citing a document.
type cited struct {
	document.Citation
	Entry string `json:"entry"`
	Block uint64 `json:"block"`
}

func (c *citeCommand) Run(app *application) error {
	at, err := app.seat(c.At)
	if err != nil {
		return err
	}
	makers, err := at.staff(string(founding.Maker))
	if err != nil {
		return err
	}
	var campaign struct {
		Campaign readmodel.Campaign `json:"campaign"`
	}
	if err := at.gateway.Get(app.context, "/campaigns/"+c.Campaign, nil, 0, &campaign); err != nil {
		return err
	}
	var done cited
	if done.Citation, err = keep(app, at.gateway, c.File, c.Kind, c.About...); err != nil {
		return err
	}
	command := fund.Cite{Account: tape.AccountID(c.Campaign), For: c.For, ID: tape.ID("cite." + done.ID),
		Evidence: []fund.Citation{{Hash: merkle.Hash(done.Hash), Kind: c.Kind}}}
	decision := founding.Decision{Action: "cite", Subject: c.Campaign, Amount: campaign.Campaign.Zero().String()}
	if done.Block, err = at.decide(app.context, "Fund:Cite", command, decision, makers...); err != nil {
		return err
	}
	done.Entry = c.At + "/" + string(command.ID)
	app.console.result(done)
	app.tellCited(done)
	return nil
}

// keep hands the file to the gateway.
func keep(app *application, gateway *speak.Gateway, path, kind string, about ...string) (document.Citation, error) {
	var citation document.Citation
	file, err := os.Open(path)
	if err != nil {
		return citation, err
	}
	defer file.Close()
	err = gateway.Upload(app.context, "/documents?"+url.Values{"kind": {kind}, "about": about}.Encode(), mediaTypeOf(path), file, &citation)
	return citation, err
}

func (a *application) tellCited(done cited) {
	a.console.say("  %s of %d bytes, kept as %s under a key of its own", done.MediaType, done.Size, done.ID)
	for _, removed := range done.Removed {
		a.console.say("  taken out before: %s", removed)
	}
	a.console.say("  cited      entry %s   sha256 %s", done.Entry, done.Hash)
}

// mediaTypeOf takes a file's ending for what it is; the gateway looks at its content as well.
func mediaTypeOf(path string) string {
	kind := mime.TypeByExtension(filepath.Ext(path))
	if kind == "" {
		return "application/octet-stream"
	}
	return kind
}

type verifyCommand struct {
	File      string `arg:"" help:"The document as it was given to you." type:"existingfile"`
	Hash      string `help:"Its hash on the ledger." required:"" placeholder:"HEX"`
	Salt      string `help:"Its salt, given with it." required:"" placeholder:"HEX"`
	MediaType string `help:"What it is; taken from the file's ending when left out." placeholder:"TYPE"`
}

func (c *verifyCommand) Run(app *application) error {
	citation := document.Citation{MediaType: c.MediaType}
	if citation.MediaType == "" {
		citation.MediaType, _, _ = mime.ParseMediaType(mediaTypeOf(c.File))
	}
	var salt document.Salt
	if err := errors.Join(citation.Hash.UnmarshalText([]byte(c.Hash)), salt.UnmarshalText([]byte(c.Salt))); err != nil {
		return &failure{exitUsage, err.Error(), ""}
	}
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	state, err := file.Stat()
	if err != nil {
		return err
	}
	citation.Size = state.Size()
	if err := document.Verify(citation, salt, file); err != nil {
		return &failure{exitRefused, fmt.Sprintf("%s is not the document that is cited: %v", filepath.Base(c.File), err), ""}
	}
	app.console.result(struct {
		Verified bool `json:"verified"`
	}{true})
	app.console.say("  %s is the document that is cited, byte for byte", filepath.Base(c.File))
	return nil
}
