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
	Counts [groups]int `json:"counts"`
	// FirstGift is the number of the first line that is a gift; 0 without one.
	FirstGift int `json:"firstGift"`
	// Pages are the heads of the pages, group by group, and Contents the digests
	// of their lines without any secret, by which an edited copy of a file is
	// recognised as one.
	Pages    []tape.LinesPage `json:"pages"`
	Contents []string         `json:"contents"`
}

func (j *job) pagesOf(g group) int {
	return (j.plan.Shape.Counts[g] + j.pageLines - 1) / j.pageLines
}

// first is the number of the first page of a group.
func (j *job) first(g group) int {
	first := 0
	for before := range g {
		first += j.pagesOf(before)
	}
	return first
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

// measure goes through the file and finds its shape.
func (j *job) measure(ctx context.Context) (shape, error) {
	var s shape
	var heads [groups][]tape.LinesPage
	var contents [groups][]string
	var spelled [groups][]byte
	fill := func(p *page, line statement.Line) error {
		g := p.group
		if line.Number < 1 || line.Number > math.MaxInt32 {
			return rule.Refuse(rule.Invalid, "row %d: line number %d is not 1 to %d", line.Row, line.Number, math.MaxInt32)
		}
		if g == gifts && s.FirstGift == 0 {
			s.FirstGift = line.Number
		}
		s.Counts[g]++
		spelled[g] = spell(spelled[g], line)
		p.addLine(j, line)
		return nil
	}
	err := j.turn(ctx, fill, func(p page) error {
		digest := sha256.Sum256(spelled[p.group])
		contents[p.group] = append(contents[p.group], hex.EncodeToString(digest[:16]))
		spelled[p.group] = spelled[p.group][:0]
		head, _, err := tape.LinesBody(p.side(), p.lines)
		heads[p.group] = append(heads[p.group], head)
		return err
	})
	for g := range groups {
		s.Pages, s.Contents = append(s.Pages, heads[g]...), append(s.Contents, contents[g]...)
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
func (j *job) turn(ctx context.Context, fill func(*page, statement.Line) error, hand func(page) error) error {
	var open [groups]page
	for g := range groups {
		open[g] = page{n: int32(j.first(g)), group: g}
	}
	err := each(ctx, j.File, j.Mapping, func(line statement.Line, g group) error {
		p := &open[g]
		if err := fill(p, line); err != nil || len(p.lines) < j.pageLines {
			return err
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

// fill puts a line, and the gift that it may be, on a page.
func (j *job) fill(p *page, l statement.Line) error {
	p.addLine(j, l)
	if p.group == gifts {
		id, line := j.giftID(l.Number), p.lines[len(p.lines)-1]
		p.gifts = append(p.gifts, tape.Gift{ID: id, Amount: line.Amount, Donor: j.secrets.donorOf(id, l.Payer), Reference: line.Reference})
	}
	return nil
}

func (p *page) addLine(j *job, l statement.Line) {
	units := l.Credit
	if p.group == debits {
		units = l.Debit
	}
	p.lines = append(p.lines, tape.Line{Number: int32(l.Number), Date: tape.Date(l.Date), Amount: money.New(units, l.Currency), Reference: j.secrets.referenceOf(l)})
}
