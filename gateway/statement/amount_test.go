package statement

import (
	"strconv"
	"strings"
	"testing"
)

// A format in the table is a mapping's amounts in short: decimal mark, thousands
// mark and then words.
func shortFormat(t *testing.T, text string) Amounts {
	t.Helper()
	var a Amounts
	for _, word := range strings.Fields(text) {
		key, value, _ := strings.Cut(word, ":")
		number, _ := strconv.Atoi(value)
		switch key {
		case "decimal":
			a.Decimal = value
		case "thousands":
			a.Thousands = strings.ReplaceAll(value, "space", " ")
		case "grouping":
			a.Grouping = value
		case "min":
			a.DecimalsMin = &number
		case "max":
			a.DecimalsMax = &number
		case "negative":
			a.Negative = value
		case "plus":
			a.Plus = true
		case "symbol":
			a.Symbols = append(a.Symbols, value)
		case "standard":
		default:
			t.Fatalf("unknown word %q", word)
		}
	}
	return a
}

func TestAmount(t *testing.T) {
	for _, row := range table(t, `
# format | decimals of the currency | cell | minor units, or why not
standard                        | 0 | 0                  | 0
standard                        | 0 | 50000              | 50000
standard                        | 0 | 9007199254740991   | 9007199254740991
standard                        | 0 | 9007199254740992   | too large
standard                        | 0 | 18446744073709551616 | too large
standard                        | 0 | 99999999999999999999999999999999999999999 | too large
standard                        | 2 | 90071992547409.91  | 9007199254740991
standard                        | 2 | 90071992547409.92  | too large
standard                        | 2 | 900719925474099.91 | too large
standard                        | 0 |                    | malformed
standard                        | 0 | -                  | malformed
standard                        | 0 | -5                 | -5
standard                        | 0 | -0                 | zero has no sign
standard                        | 2 | -0.00              | zero has no sign
standard                        | 0 | --5                | malformed
standard                        | 0 | +5                 | malformed
standard                        | 0 | 050                | it begins with a zero
standard                        | 0 | 00                 | it begins with a zero
standard                        | 2 | 01.00              | it begins with a zero
standard                        | 0 | 1.2.3              | malformed
standard                        | 0 | 1.5                | too many decimals
standard                        | 0 | 1.                 | malformed
standard                        | 2 | 1                  | too few decimals
standard                        | 2 | 1.5                | too few decimals
standard                        | 2 | 1.50               | 150
standard                        | 2 | 1.500              | too many decimals
standard                        | 2 | .50                | malformed
standard                        | 2 | 1.-5               | malformed
standard                        | 3 | 1.234              | 1234
standard                        | 4 | 0.0001             | 1
standard                        | 0 | 1e3                | malformed
standard                        | 0 | 0x10               | malformed
standard                        | 0 | 1_000              | malformed
standard                        | 0 | 1,000              | malformed
standard                        | 0 | 1 000              | malformed
standard                        | 0 | ５０               | malformed
standard                        | 0 | ٣                  | malformed
standard                        | 0 | (5)                | malformed
standard                        | 0 | NaN                | malformed
thousands:,                     | 0 | 1,234,567          | 1234567
thousands:,                     | 0 | 234                | 234
thousands:,                     | 0 | 12,34,567          | malformed
thousands:,                     | 0 | 1234,567           | malformed
thousands:,                     | 0 | 1,23               | malformed
thousands:,                     | 0 | 1,                 | malformed
thousands:,                     | 0 | ,123               | malformed
thousands:,                     | 0 | 1,,234             | malformed
thousands:,                     | 0 | 1,2345             | malformed
thousands:,                     | 0 | 0,123              | it begins with a zero
thousands:,                     | 0 | 1234               | its thousands mark is missing
thousands:,                     | 2 | 1234.00            | its thousands mark is missing
thousands:, grouping:optional   | 0 | 1234               | 1234
thousands:, grouping:optional   | 0 | 1,234              | 1234
thousands:, grouping:optional   | 0 | 1234,567           | malformed
thousands:.                     | 0 | 1.234.567          | 1234567
thousands:.                     | 2 | 1.234,50           | 123450
thousands:.                     | 2 | 1,234.50           | malformed
thousands:. decimal:,           | 0 | 1.5                | malformed
thousands:space decimal:,       | 2 | 1 234,50           | 123450
thousands:space decimal:,       | 2 | 1⍽234⍽567,50       | 123456750
thousands:space decimal:,       | 2 | 1⌷234,50           | 123450
thousands:space                 | 0 | 1 234⍽567          | malformed
thousands:'                     | 2 | 1'234.50           | 123450
decimal:,                       | 2 | 1,50               | 150
decimal:,                       | 2 | 1.50               | malformed
min:0 max:2                     | 2 | 1                  | 100
min:0 max:2                     | 2 | 1.5                | 150
min:0 max:2                     | 2 | 1.55               | 155
min:0 max:2                     | 2 | 1.555              | too many decimals
min:2 max:2                     | 0 | 50000.00           | 50000
min:2 max:2                     | 0 | 50000.01           | a fraction of the smallest unit
min:2 max:2                     | 0 | 50000              | too few decimals
min:0 max:4                     | 2 | 1.5000             | 150
min:0 max:4                     | 2 | 1.5001             | a fraction of the smallest unit
plus                            | 0 | +5                 | 5
plus                            | 0 | -5                 | -5
plus                            | 0 | +-5                | malformed
plus                            | 0 | +0                 | 0
negative:trailing               | 0 | 5-                 | -5
negative:trailing               | 0 | -5                 | malformed
negative:parentheses            | 0 | (5)                | -5
negative:parentheses            | 0 | (5                 | malformed
negative:parentheses            | 0 | 5)                 | malformed
negative:parentheses            | 0 | ()                 | malformed
symbol:¥                        | 2 | ¥1.50              | 150
symbol:¥                        | 2 | -¥1.50             | -150
symbol:¥                        | 2 | ¥-1.50             | -150
symbol:¥                        | 2 | ¥¥1.50             | malformed
symbol:¥                        | 2 | ¥                  | malformed
symbol:VND                      | 0 | 5 VND              | 5
symbol:VND                      | 0 | VND 5              | 5
symbol:VND                      | 0 | VND 5 VND          | malformed
`, 4) {
		format, err := newAmountFormat(shortFormat(t, row.asked[0]))
		if err != nil {
			t.Fatal(err)
		}
		exponent, _ := strconv.Atoi(row.asked[1])
		units, reason := format.parse([]byte(row.asked[2]), exponent)
		got := reason
		if reason == "" {
			got = strconv.FormatInt(units, 10)
		}
		if got != row.answer {
			t.Errorf("%s, %d decimals, %q: got %s, want %s", row.asked[0], exponent, row.asked[2], got, row.answer)
		}
	}
}

// spell prints minor units the way a format wants them, by simpler means than the parser's.
func spell(units int64, exponent int, thousands, decimal string) string {
	sign := ""
	if units < 0 {
		sign, units = "-", -units
	}
	digits := strconv.FormatInt(units, 10)
	for len(digits) <= exponent {
		digits = "0" + digits
	}
	whole, decimals := digits[:len(digits)-exponent], digits[len(digits)-exponent:]
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + thousands + whole[at:]
	}
	if exponent > 0 {
		whole += decimal + decimals
	}
	return sign + whole
}

// FuzzAmount holds the parser to one spelling: what it accepts prints back to itself.
func FuzzAmount(f *testing.F) {
	for _, seed := range []string{"0", "50000", "-55,000", "1.234,50", "1,234.50", "1 234", "9007199254740991", "9007199254740992", "1.2.3", "1e9", "０", "-0", ""} {
		f.Add(seed, uint8(0), uint8(0))
		f.Add(seed, uint8(2), uint8(1))
		f.Add(seed, uint8(2), uint8(2))
	}
	marks := []struct{ thousands, decimal string }{{"", "."}, {",", "."}, {".", ","}, {"'", "."}}
	f.Fuzz(func(t *testing.T, cell string, exponent, style uint8) {
		mark := marks[int(style)%len(marks)]
		decimals := int(exponent % 5)
		format, err := newAmountFormat(Amounts{Thousands: mark.thousands, Decimal: mark.decimal})
		if err != nil {
			t.Fatal(err)
		}
		units, reason := format.parse([]byte(cell), decimals)
		if reason == "" && spell(units, decimals, mark.thousands, mark.decimal) != cell {
			t.Errorf("%q was read as %d, which is spelled %q", cell, units, spell(units, decimals, mark.thousands, mark.decimal))
		}
		if reason != "" && units != 0 {
			t.Errorf("%q was refused and yet gave %d", cell, units)
		}
	})
}

// FuzzAmountReadsWhatIsPrinted goes the other way, so that a parser that refuses everything fails too.
func FuzzAmountReadsWhatIsPrinted(f *testing.F) {
	f.Add(int64(0), uint8(0), uint8(0))
	f.Add(int64(123456789), uint8(2), uint8(2))
	f.Add(int64(-9007199254740991), uint8(4), uint8(1))
	marks := []struct{ thousands, decimal string }{{"", "."}, {",", "."}, {".", ","}, {"'", "."}}
	f.Fuzz(func(t *testing.T, units int64, exponent, style uint8) {
		units %= 1 << 53
		mark, decimals := marks[int(style)%len(marks)], int(exponent%5)
		format, _ := newAmountFormat(Amounts{Thousands: mark.thousands, Decimal: mark.decimal})
		text := spell(units, decimals, mark.thousands, mark.decimal)
		if got, reason := format.parse([]byte(text), decimals); reason != "" || got != units {
			t.Errorf("%q was read as %d (%s), want %d", text, got, reason, units)
		}
	})
}
