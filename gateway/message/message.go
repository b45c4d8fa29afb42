// Package message is what people are told about logging in and signing: a key
// of the catalogues and the figures that belong into it. Pages and the command
// line say it in the reader's language; a test holds the languages together.
package message

import (
	"embed"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// Message is a text by its key, with its figures by their names.
type Message struct {
	Key     string            `json:"key"`
	Figures map[string]string `json:"figures,omitempty"`
}

// New makes a message; figures are name, value, name, value.
func New(key string, figures ...string) Message {
	m := Message{Key: key}
	for i := 0; i+1 < len(figures); i += 2 {
		if m.Figures == nil {
			m.Figures = map[string]string{}
		}
		m.Figures[figures[i]] = figures[i+1]
	}
	return m
}

// The languages of the catalogues.
const (
	English = "en"
	Chinese = "zh-CN"
)

//go:embed en.json zh-CN.json
var files embed.FS

var catalogues = map[string]map[string]string{English: read(English), Chinese: read(Chinese)}

func read(language string) map[string]string {
	data, err := files.ReadFile(language + ".json")
	if err != nil {
		panic("message: " + err.Error())
	}
	var texts map[string]string
	if err := json.Unmarshal(data, &texts); err != nil {
		panic("message: " + language + ".json: " + err.Error())
	}
	return texts
}

// Text says the message in a language, English where it has none of that
// name. A figure is put in as it is: whoever shows the text escapes it.
func (m Message) Text(language string) string {
	texts, known := catalogues[language]
	if !known {
		texts = catalogues[English]
	}
	text, known := texts[m.Key]
	if !known {
		return m.Key // a test keeps this from happening
	}
	var figures []string
	for _, name := range slices.Sorted(maps.Keys(m.Figures)) {
		value := m.Figures[name]
		if name == rolesFigure {
			value = roles(texts, value)
		}
		figures = append(figures, placeholder(name), value)
	}
	return strings.NewReplacer(figures...).Replace(text)
}

// rolesFigure holds names of roles, which are words of the reader's language too.
const rolesFigure = "Roles"

// roles says a list of roles in a language; what is none stays as it is.
func roles(texts map[string]string, list string) string {
	names := strings.Split(list, ", ")
	for i, name := range names {
		if word, known := texts["role."+name]; known {
			names[i] = word
		}
	}
	return strings.Join(names, texts["role-comma"])
}

// placeholder is how a figure stands in the catalogues, as in the portal's.
func placeholder(name string) string { return "{{." + name + "}}" }

// Catalogue lists the keys of a language with their texts, for pages that
// merge them into their own.
func Catalogue(language string) map[string]string { return maps.Clone(catalogues[language]) }

// Refusal is a no that people read: a code of the closed list, and a message.
type Refusal struct {
	Code rule.Code
	Message
}

// Refuse makes a refusal; figures are name, value, name, value.
func Refuse(code rule.Code, key string, figures ...string) *Refusal {
	return &Refusal{code, New(key, figures...)}
}

// Error prints the refusal as the rules print theirs.
func (r *Refusal) Error() string { return r.rule().Error() }

// Unwrap gives the same no to whoever knows the rules' refusals only.
func (r *Refusal) Unwrap() error { return r.rule() }

func (r *Refusal) rule() *rule.Refusal { return rule.Refuse(r.Code, "%s", r.Text(English)) }
