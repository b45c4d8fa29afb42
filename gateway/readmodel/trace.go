package readmodel

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	// traceNodesMax bounds a tree: a gift of millions may have paid thousands.
	// What is left is one node that says so, and can be asked for by itself.
	traceNodesMax = 2000
	// traceHopsMax bounds its depth.
	traceHopsMax = 100
)

// Kinds of entries whose payments have a name of their own.
const (
	refundKind     = "refund"
	chargeBackKind = "charge-back"
	correctKind    = "correct"
)

// TraceGift says what became of a gift.
func (m *Model) TraceGift(ctx context.Context, at GiftAt) (Trace, error) {
	var trace Trace
	err := m.view(ctx, func(s *session) error {
		gift, err := s.giftAt(ctx, at)
		if err != nil {
			return err
		}
		trace, err = s.trace(ctx, gift)
		return err
	})
	return trace, err
}

// TraceGiftID is TraceGift for an id; an id that stands on several pages is refused.
func (m *Model) TraceGiftID(ctx context.Context, id tape.ID) (Trace, error) {
	var trace Trace
	err := m.view(ctx, func(s *session) error {
		gifts, err := s.findGifts(ctx, id)
		if err != nil {
			return err
		}
		if len(gifts) > 1 {
			return rule.Refuse(rule.Conflict, "%d gifts are called %s, on page %s of %s, page %s of %s and so on; name account, page and index",
				len(gifts), id, gifts[0].Page, gifts[0].Account, gifts[1].Page, gifts[1].Account)
		}
		trace, err = s.trace(ctx, gifts[0])
		return err
	})
	return trace, err
}

// TraceSpan says what became of any units of a tape.
func (m *Model) TraceSpan(ctx context.Context, account tape.AccountID, span tape.Span) (Node, error) {
	var node Node
	err := m.view(ctx, func(s *session) error {
		t := s.tracer(ctx)
		holder, err := t.holder(account)
		if err != nil {
			return err
		}
		if err := holder.has(span); err != nil {
			return err
		}
		node = Node{State: Laid, Amount: money.New(span.Length(), holder.currency), Account: account, Attribution: holder.attribution, Span: &span}
		node.Children, err = t.children(account, span, 0)
		return err
	})
	return node, err
}

func (s *session) trace(ctx context.Context, gift Gift) (Trace, error) {
	t := s.tracer(ctx)
	holder, err := t.holder(gift.Account)
	if err != nil {
		return Trace{}, err
	}
	trace := Trace{Gift: gift, Attribution: holder.attribution}
	if trace.Moves, trace.Stands, err = t.moves(gift); err != nil {
		return Trace{}, err
	}
	if last := len(trace.Moves) - 1; last >= 0 {
		trace.Reversal = &trace.Moves[last].Reversal
	}
	if trace.Line, err = t.line(gift); err != nil {
		return Trace{}, err
	}
	trace.Root, err = t.root(gift, holder)
	return trace, err
}

// tracer follows money within one snapshot.
type tracer struct {
	*session
	ctx     context.Context
	nodes   int
	steps   map[ordinal]Step
	holders map[tape.AccountID]holder
}

func (s *session) tracer(ctx context.Context) *tracer {
	return &tracer{session: s, ctx: ctx, nodes: traceNodesMax, steps: map[ordinal]Step{}, holders: map[tape.AccountID]holder{}}
}

// holder is what a trace needs to know of an account.
type holder struct {
	id                   tape.AccountID
	currency             money.Currency
	attribution          tape.Attribution
	received, free, held int64
}

// has refuses a span that is not on the tape.
func (h holder) has(span tape.Span) error {
	if span.Start < 0 || span.End <= span.Start || span.End > h.received {
		return rule.Field("span", rule.Refuse(rule.NotFound, "%s is not on the tape of %s, which has received %s", span, h.id, money.New(h.received, h.currency)))
	}
	return nil
}

func (t *tracer) holder(account tape.AccountID) (holder, error) {
	if h, known := t.holders[account]; known {
		return h, nil
	}
	h := holder{id: account}
	found, err := t.get(t.ctx, "SELECT currency, attribution, received, free, held FROM accounts WHERE id = ?", []any{string(account)},
		&h.currency, &h.attribution, &h.received, &h.free, &h.held)
	if err != nil || !found {
		return h, orMissing(err, "account %s", account)
	}
	t.holders[account] = h
	return h, nil
}

// line is the bank line of a gift, nil where it is not one line.
func (t *tracer) line(gift Gift) (*Line, error) {
	if gift.Line < 0 || gift.Evidence == nil {
		return nil, nil
	}
	key, found := strings.CutPrefix(gift.Evidence.Reference, "lines/")
	if !found {
		return nil, nil
	}
	account, statement, number, err := cutNumber(key)
	if err != nil {
		return nil, err
	}
	n := int32(number)
	p, found, err := t.nextLines(t.ctx, LineFilter{Account: tape.AccountID(account), Statement: tape.ID(statement), N: &n}, cursor{})
	if err != nil || !found {
		return nil, orMissing(err, "evidence %s", gift.Evidence.Reference)
	}
	lines, err := t.lines(t.ctx, p, gift.Line, 1)
	if err != nil || len(lines) == 0 {
		return nil, orMissing(err, "line %d of %s", gift.Line, gift.Evidence.Reference)
	}
	return &lines[0], nil
}

// root is the gift itself, and below it what became of it.
func (t *tracer) root(gift Gift, holder holder) (Node, error) {
	organisation, id, _ := strings.Cut(gift.Entry, "/")
	var at ordinal
	if _, err := t.get(t.ctx, "SELECT ordinal FROM entries WHERE organisation = ? AND id = ?", []any{organisation, id}, &at); err != nil {
		return Node{}, err
	}
	via, err := t.step(at)
	if err != nil {
		return Node{}, err
	}
	node := Node{State: Pending, Amount: gift.Amount, Account: gift.Account, Attribution: holder.attribution, Via: &via}
	if gift.Evidence != nil {
		via.Evidence = []tape.Evidence{*gift.Evidence}
	}
	switch gift.State {
	case GiftUnmatched:
		node.State = Unmatched
	case GiftWithdrawn:
		node.State = Withdrawn
	case GiftSettled:
		node.State, node.Span = Laid, gift.Span
		return node, t.laid(gift, &node)
	}
	return node, nil
}

// laid is what became of a settled gift: of what arrived, and of what a processor kept.
func (t *tracer) laid(gift Gift, node *Node) error {
	for _, span := range []*tape.Span{gift.Span, gift.Kept} {
		if span == nil {
			continue
		}
		settled, err := t.settlementAt(t.ctx, gift.Account, span.Start)
		if err != nil {
			return err
		}
		node.Via.Settlement = &settled.record
		children, err := t.children(gift.Account, *span, 0)
		if err != nil {
			return err
		}
		node.Children = append(node.Children, children...)
	}
	return nil
}

// step is an entry as a step of money.
func (t *tracer) step(of ordinal) (Step, error) {
	at := of.transaction()
	if step, known := t.steps[at]; known {
		return step, nil
	}
	step := Step{Block: at.block()}
	var evidence []byte
	found, err := t.get(t.ctx, "SELECT organisation || '/' || id, kind, at, business_date, evidence FROM entries WHERE ordinal = ?", []any{int64(at)},
		&step.Entry, &step.Kind, &step.At, &step.BusinessDate, &evidence)
	if err != nil || !found {
		return step, orMissing(err, "the entry of block %d", at.block())
	}
	if err := json.Unmarshal(evidence, &step.Evidence); err != nil {
		return step, err
	}
	// Of a batch of payouts each rests on its own line: evidence i is that of posting i.
	if i := int(of-at) - 1; step.Kind == "execute" && i >= 0 && i < len(step.Evidence) {
		step.Evidence = step.Evidence[i : i+1]
		return step, nil
	}
	t.steps[at] = step
	return step, nil
}

// children says what became of units of a tape: pieces that tile the span, in order.
func (t *tracer) children(account tape.AccountID, span tape.Span, hops int) ([]Node, error) {
	holder, err := t.holder(account)
	if err != nil {
		return nil, err
	}
	if holder.attribution == tape.Pooled {
		return []Node{holder.shared(span)}, nil
	}
	if hops == traceHopsMax {
		return []Node{holder.still(More, span)}, nil
	}
	nodes, err := t.tile(holder, span, hops)
	if err != nil {
		return nil, err
	}
	return nodes, t.returns(holder, span, nodes)
}

// tile makes nodes of the pieces of a span, and of the free units between them.
func (t *tracer) tile(holder holder, span tape.Span, hops int) ([]Node, error) {
	pieces, err := t.pieces(t.ctx, holder.id, span, max(t.nodes+1, 0))
	if err != nil {
		return nil, err
	}
	var nodes []Node
	at := span.Start
	for _, p := range pieces {
		if t.nodes--; t.nodes < 0 {
			break
		}
		part := p.part(span)
		if at < part.Start {
			nodes = append(nodes, holder.still(Free, tape.Span{Start: at, End: part.Start}))
		}
		node, err := t.node(holder, part, hops)
		if err != nil {
			return nil, err
		}
		nodes, at = append(nodes, node), part.End
	}
	if at < span.End {
		rest := Free
		if t.nodes < 0 {
			rest = More
		}
		nodes = append(nodes, holder.still(rest, tape.Span{Start: at, End: span.End}))
	}
	return nodes, nil
}

// still is a piece that has not moved from its place.
func (h holder) still(state State, span tape.Span) Node {
	return Node{State: state, Amount: money.New(span.Length(), h.currency), Account: h.id, Attribution: h.attribution, Span: &span, Taken: &span}
}

// shared ends a trail: in a pool no unit can be told from another.
func (h holder) shared(span tape.Span) Node {
	node := h.still(Shared, span)
	node.Pool = &Pool{Received: money.New(h.received, h.currency), Free: money.New(h.free, h.currency), Held: money.New(h.held, h.currency),
		Spent: money.New(h.received-h.free-h.held, h.currency)}
	return node
}

func (t *tracer) node(holder holder, p piece, hops int) (Node, error) {
	if p.posting == 0 {
		return t.kept(holder, p)
	}
	posting, via, err := t.moved(p)
	if err != nil {
		return Node{}, err
	}
	node := Node{State: Paid, Amount: money.New(p.Length(), holder.currency), Account: posting.To, Taken: &p.Span, Via: &via}
	if !posting.To.Outside() {
		return t.arrived(node, p, hops)
	}
	purpose := ""
	if p.hold != 0 {
		if _, err := t.get(t.ctx, "SELECT purpose FROM holds WHERE ordinal = ?", []any{int64(p.hold)}, &purpose); err != nil {
			return node, err
		}
	}
	switch {
	case purpose == refundKind:
		node.State = Refunded
	case via.Kind == chargeBackKind:
		node.State = ChargedBack
	}
	return node, nil
}

// kept is a piece in a hold or a job.
func (t *tracer) kept(holder holder, p piece) (Node, error) {
	node := holder.still(InJob, p.Span)
	by := p.job
	if p.hold != 0 {
		node.State, by = Ordered, p.hold
	}
	via, err := t.step(by)
	if err != nil {
		return node, err
	}
	node.Via = &via
	if p.job != 0 {
		if _, err := t.get(t.ctx, "SELECT id FROM jobs WHERE ordinal = ?", []any{int64(p.job)}, &via.Job); err != nil || p.hold == 0 {
			return node, err
		}
	}
	var body []byte
	var hold tape.Hold
	found, err := t.get(t.ctx, "SELECT body FROM holds WHERE ordinal = ?", []any{int64(p.hold)}, &body)
	if err != nil || !found {
		return node, orMissing(err, "the hold of %s", p.Span)
	}
	if err := json.Unmarshal(body, &hold); err != nil {
		return node, err
	}
	if hold.State == tape.HoldReleased {
		node.State = Released
	}
	via.Hold, via.To, via.Expires = hold.ID, hold.To, &hold.Expires
	return node, nil
}

// moved is the posting that took a piece, and its step.
func (t *tracer) moved(p piece) (tape.Posting, Step, error) {
	var posting tape.Posting
	via, err := t.step(p.posting)
	if err != nil {
		return posting, via, err
	}
	var body []byte
	found, err := t.get(t.ctx, "SELECT body FROM postings WHERE ordinal = ?", []any{int64(p.posting)}, &body)
	if err != nil || !found {
		return posting, via, orMissing(err, "the posting of %s", p.Span)
	}
	if err := json.Unmarshal(body, &posting); err != nil {
		return posting, via, err
	}
	via.To, via.Line, via.OnBehalfOf, via.Origin = posting.To, posting.Line, posting.OnBehalfOf, posting.Origin
	if p.hold != 0 {
		if _, err := t.get(t.ctx, "SELECT id FROM holds WHERE ordinal = ?", []any{int64(p.hold)}, &via.Hold); err != nil {
			return posting, via, err
		}
	}
	if p.job != 0 {
		_, err = t.get(t.ctx, "SELECT id FROM jobs WHERE ordinal = ?", []any{int64(p.job)}, &via.Job)
	}
	return posting, via, err
}

// arrived is a piece at the account that received it, and what became of it there.
func (t *tracer) arrived(node Node, p piece, hops int) (Node, error) {
	receiver, err := t.holder(node.Account)
	if err != nil {
		return node, err
	}
	node.Attribution = receiver.attribution
	var number, start int64
	found, err := t.get(t.ctx, "SELECT settlement, start FROM inflows WHERE ordinal = ?", []any{int64(p.posting)}, &number, &start)
	if err != nil || !found {
		return node, orMissing(err, "the inflow of %s", p.Span)
	}
	if number == 0 {
		node.State = Waiting
		return node, nil
	}
	laid := tape.Span{Start: start + p.off, End: start + p.off + p.Length()}
	settled, err := t.settlementAt(t.ctx, node.Account, laid.Start)
	if err != nil {
		return node, err
	}
	node.State, node.Span, node.Via.Settlement = Laid, &laid, &settled.record
	node.Children, err = t.children(node.Account, laid, hops+1)
	return node, err
}

// returns notes earlier ways of a span on the nodes that the units have now.
func (t *tracer) returns(holder holder, span tape.Span, nodes []Node) error {
	type way struct {
		tape.Span
		out, back, hold ordinal
	}
	var ways []way
	err := t.each(t.ctx, "SELECT start, stop, out, back, hold FROM returned WHERE account = ? AND start < ? AND stop > ? ORDER BY back, start",
		[]any{string(holder.id), span.End, span.Start}, func(scan func(...any) error) error {
			var w way
			if err := scan(&w.Start, &w.End, &w.out, &w.back, &w.hold); err != nil {
				return err
			}
			ways = append(ways, w)
			return nil
		})
	if err != nil {
		return err
	}
	for _, w := range ways {
		posting, out, err := t.moved(piece{Span: w.Span, posting: w.out, hold: w.hold})
		if err != nil {
			return err
		}
		_, back, err := t.moved(piece{Span: w.Span, posting: w.back})
		if err != nil {
			return err
		}
		for i := range nodes {
			for _, part := range (tape.Spans{w.Span}).Within(*nodes[i].Taken) {
				nodes[i].Returned = append(nodes[i].Returned, Return{Amount: money.New(part.Length(), holder.currency), Span: part, To: posting.To, Out: out, Back: back})
			}
		}
	}
	return nil
}
