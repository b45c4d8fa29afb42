package api

import (
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

var (
	ownToken    = strings.Repeat("o", 40)
	importToken = strings.Repeat("i", 40)
)

// TestParseTokens: the first token opens everything, each other one what it says.
func TestParseTokens(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{ownToken + "\n", ""},
		{ownToken + "\n" + importToken + " import, write\n", ""},
		{"", "line 1: the token has 0 characters"},
		{"short", "line 1: the token has 5 characters"},
		{ownToken + " write", "line 1: the first token stands alone"},
		{ownToken + "\n" + importToken, "line 2: the first token stands alone"},
		{ownToken + "\n" + ownToken + " write", "line 2: the token stands twice"},
		{ownToken + "\n" + importToken + " everything", `line 2: "everything" is not one of`},
		{ownToken + "\n" + importToken + " write,write", "stands twice"},
	} {
		tokens, err := ParseTokens(c.text)
		if c.want == "" && (err != nil || len(tokens[0].Scopes) != len(Scopes())) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q: %+v, %v, want %s", c.text, tokens, err, c.want)
		}
	}
}

// TestScopes: a token opens what its scopes name and nothing else.
func TestScopes(t *testing.T) {
	s := &Server{tokens: []knownToken{{sha256.Sum256([]byte(ownToken)), Scopes()}, {sha256.Sum256([]byte(importToken)), []Scope{ScopeImport}}}}
	for _, c := range []struct {
		path   string
		scope  Scope
		opened bool
	}{
		{"/api/v1/statements", ScopeImport, true}, {"/api/v1/statements/a/b/lines", ScopeImport, true}, {"/api/v1/accounts/a/pages", ScopeImport, true},
		{"/api/v1/accounts/a/gifts", ScopeImport, true}, {"/api/v1/accounts/a/settlements", ScopeImport, true},
		{givingPath + "claims", ScopeImport, true}, {givingPath + "takings", ScopeImport, true},
		{givingPath + "codes", ScopePersonal, false}, {givingPath + "announcements", ScopePersonal, false}, {"/api/v1/personal", ScopePersonal, false}, {"/api/v1/personal/c/r", ScopePersonal, false}, {"/api/v1/cooperative/portfolio", ScopePersonal, false},
		{"/api/v1/documents", ScopeDocuments, false}, {"/api/v1/documents/x", ScopeDocuments, false},
		{"/api/v1/accounts", ScopeWrite, false}, {"/api/v1/commands/Fund/Propose", ScopeWrite, false}, {"/api/v1/commands/statements/pages", ScopeWrite, false},
		{"/api/v1/campaigns/pages/publications", ScopeWrite, false},
	} {
		for token, want := range map[string]int{ownToken: 200, importToken: map[bool]int{true: 200, false: 403}[c.opened], "nobody's": 401, "": 401} {
			r := httptest.NewRequest(http.MethodPost, c.path, nil)
			r.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			if admitted := s.admits(w, r, "send a token"); admitted != (want == 200) || !admitted && w.Code != want || scopeOf(r) != c.scope {
				t.Errorf("%s with %.5s: %t, %d, needs %s; want %d, %s", c.path, token, admitted, w.Code, scopeOf(r), want, c.scope)
			}
		}
	}
}
