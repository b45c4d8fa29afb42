package terms

import (
	"math/big"
	"sort"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// UnitPeriod is the unit of time of the actuarial method of 12 CFR 1026
// (Regulation Z), Appendix J: exactly one of months, weeks, days, half-months, or
// the whole term of one advance and one payment.
type UnitPeriod struct {
	Days   int32 `json:"days,omitempty"`
	Months int32 `json:"months,omitempty"`
	// Semimonths is 1 for half-months.
	Semimonths int32 `json:"semimonths,omitempty"`
	// Term is true where the term itself is the unit-period.
	Term  bool  `json:"term,omitempty"`
	Weeks int32 `json:"weeks,omitempty"`
}

// Check refuses none, two, and what is longer than a year.
func (u UnitPeriod) Check() error {
	given := 0
	for _, n := range []struct{ n, most int32 }{{u.Days, 365}, {u.Months, 12}, {u.Semimonths, 1}, {u.Weeks, 52}} {
		if n.n < 0 || n.n > n.most {
			return rule.Refuse(rule.Invalid, "is longer than a year, or negative")
		}
		given += int(min(n.n, 1))
	}
	if u.Term {
		given++
	}
	if given != 1 {
		return rule.Refuse(rule.Invalid, "needs exactly one of months, weeks, days, semimonths, term")
	}
	return nil
}

// UnitedStatesRate is the annual percentage rate by the actuarial method of
// Appendix J to Regulation Z, and the unit-period that it was reckoned with:
// the one that is given, or else by (b)(4). Every amount needs a date.
func UnitedStatesRate(advances, payments []Flow, unit UnitPeriod) (Rate, UnitPeriod, error) {
	list, err := flows(advances, payments)
	if err != nil {
		return Rate{}, unit, err
	}
	first := earliest(list)
	if first == "" {
		return Rate{}, unit, rule.Field("advances", rule.Refuse(rule.Invalid, "need dates for the actuarial method"))
	}
	if first < earliest(list[:count(advances)]) {
		return Rate{}, unit, rule.Field("payments", rule.Refuse(rule.Invalid, "begin before the first advance"))
	}
	if unit == (UnitPeriod{}) {
		unit = unitPeriod(list, count(advances), endsOf(list))
	}
	if err := unit.Check(); err != nil {
		return Rate{}, unit, rule.Field("unitPeriod", err)
	}
	if unit.Term && (len(list) != 2 || list[0].at.Date == list[1].at.Date) {
		return Rate{}, unit, rule.Field("unitPeriod", rule.Refuse(rule.Invalid, "is the term only for one advance and one payment at another time"))
	}
	times, ends := make([]fraction, len(list)), endsOf(list)
	for i, f := range list {
		times[i] = unit.between(first, f.at.Date, ends)
	}
	perYear := unit.perYear(first, list[len(list)-1].at.Date, ends)
	rate, err := actuarial(list, times, perYear)
	return rate, unit, err
}

func count(list []Flow) int {
	n := 0
	for _, f := range list {
		n += int(max(1, f.Count))
	}
	return n
}

// between counts unit-periods from the beginning to a date, measured back from
// that date: Appendix J (b)(5).
func (u UnitPeriod) between(first, date tape.Date, ends monthEnds) fraction {
	days := int64(first.DaysUntil(date))
	months := ends.between(first, date)
	left := int64(first.DaysUntil(ends.back(date, months)))
	switch {
	case days == 0:
		return fraction{0, 1}
	case u.Term:
		return fraction{1, 1}
	case u.Days > 0:
		return fraction{days, int64(u.Days)}
	case u.Weeks > 0:
		return fraction{days, 7 * int64(u.Weeks)}
	case u.Semimonths > 0:
		return fraction{30*int64(months) + left, 15}
	case u.Months < 12:
		return fraction{30*int64(months) + left, 30 * int64(u.Months)}
	case left == 0: // a year, and whole months are left
		return fraction{int64(months), 12}
	}
	years := months / 12
	return fraction{int64(years)*365 + int64(first.DaysUntil(ends.back(date, 12*years))), 365}
}

// perYear is how many unit-periods a year has.
func (u UnitPeriod) perYear(first, last tape.Date, ends monthEnds) fraction {
	switch {
	case u.Term:
		months := ends.between(first, last)
		if first == ends.back(last, months) {
			return fraction{12, int64(months)}
		}
		return fraction{365, int64(first.DaysUntil(last))}
	case u.Days > 0:
		return fraction{365, int64(u.Days)}
	case u.Weeks > 0:
		return fraction{52, int64(u.Weeks)}
	case u.Semimonths > 0:
		return fraction{24, 1}
	}
	return fraction{12, int64(u.Months)}
}

// actuarial finds the rate i of a unit-period: every amount is worth
// units / ((1 + f*i) * (1+i)^t) at the beginning, t whole and f the rest.
func actuarial(list []flow, times []fraction, perYear fraction) (Rate, error) {
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return times[order[i]].whole() < times[order[j]].whole() })
	worth := func(i *big.Int) *big.Int {
		v := fixedQuo(fixedOne, new(big.Int).Add(fixedOne, i))
		sum, factor, reached := new(big.Int), fixedOne, int64(0)
		for _, n := range order {
			t := times[n]
			factor, reached = fixedMul(factor, fixedPow(v, t.whole()-reached)), t.whole()
			odd := new(big.Int).Mul(i, big.NewInt(t.numerator%t.denominator))
			odd.Quo(odd, big.NewInt(t.denominator))
			present := fixedQuo(factor, odd.Add(odd, fixedOne))
			sum.Add(sum, present.Mul(present, big.NewInt(list[n].units)))
		}
		return sum
	}
	if worth(new(big.Int)).Sign() == 0 {
		return Rate{new(big.Int)}, nil
	}
	high := new(big.Int).Set(fixedOne)
	for worth(high).Sign() <= 0 {
		if high.BitLen() > fractionBits+30 {
			return Rate{}, errNoRate
		}
		high.Lsh(high, 1)
	}
	i := bisect(new(big.Int), high, worth)
	i.Mul(i, big.NewInt(perYear.numerator))
	return Rate{i.Quo(i, big.NewInt(perYear.denominator))}, nil
}

func (f fraction) whole() int64 { return f.numerator / f.denominator }
