package settlement

import (
	"slices"
	"strconv"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
)

func decimal(n int) string { return strconv.Itoa(n) }

// SettleHouseholds settles one chunk: the costs, or one page of households. What
// is paid to whom stands in no argument: the contract works it out.
type SettleHouseholds struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	N       int32          `json:"n"`
	Path    []merkle.Node  `json:"path"`
	Sale    tape.ID        `json:"sale"`
}

// Known is what the ledger knows of one household of a page.
type Known struct {
	// Loans are its running loans in the scheme.
	Loans []loan.Loan
	// Prepayment is what it chose; nil for nothing.
	Prepayment *Prepayment
}

// Settled is what a chunk comes to: the tape's part, and the loans that it paid.
type Settled struct {
	Part  tape.Part
	Loans []loan.Loan
}

// linesMax is the most payments of one chunk: everybody's rest, and to some lenders each.
const linesMax = tape.PartLinesMax

// runs refuses a settlement that is over, or was abandoned.
func (s Settlement) runs() error {
	if s.State != Running {
		return rule.Field("sale", rule.Refuse(rule.WrongState, "the settlement of %s is %s, by entry %s", s.Sale, s.State, s.Entry))
	}
	return nil
}

// has refuses a chunk that the settlement has not.
func (s Settlement) has(c SettleHouseholds) error {
	if err := s.runs(); err != nil {
		return err
	}
	if c.N < 0 || c.N >= s.Chunks {
		return rule.Field("n", rule.Refuse(rule.NotFound, "%d is no chunk of the settlement of %s; it has %d", c.N, s.Sale, s.Chunks))
	}
	return nil
}

// PayCosts is the chunk that pays the agreed costs.
func (s Settlement) PayCosts(c SettleHouseholds) (Settled, error) {
	if err := s.has(c); err != nil {
		return Settled{}, err
	}
	leaf, err := costLeaf(s.Costs)
	if err != nil {
		return Settled{}, err
	}
	part := tape.Part{ID: c.ID, Job: s.Job, N: c.N, Leaf: leaf, Path: c.Path, LinesMax: linesMax}
	for i, cost := range s.Costs {
		part.Lines = append(part.Lines, tape.Payment{Amount: cost.Amount, Line: tape.ID("cost-" + decimal(i)), To: cost.Payee})
	}
	return Settled{Part: part}, nil
}

// Settle works out what the shares of a chunk's households pay, which stand on the
// page; known stands in their order (Of). Each household's dues and rest are one
// entry with all others of its chunk: none of it happens without the rest.
func (s Settlement) Settle(c SettleHouseholds, page harvest.Page, known []Known, entry tape.Entry) (Settled, error) {
	refuse := func(err error) (Settled, error) { return Settled{}, err }
	if err := s.has(c); err != nil {
		return refuse(err)
	}
	shares, err := s.shares(s.Of(c.N, page))
	if err != nil {
		return refuse(err)
	}
	leaf, err := shareLeaf(c.N, shares)
	if err != nil {
		return refuse(err)
	}
	// What is owed is reckoned on the day on which it is paid: loans may have been repaid or changed since the settlement was opened.
	s.Terms.Day = max(s.Terms.Day, entry.BusinessDate)
	result := Settled{Part: tape.Part{ID: c.ID, Job: s.Job, N: c.N, Leaf: leaf, Path: c.Path, LinesMax: linesMax}}
	var dues []tape.Payment
	for i, share := range shares {
		one, err := s.household(i, share, known[i], entry)
		if err != nil {
			return refuse(rule.Item("households", i, err))
		}
		// Payouts stand before the dues, so that the names of their holds stay short.
		result.Part.Lines, dues = append(result.Part.Lines, one.rest...), append(dues, one.dues...)
		result.Loans = append(result.Loans, one.loans...)
	}
	result.Part.Lines = append(result.Part.Lines, dues...)
	if n := len(result.Part.Lines); n > linesMax {
		return refuse(rule.Field("n", rule.Refuse(rule.Insufficient, "chunk %d makes %d payments; %d at most are one entry: abandon the settlement and open it with fewer households a chunk", c.N, n, linesMax)))
	}
	return result, nil
}

// paid is what one household's share becomes.
type paid struct {
	rest, dues []tape.Payment
	loans      []loan.Loan
}

// household applies the waterfall to one share.
func (s Settlement) household(i int, share waterfall.Share, known Known, entry tape.Entry) (paid, error) {
	position := waterfall.Position{Household: share.Household, Share: share.Amount}
	claims := make([]loan.Claim, len(known.Loans))
	for j, l := range known.Loans {
		early := int64(0)
		if known.Prepayment != nil && known.Prepayment.Loan == l.ID {
			early = known.Prepayment.Amount.Units
		}
		var err error
		if claims[j], err = l.Claim(s.Terms, early); err != nil {
			return paid{}, err
		}
		if len(claims[j].Dues) > 0 {
			position.Debts, position.Dues = append(position.Debts, claims[j].Debt), append(position.Dues, claims[j].Dues...)
		}
	}
	outcome, err := s.Terms.Apply(position)
	if err != nil {
		return paid{}, err
	}
	result := paid{dues: s.duesOf(i, outcome)}
	if outcome.Rest.Units > 0 {
		result.rest = []tape.Payment{{Amount: outcome.Rest, Line: tape.ID("h" + decimal(i)), To: Outside(share.Household)}}
	}
	for j, l := range known.Loans {
		after, changed, err := s.book(l, claims[j], outcome.Lines, entry)
		if err != nil {
			return paid{}, err
		}
		if changed {
			result.loans = append(result.loans, after)
		}
	}
	return result, nil
}

// duesOf are the payments to creditors: one each for what the household owes it.
func (s Settlement) duesOf(i int, outcome waterfall.Outcome) []tape.Payment {
	var dues []tape.Payment
	for _, line := range outcome.Lines {
		if j := slices.IndexFunc(dues, func(p tape.Payment) bool { return p.To == line.Creditor }); j >= 0 {
			dues[j].Amount.Units += line.Amount.Units
			continue
		}
		dues = append(dues, tape.Payment{Amount: line.Amount, Line: tape.ID("h" + decimal(i) + "." + decimal(len(dues))), To: line.Creditor, OnBehalfOf: outcome.Household})
	}
	return dues
}

// book puts what the lines pay of a loan into its book, due by due.
func (s Settlement) book(l loan.Loan, claim loan.Claim, lines []waterfall.Line, entry tape.Entry) (loan.Loan, bool, error) {
	changed := false
	for k, due := range claim.Dues {
		units := int64(0)
		for _, line := range lines {
			if line.Debt == due.Debt && line.Rank == due.Rank && line.Date == due.Date {
				units += line.Amount.Units
			}
		}
		if units == 0 {
			continue
		}
		var err error
		pays := loan.Pays{Amount: money.New(units, due.Amount.Currency), Date: claim.PayOn[k], Mostly: loan.UntilPayoff, AheadDays: s.Terms.WindowDays}
		if l, _, err = l.Pay(pays, entry); err != nil {
			return l, false, err
		}
		changed = true
	}
	return l, changed, nil
}
