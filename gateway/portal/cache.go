package portal

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/portal/words"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// The page of a campaign is the one that thousands look at on the same day. As
// everybody sees it, it is written once for each language and block; who is
// logged in gets a page of its own, of which nothing is kept.

const (
	// renderedMost pages are kept, some 100 KB each; the one that was asked for
	// longest ago goes first.
	renderedMost = 64
	// A page that nobody asked for in this time is not made anew for each block.
	lookedAtFor = 10 * time.Minute
	// After a round of making pages anew, so many times its length belongs to others.
	warmRest = 4
	// warmedAtStart campaigns of the own organisation are made when the gateway starts.
	warmedAtStart = 8
	renderWait    = 30 * time.Second
)

// view names a page as everybody sees it: a language and its address behind it.
type view struct{ language, path string }

// standing is what a page depends on beside its address.
type standing struct {
	position readmodel.Position
	day      tape.Date
}

type rendered struct {
	standing
	body []byte
	tag  string
}

// pressed keeps pages as they were written.
type pressed struct {
	making singleflight.Group
	mutex  sync.Mutex
	pages  map[view]rendered
	asked  map[view]time.Time
}

// get notes that somebody asked, unless it is the gateway that keeps pages warm.
func (c *pressed) get(v view, now time.Time, warming bool) (rendered, bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if !warming {
		c.asked[v] = now
	}
	page, found := c.pages[v]
	return page, found
}

func (c *pressed) keep(v view, page rendered) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.pages[v] = page
	for len(c.pages) > renderedMost {
		oldest := slices.MinFunc(slices.Collect(maps.Keys(c.pages)), func(a, b view) int {
			return cmp.Or(c.asked[a].Compare(c.asked[b]), strings.Compare(a.path+a.language, b.path+b.language))
		})
		delete(c.pages, oldest)
		delete(c.asked, oldest)
	}
}

func (c *pressed) drop(v view) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	delete(c.pages, v)
	delete(c.asked, v)
}

// lookedAt are the pages that somebody asked for of late.
func (c *pressed) lookedAt(now time.Time) []view {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	var all []view
	for v := range c.pages {
		if now.Sub(c.asked[v]) <= lookedAtFor {
			all = append(all, v)
		}
	}
	return all
}

// everybodys answers a page that is the same for all who are not logged in.
func (p *portal) everybodys(w http.ResponseWriter, r *http.Request, load load) {
	// Whose page it is, the cookie says: what lies between keeps them apart.
	w.Header().Set("Vary", "Cookie")
	if r.URL.RawQuery != "" || p.session(r).LoggedIn() {
		p.answer(w, r, load)
		return
	}
	v := view{languageOf(r), r.URL.Path}
	page, err := p.press(r, v, load)
	if err != nil {
		p.pressed.drop(v)
		p.refuse(w, r, err)
		return
	}
	w.Header().Set("ETag", page.tag)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", v.language)
	// It answers If-None-Match, HEAD and ranges.
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(page.body))
}

// warming marks a request by which the gateway itself keeps a page warm.
type warming struct{}

// press returns a page as it stands at the last block, written once however
// many ask for it at the same time.
func (p *portal) press(r *http.Request, v view, load load) (rendered, error) {
	position, err := p.Model.Position(r.Context())
	if err != nil {
		return rendered{}, err
	}
	now := standing{position, p.Today()}
	if page, found := p.pressed.get(v, p.Now(), r.Context().Value(warming{}) != nil); found && page.standing == now {
		return page, nil
	}
	made, err, _ := p.pressed.making.Do(strings.Join([]string{v.language, v.path, position.Hash, string(now.day)}, "\x00"), func() (any, error) {
		// Those who wait for the page need it also when the first one has left.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), renderWait)
		defer cancel()
		page, err := p.write(r.WithContext(ctx), v, load)
		if err != nil {
			return page, err
		}
		page.standing = now
		// Several reads make one picture only when no block came between them.
		if after, err := p.Model.Position(ctx); err == nil && after == position {
			p.pressed.keep(v, page)
		}
		return page, nil
	})
	page, _ := made.(rendered) // nothing else is made here
	return page, err
}

// write writes a page anew.
func (p *portal) write(r *http.Request, v view, load load) (rendered, error) {
	page, to, err := load(r)
	if err != nil {
		return rendered{}, err
	}
	if page == nil {
		return rendered{}, errors.New("a page for everybody leads elsewhere, to " + to)
	}
	frame := p.frame(r, page)
	if frame.Person != "" { // nothing of a person is ever kept
		return rendered{}, rule.Refuse(rule.Forbidden, "this page is one person's")
	}
	body, err := p.set.Render(frame, page)
	digest := sha256.Sum256(body)
	return rendered{body: body, tag: `"` + hex.EncodeToString(digest[:16]) + `"`}, err
}

// KeepWarm writes the pages of campaigns that people look at anew when a block
// has come, so that the next reader need not wait, and at the start those of
// the own campaigns. It returns when the context ends.
func KeepWarm(ctx context.Context, pages http.Handler) {
	p, is := pages.(*portal)
	if !is || !p.warmOwn(ctx) {
		return
	}
	for ctx.Err() == nil {
		position, err := p.Model.Position(ctx)
		if err != nil {
			pause(ctx, time.Second)
			continue
		}
		begun := time.Now()
		for _, v := range p.pressed.lookedAt(p.Now()) {
			p.visit(context.WithValue(ctx, warming{}, true), v)
		}
		pause(ctx, warmRest*time.Since(begun))
		if p.Model.WaitFor(ctx, position.Next) != nil {
			return
		}
	}
}

// warmOwn waits until what the own peer holds has been read, and makes the
// pages of own campaigns; false when the context has ended.
func (p *portal) warmOwn(ctx context.Context) bool {
	height, err := p.Height(ctx)
	for ; err != nil && ctx.Err() == nil; height, err = p.Height(ctx) {
		pause(ctx, time.Second)
	}
	if ctx.Err() != nil || height > 0 && p.Model.WaitFor(ctx, height-1) != nil {
		return false
	}
	list, err := p.Model.Campaigns(ctx, readmodel.CampaignFilter{Organisation: p.Organisation}, readmodel.Window{Limit: warmedAtStart})
	if err != nil {
		p.Log.Warn("pages are not made before somebody asks", "error", err)
	}
	for _, campaign := range list.Items {
		for _, tag := range words.Tags {
			p.visit(ctx, view{tag, pathTo("campaigns", string(campaign.Account))})
		}
	}
	return ctx.Err() == nil
}

func pause(ctx context.Context, length time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
}

// visit asks for a page as anybody does.
func (p *portal) visit(ctx context.Context, v view) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/"+v.language+v.path, nil)
	if err != nil {
		p.Log.Warn("a page is not kept warm", "path", v.path, "error", err)
		return
	}
	p.ServeHTTP(unread{}, r)
}

// unread is a reader that only wants the page to be made.
type unread struct{}

// Header implements http.ResponseWriter.
func (unread) Header() http.Header { return http.Header{} }

// Write implements http.ResponseWriter.
func (unread) Write(text []byte) (int, error) { return len(text), nil }

// WriteHeader implements http.ResponseWriter.
func (unread) WriteHeader(int) {}
