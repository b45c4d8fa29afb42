package audit

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Rebuild is a read model in a folder of its own, built the way gateways build
// theirs.
type Rebuild struct {
	ledger *fabric.Ledger
	model  *readmodel.Model
	folder string
	next   uint64
}

// NewRebuild begins with an empty read model, in the folder for temporary files.
func NewRebuild(ctx context.Context, ledger *fabric.Ledger) (*Rebuild, error) {
	folder, err := os.MkdirTemp("", "lianbao-audit-")
	if err != nil {
		return nil, err
	}
	model, err := readmodel.Open(ctx, filepath.Join(folder, "readmodel.db"))
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return &Rebuild{ledger: ledger, model: model, folder: folder}, nil
}

// Close removes it.
func (r *Rebuild) Close() error { return errors.Join(r.model.Close(), os.RemoveAll(r.folder)) }

// batch is how many blocks are applied together: a transaction of SQLite has
// its price, and blocks have up to 2 MB.
const batch = 32

var errThere = errors.New("there")

// Advance follows the ledger until the next block has a number.
func (r *Rebuild) Advance(ctx context.Context, next uint64) error {
	if r.next >= next {
		return nil
	}
	var blocks []readmodel.Block
	from := r.next
	err := r.ledger.Follow(ctx, from, func(block readmodel.Block) error {
		blocks = append(blocks, block)
		last := block.Number+1 == next
		if !last && len(blocks) < batch {
			return nil
		}
		if err := r.model.Apply(ctx, blocks...); err != nil {
			return err
		}
		r.next, blocks = block.Number+1, nil
		if last {
			return errThere
		}
		return nil
	})
	if errors.Is(err, errThere) {
		return nil
	}
	return err
}

// Digest implements Model.
func (r *Rebuild) Digest(ctx context.Context) (readmodel.Digest, error) { return r.model.Digest(ctx) }
