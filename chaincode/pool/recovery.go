package pool

import (
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Pay judges the command and returns what goes to the lender's account by the
// same entry; loan gives the figures of the day. What guarantors or debtor have
// paid meanwhile would be paid twice.
func (p Pool) Pay(command Step, c Claim, loan Loan, ctx tape.Context) (Claim, tape.Payment, tape.Entry, error) {
	if err := rule.First(c.is(command.Account, command.Claim), p.keeps(ctx), c.in(Approved), notBefore(ctx, c.At), loan.check(p.Currency), c.same(Ground{Loan: loan})); err != nil {
		return c, tape.Payment{}, tape.Entry{}, err
	}
	payment := tape.Payment{Amount: money.New(c.Compensation, p.Currency), Line: "compensation", To: loan.Account}
	c.State, c.Before, c.PaidAt = Paid, loan.Guaranteed+loan.Recovered, ctx.At
	next, entry, err := c.changed(ctx.Entry(command.ID, "pay-pool-claim", string(c.Account)))
	return next, payment, entry, err
}

// After is what a pool has promised once a claim of it has changed.
func (p *Promised) After(before, after Claim) Promised {
	next := Promised{V: 1, Entry: after.Entry}
	if p != nil {
		next.Units = p.Units
	}
	next.Units += after.waits() - before.waits()
	return next
}

// Left is what of a balance nobody was promised.
func (p *Promised) Left(balance money.Amount) money.Amount {
	if p != nil {
		balance.Units = max(0, balance.Units-p.Units)
	}
	return balance
}

// waits is what the pool has promised on the claim and not paid.
func (c Claim) waits() int64 {
	if c.State != Approved {
		return 0
	}
	return c.Compensation
}

// Recover shares what came in after the compensation: from the debtor, who owes
// all of it as before, from guarantors, or from what was pledged.
type Recover struct {
	Account tape.AccountID `json:"account"`
	Amount  money.Amount   `json:"amount"`
	Claim   tape.ID        `json:"claim"`
	// Cost is what the recovery cost the lender, of Amount.
	Cost money.Amount `json:"cost"`
	ID   tape.ID      `json:"id"`
	// Payment is what came on the loan, by the entry that brought it: organisation/entry/index.
	Payment string `json:"payment"`
}

// Shares are who gets what of a recovery, in minor units: together the payment.
type Shares struct {
	Cost, ToPool, ToLender int64
	// Over is what was paid beyond everything owed: no recovery, and the lender's to give back.
	Over int64
}

// Recover judges the command; loan gives the figures of the day, payment is what
// came on the loan. First the cost, then both in proportion to the loss that each
// has borne; what the lender has lost beyond that it gets alone, and nobody more
// than is owed: what a payment brings beyond that stays with the lender, unshared.
func (p Pool) Recover(command Recover, c Claim, loan Loan, payment Payment, ctx tape.Context) (Claim, Shares, Counted, tape.Entry, error) {
	refuse := func(err error) (Claim, Shares, Counted, tape.Entry, error) {
		return c, Shares{}, Counted{}, tape.Entry{}, err
	}
	if err := rule.First(c.is(command.Account, command.Claim), p.shares(c, ctx), c.in(Paid, Sharing), notBefore(ctx, c.At), loan.check(p.Currency),
		c.shown(payment, command.Payment, command.Amount, p.Currency)); err != nil {
		return refuse(err)
	}
	came := max(0, loan.Guaranteed+loan.Recovered-c.Before)
	taken := min(command.Amount.Units, came-c.shared())
	if taken <= 0 {
		return refuse(rule.Field("amount", rule.Refuse(rule.Insufficient, "%s came on the loan since claim %s was paid, and %s of it is shared", money.New(came, p.Currency), c.ID, money.New(c.shared(), p.Currency))))
	}
	if err := rule.Field("cost", p.costs(command.Cost, taken, c, ctx)); err != nil {
		return refuse(err)
	}
	net := taken - command.Cost.Units
	toPool := min(net, c.poolShare(c.Net+net)-c.ToPool)
	shares := Shares{Cost: command.Cost.Units, ToPool: toPool, ToLender: net - toPool, Over: command.Amount.Units - taken}
	c.Cost += shares.Cost
	c = c.with(net, toPool, loan)
	next, counted, entry, err := c.count(ctx.Entry(command.ID, "share-recovery", string(c.Account)), payment)
	return next, shares, counted, entry, err
}

// shared is what of the money that came in since was shared, with its costs.
func (c Claim) shared() int64 { return c.Net + c.Cost }

// shares refuses anybody but the two who share.
func (p Pool) shares(c Claim, ctx tape.Context) error {
	if ctx.Organisation != p.Keeper && ctx.Organisation != c.Lender || ctx.Role != party.RoleGateway {
		return rule.Refuse(rule.Forbidden, "%s (role %s) shares no recovery of claim %s; %s and %s do", ctx.Organisation, ctx.Role, c.ID, c.Lender, p.Keeper)
	}
	return nil
}

// costs refuses a cost that is more than what is shared, or that the lender alone
// says: it lowers what the pool gets back, so that its keeper's staff sign as well.
func (p Pool) costs(cost money.Amount, taken int64, c Claim, ctx tape.Context) error {
	if cost.Currency != p.Currency || cost.Units < 0 || cost.Units > taken {
		return rule.Refuse(rule.Invalid, "%s is not 0 to %s", cost, money.New(taken, p.Currency))
	}
	if cost.Units == 0 {
		return nil
	}
	return rule.First(party.SignedBy(ctx, c.Lender), party.SignedBy(ctx, p.Keeper))
}

// with counts what came in without its cost, and what of it went to the pool. When
// nothing is owed any more, and the pool has its part, the claim closes.
func (c Claim) with(net, toPool int64, loan Loan) Claim {
	c.State, c.Net, c.ToPool = Sharing, c.Net+net, c.ToPool+toPool
	if c.Waits = c.poolShare(c.Net) - c.ToPool; c.Owed(loan) == 0 && c.Waits == 0 {
		c.State, c.Reason = Closed, "recovered"
	}
	return c
}

// recovered is what of units, paid on a loan with these figures, is a recovery that was not shared.
func (c Claim) recovered(units int64, loan Loan) int64 {
	return max(0, min(units, loan.Guaranteed+loan.Recovered-c.Before-c.shared()))
}

// Due is the pool's part of what a sale pays on the loan at most, units; loan are the
// figures before that. It ranks behind the lender's and what guarantors are owed
// (lending rules 4.4): what the pool does not get of it, it is given of later recoveries.
func (c Claim) Due(units int64, loan Loan) int64 {
	loan.Recovered += units
	return min(units, max(0, c.poolShare(c.Net+c.recovered(units, loan))-c.ToPool))
}

// Sold is a claim once a sale has paid on the loan, and the payments that are counted for it.
type Sold struct {
	Claim   Claim
	Counted Counted
	Sources []string
}

// Sold is the claim once a sale has paid units on the loan by payments of these names,
// and toPool of them to the pool; loan are the figures after that.
func (c Claim) Sold(units, toPool int64, sources []string, loan Loan, entry tape.Entry) (Sold, error) {
	if err := c.in(Paid, Sharing); err != nil {
		return Sold{}, err
	}
	net := c.recovered(units, loan)
	if toPool < 0 || toPool > net || c.ToPool+toPool > c.poolShare(c.Net+net) {
		return Sold{}, rule.Refuse(rule.Conflict, "of %d that a sale pays on loan %s, %d are not the part of %s", units, c.Loan, toPool, c.Account)
	}
	next, _, err := c.with(net, toPool, loan).changed(entry)
	return Sold{Claim: next, Counted: Counted{V: 1, Claim: c.ID, Entry: entry.Reference()}, Sources: sources}, err
}

// Owed is what the debtor still owes on the loan, to lender and pool together:
// the compensation frees it from nothing.
func (c Claim) Owed(loan Loan) int64 { return max(0, loan.Owed-c.Before-c.shared()) }

// poolShare is the pool's part of all that came in, in proportion to its loss. It
// is taken of the sum, so that many small recoveries round like a large one.
func (c Claim) poolShare(net int64) int64 {
	parts, err := money.Split(min(net, c.Eligible), []int64{c.Compensation, c.Eligible - c.Compensation})
	if err != nil { // no loss, no claim
		return 0
	}
	return parts[0]
}

// Received is what the lender has got of the loan and keeps: from guarantors and
// debtor before, from the pool, and its share of what came in since.
func (c Claim) Received() int64 { return c.Before + c.Compensation + c.Net - c.ToPool }

// CloseClaim ends the sharing: nothing more will come.
type CloseClaim struct {
	Account tape.AccountID `json:"account"`
	Claim   tape.ID        `json:"claim"`
	ID      tape.ID        `json:"id"`
	// Reason is one of Ends.
	Reason string `json:"reason"`
}

// Ends are the words for why nothing more will come.
func Ends() []string { return []string{"enforcement-ended", "settled", "time-barred"} }

// Close judges the command: both who share sign it.
func (p Pool) Close(command CloseClaim, c Claim, ctx tape.Context) (Claim, tape.Entry, error) {
	if err := rule.First(c.is(command.Account, command.Claim), p.shares(c, ctx), c.in(Paid, Sharing), rule.Field("reason", rule.OneOf(command.Reason, Ends()...)),
		party.SignedBy(ctx, p.Keeper), party.SignedBy(ctx, c.Lender), notBefore(ctx, c.At)); err != nil {
		return c, tape.Entry{}, err
	}
	c.State, c.Reason = Closed, command.Reason
	return c.changed(ctx.Entry(command.ID, "close-pool-claim", string(c.Account)))
}

// count is the claim after a payment, and the mark that it counts for no other.
func (c Claim) count(entry tape.Entry, payment Payment) (Claim, Counted, tape.Entry, error) {
	entry.Evidence = []tape.Evidence{{Kind: "entry", Reference: payment.Source}}
	next, entry, err := c.changed(entry)
	return next, Counted{V: 1, Claim: c.ID, Entry: entry.Reference()}, entry, err
}

// shown refuses a payment that did not come on the loan so since the pool paid, or that was counted.
func (c Claim) shown(payment Payment, source string, amount money.Amount, currency money.Currency) error {
	if err := rule.Field("payment", tape.CheckPosting(source)); err != nil {
		return err
	}
	if payment.Source != source {
		return rule.Field("payment", rule.Refuse(rule.NotFound, "no such payment came on the loan"))
	}
	if payment.At < c.PaidAt {
		return rule.Field("payment", rule.Refuse(rule.WrongState, "came before claim %s was paid: the pool has paid so much less", c.ID))
	}
	if payment.Counted != nil {
		return rule.Field("payment", rule.Refuse(rule.Exists, "was counted for claim %s by entry %s", payment.Counted.Claim, payment.Counted.Entry))
	}
	if err := rule.Field("amount", amount.Positive(currency)); err != nil {
		return err
	}
	if payment.Amount != amount {
		return rule.Field("amount", rule.Refuse(rule.Conflict, "is %s; the payment was of %s", amount, payment.Amount))
	}
	return nil
}
