package readmodel

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// writer applies blocks within one SQLite transaction.
type writer struct {
	// ctx is asked between statements; each is short. The driver would start a
	// goroutine a statement to watch it.
	ctx, statement context.Context
	*session
	// base is the ordinal of the transaction at hand, argument its function's argument.
	base     ordinal
	function string
	argument []byte
	// pages are the gifts of the pages that the argument holds, once asked for.
	pages []giftsOf
	// entry is the transaction's entry, once it has been read.
	entry *tape.Entry
	// flows are what the transaction added to the accounts' flows.
	flows []flow
	// home is what of a remainder the ledger gives back to budget lines.
	home []fund.Ordered
	// pending is a piece of the tape that is still to be written, nil without one.
	pending *pendingPiece
	// named is the job whose id was asked for last.
	named namedJob
}

type namedJob struct {
	job  ordinal
	name string
}

// Apply adds whole blocks, all of them or none. Blocks that were applied
// before are passed over, so a follower may begin again a little early.
func (m *Model) Apply(ctx context.Context, blocks ...Block) error {
	m.apply.Lock()
	defer m.apply.Unlock()
	w := &writer{ctx: ctx, statement: context.WithoutCancel(ctx), session: m.writer}
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	next, err := w.blocks(blocks)
	if err == nil {
		err = w.exec("COMMIT")
	}
	if err != nil {
		_, back := w.session.exec(w.statement, "ROLLBACK")
		return errors.Join(err, back)
	}
	m.arrived(next)
	return nil
}

func (w *writer) exec(query string, arguments ...any) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	_, err := w.session.exec(w.statement, query, arguments...)
	return err
}

// change changes exactly one row: a record that refers to what was never written is an error.
func (w *writer) change(query string, arguments ...any) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	changed, err := w.session.exec(w.statement, query, arguments...)
	if err == nil && changed != 1 {
		err = rule.Refuse(rule.Conflict, "it refers to %d records, not to one", changed)
	}
	return err
}

func (w *writer) get(query string, arguments []any, into ...any) (bool, error) {
	if err := w.ctx.Err(); err != nil {
		return false, err
	}
	return w.session.get(w.statement, query, arguments, into...)
}

func (w *writer) each(query string, arguments []any, each func(scan func(...any) error) error) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	return w.session.each(w.statement, query, arguments, each)
}

func (w *writer) blocks(blocks []Block) (next uint64, err error) {
	position, err := w.position(w.statement)
	if err != nil {
		return 0, err
	}
	for _, block := range blocks {
		if block.Number < position.Next {
			err = w.sameAsBefore(block)
		} else {
			position, err = w.block(position, block)
		}
		if err != nil {
			return 0, err
		}
	}
	return position.Next, nil
}

func (w *writer) sameAsBefore(block Block) error {
	var hash []byte
	found, err := w.get("SELECT hash FROM blocks WHERE number = ?", []any{int64(block.Number)}, &hash)
	if err != nil {
		return err
	}
	if !found || !bytes.Equal(hash, block.Hash) {
		return rule.Refuse(rule.Conflict, "block %d was %x when it was read, and is %x now", block.Number, hash, block.Hash)
	}
	return nil
}

// block applies the next block, which must follow the last one by number and hash.
func (w *writer) block(position Position, block Block) (Position, error) {
	if block.Number != position.Next {
		return position, rule.Refuse(rule.Conflict, "block %d is wanted, block %d came", position.Next, block.Number)
	}
	if previous := hex.EncodeToString(block.PreviousHash); position.Next > 0 && previous != position.Hash {
		return position, rule.Refuse(rule.Conflict, "block %d follows a block %s; block %d was %s", block.Number, previous, position.Next-1, position.Hash)
	}
	valid := 0
	for i := range block.Transactions {
		if block.Transactions[i].Valid {
			valid++
		}
		if err := w.transaction(block.Number, &block.Transactions[i]); err != nil {
			return position, fmt.Errorf("block %d, transaction %d (%s, %s): %w", block.Number, block.Transactions[i].Index, block.Transactions[i].ID, block.Transactions[i].Function, err)
		}
	}
	var at tape.Instant
	if len(block.Transactions) > 0 {
		at = block.Transactions[0].At
	}
	if err := w.exec("INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?)", int64(block.Number), filled(block.Hash), filled(block.PreviousHash), int64(at), len(block.Transactions), valid); err != nil {
		return position, err
	}
	err := w.exec("INSERT INTO position VALUES (1, ?, ?) ON CONFLICT (one) DO UPDATE SET block = excluded.block, hash = excluded.hash", int64(block.Number), filled(block.Hash))
	return Position{Next: block.Number + 1, Hash: hex.EncodeToString(block.Hash)}, err
}

// filled is the bytes, never NULL.
func filled(data []byte) []byte { return append([]byte{}, data...) }

func (w *writer) transaction(block uint64, t *Transaction) error {
	var err error
	if w.base, err = ordinalOf(block, t.Index, 0); err != nil {
		return err
	}
	endorsers, err := json.Marshal(append([]string{}, t.Endorsers...))
	if err != nil {
		return err
	}
	err = w.exec("INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		int64(w.base), t.ID, t.Valid, t.Code, t.Function, t.Creator, string(endorsers), int64(t.At), len(t.Argument))
	if err != nil || !t.Valid {
		return err
	}
	w.function, w.argument, w.pages, w.entry, w.flows, w.home = t.Function, t.Argument, nil, nil, w.flows[:0], []fund.Ordered{}
	w.pending, w.named = nil, namedJob{} // of a transaction that was set aside nothing is kept
	return w.whole(t)
}

// item numbers the n-th item of the transaction, from 0.
func (w *writer) item(n int) (ordinal, error) {
	return ordinalOf(w.base.block(), int(w.base>>itemBits)&(1<<indexBits-1), n+1)
}

// page numbers the n-th page of the transaction, from 0.
func (w *writer) page(n int) (ordinal, error) {
	return ordinalOf(w.base.block(), int(w.base>>itemBits)&(1<<indexBits-1), (n+1)*pageStep)
}
