package table

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

func rows(all ...[]Cell) iter.Seq2[[]Cell, error] {
	return func(yield func([]Cell, error) bool) {
		for _, row := range all {
			if !yield(row, nil) {
				return
			}
		}
	}
}

func TestATable(t *testing.T) {
	table := Table{Columns: []Column{{Name: "id"}, {Name: "amount", Money: true}, {Name: "n"}, {Name: "note"}}, Rows: rows(
		[]Cell{Text("G-1"), Money(money.New(10_000, "CNY")), Number(3), Text("a, \"b\"\nc")},
		[]Cell{Text("G-2"), Money(money.New(-1, "CNY")), Number(int64(-4)), Text("=1+1")},
		[]Cell{Text("G-3"), Money(money.New(50_000, "VND")), {}, Truth(true)},
		[]Cell{Text("人"), {}, {}, Text(" x")},
	)}
	var b bytes.Buffer
	totals, err := Write(&b, table, Options{ByteOrderMark: true})
	if err != nil {
		t.Fatal(err)
	}
	const want = "\ufeffid,amount,amountCurrency,n,note\r\n" +
		"G-1,100.00,CNY,3,\"a, \"\"b\"\"\nc\"\r\n" +
		"G-2,-0.01,CNY,-4,'=1+1\r\n" +
		"G-3,50000,VND,,true\r\n" +
		"人,,,,\" x\"\r\n"
	if b.String() != want {
		t.Errorf("got\n%q\nwant\n%q", b.String(), want)
	}
	if got := totals.Of("amount", "CNY"); got != money.New(9_999, "CNY") {
		t.Errorf("sums to %s", got)
	}
	if got := totals.Of("amount", "VND"); got != money.New(50_000, "VND") {
		t.Errorf("sums to %s", got)
	}
	if got := totals.Of("amount", "USD"); got != money.New(0, "USD") {
		t.Errorf("sums to %s", got)
	}
}

func TestGuard(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "a": "a", "=1": "'=1", "+1": "+1", "-1": "-1", "-1.50": "-1.50", "+a": "'+a", "-": "'-", "-1e3": "'-1e3", "-1+cmd|' /C calc'!A0": "'-1+cmd|' /C calc'!A0",
		"@SUM(1)": "'@SUM(1)", "\t=1": "'\t=1", "\r=1": "'\r=1", "\n=1": "'\n=1", "＝1": "'＝1", "'=1": "'=1", "1": "1", "-1.": "'-1.", "+.5": "'+.5", "a=1": "a=1",
	} {
		if got := guarded(text); got != want {
			t.Errorf("%q is written %q, want %q", text, got, want)
		}
	}
}

func TestRefusedTables(t *testing.T) {
	fault := errors.New("the rows ended early")
	for _, c := range []struct {
		name  string
		table Table
		want  string
	}{
		{"no columns", Table{Rows: rows()}, "columns"},
		{"no name", Table{Columns: []Column{{}}, Rows: rows()}, "columns[0]"},
		{"twice", Table{Columns: []Column{{Name: "a", Money: true}, {Name: "aCurrency"}}, Rows: rows()}, "columns[1]"},
		{"short row", Table{Columns: []Column{{Name: "a"}, {Name: "b"}}, Rows: rows([]Cell{{}, {}}, []Cell{{}})}, "rows[1]"},
		{"text as money", Table{Columns: []Column{{Name: "a", Money: true}}, Rows: rows([]Cell{Text("1.00")})}, "rows[0].a"},
		{"money as text", Table{Columns: []Column{{Name: "a"}}, Rows: rows([]Cell{Money(money.New(1, "CNY"))})}, "rows[0].a"},
		{"no currency", Table{Columns: []Column{{Name: "a", Money: true}}, Rows: rows([]Cell{Money(money.New(1, "XXX"))})}, "rows[0].a"},
		{"too much", Table{Columns: []Column{{Name: "a", Money: true}}, Rows: rows([]Cell{Money(money.New(money.Max, "CNY"))}, []Cell{Money(money.New(1, "CNY"))})}, "rows[1].a"},
	} {
		_, err := Write(io.Discard, c.table, Options{})
		var refusal *rule.Refusal
		if !errors.As(err, &refusal) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if field, _ := refusal.Pointer(); field != c.want {
			t.Errorf("%s: names %q, want %q", c.name, field, c.want)
		}
	}
	_, err := Write(io.Discard, Table{Columns: []Column{{Name: "a"}}, Rows: func(yield func([]Cell, error) bool) { yield(nil, fault) }}, Options{})
	if !errors.Is(err, fault) {
		t.Errorf("the fault of the rows is lost: %v", err)
	}
}

// TestReadBack: another reader of RFC 4180 gets every text back, but for the guard.
func TestReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 4).Draw(t, "width")
		// A reader may join CR and LF to one LF, as the one used here does.
		text := rapid.StringOf(rapid.SampledFrom([]rune("ab,\"\n =+-@\t1.人 "))).Filter(func(s string) bool { return !strings.Contains(s, "\r") })
		var table Table
		for i := range width {
			table.Columns = append(table.Columns, Column{Name: fmt.Sprint("c", i)})
		}
		var all [][]Cell
		var want [][]string
		for range rapid.IntRange(0, 5).Draw(t, "rows") {
			var row []Cell
			var texts []string
			for range width {
				cell := text.Draw(t, "cell")
				row, texts = append(row, Text(cell)), append(texts, guarded(cell))
			}
			all, want = append(all, row), append(want, texts)
		}
		table.Rows = rows(all...)
		var b bytes.Buffer
		if _, err := Write(&b, table, Options{}); err != nil {
			t.Fatal(err)
		}
		got, err := csv.NewReader(&b).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprintf("%q", got[1:]) != fmt.Sprintf("%q", want) {
			t.Errorf("read back %q, written %q", got[1:], want)
		}
	})
}

// TestRowsAreNotKept writes 300,000 rows in little memory.
func TestRowsAreNotKept(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	most := uint64(0)
	table := Table{Columns: []Column{{Name: "id"}, {Name: "amount", Money: true}}, Rows: func(yield func([]Cell, error) bool) {
		for n := range 300_000 {
			if n%50_000 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&after)
				most = max(most, after.HeapAlloc)
			}
			if !yield([]Cell{Number(n), Money(money.New(1, "CNY"))}, nil) {
				return
			}
		}
	}}
	totals, err := Write(io.Discard, table, Options{})
	if err != nil || totals.Of("amount", "CNY") != money.New(300_000, "CNY") {
		t.Fatalf("%v, %v", totals, err)
	}
	if most > before.HeapAlloc+4<<20 {
		t.Errorf("%d bytes more were held", most-before.HeapAlloc)
	}
}
