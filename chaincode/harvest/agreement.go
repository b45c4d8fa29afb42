package harvest

import (
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// ListMax is the most words that one list of an agreement holds.
const ListMax = 64

// partsPerOne is the whole of a share in parts per million.
const partsPerOne = 1_000_000

// Agreement is what a cooperative and another organisation agree on before
// anything is weighed: words and ranges that nobody chooses at the scale.
type Agreement struct {
	// Commodity is the crop, such as coffee.
	Commodity string `json:"commodity"`
	// Costs are the kinds of costs that a sale bears.
	Costs []string `json:"costs,omitempty"`
	// Deductions are what is taken off a weight, such as moisture, damaged, foreign.
	Deductions []string `json:"deductions,omitempty"`
	// Forms are what the crop passes through, such as cherry, parchment, green.
	Forms     []Form    `json:"forms"`
	Processes []Process `json:"processes,omitempty"`
	Stores    []Store   `json:"stores"`
}

// Form is a form of the crop and the grades that are told apart in it.
type Form struct {
	Form   string   `json:"form"`
	Grades []string `json:"grades"`
}

// Process makes one form out of another, or cleans or sorts within one. Its
// yield is what comes out for a million that go in: outside the range a second
// organisation signs. Nothing comes out heavier than it went in.
type Process struct {
	From                    string `json:"from"`
	Process                 string `json:"process"`
	To                      string `json:"to"`
	YieldMaxPartsPerMillion int32  `json:"yieldMaxPartsPerMillion"`
	YieldMinPartsPerMillion int32  `json:"yieldMinPartsPerMillion"`
}

// Store is a place where lots lie, and the organisation that keeps it.
type Store struct {
	Organisation string `json:"organisation"`
	Store        string `json:"store"`
}

// words refuses a list with too many, doubled or malformed words.
func words(name string, least int, list []string) error {
	if len(list) < least || len(list) > ListMax {
		return rule.Field(name, rule.Refuse(rule.Invalid, "holds %d; %d to %d are possible", len(list), least, ListMax))
	}
	for i, word := range list {
		if err := tape.CheckSegment(word); err != nil {
			return rule.Item(name, i, err)
		}
		if slices.Contains(list[:i], word) {
			return rule.Item(name, i, rule.Refuse(rule.Invalid, "%s stands twice", word))
		}
	}
	return nil
}

// names are one word of each element, for the check of the list.
func names[E any](list []E, name func(E) string) []string {
	all := make([]string, len(list))
	for i, element := range list {
		all[i] = name(element)
	}
	return all
}

// Check refuses an agreement that contradicts itself.
func (a Agreement) Check() error {
	if err := rule.First(rule.Field("commodity", tape.CheckSegment(a.Commodity)), words("costs", 0, a.Costs), words("deductions", 0, a.Deductions),
		words("forms", 1, names(a.Forms, func(f Form) string { return f.Form })), words("processes", 0, names(a.Processes, func(p Process) string { return p.Process })),
		words("stores", 1, names(a.Stores, func(s Store) string { return s.Store }))); err != nil {
		return err
	}
	for i, form := range a.Forms {
		if err := words("grades", 1, form.Grades); err != nil {
			return rule.Item("forms", i, err)
		}
	}
	for i, process := range a.Processes {
		if err := a.possible(process); err != nil {
			return rule.Item("processes", i, err)
		}
	}
	for i, store := range a.Stores {
		if err := rule.Field("organisation", tape.CheckSegment(store.Organisation)); err != nil {
			return rule.Item("stores", i, err)
		}
	}
	return nil
}

func (a Agreement) possible(p Process) error {
	if a.form(p.From) == nil {
		return rule.Field("from", rule.Refuse(rule.NotFound, "the agreement has no form of this name"))
	}
	if a.form(p.To) == nil {
		return rule.Field("to", rule.Refuse(rule.NotFound, "the agreement has no form of this name"))
	}
	if p.YieldMinPartsPerMillion < 1 || p.YieldMinPartsPerMillion > p.YieldMaxPartsPerMillion || p.YieldMaxPartsPerMillion > partsPerOne {
		return rule.Field("yieldMinPartsPerMillion", rule.Refuse(rule.Invalid, "%d to %d is no range within 1 to %d", p.YieldMinPartsPerMillion, p.YieldMaxPartsPerMillion, partsPerOne))
	}
	return nil
}

func (a Agreement) form(name string) *Form {
	for _, form := range a.Forms {
		if form.Form == name {
			return &form
		}
	}
	return nil
}

// graded refuses a form or a grade that is not agreed.
func (a Agreement) graded(name, grade string) error {
	form := a.form(name)
	if form == nil {
		return rule.Field("form", rule.Refuse(rule.NotFound, "is not one of %s", strings.Join(names(a.Forms, func(f Form) string { return f.Form }), ", ")))
	}
	if !slices.Contains(form.Grades, grade) {
		return rule.Field("grade", rule.Refuse(rule.NotFound, "is not one of %s", strings.Join(form.Grades, ", ")))
	}
	return nil
}

func (a Agreement) process(name string) (Process, error) {
	for _, process := range a.Processes {
		if process.Process == name {
			return process, nil
		}
	}
	return Process{}, rule.Field("process", rule.Refuse(rule.NotFound, "is not one of %s", strings.Join(names(a.Processes, func(p Process) string { return p.Process }), ", ")))
}

// keeper is the organisation that keeps a store.
func (a Agreement) keeper(name string) (string, error) {
	for _, store := range a.Stores {
		if store.Store == name {
			return store.Organisation, nil
		}
	}
	return "", rule.Field("store", rule.Refuse(rule.NotFound, "is not one of %s", strings.Join(names(a.Stores, func(s Store) string { return s.Store }), ", ")))
}

// Agree lays down what is agreed about a scheme's harvest, or changes it.
type Agree struct {
	Account   tape.AccountID `json:"account"`
	Agreement Agreement      `json:"agreement"`
	ID        tape.ID        `json:"id"`
}

// Apply judges the command: organisation is the cooperative whose account the
// scheme is, known what was agreed before, nil for nothing. Maker and checker of
// the cooperative are checked against the policy by the caller; a second
// organisation signs too, so that nobody widens a yield alone.
func (c Agree) Apply(organisation string, known *Terms, ctx tape.Context) (Terms, tape.Entry, error) {
	terms := Terms{V: 1, Scheme: c.Account, Organisation: organisation, Version: 1, Agreement: c.Agreement}
	if known != nil {
		terms.Version = known.Version + 1
	}
	if err := rule.First(terms.governs(ctx), c.cooperative(ctx), rule.Field("agreement", c.Agreement.Check()), terms.second(ctx, "what is agreed")); err != nil {
		return Terms{}, tape.Entry{}, err
	}
	entry := ctx.Entry(c.ID, "agree", string(c.Account))
	terms.Entry = entry.Reference()
	return terms, entry, nil
}

func (c Agree) cooperative(ctx tape.Context) error {
	if !ctx.Has(party.Cooperative) || !strings.HasPrefix(string(c.Account), "coop:") {
		return rule.Field("account", rule.Refuse(rule.Forbidden, "%s is not the account of a cooperative that holds the power of one", c.Account))
	}
	return nil
}

// governs refuses whoever is not the gateway of the scheme's cooperative.
func (t Terms) governs(ctx tape.Context) error {
	if ctx.Role != party.RoleGateway || ctx.Organisation != t.Organisation {
		return rule.Refuse(rule.Forbidden, "%s (role %s) does not carry commands about the harvest of %s; the gateway of %s does", ctx.Organisation, ctx.Role, t.Scheme, t.Organisation)
	}
	return nil
}

// second asks for the signature of another organisation than the cooperative.
func (t Terms) second(ctx tape.Context, what string) error {
	if !slices.ContainsFunc(ctx.Approvals, func(a tape.Approval) bool { return party.Decides(a) && a.Organisation != t.Organisation }) {
		return rule.Refuse(rule.Forbidden, "one of the staff of another organisation than %s must sign %s too", t.Organisation, what)
	}
	return nil
}
