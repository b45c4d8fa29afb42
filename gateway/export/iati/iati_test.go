package iati

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/export/judge"
)

var now = time.Date(2026, 3, 15, 9, 30, 0, 0, time.UTC)

const reporter = "XI-IATI-SUNRISE"

func cny(units int64) money.Amount { return money.New(units, "CNY") }

func texts(en, zh string) Texts { return Texts{{"en", en}, {"zh", zh}} }

// sample is a valid document that has every element once at least.
func sample() Document {
	partner := Organisation{Ref: "XI-IATI-GREEN", Type: "22", Activity: "XI-IATI-GREEN-travel", Names: texts("Green Valley", "绿谷")}
	individuals := &Organisation{Names: texts("Individual donors", "个人捐赠人")}
	a := Activity{
		Identifier: reporter + "-speech-2026", Reporting: Organisation{Ref: reporter, Type: "22", Names: texts("Sunrise", "朝阳")},
		Language: "en", Currency: "CNY", Updated: tape.Instant(now.UnixMilli()) - tape.Hour, Humanitarian: true,
		Title: texts("Speech training", "语言训练"), Description: texts("For 30 children <of three villages> & their parents", "三个村的三十名儿童"),
		Participants: []Participant{{Organisation{Ref: reporter, Type: "22"}, Accountable}, {partner, Implementing}},
		Former:       []Former{{Ref: "XI-IATI-DAWN", Type: "B1"}, {Ref: "old-1", Type: "A3", Owner: Organisation{Names: Texts{{"en", "Dawn"}}}}},
		Status:       Implementation, Dates: []ActivityDate{{PlannedStart, "2026-01-01"}, {ActualStart, "2026-01-10"}, {PlannedEnd, "2026-12-31"}},
		Scope: "5", Countries: []Country{{"CN", 6250}, {"VN", 3750}},
		Sectors:  []Sector{{Code: "11220", Share: 3333}, {Code: "12220", Share: 6667}, {Code: "speech", Vocabulary: "99", Names: texts("Speech", "语言")}},
		FlowType: "30", FinanceType: "110", AidType: "C01", TiedStatus: "5",
		Budgets: []Budget{{From: "2026-01-01", To: "2026-12-31", Valued: "2026-01-01", Value: cny(30_000_000), Committed: true}},
		Transactions: []Transaction{
			{Reference: "gifts-2026-03-01", Type: IncomingFunds, Date: "2026-03-01", Value: cny(1_234_05), Provider: individuals},
			{Type: IncomingFunds, Date: "2026-03-03", Value: cny(-100_00), Provider: individuals, Description: texts("Refunds", "退款")},
			{Type: Disbursement, Date: "2026-03-04", Valued: "2026-03-05", Value: cny(50_00), Receiver: &partner, FlowType: "30", FinanceType: "110", TiedStatus: "5"},
			{Type: Expenditure, Date: "2026-03-04", Value: money.New(50_000, "VND"), Receiver: &Organisation{Names: texts("Individual beneficiaries", "个人受益人")}},
		},
		Related: []Related{{reporter + "-all", "1"}},
	}
	return Document{Generated: tape.Instant(now.UnixMilli()), Activities: []Activity{a}}
}

// local is the sample with sector and country on every transaction.
func local() Document {
	d := sample()
	a := &d.Activities[0]
	a.Countries, a.Sectors = nil, nil
	for i := range a.Transactions {
		a.Transactions[i].Country, a.Transactions[i].Sectors = "CN", []Sector{{Code: "11220"}}
	}
	a.Transactions[3].Country, a.Transactions[3].Region = "", "798"
	return d
}

// regional is the sample with regions of two vocabularies beside a country.
func regional() Document {
	d := sample()
	d.Activities[0].Countries = []Country{{"CN", 4000}}
	d.Activities[0].Regions = []Region{{Code: "798", Share: 6000}, {Code: "789", Vocabulary: "2", Share: 6000}}
	return d
}

func judged(t *testing.T, d Document) []string {
	t.Helper()
	var b bytes.Buffer
	if err := d.encode(&b); err != nil {
		t.Fatal(err)
	}
	verdict := verdictOf(t, b.Bytes())
	found := verdict.Rules()
	if said := judge.Activities(t, b.Bytes()); said != "" {
		found = append(found, "schema")
	}
	return found
}

// published is the ruleset as published.
func published(t testing.TB) judge.Ruleset {
	t.Helper()
	rules, err := judge.ReadRuleset(judge.Published(t, "iati-2.03/standard-ruleset.json"))
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func verdictOf(t testing.TB, document []byte) judge.Verdict {
	t.Helper()
	verdict, err := published(t).Judge(bytes.NewReader(document), now)
	if err != nil {
		t.Fatalf("%v in\n%s", err, document)
	}
	return verdict
}

func TestValidDocuments(t *testing.T) {
	several := sample()
	several.Activities = append(several.Activities, local().Activities[0])
	several.Activities[1].Identifier += "-b"
	bare := sample()
	bare.Activities[0] = Activity{Identifier: reporter + "-x", Reporting: sample().Activities[0].Reporting, Language: "zh", Currency: "VND", Title: Texts{{"", "题"}}, Description: Texts{{"", "文"}},
		Participants: []Participant{{Organisation{Names: Texts{{"", "朝阳"}}}, Funding}}, Status: Pipeline, Dates: []ActivityDate{{PlannedStart, "2027-01-01"}},
		Countries: []Country{{Code: "VN"}}, Sectors: []Sector{{Code: "11220"}}}
	former := sample()
	former.Activities[0].Identifier = "XI-IATI-DAWN-speech"
	for name, d := range map[string]Document{"sample": sample(), "local": local(), "regional": regional(), "several": several, "bare": bare, "former": former} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := Write(&b, d); err != nil {
				t.Fatal(err)
			}
			verdict := verdictOf(t, b.Bytes())
			for _, f := range verdict.Findings {
				t.Error(f)
			}
			if !slices.Equal(verdict.Unjudged, []string{"1.14.8"}) {
				t.Errorf("not judged: %v", verdict.Unjudged)
			}
			if said := judge.Activities(t, b.Bytes()); said != "" {
				t.Errorf("%s\n%s", said, b.String())
			}
		})
	}
}

// breakages break one thing each. The last column is the published rule that
// says so, "schema" for the XML schema; empty where the standard says it in a code list or in words only.
var breakages = []struct {
	name  string
	from  func() Document
	make  func(d *Document, a *Activity)
	field string
	rule  string
}{
	{"no activities", sample, func(d *Document, a *Activity) { d.Activities = nil }, "activities", "schema"},
	{"twice", sample, func(d *Document, a *Activity) { d.Activities = append(d.Activities, *a) }, "activities[1].identifier", ""},
	{"the organisation's own id", sample, func(d *Document, a *Activity) { a.Identifier = reporter }, "activities[0].identifier", "1.1.3"},
	{"foreign id", sample, func(d *Document, a *Activity) { a.Identifier = "XI-IATI-OTHER-1" }, "activities[0].identifier", "1.1.21"},
	{"no hyphen", sample, func(d *Document, a *Activity) { a.Identifier = reporter + "2026" }, "activities[0].identifier", "1.1.21"},
	{"slash", sample, func(d *Document, a *Activity) { a.Identifier += "/1" }, "activities[0].identifier", "1.3.13"},
	{"ampersand", sample, func(d *Document, a *Activity) { a.Identifier += "&1" }, "activities[0].identifier", "1.3.13"},
	{"blank", sample, func(d *Document, a *Activity) { a.Identifier += " " }, "activities[0].identifier", "1.3.1"},
	{"reporter blank", sample, func(d *Document, a *Activity) { a.Reporting.Ref += " " }, "activities[0].reporting.ref", "1.14.1"},
	{"reporter question", sample, func(d *Document, a *Activity) { a.Reporting.Ref += "?" }, "activities[0].reporting.ref", "1.14.13"},
	{"reporter no agency", sample, func(d *Document, a *Activity) { a.Reporting.Ref = "sunrise" }, "activities[0].reporting.ref", "1.1.21"},
	{"reporter no type", sample, func(d *Document, a *Activity) { a.Reporting.Type = "" }, "activities[0].reporting.type", "schema"},
	{"reporter no name", sample, func(d *Document, a *Activity) { a.Reporting.Names = nil }, "activities[0].reporting.names", "schema"},
	{"reporter odd type", sample, func(d *Document, a *Activity) { a.Reporting.Type = "25" }, "activities[0].reporting.type", ""},
	{"former blank", sample, func(d *Document, a *Activity) { a.Former[0].Ref = " X" }, "activities[0].former[0].ref", "1.16.1"},
	{"former activity blank", sample, func(d *Document, a *Activity) { a.Former[1].Ref = "old " }, "activities[0].former[1].ref", "1.6.1"},
	{"former owner blank", sample, func(d *Document, a *Activity) { a.Former[1].Owner.Ref = "old " }, "activities[0].former[1].owner.ref", "1.11.1"},
	{"former owner slash", sample, func(d *Document, a *Activity) { a.Former[1].Owner.Ref = "o/d" }, "activities[0].former[1].owner.ref", "1.11.13"},
	{"related blank", sample, func(d *Document, a *Activity) { a.Related[0].Ref += " " }, "activities[0].related[0].ref", "1.7.1"},
	{"no title", sample, func(d *Document, a *Activity) { a.Title = nil }, "activities[0].title", "4.3.1"},
	{"empty title", sample, func(d *Document, a *Activity) { a.Title = Texts{{"en", ""}} }, "activities[0].title[0].text", "4.3.1"},
	{"no description", sample, func(d *Document, a *Activity) { a.Description = nil }, "activities[0].description", "4.4.1"},
	{"title twice", sample, func(d *Document, a *Activity) { a.Title[1].Language = "en" }, "activities[0].title[1].language", ""},
	{"control character", sample, func(d *Document, a *Activity) { a.Title[1].Text = "a\x00b" }, "activities[0].title[1].text", ""},
	{"no language", sample, func(d *Document, a *Activity) { a.Language = ""; a.Title[0].Language = "" }, "activities[0].language", "4.1.1"},
	{"no participants", sample, func(d *Document, a *Activity) { a.Participants = nil }, "activities[0].participants", "schema"},
	{"participant nobody", sample, func(d *Document, a *Activity) { a.Participants[0].Organisation = Organisation{} }, "activities[0].participants[0].names", "6.10.1"},
	{"participant no role", sample, func(d *Document, a *Activity) { a.Participants[0].Role = "" }, "activities[0].participants[0].role", "schema"},
	{"participant slash", sample, func(d *Document, a *Activity) { a.Participants[0].Ref = "a|b" }, "activities[0].participants[0].ref", "1.8.13"},
	{"participant blank", sample, func(d *Document, a *Activity) { a.Participants[0].Ref = "a " }, "activities[0].participants[0].ref", "1.8.1"},
	{"participant activity blank", sample, func(d *Document, a *Activity) { a.Participants[1].Activity += "\n" }, "activities[0].participants[1].activity", "1.9.1"},
	{"no status", sample, func(d *Document, a *Activity) { a.Status = "" }, "activities[0].status", "schema"},
	{"no dates", sample, func(d *Document, a *Activity) { a.Dates = nil }, "activities[0].dates", "6.11.1"},
	{"end only", sample, func(d *Document, a *Activity) { a.Dates = []ActivityDate{{PlannedEnd, "2026-12-31"}} }, "activities[0].dates", "6.11.1"},
	{"planned end first", sample, func(d *Document, a *Activity) { a.Dates[2].Date = "2025-12-31" }, "activities[0].dates", "11.1.2"},
	{"actual end first", sample, func(d *Document, a *Activity) { a.Dates = append(a.Dates, ActivityDate{ActualEnd, "2026-01-09"}) }, "activities[0].dates", "11.1.3"},
	{"starts tomorrow", sample, func(d *Document, a *Activity) { a.Dates[1].Date = "2026-03-16" }, "activities[0].dates[1]", "11.1.4"},
	{"ends tomorrow", sample, func(d *Document, a *Activity) { a.Dates = append(a.Dates, ActivityDate{ActualEnd, "2026-03-16"}) }, "activities[0].dates[3]", "11.1.5"},
	{"date twice", sample, func(d *Document, a *Activity) { a.Dates[1].Type = PlannedStart }, "activities[0].dates[1]", ""},
	{"updated later", sample, func(d *Document, a *Activity) { a.Updated = d.Generated + 1 }, "activities[0].updated", "11.1.1"},
	{"country without share", sample, func(d *Document, a *Activity) { a.Countries[0].Share = 0 }, "activities[0].countries", "3.1.1"},
	{"countries 99.99", sample, func(d *Document, a *Activity) { a.Countries[0].Share-- }, "activities[0].countries", "3.1.2"},
	{"one country 50", sample, func(d *Document, a *Activity) { a.Countries = []Country{{"CN", 5000}} }, "activities[0].countries", "3.1.4"},
	{"country 101", sample, func(d *Document, a *Activity) { a.Countries = []Country{{"CN", 10100}} }, "activities[0].countries", "12.1.1"},
	{"no country", sample, func(d *Document, a *Activity) { a.Countries = nil }, "activities[0].transactions[0].country", "3.7.1"},
	{"no country but one", local, func(d *Document, a *Activity) { a.Transactions[0].Country = "" }, "activities[0].transactions[0].country", "3.7.2"},
	{"no country at all", sample, func(d *Document, a *Activity) { a.Countries, a.Transactions = nil, nil }, "activities[0].countries", "3.7.1"},
	{"country on both", sample, func(d *Document, a *Activity) { a.Transactions[1].Country = "CN" }, "activities[0].transactions[1].country", "3.6.2"},
	{"odd country", sample, func(d *Document, a *Activity) { a.Countries[0].Code = "China" }, "activities[0].countries[0].code", ""},
	{"regions without share", regional, func(d *Document, a *Activity) { a.Countries = nil; a.Regions = []Region{{Code: "1"}, {Code: "789"}} }, "activities[0].regions[0].code", "3.4.1"},
	{"two regions without share", regional, func(d *Document, a *Activity) { a.Countries = nil; a.Regions = []Region{{Code: "798"}, {Code: "789"}} }, "activities[0].regions", "3.4.1"},
	{"regions 90", regional, func(d *Document, a *Activity) { a.Regions[1].Share = 5000 }, "activities[0].regions", "3.4.2"},
	{"one region 90", regional, func(d *Document, a *Activity) { a.Countries = nil; a.Regions = a.Regions[:1] }, "activities[0].regions", "3.4.4"},
	{"sector without share", sample, func(d *Document, a *Activity) { a.Sectors[0].Share = 0 }, "activities[0].sectors", "2.1.1"},
	{"sectors 100.01", sample, func(d *Document, a *Activity) { a.Sectors[0].Share++ }, "activities[0].sectors", "2.1.2"},
	{"one sector 50", sample, func(d *Document, a *Activity) { a.Sectors = []Sector{{Code: "11220", Share: 5000}} }, "activities[0].sectors", "2.1.4"},
	{"one own sector 50", sample, func(d *Document, a *Activity) { a.Sectors[2].Share = 5000 }, "activities[0].sectors", "2.1.4"},
	{"sector -1", sample, func(d *Document, a *Activity) { a.Sectors[0].Share, a.Sectors[1].Share = -100, 10100 }, "activities[0].sectors", "12.3.1"},
	{"own sector without a name", sample, func(d *Document, a *Activity) { a.Sectors[2].Names = nil }, "activities[0].sectors[2].names", "2.2.1"},
	{"own sectors only", sample, func(d *Document, a *Activity) { a.Sectors = a.Sectors[2:] }, "activities[0].sectors", "102.1.1"},
	{"sector of four digits", sample, func(d *Document, a *Activity) { a.Sectors[0].Code = "1122" }, "activities[0].sectors[0].code", ""},
	{"no sector", sample, func(d *Document, a *Activity) { a.Sectors = nil }, "activities[0].transactions[0].sectors", "6.2.2"},
	{"no sector, no transaction", sample, func(d *Document, a *Activity) { a.Sectors, a.Transactions = nil, nil }, "activities[0].sectors", "6.2.2"},
	{"no sector but one", local, func(d *Document, a *Activity) { a.Transactions[1].Sectors = nil }, "activities[0].transactions[1].sectors", "6.7.2"},
	{"sector on both", sample, func(d *Document, a *Activity) { a.Transactions[1].Sectors = []Sector{{Code: "11220"}} }, "activities[0].transactions[1].sectors", "6.6.2"},
	{"two sectors of a transaction", local, func(d *Document, a *Activity) { a.Transactions[1].Sectors = []Sector{{Code: "11220"}, {Code: "12220"}} }, "activities[0].transactions[1].sectors[1]", ""},
	{"share of a transaction", local, func(d *Document, a *Activity) { a.Transactions[1].Sectors[0].Share = Whole }, "activities[0].transactions[1].sectors[0]", "schema"},
	{"budget backwards", sample, func(d *Document, a *Activity) { a.Budgets[0].To = "2025-12-31" }, "activities[0].budgets[0].to", "8.6.3"},
	{"budget too long", sample, func(d *Document, a *Activity) { a.Budgets[0].To = "2027-01-02" }, "activities[0].budgets[0].to", "7.5.3"},
	{"budget not valued", sample, func(d *Document, a *Activity) { a.Budgets[0].Valued = "" }, "activities[0].budgets[0].valued", "schema"},
	{"budget negative", sample, func(d *Document, a *Activity) { a.Budgets[0].Value.Units = -1 }, "activities[0].budgets[0].value", ""},
	{"no transaction type", sample, func(d *Document, a *Activity) { a.Transactions[0].Type = "" }, "activities[0].transactions[0].type", "schema"},
	{"odd transaction type", sample, func(d *Document, a *Activity) { a.Transactions[0].Type = "14" }, "activities[0].transactions[0].type", ""},
	{"transaction tomorrow", sample, func(d *Document, a *Activity) {
		a.Transactions[0].Date, a.Transactions[0].Valued = "2026-03-16", "2026-03-01"
	}, "activities[0].transactions[0].date", "11.2.1"},
	{"valued tomorrow", sample, func(d *Document, a *Activity) { a.Transactions[0].Valued = "2026-03-16" }, "activities[0].transactions[0].valued", "11.2.2"},
	{"no such day", sample, func(d *Document, a *Activity) { a.Transactions[0].Date = "2026-02-29" }, "activities[0].transactions[0].date", "schema"},
	{"nothing", sample, func(d *Document, a *Activity) { a.Transactions[0].Value.Units = 0 }, "activities[0].transactions[0].value", ""},
	{"too much", sample, func(d *Document, a *Activity) { a.Transactions[0].Value.Units = money.Max + 1 }, "activities[0].transactions[0].value", ""},
	{"no currency", sample, func(d *Document, a *Activity) { a.Currency, a.Transactions[0].Value.Currency = "", "" }, "activities[0].currency", "7.8.1"},
	{"provider nobody", sample, func(d *Document, a *Activity) { a.Transactions[0].Provider = &Organisation{} }, "activities[0].transactions[0].provider.names", "6.9.1"},
	{"receiver nobody", sample, func(d *Document, a *Activity) { a.Transactions[0].Receiver = &Organisation{Activity: "x"} }, "activities[0].transactions[0].receiver.names", "6.9.2"},
	{"provider slash", sample, func(d *Document, a *Activity) { a.Transactions[0].Provider = &Organisation{Ref: "a/b"} }, "activities[0].transactions[0].provider.ref", "1.10.13"},
	{"provider blank", sample, func(d *Document, a *Activity) { a.Transactions[0].Provider = &Organisation{Ref: "ab "} }, "activities[0].transactions[0].provider.ref", "1.10.1"},
	{"provider activity blank", sample, func(d *Document, a *Activity) { a.Transactions[0].Provider = &Organisation{Ref: "ab", Activity: " c"} }, "activities[0].transactions[0].provider.activity", "1.4.1"},
	{"receiver slash", sample, func(d *Document, a *Activity) { a.Transactions[0].Receiver = &Organisation{Ref: "a?b"} }, "activities[0].transactions[0].receiver.ref", "1.15.13"},
	{"receiver blank", sample, func(d *Document, a *Activity) { a.Transactions[0].Receiver = &Organisation{Ref: "ab "} }, "activities[0].transactions[0].receiver.ref", "1.15.1"},
	{"receiver activity blank", sample, func(d *Document, a *Activity) { a.Transactions[0].Receiver = &Organisation{Ref: "ab", Activity: "c "} }, "activities[0].transactions[0].receiver.activity", "1.5.1"},
	{"not made", sample, func(d *Document, a *Activity) { d.Generated = 0 }, "generated", ""},
}

func TestRefusals(t *testing.T) {
	for _, c := range breakages {
		t.Run(c.name, func(t *testing.T) {
			d := c.from()
			c.make(&d, &d.Activities[0])
			var b bytes.Buffer
			err := Write(&b, d)
			var refusal *rule.Refusal
			if !errors.As(err, &refusal) {
				t.Fatalf("not refused: %v", err)
			}
			if field, sentence := refusal.Pointer(); field != c.field {
				t.Errorf("refuses %s (%s), want %s", field, sentence, c.field)
			}
			if b.Len() > 0 {
				t.Errorf("%d bytes were written", b.Len())
			}
			// What is refused here is what the published rules refuse.
			if c.rule == "" {
				return
			}
			if found := judged(t, d); !slices.Contains(found, c.rule) {
				t.Errorf("the published rules say %v, not %s", found, c.rule)
			}
		})
	}
}

// unreachable are published rules that no value of this package can break, and why.
var unreachable = map[string]string{
	"1.14.8":  "needs a list of agencies that is not part of the ruleset; the form of the ref is checked",
	"107.1.1": "an aid type is of the OECD's list only", "107.1.2": "an aid type is one", "107.2.1": "a transaction has no aid type", "107.2.2": "a transaction has no aid type",
	"7.9.1": "no country budget items", "7.9.2": "no country budget items", "7.9.4": "no country budget items", "12.2.1": "no capital spend, no country budget items",
	"6.13.1": "no policy markers", "6.14.1": "no policy markers", "6.8.1": "an owner without ref and name is not written",
	"8.6.1": "no results", "8.8.1": "no results", "8.8.2": "no results", "8.8.3": "no results", "8.9.1": "no results", "8.9.2": "no results", "8.9.3": "no results",
	"8.10.1": "no results", "8.10.2": "no results", "8.10.3": "no results", "8.11.1": "no results",
}

func TestEveryPublishedRuleIsAccountedFor(t *testing.T) {
	tested := map[string]bool{}
	for _, c := range breakages {
		tested[c.rule] = true
	}
	ids := published(t).IDs(func(context string) bool { return !strings.Contains(context, "iati-organisations") })
	if len(ids) < 60 {
		t.Fatalf("only the rules %v were read", ids)
	}
	for _, id := range ids {
		if tested[id] == (unreachable[id] != "") {
			t.Errorf("rule %s: broken by a test %v, said to be unreachable %v", id, tested[id], unreachable[id] != "")
		}
	}
}

func TestAmounts(t *testing.T) {
	for _, c := range []struct {
		amount money.Amount
		want   string
	}{
		{money.New(1, "CNY"), "0.01"}, {money.New(-1, "CNY"), "-0.01"}, {money.New(100, "CNY"), "1.00"}, {money.New(135_081_775_728, "VND"), "135081775728"},
		{money.New(5, "JPY"), "5"}, {money.New(1_234, "KWD"), "1.234"}, {money.New(-7, "KWD"), "-0.007"}, {money.New(money.Max, "CNY"), "90071992547409.91"}, {money.New(-money.Max, "VND"), "-9007199254740991"},
	} {
		d := sample()
		d.Activities[0].Transactions[0].Value = c.amount
		var b bytes.Buffer
		if err := Write(&b, d); err != nil {
			t.Error(err)
		}
		if want := `<value currency="` + string(c.amount.Currency) + `" value-date="2026-03-01">` + c.want + "</value>"; !strings.Contains(b.String(), want) {
			t.Errorf("%s is not written as %s", c.amount, want)
		}
	}
}

func TestShares(t *testing.T) {
	for share, want := range map[Share]string{1: "0.01", 10: "0.1", 100: "1", 1000: "10", 6250: "62.5", 9999: "99.99", Whole: "100", -150: "-1.5"} {
		if share.String() != want {
			t.Errorf("%d is %s, want %s", share, share, want)
		}
	}
}

// TestNothingInvalidIsWritten spoils documents at random, several times over:
// what is still written is valid by the published ruleset.
func TestNothingInvalidIsWritten(t *testing.T) {
	written, rules := 0, published(t)
	rapid.Check(t, func(t *rapid.T) {
		d := []func() Document{sample, local, regional}[rapid.IntRange(0, 2).Draw(t, "from")]()
		a := &d.Activities[0]
		for range rapid.IntRange(0, 4).Draw(t, "changes") {
			spoil(t, a)
		}
		var b bytes.Buffer
		if err := Write(&b, d); err != nil {
			return
		}
		written++
		verdict, err := rules.Judge(bytes.NewReader(b.Bytes()), now)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range verdict.Findings {
			t.Fatalf("%s\n%s", f, b.String())
		}
	})
	if written == 0 { // one of five is not spoilt at all
		t.Errorf("only %d documents were written; the test says little", written)
	}
}

func spoil(t *rapid.T, a *Activity) {
	share := rapid.SampledFrom([]Share{0, 0, 2500, 5000, 7500, Whole, Whole})
	date := rapid.SampledFrom([]tape.Date{"2025-12-31", "2026-03-14", "2026-03-15", "2026-03-16", "2027-03-01"})
	text := rapid.SampledFrom([]string{"", "x", "XI-IATI-A", "a/b", " a", "a b", "人"})
	tx := func() *Transaction {
		if len(a.Transactions) == 0 {
			a.Transactions = []Transaction{{Type: Expenditure, Date: "2026-03-01", Value: cny(1)}}
		}
		return &a.Transactions[rapid.IntRange(0, len(a.Transactions)-1).Draw(t, "transaction")]
	}
	changes := []func(){
		func() { a.Countries = []Country{{"CN", share.Draw(t, "share")}} },
		func() { a.Countries = []Country{{"CN", share.Draw(t, "share")}, {"VN", share.Draw(t, "share")}} },
		func() { a.Countries = nil },
		func() { a.Regions = []Region{{Code: "798", Share: share.Draw(t, "share")}} },
		func() {
			a.Regions = []Region{{Code: "798", Share: share.Draw(t, "share")}, {Code: "789", Vocabulary: rapid.SampledFrom([]string{"", "2"}).Draw(t, "vocabulary"), Share: share.Draw(t, "share")}}
		},
		func() { a.Regions = nil },
		func() { a.Sectors = nil },
		func() { a.Sectors = []Sector{{Code: "11220", Share: share.Draw(t, "share")}} },
		func() {
			a.Sectors = []Sector{{Code: "11220", Share: share.Draw(t, "share")}, {Code: "120", Vocabulary: "2", Share: share.Draw(t, "share")}}
		},
		func() {
			a.Sectors = []Sector{{Code: "120", Vocabulary: "2", Share: share.Draw(t, "share")}, {Code: "130", Vocabulary: "2", Share: share.Draw(t, "share")}, {Code: "11220"}}
		},
		func() { a.Transactions = nil },
		func() { tx().Country = rapid.SampledFrom([]string{"", "CN"}).Draw(t, "country") },
		func() { tx().Sectors = nil },
		func() { tx().Date = date.Draw(t, "date") },
		func() { tx().Valued = date.Draw(t, "date") },
		func() { tx().Provider = &Organisation{Ref: text.Draw(t, "ref"), Activity: text.Draw(t, "activity")} },
		func() { tx().Receiver = &Organisation{Ref: text.Draw(t, "ref"), Activity: text.Draw(t, "activity")} },
		func() {
			a.Dates = []ActivityDate{{ActualStart, date.Draw(t, "date")}, {ActualEnd, date.Draw(t, "date")}}
		},
		func() {
			a.Dates = []ActivityDate{{PlannedStart, date.Draw(t, "date")}, {PlannedEnd, date.Draw(t, "date")}}
		},
		func() { a.Budgets[0].From, a.Budgets[0].To = date.Draw(t, "date"), date.Draw(t, "date") },
		func() {
			a.Participants[0].Organisation = Organisation{Ref: text.Draw(t, "ref"), Activity: text.Draw(t, "activity")}
		},
		func() { a.Identifier = a.Reporting.Ref + "-" + text.Draw(t, "id") },
	}
	changes[rapid.IntRange(0, len(changes)-1).Draw(t, "change")]()
}

// broken fails after some bytes, as a full disk does.
type broken struct{ left int }

func (w *broken) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errors.New("the disk is full")
	}
	return len(p), nil
}

func TestAWriterThatFailsIsNoticed(t *testing.T) {
	for left := range 3 {
		if err := Write(&broken{left * 100}, sample()); err == nil || !strings.Contains(err.Error(), "full") {
			t.Errorf("after %d bytes: %v", left*100, err)
		}
	}
}
