// Package threesixty writes grants as a package of the 360Giving Data Standard
// (JSON, schema 1.4).
//
// A grant to an organisation names it; a grant to a person names nobody. What
// a partner receives in order to give it on carries a regrant type, so that
// who adds up several funders' files does not count the same money twice.
package threesixty

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Version is the version of the standard that a package names.
const Version = "1.4"

// Package is one file of grants.
type Package struct {
	// Issued is the day of the file; no date of a grant may be later but those planned.
	Issued    tape.Date
	Publisher Organisation
	Title     string
	// Prefix is what 360Giving gave the publisher, such as 360G-sunrise; every grant's id begins with it and "-".
	Prefix string
	// License and Source are addresses; empty where there is none.
	License, Source string
	// Grants are walked twice: all are checked before the first byte is written.
	Grants iter.Seq2[Grant, error]
}

// Organisation is an organisation by its identifier and name.
type Organisation struct {
	// ID is {registration agency}-{registration number}, or Prefix-ORG:{own id} where it has none.
	ID, Name string
}

// Grant is money awarded to one receiver.
type Grant struct {
	// ID is the package's prefix, "-" and the publisher's own id.
	ID, Title, Description string
	Awarded                money.Amount
	// Disbursed is what of it has been paid; nil where not known.
	Disbursed *money.Amount
	Date      tape.Date
	Funder    Organisation
	// Recipient nil is a person, whose name and id are not published.
	Recipient *Organisation
	// Individual is set for a person.
	Individual *Individual
	// Regrant is a code of the list regrantType for money to be granted again; empty for money to be used.
	Regrant string
	// Programme is the campaign.
	Programme Programme
	// Place is where it is used; the zero value where that is not published.
	Place Place
	// Modified is the last change; 0 where not known.
	Modified tape.Instant
	Related  []string
}

// Individual is why and for what a person received, by codes of the lists
// grantToIndividualsReason and grantToIndividualsPurpose; empty where not said.
type Individual struct {
	Reason   string
	Purposes []string
}

// Programme is a campaign as 360Giving's grant programme.
type Programme struct{ Code, Title string }

// Place is a country, and an area of it by name.
type Place struct{ Country, Name string }

// Names of anonymous receivers. A person's id is made of the grant's id, so
// that two grants to one person cannot be told to be so.
const (
	RecipientName   = "Individual Recipient"
	recipientSuffix = "-recipient"
)

// titleMax is the length, in characters, that a title stays under.
const titleMax = 140

// CommonRegrant marks a grant to one organisation that gives it on as grants.
const CommonRegrant = "FRG010"

var (
	prefixForm  = regexp.MustCompile(`^360G-[A-Za-z0-9_-]+$`)
	idForm      = regexp.MustCompile(`^[A-Za-z0-9._:/-]+$`)
	regrantForm = regexp.MustCompile(`^FRG0[1-7]0$`)
	reasonForm  = regexp.MustCompile(`^GTIR(0[1-9]0|1[0-2]0)$`)
	purposeForm = regexp.MustCompile(`^GTIP(0[1-9]0|1[0-7]0)$`)
	countryForm = regexp.MustCompile(`^[A-Z]{2}$`)
	agencyForm  = regexp.MustCompile(`^[A-Z]{2}-[A-Z0-9_]+-[^\s]+$`)
	// unknownThere are currencies of ISO 4217 that are younger than the standard's list.
	unknownThere = []money.Currency{"SLE", "UYW", "VED", "XCG", "ZWG"}
)

// Write checks every grant and then writes the package. Nothing has been
// written when it returns a refusal.
func Write(w io.Writer, p Package) error {
	if err := p.check(); err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	head, err := json.Marshal(p.head())
	if err != nil {
		return err
	}
	// The head's last brace is put after the grants.
	if _, err := b.Write(head[:len(head)-1]); err != nil {
		return err
	}
	separator := ",\"grants\":[\n"
	for g, err := range p.Grants {
		if err == nil {
			// Asked again: what the rows come from may have changed between the walks.
			err = g.check(p)
		}
		if err != nil {
			return err
		}
		one, err := json.Marshal(g.wire())
		if err != nil {
			return err
		}
		if _, err := b.WriteString(separator + string(one)); err != nil {
			return err
		}
		separator = ",\n"
	}
	if _, err := b.WriteString("\n]}\n"); err != nil {
		return err
	}
	return b.Flush()
}

func (p Package) check() error {
	if err := p.checkHead(); err != nil {
		return err
	}
	seen := map[string]bool{}
	n := 0
	for g, err := range p.Grants {
		if err == nil {
			err = g.check(p)
		}
		if err == nil && seen[g.ID] {
			err = rule.Field("id", rule.Refuse(rule.Invalid, "%q stands twice in the package", g.ID))
		}
		if err != nil {
			return rule.Field(fmt.Sprintf("grants[%d]", n), err)
		}
		seen[g.ID] = true
		n++
	}
	if n == 0 {
		return rule.Field("grants", rule.Refuse(rule.Invalid, "is empty; a package holds one grant at least"))
	}
	return nil
}

func (p Package) checkHead() error {
	if err := p.Issued.Check(); err != nil {
		return rule.Field("issued", err)
	}
	if !prefixForm.MatchString(p.Prefix) {
		return rule.Field("prefix", rule.Refuse(rule.Invalid, "%.60q is not a prefix such as 360G-sunrise", p.Prefix))
	}
	for _, f := range []struct{ name, value string }{{"license", p.License}, {"source", p.Source}} {
		if err := address(f.value); err != nil {
			return rule.Field(f.name, err)
		}
	}
	if err := words(p.Title); err != nil {
		return rule.Field("title", err)
	}
	return rule.Field("publisher", p.Publisher.check(p.Prefix))
}

func address(text string) error {
	if text == "" {
		return nil
	}
	if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsAny(text, " \"<>\\^`{|}") {
		return rule.Refuse(rule.Invalid, "%.120q is not an address of the web", text)
	}
	return nil
}

// words refuses a text that is empty or holds what nobody can see.
func words(text string) error {
	if strings.TrimSpace(text) == "" || text != strings.TrimSpace(text) {
		return rule.Refuse(rule.Invalid, "%.60q is empty, or begins or ends with a blank", text)
	}
	if !utf8.ValidString(text) || strings.IndexFunc(text, func(c rune) bool { return unicode.IsControl(c) && c != '\n' }) >= 0 {
		return rule.Refuse(rule.Invalid, "is not UTF-8, or holds a control character")
	}
	return nil
}

func (o Organisation) check(prefix string) error {
	own := strings.HasPrefix(o.ID, prefix+"-ORG:") && idForm.MatchString(o.ID)
	if !own && !agencyForm.MatchString(o.ID) {
		return rule.Field("id", rule.Refuse(rule.Invalid, "%.80q is not an organisation's identifier; write agency and number, or %s-ORG: and an id of your own", o.ID, prefix))
	}
	return rule.Field("name", words(o.Name))
}

func (g Grant) check(p Package) error {
	if !strings.HasPrefix(g.ID, p.Prefix+"-") || len(g.ID) == len(p.Prefix)+1 || !idForm.MatchString(g.ID) {
		return rule.Field("id", rule.Refuse(rule.Invalid, "%.120q does not begin with %q, or holds a sign that ids have not", g.ID, p.Prefix+"-"))
	}
	if err := words(g.Title); err != nil {
		return rule.Field("title", err)
	}
	if utf8.RuneCountInString(g.Title) >= titleMax {
		return rule.Field("title", rule.Refuse(rule.Invalid, "has %d characters; fewer than %d are wanted", utf8.RuneCountInString(g.Title), titleMax))
	}
	if err := words(g.Description); err != nil {
		return rule.Field("description", err)
	}
	if err := g.checkMoney(); err != nil {
		return err
	}
	if err := g.Date.Check(); err != nil {
		return rule.Field("date", err)
	}
	if g.Date > p.Issued {
		return rule.Field("date", rule.Refuse(rule.Invalid, "%s is after %s, when the package is issued", g.Date, p.Issued))
	}
	if err := rule.Field("funder", g.Funder.check(p.Prefix)); err != nil {
		return err
	}
	if err := g.checkRecipient(p.Prefix); err != nil {
		return err
	}
	return g.checkRest()
}

func (g Grant) checkMoney() error {
	if err := g.Awarded.Positive(g.Awarded.Currency); err != nil {
		return rule.Field("awarded", err)
	}
	if _, err := g.Awarded.Currency.Exponent(); err != nil {
		return rule.Field("awarded", err)
	}
	for _, c := range unknownThere {
		if g.Awarded.Currency == c {
			return rule.Field("awarded", rule.Refuse(rule.Unsupported, "%s is not among the standard's currencies", c))
		}
	}
	if g.Disbursed == nil {
		return nil
	}
	if g.Disbursed.Currency != g.Awarded.Currency || g.Disbursed.Units < 0 || g.Disbursed.Units > g.Awarded.Units {
		return rule.Field("disbursed", rule.Refuse(rule.Invalid, "%s is not a part of the %s awarded", g.Disbursed, g.Awarded))
	}
	return nil
}

func (g Grant) checkRecipient(prefix string) error {
	if (g.Recipient == nil) == (g.Individual == nil) {
		return rule.Field("recipient", rule.Refuse(rule.Invalid, "is an organisation or a person, exactly one of them"))
	}
	if g.Recipient != nil {
		if g.Regrant != "" && !regrantForm.MatchString(g.Regrant) {
			return rule.Field("regrant", rule.Refuse(rule.Invalid, "%.20q is not a code of the list regrantType", g.Regrant))
		}
		return rule.Field("recipient", g.Recipient.check(prefix))
	}
	if g.Regrant != "" {
		return rule.Field("regrant", rule.Refuse(rule.Invalid, "a person does not grant money again"))
	}
	if g.Individual.Reason != "" && !reasonForm.MatchString(g.Individual.Reason) {
		return rule.Field("individual.reason", rule.Refuse(rule.Invalid, "%.20q is not a code of the list grantToIndividualsReason", g.Individual.Reason))
	}
	for i, purpose := range g.Individual.Purposes {
		if !purposeForm.MatchString(purpose) {
			return rule.Field(fmt.Sprintf("individual.purposes[%d]", i), rule.Refuse(rule.Invalid, "%.20q is not a code of the list grantToIndividualsPurpose", purpose))
		}
	}
	return nil
}

func (g Grant) checkRest() error {
	if g.Place.Country != "" && !countryForm.MatchString(g.Place.Country) {
		return rule.Field("place.country", rule.Refuse(rule.Invalid, "%.20q is not a country; write two capitals such as CN", g.Place.Country))
	}
	for _, f := range []struct{ name, value string }{{"place.name", g.Place.Name}, {"programme.code", g.Programme.Code}, {"programme.title", g.Programme.Title}} {
		if f.value == "" {
			continue
		}
		if err := words(f.value); err != nil {
			return rule.Field(f.name, err)
		}
	}
	for i, id := range g.Related {
		if !strings.HasPrefix(id, "360G-") {
			return rule.Field(fmt.Sprintf("related[%d]", i), rule.Refuse(rule.Invalid, "%.120q is not a grant's id", id))
		}
	}
	return nil
}
