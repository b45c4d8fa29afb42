package loan

import (
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// TakeOver brings a loan onto the ledger that ran before: it was asked for,
// guaranteed and approved here like any other, and instead of money that goes out
// the command names what has gone out and come back, by its days. Whoever owes or
// is owed by it signs that; with their consent a debt that existed before comes
// under a maximum-amount guarantee (Civil Code art. 690 with art. 420).
type TakeOver struct {
	Account tape.AccountID `json:"account"`
	// Advances went out before today, in the order of their days; together the principal.
	Advances []terms.Advance `json:"advances"`
	// Evidence is the hash of the bank's dated lines and of the contract on paper.
	Evidence party.Hash `json:"evidence"`
	ID       tape.ID    `json:"id"`
	Loan     tape.ID    `json:"loan"`
	// Payments have come back, in the order of their days; none where nothing has.
	Payments []terms.Payment `json:"payments,omitempty"`
	// Terms are the approved ones, with the days of the contract on paper.
	Terms terms.Terms `json:"terms"`
}

// TakenOver notes that a loan ran before it stood on the ledger.
type TakenOver struct {
	Date     tape.Date  `json:"date"`
	Evidence party.Hash `json:"evidence"`
	Entry    string     `json:"entry"`
}

// TakeOver judges the command. Maker and checker of the originator sign, which
// the caller judges against the policy; so do one of the cooperative's staff, the
// borrower and every guarantor: nobody else knows whether the history is true.
func (l Loan) TakeOver(c TakeOver, cooperative string, ctx tape.Context) (Loan, tape.Entry, error) {
	refuse := func(err error) (Loan, tape.Entry, error) { return l, tape.Entry{}, err }
	if err := rule.First(l.originator(ctx), l.changed(ctx), l.must("only what was approved is taken over", Approved), l.unlocked(), l.signedByAll(ctx), party.SignedBy(ctx, cooperative), c.days(l, ctx.Date)); err != nil {
		return refuse(err)
	}
	l.Terms = c.Terms
	quote, err := l.Quote(c.Advances)
	if err != nil {
		return refuse(rule.Field("terms", err))
	}
	if last := quote.Instalments[len(quote.Instalments)-1].Due; last > l.TermEnd {
		return refuse(rule.Field("terms", rule.Refuse(rule.Invalid, "put the last instalment on %s; loan %s ends on %s", last, l.ID, l.TermEnd)))
	}
	hash, err := quote.Hash()
	if err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "take-over-loan", string(l.Scheme))
	l.State, l.Terms, l.Tranches = Running, quote.Terms, nil
	l.Contract = &Contract{Quote: hash, AnnualPercent: quote.AnnualPercent, Date: c.Advances[0].Date, Entry: entry.Reference()}
	l.TakenOver = &TakenOver{Date: ctx.Date, Evidence: c.Evidence, Entry: entry.Reference()}
	for i, advance := range c.Advances {
		l.Tranches = append(l.Tranches, Tranche{Amount: advance.Amount, To: outside(l.Household), Holds: []tape.ID{}, Paid: advance.Date, Entry: entry.Reference()})
		if l.Book, err = l.Book.advanced(advance, l.Terms, l.TermEnd); err != nil {
			return refuse(rule.Item("advances", i, err))
		}
	}
	if l, err = l.repaidBefore(c.Payments, entry); err != nil {
		return refuse(err)
	}
	return l.touched(entry), entry, nil
}

// unlocked refuses a purpose-locked loan: what its money bought before was
// confirmed by nobody here. It refuses a line: none of its draws was signed.
func (l Loan) unlocked() error {
	if len(l.Supplies) > 0 {
		return rule.Field("loan", rule.Refuse(rule.Forbidden, "%s pays suppliers for what was delivered; what one paid before is taken over by a product without orders", l.ID))
	}
	if l.Terms.Revolving {
		return rule.Field("loan", rule.Refuse(rule.Forbidden, "%s is a line of credit; what one lent before is taken over by a product that is drawn once", l.ID))
	}
	return nil
}

// days refuses terms that were not approved, and a history that could not have been.
func (c TakeOver) days(l Loan, today tape.Date) error {
	if c.Evidence == (party.Hash{}) {
		return rule.Field("evidence", rule.Refuse(rule.Invalid, "is empty; the bank's dated lines and the contract show what was"))
	}
	asked, approved := c.Terms, l.Terms
	asked.FirstDue, asked.DueDates, approved.FirstDue, approved.DueDates = "", nil, "", nil
	if len(c.Terms.DueDates) > 0 { // days of their own take the place of an interval
		asked.Every = approved.Every
	}
	if !same(asked, approved) {
		return rule.Field("terms", rule.Refuse(rule.Conflict, "are not those that were approved for loan %s; only days are its own", l.ID))
	}
	if n := len(c.Advances); n == 0 || n > int(l.TranchesMax) {
		return rule.Field("advances", rule.Refuse(rule.Invalid, "are %d; 1 to %d tranches are possible", n, l.TranchesMax))
	}
	if err := c.advanced(l, today); err != nil {
		return err
	}
	if n := len(c.Payments); n > PaymentsMax {
		return rule.Field("payments", rule.Refuse(rule.Invalid, "are %d; %d at most", n, PaymentsMax))
	}
	earliest := c.Advances[0].Date
	for i, payment := range c.Payments {
		if err := before(payment.Amount, payment.Date, l.Principal.Currency, earliest, today); err != nil {
			return rule.Item("payments", i, err)
		}
		earliest = payment.Date
	}
	return nil
}

// advanced refuses tranches that are out of order, or do not come to the principal.
func (c TakeOver) advanced(l Loan, today tape.Date) error {
	total, earliest := money.New(0, l.Principal.Currency), today.AddDays(-TermDaysMax)
	for i, advance := range c.Advances {
		if err := before(advance.Amount, advance.Date, l.Principal.Currency, earliest, today.AddDays(-1)); err != nil {
			return rule.Item("advances", i, err)
		}
		var err error
		if total, err = total.Add(advance.Amount); err != nil {
			return rule.Field("advances", err)
		}
		earliest = advance.Date
	}
	if total != l.Principal {
		return rule.Field("advances", rule.Refuse(rule.Conflict, "come to %s; loan %s is of %s", total, l.ID, l.Principal))
	}
	return nil
}

// before refuses money that is none, and a day that is not in order or still to come.
func before(amount money.Amount, day tape.Date, currency money.Currency, earliest, latest tape.Date) error {
	if err := rule.First(rule.Field("amount", amount.Positive(currency)), rule.Field("date", day.Check())); err != nil {
		return err
	}
	if day < earliest || day > latest {
		return rule.Field("date", rule.Refuse(rule.Invalid, "%s is not %s to %s; days stand in their order", day, earliest, latest))
	}
	return nil
}

// repaidBefore puts what has come back into the book; something must be left.
func (l Loan) repaidBefore(payments []terms.Payment, entry tape.Entry) (Loan, error) {
	for i, p := range payments {
		var err error
		if l, _, err = l.Pay(Pays{Amount: p.Amount, Date: p.Date, Mostly: UntilPayoff}, entry); err != nil {
			return l, rule.Item("payments", i, err)
		}
	}
	if l.State != Running {
		return l, rule.Field("payments", rule.Refuse(rule.WrongState, "have repaid loan %s; there is nothing to take over", l.ID))
	}
	return l, nil
}

// owedHere refuses a claim on a pool for a loan that ran before: whom it was lent
// to, and how it went, only those know who would gain by it.
func (l Loan) owedHere() error {
	if l.TakenOver != nil {
		return rule.Field("loan", rule.Refuse(rule.Forbidden, "%s was taken over; a pool compensates what was lent on the ledger", l.ID))
	}
	return nil
}
