// Package outbox keeps what the gateway has promised.
//
// Whatever was accepted stands here, on the disk, before the client hears so,
// and stays until the ledger's answer stands beside it. After a crash the lanes
// read here what they were doing. Unlike the read model it cannot be rebuilt
// from the ledger: back it up.
package outbox

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"time"

	_ "modernc.org/sqlite" // registers the driver
)

//go:embed schema.sql
var schema string

const schemaVersion = 1

// readers is how many reads go on beside the one writer.
const readers = 4

// ErrClosed answers whoever comes after Close or after a failed disk.
var ErrClosed = errors.New("the outbox is closed")

// Moment is a point in a write at which a process can die.
type Moment string

// A process that dies before the commit has promised nothing; one that dies
// after it has promised, and told nobody.
const (
	BeforeCommit Moment = "before-commit"
	AfterCommit  Moment = "after-commit"
)

// Settings of an outbox.
type Settings struct {
	// Crash, when set, is asked at each moment; an error ends the outbox there,
	// as the death of the process would. Tests use it.
	Crash func(Moment) error
	// Volatile leaves fsync out, for tests that kill no real process.
	Volatile bool
	// Clock is where the times of acceptance come from; time.Now when nil.
	Clock func() time.Time
}

// Outbox is the durable store of one gateway. One process holds it at a time.
type Outbox struct {
	settings Settings
	lock     *os.File
	// databases are the writing and the reading one, with their sessions.
	databases []*sql.DB
	writer    *session
	readers   chan *session
	writes    chan write
	stop      chan struct{}
	stopped   chan struct{}
	// ending and closing happen once, by Close or by a failed disk.
	ending, closing sync.Once
	closed          error
}

// Open opens the outbox in a file, and makes it where there is none.
func Open(ctx context.Context, path string, settings Settings) (*Outbox, error) {
	if settings.Clock == nil {
		settings.Clock = time.Now
	}
	lock, err := seize(path + ".lock")
	if err != nil {
		return nil, err
	}
	o := &Outbox{settings: settings, lock: lock, readers: make(chan *session, readers), writes: make(chan write, 256), stop: make(chan struct{}), stopped: make(chan struct{})}
	if err := o.open(ctx, path); err != nil {
		return nil, errors.Join(fmt.Errorf("outbox %s: %w", path, err), o.release())
	}
	go o.commitGroups()
	return o, nil
}

func (o *Outbox) open(ctx context.Context, path string) error {
	synchronous := "FULL"
	if o.settings.Volatile {
		synchronous = "OFF"
	}
	writing, err := o.connect(path, "journal_mode(WAL)", "synchronous("+synchronous+")", "foreign_keys(1)")
	if err != nil {
		return err
	}
	if o.writer, err = newSession(ctx, writing); err != nil {
		return err
	}
	if err := o.migrate(); err != nil {
		return err
	}
	reading, err := o.connect(path, "query_only(1)")
	if err != nil {
		return err
	}
	for range cap(o.readers) {
		reader, err := newSession(ctx, reading)
		if err != nil {
			return err
		}
		o.readers <- reader
	}
	return nil
}

func (o *Outbox) connect(path string, pragmas ...string) (*sql.DB, error) {
	query := url.Values{"_pragma": append(pragmas, "busy_timeout(10000)")}
	database, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+query.Encode())
	if err == nil {
		o.databases = append(o.databases, database)
	}
	return database, err
}

// migrate makes the tables. A file of a newer gateway is refused: writing to it
// with old rules could lose what the newer one promised.
func (o *Outbox) migrate() error {
	var version int
	if _, err := o.writer.get("PRAGMA user_version", nil, func(r row) error { return r.Scan(&version) }); err != nil {
		return err
	}
	switch version {
	case schemaVersion:
		return nil
	case 0:
		_, err := o.writer.connection.ExecContext(context.Background(), fmt.Sprintf("BEGIN IMMEDIATE;\n%s\nPRAGMA user_version = %d; COMMIT;", schema, schemaVersion))
		return err
	}
	return fmt.Errorf("has version %d, this gateway knows %d; start the newer gateway", version, schemaVersion)
}

// Close ends the outbox; what was not committed is refused with ErrClosed.
func (o *Outbox) Close() error {
	o.end()
	<-o.stopped
	o.closing.Do(func() { o.closed = o.release() })
	return o.closed
}

// end lets no more writes begin.
func (o *Outbox) end() { o.ending.Do(func() { close(o.stop) }) }

func (o *Outbox) release() error {
	var all []error
	if o.writer != nil {
		all = append(all, o.writer.close())
	}
	for range cap(o.readers) {
		select {
		case reader := <-o.readers:
			all = append(all, reader.close())
		case <-time.After(time.Second): // never opened, or still read by someone who then fails
		}
	}
	for _, database := range o.databases {
		all = append(all, database.Close())
	}
	return errors.Join(append(all, o.lock.Close())...)
}

func (o *Outbox) now() int64 { return o.settings.Clock().UnixMilli() }
