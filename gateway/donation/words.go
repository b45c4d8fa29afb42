package donation

import (
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// Capital numerals and places, as the Payment and Settlement Rules
// (支付结算办法, annex 1, 1997) prescribe for papers about money.
var (
	capitals = []string{"零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"}
	places   = []string{"", "拾", "佰", "仟"}
)

// CapitalWords writes an amount in Chinese capital words: 人民币壹佰元整. It has
// one spelling for each amount. Where the rules leave a choice (annex 1, 3 and
// 4): 整 stands behind 元 alone, and 零 is written where the place of 元 is empty
// and that of 角 is not, so that nothing can be put between them.
func CapitalWords(a money.Amount) (string, error) {
	if err := a.Positive("CNY"); err != nil {
		return "", err
	}
	yuan, jiao, fen := a.Units/100, a.Units/10%10, a.Units%10
	words := "人民币"
	if yuan > 0 {
		words += whole(yuan) + "元"
	}
	switch {
	case jiao == 0 && fen == 0:
		return words + "整", nil
	case yuan > 0 && (jiao == 0 || yuan%10 == 0):
		words += capitals[0]
	}
	if jiao > 0 {
		words += capitals[jiao] + "角"
	}
	if fen > 0 {
		words += capitals[fen] + "分"
	}
	return words, nil
}

// whole writes a number of yuan, more than zero, below 10^16. Each of 亿 and 万
// counts how often it is in the number, and is followed by 零 where the rest
// does not fill the next place.
func whole(n int64) string {
	for _, unit := range []struct {
		size int64
		name string
	}{{1_0000_0000, "亿"}, {1_0000, "万"}} {
		if n < unit.size {
			continue
		}
		words, rest := whole(n/unit.size)+unit.name, n%unit.size
		if rest == 0 {
			return words
		}
		if rest < unit.size/10 {
			words += capitals[0]
		}
		return words + whole(rest)
	}
	return belowTenThousand(n)
}

// belowTenThousand writes one 零 for empty places between others, none for those at the end.
func belowTenThousand(n int64) string {
	words, empty := "", false
	for place, size := 3, int64(1000); place >= 0; place, size = place-1, size/10 {
		digit := n / size % 10
		if digit == 0 {
			empty = words != ""
			continue
		}
		if empty {
			words += capitals[0]
			empty = false
		}
		words += capitals[digit] + places[place]
	}
	return words
}

var (
	small = strings.Fields("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
	tens  = strings.Fields("- - twenty thirty forty fifty sixty seventy eighty ninety")
)

// EnglishWords writes an amount in English words: "One hundred yuan only". No
// "and" stands inside a number: it parts yuan from fen.
func EnglishWords(a money.Amount) (string, error) {
	if err := a.Positive("CNY"); err != nil {
		return "", err
	}
	yuan, fen := a.Units/100, a.Units%100
	var parts []string
	if yuan > 0 {
		parts = append(parts, english(yuan)+" yuan")
	}
	if fen > 0 {
		parts = append(parts, english(fen)+" fen")
	}
	words := strings.Join(parts, " and ") + " only"
	return strings.ToUpper(words[:1]) + words[1:], nil
}

func english(n int64) string {
	for _, unit := range []struct {
		size int64
		name string
	}{{1_000_000_000_000, "trillion"}, {1_000_000_000, "billion"}, {1_000_000, "million"}, {1000, "thousand"}, {100, "hundred"}} {
		if n < unit.size {
			continue
		}
		words := english(n/unit.size) + " " + unit.name
		if rest := n % unit.size; rest > 0 {
			words += " " + english(rest)
		}
		return words
	}
	switch {
	case n < 20:
		return small[n]
	case n%10 == 0:
		return tens[n/10]
	}
	return tens[n/10] + "-" + small[n%10]
}

// inCNY refuses amounts that a receipt has no words for.
func inCNY(a money.Amount) error {
	if a.Currency != "CNY" {
		return rule.Field("amount", rule.Refuse(rule.Unsupported, "a receipt states renminbi; %s is in another currency", a))
	}
	return rule.Field("amount", a.Positive("CNY"))
}
