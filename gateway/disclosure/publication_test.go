package disclosure

import (
	"crypto/sha256"
	"os"
	"testing"

	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/rule"
)

func TestShelf(t *testing.T) {
	shelf := Shelf{t.TempDir()}
	hash, err := shelf.Put([]byte(`{"v":1}`))
	if err != nil || hash != sha256.Sum256([]byte(`{"v":1}`)) {
		t.Fatalf("%s, %v", hash, err)
	}
	if again, err := shelf.Put([]byte(`{"v":1}`)); err != nil || again != hash {
		t.Errorf("kept again as %s: %v", again, err)
	}
	if text, err := shelf.Get(hash); err != nil || string(text) != `{"v":1}` {
		t.Errorf("read %q, %v", text, err)
	}
	if _, err := shelf.Get(merkle.Hash{1}); !rule.Is(err, rule.NotFound) {
		t.Errorf("a document that nobody put: %v", err)
	}
	if err := os.WriteFile(shelf.path(hash), []byte(`{"v":2}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := shelf.Get(hash); !rule.Is(err, rule.Conflict) {
		t.Errorf("a changed document: %v", err)
	}
	files, err := os.ReadDir(shelf.Folder)
	if err != nil || len(files) != 1 {
		t.Errorf("%d files are left: %v", len(files), err)
	}
}
