package contract

import (
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// NamePublisher says how the caller's organisation is registered and named.
func (*Fund) NamePublisher(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c fund.NamePublisher, intents []intent) (tape.Entry, error) {
		if err := c.Check(); err != nil {
			return tape.Entry{}, err
		}
		key, owner := fund.PublisherKey(c.Organisation), fund.IdentifiedKey(c.Imprint.Identifier)
		if err := t.ground(c.ID, key, owner, party.PolicyKey()); err != nil {
			return tape.Entry{}, err
		}
		state := fund.PublisherState{Known: read[fund.Publisher](t, key), Owner: read[fund.Identified](t, owner)}
		if err := t.judgeIntents(party.Act{Action: "name-publisher", Subject: c.Organisation, Entry: c.ID}, intents); err != nil {
			return tape.Entry{}, err
		}
		policy, err := need[party.PolicyRecord](t, party.PolicyKey(), "the policy")
		if err != nil {
			return tape.Entry{}, err
		}
		named, identified, entry, err := c.Apply(state, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := policy.Policy.Approval.Decide(t.context.Approvals, c.Organisation); err != nil {
			return tape.Entry{}, err
		}
		t.save(key, named)
		if state.Owner == nil {
			t.save(owner, identified)
		}
		return entry, nil
	})
}
