package cooperative_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/bookkeeping"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/cooperative"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// moves writes an entry of a day that moves units from one account to another, in a block of its own.
func (b *books) moves(id tape.ID, day tape.Date, from, to tape.AccountID, units int64) {
	b.Helper()
	b.entry(tape.Entry{ID: id, Kind: "move", BusinessDate: day, Postings: []tape.Posting{{From: from, To: to, Amount: cny(units)}}})
	b.block()
}

// closes writes the close of a month as it is reckoned now, changed where a change is given.
func (b *books) closes(month bookkeeping.Month, day tape.Date, change func(*bookkeeping.Close)) {
	b.Helper()
	reckoned, err := cooperative.MonthOf(b.Context(), b.model, "coop", month, day)
	if err != nil {
		b.Fatal(err)
	}
	c := reckoned.Command("close-" + tape.ID(month))
	entry := b.entry(tape.Entry{ID: c.ID, Kind: "close-month", Subject: "coop", BusinessDate: day})
	closed := bookkeeping.Close{V: 1, Organisation: "coop", Month: month, Zone: "+08:00", Sheet: c.Sheet, Totals: c.Totals, Entries: c.Entries, Late: c.Late, Through: c.Through, Entry: entry.Reference()}
	if before, err := readmodel.RecordOf[bookkeeping.Close](b.Context(), b.model, bookkeeping.CloseKey("coop", month.Before())); err == nil {
		previous, _ := before.Hash()
		closed.Previous = &previous
	}
	if change != nil {
		change(&closed)
	}
	b.put(bookkeeping.CloseKey("coop", month), closed)
	b.block()
}

// TestMonths: a closed month shows what was closed, whatever is written later; what
// comes after it is an adjustment of the next, and a figure that is not what was closed is told.
func TestMonths(t *testing.T) {
	b := newBooks(t)
	b.put(party.LedgerKey(), party.Ledger{V: 1, Zone: "+08:00"})
	b.put(party.OrganisationKey("coop"), party.Organisation{V: 1, Name: "coop", Entry: "coop/found"})
	b.put(tape.AccountKey(coffee), tape.Account{V: 1, ID: coffee, Attribution: tape.FIFO, Currency: "CNY", Organisation: "coop"})
	b.entry(tape.Entry{ID: "found", Kind: "found", BusinessDate: "2025-11-20"})
	b.block()
	const main = tape.AccountID("outside:bank:main")
	b.moves("e1", "2025-11-30", main, coffee, 1_000)
	b.moves("e2", "2025-12-01", coffee, "outside:household:"+tape.AccountID(pseudonym(1)), 300)
	b.closes("2025-11", "2025-12-02", nil)
	b.moves("late", "2025-11-30", main, coffee, 50)
	l := lent("l1", household(0), 120_000, "2025-11-03", flat(12), paid(700, "2025-11-29", "coop/e3"))
	b.put(l.Reference(), l)
	b.moves("e3", "2025-12-03", main, coffee, 700)
	b.closes("2025-12", "2026-01-01", nil)
	b.moves("e4", "2026-01-01", coffee, main, 10)
	for _, c := range []struct {
		month bookkeeping.Month
		want  string
	}{
		{"2025-11", "closed, 1 entries, 0 late, through coop/e2, agrees true: coop:coop:coffee 0.00 10.00 0.00 10.00; outside:bank:main 0.00 0.00 10.00 -10.00"},
		{"2025-12", "closed, 3 entries, 1 late, through coop/e3, agrees true: coop:coop:coffee 10.00 7.50 3.00 14.50; outside:bank:main -10.00 0.00 7.50 -17.50; outside:household 0.00 3.00 0.00 3.00" +
			"; coop/late of 2025-11-30 as of 2025-11-30 (late); coop/e3 of 2025-12-03 as of 2025-11-29 (payment)"},
		{"2026-01", "runs, 1 entries, 0 late, through coop/e4, agrees false: coop:coop:coffee 14.50 0.00 0.10 14.40; outside:bank:main -17.50 0.10 0.00 -17.40; outside:household 3.00 0.00 0.00 3.00"},
	} {
		if got := monthText(t, b, c.month); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.month, got, c.want)
		}
	}
	// A period is reckoned as its months were closed: the late entry is not in November.
	balance, err := cooperative.TrialBalanceOf(t.Context(), b.model, "coop", "2025-11-01", "2025-11-30")
	if err != nil || len(balance.Rows) != 2 || balance.Rows[0].Debit != cny(1_000) {
		t.Errorf("%+v, %v", balance, err)
	}
	if _, err := cooperative.MonthOf(t.Context(), b.model, "coop", "2026-02", today); !rule.Is(err, rule.NotFound) {
		t.Errorf("a month to come: %v", err)
	}
	months, err := cooperative.Months(t.Context(), b.model, "coop", "2026-03-01")
	if got := strings.TrimSpace(fmt.Sprintln(months[0].Month, months[0].State, months[0].Next, months[1].State, months[2].State, months[2].Next, months[4].State)); err != nil || got != "2026-03 runs false open open true closed" {
		t.Errorf("%s, %v", got, err)
	}
}

// TestMonthsThatDiffer: what was closed and is not what the entries give.
func TestMonthsThatDiffer(t *testing.T) {
	b := newBooks(t)
	b.put(party.LedgerKey(), party.Ledger{V: 1, Zone: "+08:00"})
	b.put(party.OrganisationKey("coop"), party.Organisation{V: 1, Name: "coop", Entry: "coop/found"})
	b.put(tape.AccountKey(coffee), tape.Account{V: 1, ID: coffee, Attribution: tape.FIFO, Currency: "CNY", Organisation: "coop"})
	b.entry(tape.Entry{ID: "found", Kind: "found", BusinessDate: "2025-12-20"})
	b.block()
	b.moves("e1", "2025-12-30", "outside:bank:main", coffee, 1_000)
	b.closes("2025-12", today, func(c *bookkeeping.Close) {
		c.Sheet, c.Entries, c.Totals[0].Debit, c.Previous = party.Hash{1}, 2, 999, &party.Hash{2}
	})
	month, err := cooperative.MonthOf(t.Context(), b.model, "coop", "2025-12", today)
	var got []string
	for _, d := range month.Differences {
		got = append(got, d.What)
	}
	if text := strings.Join(got, " "); err != nil || month.Agrees || text != "sheet entries totals previous" {
		t.Errorf("%s, %v", text, err)
	}
}

func monthText(t *testing.T, b *books, month bookkeeping.Month) string {
	t.Helper()
	m, err := cooperative.MonthOf(t.Context(), b.model, "coop", month, today)
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for _, r := range m.Balance.Rows {
		parts = append(parts, strings.ReplaceAll(fmt.Sprint(r.Account, " ", r.Opening, " ", r.Debit, " ", r.Credit, " ", r.Closing), " CNY", ""))
	}
	for _, a := range m.Adjustments {
		parts = append(parts, fmt.Sprintf("%s of %s as of %s (%s)", a.Entry, a.Booked, a.As, a.Why))
	}
	return fmt.Sprintf("%s, %d entries, %d late, through %s, agrees %t: %s", m.State, m.Entries, m.Late, m.Through.Entry, m.Agrees, strings.Join(parts, "; "))
}
