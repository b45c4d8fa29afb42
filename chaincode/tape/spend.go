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
			return total, rule.Item(field, i, err)
		}
		if seen[p.Line] {
			return total, rule.Item(field, i, rule.Refuse(rule.Invalid, "line %s stands twice", p.Line))
		}
		seen[p.Line] = true
		var err error
		if total, err = total.Add(p.Amount); err != nil {
			return total, rule.Item(field, i, rule.Field("amount", err))
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
		return rule.Refuse(rule.Invalid, "is not an entry; write organisation/id")
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
			return refuse(rule.Item("payments", i, rule.Field("to", rule.Refuse(rule.Invalid, "%s is outside the ledger; order it with a hold, which the bank's line executes", p.To))))
		}
		if err := receives(p.To, payees[i], account.Currency); err != nil {
			return refuse(rule.Item("payments", i, err))
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
// for: exactly the units of that bank line. Where the line is a payout that came
// back, Hold names it: its units are free again where they stood.
type Identify struct {
	Account AccountID `json:"account"`
	Gift    GiftProof `json:"gift"`
	Hold    ID        `json:"hold,omitempty"`
	ID      ID        `json:"id"`
	To      AccountID `json:"to"`
}

// Identified is what an identification comes to: an inflow at the payee, or the
// hold that came back and the head to which it came.
type Identified struct {
	Head     Head
	Inflow   *Inflow
	Reversal Reversal
	Hold     *Hold
	To       *Head
}

// Payout is a payout of the account that an unclaimed line is identified for.
type Payout struct {
	Hold Hold
	Head Head
}

// Identify judges the command; payee is the account To, back the payout that Hold names there.
func (h Head) Identify(account Account, c Identify, place SettledGift, payee *Account, back *Payout, ctx Context) (Identified, Entry, error) {
	refuse := func(err error) (Identified, Entry, error) { return Identified{}, Entry{}, err }
	if err := c.ID.Check(); err != nil {
		return refuse(rule.Field("id", err))
	}
	if err := account.sponsor(ctx); err != nil {
		return refuse(err)
	}
	if account.Unidentified == "" {
		return refuse(rule.Field("account", rule.Refuse(rule.WrongState, "%s does not hold unidentified money", account.ID)))
	}
	if err := account.rebooks(c.To, payee); err != nil {
		return refuse(err)
	}
	gift, span, err := place.free(account, c.Gift, h)
	if err != nil {
		return refuse(err)
	}
	if h, err = h.takeSpan(span); err != nil {
		return refuse(rule.Field("gift", err))
	}
	entry := ctx.Entry(c.ID, "identify", string(account.ID))
	if c.Hold != "" {
		return h.comesBack(account, c, gift, span, payee, back, entry)
	}
	h, inflow, entry, err := h.rebook(account, c.Gift, gift, place.kind(), span, c.To, entry)
	if err != nil {
		return refuse(err)
	}
	reversal := Reversal{V: 1, Kind: "identified", Span: span, Inflow: inflow.Source, To: c.To, Entry: entry.Reference()}
	return Identified{Head: h, Inflow: &inflow, Reversal: reversal}, entry, h.Check()
}

// comesBack takes an unclaimed line for a payout that came back: as a return,
// whose line it would have been had nobody booked it as unclaimed before.
func (h Head) comesBack(account Account, c Identify, gift Gift, span Span, payee *Account, back *Payout, entry Entry) (Identified, Entry, error) {
	refuse := func(err error) (Identified, Entry, error) { return Identified{}, Entry{}, rule.Field("hold", err) }
	if back == nil {
		return refuse(rule.Refuse(rule.NotFound, "%s has no payout %s", c.To, c.Hold))
	}
	if payee.Attribution == Pooled {
		return refuse(rule.Refuse(rule.WrongState, "%s is pooled; identify the line without naming a payout", c.To))
	}
	units, err := back.Hold.returns(money.New(span.Length(), account.Currency))
	if err != nil {
		return refuse(err)
	}
	hold := back.Hold
	hold.Returned = append(append(Spans(nil), hold.Returned...), units...)
	head, err := back.Head.reopen(units)
	if err != nil {
		return refuse(err)
	}
	head = head.withdraw(-span.Length(), hold.Gift)
	entry.Postings = []Posting{{From: account.ID, To: c.To, Amount: money.New(span.Length(), account.Currency), Taken: Spans{span}, Laid: units, Line: hold.ID, Origin: hold.Entry}}
	reversal := Reversal{V: 1, Kind: "returned", Span: span, To: c.To, Entry: entry.Reference()}
	if err := head.Check(); err != nil {
		return refuse(err)
	}
	return Identified{Head: h, Reversal: reversal, Hold: &hold, To: &head}, entry, h.Check()
}
