package judge

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Events validates an EPCIS 2.0 document by the published JSON schema, formats
// of dates and addresses included. It returns what is wrong, nil when nothing is.
func Events(t testing.TB, document []byte) error {
	t.Helper()
	data, err := os.ReadFile(Published(t, "epcis-2.0/EPCIS-JSON-Schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("epcis.json", withoutLookahead(schema)); err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return err
	}
	compiled, err := compiler.Compile("epcis.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled.Validate(value)
}

// withoutLookahead says "does not begin with" by not, where the schema says it
// by a negative lookahead, which Go's patterns do not have.
func withoutLookahead(node any) any {
	switch node := node.(type) {
	case []any:
		for i := range node {
			node[i] = withoutLookahead(node[i])
		}
	case map[string]any:
		for key, value := range node {
			node[key] = withoutLookahead(value)
		}
		if pattern, is := node["pattern"].(string); is {
			if inner, found := strings.CutPrefix(pattern, "^(?!"); found {
				delete(node, "pattern")
				node["not"] = map[string]any{"pattern": "^" + strings.TrimSuffix(inner, ")")}
			}
		}
	}
	return node
}
