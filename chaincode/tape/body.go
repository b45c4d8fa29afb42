package tape

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// row is four texts without escapes, written ["a","b","c","d"]. Pages of
// gifts and of statement lines are lists of rows: this spelling is compact,
// and reading exactly it is several times faster than general JSON, which is
// what every peer spends its time on while a page is received.
type row [4]string

func (r row) String() string { return string(r.append(nil)) }

func (r row) append(text []byte) []byte {
	text = append(append(text, `["`...), r[0]...)
	for _, field := range r[1:] {
		text = append(append(text, `","`...), field...)
	}
	return append(text, `"]`...)
}

// readRow reads one row at the front of text.
func readRow(text string) (r row, rest string, ok bool) {
	if !strings.HasPrefix(text, `["`) {
		return r, "", false
	}
	text = text[2:]
	for i := range r {
		end := strings.IndexByte(text, '"')
		if end < 0 || !plain(text[:end]) {
			return r, "", false
		}
		r[i], text = text[:end], text[end+1:]
		if i == len(r)-1 {
			break
		}
		if !strings.HasPrefix(text, `,"`) {
			return r, "", false
		}
		text = text[2:]
	}
	rest, ok = strings.CutPrefix(text, "]")
	return r, rest, ok
}

// plain reports whether a text is printable ASCII with nothing that JSON would escape.
func plain(text string) bool {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < ' ' || c >= 0x7f || c == '\\' {
			return false
		}
	}
	return true
}

// readBody cuts the list called field out of a canonical argument, reads its
// rows, and decodes the rest as a header in which the list is empty.
func readBody(argument []byte, field string, limit int, header any, each func(i int, r row) error) error {
	mark := `"` + field + `":[`
	start := bytes.Index(argument, []byte(mark))
	if start < 0 {
		return rule.Field(field, rule.Refuse(rule.Invalid, "is missing"))
	}
	start += len(mark)
	text := string(argument[start:])
	for i := 0; !strings.HasPrefix(text, "]"); i++ {
		if i == limit {
			return rule.Field(field, rule.Refuse(rule.Invalid, "holds more than %d", limit))
		}
		if i > 0 {
			text = strings.TrimPrefix(text, ",")
		}
		r, rest, ok := readRow(text)
		if !ok || (rest != "" && rest[0] != ']' && !strings.HasPrefix(rest, ",[")) {
			return rule.Item(field, i, rule.Refuse(rule.Invalid, "is not a list of four texts"))
		}
		if err := each(i, r); err != nil {
			return rule.Item(field, i, err)
		}
		text = rest
	}
	rest := append(append([]byte(nil), argument[:start]...), text...)
	return canonical.Decode(rest, header)
}

// writeBody is the inverse of readBody.
func writeBody(header any, field string, rows []string) ([]byte, error) {
	empty, err := canonical.Encode(header)
	if err != nil {
		return nil, err
	}
	mark := []byte(`"` + field + `":[`)
	start := bytes.Index(empty, mark) + len(mark)
	var argument bytes.Buffer
	argument.Write(empty[:start])
	argument.WriteString(strings.Join(rows, ","))
	argument.Write(empty[start:])
	return argument.Bytes(), nil
}

// Gift is one pending gift. Who gave it is not on the ledger.
type Gift struct {
	// ID is unique within its page.
	ID     ID
	Amount money.Amount
	// Donor commits to who gave, salted: 43 characters, or empty.
	Donor string
	// Reference is the keyed hash under which the bank line is found: 22 characters, or empty.
	Reference string
}

// Row is the gift's one spelling, and its leaf in the page's tree.
func (g Gift) Row() string { return g.row().String() }

func (g Gift) row() row { return row{string(g.ID), g.Amount.String(), g.Donor, g.Reference} }

// Giver names whoever gave a gift, outside the ledger: drawn from the gift
// itself, so that a refund can name nobody else.
func (g Gift) Giver() AccountID {
	digest := sha256.Sum256([]byte("giver\n" + g.Row()))
	return AccountID("outside:donor:" + hex.EncodeToString(digest[:16]))
}

func giftOf(r row) (Gift, error) {
	amount, err := money.Parse(r[1])
	if err != nil {
		return Gift{}, rule.Field("amount", err)
	}
	gift := Gift{ID: ID(r[0]), Amount: amount, Donor: r[2], Reference: r[3]}
	if err := gift.ID.Check(); err != nil {
		return Gift{}, err
	}
	if err := amount.Positive(amount.Currency); err != nil {
		return Gift{}, rule.Field("amount", err)
	}
	if err := CheckDonor(gift.Donor); err != nil {
		return Gift{}, rule.Field("donor", err)
	}
	if err := CheckFingerprint(gift.Reference); err != nil {
		return Gift{}, rule.Field("reference", err)
	}
	return gift, nil
}

// CheckDonor refuses what is neither empty nor a commitment to who gave.
func CheckDonor(donor string) error {
	if !base64url(donor, 43) {
		return rule.Refuse(rule.Invalid, "must be 43 characters of base64url, or empty")
	}
	return nil
}

// CheckFingerprint refuses what is neither empty nor a keyed hash of 128 bits:
// text of another form could carry what does not belong on a ledger.
func CheckFingerprint(fingerprint string) error {
	if !base64url(fingerprint, 22) {
		return rule.Refuse(rule.Invalid, "must be 22 characters of base64url, or empty")
	}
	return nil
}

// base64url reports whether text is empty or length characters of unpadded
// base64url whose unused last bits are zero: otherwise one hash had several spellings.
func base64url(text string, length int) bool {
	if text == "" {
		return true
	}
	if len(text) != length {
		return false
	}
	for i := 0; i < len(text); i++ {
		if c := text[i]; !alphanumeric(c) && c != '-' && c != '_' {
			return false
		}
	}
	last := "AEIMQUYcgkosw048" // 43 characters: 4 of the last 6 bits count
	if length == 22 {
		last = "AQgw" // 22 characters: 2 of the last 6 bits count
	}
	return strings.IndexByte(last, text[length-1]) >= 0
}

// Line is one line of a bank statement.
type Line struct {
	// Number is the line's number in the statement, from 1.
	Number int32
	Date   Date
	Amount money.Amount
	// Reference is the keyed hash of what the bank wrote: 22 characters, or empty.
	Reference string
}

// Row is the line's one spelling, and its leaf in the page's tree.
func (l Line) Row() string { return l.row().String() }

func (l Line) row() row {
	return row{strconv.Itoa(int(l.Number)), string(l.Date), l.Amount.String(), l.Reference}
}

func lineOf(r row) (Line, error) {
	number, err := strconv.ParseInt(r[0], 10, 32)
	if err != nil || number < 1 || strconv.FormatInt(number, 10) != r[0] {
		return Line{}, rule.Field("number", rule.Refuse(rule.Invalid, "is not a line number"))
	}
	amount, err := money.Parse(r[2])
	if err != nil {
		return Line{}, rule.Field("amount", err)
	}
	line := Line{Number: int32(number), Date: Date(r[1]), Amount: amount, Reference: r[3]}
	if err := line.Date.Check(); err != nil {
		return Line{}, rule.Field("date", err)
	}
	if err := amount.Positive(amount.Currency); err != nil {
		return Line{}, rule.Field("amount", err)
	}
	if !base64url(line.Reference, 22) {
		return Line{}, rule.Field("reference", rule.Refuse(rule.Invalid, "must be 22 characters of base64url, or empty"))
	}
	return line, nil
}

// body is what a page of rows comes to.
type body struct {
	leaves  []merkle.Leaf
	rows    []byte // of all leaves, one behind the other
	matches []byte
	total   int64
}

// newBody makes room for a page, so that it is not moved while it grows.
func newBody(rows int) *body {
	return &body{leaves: make([]merkle.Leaf, 0, rows), rows: make([]byte, 0, 160*rows), matches: make([]byte, 0, 48*rows)}
}

// add takes one row; amount says which of its fields is the amount, the last is the reference.
func (b *body) add(r row, amount int, units int64) error {
	total, err := money.Sum(b.total, units)
	if err != nil {
		return err
	}
	b.total = total
	start := len(b.rows)
	b.rows = r.append(b.rows)
	b.leaves = append(b.leaves, merkle.Leaf{Data: b.rows[start:len(b.rows):len(b.rows)], Amount: units})
	b.matches = append(append(append(append(b.matches, r[amount]...), ' '), r[len(r)-1]...), '\n')
	return nil
}

// sums returns the Merkle sum root and the digest over amounts and references.
// Pages of gifts and of lines that hold the same money in the same order have
// the same digest, which makes their comparison one of 32 bytes.
func (b *body) sums() (root, matches merkle.Hash) {
	root, _ = merkle.Root(b.leaves)
	return root, sha256.Sum256(b.matches)
}

// GiftsBody computes what a page of gifts comes to, and its leaves for proofs.
func GiftsBody(gifts []Gift) (root, matches merkle.Hash, leaves []merkle.Leaf, err error) {
	b := newBody(len(gifts))
	for i, gift := range gifts {
		if err := b.add(gift.row(), 1, gift.Amount.Units); err != nil {
			return root, matches, nil, rule.Item("gifts", i, err)
		}
	}
	if len(gifts) > 0 {
		root, matches = b.sums()
	}
	return root, matches, b.leaves, nil
}

// LinesBody computes the head of a page of statement lines, and its leaves for proofs.
func LinesBody(side Side, lines []Line) (LinesPage, []merkle.Leaf, error) {
	if len(lines) == 0 {
		return LinesPage{}, nil, rule.Field("lines", rule.Refuse(rule.Invalid, "must hold at least one line"))
	}
	b := newBody(len(lines))
	currency := lines[0].Amount.Currency
	for i, line := range lines {
		if line.Amount.Currency != currency {
			return LinesPage{}, nil, rule.Item("lines", i, rule.Refuse(rule.Invalid, "%s is not in %s", line.Amount, currency))
		}
		if i > 0 && line.Number <= lines[i-1].Number {
			return LinesPage{}, nil, rule.Item("lines", i, rule.Refuse(rule.Invalid, "line %d does not come after line %d", line.Number, lines[i-1].Number))
		}
		if err := b.add(line.row(), 2, line.Amount.Units); err != nil {
			return LinesPage{}, nil, rule.Item("lines", i, err)
		}
	}
	root, matches := b.sums()
	page := LinesPage{Side: side, Count: int32(len(lines)), Total: money.New(b.total, currency), Root: root, Matches: matches}
	return page, b.leaves, nil
}
