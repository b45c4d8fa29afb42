// Package ruletest holds what the tests of all rules share.
package ruletest

import (
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// Refusals judges a command that is allowed, and then with one thing changed
// each time. A rule leaves what it was given as it was: allowed and each change
// must therefore make equal situations whenever they are called. A row is what
// changes, and how the refusal begins.
func Refusals[S any, Row ~struct {
	Change func(*S)
	Want   string
}](t *testing.T, allowed func() S, judge func(S) error, rows []Row) {
	t.Helper()
	if err := judge(allowed()); err != nil {
		t.Errorf("what is allowed: %v", err)
	}
	for i, row := range rows {
		r := struct {
			Change func(*S)
			Want   string
		}(row)
		given, untouched := allowed(), allowed()
		r.Change(&given)
		r.Change(&untouched)
		if !reflect.DeepEqual(given, untouched) {
			t.Fatalf("row %d does not make the same situation twice", i)
		}
		if got := fmt.Sprint(judge(given)); !strings.HasPrefix(got, r.Want) || r.Want == "" {
			t.Errorf("row %d:\n got %s\nwant %s", i, got, r.Want)
		}
		if !reflect.DeepEqual(given, untouched) {
			t.Errorf("row %d: the rule changed what it was given:\n%+v\n%+v", i, untouched, given)
		}
	}
}

// Setting reads a number of a simulation, such as its seed, from the environment.
func Setting(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	value, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return value
}
