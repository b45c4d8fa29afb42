package contract

import (
	"github.com/hyperledger/fabric-contract-api-go/v2/contractapi"

	"github.com/lianbao/lianbao/chaincode/bookkeeping"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Books is the contract of organisations' months.
type Books struct{ contractapi.Contract }

// CloseMonth closes a month of the caller's books.
func (*Books) CloseMonth(ctx Context, argument string) (string, error) {
	return runSigned(ctx, argument, func(t *transaction, c bookkeeping.CloseMonth, intents []intent) (tape.Entry, error) {
		if err := c.Check(); err != nil {
			return tape.Entry{}, err
		}
		key, before, member := bookkeeping.CloseKey(c.Organisation, c.Month), bookkeeping.CloseKey(c.Organisation, c.Month.Before()), party.OrganisationKey(c.Organisation)
		if err := t.ground(c.ID, key, before, member, c.Through.Key(), party.PolicyKey()); err != nil {
			return tape.Entry{}, err
		}
		state := bookkeeping.State{Zone: read[party.Ledger](t, party.LedgerKey()).Zone, Known: read[bookkeeping.Close](t, key), Before: read[bookkeeping.Close](t, before), Through: read[tape.Entry](t, c.Through.Key())}
		if organisation := read[party.Organisation](t, member); organisation != nil {
			admitted := "entry/" + organisation.Entry
			if err := t.load(admitted); err != nil {
				return tape.Entry{}, err
			}
			state.Admitted = read[tape.Entry](t, admitted)
		}
		if err := t.judgeIntents(party.Act{Action: "close-month", Subject: c.Organisation, Entry: c.ID}, intents); err != nil {
			return tape.Entry{}, err
		}
		policy, err := need[party.PolicyRecord](t, party.PolicyKey(), "the policy")
		if err != nil {
			return tape.Entry{}, err
		}
		closed, entry, err := c.Apply(state, t.context)
		if err != nil {
			return tape.Entry{}, err
		}
		if err := policy.Policy.Approval.Decide(t.context.Approvals, c.Organisation); err != nil {
			return tape.Entry{}, err
		}
		t.save(key, closed)
		return entry, nil
	})
}
