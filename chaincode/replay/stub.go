package replay

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// stub is the contracts' side of a simulation. It refuses what the real stub or
// the peer behind it refuses, in the same words.
type stub struct {
	proposal   Proposal
	simulation *simulation
	event      *Event
	batch      map[batchKey]func() error // nil while no batch is open
}

// batchKey is what the real stub keeps one write for: a later write of the same
// key in a batch replaces the earlier one.
type batchKey struct {
	collection string
	key        string
	metadata   bool
}

var _ shim.ChaincodeStubInterface = (*stub)(nil)

// The peer puts the kind of message and the transaction before every error.
func (s *stub) failed(message string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s failed: transaction ID: %s: %w", message, s.proposal.TransactionID, err)
}

// spelled crashes on text that is not UTF-8, because the real stub panics when
// it has to put such text into a message.
func spelled(texts ...string) {
	for _, text := range texts {
		if !utf8.ValidString(text) {
			panic("failed to marshal message: string field contains invalid UTF-8")
		}
	}
}

func (s *stub) GetArgs() [][]byte { return s.proposal.Arguments }

func (s *stub) GetStringArgs() []string {
	texts := make([]string, 0, len(s.proposal.Arguments))
	for _, argument := range s.proposal.Arguments {
		texts = append(texts, string(argument))
	}
	return texts
}

func (s *stub) GetFunctionAndParameters() (string, []string) {
	texts := s.GetStringArgs()
	if len(texts) == 0 {
		return "", []string{}
	}
	return texts[0], texts[1:]
}

func (s *stub) GetArgsSlice() ([]byte, error) { return slices.Concat(s.proposal.Arguments...), nil }

func (s *stub) GetTxID() string { return s.proposal.TransactionID }

func (s *stub) GetChannelID() string { return s.proposal.Channel }

func (s *stub) GetCreator() ([]byte, error) { return s.proposal.Creator, nil }

func (s *stub) GetTransient() (map[string][]byte, error) { return s.proposal.Transient, nil }

func (s *stub) GetBinding() ([]byte, error) {
	epoch := make([]byte, 8) // always 0 since Fabric 1.0
	digest := sha256.Sum256(slices.Concat(s.proposal.Nonce, s.proposal.Creator, epoch))
	return digest[:], nil
}

func (s *stub) GetDecorations() map[string][]byte { return nil }

// GetSignedProposal has nothing to give: a block does not keep the proposal's signature.
func (s *stub) GetSignedProposal() (*peer.SignedProposal, error) {
	return nil, errors.New("a replay has no signed proposal")
}

func (s *stub) GetTxTimestamp() (*timestamppb.Timestamp, error) {
	return timestamppb.New(s.proposal.Timestamp), nil
}

func (s *stub) SetEvent(name string, payload []byte) error {
	if name == "" {
		return errors.New("event name can not be empty string")
	}
	s.event = &Event{Name: name, Payload: payload}
	return nil
}

func (s *stub) InvokeChaincode(name string, _ [][]byte, _ string) *peer.Response {
	return shim.Error("a replay runs one chaincode and cannot call " + name)
}

func (s *stub) GetState(key string) ([]byte, error) {
	spelled(key)
	return s.simulation.read(key).Data, nil
}

func (s *stub) GetMultipleStates(keys ...string) ([][]byte, error) {
	spelled(keys...)
	var values [][]byte
	for _, key := range keys {
		values = append(values, s.simulation.read(key).Data)
	}
	return values, nil
}

func (s *stub) GetStateValidationParameter(key string) ([]byte, error) {
	spelled(key)
	return s.simulation.read(key).Policy(), nil
}

// perform does a write now, or keeps it for the end of the batch.
func (s *stub) perform(at batchKey, message string, act func() error) error {
	if s.batch != nil {
		s.batch[at] = act
		return nil
	}
	spelled(at.collection, at.key)
	return s.failed(message, act())
}

func (s *stub) PutState(key string, value []byte) error {
	if key == "" {
		return errors.New("key must not be an empty string")
	}
	return s.perform(batchKey{key: key}, "PUT_STATE", func() error { return s.simulation.write(key, value) })
}

func (s *stub) DelState(key string) error {
	return s.perform(batchKey{key: key}, "DEL_STATE", func() error { return s.simulation.write(key, nil) })
}

func (s *stub) SetStateValidationParameter(key string, policy []byte) error {
	return s.perform(batchKey{key: key, metadata: true}, "PUT_STATE_METADATA", func() error {
		return s.simulation.describe(key, []Entry{{Name: validationParameter, Value: policy}})
	})
}

func (s *stub) StartWriteBatch() {
	if s.batch == nil {
		s.batch = map[batchKey]func() error{}
	}
}

// FinishWriteBatch sends what the batch holds. The real stub sends it in any
// order; here it has one, so that an error is always the same.
func (s *stub) FinishWriteBatch() error {
	batch := s.batch
	s.batch = nil
	at := slices.SortedFunc(maps.Keys(batch), func(a, b batchKey) int {
		return strings.Compare(a.collection+"\x00"+a.key, b.collection+"\x00"+b.key)
	})
	for _, key := range at {
		spelled(key.collection, key.key)
		if err := batch[key](); err != nil {
			return fmt.Errorf("failed send batch: %w", s.failed("WRITE_BATCH_STATE", err))
		}
	}
	return nil
}

func (s *stub) CreateCompositeKey(objectType string, attributes []string) (string, error) {
	return shim.CreateCompositeKey(objectType, attributes)
}

// SplitCompositeKey panics on a key that is not composite, as the real one does.
func (s *stub) SplitCompositeKey(key string) (string, []string, error) {
	parts := strings.Split(key[1:], "\x00")
	parts = parts[:len(parts)-1]
	return parts[0], parts[1:], nil
}
