package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/gateway/personal"
)

// TestPersonalData: kept by one member, shown at the other, refused to a
// stranger, gone after the purge, and nowhere in what the channel sees.
func TestPersonalData(t *testing.T) {
	w := newWorld(t)
	charity, bank, coop := w.gateways["charity"], w.gateways["bank"], w.gateways["coop"]
	own := map[string]string{"Authorization": "Bearer " + secret}
	const name, number, payee = "王虚构 Nobody Invented", "530000190001010000", "outside:household:aponmlkjihgfedcbaponmlkjihgfedcb"
	body := `{"class":"household","collection":"charity-bank","fields":{"idNumber":"` + number + `","name":"` + name + `","payee":"` + payee + `"}}`
	status, _, text := charity.request(http.MethodPost, path("personal"), body, nil)
	var kept personal.Kept
	if err := json.Unmarshal([]byte(text), &kept); status != http.StatusOK || err != nil || kept.Block == 0 {
		t.Fatalf("%d %s %v", status, text, err)
	}
	at := path("personal", string(kept.Collection), string(kept.Record))
	if status, header, text := bank.request(http.MethodGet, at, "", own); status != http.StatusOK || !strings.Contains(text, name) || header.Get("Cache-Control") != "no-store" {
		t.Errorf("the other member: %d %s", status, text)
	}
	for who, g := range map[string]*gateway{"a stranger": coop} {
		if status, _, text := g.request(http.MethodGet, at, "", own); status == http.StatusOK || strings.Contains(text, name) || strings.Contains(text, number) {
			t.Errorf("%s: %d %s", who, status, text)
		}
	}
	// Members find by the ledger's name whom they pay; strangers find nothing.
	for member, finds := range map[*gateway]bool{charity: true, bank: true, coop: false} {
		if err := member.model.WaitFor(t.Context(), kept.Block); err != nil {
			t.Fatal(err)
		}
		status, _, text := member.request(http.MethodGet, path("personal")+"?payee="+payee, "", own)
		if status != http.StatusOK || strings.Contains(text, name) != finds {
			t.Errorf("%s finds: %d %s", member.organisation, status, text)
		}
	}
	if status, _, text := bank.request(http.MethodGet, path("personal")+"?payee="+url.QueryEscape(name), "", own); status != http.StatusUnprocessableEntity || strings.Contains(text, name) {
		t.Errorf("a name in place of a payee: %d %s", status, text)
	}
	if status, _, text := bank.request(http.MethodGet, at, "", nil); status != http.StatusUnauthorized || strings.Contains(text, name) {
		t.Errorf("without the token: %d %s", status, text)
	}
	for _, bad := range []string{`{"class":"household","fields":{"name":"` + name + `","shoeSize":"43"}}`, `{"class":"gossip","fields":{"name":"` + name + `"}}`, `{"class":"household","fields":{}}`, `[`} {
		if status, _, text := charity.request(http.MethodPost, path("personal"), bad, nil); status != http.StatusUnprocessableEntity || strings.Contains(text, name) {
			t.Errorf("%s: %d %s", bad, status, text)
		}
	}
	if status, _, text := charity.request(http.MethodDelete, at+"?reason=because", "", own); status != http.StatusUnprocessableEntity {
		t.Errorf("a purge without a reason: %d %s", status, text)
	}
	if status, _, text := charity.request(http.MethodDelete, at+"?reason=requested", "", own); status != http.StatusOK {
		t.Errorf("the purge: %d %s", status, text)
	}
	if status, _, text := bank.request(http.MethodGet, at, "", own); status == http.StatusOK || strings.Contains(text, name) {
		t.Errorf("after the purge: %d %s", status, text)
	}
	// One number has one fingerprint in a campaign, and nobody is told without the token.
	asked := `{"campaign":"charity:sunrise:books","kind":"bank-account","number":"0000 0000 0000 0001"}`
	status, _, first := charity.request(http.MethodPost, path("fingerprints"), asked, own)
	if _, _, again := charity.request(http.MethodPost, path("fingerprints"), strings.ReplaceAll(asked, "0000 0", "00000"), own); status != http.StatusOK || again != first || strings.Contains(first, `""`) {
		t.Errorf("fingerprints: %d %s %s", status, first, again)
	}
	// What must be kept is not purged; a day that cannot be is refused, and leaves nothing behind.
	late := strings.Replace(body, `}}`, `},"keepUntil":"2030-01-01"}`, 1)
	if status, _, text = charity.request(http.MethodPost, path("personal"), late, nil); status != http.StatusOK || json.Unmarshal([]byte(text), &kept) != nil {
		t.Fatalf("%d %s", status, text)
	}
	at = path("personal", string(kept.Collection), string(kept.Record))
	if status, _, text := charity.request(http.MethodDelete, at+"?reason=requested", "", own); status != http.StatusConflict || !strings.Contains(text, "2030-01-01") {
		t.Errorf("a purge of what must be kept: %d %s", status, text)
	}
	if status, _, text := charity.request(http.MethodPost, path("personal"), strings.Replace(body, `}}`, `},"keepUntil":"2020-01-01"}`, 1), nil); status != http.StatusUnprocessableEntity {
		t.Errorf("a day that has passed: %d %s", status, text)
	}
	// A value is not replaced by one that cannot be noted.
	if status, _, text = charity.request(http.MethodPost, path("personal"), body, nil); status != http.StatusOK || json.Unmarshal([]byte(text), &kept) != nil {
		t.Fatalf("%d %s", status, text)
	}
	at = path("personal", string(kept.Collection), string(kept.Record))
	wrong := strings.Replace(body, `}}`, `},"keepUntil":"2020-01-01","record":"`+string(kept.Record)+`","replaces":"`+kept.Hash.String()+`"}`, 1)
	if status, _, text := charity.request(http.MethodPost, path("personal"), wrong, nil); status != http.StatusUnprocessableEntity || !strings.Contains(text, "/keepUntil") {
		t.Errorf("a replacement that cannot be noted: %d %s", status, text)
	}
	if status, _, text := bank.request(http.MethodGet, at, "", own); status != http.StatusOK || !strings.Contains(text, name) {
		t.Errorf("the value that was to be replaced: %d %s", status, text)
	}
	for number := range w.network.Height() {
		if block := w.network.Block(number).String(); strings.Contains(block, "Nobody Invented") || strings.Contains(block, "530000190001010000") {
			t.Errorf("block %d holds what is private", number)
		}
	}
}
