package tape_test

import (
	"fmt"
	"testing"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestOwn: what arrived of each gift of a page, and what a processor kept of it.
func TestOwn(t *testing.T) {
	for _, c := range []struct {
		start, total, fee int64
		gifts             []int64
		want              string
	}{
		{0, 300, 0, []int64{100, 200}, "0..100 - 100..300 - "},
		{500, 300, 3, []int64{100, 200}, "500..599 797..798 599..797 798..800 "},
		{0, 3, 1, []int64{1, 1, 1}, "0..1 - 1..2 - - 2..3 "},
		{0, 3, 2, []int64{1, 1, 1}, "0..1 - - 1..2 - 2..3 "},
		{0, 15000, 100, []int64{10000, 5000}, "0..9934 14900..14966 9934..14900 14966..15000 "},
		{0, money.Max, money.Max - 1, []int64{money.Max - 1, 1}, fmt.Sprintf("0..1 1..%d - %d..%d ", money.Max-1, money.Max-1, money.Max)},
	} {
		s := tape.Settlement{Span: tape.Span{Start: c.start, End: c.start + c.total}, Fee: c.fee}
		got, offset := "", int64(0)
		for _, amount := range c.gifts {
			for _, span := range func() []tape.Span { a, b := s.Own(offset, amount); return []tape.Span{a, b} }() {
				if span.Length() == 0 {
					got += "- "
				} else {
					got += span.String() + " "
				}
			}
			offset += amount
		}
		if got != c.want {
			t.Errorf("%d of %d kept of %v:\n got %s\nwant %s", c.fee, c.total, c.gifts, got, c.want)
		}
	}
}
