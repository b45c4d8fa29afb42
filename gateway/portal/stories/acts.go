package stories

import (
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/acts"
	"github.com/lianbao/lianbao/gateway/portal/views"
)

// actPages are the form of every act, and some that were sent with faults.
func actPages() []Story {
	f := facts()
	var all []Story
	for _, act := range acts.Of(acts.Campaign) {
		page := formOf(act)
		if !act.Apart {
			page.Account, page.Title = training, &f.Title
		}
		if act.Name == "accept-filing" {
			page.Compare = []views.Compared{{Label: "to", Before: "2026-11-30", After: "2027-05-31"}, {Label: "lines", Before: "travel 90,000.00 CNY", After: "travel 80,000.00 CNY"}}
		}
		all = append(all, Story{"act-" + act.Name, "The form of an act: " + act.Name, page})
	}
	return append(all, Story{"act-faults", "A form with much to mend", faulty(all[1].Page.(views.Act))})
}

// formOf is the empty form of an act.
func formOf(act acts.Act) views.Act {
	page := views.Act{Act: act.Name, Subject: string(act.Subject), ID: tape.ID(act.Name + "-7c1f90ab12de3456"), Person: maker, Token: "invented", Back: "/work", Path: "/acts/" + act.Name}
	for _, field := range act.Fields {
		shown := views.ActField{ActColumn: column(field), Required: field.Required, Header: field.Header()}
		for _, of := range field.Columns {
			shown.Columns = append(shown.Columns, column(of))
		}
		if field.Kind == acts.Rows {
			shown.Rows = [][]string{make([]string, len(field.Columns)), make([]string, len(field.Columns))}
		}
		page.Fields = append(page.Fields, shown)
	}
	return page
}

func column(field acts.Field) views.ActColumn {
	return views.ActColumn{Name: field.Name, Kind: string(field.Kind), Choices: field.Choices, Family: field.Family}
}

// faulty is the form of an amendment as it comes back.
func faulty(page views.Act) views.Act {
	page.Fields = append([]views.ActField(nil), page.Fields...)
	page.Faulty, page.Refusal = true, &views.Refusal{Code: "wrong-state", Text: "charity:sunrise:training was closed on 2026-03-01T00:00:00.000Z"}
	for i, field := range page.Fields {
		fault := views.ActFault{Refusal: views.Refusal{Code: "invalid", Text: "is empty"}}
		if field.Kind == string(acts.Rows) {
			fault.Row, fault.Column = 2, "amount"
			page.Fields[i].Rows = [][]string{{"training", fund.Programme, "Training", "康复训练", "450,000.00"}, {"travel", fund.Programme, "Travel", "交通补助", "1,50"}}
		}
		page.Fields[i].Value, page.Fields[i].English, page.Fields[i].Faults = "typed", "Typed", []views.ActFault{fault}
	}
	return page
}

// life is what belongs to an invented campaign beside its money.
func life() views.Life {
	cited := fund.Cited{V: 1, For: "charity/receive-goods-1", Entry: "charity/cite-1", Citation: fund.Citation{Kind: "delivery-note"}}
	cited.Hash[0] = 0x5d
	return views.Life{Children: []views.Child{{Account: "charity:sunrise:training-north", Title: text("Training, northern villages", "康复训练（北片村庄）"), Basis: "earmark"}},
		Partners: []fund.Invitation{{V: 1, Partner: "partner:coop:transport", Organisation: "coop", Entry: "charity/invite-1"}, {V: 1, Partner: "partner:coop:books", Organisation: "coop", Withdrawn: true, Entry: "charity/invite-2"}},
		Agents:   []fund.Agent{{V: 1, Person: "invented-agent-1", PayeesMax: 40, Payees: 24, Entry: "charity/appoint-1"}, {V: 1, Person: "invented-agent-2", PayeesMax: 20, Ended: true, Entry: "charity/appoint-2"}},
		Pledges:  []fund.Pledge{{V: 1, ID: "pledge-1", Amount: yuan("5000.00"), Due: "2026-06-30", State: "open", Entry: "charity/pledge-1"}, {V: 1, ID: "pledge-2", Amount: yuan("1200.00"), Due: "2026-02-28", State: "kept", Gift: "page-1/GIFT-1", Entry: "charity/pledge-2"}},
		Goods:    []fund.Goods{{V: 1, ID: "blankets", Item: "blanket", Unit: "piece", Quantity: 200, Given: 60, Entry: "charity/blankets"}}, Cited: []views.Evidence{{Cited: cited}}}
}
