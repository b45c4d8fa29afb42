package group_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// TestReadme: the specification names every key, state and kind of refusal.
func TestReadme(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(data)
	for _, key := range []string{group.SchemeKey("s"), group.TermsKey("s", 1), group.SupplierKey("s", "a"), group.ControlsKey("s", "f"), group.KinKey("a", "b"), group.MemberKey("s", "h"),
		group.SignerKey("s", "p"), group.StandingKey("f"), group.GroupKey("s", "g")} {
		kind, rest, _ := strings.Cut(key, "/")
		pattern := "(?m)^\\| `" + kind + strings.Repeat("/<[a-z]+>", strings.Count(rest, "/")+1) + "` \\|"
		if !regexp.MustCompile(pattern).MatchString(readme) {
			t.Errorf("the table of keys lacks %s", key)
		}
	}
	for _, state := range []group.State{group.Draft, group.Signing, group.Review, group.Active, group.Frozen, group.WindingDown, group.Closed, group.Rejected} {
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
