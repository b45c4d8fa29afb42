package readmodel

import (
	"context"
	"encoding/json"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// settlementRow is a row of "settlements".
type settlementRow struct {
	tape.Span
	source ordinal
	inflow bool
	record tape.Settlement
}

// settlementAt is the settlement that laid a unit of a tape.
func (s *session) settlementAt(ctx context.Context, account tape.AccountID, unit int64) (settlementRow, error) {
	var row settlementRow
	var units int64
	var body []byte
	found, err := s.get(ctx, "SELECT start, units, source, inflow, body FROM settlements WHERE account = ? AND start <= ? ORDER BY start DESC LIMIT 1",
		[]any{string(account), unit}, &row.Start, &units, &row.source, &row.inflow, &body)
	row.End = row.Start + units
	if err != nil || !found || unit >= row.End {
		return row, orMissing(err, "the settlement of unit %d of %s", unit, account)
	}
	return row, json.Unmarshal(body, &row.record)
}

// TraceBack says what units of a tape are made of, back to the gifts over any
// number of accounts. The parts stand in the order of the units.
func (m *Model) TraceBack(ctx context.Context, account tape.AccountID, span tape.Span, window Window) (Back, error) {
	back := Back{Account: account, Span: span, Origins: []Origin{}}
	limit, err := window.limit()
	if err != nil {
		return back, err
	}
	c, _, err := parseCursor(window.After, "back", false)
	if err != nil {
		return back, err
	}
	err = m.view(ctx, func(s *session) error {
		b := backer{tracer: s.tracer(ctx), limit: limit, done: max(c.At, 0)}
		holder, err := b.holder(account)
		if err != nil {
			return err
		}
		if err := holder.has(span); err != nil {
			return err
		}
		if b.done >= span.Length() {
			return nil
		}
		if err := b.walk(account, tape.Span{Start: span.Start + b.done, End: span.End}, nil); err != nil {
			return err
		}
		back.Origins = append(back.Origins, b.origins...)
		if c.At = b.done; c.At < span.Length() {
			back.Next = c.String()
		}
		return nil
	})
	return back, err
}

// backer collects origins until there are enough.
type backer struct {
	*tracer
	limit int
	// done is how many units of the asked span have their origin.
	done    int64
	origins []Origin
}

func (b *backer) full() bool { return len(b.origins) >= b.limit }

func (b *backer) add(o Origin, units int64, currency money.Currency, path []Hop) {
	o.Offset, o.Amount, o.Path = b.done, money.New(units, currency), append([]Hop(nil), path...)
	b.origins = append(b.origins, o)
	b.done += units
}

// walk finds the origins of a span of one tape, in order.
func (b *backer) walk(account tape.AccountID, span tape.Span, path []Hop) error {
	holder, err := b.holder(account)
	if err != nil {
		return err
	}
	if holder.attribution == tape.Pooled {
		b.add(Origin{Kind: FromPool, Account: account, Span: span}, span.Length(), holder.currency, path)
		return nil
	}
	for at := span.Start; at < span.End && !b.full(); {
		row, err := b.settlementAt(b.ctx, account, at)
		if err != nil {
			return err
		}
		part := tape.Span{Start: at, End: min(row.End, span.End)}
		if row.inflow {
			err = b.inflow(holder, row, part, path)
		} else {
			err = b.page(holder, row, part, path)
		}
		if err != nil {
			return err
		}
		at = part.End
	}
	return nil
}

func (b *backer) inflow(holder holder, row settlementRow, part tape.Span, path []Hop) error {
	var from tape.AccountID
	var taken, body []byte
	found, err := b.get(b.ctx, "SELECT origin, taken, body FROM inflows WHERE ordinal = ?", []any{int64(row.source)}, &from, &taken, &body)
	if err != nil || !found {
		return orMissing(err, "inflow %s of %s", row.record.Source, holder.id)
	}
	if from.Outside() {
		var record tape.Inflow
		if err := json.Unmarshal(body, &record); err != nil {
			return err
		}
		b.add(Origin{Kind: FromOutside, Account: from, Span: part, Entry: record.Origin}, part.Length(), holder.currency, path)
		return nil
	}
	var spans tape.Spans
	if err := json.Unmarshal(taken, &spans); err != nil {
		return err
	}
	if spans, err = spans.Slice(part.Start-row.Start, part.End-row.Start); err != nil {
		return err
	}
	at := part.Start
	for _, span := range spans {
		if b.full() {
			return nil
		}
		hop := Hop{Account: holder.id, Span: tape.Span{Start: at, End: at + span.Length()}, Inflow: row.record.Source}
		if err := b.walk(from, span, append(path, hop)); err != nil {
			return err
		}
		at += span.Length()
	}
	return nil
}

// page finds the gifts that lie under a part of a settled page.
func (b *backer) page(holder holder, row settlementRow, part tape.Span, path []Hop) error {
	p, found, err := b.session.page(b.ctx, "ordinal = ?", int64(row.source))
	if err != nil || !found {
		return orMissing(err, "page %s of %s", row.record.Source, holder.id)
	}
	if p.fee > 0 {
		return b.pageLessFee(holder, p, row, part, path)
	}
	var at int64
	_, err = b.get(b.ctx, "SELECT ordinal FROM gifts WHERE ordinal > ? AND ordinal < ? AND start <= ? ORDER BY ordinal DESC LIMIT 1",
		[]any{int64(p.at), int64(p.at) + pageStep, part.Start - row.Start}, &at)
	if err != nil {
		return err
	}
	return b.under(holder, p, int(at-int64(p.at)-1)*rowItems, part, path, func(g Gift) *tape.Span { return g.Span })
}

// pageLessFee is page for one of which a processor kept a part: the gifts' shares
// of that lie behind what arrived, in the same order.
func (b *backer) pageLessFee(holder holder, p page, row settlementRow, part tape.Span, path []Hop) error {
	behind := row.End - p.fee
	if arrived := (tape.Span{Start: part.Start, End: min(part.End, behind)}); arrived.Start < arrived.End {
		if err := b.under(holder, p, 0, arrived, path, func(g Gift) *tape.Span { return g.Span }); err != nil {
			return err
		}
	}
	if kept := (tape.Span{Start: max(part.Start, behind), End: part.End}); kept.Start < kept.End {
		return b.under(holder, p, 0, kept, path, func(g Gift) *tape.Span { return g.Kept })
	}
	return nil
}

// under adds the gifts of a page, from one on, whose units lie in a part.
func (b *backer) under(holder holder, p page, first int, part tape.Span, path []Hop, units func(Gift) *tape.Span) error {
	for ; first < p.count; first += rowItems {
		gifts, err := b.gifts(b.ctx, p, first, rowItems)
		if err != nil {
			return err
		}
		for i := range gifts {
			own := units(gifts[i])
			if own == nil {
				continue
			}
			if own.Start >= part.End || b.full() {
				return nil
			}
			for _, shared := range (tape.Spans{*own}).Within(part) {
				b.add(Origin{Kind: FromGift, Account: holder.id, Span: shared, Gift: &gifts[i]}, shared.Length(), holder.currency, path)
			}
		}
	}
	return nil
}
