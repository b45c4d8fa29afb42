package cooperative

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/bookkeeping"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// How a month stands: it runs, it has ended, or it is closed.
const (
	MonthRuns   = "runs"
	MonthOpen   = "open"
	MonthClosed = "closed"
)

// MonthLine is one month in the list of an organisation's.
type MonthLine struct {
	Month bookkeeping.Month `json:"month"`
	State string            `json:"state"`
	// Next is the month that is closed next: those behind it wait for it.
	Next  bool               `json:"next,omitempty"`
	Close *bookkeeping.Close `json:"close,omitempty"`
}

// Month is a month of an organisation's books.
type Month struct {
	Organisation string `json:"organisation"`
	MonthLine
	// Balance is reckoned now, from the ledger's entries.
	Balance TrialBalance `json:"balance"`
	// Sheet is the hash of the trial balance, Entries how many are in it, Late
	// how many of them are of a day before it.
	Sheet   party.Hash `json:"sheet"`
	Entries int64      `json:"entries"`
	Late    int64      `json:"late"`
	// Through is the last entry that was read: of a closed month that which the close names.
	Through bookkeeping.Through `json:"through"`
	// Agrees says of a closed month that what is reckoned is what was closed;
	// else Differences say what is not.
	Agrees      bool         `json:"agrees"`
	Differences []Difference `json:"differences"`
	// Adjustments are entries of this month that count as of an earlier one.
	Adjustments []Adjustment `json:"adjustments"`

	sheet         bookkeeping.Sheet
	before, until bookkeeping.Cut
}

// Difference is a figure that is not what was closed.
type Difference struct {
	What   string `json:"what"`
	Closed string `json:"closed"`
	Found  string `json:"found"`
}

// Adjustment is an entry that is booked in a month and counts as of a day before it.
type Adjustment struct {
	Entry string `json:"entry"`
	Kind  string `json:"kind"`
	// Booked is the entry's own day, As that as of which it counts.
	Booked tape.Date `json:"booked"`
	As     tape.Date `json:"as"`
	// Why is late, of an entry that came behind the close of its own month, or
	// payment, of one that a loan's book counts from an earlier day on.
	Why string `json:"why"`
}

// calendar is which months an organisation has closed, and when its books begin.
type calendar struct {
	organisation string
	first        bookkeeping.Month
	closes       map[bookkeeping.Month]bookkeeping.Close
	places       map[bookkeeping.Month]int64
}

func calendarOf(ctx context.Context, m *readmodel.Model, organisation string) (calendar, error) {
	c := calendar{organisation: organisation, closes: map[bookkeeping.Month]bookkeeping.Close{}, places: map[bookkeeping.Month]int64{}}
	closes, err := every[bookkeeping.Close](ctx, m, "month/"+organisation+"/")
	if err != nil {
		return c, err
	}
	for _, one := range closes {
		c.closes[one.Month] = one
		of, id, _ := strings.Cut(one.Through.Entry, "/")
		place, err := m.PlaceOf(ctx, of, tape.ID(id))
		if err != nil {
			return c, err
		}
		c.places[one.Month] = place.Place
	}
	member, err := optional[party.Organisation](ctx, m, party.OrganisationKey(organisation))
	if err != nil || member == nil {
		return c, err
	}
	of, id, _ := strings.Cut(member.Entry, "/")
	admitted, err := m.PlaceOf(ctx, of, tape.ID(id))
	if rule.Is(err, rule.NotFound) {
		return c, nil
	}
	if err == nil {
		c.first = bookkeeping.MonthOf(admitted.Day)
	}
	return c, err
}

// cut is what the books had until a day: in a closed month only what was closed.
func (c calendar) cut(day tape.Date) bookkeeping.Cut {
	return bookkeeping.Cut{Day: day, Place: c.places[bookkeeping.MonthOf(day)]}
}

// line says how a month stands on a day.
func (c calendar) line(month bookkeeping.Month, today tape.Date) MonthLine {
	if one, is := c.closes[month]; is {
		return MonthLine{Month: month, State: MonthClosed, Close: &one}
	}
	_, before := c.closes[month.Before()]
	line := MonthLine{Month: month, State: MonthRuns, Next: before || month == c.first}
	if month.Last() < today {
		line.State = MonthOpen
	}
	return line
}

// Months lists an organisation's months until a day, the latest first.
func Months(ctx context.Context, m *readmodel.Model, organisation string, today tape.Date) ([]MonthLine, error) {
	c, err := calendarOf(ctx, m, organisation)
	lines := []MonthLine{}
	if err != nil || c.first == "" {
		return lines, err
	}
	for month := c.first; month.First() <= today; month = month.After() {
		lines = append(lines, c.line(month, today))
	}
	slices.Reverse(lines)
	return lines, nil
}

// MonthOf is a month of an organisation's books, reckoned now. Of a closed month
// it says whether that is what was closed.
func MonthOf(ctx context.Context, m *readmodel.Model, organisation string, month bookkeeping.Month, today tape.Date) (Month, error) {
	found := Month{Organisation: organisation, Differences: []Difference{}, Adjustments: []Adjustment{}}
	if err := rule.First(rule.Field("organisation", tape.CheckSegment(organisation)), rule.Field("month", month.Check())); err != nil {
		return found, err
	}
	c, err := calendarOf(ctx, m, organisation)
	if err != nil {
		return found, err
	}
	if month < c.first || c.first == "" || month.First() > today {
		return found, rule.Refuse(rule.NotFound, "the books of %s have no month %s", organisation, month)
	}
	found.MonthLine = c.line(month, today)
	until := c.cut(month.Last())
	if found.Close == nil {
		last, err := m.PlaceOf(ctx, "", "")
		if err != nil {
			return found, err
		}
		until.Place, found.Through = last.Place, bookkeeping.Through{Block: int32(last.Block), Entry: last.Reference()}
	} else {
		found.Through = found.Close.Through
	}
	var before bookkeeping.Cut
	if month > c.first {
		before = c.cut(month.Before().Last())
	}
	if err := found.reckon(ctx, m, before, until); err != nil {
		return found, err
	}
	return found, found.compare(ctx, m)
}

// reckon makes the sheet of the month, and lists what counts as of a day before it.
func (f *Month) reckon(ctx context.Context, m *readmodel.Model, before, until bookkeeping.Cut) error {
	f.before, f.until = before, until
	own, err := m.AccountsBy(ctx, f.Organisation, until.Place)
	if err != nil {
		return err
	}
	paid, err := paidAsOf(ctx, m, f.Month.First())
	if err != nil {
		return err
	}
	reckoning := bookkeeping.Reckon(f.Organisation, own, f.Month.First(), before, until)
	err = m.Posted(ctx, f.Organisation, until.Day, func(p readmodel.Posted) error {
		if !reckoning.Add(p.Day, p.Place, p.Postings) {
			return nil
		}
		as, why := paid[p.Reference()], "payment"
		if p.Day < f.Month.First() {
			as, why = p.Day, "late"
		}
		if as != "" {
			f.Adjustments = append(f.Adjustments, Adjustment{Entry: p.Reference(), Kind: p.Kind, Booked: p.Day, As: as, Why: why})
		}
		return nil
	})
	if err != nil {
		return err
	}
	f.sheet = reckoning.Sheet()
	f.Balance, f.Entries, f.Late = balanceOf(f.sheet), f.sheet.Entries, f.sheet.Late
	f.Sheet, err = f.sheet.Hash()
	return err
}

// paidAsOf are the days before another as of which loans' books count what an entry brought.
func paidAsOf(ctx context.Context, m *readmodel.Model, day tape.Date) (map[string]tape.Date, error) {
	loans, err := disbursed(ctx, m, Asked{})
	paid := map[string]tape.Date{}
	for _, l := range loans {
		for _, payment := range l.Book.Payments {
			if payment.Date < day {
				paid[payment.Entry] = payment.Date
			}
		}
	}
	return paid, err
}

// compare holds a closed month against what was closed, and its place in the chain.
func (f *Month) compare(ctx context.Context, m *readmodel.Model) error {
	if f.Close == nil {
		return nil
	}
	differs := func(what, closed, found string) {
		if closed != found {
			f.Differences = append(f.Differences, Difference{what, closed, found})
		}
	}
	differs("sheet", f.Close.Sheet.String(), f.Sheet.String())
	differs("entries", strconv.FormatInt(f.Close.Entries, 10), strconv.FormatInt(f.Entries, 10))
	differs("late", strconv.FormatInt(f.Close.Late, 10), strconv.FormatInt(f.Late, 10))
	differs("totals", fmt.Sprint(f.Close.Totals), fmt.Sprint(f.sheet.Totals()))
	before, err := optional[bookkeeping.Close](ctx, m, bookkeeping.CloseKey(f.Organisation, f.Month.Before()))
	if err != nil {
		return err
	}
	previous, found := "", ""
	if f.Close.Previous != nil {
		previous = f.Close.Previous.String()
	}
	if before != nil {
		hash, err := before.Hash()
		if err != nil {
			return err
		}
		found = hash.String()
	}
	differs("previous", previous, found)
	f.Agrees = len(f.Differences) == 0
	return nil
}

// Command is what closes the month, as it is reckoned now.
func (f Month) Command(id tape.ID) bookkeeping.CloseMonth {
	return bookkeeping.CloseMonth{Entries: f.Entries, ID: id, Late: f.Late, Month: f.Month, Organisation: f.Organisation, Sheet: f.Sheet, Through: f.Through, Totals: f.Totals()}
}

// Totals are the sums of the sheet, which travels by its balance.
func (f Month) Totals() []bookkeeping.Total {
	var totals []bookkeeping.Total
	for _, t := range f.Balance.Totals {
		totals = append(totals, bookkeeping.Total{Currency: t.Currency, Memo: t.Memo, Debit: t.Debit.Units, Credit: t.Credit.Units})
	}
	return totals
}

// AccountLine is one posting on a row of a month's trial balance.
type AccountLine struct {
	Day   tape.Date `json:"day"`
	Kind  string    `json:"kind"`
	Entry string    `json:"entry"`
	// Other is the row on the other side.
	Other string `json:"other"`
	Memo  bool   `json:"memo,omitempty"`
	// Debit is what reached the account, Credit what left it; one of them.
	Debit  *money.Amount `json:"debit,omitempty"`
	Credit *money.Amount `json:"credit,omitempty"`
}

// AccountOf is a row of a month's trial balance with the postings that make it, as
// the month was closed or stands now; more says that there are more than most of them.
func AccountOf(ctx context.Context, m *readmodel.Model, organisation string, month bookkeeping.Month, row string, today tape.Date, most int) (of Month, lines []AccountLine, more bool, err error) {
	if of, err = MonthOf(ctx, m, organisation, month, today); err != nil {
		return of, nil, false, err
	}
	of.Balance.Rows = slices.DeleteFunc(of.Balance.Rows, func(r BalanceRow) bool { return r.Account != row })
	if len(of.Balance.Rows) == 0 {
		return of, nil, false, rule.Refuse(rule.NotFound, "the books of %s have no such account in %s", organisation, month)
	}
	own, err := m.AccountsBy(ctx, organisation, of.until.Place)
	if err != nil {
		return of, nil, false, err
	}
	err = m.Posted(ctx, organisation, of.until.Day, func(p readmodel.Posted) error {
		if !of.until.Holds(p.Day, p.Place) || of.before.Holds(p.Day, p.Place) {
			return nil
		}
		for _, posting := range p.Postings {
			if !bookkeeping.Concerns(posting, own) {
				continue
			}
			from, to := bookkeeping.RowOf(posting.From, own), bookkeeping.RowOf(posting.To, own)
			line := AccountLine{Day: p.Day, Kind: p.Kind, Entry: p.Reference(), Memo: posting.Memo}
			if from == row {
				left := line
				left.Other, left.Credit = to, &posting.Amount
				lines = append(lines, left)
			}
			if to == row {
				line.Other, line.Debit = from, &posting.Amount
				lines = append(lines, line)
			}
		}
		return nil
	})
	if more = len(lines) > most; more {
		lines = lines[:most]
	}
	return of, lines, more, err
}
