// Package client speaks to a gateway's API. It is small and written by hand:
// what it adds to HTTP is that it tries again what may be tried again, under one
// idempotency key, so that whoever calls it need not think about a lost answer.
package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client speaks to one gateway.
type Client struct {
	// URL of the gateway, such as http://127.0.0.1:8101.
	URL string
	// Token is needed for writes only.
	Token string
	// HTTP is the client underneath; http.DefaultClient when nil.
	HTTP *http.Client
	// Patience is how long to go on trying; 0 means one minute.
	Patience time.Duration
}

// Problem is a refusal or a failure, as RFC 9457 writes it.
type Problem struct {
	Title        string `json:"title"`
	Status       int    `json:"status"`
	Code         string `json:"code"`
	Detail       string `json:"detail"`
	Organisation string `json:"organisation"`
	Transaction  string `json:"transaction"`
	Retryable    bool   `json:"retryable"`
	Errors       []struct {
		Pointer string `json:"pointer"`
		Detail  string `json:"detail"`
	} `json:"errors"`
}

// Error prints the problem as refusals are printed.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// Is reports whether err is a problem with this code.
func Is(err error, code string) bool {
	var p *Problem
	return errors.As(err, &p) && p.Code == code
}

// Acceptance is how something that was sent stands.
type Acceptance struct {
	ID          string          `json:"id"`
	Account     string          `json:"account"`
	Function    string          `json:"function"`
	State       string          `json:"state"`
	Status      string          `json:"status"`
	Command     string          `json:"command"`
	Transaction string          `json:"transaction"`
	Position    string          `json:"position"`
	Entry       json.RawMessage `json:"entry"`
	Trouble     string          `json:"trouble"`
	Problem     *Problem        `json:"problem"`
}

// Ended reports whether nothing more will happen.
func (a Acceptance) Ended() bool {
	return a.State == "done" || a.State == "refused" || a.State == "failed"
}

// Done reports whether the ledger holds it.
func (a Acceptance) Done() bool { return a.State == "done" }

// Gift is one gift to be received.
type Gift struct {
	ID        string `json:"id"`
	Amount    string `json:"amount"`
	Donor     string `json:"donor,omitempty"`
	Reference string `json:"reference,omitempty"`
}

// Item names a page or an inflow to be settled, and what it rests on.
type Item struct {
	Source       string `json:"source"`
	Lines        *Lines `json:"lines,omitempty"`
	Processor    string `json:"processor,omitempty"`
	SelfDeclared bool   `json:"selfDeclared,omitempty"`
}

// Lines names a page of statement lines.
type Lines struct {
	N         int32  `json:"n"`
	Statement string `json:"statement"`
}

// Submit sends a command, canonical and where it needs it signed, and waits
// until the ledger holds it. The error of one that the ledger refused is a *Problem.
func (c *Client) Submit(ctx context.Context, function string, argument []byte) (Acceptance, error) {
	contract, name, _ := strings.Cut(function, ":")
	var a Acceptance
	path := "/api/v1/commands/" + url.PathEscape(contract) + "/" + url.PathEscape(name)
	if err := c.Post(ctx, path, json.RawMessage(argument), &a); err != nil {
		return a, err
	}
	return c.Wait(ctx, a)
}

// Send sends a command and returns as soon as the gateway has it on its disk.
func (c *Client) Send(ctx context.Context, function string, argument []byte) (Acceptance, error) {
	contract, name, _ := strings.Cut(function, ":")
	var a Acceptance
	err := c.post(ctx, "/api/v1/commands/"+url.PathEscape(contract)+"/"+url.PathEscape(name), "respond-async", json.RawMessage(argument), &a)
	return a, err
}

// Gifts sends a few gifts and waits until the ledger holds each, or has refused it.
func (c *Client) Gifts(ctx context.Context, account string, gifts ...Gift) ([]Acceptance, error) {
	return c.list(ctx, "/api/v1/accounts/"+url.PathEscape(account)+"/gifts", map[string]any{"gifts": gifts})
}

// Settle asks for pages and inflows to be settled and waits until each is, or has been refused.
func (c *Client) Settle(ctx context.Context, account string, items ...Item) ([]Acceptance, error) {
	return c.list(ctx, "/api/v1/accounts/"+url.PathEscape(account)+"/settlements", map[string]any{"items": items})
}

func (c *Client) list(ctx context.Context, path string, body any) ([]Acceptance, error) {
	var answer struct {
		Items []Acceptance `json:"items"`
	}
	if err := c.Post(ctx, path, body, &answer); err != nil {
		return nil, err
	}
	for i, item := range answer.Items {
		waited, err := c.Wait(ctx, item)
		var p *Problem
		if errors.As(err, &p) {
			waited.Problem, err = p, nil
		}
		if err != nil {
			return answer.Items, err
		}
		answer.Items[i] = waited
	}
	return answer.Items, nil
}

// Wait asks how something stands until it has ended.
func (c *Client) Wait(ctx context.Context, a Acceptance) (Acceptance, error) {
	for !a.Ended() {
		if err := c.do(ctx, http.MethodGet, a.Status, request{prefer: waits}, &a); err != nil {
			return a, err
		}
	}
	if a.Problem != nil {
		return a, a.Problem
	}
	return a, nil
}

// waits is how long a request may stay open; after that it is asked again.
const waits = "wait=20"

// Post sends a write and reads the answer into one of the answer types.
func (c *Client) Post(ctx context.Context, path string, body, into any) error {
	return c.post(ctx, path, waits, body, into)
}

func (c *Client) post(ctx context.Context, path, prefer string, body, into any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	if raw, is := body.(json.RawMessage); is {
		encoded = raw // byte for byte: what was signed must not be written anew
	}
	var key [16]byte
	if _, err := rand.Read(key[:]); err != nil {
		return err
	}
	return c.do(ctx, http.MethodPost, path, request{body: encoded, prefer: prefer, key: hex.EncodeToString(key[:])}, into)
}

// Get reads into a value, from a position of the ledger on; empty means whatever is there.
func (c *Client) Get(ctx context.Context, path, position string, into any) error {
	return c.do(ctx, http.MethodGet, path, request{position: position}, into)
}

// Own asks for what is the organisation's own: with its token, once.
func (c *Client) Own(ctx context.Context, method, path string, body, into any) error {
	encoded := []byte(nil)
	if body != nil {
		var err error
		if encoded, err = json.Marshal(body); err != nil {
			return err
		}
	}
	return c.once(ctx, method, path, request{body: encoded, own: true}, into)
}

// Download reads an answer as it comes; whoever asked closes it.
func (c *Client) Download(ctx context.Context, path string) (io.ReadCloser, error) {
	message, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.URL, "/")+path, nil)
	if err != nil {
		return nil, err
	}
	answer, err := c.client().Do(message)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode >= http.StatusBadRequest {
		defer func() { _ = answer.Body.Close() }()
		body, err := io.ReadAll(io.LimitReader(answer.Body, answerBytesMax))
		return nil, errors.Join(problemOf(answer.StatusCode, body), err)
	}
	return answer.Body, nil
}

// Upload sends a body as it is, once: what it made cannot be told apart from a second try.
func (c *Client) Upload(ctx context.Context, path, kind string, body io.Reader, into any) error {
	message, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.URL, "/")+path, body)
	if err != nil {
		return err
	}
	message.Header.Set("Authorization", "Bearer "+c.Token)
	message.Header.Set("Content-Type", kind)
	answer, err := c.client().Do(message)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, answerBytesMax))
	if err != nil {
		return &url.Error{Op: http.MethodPost, URL: path, Err: err}
	}
	if answer.StatusCode >= http.StatusBadRequest {
		return problemOf(answer.StatusCode, text)
	}
	return json.Unmarshal(text, into)
}

func (c *Client) client() *http.Client {
	if c.HTTP == nil {
		return http.DefaultClient
	}
	return c.HTTP
}

type request struct {
	body                  []byte
	prefer, key, position string
	// own sends the token although nothing is written.
	own bool
}

// do sends a request again and again while that may help.
func (c *Client) do(ctx context.Context, method, path string, r request, into any) error {
	patience := c.Patience
	if patience == 0 {
		patience = time.Minute
	}
	begun := time.Now()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 3*time.Second) {
		err := c.once(ctx, method, path, r, into)
		if err == nil || !retryable(err) || time.Since(begun) > patience {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(pause):
		}
	}
}

// retryable reports whether the same request may succeed later: a lost
// connection, or an answer that says so.
func retryable(err error) bool {
	var p *Problem
	if errors.As(err, &p) {
		return p.Retryable
	}
	var lost *url.Error
	return errors.As(err, &lost) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// answerBytesMax is the longest answer that is read.
const answerBytesMax = 64 << 20

func (c *Client) once(ctx context.Context, method, path string, r request, into any) error {
	message, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+path, bytes.NewReader(r.body))
	if err != nil {
		return err
	}
	for name, value := range map[string]string{"Prefer": r.prefer, "Idempotency-Key": r.key, "Lianbao-Position": r.position} {
		if value != "" {
			message.Header.Set(name, value)
		}
	}
	if method != http.MethodGet || r.own {
		message.Header.Set("Authorization", "Bearer "+c.Token)
		message.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.client().Do(message)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, answerBytesMax))
	if err != nil {
		return &url.Error{Op: method, URL: path, Err: err}
	}
	if answer.StatusCode >= http.StatusBadRequest {
		return problemOf(answer.StatusCode, body)
	}
	return json.Unmarshal(body, into)
}

func problemOf(status int, body []byte) error {
	p := &Problem{}
	if err := json.Unmarshal(body, p); err != nil || p.Code == "" {
		return fmt.Errorf("the gateway answered %s: %.200s", strconv.Itoa(status)+" "+http.StatusText(status), body)
	}
	return p
}

// OpenLine is a line of the bank that nothing rests on yet.
type OpenLine struct {
	Account   string `json:"account"`
	Statement string `json:"statement"`
	N         int32  `json:"n"`
	Index     int    `json:"index"`
	Side      string `json:"side"`
	Number    int32  `json:"number"`
	Date      string `json:"date"`
	Amount    string `json:"amount"`
}

// OpenLines lists those of a bank account, on one side ("credit" or "debit")
// and of one amount where these are not empty.
func (c *Client) OpenLines(ctx context.Context, account, side, amount string) ([]OpenLine, error) {
	query := url.Values{"account": {account}}
	for name, value := range map[string]string{"side": side, "amount": amount} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return whole[OpenLine](ctx, c, "/api/v1/open-lines", query)
}

// ProcessorFile is a payment processor's file of a page of gifts.
type ProcessorFile struct {
	ID    string `json:"id"`
	Page  string `json:"page"`
	Count int32  `json:"count"`
	Total string `json:"total"`
	Fee   string `json:"fee"`
	FeeTo string `json:"feeTo"`
	Line  struct {
		Reference string `json:"reference"`
		Line      int32  `json:"line"`
	} `json:"line"`
	Entry string `json:"entry"`
}

// Processors lists the payment processors' files of an account.
func (c *Client) Processors(ctx context.Context, account string) ([]ProcessorFile, error) {
	return whole[ProcessorFile](ctx, c, "/api/v1/accounts/"+url.PathEscape(account)+"/processors", url.Values{})
}

// Reversal is a gift that was taken back or went to another account.
type Reversal struct {
	// Kind is refund, chargeback, returned, identified or corrected.
	Kind   string `json:"kind"`
	Source string `json:"source"`
	Index  int32  `json:"index"`
	To     string `json:"to"`
	Reason string `json:"reason"`
	Hold   string `json:"hold"`
	Entry  string `json:"entry"`
}

// Reversals lists those of an account.
func (c *Client) Reversals(ctx context.Context, account string) ([]Reversal, error) {
	return whole[Reversal](ctx, c, "/api/v1/accounts/"+url.PathEscape(account)+"/reversals", url.Values{})
}

// partMost is the most items a gateway gives at once.
const partMost = "1000"

// whole reads all parts of a list.
func whole[T any](ctx context.Context, c *Client, path string, query url.Values) ([]T, error) {
	query.Set("limit", partMost)
	all := []T{}
	for {
		var part struct {
			Items []T    `json:"items"`
			Next  string `json:"next"`
		}
		if err := c.Get(ctx, path+"?"+query.Encode(), "", &part); err != nil {
			return nil, err
		}
		if all = append(all, part.Items...); part.Next == "" {
			return all, nil
		}
		query.Set("after", part.Next)
	}
}
