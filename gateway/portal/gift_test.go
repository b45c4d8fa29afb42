package portal

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	meals = tape.AccountID("charity:sunrise:meals")
	lost  = tape.AccountID("charity:sunrise:lost")
)

// mealsOpen opens a second campaign, and puts a line that nobody claimed aside.
func (w *town) mealsOpen() {
	w.Helper()
	plan := fund.Plan{Area: "CN-53", Beneficiaries: fund.Text{En: "Children"}, From: "2025-12-01", To: "2026-12-31", Goal: yuan(100), Leftover: speech, Donors: []tape.ID{"giver"},
		Purpose: fund.Text{En: "Meals"}, Regulator: "coop", Sector: "12220", Title: fund.Text{En: "Meals", Zh: "供餐"},
		Lines: []fund.BudgetLine{{Amount: yuan(100), ID: "meals", Kind: fund.Programme, Title: fund.Text{En: "Meals"}}}}
	w.decided("open-campaign", "Fund:OpenCampaign", meals, 0, fund.OpenCampaign{Account: meals, Basis: fund.Agreement, Custodian: bank, ID: "open-meals", Plan: plan})
	w.charity("Tape:Open", tape.Open{Account: lost, Attribution: tape.FIFO, Currency: "CNY", Custodian: bank, ID: "open-lost", Unidentified: speech})
	gift := tape.Gift{ID: "line-9", Amount: money.New(700, "CNY")}
	w.charity("Tape:Receive", tape.Receive{Account: lost, ID: "lost", Count: 1, Total: gift.Amount, Gifts: []tape.Gift{gift}})
	w.charity("Tape:Settle", tape.Settle{Account: lost, ID: "settle-lost", Items: []tape.SettleItem{{Source: "lost", SelfDeclared: true}}})
	w.charity("Tape:Receive", tape.Receive{Account: speech, ID: "late", Count: 1, Total: yuan(900), Gifts: []tape.Gift{{ID: "late-1", Amount: yuan(900)}}})
	w.follow()
}

// done takes an act to the ledger with two signatures.
func (w *town) done(maker *visitor) {
	w.Helper()
	maker.signs("maker")
	checker := w.logsIn("checker")
	checker.request(http.MethodGet, maker.place, nil)
	checker.signs("checker")
	checker.reads("Done: it stands on the ledger.")
}

// TestGiftActs refunds, moves, identifies and withdraws over the forms that the
// gift's page leads to, on the real contracts.
func TestGiftActs(t *testing.T) {
	w := newTown(t)
	w.mealsOpen()
	maker := w.logsIn("maker")
	first, second := given[0], given[1]
	maker.request(http.MethodGet, "/en/gifts/"+string(first.ID)+"?account="+string(speech)+"&page=page-1", nil)
	maker.reads("/acts/refund-gift?gift="+string(first.ID), "/acts/correct-gift?gift="+string(first.ID))
	for _, c := range []struct {
		act    string
		fields []string
		want   string
	}{
		{"refund-gift", []string{"page", "page-1", "gift", "nobody"}, "there is no gift nobody"},
		{"correct-gift", []string{"page", "page-1", "gift", string(first.ID), "receiver", string(training), "why", "wrong-reference"}, string(training)},
		{"correct-gift", []string{"page", "page-1", "gift", string(first.ID), "receiver", string(meals), "why", "because"}, "is not one of wrong-reference"},
		{"withdraw-page", []string{"page", "page-1", "why", "not-paid"}, "is settled already"},
		{"identify-gift", []string{"home", string(lost), "page", "lost", "gift", "line-8"}, "there is no gift line-8"},
	} {
		maker.asks(c.act, c.fields...)
		maker.reads(c.want)
		if strings.Contains(maker.place, "/drafts/") {
			t.Errorf("%s %v became a draft", c.act, c.fields)
		}
	}
	maker.asks("correct-gift", "page", "page-1", "gift", string(first.ID), "receiver", string(meals), "why", "wrong-reference")
	maker.reads("Move gift "+string(first.ID), "from "+string(speech)+" to "+string(meals))
	w.done(maker)
	maker.request(http.MethodGet, "/en/gifts/"+string(first.ID)+"?account="+string(speech)+"&page=page-1", nil)
	maker.reads("moved from "+string(speech)+" to "+string(meals), "named another campaign")
	maker.asks("refund-gift", "page", "page-1", "gift", string(second.ID))
	maker.reads("Refund gift " + string(second.ID))
	w.done(maker)
	maker.asks("identify-gift", "home", string(lost), "page", "lost", "gift", "line-9")
	maker.reads("Give the unclaimed money line-9")
	w.done(maker)
	maker.request(http.MethodGet, "/en/gifts/late-1", nil)
	maker.reads("/acts/withdraw-page?gift=late-1", "/acts/declare-page?gift=late-1")
	maker.asks("withdraw-page", "page", "late", "why", "not-paid")
	maker.reads("Withdraw page late")
	w.done(maker)
	maker.request(http.MethodGet, "/en/gifts/late-1", nil)
	maker.reads("withdrawn: it never came", "it was never paid")
	for _, function := range []string{"Tape:Correct", "Tape:Refund", "Tape:Identify", "Tape:Withdraw"} {
		if !slices.Contains(w.carried, function) {
			t.Errorf("%s was not carried: %v", function, w.carried)
		}
	}
}
