package contract

import (
	"slices"
	"strings"

	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/lianbao/lianbao/chaincode/assessment"
	"github.com/lianbao/lianbao/chaincode/credit"
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Credit is the contract of scores and limits.
type Credit struct{ contractapi.Contract }

// scored loads a scheme, one of its households and whatever else the rule reads,
// and returns the scheme's terms in force with them.
func (t *transaction) scored(id tape.ID, account, household tape.AccountID, keys ...string) (group.Scheme, group.SchemeTerms, *group.Member, error) {
	key := group.MemberKey(account, household)
	scheme, err := t.scheme(id, account, append(keys, key)...)
	if err != nil {
		return scheme, group.SchemeTerms{}, nil, err
	}
	version, err := t.version(account, scheme.Version)
	return scheme, version, read[group.Member](t, key), err
}

// Attest says one value about a household.
func (*Credit) Attest(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c assessment.Attest, intents []intent) (tape.Entry, error) {
		if err := c.Check(); err != nil {
			return tape.Entry{}, err
		}
		key, evidence := assessment.InputsKey(c.Account, c.Household, c.Lender), ""
		if organisation, of, found := strings.Cut(c.Evidence, "/"); found {
			evidence = tape.EntryKey(organisation, tape.ID(of))
		}
		state := assessment.AttestState{}
		var terms group.SchemeTerms
		var err error
		if state.Scheme, terms, state.Member, err = t.scored(c.ID, c.Account, c.Household, key, evidence); err != nil {
			return tape.Entry{}, err
		}
		state.Industry, state.Known = terms.Industry, read[assessment.Inputs](t, key)
		if evidence != "" {
			state.Evidence = read[tape.Entry](t, evidence)
		}
		if state.Consent, err = t.consentTo(c, state); err != nil {
			return tape.Entry{}, err
		}
		if err := t.said("attest", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		inputs, entry, err := c.Apply(state, t.context)
		t.save(key, inputs)
		return entry, err
	})
}

// consentTo is the consent that an attestation rests on; the rule refuses what names none.
func (t *transaction) consentTo(c assessment.Attest, state assessment.AttestState) (*party.Consent, error) {
	model, err := assessment.Model(state.Industry, t.context.Date)
	if err != nil || state.Member == nil {
		return nil, err
	}
	indicator, err := c.Asked(model)
	if err != nil {
		return nil, err
	}
	key := party.ConsentKey(state.Member.PersonOn(t.context.At), c.Lender, model.Purpose, indicator.About)
	if err := t.load(key); err != nil {
		return nil, err
	}
	return read[party.Consent](t, key), nil
}

// Retract takes back what was attested.
func (*Credit) Retract(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c assessment.Retract, intents []intent) (tape.Entry, error) {
		key := assessment.InputsKey(c.Account, c.Household, c.Lender)
		if _, err := t.scheme(c.ID, c.Account, key); err != nil {
			return tape.Entry{}, err
		}
		if err := t.said("retract", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		inputs, entry, err := read[assessment.Inputs](t, key).Retract(c, t.context)
		t.save(key, inputs)
		return entry, err
	})
}

// Assess computes a household's score and limit.
func (*Credit) Assess(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c assessment.Assess, intents []intent) (tape.Entry, error) {
		state := assessment.AssessState{}
		var err error
		if state.Scheme, state.Terms, state.Member, err = t.scored(c.ID, c.Account, c.Household); err != nil {
			return tape.Entry{}, err
		}
		key, inputs := assessment.Key(c.Account, c.Household, t.context.Organisation), assessment.InputsKey(c.Account, c.Household, t.context.Organisation)
		if err := t.load(key, inputs); err != nil {
			return tape.Entry{}, err
		}
		state.Known, state.Inputs = read[assessment.Standing](t, key), read[assessment.Inputs](t, inputs)
		if err := t.assessed(&state); err != nil {
			return tape.Entry{}, err
		}
		if err := t.organised("assess", t.context.Organisation, c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		standing, entry, err := c.Apply(state, t.context)
		t.save(key, standing)
		return entry, err
	})
}

// assessed fills in what the ledger knows of a member: its consents, how it repays, and the group that it is in.
func (t *transaction) assessed(state *assessment.AssessState) error {
	if state.Member == nil {
		return nil // refused by the rule
	}
	model, err := assessment.Model(state.Terms.Industry, t.context.Date)
	if err != nil {
		return err
	}
	if state.Consents, err = t.consents(state.Member.PersonOn(t.context.At), model); err != nil {
		return err
	}
	fingerprint := state.Member.Fingerprint
	if err := t.load(loan.DebtsKey(fingerprint), group.StandingKey(fingerprint)); err != nil {
		return err
	}
	own, err := t.ownLoans(fingerprint)
	if err != nil {
		return err
	}
	debts := read[loan.Debts](t, loan.DebtsKey(fingerprint))
	if state.History, err = debts.History(own, t.context.Date); err != nil {
		return err
	}
	state.PaidCalls = debts.Paid()
	return t.assessedGroup(state, fingerprint)
}

// assessedGroup fills in the group that a member is in, where it is one of the
// scheme: how its households stand, and when one of them was last called.
func (t *transaction) assessedGroup(state *assessment.AssessState, fingerprint string) error {
	place := read[group.Standing](t, group.StandingKey(fingerprint)).Group // whoever is a member has a standing
	if place == nil || place.Scheme != state.Scheme.Account {
		return nil
	}
	key := group.GroupKey(place.Scheme, place.Group)
	if err := t.load(key); err != nil {
		return err
	}
	state.Group = read[group.Group](t, key)
	standings, err := t.standings(*state.Group)
	for _, one := range standings {
		state.Debts = append(state.Debts, one.Debts)
	}
	for _, m := range state.Group.Living() {
		state.LastCall = max(state.LastCall, read[loan.Debts](t, loan.DebtsKey(m.Fingerprint)).LastCall(place.Scheme, place.Group))
	}
	return err
}

// consents are what a person has given the caller for a model's purpose.
func (t *transaction) consents(person tape.ID, model credit.Model) ([]assessment.Consent, error) {
	var keys []string
	for _, about := range assessment.Classes(model) {
		keys = append(keys, party.ConsentKey(person, t.context.Organisation, model.Purpose, about))
	}
	if err := t.load(keys...); err != nil {
		return nil, err
	}
	zone := read[party.Ledger](t, party.LedgerKey()).Zone
	var consents []assessment.Consent
	for _, key := range keys {
		consent := read[party.Consent](t, key)
		if consent == nil {
			continue
		}
		from, err := zone.Date(consent.At)
		if err != nil {
			return nil, err
		}
		consents = append(consents, assessment.Consent{Consent: *consent, From: from})
	}
	return consents, nil
}

// DisputeInput is the household's word that an input is wrong.
func (*Credit) DisputeInput(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c assessment.DisputeInput, intents []intent) (tape.Entry, error) {
		key, member := assessment.Key(c.Account, c.Household, c.Lender), group.MemberKey(c.Account, c.Household)
		if _, err := t.scheme(c.ID, c.Account, key, member); err != nil {
			return tape.Entry{}, err
		}
		standing, err := need[assessment.Standing](t, key, "the score of "+c.Household.String()+" with that lender")
		if err != nil {
			return tape.Entry{}, err
		}
		if err := t.said("dispute-input", c.Account, c.ID, intents); err != nil {
			return tape.Entry{}, err
		}
		standing, entry, err := standing.Dispute(c, read[group.Member](t, member), t.context)
		t.save(key, standing)
		return entry, err
	})
}

// assessment is what the ledger knows of the credit of a household that asks for
// an amount: its score with the lender of the product, if it has one.
func (t *transaction) assessment(f loan.Frame, household tape.AccountID, amount money.Amount) (loan.Assessment, error) {
	none := (*assessment.Standing)(nil)
	i := slices.IndexFunc(f.Standing, func(one loan.Standing) bool { return one.Debts.Household == household })
	if f.Product == nil || i < 0 || f.Standing[i].Member == nil || amount.Positive(f.Scheme.Currency) != nil {
		return none.Judge(assessment.Asked{Amount: money.New(0, f.Scheme.Currency)}, t.context.Date)
	}
	key := assessment.Key(f.Scheme.Account, household, f.Product.Organisation)
	if err := t.load(key); err != nil {
		return loan.Assessment{}, err
	}
	standing, keys := read[assessment.Standing](t, key), []string{}
	keys = append(keys, standing.ConsentKeys()...)
	if err := t.load(keys...); err != nil {
		return loan.Assessment{}, err
	}
	asked := assessment.Asked{Amount: amount}
	for _, key := range keys {
		asked.Consents = append(asked.Consents, read[party.Consent](t, key))
	}
	own, err := t.ownLoans(f.Standing[i].Member.Fingerprint)
	if err != nil {
		return loan.Assessment{}, err
	}
	if asked.Exposure, asked.OtherCurrency, err = loan.Exposure(own, f.Scheme.Currency, t.context.Date); err != nil {
		return loan.Assessment{}, err
	}
	return standing.Judge(asked, t.context.Date)
}
