package epcis

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/export/judge"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

const (
	scheme = tape.AccountID("coop:moon:coffee")
	noon   = tape.Instant(1_767_240_000_000) // 2026-01-01 12:00 in the zone
)

func farm(name string) tape.AccountID {
	return tape.AccountID("household:" + string(tape.PseudonymFrom(name)) + ":coffee")
}

// story is an invented harvest, made by the rules themselves.
type story struct {
	t     *testing.T
	terms harvest.Terms
	lots  map[tape.ID]harvest.Stock
	doc   Document
	hours tape.Instant
}

// by is the next hour's context, signed by the cooperative, the bank and a household.
func (s *story) by() tape.Context {
	s.hours++
	ctx := tape.Context{Organisation: "coop", Role: party.RoleGateway, At: noon + s.hours*tape.Hour, Date: "2026-01-02", Rules: 1}
	for _, person := range []string{"maker coop staff", "keeper bank staff", "h1 coop member", "h2 coop member"} {
		words := strings.Fields(person)
		ctx.Approvals = append(ctx.Approvals, tape.Approval{Person: tape.ID(words[0]), Organisation: words[1], Custody: "own", Duty: words[2]})
	}
	return ctx
}

func (s *story) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *story) stocks(ids ...tape.ID) []*harvest.Stock {
	var list []*harvest.Stock
	for _, id := range ids {
		stock := s.lots[id]
		list = append(list, &stock)
	}
	return list
}

func (s *story) keep(lots ...harvest.Lot) {
	for _, lot := range lots {
		stock := s.lots[lot.ID]
		stock.Lot = lot
		s.lots[lot.ID] = stock
	}
}

func (s *story) changed(change harvest.Change, err error) {
	s.t.Helper()
	s.must(err)
	s.keep(change.Lots...)
	for _, stock := range change.New {
		s.lots[stock.Lot.ID] = stock
	}
	s.doc.Steps = append(s.doc.Steps, change.Step)
}

func (s *story) deliver(id tape.ID, of string, net int64) {
	c := harvest.Deliver{Account: scheme, Deductions: []harvest.Deduction{{Grams: 250, Kind: "damaged"}}, Form: "cherry", Grade: "ripe", GrossGrams: net + 1_250, Harvested: "2025-12-31", Household: farm(of),
		ID: id, MoisturePartsPerMillion: 610_000, NetGrams: net, Store: "mill", TareGrams: 1_000}
	stock, _, err := s.terms.Deliver(c, &harvest.Household{Household: farm(of), Person: tape.ID(of), Admitted: true}, s.by())
	s.must(err)
	s.lots[id] = stock
}

func newStory(t *testing.T) *story {
	agreement := harvest.Agreement{Commodity: "coffee", Deductions: []string{"damaged"}, Forms: []harvest.Form{{Form: "cherry", Grades: []string{"ripe"}}, {Form: "green", Grades: []string{"a", "b"}}},
		Processes: []harvest.Process{{From: "cherry", Process: "milling", To: "green", YieldMaxPartsPerMillion: 200_000, YieldMinPartsPerMillion: 150_000}},
		Stores:    []harvest.Store{{Organisation: "coop", Store: "mill"}, {Organisation: "bank", Store: "warehouse"}}}
	s := &story{t: t, terms: harvest.Terms{V: 1, Scheme: scheme, Organisation: "coop", Version: 1, Agreement: agreement}, lots: map[tape.ID]harvest.Stock{}}
	s.doc = Document{Base: "https://moon.example/trace/", Created: noon + 30*tape.Day, Zone: "+08:00", Terms: s.terms, Products: []Product{{"green", "a", "04012345111118"}}}
	s.deliver("l1", "h1", 60_500)
	s.deliver("l2", "h2", 40_000)
	s.deliver("wrong", "h2", 4_000)
	wrong := s.lots["wrong"].Lot
	corrected, _, err := s.terms.CorrectDelivery(harvest.CorrectDelivery{Account: scheme, ID: "c1", Lot: "wrong", Reason: "incorrect_data"}, &wrong, &harvest.Household{Household: farm("h2"), Person: "h2", Admitted: true}, s.by())
	s.must(err)
	s.keep(corrected)
	change, _, err := s.terms.Merge(harvest.Merge{Account: scheme, ID: "m1", Lots: []tape.ID{"l1", "l2"}}, s.stocks("l1", "l2"), s.by())
	s.changed(change, err)
	run := harvest.Run{Account: scheme, ID: "p1", LossGrams: 83_500, Lots: []tape.ID{"m1"}, Outputs: []harvest.Output{{Grade: "a", Grams: 12_000, Lot: "g1"}, {Grade: "b", Grams: 5_000, Lot: "g2"}}, Process: "milling"}
	change, _, err = s.terms.Process(run, s.stocks("m1"), s.by())
	s.changed(change, err)
	g1 := s.lots["g1"].Lot
	lot, bags, _, err := s.terms.Bag(harvest.Bag{Account: scheme, ID: "b1", Lot: "g1", Units: []harvest.Unit{{Grams: 7_000, SSCC: "106141411234567897"}, {Grams: 5_000, SSCC: "106141411234567903"}}}, &g1, []bool{false, false}, s.by())
	s.must(err)
	s.keep(lot)
	s.doc.Bags = append(s.doc.Bags, bags)
	g1, g2 := s.lots["g1"].Lot, s.lots["g2"].Lot
	lots, move, _, err := s.terms.Ship(harvest.Ship{Account: scheme, ID: "s1", Lots: []tape.ID{"g1", "g2"}, Store: "warehouse"}, []*harvest.Lot{&g1, &g2}, s.by())
	s.must(err)
	s.keep(lots...)
	s.doc.Moves = append(s.doc.Moves, move)
	lots, move, _, err = s.terms.Arrive(harvest.Arrive{Account: scheme, ID: "a1", Lots: []tape.ID{"g1", "g2"}}, []*harvest.Lot{&lots[0], &lots[1]}, s.by())
	s.must(err)
	s.keep(lots...)
	s.doc.Moves = append(s.doc.Moves, move)
	sell := harvest.Sell{Account: scheme, Buyer: "outside:buyer:roaster", ID: "sale-1", Lots: []tape.ID{"g1"}, PricePerTonne: money.New(30_000_00, "CNY"), Proceeds: money.New(360_00, "CNY")}
	sale, _, sold, _, err := s.terms.Sell(sell, s.stocks("g1"), "CNY", s.by())
	s.must(err)
	s.keep(sold...)
	s.doc.Sales = append(s.doc.Sales, sale)
	for _, id := range []tape.ID{"l1", "l2", "wrong", "m1", "g1", "g2"} {
		s.doc.Lots = append(s.doc.Lots, s.lots[id].Lot)
	}
	return s
}

func written(t *testing.T, d Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := d.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestTheStandardsSchema: GS1's own schema finds nothing wrong, and finds what is.
func TestTheStandardsSchema(t *testing.T) {
	document := written(t, newStory(t).doc)
	if err := judge.Events(t, document); err != nil {
		t.Fatalf("%v\n%s", err, document)
	}
	for before, after := range map[string]string{`"commissioning"`: `"harvesting"`, `"eventTimeZoneOffset": "+08:00"`: `"eventTimeZoneOffset": "8"`, `"action": "ADD"`: `"action": "CREATE"`, `"KGM"`: `"kilogram"`,
		`"lianbao:grade"`: `"grade"`, `"incorrect_data"`: `"incorrect"`} {
		if spoilt := bytes.ReplaceAll(document, []byte(before), []byte(after)); bytes.Equal(spoilt, document) || judge.Events(t, spoilt) == nil {
			t.Errorf("%s in the place of %s is valid", after, before)
		}
	}
}

// TestEvents judges without the published schema: each event, in the order of time, with what tells it apart.
func TestEvents(t *testing.T) {
	var document struct {
		Context []any  `json:"@context"`
		Type    string `json:"type"`
		Body    struct {
			Events []map[string]any `json:"eventList"`
		} `json:"epcisBody"`
	}
	data := written(t, newStory(t).doc)
	if err := json.Unmarshal(data, &document); err != nil || document.Type != "EPCISDocument" || document.Context[0] != Context {
		t.Fatalf("%v\n%s", err, data)
	}
	want := []string{
		"ObjectEvent commissioning ADD 60.5 KGM", "ObjectEvent inspecting OBSERVE 60.5 KGM", "ObjectEvent commissioning ADD 40 KGM", "ObjectEvent inspecting OBSERVE 40 KGM",
		"ObjectEvent commissioning ADD 4 KGM in error: incorrect_data", "ObjectEvent inspecting OBSERVE 4 KGM in error: incorrect_data",
		"TransformationEvent commissioning in 60.5 KGM 40 KGM out 100.5 KGM", "TransformationEvent commissioning in 100.5 KGM out 12 KGM 5 KGM",
		"AggregationEvent packing ADD https://id.gs1.org/00/106141411234567897 7 KGM", "AggregationEvent packing ADD https://id.gs1.org/00/106141411234567903 5 KGM",
		"ObjectEvent shipping OBSERVE 12 KGM 5 KGM", "ObjectEvent receiving OBSERVE 12 KGM 5 KGM", "TransactionEvent " + Namespace + "selling ADD 12 KGM"}
	var got []string
	ids := map[any]bool{}
	for _, e := range document.Body.Events {
		got = append(got, told(e))
		if ids[e["eventID"]] || e["eventTimeZoneOffset"] != "+08:00" {
			t.Errorf("%v stands twice, or is of another zone", e["eventID"])
		}
		ids[e["eventID"]] = true
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	text := string(data)
	for _, must := range []string{`"epcClass": "https://id.gs1.org/01/04012345111118/10/g1"`, `"epcClass": "https://moon.example/trace/lot/coop:moon:coffee/g2"`, `"lianbao:lossKilograms": 83.5`,
		`"lianbao:gross": 61.75`, `"id": "https://moon.example/trace/store/coop:moon:coffee/mill"`, `"source": "https://moon.example/trace/party/coop"`, `"destination": "https://moon.example/trace/party/outside:buyer:roaster"`} {
		if !strings.Contains(text, must) {
			t.Errorf("%s is missing in\n%s", must, text)
		}
	}
	if strings.Contains(text, "household/") {
		t.Error("households are named though nobody asked for it")
	}
}

// told is an event in a line.
func told(e map[string]any) string {
	parts := []string{fmt.Sprint(e["type"]), fmt.Sprint(e["bizStep"])}
	for _, key := range []string{"action", "parentID"} {
		if e[key] != nil {
			parts = append(parts, fmt.Sprint(e[key]))
		}
	}
	for _, list := range []struct{ key, word string }{{"quantityList", ""}, {"childQuantityList", ""}, {"inputQuantityList", "in"}, {"outputQuantityList", "out"}} {
		quantities, _ := e[list.key].([]any)
		if len(quantities) > 0 && list.word != "" {
			parts = append(parts, list.word)
		}
		for _, q := range quantities {
			one := q.(map[string]any)
			parts = append(parts, fmt.Sprint(one["quantity"]), fmt.Sprint(one["uom"]))
		}
	}
	if declared, is := e["errorDeclaration"].(map[string]any); is {
		parts = append(parts, "in error:", fmt.Sprint(declared["reason"]))
	}
	return strings.Join(parts, " ")
}

// TestHouseholds: who asks for it gets the pseudonyms, and still a valid document.
func TestHouseholds(t *testing.T) {
	d := newStory(t).doc
	d.Households = true
	document := written(t, d)
	if !strings.Contains(string(document), `"source": "https://moon.example/trace/household/`+string(farm("h1"))+`"`) {
		t.Errorf("no household in\n%s", document)
	}
	if err := judge.Events(t, document); err != nil {
		t.Error(err)
	}
}

// TestRefused: what cannot be named outside is refused before anything is written.
func TestRefused(t *testing.T) {
	for _, test := range []struct {
		change func(*Document)
		want   string
	}{
		{func(d *Document) { d.Base = "" }, "invalid: field base: is not an address"},
		{func(d *Document) { d.Base = "http://moon.example/trace/" }, "invalid: field base: is not an address"},
		{func(d *Document) { d.Base = "https://moon.example/trace" }, "invalid: field base: is not an address"},
		{func(d *Document) { d.Base = "https://moon.example/?a=/" }, "invalid: field base: is not an address"},
		{func(d *Document) { d.Products[0].GTIN = "04012345111119" }, "invalid: field products[0].gtin: has a wrong check digit"},
		{func(d *Document) { d.Products[0].GTIN = "0" }, "invalid: field products[0].gtin: is not 14 digits"},
		{func(d *Document) { d.Products[0].GTIN = "0401234511111x" }, "invalid: field products[0].gtin: is not 14 digits"},
	} {
		d := newStory(t).doc
		test.change(&d)
		var b bytes.Buffer
		if err := d.Write(&b); !strings.HasPrefix(fmt.Sprint(err), test.want) || b.Len() > 0 {
			t.Errorf("%v, and %d bytes; want %s", err, b.Len(), test.want)
		}
	}
}

// TestParseProduct is a table: a text, and what it says or why it is refused.
func TestParseProduct(t *testing.T) {
	for text, want := range map[string]string{"green/a=04012345111118": "{green a 04012345111118} <nil>", "green/a=04012345111119": "{green a 04012345111119} invalid: has a wrong check digit",
		"green=04012345111118": "{  } invalid: is not a form and grade with a number; write it as green/a=04012345111118", "green/a": "{  } invalid: is not a form and grade with a number; write it as green/a=04012345111118",
		"Zhang San/a=04012345111118": "{  } invalid: is not a form and grade with a number; write it as green/a=04012345111118"} {
		if product, err := ParseProduct(text); fmt.Sprintf("%v %v", product, err) != want {
			t.Errorf("%s: %v %v, want %s", text, product, err, want)
		}
	}
}

// TestRead: what the read model knows gives the same document.
func TestRead(t *testing.T) {
	s := newStory(t)
	model, err := readmodel.Open(context.Background(), filepath.Join(t.TempDir(), "readmodel.db"))
	s.must(err)
	defer model.Close()
	writes := map[string]any{party.LedgerKey(): party.Ledger{V: 1, Zone: "+08:00"}, harvest.TermsKey(scheme): s.terms}
	for _, lot := range s.doc.Lots {
		writes[harvest.LotKey(scheme, lot.ID)] = lot
		for n, page := range s.lots[lot.ID].Pages() {
			writes[harvest.CompositionKey(scheme, lot.ID, int32(n))] = page
		}
	}
	for _, step := range s.doc.Steps {
		writes[harvest.StepKey(scheme, step.ID)] = step
	}
	for _, move := range s.doc.Moves {
		writes[harvest.MoveKey(scheme, move.ID)] = move
	}
	writes[harvest.BagsKey(scheme, "g1")], writes[harvest.SaleKey(scheme, "sale-1")] = s.doc.Bags[0], s.doc.Sales[0]
	transaction := readmodel.Transaction{ID: "t", Valid: true, Function: "Harvest:Story", Argument: []byte("{}"), At: noon}
	for key, record := range writes {
		value, err := canonical.Encode(record)
		s.must(err)
		transaction.Writes = append(transaction.Writes, readmodel.Write{Key: key, Value: value})
	}
	slices.SortFunc(transaction.Writes, func(a, b readmodel.Write) int { return strings.Compare(a.Key, b.Key) })
	s.must(model.Apply(context.Background(), readmodel.Block{Hash: []byte("h"), Transactions: []readmodel.Transaction{transaction}}))
	read, err := Document{Base: s.doc.Base, Created: s.doc.Created, Products: s.doc.Products}.Read(context.Background(), model, scheme)
	s.must(err)
	if got, want := written(t, read), written(t, s.doc); !bytes.Equal(got, want) {
		t.Errorf("the document that was read:\n%s\nis not\n%s", got, want)
	}
	if _, err := (Document{}).Read(context.Background(), model, "coop:moon:tea"); fmt.Sprint(err) == "<nil>" {
		t.Error("a scheme that is not there was read")
	}
}
