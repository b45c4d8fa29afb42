// Package speak lets the command line speak to an organisation's gateway in
// the terms of the rules: records, refusals, positions.
package speak

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/client"
	"github.com/lianbao/lianbao/gateway/fingerprint"
	"github.com/lianbao/lianbao/network"
)

// Gateway is an organisation's gateway.
type Gateway struct {
	Organisation string
	client       *client.Client
}

// connectionsMost is how many requests go to one gateway side by side.
const connectionsMost = 64

// To opens the gateway of a connection.
func To(c network.Connection) (*Gateway, error) {
	if c.URL == "" {
		return nil, fmt.Errorf("%s runs no gateway in this network", c.Organisation)
	}
	gateway, err := At(c.URL, c.Token)
	if errors.Is(err, os.ErrNotExist) {
		return nil, &Unavailable{Organisation: c.Organisation, Text: "has never been started"}
	}
	if err != nil {
		return nil, err
	}
	gateway.Organisation = c.Organisation
	return gateway, nil
}

// At opens a gateway at an address, with the first token in a file.
func At(address, file string) (*Gateway, error) {
	token, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	own, _, _ := strings.Cut(strings.TrimSpace(string(token)), "\n")
	transport := &http.Transport{MaxIdleConnsPerHost: connectionsMost, IdleConnTimeout: time.Minute}
	return &Gateway{Organisation: address, client: &client.Client{URL: address, Token: own,
		HTTP: &http.Client{Transport: transport}}}, nil
}

// Unavailable says that a gateway did not do what was asked, and that asking
// again later may succeed: nothing is done twice.
type Unavailable struct {
	Organisation, Text string
	cause              error
}

// Error says which gateway, and why.
func (u *Unavailable) Error() string {
	return fmt.Sprintf("unavailable: the gateway of %s %s", u.Organisation, u.Text)
}

// Unwrap returns what went wrong below.
func (u *Unavailable) Unwrap() error { return u.cause }

// Send hands a command over and returns the block that holds it.
func (g *Gateway) Send(ctx context.Context, function string, argument []byte) (uint64, error) {
	a, err := g.client.Submit(ctx, function, argument)
	if err != nil {
		return 0, g.translate(ctx, err)
	}
	return strconv.ParseUint(a.Position, 10, 64)
}

// SendRecord is Send for a command that needs no signature.
func (g *Gateway) SendRecord(ctx context.Context, function string, command any) (uint64, error) {
	argument, err := canonical.Encode(command)
	if err != nil {
		return 0, err
	}
	return g.Send(ctx, function, argument)
}

// Get reads from a gateway, as of a block or later; 0 means as it is now.
func (g *Gateway) Get(ctx context.Context, path string, query url.Values, block uint64, into any) error {
	path, position := "/api/v1"+path, ""
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	if block > 0 {
		position = strconv.FormatUint(block, 10)
	}
	return g.translate(ctx, g.client.Get(ctx, path, position, into))
}

// Post asks a gateway to make something that no command of the ledger is.
func (g *Gateway) Post(ctx context.Context, path string, body, into any) error {
	return g.translate(ctx, g.client.Post(ctx, "/api/v1"+path, body, into))
}

// Download reads a long answer as it comes; whoever asked closes it.
func (g *Gateway) Download(ctx context.Context, path string, query url.Values) (io.ReadCloser, error) {
	body, err := g.client.Download(ctx, "/api/v1"+path+"?"+query.Encode())
	return body, g.translate(ctx, err)
}

// Upload hands a file over.
func (g *Gateway) Upload(ctx context.Context, path, kind string, body io.Reader, into any) error {
	return g.translate(ctx, g.client.Upload(ctx, "/api/v1"+path, kind, body, into))
}

// Own asks for what is the organisation's own, with its token.
func (g *Gateway) Own(ctx context.Context, method, path string, body, into any) error {
	return g.translate(ctx, g.client.Own(ctx, method, "/api/v1"+path, body, into))
}

// Fingerprint is what may stand on the ledger of the number of a payee's bank account or device.
func (g *Gateway) Fingerprint(ctx context.Context, campaign tape.AccountID, kind fingerprint.Kind, number string) (string, error) {
	if number == "" {
		return "", nil
	}
	var found struct {
		Fingerprint string `json:"fingerprint"`
	}
	err := g.Own(ctx, http.MethodPost, "/fingerprints", map[string]string{"campaign": string(campaign), "kind": string(kind), "number": number}, &found)
	return found.Fingerprint, err
}

// Whose asks a gateway which organisation's it is.
func (g *Gateway) Whose(ctx context.Context) (string, error) {
	var about struct {
		Organisation string `json:"organisation"`
	}
	err := g.Get(ctx, "/gateway", nil, 0, &about)
	if err == nil {
		g.Organisation = about.Organisation
	}
	return about.Organisation, err
}

// Address is where the gateway answers.
func (g *Gateway) Address() string { return g.client.URL }

// translate turns a problem of HTTP into the refusal that it carries.
func (g *Gateway) translate(ctx context.Context, err error) error {
	var p *client.Problem
	var lost *url.Error
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &p):
		if refusal, is := rule.Parse(p.Code + ": " + p.Detail); is {
			return refusal
		}
		if p.Retryable {
			return &Unavailable{g.Organisation, "says: " + p.Detail, err}
		}
		return fmt.Errorf("the gateway of %s says %s: %s", g.Organisation, p.Code, p.Detail)
	case errors.As(err, &lost):
		return &Unavailable{g.Organisation, "does not answer at " + g.client.URL, err}
	}
	return fmt.Errorf("the gateway of %s: %w", g.Organisation, err)
}
