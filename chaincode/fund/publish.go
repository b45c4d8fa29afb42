package fund

import (
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Publish freezes what a charity publishes: the figures of a campaign up to a
// block, and the hash of the whole document.
type Publish struct {
	Account  tape.AccountID `json:"account"`
	Block    int32          `json:"block"`
	Document merkle.Hash    `json:"document"`
	// Duty is one of Duties.
	Duty    string    `json:"duty"`
	Figures Figures   `json:"figures"`
	From    tape.Date `json:"from"`
	ID      tape.ID   `json:"id"`
	// N is the number of this publication: the last one's and one.
	N  int32     `json:"n"`
	To tape.Date `json:"to"`
}

// Publish judges the command. What the contract knows must agree: money settled
// is what the head received, and no figure is more than the one it is part of.
func (c Campaign) Publish(command Publish, last *Publications, head tape.Head, ctx tape.Context) (Publication, Publications, tape.Entry, error) {
	refuse := func(err error) (Publication, Publications, tape.Entry, error) {
		return Publication{}, Publications{}, tape.Entry{}, err
	}
	previous := Publications{}
	if last != nil {
		previous = *last
	}
	if err := rule.First(c.governs(ctx), party.SignedBy(ctx, c.Organisation), rule.Field("duty", rule.OneOf(command.Duty, Duties()...)),
		rule.Field("from", command.From.Check()), rule.Field("to", command.To.Check()), rule.Field("figures", command.Figures.check(c.Plan.Goal.Currency))); err != nil {
		return refuse(err)
	}
	// Which block is the last one is not known to a contract; that it goes back is.
	if command.Block < previous.Block {
		return refuse(rule.Field("block", rule.Refuse(rule.Conflict, "is %d; the publication before counts the blocks up to %d", command.Block, previous.Block)))
	}
	if command.To < command.From || command.To > ctx.Date {
		return refuse(rule.Field("to", rule.Refuse(rule.Invalid, "%s to %s is not a period that has passed on %s", command.From, command.To, ctx.Date)))
	}
	if command.N != previous.N+1 {
		return refuse(rule.Field("n", rule.Refuse(rule.Conflict, "is %d; the next publication of %s is number %d", command.N, c.Account, previous.N+1)))
	}
	if command.Figures.Settled.Units > head.Received {
		return refuse(rule.Field("figures.settled", rule.Refuse(rule.Conflict, "is %s; the account has received %s", command.Figures.Settled, money.New(head.Received, command.Figures.Settled.Currency))))
	}
	if command.Document == (merkle.Hash{}) {
		return refuse(rule.Field("document", rule.Refuse(rule.Invalid, "is empty")))
	}
	entry := ctx.Entry(command.ID, "publish", string(c.Account))
	publication := Publication{V: 1, Account: c.Account, N: command.N, Duty: command.Duty, From: command.From, To: command.To, Block: command.Block,
		Figures: command.Figures, Document: command.Document, Date: ctx.Date, Entry: entry.Reference()}
	if previous.N > 0 {
		publication.Previous = previous.Document.String()
	}
	return publication, Publications{V: 1, N: command.N, Block: command.Block, Document: command.Document}, entry, nil
}

func (f Figures) check(currency money.Currency) error {
	for _, figure := range []struct {
		name          string
		amount, whole money.Amount
	}{{"raised", f.Raised, f.Raised}, {"settled", f.Settled, f.Raised}, {"ordered", f.Ordered, f.Settled},
		{"paid", f.Paid, f.Ordered}, {"confirmed", f.Confirmed, f.Paid}, {"management", f.Management, f.Ordered}} {
		if figure.amount.Currency != currency || figure.amount.Units < 0 || figure.amount.Units > figure.whole.Units {
			return rule.Field(figure.name, rule.Refuse(rule.Invalid, "%s is not an amount in %s from zero to %s", figure.amount, currency, figure.whole))
		}
	}
	return nil
}
