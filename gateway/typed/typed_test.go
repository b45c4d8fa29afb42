package typed

import (
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/money"
)

func TestAmount(t *testing.T) {
	for _, c := range []struct {
		text     string
		currency money.Currency
		want     string
	}{
		{"100", "CNY", "100.00 CNY"},
		{" 100.5 ", "CNY", "100.50 CNY"},
		{"1,000.00", "CNY", "1000.00 CNY"},
		{"1,000,000", "CNY", "1000000.00 CNY"},
		{"1000.00 CNY", "CNY", "1000.00 CNY"},
		{"1,000.00 CNY", "", "1000.00 CNY"},
		{"007", "CNY", "7.00 CNY"},
		{"0", "CNY", "0.00 CNY"},
		{"1,000", "VND", "1000 VND"},
		{"1,50", "CNY", `"1,50" is not an amount; write it as 1,000.00 CNY`},
		{"1,5", "CNY", "is not an amount"},
		{"12,34.00", "CNY", "is not an amount"},
		{"1000,000", "CNY", "is not an amount"},
		{"1.000,00", "CNY", "is not an amount"},
		{"1.005", "CNY", "is not an amount"},
		{"1.5", "VND", "is not an amount; write it as 1,000 VND"},
		{"1.", "CNY", "is not an amount"},
		{".5", "CNY", "is not an amount"},
		{"-5", "CNY", "is not an amount"},
		{"1 000", "CNY", "is not an amount in CNY"},
		{"", "CNY", "is not an amount"},
		{"5.00 VND", "CNY", "is not an amount in CNY"},
		{"5.00", "", "names no currency"},
		{"5.00 XXQ", "", "is not a currency"},
		{"99999999999999999999", "CNY", "invalid"},
	} {
		got, err := Amount(c.text, c.currency)
		answer := got.String()
		if err != nil {
			answer = err.Error()
		}
		if !strings.Contains(answer, c.want) {
			t.Errorf("%q in %q: %s, not %s", c.text, c.currency, answer, c.want)
		}
	}
}

func TestShare(t *testing.T) {
	for _, c := range []struct {
		text string
		want int32
		back string
	}{
		{"10", 100_000, "10"}, {"4.1", 41_000, "4.1"}, {" 4.1 % ", 41_000, "4.1"}, {"0", 0, "0"}, {"100", 1_000_000, "100"}, {"0.0001", 1, "0.0001"},
		{"", -1, ""}, {"4,1", -1, ""}, {"0.00001", -1, ""}, {"-1", -1, ""}, {"ten", -1, ""}, {"1000", -1, ""},
	} {
		got, err := Share(c.text)
		if err != nil {
			got = -1
		}
		if got != c.want {
			t.Errorf("%q: %d, not %d: %v", c.text, got, c.want, err)
		}
		if err == nil && ShareText(got) != c.back {
			t.Errorf("%d is written %q, not %q", got, ShareText(got), c.back)
		}
	}
}

func FuzzAmount(f *testing.F) {
	for _, seed := range []string{"1,000.00", "1,50", "007", "1.5 CNY", "9,007,199,254,740.99"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		amount, err := Amount(text, "CNY")
		if err != nil {
			return
		}
		if again, err := Amount(amount.String(), "CNY"); err != nil || again != amount {
			t.Errorf("%q is read as %s, which is read as %s: %v", text, amount, again, err)
		}
	})
}

// TestQuoted: a figure is repeated, a name never.
func TestQuoted(t *testing.T) {
	for text, want := range map[string]string{"1,50": `"1,50"`, "5 EUR": `"5 EUR"`, "-3 %": `"-3 %"`, "": "what was typed", "Nobodyname": "what was typed", "虚构": "what was typed", "7 Nobodyname": "what was typed", "ADA": "what was typed"} {
		if got := Quoted(text); got != want {
			t.Errorf("%q is repeated as %s, not as %s", text, got, want)
		}
	}
}
