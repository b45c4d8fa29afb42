package books

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// linePagesMax is how many pages of bank lines are kept at a time: payouts and
// gifts that follow one another mostly rest on the same page.
const linePagesMax = 8

// bankLines reads the lines of bank statements, page by page.
type bankLines struct {
	*Books
	pages map[string][]readmodel.Line
	order []string
}

// page returns the lines of a page by its key on the ledger, lines/account/statement/n.
func (b *bankLines) page(ctx context.Context, key string) ([]readmodel.Line, error) {
	if lines, known := b.pages[key]; known {
		return lines, nil
	}
	parts := strings.Split(key, "/")
	if len(parts) != 4 || parts[0] != "lines" {
		return nil, rule.Refuse(rule.Unsupported, "%.120q is not a page of bank lines", key)
	}
	number, err := strconv.ParseInt(parts[3], 10, 32)
	if err != nil {
		return nil, rule.Refuse(rule.Unsupported, "%.120q is not a page of bank lines", key)
	}
	n := int32(number)
	var lines []readmodel.Line
	for line, err := range walk(func(window readmodel.Window) (readmodel.List[readmodel.Line], error) {
		return b.Model.Lines(ctx, readmodel.LineFilter{Account: tape.AccountID(parts[1]), Statement: tape.ID(parts[2]), N: &n}, window)
	}) {
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	b.keep(key, lines)
	return lines, nil
}

func (b *bankLines) keep(key string, lines []readmodel.Line) {
	if b.pages == nil {
		b.pages = map[string][]readmodel.Line{}
	}
	if len(b.order) >= linePagesMax {
		delete(b.pages, b.order[0])
		b.order = b.order[1:]
	}
	b.pages[key], b.order = lines, append(b.order, key)
}

// at returns one line by its place on the page.
func (b *bankLines) at(ctx context.Context, key string, index int) (readmodel.Line, error) {
	lines, err := b.page(ctx, key)
	if err != nil {
		return readmodel.Line{}, err
	}
	if index < 0 || index >= len(lines) {
		return readmodel.Line{}, rule.Refuse(rule.NotFound, "%s has no line at place %d", key, index)
	}
	return lines[index], nil
}

// of returns the line that an evidence names by its number.
func (b *bankLines) of(ctx context.Context, evidence tape.Evidence) (readmodel.Line, error) {
	lines, err := b.page(ctx, evidence.Reference)
	if err != nil {
		return readmodel.Line{}, err
	}
	for _, line := range lines {
		if line.Number == evidence.Line {
			return line, nil
		}
	}
	return readmodel.Line{}, rule.Refuse(rule.NotFound, "%s has no line of number %d", evidence.Reference, evidence.Line)
}

// processor returns a payment processor's file by its key.
func (b *bankLines) processor(ctx context.Context, key string) (tape.Processor, error) {
	record, err := b.Model.Record(ctx, key)
	if err != nil {
		return tape.Processor{}, err
	}
	var file tape.Processor
	err = json.Unmarshal(record.Value, &file)
	return file, err
}
