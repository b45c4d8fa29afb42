package statement

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// Reader gives the lines of one statement, one at a time.
type Reader struct {
	dialect *dialect
	scanner *scanner
	closer  io.Closer
	book    book
	// index is where each column is, or notThere; labels is how errors name it.
	index  [columnCount]int
	labels [columnCount]string
	// names are the file's headers; empty when it has none.
	names []string
	width int
	// expected is the number of the next line; 0 until the bank's first number was read.
	expected int
	currency money.Currency
	exponent int
	// endRow is the row after which there are no lines; 0 before it.
	endRow int
	// held: the row in the scanner was looked at and not yet read.
	held bool
	// Many lines in sequence share a day: its text is made once.
	dateCell []byte
	dateText string
	finished bool
	// placed: the header was read, each column has its place.
	placed bool
	// totals are what rows of a processor's file state.
	totals []total
}

// Open opens a statement file. Close it after use.
func Open(path string, m Mapping) (*Reader, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the statement: %w", err)
	}
	reader, err := NewReader(file, m)
	if err != nil {
		file.Close()
		return nil, err
	}
	reader.closer = file
	return reader, nil
}

// NewReader begins to read a statement: it finds the header and its columns.
func NewReader(source io.Reader, m Mapping) (*Reader, error) {
	d, err := compile(m)
	if err != nil {
		return nil, err
	}
	return newReader(source, d)
}

func newReader(source io.Reader, d *dialect) (*Reader, error) {
	text, err := decodeSource(source, d)
	if err != nil {
		return nil, err
	}
	r := &Reader{dialect: d, scanner: newScanner(text, d)}
	r.book = book{newestFirst: d.newestFirst, opening: d.opening, closing: d.closing}
	if d.currency != "" {
		r.setCurrency(d.currency)
	}
	if err := r.readHeader(); err != nil {
		return nil, err
	}
	r.placed = true
	if r.index[columnLine] == notThere {
		r.expected = 1
	}
	return r, nil
}

// Close closes the file that Open opened.
func (r *Reader) Close() error {
	if r.closer == nil {
		return nil
	}
	return r.closer.Close()
}

// Currency is the statement's currency; "" until the first line tells it.
func (r *Reader) Currency() money.Currency { return r.currency }

// Row is the row that was read last, for progress.
func (r *Reader) Row() int { return r.scanner.row }

// Next returns the next line, and io.EOF after the last. A refusal concerns one
// row: the call after it returns the line behind. A fault in the file's
// structure, such as a quote that never closes, is returned by every later call.
func (r *Reader) Next() (Line, error) {
	if r.finished {
		return Line{}, io.EOF
	}
	cells, err := r.nextRow()
	if errors.Is(err, io.EOF) {
		r.finished = true
		if clash := r.book.finish(r.currency); clash != nil {
			return Line{}, clash
		}
	}
	if err != nil {
		return Line{}, err
	}
	line, err := r.parse(cells)
	if err == nil {
		err = r.book.add(line)
	} else {
		r.book.off = true
	}
	if err != nil {
		return Line{}, err
	}
	return line, nil
}

// All gives every line or refusal until the file ends or its structure breaks.
func (r *Reader) All() iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		for {
			line, err := r.Next()
			if errors.Is(err, io.EOF) || !yield(line, err) || (err != nil && r.scanner.failed != nil) {
				return
			}
		}
	}
}

// Skip goes forward so that Next returns line number next. What is passed over
// is not judged, so balances and totals are not checked any more: a file is surveyed before
// it is resumed. One beyond the last line is allowed; more is not-found.
func (r *Reader) Skip(next int) error {
	if r.expected == 0 {
		if err := r.peekNumber(); err != nil {
			return err
		}
	}
	if next < r.expected {
		return rule.Refuse(rule.Invalid, "line %d is behind the reader, which is at line %d", next, r.expected)
	}
	for r.expected < next {
		r.book.off = true
		_, err := r.nextRow()
		if errors.Is(err, io.EOF) {
			return rule.Refuse(rule.NotFound, "line %d: the statement ends with line %d", next, r.expected-1)
		}
		if err != nil {
			return err
		}
		r.expected++
	}
	return nil
}

// peekNumber learns the bank's first number without using up the line.
func (r *Reader) peekNumber() error {
	cells, err := r.nextRow()
	if errors.Is(err, io.EOF) {
		r.expected, r.finished = 1, true
		return r.book.finish(r.currency)
	}
	if err != nil {
		return err
	}
	r.held = true
	if err := r.checkWidth(cells); err != nil {
		return err
	}
	r.expected, err = r.lineNumber(cells)
	return err
}

// nextRow returns the next row that must be a line.
func (r *Reader) nextRow() ([][]byte, error) {
	if r.held {
		r.held = false
		return r.scanner.cells, nil
	}
	for {
		cells, err := r.scanner.next()
		if err != nil {
			return nil, err
		}
		if r.isBlank(cells) {
			continue
		}
		known, err := r.applyRules(cells)
		if err != nil {
			return nil, err
		}
		if known {
			continue
		}
		if r.endRow == 0 {
			return cells, nil
		}
		if err := r.afterEnd(cells); err != nil {
			return nil, err
		}
	}
}

// isBlank passes over rows that spreadsheets leave behind; the standard has only truly empty ones.
func (r *Reader) isBlank(cells [][]byte) bool {
	if r.dialect.standard {
		return len(cells) == 0
	}
	for _, cell := range cells {
		if len(trimSpace(cell)) > 0 {
			return false
		}
	}
	return true
}

// parse reads a row's cells into a line.
func (r *Reader) parse(cells [][]byte) (Line, error) {
	line := Line{Row: r.scanner.row}
	if err := r.checkWidth(cells); err != nil {
		r.expected = bump(r.expected)
		return line, err
	}
	if err := r.readNumber(cells, &line); err != nil {
		return line, err
	}
	if err := r.checkSpaces(cells, &line); err != nil {
		return line, err
	}
	if err := r.readDate(cells, &line); err != nil {
		return line, err
	}
	if err := r.readTime(cells, &line); err != nil {
		return line, err
	}
	if err := r.readCurrency(cells, &line); err != nil {
		return line, err
	}
	if err := r.readFigures(cells, &line); err != nil {
		return line, err
	}
	if err := r.readBalance(cells, &line); err != nil {
		return line, err
	}
	line.Reference = r.text(cells, columnReference)
	line.Payer = r.text(cells, columnPayer)
	line.Description = r.text(cells, columnDescription)
	return line, nil
}

// checkWidth refuses a row with cells missing or too many: its columns may be
// shifted. Empty cells behind the last column are what some exports end rows with.
func (r *Reader) checkWidth(cells [][]byte) error {
	if len(cells) < r.width {
		return rowRefusal(r.scanner.row, " has %d columns where %d belong", len(cells), r.width)
	}
	for _, cell := range cells[r.width:] {
		if r.dialect.standard || (len(r.names) > 0 && len(trimSpace(cell)) > 0) {
			return rowRefusal(r.scanner.row, " has %d columns where %d belong", len(cells), r.width)
		}
	}
	return nil
}

// readNumber counts the line, or compares the bank's number with the count: a
// gap or a repetition means that a line was lost or doubled on the way here.
func (r *Reader) readNumber(cells [][]byte, line *Line) error {
	expected := r.expected
	r.expected = bump(expected)
	if r.index[columnLine] == notThere {
		line.Number = expected
		return nil
	}
	number, err := r.lineNumber(cells)
	if err != nil {
		return err
	}
	r.expected = number + 1
	if expected != 0 && number != expected {
		return cellRefusal(line.Row, r.labels[columnLine], "line %d stands where line %d belongs", number, expected)
	}
	line.Number = number
	return nil
}

// bump leaves an unknown number unknown.
func bump(expected int) int {
	if expected == 0 {
		return 0
	}
	return expected + 1
}

// lineNumberMax keeps a long reference in the wrong column from being taken for a number.
const lineNumberMax = 1_000_000_000

func (r *Reader) lineNumber(cells [][]byte) (int, error) {
	cell := r.cell(cells, columnLine)
	number := 0
	for _, digit := range cell {
		if number = number*10 + int(digit) - '0'; digit < '0' || digit > '9' || number > lineNumberMax {
			number = 0
			break
		}
	}
	if number < 1 || cell[0] == '0' {
		return 0, cellRefusal(r.scanner.row, r.labels[columnLine], "%.40q is not a line number", cell)
	}
	return number, nil
}

// checkSpaces holds the standard to its one spelling.
func (r *Reader) checkSpaces(cells [][]byte, line *Line) error {
	if !r.dialect.standard {
		return nil
	}
	for i, cell := range cells {
		if len(trimSpace(cell)) != len(cell) {
			return cellRefusal(line.Row, r.names[i], "has spaces at its ends")
		}
	}
	return nil
}

func (r *Reader) readDate(cells [][]byte, line *Line) error {
	cell := r.cell(cells, columnDate)
	if !r.dialect.date.hasTime && len(cell) > 0 && bytes.Equal(cell, r.dateCell) {
		line.Date = r.dateText
		return nil
	}
	m, ok := r.dialect.date.parse(cell)
	if !ok {
		return cellRefusal(line.Row, r.labels[columnDate], "%.40q is not a date in the layout of this file", cell)
	}
	r.dateCell = append(r.dateCell[:0], cell...)
	r.dateText = m.date()
	line.Date = r.dateText
	if r.dialect.date.hasTime {
		line.Time = m.clock()
	}
	return nil
}

func (r *Reader) readTime(cells [][]byte, line *Line) error {
	cell := r.cell(cells, columnTime)
	if len(cell) == 0 {
		return nil
	}
	m, ok := r.dialect.clock.parse(cell)
	if !ok {
		return cellRefusal(line.Row, r.labels[columnTime], "%.40q is not a time in the layout of this file", cell)
	}
	line.Time = m.clock()
	return nil
}

// readCurrency holds the whole statement to one currency: an account has one.
func (r *Reader) readCurrency(cells [][]byte, line *Line) error {
	if r.index[columnCurrency] == notThere {
		line.Currency = r.currency
		return nil
	}
	cell := r.cell(cells, columnCurrency)
	code := money.Currency(r.dialect.currencyNames[string(cell)])
	if code == "" && string(cell) == string(r.currency) {
		code = r.currency
	} else if code == "" {
		code = money.Currency(cell)
	}
	if _, err := code.Exponent(); err != nil {
		return cellRefusal(line.Row, r.labels[columnCurrency], "%.40q is not a currency of ISO 4217", cell)
	}
	if r.currency == "" {
		r.setCurrency(code)
	}
	if code != r.currency {
		return cellRefusal(line.Row, r.labels[columnCurrency], "%s in a statement in %s", code, r.currency)
	}
	line.Currency = code
	return nil
}

// setCurrency is called with currencies that are known to exist.
func (r *Reader) setCurrency(code money.Currency) {
	r.currency = code
	r.exponent, _ = code.Exponent()
}

// readFigures reads debit and credit however the bank writes them.
func (r *Reader) readFigures(cells [][]byte, line *Line) error {
	switch {
	case r.index[columnAmount] == notThere:
		return r.readSeparate(cells, line)
	case r.index[columnDirection] == notThere:
		return r.readSigned(cells, line)
	default:
		return r.readDirected(cells, line)
	}
}

func (r *Reader) readSeparate(cells [][]byte, line *Line) (err error) {
	if line.Credit, err = r.optionalFigure(cells, columnCredit); err != nil {
		return err
	}
	if line.Debit, err = r.optionalFigure(cells, columnDebit); err != nil {
		return err
	}
	if r.dialect.debitNegative {
		line.Debit = -line.Debit
	}
	if line.Credit < 0 {
		return r.wrongSign(cells, columnCredit, "negative")
	}
	if line.Debit < 0 && r.dialect.debitNegative {
		return r.wrongSign(cells, columnDebit, "positive")
	}
	if line.Debit < 0 {
		return r.wrongSign(cells, columnDebit, "negative")
	}
	if line.Debit > 0 && line.Credit > 0 {
		return cellRefusal(line.Row, r.labels[columnDebit], "debit and credit are both more than zero")
	}
	return nil
}

func (r *Reader) wrongSign(cells [][]byte, c column, sign string) error {
	return cellRefusal(r.scanner.row, r.labels[c], "%.40q is %s, which this column must not be", r.cell(cells, c), sign)
}

func (r *Reader) readSigned(cells [][]byte, line *Line) error {
	units, err := r.figure(line.Row, r.labels[columnAmount], r.cell(cells, columnAmount))
	if err != nil {
		return err
	}
	if r.dialect.inflowMinus {
		units = -units
	}
	line.Credit, line.Debit = max(units, 0), max(-units, 0)
	return nil
}

func (r *Reader) readDirected(cells [][]byte, line *Line) error {
	units, err := r.figure(line.Row, r.labels[columnAmount], r.cell(cells, columnAmount))
	if err != nil {
		return err
	}
	if units < 0 {
		return r.wrongSign(cells, columnAmount, "negative")
	}
	word := r.cell(cells, columnDirection)
	sign := r.dialect.directions[string(word)]
	if sign == 0 {
		return cellRefusal(line.Row, r.labels[columnDirection], "%.40q is not a word for credit or debit", word)
	}
	line.Credit, line.Debit = max(sign*units, 0), max(-sign*units, 0)
	return nil
}

func (r *Reader) readBalance(cells [][]byte, line *Line) error {
	cell := r.cell(cells, columnBalance)
	if r.index[columnBalance] == notThere || (!r.dialect.standard && r.dialect.amount.isEmpty(cell)) {
		return nil
	}
	units, err := r.figure(line.Row, r.labels[columnBalance], cell)
	line.Balance = &units
	return err
}

// optionalFigure reads a debit or a credit; an empty cell is zero, but not in the standard.
func (r *Reader) optionalFigure(cells [][]byte, c column) (int64, error) {
	cell := r.cell(cells, c)
	if r.index[c] == notThere || (!r.dialect.standard && r.dialect.amount.isEmpty(cell)) {
		return 0, nil
	}
	return r.figure(r.scanner.row, r.labels[c], cell)
}

// figure reads minor units of the statement's currency.
func (r *Reader) figure(row int, label string, cell []byte) (int64, error) {
	units, reason := r.dialect.amount.parse(cell, r.exponent)
	switch reason {
	case "":
		return units, nil
	case malformed:
		return 0, cellRefusal(row, label, "%.40q is not an amount in %s", cell, r.currency)
	default:
		return 0, cellRefusal(row, label, "%.40q is not an amount in %s: %s", cell, r.currency, reason)
	}
}

func (r *Reader) amount(units int64) money.Amount { return money.New(units, r.currency) }

// cell returns what the file says in a column: nothing when it has none.
func (r *Reader) cell(cells [][]byte, c column) []byte {
	at := r.index[c]
	if at == notThere || at >= len(cells) {
		return nil
	}
	cell := cells[at]
	if wanted := r.dialect.cellLines[c]; wanted > 0 {
		cell = cellLine(cell, wanted)
	}
	return trimSpace(cell)
}

// cellLine returns one line of a cell in which the bank stacks several things.
func cellLine(cell []byte, wanted int) []byte {
	rest, more := trimSpace(cell), true
	for ; wanted > 0; wanted-- {
		if !more {
			return nil
		}
		cell, rest, more = bytes.Cut(rest, []byte{'\n'})
	}
	return cell
}

// text copies a cell and gives its line breaks one spelling.
func (r *Reader) text(cells [][]byte, c column) string {
	text := string(r.cell(cells, c))
	if strings.Contains(text, "\r") {
		text = strings.ReplaceAll(text, "\r\n", "\n")
	}
	return text
}
