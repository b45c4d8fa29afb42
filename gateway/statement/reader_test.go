package statement

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/lianbao/lianbao/chaincode/rule"
)

func readAll(t *testing.T, r *Reader) []Line {
	t.Helper()
	var lines []Line
	for line, err := range r.All() {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}

func packed(t testing.TB, text []byte) []byte {
	t.Helper()
	var file bytes.Buffer
	w := gzip.NewWriter(&file)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// TestSkipGoesOnWhereAnImportStopped: in every dialect and from every line, what
// is read after Skip is what a whole reading gives from there on.
func TestSkipGoesOnWhereAnImportStopped(t *testing.T) {
	for _, folder := range dialects(t) {
		mapping, path := folderMapping(t, folder), filepath.Join(folder, "statement.csv")
		whole, err := Open(path, mapping)
		if err != nil {
			t.Fatal(err)
		}
		lines := readAll(t, whole)
		whole.Close()
		for i := range len(lines) + 1 {
			next := lines[0].Number + i
			resumed, err := Open(path, mapping)
			if err != nil {
				t.Fatal(err)
			}
			if err := resumed.Skip(next); err != nil {
				t.Errorf("%s: Skip(%d): %v", folder, next, err)
			}
			rest := readAll(t, resumed)
			resumed.Close()
			if len(rest) != len(lines)-i || (len(rest) > 0 && !reflect.DeepEqual(rest, lines[i:])) {
				t.Errorf("%s: after Skip(%d) came %d lines, want %d", folder, next, len(rest), len(lines)-i)
			}
		}
	}
}

func TestSkip(t *testing.T) {
	for _, row := range table(t, `
# numbers in the file | skips | the next line's number, or the refusal
1 2 3   | 1       | 1
1 2 3   | 3       | 3
1 2 3   | 2 3     | 3
1 2 3   | 2 2     | 2
1 2 3   | 4       | EOF
1 2 3   | 5       | not-found: line 5: the statement ends with line 3
1 2 3   | 3 2     | invalid: line 2 is behind the reader, which is at line 3
7 8 9   | 8       | 8
7 8 9   | 1       | invalid: line 1 is behind the reader, which is at line 7
7 8 9   | 11      | not-found: line 11: the statement ends with line 9
x 8 9   | 8       | invalid: row 2, column line: "x" is not a line number
`, 3) {
		text := standardHeader
		for number := range strings.FieldsSeq(row.asked[0]) {
			text += number + ",2024-09-01,,R,0,5,VND,p\n"
		}
		if got := afterSkips(t, text, row.asked[1]); got != row.answer {
			t.Errorf("%s, skip %s: got %s, want %s", row.asked[0], row.asked[1], got, row.answer)
		}
	}
}

func afterSkips(t *testing.T, text, skips string) string {
	t.Helper()
	r, err := NewReader(strings.NewReader(text), Mapping{})
	if err != nil {
		t.Fatal(err)
	}
	for word := range strings.FieldsSeq(skips) {
		next := 0
		fmt.Sscan(word, &next)
		if err := r.Skip(next); err != nil {
			return err.Error()
		}
	}
	line, err := r.Next()
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(line.Number)
}

func TestEndIsAnEndForEver(t *testing.T) {
	r, err := NewReader(strings.NewReader(standardHeader), Mapping{})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("got %v", err)
		}
	}
}

// TestDamagedGzip: each cut and each flipped bit is refused, and never read as a shorter statement.
func TestDamagedGzip(t *testing.T) {
	var text bytes.Buffer
	if err := Sample(&text, 300, 1); err != nil {
		t.Fatal(err)
	}
	whole := packed(t, text.Bytes())
	if _, err := SurveyFrom(bytes.NewReader(whole), Mapping{}); err != nil {
		t.Fatal(err)
	}
	for cut := 2; cut < len(whole); cut += 31 {
		if _, err := SurveyFrom(bytes.NewReader(whole[:cut]), Mapping{}); err == nil {
			t.Errorf("cut at %d of %d: accepted", cut, len(whole))
		} else {
			wantRefusal(t, err)
		}
	}
	// The ten bytes of the gzip header hold a time and a system that no checksum covers.
	for at := 10; at < len(whole); at += 29 {
		flipped := bytes.Clone(whole)
		flipped[at] ^= 0x10
		if _, err := SurveyFrom(bytes.NewReader(flipped), Mapping{}); err == nil {
			t.Errorf("a bit flipped at %d: accepted", at)
		} else {
			wantRefusal(t, err)
		}
	}
	if _, err := SurveyFrom(bytes.NewReader(append(bytes.Clone(whole), "rest"...)), Mapping{}); err == nil {
		t.Error("text behind the gzip file: accepted")
	}
}

func TestAGzipFileOfTwoPartsIsOneStatement(t *testing.T) {
	two := append(packed(t, []byte(standardHeader+"1,2024-09-01,,R,0,5,VND,p\n")), packed(t, []byte("2,2024-09-01,,R,0,6,VND,p\n"))...)
	summary, err := SurveyFrom(bytes.NewReader(two), Mapping{})
	if err != nil || summary.Lines != 2 || summary.GiftTotal != 11 {
		t.Errorf("%d lines, %d, %v", summary.Lines, summary.GiftTotal, err)
	}
}

// endless gives the same bytes for ever, as a gzip bomb does.
type endless struct{ pattern string }

func (e endless) Read(p []byte) (int, error) {
	n := 0
	for n+len(e.pattern) <= len(p) {
		n += copy(p[n:], e.pattern)
	}
	return n, nil
}

func TestEndlessFilesEnd(t *testing.T) {
	for _, row := range table(t, `
# what repeats | limits | the refusal
a                             | {}                              | invalid: row 2 is longer than 65536 bytes, or a quote in it never closes
a                             | {rowBytesMax: 1000000, fileBytesMax: 100000000, fieldBytesMax: 1000000} | invalid: row 2 is longer than 1000000 bytes, or a quote in it never closes
"a⏎                           | {}                              | invalid: row 2, column #1: goes on after its closing quote
,                             | {}                              | invalid: row 2 is longer than 65536 bytes, or a quote in it never closes
⏎                             | {rowsMax: 1000}                 | invalid: row 1001 is beyond the 1000 rows that one statement may have
⏎                             | {fileBytesMax: 1000000}         | invalid: row 0 is beyond the bytes that one statement may have
`, 3) {
		mapping, err := ParseMapping([]byte("{v: 1, limits: " + row.asked[1] + "}"))
		if err != nil {
			t.Fatal(err)
		}
		source := io.MultiReader(strings.NewReader(standardHeader), endless{row.asked[0]})
		_, err = SurveyFrom(source, mapping)
		if err == nil || dropRow(err.Error(), row.answer) != row.answer {
			t.Errorf("%q %s\n got %v\nwant %s", row.asked[0], row.asked[1], err, row.answer)
		}
	}
}

// dropRow makes the row 0 where the answer has row 0: where a byte limit strikes depends on the size of the reads.
func dropRow(text, want string) string {
	head, rest, _ := strings.Cut(text, "row ")
	_, tail, found := strings.Cut(rest, " ")
	if !found || !strings.Contains(want, "row 0 ") {
		return text
	}
	return head + "row 0 " + tail
}

func TestLimitsOfARow(t *testing.T) {
	for _, row := range table(t, `
# limits | the refusal
{}                                        | -
{fieldBytesMax: 20}                       | invalid: row 2, column #4: is longer than 20 bytes
{fieldBytesMax: 21}                       | -
{columnsMax: 7}                           | invalid: row 1 has more than 7 columns
{columnsMax: 8}                           | -
{rowsMax: 1}                              | invalid: row 2 is beyond the 1 rows that one statement may have
{rowsMax: 2}                              | -
{rowBytesMax: 83}                         | invalid: row 1 is longer than 83 bytes, or a quote in it never closes
{rowBytesMax: 84}                         | -
`, 2) {
		mapping, err := ParseMapping([]byte("{v: 1, limits: " + row.asked[0] + "}"))
		if err != nil {
			t.Fatal(err)
		}
		if got := firstError(t, standardHeader+"1,2024-09-01,,123456789012345678901,0,5,VND,p\n", mapping); got != row.answer {
			t.Errorf("%s\n got %s\nwant %s", row.asked[0], got, row.answer)
		}
	}
}

// TestMemoryDoesNotGrowWithTheFile reads 8 MB out of a small gzip file.
func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	text := standardHeader + strings.Repeat("\n", 8<<20)
	bomb := packed(t, []byte(text))
	mapping := Mapping{Limits: Limits{RowsMax: 1 << 24}}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	if _, err := SurveyFrom(bytes.NewReader(bomb), mapping); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 2<<20 {
		t.Errorf("%d bytes were allocated for a file without lines", grown)
	}
}

func TestAMissingFileIsNoRefusal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.csv")
	if _, err := Open(path, Mapping{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Open: %v", err)
	}
	if _, err := Survey(path, Mapping{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Survey: %v", err)
	}
}

func TestABrokenDiskIsNoRefusal(t *testing.T) {
	broken := errors.New("the disk is broken")
	for _, text := range []string{"", "l", standardHeader, standardHeader + "1,2024-09-01,,R,0,5,VND,p\n"} {
		_, err := SurveyFrom(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), Mapping{})
		if !errors.Is(err, broken) || rule.Is(err, rule.Invalid) {
			t.Errorf("after %d bytes: %v", len(text), err)
		}
	}
}

// FuzzStatement reads any bytes in any of the dialects: never a panic, only
// refusals, the same answer twice, and the same lines after any Skip.
func FuzzStatement(f *testing.F) {
	var mappings []Mapping
	for i, folder := range dialects(f) {
		mappings = append(mappings, folderMapping(f, folder))
		data, err := os.ReadFile(filepath.Join(folder, "statement.csv"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, uint8(i), uint8(1))
	}
	f.Add([]byte(standardHeader+"1,2024-09-01,,R,0,5,VND,p\n"), uint8(5), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, dialect, skip uint8) {
		mapping := mappings[int(dialect)%len(mappings)]
		lines, failed := gather(t, data, mapping, 0)
		again, failedAgain := gather(t, data, mapping, 0)
		if failed != failedAgain || !reflect.DeepEqual(lines, again) {
			t.Fatal("two readings differ")
		}
		if failed || len(lines) == 0 {
			return
		}
		at := int(skip) % len(lines)
		rest, failed := gather(t, data, mapping, lines[at].Number)
		if failed || !reflect.DeepEqual(rest, lines[at:]) {
			t.Errorf("after a skip to line %d came other lines", lines[at].Number)
		}
	})
}

// gather reads what can be read, and holds every line to what a Line promises.
func gather(t *testing.T, data []byte, m Mapping, skip int) (lines []Line, failed bool) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(data), m)
	if err == nil && skip > 0 {
		err = r.Skip(skip)
	}
	if err != nil {
		wantRefusal(t, err)
		return nil, true
	}
	for line, err := range r.All() {
		if err != nil {
			wantRefusal(t, err)
			failed = true
			continue
		}
		checkLine(t, line)
		lines = append(lines, line)
	}
	return lines, failed
}

func checkLine(t *testing.T, line Line) {
	t.Helper()
	oneSide := line.Debit >= 0 && line.Credit >= 0 && (line.Debit == 0 || line.Credit == 0)
	if line.Number < 1 || !oneSide || line.Currency == "" || len(line.Date) != len("2024-09-01") {
		t.Errorf("an impossible line: %+v", line)
	}
}
