package acts

import (
	"slices"
	"strconv"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/typed"
)

// planFields are a plan; see fund.Plan.
func planFields() []Field {
	under := func(f Field, of string) Field { return f.at("plan." + of) }
	return []Field{
		under(kind("title", Texts), "title").need(), under(kind("purpose", Texts), "purpose").need(), under(kind("beneficiaries", Texts), "beneficiaries").need(),
		under(line("area"), "area").need(), under(line("sector"), "sector").need(), under(kind("from", Day), "from").need(), under(kind("to", Day), "to").need(),
		under(kind("goal", Amount), "goal").need(),
		under(rows("lines", kind("id", Name), choice("kind", "line-kind.", fund.Programme, fund.Management, fund.Fundraising), line("title-en"), line("title-zh"), kind("amount", Amount)), "lines").need(),
		under(kind("management", Share), "managementPartsPerMillion").need(), under(kind("leftover", Account), "leftover").need(), under(kind("regulator", Name), "regulator").need(),
		under(kind("emergency", Mark), "emergency"), under(kind("donors", Names), "donors"),
	}
}

func campaignActs() []Act {
	return []Act{
		act("open-campaign", "Fund:OpenCampaign", append([]Field{kind("account", Account).need(), choice("basis", "basis.", string(fund.Filing), string(fund.Agreement), string(fund.Grant), string(fund.Earmark)).need(),
			kind("parent", Account), kind("custodian", Account).need(), kind("own-funds", Account).at("ownFunds")}, planFields()...),
			func(f *form) fund.OpenCampaign {
				return fund.OpenCampaign{Account: f.account("account"), Basis: fund.Basis(f.text("basis")), Custodian: f.account("custodian"), ID: f.id,
					OwnFunds: f.account("own-funds"), Parent: f.account("parent"), Plan: f.plan("")}
			}, (*ground).opens).apart(),
		act("amend-campaign", "Fund:AmendCampaign", planFields(), func(f *form) fund.AmendCampaign {
			return fund.AmendCampaign{Account: f.ground.campaign.Account, ID: f.id, Plan: f.plan(f.ground.campaign.Plan.Goal.Currency)}
		}, (*ground).amends).amending().from(func(g *ground) Answers { return planAnswers(g.campaign.Plan) }),
		act("accept-filing", "Fund:AcceptFiling", []Field{line("number").need(), kind("plan", Given)}, func(f *form) fund.AcceptFiling {
			return fund.AcceptFiling{Account: f.ground.campaign.Account, ID: f.id, Number: f.text("number"), Plan: f.text("plan")}
		}, func(g *ground, c fund.AcceptFiling) error {
			budget := record[fund.Budget](g, fund.BudgetKey(c.Account))
			if budget == nil {
				return g.err
			}
			_, _, _, err := g.campaign.Accept(c, *budget, g.context(g.Person))
			return err
		}).of(Regulator).to(deciders).from(func(g *ground) Answers { return Answers{Texts: map[string]string{"plan": g.campaign.Entry}} }),
		act("close-campaign", "Fund:CloseCampaign", nil, func(f *form) fund.CloseCampaign {
			return fund.CloseCampaign{Account: f.ground.campaign.Account, ID: f.id}
		},
			func(g *ground, c fund.CloseCampaign) error {
				_, _, err := g.campaign.Close(c, g.context(g.Person))
				return err
			}),
		act("carry", "Fund:Carry", []Field{kind("amount", Amount).need()}, func(f *form) fund.Carry {
			return fund.Carry{Account: f.ground.campaign.Account, Amount: f.amount("amount", f.ground.campaign.Plan.Goal.Currency), ID: f.id}
		}, (*ground).carries).from(func(g *ground) Answers {
			return Answers{Texts: map[string]string{"amount": g.free().String()}}
		}),
		invitation("invite", false), invitation("withdraw-invitation", true),
	}
}

// invitation lets a partner in, or ends that.
func invitation(name string, withdraw bool) Act {
	return act(name, "Fund:Invite", []Field{kind("partner", Account).need(), kind("organisation", Name)}, func(f *form) fund.Invite {
		c := fund.Invite{Account: f.ground.campaign.Account, ID: f.id, Organisation: f.text("organisation"), Partner: f.account("partner"), Withdraw: withdraw}
		if known := record[fund.Invitation](f.ground, fund.InvitationKey(c.Account, c.Partner)); withdraw && known != nil && c.Organisation == "" {
			c.Organisation = known.Organisation
		}
		return c
	}, func(g *ground, c fund.Invite) error {
		_, _, err := g.campaign.Invite(c, record[fund.Invitation](g, fund.InvitationKey(c.Account, c.Partner)), g.context(g.Person))
		return err
	})
}

// plan reads a plan; its goal's currency is that of the lines.
func (f *form) plan(currency money.Currency) fund.Plan {
	p := fund.Plan{Area: f.text("area"), Beneficiaries: f.texts("beneficiaries"), Donors: f.names("donors"), Emergency: f.mark("emergency"), From: f.day("from"), To: f.day("to"),
		Goal: f.amount("goal", currency), Leftover: f.account("leftover"), ManagementPartsPerMillion: f.share("management"), Purpose: f.texts("purpose"),
		Regulator: f.text("regulator"), Sector: f.text("sector"), Title: f.texts("title")}
	for i, row := range f.rows("lines") {
		cell := f.columns("lines", row)
		amount, err := typed.Amount(cell("amount"), p.Goal.Currency)
		if p.Goal.Currency != "" {
			f.fault(Fault{Field: "lines", Row: i + 1, Column: "amount"}, err)
		}
		p.Lines = append(p.Lines, fund.BudgetLine{Amount: amount, ID: tape.ID(cell("id")), Kind: cell("kind"), Title: fund.Text{En: cell("title-en"), Zh: cell("title-zh")}})
	}
	return p
}

// planAnswers are a plan as it would have been typed.
func planAnswers(p fund.Plan) Answers {
	a := Answers{Texts: map[string]string{"area": p.Area, "sector": p.Sector, "from": string(p.From), "to": string(p.To), "goal": p.Goal.String(), "management": typed.ShareText(p.ManagementPartsPerMillion),
		"leftover": string(p.Leftover), "regulator": p.Regulator, "emergency": strconv.FormatBool(p.Emergency)}, Rows: map[string][][]string{}}
	for name, text := range map[string]fund.Text{"title": p.Title, "purpose": p.Purpose, "beneficiaries": p.Beneficiaries} {
		a.Texts[name+"-en"], a.Texts[name+"-zh"] = text.En, text.Zh
	}
	for _, donor := range p.Donors {
		a.Texts["donors"] += string(donor) + " "
	}
	for _, line := range p.Lines {
		a.Rows["lines"] = append(a.Rows["lines"], []string{string(line.ID), line.Kind, line.Title.En, line.Title.Zh, line.Amount.String()})
	}
	return a
}

// opens judges a new campaign and its account.
func (g *ground) opens(c fund.OpenCampaign) error {
	opening := c.Tape()
	if err := rule.Field("account", c.Account.Check()); err != nil {
		return err
	}
	if g.account(c.Account) != nil {
		return rule.Field("account", rule.Refuse(rule.Exists, "account %s stands already", c.Account))
	}
	state := fund.OpenState{Regulates: g.holds(c.Plan.Regulator, party.Regulator), Keeps: g.holds(tape.CustodianOf(c.Custodian), party.Custodian), Donors: g.people(c.Plan.Donors)}
	if c.Parent != "" {
		state.Parent, state.Invitation = g.of(c.Parent), record[fund.Invitation](g, fund.InvitationKey(c.Parent, c.Account))
	}
	if c.OwnFunds != "" {
		own := g.account(c.OwnFunds)
		if own == nil {
			return rule.Field("ownFunds", rule.Refuse(rule.NotFound, "there is no account %s", c.OwnFunds))
		}
		state.OwnFunds = &own.Account
	}
	ctx := g.context(g.Person)
	if _, _, err := c.Apply(state, ctx); err != nil {
		return err
	}
	if _, _, _, err := opening.Apply(nil, state.OwnFunds, ctx); err != nil {
		return err
	}
	_, err := opening.Holder(record[tape.BankAccount](g, tape.BankAccountKey(c.Custodian)), ctx)
	return err
}

// holds reports whether an organisation holds a power.
func (g *ground) holds(organisation, power string) bool {
	powers := record[party.Powers](g, party.PowersKey(organisation))
	return powers != nil && slices.Contains(powers.Powers, power)
}

func (g *ground) amends(c fund.AmendCampaign) error {
	budget := record[fund.Budget](g, fund.BudgetKey(c.Account))
	if budget == nil {
		return g.err
	}
	var parent *fund.Campaign
	if g.campaign.Parent != "" {
		parent = g.of(g.campaign.Parent)
	}
	// The donors are asked to sign it; whether they did is asked when it is carried.
	_, _, _, err := g.campaign.Amend(c, parent, g.people(c.Plan.Donors), *budget, g.context(append([]tape.ID{g.Person}, g.campaign.Plan.Donors...)...))
	return err
}

// free is what the campaign can spend.
func (g *ground) free() money.Amount {
	if account := g.account(g.campaign.Account); account != nil {
		return account.Free
	}
	return g.campaign.Zero()
}

func (g *ground) carries(c fund.Carry) error {
	return g.campaign.Carry(c, g.free().Units, g.of(g.campaign.Plan.Leftover), g.context(g.Person))
}
