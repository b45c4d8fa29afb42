package portal

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/portal/words"
)

// counted is a page that counts how often it was loaded.
func counted(p *portal, loads *int) load {
	return func(r *http.Request) (views.Page, string, error) { *loads++; return p.campaign(r) }
}

// asksOnce asks a portal for the page of the town's campaign by a counted load.
func (w *town) asksOnce(p *portal, load load, tag, query string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/campaigns/"+string(speech)+query, nil)
	r = r.WithContext(context.WithValue(r.Context(), inLanguage{}, tag))
	r.SetPathValue("account", string(speech))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer := httptest.NewRecorder()
	p.everybodys(answer, r, load)
	return answer
}

// TestEverybodysPage: a campaign's page is written once for a language and a
// block, is not sent again to who has it, and holds nothing of who is logged in.
func TestEverybodysPage(t *testing.T) {
	w := newTown(t)
	p, _ := w.handler.(*portal)
	loads := 0
	load := counted(p, &loads)
	en := w.asksOnce(p, load, "en", "")
	tag := en.Header().Get("ETag")
	for _, step := range []struct {
		what, tag, query, known string
		code, loads             int
	}{
		{"the same again", "en", "", "", 200, 1}, {"who has it", "en", "", tag, 304, 1}, {"another language", "zh-CN", "", tag, 200, 2},
		{"both again", "zh-CN", "", "", 200, 2}, {"an address with more in it", "en", "?x=1", "", 200, 3}, {"and again", "en", "?x=1", "", 200, 4},
	} {
		got := w.asksOnce(p, load, step.tag, step.query, "If-None-Match", step.known)
		if got.Code != step.code || loads != step.loads || got.Header().Get("Vary") != "Cookie" || got.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %d after %d loads, %v", step.what, got.Code, loads, got.Header())
		}
	}
	maker, public := w.logsIn("maker"), &visitor{town: w}
	path := "/en/campaigns/" + string(speech)
	for range 2 {
		maker.request(http.MethodGet, path, nil)
		maker.reads("/acts/close-campaign", "maker")
		if public.request(http.MethodGet, path, nil); strings.Contains(public.body, "/acts/") || strings.Contains(public.body, "form-token") || public.body != en.Body.String() {
			t.Error("somebody's page is shown to everybody")
		}
	}
	w.charity("Tape:Receive", tape.Receive{Account: speech, ID: "page-9", Count: 1, Total: yuan(700), Gifts: []tape.Gift{{ID: "late-1", Amount: yuan(700)}}})
	w.follow()
	if got := w.asksOnce(p, load, "en", "", "If-None-Match", tag); got.Code != 200 || loads != 5 || !strings.Contains(got.Body.String(), "late-1") {
		t.Errorf("after a block: %d after %d loads", got.Code, loads)
	}
	today := p.Today
	p.Today = func() tape.Date { return "2027-12-31" }
	if w.asksOnce(p, load, "en", ""); loads != 6 {
		t.Errorf("on another day: %d loads", loads)
	}
	p.Today = today
}

// TestManyAskAtOnce: one of them writes the page for all.
func TestManyAskAtOnce(t *testing.T) {
	w := newTown(t)
	p, _ := w.handler.(*portal)
	loads, begun := 0, make(chan struct{})
	load := func(r *http.Request) (views.Page, string, error) {
		loads++
		<-begun
		return p.campaign(r)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got := w.asksOnce(p, load, "en", ""); got.Code != 200 {
				t.Errorf("%d", got.Code)
			}
		})
	}
	time.Sleep(50 * time.Millisecond) // whoever comes later finds it written, which is as good
	close(begun)
	if all.Wait(); loads != 1 {
		t.Errorf("%d wrote it", loads)
	}
}

// TestPagesAreBounded: what was asked for longest ago goes first.
func TestPagesAreBounded(t *testing.T) {
	c := pressed{pages: map[view]rendered{}, asked: map[view]time.Time{}}
	at := time.Unix(1_000_000, 0)
	for i := range renderedMost + 3 {
		v := view{"en", fmt.Sprintf("/campaigns/%d", i)}
		c.get(v, at.Add(time.Duration(i)*time.Second), false)
		c.keep(v, rendered{})
		c.get(view{"en", "/campaigns/0"}, at.Add(time.Duration(i)*time.Second), false)
	}
	for path, want := range map[string]bool{"0": true, "1": false, "2": false, "3": false, "4": true} {
		if _, found := c.pages[view{"en", "/campaigns/" + path}]; found != want {
			t.Errorf("page %s is kept: %v", path, found)
		}
	}
	if len(c.pages) != renderedMost || len(c.asked) != renderedMost {
		t.Errorf("%d pages, %d times", len(c.pages), len(c.asked))
	}
	if now := at.Add(lookedAtFor + 30*time.Second); len(c.lookedAt(now)) != renderedMost+3-30+1 { // the first was asked for to the end
		t.Errorf("%d are looked at", len(c.lookedAt(now)))
	}
}

// TestKeepWarm: pages of own campaigns are there before anybody asks, and again
// after a block, as long as somebody looks at them.
func TestKeepWarm(t *testing.T) {
	w := newTown(t)
	p, _ := w.handler.(*portal)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { KeepWarm(ctx, p); close(ended) }()
	warm := func() int {
		position, err := w.model.Position(ctx)
		made(w.ledger, position, err)
		p.pressed.mutex.Lock()
		defer p.pressed.mutex.Unlock()
		count := 0
		for _, page := range p.pressed.pages {
			if page.position == position {
				count++
			}
		}
		return count
	}
	await := func(what string, want int) {
		for range 200 {
			if warm() == want {
				return
			}
			time.Sleep(25 * time.Millisecond)
		}
		t.Errorf("%s: %d pages are warm, not %d", what, warm(), want)
	}
	await("at the start", len(words.Tags))
	block := func(id string) {
		w.charity("Tape:Receive", tape.Receive{Account: speech, ID: tape.ID("page-" + id), Count: 1, Total: yuan(700), Gifts: []tape.Gift{{ID: tape.ID("late-" + id), Amount: yuan(700)}}})
		w.follow()
	}
	block("8")
	await("after a block", len(words.Tags))
	w.network.Advance(lookedAtFor + time.Minute)
	(&visitor{town: w}).request(http.MethodGet, "/zh-CN/campaigns/"+string(speech), nil)
	block("9")
	await("when one is looked at", 1)
	cancel()
	<-ended
}
