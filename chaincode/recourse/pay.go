package recourse

import (
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// What comes to the lender repays the loan in the same entry, and a sale pays what
// is asked, owed and due back in one entry with other dues. Their rules take Take,
// Lower, Return and Give, and no command that judges who may say so.

// Take is the call once a guarantor has paid the lender.
func (c Call) Take(guarantor tape.AccountID, units int64) (Call, error) {
	i, err := c.guarantor("guarantor", guarantor)
	if err := rule.First(c.open(), err); err != nil {
		return c, err
	}
	of := c.positions()[i]
	if asked := of.asked + of.spread; units < 1 || units > asked {
		return c, rule.Field("amount", rule.Refuse(rule.Insufficient, "is %s; %s is asked of %s", c.money(units), c.money(asked), guarantor))
	}
	return c.at(i, func(g *Guarantor) { g.Paid += units }).stated(), nil
}

// Lower is the call once the debtor has paid the lender.
func (c Call) Lower(units int64) (Call, error) {
	if err := c.open(); err != nil {
		return c, err
	}
	if open := c.Open(); units < 1 || units > open {
		return c, rule.Field("amount", rule.Refuse(rule.Insufficient, "is %s; the lender asks for %s", c.money(units), c.money(open)))
	}
	c.Lowered += units
	return c.stated(), nil
}

// Reimburse shares among the guarantors what the debtor repays once the lender is whole.
type Reimburse struct {
	Account tape.AccountID `json:"account"`
	Amount  money.Amount   `json:"amount"`
	Call    tape.ID        `json:"call"`
	ID      tape.ID        `json:"id"`
	Loan    tape.ID        `json:"loan"`
	// Payment is the tape's name of the money, organisation/entry/index.
	Payment string `json:"payment"`
}

// Reimburse judges the command; debt are the loan's figures, payment the debtor's
// money. It says what each guarantor gets: in proportion to what it is without
// (art. 700, Interpretation arts. 13 and 18), which lowers what they owe one another.
func (c Call) Reimburse(command Reimburse, debt Debt, payment Payment, ctx tape.Context) (Call, []Part, Counted, tape.Entry, error) {
	refuse := func(err error) (Call, []Part, Counted, tape.Entry, error) {
		return c, nil, Counted{}, tape.Entry{}, err
	}
	if err := rule.First(c.is(command.Account, command.Loan, command.Call), c.keeper(ctx), c.whole(debt), c.notBefore(ctx),
		c.shown(payment, command.Payment, command.Amount), from(payment, c.Debtor, "payment")); err != nil {
		return refuse(err)
	}
	next, parts, err := c.Return(command.Amount.Units)
	if err != nil {
		return refuse(err)
	}
	next, counted, entry, err := next.count(ctx.Entry(command.ID, "reimburse-call", string(c.Scheme)), payment)
	return next, parts, counted, entry, err
}

// Return is the call once the debtor has repaid the guarantors, and what each of
// them gets. That the lender is whole on the loan the caller knows.
func (c Call) Return(units int64) (Call, []Part, error) {
	if c.State == Open {
		return c, nil, rule.Refuse(rule.WrongState, "the lender still asks for %s by call %s, and ranks before the guarantors (art. 700)", c.money(c.Open()), c.ID)
	}
	if borne := c.Borne(); units < 1 || units > borne {
		return c, nil, rule.Field("amount", rule.Refuse(rule.Insufficient, "is %s; the guarantors are without %s", c.money(units), c.money(borne)))
	}
	next, parts := c, []Part{}
	for i, part := range inProportion(units, c.members()) {
		if part > 0 {
			next = next.at(i, func(g *Guarantor) { g.Returned += part })
			parts = append(parts, Part{c.Guarantors[i].Household, part})
		}
	}
	return next.stated(), parts, nil
}

// whole refuses to give guarantors what the lender ranks before (art. 700).
func (c Call) whole(debt Debt) error {
	overdue := int64(0)
	for _, instalment := range debt.Overdue {
		overdue += instalment.Unpaid
	}
	if overdue > 0 {
		return rule.Refuse(rule.WrongState, "the debtor owes the lender %s on loan %s, which ranks before the guarantors (art. 700)", c.money(overdue), c.Loan)
	}
	return nil
}

// Contribute counts what one guarantor has paid another of what it owes it.
type Contribute struct {
	Account tape.AccountID `json:"account"`
	Amount  money.Amount   `json:"amount"`
	Call    tape.ID        `json:"call"`
	From    tape.AccountID `json:"from"`
	ID      tape.ID        `json:"id"`
	Loan    tape.ID        `json:"loan"`
	// Payment is the tape's name of the money; empty for cash, which its receiver signs for.
	Payment string         `json:"payment,omitempty"`
	To      tape.AccountID `json:"to"`
}

// Contribute judges the command; payment is what the tape shows, nil for cash;
// receiver is the person who signs for the household To.
func (c Call) Contribute(command Contribute, payment *Payment, receiver tape.ID, ctx tape.Context) (Call, Counted, tape.Entry, error) {
	refuse := func(err error) (Call, Counted, tape.Entry, error) { return c, Counted{}, tape.Entry{}, err }
	if err := rule.First(c.is(command.Account, command.Loan, command.Call), c.keeper(ctx), c.notBefore(ctx),
		rule.Field("amount", command.Amount.Positive(c.Amount.Currency)), c.reached(command, payment, receiver, ctx)); err != nil {
		return refuse(err)
	}
	next, err := c.Give(command.From, Part{command.To, command.Amount.Units})
	if err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "contribute-call", string(c.Scheme))
	if payment == nil {
		return next.Changed(entry), Counted{}, entry, nil
	}
	return next.count(entry, *payment)
}

// Give is the call once one guarantor has paid others, all at the same time: to
// pay one would change what it owes the next.
func (c Call) Give(from tape.AccountID, to ...Part) (Call, error) {
	giver, err := c.guarantor("from", from)
	if err != nil {
		return c, err
	}
	next, positions := c, c.positions()
	for _, part := range to {
		taker, err := c.guarantor("to", part.Household)
		if err != nil {
			return c, err
		}
		owed := positions[taker].owed[giver]
		if part.Units < 1 || part.Units > owed {
			return c, rule.Field("amount", rule.Refuse(rule.Insufficient, "is %s; %s owes %s %s", c.money(part.Units), from, part.Household, c.money(owed)))
		}
		positions[taker].owed[giver] -= part.Units
		next = next.at(giver, func(g *Guarantor) { g.Given += part.Units }).at(taker, func(g *Guarantor) { g.Got += part.Units })
	}
	return next.stated(), nil
}

// reached refuses a contribution that neither the tape shows nor its receiver
// says it has: with a key in its own hands, since it gives up a claim by that.
func (c Call) reached(command Contribute, payment *Payment, receiver tape.ID, ctx tape.Context) error {
	if command.Payment != "" {
		if payment == nil {
			return rule.Field("payment", rule.Refuse(rule.NotFound, "the tape shows no such payment"))
		}
		return rule.First(c.shown(*payment, command.Payment, command.Amount), from(*payment, command.From, "from"), to(*payment, command.To))
	}
	if payment != nil || len(ctx.Approvals) != 1 || ctx.Approvals[0].Person != receiver || receiver == "" {
		return rule.Refuse(rule.Forbidden, "the receiver of cash signs for it, and nobody else")
	}
	if custody := party.Custody(ctx.Approvals[0].Custody); !custody.Confirms() {
		return rule.Refuse(rule.Forbidden, "the key of %s is %s; cash is signed for by a key in the receiver's own hands", receiver, custody)
	}
	return nil
}

// count is the call after a payment, and the mark that it counts for no other.
func (c Call) count(entry tape.Entry, payment Payment) (Call, Counted, tape.Entry, error) {
	entry.Evidence = []tape.Evidence{{Kind: "entry", Reference: payment.Source}}
	return c.Changed(entry), Counted{V: 1, Call: c.ID, Entry: entry.Reference()}, entry, nil
}

// shown refuses a payment that the tape does not show so, or that was counted.
func (c Call) shown(payment Payment, source string, amount money.Amount) error {
	if err := rule.First(rule.Field("amount", amount.Positive(c.Amount.Currency)), rule.Field("payment", tape.CheckPosting(source))); err != nil {
		return err
	}
	if payment.Source != source {
		return rule.Field("payment", rule.Refuse(rule.NotFound, "the tape shows no such payment"))
	}
	if payment.Counted != nil {
		return rule.Field("payment", rule.Refuse(rule.Exists, "was counted for call %s by entry %s", payment.Counted.Call, payment.Counted.Entry))
	}
	if payment.Amount != amount {
		return rule.Field("amount", rule.Refuse(rule.Conflict, "is %s; the payment was of %s", amount, payment.Amount))
	}
	return nil
}

func from(payment Payment, household tape.AccountID, field string) error {
	if !sameHousehold(payment.From, household) {
		return rule.Field(field, rule.Refuse(rule.Conflict, "the payment is not the money of %s", household))
	}
	return nil
}

func to(payment Payment, household tape.AccountID) error {
	if !sameHousehold(payment.To, household) {
		return rule.Field("to", rule.Refuse(rule.Conflict, "the payment did not go to %s", household))
	}
	return nil
}

// sameHousehold reports whether an account is a household's, on the ledger or
// outside it: its pseudonym stands in both.
func sameHousehold(account, household tape.AccountID) bool {
	return account == household || pseudonymOf(account) != "" && pseudonymOf(account) == pseudonymOf(household)
}

// pseudonymOf is what stands behind "household" in an account's name, empty where nothing does.
func pseudonymOf(account tape.AccountID) string {
	segments := strings.Split(string(account), ":")
	if i := slices.Index(segments, tape.Household); i >= 0 && i+1 < len(segments) {
		return segments[i+1]
	}
	return ""
}

func (c Call) money(units int64) money.Amount { return money.New(units, c.Amount.Currency) }
