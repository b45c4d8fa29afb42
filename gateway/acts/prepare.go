package acts

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/signing"
)

// Prepared is an act as it goes to be signed or, where Persons is 0, carried.
type Prepared struct {
	Function string
	Command  any
	ID       tape.ID
	// Amount is what those who sign it sign.
	Amount string
	// Persons is how many sign, by the policy that the organisations voted.
	Persons int
	// Signers say who they are, where not the organisation's own staff alone sign.
	Signers []Signer
}

// Unsigned is the command as it is carried where nobody signs it.
func (p Prepared) Unsigned() ([]byte, error) {
	plain, err := canonical.Encode(p.Command)
	if err != nil || signing.Persons(p.Function) == 0 {
		return plain, err
	}
	return signing.Envelope(plain)
}

// idBytes of an entry's id are random where the client chose none.
const idBytes = 8

// NewID names an act when its form is opened: the form sent twice is one act.
func NewID(name string) tape.ID {
	var bits [idBytes]byte
	_, _ = rand.Read(bits[:]) // it never fails: the program ends before
	return tape.ID(name + "-" + hex.EncodeToString(bits[:]))
}

// Prepare makes the command of what was typed, and lets the rule judge it by
// what the ledger holds now. It returns Faults where fields are to be mended.
func (a Act) Prepare(ctx context.Context, asker Asker, account tape.AccountID, answers Answers) (Prepared, error) {
	g, err := a.ground(ctx, asker, account)
	if err != nil {
		return Prepared{}, err
	}
	f := &form{act: a, ground: g, answers: answers, begun: a.begun(g), id: tape.ID(answers.Texts["id"])}
	if f.id == "" {
		f.id = NewID(a.Name)
	}
	if err := f.id.Check(); err != nil {
		return Prepared{}, rule.Field("id", err)
	}
	f.demand()
	command := a.read(f)
	if len(f.faults) > 0 {
		return Prepared{}, f.faults
	}
	prepared := Prepared{Function: a.Function, Command: command, ID: f.id}
	if a.signers == nil {
		err = a.judge(g, command)
	} else if prepared.Signers, prepared.Amount = a.signers(g, command); g.err == nil {
		prepared.Persons = len(prepared.Signers)
		err = g.judged(a.Function, command, prepared.Amount, prepared.Signers)
	}
	if g.err != nil {
		return Prepared{}, g.err
	}
	if err != nil {
		return Prepared{}, a.Place(err)
	}
	if a.signers != nil {
		return prepared, nil
	}
	return g.prepared(a.Function, f.id, command)
}

// prepared adds who signs.
func (g *ground) prepared(function string, id tape.ID, command any) (Prepared, error) {
	p := Prepared{Function: function, Command: command, ID: id}
	if signing.Persons(function) == 0 {
		return p, nil
	}
	amount := g.currencyOf(command)
	if moving, is := command.(fund.Carry); is {
		amount = moving.Amount
	}
	if g.amount.Units > 0 {
		amount = g.amount
	}
	if amount.Currency != "" { // what an organisation says of itself has no amount
		p.Amount = amount.String()
	}
	p.Persons = g.persons(function, command, amount)
	return p, g.err
}

// currencyOf is zero in the currency of the campaign, which those sign who move no money.
func (g *ground) currencyOf(command any) money.Amount {
	if opening, is := command.(fund.OpenCampaign); is {
		return opening.Zero()
	}
	return g.campaign.Zero()
}

// persons is how many have to sign: one, or as many as the policy asks for.
func (g *ground) persons(function string, command any, amount money.Amount) int {
	few := signing.Persons(function)
	if flag, is := command.(fund.SetFlag); is && !flag.Raise && g.campaign.Organisation == g.Organisation {
		few = 2
	}
	if few < 2 {
		return few
	}
	voted := record[party.PolicyRecord](g, party.PolicyKey())
	if voted == nil {
		return few
	}
	policy := voted.Policy.Approval
	few = max(few, int(policy.Approvers))
	for _, threshold := range policy.Thresholds {
		if threshold.Amount.Currency == amount.Currency && amount.Units > threshold.Amount.Units {
			few = max(few, int(threshold.Organisations))
		}
	}
	if amended, is := command.(fund.AmendCampaign); is && g.campaign.Basis == fund.Agreement && g.campaign.Plan.ChangesUse(amended.Plan) {
		few += len(g.campaign.Plan.Donors) // they sign beside the staff, and do not count as staff
	}
	return few
}

// ground is what the ledger holds, read as it is needed; the first error stays.
type ground struct {
	Asker
	ctx context.Context
	// subject is the account that the act is about, campaign what it is where it is one.
	subject  tape.AccountID
	campaign fund.Campaign
	// household, agent and second are who signs a command that does not name them:
	// a guarantor, who carries for a household, another organisation's staff.
	household tape.AccountID
	agent     tape.ID
	second    string
	// place is where the gift stands that an act is about, amount what those who
	// sign an act about gifts sign.
	place  tape.SettledGift
	amount money.Amount
	// spent gifts are placed too: a chargeback takes what is left of them.
	spent bool
	err   error
}

func (a Act) ground(ctx context.Context, asker Asker, account tape.AccountID) (*ground, error) {
	g := &ground{Asker: asker, ctx: ctx}
	if a.Apart {
		return g, nil
	}
	if err := account.Check(); err != nil {
		return nil, rule.Field("account", err)
	}
	g.subject = account
	if a.Subject != Campaign {
		return g, nil
	}
	campaign, err := asker.Ledger.Campaign(ctx, account)
	g.campaign = campaign.Campaign
	return g, err
}

// known is what was read, nil where there is none.
func known[R any](g *ground, value R, err error) *R {
	if err == nil {
		return &value
	}
	if g.err == nil && !rule.Is(err, rule.NotFound) {
		g.err = err
	}
	return nil
}

// record reads a record, nil where there is none.
func record[R any](g *ground, key string) *R {
	found, err := g.Ledger.Record(g.ctx, key)
	if err != nil {
		return known(g, *new(R), err)
	}
	value := new(R)
	if err := json.Unmarshal(found.Value, value); err != nil && g.err == nil {
		g.err = err
	}
	return value
}

// of reads another campaign, nil where there is none.
func (g *ground) of(account tape.AccountID) *fund.Campaign {
	campaign, err := g.Ledger.Campaign(g.ctx, account)
	if known(g, campaign, err) == nil {
		return nil
	}
	return &campaign.Campaign
}

func (g *ground) account(id tape.AccountID) *readmodel.Account {
	account, err := g.Ledger.Account(g.ctx, id)
	return known(g, account, err)
}

// context is that in which the contract will judge, signed by these persons:
// that they are staff, and that enough of them sign, is asked when it is carried.
func (g *ground) context(persons ...tape.ID) tape.Context {
	ctx := tape.Context{Organisation: g.Organisation, Role: party.RoleGateway, At: g.At, Subject: fund.Subject}
	if ledger := record[party.Ledger](g, party.LedgerKey()); ledger != nil {
		date, err := ledger.Zone.Date(g.At)
		if ctx.Date = date; g.err == nil {
			g.err = err
		}
	}
	if powers := record[party.Powers](g, party.PowersKey(g.Organisation)); powers != nil {
		ctx.Powers = powers.Powers
	}
	for _, person := range persons {
		ctx.Approvals = append(ctx.Approvals, tape.Approval{Person: person, Organisation: g.Organisation, Custody: string(party.Own), Duty: string(party.DutyStaff)})
	}
	return ctx
}
