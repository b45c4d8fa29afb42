package assessment_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/assessment"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// TestReadme: the specification names every key, every reason and every code.
func TestReadme(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(data)
	for _, key := range []string{assessment.Key("s", "h", "l"), assessment.InputsKey("s", "h", "l")} {
		kind, rest, _ := strings.Cut(key, "/")
		pattern := "(?m)^\\| `" + kind + strings.Repeat("/<[a-z]+>", strings.Count(rest, "/")+1) + "` \\|"
		if !regexp.MustCompile(pattern).MatchString(readme) {
			t.Errorf("the table of keys lacks %s", key)
		}
	}
	for _, reason := range []string{assessment.NoScore, assessment.ConsentWithdrawn, assessment.ScoreOld, assessment.OtherCurrency, assessment.InputContested} {
		if !strings.Contains(readme, "| `"+reason+"` |") {
			t.Errorf("the table of reasons lacks %s", reason)
		}
	}
	for _, code := range []rule.Code{rule.Invalid, rule.Forbidden, rule.NotFound, rule.Exists, rule.WrongState, rule.Conflict, rule.Unsupported} {
		if !strings.Contains(readme, "| `"+string(code)+"` |") {
			t.Errorf("the table of refusals lacks %s", code)
		}
	}
}
