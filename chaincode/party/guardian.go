package party

import (
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Guardian is a person who may speak for another by its own key: for a child,
// or for somebody who cannot. Two organisations vouch for it, as for a key.
type Guardian struct {
	Person tape.ID `json:"person"`
	// Registrar named the guardian, Witness is the second organisation; none yet while it waits.
	Registrar string `json:"registrar"`
	Witness   string `json:"witness,omitempty"`
	// From is when it may speak, fixed by the witness.
	From tape.Instant `json:"from,omitempty"`
	// Ending asked for the end, which a second organisation confirms; none while nobody has.
	Ending string `json:"ending,omitempty"`
}

// GuardianOn returns who may speak for the person at a moment, empty for nobody.
func (p Person) GuardianOn(at tape.Instant) tape.ID {
	if p.Revoked != 0 || p.Guardian == nil || p.Guardian.Witness == "" || at < p.Guardian.From {
		return ""
	}
	return p.Guardian.Person
}

// GuardCommand names a person's guardian or ends that. Two organisations send
// the same: the first names, the second confirms.
type GuardCommand struct {
	End      bool    `json:"end,omitempty"`
	Guardian tape.ID `json:"guardian"`
	ID       tape.ID `json:"id"`
	Person   tape.ID `json:"person"`
}

// GuardState is what Guard reads.
type GuardState struct {
	Policy   Policy  // of PolicyKey
	Person   *Person // PersonKey
	Guardian *Person // PersonKey of the guardian
}

// Guard names a guardian, confirms one that was named, asks for an end, or
// confirms that. First and second are two organisations, and one of them is the
// person's own; a guardian nobody has confirmed is dropped by one of those that
// could stand for it.
func Guard(state GuardState, command GuardCommand, ctx tape.Context) (Outcome, error) {
	if err := rule.First(command.ID.Check(), rule.Field("person", command.Person.Check()), rule.Field("guardian", command.Guardian.Check()), carriedBy(ctx, RoleGateway)); err != nil {
		return Outcome{}, err
	}
	if command.Person == command.Guardian {
		return Outcome{}, rule.Field("guardian", rule.Refuse(rule.Invalid, "nobody is its own guardian"))
	}
	person, err := state.Person.living(command.Person, ctx)
	if err != nil {
		return Outcome{}, err
	}
	if command.End {
		person.Guardian, err = person.unguarded(command, ctx)
	} else {
		person.Guardian, err = person.guarded(state, command, ctx)
	}
	if err != nil {
		return Outcome{}, err
	}
	return person.changed(ctx.Entry(command.ID, "guard", string(command.Person))), nil
}

// guarded names a guardian, or confirms the one that another organisation named.
func (p Person) guarded(state GuardState, command GuardCommand, ctx tape.Context) (*Guardian, error) {
	guardian, err := state.Guardian.guards(command.Guardian)
	if err != nil {
		return nil, rule.Field("guardian", err)
	}
	if p.Guardian == nil {
		return &Guardian{Person: guardian, Registrar: ctx.Organisation}, nil
	}
	known := *p.Guardian
	if known.Person != guardian {
		return nil, rule.Field("guardian", rule.Refuse(rule.WrongState, "person %s has guardian %s; end that first", p.ID, known.Person))
	}
	if known.Witness != "" {
		return nil, rule.Field("guardian", rule.Refuse(rule.Exists, "%s is the guardian of %s since %s", guardian, p.ID, known.From))
	}
	if err := p.second("named this guardian", known.Registrar, ctx); err != nil {
		return nil, err
	}
	known.Witness = ctx.Organisation
	known.From = ctx.At + tape.Instant(state.Policy.Persons.KeyWaitingHours)*tape.Hour
	return &known, nil
}

// guards refuses a guardian who cannot be one: not there, revoked, or itself
// in need of one.
func (p *Person) guards(id tape.ID) (tape.ID, error) {
	switch {
	case p == nil || p.ID != id:
		return "", rule.Refuse(rule.NotFound, "there is no person %s", id)
	case p.Revoked != 0:
		return "", rule.Refuse(rule.WrongState, "person %s is revoked", id)
	case p.Guardian != nil:
		return "", rule.Refuse(rule.WrongState, "person %s has a guardian itself", id)
	}
	return id, nil
}

// unguarded asks for the end of a guardian, or confirms it: then there is none.
func (p Person) unguarded(command GuardCommand, ctx tape.Context) (*Guardian, error) {
	if p.Guardian == nil || p.Guardian.Person != command.Guardian {
		return nil, rule.Field("guardian", rule.Refuse(rule.NotFound, "%s is not the guardian of %s", command.Guardian, p.ID))
	}
	known := *p.Guardian
	switch {
	case known.Witness == "" && (ctx.Organisation == known.Registrar || ctx.Organisation == p.Organisation):
		return nil, nil
	case known.Witness == "":
		return nil, rule.Refuse(rule.Forbidden, "%s named this guardian for a person of %s; one of the two drops it", known.Registrar, p.Organisation)
	case known.Ending == "":
		known.Ending = ctx.Organisation
		return &known, nil
	}
	return nil, p.second("asked for the end", known.Ending, ctx)
}

// second refuses the organisation that did the first half, and two of which
// none is the person's own.
func (p Person) second(did, one string, ctx tape.Context) error {
	if one == ctx.Organisation {
		return rule.Refuse(rule.Forbidden, "%s %s; another organisation confirms it", one, did)
	}
	if one != p.Organisation && ctx.Organisation != p.Organisation {
		return rule.Refuse(rule.Forbidden, "%s %s for a person of %s; only %s can confirm it", one, did, p.Organisation, p.Organisation)
	}
	return nil
}
