package books

import (
	"context"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/export/iati"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// cause is why money came or went.
type cause string

const (
	gift cause = "gift"
	// claimed is a gift that had been nobody's and was found to be for this account.
	claimed        cause = "claimed"
	refund         cause = "refund"
	refundReturned cause = "refund-returned"
	chargeback     cause = "chargeback"
	// ownFunds is the charity's own money that bears a chargeback of money already spent.
	ownFunds       cause = "own-funds"
	incoming       cause = "transfer-in"
	incomingBack   cause = "transfer-in-paid-back"
	outgoing       cause = "transfer-out"
	outgoingBack   cause = "transfer-out-paid-back"
	payout         cause = "payout"
	payoutReturned cause = "payout-returned"
	fee            cause = "fee"
	// A gift that was moved from the wrong account to the right one.
	correctedOut cause = "corrected-out"
	correctedIn  cause = "corrected-in"
)

// flow is money of the account on one day. Its type says which side of the
// books it is on, its sign whether it adds to that side or takes back from it.
type flow struct {
	cause cause
	kind  iati.TransactionType
	date  tape.Date
	units int64
	with  tape.AccountID
	// party is who With is; reference names a transfer the same on both sides.
	party     Party
	reference string
	// ordered marks a transfer that a hold had set money apart for.
	ordered bool
	// identified marks a gift that was found to be another account's.
	identified bool
	// bank are the units of the bank lines that show it, negative for debits;
	// declared are units that only the charity's word shows.
	bank, declared int64
}

// reading is one pass through an account's money up to one block.
type reading struct {
	parties
	lines   bankLines
	account readmodel.Account
	// generated is when the export is made, through its last day.
	generated tape.Instant
	through   tape.Date
	// next is the first block that is left out: what is read stays the same while blocks go on.
	next uint64
	// waiting is money that has left for the account and has no place on its tape.
	waiting int64
	// daily are the sums from which sheets and pages are made.
	daily []readmodel.Flow
	// refunds are the holds by which gifts are paid back.
	refunds map[tape.ID]bool
	// receivable is what nobody bore of gifts that were charged back.
	receivable int64
	// entry is the last one asked for: its postings follow one another.
	entry readmodel.Entry
}

// attemptsMax is how often account and position are read until they agree.
const attemptsMax = 20

// read begins a reading. What can change (heads, waiting money) is read
// between two equal positions.
func (b *Books) read(ctx context.Context, account tape.AccountID, cut Cut) (*reading, error) {
	through, err := cut.through()
	if err != nil {
		return nil, err
	}
	r := &reading{parties: parties{Books: b}, lines: bankLines{Books: b}, generated: cut.Generated, through: through, refunds: map[tape.ID]bool{}}
	for range attemptsMax {
		before, err := b.Model.Position(ctx)
		if err != nil {
			return nil, err
		}
		if err := r.heads(ctx, account); err != nil {
			return nil, err
		}
		after, err := b.Model.Position(ctx)
		if err != nil {
			return nil, err
		}
		if before == after {
			r.next = before.Next
			return r, r.findRefunds(ctx)
		}
	}
	return nil, rule.Refuse(rule.Conflict, "blocks arrive faster than %s is read; ask again", account)
}

func (r *reading) heads(ctx context.Context, account tape.AccountID) (err error) {
	if r.account, err = r.Model.Account(ctx, account); err != nil {
		return err
	}
	if r.daily, err = r.Model.Flows(ctx, account); err != nil {
		return err
	}
	r.waiting = 0
	for inflow, err := range walk(func(w readmodel.Window) (readmodel.List[readmodel.Inflow], error) {
		return r.Model.Inflows(ctx, readmodel.InflowFilter{Account: account, Waiting: true}, w)
	}) {
		if err != nil {
			return err
		}
		if r.waiting, err = money.Sum(r.waiting, inflow.Amount.Units); err != nil {
			return err
		}
	}
	return nil
}

func (r *reading) findRefunds(ctx context.Context) error {
	for entry, err := range r.entriesOf(ctx, "refund") {
		if err != nil {
			return err
		}
		r.refunds[entry.ID] = true
	}
	return nil
}

// entriesOf lists the entries of a kind about the account.
func (r *reading) entriesOf(ctx context.Context, kind string) func(func(readmodel.Entry, error) bool) {
	return walk(func(w readmodel.Window) (readmodel.List[readmodel.Entry], error) {
		return r.Model.Entries(ctx, readmodel.EntryFilter{Kind: kind, Subject: string(r.account.ID)}, w)
	})
}

// flows gives every flow up to the reading's block, whatever its day.
func (r *reading) flows(ctx context.Context, give func(flow) error) error {
	for p, err := range walk(func(w readmodel.Window) (readmodel.List[readmodel.Posting], error) {
		return r.Model.Postings(ctx, r.account.ID, w)
	}) {
		if err != nil {
			return err
		}
		if p.Block >= r.next {
			break
		}
		if p.Memo {
			continue
		}
		if err := r.posting(ctx, p, give); err != nil {
			return rule.Field(p.Entry, err)
		}
	}
	return r.chargebacks(ctx, give)
}

// posting tells what one posting is by its two ends.
func (r *reading) posting(ctx context.Context, p readmodel.Posting, give func(flow) error) error {
	in := p.To == r.account.ID
	switch {
	case in && p.From.Outside() && p.Origin != "":
		return r.returned(ctx, p, give)
	case in && p.From.Outside():
		return r.page(ctx, p, give)
	case p.Kind == "correct":
		f := flow{cause: correctedIn, kind: iati.IncomingFunds, date: p.Date, units: p.Amount.Units, party: donors()}
		if !in {
			f.cause, f.units = correctedOut, -f.units
		}
		return give(f)
	case in && p.Kind == "identify" && p.Inflow == "":
		return r.foundReturned(ctx, p, give)
	case in:
		return r.transfer(ctx, p, p.From, give)
	case p.Kind == "charge-back":
		return r.bear(ctx, p, give)
	case p.To.Outside() && p.Kind == "settle":
		return r.fee(ctx, p, give)
	case p.To.Outside():
		return r.paid(ctx, p, give)
	}
	return r.transfer(ctx, p, p.To, give)
}

// page gives the gifts of a settled page, day by day of the bank.
func (r *reading) page(ctx context.Context, p readmodel.Posting, give func(flow) error) error {
	page, err := r.Model.Page(ctx, r.account.ID, p.Line)
	if err != nil {
		return err
	}
	if page.Rests == nil {
		return rule.Refuse(rule.Conflict, "page %s was settled and rests on nothing", page.ID)
	}
	whole := flow{cause: gift, kind: iati.IncomingFunds, date: p.Date, units: p.Amount.Units, party: donors()}
	switch page.Rests.Kind {
	case "self-declared":
		whole.declared = whole.units
		return give(whole)
	case "processor":
		file, err := r.lines.processor(ctx, page.Rests.Reference)
		if err != nil {
			return err
		}
		line, err := r.lines.of(ctx, file.Line)
		if err != nil {
			return err
		}
		whole.date, whole.bank = line.Date, line.Amount.Units
		return give(whole)
	case "statement":
		return r.gifts(ctx, page, whole, give)
	}
	return rule.Refuse(rule.Unsupported, "page %s rests on %q, which is not known here", page.ID, page.Rests.Kind)
}

// gifts sums the gifts of a page by the days of their bank lines.
func (r *reading) gifts(ctx context.Context, page readmodel.GiftPage, whole flow, give func(flow) error) error {
	var days []tape.Date
	sums := map[tape.Date]*flow{}
	for g, err := range walk(func(w readmodel.Window) (readmodel.List[readmodel.Gift], error) {
		return r.Model.Gifts(ctx, readmodel.GiftFilter{Account: r.account.ID, Page: page.ID}, w)
	}) {
		if err != nil {
			return err
		}
		line, err := r.lines.at(ctx, page.Rests.Reference, g.Line)
		if err != nil {
			return err
		}
		day := sums[line.Date]
		if day == nil {
			one := whole
			one.date, one.units = line.Date, 0
			day = &one
			sums[line.Date], days = day, append(days, line.Date)
		}
		day.units += g.Amount.Units
		day.bank += line.Amount.Units
	}
	for _, day := range days {
		if err := give(*sums[day]); err != nil {
			return err
		}
	}
	return nil
}

// fee is what a payment processor kept of gifts.
func (r *reading) fee(ctx context.Context, p readmodel.Posting, give func(flow) error) error {
	file, err := r.lines.processor(ctx, tape.ProcessorKey(r.account.ID, p.Line))
	if err != nil {
		return err
	}
	line, err := r.lines.of(ctx, file.Line)
	if err != nil {
		return err
	}
	party, err := r.of(ctx, p.To)
	return orGive(err, give, flow{cause: fee, kind: iati.Expenditure, date: line.Date, units: p.Amount.Units, with: p.To, party: party})
}

func orGive(err error, give func(flow) error, f flow) error {
	if err != nil {
		return err
	}
	return give(f)
}

// paid is money that the bank has shown to leave for a payee, or for a giver.
func (r *reading) paid(ctx context.Context, p readmodel.Posting, give func(flow) error) error {
	line, err := r.shown(ctx, p)
	if err != nil {
		return err
	}
	f := flow{cause: payout, date: line.Date, units: p.Amount.Units, with: p.To, bank: -line.Amount.Units, reference: p.Entry}
	if r.refunds[p.Line] {
		f.cause, f.kind, f.units, f.with = refund, iati.IncomingFunds, -f.units, ""
		f.party = donors()
		return give(f)
	}
	f.party, err = r.of(ctx, p.To)
	f.kind = f.party.outgoing()
	return orGive(err, give, f)
}

// returned is a payout that the bank has shown to come back.
func (r *reading) returned(ctx context.Context, p readmodel.Posting, give func(flow) error) error {
	line, err := r.shown(ctx, p)
	if err != nil {
		return err
	}
	f := flow{cause: payoutReturned, date: line.Date, units: -p.Amount.Units, with: p.From, bank: line.Amount.Units, reference: p.Entry}
	if r.refunds[p.Line] {
		f.cause, f.kind, f.units, f.with = refundReturned, iati.IncomingFunds, -f.units, ""
		f.party = donors()
		return give(f)
	}
	f.party, err = r.of(ctx, p.From)
	f.kind = f.party.outgoing()
	return orGive(err, give, f)
}

// foundReturned is a payout that came back by a line which was first booked as unclaimed.
func (r *reading) foundReturned(ctx context.Context, p readmodel.Posting, give func(flow) error) error {
	hold, err := r.Model.Hold(ctx, r.account.ID, p.Line)
	if err != nil {
		return err
	}
	party, err := r.of(ctx, hold.To)
	return orGive(err, give, flow{cause: payoutReturned, kind: party.outgoing(), date: p.Date, units: -p.Amount.Units, with: hold.To, party: party,
		bank: p.Amount.Units, reference: p.Entry})
}

// shown is the one bank line that a posting rests on. Of a batch of payouts
// each rests on evidence of its own; a line that carried several is counted
// with the first of them.
func (r *reading) shown(ctx context.Context, p readmodel.Posting) (readmodel.Line, error) {
	entry, err := r.entryOf(ctx, p.Entry)
	if err != nil {
		return readmodel.Line{}, err
	}
	if at := slices.IndexFunc(entry.Postings, func(one tape.Posting) bool { return one.Line == p.Line }); p.Kind == "execute" && at >= 0 && at < len(entry.Evidence) {
		line, err := r.lines.of(ctx, entry.Evidence[at])
		if at > 0 && entry.Evidence[at-1] == entry.Evidence[at] {
			line.Amount.Units = 0
		}
		return line, err
	}
	if len(entry.Evidence) != 1 || entry.Evidence[0].Kind != "statement" {
		return readmodel.Line{}, rule.Refuse(rule.Unsupported, "it moves money outside and rests on %d pieces of evidence, not on one bank line", len(entry.Evidence))
	}
	return r.lines.of(ctx, entry.Evidence[0])
}

// entryOf returns an entry by organisation/id.
func (r *reading) entryOf(ctx context.Context, reference string) (readmodel.Entry, error) {
	if r.entry.Reference() == reference {
		return r.entry, nil
	}
	organisation, id, _ := strings.Cut(reference, "/")
	entry, err := r.Model.Entry(ctx, organisation, tape.ID(id))
	if err == nil {
		r.entry = entry
	}
	return entry, err
}

// transfer is money between two accounts of the ledger. Money that goes home to
// the campaign that had handed it over, or names the entry it goes back on,
// takes back from the other side of the books.
func (r *reading) transfer(ctx context.Context, p readmodel.Posting, with tape.AccountID, give func(flow) error) error {
	party, err := r.of(ctx, with)
	if err != nil {
		return err
	}
	back, err := r.paysBack(ctx, p)
	if err != nil {
		return err
	}
	whole := flow{cause: outgoing, kind: party.outgoing(), date: p.Date, with: with, party: party, reference: p.Inflow, ordered: p.Kind == "capture", identified: p.Kind == "identify"}
	for _, part := range []struct {
		units int64
		back  bool
	}{{back, true}, {p.Amount.Units - back, false}} {
		if part.units == 0 {
			continue
		}
		f := whole
		f.units = part.units
		if err := give(r.sided(p, f, part.back)); err != nil {
			return err
		}
	}
	return nil
}

// sided puts a transfer, or money that goes back, on the account's side of the books.
func (r *reading) sided(p readmodel.Posting, f flow, back bool) flow {
	switch {
	case p.To == r.account.ID && back:
		f.cause, f.units = outgoingBack, -f.units
	case p.To == r.account.ID && f.party.Kind == Donors:
		f.cause, f.kind = claimed, iati.IncomingFunds
	case p.To == r.account.ID:
		f.cause, f.kind = incoming, iati.IncomingFunds
	case back:
		f.cause, f.kind, f.units = incomingBack, iati.IncomingFunds, -f.units
	}
	return f
}

// paysBack is how many units of a posting go back: what a campaign carries home
// to its parent, whichever of several grants it is from, or all of a posting
// that goes the way back of one in the entry that it names. Both sides of a
// transfer come to the same answer; an origin that never went this way is no
// more than a note.
func (r *reading) paysBack(ctx context.Context, p readmodel.Posting) (int64, error) {
	if p.Kind == "carry" {
		list, err := r.Model.Inflows(ctx, readmodel.InflowFilter{Account: p.To, Source: p.Inflow}, readmodel.Window{Limit: 1})
		if err != nil || len(list.Items) == 0 {
			return 0, err
		}
		return list.Items[0].Home.Units, nil
	}
	if p.Origin == "" {
		return 0, nil
	}
	entry, err := r.entryOf(ctx, p.Origin)
	if rule.Is(err, rule.NotFound) {
		return 0, nil
	}
	for _, before := range entry.Postings {
		if before.From == p.To && before.To == p.From {
			return p.Amount.Units, nil
		}
	}
	return 0, err
}

// bear is a chargeback of another account's gift that this account pays for.
// A chargeback of the account's own gift is read as a whole by chargebacks.
func (r *reading) bear(ctx context.Context, p readmodel.Posting, give func(flow) error) error {
	entry, err := r.entryOf(ctx, p.Entry)
	if err != nil {
		return err
	}
	whose := tape.AccountID(entry.Subject)
	if whose == r.account.ID {
		return nil
	}
	line, err := r.shown(ctx, p)
	if err != nil {
		return err
	}
	party, err := r.of(ctx, whose)
	return orGive(err, give, flow{cause: outgoing, kind: party.outgoing(), date: line.Date, units: p.Amount.Units, with: whose, party: party, reference: p.Entry})
}

// chargebacks are gifts that the givers' banks took back: the whole gift, and
// beside it what the charity's own funds bore of it. What nobody bore is a
// receivable, and the books show it as missing.
func (r *reading) chargebacks(ctx context.Context, give func(flow) error) error {
	for entry, err := range r.entriesOf(ctx, "charge-back") {
		if err != nil {
			return err
		}
		if entry.Block >= r.next {
			return nil
		}
		if err := r.chargeback(ctx, entry, give); err != nil {
			return rule.Field(entry.Reference(), err)
		}
	}
	return nil
}

func (r *reading) chargeback(ctx context.Context, entry readmodel.Entry, give func(flow) error) error {
	r.entry = entry
	line, err := r.shown(ctx, readmodel.Posting{Entry: entry.Reference()})
	if err != nil {
		return err
	}
	whole := flow{cause: chargeback, kind: iati.IncomingFunds, date: line.Date, bank: -line.Amount.Units, party: donors()}
	for _, p := range entry.Postings {
		whole.units -= p.Amount.Units
		if p.Memo {
			r.receivable += p.Amount.Units
		}
		if p.Memo || p.From == r.account.ID {
			continue
		}
		party, err := r.of(ctx, p.From)
		if err := orGive(err, give, flow{cause: ownFunds, kind: iati.IncomingFunds, date: line.Date, units: p.Amount.Units, with: p.From, party: party, reference: entry.Reference()}); err != nil {
			return err
		}
	}
	return give(whole)
}
