package waterfall_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/waterfall"
)

// TestReadme: the specification names every rank in its order, every kind of refusal and every limit.
func TestReadme(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme, at := string(data), 0
	for _, rank := range waterfall.Ranks() {
		next := strings.Index(readme, "| `"+string(rank)+"` |")
		if next < at {
			t.Errorf("the table of ranks lacks %s in its place", rank)
		}
		at = next
	}
	for _, code := range []rule.Code{rule.Invalid, rule.NotFound, rule.Conflict, rule.Insufficient, rule.Forbidden, rule.Unsupported} {
		if !strings.Contains(readme, "| `"+string(code)+"` |") {
			t.Errorf("the table of refusals lacks %s", code)
		}
	}
	limits := fmt.Sprintf("%d debts, %d dues, %d creditors, %d costs, 100,000 households", waterfall.DebtsMax, waterfall.DuesMax, waterfall.CreditorsMax, waterfall.CostsMax)
	if !strings.Contains(readme, limits) || waterfall.HouseholdsMax != 100_000 {
		t.Errorf("the limits are %s", limits)
	}
}
