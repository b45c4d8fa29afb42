package fabric

import (
	"context"
	"errors"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// Receipt is the ledger's answer to a command that it holds now.
type Receipt struct {
	// Entry is what the contract replied; empty after Status.
	Entry         []byte
	TransactionID string
	Block         uint64
}

// Submit carries one command to the ledger and waits until it is committed.
// Before the transaction leaves for the orderers, sent is told its id; an error
// of sent stops it there. The error is a *rule.Refusal, a *Transient, a
// *CommitFailure or an *Unknown; after an *Unknown the receipt holds the entry
// that will stand if the transaction commits.
func (l *Ledger) Submit(ctx context.Context, function string, argument []byte, sent func(transactionID string) error) (Receipt, error) {
	if len(argument) > ArgumentBytesMax {
		return Receipt{}, rule.Refuse(rule.Invalid, "the argument is %d bytes long; %d are possible, so split it", len(argument), ArgumentBytesMax)
	}
	transaction, err := l.endorse(ctx, function, argument)
	if err != nil {
		return Receipt{}, err
	}
	return l.carry(ctx, transaction, sent)
}

// carry hands an endorsed transaction to the orderers and waits for its block.
func (l *Ledger) carry(ctx context.Context, transaction *client.Transaction, sent func(transactionID string) error) (Receipt, error) {
	if err := sent(transaction.TransactionID()); err != nil {
		return Receipt{}, err
	}
	receipt := Receipt{TransactionID: transaction.TransactionID()}
	commit, err := l.order(ctx, transaction)
	if err == nil {
		receipt, err = l.outcome(ctx, commit)
	}
	receipt.Entry = transaction.Result()
	return receipt, err
}

func (l *Ledger) endorse(ctx context.Context, function string, argument []byte, options ...client.ProposalOption) (*client.Transaction, error) {
	proposal, err := l.contract.NewProposal(function, append(options, client.WithBytesArguments(argument))...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := deadline(ctx, endorseTimeout)
	defer cancel()
	transaction, err := proposal.EndorseWithContext(ctx)
	if err != nil {
		return nil, l.translate(err)
	}
	return transaction, nil
}

// order hands the transaction to the orderers. Whatever goes wrong here, they
// may have it: also "insufficient number of orderers" has been seen to commit.
func (l *Ledger) order(ctx context.Context, transaction *client.Transaction) (*client.Commit, error) {
	ctx, cancel := deadline(ctx, submitTimeout)
	defer cancel()
	commit, err := transaction.SubmitWithContext(ctx)
	if err == nil {
		return commit, nil
	}
	if tooLong(err) {
		return nil, rule.Refuse(rule.Invalid, "the transaction is longer than the orderers take; split it")
	}
	return nil, &Unknown{TransactionID: transaction.TransactionID(), Said: err}
}

func (l *Ledger) outcome(ctx context.Context, commit *client.Commit) (Receipt, error) {
	ctx, cancel := deadline(ctx, commitTimeout)
	defer cancel()
	status, err := commit.StatusWithContext(ctx)
	if err != nil {
		return Receipt{}, &Unknown{TransactionID: commit.TransactionID(), Said: err}
	}
	receipt := Receipt{TransactionID: status.TransactionID, Block: status.BlockNumber}
	if !status.Successful {
		return receipt, &CommitFailure{TransactionID: status.TransactionID, Block: status.BlockNumber, Code: status.Code.String()}
	}
	return receipt, nil
}

// Status asks what became of a transaction. Fabric waits for one that it does
// not know, so an *Unknown comes when ctx ends, and means: not by now.
func (l *Ledger) Status(ctx context.Context, transactionID string) (Receipt, error) {
	commit, err := l.commitOf(transactionID)
	if err != nil {
		return Receipt{}, err
	}
	return l.outcome(ctx, commit)
}

func (l *Ledger) commitOf(transactionID string) (*client.Commit, error) {
	identity := l.gateway.Identity()
	creator, err := creatorOf(identity.MspID(), identity.Credentials())
	if err != nil {
		return nil, err
	}
	request, err := proto.Marshal(&gateway.CommitStatusRequest{ChannelId: l.connection.Channel, TransactionId: transactionID, Identity: creator})
	if err != nil {
		return nil, err
	}
	signed, err := proto.Marshal(&gateway.SignedCommitStatusRequest{Request: request})
	if err != nil {
		return nil, err
	}
	return l.gateway.NewCommit(signed)
}

// Evaluate asks the contract on the own peer. Nothing is written.
func (l *Ledger) Evaluate(ctx context.Context, function string, argument []byte) ([]byte, error) {
	return l.evaluate(ctx, function, argument)
}

func (l *Ledger) evaluate(ctx context.Context, function string, argument []byte, options ...client.ProposalOption) ([]byte, error) {
	proposal, err := l.contract.NewProposal(function, append(options, client.WithBytesArguments(argument))...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := deadline(ctx, queryTimeout)
	defer cancel()
	answer, err := proposal.EvaluateWithContext(ctx)
	if err != nil {
		return nil, l.translate(err)
	}
	return answer, nil
}

// Height is the number of blocks that the own peer holds.
func (l *Ledger) Height(ctx context.Context) (uint64, error) {
	ctx, cancel := deadline(ctx, queryTimeout)
	defer cancel()
	proposal, err := l.network.GetContract("qscc").NewProposal("GetChainInfo", client.WithArguments(l.connection.Channel))
	if err != nil {
		return 0, err
	}
	answer, err := proposal.EvaluateWithContext(ctx)
	if err != nil {
		return 0, l.translate(err)
	}
	info := &common.BlockchainInfo{}
	if err := proto.Unmarshal(answer, info); err != nil {
		return 0, errors.Join(errors.New("the peer's answer about its height cannot be read"), err)
	}
	return info.GetHeight(), nil
}
