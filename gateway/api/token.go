package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Scope is what a token opens. Reading what the ledger shows needs none.
type Scope string

// The scopes: a closed list.
const (
	// ScopePersonal keeps, shows and purges personal data, opens gift codes, and
	// reads what households owe.
	ScopePersonal Scope = "personal"
	// ScopeDocuments keeps, gives out and shreds evidence.
	ScopeDocuments Scope = "documents"
	// ScopeImport files statements and gifts, settles them, and finds whose they are.
	ScopeImport Scope = "import"
	// ScopeWrite sends every other command.
	ScopeWrite Scope = "write"
)

// Scopes lists all of them.
func Scopes() []Scope { return []Scope{ScopePersonal, ScopeDocuments, ScopeImport, ScopeWrite} }

// Token opens the API to a program, as far as its scopes reach.
type Token struct {
	Secret string
	Scopes []Scope
}

// tokenCharactersMin keeps out tokens that can be guessed.
const tokenCharactersMin = 32

// ParseTokens reads the file of an organisation's tokens. The first line is the
// organisation's own token, which opens everything; each further line is a token
// for one program and, behind a space, what it opens: "TOKEN import,write".
func ParseTokens(text string) ([]Token, error) {
	var tokens []Token
	for n, line := range strings.Split(strings.TrimSpace(text), "\n") {
		secret, scopes, narrow := strings.Cut(strings.TrimSpace(line), " ")
		token := Token{Secret: secret, Scopes: Scopes()}
		switch {
		case len(secret) < tokenCharactersMin:
			return nil, fmt.Errorf("line %d: the token has %d characters, at least %d are needed", n+1, len(secret), tokenCharactersMin)
		case slices.ContainsFunc(tokens, func(t Token) bool { return t.Secret == secret }):
			return nil, fmt.Errorf("line %d: the token stands twice", n+1)
		case narrow != (n > 0):
			return nil, fmt.Errorf("line %d: the first token stands alone and opens everything, behind each other one stands what it opens, of %v", n+1, Scopes())
		case narrow:
			var err error
			if token.Scopes, err = parseScopes(scopes); err != nil {
				return nil, fmt.Errorf("line %d: %w", n+1, err)
			}
		}
		tokens = append(tokens, token)
	}
	return tokens, nil
}

func parseScopes(text string) ([]Scope, error) {
	var scopes []Scope
	for name := range strings.SplitSeq(text, ",") {
		scope := Scope(strings.TrimSpace(name))
		if !slices.Contains(Scopes(), scope) || slices.Contains(scopes, scope) {
			return nil, fmt.Errorf("%.40q is not one of %v, or stands twice", name, Scopes())
		}
		scopes = append(scopes, scope)
	}
	return scopes, nil
}

// scopeOf is what a request that needs a token needs of it.
func scopeOf(r *http.Request) Scope {
	path := strings.TrimPrefix(r.URL.Path, "/api/v1/")
	parts := strings.Split(path, "/")
	switch {
	case parts[0] == "documents":
		return ScopeDocuments
	case r.URL.Path == givingPath+"claims", r.URL.Path == givingPath+"takings", parts[0] == "statements",
		parts[0] == "accounts" && slices.Contains([]string{"gifts", "pages", "settlements"}, parts[len(parts)-1]):
		return ScopeImport
	case parts[0] == "personal", parts[0] == "cooperative", strings.HasPrefix(r.URL.Path, givingPath):
		return ScopePersonal
	}
	return ScopeWrite
}

// knownToken is a token by its digest, so that neither its length nor the time
// of a comparison tells anything about it.
type knownToken struct {
	digest [sha256.Size]byte
	scopes []Scope
}

// admits answers a request that its token does not open, and reports whether it does.
func (s *Server) admits(w http.ResponseWriter, r *http.Request, why string) bool {
	secret, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	given := sha256.Sum256([]byte(secret))
	known := slices.IndexFunc(s.tokens, func(t knownToken) bool { return subtle.ConstantTimeCompare(given[:], t.digest[:]) == 1 })
	if !found || known < 0 {
		w.Header().Set("WWW-Authenticate", "Bearer")
		s.write(w, s.problem(unauthorized, why))
		return false
	}
	if needs := scopeOf(r); !slices.Contains(s.tokens[known].scopes, needs) {
		s.write(w, s.problem("forbidden", fmt.Sprintf("this token opens %v; %s is needed here", s.tokens[known].scopes, needs)))
		return false
	}
	return true
}
