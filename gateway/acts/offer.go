package acts

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Place is a page on which an act stands.
type Place string

// The pages of a scheme, and what of it each is about.
const (
	SchemePage    Place = "scheme"
	GroupPage     Place = "group"
	LoanPage      Place = "loan"
	HouseholdPage Place = "household"
	SalePage      Place = "sale"
)

// places are where acts about one thing of a scheme stand.
var places = map[string]Place{"group": GroupPage, "loan": LoanPage, "order": LoanPage, "sale": SalePage}

// on names the pages of an act that stands elsewhere than what it is about says.
func (a Act) on(pages ...Place) Act { a.Places = pages; return a }

// Stands reports whether an act stands on a page.
func (a Act) Stands(page Place) bool {
	for _, place := range a.Places {
		if place == page {
			return true
		}
	}
	return len(a.Places) == 0 && !a.Apart && page == placeOf(a)
}

func placeOf(a Act) Place {
	if place, known := places[a.Of]; known {
		return place
	}
	return SchemePage
}

// Offered reports whether an act can be begun as things stand, with what its page
// knows of it: the contract judges the command with samples in the fields that are
// still to be filled in. What it refuses for such a field can be mended in the
// form; what it refuses for anything else cannot, and the act is not offered. Samples
// may be given by the names of fields and columns; an empty one says that there is
// nothing that could stand there.
func (a Act) Offered(ctx context.Context, asker Asker, account tape.AccountID, known, samples map[string]string) (bool, error) {
	g, err := a.ground(ctx, asker, account)
	if err != nil {
		return false, err
	}
	f := &form{act: a, ground: g, begun: a.begun(g), id: NewID(a.Name)}
	for choice := 0; ; choice++ {
		f.answers, f.faults = Answers{Texts: map[string]string{}, Rows: map[string][][]string{}}, nil
		maps.Copy(f.answers.Texts, known)
		sampled, choices, possible := f.sample(choice, samples)
		if !possible {
			return false, g.err
		}
		offered, retry := f.tried(sampled)
		if g.err != nil || offered || !retry || choice+1 >= choices {
			return offered, g.err
		}
	}
}

// tried judges a command with samples; retry says that another choice might be let through.
func (f *form) tried(sampled map[string]bool) (offered, retry bool) {
	g, a := f.ground, f.act
	command := a.read(f)
	if g.err != nil {
		return false, false
	}
	var signers []Signer
	amount := ""
	if a.signers != nil {
		signers, amount = a.signers(g, command)
	}
	err := g.judged(a.Function, command, amount, signers)
	refusal, refused := refusalOf(err)
	if !refused {
		return g.err == nil, false // what could not be judged is left to the ledger
	}
	if unsure[refusal.Code] && len(sampled) > 0 {
		return true, false
	}
	if a.mendable(a.Place(err), sampled) || a.mendable(err, sampled) {
		return true, false
	}
	return false, refusal.Code == rule.Early && len(sampled) == 1
}

// unsure are refusals that a sample may have earned.
var unsure = map[rule.Code]bool{rule.Invalid: true, rule.Conflict: true, rule.Insufficient: true}

// mendable reports whether what is refused is about a field that is still to be
// filled in, or about what such fields are part of.
func (a Act) mendable(err error, sampled map[string]bool) bool {
	var faults Faults
	if errors.As(err, &faults) && len(faults) > 0 && faults[0].Field != "" {
		return sampled[faults[0].Field]
	}
	refusal, refused := refusalOf(err)
	if !refused {
		return false
	}
	whole, _ := refusal.Pointer()
	return whole != "" && slices.ContainsFunc(a.Fields, func(f Field) bool { return sampled[f.Name] && strings.HasPrefix(f.path(), whole+".") })
}

// sample fills what is required and not known, choices with their nth, and says
// which fields those are and how many choices there are; what else is not required
// can be mended too, and is left empty. An amount is filled in all the same: rules take none without one.
func (f *form) sample(nth int, samples map[string]string) (sampled map[string]bool, choices int, possible bool) {
	sampled, possible = map[string]bool{}, true
	of := func(field Field) string {
		sample, given := samples[field.Name]
		if possible = possible && (!given || sample != "" || !field.Required); given && sample != "" {
			return sample
		}
		return f.sampleOf(field, nth)
	}
	for _, field := range f.act.Fields {
		if _, known := f.answers.Texts[field.Name]; known || field.Kind == Given {
			continue
		}
		sampled[field.Name] = true
		switch {
		case !field.Required && field.Kind != Amount || f.text(field.Name) != "" || len(f.rows(field.Name)) > 0:
		case field.Kind == Rows:
			row := make([]string, len(field.Columns))
			for i, column := range field.Columns {
				column.Required = field.Required
				row[i] = of(column)
			}
			f.answers.Rows[field.Name] = [][]string{row}
		default:
			choices = max(choices, len(field.Choices))
			f.answers.Texts[field.Name] = of(field)
		}
	}
	return sampled, choices, possible
}

// sampleOf is something that could stand in a field.
func (f *form) sampleOf(field Field, nth int) string {
	switch field.Kind {
	case Choice:
		return field.Choices[min(nth, len(field.Choices)-1)]
	case Mark:
		return "true"
	case Document:
		return strings.Repeat("ab", 32)
	case Day:
		return string(f.ground.context().Date.AddDays(1))
	case Account:
		return f.sampleAccount(field.Name)
	}
	switch field.Name {
	case "person", "agent":
		return string(f.ground.Person)
	case "fingerprint":
		return strings.Repeat("A", fingerprintSigns)
	}
	return "1"
}

// fingerprintSigns are as long as a fingerprint on the ledger.
const fingerprintSigns = 22

// sampleAccount is an account of nobody: a household of the scheme, or one outside.
func (f *form) sampleAccount(field string) string {
	switch field {
	case "household", "other", "guarantor", "receiver", "payer":
		_, name, _ := strings.Cut(strings.TrimPrefix(string(f.ground.subject), "coop:"), ":")
		return "household:" + string(tape.PseudonymFrom("a household of nobody")) + ":" + name
	}
	return "outside:supplier:nobody"
}
