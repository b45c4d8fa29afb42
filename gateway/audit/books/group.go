package books

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// lending is the frame of the cooperative's loans a second time: who agreed on
// which terms, who is admitted, who stands for whom. It knows no debts.
type lending struct {
	schemes map[tape.AccountID]*scheme
	// places are the active or frozen groups in which households live, by fingerprint.
	places map[string]group.Place
	kin    map[string]bool
}

func newLending() lending {
	return lending{schemes: map[tape.AccountID]*scheme{}, places: map[string]group.Place{}, kin: map[string]bool{}}
}

// scheme is one frame.
type scheme struct {
	organisation string
	lenders      []string
	version      int32
	terms        map[int32]group.SchemeTerms
	// proposal is what waits, nil for nothing; accepted are the lenders that did.
	proposal *group.Proposal
	accepted map[string]bool
	members  map[tape.AccountID]*resident
	groups   map[tape.ID]*circle
	// suppliers are those that were ever named.
	suppliers map[tape.AccountID]control
}

// control is who controls a supplier, by fingerprints, as it was named last.
type control struct {
	by        []string
	withdrawn bool
}

// resident is one household of a scheme.
type resident struct {
	fingerprint string
	person      tape.ID
	next        *group.NextPerson
	state       group.State
}

// circle is one group.
type circle struct {
	id        tape.ID
	agreement group.Agreement
	state     group.State
	living    []tape.AccountID
	signed    []tape.AccountID
	endorsed  bool
	approved  []string
	// joining is who is on the way in, the newcomer last; none for nobody.
	joining []tape.AccountID
}

// groupKind is one command of schemes and groups: its kind, and whether the
// cooperative alone carries it.
type groupKind struct {
	kind string
	book func(*Books, *scheme) error
	own  bool
}

var groupKinds map[string]groupKind

func init() {
	groupKinds = map[string]groupKind{
		"Group:OpenScheme": {"open-scheme", (*Books).openScheme, true}, "Group:AmendScheme": {"amend-scheme", (*Books).amendScheme, true},
		"Group:AcceptScheme": {"accept-scheme", (*Books).acceptScheme, false}, "Group:NameSupplier": {"name-supplier", (*Books).nameSupplier, true},
		"Group:Relate": {"relate", (*Books).relate, true}, "Group:Admit": {"admit", (*Books).admit, true}, "Group:ReplaceSigner": {"replace-signer", (*Books).replaceSigner, true},
		"Group:Leave": {"leave", (*Books).leave, false}, "Group:FormGroup": {"form-group", (*Books).formGroup, true}, "Group:SignGroup": {"sign-group", (*Books).signGroup, false},
		"Group:Endorse": {"endorse", (*Books).endorse, true}, "Group:ApproveGroup": {"approve-group", (*Books).approveGroup, false}, "Group:RejectGroup": {"reject-group", (*Books).rejectGroup, false},
		"Group:Freeze": {"freeze", (*Books).freeze, false}, "Group:Cure": {"cure", (*Books).cure, false}, "Group:Exit": {"exit", (*Books).exit, false}, "Group:Expel": {"expel", (*Books).expel, false},
		"Group:Refill": {"refill", (*Books).refill, true}, "Group:MemberDied": {"member-died", (*Books).memberDied, true}, "Group:WindDown": {"wind-down", (*Books).windDown, false},
		"Group:CloseGroup": {"close-group", (*Books).closeGroup, false},
	}
}

// groupRecords are the prefixes of their keys.
var groupRecords = strings.Fields("scheme scheme-terms supplier controls kin member signer standing group")

// bookGroup books one of their commands.
func (b *Books) bookGroup(one groupKind) error {
	key := tape.EntryKey(b.entry.Organisation, b.entry.ID)
	b.differs(key, "the kind of the entry", one.kind, b.entry.Kind)
	named, err := command[struct {
		Account tape.AccountID `json:"account"`
	}](b)
	if err != nil {
		return err
	}
	b.differs(key, "the scheme that the entry names", string(named.Account), b.entry.Subject)
	s := b.lending.schemes[named.Account]
	if one.kind == "open-scheme" {
		s = &scheme{organisation: b.entry.Organisation, terms: map[int32]group.SchemeTerms{}, members: map[tape.AccountID]*resident{},
			groups: map[tape.ID]*circle{}, suppliers: map[tape.AccountID]control{}}
		b.lending.schemes[named.Account] = s
	}
	if s == nil {
		return fmt.Errorf("scheme %s was never opened", named.Account)
	}
	if one.own {
		b.differs(key, "who carries a command of "+string(named.Account), s.organisation, b.entry.Organisation)
		b.decided(group.SchemeKey(named.Account), b.entry.Intents, s.organisation)
	}
	b.signers()
	return one.book(b, s)
}

func (b *Books) openScheme(s *scheme) error {
	c, err := command[group.OpenScheme](b)
	if err != nil {
		return err
	}
	b.opened(c.Account, c.Terms.MemberMax.Currency, c.Custodian)
	b.once("scheme", group.SchemeKey(c.Account))
	b.proposed(s, c.Account, c.Lenders, c.Terms)
	return nil
}

func (b *Books) amendScheme(s *scheme) error {
	c, err := command[group.AmendScheme](b)
	if err == nil {
		b.proposed(s, c.Account, c.Lenders, c.Terms)
	}
	return err
}

// proposed notes terms that wait.
func (b *Books) proposed(s *scheme, account tape.AccountID, lenders []string, terms group.SchemeTerms) {
	s.proposal, s.accepted = &group.Proposal{Lenders: lenders, Terms: terms, Entry: b.entry.Reference()}, map[string]bool{}
	b.noteScheme(s, account)
}

func (b *Books) noteScheme(s *scheme, account tape.AccountID) {
	waits := ""
	if s.proposal != nil {
		waits = s.proposal.Entry
	}
	noted(b, group.SchemeKey(account), "what of the scheme is in force and what waits", fmt.Sprintf("version %d of %s, lenders %v, waiting %s", s.version, s.organisation, s.lenders, waits),
		func(r group.Scheme) string {
			waits := ""
			if r.Pending != nil {
				waits = r.Pending.Entry
			}
			return fmt.Sprintf("version %d of %s, lenders %v, waiting %s", r.Version, r.Organisation, r.Lenders, waits)
		})
}

func (b *Books) acceptScheme(s *scheme) error {
	c, err := command[group.AcceptScheme](b)
	if err != nil {
		return err
	}
	if s.proposal == nil {
		return fmt.Errorf("no terms of %s wait", c.Account)
	}
	key := group.SchemeKey(c.Account)
	b.decided(key, b.entry.Intents, b.entry.Organisation)
	b.differs(key, "the terms that a lender accepts", s.proposal.Entry, c.Proposal)
	asked := slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(s.proposal.Lenders), s.lenders...))))
	if !slices.Contains(asked, b.entry.Organisation) || s.accepted[b.entry.Organisation] {
		b.problem(key, "who accepts the terms of a scheme, each once", strings.Join(asked, ", "), b.entry.Organisation)
	}
	s.accepted[b.entry.Organisation] = true
	if len(s.accepted) == len(asked) {
		s.version, s.lenders = s.version+1, s.proposal.Lenders
		s.terms[s.version] = s.proposal.Terms
		noted(b, group.TermsKey(c.Account, s.version), "the terms in force", spelled(s.proposal.Terms), func(r group.Terms) string { return spelled(r.Terms) })
		s.proposal = nil
	}
	b.noteScheme(s, c.Account)
	return nil
}

func (b *Books) nameSupplier(s *scheme) error {
	c, err := command[group.NameSupplier](b)
	if err != nil {
		return err
	}
	touched := append(slices.Clone(s.suppliers[c.Supplier].by), c.Controllers...)
	s.suppliers[c.Supplier] = control{c.Controllers, c.Withdraw}
	noted(b, group.SupplierKey(c.Account, c.Supplier), "who controls a supplier", fmt.Sprint(c.Controllers, c.Withdraw), func(r group.Supplier) string { return fmt.Sprint(r.Controllers, r.Withdrawn) })
	for _, fingerprint := range touched {
		noted(b, group.ControlsKey(c.Account, fingerprint), "what a household controls", fmt.Sprint(s.controls(fingerprint)), func(r group.Controls) string {
			return fmt.Sprint(slices.Sorted(slices.Values(r.Suppliers)))
		})
	}
	return nil
}

// controls are the suppliers that a household controls.
func (s *scheme) controls(fingerprint string) []tape.AccountID {
	var all []tape.AccountID
	for account, one := range s.suppliers {
		if !one.withdrawn && slices.Contains(one.by, fingerprint) {
			all = append(all, account)
		}
	}
	slices.Sort(all)
	return all
}

func (b *Books) relate(s *scheme) error {
	c, err := command[group.Relate](b)
	if err != nil {
		return err
	}
	one, other := s.members[c.Household], s.members[c.Other]
	if one == nil || other == nil {
		return fmt.Errorf("%s or %s was never admitted", c.Household, c.Other)
	}
	key := group.KinKey(one.fingerprint, other.fingerprint)
	b.lending.kin[key] = !c.Withdraw
	noted(b, key, "whether two households are kin", fmt.Sprint(!c.Withdraw), func(r group.Kin) string { return fmt.Sprint(!r.Withdrawn) })
	return nil
}

func (b *Books) admit(s *scheme) error {
	c, err := command[group.Admit](b)
	if err != nil {
		return err
	}
	key := group.MemberKey(c.Account, c.Household)
	for household, other := range s.members {
		if other.fingerprint == c.Fingerprint && household != c.Household {
			b.problem(key, "a household is admitted under two names", string(household), string(c.Household))
		}
	}
	if !c.Adult || !c.Capacity {
		b.problem(key, "somebody attests that the person of a household is of age and of full capacity", "", string(c.Person))
	}
	m := &resident{fingerprint: c.Fingerprint, person: c.Person, state: group.Admitted}
	s.members[c.Household] = m
	b.noteMember(c.Account, c.Household, m)
	b.noteSigner(c.Account, c.Person, c.Household)
	b.noteStanding(c.Fingerprint)
	return nil
}

func (b *Books) noteMember(account, household tape.AccountID, m *resident) {
	noted(b, group.MemberKey(account, household), "who signs for a household, and where it stands", fmt.Sprint(m.person, m.fingerprint, m.state),
		func(r group.Member) string { return fmt.Sprint(r.Person, r.Fingerprint, r.State) })
}

func (b *Books) noteSigner(account tape.AccountID, person tape.ID, household tape.AccountID) {
	noted(b, group.SignerKey(account, person), "for which household a person signs", string(household), func(r group.Signer) string { return string(r.Household) })
}

// noteStanding compares in which group a household is.
func (b *Books) noteStanding(fingerprint string) {
	want := "none"
	if in, is := b.lending.places[fingerprint]; is {
		want = string(in.Scheme) + " " + string(in.Group)
	}
	noted(b, group.StandingKey(fingerprint), "in which group a household is", want, func(r group.Standing) string {
		if r.Group == nil {
			return "none"
		}
		return string(r.Group.Scheme) + " " + string(r.Group.Group)
	})
}

func (b *Books) replaceSigner(s *scheme) error {
	c, err := command[group.ReplaceSigner](b)
	if err != nil {
		return err
	}
	m := s.members[c.Household]
	if m == nil {
		return fmt.Errorf("%s was never admitted", c.Household)
	}
	m.on(b.entry.At)
	if m.next = nil; c.Person != m.person {
		written, err := record[group.Member](b, group.MemberKey(c.Account, c.Household))
		if err != nil || written.Next == nil || written.Next.From <= b.entry.At {
			b.problem(group.MemberKey(c.Account, c.Household), "who is to sign for a household waits", string(c.Person), "")
		} else {
			m.next = written.Next
		}
	}
	b.noteMember(c.Account, c.Household, m)
	b.noteSigner(c.Account, c.Person, c.Household)
	return nil
}

// on lets who is due to sign for a household sign.
func (m *resident) on(at tape.Instant) {
	if m.next != nil && at >= m.next.From {
		m.person, m.next = m.next.Person, nil
	}
}

func (b *Books) leave(s *scheme) error {
	c, err := command[group.Leave](b)
	if err != nil {
		return err
	}
	if err := b.ownWord(s, c.Account, c.Household); err != nil {
		return err
	}
	m := s.members[c.Household]
	m.state, m.next = group.Left, nil
	b.noteMember(c.Account, c.Household, m)
	return nil
}

// ownWord checks that a household's own person signed by a key in its own hands.
func (b *Books) ownWord(s *scheme, account, household tape.AccountID) error {
	m := s.members[household]
	if m == nil {
		return fmt.Errorf("%s was never admitted", household)
	}
	m.on(b.entry.At)
	for _, a := range b.entry.Intents {
		if a.Person == m.person && a.Duty == string(party.DutyMember) && (a.Custody == string(party.Own) || a.Custody == string(party.Card)) {
			return nil
		}
	}
	b.problem(group.MemberKey(account, household), "a household signs by a key in its own hands", string(m.person), people(b.entry.Intents))
	return nil
}
