package stories

import (
	"strings"

	"github.com/lianbao/lianbao/chaincode/bookkeeping"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/cooperative"
	"github.com/lianbao/lianbao/gateway/portal/views"
)

// bookkeepers are the bookkeeper's pages and the regulator's quarter.
func bookkeepers() []Story {
	return append(append(monthStories(), paperStories()...), quarterStories()...)
}

func monthClosed(month bookkeeping.Month) *bookkeeping.Close {
	return &bookkeeping.Close{Organisation: "coop", Month: month, Zone: "+08:00", Entries: 214, Late: 1, Through: bookkeeping.Through{Block: 1204, Entry: "bank/repay-3"}, Previous: &party.Hash{0xab, 0xcd}, At: at("2026-03-02 09:12"), Entry: "coop/close-" + string(month)}
}

func balance() cooperative.TrialBalance {
	row := func(account string, memo bool, opening, debit, credit, closing string) cooperative.BalanceRow {
		return cooperative.BalanceRow{Account: account, Memo: memo, Accounts: 1, Opening: yuan(opening), Debit: yuan(debit), Credit: yuan(credit), Closing: yuan(closing)}
	}
	return cooperative.TrialBalance{Organisation: "coop", From: "2026-02-01", To: "2026-02-28", Balanced: true, Rows: []cooperative.BalanceRow{
		row("coop:coop:coffee", false, "12300.00", "41200.00", "41200.00", "12300.00"), row("others", false, "-8000.00", "17270.00", "0.00", "9270.00"),
		row("outside:bank:coop", false, "-20000.00", "0.00", "41200.00", "-61200.00"), row("outside:household", false, "15700.00", "23930.00", "0.00", "39630.00"),
		row("others", true, "0.00", "12.40", "0.00", "12.40"), row("receivable:coop:coop:coffee", true, "0.00", "0.00", "12.40", "-12.40")},
		Totals: []cooperative.BalanceTotal{{Currency: "CNY", Opening: yuan("0.00"), Debit: yuan("82400.00"), Credit: yuan("82400.00"), Closing: yuan("0.00")}, {Currency: "CNY", Memo: true, Opening: yuan("0.00"), Debit: yuan("12.40"), Credit: yuan("12.40"), Closing: yuan("0.00")}}}
}

func monthStories() []Story {
	line := func(month bookkeeping.Month, state string, next bool, closed *bookkeeping.Close) cooperative.MonthLine {
		return cooperative.MonthLine{Month: month, State: state, Next: next, Close: closed}
	}
	list := views.Months{Organisation: "coop", Next: "2026-02", Act: true, Rows: []cooperative.MonthLine{line("2026-03", cooperative.MonthRuns, false, nil), line("2026-02", cooperative.MonthOpen, true, nil), line("2026-01", cooperative.MonthClosed, false, monthClosed("2026-01"))}}
	closed := cooperative.Month{Organisation: "coop", MonthLine: line("2026-02", cooperative.MonthClosed, false, monthClosed("2026-02")), Balance: balance(), Sheet: party.Hash{0x12, 0x34, 0x56}, Entries: 214, Late: 1, Through: bookkeeping.Through{Block: 1204, Entry: "bank/repay-3"}, Agrees: true,
		Adjustments: []cooperative.Adjustment{{Entry: "bank/settle-2", Kind: "settle", Booked: "2026-01-31", As: "2026-01-31", Why: "late"}, {Entry: "bank/repay-3", Kind: "repay-loan", Booked: "2026-02-03", As: "2026-01-29", Why: "payment"}}}
	open := closed
	open.MonthLine, open.Agrees, open.Adjustments, open.Late = line("2026-02", cooperative.MonthOpen, true, nil), false, nil, 0
	differs := closed
	differs.Agrees, differs.Adjustments, differs.Differences = false, nil, []cooperative.Difference{{What: "sheet", Closed: strings.Repeat("ab", 32), Found: strings.Repeat("12", 32)}, {What: "entries", Closed: "214", Found: "213"}}
	differs.Balance.Balanced = false
	empty := cooperative.Month{Organisation: "charity", MonthLine: line("2026-03", cooperative.MonthRuns, true, nil), Balance: cooperative.TrialBalance{Organisation: "charity", From: "2026-03-01", To: "2026-03-31", Balanced: true}, Through: closed.Through}
	one := closed
	one.Balance.Rows = one.Balance.Rows[:1]
	lines := []cooperative.AccountLine{{Day: "2026-02-02", Kind: "settle", Entry: "coop/settle-1", Other: "outside:bank:coop", Debit: of("41200.00")}, {Day: "2026-02-03", Kind: "settle-households", Entry: "coop/chunk-1", Other: "outside:household", Credit: of("23930.00")}, {Day: "2026-02-03", Kind: "settle-households", Entry: "coop/chunk-1", Other: "others", Credit: of("17270.00")}}
	return []Story{{"months", "The months of an organisation's books", list}, {"months-none", "An organisation whose books have not begun", views.Months{Organisation: "coop", Quarters: true}},
		{"month-closed", "A month that is closed and agrees", views.BookMonth{Shown: closed}}, {"month-open", "A month that can be closed", views.BookMonth{Shown: open, Act: true}}, {"month-differs", "A month that is not what was closed", views.BookMonth{Shown: differs}}, {"month-empty", "A month in which nothing moved", views.BookMonth{Shown: empty}},
		{"month-account", "One account of a month", views.MonthAccount{Shown: one, Row: "coop:coop:coffee", Lines: lines, More: true}}, {"month-account-none", "An account on which nothing moved", views.MonthAccount{Shown: one, Row: "outside:household"}}}
}

func of(amount string) *money.Amount { parsed := yuan(amount); return &parsed }

func paperStories() []Story {
	letter := func(role, to, text string) cooperative.Letter {
		return cooperative.Letter{To: to, Role: role, Language: "en", Entry: "bank/notice-1", Loan: "loan-7", Date: "2026-03-12", Text: text}
	}
	letters := views.Letters{Scheme: coop(true), Since: "2026-03-09", Rows: []cooperative.Letter{
		letter("borrower", string(nextHome), "NOTICE OF AN OVERDUE INSTALMENT\n\nTo:      "+string(nextHome)+" (borrower)\nFrom:    bank (lender)\nLoan:    loan-7 of coop:coop:coffee\nDate:    2026-03-12\n\nInstalment 2 of your loan is 43 days past due. On 2026-03-12 you\nowe 1,050.00 CNY, with interest and late charges to that day.\n\nOn the ledger as bank/notice-1.\n"),
		letter("guarantor", string(firstHome), "保证人告知书\n\n收件人："+string(firstHome)+"（保证人）\n发件人：bank（贷款人）\n\n您所担保的贷款第 2 期已逾期 43 天。今天不要求您付款。\n\n账本记录：bank/notice-1\n"), letter("cooperative", "coop", "NOTICE TO THE COOPERATIVE\n\nTo:      coop (cooperative)\n")}}
	lot := harvest.Lot{Form: "cherry", Grade: "ripe", Grams: 120_500, Entry: "coop/lot-1", Delivery: &harvest.Delivery{At: at("2026-02-20 08:30")}}
	statement := cooperative.Statement{Scheme: coffee, Household: firstHome, From: "2026-01-01", To: "2026-03-16", Deliveries: []harvest.Lot{lot}, Shares: []cooperative.Share{{Sale: "march-1", Amount: yuan("8420.00"), Rest: yuan("5270.00"), Day: "2026-03-10"}},
		Loans: []cooperative.LoanStatement{{Loan: "loan-1", Since: "2025-12-31", Opening: yuan("9450.00"), Closing: yuan("6384.69"), Lines: []cooperative.StatementLine{{Date: "2026-01-15", Kind: "lent", Amount: yuan("500.00")}, {Date: "2026-03-10", Kind: "paid", Amount: yuan("-3150.00"), Entry: "coop/chunk-1/0"}, {Date: "2026-03-12", Kind: "paid", Amount: yuan("-500.00"), By: string(nextHome), Entry: "bank/repay-8/0"}, {Date: "2026-03-16", Kind: "charged", Amount: yuan("84.69")}}}}}
	nothing := cooperative.Statement{Scheme: coffee, Household: firstHome, From: "2026-03-01", To: "2026-03-16"}
	meets := []loan.Meeting{{Kind: loan.AtPayee, At: "supplier:coop:agrimart", From: "2026-02-01", To: "2026-02-14", Households: []tape.AccountID{firstHome, nextHome}, Loans: []tape.ID{"loan-1", "loan-7"}, Amount: yuan("9400.00")}, {Kind: loan.AtInvoice, At: strings.Repeat("0f", 22), From: "2026-02-03", To: "2026-02-03", Households: []tape.AccountID{nextHome, thirdHome}, Loans: []tape.ID{"loan-7", "loan-9"}, Amount: yuan("4000.00")}}
	return []Story{{"letters", "Notices to print", letters}, {"letters-none", "No notice to print", views.Letters{Scheme: coop(true), Since: "2026-03-09"}},
		{"household-statement", "A household's statement, before itself", views.HouseholdStatement{Scheme: coop(false), Household: firstHome, Own: true, Shown: statement}}, {"household-statement-staff", "A statement of a quiet period, before staff", views.HouseholdStatement{Scheme: coop(true), Household: firstHome, Shown: nothing}},
		{"flags", "Loans of several households that meet", views.Flags{Scheme: coop(true), Shown: cooperative.Flags{Scheme: coffee, Since: "2025-12-16", Days: 30, Flags: meets}}}, {"flags-none", "No loans meet", views.Flags{Scheme: coop(true), Shown: cooperative.Flags{Scheme: coffee, Since: "2025-12-16", Days: 30}}}}
}

func quarterStories() []Story {
	sums := cooperative.Sums{Currency: "CNY", Loans: 37, Households: 34, Gross: yuan("312400.00"), Overdue: yuan("2100.00"), NonPerforming: yuan("4000.00"), Restructured: yuan("8000.00"), WrittenOff: yuan("2200.00"),
		ByClass: []cooperative.Class{{Class: "standard", Loans: 33, Amount: yuan("288400.00")}, {Class: "special-mention", Loans: 3, Amount: yuan("20000.00")}, {Class: "substandard", Loans: 1, Amount: yuan("4000.00")}}, AtRisk: []cooperative.AtRisk{{Days: 30, Amount: yuan("12000.00"), PartsPerMillion: 38_412}, {Days: 90, Amount: yuan("4000.00"), PartsPerMillion: 12_804}}}
	bank := cooperative.LenderFigures{Lender: "bank", Sums: sums, WrittenOffYear: yuan("2200.00"), NonPerformingBasisPoints: 197, Later: cooperative.Later{Count: 2, Amount: yuan("2100.00")}, Restated: 1,
		Frozen: []pool.Snapshot{{Account: county, Lender: "bank", Quarter: "2025-12-31", BasisPoints: 197, Figures: pool.Figures{Gross: 31_450_000, NonPerforming: 400_000, WrittenOff: 220_000}, Entry: "bank/freeze-q"}}}
	quiet := cooperative.LenderFigures{Lender: "coop", Sums: sums, WrittenOffYear: yuan("0.00"), NonPerformingBasisPoints: 128, Later: cooperative.Later{Amount: yuan("0.00")}}
	full := cooperative.QuarterFigures{Quarter: "2025-12-31", From: "2025-10-01", Classes: "2023-1", Lenders: []cooperative.LenderFigures{bank, quiet}, Groups: []cooperative.Counted{{Of: "active", Count: 11}, {Of: "frozen", Count: 1}},
		Calls: []cooperative.CallFigures{{State: "open", Currency: "CNY", Count: 1, Called: yuan("2100.00"), Open: yuan("1400.00")}}, Pools: []cooperative.PoolFigures{{Pool: county, Count: 1, Paid: yuan("3200.00")}}}
	others := []tape.Date{"2025-12-31", "2025-09-30", "2025-06-30"}
	return []Story{{"quarter", "A regulator's figures of a quarter", views.Quarter{Shown: full, Others: others}}, {"quarter-none", "A quarter before anything was lent", views.Quarter{Shown: cooperative.QuarterFigures{Quarter: "2025-06-30", From: "2025-04-01", Classes: "2023-1"}, Others: others}}}
}
