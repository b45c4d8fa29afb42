package pages

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template/parse"

	"github.com/lianbao/lianbao/gateway/portal/words"
)

// keysUsed are the keys that templates and Go sources name. A key that is
// chosen by a value stands in words.Keys with all its values.
func keysUsed(t *testing.T) map[string]bool {
	used := map[string]bool{}
	families := map[string]bool{}
	set, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range set.templates[words.Tags[0]].Templates() {
		if part.Tree != nil {
			inTemplate(part.Tree.Root, used, families)
		}
	}
	inSources(t, used, families)
	for family, values := range words.Keys {
		if !families[family] {
			t.Errorf("the family %s is not used", family)
		}
		for _, value := range values {
			used[family+value] = true
		}
	}
	for family := range families {
		if words.Keys[family] == nil {
			t.Errorf("the family %s has no values", family)
		}
	}
	return used
}

// inTemplate walks a template and notes the first argument of t, th, n and word.
func inTemplate(node parse.Node, used, families map[string]bool) {
	switch n := node.(type) {
	case *parse.ListNode:
		if n != nil {
			for _, inner := range n.Nodes {
				inTemplate(inner, used, families)
			}
		}
	case *parse.ActionNode:
		inTemplate(n.Pipe, used, families)
	case *parse.IfNode:
		inBranch(&n.BranchNode, used, families)
	case *parse.RangeNode:
		inBranch(&n.BranchNode, used, families)
	case *parse.WithNode:
		inBranch(&n.BranchNode, used, families)
	case *parse.TemplateNode:
		if n.Pipe != nil {
			inTemplate(n.Pipe, used, families)
		}
	case *parse.PipeNode:
		for _, command := range n.Cmds {
			inTemplate(command, used, families)
		}
	case *parse.CommandNode:
		for _, argument := range n.Args {
			inTemplate(argument, used, families)
		}
		note(n.Args, used, families)
	}
}

func inBranch(n *parse.BranchNode, used, families map[string]bool) {
	inTemplate(n.Pipe, used, families)
	inTemplate(n.List, used, families)
	inTemplate(n.ElseList, used, families)
}

func note(arguments []parse.Node, used, families map[string]bool) {
	if len(arguments) < 2 {
		return
	}
	name, is := arguments[0].(*parse.IdentifierNode)
	key, fixed := arguments[1].(*parse.StringNode)
	if !is || !slices.Contains([]string{"t", "th", "n", "word"}, name.Ident) {
		return
	}
	switch {
	case !fixed:
		used["a key that is not fixed: "+arguments[1].String()] = true
	case name.Ident == "word":
		families[key.Text] = true
	default:
		used[key.Text] = true
	}
}

// inSources notes the keys in calls of Say, Mark, Number and Word, and the
// families of choices.
func inSources(t *testing.T, used, families map[string]bool) {
	for _, folder := range []string{".", "..", "../words", "../../acts"} {
		sources, _ := filepath.Glob(filepath.Join(folder, "*.go"))
		for _, source := range sources {
			if strings.HasSuffix(source, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), source, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(node ast.Node) bool {
				if pair, is := node.(*ast.KeyValueExpr); is { // a field's choices
					name, named := pair.Key.(*ast.Ident)
					literal, fixed := pair.Value.(*ast.BasicLit)
					if named && fixed && name.Name == "Family" {
						family, _ := strconv.Unquote(literal.Value)
						families[family] = true
					}
				}
				call, is := node.(*ast.CallExpr)
				if !is || len(call.Args) == 0 {
					return true
				}
				method, is := call.Fun.(*ast.SelectorExpr)
				if !is {
					choices(call, families)
					return true
				}
				first := call.Args[0]
				family := method.Sel.Name == "Word"
				if sum, joined := first.(*ast.BinaryExpr); joined && method.Sel.Name == "Number" {
					first, family = sum.X, true
				} else if !family && !slices.Contains([]string{"Say", "Mark", "Number"}, method.Sel.Name) {
					return true
				}
				if literal, fixed := first.(*ast.BasicLit); fixed && literal.Kind == token.STRING {
					key, _ := strconv.Unquote(literal.Value)
					if family {
						families[key] = true
					} else {
						used[key] = true
					}
				}
				return true
			})
		}
	}
}

// choices notes the family of the choices of an act's field.
func choices(call *ast.CallExpr, families map[string]bool) {
	if name, is := call.Fun.(*ast.Ident); !is || name.Name != "choice" && name.Name != "words" || len(call.Args) < 2 {
		return
	}
	if literal, fixed := call.Args[1].(*ast.BasicLit); fixed {
		family, _ := strconv.Unquote(literal.Value)
		families[family] = true
	}
}

var placeholder = regexp.MustCompile(`\{\{\s*\.?([^}]*?)\s*\}\}`)

// placeholders of a message, in all its forms; whole are those of its last form.
func placeholders(t *testing.T, key string, message any) []string {
	switch m := message.(type) {
	case string:
		return namesIn(m)
	case map[string]any:
		other, is := m["other"].(string)
		if !is {
			t.Errorf("%s has no form for many", key)
		}
		for form, text := range m {
			for _, name := range namesIn(fmt.Sprint(text)) {
				if !slices.Contains(namesIn(other), name) {
					t.Errorf("%s has {{.%s}} only where it is %s", key, name, form)
				}
			}
		}
		return namesIn(other)
	}
	t.Errorf("%s is no message", key)
	return nil
}

func namesIn(text string) []string {
	var names []string
	for _, found := range placeholder.FindAllStringSubmatch(text, -1) {
		names = append(names, found[1])
	}
	slices.Sort(names)
	return names
}

// TestCatalogues: each language has every key that is used and no other, with
// the same placeholders, and none that a page could take for a tag.
func TestCatalogues(t *testing.T) {
	used := keysUsed(t)
	all := map[string]map[string]any{}
	for _, tag := range words.Tags {
		catalogue, err := words.Catalogue(tag)
		if err != nil {
			t.Fatal(err)
		}
		all[tag] = catalogue
	}
	for tag, catalogue := range all {
		for _, key := range slices.Sorted(maps.Keys(used)) {
			if catalogue[key] == nil {
				t.Errorf("%s lacks %s", tag, key)
			}
		}
		for key, message := range catalogue {
			if !used[key] {
				t.Errorf("%s: nothing uses %s", tag, key)
			}
			if strings.ContainsAny(fmt.Sprint(message), `<>&`) {
				t.Errorf("%s: %s holds a sign that a page would take for a tag", tag, key)
			}
			if here, there := placeholders(t, key, message), placeholders(t, key, all[words.Tags[0]][key]); !slices.Equal(here, there) {
				t.Errorf("%s: %s has the placeholders %v, in %s %v", tag, key, here, words.Tags[0], there)
			}
		}
	}
	if len(used) < 300 {
		t.Errorf("only %d keys were found", len(used))
	}
}

// TestPlaceholdersAreFilled: a template that leaves a placeholder out would show "<no value>".
func TestPlaceholdersAreFilled(t *testing.T) {
	catalogue, err := words.Catalogue(words.Tags[0])
	if err != nil {
		t.Fatal(err)
	}
	call := regexp.MustCompile(`\b(t|th|n) "([^"]+)"((?: "[A-Z][A-Za-z]*" (?:\([^()]*(?:\([^()]*\)[^()]*)*\)|[$.\w]+)| [.$\w]+| \([^()]*\))*)`)
	named := regexp.MustCompile(` "([A-Z][A-Za-z]*)" `)
	sources, _ := filepath.Glob("templates/*.html")
	checked := 0
	for _, source := range sources {
		text, err := files.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range call.FindAllStringSubmatch(string(text), -1) {
			var given []string
			for _, name := range named.FindAllStringSubmatch(found[3], -1) {
				given = append(given, name[1])
			}
			for _, wanted := range placeholders(t, found[2], catalogue[found[2]]) {
				if wanted != "Count" && !slices.Contains(given, wanted) {
					t.Errorf("%s: %s is said without its %s", source, found[2], wanted)
				}
				checked++
			}
		}
	}
	if checked < 50 {
		t.Errorf("only %d placeholders were found", checked)
	}
}
