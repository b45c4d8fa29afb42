package program

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// piece is one of our own programs.
type piece struct {
	name string
	// main is the folder of its main package.
	main string
	// roots are the folders whose content it is made of.
	roots []string
}

var (
	chaincodePiece = piece{"chaincode", "cmd/chaincode", []string{"chaincode", "cmd/chaincode"}}
	gatewayPiece   = piece{"gateway", "cmd/gateway", []string{"chaincode", "gateway", "network", "cmd/gateway"}}
	builderPiece   = piece{"ccaas", "network/lifecycle/builder", []string{"network/lifecycle/builder"}}
)

// builderSteps are the names under which a peer calls its external builder.
var builderSteps = []string{"detect", "build", "release"}

// own finds or builds the chaincode, the gateway and the builder.
func own(ctx context.Context, r Request, set *Set) error {
	builder, err := r.find(ctx, builderPiece)
	if err != nil {
		return err
	}
	if set.Builder, err = r.builderFolder(ctx, builder); err != nil {
		return err
	}
	set.Chaincode = r.Chaincode
	if set.Chaincode == "" {
		if set.Chaincode, err = r.find(ctx, chaincodePiece); err != nil {
			return err
		}
	}
	set.Gateway = r.Gateway
	if set.Gateway == "" && !r.WithoutGateway {
		set.Gateway, err = r.find(ctx, gatewayPiece)
	}
	return err
}

// find builds one of our programs from the sources; without sources it takes
// the one that lies beside the running program, as a release ships it.
func (r Request) find(ctx context.Context, p piece) (string, error) {
	if r.Source == "" {
		return beside("lianbao-" + p.name)
	}
	key, err := contentKey(r.Source, p.roots)
	if err != nil {
		return "", err
	}
	path := filepath.Join(r.Cache, "own", p.name+"-"+key)
	if exists(path) {
		now := time.Now()
		// The age tells prune which builds are still in use.
		return path, os.Chtimes(path, now, now)
	}
	err = locked(ctx, filepath.Join(r.Cache, "own", p.name+".lock"), r.Report, func() error {
		if exists(path) {
			return nil
		}
		return r.build(ctx, p, path)
	})
	return path, err
}

func (r Request) build(ctx context.Context, p piece, path string) error {
	r.Report("compiling " + p.main)
	build := goCommand{folder: r.Source, report: func(detail string) { r.Report(p.main + ": " + detail) }}
	draft := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s-%d", p.name, os.Getpid()))
	defer os.Remove(draft)
	if err := build.build(ctx, draft, "./"+p.main); err != nil {
		return err
	}
	prune(filepath.Dir(path), p.name+"-")
	return os.Rename(draft, path)
}

// keptFor is how long a build stays in the cache after its last use.
const keptFor = 3 * 24 * time.Hour

// prune removes builds that nobody used lately. A process that still runs one
// keeps its file; failing to remove costs only space.
func prune(folder, prefix string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && strings.HasPrefix(entry.Name(), prefix) && time.Since(info.ModTime()) > keptFor {
			_ = os.RemoveAll(filepath.Join(folder, entry.Name()))
		}
	}
}

// contentKey names the content of source folders, together with the modules
// that they use.
func contentKey(source string, roots []string) (string, error) {
	sum := sha256.New()
	add := func(path string) error {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(source, path)
		fmt.Fprintf(sum, "%s %d\n", filepath.ToSlash(name), len(data))
		sum.Write(data)
		return err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		if err := add(filepath.Join(source, name)); err != nil {
			return "", err
		}
	}
	for _, root := range roots {
		err := filepath.WalkDir(filepath.Join(source, filepath.FromSlash(root)), func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && entry.Name() == "testdata":
				return filepath.SkipDir
			case entry.IsDir(), strings.HasSuffix(path, "_test.go"), strings.HasPrefix(entry.Name(), "."):
				return nil
			}
			return add(path)
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

// builderFolder lays the builder out as a peer wants it: one program under
// three names.
func (r Request) builderFolder(ctx context.Context, program string) (string, error) {
	folder := filepath.Join(r.Cache, "own", filepath.Base(program)+".d")
	if exists(folder) {
		return folder, nil
	}
	err := locked(ctx, folder+".lock", r.Report, func() error {
		if exists(folder) {
			return nil
		}
		draft, err := os.MkdirTemp(filepath.Dir(folder), ".builder-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(draft)
		for _, step := range builderSteps {
			if err := copyFile(program, filepath.Join(draft, "bin", step), 0o755); err != nil {
				return err
			}
		}
		if err := os.Chmod(draft, 0o755); err != nil {
			return err
		}
		return os.Rename(draft, folder)
	})
	return folder, err
}

// beside finds a program in the folder of the running one.
func beside(name string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	path := filepath.Join(filepath.Dir(self), name)
	if !exists(path) {
		return "", fmt.Errorf("%s is not beside %s, and %w", name, filepath.Base(self), ErrNoSource)
	}
	return path, nil
}
