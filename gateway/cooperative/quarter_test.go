package cooperative_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/cooperative"
)

// on writes records by an entry of a day, in a block of their own.
func (b *books) on(id tape.ID, day tape.Date, records map[string]any) {
	b.Helper()
	for key, record := range records {
		b.put(key, record)
	}
	b.entry(tape.Entry{ID: id, Kind: "change", BusinessDate: day})
	b.block()
}

// TestQuarter: groups, calls and frozen figures as they stood at the quarter's end,
// whatever became of them since; what came to light later is told beside the sums.
func TestQuarter(t *testing.T) {
	b := newBooks(t)
	b.scheme()
	const county = tape.AccountID("pool:insurer:county")
	g := group.Group{V: 1, Scheme: coffee, ID: "q1", State: group.Active, Agreement: group.Agreement{GroupMax: cny(0), MemberMax: cny(0)}}
	call := recourse.Call{V: 1, Scheme: coffee, ID: "c1", Loan: "l1", Amount: cny(1_000), Date: "2026-03-01", State: recourse.Open}
	l := lent("l1", household(0), 120_000, "2025-12-01", flat(12), paid(10_000, "2026-01-01", "coop/pays"))
	b.on("pays", "2026-01-01", map[string]any{group.GroupKey(coffee, "q1"): g, recourse.CallKey(coffee, "l1", "c1"): call, l.Reference(): l})
	b.on("frozen", "2026-03-31", map[string]any{pool.PoolKey(county): pool.Pool{V: 1, Account: county, Keeper: "insurer", Currency: "CNY"},
		pool.SnapshotKey(county, "bank", "2026-03-31"): pool.Snapshot{V: 1, Account: county, Lender: "bank", Quarter: "2026-03-31", BasisPoints: 77, Figures: pool.Figures{Gross: 110_000}, Entry: "insurer/freeze"}})
	g.State, call.State = group.Frozen, recourse.Met
	paid(10_000, "2026-02-01", "coop/april")(&l)
	b.on("april", "2026-04-01", map[string]any{group.GroupKey(coffee, "q1"): g, recourse.CallKey(coffee, "l1", "c1"): call, l.Reference(): l})
	for _, c := range []struct {
		quarter tape.Date
		want    string
	}{
		{"2026-03-31", "groups [{active 2}], calls open 1, bank 1000.00 CNY, later 1 of 100.00 CNY, frozen 77"},
		{"2026-06-30", "groups [{active 1} {frozen 1}], bank 1000.00 CNY, later 0 of 0.00 CNY"},
		{"2025-12-31", "groups [], bank 1200.00 CNY, later 0 of 0.00 CNY"},
	} {
		q, err := cooperative.QuarterOf(t.Context(), b.model, c.quarter)
		if err != nil {
			t.Fatal(err)
		}
		parts := []string{fmt.Sprint("groups ", q.Groups)}
		for _, one := range q.Calls {
			parts = append(parts, fmt.Sprint("calls ", one.State, " ", one.Count))
		}
		for _, one := range q.Lenders {
			parts = append(parts, fmt.Sprintf("%s %s", one.Lender, one.Gross), fmt.Sprintf("later %d of %s", one.Later.Count, one.Later.Amount))
			for _, f := range one.Frozen {
				parts = append(parts, fmt.Sprint("frozen ", f.BasisPoints))
			}
		}
		if got := strings.Join(parts, ", "); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.quarter, got, c.want)
		}
		var table bytes.Buffer
		if err := q.Write(&table); err != nil || !strings.Contains(table.String(), "payments of the quarter that came to light after it,CNY,"+strings.TrimSuffix(q.Lenders[0].Later.Amount.String(), " CNY")) {
			t.Errorf("%s\n%v", table.String(), err)
		}
	}
}
