package statement

import (
	"strings"
	"unicode/utf8"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// layout is a compiled date or time layout.
type layout struct {
	parts []layoutPart
	// hasDate and hasTime say what a cell of this layout holds.
	hasDate, hasTime bool
}

// layoutPart is a field of a moment, or literal text when field is 0.
type layoutPart struct {
	field   byte
	digits  int // exact number of digits; 0 means one or two without a leading zero
	literal string
}

// moment is what a cell said; which of it counts, the layout knows.
type moment struct {
	year, month, day, hour, minute, second int
}

// The fields of a layout, longest spelling first where one begins another.
var layoutFields = []struct {
	spelling string
	part     layoutPart
}{
	{"yyyy", layoutPart{field: 'y', digits: 4}},
	{"yy", layoutPart{field: 'Y', digits: 2}},
	{"mmm", layoutPart{field: 'M'}},
	{"mm", layoutPart{field: 'm', digits: 2}},
	{"mi", layoutPart{field: 'i', digits: 2}},
	{"m", layoutPart{field: 'm'}},
	{"dd", layoutPart{field: 'd', digits: 2}},
	{"d", layoutPart{field: 'd'}},
	{"hh", layoutPart{field: 'h', digits: 2}},
	{"h", layoutPart{field: 'h'}},
	{"ss", layoutPart{field: 's', digits: 2}},
}

const monthNames = "janfebmaraprmayjunjulaugsepoctnovdec"

// compileLayout reads a layout such as dd/mm/yyyy or "yyyy-mm-dd hh:mi:ss".
func compileLayout(text string) (*layout, error) {
	compiled := &layout{}
	seen := ""
	for rest := text; rest != ""; {
		part, length := nextPart(rest)
		if length == 0 {
			return nil, rule.Refuse(rule.Invalid, "layout %.40q: %.4q is not one of yyyy yy mm m mmm dd d hh h mi ss", text, rest)
		}
		rest = rest[length:]
		compiled.parts = append(compiled.parts, part)
		if part.field != 0 {
			seen += string(lowerField(part.field))
		}
	}
	for _, field := range "ymdhis" {
		if strings.Count(seen, string(field)) > 1 {
			return nil, rule.Refuse(rule.Invalid, "layout %.40q names one thing twice", text)
		}
	}
	compiled.hasDate = strings.ContainsAny(seen, "ymd")
	compiled.hasTime = strings.ContainsAny(seen, "his")
	wholeDate, wholeTime := holdsAll(seen, "ymd"), holdsAll(seen, "hi")
	if seen == "" || compiled.hasDate != wholeDate || compiled.hasTime != wholeTime {
		return nil, rule.Refuse(rule.Invalid, "layout %.40q needs year, month and day, or hour and minute", text)
	}
	return compiled, nil
}

func holdsAll(seen, fields string) bool {
	return !strings.ContainsFunc(fields, func(field rune) bool { return !strings.ContainsRune(seen, field) })
}

func lowerField(field byte) byte {
	if field == 'Y' || field == 'M' {
		return field + 'a' - 'A'
	}
	return field
}

// nextPart takes a field or one literal sign. A letter is literal only as the T
// and Z of ISO 8601: any other would be a misspelt field.
func nextPart(rest string) (layoutPart, int) {
	for _, candidate := range layoutFields {
		if strings.HasPrefix(rest, candidate.spelling) {
			return candidate.part, len(candidate.spelling)
		}
	}
	const misspelt = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSUVWXY0123456789"
	if strings.IndexByte(misspelt, rest[0]) >= 0 {
		return layoutPart{}, 0
	}
	_, length := utf8.DecodeRuneInString(rest)
	return layoutPart{literal: rest[:length]}, length
}

// parse reads a cell that has exactly this layout and names a real moment.
func (l *layout) parse(cell []byte) (moment, bool) {
	var m moment
	for _, part := range l.parts {
		length, ok := part.read(cell, &m)
		if !ok {
			return moment{}, false
		}
		cell = cell[length:]
	}
	if len(cell) > 0 || (l.hasDate && !m.realDate()) || (l.hasTime && !m.realTime()) {
		return moment{}, false
	}
	return m, true
}

// read takes the part off the cell's beginning and returns its length.
func (p layoutPart) read(cell []byte, m *moment) (int, bool) {
	switch p.field {
	case 0:
		return len(p.literal), strings.HasPrefix(string(cell), p.literal)
	case 'M':
		return 3, m.readMonthName(cell)
	}
	length := p.digits
	if length == 0 {
		length = min(digitRun(cell), 2)
	}
	if length == 0 || digitRun(cell) < length || (p.digits == 0 && length == 2 && cell[0] == '0') {
		return 0, false
	}
	value := 0
	for _, digit := range cell[:length] {
		value = value*10 + int(digit-'0')
	}
	m.set(p.field, value)
	return length, true
}

func (m *moment) set(field byte, value int) {
	switch field {
	case 'y':
		m.year = value
	case 'Y':
		// Statements are of this century; 1999 on one would be a mistake.
		m.year = 2000 + value
	case 'm':
		m.month = value
	case 'd':
		m.day = value
	case 'h':
		m.hour = value
	case 'i':
		m.minute = value
	case 's':
		m.second = value
	}
}

func (m *moment) readMonthName(cell []byte) bool {
	if len(cell) < 3 {
		return false
	}
	at := strings.Index(monthNames, strings.ToLower(string(cell[:3])))
	if at < 0 || at%3 != 0 {
		return false
	}
	m.month = at/3 + 1
	return true
}

func (m moment) realDate() bool {
	if m.year < 1900 || m.year > 2199 || m.month < 1 || m.month > 12 || m.day < 1 {
		return false
	}
	days := [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[m.month-1]
	if m.month == 2 && m.year%4 == 0 && (m.year%100 != 0 || m.year%400 == 0) {
		days = 29
	}
	return m.day <= days
}

func (m moment) realTime() bool { return m.hour < 24 && m.minute < 60 && m.second < 60 }

// date prints yyyy-mm-dd.
func (m moment) date() string {
	text := make([]byte, 0, len("2024-09-01"))
	text = appendTwo(text, m.year/100)
	text = appendTwo(text, m.year%100)
	text = appendTwo(append(text, '-'), m.month)
	return string(appendTwo(append(text, '-'), m.day))
}

// clock prints hh:mm:ss.
func (m moment) clock() string {
	text := appendTwo(make([]byte, 0, len("08:00:00")), m.hour)
	text = appendTwo(append(text, ':'), m.minute)
	return string(appendTwo(append(text, ':'), m.second))
}

func appendTwo(text []byte, value int) []byte {
	return append(text, byte('0'+value/10), byte('0'+value%10))
}
