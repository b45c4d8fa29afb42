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

// State is where a settlement stands.
type State string

// A settlement is open until its chunks have shared out the whole sale.
const (
	Running State = "open"
	Closed  State = "closed"
)

// Settlement is a sale on its way to households and lenders.
type Settlement struct {
	V      int32          `json:"v"`
	Scheme tape.AccountID `json:"scheme"`
	Sale   tape.ID        `json:"sale"`
	// Job holds the proceeds. Its chunk 0 pays the agreed costs where there are
	// some; each of the others is one page of the sale's households.
	Job    tape.ID `json:"job"`
	Chunks int32   `json:"chunks"`
	// Costs are the sale's; Distribution fixes every household's share of the rest.
	Costs        []harvest.Cost         `json:"costs,omitempty"`
	Distribution waterfall.Distribution `json:"distribution"`
	// Terms are the scheme's of the day: floor and window.
	Terms waterfall.Terms `json:"terms"`
	State State           `json:"state"`
	// At is the last change, Entry made it, organisation/id.
	At    tape.Instant `json:"at"`
	Entry string       `json:"entry"`
}

// Prepayment is what a household chose to pay of a loan before it is due, out of each sale.
type Prepayment struct {
	V      int32        `json:"v"`
	Loan   tape.ID      `json:"loan"`
	Amount money.Amount `json:"amount"`
	Entry  string       `json:"entry"`
}

// OpenSettlement moves a sale's proceeds off the scheme's account and fixes every share.
type OpenSettlement struct {
	Account tape.AccountID `json:"account"`
	// Cut says how far the units go that are left when each share is rounded down.
	Cut     waterfall.Cut `json:"cut"`
	Expires tape.Instant  `json:"expires"`
	// ID is the entry's and the job's.
	ID   tape.ID     `json:"id"`
	Root merkle.Hash `json:"root"`
	Sale tape.ID     `json:"sale"`
}

// Open judges the command; known is the sale's settlement, nil for none. That
// maker and checker signed over the proceeds is judged by the caller against the policy.
func (c OpenSettlement) Open(scheme group.Scheme, version group.SchemeTerms, sale harvest.Sale, known *Settlement, ctx tape.Context) (Settlement, harvest.Sale, tape.OpenJob, tape.Entry, error) {
	refuse := func(err error) (Settlement, harvest.Sale, tape.OpenJob, tape.Entry, error) {
		return Settlement{}, sale, tape.OpenJob{}, tape.Entry{}, err
	}
	if err := governs(scheme, ctx); err != nil {
		return refuse(err)
	}
	if known != nil {
		return refuse(rule.Field("sale", rule.Refuse(rule.WrongState, "%s is settled already, by entry %s", c.Sale, known.Entry)))
	}
	entry := ctx.Entry(c.ID, "open-settlement", string(c.Account))
	after, err := sale.Settle(entry)
	if err != nil {
		return refuse(rule.Field("sale", err))
	}
	distribution := waterfall.Distribution{Costs: money.New(sale.Proceeds.Units-sale.Net.Units, scheme.Currency), Cut: c.Cut, Net: sale.Net, Proceeds: sale.Proceeds, Weight: sale.Grams}
	terms := waterfall.Terms{Day: ctx.Date, LivingFloor: version.LivingFloor, LivingFloorPartsPerMillion: version.LivingFloorPartsPerMillion, WindowDays: version.WindowDays}
	if err := rule.First(distribution.Check(), terms.Check()); err != nil {
		return refuse(err)
	}
	s := Settlement{V: 1, Scheme: c.Account, Sale: c.Sale, Job: c.ID, Chunks: sale.Composition.Pages, Costs: sale.Costs, Distribution: distribution, Terms: terms, State: Running, At: ctx.At, Entry: entry.Reference()}
	if len(sale.Costs) > 0 {
		s.Chunks++
	}
	job := tape.OpenJob{Account: c.Account, Amount: sale.Proceeds, Chunks: s.Chunks, Expires: c.Expires, ID: c.ID, Root: c.Root}
	return s, after, job, entry, nil
}

// governs refuses whoever is not the gateway of the scheme's cooperative.
func governs(scheme group.Scheme, ctx tape.Context) error {
	if ctx.Organisation != scheme.Organisation || ctx.Role != party.RoleGateway {
		return rule.Refuse(rule.Forbidden, "%s (role %s) does not run %s; %s does", ctx.Organisation, ctx.Role, scheme.Account, scheme.Organisation)
	}
	return nil
}

// Page is which page of the sale's households chunk n pays, -1 for the costs.
func (s Settlement) Page(n int32) int32 {
	if len(s.Costs) > 0 {
		return n - 1
	}
	return n
}

// shares are everybody's shares of one page, to the unit.
func (s Settlement) shares(page harvest.Shares) ([]waterfall.Share, error) {
	shares := make([]waterfall.Share, len(page))
	for i, one := range page {
		var err error
		if shares[i], err = s.Distribution.Share(waterfall.Delivery{Household: one.Household, Weight: one.Grams}); err != nil {
			return nil, rule.Item("page", i, err)
		}
	}
	return shares, nil
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

// NewSettlement makes the commands of a settlement out of its sale: one to open
// it, one for each chunk.
func NewSettlement(sale harvest.Sale, all harvest.Shares, id tape.ID, expires tape.Instant) (OpenSettlement, []SettleHouseholds, error) {
	refuse := func(err error) (OpenSettlement, []SettleHouseholds, error) { return OpenSettlement{}, nil, err }
	outset := waterfall.Sale{Proceeds: sale.Proceeds}
	for i, cost := range sale.Costs {
		outset.Costs = append(outset.Costs, waterfall.Cost{Amount: cost.Amount, Name: tape.ID("cost-" + decimal(i)), Payee: cost.Payee})
	}
	for _, one := range all {
		outset.Deliveries = append(outset.Deliveries, waterfall.Delivery{Household: one.Household, Weight: one.Grams})
	}
	distribution, _, err := outset.Distribute()
	if err != nil {
		return refuse(err)
	}
	leaves, err := Settlement{Costs: sale.Costs, Distribution: distribution}.leaves(all)
	if err != nil {
		return refuse(err)
	}
	root, _ := merkle.Root(leaves)
	open := OpenSettlement{Account: sale.Scheme, Cut: distribution.Cut, Expires: expires, ID: id, Root: root, Sale: sale.ID}
	chunks := make([]SettleHouseholds, len(leaves))
	for n := range leaves {
		path, err := merkle.Prove(leaves, n)
		if err != nil {
			return refuse(err)
		}
		chunks[n] = SettleHouseholds{Account: sale.Scheme, ID: id + tape.ID("-"+decimal(n)), N: int32(n), Path: append([]merkle.Node{}, path...), Sale: sale.ID}
	}
	return open, chunks, nil
}

// leaves are those of all chunks.
func (s Settlement) leaves(all harvest.Shares) ([]merkle.Leaf, error) {
	var leaves []merkle.Leaf
	if len(s.Costs) > 0 {
		leaf, err := costLeaf(s.Costs)
		if err != nil {
			return nil, err
		}
		leaves = append(leaves, leaf)
	}
	for _, page := range all.Pages() {
		shares, err := s.shares(page.Shares)
		if err != nil {
			return nil, err
		}
		leaf, err := shareLeaf(int32(len(leaves)), shares)
		if err != nil {
			return nil, err
		}
		leaves = append(leaves, leaf)
	}
	return leaves, nil
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
