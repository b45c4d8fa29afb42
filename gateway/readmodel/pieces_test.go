package readmodel

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestPut: what a posting takes across several kept pieces and free units
// remembers which hold kept it and which unit of the posting it is.
func TestPut(t *testing.T) {
	w := newWorld(1)
	w.block()
	account := w.accounts[0].record.ID
	for _, test := range []struct {
		name string
		kept []piece
		take tape.Spans
		want string
	}{
		{"free units", nil, tape.Spans{{Start: 2, End: 8}}, "2..8 h0 p9 +0"},
		{"two spans", nil, tape.Spans{{Start: 6, End: 8}, {Start: 2, End: 5}}, "2..5 h0 p9 +2, 6..8 h0 p9 +0"},
		{"the middle of a hold", []piece{{Span: tape.Span{Start: 0, End: 10}, hold: 1}}, tape.Spans{{Start: 2, End: 8}}, "0..2 h1 p0 +0, 2..8 h1 p9 +0, 8..10 h1 p0 +8"},
		{"two holds", []piece{{Span: tape.Span{Start: 0, End: 5}, hold: 1}, {Span: tape.Span{Start: 5, End: 9}, hold: 2}}, tape.Spans{{Start: 3, End: 9}},
			"0..3 h1 p0 +0, 3..5 h1 p9 +0, 5..9 h2 p9 +2"},
		{"a hold between free units", []piece{{Span: tape.Span{Start: 4, End: 5}, hold: 1}}, tape.Spans{{Start: 2, End: 8}},
			"2..4 h0 p9 +0, 4..5 h1 p9 +2, 5..8 h0 p9 +3"},
		{"what has moved", []piece{{Span: tape.Span{Start: 4, End: 5}, posting: 3}}, tape.Spans{{Start: 2, End: 8}}, "refused"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := open(t)
			ctx := context.Background()
			if err := m.Apply(ctx, w.blocks...); err != nil {
				t.Fatal(err)
			}
			wr := &writer{ctx: ctx, statement: ctx, session: m.writer}
			for _, kept := range test.kept {
				if err := wr.put(account, tape.Spans{kept.Span}, kept); err != nil {
					t.Fatal(err)
				}
			}
			got := "refused"
			if err := wr.put(account, test.take, piece{posting: 9}); err == nil {
				pieces, err := wr.pieces(ctx, account, tape.Span{Start: 0, End: 100}, -1)
				if err != nil {
					t.Fatal(err)
				}
				var list []string
				for _, p := range pieces {
					list = append(list, fmt.Sprintf("%s h%d p%d +%d", p.Span, p.hold, p.posting, p.off))
				}
				got = strings.Join(list, ", ")
			}
			if got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}
