package recourse_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/recourse"
)

// people reads "B:share/paid/max" with the marks ! for unable and ~ for released.
func people(t *testing.T, text string) []recourse.Standing {
	t.Helper()
	var all []recourse.Standing
	for _, word := range strings.Fields(text) {
		var s recourse.Standing
		s.Unable, s.Released = strings.Contains(word, "!"), strings.Contains(word, "~")
		name, figures, _ := strings.Cut(strings.NewReplacer("!", "", "~", "").Replace(word), ":")
		s.Name = name
		if _, err := fmt.Sscanf(figures+"/0", "%d/%d/%d", &s.Share, &s.Paid, &s.Max); err != nil {
			t.Fatalf("%s: %v", word, err)
		}
		all = append(all, s)
	}
	return all
}

func told(s recourse.Settlement) string {
	claims := []string{}
	for _, c := range s.Between {
		claims = append(claims, fmt.Sprintf("%s>%s %d", c.Of, c.By, c.Units))
	}
	return fmt.Sprintf("shares %v asked %v open %d debtor %v claims %v", s.Shares, s.Asked, s.Open, s.Debtor, claims)
}

// TestSettle: who bears a debt. The first two are derived from arts. 518 to 520,
// 699 and 700 of the Civil Code with the published reading of JLG-1 and JLG-2.
func TestSettle(t *testing.T) {
	for _, c := range []struct {
		debt   int64
		people string
		repaid int64
		want   string
	}{
		// JLG-1: one pays all. JLG-2: one of the others cannot pay.
		{3000000, "B:0/3000000 C:0/0 D:0/0", 0, "shares [1000000 1000000 1000000] asked [0 0 0] open 0 debtor [3000000 0 0] claims [C>B 1000000 D>B 1000000]"},
		{3000000, "B:0/3000000 C:0/0 D:0/0!", 0, "shares [1500000 1500000 0] asked [0 0 0] open 0 debtor [3000000 0 0] claims [C>B 1500000]"},
		// Agreed parts of 2, 1 and 1; an odd unit goes to the larger remainder, of equal ones to the first.
		{4000000, "B:2/4000000 C:1/0 D:1/0", 0, "shares [2000000 1000000 1000000] asked [0 0 0] open 0 debtor [4000000 0 0] claims [C>B 1000000 D>B 1000000]"},
		{1000003, "B:2/0 C:1/1000003 D:1/0", 0, "shares [500001 250001 250001] asked [0 0 0] open 0 debtor [0 1000003 0] claims [B>C 500001 D>C 250001]"},
		{100, "B:0/100 C:0/0 D:0/0", 0, "shares [34 33 33] asked [0 0 0] open 0 debtor [100 0 0] claims [C>B 33 D>B 33]"},
		// Partial payments: what is over the own share is claimed pro rata to what the others have not paid; the lender is still owed the rest.
		{3000000, "B:0/2000000 C:0/0 D:0/0", 0, "shares [1000000 1000000 1000000] asked [0 500000 500000] open 1000000 debtor [2000000 0 0] claims [C>B 500000 D>B 500000]"},
		{3000000, "B:0/1500000 C:0/200000 D:0/0", 0, "shares [1000000 1000000 1000000] asked [0 577778 722222] open 1300000 debtor [1500000 200000 0] claims [C>B 222222 D>B 277778]"},
		{3000000, "B:0/1000000 C:0/400000 D:0/0", 0, "shares [1000000 1000000 1000000] asked [0 600000 1000000] open 1600000 debtor [1000000 400000 0] claims []"},
		// Two who paid too much, two who paid too little.
		{40, "B:0/20 C:0/20 D:0/0 E:0/0", 0, "shares [10 10 10 10] asked [0 0 0 0] open 0 debtor [20 20 0 0] claims [D>B 5 E>B 5 D>C 5 E>C 5]"},
		{4, "B:0/2 C:0/2 D:0/0 E:0/0", 0, "shares [1 1 1 1] asked [0 0 0 0] open 0 debtor [2 2 0 0] claims [D>B 1 E>C 1]"},
		// Several unable, one after a part payment; nobody left; all unable but who paid.
		{3000000, "B:0/3000000 C:0/0! D:0/0!", 0, "shares [3000000 0 0] asked [0 0 0] open 0 debtor [3000000 0 0] claims []"},
		{1000, "B:0/0 C:0/0 D:0/100!", 0, "shares [450 450 100] asked [450 450 0] open 900 debtor [0 0 100] claims []"},
		{1000, "B:0/0! C:0/0! D:0/100!", 0, "shares [0 0 100] asked [0 0 0] open 900 debtor [0 0 100] claims []"},
		{3000, "B:0/0! C:0/0 D:0/3000!", 0, "shares [0 1500 1500] asked [0 0 0] open 0 debtor [0 0 3000] claims [C>D 1500]"},
		{6000, "B:3/6000 C:2/0! D:1/0", 0, "shares [4500 0 1500] asked [0 0 0] open 0 debtor [6000 0 0] claims [D>B 1500]"},
		{999, "B:0/0 C:0/0 D:0/0!", 0, "shares [500 499 0] asked [500 499 0] open 999 debtor [0 0 0] claims []"},
		// A release lowers the others' debt by the released one's share (art. 520), before or after others have paid.
		{3000000, "B:0/0 C:0/0~ D:0/0", 0, "shares [1000000 0 1000000] asked [1000000 0 1000000] open 2000000 debtor [0 0 0] claims []"},
		{3000000, "B:0/2000000 C:0/0~ D:0/0", 0, "shares [1000000 0 1000000] asked [0 0 0] open 0 debtor [2000000 0 0] claims [D>B 1000000]"},
		{3000000, "B:0/1000000 C:0/400000~ D:0/0", 0, "shares [1000000 400000 1000000] asked [0 0 1000000] open 1000000 debtor [1000000 400000 0] claims []"},
		{4000, "B:2/3000 C:1/0~ D:1/0", 0, "shares [2000 0 1000] asked [0 0 0] open 0 debtor [3000 0 0] claims [D>B 1000]"},
		// The released one's part of what another cannot pay is the lender's loss too.
		{3000000, "B:0/0 C:0/0~ D:0/0!", 0, "shares [1500000 0 0] asked [1500000 0 0] open 1500000 debtor [0 0 0] claims []"},
		// Nobody bears more than it guaranteed; what none can bear stays open.
		{3000, "B:0/0/500 C:0/0 D:0/0", 0, "shares [500 1250 1250] asked [500 1250 1250] open 3000 debtor [0 0 0] claims []"},
		{3000, "B:0/0/500 C:0/0/700 D:0/0/800", 0, "shares [500 700 800] asked [500 700 800] open 3000 debtor [0 0 0] claims []"},
		{3000, "B:0/500/500 C:0/0! D:0/2500", 0, "shares [500 0 2500] asked [0 0 0] open 0 debtor [500 0 2500] claims []"},
		// What the debtor repays: first the lender, then pro rata to who is without; it lowers the claims.
		{3000000, "B:0/3000000 C:0/0 D:0/0", 900000, "shares [700000 700000 700000] asked [0 0 0] open 0 debtor [2100000 0 0] claims [C>B 700000 D>B 700000]"},
		{3000000, "B:0/2000000 C:0/1000000 D:0/0", 900001, "shares [700000 700000 699999] asked [0 0 0] open 0 debtor [1399999 700000 0] claims [D>B 699999]"},
		{3000, "B:0/1000 C:0/0 D:0/0", 2500, "shares [167 167 166] asked [0 0 0] open 0 debtor [500 0 0] claims [C>B 167 D>B 166]"},
		{3000, "B:0/1000 C:0/0 D:0/0", 500, "shares [834 833 833] asked [0 750 750] open 1500 debtor [1000 0 0] claims [C>B 83 D>B 83]"},
		{3000000, "B:0/3000000 C:0/0 D:0/0", 3000000, "shares [0 0 0] asked [0 0 0] open 0 debtor [0 0 0] claims []"},
		{5, "B:0/5", 2, "shares [3] asked [0] open 0 debtor [3] claims []"},
		{money.Max, fmt.Sprintf("B:0/0/%d C:0/%d D:0/0", int64(money.Max), int64(money.Max)), 0, "shares [3002399751580331 3002399751580330 3002399751580330] asked [0 0 0] open 0 debtor [0 9007199254740991 0] claims [B>C 3002399751580331 D>C 3002399751580330]"},
		{16, "B:1/0 C:1/0 D:1/0 E:1/0 F:1/0 G:1/0 H:1/0 I:1/0 J:1/0 K:1/0 L:1/0 M:1/0 N:1/0 O:1/0 P:1/0 Q:1/16", 0, "shares [1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1] asked [0 0"},
		// What cannot be.
		{3000000, "B:0/3000000 C:0/0~ D:0/0", 0, "conflict: field guarantors: 3000000 were paid; with those released they owed 2000000"},
		{3000000, "B:0/0 C:0/1000000~ D:0/0", 0, "wrong-state: field guarantors[1].released: has paid its share of 1000000; nothing is left to release it from"},
		{3000, "B:0/2000 C:0/2000", 0, "conflict: field guarantors: 4000 were paid of a debt of 3000"},
		{3000, "B:0/0 B:0/0", 0, "invalid: field guarantors[1].name: stands twice"},
		{3000, "B:1/0 C:0/0", 0, "invalid: field guarantors[1].share: shares are agreed for all or for none"},
		{3000, "B:-1/0", 0, "invalid: field guarantors[0].share: is -1, less than 0"},
		{3000, "B:0/600/500", 0, "invalid: field guarantors[0].paid: 600 is less than 0, or more than the debt or what is guaranteed"},
		{3000, "B:0/-1", 0, "invalid: field guarantors[0].paid: -1 is less than 0"},
		{3000, "B:0/0/-1", 0, "invalid: field guarantors[0].max: -1 is not 0 to 9007199254740991"},
		{3000, ":0/0", 0, "invalid: field guarantors[0].name: is empty"},
		{3000, "", 0, "invalid: field guarantors: there are 0; 1 to 16 stand for a debt"},
		{0, "B:0/0", 0, "invalid: field debt: 0 is not 1 to 9007199254740991"},
		{1 << 53, "B:0/0", 0, "invalid: field debt: 9007199254740992 is not 1 to"},
		{3000, "B:0/0", 3001, "invalid: field repaid: 3001 is not 0 to 3000, the debt"},
		{3000, "B:0/0 C:0/0~", 1501, "conflict: field repaid: 1501 is more than 1500, which the lender and the guarantors are without"},
	} {
		guarantors := people(t, c.people)
		s, err := recourse.Settle(c.debt, guarantors, c.repaid)
		got := told(s)
		if err != nil {
			got = err.Error()
		}
		if got != c.want && (err == nil && len(guarantors) < recourse.GuarantorsMax || !strings.HasPrefix(got, c.want)) {
			t.Errorf("%d among %s, %d repaid:\n got %s\nwant %s", c.debt, c.people, c.repaid, got, c.want)
		}
	}
}

// TestSettleLeavesNothing: whatever the figures, shares add up, claims net to
// zero and nobody bears more than it guaranteed.
func TestSettleLeavesNothing(t *testing.T) {
	random := newRandom(1)
	accepted := 0
	for range 20_000 {
		debt := 1 + random.Int64N(1000)
		var guarantors []recourse.Standing
		agreed, rest := random.IntN(2), debt
		for i := range 1 + random.IntN(5) {
			g := recourse.Standing{Name: string(rune('B' + i)), Share: int32(agreed * (1 + random.IntN(5))), Unable: random.IntN(4) == 0, Released: random.IntN(6) == 0}
			if random.IntN(3) == 0 {
				g.Max = 1 + random.Int64N(debt)
			}
			if random.IntN(2) == 0 {
				g.Paid = random.Int64N(1 + min(rest, max(g.Max, debt*int64(1-min(1, g.Max)))))
			}
			rest -= g.Paid
			guarantors = append(guarantors, g)
		}
		repaid := random.Int64N(1 + debt)
		s, err := recourse.Settle(debt, guarantors, repaid)
		if err != nil {
			continue
		}
		accepted++
		var borne, shares, asked, net int64
		balance := map[string]int64{}
		for _, c := range s.Between {
			balance[c.By], balance[c.Of] = balance[c.By]+c.Units, balance[c.Of]-c.Units
		}
		for i, g := range guarantors {
			borne, shares, asked, net = borne+s.Debtor[i], shares+s.Shares[i], asked+s.Asked[i], net+balance[g.Name]
			if s.Debtor[i] != g.Paid-s.Returned[i] || s.Debtor[i] < 0 || g.Max > 0 && s.Shares[i] > g.Max {
				t.Fatalf("%d among %+v, %d repaid: %+v", debt, guarantors, repaid, s)
			}
		}
		if net != 0 || borne+s.Open+s.Released+repaid != debt || shares > borne+s.Open || asked > s.Open {
			t.Fatalf("%d among %+v, %d repaid: %+v", debt, guarantors, repaid, s)
		}
	}
	if accepted < 5_000 {
		t.Errorf("%d of 20000 were judged", accepted)
	}
}
