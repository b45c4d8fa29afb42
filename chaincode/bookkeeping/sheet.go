package bookkeeping

import (
	"cmp"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Rows under which accounts stand that are not told one by one: families outside
// the ledger, and the accounts of others.
const (
	OutsideHouseholds = "outside:" + tape.Household
	Others            = "others"
)

// receivable is what stands before an account's name where it says what that one is to get.
const receivable = "receivable:"

// Cut says what the books had until a day: entries of that day and earlier ones,
// as far as they stood on the ledger at a place; without one, all of them. A
// month that is closed ends with the cut of its last day and of its Through, the
// next begins with it: an entry of an earlier day that came behind is in the next.
type Cut struct {
	Day tape.Date
	// Place orders the ledger's entries; 0 for no end.
	Place int64
}

// Holds reports whether an entry of a day, at a place of the ledger, is in the books.
func (c Cut) Holds(day tape.Date, place int64) bool {
	return day <= c.Day && (c.Place == 0 || place <= c.Place)
}

// Row is one account, in minor units. What reached it is its debit, what left it
// its credit; a balance above zero is a debit balance.
type Row struct {
	Account  string         `json:"account"`
	Currency money.Currency `json:"currency"`
	Memo     bool           `json:"memo,omitempty"`
	Opening  int64          `json:"opening,string"`
	Debit    int64          `json:"debit,string"`
	Credit   int64          `json:"credit,string"`
	Closing  int64          `json:"closing,string"`
	// Accounts counts those that stand together.
	Accounts int32 `json:"accounts"`
}

// Sheet is a trial balance of an organisation's books: every posting that leaves
// or reaches an account of its own, once on each side.
type Sheet struct {
	V            int32     `json:"v"`
	Organisation string    `json:"organisation"`
	From         tape.Date `json:"from"`
	To           tape.Date `json:"to"`
	Entries      int64     `json:"entries,string"`
	Late         int64     `json:"late,string"`
	Rows         []Row     `json:"rows,omitempty"`
}

// Hash is that of the canonical sheet.
func (s Sheet) Hash() (party.Hash, error) { return hash(s) }

// Totals are what was debited and credited, by currency, money before accruals.
func (s Sheet) Totals() []Total {
	var totals []Total
	for _, row := range s.Rows {
		i := slices.IndexFunc(totals, func(t Total) bool { return t.Currency == row.Currency && t.Memo == row.Memo })
		if i < 0 {
			i, totals = len(totals), append(totals, Total{Currency: row.Currency, Memo: row.Memo})
		}
		totals[i].Debit += row.Debit
		totals[i].Credit += row.Credit
	}
	return totals
}

// RowOf is the row under which an account stands in the books of who has the own
// accounts. Families are told together: a trial balance names no one.
func RowOf(account tape.AccountID, own map[tape.AccountID]bool) string {
	switch {
	case account == OutsideHouseholds || strings.HasPrefix(string(account), OutsideHouseholds+":"):
		return OutsideHouseholds
	case account.Outside(), concerns(account, own):
		return string(account)
	}
	return Others
}

// concerns reports whether an account is an own one, or says what an own one is to get.
func concerns(account tape.AccountID, own map[tape.AccountID]bool) bool {
	return own[account] || own[tape.AccountID(strings.TrimPrefix(string(account), receivable))]
}

// Concerns reports whether a posting belongs in the books of who has the own accounts.
func Concerns(p tape.Posting, own map[tape.AccountID]bool) bool {
	return concerns(p.From, own) || concerns(p.To, own)
}

// Reckoning makes a sheet, entry by entry in the ledger's order.
type Reckoning struct {
	sheet         Sheet
	own           map[tape.AccountID]bool
	before, until Cut
	rows          []*Row
	at            map[rowKey]*Row
	accounts      map[account]bool
}

type rowKey struct {
	account  string
	currency money.Currency
	memo     bool
}

type account struct {
	rowKey
	id tape.AccountID
}

// Reckon begins the sheet of what lies between two cuts; from is the first day
// behind the earlier one. Before the first month there is none: it holds nothing.
func Reckon(organisation string, own map[tape.AccountID]bool, from tape.Date, before, until Cut) *Reckoning {
	return &Reckoning{Sheet{V: 1, Organisation: organisation, From: from, To: until.Day}, own, before, until, nil, map[rowKey]*Row{}, map[account]bool{}}
}

// Add counts the postings of one entry, of a day and at a place of the ledger, and
// reports whether it lies between the cuts and is in these books.
func (r *Reckoning) Add(day tape.Date, place int64, postings []tape.Posting) bool {
	if !r.until.Holds(day, place) {
		return false
	}
	opening, counted := r.before.Holds(day, place), false
	for _, p := range postings {
		if !Concerns(p, r.own) {
			continue
		}
		counted = true
		left, reached := r.row(p.From, p), r.row(p.To, p)
		if opening {
			left.Opening -= p.Amount.Units
			reached.Opening += p.Amount.Units
		} else {
			left.Credit += p.Amount.Units
			reached.Debit += p.Amount.Units
		}
	}
	if counted = counted && !opening; counted {
		r.sheet.Entries++
		if day < r.sheet.From {
			r.sheet.Late++
		}
	}
	return counted
}

func (r *Reckoning) row(id tape.AccountID, p tape.Posting) *Row {
	key := rowKey{RowOf(id, r.own), p.Amount.Currency, p.Memo}
	row := r.at[key]
	if row == nil {
		row = &Row{Account: key.account, Currency: key.currency, Memo: key.memo}
		r.at[key], r.rows = row, append(r.rows, row)
	}
	if one := (account{key, id}); !r.accounts[one] {
		r.accounts[one] = true
		row.Accounts++
	}
	return row
}

// Sheet is what was added, by currency, money before accruals, accounts by their names.
func (r *Reckoning) Sheet() Sheet {
	sheet := r.sheet
	for _, row := range r.rows {
		row.Closing = row.Opening + row.Debit - row.Credit
		sheet.Rows = append(sheet.Rows, *row)
	}
	slices.SortFunc(sheet.Rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Currency, b.Currency), last(a.Memo)-last(b.Memo), cmp.Compare(a.Account, b.Account))
	})
	return sheet
}

func last(memo bool) int {
	if memo {
		return 1
	}
	return 0
}
