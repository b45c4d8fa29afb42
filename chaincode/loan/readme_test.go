package loan_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// TestReadme: the specification names every key, state and kind of refusal.
func TestReadme(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(data)
	for _, key := range []string{loan.ProductKey("s", "p", 1), loan.OfferKey("s", "p"), loan.Key("s", "l"), loan.OrderKey("s", "o"), loan.DebtsKey("f"), loan.NoticeKey("s", "l", 1, 15),
		loan.StayKey("s", "d"), loan.StaysKey("s"), loan.RepaidKey("a", "p", 0), loan.LentKey("o", 1)} {
		kind, rest, _ := strings.Cut(key, "/")
		pattern := "(?m)^\\| `" + kind + strings.Repeat("/<[a-z]+>", strings.Count(rest, "/")+1) + "` \\|"
		if !regexp.MustCompile(pattern).MatchString(readme) {
			t.Errorf("the table of keys lacks %s", key)
		}
	}
	for _, state := range []loan.State{loan.Applied, loan.Referred, loan.Approved, loan.Refused, loan.Withdrawn, loan.Contracted, loan.Running, loan.Closed} {
		if !strings.Contains(readme, "`"+string(state)+"`") {
			t.Errorf("the states lack %s", state)
		}
	}
	for _, code := range rule.Codes() {
		if !strings.Contains(readme, "| `"+string(code)+"` |") {
			t.Errorf("the table of refusals lacks %s", code)
		}
	}
}
