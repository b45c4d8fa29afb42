package group

import (
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// HouseholdsMax is in how many schemes one household may be.
const HouseholdsMax = 16

// Admit makes a household a member of the scheme. The cooperative's staff attest
// that its person is of age and of full capacity (Civil Code art. 18), and so does
// the agent who carried the papers.
type Admit struct {
	Account tape.AccountID `json:"account"`
	// Adult and Capacity are what is attested; both must be true.
	Adult    bool    `json:"adult"`
	Agent    tape.ID `json:"agent,omitempty"`
	Capacity bool    `json:"capacity"`
	// Fingerprint is a keyed hash of who the household is, the same in all schemes that share the key.
	Fingerprint string         `json:"fingerprint"`
	Household   tape.AccountID `json:"household"`
	ID          tape.ID        `json:"id"`
	Person      tape.ID        `json:"person"`
}

// AdmitState is what Admit reads.
type AdmitState struct {
	Member   *Member       // MemberKey
	Standing *Standing     // StandingKey
	Signer   *Signer       // SignerKey of the person
	Person   *party.Person // party.PersonKey
}

// Admission is what Admit writes.
type Admission struct {
	Member   Member
	Standing Standing
	Signer   Signer
}

// Admit judges the command.
func (s Scheme) Admit(command Admit, state AdmitState, ctx tape.Context) (Admission, tape.Entry, error) {
	refuse := func(err error) (Admission, tape.Entry, error) { return Admission{}, tape.Entry{}, err }
	if err := rule.First(s.governs(ctx), command.check(s, ctx), state.readmits(command)); err != nil {
		return refuse(err)
	}
	if err := rule.Field("person", signs(command.Person, command.Household, state.Person, state.Signer, ctx)); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "admit", string(s.Account))
	standing, err := state.Standing.known(Membership{Scheme: s.Account, Household: command.Household}, entry)
	if err != nil {
		return refuse(rule.Field("fingerprint", err))
	}
	member := Member{V: 1, Household: command.Household, Person: command.Person, Fingerprint: command.Fingerprint, Agent: command.Agent,
		State: Admitted, At: ctx.At, Entry: entry.Reference()}
	return Admission{Member: member, Standing: standing, Signer: Signer{V: 1, Household: command.Household}}, entry, nil
}

func (c Admit) check(s Scheme, ctx tape.Context) error {
	if err := rule.First(rule.Field("household", checkHousehold(c.Household, s.Account)), rule.Field("fingerprint", checkFingerprint(c.Fingerprint)), rule.Field("person", c.Person.Check())); err != nil {
		return err
	}
	if !c.Adult {
		return rule.Field("adult", rule.Refuse(rule.Forbidden, "nobody attests that %s is of age; a minor guarantees nothing", c.Person))
	}
	if !c.Capacity {
		return rule.Field("capacity", rule.Refuse(rule.Forbidden, "nobody attests that %s is of full capacity", c.Person))
	}
	if c.Agent == "" {
		return nil
	}
	if err := rule.Field("agent", c.Agent.Check()); err != nil {
		return err
	}
	if c.Agent == c.Person {
		return rule.Field("agent", rule.Refuse(rule.Forbidden, "%s does not vouch for itself", c.Agent))
	}
	if signed := approval(ctx, c.Agent); signed == nil || signed.Duty != string(party.DutyAgent) {
		return rule.Field("agent", rule.Refuse(rule.Forbidden, "%s carried the papers and has not signed as an agent", c.Agent))
	}
	return nil
}

// checkHousehold refuses what is not a household's account of the scheme.
func checkHousehold(household, scheme tape.AccountID) error {
	if err := household.Check(); err != nil {
		return err
	}
	name := strings.Split(string(scheme), ":")[2]
	if parts := strings.Split(string(household), ":"); len(parts) != 3 || parts[0] != tape.Household || parts[2] != name {
		return rule.Refuse(rule.Invalid, "is not a household's name here; write household:<pseudonym>:%s", name)
	}
	return nil
}

// readmits refuses a household that is admitted, one that comes back as another,
// and one whose person died and has no other.
func (a AdmitState) readmits(c Admit) error {
	m := a.Member
	switch {
	case m == nil:
		return nil
	case m.State == Admitted:
		return rule.Field("household", rule.Refuse(rule.Exists, "%s is admitted already", c.Household))
	case m.Fingerprint != c.Fingerprint:
		return rule.Field("fingerprint", rule.Refuse(rule.Conflict, "is another than that of %s when it was admitted before", c.Household))
	case m.State == Deceased && m.Person == c.Person:
		return rule.Field("person", rule.Refuse(rule.WrongState, "%s has died; another adult of %s signs for it", c.Person, c.Household))
	}
	return nil
}

// signs refuses who cannot sign for a household: not registered, without a key
// in force, not a member, or the person of another household of the scheme.
func signs(id tape.ID, household tape.AccountID, person *party.Person, signer *Signer, ctx tape.Context) error {
	if person == nil || person.ID != id {
		return rule.Refuse(rule.NotFound, "there is no person %s; it is registered first", id)
	}
	if _, err := person.InForce(ctx.At); err != nil {
		return err
	}
	if duty := person.DutyOn(ctx.At); duty != party.DutyMember {
		return rule.Refuse(rule.Forbidden, "%s signs as %s; for a household signs who is registered as a member", id, duty)
	}
	if signer != nil && signer.Household != household {
		return rule.Refuse(rule.Forbidden, "%s signs for another household of this scheme, %s", id, signer.Household)
	}
	return nil
}

// known notes a household's name in one scheme. A fingerprint is one household's
// in each scheme.
func (s *Standing) known(m Membership, entry tape.Entry) (Standing, error) {
	if s == nil {
		return Standing{V: 1, Households: []Membership{m}, At: entry.At, Entry: entry.Reference()}, nil
	}
	next := *s
	next.At, next.Entry = entry.At, entry.Reference()
	for _, of := range s.Households {
		if of == m {
			return next, nil
		}
		if of.Scheme == m.Scheme {
			return next, rule.Refuse(rule.Exists, "is that of %s, which this scheme has admitted", of.Household)
		}
	}
	if len(s.Households) == HouseholdsMax {
		return next, rule.Refuse(rule.Invalid, "is known in %d schemes already, and no more", HouseholdsMax)
	}
	next.Households = append(slices.Clone(s.Households), m)
	return next, nil
}

// place is the group in which a household is, nil for none.
func (s *Standing) place() *Place {
	if s == nil {
		return nil
	}
	return s.Group
}

// in is the standing once its household is in a group, or in none.
func (s Standing) in(place *Place, entry tape.Entry) Standing {
	s.Group, s.At, s.Entry = place, entry.At, entry.Reference()
	return s
}

// exclude keeps a household out of groups for months from a day on; an earlier
// exclusion that lasts longer stays.
func (s Standing) exclude(day tape.Date, months int32) Standing {
	if until := day.AddMonths(int(months)); months > 0 && until > s.ExcludedUntil {
		s.ExcludedUntil = until
	}
	return s
}

// on returns the member as of a moment: who is to sign for the household when it
// is due does. Nobody has to file that.
func (m Member) on(at tape.Instant) Member {
	if m.Next != nil && at >= m.Next.From {
		m.Person, m.Next = m.Next.Person, nil
	}
	return m
}

// PersonOn is who signs for the household at a moment.
func (m Member) PersonOn(at tape.Instant) tape.ID { return m.on(at).Person }

// lives refuses a household that has left or whose person has died.
func (m *Member) lives(household tape.AccountID, ctx tape.Context) error {
	if m == nil {
		return rule.Refuse(rule.NotFound, "%s is not admitted", household)
	}
	if m.State != Admitted {
		return rule.Refuse(rule.WrongState, "%s is %s", household, m.State)
	}
	return notBefore(ctx, m.At)
}

// signedBy refuses a command about a household that its own person has not
// signed by a key in its own hands. An agent may carry what is signed, not sign it.
func (m Member) signedBy(ctx tape.Context) (tape.Approval, error) {
	person := m.PersonOn(ctx.At)
	signed := approval(ctx, person)
	if signed == nil {
		return tape.Approval{}, rule.Refuse(rule.Forbidden, "%s signs for %s and has not signed", person, m.Household)
	}
	if signed.Duty != string(party.DutyMember) {
		return tape.Approval{}, rule.Refuse(rule.Forbidden, "%s signs as %s, not as a member", person, signed.Duty)
	}
	if !party.Custody(signed.Custody).Confirms() {
		return tape.Approval{}, rule.Refuse(rule.Forbidden, "the key of %s is %s; a household binds itself by a key in its own hands, its own or on a card: bring one by Party:Rotate", person, signed.Custody)
	}
	return *signed, nil
}

// approval is the checked intent of a person, nil where it has not signed.
func approval(ctx tape.Context, person tape.ID) *tape.Approval {
	i := slices.IndexFunc(ctx.Approvals, func(a tape.Approval) bool { return a.Person == person })
	if i < 0 {
		return nil
	}
	return &ctx.Approvals[i]
}

// SignerReasons say why another person signs for a household: a closed list,
// because a text would be visible to the channel for ever.
func SignerReasons() []string { return []string{"lost-key", "other-adult", "death", "mistake"} }

// ReplaceSigner puts another adult of a household in the place of who signs for
// it. It waits for days of the law's data, and until they have passed the person
// before alone has the word. To name the present person again ends the waiting.
// What a household has guaranteed stays guaranteed, whoever signs for it next.
type ReplaceSigner struct {
	Account   tape.AccountID `json:"account"`
	Household tape.AccountID `json:"household"`
	ID        tape.ID        `json:"id"`
	Person    tape.ID        `json:"person"`
	Reason    string         `json:"reason"`
}

// ReplaceState is what ReplaceSigner reads.
type ReplaceState struct {
	Member   *Member
	Standing *Standing
	Signer   *Signer // SignerKey of the person who is named
	Person   *party.Person
}

// ReplaceSigner judges the command.
func (s Scheme) ReplaceSigner(command ReplaceSigner, state ReplaceState, ctx tape.Context) (Member, Signer, tape.Entry, error) {
	refuse := func(err error) (Member, Signer, tape.Entry, error) { return Member{}, Signer{}, tape.Entry{}, err }
	if err := rule.First(s.governs(ctx), rule.Field("reason", rule.OneOf(command.Reason, SignerReasons()...)), rule.Field("household", state.Member.lives(command.Household, ctx))); err != nil {
		return refuse(err)
	}
	if in := state.Standing.place(); in != nil && command.Reason == "death" {
		return refuse(rule.Field("reason", rule.Refuse(rule.WrongState, "%s is in group %s; file Group:MemberDied first", command.Household, in.Group)))
	}
	now := state.Member.on(ctx.At)
	if command.Person == now.Person && now.Next == nil || now.Next != nil && command.Person == now.Next.Person {
		return refuse(rule.Field("person", rule.Refuse(rule.WrongState, "%s signs for %s already, or is about to", command.Person, command.Household)))
	}
	law, err := LawOn(ctx.Date)
	if err != nil {
		return refuse(err)
	}
	if err := rule.Field("person", signs(command.Person, command.Household, state.Person, state.Signer, ctx)); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "replace-signer", string(s.Account))
	if now.At, now.Entry = entry.At, entry.Reference(); command.Person == now.Person {
		now.Next = nil
	} else {
		now.Next = &NextPerson{Person: command.Person, Reason: command.Reason, From: ctx.At + tape.Instant(law.ReplaceDays)*tape.Day, Entry: entry.Reference()}
	}
	return now, Signer{V: 1, Household: command.Household}, entry, nil
}

// Leave ends a household's part in the scheme, by its own word.
type Leave struct {
	Account   tape.AccountID `json:"account"`
	Household tape.AccountID `json:"household"`
	ID        tape.ID        `json:"id"`
}

// Leave judges the command; any gateway carries it.
func (s Scheme) Leave(command Leave, member *Member, standing *Standing, debts Debts, ctx tape.Context) (Member, tape.Entry, error) {
	refuse := func(err error) (Member, tape.Entry, error) { return Member{}, tape.Entry{}, err }
	if err := rule.First(carried(ctx), rule.Field("household", member.lives(command.Household, ctx))); err != nil {
		return refuse(err)
	}
	if _, err := member.signedBy(ctx); err != nil {
		return refuse(err)
	}
	if in := standing.place(); in != nil && in.Scheme == s.Account {
		return refuse(rule.Refuse(rule.WrongState, "%s is in group %s; it leaves that first", command.Household, in.Group))
	}
	if err := rule.First(debts.free(), debts.guaranteesNothing()); err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(command.ID, "leave", string(s.Account))
	next := member.on(ctx.At)
	next.State, next.Next, next.At, next.Entry = Left, nil, entry.At, entry.Reference()
	return next, entry, nil
}

// free refuses a household that owes anything of its own.
func (d Debts) free() error {
	if d.OpenLoans > 0 {
		return rule.Refuse(rule.WrongState, "%s has %d open loans; it repays them first", d.Household, d.OpenLoans)
	}
	return d.uncalled()
}

// uncalled refuses a household that has been called as a guarantor, or owes one.
func (d Debts) uncalled() error {
	if d.OpenCall != "" {
		return rule.Refuse(rule.WrongState, "%s is called as a guarantor, by %s, and has not paid", d.Household, d.OpenCall)
	}
	if d.OpenRecourse != "" {
		return rule.Refuse(rule.WrongState, "%s owes a guarantor who paid for it, by %s", d.Household, d.OpenRecourse)
	}
	return nil
}

func (d Debts) guaranteesNothing() error {
	if d.GroupLoans > 0 {
		return rule.Refuse(rule.WrongState, "%s guarantees %d open loans", d.Household, d.GroupLoans)
	}
	return nil
}

// carried refuses whoever is no organisation's gateway.
func carried(ctx tape.Context) error {
	if ctx.Role != party.RoleGateway {
		return rule.Refuse(rule.Forbidden, "%s (role %s) carries nothing for households; a gateway does", ctx.Organisation, ctx.Role)
	}
	return nil
}
