package stories

import (
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/cooperative"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

const county = tape.AccountID("pool:regulator:county")

// lending are the pages of groups, loans, lenders, pools and agents.
func lending() []Story {
	return append(append(groups(), loans()...), append(lenders(), agents()...)...)
}

func invitedCall() cooperative.Call {
	return cooperative.Call{Call: recourse.Call{Scheme: coffee, Loan: "loan-7", ID: "call-2", Debtor: nextHome, Amount: yuan("2100.00"), Date: "2026-02-20", State: recourse.Open, Entry: "bank/call-2"},
		OpenAmount: yuan("1400.00"), BorneAmount: yuan("700.00"), Clocks: []cooperative.Clock{
			{Household: firstHome, Share: yuan("1050.00"), Borne: yuan("700.00"), Asked: yuan("0.00"), Spread: yuan("350.00"), Until: "2026-03-22", SpreadUntil: "2026-04-21", PeriodEnd: "2028-01-28"},
			{Household: thirdHome, Share: yuan("1050.00"), Borne: yuan("0.00"), Asked: yuan("1050.00"), Spread: yuan("0.00"), Until: "2026-03-22", PeriodEnd: "2028-01-28", Late: true}}}
}

func groups() []Story {
	signed := &group.Signature{Household: firstHome, Person: "p-household-1", Custody: "own", At: at("2026-02-20 09:00"), Entry: "coop/sign-1"}
	g := group.Group{Scheme: coffee, ID: "hill-2", State: group.Frozen, Effective: "2026-02-28", Below: "2026-03-01", Agreement: group.Agreement{Expiry: "2028-02-28", GroupMax: yuan("100000.00"), MemberMax: yuan("60000.00"), GuaranteeMonths: 24, Lenders: []string{"bank", "coop"}, Shares: group.EqualShares},
		Cause: &group.Cause{Reason: "overdue", Date: "2026-01-29", Entry: "bank/freeze-1"}, Endorsed: &group.Decision{Organisation: "coop", At: at("2026-02-26 10:00"), Entry: "coop/endorse-1"}, Approved: []group.Decision{{Organisation: "bank", At: at("2026-02-27 10:00"), Entry: "bank/approve-1"}},
		Members: []group.GroupMember{{Household: firstHome, Signed: signed, Joined: at("2026-02-28 00:00")}, {Household: nextHome, Signed: signed, Joined: at("2026-02-28 00:00"), PartsPerMillion: 250_000}, {Household: thirdHome, Gone: group.Died, Joined: at("2026-02-28 00:00"), Signed: signed}},
		Joining: &group.Joining{Household: thirdHome}, Entry: "bank/freeze-1"}
	exposure := func(household tape.AccountID, own, guaranteed string, days int32) cooperative.Exposure {
		return cooperative.Exposure{Household: household, Own: yuan(own), Guaranteed: yuan(guaranteed), DaysPastDue: days}
	}
	frozen := views.Group{Scheme: coop(true), Shown: cooperative.Group{Group: g, Exposure: yuan("14300.00"), GroupMax: g.Agreement.GroupMax, DaysPastDue: 47, Calls: []cooperative.Call{invitedCall()},
		Households: []cooperative.Exposure{exposure(firstHome, "6300.00", "8000.00", 0), exposure(nextHome, "8000.00", "6300.00", 47), exposure(thirdHome, "0.00", "14300.00", 0)}},
		Loans: []views.LoanRow{loanRow("loan-7", "overdue", 47, "12000.00", "8000.00", "2100.00"), loanRow("loan-1", "running", 0, "10000.00", "6300.00", "0.00")},
		Proof: proof("lianbao audit", step("sign-group", "coop/sign-1", "2026-02-20 09:00", 180))}
	signing := g
	signing.State, signing.Cause, signing.Below, signing.Effective, signing.Endorsed, signing.Approved, signing.Joining = group.Signing, nil, "", "", nil, nil, nil
	signing.Members = []group.GroupMember{{Household: firstHome, Signed: signed}, {Household: nextHome}}
	begun := views.Group{Scheme: coop(false), Own: true, Shown: cooperative.Group{Group: signing, Exposure: yuan("0.00"), Households: []cooperative.Exposure{exposure(firstHome, "0.00", "0.00", 0), exposure(nextHome, "0.00", "0.00", 0)}}}
	return []Story{{"group", "A group that is frozen, before staff", frozen}, {"group-signing", "A group that waits for signatures, before one of its households", begun}}
}

func loans() []Story {
	record := loan.Loan{Scheme: coffee, ID: "loan-7", Household: nextHome, Group: "hill-2", Product: "season", ProductVersion: 2, Lenders: []loan.Lender{{Organisation: "bank", PartsPerMillion: 700_000}, {Organisation: "coop", PartsPerMillion: 300_000}},
		Terms: terms.Terms{Method: terms.Annuity, RatePartsPerMillion: 84_500, LateRatePartsPerMillion: 42_250, DayCount: terms.Act365}, Supplies: []string{"fertiliser", "seedling"},
		Contract: &loan.Contract{AnnualPercent: "8.78", Date: "2025-12-20", Entry: "coop/contract-7"}, Decision: &loan.Decision{Outcome: "refer", Reasons: []string{"over-limit"}, Score: 62, Limit: yuan("10000.00"), Date: "2025-12-18", Entry: "coop/guarantee-7"},
		Decided: &loan.Decided{Principal: yuan("12000.00"), Reason: "meets-conditions", Date: "2025-12-19", Entry: "bank/decide-7"}, Restructured: []loan.Restructured{{Date: "2026-02-01", Observed: "2027-02-01", Entry: "bank/restructure-7"}},
		Tranches:   []loan.Tranche{{Amount: yuan("9000.00"), Paid: "2025-12-28", Order: "order-1", Entry: "bank/disburse-7"}, {Amount: yuan("3000.00"), Entry: "bank/disburse-8"}, {Amount: yuan("500.00"), Cancelled: true, Entry: "bank/disburse-9"}},
		Guarantors: []loan.Guarantor{{Household: firstHome, Consented: &tape.Approval{}, Entry: "coop/guarantee-7", PartsPerMillion: 500_000}, {Household: thirdHome}}}
	row := func(n int32, due tape.Date, state, left string) cooperative.Instalment {
		return cooperative.Instalment{N: n, Due: due, Principal: yuan("965.31"), Interest: yuan("84.69"), Amount: yuan("1050.00"), Left: yuan(left), State: state}
	}
	late := views.Loan{Scheme: coop(true), Proof: proof("lianbao audit", step("contract-loan", "coop/contract-7", "2025-12-20 09:00", 90)), Shown: cooperative.Loan{Record: record,
		Line:     cooperative.Line{Scheme: coffee, Loan: "loan-7", Household: nextHome, Group: "hill-2", Organisation: "bank", Product: "season", Purpose: "inputs", Stage: "overdue", Principal: yuan("12000.00"), Outstanding: yuan("8000.00"), Due: yuan("2100.00"), DaysPastDue: 47, Class: "special-mention", Observed: true, WrittenOff: true},
		Schedule: []cooperative.Instalment{row(1, "2025-12-28", "paid", "0.00"), row(2, "2026-01-28", "overdue", "1050.00"), row(3, "2026-03-16", "due", "1050.00"), row(4, "2026-06-15", "coming", "1050.00")},
		Owed:     &cooperative.Parts{Costs: yuan("0.00"), Late: yuan("12.40"), Interest: yuan("169.38"), Principal: yuan("8000.00"), Accrued: yuan("31.20"), Ahead: yuan("10.00"), Payoff: yuan("8212.98")},
		Payments: []cooperative.Payment{{Payment: loan.Payment{Amount: yuan("1050.00"), Date: "2025-12-28", Entry: "bank/repay-7"}, Kind: "household"}, {Payment: loan.Payment{Amount: yuan("700.00"), Date: "2026-03-01", Entry: "bank/repay-8"}, Kind: "guarantor"}},
		Orders:   []loan.Order{{ID: "order-1", Supplier: "supplier:coop:agrimart", Category: "fertiliser", Amount: yuan("9000.00"), State: loan.Delivered, Date: "2025-12-24", Entry: "coop/order-1"}},
		Notices:  []loan.Notice{{Instalment: 2, DaysPastDue: 1, Owed: yuan("1050.00"), Date: "2026-01-29", Entry: "bank/notice-1"}}, Calls: []cooperative.Call{invitedCall()}}}
	asked := record
	asked.Contract, asked.Decision, asked.Decided, asked.Restructured, asked.Tranches, asked.Supplies = nil, nil, nil, nil, nil, nil
	applied := views.Loan{Scheme: coop(false), Own: true, Shown: cooperative.Loan{Record: asked, Line: cooperative.Line{Scheme: coffee, Loan: "loan-2", Household: firstHome, Group: "river-1", Organisation: "bank", Product: "season", Purpose: "equipment", Stage: "applied", Principal: yuan("4000.00"), Outstanding: yuan("0.00"), Due: yuan("0.00")}}}
	line := record
	line.ID, line.Household, line.Supplies, line.Restructured, line.Decided = "loan-9", firstHome, nil, nil, nil
	line.Terms.Method, line.Terms.Revolving, line.Terms.LateRatePartsPerMillion = terms.Bullet, true, 0
	line.Tranches = []loan.Tranche{{Amount: yuan("4000.00"), Drawn: "2025-12-27", Paid: "2025-12-28", Holds: []tape.ID{"out-1"}, Entry: "coop/draw-1"}, {Amount: yuan("1000.00"), Drawn: "2026-03-15", Holds: []tape.ID{""}, Entry: "coop/draw-2"}}
	left := yuan("8500.00")
	secured := &harvest.Security{Lender: "bank", CoverPartsPerMillion: 1_500_000, Lots: []harvest.Securing{{Grams: 600_000, Lot: "lot-3", ValuePerTonne: yuan("30000.00")}}}
	drawn := views.Loan{Scheme: coop(true), Shown: cooperative.Loan{Record: line, Available: &left, Security: secured,
		Line:     cooperative.Line{Scheme: coffee, Loan: "loan-9", Household: firstHome, Group: "river-1", Organisation: "bank", Product: "line", Purpose: "inputs", Stage: "running", Principal: yuan("12000.00"), Outstanding: yuan("2500.00"), Due: yuan("0.00"), Class: "standard"},
		Schedule: []cooperative.Instalment{row(1, "2026-01-28", "paid", "0.00"), row(2, "2026-06-15", "coming", "2584.69")},
		Owed:     &cooperative.Parts{Costs: yuan("0.00"), Late: yuan("0.00"), Interest: yuan("0.00"), Principal: yuan("2500.00"), Accrued: yuan("9.20"), Ahead: yuan("0.00"), Payoff: yuan("2509.20")}}}
	list := views.Arrears{Scheme: coop(true), Late: []views.LoanRow{loanRow("loan-7", "overdue", 47, "12000.00", "8000.00", "2100.00")}, Coming: []cooperative.Coming{{Scheme: coffee, Loan: "loan-1", Household: firstHome, Due: cooperative.Due{N: 4, Date: "2026-06-15", Amount: yuan("1050.00")}}}}
	return []Story{{"arrears", "What is overdue and falls due, before staff", list}, {"loan", "A loan that is overdue, before staff", late}, {"loan-line", "A line of credit that is drawn in part, before staff", drawn}, {"loan-applied", "A loan that waits for consents, before its household", applied}}
}

func lenders() []Story {
	quarter := func(day tape.Date, basisPoints int32, suspended bool, ratio int32) cooperative.Quarter {
		return cooperative.Quarter{Snapshot: pool.Snapshot{Quarter: day, Figures: pool.Figures{Gross: 31_240_000, NonPerforming: 400_000, WrittenOff: 220_000}, BasisPoints: basisPoints, Suspended: suspended, Entry: "bank/freeze-q"}, RatioPartsPerMillion: ratio}
	}
	cover := views.PoolCover{Account: county, Currency: "CNY", Covered: cooperative.Covered{Lender: pool.Lender{Lender: "bank", Year: "2026", Used: 320_000}, Quarters: []cooperative.Quarter{quarter("2025-12-31", 197, false, 800_000), quarter("2025-09-30", 912, true, 0)}}}
	lender := views.Lender{Organisation: "bank", Day: "2026-03-16", Staff: true, Books: []views.Book{{Currency: "CNY", Portfolio: portfolio()}}, Schemes: []tape.AccountID{coffee}, Pools: []views.PoolCover{cover}, Late: []views.LoanRow{loanRow("loan-7", "overdue", 47, "12000.00", "8000.00", "2100.00")}, Dues: []views.DueDay{{Date: "2026-04-15", Count: 12, Amount: yuan("14870.00")}}}
	agreed := pool.Terms{Tiers: []pool.Tier{{ToBasisPoints: 200, RatioPartsPerMillion: 800_000}, {ToBasisPoints: 800, RatioPartsPerMillion: 300_000, Consent: true}}, LoanMax: yuan("50000.00"), AnnualPartsPerMillion: 100_000, ClassMin: "substandard", DaysMin: 90, ResumeBasisPoints: 500, ResumeQuarters: 2}
	sum := func(key, amount string) views.Sum {
		return views.Sum{Key: key, Amount: yuan(amount), BasisPoints: -1, Rows: "#claims"}
	}
	shown := cooperative.Pool{Pool: pool.Pool{Account: county, Keeper: "regulator", Currency: money.Currency("CNY"), Version: 2}, Balance: yuan("500000.00"), Promised: yuan("3200.00"), Free: yuan("496800.00"), Terms: agreed, Paid: yuan("3200.00"), Recovered: yuan("640.00"),
		States: []cooperative.Claimed{{State: "sharing", Count: 1, Eligible: yuan("4000.00"), Compensation: yuan("3200.00")}, {State: "submitted", Count: 1, Eligible: yuan("1000.00"), Compensation: yuan("0.00")}}}
	staff := views.Pool{Shown: shown, Sums: []views.Sum{sum("balance", "500000.00"), sum("promised", "3200.00"), sum("free", "496800.00"), sum("paidby", "3200.00"), sum("recovered", "640.00")}, Covers: []views.PoolCover{cover}, Staff: true,
		Claims: []pool.Claim{{ID: "claim-1", Lender: "bank", Scheme: coffee, Loan: "loan-3", State: pool.Sharing, Quarter: "2025-12-31", RatioPartsPerMillion: 800_000, Eligible: 400_000, Compensation: 320_000, Net: 80_000, ToPool: 64_000, Entry: "regulator/share-1"}}}
	public := staff
	public.Staff, public.Claims, public.Covers = false, nil, nil
	empty := views.Lender{Organisation: "coop", Day: "2026-03-16", Schemes: []tape.AccountID{coffee}}
	return []Story{{"lender", "What a lender has lent, before its staff", lender}, {"lender-none", "A lender with nothing on loan", empty}, {"pool", "A pool, before staff", staff}, {"pool-public", "A pool, before everybody", public}}
}

func agents() []Story {
	act := func(kind string, of tape.AccountID) cooperative.Act {
		return cooperative.Act{AgentSignature: readmodel.AgentSignature{Person: "invented-agent-1", Custody: "agent-held", Kind: kind, Organisation: "coop", At: at("2026-03-02 10:12"), Entry: "coop/" + kind + "-4"}, For: of}
	}
	one := cooperative.Agent{Person: "invented-agent-1", Organisation: "coop", Count: 2, Kinds: []cooperative.Carried{{Kind: "deliver", Station: "coop", Count: 1}, {Kind: "join", Station: "coop", Count: 1}},
		Serves: []readmodel.Member{{Member: group.Member{Household: nextHome, State: group.Admitted, At: at("2026-01-02 10:00")}, Scheme: coffee}}, Acts: []cooperative.Act{act("deliver", nextHome), act("join", "")}}
	return []Story{{"agents", "Village agents", views.Agents{Scheme: coop(true), Rows: []cooperative.Agent{one}}}, {"agents-none", "No agent has carried anything", views.Agents{Scheme: coop(true)}}, {"agent", "What one village agent carried", views.Agent{Scheme: coop(true), Shown: one}}}
}
