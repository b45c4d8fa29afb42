// Package cooperative is what is read about a cooperative: schemes and their
// groups, portfolios, single loans and households, settlements of sales, calls of
// guarantors, pools, and what agents carried. It puts together what the read
// model holds by the rules of the chaincode packages, and has no rule of its own:
// each figure stands in one place, and pages, API and terminal show the same.
package cooperative

import (
	"context"
	"time"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/disclosure"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Today is the civil day of a moment in the ledger's zone.
func Today(ctx context.Context, m *readmodel.Model, now time.Time) (tape.Date, error) {
	zone, err := disclosure.Zone(ctx, m)
	if err != nil {
		return "", err
	}
	return zone.Date(tape.Instant(now.UnixMilli()))
}

// Scheme is the frame that a cooperative and its lenders agree on, with what stands under it.
type Scheme struct {
	group.Scheme
	// Terms are those in force; none while the first wait.
	Terms *group.Terms `json:"terms,omitempty"`
	// Groups counts them by state.
	Groups []Counted `json:"groups"`
	// Offers are the versions of products that are offered.
	Offers []loan.Product `json:"offers"`
}

// groupStates are in the order in which a group passes them.
var groupStates = []group.State{group.Draft, group.Signing, group.Review, group.Active, group.Frozen, group.WindingDown, group.Closed, group.Rejected}

// Counted is how many there are of a kind.
type Counted struct {
	Of    string `json:"of"`
	Count int    `json:"count"`
}

// Schemes lists the schemes in which an organisation is the cooperative or a
// lender, by their accounts; without an organisation all of them.
func Schemes(ctx context.Context, m *readmodel.Model, organisation string) ([]Scheme, error) {
	schemes := []Scheme{}
	all, err := readmodel.Every(func(w readmodel.Window) (readmodel.List[group.Scheme], error) {
		return readmodel.RecordsOf[group.Scheme](ctx, m, "scheme/", w)
	})
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if organisation != "" && !concerns(s, organisation) {
			continue
		}
		one, err := schemeOf(ctx, m, s)
		if err != nil {
			return nil, err
		}
		schemes = append(schemes, one)
	}
	return schemes, nil
}

// concerns reports whether an organisation is a scheme's cooperative or one of its lenders.
func concerns(s group.Scheme, organisation string) bool {
	if s.Organisation == organisation {
		return true
	}
	for _, lender := range s.Lenders {
		if lender == organisation {
			return true
		}
	}
	return false
}

// SchemeOf is one scheme.
func SchemeOf(ctx context.Context, m *readmodel.Model, account tape.AccountID) (Scheme, error) {
	s, err := readmodel.RecordOf[group.Scheme](ctx, m, group.SchemeKey(account))
	if err != nil {
		return Scheme{}, err
	}
	return schemeOf(ctx, m, s)
}

func schemeOf(ctx context.Context, m *readmodel.Model, s group.Scheme) (Scheme, error) {
	scheme := Scheme{Scheme: s, Groups: []Counted{}, Offers: []loan.Product{}}
	terms, err := optional[group.Terms](ctx, m, group.TermsKey(s.Account, s.Version))
	if err != nil {
		return scheme, err
	}
	scheme.Terms = terms
	groups, err := every[group.Group](ctx, m, "group/"+string(s.Account)+"/")
	if err != nil {
		return scheme, err
	}
	for _, state := range groupStates {
		count := 0
		for _, g := range groups {
			if g.State == state {
				count++
			}
		}
		if count > 0 {
			scheme.Groups = append(scheme.Groups, Counted{string(state), count})
		}
	}
	scheme.Offers, err = offers(ctx, m, s.Account)
	return scheme, err
}

// offers are the versions of products that are offered in a scheme.
func offers(ctx context.Context, m *readmodel.Model, scheme tape.AccountID) ([]loan.Product, error) {
	products, err := every[loan.Product](ctx, m, "product/"+string(scheme)+"/")
	if err != nil {
		return nil, err
	}
	offered := []loan.Product{}
	for _, p := range products {
		offer, err := optional[loan.Offer](ctx, m, loan.OfferKey(scheme, p.ID))
		if err != nil {
			return nil, err
		}
		if offer != nil && offer.Version == p.Version {
			offered = append(offered, p)
		}
	}
	return offered, nil
}

// every reads all records under a prefix.
func every[R any](ctx context.Context, m *readmodel.Model, prefix string) ([]R, error) {
	return readmodel.Every(func(w readmodel.Window) (readmodel.List[R], error) {
		return readmodel.RecordsOf[R](ctx, m, prefix, w)
	})
}

// optional reads a record that may not be there.
func optional[R any](ctx context.Context, m *readmodel.Model, key string) (*R, error) {
	found, err := readmodel.RecordOf[R](ctx, m, key)
	if rule.Is(err, rule.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &found, nil
}

// amount is so many minor units.
func amount(units int64, currency money.Currency) money.Amount { return money.New(units, currency) }
