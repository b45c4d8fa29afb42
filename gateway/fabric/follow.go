package fabric

import (
	"context"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"log/slog"
	"math/big"
	"slices"
	"time"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"

	"github.com/lianbao/lianbao/chaincode/replay"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Pauses between attempts to open the stream of blocks again.
const (
	followPauseMin = 100 * time.Millisecond
	followPauseMax = 2 * time.Second
)

// Follow hands every block from a number on to apply, in order and each once,
// and begins the stream again where it was lost. It returns when ctx ends,
// or when apply fails: then a reader of the ledger does not understand it.
func (l *Ledger) Follow(ctx context.Context, from uint64, apply func(readmodel.Block) error) error {
	next, pause := from, followPauseMin
	for {
		started := next
		err := l.stream(ctx, &next, apply)
		var broken *unreadable
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &broken):
			return broken.error
		case next > started:
			pause = followPauseMin
		}
		slog.Warn("the peer's blocks stopped coming", "organisation", l.connection.Organisation, "next", next, "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, followPauseMax)
	}
}

// unreadable is an error that the same block will give again.
type unreadable struct{ error }

func (l *Ledger) stream(ctx context.Context, next *uint64, apply func(readmodel.Block) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	blocks, err := l.network.BlockEvents(ctx, client.WithStartBlock(*next))
	if err != nil {
		return err
	}
	for block := range blocks {
		// A stream that skips or repeats would make every later row wrong.
		if number := block.GetHeader().GetNumber(); number != *next {
			return errors.New("the peer sent another block than the one asked for")
		}
		read, err := l.read(block)
		if err != nil {
			return &unreadable{err}
		}
		if err := apply(read); err != nil {
			return &unreadable{err}
		}
		*next++
	}
	return errors.New("the stream ended")
}

// read arranges a block for the read model.
func (l *Ledger) read(block *common.Block) (readmodel.Block, error) {
	return ReadBlock(block, l.connection.Chaincode, l.connection.Names)
}

// ReadBlock arranges a block of Fabric for the read model. names gives the
// organisation of each MSP; one that is not named keeps its MSP's id.
func ReadBlock(block *common.Block, chaincode string, names map[string]string) (readmodel.Block, error) {
	transactions, err := replay.TransactionsOf(block)
	if err != nil {
		return readmodel.Block{}, err
	}
	hash, err := headerHash(block.GetHeader())
	if err != nil {
		return readmodel.Block{}, err
	}
	read := readmodel.Block{Number: block.GetHeader().GetNumber(), Hash: hash, PreviousHash: block.GetHeader().GetPreviousHash()}
	for _, t := range transactions {
		read.Transactions = append(read.Transactions, readTransaction(t, chaincode, names))
	}
	return read, nil
}

func readTransaction(t replay.Transaction, chaincode string, names map[string]string) readmodel.Transaction {
	nameOf := func(identity []byte) string {
		mspID := replay.MSPOf(identity)
		if name, known := names[mspID]; known {
			return name
		}
		return mspID
	}
	read := readmodel.Transaction{ID: t.ID, Index: int(t.Index), Valid: t.Valid(), Code: t.Code.String(),
		Creator: nameOf(t.Creator), At: tape.Instant(t.Timestamp.UnixMilli())}
	if t.Malformed != nil || t.Chaincode != chaincode {
		return read
	}
	if len(t.Arguments) > 0 {
		read.Function = string(t.Arguments[0])
	}
	if len(t.Arguments) > 1 {
		read.Argument = t.Arguments[1]
	}
	for _, write := range t.Results.In(chaincode).Writes {
		read.Writes = append(read.Writes, readmodel.Write{Key: write.Key, Value: write.Value, Delete: write.Deletes()})
	}
	for _, endorser := range t.Endorsers {
		read.Endorsers = append(read.Endorsers, nameOf(endorser))
	}
	slices.Sort(read.Endorsers)
	read.Endorsers = slices.Compact(read.Endorsers)
	return read
}

// headerHash is what the next block's header names as its predecessor: the
// SHA-256 of number, previous hash and data hash in ASN.1, as Fabric writes them.
func headerHash(header *common.BlockHeader) ([]byte, error) {
	encoded, err := asn1.Marshal(struct {
		Number                 *big.Int
		PreviousHash, DataHash []byte
	}{new(big.Int).SetUint64(header.GetNumber()), header.GetPreviousHash(), header.GetDataHash()})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(encoded)
	return sum[:], nil
}
