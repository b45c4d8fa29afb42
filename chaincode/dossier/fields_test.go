package dossier_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// tabled are the packages whose every field docs/privacy.md lists.
var tabled = []string{"tape", "party", "dossier", "fund", "harvest", "group", "recourse", "settlement", "pool", "loan", "assessment", "bookkeeping"}

const privacyDocument = "../../docs/privacy.md"

// TestEveryFieldIsInTheTable: whoever adds a field to a command or a record
// says in docs/privacy.md who can see it.
func TestEveryFieldIsInTheTable(t *testing.T) {
	document, err := os.ReadFile(privacyDocument)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range tabled {
		rows, types := tableRows(string(document), name), jsonTypes(t, filepath.Join("..", name))
		if len(types) < 6 {
			t.Fatalf("%s has only the types %v", name, types)
		}
		for typeName, fields := range types {
			listed, found := rows[typeName]
			if !found {
				t.Errorf("docs/privacy.md has no row for %s.%s with the fields %s", name, typeName, strings.Join(fields, " "))
				continue
			}
			if !slices.Equal(listed, fields) {
				t.Errorf("docs/privacy.md lists %v for %s.%s, which has %v", listed, name, typeName, fields)
			}
		}
		for typeName := range rows {
			if types[typeName] == nil {
				t.Errorf("docs/privacy.md has a row for %s.%s, which does not exist", name, typeName)
			}
		}
	}
}

// tableRows reads the table under "### package": type, fields, who sees them, what they could tell.
func tableRows(document, name string) map[string][]string {
	_, section, _ := strings.Cut(document, "\n### "+name+"\n")
	section, _, _ = strings.Cut(section, "\n#")
	rows := map[string][]string{}
	for _, line := range strings.Split(section, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
			continue
		}
		fields := strings.Fields(strings.ReplaceAll(cells[2], "`", ""))
		slices.Sort(fields)
		rows[strings.Trim(cells[1], " `")] = fields
	}
	return rows
}

// jsonTypes finds the structs of a package that are written as JSON.
func jsonTypes(t *testing.T, folder string) map[string][]string {
	t.Helper()
	sources, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	types := map[string][]string{}
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			spec, isType := node.(*ast.TypeSpec)
			if !isType {
				return true
			}
			if fields := jsonFields(spec.Type); len(fields) > 0 {
				types[asSent(spec.Name.Name)] = fields
			}
			return true
		})
	}
	return types
}

// asSent is a command's name where its code keeps the fields apart from a long list.
func asSent(name string) string {
	name = strings.TrimSuffix(name, "Header")
	return strings.ToUpper(name[:1]) + name[1:]
}

func jsonFields(of ast.Expr) []string {
	body, isStruct := of.(*ast.StructType)
	if !isStruct {
		return nil
	}
	var fields []string
	for _, field := range body.Fields.List {
		if field.Tag == nil {
			continue
		}
		tag, err := strconv.Unquote(field.Tag.Value)
		if err != nil {
			continue
		}
		if name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ","); name != "" && name != "-" {
			fields = append(fields, name)
		}
	}
	slices.Sort(fields)
	return fields
}
