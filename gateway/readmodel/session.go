package readmodel

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
)

// session is one connection with the statements prepared on it.
type session struct {
	connection *sql.Conn
	prepared   map[string]*sql.Stmt
}

func newSession(ctx context.Context, database *sql.DB) (*session, error) {
	connection, err := database.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &session{connection: connection, prepared: map[string]*sql.Stmt{}}, nil
}

func (s *session) close() error {
	var failures []error
	for _, statement := range s.prepared {
		failures = append(failures, statement.Close())
	}
	return errors.Join(append(failures, s.connection.Close())...)
}

// discard closes the connection for good, so that the pool below does not hand it out again.
func (s *session) discard() error {
	_ = s.connection.Raw(func(any) error { return driver.ErrBadConn })
	return s.close()
}

func (s *session) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if statement, found := s.prepared[query]; found {
		return statement, nil
	}
	// A statement outlives the request that first needed it.
	statement, err := s.connection.PrepareContext(context.WithoutCancel(ctx), query)
	if err != nil {
		return nil, err
	}
	s.prepared[query] = statement
	return statement, nil
}

// exec runs a statement and returns how many rows it changed.
func (s *session) exec(ctx context.Context, query string, arguments ...any) (int64, error) {
	statement, err := s.prepare(ctx, query)
	if err != nil {
		return 0, err
	}
	result, err := statement.ExecContext(ctx, arguments...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// get reads one row and reports whether there was one.
func (s *session) get(ctx context.Context, query string, arguments []any, into ...any) (bool, error) {
	statement, err := s.prepare(ctx, query)
	if err != nil {
		return false, err
	}
	err = statement.QueryRowContext(ctx, arguments...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// errEnough ends each without being an error. Lists end by it and not by a
// bound LIMIT, whose value SQLite's planner looks at: it would plan the
// statement anew whenever the value changes.
var errEnough = errors.New("enough rows")

// each reads rows one by one. What each does must not use the session: the rows are still open.
func (s *session) each(ctx context.Context, query string, arguments []any, each func(scan func(...any) error) error) error {
	statement, err := s.prepare(ctx, query)
	if err != nil {
		return err
	}
	rows, err := statement.QueryContext(ctx, arguments...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); errors.Is(err, errEnough) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return rows.Err()
}
