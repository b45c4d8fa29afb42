//go:build unix

package document

import (
	"fmt"
	"os"
	"syscall"
)

// seize takes the key folder for this process. Of two, one could put
// a key back that the other has just shredded.
func seize(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("another process holds %s; stop it first", path)
	}
	return file, nil
}
