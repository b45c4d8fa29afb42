package readmodel

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/lianbao/lianbao/chaincode/rule"
)

const (
	limitDefault = 50
	limitMax     = 1000
)

// limit is how many items a window asks for.
func (w Window) limit() (int, error) {
	switch {
	case w.Limit == 0:
		return limitDefault, nil
	case w.Limit < 0 || w.Limit > limitMax:
		return 0, rule.Field("limit", rule.Refuse(rule.Invalid, "is %d; 1 to %d are possible", w.Limit, limitMax))
	}
	return w.Limit, nil
}

// cursor is where a list goes on. It names its list, so that the cursor of one
// list is refused by another instead of giving odd answers.
type cursor struct {
	List string `json:"l"`
	// Name or Number is the key of the last item, At a place within it.
	Name   string `json:"s,omitempty"`
	Number int64  `json:"n,omitempty"`
	At     int64  `json:"a,omitempty"`
	Newest bool   `json:"d,omitempty"`
}

func (c cursor) String() string {
	encoded, _ := json.Marshal(c) // texts and numbers always can be written
	return base64.RawURLEncoding.EncodeToString(encoded)
}

// parseCursor reads a cursor of a list; the empty text is the beginning.
func parseCursor(text, list string, newest bool) (c cursor, begun bool, err error) {
	if text == "" {
		return cursor{List: list, Newest: newest}, false, nil
	}
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(decoded, &c)
	}
	if err != nil || c.List != list || c.Newest != newest || c.String() != text {
		return cursor{}, false, rule.Field("after", rule.Refuse(rule.Invalid, "is not a cursor of this list; take it from the part before, or leave it out"))
	}
	return c, true, nil
}

// query is one list of rows: conditions are joined by AND, and the first
// column read is the key, by which the list is ordered and continued.
type query struct {
	list, columns, from, key string
	// named says that the key is a text, not a number.
	named      bool
	conditions []string
	arguments  []any
}

// where adds a condition unless the value is empty.
func (q *query) where(condition, value string) {
	if value != "" {
		q.conditions = append(q.conditions, condition)
		q.arguments = append(q.arguments, value)
	}
}

// sql writes the query for a window.
func (q *query) sql(c cursor, begun bool) (string, []any) {
	conditions, arguments := append([]string{}, q.conditions...), append([]any{}, q.arguments...)
	compare, order := " > ?", " ASC"
	if c.Newest {
		compare, order = " < ?", " DESC"
	}
	if begun {
		conditions = append(conditions, q.key+compare)
		if q.named {
			arguments = append(arguments, c.Name)
		} else {
			arguments = append(arguments, c.Number)
		}
	}
	filter := ""
	if len(conditions) > 0 {
		filter = " WHERE " + strings.Join(conditions, " AND ")
	}
	return "SELECT " + q.key + ", " + q.columns + " FROM " + q.from + filter + " ORDER BY " + q.key + order, arguments
}

// read reads one part of a list. item scans a row whose first column, the key, goes into key.
func read[T any](ctx context.Context, m *Model, window Window, q query, item func(scan func(...any) error, key any) (T, error)) (List[T], error) {
	limit, err := window.limit()
	if err != nil {
		return List[T]{}, err
	}
	c, begun, err := parseCursor(window.After, q.list, window.Newest)
	if err != nil {
		return List[T]{}, err
	}
	statement, arguments := q.sql(c, begun)
	list := List[T]{Items: []T{}}
	err = m.view(ctx, func(s *session) error {
		return s.each(ctx, statement, arguments, func(scan func(...any) error) error {
			if len(list.Items) == limit {
				list.Next = c.String()
				return errEnough
			}
			var key any = &c.Number
			if q.named {
				key = &c.Name
			}
			next, err := item(scan, key)
			list.Items = append(list.Items, next)
			return err
		})
	})
	return list, err
}

// one reads the only item of a list, or refuses.
func one[T any](list List[T], err error, format string, arguments ...any) (T, error) {
	var none T
	if err != nil || len(list.Items) == 0 {
		return none, orMissing(err, format, arguments...)
	}
	return list.Items[0], nil
}

// Every reads all parts of a list.
func Every[T any](part func(Window) (List[T], error)) ([]T, error) {
	var all []T
	for window := (Window{Limit: limitMax}); ; {
		list, err := part(window)
		all = append(all, list.Items...)
		if window.After = list.Next; err != nil || list.Next == "" {
			return all, err
		}
	}
}
