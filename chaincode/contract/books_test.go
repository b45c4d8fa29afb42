package contract_test

import (
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/bookkeeping"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// closes is a month of the cooperative's books in which nothing moved.
func closes(id tape.ID, month bookkeeping.Month) bookkeeping.CloseMonth {
	return bookkeeping.CloseMonth{ID: id, Month: month, Organisation: "coop", Sheet: party.Hash{1}, Through: bookkeeping.Through{Block: 3, Entry: "regulator/found"}}
}

// TestCloseMonth: maker and checker of an organisation close its months, one
// after the other, each once it has ended, each once, each bound to the one before.
func TestCloseMonth(t *testing.T) {
	w := newWorld(t)
	founded := record[tape.Entry](w, tape.EntryKey("regulator", "found"))
	first := bookkeeping.MonthOf(founded.BusinessDate)
	signed := func(c bookkeeping.CloseMonth) string {
		return w.agreed("close-month", tape.AccountID(c.Organisation), c, coopStaff...)
	}
	w.refused("early: field month: "+string(first)+" ends with "+string(first.Last()), "coop", "Books:CloseMonth", signed(closes("close-1", first)))
	w.Advance(time.Duration(founded.BusinessDate.DaysUntil(first.After().First())) * 24 * time.Hour)
	w.refused("conflict: field month: months close in order; "+string(first)+" is not closed", "coop", "Books:CloseMonth", signed(closes("close-1", first.After())))
	w.refused("conflict: field month: lies before "+string(first), "coop", "Books:CloseMonth", signed(closes("close-1", first.Before())))
	nowhere := closes("close-1", first)
	nowhere.Through.Entry = "bank/nothing"
	w.refused("not-found: field through: there is no entry bank/nothing", "coop", "Books:CloseMonth", signed(nowhere))
	uneven := closes("close-1", first)
	uneven.Totals = []bookkeeping.Total{{Currency: "CNY", Debit: 2, Credit: 1}}
	w.refused("conflict: field totals[0]: debits of 2 are not credits of 1", "coop", "Books:CloseMonth", signed(uneven))
	w.onlyForAbout("coop", carrying{"Books:CloseMonth", "close-month", noAmount, closes("close-1", first), "coop", nil})
	w.refused("exists: field month: "+string(first)+" is closed, by entry coop/close-1; what is to be corrected is booked in the open month", "coop", "Books:CloseMonth", signed(closes("close-2", first)))
	if again := w.must("coop", "Books:CloseMonth", signed(closes("close-1", first))); again.ID != "close-1" {
		t.Errorf("sent twice: %+v", again)
	}
	w.Advance(40 * 24 * time.Hour)
	back := closes("close-2", first.After())
	back.Through.Block = 2
	w.refused("conflict: field through.block: 2 lies before block 3", "coop", "Books:CloseMonth", signed(back))
	w.must("coop", "Books:CloseMonth", signed(closes("close-2", first.After())))
	before, after := record[bookkeeping.Close](w, bookkeeping.CloseKey("coop", first)), record[bookkeeping.Close](w, bookkeeping.CloseKey("coop", first.After()))
	hash, err := before.Hash()
	if err != nil || before.Previous != nil || after.Previous == nil || *after.Previous != hash || after.Zone != "+08:00" {
		t.Errorf("%+v\n%+v, %v", before, after, err)
	}
}
