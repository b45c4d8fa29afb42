package statement

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// The limits that hold where a mapping sets none.
const (
	rowBytesMax   = 64 << 10
	fieldBytesMax = 16 << 10
	columnsMax    = 256
	rowsMax       = 10_000_000
	fileBytesMax  = 4 << 30

	// bufferBytes is what is read at once; it grows only when a mapping allows longer rows.
	bufferBytes = 256 << 10
)

// scanner cuts text into rows and rows into cells, in memory that its limits
// bound. It stands in the place of encoding/csv, which buffers a whole row however long
// it is: one quote that never closes would cost the size of the file.
type scanner struct {
	source    io.Reader
	delimiter byte
	quotes    bool
	limits    Limits

	buffer     []byte
	start, end int
	drained    bool

	// row is the number of the row that was read last.
	row int
	// cells and unquoted are reused: a row's cells are valid until the next row.
	cells    [][]byte
	unquoted []byte
	// failed ends the file: after a fault in its structure, where the next row begins is a guess.
	failed error
}

func newScanner(source io.Reader, d *dialect) *scanner {
	return &scanner{source: source, delimiter: d.delimiter, quotes: d.quotes, limits: d.limits, buffer: make([]byte, bufferBytes)}
}

// next returns the cells of the next row; none for a row without text. At the
// end of the file the error is io.EOF.
func (s *scanner) next() ([][]byte, error) {
	if s.failed != nil {
		return nil, s.failed
	}
	raw, err := s.nextRaw()
	if err == nil {
		err = s.checkText(raw)
	}
	if err == nil {
		err = s.split(raw)
	}
	if err != nil {
		s.failed = err
		return nil, err
	}
	return s.cells, nil
}

// nextRaw finds the end of the row: a line feed outside quotes, which is one
// with an even number of quotes before it.
func (s *scanner) nextRaw() ([]byte, error) {
	seen, quotes := 0, 0
	for {
		window := s.buffer[s.start+seen : s.end]
		length := bytes.IndexByte(window, '\n') + 1
		atBreak := length > 0
		if !atBreak {
			length = len(window)
		}
		quotes += bytes.Count(window[:length], []byte{'"'})
		seen += length
		if seen > s.limits.RowBytesMax {
			return nil, s.refuse(" is longer than %d bytes, or a quote in it never closes", s.limits.RowBytesMax)
		}
		if atBreak && (!s.quotes || quotes%2 == 0) {
			return s.take(seen)
		}
		if atBreak {
			continue
		}
		if s.drained {
			return s.takeLast(seen, quotes)
		}
		if err := s.fill(); err != nil {
			return nil, err
		}
	}
}

// take cuts the row off the buffer and its line end off the row.
func (s *scanner) take(length int) ([]byte, error) {
	if s.row >= s.limits.RowsMax {
		return nil, s.refuse(" is beyond the %d rows that one statement may have", s.limits.RowsMax)
	}
	raw := s.buffer[s.start : s.start+length]
	s.start += length
	s.row++
	raw = bytes.TrimSuffix(raw, []byte{'\n'})
	return bytes.TrimSuffix(raw, []byte{'\r'}), nil
}

func (s *scanner) takeLast(length, quotes int) ([]byte, error) {
	if length == 0 {
		return nil, io.EOF
	}
	if s.quotes && quotes%2 == 1 {
		return nil, s.refuse(" ends inside quotes: the file was cut off, or a quote is not doubled")
	}
	return s.take(length)
}

// fill reads more of the file behind what is held of the present row.
func (s *scanner) fill() error {
	if s.start > 0 {
		s.end = copy(s.buffer, s.buffer[s.start:s.end])
		s.start = 0
	}
	if s.end == len(s.buffer) {
		s.buffer = append(s.buffer, make([]byte, len(s.buffer))...)
	}
	// Some readers return nothing for a while; one that never ends doing so is at fault.
	for range 100 {
		n, err := s.source.Read(s.buffer[s.end:])
		s.end += n
		if errors.Is(err, io.EOF) {
			s.drained = true
			return nil
		}
		if err != nil {
			return readFault(s.row+1, err)
		}
		if n > 0 {
			return nil
		}
	}
	return io.ErrNoProgress
}

// checkText refuses bytes that are no text in the file's encoding. Control
// characters could forge lines in a terminal or a log that later prints the cell.
func (s *scanner) checkText(raw []byte) error {
	ascii := true
	for i, c := range raw {
		if c >= utf8.RuneSelf {
			ascii = false
		}
		if (c < ' ' || c == 0x7f) && !isLayout(raw[i:]) {
			return s.fault(" holds the control character %#02x: another encoding, or not a text file", c)
		}
	}
	if !ascii && (!utf8.Valid(raw) || bytes.Contains(raw, []byte("\ufffd"))) {
		return s.fault(" is not text in the encoding that was expected; name the right one in the mapping")
	}
	return nil
}

// isLayout reports whether a control character is one that cells have: a tab or
// a line break.
func isLayout(text []byte) bool {
	return text[0] == '\t' || text[0] == '\n' || bytes.HasPrefix(text, []byte("\r\n"))
}

// split cuts a row into cells.
func (s *scanner) split(raw []byte) error {
	s.cells, s.unquoted = s.cells[:0], s.unquoted[:0]
	if len(raw) == 0 {
		return nil
	}
	for more := true; more; {
		if len(s.cells) == s.limits.ColumnsMax {
			return s.fault(" has more than %d columns", s.limits.ColumnsMax)
		}
		var cell []byte
		var err error
		if s.quotes && len(raw) > 0 && raw[0] == '"' {
			cell, raw, more, err = s.cutQuoted(raw)
		} else {
			cell, raw, more, err = s.cutPlain(raw)
		}
		if err != nil {
			return err
		}
		if len(cell) > s.limits.FieldBytesMax {
			return s.cellFault("is longer than %d bytes", s.limits.FieldBytesMax)
		}
		s.cells = append(s.cells, cell)
	}
	return nil
}

func (s *scanner) cutPlain(raw []byte) (cell, rest []byte, more bool, err error) {
	cell, rest, more = bytes.Cut(raw, []byte{s.delimiter})
	if s.quotes && bytes.IndexByte(cell, '"') >= 0 {
		return nil, nil, false, s.cellFault("has a quote inside, but does not begin with one")
	}
	return cell, rest, more, nil
}

// cutQuoted takes a quoted cell off the row; a doubled quote inside is one quote.
func (s *scanner) cutQuoted(raw []byte) (cell, rest []byte, more bool, err error) {
	from := len(s.unquoted)
	for rest = raw[1:]; ; {
		at := bytes.IndexByte(rest, '"')
		if at < 0 {
			return nil, nil, false, s.cellFault("has a quote that never closes")
		}
		doubled := at+1 < len(rest) && rest[at+1] == '"'
		if !doubled {
			s.unquoted = append(s.unquoted, rest[:at]...)
			rest = rest[at+1:]
			break
		}
		s.unquoted = append(s.unquoted, rest[:at+1]...)
		rest = rest[at+2:]
	}
	cell = s.unquoted[from:len(s.unquoted):len(s.unquoted)]
	if len(rest) == 0 {
		return cell, nil, false, nil
	}
	if rest[0] != s.delimiter {
		return nil, nil, false, s.cellFault("goes on after its closing quote")
	}
	return cell, rest[1:], true, nil
}

// refuse speaks of the row that is being looked for, fault of the row that was just taken.
func (s *scanner) refuse(format string, arguments ...any) error {
	return rowRefusal(s.row+1, format, arguments...)
}

func (s *scanner) fault(format string, arguments ...any) error {
	return rowRefusal(s.row, format, arguments...)
}

// cellFault speaks of the cell that is being cut off the row.
func (s *scanner) cellFault(format string, arguments ...any) error {
	return cellRefusal(s.row, "#"+strconv.Itoa(len(s.cells)+1), format, arguments...)
}

// rowRefusal names the row that must be mended.
func rowRefusal(row int, format string, arguments ...any) error {
	return rule.Refuse(rule.Invalid, "row %d"+format, append([]any{row}, arguments...)...)
}

// cellRefusal names the row and the column as the file's header spells it.
func cellRefusal(row int, column, format string, arguments ...any) error {
	return rule.Refuse(rule.Invalid, "row %d, column %s: "+format, append([]any{row, column}, arguments...)...)
}
