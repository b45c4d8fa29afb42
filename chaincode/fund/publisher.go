package fund

import (
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Limits of what an organisation says of itself.
const (
	IdentifierMax = 80  // characters
	AddressMax    = 200 // characters
)

// PublisherKey is where it stands how an organisation names itself in what it publishes.
func PublisherKey(organisation string) string { return "publisher/" + organisation }

// IdentifiedKey is where it stands which organisation of the ledger an identifier is of.
func IdentifiedKey(identifier string) string { return "identified/" + identifier }

// Publisher is how an organisation is registered and named: in exports, and by
// which of the law's limits its years are measured.
type Publisher struct {
	V int32 `json:"v"`
	Imprint
	// First is the identifier that it named first: its activities are named by it
	// for ever, because who cites one must find it under another identifier too.
	First string `json:"first"`
	Entry string `json:"entry"`
}

// Imprint is what an organisation says of itself.
type Imprint struct {
	// Identifier is {registration agency}-{registration number}, as IATI and
	// 360Giving want it: the agency is a list of org-id.guide.
	Identifier string `json:"identifier"`
	// Kind is what the law takes it for, one of OrganisationKinds.
	Kind string `json:"kind"`
	// Language is en or zh, that of what is published in one language only.
	Language string `json:"language"`
	// License and Source are addresses of the web: of the terms under which exports
	// may be used, and of where they are found; empty for none.
	License string `json:"license,omitempty"`
	Name    Text   `json:"name"`
	// Prefix is what 360Giving gave the organisation, such as 360G-example; empty for none.
	Prefix string `json:"prefix,omitempty"`
	Source string `json:"source,omitempty"`
	// Type is IATI's organisation type, such as 22 for a national NGO.
	Type string `json:"type"`
}

// Identified says whose an identifier is.
type Identified struct {
	V            int32  `json:"v"`
	Organisation string `json:"organisation"`
	Entry        string `json:"entry"`
}

// OrganisationKinds are what the law takes an organisation for: a foundation,
// or an association or service organisation, each with the right to raise money
// from the public or without; other is no charitable organisation of that law.
func OrganisationKinds() []string {
	return []string{"public-foundation", "public-association", "foundation", "association", "other"}
}

// PublisherTypes are the codes of IATI's list OrganisationType.
func PublisherTypes() []string {
	return []string{"10", "11", "15", "21", "22", "23", "24", "30", "40", "60", "70", "71", "72", "73", "80", "90"}
}

// Languages are those in which texts stand on the ledger.
func Languages() []string { return []string{"en", "zh"} }

// NamePublisher says, or says anew, how an organisation is registered and named.
type NamePublisher struct {
	ID      tape.ID `json:"id"`
	Imprint Imprint `json:"imprint"`
	// Organisation is the caller's: what is signed names it.
	Organisation string `json:"organisation"`
}

// PublisherState is what the command reads.
type PublisherState struct {
	Known *Publisher  // PublisherKey of the organisation
	Owner *Identified // IdentifiedKey of the identifier
}

// Apply judges the command. That maker and checker of the organisation signed is
// checked against the policy by the caller.
func (c NamePublisher) Apply(state PublisherState, ctx tape.Context) (Publisher, Identified, tape.Entry, error) {
	if err := rule.First(c.Check(), c.own(ctx), state.allows(c)); err != nil {
		return Publisher{}, Identified{}, tape.Entry{}, err
	}
	entry := ctx.Entry(c.ID, "name-publisher", c.Organisation)
	named := Publisher{V: 1, Imprint: c.Imprint, First: c.Imprint.Identifier, Entry: entry.Reference()}
	if state.Known != nil {
		named.First = state.Known.First
	}
	owner := Identified{V: 1, Organisation: c.Organisation, Entry: entry.Reference()}
	if state.Owner != nil {
		owner = *state.Owner
	}
	return named, owner, entry, nil
}

// Check refuses what is malformed, before records are named after it.
func (c NamePublisher) Check() error {
	return rule.First(rule.Field("organisation", tape.CheckSegment(c.Organisation)), rule.Field("imprint", c.Imprint.check()))
}

// own refuses whoever speaks for another organisation.
func (c NamePublisher) own(ctx tape.Context) error {
	if ctx.Organisation != c.Organisation || ctx.Role != party.RoleGateway {
		return rule.Field("organisation", rule.Refuse(rule.Forbidden, "%s (role %s) does not say how %s is named; its own gateway does", ctx.Organisation, ctx.Role, c.Organisation))
	}
	return nil
}

// allows refuses another organisation's identifier, what stands already, and
// another prefix than that of grants which may have been published.
func (s PublisherState) allows(c NamePublisher) error {
	if s.Owner != nil && s.Owner.Organisation != c.Organisation {
		return rule.Field("imprint.identifier", rule.Refuse(rule.Exists, "%s is the identifier of %s, by entry %s", c.Imprint.Identifier, s.Owner.Organisation, s.Owner.Entry))
	}
	if s.Known == nil {
		return nil
	}
	if s.Known.Imprint == c.Imprint {
		return rule.Refuse(rule.WrongState, "%s is named so already, by entry %s", c.Organisation, s.Known.Entry)
	}
	if s.Known.Prefix != "" && s.Known.Prefix != c.Imprint.Prefix {
		return rule.Field("imprint.prefix", rule.Refuse(rule.Conflict, "%s has named its grants by %s; the ids of published grants do not change", c.Organisation, s.Known.Prefix))
	}
	return nil
}

func (i Imprint) check() error {
	if err := rule.First(rule.Field("identifier", checkIdentifier(i.Identifier)), rule.Field("name", i.Name.check(TitleMax)), rule.Field("kind", rule.OneOf(i.Kind, OrganisationKinds()...)),
		rule.Field("type", rule.OneOf(i.Type, PublisherTypes()...)), rule.Field("language", rule.OneOf(i.Language, Languages()...)), rule.Field("prefix", checkPrefix(i.Prefix)),
		rule.Field("license", checkAddress(i.License)), rule.Field("source", checkAddress(i.Source))); err != nil {
		return err
	}
	if i.Name.In(i.Language) == "" {
		return rule.Field("language", rule.Refuse(rule.Invalid, "is %s, and the name does not stand in it", i.Language))
	}
	return nil
}

// Agencies of org-id.guide (July 2026) by which an identifier begins: those of
// no one country, and those of China beside the registers of its provinces,
// CN-11-CR to CN-92-CR. XE-EXAMPLE is for invented organisations.
var (
	worldAgencies = []string{"XE-EXAMPLE", "XI-BRIDGE", "XI-DUNS", "XI-EORI", "XI-GRID", "XI-IATI", "XI-LEI", "XI-PB", "XI-PID", "XI-ROR", "XI-WIKIDATA", "XK-COA", "XK-CR", "XM-DAC", "XM-OCHA", "XR-EUCB", "XR-NUTS"}
	chinaAgencies = []string{"CN-COA", "CN-CR", "CN-SAIC", creditAgency}
)

// creditAgency is the list of China's unified social credit codes (统一社会信用代码).
const creditAgency = "CN-USCI"

// checkIdentifier refuses what IATI's rules would: an agency that is on no list,
// and signs that ids have not (rules 1.3.1, 1.3.13, 1.14.8 of the ruleset). Of
// agencies of other countries the form is checked.
func checkIdentifier(text string) error {
	parts := strings.SplitN(text, "-", 3)
	if len(text) > IdentifierMax || len(parts) < 3 || !agencyForm(parts[0], parts[1]) || !plain(parts[2]) {
		return rule.Refuse(rule.Invalid, "is not agency and number, such as XE-EXAMPLE-1: two capitals, -, capitals and digits, -, and letters, digits, dots and dashes, %d at most", IdentifierMax)
	}
	if !listed(parts[0], parts[1], parts[2]) {
		return rule.Refuse(rule.Invalid, "begins with what is no list of org-id.guide; a charity of China writes %s and its unified social credit code", creditAgency)
	}
	if parts[0]+"-"+parts[1] == creditAgency && !creditCode(parts[2]) {
		return rule.Refuse(rule.Invalid, "holds no unified social credit code: 18 digits and capitals, of which the last is computed of the others (GB 32100-2015)")
	}
	return nil
}

// agencyForm reports whether country and list are spelled as those of an agency.
func agencyForm(country, list string) bool {
	return len(country) == 2 && made(country, 'A', 'Z', 0, 0) && list != "" && made(strings.ReplaceAll(list, "_", ""), 'A', 'Z', '0', '9')
}

// listed reports whether an agency is on org-id.guide's list, as far as it is kept here.
func listed(country, list, number string) bool {
	switch agency := country + "-" + list; {
	case country == "CN":
		return slices.Contains(chinaAgencies, agency) || provincial(list, number)
	case country[0] == 'X':
		return slices.Contains(worldAgencies, agency)
	}
	return true
}

// provincial reports whether a number is of a province's register of companies, such as CN-53-CR-1.
func provincial(province, rest string) bool {
	number, is := strings.CutPrefix(rest, "CR-")
	return is && number != "" && len(province) == 2 && made(province, '0', '9', 0, 0)
}

// plain reports whether a text is of letters, digits, dots and dashes, and not empty.
func plain(text string) bool {
	for _, c := range []byte(text) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_') {
			return false
		}
	}
	return text != ""
}

// creditSigns are the signs of a unified social credit code in the order of their values.
const creditSigns = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// creditCode reports whether the last sign of a code is the one that GB 32100-2015
// computes: 31 less the sum of the others' values, each times a power of 3.
func creditCode(code string) bool {
	if len(code) != 18 {
		return false
	}
	sum, weight := 0, 1
	for i := range code {
		value := strings.IndexByte(creditSigns, code[i])
		if value < 0 {
			return false
		}
		if i == len(code)-1 {
			weight = 1
		}
		sum += value * weight
		weight = weight * 3 % len(creditSigns)
	}
	return sum%len(creditSigns) == 0
}

func checkPrefix(text string) error {
	name, is := strings.CutPrefix(text, "360G-")
	if text == "" || is && len(text) <= NumberMax && plain(name) && !strings.Contains(name, ".") {
		return nil
	}
	return rule.Refuse(rule.Invalid, "is not what 360Giving gives, such as 360G-example, of %d characters at most", NumberMax)
}

// checkAddress refuses what is no address of the web; none is empty.
func checkAddress(text string) error {
	host := strings.TrimPrefix(strings.TrimPrefix(text, "http://"), "https://")
	if text == "" || host != text && host != "" && host[0] != '/' && len(text) <= AddressMax && made(text, '!', '~', 0, 0) && !strings.ContainsAny(text, "\"<>\\^`{|}") {
		return nil
	}
	return rule.Refuse(rule.Invalid, "is not an address of the web such as https://example.org, of %d characters at most", AddressMax)
}
