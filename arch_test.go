package lianbao_test

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// The architecture as tables. Arrows point down and inward: cmd → gateway,
// network → chaincode/contract → rule packages → rule, money. To let a package
// import more, change its row here and say in the commit why.

const module = "github.com/lianbao/lianbao/"

// rulePackages hold the rules: pure functions, the same on every peer for ever.
var rulePackages = map[string][]string{
	"chaincode/rule":        {},
	"chaincode/money":       {"chaincode/rule"},
	"chaincode/merkle":      {"chaincode/rule"},
	"chaincode/canonical":   {"chaincode/rule", "github.com/gowebpki/jcs"},
	"chaincode/tape":        {"chaincode/rule", "chaincode/money", "chaincode/merkle", "chaincode/canonical"},
	"chaincode/dossier":     {"chaincode/rule", "chaincode/canonical", "chaincode/tape"},
	"chaincode/fund":        {"chaincode/rule", "chaincode/money", "chaincode/merkle", "chaincode/tape", "chaincode/party"},
	"chaincode/waterfall":   {"chaincode/rule", "chaincode/money", "chaincode/canonical", "chaincode/tape"},
	"chaincode/harvest":     {"chaincode/rule", "chaincode/money", "chaincode/merkle", "chaincode/canonical", "chaincode/tape", "chaincode/party"},
	"chaincode/group":       {"chaincode/rule", "chaincode/money", "chaincode/canonical", "chaincode/tape", "chaincode/party"},
	"chaincode/recourse":    {"chaincode/rule", "chaincode/money", "chaincode/merkle", "chaincode/tape", "chaincode/party"},
	"chaincode/credit":      {"chaincode/rule", "chaincode/money", "chaincode/canonical", "chaincode/tape"},
	"chaincode/pool":        {"chaincode/rule", "chaincode/money", "chaincode/merkle", "chaincode/tape", "chaincode/party"},
	"chaincode/bookkeeping": {"chaincode/rule", "chaincode/money", "chaincode/canonical", "chaincode/tape", "chaincode/party"},
	"chaincode/party":       {"chaincode/rule", "chaincode/money", "chaincode/canonical", "chaincode/tape", "github.com/ethereum/go-ethereum/crypto"},

	"chaincode/settlement": {"chaincode/rule", "chaincode/money", "chaincode/merkle", "chaincode/canonical", "chaincode/tape", "chaincode/party", "chaincode/group", "chaincode/harvest", "chaincode/loan", "chaincode/recourse", "chaincode/pool", "chaincode/waterfall"},
	"chaincode/assessment": {"chaincode/rule", "chaincode/money", "chaincode/tape", "chaincode/party", "chaincode/group", "chaincode/loan", "chaincode/credit"},
	"chaincode/loan/terms": {"chaincode/rule", "chaincode/money", "chaincode/tape"},
	"chaincode/loan":       {"chaincode/rule", "chaincode/money", "chaincode/canonical", "chaincode/tape", "chaincode/party", "chaincode/group", "chaincode/loan/terms", "chaincode/recourse", "chaincode/pool", "chaincode/waterfall"},
}

// pureStandard is what rule packages may take from the standard library.
var pureStandard = []string{"bytes", "cmp", "crypto/sha256", "embed", "encoding/base64", "encoding/binary", "encoding/hex", "encoding/json",
	"errors", "fmt", "io", "maps", "math/big", "math/bits", "slices", "sort", "strconv", "strings", "time", "unicode/utf8"}

// impure are functions that a rule may not call although their package is allowed.
var impure = map[string]string{
	"time.Now": "a rule takes its time from the transaction", "time.Since": "a rule takes its time from the transaction",
	"time.Until": "a rule takes its time from the transaction", "time.After": "a rule does not wait", "time.Tick": "a rule does not wait",
	"time.Sleep": "a rule does not wait", "time.NewTimer": "a rule does not wait", "time.NewTicker": "a rule does not wait",
	"time.AfterFunc": "a rule does not wait", "time.Local": "peers stand in different zones",
	"time.LoadLocation": "peers have different time zone data",
}

// forbidden imports, by the packages that alone may have them.
var forbidden = []struct{ path, only, reason string }{
	{"github.com/hyperledger/fabric-gateway", "gateway/fabric network/lifecycle", "the client of Fabric is hidden behind one small interface; the administration kit speaks through it"},
	{"github.com/hyperledger/fabric-contract-api-go", "chaincode/contract", "contracts are the only adapters of the rules to Fabric"},
	{"github.com/hyperledger/fabric-admin-sdk", "network/lifecycle", "the network is administered in one place"},
	{"github.com/hyperledger/fabric-config", "network/lifecycle", "the network is administered in one place"},
	{"modernc.org/sqlite", "gateway/outbox gateway/readmodel", "two stores, one durable and one disposable"},
	{"github.com/danielgtaylor/huma", "gateway/api", "HTTP is one technology in one folder"},
	{"github.com/nicksnyder/go-i18n", "gateway/portal", "people's words are one technology in one folder"},
	{"gocloud.dev", "gateway/document", "documents lie behind one small interface"},
	{"github.com/coreos/go-oidc", "gateway/login", "logging in is one technology in one folder"},
	{"codeberg.org/go-pdf/fpdf", "gateway/donation", "papers are made in one place"},
	{"github.com/santhosh-tekuri/jsonschema", "gateway/export/judge", "exports are judged from outside, by tests"},
	{"github.com/alecthomas/kong", "cmd/lianbao", "the command line is one technology in one folder"},
}

// layers are which of our own folders a folder may import.
var layers = []struct {
	folder  string
	imports []string
}{
	{"chaincode/contract", []string{"chaincode/rule", "chaincode/money", "chaincode/merkle", "chaincode/canonical", "chaincode/tape", "chaincode/party", "chaincode/fund", "chaincode/dossier", "chaincode/group", "chaincode/harvest", "chaincode/loan", "chaincode/settlement", "chaincode/assessment", "chaincode/credit", "chaincode/pool", "chaincode/recourse", "chaincode/bookkeeping"}},
	{"chaincode/replay", []string{"chaincode/rule"}},
	{"chaincode/peertest", []string{"chaincode/replay", "chaincode/rule"}},
	{"gateway/bench", []string{"chaincode", "gateway", "network"}},
	{"gateway", []string{"chaincode", "gateway"}},
	{"network", []string{"network"}},
	{"cmd/chaincode", []string{"chaincode/contract"}},
	{"cmd/gateway", []string{"gateway", "chaincode"}},
}

func TestImports(t *testing.T) {
	for folder, imports := range ourImports(t) {
		for _, path := range imports {
			if reason := refused(folder, path); reason != "" {
				t.Errorf("%s imports %s: %s", folder, path, reason)
			}
		}
	}
}

// refused gives the reason why a folder may not import a path, "" when it may.
func refused(folder, path string) string {
	own, isOwn := strings.CutPrefix(path, module)
	if allowed, isRule := rulePackages[folder]; isRule {
		if isOwn && slices.Contains(allowed, own) || slices.Contains(allowed, path) || slices.Contains(pureStandard, path) {
			return ""
		}
		return "rule packages import the standard library's pure parts and each other in one direction"
	}
	for _, f := range forbidden {
		if strings.HasPrefix(path, f.path) && !under(folder, strings.Fields(f.only)) {
			return "only " + f.only + " may: " + f.reason
		}
	}
	if !isOwn {
		return ""
	}
	for _, layer := range layers {
		if under(folder, []string{layer.folder}) {
			if under(own, layer.imports) || under(own, []string{layer.folder}) {
				return ""
			}
			return fmt.Sprintf("%s may import %v of our own", layer.folder, layer.imports)
		}
	}
	return ""
}

func under(folder string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return folder == root || strings.HasPrefix(folder, root+"/") })
}

// folders walks our own packages, without nested modules and test data.
func folders(t *testing.T) []string {
	var found []string
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		name := entry.Name()
		if path != "." && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata") {
			return filepath.SkipDir
		}
		if nested, _ := filepath.Glob(filepath.Join(path, "go.mod")); path != "." && len(nested) > 0 {
			return filepath.SkipDir
		}
		if sources, _ := filepath.Glob(filepath.Join(path, "*.go")); len(sources) > 0 {
			found = append(found, filepath.ToSlash(path))
		}
		return nil
	})
	if err != nil || len(found) < len(rulePackages) {
		t.Fatalf("found only the packages %v: %v", found, err)
	}
	return found
}

func ourImports(t *testing.T) map[string][]string {
	imports := map[string][]string{}
	for _, folder := range folders(t) {
		found, err := build.ImportDir(folder, 0)
		if _, none := err.(*build.NoGoError); err != nil && !none {
			t.Fatal(err)
		}
		imports[folder] = found.Imports
	}
	return imports
}

// Limits of a function: it fits on one screen.
const (
	linesMax      = 60
	complexityMax = 10
)

func TestFunctionsFitOnAScreen(t *testing.T) {
	for _, folder := range folders(t) {
		files := token.NewFileSet()
		sources, _ := filepath.Glob(filepath.Join(folder, "*.go"))
		for _, source := range sources {
			if strings.HasSuffix(source, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(files, source, nil, parser.SkipObjectResolution|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if ast.IsGenerated(file) {
				continue
			}
			for _, declaration := range file.Decls {
				if function, is := declaration.(*ast.FuncDecl); is {
					measure(t, files, function)
				}
			}
		}
	}
}

func measure(t *testing.T, files *token.FileSet, function *ast.FuncDecl) {
	at := files.Position(function.Pos())
	if lines := files.Position(function.End()).Line - at.Line + 1; lines > linesMax {
		t.Errorf("%s: %s has %d lines, %d at most", at, function.Name.Name, lines, linesMax)
	}
	complexity := 1
	ast.Inspect(function, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.FuncLit:
			return false // judged by its lines; what it decides is not what its maker decides
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt, *ast.CommClause:
			complexity++
		case *ast.CaseClause:
			if n.List != nil {
				complexity++
			}
		}
		return true
	})
	if complexity > complexityMax {
		t.Errorf("%s: %s has a cyclomatic complexity of %d, %d at most", at, function.Name.Name, complexity, complexityMax)
	}
}

// TestRulesArePure: no clock, random, float, goroutine or range over a map in
// rule packages. To go through a map in a fixed order, sort its keys first:
// slices.Sorted(maps.Keys(m)).
func TestRulesArePure(t *testing.T) {
	var paths []string
	for folder := range rulePackages {
		paths = append(paths, "./"+folder)
	}
	loaded, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports | packages.NeedDeps}, paths...)
	if err != nil || len(loaded) != len(rulePackages) {
		t.Fatalf("loaded %d packages: %v", len(loaded), err)
	}
	for _, p := range loaded {
		for _, fault := range p.Errors {
			t.Error(fault)
		}
		for _, file := range p.Syntax {
			ast.Inspect(file, func(node ast.Node) bool {
				if fault := impurity(p.TypesInfo, node); fault != "" {
					t.Errorf("%s: %s", p.Fset.Position(node.Pos()), fault)
				}
				return true
			})
		}
	}
}

// impurity says what is impure about one node of a rule, "" when nothing is.
func impurity(info *types.Info, node ast.Node) string {
	switch n := node.(type) {
	case *ast.GoStmt:
		return "a rule starts no goroutine"
	case *ast.SelectStmt, *ast.SendStmt:
		return "a rule uses no channel"
	case *ast.RangeStmt:
		if _, isMap := info.TypeOf(n.X).Underlying().(*types.Map); isMap {
			return "the order of a map differs from peer to peer; sort its keys first"
		}
	case *ast.CallExpr:
		return unsorted(info, n)
	case *ast.SelectorExpr:
		if used := info.Uses[n.Sel]; used != nil && used.Pkg() != nil {
			return impure[used.Pkg().Path()+"."+used.Name()]
		}
	case ast.Expr:
		if kind := info.TypeOf(n); kind != nil {
			if basic, is := kind.Underlying().(*types.Basic); is && basic.Info()&(types.IsFloat|types.IsComplex) != 0 {
				return "a rule computes in whole numbers, never in floats"
			}
		}
	}
	return ""
}

// unsorted lets maps.Keys be called only as the argument of slices.Sorted,
// which it finds from outside: a call of anything else with maps.Keys in it.
func unsorted(info *types.Info, call *ast.CallExpr) string {
	name := called(info, call.Fun)
	for _, argument := range call.Args {
		inner, is := argument.(*ast.CallExpr)
		if !is {
			continue
		}
		if from := called(info, inner.Fun); strings.HasPrefix(from, "maps.") && from != "maps.Clone" && from != "maps.Equal" && name != "slices.Sorted" {
			return from + " has no order; only slices.Sorted may take it"
		}
	}
	return ""
}

func called(info *types.Info, function ast.Expr) string {
	selector, is := function.(*ast.SelectorExpr)
	if !is {
		return ""
	}
	used := info.Uses[selector.Sel]
	if used == nil || used.Pkg() == nil {
		return ""
	}
	return used.Pkg().Path() + "." + used.Name()
}

// TestTheTablesBite: each kind of violation is found in a small example.
func TestTheTablesBite(t *testing.T) {
	for _, c := range []struct{ folder, path string }{
		{"chaincode/money", module + "chaincode/tape"},
		{"chaincode/tape", "math/rand"},
		{"chaincode/tape", "net/http"},
		{"chaincode/tape", module + "gateway/api"},
		{"chaincode/contract", module + "gateway/fabric"},
		{"gateway/api", "github.com/hyperledger/fabric-gateway/pkg/client"},
		{"gateway/api", module + "cmd/lianbao"},
		{"network/process", module + "gateway/api"},
		{"cmd/gateway", module + "network"},
	} {
		if refused(c.folder, c.path) == "" {
			t.Errorf("%s may import %s", c.folder, c.path)
		}
	}
	const example = `package example
import ("maps"; "time"; "slices")
func f(m map[string]int) { for range m {}; go f(m); _ = time.Now(); _ = 1.5; _ = slices.Collect(maps.Keys(m)); _ = slices.Sorted(maps.Keys(m)); select {} }`
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "example.go", example, 0)
	if err != nil {
		t.Fatal(err)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}}
	checker := types.Config{Importer: sourceImporter{t}, Error: func(error) {}}
	_, _ = checker.Check("example", files, []*ast.File{file}, info)
	found := map[string]bool{}
	ast.Inspect(file, func(node ast.Node) bool {
		if node != nil {
			found[impurity(info, node)] = true
		}
		return true
	})
	if len(found) != 7 { // six impurities, and "" for what is pure
		t.Errorf("found %d kinds of impurity: %v", len(found), found)
	}
}

// sourceImporter gives the example the packages it imports.
type sourceImporter struct{ t *testing.T }

func (s sourceImporter) Import(path string) (*types.Package, error) {
	loaded, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports | packages.NeedDeps}, path)
	if err != nil || len(loaded) != 1 {
		s.t.Fatalf("%s: %v", path, err)
	}
	return loaded[0].Types, nil
}
