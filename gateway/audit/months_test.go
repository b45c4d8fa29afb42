package audit_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/bookkeeping"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/cooperative"
)

// months closes two months of the bank's books, as its gateway reckons them. What
// comes between under a clock that went after is an adjustment of the second.
func (v *village) months(t *testing.T) {
	v.t.Helper()
	closes := func(month bookkeeping.Month) {
		v.t.Helper()
		shelf := newShelf(t, v.chain())
		must(v.t, 0, shelf.Advance(t.Context(), uint64(len(shelf.blocks))))
		reckoned, err := cooperative.MonthOf(t.Context(), shelf.Model, "bank", month, v.today())
		c := must(v.t, reckoned, err).Command(tape.ID("close-" + month))
		v.by("bank", "Books:CloseMonth", v.signedBy("close-month", "bank", noAmount, c, bankStaff...))
	}
	closes("2026-01")
	gift := tape.Gift{ID: "late", Amount: cny(7_00), Reference: reference("late", 0)}
	v.by("bank", "Tape:Receive", tape.Receive{Account: lending, Count: 1, Gifts: []tape.Gift{gift}, ID: "late-page", Total: gift.Amount})
	v.files(lendingBank, "late", "back", 89_300_00, tape.CreditSide, tape.Line{Number: 1, Date: v.today(), Amount: gift.Amount, Reference: gift.Reference})
	now := v.Clock()
	v.SetClock(time.Date(2026, 1, 31, 15, 0, 0, 0, time.UTC))
	v.by("bank", "Tape:Settle", tape.Settle{Account: lending, ID: "late-settled", Items: []tape.SettleItem{{Lines: &tape.LinesRef{Statement: "late"}, Source: "late-page"}}})
	v.SetClock(now)
	closes("2026-02")
}

// sheet is the hash of the trial balance by which the bank closed a month.
func (v *village) sheet(month bookkeeping.Month) string {
	var c bookkeeping.Close
	value, _ := v.State().Get(bookkeeping.CloseKey("bank", month))
	must(v.t, 0, json.Unmarshal(value.Data, &c))
	return c.Sheet.String()
}
