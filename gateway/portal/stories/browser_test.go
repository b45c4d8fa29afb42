//go:build unix

package stories

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/lianbao/lianbao/gateway/portal/words"
)

// browser starts a headless Chromium on the storybook. Where there is none the
// test is skipped and says so, unless LIANBAO_BROWSER=required.
func browser(t *testing.T) (ctx context.Context, address string) {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	switch {
	case path == "" && os.Getenv("LIANBAO_BROWSER") == "required":
		t.Fatal("LIANBAO_BROWSER=required, and there is no Chromium; run .ci/browser")
	case path == "":
		t.Skip("NOT CHECKED in a browser: there is no Chromium here; .ci/browser brings it")
	case testing.Short():
		t.Skip("NOT CHECKED in a browser: -short")
	}
	handler, err := New()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()))
	for _, flag := range []string{"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	var process *exec.Cmd
	options = append(options, chromedp.ModifyCmdFunc(func(command *exec.Cmd) {
		if process = command; command.SysProcAttr == nil {
			command.SysProcAttr = &syscall.SysProcAttr{}
		}
		command.SysProcAttr.Setpgid = true // a group of its own, so that it ends with all its helpers
	}))
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		if process != nil && process.Process != nil {
			_ = syscall.Kill(-process.Process.Pid, syscall.SIGKILL) // nothing of it is kept
		}
		end()
		stop()
	})
	if err := chromedp.Do(ctx); err != nil { // starts the browser
		t.Fatal(err)
	}
	return ctx, server.URL
}

// axe is the source of axe-core, from the file that LIANBAO_AXE names.
func axe(t *testing.T) string {
	t.Helper()
	path := os.Getenv("LIANBAO_AXE")
	if path == "" && os.Getenv("LIANBAO_BROWSER") != "required" {
		t.Skip("NOT CHECKED for accessibility: LIANBAO_AXE names no axe.min.js; .ci/browser brings it")
	}
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// look is one way of looking at a page.
type look struct {
	width  int64
	scheme string
}

var looks = []look{{360, "light"}, {1280, "light"}, {360, "dark"}, {1280, "dark"}}

func (l look) see() chromedp.Action[chromedp.Void] {
	return chromedp.Steps(chromedp.EmulateViewport(l.width, 900), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: l.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
		return err
	}))
}

// violation is what axe found.
type violation struct {
	ID     string `json:"id"`
	Impact string `json:"impact"`
	Help   string `json:"help"`
	Nodes  []struct {
		HTML string `json:"html"`
	} `json:"nodes"`
}

const openAll = `document.querySelectorAll("details").forEach(function (d) { d.open = true; }); 0`

const (
	judgeAll = `axe.run(document, {resultTypes: ["violations"]}).then(function (r) { return JSON.stringify(r.violations); })`
	// In the dark only colours can be different.
	judgeColours = `axe.run(document, {resultTypes: ["violations"], runOnly: ["color-contrast", "link-in-text-block"]}).then(function (r) { return JSON.stringify(r.violations); })`
)

// TestAccessible: on every story, narrow and wide, light and dark, with all
// drawers open, axe finds nothing serious, and a phone never scrolls sideways.
func TestAccessible(t *testing.T) {
	ctx, address := browser(t)
	source := axe(t)
	// Two tabs share the browser; each story waits for one of them.
	tabs := make(chan context.Context, 2)
	for range cap(tabs) {
		tab, end := chromedp.NewContext(ctx)
		t.Cleanup(end)
		// The first act opens the tab and lives as long as it: it has no time limit.
		if err := chromedp.Do(tab, chromedp.Navigate("about:blank")); err != nil {
			t.Fatal(err)
		}
		tabs <- tab
	}
	for _, language := range words.Tags {
		for _, story := range All() {
			t.Run(language+"/"+story.Name, func(t *testing.T) {
				t.Parallel()
				tab := <-tabs
				defer func() { tabs <- tab }()
				accessible(t, tab, address+story.Path(language), source)
			})
		}
	}
}

func accessible(t *testing.T, tab context.Context, page, source string) {
	tab, end := context.WithTimeout(tab, 2*time.Minute)
	defer end()
	if err := chromedp.Do(tab, looks[0].see(), chromedp.Navigate(page), chromedp.Evaluate[chromedp.Void](source), chromedp.Evaluate[chromedp.Void](openAll)); err != nil {
		t.Errorf("%s: %v", page, err)
		return
	}
	for _, l := range looks {
		judge := judgeAll
		if l.scheme == "dark" {
			judge = judgeColours
		}
		err := chromedp.Do(tab, l.see())
		width, err2 := chromedp.Run(tab, chromedp.Evaluate[int64]("document.documentElement.scrollWidth"))
		found, err3 := chromedp.Run(tab, chromedp.Evaluate[string](judge, chromedp.EvalAwaitPromise))
		if err := errors.Join(err, err2, err3); err != nil {
			t.Errorf("%s %v: %v", page, l, err)
			return
		}
		if width > l.width {
			t.Errorf("%s %v: the page is %d wide", page, l, width)
		}
		for _, v := range serious(t, found) {
			t.Errorf("%s %v: %s: %s", page, l, v.Impact, v)
		}
	}
}

func serious(t *testing.T, found string) []violation {
	t.Helper()
	var all, kept []violation
	if err := json.Unmarshal([]byte(found), &all); err != nil {
		t.Error(err)
	}
	for _, v := range all {
		if v.Impact == "serious" || v.Impact == "critical" {
			kept = append(kept, v)
		}
	}
	return kept
}

func (v violation) String() string {
	var where []string
	for _, node := range v.Nodes[:min(2, len(v.Nodes))] {
		where = append(where, fmt.Sprintf("%.200s", node.HTML))
	}
	return fmt.Sprintf("%s (%s), %d times, such as %s", v.ID, v.Help, len(v.Nodes), strings.Join(where, " | "))
}

// TestLiveNote: new entries announce themselves, and nothing that is being read moves.
func TestLiveNote(t *testing.T) {
	ctx, address := browser(t)
	ctx, end := context.WithTimeout(ctx, time.Minute)
	defer end()
	const place = `document.querySelector("h2").getBoundingClientRect().top`
	err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(address+"/en/stories/home"))
	before, err2 := chromedp.Run(ctx, chromedp.Evaluate[float64](place))
	err3 := chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS(".live a")))
	after, err4 := chromedp.Run(ctx, chromedp.Evaluate[float64](place))
	note, err5 := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(".live span")))
	if err := errors.Join(err, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	if before != after || note != "1 new entry has come." {
		t.Errorf("the heading stood at %f and stands at %f; the note says %q", before, after, note)
	}
}

// TestTargets: what is touched on a phone is 44 pixels high, but for links within a text or a row.
func TestTargets(t *testing.T) {
	ctx, address := browser(t)
	ctx, end := context.WithTimeout(ctx, time.Minute)
	defer end()
	const small = `Array.from(document.querySelectorAll("button, select, input, summary, .button, .top a, .sum")).filter(function (e) {
		var box = e.getBoundingClientRect(); return box.height > 0 && box.height < 43.5; }).map(function (e) { return e.outerHTML.slice(0, 120); })`
	for _, name := range []string{"home", "campaign", "gift", "entries", "work", "propose", "draft-own", "login", "me", "disbursement-acting", "publication"} {
		err := chromedp.Do(ctx, looks[0].see(), chromedp.Navigate(address+"/en/stories/"+name))
		found, err2 := chromedp.Run(ctx, chromedp.Evaluate[[]string](small))
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		for _, one := range found {
			t.Errorf("%s: too small to touch: %s", name, one)
		}
	}
}

// TestWithoutScript: the filters, the switch and the drawers work with scripts turned off.
func TestWithoutScript(t *testing.T) {
	ctx, address := browser(t)
	ctx, end := context.WithTimeout(ctx, time.Minute)
	defer end()
	err := chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}), chromedp.Navigate(address+"/en/stories/campaign"), chromedp.Click(chromedp.CSS(".proof summary")), chromedp.WaitVisible(chromedp.CSS(".proof pre")))
	proof, err2 := chromedp.Run(ctx, chromedp.TextContent(chromedp.CSS(".proof pre")))
	err3 := chromedp.Do(ctx, chromedp.Click(chromedp.CSS("a.language")), chromedp.WaitVisible(chromedp.CSS(`html[lang="zh-CN"] h1`)))
	place, err4 := chromedp.Run(ctx, chromedp.Location())
	if err := errors.Join(err, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	if proof != "lianbao audit" || place != address+"/zh-CN/stories/campaign" {
		t.Errorf("the drawer says %q, the switch leads to %s", proof, place)
	}
}
