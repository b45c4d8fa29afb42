package party_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// signers reads "zhang/charity li/bank/member", staff with keys of their own where nothing else is said.
func signers(text string) []tape.Approval {
	var approvals []tape.Approval
	for _, word := range strings.Fields(text) {
		parts := append(strings.Split(word, "/"), "staff", "own")
		approvals = append(approvals, tape.Approval{Person: tape.ID(parts[0]), Organisation: parts[1], Duty: parts[2], Custody: parts[3]})
	}
	return approvals
}

// The account is the charity's; the thresholds are 10000.00 CNY for two organisations, 0 VND for three.
func TestApprove(t *testing.T) {
	for _, c := range []struct{ amount, signed, want string }{
		{"10000.00 CNY", "zhang/charity li/charity", "<nil>"},
		{"0.01 CNY", "zhang/charity li/bank", "<nil>"},
		{"0.01 CNY", "", "forbidden: 2 different persons of the staff must sign, maker and checker; 0 did"},
		{"0.01 CNY", "zhang/charity", "forbidden: 2 different persons of the staff must sign, maker and checker; 1 did"},
		{"0.01 CNY", "zhang/charity zhang/charity", "forbidden: 2 different persons of the staff must sign, maker and checker; 1 did"},
		{"0.01 CNY", "li/bank wu/bank", "forbidden: one of the staff of charity must sign: it is theirs to decide"},
		{"0.01 CNY", "zhang/charity li/charity/member", "forbidden: 2 different persons of the staff must sign, maker and checker; 1 did"},
		{"0.01 CNY", "zhang/charity li/charity/agent", "forbidden: 2 different persons of the staff must sign, maker and checker; 1 did"},
		{"0.01 CNY", "zhang/charity li/charity/staff/agent-held", "forbidden: 2 different persons of the staff must sign, maker and checker; 1 did"},
		{"0.01 CNY", "zhang/charity li/charity/staff/gateway-held", "<nil>"},
		{"0.01 CNY", "li/bank wu/bank zhang/charity/member", "forbidden: one of the staff of charity must sign: it is theirs to decide"},
		{"10000.01 CNY", "zhang/charity li/charity wu/bank/member", "forbidden: 10000.01 CNY is above 10000.00 CNY: staff of 2 different organisations must sign; those of 1 did"},
		{"10000.01 CNY", "zhang/charity li/charity", "forbidden: 10000.01 CNY is above 10000.00 CNY: staff of 2 different organisations must sign; those of 1 did"},
		{"10000.01 CNY", "zhang/charity li/charity wu/charity", "forbidden: 10000.01 CNY is above 10000.00 CNY: staff of 2 different organisations must sign; those of 1 did"},
		{"10000.01 CNY", "li/bank wu/insurer", "forbidden: one of the staff of charity must sign: it is theirs to decide"},
		{"10000.01 CNY", "zhang/charity li/bank", "<nil>"},
		{"0 VND", "zhang/charity li/charity", "<nil>"},
		{"1 VND", "zhang/charity li/bank", "forbidden: 1 VND is above 0 VND: staff of 3 different organisations must sign; those of 2 did"},
		{"1 VND", "zhang/charity li/bank wu/coop", "<nil>"},
		{"0.01 USD", "zhang/charity li/bank wu/coop", "forbidden: the policy has no threshold for USD; vote one first"},
	} {
		amount, err := money.Parse(c.amount)
		if err != nil {
			t.Fatal(err)
		}
		if err := charter().Policy.Approval.Approve(amount, signers(c.signed), "charity"); fmt.Sprint(err) != c.want {
			t.Errorf("%s signed by %q: got %v, want %s", c.amount, c.signed, err, c.want)
		}
	}
}

// TestApproveAsks compares with the sentence of the charter, counted another way.
func TestApproveAsks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := party.ApprovalPolicy{Approvers: rapid.Int32Range(2, 4).Draw(t, "approvers"), Thresholds: []party.Threshold{
			{Amount: money.New(100, "CNY"), Organisations: rapid.Int32Range(2, 3).Draw(t, "organisations")}}}
		chosen := rapid.SliceOfN(rapid.SampledFrom([]string{"a/x", "b/x", "c/y", "d/z", "e/z"}), 0, 6).Draw(t, "signed")
		units := rapid.Int64Range(99, 102).Draw(t, "units")
		persons, owners, sides := map[string]bool{}, 0, map[string]bool{}
		for _, one := range chosen {
			persons[one] = true
			sides[one[2:]] = true
			if one[2:] == "x" {
				owners++
			}
		}
		want := int32(len(persons)) >= policy.Approvers && owners > 0 && (units <= 100 || int32(len(sides)) >= policy.Thresholds[0].Organisations)
		if err := policy.Approve(money.New(units, "CNY"), signers(strings.Join(chosen, " ")), "x"); (err == nil) != want {
			t.Fatalf("%v signed by %v: %v", units, chosen, err)
		}
	})
}

func TestCustody(t *testing.T) {
	for _, c := range []struct {
		custody         party.Custody
		valid, confirms bool
	}{
		{party.Own, true, true}, {party.Card, true, true}, {party.AgentHeld, true, false}, {party.GatewayHeld, true, false},
		{"", false, false}, {"Own", false, false},
	} {
		if (c.custody.Check() == nil) != c.valid || c.custody.Confirms() != c.confirms {
			t.Errorf("%q: %v, confirms %t", c.custody, c.custody.Check(), c.custody.Confirms())
		}
	}
}
