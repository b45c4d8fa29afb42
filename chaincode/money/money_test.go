package money_test

import (
	"math/big"
	"testing"

	"golang.org/x/text/currency"
	"pgregory.net/rapid"

	"github.com/lianbao/lianbao/chaincode/money"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text string
		want int64 // minor units; refused when refused is set
		ok   bool
	}{
		{"100.00 CNY", 10000, true},
		{"0.01 CNY", 1, true},
		{"0.00 CNY", 0, true},
		{"-0.01 CNY", -1, true},
		{"50000 VND", 50000, true},
		{"1.234 KWD", 1234, true},
		{"90071992547409.91 CNY", money.Max, true},
		{"90071992547409.92 CNY", 0, false},
		{"99999999999999999999.00 CNY", 0, false},
		{"-0.00 CNY", 0, false},
		{"100 CNY", 0, false},
		{"100.0 CNY", 0, false},
		{"100.000 CNY", 0, false},
		{"0100.00 CNY", 0, false},
		{"00.00 CNY", 0, false},
		{".50 CNY", 0, false},
		{"+1.00 CNY", 0, false},
		{"1.00 cny", 0, false},
		{"1.00  CNY", 0, false},
		{"1.00 CNY ", 0, false},
		{" 1.00 CNY", 0, false},
		{"1,00 CNY", 0, false},
		{"1e2 VND", 0, false},
		{"1.0 VND", 0, false},
		{"--1 VND", 0, false},
		{"１ VND", 0, false},
		{"1.00 XXX", 0, false},
		{"1.00", 0, false},
		{"", 0, false},
	} {
		got, err := money.Parse(c.text)
		if (err == nil) != c.ok || got.Units != c.want {
			t.Errorf("Parse(%q) = %d, %v", c.text, got.Units, err)
		}
		if c.ok && got.String() != c.text {
			t.Errorf("%q prints back as %q", c.text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"100.00 CNY", "-1 VND", "1.234 KWD", "00.1 CNY"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if amount, err := money.Parse(text); err == nil && amount.String() != text {
			t.Errorf("%q prints back as %q", text, amount)
		}
	})
}

// TestCurrenciesAgreeWithCLDR checks the table against an independent one.
func TestCurrenciesAgreeWithCLDR(t *testing.T) {
	// CLDR rounds these to fewer decimals in everyday use, or does not know them yet; ISO 4217 gives the figures here.
	differ := map[string]bool{"AFN": true, "ALL": true, "IQD": true, "IRR": true, "KPW": true, "LAK": true, "LBP": true,
		"MGA": true, "MMK": true, "RSD": true, "SOS": true, "SYP": true, "YER": true, "UYW": true, "MRU": true, "STN": true,
		"AMD": true, "COP": true, "GYD": true, "IDR": true, "MNT": true, "MUR": true, "PKR": true, "TZS": true, "UZS": true}
	known := 0
	for _, code := range money.Currencies() {
		unit, err := currency.ParseISO(string(code))
		if err != nil || differ[string(code)] {
			continue
		}
		known++
		want, _ := currency.Standard.Rounding(unit)
		if got, _ := code.Exponent(); got != want {
			t.Errorf("%s has %d decimals, CLDR says %d", code, got, want)
		}
	}
	if known < 130 {
		t.Errorf("only %d currencies were compared", known)
	}
}

func TestPositive(t *testing.T) {
	for _, c := range []struct {
		amount money.Amount
		want   string
	}{
		{money.New(1, "CNY"), ""},
		{money.New(0, "CNY"), "invalid: 0.00 CNY is not more than zero"},
		{money.New(-1, "CNY"), "invalid: -0.01 CNY is not more than zero"},
		{money.New(1, "VND"), "invalid: 1 VND is not in CNY, the currency of the account"},
		{money.New(money.Max+1, "CNY"), "invalid: the amount is larger than 90071992547409.91 CNY"},
	} {
		got := ""
		if err := c.amount.Positive("CNY"); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.amount, got, c.want)
		}
	}
}

func TestSumRefusesOverflow(t *testing.T) {
	if _, err := money.Sum(money.Max, 1); err == nil {
		t.Error("a total beyond Max was accepted")
	}
	if _, err := money.Sum(1<<63-1, 1<<63-1); err == nil {
		t.Error("a total that wraps was accepted")
	}
	if got, err := money.Sum(money.Max, -money.Max, 5); got != 5 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		total   int64
		weights []int64
		want    []int64
	}{
		{2, []int64{1, 1, 1}, []int64{1, 1, 0}},
		{100, []int64{1, 1, 1}, []int64{34, 33, 33}},
		{10, []int64{0, 1, 0}, []int64{0, 10, 0}},
		{1, []int64{0, 1, 2}, []int64{0, 0, 1}},
		{0, []int64{1, 2}, []int64{0, 0}},
		{money.Max, []int64{money.Max}, []int64{money.Max}},
	} {
		got, err := money.Split(c.total, c.weights)
		if err != nil {
			t.Errorf("Split(%d, %v): %v", c.total, c.weights, err)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("Split(%d, %v) = %v, want %v", c.total, c.weights, got, c.want)
				break
			}
		}
	}
	for _, bad := range [][]int64{nil, {0, 0}, {1, -1}, {money.Max, 1}} {
		if _, err := money.Split(10, bad); err == nil {
			t.Errorf("Split accepted the weights %v", bad)
		}
	}
}

// TestSplitIsExact: every unit is handed out, a zero weight gets zero, and no
// share is a whole unit away from its exact value (checked in big integers).
func TestSplitIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(0, money.Max).Draw(t, "total")
		weights := rapid.SliceOfN(rapid.Int64Range(0, 1<<40), 1, 60).Draw(t, "weights")
		weights = append(weights, 1)
		shares, err := money.Split(total, weights)
		if err != nil {
			t.Fatal(err)
		}
		var sum, all int64
		for _, w := range weights {
			all += w
		}
		for i, share := range shares {
			sum += share
			if weights[i] == 0 && share != 0 {
				t.Fatalf("a zero weight got %d", share)
			}
			exact := new(big.Int).Mul(big.NewInt(total), big.NewInt(weights[i]))
			got := new(big.Int).Mul(big.NewInt(share), big.NewInt(all))
			if new(big.Int).Abs(exact.Sub(exact, got)).Cmp(big.NewInt(all)) >= 0 {
				t.Fatalf("share %d of %d is a unit or more away", i, len(shares))
			}
		}
		if sum != total {
			t.Fatalf("handed out %d of %d", sum, total)
		}
	})
}
