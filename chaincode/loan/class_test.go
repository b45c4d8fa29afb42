package loan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/tape"
)

func TestClasses(t *testing.T) {
	for _, c := range []struct {
		day         tape.Date
		daysPastDue int32
		observed    bool
		want        string
		performs    bool
	}{
		{"2026-01-01", 0, false, "standard", true},
		{"2026-01-01", 1, false, "special-mention", true},
		{"2026-01-01", 90, false, "special-mention", true},
		{"2026-01-01", 91, false, "substandard", false},
		{"2026-01-01", 270, false, "substandard", false},
		{"2026-01-01", 271, false, "doubtful", false},
		{"2026-01-01", 360, false, "doubtful", false},
		{"2026-01-01", 361, false, "loss", false},
		{"2026-01-01", 0, true, "special-mention", true},
		{"2026-01-01", 90, true, "special-mention", true},
		{"2026-01-01", 91, true, "substandard", false},
		{"2026-01-01", 361, true, "loss", false},
		// The version before, until its last day.
		{"2023-06-30", 180, false, "substandard", false},
		{"2023-06-30", 181, false, "doubtful", false},
		{"2023-06-30", 270, false, "doubtful", false},
		{"2023-07-01", 181, false, "substandard", false},
		{"2007-07-03", 361, false, "loss", false},
	} {
		classes := must2(loan.ClassesOn(c.day))(t)
		if got := classes.Class(c.daysPastDue, c.observed); got != c.want || classes.Performs(got) != c.performs {
			t.Errorf("%s, %d days, observed %v: %s, performs %v, want %s", c.day, c.daysPastDue, c.observed, got, classes.Performs(got), c.want)
		}
	}
	if _, err := loan.ClassesOn("2007-07-02"); fmt.Sprint(err) != "unsupported: no classification of loans is known for 2007-07-02" {
		t.Errorf("a day before all versions: %v", err)
	}
}

// TestObserved: a loan whose terms were changed is at risk until its observation ends, paid on time or not.
func TestObserved(t *testing.T) {
	l := running(t)
	l.Restructured = []loan.Restructured{{Date: "2026-01-10", Observed: "2027-01-10"}}
	l.Book.Advances[0].Date = "2026-01-10"
	for day, want := range map[tape.Date]bool{"2026-01-10": true, "2027-01-10": true, "2027-01-11": false} {
		if got := must2(l.Position(day))(t).Observed; got != want {
			t.Errorf("on %s observed: %v", day, got)
		}
	}
}

func TestReadClasses(t *testing.T) {
	const good = `{"id":"x","inForce":"2030-01-01","sources":["s"],"classes":[{"class":"good","moreThanDays":-1},{"class":"bad","moreThanDays":0}],"restructuredAtLeast":"bad","nonPerforming":["bad"],"observationDays":1}`
	if err := loan.ReadClasses(good); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`{"id"`, `{"name":1,"id"`, `json: unknown field "name"`},
		{`:1}`, `:1}{}`, "invalid: there is text behind the classes"},
		{`2030-01-01`, `2030`, "invalid: field inForce: is not a date"},
		{`:-1`, `:0`, "invalid: there is no class for a loan that is not past due, or no observation"},
		{`"observationDays":1`, `"observationDays":0`, "invalid: there is no class for a loan that is not past due, or no observation"},
		{`[{"class":"good","moreThanDays":-1},{"class":"bad","moreThanDays":0}]`, `[]`, "invalid: there is no class for a loan that is not past due"},
		{`:-1},`, `:-1},{"class":"worse","moreThanDays":5},`, "invalid: the days of bad do not rise"},
		{`"bad","moreThanDays"`, `"good","moreThanDays"`, "invalid: good stands twice"},
		{`"restructuredAtLeast":"bad"`, `"restructuredAtLeast":"fair"`, `invalid: "fair" is no class`},
		{`"nonPerforming":["bad"]`, `"nonPerforming":["ugly"]`, `invalid: "ugly" is no class`},
	} {
		if !strings.Contains(good, c.old) {
			t.Fatalf("nothing to change: %s", c.old)
		}
		if err := loan.ReadClasses(strings.Replace(good, c.old, c.new, 1)); !strings.HasPrefix(fmt.Sprint(err), c.want) {
			t.Errorf("%s in place of %s: %v", c.new, c.old, err)
		}
	}
}

// TestPortfolio: PAR is outstanding principal of whole loans (CGAP, Sa-Dhan), not
// what is overdue of them and not their number; a renegotiated loan counts from the
// first day; what was written off is beside it.
func TestPortfolio(t *testing.T) {
	positions := []loan.Position{
		{Principal: 500_000},                                         // paid as agreed
		{Principal: 200_000, DaysPastDue: 30},                        // exactly 30 is not more than 30
		{Principal: 100_000, DaysPastDue: 31},                        // however little of it is overdue
		{Principal: 100_000, DaysPastDue: 91},                        //
		{Principal: 60_000, Observed: true},                          // renegotiated, and paid on time since
		{Principal: 40_000, DaysPastDue: 95, Observed: true},         // counts once
		{Principal: 70_000, WrittenOff: 70_000, DaysPastDue: 400},    // in neither sum
		{Principal: 0, DaysPastDue: 40},                              // owes interest alone
		{Principal: 300_000, WrittenOff: 300_000, DaysPastDue: 1000}, // in neither sum
	}
	p := must2(loan.ClassesOn(today))(t).Reckon("CNY", positions, 30, 90)
	if p.Gross != 1_000_000 || p.WrittenOff != 370_000 || p.NonPerforming != 140_000 {
		t.Errorf("gross %d, written off %d, non-performing %d", p.Gross, p.WrittenOff, p.NonPerforming)
	}
	if fmt.Sprint(p.AtRisk) != "[{30 300000 300000} {90 200000 200000}]" {
		t.Errorf("at risk %v", p.AtRisk)
	}
	if fmt.Sprint(p.ByClass) != "[{standard 1 500000} {special-mention 3 360000} {substandard 2 140000} {doubtful 0 0} {loss 0 0}]" {
		t.Errorf("by class %v", p.ByClass)
	}
	if p := must2(loan.ClassesOn(today))(t).Reckon("CNY", nil, 30); p.Gross != 0 || p.AtRisk[0].PartsPerMillion != 0 {
		t.Errorf("of nothing: %+v", p)
	}
}
