package recourse_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// TestReadme: the specification names every key, every entry and every kind of refusal.
func TestReadme(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(data)
	for _, key := range []string{recourse.CallKey("s", "l", "i"), recourse.LastCallKey("s", "l"), recourse.CountedKey("s", "o/e/1")} {
		kind, rest, _ := strings.Cut(key, "/")
		pattern := "(?m)^\\| `" + kind + strings.Repeat("/<[a-z]+>", strings.Count(rest, "/")+1) + "` \\|"
		if !regexp.MustCompile(pattern).MatchString(readme) {
			t.Errorf("the table of keys lacks %s", key)
		}
	}
	sources, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	entries := map[string]bool{}
	for _, source := range sources {
		if name := source.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range regexp.MustCompile(`ctx\.Entry\([^,]+, "([a-z-]+)"`).FindAllStringSubmatch(string(data), -1) {
				entries[found[1]] = true
			}
		}
	}
	if len(entries) != 7 {
		t.Errorf("the sources make the entries %v", entries)
	}
	for entry := range entries {
		if !strings.Contains(readme, "`"+entry+"`") {
			t.Errorf("the list of entries lacks %s", entry)
		}
	}
	for _, code := range []rule.Code{rule.Invalid, rule.Forbidden, rule.NotFound, rule.Exists, rule.Conflict, rule.Insufficient, rule.WrongState, rule.Expired, rule.Early} {
		if !strings.Contains(readme, "| `"+string(code)+"` |") {
			t.Errorf("the table of refusals lacks %s", code)
		}
	}
	for _, invariant := range recourse.Invariants() {
		words := strings.Fields(invariant.Name)
		if first := strings.ToUpper(words[0][:1]) + words[0][1:]; !strings.Contains(readme, "- "+first) && invariant.Name != "the state says whether anything is asked or borne" {
			t.Errorf("the list of invariants lacks: %s", invariant.Name)
		}
	}
}
