package fund_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// TestReadme: the specification names every key, every duty and every kind of refusal.
func TestReadme(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(data)
	keys := map[string]bool{}
	for _, key := range []string{fund.CampaignKey("c"), fund.BudgetKey("c"), fund.InvitationKey("c", "p"), fund.PayeeKey("c", "p"), fund.FlagKey("c", "p"), fund.AgentKey("c", "p"),
		fund.CallBackKey("c", "p"), fund.DisbursementKey("c", "d"), fund.ListedKey("c", "d", 1), fund.ApprovedKey("c", "d", "p"), fund.RejectedKey("c", "d"), fund.OrderedKey("c", "d"),
		fund.GrantedKey("c", "p"), fund.RestoredKey("c", "h"), fund.ConfirmationKey("c", "h"), fund.CitedKey("c", merkle.Hash{}), fund.PublicationsKey("c"), fund.PublicationKey("c", 1), fund.PledgeKey("c", "p"), fund.KeptKey("c", "p", 0), fund.GoodsKey("c", "g"),
		fund.PublisherKey("o"), fund.IdentifiedKey("i")} {
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
	for _, word := range append(fund.Duties(), "filing") {
		if word != "other" && !strings.Contains(readme, "`"+word+"`") {
			t.Errorf("the table of duties lacks %s", word)
		}
	}
	for _, code := range []rule.Code{rule.Invalid, rule.Forbidden, rule.NotFound, rule.Exists, rule.Conflict, rule.Insufficient, rule.WrongState, rule.Early, rule.Unsupported} {
		if !strings.Contains(readme, "| `"+string(code)+"` |") {
			t.Errorf("the table of refusals lacks %s", code)
		}
	}
}
