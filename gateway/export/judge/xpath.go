package judge

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The part of XPath 1.0 that the standard ruleset is written in: location
// paths by child, attribute, parent and descendant steps with predicates,
// unions, comparisons, and, or, +, count, not and number. What is not
// understood is an error, never a guess.

// expression is a parsed XPath expression. It answers nodes ([]*node), a
// string, a float64 or a bool.
type expression func(at *node, position int) any

// compile parses an expression.
func compile(text string) (expression, error) {
	p := &parser{tokens: tokens(text)}
	result, err := p.or()
	if err == nil && p.at < len(p.tokens) {
		err = fmt.Errorf("unexpected %q", p.tokens[p.at])
	}
	if err != nil {
		return nil, fmt.Errorf("%q is not understood: %w", text, err)
	}
	return result, nil
}

// tokens cuts an expression into words and signs.
func tokens(text string) []string {
	var found []string
	for i := 0; i < len(text); {
		n := tokenLength(text[i:])
		if token := text[i : i+n]; strings.TrimSpace(token) != "" {
			found = append(found, token)
		}
		i += n
	}
	return found
}

func tokenLength(text string) int {
	for _, sign := range []string{"//", "..", "!=", "<=", ">="} {
		if strings.HasPrefix(text, sign) {
			return len(sign)
		}
	}
	if text[0] == '\'' || text[0] == '"' {
		if end := strings.IndexByte(text[1:], text[0]); end >= 0 {
			return end + 2
		}
		return len(text)
	}
	n := 0
	for n < len(text) && wordByte(text[n]) {
		n++
	}
	return max(n, 1)
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_:.$", c) >= 0
}

type parser struct {
	tokens []string
	at     int
}

func (p *parser) next() string {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return ""
}

func (p *parser) take(token string) bool {
	if p.next() == token {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(token string) error {
	if !p.take(token) {
		return fmt.Errorf("%q is wanted where %q stands", token, p.next())
	}
	return nil
}

// binary parses operands joined by signs of one rank.
func (p *parser) binary(operand func() (expression, error), signs map[string]func(a, b any) any) (expression, error) {
	left, err := operand()
	for err == nil {
		apply, is := signs[p.next()]
		if !is {
			return left, nil
		}
		p.at++
		var right expression
		if right, err = operand(); err == nil {
			a, b := left, right
			left = func(at *node, position int) any { return apply(a(at, position), b(at, position)) }
		}
	}
	return nil, err
}

func (p *parser) or() (expression, error) {
	return p.binary(p.and, map[string]func(a, b any) any{"or": func(a, b any) any { return truth(a) || truth(b) }})
}

func (p *parser) and() (expression, error) {
	return p.binary(p.comparison, map[string]func(a, b any) any{"and": func(a, b any) any { return truth(a) && truth(b) }})
}

func (p *parser) comparison() (expression, error) {
	return p.binary(p.sum, map[string]func(a, b any) any{
		"=":  func(a, b any) any { return compare(a, b, "=") },
		"!=": func(a, b any) any { return compare(a, b, "!=") },
		"<":  func(a, b any) any { return compare(a, b, "<") },
		">":  func(a, b any) any { return compare(a, b, ">") },
		"<=": func(a, b any) any { return compare(a, b, "<=") },
		">=": func(a, b any) any { return compare(a, b, ">=") },
	})
}

func (p *parser) sum() (expression, error) {
	return p.binary(p.union, map[string]func(a, b any) any{"+": func(a, b any) any { return number(a) + number(b) }})
}

func (p *parser) union() (expression, error) {
	return p.binary(p.primary, map[string]func(a, b any) any{"|": func(a, b any) any { return append(nodes(a), nodes(b)...) }})
}

func (p *parser) primary() (expression, error) {
	token := p.next()
	switch {
	case token == "":
		return nil, fmt.Errorf("it ends too early")
	case token[0] == '\'' || token[0] == '"':
		p.at++
		return func(*node, int) any { return token[1 : len(token)-1] }, nil
	case token[0] >= '0' && token[0] <= '9':
		p.at++
		value, err := strconv.ParseFloat(token, 64)
		return func(*node, int) any { return value }, err
	case token == "(":
		p.at++
		inner, err := p.or()
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	case p.at+1 < len(p.tokens) && p.tokens[p.at+1] == "(" && token != "text":
		return p.function(token)
	}
	return p.path()
}

func (p *parser) function(name string) (expression, error) {
	functions := map[string]func(any) any{
		"count":  func(a any) any { return float64(len(nodes(a))) },
		"not":    func(a any) any { return !truth(a) },
		"number": func(a any) any { return number(a) },
	}
	apply, known := functions[name]
	if !known {
		return nil, fmt.Errorf("function %s is not known", name)
	}
	p.at += 2
	argument, err := p.or()
	if err != nil {
		return nil, err
	}
	return func(at *node, position int) any { return apply(argument(at, position)) }, p.expect(")")
}

// step goes from a node to others.
type step struct {
	way        func(*node) []*node
	predicates []expression
}

func (p *parser) path() (expression, error) {
	var steps []step
	absolute := false
	if p.take("/") {
		absolute = true
	} else if p.take("//") {
		absolute = true
		steps = append(steps, step{way: descendants})
	}
	for {
		s, err := p.step()
		if err != nil {
			return nil, err
		}
		steps = append(steps, s)
		if p.take("//") {
			steps = append(steps, step{way: descendants})
			continue
		}
		if !p.take("/") {
			break
		}
	}
	return func(at *node, _ int) any { return walk(at, absolute, steps) }, nil
}

func walk(at *node, absolute bool, steps []step) []*node {
	for absolute && at.parent != nil {
		at = at.parent
	}
	found := []*node{at}
	for _, s := range steps {
		var after []*node
		for _, from := range found {
			after = append(after, s.from(from)...)
		}
		found = after
	}
	return found
}

func (s step) from(at *node) []*node {
	found := s.way(at)
	for _, predicate := range s.predicates {
		var kept []*node
		for i, n := range found {
			answer := predicate(n, i+1)
			if place, is := answer.(float64); is && place == float64(i+1) || !is && truth(answer) {
				kept = append(kept, n)
			}
		}
		found = kept
	}
	return found
}

func (p *parser) step() (step, error) {
	var s step
	switch {
	case p.take(".."):
		s.way = func(n *node) []*node {
			if n.parent == nil {
				return nil
			}
			return []*node{n.parent}
		}
	case p.take("@"):
		name := p.next()
		if name == "" || !wordByte(name[0]) {
			return s, fmt.Errorf("%q is no attribute", name)
		}
		p.at++
		s.way = func(n *node) []*node { return called(n.attributes, attributeNode, name) }
	case p.next() != "" && wordByte(p.next()[0]):
		name := p.next()
		p.at++
		s.way = func(n *node) []*node { return called(n.children, elementNode, name) }
		if name == "text" && p.take("(") {
			if err := p.expect(")"); err != nil {
				return s, err
			}
			s.way = func(n *node) []*node { return called(n.children, textNode, "") }
		}
	default:
		return s, fmt.Errorf("%q is no step", p.next())
	}
	for p.take("[") {
		predicate, err := p.or()
		if err != nil {
			return s, err
		}
		if err := p.expect("]"); err != nil {
			return s, err
		}
		s.predicates = append(s.predicates, predicate)
	}
	return s, nil
}

func called(all []*node, kind nodeKind, name string) []*node {
	var found []*node
	for _, n := range all {
		if n.kind == kind && (n.name == name) {
			found = append(found, n)
		}
	}
	return found
}

// descendants are the node itself and everything below it.
func descendants(n *node) []*node {
	found := []*node{n}
	for _, child := range n.children {
		found = append(found, descendants(child)...)
	}
	return found
}

func nodes(a any) []*node {
	found, _ := a.([]*node)
	return found
}

func truth(a any) bool {
	switch a := a.(type) {
	case bool:
		return a
	case float64:
		return a != 0 && !math.IsNaN(a)
	case string:
		return a != ""
	}
	return len(nodes(a)) > 0
}

func number(a any) float64 {
	switch a := a.(type) {
	case float64:
		return a
	case bool:
		if a {
			return 1
		}
		return 0
	}
	value, err := strconv.ParseFloat(strings.TrimSpace(text(a)), 64)
	if err != nil {
		return math.NaN()
	}
	return value
}

func text(a any) string {
	if s, is := a.(string); is {
		return s
	}
	if found := nodes(a); len(found) > 0 {
		return found[0].value()
	}
	return ""
}

// compare is XPath's: true when any node on either side makes it so.
func compare(a, b any, sign string) bool {
	if many, is := a.([]*node); is {
		for _, n := range many {
			if compare(n.value(), b, sign) {
				return true
			}
		}
		return false
	}
	if many, is := b.([]*node); is {
		for _, n := range many {
			if compare(a, n.value(), sign) {
				return true
			}
		}
		return false
	}
	_, first := a.(string)
	_, second := b.(string)
	if first && second && (sign == "=" || sign == "!=") {
		return (a == b) == (sign == "=")
	}
	return ordered(number(a), number(b), sign)
}

func ordered(a, b float64, sign string) bool {
	switch sign {
	case "=":
		return a == b
	case "!=":
		return a != b
	case "<":
		return a < b
	case ">":
		return a > b
	case "<=":
		return a <= b
	}
	return a >= b
}
