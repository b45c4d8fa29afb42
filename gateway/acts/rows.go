package acts

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// RowsBytesMax is the longest file of rows.
const RowsBytesMax = 256 << 10

// ReadRows reads a table from a CSV file, whose first line names columns. They
// may stand in any order, and those that are not required may be left out.
func (f Field) ReadRows(text []byte) ([][]string, error) {
	if len(text) > RowsBytesMax {
		return nil, rule.Refuse(rule.Invalid, "the file has %d bytes; %d at most", len(text), RowsBytesMax)
	}
	reader := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	lines, err := reader.ReadAll()
	if err != nil {
		return nil, rule.Refuse(rule.Invalid, "the file is no table: %v", err)
	}
	if len(lines) == 0 {
		return nil, rule.Refuse(rule.Invalid, "the file is empty; its first line is %s", f.Header())
	}
	places := make([]int, len(lines[0]))
	for i, name := range lines[0] {
		places[i] = slices.IndexFunc(f.Columns, func(c Field) bool { return c.Name == strings.TrimSpace(name) })
		if places[i] < 0 || slices.Contains(places[:i], places[i]) {
			return nil, rule.Refuse(rule.Invalid, "the first line names %.40q, which is no column or stands twice; write %s", name, f.Header())
		}
	}
	var rows [][]string
	for _, line := range lines[1:] {
		row := make([]string, len(f.Columns))
		for i, cell := range line {
			row[places[i]] = strings.TrimSpace(cell)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// Header is the first line of a file of rows.
func (f Field) Header() string {
	names := make([]string, len(f.Columns))
	for i, column := range f.Columns {
		names[i] = column.Name
	}
	return strings.Join(names, ",")
}
