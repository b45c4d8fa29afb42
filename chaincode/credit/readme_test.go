package credit_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/credit"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// TestReadme: the specification names every model with its weights, every class of data, every code.
func TestReadme(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(data)
	words := slices.Concat(credit.Codes(), credit.LimitCodes(), credit.DecisionCodes(), credit.Evidences(), []string{string(credit.Approve), string(credit.Refer), string(credit.Refuse), credit.CallPaid})
	for _, m := range models(t) {
		if row := fmt.Sprintf("| `%s` | %d | %d | %d |", m.ID, m.Factors[0].Weight, m.Factors[1].Weight, m.Factors[2].Weight); !strings.Contains(readme, row) {
			t.Errorf("the table of models lacks %s", row)
		}
		for _, c := range asking(m).Consents {
			words = append(words, c.About)
		}
	}
	for _, word := range words {
		if !strings.Contains(readme, "`"+word+"`") {
			t.Errorf("the specification lacks %s", word)
		}
	}
	for _, code := range []rule.Code{rule.Invalid, rule.Forbidden, rule.Early, rule.Expired, rule.NotFound, rule.Conflict, rule.Unsupported} {
		if !strings.Contains(readme, "`"+string(code)+"`") {
			t.Errorf("the table of refusals lacks %s", code)
		}
	}
	if limits := fmt.Sprintf("%d inputs or %d consents", credit.InputsMax, credit.ConsentsMax); !strings.Contains(readme, limits) {
		t.Errorf("the limits are %s", limits)
	}
}
