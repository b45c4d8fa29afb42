package cooperative

import (
	"context"
	"slices"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Who reads what names a household and its debts: the scheme's cooperative and
// its lenders, the regulator, and the keeper of a pool that has a contract with
// one of the lenders. A household reads its own by its own login. Other members
// of the ledger hold the same blocks; their gateways do not show it to anybody.

// MayRead refuses whoever has nothing to do with a scheme.
func MayRead(ctx context.Context, m *readmodel.Model, organisation string, scheme tape.AccountID) error {
	s, err := readmodel.RecordOf[group.Scheme](ctx, m, group.SchemeKey(scheme))
	if err != nil {
		return err
	}
	if concerns(s, organisation) {
		return nil
	}
	return sees(ctx, m, organisation, s.Lenders, "has no part in %s", string(scheme))
}

// MayReadLoan refuses also a lender of the scheme who lends nothing of the loan.
func MayReadLoan(ctx context.Context, m *readmodel.Model, organisation string, scheme tape.AccountID, id tape.ID) error {
	s, err := readmodel.RecordOf[group.Scheme](ctx, m, group.SchemeKey(scheme))
	if err != nil {
		return err
	}
	l, err := readmodel.RecordOf[loan.Loan](ctx, m, loan.Key(scheme, id))
	if err != nil {
		return err
	}
	if s.Organisation == organisation || l.LentBy(organisation) {
		return nil
	}
	var lenders []string
	for _, lender := range l.Lenders {
		lenders = append(lenders, lender.Organisation)
	}
	return sees(ctx, m, organisation, lenders, "lends nothing of loan %s", string(id))
}

// MayReadLender refuses who may not see a lender's whole book.
func MayReadLender(ctx context.Context, m *readmodel.Model, organisation, lender string) error {
	if organisation == lender && lender != "" {
		return nil
	}
	return sees(ctx, m, organisation, []string{lender}, "does not read the book of %s", lender)
}

// MayReadPool refuses who neither keeps a pool, nor has a contract with it, nor supervises.
func MayReadPool(ctx context.Context, m *readmodel.Model, organisation string, account tape.AccountID) error {
	p, err := readmodel.RecordOf[pool.Pool](ctx, m, pool.PoolKey(account))
	if err != nil {
		return err
	}
	covered, err := optional[pool.Lender](ctx, m, pool.LenderKey(account, organisation))
	if err != nil || covered != nil || p.Keeper == organisation {
		return err
	}
	return sees(ctx, m, organisation, nil, "has no part in %s", string(account))
}

// MayReadBooks refuses who reads the books of another organisation and is no regulator.
func MayReadBooks(ctx context.Context, m *readmodel.Model, organisation, of string) error {
	if organisation == of && of != "" {
		return nil
	}
	return sees(ctx, m, organisation, nil, "reads its own books; %s are a regulator's to read", "those of others")
}

// MaySupervise refuses who is no regulator.
func MaySupervise(ctx context.Context, m *readmodel.Model, organisation string) error {
	return sees(ctx, m, organisation, nil, "reads its own figures; %s are a regulator's", "all of them")
}

// sees refuses who is neither a regulator nor keeps a pool with a contract with one of the lenders.
func sees(ctx context.Context, m *readmodel.Model, organisation string, lenders []string, why, what string) error {
	powers, err := optional[party.Powers](ctx, m, party.PowersKey(organisation))
	if err != nil {
		return err
	}
	if powers != nil && slices.Contains(powers.Powers, party.Regulator) {
		return nil
	}
	pools, err := every[pool.Pool](ctx, m, "pool/")
	if err != nil {
		return err
	}
	for _, p := range pools {
		for _, lender := range lenders {
			if p.Keeper != organisation {
				continue
			}
			covered, err := optional[pool.Lender](ctx, m, pool.LenderKey(p.Account, lender))
			if err != nil || covered != nil {
				return err
			}
		}
	}
	return rule.Refuse(rule.Forbidden, "%s "+why, organisation, what)
}
