package settlement_test

import (
	"fmt"
	"testing"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// BenchmarkPage settles one chunk of 200 households with a loan each, three
// months after it was paid out: what each endorser reckons for it.
func BenchmarkPage(b *testing.B) {
	grams := make([]int64, 200)
	for i := range grams {
		grams[i] = 100_000
	}
	sale, all := sold(nil, grams...)
	w := opened(b, "2026-03-20", sale, all)
	for i := range grams {
		w.loans[household(i)] = []loan.Loan{borrowed(tape.ID(fmt.Sprint("l", i)), household(i), today)}
	}
	for b.Loop() {
		settled, _, err := w.run("2026-03-20", 0)
		if err != nil || len(settled.Loans) != 200 {
			b.Fatal(len(settled.Loans), err)
		}
	}
}
