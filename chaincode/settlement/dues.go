package settlement

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
)

// paid is what one household's share becomes: what it gets, what guarantors get for
// it, what goes to creditors on the ledger; and its loans, the claims of their
// lenders and the calls as they are then.
type paid struct {
	rest, owed, dues []tape.Payment
	loans            []loan.Loan
	claims           []pool.Sold
	calls            Calls
}

// asked is what is asked of one household's share.
type asked struct {
	loans []ask
	// backed are what it owes to guarantors, by the calls at these places.
	backed []loan.Claim
	by     []int
}

// ask is what one loan asks, and what of it is a pool's.
type ask struct {
	loan.Loan
	claim, behind loan.Claim
	// by is the claim that the pool has paid, nil where none has.
	by *Compensated
}

// household applies the waterfall to one share. What it owes to guarantors shows
// once the lenders have got what is due: a sale that makes a lender whole pays
// those who paid for the household with what is left.
func (s Settlement) household(i int, share waterfall.Share, known Known, calls Calls, entry tape.Entry) (paid, error) {
	a, err := s.asks(known)
	if err != nil {
		return paid{}, err
	}
	if err := s.owes(&a, share, known.Calls, calls, entry); err != nil {
		return paid{}, err
	}
	outcome, err := s.Terms.Apply(a.position(share, true))
	if err != nil {
		return paid{}, err
	}
	result, err := s.books(a, outcome, calls, entry)
	if err != nil {
		return paid{}, err
	}
	for j, claim := range a.backed {
		at := a.by[j]
		if lines := linesOf(outcome.Lines, claim.Debt.Reference); len(lines) > 0 {
			if result.calls[at], err = loan.Repaid(result.calls[at], share.Household, lines); err != nil {
				return paid{}, err
			}
			result.calls[at] = result.calls[at].Changed(entry)
		}
	}
	result.owed, result.dues = paymentsOf(i, outcome)
	if outcome.Rest.Units > 0 {
		result.rest = []tape.Payment{{Amount: outcome.Rest, Line: tape.ID("h" + decimal(i)), To: Outside(share.Household)}}
	}
	return result, nil
}

// asks is what the household's loans ask.
func (s Settlement) asks(known Known) (asked, error) {
	var a asked
	for _, l := range known.Loans {
		early := int64(0)
		if known.Prepayment != nil && known.Prepayment.Loan == l.ID {
			early = known.Prepayment.Amount.Units
		}
		claim, err := l.Claim(s.Terms, early)
		if err != nil {
			return a, err
		}
		one := ask{Loan: l, claim: claim}
		if at := slices.IndexFunc(known.Compensated, func(c Compensated) bool { return c.Claim.Loan == l.ID }); at >= 0 {
			one.by = &known.Compensated[at]
			if one.claim, one.behind, err = l.Behind(claim, one.by.Claim, one.by.InterestDays, s.Terms.Day); err != nil {
				return a, err
			}
		}
		a.loans = append(a.loans, one)
	}
	return a, nil
}

// owes adds what the household owes to guarantors by calls, as they are once its lenders were paid.
func (s Settlement) owes(a *asked, share waterfall.Share, keys []string, calls Calls, entry tape.Entry) error {
	if len(keys) == 0 {
		return nil
	}
	outcome, err := s.Terms.Apply(a.position(share, false))
	if err != nil {
		return err
	}
	first, err := s.books(*a, outcome, calls, entry)
	if err != nil {
		return err
	}
	for _, key := range keys {
		j := first.calls.find(key)
		if j < 0 {
			continue
		}
		if claim := loan.Backed(first.calls[j], share.Household, a.whole(first.calls[j], outcome)); len(claim.Dues) > 0 {
			a.backed, a.by = append(a.backed, claim), append(a.by, j)
		}
	}
	return nil
}

// whole reports whether a call's lender has what is its own of the loan once lines
// are paid: what a pool has compensated is the pool's, which ranks behind guarantors.
func (a asked) whole(call recourse.Call, outcome waterfall.Outcome) bool {
	for _, one := range a.loans {
		if one.ID == call.Loan && len(one.behind.Dues) > 0 {
			return sum(linesOf(outcome.Lines, one.claim.Debt.Reference), waterfall.Overdue) == one.claim.Overdue()
		}
	}
	return call.State != recourse.Open
}

// position is the household as the waterfall sees it, with those who rank behind its lenders or without.
func (a asked) position(share waterfall.Share, all bool) waterfall.Position {
	claims := make([]loan.Claim, 0, len(a.loans))
	for _, one := range a.loans {
		claims = append(claims, one.claim)
	}
	if all {
		claims = append(claims, a.backed...)
		for _, one := range a.loans {
			claims = append(claims, one.behind)
		}
	}
	position := waterfall.Position{Household: share.Household, Share: share.Amount}
	for _, claim := range claims {
		if len(claim.Dues) > 0 {
			position.Debts, position.Dues = append(position.Debts, claim.Debt), append(position.Dues, claim.Dues...)
		}
	}
	return position
}

// books puts what the lines pay of loans into their books, and lets it count for
// the calls of their guarantors and for the claims that pools have paid.
func (s Settlement) books(a asked, outcome waterfall.Outcome, calls Calls, entry tape.Entry) (paid, error) {
	result := paid{calls: slices.Clone(calls)}
	for _, one := range a.loans {
		after, err := s.book(one, outcome.Lines, entry)
		if err != nil {
			return paid{}, err
		}
		if after.Entry != entry.Reference() {
			continue
		}
		result.loans = append(result.loans, after)
		if err := result.calls.count(one.Loan, after, entry); err != nil {
			return paid{}, err
		}
		if one.by == nil {
			continue
		}
		toPool := sum(linesOf(outcome.Lines, one.behind.Debt.Reference), waterfall.Pool)
		sold, err := after.Recovered(one.by.Claim, one.by.InterestDays, toPool, s.Terms.Day, entry)
		if err != nil {
			return paid{}, err
		}
		result.claims = append(result.claims, sold)
	}
	return result, nil
}

// book puts what the lines pay of a loan into its book, due by due: what the pool
// gets repays the loan as well.
func (s Settlement) book(one ask, lines []waterfall.Line, entry tape.Entry) (loan.Loan, error) {
	l := one.Loan
	for _, claim := range []loan.Claim{one.claim, one.behind} {
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
				return l, err
			}
		}
	}
	return l, nil
}

// linesOf are those that pay a debt.
func linesOf(lines []waterfall.Line, debt waterfall.Reference) []waterfall.Line {
	var of []waterfall.Line
	for _, line := range lines {
		if line.Debt == debt {
			of = append(of, line)
		}
	}
	return of
}

// sum is what lines of a rank pay.
func sum(lines []waterfall.Line, rank waterfall.Rank) int64 {
	units := int64(0)
	for _, line := range lines {
		if line.Rank == rank {
			units += line.Amount.Units
		}
	}
	return units
}

// paymentsOf are the payments to creditors, one to each for what the household owes
// it: to guarantors, who are paid out what they are owed, and to accounts of the ledger.
func paymentsOf(i int, outcome waterfall.Outcome) (owed, dues []tape.Payment) {
	for _, line := range outcome.Lines {
		to, list, mark := line.Creditor, &dues, "."
		if line.Rank == waterfall.Recourse {
			to, list, mark = Outside(line.Creditor), &owed, ".g"
		}
		if j := slices.IndexFunc(*list, func(p tape.Payment) bool { return p.To == to }); j >= 0 {
			(*list)[j].Amount.Units += line.Amount.Units
			continue
		}
		*list = append(*list, tape.Payment{Amount: line.Amount, Line: tape.ID("h" + decimal(i) + mark + decimal(len(*list))), To: to, OnBehalfOf: outcome.Household})
	}
	return owed, dues
}
