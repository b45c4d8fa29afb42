package outbox

import (
	"context"
	"database/sql"
	"errors"
)

// session is one connection with the statements prepared on it: reading a
// statement's text costs more than running it.
type session struct {
	connection *sql.Conn
	prepared   map[string]*sql.Stmt
}

func newSession(ctx context.Context, database *sql.DB) (*session, error) {
	connection, err := database.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &session{connection, map[string]*sql.Stmt{}}, nil
}

func (s *session) close() error {
	var failures []error
	for _, statement := range s.prepared {
		failures = append(failures, statement.Close())
	}
	return errors.Join(append(failures, s.connection.Close())...)
}

// prepare does not take the caller's context: the statement outlives the
// request that needed it first, and what runs on it takes microseconds.
func (s *session) prepare(query string) (*sql.Stmt, error) {
	if statement, found := s.prepared[query]; found {
		return statement, nil
	}
	statement, err := s.connection.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	s.prepared[query] = statement
	return statement, nil
}

func (s *session) exec(query string, arguments ...any) (sql.Result, error) {
	statement, err := s.prepare(query)
	if err != nil {
		return nil, err
	}
	return statement.Exec(arguments...)
}

// get reads one row with scan and reports whether there was one.
func (s *session) get(query string, arguments []any, scan func(row) error) (bool, error) {
	statement, err := s.prepare(query)
	if err != nil {
		return false, err
	}
	err = scan(statement.QueryRow(arguments...))
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// each reads all rows with scan.
func (s *session) each(query string, arguments []any, scan func(row) error) error {
	statement, err := s.prepare(query)
	if err != nil {
		return err
	}
	rows, err := statement.Query(arguments...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// read runs reads on one of the reading sessions.
func (o *Outbox) read(ctx context.Context, do func(*session) error) error {
	select {
	case s := <-o.readers:
		defer func() { o.readers <- s }()
		return do(s)
	case <-ctx.Done():
		return ctx.Err()
	case <-o.stop:
		return ErrClosed
	}
}

func (o *Outbox) get(ctx context.Context, query string, arguments []any, scan func(row) error) (found bool, err error) {
	err = o.read(ctx, func(s *session) error {
		found, err = s.get(query, arguments, scan)
		return err
	})
	return found, err
}

func (o *Outbox) each(ctx context.Context, query string, arguments []any, scan func(row) error) error {
	return o.read(ctx, func(s *session) error { return s.each(query, arguments, scan) })
}
