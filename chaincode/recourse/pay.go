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

// PaidSince are the guarantors who have paid all of their own part, within their
// time, by payments of a day that made the call what it is. Who was released, or
// is unable to, has not paid it.
func (c Call) PaidSince(before Call, day tape.Date) []tape.AccountID {
	var paid []tape.AccountID
	for i, of := range c.positions() {
		g := c.Guarantors[i]
		if g.Paid > before.Guarantors[i].Paid && of.asked == 0 && g.Late == "" && !g.member().ends && day <= g.Until {
			paid = append(paid, g.Household)
		}
	}
	return paid
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

// Untake is the call as though a payment had not counted for it that the bank has
// taken back: a guarantor's of so much, and what the call fell besides. What the
// others have made good to the guarantor since stays paid: nobody bears less than
// nothing. Who is asked again has its time to pay from that day on.
func (c Call) Untake(guarantor tape.AccountID, took, lowered int64, day tape.Date) (Call, error) {
	if lowered < 0 || lowered > c.Lowered {
		return c, rule.Refuse(rule.Conflict, "call %s fell by %s, and not by %s", c.ID, c.money(c.Lowered), c.money(lowered))
	}
	c.Lowered -= lowered
	if took > 0 {
		i, err := c.guarantor("guarantor", guarantor)
		if err != nil {
			return c, err
		}
		c = c.at(i, func(g *Guarantor) { g.Paid -= min(took, g.Paid, g.Borne()) })
	}
	if c.Withdrawn > 0 { // the lender asks for nothing more by it
		c.Withdrawn += c.Open()
	}
	until := day.AddDays(int(c.CureDays))
	for i, of := range c.positions() {
		switch g := c.Guarantors[i]; {
		case of.asked > 0 && g.Late == "" && g.Until < day:
			c = c.at(i, func(g *Guarantor) { g.Until = until })
		case of.spread > 0 && g.SpreadUntil < day:
			c = c.at(i, func(g *Guarantor) { g.SpreadUntil = until })
		}
	}
	return c.stated(), nil
}

// Reimburse counts what the debtor has repaid the guarantors once the lender is
// whole, when it has reached them.
type Reimburse struct {
	Account tape.AccountID `json:"account"`
	// Amount is all parts together.
	Amount money.Amount `json:"amount"`
	Call   tape.ID      `json:"call"`
	ID     tape.ID      `json:"id"`
	Loan   tape.ID      `json:"loan"`
	// Parts are what Call.Return gives each guarantor of the amount, in the order of the call.
	Parts []Handed `json:"parts"`
}

// Handed is money that has reached a guarantor.
type Handed struct {
	Amount money.Amount `json:"amount"`
	// Payment is the tape's name of the money, organisation/entry/index; empty for cash, which its receiver signs for.
	Payment string         `json:"payment,omitempty"`
	To      tape.AccountID `json:"to"`
}

// Arrival is what is known of money that a command says has reached a guarantor.
type Arrival struct {
	// Payment is what the tape shows; nil for cash.
	Payment *Payment
	// Receiver is the person who signs for the guarantor's household.
	Receiver tape.ID
}

// Reimburse judges the command; debt are the loan's figures, arrivals what is known
// of its parts. Each guarantor gets in proportion to what it is without (art. 700,
// Interpretation arts. 13 and 18), which lowers what they owe one another; and
// nothing counts that has not reached it.
func (c Call) Reimburse(command Reimburse, debt Debt, arrivals []Arrival, ctx tape.Context) (Call, Counted, tape.Entry, error) {
	refuse := func(err error) (Call, Counted, tape.Entry, error) { return c, Counted{}, tape.Entry{}, err }
	if err := rule.First(c.is(command.Account, command.Loan, command.Call), c.keeper(ctx), c.whole(debt), c.notBefore(ctx),
		rule.Field("amount", command.Amount.Positive(c.Amount.Currency))); err != nil {
		return refuse(err)
	}
	if c.State == Open {
		return refuse(rule.Refuse(rule.WrongState, "the lender still asks for %s by call %s, and ranks before the guarantors (art. 700)", c.money(c.Open()), c.ID))
	}
	next, parts, err := c.Return(command.Amount.Units)
	if err != nil {
		return refuse(err)
	}
	if err := rule.First(rule.Field("parts", c.divided(command, parts)), c.handed(command.Parts, arrivals, ctx)); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "reimburse-call", string(c.Scheme))
	for _, part := range command.Parts {
		if part.Payment != "" {
			entry.Evidence = append(entry.Evidence, tape.Evidence{Kind: "entry", Reference: part.Payment})
		}
	}
	return next.Changed(entry), Counted{V: 1, Call: c.ID, Entry: entry.Reference()}, entry, nil
}

// divided refuses parts that are not what each guarantor gets.
func (c Call) divided(command Reimburse, parts []Part) error {
	if slices.EqualFunc(command.Parts, parts, func(h Handed, p Part) bool { return h.To == p.Household && h.Amount == c.money(p.Units) }) {
		return nil
	}
	each := make([]string, len(parts))
	for i, part := range parts {
		each[i] = c.money(part.Units).String() + " to " + string(part.Household)
	}
	return rule.Refuse(rule.Conflict, "of %s go %s", command.Amount, strings.Join(each, ", "))
}

// handed refuses a part that has not reached its guarantor, and signatures of others.
func (c Call) handed(parts []Handed, arrivals []Arrival, ctx tape.Context) error {
	cash := 0
	for i, part := range parts {
		if part.Payment == "" {
			cash++
		}
		if err := rule.Item("parts", i, c.reached(part, c.Debtor, "payment", arrivals[i], ctx)); err != nil {
			return err
		}
	}
	return onlyReceivers(cash, ctx)
}

// Return is the call once the debtor has repaid the guarantors, and what each of
// them gets. That the lender is whole on the loan the caller knows.
func (c Call) Return(units int64) (Call, []Part, error) {
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

// Contribute judges the command; arrival is what is known of the money.
func (c Call) Contribute(command Contribute, arrival Arrival, ctx tape.Context) (Call, Counted, tape.Entry, error) {
	refuse := func(err error) (Call, Counted, tape.Entry, error) { return c, Counted{}, tape.Entry{}, err }
	part, cash := Handed{Amount: command.Amount, Payment: command.Payment, To: command.To}, 0
	if part.Payment == "" {
		cash = 1
	}
	if err := rule.First(c.is(command.Account, command.Loan, command.Call), c.keeper(ctx), c.notBefore(ctx),
		rule.Field("amount", command.Amount.Positive(c.Amount.Currency)), c.reached(part, command.From, "from", arrival, ctx), onlyReceivers(cash, ctx)); err != nil {
		return refuse(err)
	}
	next, err := c.Give(command.From, Part{command.To, command.Amount.Units})
	if err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "contribute-call", string(c.Scheme))
	if part.Payment == "" {
		return next.Changed(entry), Counted{}, entry, nil
	}
	entry.Evidence = []tape.Evidence{{Kind: "entry", Reference: part.Payment}}
	return next.Changed(entry), Counted{V: 1, Call: c.ID, Entry: entry.Reference()}, entry, nil
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

// reached refuses money that neither the tape shows nor its receiver says it has:
// with a key in its own hands, since it gives up a claim by that. It is a payer's,
// whom a field of the command names.
func (c Call) reached(part Handed, payer tape.AccountID, field string, arrival Arrival, ctx tape.Context) error {
	if part.Payment != "" {
		if arrival.Payment == nil {
			return rule.Field("payment", rule.Refuse(rule.NotFound, "the tape shows no such payment"))
		}
		return rule.First(c.shown(*arrival.Payment, part.Payment, part.Amount), from(*arrival.Payment, payer, field), to(*arrival.Payment, part.To))
	}
	signer := slices.IndexFunc(ctx.Approvals, func(a tape.Approval) bool { return a.Person == arrival.Receiver })
	if arrival.Payment != nil || arrival.Receiver == "" || signer < 0 {
		return errReceiver
	}
	if custody := party.Custody(ctx.Approvals[signer].Custody); !custody.Confirms() {
		return rule.Refuse(rule.Forbidden, "the key of %s is %s; cash is signed for by a key in the receiver's own hands", arrival.Receiver, custody)
	}
	return nil
}

// errReceiver refuses cash that nobody, or somebody else, has signed for.
var errReceiver = rule.Refuse(rule.Forbidden, "the receiver of cash signs for it, and nobody else")

// onlyReceivers refuses signatures of others than those who got cash.
func onlyReceivers(cash int, ctx tape.Context) error {
	if cash > 0 && len(ctx.Approvals) != cash {
		return errReceiver
	}
	return nil
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
