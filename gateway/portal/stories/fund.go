package stories

import (
	"crypto/sha256"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// family is an invented household.
const family = tape.AccountID("outside:household:ccbpdfphoepioggkooobcaekiaeaplph")

func publications() []Story {
	f := facts()
	figure := func(key, published, here string) views.PublishedFigure {
		return views.PublishedFigure{Key: key, Published: yuan(published), Here: yuan(here)}
	}
	page := views.PublicationPage{Publication: f.Publications[0], Account: training, Title: &f.Title, Organisation: "charity", Source: "Charity Law art. 79", Block: 203,
		Figures: []views.PublishedFigure{figure("raised", "412300.00", "412300.00"), figure("received", "398120.00", "398120.00"), figure("set-apart", "335220.00", "335220.00"),
			figure("paid-or-passed", "301000.00", "301000.00"), figure("confirmed", "288400.00", "288400.00"), figure("management", "12220.00", "12220.00")},
		Months: []views.PublishedMonth{{Month: "2025-12", Settled: yuan("120000.00"), Paid: yuan("0.00"), Confirmed: yuan("0.00")}, {Month: "2026-01", Settled: yuan("278120.00"), Paid: yuan("301000.00"), Confirmed: yuan("288400.00")}},
		Kept:   true, Recount: views.RecountEqual, Document: "/api/v1/publications/" + hash("report")}
	for _, line := range f.Budget {
		page.Lines = append(page.Lines, views.PublishedLine{Title: line.Title, Planned: line.Planned, Ordered: line.Ordered, Paid: line.Paid, Confirmed: line.Confirmed})
	}
	second, differs := page, page
	second.N, second.Previous, second.Kept, second.Document = 2, hash("before"), false, ""
	differs.Recount, differs.Source, differs.Duty, differs.Document = views.RecountDiffers, "", "other", "http://127.0.0.1:8101/api/v1/publications/"+hash("report")
	differs.Figures = append([]views.PublishedFigure{figure("raised", "90071992547409.91", "90071992547409.90")}, page.Figures[1:]...)
	return []Story{{"publication", "A publication that adds up", page}, {"publication-second", "A second publication, whose document is kept elsewhere", second},
		{"publication-differs", "A publication that does not add up", differs}}
}

func exportBooks() []Story {
	f := facts()
	equal := func(key, amount string) views.Equality {
		return views.Equality{Key: key, Left: yuan(amount), Right: yuan(amount)}
	}
	page := views.Books{Account: training, Title: &f.Title, Through: "2026-03-15", Block: 203, Agrees: true, Standards: []string{"iati.xml", "360giving.json"}, Tables: []string{"gifts", "orders", "budget", "disbursements", "payees", "confirmations"},
		Equalities: []views.Equality{equal("settled", "398120.00"), equal("tape", "398120.00"), equal("incoming", "398120.00"), equal("outgoing", "301000.00"), equal("left", "97120.00"), equal("page-settled", "398120.00"), equal("page-paid", "301000.00")}}
	differs := page
	differs.Agrees, differs.Title = false, nil
	differs.Equalities = append([]views.Equality{{Key: "settled", Left: yuan("398120.00"), Right: yuan("398119.99")}}, page.Equalities[1:]...)
	return []Story{{"books", "Books that agree", page}, {"books-differ", "Books that do not agree", differs}}
}

func organisations() []Story {
	ratio := func(key string, share, limit int, least, kept bool, part, whole string) views.YearRatio {
		return views.YearRatio{Kept: kept, Ratio: views.Ratio{Key: key, Share: share, Limit: limit, Least: least, Part: yuan(part), Whole: yuan(whole), Source: "Charity Law art. 61"}}
	}
	none := ratio("spending", 0, 7000, true, true, "0.00", "0.00")
	none.Nothing = true
	mean := ratio("spending", 7253, 7000, true, true, "288780.00", "398120.00")
	mean.Mean = true
	year := func(number string, running bool, ratios ...views.YearRatio) views.Year {
		return views.Year{Year: number, Running: running, Law: "cn-2026-01-01", Income: yuan("398120.00"), Programme: yuan("288780.00"), Management: yuan("12220.00"), Fundraising: yuan("0.00"), Ratios: ratios}
	}
	named := &fund.Publisher{Imprint: fund.Imprint{Identifier: "XE-EXAMPLE-sunrise", Kind: "public-foundation", Language: "zh", License: "https://example.org/terms", Prefix: "360G-example", Source: "https://example.org/exports", Type: "22"}, Entry: "charity/name-publisher-1"}
	other := *named
	other.Kind, other.Prefix, other.License, other.Source = "association", "", "", ""
	full := views.Organisation{Organisation: "charity", Named: named, Title: &views.Text{English: "Sunrise Foundation (invented)", Chinese: "旭日基金会（虚构）"}, Campaigns: accountRows()[:2], Years: []views.Year{
		year("2025", false, none, ratio("management", 1240, 1000, false, false, "62000.00", "500000.00")),
		year("2026", true, mean, ratio("management", 406, 1000, false, true, "12220.00", "301000.00")),
		year("2027", true)}}
	limitless := full
	limitless.Named, limitless.Years = &other, full.Years[2:]
	return []Story{{"organisation", "An organisation's years", full}, {"organisation-limitless", "An organisation of a kind without limits", limitless},
		{"organisation-empty", "An organisation that has said nothing and has no campaigns", views.Organisation{Organisation: "coop"}}}
}

func disbursementRows() []views.DisbursementRow {
	var rows []views.DisbursementRow
	f := facts()
	for i, state := range []readmodel.DisbursementState{readmodel.Proposed, readmodel.Proposed, readmodel.Rejected, readmodel.InPayment, readmodel.Closed, readmodel.Abandoned} {
		rows = append(rows, views.DisbursementRow{Account: training, ID: tape.ID("training-2026-0" + string(rune('1'+i))), Line: f.Budget[0].Title, Amount: yuan("24000.00"), Count: 24, State: state, Approved: i > 0, Date: "2026-03-01"})
	}
	return rows
}

// enrolledPayouts are payouts of a disbursement to payees.
func enrolledPayouts() []views.PayoutRow {
	rows := payoutRows()
	for i := range rows {
		rows[i].Enrolled, rows[i].To = true, family
	}
	return rows
}

func disbursements() []Story {
	f, rows := facts(), disbursementRows()
	proposed := views.Disbursement{DisbursementRow: rows[0], Title: &f.Title, Organisation: "charity", Maker: approvals[0], Root: sha256.Sum256([]byte("root")), Chunks: 2, Listed: 2,
		Expires: at("2026-04-30 00:00"), Entry: "charity/training-2026-01", Evidence: citedEvidence(""),
		Lists: []views.List{{N: 0, Count: 2, Total: yuan("2000.00"), Entry: "charity/training-2026-01.list.0", Payments: []tape.Payment{{To: family, Amount: yuan("1000.00"), Line: "a"}, {To: partner, Amount: yuan("1000.00"), Line: "b"}}},
			{N: 1, Count: 22, Total: yuan("22000.00"), Entry: "charity/training-2026-01.list.1"}}, MoreLists: true}
	unlisted, rejected, paid := proposed, proposed, proposed
	unlisted.Listed, unlisted.Lists, unlisted.MoreLists, unlisted.Evidence = 0, nil, false, nil
	rejected.DisbursementRow, rejected.Rejected = rows[2], &fund.Rejected{Reason: "wrong-payee", By: approvals[1], Entry: "charity/reject-1"}
	paid.DisbursementRow, paid.Approvals, paid.Ran, paid.Payouts, paid.Next, paid.Lists = rows[3], approvals[1:], 1, enrolledPayouts(), "abc", nil
	stopped := paid
	stopped.Chunks, stopped.Listed, stopped.Evidence = 2, 2, citedEvidence("/documents/")
	stopped.Stopped = []views.Stopped{{Payee: family, Amount: yuan("1000.00"), Reason: "payee-account", Since: 1772508000000}}
	stopped.Acting = acting("pay", "abandon")
	return []Story{
		{"disbursements", "Disbursements in every state", views.Disbursements{Account: training, Title: &f.Title, Rows: rows, Next: "abc"}},
		{"disbursements-none", "No disbursements", views.Disbursements{Account: long, State: "closed"}},
		{"disbursement", "A proposal that waits to be decided", proposed}, {"disbursement-unlisted", "A proposal that nobody can read yet", unlisted},
		{"disbursement-rejected", "A proposal that was rejected", rejected}, {"disbursement-paid", "A disbursement in payment", paid},
		{"disbursement-stopped", "A disbursement with a payee whom a flag stops, before a maker", stopped}}
}

// citedEvidence are invented documents; with a path for those who may read them.
func citedEvidence(path string) []views.Evidence {
	var all []views.Evidence
	for _, kind := range []string{"invoice", "delivery-note"} {
		one := views.Evidence{Cited: fund.Cited{V: 1, For: "training-2026-01", Entry: "charity/training-2026-01", Citation: fund.Citation{Hash: sha256.Sum256([]byte(kind)), Kind: kind}}}
		if path != "" {
			one.Path = path + one.Hash.String()
		}
		all = append(all, one)
	}
	return all
}

// documents are pages of documents that are kept here.
func documents() []Story {
	kept := views.Document{Hash: hash("invoice"), Kind: "invoice", MediaType: "image/jpeg", Bytes: 184_223, Removed: []string{"exif", "xmp"}, At: at("2026-03-10 08:00"), Salt: hash("salt")[:32], Person: maker}
	shredded := kept
	shredded.Shredded, shredded.Salt, shredded.Removed = true, "", nil
	return []Story{{"document", "A document that staff may download", kept}, {"document-shredded", "A document that was shredded", shredded}}
}

func payees() []Story {
	f := facts()
	well := views.Payee{Account: training, Title: &f.Title, Payee: family, Kind: fund.Household, Entry: "charity/enrol-1", Keyed: true, Agent: "invented-agent-1",
		CallBack: &fund.CallBack{Outcome: "confirmed", Caller: "p-92ab", Entry: "charity/call-1"}, Flag: &fund.Flag{Entry: "charity/flag-2"}, Payouts: enrolledPayouts(), Next: "abc"}
	flagged := well
	replaced := well
	replaced.Acts = []views.GiftAct{{Act: "replace-person", Path: "/campaigns/" + string(training) + "/acts/replace-person?payee=" + string(family)}}
	replaced.Replaced = &fund.NextPerson{Person: "invented-child-key-02", Reason: "lost-key", From: 1772694000000, Entry: "charity/replace-1"}
	flagged.Keyed, flagged.Agent, flagged.CallBack, flagged.Payouts, flagged.Next = false, "", nil, nil, ""
	open := enrolledPayouts()[0]
	open.State, open.Paid, open.Confirmation, open.Flagged, open.FlaggedSince = views.PayoutOrdered, yuan("0.00"), nil, "payee-account", 1772508000000
	flagged.Payouts = []views.PayoutRow{open}
	flagged.Flag = &fund.Flag{Entry: "charity/flag-3", Raised: []fund.RaisedFlag{{Organisation: "regulator", Reason: "payee-account", Since: 1772508000000, Entry: "regulator/flag-1"},
		{Organisation: "charity", Reason: "call-back", Since: 1772694000000, Entry: "charity/flag-3"}}}
	return []Story{{"payee", "A household and its payouts", well}, {"payee-flagged", "A household whose payouts are stopped", flagged},
		{"payee-replaced", "A household in whose place another person is to sign", replaced}}
}

func trails() []Story {
	var all []Story
	for _, part := range [][]Story{publications(), exportBooks(), organisations(), disbursements(), documents(), payees(), works()} {
		all = append(all, part...)
	}
	return all
}
