package peertest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/lianbao/lianbao/chaincode/replay"
)

// Result is what became of a transaction.
type Result struct {
	TransactionID string
	Block         uint64
	Index         uint64
	Code          peer.TxValidationCode
	Response      replay.Response
	Event         *replay.Event
	// Set is what it read and wrote; nothing of it holds unless it is valid.
	Set replay.Set
}

// Valid says whether the transaction became part of the state.
func (r Result) Valid() bool { return r.Code == peer.TxValidationCode_VALID }

// InvalidatedError says that a transaction was ordered and is in a block, but
// changed nothing.
type InvalidatedError struct {
	TransactionID string
	Code          peer.TxValidationCode
}

// Error prints what a gateway prints.
func (e *InvalidatedError) Error() string {
	return fmt.Sprintf("transaction %s failed to commit with status code %d (%s)", e.TransactionID, e.Code, e.Code)
}

// committed is a transaction in a block.
type committed struct {
	endorsed *Endorsed
	code     peer.TxValidationCode
}

// Invoke endorses one transaction, orders it into a block of its own, and fails
// unless it is valid.
func (n *Network) Invoke(as Identity, function, argument string, options ...Option) (Result, error) {
	n.t.Helper()
	endorsed, err := n.Endorse(as, function, argument, options...)
	if err != nil {
		return Result{}, err
	}
	results, err := n.Commit(endorsed)
	if err != nil {
		return Result{}, err
	}
	if !results[0].Valid() {
		return results[0], &InvalidatedError{results[0].TransactionID, results[0].Code}
	}
	return results[0], nil
}

// Commit orders transactions into one block and validates them. What is invalid
// shows in the results; the error is for a block at which real peers would stop.
func (n *Network) Commit(batch ...*Endorsed) ([]Result, error) {
	n.t.Helper()
	codes, err := n.endorsementCodes(batch)
	if err != nil {
		return nil, err
	}
	number := n.Height()
	block := n.state.Begin(number)
	var results []Result
	var kept []committed
	for index, endorsed := range batch {
		code := codes[index]
		if code == peer.TxValidationCode_VALID {
			code, err = n.settle(block, uint64(index), endorsed)
		}
		if err != nil {
			return nil, fmt.Errorf("block %d, transaction %d: %w", number, index, err)
		}
		kept = append(kept, committed{endorsed, code})
		results = append(results, resultOf(endorsed, number, uint64(index), code))
	}
	for _, endorsed := range batch {
		n.seen[endorsed.Proposal.TransactionID] = true
	}
	n.blocks = append(n.blocks, kept)
	return results, nil
}

// endorsementCodes is the first half of validation. It sees only the state
// before the block: no transaction can give another the right to be there.
func (n *Network) endorsementCodes(batch []*Endorsed) ([]peer.TxValidationCode, error) {
	check := &replay.Endorsement{State: n.state, Chaincode: n.policy, View: replay.View{Collections: n.collections}}
	inBlock := map[string]bool{}
	var codes []peer.TxValidationCode
	for _, endorsed := range batch {
		id := endorsed.Proposal.TransactionID
		code := peer.TxValidationCode_DUPLICATE_TXID
		if !n.seen[id] {
			var err error
			if code, err = check.Check(endorsed.Set(), endorsed.Endorsers); err != nil {
				return nil, err
			}
			if code == peer.TxValidationCode_VALID && inBlock[id] {
				code = peer.TxValidationCode_DUPLICATE_TXID
			}
		}
		inBlock[id] = inBlock[id] || code == peer.TxValidationCode_VALID
		codes = append(codes, code)
	}
	return codes, nil
}

// settle is the second half: what was read must still be so.
func (n *Network) settle(block *replay.Block, index uint64, endorsed *Endorsed) (peer.TxValidationCode, error) {
	set := endorsed.Set()
	if code := block.Check(set); code != peer.TxValidationCode_VALID {
		return code, nil
	}
	if len(endorsed.Outcome.Results) == 0 {
		return peer.TxValidationCode_VALID, nil
	}
	if err := block.Apply(index, set); err != nil {
		return peer.TxValidationCode_INVALID_OTHER_REASON, err
	}
	for _, private := range endorsed.Outcome.Private {
		if err := n.state.ApplyPrivate(set, private, replay.Version{Block: block.Number, Transaction: index}); err != nil {
			return peer.TxValidationCode_INVALID_OTHER_REASON, err
		}
	}
	return peer.TxValidationCode_VALID, nil
}

func resultOf(endorsed *Endorsed, block, index uint64, code peer.TxValidationCode) Result {
	return Result{
		TransactionID: endorsed.Proposal.TransactionID, Block: block, Index: index, Code: code,
		Response: endorsed.Outcome.Response, Event: endorsed.Outcome.Event, Set: endorsed.Set(),
	}
}

// By returns the same transaction with the endorsements of these organisations
// only, as a client that forgets or withholds some would submit it.
func (n *Network) By(endorsed *Endorsed, organisations ...string) *Endorsed {
	n.t.Helper()
	changed := *endorsed
	changed.Endorsers = nil
	for _, organisation := range organisations {
		changed.Endorsers = append(changed.Endorsers, n.peer(organisation).identity.Serialized)
	}
	return &changed
}

// Forge makes a transaction of what its endorsers agreed to say, whatever the
// contracts say: the work of organisations that collude.
func (n *Network) Forge(as Identity, change func(set *replay.Set), organisations ...string) *Endorsed {
	n.t.Helper()
	asked := n.request(as, "forged", "", nil)
	set := replay.Set{Namespace: Chaincode}
	change(&set)
	slices.SortFunc(set.Writes, func(a, b replay.Write) int { return strings.Compare(a.Key, b.Key) })
	forged := &Endorsed{Proposal: asked.proposal, Outcome: replay.Outcome{
		Response: replay.Response{Status: 200}, Results: replay.Results{set},
	}}
	return n.By(forged, organisations...)
}
