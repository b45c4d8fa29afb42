package tape

import (
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// HoldDaysMax is how far ahead a hold may expire.
const HoldDaysMax = 366

// OrderHolds sets money apart for payees: payouts that were ordered. The
// holds are then captured, released or expire each by itself, side by side.
type OrderHolds struct {
	Account AccountID   `json:"account"`
	Expires Instant     `json:"expires"`
	Holds   []HoldOrder `json:"holds"`
	ID      ID          `json:"id"`
}

// HoldOrder is one line of the batch.
type HoldOrder struct {
	Amount money.Amount `json:"amount"`
	Hold   ID           `json:"hold"`
	To     AccountID    `json:"to"`
}

// Total is the sum of the batch; it refuses a malformed one.
func (c OrderHolds) Total(currency money.Currency) (money.Amount, error) {
	if err := c.ID.Check(); err != nil {
		return money.Amount{}, rule.Field("id", err)
	}
	payments := make([]Payment, len(c.Holds))
	for i, order := range c.Holds {
		payments[i] = Payment{Amount: order.Amount, Line: order.Hold, To: order.To}
		if err := holdName(order.Hold); err != nil {
			return money.Amount{}, rule.Item("holds", i, rule.Field("hold", err))
		}
	}
	return totalOf("holds", PaymentsMax, payments, c.Account, currency)
}

func expiry(expires, at Instant) error {
	if expires <= at || expires > at+HoldDaysMax*Day {
		return rule.Field("expires", rule.Refuse(rule.Invalid, "%s is not within %d days after %s", expires, HoldDaysMax, at))
	}
	return nil
}

// Hold judges the command; payees stand in the order of the holds, nil where none is open.
func (h Head) Hold(account Account, c OrderHolds, payees []*Account, ctx Context) (Head, []Hold, Entry, error) {
	refuse := func(err error) (Head, []Hold, Entry, error) { return h, nil, Entry{}, err }
	total, err := c.Total(account.Currency)
	if err != nil {
		return refuse(err)
	}
	if err := account.spender(ctx); err != nil {
		return refuse(err)
	}
	if err := expiry(c.Expires, ctx.At); err != nil {
		return refuse(err)
	}
	for i, order := range c.Holds {
		if order.To.Outside() {
			continue
		}
		if err := receives(order.To, payees[i], account.Currency); err != nil {
			return refuse(rule.Item("holds", i, err))
		}
	}
	h, taken, err := h.take(total.Units, account.Currency)
	if err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "hold", string(account.ID))
	holds := make([]Hold, len(c.Holds))
	for i, order := range c.Holds {
		holds[i] = Hold{V: 1, Account: account.ID, ID: order.Hold, To: order.To, Amount: order.Amount,
			Expires: c.Expires, State: HoldOpen, Entry: entry.Reference()}
		if holds[i].Spans, taken, err = taken.Cut(order.Amount.Units); err != nil {
			return refuse(err)
		}
	}
	return h, holds, entry, h.Check()
}

// Capture pays out of a hold: to an account of the ledger by the sponsor, to
// the outside by the custodian, who shows the debit line of its statement.
type Capture struct {
	Account AccountID    `json:"account"`
	Amount  money.Amount `json:"amount"`
	Hold    ID           `json:"hold"`
	ID      ID           `json:"id"`
	Line    *LineProof   `json:"line,omitempty"`
}

// Captured is what a capture comes to: the hold, and for an account of the
// ledger the inflow that waits there.
type Captured struct {
	Hold   Hold
	Inflow *Inflow
}

// Capture judges the command; lines is the page of the debit line, used
// whether that line executed a payout before.
func (h Hold) Capture(account Account, c Capture, lines *Lines, used bool, ctx Context) (Captured, Entry, error) {
	refuse := func(err error) (Captured, Entry, error) { return Captured{}, Entry{}, err }
	if err := c.ID.Check(); err != nil {
		return refuse(rule.Field("id", err))
	}
	if err := c.Amount.Positive(account.Currency); err != nil {
		return refuse(rule.Field("amount", err))
	}
	if err := h.payable(c.day()); err != nil {
		return refuse(err)
	}
	if left := h.Spans.Total(); c.Amount.Units > left {
		return refuse(rule.Field("amount", rule.Refuse(rule.Insufficient, "hold %s has %s left; %s was asked", h.ID, money.New(left, account.Currency), c.Amount)))
	}
	entry := ctx.Entry(c.ID, "capture", string(account.ID))
	entry, err := h.payer(account, c, lines, used, entry, ctx)
	if err != nil {
		return refuse(err)
	}
	day := c.day()
	if day == "" { // an account of the ledger is paid by this entry
		day = ctx.Date
	}
	h, taken, err := h.pay(c.Amount.Units, day)
	if err != nil {
		return refuse(err)
	}
	result := Captured{Hold: h}
	posting := Posting{From: h.Account, To: h.To, Amount: c.Amount, Taken: taken, Line: h.ID}
	if !h.To.Outside() {
		inflow := entry.inflow(h.Account, Payment{Amount: c.Amount, To: h.To}, taken)
		result.Inflow, posting.Inflow = &inflow, inflow.Source
	}
	entry.Postings = append(entry.Postings, posting)
	return result, entry, nil
}

// pay takes the first units of what is held, on the day of the bank's line.
func (h Hold) pay(units int64, day Date) (Hold, Spans, error) {
	taken, rest, err := h.Spans.Cut(units)
	if err != nil {
		return h, nil, err
	}
	h.Spans, h.Captured = rest, append(append(Spans(nil), h.Captured...), taken...)
	h.Paid = max(h.Paid, day)
	if len(rest) == 0 {
		h.State = HoldCaptured
	}
	return h, taken, nil
}

// payer judges who captures and on what evidence.
func (h Hold) payer(account Account, c Capture, lines *Lines, used bool, entry Entry, ctx Context) (Entry, error) {
	if !h.To.Outside() {
		if c.Line != nil {
			return entry, rule.Field("line", rule.Refuse(rule.Invalid, "hold %s pays %s on the ledger and needs no bank line", h.ID, h.To))
		}
		return entry, account.sponsor(ctx)
	}
	if err := keeper(account.Custodian, ctx); err != nil {
		return entry, err
	}
	if c.Line == nil {
		return entry, rule.Field("line", rule.Refuse(rule.Invalid, "is missing: %s is outside the ledger, and paid needs the bank's line", h.To))
	}
	evidence, err := debit(account, *c.Line, lines, used, c.Amount)
	if err != nil {
		return entry, rule.Field("line", err)
	}
	entry.Evidence = append(entry.Evidence, evidence)
	return entry, nil
}

// debit judges a debit line that must carry exactly amount and be unused.
func debit(account Account, proof LineProof, lines *Lines, used bool, amount money.Amount) (Evidence, error) {
	if lines == nil || lines.Account != account.Custodian {
		return Evidence{}, rule.Refuse(rule.NotFound, "page %d of statement %s of %s is not filed", proof.N, proof.Statement, account.Custodian)
	}
	line, err := proof.check(*lines, DebitSide)
	if err != nil {
		return Evidence{}, err
	}
	if used {
		return Evidence{}, rule.Refuse(rule.WrongState, "line %d of statement %s has been used already", line.Number, proof.Statement)
	}
	if line.Amount != amount {
		return Evidence{}, rule.Refuse(rule.Conflict, "line %d of statement %s carries %s, %s was asked", line.Number, proof.Statement, line.Amount, amount)
	}
	return proof.evidence(*lines, line), nil
}

// day is that of the bank's line; empty without one.
func (c Capture) day() Date {
	if c.Line == nil {
		return ""
	}
	return Date(c.Line.Line[1])
}

// payable refuses a hold that nothing can be paid out of by a line of a day.
// A payout may be released, or expire, while the bank has paid it and its
// statement is still to come: then the money is gone, and the line says when.
func (h Hold) payable(day Date) error {
	if h.State != HoldReleased || day == "" {
		return h.open()
	}
	if day > h.Released {
		return rule.Refuse(rule.WrongState, "hold %s was released on %s, the line is of %s", h.ID, h.Released, day)
	}
	return nil
}

func (h Hold) open() error {
	if h.State != HoldOpen {
		return rule.Refuse(rule.WrongState, "hold %s is %s", h.ID, h.State)
	}
	return nil
}

// CameBack reports whether the money of a refund is the account's again: the
// head has reclaimed it, or the bank has returned all that was paid. Whether it
// is free, and not pooled or spent since, is for the head to say.
func (h Hold) CameBack() bool {
	return h.State == HoldReclaimed || (h.State == HoldCaptured && h.Captured.Total() == h.Returned.Total())
}

// Back is what of a payout the account has again: what the bank returned, and what
// was never paid of a hold that was released and reclaimed. Before it is reclaimed
// a line of the bank may still show that it was paid.
func (h Hold) Back() int64 {
	back := h.Returned.Total()
	if h.State == HoldReclaimed {
		back += h.Amount.Units - h.Captured.Total()
	}
	return back
}

// Release gives up what is left of a hold; Expire does so for anyone once it
// has expired. The money is free again when the head reclaims it.
type Release struct {
	Account AccountID `json:"account"`
	Hold    ID        `json:"hold"`
	ID      ID        `json:"id"`
}

// Release judges the sponsor's command.
func (h Hold) Release(account Account, c Release, ctx Context) (Hold, Entry, error) {
	if err := c.ID.Check(); err != nil {
		return h, Entry{}, rule.Field("id", err)
	}
	if err := account.sponsor(ctx); err != nil {
		return h, Entry{}, err
	}
	if err := h.open(); err != nil {
		return h, Entry{}, err
	}
	h.State, h.Released = HoldReleased, ctx.Date
	return h, ctx.Entry(c.ID, "release", string(account.ID)), nil
}

// Expire judges anyone's command: a deadline becomes a fact when it is filed.
func (h Hold) Expire(c Release, ctx Context) (Hold, Entry, error) {
	if err := c.ID.Check(); err != nil {
		return h, Entry{}, rule.Field("id", err)
	}
	if err := h.open(); err != nil {
		return h, Entry{}, err
	}
	if ctx.At < h.Expires {
		return h, Entry{}, rule.Refuse(rule.Early, "hold %s expires at %s, it is %s", h.ID, h.Expires, ctx.At)
	}
	h.State, h.Released = HoldReleased, ctx.Date
	return h, ctx.Entry(c.ID, "expire", string(h.Account)), nil
}

// Reclaim takes the money of released holds back into the account's head.
type Reclaim struct {
	Account AccountID `json:"account"`
	Holds   []ID      `json:"holds"`
	ID      ID        `json:"id"`
}

// Check refuses a malformed command.
func (c Reclaim) Check() error {
	if err := c.ID.Check(); err != nil {
		return rule.Field("id", err)
	}
	if len(c.Holds) == 0 || len(c.Holds) > PaymentsMax {
		return rule.Field("holds", rule.Refuse(rule.Invalid, "holds %d; 1 to %d are possible", len(c.Holds), PaymentsMax))
	}
	seen := map[ID]bool{}
	for i, id := range c.Holds {
		if seen[id] {
			return rule.Item("holds", i, rule.Refuse(rule.Invalid, "hold %s stands twice", id))
		}
		seen[id] = true
	}
	return nil
}

// Reclaim judges the command; holds stand in the order of its ids.
func (h Head) Reclaim(account Account, c Reclaim, holds []Hold, ctx Context) (Head, []Hold, Entry, error) {
	if err := account.sponsor(ctx); err != nil {
		return h, nil, Entry{}, err
	}
	after := append([]Hold(nil), holds...)
	for i, hold := range after {
		if hold.State != HoldReleased {
			return h, nil, Entry{}, rule.Item("holds", i, rule.Refuse(rule.WrongState, "hold %s is %s, not released", hold.ID, hold.State))
		}
		var err error
		if h, err = h.reopen(hold.Spans); err != nil {
			return h, nil, Entry{}, rule.Item("holds", i, err)
		}
		h = h.withdraw(-hold.Spans.Total(), hold.Gift)
		after[i].Spans, after[i].State = nil, HoldReclaimed
	}
	return h, after, ctx.Entry(c.ID, "reclaim", string(account.ID)), h.Check()
}

// Refund orders a gift to be paid back out of its own units: a hole in the
// tape, and a hold that the bank's line executes like any payout.
type Refund struct {
	Account AccountID `json:"account"`
	Expires Instant   `json:"expires"`
	Gift    GiftProof `json:"gift"`
	ID      ID        `json:"id"`
	To      AccountID `json:"to"`
}

// Refund judges the command. The hold has the entry's id. What a processor kept
// of the gift is the processor's to give back.
func (h Head) Refund(account Account, c Refund, place SettledGift, ctx Context) (Head, Hold, Reversal, Entry, error) {
	refuse := func(err error) (Head, Hold, Reversal, Entry, error) { return h, Hold{}, Reversal{}, Entry{}, err }
	if err := holdName(c.ID); err != nil {
		return refuse(rule.Field("id", err))
	}
	if err := account.sponsor(ctx); err != nil {
		return refuse(err)
	}
	if err := expiry(c.Expires, ctx.At); err != nil {
		return refuse(err)
	}
	if err := c.To.Check(); err != nil || !c.To.Outside() {
		return refuse(rule.Field("to", rule.Refuse(rule.Invalid, "is not outside the ledger; a gift goes back to who gave it")))
	}
	gift, span, err := place.free(account, c.Gift, h)
	if err != nil {
		return refuse(err)
	}
	if giver := gift.Giver(); account.Subject != "" && c.To != giver {
		return refuse(rule.Field("to", rule.Refuse(rule.Forbidden, "names %s; money given for a purpose goes back to its giver only, %s", c.To, giver)))
	}
	if h, err = h.takeSpan(span); err != nil {
		return refuse(rule.Field("gift", err))
	}
	entry := ctx.Entry(c.ID, "refund", string(account.ID))
	hold := Hold{V: 1, Account: account.ID, ID: c.ID, To: c.To, Amount: money.New(span.Length(), account.Currency), Spans: Spans{span},
		Expires: c.Expires, State: HoldOpen, Gift: place.kind(), Entry: entry.Reference()}
	h = h.withdraw(span.Length(), hold.Gift)
	return h, hold, Reversal{V: 1, Kind: "refund", Span: span, Hold: c.ID, Entry: entry.Reference()}, entry, h.Check()
}

// Return takes back a payout that did not reach its payee, on the evidence of
// a credit line of the bank.
type Return struct {
	Account AccountID    `json:"account"`
	Amount  money.Amount `json:"amount"`
	Hold    ID           `json:"hold"`
	ID      ID           `json:"id"`
	Line    LineProof    `json:"line"`
}

// Returned is what a return comes to. In a fifo account the units are free
// again where they stood; a pooled account gets them as an inflow that names its origin.
type Returned struct {
	Hold   Hold
	Head   *Head
	Inflow *Inflow
	Used   Used
}

// Return judges the command.
func (h Hold) Return(account Account, head Head, c Return, lines *Lines, used Used, ctx Context) (Returned, Entry, error) {
	refuse := func(err error) (Returned, Entry, error) { return Returned{}, Entry{}, err }
	if err := c.ID.Check(); err != nil {
		return refuse(rule.Field("id", err))
	}
	if err := account.sponsor(ctx); err != nil && keeper(account.Custodian, ctx) != nil {
		return refuse(err)
	}
	if err := c.Amount.Positive(account.Currency); err != nil {
		return refuse(rule.Field("amount", err))
	}
	back, err := h.returns(c.Amount)
	if err != nil {
		return refuse(err)
	}
	evidence, used, err := credit(account, c.Line, lines, used, c.Amount)
	if err != nil {
		return refuse(rule.Field("line", err))
	}
	h.Returned = append(append(Spans(nil), h.Returned...), back...)
	entry := ctx.Entry(c.ID, "return", string(account.ID))
	entry.Evidence = []Evidence{evidence}
	result := Returned{Hold: h, Used: used}
	posting := Posting{From: h.To, To: account.ID, Amount: c.Amount, Line: h.ID, Origin: h.Entry}
	if account.Attribution == Pooled {
		inflow := entry.inflow(h.To, Payment{Amount: c.Amount, To: account.ID, Origin: h.Entry}, nil)
		result.Inflow, posting.Inflow = &inflow, inflow.Source
	} else {
		if head, err = head.reopen(back); err != nil {
			return refuse(err)
		}
		head = head.withdraw(-c.Amount.Units, h.Gift)
		result.Head, posting.Laid = &head, back
	}
	entry.Postings = []Posting{posting}
	return result, entry, head.Check()
}

// returns are the next units of a payout that come back.
func (h Hold) returns(amount money.Amount) (Spans, error) {
	if !h.To.Outside() {
		return nil, rule.Field("hold", rule.Refuse(rule.WrongState, "%s paid %s on the ledger; its sponsor pays it back", h.ID, h.To))
	}
	gone := h.Captured.Total() - h.Returned.Total()
	if amount.Units > gone {
		return nil, rule.Field("amount", rule.Refuse(rule.Insufficient, "%s of hold %s has been paid out; %s was asked", money.New(gone, amount.Currency), h.ID, amount))
	}
	return h.Captured.Slice(h.Returned.Total(), h.Returned.Total()+amount.Units)
}

// credit judges a credit line that must carry exactly amount and be unused.
func credit(account Account, proof LineProof, lines *Lines, used Used, amount money.Amount) (Evidence, Used, error) {
	if lines == nil || lines.Account != account.Custodian {
		return Evidence{}, used, rule.Refuse(rule.NotFound, "page %d of statement %s of %s is not filed", proof.N, proof.Statement, account.Custodian)
	}
	line, err := proof.check(*lines, CreditSide)
	if err != nil {
		return Evidence{}, used, err
	}
	if line.Amount != amount {
		return Evidence{}, used, rule.Refuse(rule.Conflict, "line %d of statement %s carries %s, %s was asked", line.Number, proof.Statement, line.Amount, amount)
	}
	used, err = used.use(*lines, Span{int64(proof.Index), int64(proof.Index) + 1})
	return proof.evidence(*lines, line), used, err
}

// ChargeBack takes a gift back that the payer's bank reversed, on the evidence
// of the custodian's debit line. Units still free leave the tape; what was
// spent is charged to the sponsor's own funds, or else shown as a receivable.
type ChargeBack struct {
	Account AccountID `json:"account"`
	Gift    GiftProof `json:"gift"`
	ID      ID        `json:"id"`
	Line    LineProof `json:"line"`
}

// ChargedBack is what a chargeback comes to; OwnFunds is nil where nothing was charged to it.
type ChargedBack struct {
	Head     Head
	OwnFunds *Head
	Reversal Reversal
}

// ChargeBack judges the command.
func (h Head) ChargeBack(account Account, ownFunds *Head, c ChargeBack, place SettledGift, lines *Lines, used bool, ctx Context) (ChargedBack, Entry, error) {
	refuse := func(err error) (ChargedBack, Entry, error) { return ChargedBack{}, Entry{}, err }
	if err := c.ID.Check(); err != nil {
		return refuse(rule.Field("id", err))
	}
	if err := keeper(account.Custodian, ctx); err != nil {
		return refuse(err)
	}
	gift, span, err := place.Place(account.ID, c.Gift)
	if err != nil {
		return refuse(err)
	}
	evidence, err := debit(account, c.Line, lines, used, gift.Amount)
	if err != nil {
		return refuse(rule.Field("line", err))
	}
	entry := ctx.Entry(c.ID, "charge-back", string(account.ID))
	entry.Evidence = []Evidence{evidence}
	posting := Posting{From: account.ID, To: account.Custodian, Line: gift.ID, Origin: place.Settlement.Entry}
	free := h.Free().Within(span)
	for _, part := range free {
		if h, err = h.takeSpan(part); err != nil {
			return refuse(err)
		}
	}
	h = h.withdraw(span.Length(), place.kind())
	result := ChargedBack{Head: h, Reversal: Reversal{V: 1, Kind: "chargeback", Span: span, Entry: entry.Reference()}}
	if units := free.Total(); units > 0 {
		posting.Amount, posting.Taken = money.New(units, account.Currency), free
		entry.Postings = append(entry.Postings, posting)
	}
	if spent := gift.Amount.Units - free.Total(); spent > 0 {
		posting.Amount = money.New(spent, account.Currency)
		result.OwnFunds, posting = charge(account, ownFunds, posting)
		entry.Postings = append(entry.Postings, posting)
	}
	return result, entry, h.Check()
}

// charge lets own funds bear an amount; where there are none, or not enough,
// it is a receivable of the account: no tape goes negative.
func charge(account Account, ownFunds *Head, posting Posting) (*Head, Posting) {
	if ownFunds != nil {
		if after, taken, err := ownFunds.take(posting.Amount.Units, account.Currency); err == nil {
			posting.From, posting.Taken = ownFunds.Account, taken
			return &after, posting
		}
	}
	posting.From, posting.To, posting.Taken, posting.Memo = ReceivableOf(account.ID), account.Custodian, nil, true
	return nil, posting
}

// ReceivableOf is the memo account that shows what an account's sponsor owes it.
func ReceivableOf(account AccountID) AccountID { return receivableKind + ":" + account }

const receivableKind = "receivable"
