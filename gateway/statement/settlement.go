package statement

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Settlement is a payment processor's file: the gifts that it collected, what
// it kept of them, and what it paid out. Figures are minor units of Currency.
type Settlement struct {
	Currency        money.Currency
	Gifts           []Collected
	Total, Fee, Net int64
	// Ignored counts rows whose status says that they are no gifts.
	Ignored int
	// FirstDate and LastDate are the earliest and the latest of the gifts.
	FirstDate, LastDate string
	// Digest is SHA-256 over the gifts and sums in one spelling; see Summary.Digest.
	Digest string
}

// Collected is a gift that a processor collected.
type Collected struct {
	Row int
	// Date and Time are those of the payment; Time is "" where the file has none.
	Date, Time string
	// Reference is the processor's own; no two gifts of a file share one.
	Reference string
	Amount    int64
	// Payer and Memo are the giver's words. They may name a person: keep them off the ledger.
	Payer, Memo string
}

// settlementColumns are the headers that need no mapping, in the order of the manual.
var settlementColumns = Columns{Date: "date", Time: "time", Reference: "reference", Amount: "amount", Fee: "fee", Net: "net",
	Currency: "currency", Status: "status", Payer: "payer_pseudonym", Description: "memo"}

// settlementTotal begins the row of totals in a file with the standard headers.
var settlementTotal = RowRule{Match: "^total$", Column: "#1", As: rowTotal}

// compileSettlement checks the mapping of a processor's file.
func compileSettlement(m Mapping) (*dialect, error) {
	d := &dialect{settlement: true, standard: m.Columns == Columns{}, currencyNames: m.Currency.Names, debitNegative: m.Amounts.DebitNegative}
	return d, d.set(m, d.setText, d.setHeader, d.setCollected, d.setCellLines, d.setDates, d.setAmounts, d.setStatuses,
		d.setCurrency, d.refuseStatements, d.setRows, d.setTotal, d.setLimits)
}

func (d *dialect) setCollected(m Mapping) error {
	if d.standard {
		d.columns = settlementColumns.list()
		return nil
	}
	for _, needed := range []struct{ name, text string }{{"date", m.Columns.Date}, {"reference", m.Columns.Reference}, {"amount", m.Columns.Amount}} {
		if needed.text == "" {
			return rule.Field("columns."+needed.name, rule.Refuse(rule.Invalid, "is missing"))
		}
	}
	if c := m.Columns; c.Line+c.Debit+c.Credit+c.Direction+c.Balance != "" {
		return rule.Field("columns", rule.Refuse(rule.Invalid, "line, debit, credit, direction and balance are for a bank's statement"))
	}
	return d.nameColumns(m)
}

// refuseStatements refuses what only a bank's statement has.
func (d *dialect) refuseStatements(m Mapping) error {
	switch {
	case m.Balances != Balances{}:
		return rule.Field("balances", rule.Refuse(rule.Invalid, "are for a bank's statement"))
	case len(m.Classify) > 0:
		return rule.Field("classify", rule.Refuse(rule.Invalid, "is for a bank's statement; here status tells"))
	case len(m.Direction.Credit)+len(m.Direction.Debit) > 0 || m.Amounts.Inflow != "":
		return rule.Field("direction", rule.Refuse(rule.Invalid, "is for a bank's statement"))
	}
	for i, row := range m.Rows {
		if row.As == rowOpening || row.As == rowClosing || row.Debit+row.Credit != "" {
			return rule.Field(fmt.Sprintf("rows[%d]", i), rule.Refuse(rule.Invalid, "opening, closing, debit and credit are for a bank's statement"))
		}
	}
	return nil
}

// refuseSettlements refuses what only a processor's file has.
func refuseSettlements(m Mapping) error {
	if len(m.Status.Paid)+len(m.Status.Ignore) > 0 {
		return rule.Field("status", rule.Refuse(rule.Invalid, "is for a processor's file"))
	}
	for i, row := range m.Rows {
		if row.Fee+row.Net != "" || row.As == rowTotal && row.Amount != "" {
			return rule.Field(fmt.Sprintf("rows[%d]", i), rule.Refuse(rule.Invalid, "amount, fee and net of a total are for a processor's file"))
		}
	}
	return nil
}

func (d *dialect) setStatuses(m Mapping) error {
	words := m.Status
	if d.standard && len(words.Paid) == 0 && len(words.Ignore) == 0 {
		words = StatusRule{Paid: []string{"paid"}, Ignore: []string{"failed"}}
	}
	if (d.columns[columnStatus] != "") != (len(words.Paid) > 0) || len(words.Paid) == 0 && len(words.Ignore) > 0 {
		return rule.Field("status", rule.Refuse(rule.Invalid, "a status column needs the words for paid, and they need it"))
	}
	d.statuses = map[string]bool{}
	for i, word := range append(append([]string{}, words.Paid...), words.Ignore...) {
		if _, doubled := d.statuses[word]; doubled || word == "" {
			return rule.Field("status", rule.Refuse(rule.Invalid, "%.40q is there twice or empty", word))
		}
		d.statuses[word] = i < len(words.Paid)
	}
	return nil
}

// setTotal lets files with the standard headers end with their totals.
func (d *dialect) setTotal(Mapping) error {
	if !d.standard {
		return nil
	}
	total, err := compileRowRule(settlementTotal)
	d.rows = append(d.rows, total)
	return err
}

// total is a figure that a row states.
type total struct {
	row    int
	label  string
	column column
	units  int64
}

// stateTotals keeps what a row states: it may stand above the gifts or below.
func (r *Reader) stateTotals(known *rowRule, cells [][]byte) error {
	if r.currency == "" {
		return nil // no gift has told the currency, and a file without any is refused
	}
	for _, figure := range []struct {
		column column
		at     int
	}{{columnAmount, known.amount}, {columnFee, known.fee}, {columnNet, known.net}} {
		at, label := figure.at, "#"+strconv.Itoa(figure.at+1)
		if at == asMapped {
			if at, label = r.index[figure.column], r.labels[figure.column]; !r.placed {
				continue // above the header no column has its place yet
			}
		}
		if at < 0 || at >= len(cells) || r.dialect.amount.isEmpty(trimSpace(cells[at])) {
			continue
		}
		units, err := r.figure(r.scanner.row, label, trimSpace(cells[at]))
		if err != nil {
			return err
		}
		if figure.column == columnFee && r.dialect.debitNegative {
			units = -units
		}
		r.totals = append(r.totals, total{row: r.scanner.row, label: label, column: figure.column, units: units})
	}
	return nil
}

// ReadSettlement reads a payment processor's file. With bad rows the error is
// the first refusal, and says how many more there are.
func ReadSettlement(path string, m Mapping) (Settlement, error) {
	file, err := os.Open(path)
	if err != nil {
		return Settlement{}, fmt.Errorf("open the processor's file: %w", err)
	}
	defer file.Close()
	return ReadSettlementFrom(file, m)
}

// ReadSettlementFrom reads one from a stream.
func ReadSettlementFrom(source io.Reader, m Mapping) (Settlement, error) {
	d, err := compileSettlement(m)
	if err != nil {
		return Settlement{}, err
	}
	r, err := newReader(source, d)
	if err != nil {
		return Settlement{}, err
	}
	s := settling{Reader: r, seen: map[string]int{}}
	if err := s.readAll(); err != nil {
		return Settlement{}, err
	}
	err = s.finish()
	return s.result, err
}

// settling is a settlement in the making.
type settling struct {
	*Reader
	result Settlement
	// seen are the processor's references, and the rows they stand on.
	seen map[string]int
	// telling is set where the rows tell the fee.
	telling bool
}

func (s *settling) readAll() error {
	s.telling = s.index[columnFee] != notThere || s.index[columnNet] != notThere
	var first error
	bad := 0
	for {
		cells, err := s.nextRow()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = s.take(cells)
		}
		if err != nil {
			if bad++; first == nil {
				first = err
			}
		}
		if s.scanner.failed != nil || len(s.result.Gifts) > tape.PageGiftsMax {
			break
		}
	}
	if refusal, is := rule.Parse(fmt.Sprintf("%v; %d more rows are at fault", first, bad-1)); is && bad > 1 {
		return refusal
	}
	return first
}

// take reads one row.
func (s *settling) take(cells [][]byte) error {
	line := Line{Row: s.scanner.row}
	if err := s.checkWidth(cells); err != nil {
		return err
	}
	if s.index[columnStatus] != notThere {
		word := s.cell(cells, columnStatus)
		paid, known := s.dialect.statuses[string(word)]
		if !known {
			return cellRefusal(line.Row, s.labels[columnStatus], "%.40q is neither a word for a gift that was paid nor one to ignore", word)
		}
		if !paid {
			s.result.Ignored++
			return nil
		}
	}
	for _, read := range []func([][]byte, *Line) error{s.checkSpaces, s.readDate, s.readTime, s.readCurrency, s.readCollected} {
		if err := read(cells, &line); err != nil {
			return err
		}
	}
	gift := Collected{Row: line.Row, Date: line.Date, Time: line.Time, Reference: s.text(cells, columnReference), Amount: line.Credit,
		Payer: s.text(cells, columnPayer), Memo: s.text(cells, columnDescription)}
	if before, doubled := s.seen[gift.Reference]; doubled || gift.Reference == "" {
		if gift.Reference == "" {
			return cellRefusal(gift.Row, s.labels[columnReference], "is empty")
		}
		return cellRefusal(gift.Row, s.labels[columnReference], "stands on row %d already", before)
	}
	s.seen[gift.Reference] = gift.Row
	return s.add(gift, line.Debit)
}

// readCollected reads amount, fee and net of a row, as far as it has them: the
// amount into Credit, the fee into Debit.
func (s *settling) readCollected(cells [][]byte, line *Line) (err error) {
	if line.Credit, err = s.figure(line.Row, s.labels[columnAmount], s.cell(cells, columnAmount)); err != nil {
		return err
	}
	if line.Credit <= 0 {
		return cellRefusal(line.Row, s.labels[columnAmount], "%.40q is not more than zero; what goes back to a giver is no gift of this file", s.cell(cells, columnAmount))
	}
	if line.Debit, err = s.optionalFigure(cells, columnFee); err != nil {
		return err
	}
	if s.dialect.debitNegative {
		line.Debit = -line.Debit
	}
	if err := s.readNet(cells, line); err != nil {
		return err
	}
	if line.Debit < 0 || line.Debit > line.Credit {
		label := s.labels[columnFee]
		if s.index[columnFee] == notThere {
			label = s.labels[columnNet]
		}
		return cellRefusal(line.Row, label, "the fee of %s is negative or more than the amount of %s", s.amount(line.Debit), s.amount(line.Credit))
	}
	return nil
}

// readNet compares the net of a row with its amount and fee, or finds the fee by it.
func (s *settling) readNet(cells [][]byte, line *Line) error {
	if s.index[columnNet] == notThere {
		return nil
	}
	net, err := s.figure(line.Row, s.labels[columnNet], s.cell(cells, columnNet))
	if err != nil {
		return err
	}
	if s.index[columnFee] == notThere {
		line.Debit = line.Credit - net
	} else if line.Credit-net != line.Debit {
		return rule.Refuse(rule.Conflict, "row %d, column %s: %s is stated; %s less a fee of %s is %s", line.Row, s.labels[columnNet],
			s.amount(net), s.amount(line.Credit), s.amount(line.Debit), s.amount(line.Credit-line.Debit))
	}
	return nil
}

// add takes one gift into the sums.
func (s *settling) add(gift Collected, fee int64) (err error) {
	if len(s.result.Gifts) == tape.PageGiftsMax {
		s.result.Gifts = append(s.result.Gifts, gift)
		return rowRefusal(gift.Row, " is beyond the %d gifts that one line of the bank can carry", tape.PageGiftsMax)
	}
	if s.result.Total, err = money.Sum(s.result.Total, gift.Amount); err != nil {
		return rowRefusal(gift.Row, " brings the file's total beyond %d minor units", int64(money.Max))
	}
	s.result.Fee += fee // never more than the total
	if s.result.Gifts = append(s.result.Gifts, gift); len(s.result.Gifts) == 1 {
		s.result.FirstDate, s.result.LastDate = gift.Date, gift.Date
	}
	s.result.FirstDate, s.result.LastDate = min(s.result.FirstDate, gift.Date), max(s.result.LastDate, gift.Date)
	return nil
}

// finish compares the stated totals with the rows.
func (s *settling) finish() error {
	s.result.Currency = s.Reader.currency
	switch {
	case len(s.result.Gifts) == 0:
		return rule.Refuse(rule.Invalid, "the file holds no gift")
	case s.dialect.standard && len(s.totals) == 0:
		return rowRefusal(s.Row(), " is the last, and no row of totals follows: the file was cut off")
	}
	for _, stated := range s.totals {
		if !s.telling && stated.column != columnAmount {
			s.result.Fee, s.telling = s.feeOf(stated), true
		}
	}
	if !s.telling {
		return rule.Refuse(rule.Invalid, "neither the rows nor a total say what the processor kept; map a column fee or net, or a row of totals")
	}
	s.result.Net = s.result.Total - s.result.Fee
	for _, stated := range s.totals {
		given := map[column]int64{columnAmount: s.result.Total, columnFee: s.result.Fee, columnNet: s.result.Net}[stated.column]
		if stated.units != given {
			return rule.Refuse(rule.Conflict, "row %d, column %s: a total of %s is stated; the rows of gifts give %s", stated.row, stated.label, s.amount(stated.units), s.amount(given))
		}
	}
	if s.result.Fee < 0 || s.result.Net <= 0 {
		return rule.Refuse(rule.Invalid, "%s less a fee of %s leaves nothing that a bank could show", s.amount(s.result.Total), s.amount(s.result.Fee))
	}
	s.result.Digest = s.digest()
	return nil
}

// feeOf is the fee that a total tells where no row does.
func (s *settling) feeOf(stated total) int64 {
	if stated.column == columnNet {
		return s.result.Total - stated.units
	}
	return stated.units
}

func (s *settling) digest() string {
	text := []byte("lianbao settlement 1\n")
	for _, g := range s.result.Gifts {
		text = appendLine(text, Line{Number: 1, Date: g.Date, Time: g.Time, Reference: g.Reference, Currency: s.result.Currency, Payer: g.Payer, Description: g.Memo, Credit: g.Amount})
	}
	text = strconv.AppendInt(text, s.result.Fee, 10)
	digest := sha256.Sum256(text)
	return hex.EncodeToString(digest[:])
}
