package terms

import (
	"time"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// DayCount says which part of a year lies between two days.
type DayCount string

// The day counts, by their names in the ISDA definitions where they have one.
const (
	// Act365 counts days and divides by 365, in leap years too.
	Act365 DayCount = "ACT/365F"
	// Act360 counts days and divides by 360.
	Act360 DayCount = "ACT/360"
	// Act364 counts days and divides by 364: 52 weeks.
	Act364 DayCount = "ACT/364"
	// ActAct divides days in leap years by 366 and the others by 365.
	ActAct DayCount = "ACT/ACT"
	// Bond is 30/360, bond basis: ISDA 2006, section 4.16(f).
	Bond DayCount = "30/360"
	// Eurobond is 30E/360: section 4.16(g).
	Eurobond DayCount = "30E/360"
	// EurobondISDA is 30E/360 (ISDA): section 4.16(h). It needs the loan's last day.
	EurobondISDA DayCount = "30E/360-ISDA"
	// Bond365 has the days of the bond basis over 365.
	Bond365 DayCount = "30/365"
	// Periods lets every whole interval between dues count the same: months/12,
	// weeks/52, days/365 of a year. Of an interval that is not whole, days count
	// as parts of that interval: 17 days of 31.
	Periods DayCount = "PERIODS"
)

var dayCounts = []DayCount{Act365, Act360, Act364, ActAct, Bond, Eurobond, EurobondISDA, Bond365, Periods}

// Check refuses what is no day count.
func (d DayCount) Check() error { return oneOf(d, dayCounts) }

// basis is the year's days, 0 where there is no such number.
func (d DayCount) basis() int64 {
	switch d {
	case Act365, Bond365:
		return 365
	case Act360, Bond, Eurobond, EurobondISDA:
		return 360
	case Act364:
		return 364
	}
	return 0
}

// Days counts the days between two dates. Only 30E/360-ISDA asks for last, the
// day on which the loan ends; PERIODS has no days of its own, since it depends on dues.
func (d DayCount) Days(from, to, last tape.Date) (int64, error) {
	if err := between(from, to); err != nil {
		return 0, err
	}
	switch d {
	case Act365, Act360, Act364, ActAct:
		return int64(from.DaysUntil(to)), nil
	case Bond, Bond365, Eurobond:
		return thirty(d, from, to, ""), nil
	case EurobondISDA:
		if err := last.Check(); err != nil {
			return 0, rule.Field("last", err)
		}
		return thirty(d, from, to, last), nil
	}
	return 0, rule.Field("dayCount", rule.Refuse(rule.Invalid, "does not count days without a loan's dues"))
}

// Year is the part of a year between two dates as a fraction.
func (d DayCount) Year(from, to, last tape.Date) (numerator, denominator int64, err error) {
	days, err := d.Days(from, to, last)
	if err != nil {
		return 0, 0, err
	}
	if d != ActAct {
		return days, d.basis(), nil
	}
	leap := leapDays(from, to)
	return leap*365 + (days-leap)*366, 365 * 366, nil
}

// Fraction writes the part of a year in its lowest terms: 89/180.
func (d DayCount) Fraction(from, to, last tape.Date) (string, error) {
	numerator, denominator, err := d.Year(from, to, last)
	if err != nil {
		return "", err
	}
	f := fraction{numerator, denominator}.reduced()
	return decimal(f.numerator) + "/" + decimal(f.denominator), nil
}

func between(from, to tape.Date) error {
	if err := from.Check(); err != nil {
		return rule.Field("from", err)
	}
	if err := to.Check(); err != nil {
		return rule.Field("to", err)
	}
	if to < from {
		return rule.Field("to", rule.Refuse(rule.Invalid, "lies before the day from which it counts"))
	}
	return nil
}

// thirty is 360*years + 30*months + days, with the days of month that each convention gives.
func thirty(d DayCount, from, to, last tape.Date) int64 {
	a, b := from.Civil(), to.Civil()
	day1, day2 := int64(a.Day()), int64(b.Day())
	switch d {
	case Eurobond:
		day1, day2 = min(day1, 30), min(day2, 30)
	case EurobondISDA:
		if endOfFebruary(a) {
			day1 = 30
		}
		if endOfFebruary(b) && to != last {
			day2 = 30
		}
		day1, day2 = min(day1, 30), min(day2, 30)
	default:
		if day1 = min(day1, 30); day1 == 30 {
			day2 = min(day2, 30)
		}
	}
	months := int64(b.Year()-a.Year())*12 + int64(b.Month()-a.Month())
	return 30*months + day2 - day1
}

func endOfFebruary(t time.Time) bool {
	return t.Month() == time.February && t.AddDate(0, 0, 1).Month() == time.March
}

// leapDays counts the days of leap years among [from, to).
func leapDays(from, to tape.Date) int64 {
	var days int64
	a, b := from.Civil(), to.Civil()
	for year := a.Year(); year <= b.Year(); year++ {
		first := time.Date(year, time.January, 1, 0, 0, 0, 0, time.UTC)
		next := time.Date(year+1, time.January, 1, 0, 0, 0, 0, time.UTC)
		if next.Sub(first) == 366*24*time.Hour {
			days += max(0, int64(earlier(b, next).Sub(later(a, first))/(24*time.Hour)))
		}
	}
	return days
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
