// Package statement reads a bank's statement file as a stream of lines, and
// says of each line whether it is a gift. It reads a payment processor's file
// of gifts, too, and compares its sums.
//
// A file is read as it is: CSV or gzipped CSV, in the standard headers or in
// the dialect that a Mapping describes. Amounts become whole minor units of one
// currency, dates become civil dates; what cannot be read exactly is refused
// with its row and column, never guessed. Memory does not grow with the file.
package statement

import (
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/gateway/donation"
)

// Line is one movement on the account.
type Line struct {
	// Number counts the lines of the statement from 1, or is the bank's own number.
	Number int
	// Row is where the line begins, counted as a spreadsheet counts rows: the
	// header is a row, a line break inside a cell is not.
	Row int
	// Date is the booking date, yyyy-mm-dd.
	Date string
	// Time is hh:mm:ss as the bank wrote it, without a zone; "" when it wrote none.
	Time string
	// Reference is the bank's; it need not be unique.
	Reference string
	// Debit and Credit are minor units of Currency, never negative, never both more than zero.
	Debit, Credit int64
	Currency      money.Currency
	// Balance is the account's balance after the line, in minor units; nil when the bank gives none.
	Balance *int64
	// Payer and Description are the bank's words. They may name a person: keep them off the ledger.
	Payer, Description string
}

// Net is what the line adds to the account, in minor units.
func (l Line) Net() int64 { return l.Credit - l.Debit }

// Kind says what a line is.
type Kind string

// The closed list of kinds. Only Gift is imported as a gift.
const (
	Gift     Kind = "gift"
	Debit    Kind = "debit"
	Fee      Kind = "fee"
	Interest Kind = "interest"
	Transfer Kind = "transfer"
	Returned Kind = "returned"
	// Processor is what a payment processor paid out for many gifts: its own file lists them.
	Processor Kind = "processor"
	Zero      Kind = "zero"
)

// Verdict is a kind and, for the report, the reason in words.
type Verdict struct {
	Kind   Kind
	Reason string
}

// Gift reports whether the line is a gift.
func (v Verdict) Gift() bool { return v.Kind == Gift }

var defaultReasons = map[Kind]string{
	Gift:      "money in",
	Debit:     "money out",
	Fee:       "the bank's fee",
	Interest:  "the bank's interest",
	Transfer:  "a transfer between own accounts",
	Returned:  "a payment that came back",
	Processor: "a payment processor's gifts",
	Zero:      "no money moved",
}

// Classify judges a line by its figures alone: what comes in is a gift. A
// mapping's patterns can tell more; Reader.Classify knows them.
func Classify(line Line) Verdict {
	switch {
	case line.Credit > 0:
		return Verdict{Gift, defaultReasons[Gift]}
	case line.Debit > 0:
		return Verdict{Debit, defaultReasons[Debit]}
	default:
		return Verdict{Zero, defaultReasons[Zero]}
	}
}

// Classify judges a line by the mapping's patterns, the first that matches, and
// then by its figures. A zero line is never anything else: nothing moved.
func (r *Reader) Classify(line Line) Verdict {
	if line.Credit == 0 && line.Debit == 0 {
		return Classify(line)
	}
	for i := range r.dialect.classes {
		if r.dialect.classes[i].matches(line) {
			return r.dialect.classes[i].verdict
		}
	}
	if line.Credit > 0 && comesBack(line) {
		return Verdict{Returned, defaultReasons[Returned]}
	}
	return Classify(line)
}

// comesBack reports whether a credit line names a payout: the bank repeats the
// memo of what it could not deliver.
func comesBack(line Line) bool {
	return len(donation.FindPayoutReferences(line.Description)) > 0 || len(donation.FindPayoutReferences(line.Reference)) > 0
}
