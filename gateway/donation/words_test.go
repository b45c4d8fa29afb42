package donation

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lianbao/lianbao/chaincode/money"
)

// amounts are from the rules' own examples (marked *), the traps around 零, and the ends.
const amounts = `
0.01 | 壹分 | One fen only
0.02 | 贰分 | Two fen only
0.10 | 壹角 | Ten fen only
0.11 | 壹角壹分 | Eleven fen only
0.20 | 贰角 | Twenty fen only
0.99 | 玖角玖分 | Ninety-nine fen only
1.00 | 壹元整 | One yuan only
1.01 | 壹元零壹分 | One yuan and one fen only
1.10 | 壹元壹角 | One yuan and ten fen only
1.11 | 壹元壹角壹分 | One yuan and eleven fen only
9.90 | 玖元玖角 | Nine yuan and ninety fen only
10.00 | 壹拾元整 | Ten yuan only
10.01 | 壹拾元零壹分 | Ten yuan and one fen only
10.10 | 壹拾元零壹角 | Ten yuan and ten fen only
10.11 | 壹拾元零壹角壹分 | Ten yuan and eleven fen only
11.00 | 壹拾壹元整 | Eleven yuan only
12.34 | 壹拾贰元叁角肆分 | Twelve yuan and thirty-four fen only
19.00 | 壹拾玖元整 | Nineteen yuan only
20.00 | 贰拾元整 | Twenty yuan only
21.00 | 贰拾壹元整 | Twenty-one yuan only
99.00 | 玖拾玖元整 | Ninety-nine yuan only
100.00 | 壹佰元整 | One hundred yuan only
100.05 | 壹佰元零伍分 | One hundred yuan and five fen only
100.50 | 壹佰元零伍角 | One hundred yuan and fifty fen only
101.00 | 壹佰零壹元整 | One hundred one yuan only
110.00 | 壹佰壹拾元整 | One hundred ten yuan only
111.00 | 壹佰壹拾壹元整 | One hundred eleven yuan only
325.04 | 叁佰贰拾伍元零肆分 | Three hundred twenty-five yuan and four fen only
1000.00 | 壹仟元整 | One thousand yuan only
1001.00 | 壹仟零壹元整 | One thousand one yuan only
1010.00 | 壹仟零壹拾元整 | One thousand ten yuan only
1010.10 | 壹仟零壹拾元零壹角 | One thousand ten yuan and ten fen only
1011.00 | 壹仟零壹拾壹元整 | One thousand eleven yuan only
1100.00 | 壹仟壹佰元整 | One thousand one hundred yuan only
1101.00 | 壹仟壹佰零壹元整 | One thousand one hundred one yuan only
1409.50 | 壹仟肆佰零玖元伍角 | One thousand four hundred nine yuan and fifty fen only
1680.32 | 壹仟陆佰捌拾元零叁角贰分 | One thousand six hundred eighty yuan and thirty-two fen only
6007.14 | 陆仟零柒元壹角肆分 | Six thousand seven yuan and fourteen fen only
10000.00 | 壹万元整 | Ten thousand yuan only
10000.01 | 壹万元零壹分 | Ten thousand yuan and one fen only
10001.00 | 壹万零壹元整 | Ten thousand one yuan only
10010.00 | 壹万零壹拾元整 | Ten thousand ten yuan only
10100.00 | 壹万零壹佰元整 | Ten thousand one hundred yuan only
11000.00 | 壹万壹仟元整 | Eleven thousand yuan only
16409.02 | 壹万陆仟肆佰零玖元零贰分 | Sixteen thousand four hundred nine yuan and two fen only
100000.00 | 壹拾万元整 | One hundred thousand yuan only
100001.00 | 壹拾万零壹元整 | One hundred thousand one yuan only
101000.00 | 壹拾万壹仟元整 | One hundred one thousand yuan only
107000.53 | 壹拾万柒仟元零伍角叁分 | One hundred seven thousand yuan and fifty-three fen only
110000.00 | 壹拾壹万元整 | One hundred ten thousand yuan only
1000000.00 | 壹佰万元整 | One million yuan only
1000010.00 | 壹佰万零壹拾元整 | One million ten yuan only
1010101.01 | 壹佰零壹万零壹佰零壹元零壹分 | One million ten thousand one hundred one yuan and one fen only
10000000.00 | 壹仟万元整 | Ten million yuan only
10010000.00 | 壹仟零壹万元整 | Ten million ten thousand yuan only
10010010.00 | 壹仟零壹万零壹拾元整 | Ten million ten thousand ten yuan only
100000000.00 | 壹亿元整 | One hundred million yuan only
100000000.01 | 壹亿元零壹分 | One hundred million yuan and one fen only
100000001.00 | 壹亿零壹元整 | One hundred million one yuan only
100010000.00 | 壹亿零壹万元整 | One hundred million ten thousand yuan only
100010001.00 | 壹亿零壹万零壹元整 | One hundred million ten thousand one yuan only
101000000.00 | 壹亿零壹佰万元整 | One hundred one million yuan only
110000000.00 | 壹亿壹仟万元整 | One hundred ten million yuan only
120030450.67 | 壹亿贰仟零叁万零肆佰伍拾元零陆角柒分 | One hundred twenty million thirty thousand four hundred fifty yuan and sixty-seven fen only
1000000000.00 | 壹拾亿元整 | One billion yuan only
10000000000.00 | 壹佰亿元整 | Ten billion yuan only
100000000001.05 | 壹仟亿零壹元零伍分 | One hundred billion one yuan and five fen only
100010000000.00 | 壹仟亿壹仟万元整 | One hundred billion ten million yuan only
1000000000000.00 | 壹万亿元整 | One trillion yuan only
1000100000000.00 | 壹万零壹亿元整 | One trillion one hundred million yuan only
10000000000000.10 | 壹拾万亿元零壹角 | Ten trillion yuan and ten fen only
90071992547409.91 | 玖拾万零柒佰壹拾玖亿玖仟贰佰伍拾肆万柒仟肆佰零玖元玖角壹分 | Ninety trillion seventy-one billion nine hundred ninety-two million five hundred forty-seven thousand four hundred nine yuan and ninety-one fen only
`

func TestAmountsInWords(t *testing.T) {
	n := 0
	for line := range strings.Lines(strings.TrimSpace(amounts)) {
		fields := strings.Split(strings.TrimSpace(line), " | ")
		if len(fields) != 3 {
			continue
		}
		n++
		amount, err := money.Parse(fields[0] + " CNY")
		if err != nil {
			t.Fatal(err)
		}
		chinese, err := CapitalWords(amount)
		if err != nil || chinese != "人民币"+fields[1] {
			t.Errorf("%s is %s, want 人民币%s, %v", amount, chinese, fields[1], err)
		}
		english, err := EnglishWords(amount)
		if err != nil || english != fields[2] {
			t.Errorf("%s is %q, want %q, %v", amount, english, fields[2], err)
		}
	}
	if n < 60 {
		t.Errorf("only %d cases", n)
	}
}

func TestAmountsWithoutWords(t *testing.T) {
	for _, a := range []money.Amount{{}, money.New(0, "CNY"), money.New(-1, "CNY"), money.New(100, "VND"), money.New(money.Max+1, "CNY")} {
		if words, err := CapitalWords(a); err == nil {
			t.Errorf("%v is %s", a, words)
		}
		if words, err := EnglishWords(a); err == nil {
			t.Errorf("%v is %s", a, words)
		}
	}
}

// TestCapitalWordsReadBack reads the words with a reader that knows nothing of
// how they were written, and checks the rules of 零 and 整.
func TestCapitalWordsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.Int64Range(1, money.Max).Draw(t, "units")
		for sparse := rapid.IntRange(0, 12).Draw(t, "sparse"); sparse > 0; sparse-- { // zeros are where the traps are
			size := int64(1)
			for range rapid.IntRange(0, 14).Draw(t, "place") {
				size *= 10
			}
			units -= units / size % 10 * size
		}
		if units == 0 {
			return
		}
		words, err := CapitalWords(money.New(units, "CNY"))
		if err != nil || readBack(words) != units {
			t.Fatal(units, words, err)
		}
		if strings.Contains(words, "零零") || strings.Contains(words, "零元") || strings.Contains(words, "零万") || strings.Contains(words, "零亿") ||
			strings.HasSuffix(words, "零") || strings.HasSuffix(words, "元") || strings.HasSuffix(words, "分整") || strings.HasPrefix(words, "人民币零") {
			t.Fatal(words)
		}
	})
}

func readBack(words string) int64 {
	var total, section, digit int64
	var yuan int64
	for _, r := range strings.TrimPrefix(words, "人民币") {
		switch r {
		case '拾', '佰', '仟':
			section += digit * map[rune]int64{'拾': 10, '佰': 100, '仟': 1000}[r]
			digit = 0
		case '万':
			total, section, digit = total+(section+digit)*10000, 0, 0
		case '亿':
			total, section, digit = (total+section+digit)*1_0000_0000, 0, 0
		case '元':
			yuan, total, section, digit = total+section+digit, 0, 0, 0
		case '角', '分':
			total += digit * map[rune]int64{'角': 10, '分': 1}[r]
			digit = 0
		case '整', '零':
		default:
			for i, c := range capitals {
				if c == string(r) {
					digit = int64(i)
				}
			}
		}
	}
	return yuan*100 + total
}

func ExampleCapitalWords() {
	words, _ := CapitalWords(money.New(10000, "CNY"))
	fmt.Println(words)
	// Output: 人民币壹佰元整
}
