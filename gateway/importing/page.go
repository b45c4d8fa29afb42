package importing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"

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
	// unclaimed came in without a known reference, where an account is named for those.
	unclaimed
	// others is the first of the groups of gifts that their references give to
	// other accounts than the import's, in the order of the plan.
	others
)

// groupOf puts a line on its page; a line that moves no money is on none.
func (j *job) groupOf(l statement.Line, verdict statement.Verdict) (group, bool) {
	switch {
	case l.Credit == 0 && l.Debit == 0:
		return 0, false
	case l.Debit > 0:
		return debits, true
	case slices.ContainsFunc(j.plan.Processors, func(c carrying) bool { return c.Number == l.Number }):
		return credits, true
	case !verdict.Gift():
		return credits, true
	}
	if claim, known := j.claims[l.Number]; known {
		return j.groupOn(claim.Account), true
	}
	if j.plan.Unclaimed != "" {
		return unclaimed, true
	}
	return gifts, true
}

// groupOn is where gifts to an account are; the plan knows it.
func (j *job) groupOn(account tape.AccountID) group {
	if account == j.plan.Account {
		return gifts
	}
	return others + group(slices.Index(j.plan.Others, account))
}

// groups is how many groups the plan has.
func (j *job) groups() group {
	switch {
	case len(j.plan.Others) > 0:
		return others + group(len(j.plan.Others))
	case j.plan.Unclaimed != "":
		return unclaimed + 1
	}
	return debits + 1
}

// settled reports whether the lines of a group end on a tape, and on whose.
func (j *job) settled(g group) (tape.AccountID, bool) {
	switch {
	case g == gifts:
		return j.plan.Account, true
	case g == unclaimed:
		return j.plan.Unclaimed, true
	case g >= others:
		return j.plan.Others[g-others], true
	}
	return "", false
}

// shape is how a file falls into pages.
type shape struct {
	Counts []int `json:"counts"`
	// FirstGift is the number of the first line that is a gift; 0 without one.
	FirstGift int `json:"firstGift"`
	// Pages are the heads of the pages, group by group, and Contents the digests
	// of their lines without any secret, by which an edited copy of a file is
	// recognised as one.
	Pages    []tape.LinesPage `json:"pages"`
	Contents []string         `json:"contents"`
}

// groupOf is the group of page n; others where it has none.
func (s shape) groupOf(n int32) group {
	at := int32(0)
	for g, count := range s.Counts {
		for left := count; left > 0 && int(at) < len(s.Pages); at++ {
			if at == n {
				return group(g)
			}
			left -= int(s.Pages[at].Count)
		}
	}
	return others
}

func (j *job) pagesOf(g group) int {
	if int(g) >= len(j.plan.Shape.Counts) {
		return 0
	}
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

// each reads the file line by line.
func (j *job) each(ctx context.Context, take func(statement.Line, group) error) error {
	reader, err := statement.Open(j.File, j.Mapping)
	if err != nil {
		return err
	}
	defer reader.Close()
	for line, err := range reader.All() {
		if err != nil {
			return err
		}
		if g, moves := j.groupOf(line, reader.Classify(line)); moves {
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

// measure goes through the file and finds its shape, and the memos that hold references.
func (j *job) measure(ctx context.Context) (shape, []memo, error) {
	s := shape{Counts: make([]int, j.groups())}
	heads := make([][]tape.LinesPage, j.groups())
	contents := make([][]string, j.groups())
	spelled := make([][]byte, j.groups())
	var memos []memo
	fill := func(p *page, line statement.Line) error {
		g := p.group
		if line.Number < 1 || line.Number > math.MaxInt32 {
			return rule.Refuse(rule.Invalid, "row %d: line number %d is not 1 to %d", line.Row, line.Number, math.MaxInt32)
		}
		if _, settles := j.settled(g); settles {
			if s.FirstGift == 0 {
				s.FirstGift = line.Number
			}
			if references := referencesIn(line); len(references) > 0 {
				memos = append(memos, memo{line: line.Number, reference: j.secrets.referenceOf(line), names: references})
			}
		}
		s.Counts[g]++
		spelled[g] = spell(spelled[g], line)
		p.addLine(j, line)
		return nil
	}
	// No gift has its page yet: the pages are numbered by the shape.
	err := j.turn(ctx, fill, func(p page) error {
		digest := sha256.Sum256(spelled[p.group])
		contents[p.group] = append(contents[p.group], hex.EncodeToString(digest[:16]))
		spelled[p.group] = spelled[p.group][:0]
		head, _, err := tape.LinesBody(p.side(), p.lines)
		heads[p.group] = append(heads[p.group], head)
		return err
	})
	for g := range j.groups() {
		s.Pages, s.Contents = append(s.Pages, heads[g]...), append(s.Contents, contents[g]...)
	}
	return s, memos, err
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
	open := make([]page, j.groups())
	for g := range j.groups() {
		open[g] = page{n: int32(j.first(g)), group: g}
	}
	err := j.each(ctx, func(line statement.Line, g group) error {
		p := &open[g]
		if err := fill(p, line); err != nil || len(p.lines) < j.pageLines {
			return err
		}
		full := *p
		*p = page{n: full.n + 1, group: g}
		return hand(full)
	})
	for g := range j.groups() {
		if err == nil && len(open[g].lines) > 0 {
			err = hand(open[g])
		}
	}
	return err
}

// fill puts a line, and the gift that it may be, on a page.
func (j *job) fill(p *page, l statement.Line) error {
	p.addLine(j, l)
	if p.group == debits || p.group == credits {
		j.note(p, l)
	}
	line := p.lines[len(p.lines)-1]
	switch claim, known := j.claims[l.Number]; {
	case p.group == gifts && !known:
		id := j.giftID(l.Number)
		p.gifts = append(p.gifts, tape.Gift{ID: id, Amount: line.Amount, Donor: j.secrets.donorOf(id, l.Payer), Reference: line.Reference})
	case known && p.group != credits && p.group != debits:
		p.gifts = append(p.gifts, tape.Gift{ID: claim.Gift, Amount: line.Amount, Donor: claim.Donor, Reference: line.Reference})
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
