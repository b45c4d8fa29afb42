// Package typed reads what people type where the ledger has one spelling only.
// It takes the spellings that can be read in one way, and refuses the others:
// 1,50 is one and a half to some and a hundred and fifty to others.
package typed

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// harmless is what may be repeated: figures and the code of a currency name nobody.
var harmless = regexp.MustCompile(`^[0-9.,+%¥ -]{1,40}([A-Z]{3})?$`)

// Quoted is what was typed in the place of a figure, as a refusal repeats it:
// somebody may have typed a name there, and that is not repeated.
func Quoted(text string) string {
	if harmless.MatchString(text) {
		return strconv.Quote(text)
	}
	return "what was typed"
}

// figure is a number with its thousands either all set apart or not at all.
var figure = regexp.MustCompile(`^([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]+))?$`)

// Amount reads 100, 100.5, 1,000.00 and 1,000.00 CNY. Where a currency is
// given it may be left out, and no other is taken.
func Amount(text string, currency money.Currency) (money.Amount, error) {
	text = strings.TrimSpace(text)
	number, named, spelled := strings.Cut(text, " ")
	switch {
	case !spelled && currency == "":
		return money.Amount{}, rule.Refuse(rule.Invalid, "%s names no currency; write it as 1,000.00 CNY", Quoted(text))
	case spelled && currency != "" && named != string(currency):
		return money.Amount{}, rule.Refuse(rule.Invalid, "%s is not an amount in %s", Quoted(text), currency)
	case spelled:
		currency = money.Currency(named)
	}
	digits, err := currency.Exponent()
	if err != nil {
		return money.Amount{}, err
	}
	found := figure.FindStringSubmatch(number)
	if found == nil || len(found[2]) > int(digits) {
		return money.Amount{}, rule.Refuse(rule.Invalid, "%s is not an amount; write it as %s", Quoted(text), sample(currency, int(digits)))
	}
	whole := strings.TrimLeft(strings.ReplaceAll(found[1], ",", ""), "0")
	if whole == "" {
		whole = "0"
	}
	if digits > 0 {
		whole += "." + found[2] + strings.Repeat("0", int(digits)-len(found[2]))
	}
	return money.Parse(whole + " " + string(currency))
}

// sample is an amount as it may be typed.
func sample(currency money.Currency, digits int) string {
	return strings.TrimSuffix("1,000."+strings.Repeat("0", digits), ".") + " " + string(currency)
}

// shareDigits are the decimals of a per cent that a part per million has.
const shareDigits = 4

var share = regexp.MustCompile(`^([0-9]{1,3})(?:\.([0-9]{1,4}))?\s*%?$`)

// Share reads a share in per cent, such as 10 or 4.1 %, as parts per million.
func Share(text string) (int32, error) {
	found := share.FindStringSubmatch(strings.TrimSpace(text))
	if found == nil {
		return 0, rule.Refuse(rule.Invalid, "%s is not a share; write per cent, such as 10 or 4.1", Quoted(text))
	}
	parts := int32(0)
	for _, digit := range found[1] + found[2] + strings.Repeat("0", shareDigits-len(found[2])) {
		parts = parts*10 + digit - '0'
	}
	return parts, nil
}

// ShareText writes parts per million as Share reads them.
func ShareText(parts int32) string {
	digits := make([]byte, 0, 10)
	for n := 0; parts > 0 || n <= shareDigits; n++ {
		if n == shareDigits {
			digits = append(digits, '.')
		}
		digits = append(digits, byte('0'+parts%10))
		parts /= 10
	}
	for i, j := 0, len(digits)-1; i < j; i, j = i+1, j-1 {
		digits[i], digits[j] = digits[j], digits[i]
	}
	return strings.TrimSuffix(strings.TrimRight(string(digits), "0"), ".")
}
