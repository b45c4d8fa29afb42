package login

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/gateway/message"
)

// Times of a login by an issuer.
const (
	flowLife = 10 * time.Minute
	// discoverEvery bounds how long a key that the issuer has withdrawn is still
	// believed: the library keeps keys until it meets one that it does not know.
	discoverEvery = time.Hour
	// tokenAge is how old a token may be that answers a login of now.
	tokenAge = 10 * time.Minute
)

// flow is a login at an issuer that is under way.
type flow struct {
	issuer, verifier, nonce, back string
	until                         time.Time
}

// provider is an issuer and what it told about itself.
type provider struct {
	Issuer
	desk   *Desk
	secret string

	mutex      sync.Mutex
	discovered time.Time
	endpoint   oauth2.Endpoint
	verifier   *oidc.IDTokenVerifier
}

// discover asks the issuer where its parts are, now and then.
func (p *provider) discover(ctx context.Context) (oauth2.Endpoint, *oidc.IDTokenVerifier, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	now := p.desk.Clock()
	if p.verifier != nil && now.Sub(p.discovered) < discoverEvery {
		return p.endpoint, p.verifier, nil
	}
	// What the provider fetches later must not end with this request.
	found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.desk.Client), p.Issuer.Issuer)
	if err != nil {
		return oauth2.Endpoint{}, nil, p.away(err)
	}
	p.discovered, p.endpoint = now, found.Endpoint()
	p.verifier = found.Verifier(&oidc.Config{ClientID: p.ClientID, SupportedSigningAlgs: []string{oidc.RS256, oidc.ES256},
		Now: func() time.Time { return p.desk.Clock().Add(-p.skew()) }})
	return p.endpoint, p.verifier, nil
}

func (p *provider) away(err error) error {
	p.desk.Log.Warn("an issuer does not answer", "issuer", p.Issuer.Issuer, "error", err)
	return message.Refuse(rule.WrongState, "issuer.away", "Issuer", p.Issuer.Issuer)
}

func (p *provider) oauth(endpoint oauth2.Endpoint) *oauth2.Config {
	return &oauth2.Config{ClientID: p.ClientID, ClientSecret: p.secret, Endpoint: endpoint, RedirectURL: p.desk.Origin + "/login/issuer/" + p.Name + "/callback",
		Scopes: []string{oidc.ScopeOpenID, "email"}}
}

func (d *Desk) issuer(r *http.Request) (*provider, error) {
	if p := d.issuers[r.PathValue("name")]; p != nil {
		return p, nil
	}
	return nil, message.Refuse(rule.NotFound, "issuer.unknown")
}

// begin sends a browser to its issuer.
func (d *Desk) begin(w http.ResponseWriter, r *http.Request) {
	address, err := d.authorize(w, r)
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
}

func (d *Desk) authorize(w http.ResponseWriter, r *http.Request) (string, error) {
	p, err := d.issuer(r)
	if err != nil {
		return "", err
	}
	back, err := localPath(r.URL.Query().Get("return"))
	if err != nil {
		return "", err
	}
	session, err := d.here(w, r)
	if err != nil {
		return "", err
	}
	endpoint, _, err := p.discover(r.Context())
	if err != nil {
		return "", err
	}
	state := secret()
	f := flow{issuer: p.Name, verifier: oauth2.GenerateVerifier(), nonce: secret(), back: back, until: d.Clock().Add(flowLife)}
	session.keep(state, f)
	return p.oauth(endpoint).AuthCodeURL(state, oidc.Nonce(f.nonce), oauth2.S256ChallengeOption(f.verifier)), nil
}

// keep remembers a flow; the one that ends first makes room.
func (s Session) keep(state string, f flow) {
	s.read(func(r *record) {
		if len(r.flows) >= pendingMax {
			first := ""
			for state, known := range r.flows {
				if first == "" || known.until.Before(r.flows[first].until) {
					first = state
				}
			}
			delete(r.flows, first)
		}
		r.flows[state] = f
	})
}

// takeFlow takes a flow away: its state is good once, at this browser, for a while.
func (s Session) takeFlow(state, issuer string, now time.Time) (flow, error) {
	var found flow
	s.read(func(r *record) {
		if f, known := r.flows[state]; known && f.issuer == issuer {
			found = f
			delete(r.flows, state)
		}
	})
	if found.issuer == "" || !now.Before(found.until) {
		return flow{}, message.Refuse(rule.Expired, "issuer.state")
	}
	return found, nil
}

// callback is where the issuer sends the browser back to.
func (d *Desk) callback(w http.ResponseWriter, r *http.Request) {
	p, err := d.issuer(r)
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	f, err := d.Session(r).takeFlow(r.URL.Query().Get("state"), p.Name, d.Clock())
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	token, err := p.redeem(r.Context(), r.URL.Query(), f)
	if err != nil {
		d.again(w, r, http.StatusForbidden, err, f.back)
		return
	}
	member, err := p.member(token)
	if err == nil {
		err = d.lives(r.Context(), member)
	}
	if err != nil {
		d.again(w, r, http.StatusForbidden, err, f.back)
		return
	}
	d.admit(w, r, member, "issuer "+p.Name, f.back)
}

// redeem exchanges the code for a token and judges it.
func (p *provider) redeem(ctx context.Context, answer url.Values, f flow) (*oidc.IDToken, error) {
	// RFC 9207: an answer that names its issuer must name this one.
	if issuer := answer.Get("iss"); issuer != "" && issuer != p.Issuer.Issuer {
		return nil, p.refuse("it names another issuer")
	}
	if answer.Get("error") != "" || answer.Get("code") == "" {
		return nil, message.Refuse(rule.Forbidden, "issuer.declined", "Issuer", p.Issuer.Issuer)
	}
	endpoint, verifier, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	ctx = oidc.ClientContext(ctx, p.desk.Client)
	answered, err := p.oauth(endpoint).Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(f.verifier))
	var said *oauth2.RetrieveError
	if errors.As(err, &said) {
		return nil, p.refuse("the code was refused: " + said.ErrorCode)
	}
	if err != nil {
		return nil, p.away(err)
	}
	raw, is := answered.Extra("id_token").(string)
	if !is {
		return nil, p.refuse("there is no id token")
	}
	token, err := verifier.Verify(ctx, raw)
	if err != nil {
		return nil, p.refuse(err.Error())
	}
	return token, p.judge(token, f, answered.AccessToken)
}

// judge makes the checks that the library leaves to its user.
func (p *provider) judge(token *oidc.IDToken, f flow, access string) error {
	var claims struct {
		AuthorizedParty string `json:"azp"`
	}
	if err := token.Claims(&claims); err != nil {
		return p.refuse("its claims cannot be read")
	}
	now := p.desk.Clock()
	switch {
	case token.Nonce != f.nonce:
		return p.refuse("the token answers another login")
	case token.Subject == "":
		return p.refuse("the token has no subject")
	case claims.AuthorizedParty != "" && claims.AuthorizedParty != p.ClientID, len(token.Audience) > 1 && claims.AuthorizedParty == "":
		return p.refuse("the token was made for another program")
	case token.IssuedAt.After(now.Add(p.skew())), token.IssuedAt.Before(now.Add(-tokenAge - p.skew())):
		return p.refuse("the token is not of now; compare the clocks")
	case token.AccessTokenHash != "" && token.VerifyAccessToken(access) != nil:
		return p.refuse("the token belongs to another access token")
	}
	return nil
}

// refuse logs what is wrong and tells the person no more than that it is.
func (p *provider) refuse(why string) error {
	p.desk.Log.Warn("an issuer's answer was refused", "issuer", p.Issuer.Issuer, "why", why)
	return message.Refuse(rule.Forbidden, "issuer.refused", "Issuer", p.Issuer.Issuer)
}

// member finds who the token is about among those whom the organisation lets
// in, and says what to add where it finds nobody.
func (p *provider) member(token *oidc.IDToken) (Member, error) {
	for _, member := range p.Members {
		if member.Subject != "" && member.Subject == token.Subject {
			return member, nil
		}
	}
	var claims struct {
		Email string `json:"email"`
		// Verified is a bool by the standard; some issuers write a text.
		Verified any `json:"email_verified"`
	}
	if err := token.Claims(&claims); err != nil {
		return Member{}, p.refuse("its claims cannot be read")
	}
	index := slices.IndexFunc(p.Members, func(m Member) bool { return m.Email != "" && fold(m.Email) == fold(claims.Email) })
	if index < 0 {
		return Member{}, message.Refuse(rule.Forbidden, "issuer.stranger", "Issuer", p.Issuer.Issuer, "Name", p.Name, "Subject", token.Subject)
	}
	if claims.Verified != true && claims.Verified != "true" {
		return Member{}, message.Refuse(rule.Forbidden, "issuer.email", "Issuer", p.Issuer.Issuer, "Subject", token.Subject)
	}
	return p.Members[index], nil
}

// lives refuses staff whose person the ledger does not know or has revoked.
// Whose key merely waits or is suspended may look, and will not be able to sign.
func (d *Desk) lives(ctx context.Context, member Member) error {
	if member.Person == "" {
		return nil
	}
	person, err := d.Persons.Person(ctx, member.Person)
	if err != nil {
		return err
	}
	if person.Revoked != 0 {
		return message.Refuse(rule.Forbidden, "person.revoked", "Person", string(person.ID), "When", person.Revoked.String())
	}
	return nil
}
