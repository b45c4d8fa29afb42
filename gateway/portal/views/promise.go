package views

import (
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Promise is what a household is asked to sign, in plain words: what it takes upon
// itself, towards whom, how much, until when, and how it says no.
type Promise struct {
	// Act chooses the sentences.
	Act string
	// Households are the others whom it concerns: of a group, who guarantees with
	// the reader, of a loan, who borrows. Joining comes in anew; none for most.
	Households []tape.AccountID
	Joining    tape.AccountID
	// Most is for the whole group, Member for one household of it; of all else Most is the amount.
	Most, Member *money.Amount
	Until        tape.Date
	// Months are how long the guarantee lasts behind a loan's last day.
	Months int
	// Parts per million are what of a call is the signer's; 0 where all bear the same.
	Parts   int
	Lenders []string
	Purpose string
	Quote   *Quote
	// Own says that a key that somebody else holds cannot sign this, Held that the
	// gateway holds the signer's.
	Own, Held bool
}

// Quote is what a loan would cost and when it comes back.
type Quote struct {
	// Lent is paid out, Total paid back, Interest what of that is the price.
	Lent, Total, Interest money.Amount
	// Annual is the annual percentage rate, such as 6.168123.
	Annual string
	Rows   []QuoteRow
}

// QuoteRow is an instalment of a quote.
type QuoteRow struct {
	N                           int
	Due                         tape.Date
	Amount, Principal, Interest money.Amount
}
