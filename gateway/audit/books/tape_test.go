package books

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lianbao/lianbao/chaincode/tape"
)

// units is the simplest tape there is: the fate of every single unit.
type units []fate

func (u units) spans(wanted fate) tape.Spans {
	var spans tape.Spans
	for i, f := range u {
		if f != wanted {
			continue
		}
		if last := len(spans) - 1; last >= 0 && spans[last].End == int64(i) {
			spans[last].End++
			continue
		}
		spans = append(spans, tape.Span{Start: int64(i), End: int64(i) + 1})
	}
	return spans
}

// TestTape compares segments with single units through random changes.
func TestTape(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	fates := []fate{free, spent, "hold/a", "hold/b"}
	a, simple := &account{id: "a:b:c"}, units{}
	for step := range 5_000 {
		switch random.IntN(4) {
		case 0:
			if len(simple) < 150 {
				more := 1 + random.Int64N(20)
				a.lay(more)
				simple = append(simple, make(units, more)...)
			}
		case 1:
			wanted, to := random.Int64N(40), fates[1+random.IntN(3)]
			compareTake(t, a, simple, wanted, to)
		default:
			change(random, a, simple, fates)
		}
		if err := a.tiled(); err != nil {
			t.Fatalf("seed %d, step %d: %v", seed, step, err)
		}
		for _, f := range fates {
			if got, want := spell(a.spansOf(f)), spell(simple.spans(f)); got != want {
				t.Fatalf("seed %d, step %d: %s is %s, want %s", seed, step, f.name(), got, want)
			}
		}
	}
}

func compareTake(t *testing.T, a *account, simple units, wanted int64, to fate) {
	t.Helper()
	taken, err := a.take(wanted, to)
	if enough := simple.spans(free).Total() >= wanted; enough != (err == nil) {
		t.Fatalf("take %d of %d: %v", wanted, simple.spans(free).Total(), err)
	}
	if err != nil {
		return
	}
	for i := range simple {
		if wanted > 0 && simple[i] == free {
			simple[i] = to
			wanted--
		}
	}
	for _, span := range taken {
		if slices.ContainsFunc(simple[span.Start:span.End], func(f fate) bool { return f != to }) {
			t.Fatalf("took %s, which is not the first free money", span)
		}
	}
}

// change tries a span that may or may not have one fate.
func change(random *rand.Rand, a *account, simple units, fates []fate) {
	start := random.Int64N(int64(len(simple)) + 10)
	span := tape.Span{Start: start, End: start + 1 + random.Int64N(12)}
	from, to := fates[random.IntN(4)], fates[random.IntN(4)]
	allowed := span.End <= int64(len(simple)) && !slices.ContainsFunc(simple[span.Start:span.End], func(f fate) bool { return f != from })
	if err := a.change(tape.Spans{span}, from, to); allowed != (err == nil) {
		panic(fmt.Sprintf("%s from %s to %s: %v", span, from.name(), to.name(), err))
	}
	for i := range simple {
		if allowed && int64(i) >= span.Start && int64(i) < span.End {
			simple[i] = to
		}
	}
}
