package tape

import (
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// PaymentsMax is the most payments or holds one command makes.
const PaymentsMax = 200

// Spend pays other accounts of the ledger from the front of one account's tape.
// Money that leaves the ledger is ordered with a Hold, because "paid" needs the bank's line.
type Spend struct {
	Account  AccountID `json:"account"`
	ID       ID        `json:"id"`
	Payments []Payment `json:"payments"`
}

// Payment is one line of a batch.
type Payment struct {
	Amount money.Amount `json:"amount"`
	// Line is the client's id of the line, unique within the batch.
	Line ID `json:"line"`
	// OnBehalfOf is whose debt the payment settles, when it is not To's own money.
	OnBehalfOf AccountID `json:"onBehalfOf,omitempty"`
	// Origin is the entry whose money comes back with this payment, organisation/id.
	Origin string    `json:"origin,omitempty"`
	To     AccountID `json:"to"`
}

// Total is the sum of the batch; it refuses a malformed one.
func (c Spend) Total(currency money.Currency) (money.Amount, error) {
	if err := c.ID.Check(); err != nil {
		return money.Amount{}, rule.Field("id", err)
	}
	return totalOf("payments", PaymentsMax, c.Payments, c.Account, currency)
}

// totalOf checks a batch of payments from one account and sums it.
func totalOf(field string, limit int, payments []Payment, from AccountID, currency money.Currency) (money.Amount, error) {
	if len(payments) == 0 || len(payments) > limit {
		return money.Amount{}, rule.Field(field, rule.Refuse(rule.Invalid, "holds %d; 1 to %d are possible", len(payments), limit))
	}
	total := money.New(0, currency)
	seen := make(map[ID]bool, len(payments))
	for i, p := range payments {
		if err := p.check(from, currency); err != nil {
			return total, at(field, i, err)
		}
		if seen[p.Line] {
			return total, at(field, i, rule.Refuse(rule.Invalid, "line %s stands twice", p.Line))
		}
		seen[p.Line] = true
		var err error
		if total, err = total.Add(p.Amount); err != nil {
			return total, at(field, i, rule.Field("amount", err))
		}
	}
	return total, nil
}

func (p Payment) check(from AccountID, currency money.Currency) error {
	if err := p.Line.Check(); err != nil {
		return rule.Field("line", err)
	}
	if err := p.To.Check(); err != nil {
		return rule.Field("to", err)
	}
	if p.To == from {
		return rule.Field("to", rule.Refuse(rule.Invalid, "%s would pay itself", from))
	}
	if err := p.Amount.Positive(currency); err != nil {
		return rule.Field("amount", err)
	}
	if p.OnBehalfOf != "" {
		if err := p.OnBehalfOf.Check(); err != nil {
			return rule.Field("onBehalfOf", err)
		}
	}
	return rule.Field("origin", CheckReference(p.Origin))
}

// CheckReference refuses what does not name an entry, organisation/id, or
// nothing: text of any other form could carry what does not belong on a ledger.
func CheckReference(reference string) error {
	if reference == "" {
		return nil
	}
	organisation, id, found := strings.Cut(reference, "/")
	if !found || CheckSegment(organisation) != nil || ID(id).Check() != nil {
		return rule.Refuse(rule.Invalid, "%.100q is not an entry; write organisation/id", reference)
	}
	return nil
}

// receives refuses to lay money where it has no place: an account that does
// not exist or is of another currency. Money outside needs neither.
func receives(to AccountID, payee *Account, currency money.Currency) error {
	if payee == nil {
		return rule.Field("to", rule.Refuse(rule.NotFound, "account %s is not open", to))
	}
	if payee.Currency != currency {
		return rule.Field("to", rule.Refuse(rule.Invalid, "account %s is of %s, the money of %s", to, payee.Currency, currency))
	}
	return nil
}

// Spend judges the command; payees stand in the order of its payments, nil where none is open.
func (h Head) Spend(account Account, c Spend, payees []*Account, ctx Context) (Head, []Inflow, Entry, error) {
	refuse := func(err error) (Head, []Inflow, Entry, error) { return h, nil, Entry{}, err }
	total, err := c.Total(account.Currency)
	if err != nil {
		return refuse(err)
	}
	if err := account.spender(ctx); err != nil {
		return refuse(err)
	}
	for i, p := range c.Payments {
		if p.To.Outside() {
			return refuse(at("payments", i, rule.Field("to", rule.Refuse(rule.Invalid, "%s is outside the ledger; order it with a hold, which the bank's line executes", p.To))))
		}
		if err := receives(p.To, payees[i], account.Currency); err != nil {
			return refuse(at("payments", i, err))
		}
	}
	h, taken, err := h.take(total.Units, account.Currency)
	if err != nil {
		return refuse(err)
	}
	entry := ctx.Entry(c.ID, "spend", string(account.ID))
	inflows, entry, err := pay(account.ID, c.Payments, taken, entry)
	if err != nil {
		return refuse(err)
	}
	return h, inflows, entry, h.Check()
}

// pay shares spans out to payments in their order, each as an inflow at its payee.
func pay(from AccountID, payments []Payment, taken Spans, entry Entry) ([]Inflow, Entry, error) {
	inflows := make([]Inflow, 0, len(payments))
	for _, p := range payments {
		part, rest, err := taken.Cut(p.Amount.Units)
		if err != nil {
			return nil, entry, err
		}
		taken = rest
		inflow := entry.inflow(from, p, part)
		inflows = append(inflows, inflow)
		entry.Postings = append(entry.Postings, Posting{From: from, To: p.To, Amount: p.Amount, Taken: part,
			Inflow: inflow.Source, Line: p.Line, OnBehalfOf: p.OnBehalfOf, Origin: p.Origin})
	}
	return inflows, entry, nil
}

// inflow names what waits at the payee after the posting it belongs to: organisation/entry/index.
func (e Entry) inflow(from AccountID, p Payment, taken Spans) Inflow {
	source := e.Reference() + "/" + strconv.Itoa(len(e.Postings))
	return Inflow{V: 1, Account: p.To, Source: source, From: from, Amount: p.Amount, Taken: taken, Origin: p.Origin, At: e.At}
}

// Identify gives money that nobody had claimed to the account it was meant
// for: exactly the units of that bank line.
type Identify struct {
	Account AccountID `json:"account"`
	Gift    GiftProof `json:"gift"`
	ID      ID        `json:"id"`
	To      AccountID `json:"to"`
}

// Total is the amount of the line.
func (c Identify) Total() (money.Amount, error) {
	gift, err := giftOf(c.Gift.Gift)
	return gift.Amount, err
}

// SettledGift is what the ledger holds on one gift: its page, the page's
// settlement, and the reversal if there was one.
type SettledGift struct {
	Page       Page
	Settlement *Settlement
	Reversal   *Reversal
	// Hold is the hold of an earlier refund.
	Hold *Hold
}

// Place returns the gift and its span, and refuses one that has none or was taken back.
func (s SettledGift) Place(p GiftProof) (Gift, Span, error) {
	if s.Settlement == nil {
		return Gift{}, Span{}, rule.Field("gift", rule.Refuse(rule.WrongState, "page %s is not settled", s.Page.ID))
	}
	if s.Reversal != nil && (s.Hold == nil || !s.Hold.cameBack()) {
		return Gift{}, Span{}, rule.Field("gift", rule.Refuse(rule.WrongState, "gift %d of page %s was taken back by %s (%s)", p.Index, s.Page.ID, s.Reversal.Entry, s.Reversal.Kind))
	}
	gift, span, err := p.span(s.Page, *s.Settlement)
	if err != nil {
		return gift, span, rule.Field("gift", err)
	}
	return gift, span, nil
}

// Identify judges the command.
func (h Head) Identify(account Account, c Identify, at SettledGift, payee *Account, ctx Context) (Head, Inflow, Reversal, Entry, error) {
	refuse := func(err error) (Head, Inflow, Reversal, Entry, error) { return h, Inflow{}, Reversal{}, Entry{}, err }
	if err := c.ID.Check(); err != nil {
		return refuse(rule.Field("id", err))
	}
	if err := account.sponsor(ctx); err != nil {
		return refuse(err)
	}
	if account.Unidentified == "" {
		return refuse(rule.Field("account", rule.Refuse(rule.WrongState, "%s does not hold unidentified money", account.ID)))
	}
	gift, span, err := at.Place(c.Gift)
	if err != nil {
		return refuse(err)
	}
	payment := Payment{Amount: gift.Amount, Line: gift.ID, To: c.To}
	if err := payment.check(account.ID, account.Currency); err != nil {
		return refuse(err)
	}
	if err := receives(c.To, payee, account.Currency); err != nil {
		return refuse(err)
	}
	if h, err = h.takeSpan(span); err != nil {
		return refuse(rule.Field("gift", err))
	}
	entry := ctx.Entry(c.ID, "identify", string(account.ID))
	inflows, entry, err := pay(account.ID, []Payment{payment}, Spans{span}, entry)
	if err != nil {
		return refuse(err)
	}
	return h, inflows[0], Reversal{V: 1, Kind: "identified", Span: span, Entry: entry.Reference()}, entry, h.Check()
}
