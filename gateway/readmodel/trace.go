package readmodel

import (
	"context"

	"github.com/lianbao/lianbao/chaincode/tape"
)

// TraceGift says what became of a gift.
func (m *Model) TraceGift(ctx context.Context, at GiftAt) (Trace, error) { return Trace{}, nil }

// TraceGiftID is TraceGift for an id; ids that stand on several pages are refused.
func (m *Model) TraceGiftID(ctx context.Context, id tape.ID) (Trace, error) { return Trace{}, nil }

// TraceSpan says what became of any units of a tape.
func (m *Model) TraceSpan(ctx context.Context, account tape.AccountID, span tape.Span) (Node, error) {
	return Node{}, nil
}

// TraceBack says what units of a tape are made of, back to the gifts.
func (m *Model) TraceBack(ctx context.Context, account tape.AccountID, span tape.Span, window Window) (Back, error) {
	return Back{}, nil
}

// Conservation adds everything up.
func (m *Model) Conservation(ctx context.Context) (Conservation, error) { return Conservation{}, nil }

// Digest is a hash over every table.
func (m *Model) Digest(ctx context.Context) (Digest, error) { return Digest{}, nil }
