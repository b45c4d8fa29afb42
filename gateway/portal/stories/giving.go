package stories

import (
	"html/template"
	"slices"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/portal/words"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// giverPages are what somebody who gives sees. Code and reference are invented.
func giverPages() []Story {
	title := facts().Title
	const code, reference = "2345 6789 ACEF HJKM NPRT UWXY 2345", "RF56 RCEF 0000 0000 000A"
	blank := views.Give{Account: training, Title: title, Currency: "CNY", Attempt: "00112233445566778899aabbccddeeff"}
	faulty, closed, draft := blank, blank, blank
	faulty.Amount, faulty.Anonymous, faulty.Fault, closed.Refused, draft.Refused = "a hundred", true, "amount", "closed", "draft"
	settled := views.OwnGift{Gift: "G0ZP5AT83343H2N7WM6BNMA155D", Amount: yuan("100.00"), Path: "/gifts/G0ZP5AT83343H2N7WM6BNMA155D", State: "settled",
		Pieces:  []views.Piece{state(readmodel.Paid, "52.00"), feePiece("0.60"), disputedPiece("4.40"), state(readmodel.Shared, "5.00"), state(readmodel.Ordered, "12.00"), state(readmodel.Free, "26.00")},
		Arrived: yuan("52.00"), Waits: yuan("38.00"), Back: yuan("0.00"), Fee: yuan("0.60"), Pooled: yuan("5.00"), Disputed: yuan("4.40"), Attribution: tape.FIFO, Reason: "other", Salt: "00112233445566778899aabbccddeeff", Giver: "Invented Giver",
		Commitment: "DRNnHXoej-fx5AqffK9ibjhogUQK3uQGkJkROqxLYMA"}
	void := views.OwnGift{Gift: "G1", Amount: yuan("5.00"), Differs: true, Path: "/gifts/G1", State: "void", Pieces: []views.Piece{state(readmodel.Refunded, "5.00")},
		Arrived: yuan("0.00"), Waits: yuan("0.00"), Back: yuan("5.00"), Fee: yuan("0.00"), Pooled: yuan("0.00"), Disputed: yuan("0.00"), Attribution: tape.FIFO, Reason: "void"}
	own := views.Receipt{Account: training, Title: title, Amount: yuan("100.00"), Reference: reference, Code: code, Kind: "named"}
	full, record, kind := own, own, own
	full.Gifts = []views.OwnGift{settled, void}
	settled.Paper, settled.Reason = paper(donation.Waived, money.New(100_00, "CNY")), ""
	record.Kind, record.Gifts = "waived", []views.OwnGift{settled}
	kind.Issued, kind.Gifts = true, []views.OwnGift{{Gift: "blankets", Goods: blankets(), Path: "/campaigns/" + string(training), State: "received", Paper: paper(donation.Named, money.Amount{})}}
	writeGift, writeGoods := written(title)
	claimed, mend := writeGift, writeGift
	claimed.Paper, claimed.Claimed = "", true
	mend.Paper, mend.Faulty = "", true
	mend.Fields = slices.Clone(mend.Fields)
	mend.Fields[2].Faults = []views.ActFault{{Refusal: views.Refusal{Code: "conflict", Text: "the giver's line is of 99.00 CNY, the gift of 100.00 CNY"}}}
	return []Story{
		{"give", "A gift is announced", blank},
		{"give-fault", "An amount that cannot be read", faulty},
		{"give-closed", "A campaign that takes no more gifts", closed}, {"give-draft", "A campaign that waits for its filing number", draft},
		{"given", "Announced: the code is shown this once", views.Given{Account: training, Title: title, Amount: yuan("100.00"), Code: code, Reference: reference, PayTo: "虚构慈善 Invented Charity, 0000 0000 0000", Named: true, KeepDays: 90, Address: "https://ledger.example/en/receipts"}},
		{"receipts", "Where a code is typed in", views.Receipts{}},
		{"receipts-unknown", "A code that nobody knows", views.Receipts{Fault: "unknown"}},
		{"receipts-erased", "Erased, with the law's record kept", views.Receipts{Erased: true, Kept: true}},
		{"receipt-waits", "No bank line yet", own},
		{"receipt", "One gift on its way, one that went back", full},
		{"receipt-waived", "A giver who waived the receipt", record}, {"receipt-goods", "The receipt of a gift in kind", kind},
		{"write-gift", "Staff wrote a receipt on proof, and can correct it", writeGift}, {"write-goods", "Staff wrote the receipt of a gift in kind", writeGoods},
		{"write-fault", "What the giver shows is of another amount", mend}, {"write-claimed", "A gift whose giver has a code", claimed},
	}
}

// blankets are an invented gift in kind.
func blankets() *fund.Goods {
	return &fund.Goods{V: 1, ID: "blankets", Item: "blanket", Unit: "piece", Quantity: 200, Given: 60, Entry: "charity/blankets"}
}

// paper is an invented receipt; without an amount one of goods.
func paper(kind donation.DonorKind, amount money.Amount) template.HTML {
	r := donation.Receipt{Number: "CHARITY-2026-000013", Replaces: "CHARITY-2026-000012", Handler: "Invented Handler", Donor: donation.Donor{Kind: kind, Name: "虚构的捐赠人 Invented Giver"},
		Charity:  donation.Charity{Name: donation.Text{Chinese: "虚构慈善基金会", English: "Invented Charity"}, CreditCode: "000000000000000000"},
		Campaign: donation.Campaign{Title: donation.Text{Chinese: "三十名听障儿童语言康复", English: "Speech training for 30 children"}, FilingNumber: "53100000500000005WA26001"},
		Amount:   amount, ReceivedOn: "2026-03-10", IssuedOn: "2026-03-12", GiftCode: "2345 6789 ACEF HJKM NPRT UWXY 2345", GiftPage: "https://ledger.example/zh-CN/gifts/GIFT-1"}
	if amount == (money.Amount{}) {
		r.Goods = []donation.Goods{{Name: donation.Text{Chinese: "毛毯", English: "Blankets"}, Unit: donation.Text{Chinese: "条", English: "pieces"}, Quantity: 200,
			Value: money.New(5_000_00, "CNY"), Basis: donation.Invoice, BasisNumber: "00441200"}}
	}
	section, err := r.Section()
	if err != nil {
		panic(err) // it is whole
	}
	return section
}

// written are the receipts that staff wrote: of a gift, and of goods.
func written(title views.Text) (gift, goods views.Write) {
	amount := yuan("100.00")
	gift = views.Write{Account: training, Title: &title, Gift: "GIFT-1", Page: "page-1", Amount: &amount, Settled: true, Code: "2345 6789 ACEF HJKM NPRT UWXY 2345", Paper: paper(donation.Named, amount), Person: maker, Token: "invented",
		Path: "/campaigns/" + string(training) + "/receipt?gift=GIFT-1&page=page-1", Fields: []views.ActField{typedIn("giver-name", "line", "虚构的捐赠人"), typedIn("day", "day", "2026-03-10"), typedIn("amount", "amount", "99"), typedIn("proof", "line", "T-0001"), typedIn("giver-code", "line", "")}}
	goods = gift
	description, unit, by := typedIn("description", "texts", ""), typedIn("counted-in", "texts", ""), typedIn("worth-by", "choice", "invoice")
	description.Chinese, description.English, description.Required = "毛毯", "Blankets", true
	unit.Chinese, unit.English, unit.Required = "条", "pieces", true
	by.Choices, by.Family = words.Keys["worth-by."], "worth-by."
	goods.Gift, goods.Page, goods.Amount, goods.Goods, goods.Paper = "blankets", "", nil, blankets(), paper(donation.Named, money.Amount{})
	goods.Path = "/campaigns/" + string(training) + "/receipt?goods=blankets"
	goods.Fields = []views.ActField{gift.Fields[0], typedIn("delivery", "line", "D-7"), description, unit, typedIn("worth", "amount", "5,000.00 CNY"), by, typedIn("worth-number", "line", "00441200")}
	return gift, goods
}

func typedIn(name, kind, value string) views.ActField {
	return views.ActField{ActColumn: views.ActColumn{Name: name, Kind: kind}, Value: value}
}
