package contract

import (
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Party is the contract of organisations and persons.
type Party struct{ contractapi.Contract }

// outcome saves what a rule of party returns.
func (t *transaction) outcome(o party.Outcome, err error) (tape.Entry, error) {
	t.writes = append(t.writes, o.Writes...)
	return o.Entry, err
}

// Found writes the charter. It is the one command for which there is no ground yet.
func (*Party) Found(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[party.FoundCommand], func(t *transaction, c party.FoundCommand) (tape.Entry, error) {
		if err := t.load(party.CharterKey(), party.LedgerKey()); err != nil {
			return tape.Entry{}, err
		}
		if t.state[party.LedgerKey()] != nil {
			if err := t.ground(c.ID); err != nil {
				return tape.Entry{}, err
			}
		}
		state := party.FoundState{Charter: read[party.CharterRecord](t, party.CharterKey()), MSP: t.msp, Known: RulesKnown}
		return t.outcome(party.Found(state, c, tape.Context{Role: t.role, At: t.at, Command: t.command.String()}))
	})
}

// Join accepts the charter for the caller's organisation.
func (*Party) Join(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[party.JoinCommand], func(t *transaction, c party.JoinCommand) (tape.Entry, error) {
		if err := t.ground(c.ID, party.CharterKey()); err != nil {
			return tape.Entry{}, err
		}
		joined := party.JoinedKey(t.context.Organisation)
		if err := t.load(joined); err != nil {
			return tape.Entry{}, err
		}
		state := party.JoinState{Charter: read[party.CharterRecord](t, party.CharterKey()), Joined: read[party.Mark](t, joined)}
		return t.outcome(party.Join(state, c, t.context))
	})
}

// Vote proposes a change, or votes for one that was proposed.
func (*Party) Vote(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[party.VoteCommand], func(t *transaction, c party.VoteCommand) (tape.Entry, error) {
		state, err := t.voteState(c)
		if err != nil {
			return tape.Entry{}, err
		}
		return t.outcome(party.Vote(state, c, t.context))
	})
}

func (t *transaction) voteState(c party.VoteCommand) (party.VoteState, error) {
	state := party.VoteState{Known: RulesKnown}
	proposal, enacted := party.ProposalKey(c.Proposal), party.EnactedKey(c.Proposal)
	keys := append(c.Change.Keys(), party.OrganisationsKey(), party.RulesKey(), proposal, enacted)
	if err := t.ground(c.ID, keys...); err != nil {
		return state, err
	}
	list, err := need[party.Organisations](t, party.OrganisationsKey(), "the list of organisations")
	if err != nil {
		return state, err
	}
	votes := []string{party.JoinedKey(t.context.Organisation)}
	for _, name := range list.Names {
		votes = append(votes, party.VoteKey(c.Proposal, name))
	}
	if err := t.load(votes...); err != nil {
		return state, err
	}
	state.Organisations, state.Rules = list, *read[party.Rules](t, party.RulesKey())
	state.Joined = read[party.Mark](t, votes[0])
	state.Proposal, state.Enacted = read[party.Proposal](t, proposal), read[party.Mark](t, enacted)
	for _, key := range votes[1:] {
		state.Votes = append(state.Votes, read[party.Mark](t, key))
	}
	t.changeState(c.Change, &state)
	return state, nil
}

// changeState reads what a change itself is about.
func (t *transaction) changeState(change party.Change, state *party.VoteState) {
	organisation := ""
	switch {
	case change.Admit != nil:
		organisation = change.Admit.Name
		state.MSP = read[party.MSP](t, party.MSPKey(change.Admit.MSP))
	case change.GrantPower != nil:
		organisation = change.GrantPower.Organisation
		state.Powers = read[party.Powers](t, party.PowersKey(organisation))
	case change.RevokePower != nil:
		organisation = change.RevokePower.Organisation
		state.Powers = read[party.Powers](t, party.PowersKey(organisation))
	default:
		return
	}
	state.Organisation = read[party.Organisation](t, party.OrganisationKey(organisation))
}

// Register brings a person's first key.
func (*Party) Register(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[party.RegisterCommand], func(t *transaction, c party.RegisterCommand) (tape.Entry, error) {
		organisation, person, holder := party.OrganisationKey(c.Organisation), party.PersonKey(c.Person), party.AddressKey(c.Address)
		if err := t.ground(c.ID, organisation, person, holder); err != nil {
			return tape.Entry{}, err
		}
		state := party.RegisterState{Ledger: t.ledger, Organisation: read[party.Organisation](t, organisation),
			Person: read[party.Person](t, person), Holder: read[party.Holder](t, holder)}
		return t.outcome(party.Register(state, c, t.context))
	})
}

// Witness confirms a registered or rotated key for a second organisation.
func (*Party) Witness(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[party.WitnessCommand], func(t *transaction, c party.WitnessCommand) (tape.Entry, error) {
		person := party.PersonKey(c.Person)
		if err := t.ground(c.ID, person, party.PolicyKey()); err != nil {
			return tape.Entry{}, err
		}
		policy, err := need[party.PolicyRecord](t, party.PolicyKey(), "the policy")
		if err != nil {
			return tape.Entry{}, err
		}
		return t.outcome(party.Witness(party.WitnessState{Policy: policy.Policy, Person: read[party.Person](t, person)}, c, t.context))
	})
}

// Rotate brings a new key for a person.
func (*Party) Rotate(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[party.RotateCommand], func(t *transaction, c party.RotateCommand) (tape.Entry, error) {
		person, holder := party.PersonKey(c.Person), party.AddressKey(c.Address)
		if err := t.ground(c.ID, person, holder); err != nil {
			return tape.Entry{}, err
		}
		state := party.RotateState{Ledger: t.ledger, Person: read[party.Person](t, person), Holder: read[party.Holder](t, holder)}
		return t.outcome(party.Rotate(state, c, t.context))
	})
}

// Guard names a person's guardian, or ends that, for the first or the second organisation.
func (*Party) Guard(ctx Context, argument string) (string, error) {
	return run(ctx, argument, decode[party.GuardCommand], func(t *transaction, c party.GuardCommand) (tape.Entry, error) {
		person, guardian := party.PersonKey(c.Person), party.PersonKey(c.Guardian)
		if err := t.ground(c.ID, person, guardian, party.PolicyKey()); err != nil {
			return tape.Entry{}, err
		}
		policy, err := need[party.PolicyRecord](t, party.PolicyKey(), "the policy")
		if err != nil {
			return tape.Entry{}, err
		}
		return t.outcome(party.Guard(party.GuardState{Policy: policy.Policy, Person: read[party.Person](t, person), Guardian: read[party.Person](t, guardian)}, c, t.context))
	})
}

// Consent lets an organisation use data about a person, by the person's word.
func (*Party) Consent(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c party.ConsentCommand, intents []party.Intent) (tape.Entry, error) {
		state, err := t.consentState("consent", party.WithdrawCommand{About: c.About, ID: c.ID, Organisation: c.Organisation, Person: c.Person, Purpose: c.Purpose}, intents)
		if err != nil {
			return tape.Entry{}, err
		}
		return t.outcome(party.Agree(state, c, t.context))
	})
}

// WithdrawConsent takes a consent back.
func (*Party) WithdrawConsent(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c party.WithdrawCommand, intents []party.Intent) (tape.Entry, error) {
		state, err := t.consentState("withdraw-consent", c, intents)
		if err != nil {
			return tape.Entry{}, err
		}
		return t.outcome(party.WithdrawConsent(state, c, t.context))
	})
}

// consentState loads what a consent is judged by, and who has signed.
func (t *transaction) consentState(action string, c party.WithdrawCommand, intents []party.Intent) (party.ConsentState, error) {
	organisation, person, consent := party.OrganisationKey(c.Organisation), party.PersonKey(c.Person), party.ConsentKey(c.Person, c.Organisation, c.Purpose, c.About)
	if err := t.ground(c.ID, organisation, person, consent); err != nil {
		return party.ConsentState{}, err
	}
	if err := t.judgeIntents(party.Act{Action: action, Subject: string(c.Person), Entry: c.ID}, intents); err != nil {
		return party.ConsentState{}, err
	}
	return party.ConsentState{Organisation: read[party.Organisation](t, organisation), Person: read[party.Person](t, person), Known: read[party.Consent](t, consent)}, nil
}

// Suspend stops a key that was lost or is contested; intents may be none.
func (*Party) Suspend(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c party.SuspendCommand, intents []party.Intent) (tape.Entry, error) {
		if err := t.personIntents(c.ID, "suspend", c.Person, intents); err != nil {
			return tape.Entry{}, err
		}
		return t.outcome(party.Suspend(read[party.Person](t, party.PersonKey(c.Person)), c, t.context))
	})
}

// Revoke ends a person's part for good; intents may be none.
func (*Party) Revoke(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c party.RevokeCommand, intents []party.Intent) (tape.Entry, error) {
		if err := t.personIntents(c.ID, "revoke", c.Person, intents); err != nil {
			return tape.Entry{}, err
		}
		return t.outcome(party.Revoke(read[party.Person](t, party.PersonKey(c.Person)), c, t.context))
	})
}

// personIntents loads a person and judges what it signed about itself.
func (t *transaction) personIntents(id tape.ID, action string, person tape.ID, intents []party.Intent) error {
	if err := t.ground(id, party.PersonKey(person)); err != nil {
		return err
	}
	return t.judgeIntents(party.Act{Action: action, Subject: string(person), Entry: id}, intents)
}
