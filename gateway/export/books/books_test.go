package books_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/export/books"
	"github.com/lianbao/lianbao/gateway/export/iati"
	"github.com/lianbao/lianbao/gateway/export/judge"
	"github.com/lianbao/lianbao/gateway/export/threesixty"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// facts are canned.
type facts struct {
	campaigns map[tape.AccountID]books.Campaign
	parties   map[tape.AccountID]books.Party
	promises  []books.Promise
}

func (f facts) Campaign(_ context.Context, account tape.AccountID) (books.Campaign, error) {
	if c, known := f.campaigns[account]; known {
		return c, nil
	}
	return books.Campaign{}, rule.Refuse(rule.NotFound, "%s is no campaign's", account)
}

func (f facts) Party(_ context.Context, account tape.AccountID) (books.Party, error) {
	if p, known := f.parties[account]; known {
		return p, nil
	}
	return books.Party{}, rule.Refuse(rule.NotFound, "nothing is published of %s", account)
}

func (f facts) Promises(_ context.Context, account tape.AccountID) ([]books.Promise, error) {
	if account != campaign {
		return nil, rule.Refuse(rule.NotFound, "%s has none", account)
	}
	return f.promises, nil
}

func activity(ref, id, en, zh string) iati.Activity {
	return iati.Activity{Identifier: ref + "-" + id, Reporting: iati.Organisation{Ref: ref, Type: "22", Names: iati.Texts{{Language: "en", Text: en}, {Language: "zh", Text: zh}}}, Language: "zh",
		Title: iati.Texts{{Language: "en", Text: en + " " + id}, {Language: "zh", Text: zh}}, Description: iati.Texts{{Language: "en", Text: "Books & travel"}, {Language: "zh", Text: "书"}},
		Status: iati.Implementation, Dates: []iati.ActivityDate{{Type: iati.ActualStart, Date: "2026-01-01"}}, Countries: []iati.Country{{Code: "CN"}}, Sectors: []iati.Sector{{Code: "11220"}}}
}

func canned() facts {
	return facts{
		campaigns: map[tape.AccountID]books.Campaign{
			campaign: {Activity: activity("XI-IATI-SUNRISE", "books", "Sunrise", "朝阳"), Grants: books.Grants{Prefix: "360G-sunrise", Code: "books", Area: "Yunnan",
				Individual: threesixty.Individual{Reason: "GTIR010", Purposes: []string{"GTIP130"}}, License: "https://creativecommons.org/licenses/by/4.0/"}},
			partner: {Activity: activity("XI-IATI-GREEN", "travel", "Green Valley", "绿谷"), Grants: books.Grants{Prefix: "360G-green"}},
		},
		parties: map[tape.AccountID]books.Party{
			partner:   {Kind: books.Partner, Regrant: threesixty.CommonRegrant},
			own:       {Kind: books.Own, Organisation: iati.Organisation{Ref: "XI-IATI-SUNRISE"}},
			printer:   {Kind: books.Supplier, Organisation: iati.Organisation{Names: iati.Texts{{Language: "en", Text: "A printing house"}}}},
			processor: {Kind: books.Supplier, Organisation: iati.Organisation{Names: iati.Texts{{Language: "en", Text: "A payment processor"}}}},
			abroad:    {Kind: books.Partner, Organisation: iati.Organisation{Names: iati.Texts{{Language: "en", Text: "Friends abroad"}}}},
		},
		promises: []books.Promise{{Reference: "pledge-1", Date: "2026-01-01", Amount: cny(500_00)}, {Binding: true, Reference: "agreement-1", Date: "2026-01-02", Amount: cny(300_00), From: iati.Organisation{Ref: "XI-IATI-MILL"}}},
	}
}

var (
	at   = cutAt("2026-01-10")
	made = tape.Instant(at.UnixMilli())
)

func storyBooks(t *testing.T) (*world, *books.Books) {
	w := newWorld(t)
	w.story()
	return w, &books.Books{Model: w.model, Facts: canned()}
}

func TestReconcile(t *testing.T) {
	_, b := storyBooks(t)
	for _, account := range []tape.AccountID{campaign, partner, own, lost, household} {
		f := canned()
		if _, known := f.campaigns[account]; !known {
			f.campaigns[account] = books.Campaign{Activity: activity("XI-IATI-SUNRISE", "x", "x", "x")}
		}
		b.Facts = f
		r, err := b.Reconcile(t.Context(), account, books.Cut{Generated: made})
		if err != nil {
			t.Fatalf("%s: %v", account, err)
		}
		if !r.Agrees() || len(r.Equalities) != len(books.EqualityKeys()) {
			t.Errorf("%s does not agree: %+v", account, r)
		}
		if account == campaign {
			judgeFigures(t, r)
		}
	}
}

// judgeFigures compares with sums made by hand from the story.
func judgeFigures(t *testing.T, r books.Reconciliation) {
	t.Helper()
	for name, c := range map[string]struct{ got, want money.Amount }{
		"bank gifts":            {r.Bank.Gifts, cny(100_00 + 50_00 + 25_00 + 200_00 + 148_50)},
		"fees":                  {r.Bank.Fees, cny(1_50)},
		"self-declared":         {r.Bank.SelfDeclared, cny(40_00 + 11_00 + 13_00 + 20_00)},
		"refunds":               {r.Bank.Refunds, cny(11_00 + 13_00)},
		"refunds returned":      {r.Bank.RefundsReturned, cny(13_00)},
		"charged back":          {r.Bank.ChargedBack, cny(40_00 + 50_00 + 100_00)},
		"payouts":               {r.Bank.Payouts, cny(12_00 + 8_00 + 5_00 + 9_00 + 2_00 + 3_00 + 4_00)},
		"payouts returned":      {r.Bank.PayoutsReturned, cny(5_00)},
		"chain gifts":           {r.Chain.Gifts, cny(100_00 + 50_00 + 25_00 + 200_00 + 150_00 + 64_00 + 20_00)},
		"transfers laid":        {r.Chain.Transfers, cny(50_01 + 20_00 + 6_00)},
		"transfers in":          {r.Chain.TransfersIn, cny(50_01 - 17_00 + 6_00)},
		"transfers out":         {r.Chain.TransfersOut, cny(120_00 - 20_00 + 30_00 + 7_00)},
		"exported incoming":     {r.Export.Incoming, cny(100_00 + 50_00 + 25_00 + 200_00 + 150_00 + 64_00 + 20_00 + 50_01 - 17_00 + 6_00 - 11_00 - 190_00 + r.Chain.OwnFunds.Units)},
		"exported disbursement": {r.Export.Disbursed, cny(120_00 - 20_00 + 30_00 + 3_00)},
		"exported expenditure":  {r.Export.Spent, cny(1_50 + 12_00 + 8_00 + 9_00 + 2_00 + 7_00)},
		"later":                 {r.Export.LaterOut, cny(4_00)},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", name, c.got, c.want)
		}
	}
	if borne := r.Chain.OwnFunds.Units + r.Chain.Receivable.Units; r.Chain.OwnFunds.Units == 0 || r.Chain.Receivable.Units == 0 || borne > 190_00 {
		t.Errorf("own funds bore %s, nobody %s; the story has both", r.Chain.OwnFunds, r.Chain.Receivable)
	}
}

// document is an IATI file as a stranger's program reads it.
type document struct {
	Activities []struct {
		Identifier   string `xml:"iati-identifier"`
		Transactions []struct {
			Ref  string `xml:"ref,attr"`
			Type struct {
				Code string `xml:"code,attr"`
			} `xml:"transaction-type"`
			Date struct {
				ISO string `xml:"iso-date,attr"`
			} `xml:"transaction-date"`
			Value struct {
				Currency string `xml:"currency,attr"`
				Text     string `xml:",chardata"`
			} `xml:"value"`
			Provider *side `xml:"provider-org"`
			Receiver *side `xml:"receiver-org"`
		} `xml:"transaction"`
	} `xml:"iati-activity"`
}

type side struct {
	Ref       string   `xml:"ref,attr"`
	Providing string   `xml:"provider-activity-id,attr"`
	Receiving string   `xml:"receiver-activity-id,attr"`
	Names     []string `xml:"narrative"`
}

func export(t *testing.T, b *books.Books, cut books.Cut, accounts ...tape.AccountID) ([]byte, document) {
	t.Helper()
	var file bytes.Buffer
	if err := b.WriteActivities(t.Context(), &file, accounts, cut); err != nil {
		t.Fatal(err)
	}
	var d document
	if err := xml.Unmarshal(file.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	return file.Bytes(), d
}

func TestActivitiesAreValid(t *testing.T) {
	_, b := storyBooks(t)
	file, d := export(t, b, books.Cut{Generated: made}, campaign, partner)
	rules, err := judge.ReadRuleset(judge.Published(t, "iati-2.03/standard-ruleset.json"))
	if err != nil {
		t.Fatal(err)
	}
	verdict, err := rules.Judge(bytes.NewReader(file), at)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range verdict.Findings {
		t.Error(f)
	}
	if said := judge.Activities(t, file); said != "" {
		t.Error(said)
	}
	if len(d.Activities) != 2 || len(d.Activities[0].Transactions) < 15 {
		t.Errorf("the file holds %d activities, the first %d transactions", len(d.Activities), len(d.Activities[0].Transactions))
	}
}

// TestTransactions are the transactions of the story, by hand.
func TestTransactions(t *testing.T) {
	_, b := storyBooks(t)
	_, d := export(t, b, books.Cut{Generated: made}, campaign)
	var got []string
	for _, x := range d.Activities[0].Transactions {
		with := x.Receiver
		if slices.Contains([]string{"1", "11", "13"}, x.Type.Code) {
			with = x.Provider
		}
		name := with.Ref
		if name == "" {
			name = with.Names[0]
		}
		got = append(got, fmt.Sprintf("%s %s %s %s", x.Date.ISO, x.Type.Code, x.Value.Text, name))
	}
	slices.Sort(got)
	own := 0
	for _, text := range []string{
		"2026-01-01 1 50.01 Individual donors", "2026-01-01 1 84.00 Individual donors", "2026-01-01 1 -17.00 Individual donors", "2026-01-01 1 6.00 Individual donors", "2026-01-01 13 500.00 Individual donors", "2026-01-02 11 300.00 XI-IATI-MILL",
		"2026-01-02 1 150.00 Individual donors", "2026-01-03 1 25.00 Individual donors", "2026-01-04 1 200.00 Individual donors", "2026-01-05 1 150.00 Individual donors",
		"2026-01-05 4 1.50 A payment processor", "2026-01-01 2 120.00 XI-IATI-GREEN", "2026-01-01 3 120.00 XI-IATI-GREEN", "2026-01-01 3 -20.00 XI-IATI-GREEN",
		"2026-01-01 2 30.00 XI-IATI-GREEN", "2026-01-01 3 30.00 XI-IATI-GREEN", "2026-01-01 4 7.00 Individual beneficiaries",
		"2026-01-06 4 25.00 Individual beneficiaries", "2026-01-08 4 -5.00 Individual beneficiaries", "2026-01-07 4 9.00 A printing house", "2026-01-07 4 2.00 Payees without a published name",
		"2026-01-01 2 3.00 Friends abroad", "2026-01-07 3 3.00 Friends abroad", "2026-01-08 1 -24.00 Individual donors", "2026-01-09 1 13.00 Individual donors", "2026-01-09 1 -190.00 Individual donors",
	} {
		i := slices.Index(got, text)
		if i < 0 {
			t.Errorf("%s is missing", text)
			continue
		}
		got = slices.Delete(got, i, i+1)
	}
	for _, text := range got {
		if !strings.Contains(text, "2026-01-09 1 ") || !strings.HasSuffix(text, "XI-IATI-SUNRISE") {
			t.Errorf("%s is too many", text)
		}
		own++
	}
	if own == 0 {
		t.Error("own funds bore nothing")
	}
}

// TestBothSidesCiteTheSame: what one activity passed on, the other received,
// with the same ids, days, values and references.
func TestBothSidesCiteTheSame(t *testing.T) {
	_, b := storyBooks(t)
	_, d := export(t, b, books.Cut{Generated: made}, campaign, partner)
	sides := [2][]string{}
	for i, a := range d.Activities {
		for _, x := range a.Transactions {
			if x.Provider == nil || x.Receiver == nil || x.Provider.Providing == "" || x.Receiver.Receiving == "" || x.Type.Code == "2" {
				continue
			}
			if (i == 0) != (x.Type.Code == "3") {
				t.Errorf("%s reports %s of type %s", a.Identifier, x.Ref, x.Type.Code)
			}
			sides[i] = append(sides[i], strings.Join([]string{x.Ref, x.Date.ISO, x.Value.Text, x.Value.Currency, x.Provider.Ref, x.Provider.Providing, x.Receiver.Ref, x.Receiver.Receiving}, " "))
		}
		slices.Sort(sides[i])
	}
	if len(sides[0]) != 3 || !slices.Equal(sides[0], sides[1]) {
		t.Errorf("one side says\n%s\nthe other\n%s", strings.Join(sides[0], "\n"), strings.Join(sides[1], "\n"))
	}
	if !strings.Contains(sides[0][0], "XI-IATI-SUNRISE-books XI-IATI-GREEN XI-IATI-GREEN-travel") {
		t.Errorf("the sides cite %s", sides[0][0])
	}
}

// TestTheFileSumsToTheFigures adds the written file up, apart from the code that made it.
func TestTheFileSumsToTheFigures(t *testing.T) {
	_, b := storyBooks(t)
	r, err := b.Reconcile(t.Context(), campaign, books.Cut{Generated: made})
	if err != nil {
		t.Fatal(err)
	}
	_, d := export(t, b, books.Cut{Generated: made}, campaign)
	sums := map[string]int64{}
	for _, x := range d.Activities[0].Transactions {
		amount, err := money.Parse(x.Value.Text + " " + x.Value.Currency)
		if err != nil {
			t.Fatal(err)
		}
		sums[x.Type.Code] += amount.Units
	}
	if sums["1"] != r.Export.Incoming.Units || sums["3"] != r.Export.Disbursed.Units || sums["4"] != r.Export.Spent.Units {
		t.Errorf("the file says %v, the figures %+v", sums, r.Export)
	}
	if left := sums["1"] - sums["3"] - sums["4"] - r.Export.LaterOut.Units; left != r.Chain.Free.Units+r.Chain.Held.Units-r.Chain.Receivable.Units {
		t.Errorf("the file leaves %d, the account has %+v", left, r.Chain)
	}
}

// TestALaterExport holds what an earlier one left out.
func TestALaterExport(t *testing.T) {
	_, b := storyBooks(t)
	for day, late := range map[string]int64{"2026-01-05": 25_00 + 9_00 + 2_00 + 3_00 + 4_00 - 5_00, "2026-01-19": 4_00, "2026-01-20": 0} {
		r, err := b.Reconcile(t.Context(), campaign, books.Cut{Generated: tape.Instant(cutAt("2026-02-01").UnixMilli()), Through: tape.Date(day)})
		if err != nil || !r.Agrees() || r.Export.LaterOut != cny(late) {
			t.Errorf("through %s: %s is left out, %v, agrees %v", day, r.Export.LaterOut, err, r.Agrees())
		}
	}
	for _, cut := range []books.Cut{{}, {Generated: made, Through: "2026-01-11"}, {Generated: made, Through: "tomorrow"}} {
		if _, err := b.Reconcile(t.Context(), campaign, cut); !rule.Is(err, rule.Invalid) {
			t.Errorf("%+v is not refused: %v", cut, err)
		}
	}
}

func TestWhatCannotBeExported(t *testing.T) {
	_, b := storyBooks(t)
	var file bytes.Buffer
	for _, accounts := range [][]tape.AccountID{{"charity:none:books"}, {own}, {}} {
		if err := b.WriteActivities(t.Context(), &file, accounts, books.Cut{Generated: made}); err == nil || file.Len() > 0 {
			t.Errorf("%v: %v after %d bytes", accounts, err, file.Len())
		}
	}
	f := canned()
	c := f.campaigns[campaign]
	c.Activity.Sectors = nil
	f.campaigns[campaign] = c
	b.Facts = f
	if err := b.WriteActivities(t.Context(), &file, []tape.AccountID{campaign}, books.Cut{Generated: made}); !rule.Is(err, rule.Invalid) || file.Len() > 0 {
		t.Errorf("a campaign without a sector: %v after %d bytes", err, file.Len())
	}
}

func TestGrants(t *testing.T) {
	_, b := storyBooks(t)
	var file bytes.Buffer
	if err := b.WriteGrants(t.Context(), &file, campaign, books.Cut{Generated: made}); err != nil {
		t.Fatal(err)
	}
	if err := judge.Grants(t, file.Bytes()); err != nil {
		t.Error(err)
	}
	var p struct {
		Grants []struct {
			ID           string
			Awarded      json.Number                `json:"amountAwarded"`
			Disbursed    json.Number                `json:"amountDisbursed"`
			Regrant      string                     `json:"regrantType"`
			Organisation []struct{ ID string }      `json:"recipientOrganization"`
			Individual   *struct{ ID, Name string } `json:"recipientIndividual"`
		}
	}
	if err := json.Unmarshal(file.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, g := range p.Grants {
		to := "person"
		if g.Individual == nil {
			to = g.Organisation[0].ID
		} else if g.Individual.ID != g.ID+"-recipient" {
			t.Errorf("the receiver of %s is %s", g.ID, g.Individual.ID)
		}
		got = append(got, strings.TrimSpace(fmt.Sprint(g.Awarded, " ", g.Disbursed, " ", to, " ", g.Regrant)))
	}
	slices.Sort(got)
	want := []string{"12.00 12.00 person", "120.00 120.00 XI-IATI-GREEN FRG010", "3.00 3.00 360G-sunrise-ORG:partner:abroad", "30.00 30.00 XI-IATI-GREEN FRG010", "4.00 4.00 person", "5.00 0.00 person", "6.00 0.00 person", "7.00 7.00 person", "8.00 8.00 person"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, household := range []string{"household:a", "household:d", "h7"} {
		if strings.Contains(file.String(), household) {
			t.Errorf("%s is in the file", household)
		}
	}
}

func TestTables(t *testing.T) {
	w, b := storyBooks(t)
	account, err := w.model.Account(t.Context(), campaign)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range books.Tables() {
		var file bytes.Buffer
		totals, err := b.WriteTable(t.Context(), &file, campaign, name, books.Cut{Generated: made}, books.TableOptions{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		rows, err := csv.NewReader(&file).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		// The account is no campaign's: what campaigns decide is tested where there are some.
		if i := slices.Index(books.Tables(), name); len(rows) < 2 && name != "jobs" && i < slices.Index(books.Tables(), "budget") {
			t.Errorf("%s has no rows", name)
		}
		if column := slices.Index(rows[0], "amount"); column >= 0 {
			sum := cny(0)
			for _, row := range rows[1:] {
				amount, err := money.Parse(row[column] + " " + row[column+1])
				if err != nil {
					t.Fatal(err)
				}
				sum.Units += amount.Units
			}
			if sum != totals.Of("amount", "CNY") {
				t.Errorf("%s sums to %s, the total says %s", name, sum, totals.Of("amount", "CNY"))
			}
		}
		for _, row := range rows {
			for _, cell := range row {
				if strings.Contains(cell, "household:") {
					t.Errorf("%s holds %q", name, cell)
				}
			}
		}
		if name == "orders" && totals.Of("captured", "CNY").Units-totals.Of("returned", "CNY").Units != 30_00+3_00+12_00+8_00+9_00+2_00+4_00+11_00 {
			t.Errorf("orders: captured %s, returned %s", totals.Of("captured", "CNY"), totals.Of("returned", "CNY"))
		}
		if name == "gifts" && totals.Of("amount", "CNY").Units != 609_00+77_00+7_00 {
			t.Errorf("gifts sum to %s; the account received %s", totals.Of("amount", "CNY"), account.Received)
		}
	}
	var file bytes.Buffer
	if _, err := b.WriteTable(t.Context(), &file, campaign, "postings", books.Cut{Generated: made}, books.TableOptions{Pseudonyms: true}); err != nil || !strings.Contains(file.String(), "outside:household:mkjhibbcmkbllnmkpkmcdbldjkcdnmen") {
		t.Errorf("the charity's own table has no pseudonyms: %v", err)
	}
	if _, err := b.WriteTable(t.Context(), &file, campaign, "donors", books.Cut{Generated: made}, books.TableOptions{}); !rule.Is(err, rule.NotFound) {
		t.Errorf("a table that is none: %v", err)
	}
}

// TestAPooledAccount: what comes back waits as a transfer, and is counted once.
func TestAPooledAccount(t *testing.T) {
	w := newWorld(t)
	const pool = tape.AccountID("charity:sunrise:pool")
	c := opening(pool, sunrise)
	c.Attribution = tape.Pooled
	w.must("charity", "Tape:Open", c)
	w.declare(pool, 50_00)
	hold := w.pay(pool, sunrise, "outside:household:mkjhibbcmkbllnmkpkmcdbldjkcdnmen", "2026-01-06", 20_00)
	w.comesBack(pool, sunrise, hold, "2026-01-07", 15_00)
	f := canned()
	f.campaigns[pool] = books.Campaign{Activity: activity("XI-IATI-SUNRISE", "pool", "Pool", "池")}
	b := &books.Books{Model: w.model, Facts: f}
	for _, waiting := range []int64{15_00, 0} {
		w.follow()
		r, err := b.Reconcile(t.Context(), pool, books.Cut{Generated: made})
		if err != nil || !r.Agrees() || r.Chain.Waiting != cny(waiting) || r.Export.Spent != cny(5_00) || r.Export.Incoming != cny(50_00) {
			t.Errorf("%s waits: %+v, %v", r.Chain.Waiting, r, err)
		}
		if waiting > 0 {
			entries, err := w.model.Inflows(t.Context(), readmodel.InflowFilter{Account: pool}, readmodel.Window{})
			if err != nil || len(entries.Items) != 1 {
				t.Fatalf("%+v, %v", entries, err)
			}
			w.lay(pool, entries.Items[0].Source)
		}
	}
}

// TestAnOriginThatNeverWasIsANote: money that names an entry which did not go
// that way is new money, on both sides.
func TestAnOriginThatNeverWasIsANote(t *testing.T) {
	w := newWorld(t)
	w.declare(partner, 50_00)
	first := w.spend(partner, campaign, 15_00, "charity/nothing")
	w.lay(campaign, "coop/"+string(first)+"/0")
	// The first went the same way, so nothing of it comes back.
	second := w.spend(partner, campaign, 5_00, "coop/"+string(first))
	w.lay(campaign, "coop/"+string(second)+"/0")
	w.follow()
	b := &books.Books{Model: w.model, Facts: canned()}
	for account, want := range map[tape.AccountID]string{campaign: "incoming", partner: "disbursed"} {
		r, err := b.Reconcile(t.Context(), account, books.Cut{Generated: made})
		got := map[string]money.Amount{"incoming": r.Export.Incoming, "disbursed": r.Export.Disbursed}[want]
		if err != nil || !r.Agrees() || got != cny(20_00) {
			t.Errorf("%s: %+v, %v", account, r, err)
		}
	}
}

func TestAnEmptyAccount(t *testing.T) {
	w := newWorld(t)
	w.follow()
	b := &books.Books{Model: w.model, Facts: canned()}
	r, err := b.Reconcile(t.Context(), campaign, books.Cut{Generated: made})
	if err != nil || !r.Agrees() || r.Export.Incoming != cny(0) {
		t.Errorf("%+v, %v", r, err)
	}
	if file, _ := export(t, b, books.Cut{Generated: made}, campaign); judge.Activities(t, file) != "" {
		t.Error("the file of an account without money is not valid")
	}
	if err := b.WriteGrants(t.Context(), &bytes.Buffer{}, campaign, books.Cut{Generated: made}); !rule.Is(err, rule.Invalid) {
		t.Errorf("a package without grants: %v", err)
	}
}

// busy are facts that take so long that a gift arrives meanwhile.
type busy struct {
	facts
	arrive func()
}

func (f busy) Campaign(ctx context.Context, account tape.AccountID) (books.Campaign, error) {
	f.arrive()
	return f.facts.Campaign(ctx, account)
}

// TestBlocksThatArriveMeanwhileAreLeftOut: an export is of the block at which it began.
func TestBlocksThatArriveMeanwhileAreLeftOut(t *testing.T) {
	w := newWorld(t)
	w.declare(campaign, 50_00)
	w.follow()
	b := &books.Books{Model: w.model, Facts: busy{canned(), func() {
		w.declare(campaign, 1_00)
		w.spend(campaign, partner, 2_00, "")
		w.follow()
	}}}
	r, err := b.Reconcile(t.Context(), campaign, books.Cut{Generated: made})
	if err != nil || !r.Agrees() || r.Export.Incoming != cny(50_00) || r.Export.Disbursed != cny(0) {
		t.Errorf("%+v, %v", r, err)
	}
}
