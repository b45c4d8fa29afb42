// Package table writes tables as CSV (RFC 4180) that a spreadsheet opens
// without running anything.
//
// An amount becomes two columns, its decimal digits and its currency, so that a
// column can be summed. The sums are returned and not written: a footer would
// be one more row to every program that reads the file.
package table

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// Table is a header and its rows, which are asked for one by one.
type Table struct {
	Columns []Column
	Rows    iter.Seq2[[]Cell, error]
}

// Column names a column. A Money column becomes two: Name, and Name with
// CurrencySuffix.
type Column struct {
	Name  string
	Money bool
}

// CurrencySuffix ends the name of the column that holds an amount's currency.
const CurrencySuffix = "Currency"

// Cell is one value of a row; the zero value is an empty cell.
type Cell struct {
	text   string
	number bool
	amount *money.Amount
}

// Text is a cell of text.
func Text[T ~string](text T) Cell { return Cell{text: string(text)} }

// Number is a cell of a whole number.
func Number[T ~int | ~int32 | ~int64 | ~uint64](number T) Cell {
	return Cell{text: fmt.Sprint(number), number: true}
}

// Money is an amount, for a column of Money.
func Money(amount money.Amount) Cell { return Cell{amount: &amount} }

// Truth is yes or no.
func Truth(is bool) Cell { return Cell{text: strconv.FormatBool(is)} }

// Options are what readers of the file need.
type Options struct {
	// ByteOrderMark begins the file with U+FEFF: some spreadsheets take a file
	// without it for one in the machine's old encoding.
	ByteOrderMark bool
}

// Totals are what a table's columns of money sum to, by column and currency.
type Totals map[string]map[money.Currency]money.Amount

// Of is the sum of a column in a currency, nothing where no row had any.
func (t Totals) Of(column string, currency money.Currency) money.Amount {
	if total, is := t[column][currency]; is {
		return total
	}
	return money.New(0, currency)
}

func (t Totals) add(column string, amount money.Amount) error {
	if t[column] == nil {
		t[column] = map[money.Currency]money.Amount{}
	}
	sum, err := t.Of(column, amount.Currency).Add(amount)
	if err == nil {
		t[column][amount.Currency] = sum
	}
	return err
}

// Write writes the table row by row and returns the totals of what it wrote.
func Write(w io.Writer, t Table, options Options) (Totals, error) {
	p := &printer{w: bufio.NewWriter(w)}
	if options.ByteOrderMark {
		p.put("\ufeff")
	}
	if err := t.header(p); err != nil {
		return nil, err
	}
	totals := Totals{}
	n := 0
	for row, err := range t.Rows {
		if err == nil {
			err = t.row(p, totals, row)
		}
		if err != nil {
			return nil, rule.Field(fmt.Sprintf("rows[%d]", n), err)
		}
		n++
	}
	return totals, p.w.Flush()
}

func (t Table) header(p *printer) error {
	if len(t.Columns) == 0 {
		return rule.Field("columns", rule.Refuse(rule.Invalid, "is empty"))
	}
	var names []string
	seen := map[string]bool{}
	for i, c := range t.Columns {
		own := []string{c.Name}
		if c.Money {
			own = append(own, c.Name+CurrencySuffix)
		}
		for _, name := range own {
			if name == "" || seen[name] {
				return rule.Field(fmt.Sprintf("columns[%d]", i), rule.Refuse(rule.Invalid, "%q is no name, or stands twice", name))
			}
			seen[name] = true
			names = append(names, guarded(name))
		}
	}
	return p.line(names)
}

func (t Table) row(p *printer, totals Totals, row []Cell) error {
	if len(row) != len(t.Columns) {
		return rule.Refuse(rule.Invalid, "has %d cells, the table %d columns", len(row), len(t.Columns))
	}
	fields := make([]string, 0, 2*len(row))
	for i, cell := range row {
		column := t.Columns[i]
		if cell.amount != nil != column.Money && cell != (Cell{}) {
			return rule.Field(column.Name, rule.Refuse(rule.Invalid, "is an amount in a column of something else, or the other way round"))
		}
		if !column.Money {
			fields = append(fields, cell.field())
			continue
		}
		if cell.amount == nil {
			fields = append(fields, "", "")
			continue
		}
		digits, currency, err := split(*cell.amount)
		if err != nil {
			return rule.Field(column.Name, err)
		}
		fields = append(fields, digits, currency)
		if err := totals.add(column.Name, *cell.amount); err != nil {
			return rule.Field(column.Name, err)
		}
	}
	return p.line(fields)
}

func split(amount money.Amount) (digits, currency string, err error) {
	if _, err := amount.Currency.Exponent(); err != nil {
		return "", "", err
	}
	digits, currency, _ = strings.Cut(amount.String(), " ")
	return digits, currency, nil
}

func (c Cell) field() string {
	if c.number {
		return c.text
	}
	return guarded(c.text)
}

var plainNumber = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?$`)

// guarded puts an apostrophe before what a spreadsheet would take for a
// formula, also in its full-width spelling. Numbers may begin with a sign.
func guarded(text string) string {
	if text == "" || plainNumber.MatchString(text) {
		return text
	}
	if strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(text)[0]) {
		return "'" + text
	}
	return text
}

type printer struct {
	w   *bufio.Writer
	err error
}

func (p *printer) put(text string) {
	if p.err == nil {
		_, p.err = p.w.WriteString(text)
	}
}

// line writes fields in the way of RFC 4180: CRLF at the end, quotes where needed.
func (p *printer) line(fields []string) error {
	for i, field := range fields {
		if i > 0 {
			p.put(",")
		}
		// A line of one empty field would be read as no line at all.
		if strings.ContainsAny(field, "\",\r\n") || strings.Trim(field, " ") != field || (field == "" && len(fields) == 1) {
			field = `"` + strings.ReplaceAll(field, `"`, `""`) + `"`
		}
		p.put(field)
	}
	p.put("\r\n")
	return p.err
}
