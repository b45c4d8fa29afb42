package books

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// agent enrols and serves payees, up to a number.
type agent struct {
	payees, payeesMax int32
	ended             bool
}

func (b *Books) enrol() error {
	command, c, err := about(b, func(c fund.Enrol) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	b.signers()
	added := int32(0)
	for _, p := range command.Payees {
		if b.enrolOne(c, p, command.Agent) {
			added++
		}
	}
	if command.Agent == "" {
		b.signedBy(fund.CampaignKey(command.Account), c.organisation)
		return nil
	}
	return b.serves(c, command, added)
}

// enrolOne books a payee, and says whether it is a new one: one that had no key
// of its own may be brought again with the key that it has now.
func (b *Books) enrolOne(c *campaign, p fund.NewPayee, agent tape.ID) bool {
	key := fund.PayeeKey(c.account.id, p.Payee)
	known, again := c.payees[p.Payee]
	if again {
		agent = c.agentOf[p.Payee]
		if known.Person = p.Person; known != p || c.payees[p.Payee].Person != "" || p.Person == "" {
			b.problem(key, "a payee is enrolled twice", "", b.entry.Reference())
		}
	}
	if person, in := b.person(p.Person); p.Person != "" && !inForce(person, in, b.entry.At) {
		b.problem(key, "somebody is named who cannot sign", "", string(p.Person))
	}
	if p.Person != "" && (p.Person == agent || slices.ContainsFunc(b.entry.Intents, func(a tape.Approval) bool { return a.Person == p.Person })) {
		b.problem(key, "somebody enrols itself", "", string(p.Person))
	}
	c.payees[p.Payee], c.agentOf[p.Payee] = p, agent
	by := slices.Clone(c.enrolledBy[p.Payee])
	for _, a := range b.entry.Intents {
		if !slices.Contains(by, a.Person) {
			by = append(by, a.Person)
		}
	}
	c.enrolledBy[p.Payee] = by
	noted(b, key, "who was enrolled", spelledPayee(p, nil, agent, by), ofPayee)
	return !again
}

func ofPayee(r fund.Payee) string {
	return spelledPayee(fund.NewPayee{BankAccount: r.BankAccount, Device: r.Device, Kind: r.Kind, Payee: r.Payee, Person: r.Person}, r.Next, r.Agent, r.EnrolledBy)
}

func spelledPayee(p fund.NewPayee, next *fund.NextPerson, agent tape.ID, by []tape.ID) string {
	return spelled(p) + " then " + spelled(next) + " with agent " + string(agent) + fmt.Sprintf(", enrolled by %q", slices.Sorted(slices.Values(by)))
}

// personOn is who has the payee's word.
func (c *campaign) personOn(payee tape.AccountID, at tape.Instant) tape.ID {
	if next, waits := c.next[payee]; waits && at >= next.From {
		return next.Person
	}
	return c.payees[payee].Person
}

// persons are who has or gets a say for a payee, and who serves it.
func (c *campaign) persons(payee tape.AccountID) []tape.ID {
	all := []tape.ID{c.payees[payee].Person, c.agentOf[payee], c.next[payee].Person}
	return slices.DeleteFunc(all, func(person tape.ID) bool { return person == "" })
}

// inForce reports whether a person can sign.
func inForce(person party.Person, key party.Key, at tape.Instant) bool {
	return person.ID != "" && person.Revoked == 0 && key.Suspended == 0 && key.Witness != "" && at >= key.From
}

// replacePerson books who takes a payee's person's place, days after maker and
// checker of the charity, who gain nothing by it, have signed.
func (b *Books) replacePerson() error {
	command, c, err := about(b, func(c fund.ReplacePerson) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	key := fund.PayeeKey(command.Account, command.Payee)
	b.signers()
	b.agreed(key, money.New(0, c.account.currency), b.entry.Intents, c.organisation)
	before, payee := c.personOn(command.Payee, b.entry.At), c.payees[command.Payee]
	if before == "" || command.Person == c.agentOf[command.Payee] {
		b.problem(key, "a person takes a place that is not there, or serves whom it speaks for", "", string(command.Person))
	}
	for _, by := range b.entry.Intents {
		if by.Person == command.Person || slices.Contains(c.persons(command.Payee), by.Person) {
			b.problem(key, "who has a say for a payee replaces its person", "", string(by.Person))
		}
	}
	payee.Person = before
	c.payees[command.Payee] = payee
	delete(c.next, command.Payee)
	var next *fund.NextPerson
	if command.Person != before {
		if person, in := b.person(command.Person); !inForce(person, in, b.entry.At) {
			b.problem(key, "somebody is named who cannot sign", "", string(command.Person))
		}
		law, err := fund.LawOn(b.entry.BusinessDate)
		if err != nil {
			return err
		}
		next = &fund.NextPerson{Person: command.Person, Reason: command.Reason, From: b.entry.At + tape.Instant(law.ReplaceDays)*tape.Day, Entry: b.entry.Reference()}
		c.next[command.Payee] = *next
	}
	noted(b, key, "whose word counts for the payee", spelledPayee(payee, next, c.agentOf[command.Payee], c.enrolledBy[command.Payee]), ofPayee)
	return nil
}

// serves checks an agent's list: signed by the agent, within its number.
func (b *Books) serves(c *campaign, command fund.Enrol, added int32) error {
	key := fund.AgentKey(command.Account, command.Agent)
	a := c.agents[command.Agent]
	if a == nil {
		return fmt.Errorf("%s is no agent of %s", command.Agent, command.Account)
	}
	if !slices.ContainsFunc(b.entry.Intents, func(by tape.Approval) bool { return by.Person == command.Agent && by.Duty != "member" }) {
		b.problem(key, "an agent's list is signed by the agent", string(command.Agent), people(b.entry.Intents))
	}
	a.payees += added
	if a.ended || a.payees > a.payeesMax {
		b.problem(key, "an agent serves more than it may", fmt.Sprintf("%d at most", a.payeesMax), fmt.Sprintf("%d, ended %t", a.payees, a.ended))
	}
	b.noteAgent(key, a)
	return nil
}

func (b *Books) noteAgent(key string, a *agent) {
	noted(b, key, "the agent and its payees", fmt.Sprintf("%d of %d, ended %t", a.payees, a.payeesMax, a.ended),
		func(r fund.Agent) string { return fmt.Sprintf("%d of %d, ended %t", r.Payees, r.PayeesMax, r.Ended) })
}

func (b *Books) appointAgent() error {
	command, c, err := about(b, func(c fund.AppointAgent) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	key := fund.AgentKey(command.Account, command.Person)
	b.agreed(key, money.New(0, c.account.currency), b.entry.Intents, c.organisation)
	b.signers()
	a := c.agents[command.Person]
	if a == nil {
		a = &agent{}
		c.agents[command.Person] = a
	}
	a.payeesMax, a.ended = command.PayeesMax, command.End
	b.noteAgent(key, a)
	return nil
}

// setFlag stops payouts to a payee. One of the staff of the charity or of its
// regulator raises a flag of its own; the same organisation lifts it, and for
// the charity several sign.
func (b *Books) setFlag() error {
	command, c, err := about(b, func(c fund.SetFlag) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	key := fund.FlagKey(command.Account, command.Payee)
	b.signers()
	b.signedBy(key, b.entry.Organisation)
	if command.Raise && b.entry.Organisation != c.organisation && b.entry.Organisation != c.plan.Regulator {
		b.problem(key, "a flag is the charity's or its regulator's", c.organisation+" or "+c.plan.Regulator, b.entry.Organisation)
	}
	stands := slices.Contains(c.flagged[command.Payee], b.entry.Organisation)
	switch {
	case command.Raise && stands:
		b.problem(key, "an organisation raises a flag twice", "", b.entry.Organisation)
	case command.Raise:
		c.flagged[command.Payee] = append(c.flagged[command.Payee], b.entry.Organisation)
	default:
		b.lifted(key, c, command.Payee)
	}
	b.noteFlag(key, c.flagged[command.Payee])
	return nil
}

// lifted takes an organisation's own flag away.
func (b *Books) lifted(key string, c *campaign, payee tape.AccountID) {
	at := slices.Index(c.flagged[payee], b.entry.Organisation)
	if at < 0 {
		b.problem(key, "who lifts a flag", strings.Join(c.flagged[payee], " "), b.entry.Organisation)
		return
	}
	c.flagged[payee] = slices.Delete(c.flagged[payee], at, at+1)
	if b.entry.Organisation == c.organisation {
		b.agreed(key, money.New(0, c.account.currency), b.entry.Intents, c.organisation)
	}
	for _, by := range b.entry.Intents {
		if slices.Contains(c.persons(payee), by.Person) {
			b.problem(key, "who serves a payee lifts its flag", "", string(by.Person))
		}
	}
}

func (b *Books) noteFlag(key string, standing []string) {
	noted(b, key, "whose flags are raised", strings.Join(standing, " "), func(r fund.Flag) string {
		names := make([]string, len(r.Raised))
		for i, raised := range r.Raised {
			names[i] = raised.Organisation
		}
		return strings.Join(names, " ")
	})
}

// callBackPayee notes what a payee answered; one that denies is flagged.
func (b *Books) callBackPayee() error {
	command, c, err := about(b, func(c fund.CallBackPayee) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	key := fund.CallBackKey(command.Account, command.Payee)
	b.signers()
	for _, by := range b.entry.Intents {
		if slices.Contains(c.persons(command.Payee), by.Person) {
			b.problem(key, "who serves a payee calls it back", "", string(by.Person))
		}
		if slices.Contains(c.enrolledBy[command.Payee], by.Person) {
			b.problem(key, "who enrolled a payee calls it back", "", string(by.Person))
		}
	}
	b.signedBy(key, c.organisation)
	noted(b, key, "what the payee answered", command.Outcome, func(r fund.CallBack) string { return r.Outcome })
	if command.Outcome == "denied" && !slices.Contains(c.flagged[command.Payee], b.entry.Organisation) {
		c.flagged[command.Payee] = append(c.flagged[command.Payee], b.entry.Organisation)
		b.noteFlag(fund.FlagKey(command.Account, command.Payee), c.flagged[command.Payee])
	}
	return nil
}
