package stories

import (
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/acts"
	"github.com/lianbao/lianbao/gateway/message"
	"github.com/lianbao/lianbao/gateway/portal/views"
)

// schemeForm is the form of an act about the invented cooperative, as a page led
// to it: known fields are fixed, and what can be chosen is.
func schemeForm(name string, known map[string]string, options map[string][]string) views.Act {
	act, err := acts.Find(name)
	if err != nil {
		panic(err) // the table of acts is the program's own
	}
	page := formOf(act)
	page.Account, page.Back, page.Path = coffee, "/cooperatives/"+string(coffee), "/cooperatives/"+string(coffee)+"/acts/"+name
	for i := range page.Fields {
		field := &page.Fields[i]
		field.Value, field.Fixed = known[field.Name], known[field.Name] != ""
		field.Options = options[field.Name]
	}
	return page
}

func quote() *views.Quote {
	q := &views.Quote{Lent: yuan("4000.00"), Total: yuan("4061.23"), Interest: yuan("61.23"), Annual: "6.168123"}
	for n, due := range []tape.Date{"2026-04-16", "2026-05-16", "2026-06-16", "2026-07-16"} {
		q.Rows = append(q.Rows, views.QuoteRow{N: n + 1, Due: due, Amount: yuan("1015.31"), Principal: yuan("1000.00"), Interest: yuan("15.31")})
	}
	return q
}

// promises are what households are asked to sign.
func promises() (group, guarantee, contract views.Promise) {
	most, member, amount := yuan("100000.00"), yuan("60000.00"), yuan("4000.00")
	group = views.Promise{Act: "sign-group", Own: true, Households: []tape.AccountID{nextHome, thirdHome}, Most: &most, Member: &member, Until: "2029-02-28", Months: 24, Lenders: []string{"bank", "coop"}}
	guarantee = views.Promise{Act: "guarantee-loan", Own: true, Households: []tape.AccountID{nextHome}, Most: &amount, Until: "2026-07-16", Purpose: "inputs", Lenders: []string{"bank"}, Quote: quote()}
	contract = views.Promise{Act: "contract-loan", Own: true, Most: &amount, Purpose: "inputs", Lenders: []string{"bank"}, Quote: quote()}
	return group, guarantee, contract
}

// schemeForms are forms of acts about a cooperative, before its staff and before
// its households.
func schemeForms() []Story {
	group, guarantee, contract := promises()
	signing := schemeForm("sign-group", map[string]string{"group": "hill-2", "household": string(firstHome)}, nil)
	signing.Promise = &group
	takes := schemeForm("contract-loan", map[string]string{"loan": "loan-2"}, nil)
	takes.Promise = &contract
	decides := schemeForm("decide-loan", map[string]string{"loan": "loan-2"}, nil)
	decides.Faulty = true
	decides.Fields[1].Value, decides.Fields[1].Faults = "5000.00", []views.ActFault{{Refusal: views.Refusal{Code: "invalid", Text: "5000.00 CNY is not zero to 4000.00 CNY"}}}
	held := guarantee
	held.Held = true
	draft := views.Draft{ID: hash("guarantee")[:32], Function: "Loan:GuaranteeLoan", Sentence: message.New("sign.guarantee-loan", "Loan", "loan-7", "Amount", "4000.00 CNY", "Account", string(coffee), "Application", "coop/apply-1"), By: "p-household-1", Persons: 1,
		Expires: at("2026-03-17 09:00"), Person: "p-household-1", Mine: true, Back: "/cooperatives/" + string(coffee) + "/loans/loan-7", Missing: []views.Missing{{Person: "p-household-1"}, {Organisation: "bank"}}, Promise: &held,
		Lines: []views.DraftLine{{Field: "account", Value: string(coffee)}, {Field: "loan", Value: "loan-7"}}}
	return []Story{
		{"coop-form-group", "A form of the staff: a group is formed", schemeForm("form-group", nil, nil)},
		{"coop-offer-product", "The longest form: a product is offered", schemeForm("offer-product", nil, nil)},
		{"coop-decide-loan", "A form about one loan, with a field to mend", decides},
		{"coop-make-call", "A form with choices: one guarantor is declared unable", schemeForm("declare-unable", map[string]string{"loan": "loan-7"}, map[string][]string{"guarantor": {string(firstHome), string(thirdHome)}})},
		{"coop-sign-group", "A household is asked to sign its group's agreement", signing},
		{"coop-contract-loan", "A household is asked to sign the contract of its loan", takes},
		{"coop-draft", "A guarantee that waits for its household's signature, whose key the gateway holds", views.Drafts{Draft: &draft, Token: "invented"}},
	}
}
