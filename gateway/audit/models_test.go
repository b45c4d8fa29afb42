package audit_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"

	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/replay"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/audit"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// shelf is a read model in a file, with the blocks that it can still read.
type shelf struct {
	*readmodel.Model
	path   string
	blocks []readmodel.Block
}

func newShelf(t *testing.T, blocks []*common.Block) *shelf {
	t.Helper()
	path := filepath.Join(t.TempDir(), "readmodel.db")
	model, err := readmodel.Open(t.Context(), path)
	s := &shelf{Model: must(t, model, err), path: path}
	t.Cleanup(func() { must(t, 0, model.Close()) })
	for _, block := range blocks {
		s.blocks = append(s.blocks, readable(t, block))
	}
	return s
}

// Advance applies blocks.
func (s *shelf) Advance(ctx context.Context, next uint64) error {
	position, err := s.Position(ctx)
	if err != nil || position.Next >= next {
		return err
	}
	return s.Apply(ctx, s.blocks[position.Next:next]...)
}

// readable arranges a block as gateway/fabric does.
func readable(t *testing.T, block *common.Block) readmodel.Block {
	t.Helper()
	transactions, err := replay.TransactionsOf(block)
	must(t, transactions, err)
	read := readmodel.Block{Number: block.Header.Number, Hash: audit.HeaderHash(block.Header), PreviousHash: block.Header.PreviousHash}
	for _, one := range transactions {
		r := readmodel.Transaction{ID: one.ID, Index: int(one.Index), Valid: one.Valid(), Code: one.Code.String(), Function: string(one.Arguments[0]),
			Argument: one.Arguments[1], Creator: replay.MSPOf(one.Creator), At: tape.Instant(one.Timestamp.UnixMilli())}
		for _, write := range one.Results.In(peertest.Chaincode).Writes {
			r.Writes = append(r.Writes, readmodel.Write{Key: write.Key, Value: write.Value, Delete: write.Deletes()})
		}
		read.Transactions = append(read.Transactions, r)
	}
	return read
}

// TestModels changes what one gateway shows. The last column is what the audit prints.
func TestModels(t *testing.T) {
	v := newVillage(t)
	v.live()
	blocks := v.chain()
	for _, test := range []struct {
		name   string
		sql    string
		prints string
	}{
		{"as the blocks give it", "", ""},
		{"a balance", "UPDATE accounts SET held = held + 1 WHERE id = 'charity:sunrise:relief'",
			"read model: bank, table accounts, the table differs from the one that the blocks give; expected 4 rows, "},
		{"an entry that is hidden", "DELETE FROM entries WHERE rowid = (SELECT max(rowid) FROM entries)",
			"read model: bank, table entries, the table differs from the one that the blocks give; expected 40 rows, "},
		{"another last block", "UPDATE position SET hash = x'00'", "read model: bank, position, it has read another block"},
		{"a gateway that does not read on", "UPDATE position SET block = 3", "read model: bank, the read model could not be compared: it stays behind: its next block is 4, 41 blocks are replayed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := newAuditor()
			for _, block := range blocks {
				must(t, 0, a.Block(block))
			}
			live := newShelf(t, blocks)
			must(t, 0, live.Advance(t.Context(), a.Height()))
			if test.sql != "" {
				raw, err := sql.Open("sqlite", live.path)
				must(t, raw, err)
				defer raw.Close()
				_, err = raw.Exec(test.sql)
				must(t, 0, err)
			}
			a.CompareModel(t.Context(), "bank", live, newShelf(t, blocks))
			report := a.Close()
			if test.prints != "" {
				finds(t, report, test.prints)
			} else if report.Differences != 0 || len(report.Models) != 1 || !report.Models[0].Equal {
				t.Errorf("models are %+v, findings %v", report.Models, report.Findings)
			}
		})
	}
}
