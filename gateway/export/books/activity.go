package books

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/export/iati"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// said is what a transaction says of itself.
var said = map[cause]iati.Texts{
	gift:           {{Language: "en", Text: "Gifts of the day"}, {Language: "zh", Text: "当日捐款"}},
	claimed:        {{Language: "en", Text: "Gifts whose purpose was found later"}, {Language: "zh", Text: "认领的捐款"}},
	refund:         {{Language: "en", Text: "Gifts paid back to their givers"}, {Language: "zh", Text: "退还捐款"}},
	refundReturned: {{Language: "en", Text: "Refunds that did not reach their givers"}, {Language: "zh", Text: "退款被银行退回"}},
	chargeback:     {{Language: "en", Text: "Gifts charged back by the givers' banks"}, {Language: "zh", Text: "捐款被付款行撤回"}},
	ownFunds:       {{Language: "en", Text: "Own funds in place of a gift charged back after it was spent"}, {Language: "zh", Text: "以自有资金弥补已支出后被撤回的捐款"}},
	incoming:       {{Language: "en", Text: "Received from another activity"}, {Language: "zh", Text: "来自其他项目的拨款"}},
	incomingBack:   {{Language: "en", Text: "Paid back to another activity"}, {Language: "zh", Text: "退回其他项目的拨款"}},
	outgoing:       {{Language: "en", Text: "Passed on"}, {Language: "zh", Text: "拨付"}},
	outgoingBack:   {{Language: "en", Text: "Passed on and paid back"}, {Language: "zh", Text: "拨付后退回"}},
	payout:         {{Language: "en", Text: "Paid out"}, {Language: "zh", Text: "支付"}},
	payoutReturned: {{Language: "en", Text: "Paid out and returned by the bank"}, {Language: "zh", Text: "支付后被银行退回"}},
	fee:            {{Language: "en", Text: "Fees of payment processors"}, {Language: "zh", Text: "支付机构手续费"}},
}

// WriteActivities writes the IATI file of several campaign accounts. Nothing
// has been written when it returns a refusal.
func (b *Books) WriteActivities(ctx context.Context, w io.Writer, accounts []tape.AccountID, cut Cut) error {
	d := iati.Document{Generated: cut.Generated}
	for _, account := range accounts {
		a, err := b.Activity(ctx, account, cut)
		if err == nil {
			err = registered(a)
		}
		if err != nil {
			return rule.Field(string(account), err)
		}
		d.Activities = append(d.Activities, a)
	}
	return iati.Write(w, d)
}

// registered refuses to publish in the name of an organisation that has not said how it is registered.
func registered(a iati.Activity) error {
	if a.Reporting.Ref != "" {
		return nil
	}
	return rule.Refuse(rule.WrongState, "%s has not said how it is registered, and nothing is published in its name; its maker and checker do, by lianbao fund name-publisher", inLanguage(a.Reporting.Names, a.Language))
}

// Activity is a campaign account as an IATI activity.
func (b *Books) Activity(ctx context.Context, account tape.AccountID, cut Cut) (iati.Activity, error) {
	r, err := b.read(ctx, account, cut)
	if err != nil {
		return iati.Activity{}, err
	}
	return r.activity(ctx, &ledger{reading: r, sums: map[line]int64{}}, func(flow) error { return nil })
}

// activity builds the activity; also sees every flow.
func (r *reading) activity(ctx context.Context, days *ledger, also func(flow) error) (iati.Activity, error) {
	campaign, err := r.Facts.Campaign(ctx, r.account.ID)
	if err != nil {
		return iati.Activity{}, err
	}
	a := campaign.Activity
	a.Dates = r.past(a.Dates)
	a.Currency = r.account.Currency
	if a.Updated, err = r.updated(ctx); err != nil {
		return iati.Activity{}, err
	}
	if !slices.ContainsFunc(a.Participants, func(p iati.Participant) bool { return p.Ref == a.Reporting.Ref && p.Role == iati.Accountable }) {
		own := iati.Participant{Organisation: a.Reporting, Role: iati.Accountable}
		a.Participants = append([]iati.Participant{own}, a.Participants...)
	}
	days.activity = a
	if err := r.flows(ctx, func(f flow) error { return errors.Join(days.add(f), also(f)) }); err != nil {
		return a, err
	}
	a.Transactions = days.transactions()
	committed, err := r.commitments(ctx, days)
	if err != nil {
		return a, err
	}
	promised, err := r.promises(ctx)
	a.Transactions = append(append(a.Transactions, committed...), promised...)
	slices.SortStableFunc(a.Transactions, func(x, y iati.Transaction) int {
		return cmp.Or(cmp.Compare(x.Date, y.Date), cmp.Compare(len(x.Type), len(y.Type)), cmp.Compare(x.Type, y.Type), cmp.Compare(x.Reference, y.Reference))
	})
	return a, err
}

// past leaves out what comes to pass behind the last day of the cut: a campaign
// that ends after midnight in its own zone has not ended yet where it is still
// the day before.
func (r *reading) past(dates []iati.ActivityDate) []iati.ActivityDate {
	return slices.DeleteFunc(slices.Clone(dates), func(d iati.ActivityDate) bool {
		return (d.Type == iati.ActualStart || d.Type == iati.ActualEnd) && d.Date > r.through
	})
}

// updated is the time of the last block that was read, nothing where that is after the export is made.
func (r *reading) updated(ctx context.Context) (tape.Instant, error) {
	if r.next == 0 {
		return 0, nil
	}
	block, err := r.Model.Block(ctx, r.next-1)
	if err != nil || block.At > r.generated {
		return 0, err
	}
	return block.At, nil
}

// line is what is summed up into one transaction: the same day, cause and kind
// of party, and where a party has a name, the same party and posting.
type line struct {
	cause     cause
	kind      iati.TransactionType
	date      tape.Date
	party     Kind
	with      tape.AccountID
	reference string
	ordered   bool
}

// ledger sums flows up by day.
type ledger struct {
	*reading
	activity iati.Activity
	sums     map[line]int64
	named    []namedFlow
	// laterIn and laterOut are of days after the last.
	laterIn, laterOut int64
}

type namedFlow struct {
	line
	organisation iati.Organisation
}

func (l *ledger) add(f flow) (err error) {
	if f.date > l.through {
		return l.addLater(f)
	}
	key := line{cause: f.cause, kind: f.kind, date: f.date, party: f.party.Kind}
	if f.party.named() {
		key.with, key.reference, key.ordered = f.with, f.reference, f.ordered
	}
	if _, known := l.sums[key]; !known {
		l.named = append(l.named, namedFlow{key, f.party.Organisation})
	}
	l.sums[key], err = money.Sum(l.sums[key], f.units)
	return err
}

func (l *ledger) addLater(f flow) (err error) {
	if f.kind == iati.IncomingFunds {
		l.laterIn, err = money.Sum(l.laterIn, f.units)
	} else {
		l.laterOut, err = money.Sum(l.laterOut, f.units)
	}
	return err
}

// named reports whether a party's money stands by itself. Of others, a day is one sum.
func (p Party) named() bool { return p.Kind == Partner || p.Kind == Own || p.Kind == Supplier }

func (l *ledger) transactions() []iati.Transaction {
	var all []iati.Transaction
	for _, n := range l.named {
		if units := l.sums[n.line]; units != 0 {
			all = append(all, l.transaction(n, units))
		}
	}
	return all
}

func (l *ledger) transaction(n namedFlow, units int64) iati.Transaction {
	own := l.activity.Reporting
	own.Type, own.Names, own.Activity = "", nil, l.activity.Identifier
	other := n.organisation
	t := iati.Transaction{Reference: n.line.reference, Type: n.kind, Date: n.date, Value: money.New(units, l.account.Currency), Description: said[n.cause]}
	if t.Reference == "" {
		t.Reference = string(n.cause) + " " + string(n.date) + " " + string(n.party)
	}
	if n.kind == iati.IncomingFunds {
		t.Provider, t.Receiver = &other, &own
	} else {
		t.Provider, t.Receiver = &own, &other
	}
	return t
}

// commitments are what was ordered for partners. A payment without an order
// before it was committed on its day; of an order that was given up, what was
// paid stays committed.
func (r *reading) commitments(ctx context.Context, l *ledger) ([]iati.Transaction, error) {
	var all []iati.Transaction
	for _, n := range l.named {
		if n.cause == outgoing && n.party == Partner && !n.ordered && l.sums[n.line] > 0 {
			t := l.transaction(n, l.sums[n.line])
			t.Type = iati.OutgoingCommitment
			all = append(all, t)
		}
	}
	for hold, err := range r.holds(ctx) {
		if err != nil {
			return nil, err
		}
		party, err := r.of(ctx, hold.To)
		if err != nil {
			return nil, err
		}
		entry, err := r.entryOf(ctx, hold.Entry)
		if err != nil {
			return nil, err
		}
		units := committed(hold)
		if party.Kind != Partner || entry.BusinessDate > r.through || units == 0 {
			continue
		}
		t := l.transaction(namedFlow{line{cause: outgoing, kind: iati.OutgoingCommitment, date: entry.BusinessDate, reference: string(hold.ID)}, party.Organisation}, units)
		all = append(all, t)
	}
	return all, nil
}

// holds are the account's orders that are no refunds.
func (r *reading) holds(ctx context.Context) func(func(readmodel.Hold, error) bool) {
	return func(yield func(readmodel.Hold, error) bool) {
		for hold, err := range walk(func(w readmodel.Window) (readmodel.List[readmodel.Hold], error) {
			return r.Model.Holds(ctx, readmodel.HoldFilter{Account: r.account.ID}, w)
		}) {
			if err == nil && (hold.Block >= r.next || r.refunds[hold.ID]) {
				continue
			}
			if !yield(hold, err) {
				return
			}
		}
	}
}

// committed is what an order still binds: all of it, or what was paid once it was given up.
func committed(hold readmodel.Hold) int64 {
	if hold.State == tape.HoldReleased || hold.State == tape.HoldReclaimed {
		return hold.Captured.Total()
	}
	return hold.Amount.Units
}

func (r *reading) promises(ctx context.Context) ([]iati.Transaction, error) {
	promises, err := r.Facts.Promises(ctx, r.account.ID)
	if rule.Is(err, rule.NotFound) {
		return nil, nil
	}
	var all []iati.Transaction
	for _, p := range promises {
		if p.Date > r.through {
			continue
		}
		from := p.From
		if from.Ref == "" && len(from.Names) == 0 {
			from.Names = individualDonors
		}
		t := iati.Transaction{Reference: p.Reference, Type: iati.IncomingPledge, Date: p.Date, Value: p.Amount, Provider: &from}
		if p.Binding {
			t.Type = iati.IncomingCommitment
		}
		all = append(all, t)
	}
	return all, err
}
