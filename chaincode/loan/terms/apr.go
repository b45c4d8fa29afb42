package terms

import (
	"math/big"
	"sort"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Counting says how time between dates is counted for the rate of the European
// Union: Directive 2008/48/EC, Annex I, as amended by Directive 2011/90/EU.
type Counting string

// The countings: whole months or weeks are counted back from the later date, and
// days that are left are parts of a year of 365 or 366 days; or all are days.
const (
	ByMonths Counting = "months"
	ByWeeks  Counting = "weeks"
	ByDays   Counting = "days"
)

// EuropeanRate is the rate X at which what is lent and what is paid back are
// worth the same: the sum of C/(1+X)^t equals the sum of D/(1+X)^s, with t and s
// in years. Counting is "" for months. Days that are left between dates are parts
// of the year that ends with them, and other days of 365; yearDays says otherwise.
func EuropeanRate(advances, payments []Flow, counting Counting, yearDays string) (Rate, error) {
	list, err := flows(advances, payments)
	if err != nil {
		return Rate{}, err
	}
	var year *big.Rat
	if yearDays != "" {
		if err := rule.OneOf(yearDays, "365", "365.25", "366"); err != nil {
			return Rate{}, rule.Field("yearDays", err)
		}
		year, _ = new(big.Rat).SetString(yearDays)
	}
	if counting == "" {
		counting = ByMonths
	}
	if err := oneOf(counting, []Counting{ByMonths, ByWeeks, ByDays}); err != nil {
		return Rate{}, rule.Field("counting", err)
	}
	times := make([]*big.Rat, len(list))
	first, ends := earliest(list), endsOf(list)
	for i, f := range list {
		if f.at.Date != "" {
			times[i] = f.at.since(first, ends, counting, year)
		} else if times[i], err = f.at.years(year); err != nil {
			return Rate{}, err
		}
	}
	return solve(list, times)
}

// earliest is the first date of all, "" where there are none.
func earliest(list []flow) tape.Date {
	first := list[0].at.Date
	for _, f := range list {
		first = min(first, f.at.Date)
	}
	return first
}

// years is how far a moment without a date lies behind the beginning.
func (m Moment) years(year *big.Rat) (*big.Rat, error) {
	if year == nil {
		year = big.NewRat(365, 1)
	}
	sum := big.NewRat(int64(m.Days), 1)
	sum.Quo(sum, year)
	sum.Add(sum, big.NewRat(int64(m.Weeks), 52))
	sum.Add(sum, big.NewRat(int64(m.Months), 12))
	if m.Years == "" {
		return sum, nil
	}
	years, err := ratio(m.Years)
	if err != nil {
		return nil, err
	}
	return sum.Add(sum, years), nil
}

// since is how far a date lies behind the first: whole months, weeks or years
// counted back from it, then days.
func (m Moment) since(first tape.Date, ends monthEnds, counting Counting, year *big.Rat) *big.Rat {
	whole, left := new(big.Rat), m.Date
	switch {
	case counting == ByWeeks:
		weeks := first.DaysUntil(m.Date) / 7
		whole.SetFrac64(int64(weeks), 52)
		left = m.Date.AddDays(-7 * weeks)
	case counting == ByMonths || year == nil:
		months := ends.between(first, m.Date)
		if counting == ByDays {
			months -= months % 12
		}
		whole.SetFrac64(int64(months), 12)
		left = ends.back(m.Date, months)
	}
	if year == nil {
		year = big.NewRat(int64(left.AddMonths(-12).DaysUntil(left)), 1)
	}
	days := big.NewRat(int64(first.DaysUntil(left)), 1)
	return whole.Add(whole, days.Quo(days, year))
}

// monthEnds is the day of month of a series of payments, 0 where they are no
// series. A series on the 31st, 30th or 29th takes a shorter month's last day.
type monthEnds int

// endsOf finds the day of month that all payments have, as far as their months have it.
func endsOf(list []flow) monthEnds {
	latest := 0
	for _, f := range list {
		if f.units < 0 && f.at.Date != "" {
			latest = max(latest, f.at.Date.Civil().Day())
		}
	}
	ends := monthEnds(latest)
	for _, f := range list {
		if f.units < 0 && f.at.Date != "" && ends.of(f.at.Date) != f.at.Date {
			return 0
		}
	}
	return ends
}

// of is the series' day in the month of another.
func (e monthEnds) of(day tape.Date) tape.Date {
	first := day[:8] + "01"
	return min(first.AddDays(int(e)-1), first.AddMonths(1).AddDays(-1))
}

// back is the same day some months before.
func (e monthEnds) back(day tape.Date, months int) tape.Date {
	before := day.AddMonths(-months)
	if e > 0 && e.of(day) == day {
		return e.of(before)
	}
	return before
}

// between counts whole months back from a later date, down to another.
func (e monthEnds) between(first, last tape.Date) int {
	a, b := first.Civil(), last.Civil()
	months := (b.Year()-a.Year())*12 + int(b.Month()-a.Month())
	for months > 0 && e.back(last, months) < first {
		months--
	}
	return months
}

// solve finds the yearly factor v = 1/(1+X) of one common part of a year, so
// that every time is a whole power of it.
func solve(list []flow, times []*big.Rat) (Rate, error) {
	common, start := big.NewInt(1), new(big.Rat).Set(times[0])
	for _, t := range times {
		shared := new(big.Int).GCD(nil, nil, common, t.Denom())
		common.Mul(common, new(big.Int).Quo(t.Denom(), shared))
		if t.Cmp(start) < 0 {
			start = t
		}
	}
	if common.BitLen() > 52 {
		return Rate{}, rule.Refuse(rule.Invalid, "the times have no common part of a year that is not tiny; write them with fewer decimals")
	}
	powers := make([]power, len(list))
	for i, t := range times {
		since := new(big.Rat).Sub(t, start)
		exponent := new(big.Int).Mul(since.Num(), new(big.Int).Quo(common, since.Denom()))
		powers[i] = power{list[i].units, exponent.Int64()}
	}
	sort.SliceStable(powers, func(i, j int) bool { return powers[i].exponent < powers[j].exponent })
	worth := func(v *big.Int) *big.Int { return presentValue(powers, v) }
	// v is 1 where X is 0. There payments weigh more than advances, or as much.
	if worth(fixedOne).Sign() == 0 {
		return Rate{new(big.Int)}, nil
	}
	// The lowest rate that explains them is looked for: 1+X is squared until
	// advances weigh more.
	high := fixedOne
	low := rootOf(rateLeast, common.Int64())
	for worth(low).Sign() <= 0 {
		if high, low = low, fixedMul(low, low); fixedPow(low, common.Int64()).Cmp(big.NewInt(0).Quo(fixedOne, big.NewInt(rateTimesMax))) < 0 {
			return Rate{}, errNoRate
		}
	}
	v := bisect(low, high, func(v *big.Int) *big.Int { return new(big.Int).Neg(worth(v)) })
	yearly := fixedPow(v, common.Int64())
	return Rate{new(big.Int).Sub(fixedQuo(fixedOne, yearly), fixedOne)}, nil
}

// power is an amount that is discounted by a whole power.
type power struct{ units, exponent int64 }

// presentValue sums units*v^exponent; powers are in order, so each is the one
// before times a step, and equal steps are reckoned once.
func presentValue(powers []power, v *big.Int) *big.Int {
	sum, factor := new(big.Int), new(big.Int).Set(fixedOne)
	reached, length, step := int64(0), int64(0), fixedOne
	for _, p := range powers {
		if gap := p.exponent - reached; gap > 0 {
			if gap != length {
				length, step = gap, fixedPow(v, gap)
			}
			factor, reached = fixedMul(factor, step), p.exponent
		}
		sum.Add(sum, new(big.Int).Mul(factor, big.NewInt(p.units)))
	}
	return sum
}

// rateLeast is where the search begins: a hundredth of a per cent, as its part of one.
const rateLeast = 10_000

// rootOf is v with v^n = 1/(1+1/part).
func rootOf(part, n int64) *big.Int {
	target := new(big.Int).Mul(fixedOne, big.NewInt(part))
	target.Quo(target, big.NewInt(part+1))
	return bisect(new(big.Int), fixedOne, func(v *big.Int) *big.Int { return new(big.Int).Sub(fixedPow(v, n), target) })
}
