package stories

import (
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/portal/words"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

func accountRows() []views.AccountRow {
	title := facts().Title
	return []views.AccountRow{
		{ID: training, Title: &title, Organisation: "charity", Raised: yuan("412300.00"), Settled: yuan("398120.00"), Ordered: yuan("34120.00"), Spent: yuan("301100.00")},
		{ID: flood, Organisation: "charity", Raised: dong("135081775728"), Settled: dong("135081775728"), Ordered: dong("0"), Spent: dong("90000000000")},
		{ID: long, Organisation: "charity", Raised: yuan("90071992547409.91"), Settled: yuan("90071992547409.90"), Ordered: yuan("0.01"), Spent: yuan("12345678901234.56")},
	}
}

func homes() []Story {
	rows := accountRows()
	return []Story{
		{"home", "First page", views.Home{Organisation: "charity", Campaigns: rows[:1], Accounts: rows, More: true, Feed: entryRows()}},
		{"home-empty", "First page of an empty ledger", views.Home{Organisation: "charity"}},
		{"accounts", "Accounts, with long names and huge amounts", views.Accounts{Rows: rows, Next: "abc"}},
		{"accounts-empty", "No accounts", views.Accounts{}},
		{"search", "Several things found", views.Search{Query: "7", Hits: []views.Hit{{Kind: "block", Title: "7", Path: "/blocks/7"}, {Kind: "gift", Title: "7", Detail: "100.00 CNY · " + string(training), Path: "/gifts/7"}}}},
		{"search-none", "Nothing found", views.Search{Query: strings.Repeat("nothing-like-this-", 8)}},
		{"search-empty", "Nothing asked", views.Search{}},
	}
}

func figures() []views.Figure {
	path, books := "/campaigns/"+string(training), "/accounts/"+string(training)
	settle := proof("lianbao trace "+string(training), step("settle", "charity/settle-88", "2026-03-02 16:20", 209, bankLine))
	settle.More = -1
	return []views.Figure{
		{Key: "raised", Amount: yuan("412300.00"), Share: -1, Rows: path + "/gifts", Proof: proof("lianbao audit", step("receive", "charity/page-12", "2026-02-14 03:20", 180))},
		{Key: "settled", Amount: yuan("340120.00"), Share: -1, Rows: books + "/settlements", Proof: settle},
		{Key: "declared", Amount: yuan("8000.00"), Share: -1, Rows: books + "/settlements", Proof: proof("lianbao trace "+string(training), step("declare", "charity/declare-3", "2026-03-02 16:40", 210, tape.Evidence{Kind: tape.SelfDeclared}))},
		{Key: "granted", Amount: yuan("50000.00"), Share: -1, Rows: books + "/inflows"},
		{Key: "ordered", Amount: yuan("34120.00"), Share: -1, Rows: path + "/payouts?state=open", Proof: proof("lianbao audit", step("hold", "charity/order-17", "2026-03-01 09:00", 205))},
		{Key: "paid", Amount: yuan("301000.00"), Share: -1, Rows: path + "/payouts?state=captured", Proof: proof("lianbao audit", step("capture", "bank/capture-311", "2026-03-03 09:57", 212, bankLine))},
		{Key: "confirmed", Amount: yuan("288400.00"), Share: 95, Rows: path + "/payouts?state=captured", Proof: proof("lianbao audit")},
		{Key: "disputed", Amount: yuan("300.00"), Share: -1, Rows: path + "/payouts?state=captured"},
		{Key: "free", Amount: yuan("62900.00"), Share: -1, Rows: books}, {Key: "pending", Amount: yuan("14180.00"), Share: -1, Rows: path + "/gifts?state=pending"},
		{Key: "recovered", Amount: yuan("1200.00"), Share: -1, Rows: books + "/inflows"},
		{Key: "returned", Amount: yuan("1000.00"), Share: -1, Rows: "/entries?kind=return"}, {Key: "given-back", Amount: yuan("100.00"), Share: -1, Rows: "/entries?kind=refund"},
		{Key: "unidentified", Amount: yuan("55.00"), Share: -1, Rows: "/accounts/charity:sunrise:unidentified"},
	}
}

func campaigns() []Story {
	months := []views.Month{{Month: "2025-12", In: yuan("120000.00"), Out: yuan("0.00")}, {Month: "2026-01", In: yuan("140000.00"), Out: yuan("96000.00")},
		{Month: "2026-02", In: yuan("88120.00"), Out: yuan("102000.00")}, {Month: "2026-03", In: yuan("0.01"), Out: yuan("103000.00")}}
	full := views.Campaign{Account: training, Organisation: "charity", Custodian: bank, Attribution: tape.FIFO, Facts: facts(), Books: true, Figures: figures(), Flow: flow(),
		Months: months, Gifts: giftRows(4), Payouts: payoutRows(), Feed: entryRows(), Life: life(),
		Acts: []string{"amend-campaign", "enrol", "cite"}, Compare: []views.Compared{{Label: "to", Before: "2026-11-30", After: "2027-05-31"}}}
	plain := full
	plain.Facts = nil
	empty := views.Campaign{Account: training, Organisation: "charity", Custodian: bank, Attribution: tape.FIFO}
	for _, key := range []string{"raised", "settled", "ordered", "paid"} {
		empty.Figures = append(empty.Figures, views.Figure{Key: key, Amount: yuan("0.00"), Share: -1, Rows: "/accounts/" + string(training), Proof: proof("lianbao audit")})
	}
	broken := empty
	broken.Unbalanced = true
	return []Story{
		{"campaign", "Campaign with everything that was filed", full},
		{"campaign-plain", "Campaign of which nothing was filed", plain},
		{"campaign-empty", "Campaign before its first gift", empty},
		{"campaign-broken", "Campaign whose rows do not add up", broken},
		{"campaign-huge", "Dong without decimals, very large", huge()},
		{"campaign-long", "Very long names", lengthy()},
		{"gifts", "Gifts of a campaign", views.Gifts{Account: training, Title: &full.Facts.Title, State: "settled", Rows: giftRows(9), Next: "abc"}},
		{"gifts-none", "No gift fits", views.Gifts{Account: training, State: "unmatched"}},
		{"payouts", "Payouts in every state", views.Payouts{Account: training, Rows: payoutRows(), Next: "abc"}},
		{"payouts-none", "No payout fits", views.Payouts{Account: training, State: "released"}},
	}
}

func huge() views.Campaign {
	all, spent, rest := dong("135081775728"), dong("90000000000"), dong("45081775728")
	return views.Campaign{Account: flood, Organisation: "charity", Custodian: "outside:bank:relief", Attribution: tape.Pooled,
		Figures: []views.Figure{{Key: "raised", Amount: all, Share: -1, Rows: "/campaigns/" + string(flood) + "/gifts"}, {Key: "settled", Amount: all, Share: -1, Rows: "/accounts/" + string(flood) + "/settlements"}},
		Flow: &views.Flow{Nodes: []views.FlowNode{{ID: "a", Key: "gifts", Amount: all}, {ID: "b", Column: 1, Account: flood, Amount: all}, {ID: "c", Column: 2, Key: "more-payees", Count: 1204, Amount: spent, Tone: "done"}, {ID: "d", Column: 2, Key: "free", Amount: rest, Tone: "waits"}},
			Links: []views.FlowLink{{From: "a", To: "b", Amount: all}, {From: "b", To: "c", Amount: spent}, {From: "b", To: "d", Amount: rest}}},
		Months: []views.Month{{Month: "2024-09", In: all, Out: spent}}}
}

func lengthy() views.Campaign {
	page := views.Campaign{Account: long, Organisation: "the-society-for-very-long-names1", Custodian: "outside:" + tape.AccountID(strings.Repeat("b", 32)) + ":" + tape.AccountID(strings.Repeat("c", 32)), Attribution: tape.FIFO, Facts: facts(), Figures: figures()}
	page.Facts.Title = text(strings.Repeat("A campaign whose name does not end ", 6), strings.Repeat("名称特别长的募捐项目", 9))
	page.Facts.Purpose = text(strings.Repeat("Uninterruptedtextwithoutanyspaces", 6), strings.Repeat("非常长的用途说明", 20))
	page.Facts.Filing, page.Facts.Goal, page.Facts.To = "", nil, ""
	return page
}

// feePiece and disputedPiece are paid, and have not reached anybody.
func feePiece(amount string) views.Piece {
	p := state(readmodel.Paid, amount)
	p.Fee, p.To, p.Account, p.Hold, p.Confirmation, p.Entry = true, "outside:processor:invented", "outside:processor:invented", "", nil, "charity/settle-88"
	return p
}

func disputedPiece(amount string) views.Piece {
	p := state(readmodel.Paid, amount)
	p.Confirmation = &views.Confirmation{State: "disputed", Date: "2026-03-05", Custody: "own"}
	return p
}

// state is a piece of a gift in one state.
func state(s readmodel.State, amount string) views.Piece {
	p := views.Piece{State: s, Amount: yuan(amount), Account: training, To: "outside:payee:h-101", Date: "2026-03-03", Entry: "bank/capture-311"}
	switch s {
	case readmodel.Paid:
		p.Account, p.Hold, p.Holder = "outside:payee:h-101", "pay-101", training
		p.Confirmation = &views.Confirmation{State: "confirmed", Date: "2026-03-04", Custody: "own"}
	case readmodel.Ordered:
		expires := at("2026-04-30 00:00")
		p.Hold, p.Holder, p.Entry, p.Expires = "pay-103", training, "charity/order-17", &expires
	case readmodel.Free, readmodel.Pending, readmodel.Unmatched:
		p.Entry = ""
	case readmodel.Shared:
		p.Account, p.Pool = "insurer:county:pool", &readmodel.Pool{Received: yuan("500000.00"), Free: yuan("200000.00"), Held: yuan("0.00"), Spent: yuan("300000.00")}
	case readmodel.More:
		p.Span = &tape.Span{Start: 0, End: 100}
	}
	return p
}

func node(s readmodel.State, amount string, account tape.AccountID, from, to int64, children ...readmodel.Node) readmodel.Node {
	return readmodel.Node{State: s, Amount: yuan(amount), Account: account, Taken: &tape.Span{Start: from, End: to}, Span: &tape.Span{Start: from, End: to}, Children: children,
		Via: &readmodel.Step{Entry: "charity/order-17", Kind: "spend", BusinessDate: "2026-03-01", Block: 205, To: account}}
}

func gifts() []Story {
	root := node(readmodel.Laid, "100.00", training, 500000, 510000,
		node(readmodel.Laid, "62.00", partner, 500000, 506200, node(readmodel.Laid, "62.00", "charity:valley:school", 0, 6200, node(readmodel.Paid, "62.00", "outside:payee:h-101", 0, 6200))),
		node(readmodel.Ordered, "12.00", training, 506200, 507400), node(readmodel.Free, "26.00", training, 507400, 510000))
	root.Children[2].Returned = []readmodel.Return{{Amount: yuan("26.00"), To: "outside:payee:h-105", Back: readmodel.Step{Entry: "bank/return-4", BusinessDate: "2026-03-05"}}}
	title := facts().Title
	g := views.Gift{ID: "GIFT-7Q2F-31", Account: training, Title: &title, Page: "page-12", Amount: yuan("100.00"), Attribution: tape.FIFO, State: readmodel.GiftSettled,
		Evidence: &bankLine, Line: &readmodel.Line{Account: bank, Statement: "2026-03", Number: 17, Date: "2026-02-14", Amount: yuan("100.00")},
		Pieces: []views.Piece{state(readmodel.Paid, "62.00"), state(readmodel.Ordered, "12.00"), state(readmodel.Free, "26.00")}, Root: root,
		Address: "https://ledger.example/en/gifts/GIFT-7Q2F-31?account=charity%3Asunrise%3Atraining&page=page-12",
		Proof: proof("lianbao trace GIFT-7Q2F-31", step("receive", "charity/page-12", "2026-02-14 03:20", 180), step("settle", "charity/settle-88", "2026-03-02 16:20", 209, bankLine),
			step("hold", "charity/order-17", "2026-03-01 09:00", 205), step("capture", "bank/capture-311", "2026-03-03 09:57", 212, bankLine))}
	g.Proof.More = 3
	pending := g
	pending.State, pending.Line, pending.Evidence, pending.Pieces, pending.Root = readmodel.GiftPending, nil, nil, []views.Piece{state(readmodel.Pending, "100.00")}, readmodel.Node{}
	pending.Acts = []views.GiftAct{{Act: "withdraw-page", Path: "/campaigns/x/acts/withdraw-page"}, {Act: "declare-page", Path: "/campaigns/x/acts/declare-page"}}
	gone := pending
	gone.Acts = nil
	gone.State, gone.Pieces, gone.Withdrawn, gone.WithdrawnBy = readmodel.GiftWithdrawn, []views.Piece{state(readmodel.Withdrawn, "100.00")}, "not-paid", "charity/withdraw-1"
	every, back := g, g
	every.Amount, every.Pieces = yuan("650.00"), nil
	for _, s := range []readmodel.State{readmodel.Pending, readmodel.Unmatched, readmodel.Withdrawn, readmodel.Laid, readmodel.Free, readmodel.Ordered, readmodel.Released, readmodel.InJob, readmodel.Waiting, readmodel.Paid, readmodel.Refunded, readmodel.ChargedBack, readmodel.Shared, readmodel.More} {
		every.Pieces = append(every.Pieces, state(s, "50.00"))
	}
	back.Pieces, back.Moves = []views.Piece{state(readmodel.Refunded, "100.00")}, []readmodel.Move{
		{Account: "charity:sunrise:relief", Reversal: tape.Reversal{Kind: "corrected", To: training, Inflow: "charity/correct-1/0", Reason: "wrong-reference", Entry: "charity/correct-1"}},
		{Account: training, Reversal: tape.Reversal{Kind: "refund", Entry: "charity/refund-2"}}}
	fee, net := yuan("0.60"), yuan("99.40")
	back.Fee, back.Net = &fee, &net
	back.Acts = []views.GiftAct{{Act: "refund-gift", Path: "/campaigns/x/acts/refund-gift"}, {Act: "correct-gift", Path: "/campaigns/x/acts/correct-gift"}}
	return []Story{
		{"gift", "What happened to a gift", g}, {"gift-pending", "A gift that waits to be settled", pending}, {"gift-withdrawn", "A gift that never came", gone},
		{"gift-states", "A piece in every state", every}, {"gift-refunded", "A gift that was given back", back},
		{"gift-same", "Several gifts with one id", views.SameGifts{ID: "GIFT-7Q2F-31", Rows: giftRows(3)}},
		{"trail", "What became of units of a tape", views.Trail{Account: training, Span: tape.Span{Start: 500000, End: 510000}, Amount: yuan("100.00"), Attribution: tape.FIFO, Pieces: g.Pieces, Root: root}},
	}
}

func payouts() []Story {
	row := payoutRows()[0]
	origin := func(kind readmodel.OriginKind, amount string, from int64) views.OriginRow {
		o := views.OriginRow{Origin: readmodel.Origin{Kind: kind, Amount: yuan(amount), Account: training}, Units: tape.Span{Start: from, End: from + yuan(amount).Units}}
		switch kind {
		case readmodel.FromGift:
			o.Gift = &readmodel.Gift{ID: "GIFT-7Q2F-31", Account: training, Page: "page-12"}
			o.Path = []readmodel.Hop{{Account: partner}, {Account: "charity:valley:school"}}
		case readmodel.FromOutside:
			o.Entry = "bank/return-4"
		}
		return o
	}
	page := views.Origin{Account: training, Attribution: tape.FIFO, Amount: yuan("1000.00"), Payout: &row, Next: "0:abc", Proof: proof("lianbao trace "+string(training), step("hold", "charity/order-17", "2026-03-01 09:00", 205)),
		Rows: []views.OriginRow{origin(readmodel.FromGift, "62.00", 500000), origin(readmodel.FromOutside, "938.00", 506200)}}
	none := page
	none.Rows, none.Next, none.Payout = nil, "", &payoutRows()[6]
	span := views.Origin{Account: training, Attribution: tape.Pooled, Amount: yuan("10.00"), Span: &tape.Span{Start: 0, End: 1000}, Rows: []views.OriginRow{origin(readmodel.FromPool, "10.00", 0)}}
	return []Story{{"payout", "Where a payout came from", page}, {"payout-none", "A payout that was given up", none}, {"origin", "Where units of a pooled tape came from", span}}
}

func transactions() []readmodel.TransactionSummary {
	valid := readmodel.TransactionSummary{ID: hash("charity/order-17"), Block: 205, Valid: true, Code: "VALID", Function: "Tape:Hold", Creator: "charity", Endorsers: []string{"bank", "charity", "coop"}, At: at("2026-03-01 09:00"), ArgumentBytes: 1204}
	conflict, network, other := valid, valid, valid
	conflict.ID, conflict.Valid, conflict.Code, conflict.Index = hash("conflict"), false, "MVCC_READ_CONFLICT", 1
	network.ID, network.Function, network.Endorsers, network.Index = hash("network"), "", nil, 2
	other.ID, other.Valid, other.Code, other.Index = hash("other"), false, "A_CODE_OF_TOMORROW", 3
	return []readmodel.TransactionSummary{valid, conflict, network, other}
}

func ledger() []Story {
	entry := invented("hold")
	moved := invented("spend")
	moved.Postings = []tape.Posting{{From: training, To: partner, Amount: yuan("62.00"), Taken: tape.Spans{{Start: 500000, End: 506200}}, Inflow: "charity/order-17/0", OnBehalfOf: "household:fejclffhednngapdeeengmblikdicbjn:loan"},
		{From: "receivable:charity:sunrise:training", To: bank, Amount: yuan("1.00"), Memo: true, Origin: "bank/return-4"}}
	moved.Evidence, moved.Verbatim = []tape.Evidence{bankLine, {Kind: "self-declared"}}, []byte(`{"note":"</pre><script>alert(1)</script>"}`)
	all := transactions()
	block := readmodel.BlockSummary{Number: 205, Hash: hash("205"), PreviousHash: hash("204"), At: at("2026-03-01 09:00"), Transactions: 4, Valid: 2}
	first := readmodel.BlockSummary{Number: 0, Hash: hash("0"), At: at("2025-11-30 00:00"), Transactions: 1, Valid: 1}
	row := entryRows()[0]
	return []Story{
		{"entries", "Entries", views.Entries{Kind: "settle", Kinds: words.Keys["kind."], Rows: entryRows(), Next: "abc"}},
		{"entries-none", "No entry fits", views.Entries{Subject: string(long), Kinds: words.Keys["kind."]}},
		{"entry", "An entry without movements", views.Entry{Entry: entry, Transaction: &all[0], JSON: entry.Verbatim}},
		{"entry-moved", "An entry that moved money", views.Entry{Entry: moved, Transaction: &all[0], JSON: moved.Verbatim}},
		{"blocks", "Blocks", views.Blocks{Rows: []readmodel.BlockSummary{block, first}, Next: "abc"}}, {"blocks-none", "No blocks", views.Blocks{}},
		{"block", "A block", views.Block{Block: block, Rows: all}}, {"block-first", "The first block", views.Block{Block: first, Last: true}},
		{"transactions", "Transactions", views.Transactions{Rows: all, Next: "abc"}}, {"transactions-none", "No transactions", views.Transactions{Invalid: true}},
		{"transaction", "A transaction that counts", views.Transaction{Transaction: all[0], Entry: &row}},
		{"transaction-invalid", "A transaction that does not count", views.Transaction{Transaction: all[1]}},
		{"transaction-far", "A transaction whose entry is far away", views.Transaction{Transaction: all[0], Far: true}},
		{"transaction-unknown", "A verdict without a word of its own", views.Transaction{Transaction: all[3]}},
	}
}

func books() []Story {
	account := readmodel.Account{Account: tape.Account{ID: training, Currency: "CNY", Organisation: "charity", Custodian: bank, Attribution: tape.FIFO, OwnFunds: "charity:sunrise:own", Opened: at("2025-11-30 01:00")},
		Received: yuan("398120.00"), Free: yuan("62900.00"), Held: yuan("34120.00"), Spent: yuan("301100.00"), Pending: yuan("14180.00")}
	settlement := func(n int32, source string, from, to int64, e tape.Evidence) readmodel.Settlement {
		return readmodel.Settlement{Settlement: tape.Settlement{Account: training, N: n, Source: source, Span: tape.Span{Start: from, End: to}, Evidence: e, Entry: "charity/settle-88"}}
	}
	settled := []readmodel.Settlement{settlement(3, "county/grant-1/0", 1000000, 6000000, tape.Evidence{Kind: "entry", Reference: "county/grant-1/0"}), settlement(2, "page-12.m", 500000, 1000000, bankLine), settlement(1, "page-1", 0, 500000, tape.Evidence{Kind: "self-declared"})}
	inflow := readmodel.Inflow{Inflow: tape.Inflow{Account: training, Source: "county/grant-1/0", From: "county:qinghe:welfare", Amount: yuan("50000.00"), At: at("2026-01-10 02:00")}, Span: &tape.Span{Start: 1000000, End: 6000000}}
	waits := inflow
	waits.Span = nil
	job := readmodel.Job{Job: tape.Job{Account: training, ID: "winter", Amount: yuan("9000.00"), Chunks: 5, State: tape.JobOpen, Entry: "charity/winter"}, Ran: 2, Moved: yuan("3600.00")}
	posting := readmodel.Posting{Posting: tape.Posting{From: training, To: partner, Amount: yuan("62.00")}, Entry: "charity/order-17", Kind: "spend", Date: "2026-03-01"}
	line := func(n int32, side tape.Side, used bool) readmodel.Line {
		return readmodel.Line{Account: bank, Statement: "2026-03", Number: n, Side: side, Date: "2026-03-02", Amount: yuan("100.00"), Used: used}
	}
	statement := readmodel.Statement{Account: bank, ID: "2026-03", Previous: "2026-02", From: "2026-03-01", To: "2026-03-31", Opening: yuan("398020.00"), Closing: yuan("398120.00"), Count: 3, Pages: 2, Filed: 1, Entry: "bank/statement-2026-03"}
	paid := line(4, tape.DebitSide, true)
	paid.Entry = "bank/capture-311"
	return []Story{
		{"account", "The books of an account", views.Account{Account: account, Figures: figures()[:4], Settlements: settled, Inflows: []readmodel.Inflow{inflow, waits}, Jobs: []readmodel.Job{job}, Postings: []readmodel.Posting{posting}, Next: "abc"}},
		{"account-empty", "The books of a new account", views.Account{Account: readmodel.Account{Account: tape.Account{ID: long, Currency: "VND", Organisation: "charity", Custodian: bank, Attribution: tape.Pooled, Unidentified: training}}}},
		{"settlements", "Settlements", views.Settlements{Account: training, Currency: "CNY", Rows: settled, Next: "abc"}}, {"settlements-none", "No settlements", views.Settlements{Account: training, Currency: "CNY"}},
		{"inflows", "Inflows", views.Inflows{Account: training, Rows: []readmodel.Inflow{inflow, waits}}}, {"inflows-none", "No inflows", views.Inflows{Account: training, Waiting: true}},
		{"statements", "Bank statements", views.Statements{Rows: []readmodel.Statement{statement}, Next: "abc"}}, {"statements-none", "No statements", views.Statements{Account: bank}},
		{"statement", "A bank statement", views.Statement{Statement: statement, Lines: []readmodel.Line{line(1, tape.CreditSide, true), line(2, tape.CreditSide, false), line(3, tape.DebitSide, false), paid}, Next: "abc"}},
		{"statement-empty", "A statement whose lines have not been filed", views.Statement{Statement: statement}},
	}
}

func others() []Story {
	balance := func(currency money.Currency, outside int64) views.Balance {
		amount := func(units int64) money.Amount { return money.New(units, currency) }
		return views.Balance{Outside: amount(-outside), Tapes: amount(outside), Waiting: amount(0), Accruals: amount(0), Difference: amount(0)}
	}
	neighbours := []views.Neighbour{{Organisation: "bank", URL: "http://127.0.0.1:8103"}, {Organisation: "coop", URL: "http://127.0.0.1:8102"}}
	well := views.Status{Organisation: "charity", Height: 213, Position: readmodel.Position{Next: 213, Hash: hash("213")}, Balances: []views.Balance{balance("CNY", 9702000), balance("VND", 45081775728)}, Tiled: 58, Accounts: 58, Neighbours: neighbours}
	behind, gone, faulty := well, well, well
	behind.Height, gone.Unreachable = 230, true
	faulty.Tiled, faulty.Faults = 57, []string{string(training) + ": the head calls other units free than those that nothing has taken"}
	stories := []Story{{"status", "All is well", well}, {"status-behind", "The read model is behind", behind}, {"status-gone", "The peer does not answer", gone},
		{"status-faulty", "Something does not add up", faulty}, {"status-empty", "An empty ledger", views.Status{Organisation: "charity"}}}
	for _, key := range words.Keys["problem."] {
		stories = append(stories, Story{"problem-" + key, "A page that is not there: " + key, views.Problem{Key: key, Detail: "gift GIFT-1 does not exist there"}})
	}
	return stories
}
