package statement

import (
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// book checks a file against itself: each balance follows from the one before
// and the line's figures, and the stated ends agree with the sum of the lines.
type book struct {
	newestFirst bool
	// off: lines were skipped or refused, so sums over the file mean nothing.
	off bool
	// opening and closing are what the mapping or a row states.
	opening, closing *int64
	// start is the balance at the file's first line and edge the one at its
	// present line, in the order of the file; known says that they are.
	start, edge int64
	known       bool
	// moved is what the lines so far moved the edge by.
	moved         int64
	debit, credit int64
	lines         int
}

// add takes one line into the sums and returns what it clashes with.
func (b *book) add(line Line) error {
	if b.off {
		return nil
	}
	if err := b.addSums(line); err != nil {
		b.off = true
		return rowRefusal(line.Row, " brings the statement's total beyond %d minor units", int64(money.Max))
	}
	if first, _ := b.stated(); b.lines == 0 && first != nil {
		b.start, b.edge, b.known = *first, *first, true
	}
	b.lines++
	return b.addBalance(line)
}

func (b *book) addSums(line Line) (err error) {
	if b.debit, err = money.Sum(b.debit, line.Debit); err != nil {
		return err
	}
	b.credit, err = money.Sum(b.credit, line.Credit)
	return err
}

// addBalance moves the edge over the line. After a clash it goes on from the
// bank's figure, so that one wrong balance is reported once.
func (b *book) addBalance(line Line) error {
	forward := line.Net()
	if b.newestFirst {
		forward = -forward
	}
	before := b.edge
	b.edge += forward
	moved := b.moved
	b.moved += forward
	if line.Balance == nil {
		return nil
	}
	enter := *line.Balance
	if !b.newestFirst {
		enter -= line.Net()
	}
	b.edge = enter + forward
	if !b.known {
		b.start, b.known = enter-moved, true
		return nil
	}
	if enter == before {
		return nil
	}
	b.off = true
	return rule.Refuse(rule.Conflict, "row %d: the balance is stated as %s; the lines up to here give %s",
		line.Row, money.New(*line.Balance, line.Currency), money.New(*line.Balance+before-enter, line.Currency))
}

// stated returns the stated ends in the order of the file.
func (b *book) stated() (first, last *int64) {
	if b.newestFirst {
		return b.closing, b.opening
	}
	return b.opening, b.closing
}

// finish compares the stated ends with the lines, and derives an end that nobody states.
func (b *book) finish(currency money.Currency) error {
	first, last := b.stated()
	if b.off {
		return nil
	}
	if !b.known {
		switch {
		case first != nil:
			b.start, b.known = *first, true
		case last != nil:
			b.start, b.known = *last-b.moved, true
		default:
			return nil
		}
		b.edge = b.start + b.moved
	}
	names := [2]string{"opening", "closing"}
	if b.newestFirst {
		names = [2]string{"closing", "opening"}
	}
	for i, end := range []struct {
		stated *int64
		given  int64
	}{{first, b.start}, {last, b.edge}} {
		if end.stated != nil && *end.stated != end.given {
			b.off = true
			return rule.Refuse(rule.Conflict, "the %s balance is stated as %s; the lines give %s",
				names[i], money.New(*end.stated, currency), money.New(end.given, currency))
		}
	}
	return nil
}

// ends returns the opening and the closing balance; nil where the file and the mapping do not tell.
func (b *book) ends() (opening, closing *int64) {
	if b.off || !b.known {
		return b.opening, b.closing
	}
	start, edge := b.start, b.edge
	if b.newestFirst {
		return &edge, &start
	}
	return &start, &edge
}
