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
