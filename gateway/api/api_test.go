package api

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/client"
	"github.com/lianbao/lianbao/gateway/outbox"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

func path(parts ...string) string { return "/api/v1/" + strings.Join(parts, "/") }

// read gets a value at the position of what was written before.
func read[T any](g *gateway, from client.Acceptance, at string) T {
	g.Helper()
	var value T
	if err := g.client.Get(g.Context(), at, from.Position, &value); err != nil {
		g.Fatalf("%s: %v", at, err)
	}
	return value
}

// done returns the only item, which the ledger must hold.
func done(g *gateway, all []client.Acceptance, err error) client.Acceptance {
	g.Helper()
	if err != nil || len(all) != 1 || !all[0].Done() {
		g.Fatalf("not done: %+v, %v", all, err)
	}
	return all[0]
}

// TestWayOfAGift follows a gift from one organisation to the next: the second
// settles what comes in by itself.
func TestWayOfAGift(t *testing.T) {
	w := newWorld(t)
	charity, coop := w.gateways["charity"], w.gateways["coop"]
	charity.open(account)
	const store = "coop:valley:store-1"
	coop.open(store)

	all, err := charity.client.Gifts(t.Context(), account, client.Gift{ID: "GIFT-1", Amount: "100.00 CNY"})
	given := done(charity, all, err)
	if a := read[readmodel.Account](charity, given, path("accounts", account)); a.Pending.String() != "100.00 CNY" || a.Free.String() != "0.00 CNY" {
		t.Errorf("after the gift %s wait and %s are free", a.Pending, a.Free)
	}
	all, err = charity.client.Settle(t.Context(), account, client.Item{Source: given.Command, SelfDeclared: true})
	done(charity, all, err)
	if _, _, text := charity.request(http.MethodGet, path("accounts", account, "sources", given.Command), "", nil); !strings.Contains(text, `"state":"done"`) {
		t.Errorf("the settlement: %s", text)
	}

	spend := tape.Spend{Account: account, ID: "spend-1", Payments: []tape.Payment{{Amount: money.New(4000, "CNY"), Line: "l1", To: store}}}
	spent, err := charity.client.Submit(t.Context(), "Tape:Spend", w.signed(spend, "40.00 CNY"))
	if err != nil {
		t.Fatal(err)
	}
	a := read[readmodel.Account](coop, spent, path("accounts", store))
	for begun := time.Now(); a.Free.String() != "40.00 CNY"; a = read[readmodel.Account](coop, spent, path("accounts", store)) {
		if time.Since(begun) > 20*time.Second {
			t.Fatalf("the cooperative did not settle its inflow: %+v", a)
		}
		time.Sleep(10 * time.Millisecond)
	}
	trace := read[readmodel.Trace](charity, spent, path("gifts", "GIFT-1", "trace"))
	if trace.Gift.ID != "GIFT-1" || trace.Root.Amount.String() != "100.00 CNY" || len(trace.Root.Children) != 2 {
		t.Errorf("the trace is %+v", trace)
	}
	back := read[readmodel.Back](coop, client.Acceptance{}, path("accounts", store, "origin")+"?span=0..4000")
	if len(back.Origins) != 1 || back.Origins[0].Gift == nil || back.Origins[0].Gift.ID != "GIFT-1" {
		t.Errorf("the way back is %+v", back)
	}
}

// TestStatement files a bank statement at the bank's gateway and settles a page against it at the charity's.
func TestStatement(t *testing.T) {
	w := newWorld(t)
	charity, bank := w.gateways["charity"], w.gateways["bank"]
	charity.open(account)
	status, header, body := charity.request("POST", path("accounts", account, "pages"), `{"id":"page-1","gifts":[{"id":"a","amount":"1.00 CNY"},{"id":"b","amount":"2.50 CNY"}]}`, map[string]string{"Prefer": "wait=10"})
	if status != http.StatusCreated || header.Get("Lianbao-Position") == "" || header.Get("Location") != "/api/v1/commands/page-1" {
		t.Fatalf("the page: %d %v %s", status, header, body)
	}
	lines := []tape.Line{{Number: 1, Date: "2026-01-01", Amount: money.New(100, "CNY")}, {Number: 2, Date: "2026-01-01", Amount: money.New(250, "CNY")}}
	head, _, err := tape.LinesBody(tape.CreditSide, lines)
	if err != nil {
		t.Fatal(err)
	}
	filing := fmt.Sprintf(`{"id":"s1","account":%q,"from":"2026-01-01","to":"2026-01-02","opening":"0.00 CNY","closing":"3.50 CNY","count":2,"pages":[{"side":"credit","count":2,"total":"3.50 CNY","root":%q,"matches":%q}]}`,
		custody, head.Root, head.Matches)
	if status, _, body := bank.request("POST", path("statements"), filing, map[string]string{"Prefer": "wait=10"}); status != http.StatusCreated {
		t.Fatalf("the statement: %d %s", status, body)
	}
	const rows = `{"id":"s1-0","n":0,"lines":[{"number":1,"date":"2026-01-01","amount":"1.00 CNY"},{"number":2,"date":"2026-01-01","amount":"2.50 CNY"}]}`
	status, header, body = bank.request("POST", path("statements", custody, "s1", "lines"), rows, map[string]string{"Prefer": "wait=10"})
	if status != http.StatusCreated {
		t.Fatalf("the lines: %d %s", status, body)
	}
	open := func() string {
		lines, err := charity.client.OpenLines(t.Context(), custody, "credit", "2.50 CNY")
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(lines)
	}
	read[readmodel.List[readmodel.Statement]](charity, client.Acceptance{Position: header.Get("Lianbao-Position")}, path("statements"))
	if got, want := open(), fmt.Sprintf("[{%s s1 0 1 credit 2 2026-01-01 2.50 CNY}]", custody); got != want {
		t.Errorf("open is %s, not %s", got, want)
	}
	settle := `{"items":[{"source":"page-1","lines":{"statement":"s1","n":0}}]}`
	status, header, body = charity.request("POST", path("accounts", account, "settlements"), settle, map[string]string{"Prefer": "wait=10", "Lianbao-Position": header.Get("Lianbao-Position")})
	if status != http.StatusCreated {
		t.Fatalf("the settlement: %d %s", status, body)
	}
	settlements := read[readmodel.List[readmodel.Settlement]](charity, client.Acceptance{Position: header.Get("Lianbao-Position")}, path("accounts", account, "settlements"))
	if len(settlements.Items) != 1 || settlements.Items[0].Evidence.Kind != "statement" {
		t.Errorf("the settlements are %+v", settlements)
	}
	lined := read[readmodel.List[readmodel.Line]](charity, client.Acceptance{}, path("statements", custody, "s1", "lines"))
	if len(lined.Items) != 2 || !lined.Items[0].Used {
		t.Errorf("the lines are %+v", lined)
	}
	if got := open(); got != "[]" {
		t.Errorf("open is %s", got)
	}
	if line := read[readmodel.Line](charity, client.Acceptance{}, path("statements", custody, "s1", "lines", "2")); line.Index != 1 || !line.Used {
		t.Errorf("line 2 is %+v", line)
	}
	files, err := charity.client.Processors(t.Context(), account)
	reversals, errs := charity.client.Reversals(t.Context(), account)
	if err != nil || errs != nil || len(files)+len(reversals) != 0 {
		t.Errorf("%v %v %v %v", files, err, reversals, errs)
	}
}

// TestRefusals is a table: what is sent, and the status, code, retryable and pointer that come back.
func TestRefusals(t *testing.T) {
	w := newWorld(t)
	g := w.gateways["charity"]
	g.open(account)
	gifts := path("accounts", account, "gifts")
	settle := path("commands", "Tape", "Settle")
	for _, test := range []struct{ path, body, want string }{
		{gifts, `{"gifts":[{"id":"a","amount":"-1.00 CNY"}]}`, "422 invalid false /gifts/0/amount"},
		{gifts, `{"gifts":[{"id":"a","amount":"0.00 CNY"}]}`, "422 invalid false /gifts/0/amount"},
		{gifts, `{"gifts":[{"id":"a","amount":"1.0 CNY"}]}`, "422 invalid false /gifts/0/amount"},
		{gifts, `{"gifts":[{"id":"a","amount":"90071992547409.92 CNY"}]}`, "422 invalid false /gifts/0/amount"},
		{gifts, `{"gifts":[{"id":"a","amount":"1.00 CNY"},{"id":"b","amount":"1 VND"}]}`, "422 invalid false /gifts/1/amount"},
		{gifts, `{"gifts":[{"id":"a","amount":"5 VND"}]}`, "422 invalid false /amount"}, // the ledger knows the account's currency
		{gifts, `{"gifts":[{"id":"a b","amount":"1.00 CNY"}]}`, "422 invalid false /gifts/0"},
		{gifts, `{"gifts":[{"id":"a","amount":"1.00 CNY","donor":"x"}]}`, "422 invalid false /gifts/0/donor"},
		{gifts, `{"gifts":[{"id":"a","amount":"1.00 CNY","name":"x"}]}`, "422 invalid false /gifts/0/name"},
		{gifts, `{"gifts":[{"id":"a","id":"b","amount":"1.00 CNY"}]}`, "422 invalid false "},
		{gifts, `{"gifts":[{"id":"a"}]}`, "422 invalid false /gifts/0"},
		{gifts, `{"gifts":[]}`, "422 invalid false /gifts"},
		{gifts, `{"gifts":[{"id":"a","amount":"1.00 CNY"}]} x`, "422 invalid false "},
		{gifts, `nonsense`, "422 invalid false "},
		{path("accounts", "nonsense", "gifts"), `{"gifts":[{"id":"a","amount":"1.00 CNY"}]}`, "422 invalid false /account"},
		{path("accounts", "charity:nobody:x", "gifts"), `{"gifts":[{"id":"a","amount":"1.00 CNY"}]}`, "404 not-found false "},
		{path("accounts"), `{"id":"o","account":"lender:x:y","attribution":"fifo","currency":"CNY","custodian":"outside:bank:x"}`, "403 forbidden false "},
		{path("accounts"), `{"id":"o","account":"charity:x:y","attribution":"lifo","currency":"CNY","custodian":"outside:bank:x"}`, "422 invalid false /attribution"},
		{path("accounts"), `{"id":"o","account":"charity:x:y","attribution":"fifo","currency":"XXY","custodian":"outside:bank:x"}`, "422 invalid false /currency"},
		{path("accounts", account, "settlements"), `{"items":[{"source":"nothing","selfDeclared":true}]}`, "404 not-found false "},
		{settle, `{"account":"` + account + `","id":"x","items":[{"selfDeclared":true,"source":"nothing"}]}`, "404 not-found false /items/0"},
		{settle, `{"id":"x","account":"` + account + `","items":[{"selfDeclared":true,"source":"nothing"}]}`, "422 invalid false "}, // not canonical
		{settle, `{"account":"` + account + `","items":[]}`, "422 invalid false /id"},
		{path("commands", "Tape", "settle"), `{"account":"` + account + `","id":"x","items":[]}`, "422 invalid false "},
		{path("commands", "Tape", "Nothing"), `{"account":"` + account + `","id":"y"}`, "422 invalid false "},
		{path("nothing"), `{}`, "404 not-found false "},
	} {
		status, header, body := g.request("POST", test.path, test.body, map[string]string{"Prefer": "wait=10"})
		var p Problem
		if err := json.Unmarshal([]byte(body), &p); err != nil || header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: %d %s is no problem", test.path, test.body, status, body)
			continue
		}
		pointer := ""
		if len(p.Errors) > 0 {
			pointer = p.Errors[0].Pointer
		}
		if got := fmt.Sprintf("%d %s %v %s", status, p.Code, p.Retryable, pointer); got != test.want || p.Organisation != "charity" || p.Status != status || p.Detail == "" {
			t.Errorf("%s %s:\n got %s: %s\nwant %s", test.path, test.body, got, body, test.want)
		}
	}
}

// TestToken lets nobody write without the whole token, and everybody read.
func TestToken(t *testing.T) {
	g := newWorld(t).gateways["charity"]
	for _, test := range []struct {
		authorization string
		status        int
	}{{"", 401}, {"Bearer ", 401}, {"Bearer " + secret[1:], 401}, {secret, 401}, {"Basic " + secret, 401}, {"Bearer " + secret + "x", 401}, {"Bearer " + secret, 202}} {
		status, _, body := g.request("POST", path("accounts"), `{"id":"o","account":"charity:x:y","attribution":"fifo","currency":"CNY","custodian":"outside:bank:x"}`, map[string]string{"Authorization": test.authorization})
		if status != test.status {
			t.Errorf("with %q: %d %s, want %d", test.authorization, status, body, test.status)
		}
	}
	if status, _, _ := g.request("GET", path("accounts"), "", nil); status != 200 {
		t.Errorf("reading without a token: %d", status)
	}
}

// TestIdempotency sends the same twice in every way it can be the same.
func TestIdempotency(t *testing.T) {
	g := newWorld(t).gateways["charity"]
	g.open(account)
	gifts := path("accounts", account, "gifts")
	send := func(key, body string) (int, http.Header, string) {
		return g.request("POST", gifts, body, map[string]string{"Prefer": "wait=10", "Idempotency-Key": key})
	}
	const body = `{"gifts":[{"id":"g1","amount":"1.00 CNY"}]}`
	status, header, first := send("k1", body)
	written := client.Acceptance{Position: header.Get("Lianbao-Position")}
	if status != http.StatusCreated {
		t.Fatalf("the first: %d %s", status, first)
	}
	for _, test := range []struct{ key, body, want string }{
		{"k1", body, "201 again"},
		{"k1", `{"gifts":[{"id":"g1","amount":"2.00 CNY"}]}`, "422 key-reused"},
		{"k2", body, "201"}, // another request for what is there already
		{"k3", `{"gifts":[{"id":"g1","amount":"2.00 CNY"}]}`, "409 exists"}, // the id with other content
		{"k3", `{"gifts":[{"id":"g1","amount":"2.00 CNY"}]}`, "409 again exists"},
		{strings.Repeat("k", 256), body, "422 invalid"},
	} {
		status, header, answer := send(test.key, test.body)
		var p Problem
		_ = json.Unmarshal([]byte(answer), &p)
		got := fmt.Sprint(status)
		if header.Get("Idempotent-Replayed") == "true" {
			got += " again"
		}
		if p.Code != "" {
			got += " " + p.Code
		}
		if got != test.want || (test.want == "201 again" && answer != first) {
			t.Errorf("%s %s: %s %s, want %s", test.key, test.body, got, answer, test.want)
		}
	}
	account := read[readmodel.Account](g, written, path("accounts", account))
	if account.Pending.String() != "1.00 CNY" {
		t.Errorf("%s wait, want 1.00 CNY", account.Pending)
	}
}

// TestOutage accepts while the ledger is away, says who is missing, and carries on by itself.
func TestOutage(t *testing.T) {
	w := newWorld(t)
	g := w.gateways["charity"]
	g.open(account)
	w.setDown(true)
	status, header, body := g.request("POST", path("accounts", account, "gifts"), `{"gifts":[{"id":"g1","amount":"1.00 CNY"}]}`, map[string]string{"Prefer": "wait=1"})
	if status != http.StatusAccepted || !strings.Contains(body, "the coop's peer does not answer") {
		t.Fatalf("while the peer is away: %d %v %s", status, header, body)
	}
	if status, _, body := g.request("GET", "/readyz", "", nil); status != http.StatusServiceUnavailable || !strings.Contains(body, "does not answer") {
		t.Errorf("/readyz says %d %s", status, body)
	}
	w.setDown(false)
	_, _, body = g.request("GET", path("accounts", account, "gifts", "g1"), "", map[string]string{"Prefer": "wait=20"})
	var a Acceptance
	if err := json.Unmarshal([]byte(body), &a); err != nil || a.State != string(outbox.Done) || a.Position == "" {
		t.Errorf("after the peer is back: %s", body)
	}
	if status, _, _ := g.request("GET", "/readyz", "", nil); status != http.StatusOK {
		t.Errorf("/readyz says %d", status)
	}
}

func (w *world) setDown(down bool) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.down = down
}

// TestReads is a table of reads and what their answer contains.
func TestReads(t *testing.T) {
	w := newWorld(t)
	g := w.gateways["charity"]
	g.open(account)
	var last client.Acceptance
	for i := range 5 {
		all, err := g.client.Gifts(t.Context(), account, client.Gift{ID: fmt.Sprintf("g%d", i), Amount: "1.00 CNY"})
		last = done(g, all, err)
	}
	for _, test := range []struct {
		path     string
		status   int
		contains string
	}{
		{path("accounts"), 200, `"id":"charity:sunrise:books"`},
		{path("accounts") + "?currency=VND", 200, `"items":[]`},
		{path("accounts", account), 200, `"pending":"5.00 CNY"`},
		{path("accounts", "charity:no:one"), 404, `"code":"not-found"`},
		{path("accounts", account, "pages"), 200, `"state":"pending"`},
		{path("accounts", account, "pages") + "?state=odd", 422, `/query/state`},
		{path("accounts", account, "gifts") + "?limit=2", 200, `"next":`},
		{path("accounts", account, "gifts") + "?limit=5000", 422, `"code":"invalid"`},
		{path("accounts", account, "gifts") + "?after=odd", 422, `"pointer":"/after"`},
		{path("accounts", account, "holds"), 200, `"items":[]`},
		{path("accounts", account, "inflows"), 200, `"items":[]`},
		{path("accounts", account, "postings"), 200, `"items":[]`},
		{path("accounts", account, "jobs"), 200, `"items":[]`},
		{path("accounts", account, "origin") + "?span=5..1", 422, `"pointer":"/span"`},
		{path("gifts", "g3"), 200, `"amount":"1.00 CNY"`},
		{path("gifts", "none"), 404, `"code":"not-found"`},
		{path("gifts", "g3", "trace"), 200, `"state":"pending"`},
		{path("commands", "open-21"), 200, `"state":"done"`},
		{path("commands", "none"), 404, `"code":"not-found"`},
		{path("entries") + "?kind=open", 200, `"kind":"open"`},
		{path("entries", "charity", "open-21"), 200, `"subject":"charity:sunrise:books"`},
		{path("transactions") + "?limit=1", 200, `"valid":true`},
		{path("transactions") + "?block=x", 422, `"pointer":"/block"`},
		{path("blocks") + "?newest=true&limit=1", 200, `"number":`},
		{path("statements"), 200, `"items":[]`},
		{path("records") + "?prefix=person/", 200, `person/maker`},
		{path("conservation"), 200, `"faults":[]`},
		{path("gateway"), 200, `"organisation":"charity"`},
		{"/livez", 200, "alive"},
		{"/readyz", 200, `"ready":true`},
		{"/metrics", 200, `lianbao_commands_total{function="Tape:Receive",state="done"} 5`},
		{"/metrics", 200, "lianbao_peer_blocks"},
		{"/openapi.json", 200, `"openapi":"3.1.0"`},
		{"/docs", 404, "/openapi.json"},
		{"/", 404, "/openapi.json"},
	} {
		status, _, body := g.request("GET", test.path, "", map[string]string{"Lianbao-Position": last.Position})
		if status != test.status || !strings.Contains(body, test.contains) {
			t.Errorf("%s: %d %.400s\nwant %d and %s", test.path, status, body, test.status, test.contains)
		}
	}
}

// TestPagesOfAList reads a list in parts and gets each item once.
func TestPagesOfAList(t *testing.T) {
	g := newWorld(t).gateways["charity"]
	g.open(account)
	all, err := g.client.Gifts(t.Context(), account, client.Gift{ID: "a", Amount: "1.00 CNY"}, client.Gift{ID: "b", Amount: "1.00 CNY"}, client.Gift{ID: "c", Amount: "1.00 CNY"})
	if err != nil {
		t.Fatal(err)
	}
	var ids string
	for next, parts := "", 0; ; parts++ {
		list := read[readmodel.List[readmodel.Gift]](g, all[2], path("accounts", account, "gifts")+"?limit=2&after="+next)
		for _, gift := range list.Items {
			ids += string(gift.ID)
		}
		if next = list.Next; next == "" || parts > 3 {
			break
		}
	}
	if ids != "abc" {
		t.Errorf("the parts of the list hold %q, want abc", ids)
	}
}

// TestTag answers 304 to whoever has the content, and not after it changed.
func TestTag(t *testing.T) {
	g := newWorld(t).gateways["charity"]
	g.open(account)
	at := path("accounts", account)
	_, header, _ := g.request("GET", at, "", nil)
	tag := header.Get("ETag")
	if status, _, body := g.request("GET", at, "", map[string]string{"If-None-Match": `"other", ` + tag}); status != http.StatusNotModified || body != "" {
		t.Errorf("unchanged: %d %q", status, body)
	}
	all, err := g.client.Gifts(t.Context(), account, client.Gift{ID: "a", Amount: "1.00 CNY"})
	position := done(g, all, err).Position
	if status, _, _ := g.request("GET", at, "", map[string]string{"If-None-Match": tag, "Lianbao-Position": position}); status != http.StatusOK {
		t.Errorf("changed: %d", status)
	}
	if status, _, _ := g.request("GET", at, "", map[string]string{"Lianbao-Position": "soon"}); status != http.StatusUnprocessableEntity {
		t.Errorf("a position that is none: %d", status)
	}
}

// TestEvents follows the entries, leaves, and goes on where it ended.
func TestEvents(t *testing.T) {
	g := newWorld(t).gateways["charity"]
	g.open(account)
	stream := func(last string) (*bufio.Scanner, func()) {
		message, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.url+path("events"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if last != "" {
			message.Header.Set("Last-Event-ID", last)
		}
		answer, err := http.DefaultClient.Do(message)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%v %v", answer, err)
		}
		return bufio.NewScanner(answer.Body), func() { _ = answer.Body.Close() }
	}
	next := func(s *bufio.Scanner) (id, kind string) {
		for s.Scan() {
			if value, found := strings.CutPrefix(s.Text(), "id: "); found {
				id = value
			}
			if value, found := strings.CutPrefix(s.Text(), "event: "); found {
				kind = value
			}
			if s.Text() == "" && kind != "" {
				return id, kind
			}
		}
		t.Fatal("the stream ended")
		return "", ""
	}
	live, leave := stream("")
	if !live.Scan() { // the stream's first line: from here on nothing is missed
		t.Fatal("the stream did not begin")
	}
	all, err := g.client.Gifts(t.Context(), account, client.Gift{ID: "a", Amount: "1.00 CNY"})
	given := done(g, all, err)
	id, kind := next(live)
	if kind != "receive" || !strings.HasPrefix(id, given.Position+".") {
		t.Errorf("the stream says %s %s, the gift is in block %s", id, kind, given.Position)
	}
	leave()
	all, err = g.client.Settle(t.Context(), account, client.Item{Source: given.Command, SelfDeclared: true})
	done(g, all, err)
	again, leave := stream(id)
	defer leave()
	if id, kind := next(again); kind != "settle" {
		t.Errorf("the stream goes on with %s %s, want settle", id, kind)
	}
}

// TestLongBody turns away what is too long, with and without an idempotency key.
func TestLongBody(t *testing.T) {
	g := newWorld(t).gateways["charity"]
	for _, key := range []string{"", "k"} {
		status, _, body := g.request("POST", path("commands", "Tape", "Spend"), `{"id":"`+strings.Repeat("x", pageBytesMax)+`"}`, map[string]string{"Idempotency-Key": key})
		if status != http.StatusRequestEntityTooLarge {
			t.Errorf("%d %.300s", status, body)
		}
	}
}
