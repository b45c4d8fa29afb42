package loan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestMeetings: loans of several households that meet within 30 days. Each
// purchase is "household group day supplier invoice place", a dash for nothing, an x for cancelled.
func TestMeetings(t *testing.T) {
	for _, c := range []struct {
		what, purchases string
		want            string
	}{
		{"nothing", "", ""},
		{"one household alone", "1 g1 01-05 s1 i1 p1; 1 g1 01-06 s1 i1 p1", ""},
		{"one invoice behind two households of two groups", "1 g1 01-05 s1 i1 p1; 2 g2 01-09 s2 i1 p2", "invoice i1 01-05..01-09 h1,h2 20.00"},
		{"one place", "1 g1 01-05 s1 i1 p1; 2 g2 01-09 s2 i2 p1", "place p1 01-05..01-09 h1,h2 20.00"},
		{"one supplier within a group", "1 g1 01-05 s1 i1 p1; 2 g1 01-09 s1 i2 p2", "payee s1 01-05..01-09 h1,h2 20.00"},
		{"one supplier of two groups says nothing", "1 g1 01-05 s1 i1 p1; 2 g2 01-09 s1 i2 p2", ""},
		{"30 days apart is within", "1 g1 01-01 s1 i1 p1; 2 g2 01-31 s2 i1 p2", "invoice i1 01-01..01-31 h1,h2 20.00"},
		{"31 days apart is not", "1 g1 01-01 s1 i1 p1; 2 g2 02-01 s2 i1 p2", ""},
		{"what was cancelled does not count", "1 g1 01-05 s1 i1 p1; 2 g2 01-09 s2 i1 p2 x", ""},
		{"what was not delivered has no invoice", "1 g1 01-05 s1 - -; 2 g2 01-09 s2 - -", ""},
		{"two windows of one place, each told once", "1 g1 01-01 s1 i1 p1; 2 g2 01-20 s2 i2 p1; 3 g3 02-10 s3 i3 p1; 3 g3 02-12 s3 i4 p1",
			"place p1 01-01..01-20 h1,h2 20.00; place p1 01-20..02-12 h2,h3 30.00"},
		{"in whatever order they come", "3 g3 01-09 s3 i1 p3; 1 g1 01-05 s1 i1 p1; 2 g2 01-07 s2 i1 p2", "invoice i1 01-05..01-09 h1,h2,h3 30.00"},
	} {
		var purchases []loan.Purchase
		for i, text := range strings.Split(c.purchases, "; ") {
			if f := strings.Fields(text); len(f) > 0 {
				known := func(word string) string { return strings.Trim(word, "-") }
				o := loan.Order{V: 1, ID: tape.ID(fmt.Sprint("o", i)), Loan: tape.ID("l" + f[0]), Supplier: tape.AccountID(f[3]), Amount: cny(1000), Invoice: known(f[4]), Place: known(f[5]), Date: tape.Date("2026-" + f[2]), State: loan.Delivered}
				if len(f) > 6 {
					o.State = loan.Cancelled
				}
				purchases = append(purchases, loan.Purchase{Order: o, Household: tape.AccountID("h" + f[0]), Group: tape.ID(f[1])})
			}
		}
		var got []string
		for _, m := range loan.Meetings(purchases, 30) {
			var households []string
			for _, h := range m.Households {
				households = append(households, string(h))
			}
			got = append(got, fmt.Sprintf("%s %s %s..%s %s %s", m.Kind, m.At, m.From[5:], m.To[5:], strings.Join(households, ","), strings.TrimSuffix(m.Amount.String(), " CNY")))
		}
		if text := strings.Join(got, "; "); text != c.want {
			t.Errorf("%s: got %s, want %s", c.what, text, c.want)
		}
	}
}
