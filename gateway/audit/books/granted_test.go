package books

import "testing"

func TestShared(t *testing.T) {
	const most = 1<<53 - 1
	for _, c := range []struct {
		name        string
		units       int64
		first, then int64 // paid
		want        string
	}{
		{"whole parts", 60, 100, 50, "training 40, travel 20"},
		{"the larger fraction", 1, 50, 100, "training 0, travel 1"},
		{"equal fractions", 1, 50, 50, "training 1, travel 0"},
		{"more than was paid", 200, 100, 50, "training 100, travel 50"},
		{"nothing was paid", 10, 0, 0, "nothing on any"},
		{"nothing comes", 0, 100, 50, "nothing on any"},
		{"less than nothing comes", -10, 100, 50, "nothing on any"},
		{"less than nothing was paid", most, most, 1 - most, "training 9007199254740991, travel 0"},
	} {
		if got := shared(c.units, onLines{{"training", c.first}, {"travel", c.then}}).String(); got != c.want {
			t.Errorf("%s: %s; want %s", c.name, got, c.want)
		}
	}
}
