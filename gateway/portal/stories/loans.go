package stories

import (
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/portal/views"
)

// The invented cooperative.
const (
	coffee    = tape.AccountID("coop:coop:coffee")
	firstHome = tape.AccountID("household:abcdefghijklmnopabcdefghijklmnop:coffee")
	nextHome  = tape.AccountID("household:ponmlkjihgfedcbaponmlkjihgfedcba:coffee")
	thirdHome = tape.AccountID("household:hgfedcbaponmlkjihgfedcbaponmlkji:coffee")
	march     = tape.ID("2026-03-C4")
)

func coop(staff bool) views.Scheme {
	s := views.Scheme{Account: coffee, Organisation: "coop", Lenders: []string{"bank", "coop"}, Day: "2026-03-16", Staff: staff}
	if staff {
		s.Acts = []views.AskGroup{{Family: "group", Acts: []views.Ask{{Act: "freeze", Path: "/work"}, {Act: "wind-down", Path: "/work"}}}, {Family: "loan", Acts: []views.Ask{{Act: "confirm-delivery", Path: "/work", About: "order-1"}}}}
	}
	return s
}

// before is a page of a scheme before one of its households, of whom something is asked.
func before(s views.Scheme) views.Scheme {
	s.Asked = []views.Ask{{Act: "sign-group", Path: "/work"}, {Act: "guarantee-loan", Path: "/work"}}
	s.Mine = []views.Ask{{Act: "apply-loan", Path: "/work"}, {Act: "choose-prepayment", Path: "/work"}}
	return s
}

// cooperatives are the pages of a cooperative's loans.
func cooperatives() []Story {
	nothing := views.Cooperative{Scheme: coop(false)}
	nothing.Figures = []views.Sum{{Key: "outstanding", Amount: yuan("0.00"), BasisPoints: -1}}
	return append([]Story{
		{"schemes", "The schemes of cooperatives", views.Schemes{Rows: []views.SchemeRow{{Scheme: coop(false), Outstanding: yuan("312400.00"), Loans: 36}}, Pools: []tape.AccountID{"pool:regulator:county"}}},
		{"schemes-none", "No cooperative lends yet", views.Schemes{}},
		{"cooperative", "A cooperative's loans, before its staff", cooperativeOf(true)},
		{"cooperative-public", "A cooperative's loans, before everybody", cooperativeOf(false)},
		{"cooperative-none", "A cooperative that has not begun", nothing},
	}, append(append(append(settlements(), households()...), lending()...), schemeForms()...)...)
}

func portfolio() views.Portfolio {
	sum := func(key, amount string, basisPoints int) views.Sum {
		return views.Sum{Key: key, Amount: yuan(amount), BasisPoints: basisPoints, Rows: "/cooperatives/" + string(coffee) + "/arrears"}
	}
	p := views.Portfolio{Loans: 36, Households: 34, Outstanding: yuan("312400.00"), Overdue: yuan("9150.00"), AtRisk30: sum("par30", "12808.40", 410), AtRisk90: sum("par90", "4000.00", 128),
		Classes: []views.ClassRow{{Class: "standard", Loans: 30, Amount: yuan("281591.60"), BasisPoints: 9013}, {Class: "special-mention", Loans: 4, Amount: yuan("26808.40"), BasisPoints: 858},
			{Class: "substandard", Loans: 2, Amount: yuan("4000.00"), BasisPoints: 128}, {Class: "doubtful", Amount: yuan("0.00")}, {Class: "loss", Amount: yuan("0.00")}}}
	outstanding := sum("outstanding", "312400.00", -1)
	outstanding.Proof = proof("lianbao audit", step("book-tranche", "bank/book-17", "2026-02-27 09:10", 188), step("repay-loan", "bank/repay-8", "2026-03-12 09:10", 240))
	p.Figures = []views.Sum{outstanding, sum("overdue", "9150.00", 292), p.AtRisk30, p.AtRisk90, sum("nonperforming", "4000.00", 128), sum("written-off", "2200.00", -1)}
	tones := []string{"done", "waits", "failed", "failed", "failed"}
	for i, class := range p.Classes {
		p.Bars = append(p.Bars, views.Bar{Key: class.Class, Amount: class.Amount, Tone: tones[i]})
	}
	return p
}

func cooperativeOf(staff bool) views.Cooperative {
	page := views.Cooperative{Scheme: coop(staff), Portfolio: portfolio(), States: []views.StateCount{{State: "active", Groups: 10}, {State: "frozen", Groups: 1}, {State: "signing", Groups: 1}},
		Dues:  []views.DueDay{{Date: "2026-03-20", Count: 4, Amount: yuan("4200.00")}, {Date: "2026-04-15", Count: 12, Amount: yuan("14870.00")}, {Date: "2026-06-15", Count: 31, Amount: yuan("32550.00")}},
		Sales: []views.SaleRow{{Sale: march, State: "closed", Date: "2026-03-15", Proceeds: yuan("41200.00"), Net: yuan("40000.00"), Grams: 1_030_250}, {Sale: "2026-03-C5", State: "open", Date: "2026-03-16", Proceeds: yuan("8000.00"), Net: yuan("8000.00"), Grams: 200_000}}}
	page.Last = saleSteps()
	if staff {
		page.Groups = []views.GroupRow{{ID: "hill-2", State: "frozen", Households: 4, Loans: 4, Owed: yuan("41300.00"), DaysPastDue: 47, Until: "2028-02-28"},
			{ID: "river-1", State: "active", Households: 5, Loans: 5, Owed: yuan("52000.00"), Until: "2028-02-28"}, {ID: "terrace-9", State: "signing", Households: 3, Owed: yuan("0.00"), Until: "2029-03-31"}}
	}
	return page
}

// stepBars are bars that begin where those before them end; the first is the whole.
func stepBars(amounts ...views.Bar) []views.Bar {
	before := int64(0)
	for i := range amounts[1:] {
		amounts[i+1].From = before
		before += amounts[i+1].Amount.Units
	}
	return amounts
}

func bar(key, amount, tone string) views.Bar {
	return views.Bar{Key: key, Amount: yuan(amount), Tone: tone, Rows: "/cooperatives/" + string(coffee) + "/settlements/" + string(march)}
}

func saleSteps() []views.Bar {
	return stepBars(bar("proceeds", "41200.00", ""), bar("costs", "1200.00", "waits"), bar("overdue", "2100.00", "failed"), bar("window", "14870.00", "waits"), bar("recourse", "300.00", "waits"), bar("prepayment", "1000.00", "waits"), bar("paid-out", "21730.00", "done"))
}

func settlements() []Story {
	row := func(household tape.AccountID, grams int64, amounts ...string) views.SettlementRow {
		var a [7]money.Amount
		for i := range a {
			a[i] = yuan(amounts[i])
		}
		return views.SettlementRow{Household: household, Grams: grams, Share: a[0], Overdue: a[1], Window: a[2], Recourse: a[3], Pool: a[4], Early: a[5], PaidOut: a[6]}
	}
	page := views.Settlement{Scheme: coop(true), Sale: march, State: "closed", Date: "2026-03-15", Buyer: "outside:buyer:examplecoffee", Grams: 1_030_250, Proceeds: yuan("41200.00"), Net: yuan("40000.00"), Households: 37, Settled: 37, Exact: true, WindowDays: 30,
		Costs: []views.SaleCost{{Kind: "transport", Payee: "outside:carrier:exampleroads", Amount: yuan("1200.00")}}, Floor: yuan("500.00"), FloorParts: 200_000,
		Bars: saleSteps(),
		Rows: []views.SettlementRow{row(firstHome, 210_500, "8420.00", "0.00", "3150.00", "0.00", "0.00", "0.00", "5270.00"), row(nextHome, 98_250, "3930.00", "2100.00", "1050.00", "300.00", "0.00", "0.00", "480.00")}, Next: "2",
		Proof: proof("lianbao audit", step("open-settlement", "coop/settle-1", "2026-03-15 08:00", 260, bankLine), step("settle-households", "coop/settle-1.1", "2026-03-15 08:01", 261), step("close-settlement", "coop/settle-2", "2026-03-15 08:02", 262))}
	running := page
	running.Scheme, running.Rows, running.Next, running.State, running.Settled, running.Floor, running.FloorParts, running.Costs = coop(false), nil, "", "open", 12, yuan("0.00"), 0, nil
	running.Bars = stepBars(bar("proceeds", "41200.00", ""), bar("overdue", "2100.00", "failed"), bar("window", "4870.00", "waits"), bar("paid-out", "11000.00", "done"), bar("waiting", "23230.00", "waits"))
	started := page
	started.Run, started.Token, started.State, started.Settled, started.Bars = true, "invented", "open", 12, running.Bars
	broken := page
	broken.Exact, broken.Scheme = false, coop(true)
	broken.Rows = []views.SettlementRow{{Household: thirdHome, Grams: 12_000, Share: yuan("480.00"), Waits: true}}
	return []Story{{"settlement", "A sale that repaid loans first, before staff", page}, {"settlement-running", "A sale that is being shared out, before everybody", running}, {"settlement-run", "A sale that is being shared out, before the cooperative's staff", started}, {"settlement-broken", "A settlement whose parts do not sum", broken}}
}

func loanRow(id tape.ID, stage string, days int, amounts ...string) views.LoanRow {
	return views.LoanRow{Scheme: coffee, ID: id, Household: firstHome, Stage: stage, Class: "standard", Purpose: "inputs", Principal: yuan(amounts[0]), Left: yuan(amounts[1]), Overdue: yuan(amounts[2]), DaysPastDue: days, NextDue: "2026-06-15", Next: yuan("1050.00")}
}

func score() views.Score {
	without := 64
	line := func(indicator, code string, points, of int, value int64, unit string) views.ScoreLine {
		l := views.ScoreLine{Indicator: indicator, Code: code, Points: points, Of: of, Value: value, Unit: unit, Known: code != "missing" && code != "expired"}
		if l.Known {
			l.Entries = []string{"coop/attest-" + indicator}
		}
		return l
	}
	trend := line("sales-trend", "part", 2, 6, 810_000, "parts-per-million")
	trend.Contested = true
	return views.Score{Lender: "bank", Points: 62, Without: &without, Date: "2026-02-20", Model: "coffee-2026-01-01", Limit: yuan("20000.00"), Entry: "bank/assess-3", Factors: []views.ScoreFactor{
		{Factor: "community", Points: 18, Of: 24, Weight: 30, Lines: []views.ScoreLine{line("meetings-attended", "full", 10, 10, 920_000, "parts-per-million"), line("training-completed", "nothing", 0, 6, 0, "count"), line("shared-work", "missing", 0, 0, 0, "days"), line("agreement-breaches", "full", 8, 8, 0, "count")}},
		{Factor: "stability", Points: 14, Of: 34, Weight: 40, Lines: []views.ScoreLine{line("seasons-delivered", "part", 6, 10, 2, "seasons"), trend, line("canopy-index", "expired", 0, 0, 0, "parts-per-million"), line("herd-kept", "part", 4, 9, 14, "months")}},
		{Factor: "reputation", Points: 25, Of: 30, Weight: 30, Lines: []views.ScoreLine{line("days-past-due", "part", 12, 14, 3, "days"), line("call-paid", "bonus", 6, 0, 1, "count")}},
	}}
}

func households() []Story {
	own := views.Household{Scheme: before(coop(false)), Household: firstHome, Person: "p-household-1", Own: true, State: "admitted", Left: yuan("6300.00"), Overdue: yuan("0.00"), Scores: []views.Score{score()},
		Loans:      []views.LoanRow{loanRow("loan-1", "running", 0, "10000.00", "6300.00", "0.00"), {Scheme: coffee, ID: "loan-2", Household: firstHome, Stage: "applied", Purpose: "equipment", Principal: yuan("4000.00"), Left: yuan("0.00"), Overdue: yuan("0.00"), Next: yuan("0.00")}},
		Group:      &views.GroupRow{ID: "river-1", State: "active", Households: 5, Loans: 5, Owed: yuan("52000.00"), Until: "2028-02-28"},
		Share:      &views.HouseholdShare{Sale: march, Date: "2026-03-15", Share: yuan("8420.00"), Rest: yuan("5270.00"), State: "ordered", Hold: "settle-1.1.0", Entry: "coop/settle-1.1", Lines: []views.ShareLine{{Rank: "window", Amount: yuan("3150.00"), Due: "2026-03-15", Loan: "loan-1"}}},
		Guarantees: []views.Guarantee{{LoanRow: loanRow("loan-7", "running", 0, "12000.00", "8000.00", "0.00")}}}
	own.Next = &own.Loans[0]
	own.Guarantees[0].Household = nextHome
	late := own
	late.Scheme, late.Own, late.Overdue, late.OverdueDays, late.Agent, late.Household, late.Person = coop(true), false, yuan("2100.00"), 47, "invented-agent-1", nextHome, "p-household-2"
	late.Loans = []views.LoanRow{loanRow("loan-7", "overdue", 47, "12000.00", "8000.00", "2100.00")}
	late.Group = &views.GroupRow{ID: "hill-2", State: "frozen"}
	late.Guarantees = []views.Guarantee{{LoanRow: loanRow("loan-1", "running", 0, "10000.00", "6300.00", "0.00"), Parts: 250_000}}
	late.Asked = []views.Asked{{Scheme: coffee, Loan: "loan-9", Call: "call-1", Date: "2026-02-20", Until: "2026-03-22", Amount: yuan("700.00"), Paid: yuan("0.00"), Back: yuan("0.00"), State: "asked"}, {Scheme: coffee, Loan: "loan-3", Call: "call-0", Date: "2025-02-20", Until: "2025-03-22", Amount: yuan("0.00"), Paid: yuan("450.00"), Back: yuan("300.00"), State: "met"}}
	late.Owes = []views.Asked{{Scheme: coffee, Loan: "loan-7", Call: "call-2", Date: "2026-02-01", Amount: yuan("300.00"), Back: yuan("300.00"), State: "met"}}
	late.Share = &views.HouseholdShare{Sale: march, Date: "2026-03-15", Share: yuan("3930.00"), Rest: yuan("480.00"), State: "paid", Lines: []views.ShareLine{{Rank: "overdue", Amount: yuan("2100.00"), Due: "2026-01-28", Loan: "loan-7"}, {Rank: "window", Amount: yuan("1050.00"), Due: "2026-03-28", Loan: "loan-7"}, {Rank: "recourse", Amount: yuan("300.00"), Loan: "loan-7"}}}
	free := views.Household{Scheme: coop(false), Household: thirdHome, Person: "p-household-3", Own: true, State: "admitted", Left: yuan("0.00"), Overdue: yuan("0.00"),
		Share: &views.HouseholdShare{Sale: march, Date: "2026-03-15", Share: yuan("480.00"), Rest: yuan("480.00"), State: "waits"}}
	return []Story{{"household", "A household reads about itself", own}, {"household-late", "A household that is overdue, before staff", late}, {"household-free", "A household without loans", free}}
}

func myHouseholds() []views.MyHousehold {
	row := loanRow("loan-1", "running", 0, "10000.00", "6300.00", "0.00")
	return []views.MyHousehold{{Scheme: coffee, Household: firstHome, Left: yuan("6300.00"), Overdue: yuan("0.00"), Next: &row}, {Scheme: "coop:coop:tea", Household: nextHome, Left: yuan("900.00"), Overdue: yuan("300.00"), OverdueDays: 12}}
}
