package importing

import (
	"os"
	"testing"
)

// BenchmarkMeasure goes through a statement as an import does before it sends
// anything. LIANBAO_STATEMENT names a file of one's own.
func BenchmarkMeasure(b *testing.B) {
	w := newWorld(b)
	o := w.order(os.Getenv("LIANBAO_STATEMENT"))
	if o.File == "" {
		o.File = w.sample("sample.csv", 20_000, nil)
	}
	for b.Loop() {
		j := &job{Order: o}
		j.pageLines, j.settlePages = pageLines, settlePages
		if err := j.read(); err != nil {
			b.Fatal(err)
		}
		if err := j.draft(b.Context()); err != nil {
			b.Fatal(err)
		}
		if err := j.unlock(); err != nil {
			b.Fatal(err)
		}
		if err := j.shapeUp(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
