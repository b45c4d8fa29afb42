package books

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// ways is how much went from whom to whom, by pseudonyms and accounts of lenders.
type ways map[[2]string]int64

// guarantors are those who are paid by a call, and by whom.
const guarantors = "guarantors"

// toWhom compares what the lines pay for households with what loans, calls and claims
// say that they were paid by this entry: to each lender its part of each payment on a
// loan, without what a pool gets of it, to each guarantor what it has back.
func (b *Books) toWhom(key string, lines []tape.Payment) error {
	paid, want := waysOf(lines), ways{}
	for _, reference := range b.paidLoans() {
		if err := b.onLoan(reference, want); err != nil {
			return err
		}
	}
	for _, written := range slices.Sorted(maps.Keys(b.transaction.Writes)) {
		var err error
		switch kind, _, _ := strings.Cut(written, "/"); kind {
		case "call":
			err = b.onCall(written, want)
		case "poolclaim":
			err = b.onClaim(written, want)
		}
		if err != nil {
			return err
		}
	}
	for way := range want {
		paid[way] += 0
	}
	for _, way := range slices.SortedFunc(maps.Keys(paid), func(x, y [2]string) int { return strings.Compare(x[0]+x[1], y[0]+y[1]) }) {
		b.differs(key, "what a sale pays for "+way[0]+" to "+way[1]+" is what loans, calls and claims were paid", fmt.Sprint(want[way]), fmt.Sprint(paid[way]))
	}
	return nil
}

// waysOf are those of what is paid for others.
func waysOf(lines []tape.Payment) ways {
	paid := ways{}
	for _, line := range lines {
		switch from := pseudonymOf(line.OnBehalfOf); {
		case line.OnBehalfOf == "":
		case line.To.Outside(): // several may pay one guarantor by one call: who gives, and who gets
			paid[[2]string{from, guarantors}] += line.Amount.Units
			paid[[2]string{guarantors, pseudonymOf(line.To)}] += line.Amount.Units
		default:
			paid[[2]string{from, string(line.To)}] += line.Amount.Units
		}
	}
	return paid
}

// paidLoans are the loans of which this transaction writes something, whole or what is paid of them.
func (b *Books) paidLoans() []string {
	paid := map[string]bool{}
	for key := range b.transaction.Writes {
		if rest, is := strings.CutPrefix(key, "progress/"); is {
			key = "loan/" + rest
		}
		if strings.HasPrefix(key, "loan/") {
			paid[key] = true
		}
	}
	return slices.Sorted(maps.Keys(paid))
}

// loanAfter is a loan as this transaction leaves it: as it was written last, with its progress.
func (b *Books) loanAfter(key string) (loan.Loan, error) {
	l, known := b.loans[key]
	if !known {
		return l, fmt.Errorf("%s was never written", key)
	}
	if _, written := b.transaction.Writes[loan.ProgressKey(key)]; !written {
		return l, nil
	}
	progress, err := record[loan.Progress](b, loan.ProgressKey(key))
	return l.With(&progress), err
}

// keepLoans notes the loans that a transaction writes: what is paid of one later
// says neither who lends it nor who borrows.
func (b *Books) keepLoans() {
	for key, value := range b.transaction.Writes {
		if strings.HasPrefix(key, "loan/") {
			var l loan.Loan
			b.readable(key, value, &l)
			b.loans[key] = l
		}
	}
}

// onLoan adds what this entry has paid of a loan, to each lender its part.
func (b *Books) onLoan(key string, want ways) error {
	l, err := b.loanAfter(key)
	if err != nil {
		return err
	}
	lenders := slices.Clone(l.Lenders)
	slices.SortFunc(lenders, func(x, y loan.Lender) int { return strings.Compare(string(x.Account), string(y.Account)) })
	weights := make([]int64, len(lenders))
	for i, lender := range lenders {
		weights[i] = int64(lender.PartsPerMillion)
	}
	for _, payment := range l.Book.Payments {
		if payment.Entry != b.entry.Reference() {
			continue
		}
		parts, err := money.Split(payment.Amount.Units, weights)
		if err != nil {
			return err
		}
		for i, lender := range lenders {
			want[[2]string{pseudonymOf(l.Household), string(lender.Account)}] += parts[i]
		}
	}
	return nil
}

// onClaim parts what this entry has paid of a loan between its lender and the pool,
// which waits for what it did not get of its part.
func (b *Books) onClaim(key string, want ways) error {
	claim, err := record[pool.Claim](b, key)
	if err != nil {
		return err
	}
	l, err := b.loanAfter(loan.Key(claim.Scheme, claim.Loan))
	if err != nil {
		return err
	}
	of := b.trail.compensated[key]
	if of == nil || len(l.Lenders) != 1 {
		return fmt.Errorf("%s is no claim that a pool has paid for the loan's only lender", key)
	}
	paid := int64(0)
	for _, payment := range l.Book.Payments {
		if payment.Entry == b.entry.Reference() {
			paid += payment.Amount.Units
		}
	}
	if net := claim.Net - of.shared; net < 0 || net > paid {
		b.problem(key, "what a sale recovers is no more than it pays on the loan", number(paid), number(net))
	}
	part, err := of.part(claim.Net)
	if err != nil {
		return err
	}
	b.differs(key, "what the pool has, and what it waits for, is its part", number(part), number(claim.ToPool+claim.Waits))
	way, units := pseudonymOf(l.Household), claim.ToPool-of.back
	want[[2]string{way, string(l.Lenders[0].Account)}] -= units
	want[[2]string{way, string(claim.Account)}] += units
	of.shared, of.back = claim.Net, claim.ToPool
	return nil
}

// onCall adds what guarantors have back by this entry: of the debtor, and of one another.
func (b *Books) onCall(key string, want ways) error {
	after, err := record[recourse.Call](b, key)
	if err != nil {
		return err
	}
	before := b.calls[key]
	if len(before.Guarantors) != len(after.Guarantors) {
		return fmt.Errorf("%s has other guarantors than before", key)
	}
	for i, g := range after.Guarantors {
		was, name := before.Guarantors[i], pseudonymOf(g.Household)
		back := g.Returned - was.Returned
		want[[2]string{pseudonymOf(after.Debtor), guarantors}] += back
		want[[2]string{name, guarantors}] += g.Given - was.Given
		want[[2]string{guarantors, name}] += back + g.Got - was.Got
	}
	return nil
}

// keepCalls notes calls as the transaction has left them.
func (b *Books) keepCalls() {
	for _, key := range slices.Sorted(maps.Keys(b.transaction.Writes)) {
		if strings.HasPrefix(key, "call/") {
			var call recourse.Call
			b.readable(key, b.transaction.Writes[key], &call)
			b.calls[key] = call
		}
	}
}
