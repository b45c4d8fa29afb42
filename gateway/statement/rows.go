package statement

import (
	"bytes"
	"fmt"
	"regexp"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// What a recognised row is.
const (
	rowOpening = "opening"
	rowClosing = "closing"
	rowTotal   = "total"
	rowIgnore  = "ignore"
	rowEnd     = "end"
)

// Positions that are found in the row instead of being given.
const (
	anyCell  = -1
	nextCell = -1
	asMapped = -1
	notThere = -1
)

// rowRule recognises a row that is not a line, and knows where its figures are.
type rowRule struct {
	pattern       *regexp.Regexp
	column        int
	as            string
	amount        int
	debit, credit int
	fee, net      int
}

func (d *dialect) setRows(m Mapping) error {
	for i, given := range m.Rows {
		place := fmt.Sprintf("rows[%d]", i)
		compiled, err := compileRowRule(given)
		if err != nil {
			return rule.Field(place, err)
		}
		if needsMoney := compiled.as != rowIgnore && compiled.as != rowEnd; needsMoney && d.currency == "" {
			return rule.Field(place, rule.Refuse(rule.Invalid, "balances and totals need currency.code"))
		}
		d.rows = append(d.rows, compiled)
	}
	return nil
}

func compileRowRule(given RowRule) (compiled rowRule, err error) {
	if compiled.pattern, err = compilePattern(given.Match); err != nil {
		return compiled, err
	}
	compiled.as = given.As
	if err = oneOf("as", given.As, rowOpening, rowClosing, rowTotal, rowIgnore, rowEnd); err != nil {
		return compiled, err
	}
	if err = given.places(); err != nil {
		return compiled, err
	}
	for _, place := range []struct {
		field, text string
		to          *int
		absent      int
	}{
		{"column", given.Column, &compiled.column, anyCell}, {"amount", given.Amount, &compiled.amount, nextCell},
		{"debit", given.Debit, &compiled.debit, asMapped}, {"credit", given.Credit, &compiled.credit, asMapped},
		{"fee", given.Fee, &compiled.fee, asMapped}, {"net", given.Net, &compiled.net, asMapped},
	} {
		if *place.to, err = positionOr(place.text, place.absent); err != nil {
			return compiled, rule.Field(place.field, err)
		}
	}
	return compiled, nil
}

// places refuses positions that the row does not have.
func (given RowRule) places() error {
	balance := given.As == rowOpening || given.As == rowClosing
	switch {
	case given.Amount != "" && !balance && given.As != rowTotal:
		return rule.Field("amount", rule.Refuse(rule.Invalid, "is for opening, closing and total"))
	case given.Debit+given.Credit != "" && given.As != rowTotal:
		return rule.Field("debit", rule.Refuse(rule.Invalid, "and credit are for total"))
	case given.Fee+given.Net != "" && given.As != rowTotal:
		return rule.Field("fee", rule.Refuse(rule.Invalid, "and net are for total"))
	}
	return nil
}

// positionOr reads "#3"; a name is refused, since rows above the header have none.
func positionOr(text string, absent int) (int, error) {
	if text == "" {
		return absent, nil
	}
	at, positioned, err := position(text)
	if err == nil && !positioned {
		err = rule.Refuse(rule.Invalid, "%.40q is not a position such as \"#3\"", text)
	}
	return at, err
}

// find returns the cell that the rule recognises and where the pattern's groups are in it.
func (rr *rowRule) find(cells [][]byte) (at int, groups []int) {
	for i, cell := range cells {
		if rr.column != anyCell && rr.column != i {
			continue
		}
		if groups := rr.pattern.FindSubmatchIndex(trimSpace(cell)); groups != nil {
			return i, groups
		}
	}
	return notThere, nil
}

// balanceCell returns the figure of an opening or closing row: at the named
// position, else the pattern's first group, else the next cell with text.
func (rr *rowRule) balanceCell(cells [][]byte, at int, groups []int) []byte {
	if rr.amount != nextCell {
		if rr.amount < len(cells) {
			return trimSpace(cells[rr.amount])
		}
		return nil
	}
	if len(groups) > 2 && groups[2] >= 0 {
		return trimSpace(trimSpace(cells[at])[groups[2]:groups[3]])
	}
	for _, cell := range cells[at+1:] {
		if cell = trimSpace(cell); len(cell) > 0 {
			return cell
		}
	}
	return nil
}

// applyRules reports whether the row is no line because a rule recognises it.
func (r *Reader) applyRules(cells [][]byte) (bool, error) {
	for i := range r.dialect.rows {
		known := &r.dialect.rows[i]
		at, groups := known.find(cells)
		if at == notThere {
			continue
		}
		switch known.as {
		case rowEnd:
			r.endRow = r.scanner.row
		case rowTotal:
			if r.dialect.settlement {
				return true, r.stateTotals(known, cells)
			}
			return true, r.checkTotals(known, cells)
		case rowOpening, rowClosing:
			return true, r.stateBalance(known, cells, at, groups)
		}
		return true, nil
	}
	return false, nil
}

// stateBalance keeps a balance that a row states; two different ones clash.
func (r *Reader) stateBalance(known *rowRule, cells [][]byte, at int, groups []int) error {
	row := r.scanner.row
	units, err := r.figure(row, known.as, known.balanceCell(cells, at, groups))
	if err != nil {
		return err
	}
	stated := &r.book.opening
	if known.as == rowClosing {
		stated = &r.book.closing
	}
	if *stated != nil && **stated != units {
		return rule.Refuse(rule.Conflict, "row %d: the %s balance is %s here and %s before", row, known.as, r.amount(units), r.amount(**stated))
	}
	*stated = &units
	return nil
}

// checkTotals compares a total row with the lines above it.
func (r *Reader) checkTotals(known *rowRule, cells [][]byte) error {
	if err := r.checkTotal(cells, columnCredit, known.credit, r.book.credit); err != nil {
		return err
	}
	return r.checkTotal(cells, columnDebit, known.debit, r.book.debit)
}

// checkTotal compares one figure of a total row; a row need not state both.
func (r *Reader) checkTotal(cells [][]byte, c column, at int, sum int64) error {
	if at == asMapped {
		at = r.index[c]
	}
	if at < 0 || at >= len(cells) || r.dialect.amount.isEmpty(trimSpace(cells[at])) {
		return nil
	}
	row, label := r.scanner.row, "total "+columnNames[c]
	units, err := r.figure(row, label, trimSpace(cells[at]))
	if err != nil {
		return err
	}
	if c == columnDebit && r.dialect.debitNegative {
		units = -units
	}
	if !r.book.off && units != sum {
		return rule.Refuse(rule.Conflict, "row %d: the %s is stated as %s; the lines above give %s", row, label, r.amount(units), r.amount(sum))
	}
	return nil
}

// afterEnd refuses a row with a date behind the end: it would be a line that nobody counts.
func (r *Reader) afterEnd(cells [][]byte) error {
	if _, isDate := r.dialect.date.parse(r.cell(cells, columnDate)); isDate {
		return rowRefusal(r.scanner.row, " looks like a line, but stands after the end that row %d marks", r.endRow)
	}
	return nil
}

// classRule recognises a line that is not a gift.
type classRule struct {
	pattern *regexp.Regexp
	column  column
	side    string
	verdict Verdict
}

func (d *dialect) setClasses(m Mapping) error {
	for i, given := range m.Classify {
		compiled, err := d.compileClassRule(given)
		if err != nil {
			return rule.Field(fmt.Sprintf("classify[%d]", i), err)
		}
		d.classes = append(d.classes, compiled)
	}
	return nil
}

func (d *dialect) compileClassRule(given ClassRule) (compiled classRule, err error) {
	if compiled.pattern, err = compilePattern(given.Match); err != nil {
		return compiled, err
	}
	kinds := []string{string(Fee), string(Interest), string(Transfer), string(Returned), string(Processor), string(Debit)}
	if err = oneOf("as", given.As, kinds...); err != nil {
		return compiled, err
	}
	if err = oneOf("side", given.Side, "", "in", "out"); err != nil {
		return compiled, err
	}
	if given.As == string(Debit) && given.Side != "out" {
		return compiled, rule.Field("side", rule.Refuse(rule.Invalid, "must be out for a debit"))
	}
	compiled.side = given.Side
	compiled.verdict = Verdict{Kind: Kind(given.As), Reason: given.Reason}
	if given.Reason == "" {
		compiled.verdict.Reason = defaultReasons[compiled.verdict.Kind]
	}
	compiled.column, err = d.classColumn(given.Column)
	return compiled, err
}

// classColumn is where a pattern looks: in the description where nothing else is named.
func (d *dialect) classColumn(name string) (column, error) {
	if err := oneOf("column", name, "", "description", "payer", "reference"); err != nil {
		return 0, err
	}
	c := columnDescription
	switch name {
	case "payer":
		c = columnPayer
	case "reference":
		c = columnReference
	}
	if d.columns[c] == "" {
		return 0, rule.Field("column", rule.Refuse(rule.Invalid, "%s is not a column of this mapping", columnNames[c]))
	}
	return c, nil
}

func (c *classRule) matches(line Line) bool {
	if (c.side == "in" && line.Credit == 0) || (c.side == "out" && line.Debit == 0) {
		return false
	}
	text := line.Description
	switch c.column {
	case columnPayer:
		text = line.Payer
	case columnReference:
		text = line.Reference
	}
	return c.pattern.MatchString(text)
}

func trimSpace(cell []byte) []byte { return bytes.TrimSpace(cell) }
