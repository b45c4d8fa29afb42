package terms

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/tape"
)

// unitPeriod finds the unit-period by Appendix J (b)(4): the period that occurs
// most often, the smaller of two that occur as often; where none occurs twice,
// the standard interval nearest to the average; of one advance and one payment
// the term, but a year at most.
func unitPeriod(list []flow, advances int, ends monthEnds) UnitPeriod {
	drawn, paid := days(list[:advances]), days(list[advances:])
	if len(list) == 2 {
		if drawn[0].AddMonths(12) >= paid[0] {
			return UnitPeriod{Term: true}
		}
		return UnitPeriod{Months: 12}
	}
	if paid[0] == drawn[0] { // what is paid at the beginning begins no period
		paid = paid[1:]
	}
	if len(paid) == 0 {
		return UnitPeriod{Days: 1}
	}
	periods := append(steps(drawn, ends), steps(append([]tape.Date{drawn[0]}, paid...), ends)...)
	var found []candidate
	for _, p := range periods {
		for _, unit := range p.units {
			found = counted(found, unit)
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int {
		if a.times != b.times {
			return b.times - a.times
		}
		return a.unit.length() - b.unit.length()
	})
	if len(found) > 0 && found[0].times > 1 {
		return found[0].unit
	}
	return nearest(periods)
}

// candidate is a unit-period that occurs some times.
type candidate struct {
	unit  UnitPeriod
	times int
}

func counted(found []candidate, unit UnitPeriod) []candidate {
	for i := range found {
		if found[i].unit == unit {
			found[i].times++
			return found
		}
	}
	return append(found, candidate{unit, 1})
}

// days are the different days of some amounts, in order.
func days(list []flow) []tape.Date {
	var found []tape.Date
	for _, f := range list {
		found = append(found, f.at.Date)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// step is one period with the unit-periods that it could be.
type step struct {
	days  int
	units []UnitPeriod
}

// steps are the periods between days, each with what it is: months, half a
// month, weeks, or else days.
func steps(list []tape.Date, ends monthEnds) []step {
	var found []step
	for i := 1; i < len(list); i++ {
		s := step{days: list[i-1].DaysUntil(list[i])}
		months := ends.between(list[i-1], list[i])
		if months >= 1 && months <= 12 && ends.back(list[i], months) == list[i-1] {
			s.units = append(s.units, UnitPeriod{Months: int32(months)})
		} else if half(list, i) {
			s.units = append(s.units, UnitPeriod{Semimonths: 1})
		}
		if s.days%7 == 0 && s.days <= 364 {
			s.units = append(s.units, UnitPeriod{Weeks: int32(s.days / 7)})
		}
		if len(s.units) == 0 && s.days <= 365 {
			s.units = append(s.units, UnitPeriod{Days: int32(s.days)})
		}
		found = append(found, s)
	}
	return found
}

// half says whether the period that ends with day i makes a month with a neighbour.
func half(list []tape.Date, i int) bool {
	behind := i+1 < len(list) && list[i-1].AddMonths(1) == list[i+1]
	return behind || i >= 2 && list[i-2].AddMonths(1) == list[i]
}

// length is about how many days a unit-period has; all months are equal.
func (u UnitPeriod) length() int {
	if u.Months == 12 {
		return 365
	}
	return int(u.Days + 7*u.Weeks + 15*u.Semimonths + 30*u.Months)
}

// nearest is the standard interval nearest to the average of periods, the lower of two.
func nearest(periods []step) UnitPeriod {
	total := 0
	for _, p := range periods {
		total += p.days
	}
	standard := []UnitPeriod{{Days: 1}, {Semimonths: 1}}
	for n := int32(1); n <= 12; n++ {
		standard = append(standard, UnitPeriod{Months: n})
	}
	for n := int32(1); n <= 52; n++ {
		standard = append(standard, UnitPeriod{Weeks: n})
	}
	slices.SortStableFunc(standard, func(a, b UnitPeriod) int { return a.length() - b.length() })
	best, least := standard[0], -1
	for _, unit := range standard {
		off := unit.length()*len(periods) - total
		if off = max(off, -off); least < 0 || off < least {
			best, least = unit, off
		}
	}
	return best
}
