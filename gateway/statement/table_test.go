package statement

import (
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// tableRow is a row of a text table; the last cell is the answer.
type tableRow struct {
	asked  []string
	answer string
}

// table reads a text table with columns between bars. A row that begins with #
// and a space is a remark. What cannot be seen in a table has a sign: ⏎ a line
// break, ⇥ a tab, ⍽ a space that does not break, ⌷ a narrow
// one, ¦ a bar, ‵ a back quote.
func table(t *testing.T, text string, columns int) []tableRow {
	t.Helper()
	var rows []tableRow
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "# ") {
			continue
		}
		cells := strings.Split(line, "|")
		if len(cells) != columns {
			t.Fatalf("the table row %q has %d columns, want %d", line, len(cells), columns)
		}
		for i := range cells {
			cells[i] = strings.NewReplacer("⏎", "\n", "⍽", "\u00a0", "⌷", "\u202f", "¦", "|", "‵", "`", "⇥", "\t").Replace(strings.TrimSpace(cells[i]))
		}
		rows = append(rows, tableRow{cells[:columns-1], cells[columns-1]})
	}
	if len(rows) == 0 {
		t.Fatal("the table has no rows")
	}
	return rows
}

// wantRefusal fails unless err is a refusal: bad input must never look like a fault of ours.
func wantRefusal(t *testing.T, err error) {
	t.Helper()
	for _, code := range rule.Codes() {
		if rule.Is(err, code) {
			return
		}
	}
	t.Errorf("%v (%T) is not a refusal", err, err)
}
