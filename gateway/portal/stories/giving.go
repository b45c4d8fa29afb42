package stories

import (
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/portal/views"
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
	own := views.Receipt{Account: training, Title: title, Amount: yuan("100.00"), Reference: reference, Code: code}
	full := own
	full.Gifts = []views.OwnGift{settled, void}
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
	}
}
