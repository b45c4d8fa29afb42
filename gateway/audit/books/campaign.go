package books

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

func (b *Books) openCampaign() error {
	command, err := command[fund.OpenCampaign](b)
	if err != nil {
		return err
	}
	b.opened(command.Account, command.Plan.Goal.Currency, command.Custodian)
	c := &campaign{account: b.accounts[command.Account], organisation: b.entry.Organisation, basis: command.Basis, parent: command.Parent,
		state: fund.Active, version: 1, plan: command.Plan, ordered: map[tape.ID]int64{}, granted: map[tape.AccountID]onLines{}, invited: map[tape.AccountID]bool{},
		payees: map[tape.AccountID]fund.NewPayee{}, agentOf: map[tape.AccountID]tape.ID{}, next: map[tape.AccountID]fund.NextPerson{}, flagged: map[tape.AccountID][]string{}, enrolledBy: map[tape.AccountID][]tape.ID{},
		agents: map[tape.ID]*agent{}, disbursements: map[tape.ID]*disbursement{}, pledges: map[tape.ID]*pledge{}, goods: map[tape.ID]*goods{}}
	if command.Basis == fund.Filing {
		c.state, c.version = fund.Draft, 0
	}
	b.trail.campaigns[command.Account] = c
	key := fund.CampaignKey(command.Account)
	b.once("campaign", key)
	b.agreed(key, money.New(0, c.account.currency), b.entry.Intents, c.organisation)
	b.signers()
	b.descends(c)
	b.givenBy(c, c.plan, nil)
	if c.plan.Regulator == c.organisation {
		b.problem(key, "an organisation supervises itself", "", c.organisation)
	}
	b.noteCampaign(c)
	b.noteBudget(c)
	return nil
}

// givenBy checks that the donors whom a plan names anew can consent, and are not
// staff of the charity that would change the use of their money.
func (b *Books) givenBy(c *campaign, plan fund.Plan, before []tape.ID) {
	for _, donor := range plan.Donors {
		person, in := b.person(donor)
		if slices.Contains(before, donor) {
			continue
		}
		if !inForce(person, in, b.entry.At) || person.Organisation == c.organisation && in.Duty == party.DutyStaff {
			b.problem(fund.CampaignKey(c.account.id), "a donor cannot consent, or is staff of the charity", "", string(donor))
		}
	}
}

// descends checks that a grant was invited by the campaign whose money it is,
// and that what is left of a grant or an earmark goes back there. Neither has
// costs beside the programme, which would escape the cap of its campaign.
func (b *Books) descends(c *campaign) {
	if c.basis != fund.Grant && c.basis != fund.Earmark {
		return
	}
	key := fund.CampaignKey(c.account.id)
	parent := b.trail.campaigns[c.parent]
	if parent == nil {
		b.problem(key, "it spends the money of a campaign that was never opened", "", string(c.parent))
		return
	}
	b.differs(key, "where what is left of it goes", string(c.parent), string(c.plan.Leftover))
	b.shares(parent, c)
	for _, line := range c.plan.Lines {
		if line.Kind != fund.Programme {
			b.problem(key, "a grant or an earmark has a line for something else than the programme", fund.Programme, line.Kind)
		}
	}
	if c.basis == fund.Grant && !parent.invited[c.account.id] {
		b.problem(fund.InvitationKey(c.parent, c.account.id), "a grant is opened that was not invited", "", b.entry.Reference())
	}
}

// shares checks that a grant or an earmark is for what its campaign's money was
// given for, in the same area or a part of it.
func (b *Books) shares(parent, c *campaign) {
	of, plan := parent.plan, c.plan
	if plan.Area != of.Area && strings.HasPrefix(plan.Area, of.Area+"-") {
		plan.Area = of.Area
	}
	b.differs(fund.CampaignKey(c.account.id), "what the money of "+string(parent.account.id)+" is for", spelled([]any{of.Purpose, of.Sector, of.Area}), spelled([]any{plan.Purpose, plan.Sector, plan.Area}))
}

func (b *Books) amendCampaign() error {
	command, c, err := about(b, func(c fund.AmendCampaign) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	b.agreed(fund.CampaignKey(command.Account), money.New(0, c.account.currency), b.entry.Intents, c.organisation)
	b.signers()
	b.keepsOrders(c, command.Plan)
	if c.basis == fund.Filing {
		c.pending = &command.Plan
	} else {
		b.givenBy(c, command.Plan, c.plan.Donors)
		b.consented(c, command.Plan)
		c.plan, c.version = command.Plan, c.version+1
	}
	b.noteCampaign(c)
	b.noteBudgetIfWritten(c)
	return nil
}

// keepsOrders checks that a plan would allow what is ordered already.
func (b *Books) keepsOrders(c *campaign, plan fund.Plan) {
	for _, id := range slices.Sorted(maps.Keys(c.ordered)) {
		before, after := c.line(id), lineOf(plan, id)
		if units := c.ordered[id]; units > 0 && (units > after.Amount.Units || before.Kind != after.Kind) {
			b.problem(fund.CampaignKey(c.account.id), "a plan does not allow what is ordered on line "+string(id)+" already", fmt.Sprintf("%d units for %s", units, before.Kind),
				fmt.Sprintf("%d units for %s", after.Amount.Units, after.Kind))
		}
	}
}

// consented checks that the donors of an agreement have signed another use of
// their money, and that a grant or an earmark has no other use at all.
func (b *Books) consented(c *campaign, plan fund.Plan) {
	if !changesUse(c.plan, plan) {
		return
	}
	if c.parent != "" {
		b.problem(fund.CampaignKey(c.account.id), "the use of money changes that was given for another", string(c.parent), b.entry.Reference())
	}
	for _, donor := range c.plan.Donors {
		if !slices.ContainsFunc(b.entry.Intents, func(a tape.Approval) bool { return a.Person == donor }) {
			b.problem(fund.CampaignKey(c.account.id), "the use of the money changes without a donor's consent", string(donor), people(b.entry.Intents))
		}
	}
}

// changesUse says whether money would be used otherwise: for something else, less
// of it for the programme, or more for anything else.
func changesUse(before, after fund.Plan) bool {
	if useOf(before) != useOf(after) {
		return true
	}
	for _, line := range after.Lines {
		was := lineOf(before, line.ID)
		if was.Kind+spelled(was.Title) != line.Kind+spelled(line.Title) || line.Kind != fund.Programme && line.Amount.Units > was.Amount.Units {
			return true
		}
	}
	return slices.ContainsFunc(before.Lines, func(line fund.BudgetLine) bool {
		return line.Kind == fund.Programme && lineOf(after, line.ID).Amount.Units < line.Amount.Units
	})
}

func useOf(p fund.Plan) string {
	return spelled([]any{p.Purpose, p.Beneficiaries, p.Area, p.Leftover, p.ManagementPartsPerMillion, p.Sector, p.From, p.To, p.Emergency, append([]tape.ID{}, p.Donors...)})
}

// acceptFiling is the regulator's: the plan that waits is in force.
func (b *Books) acceptFiling() error {
	command, c, err := about(b, func(c fund.AcceptFiling) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	key := fund.CampaignKey(command.Account)
	b.differs(key, "who accepts the filing", c.plan.Regulator, b.entry.Organisation)
	b.signedBy(key, c.plan.Regulator)
	b.signers()
	if c.version > 0 && c.pending == nil {
		b.problem(key, "a filing is accepted and no plan waits", "", b.entry.Reference())
	}
	if c.pending != nil {
		b.keepsOrders(c, *c.pending)
		c.plan, c.pending = *c.pending, nil
	}
	if c.state == fund.Draft {
		c.state = fund.Active
	}
	c.version++
	b.noteCampaign(c)
	b.noteBudgetIfWritten(c)
	return nil
}

func (b *Books) closeCampaign() error {
	command, c, err := about(b, func(c fund.CloseCampaign) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	b.agreed(fund.CampaignKey(command.Account), money.New(0, c.account.currency), b.entry.Intents, c.organisation)
	b.signers()
	c.state, c.pending = fund.Closed, nil
	b.noteCampaign(c)
	return nil
}

// carry hands all that is free to the campaign that the plan names.
func (b *Books) carry() error {
	command, c, err := about(b, func(c fund.Carry) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	key := fund.CampaignKey(command.Account)
	b.differs(key, "the state of a campaign whose remainder is carried", string(fund.Closed), string(c.state))
	b.agreed(key, command.Amount, b.entry.Intents, c.organisation)
	b.signers()
	if len(b.entry.Postings) != 1 {
		return fmt.Errorf("a remainder has %d postings", len(b.entry.Postings))
	}
	b.differs(key, "the campaign that gets the remainder", string(c.plan.Leftover), string(b.entry.Postings[0].To))
	if err := b.takeFirst(c.account, b.entry.Postings[0], command.Amount); err != nil {
		return err
	}
	b.moves(command.Account, setApart, "", command.Amount.Units)
	b.moves(command.Account, paidOut, "", command.Amount.Units)
	b.differs(key, "what is left behind a remainder", "none", spell(c.account.spansOf(free)))
	return b.inherits(c, command.Amount)
}

// inherits notes what another campaign gets: it was counted where it was first
// received, and no management costs are taken of it again.
func (b *Books) inherits(c *campaign, amount money.Amount) error {
	heir, err := b.campaign(c.plan.Leftover)
	if err != nil {
		return err
	}
	if c.parent == "" && (heir.state == fund.Closed || heir.basis != fund.Filing && heir.basis != c.basis) {
		b.problem(fund.CampaignKey(c.account.id), "a remainder goes to a campaign that cannot have it", string(c.basis)+" or filing, not closed", fmt.Sprintf("%s, %s", heir.basis, heir.state))
	}
	heir.carried += amount.Units
	b.comesHome(c, heir, amount.Units)
	b.noteBudget(heir)
	return nil
}

func (b *Books) invite() error {
	command, c, err := about(b, func(c fund.Invite) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	key := fund.InvitationKey(command.Account, command.Partner)
	b.agreed(key, money.New(0, c.account.currency), b.entry.Intents, c.organisation)
	b.signers()
	c.invited[command.Partner] = !command.Withdraw
	noted(b, key, "the invitation", fmt.Sprintf("%s, withdrawn %t", command.Partner, command.Withdraw),
		func(r fund.Invitation) string { return fmt.Sprintf("%s, withdrawn %t", r.Partner, r.Withdrawn) })
	return nil
}

// noteCampaign compares the campaign's record.
func (b *Books) noteCampaign(c *campaign) {
	b.plans(c)
	want := fund.Campaign{Account: c.account.id, Organisation: c.organisation, Basis: c.basis, Parent: c.parent, State: c.state, Version: c.version, Plan: c.plan, Pending: c.pending}
	noted(b, fund.CampaignKey(c.account.id), "the campaign and its plan", spelledCampaign(want), spelledCampaign)
}

func spelledCampaign(r fund.Campaign) string {
	return fmt.Sprintf("%s of %s, %s %s, plan %d: %s, waiting: %s", r.Account, r.Organisation, r.Basis, r.State, r.Version, spelled(r.Plan), spelled(r.Pending))
}

// spelled writes a value so that equal ones are spelled alike.
func spelled(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprintf("%+v: %v", value, err)
	}
	return string(text)
}

// noteBudget compares what is ordered on each line. Lines on which nothing is
// ordered may be listed or not.
func (b *Books) noteBudget(c *campaign) {
	noted(b, fund.BudgetKey(c.account.id), "what is ordered on each budget line", spelledBudget(c.ordered, c.carried), func(r fund.Budget) string {
		ordered := map[tape.ID]int64{}
		for _, line := range r.Lines {
			ordered[line.Line] += line.Units
		}
		return spelledBudget(ordered, r.Carried)
	})
}

// noteBudgetIfWritten is for commands that change the plan and no order.
func (b *Books) noteBudgetIfWritten(c *campaign) {
	if _, written := b.transaction.Writes[fund.BudgetKey(c.account.id)]; written {
		b.noteBudget(c)
	}
}

func spelledBudget(ordered map[tape.ID]int64, carried int64) string {
	var lines []string
	for _, id := range slices.Sorted(maps.Keys(ordered)) {
		if ordered[id] != 0 {
			lines = append(lines, fmt.Sprintf("%s %d", id, ordered[id]))
		}
	}
	if len(lines) == 0 {
		lines = []string{"nothing on any"}
	}
	if carried != 0 {
		lines = append(lines, fmt.Sprintf("%d carried over", carried))
	}
	return strings.Join(lines, ", ")
}

// line is the budget line of the plan in force; the zero value is none.
func (c *campaign) line(id tape.ID) fund.BudgetLine { return lineOf(c.plan, id) }

func lineOf(plan fund.Plan, id tape.ID) fund.BudgetLine {
	at := slices.IndexFunc(plan.Lines, func(l fund.BudgetLine) bool { return l.ID == id })
	if at < 0 {
		return fund.BudgetLine{}
	}
	return plan.Lines[at]
}
