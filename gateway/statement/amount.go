package statement

import (
	"bytes"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// amountFormat is one bank's way to write a figure. It has one spelling for
// every figure, so that an edited or shifted cell is noticed.
type amountFormat struct {
	decimal byte
	// thousands are the marks between groups of three; more than one only for
	// the kinds of space. A number uses one of them throughout.
	thousands        []string
	groupingRequired bool
	// decimalsMin and decimalsMax are how many decimals the bank writes; nil means the currency's exponent.
	decimalsMin, decimalsMax *int
	negative                 string
	plus                     bool
	symbols                  []string
	empty                    []string
}

const (
	negativeLeading     = "leading"
	negativeTrailing    = "trailing"
	negativeParentheses = "parentheses"
)

// malformed stands for a figure of which nothing more can be said than that it is none.
const malformed = "malformed"

// newAmountFormat refuses marks that would make a figure readable in two ways.
func newAmountFormat(a Amounts) (amountFormat, error) {
	f := amountFormat{
		decimal: '.', negative: negativeLeading, plus: a.Plus, symbols: a.Symbols, empty: a.Empty,
		decimalsMin: a.DecimalsMin, decimalsMax: a.DecimalsMax, groupingRequired: a.Thousands != "" && a.Grouping != "optional",
	}
	for _, setting := range []struct {
		field, value string
		allowed      []string
	}{
		{"decimal", a.Decimal, []string{"", ".", ","}},
		{"thousands", a.Thousands, []string{"", ".", ",", " ", "'"}},
		{"grouping", a.Grouping, []string{"", "required", "optional"}},
		{"negative", a.Negative, []string{"", negativeLeading, negativeTrailing, negativeParentheses}},
	} {
		if err := oneOf(setting.field, setting.value, setting.allowed...); err != nil {
			return f, err
		}
	}
	if a.Decimal != "" {
		f.decimal = a.Decimal[0]
	} else if a.Thousands == "." {
		f.decimal = ','
	}
	if a.Negative != "" {
		f.negative = a.Negative
	}
	switch a.Thousands {
	case "":
	case string(f.decimal):
		return f, rule.Field("thousands", rule.Refuse(rule.Invalid, "is the same mark as decimal, %q", a.Thousands))
	case " ":
		f.thousands = []string{" ", "\u00a0", "\u202f"}
	default:
		f.thousands = []string{a.Thousands}
	}
	return f, f.checkParts()
}

func (f *amountFormat) checkParts() error {
	low, high := 0, 18
	if f.decimalsMin != nil {
		low = *f.decimalsMin
	}
	if f.decimalsMax != nil {
		high = *f.decimalsMax
	}
	if low < 0 || high > 18 || low > high {
		return rule.Field("decimalsMin", rule.Refuse(rule.Invalid, "decimalsMin and decimalsMax must be 0 to 18, in this order"))
	}
	return f.checkWords()
}

// checkWords refuses symbols and words that could be taken for part of a figure.
func (f *amountFormat) checkWords() error {
	for _, symbol := range f.symbols {
		if symbol == "" || strings.ContainsAny(symbol, "0123456789+-.,()") || symbol != strings.TrimSpace(symbol) {
			return rule.Field("symbols", rule.Refuse(rule.Invalid, "%.20q could be part of a figure", symbol))
		}
	}
	for _, word := range f.empty {
		if strings.ContainsAny(word, "123456789") {
			return rule.Field("empty", rule.Refuse(rule.Invalid, "%.20q looks like a figure", word))
		}
	}
	return nil
}

// isEmpty reports whether a cell says that there is no figure.
func (f *amountFormat) isEmpty(cell []byte) bool {
	return len(cell) == 0 || (len(f.empty) > 0 && slices.Contains(f.empty, string(cell)))
}

// parse reads a figure into minor units of a currency with this exponent. The
// reason is "" when it could, else says why not.
func (f *amountFormat) parse(cell []byte, exponent int) (units int64, reason string) {
	body, marked := f.cutSymbol(cell)
	negative, body, ok := f.cutSign(body)
	if !ok {
		return 0, malformed
	}
	if !marked {
		body, _ = f.cutSymbol(body)
	}
	whole, decimals, found := bytes.Cut(body, []byte{f.decimal})
	if found && len(decimals) == 0 {
		return 0, malformed
	}
	total, reason := f.parseWhole(whole)
	if reason != "" {
		return 0, reason
	}
	if total, reason = f.addDecimals(total, decimals, exponent); reason != "" {
		return 0, reason
	}
	if negative && total == 0 {
		return 0, "zero has no sign"
	}
	if negative {
		total = -total
	}
	return total, ""
}

// cutSymbol takes one currency mark off either end.
func (f *amountFormat) cutSymbol(body []byte) ([]byte, bool) {
	for _, symbol := range f.symbols {
		if rest, found := bytes.CutPrefix(body, []byte(symbol)); found {
			return trimSpace(rest), true
		}
		if rest, found := bytes.CutSuffix(body, []byte(symbol)); found {
			return trimSpace(rest), true
		}
	}
	return body, false
}

// cutSign takes off the sign, in the one place where this bank writes it.
func (f *amountFormat) cutSign(body []byte) (negative bool, rest []byte, ok bool) {
	if f.plus {
		if rest, found := bytes.CutPrefix(body, []byte("+")); found {
			return false, rest, true
		}
	}
	switch f.negative {
	case negativeTrailing:
		rest, negative = bytes.CutSuffix(body, []byte("-"))
	case negativeParentheses:
		if rest, negative = bytes.CutPrefix(body, []byte("(")); negative {
			if rest, ok = bytes.CutSuffix(rest, []byte(")")); !ok {
				return false, nil, false
			}
		}
	default:
		rest, negative = bytes.CutPrefix(body, []byte("-"))
	}
	return negative, rest, true
}

// parseWhole reads the digits before the decimal mark and their groups.
func (f *amountFormat) parseWhole(whole []byte) (total int64, reason string) {
	mark := f.markIn(whole)
	if !wellGrouped(whole, mark) {
		return 0, malformed
	}
	for rest, more := whole, true; more; {
		var group []byte
		group, rest, more = cutGroup(rest, mark)
		if total, reason = accumulate(total, group); reason != "" {
			return 0, reason
		}
	}
	if len(whole) > 1 && whole[0] == '0' {
		return 0, "it begins with a zero"
	}
	if mark == "" && len(whole) > 3 && f.groupingRequired {
		return 0, "its thousands mark is missing"
	}
	return total, ""
}

// markIn returns the first thousands mark of a number; only this one counts in the rest of it.
func (f *amountFormat) markIn(whole []byte) string {
	after := whole[digitRun(whole):]
	for _, mark := range f.thousands {
		if bytes.HasPrefix(after, []byte(mark)) {
			return mark
		}
	}
	return ""
}

// wellGrouped reports whether the groups are as a bank prints them: 1,234,567
// and never 12,34,567, which is more likely a damaged cell.
func wellGrouped(whole []byte, mark string) bool {
	group, rest, more := cutGroup(whole, mark)
	if len(group) == 0 || (mark != "" && len(group) > 3) {
		return false
	}
	for more {
		if group, rest, more = cutGroup(rest, mark); len(group) != 3 {
			return false
		}
	}
	return true
}

func cutGroup(rest []byte, mark string) (group, after []byte, more bool) {
	if mark == "" {
		return rest, nil, false
	}
	return bytes.Cut(rest, []byte(mark))
}

// accumulate appends decimal digits to a total and stops before it exceeds money.Max.
func accumulate(total int64, digits []byte) (int64, string) {
	if digitRun(digits) != len(digits) {
		return 0, malformed
	}
	for _, digit := range digits {
		if total = total*10 + int64(digit-'0'); total > money.Max {
			return 0, "too large"
		}
	}
	return total, ""
}

// addDecimals appends exactly exponent decimals. What the bank writes beyond
// the currency's own decimals must be zeros: nothing is rounded.
func (f *amountFormat) addDecimals(total int64, decimals []byte, exponent int) (int64, string) {
	if digitRun(decimals) != len(decimals) {
		return 0, malformed
	}
	low, high := f.decimalsRange(exponent)
	if len(decimals) > high {
		return 0, "too many decimals"
	}
	if len(decimals) < low {
		return 0, "too few decimals"
	}
	kept := decimals[:min(exponent, len(decimals))]
	if len(bytes.TrimRight(decimals[len(kept):], "0")) > 0 {
		return 0, "a fraction of the smallest unit"
	}
	total, reason := accumulate(total, kept)
	if reason != "" {
		return 0, reason
	}
	return accumulate(total, []byte("000000000000000000")[:exponent-len(kept)])
}

// decimalsRange is how many decimals this bank writes in a currency with this exponent.
func (f *amountFormat) decimalsRange(exponent int) (low, high int) {
	low, high = exponent, exponent
	if f.decimalsMin != nil {
		low = *f.decimalsMin
	}
	if f.decimalsMax != nil {
		high = *f.decimalsMax
	}
	return low, high
}

// digitRun is the number of ASCII digits at the beginning.
func digitRun(text []byte) int {
	for i, c := range text {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(text)
}

// oneOf refuses a setting that is not among the allowed ones; "" among them means the default.
func oneOf(field, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	shown := slices.DeleteFunc(slices.Clone(allowed), func(s string) bool { return s == "" })
	return rule.Field(field, rule.Refuse(rule.Invalid, "%.40q is not one of %q", value, shown))
}
