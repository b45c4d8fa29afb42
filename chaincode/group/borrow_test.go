package group_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// borrowed reads "loans/on-time" of each household, from the first on.
func borrowed(text string) []group.Borrowed {
	var facts []group.Borrowed
	for i, word := range strings.Fields(text) {
		one := group.Borrowed{Household: household(i + 1), Open: cny(0)}
		fmt.Sscanf(word, "%d/%d", &one.Loans, &one.OnTime)
		facts = append(facts, one)
	}
	return facts
}

// TestMayBorrow: two, then two, then the fifth.
func TestMayBorrow(t *testing.T) {
	for _, c := range []struct {
		facts  string
		who    int
		change func(*group.Group, *group.SchemeTerms)
		want   string
	}{
		{facts: "0/0 0/0 0/0 0/0 0/0", who: 4, want: "<nil>"},
		{facts: "1/0 0/0 0/0 0/0 0/0", who: 5, want: "<nil>"},
		{facts: "1/0 1/0 0/0 0/0 0/0", who: 3, want: "wrong-state: the turn of household-3 comes when 2 members have paid an instalment on time; 0 have"},
		{facts: "1/4 1/0 0/0 0/0 0/0", who: 3, want: "wrong-state: the turn of household-3 comes when 2 members have paid an instalment on time; 1 have"},
		{facts: "1/1 1/1 0/0 0/0 0/0", who: 3, want: "<nil>"},
		{facts: "1/1 1/1 1/0 0/0 0/0", who: 4, want: "<nil>"},
		{facts: "1/1 1/1 1/0 1/0 0/0", who: 5, want: "wrong-state: the turn of household-5 comes when 4 members have paid an instalment on time; 2 have"},
		{facts: "1/1 1/1 1/1 1/1 0/0", who: 5, want: "<nil>"},
		{facts: "1/0 1/0 0/0 0/0 0/0", who: 1, want: "<nil>"}, // its turn has come before
		{facts: "1/0 1/0 0/0 0/0 0/0", who: 3, change: func(_ *group.Group, s *group.SchemeTerms) { s.Sequence = nil }, want: "<nil>"},
		{facts: "", who: 6, want: "not-found: field household: household-6 does not live in group g1"},
		{facts: "", who: 1, change: func(g *group.Group, _ *group.SchemeTerms) { g.State = group.Frozen }, want: "wrong-state: group g1 is frozen; no loans are made under it"},
		{facts: "", who: 1, change: func(g *group.Group, _ *group.SchemeTerms) { g.Agreement.Expiry = "2025-12-31" }, want: "expired: the agreement of group g1 ended on 2025-12-31"},
	} {
		g, s := formed(5, group.Active), schemeTerms()
		if c.change != nil {
			c.change(&g, &s)
		}
		if got := named(g.MayBorrow(household(c.who), s, borrowed(c.facts), today)); got != c.want {
			t.Errorf("%q, household %d:\n got %s\nwant %s", c.facts, c.who, got, c.want)
		}
	}
}

// TestGuarantors: who lived in the group when the loan was made, less the
// borrower; the shares are the agreement's.
func TestGuarantors(t *testing.T) {
	agreed := func(g *group.Group) {
		g.Agreement.Shares = group.AgreedShares
		for i, share := range []int32{500_000, 300_000, 150_000, 50_000} {
			g.Members[i].PartsPerMillion = share
		}
	}
	for _, c := range []struct {
		who    int
		at     tape.Instant
		change func(*group.Group)
		want   string
	}{
		{1, noon, nil, "2:0 3:0 4:0"},
		{9, noon, nil, "1:0 2:0 3:0 4:0"},
		{1, noon, agreed, "2:300000 3:150000 4:50000"},
		{4, noon, func(g *group.Group) { g.Members[0].Joined = noon + 1 }, "2:0 3:0"},
		{4, noon + 1, func(g *group.Group) { g.Members[0].Joined = noon + 1 }, "1:0 2:0 3:0"},
		{4, noon + 1, func(g *group.Group) { g.Members[0].Gone, g.Members[0].Left = group.Exited, noon+2 }, "1:0 2:0 3:0"},
		{4, noon + 2, func(g *group.Group) { g.Members[0].Gone, g.Members[0].Left = group.Exited, noon+2 }, "2:0 3:0"},
		{1, noon - 1, nil, "wrong-state: nobody of group g1 guarantees what household-1 borrows"},
	} {
		g := formed(4, group.Active)
		if c.change != nil {
			c.change(&g)
		}
		guarantors, err := g.Guarantors(household(c.who), c.at)
		got := named(err)
		if err == nil {
			var words []string
			for _, share := range guarantors {
				words = append(words, fmt.Sprintf("%s:%d", share.Household, share.PartsPerMillion))
			}
			got = strings.ReplaceAll(named(fmt.Errorf("%s", strings.Join(words, " "))), "household-", "")
		}
		if got != c.want {
			t.Errorf("household %d at %s:\n got %s\nwant %s", c.who, c.at, got, c.want)
		}
	}
}

// TestExposureAllowed: the group guarantees 100,000.00 CNY, each member 60,000.00
// of it, and 40 % of it is one member's part.
func TestExposureAllowed(t *testing.T) {
	for _, c := range []struct {
		open   []int64 // of households 1, 2, 3 and one who is gone
		amount money.Amount
		want   string
	}{
		{[]int64{0, 0, 0, 0}, cny(40_000_00), "<nil>"},
		{[]int64{0, 0, 0, 0}, cny(40_000_01), "insufficient: field amount: household-1 would owe 40000.01 CNY; one member's part of the group's maximum is 40000.00 CNY"},
		{[]int64{10_000_00, 0, 0, 0}, cny(30_000_01), "insufficient: field amount: household-1 would owe 40000.01 CNY"},
		{[]int64{0, 40_000_00, 0, 0}, cny(20_000_00), "<nil>"},
		{[]int64{0, 40_000_00, 0, 0}, cny(20_000_01), "insufficient: field amount: household-3 would guarantee 60000.01 CNY; one member guarantees 60000.00 CNY at most"},
		{[]int64{0, 0, 40_000_00, 20_000_00}, cny(20_000_00), "insufficient: field amount: household-2 would guarantee 80000.00 CNY"},
		{[]int64{0, 40_000_00, 40_000_00, 0}, cny(20_000_01), "insufficient: field amount: the group would owe 100000.01 CNY; it guarantees 100000.00 CNY at most"},
		{[]int64{0, 0, 0, 0}, cny(0), "invalid: field amount: "},
		{[]int64{0, 0, 0, 0}, money.New(1, "USD"), "invalid: field amount: "},
		{[]int64{money.Max, 0, 0, 0}, cny(1), "invalid: field amount: "},
	} {
		var facts []group.Borrowed
		for i, n := range []int{1, 2, 3, 7} {
			facts = append(facts, group.Borrowed{Household: household(n), Open: cny(c.open[i])})
		}
		if got := named(formed(3, group.Active).ExposureAllowed(household(1), c.amount, schemeTerms(), facts)); !strings.HasPrefix(got, c.want) {
			t.Errorf("%v and %s:\n got %s\nwant %s", c.open, c.amount, got, c.want)
		}
	}
}
