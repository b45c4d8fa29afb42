package readmodel

import (
	"encoding/json"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// moves follows a gift as a whole from account to account, and says where it stands.
func (t *tracer) moves(gift Gift) ([]Move, Stands, error) {
	var moves []Move
	at := Stands{Account: gift.Account, Span: gift.Span, Free: money.New(0, gift.Amount.Currency)}
	source, index := string(gift.Page), gift.Index
	for range traceHopsMax {
		move, found, err := t.move(at.Account, source, index)
		if err != nil {
			return nil, at, err
		}
		if !found {
			break
		}
		moves = append(moves, move)
		if move.Inflow == "" { // refunded, charged back or returned: it stands nowhere any more
			if gone, err := t.gone(at.Account, move.Reversal); err != nil || gone {
				at.Span = nil
				return moves, at, err
			}
			break // a refund that came back
		}
		at = Stands{Account: move.To, Moved: &tape.Moved{Account: gift.Account, Inflow: move.Inflow}, Free: at.Free}
		source, index = move.Inflow, 0
		var number, start, units int64
		if _, err := t.get(t.ctx, "SELECT settlement, start, units FROM inflows WHERE account = ? AND source = ?", []any{string(at.Account), source}, &number, &start, &units); err != nil {
			return nil, at, err
		}
		if number > 0 {
			at.Span = &tape.Span{Start: start, End: start + units}
		}
	}
	err := t.freeOf(&at)
	return moves, at, err
}

func (t *tracer) move(account tape.AccountID, source string, index int) (Move, bool, error) {
	move := Move{Account: account}
	var body []byte
	found, err := t.get(t.ctx, `SELECT reversals.body, entries.at FROM reversals JOIN entries ON entries.ordinal = reversals.ordinal
		WHERE account = ? AND page = ? AND gift = ?`, []any{string(account), source, index}, &body, &move.At)
	if err != nil || !found {
		return move, false, err
	}
	return move, true, json.Unmarshal(body, &move.Reversal)
}

// gone reports whether a gift that was taken back is still away: a refund may
// have been given up, or have come back from the bank.
func (t *tracer) gone(account tape.AccountID, reversal tape.Reversal) (bool, error) {
	if reversal.Hold == "" {
		return true, nil
	}
	var body []byte
	if _, err := t.get(t.ctx, "SELECT body FROM holds WHERE account = ? AND id = ?", []any{string(account), string(reversal.Hold)}, &body); err != nil {
		return true, err
	}
	var hold tape.Hold
	if err := json.Unmarshal(body, &hold); err != nil {
		return true, err
	}
	return !hold.CameBack(), nil
}

// freeOf counts what nothing has taken of a gift where it stands.
func (t *tracer) freeOf(at *Stands) error {
	if at.Span == nil {
		return nil
	}
	pieces, err := t.pieces(t.ctx, at.Account, *at.Span, -1)
	if err != nil {
		return err
	}
	at.Free.Units = at.Span.Length()
	for _, p := range pieces {
		at.Free.Units -= p.part(*at.Span).Length()
	}
	return nil
}
