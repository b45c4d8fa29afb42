package audit_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"

	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/replay"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/audit"
	"github.com/lianbao/lianbao/gateway/fabric"
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

// readable arranges a block as gateways do.
func readable(t *testing.T, block *common.Block) readmodel.Block {
	t.Helper()
	read, err := fabric.ReadBlock(block, peertest.Chaincode, nil)
	return must(t, read, err)
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

// TestEveryStoryIsRead: what the contracts write in nearly every command of
// tape and fund, a gateway's read model reads, and no unit is lost in it.
func TestEveryStoryIsRead(t *testing.T) {
	v := newVillage(t)
	v.live()
	v.race()
	v.campaign()
	model := newShelf(t, v.chain())
	must(t, 0, model.Advance(t.Context(), v.Height()))
	conserved, err := model.Conservation(t.Context())
	if must(t, conserved, err); len(conserved.Faults) > 0 || conserved.Tiled != 8 {
		t.Errorf("of 8 tapes %d are tiled: %v", conserved.Tiled, conserved.Faults)
	}
	// The supplier was enrolled twice, the second time with its key.
	payees, err := model.Payees(t.Context(), readmodel.PayeeFilter{Account: speech}, readmodel.Window{})
	if must(t, payees, err); len(payees.Items) != 4 || payees.Items[3].Payee.Payee != supplier || payees.Items[3].Person != "trader" {
		t.Errorf("the payees are %+v", payees.Items)
	}
	if flagged := payees.Items[1]; flagged.Payee.Payee != neighbour || flagged.Flagged != "call-back" {
		t.Errorf("the flagged payee is %+v", flagged)
	}
}

// TestSpoiltRecord: what colluding organisations write where no contract does
// is set aside by every gateway, and the audit says so; what comes behind it is read.
func TestSpoiltRecord(t *testing.T) {
	v := newVillage(t)
	v.live()
	forged := v.Forge(v.Identity("bank", "gateway"), func(set *replay.Set) {
		set.Writes = append(set.Writes, replay.Write{Key: tape.AccountKey("charity:spoilt:books"), Value: []byte("rubbish")})
	}, "bank", "coop", "insurer")
	results, err := v.Commit(forged)
	if must(t, results, err); !results[0].Valid() {
		t.Fatal("the rubbish is not on the ledger")
	}
	v.receive(own, "after", giftsOf("z", 100))
	blocks := v.chain()
	a := newAuditor()
	for _, block := range blocks {
		must(t, 0, a.Block(block))
	}
	live := newShelf(t, blocks)
	must(t, 0, live.Advance(t.Context(), a.Height()))
	a.CompareModel(t.Context(), "bank", live, newShelf(t, blocks))
	report := a.Close()
	// The replay and the books find it too; the last finding is the gateway's.
	last := report.Findings[len(report.Findings)-1]
	if want := `it is not understood, and no figure counts it: key "account/charity:spoilt:books": invalid character 'r'`; last.Check != audit.CheckModel ||
		last.Organisation != "bank" || !strings.HasPrefix(last.What, want) {
		t.Errorf("the audit finds last %v", last)
	}
	if len(report.Models) != 1 || !report.Models[0].Equal {
		t.Errorf("models are %+v", report.Models)
	}
	page, err := live.Page(t.Context(), own, "after")
	if must(t, page, err); page.Total != cny(100) {
		t.Errorf("the page behind it is %+v", page)
	}
}
