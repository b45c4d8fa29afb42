package acts

import (
	"github.com/lianbao/lianbao/chaincode/bookkeeping"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// monthActs are about an organisation's own books.
func monthActs() []Act {
	return []Act{
		act("close-month", "Books:CloseMonth", []Field{kind("month", Line).need()}, (*form).closing, func(g *ground, c bookkeeping.CloseMonth) error {
			return g.judged("Books:CloseMonth", c, "", g.staff(money.Amount{}))
		}).apart().from(func(g *ground) Answers {
			return Answers{Texts: map[string]string{"month": string(bookkeeping.MonthOf(g.context().Date).Before())}}
		}),
	}
}

// closing is a month as the gateway reckons it now. Of one that it cannot reckon
// the contract says why it is not closed.
func (f *form) closing() bookkeeping.CloseMonth {
	c := bookkeeping.CloseMonth{ID: f.id, Month: bookkeeping.Month(f.text("month")), Organisation: f.ground.Organisation}
	if c.Month.Check() != nil {
		return c
	}
	if reckoned, err := f.ground.Ledger.Month(f.ground.ctx, c.Organisation, c.Month); err != nil {
		f.fault(Fault{Field: "month"}, err)
	} else {
		c = reckoned.Command(tape.ID(f.id))
	}
	return c
}
