package statement

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// column is a thing that a cell can say about a line.
type column int

const (
	columnLine column = iota
	columnDate
	columnTime
	columnReference
	columnDebit
	columnCredit
	columnAmount
	columnDirection
	columnCurrency
	columnBalance
	columnPayer
	columnDescription
	columnFee
	columnNet
	columnStatus
	columnCount
)

// columnNames are the fields of a mapping's columns.
var columnNames = [columnCount]string{
	"line", "date", "time", "reference", "debit", "credit", "amount", "direction", "currency", "balance", "payer", "description", "fee", "net", "status",
}

// standardColumns are the headers that need no mapping. Those after the first
// eight may be missing.
var standardColumns = Columns{
	Line: "line", Date: "booking_date", Time: "booking_time", Reference: "bank_reference", Debit: "debit", Credit: "credit",
	Currency: "currency", Payer: "payer_pseudonym", Balance: "balance", Description: "description",
}

func (c Columns) list() [columnCount]string {
	return [columnCount]string{c.Line, c.Date, c.Time, c.Reference, c.Debit, c.Credit, c.Amount, c.Direction, c.Currency, c.Balance, c.Payer, c.Description, c.Fee, c.Net, c.Status}
}

// Where the header row is.
const (
	headerRow  = "row"
	headerFind = "find"
	headerNone = "none"
)

// dialect is a mapping that was checked and made ready for reading.
type dialect struct {
	// standard has one spelling for each cell: no spaces around it, no empty figure.
	standard    bool
	encoding    string
	delimiter   byte
	quotes      bool
	header      string
	skip        int
	columns     [columnCount]string
	cellLines   [columnCount]int
	date, clock *layout
	amount      amountFormat
	// debitNegative: the bank writes debits with a minus.
	debitNegative bool
	// inflowMinus: in a signed column, money that comes in has the minus.
	inflowMinus bool
	// directions maps the words of the direction column to 1 (credit) or -1 (debit).
	directions map[string]int64
	// statuses maps the words of the status column of a processor's file to
	// whether the row is a gift; settlement says that it is one.
	statuses         map[string]bool
	settlement       bool
	currency         money.Currency
	currencyNames    map[string]string
	opening, closing *int64
	newestFirst      bool
	rows             []rowRule
	classes          []classRule
	limits           Limits
}

// compile checks a mapping and names the field that must be mended.
func compile(m Mapping) (*dialect, error) {
	d := &dialect{standard: m.Columns == Columns{}, currencyNames: m.Currency.Names, debitNegative: m.Amounts.DebitNegative}
	return d, d.set(m,
		d.setText, d.setHeader, d.setColumns, d.setCellLines, d.setDates, d.setAmounts,
		d.setDirection, d.setCurrency, d.setBalances, refuseSettlements, d.setRows, d.setClasses, d.setLimits)
}

func (d *dialect) set(m Mapping, steps ...func(Mapping) error) error {
	for _, step := range steps {
		if err := step(m); err != nil {
			return rule.Field("mapping", err)
		}
	}
	return nil
}

func (d *dialect) setText(m Mapping) error {
	if d.encoding = m.Encoding; d.encoding == "" {
		d.encoding = "utf-8"
	}
	names := slices.Sorted(maps.Keys(encodings))
	if err := oneOf("encoding", d.encoding, names...); err != nil {
		return err
	}
	if err := oneOf("delimiter", m.Delimiter, "", ",", ";", "tab", "|"); err != nil {
		return err
	}
	switch m.Delimiter {
	case "":
		d.delimiter = ','
	case "tab":
		d.delimiter = '\t'
	default:
		d.delimiter = m.Delimiter[0]
	}
	d.quotes = m.Quotes != "none"
	return oneOf("quotes", m.Quotes, "", "double", "none")
}

// skipMax bounds the rows above a header: a larger number is a mistake.
const skipMax = 1000

func (d *dialect) setHeader(m Mapping) error {
	if d.header = m.Header; d.header == "" {
		d.header = headerRow
	}
	if m.Skip < 0 || m.Skip > skipMax {
		return rule.Field("skip", rule.Refuse(rule.Invalid, "must be 0 to %d; it is %d", skipMax, m.Skip))
	}
	if d.standard && d.header == headerNone {
		return rule.Field("header", rule.Refuse(rule.Invalid, "a file without a header needs columns"))
	}
	d.skip = m.Skip
	return oneOf("header", d.header, headerRow, headerFind, headerNone)
}

func (d *dialect) setColumns(m Mapping) error {
	if d.standard {
		d.columns = standardColumns.list()
		return nil
	}
	if err := d.nameColumns(m); err != nil {
		return err
	}
	return checkColumnSet(m.Columns)
}

func (d *dialect) nameColumns(m Mapping) error {
	d.columns = m.Columns.list()
	for i, name := range d.columns {
		d.columns[i] = squeeze(name)
		_, positioned, err := position(name)
		if err != nil {
			return rule.Field("columns."+columnNames[i], err)
		}
		if name != "" && d.header == headerNone && !positioned {
			return rule.Field("columns."+columnNames[i], rule.Refuse(rule.Invalid, "without a header a column is named by position, as \"#3\""))
		}
	}
	return nil
}

// checkColumnSet refuses two ways to give one thing, and none.
func checkColumnSet(c Columns) error {
	separate, single := c.Debit != "" || c.Credit != "", c.Amount != ""
	switch {
	case c.Date == "":
		return rule.Field("columns.date", rule.Refuse(rule.Invalid, "is missing"))
	case c.Fee+c.Net+c.Status != "":
		return rule.Field("columns", rule.Refuse(rule.Invalid, "fee, net and status are for a processor's file"))
	case separate == single:
		return rule.Field("columns", rule.Refuse(rule.Invalid, "give credit and debit, or amount"))
	case separate && c.Credit == "":
		return rule.Field("columns.credit", rule.Refuse(rule.Invalid, "is missing"))
	case c.Direction != "" && !single:
		return rule.Field("columns.direction", rule.Refuse(rule.Invalid, "goes with amount, not with debit and credit"))
	}
	return nil
}

// position reads "#3" as 2. A header that merely begins with # must be named by its position.
func position(name string) (index int, positioned bool, err error) {
	digits, positioned := strings.CutPrefix(name, "#")
	if !positioned {
		return 0, false, nil
	}
	number, err := strconv.Atoi(digits)
	if err != nil || number < 1 || number > columnsMax || strconv.Itoa(number) != digits {
		return 0, false, rule.Refuse(rule.Invalid, "%.40q is not a position such as \"#3\"", name)
	}
	return number - 1, true, nil
}

func (d *dialect) setCellLines(m Mapping) error {
	for _, name := range slices.Sorted(maps.Keys(m.CellLines)) {
		at := slices.Index(columnNames[:], name)
		if at < 0 || d.columns[at] == "" {
			return rule.Field("cellLines", rule.Refuse(rule.Invalid, "%.40q is not a column of this mapping", name))
		}
		if number := m.CellLines[name]; number < 1 || number > 100 {
			return rule.Field("cellLines."+name, rule.Refuse(rule.Invalid, "must be 1 to 100; it is %d", number))
		}
		d.cellLines[at] = m.CellLines[name]
	}
	return nil
}

func (d *dialect) setDates(m Mapping) (err error) {
	if d.date, err = layoutOr(m.Dates.Layout, "yyyy-mm-dd"); err != nil {
		return rule.Field("dates.layout", err)
	}
	if !d.date.hasDate {
		return rule.Field("dates.layout", rule.Refuse(rule.Invalid, "layout %.40q holds no date", m.Dates.Layout))
	}
	if d.clock, err = layoutOr(m.Dates.TimeLayout, "hh:mi:ss"); err != nil {
		return rule.Field("dates.timeLayout", err)
	}
	if d.clock.hasDate {
		return rule.Field("dates.timeLayout", rule.Refuse(rule.Invalid, "layout %.40q holds a date", m.Dates.TimeLayout))
	}
	if d.date.hasTime && d.columns[columnTime] != "" && !d.standard {
		return rule.Field("columns.time", rule.Refuse(rule.Invalid, "the date's layout holds the time already"))
	}
	return nil
}

func layoutOr(text, standard string) (*layout, error) {
	if text == "" {
		text = standard
	}
	return compileLayout(text)
}

func (d *dialect) setAmounts(m Mapping) (err error) {
	if d.amount, err = newAmountFormat(m.Amounts); err != nil {
		return rule.Field("amounts", err)
	}
	d.inflowMinus = m.Amounts.Inflow == "minus"
	if m.Amounts.Inflow != "" && (d.columns[columnAmount] == "" || d.columns[columnDirection] != "") {
		return rule.Field("amounts.inflow", rule.Refuse(rule.Invalid, "is for one signed amount column"))
	}
	debit := columnDebit
	if d.settlement {
		debit = columnFee
	}
	if m.Amounts.DebitNegative && d.columns[debit] == "" {
		return rule.Field("amounts.debitNegative", rule.Refuse(rule.Invalid, "is for a %s column", columnNames[debit]))
	}
	return rule.Field("amounts", oneOf("inflow", m.Amounts.Inflow, "", "plus", "minus"))
}

func (d *dialect) setDirection(m Mapping) error {
	listed := len(m.Direction.Credit) > 0 && len(m.Direction.Debit) > 0
	if wanted := d.columns[columnDirection] != ""; wanted != listed || (!wanted && len(m.Direction.Credit)+len(m.Direction.Debit) > 0) {
		return rule.Field("direction", rule.Refuse(rule.Invalid, "a direction column needs the words for credit and for debit, and they need it"))
	}
	d.directions = make(map[string]int64)
	add := func(words []string, sign int64) error {
		for _, word := range words {
			if _, doubled := d.directions[word]; doubled || word != strings.TrimSpace(word) {
				return rule.Field("direction", rule.Refuse(rule.Invalid, "%.40q is there twice or has spaces at its ends", word))
			}
			d.directions[word] = sign
		}
		return nil
	}
	if err := add(m.Direction.Credit, 1); err != nil {
		return err
	}
	return add(m.Direction.Debit, -1)
}

func (d *dialect) setCurrency(m Mapping) error {
	d.currency = money.Currency(m.Currency.Code)
	if d.currency != "" {
		if _, err := d.currency.Exponent(); err != nil {
			return rule.Field("currency.code", err)
		}
	}
	if d.currency == "" && d.columns[columnCurrency] == "" {
		return rule.Field("currency.code", rule.Refuse(rule.Invalid, "is missing, and there is no currency column"))
	}
	for _, name := range slices.Sorted(maps.Keys(m.Currency.Names)) {
		if _, err := money.Currency(m.Currency.Names[name]).Exponent(); err != nil {
			return rule.Field("currency.names", err)
		}
	}
	return nil
}

func (d *dialect) setBalances(m Mapping) (err error) {
	if d.opening, err = d.statedBalance(m.Balances.Opening); err != nil {
		return rule.Field("balances.opening", err)
	}
	if d.closing, err = d.statedBalance(m.Balances.Closing); err != nil {
		return rule.Field("balances.closing", err)
	}
	d.newestFirst = m.Balances.Order == "newest-first"
	return rule.Field("balances", oneOf("order", m.Balances.Order, "", "oldest-first", "newest-first"))
}

// statedBalance reads a balance of the mapping, and takes its currency for the file's.
func (d *dialect) statedBalance(text string) (*int64, error) {
	if text == "" {
		return nil, nil
	}
	amount, err := money.Parse(text)
	if err != nil {
		return nil, err
	}
	if d.currency != "" && d.currency != amount.Currency {
		return nil, rule.Refuse(rule.Invalid, "is in %s, the statement in %s", amount.Currency, d.currency)
	}
	d.currency = amount.Currency
	return &amount.Units, nil
}

func (d *dialect) setLimits(m Mapping) error {
	d.limits = Limits{
		RowBytesMax: orDefault(m.Limits.RowBytesMax, rowBytesMax), FieldBytesMax: orDefault(m.Limits.FieldBytesMax, fieldBytesMax),
		ColumnsMax: orDefault(m.Limits.ColumnsMax, columnsMax), RowsMax: orDefault(m.Limits.RowsMax, rowsMax),
		FileBytesMax: orDefault(m.Limits.FileBytesMax, fileBytesMax),
	}
	l := d.limits
	// A row of 16 MiB is no row: the bound keeps a mapping from switching the bound off.
	if l.RowBytesMax < 1 || l.RowBytesMax > 16<<20 || l.FieldBytesMax < 1 || l.ColumnsMax < 1 || l.RowsMax < 1 || l.FileBytesMax < 1 {
		return rule.Field("limits", rule.Refuse(rule.Invalid, "must be more than zero, and rowBytesMax at most %d", 16<<20))
	}
	return nil
}

func orDefault[N int | int64](value, standard N) N {
	if value == 0 {
		return standard
	}
	return value
}

// compilePattern refuses a pattern that would match every row.
func compilePattern(text string) (*regexp.Regexp, error) {
	if text == "" {
		return nil, rule.Field("match", rule.Refuse(rule.Invalid, "is missing"))
	}
	pattern, err := regexp.Compile(text)
	if err != nil {
		return nil, rule.Field("match", rule.Refuse(rule.Invalid, "%.60q is not a pattern: %s", text, err))
	}
	if pattern.MatchString("") {
		return nil, rule.Field("match", rule.Refuse(rule.Invalid, "%.60q matches an empty cell", text))
	}
	return pattern, nil
}

// squeeze makes one space of every run of white space, so that a header that
// wraps inside its cell can be named on one line.
func squeeze(text string) string { return strings.Join(strings.Fields(text), " ") }
