package fund

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// ReplaceReasons say why another person takes a payee's place: a closed list,
// because a text would be visible to the channel for ever.
func ReplaceReasons() []string { return []string{"lost-key", "death", ByGuardian, "mistake"} }

// ByGuardian is the reason where the guardian takes the place of its ward.
const ByGuardian = "guardian"

// ReplacePerson puts another person in the place of a payee's. It waits for days
// of the law's data, and until they have passed the person before alone has the
// word: a charity could else silence a household by naming another. Whose key is
// lost or who has died is silenced at once by party's Suspend and Revoke, which
// another organisation than the charity can do. To name the present person again
// ends the waiting.
type ReplacePerson struct {
	Account tape.AccountID `json:"account"`
	ID      tape.ID        `json:"id"`
	Payee   tape.AccountID `json:"payee"`
	Person  tape.ID        `json:"person"`
	// Reason is one of ReplaceReasons.
	Reason string `json:"reason"`
}

// Replace judges the command; payee is its record, person who is named, before
// the person in whose place it comes, nil where there is none. That maker and
// checker signed is checked against the policy by the caller. A closed campaign's
// payees are replaced too: they confirm and dispute what it paid.
func (c Campaign) Replace(command ReplacePerson, payee *Payee, person, before *party.Person, ctx tape.Context) (Payee, tape.Entry, error) {
	refuse := func(err error) (Payee, tape.Entry, error) { return Payee{}, tape.Entry{}, err }
	if err := rule.First(c.governs(ctx), rule.Field("person", command.Person.Check()), rule.Field("reason", rule.OneOf(command.Reason, ReplaceReasons()...))); err != nil {
		return refuse(err)
	}
	if payee == nil {
		return refuse(rule.Field("payee", rule.Refuse(rule.NotFound, "%s is not enrolled in %s", command.Payee, c.Account)))
	}
	now := payee.on(ctx.At)
	if err := rule.First(rule.Field("person", now.takes(command.Person)), now.replacedBy(ctx.Approvals, command.Person)); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "replace-person", string(c.Account))
	if command.Person == now.Person {
		now.Next = nil
		return now, entry, nil
	}
	if err := rule.Field("person", registered(command.Person, person, ctx)); err != nil {
		return refuse(err)
	}
	if command.Reason == ByGuardian && (before == nil || before.GuardianOn(ctx.At) != command.Person) {
		return refuse(rule.Field("reason", rule.Refuse(rule.Conflict, "is %s; %s is not the guardian of %s now", ByGuardian, command.Person, now.Person)))
	}
	law, err := LawOn(ctx.Date)
	if err != nil {
		return refuse(err)
	}
	now.Next = &NextPerson{Person: command.Person, Reason: command.Reason, From: ctx.At + tape.Instant(law.ReplaceDays)*tape.Day, Entry: entry.Reference()}
	return now, entry, nil
}

// takes refuses who has the place, is to get it, or serves the payee.
func (p Payee) takes(person tape.ID) error {
	switch {
	case p.Person == "":
		return rule.Refuse(rule.WrongState, "%s has no person yet; enrol it again with one", p.Payee)
	case person == p.Person && p.Next == nil:
		return rule.Refuse(rule.WrongState, "%s is the person of %s already", person, p.Payee)
	case p.Next != nil && person == p.Next.Person:
		return rule.Refuse(rule.WrongState, "%s takes its place at %s already, by entry %s", person, p.Next.From, p.Next.Entry)
	case person == p.Agent:
		return rule.Refuse(rule.Forbidden, "%s serves %s and cannot be its person", person, p.Payee)
	}
	return nil
}

// replacedBy refuses who gains or loses the word by what it signs.
func (p Payee) replacedBy(approvals []tape.Approval, person tape.ID) error {
	for _, a := range approvals {
		if a.Person == person || slices.Contains(p.persons(), a.Person) {
			return rule.Refuse(rule.Forbidden, "%s is a person of %s or serves it; others replace its person", a.Person, p.Payee)
		}
	}
	return nil
}

// on returns the payee as of a moment: who is to take the place when it is due
// has taken it. Nobody has to file that it has.
func (p Payee) on(at tape.Instant) Payee {
	if p.Next != nil && at >= p.Next.From {
		p.Person, p.Next = p.Next.Person, nil
	}
	return p
}

// PersonOn is who confirms and disputes for the payee at a moment, empty for nobody.
func (p Payee) PersonOn(at tape.Instant) tape.ID { return p.on(at).Person }

// persons are all who have or get a say for the payee, and who serves it: none
// of them decides about it, whoever of them has the word today.
func (p Payee) persons() []tape.ID {
	all := []tape.ID{p.Person, p.Agent}
	if p.Next != nil {
		all = append(all, p.Next.Person)
	}
	return slices.DeleteFunc(all, func(person tape.ID) bool { return person == "" })
}

// registered refuses a person who is not on the ledger or cannot sign: a payee
// would have nobody who confirms or disputes what is paid to it.
func registered(id tape.ID, person *party.Person, ctx tape.Context) error {
	if person == nil || person.ID != id {
		return rule.Refuse(rule.NotFound, "there is no person %s; it is registered first", id)
	}
	_, err := person.InForce(ctx.At)
	return err
}
