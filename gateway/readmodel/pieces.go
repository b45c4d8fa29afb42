package readmodel

import (
	"context"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// piece is one row of "taken": units of a tape that are not free. A piece with
// a posting has moved; one without is kept by its hold, or by its job.
type piece struct {
	tape.Span
	hold, job, posting ordinal
	// off is how many units of the posting stand before the piece.
	off int64
}

// part is the piece cut to a window.
func (p piece) part(window tape.Span) piece {
	start, end := max(p.Start, window.Start), min(p.End, window.End)
	p.off += start - p.Start
	p.Span = tape.Span{Start: start, End: end}
	return p
}

// around is what of the piece stands before and behind a window.
func (p piece) around(window tape.Span) []piece {
	var rest []piece
	if p.Start < window.Start {
		rest = append(rest, p.part(tape.Span{Start: p.Start, End: window.Start}))
	}
	if window.End < p.End {
		rest = append(rest, p.part(tape.Span{Start: window.End, End: p.End}))
	}
	return rest
}

// within finds the pieces that touch a window, in order. Pieces do not
// overlap, so the first is the last that begins at or before the window.
const within = `SELECT start, stop, hold, job, posting, off FROM taken WHERE account = ?1 AND start < ?3 AND stop > ?2
	AND start >= coalesce((SELECT start FROM taken WHERE account = ?1 AND start <= ?2 ORDER BY start DESC LIMIT 1), ?2)
	ORDER BY start`

// pieces returns at most limit of them, all when it is negative.
func (s *session) pieces(ctx context.Context, account tape.AccountID, window tape.Span, limit int) ([]piece, error) {
	var found []piece
	err := s.each(ctx, within, []any{string(account), window.Start, window.End}, func(scan func(...any) error) error {
		if len(found) == limit {
			return errEnough
		}
		var p piece
		if err := scan(&p.Start, &p.End, &p.hold, &p.job, &p.posting, &p.off); err != nil {
			return err
		}
		found = append(found, p)
		return nil
	})
	return found, err
}

// pendingPiece is what was left behind the last cut: a piece of the tape that is
// in no row yet. Payments cut a long piece from the front, one after the other,
// and each would otherwise write the rest only for the next to remove it.
type pendingPiece struct {
	account tape.AccountID
	piece   piece
}

func (r *pendingPiece) holds(account tape.AccountID, window tape.Span) bool {
	return r != nil && r.account == account && r.piece.Start <= window.Start && window.End <= r.piece.End
}

// leave keeps a piece back until another is cut, or the transaction ends.
func (w *writer) leave(account tape.AccountID, p piece) error {
	err := w.writePending()
	w.pending = &pendingPiece{account, p}
	return err
}

// writePending writes the row of the piece that was kept back.
func (w *writer) writePending() error {
	r := w.pending
	if r == nil {
		return nil
	}
	w.pending = nil
	return w.insert(r.account, r.piece)
}

func (w *writer) touching(account tape.AccountID, window tape.Span) ([]piece, error) {
	if err := w.ctx.Err(); err != nil {
		return nil, err
	}
	if w.pending.holds(account, window) { // pieces do not overlap, so there is no other
		return []piece{w.pending.piece}, nil
	}
	if err := w.writePending(); err != nil {
		return nil, err
	}
	return w.pieces(w.statement, account, window, -1)
}

func (w *writer) insert(account tape.AccountID, p piece) error {
	return w.exec("INSERT INTO taken VALUES (?, ?, ?, ?, ?, ?, ?)", string(account), p.Start, p.End, int64(p.hold), int64(p.job), int64(p.posting), p.off)
}

// carve takes a window out of a piece.
func (w *writer) carve(account tape.AccountID, p piece, window tape.Span) error {
	if w.pending.holds(account, p.Span) {
		w.pending = nil
	} else if err := w.exec("DELETE FROM taken WHERE account = ? AND start = ?", string(account), p.Start); err != nil {
		return err
	}
	for _, rest := range p.around(window) {
		keep := w.insert
		if rest.Start == window.End {
			keep = w.leave
		}
		if err := keep(account, rest); err != nil {
			return err
		}
	}
	return nil
}

// put takes spans of a tape in the order of the money: for a hold or a job, or
// with a posting. Units that a hold or a job keeps may move on, and remember
// it; units that have moved cannot move again, which would be a double count.
// It returns the job that had kept the first of them, 0 without one.
func (w *writer) put(account tape.AccountID, spans tape.Spans, as piece) (job ordinal, err error) {
	var kept int64
	for i, span := range spans {
		before, of, err := w.putSpan(account, span, as)
		if err != nil {
			return 0, err
		}
		if i == 0 {
			job = of
		}
		kept -= before
		as.off += span.Length()
		if as.posting == 0 {
			kept += span.Length()
		}
	}
	return job, w.held(account, kept)
}

// putSpan puts one span and returns how many of its units a hold or a job had
// kept, and which job the first of them.
func (w *writer) putSpan(account tape.AccountID, span tape.Span, as piece) (kept int64, job ordinal, err error) {
	before, err := w.touching(account, span)
	if err != nil {
		return 0, 0, err
	}
	if len(before) > 0 && before[0].Start <= span.Start {
		job = before[0].job
	}
	rest := tape.Spans{span}
	for _, old := range before {
		shared := old.part(span).Span
		if old.posting != 0 {
			return 0, 0, rule.Refuse(rule.Conflict, "units %s of %s have left it already", shared, account)
		}
		if err := w.carve(account, old, span); err != nil {
			return 0, 0, err
		}
		kept += shared.Length()
		if rest, err = rest.Remove(shared); err != nil {
			return 0, 0, err
		}
		if err := w.insert(account, as.over(old, span, shared)); err != nil {
			return 0, 0, err
		}
	}
	for _, free := range rest {
		if err := w.insert(account, as.over(piece{}, span, free)); err != nil {
			return 0, 0, err
		}
	}
	return kept, job, nil
}

// over is the piece at a part of a span, which the hold or job of old kept before.
func (p piece) over(old piece, span, part tape.Span) piece {
	p.Span, p.off = part, p.off+part.Start-span.Start
	if p.hold == 0 {
		p.hold = old.hold
	}
	if p.job == 0 {
		p.job = old.job
	}
	return p
}

func (w *writer) held(account tape.AccountID, units int64) error {
	if units == 0 {
		return nil
	}
	return w.change("UPDATE accounts SET held = held + ? WHERE id = ?", units, string(account))
}

// drop frees what spans still keep of what belongs to one hold or job.
func (w *writer) drop(account tape.AccountID, spans tape.Spans, belongs func(piece) bool) error {
	var freed int64
	for _, span := range spans {
		pieces, err := w.touching(account, span)
		if err != nil {
			return err
		}
		for _, p := range pieces {
			if p.posting != 0 || !belongs(p) {
				continue
			}
			if err := w.carve(account, p, span); err != nil {
				return err
			}
			freed += p.part(span).Length()
		}
	}
	return w.held(account, -freed)
}

// reopen notes that a posting laid money where it had been before: a returned
// payout. Where nothing was taken the posting laid new money, and there is nothing to note.
func (w *writer) reopen(account tape.AccountID, spans tape.Spans, back ordinal) error {
	for _, span := range spans {
		pieces, err := w.touching(account, span)
		if err != nil {
			return err
		}
		for _, p := range pieces {
			part := p.part(span)
			if p.posting == 0 {
				return rule.Refuse(rule.Conflict, "units %s of %s came back and had not left it", part.Span, account)
			}
			if err := w.carve(account, p, span); err != nil {
				return err
			}
			if err := w.exec("INSERT INTO returned VALUES (?, ?, ?, ?, ?, ?)", string(account), part.Start, part.End, int64(p.posting), int64(back), int64(p.hold)); err != nil {
				return err
			}
		}
	}
	return nil
}
