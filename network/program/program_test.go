package program

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A change of the pinned module must lead to a new cache folder, or machines
// would go on with the old programs.
func TestPinIsThatOfTheModule(t *testing.T) {
	sum := sha256.New()
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join("..", "fabric", name))
		if err != nil {
			t.Fatal(err)
		}
		sum.Write(data)
	}
	if pin := hex.EncodeToString(sum.Sum(nil))[:len(fabricPin)]; pin != fabricPin {
		t.Errorf("network/fabric has changed: set fabricPin to %q, and FabricRelease if the release changed", pin)
	}
}

// tree writes files into a folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, content := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestContentKey(t *testing.T) {
	source := map[string]string{
		"go.mod": "module x", "go.sum": "", "a/a.go": "package a", "a/a_test.go": "package a",
		"a/testdata/x": "x", "a/.hidden": "x", "b/b.go": "package b", "a/page.html": "<p>",
	}
	key := func(files map[string]string) string {
		k, err := contentKey(tree(t, files), []string{"a"})
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	first := key(source)
	for _, c := range []struct{ file, content, answer string }{
		{"a/a.go", "package a // changed", "another build"},
		{"a/page.html", "<p>changed", "another build"},
		{"a/new.go", "package a", "another build"},
		{"go.mod", "module y", "another build"},
		{"go.sum", "changed", "another build"},
		{"a/a_test.go", "changed", "the same build"},
		{"a/testdata/x", "changed", "the same build"},
		{"a/.hidden", "changed", "the same build"},
		{"b/b.go", "changed", "the same build"},
	} {
		changed := map[string]string{c.file: c.content}
		for name, content := range source {
			if name != c.file {
				changed[name] = content
			}
		}
		if same := key(changed) == first; same != (c.answer == "the same build") {
			t.Errorf("a change of %s does not lead to %s", c.file, c.answer)
		}
	}
	if _, err := contentKey(tree(t, source), []string{"missing"}); err == nil {
		t.Error("a missing folder has a key")
	}
}

func TestFindSource(t *testing.T) {
	source := tree(t, map[string]string{"network/fabric/go.mod": "module x", "deep/down/file": ""})
	elsewhere := t.TempDir()
	for _, c := range []struct{ named, working, answer string }{
		{"", source, source},
		{"", filepath.Join(source, "deep", "down"), source},
		{source, elsewhere, source},
		{elsewhere, source, "there is no network/fabric/go.mod in it"},
		{"", elsewhere, ErrNoSource.Error()},
	} {
		t.Chdir(c.working)
		t.Setenv(SourceVariable, c.named)
		got, err := FindSource()
		if err != nil {
			got = err.Error()
		}
		if got != c.answer && !strings.HasSuffix(got, c.answer) {
			t.Errorf("from %s with %q: %s", c.working, c.named, got)
		}
	}
}

func TestNothingToBuildFrom(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := Ready(t.Context(), Request{Cache: t.TempDir()})
	if !errors.Is(err, ErrNoSource) {
		t.Errorf("it says %v", err)
	}
}

// Two starts at once build once, and what is half built is never seen.
func TestBuildOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles a program")
	}
	source := tree(t, map[string]string{
		"go.mod": "module example.org/x\n\ngo 1.26\n", "go.sum": "",
		"main/main.go": "package main\n\nfunc main() {}\n",
	})
	var builds atomic.Int32
	r := Request{Cache: t.TempDir(), Source: source, Report: func(detail string) {
		if detail == "compiling main" {
			builds.Add(1)
		}
	}}
	var wait sync.WaitGroup
	paths := make([]string, 3)
	for i := range paths {
		wait.Go(func() {
			path, err := r.find(context.Background(), piece{"x", "main", []string{"main"}})
			if err != nil {
				t.Error(err)
			}
			paths[i] = path
		})
	}
	wait.Wait()
	if builds.Load() != 1 || paths[0] != paths[1] || paths[1] != paths[2] || !exists(paths[0]) {
		t.Errorf("%d builds into %v", builds.Load(), paths)
	}
	broken := tree(t, map[string]string{"go.mod": "module example.org/x\n\ngo 1.26\n", "go.sum": "", "main/main.go": "package main\n\nfunc main() { nothing() }\n"})
	r.Source = broken
	if _, err := r.find(t.Context(), piece{"x", "main", []string{"main"}}); err == nil || !strings.Contains(err.Error(), "undefined: nothing") {
		t.Errorf("what does not compile says %v", err)
	}
}

func TestPrune(t *testing.T) {
	folder := tree(t, map[string]string{"x-old": "", "x-new": "", "y-old": ""})
	long := time.Now().Add(-2 * keptFor)
	for _, name := range []string{"x-old", "y-old"} {
		if err := os.Chtimes(filepath.Join(folder, name), long, long); err != nil {
			t.Fatal(err)
		}
	}
	prune(folder, "x-")
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 2 || entries[0].Name() != "x-new" || entries[1].Name() != "y-old" {
		t.Errorf("there are %v (%v)", entries, err)
	}
}
