// Package pages turns views into HTML: templates, one style sheet, one small
// script, in each language. It reads nothing and decides nothing.
package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/portal/words"
)

//go:embed templates/*.html assets
var files embed.FS

// Frame is what stands around a page.
type Frame struct {
	// Language is its tag, Path the address without it, Query with its question mark or empty.
	Language, Path, Query string
	Organisation          string
	// Staffed says that people log in here; Person is who has, Token goes into its forms.
	Staffed       bool
	Person, Token string
	// Events is where entries are streamed, empty where they are not.
	Events string
}

// Set is all pages in all languages, ready to be filled.
type Set struct {
	languages map[string]*words.Language
	// templates are all of a language in one set: a copy of what they share for
	// each page would take some thirty times the memory.
	templates map[string]*template.Template
	names     []string
	assets    map[string]asset
}

type asset struct {
	content   []byte
	kind, tag string
}

// New reads what is embedded. Its errors are those of this program, not of its user.
func New() (*Set, error) {
	languages, err := words.Languages()
	if err != nil {
		return nil, err
	}
	s := &Set{languages: languages, templates: map[string]*template.Template{}, assets: map[string]asset{}}
	if err := s.readAssets(); err != nil {
		return nil, err
	}
	for tag, language := range languages {
		if s.templates[tag], err = s.read(language); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// shared are the templates that every page can use.
var shared = []string{"templates/frame.html", "templates/parts.html", "templates/pictures.html", "templates/fund.html", "templates/loans.html"}

func (s *Set) read(language *words.Language) (*template.Template, error) {
	all, err := template.New("frame.html").Funcs(s.functions(language)).ParseFS(files, shared...)
	if err != nil {
		return nil, err
	}
	found, err := fs.Glob(files, "templates/page-*.html")
	if err != nil {
		return nil, err
	}
	s.names = nil
	for _, name := range found {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		page := strings.TrimSuffix(strings.TrimPrefix(name, "templates/page-"), ".html")
		if _, err := all.New(name).Parse(own(page, string(text))); err != nil {
			return nil, err
		}
		s.names = append(s.names, page)
	}
	return all, nil
}

// parts are what page files define under the same names; the subject, by which
// news are chosen, may be missing.
var parts = []string{"title", "main", "subject"}

// own gives the parts of a page file names of its own.
func own(page, text string) string {
	for _, part := range parts {
		text = strings.Replace(text, `{{define "`+part+`"}}`, `{{define "`+page+" "+part+`"}}`, 1)
	}
	return text
}

// Names lists the pages that there are.
func (s *Set) Names() []string { return s.names }

// shown is what a template gets.
type shown struct {
	Frame
	Page views.Page
	// Title and Main are the page itself, Subject is the account it is about.
	Title, Main, Subject template.HTML
}

// Other is the same place in the other language.
func (f Frame) Other() string {
	for _, tag := range words.Tags {
		if tag != f.Language {
			return tag
		}
	}
	return f.Language
}

// In is the same place in a language.
func (f Frame) In(language string) string {
	return (&url.URL{Path: "/" + language + f.Path}).EscapedPath() + f.Query
}

// Render fills a page. It is complete before anything is sent, so that a fault
// in a template can still become a page of its own.
func (s *Set) Render(frame Frame, page views.Page) ([]byte, error) {
	all := s.templates[frame.Language]
	if all == nil || all.Lookup(page.Name()+" main") == nil {
		return nil, fmt.Errorf("there is no page %q in language %q", page.Name(), frame.Language)
	}
	var inner [3]template.HTML
	for i, part := range parts {
		var out bytes.Buffer
		if all.Lookup(page.Name()+" "+part) == nil {
			continue
		}
		if err := all.ExecuteTemplate(&out, page.Name()+" "+part, page); err != nil {
			return nil, err
		}
		inner[i] = template.HTML(out.String()) // escaped by its own template
	}
	var out bytes.Buffer
	if err := all.ExecuteTemplate(&out, "frame.html", shown{Frame: frame, Page: page, Title: inner[0], Main: inner[1], Subject: inner[2]}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

var kinds = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

func (s *Set) readAssets() error {
	found, err := fs.Glob(files, "assets/*")
	if err != nil {
		return err
	}
	for _, name := range found {
		content, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		s.assets[path.Base(name)] = asset{content: content, kind: kinds[path.Ext(name)], tag: hex.EncodeToString(sum[:8])}
	}
	return nil
}

// assetPath names an asset together with its content, so that it can be kept for ever.
func (s *Set) assetPath(name string) (string, error) {
	a, found := s.assets[name]
	if !found {
		return "", fmt.Errorf("there is no asset %q", name)
	}
	return "/assets/" + name + "?v=" + a.tag, nil
}

// ServeAsset answers for /assets/; it reports whether there is such an asset.
func (s *Set) ServeAsset(w http.ResponseWriter, r *http.Request) bool {
	a, found := s.assets[strings.TrimPrefix(r.URL.Path, "/assets/")]
	if !found {
		return false
	}
	keep := "no-cache"
	if r.URL.Query().Get("v") == a.tag {
		keep = "public, max-age=31536000, immutable"
	}
	w.Header().Set("Cache-Control", keep)
	w.Header().Set("ETag", `"`+a.tag+`"`)
	w.Header().Set("Content-Type", a.kind)
	if r.Header.Get("If-None-Match") == `"`+a.tag+`"` {
		w.WriteHeader(http.StatusNotModified)
		return true
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.content) // whoever left does not read it
	}
	return true
}

// Guard sets the headers that every answer carries: nothing is loaded from
// elsewhere, nothing runs that is not a file of ours, and no page is framed.
func Guard(header http.Header) {
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
}
