package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const busy = `{"code":"unavailable","detail":"wait","status":503,"retryable":true}`

// serve answers with each text in turn, the last one for ever: "503 body", or "lost" for a connection that breaks.
func serve(t *testing.T, answers ...string) (c *Client, seen *[]*http.Request, bodies *[]string) {
	t.Helper()
	seen, bodies = &[]*http.Request{}, &[]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		answer := answers[min(len(*seen), len(answers)-1)]
		*seen, *bodies = append(*seen, r), append(*bodies, string(body))
		if answer == "lost" {
			panic(http.ErrAbortHandler)
		}
		status, text := 0, ""
		if _, err := fmt.Sscanf(answer, "%d", &status); err != nil {
			t.Error(err)
		}
		_, text, _ = strings.Cut(answer, " ")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(server.Close)
	return &Client{URL: server.URL + "/", Token: "token", Patience: 2 * time.Second}, seen, bodies
}

// TestSubmit is a table: what the gateway answers in turn, and how a command ends.
func TestSubmit(t *testing.T) {
	const done = `201 {"id":"x","state":"done","position":"7"}`
	const waiting = `202 {"id":"x","state":"waiting","status":"/api/v1/commands/x"}`
	const refused = `{"code":"insufficient","detail":"too much","status":409}`
	for _, test := range []struct {
		answers  []string
		want     string
		requests int
	}{
		{[]string{done}, "done", 1},
		{[]string{"503 " + busy, "lost", done}, "done", 3},
		{[]string{waiting, "200 " + waiting[4:], "200 " + done[4:]}, "done", 3},
		{[]string{"409 " + refused}, "insufficient: too much", 1},
		{[]string{waiting, `200 {"id":"x","state":"refused","problem":` + refused + `}`}, "insufficient: too much", 2},
		{[]string{"502 <html>"}, "the gateway answered 502 Bad Gateway: <html>", 1},
	} {
		c, seen, bodies := serve(t, test.answers...)
		a, err := c.Submit(t.Context(), "Tape:Spend", []byte(`{"a":"<&"}`))
		got := a.State
		if err != nil {
			got = err.Error()
		}
		if got != test.want || len(*seen) != test.requests {
			t.Errorf("%q: %s after %d requests, want %s after %d", test.answers, got, len(*seen), test.want, test.requests)
		}
		first := (*seen)[0]
		for i, r := range *seen {
			if r.Method != http.MethodPost {
				continue
			}
			if r.URL.Path != "/api/v1/commands/Tape/Spend" || r.Header.Get("Authorization") != "Bearer token" || (*bodies)[i] != `{"a":"<&"}` {
				t.Errorf("%v %v %s", r.URL, r.Header, (*bodies)[i])
			}
			if key := r.Header.Get("Idempotency-Key"); key == "" || key != first.Header.Get("Idempotency-Key") {
				t.Errorf("attempt %d has the key %q", i, key)
			}
		}
	}
}

// TestPatience gives up in time, and at once when the caller does.
func TestPatience(t *testing.T) {
	c, seen, _ := serve(t, "503 "+busy)
	c.Patience = 300 * time.Millisecond
	if err := c.Get(t.Context(), "/", "", nil); !Is(err, "unavailable") || len(*seen) < 2 {
		t.Errorf("%v after %d requests", err, len(*seen))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Get(ctx, "/", "", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want canceled", err)
	}
}

// TestGifts reports each gift by itself.
func TestGifts(t *testing.T) {
	c, seen, _ := serve(t, `202 {"items":[{"id":"a","state":"done"},{"id":"b","state":"waiting","status":"/b"},{"id":"c","state":"refused","problem":{"code":"invalid","detail":"odd"}}]}`,
		`200 {"id":"b","state":"done","position":"9"}`)
	all, err := c.Gifts(t.Context(), "charity:a:b", Gift{ID: "a"}, Gift{ID: "b"}, Gift{ID: "c"})
	if err != nil || len(all) != 3 || !all[0].Done() || all[1].Position != "9" || all[2].Problem == nil || (*seen)[1].URL.Path != "/b" {
		t.Errorf("%+v %v", all, err)
	}
}
