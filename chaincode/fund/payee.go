package fund

import (
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// PayeesMax is how many payees one command enrols; AgentPayeesMax how many one agent may serve.
const (
	PayeesMax      = 200
	AgentPayeesMax = 10_000
)

// The kinds of payees.
const (
	Household = "household"
	Supplier  = "supplier"
	Staff     = "staff"
)

// Enrol puts payees on a campaign's list. Each has a random name of its own in
// each campaign, so that nobody can follow a family from one to another.
type Enrol struct {
	Account tape.AccountID `json:"account"`
	// Agent serves all of the batch; none when the charity does.
	Agent  tape.ID    `json:"agent,omitempty"`
	ID     tape.ID    `json:"id"`
	Payees []NewPayee `json:"payees"`
}

// NewPayee is one of a batch.
type NewPayee struct {
	BankAccount string         `json:"bankAccount,omitempty"`
	Device      string         `json:"device,omitempty"`
	Kind        string         `json:"kind"`
	Payee       tape.AccountID `json:"payee"`
	Person      tape.ID        `json:"person,omitempty"`
}

func (p NewPayee) check() error {
	if err := rule.First(rule.Field("payee", p.Payee.Check()), rule.Field("kind", rule.OneOf(p.Kind, Household, Supplier, Staff)),
		rule.Field("bankAccount", tape.CheckFingerprint(p.BankAccount)), rule.Field("device", tape.CheckFingerprint(p.Device))); err != nil {
		return err
	}
	if !strings.HasPrefix(string(p.Payee), "outside:"+p.Kind+":") {
		return rule.Field("payee", rule.Refuse(rule.Invalid, "%s is not outside:%s:<name>", p.Payee, p.Kind))
	}
	if p.Person != "" {
		return rule.Field("person", p.Person.Check())
	}
	return nil
}

// Check refuses a malformed batch.
func (c Enrol) Check() error {
	if len(c.Payees) == 0 || len(c.Payees) > PayeesMax {
		return rule.Field("payees", rule.Refuse(rule.Invalid, "holds %d; 1 to %d are possible", len(c.Payees), PayeesMax))
	}
	seen := make(map[tape.AccountID]bool, len(c.Payees))
	for i, payee := range c.Payees {
		if err := payee.check(); err != nil {
			return rule.Item("payees", i, err)
		}
		if seen[payee.Payee] {
			return rule.Item("payees", i, rule.Refuse(rule.Invalid, "%s stands twice", payee.Payee))
		}
		seen[payee.Payee] = true
	}
	return nil
}

// Enrol judges the command: agent is the agent's record, known the payees that
// stand under those names, persons those whom they name, nil where there is none.
func (c Campaign) Enrol(command Enrol, agent *Agent, known []*Payee, persons []*party.Person, ctx tape.Context) ([]Payee, *Agent, tape.Entry, error) {
	refuse := func(err error) ([]Payee, *Agent, tape.Entry, error) { return nil, nil, tape.Entry{}, err }
	if err := rule.First(c.governs(ctx), c.open(), command.Check(), command.signed(agent, c.Organisation, ctx), command.ofOthers(ctx), command.registered(persons, ctx)); err != nil {
		return refuse(err)
	}
	added := int32(0)
	for i, payee := range known {
		if payee == nil {
			added++
		} else if !command.Payees[i].completes(*payee, command.Agent) {
			return refuse(rule.Item("payees", i, rule.Refuse(rule.Exists, "%s is enrolled already, by entry %s", payee.Payee, payee.Entry)))
		}
	}
	if agent != nil {
		after := *agent
		if after.Payees += added; after.Payees > after.PayeesMax {
			return refuse(rule.Field("payees", rule.Refuse(rule.Insufficient, "agent %s would serve %d payees; its limit is %d", agent.Person, after.Payees, agent.PayeesMax)))
		}
		agent = &after
	}
	entry := ctx.Entry(command.ID, "enrol", string(c.Account))
	enrolledBy := make([]tape.ID, len(ctx.Approvals))
	for i, approval := range ctx.Approvals {
		enrolledBy[i] = approval.Person
	}
	payees := make([]Payee, len(command.Payees))
	for i, p := range command.Payees {
		payees[i] = Payee{V: 1, Payee: p.Payee, Kind: p.Kind, Person: p.Person, Agent: command.Agent,
			EnrolledBy: enrolledBy, BankAccount: p.BankAccount, Device: p.Device, Entry: entry.Reference()}
		if known[i] != nil { // whoever brings the key later has a hand in it as well
			payees[i].Agent = known[i].Agent
			payees[i].EnrolledBy = slices.Compact(slices.Sorted(slices.Values(slices.Concat(known[i].EnrolledBy, enrolledBy))))
		}
	}
	return payees, agent, entry, nil
}

// completes reports whether a payee who had no key yet is the same but for the
// key that it has now: who cannot sign can neither confirm nor dispute.
func (p NewPayee) completes(known Payee, agent tape.ID) bool {
	return known.Person == "" && p.Person != "" && p.Kind == known.Kind && p.BankAccount == known.BankAccount && p.Device == known.Device &&
		(agent == "" || agent == known.Agent)
}

// ofOthers refuses those who put themselves on the list, or are to serve themselves.
func (c Enrol) ofOthers(ctx tape.Context) error {
	for i, payee := range c.Payees {
		signs := slices.ContainsFunc(ctx.Approvals, func(a tape.Approval) bool { return a.Person == payee.Person })
		if payee.Person != "" && (signs || payee.Person == c.Agent) {
			return rule.Item("payees", i, rule.Field("person", rule.Refuse(rule.Forbidden, "%s cannot enrol itself", payee.Person)))
		}
	}
	return nil
}

// registered refuses payees whose person is not on the ledger, or cannot sign.
func (c Enrol) registered(persons []*party.Person, ctx tape.Context) error {
	for i, payee := range c.Payees {
		if payee.Person == "" {
			continue
		}
		if err := registered(payee.Person, persons[i], ctx); err != nil {
			return rule.Item("payees", i, rule.Field("person", err))
		}
	}
	return nil
}

// signed refuses a list that nobody answers for: its agent, or a person of the charity.
func (c Enrol) signed(agent *Agent, organisation string, ctx tape.Context) error {
	if c.Agent == "" {
		return party.SignedBy(ctx, organisation)
	}
	if agent == nil || agent.Ended {
		return rule.Field("agent", rule.Refuse(rule.NotFound, "%s is not an agent of %s", c.Agent, c.Account))
	}
	for _, approval := range ctx.Approvals {
		if approval.Person == c.Agent && party.Duty(approval.Duty) != party.DutyMember {
			return nil
		}
	}
	return rule.Field("agent", rule.Refuse(rule.Forbidden, "agent %s must sign its list, registered as agent or staff", c.Agent))
}

// AppointAgent names a person who enrols and serves payees, or ends that.
type AppointAgent struct {
	Account   tape.AccountID `json:"account"`
	End       bool           `json:"end,omitempty"`
	ID        tape.ID        `json:"id"`
	PayeesMax int32          `json:"payeesMax"`
	Person    tape.ID        `json:"person"`
}

// Appoint judges the command; known is the agent's record, nil for none.
func (c Campaign) Appoint(command AppointAgent, known *Agent, ctx tape.Context) (Agent, tape.Entry, error) {
	refuse := func(err error) (Agent, tape.Entry, error) { return Agent{}, tape.Entry{}, err }
	if err := rule.First(c.governs(ctx), c.open(), rule.Field("person", command.Person.Check())); err != nil {
		return refuse(err)
	}
	served := int32(0)
	if known != nil {
		served = known.Payees
	}
	if command.PayeesMax < served || command.PayeesMax < 1 || command.PayeesMax > AgentPayeesMax {
		return refuse(rule.Field("payeesMax", rule.Refuse(rule.Invalid, "%d is not %d to %d; %d are served", command.PayeesMax, max(1, served), AgentPayeesMax, served)))
	}
	for _, approval := range ctx.Approvals {
		if approval.Person == command.Person {
			return refuse(rule.Field("person", rule.Refuse(rule.Forbidden, "%s cannot appoint itself", command.Person)))
		}
	}
	if command.End && (known == nil || known.Ended) {
		return refuse(rule.Field("person", rule.Refuse(rule.NotFound, "%s is not an agent of %s", command.Person, c.Account)))
	}
	entry := ctx.Entry(command.ID, "appoint-agent", string(c.Account))
	return Agent{V: 1, Person: command.Person, PayeesMax: command.PayeesMax, Payees: served, Ended: command.End, Entry: entry.Reference()}, entry, nil
}

// SetFlag stops payouts to a payee, or lets them go on.
type SetFlag struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Payee   tape.AccountID `json:"payee"`
	Raise   bool           `json:"raise"`
	// Reason is device, payee-account, person, agent, call-back, complaint or cleared.
	Reason string `json:"reason"`
}

// Flag judges the command: one of the staff raises a flag, of the charity or of
// its regulator, each its own, and only that organisation lifts it; for the
// charity's own several sign, which the caller checks against the policy. One
// who was the regulator before lifts what it left.
func (c Campaign) Flag(command SetFlag, payee *Payee, known *Flag, ctx tape.Context) (Flag, tape.Entry, error) {
	refuse := func(err error) (Flag, tape.Entry, error) { return Flag{}, tape.Entry{}, err }
	if err := rule.First(c.flags(command, known, ctx), party.SignedBy(ctx, ctx.Organisation),
		rule.Field("reason", rule.OneOf(command.Reason, "device", "payee-account", "person", "agent", "call-back", "complaint", "cleared"))); err != nil {
		return refuse(err)
	}
	if payee == nil {
		return refuse(rule.Field("payee", rule.Refuse(rule.NotFound, "%s is not enrolled in %s", command.Payee, c.Account)))
	}
	if own := known.of(ctx.Organisation) != nil; own == command.Raise && (own || len(known.standing()) == 0) {
		return refuse(rule.Field("raise", rule.Refuse(rule.WrongState, "the flag of %s on %s stands as you ask already", ctx.Organisation, command.Payee)))
	}
	if (command.Reason == "cleared") == command.Raise {
		return refuse(rule.Field("reason", rule.Refuse(rule.Invalid, "cleared is the reason of a flag that is lifted, and of no other")))
	}
	if !command.Raise {
		if err := known.lifted(*payee, ctx); err != nil {
			return refuse(err)
		}
	}
	entry := ctx.Entry(command.ID, "set-flag", string(c.Account))
	return known.with(command.Raise, command.Reason, entry), entry, nil
}

// flags refuses who is neither the charity nor its regulator, and lifts no flag of its own.
func (c Campaign) flags(command SetFlag, known *Flag, ctx tape.Context) error {
	concerned := ctx.Organisation == c.Organisation || ctx.Organisation == c.Plan.Regulator || !command.Raise && known.of(ctx.Organisation) != nil
	if ctx.Role != party.RoleGateway || !concerned {
		return rule.Refuse(rule.Forbidden, "%s (role %s) does not flag payees of %s", ctx.Organisation, ctx.Role, c.Account)
	}
	return nil
}

// lifted refuses to lift a flag without whoever raised it, or by who gains from it.
func (f *Flag) lifted(payee Payee, ctx tape.Context) error {
	if f.of(ctx.Organisation) == nil {
		other := f.Raised[0]
		return rule.Refuse(rule.Forbidden, "the flag on %s is that of %s, by entry %s; %s lifts it", payee.Payee, other.Organisation, other.Entry, other.Organisation)
	}
	for _, approval := range ctx.Approvals {
		if slices.Contains(payee.persons(), approval.Person) {
			return rule.Refuse(rule.Forbidden, "%s is %s or serves it, and cannot lift its flag", approval.Person, payee.Payee)
		}
	}
	return nil
}

// CallBackPayee records what a payee said to somebody who is not its agent.
type CallBackPayee struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	// Outcome is confirmed, not-reached or denied.
	Outcome string         `json:"outcome"`
	Payee   tape.AccountID `json:"payee"`
}

// CallBack judges the command. A payee who denies is flagged by it at once,
// unless the charity's flag stands already.
func (c Campaign) CallBack(command CallBackPayee, payee *Payee, known *Flag, ctx tape.Context) (CallBack, *Flag, tape.Entry, error) {
	refuse := func(err error) (CallBack, *Flag, tape.Entry, error) { return CallBack{}, nil, tape.Entry{}, err }
	if err := rule.First(c.governs(ctx), c.open(), rule.Field("outcome", rule.OneOf(command.Outcome, "confirmed", "not-reached", "denied"))); err != nil {
		return refuse(err)
	}
	if payee == nil {
		return refuse(rule.Field("payee", rule.Refuse(rule.NotFound, "%s is not enrolled in %s", command.Payee, c.Account)))
	}
	if err := party.SignedByOne(ctx, c.Organisation, "signs a call-back"); err != nil {
		return refuse(err)
	}
	caller := ctx.Approvals[0].Person
	if slices.Contains(payee.persons(), caller) {
		return refuse(rule.Refuse(rule.Forbidden, "%s serves %s and cannot call it back", caller, command.Payee))
	}
	if slices.Contains(payee.EnrolledBy, caller) {
		return refuse(rule.Refuse(rule.Forbidden, "%s enrolled %s and cannot call it back; somebody else does", caller, command.Payee))
	}
	entry := ctx.Entry(command.ID, "call-back-payee", string(c.Account))
	var flag *Flag
	if command.Outcome == "denied" && known.of(ctx.Organisation) == nil {
		raised := known.with(true, "call-back", entry)
		flag = &raised
	}
	return CallBack{V: 1, Outcome: command.Outcome, Caller: caller, Entry: entry.Reference()}, flag, entry, nil
}

// Line is one payment of a disbursement with what the ledger knows of its payee.
type Line struct {
	Payment    tape.Payment
	Payee      *Payee      // PayeeKey, for payees outside
	Flag       *Flag       // FlagKey, for payees outside
	Invitation *Invitation // InvitationKey, for accounts of the ledger
	Campaign   *Campaign   // CampaignKey of Payment.To, for accounts of the ledger
}

// pays refuses a payment that the campaign may not make on a budget line:
// outside, only to who is enrolled and not flagged; on the ledger, only to an
// invited partner's grant, its own earmark, or the campaign that its plan names.
func (c Campaign) pays(l Line, budget BudgetLine) error {
	if !l.Payment.To.Outside() {
		return rule.Field("to", c.paysAccount(l, budget))
	}
	if l.Payee == nil {
		return rule.Field("to", rule.Refuse(rule.NotFound, "%s is not enrolled in %s", l.Payment.To, c.Account))
	}
	if standing := l.Flag.standing(); len(standing) > 0 {
		return rule.Field("to", rule.Refuse(rule.Forbidden, "payouts to %s are stopped by a flag (%s), by entry %s", l.Payment.To, standing[0].Reason, standing[0].Entry))
	}
	if l.Payee.Kind == Staff && budget.Kind == Programme {
		return rule.Field("to", rule.Refuse(rule.Forbidden, "%s is staff; line %s is for the programme", l.Payment.To, budget.ID))
	}
	if l.Payee.Kind == Household && budget.Kind != Programme {
		return rule.Field("to", rule.Refuse(rule.Forbidden, "%s is a household; line %s is for %s", l.Payment.To, budget.ID, budget.Kind))
	}
	return nil
}

// paysAccount judges a payment to another campaign: what was ordered on one line
// of the programme stays on it, wherever it goes on.
func (c Campaign) paysAccount(l Line, budget BudgetLine) error {
	if l.Campaign == nil {
		return rule.Refuse(rule.Forbidden, "%s is no campaign; money given for a purpose stays under a plan", l.Payment.To)
	}
	if l.Campaign.State == Closed {
		return rule.Refuse(rule.WrongState, "%s is closed", l.Payment.To)
	}
	if budget.Kind != Programme {
		return rule.Refuse(rule.Forbidden, "line %s is for %s; grants and earmarks are for the programme", budget.ID, budget.Kind)
	}
	if c.State == Draft {
		return rule.Refuse(rule.WrongState, "before its filing number %s hands no money on", c.Account)
	}
	switch {
	case l.Campaign.Basis == Grant && l.Campaign.Parent == c.Account:
		return rule.First(l.Invitation.allows(c.Account, l.Payment.To), c.shares(l.Campaign.Plan))
	case l.Campaign.Basis == Earmark && l.Campaign.Parent == c.Account:
		return rule.First(l.Campaign.spendsOnly(budget), c.shares(l.Campaign.Plan))
	}
	return rule.Refuse(rule.Forbidden, "%s is neither an invited partner's grant nor an earmark of %s; its money is for another purpose", l.Payment.To, c.Account)
}

// spendsOnly refuses an earmark that would spend money of one line on another.
func (c Campaign) spendsOnly(budget BudgetLine) error {
	for _, line := range c.Plan.Lines {
		if line.ID != budget.ID {
			return rule.Refuse(rule.Forbidden, "%s also spends on line %s; money of line %s goes to an earmark of that line alone", c.Account, line.ID, budget.ID)
		}
	}
	return nil
}

// Zero is the amount that those who decide without moving money sign.
func (c Campaign) Zero() money.Amount { return money.New(0, c.Plan.Goal.Currency) }
