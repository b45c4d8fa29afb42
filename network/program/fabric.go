package program

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

const fabricModule = "github.com/hyperledger/fabric"

var fabricPrograms = []string{"peer", "orderer", "configtxgen"}

// fabric finds Fabric's programs in the cache, or builds them into it.
func fabric(ctx context.Context, r Request) (Set, error) {
	folder := fabricFolder(r.Cache)
	set := Set{
		Peer:         filepath.Join(folder, "bin", "peer"),
		Orderer:      filepath.Join(folder, "bin", "orderer"),
		Configtxgen:  filepath.Join(folder, "bin", "configtxgen"),
		SampleConfig: filepath.Join(folder, "sampleconfig"),
	}
	// The folder appears by a rename when everything in it is finished.
	if exists(folder) {
		return set, nil
	}
	err := locked(ctx, folder+".lock", r.Report, func() error {
		if exists(folder) {
			return nil
		}
		return buildFabric(ctx, r, folder)
	})
	return set, err
}

func fabricFolder(cache string) string {
	return filepath.Join(cache, "fabric-"+FabricRelease+"-"+fabricPin)
}

// FabricCached says whether Fabric's programs are built already.
func FabricCached() bool {
	cache, err := Cache()
	return err == nil && exists(fabricFolder(cache))
}

func buildFabric(ctx context.Context, r Request, folder string) error {
	if r.Source == "" {
		return ErrNoSource
	}
	draft, err := os.MkdirTemp(filepath.Dir(folder), ".fabric-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(draft)
	module := filepath.Join(r.Source, "network", "fabric")
	r.Report("fetching and compiling Fabric " + FabricRelease + ", once; this takes one to four minutes")
	packages := make([]string, len(fabricPrograms))
	for i, name := range fabricPrograms {
		packages[i] = fabricModule + "/cmd/" + name
	}
	// Without cgo nobody needs a C compiler and the programs run in any image.
	build := goCommand{folder: module, environment: []string{"CGO_ENABLED=0"}, report: r.Report}
	out := filepath.Join(draft, "bin") + string(filepath.Separator)
	if err := build.build(ctx, out, packages...); err != nil {
		return err
	}
	source, err := build.output(ctx, "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", fabricModule)
	if err != nil {
		return err
	}
	sample := filepath.Join(strings.TrimSpace(source), "sampleconfig")
	for _, name := range []string{"core.yaml", "orderer.yaml"} {
		if err := copyFile(filepath.Join(sample, name), filepath.Join(draft, "sampleconfig", name), 0o644); err != nil {
			return err
		}
	}
	if err := os.Chmod(draft, 0o755); err != nil {
		return err
	}
	return os.Rename(draft, folder)
}

func copyFile(from, to string, mode os.FileMode) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, mode)
}
