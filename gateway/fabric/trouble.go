package fabric

import (
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// Cause says why a command could not be carried, for metrics and for deciding how long to try.
type Cause string

// The causes.
const (
	// Mismatch: two endorsers computed different results, because one had not committed the last block.
	Mismatch Cause = "mismatch"
	// Lagging: the own peer accepted, another organisation's peer refused: it does not know yet what ours knows.
	Lagging Cause = "lagging"
	// Unreachable: a peer, a chaincode or the orderers do not answer.
	Unreachable Cause = "unreachable"
)

// Transient says that nothing was written and that a new proposal may succeed.
type Transient struct {
	Cause Cause
	// Text is one sentence for people, naming who does not answer.
	Text string
	// Refusal is what a lagging peer said; nil otherwise. It is not wrapped: it is not the ledger's answer.
	Refusal *rule.Refusal
	// Said is what Fabric said, for the log.
	Said error
}

// Error prints the sentence as refusals are printed.
func (t *Transient) Error() string { return "unavailable: " + t.Text }

// Unwrap returns what Fabric said.
func (t *Transient) Unwrap() error { return t.Said }

// CommitFailure says that the transaction is in a block and counts for nothing.
type CommitFailure struct {
	TransactionID string
	Block         uint64
	// Code is Fabric's, such as MVCC_READ_CONFLICT.
	Code string
}

// Error names the transaction and the code.
func (c *CommitFailure) Error() string {
	return fmt.Sprintf("unavailable: transaction %s was ordered and did not count (%s)", c.TransactionID, c.Code)
}

// Conflict reports whether a new proposal will succeed, because all that was
// wrong is that another transaction came first.
func (c *CommitFailure) Conflict() bool {
	switch c.Code {
	case peer.TxValidationCode_MVCC_READ_CONFLICT.String(), peer.TxValidationCode_PHANTOM_READ_CONFLICT.String():
		return true
	}
	return false
}

// Unknown says that the transaction may still commit. Its status must be asked
// before anything new is sent.
type Unknown struct {
	TransactionID string
	Said          error
}

// Error says what may still happen and how to look.
func (u *Unknown) Error() string {
	return fmt.Sprintf("unavailable: transaction %s may still commit; ask for its status", u.TransactionID)
}

// Unwrap returns what Fabric said.
func (u *Unknown) Unwrap() error { return u.Said }
