package canonical_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/money"
)

type line struct {
	Amount money.Amount `json:"amount"`
	ID     string       `json:"id"`
}

type command struct {
	Account string `json:"account"`
	Count   int32  `json:"count"`
	Lines   []line `json:"lines"`
	Note    string `json:"note,omitempty"`
}

func TestDecode(t *testing.T) {
	const odd = "invalid: not in the canonical spelling of RFC 8785 at byte "
	for _, c := range []struct{ argument, want string }{
		{`{"account":"a","count":1,"lines":[{"amount":"1.00 CNY","id":"x"}]}`, ""},
		{`{"account":"a","count":1,"lines":[],"note":"n"}`, ""},
		{`{"account":"a","count":1,"lines":[],"note":""}`, "invalid: field note: is empty; leave it out"},
		{`{"account":"a","lines":[]}`, "invalid: field count: is missing"},
		{`{"account":"a","count":1,"lines":[{"amount":"1.00 CNY"}]}`, "invalid: field lines[].id: is missing"},
		{`{"account":"a","account":"b","count":1,"lines":[]}`, "invalid: field account: stands twice"},
		{`{"account":"a","count":1,"lines":[{"amount":"1.00 CNY","amount":"2.00 CNY","id":"x"}]}`, "invalid: field lines[].amount: stands twice"},
		{`{"Account":"a","count":1,"lines":[]}`, `invalid: field "Account" must be written "account"`},
		{`{"account":"a","count":1,"lines":[],"other":1}`, `invalid: unknown field "other"`},
		{`{"account":"a","count":"1","lines":[]}`, "invalid: field count: a JSON string does not belong here"},
		{`{"account":"a","count":1.0,"lines":[]}`, "invalid: field count: a JSON number 1.0 does not belong here"},
		{`{"account":"a","count":3000000000,"lines":[]}`, "invalid: field count: a JSON number 3000000000 does not belong here"},
		{`{"count":1,"account":"a","lines":[]}`, odd + `2`},
		{`{"account": "a","count":1,"lines":[]}`, odd + `11`},
		{`{"account":"\u0061","count":1,"lines":[]}`, odd + `12`},
		{`{"account":"a","count":1,"lines":null}`, "invalid: field lines: is null; give a value or leave it out"},
		{`{"account":"a","count":1,"lines":[{"amount":"1.0 CNY","id":"x"}]}`, `invalid: field lines[0].amount: is not an amount of CNY; write it as "100.00 CNY"`},
		{`{"account":"a","count":1,"lines":[]} `, odd + `36`},
		{`{"account":"a","count":1,"lines":[]}{}`, "invalid: there is text behind the JSON document"},
		{`[[[[[[[[[[[[[[[[[[`, "invalid: the argument is nested deeper than 16"},
		{``, "invalid: the argument is not JSON: EOF"},
		{`[]`, "invalid: the argument is not the JSON asked for: a JSON array does not belong here"},
		{`3`, "invalid: the argument is not the JSON asked for: a JSON number does not belong here"},
		{`null`, "invalid: the argument is null"},
	} {
		var into command
		got := ""
		if err := canonical.Decode([]byte(c.argument), &into); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.argument, got, c.want)
		}
	}
}

func TestRead(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"{\n  \"lines\": [],\n  \"count\": 1,\n  \"account\": \"\\u0061\"\n}\n", ""},
		{`{"account":"a","lines":[]}`, "invalid: field count: is missing"},
		{`{"account":"a","account":"b","count":1,"lines":[]}`, "invalid: field account: stands twice"},
		{`{"Account":"a","count":1,"lines":[]}`, `invalid: field "Account" must be written "account"`},
		{`{"account":"a","count":1,"lines":[],"other":1}`, `invalid: unknown field "other"`},
		{`{"account":"a","count":1e400,"lines":[]}`, "invalid: the file is not the JSON asked for: "},
		{`{"account":"a","count":1,"lines":[]}{}`, "invalid: there is text behind the JSON document"},
		{"{\"account\":\"\xff\"}", "invalid: the file is not UTF-8"},
		{``, "invalid: the argument is not JSON: EOF"},
	} {
		var into command
		got := ""
		if err := canonical.Read([]byte(c.file), &into); err != nil {
			got = err.Error()
		}
		if c.want == "" && (got != "" || into.Account != "a" || into.Count != 1) || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s\n got %s\nwant %s", c.file, got, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"account":"a","count":1,"lines":[{"amount":"1.00 CNY","id":"x"}]}`))
	f.Add([]byte(`{"account":"a","count":1,"lines":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var into command
		if canonical.Decode(data, &into) != nil {
			return
		}
		if again, err := canonical.Encode(into); err != nil || !bytes.Equal(again, data) {
			t.Errorf("%q prints back as %q, %v", data, again, err)
		}
	})
}
