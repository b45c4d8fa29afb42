package books_test

import (
	"io"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/export/books"
)

// TestManyGifts exports the books of many gifts: they come to a transaction a
// day, and nothing of them is kept.
// LIANBAO_EXPORT_GIFTS sets how many (200000 for the size of a real relief account).
func TestManyGifts(t *testing.T) {
	if testing.Short() {
		t.Skip("many gifts take some seconds")
	}
	pages := 4
	if text := os.Getenv("LIANBAO_EXPORT_GIFTS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		pages = (n + tape.PageGiftsMax - 1) / tape.PageGiftsMax
	}
	w := newWorld(t)
	units := make([]int64, tape.PageGiftsMax)
	total := int64(0)
	for n := range pages {
		for i := range units {
			units[i] = int64(1 + (i+n)%97)
			total += units[i]
		}
		id, gifts := w.give(campaign, units...)
		half := len(gifts) / 2
		// A page's lines are of two days; three days come in turn.
		day := tape.Date([]string{"2026-01-02", "2026-01-03", "2026-01-04"}[n*3/pages])
		next := tape.Date([]string{"2026-01-03", "2026-01-04", "2026-01-04"}[n*3/pages])
		if (n+1)*3/pages == n*3/pages {
			next = day
		}
		lines := append(listed(day, gifts[:half]...), listed(next, gifts[half:]...)...)
		s := w.bank(sunrise, tape.CreditSide, lines...)
		w.settle(campaign, tape.SettleItem{Source: string(id), Lines: &tape.LinesRef{Statement: s}})
	}
	w.follow()
	b := &books.Books{Model: w.model, Facts: canned()}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	a, err := b.Activity(t.Context(), campaign, books.Cut{Generated: made})
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	runtime.GC()
	runtime.ReadMemStats(&after)
	sum, days := int64(0), 0
	for _, x := range a.Transactions {
		if x.Type == "1" {
			sum += x.Value.Units
			days++
		}
	}
	if sum != total || days != 3 {
		t.Errorf("%d units in %d transactions; %d units of 3 days were given", sum, days, total)
	}
	kept := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	if t.Logf("%d gifts in %v, %d bytes kept", pages*tape.PageGiftsMax, took, kept); kept > 2<<20 {
		t.Errorf("%d bytes are kept of %d gifts", kept, pages*tape.PageGiftsMax)
	}
	totals, err := b.WriteTable(t.Context(), io.Discard, campaign, "gifts", books.Cut{Generated: made}, books.TableOptions{})
	if err != nil || totals.Of("amount", "CNY") != cny(total) {
		t.Errorf("the table sums to %s: %v", totals.Of("amount", "CNY"), err)
	}
	r, err := b.Reconcile(t.Context(), campaign, books.Cut{Generated: made})
	if err != nil || !r.Agrees() {
		t.Errorf("%+v, %v", r, err)
	}
}
