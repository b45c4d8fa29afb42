package portal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/disclosure"
	"github.com/lianbao/lianbao/gateway/document"
	"github.com/lianbao/lianbao/gateway/document/documenttest"
	"github.com/lianbao/lianbao/gateway/export/books"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/fingerprint"
	"github.com/lianbao/lianbao/gateway/giving"
	"github.com/lianbao/lianbao/gateway/importing"
	"github.com/lianbao/lianbao/gateway/keyring"
	"github.com/lianbao/lianbao/gateway/lane"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/login/challenge"
	"github.com/lianbao/lianbao/gateway/order"
	"github.com/lianbao/lianbao/gateway/outbox"
	"github.com/lianbao/lianbao/gateway/persons"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/signing"
	"github.com/lianbao/lianbao/gateway/trail"
)

const (
	speech = tape.AccountID("charity:sunrise:speech")
	family = tape.AccountID("outside:household:ddbbcoobeooegjmdolfcpojadccomibn")
	shop   = tape.AccountID("outside:supplier:s1")
)

// town is the real contracts, and a portal where people log in and act.
type town struct {
	*ledger
	// organisation is whose portal it is, members who has a role there.
	organisation string
	members      []login.Member
	handler      http.Handler
	shelf        disclosure.Shelf
	desk         *giving.Desk
	givers       http.Handler
	archive      *document.Archive
	log          *strings.Builder
	processors   *importing.Desk
	// imports is the desk's folder; while gate is there and open to nobody, nothing is carried.
	imports  string
	gate     chan struct{}
	statuses map[string]lane.Status
	carried  []string
}

func newTown(t *testing.T) *town {
	w := &town{ledger: newLedger(t), organisation: "charity", members: []login.Member{{Person: "maker", Roles: []login.Role{login.Maker}}, {Person: "checker", Roles: []login.Role{login.Checker}}, {Person: "teller", Roles: []login.Role{login.Maker}}}, archive: documenttest.Archive(t), statuses: map[string]lane.Status{}}
	w.found()
	w.registers("child", party.Own, party.DutyMember)
	plan := fund.Plan{Area: "CN-53", Beneficiaries: fund.Text{En: "30 children"}, From: "2025-12-01", To: "2026-12-31", Goal: yuan(100_000), Leftover: training, Donors: []tape.ID{"giver"},
		ManagementPartsPerMillion: 100_000, Purpose: fund.Text{Zh: "言语训练", En: "Speech training"}, Regulator: "coop", Sector: "12220", Title: fund.Text{En: "Speech training", Zh: "言语训练"},
		Lines: []fund.BudgetLine{{Amount: yuan(80_000), ID: "training", Kind: fund.Programme, Title: fund.Text{En: "Training"}}, {Amount: yuan(20_000), ID: "office", Kind: fund.Management, Title: fund.Text{En: "Office"}}}}
	w.decided("open-campaign", "Fund:OpenCampaign", speech, 0, fund.OpenCampaign{Account: speech, Basis: fund.Agreement, Custodian: bank, ID: "open-speech", Plan: plan})
	w.evidence()
	w.charity("Tape:Receive", tape.Receive{Account: speech, ID: "page-1", Count: 3, Total: yuan(35_000), Gifts: given})
	w.charity("Tape:Settle", tape.Settle{Account: speech, ID: "settle-1", Items: []tape.SettleItem{{Source: "page-1", Lines: &tape.LinesRef{N: 0, Statement: "january"}}}})
	w.charity("Fund:Enrol", w.by("checker", "enrol", 0, fund.Enrol{Account: speech, ID: "enrol-1", Payees: []fund.NewPayee{{Kind: fund.Household, Payee: family, Person: "child"}, {Kind: fund.Supplier, Payee: shop}}}))
	w.follow()
	w.shelf = disclosure.Shelf{Folder: t.TempDir()}
	w.desk = w.giving("2026-01-10")
	w.log = new(strings.Builder)
	w.imports = t.TempDir()
	w.open()
	return w
}

// by gives a command that one person has signed.
func (w *town) by(person tape.ID, action string, units int64, command any) any {
	w.Helper()
	plain := w.encode(command)
	w.intents++
	intent, err := sign.Intent(w.key(person), party.LedgerID{9}, person, party.Statement{Action: action, Subject: string(speech), Amount: yuan(units).String(), Command: sha256.Sum256(plain),
		Intent: party.IntentID{15: w.intents}, Deadline: tape.Instant(w.network.Clock().Add(time.Hour).Truncate(time.Second).UnixMilli())})
	made(w.ledger, intent, err)
	return struct {
		Command json.RawMessage `json:"command"`
		Intents []party.Intent  `json:"intents"`
	}{plain, []party.Intent{intent}}
}

func (w *town) open() {
	w.Helper()
	register := persons.Register{Records: w.model}
	quiet := slog.New(slog.NewTextHandler(w.log, nil))
	parts := Parts{Organisation: w.organisation, Model: w.model, Height: w.height, Campaigns: trail.Trail{Model: w.model, Now: w.network.Clock}, Now: w.network.Clock, Documents: w.shelf, Exports: &books.Books{Model: w.model, Facts: trail.Facts{Model: w.model}},
		Today: func() tape.Date { return tape.Date(w.network.Clock().Add(8 * time.Hour).Format(time.DateOnly)) }, Log: quiet,
		Block: func(_ context.Context, n uint64) (readmodel.Block, error) {
			return fabric.ReadBlock(w.network.Block(n), peertest.Chaincode, nil)
		}}
	w.processors = importing.NewDesk(importing.Receiver{Organisation: w.organisation, Gateway: importing.Own{Lanes: gated{w}, Model: w.model, Giving: w.desk}, Folder: w.imports}, quiet)
	w.Cleanup(w.processors.Close)
	handler, err := NewStaffed(parts, func(renderer Renderer) (*People, error) {
		desk, err := login.New(login.Parts{Config: login.Config{Origin: "http://127.0.0.1:8101", Keys: w.members},
			Persons: register, Renderer: renderer, Clock: w.network.Clock, Log: quiet})
		return &People{Desk: desk, Processors: w.processors, Drafts: signing.NewDrafts(signing.Parts{Organisation: w.organisation, Ledger: register, Policy: register, Lanes: w, Clock: w.network.Clock,
			Own: func(_ context.Context, account tape.AccountID) bool { return account == speech }}), Lanes: w, Persons: register, Keys: w.keyring(register),
			Shelf: w.shelf, Archive: w.archive, Receipts: w.desk, Personal: w.keeping(), Fingerprints: fingerprint.Keys{Folder: filepath.Join(w.TempDir(), "fingerprint-keys")}, Proposals: Proposals{Folder: w.TempDir()}}, err
	})
	if err != nil {
		w.Fatal(err)
	}
	announcements, wrong := giving.NewLimits(w.network.Clock)
	w.handler, w.givers = handler, NewGivers(parts, Givers{Desk: w.desk, Announcements: announcements, WrongCodes: wrong, KeepDays: 90})
}

// keyring is where the charity's gateway holds keys.
func (w *town) keyring(register persons.Register) *keyring.Keyring {
	w.Helper()
	master := filepath.Join(w.TempDir(), "master.key")
	if err := keyring.CreateMaster(master); err != nil {
		w.Fatal(err)
	}
	ring, err := keyring.Open(filepath.Join(w.TempDir(), "keys"), master, register, w.network.Clock)
	made(w.ledger, ring, err)
	w.Cleanup(func() { _ = ring.Close() })
	return ring
}

// Submit implements Lanes on the network, at once.
func (w *town) Submit(_ context.Context, function string, argument []byte) (lane.Status, error) {
	var command struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(plain(argument), &command)
	status := lane.Status{ID: command.ID, Function: function, State: outbox.Done, Block: w.network.Height()}
	w.network.Advance(time.Second)
	if _, err := w.network.Invoke(w.network.Identity(w.organisation, "gateway"), function, string(argument)); err != nil {
		status.State = outbox.Refused
		if !errors.As(err, &status.Refusal) {
			return status, err
		}
	}
	w.follow()
	if status.State == outbox.Done {
		status.Block = w.read - 1
	}
	w.carried = append(w.carried, function)
	w.statuses[status.ID] = status
	return status, nil
}

// Command implements Lanes.
func (w *town) Command(_ context.Context, id string) (lane.Status, bool, error) {
	status, found := w.statuses[id]
	return status, found, nil
}

// Await implements Lanes.
func (w *town) Await(ctx context.Context, _ lane.Status, _ string, ask func(context.Context) (lane.Status, bool, error)) (lane.Status, error) {
	status, _, err := ask(ctx)
	return status, err
}

// gated carries while its town's gate lets it.
type gated struct{ *town }

// Submit implements importing.Lanes.
func (g gated) Submit(ctx context.Context, function string, argument []byte) (lane.Status, error) {
	if g.gate != nil {
		select {
		case <-g.gate:
		case <-ctx.Done():
			return lane.Status{}, ctx.Err()
		}
	}
	return g.town.Submit(ctx, function, argument)
}

// visitor is somebody at a browser without scripts.
type visitor struct {
	*town
	cookie *http.Cookie
	body   string
	place  string
	code   int
}

func (v *visitor) request(method, path string, form url.Values) {
	v.Helper()
	v.sends(method, path, strings.NewReader(form.Encode()), "application/x-www-form-urlencoded")
}

func (v *visitor) sends(method, path string, body io.Reader, kind string) {
	v.Helper()
	r := httptest.NewRequest(method, "http://127.0.0.1:8101"+path, body)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", kind)
	}
	if v.cookie != nil {
		r.AddCookie(v.cookie)
	}
	answer, handler := httptest.NewRecorder(), v.handler
	for _, pattern := range GiverPatterns() {
		if strings.HasPrefix(path, pattern) {
			handler = v.givers
		}
	}
	handler.ServeHTTP(answer, r)
	for _, cookie := range answer.Result().Cookies() {
		v.cookie = cookie
	}
	v.code, v.body, v.place = answer.Code, answer.Body.String(), path
	if answer.Code == http.StatusSeeOther {
		v.request(http.MethodGet, answer.Header().Get("Location"), nil)
	}
}

var formToken = regexp.MustCompile(`name="form-token" value="([^"]+)"`)

// posts sends a form with the token of the page that was read before.
func (v *visitor) posts(path string, fields ...string) {
	v.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	if token := formToken.FindStringSubmatch(v.body); token != nil {
		form.Set("form-token", token[1])
	}
	v.request(http.MethodPost, path, form)
}

// uploads posts a form with a file; the first three name its field, the file and what is in it.
func (v *visitor) uploads(path string, field, file, content string, fields ...string) {
	v.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile(field, file)
	made(v.ledger, part, err)
	_, err = part.Write([]byte(content))
	if token := formToken.FindStringSubmatch(v.body); token != nil {
		fields = append(fields, "form-token", token[1])
	}
	for i := 0; i < len(fields); i += 2 {
		err = errors.Join(err, form.WriteField(fields[i], fields[i+1]))
	}
	if err = errors.Join(err, form.Close()); err != nil {
		v.Fatal(err)
	}
	v.sends(http.MethodPost, path, &body, form.FormDataContentType())
}

func (v *visitor) reads(want ...string) {
	v.Helper()
	text := strings.ReplaceAll(html.UnescapeString(v.body), "\u00a0", " ")
	for _, one := range want {
		if !strings.Contains(text, one) {
			v.Errorf("%s (%d) does not say %q", v.place, v.code, one)
		}
	}
}

// logsIn answers the challenge of the page by a person's key.
func (w *town) logsIn(person tape.ID) *visitor {
	w.Helper()
	w.network.Advance(time.Minute)
	v := &visitor{town: w}
	v.request(http.MethodGet, "/login?return=/en/me", nil)
	found := regexp.MustCompile(`login '(http[^']+)'`).FindStringSubmatch(html.UnescapeString(v.body))
	if found == nil {
		w.Fatalf("%s asks nothing: %s", v.place, v.body)
	}
	asked, err := challenge.Parse(found[1])
	made(w.ledger, asked, err)
	signature, err := asked.Sign(w.key(person))
	made(w.ledger, signature, err)
	v.posts("/en/login/key", "person", string(person), "nonce", asked.Nonce.String(), "signature", signature.String(), "return", "/en/me")
	v.reads("You are logged in as " + string(person))
	return v
}

// signs signs the draft that the page shows as lianbao person sign does, and pastes it.
func (v *visitor) signs(person tape.ID) {
	v.Helper()
	id := regexp.MustCompile(`/drafts/([0-9a-f]{32})`).FindStringSubmatch(v.place)
	if id == nil {
		v.Fatalf("%s is no draft: %s", v.place, v.body)
	}
	page := *v
	page.request(http.MethodGet, "/en/drafts/"+id[1]+"/file", nil)
	draft, err := signing.ParseDraft([]byte(page.body))
	made(v.ledger, draft, err)
	statement, err := draft.Statement()
	made(v.ledger, statement, err)
	intent, err := sign.Intent(v.key(person), draft.Ledger, person, statement)
	made(v.ledger, intent, err)
	v.posts("/en/drafts/"+id[1]+"/intent", "intent", string(v.encode(intent)))
}

// TestPeopleAct takes a disbursement over the pages, from the proposal to the orders for the bank.
func TestPeopleAct(t *testing.T) {
	w := newTown(t)
	maker := w.logsIn("maker")
	propose := "/en/campaigns/" + string(speech) + "/propose"
	maker.request(http.MethodGet, propose, nil)
	maker.reads("Propose a disbursement", "Training: 800.00 CNY left", string(family))
	id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(maker.body)[1]
	fields := []string{"id", id, "line", "training", "payee", string(family), "amount", "60.00", "payee", string(shop), "amount", "20.00 CNY", "payee", "", "amount", ""}
	again := *maker
	maker.posts(propose, fields...)
	maker.reads("Propose to pay 80.00 CNY to 2 payees", "Download the draft")
	again.posts(propose, fields...)
	if again.place != maker.place {
		t.Errorf("the same form twice makes two drafts, %s and %s", maker.place, again.place)
	}
	maker.signs("maker")
	maker.reads("Done: it stands on the ledger.")
	page := "/disbursements/" + string(speech) + "/" + id
	maker.request(http.MethodGet, "/en"+page, nil)
	maker.reads("1 of 1 lists", "another person has to approve it", "60.00 CNY", string(shop))
	checker := w.logsIn("checker")
	checker.request(http.MethodGet, "/zh-CN/work", nil)
	checker.reads("批准或驳回提案", id)
	checker.request(http.MethodGet, "/en"+page, nil)
	checker.posts("/en" + page + "/order")
	checker.reads("This was not done", "Something that was filled in cannot be right", "field approvers: names 0")
	checker.request(http.MethodGet, "/en"+page, nil)
	checker.posts("/en" + page + "/approve")
	checker.signs("checker")
	for _, act := range []string{"order", "pay", "close"} {
		checker.request(http.MethodGet, "/en"+page, nil)
		checker.posts("/en" + page + "/" + act)
	}
	checker.reads("closed, all was ordered", "Approved by", "ordered, waits for the bank")
	public := &visitor{town: w}
	public.request(http.MethodGet, "/en"+page, nil)
	public.reads("checker of charity", "key held by the gateway")
	if strings.Contains(public.body, "What you can do") || public.cookie != nil {
		t.Error("a stranger is shown forms or given a cookie")
	}
	w.household(id)
	for _, v := range []*visitor{public, maker, checker} {
		v.walks()
	}
}

var pageLink = regexp.MustCompile(`href="(/en[^"#]*)"`)

// walks follows every link from the pages that people begin at, a few of each
// kind: none leads to a page that says no.
func (v *visitor) walks() {
	v.Helper()
	seen, kinds := map[string]bool{}, map[string]int{}
	for queue := []string{"/en/", "/en/work", "/en/me"}; len(queue) > 0; queue = queue[1:] {
		path := queue[0]
		kind := strings.Join(strings.Split(path, "/")[:3], "/") + path[strings.LastIndex(path, "/"):]
		if kinds[kind]++; seen[path] || kinds[kind] > 3 || strings.HasPrefix(path, "/en/login") {
			continue
		}
		seen[path] = true
		if path == "/en/campaigns/charity:sunrise:training" { // the plan names it for what is left over; nobody has opened it
			continue
		}
		if v.request(http.MethodGet, path, nil); v.code != http.StatusOK {
			v.Errorf("%s answers %d:\n%.300s", path, v.code, v.body[strings.Index(v.body, "<main"):])
		}
		for _, link := range pageLink.FindAllStringSubmatch(v.body, -1) {
			queue = append(queue, html.UnescapeString(link[1]))
		}
	}
	if len(seen) < 40 {
		v.Errorf("only %d pages were visited", len(seen))
	}
}

// TestFlaggedOrder: the bank's file and the list of payouts say since when the
// payee of an open order is flagged.
func TestFlaggedOrder(t *testing.T) {
	w := newTown(t)
	payments := []tape.Payment{{Amount: yuan(100), Line: "a", To: family}, {Amount: yuan(200), Line: "b", To: shop}}
	job, chunks, err := tape.NewJob(speech, "d1", tape.Instant(w.network.Clock().UnixMilli())+10*tape.Day, [][]tape.Payment{payments})
	made(w.ledger, job, err)
	w.charity("Fund:Propose", w.by("maker", "propose", 300, fund.Propose{Account: speech, Amount: job.Amount, Chunks: 1, Count: 2, Expires: job.Expires, ID: "d1", Line: "training", Root: job.Root}))
	w.charity("Fund:List", fund.List{Account: speech, Disbursement: "d1", ID: "list-1", Lines: payments, Path: chunks[0].Path})
	w.charity("Fund:Approve", w.by("checker", "approve", 300, fund.Approve{Account: speech, Disbursement: "d1", ID: "ok-1"}))
	w.charity("Fund:Order", fund.Order{Account: speech, Approvers: []tape.ID{"checker"}, Disbursement: "d1", ID: "order-1"})
	w.charity("Fund:Pay", fund.Pay{Account: speech, Disbursement: "d1", ID: "pay-1", Lines: payments, Path: chunks[0].Path})
	w.charity("Fund:SetFlag", w.by("checker", "set-flag", 0, fund.SetFlag{Account: speech, ID: "flag-1", Payee: shop, Raise: true, Reason: "complaint"}))
	since := tape.Instant(w.network.Clock().UnixMilli()).String()
	w.follow()
	var file strings.Builder
	total, err := order.Write(t.Context(), &file, w.model, speech, "")
	made(w.ledger, total, err)
	for _, line := range strings.Split(file.String(), "\n")[1:] {
		if flagged := strings.Contains(line, ",complaint,"+since); flagged != strings.Contains(line, string(shop)) || line != "" && !strings.Contains(line, "d1.0.") {
			t.Errorf("the file says %q", line)
		}
	}
}

// household disputes its payout with its own key; the payee's page and the work
// list show it, and staff bring a document for it.
func (w *town) household(id string) {
	w.Helper()
	child := w.logsIn("child")
	child.reads("You are child on this ledger", "60.00 CNY", "key held by the person")
	child.posts("/en/payouts/"+string(speech)+"/"+id+".0.0/word", "outcome", "disputed", "reason", "not-arrived")
	child.reads("Dispute payout")
	child.signs("child")
	child.reads("Done: it stands on the ledger.")
	child.request(http.MethodGet, "/en/work", nil)
	child.reads("You have no role among the staff here.")
	child.request(http.MethodGet, "/en/payees/"+string(speech)+"/"+string(family), nil)
	child.reads("disputed by the receiver", "has a key of its own")
	maker := w.logsIn("maker")
	maker.request(http.MethodGet, "/en/work", nil)
	maker.reads("A receiver says that it did not arrive as it should", "nothing arrived")
	// A document for the payout is about who gets it.
	cite := "/en/campaigns/" + string(speech) + "/acts/cite"
	maker.request(http.MethodGet, cite, nil)
	form := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(maker.body)
	maker.uploads(cite, "document-file", "note.txt", "signed by the mother", "id", form[1], "kind", "delivery-note", "for", id+".0.0")
	maker.signs("maker")
	maker.request(http.MethodGet, "/en/payees/"+string(speech)+"/"+string(family)+"/personal", nil)
	maker.reads("Documents about this payee", "delivery note", "Evidence, kept until 31 Dec 2056:")
	if strings.Contains(maker.body, "Shred this document") {
		w.Error("evidence is offered for shredding")
	}
}

// TestRolesAndRevocation: a maker does not approve by posting the form, and who
// was revoked or suspended while logged in does nothing more, signed or not.
func TestRolesAndRevocation(t *testing.T) {
	w := newTown(t)
	maker, checker := w.logsIn("maker"), w.logsIn("checker")
	payments := []tape.Payment{{Amount: yuan(100), Line: "a", To: family}}
	job, chunks, err := tape.NewJob(speech, "d1", tape.Instant(w.network.Clock().UnixMilli())+10*tape.Day, [][]tape.Payment{payments})
	made(w.ledger, job, err)
	w.charity("Fund:Propose", w.by("checker", "propose", 100, fund.Propose{Account: speech, Amount: job.Amount, Chunks: 1, Count: 1, Expires: job.Expires, ID: "d1", Line: "training", Root: job.Root}))
	w.charity("Fund:List", fund.List{Account: speech, Disbursement: "d1", ID: "list-1", Lines: payments, Path: chunks[0].Path})
	w.follow()
	page := "/en/disbursements/" + string(speech) + "/d1"
	maker.request(http.MethodGet, page, nil)
	maker.posts(page + "/approve")
	maker.reads("This was not done", "This page is for checker")
	envelope := func(command any) any {
		return struct {
			Command any            `json:"command"`
			Intents []party.Intent `json:"intents"`
		}{command, []party.Intent{}}
	}
	checker.request(http.MethodGet, page, nil)
	w.charity("Party:Suspend", envelope(party.SuspendCommand{Address: sign.Address(w.key("checker")), ID: "stop", Person: "checker"}))
	w.charity("Party:Revoke", envelope(party.RevokeCommand{ID: "end", Person: "maker"}))
	w.follow()
	checker.posts(page + "/order")
	checker.reads("This was not done", "was suspended on")
	maker.request(http.MethodGet, page, nil)
	maker.posts(page + "/order")
	maker.reads("This was not done", "was revoked on")
	if len(w.carried) != 0 {
		t.Errorf("carried: %v", w.carried)
	}
}

// TestSecondOrganisation: above the threshold the work list of another
// organisation shows what waits for it, the charity's says so, and an order rests
// on the approvals whose keys are in force.
func TestSecondOrganisation(t *testing.T) {
	w := newTown(t)
	policy := party.DefaultPolicy(party.Threshold{Amount: yuan(5_000), Organisations: 2})
	policy.Persons = party.PersonPolicy{}
	for _, organisation := range []string{"charity", "coop"} {
		w.as(organisation, "admin", "Party:Vote", party.VoteCommand{Change: party.Change{Policy: &policy}, ID: "vote", Proposal: "lower"})
	}
	proof, err := sign.Possession(w.key("officer"), party.LedgerID{9}, party.Possession{Person: "officer", Custody: party.Own, Duty: party.DutyStaff, Organisation: "coop", Registrar: "bank"})
	made(w.ledger, proof, err)
	w.bank("Party:Register", party.RegisterCommand{Address: sign.Address(w.key("officer")), Custody: party.Own, Duty: party.DutyStaff, ID: "register-officer", Organisation: "coop", Person: "officer", Proof: proof})
	w.as("coop", "gateway", "Party:Witness", party.WitnessCommand{Address: sign.Address(w.key("officer")), Duty: party.DutyStaff, ID: "witness-officer", Person: "officer"})
	payments := []tape.Payment{{Amount: yuan(6_000), Line: "a", To: family}}
	job, chunks, err := tape.NewJob(speech, "d1", tape.Instant(w.network.Clock().UnixMilli())+10*tape.Day, [][]tape.Payment{payments})
	made(w.ledger, job, err)
	w.charity("Fund:Propose", w.by("maker", "propose", 6_000, fund.Propose{Account: speech, Amount: job.Amount, Chunks: 1, Count: 1, Expires: job.Expires, ID: "d1", Line: "training", Root: job.Root}))
	w.charity("Fund:List", fund.List{Account: speech, Disbursement: "d1", ID: "list-1", Lines: payments, Path: chunks[0].Path})
	kinds := func(organisation string) string {
		w.follow()
		items, err := trail.Trail{Model: w.model, Now: w.network.Clock}.Work(t.Context(), organisation)
		made(w.ledger, items, err)
		var all []string
		for _, item := range items {
			if item.ID == "d1" {
				all = append(all, string(item.Kind))
			}
		}
		return strings.Join(all, " ")
	}
	approve := func(organisation string, person tape.ID) {
		w.as(organisation, "gateway", "Fund:Approve", w.by(person, "approve", 6_000, fund.Approve{Account: speech, Disbursement: "d1", ID: "ok-" + person}))
	}
	expect := func(what, charity, coop string) {
		if own, other := kinds("charity"), kinds("coop"); own != charity || other != coop {
			t.Errorf("%s: the charity's list says %q, the other's %q; want %q and %q", what, own, other, charity, coop)
		}
	}
	expect("proposed", "other", "approve")
	approve("charity", "checker")
	expect("approved by the charity", "other", "approve")
	approve("coop", "officer")
	expect("approved by both", "order", "")
	maker := w.logsIn("maker")
	w.charity("Party:Suspend", struct {
		Command party.SuspendCommand `json:"command"`
		Intents []party.Intent       `json:"intents"`
	}{party.SuspendCommand{Address: sign.Address(w.key("checker")), ID: "stop", Person: "checker"}, []party.Intent{}})
	w.follow()
	page := "/en/disbursements/" + string(speech) + "/d1"
	maker.request(http.MethodGet, page, nil)
	maker.posts(page + "/order")
	if d, err := w.model.Disbursement(t.Context(), speech, "d1"); err != nil || d.State != readmodel.InPayment {
		t.Errorf("ordered on the approval of the officer: %s, %v\n%s", d.State, err, maker.body)
	}
}

// TestFormsOfOthers: a form without the token of its session, or of a stranger, does nothing.
func TestFormsOfOthers(t *testing.T) {
	w := newTown(t)
	path, payee := "/en/campaigns/"+string(speech)+"/acts/raise-flag", "/en/payees/"+string(speech)+"/"+string(family)
	stranger := &visitor{town: w}
	stranger.posts(path, "payee", string(family), "reason", "complaint")
	stranger.reads("Log in")
	maker := w.logsIn("maker")
	maker.body = ""
	maker.posts(path, "payee", string(family), "reason", "complaint")
	maker.reads("This was not done", "This form did not come from a page of yours")
	maker.asks("raise-flag", "payee", string(family), "reason", "cleared")
	maker.reads("cleared is the reason of a flag that is lifted")
	child := w.logsIn("child")
	child.posts(path, "payee", string(family), "reason", "complaint")
	child.reads("This was not done", "This page is for maker, checker")
	if len(w.carried) != 0 {
		t.Errorf("carried: %v", w.carried)
	}
	maker.request(http.MethodGet, payee, nil)
	maker.reads("/acts/raise-flag?payee="+url.QueryEscape(string(family)), "/acts/call-back?payee=")
	maker.asks("raise-flag", "payee", string(family), "reason", "complaint")
	maker.signs("maker")
	maker.request(http.MethodGet, payee, nil)
	maker.reads("Payouts are stopped by a flag", "a complaint", "/acts/lift-flag?payee=")
	if stranger.request(http.MethodGet, payee, nil); strings.Contains(stranger.body, "/acts/") {
		t.Error("a stranger is led to forms")
	}
}

// TestStopped: a flagged payee of a disbursement is named, and a maker is led
// to give up what cannot be paid; who looks on is not.
func TestStopped(t *testing.T) {
	w := newTown(t)
	payments := []tape.Payment{{Amount: yuan(100), Line: "a", To: family}, {Amount: yuan(200), Line: "b", To: shop}}
	job, chunks, err := tape.NewJob(speech, "d1", tape.Instant(w.network.Clock().UnixMilli())+10*tape.Day, [][]tape.Payment{payments})
	made(w.ledger, job, err)
	w.charity("Fund:Propose", w.by("maker", "propose", 300, fund.Propose{Account: speech, Amount: job.Amount, Chunks: 1, Count: 2, Expires: job.Expires, ID: "d1", Line: "training", Root: job.Root}))
	w.charity("Fund:List", fund.List{Account: speech, Disbursement: "d1", ID: "list-1", Lines: payments, Path: chunks[0].Path})
	w.charity("Fund:Approve", w.by("checker", "approve", 300, fund.Approve{Account: speech, Disbursement: "d1", ID: "ok-1"}))
	maker := w.logsIn("maker")
	w.follow()
	page, give := "/en/disbursements/"+string(speech)+"/d1", "/acts/abandon-disbursement?disbursement=d1"
	maker.request(http.MethodGet, page, nil)
	maker.posts(page + "/order")
	if strings.Contains(maker.body, give) {
		t.Error("it is to be given up although nobody is flagged")
	}
	w.charity("Fund:SetFlag", w.by("checker", "set-flag", 0, fund.SetFlag{Account: speech, ID: "flag-1", Payee: shop, Raise: true, Reason: "complaint"}))
	w.follow()
	public := &visitor{town: w}
	for _, v := range []*visitor{public, maker} {
		v.request(http.MethodGet, page, nil)
		v.reads("A flag stops payouts to payees of this disbursement", string(shop), "2.00 CNY", "a complaint")
	}
	if maker.reads(give); strings.Contains(public.body, give) {
		t.Error("a stranger is led to give it up")
	}
	maker.request(http.MethodGet, "/en/work", nil)
	maker.reads(give, string(shop))
	maker.request(http.MethodGet, page, nil)
	maker.posts(page + "/pay")
	maker.reads("This was not done", "flag")
	maker.request(http.MethodGet, "/en/campaigns/"+string(speech)+give, nil)
	maker.reads(`value="d1"`)
}

// TestOrderRechecks: an approval whose key no longer holds is no approval on the work list.
func TestOrderRechecks(t *testing.T) {
	w := newTown(t)
	payments := []tape.Payment{{Amount: yuan(100), Line: "a", To: family}}
	job, chunks, err := tape.NewJob(speech, "d1", tape.Instant(w.network.Clock().UnixMilli())+10*tape.Day, [][]tape.Payment{payments})
	made(w.ledger, job, err)
	w.charity("Fund:Propose", w.by("maker", "propose", 100, fund.Propose{Account: speech, Amount: job.Amount, Chunks: 1, Count: 1, Expires: job.Expires, ID: "d1", Line: "training", Root: job.Root}))
	w.charity("Fund:List", fund.List{Account: speech, Disbursement: "d1", ID: "list-1", Lines: payments, Path: chunks[0].Path})
	w.charity("Fund:Approve", w.by("checker", "approve", 100, fund.Approve{Account: speech, Disbursement: "d1", ID: "ok-1"}))
	for _, want := range []trail.WorkKind{trail.WorkOrder, trail.WorkApprove} {
		w.follow()
		items, err := trail.Trail{Model: w.model, Now: w.network.Clock}.Work(t.Context(), "charity")
		made(w.ledger, items, err)
		if i := slices.IndexFunc(items, func(item trail.Work) bool { return item.ID == "d1" }); i < 0 || items[i].Kind != want {
			t.Errorf("the list says %+v, not %s", items, want)
		}
		if want == trail.WorkOrder {
			w.charity("Party:Suspend", struct {
				Command party.SuspendCommand `json:"command"`
				Intents []party.Intent       `json:"intents"`
			}{party.SuspendCommand{Address: sign.Address(w.key("checker")), ID: "stop", Person: "checker"}, []party.Intent{}})
		}
	}
}

// TestPublications: a publication is added up again at its own block; what is
// written about its last day afterwards changes nothing, and hides nothing.
func TestPublications(t *testing.T) {
	w := newTown(t)
	maker := w.logsIn("maker")
	maker.request(http.MethodGet, "/en/me", nil)
	maker.posts("/en/campaigns/"+string(speech)+"/publish", "duty", "other")
	maker.signs("maker")
	maker.reads("Done: it stands on the ledger.")
	h := w.handler
	page := loaded[views.PublicationPage](t, h, func(p *portal) load { return p.publication }, "/", "account", string(speech), "n", "1")
	if page.Recount != views.RecountEqual || !page.Kept || page.Figures[0].Here != yuan(35_000) || len(page.Lines) != 2 || len(page.Months) != 1 || page.Document != "/api/v1/publications/"+page.Hash {
		t.Errorf("the publication: %+v", page)
	}
	for path, code := range map[string]int{"1": 200, "2": 404, "0": 400, "01": 400, "x": 400} {
		if answer := get(t, h, "/en/publications/"+string(speech)+"/"+path); answer.Code != code {
			t.Errorf("publication %s: %d", path, answer.Code)
		}
	}
	maker.request(http.MethodGet, "/en/campaigns/"+string(speech), nil)
	maker.reads("Publication of its own accord, 1 Dec 2025 to ")
	gifts, _ := giftsOf(70, 500)
	w.charity("Tape:Receive", tape.Receive{Account: speech, ID: "page-2", Count: 1, Total: yuan(500), Gifts: gifts})
	w.follow()
	if page = loaded[views.PublicationPage](t, h, func(p *portal) load { return p.publication }, "/", "account", string(speech), "n", "1"); page.Recount != views.RecountEqual || page.Figures[0].Here != yuan(35_000) {
		t.Errorf("after another gift: %s %s", page.Recount, page.Figures[0].Here)
	}
	for name, change := range map[string]func(*fund.Publication){"a wrong figure": func(p *fund.Publication) { p.Figures.Raised = yuan(35_500) },
		"an older block": func(p *fund.Publication) { p.Block = 3 }, "its own block": func(p *fund.Publication) { p.Block = int32(w.network.Height()) },
		"another last day": func(p *fund.Publication) { p.To = "2025-12-01" }} {
		frozen, err := fundPublication(w)
		made(w.ledger, frozen, err)
		change(&frozen)
		var wrong views.PublicationPage
		if err := h.(*portal).recount(t.Context(), &wrong, frozen, uint64(w.network.Height())); err != nil || wrong.Recount != views.RecountDiffers {
			t.Errorf("%s is %s: %v", name, wrong.Recount, err)
		}
	}
}

func fundPublication(w *town) (fund.Publication, error) {
	list, err := w.model.Publications(w.Context(), speech)
	if err == nil && len(list) != 1 {
		err = fmt.Errorf("%d publications", len(list))
	}
	return list[0], err
}

// TestOrganisation: the years of an organisation, and one without campaigns.
// TestExports: the page compares bank, ledger, pages and exports, and leads to each file.
func TestExports(t *testing.T) {
	w := newTown(t)
	page := loaded[views.Books](t, w.handler, func(p *portal) load { return p.books }, "/", "account", string(speech))
	if !page.Agrees || len(page.Equalities) != len(books.EqualityKeys()) || page.Equalities[0].Left != yuan(35_000) || page.Block == 0 {
		t.Errorf("the books: %+v", page)
	}
	for path, code := range map[string]int{string(speech): 200, "charity:none:none": 404, "x": 400} {
		answer := get(t, w.handler, "/zh-CN/campaigns/"+path+"/books")
		if answer.Code != code {
			t.Errorf("%s: %d", path, answer.Code)
		}
		if code == 200 && (!strings.Contains(answer.Body.String(), "/api/v1/campaigns/"+path+"/exports/iati.xml") || !strings.Contains(answer.Body.String(), "/exports/confirmations.csv")) {
			t.Errorf("the page leads to no files: %s", answer.Body)
		}
	}
	if text := get(t, w.handler, "/en/campaigns/"+string(speech)).Body.String(); !strings.Contains(text, "/en/campaigns/"+string(speech)+"/books") {
		t.Error("the campaign's page does not lead to its books")
	}
}

func TestOrganisation(t *testing.T) {
	w := newTown(t)
	page := loaded[views.Organisation](t, w.handler, func(p *portal) load { return p.organisation }, "/", "organisation", "charity")
	if len(page.Years) != 1 || page.Years[0].Income != yuan(35_000) || len(page.Years[0].Ratios) != 2 || !page.Years[0].Ratios[0].Nothing {
		t.Errorf("the years: %+v", page.Years)
	}
	for path, code := range map[string]int{"charity": 200, "coop": 200, "UPPER": 400} {
		if answer := get(t, w.handler, "/zh-CN/organisations/"+path); answer.Code != code {
			t.Errorf("%s: %d", path, answer.Code)
		}
	}
}

// TestPaymentsFromFiles: a file of payments is read strictly.
func TestPaymentsFromFiles(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"payee,amount\n" + string(family) + ",60.00\n" + string(shop) + ",\"1,000.00 CNY\"\n", "60.00 CNY 1000.00 CNY"},
		{"\ufeff" + string(family) + ",1\n", "1.00 CNY"}, {string(family) + ",\"1,50\"\n", "field payment 1.amount: "}, {string(family) + "\n", "each line is payee,amount"},
		{"nobody,1.00\n", "field payment 1.payee: "}, {string(family) + ",0.00\n", "field payment 1.amount: "}, {string(family) + ",1.00 VND\n", "field payment 1.amount: "},
	} {
		rows, err := csvRows([]byte(c.text))
		var got []string
		for i, row := range rows {
			var payment tape.Payment
			if payment, err = paymentOf(row, i+1, "CNY"); err != nil {
				err = rule.Field(fmt.Sprintf("payment %d", i+1), err)
				break
			}
			got = append(got, payment.Amount.String())
		}
		answer := strings.Join(got, " ")
		if err != nil {
			answer = err.Error()
		}
		if !strings.Contains(answer, c.want) {
			t.Errorf("%q: %s, not %s", c.text, answer, c.want)
		}
	}
}
