package terms_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestPublishedEuropeanRates: the Commission's examples and others, to the
// decimals that are published: 6.4 and 6.434412 are one rate.
func TestPublishedEuropeanRates(t *testing.T) {
	for _, c := range read[[]struct {
		ID, Source         string
		Advances, Payments []terms.Flow
		Counting           terms.Counting
		YearDays           string
		Want               []terms.Percent
		// Published differs from what is wanted where the Commission's own solver
		// had stopped before the last digits were right.
		Published string
	}](t, "european.json") {
		rate, err := terms.EuropeanRate(c.Advances, c.Payments, c.Counting, c.YearDays)
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
			continue
		}
		for _, want := range c.Want {
			_, decimals, _ := strings.Cut(string(want), ".")
			if got := rate.Percent(len(decimals)); got != want {
				t.Errorf("%s (%s): %s, want %s", c.ID, c.Source, got, want)
			}
		}
		if c.Published != "" {
			checkNear(t, c.ID, c.Published, c.Want[len(c.Want)-1], c.Advances, c.Payments)
		}
	}
}

// checkNear reckons, in floats and by the bare formula, what a rate leaves
// between what is lent and what is paid: little at the published rate, and less at ours.
func checkNear(t *testing.T, id, published string, ours terms.Percent, advances, payments []terms.Flow) {
	left := func(percent string) float64 {
		x, err := strconv.ParseFloat(percent, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for i, f := range append(append([]terms.Flow(nil), advances...), payments...) {
			years, _ := strconv.ParseFloat(f.At.Years, 64)
			for n := range max(1, f.Count) {
				value := float64(f.Amount.Units) * math.Pow(1+x/100, -years-float64(f.At.Months+n*f.Every.Months)/12)
				if i >= len(advances) {
					value = -value
				}
				sum += value
			}
		}
		return math.Abs(sum)
	}
	if theirs, own := left(published), left(string(ours)); theirs > 1 || own >= theirs {
		t.Errorf("%s: %s leaves %f minor units, %s %f", id, published, theirs, ours, own)
	}
}

// TestPublishedActuarialRates: Appendix J's examples and others, with the
// unit-period that follows from the dates.
func TestPublishedActuarialRates(t *testing.T) {
	for _, c := range read[[]struct {
		ID, Source         string
		Advances, Payments []terms.Flow
		Unit               terms.UnitPeriod
		Want               terms.Percent
	}](t, "actuarial.json") {
		rate, unit, err := terms.UnitedStatesRate(c.Advances, c.Payments, terms.UnitPeriod{})
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
		} else if got := rate.Percent(2); got != c.Want || unit != c.Unit {
			t.Errorf("%s (%s): %s by %+v, want %s by %+v", c.ID, c.Source, got, unit, c.Want, c.Unit)
		}
	}
}

// TestRateRefusals: each row changes one thing in flows that have a rate.
func TestRateRefusals(t *testing.T) {
	type question struct {
		advances, payments []terms.Flow
		counting           terms.Counting
		yearDays           string
		unit               terms.UnitPeriod
		american           bool
	}
	on := func(units int64, day tape.Date) terms.Flow {
		return terms.Flow{Amount: cny(units), At: terms.Moment{Date: day}}
	}
	for _, c := range []struct {
		change func(*question)
		want   string
	}{
		{func(q *question) { q.advances = nil }, "invalid: field advances: is empty"},
		{func(q *question) { q.payments = nil }, "invalid: field payments: is empty"},
		{func(q *question) { q.payments[0].Amount = cny(0) }, "invalid: field payments[0].amount: 0.00 CNY is not more than zero"},
		{func(q *question) { q.payments[0].Amount = money.New(1, "USD") }, "invalid: field payments[0].amount: 0.01 USD is not in CNY, the currency of the account"},
		{func(q *question) { q.advances[0].Amount.Currency = "XXX" }, "invalid: field advances[0].amount: is not a currency of ISO 4217"},
		{func(q *question) { q.advances[0].Amount.Units = money.Max }, "invalid: field advances[0].amount: is larger than 45035996273.70 CNY"},
		{func(q *question) { q.payments[0].Amount = cny(999) }, "invalid: field payments: come to less than what was lent, so that no rate of 0 or more explains them"},
		{func(q *question) { q.payments[0].At = terms.Moment{Days: 3} }, "invalid: field payments[0].at: is a date for all amounts or for none"},
		{func(q *question) { q.payments[0].At.Days = 3 }, "invalid: field payments[0].at: has other times beside its date"},
		{func(q *question) { q.payments[0].At.Date = "2026-02-29" }, "invalid: field payments[0].at.date: is not a date; write it as 2026-11-22"},
		{func(q *question) { q.advances[0].At, q.payments[0].At = terms.Moment{}, terms.Moment{Days: 44_001} }, "invalid: field payments[0].at: is more than 44000 days away"},
		{func(q *question) { q.advances[0].At, q.payments[0].At = terms.Moment{}, terms.Moment{Years: "1e3"} }, "invalid: field payments[0].at.years: is not a decimal or a fraction; write it as 0.5 or 7/12"},
		{func(q *question) { q.advances[0].At, q.payments[0].At = terms.Moment{}, terms.Moment{Years: "1/0"} }, "invalid: field payments[0].at.years: is not a decimal or a fraction; write it as 0.5 or 7/12"},
		{func(q *question) {
			q.advances[0].At, q.payments[0].At = terms.Moment{}, terms.Moment{Years: "0.5/3"}
		}, "invalid: field payments[0].at.years: is not a decimal or a fraction; write it as 0.5 or 7/12"},
		{func(q *question) { q.advances[0].At, q.payments[0].At = terms.Moment{}, terms.Moment{Years: "121"} }, "invalid: field payments[0].at.years: is more than 120"},
		{func(q *question) { q.payments[0].Count = 2001 }, "invalid: field payments[0].count: is not 0 to 2000"},
		{func(q *question) { q.payments[0].Count = 2 }, "invalid: field payments[0].every: needs exactly one of months, weeks, days"},
		{func(q *question) { q.payments[0].Every.Months = 1 }, "invalid: field payments[0].every: is for amounts that are paid several times"},
		{func(q *question) { q.payments[0].Count, q.payments[0].Every.Months = 1500, 1 }, "invalid: field payments[0].count: with its interval comes to more than 44000 days"},
		{func(q *question) {
			q.payments[0].Count, q.payments[0].Every.Days = 1900, 1
			q.payments = append(q.payments, q.payments[0])
		}, "invalid: there are 3801 amounts, 2000 at most"},
		{func(q *question) { q.counting = "fortnights" }, "invalid: field counting: is not one of months, weeks, days"},
		{func(q *question) { q.yearDays = "360" }, "invalid: field yearDays: is not one of 365, 365.25, 366"},
		{func(q *question) { q.payments[0] = on(1001, "2026-01-01") }, "invalid: no rate from 0 to 100000000000 % explains what is lent and paid"},
		{func(q *question) {
			q.american, q.payments[0] = true, on(1001, "2026-01-01")
			q.payments = append(q.payments, on(1, "2026-02-01"))
		}, "invalid: no rate from 0 to 100000000000 % explains what is lent and paid"},
		{func(q *question) { q.american, q.unit = true, terms.UnitPeriod{Days: 1, Weeks: 1} }, "invalid: field unitPeriod: needs exactly one of months, weeks, days, semimonths, term"},
		{func(q *question) { q.american, q.unit = true, terms.UnitPeriod{Months: 13} }, "invalid: field unitPeriod: is longer than a year, or negative"},
		{func(q *question) {
			q.american, q.unit = true, terms.UnitPeriod{Term: true}
			q.payments = append(q.payments, on(1, "2026-03-01"))
		}, "invalid: field unitPeriod: is the term only for one advance and one payment at another time"},
		{func(q *question) {
			q.american, q.advances[0].At, q.payments[0].At = true, terms.Moment{}, terms.Moment{Months: 1}
		}, "invalid: field advances: need dates for the actuarial method"},
		{func(q *question) { q.american, q.payments[0].At.Date = true, "2025-12-31" }, "invalid: field payments: begin before the first advance"},
	} {
		q := question{advances: []terms.Flow{on(1000, "2026-01-01")}, payments: []terms.Flow{on(1100, "2026-07-01")}}
		c.change(&q)
		_, err := terms.EuropeanRate(q.advances, q.payments, q.counting, q.yearDays)
		if q.american {
			_, _, err = terms.UnitedStatesRate(q.advances, q.payments, q.unit)
		}
		if err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// TestUnitPeriods: what the unit-period of dates is, and the rate with one that is given.
func TestUnitPeriods(t *testing.T) {
	on := func(units int64, days ...tape.Date) (list []terms.Flow) {
		for _, day := range days {
			list = append(list, terms.Flow{Amount: cny(units), At: terms.Moment{Date: day}})
		}
		return list
	}
	for _, c := range []struct {
		name               string
		advances, payments []terms.Flow
		given, unit        terms.UnitPeriod
		want               terms.Percent
	}{
		{"a term of whole months: 6 months, 4.5 % of it, twice a year", on(1000_00, "2026-01-15"), on(1045_00, "2026-07-15"), terms.UnitPeriod{}, terms.UnitPeriod{Term: true}, "9.00"},
		{"a term of more than a year: a year", on(1000_00, "2026-01-15"), on(1210_00, "2028-01-15"), terms.UnitPeriod{}, terms.UnitPeriod{Months: 12}, "10.00"},
		{"a year and 3 months: simple interest for the rest", on(1000_00, "2026-01-15"), on(1127_50, "2027-04-15"), terms.UnitPeriod{}, terms.UnitPeriod{Months: 12}, "10.00"},
		{"last days of months are whole months apart", on(1000_00, "2026-01-31"), on(506_00, "2026-02-28", "2026-03-31"), terms.UnitPeriod{}, terms.UnitPeriod{Months: 1}, "9.59"},
		{"no two periods alike: the nearest to the average of 100 days", on(1000_00, "2026-01-01"), on(520_00, "2026-03-01", "2026-07-20"), terms.UnitPeriod{}, terms.UnitPeriod{Weeks: 14}, "11.24"},
		{"13 and 16 days: two weeks and half a month are as near, the lower is taken", on(1000_00, "2026-01-01"), on(520_00, "2026-01-14", "2026-01-30"), terms.UnitPeriod{}, terms.UnitPeriod{Weeks: 2}, "69.04"},
		{"as much as was lent", on(1000_00, "2026-01-01"), on(500_00, "2026-03-01", "2026-07-20"), terms.UnitPeriod{}, terms.UnitPeriod{Weeks: 14}, "0.00"},
		{"two advances, months given", on(500_00, "2026-01-10", "2026-02-10"), on(1030_00, "2026-05-10"), terms.UnitPeriod{Months: 1}, terms.UnitPeriod{Months: 1}, "10.17"},
	} {
		rate, unit, err := terms.UnitedStatesRate(c.advances, c.payments, c.given)
		if err != nil || unit != c.unit || rate.Percent(2) != c.want {
			t.Errorf("%s: %s by %+v, want %s by %+v (%v)", c.name, rate.Percent(2), unit, c.want, c.unit, err)
		}
	}
}

// TestRateOfSchedules: at its rate, what a schedule pays is worth what was lent, to the unit.
func TestRateOfSchedules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loan, advances := drawn(t)
		loan.Fees = []terms.Fee{{At: terms.AtDisbursement, PartsPerMillion: rapid.Int32Range(1, 50_000).Draw(t, "fee")}}
		s, err := loan.Schedule(advances)
		if err != nil {
			return
		}
		lent, paid := s.Flows(advances)
		rate, err := terms.EuropeanRate(lent, paid, terms.ByDays, "365")
		if err != nil {
			if err.Error() == "invalid: no rate from 0 to 100000000000 % explains what is lent and paid" {
				return // a unit of fee of a unit lent
			}
			t.Fatal(err)
		}
		x, err := strconv.ParseFloat(string(rate.Percent(12)), 64)
		if err != nil {
			t.Fatal(err)
		}
		worth := func(list []terms.Flow) (sum float64) {
			for _, f := range list {
				sum += float64(f.Amount.Units) * math.Pow(1+x/100, -float64(advances[0].Date.DaysUntil(f.At.Date))/365)
			}
			return sum
		}
		if off := worth(lent) - worth(paid); math.Abs(off) > 1 {
			t.Fatalf("at %s %% they differ by %f minor units", rate.Percent(6), off)
		}
	})
}
