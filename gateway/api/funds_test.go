package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/client"
	"github.com/lianbao/lianbao/gateway/disclosure"
	"github.com/lianbao/lianbao/gateway/document"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/export/books"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

const campaign = "charity:sunrise:speech"

func yuan(units int64) money.Amount { return money.New(units, "CNY") }

// collects opens a campaign under an agreement, and settles one gift of 100.00 CNY
// that no line of the bank shows: two persons declare it, the charity alone cannot.
func (w *world) collects() client.Acceptance {
	w.Helper()
	charity := w.gateways["charity"]
	plan := fund.Plan{Area: "CN-53", Beneficiaries: fund.Text{En: "30 children"}, Donors: []tape.ID{"giver"}, From: "2025-12-01", To: "2026-12-31", Goal: yuan(100000),
		Leftover: "charity:sunrise:children", ManagementPartsPerMillion: 100_000, Purpose: fund.Text{En: "Speech training"}, Regulator: "bank", Sector: "12220",
		Title: fund.Text{En: "Speech"}, Lines: []fund.BudgetLine{{Amount: yuan(100000), ID: "training", Kind: fund.Programme, Title: fund.Text{En: "Training"}}}}
	opening := fund.OpenCampaign{Account: campaign, Basis: fund.Agreement, Custodian: custody, ID: "open-campaign", Plan: plan}
	w.send(charity, "Fund:OpenCampaign", w.signedAs("open-campaign", campaign, "0.00 CNY", opening, "maker", "checker"))
	all, err := charity.client.Gifts(w.Context(), campaign, client.Gift{ID: "GIFT-1", Amount: "100.00 CNY"})
	given := done(charity, all, err)
	if _, err := charity.client.Settle(w.Context(), campaign, client.Item{Source: given.Command, SelfDeclared: true}); err == nil || !strings.Contains(err.Error(), "settles there by Declare") {
		w.Fatalf("one word settles a campaign's page: %v", err)
	}
	return w.send(charity, "Fund:Declare", w.signedAs("declare", campaign, "100.00 CNY", fund.Declare{Account: campaign, ID: "declare-1", Page: tape.ID(given.Command)}, "maker", "checker"))
}

func (w *world) send(g *gateway, function string, argument []byte) client.Acceptance {
	w.Helper()
	a, err := g.client.Submit(w.Context(), function, argument)
	if err != nil || !a.Done() {
		w.Fatalf("%s: %+v, %v", function, a, err)
	}
	return a
}

// TestCampaignSheet: the sums, the clock and a publication that others can check.
func TestCampaignSheet(t *testing.T) {
	w := newWorld(t)
	settled := w.collects()
	charity := w.gateways["charity"]
	sheet := read[disclosure.Sheet](charity, settled, path("campaigns", campaign))
	if sheet.Sums.Settled != yuan(10000) || sheet.Sums.Gifts != 1 || sheet.Sums.Declared != yuan(10000) || sheet.Cap != yuan(0) || // what only the charity declares feeds no management
		len(sheet.Clock) == 0 || sheet.Lines[0].ID != "training" {
		t.Errorf("the sheet: %+v", sheet)
	}
	var draft struct {
		Document string       `json:"document"`
		Command  fund.Publish `json:"command"`
	}
	// The network in memory begins on 1 January 2026; the gateway's clock is today's.
	ask := map[string]string{"duty": "progress", "from": "2025-12-01", "to": "2026-01-01"}
	if err := charity.client.Post(t.Context(), path("campaigns", campaign, "publications"), ask, &draft); err != nil {
		t.Fatal(err)
	}
	status, _, text := charity.request(http.MethodGet, path("publications", draft.Document), "", nil)
	digest := sha256.Sum256([]byte(text))
	if status != http.StatusOK || hex.EncodeToString(digest[:]) != draft.Document || draft.Command.Document.String() != draft.Document {
		t.Fatalf("the document is not what its hash says: %d %s", status, text)
	}
	published := w.send(charity, "Fund:Publish", w.signedAs("publish", campaign, "0.00 CNY", draft.Command, "maker"))
	list := read[[]fund.Publication](charity, published, path("campaigns", campaign, "publications"))
	if len(list) != 1 || list[0].Figures.Settled != yuan(10000) || list[0].Document.String() != draft.Document {
		t.Errorf("published: %+v", list)
	}
	if status, _, text := charity.request(http.MethodGet, path("publications", strings.Repeat("0", 64)), "", nil); status != http.StatusNotFound {
		t.Errorf("a document that nobody published: %d %s", status, text)
	}
}

// TestDocuments: evidence is kept, cited, given to its owner only, and shredded.
func TestDocuments(t *testing.T) {
	w := newWorld(t)
	w.collects()
	charity := w.gateways["charity"]
	const invoice = "Invoice 7\nspeech training, 100.00 CNY\n"
	status, _, text := charity.request(http.MethodPost, path("documents?kind=invoice"), invoice, map[string]string{"Content-Type": "text/plain"})
	var citation document.Citation
	if err := json.Unmarshal([]byte(text), &citation); status != http.StatusCreated || err != nil {
		t.Fatalf("%d %s %v", status, text, err)
	}
	cite := fund.Cite{Account: campaign, Evidence: []fund.Citation{{Hash: merkle.Hash(citation.Hash), Kind: "invoice"}}, For: "charity/open-campaign", ID: "cite-1"}
	cited := w.send(charity, "Fund:Cite", w.signedAs("cite", campaign, "0.00 CNY", cite, "maker"))
	read[readmodel.Campaign](charity, cited, path("campaigns", campaign))
	for name, c := range map[string]struct {
		method, path string
		header       map[string]string
		status       int
	}{
		"read without the token": {http.MethodGet, path("documents", citation.ID), nil, http.StatusUnauthorized},
		"another kind":           {http.MethodPost, path("documents?kind=gossip"), nil, http.StatusUnprocessableEntity},
		"no document":            {http.MethodGet, path("documents", strings.Repeat("0", 32)), map[string]string{"Authorization": "Bearer " + secret}, http.StatusNotFound},
		"HTML":                   {http.MethodPost, path("documents?kind=other"), map[string]string{"Content-Type": "text/html"}, http.StatusUnprocessableEntity},
	} {
		if status, _, text := charity.request(c.method, c.path, "<p>", c.header); status != c.status {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	own := map[string]string{"Authorization": "Bearer " + secret}
	status, header, text := charity.request(http.MethodGet, path("documents", citation.ID), "", own)
	if status != http.StatusOK || text != invoice {
		t.Errorf("%d %q", status, text)
	}
	var salt document.Salt
	if err := salt.UnmarshalText([]byte(header.Get(document.SaltHeader))); err != nil {
		t.Fatal(err)
	}
	if err := document.Verify(citation, salt, bytes.NewReader([]byte(text))); err != nil {
		t.Errorf("what was given out is not what was cited: %v", err)
	}
	if status, _, text := charity.request(http.MethodDelete, path("documents", citation.ID), "", own); status != http.StatusConflict || !strings.Contains(text, "is cited by entry charity/cite-1 and kept until 20") || !strings.Contains(text, "-12-31") {
		t.Errorf("shredding what is cited: %d %s", status, text)
	}
	if status, _, text := charity.request(http.MethodDelete, path("documents", citation.ID+"?reason=mood"), "", own); status != http.StatusUnprocessableEntity {
		t.Errorf("shredding for another reason: %d %s", status, text)
	}
	if status, _, text := charity.request(http.MethodGet, path("documents", citation.ID), "", own); status != http.StatusOK || text != invoice {
		t.Errorf("after two refusals: %d %q", status, text)
	}
	if disposition := header.Get("Content-Disposition"); !strings.Contains(disposition, "filename=invoice-"+citation.Hash.String()[:8]) {
		t.Errorf("it is handed out as %q", disposition)
	}
	var twice [2]string
	for i := range twice {
		_, _, twice[i] = charity.request(http.MethodPost, path("documents?kind=invoice"), "Sent twice\n", map[string]string{"Content-Type": "text/plain", "Idempotency-Key": "sending-1"})
	}
	if twice[0] != twice[1] || !strings.Contains(twice[0], "hash") {
		t.Errorf("one sending is kept as %s and as %s", twice[0], twice[1])
	}
	status, _, text = charity.request(http.MethodPost, path("documents?kind=invoice"), "Never cited\n", map[string]string{"Content-Type": "text/plain"})
	var uncited document.Citation
	if err := json.Unmarshal([]byte(text), &uncited); status != http.StatusCreated || err != nil {
		t.Fatalf("%d %s %v", status, text, err)
	}
	const family, about = "outside:household:ddbbcoobeooegjmdolfcpojadccomibn", "documents?kind=photo&about=outside:household:ddbbcoobeooegjmdolfcpojadccomibn"
	status, _, text = charity.request(http.MethodPost, path(about), "A face\n", map[string]string{"Content-Type": "text/plain"})
	var photo document.Citation
	if err := json.Unmarshal([]byte(text), &photo); status != http.StatusCreated || err != nil {
		t.Fatalf("%d %s %v", status, text, err)
	}
	if status, _, text := charity.request(http.MethodGet, path("documents?about="+family), "", own); status != http.StatusOK || !strings.Contains(text, photo.ID) || strings.Contains(text, uncited.ID) {
		t.Errorf("about a payee: %d %s", status, text)
	}
	if status, _, text := charity.request(http.MethodGet, path("documents?about=Chen"), "", own); status != http.StatusUnprocessableEntity || strings.Contains(text, "Chen") {
		t.Errorf("about a name: %d %s", status, text)
	}
	if status, _, _ := charity.request(http.MethodGet, path("documents?about="+family), "", nil); status != http.StatusUnauthorized {
		t.Errorf("without the token: %d", status)
	}
	if status, _, text := charity.request(http.MethodDelete, path("documents", uncited.ID), "", own); status != http.StatusNoContent {
		t.Errorf("shredding what nobody cites: %d %s", status, text)
	}
	if status, _, text := charity.request(http.MethodDelete, path("documents", citation.ID+"?reason=personal-data"), "", own); status != http.StatusNoContent {
		t.Errorf("shredding: %d %s", status, text)
	}
	if status, _, text := charity.request(http.MethodGet, path("documents", citation.ID), "", own); status == http.StatusOK || strings.Contains(text, "Invoice") {
		t.Errorf("after shredding: %d %s", status, text)
	}
}

// TestExports: tables stream, the activity stands whole, what is no campaign or no table is refused.
func TestExports(t *testing.T) {
	w := newWorld(t)
	settled := w.collects()
	charity := w.gateways["charity"]
	read[readmodel.Campaign](charity, settled, path("campaigns", campaign))
	status, header, text := charity.request(http.MethodGet, path("campaigns", campaign, "exports", "gifts.csv"), "", nil)
	if status != http.StatusOK || !strings.Contains(text, "100.00") || !strings.HasPrefix(header.Get("Content-Type"), "text/csv") || !strings.Contains(header.Get("Content-Disposition"), "gifts.csv") {
		t.Errorf("%d %v %s", status, header, text)
	}
	w.send(charity, "Fund:RecordPledge", encoded(t, fund.RecordPledge{Account: campaign, Amount: yuan(5000), Due: "2026-06-30", ID: "pledge-1"}))
	goods := fund.ReceiveGoods{Account: campaign, ID: "goods-1", Item: "=books", Quantity: 30, Unit: "pieces"}
	w.send(charity, "Fund:ReceiveGoods", w.signedAs("receive-goods", campaign, "0.00 CNY", goods, "maker"))
	enrol := fund.Enrol{Account: campaign, ID: "enrol-1", Payees: []fund.NewPayee{{Kind: fund.Household, Payee: "outside:household:ddbbcoobeooegjmdolfcpojadccomibn"}}}
	enrolled := w.send(charity, "Fund:Enrol", w.signedAs("enrol", campaign, "0.00 CNY", enrol, "maker"))
	read[readmodel.Campaign](charity, enrolled, path("campaigns", campaign))
	rows := map[string]string{"budget": "training,programme,Training,,1000.00,CNY,0.00,CNY", "pledges": "pledge-1,50.00,CNY,2026-06-30,open,", "goods": "goods-1,'=books,pieces,30,0,",
		"payees": "household,household,false,,,charity/enrol-1", "entries": "receive-goods"}
	for _, table := range books.Tables() {
		status, _, text := charity.request(http.MethodGet, path("campaigns", campaign, "exports", table+".csv"), "", nil)
		if status != http.StatusOK || !strings.Contains(text, rows[table]) || !strings.Contains(text, "\n") {
			t.Errorf("%s: %d %s", table, status, text)
		}
	}
	figures := read[books.Reconciliation](charity, enrolled, path("campaigns", campaign, "reconciliation"))
	if !figures.Agrees() || len(figures.Equalities) != len(books.EqualityKeys()) || figures.Page.Settled != yuan(10000) {
		t.Errorf("bank, chain, pages and export: %+v", figures)
	}
	for _, file := range books.Standards() {
		if status, _, text := charity.request(http.MethodGet, path("campaigns", campaign, "exports", file), "", nil); status != http.StatusConflict || !strings.Contains(text, "charity has not said how it is registered") {
			t.Errorf("%s of nobody: %d %s", file, status, text)
		}
	}
	naming := fund.NamePublisher{ID: "name-1", Organisation: "charity", Imprint: fund.Imprint{Identifier: "XE-EXAMPLE-1", Kind: "foundation", Language: "zh", Name: fund.Text{Zh: "旭日（虚构）"}, Prefix: "360G-example", Type: "22"}}
	named := w.send(charity, "Fund:NamePublisher", w.signedAs("name-publisher", "charity", "", naming, "maker", "checker"))
	w.oneIdentity(named)
	if years := read[[]disclosure.Annual](charity, named, path("organisations", "charity", "years")); len(years) != 1 || years[0].Kind != "foundation" || years[0].Unstated || len(years[0].Ratios) != 0 {
		t.Errorf("a foundation without the right to raise money publicly: %+v", years)
	}
	if status, _, text := charity.request(http.MethodGet, path("campaigns", campaign, "exports", "360giving.json"), "", nil); status != http.StatusConflict && status != http.StatusNotFound && status != http.StatusUnprocessableEntity {
		t.Errorf("a package without grants: %d %s", status, text)
	}
	status, _, text = charity.request(http.MethodGet, path("campaigns", campaign, "exports", "iati.xml"), "", nil)
	if status != http.StatusOK || !strings.Contains(text, `<value currency="CNY" value-date="2026-01-01">100.00</value>`) || !strings.HasSuffix(strings.TrimSpace(text), "</iati-activities>") {
		t.Errorf("%d %s", status, text)
	}
	if status, _, text := charity.request(http.MethodGet, path("campaigns", "charity:sunrise:nothing", "exports", "iati.xml"), "", nil); status != http.StatusNotFound || strings.Contains(text, "<iati") {
		t.Errorf("an account that is no campaign: %d %s", status, text)
	}
	if status, _, text := charity.request(http.MethodGet, path("campaigns", campaign, "exports", "secrets.csv"), "", nil); status != http.StatusNotFound || !strings.Contains(text, "gifts.csv") {
		t.Errorf("no such table: %d %s", status, text)
	}
}

// TestOrdersForTheBank: what waits for the bank stands in its file with the
// reference by which a line names it, and is found by that reference.
func TestOrdersForTheBank(t *testing.T) {
	w := newWorld(t)
	settled := w.collects()
	charity := w.gateways["charity"]
	given := read[readmodel.List[readmodel.Gift]](charity, settled, path("accounts", campaign, "gifts")).Items[0]
	gift := tape.Gift{ID: given.ID, Amount: given.Amount, Donor: given.Donor, Reference: given.Reference}
	proof, err := tape.NewGiftProof(given.Page, []tape.Gift{gift}, 0)
	if err != nil {
		t.Fatal(err)
	}
	refund := tape.Refund{Account: campaign, Expires: given.At + 30*tape.Day, Gift: proof, ID: "refund-1", To: gift.Giver()}
	ordered := w.send(charity, "Tape:Refund", w.signedAs("refund", campaign, "100.00 CNY", refund, "maker", "checker"))
	reference := donation.ReferenceOfPayout(campaign, "refund-1")
	found := read[[]readmodel.Referenced](charity, ordered, path("payouts", "references")+"?reference="+string(reference)+","+string(donation.ReferenceOfFile(campaign, "d1", 0)))
	if len(found) != 2 || len(found[0].Payouts) != 1 || found[0].Payouts[0].ID != "refund-1" || len(found[1].Payouts) != 0 {
		t.Errorf("the references name %+v", found)
	}
	status, _, text := charity.request(http.MethodGet, path("campaigns", campaign, "orders.csv"), "", nil)
	if want := string(reference) + ",100.00,CNY," + string(gift.Giver()) + ",refund-1,,,"; status != http.StatusOK || !strings.Contains(text, want) || !strings.Contains(text, "expires,flagged,flaggedSince") {
		t.Errorf("%d %s", status, text)
	}
	for address, want := range map[string]int{
		path("campaigns", "charity:sunrise:nothing", "orders.csv"):          http.StatusNotFound,
		path("campaigns", campaign, "orders.csv") + "?disbursement=nothing": http.StatusNotFound,
		path("payouts", "references") + "?reference=RF00":                   http.StatusUnprocessableEntity,
	} {
		if status, _, text := charity.request(http.MethodGet, address, "", nil); status != want {
			t.Errorf("%s: %d %s", address, status, text)
		}
	}
}

// TestReadsOfACampaign: what stands about a refund that was ordered, about two
// payees of one device, and about persons, is read by its own address.
func TestReadsOfACampaign(t *testing.T) {
	w := newWorld(t)
	settled := w.collects()
	charity := w.gateways["charity"]
	given := read[readmodel.List[readmodel.Gift]](charity, settled, path("accounts", campaign, "gifts")).Items[0]
	gift := tape.Gift{ID: given.ID, Amount: given.Amount, Donor: given.Donor, Reference: given.Reference}
	proof, err := tape.NewGiftProof(given.Page, []tape.Gift{gift}, 0)
	if err != nil {
		t.Fatal(err)
	}
	device := strings.Repeat("A", 22)
	one, two := tape.AccountID("outside:household:ddbbcoobeooegjmdolfcpojadccomibn"), tape.AccountID("outside:household:nhihciebdimchphmfcgcmmnjkhlpglbi")
	enrol := fund.Enrol{Account: campaign, ID: "enrol-1", Payees: []fund.NewPayee{{Kind: fund.Household, Payee: one, Device: device}, {Kind: fund.Household, Payee: two, Device: device}}}
	w.send(charity, "Fund:Enrol", w.signedAs("enrol", campaign, "0.00 CNY", enrol, "maker"))
	job, _, err := tape.NewJob(campaign, "d1", given.At+30*tape.Day, [][]tape.Payment{{{Amount: yuan(100), Line: "a", To: one}}})
	if err != nil {
		t.Fatal(err)
	}
	propose := fund.Propose{Account: campaign, Amount: job.Amount, Chunks: 1, Count: 1, Expires: job.Expires, ID: "d1", Line: "training", Root: job.Root}
	w.send(charity, "Fund:Propose", w.signedAs("propose", campaign, "1.00 CNY", propose, "maker"))
	refund := tape.Refund{Account: campaign, Expires: given.At + 30*tape.Day, Gift: proof, ID: "refund-1", To: gift.Giver()}
	last := w.send(charity, "Tape:Refund", w.signedAs("refund", campaign, "100.00 CNY", refund, "maker", "checker"))
	read[readmodel.Campaign](charity, last, path("campaigns", campaign))
	for address, want := range map[string]string{
		path("accounts", campaign, "reversals"):                            `"kind":"refund"`,
		path("accounts", campaign, "sources", string(given.Page)):          `"code":"forbidden"`, // one word did not settle it
		path("accounts", campaign, "processors"):                           `"items":[]`,
		path("campaigns", campaign, "flows"):                               `"100.00 CNY"`,
		path("campaigns", campaign, "suspicions"):                          `"kind":"device","value":"AAAAAAAAAAAAAAAAAAAAAA","count":2`,
		path("organisations", "charity", "years"):                          `"kind":"public-foundation","unstated":true,"year":{"year":"2026","currency":"CNY","income":"10000"`,
		path("disbursements") + "?account=" + campaign + "&state=proposed": `"id":"d1"`,
		path("disbursements") + "?account=" + campaign + "&state=closed":   `"items":[]`,
		path("persons") + "?organisation=charity":                          `"id":"maker"`,
		path("persons") + "?witness=charity":                               `"items":[]`,
		path("open-lines") + "?account=" + custody + "&amount=1.00%20CNY":  `"items":[]`,
	} {
		status, _, text := charity.request(http.MethodGet, address, "", nil)
		if status != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: %d does not hold %s: %s", address, status, want, text)
		}
	}
	for address, want := range map[string]int{
		path("accounts", campaign, "pages", string(given.Page), "processor"): http.StatusNotFound,
		path("accounts", campaign, "sources", "nothing"):                     http.StatusNotFound,
		path("disbursements") + "?state=lost":                                http.StatusUnprocessableEntity,
		path("open-lines") + "?amount=much":                                  http.StatusUnprocessableEntity,
	} {
		if status, _, text := charity.request(http.MethodGet, address, "", nil); status != want {
			t.Errorf("%s: %d, want %d: %s", address, status, want, text)
		}
	}
}

// oneIdentity: every gateway's file names the campaign and its organisation alike.
func (w *world) oneIdentity(position client.Acceptance) {
	w.Helper()
	made := regexp.MustCompile(` generated-datetime="[^"]*"`)
	files := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(w.gateways)) {
		gateway := w.gateways[name]
		read[readmodel.Campaign](gateway, position, path("campaigns", campaign))
		_, _, text := gateway.request(http.MethodGet, path("campaigns", campaign, "exports", "iati.xml"), "", nil)
		if text = made.ReplaceAllString(text, ""); !strings.Contains(text, `<reporting-org ref="XE-EXAMPLE-1" type="22">`) || !strings.Contains(text, "<iati-identifier>XE-EXAMPLE-1-"+strings.ReplaceAll(string(campaign), ":", "-")) {
			w.Errorf("the file of %s: %s", name, text)
		}
		files[text] = append(files[text], name)
	}
	if len(w.gateways) < 2 || len(files) != 1 {
		w.Errorf("%d gateways write %d files: %v", len(w.gateways), len(files), slices.Collect(maps.Values(files)))
	}
}

// TestHarvestExport: what is agreed about a harvest makes a document before there is a lot; what cannot be named outside is refused.
func TestHarvestExport(t *testing.T) {
	w := newWorld(t)
	const scheme = tape.AccountID("coop:moon:coffee")
	w.enlist("coop-maker", "coop", party.DutyStaff)
	coop := w.gateways["coop"]
	w.must("coop", "gateway", "Tape:Open", tape.Open{Account: scheme, Attribution: tape.FIFO, Currency: "CNY", Custodian: "outside:bank:moon", ID: "open-coffee"})
	agree := harvest.Agree{Account: scheme, ID: "agree-1", Agreement: harvest.Agreement{Commodity: "coffee", Forms: []harvest.Form{{Form: "cherry", Grades: []string{"ripe"}}}, Stores: []harvest.Store{{Organisation: "coop", Store: "mill"}}}}
	agreed := w.send(coop, "Harvest:Agree", w.signedAs("agree", scheme, "", agree, "coop-maker", "maker"))
	read[readmodel.Account](coop, agreed, path("accounts", string(scheme)))
	if terms := read[harvest.Terms](coop, agreed, path("schemes", string(scheme), "harvest")); terms.Agreement.Commodity != "coffee" || terms.Version != 1 {
		t.Errorf("what is agreed: %+v", terms)
	}
	for _, list := range []string{"lots", "steps", "moves", "sales", "lots/l1/households", "sales/s1/households"} {
		if status, _, text := coop.request(http.MethodGet, path("schemes", string(scheme), list), "", nil); status != http.StatusOK || !strings.Contains(text, `"items":[]`) {
			t.Errorf("no %s yet: %d %s", list, status, text)
		}
		if status, _, text := coop.request(http.MethodGet, path("schemes", "Chen", list), "", nil); status != http.StatusUnprocessableEntity || strings.Contains(text, "Chen") {
			t.Errorf("%s of no account: %d %s", list, status, text)
		}
	}
	if status, _, text := coop.request(http.MethodGet, path("schemes", "Chen", "harvest"), "", nil); status != http.StatusUnprocessableEntity || strings.Contains(text, "Chen") {
		t.Errorf("a harvest of no account: %d %s", status, text)
	}
	for _, test := range []struct {
		account, query string
		status         int
		says           string
	}{
		{string(scheme), "base=https://moon.example/trace/&gtin=cherry/ripe=04012345111118", http.StatusOK, `"type": "EPCISDocument"`},
		{string(scheme), "base=https://moon.example/trace", http.StatusUnprocessableEntity, "is not an address under which lots are named"},
		{string(scheme), "base=https://moon.example/trace/&households=yes", http.StatusUnprocessableEntity, "households"},
		{string(scheme), "", http.StatusUnprocessableEntity, "is not an address under which lots are named"},
		{string(scheme), "base=https://moon.example/trace/&gtin=cherry", http.StatusUnprocessableEntity, "is not a form and grade with a number"},
		{"coop:moon:tea", "base=https://moon.example/trace/", http.StatusNotFound, "harvest/coop:moon:tea"},
		{"Chen", "base=https://moon.example/trace/", http.StatusUnprocessableEntity, "is not an account"},
	} {
		status, header, text := coop.request(http.MethodGet, path("schemes", test.account, "exports", "epcis.jsonld")+"?"+test.query, "", nil)
		if status != test.status || !strings.Contains(text, test.says) || (status == http.StatusOK) != strings.HasPrefix(header.Get("Content-Type"), "application/ld+json") {
			t.Errorf("%s %s: %d %v %s", test.account, test.query, status, header, text)
		}
	}
}
