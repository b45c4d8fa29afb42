package readmodel

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestSimulation compares every gift's trace with its coloured tokens, and
// every tape's way back, in histories of random acts.
func TestSimulation(t *testing.T) {
	seeds := 20
	if testing.Short() {
		seeds = 3
	}
	base := rand.Uint64()
	t.Logf("seed %d", base)
	for i := range seeds {
		seed := base + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(seed)
			m := open(t)
			applied := 0
			for range 2 {
				w.run(150)
				if err := m.Apply(context.Background(), w.blocks[applied:]...); err != nil {
					t.Fatal(err)
				}
				applied = len(w.blocks)
				compare(t, w, m)
			}
		})
	}
}

func compare(t *testing.T, w *world, m *Model) {
	t.Helper()
	ctx := context.Background()
	c, err := m.Conservation(ctx)
	if err != nil || len(c.Faults) > 0 || c.Tiled != len(w.accounts) {
		t.Fatalf("conservation: %+v, %v", c, err)
	}
	for _, g := range w.gifts {
		compareGift(t, w, m, g)
	}
	for _, p := range w.accounts {
		comparePurse(t, w, m, p)
	}
}

func compareGift(t *testing.T, w *world, m *Model, g *worldGift) {
	t.Helper()
	trace, err := m.TraceGift(context.Background(), g.at)
	if err != nil {
		t.Fatal(err)
	}
	byID, err := m.TraceGiftID(context.Background(), g.id)
	if err != nil || byID.Gift.Page != trace.Gift.Page || byID.Gift.Index != trace.Gift.Index {
		t.Fatalf("gift %s by its id is %+v, %v", g.id, byID.Gift, err)
	}
	if trace.Gift.ID != g.id || trace.Gift.Line != g.line || int(trace.Gift.Amount.Units) != g.amount || (trace.Reversal != nil) != g.reversed {
		t.Fatalf("gift %+v is traced as %+v, reversal %v", g, trace.Gift, trace.Reversal)
	}
	if g.line >= 0 && (trace.Line == nil || trace.Line.Amount != trace.Gift.Amount || trace.Line.Reference != trace.Gift.Reference) {
		t.Fatalf("gift %+v rests on the line %+v", trace.Gift, trace.Line)
	}
	var own tape.Spans // what arrived of it, and behind that what a processor kept
	for _, span := range []*tape.Span{trace.Gift.Span, trace.Gift.Kept} {
		if span != nil {
			own = append(own, *span)
		}
	}
	tiles(t, trace.Root, own)
	unit := 0
	for _, leaf := range leaves(trace.Root) {
		for i := range int(leaf.Amount.Units) {
			want, got := w.where[token{string(g.id), unit}], spot{leaf.State, leaf.Account, -1}
			if leaf.Span != nil {
				got.unit = int(leaf.Span.Start) + i
			}
			if got != want {
				t.Fatalf("unit %d of gift %s is traced to %+v and lies at %+v", unit, g.id, got, want)
			}
			unit++
		}
	}
	for u := range g.amount {
		if got, want := ways(trace.Root, int64(u)), w.back[token{string(g.id), u}]; got != want {
			t.Fatalf("unit %d of gift %s came back %d times, the trace says %d", u, g.id, want, got)
		}
	}
	if unit != g.amount {
		t.Fatalf("gift %s of %d is traced to %d units", g.id, g.amount, unit)
	}
}

// ways counts the ways of one unit, counted from the node's first, that ended with its return.
func ways(n Node, unit int64) int {
	for _, child := range n.Children {
		if unit >= child.Amount.Units {
			unit -= child.Amount.Units
			continue
		}
		count := ways(child, unit)
		for _, r := range child.Returned {
			if at := child.Taken.Start + unit; r.Span.Start <= at && at < r.Span.End {
				count++
			}
		}
		return count
	}
	return 0
}

// tiles demands that the children of each node tile its spans, and sum to them.
func tiles(t *testing.T, n Node, spans tape.Spans) {
	t.Helper()
	if len(n.Children) == 0 {
		return
	}
	if spans.Total() != n.Amount.Units {
		t.Fatalf("%+v lies on %v", n, spans)
	}
	for _, child := range n.Children {
		if len(spans) == 0 || child.Taken.Start != spans[0].Start || child.Taken.End > spans[0].End || child.Taken.Length() != child.Amount.Units {
			t.Fatalf("children of %+v leave a gap before %v: %+v", n, spans, child)
		}
		if spans[0].Start = child.Taken.End; spans[0].Length() == 0 {
			spans = spans[1:]
		}
		if len(child.Children) > 0 {
			tiles(t, child, tape.Spans{*child.Span})
		}
	}
	if len(spans) > 0 {
		t.Fatalf("children of %+v end before %v", n, spans)
	}
}

func leaves(n Node) []*Node {
	if len(n.Children) == 0 {
		return []*Node{&n}
	}
	var all []*Node
	for i := range n.Children {
		all = append(all, leaves(n.Children[i])...)
	}
	return all
}

func comparePurse(t *testing.T, w *world, m *Model, p *purse) {
	t.Helper()
	account, err := m.Account(context.Background(), p.record.ID)
	if err != nil {
		t.Fatal(err)
	}
	free := int64(0)
	for _, is := range p.free {
		if is {
			free++
		}
	}
	if account.Received.Units != int64(len(p.units)) || account.Free.Units != free {
		t.Fatalf("%s is %+v, and has %d units, %d free", p.record.ID, account, len(p.units), free)
	}
	if len(p.units) == 0 {
		return
	}
	unit, window := 0, Window{Limit: 7}
	for {
		back, err := m.TraceBack(context.Background(), p.record.ID, tape.Span{Start: 0, End: int64(len(p.units))}, window)
		if err != nil {
			t.Fatal(err)
		}
		for _, origin := range back.Origins {
			if int(origin.Offset) != unit {
				t.Fatalf("an origin of %s stands at %d, not %d", p.record.ID, origin.Offset, unit)
			}
			for i := range origin.Amount.Units {
				if got, want := colour(origin, i), p.units[unit]; got != want && p.record.Attribution == tape.FIFO {
					t.Fatalf("unit %d of %s is traced back to %+v and is %+v", unit, p.record.ID, got, want)
				}
				unit++
			}
		}
		if window.After = back.Next; back.Next == "" {
			break
		}
	}
	if unit != len(p.units) {
		t.Fatalf("%d of %d units of %s are traced back", unit, len(p.units), p.record.ID)
	}
}

func colour(o Origin, i int64) token {
	if o.Kind == FromGift && o.Gift.Kept != nil && o.Span.Start >= o.Gift.Kept.Start { // the last units of the gift
		return token{string(o.Gift.ID), int(o.Gift.Amount.Units - o.Gift.Kept.Length() + o.Span.Start - o.Gift.Kept.Start + i)}
	}
	if o.Kind == FromGift {
		return token{string(o.Gift.ID), int(o.Span.Start - o.Gift.Span.Start + i)}
	}
	return token{"pool " + string(o.Account), int(o.Span.Start + i)}
}
