package outbox

import (
	"context"
	"errors"
	"fmt"
)

// groupMax is the most writes that share one commit, and so one fsync.
const groupMax = 256

// write is one change, which happens whole or not at all.
type write struct {
	change func(*session) error
	done   chan error
}

// write queues a change and returns once it is on the disk. A context that ends
// while the change waits in the queue takes it back only if it was not queued:
// whoever is told of a failure may rely on it.
func (o *Outbox) write(ctx context.Context, change func(*session) error) error {
	w := write{change, make(chan error, 1)}
	select {
	case <-o.stop:
		return ErrClosed
	default:
	}
	select {
	case o.writes <- w:
	case <-ctx.Done():
		return ctx.Err()
	case <-o.stop:
		return ErrClosed
	}
	select {
	case err := <-w.done:
		return err
	case <-o.stopped:
	}
	select { // answered just before the end
	case err := <-w.done:
		return err
	default:
		return ErrClosed
	}
}

// commitGroups is the one writer: it takes what has gathered and commits it at once.
func (o *Outbox) commitGroups() {
	defer close(o.stopped)
	for {
		select {
		case <-o.stop:
			return
		case first := <-o.writes:
			if err := o.commit(o.gather(first)); err != nil {
				o.end() // a disk that failed once is not trusted with more promises
				return
			}
		}
	}
}

func (o *Outbox) gather(first write) []write {
	group := []write{first}
	for len(group) < groupMax {
		select {
		case next := <-o.writes:
			group = append(group, next)
		default:
			return group
		}
	}
	return group
}

// commit makes the changes of a group. One that fails is taken back alone; the
// error returned is that of the group, after which nothing of it is certain.
func (o *Outbox) commit(group []write) error {
	results, err := o.attempt(group)
	if err == nil {
		err = o.crash(AfterCommit)
	}
	for i, w := range group {
		if err != nil {
			w.done <- fmt.Errorf("%w: %w", ErrClosed, err)
		} else {
			w.done <- results[i]
		}
	}
	return err
}

// attempt runs a group as one transaction. It takes no client's context: one
// that leaves must not undo its neighbours' writes.
func (o *Outbox) attempt(group []write) ([]error, error) {
	if _, err := o.writer.exec("BEGIN IMMEDIATE"); err != nil {
		return nil, err
	}
	results, err := o.all(group)
	if err == nil {
		err = o.crash(BeforeCommit)
	}
	if err != nil {
		_, undone := o.writer.exec("ROLLBACK")
		return nil, errors.Join(err, undone)
	}
	_, err = o.writer.exec("COMMIT")
	return results, err
}

func (o *Outbox) all(group []write) ([]error, error) {
	results := make([]error, len(group))
	for i, w := range group {
		var err error
		if results[i], err = o.single(w.change); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// single makes one change of a group, or takes it back alone.
func (o *Outbox) single(change func(*session) error) (result, fatal error) {
	if _, err := o.writer.exec("SAVEPOINT one"); err != nil {
		return nil, err
	}
	if result = change(o.writer); result != nil {
		if _, err := o.writer.exec("ROLLBACK TO one"); err != nil {
			return result, err
		}
	}
	_, err := o.writer.exec("RELEASE one")
	return result, err
}

func (o *Outbox) crash(at Moment) error {
	if o.settings.Crash == nil {
		return nil
	}
	return o.settings.Crash(at)
}
