package contract

import (
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Group is the contract of schemes, their households and guarantee groups.
type Group struct{ contractapi.Contract }

// scheme loads the ground, a scheme, and whatever else the rule reads.
func (t *transaction) scheme(id tape.ID, account tape.AccountID, keys ...string) (group.Scheme, error) {
	if err := account.Check(); err != nil {
		return group.Scheme{}, rule.Field("account", err)
	}
	if err := t.ground(id, append(keys, group.SchemeKey(account))...); err != nil {
		return group.Scheme{}, err
	}
	return need[group.Scheme](t, group.SchemeKey(account), "scheme "+account.String())
}

// organised judges the intents of what a maker and a checker of an organisation
// decide about a scheme; no amount is concerned by it.
func (t *transaction) organised(action, owner string, scheme tape.AccountID, entry tape.ID, intents []intent) error {
	if err := t.load(party.PolicyKey()); err != nil {
		return err
	}
	if err := t.said(action, scheme, entry, intents); err != nil {
		return err
	}
	policy, err := need[party.PolicyRecord](t, party.PolicyKey(), "the policy")
	if err != nil {
		return err
	}
	return policy.Policy.Approval.Decide(t.context.Approvals, owner)
}

// said judges the intents of a command about a scheme, whoever signed it.
func (t *transaction) said(action string, scheme tape.AccountID, entry tape.ID, intents []intent) error {
	return t.judgeIntents(party.Act{Action: action, Subject: string(scheme), Entry: entry}, intents)
}

// powers are the keys of what organisations may.
func powers(organisations []string) []string {
	if len(organisations) > group.LendersMax {
		return nil // refused by the rule, and not read
	}
	keys := make([]string, len(organisations))
	for i, name := range organisations {
		keys[i] = party.PowersKey(name)
	}
	return keys
}

// lend reports of each organisation whether it holds a lender's power; powers were loaded.
func (t *transaction) lend(organisations []string) []bool {
	lends := make([]bool, len(powers(organisations)))
	for i := range lends {
		lends[i] = t.holds(organisations[i], party.Lender)
	}
	return lends
}

// OpenScheme opens a scheme and its account.
func (*Group) OpenScheme(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c group.OpenScheme, intents []intent) (tape.Entry, error) {
		opening, keeper := c.Tape(), tape.CustodianOf(c.Custodian)
		keys := append(openKeys(opening), group.SchemeKey(c.Account), party.PowersKey(keeper))
		if err := t.ground(c.ID, append(keys, powers(c.Lenders)...)...); err != nil {
			return tape.Entry{}, err
		}
		if err := t.organised("open-scheme", t.context.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		scheme, err := c.Apply(group.OpenState{Keeps: t.holds(keeper, party.Custodian), Lends: t.lend(c.Lenders)}, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		entry, err := t.open(opening)
		entry.Kind = "open-scheme"
		t.save(group.SchemeKey(c.Account), scheme)
		return entry, err
	})
}

// AmendScheme proposes other terms or lenders.
func (*Group) AmendScheme(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c group.AmendScheme, intents []intent) (tape.Entry, error) {
		scheme, err := t.scheme(c.ID, c.Account, powers(c.Lenders)...)
		if err != nil {
			return tape.Entry{}, err
		}
		now, err := t.schemeTerms(c.Account, scheme.Version)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.organised("amend-scheme", scheme.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		scheme, entry, err := scheme.Amend(c, now, t.lend(c.Lenders), t.context)
		t.save(group.SchemeKey(c.Account), scheme)
		return entry, err
	})
}

// schemeTerms are a version of a scheme's terms, nil for version 0.
func (t *transaction) schemeTerms(account tape.AccountID, version int32) (*group.Terms, error) {
	if version == 0 {
		return nil, nil
	}
	if err := t.load(group.TermsKey(account, version)); err != nil {
		return nil, err
	}
	terms, err := need[group.Terms](t, group.TermsKey(account, version), "the terms of "+account.String())
	return &terms, err
}

// AcceptScheme is a lender's yes.
func (*Group) AcceptScheme(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c group.AcceptScheme, intents []intent) (tape.Entry, error) {
		scheme, err := t.scheme(c.ID, c.Account)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.organised("accept-scheme", t.context.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		scheme, terms, entry, err := scheme.Accept(c, t.context)
		t.save(group.SchemeKey(c.Account), scheme)
		if terms != nil {
			t.save(group.TermsKey(c.Account, terms.Version), *terms)
		}
		return entry, err
	})
}

// NameSupplier says whom purpose-locked loans may pay.
func (*Group) NameSupplier(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c group.NameSupplier, intents []intent) (tape.Entry, error) {
		key := group.SupplierKey(c.Account, c.Supplier)
		scheme, err := t.scheme(c.ID, c.Account, key)
		if err != nil {
			return tape.Entry{}, err
		}
		state := group.SupplierState{Known: read[group.Supplier](t, key)}
		fingerprints := c.Fingerprints(state.Known)
		var keys []string
		for _, fingerprint := range fingerprints {
			keys = append(keys, group.ControlsKey(c.Account, fingerprint), group.StandingKey(fingerprint))
		}
		if err := t.load(keys...); err != nil {
			return tape.Entry{}, err
		}
		for _, fingerprint := range fingerprints {
			state.Controls = append(state.Controls, read[group.Controls](t, group.ControlsKey(c.Account, fingerprint)))
			state.Standings = append(state.Standings, read[group.Standing](t, group.StandingKey(fingerprint)))
		}
		if err := t.organised("name-supplier", scheme.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		supplier, controls, entry, err := scheme.NameSupplier(c, state, t.context)
		t.save(key, supplier)
		for i, of := range controls {
			t.save(group.ControlsKey(c.Account, fingerprints[i]), of)
		}
		return entry, err
	})
}

// Relate says that two households are close kin.
func (*Group) Relate(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c group.Relate, intents []intent) (tape.Entry, error) {
		one, other := group.MemberKey(c.Account, c.Household), group.MemberKey(c.Account, c.Other)
		scheme, err := t.scheme(c.ID, c.Account, one, other)
		if err != nil {
			return tape.Entry{}, err
		}
		of, with, key := read[group.Member](t, one), read[group.Member](t, other), ""
		if of != nil && with != nil {
			key = group.KinKey(of.Fingerprint, with.Fingerprint)
		}
		if err := t.load(key); err != nil {
			return tape.Entry{}, err
		}
		var known *group.Kin
		if key != "" {
			known = read[group.Kin](t, key)
		}
		if err := t.organised("relate", scheme.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		kin, entry, err := scheme.Relate(c, of, with, known, t.context)
		t.save(key, kin)
		return entry, err
	})
}

// Admit makes a household a member.
func (*Group) Admit(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c group.Admit, intents []intent) (tape.Entry, error) {
		member, standing := group.MemberKey(c.Account, c.Household), group.StandingKey(c.Fingerprint)
		signer, person := group.SignerKey(c.Account, c.Person), party.PersonKey(c.Person)
		scheme, err := t.scheme(c.ID, c.Account, member, standing, signer, person)
		if err != nil {
			return tape.Entry{}, err
		}
		state := group.AdmitState{Member: read[group.Member](t, member), Standing: read[group.Standing](t, standing), Signer: read[group.Signer](t, signer), Person: read[party.Person](t, person)}
		if err := t.organised("admit", scheme.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		admission, entry, err := scheme.Admit(c, state, t.context)
		t.save(member, admission.Member)
		t.save(standing, admission.Standing)
		t.save(signer, admission.Signer)
		return entry, err
	})
}

// memberAndStanding are those of a household, nil where it is not admitted; the member was loaded.
func (t *transaction) memberAndStanding(account, household tape.AccountID) (*group.Member, *group.Standing, error) {
	member := read[group.Member](t, group.MemberKey(account, household))
	if member == nil {
		return nil, nil, nil
	}
	err := t.load(group.StandingKey(member.Fingerprint))
	if err != nil {
		return nil, nil, err
	}
	return member, read[group.Standing](t, group.StandingKey(member.Fingerprint)), nil
}

// ReplaceSigner lets another adult sign for a household.
func (*Group) ReplaceSigner(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c group.ReplaceSigner, intents []intent) (tape.Entry, error) {
		key, signer, person := group.MemberKey(c.Account, c.Household), group.SignerKey(c.Account, c.Person), party.PersonKey(c.Person)
		scheme, err := t.scheme(c.ID, c.Account, key, signer, person)
		if err != nil {
			return tape.Entry{}, err
		}
		member, standing, err := t.memberAndStanding(c.Account, c.Household)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.organised("replace-signer", scheme.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		state := group.ReplaceState{Member: member, Standing: standing, Signer: read[group.Signer](t, signer), Person: read[party.Person](t, person)}
		next, signs, entry, err := scheme.ReplaceSigner(c, state, t.context)
		t.save(key, next)
		t.save(signer, signs)
		return entry, err
	})
}

// fingerprintOf is a member's, empty for who is not admitted.
func fingerprintOf(member *group.Member) string {
	if member == nil {
		return ""
	}
	return member.Fingerprint
}

// Leave ends a household's part in a scheme.
func (*Group) Leave(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c group.Leave, intents []intent) (tape.Entry, error) {
		key := group.MemberKey(c.Account, c.Household)
		scheme, err := t.scheme(c.ID, c.Account, key)
		if err != nil {
			return tape.Entry{}, err
		}
		member, standing, err := t.memberAndStanding(c.Account, c.Household)
		if err != nil {
			return tape.Entry{}, err
		}
		debts, err := t.debts(c.Household, fingerprintOf(member), standing)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.said("leave", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		next, entry, err := scheme.Leave(c, member, standing, debts, t.context)
		t.save(key, next)
		return entry, err
	})
}
