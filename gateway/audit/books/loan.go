package books

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// lendingContracts are those of loans and what follows from them. These books
// follow their money; what they promise and decide is judged by replay alone.
var lendingContracts = []string{"Loan", "Settlement", "Credit", "Recourse", "Pool"}

// lendingKinds are their commands that move money, by their functions.
var lendingKinds map[string]func(*Books) error

func init() {
	lendingKinds = map[string]func(*Books) error{
		"Loan:OpenLending": (*Books).open, "Loan:DisburseLoan": (*Books).disburse, "Loan:RepayLoan": (*Books).handOn, "Loan:ReturnPart": (*Books).handOn, "Loan:PayOverpayment": (*Books).payOverpayment,
		"Settlement:OpenSettlement": (*Books).openSettlement, "Settlement:SettleHouseholds": (*Books).settleHouseholds, "Settlement:CloseSettlement": (*Books).closeSettlement,
		"Settlement:AbandonSettlement": (*Books).abandonSettlement, "Settlement:PayAgain": (*Books).payAgain,
		"Pool:OpenPoolAccount": (*Books).open, "Pool:PayPoolClaim": (*Books).payPool, "Pool:ShareRecovery": (*Books).sharePool,
	}
}

// lent finds how a command of one of these contracts is booked.
func (b *Books) lent() (func(*Books) error, bool) {
	contract, name, _ := strings.Cut(b.transaction.Function, ":")
	if !slices.Contains(lendingContracts, contract) {
		return nil, false
	}
	return func(b *Books) error {
		b.differs(tape.EntryKey(b.entry.Organisation, b.entry.ID), "the kind of the entry", dashed(name), b.entry.Kind)
		if book := lendingKinds[b.transaction.Function]; book != nil {
			return book(b)
		}
		if n := len(b.entry.Postings); n > 0 {
			return fmt.Errorf("it has %d postings, and moves no money", n)
		}
		return nil
	}, true
}

// dashed is a function's name as the kind of its entries.
func dashed(name string) string {
	var kind []rune
	for i, letter := range name {
		if unicode.IsUpper(letter) && i > 0 {
			kind = append(kind, '-')
		}
		kind = append(kind, unicode.ToLower(letter))
	}
	return string(kind)
}

// disburse holds a lender's share of a tranche for whom it goes to.
func (b *Books) disburse() error {
	c, err := command[loan.Disburse](b)
	if err != nil {
		return err
	}
	l, err := record[loan.Loan](b, loan.Key(c.Account, c.Loan))
	if err != nil {
		return err
	}
	return b.orderPart(l, c.ID, c.Amount.Units, c.To)
}

// payOverpayment holds a lender's part of what was paid too much for its household.
func (b *Books) payOverpayment() error {
	c, err := command[loan.PayOverpayment](b)
	if err != nil {
		return err
	}
	l, err := record[loan.Loan](b, loan.Key(c.Account, c.Loan))
	if err != nil {
		return err
	}
	if c.N < 1 || int(c.N) > len(l.Book.Given) {
		return fmt.Errorf("nothing was chosen as number %d of %s", c.N, l.ID)
	}
	return b.orderPart(l, c.ID, l.Book.Given[c.N-1].Amount.Units, tape.AccountID("outside:"+tape.Household+":"+pseudonymOf(l.Household)))
}

// orderPart holds the caller's share of an amount of a loan for whom it goes to.
func (b *Books) orderPart(l loan.Loan, id tape.ID, units int64, to tape.AccountID) error {
	weights, lender := make([]int64, len(l.Lenders)), -1
	for i, one := range l.Lenders {
		weights[i] = int64(one.PartsPerMillion)
		if one.Organisation == b.entry.Organisation {
			lender = i
		}
	}
	if lender < 0 {
		return fmt.Errorf("%s lends nothing of %s", b.entry.Organisation, l.ID)
	}
	a, err := b.account(l.Lenders[lender].Account)
	if err != nil {
		return err
	}
	shares, err := money.Split(units, weights)
	if err != nil {
		return err
	}
	spans, err := a.take(shares[lender], ordered)
	if err != nil {
		return err
	}
	return b.keep(a, id, spans, ordered, to)
}

// handOn books payments from the first free money of one account of the caller's.
func (b *Books) handOn() error {
	for _, p := range b.entry.Postings {
		a, err := b.account(p.From)
		if err != nil {
			return err
		}
		b.differs(string(a.id), "whose money a loan's payment hands on", b.entry.Organisation, a.organisation)
		if err := b.takeFirst(a, p, p.Amount); err != nil {
			return err
		}
	}
	return nil
}
