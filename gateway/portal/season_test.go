package portal

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

const season = tape.AccountID("coop:coop:season")

// seasons are the portals of a cooperative and of its lender on one ledger.
type seasons map[string]*town

// newSeasons begins where no scheme stands yet: staff of both, four farmers with
// keys of their own, and a ward whose key an agent holds.
func newSeasons(t *testing.T) seasons {
	t.Helper()
	w := newTown(t)
	for _, person := range []tape.ID{"officer", "inspector"} {
		w.registersAt("coop", "bank", person, party.Own, party.DutyStaff)
	}
	for _, person := range []tape.ID{"teller", "manager"} {
		w.registersAt("bank", "charity", person, party.Own, party.DutyStaff)
	}
	for n := 1; n <= 3; n++ {
		w.registersAt("coop", "bank", tape.ID(fmt.Sprint("farmer-", n)), party.Own, party.DutyMember)
	}
	w.registersAt("coop", "bank", "ward", party.AgentHeld, party.DutyMember)
	w.follow()
	all := seasons{}
	for organisation, staff := range map[string][2]tape.ID{"coop": {"officer", "inspector"}, "bank": {"teller", "manager"}} {
		portal := *w
		portal.organisation, portal.members = organisation, []login.Member{{Person: staff[0], Roles: []login.Role{login.Maker}}, {Person: staff[1], Roles: []login.Role{login.Checker}}}
		portal.open()
		all[organisation] = &portal
	}
	return all
}

// farm is the household of farmer n, farm(4) that of the ward.
func farm(n int) string {
	return "household:" + string(tape.PseudonymFrom(fmt.Sprint("invented season ", n))) + ":season"
}

var seasonShort = strings.NewReplacer("FARM1", farm(1), "FARM2", farm(2), "FARM3", farm(3), "WARD", farm(4), "SEASON", string(season), "DOC", strings.Repeat("ab", 32))

// plays takes each line: who at whose portal, the form's address behind the
// cooperatives, what is filled in, who signs beside, and what the page then says.
func (s seasons) plays(t *testing.T, script string) {
	t.Helper()
	for _, line := range strings.Split(strings.TrimSpace(script), "\n") {
		cells := strings.Split(seasonShort.Replace(line), "|")
		if len(cells) != 5 {
			t.Fatalf("%d cells in %q", len(cells), line)
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		who, portal, _ := strings.Cut(cells[0], "@")
		v := s[portal].logsIn(tape.ID(who))
		if v.Helper(); cells[2] == "offers" {
			v.offers(t, cells[1], cells[4])
			continue
		}
		v.fillsIn(cells[1], cells[2])
		for _, signer := range strings.Fields(cells[3]) {
			other := s[portal].logsIn(tape.ID(signer))
			other.request(http.MethodGet, v.place, nil)
			other.signs(tape.ID(signer))
			v.body, v.code = other.body, other.code
		}
		for _, want := range strings.Split(cells[4], "; ") {
			v.reads(want)
		}
		if t.Failed() {
			t.Fatalf("in %q:\n%s", line, inWords(v.body))
		}
	}
}

// inWords is what a page says, without its marks.
func inWords(body string) string {
	_, body, _ = strings.Cut(body, "<main")
	return regexp.MustCompile(`\s+`).ReplaceAllString(html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(body, " ")), " ")
}

// fillsIn opens a form and sends it; of what is in it already, only what is named changes.
func (v *visitor) fillsIn(path, typed string) {
	v.Helper()
	page := "/en" + path
	if !strings.HasPrefix(path, "/") {
		page = "/en/cooperatives/" + string(season) + "/acts/" + path
	}
	v.request(http.MethodGet, page, nil)
	form := url.Values{}
	for _, input := range regexp.MustCompile(`<input[^>]* name="([^"]+)"[^>]*? value="([^"]*)"`).FindAllStringSubmatch(v.body, -1) {
		if !strings.Contains(input[0], `type="checkbox"`) {
			form.Add(html.UnescapeString(input[1]), html.UnescapeString(input[2]))
			form.Set(login.FormToken, form.Get(login.FormToken)) // the page has another form, which logs out
		}
	}
	for _, choice := range regexp.MustCompile(`(?s)<select[^>]* name="([^"]+)".*?</select>`).FindAllStringSubmatch(v.body, -1) {
		chosen := regexp.MustCompile(`<option value="([^"]*)" selected>`).FindStringSubmatch(choice[0])
		if chosen == nil {
			chosen = regexp.MustCompile(`<option value="([^"]*)">`).FindStringSubmatch(choice[0])
		}
		form.Add(choice[1], chosen[1])
	}
	for _, field := range strings.Split(typed, ";") {
		if name, value, is := strings.Cut(strings.TrimSpace(field), "="); is {
			form.Set(name, value)
			for _, more := range strings.Split(value, "+")[1:] {
				form[name] = append([]string{strings.Split(value, "+")[0]}, append(form[name][1:], more)...)
			}
		}
	}
	if v.code != http.StatusOK {
		return // the page says why
	}
	v.request(http.MethodPost, page, form)
}

// offers compares the acts to which a page leads with those that are named.
func (v *visitor) offers(t *testing.T, path, want string) {
	v.Helper()
	v.request(http.MethodGet, "/en"+path, nil)
	var got []string
	for _, link := range regexp.MustCompile(`/acts/([a-z-]+)(?:[?"])`).FindAllStringSubmatch(v.body, -1) {
		got = append(got, link[1])
	}
	slices.Sort(got)
	if all := strings.Join(slices.Compact(got), " "); v.code != http.StatusOK || all != want {
		t.Errorf("%s at %s (%d) is offered %q; want %q", v.place, path, v.code, all, want)
	}
}

// TestSeasonOnPages: what staff and households do over the forms, each act offered
// where the contract lets it be begun and nowhere else, and refused at the field
// that is to be mended.
func TestSeasonOnPages(t *testing.T) {
	s := newSeasons(t)
	s.plays(t, `
officer@coop | /cooperatives | offers | | open-scheme
teller@bank | /cooperatives | offers | | open-lending
maker@coop | /cooperatives | offers | |
officer@coop | /acts/open-scheme | scheme=SEASON;custodian=outside:bank:season;lenders=bank;member-max=60000.00 CNY;size-max=6 | | 6 is not 3 to 5; value="60000.00 CNY"
officer@coop | /acts/open-scheme | scheme=SEASON;custodian=outside:bank:season;lenders=bank;member-max=60000.00 CNY | officer inspector | Done: it stands on the ledger.
officer@coop | /cooperatives/SEASON | offers | | admit amend-scheme declare-stay name-supplier
teller@bank | /cooperatives/SEASON | offers | | accept-scheme
farmer-1@coop | /cooperatives/SEASON | offers | |
officer@coop | accept-scheme | | | does not do this
teller@bank | accept-scheme | | teller manager | Done: it stands on the ledger.
officer@coop | /cooperatives/SEASON | offers | | admit agree amend-scheme declare-stay name-supplier
officer@coop | admit | household=FARM1;person=nobody;fingerprint=invented-household-01A;adult=true;capacity=true | | there is no person nobody
officer@coop | admit | household=FARM1;person=farmer-1;fingerprint=invented-household-01A;adult=true | | Of full capacity; is empty
officer@coop | admit | household=FARM1;person=farmer-1;fingerprint=invented-household-01A;adult=true;capacity=true | officer inspector | Done: it stands on the ledger.
officer@coop | admit | household=FARM2;person=farmer-2;fingerprint=invented-household-02A;adult=true;capacity=true | officer inspector | Done
officer@coop | admit | household=FARM3;person=farmer-3;fingerprint=invented-household-03A;adult=true;capacity=true | officer inspector | Done
officer@coop | admit | household=WARD;person=ward;fingerprint=invented-household-04A;adult=true;capacity=true | officer inspector | Done
officer@coop | /cooperatives/SEASON/households/FARM1 | offers | | leave member-died relate replace-signer
farmer-1@coop | /cooperatives/SEASON/households/FARM1 | offers | | leave
farmer-1@coop | /cooperatives/SEASON/households/FARM2 | | | Log
officer@coop | relate?household=FARM1 | other=FARM1 | | is the same household
officer@coop | form-group | group=g1;members.household=FARM1+FARM2+FARM3;group-max=100000.00;expiry=2028-01-01;text-en=DOC;text-zh=DOC | officer inspector | Done
officer@coop | form-group | group=g2;members.household=FARM1+FARM2+WARD;group-max=100000.00;expiry=2028-01-01;text-en=DOC;text-zh=DOC | officer inspector | Done
officer@coop | /cooperatives/SEASON/groups/g1 | offers | | reject-group sign-group
teller@bank | /cooperatives/SEASON/groups/g1 | offers | |
farmer-1@coop | /me | offers | | sign-group
farmer-1@coop | /cooperatives/SEASON/groups/g1 | offers | | sign-group
farmer-1@coop | sign-group?group=g1&household=FARM2 | | | forbidden
farmer-1@coop | endorse?group=g1 | | | This page is for maker
ward@coop | sign-group?group=g2&household=WARD | | | the key of ward is agent-held; jointly and severally; If you do not want this
farmer-1@coop | sign-group?group=g1&household=FARM1 | | | jointly and severally; 100,000.00 CNY; 60,000.00 CNY; If you do not want this; Do not sign. The group does not begin without you; Sign on your own device; Still to sign
farmer-1@coop | sign-group?group=g1&household=FARM1 | | farmer-1 | Done: it stands on the ledger.
officer@coop | sign-group?group=g1 | household=FARM2 | farmer-2 | Done: it stands on the ledger.
officer@coop | endorse?group=g1 | | | wrong-state
farmer-3@coop | sign-group?group=g1&household=FARM3 | | farmer-3 | Done: it stands on the ledger.
farmer-3@coop | /me | offers | |
officer@coop | /cooperatives/SEASON/groups/g1 | offers | | endorse reject-group
officer@coop | endorse?group=g1 | | officer inspector | Done
teller@bank | /cooperatives/SEASON/groups/g1 | offers | | approve-group reject-group
teller@bank | approve-group?group=g1 | | teller manager | Done
officer@coop | /cooperatives/SEASON/groups/g1 | offers | | exit expel refill wind-down
farmer-1@coop | /cooperatives/SEASON/groups/g1 | offers | | exit
officer@coop | reject-group?group=g2 | reason=withdrawn | officer inspector | Done
teller@bank | /acts/open-lending | lending=lender:bank:season;custodian=outside:bank:lending | teller manager | Done
teller@bank | offer-product | product=inputs;lenders.lender=bank;lenders.lending=lender:bank:season;lenders.share=90;least=500.00;most=20000.00;purposes=inputs;term-days=100;method=equal-principal;rate=6;instalments=4;every-weeks=2 | | Nothing was done yet
teller@bank | offer-product | product=inputs;lenders.lender=bank;lenders.lending=lender:bank:season;lenders.share=100;least=500.00;most=20000.00;purposes=inputs;term-days=100;method=equal-principal;rate=6;instalments=4;every-weeks=2 | teller manager | Done
farmer-1@coop | /cooperatives/SEASON/households/FARM1 | offers | | apply-loan
farmer-1@coop | apply-loan?household=FARM1 | group=g1;product=inputs;amount=400000.00;purpose=inputs | | Nothing was done yet; 400000.00
farmer-1@coop | apply-loan?household=FARM1 | group=g1;product=inputs;amount=4000.00;purpose=inputs | | Asking binds nobody yet; Annual percentage rate (APR); 1,006.90 CNY; Sign on your own device
farmer-1@coop | apply-loan?household=FARM1 | group=g1;product=inputs;amount=4000.00;purpose=inputs | farmer-1 | Done
`)
	loan := s.loan(t)
	s.plays(t, strings.ReplaceAll(`
farmer-2@coop | /me | offers | | guarantee-loan
farmer-1@coop | /cooperatives/SEASON/loans/LOAN | offers | | withdraw-loan
teller@bank | /cooperatives/SEASON/loans/LOAN | offers | |
teller@bank | decide-loan?loan=LOAN | amount=4000.00;reason=meets-conditions | | only what was referred is decided
farmer-2@coop | guarantee-loan?loan=LOAN&household=FARM2 | | | You guarantee this loan of another household; 4,000.00 CNY; you need give no reason
farmer-2@coop | guarantee-loan?loan=LOAN&household=FARM2 | | farmer-2 | Done
officer@coop | guarantee-loan?loan=LOAN | household=FARM3 | farmer-3 | Done
teller@bank | /cooperatives/SEASON/loans/LOAN | offers | | decide-loan
teller@bank | decide-loan?loan=LOAN | amount=5000.00;reason=meets-conditions | | 5000.00 CNY is not zero to 4000.00 CNY
teller@bank | decide-loan?loan=LOAN | amount=4000.00;reason=meets-conditions | teller manager | Done
farmer-1@coop | /me | offers | | contract-loan
farmer-1@coop | contract-loan?loan=LOAN | | | You take this loan; 1,006.90 CNY; Annual percentage rate (APR)
farmer-1@coop | contract-loan?loan=LOAN | | farmer-1 | Done
farmer-1@coop | /cooperatives/SEASON/loans/LOAN | offers | | withdraw-loan
teller@bank | /cooperatives/SEASON/loans/LOAN | offers | | disburse-loan
teller@bank | disburse-loan?loan=LOAN | payee=outside:supplier:seeds;amount=4000.00 | | forbidden
officer@coop | agree | commodity=coffee;forms.form=cherry;forms.grades=ripe green;stores.store=mill;stores.keeper=coop | officer inspector teller | Done: it stands on the ledger.
officer@coop | /cooperatives/SEASON | offers | | admit agree amend-scheme declare-stay deliver form-group name-supplier
officer@coop | deliver?household=FARM1 | form=bean;grade=ripe;gross=100000;store=mill;harvested=2026-01-01 | | form
officer@coop | deliver?household=FARM1 | form=cherry;grade=ripe;gross=100000;store=mill;harvested=2026-01-01 | officer farmer-1 | Done
`, "LOAN", loan))
	lots, err := s["coop"].model.Records(t.Context(), "lot/"+string(season)+"/", readmodel.Window{Limit: 2})
	if err != nil || len(lots.Items) != 1 {
		t.Fatal(lots.Items, err)
	}
	s.plays(t, `
officer@coop | sell | id=sale-1;lots=`+strings.TrimPrefix(lots.Items[0].Key, "lot/"+string(season)+"/")+`;buyer=outside:buyer:roaster;price-per-tonne=30000.00;proceeds=3000.00;invoice-document=DOC | officer inspector | Done
officer@coop | open-settlement?sale=sale-1 | | | insufficient`)
	s["coop"].buyerPays(300_000)
	s.plays(t, `officer@coop | open-settlement?sale=sale-1 | | officer inspector | Done`)
	officer := s["coop"].logsIn("officer")
	const page = "/en/cooperatives/" + string(season) + "/settlements/sale-1"
	officer.request(http.MethodGet, page, nil)
	farmer := s["coop"].logsIn("farmer-1")
	for _, v := range []*visitor{farmer, officer, officer} { // nobody else runs it, and twice is once
		v.posts(page + "/run")
	}
	farmer.reads("This was not done")
	officer.request(http.MethodGet, page, nil)
	officer.reads("1 of 1 household settled")
	if strings.Contains(officer.body, page+"/run") {
		t.Error("a settlement that is closed can be run")
	}
}

// buyerPays lets so much come to the scheme's account, by a line of its bank.
func (w *town) buyerPays(units int64) {
	w.Helper()
	gift := tape.Gift{ID: "proceeds", Amount: yuan(units), Reference: reference(90)}
	line := tape.Line{Number: 1, Date: w.today(), Amount: yuan(units), Reference: gift.Reference}
	lines, _, err := tape.LinesBody(tape.CreditSide, []tape.Line{line})
	made(w.ledger, lines, err)
	w.as("coop", "gateway", "Tape:Receive", tape.Receive{Account: season, ID: "proceeds", Count: 1, Total: gift.Amount, Gifts: []tape.Gift{gift}})
	w.bank("Tape:FileStatement", tape.FileStatement{Account: "outside:bank:season", ID: "season", From: line.Date, To: line.Date, Opening: yuan(0), Closing: line.Amount, Count: 1, Pages: []tape.LinesPage{lines}})
	w.bank("Tape:FileLines", tape.FileLines{Account: "outside:bank:season", ID: "season-lines", Lines: []tape.Line{line}, Statement: "season"})
	w.as("coop", "gateway", "Tape:Settle", tape.Settle{Account: season, ID: "proceeds-settled", Items: []tape.SettleItem{{Source: "proceeds", Lines: &tape.LinesRef{Statement: "season"}}}})
	w.follow()
}

// today is the day by which the town's portal counts.
func (w *town) today() tape.Date {
	return tape.Date(w.network.Clock().Add(8 * time.Hour).Format(time.DateOnly))
}

// loan is the one that stands.
func (s seasons) loan(t *testing.T) string {
	t.Helper()
	found, err := s["coop"].model.Loans(t.Context(), readmodel.LoanFilter{Scheme: season}, readmodel.Window{Limit: 2})
	if err != nil || len(found.Items) != 1 {
		t.Fatal(found.Items, err)
	}
	return string(found.Items[0].ID)
}
