package portal

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/acts"
	"github.com/lianbao/lianbao/gateway/portal/words"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// TestWordsOfActs: each act, field and column has its words, and no word is left over.
func TestWordsOfActs(t *testing.T) {
	var names, labels []string
	label := func(field acts.Field) {
		if field.Kind != acts.Given && !slices.Contains(labels, field.Name) {
			labels = append(labels, field.Name)
		}
		if field.Kind == acts.Choice && words.Keys[field.Family] == nil {
			t.Errorf("the choices of %s have no words under %q", field.Name, field.Family)
		}
		for _, choice := range field.Choices {
			if !slices.Contains(words.Keys[field.Family], choice) {
				t.Errorf("the choice %s of %s has no word", choice, field.Name)
			}
		}
	}
	for _, act := range acts.All() {
		names = append(names, act.Name)
		for _, field := range act.Fields {
			label(field)
			for _, column := range field.Columns {
				label(column)
			}
		}
	}
	for _, field := range slices.Concat(moneyFields, goodsFields) {
		label(field)
	}
	for family, want := range map[string][]string{"do.": names, "do-lead.": names, "ask.": labels} {
		have := slices.Clone(words.Keys[family])
		slices.Sort(have)
		slices.Sort(want)
		if !slices.Equal(have, want) {
			t.Errorf("%s knows %v, the acts say %v", family, have, want)
		}
	}
}

// asks opens the form of an act and sends it with what is typed into it.
func (v *visitor) asks(act string, fields ...string) {
	v.Helper()
	page := "/en/campaigns/" + string(speech) + "/acts/" + act
	v.request(http.MethodGet, page, nil)
	id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(v.body)
	if id == nil {
		v.Fatalf("%s (%d) is no form: %s", page, v.code, v.body)
	}
	v.posts(page, append(fields, "id", id[1])...)
}

// TestActs does what staff do over the forms, on the real contracts.
func TestActs(t *testing.T) {
	for _, c := range []struct {
		act    string
		fields []string
		signs  bool
		want   string
	}{
		{"close-campaign", nil, true, "Close"},
		{"record-pledge", []string{"amount", "1,200.00", "due", "2026-06-30"}, false, string(speech)},
		{"record-pledge", []string{"amount", "1,50", "due", "2026-06-30"}, false, `"1,50" is not an amount`},
		{"record-pledge", []string{"amount", "1", "due", ""}, false, "is empty"},
		{"record-pledge", []string{"amount", "1", "due", "soon"}, false, "soon"},
		{"receive-goods", []string{"item", "blanket", "quantity", "200", "unit", "piece"}, true, "200"},
		{"receive-goods", []string{"item", "blanket", "quantity", "2.5", "unit", "piece"}, false, `"2.5" is not a whole number`},
		{"appoint-agent", []string{"person", "child", "payees-max", "20"}, true, "child"},
		{"appoint-agent", []string{"person", "maker", "payees-max", "20"}, false, "maker cannot appoint itself"},
		{"replace-person", []string{"payee", string(family), "person", "giver", "reason", "lost-key"}, true, "giver"},
		{"replace-person", []string{"payee", string(family), "person", "child", "reason", "mistake"}, false, "child is the person of"},
		{"replace-person", []string{"payee", string(family), "person", "nobody", "reason", "mistake"}, false, "there is no person nobody"},
		{"replace-person", []string{"payee", string(shop), "person", "giver", "reason", "mistake"}, false, "has no person yet"},
		{"end-agent", []string{"person", "child"}, false, "child is not an agent"},
		{"invite", []string{"partner", "partner:coop:speech", "organisation", "coop"}, true, "partner:coop:speech"},
		{"withdraw-invitation", []string{"partner", "partner:coop:speech"}, false, "stands as you ask already"},
		{"raise-flag", []string{"payee", string(shop), "reason", "complaint"}, true, string(shop)},
		{"raise-flag", []string{"payee", "outside:supplier:none", "reason", "complaint"}, false, "is not enrolled"},
		{"lift-flag", []string{"payee", string(shop)}, false, "stands as you ask already"},
		{"call-back", []string{"payee", string(shop), "outcome", "confirmed"}, true, string(shop)},
		{"cancel-pledge", []string{"pledge", "none"}, false, "there is no pledge none"},
		{"keep-pledge", []string{"pledge", "none", "page", "page-1", "gift", "nobody"}, false, "there is no gift nobody"},
		{"give-goods", []string{"goods", "none", "quantity", "1", "receiver", string(shop)}, false, "there are no goods none"},
		{"cite", []string{"document", strings.Repeat("ab", 32), "kind", "invoice", "for", "charity/open-speech"}, true, "charity/open-speech"},
		{"cite", []string{"document", "", "kind", "invoice", "for", "d1.0.0"}, false, "is empty"},
		{"cite", []string{"document", strings.Repeat("ab", 32), "kind", "rumour", "for", "d1.0.0"}, false, "is not one of invoice"},
		{"abandon-disbursement", []string{"disbursement", "none"}, false, "not-found"},
		{"carry", []string{"amount", "1.00"}, false, "close it before its remainder is carried"},
		{"enrol", []string{"payees.kind", "household", "payees.payee", "", "payees.person", "", "payees.bank-account", "0000 0000 0000 0001", "payees.device", ""}, true, "1"},
		{"enrol", []string{"payees.kind", "household", "payees.payee", "", "payees.person", "", "payees.bank-account", "虚构", "payees.device", ""}, false, "is no number of an account or a device"},
		{"enrol", []string{"payees.kind", "household", "payees.payee", "outside:household:wang-xiaoming", "payees.person", "", "payees.bank-account", "", "payees.device", ""}, false, "what stands behind household is a pseudonym"},
		{"enrol", []string{"payees.kind", "household", "payees.payee", "outside:supplier:x", "payees.person", "", "payees.bank-account", "", "payees.device", ""}, false, "is not outside:household"},
	} {
		w := newTown(t)
		maker := w.logsIn("maker")
		maker.asks(c.act, c.fields...)
		maker.reads(c.want)
		if drafted := strings.Contains(maker.place, "/drafts/"); drafted != c.signs {
			t.Errorf("%s %v: at %s (%d)", c.act, c.fields, maker.place, maker.code)
		}
		if c.signs {
			maker.signs("maker")
			if strings.Contains(maker.body, "1 of 2") {
				checker := w.logsIn("checker")
				checker.request(http.MethodGet, maker.place, nil)
				checker.signs("checker")
				maker.body = checker.body
			}
			maker.reads("Done: it stands on the ledger.")
		}
	}
}

// TestAmend: the form begins with the plan in force; what cannot be is said
// beside its field, and what was typed stays.
func TestAmend(t *testing.T) {
	w := newTown(t)
	maker := w.logsIn("maker")
	page := "/en/campaigns/" + string(speech) + "/acts/amend-campaign"
	maker.request(http.MethodGet, page, nil)
	maker.reads(`value="2026-12-31"`, `value="1000.00 CNY"`, ">30 children</textarea>", `value="800.00 CNY"`)
	fields := []string{"title-zh", "言语训练", "title-en", "Speech therapy", "purpose-zh", "言语训练", "purpose-en", "Speech training", "beneficiaries-en", "30 children", "area", "CN-53", "sector", "12220",
		"from", "2025-12-01", "to", "2026-12-31", "goal", "1000.00 CNY", "management", "10", "leftover", string(training), "regulator", "coop", "donors", "giver",
		"lines.id", "training", "lines.kind", "programme", "lines.title-en", "Training", "lines.title-zh", "", "lines.amount", "800.00",
		"lines.id", "office", "lines.kind", "management", "lines.title-en", "Office", "lines.title-zh", ""}
	maker.asks("amend-campaign", append(slices.Clone(fields), "lines.amount", "1,50")...)
	maker.reads("Row 2, Amount", `"1,50" is not an amount`, ">Speech therapy</textarea>", `value="1,50"`)
	if maker.code != http.StatusUnprocessableEntity {
		t.Errorf("it answers %d", maker.code)
	}
	maker.asks("amend-campaign", append(slices.Clone(fields), "lines.amount", "100.00")...)
	maker.reads("come to 900.00 CNY, the goal is 1000.00 CNY")
	maker.asks("amend-campaign", append(slices.Clone(fields), "lines.amount", "200.00")...)
	maker.signs("maker")
	checker := w.logsIn("checker")
	checker.request(http.MethodGet, maker.place, nil)
	checker.signs("checker")
	checker.reads("Done: it stands on the ledger.")
	campaign, err := w.model.Campaign(t.Context(), speech)
	if err != nil || campaign.Plan.Title.En != "Speech therapy" || campaign.Version != 2 {
		t.Errorf("%v %+v", err, campaign.Plan)
	}
	// Money that was given for one use and would be put to another is the donor's to release, beside maker and checker.
	fields[slices.Index(fields, "CN-53")] = "CN-54"
	maker.asks("amend-campaign", append(fields, "lines.amount", "200.00")...)
	maker.reads("0 of 3")
}

// TestOpenCampaign opens a campaign over its form.
func TestOpenCampaign(t *testing.T) {
	w := newTown(t)
	maker := w.logsIn("maker")
	const page = "/en/acts/open-campaign"
	maker.request(http.MethodGet, page, nil)
	fields := []string{"id", regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(maker.body)[1], "basis", "filing", "custodian", string(bank), "title-en", "Winter", "title-zh", "冬衣", "purpose-en", "Coats", "beneficiaries-en", "Children",
		"area", "CN-53", "sector", "12220", "from", "2026-01-01", "to", "2026-12-31", "goal", "300.00 CNY", "management", "4.1", "leftover", string(speech), "regulator", "coop",
		"lines.id", "coats", "lines.kind", "programme", "lines.title-en", "Coats", "lines.title-zh", "", "lines.amount", "300"}
	maker.posts(page, append(slices.Clone(fields), "account", string(speech))...)
	maker.reads("stands already")
	maker.posts(page, append(slices.Clone(fields), "account", "charity:sunrise:winter")...)
	maker.signs("maker")
	checker := w.logsIn("checker")
	checker.request(http.MethodGet, maker.place, nil)
	checker.signs("checker")
	checker.reads("Done: it stands on the ledger.")
	campaign, err := w.model.Campaign(t.Context(), "charity:sunrise:winter")
	if err != nil || campaign.State != fund.Draft || campaign.Plan.ManagementPartsPerMillion != 41_000 {
		t.Errorf("%v %+v", err, campaign)
	}
	checker.request(http.MethodGet, "/en/campaigns/charity:sunrise:winter", nil)
	checker.reads("waits for its filing number", "4.1 % at most")
}

// TestActsOfOthers: a form is shown to those alone who may fill it in.
func TestActsOfOthers(t *testing.T) {
	w := newTown(t)
	for _, c := range []struct {
		person string
		path   string
		code   int
	}{
		{"maker", "/campaigns/" + string(speech) + "/acts/accept-filing", http.StatusBadRequest},
		{"maker", "/campaigns/" + string(speech) + "/acts/nothing", http.StatusNotFound},
		{"maker", "/acts/close-campaign", http.StatusNotFound},
		{"maker", "/campaigns/charity:sunrise:nothing/acts/close-campaign", http.StatusNotFound},
		{"checker", "/campaigns/" + string(speech) + "/acts/close-campaign", http.StatusBadRequest},
		{"checker", "/campaigns/" + string(speech) + "/acts/cite", http.StatusOK},
		{"child", "/campaigns/" + string(speech) + "/acts/cite", http.StatusBadRequest},
	} {
		v := w.logsIn(tape.ID(c.person))
		v.request(http.MethodGet, "/en"+c.path, nil)
		if v.code != c.code {
			t.Errorf("%s at %s: %d, not %d", c.person, c.path, v.code, c.code)
		}
	}
}

// TestLifeOnPages: what staff did stands on the campaign's page and beside what it is about.
func TestLifeOnPages(t *testing.T) {
	w := newTown(t)
	maker := w.logsIn("maker")
	maker.asks("record-pledge", "amount", "1,200.00", "due", "2026-06-30")
	maker.reads("Pledges", "1,200.00 CNY", "open")
	maker.asks("receive-goods", "item", "blanket", "quantity", "200", "unit", "piece")
	maker.signs("maker")
	goods, err := kept[fund.Goods](t.Context(), w.model, "goods/"+string(speech)+"/")
	if err != nil || len(goods) != 1 {
		t.Fatal(goods, err)
	}
	maker.asks("cite", "document", strings.Repeat("ab", 32), "kind", "delivery-note", "for", goods[0].Entry)
	maker.signs("maker")
	maker.request(http.MethodGet, "/en/campaigns/"+string(speech), nil)
	maker.reads("Gifts in kind", "200 piece", "Evidence", strings.Repeat("ab", 32), "What you can do here", "Receive goods", "agreement with donors by name")
	maker.request(http.MethodGet, "/en/entries/"+goods[0].Entry, nil)
	maker.reads("Evidence", "delivery note", "lianbao evidence verify FILE --hash "+strings.Repeat("ab", 32))
	maker.request(http.MethodGet, "/en/drafts", nil)
	maker.reads("Take up a draft from its file")
	stranger := &visitor{town: w}
	stranger.request(http.MethodGet, "/en/campaigns/"+string(speech), nil)
	stranger.reads("200 piece")
	if strings.Contains(stranger.body, "What you can do here") {
		t.Error("a stranger is offered acts")
	}
}

// TestWhoseWordCounts: a payee is found by whoever has its word at the moment.
func TestWhoseWordCounts(t *testing.T) {
	w := newTown(t)
	w.decided("replace-person", "Fund:ReplacePerson", speech, 0, fund.ReplacePerson{Account: speech, ID: "replace-1", Payee: family, Person: "giver", Reason: "mistake"})
	w.follow()
	known, err := w.model.Payees(t.Context(), readmodel.PayeeFilter{Account: speech, Payee: family}, readmodel.Window{Limit: 1})
	if err != nil || len(known.Items) != 1 || known.Items[0].Next == nil {
		t.Fatalf("%+v, %v", known, err)
	}
	payee := known.Items[0]
	for _, c := range []struct {
		person tape.ID
		at     tape.Instant
		finds  int
	}{{"child", payee.Next.From - 1, 1}, {"giver", payee.Next.From - 1, 0}, {"child", payee.Next.From, 0}, {"giver", payee.Next.From, 1}} {
		found, err := w.model.Payees(t.Context(), readmodel.PayeeFilter{Person: c.person, At: c.at}, readmodel.Window{Limit: 5})
		if err != nil || len(found.Items) != c.finds {
			t.Errorf("%s at %s finds %d: %v", c.person, c.at, len(found.Items), err)
		}
	}
	maker := w.logsIn("maker")
	maker.request(http.MethodGet, "/en/payees/"+string(speech)+"/"+string(family), nil)
	maker.reads("another person takes its place from", "it was entered by mistake", "/acts/replace-person?payee=")
}

// TestNamePublisher: an organisation says how it is named over its form, and its page shows it.
func TestNamePublisher(t *testing.T) {
	w := newTown(t)
	maker := w.logsIn("maker")
	const page, organisation = "/en/acts/name-publisher", "/en/organisations/charity"
	maker.request(http.MethodGet, organisation, nil)
	maker.reads("has not said how it is registered", "measured as the strictest one")
	maker.request(http.MethodGet, page, nil)
	fields := []string{"id", regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(maker.body)[1], "name-en", "Sunrise (invented)", "name-zh", "旭日（虚构）", "law-kind", "association", "iati-type", "22", "language", "zh"}
	maker.posts(page, append(slices.Clone(fields), "identifier", "CN-MCA-1")...)
	maker.reads("is no list of org-id.guide", "旭日（虚构）</textarea>")
	maker.posts(page, append(slices.Clone(fields), "identifier", "XE-EXAMPLE-1")...)
	maker.reads("Name charity in all that it publishes", "Sunrise (invented)", "XE-EXAMPLE-1")
	maker.signs("maker")
	checker := w.logsIn("checker")
	checker.request(http.MethodGet, maker.place, nil)
	checker.signs("checker")
	checker.reads("Done: it stands on the ledger.")
	maker.request(http.MethodGet, organisation, nil)
	maker.reads("Sunrise (invented)", "XE-EXAMPLE-1", "national NGO", "association or social service without the right to raise money publicly")
	maker.request(http.MethodGet, page, nil)
	maker.reads(`value="XE-EXAMPLE-1"`, `<option value="association" selected>`)
}
