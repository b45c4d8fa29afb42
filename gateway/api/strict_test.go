package api

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// TestAnswers gives every code a status, and the document the same one.
func TestAnswers(t *testing.T) {
	document, err := os.ReadFile("../../docs/gateway.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range rule.Codes() {
		if _, known := answers[code]; !known {
			t.Errorf("the code %s has no status", code)
		}
	}
	for code, a := range answers {
		written := false
		for line := range strings.Lines(string(document)) {
			written = written || strings.HasPrefix(line, "| ") && strings.Contains(line, fmt.Sprint(a.status)) && strings.Contains(line, "`"+string(code)+"`")
		}
		if !written && code != notAllowed && code != internal { // those two nobody meets
			t.Errorf("docs/gateway.md does not say that %s is %d", code, a.status)
		}
	}
}

// TestStrictJSON is a table: a document, and whether it is read.
func TestStrictJSON(t *testing.T) {
	for _, test := range []struct {
		document string
		read     bool
	}{
		{`{"a":1,"b":{"a":[{"a":1},{"a":2}]}}`, true},
		{`{"a":"a","b":["a","a"]}`, true},
		{` {"a":1} `, true},
		{`{"a":1,"a":2}`, false},
		{`{"b":{"a":1,"a":1}}`, false},
		{`{"b":[{"a":1,"\u0061":1}]}`, false},
		{`{"a":1} {"a":1}`, false},
		{`{"a":1}x`, false},
		{`{"a":1`, false},
		{``, false},
	} {
		var into any
		if err := strictJSON([]byte(test.document), &into); (err == nil) != test.read {
			t.Errorf("%s: %v, want read %v", test.document, err, test.read)
		}
	}
}

// FuzzStrictJSON reads what it reads as encoding/json does, and one document only.
func FuzzStrictJSON(f *testing.F) {
	for _, seed := range []string{`{"a":1,"a":2}`, `[[],{}]`, `{"a":{"b":[1]}} `, `"a"`, `]`, `{"a"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got, want any
		if strictJSON(data, &got) != nil {
			return
		}
		if err := json.Unmarshal(data, &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is read as %v; as JSON it is %v (%v)", data, got, want, err)
		}
	})
}

// TestWaitOf is a table: a Prefer header, and how long to wait.
func TestWaitOf(t *testing.T) {
	for prefer, want := range map[string]time.Duration{
		"": 0, "wait=5": 5 * time.Second, "respond-async, wait=5": 5 * time.Second, "wait=\"7\"; x": 7 * time.Second,
		"wait=9999": waitMax, "await=5": 0, "wait=-5": 0, "wait=five": 0, "wait=99999999999999999999": 0,
	} {
		if got := waitOf(prefer); got != want {
			t.Errorf("%q: %s, want %s", prefer, got, want)
		}
	}
}
