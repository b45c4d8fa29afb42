package readmodel

import (
	"context"
	"path/filepath"
	"testing"
)

func open(t testing.TB) *Model {
	t.Helper()
	m, err := Open(context.Background(), filepath.Join(t.TempDir(), "model.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func TestOpenEmpty(t *testing.T) {
	m := open(t)
	position, err := m.Position(context.Background())
	if err != nil || position.Next != 0 || position.Hash != "" {
		t.Fatalf("a new read model stands at %+v, %v", position, err)
	}
}
