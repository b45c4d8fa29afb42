package portal

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// TestAddedUpByBlocks: what is added up block after block is what one who
// begins anew at that block would add up.
func TestAddedUpByBlocks(t *testing.T) {
	l := newLedger(t)
	l.live()
	model, err := readmodel.Open(t.Context(), filepath.Join(t.TempDir(), "again.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = model.Close() })
	steady := l.open(nil).(*portal)
	steady.Model = model
	accounts := []tape.AccountID{training, travel, shared}
	compared, last := 0, []byte(nil)
	for number := range l.network.Height() {
		block, err := fabric.ReadBlock(l.network.Block(number), peertest.Chaincode, nil)
		if err != nil {
			t.Fatal(err)
		}
		block.PreviousHash, last = last, block.Hash
		if err := model.Apply(t.Context(), block); err != nil {
			t.Fatal(err)
		}
		for _, account := range accounts {
			got, err := steady.flowsOf(t.Context(), account)
			if rule.Is(err, rule.NotFound) {
				continue // not open yet
			}
			if err != nil {
				t.Fatal(err)
			}
			want, err := steady.addUp(t.Context(), account, nil)
			if err != nil {
				t.Fatal(err)
			}
			want.position = got.position
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("block %d: %s was added up to\n%+v\nand anew to\n%+v", number, account, got, want)
			}
			compared++
		}
	}
	if compared < 3*10 {
		t.Errorf("only %d comparisons", compared)
	}
}
