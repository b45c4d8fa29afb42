package portal

import (
	"bytes"
	"fmt"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/lianbao/lianbao/gateway/acts"
)

// inventedNames is how many people are typed into forms; they do not exist.
const inventedNames = 1000

// sentForm is a form of a page: where it goes, how, and what it begins with.
type sentForm struct {
	method, action string
	multipart      bool
	values         url.Values
	// texts are the fields into which people type or choose, files those that take one.
	texts, files []string
}

// formsOf are the forms of a page.
func formsOf(t *testing.T, page string) (all []sentForm) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for node := range root.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		if node.Data == "form" {
			of := attributes(node)
			all = append(all, sentForm{method: strings.ToUpper(of["method"]), action: of["action"], multipart: of["enctype"] != "", values: url.Values{}})
		}
		if len(all) > 0 && within(node, "form") {
			all[len(all)-1].takes(node)
		}
	}
	return all
}

func within(node *html.Node, name string) bool {
	for parent := range node.Ancestors() {
		if parent.Data == name {
			return true
		}
	}
	return false
}

func attributes(node *html.Node) map[string]string {
	all := map[string]string{}
	for _, a := range node.Attr {
		all[a.Key] = a.Val
	}
	return all
}

// takes adds one field as a browser would send it.
func (f *sentForm) takes(node *html.Node) {
	of := attributes(node)
	name, value := of["name"], of["value"]
	if name == "" || node.Data == "button" {
		return
	}
	switch {
	case of["type"] == "file":
		f.files = append(f.files, name)
		return
	case node.Data == "select":
		value = ""
		for option := range node.Descendants() {
			if option.Data == "option" && value == "" {
				value = attributes(option)["value"]
			}
		}
	case node.Data == "textarea" && node.FirstChild != nil:
		value = node.FirstChild.Data
	case node.Data != "input" && node.Data != "textarea":
		return
	}
	f.values.Add(name, value)
	if name != "form-token" && !slices.Contains(f.texts, name) {
		f.texts = append(f.texts, name)
	}
}

// namer gives one name after the other, and looks for them.
type namer struct {
	*testing.T
	given int
}

func (n *namer) next() string {
	i := n.given % inventedNames
	n.given++
	return fmt.Sprintf("欧阳虚构%s Nobodyname-%04d-Fictitia", string(rune('一'+i*7)), i)
}

// none refuses a text that holds any of the names, as they are or as addresses spell them.
func (n *namer) none(where, text string) {
	n.Helper()
	for _, mark := range []string{"Nobodyname", "nobodyname", "Fictitia", "欧阳虚构", url.QueryEscape("欧阳虚构"), `\u6b27\u9633`} {
		if at := strings.Index(text, mark); at >= 0 {
			n.Errorf("%s holds %q: …%.200q…", where, mark, text[max(0, at-100):])
			return
		}
	}
}

// sendsForm sends a form whose named fields hold names, and whose files hold one.
func (v *visitor) sendsForm(n *namer, f sentForm, named ...string) {
	v.Helper()
	values := url.Values{}
	for name, all := range f.values {
		values[name] = slices.Clone(all)
	}
	for _, name := range named {
		for i := range values[name] {
			values[name][i] = n.next()
		}
	}
	switch {
	case f.method != http.MethodPost:
		v.request(http.MethodGet, f.action+"?"+values.Encode(), nil)
		return
	case !f.multipart:
		v.request(http.MethodPost, f.action, values)
	default:
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		for name, all := range values {
			for _, value := range all {
				_ = form.WriteField(name, value)
			}
		}
		for _, name := range f.files {
			part, err := form.CreateFormFile(name, n.next()+".txt")
			made(v.ledger, part, err)
			_, _ = fmt.Fprintf(part, "%s,%s\n%s\n", n.next(), n.next(), n.next())
		}
		if err := form.Close(); err != nil {
			v.Fatal(err)
		}
		v.sends(http.MethodPost, f.action, &body, form.FormDataContentType())
	}
	if v.code >= http.StatusInternalServerError {
		v.Errorf("%s with names in %v answers %d", f.action, named, v.code)
	}
	v.refusesUnnamed(n, fmt.Sprintf("the refusal of %s with names in %v", f.action, named))
}

// refusesUnnamed: no refusal on a page, above a form or in a form's place, repeats a name.
func (v *visitor) refusesUnnamed(n *namer, where string) {
	v.Helper()
	for _, mark := range []string{`lang="en"><code>`, `<p class="soft" lang="en">`} {
		for _, part := range strings.Split(v.body, mark)[1:] {
			said, _, _ := strings.Cut(part, "</p>")
			said, _, _ = strings.Cut(said, "</span>")
			n.none(where, said)
		}
	}
}

// TestNamesThroughEveryForm types a thousand invented names into every field of
// every form, all at once and each alone beside what the form begins with, and into addresses.
// Nothing is signed, and nothing of them is on the ledger, in its read model, in
// the log, in a refusal, or on a page that others read.
func TestNamesThroughEveryForm(t *testing.T) {
	w, n := newTown(t), &namer{T: t}
	on := "/en/campaigns/" + string(speech)
	pages := []string{"/en/", "/en/search", "/en/accounts", "/en/entries", "/en/statements", "/en/work", "/en/me", "/en/drafts", "/en/login", "/en/persons", "/en/receipts", "/en/give/" + string(speech),
		on, on + "/gifts", on + "/payouts", on + "/bank", on + "/books", on + "/processor", on + "/propose", on + "/receipt?gift=GIFT-1&page=page-1", on + "/disbursements",
		"/en/payees/" + string(speech) + "/" + string(family), "/en/payees/" + string(speech) + "/" + string(family) + "/personal", "/en/gifts/GIFT-1?account=" + string(speech) + "&page=page-1", "/en/organisations/charity"}
	for _, act := range acts.Of(acts.Campaign) {
		if act.Apart {
			pages = append(pages, "/en/acts/"+act.Name)
		} else {
			pages = append(pages, on+"/acts/"+act.Name)
		}
	}
	forms := map[string]bool{}
	for _, v := range []*visitor{w.logsIn("maker"), w.logsIn("checker"), {town: w}} {
		for _, page := range pages {
			v.request(http.MethodGet, page, nil)
			for _, f := range formsOf(t, v.body) {
				if strings.HasSuffix(f.action, "/logout") {
					continue
				}
				forms[f.action] = true
				v.sendsForm(n, f, f.texts...)
				if v.cookie == nil {
					continue // who is not logged in sends the same fields again
				}
				for _, name := range f.texts {
					v.sendsForm(n, f, name)
				}
			}
		}
	}
	w.processors.Wait()
	// Addresses are typed, too.
	for _, path := range []string{"/en/blocks/%s", on + "/publications/%s", "/en/disbursements?state=%s", on + "/disbursements?state=%s", "/en/gifts/%s", "/en/accounts/%s", "/en/campaigns/%s", "/en/entries/charity/%s", "/en/transactions/%s", "/en/documents/%s", "/zh-CN/search?q=%s", "/en/entries?kind=%s", on + "/gifts?page=%s", on + "/payouts?state=%s", "/en/accounts?after=%s"} {
		v := &visitor{town: w}
		v.request(http.MethodGet, fmt.Sprintf(path, url.PathEscape(n.next())), nil)
		v.refusesUnnamed(n, "the refusal of "+path)
	}
	if len(forms) < 30 || n.given < inventedNames {
		t.Errorf("only %d forms were found, and %d names sent: %v", len(forms), n.given, forms)
	}
	t.Logf("%d names were sent to %d forms and to addresses; %d commands were carried", n.given, len(forms), len(w.carried))
	w.nowhere("Nobodyname", "欧阳虚构", "Fictitia")
	n.none("the log", w.log.String())
	w.shownNowhere(n, pages)
}

// shownNowhere looks through the read model's files, the drafts' and proposals' folders, and what a stranger reads.
func (w *town) shownNowhere(n *namer, pages []string) {
	w.Helper()
	stranger := &visitor{town: w}
	for _, page := range pages {
		stranger.request(http.MethodGet, page, nil)
		n.none("a stranger's "+page, stranger.body)
	}
	var searched int
	err := filepath.WalkDir(filepath.Dir(w.TempDir()), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		searched++
		n.none(path, string(text))
		return err
	})
	if err != nil || searched < 5 {
		w.Errorf("%d files were searched: %v", searched, err)
	}
}
