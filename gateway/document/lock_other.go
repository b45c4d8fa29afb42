//go:build !unix

package document

import (
	"fmt"
	"os"
)

// seize takes the key folder for this process: the file cannot be made twice. After
// a crash it must be removed by hand.
func seize(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("another process holds %s; stop it, or remove the file after a crash: %w", path, err)
	}
	return file, nil
}
