package signing

import (
	"bytes"
	"context"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/keyring"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/login/logintest"
	"github.com/lianbao/lianbao/gateway/outbox"
)

// staff have roles at the desk.
var staff = []login.Member{{Person: "maker", Roles: []login.Role{login.Maker}}, {Person: "checker", Roles: []login.Role{login.Checker}},
	{Person: "agent", Roles: []login.Role{login.Agent}}}

// office is a world with a maker whose key the gateway holds, a checker with
// its own, and an account to spend from.
func office(t *testing.T) (*world, *Drafts, *keyring.Keyring) {
	w := newWorld(t, staff...)
	w.bring("maker", party.GatewayHeld)
	w.bring("checker", party.Own)
	w.bring("household", party.Own)
	w.bring("agent", party.Own)
	master := filepath.Join(t.TempDir(), "master.key")
	if err := keyring.CreateMaster(master); err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Open(filepath.Join(t.TempDir(), "keys"), master, w.register, w.network.Clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ring.Close() })
	if err := ring.Keep("maker", logintest.Key("maker")); err != nil {
		t.Fatal(err)
	}
	w.must("charity", "gateway", "Tape:Open", encoded(t, tape.Open{Account: campaign, Attribution: tape.FIFO, Currency: "CNY", Custodian: "outside:bank:sunrise-1", ID: "open"}))
	w.must("charity", "gateway", "Tape:Open", encoded(t, tape.Open{Account: "partner:school:speech", Attribution: tape.FIFO, Currency: "CNY", Custodian: "outside:bank:sunrise-1", ID: "open-2"}))
	w.must("charity", "gateway", "Tape:Receive", encode(t, tape.Receive{Account: campaign, ID: "page", Count: 1, Total: cny(10000), Gifts: []tape.Gift{{ID: "g", Amount: cny(10000)}}}))
	w.must("charity", "gateway", "Tape:Settle", encoded(t, tape.Settle{Account: campaign, ID: "settle", Items: []tape.SettleItem{{Source: "page", SelfDeclared: true}}}))
	return w, w.drafts(ring), ring
}

func encode(t *testing.T, page tape.Receive) []byte {
	t.Helper()
	text, err := page.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func spending(units int64) Request {
	return Request{Function: "Tape:Spend", Amount: cny(units).String(), Command: tape.Spend{Account: campaign, ID: "spend-1", Payments: []tape.Payment{{Amount: cny(units), Line: "a", To: "partner:school:speech"}}}}
}

// TestTwoSign: the maker signs by the key that the gateway holds, the checker
// on a device of its own, and the real contract takes it.
func TestTwoSign(t *testing.T) {
	w, drafts, ring := office(t)
	maker, checker := w.Session("maker"), w.Session("checker")
	p, err := drafts.Prepare(t.Context(), maker, spending(6000))
	if err != nil {
		t.Fatal(err)
	}
	if !p.Mine || !p.Here || p.Persons != 2 || p.Act.Action != "spend" || p.Act.Amount != "60.00 CNY" || len(p.Lines) != 5 {
		t.Errorf("%+v", p)
	}
	if p, err = drafts.SignHere(t.Context(), maker, p.ID); err != nil || len(p.Signed) != 1 || p.Mine || len(w.carried) != 0 {
		t.Fatalf("%+v: %v", p, err)
	}
	if again, err := drafts.SignHere(t.Context(), maker, p.ID); err != nil || len(again.Signed) != 1 || len(ring.Signings(maker, 9)) != 1 {
		t.Errorf("signed twice: %+v: %v", again, err)
	}
	if _, err := drafts.SignHere(t.Context(), checker, p.ID); !says(err, "keyring.none") {
		t.Errorf("the checker's key is not here: %v", err)
	}
	file, err := drafts.File(checker, p.ID)
	if err != nil || file.Person != "checker" {
		t.Fatalf("%+v: %v", file, err)
	}
	if p, err = drafts.Offer(t.Context(), checker, p.ID, w.intent(file, "checker")); err != nil || p.Status == nil || p.Status.State != outbox.Done {
		t.Fatalf("%+v: %v", p.Status, err)
	}
	if p, err = drafts.Offer(t.Context(), checker, p.ID, w.intent(file, "checker")); err != nil || len(p.Signed) != 2 {
		t.Errorf("offered again: %+v: %v", p, err)
	}
	if err := drafts.Drop(maker, p.ID); !says(err, "draft.keep") {
		t.Errorf("taken back after it was handed over: %v", err)
	}
}

// TestNamedSigners: a draft that says who signs it takes no other's signature, and
// whoever is named finds it without a role; nobody else does.
func TestNamedSigners(t *testing.T) {
	w, drafts, _ := office(t)
	w.bring("neighbour", party.Own)
	maker, checker := w.Session("maker"), w.Session("checker")
	request := spending(6000)
	request.Signers = []Signer{{Person: "maker"}, {Person: "household"}}
	p, err := drafts.Prepare(t.Context(), maker, request)
	if err != nil || len(p.Missing) != 2 {
		t.Fatalf("%+v: %v", p, err)
	}
	file, err := drafts.File(checker, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drafts.Offer(t.Context(), checker, p.ID, w.intent(file, "checker")); !says(err, "draft.signers") {
		t.Errorf("who is not named signs: %v", err)
	}
	if p, err = drafts.SignHere(t.Context(), maker, p.ID); err != nil || len(p.Signed) != 1 || len(p.Missing) != 1 || p.Missing[0].Person != "household" {
		t.Errorf("%+v: %v", p, err)
	}
	if waits, err := drafts.List(w.Session("household")); err != nil || len(waits) != 1 || !waits[0].Mine {
		t.Errorf("who is named finds %+v: %v", waits, err)
	}
	if waits, err := drafts.List(w.Session("neighbour")); err != nil || len(waits) != 0 {
		t.Errorf("who is not named finds %+v: %v", waits, err)
	}
	if _, err := drafts.Get(w.Session("neighbour"), p.ID); !says(err, "draft.gone") {
		t.Errorf("who is not named reads it: %v", err)
	}
}

// TestPolicyAsks: as many sign what maker and checker decide as the voted policy says.
func TestPolicyAsks(t *testing.T) {
	w, drafts, _ := office(t)
	policy := party.DefaultPolicy(party.Threshold{Amount: cny(100_000_00), Organisations: 2})
	policy.Approval.Approvers = 3
	for _, organisation := range []string{"charity", "bank"} {
		w.must(organisation, "admin", "Party:Vote", encoded(t, party.VoteCommand{Change: party.Change{Policy: &policy}, ID: "vote", Proposal: "three"}))
	}
	drafts.Own = func(_ context.Context, account tape.AccountID) bool { return account == campaign }
	flag := fund.SetFlag{Account: campaign, ID: "x", Payee: "outside:household:ddbbcoobeooegjmdolfcpojadccomibn", Reason: "cleared"}
	for _, c := range []struct {
		request Request
		want    int
	}{{spending(6000), 3}, {Request{Function: "Fund:SetFlag", Amount: "0.00 CNY", Command: flag}, 3},
		{Request{Function: "Fund:SetFlag", Amount: "0.00 CNY", Command: fund.SetFlag{Account: campaign, ID: "x", Payee: flag.Payee, Raise: true, Reason: "agent"}}, 1},
		{Request{Function: "Fund:SetFlag", Amount: "0.00 CNY", Command: fund.SetFlag{Account: "partner:school:speech", ID: "x", Payee: flag.Payee, Reason: "cleared"}}, 1}} {
		if p, err := drafts.Prepare(t.Context(), w.Session("maker"), c.request); err != nil || p.Persons != c.want {
			t.Errorf("%s asks %d persons, %v; want %d", c.request.Function, p.Persons, err, c.want)
		}
	}
}

// TestOfferRefusals: which signatures are not taken.
func TestOfferRefusals(t *testing.T) {
	w, drafts, _ := office(t)
	maker, checker, household := w.Session("maker"), w.Session("checker"), w.Session("household")
	p, err := drafts.Prepare(t.Context(), maker, spending(6000))
	if err != nil {
		t.Fatal(err)
	}
	file, err := drafts.File(checker, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	good := w.intent(file, "checker")
	for what, c := range map[string]struct {
		session login.Session
		change  func(Draft) Draft
		signer  tape.ID
		want    string
	}{
		"brought by another":    {maker, func(d Draft) Draft { return d }, "checker", "draft.person"},
		"another's key":         {checker, func(d Draft) Draft { return d }, "maker", "forbidden"},
		"another ledger":        {checker, func(d Draft) Draft { d.Ledger[0]++; return d }, "checker", "forbidden"},
		"another amount":        {checker, func(d Draft) Draft { d.Command, d.Amount = encoded(t, spending(1).Command), "0.01 CNY"; return d }, "checker", "forbidden"},
		"not logged in":         {login.Session{}, func(d Draft) Draft { return d }, "checker", "login.needed"},
		"who does not see it":   {household, func(d Draft) Draft { d.Person = "household"; return d }, "household", "draft.gone"},
		"a deadline in the far": {checker, func(d Draft) Draft { d.Expires += 40 * tape.Day; return d }, "checker", "30 days ahead"},
		"a deadline that was":   {checker, func(d Draft) Draft { d.Expires = 1000; return d }, "checker", "expired"},
	} {
		if _, err := drafts.Offer(t.Context(), c.session, p.ID, w.intent(c.change(file), c.signer)); !says(err, c.want) {
			t.Errorf("%s: %v, want %s", what, err, c.want)
		}
	}
	w.must("charity", "gateway", "Party:Suspend", encoded(t, envelope{encoded(t, party.SuspendCommand{Address: w.person("checker").Key.Address, ID: "s", Person: "checker"}), []party.Intent{}}))
	if _, err := drafts.Offer(t.Context(), checker, p.ID, good); !says(err, "person.suspended") {
		t.Errorf("a suspended key: %v", err)
	}
	if len(w.carried) != 0 {
		t.Errorf("carried: %v", w.carried)
	}
}

// TestPrepareRefusals: what cannot be drafted.
func TestPrepareRefusals(t *testing.T) {
	w, drafts, _ := office(t)
	maker, checker, household, agent := w.Session("maker"), w.Session("checker"), w.Session("household"), w.Session("agent")
	for what, c := range map[string]struct {
		session login.Session
		request Request
		want    string
	}{
		"nobody":             {login.Session{}, spending(1), "login.needed"},
		"an unknown command": {maker, Request{Function: "Tape:Settle", Command: json.RawMessage(`{}`)}, "unsupported"},
		"another amount":     {maker, Request{Function: "Tape:Spend", Amount: "1.00 CNY", Command: spending(1).Command}, "conflict"},
		"another's key":      {maker, Request{Function: "Party:Revoke", Command: party.RevokeCommand{ID: "r", Person: "checker"}}, "forbidden"},
		"another's role":     {maker, Request{Function: "Fund:Approve", Amount: "1.00 CNY", Command: fund.Approve{Account: campaign, Disbursement: "d", ID: "x"}}, "draft.role"},
		"a checker proposes": {checker, Request{Function: "Fund:Propose", Amount: "1.00 CNY", Command: fund.Propose{Account: campaign, Amount: cny(100), Chunks: 1, Count: 1, Expires: 1000, ID: "x", Line: "a"}}, "draft.role"},
		"without a role":     {household, spending(1), "does not come in here"},
		"an id of the staff": {household, Request{Function: "Party:Revoke", Command: party.RevokeCommand{ID: "d1.order", Person: "household"}}, "hexadecimal digits drawn at random"},
		"an agent's own id":  {agent, Request{Function: "Fund:Enrol", Amount: "0.00 CNY", Command: fund.Enrol{Account: campaign, Agent: "agent", ID: "d1.order", Payees: []fund.NewPayee{{Kind: fund.Household, Payee: "outside:household:ddbbcoobeooegjmdolfcpojadccomibn"}}}}, "hexadecimal digits drawn at random"},
		"an agent spends":    {agent, spending(1), "draft.role"},
		"a long one":         {household, Request{Function: "Party:Revoke", Command: party.RevokeCommand{ID: tape.ID("revoke-" + strings.Repeat("0", 17<<10)), Person: "household"}}, "16384 at most"},
		"too many persons":   {checker, Request{Function: "Fund:Approve", Amount: "1.00 CNY", Persons: 17, Command: fund.Approve{Account: campaign, Disbursement: "d", ID: "x"}}, "16 at most"},
	} {
		if p, err := drafts.Prepare(t.Context(), c.session, c.request); !says(err, c.want) {
			t.Errorf("%s: %+v %v, want %s", what, p, err, c.want)
		}
	}
}

// TestShares: who has no role fills its own share of drafts and nobody else's,
// and who sends forms without end waits.
func TestShares(t *testing.T) {
	w, drafts, _ := office(t)
	household, maker := w.Session("household"), w.Session("maker")
	for n := range ownShare + 1 {
		_, err := drafts.Prepare(t.Context(), household, Request{Function: "Party:Revoke", Command: party.RevokeCommand{ID: OwnID("revoke"), Person: "household"}})
		if n < ownShare && err != nil || n == ownShare && !says(err, "draft.share") {
			t.Fatalf("draft %d: %v", n, err)
		}
	}
	if _, err := drafts.Prepare(t.Context(), maker, spending(6000)); err != nil {
		t.Errorf("another's share is full too: %v", err)
	}
	for n := range postsAtOnce + 1 {
		bytesMax, err := drafts.mayPost(household)
		if n < postsAtOnce && (err != nil || bytesMax != ownBytesMax+formOverhead) || n == postsAtOnce && !says(err, "login.slow") {
			t.Fatalf("form %d: %d, %v", n, bytesMax, err)
		}
	}
	if bytesMax, err := drafts.mayPost(maker); err != nil || bytesMax < DraftBytesMax {
		t.Errorf("another's pace: %d, %v", bytesMax, err)
	}
}

// TestBusyAndLost: a last signature is kept when the lanes are full; after a
// new start the file brings the draft back.
func TestBusyAndLost(t *testing.T) {
	w, drafts, ring := office(t)
	maker, checker := w.Session("maker"), w.Session("checker")
	p, err := drafts.Prepare(t.Context(), maker, spending(6000))
	if err != nil {
		t.Fatal(err)
	}
	file, err := drafts.File(checker, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	text, err := file.File()
	if err != nil {
		t.Fatal(err)
	}
	drafts = w.drafts(ring) // a new start
	if _, err := drafts.Get(checker, p.ID); !says(err, "draft.gone") {
		t.Errorf("after a new start: %v", err)
	}
	if p, err = drafts.Adopt(t.Context(), checker, text, 0); err != nil || p.ID != file.ID || p.By != "checker" {
		t.Fatalf("%+v: %v", p, err)
	}
	if _, err := drafts.Offer(t.Context(), checker, p.ID, w.intent(file, "checker")); err != nil {
		t.Fatal(err)
	}
	if p, err = drafts.Adopt(t.Context(), maker, text, 0); err != nil || len(p.Signed) != 1 {
		t.Errorf("taken up twice: %+v: %v", p, err)
	}
	other := file
	other.Command, other.Amount = encoded(t, spending(1).Command), "0.01 CNY"
	changed, err := other.File()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drafts.Adopt(t.Context(), maker, changed, 0); !says(err, "draft.other") {
		t.Errorf("another draft under this id: %v", err)
	}
	w.busy = true
	if _, err := drafts.SignHere(t.Context(), maker, p.ID); err == nil {
		t.Error("the lanes are full")
	}
	w.busy = false
	if p, err = drafts.Send(t.Context(), maker, p.ID); err != nil || p.Status == nil || p.Status.State != outbox.Done {
		t.Errorf("%+v: %v", p.Status, err)
	}
	foreign := file
	foreign.Ledger[0]++
	if changed, err = foreign.File(); err != nil {
		t.Fatal(err)
	}
	if _, err := drafts.Adopt(t.Context(), maker, changed, 0); !rule.Is(err, rule.Conflict) {
		t.Errorf("another ledger's: %v", err)
	}
	drafts.Clock = func() time.Time { return w.network.Clock().Add(2 * draftLife) }
	if list, err := drafts.List(maker); err != nil || len(list) != 0 {
		t.Errorf("expired drafts are listed: %+v %v", list, err)
	}
	if _, err := drafts.Adopt(t.Context(), maker, text, 0); !says(err, "draft.gone") {
		t.Errorf("an expired file: %v", err)
	}
}

// shower is a Renderer that remembers.
type shower struct {
	page   Page
	status int
}

func (s *shower) Drafts(w http.ResponseWriter, _ *http.Request, status int, page Page) {
	s.page, s.status = page, status
	w.WriteHeader(status)
}

// TestPages goes through the pages as a browser does, without JavaScript.
func TestPages(t *testing.T) {
	w, drafts, _ := office(t)
	show := &shower{}
	pages := Pages{Desk: w.Desk, Drafts: drafts, Renderer: show}.Handler()
	cookies := map[tape.ID]*http.Cookie{"maker": w.Cookie("maker"), "checker": w.Cookie("checker")}
	do := func(person tape.ID, method, path string, form url.Values) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, logintest.Origin+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if cookies[person] != nil {
			r.AddCookie(cookies[person])
		}
		out := httptest.NewRecorder()
		*show = shower{}
		pages.ServeHTTP(out, r)
		return out
	}
	p, err := drafts.Prepare(t.Context(), w.Session("maker"), spending(6000))
	if err != nil {
		t.Fatal(err)
	}
	if got := do("", http.MethodGet, "/drafts", nil); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/login?return=%2Fdrafts" {
		t.Errorf("a stranger: %d %s", got.Code, got.Header())
	}
	do("maker", http.MethodGet, "/drafts", nil)
	if len(show.page.List) != 1 || show.page.Token == "" {
		t.Fatalf("the list: %+v", show)
	}
	token := show.page.Token
	if got := do("maker", http.MethodPost, "/drafts/"+p.ID+"/sign", url.Values{}); got.Code != http.StatusForbidden || show.page.Message.Key != "form.foreign" {
		t.Errorf("without the token: %d %+v", got.Code, show.page.Message)
	}
	if got := do("maker", http.MethodPost, "/drafts/"+p.ID+"/sign", url.Values{login.FormToken: {token}}); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/drafts/"+p.ID {
		t.Fatalf("signing: %d %+v", got.Code, show.page)
	}
	do("checker", http.MethodGet, "/drafts/"+p.ID, nil)
	if show.page.Draft == nil || !show.page.Draft.Mine || show.page.Draft.Here || show.page.Token == token {
		t.Errorf("the checker sees %+v", show.page)
	}
	if got := do("checker", http.MethodPost, "/drafts/"+p.ID+"/intent", url.Values{login.FormToken: {token}}); got.Code != http.StatusForbidden {
		t.Errorf("another session's token: %d", got.Code)
	}
	token = tokenOf(do, show, p.ID)
	file := do("checker", http.MethodGet, "/drafts/"+p.ID+"/file", nil)
	downloaded, err := ParseDraft(file.Body.Bytes())
	if err != nil || downloaded.Person != "checker" || !strings.HasPrefix(file.Header().Get("Content-Disposition"), "attachment") {
		t.Fatalf("downloaded %+v: %v", downloaded, err)
	}
	for _, bad := range []string{"", "x", `{"a":1}`, strings.Repeat("x", IntentBytesMax+1)} {
		if got := do("checker", http.MethodPost, "/drafts/"+p.ID+"/intent", url.Values{login.FormToken: {token}, "intent": {bad}}); got.Code < 400 || show.page.Draft == nil || show.page.Message == nil {
			t.Errorf("%.10q: %d %+v", bad, got.Code, show.page)
		}
	}
	pasted := string(encoded(t, w.intent(downloaded, "checker"))) + "\r\n"
	if got := do("checker", http.MethodPost, "/drafts/"+p.ID+"/intent", url.Values{login.FormToken: {token}, "intent": {pasted}}); got.Code != http.StatusSeeOther || len(w.carried) != 1 {
		t.Fatalf("pasting: %d %+v", got.Code, show.page)
	}
	// A file that is uploaded.
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	part, err := parts.CreateFormFile("file", "draft.json")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(file.Body.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := parts.WriteField(login.FormToken, token); err != nil {
		t.Fatal(err)
	}
	if err := parts.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, logintest.Origin+"/drafts", &body)
	r.Header.Set("Content-Type", parts.FormDataContentType())
	r.AddCookie(cookies["checker"])
	out := httptest.NewRecorder()
	pages.ServeHTTP(out, r)
	if out.Code != http.StatusSeeOther || out.Header().Get("Location") != "/drafts/"+p.ID {
		t.Errorf("uploading: %d %+v", out.Code, show.page)
	}
	if got := do("checker", http.MethodGet, "/drafts/none", nil); got.Code != http.StatusNotFound || show.page.Message.Key != "draft.gone" {
		t.Errorf("no draft: %d %+v", got.Code, show.page)
	}
}

func tokenOf(do func(tape.ID, string, string, url.Values) *httptest.ResponseRecorder, show *shower, id string) string {
	do("checker", http.MethodGet, "/drafts/"+id, nil)
	return show.page.Token
}
