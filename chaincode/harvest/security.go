package harvest

import (
	"math/big"
	"slices"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Debt is what is known of the loan that a lot secures.
type Debt struct {
	// Owed is what would end it that day, with what its lenders are bound to and have not paid out.
	Owed money.Amount
	// Lenders lend it.
	Lenders []string
	// Security is what secures it, nil for nothing yet.
	Security *Security
}

// coverMax is how many times what is owed a lender may want in value, in parts per million.
const coverMax = 10_000_000

// secures refuses a value or a cover that is none, of a loan that is not the lender's or
// owes nothing, and other conditions than those of what secures it already.
func (c Pledge) secures(debt *Debt) error {
	if debt == nil {
		if c.CoverPartsPerMillion != 0 || c.ValuePerTonne != (money.Amount{}) {
			return rule.Field("loan", rule.Refuse(rule.NotFound, "there is no loan %s in %s; a pledge for another debt is released by the lender's word, and names no value and no cover", c.Loan, c.Account))
		}
		return nil
	}
	if !slices.Contains(debt.Lenders, c.Lender) {
		return rule.Field("lender", rule.Refuse(rule.Forbidden, "%s lends nothing of loan %s", c.Lender, c.Loan))
	}
	if debt.Owed.Units == 0 {
		return rule.Field("loan", rule.Refuse(rule.WrongState, "nothing is owed of loan %s, and nothing secures it", c.Loan))
	}
	if err := rule.First(rule.Field("valuePerTonne", c.ValuePerTonne.Positive(debt.Owed.Currency)), rule.Field("coverPartsPerMillion", rule.Within(int64(c.CoverPartsPerMillion), 1, coverMax))); err != nil {
		return err
	}
	known := debt.Security
	switch {
	case known == nil || len(known.Lots) == 0:
		return nil
	case known.Lender != c.Lender || known.CoverPartsPerMillion != c.CoverPartsPerMillion:
		return rule.Field("coverPartsPerMillion", rule.Refuse(rule.Conflict, "or the lender is another than that of what secures loan %s already: %d parts per million for %s", c.Loan, known.CoverPartsPerMillion, known.Lender))
	case len(known.Lots) >= LotsMax:
		return rule.Field("loan", rule.Refuse(rule.Insufficient, "%d lots secure loan %s, and no more than that", LotsMax, c.Loan))
	}
	return nil
}

// secured is what secures the loan with one more lot, nil for another debt.
func (d *Debt) secured(c Pledge, lot Lot, entry tape.Entry) *Security {
	if d == nil {
		return nil
	}
	next := Security{V: 1, Scheme: c.Account, Loan: c.Loan, Lender: c.Lender, CoverPartsPerMillion: c.CoverPartsPerMillion, Entry: entry.Reference()}
	if d.Security != nil {
		next.Lots = slices.Clone(d.Security.Lots)
	}
	next.Lots = append(next.Lots, Securing{Grams: lot.Grams, Lot: lot.ID, ValuePerTonne: c.ValuePerTonne})
	return &next
}

func (s Security) at(lot tape.ID) int {
	return slices.IndexFunc(s.Lots, func(one Securing) bool { return one.Lot == lot })
}

func (s Security) has(lot tape.ID) bool { return s.at(lot) >= 0 }

// spare is how many grams of a lot are not needed to cover what is owed. A gram is worth a
// millionth of its value a tonne, and the cover is a millionth of its parts of what is
// owed: both are compared as they are, and the grams are rounded down once.
func (s Security) spare(lot tape.ID, owed money.Amount) int64 {
	spare := new(big.Int).Mul(big.NewInt(-owed.Units), big.NewInt(int64(s.CoverPartsPerMillion)))
	for _, one := range s.Lots {
		spare.Add(spare, new(big.Int).Mul(big.NewInt(one.Grams), big.NewInt(one.ValuePerTonne.Units)))
	}
	if spare.Sign() < 0 {
		return 0
	}
	one := s.Lots[s.at(lot)]
	if spare.Div(spare, big.NewInt(one.ValuePerTonne.Units)); spare.Cmp(big.NewInt(one.Grams)) >= 0 {
		return one.Grams
	}
	return spare.Int64()
}

// without is what secures the loan once grams of a lot are free; of a part the rest
// stays under another name.
func (s Security) without(c ReleasePledge, entry tape.Entry) *Security {
	s.Lots, s.Entry = slices.Clone(s.Lots), entry.Reference()
	i := s.at(c.Lot)
	if s.Lots[i].Grams -= c.Grams; s.Lots[i].Grams == 0 {
		s.Lots = slices.Delete(s.Lots, i, i+1)
	} else {
		s.Lots[i].Lot = c.Rest
	}
	return &s
}
