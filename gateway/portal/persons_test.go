package portal

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/party/sign"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/persons"
)

// proved is the proof of a new key of a person of the charity, as it is pasted.
func (w *town) proved(person, key tape.ID, custody party.Custody, registrar string) string {
	w.Helper()
	possession := party.Possession{Person: person, Key: sign.Address(w.key(key)), Custody: custody, Duty: party.DutyMember, Organisation: "charity", Registrar: registrar}
	signature, err := sign.Possession(w.key(key), party.LedgerID{9}, possession)
	made(w.ledger, signature, err)
	text, err := canonical.Encode(persons.Of(possession, signature))
	return string(made(w.ledger, text, err))
}

// TestPersonPages: another organisation brings a key, the work list shows it,
// staff vouch for it; then it is lost, replaced by a card, and its person revoked.
func TestPersonPages(t *testing.T) {
	w := newTown(t)
	stranger := &visitor{town: w}
	for _, path := range []string{"/en/persons", "/en/persons/maker", "/en/persons/new"} {
		stranger.request(http.MethodGet, path, nil)
		stranger.reads("Log in")
	}
	child := w.logsIn("child")
	child.request(http.MethodGet, "/en/persons", nil)
	if child.code == http.StatusOK {
		t.Error("a household sees whose keys wait")
	}
	child.request(http.MethodGet, "/en/persons/child", nil)
	child.reads("Person child", "key held by the person", sign.Address(w.key("child")).String())
	child.posts("/en/persons/child/revoke")
	child.reads("maker, checker, admin")

	proof, err := persons.ParseProof([]byte(w.proved("newcomer", "newcomer", party.AgentHeld, "bank")))
	made(w.ledger, proof, err)
	w.bank("Party:Register", proof.Register())
	w.follow()
	maker := w.logsIn("maker")
	maker.request(http.MethodGet, "/en/work", nil)
	maker.reads("Vouch for a person's key", "newcomer", "key held by an agent")
	maker.request(http.MethodGet, "/zh-CN/persons", nil)
	maker.reads("newcomer", "人员及其密钥")
	maker.request(http.MethodGet, "/en/persons?id=newcomer", nil)
	maker.reads("waits for a second organisation", proof.Address.String())
	maker.posts("/en/persons/newcomer/witness", "address", "0x0100000000000000000000000000000000000000")
	maker.reads("waits for a witness")
	maker.request(http.MethodGet, "/en/persons/newcomer", nil)
	maker.posts("/en/persons/newcomer/witness", "address", proof.Address.String())
	maker.reads("in force", "bank")
	maker.posts("/en/persons/newcomer/suspend", "address", proof.Address.String())
	maker.reads("suspended for good")

	// The charity itself brings a card's key; another organisation is to vouch for it.
	maker.request(http.MethodGet, "/en/persons", nil)
	maker.posts("/en/persons/proof", "proof", "nonsense")
	maker.reads("invalid")
	card := w.proved("newcomer", "newcomer-card", party.Card, "charity")
	maker.request(http.MethodGet, "/en/persons", nil)
	maker.posts("/en/persons/proof", "proof", card)
	maker.reads("A key for newcomer", "takes the place of the one before", "key on a card")
	maker.posts("/en/persons/new", "proof", card)
	maker.reads("Person newcomer", "waits for a second organisation", "nobody yet")
	maker.request(http.MethodGet, "/en/persons", nil)
	maker.reads("Brought from here", "newcomer")
	maker.posts("/en/persons/proof", "proof", w.proved("other", "other", party.Own, "coop"))
	maker.reads("coop brings this key")
	maker.request(http.MethodGet, "/en/persons", nil)
	maker.posts("/en/persons/new", "proof", w.proved("other", "other", party.Own, "coop"))
	maker.reads("this is charity")
	maker.request(http.MethodGet, "/en/persons/newcomer", nil)
	maker.posts("/en/persons/newcomer/revoke")
	maker.reads("Revoked for good")
	if len(w.carried) != 4 {
		t.Errorf("carried: %v", w.carried)
	}
}

// TestDrawnKeys: this gateway draws a key for a person; brought by another
// organisation its proof is handed on, by this one it waits for a witness.
func TestDrawnKeys(t *testing.T) {
	w := newTown(t)
	maker := w.logsIn("maker")
	maker.request(http.MethodGet, "/en/persons", nil)
	maker.reads("Let this gateway hold a key")
	maker.posts("/en/persons/draw", "duty", "member", "person", "no id!", "registrar", "bank")
	maker.reads("is not an id")
	maker.request(http.MethodGet, "/en/persons", nil)
	maker.posts("/en/persons/draw", "duty", "member", "person", "grandmother", "registrar", "bank")
	maker.reads("bank brings this key", `"custody":"gateway-held"`)
	text := maker.place[strings.Index(maker.place, "proof=")+len("proof="):]
	text, err := url.QueryUnescape(text)
	made(w.ledger, text, err)
	proof, err := persons.ParseProof([]byte(text))
	made(w.ledger, proof, err)
	w.bank("Party:Register", proof.Register())
	w.follow()
	maker.request(http.MethodGet, "/en/persons", nil)
	maker.posts("/en/persons/draw", "duty", "member", "person", "grandfather", "registrar", "charity")
	maker.reads("Person grandfather", "waits for a second organisation")
}
