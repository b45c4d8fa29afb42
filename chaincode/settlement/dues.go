package settlement

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
)

// paid is what one household's share becomes: what it gets, what guarantors get for
// it, what goes to creditors on the ledger; and the loans and claims of pools as they are then.
type paid struct {
	rest, owed, dues []tape.Payment
	loans            []loan.Loan
	claims           []pool.Sold
}

// asked is a household's share, and what is asked of it.
type asked struct {
	waterfall.Share
	calls []string
	loans []ask
	// backed are what it owes to guarantors, by the calls at these places.
	backed []loan.Claim
	by     []int
}

// ask is what a loan asks, and what of it is a pool's.
type ask struct {
	before, after loan.Loan
	claim, behind loan.Claim
	// by is the claim that the pool has paid, nil where none has.
	by *Compensated
	// whole says that what is its lender's own of it was paid.
	whole bool
}

// pays works out what shares become. First everybody's lenders get what is due to them;
// then each household pays those who rank behind them, in its turn, whoever was guaranteed
// before the others: what is paid on a loan, and back to its guarantors, changes what
// these owe one another. Where guarantors owe by several calls of such households, what a
// later turn leaves an earlier household owing is paid by the next sale.
func (s Settlement) pays(shares []waterfall.Share, known []Known, calls Calls, entry tape.Entry) ([]paid, Calls, error) {
	calls = slices.Clone(calls)
	all, results := make([]asked, len(shares)), make([]paid, len(shares))
	var err error
	for i, share := range shares {
		if all[i], err = s.lenders(share, known[i], calls, entry); err != nil {
			return nil, nil, rule.Item("households", i, err)
		}
	}
	for _, first := range []bool{true, false} {
		for i := range shares {
			if calls.debtor(shares[i].Household) != first {
				continue
			}
			if results[i], err = s.others(i, all[i], calls, entry); err != nil {
				return nil, nil, rule.Item("households", i, err)
			}
		}
	}
	return results, calls, nil
}

// lenders pays what is due to a household's lenders, and lets it count for calls.
func (s Settlement) lenders(share waterfall.Share, known Known, calls Calls, entry tape.Entry) (asked, error) {
	a, err := s.asks(share, known)
	if err != nil {
		return a, err
	}
	outcome, err := s.Terms.Apply(a.position(waterfall.Overdue, waterfall.Window))
	if err != nil {
		return a, err
	}
	for j := range a.loans {
		one := &a.loans[j]
		if err := s.book(one, outcome.Lines, calls, entry); err != nil {
			return a, err
		}
		one.whole = sum(linesOf(outcome.Lines, one.claim.Debt.Reference), waterfall.Overdue) == one.claim.Overdue()
	}
	return a, nil
}

// others pays those who rank behind the lenders, and the household.
func (s Settlement) others(i int, a asked, calls Calls, entry tape.Entry) (paid, error) {
	a.owes(calls)
	outcome, err := s.Terms.Apply(a.position(waterfall.Ranks()...))
	if err != nil {
		return paid{}, err
	}
	var result paid
	behind := slices.DeleteFunc(slices.Clone(outcome.Lines), func(l waterfall.Line) bool { return l.Rank == waterfall.Overdue || l.Rank == waterfall.Window })
	for j := range a.loans {
		one := &a.loans[j]
		if err := s.book(one, behind, calls, entry); err != nil {
			return paid{}, err
		}
		if one.after.Entry != entry.Reference() {
			continue
		}
		result.loans = append(result.loans, one.after)
		if one.by == nil {
			continue
		}
		sold, err := one.after.Recovered(one.by.Claim, one.by.InterestDays, sum(linesOf(behind, one.behind.Debt.Reference), waterfall.Pool), s.Terms.Day, entry)
		if err != nil {
			return paid{}, err
		}
		result.claims = append(result.claims, sold)
	}
	if err := a.repays(outcome.Lines, calls, entry); err != nil {
		return paid{}, err
	}
	result.owed, result.dues = paymentsOf(i, outcome)
	if outcome.Rest.Units > 0 {
		result.rest = []tape.Payment{{Amount: outcome.Rest, Line: tape.ID("h" + decimal(i)), To: Outside(a.Household)}}
	}
	return result, nil
}

// asks is what a household's loans ask.
func (s Settlement) asks(share waterfall.Share, known Known) (asked, error) {
	a := asked{Share: share, calls: known.Calls}
	for _, l := range known.Loans {
		early := int64(0)
		if known.Prepayment != nil && known.Prepayment.Loan == l.ID {
			early = known.Prepayment.Amount.Units
		}
		claim, err := l.Claim(s.Terms, early)
		if err != nil {
			return a, err
		}
		one := ask{before: l, after: l, claim: claim}
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

// owes adds what the household owes to guarantors by calls, as they are once all lenders were paid.
func (a *asked) owes(calls Calls) {
	for _, key := range a.calls {
		j := calls.find(key)
		if j < 0 {
			continue
		}
		if claim := loan.Backed(calls[j], a.Household, a.whole(calls[j])); len(claim.Dues) > 0 {
			a.backed, a.by = append(a.backed, claim), append(a.by, j)
		}
	}
}

// whole reports whether a call's lender has what is its own of the loan: what a pool
// has compensated is the pool's, which ranks behind guarantors.
func (a asked) whole(call recourse.Call) bool {
	for _, one := range a.loans {
		if one.before.ID == call.Loan && len(one.behind.Dues) > 0 {
			return one.whole
		}
	}
	return call.State != recourse.Open
}

// repays lets what lines pay to guarantors count for calls.
func (a asked) repays(lines []waterfall.Line, calls Calls, entry tape.Entry) error {
	for j, claim := range a.backed {
		own := linesOf(lines, claim.Debt.Reference)
		if len(own) == 0 {
			continue
		}
		call, err := loan.Repaid(calls[a.by[j]], a.Household, own)
		if err != nil {
			return err
		}
		calls[a.by[j]] = call.Changed(entry)
	}
	return nil
}

// position is the household as the waterfall sees it, with its dues of some ranks.
func (a asked) position(ranks ...waterfall.Rank) waterfall.Position {
	position := waterfall.Position{Household: a.Household, Share: a.Amount}
	claims := slices.Clone(a.backed)
	for _, one := range a.loans {
		claims = append(claims, one.claim, one.behind)
	}
	for _, claim := range claims {
		dues := slices.DeleteFunc(slices.Clone(claim.Dues), func(d waterfall.Due) bool { return !slices.Contains(ranks, d.Rank) })
		if len(dues) > 0 {
			position.Debts, position.Dues = append(position.Debts, claim.Debt), append(position.Dues, dues...)
		}
	}
	return position
}

// book puts what lines pay of a loan into its book, due by due, and lets it count for
// its guarantors' calls: what a pool gets repays the loan as well.
func (s Settlement) book(one *ask, lines []waterfall.Line, calls Calls, entry tape.Entry) error {
	before := one.after
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
			if one.after, _, err = one.after.Pay(pays, entry); err != nil {
				return err
			}
		}
	}
	return calls.count(before, one.after, entry)
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
