package recourse

import (
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Respread asks the others for what one guarantor has not paid in its time.
type Respread struct {
	Account   tape.AccountID `json:"account"`
	Call      tape.ID        `json:"call"`
	Guarantor tape.AccountID `json:"guarantor"`
	ID        tape.ID        `json:"id"`
	Loan      tape.ID        `json:"loan"`
}

// Respread judges the command. Who was late still owes its part; what another
// pays of it, it owes that other.
func (c Call) Respread(command Respread, ctx tape.Context) (Call, tape.Entry, error) {
	refuse := func(err error) (Call, tape.Entry, error) { return c, tape.Entry{}, err }
	i, err := c.guarantor("guarantor", command.Guarantor)
	if err := rule.First(c.is(command.Account, command.Loan, command.Call), c.lender(ctx), c.open(), err, party.SignedBy(ctx, c.Lender), c.notBefore(ctx)); err != nil {
		return refuse(err)
	}
	if late := c.Guarantors[i].Late; late != "" {
		return refuse(rule.Field("guarantor", rule.Refuse(rule.WrongState, "what %s has not paid was asked of the others by entry %s", command.Guarantor, late)))
	}
	if err := c.cured(i, ctx.Date); err != nil {
		return refuse(rule.Field("guarantor", err))
	}
	entry := ctx.Entry(command.ID, "respread-call", string(c.Scheme))
	next := c.at(i, func(g *Guarantor) { g.Late = entry.Reference() })
	before, asked := c.positions(), int64(0)
	for j, of := range next.positions() {
		if asked += of.spread; of.spread > before[j].spread {
			next.Guarantors[j].SpreadUntil = ctx.Date.AddDays(int(c.CureDays))
		}
	}
	if asked == 0 {
		return refuse(rule.Field("guarantor", rule.Refuse(rule.WrongState, "nobody else of call %s can bear what %s has not paid", c.ID, command.Guarantor)))
	}
	return next.Changed(entry), entry, nil
}

// cured refuses to go past a guarantor who owes nothing, or still has time.
func (c Call) cured(i int, on tape.Date) error {
	g, of := c.Guarantors[i], c.positions()[i]
	if of.asked+of.spread == 0 {
		return rule.Refuse(rule.WrongState, "nothing is asked of %s", g.Household)
	}
	until := g.Until
	if of.asked == 0 {
		until = g.SpreadUntil
	}
	if on <= until {
		return rule.Refuse(rule.Early, "%s has until %s to pay", g.Household, until)
	}
	return nil
}

// Release frees a guarantor from what it has not paid of its share.
type Release struct {
	Account   tape.AccountID `json:"account"`
	Call      tape.ID        `json:"call"`
	Guarantor tape.AccountID `json:"guarantor"`
	ID        tape.ID        `json:"id"`
	Loan      tape.ID        `json:"loan"`
}

// Release judges the command; debt are the loan's figures. The debt of the others
// falls by what the released one has not paid of its share (art. 520). A
// write-off is bookkeeping and releases nobody. That maker and checker of the
// lender signed is checked against the policy by the caller.
func (c Call) Release(command Release, debt Debt, ctx tape.Context) (Call, tape.Entry, error) {
	refuse := func(err error) (Call, tape.Entry, error) { return c, tape.Entry{}, err }
	i, err := c.guarantor("guarantor", command.Guarantor)
	if err := rule.First(c.is(command.Account, command.Loan, command.Call), c.lender(ctx), c.open(), err, party.SignedBy(ctx, c.Lender), c.notBefore(ctx)); err != nil {
		return refuse(err)
	}
	if debt.WrittenOff {
		return refuse(rule.Refuse(rule.WrongState, "loan %s is written off, which frees no guarantor", c.Loan))
	}
	units, err := c.releasable(i)
	if err != nil {
		return refuse(rule.Field("guarantor", err))
	}
	entry := ctx.Entry(command.ID, "release-guarantor", string(c.Scheme))
	next := c.at(i, func(g *Guarantor) { g.Released = &Released{Units: units, Entry: entry.Reference()} })
	return next.Changed(entry), entry, nil
}

// releasable is what a lender may release a guarantor from: its own to ask, and
// not what others have paid in its place already.
func (c Call) releasable(i int) (int64, error) {
	g, positions := c.Guarantors[i], c.positions()
	if g.Released != nil {
		return 0, rule.Refuse(rule.WrongState, "%s was released by entry %s", g.Household, g.Released.Entry)
	}
	if g.Unable != nil {
		return 0, rule.Refuse(rule.WrongState, "%s cannot pay, by entry %s; the others bear its share already", g.Household, g.Unable.Entry)
	}
	for j, of := range positions {
		if of.owed[i] > 0 {
			return 0, rule.Refuse(rule.WrongState, "%s has paid a part of the share of %s; that claim is not the lender's to release", c.Guarantors[j].Household, g.Household)
		}
	}
	if positions[i].asked == 0 {
		return 0, rule.Refuse(rule.WrongState, "%s has paid its share", g.Household)
	}
	return positions[i].asked, nil
}

// DeclareUnable says that a guarantor cannot pay, on what evidence, or that it can again.
type DeclareUnable struct {
	Account   tape.AccountID `json:"account"`
	Call      tape.ID        `json:"call"`
	Evidence  []Citation     `json:"evidence,omitempty"`
	Guarantor tape.AccountID `json:"guarantor"`
	ID        tape.ID        `json:"id"`
	// Lift says that it can pay again.
	Lift bool    `json:"lift,omitempty"`
	Loan tape.ID `json:"loan"`
}

// Check refuses what is malformed.
func (c DeclareUnable) Check() error {
	if c.Lift && len(c.Evidence) == 0 {
		return nil
	}
	return checkEvidence(c.Evidence)
}

// Declare judges the command. What the guarantor has not borne of its share the
// others bear pro rata (art. 519), so that neither lender nor cooperative says
// so alone: staff of both sign.
func (c Call) Declare(command DeclareUnable, ctx tape.Context) (Call, tape.Entry, error) {
	refuse := func(err error) (Call, tape.Entry, error) { return c, tape.Entry{}, err }
	i, err := c.guarantor("guarantor", command.Guarantor)
	if err := rule.First(c.is(command.Account, command.Loan, command.Call), c.keeper(ctx), err, command.Check(), party.SignedBy(ctx, c.Lender), party.SignedBy(ctx, c.Cooperative), c.notBefore(ctx)); err != nil {
		return refuse(err)
	}
	if c.State == Closed {
		return refuse(rule.Refuse(rule.WrongState, "call %s is %s", c.ID, c.State))
	}
	if g := c.Guarantors[i]; command.Lift == (g.Unable == nil) || g.Released != nil {
		return refuse(rule.Field("guarantor", rule.Refuse(rule.WrongState, "%s is %s", command.Guarantor, g.says())))
	}
	entry := ctx.Entry(command.ID, "declare-unable", string(c.Scheme))
	next := c.at(i, func(g *Guarantor) {
		g.Unable = &Unable{Evidence: command.Evidence, Entry: entry.Reference()}
		if command.Lift {
			g.Unable = nil
		}
	})
	if !command.Lift {
		next = next.freed(c, i)
	}
	return next.Changed(entry), entry, nil
}

func (g Guarantor) says() string {
	switch {
	case g.Released != nil:
		return "released by entry " + g.Released.Entry
	case g.Unable != nil:
		return "unable to pay by entry " + g.Unable.Entry
	}
	return "not declared unable to pay"
}

// freed lets the released ones' parts of what one more cannot pay be the lender's
// loss: they would have borne it, and the lender freed them from it (art. 520).
func (c Call) freed(before Call, unable int) Call {
	total, members := before.Open()+before.Borne(), before.members()
	for i, g := range c.Guarantors {
		total += g.released()
		members[i].ends = g.Released == nil && members[i].ends
	}
	then := ownShares(total, members)
	members[unable].ends = true
	for i, share := range ownShares(total, members) {
		g := c.Guarantors[i]
		if more := min(share-then[i], c.Open()); g.Released != nil && more > 0 {
			c.Guarantors[i].Released = &Released{Units: g.Released.Units + more, Entry: g.Released.Entry}
		}
	}
	return c
}
