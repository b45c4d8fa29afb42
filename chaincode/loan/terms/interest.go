package terms

import (
	"math/big"
	"slices"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Rounding says to which of two whole numbers a fraction goes.
type Rounding string

// The roundings of amounts that are not negative.
const (
	HalfEven Rounding = "half-even"
	HalfUp   Rounding = "half-up"
	HalfDown Rounding = "half-down"
	Up       Rounding = "up"
	Down     Rounding = "down"
)

var roundings = []Rounding{HalfEven, HalfUp, HalfDown, Up, Down}

// Check refuses what is no rounding.
func (r Rounding) Check() error { return oneOf(r, roundings) }

// million is what rates are parts of.
const million = 1_000_000

// Interest is what an amount costs between two days at a yearly rate: one
// division, rounded once. PERIODS is refused: it depends on a loan's dues.
func Interest(units int64, ratePartsPerMillion int32, from, to tape.Date, dayCount DayCount, rounding Rounding) (int64, error) {
	if units < 0 || units > money.Max {
		return 0, rule.Field("units", rule.Refuse(rule.Invalid, "is %d, not 0 to %d", units, int64(money.Max)))
	}
	if err := checkRate(ratePartsPerMillion); err != nil {
		return 0, rule.Field("ratePartsPerMillion", err)
	}
	if err := rounding.Check(); err != nil {
		return 0, rule.Field("rounding", err)
	}
	if dayCount == EurobondISDA {
		return 0, rule.Field("dayCount", rule.Refuse(rule.Invalid, "does not count days without a loan's last day"))
	}
	numerator, denominator, err := dayCount.Year(from, to, "")
	if err != nil {
		return 0, err
	}
	return cost(units, ratePartsPerMillion, fraction{numerator, denominator}, rounding, 1)
}

// fraction is a part of a year, or a number of periods; not negative, denominator more than zero.
type fraction struct{ numerator, denominator int64 }

func (f fraction) add(g fraction) fraction {
	if f.denominator == g.denominator {
		return fraction{f.numerator + g.numerator, f.denominator}
	}
	sum := fraction{f.numerator*g.denominator + g.numerator*f.denominator, f.denominator * g.denominator}
	shared := divisor(sum.numerator, sum.denominator)
	return fraction{sum.numerator / shared, sum.denominator / shared}
}

func (f fraction) rat() *big.Rat { return big.NewRat(f.numerator, f.denominator) }

func divisor(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// cost is units*rate*part, in one division, rounded to a multiple.
func cost(units int64, rate int32, part fraction, rounding Rounding, multiple int64) (int64, error) {
	numerator := new(big.Int).Mul(big.NewInt(units), big.NewInt(int64(rate)))
	numerator.Mul(numerator, big.NewInt(part.numerator))
	denominator := new(big.Int).Mul(big.NewInt(million), big.NewInt(part.denominator))
	return divide(numerator, denominator, rounding, multiple)
}

// divide rounds numerator/denominator to a multiple of whole units. Neither is
// negative; what would be larger than money.Max is refused.
func divide(numerator, denominator *big.Int, rounding Rounding, multiple int64) (int64, error) {
	per := new(big.Int).Mul(denominator, big.NewInt(multiple))
	quotient, rest := new(big.Int).QuoRem(numerator, per, new(big.Int))
	if !quotient.IsInt64() || quotient.Int64() > money.Max/multiple-1 {
		return 0, rule.Refuse(rule.Invalid, "an amount becomes larger than %d minor units", int64(money.Max))
	}
	whole := quotient.Int64()
	half := new(big.Int).Lsh(rest, 1).Cmp(per)
	if rest.Sign() > 0 && rounding.rises(half, whole%2 != 0) {
		whole++
	}
	return whole * multiple, nil
}

// rises says whether a rest goes up. half compares it with a half.
func (r Rounding) rises(half int, odd bool) bool {
	switch r {
	case Up:
		return true
	case Down:
		return false
	case HalfUp:
		return half >= 0
	case HalfDown:
		return half > 0
	}
	return half > 0 || half == 0 && odd
}

// round is divide for a rational.
func round(r *big.Rat, rounding Rounding, multiple int64) (int64, error) {
	return divide(r.Num(), r.Denom(), rounding, multiple)
}

func checkRate(rate int32) error {
	if rate < 0 || rate > RateMax {
		return rule.Refuse(rule.Invalid, "is %d, not 0 to %d parts per million", rate, RateMax)
	}
	return nil
}

// oneOf refuses a word that is not on a list.
func oneOf[T ~string](word T, list []T) error {
	if slices.Contains(list, word) {
		return nil
	}
	words := make([]string, len(list))
	for i, known := range list {
		words[i] = string(known)
	}
	return rule.OneOf(string(word), words...)
}
