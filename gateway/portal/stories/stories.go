// Package stories shows every page of the portal with invented data, in every
// state that is hard to bring about on a real ledger. Everybody in it is invented.
package stories

import (
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/portal/pages"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/portal/words"
)

// Story is a page with invented data.
type Story struct {
	// Name stands in the address, About says what is to be seen.
	Name, About string
	Page        views.Page
}

// All lists the stories.
func All() []Story {
	var all []Story
	for _, part := range [][]Story{homes(), campaigns(), gifts(), payouts(), ledger(), books(), others(), trails(), giverPages(), banks(), cooperatives(), bookkeepers()} {
		all = append(all, part...)
	}
	return all
}

// Handler serves the stories, and a stream of invented entries for the live note.
type Handler struct {
	set     *pages.Set
	stories map[string]Story
	// Every is the time between two invented entries.
	Every time.Duration
}

// New reads the pages.
func New() (*Handler, error) {
	set, err := pages.New()
	if err != nil {
		return nil, err
	}
	h := &Handler{set: set, stories: map[string]Story{}, Every: 5 * time.Second}
	for _, story := range All() {
		h.stories[story.Name] = story
	}
	return h, nil
}

// Path is the address of a story.
func (s Story) Path(language string) string { return "/" + language + "/stories/" + s.Name }

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	pages.Guard(w.Header())
	parts := strings.SplitN(strings.TrimPrefix(r.URL.Path, "/"), "/", 3)
	switch {
	case parts[0] == "assets" && h.set.ServeAsset(w, r):
	case r.URL.Path == "/api/v1/events":
		h.events(w, r)
	case strings.HasSuffix(r.URL.Path, "/receipts/paper.css"):
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = io.WriteString(w, donation.SectionStyle()) // whoever left does not read it
	case len(parts) == 3 && parts[1] == "stories":
		h.story(w, parts[0], parts[2])
	case r.URL.Path == "/" || len(parts) == 2 && parts[1] == "":
		h.index(w)
	default:
		// Links of a story lead to pages that only a gateway has.
		http.Error(w, "The storybook has no page here; the gateway has one.", http.StatusNotFound)
	}
}

func (h *Handler) story(w http.ResponseWriter, language, name string) {
	story, found := h.stories[name]
	if !found {
		http.Error(w, "There is no such story.", http.StatusNotFound)
		return
	}
	frame := pages.Frame{Language: language, Path: "/stories/" + name, Organisation: "charity", Events: "/api/v1/events"}
	body, err := h.set.Render(frame, story.Page)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(body) // whoever left does not read it
}

var indexPage = template.Must(template.New("index").Parse(`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Storybook</title><link rel="stylesheet" href="/assets/portal.css"><main class="page"><h1>Every page, with invented data</h1>
<ul>{{range .Stories}}{{$story := .}}<li>{{.About}}: {{range $.Tags}}<a href="{{$story.Path .}}">{{.}}</a> {{end}}</li>{{end}}</ul></main></html>`))

func (h *Handler) index(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = indexPage.Execute(w, map[string]any{"Stories": All(), "Tags": words.Tags}) // whoever left does not read it
}

// events sends an invented entry now and then, as the API's stream does.
func (h *Handler) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	control := http.NewResponseController(w)
	tick := time.NewTicker(h.Every)
	defer tick.Stop()
	for n := 0; ; n++ {
		_, err := fmt.Fprintf(w, "id: 9.%d\nevent: receive\ndata: {\"subject\":%q}\n\n", n, training)
		if err != nil || control.Flush() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}
