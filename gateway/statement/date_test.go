package statement

import (
	"testing"
	"time"
)

func TestDate(t *testing.T) {
	for _, row := range table(t, `
# layout | cell | what is read, or - when it is not of this layout
yyyy-mm-dd          | 2024-09-01          | 2024-09-01
yyyy-mm-dd          | 2024-9-1            | -
yyyy-mm-dd          | 2024-09-01x         | -
yyyy-mm-dd          | 2024-09-1           | -
yyyy-mm-dd          | 2024-09             | -
yyyy-mm-dd          |                     | -
yyyy-mm-dd          | 2024/09/01          | -
yyyy-mm-dd          | 2024-13-01          | -
yyyy-mm-dd          | 2024-00-01          | -
yyyy-mm-dd          | 2024-01-00          | -
yyyy-mm-dd          | 2024-01-32          | -
yyyy-mm-dd          | 2024-04-31          | -
yyyy-mm-dd          | 2024-02-29          | 2024-02-29
yyyy-mm-dd          | 2023-02-29          | -
yyyy-mm-dd          | 2000-02-29          | 2000-02-29
yyyy-mm-dd          | 2100-02-29          | -
yyyy-mm-dd          | 1899-12-31          | -
yyyy-mm-dd          | 2200-01-01          | -
yyyy-mm-dd          | -024-09-01          | -
yyyy-mm-dd          | ２０２４-09-01      | -
dd/mm/yyyy          | 01/09/2024          | 2024-09-01
dd/mm/yyyy          | 09/13/2024          | -
mm/dd/yyyy          | 09/13/2024          | 2024-09-13
d/m/yyyy            | 1/9/2024            | 2024-09-01
d/m/yyyy            | 31/12/2024          | 2024-12-31
d/m/yyyy            | 01/9/2024           | -
d/m/yyyy            | 111/9/2024          | -
dd.mm.yy            | 01.09.24            | 2024-09-01
yyyymmdd            | 20240901            | 2024-09-01
yyyymmdd            | 2024091             | -
yyyy年m月d日        | 2024年9月1日        | 2024-09-01
dd-mmm-yyyy         | 03-Sep-2024         | 2024-09-03
dd-mmm-yyyy         | 03-SEP-2024         | 2024-09-03
dd-mmm-yyyy         | 03-epo-2024         | -
dd-mmm-yyyy         | 03-Se               | -
yyyy-mm-ddThh:mi:ss | 2024-09-01T08:15:59 | 2024-09-01 08:15:59
yyyy-mm-dd hh:mi    | 2024-09-01 08:15    | 2024-09-01 08:15:00
yyyy-mm-dd hh:mi    | 2024-09-01 24:00    | -
yyyy-mm-dd h:mi     | 2024-09-01 8:15     | 2024-09-01 08:15:00
hh:mi:ss            | 23:59:59            | 23:59:59
hh:mi:ss            | 23:60:00            | -
hh:mi:ss            | 23:59:60            | -
hhmiss              | 080001              | 08:00:01
# A layout itself can be wrong.
yyyy-mm             | 2024-09             | layout
dd/mm               | 01/09               | layout
yyyy-mm-dd hh       | 2024-09-01 08       | layout
hh:ss               | 08:00               | layout
DD/MM/YYYY          | 01/09/2024          | layout
yyyy-mm-dd-dd       | 2024-09-01-01       | layout
yyyy-mm-mmm-dd      | 2024-09-Sep-01      | layout
yyyy-yy-mm-dd       | 2024-24-09-01       | layout
foo                 | foo                 | layout
/                   | /                   | layout
`, 3) {
		if got := readMoment(row.asked[0], row.asked[1]); got != row.answer {
			t.Errorf("layout %s, cell %q: got %s, want %s", row.asked[0], row.asked[1], got, row.answer)
		}
	}
}

func readMoment(text, cell string) string {
	compiled, err := compileLayout(text)
	if err != nil {
		return "layout"
	}
	m, ok := compiled.parse([]byte(cell))
	switch {
	case !ok:
		return "-"
	case compiled.hasDate && compiled.hasTime:
		return m.date() + " " + m.clock()
	case compiled.hasDate:
		return m.date()
	default:
		return m.clock()
	}
}

// FuzzDate compares with the standard library, which reads dates in another way.
func FuzzDate(f *testing.F) {
	for _, seed := range []string{"2024-09-01", "2024-02-30", "2023-02-29", "0001-01-01", "2024-9-1", "", "2024-09-01 "} {
		f.Add(seed)
	}
	compiled, err := compileLayout("yyyy-mm-dd")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		m, ok := compiled.parse([]byte(cell))
		day, err := time.Parse(time.DateOnly, cell)
		want := err == nil && day.Year() >= 1900 && day.Year() <= 2199
		if ok != want || (ok && m.date() != cell) {
			t.Errorf("%q: read %v as %s, want %v", cell, ok, m.date(), want)
		}
	})
}

// FuzzLayout: no layout and no cell may stop the reader, and what is read is a real moment.
func FuzzLayout(f *testing.F) {
	f.Add("dd/mm/yyyy", "01/09/2024")
	f.Add("d-mmm-yy h:mi", "1-Sep-24 8:00")
	f.Add("yyyy年mm月dd日", "2024年09月01日")
	f.Add("mi", "")
	f.Fuzz(func(t *testing.T, text, cell string) {
		compiled, err := compileLayout(text)
		if err != nil {
			wantRefusal(t, err)
			return
		}
		m, ok := compiled.parse([]byte(cell))
		if !ok || !compiled.hasDate {
			return
		}
		if _, err := time.Parse(time.DateOnly, m.date()); err != nil {
			t.Errorf("layout %q read %q as %s: %v", text, cell, m.date(), err)
		}
	})
}
