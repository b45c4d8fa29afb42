package harvest_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// TestReadme: the specification names every key and every kind of refusal.
func TestReadme(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(data)
	keys := map[string]bool{}
	for _, key := range []string{harvest.TermsKey("s"), harvest.LotKey("s", "l"), harvest.CompositionKey("s", "l", 1), harvest.StepKey("s", "i"), harvest.MoveKey("s", "i"), harvest.BagsKey("s", "l"),
		harvest.UnitKey("s", "1"), harvest.SecurityKey("s", "l"), harvest.SaleKey("s", "x"), harvest.ShareKey("s", "x", 1)} {
		kind, rest, _ := strings.Cut(key, "/")
		if keys[kind] {
			t.Errorf("two records begin with %s/", kind)
		}
		keys[kind] = true
		pattern := "(?m)^\\| `" + kind + strings.Repeat("/<[a-z]+>", strings.Count(rest, "/")+1) + "` \\|"
		if !regexp.MustCompile(pattern).MatchString(readme) {
			t.Errorf("the table of keys lacks %s", key)
		}
	}
	for _, code := range []rule.Code{rule.Invalid, rule.Forbidden, rule.NotFound, rule.Exists, rule.Conflict, rule.Insufficient, rule.WrongState} {
		if !strings.Contains(readme, "| `"+string(code)+"` |") {
			t.Errorf("the table of refusals lacks %s", code)
		}
	}
}
