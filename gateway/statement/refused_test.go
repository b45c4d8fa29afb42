package statement

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

const standardHeader = "line,booking_date,booking_time,bank_reference,debit,credit,currency,payer_pseudonym\n"

// firstError reads a text with a mapping and returns the first refusal, "-" when there is none.
func firstError(t *testing.T, text string, m Mapping) string {
	t.Helper()
	_, err := SurveyFrom(strings.NewReader(text), m)
	if err == nil {
		return "-"
	}
	wantRefusal(t, err)
	return err.Error()
}

func TestStandardRowsRefused(t *testing.T) {
	for _, row := range table(t, `
# the rows below the standard header | the first refusal
1,2024-09-01,,R,0,50000,VND,p                                | -
1,2024-09-01,08:00:01,R,0,50000,VND,p                        | -
                                                             | -
1,2024-09-01,,R,0,1.2.3,VND,p                                | invalid: row 2, column credit: "1.2.3" is not an amount in VND
1,2024-09-01,,R,0,50000.00,VND,p                             | invalid: row 2, column credit: "50000.00" is not an amount in VND: too many decimals
1,2024-09-01,,R,0.00,5.5,CNY,p                               | invalid: row 2, column credit: "5.5" is not an amount in CNY: too few decimals
1,2024-09-01,,R,0,9007199254740992,VND,p                     | invalid: row 2, column credit: "9007199254740992" is not an amount in VND: too large
1,2024-09-01,,R,0,-5,VND,p                                   | invalid: row 2, column credit: "-5" is negative, which this column must not be
1,2024-09-01,,R,-5,0,VND,p                                   | invalid: row 2, column debit: "-5" is negative, which this column must not be
1,2024-09-01,,R,5,5,VND,p                                    | invalid: row 2, column debit: debit and credit are both more than zero
1,2024-09-01,,R,,5,VND,p                                     | invalid: row 2, column debit: "" is not an amount in VND
1,2024-09-01,,R,0, 5,VND,p                                   | invalid: row 2, column credit: has spaces at its ends
1,2024-09-01,,R ,0,5,VND,p                                   | invalid: row 2, column bank_reference: has spaces at its ends
1,2024-09-01,,R,0,5,vnd,p                                    | invalid: row 2, column currency: "vnd" is not a currency of ISO 4217
1,2024-09-01,,R,0,5,XXX,p                                    | invalid: row 2, column currency: "XXX" is not a currency of ISO 4217
1,2024-09-01,,R,0,5,,p                                       | invalid: row 2, column currency: "" is not a currency of ISO 4217
1,2024-09-01,,R,0,5,VND,p⏎2,2024-09-01,,R,0,5,JPY,p          | invalid: row 3, column currency: JPY in a statement in VND
1,01/09/2024,,R,0,5,VND,p                                    | invalid: row 2, column booking_date: "01/09/2024" is not a date in the layout of this file
1,2024-02-30,,R,0,5,VND,p                                    | invalid: row 2, column booking_date: "2024-02-30" is not a date in the layout of this file
1,,,R,0,5,VND,p                                              | invalid: row 2, column booking_date: "" is not a date in the layout of this file
1,2024-09-01,8:00,R,0,5,VND,p                                | invalid: row 2, column booking_time: "8:00" is not a time in the layout of this file
1,2024-09-01,,R,0,5,VND                                      | invalid: row 2 has 7 columns where 8 belong
1,2024-09-01,,R,0,5,VND,p,                                   | invalid: row 2 has 9 columns where 8 belong
0,2024-09-01,,R,0,5,VND,p                                    | invalid: row 2, column line: "0" is not a line number
01,2024-09-01,,R,0,5,VND,p                                   | invalid: row 2, column line: "01" is not a line number
x,2024-09-01,,R,0,5,VND,p                                    | invalid: row 2, column line: "x" is not a line number
,2024-09-01,,R,0,5,VND,p                                     | invalid: row 2, column line: "" is not a line number
99999999999999999999,2024-09-01,,R,0,5,VND,p                 | invalid: row 2, column line: "99999999999999999999" is not a line number
1,2024-09-01,,R,0,5,VND,p⏎1,2024-09-01,,R,0,5,VND,p          | invalid: row 3, column line: line 1 stands where line 2 belongs
1,2024-09-01,,R,0,5,VND,p⏎3,2024-09-01,,R,0,5,VND,p          | invalid: row 3, column line: line 3 stands where line 2 belongs
1,2024-09-01,,"R⏎2",0,5,VND,p⏎2,2024-09-01,,R,0,x,VND,p      | invalid: row 3, column credit: "x" is not an amount in VND
1,2024-09-01,,"R,0,5,VND,p                                   | invalid: row 2 ends inside quotes: the file was cut off, or a quote is not doubled
1,2024-09-01,,R,0,9007199254740991,VND,p⏎2,2024-09-01,,R,0,1,VND,p | invalid: row 3 brings the statement's total beyond 9007199254740991 minor units
`, 2) {
		if got := firstError(t, standardHeader+row.asked[0]+"\n", Mapping{}); got != row.answer {
			t.Errorf("%q\n got %s\nwant %s", row.asked[0], got, row.answer)
		}
	}
}

func TestFilesRefused(t *testing.T) {
	bytesOf := strings.NewReplacer(`\x00`, "\x00", `\xff`, "\xff", `\x1b`, "\x1b", `\r`, "\r")
	for _, row := range table(t, `
# the whole file | the first refusal
                                                | invalid: row 1: the file ends before its header
Datum,Betrag⏎                                   | invalid: row 1: "Datum" is not a standard header; describe this bank's columns in a mapping file, see docs/import.md
line,booking_date,debit,credit,currency⏎        | invalid: row 1: the standard header booking_time is missing; describe this bank's columns in a mapping file, see docs/import.md
line,line,booking_date,booking_time,bank_reference,debit,credit,currency,payer_pseudonym⏎ | invalid: row 1: "line" is not a standard header; describe this bank's columns in a mapping file, see docs/import.md
PK`+"\x03\x04"+`                                | invalid: the file is an Excel workbook or a zip archive; save the statement as CSV
%PDF-1.4                                        | invalid: the file is a PDF file; save the statement as CSV
li\x00ne                                        | invalid: row 1 holds the control character 0x00: another encoding, or not a text file
li\x1b[2Jne                                     | invalid: row 1 holds the control character 0x1b: another encoding, or not a text file
li\rne                                          | invalid: row 1 holds the control character 0x0d: another encoding, or not a text file
l\xffne                                         | invalid: row 1 is not text in the encoding that was expected; name the right one in the mapping
l�ne                                            | invalid: row 1 is not text in the encoding that was expected; name the right one in the mapping
`, 2) {
		if got := firstError(t, bytesOf.Replace(row.asked[0]), Mapping{}); got != row.answer {
			t.Errorf("%q\n got %s\nwant %s", row.asked[0], got, row.answer)
		}
	}
}

const balanceMapping = `{v: 1, columns: {date: D, credit: C, debit: O, balance: B}, currency: {code: VND}, amounts: {thousands: ","},
 rows: [{match: "^Opening$", as: opening}, {match: "^Closing$", as: closing}, {match: "^Total$", as: total}, {match: "^End$", as: end}]`

func TestBalancesAndTotals(t *testing.T) {
	for _, row := range table(t, `
# what the mapping adds | the rows below the header | opening and closing, or the refusal
                              | 2024-09-01,10,,110⏎2024-09-02,,5,105                      | 100 105
                              | 2024-09-01,10,,110⏎2024-09-02,,5,106                      | conflict: row 3: the balance is stated as 106 VND; the lines up to here give 105 VND
                              | 2024-09-01,10,,⏎2024-09-02,,5,105                         | 100 105
                              | 2024-09-01,10,,⏎2024-09-02,,5,                            | - -
                              | Opening,,,100⏎2024-09-01,10,,                             | 100 110
                              | Opening,,,100⏎2024-09-01,10,,111                          | conflict: row 3: the balance is stated as 111 VND; the lines up to here give 110 VND
                              | 2024-09-01,10,,⏎Closing,,,110                             | 100 110
                              | 2024-09-01,10,,⏎Opening,,,100⏎Closing,,,110               | 100 110
                              | 2024-09-01,10,,⏎Opening,,,100⏎Closing,,,111               | conflict: the closing balance is stated as 111 VND; the lines give 110 VND
                              | 2024-09-01,10,,110⏎Opening,,,101                          | conflict: the opening balance is stated as 101 VND; the lines give 100 VND
                              | Opening,,,100⏎Opening,,,101                               | conflict: row 3: the opening balance is 101 VND here and 100 VND before
                              | Opening,,,100⏎Opening,,,100                               | 100 100
                              | Opening,,,x                                               | invalid: row 2, column opening: "x" is not an amount in VND
                              | Opening,,,                                                | invalid: row 2, column opening: "" is not an amount in VND
                              | Opening,,,-100⏎2024-09-01,10,,-90                         | -100 -90
                              | 2024-09-01,10,,⏎2024-09-01,,3,⏎Total,10,3,                | - -
                              | 2024-09-01,10,,⏎2024-09-01,,3,⏎Total,11,3,                | conflict: row 4: the total credit is stated as 11 VND; the lines above give 10 VND
                              | 2024-09-01,10,,⏎2024-09-01,,3,⏎Total,10,4,                | conflict: row 4: the total debit is stated as 4 VND; the lines above give 3 VND
                              | 2024-09-01,10,,⏎Total,,,⏎2024-09-01,5,,⏎Total,15,,        | - -
                              | End,,,⏎2024-09-01,10,,                                    | invalid: row 3 looks like a line, but stands after the end that row 2 marks
                              | End,,,⏎printed by nobody,,,                               | - -
balances: {opening: "100 VND"}, | 2024-09-01,10,,111                                      | conflict: row 2: the balance is stated as 111 VND; the lines up to here give 110 VND
balances: {opening: "100 VND", closing: "110 VND"}, | 2024-09-01,10,,                     | 100 110
balances: {opening: "100 VND", closing: "100 VND"}, | 2024-09-01,10,,                     | conflict: the closing balance is stated as 100 VND; the lines give 110 VND
balances: {opening: "7 VND"}, |                                                           | 7 7
balances: {opening: "7 VND", closing: "8 VND"}, |                                         | conflict: the closing balance is stated as 8 VND; the lines give 7 VND
balances: {order: newest-first}, | 2024-09-02,,5,105⏎2024-09-01,10,,110                   | 100 105
balances: {order: newest-first}, | 2024-09-02,,5,105⏎2024-09-01,10,,111                   | conflict: row 3: the balance is stated as 111 VND; the lines up to here give 110 VND
balances: {order: newest-first}, | 2024-09-02,,5,⏎2024-09-01,10,,110                      | 100 105
balances: {order: newest-first}, | 2024-09-02,,5,⏎2024-09-01,10,,⏎Opening,,,100           | 100 105
balances: {order: newest-first}, | 2024-09-02,,5,105⏎2024-09-01,10,,110⏎Opening,,,99      | conflict: the opening balance is stated as 99 VND; the lines give 100 VND
`, 3) {
		mapping, err := ParseMapping([]byte(balanceMapping + ", " + strings.TrimSuffix(row.asked[0], ",") + "}"))
		if err != nil {
			t.Fatal(err)
		}
		summary, err := SurveyFrom(strings.NewReader("D,C,O,B\n"+row.asked[1]+"\n"), mapping)
		got := "- -"
		if summary.Opening != nil && summary.Closing != nil {
			got = spell(*summary.Opening, 0, "", "") + " " + spell(*summary.Closing, 0, "", "")
		}
		if err != nil {
			got = err.Error()
		}
		if got != row.answer {
			t.Errorf("%s %q\n got %s\nwant %s", row.asked[0], row.asked[1], got, row.answer)
		}
	}
}

func TestMappedRowsRefused(t *testing.T) {
	for _, row := range table(t, `
# mapping without v | the whole file | the first refusal
columns: {date: D, amount: A}, currency: {code: CNY}                   | D,A⏎2024-09-01,5.00            | -
columns: {date: D, amount: A}, currency: {code: CNY}                   | D,A⏎2024-09-01,5.00,,          | -
columns: {date: D, amount: A}, currency: {code: CNY}                   | D,A,⏎2024-09-01,5.00           | -
columns: {date: D, amount: A}, currency: {code: CNY}                   | D,A⏎2024-09-01,5.00,x          | invalid: row 2 has 3 columns where 2 belong
columns: {date: D, amount: A}, currency: {code: CNY}                   | D,A⏎2024-09-01                 | invalid: row 2 has 1 columns where 2 belong
columns: {date: D, amount: A}, currency: {code: CNY}                   | D,A⏎2024-09-01,                | invalid: row 2, column A: "" is not an amount in CNY
columns: {date: D, amount: A}, currency: {code: CNY}                   | D,A⏎ , ⏎                       | -
columns: {date: D, amount: A}, currency: {code: CNY}                   | D,B⏎2024-09-01,5.00            | invalid: row 1: no column is headed "A"; the header is "D, B"
columns: {date: D, amount: A}, currency: {code: CNY}                   | D,A,A⏎2024-09-01,5.00,6.00     | invalid: row 1: two columns are headed "A"; name one by its position, as "#2"
columns: {date: D, amount: "#3"}, currency: {code: CNY}                | D,A,A⏎2024-09-01,x,6.00        | -
columns: {date: D, amount: "#4"}, currency: {code: CNY}                | D,A,A⏎2024-09-01,5.00,6.00     | invalid: row 1: the header has 3 columns; the mapping names #4
columns: {date: "#1", amount: "#2"}, header: none, currency: {code: CNY} | 2024-09-01                   | invalid: row 1 has 1 columns where 2 belong
columns: {date: D, amount: A}, header: find, currency: {code: CNY}     | x⏎D,A⏎2024-09-01,y             | invalid: row 3, column A: "y" is not an amount in CNY
columns: {date: D, amount: A}, header: find, currency: {code: CNY}     | x⏎y                             | invalid: row 3: the file ends before its header
columns: {date: D, amount: A}, skip: 3, currency: {code: CNY}          | D,A                            | invalid: row 2: the file ends before its header
columns: {date: D, amount: A, direction: X}, direction: {credit: [C], debit: [D]}, currency: {code: CNY} | D,A,X⏎2024-09-01,5.00,E  | invalid: row 2, column X: "E" is not a word for credit or debit
columns: {date: D, amount: A, direction: X}, direction: {credit: [C], debit: [D]}, currency: {code: CNY} | D,A,X⏎2024-09-01,-5.00,C | invalid: row 2, column A: "-5.00" is negative, which this column must not be
columns: {date: D, credit: C, debit: O}, amounts: {debitNegative: true}, currency: {code: CNY} | D,C,O⏎2024-09-01,,5.00            | invalid: row 2, column O: "5.00" is positive, which this column must not be
columns: {date: D, credit: C, debit: O}, amounts: {debitNegative: true}, currency: {code: CNY} | D,C,O⏎2024-09-01,,-5.00           | -
columns: {date: D, credit: C, currency: K}, currency: {code: CNY}      | D,C,K⏎2024-09-01,5.00,USD      | invalid: row 2, column K: USD in a statement in CNY
columns: {date: D, credit: C, balance: B}, currency: {code: CNY}       | D,C,B⏎2024-09-01,5.00,x        | invalid: row 2, column B: "x" is not an amount in CNY
columns: {date: D, credit: C}, cellLines: {date: 2}, currency: {code: CNY} | D,C⏎2024-09-01,5.00        | invalid: row 2, column D: "" is not a date in the layout of this file
`, 3) {
		mapping, err := ParseMapping([]byte("{v: 1, " + row.asked[0] + "}"))
		if err != nil {
			t.Fatalf("%s: %v", row.asked[0], err)
		}
		if got := firstError(t, row.asked[1]+"\n", mapping); got != row.answer {
			t.Errorf("%s\n%q\n got %s\nwant %s", row.asked[0], row.asked[1], got, row.answer)
		}
	}
}

func TestFiguresOfEachStyle(t *testing.T) {
	for _, row := range table(t, `
# mapping without v | the row below D,A,X | debit and credit
columns: {date: D, amount: A}                                                              | 2024-09-01,5,  | 0 5
columns: {date: D, amount: A}                                                              | 2024-09-01,-5, | 5 0
columns: {date: D, amount: A}, amounts: {inflow: plus}                                     | 2024-09-01,-5, | 5 0
columns: {date: D, amount: A}, amounts: {inflow: minus}                                    | 2024-09-01,5,  | 5 0
columns: {date: D, amount: A}, amounts: {inflow: minus}                                    | 2024-09-01,-5, | 0 5
columns: {date: D, amount: A, direction: X}, direction: {credit: [C], debit: [D]}          | 2024-09-01,5,C | 0 5
columns: {date: D, amount: A, direction: X}, direction: {credit: [C], debit: [D]}          | 2024-09-01,5,D | 5 0
columns: {date: D, credit: A, debit: X}                                                    | 2024-09-01,5,  | 0 5
columns: {date: D, credit: A, debit: X}                                                    | 2024-09-01,,5  | 5 0
columns: {date: D, credit: A, debit: X}, amounts: {debitNegative: true}                    | 2024-09-01,,-5 | 5 0
columns: {date: D, credit: A}                                                              | 2024-09-01,5,9 | 0 5
`, 3) {
		mapping, err := ParseMapping([]byte("{v: 1, currency: {code: VND}, " + row.asked[0] + "}"))
		if err != nil {
			t.Fatal(err)
		}
		summary, err := SurveyFrom(strings.NewReader("D,A,X\n"+row.asked[1]+"\n"), mapping)
		if got := fmt.Sprint(summary.Debits, summary.Credits); err != nil || got != row.answer {
			t.Errorf("%s: %s: got %s, %v, want %s", row.asked[0], row.asked[1], got, err, row.answer)
		}
	}
}

// TestEveryBadRowIsReported: a person mends all mistakes of a file at once.
func TestEveryBadRowIsReported(t *testing.T) {
	text := standardHeader + "1,2024-09-01,,R,0,5,VND,p\n2,bad,,R,0,5,VND,p\n3,2024-09-01,,R,0,x,VND,p\n4,2024-09-01,,R,0,7,VND,p\n"
	summary, err := SurveyFrom(strings.NewReader(text), Mapping{})
	if err == nil || summary.BadRows != 2 || len(summary.Refusals) != 2 || summary.Refusals[0] != err {
		t.Fatalf("%d bad rows, %v, %v", summary.BadRows, summary.Refusals, err)
	}
	if summary.Lines != 2 || summary.GiftTotal != 12 || summary.LastLine != 4 {
		t.Errorf("the good rows: %+v", summary)
	}
}

func TestAStructuralFaultEndsTheFile(t *testing.T) {
	reader, err := NewReader(strings.NewReader(standardHeader+"1,2024-09-01,,\"R\"x,0,5,VND,p\n2,2024-09-01,,R,0,5,VND,p\n"), Mapping{})
	if err != nil {
		t.Fatal(err)
	}
	_, first := reader.Next()
	_, second := reader.Next()
	if first == nil || errors.Is(first, io.EOF) || second != first {
		t.Errorf("got %v, then %v", first, second)
	}
}
