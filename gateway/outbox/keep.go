package outbox

import (
	"context"
	"strings"
	"time"
)

// Answer is the first answer to a request that carried an idempotency key.
type Answer struct {
	// Digest is over the request: the same key with another request is a mistake of the client.
	Digest []byte
	Status int
	// Header holds lines "Name: value".
	Header []string
	Body   []byte
}

// Answered returns the first answer to a key.
func (o *Outbox) Answered(ctx context.Context, key string) (a Answer, found bool, err error) {
	var header string
	found, err = o.get(ctx, "SELECT digest, status, header, body FROM answer WHERE key = ?", []any{key}, func(r row) error {
		return r.Scan(&a.Digest, &a.Status, &header, &a.Body)
	})
	if header != "" {
		a.Header = strings.Split(header, "\n")
	}
	return a, found, err
}

// Answer keeps the first answer to a key; a second one is dropped.
func (o *Outbox) Answer(ctx context.Context, key string, a Answer) error {
	return o.write(ctx, func(s *session) error {
		_, err := s.exec("INSERT INTO answer (key, digest, status, header, body, at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
			key, a.Digest, a.Status, strings.Join(a.Header, "\n"), a.Body, o.now())
		return err
	})
}

// Cursor returns a named value, empty where there is none.
func (o *Outbox) Cursor(ctx context.Context, name string) (value string, err error) {
	_, err = o.get(ctx, "SELECT value FROM cursor WHERE name = ?", []any{name}, func(r row) error { return r.Scan(&value) })
	return value, err
}

// SetCursor notes a named value.
func (o *Outbox) SetCursor(ctx context.Context, name, value string) error {
	return o.write(ctx, func(s *session) error {
		_, err := s.exec("INSERT INTO cursor (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
		return err
	})
}

// AddMissing takes those members that do not stand here yet, and returns how
// many they were. Those that do are left as they are, whatever became of them.
func (o *Outbox) AddMissing(ctx context.Context, members []Member) (fresh int, err error) {
	err = o.write(ctx, func(s *session) error {
		fresh = 0
		for _, m := range members {
			result, err := s.exec("INSERT INTO member (account, kind, id, content, after) VALUES (?, ?, ?, ?, "+latest+") ON CONFLICT DO NOTHING", m.Account, m.Kind, m.ID, m.Content)
			if err != nil {
				return err
			}
			added, err := result.RowsAffected()
			if err != nil {
				return err
			}
			fresh += int(added)
		}
		return nil
	})
	return fresh, err
}

// Prune forgets answers given before a moment, and commands that ended before
// it with what settled in them: the ledger knows these by their ids and refuses
// or recognises them itself. Gifts are never forgotten, because the ledger
// knows pages only; they are the one thing that would count twice.
func (o *Outbox) Prune(ctx context.Context, before time.Time) error {
	moment := before.UnixMilli()
	old := "(SELECT sequence FROM command c WHERE ended > 0 AND ended < ? AND gathered <> '" + Gift + "')"
	return o.write(ctx, func(s *session) error {
		for _, statement := range []string{
			"DELETE FROM answer WHERE at < ?",
			"DELETE FROM member WHERE command IN " + old,
			"DELETE FROM command WHERE sequence IN " + old,
			"UPDATE command SET entry = NULL WHERE ended > 0 AND ended < ?",
		} {
			if _, err := s.exec(statement, moment); err != nil {
				return err
			}
		}
		return nil
	})
}
