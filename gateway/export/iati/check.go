package iati

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Check refuses a document that would not be valid. A refusal names the field,
// and the rule of the standard ruleset by its number where one is behind it.
func (d Document) Check() error {
	if d.Generated <= 0 {
		return rule.Field("generated", rule.Refuse(rule.Invalid, "is missing"))
	}
	if len(d.Activities) == 0 {
		return rule.Field("activities", rule.Refuse(rule.Invalid, "is empty; a file holds one activity at least"))
	}
	seen := map[string]bool{}
	for i, a := range d.Activities {
		err := a.check(d.Generated)
		if err == nil && seen[a.Identifier] {
			err = rule.Field("identifier", rule.Refuse(rule.Invalid, "%q stands twice in the file", a.Identifier))
		}
		if err != nil {
			return rule.Field(item("activities", i), err)
		}
		seen[a.Identifier] = true
	}
	return nil
}

// first returns the first refusal of several checks, in their order.
func first(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// each checks every item of a list and names the one that is refused.
func each[T any](field string, list []T, check func(T) error) func() error {
	return func() error {
		for i, one := range list {
			if err := check(one); err != nil {
				return rule.Field(item(field, i), err)
			}
		}
		return nil
	}
}

func item(field string, i int) string { return fmt.Sprintf("%s[%d]", field, i) }

func (a Activity) check(now tape.Instant) error {
	today := day(now)
	return first(
		a.checkIdentity,
		func() error { return a.checkDefaults(now) },
		func() error { return rule.Field("title", a.Title.check(true)) },
		func() error { return rule.Field("description", a.Description.check(true)) },
		a.checkParticipants,
		each("former", a.Former, Former.check),
		func() error { return code("status", string(a.Status), statuses) },
		func() error { return a.checkDates(today) },
		a.checkPlaces,
		func() error { return rule.Field("sectors", shares(a.Sectors, sectorGroup)) },
		each("sectors", a.Sectors, Sector.check),
		a.checkWhere,
		each("budgets", a.Budgets, Budget.check),
		each("transactions", a.Transactions, func(t Transaction) error { return t.check(today) }),
		each("related", a.Related, Related.check),
	)
}

// day is the civil day of a moment in UTC.
func day(at tape.Instant) tape.Date {
	return tape.Date(time.UnixMilli(int64(at)).UTC().Format(time.DateOnly))
}

// The closed code lists that are checked, and the forms of the others.
var (
	statuses      = []string{"1", "2", "3", "4", "5", "6"}
	roles         = []string{"1", "2", "3", "4"}
	scopes        = []string{"", "1", "2", "3", "4", "5", "6", "7", "8"}
	transactions  = []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13"}
	organisations = []string{"", "10", "11", "15", "21", "22", "23", "24", "30", "40", "60", "70", "71", "72", "73", "80", "90"}
	formers       = []string{"A3", "B1"}
	relations     = []string{"1", "2", "3", "4", "5"}

	refForm      = regexp.MustCompile(`^[A-Z]{2}-[A-Z0-9_]+-[^\s]+$`)
	forbidden    = "/&|?"
	languageForm = regexp.MustCompile(`^[a-z]{2}$`)
	countryForm  = regexp.MustCompile(`^[A-Z]{2}$`)
	regionForm   = regexp.MustCompile(`^[0-9]{2,4}$`)
	sectorForm   = regexp.MustCompile(`^[0-9]{5}$`)
	wordForm     = regexp.MustCompile(`^[A-Za-z0-9._-]*$`)
)

func code(field, value string, list []string) error {
	if slices.Contains(list, value) {
		return nil
	}
	return rule.Field(field, rule.Refuse(rule.Invalid, "%.20q is not a code of its list", value))
}

func form(field, value string, pattern *regexp.Regexp, what string) error {
	if !pattern.MatchString(value) {
		return rule.Field(field, rule.Refuse(rule.Invalid, "%.60q is not %s", value, what))
	}
	return nil
}

// identifier refuses what breaks 1.3.1 and 1.3.13, and their like for references of organisations.
func identifier(field, value string) error {
	if err := trimmed(field, value); err != nil {
		return err
	}
	if at := strings.IndexAny(value, forbidden); at >= 0 {
		return rule.Field(field, rule.Refuse(rule.Invalid, "%.120q holds %q (rule 1.3.13)", value, value[at:at+1]))
	}
	return nil
}

// trimmed refuses what is empty, begins or ends with a blank, or cannot stand in XML.
func trimmed(field, value string) error {
	if value == "" {
		return rule.Field(field, rule.Refuse(rule.Invalid, "is missing"))
	}
	if value != strings.TrimSpace(value) {
		return rule.Field(field, rule.Refuse(rule.Invalid, "%.120q begins or ends with a blank (rule 1.3.1)", value))
	}
	return rule.Field(field, printable(value))
}

// printable refuses bytes that are not UTF-8 and characters that XML cannot hold or nobody can see.
func printable(value string) error {
	if !utf8.ValidString(value) {
		return rule.Refuse(rule.Invalid, "is not UTF-8")
	}
	for _, c := range value {
		if c == '\n' || c == '\t' {
			continue
		}
		if unicode.IsControl(c) || c == 0xFFFE || c == 0xFFFF {
			return rule.Refuse(rule.Invalid, "holds the control character %U", c)
		}
	}
	return nil
}

func (a Activity) checkIdentity() error {
	if err := rule.Field("reporting", a.Reporting.reporter()); err != nil {
		return err
	}
	if err := identifier("identifier", a.Identifier); err != nil {
		return err
	}
	if a.Identifier == a.Reporting.Ref {
		return rule.Field("identifier", rule.Refuse(rule.Invalid, "%q is the reporting organisation's own (rule 1.1.3)", a.Identifier))
	}
	if strings.HasPrefix(a.Identifier, a.Reporting.Ref+"-") {
		return nil
	}
	for _, former := range a.Former {
		if former.Type == "B1" && former.Ref != "" && strings.HasPrefix(a.Identifier, former.Ref+"-") {
			return nil
		}
	}
	return rule.Field("identifier", rule.Refuse(rule.Invalid, "%q does not begin with %q (rule 1.1.21)", a.Identifier, a.Reporting.Ref+"-"))
}

func (o Organisation) reporter() error {
	if err := form("ref", o.Ref, refForm, "an organisation's identifier; write agency and number, such as XI-IATI-1234 (rule 1.14.8)"); err != nil {
		return err
	}
	if o.Type == "" {
		return rule.Field("type", rule.Refuse(rule.Invalid, "is missing"))
	}
	if o.Activity != "" {
		return rule.Field("activity", rule.Refuse(rule.Invalid, "has no place at the reporter; the activity's identifier is its own"))
	}
	if len(o.Names) == 0 {
		return rule.Field("names", rule.Refuse(rule.Invalid, "is missing"))
	}
	return o.check()
}

func (o Organisation) check() error {
	if o.Ref == "" && len(o.Names) == 0 {
		return rule.Field("names", rule.Refuse(rule.Invalid, "is missing: an organisation needs a ref or a name (rules 6.9.1, 6.9.2, 6.10.1)"))
	}
	if o.Ref != "" {
		if err := identifier("ref", o.Ref); err != nil {
			return err
		}
	}
	if o.Activity != "" {
		if err := trimmed("activity", o.Activity); err != nil {
			return err
		}
	}
	if err := code("type", o.Type, organisations); err != nil {
		return err
	}
	return rule.Field("names", o.Names.check(false))
}

func (t Texts) check(required bool) error {
	if required && len(t) == 0 {
		return rule.Refuse(rule.Invalid, "is missing (rules 4.3.1, 4.4.1)")
	}
	seen := map[string]bool{}
	for i, one := range t {
		if one.Language != "" {
			if err := form(fmt.Sprintf("[%d].language", i), one.Language, languageForm, "a language; write two letters such as zh or en"); err != nil {
				return err
			}
		}
		if seen[one.Language] {
			return rule.Field(fmt.Sprintf("[%d].language", i), rule.Refuse(rule.Invalid, "%q stands twice", one.Language))
		}
		seen[one.Language] = true
		if strings.TrimSpace(one.Text) == "" {
			return rule.Field(fmt.Sprintf("[%d].text", i), rule.Refuse(rule.Invalid, "is empty"))
		}
		if err := printable(one.Text); err != nil {
			return rule.Field(fmt.Sprintf("[%d].text", i), err)
		}
	}
	return nil
}

func (a Activity) checkDefaults(now tape.Instant) error {
	if err := form("language", a.Language, languageForm, "a language; write two letters such as zh or en (rule 4.1.1)"); err != nil {
		return err
	}
	if _, err := a.Currency.Exponent(); err != nil {
		return rule.Field("currency", err)
	}
	if a.Updated > now || a.Updated < 0 {
		return rule.Field("updated", rule.Refuse(rule.Invalid, "%s is after %s, when the file is made (rule 11.1.1)", a.Updated, now))
	}
	if err := code("scope", a.Scope, scopes); err != nil {
		return err
	}
	return first(
		func() error { return form("flowType", a.FlowType, wordForm, "a code") },
		func() error { return form("financeType", a.FinanceType, wordForm, "a code") },
		func() error { return form("aidType", a.AidType, wordForm, "a code") },
		func() error { return form("tiedStatus", a.TiedStatus, wordForm, "a code") },
	)
}

func (a Activity) checkParticipants() error {
	if len(a.Participants) == 0 {
		return rule.Field("participants", rule.Refuse(rule.Invalid, "is empty; the schema wants one at least"))
	}
	return each("participants", a.Participants, func(p Participant) error {
		if err := code("role", string(p.Role), roles); err != nil {
			return err
		}
		return p.Organisation.check()
	})()
}

func (f Former) check() error {
	if err := trimmed("ref", f.Ref); err != nil {
		return err
	}
	if err := code("type", f.Type, formers); err != nil {
		return err
	}
	if f.Owner.Ref == "" && len(f.Owner.Names) == 0 {
		return nil
	}
	return rule.Field("owner", f.Owner.check())
}

func (r Related) check() error {
	if err := trimmed("ref", r.Ref); err != nil {
		return err
	}
	return code("type", r.Type, relations)
}

func (a Activity) checkDates(today tape.Date) error {
	dates := map[DateType]tape.Date{}
	for i, d := range a.Dates {
		field := item("dates", i)
		if err := code(field+".type", string(d.Type), []string{"1", "2", "3", "4"}); err != nil {
			return err
		}
		if err := d.Date.Check(); err != nil {
			return rule.Field(field, err)
		}
		if dates[d.Type] != "" {
			return rule.Field(field, rule.Refuse(rule.Invalid, "type %s stands twice", d.Type))
		}
		if (d.Type == ActualStart || d.Type == ActualEnd) && d.Date > today {
			return rule.Field(field, rule.Refuse(rule.Invalid, "%s is after %s, when the file is made (rules 11.1.4, 11.1.5)", d.Date, today))
		}
		dates[d.Type] = d.Date
	}
	if dates[PlannedStart] == "" && dates[ActualStart] == "" {
		return rule.Field("dates", rule.Refuse(rule.Invalid, "hold no planned and no actual start (rule 6.11.1)"))
	}
	return first(func() error { return order(dates, PlannedStart, PlannedEnd) }, func() error { return order(dates, ActualStart, ActualEnd) })
}

func order(dates map[DateType]tape.Date, start, end DateType) error {
	if dates[start] != "" && dates[end] != "" && dates[start] > dates[end] {
		return rule.Field("dates", rule.Refuse(rule.Invalid, "end on %s and start on %s (rules 11.1.2, 11.1.3)", dates[end], dates[start]))
	}
	return nil
}

// checkPlaces judges the shares of countries and regions: within each
// vocabulary of regions, they and the countries come to the whole.
func (a Activity) checkPlaces() error {
	if err := each("countries", a.Countries, func(c Country) error {
		return form("code", c.Code, countryForm, "a country; write two capitals such as CN")
	})(); err != nil {
		return err
	}
	if err := each("regions", a.Regions, Region.check)(); err != nil {
		return err
	}
	parts := append([]Region(nil), a.Regions...)
	var vocabularies []string
	for _, r := range a.Regions {
		if !slices.Contains(vocabularies, r.vocabulary()) {
			vocabularies = append(vocabularies, r.vocabulary())
		}
	}
	if len(a.Regions) == 0 {
		vocabularies = []string{""}
	}
	for _, c := range a.Countries {
		for _, vocabulary := range vocabularies {
			parts = append(parts, Region{Code: c.Code, Vocabulary: vocabulary, Share: c.Share})
		}
	}
	field := "countries"
	if len(a.Regions) > 0 {
		field = "regions"
	}
	return rule.Field(field, shares(parts, func(r Region) (string, string, Share) { return r.vocabulary(), r.Code, r.Share }))
}

func (r Region) vocabulary() string {
	if r.Vocabulary == "" {
		return "1"
	}
	return r.Vocabulary
}

func (r Region) check() error {
	if err := form("code", r.Code, regionForm, "a region's code"); err != nil {
		return err
	}
	return code("vocabulary", r.Vocabulary, []string{"", "1", "2", "99"})
}

// sectorGroup is the vocabulary within which a sector's share counts, its code and share.
func sectorGroup(s Sector) (string, string, Share) {
	if s.Vocabulary == "" {
		return "1", s.Code, s.Share
	}
	return s.Vocabulary, s.Code, s.Share
}

// shares refuses parts that do not come to the whole within their group: a
// part alone names none or the whole, several name one each (rules 2.1, 3.1, 3.4, 12.1, 12.3).
func shares[T any](parts []T, of func(T) (group, code string, share Share)) error {
	sums, counts, codes, without := map[string]Share{}, map[string]int{}, map[string]bool{}, map[string]bool{}
	for _, part := range parts {
		group, code, share := of(part)
		if share < 0 || share > Whole {
			return rule.Refuse(rule.Invalid, "%s has the share %s %%; 0 to 100 are possible", code, share)
		}
		if codes[group+" "+code] {
			return rule.Refuse(rule.Invalid, "%s stands twice", code)
		}
		codes[group+" "+code] = true
		counts[group]++
		sums[group] += share
		without[group] = without[group] || share == 0
	}
	for _, part := range parts {
		group, code, _ := of(part)
		if counts[group] > 1 && without[group] {
			return rule.Refuse(rule.Invalid, "has %d parts of vocabulary %q; each needs its share", counts[group], group)
		}
		if sums[group] != Whole && (counts[group] > 1 || sums[group] != 0) {
			return rule.Refuse(rule.Invalid, "%s and the others come to %s %%, not to 100", code, sums[group])
		}
	}
	return nil
}

func (s Sector) check() error {
	switch s.Vocabulary {
	case "", "1":
		if err := form("code", s.Code, sectorForm, "a sector of five digits"); err != nil {
			return err
		}
	case "98", "99":
		if len(s.Names) == 0 {
			return rule.Field("names", rule.Refuse(rule.Invalid, "is missing: a sector of the reporter's own list needs a name (rule 2.2.1)"))
		}
	}
	if s.Code == "" || !wordForm.MatchString(s.Code) || !wordForm.MatchString(s.Vocabulary) {
		return rule.Field("code", rule.Refuse(rule.Invalid, "%.40q of vocabulary %.40q is not a code", s.Code, s.Vocabulary))
	}
	return rule.Field("names", s.Names.check(false))
}

// checkWhere judges that sector and country stand at the activity, or on every transaction, and not on both.
func (a Activity) checkWhere() error {
	located := len(a.Countries)+len(a.Regions) > 0
	if len(a.Sectors) > 0 && !defaultVocabulary(a.Sectors) {
		return rule.Field("sectors", rule.Refuse(rule.Invalid, "hold none of the OECD's list (rule 102.1.1)"))
	}
	for i, t := range a.Transactions {
		if err := t.checkWhere(len(a.Sectors) > 0, located); err != nil {
			return rule.Field(item("transactions", i), err)
		}
	}
	if len(a.Transactions) > 0 {
		return nil
	}
	if len(a.Sectors) == 0 {
		return rule.Field("sectors", rule.Refuse(rule.Invalid, "is empty, and there is no transaction that names one (rule 6.2.2)"))
	}
	if !located {
		return rule.Field("countries", rule.Refuse(rule.Invalid, "is empty, and there is no transaction that names one (rule 3.7.1)"))
	}
	return nil
}

func defaultVocabulary(sectors []Sector) bool {
	for _, s := range sectors {
		if s.Vocabulary == "" || s.Vocabulary == "1" {
			return true
		}
	}
	return false
}

func (t Transaction) checkWhere(sectored, located bool) error {
	own := t.Country != "" || t.Region != ""
	if sectored && len(t.Sectors) > 0 {
		return rule.Field("sectors", rule.Refuse(rule.Invalid, "stand at the activity as well (rule 6.6.2)"))
	}
	if !sectored && len(t.Sectors) == 0 {
		return rule.Field("sectors", rule.Refuse(rule.Invalid, "is empty, and the activity names none (rules 6.2.2, 6.7.2)"))
	}
	if located && own {
		return rule.Field("country", rule.Refuse(rule.Invalid, "stands at the activity as well (rule 3.6.2)"))
	}
	if !located && !own {
		return rule.Field("country", rule.Refuse(rule.Invalid, "is empty, and the activity names none (rule 3.7.2)"))
	}
	return nil
}

func (b Budget) check() error {
	if err := first(func() error { return rule.Field("from", b.From.Check()) }, func() error { return rule.Field("to", b.To.Check()) },
		func() error { return rule.Field("valued", b.Valued.Check()) }); err != nil {
		return err
	}
	if b.From > b.To {
		return rule.Field("to", rule.Refuse(rule.Invalid, "%s is before %s (rule 8.6.3)", b.To, b.From))
	}
	from, _ := time.Parse(time.DateOnly, string(b.From))
	to, _ := time.Parse(time.DateOnly, string(b.To))
	if to.Sub(from) > 365*24*time.Hour {
		return rule.Field("to", rule.Refuse(rule.Invalid, "%s is more than a year after %s (rule 7.5.3)", b.To, b.From))
	}
	if b.Value.Units < 0 {
		return rule.Field("value", rule.Refuse(rule.Invalid, "%s is less than nothing", b.Value))
	}
	return rule.Field("value", amount(b.Value))
}

// amount refuses what has no decimal value: another currency than ISO's, nothing at all, too much.
func amount(a money.Amount) error {
	if _, err := a.Currency.Exponent(); err != nil {
		return err
	}
	if a.Units == 0 {
		return rule.Refuse(rule.Invalid, "is nothing")
	}
	if a.Units > money.Max || a.Units < -money.Max {
		return rule.Refuse(rule.Invalid, "is larger than %d minor units", int64(money.Max))
	}
	return nil
}

func (t Transaction) check(today tape.Date) error {
	if err := code("type", string(t.Type), transactions); err != nil {
		return err
	}
	if t.Reference != "" {
		if err := trimmed("reference", t.Reference); err != nil {
			return err
		}
	}
	return first(
		func() error { return rule.Field("date", past(t.Date, today, "11.2.1")) },
		func() error { return rule.Field("valued", past(t.valued(), today, "11.2.2")) },
		func() error { return rule.Field("value", amount(t.Value)) },
		func() error { return rule.Field("description", t.Description.check(false)) },
		func() error { return rule.Field("provider", t.Provider.party()) },
		func() error { return rule.Field("receiver", t.Receiver.party()) },
		t.checkPlace,
		each("sectors", t.Sectors, Sector.check),
		t.checkSectors,
		func() error { return form("flowType", t.FlowType, wordForm, "a code") },
		func() error { return form("financeType", t.FinanceType, wordForm, "a code") },
		func() error { return form("tiedStatus", t.TiedStatus, wordForm, "a code") },
	)
}

func (t Transaction) valued() tape.Date {
	if t.Valued == "" {
		return t.Date
	}
	return t.Valued
}

func past(date, today tape.Date, number string) error {
	if err := date.Check(); err != nil {
		return err
	}
	if date > today {
		return rule.Refuse(rule.Invalid, "%s is after %s, when the file is made (rule %s)", date, today, number)
	}
	return nil
}

func (o *Organisation) party() error {
	if o == nil {
		return nil
	}
	return o.check()
}

// checkSectors refuses more than one sector of a vocabulary, and shares: a transaction is of one sector.
func (t Transaction) checkSectors() error {
	seen := map[string]bool{}
	for i, s := range t.Sectors {
		vocabulary, _, share := sectorGroup(s)
		if share != 0 || seen[vocabulary] {
			return rule.Field(item("sectors", i), rule.Refuse(rule.Invalid, "is a share, or the second of vocabulary %s; a transaction has one sector of a vocabulary", vocabulary))
		}
		seen[vocabulary] = true
	}
	return nil
}

func (t Transaction) checkPlace() error {
	if t.Country != "" {
		if err := form("country", t.Country, countryForm, "a country; write two capitals such as CN"); err != nil {
			return err
		}
	}
	if t.Region != "" {
		return form("region", t.Region, regionForm, "a region's code")
	}
	return nil
}
