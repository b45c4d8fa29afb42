// Package program finds or builds the programs a network runs: Fabric's peer,
// orderer and configtxgen from the module pinned in network/fabric, and our own
// chaincode, gateway and chaincode builder. What was built once lies in the
// cache folder of the user, so that a later start needs neither sources nor a compiler.
package program

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/lianbao/lianbao/network/lock"
)

// FabricRelease is the release of Hyperledger Fabric that network/fabric pins.
const FabricRelease = "3.1.1"

// fabricPin is the head of the SHA-256 of network/fabric's go.mod and go.sum.
// A test compares it, so that a bump there leads to a new cache folder.
const fabricPin = "c4b18192d280"

// SourceVariable names the environment variable that holds the folder of
// Lianbao's sources, for a start outside of them.
const SourceVariable = "LIANBAO_FABRIC_SOURCE"

// Set is where the programs lie.
type Set struct {
	Peer, Orderer, Configtxgen string
	// SampleConfig holds core.yaml and orderer.yaml of the release.
	SampleConfig string
	// Builder is the folder of the external builder for chaincode as a service.
	Builder string
	// Chaincode and Gateway are our own. Gateway is empty where it was not asked for.
	Chaincode, Gateway string
}

// Complete says whether everything that the set names is there.
func (s Set) Complete() bool {
	for _, path := range []string{s.Peer, s.Orderer, s.Configtxgen, s.SampleConfig, s.Builder, s.Chaincode} {
		if path == "" || !exists(path) {
			return false
		}
	}
	return s.Gateway == "" || exists(s.Gateway)
}

// Request says what is wanted. Programs whose path is given are taken as they are.
type Request struct {
	// Cache is the folder in which built programs are kept; empty for the
	// user's own cache folder.
	Cache string
	// Source is the folder of Lianbao's sources; empty to look for it.
	Source string
	// Chaincode and Gateway are paths of programs built elsewhere.
	Chaincode, Gateway string
	// WithoutGateway leaves the gateway out.
	WithoutGateway bool
	// Report is told what goes on while something is built; may be nil.
	Report func(detail string)
}

// ErrNoSource says that something must be built and its source was not found.
var ErrNoSource = errors.New("the sources of Lianbao were not found; run inside them or set " + SourceVariable)

// Ready finds every program, and builds what is missing.
func Ready(ctx context.Context, r Request) (Set, error) {
	if r.Cache == "" {
		var err error
		if r.Cache, err = Cache(); err != nil {
			return Set{}, err
		}
	}
	if r.Report == nil {
		r.Report = func(string) {}
	}
	if r.Source == "" {
		r.Source, _ = FindSource()
	}
	set, err := fabric(ctx, r)
	if err != nil {
		return Set{}, err
	}
	return set, own(ctx, r, &set)
}

// Cache is the folder in which Lianbao keeps what can be made again.
func Cache() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("there is no cache folder: %w", err)
	}
	return filepath.Join(cache, "lianbao"), nil
}

// FindSource looks for the sources of Lianbao: where SourceVariable says, else
// from the working folder upward.
func FindSource() (string, error) {
	if named := os.Getenv(SourceVariable); named != "" {
		if !isSource(named) {
			return "", fmt.Errorf("%s=%s: there is no network/fabric/go.mod in it", SourceVariable, named)
		}
		return filepath.Abs(named)
	}
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for !isSource(folder) {
		above := filepath.Dir(folder)
		if above == folder {
			return "", ErrNoSource
		}
		folder = above
	}
	return folder, nil
}

func isSource(folder string) bool {
	return exists(filepath.Join(folder, "network", "fabric", "go.mod"))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// locked runs work while holding a lock file, so that two starts at once build once.
func locked(ctx context.Context, path string, report func(string), work func() error) error {
	held, err := lock.Take(ctx, path, func() { report("waiting for another start that builds the same") })
	if err != nil {
		return err
	}
	defer held.Release()
	return work()
}
