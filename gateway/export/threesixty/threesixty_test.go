package threesixty

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/gateway/export/judge"
)

var sunrise = Organisation{"XI-IATI-SUNRISE", "Sunrise 朝阳"}

func grants(all ...Grant) iter.Seq2[Grant, error] {
	return func(yield func(Grant, error) bool) {
		for _, g := range all {
			if !yield(g, nil) {
				return
			}
		}
	}
}

func partnerGrant() Grant {
	paid := money.New(100_000_00, "CNY")
	return Grant{ID: "360G-sunrise-charity.H-1", Title: "Travel", Description: "Travel of 30 families", Awarded: money.New(120_000_00, "CNY"), Disbursed: &paid, Date: "2026-03-01",
		Funder: sunrise, Recipient: &Organisation{"360G-sunrise-ORG:green-valley", "Green Valley"}, Regrant: CommonRegrant, Programme: Programme{"books", "Books"},
		Place: Place{"CN", "Yunnan"}, Modified: 1_772_000_000_000, Related: []string{"360G-sunrise-charity.H-2"}}
}

func personGrant() Grant {
	return Grant{ID: "360G-sunrise-charity.H-2", Title: "Support", Description: "Support of a family", Awarded: money.New(50_000, "VND"), Date: "2026-03-02", Funder: sunrise,
		Individual: &Individual{Reason: "GTIR010", Purposes: []string{"GTIP100", "GTIP130"}}}
}

func pack(all ...Grant) Package {
	return Package{Issued: "2026-03-15", Publisher: sunrise, Title: "Grants of Sunrise", Prefix: "360G-sunrise", License: "https://creativecommons.org/licenses/by/4.0/", Source: "https://sunrise.example/grants", Grants: grants(all...)}
}

func TestAPackageIsValid(t *testing.T) {
	bare := personGrant()
	bare.ID, bare.Individual = "360G-sunrise-x", &Individual{}
	var b bytes.Buffer
	if err := Write(&b, pack(partnerGrant(), personGrant(), bare)); err != nil {
		t.Fatal(err)
	}
	if err := judge.Grants(t, b.Bytes()); err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	for _, want := range []string{`"amountAwarded":120000.00,"amountDisbursed":100000.00`, `"amountAwarded":50000,`, `"regrantType":"FRG010"`,
		`"recipientIndividual":{"id":"360G-sunrise-charity.H-2-recipient","name":"Individual Recipient"}`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is missing in\n%s", want, b.String())
		}
	}
	if strings.Count(b.String(), "regrantType") != 1 {
		t.Error("a grant to a person is marked to be granted again")
	}
}

// TestTheSchemasBite: without what is required, or with another type, the validator says no.
func TestTheSchemasBite(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, pack(partnerGrant())); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new string }{
		{`"title":"Travel",`, ""}, {`120000.00`, `"120000.00"`}, {`"awardDate":"2026-03-01"`, `"awardDate":"1 March"`}, {`"currency":"CNY"`, `"currency":"RMB"`},
		{`"recipientOrganization"`, `"recipient"`}, {`"name":"Green Valley"`, `"nome":"Green Valley"`}, {`"version":"1.4"`, `"version":"1.4.3"`},
	} {
		changed := strings.Replace(b.String(), c.old, c.new, 1)
		if changed == b.String() || judge.Grants(t, []byte(changed)) == nil {
			t.Errorf("%s for %s is taken", c.new, c.old)
		}
	}
}

func TestRefusals(t *testing.T) {
	long := strings.Repeat("長", 140)
	for _, c := range []struct {
		name  string
		make  func(p *Package, g *Grant)
		field string
	}{
		{"no day", func(p *Package, g *Grant) { p.Issued = "" }, "issued"},
		{"prefix", func(p *Package, g *Grant) { p.Prefix = "sunrise" }, "prefix"},
		{"license", func(p *Package, g *Grant) { p.License = "CC BY" }, "license"},
		{"source", func(p *Package, g *Grant) { p.Source = "/grants" }, "source"},
		{"title", func(p *Package, g *Grant) { p.Title = "" }, "title"},
		{"publisher", func(p *Package, g *Grant) { p.Publisher.ID = "sunrise" }, "publisher.id"},
		{"publisher's name", func(p *Package, g *Grant) { p.Publisher.Name = "" }, "publisher.name"},
		{"foreign id", func(p *Package, g *Grant) { g.ID = "360G-other-1" }, "grants[0].id"},
		{"prefix only", func(p *Package, g *Grant) { g.ID = "360G-sunrise-" }, "grants[0].id"},
		{"blank in id", func(p *Package, g *Grant) { g.ID += " 1" }, "grants[0].id"},
		{"no title", func(p *Package, g *Grant) { g.Title = " " }, "grants[0].title"},
		{"long title", func(p *Package, g *Grant) { g.Title = long }, "grants[0].title"},
		{"no description", func(p *Package, g *Grant) { g.Description = "" }, "grants[0].description"},
		{"control character", func(p *Package, g *Grant) { g.Description = "a\x01" }, "grants[0].description"},
		{"nothing", func(p *Package, g *Grant) { g.Awarded.Units = 0 }, "grants[0].awarded"},
		{"negative", func(p *Package, g *Grant) { g.Awarded.Units = -1 }, "grants[0].awarded"},
		{"no currency", func(p *Package, g *Grant) { g.Awarded.Currency = "" }, "grants[0].awarded"},
		{"currency unknown there", func(p *Package, g *Grant) { g.Awarded.Currency = "ZWG" }, "grants[0].awarded"},
		{"paid more", func(p *Package, g *Grant) { g.Disbursed.Units = g.Awarded.Units + 1 }, "grants[0].disbursed"},
		{"paid less than nothing", func(p *Package, g *Grant) { g.Disbursed.Units = -1 }, "grants[0].disbursed"},
		{"paid otherwise", func(p *Package, g *Grant) { g.Disbursed.Currency = "VND" }, "grants[0].disbursed"},
		{"no such day", func(p *Package, g *Grant) { g.Date = "2026-02-30" }, "grants[0].date"},
		{"tomorrow", func(p *Package, g *Grant) { g.Date = "2026-03-16" }, "grants[0].date"},
		{"funder", func(p *Package, g *Grant) { g.Funder.ID = "" }, "grants[0].funder.id"},
		{"nobody", func(p *Package, g *Grant) { g.Recipient = nil }, "grants[0].recipient"},
		{"both", func(p *Package, g *Grant) { g.Individual = &Individual{} }, "grants[0].recipient"},
		{"recipient's name", func(p *Package, g *Grant) { g.Recipient.Name = "" }, "grants[0].recipient.name"},
		{"regrant", func(p *Package, g *Grant) { g.Regrant = "FRG080" }, "grants[0].regrant"},
		{"a person's regrant", func(p *Package, g *Grant) { g.Recipient, g.Individual = nil, &Individual{} }, "grants[0].regrant"},
		{"reason", func(p *Package, g *Grant) { *g = personGrant(); g.Individual.Reason = "GTIR130" }, "grants[0].individual.reason"},
		{"purpose", func(p *Package, g *Grant) { *g = personGrant(); g.Individual.Purposes[1] = "GTIP180" }, "grants[0].individual.purposes[1]"},
		{"country", func(p *Package, g *Grant) { g.Place.Country = "China" }, "grants[0].place.country"},
		{"place", func(p *Package, g *Grant) { g.Place.Name = "x " }, "grants[0].place.name"},
		{"related", func(p *Package, g *Grant) { g.Related = []string{"H-1"} }, "grants[0].related[0]"},
	} {
		g := partnerGrant()
		p := pack()
		c.make(&p, &g)
		p.Grants = grants(g)
		var b bytes.Buffer
		err := Write(&b, p)
		var refusal *rule.Refusal
		if !errors.As(err, &refusal) {
			t.Errorf("%s is not refused: %v", c.name, err)
			continue
		}
		if field, sentence := refusal.Pointer(); field != c.field {
			t.Errorf("%s: refuses %q (%s), want %q", c.name, field, sentence, c.field)
		}
		if b.Len() > 0 {
			t.Errorf("%s: %d bytes were written", c.name, b.Len())
		}
	}
	for name, p := range map[string]Package{"none": pack(), "twice": pack(partnerGrant(), partnerGrant())} {
		if err := Write(&bytes.Buffer{}, p); !rule.Is(err, rule.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCurrencies: what is refused is what the standard does not know, and nothing else.
func TestCurrencies(t *testing.T) {
	data, err := os.ReadFile(judge.Published(t, "360giving/360-giving-schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Defs struct {
			Currency struct{ Enum []money.Currency } `json:"currency"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal(data, &schema); err != nil || len(schema.Defs.Currency.Enum) < 100 {
		t.Fatalf("%d currencies, %v", len(schema.Defs.Currency.Enum), err)
	}
	for _, c := range money.Currencies() {
		g := personGrant()
		g.Awarded.Currency = c
		known := slices.Contains(schema.Defs.Currency.Enum, c)
		if err := Write(&bytes.Buffer{}, pack(g)); (err == nil) != known {
			t.Errorf("%s: the standard knows it %v, it is refused with %v", c, known, err)
		}
	}
}

func TestAFaultOfTheRows(t *testing.T) {
	fault := errors.New("the rows ended early")
	p := pack()
	p.Grants = func(yield func(Grant, error) bool) { yield(Grant{}, fault) }
	var b bytes.Buffer
	if err := Write(&b, p); !errors.Is(err, fault) || b.Len() > 0 {
		t.Errorf("%v after %d bytes", err, b.Len())
	}
}
