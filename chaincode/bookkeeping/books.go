// Package bookkeeping is the month of an organisation's books: what belongs to it, what
// its trial balance is, and how it is closed.
//
// A rule here is a function of records, a command and a context; it returns what
// becomes and one entry, or a refusal. README.md lists keys, commands and refusals.
package bookkeeping

import (
	"crypto/sha256"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Month is a civil month in the ledger's zone, written 2026-11.
type Month string

// MonthOf is the month of a day, which was checked.
func MonthOf(day tape.Date) Month { return Month(day[:len("2026-11")]) }

// Check refuses every other spelling.
func (m Month) Check() error {
	if tape.Date(m+"-01").Check() != nil {
		return rule.Refuse(rule.Invalid, "is not a month; write it as 2026-11")
	}
	return nil
}

// First is its first day. The month was checked, here and below.
func (m Month) First() tape.Date { return tape.Date(m + "-01") }

// Last is its last day.
func (m Month) Last() tape.Date { return m.First().AddMonths(1).AddDays(-1) }

// Before is the month before it.
func (m Month) Before() Month { return MonthOf(m.First().AddDays(-1)) }

// After is the month after it.
func (m Month) After() Month { return MonthOf(m.First().AddMonths(1)) }

// CloseKey is where the Close of an organisation's month stands.
func CloseKey(organisation string, month Month) string {
	return "month/" + organisation + "/" + string(month)
}

// TotalsMax is how many sums a trial balance may have: two a currency.
const TotalsMax = 64

// Close is a month of an organisation's books, closed. It is never rewritten.
type Close struct {
	V            int32  `json:"v"`
	Organisation string `json:"organisation"`
	Month        Month  `json:"month"`
	// Zone is that in whose civil days the month began and ended.
	Zone tape.Zone `json:"zone"`
	// Sheet is the hash of the trial balance (Sheet.Hash), Totals its sums,
	// Entries how many entries are in the month, Late how many of them are of a
	// day before it.
	Sheet   party.Hash `json:"sheet"`
	Totals  []Total    `json:"totals,omitempty"`
	Entries int64      `json:"entries,string"`
	Late    int64      `json:"late,string"`
	// Through is the last entry of the ledger that the books had read.
	Through Through `json:"through"`
	// Previous is the hash of the month closed before, none of the first.
	Previous *party.Hash  `json:"previous,omitempty"`
	At       tape.Instant `json:"at"`
	Entry    string       `json:"entry"`
}

// Through is a place on the ledger: an entry, organisation/id, and its block.
type Through struct {
	Block int32  `json:"block"`
	Entry string `json:"entry"`
}

// Total is what all accounts together were debited and credited in one currency,
// of money or of accruals: the same, to the unit.
type Total struct {
	Currency money.Currency `json:"currency"`
	Memo     bool           `json:"memo,omitempty"`
	Debit    int64          `json:"debit,string"`
	Credit   int64          `json:"credit,string"`
}

// Hash is what the next month's close holds of this one.
func (c Close) Hash() (party.Hash, error) { return hash(c) }

func hash(record any) (party.Hash, error) {
	body, err := canonical.Encode(record)
	return sha256.Sum256(body), err
}

// CloseMonth closes a month of the caller's books.
type CloseMonth struct {
	Entries      int64      `json:"entries,string"`
	ID           tape.ID    `json:"id"`
	Late         int64      `json:"late,string"`
	Month        Month      `json:"month"`
	Organisation string     `json:"organisation"`
	Sheet        party.Hash `json:"sheet"`
	Through      Through    `json:"through"`
	Totals       []Total    `json:"totals,omitempty"`
}

// State is what the command reads.
type State struct {
	Zone tape.Zone
	// Known is the month's own Close, Before that of the month before it.
	Known, Before *Close
	// Admitted is the entry by which the organisation became a member: its books begin in that month.
	Admitted *tape.Entry
	// Through is the entry that the command names.
	Through *tape.Entry
}

// Apply judges the command. That maker and checker of the organisation signed is
// checked against the policy by the caller.
func (c CloseMonth) Apply(state State, ctx tape.Context) (Close, tape.Entry, error) {
	if err := rule.First(c.Check(), c.own(ctx), rule.Field("month", state.follows(c, ctx.Date)), rule.Field("through", state.through(c, ctx.At))); err != nil {
		return Close{}, tape.Entry{}, err
	}
	entry := ctx.Entry(c.ID, "close-month", c.Organisation)
	closed := Close{V: 1, Organisation: c.Organisation, Month: c.Month, Zone: state.Zone, Sheet: c.Sheet, Totals: c.Totals, Entries: c.Entries, Late: c.Late,
		Through: c.Through, At: ctx.At, Entry: entry.Reference()}
	if state.Before != nil {
		previous, err := state.Before.Hash()
		if err != nil {
			return Close{}, tape.Entry{}, err
		}
		closed.Previous = &previous
	}
	return closed, entry, nil
}

// Check refuses what is malformed, before records are named after it.
func (c CloseMonth) Check() error {
	if err := rule.First(rule.Field("organisation", tape.CheckSegment(c.Organisation)), rule.Field("month", c.Month.Check()), rule.Field("through", c.Through.check())); err != nil {
		return err
	}
	if c.Sheet == (party.Hash{}) {
		return rule.Field("sheet", rule.Refuse(rule.Invalid, "is empty: it is the hash of the trial balance"))
	}
	if c.Entries < 0 || c.Late < 0 || c.Late > c.Entries {
		return rule.Field("entries", rule.Refuse(rule.Invalid, "are %d, and %d of them late", c.Entries, c.Late))
	}
	return rule.Field("totals", c.balanced())
}

// balanced refuses sums that are not zero, and a second spelling of the list.
func (c CloseMonth) balanced() error {
	if len(c.Totals) > TotalsMax {
		return rule.Refuse(rule.Invalid, "are %d; %d at most", len(c.Totals), TotalsMax)
	}
	for i, t := range c.Totals {
		if _, err := t.Currency.Exponent(); err != nil {
			return rule.Field(at(i)+".currency", rule.Refuse(rule.Invalid, "is no currency of the ledger"))
		}
		if i > 0 && !c.Totals[i-1].less(t) {
			return rule.Field(at(i), rule.Refuse(rule.Invalid, "stands out of order, or twice: currencies ascend, money stands before accruals"))
		}
		if t.Debit < 0 || t.Credit < 0 {
			return rule.Field(at(i), rule.Refuse(rule.Invalid, "%d and %d are not sums", t.Debit, t.Credit))
		}
		if t.Debit != t.Credit {
			return rule.Field(at(i), rule.Refuse(rule.Conflict, "debits of %d are not credits of %d: a month whose sums are not zero is not closed", t.Debit, t.Credit))
		}
	}
	return nil
}

func at(i int) string { return "[" + strconv.Itoa(i) + "]" }

func (t Total) less(other Total) bool {
	if t.Currency != other.Currency {
		return t.Currency < other.Currency
	}
	return !t.Memo && other.Memo
}

// own refuses whoever closes another organisation's books.
func (c CloseMonth) own(ctx tape.Context) error {
	if ctx.Organisation != c.Organisation || ctx.Role != party.RoleGateway {
		return rule.Field("organisation", rule.Refuse(rule.Forbidden, "%s (role %s) closes no books of %s; its own gateway does", ctx.Organisation, ctx.Role, c.Organisation))
	}
	return nil
}

// follows refuses a month that was closed, that has not ended, and one that leaves out another.
func (s State) follows(c CloseMonth, today tape.Date) error {
	if s.Known != nil {
		return rule.Refuse(rule.Exists, "%s is closed, by entry %s; what is to be corrected is booked in the open month", c.Month, s.Known.Entry)
	}
	if s.Admitted == nil {
		return rule.Refuse(rule.NotFound, "%s is no member of the ledger", c.Organisation)
	}
	first := MonthOf(s.Admitted.BusinessDate)
	if c.Month < first {
		return rule.Refuse(rule.Conflict, "lies before %s, in which the books of %s begin", first, c.Organisation)
	}
	if c.Month != first && s.Before == nil {
		return rule.Refuse(rule.Conflict, "months close in order; %s is not closed", c.Month.Before())
	}
	if today <= c.Month.Last() {
		return rule.Refuse(rule.Early, "%s ends with %s; it is closed from the next day on", c.Month, c.Month.Last())
	}
	return nil
}

// through refuses a place that is not on the ledger, and one before that of the month before.
func (s State) through(c CloseMonth, now tape.Instant) error {
	if s.Through == nil || s.Through.Reference() != c.Through.Entry {
		return rule.Refuse(rule.NotFound, "there is no entry %s", c.Through.Entry)
	}
	if s.Through.At > now {
		return rule.Refuse(rule.Conflict, "entry %s is of %s, behind this transaction", c.Through.Entry, s.Through.At)
	}
	if s.Before != nil && c.Through.Block < s.Before.Through.Block {
		return rule.Field("block", rule.Refuse(rule.Conflict, "%d lies before block %d, until which the month before counts", c.Through.Block, s.Before.Through.Block))
	}
	return nil
}

func (t Through) check() error {
	organisation, id, found := strings.Cut(t.Entry, "/")
	if !found || tape.CheckSegment(organisation) != nil || tape.ID(id).Check() != nil {
		return rule.Field("entry", rule.Refuse(rule.Invalid, "is not an entry; write it as organisation/id"))
	}
	if t.Block < 0 {
		return rule.Field("block", rule.Refuse(rule.Invalid, "%d is no block", t.Block))
	}
	return nil
}

// Key is where the entry stands; the place was checked.
func (t Through) Key() string {
	organisation, id, _ := strings.Cut(t.Entry, "/")
	return tape.EntryKey(organisation, tape.ID(id))
}
