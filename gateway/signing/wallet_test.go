package signing

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/login/logintest"
	"github.com/lianbao/lianbao/gateway/outbox"
	"github.com/lianbao/lianbao/gateway/persons"
	"github.com/lianbao/lianbao/gateway/wallet"
)

// byWallet signs typed data as a hardware wallet does: with go-ethereum's own
// implementation of EIP-712, which knows the file alone.
func (w *world) byWallet(file []byte, signer tape.ID) string {
	w.Helper()
	var typed apitypes.TypedData
	if err := json.Unmarshal(file, &typed); err != nil {
		w.Fatal(err)
	}
	digest, _, err := apitypes.TypedDataAndHash(typed)
	if err != nil {
		w.Fatal(err)
	}
	signature, err := crypto.Sign(digest, logintest.Key(signer))
	if err != nil {
		w.Fatal(err)
	}
	return party.Signature(signature).String()
}

// TestWalletSigns: a draft goes out as typed data, a wallet's signature comes
// back, and the real contract takes the intent that is made of both.
func TestWalletSigns(t *testing.T) {
	w, drafts, _ := office(t)
	maker, checker := w.Session("maker"), w.Session("checker")
	p, err := drafts.Prepare(t.Context(), maker, spending(6000))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drafts.SignHere(t.Context(), maker, p.ID); err != nil {
		t.Fatal(err)
	}
	draft, err := drafts.File(checker, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	file := func(d Draft) []byte {
		typed, err := d.Typed()
		if err != nil {
			t.Fatal(err)
		}
		text, err := typed.File()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	asMaker := draft
	asMaker.Person = "maker"
	for what, text := range map[string]string{"another's key": w.byWallet(file(draft), "household"), "another's draft": w.byWallet(file(asMaker), "checker")} {
		signature, err := wallet.ParseSignature(text)
		if err != nil {
			t.Fatal(err)
		}
		intent, _, err := draft.Signed(signature)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := drafts.Offer(t.Context(), checker, p.ID, intent); !rule.Is(err, rule.Forbidden) {
			t.Errorf("%s: %v", what, err)
		}
	}
	signature, err := wallet.ParseSignature(w.byWallet(file(draft), "checker"))
	if err != nil {
		t.Fatal(err)
	}
	intent, signer, err := draft.Signed(signature)
	if err != nil || signer != w.person("checker").Key.Address {
		t.Fatalf("%s: %v", signer, err)
	}
	if p, err = drafts.Offer(t.Context(), checker, p.ID, intent); err != nil || p.Status == nil || p.Status.State != outbox.Done {
		t.Fatalf("%+v: %v", p.Status, err)
	}
	if p.Signed[0].Custody != string(party.GatewayHeld) || p.Signed[1].Custody != string(party.Own) {
		t.Errorf("custody beside the signatures: %+v", p.Signed)
	}
}

// TestHeldKeysBringNoOwn: who keeps a key for somebody cannot bring one by the
// door and call it that person's own; an own key may go to an agent.
func TestHeldKeysBringNoOwn(t *testing.T) {
	w := newWorld(t)
	w.bring("held", party.AgentHeld)
	w.bring("free", party.Own)
	for _, c := range []struct {
		person  tape.ID
		custody party.Custody
		want    string
	}{
		{"held", party.Own, "the key of held is agent-held and cannot bring one that is own"},
		{"held", party.Card, "cannot bring one that is card"},
		{"held", party.GatewayHeld, "done"},
		{"free", party.AgentHeld, "done"},
	} {
		rotation := persons.Proof{Address: party.Address{byte(len(w.carried) + 1)}, Custody: c.custody, Duty: w.person(c.person).Key.Duty, Person: c.person}.Replace()
		rotation.ID = OwnID("rotate")
		_, answer := knock(w.door(), w.personal("Party:Rotate", rotation, "", c.person, c.person))
		if c.want == "done" {
			// The contract refuses the proof, which is of nobody: the door has let it through.
			if !strings.Contains(answer, "refusal") {
				t.Errorf("%s to %s: %s", c.person, c.custody, answer)
			}
			continue
		}
		if !strings.Contains(answer, c.want) {
			t.Errorf("%s to %s: %s", c.person, c.custody, answer)
		}
	}
}

// TestDraws: a key is drawn for who brings the organisation's token, and for nobody else.
func TestDraws(t *testing.T) {
	w, _, ring := office(t)
	server := Draws{Organisation: "charity", Keys: ring, Token: strings.Repeat("t", 40)}
	ask := func(token, body string) (int, string) {
		r := httptest.NewRequest(http.MethodPost, "/people/keys", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		answer := httptest.NewRecorder()
		server.ServeHTTP(answer, r)
		return answer.Code, answer.Body.String()
	}
	good := `{"duty":"member","organisation":"charity","person":"child","registrar":"bank"}`
	for what, c := range map[string]struct {
		token, body string
		code        int
		want        string
	}{
		"no token":             {"", good, 403, "send its token"},
		"another token":        {strings.Repeat("x", 40), good, 403, "send its token"},
		"no person":            {server.Token, `{"duty":"member","organisation":"charity","person":"","registrar":"bank"}`, 422, "field person"},
		"no organisation":      {server.Token, `{"duty":"member","organisation":"Charity","person":"child","registrar":"bank"}`, 422, "field organisation"},
		"another field":        {server.Token, `{"custody":"own","duty":"member","organisation":"charity","person":"child","registrar":"bank"}`, 422, "custody"},
		"who has one":          {server.Token, `{"duty":"member","organisation":"charity","person":"maker","registrar":"bank"}`, 409, "stands on the ledger"},
		"a person without one": {server.Token, good, 200, `"custody":"gateway-held"`},
	} {
		if code, body := ask(c.token, c.body); code != c.code || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s", what, code, body)
		}
	}
	_, body := ask(server.Token, good)
	proof, err := persons.ParseProof([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := proof.Check(w.ID, "bank"); err != nil {
		t.Error(err)
	}
	if err := proof.Check(w.ID, "coop"); !rule.Is(err, rule.Forbidden) {
		t.Errorf("another registrar: %v", err)
	}
	proof.Custody = party.Own
	if err := proof.Check(w.ID, "bank"); !rule.Is(err, rule.Forbidden) {
		t.Errorf("a held key called own: %v", err)
	}
}
