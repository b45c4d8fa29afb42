package disclosure

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

const zone = tape.Zone("+08:00")

// midnight is the first moment of a day in the zone.
func midnight(t *testing.T, day tape.Date) tape.Instant {
	t.Helper()
	var at tape.Instant
	if err := at.UnmarshalText([]byte(string(day) + "T00:00:00.000Z")); err != nil {
		t.Fatal(err)
	}
	return at - 8*tape.Hour
}

// TestPublishingAsAsked: whoever does nothing but what the clock shows, by the
// button that names no days, meets every duty of the law in time, and the clock
// then asks for nothing more.
func TestPublishingAsAsked(t *testing.T) {
	for _, c := range []struct {
		name                   string
		plan                   fund.Plan
		closed, spent, silence tape.Date // closed; without money since; nothing is published before
		want                   string    // duty from to, of each publication
	}{
		{name: "two years", plan: fund.Plan{From: "2026-03-10", To: "2027-02-28"}, closed: "2027-03-31", spent: "2027-03-31",
			want: "progress 2026-03-10 2026-06-10, progress 2026-06-11 2026-09-10, progress 2026-09-11 2026-12-10, progress 2026-12-11 2027-03-10, final 2026-03-10 2027-02-28, remainder 2027-02-28 2027-05-28, annual 2026-03-10 2026-12-31, annual 2027-01-01 2027-03-31"},
		{name: "short", plan: fund.Plan{From: "2026-01-01", To: "2026-03-31"}, closed: "2026-04-01", spent: "2026-03-30",
			want: "final 2026-01-01 2026-03-31, annual 2026-01-01 2026-04-01"},
		{name: "an emergency", plan: fund.Plan{From: "2026-12-28", To: "2027-01-05", Emergency: true}, closed: "2027-02-01", spent: "2027-02-01",
			want: "emergency 2026-12-28 2027-01-02, final 2026-12-28 2027-01-05, remainder 2027-01-05 2027-04-05, annual 2026-12-28 2026-12-31, annual 2027-01-01 2027-02-01"},
		{name: "money that stays", plan: fund.Plan{From: "2026-01-01", To: "2026-06-30"}, closed: "2027-01-10", spent: "2027-01-10",
			want: "progress 2026-07-01 2026-09-30, final 2026-01-01 2026-06-30, remainder 2026-06-30 2026-09-30, progress 2026-10-01 2026-12-30, annual 2026-01-01 2026-12-31, annual 2027-01-01 2027-01-10"},
		{name: "a year late", plan: fund.Plan{From: "2026-01-01", To: "2026-12-31"}, closed: "2027-01-01", spent: "2026-12-30", silence: "2028-01-01",
			want: "progress 2026-01-01 2028-01-01, final 2026-01-01 2026-12-31, annual 2026-01-01 2026-12-31, annual 2027-01-01 2027-01-01"},
	} {
		c.plan.Goal.Currency = "CNY"
		sheet := Sheet{Campaign: readmodel.Campaign{Campaign: fund.Campaign{Account: "charity:sunrise:speech", Basis: fund.Filing, State: fund.Active, Plan: c.plan, Submitted: "2025-01-01", Numbered: c.plan.From}}}
		var did []string
		for sheet.Today = c.plan.From; sheet.Today < "2029-01-01"; sheet.Today = sheet.Today.AddDays(1) {
			if sheet.Today == c.closed {
				sheet.Campaign.State, sheet.Campaign.Closed = fund.Closed, midnight(t, c.closed)
			}
			for again := true; again; {
				again = false
				sheet.Clock = nil
				facts := fund.Facts{Published: sheet.Published, Until: min(sheet.Today, c.spent)}
				if err := sheet.clock(zone, facts); err != nil {
					t.Fatal(err)
				}
				for _, due := range sheet.Clock {
					if c.silence == "" && (due.State == fund.Overdue || due.State == fund.Late) {
						t.Fatalf("%s: %s, %+v; published %q", c.name, sheet.Today, due, did)
					}
					// On the last day, the one that the button of the page names.
					again = again || due.Days <= 0 && due.State != fund.Met && due.State != fund.Late && sheet.Today >= c.silence
				}
				if !again {
					break
				}
				ask := Ask{Account: "charity:sunrise:speech"}
				if err := ask.complete(sheet); err != nil {
					t.Fatalf("%s: %s: %v", c.name, sheet.Today, err)
				}
				sheet.Published = append(sheet.Published, fund.Publication{N: int32(len(sheet.Published) + 1), Duty: ask.Duty, From: ask.From, To: ask.To, Date: sheet.Today})
				if did = append(did, fmt.Sprintf("%s %s %s", ask.Duty, ask.From, ask.To)); len(did) > 20 {
					t.Fatalf("%s: %s: it never ends: %q", c.name, sheet.Today, did)
				}
			}
		}
		if got := strings.Join(did, ", "); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
		for _, due := range sheet.Clock {
			if due.State != fund.Met && due.State != fund.Late {
				t.Errorf("%s: in the end %+v", c.name, due)
			}
		}
	}
}

// TestDutiesThatWait: what cannot be published whole today is refused by name.
func TestDutiesThatWait(t *testing.T) {
	c := fund.Campaign{Account: "charity:sunrise:speech", Basis: fund.Filing, State: fund.Active, Plan: fund.Plan{From: "2026-01-01", To: "2026-12-31"}, Submitted: "2025-01-01"}
	sheet := Sheet{Campaign: readmodel.Campaign{Campaign: c}, Today: "2026-05-01", Published: []fund.Publication{{N: 1, Duty: "progress", From: "2026-01-01", To: "2026-03-31", Date: "2026-04-01"}}}
	if err := sheet.clock(zone, fund.Facts{Published: sheet.Published}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ask  Ask
		want string
	}{
		{Ask{}, "progress 2026-04-01 2026-05-01 <nil>"}, // the annual report of a year that runs is not next
		{Ask{Duty: "progress"}, "progress 2026-04-01 2026-05-01 <nil>"},
		{Ask{Duty: "other"}, "other 2026-04-01 2026-05-01 <nil>"},
		{Ask{Duty: "emergency"}, "emergency 2026-04-01 2026-05-01 <nil>"},
		{Ask{Duty: "progress", From: "2026-01-01", To: "2026-04-30"}, "progress 2026-01-01 2026-04-30 <nil>"},
		{Ask{Duty: "annual"}, "annual   early: field duty: annual covers 2026-01-01 to 2026-12-31; it can be published from 2027-01-01"},
		{Ask{Duty: "annual", To: "2026-04-30"}, "annual 2026-01-01 2026-04-30 <nil>"},
		{Ask{Duty: "final"}, "final   wrong-state: field duty: the law asks charity:sunrise:speech for no publication final on 2026-05-01; give its days, or publish as other"},
		{Ask{Duty: "progress", To: "2026-02-30"}, `progress 2026-02-30 2026-02-30 invalid: is not a date; write it as 2026-11-22`},
	} {
		err := c.ask.complete(sheet)
		if got := fmt.Sprintf("%s %s %s %v", c.ask.Duty, c.ask.From, c.ask.To, err); got != c.want {
			t.Errorf("got %s\nwant %s", got, c.want)
		}
	}
}

func TestShelf(t *testing.T) {
	shelf := Shelf{t.TempDir()}
	hash, err := shelf.Put([]byte(`{"v":1}`))
	if err != nil || hash != sha256.Sum256([]byte(`{"v":1}`)) {
		t.Fatalf("%s, %v", hash, err)
	}
	if again, err := shelf.Put([]byte(`{"v":1}`)); err != nil || again != hash {
		t.Errorf("kept again as %s: %v", again, err)
	}
	if text, err := shelf.Get(hash); err != nil || string(text) != `{"v":1}` {
		t.Errorf("read %q, %v", text, err)
	}
	if _, err := shelf.Get(merkle.Hash{1}); !rule.Is(err, rule.NotFound) {
		t.Errorf("a document that nobody put: %v", err)
	}
	if err := os.WriteFile(shelf.path(hash), []byte(`{"v":2}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := shelf.Get(hash); !rule.Is(err, rule.Conflict) {
		t.Errorf("a changed document: %v", err)
	}
	files, err := os.ReadDir(shelf.Folder)
	if err != nil || len(files) != 1 {
		t.Errorf("%d files are left: %v", len(files), err)
	}
}
