package statement

import (
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// findRows is how far down a header is looked for.
const findRows = 200

// readHeader passes over the rows above the header, which may state balances,
// and finds the columns.
func (r *Reader) readHeader() error {
	for range r.dialect.skip {
		if _, err := r.headRow(); err != nil {
			return err
		}
	}
	switch r.dialect.header {
	case headerNone:
		return r.placeByPosition()
	case headerFind:
		return r.findHeader()
	}
	cells, err := r.headRow()
	if err != nil {
		return err
	}
	r.setNames(cells)
	if r.dialect.standard {
		return r.placeStandard()
	}
	return r.place()
}

// headRow reads a row above the lines and takes balances from it.
func (r *Reader) headRow() ([][]byte, error) {
	cells, err := r.scanner.next()
	if errors.Is(err, io.EOF) {
		return nil, rule.Refuse(rule.Invalid, "row %d: the file ends before its header", r.scanner.row+1)
	}
	if err != nil {
		return nil, err
	}
	_, err = r.applyRules(cells)
	return cells, err
}

func (r *Reader) findHeader() error {
	for range findRows {
		cells, err := r.headRow()
		if err != nil {
			return err
		}
		r.setNames(cells)
		err = r.placeStandardOr()
		if err == nil {
			// A rule may have taken the header for the end of the lines.
			r.endRow = 0
			return nil
		}
	}
	return rule.Refuse(rule.Invalid, "none of the first %d rows names all the columns of the mapping", findRows)
}

func (r *Reader) placeStandardOr() error {
	if r.dialect.standard {
		return r.placeStandard()
	}
	return r.place()
}

func (r *Reader) setNames(cells [][]byte) {
	r.names = r.names[:0]
	for _, cell := range cells {
		r.names = append(r.names, squeeze(string(cell)))
	}
	r.width = len(r.names)
	for r.width > 0 && r.names[r.width-1] == "" && !r.dialect.standard {
		r.width--
	}
}

// placeStandard knows every header it meets: an unknown one means another dialect.
func (r *Reader) placeStandard() error {
	for at, name := range r.names {
		known := slices.Contains(r.dialect.columns[:], name) && name != ""
		if !known || slices.Index(r.names, name) != at {
			return rowRefusal(r.scanner.row, ": %.40q is not a standard header; describe this bank's columns in a mapping file, see docs/import.md", name)
		}
	}
	for c, name := range r.dialect.columns {
		r.index[c], r.labels[c] = notThere, name
		if name == "" {
			continue
		}
		r.index[c] = slices.Index(r.names, name)
		optional := column(c) == columnBalance || column(c) == columnDescription
		if r.index[c] == notThere && !optional {
			return rowRefusal(r.scanner.row, ": the standard header %s is missing; describe this bank's columns in a mapping file, see docs/import.md", name)
		}
	}
	return nil
}

// place finds the mapping's columns among the file's headers.
func (r *Reader) place() error {
	for c, name := range r.dialect.columns {
		at, err := r.find(name)
		if err != nil {
			return err
		}
		r.index[c], r.labels[c] = at, name
	}
	return nil
}

func (r *Reader) find(name string) (int, error) {
	if name == "" {
		return notThere, nil
	}
	if at, positioned, _ := position(name); positioned {
		if at >= len(r.names) {
			return notThere, rowRefusal(r.scanner.row, ": the header has %d columns; the mapping names %s", len(r.names), name)
		}
		return at, nil
	}
	at := slices.Index(r.names, name)
	if at == notThere {
		return notThere, rowRefusal(r.scanner.row, ": no column is headed %.60q; the header is %.300q", name, strings.Join(r.names, ", "))
	}
	if slices.Contains(r.names[at+1:], name) {
		return notThere, rowRefusal(r.scanner.row, ": two columns are headed %.60q; name one by its position, as \"#%d\"", name, at+1)
	}
	return at, nil
}

// placeByPosition places the columns of a file without a header.
func (r *Reader) placeByPosition() error {
	for c, name := range r.dialect.columns {
		at, positioned, err := position(name)
		if err != nil {
			return err
		}
		if !positioned {
			at = notThere
		}
		r.index[c], r.labels[c] = at, name
		r.width = max(r.width, at+1)
	}
	return nil
}
