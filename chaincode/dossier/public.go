package dossier

import (
	"time"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// RetentionYearsMax is the longest that a value can be bound to be kept: the
// longer of the two terms of accounting files that are not kept for ever
// (会计档案管理办法, 2015, Article 14).
const RetentionYearsMax = 30

// CiteCommand notes on the ledger that a private value is kept.
type CiteCommand struct {
	Class      Class      `json:"class"`
	Collection Collection `json:"collection"`
	Hash       Hash       `json:"hash"`
	ID         Pseudonym  `json:"id"`
	// KeepUntil is the first day on which the value may be purged; none for any day.
	KeepUntil tape.Date `json:"keepUntil,omitempty"`
	Record    Pseudonym `json:"record"`
}

// CiteNames are its fields.
func CiteNames() []string {
	return []string{"class", "collection", "hash", "id", "keepUntil", "record"}
}

// StrikeCommand notes on the ledger that a private value was purged.
type StrikeCommand struct {
	Class      Class      `json:"class"`
	Collection Collection `json:"collection"`
	Hash       Hash       `json:"hash"`
	ID         Pseudonym  `json:"id"`
	Reason     Reason     `json:"reason"`
	Record     Pseudonym  `json:"record"`
}

// StrikeNames are its fields.
func StrikeNames() []string {
	return []string{"class", "collection", "hash", "id", "reason", "record"}
}

// ShowQuery asks a member's peer for a value.
type ShowQuery struct {
	Collection Collection `json:"collection"`
	Record     Pseudonym  `json:"record"`
}

// ShowNames are its fields.
func ShowNames() []string { return []string{"collection", "record"} }

// Check refuses what is spelled wrongly.
func (q ShowQuery) Check() error {
	return rule.First(rule.Field("collection", q.Collection.Check()), rule.Field("record", q.Record.Check()))
}

// Check refuses what is spelled wrongly.
func (c CiteCommand) Check() error {
	return rule.First(rule.Field("id", c.ID.Check()), rule.Field("collection", c.Collection.Check()), rule.Field("record", c.Record.Check()),
		rule.Field("class", c.Class.Check()))
}

// Check refuses what is spelled wrongly.
func (c StrikeCommand) Check() error {
	return rule.First(rule.Field("id", c.ID.Check()), rule.Field("collection", c.Collection.Check()), rule.Field("record", c.Record.Check()),
		rule.Field("class", c.Class.Check()), rule.Field("reason", c.Reason.Check()))
}

// Cite compares the hashes that Fabric shows with what the keeper says, and
// notes it for all. It sees no private value.
func Cite(state PublicState, c CiteCommand, ctx tape.Context) (Note, tape.Entry, error) {
	mark := Mark{V: 1, Class: c.Class, Hash: c.Hash, Organisation: ctx.Organisation, Record: c.Record, State: Kept}
	if err := rule.First(c.Check(), carried(ctx), c.Collection.Open(state.MSP), retained(c.KeepUntil, ctx.Date), state.shows(mark)); err != nil {
		return Note{}, tape.Entry{}, err
	}
	if err := state.Note.renewable(c); err != nil {
		return Note{}, tape.Entry{}, err
	}
	entry := ctx.Entry(c.ID.ID(), "cite", string(c.Record))
	return Note{V: 1, Class: c.Class, Collection: c.Collection, Entry: entry.Reference(), Hash: c.Hash, KeepUntil: c.KeepUntil,
		Organisation: ctx.Organisation, Record: c.Record, State: Kept}, entry, nil
}

// retained refuses a day that has passed, and one that nobody will live to see.
func retained(until, today tape.Date) error {
	if until == "" {
		return nil
	}
	if until.Check() != nil {
		return rule.Field("keepUntil", rule.Refuse(rule.Invalid, "is not a date; write it as 2026-11-22"))
	}
	now, err := time.Parse(time.DateOnly, string(today))
	if err != nil {
		return rule.Refuse(rule.Invalid, "the business date cannot be read")
	}
	if last := tape.Date(now.AddDate(RetentionYearsMax, 0, 0).Format(time.DateOnly)); until <= today || until > last {
		return rule.Field("keepUntil", rule.Refuse(rule.Invalid, "must lie after %s and not after %s", today, last))
	}
	return nil
}

// shows refuses what the private hashes do not bear out.
func (s PublicState) shows(mark Mark) error {
	switch {
	case mark.State == Kept && s.Value == nil:
		return rule.Field("record", rule.Refuse(rule.NotFound, "holds no value in that collection"))
	case mark.State == Kept && *s.Value != mark.Hash:
		return rule.Field("hash", rule.Refuse(rule.Conflict, "is not that of the value that is kept"))
	case mark.State == Purged && s.Value != nil:
		return rule.Field("record", rule.Refuse(rule.WrongState, "still holds a value; purge it first"))
	case s.Mark == nil:
		return rule.Field("record", rule.Refuse(rule.NotFound, "is not known in that collection"))
	}
	encoded, err := canonical.Encode(mark)
	if err != nil {
		return err
	}
	if HashOf(encoded) != *s.Mark {
		return rule.Field("record", rule.Refuse(rule.Conflict, "was %s by another organisation, or with another class, hash or reason", mark.State))
	}
	return nil
}

// renewable refuses a note that would shorten how long a value must be kept.
func (n *Note) renewable(c CiteCommand) error {
	switch {
	case n == nil:
		return nil
	case n.State == Purged:
		return rule.Field("record", rule.Refuse(rule.WrongState, "was purged, by entry %s", n.Entry))
	case c.KeepUntil < n.KeepUntil && n.Hash == c.Hash:
		return rule.Field("keepUntil", rule.Refuse(rule.Conflict, "is before %s, which entry %s promises", n.KeepUntil, n.Entry))
	}
	return nil
}

// Strike compares the hashes that Fabric shows with what the keeper says it
// purged, and notes it for all.
func Strike(state PublicState, c StrikeCommand, ctx tape.Context) (Note, tape.Entry, error) {
	mark := Mark{V: 1, Class: c.Class, Hash: c.Hash, Organisation: ctx.Organisation, Reason: c.Reason, Record: c.Record, State: Purged}
	if err := rule.First(c.Check(), carried(ctx), c.Collection.Open(state.MSP), state.shows(mark)); err != nil {
		return Note{}, tape.Entry{}, err
	}
	if state.Note != nil && state.Note.State == Purged {
		return Note{}, tape.Entry{}, rule.Field("record", rule.Refuse(rule.WrongState, "is marked as purged already, by entry %s", state.Note.Entry))
	}
	entry := ctx.Entry(c.ID.ID(), "strike", string(c.Record))
	note := Note{V: 1, Class: c.Class, Collection: c.Collection, Entry: entry.Reference(), Hash: c.Hash,
		Organisation: ctx.Organisation, Reason: c.Reason, Record: c.Record, State: Purged}
	if state.Note != nil {
		note.KeepUntil = state.Note.KeepUntil
	}
	return note, entry, nil
}
