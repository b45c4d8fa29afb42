package pool_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// TestReadme: the specification names every key, entry, state, invariant and kind of refusal.
func TestReadme(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(data)
	for _, key := range []string{pool.PoolKey("a"), pool.TermsKey("a", 1), pool.LenderKey("a", "l"), pool.SnapshotKey("a", "l", "q"), pool.ConsentKey("a", "l", "s", "o"), pool.ClaimKey("a", "c"), pool.ClaimedKey("s", "o", "l"), pool.CountedKey("a", "b", "o/e/1"), pool.PromisedKey("a")} {
		kind, rest, _ := strings.Cut(key, "/")
		pattern := "(?m)^\\| `" + kind + strings.Repeat("/<[a-z]+>", strings.Count(rest, "/")+1) + "` \\|"
		if !regexp.MustCompile(pattern).MatchString(readme) {
			t.Errorf("the table of keys lacks %s", key)
		}
	}
	entries := 0
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		data, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`ctx\.Entry\([^,]+, "([a-z-]+)"`).FindAllStringSubmatch(string(data), -1) {
			entries++
			if !strings.Contains(readme, "`"+found[1]+"`") {
				t.Errorf("the list of entries lacks %s", found[1])
			}
		}
	}
	if entries != 14 {
		t.Errorf("the sources make %d entries", entries)
	}
	for _, state := range []pool.State{pool.Submitted, pool.Verified, pool.Review, pool.Approved, pool.Paid, pool.Sharing, pool.Closed, pool.Returned, pool.Rejected} {
		if !strings.Contains(readme, "`"+string(state)+"`") {
			t.Errorf("the states lack %s", state)
		}
	}
	for _, code := range []rule.Code{rule.Invalid, rule.Forbidden, rule.NotFound, rule.Exists, rule.Conflict, rule.Insufficient, rule.WrongState, rule.Early} {
		if !strings.Contains(readme, "| `"+string(code)+"` |") {
			t.Errorf("the table of refusals lacks %s", code)
		}
	}
	for _, invariant := range pool.Invariants() {
		if !strings.Contains(readme, "- "+strings.ToUpper(invariant.Name[:1])+invariant.Name[1:]+".") {
			t.Errorf("the list of invariants lacks: %s", invariant.Name)
		}
	}
}
