package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// TestCooperativeReads: what names households' debts needs a token that opens
// personal data, and an organisation that has to do with them.
func TestCooperativeReads(t *testing.T) {
	model, err := readmodel.Open(t.Context(), filepath.Join(t.TempDir(), "model.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = model.Close() })
	var writes []readmodel.Write
	for _, record := range []struct {
		key   string
		value any
	}{
		{party.LedgerKey(), party.Ledger{V: 1, Zone: "+08:00"}},
		{party.PowersKey("county"), party.Powers{V: 1, Powers: []string{party.Regulator}}},
		{group.SchemeKey("coop:coop:coffee"), group.Scheme{V: 1, Account: "coop:coop:coffee", Organisation: "coop", Currency: "CNY", Lenders: []string{"bank"}}},
	} {
		value, err := json.Marshal(record.value)
		if err != nil {
			t.Fatal(err)
		}
		writes = append(writes, readmodel.Write{Key: record.key, Value: value})
	}
	if err := model.Apply(t.Context(), readmodel.Block{Hash: []byte{1}, Transactions: []readmodel.Transaction{{ID: "t", Valid: true, Function: "Invented:Records", Writes: writes}}}); err != nil {
		t.Fatal(err)
	}
	servers := map[string]*Server{}
	for _, organisation := range []string{"coop", "county", "insurer"} {
		servers[organisation] = New(Parts{Organisation: organisation, Model: model, Token: secret, Tokens: []Token{{Secret: importToken, Scopes: []Scope{ScopeImport}}}})
	}
	const scheme = "schemes/coop:coop:coffee"
	for _, c := range []struct {
		as, path, token string
		status          int
		contains        string
	}{
		{"coop", scheme, "", 401, `"code":"unauthorized"`},
		{"coop", scheme, importToken, 403, "personal is needed here"},
		{"coop", scheme, secret, 200, `"organisation":"coop"`},
		{"insurer", scheme, secret, 403, "insurer has no part in coop:coop:coffee"},
		{"county", scheme, secret, 200, `"organisation":"coop"`},
		{"insurer", "schemes", secret, 200, `[]`},
		{"county", "schemes", secret, 200, `"account":"coop:coop:coffee"`},
		{"coop", scheme + "/groups", secret, 200, `"items":[]`},
		{"coop", scheme + "/loans?state=running&day=2026-01-01", secret, 200, `"items":[]`},
		{"coop", scheme + "/loans?state=odd", secret, 422, `/query/state`},
		{"coop", scheme + "/arrears?day=2026-02-30", secret, 422, `"pointer":"/day"`},
		{"coop", scheme + "/loans/none", secret, 404, `"code":"not-found"`},
		{"coop", scheme + "/settlements/none", secret, 404, `"code":"not-found"`},
		{"coop", scheme + "/settlements", secret, 200, `"items":[]`},
		{"coop", scheme + "/calls", secret, 200, `"items":[]`},
		{"coop", scheme + "/households", secret, 200, `"items":[]`},
		{"coop", scheme + "/flags", secret, 200, `"flags":[]`},
		{"coop", "portfolio", secret, 403, "reads its own figures"},
		{"coop", "portfolio?scheme=coop:coop:coffee&day=2026-01-01", secret, 200, `"currencies":[]`},
		{"county", "portfolio?lender=bank&day=2026-01-01", secret, 200, `"lender":"bank"`},
		{"coop", "pools", secret, 200, `[]`},
		{"coop", "agents", secret, 200, `[]`},
		{"coop", "trial-balance?from=2026-01-01&to=2026-01-31", secret, 200, `"balanced":true`},
		{"coop", "trial-balance?from=2026-01-01&to=2026-01-31&organisation=bank", secret, 403, "reads its own books; those of others are a regulator's to read"},
		{"coop", "months", secret, 200, `[]`},
		{"coop", "months?organisation=bank", secret, 403, "reads its own books"},
		{"county", "months?organisation=bank", secret, 200, `[]`},
		{"coop", "months/2026-01", secret, 404, "the books of coop have no month 2026-01"},
		{"coop", "months/2026-1", secret, 422, `"pointer":"/month"`},
		{"coop", "quarters/2026-03-31", secret, 403, "reads its own figures"},
		{"county", "quarters/2026-03-31", secret, 200, `"from":"2026-01-01"`},
		{"county", "quarters/2026-03-31/exports/quarter.csv", secret, 200, "quarter,of,figure,currency,value\n"},
		{"coop", "quarters/2026-03-31/exports/quarter.csv", secret, 403, "reads its own figures"},
	} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, cooperativePath+c.path, nil)
		if c.token != "" {
			request.Header.Set("Authorization", "Bearer "+c.token)
		}
		answer := httptest.NewRecorder()
		servers[c.as].ServeHTTP(answer, request)
		if answer.Code != c.status || !strings.Contains(answer.Body.String(), c.contains) {
			t.Errorf("%s by %s: %d %.300s\nwant %d and %s", c.path, c.as, answer.Code, answer.Body, c.status, c.contains)
		}
	}
	for path, item := range servers["coop"].api.OpenAPI().Paths {
		if strings.HasPrefix(path, cooperativePath) != (item.Get != nil && len(item.Get.Security) == 1 && len(item.Get.Security[0]) == 1 && strings.HasPrefix(path, cooperativePath)) {
			t.Errorf("%s does not say that it needs a token", path)
		}
	}
}
