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
	templates map[string]map[string]*template.Template
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
	s := &Set{languages: languages, templates: map[string]map[string]*template.Template{}, assets: map[string]asset{}}
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
var shared = []string{"templates/frame.html", "templates/parts.html", "templates/pictures.html", "templates/fund.html"}

func (s *Set) read(language *words.Language) (map[string]*template.Template, error) {
	base, err := template.New("frame.html").Funcs(s.functions(language)).ParseFS(files, shared...)
	if err != nil {
		return nil, err
	}
	found, err := fs.Glob(files, "templates/page-*.html")
	if err != nil {
		return nil, err
	}
	all := map[string]*template.Template{}
	for _, name := range found {
		page, err := base.Clone()
		if err != nil {
			return nil, err
		}
		if page, err = page.ParseFS(files, name); err != nil {
			return nil, err
		}
		all[strings.TrimSuffix(strings.TrimPrefix(name, "templates/page-"), ".html")] = page
	}
	return all, nil
}

// Names lists the pages that there are.
func (s *Set) Names() []string {
	var names []string
	for name := range s.templates[words.Tags[0]] {
		names = append(names, name)
	}
	return names
}

// shown is what a template gets.
type shown struct {
	Frame
	Page views.Page
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
	found := s.templates[frame.Language][page.Name()]
	if found == nil {
		return nil, fmt.Errorf("there is no page %q in language %q", page.Name(), frame.Language)
	}
	var out bytes.Buffer
	if err := found.Execute(&out, shown{Frame: frame, Page: page}); err != nil {
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
