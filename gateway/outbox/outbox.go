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
	"time"

	_ "modernc.org/sqlite" // registers the driver
)

//go:embed schema.sql
var schema string

const schemaVersion = 1

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
	writer   *sql.DB
	reader   *sql.DB
	writes   chan write
	stop     chan struct{}
	stopped  chan struct{}
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
	o := &Outbox{settings: settings, lock: lock, writes: make(chan write, 256), stop: make(chan struct{}), stopped: make(chan struct{})}
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
	var err error
	if o.writer, err = connect(path, 1, "journal_mode(WAL)", "synchronous("+synchronous+")", "foreign_keys(1)"); err != nil {
		return err
	}
	if err := o.migrate(ctx); err != nil {
		return err
	}
	o.reader, err = connect(path, 4, "query_only(1)")
	return err
}

func connect(path string, connections int, pragmas ...string) (*sql.DB, error) {
	query := url.Values{"_pragma": append(pragmas, "busy_timeout(10000)")}
	database, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+query.Encode())
	if err != nil {
		return nil, err
	}
	database.SetMaxOpenConns(connections)
	database.SetMaxIdleConns(connections)
	return database, nil
}

// migrate makes the tables. A file of a newer gateway is refused: writing to it
// with old rules could lose what the newer one promised.
func (o *Outbox) migrate(ctx context.Context) error {
	var version int
	if err := o.writer.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	switch version {
	case schemaVersion:
		return nil
	case 0:
		return o.create(ctx)
	}
	return fmt.Errorf("has version %d, this gateway knows %d; start the newer gateway", version, schemaVersion)
}

func (o *Outbox) create(ctx context.Context) error {
	transaction, err := o.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = transaction.Rollback() }() // after Commit it does nothing
	if _, err := transaction.ExecContext(ctx, schema+fmt.Sprintf("PRAGMA user_version = %d;", schemaVersion)); err != nil {
		return err
	}
	return transaction.Commit()
}

// Close ends the outbox; what was not committed is refused with ErrClosed.
func (o *Outbox) Close() error {
	select {
	case <-o.stop:
	default:
		close(o.stop)
	}
	<-o.stopped
	return o.release()
}

func (o *Outbox) release() error {
	var all []error
	for _, database := range []*sql.DB{o.reader, o.writer} {
		if database != nil {
			all = append(all, database.Close())
		}
	}
	return errors.Join(append(all, o.lock.Close())...)
}

func (o *Outbox) now() int64 { return o.settings.Clock().UnixMilli() }
