// Package canonical reads and writes JSON in the one spelling of RFC 8785.
//
// Everything that is signed, hashed, stored or sent to a contract has exactly
// one spelling, so two parties can never mean different things by the same
// hash. A reader that meets any other spelling refuses it: a field that is
// unknown, doubled, missing, null or in another case, another order, white
// space, a number written another way.
package canonical

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gowebpki/jcs"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// Encode writes the canonical spelling of a record. Records hold no floats and
// no number beyond 31 bits; amounts and offsets are text.
func Encode(value any) ([]byte, error) {
	plain, err := json.Marshal(value)
	if err != nil {
		return nil, rule.Refuse(rule.Invalid, "cannot be written: %s", err)
	}
	return jcs.Transform(plain)
}

// Decode reads a record and refuses every spelling but the canonical one. The
// refusal names the field where it can.
func Decode(data []byte, into any) error {
	if !utf8.Valid(data) {
		return rule.Refuse(rule.Invalid, "the argument is not UTF-8")
	}
	if err := wellFormed(data); err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return explain(err, data, into)
	}
	want, err := Encode(into)
	if err != nil {
		return err
	}
	if !bytes.Equal(want, data) {
		return difference(data, want)
	}
	return nil
}

// Read reads a file that people write: as strictly as Decode, but for white
// space, the order of fields and how characters and numbers are escaped.
func Read(data []byte, into any) error {
	if !utf8.Valid(data) {
		return rule.Refuse(rule.Invalid, "the file is not UTF-8")
	}
	if err := wellFormed(data); err != nil {
		return err
	}
	plain, err := jcs.Transform(data)
	if err != nil {
		return rule.Refuse(rule.Invalid, "the file is not the JSON asked for: %s", err)
	}
	return Decode(plain, into)
}

// explain turns the decoder's error into a refusal that names the field.
func explain(err error, data []byte, into any) error {
	if name, found := strings.CutPrefix(err.Error(), "json: unknown field "); found {
		return rule.Refuse(rule.Invalid, "unknown field %s", name)
	}
	path, err := locate(data, err, into, func(value []byte) []byte { return value })
	var kind *json.UnmarshalTypeError
	var refusal *rule.Refusal
	switch {
	case errors.As(err, &refusal) && path == "":
		return refusal
	case errors.As(err, &refusal):
		return rule.Field(path, refusal)
	case errors.As(err, &kind) && path != "":
		return rule.Field(path, rule.Refuse(rule.Invalid, "a JSON %s does not belong here", kind.Value))
	case errors.As(err, &kind):
		return rule.Refuse(rule.Invalid, "the argument is not the JSON asked for: a JSON %s does not belong here", kind.Value)
	}
	if strings.HasPrefix(err.Error(), "json: invalid use of ,string struct tag") { // and the decoder repeats what it found there
		refusal = rule.Refuse(rule.Invalid, "the argument is not the JSON asked for: what stands in quotation marks for a number is none")
		if path == "" {
			return refusal
		}
		return rule.Field(path, refusal)
	}
	return rule.Refuse(rule.Invalid, "the argument is not the JSON asked for: %s", err)
}

// locate finds the innermost value that cannot be read, and why: the decoder
// does not say where it was when a text refused to be read. around writes the
// document that holds nothing but one value, in its place.
func locate(value []byte, why error, into any, around func([]byte) []byte) (path string, reason error) {
	for _, p := range parts(value) {
		alone := func(value []byte) []byte {
			return around(slices.Concat(p.before, value, p.behind))
		}
		err := json.Unmarshal(alone(p.value), into)
		if err == nil {
			continue
		}
		rest, err := locate(p.value, err, into, alone)
		if rest == "" || rest[0] == '[' {
			return p.name + rest, err
		}
		return p.name + "." + rest, err
	}
	return "", why
}

// part is one field of an object or one element of an array.
type part struct {
	name                  string
	before, value, behind []byte
}

// parts takes one well-formed value apart, none when it has no parts.
func parts(value []byte) []part {
	decoder := json.NewDecoder(bytes.NewReader(value))
	opening, _ := decoder.Token()
	var list []part
	for (opening == json.Delim('{') || opening == json.Delim('[')) && decoder.More() {
		p := part{name: "[" + strconv.Itoa(len(list)) + "]", before: []byte("["), behind: []byte("]")}
		if opening == json.Delim('{') {
			name, _ := decoder.Token()
			p.name, _ = name.(string)
			quoted, _ := json.Marshal(p.name)
			p.before, p.behind = slices.Concat([]byte("{"), quoted, []byte(":")), []byte("}")
		}
		if decoder.Decode((*json.RawMessage)(&p.value)) != nil {
			return nil
		}
		list = append(list, p)
	}
	return list
}

// difference finds what the sender wrote that the canonical spelling does not
// have: a missing or differently cased field, or else the first odd byte.
func difference(got, want []byte) error {
	sent, canonical := paths(got), paths(want)
	missing, extra := without(canonical, sent), without(sent, canonical)
	switch {
	case missing != "" && strings.EqualFold(missing, extra):
		return rule.Refuse(rule.Invalid, "field %q must be written %q", extra, missing)
	case missing != "":
		return rule.Field(missing, rule.Refuse(rule.Invalid, "is missing"))
	case extra != "":
		return rule.Field(extra, rule.Refuse(rule.Invalid, "is empty; leave it out"))
	}
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	return rule.Refuse(rule.Invalid, "not in the canonical spelling of RFC 8785 at byte %d", at)
}

// without returns the first path of list that other lacks.
func without(list, other []string) string {
	for _, path := range list {
		if !slices.Contains(other, path) {
			return path
		}
	}
	return ""
}

// paths lists the fields of a document in order; those within arrays carry [].
// Only the first hundred are compared: this is for a sentence, not for safety.
func paths(data []byte) []string {
	var found []string
	_ = walk(data, func(path string, _ bool) error {
		if found = append(found, path); len(found) >= 100 {
			return io.EOF
		}
		return nil
	})
	return found
}

// wellFormed refuses what encoding/json would let pass in silence: a field
// that stands twice in one object, null, text behind the document.
func wellFormed(data []byte) error {
	err := walk(data, func(path string, doubled bool) error {
		if doubled {
			return rule.Field(path, rule.Refuse(rule.Invalid, "stands twice"))
		}
		return nil
	})
	var refusal *rule.Refusal
	if err == nil || errors.As(err, &refusal) {
		return err
	}
	return rule.Refuse(rule.Invalid, "the argument is not JSON: %s", err)
}

// level is one open object or array of a document being walked.
type level struct {
	seen  map[string]bool // nil in an array
	path  string
	key   bool // the next token is a field's name
	field string
}

const (
	depthMax = 16
	nameMax  = 64
)

// walk visits every field of one JSON document.
func walk(data []byte, visit func(path string, doubled bool) error) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var stack []level
	for {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		if stack, err = step(stack, token, visit); err != nil {
			return err
		}
		if len(stack) == 0 {
			break
		}
	}
	if _, err := decoder.Token(); err != io.EOF {
		return rule.Refuse(rule.Invalid, "there is text behind the JSON document")
	}
	return nil
}

func step(stack []level, token json.Token, visit func(string, bool) error) ([]level, error) {
	if top := len(stack) - 1; top >= 0 && stack[top].key {
		if name, isName := token.(string); isName {
			// A path is written for every field: under a name of a million
			// characters, a hundred thousand fields would take a minute.
			if len(name) > nameMax {
				return nil, rule.Refuse(rule.Invalid, "unknown field %.40q…: names have %d characters at most", name, nameMax)
			}
			l := &stack[top]
			doubled := l.seen[name]
			l.seen[name], l.key, l.field = true, false, join(l.path, name)
			return stack, visit(l.field, doubled)
		}
	}
	switch token {
	case nil:
		if len(stack) == 0 {
			return nil, rule.Refuse(rule.Invalid, "the argument is null")
		}
		return nil, rule.Field(here(stack), rule.Refuse(rule.Invalid, "is null; give a value or leave it out"))
	case json.Delim('{'), json.Delim('['):
		return open(stack, token == json.Delim('{'))
	case json.Delim('}'), json.Delim(']'):
		stack = stack[:len(stack)-1]
	}
	if top := len(stack) - 1; top >= 0 && stack[top].seen != nil {
		stack[top].key = true
	}
	return stack, nil
}

func open(stack []level, object bool) ([]level, error) {
	if len(stack) == depthMax {
		return nil, rule.Refuse(rule.Invalid, "the argument is nested deeper than %d", depthMax)
	}
	next := level{path: here(stack)}
	if object {
		next.seen, next.key = map[string]bool{}, true
	}
	return append(stack, next), nil
}

// here is the path of the value that comes next.
func here(stack []level) string {
	if len(stack) == 0 {
		return ""
	}
	top := stack[len(stack)-1]
	if top.seen != nil {
		return top.field
	}
	return top.path + "[]"
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
