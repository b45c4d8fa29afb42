package stories

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/lianbao/lianbao/gateway/portal/pages"
	"github.com/lianbao/lianbao/gateway/portal/words"
)

func rendered(t *testing.T, h *Handler, language string, s Story) string {
	t.Helper()
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest("GET", s.Path(language), nil))
	if answer.Code != 200 {
		t.Fatalf("%s in %s: %d %s", s.Name, language, answer.Code, answer.Body)
	}
	return answer.Body.String()
}

// TestEveryStory: each page in each language is whole HTML with one heading,
// one title, a language, a switch that keeps the place, and no script or style inside it.
func TestEveryStory(t *testing.T) {
	h, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for _, language := range words.Tags {
		for _, story := range All() {
			t.Run(language+"/"+story.Name, func(t *testing.T) { judge(t, language, story, rendered(t, h, language, story)) })
		}
	}
}

func judge(t *testing.T, language string, story Story, text string) {
	unclosed(t, text)
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	other := pages.Frame{Language: language}.Other()
	found, ids := map[string]int{}, map[string]bool{}
	for node := range root.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		found[node.Data]++
		for _, a := range node.Attr {
			switch {
			case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
				t.Errorf("<%s> has an attribute %s, which the policy would refuse", node.Data, a.Key)
			case a.Key == "id" && ids[a.Val]:
				t.Errorf("two elements are called %s", a.Val)
			case a.Key == "id":
				ids[a.Val] = true
			case a.Key == "href" && strings.HasPrefix(a.Val, "/"+language+"/"):
				found["inside"]++
			case a.Key == "href" && a.Val == story.Path(other):
				found["switch"]++
			case a.Key == "href" && strings.Contains(a.Val, "ZgotmplZ"), a.Val == "ZgotmplZ":
				t.Errorf("a link was refused by the template: %s", a.Val)
			case a.Key == "lang" && node.Data == "html" && a.Val != language:
				t.Errorf("the page says that it is in %s", a.Val)
			}
		}
		if node.Data == "script" && node.FirstChild != nil || node.Data == "style" && node.Parent.Data != "svg" {
			t.Errorf("a script or style stands inside the page")
		}
	}
	if found["h1"] != 1 || found["title"] < 1 || found["main"] != 1 || found["switch"] != 2 || found["inside"] == 0 {
		t.Errorf("headings, titles, mains, switches, links: %v", found)
	}
	if strings.Contains(text, "<no value>") || strings.Contains(text, "%!") {
		t.Error("a placeholder has no value")
	}
}

// unclosed refuses elements that are closed in another order than they were opened.
func unclosed(t *testing.T, text string) {
	t.Helper()
	void := []string{"meta", "link", "input", "br", "hr", "img"}
	var open []string
	tokens := html.NewTokenizer(strings.NewReader(text))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("%v are never closed", open)
			}
			return
		case html.StartTagToken:
			if name, _ := tokens.TagName(); !slices.Contains(void, string(name)) {
				open = append(open, string(name))
			}
		case html.EndTagToken:
			name, _ := tokens.TagName()
			if len(open) == 0 || open[len(open)-1] != string(name) {
				t.Errorf("</%s> closes %v", name, open)
				return
			}
			open = open[:len(open)-1]
		}
	}
}

// TestEveryPageHasAStory: a page without a story would never be looked at.
func TestEveryPageHasAStory(t *testing.T) {
	set, err := pages.New()
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, story := range All() {
		told[story.Page.Name()] = true
	}
	for _, name := range set.Names() {
		if !told[name] {
			t.Errorf("page %s has no story", name)
		}
	}
}

// TestLanguagesDiffer: a story that is word for word the same in both languages was not translated.
func TestLanguagesDiffer(t *testing.T) {
	h, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for _, story := range All() {
		if rendered(t, h, "en", story) == strings.ReplaceAll(rendered(t, h, "zh-CN", story), "zh-CN", "en") {
			t.Errorf("%s is the same in both languages", story.Name)
		}
	}
}
