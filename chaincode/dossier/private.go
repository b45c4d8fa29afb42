package dossier

import (
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// roleGateway is the X.509 role of who may carry a command.
const roleGateway = "gateway"

// The private functions by their full names, as Act keeps them.
const (
	KeepFunction  = "Dossier:Keep"
	PurgeFunction = "Dossier:Purge"
)

// KeepCommand keeps a private value, which travels apart from it.
type KeepCommand struct {
	Collection Collection `json:"collection"`
	// Hash is the SHA-256 of the private value.
	Hash Hash      `json:"hash"`
	ID   Pseudonym `json:"id"`
	// KeepUntil is what Cite will note: it is judged before a value is touched.
	KeepUntil tape.Date `json:"keepUntil,omitempty"`
	Record    Pseudonym `json:"record"`
	// Replaces is the hash of the value that this one takes the place of.
	Replaces *Hash `json:"replaces,omitempty"`
}

// KeepNames are its fields.
func KeepNames() []string {
	return []string{"collection", "hash", "id", "keepUntil", "record", "replaces"}
}

// PurgeCommand removes a private value and its history everywhere.
type PurgeCommand struct {
	Collection Collection `json:"collection"`
	// Hash is that of the value that is meant.
	Hash   Hash      `json:"hash"`
	ID     Pseudonym `json:"id"`
	Reason Reason    `json:"reason"`
	Record Pseudonym `json:"record"`
}

// PurgeNames are its fields.
func PurgeNames() []string { return []string{"collection", "hash", "id", "reason", "record"} }

// Check refuses what is spelled wrongly.
func (c KeepCommand) Check() error {
	return rule.First(rule.Field("id", c.ID.Check()), rule.Field("collection", c.Collection.Check()), rule.Field("record", c.Record.Check()))
}

// Check refuses what is spelled wrongly.
func (c PurgeCommand) Check() error {
	return rule.First(rule.Field("id", c.ID.Check()), rule.Field("collection", c.Collection.Check()), rule.Field("record", c.Record.Check()),
		rule.Field("reason", c.Reason.Check()))
}

// Mark is what a value that was kept by this command is known by.
func (c KeepCommand) Mark(class Class, organisation string) Mark {
	return Mark{V: 1, Class: class, Hash: c.Hash, Organisation: organisation, Record: c.Record, State: Kept}
}

// Mark is what a value that was purged by this command is known by.
func (c PurgeCommand) Mark(class Class, organisation string) Mark {
	return Mark{V: 1, Class: class, Hash: c.Hash, Organisation: organisation, Reason: c.Reason, Record: c.Record, State: Purged}
}

// Keep judges a new private value, or one that takes the place of another.
func Keep(state PrivateState, c KeepCommand, data []byte, ctx tape.Context) (PrivateOutcome, error) {
	if err := rule.First(c.Check(), carried(ctx), c.Collection.Open(state.MSP)); err != nil {
		return PrivateOutcome{}, err
	}
	if HashOf(data) != c.Hash {
		return PrivateOutcome{}, rule.Field("hash", rule.Refuse(rule.Conflict, "is not the SHA-256 of the transient value"))
	}
	outcome := PrivateOutcome{Act: Act{V: 1, Command: ctx.Command, Function: KeepFunction},
		Answer: Answer{V: 1, Collection: c.Collection, Hash: c.Hash, ID: c.ID, Organisation: ctx.Organisation, Record: c.Record, State: Kept}}
	if state.Act != nil {
		return outcome, state.Act.again(outcome.Act)
	}
	value, err := ReadValue(data)
	if err := rule.First(rule.Field("value", err), retained(c.KeepUntil, ctx.Date)); err != nil {
		return PrivateOutcome{}, err
	}
	mark := c.Mark(value.Class, ctx.Organisation)
	if err := state.replaceable(c, mark, ctx); err != nil {
		return PrivateOutcome{}, err
	}
	outcome.Mark, outcome.Value = &mark, data
	return outcome, nil
}

// replaceable refuses a value whose place is taken.
func (s PrivateState) replaceable(c KeepCommand, mark Mark, ctx tape.Context) error {
	switch {
	case s.Mark != nil && s.Mark.Organisation != mark.Organisation:
		return rule.Field("record", rule.Refuse(rule.Forbidden, "is kept by %s", s.Mark.Organisation))
	case s.Mark != nil && s.Mark.State == Purged, s.Note != nil && s.Note.State == Purged:
		return rule.Field("record", rule.Refuse(rule.WrongState, "was purged; a value about the same person needs a record of its own"))
	case s.Mark == nil && c.Replaces != nil:
		return rule.Field("replaces", rule.Refuse(rule.NotFound, "there is no value to replace"))
	case s.Mark == nil:
		return nil
	case c.Replaces == nil:
		return rule.Field("record", rule.Refuse(rule.Exists, "holds a value already; name its hash in replaces, or choose another record"))
	case *c.Replaces != s.Mark.Hash:
		return rule.Field("replaces", rule.Refuse(rule.Conflict, "is not the hash of the value that is kept"))
	case c.Hash == s.Mark.Hash:
		return rule.Field("hash", rule.Refuse(rule.Conflict, "is that of the value that is kept; draw a new salt"))
	case s.Mark.Class != mark.Class:
		return rule.Field("value", rule.Field("class", rule.Refuse(rule.Conflict, "is another than the kept value's; choose another record")))
	}
	return s.Note.free(ctx.Date)
}

// Purge judges whether a value may go.
func Purge(state PrivateState, c PurgeCommand, ctx tape.Context) (PrivateOutcome, error) {
	if err := rule.First(c.Check(), carried(ctx), c.Collection.Open(state.MSP)); err != nil {
		return PrivateOutcome{}, err
	}
	outcome := PrivateOutcome{Act: Act{V: 1, Command: ctx.Command, Function: PurgeFunction},
		Answer: Answer{V: 1, Collection: c.Collection, Hash: c.Hash, ID: c.ID, Organisation: ctx.Organisation, Record: c.Record, State: Purged}}
	switch {
	case state.Act != nil:
		return outcome, state.Act.again(outcome.Act)
	case state.Mark == nil:
		return PrivateOutcome{}, rule.Field("record", rule.Refuse(rule.NotFound, "holds no value"))
	case state.Mark.Organisation != ctx.Organisation:
		return PrivateOutcome{}, rule.Field("record", rule.Refuse(rule.Forbidden, "is kept by %s", state.Mark.Organisation))
	case state.Mark.State == Purged:
		return PrivateOutcome{}, rule.Field("record", rule.Refuse(rule.WrongState, "is purged already"))
	case state.Mark.Hash != c.Hash:
		return PrivateOutcome{}, rule.Field("hash", rule.Refuse(rule.Conflict, "is not the hash of the value that is kept"))
	}
	if err := state.Note.free(ctx.Date); err != nil {
		return PrivateOutcome{}, err
	}
	mark := c.Mark(state.Mark.Class, ctx.Organisation)
	outcome.Mark, outcome.Purge = &mark, true
	return outcome, nil
}

// carried refuses an identity of another role.
func carried(ctx tape.Context) error {
	if ctx.Role != roleGateway {
		return rule.Refuse(rule.Forbidden, "this needs the role %s; the caller's is %.40q", roleGateway, ctx.Role)
	}
	return nil
}

// again answers a command whose id is taken.
func (a Act) again(asked Act) error {
	if a.Command != asked.Command || a.Function != asked.Function {
		return rule.Field("id", rule.Refuse(rule.Exists, "is taken by another command; draw another"))
	}
	return nil
}

// free refuses to touch a value that must be kept on.
func (n *Note) free(today tape.Date) error {
	if n != nil && n.KeepUntil > today {
		return rule.Field("record", rule.Refuse(rule.WrongState, "must be kept until %s, by entry %s", n.KeepUntil, n.Entry))
	}
	return nil
}
