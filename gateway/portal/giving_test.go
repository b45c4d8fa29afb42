package portal

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/giving"
	"github.com/lianbao/lianbao/gateway/portal/words"
	"github.com/lianbao/lianbao/gateway/trail"
)

const (
	lunches   = tape.AccountID("charity:sunrise:lunches")
	unclaimed = tape.AccountID("charity:sunrise:unclaimed")
)

// counter is the pages of givers over the real contracts.
type counter struct {
	*ledger
	desk    *giving.Desk
	handler http.Handler
	log     strings.Builder
	now     time.Time
	pages   int
}

func newCounter(t *testing.T) *counter {
	l := newLedger(t)
	l.found()
	c := &counter{ledger: l, now: time.Now()}
	c.desk = l.giving("2026-01-02")
	clock := func() time.Time { return c.now }
	announcements, wrong := giving.NewLimits(clock)
	c.handler = NewGivers(Parts{Organisation: "charity", Model: l.model, Height: func(context.Context) (uint64, error) { return l.network.Height(), nil },
		Log: slog.New(slog.NewTextHandler(&c.log, &slog.HandlerOptions{Level: slog.LevelDebug}))},
		Givers{Desk: c.desk, Announcements: announcements, WrongCodes: wrong, KeepDays: 90})
	l.decided("open-campaign", "Fund:OpenCampaign", lunches, 0, fund.OpenCampaign{Account: lunches, Basis: fund.Agreement, Custodian: bank, ID: "open-lunches",
		Plan: fund.Plan{Area: "CN", Beneficiaries: fund.Text{En: "Pupils"}, Donors: []tape.ID{"giver"}, From: "2025-12-01", Goal: yuan(100_000), Leftover: training,
			Lines: []fund.BudgetLine{{Amount: yuan(100_000), ID: "meals", Kind: fund.Programme, Title: fund.Text{En: "Meals"}}}, Purpose: fund.Text{En: "Lunches"},
			Regulator: "coop", Sector: "11110", Title: fund.Text{En: "Lunches"}, To: "2026-12-31"}})
	l.charity("Tape:Open", tape.Open{Account: unclaimed, Attribution: tape.FIFO, Currency: "CNY", Custodian: bank, ID: "open-unclaimed", Unidentified: lunches})
	l.follow()
	return c
}

// giving is the charity's desk for gifts, on one day.
func (l *ledger) giving(today tape.Date) *giving.Desk {
	l.Helper()
	folder := l.TempDir()
	store, err := giving.Open(giving.Settings{Folder: filepath.Join(folder, "giving"), Key: filepath.Join(folder, "giving.key")})
	made(l, store, err)
	l.Cleanup(func() {
		if err := store.Close(); err != nil {
			l.Error(err)
		}
	})
	return &giving.Desk{Store: store, Organisation: "charity", Model: l.model, Today: func() tape.Date { return today },
		Issuer: giving.Issuer{Name: donation.Text{Chinese: "虚构慈善"}, CreditCode: giving.InventedCreditCode, Handler: "Invented Handler"}}
}

func (c *counter) ask(method, path string, form url.Values, header ...string) *httptest.ResponseRecorder {
	c.Helper()
	r := httptest.NewRequest(method, "http://ledger.example"+path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer := httptest.NewRecorder()
	c.handler.ServeHTTP(answer, r)
	if kind := answer.Header().Get("Content-Type"); strings.HasPrefix(kind, "text/html") {
		if _, err := html.Parse(strings.NewReader(answer.Body.String())); err != nil || strings.Contains(answer.Body.String(), "<no value>") {
			c.Errorf("%s %s: %v", method, path, err)
		}
	}
	return answer
}

var (
	attemptIn   = regexp.MustCompile(`name="attempt" value="([0-9a-f]{32})"`)
	codeIn      = regexp.MustCompile(`<code>((?:[2-9A-Y]{4} ){6}[2-9A-Y]{4})</code>`)
	referenceIn = regexp.MustCompile(`<code>(RF[0-9]{2}(?: [0-9A-Z]{4}){4})</code>`)
)

// announce fills in the form as a browser without script does.
func (c *counter) announce(language, amount, name string) (code string, reference donation.Reference) {
	c.Helper()
	path := "/" + language + "/give/" + string(lunches)
	form := c.ask("GET", path, nil)
	attempt := attemptIn.FindStringSubmatch(form.Body.String())
	if form.Code != 200 || attempt == nil {
		c.Fatalf("the form: %d", form.Code)
	}
	sent := url.Values{"attempt": {attempt[1]}, "amount": {amount}, "name": {name}, "as": {"named"}}
	if name == "" {
		sent.Set("as", "anonymous")
	}
	answer := c.ask("POST", path, sent)
	found, given := codeIn.FindStringSubmatch(answer.Body.String()), referenceIn.FindStringSubmatch(answer.Body.String())
	if answer.Code != 200 || found == nil || given == nil || answer.Header().Get("Cache-Control") != "no-store" {
		c.Fatalf("announcing: %d %s", answer.Code, answer.Body)
	}
	if again := c.ask("POST", path, sent); !strings.Contains(again.Body.String(), found[1]) {
		c.Error("the form sent twice has another answer")
	}
	if name != "" && strings.Contains(answer.Body.String(), name) {
		c.Error("the page repeats the name")
	}
	return found[1], donation.Reference(strings.ReplaceAll(given[1], " ", ""))
}

// arrive lets the bank show a gift, and returns its place.
func (c *counter) arrive(reference donation.Reference, line string, units int64) (gift tape.Gift, page tape.ID) {
	c.Helper()
	claims := made(c.ledger, first(c.desk.Claims([]giving.Memo{{Reference: reference, Line: line}})), nil)
	if err := c.desk.Take([]giving.Taking{{Announcement: claims[0].Announcement, Line: line}}); err != nil {
		c.Fatal(err)
	}
	c.pages++
	page = tape.ID(fmt.Sprintf("giver-%d", c.pages))
	gift = tape.Gift{ID: claims[0].Gift, Amount: money.New(units, "CNY"), Donor: claims[0].Donor}
	c.charity("Tape:Receive", tape.Receive{Account: lunches, ID: page, Count: 1, Total: gift.Amount, Gifts: []tape.Gift{gift}})
	c.follow()
	return gift, page
}

func first[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func (c *counter) settle(page tape.ID) {
	c.Helper()
	received, err := c.model.Page(c.Context(), lunches, page)
	c.decided("declare", "Fund:Declare", lunches, made(c.ledger, received, err).Total.Units, fund.Declare{Account: lunches, ID: "settle-" + page, Page: page})
	c.follow()
}

func (c *counter) look(language, code string) *httptest.ResponseRecorder {
	c.Helper()
	return c.ask("POST", "/"+language+"/receipts", url.Values{"code": {code}})
}

func says(t *testing.T, tag, key string, values ...any) string {
	t.Helper()
	all, err := words.Languages()
	if err != nil {
		t.Fatal(err)
	}
	text, err := all[tag].Say(key, values...)
	if err != nil {
		t.Fatal(err)
	}
	return html.EscapeString(text)
}

// TestWayOfAnAnnouncedGift: waiting, pending, settled with its receipt, in both languages.
func TestWayOfAnAnnouncedGift(t *testing.T) {
	for _, tag := range words.Tags {
		c := newCounter(t)
		code, reference := c.announce(tag, "1,000.50", "Invented Ada 虚构")
		if page := c.look(tag, strings.ToLower(code)); page.Code != 200 || !strings.Contains(page.Body.String(), says(t, tag, "receipt.waits")) || !strings.Contains(page.Body.String(), reference.Grouped()) {
			t.Errorf("before the line: %d %s", page.Code, page.Body)
		}
		gift, onPage := c.arrive(reference, "line-1", 900_00)
		if page := c.look(tag, code).Body.String(); !strings.Contains(page, says(t, tag, "own-gift.waits")) || strings.Contains(page, "donation-receipt") {
			t.Errorf("before it is settled: %s", page)
		}
		c.settle(onPage)
		page := c.look(tag, code).Body.String()
		for _, wanted := range []string{says(t, tag, "own-gift.settled"), "CHARITY-2026-000001", "Invented Ada 虚构", "玖佰元整", "900.00", "1,000.50", string(gift.ID), gift.Donor,
			code, "虚构慈善", says(t, tag, "receipt.waiting"), "http://ledger.example/" + tag + "/gifts/" + string(gift.ID)} {
			if !strings.Contains(page, wanted) {
				t.Errorf("%s: the receipt does not say %q", tag, wanted)
			}
		}
		c.pdf(tag, code, gift.ID)
		second, onPage := c.arrive(reference, "line-2", 1_00) // the reference used twice
		c.settle(onPage)
		if page := c.look(tag, code).Body.String(); !strings.Contains(page, "CHARITY-2026-000002") || !strings.Contains(page, "CHARITY-2026-000001") || !strings.Contains(page, string(second.ID)) {
			t.Errorf("%s: the second gift of one giver is missing", tag)
		}
		if strings.Contains(c.log.String(), "Ada") || strings.Contains(c.log.String(), code) {
			t.Errorf("the log holds the giver: %s", c.log.String())
		}
	}
}

func (c *counter) pdf(tag, code string, gift tape.ID) {
	c.Helper()
	answer := c.ask("POST", "/"+tag+"/receipts/pdf", url.Values{"code": {code}, "gift": {string(gift)}})
	if _, err := donation.FindFont(""); err != nil {
		if os.Getenv("LIANBAO_FONT") == "required" {
			c.Fatalf("LIANBAO_FONT=required: %v", err)
		}
		if answer.Code != http.StatusConflict || !strings.Contains(answer.Body.String(), says(c.T, tag, "receipt-fault.pdf")) {
			c.Errorf("without a font: %d", answer.Code)
		}
		c.Logf("no PDF was made: %v", err)
		return
	}
	if answer.Code != 200 || !strings.HasPrefix(answer.Body.String(), "%PDF-") || answer.Header().Get("Content-Type") != "application/pdf" || answer.Header().Get("Cache-Control") != "no-store" {
		c.Errorf("the PDF: %d %s %.80q", answer.Code, answer.Header(), answer.Body)
	}
	if other := c.ask("POST", "/"+tag+"/receipts/pdf", url.Values{"code": {code}, "gift": {"other"}}); other.Code != http.StatusConflict {
		c.Errorf("another's gift: %d", other.Code)
	}
}

// refund orders a gift to be paid back.
func (c *counter) refund(gift tape.Gift, page, id tape.ID) {
	c.Helper()
	proof, err := tape.NewGiftProof(page, []tape.Gift{gift}, 0)
	expires := tape.Instant(c.network.Clock().Add(48 * time.Hour).UnixMilli())
	c.decided("refund", "Tape:Refund", lunches, gift.Amount.Units, tape.Refund{Account: lunches, Expires: expires, Gift: made(c.ledger, proof, err), ID: id, To: gift.Giver()})
	c.follow()
}

// TestVoid: a refunded gift's receipt keeps its number and says that it is void;
// one that was refunded before gets none.
func TestVoid(t *testing.T) {
	c := newCounter(t)
	code, reference := c.announce("en", "5", "Invented Bo")
	gift, page := c.arrive(reference, "a", 5_00)
	c.settle(page)
	if text := c.look("en", code).Body.String(); !strings.Contains(text, "CHARITY-2026-000001") || strings.Contains(text, "VOID") {
		t.Errorf("before: %s", text)
	}
	c.refund(gift, page, "back-1")
	if text := c.look("en", code).Body.String(); !strings.Contains(text, "CHARITY-2026-000001 作废 VOID") || !strings.Contains(text, says(t, "en", "own-gift.void")) {
		t.Errorf("after: %s", text)
	}
	late, lateReference := c.announce("zh-CN", "6", "")
	gift, page = c.arrive(lateReference, "b", 6_00)
	c.settle(page)
	c.refund(gift, page, "back-2")
	if text := c.look("zh-CN", late).Body.String(); strings.Contains(text, "CHARITY-2026-000002") || !strings.Contains(text, says(t, "zh-CN", "no-paper.void")) {
		t.Errorf("refunded before a receipt was issued: %s", text)
	}
}

// TestMoved: a gift that was corrected is another campaign's; its receipt gets a
// new number and says which one it makes void.
func TestMoved(t *testing.T) {
	c := newCounter(t)
	plan := fund.Plan{Area: "CN", Beneficiaries: fund.Text{En: "Readers"}, Donors: []tape.ID{"giver"}, From: "2025-12-01", Goal: yuan(1_000), Leftover: lunches,
		Lines: []fund.BudgetLine{{Amount: yuan(1_000), ID: "books", Kind: fund.Programme, Title: fund.Text{En: "Books"}}}, Purpose: fund.Text{En: "Books"},
		Regulator: "coop", Sector: "11110", Title: fund.Text{En: "Books", Zh: "图书"}, To: "2026-12-31"}
	const books = tape.AccountID("charity:sunrise:books")
	c.decided("open-campaign", "Fund:OpenCampaign", books, 0, fund.OpenCampaign{Account: books, Basis: fund.Agreement, Custodian: bank, ID: "open-books", Plan: plan})
	code, reference := c.announce("en", "5", "Invented Bo")
	gift, page := c.arrive(reference, "a", 5_00)
	c.settle(page)
	if text := c.look("en", code).Body.String(); !strings.Contains(text, "CHARITY-2026-000001") || strings.Contains(text, "图书") {
		t.Errorf("before: %s", text)
	}
	proof, err := tape.NewGiftProof(page, []tape.Gift{gift}, 0)
	c.decided("correct", "Tape:Correct", lunches, 5_00, tape.Correct{Account: lunches, Gift: made(c.ledger, proof, err), ID: "correct-1", Reason: "booked-wrongly", To: books})
	c.follow()
	for range 2 {
		text := c.look("en", code).Body.String()
		if !strings.Contains(text, "CHARITY-2026-000002") || !strings.Contains(text, "Replaces and makes void") || !strings.Contains(text, "CHARITY-2026-000001") || !strings.Contains(text, "图书") {
			t.Errorf("after: %s", text)
		}
	}
}

// TestGiveLinks: a campaign's page leads to the form where gifts are taken, an
// earmark's under the filing of its campaign, and says elsewhere why not.
func TestGiveLinks(t *testing.T) {
	c := newCounter(t)
	plan := func(title, from, to string, leftover tape.AccountID) fund.Plan {
		return fund.Plan{Area: "CN", Beneficiaries: fund.Text{En: "Pupils"}, From: tape.Date(from), To: tape.Date(to), Goal: yuan(1_000), Leftover: leftover,
			Lines: []fund.BudgetLine{{Amount: yuan(1_000), ID: "meals", Kind: fund.Programme, Title: fund.Text{En: "Meals"}}}, Purpose: fund.Text{En: "Lunches"}, Regulator: "coop", Sector: "11110", Title: fund.Text{En: title}}
	}
	const earmark, filing, early = tape.AccountID("charity:sunrise:meals"), tape.AccountID("charity:sunrise:draft"), tape.AccountID("charity:sunrise:early")
	for account, command := range map[tape.AccountID]fund.OpenCampaign{
		earmark: {Basis: fund.Earmark, Parent: lunches, Plan: plan("Meals", "2026-01-01", "2026-12-31", lunches)},
		filing:  {Basis: fund.Filing, Plan: plan("Draft", "2026-01-01", "2026-12-31", lunches)},
		early:   {Basis: fund.Agreement, Plan: plan("Early", "2026-02-01", "2026-12-31", lunches)},
	} {
		command.Account, command.Custodian, command.ID = account, bank, "open-"+tape.ID(command.Plan.Title.En)
		if command.Basis == fund.Agreement {
			command.Plan.Donors = []tape.ID{"giver"}
		}
		c.decided("open-campaign", "Fund:OpenCampaign", account, 0, command)
	}
	c.follow()
	h := New(Parts{Organisation: "charity", Model: c.model, Height: c.height, Campaigns: trail.Trail{Model: c.model, Now: c.network.Clock}, Gives: true, Today: c.desk.Today, Log: slog.New(slog.DiscardHandler)})
	for _, test := range []struct {
		account tape.AccountID
		today   tape.Date
		refused string
		says    string
	}{
		{lunches, "2026-03-01", "", "give.link"}, {earmark, "2026-03-01", "", "give.earmark"}, {filing, "2026-03-01", "draft", "give-refused.draft"},
		{early, "2026-01-02", "early", "give-refused.early"}, {earmark, "2027-03-01", "over", ""},
	} {
		c.desk.Today = func() tape.Date { return test.today }
		campaign, _, err := c.desk.Campaign(t.Context(), test.account)
		if err != nil || campaign.Refused != test.refused {
			t.Errorf("%s on %s: %q, %v", test.account, test.today, campaign.Refused, err)
		}
		if page := get(t, h, "/en/campaigns/"+string(test.account)).Body.String(); test.says != "" && (!strings.Contains(page, says(t, "en", test.says)) || strings.Contains(page, `href="/en/give/`) != (test.refused == "")) {
			t.Errorf("%s: the page does not say %s", test.account, test.says)
		}
	}
}

// TestWaived: who ticks that no receipt is wanted gets a record, and may change
// that with the code; the number stays.
func TestWaived(t *testing.T) {
	c := newCounter(t)
	form := c.ask("GET", "/en/give/"+string(lunches), nil)
	answer := c.ask("POST", "/en/give/"+string(lunches), url.Values{"attempt": {attemptIn.FindStringSubmatch(form.Body.String())[1]}, "amount": {"5"}, "as": {"named"}, "name": {"Invented Bo"}, "waive": {"yes"}})
	code := codeIn.FindStringSubmatch(answer.Body.String())[1]
	reference := donation.Reference(strings.ReplaceAll(referenceIn.FindStringSubmatch(answer.Body.String())[1], " ", ""))
	_, page := c.arrive(reference, "a", 5_00)
	c.settle(page)
	const record, receipt = "捐赠记录", "捐赠票据"
	for _, step := range []struct{ wanted, title, offers string }{{"", record, "receipt.want"}, {"yes", receipt, "receipt.waive"}, {"no", record, "receipt.want"}} {
		text := c.look("en", code).Body.String()
		if step.wanted != "" {
			text = c.ask("POST", "/en/receipts/waive", url.Values{"code": {code}, "wanted": {step.wanted}}).Body.String()
		}
		if !strings.Contains(text, step.title+" <span") || !strings.Contains(text, says(t, "en", step.offers)) || !strings.Contains(text, "CHARITY-2026-000001") {
			t.Errorf("%+v: %s", step, text)
		}
	}
	if answer := c.ask("POST", "/en/receipts/waive", url.Values{"code": {"nonsense"}}); answer.Code != http.StatusNotFound {
		t.Errorf("a wrong code: %d", answer.Code)
	}
}

// TestIdentified: money that is claimed later is shown by the code that claims it.
func TestIdentified(t *testing.T) {
	c := newCounter(t)
	code, _ := c.announce("en", "7", "Invented Chi")
	gift := tape.Gift{ID: "line-9", Amount: money.New(7_00, "CNY")}
	c.charity("Tape:Receive", tape.Receive{Account: unclaimed, ID: "lost", Count: 1, Total: gift.Amount, Gifts: []tape.Gift{gift}})
	c.charity("Tape:Settle", tape.Settle{Account: unclaimed, ID: "settle-lost", Items: []tape.SettleItem{{Source: "lost", SelfDeclared: true}}})
	c.follow()
	if err := c.desk.Attach(code, giving.Use{Account: unclaimed, Gift: "line-9", Page: "lost"}); err != nil {
		t.Fatal(err)
	}
	if text := c.look("en", code).Body.String(); !strings.Contains(text, says(t, "en", "own-gift.unidentified")) || strings.Contains(text, "CHARITY-2026") {
		t.Errorf("before: %s", text)
	}
	proof, err := tape.NewGiftProof("lost", []tape.Gift{gift}, 0)
	if err != nil {
		t.Fatal(err)
	}
	c.decided("identify", "Tape:Identify", unclaimed, 7_00, tape.Identify{Account: unclaimed, Gift: proof, ID: "identify-1", To: lunches})
	c.follow()
	if text := c.look("en", code).Body.String(); !strings.Contains(text, says(t, "en", "own-gift.settled")) || !strings.Contains(text, "CHARITY-2026-000001") {
		t.Errorf("after: %s", text)
	}
}

// TestErased: after that the code is as wrong as any other.
func TestErased(t *testing.T) {
	c := newCounter(t)
	code, reference := c.announce("en", "8", "Invented Dee")
	wrong := c.look("en", "nonsense").Body.String()
	if answer := c.ask("POST", "/en/receipts/erase", url.Values{"code": {code}}); answer.Code != http.StatusUnprocessableEntity {
		t.Errorf("not sure: %d", answer.Code)
	}
	_, page := c.arrive(reference, "a", 8_00)
	c.settle(page)
	answer := c.ask("POST", "/en/receipts/erase", url.Values{"code": {code}, "sure": {"yes"}})
	if answer.Code != 200 || !strings.Contains(answer.Body.String(), says(t, "en", "receipts.kept")) {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if got := c.look("en", code); got.Code != 404 || got.Body.String() != wrong {
		t.Errorf("an erased code: %d", got.Code)
	}
}

// TestGiversRefused is what is not announced, not shown, and said in the reader's language.
func TestGiversRefused(t *testing.T) {
	c := newCounter(t)
	give := "/en/give/" + string(lunches)
	form := func(change ...string) url.Values {
		values := url.Values{"attempt": {strings.Repeat("ab", 16)}, "amount": {"5"}, "name": {"Secretname"}, "as": {"named"}}
		for i := 0; i < len(change); i += 2 {
			values.Set(change[i], change[i+1])
		}
		return values
	}
	for _, test := range []struct {
		name, method, path string
		form               url.Values
		header             []string
		status             int
		want               string
	}{
		{"no amount", "POST", give, form("amount", ""), nil, 422, says(t, "en", "give-fault.amount")},
		{"two readings", "POST", give, form("amount", "1,50"), nil, 422, says(t, "en", "give-fault.amount")},
		{"too exact", "POST", give, form("amount", "1.005"), nil, 422, says(t, "en", "give-fault.amount")},
		{"negative", "POST", give, form("amount", "-5"), nil, 422, says(t, "en", "give-fault.amount")},
		{"no name", "POST", give, form("name", " "), nil, 422, says(t, "en", "give-fault.name")},
		{"a script", "POST", give, form("amount", `"><script>`), nil, 422, "&#34;&gt;&lt;script&gt;"},
		{"no mark", "POST", give, form("attempt", "x"), nil, 422, says(t, "en", "give-fault.attempt")},
		{"from elsewhere", "POST", give, form(), []string{"Sec-Fetch-Site", "cross-site"}, 403, ""},
		{"a long form", "POST", give, form("name", strings.Repeat("x", 9000)), nil, 422, ""},
		{"no campaign", "GET", "/zh-CN/give/charity:sunrise:nobody", nil, nil, 404, ""},
		{"unclaimed money", "GET", "/en/give/" + string(unclaimed), nil, nil, 404, ""},
		{"another's campaign", "GET", "/en/give/" + string(travel), nil, nil, 404, ""},
		{"a code in an address", "GET", "/en/receipts?code=ABC", nil, nil, 200, says(t, "en", "receipts.lead")},
		{"PDF by address", "GET", "/en/receipts/pdf", nil, nil, 404, ""},
		{"a wrong code for PDF", "POST", "/en/receipts/pdf", url.Values{"code": {"x"}}, nil, 404, says(t, "en", "receipt-fault.unknown")},
		{"a wrong code to erase", "POST", "/zh-CN/receipts/erase", url.Values{"code": {"x"}, "sure": {"yes"}}, nil, 404, says(t, "zh-CN", "receipt-fault.unknown")},
	} {
		answer := c.ask(test.method, test.path, test.form, test.header...)
		if answer.Code != test.status || !strings.Contains(answer.Body.String(), test.want) || strings.Contains(answer.Body.String(), "Secretname") {
			t.Errorf("%s: %d, want %d and %q", test.name, answer.Code, test.status, test.want)
		}
	}
	if style := c.ask("GET", "/en/receipts/paper.css", nil); style.Code != 200 || !strings.Contains(style.Body.String(), ".donation-receipt h2") {
		t.Errorf("the style: %d", style.Code)
	}
}

// TestGuessing: after some wrong codes an address is told to wait; the right code
// opens its gift all the same, because neighbours behind one address must not
// keep a giver out, and nobody guesses 128 bits.
func TestGuessing(t *testing.T) {
	c := newCounter(t)
	code, _ := c.announce("en", "9", "")
	bodies := map[string]bool{}
	for i := range 20 {
		answer := c.look("en", fmt.Sprintf("wrong %d", i))
		if bodies[answer.Body.String()] = true; answer.Code != 404 {
			t.Fatalf("guess %d: %d", i, answer.Code)
		}
	}
	if len(bodies) != 1 {
		t.Errorf("wrong codes have %d answers", len(bodies))
	}
	if right, wrong := c.look("en", code), c.look("en", "wrong"); right.Code != 200 || wrong.Code != 429 {
		t.Errorf("after 20: %d and %d", right.Code, wrong.Code)
	}
	c.now = c.now.Add(time.Hour)
	if wrong := c.look("en", "wrong"); wrong.Code != 404 {
		t.Errorf("later: %d", wrong.Code)
	}
}

// TestNamesStayHere: 200 invented names are announced over HTTP and arrive; none
// of them, and no code, is in the ledger, the read model, the log or an address.
func TestNamesStayHere(t *testing.T) {
	c := newCounter(t)
	var secrets []string
	var gifts []tape.Gift
	for i := range 200 {
		c.now = c.now.Add(time.Minute)
		name := fmt.Sprintf("Erfunden%03d 虚构%c", i, rune('\u4e00'+i*37))
		code, reference := c.announce(words.Tags[i%2], "5", name)
		claims := made(c.ledger, first(c.desk.Claims([]giving.Memo{{Reference: reference, Line: name}})), nil)
		if err := c.desk.Take([]giving.Taking{{Announcement: claims[0].Announcement, Line: name}}); err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, name, code, strings.ReplaceAll(code, " ", ""), string(reference), url.QueryEscape(name), url.QueryEscape(code))
		gifts = append(gifts, tape.Gift{ID: claims[0].Gift, Amount: money.New(5_00, "CNY"), Donor: claims[0].Donor})
	}
	c.charity("Tape:Receive", tape.Receive{Account: lunches, ID: "all", Count: 200, Total: money.New(1_000_00, "CNY"), Gifts: gifts})
	c.follow()
	c.settle("all")
	answer := c.look("en", secrets[1])
	if !strings.Contains(answer.Body.String(), "CHARITY-2026-000001") {
		t.Fatalf("the gift is not there: %d", answer.Code)
	}
	searched := c.log.String()
	for _, address := range regexp.MustCompile(`(?:href|action|src)="([^"]*)"`).FindAllStringSubmatch(answer.Body.String(), -1) {
		searched += address[1] + "\n"
	}
	for number := range c.network.Height() {
		raw, err := proto.Marshal(c.network.Block(number))
		searched += string(made(c.ledger, raw, err))
	}
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(t.TempDir()), "*", "readmodel.db*"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		searched += string(made(c.ledger, text, err))
	}
	if len(files) == 0 || strings.Count(searched, gifts[7].Donor) < 1 || !strings.Contains(searched, string(gifts[0].ID)) {
		t.Fatalf("the search would find nothing: %v", files)
	}
	for _, secret := range secrets {
		if strings.Contains(searched, secret) {
			t.Errorf("%q is found", secret)
		}
	}
}
