package pace

import (
	"fmt"
	"net/http"
	"net/netip"
	"testing"
	"time"
)

func TestTake(t *testing.T) {
	now := time.Unix(1000, 0)
	p := New(2, 10*time.Second, func() time.Time { return now })
	for i, c := range []struct {
		name  string
		after time.Duration
		wait  time.Duration
	}{
		{"a", 0, 0}, {"a", 0, 0}, {"a", 0, 10 * time.Second}, {"b", 0, 0},
		{"a", 4 * time.Second, 6 * time.Second}, {"a", 6 * time.Second, 0}, {"a", 0, 10 * time.Second},
		{"a", time.Hour, 0}, {"a", 0, 0}, {"a", 0, 10 * time.Second},
	} {
		now = now.Add(c.after)
		if wait := p.Take(c.name); wait != c.wait {
			t.Errorf("%d: %s waits %s, want %s", i, c.name, wait, c.wait)
		}
	}
}

// TestFlood: who is known keeps its own bucket while strangers share one.
func TestFlood(t *testing.T) {
	now := time.Unix(1000, 0)
	p := New(2, time.Minute, func() time.Time { return now })
	p.Take("known")
	for i := range namesMax {
		p.Take(fmt.Sprint(i))
	}
	if len(p.full) > namesMax+1 {
		t.Errorf("%d names are kept", len(p.full))
	}
	p.Take("stranger 1")
	if p.Take("stranger 2") == 0 {
		t.Error("strangers have a bucket each")
	}
	if p.Take("known") != 0 {
		t.Error("who was known before the flood is turned away")
	}
	now = now.Add(time.Hour)
	if p.Take("stranger 3") != 0 || len(p.full) != 1 {
		t.Errorf("after the flood %d names are kept", len(p.full))
	}
}

func TestAddress(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:80": "192.0.2.1", "[2001:db8::1]:80": "2001:db8::/64", "[2001:db8::ffff]:1": "2001:db8::/64",
		"[::ffff:192.0.2.1]:80": "192.0.2.1", "[fe80::1%eth0]:80": "fe80::/64", "@": "@",
	} {
		if got := Address(&http.Request{RemoteAddr: remote}); got != want {
			t.Errorf("%s: %s, want %s", remote, got, want)
		}
	}
}

// TestBehind: the client is the last hop that no trusted proxy is; a client
// cannot choose another place by what it writes itself.
func TestBehind(t *testing.T) {
	address := Behind([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8")})
	for _, c := range []struct {
		remote    string
		forwarded []string
		want      string
	}{
		{"192.0.2.1:80", nil, "192.0.2.1"},
		{"192.0.2.1:80", []string{"198.51.100.9"}, "192.0.2.1"},
		{"127.0.0.1:80", nil, "127.0.0.1"},
		{"127.0.0.1:80", []string{"198.51.100.9"}, "198.51.100.9"},
		{"127.0.0.1:80", []string{"203.0.113.5, 198.51.100.9"}, "198.51.100.9"},
		{"127.0.0.1:80", []string{"203.0.113.5", "198.51.100.9, 10.1.2.3"}, "198.51.100.9"},
		{"127.0.0.1:80", []string{"198.51.100.9,10.2.2.3"}, "10.2.2.3"},
		{"127.0.0.1:80", []string{"10.1.0.1"}, "10.1.0.1"},
		{"127.0.0.1:80", []string{"203.0.113.5, unknown, 10.1.0.1"}, "10.1.0.1"},
		{"127.0.0.1:80", []string{"unknown"}, "127.0.0.1"},
		{"[fd00::1]:80", []string{"2001:db8::7"}, "2001:db8::/64"},
		{"[::ffff:127.0.0.1]:80", []string{"[2001:db8::7]:4711"}, "2001:db8::/64"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{"X-Forwarded-For": c.forwarded}}
		if got := address(r); got != c.want {
			t.Errorf("%s for %q: %s, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
}
