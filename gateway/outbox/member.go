package outbox

import (
	"context"
	"strconv"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// The kinds of members.
const (
	// Gift members are gathered into pages.
	Gift = "gift"
	// Settlement members are gathered into batches that settle.
	Settlement = "settlement"
)

// Member is one gift or one settlement, accepted to be gathered with others.
type Member struct {
	Sequence int64
	Account  string
	Kind     string
	// ID is the gift's id, or the source that is to be settled.
	ID string
	// Content is what the member adds to the command, in its one spelling.
	Content string
	// After is the sequence of the last command that was accepted before it.
	After int64
	// Reason is why this member was refused, in the one spelling of a refusal.
	Reason string
	// Alone asks for a command of its own: a batch it was in was refused without saying which member is at fault.
	Alone bool
	// Command is the command that carries it; the zero Command while it waits.
	Command Command
}

// State is where the member stands: as its command does, once there is one.
func (m Member) State() State {
	switch {
	case m.Reason != "":
		if _, ok := rule.Parse(m.Reason); !ok {
			return Failed
		}
		return Refused
	case m.Command.ID == "":
		return Waiting
	}
	return m.Command.State
}

const memberQuery = `SELECT m.sequence, m.account, m.kind, m.id, m.content, m.after, m.reason, m.alone,
	COALESCE(c.sequence, 0), COALESCE(c.id, ''), COALESCE(c.function, ''), COALESCE(c.state, ''), COALESCE(c.transaction_id, ''),
	c.entry, COALESCE(c.block, 0), COALESCE(c.reason, '')
	FROM member m LEFT JOIN command c ON c.sequence = m.command `

const theMember = "WHERE m.account = ? AND m.kind = ? AND m.id = ?"

// latest is the sequence of the command accepted last, also of one that is gone.
const latest = "COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'command'), 0)"

func scanMember(r row) (Member, error) {
	var m Member
	c := &m.Command
	err := r.Scan(&m.Sequence, &m.Account, &m.Kind, &m.ID, &m.Content, &m.After, &m.Reason, &m.Alone,
		&c.Sequence, &c.ID, &c.Function, &c.State, &c.TransactionID, &c.Entry, &c.Block, &c.Reason)
	return m, err
}

// Add takes members of one account and kind, all or none. A member that is
// here with the same content is answered as it stands; other content is
// refused, unless what had the id before was refused itself.
func (o *Outbox) Add(ctx context.Context, members []Member) (standing []Member, fresh int, err error) {
	err = o.write(ctx, func(s *session) error {
		standing, fresh = make([]Member, 0, len(members)), 0
		for i, member := range members {
			m, isNew, err := add(s, member)
			if err != nil {
				return rule.Field("["+strconv.Itoa(i)+"]", err)
			}
			if isNew {
				fresh++
			}
			standing = append(standing, m)
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	return standing, fresh, nil
}

func add(s *session, m Member) (Member, bool, error) {
	var found Member
	stands, err := s.get(memberQuery+theMember, []any{m.Account, m.Kind, m.ID}, func(r row) (err error) {
		found, err = scanMember(r)
		return err
	})
	switch {
	case err == nil && !stands:
		result, err := s.exec("INSERT INTO member (account, kind, id, content, after) VALUES (?, ?, ?, ?, "+latest+")", m.Account, m.Kind, m.ID, m.Content)
		if err != nil {
			return Member{}, false, err
		}
		m.Sequence, err = result.LastInsertId()
		return m, true, err
	case err != nil:
		return Member{}, false, err
	case found.State() == Refused || found.State() == Failed:
		_, err := s.exec("UPDATE member SET content = ?, command = NULL, reason = '', alone = 0, after = "+latest+" WHERE sequence = ?", m.Content, found.Sequence)
		m.Sequence = found.Sequence
		return m, true, err
	case found.Content != m.Content:
		return Member{}, false, rule.Field("id", rule.Refuse(rule.Exists, "%s %s of %s was sent before with other content; choose another id", m.Kind, m.ID, m.Account))
	}
	return found, false, nil
}

// Member returns one member as it stands.
func (o *Outbox) Member(ctx context.Context, account, kind, id string) (m Member, found bool, err error) {
	found, err = o.get(ctx, memberQuery+theMember, []any{account, kind, id}, func(r row) error {
		m, err = scanMember(r)
		return err
	})
	return m, found, err
}

// Unbundled returns the members of an account that wait, oldest first.
func (o *Outbox) Unbundled(ctx context.Context, account, kind string, limit int) ([]Member, error) {
	return o.members(ctx, "WHERE m.account = ? AND m.kind = ? AND m.command IS NULL AND m.reason = '' ORDER BY m.sequence LIMIT ?", account, kind, limit)
}

// Members returns the members that were gathered into a command, in order.
func (o *Outbox) Members(ctx context.Context, command string) ([]Member, error) {
	return o.members(ctx, "WHERE m.command = (SELECT sequence FROM command WHERE id = ?) ORDER BY m.sequence", command)
}

func (o *Outbox) members(ctx context.Context, where string, arguments ...any) (all []Member, err error) {
	err = o.each(ctx, memberQuery+where, arguments, func(r row) error {
		m, err := scanMember(r)
		all = append(all, m)
		return err
	})
	return all, err
}

// Backlog is how many members of an account and kind wait to be gathered.
type Backlog struct {
	Account, Kind string
	Count         int
}

// Backlogs counts the members that wait, by account and kind.
func (o *Outbox) Backlogs(ctx context.Context) (all []Backlog, err error) {
	const query = "SELECT account, kind, COUNT(*) FROM member WHERE command IS NULL AND reason = '' GROUP BY account, kind"
	err = o.each(ctx, query, nil, func(r row) error {
		var b Backlog
		err := r.Scan(&b.Account, &b.Kind, &b.Count)
		all = append(all, b)
		return err
	})
	return all, err
}

// Bundle makes a command of members, in one step: from here on its content is
// fixed, and every retry carries the same bytes.
func (o *Outbox) Bundle(ctx context.Context, c Command, members []Member) (bundled Command, err error) {
	err = o.write(ctx, func(s *session) error {
		// A batch that was refused and is asked for again has the same id, because its id is its content's.
		if _, err := s.exec("DELETE FROM command WHERE id = ? AND state IN (?, ?)", c.ID, Refused, Failed); err != nil {
			return err
		}
		if bundled, err = o.insert(s, c); err != nil {
			return err
		}
		for _, m := range members {
			if err := one(s.exec("UPDATE member SET command = ? WHERE sequence = ? AND command IS NULL", bundled.Sequence, m.Sequence)); err != nil {
				return err
			}
		}
		return nil
	})
	return bundled, err
}

// Drop takes a refused batch apart: the member at fault ends with the reason,
// the others wait again. Without a member at fault every one is to go alone.
// The batch itself is forgotten, because it never came to be.
func (o *Outbox) Drop(ctx context.Context, command string, fault *Member, reason string) error {
	return o.write(ctx, func(s *session) error {
		alone := fault == nil
		if fault != nil {
			if _, err := s.exec("UPDATE member SET command = NULL, reason = ? WHERE sequence = ?", reason, fault.Sequence); err != nil {
				return err
			}
		}
		if _, err := s.exec("UPDATE member SET command = NULL, alone = MAX(alone, ?) WHERE command = (SELECT sequence FROM command WHERE id = ?)", alone, command); err != nil {
			return err
		}
		return one(s.exec("DELETE FROM command WHERE id = ? AND ended = 0", command))
	})
}
