package harvest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestTake: what is taken off a composition, computed by hand: the floor of each
// share, then a gram each by largest remainder, ties by name.
func TestTake(t *testing.T) {
	a, b, c := "a", "b", "c"
	names := []string{a, b, c}
	slices.SortFunc(names, func(x, y string) int {
		if family(x) < family(y) {
			return -1
		}
		return 1
	})
	for _, test := range []struct {
		grams []int64
		take  int64
		taken []int64
		left  []int64
	}{
		{[]int64{100, 100, 100}, 100, []int64{34, 33, 33}, []int64{66, 67, 67}},
		{[]int64{66, 67, 67}, 100, []int64{33, 34, 33}, []int64{33, 33, 34}},
		{[]int64{700, 200, 100}, 10, []int64{7, 2, 1}, []int64{693, 198, 99}},
		{[]int64{999, 1, 0}, 500, []int64{500, 0, 0}, []int64{499, 1, 0}},
		{[]int64{1, 1, 1}, 1, []int64{1, 0, 0}, []int64{0, 1, 1}},
		{[]int64{5, 6, 7}, 18, []int64{5, 6, 7}, []int64{0, 0, 0}},
	} {
		shares := of(names, test.grams)
		taken, left, err := shares.Take(test.take)
		if err != nil || !slices.Equal(taken, of(names, test.taken)) || !slices.Equal(left, of(names, test.left)) {
			t.Errorf("%d of %v: %v, %v, %v", test.take, test.grams, taken, left, err)
		}
	}
	for _, grams := range []int64{0, -1, 301} {
		if _, _, err := of(names, []int64{100, 100, 100}).Take(grams); fmt.Sprint(err) != fmt.Sprintf("conflict: %d g cannot be taken off 300 g", grams) {
			t.Errorf("%d: %v", grams, err)
		}
	}
}

func of(names []string, grams []int64) harvest.Shares {
	var shares harvest.Shares
	for i, name := range names {
		if grams[i] > 0 {
			shares = append(shares, share(name, grams[i]))
		}
	}
	return shares
}

// crowd are the shares of many invented households.
func crowd(count int, seed uint64) harvest.Shares {
	random := rand.New(rand.NewPCG(seed, 0))
	shares := make(harvest.Shares, count)
	for i := range shares {
		shares[i] = share(fmt.Sprint("household ", i), 1+random.Int64N(900_000))
	}
	return harvest.Together(shares)
}

// TestTenThousandHouseholds are in one lot, are processed and sold, and everybody's page proves its grams.
func TestTenThousandHouseholds(t *testing.T) {
	all := crowd(10_000, 7)
	var inputs []*harvest.Stock
	var ids []tape.ID
	for n := range 50 {
		id := tape.ID(fmt.Sprint("day-", n))
		inputs, ids = append(inputs, stock(t, id, "cherry", "ripe", "mill", all[n*200:n*200+200]...)), append(ids, id)
	}
	change, _, err := terms().Merge(harvest.Merge{ID: "merged", Lots: ids, Account: scheme}, inputs, by("coop", "maker"))
	if err != nil {
		t.Fatal(err)
	}
	cherry := change.New[0]
	if !slices.Equal(cherry.Shares, all) || cherry.Lot.Composition.Pages != 50 || len(cherry.Pages()[49].Shares) != 200 {
		t.Fatalf("the lot of all: %+v", cherry.Lot)
	}
	grams := all.Grams() / 5
	run := harvest.Run{ID: "milled", LossGrams: all.Grams() - grams, Lots: []tape.ID{"merged"}, Outputs: []harvest.Output{{Grade: "a", Grams: grams, Lot: "parchment"}}, Process: "wet-milling", Account: scheme}
	change, _, err = terms().Process(run, []*harvest.Stock{{Lot: cherry.Lot, Shares: cherry.Shares}}, by("coop", "maker"))
	if err != nil {
		t.Fatal(err)
	}
	parchment := harvest.StockOf(change.New[0].Lot, change.New[0].Pages())
	proceeds := (2*3_000_000*parchment.Lot.Grams + 1_000_000) / 2_000_000
	sell := harvest.Sell{Buyer: "outside:buyer:roaster", ID: "sale-1", Lots: []tape.ID{"parchment"}, PricePerTonne: cny(3_000_000), Proceeds: cny(proceeds), Account: scheme}
	sale, shares, _, _, err := terms().Sell(sell, []*harvest.Stock{&parchment}, "CNY", by("coop", "maker", "checker"))
	if err != nil {
		t.Fatal(err)
	}
	if shares.Grams() != sale.Grams || int(sale.Composition.Households) != len(shares) || len(shares) < 9_990 {
		t.Errorf("%d g of %d, %d households of %d", shares.Grams(), sale.Grams, len(shares), sale.Composition.Households)
	}
	pages := shares.Pages()
	for _, n := range []int{0, 1, len(pages) - 1} {
		path, err := shares.Prove(n)
		if err != nil || sale.Composition.Verify(n, pages[n], sale.Grams, path) != nil {
			t.Errorf("page %d is not proven: %v", n, err)
		}
		forged := harvest.Page{V: 1, Shares: slices.Clone(pages[n].Shares)}
		forged.Shares[0].Grams, forged.Shares[1].Grams = forged.Shares[0].Grams+1, forged.Shares[1].Grams-1
		if sale.Composition.Verify(n, forged, sale.Grams, path) == nil {
			t.Errorf("page %d with another's gram is proven", n)
		}
	}
	if _, err := shares.Prove(len(pages)); err == nil {
		t.Error("a page that is none is proven")
	}
}

// TestTooManyHouseholds: a lot of more is refused before anything is cut.
func TestTooManyHouseholds(t *testing.T) {
	if _, err := crowd(harvest.PagesMax*harvest.PageHouseholdsMax, 1).Composition(); err != nil {
		t.Error(err)
	}
	more := crowd(harvest.PagesMax*harvest.PageHouseholdsMax+1, 1)
	inputs := []*harvest.Stock{stock(t, "l1", "green", "a", "mill", more[:1]...), stock(t, "l2", "green", "a", "mill", more[1:]...)}
	const want = "insufficient: a lot would be that of 20001 households; 1 to 20000 are possible"
	if _, _, err := terms().Merge(harvest.Merge{ID: "m1", Lots: []tape.ID{"l1", "l2"}, Account: scheme}, inputs, by("coop", "maker")); fmt.Sprint(err) != want {
		t.Error(err)
	}
	sell := harvest.Sell{Buyer: "outside:buyer:roaster", ID: "sale-1", Lots: []tape.ID{"l1", "l2"}, PricePerTonne: cny(100), Proceeds: cny((more.Grams()*100 + 500_000) / 1_000_000), Account: scheme}
	if _, _, _, _, err := terms().Sell(sell, inputs, "CNY", by("coop", "maker", "checker")); fmt.Sprint(err) != "insufficient: field lots: "+want[len("insufficient: "):] {
		t.Error(err)
	}
}
