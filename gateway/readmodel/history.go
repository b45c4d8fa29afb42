package readmodel

import (
	"context"
	"encoding/json"

	"github.com/lianbao/lianbao/chaincode/tape"
)

// remembered reads records of a kind that are asked for as they stood before.
func remembered(prefix string) func(*writer, int, string, []byte) error {
	return func(w *writer, _ int, rest string, value []byte) error {
		if err := w.exec("INSERT OR REPLACE INTO histories VALUES (?, ?, ?)", prefix+rest, int64(w.base), value); err != nil {
			return err
		}
		return w.other(Write{Key: prefix + rest, Value: value})
	}
}

// RecordsAsOf lists the records under a prefix as entries until the end of a civil
// day had left them, by their keys: groups and calls of guarantors.
func RecordsAsOf[R any](ctx context.Context, m *Model, prefix string, day tape.Date) ([]R, error) {
	var found []R
	err := m.view(ctx, func(s *session) error {
		last := ""
		return s.each(ctx, `SELECT h.key, h.value FROM histories AS h LEFT JOIN entries AS e ON e.ordinal = h.ordinal
			WHERE h.key >= ? AND h.key < ? AND coalesce(e.business_date, '') <= ? ORDER BY h.key, h.ordinal`, []any{prefix, prefix + "\x7f", string(day)},
			func(scan func(...any) error) error {
				var key string
				var value []byte
				var one R
				if err := scan(&key, &value); err != nil {
					return err
				}
				if err := json.Unmarshal(value, &one); err != nil {
					return err
				}
				if key == last {
					found[len(found)-1] = one
					return nil
				}
				last, found = key, append(found, one)
				return nil
			})
	})
	return found, err
}
