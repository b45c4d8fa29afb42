package judge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const (
	grantSchema   = "360giving/360-giving-schema.json"
	packageSchema = "360giving/360-giving-package-schema.json"
	// namedThere is the address by which the package schema names the grant
	// schema: that of an older version. Both names get the file as published.
	namedThere = "https://raw.githubusercontent.com/ThreeSixtyGiving/standard/1.4.2/schema/360-giving-schema.json"
)

// Grants validates a 360Giving package by both published schemas, formats of
// dates and addresses included. It returns what is wrong, nil when nothing is.
func Grants(t testing.TB, document []byte) error {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	grant := add(t, compiler, grantSchema, namedThere)
	pack := add(t, compiler, packageSchema)
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return err
	}
	object, _ := value.(map[string]any)
	grants, is := object["grants"].([]any)
	if !is {
		return errors.New("it has no list of grants")
	}
	for i, one := range grants {
		if err := compiler.MustCompile(grant).Validate(one); err != nil {
			return fmt.Errorf("grant %d: %w", i, err)
		}
	}
	return compiler.MustCompile(pack).Validate(value)
}

// add gives a schema to a compiler under its own address and others.
func add(t testing.TB, compiler *jsonschema.Compiler, name string, addresses ...string) string {
	t.Helper()
	data, err := os.ReadFile(Published(t, name))
	if err != nil {
		t.Fatal(err)
	}
	// The address of the 2020-12 dialect begins with https, and an address is a name.
	data = bytes.ReplaceAll(data, []byte(`"http://json-schema.org/draft/2020-12/schema"`), []byte(`"https://json-schema.org/draft/2020-12/schema"`))
	var own struct {
		ID string `json:"$id"`
	}
	if err := json.Unmarshal(data, &own); err != nil || own.ID == "" {
		t.Fatalf("%s has no address: %v", name, err)
	}
	for _, address := range append(addresses, own.ID) {
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(bytes.ReplaceAll(data, []byte(`"`+own.ID+`"`), []byte(`"`+address+`"`))))
		if err == nil {
			err = compiler.AddResource(address, document)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return own.ID
}
