package books

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/tape"
)

// Tiling is how many tapes have neither gap nor overlap.
type Tiling struct {
	Tapes int `json:"tapes"`
	Tiled int `json:"tiled"`
}

// Close compares the books with the contracts' own records: what heads call
// free, what holds keep, and what stands in the fund's records.
func (b *Books) Close(records iter.Seq2[string, []byte]) (Tiling, []Problem) {
	b.problems = nil
	heads, holds, seen := map[tape.AccountID]tape.Head{}, map[string]tape.Hold{}, map[string]bool{}
	for key, value := range records {
		switch {
		case strings.HasPrefix(key, "head/"):
			var head tape.Head
			b.readable(key, value, &head)
			heads[tape.AccountID(strings.TrimPrefix(key, "head/"))] = head
		case strings.HasPrefix(key, "hold/"):
			var stored tape.Hold
			b.readable(key, value, &stored)
			holds[key] = stored
		default:
			b.closeRecord(key, value, seen)
		}
	}
	tiling := Tiling{Tapes: len(b.accounts)}
	for _, id := range slices.Sorted(maps.Keys(b.accounts)) {
		if b.closeTape(b.accounts[id], heads[id]) {
			tiling.Tiled++
		}
		delete(heads, id)
	}
	for _, id := range slices.Sorted(maps.Keys(heads)) {
		b.problem(tape.HeadKey(id), "the head belongs to no account that was opened", "", "")
	}
	b.closeHolds(holds)
	b.closeTrail(seen)
	for _, balance := range b.Balances() {
		if balance.Difference() != 0 {
			b.problem(string(balance.Currency), "outside, tapes and pending do not sum to zero", "0",
				fmt.Sprintf("%d = %d outside + %d on tapes + %d pending", balance.Difference(), balance.Outside, balance.Tapes, balance.Pending))
		}
	}
	return tiling, b.problems
}

func (b *Books) readable(key string, value []byte, into any) {
	if err := json.Unmarshal(value, into); err != nil {
		b.problem(key, "the record cannot be read: "+err.Error(), "", short(value))
	}
}

func (b *Books) closeTape(a *account, head tape.Head) bool {
	before := len(b.problems)
	key := tape.HeadKey(a.id)
	if err := a.tiled(); err != nil {
		b.problem(key, "the tape is not tiled: "+err.Error(), "", "")
	}
	b.differs(key, "the end of the tape", fmt.Sprint(a.end()), fmt.Sprint(head.Received))
	b.differs(key, "what was only declared, and what givers took back", fmt.Sprintf("%d, %d", a.declared, a.withdrawn), fmt.Sprintf("%d, %d", head.Declared, head.Withdrawn))
	b.differs(key, "what is free", spell(whole(a.spansOf(free))), spell(whole(head.Free())))
	b.differs(key, "the number of settlements", fmt.Sprint(a.settlements), fmt.Sprint(head.Settlements))
	b.differs(key, "the hash of the last settlement", a.chain, head.Chain)
	return len(b.problems) == before
}

func (b *Books) closeHolds(stored map[string]tape.Hold) {
	for _, key := range slices.Sorted(maps.Keys(b.holds)) {
		b.differs(key, "what the hold keeps", spell(whole(b.holds[key].left)), spell(whole(stored[key].Spans)))
		delete(stored, key)
	}
	for _, key := range slices.Sorted(maps.Keys(stored)) {
		b.problem(key, "the hold was never ordered", "", spell(stored[key].Spans))
	}
}
