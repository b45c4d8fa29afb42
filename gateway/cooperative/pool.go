package cooperative

import (
	"context"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Pool is a county's compensation pool.
type Pool struct {
	pool.Pool
	// Balance can be paid, Promised of it waits for approved claims; Free is the rest.
	Balance  money.Amount `json:"balance"`
	Promised money.Amount `json:"promised"`
	Free     money.Amount `json:"free"`
	// Terms are those in force, with their tiers.
	Terms   pool.Terms `json:"terms"`
	Lenders []Covered  `json:"lenders"`
	// States count the claims and sum them, by state.
	States []Claimed `json:"states"`
	// Paid is what the pool has paid in all, Recovered what came back to it.
	Paid      money.Amount `json:"paid"`
	Recovered money.Amount `json:"recovered"`
}

// Covered is a lender with a contract, and its quarters.
type Covered struct {
	pool.Lender
	// Quarters are the frozen ones, the latest last.
	Quarters []Quarter `json:"quarters"`
}

// Quarter is a lender's book at a quarter's end, and what it gets by it.
type Quarter struct {
	pool.Snapshot
	// RatioPartsPerMillion is what the tier of the terms in force gives; 0 above the last, or while it is suspended.
	RatioPartsPerMillion int32 `json:"ratioPartsPerMillion"`
	// Consent says that new loans need the pool's.
	Consent bool `json:"consent,omitempty"`
}

// Claimed sums the claims in one state.
type Claimed struct {
	State        string       `json:"state"`
	Count        int          `json:"count"`
	Eligible     money.Amount `json:"eligible"`
	Compensation money.Amount `json:"compensation"`
}

// Pools lists the accounts of all pools.
func Pools(ctx context.Context, m *readmodel.Model) ([]pool.Pool, error) {
	found, err := every[pool.Pool](ctx, m, "pool/")
	return append([]pool.Pool{}, found...), err
}

// Claims lists the claims on a pool by their ids.
func Claims(ctx context.Context, m *readmodel.Model, account tape.AccountID, window readmodel.Window) (readmodel.List[pool.Claim], error) {
	return readmodel.RecordsOf[pool.Claim](ctx, m, pool.ClaimKey(account, ""), window)
}

// PoolOf is one pool as it stands.
func PoolOf(ctx context.Context, m *readmodel.Model, account tape.AccountID) (Pool, error) {
	p, err := readmodel.RecordOf[pool.Pool](ctx, m, pool.PoolKey(account))
	if err != nil {
		return Pool{}, err
	}
	of := func(units int64) money.Amount { return amount(units, p.Currency) }
	s := Pool{Pool: p, Balance: of(0), Promised: of(0), Free: of(0), Paid: of(0), Recovered: of(0), Lenders: []Covered{}, States: []Claimed{}}
	terms, err := readmodel.RecordOf[pool.TermsRecord](ctx, m, pool.TermsKey(account, p.Version))
	if err != nil {
		return s, err
	}
	s.Terms = terms.Terms
	if err := s.balance(ctx, m); err != nil {
		return s, err
	}
	lenders, err := every[pool.Lender](ctx, m, pool.LenderKey(account, ""))
	if err != nil {
		return s, err
	}
	for _, lender := range lenders {
		snapshots, err := every[pool.Snapshot](ctx, m, pool.SnapshotKey(account, lender.Lender, ""))
		if err != nil {
			return s, err
		}
		s.Lenders = append(s.Lenders, coveredBy(lender, snapshots, s.Terms))
	}
	claims, err := every[pool.Claim](ctx, m, pool.ClaimKey(account, ""))
	s.count(claims)
	return s, err
}

func coveredBy(lender pool.Lender, snapshots []pool.Snapshot, terms pool.Terms) Covered {
	covered := Covered{Lender: lender, Quarters: []Quarter{}}
	for _, snapshot := range snapshots {
		quarter := Quarter{Snapshot: snapshot}
		if tier, found := terms.Tier(snapshot.BasisPoints); found && !snapshot.Suspended {
			quarter.RatioPartsPerMillion, quarter.Consent = tier.RatioPartsPerMillion, tier.Consent
		}
		covered.Quarters = append(covered.Quarters, quarter)
	}
	return covered
}

// balance is what of the pool's account can be paid, and what is promised.
func (s *Pool) balance(ctx context.Context, m *readmodel.Model) error {
	account, err := m.Account(ctx, s.Account)
	if rule.Is(err, rule.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	s.Balance, s.Free = account.Free, account.Free
	promised, err := optional[pool.Promised](ctx, m, pool.PromisedKey(s.Account))
	if promised != nil {
		s.Promised.Units, s.Free = promised.Units, promised.Left(account.Free)
	}
	return err
}

// count sums the claims.
func (s *Pool) count(claims []pool.Claim) {
	of := func(units int64) money.Amount { return amount(units, s.Currency) }
	for _, state := range []pool.State{pool.Submitted, pool.Verified, pool.Review, pool.Approved, pool.Paid, pool.Sharing, pool.Closed, pool.Returned, pool.Rejected} {
		one := Claimed{State: string(state), Eligible: of(0), Compensation: of(0)}
		for _, claim := range claims {
			if claim.State != state {
				continue
			}
			one.Count++
			one.Eligible.Units += claim.Eligible
			one.Compensation.Units += claim.Compensation
			if paid(state) {
				s.Paid.Units += claim.Compensation
			}
			s.Recovered.Units += claim.ToPool
		}
		if one.Count > 0 {
			s.States = append(s.States, one)
		}
	}
}

// paid reports whether a claim in this state has been paid.
func paid(state pool.State) bool {
	return state == pool.Paid || state == pool.Sharing || state == pool.Closed
}
