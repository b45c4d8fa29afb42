package portal

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/portal/words"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// filed is a campaign that was filed, with one payout confirmed.
type filed struct{}

func (filed) Campaign(_ context.Context, account tape.AccountID) (*views.CampaignFacts, error) {
	if account != training {
		return nil, nil
	}
	return &views.CampaignFacts{Title: views.Text{English: "Speech training", Chinese: "言语训练"}, From: "2026-01-01", Filing: "F-1", Confirmed: yuan(1_300), Disputed: yuan(0),
		Budget: []views.Budget{{ID: "a", Title: views.Text{English: "Training", Chinese: "训练"}, Planned: yuan(9_000), Ordered: yuan(1_200), Paid: yuan(2_600), Confirmed: yuan(1_300), Payees: 1}},
		Clock:  []views.Duty{{Key: "three-monthly", Due: "2026-03-22"}, {Key: "annual-report", Due: "2026-03-09"}},
		Ratios: []views.Ratio{{Key: "management", Share: 410, Limit: 1000, Part: yuan(100), Whole: yuan(2_600)}}}, nil
}

func (f filed) Title(ctx context.Context, account tape.AccountID) (*views.Text, error) {
	facts, err := f.Campaign(ctx, account)
	if err != nil || facts == nil {
		return nil, err
	}
	return &facts.Title, nil
}

func (filed) List(context.Context, string, int) ([]tape.AccountID, string, error) {
	return []tape.AccountID{training}, "", nil
}

func (filed) Confirmation(_ context.Context, _ tape.AccountID, hold tape.ID) (*views.Confirmation, error) {
	if hold != "pay-2" {
		return nil, nil
	}
	return &views.Confirmation{State: "confirmed", Date: "2026-01-09", Custody: "own"}, nil
}

func loaded[P views.Page](t *testing.T, h http.Handler, load func(*portal) load, address string, values ...string) P {
	t.Helper()
	request := httptest.NewRequest("GET", address, nil).WithContext(context.WithValue(t.Context(), inLanguage{}, "en"))
	for i := 0; i < len(values); i += 2 {
		request.SetPathValue(values[i], values[i+1])
	}
	page, _, err := load(h.(*portal))(request)
	if err != nil {
		t.Fatal(err)
	}
	return page.(P)
}

// TestCampaignFigures: the figures of an account come from its rows, to the unit, and the picture balances.
func TestCampaignFigures(t *testing.T) {
	l := newLedger(t)
	l.live()
	for _, campaigns := range []Campaigns{nil, filed{}} {
		page := loaded[views.Campaign](t, l.open(campaigns), func(p *portal) load { return p.campaign }, "/", "account", string(training))
		want := map[string]string{"raised": "357.00 CNY", "settled": "350.00 CNY", "ordered": "12.00 CNY", "paid": "26.00 CNY", "free": "190.00 CNY",
			"pending": "7.00 CNY", "passed": "72.00 CNY", "returned": "20.00 CNY", "given-back": "50.00 CNY"}
		if campaigns != nil {
			want["confirmed"] = "13.00 CNY"
		}
		for _, figure := range page.Figures {
			if want[figure.Key] != figure.Amount.String() {
				t.Errorf("%s is %s, not %s", figure.Key, figure.Amount, want[figure.Key])
			}
			if figure.Key == "confirmed" && figure.Share != 50 {
				t.Errorf("confirmed is %d %%", figure.Share)
			}
			delete(want, figure.Key)
		}
		if len(want) > 0 {
			t.Errorf("missing: %v", want)
		}
		if page.Unbalanced || page.Flow == nil {
			t.Fatal("the picture is not drawn")
		}
		var left, right int64
		for _, link := range page.Flow.Links {
			if link.To == middle {
				left += link.Amount.Units
			}
			if link.From == middle {
				right += link.Amount.Units
			}
		}
		if left != 35_000 || right != 35_000 {
			t.Errorf("%d come and %d go", left, right)
		}
		if len(page.Months) != 1 || page.Months[0].In.Units != 35_000 || page.Months[0].Out.Units != 2_600 {
			t.Errorf("months: %+v", page.Months)
		}
		if campaigns != nil && (page.Facts.Clock[0].Days != 12 || page.Facts.Clock[1].Days != -1) {
			t.Errorf("the clock: %+v", page.Facts.Clock)
		}
	}
}

// TestGiftPieces: a gift that went four ways is told in four pieces that sum to it.
func TestGiftPieces(t *testing.T) {
	l := newLedger(t)
	l.live()
	h := l.open(filed{})
	page := loaded[views.Gift](t, h, func(p *portal) load { return p.gift }, "/", "gift", "GIFT-1")
	type piece struct {
		state  readmodel.State
		amount string
		hold   tape.ID
	}
	want := []piece{{readmodel.Paid, "62.00 CNY", "pay-4"}, {readmodel.Shared, "10.00 CNY", ""}, {readmodel.Ordered, "12.00 CNY", "pay-1"}, {readmodel.Paid, "16.00 CNY", "pay-2"}}
	var got []piece
	for _, p := range page.Pieces {
		got = append(got, piece{p.State, p.Amount.String(), p.Hold})
	}
	if !slices.Equal(got, want) {
		t.Errorf("pieces: %v", got)
	}
	if c := page.Pieces[3].Confirmation; c == nil || c.State != "confirmed" {
		t.Error("the confirmed piece does not say so")
	}
	if page.Pieces[0].Holder != travel || page.Line == nil || page.Line.Number != 1 {
		t.Errorf("holder %s, line %+v", page.Pieces[0].Holder, page.Line)
	}
	var proved []string
	for _, step := range page.Proof.Steps {
		proved = append(proved, step.Entry)
		if step.Transaction == "" || len(step.Endorsers) == 0 {
			t.Errorf("%s has no transaction or endorsers", step.Entry)
		}
		if step.Entry == "charity/spend-1" && (len(step.Approvals) != 2 || step.Approvals[1].Custody != "gateway-held") {
			t.Errorf("%s was signed by %+v", step.Entry, step.Approvals)
		}
	}
	for _, entry := range []string{"charity/page-1", "charity/settle-1", "charity/spend-1", "charity/order-1", "bank/capture-pay-2", "bank/capture-pay-4"} {
		if !slices.Contains(proved, entry) {
			t.Errorf("the proof %v lacks %s", proved, entry)
		}
	}
	for gift, says := range map[string]string{"GIFT-3": "was given back to you", "GIFT-50": "waits at " + string(training), "GIFT-2": "had gone to outside:payee:child-2 and came back"} {
		if body := get(t, h, "/en/gifts/"+gift).Body.String(); !strings.Contains(body, says) {
			t.Errorf("%s is not told with %q", gift, says)
		}
	}
}

// TestPayoutOrigins: a payout leads back to its gifts, in the order of its units.
func TestPayoutOrigins(t *testing.T) {
	l := newLedger(t)
	l.live()
	h := l.open(nil)
	page := loaded[views.Origin](t, h, func(p *portal) load { return p.payout }, "/", "account", string(training), "hold", "pay-2")
	if len(page.Rows) != 2 || page.Rows[0].Gift.ID != "GIFT-1" || page.Rows[0].Amount.String() != "16.00 CNY" || page.Rows[1].Gift.ID != "GIFT-2" || page.Rows[1].Amount.String() != "10.00 CNY" {
		t.Errorf("rows: %+v", page.Rows)
	}
	over := loaded[views.Origin](t, h, func(p *portal) load { return p.payout }, "/", "account", string(travel), "hold", "pay-4")
	if len(over.Rows) != 1 || over.Rows[0].Gift.ID != "GIFT-1" || len(over.Rows[0].Path) != 1 {
		t.Errorf("over a hop: %+v", over.Rows)
	}
}

var stack = regexp.MustCompile(`goroutine \d|\.go:\d+|runtime error|panic`)

// sound checks what every answer must be: whole, guarded, one heading, and no script inside.
func sound(t *testing.T, path string, answer *httptest.ResponseRecorder) {
	t.Helper()
	body := answer.Body.String()
	if stack.MatchString(body) || strings.Contains(body, "ZgotmplZ") {
		t.Errorf("%s shows the program's inside", path)
	}
	header := answer.Header()
	if !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") || header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Set-Cookie") != "" {
		t.Errorf("%s: headers %v", path, header)
	}
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Error(err)
	}
	headings := 0
	for node := range root.Descendants() {
		switch {
		case node.Type != html.ElementNode:
		case node.Data == "h1":
			headings++
		case node.Data == "script" && node.FirstChild != nil, node.Data == "img", node.Data == "iframe":
			t.Errorf("%s holds a <%s> of its own", path, node.Data)
		}
		for _, a := range node.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "href" && strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript") {
				t.Errorf("%s: <%s %s=%q>", path, node.Data, a.Key, a.Val)
			}
		}
	}
	if headings != 1 {
		t.Errorf("%s has %d headings", path, headings)
	}
}

func links(t *testing.T, body string) []string {
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for node := range root.Descendants() {
		for _, a := range node.Attr {
			if node.Type == html.ElementNode && a.Key == "href" && strings.HasPrefix(a.Val, "/") {
				found = append(found, strings.SplitN(a.Val, "#", 2)[0])
			}
		}
	}
	return found
}

// TestEveryLinkLeads: from the first page on, every link of every page leads to
// a page that is there and is sound, in both languages.
func TestEveryLinkLeads(t *testing.T) {
	l := newLedger(t)
	l.live()
	for _, campaigns := range []Campaigns{nil, filed{}} {
		h := l.open(campaigns)
		seen, queue := map[string]bool{}, []string{"/en/", "/zh-CN/"}
		for len(queue) > 0 {
			path := queue[0]
			queue = queue[1:]
			if seen[path] {
				continue
			}
			seen[path] = true
			answer := get(t, h, path)
			if answer.Code != http.StatusOK {
				t.Errorf("%s: %d", path, answer.Code)
			}
			if strings.HasPrefix(path, "/assets/") {
				continue
			}
			sound(t, path, answer)
			queue = append(queue, links(t, answer.Body.String())...)
		}
		if len(seen) < 300 {
			t.Errorf("only %d pages were found", len(seen))
		}
	}
}

func TestProblems(t *testing.T) {
	l := newLedger(t)
	l.live()
	h := l.open(nil)
	for _, c := range []struct {
		path string
		code int
	}{
		{"/fr/", 404}, {"/nothing", 404}, {"/en/nothing", 404}, {"/en//status", 404}, {"/en/../status", 404}, {"/assets/none.js", 404}, {"/assets/", 404},
		{"/en/gifts/GIFT-99", 404}, {"/en/gifts/%3Cscript%3E", 400}, {"/en/gifts/GIFT-1?account=x", 400}, {"/en/gifts/GIFT-1?account=charity:a:b", 404}, {"/en/gifts/GIFT-1?page=!", 400},
		{"/en/campaigns/charity:no:body", 404}, {"/en/campaigns/UPPER", 400}, {"/en/campaigns/" + string(training) + "/gifts?state=odd", 400}, {"/en/campaigns/" + string(training) + "/gifts?after=odd", 400},
		{"/en/campaigns/" + string(training) + "/payouts?state=odd", 400}, {"/en/payouts/" + string(training) + "/none", 404}, {"/en/payouts/" + string(training) + "/pay-2?after=7:x", 400},
		{"/en/payouts/" + string(training) + "/pay-2?after=odd", 400}, {"/en/payouts/" + string(training) + "/pay-2?after=-1:", 400},
		{"/en/origin/" + string(training), 400}, {"/en/origin/" + string(training) + "?span=5..1", 400}, {"/en/origin/" + string(training) + "?span=0..99999999", 404}, {"/en/trail/" + string(training) + "?span=x", 400},
		{"/en/blocks/99999", 404}, {"/en/blocks/-1", 400}, {"/en/blocks/01", 400}, {"/en/blocks/99999999999999999999", 400}, {"/en/blocks?after=x", 400}, {"/en/transactions/none", 404},
		{"/en/entries/charity/none", 404}, {"/en/entries/UPPER/none", 400}, {"/en/entries/charity/!", 400}, {"/en/entries?subject=" + strings.Repeat("a", 300), 400}, {"/en/entries?kind=%FF%FE", 400},
		{"/en/accounts/charity:no:body", 404}, {"/en/accounts/charity:no:body/settlements", 404}, {"/en/accounts/charity:no:body/inflows", 404}, {"/en/statements/" + string(bank) + "/none", 404}, {"/en/statements?account=x", 400},
		{"/en/search?q=" + strings.Repeat("a", 201), 400}, {"/en/search?q=" + strings.Repeat("a", 3000), 400},
	} {
		answer := get(t, h, c.path)
		if answer.Code != c.code {
			t.Errorf("%.80s: %d, not %d", c.path, answer.Code, c.code)
		}
		sound(t, c.path, answer)
	}
	if body := get(t, h, "/zh-CN/gifts/GIFT-99").Body.String(); !strings.Contains(body, "该地址没有内容") || !strings.Contains(body, "请检查拼写") {
		t.Error("the problem is not told in Chinese")
	}
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/en/", strings.NewReader("x=1")))
	if answer.Code != http.StatusMethodNotAllowed || answer.Header().Get("Allow") == "" {
		t.Errorf("POST: %d", answer.Code)
	}
	sound(t, "POST", answer)
}

// TestNothingIsInjected: what an address says is shown as text wherever it is shown.
func TestNothingIsInjected(t *testing.T) {
	l := newLedger(t)
	l.live()
	h := l.open(nil)
	for _, evil := range []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onfocus=alert(1) x='`, `javascript:alert(1)`, `{{.}}`, `</title><script>alert(1)</script>`, "\u2028<b>"} {
		q := url.QueryEscape(evil)
		for _, path := range []string{"/en/search?q=" + q, "/en/entries?subject=" + q + "&kind=" + q + "&organisation=" + q, "/zh-CN/entries?subject=" + q, "/en/gifts/GIFT-1?x=" + q, "/en/" + url.PathEscape(evil), "/en/gifts/" + url.PathEscape(evil)} {
			answer := get(t, h, path)
			sound(t, path, answer)
			if answer.Code >= 500 {
				t.Errorf("%s: %d", path, answer.Code)
			}
			if body := answer.Body.String(); strings.Contains(body, "<script>alert") || strings.Contains(body, "<img") || strings.Contains(body, "<b>") {
				t.Errorf("%s holds what was injected", path)
			}
		}
	}
}

func TestSearchFinds(t *testing.T) {
	l := newLedger(t)
	l.live()
	h := l.open(filed{})
	transactions, err := l.model.Transactions(t.Context(), readmodel.TransactionFilter{}, readmodel.Window{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	id := transactions.Items[0].ID
	for _, c := range []struct{ query, leads string }{
		{"GIFT-1", "/en/gifts/GIFT-1?account=" + string(training) + "&page=page-1"}, {" GIFT-1 ", "/en/gifts/GIFT-1?account=" + string(training) + "&page=page-1"},
		{"charity/spend-1", "/en/entries/charity/spend-1"}, {string(training), "/en/campaigns/" + string(training)}, {string(bank), "/en/statements?account=" + string(bank)},
		{string(training) + "/pay-2", "/en/payouts/" + string(training) + "/pay-2"}, {id, "/en/transactions/" + id}, {"3", "/en/blocks/3"}, {"speech", "/en/campaigns/" + string(training)}, {"言语", "/en/campaigns/" + string(training)},
	} {
		answer := get(t, h, "/en/search?q="+url.QueryEscape(c.query))
		if answer.Code != http.StatusSeeOther || answer.Header().Get("Location") != c.leads {
			t.Errorf("%q: %d to %q", c.query, answer.Code, answer.Header().Get("Location"))
		}
		if led := get(t, h, c.leads); led.Code != http.StatusOK {
			t.Errorf("%s: %d", c.leads, led.Code)
		}
	}
	for _, query := range []string{"", "nothing-like-this", "charity/none", "%", "99999"} {
		if answer := get(t, h, "/en/search?q="+url.QueryEscape(query)); answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), "Type the number on your receipt") {
			t.Errorf("%q: %d", query, answer.Code)
		}
	}
}

func TestLanguages(t *testing.T) {
	h := newLedger(t).open(nil)
	for header, leads := range map[string]string{"zh-CN,zh;q=0.9": "/zh-CN/", "": "/en/", "de": "/en/"} {
		request := httptest.NewRequest("GET", "/", nil)
		request.Header.Set("Accept-Language", header)
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, request)
		if answer.Code != http.StatusSeeOther || answer.Header().Get("Location") != leads || answer.Header().Get("Vary") != "Accept-Language" {
			t.Errorf("%q leads to %s", header, answer.Header().Get("Location"))
		}
	}
	// The switch keeps the place, with everything that was asked.
	if body := get(t, h, "/en/entries?kind=settle&subject=a").Body.String(); !strings.Contains(body, `href="/zh-CN/entries?kind=settle&amp;subject=a"`) {
		t.Error("the switch loses the place")
	}
}

func TestAssets(t *testing.T) {
	h := newLedger(t).open(nil)
	page := get(t, h, "/en/").Body.String()
	found := regexp.MustCompile(`/assets/[a-z]+\.(css|js|svg)\?v=[0-9a-f]+`).FindAllString(page, -1)
	if len(found) != 3 {
		t.Fatalf("assets: %v", found)
	}
	for _, path := range found {
		answer := get(t, h, path)
		tag := answer.Header().Get("ETag")
		if answer.Code != http.StatusOK || tag == "" || !strings.Contains(answer.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", path, answer.Code, answer.Header())
		}
		request := httptest.NewRequest("GET", strings.SplitN(path, "?", 2)[0], nil)
		request.Header.Set("If-None-Match", tag)
		again := httptest.NewRecorder()
		h.ServeHTTP(again, request)
		if again.Code != http.StatusNotModified || again.Body.Len() != 0 || strings.Contains(again.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s again: %d %v", path, again.Code, again.Header())
		}
	}
}

// TestEmptyLedger: before anything has happened every list says what will come.
func TestEmptyLedger(t *testing.T) {
	h := newLedger(t).open(nil)
	for _, tag := range words.Tags {
		for _, path := range []string{"/", "/accounts", "/entries", "/blocks", "/transactions", "/statements", "/status", "/search"} {
			answer := get(t, h, "/"+tag+path)
			if answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), `class="note`) && path != "/status" {
				t.Errorf("%s%s: %d", tag, path, answer.Code)
			}
			sound(t, tag+path, answer)
		}
	}
}

func TestStatus(t *testing.T) {
	l := newLedger(t)
	l.live()
	h := l.open(nil)
	if body := get(t, h, "/en/status").Body.String(); !strings.Contains(body, "everything adds up") || !strings.Contains(body, "3 of 3 tapes") || !strings.Contains(body, "http://bank.example") {
		t.Error("the status does not say that all is well")
	}
	late, _ := giftsOf(90, 1)
	l.charity("Tape:Receive", tape.Receive{Account: travel, ID: "late", Count: 1, Total: yuan(1), Gifts: late})
	if body := get(t, h, "/en/status").Body.String(); !strings.Contains(body, "one block behind") {
		t.Error("the status does not say that it is behind")
	}
	l.down = true
	if body := get(t, h, "/zh-CN/status").Body.String(); !strings.Contains(body, "节点没有响应") {
		t.Error("the status does not say that the peer does not answer")
	}
}

// TestFreshAfterABlock: what was added up is not kept beyond the next block.
func TestFreshAfterABlock(t *testing.T) {
	l := newLedger(t)
	l.live()
	h := l.open(nil)
	asked := func() string {
		page := loaded[views.Campaign](t, h, func(p *portal) load { return p.campaign }, "/", "account", string(training))
		return page.Figures[0].Amount.String()
	}
	if before := asked(); before != "357.00 CNY" {
		t.Fatal(before)
	}
	late, _ := giftsOf(90, 300)
	l.charity("Tape:Receive", tape.Receive{Account: training, ID: "late", Count: 1, Total: yuan(300), Gifts: late})
	l.follow()
	if after := asked(); after != "360.00 CNY" {
		t.Errorf("raised is still %s", after)
	}
}

// TestPaging: a list that is cut goes on where it ended, and shows each row once.
func TestPaging(t *testing.T) {
	l := newLedger(t)
	l.live()
	h := l.open(nil)
	for i := range 60 {
		gifts, _ := giftsOf(1000+i, 1)
		l.charity("Tape:Receive", tape.Receive{Account: travel, ID: tape.ID("more-" + gifts[0].ID), Count: 1, Total: yuan(1), Gifts: gifts})
	}
	l.follow()
	seen := map[tape.ID]int{}
	address := "/?state=pending"
	for range 9 {
		page := loaded[views.Gifts](t, h, func(p *portal) load { return p.gifts }, address, "account", string(travel))
		for _, row := range page.Rows {
			seen[row.ID]++
		}
		if page.Next == "" {
			break
		}
		address = "/?state=pending&after=" + url.QueryEscape(page.Next)
	}
	if len(seen) != 61 { // one of the two pages that clashed was settled
		t.Errorf("%d gifts were listed", len(seen))
	}
	for id, times := range seen {
		if times != 1 {
			t.Errorf("%s was listed %d times", id, times)
		}
	}
}

// TestBrokenModel: when nothing can be read, the reader is told so in his language.
func TestBrokenModel(t *testing.T) {
	l := newLedger(t)
	h := l.open(nil)
	request := httptest.NewRequest("GET", "/zh-CN/accounts", nil)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, request.WithContext(gone))
	if answer.Code != http.StatusServiceUnavailable || !strings.Contains(answer.Body.String(), "暂时无法显示页面") {
		t.Errorf("%d", answer.Code)
	}
	sound(t, "a request that was given up", answer)
}

// TestMounting: the portal stands beside an API that answers everything else.
func TestMounting(t *testing.T) {
	mux := http.NewServeMux()
	rest := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }
	for _, pattern := range []string{"/", "GET /livez", "GET /api/v1/accounts/{account}", "POST /api/v1/commands"} {
		mux.HandleFunc(pattern, rest)
	}
	h := newLedger(t).open(nil)
	for _, pattern := range Patterns() {
		mux.Handle(pattern, h)
	}
	for path, code := range map[string]int{"/": 303, "/en/": 200, "/zh-CN/status": 200, "/assets/portal.css": 200, "/livez": 418, "/api/v1/accounts/a": 418, "/openapi.json": 418, "/english": 418, "/en": 307} {
		if answer := get(t, mux, path); answer.Code != code {
			t.Errorf("%s: %d, not %d", path, answer.Code, code)
		}
	}
}
