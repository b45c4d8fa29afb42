package contract_test

import (
	"testing"

	"github.com/lianbao/lianbao/chaincode/tape"
)

// TestOneHolderABankAccount: the lines of a bank account are evidence for the
// organisation whose account it is, and for no other, though all can read them.
func TestOneHolderABankAccount(t *testing.T) {
	w := newWorld(t)
	w.must("charity", "Tape:Open", open(books))
	w.must("charity", "Tape:Open", open(partner))
	w.refused("forbidden: field custodian: the money at outside:bank:sunrise is that of charity, by entry charity/open-charity-sunrise-books", "coop", "Tape:Open", open("coop:moon:books"))
	c := open("coop:moon:books")
	c.Custodian = "outside:bank:moon"
	w.must("coop", "Tape:Open", c)
	c = open("charity:sunrise:other")
	c.Custodian = "outside:bank:moon"
	w.refused("forbidden: field custodian: the money at outside:bank:moon is that of coop", "charity", "Tape:Open", c)
	w.must("charity", "Tape:Open", open("charity:sunrise:third"))
}

// TestMemoOfOthers: an accrual says something about an account, so its sponsor says it.
func TestMemoOfOthers(t *testing.T) {
	w := newWorld(t)
	w.must("charity", "Tape:Open", open(books))
	c := open("coop:moon:books")
	c.Custodian = "outside:bank:moon"
	w.must("coop", "Tape:Open", c)
	memo := func(from, to tape.AccountID) string {
		c := tape.Memo{Account: books, ID: "memo-1", Postings: []tape.MemoPosting{{Amount: cny(100), From: from, To: to}}}
		return w.signed("memo", books, cny(100), c, "charity-maker", "charity-checker")
	}
	w.refused("forbidden: field postings[0]: coop:moon:books is an account of coop", "charity", "Tape:Memo", memo("coop:moon:books", "interest:sunrise:due"))
	w.refused("forbidden: field postings[0]: coop:moon:books is an account of coop", "charity", "Tape:Memo", memo("interest:sunrise:due", tape.ReceivableOf("coop:moon:books")))
	w.must("charity", "Tape:Memo", memo(tape.ReceivableOf(books), "interest:sunrise:due"))
}
