package readmodel

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/lianbao/lianbao/chaincode/tape"
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

// TestOn: a gift is found by the page where it stands, and by those before a match split them.
func TestOn(t *testing.T) {
	for _, test := range []struct {
		stands, asked tape.ID
		want          bool
	}{{"p", "p", true}, {"p", "q", false}, {"p.m", "p", true}, {"p.u", "p", true}, {"p.u.m", "p.u", true}, {"p.u.m", "p", true}, {"p.m", "p.u", false}, {"p", "p.m", false}, {"pm", "p", false}} {
		if got := (Gift{Page: test.stands}).On(test.asked); got != test.want {
			t.Errorf("a gift on %s is on %s: %v", test.stands, test.asked, got)
		}
	}
}
