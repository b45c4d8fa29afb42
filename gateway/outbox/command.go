package outbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// State is where a command stands.
type State string

// A command waits until it is submitted; it is done when the ledger holds it,
// refused when the rules said no, failed when it was given up and is certain
// not to stand on the ledger. Refused and failed commands left no trace there,
// so they may be sent again.
const (
	Waiting   State = "waiting"
	Submitted State = "submitted"
	Done      State = "done"
	Refused   State = "refused"
	Failed    State = "failed"
)

// Ended reports whether nothing more will happen.
func (s State) Ended() bool { return s == Done || s == Refused || s == Failed }

// Command is one argument of one contract function, accepted to be carried to the ledger.
type Command struct {
	// Sequence is the order of acceptance.
	Sequence int64
	// ID is the entry's id, which the client chose; it is unique in the organisation.
	ID       string
	Function string
	// Account is the lane that the command goes through.
	Account string
	// Argument is dropped once the ledger holds it.
	Argument []byte
	// Gathered is the kind of the members that the command was made of; empty when a client sent it whole.
	Gathered      string
	State         State
	TransactionID string
	// Entry is what the ledger replied, Block where it stands.
	Entry []byte
	Block uint64
	// Reason is the refusal in its one spelling, or why the command failed.
	Reason string
	// Accepted and Ended are milliseconds since 1970; Ended is 0 while the command is open.
	Accepted, Ended int64
}

// Receipt is the ledger's answer.
type Receipt struct {
	Entry         []byte
	TransactionID string
	Block         uint64
}

func digest(function string, argument []byte) []byte {
	hash := sha256.New()
	hash.Write([]byte(function))
	hash.Write([]byte{0})
	hash.Write(argument)
	return hash.Sum(nil)
}

const commandColumns = "sequence, id, function, account, argument, gathered, state, transaction_id, entry, block, reason, accepted, ended"

type row interface{ Scan(...any) error }

func scanCommand(r row, more ...any) (Command, error) {
	var c Command
	err := r.Scan(append([]any{&c.Sequence, &c.ID, &c.Function, &c.Account, &c.Argument, &c.Gathered, &c.State,
		&c.TransactionID, &c.Entry, &c.Block, &c.Reason, &c.Accepted, &c.Ended}, more...)...)
	return c, err
}

// Accept takes a command. The same id with the same content is the same
// command, and is answered as it stands now; other content is refused, unless
// what had the id before was refused itself and so never came to be.
func (o *Outbox) Accept(ctx context.Context, c Command) (accepted Command, fresh bool, err error) {
	err = o.write(ctx, func(s *session) error {
		var before []byte
		found, err := s.get("SELECT "+commandColumns+", digest FROM command WHERE id = ?", []any{c.ID}, func(r row) error {
			accepted, err = scanCommand(r, &before)
			return err
		})
		switch {
		case err != nil:
			return err
		case !found:
		case accepted.State == Refused || accepted.State == Failed:
			if _, err := s.exec("DELETE FROM command WHERE id = ?", c.ID); err != nil {
				return err
			}
		case !bytes.Equal(before, digest(c.Function, c.Argument)):
			return rule.Field("id", rule.Refuse(rule.Exists, "entry %s was sent before with other content; choose another id", c.ID))
		default:
			return nil
		}
		fresh = true
		accepted, err = o.insert(s, c)
		return err
	})
	return accepted, fresh && err == nil, err
}

func (o *Outbox) insert(s *session, c Command) (Command, error) {
	c.State, c.Accepted = Waiting, o.now()
	result, err := s.exec("INSERT INTO command (id, function, account, digest, argument, gathered, state, accepted) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		c.ID, c.Function, c.Account, digest(c.Function, c.Argument), c.Argument, c.Gathered, c.State, c.Accepted)
	if err != nil {
		return Command{}, err
	}
	c.Sequence, err = result.LastInsertId()
	return c, err
}

// Command returns a command by its id.
func (o *Outbox) Command(ctx context.Context, id string) (c Command, found bool, err error) {
	found, err = o.get(ctx, "SELECT "+commandColumns+" FROM command WHERE id = ?", []any{id}, func(r row) error {
		c, err = scanCommand(r)
		return err
	})
	return c, found, err
}

// Open calls each with every command that has not ended, in order, without its argument.
func (o *Outbox) Open(ctx context.Context, each func(Command)) error {
	const query = `SELECT sequence, id, function, account, NULL, gathered, state, transaction_id,
		entry, block, reason, accepted, ended FROM command WHERE ended = 0 ORDER BY sequence`
	return o.each(ctx, query, nil, func(r row) error {
		c, err := scanCommand(r)
		if err == nil {
			each(c)
		}
		return err
	})
}

// Sent notes the transaction that carries a command, before it leaves: after a
// crash its fate is asked before anything new is sent.
func (o *Outbox) Sent(ctx context.Context, id, transactionID string) error {
	return o.write(ctx, func(s *session) error {
		return one(s.exec("UPDATE command SET state = ?, transaction_id = ? WHERE id = ? AND ended = 0", Submitted, transactionID, id))
	})
}

// Finish notes that the ledger holds a command. The argument is in the blocks now.
func (o *Outbox) Finish(ctx context.Context, id string, receipt Receipt) error {
	return o.write(ctx, func(s *session) error {
		return one(s.exec("UPDATE command SET state = ?, transaction_id = ?, entry = ?, block = ?, ended = ?, argument = NULL, reason = '' WHERE id = ? AND ended = 0",
			Done, receipt.TransactionID, receipt.Entry, receipt.Block, o.now(), id))
	})
}

// End notes that a command was refused or given up. Members that were gathered
// into it are free again, or end with the same reason: see Drop.
func (o *Outbox) End(ctx context.Context, id string, state State, reason string) error {
	return o.write(ctx, func(s *session) error {
		if _, err := s.exec("UPDATE member SET command = NULL, reason = ? WHERE command = (SELECT sequence FROM command WHERE id = ?)", reason, id); err != nil {
			return err
		}
		return one(s.exec("UPDATE command SET state = ?, reason = ?, ended = ? WHERE id = ? AND ended = 0", state, reason, o.now(), id))
	})
}

// one refuses a change that met no open command: two lanes would be carrying it.
func one(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, errors.New("the command is not open"))
	}
	return nil
}
