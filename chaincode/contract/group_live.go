package contract

import (
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// leaving are members of a group with what is known of each.
func (t *transaction) leaving(g group.Group, members []group.GroupMember) ([]group.Leaving, error) {
	keys := make([]string, 0, 2*len(members))
	for _, m := range members {
		keys = append(keys, group.MemberKey(g.Scheme, m.Household), group.StandingKey(m.Fingerprint))
	}
	if err := t.load(keys...); err != nil {
		return nil, err
	}
	all := make([]group.Leaving, len(members))
	for i, m := range members {
		member, err := need[group.Member](t, keys[2*i], "household "+m.Household.String())
		if err != nil {
			return nil, err
		}
		standing, err := need[group.Standing](t, keys[2*i+1], "the standing of "+m.Household.String())
		if err != nil {
			return nil, err
		}
		debts, err := t.debts(m.Household, m.Fingerprint, &standing)
		if err != nil {
			return nil, err
		}
		all[i] = group.Leaving{Member: member, Standing: standing, Debts: debts}
	}
	return all, nil
}

// concerned are the debts of those whose arrears are a group's.
func (t *transaction) concerned(g group.Group) ([]group.Debts, error) {
	all, err := t.leaving(g, g.Concerned())
	debts := make([]group.Debts, len(all))
	for i, one := range all {
		debts[i] = one.Debts
	}
	return debts, err
}

// Freeze stops new loans to a group of which somebody is overdue.
func (*Group) Freeze(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[group.Freeze], func(t *transaction, c group.Freeze) (tape.Entry, error) {
		_, g, err := t.group(c.ID, c.Account, c.Group)
		if err != nil {
			return tape.Entry{}, err
		}
		debts, err := t.concerned(g)
		if err != nil {
			return tape.Entry{}, err
		}
		return t.saveGroup(g.Freeze(c, debts, t.context))
	})
}

// Cure makes a frozen group active again.
func (*Group) Cure(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[group.Cure], func(t *transaction, c group.Cure) (tape.Entry, error) {
		_, g, err := t.group(c.ID, c.Account, c.Group)
		if err != nil {
			return tape.Entry{}, err
		}
		terms, err := t.termsOf(g)
		if err != nil {
			return tape.Entry{}, err
		}
		debts, err := t.concerned(g)
		if err != nil {
			return tape.Entry{}, err
		}
		return t.saveGroup(g.Cure(c, terms, debts, t.context))
	})
}

// departure is a group one of whose households is to go.
type departure struct {
	group  group.Group
	terms  group.SchemeTerms
	leaves group.Leaving
	others []group.Member
}

// departs loads a group, its terms, who goes and who stays.
func (t *transaction) departs(id tape.ID, account tape.AccountID, of tape.ID, household tape.AccountID) (departure, error) {
	d := departure{}
	var err error
	if _, d.group, err = t.group(id, account, of); err != nil {
		return d, err
	}
	if d.terms, err = t.termsOf(d.group); err != nil {
		return d, err
	}
	all, err := t.leaving(d.group, d.group.Living())
	for _, one := range all {
		if one.Member.Household == household {
			d.leaves = one
		} else {
			d.others = append(d.others, one.Member)
		}
	}
	return d, err
}

// Exit is a household's way out of a group.
func (*Group) Exit(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c group.Exit, intents []intent) (tape.Entry, error) {
		d, err := t.departs(c.ID, c.Account, c.Group, c.Household)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.said("exit", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		g, standing, entry, err := d.group.Exit(c, d.terms, d.leaves, t.context)
		t.save(group.StandingKey(d.leaves.Member.Fingerprint), standing)
		return t.saveGroup(g, entry, err)
	})
}

// Expel sends a household out of a group by the word of all others.
func (*Group) Expel(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c group.Expel, intents []intent) (tape.Entry, error) {
		d, err := t.departs(c.ID, c.Account, c.Group, c.Household)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.said("expel", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		g, standing, entry, err := d.group.Expel(c, d.terms, d.leaves, d.others, t.context)
		t.save(group.StandingKey(d.leaves.Member.Fingerprint), standing)
		return t.saveGroup(g, entry, err)
	})
}

// MemberDied says that the person of a household has died.
func (*Group) MemberDied(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c group.MemberDied, intents []intent) (tape.Entry, error) {
		scheme, err := t.scheme(c.ID, c.Account, group.MemberKey(c.Account, c.Household))
		if err != nil {
			return tape.Entry{}, err
		}
		state, err := t.diedState(c)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.organised("member-died", scheme.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		death, entry, err := scheme.MemberDied(c, state, t.context)
		t.save(group.MemberKey(c.Account, c.Household), death.Member)
		if death.Group != nil {
			t.save(group.GroupKey(c.Account, death.Group.ID), *death.Group)
			t.save(group.StandingKey(death.Member.Fingerprint), *death.Standing)
		}
		return entry, err
	})
}

func (t *transaction) diedState(c group.MemberDied) (group.DiedState, error) {
	member, standing, err := t.memberAndStanding(c.Account, c.Household)
	state := group.DiedState{Member: member, Standing: standing}
	if err != nil || member == nil {
		return state, err
	}
	person := party.PersonKey(member.PersonOn(t.at))
	if err := t.load(person); err != nil {
		return state, err
	}
	state.Person = read[party.Person](t, person)
	if state.Debts, err = t.debts(c.Household, member.Fingerprint, standing); err != nil || standing.Group == nil || standing.Group.Scheme != c.Account {
		return state, err
	}
	key := group.GroupKey(c.Account, standing.Group.Group)
	if err := t.load(key); err != nil {
		return state, err
	}
	g, err := need[group.Group](t, key, "group "+standing.Group.Group.String())
	if err != nil {
		return state, err
	}
	state.Group = &g
	state.Terms, err = t.termsOf(g)
	return state, err
}

// WindDown ends new loans of a group for good; intents may be none.
func (*Group) WindDown(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c group.WindDown, intents []intent) (tape.Entry, error) {
		_, g, err := t.group(c.ID, c.Account, c.Group)
		if err != nil {
			return tape.Entry{}, err
		}
		terms, err := t.termsOf(g)
		if err != nil {
			return tape.Entry{}, err
		}
		living, err := t.leaving(g, g.Living())
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.said("wind-down", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		next, standings, entry, err := g.WindDown(c, terms, living, t.context)
		for i, standing := range standings {
			t.save(group.StandingKey(living[i].Member.Fingerprint), standing)
		}
		return t.saveGroup(next, entry, err)
	})
}

// CloseGroup ends a group under which nothing is open.
func (*Group) CloseGroup(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[group.CloseGroup], func(t *transaction, c group.CloseGroup) (tape.Entry, error) {
		_, g, err := t.group(c.ID, c.Account, c.Group)
		if err != nil {
			return tape.Entry{}, err
		}
		open, err := t.outstanding(g)
		if err != nil {
			return tape.Entry{}, err
		}
		return t.saveGroup(g.Close(c, open, t.context))
	})
}
