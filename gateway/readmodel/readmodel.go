// Package readmodel is the ledger arranged for reading: entries, pages, gifts,
// settlements and moves in SQLite tables.
//
// It is disposable. The rows and the number of the last block read are
// committed together, so a crash leaves whole blocks and nothing else; blocks
// from 0 on give the same tables again, byte for byte, whatever they were
// grouped into. Digest shows that. That is also why SQLite may run with
// synchronous = NORMAL: a power failure can lose the last transactions but
// never half of one, and what is lost is read again from the peer.
//
// The package holds no rule. It takes what the peers found valid as it is, and
// sets a transaction aside, with its reason, where it does not understand it.
package readmodel

import (
	"context"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"sync"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// readers is how many reads go on beside the one writer. Each has a cache of
// its own, and five gateways may share a laptop: 4 of 8 MiB and a writer's 16 MiB are the most.
const readers = 4

// Model is an open read model. One goroutine applies blocks; any number reads.
type Model struct {
	writing, reading *sql.DB
	// apply is held while blocks are applied: SQLite has one writer.
	apply  sync.Mutex
	writer *session
	pool   chan *session

	mutex sync.Mutex
	next  uint64
	// moved is closed, and replaced, when next has moved.
	moved chan struct{}
}

// Open opens or creates the read model in a file.
func Open(ctx context.Context, path string) (*Model, error) {
	// Pages of 16 KiB hold a row of gifts without an overflow chain.
	name := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=page_size(16384)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(10000)&_pragma=temp_store(MEMORY)"
	writing, err := sql.Open("sqlite", name+"&_pragma=cache_size(-16384)")
	if err != nil {
		return nil, err
	}
	m := &Model{writing: writing, moved: make(chan struct{}), pool: make(chan *session, readers)}
	if err := m.open(ctx, name+"&_pragma=cache_size(-8192)&_pragma=query_only(1)"); err != nil {
		return nil, errors.Join(fmt.Errorf("read model %s: %w", path, err), m.Close())
	}
	return m, nil
}

func (m *Model) open(ctx context.Context, readingName string) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, m.writing, files)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return err
	}
	if m.writer, err = newSession(ctx, m.writing); err != nil {
		return err
	}
	position, err := m.writer.position(ctx)
	if err != nil {
		return err
	}
	m.next = position.Next
	if m.reading, err = sql.Open("sqlite", readingName); err != nil {
		return err
	}
	for range readers {
		reader, err := newSession(ctx, m.reading)
		if err != nil {
			return err
		}
		m.pool <- reader
	}
	return nil
}

// Close waits for the readers and closes the file.
func (m *Model) Close() error {
	m.apply.Lock()
	defer m.apply.Unlock()
	var failures []error
	if m.reading != nil {
		for range readers {
			select {
			case reader := <-m.pool:
				failures = append(failures, reader.close())
			default: // it was never opened, or a read is still using it and fails when the database closes
			}
		}
		failures = append(failures, m.reading.Close())
	}
	if m.writer != nil {
		failures = append(failures, m.writer.close())
	}
	return errors.Join(append(failures, m.writing.Close())...)
}

// pinned is where a context carries the session of a snapshot of a model.
type pinned struct{ model *Model }

// Snapshot makes all reads with the context that it hands on reads of one
// moment: no block is applied between them. They must not run side by side.
func (m *Model) Snapshot(ctx context.Context, read func(ctx context.Context) error) error {
	return m.view(ctx, func(s *session) error { return read(context.WithValue(ctx, pinned{m}, s)) })
}

// view runs reads on one snapshot of the tables.
func (m *Model) view(ctx context.Context, read func(*session) error) error {
	if s, found := ctx.Value(pinned{m}).(*session); found {
		return read(s)
	}
	var reader *session
	select {
	case reader = <-m.pool:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		m.pool <- reader
		return err
	}
	// The driver may report that a statement was interrupted although it ran, so
	// a snapshot is opened and closed without the caller's context: a reader that
	// went back with its snapshot open would show the past for ever.
	begun := context.WithoutCancel(ctx)
	defer func() { m.pool <- reader }()
	if _, err := reader.exec(begun, "BEGIN"); err != nil {
		return err
	}
	err := read(reader)
	_, ended := reader.exec(begun, "COMMIT")
	if ended != nil {
		reader = m.replace(reader)
	}
	return errors.Join(err, ended)
}

// replace gives up a reader that cannot end its snapshot, and opens another.
func (m *Model) replace(reader *session) *session {
	fresh, err := newSession(context.Background(), m.reading)
	if err != nil {
		return reader // it goes on refusing, which is better than a pool that runs dry
	}
	_ = reader.discard()
	return fresh
}

func (s *session) position(ctx context.Context) (Position, error) {
	var block uint64
	var hash []byte
	found, err := s.get(ctx, "SELECT block, hash FROM position", nil, &block, &hash)
	if err != nil || !found {
		return Position{}, err
	}
	return Position{Next: block + 1, Hash: hex.EncodeToString(hash)}, nil
}

// Position returns how far the ledger has been read.
func (m *Model) Position(ctx context.Context) (Position, error) {
	var position Position
	err := m.view(ctx, func(s *session) (err error) {
		position, err = s.position(ctx)
		return err
	})
	return position, err
}

// WaitFor returns once a block has been applied: what was written there can be read.
func (m *Model) WaitFor(ctx context.Context, block uint64) error {
	for {
		m.mutex.Lock()
		next, moved := m.next, m.moved
		m.mutex.Unlock()
		if next > block {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// arrived wakes everyone who waits.
func (m *Model) arrived(next uint64) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.next = next
	close(m.moved)
	m.moved = make(chan struct{})
}
