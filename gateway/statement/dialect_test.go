package statement

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// dialects lists the folders of testdata/dialects.
func dialects(t testing.TB) []string {
	t.Helper()
	folders, err := filepath.Glob("testdata/dialects/*")
	if err != nil || len(folders) < 9 {
		t.Fatalf("%d dialects, %v", len(folders), err)
	}
	return folders
}

// folderMapping returns the folder's mapping; the standard headers have none.
func folderMapping(t testing.TB, folder string) Mapping {
	t.Helper()
	mapping, err := LoadMapping(filepath.Join(folder, "mapping.yaml"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return mapping
}

func TestDialects(t *testing.T) {
	for _, folder := range dialects(t) {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			mapping, path := folderMapping(t, folder), filepath.Join(folder, "statement.csv")
			want, err := os.ReadFile(filepath.Join(folder, "want.txt"))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			reader, err := Open(path, mapping)
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close()
			for line, err := range reader.All() {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, fmt.Sprintf("line %d, row %d | %s", line.Number, line.Row, describe(reader, line)))
			}
			summary, err := Survey(path, mapping)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, "survey | "+describeSummary(summary))
			compareTables(t, got, table(t, string(want), 2))
		})
	}
}

func compareTables(t *testing.T, got []string, want []tableRow) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		var g, w string
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i].asked[0] + " | " + want[i].answer
		}
		if g != w {
			t.Errorf("row %d\n got %s\nwant %s", i+1, g, w)
		}
	}
}

// describe prints all of a line: date, time, reference, signed amount, balance, words, verdict.
func describe(r *Reader, l Line) string {
	dash := func(text string) string {
		if text == "" {
			return "-"
		}
		return text
	}
	text := fmt.Sprintf("%s %s %s %+d %s", l.Date, dash(l.Time), dash(l.Reference), l.Net(), l.Currency)
	if l.Balance != nil {
		text += fmt.Sprintf(" = %d", *l.Balance)
	}
	if l.Payer != "" {
		text += fmt.Sprintf(", payer %q", l.Payer)
	}
	if l.Description != "" {
		text += fmt.Sprintf(", %q", l.Description)
	}
	verdict := r.Classify(l)
	return fmt.Sprintf("%s: %s, %s", text, verdict.Kind, verdict.Reason)
}

func describeSummary(s Summary) string {
	known := func(units *int64) string {
		if units == nil {
			return "-"
		}
		return fmt.Sprint(*units)
	}
	return fmt.Sprintf("%d lines, %d gifts of %d %s, debits %d, credits %d, %s to %s, opening %s, closing %s",
		s.Lines, s.Gifts, s.GiftTotal, s.Currency, s.Debits, s.Credits, s.FirstDate, s.LastDate, known(s.Opening), known(s.Closing))
}

// TestDialectFilesAreWhatTheyClaim keeps a checkout that converts line ends or encodings from passing.
func TestDialectFilesAreWhatTheyClaim(t *testing.T) {
	for _, row := range table(t, `
# dialect | begins with, in Go's spelling | holds, in Go's spelling
standard-bom-crlf   | \xef\xbb\xbfline | yes
standard-gzip       | \x1f\x8b         | yes
utf16le             | \xff\xfe         | yes
utf16be-no-header   | \xfe\xff         | yes
gbk-direction       | \xd0\xe9         | yes
`, 3) {
		data, err := os.ReadFile(filepath.Join("testdata/dialects", row.asked[0], "statement.csv"))
		if err != nil {
			t.Fatal(err)
		}
		magic, got := "", "no"
		if _, err := fmt.Sscanf(`"`+row.asked[1]+`"`, "%q", &magic); err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(data, []byte(magic)) {
			got = "yes"
		}
		if got != row.answer {
			t.Errorf("%s begins with %q", row.asked[0], data[:4])
		}
	}
	data, err := os.ReadFile("testdata/dialects/standard-bom-crlf/statement.csv")
	if err != nil || strings.Count(string(data), "\r\n") != 6 {
		t.Errorf("%d CRLF, %v", strings.Count(string(data), "\r\n"), err)
	}
}
