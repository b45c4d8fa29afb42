package rule_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/lianbao/lianbao/chaincode/rule"
)

func TestRefusalPrintsAndParsesBack(t *testing.T) {
	for _, code := range rule.Codes() {
		refusal := rule.Refuse(code, "campaign %s can spend %s", "a:b:c", "1.00 CNY")
		back, ok := rule.Parse(refusal.Error())
		if !ok || *back != *refusal {
			t.Errorf("%s: parsed back as %v, %t", refusal, back, ok)
		}
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text string
		want string // the code, or "-" when the text is no refusal
	}{
		{"invalid: a sentence", "invalid"},
		{"not-found: page x: of account y", "not-found"},
		{"Invalid: other case", "-"},
		{"invalid:no space", "-"},
		{"invalid: ", "-"},
		{"invalid", "-"},
		{"error in simulation: something", "-"},
		{"", "-"},
	} {
		got := "-"
		if refusal, ok := rule.Parse(c.text); ok {
			got = string(refusal.Code)
		}
		if got != c.want {
			t.Errorf("Parse(%q) = %s, want %s", c.text, got, c.want)
		}
	}
}

func TestFieldBuildsThePath(t *testing.T) {
	err := rule.Field("payments", rule.Field("[3]", rule.Field("amount", rule.Refuse(rule.Invalid, "must be more than zero"))))
	if want := "invalid: field payments[3].amount: must be more than zero"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	var refusal *rule.Refusal
	errors.As(err, &refusal)
	if path, sentence := refusal.Pointer(); path != "payments[3].amount" || sentence != "must be more than zero" {
		t.Errorf("Pointer() = %q, %q", path, sentence)
	}
	if plain := errors.New("plain"); rule.Field("x", plain) != plain {
		t.Error("an error that is no refusal must pass through unchanged")
	}
}

func TestTextStaysOnOneLine(t *testing.T) {
	if got := rule.Refuse(rule.Invalid, "a\nb\u2028c\x00d").Text; got != "a b c d" {
		t.Errorf("got %q", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("invalid: field a.b: c")
	f.Fuzz(func(t *testing.T, text string) {
		if refusal, ok := rule.Parse(text); ok && refusal.Error() != text {
			t.Errorf("%q prints back as %q", text, refusal)
		}
	})
}

func TestLists(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{rule.Item("payouts", 3, rule.Field("amount", rule.Refuse(rule.Invalid, "is nothing"))), "invalid: field payouts[3].amount: is nothing"},
		{rule.Item("payouts", 3, nil), "<nil>"},
		{rule.First(nil, rule.Refuse(rule.Forbidden, "weighs more"), rule.Refuse(rule.Invalid, "weighs less")), "forbidden: weighs more"},
		{rule.First(nil, nil), "<nil>"},
		{rule.OneOf("tea", "coffee", "tea"), "<nil>"},
		{rule.Within(1, 1, 3), "<nil>"},
		{rule.Within(3, 1, 3), "<nil>"},
		{rule.Within(0, 1, 3), "invalid: is 0; 1 to 3 is possible"},
		{rule.Within(4, 1, 3), "invalid: is 4; 1 to 3 is possible"},
		{rule.OneOf("Anna Muster", "coffee", "tea"), "invalid: is not one of coffee, tea"},
	} {
		if got := fmt.Sprint(c.err); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}
