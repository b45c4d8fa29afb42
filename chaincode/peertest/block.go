package peertest

import (
	"crypto/sha256"
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lianbao/lianbao/chaincode/replay"
)

// Block writes out a block as a peer would give it to a gateway that follows the
// chain. Signatures are absent: nobody in a test checks them.
func (n *Network) Block(number uint64) *common.Block {
	n.t.Helper()
	if number >= n.Height() {
		n.t.Fatalf("block %d does not exist yet; the height is %d", number, n.Height())
	}
	block := &common.Block{
		Header:   &common.BlockHeader{Number: number},
		Data:     &common.BlockData{},
		Metadata: &common.BlockMetadata{Metadata: make([][]byte, len(common.BlockMetadataIndex_name))},
	}
	filter := []byte{}
	for _, one := range n.blocks[number] {
		data, err := EnvelopeOf(one.endorsed)
		if err != nil {
			n.t.Fatalf("block %d cannot be written: %v", number, err)
		}
		block.Data.Data = append(block.Data.Data, data)
		filter = append(filter, byte(one.code))
	}
	block.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER] = filter
	digest := sha256.New()
	for _, data := range block.Data.Data {
		digest.Write(data)
	}
	block.Header.DataHash = digest.Sum(nil)
	return block
}

// EnvelopeOf writes one transaction out as it is ordered, without signatures.
func EnvelopeOf(endorsed *Endorsed) ([]byte, error) {
	w := &writer{}
	proposal := endorsed.Proposal
	extension := w.bytes(&peer.ChaincodeHeaderExtension{ChaincodeId: &peer.ChaincodeID{Name: Chaincode}})
	header := &common.Header{
		ChannelHeader: w.bytes(&common.ChannelHeader{
			Type: int32(common.HeaderType_ENDORSER_TRANSACTION), TxId: proposal.TransactionID, ChannelId: proposal.Channel,
			Timestamp: timestamppb.New(proposal.Timestamp), Extension: extension,
		}),
		SignatureHeader: w.bytes(&common.SignatureHeader{Creator: proposal.Creator, Nonce: proposal.Nonce}),
	}
	action := &peer.ChaincodeActionPayload{
		ChaincodeProposalPayload: w.bytes(&peer.ChaincodeProposalPayload{
			Input: w.bytes(&peer.ChaincodeInvocationSpec{ChaincodeSpec: &peer.ChaincodeSpec{
				ChaincodeId: &peer.ChaincodeID{Name: Chaincode}, Input: &peer.ChaincodeInput{Args: proposal.Arguments},
			}}),
		}),
		Action: &peer.ChaincodeEndorsedAction{ProposalResponsePayload: w.response(endorsed)},
	}
	for _, endorser := range endorsed.Endorsers {
		action.Action.Endorsements = append(action.Action.Endorsements, &peer.Endorsement{Endorser: endorser})
	}
	payload := &common.Payload{Header: header, Data: w.bytes(&peer.Transaction{
		Actions: []*peer.TransactionAction{{Header: header.SignatureHeader, Payload: w.bytes(action)}},
	})}
	envelope := w.bytes(&common.Envelope{Payload: w.bytes(payload)})
	return envelope, w.err
}

// writer keeps the first error, so that nested messages can be written as they nest.
type writer struct{ err error }

func (w *writer) bytes(message proto.Message) []byte {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("%T: %w", message, err)
	}
	return data
}

func (w *writer) response(endorsed *Endorsed) []byte {
	outcome := endorsed.Outcome
	results, err := outcome.Results.Marshal()
	if err != nil && w.err == nil {
		w.err = err
	}
	action := &peer.ChaincodeAction{
		Results: results, ChaincodeId: &peer.ChaincodeID{Name: Chaincode, Version: "1"},
		Response: &peer.Response{
			Status: outcome.Response.Status, Message: outcome.Response.Message, Payload: outcome.Response.Payload,
		},
	}
	if event := outcome.Event; event != nil {
		action.Events = w.bytes(&peer.ChaincodeEvent{
			ChaincodeId: Chaincode, TxId: endorsed.Proposal.TransactionID, EventName: event.Name, Payload: event.Payload,
		})
	}
	digest := sha256.Sum256([]byte(endorsed.Proposal.TransactionID))
	return w.bytes(&peer.ProposalResponsePayload{ProposalHash: digest[:], Extension: w.bytes(action)})
}

// Transactions reads all transactions back out of the blocks, in their order.
func (n *Network) Transactions() []replay.Transaction {
	n.t.Helper()
	var all []replay.Transaction
	for number := range n.Height() {
		transactions, err := replay.TransactionsOf(n.Block(number))
		if err != nil {
			n.t.Fatalf("block %d cannot be read back: %v", number, err)
		}
		all = append(all, transactions...)
	}
	return all
}
