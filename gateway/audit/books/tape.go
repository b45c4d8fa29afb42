package books

import (
	"fmt"
	"slices"
	"sort"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// fate of a stretch of money: free, spent, or kept for what the text names.
type fate string

const (
	free  fate = ""
	spent fate = "spent"
	// ordered is money on its way into a hold.
	ordered fate = "ordered"
)

// segment is a stretch of a tape, [start, end) in minor units, with one fate.
type segment struct {
	start, end int64
	fate       fate
}

// account is a tape: segments that tile it from 0 to its end.
type account struct {
	id           tape.AccountID
	organisation string
	currency     money.Currency
	custodian    tape.AccountID
	// since is the entry that opened it, by its number.
	since int
	// plain: no other rules than the tape's govern it, so that its organisation settles by its word what comes in.
	plain    bool
	segments []segment
	// outside is what went out less what came in, across this account's border.
	outside map[money.Currency]int64
	// declared of the tape nobody else than its organisation has shown; withdrawn of the rest went back to givers or stayed with a processor.
	declared, withdrawn int64
	// settlements is their number, chain the hash of the last one.
	settlements int32
	chain       string
}

// withdraw counts what goes back of a gift, or (less than zero) comes again.
// What was only declared never counted.
func (a *account) withdraw(units int64, declared bool) {
	if !declared {
		a.withdrawn += units
	}
}

func (a *account) end() int64 {
	if len(a.segments) == 0 {
		return 0
	}
	return a.segments[len(a.segments)-1].end
}

// kept is the money that has not been spent.
func (a *account) kept() int64 {
	var units int64
	for _, s := range a.segments {
		if s.fate != spent {
			units += s.end - s.start
		}
	}
	return units
}

// spansOf lists, in order, what has one fate.
func (a *account) spansOf(wanted fate) tape.Spans {
	var spans tape.Spans
	for _, s := range a.segments {
		if s.fate == wanted {
			spans = append(spans, tape.Span{Start: s.start, End: s.end})
		}
	}
	return spans
}

// lay adds money at the end of the tape.
func (a *account) lay(units int64) tape.Span {
	span := tape.Span{Start: a.end(), End: a.end() + units}
	a.segments = append(a.segments, segment{span.Start, span.End, free})
	a.join(len(a.segments) - 1)
	return span
}

// take gives the first free units another fate: first in, first out, and what
// came back is the first again, because it is the lowest on the tape.
func (a *account) take(units int64, to fate) (tape.Spans, error) {
	if units < 0 {
		return nil, fmt.Errorf("%d minor units are taken of %s", units, a.id)
	}
	var taken tape.Spans
	left := units
	for _, s := range a.segments {
		if s.fate != free || left == 0 {
			continue
		}
		end := min(s.end, s.start+left)
		taken = append(taken, tape.Span{Start: s.start, End: end})
		left -= end - s.start
	}
	if left > 0 {
		return nil, fmt.Errorf("%s has %d minor units too few free ones", a.id, left)
	}
	return taken, a.change(taken, free, to)
}

// change gives spans another fate, all units of which must have had one fate.
func (a *account) change(spans tape.Spans, from, to fate) error {
	for _, span := range spans {
		if span.Start < 0 || span.End <= span.Start || span.End > a.end() {
			return fmt.Errorf("%s is not on the tape of %s, which ends at %d", span, a.id, a.end())
		}
		first := sort.Search(len(a.segments), func(i int) bool { return a.segments[i].end > span.Start })
		last := first
		for ; last < len(a.segments) && a.segments[last].start < span.End; last++ {
			if had := a.segments[last].fate; had != from {
				return fmt.Errorf("units of %s of %s are %s, not %s", span, a.id, had.name(), from.name())
			}
		}
		var parts []segment
		if before := a.segments[first]; before.start < span.Start {
			parts = append(parts, segment{before.start, span.Start, from})
		}
		at := first + len(parts)
		parts = append(parts, segment{span.Start, span.End, to})
		if after := a.segments[last-1]; span.End < after.end {
			parts = append(parts, segment{span.End, after.end, from})
		}
		a.segments = slices.Replace(a.segments, first, last, parts...)
		a.join(at)
	}
	return nil
}

// join merges a segment with its neighbours of the same fate.
func (a *account) join(at int) {
	for _, i := range []int{at + 1, at} {
		if i > 0 && i < len(a.segments) && a.segments[i-1].fate == a.segments[i].fate {
			a.segments[i-1].end = a.segments[i].end
			a.segments = slices.Delete(a.segments, i, i+1)
		}
	}
}

// tiled looks for a gap or an overlap.
func (a *account) tiled() error {
	at := int64(0)
	for _, s := range a.segments {
		if s.start != at || s.end <= s.start {
			return fmt.Errorf("%d..%d stands where %d should begin", s.start, s.end, at)
		}
		at = s.end
	}
	return nil
}

func (f fate) name() string {
	if f == free {
		return "free"
	}
	return string(f)
}

// spell writes spans as people read them.
func spell(spans tape.Spans) string {
	text := ""
	for i, span := range spans {
		if i == 20 {
			return fmt.Sprintf("%s and %d more", text, len(spans)-i)
		}
		if i > 0 {
			text += " "
		}
		text += span.String()
	}
	if text == "" {
		return "none"
	}
	return text
}

// whole merges spans that touch, so that two lists of the same units in the
// same order are spelled alike.
func whole(spans tape.Spans) tape.Spans {
	var merged tape.Spans
	for _, span := range spans {
		if last := len(merged) - 1; last >= 0 && merged[last].End == span.Start {
			merged[last].End = span.End
			continue
		}
		merged = append(merged, span)
	}
	return merged
}
