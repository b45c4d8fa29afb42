package settlement

import (
	"slices"
	"strconv"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
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
	// Calls are the keys of those calls of guarantors, not closed, by which it owes.
	Calls []string
	// Compensated are what pools have paid for its loans and share in.
	Compensated []Compensated
}

// Compensated is a lender's claim for the whole of a loan, which a pool has paid.
type Compensated struct {
	Claim pool.Claim
	// InterestDays are those of the terms that the claim is under.
	InterestDays int32
}

// Calls are guarantor calls that concern households of a chunk, each once: one
// household's payment changes what the next one owes.
type Calls []recourse.Call

// find is the place of a call, -1 for none.
func (c Calls) find(key string) int {
	return slices.IndexFunc(c, func(one recourse.Call) bool { return recourse.CallKey(one.Scheme, one.Loan, one.ID) == key })
}

// debtor reports whether a household is one for which guarantors were called.
func (c Calls) debtor(household tape.AccountID) bool {
	return slices.ContainsFunc(c, func(call recourse.Call) bool { return call.Debtor == household })
}

// count lets what changed a loan count for its guarantors' calls.
func (c Calls) count(before, after loan.Loan, entry tape.Entry) error {
	for k, call := range c {
		if call.State != recourse.Open || call.Scheme != before.Scheme || call.Loan != before.ID {
			continue
		}
		next, err := before.Count(after, call, "", money.Amount{}, entry.BusinessDate)
		if err != nil {
			return err
		}
		if next.Open() != call.Open() {
			c[k] = next.Changed(entry)
		}
	}
	return nil
}

// changed are the calls that an entry has changed.
func (c Calls) changed(entry tape.Entry) Calls {
	var changed Calls
	for _, call := range c {
		if call.Entry == entry.Reference() {
			changed = append(changed, call)
		}
	}
	return changed
}

// Settled is what a chunk comes to: the tape's part, the loans that it paid, and the
// calls and pools' claims that it changed.
type Settled struct {
	Part   tape.Part
	Loans  []loan.Loan
	Calls  Calls
	Claims []pool.Sold
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
func (s Settlement) Settle(c SettleHouseholds, page harvest.Page, known []Known, calls Calls, entry tape.Entry) (Settled, error) {
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
	all, after, err := s.pays(shares, known, calls, entry)
	if err != nil {
		return refuse(err)
	}
	var owed, dues []tape.Payment
	for _, one := range all {
		// Payouts stand before the dues, so that their holds are numbered from 0 on.
		result.Part.Lines, owed, dues = append(result.Part.Lines, one.rest...), append(owed, one.owed...), append(dues, one.dues...)
		result.Loans, result.Claims = append(result.Loans, one.loans...), append(result.Claims, one.claims...)
	}
	result.Part.Lines = append(append(result.Part.Lines, owed...), dues...)
	result.Calls = after.changed(entry)
	if n := len(result.Part.Lines); n > linesMax {
		return refuse(rule.Field("n", rule.Refuse(rule.Insufficient, "chunk %d makes %d payments; %d at most are one entry: abandon the settlement and open it with fewer households a chunk", c.N, n, linesMax)))
	}
	return result, nil
}
