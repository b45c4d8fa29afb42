package harvest

import (
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Limits of a composition: 100 pages of 200 are 20,000 households. One command
// reads at most PagesReadMax pages: what lies on more is merged in two steps.
const (
	PageHouseholdsMax = 200
	PagesMax          = 100
	PagesReadMax      = 300
)

// GramsMax is the most that one command weighs: a million tonnes. So much times
// a million still fits 64 bits.
const GramsMax = 1_000_000_000_000

// Share is how much of a weight is a household's.
type Share struct {
	Grams     int64          `json:"grams,string"`
	Household tape.AccountID `json:"household"`
}

// Shares are whose a weight is, each household once, in the order of their
// names, and none with nothing: so one composition has one spelling.
type Shares []Share

// Grams is what they come to.
func (s Shares) Grams() int64 {
	total := int64(0)
	for _, share := range s {
		total += share.Grams
	}
	return total
}

// Together puts compositions together: what a household has in several is added.
func Together(parts ...Shares) Shares {
	all := slices.Concat(parts...)
	slices.SortFunc(all, func(a, b Share) int { return strings.Compare(string(a.Household), string(b.Household)) })
	sum := make(Shares, 0, len(all))
	for _, share := range all {
		if last := len(sum) - 1; last >= 0 && sum[last].Household == share.Household {
			sum[last].Grams += share.Grams
		} else {
			sum = append(sum, share)
		}
	}
	return sum
}

// Take takes a weight off a composition, from each household in proportion, and
// returns what was taken and what is left. No gram is lost: a share that does
// not divide is rounded (money.Split), and what is rounded off one taking is in
// the next one. Nobody gives more than it has, because grams is not more than all.
func (s Shares) Take(grams int64) (taken, left Shares, err error) {
	if all := s.Grams(); grams < 1 || grams > all {
		return nil, nil, rule.Refuse(rule.Conflict, "%d g cannot be taken off %d g", grams, all)
	}
	weights := make([]int64, len(s))
	for i, share := range s {
		weights[i] = share.Grams
	}
	parts, err := money.Split(grams, weights)
	if err != nil {
		return nil, nil, err
	}
	for i, share := range s {
		if parts[i] > 0 {
			taken = append(taken, Share{Household: share.Household, Grams: parts[i]})
		}
		if rest := share.Grams - parts[i]; rest > 0 {
			left = append(left, Share{Household: share.Household, Grams: rest})
		}
	}
	return taken, left, nil
}

// Pages cuts a composition as it is stored.
func (s Shares) Pages() []Page {
	var pages []Page
	for part := range slices.Chunk(s, PageHouseholdsMax) {
		pages = append(pages, Page{V: 1, Shares: part})
	}
	return pages
}

// leaf is a page in the tree over all pages.
func leaf(n int, shares Shares) (merkle.Leaf, error) {
	data, err := canonical.Encode(struct {
		N      int32  `json:"n"`
		Shares Shares `json:"shares"`
	}{int32(n), shares})
	return merkle.Leaf{Data: data, Amount: shares.Grams()}, err
}

func (s Shares) leaves() ([]merkle.Leaf, error) {
	pages := s.Pages()
	if len(pages) == 0 || len(pages) > PagesMax {
		return nil, rule.Refuse(rule.Insufficient, "a lot would be that of %d households; 1 to %d are possible", len(s), PagesMax*PageHouseholdsMax)
	}
	leaves := make([]merkle.Leaf, len(pages))
	for n, page := range pages {
		var err error
		if leaves[n], err = leaf(n, page.Shares); err != nil {
			return nil, err
		}
	}
	return leaves, nil
}

// Composition is what a lot or a sale says of the shares.
func (s Shares) Composition() (Composition, error) {
	leaves, err := s.leaves()
	if err != nil {
		return Composition{}, err
	}
	root, _ := merkle.Root(leaves)
	return Composition{Households: int32(len(s)), Pages: int32(len(leaves)), Root: root}, nil
}

// Prove returns the path of page n to the root, for a household that keeps its page.
func (s Shares) Prove(n int) ([]merkle.Node, error) {
	leaves, err := s.leaves()
	if err != nil {
		return nil, err
	}
	return merkle.Prove(leaves, n)
}

// Verify refuses a page that is not page n of a composition of so many grams.
func (c Composition) Verify(n int, page Page, grams int64, path []merkle.Node) error {
	proven, err := leaf(n, page.Shares)
	if err != nil {
		return err
	}
	_, err = merkle.Verify(c.Root, grams, int(c.Pages), n, proven, path)
	return err
}

// Stock is a lot and whose it is.
type Stock struct {
	Lot    Lot
	Shares Shares
}

// StockOf puts a lot and its pages together. A lot of one household has none.
func StockOf(lot Lot, pages []Page) Stock {
	if lot.Household != "" {
		return Stock{lot, Shares{{Household: lot.Household, Grams: lot.Grams}}}
	}
	stock := Stock{Lot: lot}
	for _, page := range pages {
		stock.Shares = append(stock.Shares, page.Shares...)
	}
	return stock
}

// Pages are what is stored beside the lot.
func (s Stock) Pages() []Page {
	if s.Lot.Household != "" {
		return nil
	}
	return s.Shares.Pages()
}

// PagesOf is the number of pages that are stored beside a lot.
func PagesOf(lot Lot) int32 {
	if lot.Household != "" {
		return 0
	}
	return lot.Composition.Pages
}

// stocked makes a lot out of its shares.
func stocked(lot Lot, shares Shares) (Stock, error) {
	var err error
	lot.V, lot.State, lot.Grams = 1, Stored, shares.Grams()
	if lot.Composition, err = shares.Composition(); err != nil {
		return Stock{}, err
	}
	if len(shares) == 1 {
		lot.Household = shares[0].Household
	}
	return Stock{lot, shares}, nil
}
