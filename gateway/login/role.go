// Package login lets people in: staff by OpenID Connect, persons by a
// challenge that their key signs. It keeps sessions and the tokens that protect
// forms. What a page looks like is its Renderer's; what a role may do is
// decided where it is asked for.
package login

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/login/challenge"
)

// Role is what somebody does in an organisation.
type Role string

// The roles: a closed list.
const (
	Maker   Role = "maker"
	Checker Role = "checker"
	Agent   Role = "agent"
	Auditor Role = "auditor"
	Admin   Role = "admin"
)

// signs reports whether a role needs a person of the ledger.
func (r Role) signs() bool { return r == Maker || r == Checker || r == Agent }

// Config is the part of a gateway's file that says who may log in.
type Config struct {
	// Origin is where people find the pages, such as https://ledger.example.
	Origin string `json:"origin"`
	// Issuers log staff in; none when only keys do.
	Issuers []Issuer `json:"issuers,omitempty"`
	// Keys gives roles to persons who log in by their key; everybody else who
	// does has none, as households have.
	Keys []Member `json:"keys,omitempty"`
	// IdleMinutes and Hours end a session; 0 means 30 and 12.
	IdleMinutes int `json:"idleMinutes,omitempty"`
	Hours       int `json:"hours,omitempty"`
}

// Issuer is a provider of OpenID Connect, and whom it knows.
type Issuer struct {
	// Name stands in addresses: lower-case letters, digits and dashes.
	Name string `json:"name"`
	// Title is what people read on the login page.
	Title    string `json:"title"`
	Issuer   string `json:"issuer"`
	ClientID string `json:"clientId"`
	// Secret is the file of the client's secret; none for a public client.
	Secret string `json:"secret,omitempty"`
	// SkewSeconds is how far the issuer's clock may be off; 0 means 60.
	SkewSeconds int      `json:"skewSeconds,omitempty"`
	Members     []Member `json:"members"`
}

// Member is somebody whom the organisation lets in. An issuer knows it by
// Subject, which never changes hands, or by an Email that the issuer has
// verified; the ledger by Person.
type Member struct {
	Subject string  `json:"subject,omitempty"`
	Email   string  `json:"email,omitempty"`
	Person  tape.ID `json:"person,omitempty"`
	Roles   []Role  `json:"roles"`
}

// Bounds of the settings.
const (
	idleMinutes    = 30
	hours          = 12
	hoursMax       = 24
	skewSeconds    = 60
	skewSecondsMax = 300
)

var issuerName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// Check refuses a file that would let in somebody else than was meant.
func (c Config) Check() error {
	if err := challenge.CheckOrigin(c.Origin); err != nil {
		return fmt.Errorf("origin: %w", err)
	}
	if c.IdleMinutes < 0 || c.Hours < 0 || c.Hours > hoursMax || c.idle() > c.absolute() {
		return fmt.Errorf("idleMinutes, hours: not negative, %d hours at most, and idleMinutes no longer than hours", hoursMax)
	}
	var names []string
	for _, issuer := range c.Issuers {
		if slices.Contains(names, issuer.Name) {
			return fmt.Errorf("issuers: %s stands twice", issuer.Name)
		}
		names = append(names, issuer.Name)
		if err := issuer.check(); err != nil {
			return fmt.Errorf("issuer %s: %w", issuer.Name, err)
		}
	}
	var persons []tape.ID
	for _, member := range c.Keys {
		if member.Subject != "" || member.Email != "" || member.Person == "" || slices.Contains(persons, member.Person) {
			return fmt.Errorf("keys: each member is a person, once, without subject and email")
		}
		persons = append(persons, member.Person)
		if err := member.check(); err != nil {
			return fmt.Errorf("keys: %w", err)
		}
	}
	return nil
}

// Secrets reads the issuers' client secrets, by the issuer's name.
func (c Config) Secrets() (map[string]string, error) {
	secrets := map[string]string{}
	for _, issuer := range c.Issuers {
		if issuer.Secret == "" {
			continue
		}
		var err error
		if secrets[issuer.Name], err = ReadSecret(issuer.Secret); err != nil {
			return nil, err
		}
	}
	return secrets, nil
}

// ReadSecret reads a secret's file, and refuses one that is empty or that
// others than its owner may read.
func ReadSecret(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("others than its owner may read %s; run chmod 600 on it", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return secret, nil
}

func (c Config) idle() time.Duration {
	if c.IdleMinutes == 0 {
		return idleMinutes * time.Minute
	}
	return time.Duration(c.IdleMinutes) * time.Minute
}

func (c Config) absolute() time.Duration {
	if c.Hours == 0 {
		return hours * time.Hour
	}
	return time.Duration(c.Hours) * time.Hour
}

func (i Issuer) skew() time.Duration {
	if i.SkewSeconds == 0 {
		return skewSeconds * time.Second
	}
	return time.Duration(i.SkewSeconds) * time.Second
}

func (i Issuer) check() error {
	if !issuerName.MatchString(i.Name) {
		return fmt.Errorf("the name %.40q is not 1 to 32 lower-case letters, digits and dashes", i.Name)
	}
	if i.Title == "" || i.ClientID == "" {
		return fmt.Errorf("title or clientId is missing")
	}
	if err := i.checkAddress(); err != nil {
		return err
	}
	if i.SkewSeconds < 0 || i.SkewSeconds > skewSecondsMax {
		return fmt.Errorf("skewSeconds is 0 to %d", skewSecondsMax)
	}
	var known []string
	for _, member := range i.Members {
		if (member.Subject == "") == (member.Email == "") {
			return fmt.Errorf("each member has either a subject or an email")
		}
		name := "subject " + member.Subject
		if member.Email != "" {
			name = "email " + fold(member.Email)
		}
		if slices.Contains(known, name) {
			return fmt.Errorf("%s stands twice", name)
		}
		known = append(known, name)
		if err := member.check(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// checkAddress refuses an issuer whose answers could be changed on their way.
func (i Issuer) checkAddress() error {
	scheme, rest, _ := strings.Cut(i.Issuer, "://")
	host, _, _ := strings.Cut(rest, "/")
	if strings.ContainsAny(i.Issuer, "?#@ ") || challenge.CheckOrigin(scheme+"://"+host) != nil {
		return fmt.Errorf("%.80q is not the address of an issuer: https, or http on this machine, without query", i.Issuer)
	}
	return nil
}

func (m Member) check() error {
	if len(m.Roles) == 0 {
		return fmt.Errorf("roles is empty")
	}
	for n, role := range m.Roles {
		if !slices.Contains([]Role{Maker, Checker, Agent, Auditor, Admin}, role) {
			return fmt.Errorf("%.20q is not maker, checker, agent, auditor or admin", string(role))
		}
		if slices.Contains(m.Roles[:n], role) {
			return fmt.Errorf("role %s stands twice", role)
		}
		if role.signs() && m.Person == "" {
			return fmt.Errorf("a %s signs: name its person on the ledger", role)
		}
	}
	if m.Person != "" {
		return m.Person.Check()
	}
	return nil
}

// fold compares addresses of mail as people mean them. Only ASCII is folded:
// letters that merely look alike stay different.
func fold(email string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, email)
}
