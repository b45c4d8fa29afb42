// Package rule says no, in one way.
//
// A refusal is a code from a closed list and a sentence that names what to mend.
// It travels as one line of text, because text is all that a Fabric peer carries
// back to a client, and is read back without loss on the other side.
package rule

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Code is the kind of a refusal. Codes are added, never renamed: clients and
// the HTTP status table depend on them.
type Code string

// The closed list of codes.
const (
	// Invalid: the command is malformed; the same bytes will never be accepted.
	Invalid Code = "invalid"
	// Forbidden: the caller or the signer may not do this.
	Forbidden Code = "forbidden"
	// NotFound: a record that the command names does not exist.
	NotFound Code = "not-found"
	// Exists: the id is taken by other content.
	Exists Code = "exists"
	// Conflict: two statements of fact disagree, such as two balances.
	Conflict Code = "conflict"
	// Insufficient: more money was asked than can be spent.
	Insufficient Code = "insufficient"
	// WrongState: the record exists, but is not in a state that allows this.
	WrongState Code = "wrong-state"
	// Expired: a deadline has passed.
	Expired Code = "expired"
	// Early: a waiting period has not ended.
	Early Code = "early"
	// Unsupported: the version of a rule or a record is not known here.
	Unsupported Code = "unsupported"
)

// Codes lists every code, in a fixed order.
func Codes() []Code {
	return []Code{Invalid, Forbidden, NotFound, Exists, Conflict, Insufficient, WrongState, Expired, Early, Unsupported}
}

// Refusal is a rule's no. Text is one sentence on one line.
type Refusal struct {
	Code Code
	Text string
}

// Error prints the refusal in its one spelling, "code: sentence".
func (r *Refusal) Error() string { return string(r.Code) + ": " + r.Text }

// Refuse makes a refusal. Line breaks would be cut off by the peer's transport
// and control characters could forge a second line in a log, so both become spaces.
func Refuse(code Code, format string, arguments ...any) *Refusal {
	text := strings.Map(oneLine, fmt.Sprintf(format, arguments...))
	return &Refusal{Code: code, Text: text}
}

func oneLine(r rune) rune {
	if r < ' ' || r == 0x7f || r == 0x2028 || r == 0x2029 {
		return ' '
	}
	return r
}

// Field puts the name of a field before a refusal's sentence, innermost last,
// so that a nested check names the whole path: payouts[3].amount.
func Field(name string, err error) error {
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	text := refusal.Text
	if path, rest, found := strings.Cut(text, fieldMark); found && strings.HasPrefix(path, fieldOpen) {
		joint := "."
		if inner := path[len(fieldOpen):]; strings.HasPrefix(inner, "[") {
			joint = ""
		}
		return &Refusal{Code: refusal.Code, Text: fieldOpen + name + joint + path[len(fieldOpen):] + fieldMark + rest}
	}
	return &Refusal{Code: refusal.Code, Text: fieldOpen + name + fieldMark + text}
}

// Item names item i of a list in a refusal: payouts[3].
func Item(list string, i int, err error) error {
	return Field(list, Field("["+strconv.Itoa(i)+"]", err))
}

// First returns the first error of a list of checks, the weightiest first.
func First(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// OneOf refuses a word that is not on a closed list.
func OneOf(word string, words ...string) error {
	if !slices.Contains(words, word) {
		return Refuse(Invalid, "is not one of %s", strings.Join(words, ", "))
	}
	return nil
}

// Within refuses a number outside its range, both ends included.
func Within(value, least, most int64) error {
	if value < least || value > most {
		return Refuse(Invalid, "is %d; %d to %d is possible", value, least, most)
	}
	return nil
}

const (
	fieldOpen = "field "
	fieldMark = ": "
)

// Pointer returns the path of the field that a refusal names ("" when none) and the sentence without it.
func (r *Refusal) Pointer() (path, sentence string) {
	if !strings.HasPrefix(r.Text, fieldOpen) {
		return "", r.Text
	}
	path, sentence, found := strings.Cut(r.Text[len(fieldOpen):], fieldMark)
	if !found || strings.ContainsAny(path, " \t") {
		return "", r.Text
	}
	return path, sentence
}

// Parse reads a refusal back from its one spelling. Text that does not begin
// with a known code is not a refusal.
func Parse(text string) (*Refusal, bool) {
	head, sentence, found := strings.Cut(text, ": ")
	if !found || sentence == "" {
		return nil, false
	}
	for _, code := range Codes() {
		if head == string(code) {
			return &Refusal{Code: code, Text: sentence}, true
		}
	}
	return nil, false
}

// Is reports whether err is a refusal with this code.
func Is(err error, code Code) bool {
	var refusal *Refusal
	return errors.As(err, &refusal) && refusal.Code == code
}
