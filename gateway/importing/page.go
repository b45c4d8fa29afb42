package importing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/statement"
)

// pageLines is how many lines stand on a page, and so how many gifts.
const pageLines = tape.PageGiftsMax

// group is what lines come together on a page. The order is that of the pages.
type group int

const (
	gifts group = iota
	// credits came in and are not gifts; debits went out.
	credits
	debits
	groups
)

// groupOf puts a line on its page; a line that moves no money is on none.
func groupOf(l statement.Line, verdict statement.Verdict) (group, bool) {
	switch {
	case l.Credit == 0 && l.Debit == 0:
		return 0, false
	case l.Debit > 0:
		return debits, true
	case verdict.Gift():
		return gifts, true
	}
	return credits, true
}

// shape is how a file falls into pages.
type shape struct {
	counts [groups]int
	// contents are digests of the pages' lines without any secret, by which an
	// edited copy of a file is recognised as one.
	contents [groups][]string
	// firstGift is the number of the first line that is a gift; 0 without one.
	firstGift int
}

func (s shape) pagesOf(g group) int { return (s.counts[g] + pageLines - 1) / pageLines }

func (s shape) pages() int { return s.pagesOf(gifts) + s.pagesOf(credits) + s.pagesOf(debits) }

// first is the number of the first page of a group.
func (s shape) first(g group) int {
	first := 0
	for before := range g {
		first += s.pagesOf(before)
	}
	return first
}

// allContents lists the digests in the order of the pages.
func (s shape) allContents() []string {
	var all []string
	for _, contents := range s.contents {
		all = append(all, contents...)
	}
	return all
}

// each reads a file line by line.
func each(ctx context.Context, path string, m statement.Mapping, take func(statement.Line, group) error) error {
	reader, err := statement.Open(path, m)
	if err != nil {
		return err
	}
	defer reader.Close()
	for line, err := range reader.All() {
		if err != nil {
			return err
		}
		if g, moves := groupOf(line, reader.Classify(line)); moves {
			if err := take(line, g); err != nil {
				return err
			}
		}
		if line.Number%pageLines == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// measure goes through a file and finds its shape.
func measure(ctx context.Context, path string, m statement.Mapping) (shape, error) {
	var s shape
	var spelled [groups][]byte
	finish := func(g group) {
		digest := sha256.Sum256(spelled[g])
		s.contents[g] = append(s.contents[g], hex.EncodeToString(digest[:16]))
		spelled[g] = spelled[g][:0]
	}
	err := each(ctx, path, m, func(line statement.Line, g group) error {
		if line.Number < 1 || line.Number > math.MaxInt32 {
			return rule.Refuse(rule.Invalid, "row %d: line number %d is not 1 to %d", line.Row, line.Number, math.MaxInt32)
		}
		if g == gifts && s.firstGift == 0 {
			s.firstGift = line.Number
		}
		spelled[g] = spell(spelled[g], line)
		if s.counts[g]++; s.counts[g]%pageLines == 0 {
			finish(g)
		}
		return nil
	})
	for g := range groups {
		if len(spelled[g]) > 0 {
			finish(g)
		}
	}
	return s, err
}

// page is one page on its way: the bank's lines, and for gifts the charity's.
type page struct {
	n     int32
	group group
	lines []tape.Line
	gifts []tape.Gift
}

func (p page) side() tape.Side {
	if p.group == debits {
		return tape.DebitSide
	}
	return tape.CreditSide
}

// turn goes through the file and hands over its pages as they fill.
func (j *job) turn(ctx context.Context, hand func(page) error) error {
	var open [groups]page
	for g := range groups {
		open[g] = page{n: int32(j.shape.first(g)), group: g}
	}
	err := each(ctx, j.File, j.Mapping, func(line statement.Line, g group) error {
		p := &open[g]
		p.add(j, line)
		if len(p.lines) < pageLines {
			return nil
		}
		full := *p
		*p = page{n: full.n + 1, group: g}
		return hand(full)
	})
	for g := range groups {
		if err == nil && len(open[g].lines) > 0 {
			err = hand(open[g])
		}
	}
	return err
}

func (p *page) add(j *job, l statement.Line) {
	reference := j.secrets.referenceOf(l)
	units := l.Credit
	if p.group == debits {
		units = l.Debit
	}
	amount := money.New(units, l.Currency)
	p.lines = append(p.lines, tape.Line{Number: int32(l.Number), Date: tape.Date(l.Date), Amount: amount, Reference: reference})
	if p.group == gifts {
		id := j.giftID(l.Number)
		p.gifts = append(p.gifts, tape.Gift{ID: id, Amount: amount, Donor: j.secrets.donorOf(id, l.Payer), Reference: reference})
	}
}
