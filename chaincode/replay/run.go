package replay

import (
	"errors"
	"fmt"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

// Event is what a transaction tells its listeners. There is at most one.
type Event struct {
	Name    string
	Payload []byte
}

// Response is what the contracts answer. A status below 400 is endorsed.
type Response struct {
	Status  int32
	Message string
	Payload []byte
}

// Refused says whether a peer would refuse to endorse the answer.
func (r Response) Refused() bool { return r.Status >= shim.ERRORTHRESHOLD }

// Outcome is all that comes out of one run of the contracts.
type Outcome struct {
	Response Response
	Event    *Event // nil when there is none, and for a refusal
	Results  Results
	Private  []PrivateWrites
}

// ErrCrashed marks a run in which the contracts panicked. A real chaincode
// process would be gone.
var ErrCrashed = errors.New("the chaincode crashed")

// Run makes one call of a chaincode against a state, which it does not change.
// A refusal by the contracts is an Outcome; an error is a failure to run them.
func Run(chaincode shim.Chaincode, state *State, view View, proposal Proposal) (Outcome, error) {
	called := &stub{proposal: proposal, simulation: newSimulation(state, view, proposal)}
	response, err := call(chaincode, called)
	if err != nil {
		return Outcome{}, err
	}
	results, private, err := called.simulation.results()
	if err != nil {
		return Outcome{}, err
	}
	outcome := Outcome{Results: results, Private: private, Event: called.event}
	outcome.Response = Response{Status: response.GetStatus(), Message: response.GetMessage(), Payload: response.GetPayload()}
	if outcome.Response.Refused() {
		outcome.Event = nil
	}
	return outcome, nil
}

func call(chaincode shim.Chaincode, called *stub) (response *peer.Response, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("%w: %v", ErrCrashed, reason)
		}
	}()
	response = chaincode.Invoke(called)
	// The real shim sends an open batch when the contract returns, even after a refusal.
	if err := called.FinishWriteBatch(); err != nil {
		return nil, fmt.Errorf("failed send batch: %w", err)
	}
	return response, nil
}
