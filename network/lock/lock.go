//go:build unix

// Package lock keeps two programs from doing the same work at once. A lock
// ends with the program that holds it, however that ends.
package lock

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Held is a lock that this program holds.
type Held struct{ file *os.File }

// Release gives the lock back.
func (h *Held) Release() { _ = h.file.Close() }

// Try takes the lock at once; free is false when another program holds it.
func Try(path string) (held *Held, free bool, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, false, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, false, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return &Held{file}, true, nil
	}
	_ = file.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = nil
	}
	return nil, false, err
}

const poll = 50 * time.Millisecond

// Take waits for the lock, and calls waiting once where it has to wait.
func Take(ctx context.Context, path string, waiting func()) (*Held, error) {
	for first := true; ; first = false {
		held, free, err := Try(path)
		if err != nil || free {
			return held, err
		}
		if first {
			waiting()
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(poll):
		}
	}
}
