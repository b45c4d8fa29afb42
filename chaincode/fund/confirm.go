package fund

import (
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Confirm is the receiver's own word on one payout. Any gateway carries it, so
// that a charity cannot keep a dispute to itself.
type Confirm struct {
	Account tape.AccountID `json:"account"`
	// Amount is what arrived; for a dispute what was to arrive.
	Amount money.Amount `json:"amount"`
	Hold   tape.ID      `json:"hold"`
	ID     tape.ID      `json:"id"`
	// Outcome is arrived or disputed, Reason (of a dispute) not-arrived,
	// less-arrived, late, not-asked-for or taken-from-me.
	Outcome string `json:"outcome"`
	Reason  string `json:"reason,omitempty"`
}

// The outcomes of a confirmation.
const (
	Arrived  = "arrived"
	Disputed = "disputed"
)

// Check refuses a malformed command.
func (c Confirm) Check() error {
	if err := rule.First(rule.Field("account", c.Account.Check()), rule.Field("hold", c.Hold.Check()), rule.Field("outcome", rule.OneOf(c.Outcome, Arrived, Disputed))); err != nil {
		return err
	}
	if c.Outcome == Arrived {
		if c.Reason != "" {
			return rule.Field("reason", rule.Refuse(rule.Invalid, "what arrived needs none"))
		}
		return nil
	}
	return rule.Field("reason", rule.OneOf(c.Reason, "not-arrived", "less-arrived", "late", "not-asked-for", "taken-from-me"))
}

// Confirm judges the command; known is what the receiver said before, nil for
// nothing, guardian who may speak for it by a key of its own, empty for nobody.
func (p Payee) Confirm(command Confirm, hold tape.Hold, known *Confirmation, guardian tape.ID, ctx tape.Context) (Confirmation, tape.Entry, error) {
	refuse := func(err error) (Confirmation, tape.Entry, error) { return Confirmation{}, tape.Entry{}, err }
	p = p.on(ctx.At)
	if ctx.Role != party.RoleGateway {
		return refuse(rule.Refuse(rule.Forbidden, "confirmations are carried by a gateway, not by the role %.20q", ctx.Role))
	}
	if err := command.Check(); err != nil {
		return refuse(err)
	}
	if p.Person == "" {
		return refuse(rule.Refuse(rule.WrongState, "%s has no key yet, so nobody can confirm for it", p.Payee))
	}
	if len(ctx.Approvals) != 1 || ctx.Approvals[0].Person != p.Person && ctx.Approvals[0].Person != guardian {
		return refuse(rule.Refuse(rule.Forbidden, "only the receiver confirms: person %s signs", p.Person))
	}
	by, ward := ctx.Approvals[0], tape.ID("")
	if by.Person != p.Person {
		ward = p.Person
	}
	// Anyone's key disputes: a household whose key an agent keeps must not be
	// silenced by it. What arrived, only the receiver's own hand can say.
	if command.Outcome == Arrived && !party.Custody(by.Custody).Confirms() {
		return refuse(rule.Refuse(rule.Forbidden, "the key of %s is %s; only a key in the receiver's own hands confirms that money arrived", by.Person, by.Custody))
	}
	if err := rule.First(command.says(known), p.keeps(command, known), command.about(hold)); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "confirm", string(command.Account))
	disputed := ""
	if known != nil {
		if disputed = known.Disputed; known.Outcome == Disputed {
			disputed = known.Entry
		}
	}
	return Confirmation{V: 1, Account: command.Account, Hold: hold.ID, Payee: p.Payee, Outcome: command.Outcome, Reason: command.Reason,
		Amount: command.Amount, Disputed: disputed, By: by, For: ward, At: ctx.At, Entry: entry.Reference()}, entry, nil
}

// says refuses what the receiver has said already. It may say something else
// at any time: money that arrived can be taken away, or go back to the bank.
func (c Confirm) says(known *Confirmation) error {
	switch {
	case known == nil || known.Outcome != c.Outcome:
		return nil
	case c.Outcome == Arrived && known.Amount == c.Amount:
		return rule.Refuse(rule.WrongState, "the receiver confirmed %s on %s, by entry %s", known.Amount, known.At, known.Entry)
	case c.Outcome == Disputed && known.Reason == c.Reason:
		return rule.Refuse(rule.WrongState, "the receiver disputes it since %s, by entry %s", known.At, known.Entry)
	}
	return nil
}

// keeps refuses to settle what another person of the payee disputed before: who
// came into its place knows what arrived since, and can dispute everything.
func (p Payee) keeps(command Confirm, known *Confirmation) error {
	if command.Outcome != Arrived || known == nil || known.Outcome != Disputed {
		return nil
	}
	of := known.By.Person
	if known.For != "" {
		of = known.For
	}
	if of == p.Person {
		return nil
	}
	return rule.Refuse(rule.WrongState, "%s, who was the person of %s, disputes it since %s, by entry %s; that stands", of, p.Payee, known.At, known.Entry)
}

// about judges the payout: what arrived is exactly what the bank has paid; a
// dispute names the whole of what was ordered, paid or not.
func (c Confirm) about(hold tape.Hold) error {
	paid := money.New(hold.Captured.Total()-hold.Returned.Total(), hold.Amount.Currency)
	if c.Outcome == Disputed {
		if c.Amount != hold.Amount {
			return rule.Field("amount", rule.Refuse(rule.Conflict, "is %s; the payout was ordered over %s", c.Amount, hold.Amount))
		}
		return nil
	}
	if paid.Units == 0 {
		return rule.Field("hold", rule.Refuse(rule.WrongState, "%s is not paid: no line of the bank shows it", hold.ID))
	}
	if c.Amount != paid {
		return rule.Field("amount", rule.Refuse(rule.Conflict, "is %s; the bank has paid %s", c.Amount, paid))
	}
	return nil
}

// Cite brings a document for something that has happened: a delivery note, a photo.
type Cite struct {
	Account  tape.AccountID `json:"account"`
	Evidence []Citation     `json:"evidence"`
	// For is a payout's hold, or an entry, organisation/id.
	For string  `json:"for"`
	ID  tape.ID `json:"id"`
}

// Cites is what a command cites documents for, as far as it is on the ledger.
type Cites struct {
	Entry                *tape.Entry // EntryKey of For, where that is a reference
	Payout, Disbursement bool        // there is one of that name in the campaign
}

// about refuses what is not there, or is another campaign's.
func (c Cite) about(found Cites) error {
	if c.For == "" || tape.CheckReference(c.For) != nil {
		if !found.Payout && !found.Disbursement {
			return rule.Refuse(rule.NotFound, "%s has no payout and no disbursement %s", c.Account, c.For)
		}
		return nil
	}
	if found.Entry == nil {
		return rule.Refuse(rule.NotFound, "there is no entry %s", c.For)
	}
	if found.Entry.Subject != string(c.Account) {
		return rule.Refuse(rule.Conflict, "entry %s is about %s", c.For, found.Entry.Subject)
	}
	return nil
}

// Cite judges the command; known reports for each document whether it was cited
// before, found is what it is cited for.
func (c Campaign) Cite(command Cite, known []bool, found Cites, ctx tape.Context) ([]Cited, tape.Entry, error) {
	refuse := func(err error) ([]Cited, tape.Entry, error) { return nil, tape.Entry{}, err }
	if err := rule.First(c.governs(ctx), checkEvidence(command.Evidence), party.SignedBy(ctx, c.Organisation)); err != nil {
		return refuse(err)
	}
	if len(command.Evidence) == 0 {
		return refuse(rule.Field("evidence", rule.Refuse(rule.Invalid, "is empty")))
	}
	if named := command.For != "" && tape.CheckReference(command.For) == nil; !named && tape.ID(command.For).Check() != nil {
		return refuse(rule.Field("for", rule.Refuse(rule.Invalid, "is neither a payout nor an entry; write its id, or organisation/id")))
	}
	if err := rule.Field("for", command.about(found)); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "cite", string(c.Account))
	cited := make([]Cited, len(command.Evidence))
	for i, citation := range command.Evidence {
		if known[i] {
			return refuse(rule.Item("evidence", i, rule.Refuse(rule.Exists, "document %s was cited before; a document stands for one thing", citation.Hash)))
		}
		cited[i] = Cited{V: 1, Citation: citation, For: command.For, Entry: entry.Reference()}
	}
	return cited, entry, nil
}

// Hashes are the documents of a command.
func (c Cite) Hashes() []merkle.Hash {
	hashes := make([]merkle.Hash, len(c.Evidence))
	for i, citation := range c.Evidence {
		hashes[i] = citation.Hash
	}
	return hashes
}
