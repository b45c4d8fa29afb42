package group

import (
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// What the rules of loans ask of a group. These are functions of records; they
// write nothing.

// Borrowed is what one household of a group has borrowed under it.
type Borrowed struct {
	Household tape.AccountID
	// Loans counts those that were paid out, OnTime the instalments of them that were paid when they were due.
	Loans, OnTime int32
	// Open is the principal that it owes now.
	Open money.Amount
}

// MayBorrow refuses a new loan to a household that the group does not stand for,
// or whose turn has not come. Facts are of those who live in the group.
func (g Group) MayBorrow(household tape.AccountID, terms SchemeTerms, facts []Borrowed, day tape.Date) error {
	if err := g.must("no loans are made under it", Active); err != nil {
		return err
	}
	if day > g.Agreement.Expiry {
		return rule.Refuse(rule.Expired, "the agreement of group %s ended on %s", g.ID, g.Agreement.Expiry)
	}
	if err := rule.Field("household", g.has(household)); err != nil {
		return err
	}
	return turn(household, terms.Sequence, facts)
}

// turn refuses a first loan before as many others as stand before it in the
// sequence have each paid an instalment on time.
func turn(household tape.AccountID, sequence []int32, facts []Borrowed) error {
	borrowers, onTime := int32(0), int32(0)
	for _, one := range facts {
		if one.Loans == 0 {
			continue
		}
		if one.Household == household {
			return nil // its turn has come before
		}
		borrowers++
		if one.OnTime > 0 {
			onTime++
		}
	}
	before := int32(0) // who borrow in earlier steps than the one that is due
	for _, step := range sequence {
		if borrowers < before+step {
			break
		}
		before += step
	}
	if onTime < before {
		return rule.Refuse(rule.WrongState, "the turn of %s comes when %d members have paid an instalment on time; %d have", household, before, onTime)
	}
	return nil
}

// Guarantors are the households that guarantee a loan made to one of the group at
// a moment: who lived in it then, less the borrower. Their shares are those of
// the agreement, 0 for all where they are equal: parts that what is called is
// split by. To make a whole of them here would round twice.
func (g Group) Guarantors(borrower tape.AccountID, at tape.Instant) ([]Share, error) {
	var guarantors []Share
	for _, m := range g.Members {
		if m.Household == borrower || m.Joined == 0 || m.Joined > at || m.Gone != "" && m.Left <= at {
			continue
		}
		share := Share{Household: m.Household}
		if g.Agreement.Shares == AgreedShares {
			share.PartsPerMillion = m.PartsPerMillion
		}
		guarantors = append(guarantors, share)
	}
	if len(guarantors) == 0 {
		return nil, rule.Refuse(rule.WrongState, "nobody of group %s guarantees what %s borrows", g.ID, borrower)
	}
	return guarantors, nil
}

// ExposureAllowed refuses a loan by which the group, the borrower or one of its
// guarantors would stand for more than was agreed. Facts are of all members whose
// loans are open, also of those who are gone.
func (g Group) ExposureAllowed(borrower tape.AccountID, amount money.Amount, terms SchemeTerms, facts []Borrowed) error {
	if err := rule.Field("amount", amount.Positive(g.Agreement.GroupMax.Currency)); err != nil {
		return err
	}
	open, owned := []int64{amount.Units}, []int64{amount.Units}
	for _, one := range facts {
		open = append(open, one.Open.Units)
		if one.Household == borrower {
			owned = append(owned, one.Open.Units)
		}
	}
	all, err := money.Sum(open...)
	if err != nil {
		return rule.Field("amount", err)
	}
	own, _ := money.Sum(owned...) // not more than all
	if all > g.Agreement.GroupMax.Units {
		return rule.Field("amount", rule.Refuse(rule.Insufficient, "the group would owe %s; it guarantees %s at most", money.New(all, amount.Currency), g.Agreement.GroupMax))
	}
	if most := part(g.Agreement.GroupMax.Units, terms.MemberSharePartsPerMillion); own > most {
		return rule.Field("amount", rule.Refuse(rule.Insufficient, "%s would owe %s; one member's part of the group's maximum is %s", borrower, money.New(own, amount.Currency), money.New(most, amount.Currency)))
	}
	return g.guaranteed(borrower, amount, all, facts)
}

// guaranteed refuses a loan by which a member would guarantee more than its
// maximum: joint and several, each stands for all that the others owe.
func (g Group) guaranteed(borrower tape.AccountID, amount money.Amount, all int64, facts []Borrowed) error {
	for _, member := range g.Living() {
		if member.Household == borrower {
			continue
		}
		others := all
		for _, one := range facts {
			if one.Household == member.Household {
				others -= one.Open.Units
			}
		}
		if others > g.Agreement.MemberMax.Units {
			return rule.Field("amount", rule.Refuse(rule.Insufficient, "%s would guarantee %s; one member guarantees %s at most",
				member.Household, money.New(others, amount.Currency), g.Agreement.MemberMax))
		}
	}
	return nil
}

// part is a part of units, to the nearest one.
func part(units int64, partsPerMillion int32) int64 {
	shares, err := money.Split(units, []int64{int64(partsPerMillion), int64(million - partsPerMillion)})
	if err != nil {
		return 0
	}
	return shares[0]
}
