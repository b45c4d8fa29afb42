package acts

import (
	"errors"
	"strconv"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/fingerprint"
)

// The words of flags and call-backs; the rules refuse others.
var (
	flagReasons = []string{"device", "payee-account", "person", "agent", "call-back", "complaint"}
	outcomes    = []string{"confirmed", "not-reached", "denied"}
	payeeKinds  = []string{fund.Household, fund.Supplier, fund.Staff}
)

func payeeActs() []Act {
	return []Act{
		act("appoint-agent", "Fund:AppointAgent", []Field{kind("person", Name).need(), kind("payees-max", Number).at("payeesMax").need()}, func(f *form) fund.AppointAgent {
			return fund.AppointAgent{Account: f.ground.campaign.Account, ID: f.id, PayeesMax: int32(f.number("payees-max", 32)), Person: f.name("person")}
		}, (*ground).appoints),
		act("end-agent", "Fund:AppointAgent", []Field{kind("person", Name).need()}, func(f *form) fund.AppointAgent {
			c := fund.AppointAgent{Account: f.ground.campaign.Account, End: true, ID: f.id, PayeesMax: 1, Person: f.name("person")}
			if known := record[fund.Agent](f.ground, fund.AgentKey(c.Account, c.Person)); known != nil {
				c.PayeesMax = known.PayeesMax
			}
			return c
		}, (*ground).appoints),
		act("enrol", "Fund:Enrol", []Field{kind("agent", Name), rows("payees", choice("kind", "payee-kind.", payeeKinds...), kind("payee", Account), kind("person", Name), line("bank-account"), line("device")).need()},
			(*form).enrolment, (*ground).enrols).to(servers),
		act("replace-person", "Fund:ReplacePerson", []Field{kind("payee", Account).need(), kind("person", Name).need(), choice("reason", "replace-reason.", fund.ReplaceReasons()...).need()}, func(f *form) fund.ReplacePerson {
			return fund.ReplacePerson{Account: f.ground.campaign.Account, ID: f.id, Payee: f.account("payee"), Person: f.name("person"), Reason: f.text("reason")}
		}, (*ground).replaces),
		act("raise-flag", "Fund:SetFlag", []Field{kind("payee", Account).need(), choice("reason", "flag-reason.", flagReasons...).need()}, func(f *form) fund.SetFlag {
			return fund.SetFlag{Account: f.ground.campaign.Account, ID: f.id, Payee: f.account("payee"), Raise: true, Reason: f.text("reason")}
		}, (*ground).flags).of(Charity, Regulator).to(deciders),
		act("lift-flag", "Fund:SetFlag", []Field{kind("payee", Account).need()}, func(f *form) fund.SetFlag {
			return fund.SetFlag{Account: f.ground.campaign.Account, ID: f.id, Payee: f.account("payee"), Reason: "cleared"}
		}, (*ground).flags).of(Charity, Regulator).to(deciders),
		act("call-back", "Fund:CallBackPayee", []Field{kind("payee", Account).need(), choice("outcome", "callback.", outcomes...).need()}, func(f *form) fund.CallBackPayee {
			return fund.CallBackPayee{Account: f.ground.campaign.Account, ID: f.id, Outcome: f.text("outcome"), Payee: f.account("payee")}
		}, func(g *ground, c fund.CallBackPayee) error {
			_, _, _, err := g.campaign.CallBack(c, g.payee(c.Payee), g.flag(c.Payee), g.context(g.Person))
			return err
		}).to(deciders),
	}
}

func (g *ground) payee(payee tape.AccountID) *fund.Payee {
	found, err := g.Ledger.Payee(g.ctx, g.campaign.Account, payee)
	if known(g, found, err) == nil {
		return nil
	}
	return &found.Payee
}

func (g *ground) person(id tape.ID) *party.Person {
	return record[party.Person](g, party.PersonKey(id))
}

// people are those whom ids name, nil where there is none, or where none is named.
func (g *ground) people(ids []tape.ID) []*party.Person {
	found := make([]*party.Person, len(ids))
	for i, id := range ids {
		if id.Check() == nil {
			found[i] = g.person(id)
		}
	}
	return found
}

func (g *ground) replaces(c fund.ReplacePerson) error {
	if err := rule.Field("person", c.Person.Check()); err != nil {
		return err
	}
	payee := g.payee(c.Payee)
	var before *party.Person
	if payee != nil && payee.PersonOn(g.At) != "" {
		before = g.person(payee.PersonOn(g.At))
	}
	_, _, err := g.campaign.Replace(c, payee, g.person(c.Person), before, g.context(g.Person))
	return err
}

func (g *ground) flag(payee tape.AccountID) *fund.Flag {
	return record[fund.Flag](g, fund.FlagKey(g.campaign.Account, payee))
}

func (g *ground) flags(c fund.SetFlag) error {
	_, _, err := g.campaign.Flag(c, g.payee(c.Payee), g.flag(c.Payee), g.context(g.Person))
	return err
}

func (g *ground) appoints(c fund.AppointAgent) error {
	_, _, err := g.campaign.Appoint(c, record[fund.Agent](g, fund.AgentKey(c.Account, c.Person)), g.context(g.Person))
	return err
}

// enrolment reads a list of payees. Who has no name yet gets one that says
// nothing: it is drawn from the list's own id, so that a list sent twice is one.
func (f *form) enrolment() fund.Enrol {
	c := fund.Enrol{Account: f.ground.campaign.Account, Agent: f.name("agent"), ID: f.id}
	for i, row := range f.rows("payees") {
		cell := f.columns("payees", row)
		payee := fund.NewPayee{BankAccount: f.fingerprint(i, "bank-account", cell("bank-account")), Device: f.fingerprint(i, "device", cell("device")), Kind: cell("kind"), Payee: tape.AccountID(cell("payee")), Person: tape.ID(cell("person"))}
		if payee.Payee == "" {
			drawn := tape.PseudonymFrom("lianbao payee 1\n" + string(c.Account) + "\n" + string(c.ID) + "\n" + strconv.Itoa(i))
			payee.Payee = tape.AccountID("outside:" + payee.Kind + ":" + string(drawn))
		}
		c.Payees = append(c.Payees, payee)
	}
	return c
}

// fingerprint is what may stand on the ledger of a number that was typed.
func (f *form) fingerprint(row int, column, number string) string {
	found, err := f.ground.Fingerprint(f.ground.ctx, f.ground.campaign.Account, fingerprint.Kind(column), number)
	var refusal *rule.Refusal
	if err != nil && !errors.As(err, &refusal) {
		f.ground.err = err
	}
	f.fault(Fault{Field: "payees", Column: column, Row: row + 1}, err)
	return found
}

func (g *ground) enrols(c fund.Enrol) error {
	if err := c.Check(); err != nil {
		return err
	}
	signer := g.Person
	var agent *fund.Agent
	if c.Agent != "" {
		agent, signer = record[fund.Agent](g, fund.AgentKey(c.Account, c.Agent)), c.Agent
	}
	enrolled, persons := make([]*fund.Payee, len(c.Payees)), make([]*party.Person, len(c.Payees))
	for i, payee := range c.Payees {
		enrolled[i] = g.payee(payee.Payee)
		if payee.Person != "" {
			persons[i] = g.person(payee.Person)
		}
	}
	_, _, _, err := g.campaign.Enrol(c, agent, enrolled, persons, g.context(signer))
	return err
}
