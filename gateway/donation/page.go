package donation

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"rsc.io/qr"
)

//go:embed receipt.html
var receiptHTML string

// ReceiptStyle is the style sheet of the fragment that WriteHTML writes, for A4
// and the screen. Whoever serves the page links or includes it.
//
//go:embed receipt.css
var ReceiptStyle string

var receiptPage = template.Must(template.New("receipt").Parse(receiptHTML))

// WriteHTML writes the receipt as a fragment of a page, in both languages,
// without script and without style of its own.
func (r Receipt) WriteHTML(w io.Writer) error {
	if err := r.Check(); err != nil {
		return err
	}
	lines, err := r.lines()
	if err != nil {
		return err
	}
	code, err := qr.Encode(r.GiftPage, qr.M)
	if err != nil {
		return err
	}
	return receiptPage.Execute(w, map[string]any{"Receipt": r, "Title": r.Title(), "Lines": lines, "Notes": r.notes(),
		"Side": code.Size + 2*quiet, "Modules": modules(code), "Charity": r.Charity.Name})
}

// belowHeading sets the receipt's heading one level lower.
var belowHeading = strings.NewReplacer("<h1", "<h2", "</h1", "</h2", ".donation-receipt h1", ".donation-receipt h2")

// Section is the receipt as a part of a page, which has a heading of its own.
func (r Receipt) Section() (template.HTML, error) {
	var paper strings.Builder
	err := r.WriteHTML(&paper)
	return template.HTML(belowHeading.Replace(paper.String())), err
}

// SectionStyle is the style sheet of a Section.
func SectionStyle() string { return belowHeading.Replace(ReceiptStyle) }

// quiet is the white border, in modules, without which a code is not read
// (ISO/IEC 18004: four).
const quiet = 4

// modules draws the black squares as one SVG path, a run of a row at a time.
func modules(code *qr.Code) string {
	var path strings.Builder
	for _, run := range runs(code) {
		fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", run.x+quiet, run.y+quiet, run.width, run.width)
	}
	return path.String()
}

type run struct{ x, y, width int }

func runs(code *qr.Code) []run {
	var found []run
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			start := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > start {
				found = append(found, run{start, y, x - start})
			}
		}
	}
	return found
}
