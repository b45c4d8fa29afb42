package tape

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// Head says which units of an account's tape can be spent. Of the tape
// [0, Received), everything before Spent has been spent but the Reopened
// spans, and everything from Spent on is free but the Holes.
type Head struct {
	V       int32     `json:"v"`
	Account AccountID `json:"account"`
	// Received is the end of the tape, Spent the frontier of spending, in minor units.
	Received int64 `json:"received,string"`
	Spent    int64 `json:"spent,string"`
	// Reopened came back before the frontier, Holes were taken out ahead of
	// it; each sorted and merged, together at most HeadSpansMax.
	Reopened Spans `json:"reopened,omitempty"`
	Holes    Spans `json:"holes,omitempty"`
	// Declared of what was received rests on the sponsor's word alone: it was only
	// declared, or is no gift and comes from another account that the sponsor
	// spends by its word. Withdrawn of the rest went back to givers or their banks, or stayed with a processor.
	Declared  int64 `json:"declared,omitempty,string"`
	Withdrawn int64 `json:"withdrawn,omitempty,string"`
	// Settlements is their number, Chain the SHA-256 of the last, in hexadecimal.
	Settlements int32  `json:"settlements"`
	Chain       string `json:"chain"`
}

// Given is what of the tape came from givers by evidence and was not taken back,
// wherever it is now.
func (h Head) Given() int64 { return h.Received - h.Declared - h.Withdrawn }

// withdraw counts what goes back of a gift with this kind of evidence, or (less
// than zero) comes again. What was only declared never counted as given, and
// what is no gift has no kind.
func (h Head) withdraw(units int64, evidence string) Head {
	if evidence != "" && evidence != SelfDeclared {
		h.Withdrawn += units
	}
	return h
}

// HeadSpansMax bounds a head, and with it the time of every spend.
const HeadSpansMax = 512

// Free lists what can be spent, in the order of spending: re-opened spans
// first, lowest start first, then from the frontier on, skipping holes.
func (h Head) Free() Spans {
	free := append(Spans(nil), h.Reopened...)
	start := h.Spent
	for _, hole := range h.Holes {
		if start < hole.Start {
			free = append(free, Span{start, hole.Start})
		}
		start = hole.End
	}
	if start < h.Received {
		free = append(free, Span{start, h.Received})
	}
	return free
}

// Check refuses a head whose tape is not tiled by free, taken and hole spans.
func (h Head) Check() error {
	if h.Spent < 0 || h.Spent > h.Received || h.Received > money.Max {
		return rule.Refuse(rule.Conflict, "head of %s has spent %d of %d", h.Account, h.Spent, h.Received)
	}
	if err := h.Reopened.sorted(); err != nil {
		return err
	}
	if err := h.Holes.sorted(); err != nil {
		return err
	}
	if n := len(h.Reopened); n > 0 && h.Reopened[n-1].End > h.Spent {
		return rule.Refuse(rule.Conflict, "head of %s has re-opened %s beyond its frontier %d", h.Account, h.Reopened[n-1], h.Spent)
	}
	if n := len(h.Holes); n > 0 && (h.Holes[0].Start <= h.Spent || h.Holes[n-1].End > h.Received) {
		return rule.Refuse(rule.Conflict, "head of %s has holes outside %d..%d", h.Account, h.Spent, h.Received)
	}
	if len(h.Reopened)+len(h.Holes) > HeadSpansMax {
		return rule.Refuse(rule.WrongState, "%s has %d separate spans, %d at most; spend from it first", h.Account, len(h.Reopened)+len(h.Holes), HeadSpansMax)
	}
	return nil
}

// lay gives the next amount units of the tape to what arrives.
func (h Head) lay(amount int64) (Head, Span, error) {
	end, err := money.Sum(h.Received, amount)
	if err != nil {
		return h, Span{}, err
	}
	span := Span{h.Received, end}
	h.Received = end
	return h, span, nil
}

// take spends amount units in the order of Free.
func (h Head) take(amount int64, currency money.Currency) (Head, Spans, error) {
	free := h.Free()
	taken, _, err := free.Cut(amount)
	if err != nil {
		return h, nil, rule.Refuse(rule.Insufficient, "%s can spend %s; %s was asked", h.Account, money.New(free.Total(), currency), money.New(amount, currency))
	}
	for _, span := range taken {
		if span.Start < h.Spent {
			if h.Reopened, err = h.Reopened.Remove(span); err != nil {
				return h, nil, err
			}
			continue
		}
		h.Spent = span.End
		for len(h.Holes) > 0 && h.Holes[0].Start < h.Spent {
			h.Holes = h.Holes[1:]
		}
	}
	return h.passHoles(), taken, nil
}

// passHoles moves the frontier over holes that begin at it.
func (h Head) passHoles() Head {
	for len(h.Holes) > 0 && h.Holes[0].Start == h.Spent {
		h.Spent, h.Holes = h.Holes[0].End, h.Holes[1:]
	}
	return h
}

// takeSpan takes exactly these units, which must all be free: a hole.
func (h Head) takeSpan(span Span) (Head, error) {
	var err error
	if back := (Span{span.Start, min(span.End, h.Spent)}); back.Start < back.End {
		if h.Reopened, err = h.Reopened.Remove(back); err != nil {
			return h, err
		}
	}
	if ahead := (Span{max(span.Start, h.Spent), span.End}); ahead.Start < ahead.End {
		if ahead.End > h.Received {
			return h, rule.Refuse(rule.Insufficient, "span %s is not on the tape of %s", span, h.Account)
		}
		if h.Holes, err = h.Holes.Add(ahead); err != nil {
			return h, rule.Refuse(rule.Insufficient, "span %s of %s is not free", span, h.Account)
		}
	}
	return h.passHoles(), nil
}

// reopen makes units free again that were taken from this tape.
func (h Head) reopen(spans Spans) (Head, error) {
	var err error
	for _, span := range spans {
		if back := (Span{span.Start, min(span.End, h.Spent)}); back.Start < back.End {
			if h.Reopened, err = h.Reopened.Add(back); err != nil {
				return h, err
			}
		}
		if ahead := (Span{max(span.Start, h.Spent), span.End}); ahead.Start < ahead.End {
			if h.Holes, err = h.Holes.Remove(ahead); err != nil {
				return h, rule.Refuse(rule.Conflict, "span %s of %s was not taken", span, h.Account)
			}
		}
	}
	return h, nil
}

// settle chains one settlement to the last and lays its money.
func (h Head) settle(amount, fee int64, source string, evidence Evidence, entry Entry) (Head, Settlement, error) {
	h, span, err := h.lay(amount)
	if err != nil {
		return h, Settlement{}, err
	}
	h.Settlements++
	settlement := Settlement{V: 1, Account: h.Account, N: h.Settlements, Previous: h.Chain, Source: source,
		Span: span, Fee: fee, Evidence: evidence, Entry: entry.Reference()}
	encoded, err := canonical.Encode(settlement)
	if err != nil {
		return h, Settlement{}, err
	}
	digest := sha256.Sum256(encoded)
	h.Chain = hex.EncodeToString(digest[:])
	return h, settlement, nil
}
