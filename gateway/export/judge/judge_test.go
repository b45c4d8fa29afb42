package judge

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestExpressions(t *testing.T) {
	root, err := parse(strings.NewReader(`<a x="1"><b k="1" p="60">one</b><b k="2"/><c><b k="1" xml:lang="en">deep</b><b>two<!-- no text --></b></c></a>`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		want bool
	}{
		{"a", true}, {"b", false}, {"/a/b", true}, {"//b", true}, {"count(//b) = 4", true}, {"count(a/b) = 2", true}, {"count(a/b | a/c/b) = 4", true},
		{"a/@x = 1", true}, {"a/@x != 1", false}, {"a/@x = '1'", true}, {"a/@y", false}, {"not(a/@y)", true},
		{"count(a/b[@k = '1']) = 1", true}, {"count(a/b[@k='1' or @k='2']) = 2", true}, {"count(a/b[@k='1' and @p]) = 1", true},
		{"a/b[2]/@k = 2", true}, {"a/b[1]/@k = 2", false}, {"a/c/b[not(@k)]", true}, {"count(a/b) + count(a/c) > 2", true}, {"count(a/b) + count(a/c) > 3", false},
		{"count(a/b) >= 2 and count(a/b) <= 2", true}, {"a/b/text()", true}, {"a/c/text()", false}, {"a/b/../@x = 1", true}, {"number(a/b) = a/b", false}, {"number(a/@x) = a/@x", true},
		{"a/c/b/@xml:lang = 'en'", true}, {"a/b/@p < 100", true}, {"a/b[@k='2']/@p = 100", false}, {"(a/x or a/b) and a/c", true}, {"count(a/b[@k = '$1']) > 0", false},
	} {
		if got, err := truthOf(c.text, root); err != nil || got != c.want {
			t.Errorf("%s: %v, %v; want %v", c.text, got, err, c.want)
		}
	}
	for _, text := range []string{"", "a[", "a/", "count(a", "position()", "a b", "a =", "a]", "(a", "@", "a/text("} {
		if _, err := compile(text); err == nil {
			t.Errorf("%q is understood", text)
		}
	}
}

func TestTheWholeRulesetIsUnderstood(t *testing.T) {
	rules, err := ReadRuleset(Published(t, "iati-2.03/standard-ruleset.json"))
	if err != nil {
		t.Fatal(err)
	}
	var check func(c string, group rulesOf)
	cases := 0
	check = func(context string, group rulesOf) {
		for kind, list := range group {
			for _, c := range list.Cases {
				cases++
				if kind != "loop" && kinds[kind] == nil {
					t.Errorf("%s: %s is not known", context, kind)
				}
				for _, text := range append([]string{c.Condition, c.If, c.Then, c.Foreach, c.One, c.Less, c.More, c.Date, c.Start, c.End}, append(c.Paths, c.Prefix...)...) {
					if text == "" {
						continue
					}
					if _, err := compile(text); err != nil {
						t.Errorf("%s %s: %v", context, kind, err)
					}
				}
				check(context, c.Do)
			}
		}
	}
	for context, group := range rules {
		if _, err := compile(context); err != nil {
			t.Error(err)
		}
		check(context, group)
	}
	if cases < 100 {
		t.Errorf("only %d cases were read", cases)
	}
}

type rulesOf = rules

func TestKindsBite(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		document, kind string
		rule           ruleCase
		want           bool
	}{
		{`<e a="1"/>`, "range", ruleCase{Paths: []string{"@a"}, Min: num("0"), Max: num("1")}, true},
		{`<e a="1.01"/>`, "range", ruleCase{Paths: []string{"@a"}, Min: num("0"), Max: num("1")}, false},
		{`<e><p v="33.33"/><p v="66.67"/></e>`, "strict_sum", ruleCase{Paths: []string{"p/@v"}, Sum: num("100")}, true},
		{`<e><p v="33.33"/><p v="66.66"/></e>`, "strict_sum", ruleCase{Paths: []string{"p/@v"}, Sum: num("100")}, false},
		{`<e><p v="33.33"/></e>`, "strict_sum", ruleCase{Condition: "count(p) > 1", Paths: []string{"p/@v"}, Sum: num("100")}, true},
		{`<e a="2026-03-01"/>`, "date_now", ruleCase{Date: "@a"}, true},
		{`<e a="2026-03-02"/>`, "date_now", ruleCase{Date: "@a"}, false},
		{`<e a="2026-01-01" b="2027-01-01"/>`, "time_limit", ruleCase{Start: "@a", End: "@b"}, true},
		{`<e a="2026-01-01" b="2027-01-02"/>`, "time_limit", ruleCase{Start: "@a", End: "@b"}, false},
		{`<e a="2026-01-01" b="2025-12-31"/>`, "date_order", ruleCase{Less: "@a", More: "@b"}, false},
		{`<e a="2026-01-01"/>`, "date_order", ruleCase{Less: "@a", More: "@b"}, true},
		{`<e a="2026-01-01" b="2025-12-31" c="2026-02-01"/>`, "between_dates", ruleCase{Date: "@a", Start: "@b", End: "@c"}, true},
		{`<e a="2026-03-01" b="2025-12-31" c="2026-02-01"/>`, "between_dates", ruleCase{Date: "@a", Start: "@b", End: "@c"}, false},
		{`<e a="x" b="x"/>`, "unique", ruleCase{Paths: []string{"@a", "@b"}}, false},
		{`<e a="X-1-2" b="X-1"/>`, "startswith", ruleCase{Paths: []string{"@a"}, Prefix: []string{"@b"}, Separator: "-"}, true},
		{`<e a="X-12" b="X-1"/>`, "startswith", ruleCase{Paths: []string{"@a"}, Prefix: []string{"@b"}, Separator: "-"}, false},
		{`<e a=" x"/>`, "no_spaces", ruleCase{Paths: []string{"@a"}}, false},
		{`<e a="x/y"/>`, "regex_matches", ruleCase{Paths: []string{"@a"}, Regex: "^[^/]+$"}, false},
		{`<e><narrative/></e>`, "one_or_all", ruleCase{One: "@xml:lang", All: "lang"}, false},
		{`<e xml:lang="en"><narrative/></e>`, "one_or_all", ruleCase{One: "@xml:lang", All: "lang"}, true},
		{`<e><t><value/></t></e>`, "one_or_all", ruleCase{One: "@default-currency", All: "currency"}, false},
		{`<e><t><value currency="CNY"/></t></e>`, "one_or_all", ruleCase{One: "@default-currency", All: "currency"}, true},
		{`<e><transaction/></e>`, "one_or_all", ruleCase{One: "sector", All: "sector"}, false},
		{`<e><s v="2"/><s v="2"/><s v="3"/></e>`, "loop", ruleCase{Foreach: "s/@v", Subs: []string{"paths"}, Do: rules{"no_more_than_one": {Cases: []ruleCase{{Paths: []string{"s[@v = '$1']"}}}}}}, false},
		{`<e><s v="2"/><s v="3"/></e>`, "loop", ruleCase{Foreach: "s/@v", Subs: []string{"paths"}, Do: rules{"no_more_than_one": {Cases: []ruleCase{{Paths: []string{"s[@v = '$1']"}}}}}}, true},
	} {
		verdict, err := Ruleset{"/e": {c.kind: {Cases: []ruleCase{c.rule}}}}.Judge(strings.NewReader(c.document), now)
		if err != nil || (len(verdict.Findings) == 0) != c.want {
			t.Errorf("%s of %s: %v, %v; want %v", c.kind, c.document, verdict.Findings, err, c.want)
		}
	}
	if _, err := (Ruleset{"/e": {"odd": {Cases: []ruleCase{{}}}}}).Judge(strings.NewReader("<e/>"), now); err == nil {
		t.Error("a kind of rule that nobody knows is passed over")
	}
}

func num(text string) *json.Number {
	n := json.Number(text)
	return &n
}
