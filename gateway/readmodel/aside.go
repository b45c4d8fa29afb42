package readmodel

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"modernc.org/sqlite"
)

// Aside is a valid transaction that this program does not understand: a record
// that no contract writes, as colluding organisations can forge one, or a form
// that is newer than the program. Nothing of it is counted, and readers of the
// status page, of the API and of an audit are told so. Stopping instead would
// let whoever can write one bad record blind every reader for ever.
type Aside struct {
	Block       uint64 `json:"block"`
	Transaction string `json:"transaction"`
	Function    string `json:"function"`
	// Reason says which key was not understood, and why.
	Reason string `json:"reason"`
}

func (a Aside) String() string {
	return fmt.Sprintf("block %d, transaction %s (%s) is set aside: %s", a.Block, a.Transaction, a.Function, a.Reason)
}

// asideShown bounds the list of what was set aside.
const asideShown = 100

// whole applies what a transaction wrote, all of it or nothing.
func (w *writer) whole(t *Transaction) error {
	if err := w.exec("SAVEPOINT one"); err != nil {
		return err
	}
	err := w.records(t.Writes)
	if err == nil {
		err = w.writePending()
	}
	if err == nil {
		err = w.saveFlows()
	}
	if err != nil {
		if !inTheRecord(err) {
			return err
		}
		if err := w.exec("ROLLBACK TO one"); err != nil {
			return err
		}
		if err := w.exec("INSERT INTO aside VALUES (?, ?, ?, ?)", int64(w.base), t.ID, t.Function, err.Error()); err != nil {
			return err
		}
	}
	return w.exec("RELEASE one")
}

// SQLite's primary result codes that speak of the values it was given.
const (
	sqliteTooBig     = 18
	sqliteConstraint = 19
	sqliteMismatch   = 20
)

// inTheRecord reports whether an error lies in what the ledger holds, and would
// be the same everywhere, and not in this machine.
func inTheRecord(err error) bool {
	var trouble *sqlite.Error
	if errors.As(err, &trouble) {
		code := trouble.Code() & 0xff
		return code == sqliteTooBig || code == sqliteConstraint || code == sqliteMismatch
	}
	for _, machine := range []error{context.Canceled, context.DeadlineExceeded, driver.ErrBadConn, sql.ErrConnDone, sql.ErrTxDone} {
		if errors.Is(err, machine) {
			return false
		}
	}
	return true
}

// aside lists what was set aside, the first first.
func (s *session) aside(ctx context.Context) ([]Aside, error) {
	found := []Aside{}
	err := s.each(ctx, "SELECT ordinal, id, function, reason FROM aside ORDER BY ordinal", nil, func(scan func(...any) error) error {
		if len(found) == asideShown {
			return errEnough
		}
		var a Aside
		var at int64
		if err := scan(&at, &a.Transaction, &a.Function, &a.Reason); err != nil {
			return err
		}
		a.Block = ordinal(at).block()
		found = append(found, a)
		return nil
	})
	return found, err
}
