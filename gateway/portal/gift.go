package portal

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// proofSteps is how many entries a proof shows in full.
const proofSteps = 12

func (p *portal) gift(r *http.Request) (views.Page, string, error) {
	ctx := r.Context()
	id, err := idIn(r, "gift")
	if err != nil {
		return nil, "", err
	}
	found, err := p.named(r, id)
	if err != nil {
		return nil, "", err
	}
	if len(found) > 1 {
		return views.SameGifts{ID: id, Rows: giftRows(found, "")}, "", nil
	}
	gift := found[0]
	trace, err := p.Model.TraceGift(ctx, readmodel.GiftAt{Account: gift.Account, Page: gift.Page, Index: gift.Index})
	if err != nil {
		return nil, "", err
	}
	page := views.Gift{ID: id, Account: gift.Account, Page: gift.Page, Amount: gift.Amount, Attribution: trace.Attribution, State: gift.State,
		Evidence: gift.Evidence, Line: trace.Line, Moves: trace.Moves, Root: trace.Root, Address: p.addressOf(r)}
	if page.Title, err = p.title(ctx, gift.Account); err != nil {
		return nil, "", err
	}
	if page.Pieces, err = p.pieces(ctx, trace.Root); err != nil {
		return nil, "", err
	}
	if page, err = p.lessened(ctx, page, gift); err != nil {
		return nil, "", err
	}
	if page.Acts, err = p.giftActs(r, gift, trace.Stands); err != nil {
		return nil, "", err
	}
	if page.Receipt, err = p.giftReceipt(r, gift, trace.Stands); err != nil {
		return nil, "", err
	}
	page.Proof, err = p.giftProof(ctx, gift, trace)
	return page, "", err
}

// lessened says of a gift that it never came, or what a processor kept of it.
func (p *portal) lessened(ctx context.Context, page views.Gift, gift readmodel.Gift) (views.Gift, error) {
	if gift.State == readmodel.GiftWithdrawn {
		received, err := p.Model.Page(ctx, gift.Account, gift.Page)
		if err != nil {
			return page, err
		}
		page.Withdrawn, page.WithdrawnBy = received.Withdrawn.Withdrawn, received.Withdrawn.Entry
	}
	if gift.Fee != nil {
		page.Fee, page.Net = gift.Fee, &money.Amount{Units: gift.Amount.Units - gift.Fee.Units, Currency: gift.Amount.Currency}
	}
	return page, nil
}

// giftActs are the forms that a maker of the account's organisation can open about a gift.
func (p *portal) giftActs(r *http.Request, gift readmodel.Gift, stands readmodel.Stands) ([]views.GiftAct, error) {
	if session := p.session(r); !session.LoggedIn() || !session.Has(login.Maker) {
		return nil, nil
	}
	account, err := p.Model.Account(r.Context(), stands.Account)
	if err != nil || account.Organisation != p.Organisation {
		return nil, err
	}
	campaign, names := stands.Account, []string{"refund-gift", "correct-gift"}
	switch {
	case gift.State == readmodel.GiftPending || gift.State == readmodel.GiftUnmatched:
		names = []string{"withdraw-page", "declare-page"}
	case stands.Span == nil || stands.Free.Units < stands.Span.Length():
		return nil, nil
	case account.Unidentified != "":
		campaign, names = account.Unidentified, []string{"identify-gift"}
	}
	if title, err := p.title(r.Context(), campaign); err != nil || title == nil {
		return nil, err // forms are about campaigns
	}
	query := url.Values{"page": {string(gift.Page)}, "gift": {string(gift.ID)}}
	if gift.Account != campaign {
		query.Set("home", string(gift.Account))
	}
	var forms []views.GiftAct
	for _, name := range names {
		forms = append(forms, views.GiftAct{Act: name, Path: pathTo("campaigns", string(campaign)) + "/acts/" + name + "?" + query.Encode()})
	}
	return forms, nil
}

// named finds the gifts that an address means; there is at least one.
func (p *portal) named(r *http.Request, id tape.ID) ([]readmodel.Gift, error) {
	account, err := optionalAccount(r, "account")
	if err != nil {
		return nil, err
	}
	onPage, err := optionalID(r, "page")
	if err != nil {
		return nil, err
	}
	all, err := p.Model.FindGifts(r.Context(), id)
	if err != nil {
		return nil, err
	}
	var found []readmodel.Gift
	for _, gift := range all {
		if (account == "" || account == gift.Account) && (onPage == "" || gift.On(onPage)) {
			found = append(found, gift)
		}
	}
	if len(found) == 0 {
		return nil, rule.Refuse(rule.NotFound, "gift %s does not exist there", id)
	}
	return found, nil
}

// pieces lists where the units of a tree are now, in their order; neighbours
// that fared alike are one piece.
func (p *portal) pieces(ctx context.Context, root readmodel.Node) ([]views.Piece, error) {
	w := &walker{portal: p, ctx: ctx}
	err := w.walk(root, nil, root.Account)
	return w.pieces, err
}

type walker struct {
	*portal
	ctx    context.Context
	pieces []views.Piece
}

// walk goes through a tree. What waits has been there since via brought it.
func (w *walker) walk(n readmodel.Node, via *readmodel.Step, holder tape.AccountID) error {
	if n.Via != nil {
		via = n.Via
	}
	if len(n.Children) == 0 {
		return w.end(n, via, holder)
	}
	for _, child := range n.Children {
		if err := w.walk(child, via, n.Account); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) end(n readmodel.Node, via *readmodel.Step, holder tape.AccountID) error {
	piece := views.Piece{State: n.State, Amount: n.Amount, Account: n.Account, Span: n.Span, Pool: n.Pool}
	if via != nil {
		piece.Entry, piece.Date, piece.To = via.Entry, via.BusinessDate, via.To
		piece.Fee = n.State == readmodel.Paid && via.Kind == "settle"
	}
	if n.Via != nil && n.Via.Hold != "" {
		piece.Hold, piece.Holder, piece.Expires = n.Via.Hold, holder, n.Via.Expires
	}
	if last := len(w.pieces) - 1; last >= 0 && alike(w.pieces[last], piece) {
		w.pieces[last].Span = nil
		return add(&w.pieces[last].Amount, piece.Amount)
	}
	if piece.Hold != "" && w.Campaigns != nil {
		var err error
		if piece.Confirmation, err = w.Campaigns.Confirmation(w.ctx, holder, piece.Hold); err != nil {
			return err
		}
	}
	w.pieces = append(w.pieces, piece)
	return nil
}

func alike(a, b views.Piece) bool {
	return a.State != readmodel.More && a.State == b.State && a.Account == b.Account && a.To == b.To && a.Entry == b.Entry && a.Hold == b.Hold && a.Amount.Currency == b.Amount.Currency
}

// giftProof collects the entries that a gift has met, in the order of its way.
func (p *portal) giftProof(ctx context.Context, gift readmodel.Gift, trace readmodel.Trace) (*views.Proof, error) {
	proof := &views.Proof{Command: "lianbao trace " + string(gift.ID) + " --account " + string(gift.Account) + " --page " + string(gift.Page)}
	references := []string{gift.Entry}
	if trace.Root.Via != nil && trace.Root.Via.Settlement != nil {
		references = append(references, trace.Root.Via.Settlement.Entry)
	}
	for _, move := range trace.Moves {
		references = append(references, move.Entry)
	}
	references = entriesOf(trace.Root, references)
	seen := map[string]bool{}
	for _, reference := range references {
		if seen[reference] {
			continue
		}
		seen[reference] = true
		if len(proof.Steps) == proofSteps {
			proof.More++
			continue
		}
		organisation, id, _ := strings.Cut(reference, "/")
		entry, err := p.Model.Entry(ctx, organisation, tape.ID(id))
		if err != nil {
			return nil, err
		}
		step, err := p.step(ctx, entry)
		if err != nil {
			return nil, err
		}
		proof.Steps = append(proof.Steps, step)
	}
	return proof, nil
}

func entriesOf(n readmodel.Node, found []string) []string {
	if n.Via != nil {
		found = append(found, n.Via.Entry)
	}
	for _, back := range n.Returned {
		found = append(found, back.Out.Entry, back.Back.Entry)
	}
	for _, child := range n.Children {
		found = entriesOf(child, found)
	}
	return found
}

// trail shows what became of units of a tape: where a gift's tree was cut, and for auditors.
func (p *portal) trail(r *http.Request) (views.Page, string, error) {
	account, err := accountIn(r)
	if err != nil {
		return nil, "", err
	}
	span, err := spanIn(r)
	if err != nil {
		return nil, "", err
	}
	root, err := p.Model.TraceSpan(r.Context(), account, span)
	if err != nil {
		return nil, "", err
	}
	page := views.Trail{Account: account, Span: span, Amount: root.Amount, Attribution: root.Attribution, Root: root}
	page.Pieces, err = p.pieces(r.Context(), root)
	return page, "", err
}

// origin shows where units of a tape came from.
func (p *portal) origin(r *http.Request) (views.Page, string, error) {
	id, err := accountIn(r)
	if err != nil {
		return nil, "", err
	}
	span, err := spanIn(r)
	if err != nil {
		return nil, "", err
	}
	account, err := p.Model.Account(r.Context(), id)
	if err != nil {
		return nil, "", err
	}
	page := views.Origin{Account: id, Attribution: account.Attribution, Amount: money.New(span.Length(), account.Currency), Span: &span}
	return p.origins(r, page, tape.Spans{span})
}

// payout shows where the money of a payout came from.
func (p *portal) payout(r *http.Request) (views.Page, string, error) {
	ctx := r.Context()
	id, err := accountIn(r)
	if err != nil {
		return nil, "", err
	}
	holdID, err := idIn(r, "hold")
	if err != nil {
		return nil, "", err
	}
	account, err := p.Model.Account(ctx, id)
	if err != nil {
		return nil, "", err
	}
	hold, err := p.Model.Hold(ctx, id, holdID)
	if err != nil {
		return nil, "", err
	}
	row, err := p.payoutRow(ctx, hold)
	if err != nil {
		return nil, "", err
	}
	page := views.Origin{Account: id, Attribution: account.Attribution, Amount: hold.Amount, Payout: &row, Proof: &views.Proof{Command: "lianbao trace " + string(id)}}
	if page.Proof.Steps, err = p.orderedBy(ctx, hold); err != nil {
		return nil, "", err
	}
	cited, err := p.citedFor(ctx, id, string(hold.ID))
	if page.Cited, err = p.evidence(r, cited, err); err != nil {
		return nil, "", err
	}
	spans := append(append(tape.Spans{}, hold.Captured...), hold.Spans...)
	if hold.State == tape.HoldReclaimed {
		spans = hold.Captured // what it still names is back in the account, and may have been spent elsewhere
	}
	if page, err = p.payTo(r, page, row.To); err != nil {
		return nil, "", err
	}
	return p.origins(r, page, spans)
}

// orderedBy is the proof of a payout: the entry that ordered it.
func (p *portal) orderedBy(ctx context.Context, hold readmodel.Hold) ([]views.ProofStep, error) {
	organisation, id, _ := strings.Cut(hold.Entry, "/")
	entry, err := p.Model.Entry(ctx, organisation, tape.ID(id))
	if err != nil {
		return nil, err
	}
	step, err := p.step(ctx, entry)
	return []views.ProofStep{step}, err
}

// origins reads one part of the way back of several spans, one after the other.
// The cursor is the number of the span, a colon, and the read model's own.
func (p *portal) origins(r *http.Request, page views.Origin, spans tape.Spans) (views.Page, string, error) {
	at, after, err := placeIn(r.FormValue("after"), len(spans))
	if err != nil {
		return nil, "", err
	}
	for at < len(spans) && len(page.Rows) < listRows {
		back, err := p.Model.TraceBack(r.Context(), page.Account, spans[at], readmodel.Window{After: after, Limit: listRows - len(page.Rows)})
		if err != nil {
			return nil, "", err
		}
		for _, origin := range back.Origins {
			start := spans[at].Start + origin.Offset
			page.Rows = append(page.Rows, views.OriginRow{Origin: origin, Units: tape.Span{Start: start, End: start + origin.Amount.Units}})
		}
		if after = back.Next; after == "" {
			at++
		}
	}
	if at < len(spans) {
		page.Next = strconv.Itoa(at) + ":" + after
	}
	return page, "", nil
}

func placeIn(text string, spans int) (at int, after string, err error) {
	if text == "" {
		return 0, "", nil
	}
	number, after, found := strings.Cut(text, ":")
	at, err = strconv.Atoi(number)
	if !found || err != nil || at < 0 || at >= spans {
		return 0, "", rule.Field("after", rule.Refuse(rule.Invalid, "is not a cursor of this list; take it from the part before, or leave it out"))
	}
	return at, after, nil
}
