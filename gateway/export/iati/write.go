package iati

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Version is the version of the standard that is written.
const Version = "2.03"

// Write checks the document and writes it. Nothing has been written when it
// returns a refusal.
func Write(w io.Writer, d Document) error {
	if err := d.Check(); err != nil {
		return err
	}
	return d.encode(w)
}

// String prints a share as a percentage, 62.5.
func (s Share) String() string {
	sign := ""
	if s < 0 {
		sign, s = "-", -s
	}
	return sign + strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%d.%02d", s/100, s%100), "0"), ".")
}

// Decimal is an amount without its currency: the digits of its one spelling.
func Decimal(a money.Amount) string {
	digits, _, _ := strings.Cut(a.String(), " ")
	return digits
}

// printer writes elements and keeps the first error.
type printer struct {
	w     *bufio.Writer
	err   error
	depth int
}

// attributes are names and values by turns; an empty value is left out.
func (p *printer) tag(name string, closed bool, attributes ...string) {
	p.indent()
	p.put("<" + name)
	for i := 0; i < len(attributes); i += 2 {
		if attributes[i+1] == "" {
			continue
		}
		p.put(" " + attributes[i] + `="`)
		p.escape(attributes[i+1])
		p.put(`"`)
	}
	if closed {
		p.put("/")
	}
	p.put(">")
}

func (p *printer) indent() { p.put("\n" + strings.Repeat("  ", p.depth)) }

// element writes an element around what inner writes; without inner an empty one.
func (p *printer) element(name string, inner func(), attributes ...string) {
	p.tag(name, inner == nil, attributes...)
	if inner == nil {
		return
	}
	p.depth++
	inner()
	p.depth--
	p.indent()
	p.put("</" + name + ">")
}

// text writes an element that holds a text.
func (p *printer) text(name, text string, attributes ...string) {
	p.tag(name, false, attributes...)
	p.escape(text)
	p.put("</" + name + ">")
}

// code writes an empty element with a code, nothing without one.
func (p *printer) code(name, code string) {
	if code != "" {
		p.element(name, nil, "code", code)
	}
}

func (p *printer) put(text string) {
	if p.err == nil {
		_, p.err = p.w.WriteString(text)
	}
}

func (p *printer) escape(text string) {
	if p.err == nil {
		p.err = xml.EscapeText(p.w, []byte(text))
	}
}

func (p *printer) narratives(texts Texts) {
	for _, t := range texts {
		p.text("narrative", t.Text, "xml:lang", t.Language)
	}
}

// encode writes without checking; what goes in has been checked.
func (d Document) encode(w io.Writer) error {
	p := &printer{w: bufio.NewWriter(w)}
	p.put(`<?xml version="1.0" encoding="UTF-8"?>`)
	p.element("iati-activities", func() {
		for _, a := range d.Activities {
			p.activity(a)
		}
	}, "version", Version, "generated-datetime", moment(d.Generated))
	p.put("\n")
	if p.err != nil {
		return p.err
	}
	return p.w.Flush()
}

func moment(at tape.Instant) string {
	if at == 0 {
		return ""
	}
	return at.String()
}

// activity writes children in the order of the schema's sequence, which is part of the standard.
func (p *printer) activity(a Activity) {
	humanitarian := ""
	if a.Humanitarian {
		humanitarian = "1"
	}
	p.element("iati-activity", func() {
		p.text("iati-identifier", a.Identifier)
		p.organisation("reporting-org", a.Reporting, "ref", a.Reporting.Ref, "type", a.Reporting.Type)
		p.element("title", func() { p.narratives(a.Title) })
		p.element("description", func() { p.narratives(a.Description) }, "type", "1")
		for _, o := range a.Participants {
			p.organisation("participating-org", o.Organisation, "ref", o.Ref, "type", o.Type, "role", string(o.Role), "activity-id", o.Activity)
		}
		for _, f := range a.Former {
			p.former(f)
		}
		p.code("activity-status", string(a.Status))
		for _, d := range a.Dates {
			p.element("activity-date", nil, "type", string(d.Type), "iso-date", string(d.Date))
		}
		p.code("activity-scope", a.Scope)
		for _, c := range a.Countries {
			p.element("recipient-country", nil, "code", c.Code, "percentage", percentage(c.Share))
		}
		for _, r := range a.Regions {
			p.element("recipient-region", nil, "code", r.Code, "vocabulary", r.vocabulary(), "percentage", percentage(r.Share))
		}
		p.sectors(a.Sectors)
		p.code("default-flow-type", a.FlowType)
		p.code("default-finance-type", a.FinanceType)
		p.code("default-aid-type", a.AidType)
		p.code("default-tied-status", a.TiedStatus)
		for _, b := range a.Budgets {
			p.budget(b)
		}
		for _, t := range a.Transactions {
			p.transaction(t)
		}
		for _, r := range a.Related {
			p.element("related-activity", nil, "ref", r.Ref, "type", r.Type)
		}
	}, "default-currency", string(a.Currency), "xml:lang", a.Language, "last-updated-datetime", moment(a.Updated), "humanitarian", humanitarian)
}

func percentage(s Share) string {
	if s == 0 {
		return ""
	}
	return s.String()
}

func (p *printer) organisation(name string, o Organisation, attributes ...string) {
	if len(o.Names) == 0 {
		p.element(name, nil, attributes...)
		return
	}
	p.element(name, func() { p.narratives(o.Names) }, attributes...)
}

func (p *printer) former(f Former) {
	if f.Owner.Ref == "" && len(f.Owner.Names) == 0 {
		p.element("other-identifier", nil, "ref", f.Ref, "type", f.Type)
		return
	}
	p.element("other-identifier", func() { p.organisation("owner-org", f.Owner, "ref", f.Owner.Ref) }, "ref", f.Ref, "type", f.Type)
}

func (p *printer) sectors(sectors []Sector) {
	for _, s := range sectors {
		vocabulary, _, _ := sectorGroup(s)
		attributes := []string{"vocabulary", vocabulary, "code", s.Code, "percentage", percentage(s.Share)}
		if len(s.Names) == 0 {
			p.element("sector", nil, attributes...)
			continue
		}
		p.element("sector", func() { p.narratives(s.Names) }, attributes...)
	}
}

func (p *printer) value(a money.Amount, valued tape.Date) {
	p.text("value", Decimal(a), "currency", string(a.Currency), "value-date", string(valued))
}

func (p *printer) budget(b Budget) {
	kind, status := 1, 1
	if b.Revised {
		kind = 2
	}
	if b.Committed {
		status = 2
	}
	p.element("budget", func() {
		p.element("period-start", nil, "iso-date", string(b.From))
		p.element("period-end", nil, "iso-date", string(b.To))
		p.value(b.Value, b.Valued)
	}, "type", strconv.Itoa(kind), "status", strconv.Itoa(status))
}

func (p *printer) transaction(t Transaction) {
	p.element("transaction", func() {
		p.code("transaction-type", string(t.Type))
		p.element("transaction-date", nil, "iso-date", string(t.Date))
		p.value(t.Value, t.valued())
		if len(t.Description) > 0 {
			p.element("description", func() { p.narratives(t.Description) })
		}
		if o := t.Provider; o != nil {
			p.organisation("provider-org", *o, "ref", o.Ref, "type", o.Type, "provider-activity-id", o.Activity)
		}
		if o := t.Receiver; o != nil {
			p.organisation("receiver-org", *o, "ref", o.Ref, "type", o.Type, "receiver-activity-id", o.Activity)
		}
		for _, s := range t.Sectors {
			p.sectors([]Sector{s})
		}
		p.code("recipient-country", t.Country)
		if t.Region != "" {
			p.element("recipient-region", nil, "code", t.Region, "vocabulary", "1")
		}
		p.code("flow-type", t.FlowType)
		p.code("finance-type", t.FinanceType)
		p.code("tied-status", t.TiedStatus)
	}, "ref", t.Reference)
}
