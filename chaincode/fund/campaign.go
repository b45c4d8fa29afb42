package fund

import (
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// OpenCampaign opens a campaign together with its account.
type OpenCampaign struct {
	Account   tape.AccountID `json:"account"`
	Basis     Basis          `json:"basis"`
	Custodian tape.AccountID `json:"custodian"`
	ID        tape.ID        `json:"id"`
	OwnFunds  tape.AccountID `json:"ownFunds,omitempty"`
	Parent    tape.AccountID `json:"parent,omitempty"`
	Plan      Plan           `json:"plan"`
}

// Tape is the command that opens the account.
func (c OpenCampaign) Tape() tape.Open {
	return tape.Open{Account: c.Account, Attribution: tape.FIFO, Currency: c.Plan.Goal.Currency, Custodian: c.Custodian, ID: c.ID, OwnFunds: c.OwnFunds}
}

// Zero is the amount that those who decide without moving money sign.
func (c OpenCampaign) Zero() money.Amount { return money.New(0, c.Plan.Goal.Currency) }

// OpenState is what OpenCampaign reads beside the accounts.
type OpenState struct {
	Parent     *Campaign     // CampaignKey of Parent
	Invitation *Invitation   // InvitationKey of Parent and Account
	OwnFunds   *tape.Account // the account that OwnFunds names
	// Regulates and Keeps report whether the plan's regulator and the bank
	// account's keeper hold these powers.
	Regulates, Keeps bool
	Donors           []*party.Person // PersonKey of each of the plan's donors, in their order
}

// Apply judges the command beside tape.Open, which judges the account.
func (c OpenCampaign) Apply(state OpenState, ctx tape.Context) (Campaign, Budget, error) {
	refuse := func(err error) (Campaign, Budget, error) { return Campaign{}, Budget{}, err }
	if err := rule.Field("basis", rule.OneOf(string(c.Basis), string(Filing), string(Agreement), string(Grant), string(Earmark))); err != nil {
		return refuse(err)
	}
	if err := rule.Field("plan", c.Plan.Check(c.Account, c.Basis)); err != nil {
		return refuse(err)
	}
	if err := rule.First(c.supervised(state, ctx), c.kept(state, ctx), c.descent(state, ctx), rule.Field("plan", c.Plan.givenBy(state.Donors, nil, ctx))); err != nil {
		return refuse(err)
	}
	reference := ctx.Organisation + "/" + string(c.ID)
	campaign := Campaign{V: 1, Account: c.Account, Organisation: ctx.Organisation, Basis: c.Basis, Parent: c.Parent,
		State: Active, Version: 1, Plan: c.Plan, Submitted: ctx.Date, At: ctx.At, Entry: reference}
	if c.Basis == Filing {
		campaign.State, campaign.Version = Draft, 0
	}
	return campaign, newBudget(c.Account, c.Plan), nil
}

// supervised refuses a campaign of somebody who is no charity, or that nobody
// else watches over.
func (c OpenCampaign) supervised(state OpenState, ctx tape.Context) error {
	if c.Basis != Grant && !ctx.Has(party.Charity) {
		return rule.Refuse(rule.Forbidden, "%s holds no power of a charity; it can only have a charity's grant", ctx.Organisation)
	}
	if !state.Regulates {
		return rule.Field("plan.regulator", rule.Refuse(rule.NotFound, "%s holds no power of a regulator", c.Plan.Regulator))
	}
	if c.Plan.Regulator == ctx.Organisation {
		return rule.Field("plan.regulator", rule.Refuse(rule.Forbidden, "%s does not supervise itself", c.Plan.Regulator))
	}
	return nil
}

// kept refuses a bank account that no bank keeps (art. 54), and own funds that
// are another campaign's: a chargeback would be paid out of its plan.
func (c OpenCampaign) kept(state OpenState, ctx tape.Context) error {
	if keeper := tape.CustodianOf(c.Custodian); keeper == ctx.Organisation || keeper != "" && !state.Keeps {
		return rule.Field("custodian", rule.Refuse(rule.Forbidden, "%s is not kept by another organisation that holds the power of a custodian", c.Custodian))
	}
	if of := state.OwnFunds; of != nil && (of.Subject != "" || of.Unidentified != "") {
		return rule.Field("ownFunds", rule.Refuse(rule.Forbidden, "%s holds money given for a purpose of its own; it bears no other's chargebacks", of.ID))
	}
	return nil
}

// descent judges whose money a grant or an earmark will spend.
func (c OpenCampaign) descent(state OpenState, ctx tape.Context) error {
	if c.Basis == Filing || c.Basis == Agreement {
		if c.Parent != "" {
			return rule.Field("parent", rule.Refuse(rule.Invalid, "only grants and earmarks have one"))
		}
		return nil
	}
	if state.Parent == nil {
		return rule.Field("parent", rule.Refuse(rule.NotFound, "there is no campaign %s", c.Parent))
	}
	if err := state.Parent.open(); err != nil {
		return rule.Field("parent", err)
	}
	if state.Parent.Plan.Goal.Currency != c.Plan.Goal.Currency {
		return rule.Field("parent", rule.Refuse(rule.Invalid, "%s is of %s, the plan of %s", c.Parent, state.Parent.Plan.Goal.Currency, c.Plan.Goal.Currency))
	}
	if c.Plan.Leftover != c.Parent {
		return rule.Field("plan.leftover", rule.Refuse(rule.Invalid, "names %s; what is left of a grant or an earmark goes back to %s", c.Plan.Leftover, c.Parent))
	}
	if err := rule.Field("plan", state.Parent.shares(c.Plan)); err != nil {
		return err
	}
	return c.sponsored(state, ctx)
}

// sponsored refuses a grant of who was not invited, and an earmark of another
// organisation or on other lines than its campaign's.
func (c OpenCampaign) sponsored(state OpenState, ctx tape.Context) error {
	if c.Basis == Grant {
		return state.Invitation.opens(c.Parent, c.Account, ctx)
	}
	if state.Parent.Organisation != ctx.Organisation {
		return rule.Field("parent", rule.Refuse(rule.Forbidden, "%s is a campaign of %s; an earmark belongs to the same organisation", c.Parent, state.Parent.Organisation))
	}
	return state.Parent.has(c.Plan)
}

// shares refuses to give money on for another purpose than it was given for:
// nobody else reads the plan of a grant or an earmark.
func (c Campaign) shares(plan Plan) error {
	if plan.Purpose != c.Plan.Purpose {
		return rule.Field("purpose", rule.Refuse(rule.Forbidden, "is another than that of %s, whose money it is", c.Account))
	}
	if plan.Sector != c.Plan.Sector {
		return rule.Field("sector", rule.Refuse(rule.Forbidden, "is %s; that of %s, whose money it is, is %s", plan.Sector, c.Account, c.Plan.Sector))
	}
	if plan.Area != c.Plan.Area && !strings.HasPrefix(plan.Area, c.Plan.Area+"-") {
		return rule.Field("area", rule.Refuse(rule.Forbidden, "is %s, which is not in %s; the money of %s stays there", plan.Area, c.Plan.Area, c.Account))
	}
	return nil
}

// has refuses an earmark that would spend on other lines than its campaign's.
func (c Campaign) has(plan Plan) error {
	for i, line := range plan.Lines {
		if of, known := c.Plan.Line(line.ID); !known || of.Kind != line.Kind {
			return rule.Item("plan.lines", i, rule.Refuse(rule.NotFound, "%s has no %s line %s; an earmark spends on its campaign's lines", c.Account, line.Kind, line.ID))
		}
	}
	return nil
}

// allows refuses a partner who was not invited.
func (i *Invitation) allows(campaign, partner tape.AccountID) error {
	if i == nil || i.Withdrawn {
		return rule.Refuse(rule.Forbidden, "%s is not invited to %s; invite it first", partner, campaign)
	}
	return nil
}

// opens refuses a grant that somebody else opens under the partner's name.
func (i *Invitation) opens(campaign, partner tape.AccountID, ctx tape.Context) error {
	if err := i.allows(campaign, partner); err != nil {
		return err
	}
	if i.Organisation != ctx.Organisation {
		return rule.Refuse(rule.Forbidden, "%s is invited to %s as an account of %s", partner, campaign, i.Organisation)
	}
	return nil
}

// governs refuses whoever is not the gateway of the campaign's organisation.
func (c Campaign) governs(ctx tape.Context) error {
	if ctx.Organisation != c.Organisation || ctx.Role != party.RoleGateway {
		return rule.Refuse(rule.Forbidden, "%s (role %s) does not run %s; %s does", ctx.Organisation, ctx.Role, c.Account, c.Organisation)
	}
	return nil
}

// open refuses a campaign that is closed.
func (c Campaign) open() error {
	if c.State == Closed {
		return rule.Refuse(rule.WrongState, "%s was closed on %s", c.Account, c.Closed)
	}
	return nil
}

// spends refuses a campaign whose money may not be paid out: its plan must
// stand accepted, and its period must have begun.
func (c Campaign) spends(ctx tape.Context) error {
	return rule.First(c.filed(ctx), c.open(), c.begun(ctx))
}

// begun refuses what comes before the plan's first day.
func (c Campaign) begun(ctx tape.Context) error {
	if ctx.Date < c.Plan.From {
		return rule.Refuse(rule.Early, "%s begins on %s", c.Account, c.Plan.From)
	}
	return nil
}

// filed refuses a plan that waits for its first filing number. An answer to a
// disaster begins before: the law gives it days after its start to file (art. 73).
func (c Campaign) filed(ctx tape.Context) error {
	if c.State != Draft {
		return nil
	}
	if !c.Plan.Emergency {
		return rule.Refuse(rule.WrongState, "the plan of %s waits for its filing number from %s", c.Account, c.Plan.Regulator)
	}
	law, err := LawOn(c.Plan.From)
	if err != nil {
		return err
	}
	if until, found := law.emergencyUntil(c.Plan); !found || ctx.Date > until {
		return rule.Refuse(rule.WrongState, "%s could spend without a filing number until %s; it waits for %s", c.Account, until, c.Plan.Regulator)
	}
	return nil
}

// programmeFirst refuses costs of the charity's own before the plan is accepted.
func (c Campaign) programmeFirst(line BudgetLine) error {
	if c.State == Draft && line.Kind != Programme {
		return rule.Field("line", rule.Refuse(rule.WrongState, "%s is for %s; before its filing number %s spends on its programme alone", line.ID, line.Kind, c.Account))
	}
	return nil
}

// AmendCampaign replaces a plan. A filed one waits for the regulator again; a
// change of use of an agreement needs every named donor's signature (art. 56).
type AmendCampaign struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Plan    Plan           `json:"plan"`
}

// Amend judges the command; donors are the persons whom the new plan names. Its
// approvals are checked against the policy by the caller.
func (c Campaign) Amend(command AmendCampaign, parent *Campaign, donors []*party.Person, budget Budget, ctx tape.Context) (Campaign, Budget, tape.Entry, error) {
	refuse := func(err error) (Campaign, Budget, tape.Entry, error) { return c, budget, tape.Entry{}, err }
	if err := rule.First(c.governs(ctx), c.amendable(command.Plan), rule.Field("plan", command.Plan.Check(c.Account, c.Basis))); err != nil {
		return refuse(err)
	}
	if command.Plan.Goal.Currency != c.Plan.Goal.Currency {
		return refuse(rule.Field("plan.goal", rule.Refuse(rule.Invalid, "is of %s; %s is of %s", command.Plan.Goal.Currency, c.Account, c.Plan.Goal.Currency)))
	}
	if command.Plan.Regulator != c.Plan.Regulator {
		return refuse(rule.Field("plan.regulator", rule.Refuse(rule.Invalid, "is %s; a campaign stays with %s", command.Plan.Regulator, c.Plan.Regulator)))
	}
	if err := rule.Field("plan", command.Plan.givenBy(donors, c.Plan.Donors, ctx)); err != nil {
		return refuse(err)
	}
	if err := c.keepsPromises(command.Plan, parent, budget, ctx); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "amend-campaign", string(c.Account))
	c.At, c.Entry = ctx.At, entry.Reference()
	if c.Basis == Filing {
		c.Pending = &command.Plan
		return c, budget, entry, nil
	}
	c.Plan, c.Version = command.Plan, c.Version+1
	return c, budget.of(c.Plan), entry, nil
}

// amendable refuses to change a closed campaign's plan in anything but where
// its remainder goes: the one that it named may have ended meanwhile.
func (c Campaign) amendable(plan Plan) error {
	same := c.Plan
	same.Leftover = plan.Leftover
	if c.State == Closed && !same.equal(plan) {
		return rule.Refuse(rule.WrongState, "%s was closed on %s; only where its remainder goes can be amended", c.Account, c.Closed)
	}
	return nil
}

// keepsPromises judges an amended plan by what was promised and what was ordered.
func (c Campaign) keepsPromises(plan Plan, parent *Campaign, budget Budget, ctx tape.Context) error {
	if c.Basis == Agreement && c.Plan.ChangesUse(plan) {
		for _, donor := range c.Plan.Donors {
			if !slices.ContainsFunc(ctx.Approvals, func(a tape.Approval) bool { return a.Person == donor }) {
				return rule.Field("plan", rule.Refuse(rule.Forbidden, "changes the use of the money; donor %s must sign it too", donor))
			}
		}
	}
	if c.Basis == Earmark && parent != nil {
		if err := parent.has(plan); err != nil {
			return err
		}
	}
	if c.Parent != "" && c.Plan.ChangesUse(plan) {
		return rule.Field("plan", rule.Refuse(rule.Forbidden, "changes the use of money that %s gave for another; give it back and open another %s", c.Parent, c.Basis))
	}
	return c.keepsOrders(plan, budget)
}

// keepsOrders refuses a plan that would not have allowed what was ordered. It is
// asked when a plan comes and when it is accepted: orders go on in between.
func (c Campaign) keepsOrders(plan Plan, budget Budget) error {
	for _, ordered := range budget.Lines {
		if ordered.Units <= 0 {
			continue
		}
		line, known := plan.Line(ordered.Line)
		if !known || line.Amount.Units < ordered.Units {
			return rule.Field("plan.lines", rule.Refuse(rule.Conflict, "line %s has paid orders of %s; it cannot be less", ordered.Line, money.New(ordered.Units, plan.Goal.Currency)))
		}
		if before, _ := c.Plan.Line(ordered.Line); before.Kind != line.Kind {
			return rule.Field("plan.lines", rule.Refuse(rule.Conflict, "line %s has orders for %s; it cannot be for %s", line.ID, before.Kind, line.Kind))
		}
	}
	return nil
}

// AcceptFiling is the regulator's: it gives the plan that waits its filing number.
type AcceptFiling struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Number  string         `json:"number"`
	// Plan is the entry that brought the plan, organisation/id: what the
	// regulator read is what it accepts.
	Plan string `json:"plan"`
}

// numbered refuses a filing without its number.
func (c AcceptFiling) numbered() error {
	if c.Number == "" {
		return rule.Refuse(rule.Invalid, "is empty")
	}
	return checkText(c.Number, NumberMax)
}

// Accept judges the command; the approvals are those of the regulator's persons.
func (c Campaign) Accept(command AcceptFiling, budget Budget, ctx tape.Context) (Campaign, Budget, tape.Entry, error) {
	refuse := func(err error) (Campaign, Budget, tape.Entry, error) { return c, budget, tape.Entry{}, err }
	if ctx.Organisation != c.Plan.Regulator || ctx.Role != party.RoleGateway || !ctx.Has(party.Regulator) {
		return refuse(rule.Refuse(rule.Forbidden, "%s (role %s) does not accept filings of %s; %s does", ctx.Organisation, ctx.Role, c.Account, c.Plan.Regulator))
	}
	if err := rule.First(party.SignedBy(ctx, c.Plan.Regulator), rule.Field("number", command.numbered())); err != nil {
		return refuse(err)
	}
	if c.Version > 0 && c.Pending == nil {
		return refuse(rule.Refuse(rule.WrongState, "no plan of %s waits for a filing number", c.Account))
	}
	if command.Plan != c.Entry {
		return refuse(rule.Field("plan", rule.Refuse(rule.Conflict, "is another; the plan that waits came by entry %s", c.Entry)))
	}
	plan := c.Plan
	if c.Pending != nil {
		plan = *c.Pending
	}
	if err := c.keepsOrders(plan, budget); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "accept-filing", string(c.Account))
	if c.State == Draft {
		c.State = Active
	}
	c.Plan, c.Pending, c.Version, c.At = plan, nil, c.Version+1, ctx.At
	c.Filing = &Filed{Number: command.Number, Date: ctx.Date, Entry: entry.Reference()}
	if c.Numbered == "" {
		c.Numbered = ctx.Date
	}
	return c, budget.of(c.Plan), entry, nil
}

// CloseCampaign ends a campaign: from then on only its remainder is carried.
type CloseCampaign struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
}

// Close judges the command.
func (c Campaign) Close(command CloseCampaign, ctx tape.Context) (Campaign, tape.Entry, error) {
	if err := rule.First(c.governs(ctx), c.open()); err != nil {
		return c, tape.Entry{}, err
	}
	entry := ctx.Entry(command.ID, "close-campaign", string(c.Account))
	c.State, c.Closed, c.At, c.Pending = Closed, ctx.At, ctx.At, nil
	return c, entry, nil
}

// Carry hands what is left of a closed campaign to the one that its plan names
// (Charity Law art. 58). It is all that is free: nobody chooses an amount.
type Carry struct {
	Account tape.AccountID `json:"account"`
	// Amount is what is free; it is named so that those who sign know it.
	Amount money.Amount `json:"amount"`
	ID     tape.ID      `json:"id"`
}

// Payment is what a carry pays.
func (c Campaign) Payment(command Carry) tape.Spend {
	return tape.Spend{Account: c.Account, ID: command.ID, Payments: []tape.Payment{{Amount: command.Amount, Line: "remainder", To: c.Plan.Leftover}}}
}

// Carry judges the command; free is what the account can spend, heir the
// campaign that the plan names, nil when there is none.
func (c Campaign) Carry(command Carry, free int64, heir *Campaign, ctx tape.Context) error {
	if err := c.governs(ctx); err != nil {
		return err
	}
	if c.State != Closed {
		return rule.Refuse(rule.WrongState, "%s is %s; close it before its remainder is carried", c.Account, c.State)
	}
	if err := c.inherits(heir); err != nil {
		return err
	}
	if command.Amount != money.New(free, c.Plan.Goal.Currency) {
		return rule.Field("amount", rule.Refuse(rule.Conflict, "is %s; what is left is %s", command.Amount, money.New(free, c.Plan.Goal.Currency)))
	}
	return nil
}

// inherits refuses a remainder that would leave the plans: what the public gave
// stays under a plan that a regulator reads. A grant's parent may have closed as
// well; what comes back to it goes on where its own plan says.
func (c Campaign) inherits(heir *Campaign) error {
	if c.Basis == Filing && c.Version == 0 {
		return rule.Refuse(rule.WrongState, "no plan of %s was ever accepted; refund what was given", c.Account)
	}
	if heir == nil {
		return rule.Refuse(rule.NotFound, "%s, which gets what is left, is no campaign; amend the plan", c.Plan.Leftover)
	}
	if c.Parent != "" {
		return nil
	}
	if heir.State == Closed {
		return rule.Refuse(rule.WrongState, "%s, which gets what is left, is closed; amend the plan", heir.Account)
	}
	if heir.Basis != Filing && heir.Basis != c.Basis {
		return rule.Refuse(rule.Forbidden, "%s is a campaign by %s; what is left of one by %s stays with one that is filed; amend the plan", heir.Account, heir.Basis, c.Basis)
	}
	return nil
}

// Invite lets a partner's account receive the campaign's money, or ends that.
type Invite struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	// Organisation is the partner's; none when it is the campaign's own.
	Organisation string         `json:"organisation,omitempty"`
	Partner      tape.AccountID `json:"partner"`
	Withdraw     bool           `json:"withdraw,omitempty"`
}

// Invite judges the command; known is the invitation that stands, nil for none.
func (c Campaign) Invite(command Invite, known *Invitation, ctx tape.Context) (Invitation, tape.Entry, error) {
	refuse := func(err error) (Invitation, tape.Entry, error) { return Invitation{}, tape.Entry{}, err }
	if err := rule.First(c.governs(ctx), c.open(), rule.Field("partner", command.Partner.Check())); err != nil {
		return refuse(err)
	}
	if command.Partner.Outside() || command.Partner == c.Account {
		return refuse(rule.Field("partner", rule.Refuse(rule.Invalid, "%s is no partner's account; who is paid outside the ledger is enrolled", command.Partner)))
	}
	of := c.Organisation
	if command.Organisation != "" {
		of = command.Organisation
	}
	if err := rule.Field("organisation", tape.CheckSegment(of)); err != nil {
		return refuse(err)
	}
	if invited := known != nil && !known.Withdrawn; invited != command.Withdraw {
		return refuse(rule.Field("partner", rule.Refuse(rule.WrongState, "the invitation of %s stands as you ask already", command.Partner)))
	}
	entry := ctx.Entry(command.ID, "invite", string(c.Account))
	return Invitation{V: 1, Partner: command.Partner, Organisation: of, Withdrawn: command.Withdraw, Entry: entry.Reference()}, entry, nil
}
