package readmodel

import (
	"context"
	"encoding/json"
)

// RecordsOf lists the records under a prefix of keys as what they are, such as
// the pledges of a campaign under "pledge/<campaign>/".
func RecordsOf[R any](ctx context.Context, m *Model, prefix string, window Window) (List[R], error) {
	found, err := m.Records(ctx, prefix, window)
	list := List[R]{Items: make([]R, len(found.Items)), Next: found.Next}
	for i, record := range found.Items {
		if err == nil {
			err = json.Unmarshal(record.Value, &list.Items[i])
		}
	}
	return list, err
}

// RecordOf is the record under one key as what it is.
func RecordOf[R any](ctx context.Context, m *Model, key string) (record R, err error) {
	found, err := m.Record(ctx, key)
	if err != nil {
		return record, err
	}
	return record, json.Unmarshal(found.Value, &record)
}
