package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/cmd/lianbao/speak"
	"github.com/lianbao/lianbao/gateway/api"
	"github.com/lianbao/lianbao/gateway/document"
	"github.com/lianbao/lianbao/gateway/personal"
	"github.com/lianbao/lianbao/network"
)

// personalCommand is what is done with personal data. Values are read from the
// standard input: an argument would stay in the shell's history.
type personalCommand struct {
	Keep  keepPersonalCommand  `cmd:"" help:"Keep a value, which stands on the standard input as JSON; docs/privacy.md shows one."`
	Show  showPersonalCommand  `cmd:"" help:"Show a value, at a member."`
	Of    ofPersonalCommand    `cmd:"" help:"Show what is kept about one payee of a campaign, at a member."`
	Purge purgePersonalCommand `cmd:"" help:"Remove a value and its history at every member, and note why."`
}

type keepPersonalCommand struct {
	At string `help:"Organisation that keeps it." default:"charity" placeholder:"ORG"`
}

// personalBytesMax bounds what is read from the standard input.
const personalBytesMax = 64 << 10

func (c *keepPersonalCommand) Run(app *application) error {
	gateway, err := app.gateway(c.At)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(os.Stdin, personalBytesMax))
	if err != nil {
		return err
	}
	if !json.Valid(text) {
		return &failure{exitUsage, "the standard input is not JSON", ""}
	}
	var kept personal.Kept
	if err := gateway.Own(app.context, http.MethodPost, "/personal", json.RawMessage(text), &kept); err != nil {
		return err
	}
	app.console.result(kept)
	app.console.say("  kept       %s %s of the class %s", kept.Collection, kept.Record, kept.Class)
	app.console.say("  noted      block %d   sha256 %s", kept.Block, kept.Hash)
	return nil
}

// gateway opens the gateway of an organisation of the network in the folder.
func (a *application) gateway(organisation string) (*speak.Gateway, error) {
	n, err := network.Open(a.folder)
	if err != nil {
		return nil, err
	}
	return speaker(n, organisation)
}

type showPersonalCommand struct {
	Collection string `arg:"" help:"Collection, such as charity-bank."`
	Record     string `arg:"" help:"Record, as keep has named it."`
	At         string `help:"Member that is asked." default:"charity" placeholder:"ORG"`
}

func (c *showPersonalCommand) Run(app *application) error {
	gateway, err := app.gateway(c.At)
	if err != nil {
		return err
	}
	var shown struct {
		Class  dossier.Class  `json:"class"`
		Fields dossier.Fields `json:"fields"`
	}
	if err := gateway.Own(app.context, http.MethodGet, "/personal/"+url.PathEscape(c.Collection)+"/"+url.PathEscape(c.Record), nil, &shown); err != nil {
		return err
	}
	app.console.result(shown)
	app.console.table(personalRows(shown.Class, shown.Fields))
	return nil
}

func personalRows(class dossier.Class, held dossier.Fields) [][]string {
	rows := [][]string{{"  class", string(class)}}
	fields := reflect.ValueOf(held)
	for i := range fields.NumField() {
		if text := fields.Field(i).String(); text != "" {
			name, _, _ := strings.Cut(fields.Type().Field(i).Tag.Get("json"), ",")
			rows = append(rows, []string{"  " + name, text})
		}
	}
	return rows
}

type ofPersonalCommand struct {
	Payee string `arg:"" help:"The ledger's name of the payee, such as outside:household:…"`
	At    string `help:"Member that is asked." default:"charity" placeholder:"ORG"`
}

func (c *ofPersonalCommand) Run(app *application) error {
	gateway, err := app.gateway(c.At)
	if err != nil {
		return err
	}
	var found struct {
		Items     []api.Holding `json:"items"`
		Documents struct {
			Items []document.Meta `json:"items"`
		} `json:"documents"`
	}
	if err := gateway.Own(app.context, http.MethodGet, "/personal?payee="+url.QueryEscape(c.Payee), nil, &found); err != nil {
		return err
	}
	if err := gateway.Own(app.context, http.MethodGet, "/documents?about="+url.QueryEscape(c.Payee), nil, &found.Documents); err != nil {
		return err
	}
	app.console.result(found)
	for _, h := range found.Items {
		app.console.say("  %s %s", h.Collection, h.Record)
		app.console.table(personalRows(h.Class, h.Fields))
	}
	for _, d := range found.Documents.Items {
		app.console.say("  document %s   %s of %d bytes, kept since %s", d.ID, d.Kind, d.Size, d.At.Format(time.DateOnly))
	}
	if len(found.Items)+len(found.Documents.Items) == 0 {
		app.console.say("  %s knows nothing about it", c.At)
	}
	return nil
}

type purgePersonalCommand struct {
	Collection string `arg:"" help:"Collection, such as charity-bank."`
	Record     string `arg:"" help:"Record, as keep has named it."`
	Reason     string `help:"Why: ${enum}." enum:"purpose-achieved,retention-ended,consent-withdrawn,requested,unlawful,mistake" required:""`
	At         string `help:"Organisation that kept it." default:"charity" placeholder:"ORG"`
}

func (c *purgePersonalCommand) Run(app *application) error {
	gateway, err := app.gateway(c.At)
	if err != nil {
		return err
	}
	var done struct {
		Block uint64 `json:"block"`
	}
	path := fmt.Sprintf("/personal/%s/%s?reason=%s", url.PathEscape(c.Collection), url.PathEscape(c.Record), url.QueryEscape(c.Reason))
	if err := gateway.Own(app.context, http.MethodDelete, path, nil, &done); err != nil {
		return err
	}
	app.console.result(done)
	app.console.say("  purged at every member, noted in block %d", done.Block)
	return nil
}
