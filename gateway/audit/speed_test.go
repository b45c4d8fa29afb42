package audit_test

import (
	"fmt"
	"testing"

	"github.com/lianbao/lianbao/chaincode/tape"
)

// BenchmarkPages audits blocks of whole pages; the goal is 200,000 gifts in
// well under a minute.
func BenchmarkPages(b *testing.B) {
	v := newVillage(b)
	const pages = 10
	for n := range pages {
		units := make([]int64, tape.PageGiftsMax)
		for i := range units {
			units[i] = int64(100 + i)
		}
		v.receive(relief, fmt.Sprintf("page-%d", n), giftsOf(fmt.Sprintf("%d", n), units...))
	}
	blocks := v.chain()
	b.ResetTimer()
	for b.Loop() {
		a := newAuditor()
		for _, block := range blocks {
			if err := a.Block(block); err != nil {
				b.Fatal(err)
			}
		}
		if report := a.Close(); report.Differences > 0 {
			b.Fatal(report.Findings)
		}
	}
	b.ReportMetric(float64(b.N*pages*tape.PageGiftsMax)/b.Elapsed().Seconds(), "gifts/s")
}
