package readmodel

import (
	"math"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Block is one whole block of the ledger, as far as it is read: what the
// follower of a peer hands in. It knows nothing of Fabric's own forms.
type Block struct {
	Number uint64
	// Hash of the block's header, PreviousHash that of the block before.
	Hash, PreviousHash []byte
	// Transactions in the order of the block, also those that peers found invalid.
	Transactions []Transaction
}

// Transaction is one transaction with what it asked for and what it wrote.
type Transaction struct {
	ID string
	// Index is its place in the block, from 0.
	Index int
	// Valid is the verdict of the peers, Code its name, such as MVCC_READ_CONFLICT.
	Valid bool
	Code  string
	// Function is contract and function, such as Tape:Receive; empty for the network's own transactions.
	Function string
	// Argument is the function's one argument, canonical JSON.
	Argument []byte
	// Writes is the write set of Lianbao's chaincode, sorted by key.
	Writes []Write
	// Endorsers are the organisations whose peers endorsed, sorted; Creator is the one that carried it.
	Endorsers []string
	Creator   string
	At        tape.Instant
}

// Write is one key of a write set.
type Write struct {
	Key    string
	Value  []byte
	Delete bool
}

// ordinal says where on the ledger something stands: block, transaction and
// item in one number, so that ledger order is the order of whole numbers and
// no row's key depends on when it arrived here.
type ordinal int64

const (
	indexBits = 16
	itemBits  = 16
	itemsMax  = 1 << itemBits
)

func ordinalOf(block uint64, index, item int) (ordinal, error) {
	if block > math.MaxInt32 || index < 0 || index >= 1<<indexBits || item < 0 || item >= itemsMax {
		return 0, rule.Refuse(rule.Unsupported, "block %d, transaction %d, item %d is beyond what the read model can number", block, index, item)
	}
	return ordinal(block<<(indexBits+itemBits)) | ordinal(index)<<itemBits | ordinal(item), nil
}

func (o ordinal) block() uint64 { return uint64(o) >> (indexBits + itemBits) }

// transaction is the ordinal of the transaction, and of its entry.
func (o ordinal) transaction() ordinal { return o &^ (itemsMax - 1) }

// Items of a transaction are numbered from 1, so that no ordinal is 0, and
// pages in steps that leave room for the rows of their bodies.
const pageStep = 1024
