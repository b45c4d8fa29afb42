package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// strictJSON reads JSON and refuses a field that stands twice and text behind
// the document: two readers could otherwise see two different requests. Unknown
// fields are refused by the schema.
func strictJSON(data []byte, into any) error {
	if err := single(data); err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

const depthMax = 32

// single walks a document. seen has one set of names for each open object, nil for an array.
func single(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var open []map[string]bool
	name := false // whether the next token is a field's name
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) && len(open) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		if field, isText := token.(string); isText && name {
			seen := open[len(open)-1]
			if seen[field] {
				return fmt.Errorf("the field %q stands twice", field)
			}
			seen[field], name = true, false
			continue
		}
		if open = nest(open, token); len(open) > depthMax {
			return fmt.Errorf("it is nested deeper than %d", depthMax)
		}
		name = len(open) > 0 && open[len(open)-1] != nil
	}
}

func nest(open []map[string]bool, token json.Token) []map[string]bool {
	switch token {
	case json.Delim('{'):
		return append(open, map[string]bool{})
	case json.Delim('['):
		return append(open, nil)
	case json.Delim('}'), json.Delim(']'):
		return open[:len(open)-1]
	}
	return open
}
