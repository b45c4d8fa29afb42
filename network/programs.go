package network

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"github.com/lianbao/lianbao/network/program"
)

const programsFile = "programs.json"

// programs finds the programs, and remembers them for a start outside of the
// sources, where it takes those of the last time.
func (n *Network) programs(ctx context.Context, r program.Request) (program.Set, error) {
	path := filepath.Join(n.site.Folder, programsFile)
	set, err := program.Ready(ctx, r)
	if errors.Is(err, program.ErrNoSource) {
		if last, found := rememberedPrograms(path); found {
			return last, nil
		}
	}
	if err != nil {
		return program.Set{}, err
	}
	data, err := json.MarshalIndent(set, "", "  ")
	if err != nil {
		return program.Set{}, err
	}
	return set, os.WriteFile(path, data, 0o600)
}

// rememberedPrograms are those of the last start, where they are all still there.
func rememberedPrograms(path string) (program.Set, bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return program.Set{}, false
	}
	var set program.Set
	if json.Unmarshal(data, &set) != nil || !set.Complete() {
		return program.Set{}, false
	}
	return set, true
}
