package statement

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func scanAll(source io.Reader, m Mapping) (rows [][]string, err error) {
	d, err := compile(m)
	if err != nil {
		return nil, err
	}
	s := newScanner(source, d)
	for {
		cells, err := s.next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		var row []string
		for _, cell := range cells {
			row = append(row, string(cell))
		}
		rows = append(rows, row)
	}
}

func TestRows(t *testing.T) {
	for _, row := range table(t, `
# text | cells between middle dots and rows between slashes, or the refusal
a,b⏎c,d⏎            | a·b/c·d
a,b⏎c,d             | a·b/c·d
a,b⏎⏎c,d            | a·b//c·d
,⏎                  | ·
"a,b",c             | a,b·c
"a""b"              | a"b
""                  |
"a⏎b",c⏎d,e         | a⏎b·c/d·e
"a⏎⏎b"⏎c            | a⏎⏎b/c
a"b                 | invalid: row 1 ends inside quotes: the file was cut off, or a quote is not doubled
x⏎a"b"              | invalid: row 2, column #1: has a quote inside, but does not begin with one
x,"a"b              | invalid: row 1, column #2: goes on after its closing quote
x,"a""b             | invalid: row 1 ends inside quotes: the file was cut off, or a quote is not doubled
x⏎x,"a"b""          | invalid: row 2, column #2: goes on after its closing quote
x⏎"a                | invalid: row 2 ends inside quotes: the file was cut off, or a quote is not doubled
`, 2) {
		rows, err := scanAll(strings.NewReader(row.asked[0]), Mapping{})
		var lines []string
		for _, cells := range rows {
			lines = append(lines, strings.Join(cells, "·"))
		}
		got := strings.Join(lines, "/")
		if err != nil {
			got = err.Error()
		}
		if got != row.answer {
			t.Errorf("%q: got %q, want %q", row.asked[0], got, row.answer)
		}
	}
}

func TestRowsArriveInAnyPortion(t *testing.T) {
	text := "a,\"b\r\n\"\"c\"\"\",d\r\n" + strings.Repeat("x,yy,zzz\n", 40_000)
	want, err := scanAll(strings.NewReader(text), Mapping{})
	if err != nil || len(want) != 40_001 {
		t.Fatalf("%d rows, %v", len(want), err)
	}
	for name, source := range map[string]io.Reader{
		"one byte at a time":   iotest.OneByteReader(strings.NewReader(text)),
		"data with the end":    iotest.DataErrReader(strings.NewReader(text)),
		"half of what is held": iotest.HalfReader(strings.NewReader(text)),
	} {
		got, err := scanAll(source, Mapping{})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d rows, %v", name, len(got), err)
		}
	}
}

func TestAReaderThatNeverGivesAnythingEnds(t *testing.T) {
	if _, err := scanAll(nothing{}, Mapping{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("got %v, want %v", err, io.ErrNoProgress)
	}
}

type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, nil }

func TestAFailingDiskIsNoRefusal(t *testing.T) {
	broken := errors.New("the disk is broken")
	source := io.MultiReader(strings.NewReader("a,b\n"), iotest.ErrReader(broken))
	if _, err := scanAll(source, Mapping{}); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

// FuzzRows compares with encoding/csv: whatever this scanner accepts, the
// standard library reads as the same cells.
func FuzzRows(f *testing.F) {
	for _, seed := range []string{"a,b\nc,d", "\"a\nb\",c\r\nd", "a\"b", "\"a\"\"b\",", "\r\n\r\n", ",,,\n", "\"", "\x00", "ủng hộ,\xff", "\"a\r\nb\"\r\n"} {
		f.Add([]byte(seed), uint8(0))
		f.Add([]byte(seed), uint8(1))
	}
	delimiters := []string{",", ";", "tab", "|"}
	f.Fuzz(func(t *testing.T, text []byte, delimiter uint8) {
		mapping := Mapping{Delimiter: delimiters[int(delimiter)%len(delimiters)]}
		rows, err := scanAll(bytes.NewReader(text), mapping)
		if err != nil {
			wantRefusal(t, err)
			return
		}
		oracle := csv.NewReader(bytes.NewReader(text))
		oracle.FieldsPerRecord = -1
		oracle.Comma = rune(map[string]byte{",": ',', ";": ';', "tab": '\t', "|": '|'}[mapping.Delimiter])
		want, err := oracle.ReadAll()
		if err != nil {
			t.Fatalf("%q was accepted; encoding/csv says %v", text, err)
		}
		var got [][]string
		for _, row := range rows {
			for i := range row {
				row[i] = strings.ReplaceAll(row[i], "\r\n", "\n")
			}
			if row != nil {
				got = append(got, row)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q was read as %q; encoding/csv reads %q", text, got, want)
		}
	})
}
