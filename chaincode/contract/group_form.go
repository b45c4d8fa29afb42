package contract

import (
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// candidatesMax bounds how many households are read before the rule has counted them.
const candidatesMax = 16

// candidates are what is known of households that are to be in a group.
func (t *transaction) candidates(account tape.AccountID, households []tape.AccountID) ([]group.Candidate, error) {
	if len(households) > candidatesMax {
		return nil, nil // refused by the rule, and not read
	}
	keys := make([]string, len(households))
	for i, household := range households {
		keys[i] = group.MemberKey(account, household)
	}
	if err := t.load(keys...); err != nil {
		return nil, err
	}
	candidates, about := make([]group.Candidate, len(households)), []string{}
	for i, key := range keys {
		if m := read[group.Member](t, key); m != nil {
			candidates[i].Member = m
			about = append(about, group.StandingKey(m.Fingerprint), group.ControlsKey(account, m.Fingerprint), party.PersonKey(m.PersonOn(t.at)))
		}
	}
	if err := t.load(about...); err != nil {
		return nil, err
	}
	for i := range candidates {
		c := &candidates[i]
		if c.Member == nil {
			continue
		}
		c.Standing, c.Controls = read[group.Standing](t, group.StandingKey(c.Member.Fingerprint)), read[group.Controls](t, group.ControlsKey(account, c.Member.Fingerprint))
		c.Person = read[party.Person](t, party.PersonKey(c.Member.PersonOn(t.at)))
		debts, err := t.debts(households[i], c.Member.Fingerprint, c.Standing)
		if err != nil {
			return nil, err
		}
		c.Debts = debts
	}
	return candidates, nil
}

// kin are the records of all pairs of fingerprints, in the order of group.KinKeys.
func (t *transaction) kin(fingerprints []string) ([]*group.Kin, error) {
	keys := group.KinKeys(fingerprints)
	if err := t.load(keys...); err != nil {
		return nil, err
	}
	kin := make([]*group.Kin, len(keys))
	for i, key := range keys {
		kin[i] = read[group.Kin](t, key)
	}
	return kin, nil
}

// fingerprints are those of candidates, empty for who is not admitted: the rule refuses it.
func fingerprints(candidates []group.Candidate) []string {
	all := make([]string, len(candidates))
	for i, candidate := range candidates {
		if candidate.Member != nil {
			all[i] = candidate.Member.Fingerprint
		}
	}
	return all
}

// FormGroup writes a draft for its members to sign.
func (*Group) FormGroup(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c group.FormGroup, intents []intent) (tape.Entry, error) {
		key := group.GroupKey(c.Account, c.Group)
		scheme, err := t.scheme(c.ID, c.Account, key)
		if err != nil {
			return tape.Entry{}, err
		}
		terms, err := t.schemeTerms(c.Account, scheme.Version)
		if err != nil {
			return tape.Entry{}, err
		}
		candidates, err := t.candidates(c.Account, c.Agreement.Households())
		if err != nil {
			return tape.Entry{}, err
		}
		kin, err := t.kin(fingerprints(candidates))
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.organised("form-group", scheme.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		if err := t.absent(key, "group "+c.Group.String()); err != nil {
			return tape.Entry{}, err
		}
		g, entry, err := scheme.FormGroup(c, terms, candidates, kin, t.context)
		t.save(key, g)
		return entry, err
	})
}

// group loads the ground, a scheme, one of its groups, and whatever else the rule reads.
func (t *transaction) group(id tape.ID, account tape.AccountID, of tape.ID, keys ...string) (group.Scheme, group.Group, error) {
	scheme, err := t.scheme(id, account, append(keys, group.GroupKey(account, of))...)
	if err != nil {
		return scheme, group.Group{}, err
	}
	g, err := need[group.Group](t, group.GroupKey(account, of), "group "+of.String())
	return scheme, g, err
}

// termsOf is what a group was agreed under.
func (t *transaction) termsOf(g group.Group) (group.SchemeTerms, error) {
	terms, err := t.schemeTerms(g.Scheme, g.Agreement.Terms)
	if err != nil {
		return group.SchemeTerms{}, err
	}
	return terms.Terms, nil
}

// saveGroup saves what a rule returned of a group.
func (t *transaction) saveGroup(g group.Group, entry tape.Entry, err error) (tape.Entry, error) {
	t.save(group.GroupKey(g.Scheme, g.ID), g)
	return entry, err
}

// SignGroup is one household's word for an agreement.
func (*Group) SignGroup(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c group.SignGroup, intents []intent) (tape.Entry, error) {
		member := group.MemberKey(c.Account, c.Household)
		_, g, err := t.group(c.ID, c.Account, c.Group, member)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.said("sign-group", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		return t.saveGroup(g.Sign(c, read[group.Member](t, member), t.context))
	})
}

// Endorse is the cooperative's word for a group.
func (*Group) Endorse(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c group.Endorse, intents []intent) (tape.Entry, error) {
		scheme, g, err := t.group(c.ID, c.Account, c.Group)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.organised("endorse", scheme.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		return t.saveGroup(scheme.Endorse(c, g, t.context))
	})
}

// ApproveGroup is a lender's yes to a group, or to who is to join one.
func (*Group) ApproveGroup(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c group.ApproveGroup, intents []intent) (tape.Entry, error) {
		_, g, err := t.group(c.ID, c.Account, c.Group)
		if err != nil {
			return tape.Entry{}, err
		}
		candidates, err := t.candidates(c.Account, g.Candidates())
		if err != nil {
			return tape.Entry{}, err
		}
		kin, err := t.kin(g.Fingerprints())
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.organised("approve-group", t.context.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		next, standings, entry, err := g.Approve(c, candidates, kin, t.context)
		for i, standing := range standings {
			t.save(group.StandingKey(candidates[i].Member.Fingerprint), standing)
		}
		return t.saveGroup(next, entry, err)
	})
}

// RejectGroup ends a group on its way, or keeps a newcomer out.
func (*Group) RejectGroup(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c group.RejectGroup, intents []intent) (tape.Entry, error) {
		scheme, g, err := t.group(c.ID, c.Account, c.Group)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.organised("reject-group", t.context.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		return t.saveGroup(scheme.Reject(c, g, t.context))
	})
}

// Refill lets another household sign the agreement of a group.
func (*Group) Refill(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c group.Refill, intents []intent) (tape.Entry, error) {
		if err := c.Household.Check(); err != nil {
			return tape.Entry{}, rule.Field("household", err)
		}
		scheme, g, err := t.group(c.ID, c.Account, c.Group)
		if err != nil {
			return tape.Entry{}, err
		}
		terms, err := t.termsOf(g)
		if err != nil {
			return tape.Entry{}, err
		}
		candidates, err := t.candidates(c.Account, []tape.AccountID{c.Household})
		if err != nil {
			return tape.Entry{}, err
		}
		all := fingerprints(candidates)
		for _, member := range g.Living() {
			all = append(all, member.Fingerprint)
		}
		kin, err := t.kin(all)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.organised("refill", scheme.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		return t.saveGroup(scheme.Refill(c, g, terms, candidates[0], kin, t.context))
	})
}
