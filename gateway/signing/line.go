package signing

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// Line is one field of a command as it will be signed.
type Line struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

// Lines are all fields of a command, in its order: the sentence of an Act is
// short, and who signs may want to see the rest of it.
func Lines(command []byte) ([]Line, error) {
	decoder := json.NewDecoder(bytes.NewReader(command))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, rule.Field("command", rule.Refuse(rule.Invalid, "is not JSON"))
	}
	// A second reader walks the tokens, because a map would lose their order.
	walker := &walker{decoder: json.NewDecoder(bytes.NewReader(command))}
	walker.decoder.UseNumber()
	err := walker.value("")
	return walker.lines, err
}

type walker struct {
	decoder *json.Decoder
	lines   []Line
}

// value reads one value and what is in it. The document is known to be well
// formed and, since encoding/json read it, not too deep.
func (w *walker) value(path string) error {
	token, err := w.decoder.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('{'):
		return w.inside(func(int) (string, error) {
			name, err := w.decoder.Token()
			text, _ := name.(string)
			return strings.TrimPrefix(path+"."+text, "."), err
		})
	case json.Delim('['):
		return w.inside(func(i int) (string, error) { return path + "[" + strconv.Itoa(i) + "]", nil })
	}
	w.lines = append(w.lines, Line{Visible(path), Visible(spelled(token))})
	return nil
}

func (w *walker) inside(path func(i int) (string, error)) error {
	for i := 0; w.decoder.More(); i++ {
		inner, err := path(i)
		if err != nil {
			return err
		}
		if err := w.value(inner); err != nil {
			return err
		}
	}
	_, err := w.decoder.Token()
	return err
}

func spelled(token json.Token) string {
	switch value := token.(type) {
	case string:
		return value
	case json.Number:
		return value.String()
	case bool:
		return strconv.FormatBool(value)
	}
	return "null"
}

// Visible shows a text without anything that would make a reader see another
// one: control characters could rewrite a terminal's lines, marks of direction
// could turn a name or an amount around.
func Visible(text string) string {
	var shown strings.Builder
	for _, r := range strings.ToValidUTF8(text, "�") {
		if r == ' ' || unicode.IsGraphic(r) && !unicode.Is(unicode.Zs, r) && !unicode.Is(unicode.Bidi_Control, r) {
			shown.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		if !strings.HasPrefix(quoted, `'\`) { // an odd space
			quoted = `'\u` + strconv.FormatInt(int64(r)|1<<16, 16)[1:] + `'`
		}
		shown.WriteString(quoted[1 : len(quoted)-1])
	}
	return shown.String()
}
