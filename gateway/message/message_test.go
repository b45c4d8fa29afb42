package message

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/rule"
)

var placeholders = regexp.MustCompile(`\{\{\.[A-Za-z]+\}\}`)

// TestLanguages: both say the same things with the same figures.
func TestLanguages(t *testing.T) {
	english, chinese := Catalogue(English), Catalogue(Chinese)
	if len(english) == 0 || !slices.Equal(slices.Sorted(maps.Keys(english)), slices.Sorted(maps.Keys(chinese))) {
		t.Error("the languages have different keys")
	}
	for key, text := range english {
		ours, theirs := placeholders.FindAllString(text, -1), placeholders.FindAllString(chinese[key], -1)
		slices.Sort(ours)
		slices.Sort(theirs)
		if !slices.Equal(slices.Compact(ours), slices.Compact(theirs)) {
			t.Errorf("%s: %v and %v", key, ours, theirs)
		}
		if text == "" || chinese[key] == "" || strings.Contains(placeholders.ReplaceAllString(text+chinese[key], ""), "{{") {
			t.Errorf("%s is empty or has a placeholder that is none", key)
		}
	}
}

// TestRoles: the roles in a message are words of its language.
func TestRoles(t *testing.T) {
	m := New("login.role", "Roles", "maker, admin, stranger")
	for language, want := range map[string]string{English: "This page is for maker, administrator, stranger.", Chinese: "此页面供经办人员、管理员、stranger使用。"} {
		if got := m.Text(language); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", language, got)
		}
	}
}

// composed are the beginnings of keys that programs put together.
var composed = []string{"sign.", "custody.", "role"}

// TestUsed: every key is used, and every key that is used is there.
func TestUsed(t *testing.T) {
	used := map[string]bool{}
	for _, root := range []string{"../login", "../keyring", "../signing", "../persons", "../../cmd/lianbao"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			return collect(path, used)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for key := range Catalogue(English) {
		isComposed := slices.ContainsFunc(composed, func(beginning string) bool { return strings.HasPrefix(key, beginning) })
		if !isComposed && !used[key] {
			t.Errorf("nobody says %s", key)
		}
	}
	families := regexp.MustCompile(`^(person|ledger|form|login|logout|issuer|demo|keyring|draft|cli)\.[a-z-]+$`)
	for key := range used {
		if _, known := Catalogue(English)[key]; !known && families.MatchString(key) && !strings.HasSuffix(key, ".json") && !strings.HasSuffix(key, ".key") {
			t.Errorf("%s is used and not in the catalogues", key)
		}
	}
}

// collect takes up every text of a file that could be a key.
func collect(path string, used map[string]bool) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	ast.Inspect(file, func(node ast.Node) bool {
		if literal, is := node.(*ast.BasicLit); is && literal.Kind == token.STRING {
			if value, err := strconv.Unquote(literal.Value); err == nil {
				used[value] = true
			}
		}
		return true
	})
	return nil
}

func TestText(t *testing.T) {
	m := New("login.slow", "Seconds", "{{.Seconds}}<b>")
	if got := m.Text("en"); !strings.Contains(got, "Wait {{.Seconds}}<b> seconds") {
		t.Errorf("a figure is not put in as it is, and once: %s", got)
	}
	if m.Text("zh-CN") == m.Text("en") || m.Text("fr") != m.Text("en") {
		t.Error("a language is not that of its name, or an unknown one is not English")
	}
	err := error(Refuse(rule.Early, "login.slow", "Seconds", "5"))
	if !rule.Is(err, rule.Early) || !strings.HasPrefix(err.Error(), "early: Too many attempts. Wait 5 seconds") {
		t.Errorf("the refusal is %v", err)
	}
}
