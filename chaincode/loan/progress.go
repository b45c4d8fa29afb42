package loan

import (
	"strings"

	"github.com/lianbao/lianbao/chaincode/tape"
)

// Progress is what of a loan changes with a payment. Most of a Loan was agreed and
// stands: who guarantees it and how they consented, decision, contract, schedule. A
// sale pays two hundred loans in one entry, so what is written anew for each is
// this, beside the Loan as it was written before. While there is none, the Loan says it.
type Progress struct {
	V        int32     `json:"v"`
	Payments []Payment `json:"payments"`
	// LastOverdue and DaysPastDueMax are the Loan's.
	LastOverdue    tape.Date `json:"lastOverdue,omitempty"`
	DaysPastDueMax int32     `json:"daysPastDueMax,omitempty"`
	// At is the last change of the loan, Entry made it.
	At    tape.Instant `json:"at"`
	Entry string       `json:"entry"`
}

// ProgressKey is where the Progress of the loan under a key stands, "" for what is no loan's key.
func ProgressKey(key string) string {
	rest, is := strings.CutPrefix(key, "loan/")
	if !is {
		return ""
	}
	return "progress/" + rest
}

// Progress is that of the loan.
func (l Loan) Progress() Progress {
	return Progress{V: 1, Payments: l.Book.Payments, LastOverdue: l.LastOverdue, DaysPastDueMax: l.DaysPastDueMax, At: l.At, Entry: l.Entry}
}

// With is the loan that was written before, with what has changed since; p is nil for nothing.
func (l Loan) With(p *Progress) Loan {
	if p == nil {
		return l
	}
	l.Book.Payments, l.LastOverdue, l.DaysPastDueMax, l.At, l.Entry = p.Payments, p.LastOverdue, p.DaysPastDueMax, p.At, p.Entry
	return l
}

// Progresses reports whether nothing but its progress has changed since the loan
// was written as it stands.
func (l Loan) Progresses(stands Loan) bool {
	before := stands.Progress()
	return same(l.With(&before), stands)
}
