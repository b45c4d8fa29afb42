package outbox

import "context"

// Errand is something that the gateway has begun or was asked for, and has to
// finish: it stands here until it is done, over every restart.
type Errand struct {
	// Kind says whose it is, Name which; a name has one errand of a kind.
	Kind, Name string
	Text       string
	// At is when it was noted, in milliseconds since 1970.
	At int64
}

// SetErrand notes an errand, in place of the one that had its name.
func (o *Outbox) SetErrand(ctx context.Context, e Errand) error {
	return o.write(ctx, func(s *session) error {
		_, err := s.exec("INSERT INTO errand (kind, name, text, at) VALUES (?, ?, ?, ?) ON CONFLICT (kind, name) DO UPDATE SET text = excluded.text",
			e.Kind, e.Name, e.Text, o.now())
		return err
	})
}

// EndErrand takes an errand out; one that is not there is none the less done.
func (o *Outbox) EndErrand(ctx context.Context, kind, name string) error {
	return o.write(ctx, func(s *session) error {
		_, err := s.exec("DELETE FROM errand WHERE kind = ? AND name = ?", kind, name)
		return err
	})
}

// Errands are the open ones of a kind, the oldest first.
func (o *Outbox) Errands(ctx context.Context, kind string) (list []Errand, err error) {
	err = o.each(ctx, "SELECT kind, name, text, at FROM errand WHERE kind = ? ORDER BY at, name", []any{kind}, func(r row) error {
		var e Errand
		err := r.Scan(&e.Kind, &e.Name, &e.Text, &e.At)
		list = append(list, e)
		return err
	})
	return list, err
}
