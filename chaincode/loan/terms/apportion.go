package terms

import (
	"math/big"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// apportion hands a total out by weights. Principal is whole and is handed out
// whole; interest is rounded first, but for Cumulative, which rounds what is
// paid up to each instalment. Of principal Cumulative rounds what is left.
func apportion(total *big.Rat, weights []*big.Rat, principal bool, difference Difference, rounding Rounding, multiple int64) ([]int64, error) {
	whole := total.Num().Int64()
	if !principal {
		var err error
		if whole, err = round(total, rounding, multiple); err != nil {
			return nil, err
		}
	}
	if sum(weights).Sign() == 0 { // nothing of the list is left: the last takes it
		shares := make([]int64, len(weights))
		shares[len(shares)-1] = whole
		return shares, nil
	}
	switch difference {
	case SplitUp:
		return split(whole, weights, multiple)
	case Cumulative:
		return cumulative(total, whole, weights, principal, rounding, multiple)
	}
	return eachRounded(whole, weights, difference, rounding, multiple)
}

// eachRounded rounds each share by itself: of the whole, or for Level of what is
// left among the weights that are left. The last takes what is left over.
func eachRounded(whole int64, weights []*big.Rat, difference Difference, rounding Rounding, multiple int64) ([]int64, error) {
	shares := make([]int64, len(weights))
	all, left, last := sum(weights), whole, len(weights)-1
	usual := int64(0)
	for i, weight := range weights {
		of := whole
		if difference == Level {
			of = left
		}
		share := new(big.Rat).Mul(big.NewRat(of, 1), weight)
		units, err := int64(0), error(nil)
		if all.Sign() > 0 { // of what is left, nothing may be wanted
			units, err = round(share.Quo(share, all), rounding, multiple)
		}
		if err != nil {
			return nil, err
		}
		if difference == Level {
			all.Sub(all, weight)
		}
		shares[i], usual = min(units, left), units
		if i == last {
			shares[i] = left
		}
		left -= shares[i]
	}
	if difference == First {
		moveToFirst(shares, weights, shares[last]-usual)
	}
	return shares, nil
}

// moveToFirst moves what the last is off to the first that has a weight.
func moveToFirst(shares []int64, weights []*big.Rat, off int64) {
	first, last := 0, len(shares)-1
	for first < last && weights[first].Sign() == 0 {
		first++
	}
	if shares[first]+off >= 0 && first < last {
		shares[first] += off
		shares[last] -= off
	}
}

func cumulative(total *big.Rat, whole int64, weights []*big.Rat, principal bool, rounding Rounding, multiple int64) ([]int64, error) {
	shares := make([]int64, len(weights))
	all, reached, before := sum(weights), new(big.Rat), int64(0)
	for i, weight := range weights {
		reached.Add(reached, weight)
		part := new(big.Rat).Quo(reached, all)
		if principal {
			part.Sub(big.NewRat(1, 1), part)
		}
		upTo, err := round(part.Mul(part, total), rounding, multiple)
		if err != nil {
			return nil, err
		}
		if principal {
			upTo = whole - upTo
		}
		upTo = min(max(upTo, before), whole)
		if i == len(weights)-1 {
			upTo = whole
		}
		shares[i], before = upTo-before, upTo
	}
	return shares, nil
}

// split hands out whole multiples, largest remainder first; what is less than
// one multiple goes to the last that has a weight.
func split(whole int64, weights []*big.Rat, multiple int64) ([]int64, error) {
	common := big.NewInt(1)
	for _, weight := range weights {
		shared := new(big.Int).GCD(nil, nil, common, weight.Denom())
		common.Mul(common, new(big.Int).Quo(weight.Denom(), shared))
	}
	numbers := make([]int64, len(weights))
	last := 0
	for i, weight := range weights {
		number := new(big.Int).Mul(weight.Num(), new(big.Int).Quo(common, weight.Denom()))
		if !number.IsInt64() || number.Int64() > money.Max {
			return nil, rule.Refuse(rule.Invalid, "the intervals are too uneven to split by them")
		}
		if numbers[i] = number.Int64(); numbers[i] > 0 {
			last = i
		}
	}
	shares, err := money.Split(whole/multiple, numbers)
	if err != nil {
		return nil, err
	}
	for i := range shares {
		shares[i] *= multiple
	}
	shares[last] += whole % multiple
	return shares, nil
}
