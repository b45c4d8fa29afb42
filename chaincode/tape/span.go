package tape

import (
	"sort"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// Span is a half-open range of minor units on a tape, [Start, End), never
// empty. It is written "500000..510000".
type Span struct{ Start, End int64 }

// Length is the money in the span, in minor units.
func (s Span) Length() int64 { return s.End - s.Start }

// String prints the one spelling.
func (s Span) String() string {
	return strconv.FormatInt(s.Start, 10) + ".." + strconv.FormatInt(s.End, 10)
}

// MarshalText writes the one spelling.
func (s Span) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the one spelling.
func (s *Span) UnmarshalText(text []byte) error {
	from, to, _ := strings.Cut(string(text), "..")
	start, err1 := strconv.ParseInt(from, 10, 64)
	end, err2 := strconv.ParseInt(to, 10, 64)
	parsed := Span{start, end}
	if err1 != nil || err2 != nil || start < 0 || end <= start || end > money.Max || parsed.String() != string(text) {
		return rule.Refuse(rule.Invalid, "is not a span; write it as 500000..510000")
	}
	*s = parsed
	return nil
}

// Spans is a list of spans. In a head it is sorted and merged; in a posting it
// keeps the order in which the money moved.
type Spans []Span

// Total is the money in all of them, in minor units.
func (s Spans) Total() int64 {
	var total int64
	for _, span := range s {
		total += span.Length()
	}
	return total
}

// Add merges spans into a sorted list. It refuses an overlap: money that is
// already there cannot come a second time.
func (s Spans) Add(more ...Span) (Spans, error) {
	all := append(append(Spans(nil), s...), more...)
	sort.Slice(all, func(a, b int) bool { return all[a].Start < all[b].Start })
	merged := all[:0]
	for _, span := range all {
		last := len(merged) - 1
		switch {
		case last >= 0 && span.Start < merged[last].End:
			return nil, rule.Refuse(rule.Conflict, "span %s overlaps %s", span, merged[last])
		case last >= 0 && span.Start == merged[last].End:
			merged[last].End = span.End
		default:
			merged = append(merged, span)
		}
	}
	return merged, nil
}

// Remove cuts one span out of a sorted list. It refuses when any unit of it is missing.
func (s Spans) Remove(cut Span) (Spans, error) {
	kept := make(Spans, 0, len(s)+1)
	found := false
	for _, span := range s {
		if cut.Start < span.Start || cut.End > span.End {
			kept = append(kept, span)
			continue
		}
		found = true
		if span.Start < cut.Start {
			kept = append(kept, Span{span.Start, cut.Start})
		}
		if cut.End < span.End {
			kept = append(kept, Span{cut.End, span.End})
		}
	}
	if !found {
		return nil, rule.Refuse(rule.Insufficient, "span %s is not free", cut)
	}
	return kept, nil
}

// Cut takes the first amount units of a list in its order and returns them and the rest.
func (s Spans) Cut(amount int64) (taken, rest Spans, err error) {
	rest = append(Spans(nil), s...)
	for amount > 0 && len(rest) > 0 {
		first := rest[0]
		if length := first.Length(); length <= amount {
			taken, rest, amount = append(taken, first), rest[1:], amount-length
			continue
		}
		middle := first.Start + amount
		taken, amount = append(taken, Span{first.Start, middle}), 0
		rest[0] = Span{middle, first.End}
	}
	if amount > 0 {
		return nil, nil, rule.Refuse(rule.Insufficient, "%d minor units are missing", amount)
	}
	return taken, rest, nil
}

// Slice returns the units [from, to) of a list, counted in its order from zero.
func (s Spans) Slice(from, to int64) (Spans, error) {
	if from < 0 || to < from {
		return nil, rule.Refuse(rule.Invalid, "%d to %d is no part of a list of spans", from, to)
	}
	_, rest, err := s.Cut(from)
	if err != nil {
		return nil, err
	}
	taken, _, err := rest.Cut(to - from)
	return taken, err
}

// Within returns the part of the list that lies in one span, in order.
func (s Spans) Within(window Span) Spans {
	var inside Spans
	for _, span := range s {
		part := Span{max(span.Start, window.Start), min(span.End, window.End)}
		if part.Start < part.End {
			inside = append(inside, part)
		}
	}
	return inside
}

// sorted refuses a list that is out of order, overlaps or could be merged.
func (s Spans) sorted() error {
	for i, span := range s {
		if span.Start < 0 || span.End <= span.Start || (i > 0 && span.Start <= s[i-1].End) {
			return rule.Refuse(rule.Conflict, "spans are not in order at %s", span)
		}
	}
	return nil
}
