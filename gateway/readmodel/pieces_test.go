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
				if _, err := wr.put(account, tape.Spans{kept.Span}, kept); err != nil {
					t.Fatal(err)
				}
			}
			got := "refused"
			if _, err := wr.put(account, test.take, piece{posting: 9}); err == nil {
				if err := wr.writePending(); err != nil {
					t.Fatal(err)
				}
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

// TestPending cuts one piece many times: what is kept back between the cuts
// is what rows would say, whoever asks in between, and no more is written.
func TestPending(t *testing.T) {
	w := newWorld(1)
	w.block()
	account, other := w.accounts[0].record.ID, w.accounts[1].record.ID
	span := func(start, end int64) tape.Spans { return tape.Spans{{Start: start, End: end}} }
	m := open(t)
	ctx := context.Background()
	if err := m.Apply(ctx, w.blocks...); err != nil {
		t.Fatal(err)
	}
	wr := &writer{ctx: ctx, statement: ctx, session: m.writer}
	for _, step := range []struct {
		account tape.AccountID
		span    tape.Spans
		as      piece
		job     ordinal
	}{
		{account, span(0, 100), piece{job: 7}, 0},
		{account, span(0, 10), piece{hold: 1}, 7},
		{account, span(10, 20), piece{hold: 2}, 7},
		{account, span(50, 60), piece{hold: 3}, 7}, // out of turn: a piece before it stays
		{account, span(60, 70), piece{hold: 4}, 7},
		{other, span(0, 40), piece{job: 8}, 0}, // another tape between
		{other, span(0, 40), piece{hold: 5}, 8},
		{account, span(20, 30), piece{hold: 6}, 7},
		{account, span(70, 100), piece{hold: 9}, 7}, // nothing is left
		{account, span(0, 10), piece{posting: 11}, 7},
		{account, span(100, 110), piece{posting: 12}, 0},
	} {
		job, err := wr.put(step.account, step.span, step.as)
		if err != nil || job != step.job {
			t.Fatalf("%s for %+v: of job %d, want %d: %v", step.span, step.as, job, step.job, err)
		}
	}
	if err := wr.writePending(); err != nil {
		t.Fatal(err)
	}
	for account, want := range map[tape.AccountID]string{
		account: "0..10 j7 h1 p11, 10..20 j7 h2 p0, 20..30 j7 h6 p0, 30..50 j7 h0 p0, 50..60 j7 h3 p0, 60..70 j7 h4 p0, 70..100 j7 h9 p0, 100..110 j0 h0 p12",
		other:   "0..40 j8 h5 p0",
	} {
		pieces, err := wr.pieces(ctx, account, tape.Span{Start: 0, End: 1000}, -1)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, p := range pieces {
			list = append(list, fmt.Sprintf("%s j%d h%d p%d", p.Span, p.job, p.hold, p.posting))
		}
		if got := strings.Join(list, ", "); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
