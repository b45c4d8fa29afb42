package statement

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

const manual = "../../docs/import.md"

// blocks returns the fenced blocks of a language in the manual.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	parts := strings.Split(string(text), "```"+language+"\n")
	for _, part := range parts[1:] {
		block, _, closed := strings.Cut(part, "```")
		if !closed {
			t.Fatalf("a %s block does not close", language)
		}
		found = append(found, block)
	}
	return found
}

// TestManualExamples reads the manual's files as the manual says.
func TestManualExamples(t *testing.T) {
	mappings, files := blocks(t, "yaml"), blocks(t, "csv")
	if len(mappings) != 1 || len(files) != 2 {
		t.Fatalf("%d mappings and %d files", len(mappings), len(files))
	}
	mapping, err := ParseMapping([]byte(mappings[0]))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"2 lines, 1 gifts of 20000 VND, debits 55000, credits 20000, 2024-09-01 to 2024-09-01, opening -, closing -",
		"2 lines, 1 gifts of 1500000 VND, debits 11000, credits 1500000, 2024-09-09 to 2024-09-10, opening 1000000, closing 2489000",
	} {
		summary, err := SurveyFrom(strings.NewReader(files[i]), []Mapping{{}, mapping}[i])
		if err != nil || describeSummary(summary) != want {
			t.Errorf("%v\n got %s\nwant %s", err, describeSummary(summary), want)
		}
	}
}

// TestManualNamesEveryField: a field that the manual forgets is a field that nobody finds.
func TestManualNamesEveryField(t *testing.T) {
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	var check func(kind reflect.Type)
	check = func(kind reflect.Type) {
		for i := range kind.NumField() {
			field := kind.Field(i)
			name := field.Tag.Get("yaml")
			if !strings.Contains(string(text), "`"+name) && !strings.Contains(string(text), "."+name) && !strings.Contains(string(text), name+":") {
				t.Errorf("the manual does not name %s.%s", kind.Name(), name)
			}
			inner := field.Type
			if inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct {
				check(inner)
			}
		}
	}
	check(reflect.TypeFor[Mapping]())
}
