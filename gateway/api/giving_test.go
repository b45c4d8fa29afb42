package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/client"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/giving"
)

// takesGifts gives a gateway a store of announcements.
func (g *gateway) takesGifts() *giving.Desk {
	folder := g.TempDir()
	store, err := giving.Open(giving.Settings{Folder: filepath.Join(folder, "giving"), Key: filepath.Join(folder, "giving.key")})
	if err != nil {
		g.Fatal(err)
	}
	g.Cleanup(func() {
		if err := store.Close(); err != nil {
			g.Error(err)
		}
	})
	g.server.Giving = &giving.Desk{Store: store, Organisation: g.organisation, Model: g.model, Issuer: giving.Issuer{Name: donation.Text{Chinese: "虚构慈善"}, CreditCode: giving.InventedCreditCode, Handler: "Invented"},
		Today: func() tape.Date { return "2026-03-01" }}
	return g.server.Giving
}

func ask(attempt int, of, amount, name string) string {
	return fmt.Sprintf(`{"attempt":"%032x","account":"%s","amount":"%s","name":%q}`, attempt, of, amount, name)
}

// TestGiving announces a gift, asks whose a line is, takes it, and finds it by its code.
func TestGiving(t *testing.T) {
	w := newWorld(t)
	charity := w.gateways["charity"]
	charity.open(account)
	charity.takesGifts()
	status, header, body := charity.request("POST", givingPath+"announcements", ask(1, account, "100.00 CNY", "Invented Ada"), map[string]string{"Idempotency-Key": "once"})
	var made struct{ Code, Reference, PayTo string }
	if err := json.Unmarshal([]byte(body), &made); err != nil || status != http.StatusCreated || made.PayTo != custody || header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s, %v", status, body, err)
	}
	if _, found, err := charity.box.Answered(t.Context(), "once"); found || err != nil {
		t.Errorf("the answer with the code was kept: %v", err)
	}
	var claims struct{ Claims []giving.Claim }
	memos := map[string]any{"memos": []giving.Memo{{Reference: donation.Reference(made.Reference), Line: "line-1"}, {Reference: "RF00", Line: "line-2"}}}
	if err := charity.client.Post(t.Context(), givingPath+"claims", memos, &claims); err != nil || len(claims.Claims) != 2 || !claims.Claims[0].Known || claims.Claims[1].Known {
		t.Fatalf("%+v, %v", claims, err)
	}
	takings := map[string]any{"takings": []giving.Taking{{Announcement: claims.Claims[0].Announcement, Line: "line-1"}}}
	if err := charity.client.Post(t.Context(), givingPath+"takings", takings, new(struct{})); err != nil {
		t.Fatal(err)
	}
	var found struct {
		Account tape.AccountID
		Gifts   []giving.Use
	}
	if err := charity.client.Post(t.Context(), givingPath+"codes", map[string]string{"code": strings.ToLower(made.Code)}, &found); err != nil || found.Account != account || len(found.Gifts) != 1 || found.Gifts[0].Gift != claims.Claims[0].Gift {
		t.Errorf("%+v, %v", found, err)
	}
	all, err := charity.client.Gifts(t.Context(), account, client.Gift{ID: "loose", Amount: "5.00 CNY"})
	given := done(charity, all, err)
	read[map[string]any](charity, given, path("accounts", account)) // so that this gateway has heard of it
	attachment := map[string]string{"code": made.Code, "account": account, "gift": "loose", "page": given.Command}
	if err := charity.client.Post(t.Context(), givingPath+"attachments", attachment, new(struct{})); err != nil {
		t.Error(err)
	}
	attachment["gift"] = "nothing"
	if err := charity.client.Post(t.Context(), givingPath+"attachments", attachment, new(struct{})); !client.Is(err, "not-found") {
		t.Errorf("a gift that is not there: %v", err)
	}
	files, _ := filepath.Glob(filepath.Join(charity.TempDir(), "..", "*", "*.db*"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "Invented Ada") || strings.Contains(string(text), made.Code) {
			t.Errorf("%s holds the giver", file)
		}
	}
	if len(files) < 2 {
		t.Errorf("only %v were searched", files)
	}
}

// TestAnnouncedWaiver: who announces for somebody says whether a receipt is wanted, as the page's form does.
func TestAnnouncedWaiver(t *testing.T) {
	charity := newWorld(t).gateways["charity"]
	charity.open(account)
	desk := charity.takesGifts()
	for i, c := range []struct {
		more string
		want donation.DonorKind
	}{{"", donation.Named}, {`,"waived":false`, donation.Named}, {`,"waived":true`, donation.Waived}} {
		body := strings.Replace(ask(i+1, account, "5.00 CNY", "Invented Bo"), "}", c.more+"}", 1)
		for range 2 {
			status, _, answer := charity.request("POST", givingPath+"announcements", body, nil)
			var made struct{ Code string }
			if err := json.Unmarshal([]byte(answer), &made); err != nil || status != http.StatusCreated {
				t.Fatalf("%d %s, %v", status, answer, err)
			}
			if found, err := desk.Find(made.Code); err != nil || found.Donor != (donation.Donor{Kind: c.want, Name: "Invented Bo"}) {
				t.Errorf("%s: %+v, %v", c.more, found.Donor, err)
			}
		}
	}
	described, err := charity.server.OpenAPI()
	if err != nil || !strings.Contains(string(described), "Whether the giver wants no receipt") {
		t.Errorf("the description does not tell of it: %v", err)
	}
}

func TestGivingRefused(t *testing.T) {
	w := newWorld(t)
	charity, bank := w.gateways["charity"], w.gateways["bank"]
	charity.open(account)
	charity.takesGifts()
	charity.request("POST", givingPath+"announcements", ask(9, account, "5.00 CNY", "Secretname"), nil)
	for _, test := range []struct {
		name    string
		at      *gateway
		path    string
		body    string
		token   string
		status  int
		content string
	}{
		{"no token", charity, "codes", `{"code":"x"}`, "Bearer no", 401, "unauthorized"},
		{"no token to announce", charity, "announcements", ask(1, account, "1.00 CNY", "Secretname"), "", 401, "unauthorized"},
		{"a wrong code", charity, "codes", `{"code":"x"}`, "Bearer " + secret, 404, "no gift is known under this code"},
		{"another currency", charity, "announcements", ask(1, account, "5 VND", "Secretname"), "Bearer " + secret, 422, "is kept in CNY"},
		{"another's account", charity, "announcements", ask(1, "charity:other:x", "5.00 CNY", "Secretname"), "Bearer " + secret, 404, "charity:other:x"},
		{"an amount of another kind", charity, "announcements", strings.Replace(ask(1, account, "5.00 CNY", "Secretname"), `"5.00 CNY"`, `5`, 1), "Bearer " + secret, 422, "amount"},
		{"a name of another kind", charity, "announcements", strings.Replace(ask(1, account, "5.00 CNY", "x"), `"x"`, `["Secretname"]`, 1), "Bearer " + secret, 422, "name"},
		{"a long name", charity, "announcements", ask(1, account, "5.00 CNY", strings.Repeat("Secretname", 9)), "Bearer " + secret, 422, "too long for a receipt"},
		{"nobody's waiver", charity, "announcements", strings.Replace(ask(1, account, "5.00 CNY", ""), "}", `,"waived":true}`, 1), "Bearer " + secret, 422, "an anonymous giver has no receipt to waive"},
		{"a waiver of another kind", charity, "announcements", strings.Replace(ask(1, account, "5.00 CNY", "Secretname"), "}", `,"waived":"yes"}`, 1), "Bearer " + secret, 422, "waived"},
		{"another waiver of one attempt", charity, "announcements", strings.Replace(ask(9, account, "5.00 CNY", "Secretname"), "}", `,"waived":true}`, 1), "Bearer " + secret, 409, "exists"},
		{"no memos", charity, "claims", `{"memos":[]}`, "Bearer " + secret, 422, "memos"},
		{"nobody's desk", bank, "codes", `{"code":"x"}`, "Bearer " + secret, 404, "keeps no announcements"},
	} {
		status, _, body := test.at.request("POST", givingPath+test.path, test.body, map[string]string{"Authorization": test.token})
		if status != test.status || !strings.Contains(body, test.content) || strings.Contains(body, "Secretname") {
			t.Errorf("%s: %d %s", test.name, status, body)
		}
	}
}
