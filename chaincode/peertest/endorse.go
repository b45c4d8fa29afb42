package peertest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lianbao/lianbao/chaincode/replay"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// Option changes one proposal.
type Option func(*request)

type request struct {
	proposal  replay.Proposal
	endorsers []string
}

// From names the organisations whose peers endorse. Without it, all do.
func From(organisations ...string) Option {
	return func(r *request) { r.endorsers = organisations }
}

// Transient gives the proposal data that no block will show.
func Transient(values map[string][]byte) Option {
	return func(r *request) { r.proposal.Transient = values }
}

// At gives the proposal another time than the network's clock.
func At(at time.Time) Option { return func(r *request) { r.proposal.Timestamp = at } }

// Arguments replaces function and argument altogether.
func Arguments(arguments ...[]byte) Option {
	return func(r *request) { r.proposal.Arguments = arguments }
}

// Nonce sets what the transaction id is made of; the same nonce by the same
// client is the same transaction.
func Nonce(nonce []byte) Option {
	return func(r *request) { r.proposal.Nonce = nonce }
}

// Endorsed is a transaction that has been endorsed and not yet ordered.
type Endorsed struct {
	Proposal replay.Proposal
	Outcome  replay.Outcome
	// Endorsers are the serialized identities of the endorsing peers.
	Endorsers [][]byte
}

// Set is what the transaction reads and writes.
func (e *Endorsed) Set() replay.Set { return e.Outcome.Results.In(Chaincode) }

// RefusedError is a no of the contracts. It unwraps to the rule.Refusal that its
// message spells, if it spells one.
type RefusedError struct {
	Organisation string // whose peer said it
	Status       int32
	Message      string
}

// Error prints what a gateway prints.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("chaincode response %d, %s", e.Status, e.Message)
}

// Unwrap makes errors.As find the refusal behind the text.
func (e *RefusedError) Unwrap() error {
	refusal, found := rule.Parse(e.Message)
	if !found {
		return nil
	}
	return refusal
}

// MismatchError says that two endorsers do not agree, so nothing can be
// submitted. With all peers at one height it is a fault of the contracts: order
// of a map, a clock, memory between calls.
type MismatchError struct {
	Organisations [2]string
	Difference    string
}

// Error prints what a gateway prints, and what differs.
func (e *MismatchError) Error() string {
	return fmt.Sprintf("ProposalResponsePayloads do not match (%s and %s): %s",
		e.Organisations[0], e.Organisations[1], e.Difference)
}

// Endorse asks the peers for their endorsement and commits nothing. An empty
// argument is no argument.
func (n *Network) Endorse(as Identity, function, argument string, options ...Option) (*Endorsed, error) {
	n.t.Helper()
	asked := n.request(as, function, argument, options)
	if n.seen[asked.proposal.TransactionID] {
		return nil, fmt.Errorf("duplicate transaction found [%s]", asked.proposal.TransactionID)
	}
	if n.peers[as.MSP] == nil {
		return nil, fmt.Errorf("access denied: %s is not a member of channel %s", as.MSP, Channel)
	}
	outcome, err := n.agree(asked)
	if err != nil {
		return nil, err
	}
	endorsed := &Endorsed{Proposal: asked.proposal, Outcome: outcome}
	for _, organisation := range asked.endorsers {
		endorsed.Endorsers = append(endorsed.Endorsers, n.peer(organisation).identity.Serialized)
	}
	return endorsed, nil
}

// Evaluate asks without submitting. It writes nothing, whatever the contracts
// tried to write.
func (n *Network) Evaluate(as Identity, function, argument string, options ...Option) ([]byte, error) {
	n.t.Helper()
	endorsed, err := n.Endorse(as, function, argument, append([]Option{From(as.MSP)}, options...)...)
	if err != nil {
		return nil, err
	}
	return endorsed.Outcome.Response.Payload, nil
}

func (n *Network) request(as Identity, function, argument string, options []Option) *request {
	n.proposals++
	nonce := sha256.Sum256(binary.BigEndian.AppendUint64(nil, n.proposals))
	asked := &request{endorsers: slices.Clone(n.organisations), proposal: replay.Proposal{
		Channel: Channel, Creator: as.Serialized, Nonce: nonce[:24], Timestamp: n.clock,
		Arguments: [][]byte{[]byte(function)},
	}}
	if argument != "" {
		asked.proposal.Arguments = append(asked.proposal.Arguments, []byte(argument))
	}
	for _, option := range options {
		option(asked)
	}
	asked.proposal.TransactionID = replay.TransactionID(asked.proposal.Nonce, as.Serialized)
	return asked
}

// agree runs both replicas wherever the endorsing peers can differ, and wants
// one answer from all.
func (n *Network) agree(asked *request) (replay.Outcome, error) {
	n.t.Helper()
	if len(asked.endorsers) == 0 {
		return replay.Outcome{}, errors.New("nobody was asked to endorse")
	}
	var first replay.Outcome
	sites := n.sites(asked.endorsers)
	for i, one := range sites {
		outcome, err := n.twice(one, asked.proposal)
		if err != nil {
			return replay.Outcome{}, err
		}
		if i == 0 {
			first = outcome
			continue
		}
		if difference := differenceOf(first, outcome); difference != "" {
			return replay.Outcome{}, &MismatchError{[2]string{sites[0].organisation, one.organisation}, difference}
		}
	}
	return first, nil
}

// twice runs both replicas on one state.
func (n *Network) twice(one site, proposal replay.Proposal) (replay.Outcome, error) {
	var outcomes [2]replay.Outcome
	for i, chaincode := range n.replicas {
		outcome, err := replay.Run(chaincode, one.state, n.view(one.organisation), proposal)
		if err != nil {
			return outcome, fmt.Errorf("error in simulation: failed to execute transaction %s: %w", proposal.TransactionID, err)
		}
		outcomes[i] = outcome
	}
	if difference := differenceOf(outcomes[0], outcomes[1]); difference != "" {
		return outcomes[0], &MismatchError{[2]string{one.organisation, one.organisation + ", second replica"}, difference}
	}
	if response := outcomes[0].Response; response.Refused() {
		return outcomes[0], &RefusedError{one.organisation, response.Status, response.Message}
	}
	return outcomes[0], nil
}

// differenceOf compares two outcomes byte for byte and says in words what
// differs; empty when nothing does.
func differenceOf(a, b replay.Outcome) string {
	switch {
	case a.Response.Status != b.Response.Status || a.Response.Message != b.Response.Message:
		return fmt.Sprintf("responses %d %q and %d %q", a.Response.Status, a.Response.Message, b.Response.Status, b.Response.Message)
	case !bytes.Equal(a.Response.Payload, b.Response.Payload):
		return fmt.Sprintf("payloads %q and %q", a.Response.Payload, b.Response.Payload)
	case (a.Event == nil) != (b.Event == nil):
		return "one has an event"
	case a.Event != nil && (a.Event.Name != b.Event.Name || !bytes.Equal(a.Event.Payload, b.Event.Payload)):
		return fmt.Sprintf("events %s %q and %s %q", a.Event.Name, a.Event.Payload, b.Event.Name, b.Event.Payload)
	}
	return replay.Difference(a.Results, b.Results)
}
