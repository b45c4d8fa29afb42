package canonical_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/money"
)

// TestWorkGrowsWithLength: no argument of the size that Fabric lets through
// keeps a peer busy for longer than its length explains: 2 MB cost a second or two, not a minute.
func TestWorkGrowsWithLength(t *testing.T) {
	const size = 2_000_000
	for name, argument := range map[string]string{
		"a long name around many fields": `{"` + strings.Repeat("n", size/2) + `":{` + names(size/20) + `}}`,
		"long names":                     `{"` + strings.Repeat(strings.Repeat("n", 60)+`":{"`, 13) + `a":{` + names(size/10) + strings.Repeat("}", 15),
		"a long text":                    `{"account":"` + strings.Repeat("n", size) + `","count":1,"lines":[]}`,
		"a text of escapes":              `{"account":"` + strings.Repeat(`\n`, size/2) + `","count":1,"lines":[]}`,
		"many lines":                     `{"account":"a","count":1,"lines":[{"amount":"1.00 CNY","id":"x"}` + strings.Repeat(`,{"amount":"1.00 CNY","id":"x"}`, size/31) + `]}`,
		"one bad line among many":        `{"account":"a","count":1,"lines":[{"amount":"1.00 CNY","id":"x"}` + strings.Repeat(`,{"amount":"1.00 CNY","id":"x"}`, size/31) + `,{"amount":"1 CNY","id":"x"}]}`,
		"many names":                     `{` + names(size/10) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			var into command
			start := time.Now()
			err := canonical.Decode([]byte(argument), &into)
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("%d bytes took %s (%.100v)", len(argument), took, err)
			}
		})
	}
}

// names are many different fields.
func names(count int) string {
	var fields strings.Builder
	for i := range count {
		fmt.Fprintf(&fields, `"%d":1,`, i)
	}
	return strings.TrimSuffix(fields.String(), ",")
}

type outer struct {
	Lines []line        `json:"lines,omitempty"`
	One   *line         `json:"one,omitempty"`
	Rest  *money.Amount `json:"rest,omitempty"`
	Rows  [][2]inner    `json:"rows,omitempty"`
}

type inner struct {
	Count  int32        `json:"count"`
	Amount money.Amount `json:"sum"`
}

// TestRefusalsNameTheField: whatever reads a text, the refusal says where it stands.
func TestRefusalsNameTheField(t *testing.T) {
	const amount = `: is not an amount of CNY; write it as "100.00 CNY"`
	for _, c := range []struct{ argument, want string }{
		{`{"rest":"1 CNY"}`, "invalid: field rest" + amount},
		{`{"one":{"amount":"1 CNY","id":"x"}}`, "invalid: field one.amount" + amount},
		{`{"lines":[{"amount":"1.00 CNY","id":"x"},{"amount":"1 CNY","id":"x"}]}`, "invalid: field lines[1].amount" + amount},
		{`{"rows":[[{"count":1,"sum":"1.00 CNY"},{"count":1,"sum":"1 CNY"}]]}`, "invalid: field rows[0][1].sum" + amount},
		{`{"rows":[[{"count":1,"sum":"1.00 CNY"},{"count":"1","sum":"1.00 CNY"}]]}`, "invalid: field rows[0][1].count: a JSON string does not belong here"},
		{`{"lines":[{"amount":"1.00 CNY","id":5}]}`, "invalid: field lines[0].id: a JSON number does not belong here"},
		{`{"lines":{}}`, "invalid: field lines: a JSON object does not belong here"},
		{`{"lines":[5]}`, "invalid: field lines[0]: a JSON number does not belong here"},
		{`{"lines":[{"amount":"1.00 CNY","colour":"red","id":"x"}]}`, `invalid: unknown field "colour"`},
		{`{"` + "n" + `":1}`, `invalid: unknown field "n"`},
		{`[]`, "invalid: the argument is not the JSON asked for: "},
	} {
		got := ""
		if err := canonical.Decode([]byte(c.argument), new(outer)); err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%s\n got %s\nwant %s", c.argument, got, c.want)
		}
	}
}
