// Package audit replays a ledger from its first block and believes nobody.
//
// Every transaction of the contracts is run again, with its creator, its time
// and its arguments, and what comes out must be what the block says, byte for
// byte; what the peers refused must be explained. Beside that it keeps books of
// its own (package books). Then it compares the state that it arrived at with
// the state of every organisation's peer, and a read model that it builds from
// the blocks with the one that each gateway shows.
//
// What three colluding organisations wrote against the contracts is valid to
// Fabric; it is here that it is found.
package audit

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/lianbao/lianbao/chaincode/replay"
	"github.com/lianbao/lianbao/gateway/audit/books"
)

// Options say what is audited.
type Options struct {
	// Contracts are the rules to replay with, Chaincode is their name on the channel.
	Contracts shim.Chaincode
	Chaincode string
	// Policy is the chaincode's endorsement policy to begin with. It is read
	// from the blocks as soon as a definition of the chaincode is committed.
	Policy *common.SignaturePolicyEnvelope
	// Collections are its private data collections to begin with, read from the
	// blocks in the same way. Each organisation's own one is not among them.
	Collections []replay.CollectionRule
	// Pause between two looks at a peer or a gateway that is behind; a quarter
	// of a second when zero.
	Pause time.Duration
}

// Auditor replays blocks one after the other. It holds the state of the
// contracts and no block.
type Auditor struct {
	options Options
	state   *replay.State
	books   *books.Books
	policy  *common.SignaturePolicyEnvelope
	members members
	// kept are the private values, by the key of their note.
	kept map[string]*keptValue
	// view is what collections there are, for the block at hand.
	view replay.View
	// seen are the ids of all transactions, because an id counts once for ever.
	seen     map[string]bool
	previous []byte // hash of the last block's header
	report   Report
}

// New is an auditor before block 0.
func New(o Options) *Auditor {
	if o.Pause == 0 {
		o.Pause = quietPause
	}
	return &Auditor{options: o, state: replay.NewState(o.Chaincode), books: books.New(), policy: o.Policy,
		members: members{}, kept: map[string]*keptValue{}, seen: map[string]bool{}, report: Report{Invalid: map[string]int{}}}
}

// Height is the number of blocks that were replayed.
func (a *Auditor) Height() uint64 { return a.report.Blocks }

// ErrIncomplete says that the audit cannot go on; why is among the findings.
var ErrIncomplete = errors.New("the audit could not be completed")

// Block replays the next block. What differs is noted in the report; the error
// wraps ErrIncomplete when nothing after this block could be judged.
func (a *Auditor) Block(block *common.Block) error {
	if err := a.link(block); err != nil {
		return err
	}
	number := block.Header.Number
	a.view = a.collectionView() // a definition holds from the block behind its own
	transactions, err := replay.TransactionsOf(block)
	if err != nil {
		a.add(Finding{Check: CheckChain, Block: &number, What: "the block cannot be read: " + err.Error()})
		return ErrIncomplete
	}
	a.signatures(block, transactions)
	expected := a.endorsements(transactions)
	applied := a.state.Begin(number)
	for i, t := range transactions {
		if err := a.transaction(applied, t, expected[i]); err != nil {
			return err
		}
	}
	a.report.Blocks++
	return nil
}

// transaction judges one transaction; expected is what its endorsements deserve.
func (a *Auditor) transaction(block *replay.Block, t replay.Transaction, expected peer.TxValidationCode) error {
	a.report.Transactions++
	a.seen[t.ID] = true
	if !t.Valid() {
		a.report.Invalid[t.Code.String()]++
	}
	if t.Malformed != nil || t.Type != common.HeaderType_ENDORSER_TRANSACTION {
		return nil
	}
	set := t.Results.In(a.options.Chaincode)
	if t.Chaincode == a.options.Chaincode {
		a.flag(block, t, expected)
	}
	if !t.Valid() {
		return nil
	}
	a.definition(t)
	switch {
	case t.Chaincode == a.options.Chaincode:
		a.replay(t)
	case len(set.Writes) == 0 && len(set.Metadata) == 0:
		return nil
	default:
		a.addAt(t, Finding{Check: CheckReplay, What: fmt.Sprintf("chaincode %q wrote into the state of %q", t.Chaincode, a.options.Chaincode)})
	}
	if err := block.Apply(t.Index, set); err != nil {
		a.addAt(t, Finding{Check: CheckFlags, What: err.Error()})
		return ErrIncomplete
	}
	a.book(t, set)
	return nil
}

// replay runs the contracts as the peers should have. It runs on the state at
// this place of the block: a valid transaction has read nothing that changed.
func (a *Auditor) replay(t replay.Transaction) {
	if command, found, err := readPrivate(t); found {
		if err != nil {
			a.addAt(t, Finding{Check: CheckReplay, What: "the contracts refuse what was committed", Expected: err.Error(), Found: t.Code.String()})
			return
		}
		a.private(t, command)
		return
	}
	outcome, err := replay.Run(a.options.Contracts, a.state, a.view, t.Proposal())
	switch {
	case err != nil:
		a.addAt(t, Finding{Check: CheckReplay, What: "the contracts do not run: " + err.Error()})
	case outcome.Response.Refused():
		a.addAt(t, Finding{Check: CheckReplay, What: "the contracts refuse what was committed", Expected: outcome.Response.Message, Found: t.Code.String()})
	default:
		a.compare(t, outcome)
	}
}

// book enters what a transaction did into the auditor's own books.
func (a *Auditor) book(t replay.Transaction, set replay.Set) {
	if len(set.Writes) == 0 {
		return // a command that was repeated is answered and writes nothing
	}
	if t.Event == nil || t.Event.Name != "entry" || len(t.Arguments) != 2 {
		a.addAt(t, Finding{Check: CheckBooks, Key: set.Writes[0].Key, What: "records were written without an entry"})
		return
	}
	writes := make(map[string][]byte, len(set.Writes))
	for _, write := range set.Writes {
		writes[write.Key] = write.Value
	}
	for _, p := range a.books.Apply(books.Transaction{Block: t.Block, Function: string(t.Arguments[0]), Argument: t.Arguments[1], Event: t.Event.Payload, Writes: writes}) {
		a.addAt(t, Finding{Check: CheckBooks, Key: p.Key, What: p.What, Expected: p.Expected, Found: p.Found})
	}
}

// Close compares the books with the records of the contracts and returns the
// report. More blocks may follow, and then another Close.
func (a *Auditor) Close() Report {
	report := a.report
	tiling, problems := a.books.Close(a.records())
	report.Tiling, report.Balances, report.Fund = tiling, a.books.Balances(), a.books.Trail()
	report.Private = a.privateState()
	report.Entries, report.Rules = a.books.Entries(), a.books.Rules()
	for _, p := range problems {
		report.add(Finding{Check: CheckBooks, Key: p.Key, What: p.What, Expected: p.Expected, Found: p.Found})
	}
	return report
}

func (a *Auditor) records() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for key, value := range a.state.All() {
			if !yield(key, value.Data) {
				return
			}
		}
	}
}
