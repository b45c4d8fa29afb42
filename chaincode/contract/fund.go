package contract

import (
	"slices"
	"strings"

	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Fund is the contract of the charity's fund trail.
type Fund struct{ contractapi.Contract }

// campaign loads the ground, a campaign, and whatever else the rule reads.
func (t *transaction) campaign(id tape.ID, account tape.AccountID, keys ...string) (fund.Campaign, error) {
	if err := account.Check(); err != nil {
		return fund.Campaign{}, rule.Field("account", err)
	}
	if err := t.ground(id, append(keys, fund.CampaignKey(account))...); err != nil {
		return fund.Campaign{}, err
	}
	return need[fund.Campaign](t, fund.CampaignKey(account), "campaign "+account.String())
}

// budget is what a campaign has ordered; it was loaded.
func (t *transaction) budget(account tape.AccountID) (fund.Budget, error) {
	return need[fund.Budget](t, fund.BudgetKey(account), "the budget of "+account.String())
}

// judge judges the intents of a decision about a campaign, whoever signed it.
func (t *transaction) judge(action string, campaign fund.Campaign, amount money.Amount, entry tape.ID, intents []intent) error {
	return t.judgeIntents(party.Act{Action: action, Subject: string(campaign.Account), Amount: amount.String(), Entry: entry}, intents)
}

// decide is judge for what a maker and a checker of the charity decide without moving money.
func (t *transaction) decide(action string, campaign fund.Campaign, entry tape.ID, intents []intent) error {
	return t.approve(action, tape.Account{ID: campaign.Account, Organisation: campaign.Organisation}, campaign.Zero(), entry, intents)
}

// OpenCampaign opens a campaign and its account.
func (*Fund) OpenCampaign(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c fund.OpenCampaign, intents []intent) (tape.Entry, error) {
		opening := c.Tape()
		keys := append(openKeys(opening), fund.CampaignKey(c.Account), fund.BudgetKey(c.Account), party.PowersKey(c.Plan.Regulator), party.PowersKey(tape.CustodianOf(c.Custodian)))
		if c.Parent != "" {
			keys = append(keys, fund.CampaignKey(c.Parent), fund.InvitationKey(c.Parent, c.Account))
		}
		donors := donorKeys(c.Plan)
		if err := t.ground(c.ID, append(keys, donors...)...); err != nil {
			return tape.Entry{}, err
		}
		state := fund.OpenState{Donors: t.persons(donors)}
		if c.Parent != "" {
			state.Parent, state.Invitation = read[fund.Campaign](t, fund.CampaignKey(c.Parent)), read[fund.Invitation](t, fund.InvitationKey(c.Parent, c.Account))
		}
		if c.OwnFunds != "" {
			state.OwnFunds = read[tape.Account](t, tape.AccountKey(c.OwnFunds))
		}
		state.Regulates, state.Keeps = t.holds(c.Plan.Regulator, party.Regulator), t.holds(tape.CustodianOf(c.Custodian), party.Custodian)
		if err := t.approve("open-campaign", tape.Account{ID: c.Account, Organisation: t.context.Organisation}, c.Zero(), c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		campaign, budget, err := c.Apply(state, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		entry, err := t.open(opening)
		entry.Kind = "open-campaign"
		t.save(fund.CampaignKey(c.Account), campaign)
		t.save(fund.BudgetKey(c.Account), budget)
		return entry, err
	})
}

// donorKeys are the records of a plan's donors; what is too many for a plan is
// not read, and refused by it.
func donorKeys(plan fund.Plan) []string {
	if len(plan.Donors) > fund.DonorsMax {
		return nil
	}
	keys := make([]string, len(plan.Donors))
	for i, donor := range plan.Donors {
		keys[i] = party.PersonKey(donor)
	}
	return keys
}

// persons are those of keys that were loaded, nil where there is none.
func (t *transaction) persons(keys []string) []*party.Person {
	persons := make([]*party.Person, len(keys))
	for i, key := range keys {
		persons[i] = read[party.Person](t, key)
	}
	return persons
}

// holds reports whether an organisation holds a power; its powers were loaded.
func (t *transaction) holds(organisation, power string) bool {
	powers := read[party.Powers](t, party.PowersKey(organisation))
	return powers != nil && tape.Context{Powers: powers.Powers}.Has(power)
}

// AmendCampaign replaces a plan, or brings the one that the regulator is to accept.
func (*Fund) AmendCampaign(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c fund.AmendCampaign, intents []intent) (tape.Entry, error) {
		donors := donorKeys(c.Plan)
		campaign, err := t.campaign(c.ID, c.Account, append(donors, fund.BudgetKey(c.Account))...)
		if err != nil {
			return tape.Entry{}, err
		}
		parent := ""
		if campaign.Parent != "" {
			parent = fund.CampaignKey(campaign.Parent)
		}
		if err := t.load(parent); err != nil {
			return tape.Entry{}, err
		}
		var of *fund.Campaign
		if parent != "" {
			of = read[fund.Campaign](t, parent)
		}
		budget, err := t.budget(c.Account)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.decide("amend-campaign", campaign, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		campaign, budget, entry, err := campaign.Amend(c, of, t.persons(donors), budget, t.context)
		t.save(fund.CampaignKey(c.Account), campaign)
		t.save(fund.BudgetKey(c.Account), budget)
		return entry, err
	})
}

// AcceptFiling gives a plan its filing number.
func (*Fund) AcceptFiling(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c fund.AcceptFiling, intents []intent) (tape.Entry, error) {
		campaign, err := t.campaign(c.ID, c.Account, fund.BudgetKey(c.Account))
		if err != nil {
			return tape.Entry{}, err
		}
		budget, err := t.budget(c.Account)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.judge("accept-filing", campaign, campaign.Zero(), c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		campaign, budget, entry, err := campaign.Accept(c, budget, t.context)
		t.save(fund.CampaignKey(c.Account), campaign)
		t.save(fund.BudgetKey(c.Account), budget)
		return entry, err
	})
}

// CloseCampaign ends a campaign.
func (*Fund) CloseCampaign(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c fund.CloseCampaign, intents []intent) (tape.Entry, error) {
		campaign, err := t.campaign(c.ID, c.Account)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.decide("close-campaign", campaign, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		campaign, entry, err := campaign.Close(c, t.context)
		t.save(fund.CampaignKey(c.Account), campaign)
		return entry, err
	})
}

// Carry hands the remainder of a closed campaign to the one that its plan names.
func (*Fund) Carry(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c fund.Carry, intents []intent) (tape.Entry, error) {
		campaign, err := t.campaign(c.ID, c.Account, tape.AccountKey(c.Account), tape.HeadKey(c.Account))
		if err != nil {
			return tape.Entry{}, err
		}
		payment, heir := campaign.Payment(c), fund.CampaignKey(campaign.Plan.Leftover)
		if err := t.load(tape.AccountKey(campaign.Plan.Leftover), heir, fund.BudgetKey(campaign.Plan.Leftover), fund.GrantedKey(campaign.Plan.Leftover, c.Account)); err != nil {
			return tape.Entry{}, err
		}
		account, head, err := t.accountAndHead(c.Account)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.approve("carry", account, c.Amount, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		if err := campaign.Carry(c, head.Free().Total(), read[fund.Campaign](t, heir), t.context); err != nil {
			return tape.Entry{}, err
		}
		after, inflows, entry, err := head.Spend(account, payment, t.payees(payeesOf(payment.Payments)), t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		entry.Kind = "carry"
		t.changeHead(head, after)
		t.saveInflows(inflows)
		return entry, t.handOver(c, campaign.Plan.Leftover)
	})
}

// handOver counts a remainder in the heir's budget, and gives back to its lines
// what comes home; its records were loaded.
func (t *transaction) handOver(c fund.Carry, heir tape.AccountID) error {
	budget, err := t.budget(heir)
	if err != nil {
		return err
	}
	key := fund.GrantedKey(heir, c.Account)
	budget, granted, err := budget.Carry(c.Amount, read[fund.Granted](t, key))
	t.save(fund.BudgetKey(heir), budget)
	if granted != nil {
		t.save(key, *granted)
	}
	return err
}

// accountAndHead are those of a campaign; they were loaded.
func (t *transaction) accountAndHead(id tape.AccountID) (tape.Account, tape.Head, error) {
	account, err := need[tape.Account](t, tape.AccountKey(id), "account "+id.String())
	if err != nil {
		return account, tape.Head{}, err
	}
	head, err := need[tape.Head](t, tape.HeadKey(id), "the head of "+id.String())
	return account, head, err
}

// Invite lets a partner's account receive a campaign's money.
func (*Fund) Invite(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c fund.Invite, intents []intent) (tape.Entry, error) {
		key := fund.InvitationKey(c.Account, c.Partner)
		campaign, err := t.campaign(c.ID, c.Account, key)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.decide("invite", campaign, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		invitation, entry, err := campaign.Invite(c, read[fund.Invitation](t, key), t.context)
		t.save(key, invitation)
		return entry, err
	})
}

// Enrol puts payees on a campaign's list.
func (*Fund) Enrol(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c fund.Enrol, intents []intent) (tape.Entry, error) {
		keys := make([]string, len(c.Payees))
		for i, payee := range c.Payees {
			keys[i] = fund.PayeeKey(c.Account, payee.Payee)
		}
		agentKey, personKeys := "", make([]string, len(c.Payees))
		if c.Agent != "" {
			agentKey = fund.AgentKey(c.Account, c.Agent)
		}
		for i, payee := range c.Payees {
			if payee.Person != "" {
				personKeys[i] = party.PersonKey(payee.Person)
			}
		}
		campaign, err := t.campaign(c.ID, c.Account, slices.Concat(keys, personKeys, []string{agentKey})...)
		if err != nil {
			return tape.Entry{}, err
		}
		var agent *fund.Agent
		if agentKey != "" {
			agent = read[fund.Agent](t, agentKey)
		}
		known, persons := make([]*fund.Payee, len(keys)), make([]*party.Person, len(keys))
		for i, key := range keys {
			known[i] = read[fund.Payee](t, key)
			if personKeys[i] != "" {
				persons[i] = read[party.Person](t, personKeys[i])
			}
		}
		if err := t.judge("enrol", campaign, campaign.Zero(), c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		payees, agent, entry, err := campaign.Enrol(c, agent, known, persons, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		for i, payee := range payees {
			t.save(keys[i], payee)
		}
		if agent != nil {
			t.save(agentKey, *agent)
		}
		return entry, nil
	})
}

// ReplacePerson puts another person in the place of a payee's.
func (*Fund) ReplacePerson(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c fund.ReplacePerson, intents []intent) (tape.Entry, error) {
		key, personKey := fund.PayeeKey(c.Account, c.Payee), party.PersonKey(c.Person)
		campaign, err := t.campaign(c.ID, c.Account, key, personKey)
		if err != nil {
			return tape.Entry{}, err
		}
		payee := read[fund.Payee](t, key)
		var before *party.Person
		if payee != nil && payee.PersonOn(t.at) != "" {
			beforeKey := party.PersonKey(payee.PersonOn(t.at))
			if err := t.load(beforeKey); err != nil {
				return tape.Entry{}, err
			}
			before = read[party.Person](t, beforeKey)
		}
		if err := t.decide("replace-person", campaign, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		after, entry, err := campaign.Replace(c, payee, read[party.Person](t, personKey), before, t.context)
		t.save(key, after)
		return entry, err
	})
}

// AppointAgent names a person who enrols and serves payees.
func (*Fund) AppointAgent(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c fund.AppointAgent, intents []intent) (tape.Entry, error) {
		key := fund.AgentKey(c.Account, c.Person)
		campaign, err := t.campaign(c.ID, c.Account, key)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.decide("appoint-agent", campaign, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		agent, entry, err := campaign.Appoint(c, read[fund.Agent](t, key), t.context)
		t.save(key, agent)
		return entry, err
	})
}

// SetFlag stops payouts to a payee, or lets them go on.
func (*Fund) SetFlag(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c fund.SetFlag, intents []intent) (tape.Entry, error) {
		key, payee := fund.FlagKey(c.Account, c.Payee), fund.PayeeKey(c.Account, c.Payee)
		campaign, err := t.campaign(c.ID, c.Account, key, payee)
		if err != nil {
			return tape.Entry{}, err
		}
		if c.Raise || t.context.Organisation != campaign.Organisation {
			err = t.judge("set-flag", campaign, campaign.Zero(), c.ID, intents)
		} else {
			err = t.decide("set-flag", campaign, c.ID, intents)
		}
		if err != nil {
			return tape.Entry{}, err
		}
		flag, entry, err := campaign.Flag(c, read[fund.Payee](t, payee), read[fund.Flag](t, key), t.context)
		t.save(key, flag)
		return entry, err
	})
}

// CallBackPayee records what a payee answered to somebody who is not its agent.
func (*Fund) CallBackPayee(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c fund.CallBackPayee, intents []intent) (tape.Entry, error) {
		payee, flagKey := fund.PayeeKey(c.Account, c.Payee), fund.FlagKey(c.Account, c.Payee)
		campaign, err := t.campaign(c.ID, c.Account, payee, flagKey)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.judge("call-back-payee", campaign, campaign.Zero(), c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		answer, flag, entry, err := campaign.CallBack(c, read[fund.Payee](t, payee), read[fund.Flag](t, flagKey), t.context)
		t.save(fund.CallBackKey(c.Account, c.Payee), answer)
		if flag != nil {
			t.save(flagKey, *flag)
		}
		return entry, err
	})
}

// Confirm is a receiver's own word on one payout.
func (*Fund) Confirm(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c fund.Confirm, intents []intent) (tape.Entry, error) {
		if err := c.Check(); err != nil {
			return tape.Entry{}, err
		}
		holdKey, key := tape.HoldKey(c.Account, c.Hold), fund.ConfirmationKey(c.Account, c.Hold)
		if err := t.ground(c.ID, holdKey, key); err != nil {
			return tape.Entry{}, err
		}
		hold, err := need[tape.Hold](t, holdKey, "payout "+c.Hold.String())
		if err != nil {
			return tape.Entry{}, err
		}
		payeeKey := fund.PayeeKey(c.Account, hold.To)
		if err := t.load(payeeKey); err != nil {
			return tape.Entry{}, err
		}
		payee, err := need[fund.Payee](t, payeeKey, "payee "+hold.To.String())
		if err != nil {
			return tape.Entry{}, err
		}
		guardian, err := t.guardianOf(payee.PersonOn(t.at))
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.judgeIntents(party.Act{Action: "confirm", Subject: string(c.Account), Amount: c.Amount.String(), Entry: c.ID}, intents); err != nil {
			return tape.Entry{}, err
		}
		confirmation, entry, err := payee.Confirm(c, hold, read[fund.Confirmation](t, key), guardian, t.context)
		t.save(key, confirmation)
		return entry, err
	})
}

// guardianOf reads who may speak for a person now, empty for nobody.
func (t *transaction) guardianOf(person tape.ID) (tape.ID, error) {
	if person == "" {
		return "", nil
	}
	key := party.PersonKey(person)
	if err := t.load(key); err != nil {
		return "", err
	}
	if known := read[party.Person](t, key); known != nil {
		return known.GuardianOn(t.at), nil
	}
	return "", nil
}

// Cite brings documents for something that has happened.
func (*Fund) Cite(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c fund.Cite, intents []intent) (tape.Entry, error) {
		keys := make([]string, len(c.Evidence))
		for i, hash := range c.Hashes() {
			keys[i] = fund.CitedKey(c.Account, hash)
		}
		entryKey, about := citedFor(c)
		campaign, err := t.campaign(c.ID, c.Account, append(append(keys, about...), entryKey)...)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.judge("cite", campaign, campaign.Zero(), c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		known := make([]bool, len(keys))
		for i, key := range keys {
			known[i] = t.state[key] != nil
		}
		var found fund.Cites
		if entryKey != "" {
			found.Entry = read[tape.Entry](t, entryKey)
		} else {
			found.Payout, found.Disbursement = t.state[about[0]] != nil, t.state[about[1]] != nil
		}
		cited, entry, err := campaign.Cite(c, known, found, t.context)
		for i, document := range cited {
			t.save(keys[i], document)
		}
		return entry, err
	})
}

// citedFor are the keys of what documents are cited for: an entry, or the payout
// and the disbursement of a name.
func citedFor(c fund.Cite) (entry string, about []string) {
	if organisation, id, named := strings.Cut(c.For, "/"); named {
		return tape.EntryKey(organisation, tape.ID(id)), nil
	}
	return "", []string{tape.HoldKey(c.Account, tape.ID(c.For)), fund.DisbursementKey(c.Account, tape.ID(c.For))}
}

// Publish freezes what a charity publishes about a campaign.
func (*Fund) Publish(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c fund.Publish, intents []intent) (tape.Entry, error) {
		last := fund.PublicationsKey(c.Account)
		campaign, err := t.campaign(c.ID, c.Account, last, tape.AccountKey(c.Account), tape.HeadKey(c.Account))
		if err != nil {
			return tape.Entry{}, err
		}
		_, head, err := t.accountAndHead(c.Account)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.judge("publish", campaign, campaign.Zero(), c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		publication, after, entry, err := campaign.Publish(c, read[fund.Publications](t, last), head, t.context)
		t.save(fund.PublicationKey(c.Account, publication.N), publication)
		t.save(last, after)
		return entry, err
	})
}
