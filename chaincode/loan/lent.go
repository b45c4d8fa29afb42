package loan

import (
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// LentShards is over how many records the list of a lender's loans is spread: of
// two contracts at once only those write one record whose loans fall into one shard.
const LentShards = 256

// LentKey is where Lent of a lender stands, by its shard.
func LentKey(lender string, shard int32) string { return "lent/" + lender + "/" + decimal(shard) }

// LentKeys are those of all shards of a lender.
func LentKeys(lender string) []string {
	keys := make([]string, LentShards)
	for i := range keys {
		keys[i] = LentKey(lender, int32(i))
	}
	return keys
}

// Lent lists loans of one lender, so that what it has lent is known without a search.
type Lent struct {
	V int32 `json:"v"`
	// Loans are keys, in the order of their contracts.
	Loans []string `json:"loans"`
	Entry string   `json:"entry"`
}

// LentKeys are where a loan is listed, once for each of its lenders.
func (l Loan) LentKeys() []string {
	shard := int32(sha256.Sum256([]byte(l.Reference()))[0])
	keys := make([]string, len(l.Lenders))
	for i, lender := range l.Lenders {
		keys[i] = LentKey(lender.Organisation, shard)
	}
	return keys
}

// Begin lists a loan that was contracted.
func (k *Lent) Begin(l Loan, entry tape.Entry) Lent {
	next := Lent{V: 1, Entry: entry.Reference()}
	if k != nil {
		next.Loans = slices.Clone(k.Loans)
	}
	next.Loans = append(next.Loans, l.Reference())
	return next
}

// Less is the list without the loans that count in no quarter from a day on, and
// whether there were any. What had ended a year before stays: of two pools of a
// lender one may freeze its quarters later.
func (k Lent) Less(loans map[string]Loan, day tape.Date, entry tape.Entry) (Lent, bool) {
	left := slices.DeleteFunc(slices.Clone(k.Loans), func(key string) bool { return loans[key].past(day.AddMonths(-12)) })
	if len(left) == len(k.Loans) {
		return k, false
	}
	return Lent{V: 1, Loans: left, Entry: entry.Reference()}, true
}

// past reports whether a loan was over by a day, and written off no less than a year before it, if ever.
func (l Loan) past(day tape.Date) bool {
	if l.State == Withdrawn {
		return true
	}
	n := len(l.Book.Payments)
	return l.State == Closed && (n == 0 || l.Book.Payments[n-1].Date <= day) && (l.WrittenOff == nil || l.WrittenOff.Date <= day.AddMonths(-12))
}

// Figures are a lender's book on a day as a pool compares it: its parts of its
// loans, and what it wrote off in the twelve months before.
func Figures(lender string, currency money.Currency, loans []Loan, day tape.Date) (pool.Figures, error) {
	classes, err := ClassesOn(day)
	if err != nil {
		return pool.Figures{}, err
	}
	var positions []Position
	var figures pool.Figures
	for _, l := range loans {
		if l.Principal.Currency != currency || !l.LentBy(lender) {
			continue
		}
		position, err := l.Held(lender, day)
		if err != nil {
			return figures, err
		}
		positions = append(positions, position)
		figures.WrittenOff += l.WrittenOffIn(lender, day.AddMonths(-12), day)
	}
	book := classes.Reckon(currency, positions)
	figures.Gross, figures.NonPerforming = book.Gross, book.NonPerforming
	return figures, nil
}

// LentBy reports whether an organisation lends the loan, or a part of it.
func (l Loan) LentBy(lender string) bool { return l.lenderAt(lender) >= 0 }

func (l Loan) lenderAt(lender string) int {
	return slices.IndexFunc(l.Lenders, func(one Lender) bool { return one.Organisation == lender })
}

// Held is how the book of one of its lenders sees the loan on a day: by that
// lender's part, rounded down. Without a lender it is the whole loan.
func (l Loan) Held(lender string, day tape.Date) (Position, error) {
	position, err := l.stood(day)
	if lender != "" {
		position.Principal, position.WrittenOff = l.partOf(lender, position.Principal), l.partOf(lender, position.WrittenOff)
	}
	return position, err
}

// WrittenOffIn is what one of its lenders took out of its books of the loan, from
// the day after one up to another; without a lender, what all did.
func (l Loan) WrittenOffIn(lender string, after, until tape.Date) int64 {
	if l.WrittenOff == nil || l.WrittenOff.Date <= after || l.WrittenOff.Date > until {
		return 0
	}
	if lender == "" {
		return l.WrittenOff.Amount.Units
	}
	return l.partOf(lender, l.WrittenOff.Amount.Units)
}

// partOf is a lender's part of an amount, nothing of who does not lend it.
func (l Loan) partOf(lender string, units int64) int64 {
	at := l.lenderAt(lender)
	if at < 0 {
		return 0
	}
	return l.part(at, units)
}

// stood is the loan's Position on a day, of which the book may know nothing any
// more because terms were changed since: then as it stood when they were.
func (l Loan) stood(day tape.Date) (Position, error) {
	if len(l.Book.Advances) == 0 || day >= l.Book.Advances[0].Date || len(l.Restructured) == 0 {
		return l.Position(day)
	}
	position, err := l.Position(l.Book.Advances[0].Date)
	if err != nil {
		return position, err
	}
	next := slices.IndexFunc(l.Restructured, func(r Restructured) bool { return r.Date > day })
	if next >= 0 {
		position.DaysPastDue = l.Restructured[next].DaysPastDue
	}
	position.Observed = l.observed(day)
	if l.WrittenOff == nil || l.WrittenOff.Date > day {
		position.WrittenOff = 0
	}
	return position, nil
}

// part is one lender's part of an amount, rounded down.
func (l Loan) part(lender int, units int64) int64 {
	share, _ := money.Portion(units, int64(l.Lenders[lender].PartsPerMillion), million)
	return share
}

// Came is what a lender got of a payment on the loan that is named by the entry
// which brought it and its place among those of that entry. What names no payment
// comes to nothing.
func (l Loan) Came(lender, payment string) (pool.Payment, error) {
	cut := strings.LastIndex(payment, "/")
	of := slices.IndexFunc(l.Lenders, func(one Lender) bool { return one.Organisation == lender })
	if cut < 0 || of < 0 {
		return pool.Payment{}, nil
	}
	var n int32
	for _, p := range l.Book.Payments {
		if p.Entry != payment[:cut] {
			continue
		}
		if decimal(n) == payment[cut+1:] {
			part, err := l.parts(of, p.Amount.Units)
			if err != nil {
				return pool.Payment{}, err
			}
			return pool.Payment{Source: payment, Amount: money.New(part[0], p.Amount.Currency)}, nil
		}
		n++
	}
	return pool.Payment{}, nil
}
