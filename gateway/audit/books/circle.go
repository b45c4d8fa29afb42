package books

import (
	"fmt"
	"slices"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// circleOf finds the group that a command names.
func (s *scheme) circleOf(id tape.ID) (*circle, error) {
	if g := s.groups[id]; g != nil {
		return g, nil
	}
	return nil, fmt.Errorf("group %s was never formed", id)
}

func (b *Books) formGroup(s *scheme) error {
	c, err := command[group.FormGroup](b)
	if err != nil {
		return err
	}
	key := group.GroupKey(c.Account, c.Group)
	b.once("group", key)
	terms := s.terms[s.version]
	b.differs(key, "the version of the terms", fmt.Sprint(s.version), fmt.Sprint(c.Agreement.Terms))
	if n := len(c.Agreement.Members); n < int(terms.GroupSizeMin) || n > int(terms.GroupSizeMax) {
		b.problem(key, "how many households form a group", fmt.Sprintf("%d to %d", terms.GroupSizeMin, terms.GroupSizeMax), fmt.Sprint(n))
	}
	if most := b.entry.BusinessDate.AddMonths(int(terms.GroupMonthsMax)); c.Agreement.Expiry > most {
		b.problem(key, "when the agreement of a group ends", "by "+string(most), string(c.Agreement.Expiry))
	}
	g := &circle{id: c.Group, agreement: c.Agreement, state: group.Draft, living: c.Agreement.Households()}
	s.groups[c.Group] = g
	b.eligible(s, c.Account, g.living, nil)
	b.noteCircle(c.Account, g)
	return nil
}

// eligible checks that households may be in one group: admitted, in no other,
// controlling no supplier, different from each other and from those who live in
// it, and no close kin.
func (b *Books) eligible(s *scheme, account tape.AccountID, candidates, living []tape.AccountID) {
	all := append(slices.Clone(candidates), living...)
	for i, household := range candidates {
		m, key := s.members[household], group.MemberKey(account, household)
		if m == nil || m.state != group.Admitted {
			b.problem(key, "a household in a group is admitted", "", string(household))
			continue
		}
		if in, is := b.lending.places[m.fingerprint]; is {
			b.problem(key, "a household is in one group", string(in.Scheme)+" "+string(in.Group), b.entry.Reference())
		}
		if controls := s.controls(m.fingerprint); len(controls) > 0 {
			b.problem(key, "a household in a group supplies nobody of its scheme", "", fmt.Sprint(controls))
		}
		for _, other := range all[i+1:] {
			o := s.members[other]
			if o != nil && (o.fingerprint == m.fingerprint || b.lending.kin[group.KinKey(o.fingerprint, m.fingerprint)]) {
				b.problem(key, "two of a group are one household or close kin", string(household), string(other))
			}
		}
	}
}

// noteCircle compares where a group stands, who lives in it and who has signed.
func (b *Books) noteCircle(account tape.AccountID, g *circle) {
	key := group.GroupKey(account, g.id)
	want, err := g.agreement.Hash(account, g.id)
	if err != nil {
		b.problem(key, "the agreement cannot be hashed: "+err.Error(), "", "")
	}
	noted(b, key, "where a group stands, who lives in it, who has signed what", fmt.Sprintf("%s %v joining %v by %s", g.state, g.living, g.joining, want), func(r group.Group) string {
		var living, joining []tape.AccountID
		for _, m := range r.Living() {
			living = append(living, m.Household)
		}
		if r.Joining != nil {
			for _, share := range r.Joining.Members {
				joining = append(joining, share.Household)
			}
		}
		return fmt.Sprintf("%s %v joining %v by %s", r.State, living, joining, r.AgreementHash)
	})
}

func (b *Books) signGroup(s *scheme) error {
	c, err := command[group.SignGroup](b)
	if err != nil {
		return err
	}
	g, err := s.circleOf(c.Group)
	if err != nil {
		return err
	}
	if err := b.ownWord(s, c.Account, c.Household); err != nil {
		return err
	}
	key := group.GroupKey(c.Account, c.Group)
	hash, err := g.agreement.Hash(c.Account, c.Group)
	if err != nil {
		return err
	}
	b.differs(key, "the agreement that a household signs", hash.String(), c.Agreement.String())
	signers := g.living
	if len(g.joining) > 0 {
		signers = g.joining
		b.differs(key, "for whom a household signs", string(g.joining[len(g.joining)-1]), string(c.Joining))
	}
	if !slices.Contains(signers, c.Household) || slices.Contains(g.signed, c.Household) {
		b.problem(key, "each household of a group signs, once", fmt.Sprint(signers), string(c.Household))
	}
	g.signed = append(g.signed, c.Household)
	if len(g.joining) == 0 {
		if g.state = group.Signing; len(g.signed) == len(g.living) {
			g.state = group.Review
		}
	}
	b.noteCircle(c.Account, g)
	return nil
}

func (b *Books) endorse(s *scheme) error {
	c, err := command[group.Endorse](b)
	if err != nil {
		return err
	}
	g, err := s.circleOf(c.Group)
	if err != nil {
		return err
	}
	b.differs(group.GroupKey(c.Account, c.Group), "where an endorsed group stands", string(group.Review), string(g.state))
	g.endorsed = true
	b.noteCircle(c.Account, g)
	return nil
}

func (b *Books) approveGroup(s *scheme) error {
	c, err := command[group.ApproveGroup](b)
	if err != nil {
		return err
	}
	g, err := s.circleOf(c.Group)
	if err != nil {
		return err
	}
	key := group.GroupKey(c.Account, c.Group)
	b.decided(key, b.entry.Intents, b.entry.Organisation)
	if !slices.Contains(g.agreement.Lenders, b.entry.Organisation) || slices.Contains(g.approved, b.entry.Organisation) {
		b.problem(key, "each lender of a group approves, once", fmt.Sprint(g.agreement.Lenders), b.entry.Organisation)
	}
	candidates, others, signers := g.living, []tape.AccountID(nil), g.living
	if n := len(g.joining); n > 0 {
		candidates, others, signers = g.joining[n-1:], g.living, g.joining
	}
	if len(g.signed) != len(signers) || !g.endorsed || b.entry.BusinessDate > g.agreement.Expiry {
		b.problem(key, "a group is approved that all have signed, that is endorsed and not over", fmt.Sprint(signers), fmt.Sprint(g.signed))
	}
	b.eligible(s, c.Account, candidates, others)
	if g.approved = append(g.approved, b.entry.Organisation); len(g.approved) == len(g.agreement.Lenders) {
		b.letIn(s, c.Account, g, candidates)
	}
	b.noteCircle(c.Account, g)
	return nil
}

// letIn makes candidates members of a group that is, or becomes, active.
func (b *Books) letIn(s *scheme, account tape.AccountID, g *circle, candidates []tape.AccountID) {
	if len(g.joining) > 0 {
		g.living = append(slices.Clone(g.living), candidates...)
	} else {
		g.state = group.Active
	}
	g.begun()
	for _, household := range candidates {
		if m := s.members[household]; m != nil {
			b.lending.places[m.fingerprint] = group.Place{Scheme: account, Group: g.id}
			b.noteStanding(m.fingerprint)
		}
	}
}

// begun ends what was on its way.
func (g *circle) begun() { g.joining, g.signed, g.approved = nil, nil, nil }

func (b *Books) rejectGroup(s *scheme) error {
	c, err := command[group.RejectGroup](b)
	if err != nil {
		return err
	}
	g, err := s.circleOf(c.Group)
	if err != nil {
		return err
	}
	key := group.GroupKey(c.Account, c.Group)
	b.decided(key, b.entry.Intents, b.entry.Organisation)
	if b.entry.Organisation != s.organisation && !slices.Contains(g.agreement.Lenders, b.entry.Organisation) {
		b.problem(key, "the cooperative or a lender rejects", s.organisation, b.entry.Organisation)
	}
	if len(g.joining) == 0 {
		g.state = group.Rejected
	}
	g.begun()
	b.noteCircle(c.Account, g)
	return nil
}

// stands books a group that goes from one of some states to another.
func (b *Books) stands(account tape.AccountID, g *circle, to group.State, from ...group.State) {
	if !slices.Contains(from, g.state) {
		b.problem(group.GroupKey(account, g.id), "where a group stood before it was "+string(to), fmt.Sprint(from), string(g.state))
	}
	g.state = to
	b.noteCircle(account, g)
}

func (b *Books) freeze(s *scheme) error {
	c, err := command[group.Freeze](b)
	if err != nil {
		return err
	}
	g, err := s.circleOf(c.Group)
	if err == nil {
		b.stands(c.Account, g, group.Frozen, group.Active)
	}
	return err
}

func (b *Books) cure(s *scheme) error {
	c, err := command[group.Cure](b)
	if err != nil {
		return err
	}
	g, err := s.circleOf(c.Group)
	if err != nil {
		return err
	}
	if least := int(s.terms[g.agreement.Terms].GroupSizeMin); len(g.living) < least {
		b.problem(group.GroupKey(c.Account, c.Group), "how many live in a group that is cured", fmt.Sprintf("%d or more", least), fmt.Sprint(len(g.living)))
	}
	b.stands(c.Account, g, group.Active, group.Frozen)
	return nil
}

func (b *Books) exit(s *scheme) error {
	c, err := command[group.Exit](b)
	if err != nil {
		return err
	}
	g, err := s.circleOf(c.Group)
	if err != nil {
		return err
	}
	if err := b.ownWord(s, c.Account, c.Household); err != nil {
		return err
	}
	b.gone(s, c.Account, g, c.Household)
	return nil
}

func (b *Books) expel(s *scheme) error {
	c, err := command[group.Expel](b)
	if err != nil {
		return err
	}
	g, err := s.circleOf(c.Group)
	if err != nil {
		return err
	}
	for _, household := range g.living {
		if household == c.Household {
			continue
		}
		if err := b.ownWord(s, c.Account, household); err != nil {
			return err
		}
	}
	b.gone(s, c.Account, g, c.Household)
	return nil
}

// gone takes a household out of a group, which freezes where too few are left.
func (b *Books) gone(s *scheme, account tape.AccountID, g *circle, household tape.AccountID) {
	key := group.GroupKey(account, g.id)
	if !slices.Contains(g.living, household) || g.state != group.Active && g.state != group.Frozen {
		b.problem(key, "who leaves a group lives in it", fmt.Sprint(g.living), string(household))
	}
	g.living = slices.DeleteFunc(slices.Clone(g.living), func(h tape.AccountID) bool { return h == household })
	if g.begun(); len(g.living) < int(s.terms[g.agreement.Terms].GroupSizeMin) {
		g.state = group.Frozen
	}
	b.noteCircle(account, g)
	b.freed(s, household)
}

// freed notes that a household is in no group.
func (b *Books) freed(s *scheme, household tape.AccountID) {
	if m := s.members[household]; m != nil {
		delete(b.lending.places, m.fingerprint)
		b.noteStanding(m.fingerprint)
	}
}

func (b *Books) refill(s *scheme) error {
	c, err := command[group.Refill](b)
	if err != nil {
		return err
	}
	g, err := s.circleOf(c.Group)
	if err != nil {
		return err
	}
	g.begun()
	for _, share := range c.Members {
		g.joining = append(g.joining, share.Household)
	}
	key := group.GroupKey(c.Account, c.Group)
	b.differs(key, "who is in a group once another joins", fmt.Sprint(append(slices.Clone(g.living), c.Household)), fmt.Sprint(g.joining))
	if most := int(s.terms[g.agreement.Terms].GroupSizeMax); len(g.joining) > most {
		b.problem(key, "how many are in a group", fmt.Sprintf("%d or less", most), fmt.Sprint(len(g.joining)))
	}
	b.eligible(s, c.Account, []tape.AccountID{c.Household}, g.living)
	b.noteCircle(c.Account, g)
	return nil
}

func (b *Books) memberDied(s *scheme) error {
	c, err := command[group.MemberDied](b)
	if err != nil {
		return err
	}
	m := s.members[c.Household]
	if m == nil {
		return fmt.Errorf("%s was never admitted", c.Household)
	}
	m.on(b.entry.At)
	organisations := map[string]bool{}
	for _, a := range b.entry.Intents {
		organisations[a.Organisation] = organisations[a.Organisation] || ofStaff(a)
	}
	if person, _ := b.person(m.person); person.Revoked == 0 && len(organisations) < 2 {
		b.problem(group.MemberKey(c.Account, c.Household), "two organisations attest a death", "", people(b.entry.Intents))
	}
	m.state, m.next = group.Deceased, nil
	b.noteMember(c.Account, c.Household, m)
	if in, is := b.lending.places[m.fingerprint]; is && in.Scheme == c.Account {
		g, err := s.circleOf(in.Group)
		if err != nil {
			return err
		}
		b.gone(s, c.Account, g, c.Household)
	}
	return nil
}

func (b *Books) windDown(s *scheme) error {
	c, err := command[group.WindDown](b)
	if err != nil {
		return err
	}
	g, err := s.circleOf(c.Group)
	if err != nil {
		return err
	}
	key, expired := group.GroupKey(c.Account, c.Group), b.entry.BusinessDate > g.agreement.Expiry
	small := len(g.living) < int(s.terms[g.agreement.Terms].GroupSizeMin)
	if c.Reason == group.ExpiredTerm && !expired || c.Reason == group.BelowMinimum && !small {
		b.problem(key, "why a group winds down", "", c.Reason)
	}
	for _, household := range g.living {
		if c.Reason == group.Vote {
			if err := b.ownWord(s, c.Account, household); err != nil {
				return err
			}
		}
		b.freed(s, household)
	}
	g.begun()
	b.stands(c.Account, g, group.WindingDown, group.Active, group.Frozen)
	return nil
}

func (b *Books) closeGroup(s *scheme) error {
	c, err := command[group.CloseGroup](b)
	if err != nil {
		return err
	}
	g, err := s.circleOf(c.Group)
	if err == nil {
		b.stands(c.Account, g, group.Closed, group.WindingDown)
	}
	return err
}
