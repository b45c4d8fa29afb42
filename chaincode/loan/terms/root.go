package terms

import (
	"math/big"
	"strings"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// fractionBits is how many binary places fixed-point numbers have here. A rate
// is found to 2^-rootBits of its unit of time, of which a year has 2^52 at most:
// a billionth of a billionth of a per cent is left in doubt.
const (
	fractionBits = 256
	rootBits     = 140
)

// fixedOne is 1 in fixed point.
var fixedOne = new(big.Int).Lsh(big.NewInt(1), fractionBits)

func fixedMul(a, b *big.Int) *big.Int {
	product := new(big.Int).Mul(a, b)
	return product.Rsh(product, fractionBits)
}

func fixedQuo(a, b *big.Int) *big.Int {
	shifted := new(big.Int).Lsh(a, fractionBits)
	return shifted.Quo(shifted, b)
}

// fixedPow raises to a whole power, not negative.
func fixedPow(base *big.Int, exponent int64) *big.Int {
	result, square := new(big.Int).Set(fixedOne), new(big.Int).Set(base)
	for ; exponent > 0; exponent >>= 1 {
		if exponent&1 == 1 {
			result = fixedMul(result, square)
		}
		square = fixedMul(square, square)
	}
	return result
}

// bisect finds where a value that is at most 0 at low and more than 0 at high
// changes its sign. All in fixed point; the same on every machine.
func bisect(low, high *big.Int, value func(*big.Int) *big.Int) *big.Int {
	low, high = new(big.Int).Set(low), new(big.Int).Set(high)
	for {
		middle := new(big.Int).Add(low, high)
		middle.Rsh(middle, 1)
		if new(big.Int).Sub(high, low).BitLen() <= fractionBits-rootBits {
			return middle
		}
		if value(middle).Sign() > 0 {
			high = middle
		} else {
			low = middle
		}
	}
}

// Percent is a rate in percent, written with a fixed number of decimals.
type Percent string

// percent rounds a fixed-point rate, half up as the law wants.
func percent(rate *big.Int, decimals int) Percent {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals+2)), nil)
	scaled := new(big.Int).Mul(rate, scale)
	scaled.Add(scaled, new(big.Int).Rsh(fixedOne, 1))
	scaled.Rsh(scaled, fractionBits)
	digits := scaled.String()
	if short := decimals + 1 - len(digits); short > 0 {
		digits = strings.Repeat("0", short) + digits
	}
	if decimals == 0 {
		return Percent(digits)
	}
	return Percent(digits[:len(digits)-decimals] + "." + digits[len(digits)-decimals:])
}

// Rate is an annual percentage rate: exact to far more than its decimals.
type Rate struct{ fixed *big.Int }

// Percent writes the rate in percent with 0 to 12 decimals.
func (r Rate) Percent(decimals int) Percent { return percent(r.fixed, min(max(decimals, 0), 12)) }

var errNoRate = rule.Refuse(rule.Invalid, "no rate from 0 to %d %% explains what is lent and paid", 100*int64(rateTimesMax))

// rateTimesMax is about the largest rate that is looked for, in times the principal a year.
const rateTimesMax = 1_000_000_000
