package tape

import (
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// SettledGift is what the ledger holds on one gift: its page, the settlement of
// the page or of the inflow that brought it, and the reversal if there was one.
type SettledGift struct {
	Page       Page
	Settlement *Settlement
	Reversal   *Reversal
	// Hold is the hold of an earlier refund.
	Hold *Hold
	// Inflow is the one that a proof of a moved gift names.
	Inflow *Inflow
}

// kind is the kind of evidence that the gift rests on, wherever it was moved.
func (s SettledGift) kind() string {
	if s.Inflow != nil && s.Inflow.Declared {
		return SelfDeclared
	}
	return s.Settlement.Evidence.Kind
}

// Place returns the gift and its span on an account's tape, and refuses one that
// has none there or was taken back.
func (s SettledGift) Place(account AccountID, p GiftProof) (Gift, Span, error) {
	refuse := func(err error) (Gift, Span, error) { return Gift{}, Span{}, rule.Field("gift", err) }
	if p.Moved != nil {
		if err := rule.Field("moved", rule.Field("inflow", CheckPosting(p.Moved.Inflow))); err != nil {
			return refuse(err)
		}
	}
	if p.Moved != nil && (s.Inflow == nil || s.Inflow.Gift == nil || *s.Inflow.Gift != p.Name(account)) {
		return refuse(rule.Field("moved", rule.Refuse(rule.Conflict, "inflow %.140s did not bring gift %d of page %s to %s", p.Moved.Inflow, p.Index, p.Page, account)))
	}
	if s.Settlement == nil {
		return refuse(rule.Refuse(rule.WrongState, "%.140s is not settled", p.Source()))
	}
	if s.Reversal != nil && (s.Hold == nil || !s.Hold.CameBack()) {
		return refuse(rule.Refuse(rule.WrongState, "gift %d of page %s was taken back by %s (%s)", p.Index, s.Page.ID, s.Reversal.Entry, s.Reversal.Kind))
	}
	gift, offset, err := p.shown(s.Page)
	if err != nil {
		return refuse(err)
	}
	span := s.Settlement.Span
	if p.Moved == nil {
		span, _ = s.Settlement.Own(offset, gift.Amount.Units)
	}
	if span.Length() == 0 {
		return refuse(rule.Refuse(rule.Insufficient, "nothing of the gift's %s arrived; the processor kept it", gift.Amount))
	}
	return gift, span, nil
}

// free is Place for a gift all of which must still be there to be spent.
func (s SettledGift) free(account Account, p GiftProof, head Head) (Gift, Span, error) {
	gift, span, err := s.Place(account.ID, p)
	if err != nil {
		return gift, span, err
	}
	if free := head.Free().Within(span).Total(); free < span.Length() {
		return gift, span, rule.Field("gift", rule.Refuse(rule.Insufficient, "%s of the gift's %s is not free any more", money.New(span.Length()-free, account.Currency), gift.Amount))
	}
	return gift, span, nil
}

// rebooks refuses to book a gift at an account that is not kept at the same bank
// account: the bank would hold the money elsewhere than the ledger says. Since a
// bank account's money is one organisation's, so are the two accounts.
func (a Account) rebooks(to AccountID, payee *Account) error {
	if err := to.Check(); err != nil {
		return rule.Field("to", err)
	}
	if to == a.ID {
		return rule.Field("to", rule.Refuse(rule.Invalid, "%s would pay itself", a.ID))
	}
	if err := receives(to, payee, a.Currency); err != nil {
		return err
	}
	if payee.Custodian != a.Custodian {
		return rule.Field("to", rule.Refuse(rule.Conflict, "the money is at %s, that of %s at %s; a gift is booked elsewhere only where the bank need not move it", a.Custodian, to, payee.Custodian))
	}
	return nil
}

// rebook moves a gift's units, which were taken, to another account: an inflow that names the gift.
func (h Head) rebook(account Account, proof GiftProof, gift Gift, kind string, span Span, to AccountID, entry Entry) (Head, Inflow, Entry, error) {
	payment := Payment{Amount: money.New(span.Length(), account.Currency), Line: gift.ID, To: to}
	inflows, entry, err := pay(account.ID, []Payment{payment}, Spans{span}, entry)
	if err != nil {
		return h, Inflow{}, entry, err
	}
	name := proof.Name(account.ID)
	inflows[0].Gift, inflows[0].Declared = &name, kind == SelfDeclared
	return h.withdraw(span.Length(), kind), inflows[0], entry, nil
}

// Correct moves a gift that stands on the wrong account to the right one, with
// its own units: another entry corrects, nothing is edited.
type Correct struct {
	Account AccountID `json:"account"`
	Gift    GiftProof `json:"gift"`
	ID      ID        `json:"id"`
	// Reason is one of CorrectReasons.
	Reason string    `json:"reason"`
	To     AccountID `json:"to"`
}

// CorrectReasons are why a gift is moved: the giver's reference named another
// campaign than was meant, the charity booked it wrongly, or a line that nobody
// had claimed was taken for this account's. Reasons are words of a list: free
// text could carry what does not belong on a ledger.
func CorrectReasons() []string {
	return []string{"wrong-reference", "booked-wrongly", "wrongly-identified"}
}

// Corrected is what a correction comes to.
type Corrected struct {
	Head     Head
	Inflow   Inflow
	Reversal Reversal
}

// Correct judges the command; payee is the account To. What a campaign's plan
// says about it is judged by fund.
func (h Head) Correct(account Account, c Correct, place SettledGift, payee *Account, ctx Context) (Corrected, Entry, error) {
	refuse := func(err error) (Corrected, Entry, error) { return Corrected{}, Entry{}, err }
	if err := c.ID.Check(); err != nil {
		return refuse(rule.Field("id", err))
	}
	if err := account.sponsor(ctx); err != nil {
		return refuse(err)
	}
	if err := reasonOf(c.Reason, CorrectReasons()); err != nil {
		return refuse(err)
	}
	if account.Unidentified != "" {
		return refuse(rule.Refuse(rule.WrongState, "%s holds money that nobody has claimed; identify or refund it", account.ID))
	}
	if err := account.rebooks(c.To, payee); err != nil {
		return refuse(err)
	}
	if err := c.leads(account, *payee); err != nil {
		return refuse(rule.Field("to", err))
	}
	gift, span, err := place.free(account, c.Gift, h)
	if err != nil {
		return refuse(err)
	}
	if h, err = h.takeSpan(span); err != nil {
		return refuse(rule.Field("gift", err))
	}
	h, inflow, entry, err := h.rebook(account, c.Gift, gift, place.kind(), span, c.To, ctx.Entry(c.ID, "correct", string(account.ID)))
	if err != nil {
		return refuse(err)
	}
	reversal := Reversal{V: 1, Kind: "corrected", Span: span, Inflow: inflow.Source, To: c.To, Reason: c.Reason, Entry: entry.Reference()}
	return Corrected{Head: h, Inflow: inflow, Reversal: reversal}, entry, h.Check()
}

// leads refuses to take money out from under its rules, and to call money
// unclaimed that came in with its giver's reference.
func (c Correct) leads(account, to Account) error {
	if to.Unidentified != "" {
		if c.Gift.home(account.ID) != to.ID || c.Reason != "wrongly-identified" {
			return rule.Refuse(rule.Forbidden, "%s holds money that nobody has claimed; only what was identified from there goes back, as wrongly-identified", to.ID)
		}
		return nil
	}
	if account.Subject != "" && to.Subject != account.Subject {
		return rule.Refuse(rule.Forbidden, "%s is spent by the commands of %s, %s is not; money given for a purpose stays under a plan", account.ID, account.Subject, to.ID)
	}
	return nil
}

func reasonOf(reason string, reasons []string) error {
	if !slices.Contains(reasons, reason) {
		return rule.Field("reason", rule.Refuse(rule.Invalid, "is not one of %s", strings.Join(reasons, ", ")))
	}
	return nil
}

// Withdraw ends a page of gifts that were announced or declared and never came.
// It stays on the ledger as what it is, and is late no more.
type Withdraw struct {
	Account AccountID `json:"account"`
	ID      ID        `json:"id"`
	Page    ID        `json:"page"`
	// Reason is one of WithdrawReasons.
	Reason string `json:"reason"`
}

// WithdrawReasons are why a page is withdrawn.
func WithdrawReasons() []string { return []string{"not-paid", "entered-twice", "entered-wrongly"} }

// Withdraw judges the command; processor is the file of the page, nil for none.
func (a Account) Withdraw(c Withdraw, page Page, settled *Settled, processor *Processor, ctx Context) (Settled, Entry, error) {
	refuse := func(err error) (Settled, Entry, error) { return Settled{}, Entry{}, err }
	if err := c.ID.Check(); err != nil {
		return refuse(rule.Field("id", err))
	}
	if err := a.sponsor(ctx); err != nil {
		return refuse(err)
	}
	if err := reasonOf(c.Reason, WithdrawReasons()); err != nil {
		return refuse(err)
	}
	if err := page.waits(settled, processor); err != nil {
		return refuse(rule.Field("page", err))
	}
	entry := ctx.Entry(c.ID, "withdraw", string(a.ID))
	return Settled{V: 1, Withdrawn: c.Reason, Entry: entry.Reference()}, entry, nil
}
