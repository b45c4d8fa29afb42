package portal

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// TestAdded: only what the bank has paid, and nobody disputes, reached somebody.
// The last column is arrived, waits, back, fee, pooled, disputed.
func TestAdded(t *testing.T) {
	disputed := &views.Confirmation{State: "disputed"}
	confirmed := &views.Confirmation{State: "confirmed"}
	for _, test := range []struct {
		name  string
		piece views.Piece
		tone  string
		want  [6]int64
	}{
		{"paid", views.Piece{State: readmodel.Paid}, "done", [6]int64{700}},
		{"confirmed", views.Piece{State: readmodel.Paid, Confirmation: confirmed}, "done", [6]int64{700}},
		{"waits", views.Piece{State: readmodel.Ordered}, "waits", [6]int64{1: 700}},
		{"disputed before it is paid", views.Piece{State: readmodel.Ordered, Confirmation: disputed}, "waits", [6]int64{1: 700}},
		{"given back", views.Piece{State: readmodel.Refunded}, "failed", [6]int64{2: 700}},
		{"taken back", views.Piece{State: readmodel.ChargedBack}, "failed", [6]int64{2: 700}},
		{"a fee", views.Piece{State: readmodel.Paid, Fee: true}, "done", [6]int64{3: 700}},
		{"in a pool", views.Piece{State: readmodel.Shared}, "done", [6]int64{4: 700}},
		{"disputed", views.Piece{State: readmodel.Paid, Confirmation: disputed}, "failed", [6]int64{5: 700}},
	} {
		test.piece.Amount = yuan(700)
		own, err := added(views.OwnGift{Amount: yuan(700), Pieces: []views.Piece{test.piece}})
		got := [6]int64{own.Arrived.Units, own.Waits.Units, own.Back.Units, own.Fee.Units, own.Pooled.Units, own.Disputed.Units}
		if err != nil || got != test.want || test.piece.Tone() != test.tone {
			t.Errorf("%s: %v, drawn as %s, %v", test.name, got, test.piece.Tone(), err)
		}
	}
}

// TestGrantOnALine: a budget line of which a part went to a partner is still
// drawn by its lines, with all that ever went there, and the picture balances.
func TestGrantOnALine(t *testing.T) {
	const school tape.AccountID = "partner:school:speech"
	account := readmodel.Account{Account: tape.Account{ID: training, Currency: "CNY"}, Received: yuan(10_000), Free: yuan(3_000), Held: yuan(1_000)}
	for _, test := range []struct {
		name                 string
		passed, onLine, home int64
		drawn                bool
	}{{"all of it on the line", 2_000, 2_000, 0, true}, {"some of it on no line", 2_000, 1_500, 0, true}, {"on no line", 2_000, 0, 0, true}, {"more on the line than went", 2_000, 2_500, 0, false},
		{"some of it came home", 2_000, 2_000, 700, true}} {
		f := &flows{account: account, gifts: yuan(10_000), paid: yuan(4_000), passed: yuan(test.passed), reverse: yuan(0), fees: yuan(0),
			inflows: map[tape.AccountID]money.Amount{}, out: map[tape.AccountID]money.Amount{school: yuan(test.passed), child: yuan(4_000)}}
		home := yuan(test.home)
		facts := &views.CampaignFacts{Budget: []views.Budget{{ID: "lessons", Paid: yuan(4_000 + test.onLine - test.home), Passed: yuan(test.onLine - test.home), Recovered: home, CameBack: home, Ordered: yuan(1_000), Payees: 1}}}
		picture, balanced := f.picture(facts)
		if !balanced || picture == nil {
			t.Errorf("%s: the picture does not balance", test.name)
			continue
		}
		byLines := false
		for _, node := range picture.Nodes {
			byLines = byLines || node.ID == "line lessons"
		}
		if byLines != test.drawn {
			t.Errorf("%s: drawn by lines %v", test.name, byLines)
		}
		for _, link := range picture.Links {
			if link.From == "line lessons" && link.To == "passed" && link.Amount != yuan(test.onLine) {
				t.Errorf("%s: the line hands %s on", test.name, link.Amount)
			}
		}
	}
}
