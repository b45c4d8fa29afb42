package fund_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

type naming struct {
	C     fund.NamePublisher
	State fund.PublisherState
	Ctx   tape.Context
}

// imprint is that of an invented charity.
func imprint() fund.Imprint {
	return fund.Imprint{Identifier: "XE-EXAMPLE-sunrise", Kind: "public-foundation", Language: "en", License: "https://example.org/terms", Name: fund.Text{En: "Sunrise (invented)", Zh: "旭日基金会（虚构）"},
		Prefix: "360G-example", Source: "http://example.org/exports?of=all", Type: "22"}
}

func TestNamePublisher(t *testing.T) {
	known := func(change func(*fund.Imprint)) *fund.Publisher {
		p := fund.Publisher{V: 1, Imprint: imprint(), First: "XE-EXAMPLE-old", Entry: "charity/name-0"}
		change(&p.Imprint)
		return &p
	}
	ruletest.Refusals(t, func() naming {
		return naming{fund.NamePublisher{ID: "name-1", Imprint: imprint(), Organisation: "charity"}, fund.PublisherState{}, by("charity", "maker", "checker")}
	}, func(s naming) error { _, _, _, err := s.C.Apply(s.State, s.Ctx); return err }, []row[naming]{
		{func(s *naming) { s.C.Organisation = "" }, "invalid: field organisation: "},
		{func(s *naming) { s.C.Organisation = "coop" }, "forbidden: field organisation: charity (role gateway) does not say how coop is named; its own gateway does"},
		{func(s *naming) { s.Ctx.Role = "auditor" }, "forbidden: field organisation: charity (role auditor) does not say"},
		{func(s *naming) { s.C.Imprint.Name = fund.Text{} }, "invalid: field imprint.name: is empty in both languages"},
		{func(s *naming) { s.C.Imprint.Name.Zh = "旭日\n基金会" }, "invalid: field imprint.name.zh: holds the character U+000A, which cannot be shown"},
		{func(s *naming) { s.C.Imprint.Name.En = strings.Repeat("n", 121) }, "invalid: field imprint.name.en: has 121 characters; 120 at most"},
		{func(s *naming) { s.C.Imprint.Name.En = "" }, "invalid: field imprint.language: is en, and the name does not stand in it"},
		{func(s *naming) { s.C.Imprint.Language, s.C.Imprint.Name.Zh = "zh", "" }, "invalid: field imprint.language: is zh, and the name does not stand in it"},
		{func(s *naming) { s.C.Imprint.Language = "fr" }, "invalid: field imprint.language: is not one of en, zh"},
		{func(s *naming) { s.C.Imprint.Kind = "club" }, "invalid: field imprint.kind: is not one of public-foundation, public-association, foundation, association, other"},
		{func(s *naming) { s.C.Imprint.Type = "20" }, "invalid: field imprint.type: is not one of 10, 11, 15,"},
		{func(s *naming) { s.C.Imprint.Prefix = "sunrise" }, "invalid: field imprint.prefix: is not what 360Giving gives, such as 360G-example"},
		{func(s *naming) { s.C.Imprint.Prefix = "360G-" }, "invalid: field imprint.prefix: is not what 360Giving gives"},
		{func(s *naming) { s.C.Imprint.Prefix = "360G-a b" }, "invalid: field imprint.prefix: is not what 360Giving gives"},
		{func(s *naming) { s.C.Imprint.License = "ftp://example.org" }, "invalid: field imprint.license: is not an address of the web such as https://example.org"},
		{func(s *naming) { s.C.Imprint.License = "https://" }, "invalid: field imprint.license: is not an address of the web"},
		{func(s *naming) { s.C.Imprint.Source = "https://example.org/a b" }, "invalid: field imprint.source: is not an address of the web"},
		{func(s *naming) { s.C.Imprint.Source = "https://example.org/" + strings.Repeat("a", 200) }, "invalid: field imprint.source: is not an address of the web"},
		{func(s *naming) {
			s.State.Owner = &fund.Identified{V: 1, Organisation: "coop", Entry: "coop/name-1"}
		}, "exists: field imprint.identifier: XE-EXAMPLE-sunrise is the identifier of coop, by entry coop/name-1"},
		{func(s *naming) { s.State.Known = known(func(*fund.Imprint) {}) }, "wrong-state: charity is named so already, by entry charity/name-0"},
		{func(s *naming) { s.State.Known = known(func(i *fund.Imprint) { i.Prefix = "360G-before" }) }, "conflict: field imprint.prefix: charity has named its grants by 360G-before; the ids of published grants do not change"},
	})
}

// TestIdentifiers: agency and number, as IATI's rules and org-id.guide have them.
func TestIdentifiers(t *testing.T) {
	const form, list, code = "is not agency and number", "begins with what is no list of org-id.guide", "holds no unified social credit code"
	for _, c := range []struct{ identifier, want string }{
		{"XE-EXAMPLE-1", ""}, {"XI-LEI-529900T8BM49AURSDO55", ""}, {"GB-CHC-1096908", ""}, {"GB-COH_X-1", ""}, {"XM-DAC-41122", ""},
		{"CN-USCI-91350100M000100Y43", ""}, // the example of GB 32100-2015
		{"CN-USCI-G1610000713522976L", ""}, // that of org-id.guide
		{"CN-USCI-91350100M000100Y44", code}, {"CN-USCI-19350100M000100Y43", code}, {"CN-USCI-91350100M000100Y4", code}, {"CN-USCI-91350100m000100Y43", code},
		{"CN-USCI-91350100S000100Y43", code}, {"CN-USCI-53", code},
		{"CN-53-CR-530000000001", ""}, {"CN-SAIC-1", ""}, {"CN-MCA-1", list}, {"CN-53-XX-1", list}, {"CN-5-CR-1", list}, {"CN-53-CR-", list},
		{"XI-LIANBAO-CHARITY", list}, {"XX-EXAMPLE-1", list},
		{"", form}, {"XE", form}, {"XE-EXAMPLE", form}, {"XE-EXAMPLE-", form}, {"XE--1", form}, {"xe-EXAMPLE-1", form}, {"XE-example-1", form}, {"XEE-EXAMPLE-1", form},
		{"XE-EXAMPLE-1\n", form}, {"XE-EXAMPLE-1\r2", form}, {" XE-EXAMPLE-1", form}, {"XE-EXAMPLE-1 ", form}, {"XE-EXAMPLE-a b", form}, {"XE-EXAMPLE-a/b", form}, {"XE-EXAMPLE-a&b", form}, {"XE-EXAMPLE-a|b", form},
		{"XE-EXAMPLE-a?b", form}, {"XE-EXAMPLE-旭日", form},
		{"XE-EXAMPLE-" + strings.Repeat("1", 69), ""}, {"XE-EXAMPLE-" + strings.Repeat("1", 70), form},
	} {
		named := fund.NamePublisher{ID: "name-1", Imprint: imprint(), Organisation: "charity"}
		named.Imprint.Identifier = c.identifier
		got := ""
		if err := named.Check(); err != nil {
			got = err.Error()
		}
		if want := "invalid: field imprint.identifier: " + c.want; c.want == "" && got != "" || c.want != "" && !strings.HasPrefix(got, want) {
			t.Errorf("%q: %q, not %q", c.identifier, got, c.want)
		}
	}
}

// TestActivitiesKeepTheirNames: the first identifier stays what activities are
// named by, and whose an identifier is does not change with it.
func TestActivitiesKeepTheirNames(t *testing.T) {
	ctx, state := by("charity", "maker", "checker"), fund.PublisherState{}
	name := func(id tape.ID, identifier string) (fund.Publisher, fund.Identified) {
		c := fund.NamePublisher{ID: id, Imprint: imprint(), Organisation: "charity"}
		c.Imprint.Identifier = identifier
		named, owner, entry, err := c.Apply(state, ctx)
		if err != nil || entry.Kind != "name-publisher" || entry.Subject != "charity" {
			t.Fatalf("%+v, %v", entry, err)
		}
		return named, owner
	}
	first, owner := name("n1", "XE-EXAMPLE-a")
	state = fund.PublisherState{Known: &first}
	second, _ := name("n2", "XE-EXAMPLE-b")
	state = fund.PublisherState{Known: &second, Owner: &owner}
	third, again := name("n3", "XE-EXAMPLE-a")
	if got := fmt.Sprint(first.First, second.First, second.Identifier, third.First, third.Identifier); got != "XE-EXAMPLE-aXE-EXAMPLE-aXE-EXAMPLE-bXE-EXAMPLE-aXE-EXAMPLE-a" {
		t.Error(got)
	}
	if again != owner || owner.Entry != "charity/n1" {
		t.Errorf("whose it is: %+v, then %+v", owner, again)
	}
}
