package tape_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

func TestNames(t *testing.T) {
	long := strings.Repeat("a", 32)
	for _, c := range []struct {
		kind, text string
		want       bool
	}{
		{"id", "GIFT-7Q2F-31", true},
		{"id", "a", true},
		{"id", "0._-", true},
		{"id", strings.Repeat("a", 64), true},
		{"id", strings.Repeat("a", 65), false},
		{"id", "", false},
		{"id", "-a", false},
		{"id", "a/b", false},
		{"id", "a b", false},
		{"id", "a:b", false},
		{"id", "é", false},
		{"account", "charity:sunrise:books-2026", true},
		{"account", "household:pgeffbpmngpahicdmlihjhbmpljbeege:main:deposit", true},
		{"account", "outside:bank:sunrise", true},
		{"account", "outside:processor", true},
		{"account", "charity:" + long + ":" + long, true},
		{"account", "charity:" + long + "a:b", false},
		{"account", "charity:sunrise", false},
		{"account", "charity", false},
		{"account", "a:b:c:d:e", false},
		{"account", "Charity:sunrise:books", false},
		{"account", "charity::books", false},
		{"account", "charity:sun rise:books", false},
		{"account", "charity:sun/rise:books", false},
		{"account", "", false},
		{"posting", "bank/settle-1/0", true},
		{"posting", "bank/settle-1/2147483647", true},
		{"posting", "bank/settle-1/2147483648", false},
		{"posting", "bank/settle-1/01", false},
		{"posting", "bank/settle-1/-1", false},
		{"posting", "bank/settle-1", false},
		{"posting", "bank/settle 1/0", false},
		{"posting", "Bank/settle-1/0", false},
		{"posting", "bank/settle-1/0/0", false},
		{"posting", "", false},
		{"date", "2026-11-22", true},
		{"date", "2024-02-29", true},
		{"date", "2026-02-29", false},
		{"date", "2026-1-2", false},
		{"date", "2026-11-22T00:00:00Z", false},
		{"date", "", false},
		{"zone", "+08:00", true},
		{"zone", "+00:00", true},
		{"zone", "-03:30", true},
		{"zone", "-00:00", false},
		{"zone", "+8:00", false},
		{"zone", "Asia/Shanghai", false},
		{"zone", "Z", false},
		{"instant", "2026-11-22T09:57:00.123Z", true},
		{"instant", "2026-11-22T09:57:00Z", false},
		{"instant", "2026-11-22T09:57:00.1Z", false},
		{"instant", "2026-11-22T09:57:00.123+00:00", false},
		{"instant", "2026-02-30T09:57:00.123Z", false},
		{"span", "0..1", true},
		{"span", "500000..510000", true},
		{"span", "1..1", false},
		{"span", "2..1", false},
		{"span", "-1..1", false},
		{"span", "01..2", false},
		{"span", "+1..2", false},
		{"span", "0..9007199254740991", true},
		{"span", "0..9007199254740992", false},
		{"span", "0..1..2", false},
		{"span", "", false},
	} {
		var err error
		switch c.kind {
		case "id":
			err = tape.ID(c.text).Check()
		case "account":
			err = tape.AccountID(c.text).Check()
		case "posting":
			err = tape.CheckPosting(c.text)
		case "date":
			err = tape.Date(c.text).Check()
		case "zone":
			err = tape.Zone(c.text).Check()
		case "instant":
			err = new(tape.Instant).UnmarshalText([]byte(c.text))
		case "span":
			err = new(tape.Span).UnmarshalText([]byte(c.text))
		}
		if (err == nil) != c.want {
			t.Errorf("%s %q: %v", c.kind, c.text, err)
		}
	}
}

// TestDates compares what dates say with package time, for every day of four
// centuries, which is when the calendar begins anew, and what is no date.
func TestDates(t *testing.T) {
	first := time.Date(1890, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 146_097 {
		at := first.AddDate(0, 0, i)
		d := tape.Date(at.Format(time.DateOnly))
		if d.Check() != nil || !d.Civil().Equal(at) || tape.Date("1890-01-01").AddDays(i) != d || tape.Date("1890-01-01").DaysUntil(d) != i {
			t.Fatalf("%s is %v, %v", d, d.Civil(), d.Check())
		}
		after := d.AddMonths(i % 37).Civil()
		if whole := (after.Year()-at.Year())*12 + int(after.Month()-at.Month()); whole != i%37 || after.Day() != at.Day() && after.AddDate(0, 0, 1).Day() != 1 {
			t.Fatalf("%d months after %s is %v", i%37, d, after)
		}
	}
	for _, none := range []tape.Date{"", "2026-2-01", "2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-01-00", "2026-01-32", "2026/01/01", "+026-01-01", "2026-01-01 ", "２026-01-1"} {
		if _, err := time.Parse(time.DateOnly, string(none)); none.Check() == nil || err == nil {
			t.Errorf("%q is a date", none)
		}
	}
	if far := tape.Date("9999-12-31").AddDays(1); far.Check() == nil {
		t.Errorf("%s is a date", far)
	}
}

func TestBusinessDate(t *testing.T) {
	for _, c := range []struct {
		at   string
		zone tape.Zone
		want tape.Date
	}{
		{"2026-11-22T15:59:59.999Z", "+08:00", "2026-11-22"},
		{"2026-11-22T16:00:00.000Z", "+08:00", "2026-11-23"},
		{"2026-12-31T17:00:00.000Z", "+07:00", "2027-01-01"},
		{"2026-01-01T02:00:00.000Z", "-03:30", "2025-12-31"},
	} {
		var at tape.Instant
		if err := at.UnmarshalText([]byte(c.at)); err != nil {
			t.Fatal(err)
		}
		if got, err := c.zone.Date(at); got != c.want || err != nil {
			t.Errorf("%s in %s is %s, want %s: %v", c.at, c.zone, got, c.want, err)
		}
	}
}

func parse(t *testing.T, text string) tape.Spans {
	var spans tape.Spans
	for _, part := range strings.Fields(text) {
		var span tape.Span
		if err := span.UnmarshalText([]byte(part)); err != nil {
			t.Fatal(err)
		}
		spans = append(spans, span)
	}
	return spans
}

func show(spans tape.Spans, err error) string {
	if err != nil {
		return err.Error()
	}
	var parts []string
	for _, span := range spans {
		parts = append(parts, span.String())
	}
	return strings.Join(parts, " ")
}

func TestSpans(t *testing.T) {
	for _, c := range []struct{ do, list, with, want string }{
		{"add", "", "1..2", "1..2"},
		{"add", "1..2 5..6", "3..4", "1..2 3..4 5..6"},
		{"add", "1..2 5..6", "2..5", "1..6"},
		{"add", "1..3", "2..4", "conflict: span 2..4 overlaps 1..3"},
		{"add", "1..3", "1..3", "conflict: span 1..3 overlaps 1..3"},
		{"remove", "1..9", "3..4", "1..3 4..9"},
		{"remove", "1..9", "1..9", ""},
		{"remove", "1..9", "1..2", "2..9"},
		{"remove", "1..3 4..9", "2..5", "insufficient: span 2..5 is not free"},
		{"within", "1..3 5..9", "2..6", "2..3 5..6"},
		{"within", "1..3", "3..6", ""},
	} {
		list, with := parse(t, c.list), parse(t, c.with)[0]
		got := ""
		switch c.do {
		case "add":
			got = show(list.Add(with))
		case "remove":
			got = show(list.Remove(with))
		case "within":
			got = show(list.Within(with), nil)
		}
		if got != c.want {
			t.Errorf("%s %s %s = %q, want %q", c.list, c.do, c.with, got, c.want)
		}
	}
}

func TestSlice(t *testing.T) {
	list := parse(t, "10..12 5..9 20..30")
	for _, c := range []struct {
		from, to int64
		want     string
	}{
		{0, 16, "10..12 5..9 20..30"},
		{0, 1, "10..11"},
		{1, 3, "11..12 5..6"},
		{2, 6, "5..9"},
		{5, 7, "8..9 20..21"},
		{16, 16, ""},
		{0, 17, "insufficient: 1 minor units are missing"},
		{3, 2, "invalid: 3 to 2 is no part of a list of spans"},
		{-1, 2, "invalid: -1 to 2 is no part of a list of spans"},
	} {
		if got := show(list.Slice(c.from, c.to)); got != c.want {
			t.Errorf("units %d to %d: %q, want %q", c.from, c.to, got, c.want)
		}
	}
}

// TestSpansAgreeWithSets compares the arithmetic of spans with sets of units.
func TestSpansAgreeWithSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var list tape.Spans
		set := map[int64]bool{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			start := rapid.Int64Range(0, 60).Draw(t, "start")
			span := tape.Span{Start: start, End: start + rapid.Int64Range(1, 10).Draw(t, "length")}
			count := 0
			for i := span.Start; i < span.End; i++ {
				if set[i] {
					count++
				}
			}
			add := rapid.Bool().Draw(t, "add")
			var next tape.Spans
			var err error
			if add {
				next, err = list.Add(span)
			} else {
				next, err = list.Remove(span)
			}
			if possible := add && count == 0 || !add && int64(count) == span.Length(); (err == nil) != possible {
				t.Fatalf("%v with %s, add %t: %v", list, span, add, err)
			}
			if err != nil {
				continue
			}
			list = next
			for i := span.Start; i < span.End; i++ {
				set[i] = add
			}
			for i := int64(0); i < 80; i++ {
				if inside := len(list.Within(tape.Span{Start: i, End: i + 1})) == 1; inside != set[i] {
					t.Fatalf("%v: unit %d is %t, want %t", list, i, inside, set[i])
				}
			}
		}
	})
}

// FuzzNames: whatever is read prints back as it was written.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"0..1", "500000..510000", "2026-11-22T09:57:00.123Z", "+08:00", "charity:sunrise:books", "GIFT-7Q2F-31", "2026-11-22"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var span tape.Span
		if span.UnmarshalText([]byte(text)) == nil && span.String() != text {
			t.Errorf("span %q prints back as %q", text, span)
		}
		var at tape.Instant
		if at.UnmarshalText([]byte(text)) == nil && at.String() != text {
			t.Errorf("instant %q prints back as %q", text, at)
		}
		if tape.Zone(text).Check() == nil {
			if _, err := tape.Zone(text).Date(0); err != nil {
				t.Errorf("zone %q passes and gives no date: %v", text, err)
			}
		}
		if tape.AccountID(text).Check() == nil && strings.ContainsAny(text, "/\x00 ") {
			t.Errorf("account %q would be two keys", text)
		}
		if tape.ID(text).Check() == nil && strings.ContainsAny(text, "/\x00: ") {
			t.Errorf("id %q would be two keys", text)
		}
	})
}

// FuzzProofs: a proof that can be read prints back, and judging it never crashes.
func FuzzProofs(f *testing.F) {
	gifts := fullPage(3).Gifts
	proof, err := tape.NewGiftProof("page-1", gifts, 1)
	if err != nil {
		f.Fatal(err)
	}
	seed, err := canonical.Encode(tape.Refund{Account: "charity:a:b", Gift: proof, ID: "r", To: "outside:bank:a"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	root, _, _, err := tape.GiftsBody(gifts)
	if err != nil {
		f.Fatal(err)
	}
	account := tape.Account{ID: "charity:a:b", Currency: "CNY", Organisation: "charity", Custodian: "outside:bank:a"}
	place := tape.SettledGift{Page: tape.Page{ID: "page-1", Root: root, Count: 3, Total: fullPage(3).Total},
		Settlement: &tape.Settlement{Span: tape.Span{Start: 0, End: 600}}}
	head := tape.Head{V: 1, Account: account.ID, Received: 600}
	ctx := tape.Context{Organisation: "charity", Role: "gateway", At: -tape.Day}
	f.Fuzz(func(t *testing.T, argument []byte) {
		var c tape.Refund
		if canonical.Decode(argument, &c) != nil {
			return
		}
		if again, err := canonical.Encode(c); err != nil || string(again) != string(argument) {
			t.Errorf("%q prints back as %q, %v", argument, again, err)
		}
		after, hold, _, entry, err := head.Refund(account, c, place, ctx)
		if err != nil {
			return
		}
		if err := tape.Conserved([]tape.Keeper{head}, []tape.Keeper{after, hold}, nil, entry); err != nil {
			t.Error(err)
		}
	})
}

// TestHoldName: what a chunk's holds are called no other hold is, and nothing else is forbidden.
func TestHoldName(t *testing.T) {
	for id, allowed := range map[tape.ID]bool{
		"refund-1": true, "a.b": true, "1.2": true, "2024.10.x": true, "x.1.2b": true, "x.1.": true, "x.1": true, "x-1-2": true,
		"x.1.2": false, "2024.10.02": false, "a.b.003.4": false, tape.ChunkHold("job", 49, 199): false, tape.ChunkHold("a.1", 0, 0): false,
	} {
		order := tape.OrderHolds{Account: "charity:a", ID: "order", Holds: []tape.HoldOrder{{Amount: money.New(1, "CNY"), Hold: id, To: "outside:bank:payee"}}}
		if _, err := order.Total("CNY"); (err == nil) != allowed {
			t.Errorf("a hold called %s: %v, allowed: %v", id, err, allowed)
		}
	}
}
