//go:build unix

package outbox

import (
	"fmt"
	"os"
	"syscall"
)

// seize takes the outbox for this process. Two gateways on one outbox would
// both carry on the same commands.
func seize(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("another gateway holds %s; stop it first", path)
	}
	return file, nil
}
