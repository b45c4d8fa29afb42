package topology

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Problem is one thing in a topology that must be mended.
type Problem struct {
	// Line of the file, from 1; zero where the topology did not come from one.
	Line int
	// Field is the path of what is wrong, such as organisations[2].nodes[0].port.
	Field string
	// Text says what is wrong and what to do.
	Text string
}

func (p Problem) String() string {
	switch {
	case p.Line > 0 && p.Field != "":
		return fmt.Sprintf("line %d, %s: %s", p.Line, p.Field, p.Text)
	case p.Field != "":
		return fmt.Sprintf("%s: %s", p.Field, p.Text)
	case p.Line > 0:
		return fmt.Sprintf("line %d: %s", p.Line, p.Text)
	}
	return p.Text
}

// Problems is everything that must be mended, in the order of the file.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

func (p *Problems) add(field, text string, args ...any) {
	*p = append(*p, Problem{Field: field, Text: fmt.Sprintf(text, args...)})
}

// locate finds the line of each problem in the file.
func (p Problems) locate(file []byte) Problems {
	var root yaml.Node
	if yaml.Unmarshal(file, &root) != nil || len(root.Content) == 0 {
		return p
	}
	for i := range p {
		p[i].Line = line(root.Content[0], p[i].Field)
	}
	slices.SortStableFunc(p, func(a, b Problem) int { return a.Line - b.Line })
	return p
}

// line walks a path such as organisations[2].nodes[0].port as far as the file
// goes, so that a missing field is shown at what should hold it.
func line(node *yaml.Node, path string) int {
	at := node.Line
	for _, step := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		node = child(node, step)
		if node == nil {
			return at
		}
		at = node.Line
	}
	return at
}

func child(node *yaml.Node, step string) *yaml.Node {
	if node.Kind == yaml.SequenceNode {
		i, err := strconv.Atoi(step)
		if err != nil || i >= len(node.Content) {
			return nil
		}
		return node.Content[i]
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == step {
			return node.Content[i+1]
		}
	}
	return nil
}

var (
	lineOf       = regexp.MustCompile(`^line (\d+): (.*)$`)
	unknownField = regexp.MustCompile(`^field (\S+) not found in type .*$`)
	doubledField = regexp.MustCompile(`^mapping key "?([^"]+)"? already defined at line (\d+)$`)
	wrongKind    = regexp.MustCompile("^cannot unmarshal (\\S+)(?: `([^`]*)`)? into (.*)$")
)

// unreadable says in the words of the topology what the YAML decoder refused.
func unreadable(err error) error {
	var refused *yaml.TypeError
	if !errors.As(err, &refused) {
		text := strings.TrimPrefix(err.Error(), "yaml: ")
		if text == "EOF" {
			text = "the file is empty; begin with the default topology"
		}
		return Problems{explain(text)}
	}
	problems := make(Problems, 0, len(refused.Errors))
	for _, text := range refused.Errors {
		problems = append(problems, explain(text))
	}
	return problems
}

func explain(text string) Problem {
	var p Problem
	if m := lineOf.FindStringSubmatch(text); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		text = m[2]
	}
	if m := unknownField.FindStringSubmatch(text); m != nil {
		p.Field, p.Text = m[1], "there is no such field; take it out or mend its spelling"
		return p
	}
	if m := doubledField.FindStringSubmatch(text); m != nil {
		p.Field, p.Text = m[1], fmt.Sprintf("is given twice, first in line %s; keep one", m[2])
		return p
	}
	if m := wrongKind.FindStringSubmatch(text); m != nil {
		p.Text = fmt.Sprintf("%q cannot be read as %s", m[2], kindOf(m[3]))
		return p
	}
	p.Text = text
	return p
}

// kindOf names a Go type as the writer of the file knows it.
func kindOf(goType string) string {
	switch {
	case strings.Contains(goType, "Duration"):
		return "a duration, such as 200ms"
	case strings.HasPrefix(goType, "[]"):
		return "a list"
	case strings.HasPrefix(goType, "int"):
		return "a whole number"
	case goType == "string", strings.HasSuffix(goType, "Role"), strings.HasSuffix(goType, "Consensus"):
		return "a word"
	}
	return "a group of fields"
}
