// Package epcis writes a harvest as events of GS1's EPCIS 2.0, in JSON-LD: what
// a buyer's or a certifier's system reads without knowing this ledger.
//
// Words are those of the Core Business Vocabulary 2.0; what it has no word for
// (a grade, a net weight, a pledge's lot) stands under the prefix "lianbao".
// What was corrected stays in the document and carries an errorDeclaration.
// Households are not named unless who exports asks for it, and then by pseudonym.
package epcis

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	// Context is the published context, SchemaVersion the version of the standard.
	Context       = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
	SchemaVersion = "2.0"
	// Namespace is that of the fields that the standard has no word for.
	Namespace = "https://github.com/lianbao/lianbao/epcis/"
)

// Document is a harvest as it stands on the ledger, and how it is to be named outside.
type Document struct {
	// Base is the address under which the cooperative names its lots and stores; it ends with a slash.
	Base    string
	Created tape.Instant
	// Zone is the ledger's.
	Zone tape.Zone
	// Products are the trade item numbers of forms and grades; a lot of any other is named under Base.
	Products []Product
	// Households says that deliveries name the household, by its pseudonym.
	Households bool

	Terms harvest.Terms
	Lots  []harvest.Lot
	Steps []harvest.Step
	Moves []harvest.Move
	Bags  []harvest.Bags
	Sales []harvest.Sale
}

// Product is the GTIN of a form and grade.
type Product struct{ Form, Grade, GTIN string }

// ParseProduct reads form/grade=gtin.
func ParseProduct(text string) (Product, error) {
	name, gtin, found := strings.Cut(text, "=")
	form, grade, parted := strings.Cut(name, "/")
	if !found || !parted || tape.CheckSegment(form) != nil || tape.CheckSegment(grade) != nil {
		return Product{}, rule.Refuse(rule.Invalid, "is not a form and grade with a number; write it as green/a=04012345111118")
	}
	return Product{form, grade, gtin}, checkGTIN(gtin)
}

// lotMax is the longest batch number that a GTIN can bear (application identifier 10).
const lotMax = 20

// Check refuses what cannot be named.
func (d Document) Check() error {
	base, err := url.Parse(d.Base)
	if err != nil || base.Scheme != "https" || base.Host == "" || base.RawQuery != "" || base.Fragment != "" || !strings.HasSuffix(d.Base, "/") {
		return rule.Field("base", rule.Refuse(rule.Invalid, "is not an address under which lots are named; write it as https://coop.example/trace/"))
	}
	for i, product := range d.Products {
		if err := checkGTIN(product.GTIN); err != nil {
			return rule.Item("products", i, rule.Field("gtin", err))
		}
	}
	return nil
}

// checkGTIN refuses what is no trade item number of 14 digits with a right check digit.
func checkGTIN(gtin string) error {
	sum := 0
	for i, c := range []byte(gtin) {
		if c < '0' || c > '9' {
			return rule.Refuse(rule.Invalid, "is not 14 digits")
		}
		sum += int(c-'0') * (3 - 2*(i%2))
	}
	if len(gtin) != 14 {
		return rule.Refuse(rule.Invalid, "is not 14 digits")
	}
	if sum%10 != 0 {
		return rule.Refuse(rule.Invalid, "has a wrong check digit")
	}
	return nil
}

// Write writes the document, events in the order in which they happened.
func (d Document) Write(w io.Writer) error {
	if err := d.Check(); err != nil {
		return err
	}
	events := d.events()
	list := make([]any, len(events))
	for i, event := range events {
		list[i] = event.body
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	return encoder.Encode(map[string]any{"@context": []any{Context, map[string]any{"lianbao": Namespace}}, "id": d.name("document", d.Terms.Scheme), "type": "EPCISDocument",
		"schemaVersion": SchemaVersion, "creationDate": d.Created, "epcisBody": map[string]any{"eventList": list}})
}

// event is one event with what orders it.
type event struct {
	at   tape.Instant
	id   string
	body map[string]any
}

// writer is a document and what its events look up.
type writer struct {
	Document
	lots map[tape.ID]harvest.Lot
	// left is the first store that a lot left.
	left map[tape.ID]string
}

func (d Document) events() []event {
	w := writer{d, map[tape.ID]harvest.Lot{}, map[tape.ID]string{}}
	for _, lot := range d.Lots {
		w.lots[lot.ID] = lot
	}
	for _, move := range slices.SortedFunc(slices.Values(d.Moves), func(a, b harvest.Move) int { return cmp.Compare(a.At, b.At) }) {
		for i, store := range move.From {
			if _, before := w.left[move.Lots[i].Lot]; !before {
				w.left[move.Lots[i].Lot] = store
			}
		}
	}
	return w.events()
}

func (d writer) events() []event {
	var events []event
	for _, lot := range d.Lots {
		if lot.Delivery != nil {
			events = append(events, d.delivered(lot), d.inspected(lot))
		}
	}
	for _, step := range d.Steps {
		events = append(events, d.transformed(step))
	}
	for _, bags := range d.Bags {
		for i, unit := range bags.Units {
			events = append(events, d.packed(bags, i, unit, d.lots[bags.Lot]))
		}
	}
	for _, move := range d.Moves {
		events = append(events, d.moved(move)...)
	}
	for _, sale := range d.Sales {
		events = append(events, d.sold(sale))
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.id, b.id)) })
	return events
}

// name is an address under the cooperative's own.
func (d Document) name(kind string, parts ...any) string {
	all := []string{kind}
	for _, part := range parts {
		all = append(all, url.PathEscape(fmt.Sprint(part)))
	}
	return d.Base + strings.Join(all, "/")
}

// class names a lot: by its trade item and batch number, or under the cooperative's address.
func (d Document) class(lot harvest.Lot) string {
	for _, product := range d.Products {
		if product.Form == lot.Form && product.Grade == lot.Grade && len(lot.ID) <= lotMax {
			return "https://id.gs1.org/01/" + product.GTIN + "/10/" + url.PathEscape(string(lot.ID))
		}
	}
	return d.name("lot", d.Terms.Scheme, lot.ID)
}

// begin makes what all events have. n tells events of one entry apart.
func (d writer) begin(kind, step string, at tape.Instant, entry string, n int, corrected *harvest.Correction) event {
	id := d.name("event", entry, n)
	body := map[string]any{"type": kind, "eventID": id, "eventTime": at, "eventTimeZoneOffset": d.Zone, "bizStep": step}
	if corrected != nil {
		body["errorDeclaration"] = map[string]any{"declarationTime": corrected.At, "reason": corrected.Reason, "lianbao:entry": corrected.Entry}
	}
	return event{at, id, body}
}

func (d writer) delivered(lot harvest.Lot) event {
	delivery := lot.Delivery
	e := d.begin("ObjectEvent", "commissioning", delivery.At, delivery.Entry, 0, delivery.Corrected)
	e.body["action"], e.body["disposition"] = "ADD", "active"
	e.body["quantityList"] = []any{d.quantity(lot, lot.Grams)}
	e.body["ilmd"] = map[string]any{"lianbao:harvestDate": delivery.Harvested, "lianbao:commodity": d.Terms.Agreement.Commodity, "lianbao:form": lot.Form, "lianbao:grade": lot.Grade}
	d.at(e, d.madeIn(lot))
	if d.Households && lot.Household != "" {
		e.body["sourceList"] = []any{source("owning_party", d.name("household", lot.Household))}
	}
	e.body["destinationList"] = []any{destination("possessing_party", d.name("party", d.keeper(d.madeIn(lot))))}
	return e
}

// inspected is what the scale and the grader said.
func (d writer) inspected(lot harvest.Lot) event {
	delivery := lot.Delivery
	e := d.begin("ObjectEvent", "inspecting", delivery.At, delivery.Entry, 1, delivery.Corrected)
	e.body["action"] = "OBSERVE"
	e.body["quantityList"] = []any{d.quantity(lot, lot.Grams)}
	deductions := []any{}
	for _, deduction := range delivery.Deductions {
		deductions = append(deductions, map[string]any{"lianbao:kind": deduction.Kind, "lianbao:kilograms": kilograms(deduction.Grams)})
	}
	e.body["lianbao:weight"] = map[string]any{"lianbao:gross": kilograms(delivery.GrossGrams), "lianbao:tare": kilograms(delivery.TareGrams), "lianbao:net": kilograms(lot.Grams), "lianbao:deductions": deductions}
	e.body["lianbao:grade"] = lot.Grade
	if delivery.MoisturePartsPerMillion > 0 {
		e.body["lianbao:moisturePartsPerMillion"] = delivery.MoisturePartsPerMillion
	}
	d.at(e, d.madeIn(lot))
	return e
}

// madeIn is the store that a delivery reached, or in which a step made a lot: the
// first that it left since, else where it lies.
func (d writer) madeIn(lot harvest.Lot) string {
	if store, left := d.left[lot.ID]; left {
		return store
	}
	return lot.Store
}

func (d writer) transformed(step harvest.Step) event {
	e := d.begin("TransformationEvent", "commissioning", step.At, step.Entry, 0, step.Corrected)
	e.body["transformationID"] = d.name("step", d.Terms.Scheme, step.ID)
	e.body["inputQuantityList"], e.body["outputQuantityList"] = d.quantities(step.Inputs), d.quantities(step.Outputs)
	e.body["lianbao:process"], e.body["lianbao:lossKilograms"] = cmp.Or(step.Process, step.Kind), kilograms(step.LossGrams)
	if step.Exception {
		e.body["lianbao:yieldException"] = true
	}
	if len(step.Outputs) > 0 {
		d.at(e, d.madeIn(d.lots[step.Outputs[0].Lot]))
	}
	return e
}

func (d writer) packed(bags harvest.Bags, n int, unit harvest.Unit, lot harvest.Lot) event {
	e := d.begin("AggregationEvent", "packing", bags.At, bags.Entry, n, nil)
	e.body["action"], e.body["parentID"] = "ADD", "https://id.gs1.org/00/"+unit.SSCC
	e.body["childQuantityList"] = []any{d.quantity(lot, unit.Grams)}
	return e
}

// moved are a shipment, one event a store that it leaves, or an arrival.
func (d writer) moved(move harvest.Move) []event {
	to := []any{destination("possessing_party", d.name("party", d.keeper(move.To))), destination("location", d.name("store", d.Terms.Scheme, move.To))}
	if len(move.From) == 0 {
		e := d.begin("ObjectEvent", "receiving", move.At, move.Entry, 0, nil)
		e.body["action"], e.body["disposition"], e.body["quantityList"], e.body["destinationList"] = "OBSERVE", "in_progress", d.quantities(move.Lots), to
		d.at(e, move.To)
		return []event{e}
	}
	var events []event
	for n, store := range slices.Compact(slices.Sorted(slices.Values(move.From))) {
		var left []harvest.Weighed
		for i, weighed := range move.Lots {
			if move.From[i] == store {
				left = append(left, weighed)
			}
		}
		e := d.begin("ObjectEvent", "shipping", move.At, move.Entry, n, nil)
		e.body["action"], e.body["disposition"], e.body["quantityList"], e.body["destinationList"] = "OBSERVE", "in_transit", d.quantities(left), to
		e.body["sourceList"] = []any{source("possessing_party", d.name("party", d.keeper(store))), source("location", d.name("store", d.Terms.Scheme, store))}
		e.body["readPoint"] = map[string]any{"id": d.name("store", d.Terms.Scheme, store)}
		events = append(events, e)
	}
	return events
}

// sold is a sale to a roaster or an exporter, for which the vocabulary has no step: retail_selling is to whoever drinks it.
func (d writer) sold(sale harvest.Sale) event {
	e := d.begin("TransactionEvent", Namespace+"selling", sale.At, sale.Entry, 0, sale.Corrected)
	e.body["action"], e.body["quantityList"] = "ADD", d.quantities(sale.Lots)
	e.body["bizTransactionList"] = []any{map[string]any{"type": "inv", "bizTransaction": "ni:///sha-256;" + base64.RawURLEncoding.EncodeToString(sale.Invoice[:])},
		map[string]any{"bizTransaction": d.name("sale", d.Terms.Scheme, sale.ID)}}
	e.body["sourceList"] = []any{source("owning_party", d.name("party", d.Terms.Organisation))}
	e.body["destinationList"] = []any{destination("owning_party", d.name("party", sale.Buyer))}
	e.body["lianbao:pricePerTonne"], e.body["lianbao:proceeds"], e.body["lianbao:households"] = sale.PricePerTonne, sale.Proceeds, sale.Composition.Households
	if sale.Settled != "" {
		e.body["lianbao:settlement"] = sale.Settled
	}
	return e
}

// at says where an event happened.
func (d writer) at(e event, store string) {
	place := map[string]any{"id": d.name("store", d.Terms.Scheme, store)}
	e.body["readPoint"], e.body["bizLocation"] = place, place
}

// keeper is who keeps a store; of one that is not agreed on any more, the cooperative.
func (d writer) keeper(store string) string {
	for _, s := range d.Terms.Agreement.Stores {
		if s.Store == store {
			return s.Organisation
		}
	}
	return d.Terms.Organisation
}

func source(kind, name string) map[string]any {
	return map[string]any{"type": kind, "source": name}
}

func destination(kind, name string) map[string]any {
	return map[string]any{"type": kind, "destination": name}
}

func (d writer) quantities(list []harvest.Weighed) []any {
	quantities := make([]any, len(list))
	for i, weighed := range list {
		quantities[i] = d.quantity(d.lots[weighed.Lot], weighed.Grams)
	}
	return quantities
}

func (d writer) quantity(lot harvest.Lot, grams int64) map[string]any {
	return map[string]any{"epcClass": d.class(lot), "quantity": kilograms(grams), "uom": "KGM"}
}

// kilograms writes grams as a JSON number of kilograms, exactly.
func kilograms(grams int64) json.Number {
	text := fmt.Sprintf("%d.%03d", grams/1000, grams%1000)
	return json.Number(strings.TrimSuffix(strings.TrimRight(text, "0"), "."))
}
