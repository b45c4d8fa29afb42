package process

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// ErrStopped is how Supervise ends when another program stopped the network.
var ErrStopped = errors.New("the network was stopped from elsewhere")

const (
	pollOnWatch  = 200 * time.Millisecond
	pauseMin     = 500 * time.Millisecond
	pauseMax     = 30 * time.Second
	soundAfter   = time.Minute
	stoppedEntry = "stopped"
)

// Supervise starts again what ends, until the context ends or somebody calls
// MarkStopped. A node that ends again and again is started at growing intervals.
func (t *Table) Supervise(ctx context.Context, commands []Command, attached bool, report func(name string, fault error)) error {
	watches := make([]watch, len(commands))
	ticker := time.NewTicker(pollOnWatch)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		if t.Stopped() {
			return ErrStopped
		}
		for i, c := range commands {
			fault := t.Fault(c.Name)
			if !watches[i].due(fault != nil, time.Now()) || t.Stopped() {
				continue
			}
			report(c.Name, fault)
			if _, err := t.Ensure(ctx, c, attached); err != nil {
				report(c.Name, err)
			}
		}
	}
}

// watch is what is remembered of one node.
type watch struct {
	notBefore time.Time
	pause     time.Duration
}

// due says whether a node that is down is to be started now.
func (w *watch) due(down bool, now time.Time) bool {
	if !down {
		if now.After(w.notBefore.Add(soundAfter)) {
			w.pause = 0
		}
		return false
	}
	if now.Before(w.notBefore) {
		return false
	}
	w.pause = min(max(2*w.pause, pauseMin), pauseMax)
	w.notBefore = now.Add(w.pause)
	return true
}

// MarkStopped tells whoever supervises this table that nodes end on purpose.
func (t *Table) MarkStopped() error {
	return os.WriteFile(filepath.Join(t.run, stoppedEntry), nil, 0o600)
}

// MarkStarted takes the mark away.
func (t *Table) MarkStarted() error {
	err := os.Remove(filepath.Join(t.run, stoppedEntry))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// Stopped says whether the mark is there. A folder that is gone was stopped too.
func (t *Table) Stopped() bool {
	if _, err := os.Stat(t.run); errors.Is(err, os.ErrNotExist) {
		return true
	}
	_, err := os.Stat(filepath.Join(t.run, stoppedEntry))
	return err == nil
}
