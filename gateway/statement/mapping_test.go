package statement

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMappingRefused(t *testing.T) {
	for _, row := range table(t, `
# the mapping | the refusal
{v: 1, currency: {code: VND}}                                                                     | -
{"v": 1, "columns": {"date": "D", "credit": "C"}, "currency": {"code": "VND"}}                    | -
                                                                                                  | invalid: the mapping file is empty
[]                                                                                                | invalid: the mapping file: line 1: cannot unmarshal !!seq Mapping
{v: 1⏎                                                                                            | invalid: the mapping file: line 1: did not find expected ',' or '}'
{v: 1}⏎---⏎{v: 1}                                                                                 | invalid: the mapping file holds more than one document
{}                                                                                                | unsupported: field mapping.v: must be 1; it is 0
{v: 2}                                                                                            | unsupported: field mapping.v: must be 1; it is 2
{v: 1, colums: {date: D}}                                                                         | invalid: the mapping file: line 1: field colums not found in Mapping
{v: 1, columns: {Date: D}}                                                                        | invalid: the mapping file: line 1: field Date not found in Columns
{v: 1, v: 1}                                                                                      | invalid: the mapping file: line 1: mapping key "v" already defined at line 1
{v: 1, skip: x}                                                                                   | invalid: the mapping file: line 1: cannot unmarshal !!str ‵x‵ into int
{v: 1, encoding: latin1}                                                                          | invalid: field mapping.encoding: "latin1" is not one of ["gb18030" "gbk" "utf-16be" "utf-16le" "utf-8"]
{v: 1, delimiter: x}                                                                              | invalid: field mapping.delimiter: "x" is not one of ["," ";" "tab" "¦"]
{v: 1, quotes: single}                                                                            | invalid: field mapping.quotes: "single" is not one of ["double" "none"]
{v: 1, header: maybe}                                                                             | invalid: field mapping.header: "maybe" is not one of ["row" "find" "none"]
{v: 1, header: none}                                                                              | invalid: field mapping.header: a file without a header needs columns
{v: 1, skip: -1}                                                                                  | invalid: field mapping.skip: must be 0 to 1000; it is -1
{v: 1, columns: {credit: C}, currency: {code: VND}}                                               | invalid: field mapping.columns.date: is missing
{v: 1, columns: {date: D}, currency: {code: VND}}                                                 | invalid: field mapping.columns: give credit and debit, or amount
{v: 1, columns: {date: D, credit: C, amount: A}, currency: {code: VND}}                           | invalid: field mapping.columns: give credit and debit, or amount
{v: 1, columns: {date: D, debit: C}, currency: {code: VND}}                                       | invalid: field mapping.columns.credit: is missing
{v: 1, columns: {date: D, credit: C, direction: X}, currency: {code: VND}}                        | invalid: field mapping.columns.direction: goes with amount, not with debit and credit
{v: 1, columns: {date: "#0", credit: C}, currency: {code: VND}}                                   | invalid: field mapping.columns.date: "#0" is not a position such as "#3"
{v: 1, columns: {date: "#01", credit: C}, currency: {code: VND}}                                  | invalid: field mapping.columns.date: "#01" is not a position such as "#3"
{v: 1, columns: {date: "#999", credit: C}, currency: {code: VND}}                                 | invalid: field mapping.columns.date: "#999" is not a position such as "#3"
{v: 1, header: none, columns: {date: D, credit: C}, currency: {code: VND}}                        | invalid: field mapping.columns.date: without a header a column is named by position, as "#3"
{v: 1, columns: {date: D, credit: C}}                                                             | invalid: field mapping.currency.code: is missing, and there is no currency column
{v: 1, currency: {code: XYZ}}                                                                     | invalid: field mapping.currency.code: is not a currency of ISO 4217
{v: 1, currency: {names: {y: XYZ}}}                                                               | invalid: field mapping.currency.names: is not a currency of ISO 4217
{v: 1, columns: {date: D, credit: C}, cellLines: {dote: 1}, currency: {code: VND}}                | invalid: field mapping.cellLines: "dote" is not a column of this mapping
{v: 1, columns: {date: D, credit: C}, cellLines: {payer: 1}, currency: {code: VND}}               | invalid: field mapping.cellLines: "payer" is not a column of this mapping
{v: 1, columns: {date: D, credit: C}, cellLines: {date: 0}, currency: {code: VND}}                | invalid: field mapping.cellLines.date: must be 1 to 100; it is 0
{v: 1, dates: {layout: DD/MM}}                                                                    | invalid: field mapping.dates.layout: layout "DD/MM": "DD/M" is not one of yyyy yy mm m mmm dd d hh h mi ss
{v: 1, dates: {layout: "hh:mi"}}                                                                  | invalid: field mapping.dates.layout: layout "hh:mi" holds no date
{v: 1, dates: {timeLayout: yyyy-mm-dd}}                                                           | invalid: field mapping.dates.timeLayout: layout "yyyy-mm-dd" holds a date
{v: 1, columns: {date: D, time: T, credit: C}, dates: {layout: "yyyy-mm-dd hh:mi"}, currency: {code: VND}} | invalid: field mapping.columns.time: the date's layout holds the time already
{v: 1, amounts: {thousands: ",", decimal: ","}}                                                   | invalid: field mapping.amounts.thousands: is the same mark as decimal, ","
{v: 1, amounts: {thousands: "_"}}                                                                 | invalid: field mapping.amounts.thousands: "_" is not one of ["." "," " " "'"]
{v: 1, amounts: {negative: red}}                                                                  | invalid: field mapping.amounts.negative: "red" is not one of ["leading" "trailing" "parentheses"]
{v: 1, amounts: {decimalsMin: 3, decimalsMax: 2}}                                                 | invalid: field mapping.amounts.decimalsMin: decimalsMin and decimalsMax must be 0 to 18, in this order
{v: 1, amounts: {decimalsMax: 19}}                                                                | invalid: field mapping.amounts.decimalsMin: decimalsMin and decimalsMax must be 0 to 18, in this order
{v: 1, amounts: {symbols: ["-"]}}                                                                 | invalid: field mapping.amounts.symbols: "-" could be part of a figure
{v: 1, amounts: {symbols: [""]}}                                                                  | invalid: field mapping.amounts.symbols: "" could be part of a figure
{v: 1, amounts: {empty: ["100"]}}                                                                 | invalid: field mapping.amounts.empty: "100" looks like a figure
{v: 1, amounts: {inflow: minus}}                                                                  | invalid: field mapping.amounts.inflow: is for one signed amount column
{v: 1, columns: {date: D, amount: A}, amounts: {inflow: in}, currency: {code: VND}}               | invalid: field mapping.amounts.inflow: "in" is not one of ["plus" "minus"]
{v: 1, columns: {date: D, amount: A}, amounts: {debitNegative: true}, currency: {code: VND}}      | invalid: field mapping.amounts.debitNegative: is for a debit column
{v: 1, columns: {date: D, amount: A, direction: X}, currency: {code: VND}}                        | invalid: field mapping.direction: a direction column needs the words for credit and for debit, and they need it
{v: 1, direction: {credit: [C]}}                                                                  | invalid: field mapping.direction: a direction column needs the words for credit and for debit, and they need it
{v: 1, columns: {date: D, amount: A, direction: X}, direction: {credit: [C], debit: [C]}, currency: {code: VND}} | invalid: field mapping.direction: "C" is there twice or has spaces at its ends
{v: 1, balances: {opening: "100"}}                                                                | invalid: field mapping.balances.opening: is not an amount; write it as "100.00 CNY"
{v: 1, currency: {code: CNY}, balances: {closing: "100 VND"}}                                     | invalid: field mapping.balances.closing: is in VND, the statement in CNY
{v: 1, balances: {opening: "1.00 CNY", closing: "100 VND"}}                                       | invalid: field mapping.balances.closing: is in VND, the statement in CNY
{v: 1, balances: {order: random}}                                                                 | invalid: field mapping.balances.order: "random" is not one of ["oldest-first" "newest-first"]
{v: 1, rows: [{match: x, as: end}, {as: end}]}                                                    | invalid: field mapping.rows[1].match: is missing
{v: 1, rows: [{match: "(", as: end}]}                                                             | invalid: field mapping.rows[0].match: "(" is not a pattern: error parsing regexp: missing closing ): ‵(‵
{v: 1, rows: [{match: "x*", as: end}]}                                                            | invalid: field mapping.rows[0].match: "x*" matches an empty cell
{v: 1, rows: [{match: x, as: foot}]}                                                              | invalid: field mapping.rows[0].as: "foot" is not one of ["opening" "closing" "total" "ignore" "end"]
{v: 1, rows: [{match: x, as: opening}]}                                                           | invalid: field mapping.rows[0]: balances and totals need currency.code
{v: 1, rows: [{match: x, as: end, amount: "#1"}]}                                                 | invalid: field mapping.rows[0].amount: is for opening, closing and total
{v: 1, rows: [{match: x, as: end, debit: "#1"}]}                                                  | invalid: field mapping.rows[0].debit: and credit are for total
{v: 1, rows: [{match: x, as: end, column: D}]}                                                    | invalid: field mapping.rows[0].column: "D" is not a position such as "#3"
{v: 1, classify: [{match: x, as: gift}]}                                                          | invalid: field mapping.classify[0].as: "gift" is not one of ["fee" "interest" "transfer" "returned" "processor" "debit"]
{v: 1, classify: [{match: x, as: fee, side: both}]}                                               | invalid: field mapping.classify[0].side: "both" is not one of ["in" "out"]
{v: 1, classify: [{match: x, as: debit}]}                                                         | invalid: field mapping.classify[0].side: must be out for a debit
{v: 1, classify: [{match: x, as: fee, column: amount}]}                                           | invalid: field mapping.classify[0].column: "amount" is not one of ["description" "payer" "reference"]
{v: 1, columns: {date: D, credit: C}, currency: {code: VND}, classify: [{match: x, as: fee}]}     | invalid: field mapping.classify[0].column: description is not a column of this mapping
{v: 1, limits: {rowsMax: -1}}                                                                     | invalid: field mapping.limits: must be more than zero, and rowBytesMax at most 16777216
{v: 1, limits: {rowBytesMax: 100000000}}                                                          | invalid: field mapping.limits: must be more than zero, and rowBytesMax at most 16777216
`, 2) {
		got := "-"
		if _, err := ParseMapping([]byte(row.asked[0])); err != nil {
			wantRefusal(t, err)
			got = err.Error()
		}
		if got != row.answer {
			t.Errorf("%s\n got %s\nwant %s", row.asked[0], got, row.answer)
		}
	}
}

func TestAnOversizedMappingIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mapping.yaml")
	if err := os.WriteFile(path, []byte("v: 1\nname: "+strings.Repeat("x", mappingBytesMax)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := LoadMapping(path)
	if err == nil || !strings.Contains(err.Error(), "larger than 65536 bytes") {
		t.Errorf("got %v", err)
	}
}

func TestAMissingMappingFileIsNoRefusal(t *testing.T) {
	if _, err := LoadMapping(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// FuzzMapping: a mapping is refused in words or reads any file without stopping.
func FuzzMapping(f *testing.F) {
	for _, folder := range dialects(f) {
		mapping, err := os.ReadFile(filepath.Join(folder, "mapping.yaml"))
		if err != nil {
			continue
		}
		statement, err := os.ReadFile(filepath.Join(folder, "statement.csv"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(mapping, statement)
	}
	f.Add([]byte("{v: 1, columns: {date: &a D, credit: *a}}"), []byte("D\n1\n"))
	f.Add([]byte("{v: 1, limits: {rowBytesMax: 1}}"), []byte(standardHeader))
	f.Add([]byte("v: 1\nrows: [{match: '^(a)?b', as: opening}]\ncurrency: {code: VND}"), []byte(standardHeader+"b,1\n"))
	f.Fuzz(func(t *testing.T, text, statement []byte) {
		mapping, err := ParseMapping(text)
		if err != nil {
			wantRefusal(t, err)
			return
		}
		if _, err := SurveyFrom(strings.NewReader(string(statement)), mapping); err != nil {
			wantRefusal(t, err)
		}
	})
}
