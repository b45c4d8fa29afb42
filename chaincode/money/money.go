// Package money counts whole minor units of one currency and loses none.
//
// An amount has one spelling, "100.00 CNY" or "50000 VND": digits, exactly as
// many decimals as ISO 4217 gives the currency, a space, the code. What does
// not print back to itself is refused. There is no float in this package and
// no division but that of Split, of which Portion is one part.
package money

import (
	"math/bits"
	"sort"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// Max is the largest amount, in minor units: 2^53-1, so that every amount and
// every offset on a tape survives any JSON reader, and sums of two never overflow.
const Max = 1<<53 - 1

// Currency is an ISO 4217 code.
type Currency string

// Exponent returns the number of decimals of the currency.
func (c Currency) Exponent() (int, error) {
	exponent, known := exponents[c]
	if !known {
		return 0, rule.Refuse(rule.Invalid, "is not a currency of ISO 4217")
	}
	return exponent, nil
}

// Amount is a number of whole minor units of a currency. Units may be negative
// in a balance; commands accept only what Positive accepts.
type Amount struct {
	Units    int64
	Currency Currency
}

// New makes an amount of minor units.
func New(units int64, currency Currency) Amount { return Amount{Units: units, Currency: currency} }

// String prints the one spelling.
func (a Amount) String() string {
	exponent := exponents[a.Currency]
	sign, units := "", a.Units
	if units < 0 {
		sign, units = "-", -units
	}
	digits := strconv.FormatUint(uint64(units), 10)
	if exponent > 0 {
		if short := exponent + 1 - len(digits); short > 0 {
			digits = strings.Repeat("0", short) + digits
		}
		digits = digits[:len(digits)-exponent] + "." + digits[len(digits)-exponent:]
	}
	return sign + digits + " " + string(a.Currency)
}

// Parse reads the one spelling and refuses every other.
func Parse(text string) (Amount, error) {
	number, code, found := strings.Cut(text, " ")
	currency := Currency(code)
	exponent, known := exponents[currency]
	if !found || !known {
		return Amount{}, rule.Refuse(rule.Invalid, "is not an amount; write it as \"100.00 CNY\"")
	}
	units, ok := parseUnits(number, exponent)
	if !ok {
		return Amount{}, rule.Refuse(rule.Invalid, "is not an amount of %s; write it as %q", currency, Amount{Units: 10000, Currency: currency})
	}
	return Amount{Units: units, Currency: currency}, nil
}

// parseUnits reads digits with exactly exponent decimals and no second spelling.
func parseUnits(number string, exponent int) (int64, bool) {
	body := strings.TrimPrefix(number, "-")
	whole, decimals := body, ""
	if exponent > 0 {
		var found bool
		if whole, decimals, found = strings.Cut(body, "."); !found || len(decimals) != exponent {
			return 0, false
		}
	}
	if whole == "" || (len(whole) > 1 && whole[0] == '0') || len(whole)+len(decimals) > 16 {
		return 0, false
	}
	var units int64
	for _, digit := range []byte(whole + decimals) {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		units = units*10 + int64(digit-'0')
	}
	negative := len(body) != len(number)
	if units > Max || (negative && units == 0) {
		return 0, false
	}
	if negative {
		units = -units
	}
	return units, true
}

// MarshalText and UnmarshalText carry the one spelling through JSON.
func (a Amount) MarshalText() ([]byte, error) {
	if a == (Amount{}) {
		return nil, rule.Refuse(rule.Invalid, "an amount without a currency cannot be written")
	}
	return []byte(a.String()), nil
}

// UnmarshalText reads the one spelling.
func (a *Amount) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}

// Positive refuses zero, negative and oversized amounts and foreign currency.
func (a Amount) Positive(currency Currency) error {
	if a.Currency != currency {
		return rule.Refuse(rule.Invalid, "%s is not in %s, the currency of the account", a, currency)
	}
	if a.Units <= 0 {
		return rule.Refuse(rule.Invalid, "%s is not more than zero", a)
	}
	if a.Units > Max {
		return rule.Refuse(rule.Invalid, "the amount is larger than %s", Amount{Max, currency})
	}
	return nil
}

// Add returns the sum, refusing another currency and overflow.
func (a Amount) Add(b Amount) (Amount, error) {
	if a.Currency != b.Currency {
		return Amount{}, rule.Refuse(rule.Invalid, "%s and %s are not of one currency", a, b)
	}
	units, err := Sum(a.Units, b.Units)
	return Amount{Units: units, Currency: a.Currency}, err
}

// Sum adds minor units and refuses a result beyond Max in either direction.
func Sum(units ...int64) (int64, error) {
	var total int64
	for _, u := range units {
		if u > Max || u < -Max {
			return 0, rule.Refuse(rule.Invalid, "the amount is larger than %d minor units", int64(Max))
		}
		if total += u; total > Max || total < -Max {
			return 0, rule.Refuse(rule.Invalid, "the total is larger than %d minor units", int64(Max))
		}
	}
	return total, nil
}

// Split hands out every unit of total in proportion to the weights: the floor
// of each share first, then one unit each by largest remainder, ties by order
// (Hamilton's method). A zero weight gets zero. Weights are not negative, and
// their sum is more than zero and at most Max.
func Split(total int64, weights []int64) ([]int64, error) {
	if total < 0 || total > Max {
		return nil, rule.Refuse(rule.Invalid, "cannot split %d minor units", total)
	}
	var sum int64
	for i, weight := range weights {
		if weight < 0 || weight > Max-sum {
			return nil, rule.Refuse(rule.Invalid, "weight %d of a split is %d", i, weight)
		}
		sum += weight
	}
	if sum == 0 {
		return nil, rule.Refuse(rule.Invalid, "cannot split %d minor units among weights that are all zero", total)
	}
	shares := make([]int64, len(weights))
	remainders := make([]int64, len(weights))
	order := make([]int, len(weights))
	rest := total
	for i, weight := range weights {
		shares[i], remainders[i] = Portion(total, weight, sum)
		order[i] = i
		rest -= shares[i]
	}
	sort.SliceStable(order, func(a, b int) bool { return remainders[order[a]] > remainders[order[b]] })
	// rest is less than the number of non-zero remainders, so a zero weight is never reached.
	for _, i := range order[:rest] {
		shares[i]++
	}
	return shares, nil
}

// Portion returns what weight of sum is of total, rounded down, and the remainder
// of the division, in parts of sum: what Split gives to each before it hands out
// the units that are left. None is negative, total and sum are at most Max, and
// weight is at most sum, which is more than zero.
func Portion(total, weight, sum int64) (units, remainder int64) {
	high, low := bits.Mul64(uint64(total), uint64(weight))
	quotient, rest := bits.Div64(high, low, uint64(sum)) // high < sum, because total*weight/sum <= total < 2^64
	return int64(quotient), int64(rest)
}
