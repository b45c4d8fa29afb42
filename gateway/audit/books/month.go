package books

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/lianbao/lianbao/chaincode/bookkeeping"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// posted is one posting with where and when it was booked.
type posted struct {
	entry int
	day   tape.Date
	tape.Posting
}

// months are what closes of months are held against: every posting in ledger
// order, where each entry stands, and the months that were closed.
type months struct {
	posted []posted
	places map[string]entryAt
	// until is, by organisation, the entry until which its last close counts.
	until map[string]int
	last  map[string][]byte
	month map[string]bookkeeping.Month
}

type entryAt struct {
	n     int
	block uint64
}

func newMonths() months {
	return months{places: map[string]entryAt{}, until: map[string]int{}, last: map[string][]byte{}, month: map[string]bookkeeping.Month{}}
}

// noteDay keeps what the entry at hand posted, for the month in which it is.
func (b *Books) noteDay() {
	b.months.places[b.entry.Reference()] = entryAt{b.entries, b.transaction.Block}
	for _, p := range b.entry.Postings {
		p.Taken, p.Laid = nil, nil
		b.months.posted = append(b.months.posted, posted{b.entries, b.entry.BusinessDate, p})
	}
}

// closeMonth books the close of a month: its figures are those of the entries, it
// follows the month before, and maker and checker of its own decided.
func (b *Books) closeMonth() error {
	c, err := command[bookkeeping.CloseMonth](b)
	if err != nil {
		return err
	}
	key := bookkeeping.CloseKey(c.Organisation, c.Month)
	b.signers()
	b.decided(key, b.entry.Intents, c.Organisation)
	b.differs(key, "whose books are closed", c.Organisation, b.entry.Organisation)
	b.once("month", key)
	if before, known := b.months.month[c.Organisation]; known {
		b.differs(key, "months close in order", string(before.After()), string(c.Month))
	}
	through, known := b.months.places[c.Through.Entry]
	if !known || through.n >= b.entries {
		b.problem(key, "until where the books had read", "an entry before this one", c.Through.Entry)
		return nil
	}
	b.differs(key, "the block until which the books had read", fmt.Sprint(through.block), fmt.Sprint(c.Through.Block))
	if from := b.months.until[c.Organisation]; through.n < from {
		b.problem(key, "the books had read no less than the month before", fmt.Sprint("entry ", from), fmt.Sprint("entry ", through.n))
	}
	want := bookkeeping.Close{V: 1, Organisation: c.Organisation, Month: c.Month, Through: c.Through, At: b.entry.At, Entry: b.entry.Reference()}
	if err := b.sheet(&want, through.n); err != nil {
		return err
	}
	if before := b.months.last[c.Organisation]; before != nil {
		previous := party.Hash(sha256.Sum256(before))
		want.Previous = &previous
	}
	b.months.until[c.Organisation], b.months.month[c.Organisation], b.months.last[c.Organisation] = through.n, c.Month, b.transaction.Writes[key]
	noted(b, key, "the month that was closed", spelled(want), func(r bookkeeping.Close) string { r.Zone = ""; return spelled(r) })
	return nil
}

// sheet sums the month: each entry until a place that no month before it counts.
func (b *Books) sheet(of *bookkeeping.Close, through int) error {
	own := map[tape.AccountID]bool{}
	for id, a := range b.accounts {
		own[id] = a.organisation == of.Organisation && a.since <= through
	}
	from, until, counted := of.Month.First(), of.Month.Last(), b.months.until[of.Organisation]
	sums, entry := &sums{rows: map[string]*bookkeeping.Row{}, accounts: map[string]bool{}}, 0
	for _, p := range b.months.posted {
		if p.entry > through || p.day > until || !bookkeeping.Concerns(p.Posting, own) {
			continue
		}
		before := p.day < from && p.entry <= counted
		sums.count(p.From, own, p.Posting, before, -1)
		sums.count(p.To, own, p.Posting, before, 1)
		if before || p.entry == entry {
			continue
		}
		entry = p.entry
		of.Entries++
		if p.day < from {
			of.Late++
		}
	}
	sheet := bookkeeping.Sheet{V: 1, Organisation: of.Organisation, From: from, To: until, Entries: of.Entries, Late: of.Late, Rows: sums.sorted()}
	of.Totals = sheet.Totals()
	var err error
	of.Sheet, err = sheet.Hash()
	return err
}

// sums are the rows of a trial balance while they are counted.
type sums struct {
	rows     map[string]*bookkeeping.Row
	accounts map[string]bool
}

// count books one side of a posting; sign is that of what reaches the account.
func (s *sums) count(id tape.AccountID, own map[tape.AccountID]bool, p tape.Posting, before bool, sign int64) {
	name := bookkeeping.RowOf(id, own)
	key := fmt.Sprint(p.Amount.Currency, p.Memo, name)
	row := s.rows[key]
	if row == nil {
		row = &bookkeeping.Row{Account: name, Currency: p.Amount.Currency, Memo: p.Memo}
		s.rows[key] = row
	}
	if one := key + " " + string(id); !s.accounts[one] {
		s.accounts[one] = true
		row.Accounts++
	}
	row.Closing += sign * p.Amount.Units
	switch {
	case before:
		row.Opening += sign * p.Amount.Units
	case sign < 0:
		row.Credit += p.Amount.Units
	default:
		row.Debit += p.Amount.Units
	}
}

// sorted are the rows by currency, money before accruals, accounts by name.
func (s *sums) sorted() []bookkeeping.Row {
	var rows []bookkeeping.Row
	for _, row := range s.rows {
		rows = append(rows, *row)
	}
	slices.SortFunc(rows, func(a, b bookkeeping.Row) int {
		memo := 0
		if a.Memo != b.Memo {
			if memo = -1; a.Memo {
				memo = 1
			}
		}
		return cmp.Or(cmp.Compare(a.Currency, b.Currency), memo, cmp.Compare(a.Account, b.Account))
	})
	return rows
}
