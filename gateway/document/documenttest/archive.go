// Package documenttest gives tests an archive of documents.
package documenttest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lianbao/lianbao/gateway/document"
)

// Archive is an empty one, which ends with the test.
func Archive(t testing.TB) *document.Archive {
	t.Helper()
	folder := t.TempDir()
	blobs, master := filepath.Join(folder, "blobs"), filepath.Join(folder, "master.key")
	if err := os.Mkdir(blobs, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := document.CreateMaster(master); err != nil {
		t.Fatal(err)
	}
	archive, err := document.New(t.Context(), document.Config{Store: "file://" + blobs, Keys: filepath.Join(folder, "keys"), Master: master})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = archive.Close() })
	return archive
}
