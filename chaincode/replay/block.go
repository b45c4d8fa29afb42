package replay

import (
	"errors"
	"fmt"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"
)

// Transaction is one transaction as a block carries it.
type Transaction struct {
	Block   uint64
	Index   uint64
	ID      string
	Channel string
	Type    common.HeaderType
	// Code is what the peer that gave the block out says of the transaction.
	Code      peer.TxValidationCode
	Creator   []byte
	Nonce     []byte
	Timestamp time.Time
	Chaincode string
	Version   string // of the chaincode definition
	Arguments [][]byte
	Endorsers [][]byte
	Response  Response
	Event     *Event
	// RawResults are the bytes that the endorsers signed; Results says the same.
	RawResults []byte
	Results    Results
	// Malformed says why the rest could not be read. Anybody can have rubbish
	// ordered, so it is no error as long as the peer calls it invalid too.
	Malformed error
}

// Valid says whether the peer made the transaction part of its state.
func (t Transaction) Valid() bool { return t.Code == peer.TxValidationCode_VALID }

// Proposal is what has to be asked to get the same outcome. What was transient
// is not in it.
func (t Transaction) Proposal() Proposal {
	return Proposal{
		Channel: t.Channel, TransactionID: t.ID, Creator: t.Creator, Nonce: t.Nonce,
		Timestamp: t.Timestamp, Arguments: t.Arguments,
	}
}

// At is the version that the keys have which the transaction wrote.
func (t Transaction) At() Version { return Version{Block: t.Block, Transaction: t.Index} }

// TransactionsOf reads all transactions of a block, also those that are not the
// contracts' (configuration), which have no arguments and no results. It fails
// when the block itself cannot be read, or holds a valid transaction that cannot.
func TransactionsOf(block *common.Block) ([]Transaction, error) {
	if block.GetHeader() == nil || block.GetData() == nil {
		return nil, errors.New("the block has no header or no data")
	}
	number := block.Header.Number
	codes, err := codesOf(block)
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", number, err)
	}
	var all []Transaction
	for index, data := range block.Data.Data {
		transaction := Transaction{Block: number, Index: uint64(index), Code: codes[index], Type: -1}
		transaction.Malformed = transaction.read(data)
		if transaction.Malformed != nil && transaction.Valid() {
			return nil, fmt.Errorf("block %d, transaction %d is valid but cannot be read: %w", number, index, transaction.Malformed)
		}
		all = append(all, transaction)
	}
	return all, nil
}

// codesOf reads what the peer noted about each transaction. A block straight
// from an orderer has no such note and must not be taken for a validated one.
func codesOf(block *common.Block) ([]peer.TxValidationCode, error) {
	metadata := block.GetMetadata().GetMetadata()
	if len(metadata) <= int(common.BlockMetadataIndex_TRANSACTIONS_FILTER) {
		return nil, errors.New("no peer has validated it")
	}
	filter := metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER]
	// The genesis block comes with a filter that may be empty; its one transaction is valid.
	if block.Header.Number == 0 && len(filter) == 0 {
		filter = make([]byte, len(block.Data.Data))
	}
	if len(filter) != len(block.Data.Data) {
		return nil, fmt.Errorf("%d transactions have %d validation codes", len(block.Data.Data), len(filter))
	}
	var codes []peer.TxValidationCode
	for _, code := range filter {
		codes = append(codes, peer.TxValidationCode(code))
	}
	return codes, nil
}

func (t *Transaction) read(data []byte) error {
	envelope, payload := &common.Envelope{}, &common.Payload{}
	if err := unmarshal("envelope", data, envelope); err != nil {
		return err
	}
	if err := unmarshal("payload", envelope.Payload, payload); err != nil {
		return err
	}
	if err := t.readHeader(payload.GetHeader()); err != nil {
		return err
	}
	if t.Type != common.HeaderType_ENDORSER_TRANSACTION {
		return nil
	}
	body := &peer.Transaction{}
	if err := unmarshal("transaction", payload.Data, body); err != nil {
		return err
	}
	if len(body.Actions) != 1 {
		return fmt.Errorf("it has %d actions in place of one", len(body.Actions))
	}
	action := &peer.ChaincodeActionPayload{}
	if err := unmarshal("action", body.Actions[0].GetPayload(), action); err != nil {
		return err
	}
	if err := t.readProposal(action.ChaincodeProposalPayload); err != nil {
		return err
	}
	for _, endorsement := range action.GetAction().GetEndorsements() {
		t.Endorsers = append(t.Endorsers, endorsement.GetEndorser())
	}
	return t.readOutcome(action.GetAction().GetProposalResponsePayload())
}

func (t *Transaction) readHeader(header *common.Header) error {
	channel, signature := &common.ChannelHeader{}, &common.SignatureHeader{}
	if err := unmarshal("channel header", header.GetChannelHeader(), channel); err != nil {
		return err
	}
	if err := unmarshal("signature header", header.GetSignatureHeader(), signature); err != nil {
		return err
	}
	t.ID, t.Channel, t.Type = channel.TxId, channel.ChannelId, common.HeaderType(channel.Type)
	t.Creator, t.Nonce = signature.Creator, signature.Nonce
	if t.Type != common.HeaderType_ENDORSER_TRANSACTION {
		return nil
	}
	if err := channel.GetTimestamp().CheckValid(); err != nil {
		return fmt.Errorf("timestamp: %w", err)
	}
	t.Timestamp = channel.Timestamp.AsTime()
	if t.ID != TransactionID(t.Nonce, t.Creator) {
		return fmt.Errorf("the transaction id %q does not follow from nonce and creator", t.ID)
	}
	return nil
}

func (t *Transaction) readProposal(data []byte) error {
	proposal, invocation := &peer.ChaincodeProposalPayload{}, &peer.ChaincodeInvocationSpec{}
	if err := unmarshal("proposal", data, proposal); err != nil {
		return err
	}
	if err := unmarshal("input", proposal.Input, invocation); err != nil {
		return err
	}
	t.Arguments = invocation.GetChaincodeSpec().GetInput().GetArgs()
	return nil
}

func (t *Transaction) readOutcome(data []byte) error {
	answer, action := &peer.ProposalResponsePayload{}, &peer.ChaincodeAction{}
	if err := unmarshal("proposal response", data, answer); err != nil {
		return err
	}
	if err := unmarshal("chaincode action", answer.Extension, action); err != nil {
		return err
	}
	t.Chaincode, t.Version = action.GetChaincodeId().GetName(), action.GetChaincodeId().GetVersion()
	response := action.GetResponse()
	t.Response = Response{Status: response.GetStatus(), Message: response.GetMessage(), Payload: response.GetPayload()}
	if len(action.Events) > 0 {
		event := &peer.ChaincodeEvent{}
		if err := unmarshal("event", action.Events, event); err != nil {
			return err
		}
		if event.EventName != "" {
			t.Event = &Event{Name: event.EventName, Payload: event.Payload}
		}
	}
	t.RawResults = action.Results
	results, err := WriteSetOf(action.Results)
	t.Results = results
	return err
}

func unmarshal(what string, data []byte, into proto.Message) error {
	if err := proto.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
