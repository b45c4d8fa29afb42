package issuer

import (
	"crypto/rand"
	"encoding/base64"
	"html/template"
	"net/http"

	"github.com/lianbao/lianbao/gateway/message"
)

// page says in both languages at once what this is: whoever comes here has no
// language yet.
var page = template.Must(template.New("choose").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>{{.Title.En}} · {{.Title.Zh}}</title>
<style nonce="{{.Nonce}}">body{font:1rem/1.6 system-ui,sans-serif;max-width:40rem;margin:0 auto;padding:1rem;color:#1b1b1b;background:#fff}
[role=alert]{border:4px solid #b3261e;padding:1rem;margin-bottom:1.5rem}h1{margin:0;color:#b3261e;font-size:1.5rem}
button{font:inherit;width:100%;min-height:44px;margin:.25rem 0;text-align:start;padding:.5rem 1rem}code{color:#555}</style></head>
<body><main><div role="alert"><h1>{{.Title.En}}<br><span lang="zh-CN">{{.Title.Zh}}</span></h1>
<p>{{.Lead.En}}</p><p lang="zh-CN">{{.Lead.Zh}}</p></div>
<h2>{{.Choose.En}} · <span lang="zh-CN">{{.Choose.Zh}}</span></h2>
<form method="post">{{range $name, $value := .Hidden}}<input type="hidden" name="{{$name}}" value="{{$value}}">
{{end}}{{range .People}}<button name="subject" value="{{.Subject}}">{{.Name}} <code>{{.Subject}}</code></button>
{{end}}</form></main></body></html>
`))

type both struct{ En, Zh string }

func inBoth(key string) both {
	m := message.New(key)
	return both{m.Text(message.English), m.Text(message.Chinese)}
}

// choose shows whom one can be.
func (i *Issuer) choose(w http.ResponseWriter, r *http.Request) {
	values := r.URL.Query()
	a, good := i.read(values)
	if !good {
		http.Error(w, "this is not a request of this issuer's client", http.StatusBadRequest)
		return
	}
	hidden := map[string]string{"client_id": a.client, "redirect_uri": a.redirect, "state": a.state, "nonce": a.nonce, "code_challenge": a.challenge,
		"response_type": "code", "scope": values.Get("scope"), "code_challenge_method": "S256"}
	var bits [16]byte
	_, _ = rand.Read(bits[:]) // it never fails: the program ends before
	nonce := base64.RawURLEncoding.EncodeToString(bits[:])
	// A browser follows the form's answer to the client only where this allows it.
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+nonce+"'; form-action 'self' "+a.redirect+"; frame-ancestors 'none'; base-uri 'none'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = page.Execute(w, struct { // whoever left does not read it
		Title, Lead, Choose both
		Nonce               string
		Hidden              map[string]string
		People              []Person
	}{inBoth("demo.title"), inBoth("demo.lead"), inBoth("demo.choose"), nonce, hidden, i.People})
}
