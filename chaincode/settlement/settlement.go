// Package settlement pays a sale out: each household's share first pays what it
// owes, and only what is left reaches it, in one entry. A sale of ten thousand
// households is one job: its root fixes every share, and what of a share goes to
// whom is worked out from the household's loans when its chunk runs.
//
// A rule here is a function of records, a command and a context. It returns what
// becomes, and one entry, or a refusal. README.md lists keys, commands, refusals
// and entries.
package settlement

import (
	"strings"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
)

// Key is where the Settlement of a sale stands: a sale has one.
func Key(scheme tape.AccountID, sale tape.ID) string {
	return "dividend/" + string(scheme) + "/" + string(sale)
}

// PrepaymentKey is where it stands what a household chose to pay early.
func PrepaymentKey(scheme, household tape.AccountID) string {
	return "prepayment/" + string(scheme) + "/" + string(household)
}

// WaitingKey is where it stands what of a scheme's account waits for its payees.
func WaitingKey(scheme tape.AccountID) string { return "waiting/" + string(scheme) }

// AgainKey is where it stands what became of a payout that came back, and what a
// payout that was ordered again is for.
func AgainKey(scheme tape.AccountID, hold tape.ID) string {
	return "again/" + string(scheme) + "/" + string(hold)
}

// State is where a settlement stands.
type State string

// A settlement is open until its chunks have shared out the whole sale. Abandoned,
// it waits to be opened again for the households that no chunk has settled.
const (
	Running   State = "open"
	Abandoned State = "abandoned"
	Closed    State = "closed"
)

// Settlement is a sale on its way to households and lenders.
type Settlement struct {
	V      int32          `json:"v"`
	Scheme tape.AccountID `json:"scheme"`
	Sale   tape.ID        `json:"sale"`
	// Job holds the money. Its chunk 0 pays the agreed costs where some are left to
	// pay; each of the others is of some households that stand side by side on one page of the sale.
	Job    tape.ID `json:"job"`
	Chunks int32   `json:"chunks"`
	// Earlier are the jobs that were abandoned.
	Earlier []tape.ID `json:"earlier,omitempty"`
	// Left are the places, from 0, of the households among those of the sale that
	// Job settles, or, once it is abandoned, that no chunk has settled.
	Left tape.Spans `json:"left,omitempty"`
	// Households is the most of one chunk.
	Households int32 `json:"households"`
	// Costs are those of the sale's that Job pays; Distribution fixes every household's share of the rest.
	Costs        []harvest.Cost         `json:"costs,omitempty"`
	Distribution waterfall.Distribution `json:"distribution"`
	// Terms are the scheme's of the day: floor and window.
	Terms waterfall.Terms `json:"terms"`
	State State           `json:"state"`
	// Paid says, of a settlement that was abandoned, that chunks had paid something.
	Paid bool `json:"paid,omitempty"`
	// At is the last change, Entry made it, organisation/id.
	At    tape.Instant `json:"at"`
	Entry string       `json:"entry"`
}

// Waiting is what is in a scheme's account for those whom an abandoned settlement,
// or a payout that came back, still owes it, in minor units: no other sale is settled with it.
type Waiting struct {
	V     int32  `json:"v"`
	Units int64  `json:"units,string"`
	Entry string `json:"entry"`
}

// Again is what became of a payout that came back.
type Again struct {
	V int32 `json:"v"`
	// Of is the payout of a chunk that one goes back to which was ordered again; none for a chunk's own.
	Of tape.ID `json:"of,omitempty"`
	// Units of it were ordered again, in minor units.
	Units int64  `json:"units,string"`
	Entry string `json:"entry"`
}

// Prepayment is what a household chose to pay of a loan before it is due, out of each sale.
type Prepayment struct {
	V      int32        `json:"v"`
	Loan   tape.ID      `json:"loan"`
	Amount money.Amount `json:"amount"`
	Entry  string       `json:"entry"`
}

// governs refuses whoever is not the gateway of the scheme's cooperative.
func governs(scheme group.Scheme, ctx tape.Context) error {
	if ctx.Organisation != scheme.Organisation || ctx.Role != party.RoleGateway {
		return rule.Refuse(rule.Forbidden, "%s (role %s) does not run %s; %s does", ctx.Organisation, ctx.Role, scheme.Account, scheme.Organisation)
	}
	return nil
}

// row is one payment in the leaf of a chunk: to whom, how much.
type row [2]string

func leafOf(n int32, rows []row, total int64) (merkle.Leaf, error) {
	data, err := canonical.Encode(struct {
		N    int32 `json:"n"`
		Rows []row `json:"rows"`
	}{n, rows})
	return merkle.Leaf{Data: data, Amount: total}, err
}

// shareLeaf is the leaf of a page of shares.
func shareLeaf(n int32, shares []waterfall.Share) (merkle.Leaf, error) {
	rows, total := make([]row, len(shares)), int64(0)
	for i, share := range shares {
		rows[i], total = row{string(share.Household), share.Amount.String()}, total+share.Amount.Units
	}
	return leafOf(n, rows, total)
}

// costLeaf is the leaf of the agreed costs.
func costLeaf(costs []harvest.Cost) (merkle.Leaf, error) {
	rows, total := make([]row, len(costs)), int64(0)
	for i, cost := range costs {
		rows[i], total = row{string(cost.Payee), cost.Amount.String()}, total+cost.Amount.Units
	}
	return leafOf(0, rows, total)
}

// ChoosePrepayment is a household's own word on what sales pay of its loan early; zero for nothing.
type ChoosePrepayment struct {
	Account   tape.AccountID `json:"account"`
	Amount    money.Amount   `json:"amount"`
	Household tape.AccountID `json:"household"`
	ID        tape.ID        `json:"id"`
	Loan      tape.ID        `json:"loan"`
}

// Choose judges the command, which the household's person signs by a key in its own hands.
func (c ChoosePrepayment) Choose(member *group.Member, l loan.Loan, ctx tape.Context) (Prepayment, tape.Entry, error) {
	refuse := func(err error) (Prepayment, tape.Entry, error) { return Prepayment{}, tape.Entry{}, err }
	if ctx.Role != party.RoleGateway {
		return refuse(rule.Refuse(rule.Forbidden, "%s (role %s) is no gateway; gateways carry what people sign", ctx.Organisation, ctx.Role))
	}
	if member == nil || l.Household != c.Household {
		return refuse(rule.Field("household", rule.Refuse(rule.NotFound, "%s is no member of %s, or loan %s is another's", c.Household, c.Account, c.Loan)))
	}
	if c.Amount.Currency != l.Principal.Currency || c.Amount.Units < 0 || c.Amount.Units > l.Principal.Units {
		return refuse(rule.Field("amount", rule.Refuse(rule.Invalid, "%s is not zero to %s", c.Amount, l.Principal)))
	}
	person := member.PersonOn(ctx.At)
	if len(ctx.Approvals) != 1 || ctx.Approvals[0].Person != person {
		return refuse(rule.Refuse(rule.Forbidden, "%s, who signs for %s, signs alone", person, c.Household))
	}
	if !party.Custody(ctx.Approvals[0].Custody).Confirms() {
		return refuse(rule.Refuse(rule.Forbidden, "the key of %s is %s; who chooses for itself signs with a key or a card of its own", person, ctx.Approvals[0].Custody))
	}
	entry := ctx.Entry(c.ID, "choose-prepayment", string(c.Account))
	return Prepayment{V: 1, Loan: c.Loan, Amount: c.Amount, Entry: entry.Reference()}, entry, nil
}

// CloseSettlement ends a settlement whose chunks have all run.
type CloseSettlement struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Sale    tape.ID        `json:"sale"`
}

// Close marks the settlement once its job is closed, in the entry of that.
func (s Settlement) Close(entry tape.Entry) Settlement {
	s.State, s.At, s.Entry = Closed, entry.At, entry.Reference()
	return s
}

// Outside is where a household is paid off the ledger: its own pseudonym.
func Outside(household tape.AccountID) tape.AccountID {
	_, rest, _ := strings.Cut(string(household), ":")
	pseudonym, _, _ := strings.Cut(rest, ":")
	return tape.AccountID("outside:" + tape.Household + ":" + pseudonym)
}
