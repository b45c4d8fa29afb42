// Package pace turns away who asks too often: a bucket of tokens for each
// name, which fills again by the clock.
package pace

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// namesMax bounds the memory. When so many ask at once, newcomers share one
// bucket: a flood from many addresses slows newcomers, and nobody known.
const namesMax = 50_000

// Pace counts what each name may still do.
type Pace struct {
	burst int
	every time.Duration
	clock func() time.Time

	mutex sync.Mutex
	full  map[string]time.Time // when the bucket of a name will be full again
}

// New allows burst at once, and one more each time every has passed.
func New(burst int, every time.Duration, clock func() time.Time) *Pace {
	if clock == nil {
		clock = time.Now
	}
	return &Pace{burst: burst, every: every, clock: clock, full: map[string]time.Time{}}
}

// Take takes a token. It returns 0, or how long to wait for the next one.
func (p *Pace) Take(name string) time.Duration {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	now := p.clock()
	full, known := p.full[name]
	if !known && len(p.full) >= namesMax {
		p.forget(now)
		if len(p.full) >= namesMax {
			name, full = "", p.full[""]
		}
	}
	if full.Before(now) {
		full = now
	}
	full = full.Add(p.every)
	if wait := full.Sub(now) - time.Duration(p.burst)*p.every; wait > 0 {
		return wait
	}
	p.full[name] = full
	return 0
}

// forget drops the buckets that are full again: they say nothing.
func (p *Pace) forget(now time.Time) {
	for name, full := range p.full {
		if !full.After(now) {
			delete(p.full, name)
		}
	}
}

// Address names where a request comes from: an IPv4 address, or the 64 bits of
// an IPv6 network, since one household has all the addresses in it. Behind a
// proxy that is the proxy's; Behind finds who is behind it.
func Address(r *http.Request) string { return place(hop(r.RemoteAddr), r.RemoteAddr) }

// Behind is Address behind proxies that the organisation runs itself: each of
// them notes in X-Forwarded-For whom it serves, the last one last. Of that list
// the last address that is no trusted proxy's is the client's; what stands before
// it the client may have made up.
func Behind(trusted []netip.Prefix) func(*http.Request) string {
	return func(r *http.Request) string {
		at, named := hop(r.RemoteAddr), r.RemoteAddr
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(hops) - 1; i >= 0 && contains(trusted, at); i-- {
			next := hop(strings.TrimSpace(hops[i]))
			if !next.IsValid() {
				break
			}
			at, named = next, next.String()
		}
		return place(at, named)
	}
}

func contains(trusted []netip.Prefix, address netip.Addr) bool {
	return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(address) })
}

// hop reads an address with or without a port; one that is none is not valid.
func hop(text string) netip.Addr {
	host, _, err := net.SplitHostPort(text)
	if err != nil {
		host = strings.Trim(text, "[]")
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return address.Unmap().WithZone("")
}

func place(address netip.Addr, named string) string {
	if !address.IsValid() {
		return named
	}
	if address.Is6() {
		if network, err := address.Prefix(64); err == nil {
			return network.String()
		}
	}
	return address.String()
}
