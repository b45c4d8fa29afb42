package judge

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// node is an element, an attribute or a text of a document.
type node struct {
	kind     nodeKind
	name     string
	text     string
	parent   *node
	children []*node
	// attributes stand apart from children, as XPath has it.
	attributes []*node
}

type nodeKind int

const (
	rootNode nodeKind = iota
	elementNode
	attributeNode
	textNode
)

// value is what XPath calls the string value.
func (n *node) value() string {
	if n.kind == attributeNode || n.kind == textNode {
		return n.text
	}
	var text strings.Builder
	for _, child := range n.children {
		text.WriteString(child.value())
	}
	return text.String()
}

// path names the node for a person: /iati-activities/iati-activity[2]/title.
func (n *node) path() string {
	if n.kind == rootNode {
		return ""
	}
	if n.kind == attributeNode {
		return n.parent.path() + "/@" + n.name
	}
	place, same := 0, 0
	for _, sibling := range n.parent.children {
		if sibling.kind == n.kind && sibling.name == n.name {
			same++
		}
		if sibling == n {
			place = same
		}
	}
	return fmt.Sprintf("%s/%s[%d]", n.parent.path(), n.name, place)
}

// parse reads a document into a tree.
func parse(document io.Reader) (*node, error) {
	root := &node{kind: rootNode}
	at := root
	decoder := xml.NewDecoder(document)
	for {
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) {
			if at != root {
				return nil, fmt.Errorf("%s is not closed", at.path())
			}
			return root, nil
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			at = at.begin(token)
		case xml.EndElement:
			if at.kind == rootNode || at.name != named(token.Name) {
				return nil, fmt.Errorf("%s is closed by </%s>", at.path(), named(token.Name))
			}
			at = at.parent
		case xml.CharData:
			if at != root {
				at.children = append(at.children, &node{kind: textNode, text: string(token), parent: at})
			}
		}
	}
}

// begin puts an element with its attributes below a node.
func (n *node) begin(token xml.StartElement) *node {
	child := &node{kind: elementNode, name: named(token.Name), parent: n}
	for _, attribute := range token.Attr {
		child.attributes = append(child.attributes, &node{kind: attributeNode, name: named(attribute.Name), text: attribute.Value, parent: child})
	}
	n.children = append(n.children, child)
	return child
}

func named(name xml.Name) string {
	if name.Space != "" {
		return name.Space + ":" + name.Local
	}
	return name.Local
}
