package statement

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/lianbao/lianbao/chaincode/tape"
)

const settlementHeader = "date,time,reference,amount,fee,net,currency,status,payer_pseudonym,memo\n"

// inChinese is a file as Chinese processors write them: sums above the header,
// signs for fees, words for what became of each payment.
const inChinese = `v: 1
encoding: gb18030
header: find
columns: {date: 交易时间, reference: 流水号, amount: 金额, fee: 手续费, status: 状态, payer: 付款人, description: 备注}
dates: {layout: "yyyy-mm-dd hh:mi:ss"}
amounts: {thousands: ",", grouping: optional, debitNegative: true, empty: ["-"]}
currency: {code: CNY}
status: {paid: [成功], ignore: [关闭, 失败]}
rows:
  - {match: "^交易总额$", as: total, amount: "#2"}
  - {match: "^手续费合计$", as: total, fee: "#2"}
  - {match: "^实际结算$", as: total, net: "#2"}
`

const chineseFile = `虚构支付 商户结算明细,,,,,,
交易总额,"1,150.00",,,,,
手续费合计,-6.90,,,,,
实际结算,"1,143.10",,,,,
交易时间,流水号,金额,手续费,状态,付款人,备注
2026-03-01 08:00:01,VP001,"1,000.00",-6.00,成功,虚构甲,捐款
2026-03-01 09:10:00,VP002,50.00,-0.30,成功,虚构乙,
2026-03-01 09:11:00,VP003,20.00,-,关闭,虚构丙,
2026-03-02 10:00:00,VP004,100.00,-0.60,成功,虚构丁,
`

func describeSettlement(s Settlement) string {
	return fmt.Sprintf("%d gifts of %d less %d is %d %s, %d ignored, %s to %s", len(s.Gifts), s.Total, s.Fee, s.Net, s.Currency, s.Ignored, s.FirstDate, s.LastDate)
}

func TestSettlements(t *testing.T) {
	// 7 and 3 pay 0.06 and 0.04: totals are a row of the file that must agree.
	const two = "2026-03-01,08:00:00,A,7.00,0.06,6.94,CNY,paid,p,LB⏎2026-03-02,,B,3.00,0.04,2.96,CNY,paid,,⏎"
	for _, row := range table(t, `
# the rows below the standard header | what is read, or the refusal
`+two+`total,,,10.00,0.10,9.90,,,,                             | 2 gifts of 1000 less 10 is 990 CNY, 0 ignored, 2026-03-01 to 2026-03-02
`+two+`2026-03-02,,C,5.00,0.00,5.00,CNY,failed,,⏎total,,,10.00,0.10,9.90,,,, | 2 gifts of 1000 less 10 is 990 CNY, 1 ignored, 2026-03-01 to 2026-03-02
`+two+`total,,,10.00,0.10,,,,,                                 | 2 gifts of 1000 less 10 is 990 CNY, 0 ignored, 2026-03-01 to 2026-03-02
`+two+`total,,,10.01,0.10,9.91,,,,                             | conflict: row 4, column amount: a total of 10.01 CNY is stated; the rows of gifts give 10.00 CNY
`+two+`total,,,10.00,0.11,9.89,,,,                             | conflict: row 4, column fee: a total of 0.11 CNY is stated; the rows of gifts give 0.10 CNY
`+two+`total,,,10.00,0.10,9.91,,,,                             | conflict: row 4, column net: a total of 9.91 CNY is stated; the rows of gifts give 9.90 CNY
`+two+`                                                        | invalid: row 3 is the last, and no row of totals follows: the file was cut off
`+two+`2026-03-02,,A,1.00,0.00,1.00,CNY,paid,,⏎total,,,11.00,0.10,10.90,,,, | invalid: row 4, column reference: stands on row 2 already
2026-03-01,,A,7.00,0.06,6.93,CNY,paid,,                        | conflict: row 2, column net: 6.93 CNY is stated; 7.00 CNY less a fee of 0.06 CNY is 6.94 CNY
2026-03-01,,A,7.00,0.06,6.93,CNY,paid,,⏎2026-03-01,,B,x,0,1,CNY,paid,, | conflict: row 2, column net: 6.93 CNY is stated; 7.00 CNY less a fee of 0.06 CNY is 6.94 CNY; 1 more rows are at fault
2026-03-01,,A,-7.00,0.00,-7.00,CNY,paid,,                      | invalid: row 2, column amount: "-7.00" is not more than zero; what goes back to a giver is no gift of this file
2026-03-01,,A,0.00,0.00,0.00,CNY,paid,,                        | invalid: row 2, column amount: "0.00" is not more than zero; what goes back to a giver is no gift of this file
2026-03-01,,A,7.00,-0.06,7.06,CNY,paid,,                       | invalid: row 2, column fee: the fee of -0.06 CNY is negative or more than the amount of 7.00 CNY
2026-03-01,,A,7.00,7.01,-0.01,CNY,paid,,                       | invalid: row 2, column fee: the fee of 7.01 CNY is negative or more than the amount of 7.00 CNY
2026-03-01,,A,7.00,7.00,0.00,CNY,paid,,⏎total,,,7.00,7.00,0.00,,,, | invalid: 7.00 CNY less a fee of 7.00 CNY leaves nothing that a bank could show
2026-03-01,,A,7.00,0.06,6.94,CNY,refunded,,                    | invalid: row 2, column status: "refunded" is neither a word for a gift that was paid nor one to ignore
2026-03-01,,,7.00,0.06,6.94,CNY,paid,,                         | invalid: row 2, column reference: is empty
2026-03-01,,A,7.00,0.06,6.94,USD,paid,,⏎2026-03-01,,B,7.00,0.06,6.94,CNY,paid,, | invalid: row 3, column currency: CNY in a statement in USD
2026-03-01,,A,7.00,0.06,6.94,CNY,paid,                         | invalid: row 2 has 9 columns where 10 belong
01.03.2026,,A,7.00,0.06,6.94,CNY,paid,,                        | invalid: row 2, column date: "01.03.2026" is not a date in the layout of this file
2026-03-01,,A,7.00,0.06,6.94,CNY,paid, p,                      | invalid: row 2, column payer_pseudonym: has spaces at its ends
2026-03-01,,A,7.00,"0.06,6.94,CNY,paid,,                       | invalid: row 2 ends inside quotes: the file was cut off, or a quote is not doubled
total,,,0.00,0.00,0.00,,,,                                     | invalid: the file holds no gift
2026-03-01,,A,7.00,0.06,6.94,CNY,failed,,                      | invalid: the file holds no gift
`, 2) {
		s, err := ReadSettlementFrom(strings.NewReader(settlementHeader+row.asked[0]), Mapping{})
		got := describeSettlement(s)
		if err != nil {
			wantRefusal(t, err)
			got = err.Error()
		}
		if got != row.answer {
			t.Errorf("%s\n got %s\nwant %s", row.asked[0], got, row.answer)
		}
	}
}

// TestSettlementInChinese reads a file in GB 18030 and in UTF-8: the same gifts, the same digest.
func TestSettlementInChinese(t *testing.T) {
	mapping, err := ParseSettlementMapping([]byte(inChinese))
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := simplifiedchinese.GB18030.NewEncoder().String(chineseFile)
	if err != nil {
		t.Fatal(err)
	}
	read := func(text string, m Mapping) Settlement {
		t.Helper()
		s, err := ReadSettlementFrom(strings.NewReader(text), m)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := read(encoded, mapping)
	if got, want := describeSettlement(s), "3 gifts of 115000 less 690 is 114310 CNY, 1 ignored, 2026-03-01 to 2026-03-02"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if want := (Collected{Row: 6, Date: "2026-03-01", Time: "08:00:01", Reference: "VP001", Amount: 100000, Payer: "虚构甲", Memo: "捐款"}); s.Gifts[0] != want {
		t.Errorf("got %+v\nwant %+v", s.Gifts[0], want)
	}
	plain := mapping
	plain.Encoding = ""
	if again := read("\ufeff"+chineseFile, plain); !reflect.DeepEqual(again, s) {
		t.Errorf("in UTF-8 it is another file: %+v", again)
	}
	if edited := read(strings.Replace(chineseFile, "捐款", "捐", 1), plain); edited.Digest == s.Digest {
		t.Error("an edited memo leaves the digest as it was")
	}
	for _, c := range []struct{ was, is, want string }{
		{"手续费合计,-6.90", "手续费合计,-6.91", "conflict: row 3, column #2: a total of 6.91 CNY is stated; the rows of gifts give 6.90 CNY"},
		{"实际结算,\"1,143.10\"", "实际结算,\"1,143.11\"", "conflict: row 4, column #2: a total of 1143.11 CNY is stated; the rows of gifts give 1143.10 CNY"},
		{"-0.30,成功", "-0.30,退款", `invalid: row 7, column 状态: "退款" is neither a word for a gift that was paid nor one to ignore`},
		{"50.00,-0.30", "50.00,0.30", "invalid: row 7, column 手续费: the fee of -0.30 CNY is negative or more than the amount of 50.00 CNY"},
	} {
		if _, err := ReadSettlementFrom(strings.NewReader(strings.Replace(chineseFile, c.was, c.is, 1)), plain); fmt.Sprint(err) != c.want {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
	}
}

func TestSettlementMappings(t *testing.T) {
	const columns = "v: 1, currency: {code: CNY}, columns: {date: D, reference: R, amount: A"
	for _, row := range table(t, `
# the mapping | rows below the header D,R,A,F,N,S | what is read, or the refusal
{`+columns+`, fee: F}}                      | 2026-03-01,a,5.00,0.10,,      | 1 gifts of 500 less 10 is 490 CNY, 0 ignored, 2026-03-01 to 2026-03-01
{`+columns+`, net: N}}                      | 2026-03-01,a,5.00,,4.90,      | 1 gifts of 500 less 10 is 490 CNY, 0 ignored, 2026-03-01 to 2026-03-01
{`+columns+`, net: N}}                      | 2026-03-01,a,5.00,,5.10,      | invalid: row 2, column N: the fee of -0.10 CNY is negative or more than the amount of 5.00 CNY
{`+columns+`}}                              | 2026-03-01,a,5.00,,,          | invalid: neither the rows nor a total say what the processor kept; map a column fee or net, or a row of totals
{`+columns+`}, rows: [{match: ^T$, as: total, net: "#5"}]}  | 2026-03-01,a,5.00,,,⏎T,,5.00,,4.90, | 1 gifts of 500 less 10 is 490 CNY, 0 ignored, 2026-03-01 to 2026-03-01
{`+columns+`}, rows: [{match: ^T$, as: total, fee: "#4"}]}  | 2026-03-01,a,5.00,,,⏎T,,5.00,0.10,, | 1 gifts of 500 less 10 is 490 CNY, 0 ignored, 2026-03-01 to 2026-03-01
{`+columns+`}, rows: [{match: ^T$, as: total, fee: "#4", net: "#5"}]} | 2026-03-01,a,5.00,,,⏎T,,,0.10,4.91, | conflict: row 3, column #5: a total of 4.91 CNY is stated; the rows of gifts give 4.90 CNY
{`+columns+`, fee: F}, rows: [{match: ^T$, as: end}]}       | 2026-03-01,a,5.00,0.10,,⏎T⏎2026-03-01,b,5.00,,, | invalid: row 4 looks like a line, but stands after the end that row 3 marks
{`+columns+`, status: S}}                   | x                             | invalid: field mapping.status: a status column needs the words for paid, and they need it
{`+columns+`}, status: {paid: [x]}}         | x                             | invalid: field mapping.status: a status column needs the words for paid, and they need it
{`+columns+`, status: S}, status: {paid: [x], ignore: [x]}} | x             | invalid: field mapping.status: "x" is there twice or empty
{`+columns+`, balance: B}}                  | x                             | invalid: field mapping.columns: line, debit, credit, direction and balance are for a bank's statement
{`+columns+`}, balances: {opening: "1.00 CNY"}} | x                         | invalid: field mapping.balances: are for a bank's statement
{`+columns+`}, classify: [{match: x, as: fee}]} | x                         | invalid: field mapping.classify: is for a bank's statement; here status tells
{`+columns+`}, amounts: {debitNegative: true}} | x                          | invalid: field mapping.amounts.debitNegative: is for a fee column
{`+columns+`}, rows: [{match: x, as: opening}]} | x                         | invalid: field mapping.rows[0]: opening, closing, debit and credit are for a bank's statement
{`+columns+`}, rows: [{match: x, as: end, fee: "#1"}]} | x                  | invalid: field mapping.rows[0].fee: and net are for total
{v: 1, currency: {code: CNY}, columns: {date: D, amount: A}} | x            | invalid: field mapping.columns.reference: is missing
{v: 2}                                      | x                             | unsupported: field mapping.v: must be 1; it is 2
`, 3) {
		var got string
		mapping, err := ParseSettlementMapping([]byte(row.asked[0]))
		if err == nil {
			var s Settlement
			s, err = ReadSettlementFrom(strings.NewReader("D,R,A,F,N,S\n"+row.asked[1]+"\n"), mapping)
			got = describeSettlement(s)
		}
		if err != nil {
			wantRefusal(t, err)
			got = err.Error()
		}
		if got != row.answer {
			t.Errorf("%s\n got %s\nwant %s", row.asked[0], got, row.answer)
		}
	}
	for _, row := range table(t, `
{v: 1, columns: {date: D, credit: C, fee: F}, currency: {code: CNY}}                                   | invalid: field mapping.columns: fee, net and status are for a processor's file
{v: 1, columns: {date: D, credit: C}, status: {paid: [x]}, currency: {code: CNY}}                      | invalid: field mapping.status: is for a processor's file
{v: 1, columns: {date: D, credit: C}, rows: [{match: x, as: total, net: "#1"}], currency: {code: CNY}} | invalid: field mapping.rows[0]: amount, fee and net of a total are for a processor's file
`, 2) {
		if _, err := ParseMapping([]byte(row.asked[0])); fmt.Sprint(err) != row.answer {
			t.Errorf("%s\n got %v\nwant %s", row.asked[0], err, row.answer)
		}
	}
}

// TestSettlementOfMany: one line of the bank carries one page of gifts, and no more.
func TestSettlementOfMany(t *testing.T) {
	for gifts, want := range map[int]string{
		tape.PageGiftsMax:     "-",
		tape.PageGiftsMax + 1: fmt.Sprintf("invalid: row %d is beyond the %d gifts that one line of the bank can carry", tape.PageGiftsMax+2, tape.PageGiftsMax),
	} {
		var text strings.Builder
		text.WriteString(settlementHeader)
		for i := range gifts {
			fmt.Fprintf(&text, "2026-03-01,,R%d,1.00,0.00,1.00,CNY,paid,,\n", i)
		}
		fmt.Fprintf(&text, "total,,,%d.00,0.00,%d.00,,,,\n", gifts, gifts)
		_, err := ReadSettlementFrom(strings.NewReader(text.String()), Mapping{})
		got := "-"
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%d gifts: %s", gifts, got)
		}
	}
}

// FuzzSettlement reads any bytes: only refusals, and what is read adds up.
func FuzzSettlement(f *testing.F) {
	chinese, err := ParseSettlementMapping([]byte(inChinese))
	if err != nil {
		f.Fatal(err)
	}
	chinese.Encoding = ""
	f.Add([]byte(settlementHeader+"2026-03-01,,A,7.00,0.06,6.94,CNY,paid,,\ntotal,,,7.00,0.06,6.94,,,,\n"), false)
	f.Add([]byte(chineseFile), true)
	f.Fuzz(func(t *testing.T, data []byte, mapped bool) {
		mapping := Mapping{}
		if mapped {
			mapping = chinese
		}
		s, err := ReadSettlementFrom(bytes.NewReader(data), mapping)
		again, _ := ReadSettlementFrom(bytes.NewReader(data), mapping)
		if !reflect.DeepEqual(s, again) {
			t.Fatal("two readings differ")
		}
		if err != nil {
			wantRefusal(t, err)
			return
		}
		var total int64
		for _, gift := range s.Gifts {
			total += gift.Amount
		}
		if total != s.Total || s.Total != s.Fee+s.Net || s.Net <= 0 || s.Fee < 0 || s.Currency == "" {
			t.Errorf("it does not add up: %s", describeSettlement(s))
		}
	})
}
