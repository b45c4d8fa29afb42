package bookkeeping_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/bookkeeping"
	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const noon = tape.Instant(1_788_235_200_000) // 2026-09-01 12:00 in the zone

type closing struct {
	C     bookkeeping.CloseMonth
	State bookkeeping.State
	Ctx   tape.Context
}

type row struct {
	Change func(*closing)
	Want   string
}

func closed(month bookkeeping.Month) *bookkeeping.Close {
	return &bookkeeping.Close{V: 1, Organisation: "coop", Month: month, Zone: "+08:00", Sheet: party.Hash{1}, Through: bookkeeping.Through{Block: 7, Entry: "bank/before"}, Entry: "coop/close-1"}
}

// august closes the month before the day of the context; the books began in June, and July is closed.
func august() closing {
	return closing{bookkeeping.CloseMonth{Entries: 3, ID: "close-2", Late: 1, Month: "2026-08", Organisation: "coop", Sheet: party.Hash{2}, Through: bookkeeping.Through{Block: 9, Entry: "bank/last"},
		Totals: []bookkeeping.Total{{Currency: "CNY", Debit: 500, Credit: 500}, {Currency: "CNY", Memo: true, Debit: 7, Credit: 7}, {Currency: "VND", Debit: 1, Credit: 1}}},
		bookkeeping.State{Zone: "+08:00", Before: closed("2026-07"), Admitted: &tape.Entry{Organisation: "charity", ID: "founded", BusinessDate: "2026-06-30"},
			Through: &tape.Entry{Organisation: "bank", ID: "last", At: noon - 1}},
		tape.Context{Organisation: "coop", Role: "gateway", At: noon, Date: "2026-09-01", Rules: 1, Command: "c"}}
}

// TestCloseMonth: every refusal, and what stands where nothing is refused.
func TestCloseMonth(t *testing.T) {
	ruletest.Refusals(t, august, func(s closing) error { _, _, err := s.C.Apply(s.State, s.Ctx); return err }, []row{
		{func(s *closing) { s.C.Organisation = "欧阳" }, "invalid: field organisation: is not a name"},
		{func(s *closing) { s.C.Month = "2026-8" }, "invalid: field month: is not a month; write it as 2026-11"},
		{func(s *closing) { s.C.Month = "2026-13" }, "invalid: field month: is not a month"},
		{func(s *closing) { s.C.Through.Entry = "last" }, "invalid: field through.entry: is not an entry; write it as organisation/id"},
		{func(s *closing) { s.C.Through.Block = -1 }, "invalid: field through.block: -1 is no block"},
		{func(s *closing) { s.C.Sheet = party.Hash{} }, "invalid: field sheet: is empty: it is the hash of the trial balance"},
		{func(s *closing) { s.C.Entries = -1 }, "invalid: field entries: are -1, and 1 of them late"},
		{func(s *closing) { s.C.Late = 4 }, "invalid: field entries: are 3, and 4 of them late"},
		{func(s *closing) { s.C.Totals[0].Credit = 499 }, "conflict: field totals[0]: debits of 500 are not credits of 499: a month whose sums are not zero is not closed"},
		{func(s *closing) { s.C.Totals[0].Debit = -1 }, "invalid: field totals[0]: -1 and 500 are not sums"},
		{func(s *closing) { s.C.Totals[0].Currency = "欧阳" }, "invalid: field totals[0].currency: is no currency of the ledger"},
		{func(s *closing) { s.C.Totals[1].Memo = false }, "invalid: field totals[1]: stands out of order, or twice"},
		{func(s *closing) { s.C.Totals[2].Currency = "CNY" }, "invalid: field totals[2]: stands out of order, or twice"},
		{func(s *closing) { s.C.Totals = make([]bookkeeping.Total, 65) }, "invalid: field totals: are 65; 64 at most"},
		{func(s *closing) { s.Ctx.Organisation = "bank" }, "forbidden: field organisation: bank (role gateway) closes no books of coop; its own gateway does"},
		{func(s *closing) { s.Ctx.Role = "admin" }, "forbidden: field organisation: coop (role admin) closes no books of coop"},
		{func(s *closing) { s.State.Known = closed("2026-08") }, "exists: field month: 2026-08 is closed, by entry coop/close-1; what is to be corrected is booked in the open month"},
		{func(s *closing) { s.State.Admitted = nil }, "not-found: field month: coop is no member of the ledger"},
		{func(s *closing) { s.C.Month = "2026-05" }, "conflict: field month: lies before 2026-06, in which the books of coop begin"},
		{func(s *closing) { s.State.Before = nil }, "conflict: field month: months close in order; 2026-07 is not closed"},
		{func(s *closing) { s.Ctx.Date = "2026-08-31" }, "early: field month: 2026-08 ends with 2026-08-31; it is closed from the next day on"},
		{func(s *closing) { s.State.Through = nil }, "not-found: field through: there is no entry bank/last"},
		{func(s *closing) { s.State.Through.ID = "other" }, "not-found: field through: there is no entry bank/last"},
		{func(s *closing) { s.State.Through.At = noon + 1 }, "conflict: field through: entry bank/last is of 2026-09-01T04:00:00.001Z, behind this transaction"},
		{func(s *closing) { s.C.Through.Block = 6 }, "conflict: field through.block: 6 lies before block 7, until which the month before counts"},
	})
	s := august()
	got, entry, err := s.C.Apply(s.State, s.Ctx)
	if err != nil || entry.Kind != "close-month" || entry.Subject != "coop" || len(entry.Postings) > 0 {
		t.Fatalf("%+v, %v", entry, err)
	}
	body, err := canonical.Encode(s.State.Before)
	if err != nil || got.Previous == nil || *got.Previous != sha256.Sum256(body) || got.Zone != "+08:00" || got.Entry != "coop/close-2" || got.Entries != 3 {
		t.Errorf("%+v, %v", got, err)
	}
	s.State.Before, s.State.Admitted.BusinessDate = nil, "2026-08-15"
	if first, _, err := s.C.Apply(s.State, s.Ctx); err != nil || first.Previous != nil {
		t.Errorf("the first month: %+v, %v", first, err)
	}
}

const (
	coffee = tape.AccountID("coop:coop:coffee")
	bank   = tape.AccountID("lender:bank:coffee")
)

// posted is one entry on an invented ledger; its place is its row, from 1 on.
type posted struct {
	day      tape.Date
	from, to tape.AccountID
	units    int64
	memo     bool
}

var written = []posted{
	{"2026-07-30", "outside:bank:main", coffee, 1000, false},
	{"2026-07-31", coffee, "outside:household:" + tape.AccountID(tape.PseudonymFrom("invented 1")), 300, false},
	{"2026-08-01", bank, "outside:bank:main", 77, false}, // not of the cooperative
	{"2026-08-02", coffee, "outside:household:" + tape.AccountID(tape.PseudonymFrom("invented 2")), 200, false},
	{"2026-07-31", bank, coffee, 40, false}, // of July's last day, and came behind what July was closed by
	{"2026-08-31", "receivable:" + coffee, "interest:coop:due", 9, true},
	{"2026-09-01", coffee, bank, 5, false},
	{"2026-08-31", coffee, bank, 6, false}, // of August, behind an entry of September
}

// TestMonths: what a month holds is what its cut has, less what the cut before it
// had; nothing is in two months, and nothing in none.
func TestMonths(t *testing.T) {
	july, august := bookkeeping.Cut{Day: "2026-07-31", Place: 4}, bookkeeping.Cut{Day: "2026-08-31", Place: 7}
	for _, c := range []struct {
		what          string
		from          tape.Date
		before, until bookkeeping.Cut
		want          string
	}{
		{"July, closed through the fourth entry", "2026-07-01", bookkeeping.Cut{}, july,
			"2 entries, 0 late; CNY coop:coop:coffee 0 1000 300 700 of 1; CNY outside:bank:main 0 0 1000 -1000 of 1; CNY outside:household 0 300 0 300 of 1"},
		{"August, closed through the seventh", "2026-08-01", july, august,
			"3 entries, 1 late; CNY coop:coop:coffee 700 40 200 540 of 1; CNY others 0 0 40 -40 of 1; CNY outside:bank:main -1000 0 0 -1000 of 1; CNY outside:household 300 200 0 500 of 2; CNY memo others 0 9 0 9 of 1; CNY memo receivable:coop:coop:coffee 0 0 9 -9 of 1"},
		{"September, open", "2026-09-01", august, bookkeeping.Cut{Day: "2026-09-30"},
			"2 entries, 1 late; CNY coop:coop:coffee 540 0 11 529 of 1; CNY others -40 11 0 -29 of 1; CNY outside:bank:main -1000 0 0 -1000 of 1; CNY outside:household 500 0 0 500 of 2; CNY memo others 9 0 0 9 of 1; CNY memo receivable:coop:coop:coffee -9 0 0 -9 of 1"},
	} {
		sheet := reckoned(bookkeeping.Reckon("coop", map[tape.AccountID]bool{coffee: true}, c.from, c.before, c.until))
		got := []string{fmt.Sprintf("%d entries, %d late", sheet.Entries, sheet.Late)}
		for _, r := range sheet.Rows {
			memo := ""
			if r.Memo {
				memo = "memo "
			}
			got = append(got, fmt.Sprintf("%s %s%s %d %d %d %d of %d", r.Currency, memo, r.Account, r.Opening, r.Debit, r.Credit, r.Closing, r.Accounts))
		}
		if text := strings.Join(got, "; "); text != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.what, text, c.want)
		}
		for _, total := range sheet.Totals() {
			if total.Debit != total.Credit {
				t.Errorf("%s does not balance: %+v", c.what, total)
			}
		}
	}
}

func reckoned(r *bookkeeping.Reckoning) bookkeeping.Sheet {
	for i, p := range written {
		r.Add(p.day, int64(i+1), []tape.Posting{{From: p.from, To: p.to, Amount: money.New(p.units, "CNY"), Memo: p.memo}})
	}
	return r.Sheet()
}

// TestHash: the hash is that of the canonical sheet, and a unit on one account changes it.
func TestHash(t *testing.T) {
	sheet := reckoned(bookkeeping.Reckon("coop", map[tape.AccountID]bool{coffee: true}, "2026-07-01", bookkeeping.Cut{}, bookkeeping.Cut{Day: "2026-07-31", Place: 4}))
	before, err := sheet.Hash()
	if err != nil {
		t.Fatal(err)
	}
	sheet.Rows[0].Debit++
	if after, err := sheet.Hash(); err != nil || after == before {
		t.Errorf("%s, %v: the hash does not tell a sheet from another", after, err)
	}
}

// TestMonth: the days of months, leap years and the turn of the year.
func TestMonth(t *testing.T) {
	for _, c := range []struct {
		month bookkeeping.Month
		want  string
	}{
		{"2026-11", "2026-11-01 2026-11-30 2026-10 2026-12"},
		{"2026-12", "2026-12-01 2026-12-31 2026-11 2027-01"},
		{"2028-02", "2028-02-01 2028-02-29 2028-01 2028-03"},
		{"2026-01", "2026-01-01 2026-01-31 2025-12 2026-02"},
	} {
		if got := fmt.Sprint(c.month.First(), " ", c.month.Last(), " ", c.month.Before(), " ", c.month.After()); got != c.want || c.month.Check() != nil || bookkeeping.MonthOf(c.month.Last()) != c.month {
			t.Errorf("%s: %s, want %s", c.month, got, c.want)
		}
	}
}

// TestReadme: the specification names the key, the command, its entry and every kind of refusal.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{"| `month/<organisation>/<month>` | Close", "| `CloseMonth` |", "`close-month`"}
	for _, code := range []rule.Code{rule.Invalid, rule.Forbidden, rule.NotFound, rule.Exists, rule.Conflict, rule.Early} {
		lines = append(lines, "| `"+string(code)+"` |")
	}
	for _, line := range lines {
		if !strings.Contains(string(readme), line) {
			t.Errorf("README.md lacks %s", line)
		}
	}
	if bookkeeping.CloseKey("coop", "2026-11") != "month/coop/2026-11" {
		t.Error("README.md names another key")
	}
}
